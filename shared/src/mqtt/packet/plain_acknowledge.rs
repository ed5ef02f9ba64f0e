//! The commonest acknowledgement by the shortest way: four bytes that say that all went well.
//!
//! Everything here could be left out and the codec would do the same with three times as many steps. Whatever is not plain,
//! or not valid, is left to [`Packet::decode`] and `sink::encode`.

use crate::mqtt::{Acknowledge, Packet, PacketId, PacketType, ReasonCode, sink::Sink as _};
use bytes::{Buf as _, Bytes, BytesMut};

/// Which of the four packets that acknowledge something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented at the variants of Packet")]
pub enum AcknowledgeKind {
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
}

impl AcknowledgeKind {
    /// The packet of this kind.
    pub const fn packet(self, acknowledge: Acknowledge) -> Packet {
        match self {
            Self::Puback => Packet::Puback(acknowledge),
            Self::Pubrec => Packet::Pubrec(acknowledge),
            Self::Pubrel => Packet::Pubrel(acknowledge),
            Self::Pubcomp => Packet::Pubcomp(acknowledge),
        }
    }

    /// Appends the acknowledgement that says no more than that all went well: in all versions the same four bytes.
    #[inline]
    pub fn encode(self, id: PacketId, out: &mut BytesMut) {
        let first = match self {
            Self::Puback => PUBACK,
            Self::Pubrec => PUBREC,
            Self::Pubrel => PUBREL,
            Self::Pubcomp => PUBCOMP,
        };
        let [high, low] = id.number().to_be_bytes();
        out.put(&[first, REMAINING_LEN, high, low]);
    }
}

/// Reads what `bytes` begin with, if it is a plain acknowledgement.
#[inline]
pub(crate) fn read(bytes: &[u8]) -> Option<(AcknowledgeKind, PacketId)> {
    let &[first, REMAINING_LEN, high, low] = bytes.first_chunk()? else { return None };
    let kind = match first {
        PUBACK => AcknowledgeKind::Puback,
        PUBREC => AcknowledgeKind::Pubrec,
        PUBREL => AcknowledgeKind::Pubrel,
        PUBCOMP => AcknowledgeKind::Pubcomp,
        _ => return None,
    };
    Some((kind, PacketId::new(u16::from_be_bytes([high, low]))?))
}

/// Takes the packet that `bytes` begin with, if it is a plain acknowledgement.
#[inline]
pub(crate) fn take(bytes: &mut Bytes) -> Option<Packet> {
    let (kind, id) = read(bytes)?;
    bytes.advance(LEN);
    Some(kind.packet(Acknowledge::success(id)))
}

/// Appends the packet, if it is a plain acknowledgement; says whether it is.
#[inline]
pub(crate) fn encode(packet: &Packet, out: &mut BytesMut) -> bool {
    let (kind, acknowledge) = match packet {
        Packet::Puback(acknowledge) => (AcknowledgeKind::Puback, acknowledge),
        Packet::Pubrec(acknowledge) => (AcknowledgeKind::Pubrec, acknowledge),
        Packet::Pubrel(acknowledge) => (AcknowledgeKind::Pubrel, acknowledge),
        Packet::Pubcomp(acknowledge) => (AcknowledgeKind::Pubcomp, acknowledge),
        _ => return false,
    };
    let is_plain = acknowledge.reason == ReasonCode::Success && acknowledge.properties.is_none();
    if is_plain {
        kind.encode(acknowledge.id, out);
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
