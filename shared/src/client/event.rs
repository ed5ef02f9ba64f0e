//! What a client says to its driver and to its application.

use crate::{
    mqtt::{
        ConnackProperties, DecodeError, Delivery, PacketId, PublishProperties, PublishRef, PublishTopic, QoS,
        ReasonCode, Subscribable, Text, TopicName,
    },
    time::Instant,
};
use alloc::{boxed::Box, vec::Vec};
use bytes::Bytes;
use core::fmt;

/// What the driver is to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open a transport, and say `transport_opened` or `transport_closed`.
    Open,
    /// Write these bytes to it.
    Write(Bytes),
    /// Close it once everything is written, and say nothing more about it.
    Close,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The server accepted.
    Connected {
        /// The server goes on with the session of an earlier connection: nothing was lost, and kept values do not come
        /// again.
        session_present: bool,
        /// What the server says of itself; empty before 5.0.
        properties: Box<ConnackProperties>,
    },
    /// The server refused for a reason that will not mend itself, or another client took the session over.
    Refused {
        /// Why.
        reason: ReasonCode,
        /// The server's words for people.
        explanation: Option<Text>,
        /// When it is tried again nevertheless.
        retry_at: Option<Instant>,
    },
    /// The connection is lost, or could not be made.
    Lost {
        /// How.
        cause: Cause,
        /// When the next attempt begins.
        retry_at: Instant,
    },
    /// A message came. At QoS 2 it comes once, at QoS 1 it may come again.
    Message(Message),
    /// The server answered a publication to the end. A failure code means that it refused it.
    Acknowledged {
        /// Which publication.
        token: Token,
        /// How it went.
        reason: ReasonCode,
    },
    /// The session ended before the server answered: said as soon as that is known, which may be when the connection is
    /// lost or when the next server does not know the session. The publication may have arrived or not, and it will not
    /// be sent again: the application knows whether it still matters, and whether twice would do harm.
    Unsent(Token),
    /// The server answered a subscription; again after each connection that found no session.
    Subscribed {
        /// Which subscription.
        token: Token,
        /// Filter by filter, the granted quality or why not. Filters that were replaced or given up meanwhile are not
        /// repeated.
        answers: Vec<(Subscribable, ReasonCode)>,
    },
    /// The server answered an unsubscription.
    Unsubscribed {
        /// Which unsubscription.
        token: Token,
        /// Filter by filter; before 5.0 always `Success`.
        answers: Vec<(Subscribable, ReasonCode)>,
    },
}

/// How a connection was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The transport was closed, or did not open.
    Closed,
    /// Opening the transport or waiting for CONNACK took too long.
    ConnectTimeout,
    /// Nothing came for one and a half keep alive intervals.
    KeepAlive,
    /// The server ended it, or refused it for now.
    Server(ReasonCode),
    /// The server sent what is no packet.
    Malformed(DecodeError),
    /// The server sent a packet that must not come here.
    Protocol(ReasonCode),
}

/// Names one publication, subscription or unsubscription of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub(super) u64);

/// An application's message, in either direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where it is published.
    pub topic: TopicName,
    /// What; an empty payload with `retain` clears the topic's value. One that came shares the buffer that was read:
    /// copy what is kept for long.
    pub payload: Bytes,
    /// At which quality.
    pub qos: QoS,
    /// On its way out: keep this as the topic's value. On its way in: this was kept.
    pub retain: bool,
    /// The number that the server delivered it under, which says nothing once it was acknowledged; none on its way out.
    pub id: Option<PacketId>,
    /// The server may have delivered it before, on an earlier connection; never on its way out.
    pub dup: bool,
    /// 5.0 only.
    pub properties: Option<Box<PublishProperties>>,
}

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishError {
    /// QoS 0 is now or never, and there is no connection; or the client was stopped.
    NotConnected,
    /// As much waits as may wait.
    Full,
    /// Larger than the server takes, or than any packet.
    TooLarge,
    /// Above the highest quality that the server offers.
    QoSNotSupported,
    /// The server keeps no values.
    RetainNotSupported,
}

/// Where a client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// It opens a transport, or waits for the server's answer.
    Connecting,
    /// The server accepted it.
    Online,
    /// The connection is lost, and the next attempt has a time.
    Waiting {
        /// When.
        until: Instant,
    },
    /// The server refused it.
    Refused {
        /// Why.
        reason: ReasonCode,
        /// When it is tried again nevertheless.
        retry_at: Option<Instant>,
    },
    /// The application ended it.
    Stopped,
}

impl Token {
    /// A number that no other token of the same client has.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl Message {
    /// A message without properties that is not retained.
    pub fn new(topic: TopicName, payload: impl Into<Bytes>, qos: QoS) -> Self {
        Self { topic, payload: payload.into(), qos, retain: false, id: None, dup: false, properties: None }
    }

    /// A message that becomes its topic's value.
    pub fn retained(topic: TopicName, payload: impl Into<Bytes>, qos: QoS) -> Self {
        Self { retain: true, ..Self::new(topic, payload, qos) }
    }

    /// As it goes out: without subscription identifiers, which only servers send. [MQTT-3.3.4-6]
    pub(super) fn parts(&self, delivery: Delivery) -> PublishRef<'_> {
        let properties = self.properties.as_deref();
        PublishRef {
            delivery,
            retain: self.retain,
            topic: PublishTopic::Name(self.topic.borrowed()),
            properties,
            message_expiry_interval_s: properties.and_then(|properties| properties.message_expiry_interval_s),
            subscription_ids: &[],
            set_at: None,
            payload: &self.payload,
        }
    }

    /// What it costs to keep, roughly.
    pub(super) fn len(&self) -> usize {
        self.topic.len() + self.payload.len()
    }
}

impl PublishError {
    /// The same in the server's words, as [`Event::Acknowledged`] would say it.
    pub const fn reason(self) -> ReasonCode {
        match self {
            Self::NotConnected => ReasonCode::Unspecified,
            Self::Full => ReasonCode::QuotaExceeded,
            Self::TooLarge => ReasonCode::PacketTooLarge,
            Self::QoSNotSupported => ReasonCode::QoSNotSupported,
            Self::RetainNotSupported => ReasonCode::RetainNotSupported,
        }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "there is no connection",
            Self::Full => "too many messages wait already",
            Self::TooLarge => "the message is larger than the server takes",
            Self::QoSNotSupported => "the server does not offer this quality of service",
            Self::RetainNotSupported => "the server keeps no retained messages",
        })
    }
}

impl core::error::Error for PublishError {}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the connection was closed"),
            Self::ConnectTimeout => f.write_str("the server did not answer in time"),
            Self::KeepAlive => f.write_str("the server fell silent"),
            Self::Server(reason) => write!(f, "the server ended it: {reason:?}"),
            Self::Malformed(error) => write!(f, "the server sent what is no packet: {error}"),
            Self::Protocol(reason) => write!(f, "the server broke the protocol: {reason:?}"),
        }
    }
}
