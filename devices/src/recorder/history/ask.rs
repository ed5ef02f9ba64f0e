//! Where answers come from: a recorder that is asked over MQTT, or a file.

use super::Args;
use crate::{
    Usage,
    connection::{Address, Connection, Narrator, unique_client_id},
    recorder::{
        CLIENT_ID,
        asker::answered,
        clock,
        query::{Answer, Asked, topics},
        service,
        store::Place,
    },
};
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use luxwire_shared::{
    client::{Event, Message},
    mqtt::{PublishProperties, QoS, Subscribable, SubscribeFilter, TopicFilter, TopicName, Version},
};
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::timeout;

/// How long a recorder may take to answer: longer than it searches.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long recorders that are there may take to be known, after the broker has granted the subscription.
const STATUS_WITHIN: Duration = Duration::from_secs(1);
/// Nobody has more recorders at one broker.
const RECORDERS: usize = 1_000;
/// How long a broker may stay away.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Who is asked.
pub(super) enum Source {
    File { place: Place, db: Box<rusqlite::Connection> },
    Recorder(Box<Recorder>),
}

/// A recorder somewhere.
pub(super) struct Recorder {
    connection: Connection,
    narrator: Narrator,
    /// Its name, once that is certain.
    service: Option<String>,
    answer: TopicName,
    version: Version,
    is_ready: bool,
    /// Tells answers apart, where the protocol has room for it.
    asked: u32,
    /// What recorders said of themselves, by their names.
    said: BTreeMap<String, Said>,
}

#[derive(Deserialize)]
struct Said {
    state: String,
    #[serde(default)]
    filters: Vec<String>,
    #[serde(default)]
    since: Option<String>,
}

#[derive(Deserialize)]
struct Failure {
    status: u16,
    detail: String,
}

impl Source {
    pub(super) fn open(args: &Args) -> Result<Self> {
        if let Some(path) = &args.file {
            let place = Place::File(path.clone());
            let db = place.open_to_read().context("--file")?;
            return Ok(Self::File { place, db: Box::new(db) });
        }
        let mut options = args.broker.options(&unique_client_id("luxwire-history"))?;
        options.packet_size_max = 2 << 20;
        let name = args.service.as_deref().unwrap_or(CLIENT_ID);
        let own = service::service(options.client_id.as_str());
        let answer = service::topic(name, &format!("answer/{own}"))
            .ok_or_else(|| Usage(format!("--service: {name:?} is no topic level")))?;
        let mut connection = Connection::new(&args.broker, options)?;
        // A status is retained, and so comes with the subscription if there ever was a recorder.
        let status = format!("{}{}/status", service::PREFIX, args.service.as_deref().unwrap_or("+"));
        connection.subscribe([status.as_str(), answer.as_str()].map(|filter| {
            let filter = TopicFilter::try_from(filter).expect("levels that were looked at");
            SubscribeFilter::new(Subscribable::own(filter), QoS::AtLeastOnce)
        }));
        Ok(Self::Recorder(Box::new(Recorder {
            connection,
            narrator: Narrator::new(),
            service: args.service.clone(),
            answer,
            version: args.broker.protocol,
            is_ready: false,
            asked: 0,
            said: BTreeMap::new(),
        })))
    }

    /// Which topics are meant.
    pub(super) fn topics(&self, filter: &TopicFilter) -> Result<Vec<TopicName>> {
        if !filter.has_wildcard() {
            return Ok(vec![TopicName::try_from(filter.as_str())?]);
        }
        let Self::File { place, db } = self else { bail!("wildcards need --file") };
        let all = topics(db).map_err(|error| place.error(&error))?;
        let names = all.iter().filter_map(|name| TopicName::try_from(name.as_str()).ok());
        let matching: Vec<_> = names.filter(|name| filter.matches(name)).collect();
        ensure!(!matching.is_empty(), "{place} has no topic that matches {}", filter.as_str());
        Ok(matching)
    }

    pub(super) async fn ask(&mut self, asked: &Asked) -> Result<Answer> {
        let body = match self {
            Self::File { place, db } => {
                let now = clock::wall();
                let question = asked.understand(now).map_err(Usage)?;
                let found = answered(db, &question, now).map_err(|error| place.error(&error))?;
                found.ok_or_else(|| anyhow!("no value of {:?} is in {place}", asked.topic))?
            }
            Self::Recorder(recorder) => recorder.ask(asked).await?,
        };
        serde_json::from_slice(&body).context("the answer is not understood")
    }

    pub(super) async fn close(&mut self) {
        if let Self::Recorder(recorder) = self {
            recorder.connection.disconnect().await;
        }
    }
}

impl Said {
    fn records(&self, topic: &str) -> bool {
        let Ok(topic) = TopicName::try_from(topic) else { return false };
        let filters = self.filters.iter().filter_map(|filter| TopicFilter::try_from(filter.as_str()).ok());
        filters.into_iter().any(|filter| filter.matches(&topic))
    }
}

impl Recorder {
    async fn ask(&mut self, asked: &Asked) -> Result<Vec<u8>> {
        if !self.is_ready {
            let address = self.connection.address().to_string();
            let ready = timeout(CONNECT_WITHIN, self.ready()).await;
            ready.map_err(|_| anyhow!("{address} is not there (--broker)"))??;
        }
        if self.service.is_none() {
            // Whoever is there has said so before long; after that, the best of those who have.
            let _ = timeout(STATUS_WITHIN, self.heard_of(&asked.topic)).await;
            self.service = self.best(&asked.topic);
            ensure!(self.service.is_some(), "{}", self.nobody());
        }
        self.asked += 1;
        let question = self.question(asked)?;
        // A question that is lost with its connection is not asked again: whoever waits would rather know.
        self.connection.publish(question).map_err(|error| anyhow!("the question was not sent: {error}"))?;
        let answer = timeout(ANSWER_WITHIN, self.answer()).await;
        let message = answer.map_err(|_| anyhow!(self.silence()))??;
        match serde_json::from_slice::<Failure>(&message.payload) {
            Ok(failure) if failure.status >= 400 => bail!(failure.detail),
            _ => Ok(message.payload.to_vec()),
        }
    }

