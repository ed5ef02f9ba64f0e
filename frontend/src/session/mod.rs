//! Joins the lights to the broker: what the [`Home`] wants said goes to the MQTT [`Client`], what the client hears goes
//! to the home. Pure: the browser's part (sockets, timers, clocks) is played by whoever drives it.
//!
//! After every call, [`Session::poll`] until it gives nothing; [`Session::next_deadline`] says when to call
//! [`Session::tick`].
use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use luxwire_shared::{
    client::{self, Cause, Client, ConnectionState, Event, Message, Options, Token},
    model::{Home, Ticket, hue, topics},
    mqtt::{
        QoS, ReasonCode, Text, Version,
        set_at::{self, Asked},
    },
    time::{Instant, Timestamp},
};

mod hue_services;

use crate::components::Connection;
use hue_services::HueServices;

/// The page's session with one broker.
#[derive(Debug)]
pub(crate) struct Session {
    /// The lights.
    pub(crate) home: Home,
    /// Those who speak to Hue hubs, once somebody asked for them.
    pub(crate) hue: HueServices,
    client: Client,
    options: Options,
    /// What the client was given to send, and which wish of the home's that is.
    sent: BTreeMap<Token, Ticket>,
    /// The broker may be somebody's that speaks 3.1.1 only, and was not heard to accept anything newer.
    may_fall_back: bool,
    /// The transport of this attempt opened.
    opened: bool,
    /// An attempt has failed, or a connection was lost.
    failed: bool,
    /// What the broker said, in words, when it refused.
    refusal: String,
    /// When the values that the broker keeps will have come.
    complete_at: Option<Instant>,
    /// How far the broker's clock is ahead of ours, in milliseconds, if it says so and that is too much for chance.
    ahead_ms: i64,
}

/// What the driver is to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Open a WebSocket.
    Open,
    /// Send these bytes.
    Write(Bytes),
    /// Close it, and say nothing more about it.
    Close,
}

/// This moment, on both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The monotonic clock.
    pub(crate) now: Instant,
    /// The wall clock.
    pub(crate) at: Timestamp,
}

impl Session {
    /// A session that connects at once. `name` tells this page from every other, `seed` is any number.
    ///
    /// `may_fall_back`: a broker that does not understand MQTT 5 is tried with 3.1.1.
    pub(crate) fn new(name: &str, seed: u64, may_fall_back: bool, now: Instant) -> Self {
        let client_id = Text::try_from(name).expect("letters, digits and hyphens");
        let mut options =
            Options { seed, topic_aliases_max: TOPIC_ALIASES, ..Options::new(Version::V5, client_id) };
        // What comes without having been kept is set now.
        options.extras.connect.user_properties.push(set_at::request(Asked::Retained));
        Self {
            home: Home::new(),
            hue: HueServices::default(),
            client: follow_lights(options.clone(), now),
            options,
            sent: BTreeMap::new(),
            may_fall_back,
            opened: false,
            failed: false,
            refusal: String::new(),
            complete_at: None,
            ahead_ms: 0,
        }
    }
}

/// What the driver tells.
impl Session {
    /// The WebSocket is open.
    pub(crate) fn opened(&mut self, moment: Moment) {
        self.opened = true;
        self.client.transport_opened(moment.now);
        self.hear(moment);
    }

    /// It is closed, or could not be opened.
    pub(crate) fn closed(&mut self, moment: Moment) {
        self.client.transport_closed(moment.now);
        self.hear(moment);
    }

    /// Bytes came.
    pub(crate) fn received(&mut self, bytes: Bytes, moment: Moment) {
        self.client.receive(bytes, moment.now);
        self.hear(moment);
    }

    /// Time passes.
    pub(crate) fn tick(&mut self, moment: Moment) {
        self.client.tick(moment.now);
        self.home.tick(moment.now);
        self.hear(moment);
    }

    /// The network is back, or somebody looks at the page again: no reason to wait, or to trust an old connection.
    pub(crate) fn hurry(&mut self, now: Instant) {
        self.client.reconnect_now(now);
    }

    /// Somebody wants to see the Hue hubs: follows those who speak to them, from now on.
    pub(crate) fn follow_hue(&mut self, now: Instant) {
        let token = self.client.subscribe([hue::every_status()], now);
        self.hue.follow(token);
    }

