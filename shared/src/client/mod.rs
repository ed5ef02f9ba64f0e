//! An MQTT client that does no I/O: bytes and time go in, bytes and events come out.
//!
//! The page, the devices and the tests drive the same client, over WebSocket, TCP or nothing at all. It connects, keeps
//! the connection alive, comes back after it was lost, follows what the application follows, and takes each message as
//! far as its quality of service promises. It does not open sockets, read clocks, store sessions on disk or do extended
//! authentication.
//!
//! The driver's part:
//!
//! 1. Fetch [`Client::poll_action`] until it is empty, after every call and at the start, and do what it says.
//! 2. After [`Action::Open`], say [`Client::transport_opened`] or [`Client::transport_closed`], once. Hand over what is
//!    read with [`Client::receive`], however it is cut. Say [`Client::transport_closed`] when the other side closes.
//! 3. After [`Action::Close`], write what was handed over before it, close, and say nothing more about that transport.
//! 4. Call [`Client::tick`] at [`Client::next_deadline`]; a late call does no harm.
//! 5. Fetch [`Client::poll_event`] until it is empty, after every call.
//!
//! ```text
//!            Open              transport_opened          CONNACK
//!  Waiting ────────► Opening ───────────────────► Greeting ──────► Online
//!     ▲                 │ closed, too late            │               │
//!     └─────────────────┴─────────────────────────────┴───────────────┘ closed, silent, broken
//!  Refused ◄──────────────────────────────────────────┴───────────────┘ refused for good, taken over
//!  Stopped ◄── disconnect, from anywhere
//! ```

mod aliases;
mod backoff;
mod connection;
mod event;
mod keep_alive;
mod options;
mod outbox;
mod receive;
mod subscriptions;
mod wire;

pub use event::{Action, Cause, ConnectionState, Event, Message, PublishError, Token};
pub use options::{Acknowledges, Extras, Options, Retry};

use crate::{
    client::{
        aliases::Aliases, backoff::Backoff, keep_alive::KeepAlive, outbox::Outbox,
        subscriptions::Subscriptions, wire::Wire,
    },
    mqtt::{
        Delivery, Framer, PublishRef, QoS, ReasonCode, Subscribable, SubscribeFilter, Text, flow::Incoming,
    },
    time::Instant,
};
use alloc::{collections::VecDeque, vec::Vec};

/// One client with one session.
#[derive(Debug)]
pub struct Client {
    options: Options,
    /// What the options say, or what the server assigned.
    client_id: Text,
    link: Link,
    wire: Wire,
    framer: Framer,
    aliases: Aliases,
    backoff: Backoff,
    /// Whether an earlier connection left a session that may still be there.
    session: Session,
    outbox: Outbox,
    incoming: Incoming,
    subscriptions: Subscriptions,
    events: VecDeque<Event>,
    tokens: u64,
}

#[derive(Clone, Copy, Debug)]
enum Link {
    Waiting { until: Instant },
    Opening { deadline: Instant },
    Greeting { deadline: Instant },
    Online { since: Instant, keep_alive: KeepAlive },
    Refused { reason: ReasonCode, retry_at: Option<Instant> },
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Session {
    /// No server accepted this client yet.
    NotBegun,
    /// The last connection's session may still be there.
    Kept,
    /// The last connection's session ended with it.
    Ended,
}

impl Client {
    /// A client that wants to connect at once.
    pub fn new(options: Options, now: Instant) -> Self {
        let mut client = Self {
            client_id: options.client_id.clone(),
            link: Link::Waiting { until: now },
            wire: Wire::new(options.version, now),
            framer: Framer::new(options.packet_size_max),
            aliases: Aliases::default(),
            backoff: Backoff::new(options.retry, options.seed),
            session: Session::NotBegun,
            outbox: Outbox::new(&options),
            incoming: Incoming::default(),
            subscriptions: Subscriptions::new(&options.extras),
            events: VecDeque::new(),
            tokens: 0,
            options,
        };
        client.open(now);
        client
    }

