//! What is said to the broker, and what is heard from it: the client's options, messages and events. No sockets.

use crate::{
    clock::now,
    discovery,
    lamp::Lamp,
    limits, memory, say,
    sign::{self, Sign},
};
use core::time::Duration;
use luxwire_board_settings::{Roles, Settings};
use luxwire_shared::{
    client::{Cause, Client, Event, Message, Options, Retry, Token},
    model::{Intensity, LightTopic, reading::Publish, topics},
    mqtt::{QoS, TopicName, Will, WillProperties},
};

/// The client, and what the board has to tell it.
pub(crate) struct Conversation {
    pub(crate) client: Client,
    roles: Roles,
    lamp: Lamp,
    /// Turned, and not said yet.
    due: Option<Publish>,
    /// Said at QoS 1, and not acknowledged yet.
    unsure: Option<(Token, Intensity)>,
    /// Where the knob came to rest.
    resting: Option<Intensity>,
    /// That the latest message was no intensity was said already.
    complained: bool,
}

/// A broker keeps the session of a lost board so long. Within that time a board that comes back finds whether the broker
/// still knows it, and with it the value that it retains; a broker that was restarted with nothing kept does not, and is
/// told again.
const SESSION_EXPIRY_S: u32 = 3600;

/// A home's broker has few clients: it is worth trying often.
const RETRY: Retry = Retry {
    first: Duration::from_millis(500),
    longest: Duration::from_secs(15),
    healthy: Duration::from_secs(10),
    refused: Some(Duration::from_secs(60)),
};

impl Conversation {
    pub(crate) fn new(settings: &Settings, lamp: Lamp, seed: u64) -> Self {
        let roles = settings.roles.clone();
        let mut client = Client::new(options(settings, seed), now());
        if let Some(id) = roles.lamp() {
            client.subscribe([LightTopic::Intensity(id.clone()).subscription()], now());
        }
        Self { client, roles, lamp, due: None, unsure: None, resting: None, complained: false }
    }

    /// The knob was turned.
    pub(crate) fn turned(&mut self, publish: Publish) {
        self.due = Some(publish);
        self.resting = publish.last.then_some(publish.intensity);
        self.say_due();
    }