    /// Asks the Hue service that was heard for something; without one, or without a connection, nobody hears it.
    pub(crate) fn ask_hue(&mut self, request: String, now: Instant) {
        let topic = self.hue.online().and_then(|(service, _)| hue::request(service));
        if let Some(topic) = topic {
            // The status tells what came of it.
            let _ = self.client.publish(Message::new(topic, request, QoS::AtLeastOnce), now);
        }
    }

    /// What is to be done next.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Action> {
        while let Some(wish) = self.home.poll_outgoing() {
            let message = Message::retained(wish.topic, wish.payload, wish.qos);
            match (self.client.publish(message, now), wish.ticket) {
                (Ok(Some(token)), Some(ticket)) => {
                    self.sent.insert(token, ticket);
                }
                (Err(error), Some(ticket)) => self.home.acknowledged(ticket, error.reason(), now),
                // Without a ticket it goes out now or never.
                (Ok(_) | Err(_), _) => {}
            }
        }
        Some(match self.client.poll_action()? {
            client::Action::Open => {
                self.opened = false;
                Action::Open
            }
            client::Action::Write(bytes) => Action::Write(bytes),
            client::Action::Close => Action::Close,
        })
    }

    /// When [`Session::tick`] has something to do, or the page something else to show.
    pub(crate) fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let countdown = match self.client.state() {
            ConnectionState::Waiting { until } => Some(next_whole_second(until, now)),
            ConnectionState::Connecting
            | ConnectionState::Online
            | ConnectionState::Refused { .. }
            | ConnectionState::Stopped => None,
        };
        let complete = self.complete_at.filter(|at| *at > now);
        let hue = self.hue.next_deadline(now);
        [self.client.next_deadline(), self.home.next_deadline(), countdown, complete, hue]
            .into_iter()
            .flatten()
            .min()
    }

    fn hear(&mut self, moment: Moment) {
        while let Some(event) = self.client.poll_event() {
            self.take(event, moment);
        }
    }

    fn take(&mut self, event: Event, Moment { now, at }: Moment) {
        match event {
            Event::Connected { session_present, properties } => {
                self.may_fall_back = false;
                let theirs = set_at::read(&properties.user_properties).unwrap_or(at);
                let ahead_ms = theirs.unix_millis() as i64 - at.unix_millis() as i64;
                self.ahead_ms = if ahead_ms.abs() > CLOCKS_DIFFER_MS { ahead_ms } else { 0 };
                self.home.connected(session_present, now);
                self.hue.turned();
            }
            Event::Subscribed { token, answers } if self.hue.is_asked_by(token) => {
                self.hue.answered(answers.iter().all(|(_, reason)| !reason.is_failure()), now);
            }
            Event::Subscribed { answers, .. } => {
                self.home.subscribed(now);
                self.complete_at = Some(now + QUIET);
                if let Some((_, reason)) = answers.iter().find(|(_, reason)| reason.is_failure()) {
                    self.refusal = format!("the broker does not show its lights ({})", words(*reason));
                }
            }
            Event::Message(message) if self.hue.hears(&message) => {}
            Event::Message(message) => {
                self.home.message(&message.topic, &message.payload, self.set_at(&message, at), now);
            }
            Event::Acknowledged { token, reason } => {
                if let Some(ticket) = self.sent.remove(&token) {
                    self.home.acknowledged(ticket, reason, now);
                }
            }
            Event::Unsent(token) => {
                if let Some(ticket) = self.sent.remove(&token) {
                    self.home.unsent(ticket, now);
                }
            }
            Event::Lost { cause, .. } => {
                self.disconnected();
                if self.is_about_version(cause) {
                    self.fall_back(now);
                }
            }
            Event::Refused { reason, explanation, .. } => {
                self.disconnected();
                if self.may_fall_back && reason == ReasonCode::UnsupportedProtocolVersion {
                    self.fall_back(now);
                }
                self.refusal = explanation.map_or_else(|| words(reason), |words| words.as_str().into());
            }
            Event::Unsubscribed { .. } => {}
        }
    }

    /// When a message's value was set, by our clock: as the broker says, or else just now, unless it was kept.
    fn set_at(&self, message: &Message, at: Timestamp) -> Option<Timestamp> {
        let properties = message.properties.as_deref();
        let told = properties.and_then(|properties| set_at::read(&properties.user_properties));
        let ours = |theirs: Timestamp| theirs.unix_millis().saturating_add_signed(-self.ahead_ms);
        told.map(|theirs| Timestamp::from_unix_millis(ours(theirs))).or((!message.retain).then_some(at))
    }

    fn disconnected(&mut self) {
        self.home.disconnected();
        self.hue.turned();
        self.complete_at = None;
        self.failed = true;
        self.refusal.clear();
    }

    /// Whether a broker that does not know MQTT 5 may have ended the connection like this. Some answer in their own
    /// version, which is no packet of 5.0; some close without a word.
    fn is_about_version(&self, cause: Cause) -> bool {
        let answered = match cause {
            Cause::Closed | Cause::Malformed(_) | Cause::Protocol(_) | Cause::Server(_) => self.opened,
            Cause::ConnectTimeout | Cause::KeepAlive => false,
        };
        self.may_fall_back && answered
    }

    /// Goes on with 3.1.1, for good.
    fn fall_back(&mut self, now: Instant) {
        self.may_fall_back = false;
        self.options.version = Version::V3_1_1;
        self.client = follow_lights(self.options.clone(), now);
        if self.hue.is_followed() {
            self.follow_hue(now);
        }
    }
}