    /// Publishes a message.
    ///
    /// QoS 0 goes out now or never. QoS 1 and 2 are taken also while there is no connection, up to the bounds of the
    /// options, and the token comes back once: in [`Event::Acknowledged`] or in [`Event::Unsent`].
    pub fn publish(&mut self, message: Message, now: Instant) -> Result<Option<Token>, PublishError> {
        if let Link::Stopped = self.link {
            return Err(PublishError::NotConnected);
        }
        if self.is_online() {
            self.outbox.check(&message, &self.wire)?;
        }
        if message.qos == QoS::AtMostOnce {
            return self.publish_now(&message, now).map(|()| None);
        }
        let token = self.token();
        self.outbox.put(token, message, &self.options)?;
        self.flush(now);
        Ok(Some(token))
    }

    /// Follows these filters, at once or as soon as there is a connection, and again after each connection that found no
    /// session. A filter that is followed already is replaced.
    pub fn subscribe(&mut self, filters: impl IntoIterator<Item = SubscribeFilter>, now: Instant) -> Token {
        let token = self.token();
        self.subscriptions.follow(token, filters.into_iter().collect());
        self.flush(now);
        token
    }

    /// Follows these filters no more.
    pub fn unsubscribe(&mut self, filters: impl IntoIterator<Item = Subscribable>, now: Instant) -> Token {
        let token = self.token();
        self.subscriptions.leave(token, filters.into_iter().collect::<Vec<_>>());
        self.flush(now);
        token
    }

    /// What the driver is to do next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.wire.poll()
    }

    /// What happened next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Client::tick`] has something to do next.
    pub fn next_deadline(&self) -> Option<Instant> {
        match self.link {
            Link::Waiting { until } => Some(until),
            Link::Opening { deadline } | Link::Greeting { deadline } => Some(deadline),
            Link::Online { keep_alive, .. } => keep_alive.deadline(self.wire.last_write),
            Link::Refused { retry_at, .. } => retry_at,
            Link::Stopped => None,
        }
    }

    /// Where the client stands.
    pub fn state(&self) -> ConnectionState {
        match self.link {
            Link::Waiting { until } => ConnectionState::Waiting { until },
            Link::Opening { .. } | Link::Greeting { .. } => ConnectionState::Connecting,
            Link::Online { .. } => ConnectionState::Online,
            Link::Refused { reason, retry_at } => ConnectionState::Refused { reason, retry_at },
            Link::Stopped => ConnectionState::Stopped,
        }
    }

    /// Whether the server accepted the connection, and it still stands.
    pub fn is_online(&self) -> bool {
        matches!(self.link, Link::Online { .. })
    }

    /// What identifies the client: the option, or what the server assigned instead of an empty one.
    pub fn client_id(&self) -> &Text {
        &self.client_id
    }

    fn publish_now(&mut self, message: &Message, now: Instant) -> Result<(), PublishError> {
        if !self.is_online() {
            return Err(PublishError::NotConnected);
        }
        if self.wire.unfetched_len() > self.options.unfetched_bytes_max {
            return Err(PublishError::Full);
        }
        // [MQTT-4.3.1-1] [MQTT-3.3.1-2]
        let plain = message.parts(Delivery::AtMostOnce);
        let topic = self.aliases.shorten(&message.topic);
        if self.wire.publish(PublishRef { topic, ..plain }, now).is_ok() {
            self.aliases.written(topic);
            return Ok(());
        }
        // Introducing a number makes a packet longer, perhaps too long.
        self.wire.publish(plain, now).map_err(|_| PublishError::TooLarge)
    }

    /// Sends what waited for the connection or for room.
    fn flush(&mut self, now: Instant) {
        if self.is_online() {
            self.subscriptions.flush(&mut self.wire, &mut self.outbox, &mut self.events, now);
            self.outbox.flush(&mut self.wire, &mut self.events, now);
        }
    }

    fn token(&mut self) -> Token {
        self.tokens += 1;
        Token(self.tokens)
    }
}
