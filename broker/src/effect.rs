//! Everything that the broker wants done.

use crate::{AliasesAllowed, ClientId, LinkId, Message, Passing};
use alloc::{rc::Rc, vec::Vec};
use bytes::Bytes;
use luxwire_shared::{
    mqtt::{
        Acknowledge, AcknowledgeKind, DecodeError, Delivery, Packet, PacketId, PublishRef, PublishTopic, QoS,
        ReasonCode, SubscriptionId, Text, Version,
    },
    time::Timestamp,
};

/// Where effects go as they arise, in order. A list takes them all; an edge that acts at once need not build what it only
/// writes.
///
/// Whatever an effect leads to must not come back to the broker before `handle` has returned.
pub trait Effects {
    /// One more.
    fn push(&mut self, effect: Effect);

    /// [`Effect::Send`].
    #[inline]
    fn send(&mut self, link: LinkId, packet: Packet) {
        self.push(Effect::Send { link, packet });
    }

    /// [`Effect::Send`] of an acknowledgement that says no more than that all went well.
    #[inline]
    fn acknowledge(&mut self, link: LinkId, kind: AcknowledgeKind, id: PacketId) {
        self.send(link, kind.packet(Acknowledge::success(id)));
    }

    /// [`Effect::Deliver`], of a message that lies where it was read: it is gone when this returns.
    #[inline]
    fn deliver(&mut self, delivered: &DeliveredRef<'_>) {
        self.push(Effect::Deliver(delivered.keep()));
    }
}

impl Effects for Vec<Effect> {
    fn push(&mut self, effect: Effect) {
        self.push(effect);
    }
}

/// What the broker asks of the edge, in order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Write this packet in the version that the link's CONNECT named; in that of 3.1.1 if it named none.
    Send {
        /// To where.
        link: LinkId,
        /// What; never a PUBLISH, which is [`Effect::Deliver`].
        packet: Packet,
    },
    /// Write a PUBLISH. At QoS 0 the edge may drop it when the link's output is full, and counts it.
    Deliver(Delivered),
    /// CONNECT names a user: say [`crate::Input::PasswordChecked`] when it is known whether the password is right. Until
    /// then hand over nothing that this link says: it may be any length of time away, and clients need not wait for it.
    CheckPassword {
        /// Which link.
        link: LinkId,
        /// Who it says it is.
        user: Text,
        /// What it says to show that; `None` is not the empty password.
        password: Option<Bytes>,
    },
    /// Say [`crate::Input::Drained`] once everything sent to this link so far has left the buffer.
    AwaitDrain {
        /// Which.
        link: LinkId,
    },
    /// Write what is buffered for this link, then close it, and read nothing more from it.
    Close {
        /// Which.
        link: LinkId,
        /// For the log.
        reason: CloseReason,
    },
    /// Something that an operator may want to know. The broker itself does not log.
    Report(Report),
}

/// One message for one link: what is shared by all receivers, and what is this one's own.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// To where.
    pub link: LinkId,
    /// Topic, payload and properties, shared.
    pub message: Rc<Message>,
    /// Quality, identifier and DUP.
    pub delivery: Delivery,
    /// The RETAIN flag.
    pub retain: bool,
    /// The seconds that are left of the message's life. [MQTT-3.3.2-6]
    pub message_expiry_interval_s: Option<u32>,
    /// The receiver's subscriptions that match. [MQTT-3.3.4-4]
    pub subscription_ids: Vec<SubscriptionId>,
    /// When the message came, if the receiver asked to be told.
    pub set_at: Option<Timestamp>,
}

/// The same as [`Delivered`], borrowed.
#[derive(Clone, Copy, Debug)]
pub struct DeliveredRef<'a> {
    /// To where.
    pub link: LinkId,
    /// Topic, payload and properties, shared.
    pub message: &'a Passing<'a>,
    /// Quality, identifier and DUP.
    pub delivery: Delivery,
    /// The RETAIN flag.
    pub retain: bool,
    /// The seconds that are left of the message's life. [MQTT-3.3.2-6]
    pub message_expiry_interval_s: Option<u32>,
    /// The receiver's subscriptions that match. [MQTT-3.3.4-4]
    pub subscription_ids: &'a [SubscriptionId],
    /// When the message came, if the receiver asked to be told.
    pub set_at: Option<Timestamp>,
}

