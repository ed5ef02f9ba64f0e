//! The commonest acknowledgement by the shortest way: four bytes that say that all went well.
//!
//! Everything here could be left out and the codec would do the same with three times as many steps. Whatever is not plain,
//! or not valid, is left to [`Packet::decode`] and `sink::encode`.

use crate::mqtt::{Acknowledge, Packet, PacketId, PacketType, ReasonCode, sink::Sink as _};
use bytes::{Buf as _, Bytes, BytesMut};

/// Takes the packet that `bytes` begin with, if it is a plain acknowledgement.
#[inline]
pub(crate) fn take(bytes: &mut Bytes) -> Option<Packet> {
    let &[first, REMAINING_LEN, high, low] = bytes.first_chunk()? else { return None };
    let packet = match first {
        PUBACK => Packet::Puback,
        PUBREC => Packet::Pubrec,
        PUBREL => Packet::Pubrel,
        PUBCOMP => Packet::Pubcomp,
        _ => return None,
    };
    let id = PacketId::new(u16::from_be_bytes([high, low]))?;
    bytes.advance(LEN);
    Some(packet(Acknowledge::success(id)))
}

/// Appends the packet, if it is a plain acknowledgement; says whether it is.
#[inline]
pub(crate) fn encode(packet: &Packet, out: &mut BytesMut) -> bool {
    let (first, acknowledge) = match packet {
        Packet::Puback(acknowledge) => (PUBACK, acknowledge),
        Packet::Pubrec(acknowledge) => (PUBREC, acknowledge),
        Packet::Pubrel(acknowledge) => (PUBREL, acknowledge),
        Packet::Pubcomp(acknowledge) => (PUBCOMP, acknowledge),
        _ => return false,
    };
    let is_plain = acknowledge.reason == ReasonCode::Success && acknowledge.properties.is_none();
    if is_plain {
        let [high, low] = acknowledge.id.number().to_be_bytes();
        out.put(&[first, REMAINING_LEN, high, low]);
    }
    is_plain
}

/// How long such a packet is.
pub(crate) const LEN: usize = 4;

const REMAINING_LEN: u8 = 2;
const PUBACK: u8 = PacketType::Puback.first_byte();
const PUBREC: u8 = PacketType::Pubrec.first_byte();
const PUBREL: u8 = PacketType::Pubrel.first_byte();
const PUBCOMP: u8 = PacketType::Pubcomp.first_byte();