    /// Deals with everything that happened. To be called after each call of the client.
    pub(crate) fn attend(&mut self) {
        while let Some(event) = self.client.poll_event() {
            self.happened(event);
        }
        self.say_due();
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::Connected { session_present, .. } => {
                say!(
                    "connected to the broker, {} of {} bytes of memory in use",
                    memory::used(),
                    limits::HEAP
                );
                sign::show(Sign::Connected);
                self.introduce(session_present);
                if !session_present && self.due.is_none() {
                    self.due = self.resting.map(|intensity| Publish { intensity, last: true });
                }
            }
            Event::Lost { cause, retry_at } => {
                sign::show(Sign::Searching);
                let pause_ms = retry_at.since(now()).as_millis();
                match cause {
                    Cause::Server(reason) => {
                        say!("the broker ended the connection: {reason:?}; next attempt in {pause_ms} ms")
                    }
                    cause => say!("no connection: {cause}; next attempt in {pause_ms} ms"),
                }
            }
            Event::Refused { reason, retry_at, .. } => {
                sign::show(Sign::Searching);
                match retry_at {
                    Some(_) => say!("the broker refuses: {reason:?}; trying again in a minute"),
                    None => {
                        // Somebody uses our client identifier: whoever came last stays.
                        say!("the broker refuses for good: {reason:?}");
                        sign::show(Sign::Stuck);
                    }
                }
            }
            Event::Message(message) => self.heard(&message),
            Event::Acknowledged { token, reason } => {
                if reason.is_failure() {
                    say!("the broker does not take a message: {reason:?}");
                }
                self.unsure.take_if(|(unsure, _)| *unsure == token);
            }
            Event::Unsent(token) => {
                if let Some((_, intensity)) = self.unsure.take_if(|(unsure, _)| *unsure == token)
                    && self.due.is_none()
                {
                    self.due = Some(Publish { intensity, last: true });
                }
            }
            Event::Subscribed { answers, .. } => {
                for (_, reason) in answers.iter().filter(|(_, reason)| reason.is_failure()) {
                    say!("the broker does not let this lamp follow its light: {reason:?}");
                }
            }
            Event::Unsubscribed { .. } => {}
        }
    }

    /// The board says that it is there, and a lamp how Home Assistant can use it. A broker that goes on with the session
    /// has the latter, or gets it again by itself; the former its will may have overwritten.
    fn introduce(&mut self, session_present: bool) {
        self.publish(Message::retained(availability(&self.roles), topics::ONLINE, QoS::AtLeastOnce));
        if let Some(id) = self.roles.lamp().filter(|_| !session_present) {
            self.publish(discovery::announcement(id));
        }
    }

    fn heard(&mut self, message: &Message) {
        let topic = LightTopic::parse(&message.topic);
        if !matches!(&topic, Ok(LightTopic::Intensity(id)) if Some(id) == self.roles.lamp()) {
            return;
        }
        match Intensity::try_from(&*message.payload) {
            Ok(intensity) => {
                self.complained = false;
                self.lamp.shine(intensity);
            }
            // A light that nobody set, or whose value was cleared.
            Err(_) if message.payload.is_empty() => {}
            // The first of a row: saying each would take longer than receiving it.
            Err(error) if !self.complained => {
                self.complained = true;
                say!("ignored an intensity: {error}");
            }
            Err(_) => {}
        }
    }

    /// Only one value at a time is under way, and only while there is a connection: what is turned meanwhile replaces
    /// what waits, so that nothing piles up and the last value is always the last to be said.
    fn say_due(&mut self) {
        if !self.client.is_online() || self.unsure.is_some() {
            return;
        }
        let (Some(id), Some(Publish { intensity, last })) = (self.roles.dimmer(), self.due.take()) else {
            return;
        };
        let qos = if last { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        let topic = LightTopic::Intensity(id.clone()).name();
        let token = self.publish(Message::retained(topic, intensity.to_payload(), qos));
        self.unsure = token.map(|token| (token, intensity));
    }

    fn publish(&mut self, message: Message) -> Option<Token> {
        match self.client.publish(message, now()) {
            Ok(token) => token,
            Err(error) => {
                say!("not published: {error}");
                None
            }
        }
    }
}

fn options(settings: &Settings, seed: u64) -> Options {
    let mut options = Options::new(settings.version, settings.client_id.clone());
    options.session_expiry_s = SESSION_EXPIRY_S;
    options.keep_alive_s = settings.keep_alive_s;
    options.user_name = settings.user.clone();
    options.password = settings.password.clone();
    options.will = Some(Will {
        topic: availability(&settings.roles),
        payload: topics::OFFLINE.into(),
        qos: QoS::AtLeastOnce,
        retain: true,
        properties: WillProperties::default(),
    });
    options.retry = RETRY;
    options.packet_size_max = limits::PACKET;
    options.receive_maximum = limits::RECEIVE_MAXIMUM;
    options.in_flight_max = limits::IN_FLIGHT;
    options.queue_messages_max = limits::QUEUE_MESSAGES;
    options.queue_bytes_max = limits::QUEUE_BYTES;
    options.unfetched_bytes_max = limits::UNFETCHED;
    options.seed = seed;
    options
}

/// A light's availability belongs to its lamp; a board that is none has its own.
fn availability(roles: &Roles) -> TopicName {
    match roles {
        Roles::Lamp(lamp) | Roles::Both { lamp, .. } => LightTopic::Availability(lamp.clone()).name(),
        Roles::Dimmer(dimmer) => topics::dimmer_availability(dimmer),
    }
}