impl Delivered {
    /// See [`DeliveredRef::packet`].
    pub fn packet(&self) -> PublishRef<'_> {
        PublishRef {
            delivery: self.delivery,
            retain: self.retain,
            topic: PublishTopic::Name(self.message.topic()),
            properties: self.message.properties.as_deref(),
            message_expiry_interval_s: self.message_expiry_interval_s,
            subscription_ids: &self.subscription_ids,
            set_at: self.set_at,
            payload: self.message.payload(),
        }
    }
}

impl Delivered {
    /// The same, borrowed; `message` is its message.
    pub fn borrowed<'a>(&'a self, message: &'a Passing<'a>) -> DeliveredRef<'a> {
        DeliveredRef {
            link: self.link,
            message,
            delivery: self.delivery,
            retain: self.retain,
            message_expiry_interval_s: self.message_expiry_interval_s,
            subscription_ids: &self.subscription_ids,
            set_at: self.set_at,
        }
    }
}

impl DeliveredRef<'_> {
    /// The packet to write; [`crate::OutgoingAliases::shorten`] may make it shorter.
    #[inline]
    pub fn packet(&self) -> PublishRef<'_> {
        let message = self.message.message();
        PublishRef {
            delivery: self.delivery,
            retain: self.retain,
            topic: PublishTopic::Name(message.topic),
            properties: message.properties,
            message_expiry_interval_s: self.message_expiry_interval_s,
            subscription_ids: self.subscription_ids,
            set_at: self.set_at,
            payload: message.payload,
        }
    }

    /// The same for whoever keeps it.
    pub fn keep(&self) -> Delivered {
        Delivered {
            link: self.link,
            message: Rc::clone(self.message.keep()),
            delivery: self.delivery,
            retain: self.retain,
            message_expiry_interval_s: self.message_expiry_interval_s,
            subscription_ids: self.subscription_ids.to_vec(),
            set_at: self.set_at,
        }
    }
}

/// Why a link is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The client said DISCONNECT.
    Disconnected(ReasonCode),
    /// CONNECT was refused.
    Refused(ReasonCode),
    /// The bytes are no packet.
    Malformed(DecodeError),
    /// A packet that must not come here or now.
    ProtocolError,
    /// CONNECT did not come in time.
    ConnectTimeout,
    /// Nothing came for one and a half keep alive intervals. [MQTT-3.1.2-22]
    KeepAliveTimeout,
    /// The same client identifier connected again. [MQTT-3.1.4-3]
    TakenOver,
    /// A limit was passed, or something was used that CONNACK said is not available.
    Limit(ReasonCode),
    /// The program stops.
    Stopping,
}

/// A fact for the log and the statistics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// CONNECT was accepted.
    Connected {
        /// Which link.
        link: LinkId,
        /// Who.
        client_id: ClientId,
        /// How it speaks.
        version: Version,
        /// Whether a session was resumed.
        session_present: bool,
        /// What [`crate::OutgoingAliases`] to make for whoever writes to this link.
        aliases: AliasesAllowed,
    },
    /// A message did not reach a session.
    Dropped {
        /// Whose.
        client_id: ClientId,
        /// At which quality it would have been delivered.
        qos: QoS,
        /// Why.
        why: Dropped,
    },
    /// A message was not taken from its publisher, who is told so where the protocol has a way.
    PublishRefused {
        /// Which link it came over; `None` for a will.
        link: Option<LinkId>,
        /// Whose.
        client_id: ClientId,
        /// Why.
        reason: ReasonCode,
    },
    /// A session ended: its time ran out, or a clean start replaced it.
    SessionEnded {
        /// Whose.
        client_id: ClientId,
    },
}

/// Why a message did not reach a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// The session's queue is full.
    QueueFull,
    /// The message's life ended before it could be sent. [MQTT-3.3.2-5]
    Expired,
    /// The packet would be larger than the client takes. [MQTT-3.1.2-25]
    TooLarge,
}
