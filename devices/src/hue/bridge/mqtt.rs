//! The broker's side: what is followed, what is published, and what a message means.

use super::Bridge;
use crate::{
    Usage,
    connection::{BrokerArgs, Connection},
    hue::{
        CLIENT_ID, home_assistant,
        service::{self, Request},
    },
};
use anyhow::{Result, ensure};
use luxwire_shared::{
    client::{Event, Message},
    model::{
        Intensity, LightId, LightTopic, hue as topics_of_service,
        topics::{OFFLINE, ONLINE},
    },
    mqtt::{QoS, Subscribable, SubscribeFilter, TopicFilter, TopicName, Will, WillProperties},
};
use std::time::Duration;
use tokio::time::timeout;
use tracing::{debug, warn};

/// How long the last messages may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// A connection whose loss is told, and the name of the service.
pub(super) fn connect(broker: &BrokerArgs) -> Result<(Connection, String)> {
    let mut options = broker.options(CLIENT_ID)?;
    // It becomes one level of topics.
    let plain = |char| if "/+#\0".contains(char) { '-' } else { char };
    let service: String = options.client_id.as_str().chars().map(plain).collect();
    ensure!(!service.is_empty(), Usage("--client-id: the service needs a name".to_owned()));
    options.will = Some(Will {
        topic: topic(&status_topic(&service)),
        payload: service::OFFLINE.into(),
        qos: QoS::AtLeastOnce,
        retain: true,
        properties: WillProperties::default(),
    });
    Ok((Connection::new(broker, options)?, service))
}

impl Bridge {
    /// Follows what concerns the service rather than a light.
    pub(super) fn follow_service(&mut self) {
        let mut filters: Vec<_> =
            topics_of_service::request(&self.service).iter().map(|topic| filter(topic.as_str())).collect();
        if let Some(prefix) = &self.settings.discovery_prefix {
            filters.push(filter(&format!("{prefix}/status")));
        }
        self.connection.subscribe(filters);
    }

    /// Follows what Home Assistant commands to lights of this hub.
    pub(super) fn follow_commands(&mut self, hub: &str) {
        self.connection.subscribe([filter(&format!("luxwire/hue/{hub}/+/set"))]);
    }

    pub(super) fn follow(&mut self, id: LightId) {
        let token = self.connection.subscribe([LightTopic::Intensity(id.clone()).subscription()]);
        self.following.entry(token).or_default().push(id);
    }

    pub(super) fn mqtt(&mut self, event: Event) {
        self.narrator.tell(&self.connection, &event);
        let now = self.clock.now();
        match event {
            Event::Connected { .. } => {
                self.said = None;
                self.hubs.values_mut().for_each(|hub| hub.translator.broker_found(now));
            }
            Event::Lost { .. } | Event::Refused { .. } => {
                self.hubs.values_mut().for_each(|hub| hub.translator.broker_lost());
            }
            Event::Subscribed { token, .. } => {
                for id in self.following.get(&token).into_iter().flatten() {
                    let hub = self.owners.get(id).and_then(|hub| self.hubs.get_mut(hub));
                    if let Some(hub) = hub {
                        hub.translator.followed(id, now);
                    }
                }
            }
            Event::Message(message) => self.message(&message),
            Event::Acknowledged { .. } | Event::Unsent(_) | Event::Unsubscribed { .. } => {}
        }
    }

    fn message(&mut self, message: &Message) {
        let topic = message.topic.as_str();
        if let Ok(LightTopic::Intensity(id)) = LightTopic::parse(topic) {
            self.intensity(&id, message);
        } else if let Some(rest) = topic.strip_prefix("luxwire/hue/") {
            match rest.split('/').collect::<Vec<_>>()[..] {
                [service, "request"] if service == self.service => self.request(message),
                [hub, light, "set"] => self.set(hub, light, message),
                _ => {}
            }
        } else if is_status_of_home_assistant(topic, self.settings.discovery_prefix.as_deref())
            && message.payload.as_ref() == ONLINE.as_bytes()
            && !message.retain
        {
            let now = self.clock.now();
            self.hubs.values_mut().for_each(|hub| hub.translator.introduce_all(now));
        }
    }

    fn intensity(&mut self, id: &LightId, message: &Message) {
        let Some(hub) = self.owners.get(id).and_then(|hub| self.hubs.get_mut(hub)) else { return };
        let value = match message.payload.as_ref() {
            b"" => None,
            payload => match Intensity::try_from(payload) {
                Ok(intensity) => Some(intensity),
                Err(error) => {
                    warn!("lights/{id}/intensity: ignored, {error}");
                    return;
                }
            },
        };
        hub.translator.intensity(id, value, message.retain, self.clock.now());
        self.save_at.get_or_insert(self.clock.now() + super::SAVE_DELAY);
    }

