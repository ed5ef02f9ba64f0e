//! The fifteen packets, each with its bytes in the file that bears its name.
//!
//! [`Packet::decode`] and [`Packet::encode`] hold what all packets have in common.

mod acknowledge;
mod auth;
mod connack;
mod connect;
mod disconnect;
pub(crate) mod plain_acknowledge;
mod plain_publish;
mod publish;
pub mod set_at;
mod subscribe;

pub use acknowledge::{Acknowledge, AcknowledgeProperties};
pub use auth::{Auth, AuthProperties};
pub use connack::{Connack, ConnackProperties};
pub use connect::{Connect, ConnectProperties, Will, WillProperties};
pub use disconnect::{Disconnect, DisconnectProperties};
pub use plain_acknowledge::AcknowledgeKind;
pub(crate) use plain_publish::PlainPublish;
pub use publish::{Publish, PublishProperties, PublishRef, PublishTopic, TopicAlias};
pub use subscribe::{
    RetainHandling, Suback, Subscribe, SubscribeFilter, SubscriptionId, Unsuback, Unsubscribe,
};

use crate::mqtt::{
    DecodeError, EncodeError, Frame, PacketType, Text, Version,
    reader::Reader,
    sink::{self, Layout, Sink},
};
use acknowledge::Step;
use alloc::{boxed::Box, vec::Vec};
use bytes::BytesMut;

/// Name and value pairs that the application chose; order and duplicates are kept. [MQTT-3.3.2-18]
pub type UserProperties = Vec<(Text, Text)>;

/// One MQTT control packet of any version.
///
/// The tag fills a word, so that a packet is moved in whole words as it was written; a tag that shares its word with
/// other fields made decoding a PUBLISH a fifth slower.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Packet {
    /// 1: the client introduces itself.
    Connect(Box<Connect>),
    /// 2: the server accepts or refuses.
    Connack(Box<Connack>),
    /// 3: a message.
    Publish(Publish),
    /// 4: a QoS 1 message arrived.
    Puback(Acknowledge),
    /// 5: a QoS 2 message arrived.
    Pubrec(Acknowledge),
    /// 6: its sender lets go of it.
    Pubrel(Acknowledge),
    /// 7: its receiver lets go of it.
    Pubcomp(Acknowledge),
    /// 8: the client asks for messages.
    Subscribe(Subscribe),
    /// 9: the server answers filter by filter.
    Suback(Suback),
    /// 10: the client wants no more.
    Unsubscribe(Unsubscribe),
    /// 11: the server answers filter by filter.
    Unsuback(Unsuback),
    /// 12: is anybody there?
    Pingreq,
    /// 13: yes.
    Pingresp,
    /// 14: the connection ends in order.
    Disconnect(Disconnect),
    /// 15: a step of an authentication; 5.0 only.
    Auth(Auth),
}

/// What the application said of the payload's form. Property 0x01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PayloadFormat {
    /// Bytes of any kind.
    Bytes = 0,
    /// UTF-8 text.
    Text = 1,
}

impl Packet {
    /// Reads a packet as `version` writes it; a CONNECT names its version itself. Accepts packets of both directions.
    ///
    /// Nothing is copied: strings and payloads share the frame's buffer, and keep it alive.
    #[inline]
    pub fn decode(frame: Frame, version: Version) -> Result<Self, DecodeError> {
        let (packet_type, flags) = (frame.packet_type(), frame.flags());
        if packet_type.reserved_flags().is_some_and(|reserved| flags != reserved)
            && !is_repetition(packet_type, flags, version)
        {
            return Err(DecodeError::Flags); // [MQTT-2.1.3-1], 3.1.1: [MQTT-2.2.2-2]
        }
        let overlong = frame.overlong();
        let reader = Reader::new(frame.into_body());
        let packet = match packet_type {
            PacketType::Connect => Self::Connect(Box::new(Connect::read(reader)?)),
            PacketType::Connack => Self::Connack(Box::new(Connack::read(reader, version)?)),
            PacketType::Publish => Self::Publish(Publish::read(flags, reader, version)?),
            PacketType::Puback => Self::Puback(Acknowledge::read(reader, version, Step::Receipt)?),
            PacketType::Pubrec => Self::Pubrec(Acknowledge::read(reader, version, Step::Receipt)?),
            PacketType::Pubrel => Self::Pubrel(Acknowledge::read(reader, version, Step::Release)?),
            PacketType::Pubcomp => Self::Pubcomp(Acknowledge::read(reader, version, Step::Release)?),
            PacketType::Subscribe => Self::Subscribe(Subscribe::read(reader, version)?),
            PacketType::Suback => Self::Suback(Suback::read(reader, version)?),
            PacketType::Unsubscribe => Self::Unsubscribe(Unsubscribe::read(reader, version)?),
            PacketType::Unsuback => Self::Unsuback(Unsuback::read(reader, version)?),
            PacketType::Pingreq => reader.finish().map(|()| Self::Pingreq)?,
            PacketType::Pingresp => reader.finish().map(|()| Self::Pingresp)?,
            PacketType::Disconnect => Self::Disconnect(Disconnect::read(reader, version)?),
            PacketType::Auth if version.has_properties() => Self::Auth(Auth::read(reader)?),
            PacketType::Auth => return Err(DecodeError::PacketType),
        };
        if overlong && packet.version_or(version).has_properties() {
            return Err(DecodeError::VariableByteInteger); // [MQTT-1.5.5-1], a rule of 5.0 alone
        }
        Ok(packet)
    }

