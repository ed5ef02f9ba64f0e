//! The commonest packet by the shortest way: a PUBLISH without properties whose topic name is ASCII.
//!
//! Everything here could be left out and the codec would do the same, at half the speed. Whatever is not plain, or not
//! valid, is left to [`Publish`], which alone says what is wrong.

use crate::mqtt::{
    Delivery, EncodeError, PacketId, PacketType, Publish, PublishRef, PublishTopic, QoS, TopicName, TopicRef,
    Version,
    packet::publish::flag,
    sink::{Sink, short_enough},
};
use bytes::{Buf, Bytes, BytesMut};

/// Where the parts of a plain PUBLISH are.
pub(crate) struct PlainPublish {
    delivery: Delivery,
    retain: bool,
    name_len: usize,
    id_and_properties_len: usize,
    payload_len: usize,
}

impl PlainPublish {
    /// Finds the parts in a body, if that is plain and valid.
    #[inline]
    pub(crate) fn find(flags: u8, body: &[u8], version: Version) -> Option<Self> {
        let dup = flags & flag::DUP != 0;
        let (&name_len, rest) = body.split_first_chunk()?;
        let name_len = usize::from(u16::from_be_bytes(name_len));
        let (name, rest) = rest.split_at_checked(name_len)?;
        let (delivery, id_len) = match QoS::from_number((flags & flag::QOS) >> flag::QOS_SHIFT)? {
            QoS::AtMostOnce if dup => return None,
            QoS::AtMostOnce => (Delivery::AtMostOnce, 0),
            QoS::AtLeastOnce => (Delivery::AtLeastOnce { id: first_id(rest)?, dup }, 2),
            QoS::ExactlyOnce => (Delivery::ExactlyOnce { id: first_id(rest)?, dup }, 2),
        };
        let properties_len = usize::from(version.has_properties());
        if version.has_properties() && rest.get(id_len) != Some(&0) {
            return None;
        }
        let id_and_properties_len = id_len + properties_len;
        TopicName::is_plain(name).then_some(Self {
            delivery,
            retain: flags & flag::RETAIN != 0,
            name_len,
            id_and_properties_len,
            payload_len: rest.len() - id_and_properties_len,
        })
    }

    /// The packet where it lies: in the body that the parts were found in.
    #[inline]
    pub(crate) fn borrow(self, body: &[u8]) -> PublishRef<'_> {
        let name_end = 2 + self.name_len;
        let payload_at = name_end + self.id_and_properties_len;
        PublishRef {
            delivery: self.delivery,
            retain: self.retain,
            topic: PublishTopic::Name(TopicRef::from_valid(&body[2..name_end])),
            properties: None,
            message_expiry_interval_s: None,
            subscription_ids: &[],
            set_at: None,
            payload: &body[payload_at..payload_at + self.payload_len],
        }
    }

    /// Takes the packet from `bytes`, which begin with the body that the parts were found in.
    #[inline]
    pub(crate) fn take(self, bytes: &mut Bytes) -> Publish {
        let name_end = 2 + self.name_len;
        let payload_at = name_end + self.id_and_properties_len;
        let body_len = payload_at + self.payload_len;
        // The payload first: while the name is looked at, it settles where it was written and can then be moved at once.
        let payload = bytes.slice(payload_at..body_len);
        let name = bytes.slice(2..name_end);
        bytes.advance(body_len);
        Publish {
            delivery: self.delivery,
            retain: self.retain,
            topic: PublishTopic::Name(TopicName::from_plain(name)),
            properties: None,
            payload,
        }
    }
}

#[inline]
fn first_id(bytes: &[u8]) -> Option<PacketId> {
    PacketId::new(u16::from_be_bytes(*bytes.first_chunk()?))
}

/// Writes a PUBLISH without properties in few steps: each one costs as much as copying many bytes.
///
/// Not inlined, because its registers do not suffice for itself and a caller.
#[inline(never)]
pub(crate) fn encode(
    delivery: Delivery,
    retain: bool,
    name: TopicRef<'_>,
    payload: &[u8],
    version: Version,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let name = name.as_bytes();
    let id_len = if delivery.packet_id().is_some() { 2 } else { 0 };
    let properties_len = usize::from(version.has_properties());
    let remaining = short_enough(2 + name.len() + id_len + properties_len + payload.len())?;
    let first = PacketType::Publish.first_byte() | flag::of(delivery, retain);
    let [high, low] = (name.len() as u16).to_be_bytes();
    match remaining {
        0..=0x7F => out.put(&[first, remaining as u8, high, low]),
        0x80..=0x3FFF => out.put(&[first, remaining as u8 | 0x80, (remaining >> 7) as u8, high, low]),
        _ => {
            out.u8(first);
            out.variable(remaining as usize)?;
            out.put(&[high, low]);
        }
    }
    out.put(name);
    if let Some(id) = delivery.packet_id() {
        out.u16(id.number());
    }
    if version.has_properties() {
        out.u8(0);
    }
    out.put(payload);
    Ok(())
}