    /// What happens next; a connection that is made is no news to whoever waits for an answer.
    async fn next(&mut self) -> Event {
        let event = self.connection.next().await;
        if !matches!(event, Event::Connected { .. }) {
            self.narrator.tell(&self.connection, &event);
        }
        event
    }

    /// Waits until a recorder that records the topic is known.
    async fn heard_of(&mut self, topic: &str) {
        while !self.said.values().any(|said| said.state == "online" && said.records(topic)) {
            let event = self.next().await;
            self.note(&event);
        }
    }

    /// The recorder to ask: one that records the topic before one that does not, and of those the one that goes back the furthest.
    fn best(&self, topic: &str) -> Option<String> {
        let online = self.said.iter().filter(|(_, said)| said.state == "online");
        let best = online
            .min_by_key(|(_, said)| (!said.records(topic), said.since.is_none(), said.since.as_deref()));
        best.map(|(name, _)| name.clone())
    }

    fn name(&self) -> &str {
        self.service.as_deref().unwrap_or(CLIENT_ID)
    }

    fn question(&self, asked: &Asked) -> Result<Message> {
        let request = service::topic(self.name(), "request").context("--service")?;
        let mut json = serde_json::to_value(asked)?;
        let mut properties = None;
        if self.version == Version::V5 {
            properties = Some(Box::new(PublishProperties {
                response_topic: Some(self.answer.clone()),
                correlation_data: Some(self.asked.to_be_bytes().to_vec().into()),
                // A recorder that comes back later finds nobody waiting.
                message_expiry_interval_s: u32::try_from(ANSWER_WITHIN.as_secs()).ok(),
                ..PublishProperties::default()
            }));
        } else if let Some(object) = json.as_object_mut() {
            object.insert("response_topic".to_owned(), self.answer.as_str().into());
        }
        let message = Message::new(request, json.to_string(), QoS::AtLeastOnce);
        Ok(Message { properties, ..message })
    }

    async fn ready(&mut self) -> Result<()> {
        loop {
            let event = self.next().await;
            match event {
                Event::Subscribed { answers, .. } => {
                    ensure!(
                        answers.iter().all(|(_, reason)| !reason.is_failure()),
                        "the broker does not let us follow the recorder's answers: --user and --password, or its permissions"
                    );
                    self.is_ready = true;
                    return Ok(());
                }
                Event::Refused { .. } => bail!("the broker refuses us"),
                other => {
                    self.note(&other);
                }
            }
        }
    }

    async fn answer(&mut self) -> Result<Message> {
        loop {
            let event = self.next().await;
            match event {
                Event::Message(message) if message.topic == self.answer && self.belongs(&message) => {
                    return Ok(message);
                }
                Event::Lost { .. } | Event::Refused { .. } => {
                    bail!("the connection was lost before the answer came")
                }
                Event::Acknowledged { reason, .. } if reason.is_failure() => {
                    bail!(
                        "the broker does not let us ask the recorder: --user and --password, or its permissions"
                    )
                }
                other => {
                    self.note(&other);
                    if self.state() == Some("offline") {
                        bail!(self.silence());
                    }
                }
            }
        }
    }

    fn belongs(&self, answer: &Message) -> bool {
        let correlation = answer.properties.as_deref().and_then(|of| of.correlation_data.as_ref());
        correlation.is_none_or(|bytes| bytes[..] == self.asked.to_be_bytes())
    }

    /// Remembers what a recorder says of itself.
    fn note(&mut self, event: &Event) {
        if let Event::Message(message) = event
            && let Some(name) = message.topic.as_str().strip_prefix(service::PREFIX)
            && let Some(name) = name.strip_suffix("/status")
            && let Ok(said) = serde_json::from_slice::<Said>(&message.payload)
            && self.said.len() < RECORDERS
        {
            self.said.insert(name.to_owned(), said);
        }
    }

    fn state(&self) -> Option<&str> {
        self.said.get(self.name()).map(|said| said.state.as_str())
    }

    /// Which recorder there is not.
    fn nobody(&self) -> String {
        let address = self.connection.address();
        let mut known = self.said.keys();
        match (known.next(), known.next()) {
            (None, _) => format!(
                "no recorder is at {address}: start one with `luxwire record`, or read its file with --file"
            ),
            (Some(name), None) => offline(name, address),
            (Some(_), Some(_)) => format!(
                "none of the recorders at {address} is running: start one with `luxwire record`, or read its file with --file"
            ),
        }
    }

    fn silence(&self) -> String {
        let (service, address) = (self.name(), self.connection.address());
        match self.state() {
            None => format!(
                "no recorder named {service} is at {address}: start one with `luxwire record`, or name another with \
                 --service, or read its file with --file"
            ),
            Some("offline") => offline(service, address),
            Some(_) => format!("the recorder {service} at {address} does not answer"),
        }
    }
}

fn offline(name: &str, address: &Address) -> String {
    format!(
        "the recorder {name} at {address} is not running: start it with `luxwire record`, or read its file with --file"
    )
}