/// What the page shows.
impl Session {
    /// Whether the broker has accepted the page.
    pub(crate) fn is_online(&self) -> bool {
        self.client.is_online()
    }

    /// Whether a light that is not known by now does not exist.
    pub(crate) fn is_complete(&self, now: Instant) -> bool {
        self.complete_at.is_some_and(|at| now >= at)
    }

    /// How the connection stands.
    pub(crate) fn connection(&self, now: Instant) -> Connection {
        match self.client.state() {
            ConnectionState::Online if !self.refusal.is_empty() => Connection::Refused(self.refusal.clone()),
            ConnectionState::Online => Connection::Online,
            ConnectionState::Connecting if !self.failed => Connection::Connecting,
            ConnectionState::Connecting => Connection::Reconnecting(0),
            ConnectionState::Waiting { until } => Connection::Reconnecting(seconds_left(until, now)),
            ConnectionState::Refused { .. } | ConnectionState::Stopped => {
                Connection::Refused(self.refusal.clone())
            }
        }
    }
}

/// As many lights as a hand and an eye are busy with; a topic's name is most of what a message of a light weighs.
const TOPIC_ALIASES: u16 = 32;

/// Clocks that differ by less are the same: so long may a CONNACK be on its way.
const CLOCKS_DIFFER_MS: i64 = 2_000;

/// The broker sends what it keeps right after it grants a subscription. Only how soon the page says that there is
/// nothing depends on this.
const QUIET: Duration = Duration::from_millis(400);

fn follow_lights(options: Options, now: Instant) -> Client {
    let mut client = Client::new(options, now);
    client.subscribe(topics::every_light(), now);
    client
}

/// How many seconds are left until then, the last one counting down to 1 and never showing 0.
fn seconds_left(until: Instant, now: Instant) -> u64 {
    let left = until.since(now);
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

/// When [`seconds_left`] says something else.
fn next_whole_second(until: Instant, now: Instant) -> Instant {
    match until.since(now).subsec_micros() {
        0 => now + Duration::from_secs(1),
        micros => now + Duration::from_micros(micros.into()),
    }
}

/// Why a broker refuses, for people.
fn words(reason: ReasonCode) -> String {
    match reason {
        ReasonCode::NotAuthorized | ReasonCode::BadUserNameOrPassword => {
            "this page is not authorized to use this broker".into()
        }
        ReasonCode::UnsupportedProtocolVersion => "the broker speaks neither MQTT 5 nor 3.1.1".into(),
        ReasonCode::ClientIdentifierNotValid => "the broker does not accept this page’s name".into(),
        ReasonCode::Banned => "the broker has shut this page out".into(),
        ReasonCode::SessionTakenOver => "another page took this one’s place".into(),
        other => format!("the broker said “{other:?}”"),
    }
}

#[cfg(test)]
mod tests;