    /// The version that a CONNECT names, for every other packet that of its connection.
    fn version_or(&self, version: Version) -> Version {
        if let Self::Connect(connect) = self { connect.version } else { version }
    }

    /// Appends the packet to `out` as `version` writes it; a CONNECT names its version itself. Leaves `out` as it is on
    /// an error.
    ///
    /// Before 5.0 properties are left out, CONNACK and SUBACK say the nearest of the old codes, and UNSUBACK none.
    #[inline]
    pub fn encode(&self, version: Version, out: &mut BytesMut) -> Result<(), EncodeError> {
        match self {
            Self::Publish(publish) => publish.encode(version, out),
            other if plain_acknowledge::encode(other, out) => Ok(()),
            other => sink::encode(other.packet_type().first_byte(), other, version, out),
        }
    }

    /// How many bytes [`Packet::encode`] appends.
    pub fn encoded_len(&self, version: Version) -> Result<usize, EncodeError> {
        sink::encoded_len(self, version)
    }

    /// Which of the fifteen it is.
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::Connack(_) => PacketType::Connack,
            Self::Publish(_) => PacketType::Publish,
            Self::Puback(_) => PacketType::Puback,
            Self::Pubrec(_) => PacketType::Pubrec,
            Self::Pubrel(_) => PacketType::Pubrel,
            Self::Pubcomp(_) => PacketType::Pubcomp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::Suback(_) => PacketType::Suback,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::Unsuback(_) => PacketType::Unsuback,
            Self::Pingreq => PacketType::Pingreq,
            Self::Pingresp => PacketType::Pingresp,
            Self::Disconnect(_) => PacketType::Disconnect,
            Self::Auth(_) => PacketType::Auth,
        }
    }
}

impl Layout for Packet {
    fn write(&self, version: Version, sink: &mut impl Sink) -> Result<(), EncodeError> {
        match self {
            Self::Connect(connect) => connect.write(sink),
            Self::Connack(connack) => connack.write(version, sink),
            Self::Publish(publish) => publish.as_parts().write(version, sink),
            Self::Puback(ack) | Self::Pubrec(ack) => ack.write(version, Step::Receipt, sink),
            Self::Pubrel(ack) | Self::Pubcomp(ack) => ack.write(version, Step::Release, sink),
            Self::Subscribe(subscribe) => subscribe.write(version, sink),
            Self::Suback(suback) => suback.write(version, sink),
            Self::Unsubscribe(unsubscribe) => unsubscribe.write(version, sink),
            Self::Unsuback(unsuback) => unsuback.write(version, sink),
            Self::Pingreq | Self::Pingresp => Ok(()),
            Self::Disconnect(disconnect) => disconnect.write(version, sink),
            Self::Auth(auth) if version.has_properties() => auth.write(sink),
            Self::Auth(_) => Err(EncodeError::NotInThisVersion),
        }
    }
}

/// Whether these flags say that a packet is sent again, in a version that has DUP there.
fn is_repetition(packet_type: PacketType, flags: u8, version: Version) -> bool {
    const DUP: u8 = 0b1000;
    let may_repeat =
        matches!(packet_type, PacketType::Pubrel | PacketType::Subscribe | PacketType::Unsubscribe);
    version.has_dup_beyond_publish() && may_repeat && packet_type.reserved_flags() == Some(flags & !DUP)
}