    fn set(&mut self, hub: &str, light: &str, message: &Message) {
        if message.retain {
            // A command that was kept by mistake would come again with every connection.
            debug!("a retained command for {light} is ignored");
            return;
        }
        let Ok(id) = LightId::try_from(light) else { return };
        let Some(hub) = self.hubs.get_mut(hub) else { return };
        let Some(abilities) = hub.translator.resource(&id).map(|light| light.abilities) else { return };
        match home_assistant::command(&message.payload, abilities) {
            Some((change, level)) => hub.translator.command(&id, change, level, self.clock.now()),
            None => {
                warn!("a command for lights/{id} is ignored: it is none of Home Assistant's JSON commands")
            }
        }
    }

    fn request(&mut self, message: &Message) {
        if message.retain {
            warn!("a retained request is ignored");
            return;
        }
        match Request::parse(&message.payload) {
            Ok(Request::Search) => self.search(),
            Ok(Request::Pair(host)) => self.pair(host),
            Ok(Request::Forget(id)) => self.forget(&id),
            Ok(Request::Cancel) => self.pairings.cancel(),
            Err(error) => warn!("a request is ignored: {error}"),
        }
    }

    pub(super) fn announce(&mut self, hub_id: &str, id: &LightId) {
        if self.settings.discovery_prefix.is_none() {
            return;
        }
        let topics = self.topics(hub_id, id);
        let service = status_topic(&self.service);
        let Some(light) = self.hubs.get(hub_id).and_then(|hub| hub.translator.resource(id)) else { return };
        let config = home_assistant::config(&topics, &service, hub_id, id, light);
        self.retain(&topics.config, config.to_string());
    }

    pub(super) fn say_availability(&mut self, id: &LightId, available: bool) {
        let word = if available { ONLINE } else { OFFLINE };
        self.publish(LightTopic::Availability(id.clone()).name(), word.into());
    }

    pub(super) fn say_intensity(&mut self, id: &LightId, intensity: Intensity) {
        self.publish(LightTopic::Intensity(id.clone()).name(), intensity.to_payload());
    }

    /// Clears everything that was ever said of a light.
    pub(super) fn withdraw(&mut self, hub_id: &str, id: &LightId) {
        let intensity = LightTopic::Intensity(id.clone());
        self.connection.unsubscribe([intensity.subscription().filter]);
        self.following.values_mut().for_each(|ids| ids.retain(|other| other != id));
        self.following.retain(|_, ids| !ids.is_empty());
        self.owners.remove(id);
        let topics = self.topics(hub_id, id);
        if self.settings.discovery_prefix.is_some() {
            self.retain(&topics.config, "");
        }
        self.retain(&topics.state, "");
        self.publish(LightTopic::Availability(id.clone()).name(), "".into());
        self.publish(intensity.name(), "".into());
    }

    pub(super) fn retain(&mut self, topic_name: &str, payload: impl Into<bytes::Bytes>) {
        self.publish(topic(topic_name), payload.into());
    }

    fn publish(&mut self, topic: TopicName, payload: bytes::Bytes) {
        if let Err(error) = self.connection.publish(Message::retained(topic, payload, QoS::AtLeastOnce)) {
            warn!("not published: {error}");
        }
    }

    /// The last words: nothing of ours can be reached from here on.
    pub(in crate::hue) async fn leave(&mut self) {
        self.save();
        if self.connection.is_online() {
            let ids: Vec<LightId> = self.owners.keys().cloned().collect();
            ids.iter().for_each(|id| self.say_availability(id, false));
            let status = topic(&status_topic(&self.service));
            let last = Message::retained(status, service::OFFLINE, QoS::AtLeastOnce);
            if let Ok(Some(token)) = self.connection.publish(last) {
                let acknowledged = async {
                    loop {
                        match self.connection.next().await {
                            Event::Acknowledged { token: other, .. } if other == token => return,
                            Event::Lost { .. } | Event::Refused { .. } => return,
                            _ => {}
                        }
                    }
                };
                let _ = timeout(GOODBYE, acknowledged).await;
            }
        }
        self.connection.disconnect().await;
    }
}

pub(super) fn status_topic(service: &str) -> String {
    topics_of_service::status(service).expect("one level, see connect").as_str().to_owned()
}

fn is_status_of_home_assistant(topic: &str, prefix: Option<&str>) -> bool {
    prefix.is_some_and(|prefix| topic.strip_prefix(prefix) == Some("/status"))
}

fn topic(name: &str) -> TopicName {
    TopicName::try_from(name).expect("made of identifiers and of a prefix without wildcards")
}

fn filter(text: &str) -> SubscribeFilter {
    let filter = TopicFilter::try_from(text).expect("made of identifiers and of a prefix without wildcards");
    SubscribeFilter::new(Subscribable::own(filter), QoS::AtLeastOnce)
}
