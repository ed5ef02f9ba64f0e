//! Cuts a stream of bytes into packets, wherever the network cut it.
//!
//! It looks at the fixed header only: what a packet says is the business of [`Packet::decode`](crate::mqtt::Packet).

use crate::mqtt::{
    Acknowledge, AcknowledgeKind, DecodeError, Packet, PacketId, Publish, PublishRef, Version,
    packet::{PlainPublish, plain_acknowledge},
    reader::Reader,
    variable,
};
use alloc::vec::Vec;
use bytes::{Buf, Bytes};
use core::mem;

/// Collects bytes until a packet is whole.
///
/// Bytes that hold whole packets are not copied: the packets share them. Only the beginning of a packet whose rest has
/// not come yet is copied, into a buffer that grows with what arrives and never with what a length claims, and that does
/// not keep a large read buffer alive.
#[derive(Debug)]
pub struct Framer {
    packet_size_max: u32,
    /// The beginning of one packet.
    partial: Vec<u8>,
    /// What was not looked at yet; follows `partial`.
    arrived: Bytes,
}

/// Bytes that came and that no [`Framer`] took in, so that packets can be read where they lie. [`Framer::arrived`] makes it.
#[derive(Debug)]
pub struct Arrived<'a> {
    /// What was not read yet.
    bytes: &'a [u8],
    packet_size_max: u32,
}

/// One of the commonest packets, which can be read where it lies.
#[derive(Clone, Copy, Debug)]
pub enum Plain<'a> {
    /// A PUBLISH without properties, its topic's name in ASCII.
    Publish(PublishRef<'a>),
    /// That all went well, in four bytes.
    Acknowledge {
        /// What is acknowledged, and to whom.
        kind: AcknowledgeKind,
        /// Of which message.
        id: PacketId,
    },
}

/// One whole packet whose content was not looked at yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    packet_type: PacketType,
    flags: u8,
    /// Whether the Remaining Length was longer than needed, which 5.0 forbids. [MQTT-1.5.5-1]
    overlong: bool,
    body: Bytes,
}

/// The fifteen kinds of packets, by the number in the upper half of the first byte. Section 2.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs, reason = "documented at the variants of Packet")]
pub enum PacketType {
    Connect = 1,
    Connack = 2,
    Publish = 3,
    Puback = 4,
    Pubrec = 5,
    Pubrel = 6,
    Pubcomp = 7,
    Subscribe = 8,
    Suback = 9,
    Unsubscribe = 10,
    Unsuback = 11,
    Pingreq = 12,
    Pingresp = 13,
    Disconnect = 14,
    Auth = 15,
}

/// What a fixed header says.
struct Header {
    packet_type: PacketType,
    flags: u8,
    overlong: bool,
    len: usize,
    packet_len: usize,
}

impl Framer {
    /// Nothing received yet; a packet may have `packet_size_max` bytes, its fixed header included.
    pub const fn new(packet_size_max: u32) -> Self {
        Self { packet_size_max, partial: Vec::new(), arrived: Bytes::new() }
    }

    /// Changes the limit for every packet whose fixed header was not yet read.
    pub const fn set_packet_size_max(&mut self, packet_size_max: u32) {
        self.packet_size_max = packet_size_max;
    }

    /// Takes in as much of `bytes` as makes sense before packets are taken out: what the packet that has begun to arrive
    /// lacks, or all if it lacks nothing or none has begun. What is left in `bytes` comes behind these packets, and need not be copied if it can be
    /// [read where it lies](Framer::arrived).
    pub fn take_in(&mut self, bytes: &mut &[u8]) {
        let before = bytes.len();
        // What is wrong with its header is said by whoever takes the packet out.
        while !self.partial.is_empty()
            && self.arrived.is_empty()
            && let Ok(lacking @ 1..) = self.lacking()
            && !bytes.is_empty()
        {
            let (next, rest) = bytes.split_at(lacking.min(bytes.len()));
            self.extend_partial(next);
            *bytes = rest;
        }
        if bytes.len() == before {
            self.push(Bytes::copy_from_slice(mem::take(bytes)));
        }
    }

    /// How many bytes the packet that has begun to arrive lacks, as far as that is known.
    fn lacking(&self) -> Result<usize, DecodeError> {
        let header = Header::parse(&self.partial, self.packet_size_max)?;
        // The fixed header has five bytes at most: one at a time until it is whole.
        Ok(header.map_or(1, |header| header.packet_len - self.partial.len()))
    }

    /// Hands over what was read. Take every packet with [`Framer::next_frame`] first: bytes that still wait there are
    /// copied.
    pub fn push(&mut self, bytes: Bytes) {
        if self.arrived.is_empty() {
            self.arrived = bytes;
        } else {
            let waiting = mem::take(&mut self.arrived);
            self.arrived = [waiting, bytes].concat().into();
        }
    }

    /// The next whole packet; `None` until more bytes come. An error is final: the stream has lost its rhythm, and each
    /// further call says the same.
    #[inline]
    pub fn next_frame(&mut self) -> Result<Option<Frame>, DecodeError> {
        if !self.partial.is_empty() {
            return self.complete_partial();
        }
        match Header::parse(&self.arrived, self.packet_size_max)? {
            Some(header) if header.packet_len <= self.arrived.len() => {
                self.arrived.advance(header.len);
                let body = self.arrived.split_to(header.packet_len - header.len);
                Ok(Some(header.frame(body)))
            }
            Some(_) | None => {
                self.keep(self.arrived.len());
                Ok(None)
            }
        }
    }

    /// The next whole packet, read as `version` writes it: [`Framer::next_frame`] and [`Packet::decode`] in one, with a
    /// shorter way for the commonest packets.
    #[inline]
    pub fn next_packet(&mut self, version: Version) -> Result<Option<Packet>, DecodeError> {
        if self.partial.is_empty()
            && self.packet_size_max >= plain_acknowledge::LEN as u32
            && let Some(packet) = plain_acknowledge::take(&mut self.arrived)
        {
            return Ok(Some(packet));
        }
        if self.partial.is_empty()
            && let Ok(Some(header)) = Header::parse(&self.arrived, self.packet_size_max)
            && let Some(publish) = header.take_plain_publish(&mut self.arrived, version)
        {
            return Ok(Some(Packet::Publish(publish)));
        }
        self.next_packet_of_any_kind(version)
    }

    #[inline(never)]
    fn next_packet_of_any_kind(&mut self, version: Version) -> Result<Option<Packet>, DecodeError> {
        if self.arrived.is_empty() && self.partial.is_empty() {
            // Even an empty rest would keep the read buffer alive.
            self.arrived = Bytes::new();
            return Ok(None);
        }
        match self.next_frame()? {
            Some(frame) => Packet::decode(frame, version).map(Some),
            None => Ok(None),
        }
    }

    /// `bytes` as what comes next, to be read where it lies. Only while nothing [waits](Framer::pending_len) here.
    #[inline]
    pub fn arrived<'a>(&self, bytes: &'a [u8]) -> Arrived<'a> {
        debug_assert!(self.pending_len() == 0, "what comes later would come first");
        Arrived { bytes, packet_size_max: self.packet_size_max }
    }

    /// Takes out what was handed over and not looked at; `None` if there is nothing, or while the beginning of a packet
    /// waits for its rest. Whoever takes it gives back with [`Framer::push`] what is left of it.
    #[inline]
    pub fn take_arrived(&mut self) -> Option<Bytes> {
        (self.partial.is_empty() && !self.arrived.is_empty()).then(|| mem::take(&mut self.arrived))
    }

    /// The kind of the packet that has begun to arrive and is not whole, so that one which must not come here can be
    /// refused without waiting for its end.
    pub fn begun(&self) -> Option<PacketType> {
        PacketType::from_number(self.partial.first().or(self.arrived.first())? >> 4)
    }

    /// How many bytes wait for the rest of their packet.
    pub fn pending_len(&self) -> usize {
        self.partial.len() + self.arrived.len()
    }

    fn complete_partial(&mut self) -> Result<Option<Frame>, DecodeError> {
        loop {
            match Header::parse(&self.partial, self.packet_size_max)? {
                Some(header) if header.packet_len <= self.partial.len() => {
                    let mut packet = Bytes::from(mem::take(&mut self.partial));
                    packet.advance(header.len);
                    return Ok(Some(header.frame(packet)));
                }
                header => {
                    if self.arrived.is_empty() {
                        return Ok(None);
                    }
                    // The fixed header has five bytes at most: one at a time until it is whole.
                    self.keep(header.map_or(1, |header| header.packet_len - self.partial.len()));
                }
            }
        }
    }

    /// Moves at most `len` bytes of `arrived` to `partial`.
    fn keep(&mut self, len: usize) {
        let kept = self.arrived.split_to(len.min(self.arrived.len()));
        self.extend_partial(&kept);
        if self.arrived.is_empty() {
            // Even an empty rest would keep the read buffer alive.
            self.arrived = Bytes::new();
        }
    }

    /// Appends to `partial`, whose room doubles as it fills, but never beyond the packet.
    fn extend_partial(&mut self, bytes: &[u8]) {
        let have = self.partial.len();
        if self.partial.capacity() - have < bytes.len() {
            let packet_len = match Header::parse(&self.partial, self.packet_size_max) {
                Ok(Some(header)) => header.packet_len,
                Ok(None) | Err(_) => usize::MAX,
            };
            let doubled = (have * 2).min(packet_len);
            self.partial.reserve_exact(doubled.saturating_sub(have).max(bytes.len()));
        }
        self.partial.extend_from_slice(bytes);
    }
}

impl<'a> Arrived<'a> {
    /// The packet that comes next, if it is plain. That copies nothing and counts no references, which of a small message's
    /// cost was a fifth. `None` says nothing: the framer says what comes next.
    #[inline]
    pub fn next_plain(&mut self, version: Version) -> Option<Plain<'a>> {
        if self.packet_size_max >= plain_acknowledge::LEN as u32
            && let Some((kind, id)) = plain_acknowledge::read(self.bytes)
        {
            self.bytes = &self.bytes[plain_acknowledge::LEN..];
            return Some(Plain::Acknowledge { kind, id });
        }
        let header = Header::parse(self.bytes, self.packet_size_max).ok().flatten()?;
        let publish = header.plain_publish(self.bytes, version)?;
        self.bytes = &self.bytes[header.packet_len..];
        Some(Plain::Publish(publish))
    }

    /// What was not read.
    #[inline]
    pub const fn rest(self) -> &'a [u8] {
        self.bytes
    }
}

impl Plain<'_> {
    /// The same packet in buffers of its own.
    pub fn detached(&self) -> Packet {
        match self {
            Self::Publish(publish) => Packet::Publish(publish.detached()),
            Self::Acknowledge { kind, id } => kind.packet(Acknowledge::success(*id)),
        }
    }
}

impl Frame {
    /// Which of the fifteen it is.
    pub const fn packet_type(&self) -> PacketType {
        self.packet_type
    }

    /// The lower half of the first byte.
    pub(crate) const fn flags(&self) -> u8 {
        self.flags
    }

    pub(crate) const fn overlong(&self) -> bool {
        self.overlong
    }

    pub(crate) fn into_body(self) -> Bytes {
        self.body
    }

    /// The version that a CONNECT names, even if the rest of it is malformed, so that the refusal can be written in the
    /// client's own version. `None` for other packets and for versions that do not exist.
    pub fn connect_version(&self) -> Option<Version> {
        match self.packet_type {
            PacketType::Connect => Version::read(&mut Reader::new(self.body.clone())).ok(),
            _ => None,
        }
    }
}

impl PacketType {
    /// The kind with this number; `None` for 0 and above 15.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Connect,
            2 => Self::Connack,
            3 => Self::Publish,
            4 => Self::Puback,
            5 => Self::Pubrec,
            6 => Self::Pubrel,
            7 => Self::Pubcomp,
            8 => Self::Subscribe,
            9 => Self::Suback,
            10 => Self::Unsubscribe,
            11 => Self::Unsuback,
            12 => Self::Pingreq,
            13 => Self::Pingresp,
            14 => Self::Disconnect,
            15 => Self::Auth,
            _ => return None,
        })
    }

    /// 1 to 15.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The first byte of every packet of this kind but PUBLISH, which adds its flags.
    pub(crate) const fn first_byte(self) -> u8 {
        let flags = match self.reserved_flags() {
            Some(flags) => flags,
            None => 0,
        };
        self.number() << 4 | flags
    }

    /// What the lower half of the first byte must be; `None` for PUBLISH, whose own it is. [MQTT-2.1.3-1]
    pub(crate) const fn reserved_flags(self) -> Option<u8> {
        match self {
            Self::Publish => None,
            // [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1]
            Self::Pubrel | Self::Subscribe | Self::Unsubscribe => Some(0b0010),
            // [MQTT-3.14.1-1] [MQTT-3.15.1-1], 3.1.1: [MQTT-3.14.1-1]
            _ => Some(0b0000),
        }
    }
}

impl Header {
    /// The fixed header at the front of `bytes`; `None` if it has not come whole.
    #[inline]
    fn parse(bytes: &[u8], packet_size_max: u32) -> Result<Option<Self>, DecodeError> {
        let Some((&first, after_first)) = bytes.split_first() else { return Ok(None) };
        let packet_type = PacketType::from_number(first >> 4).ok_or(DecodeError::PacketType)?;
        let (remaining_len, length_len, shortest) = match variable::parse(after_first) {
            variable::Parsed::Value { value, len, shortest } => (value, len, shortest),
            variable::Parsed::Incomplete => return Ok(None),
            variable::Parsed::TooLong => return Err(DecodeError::RemainingLength),
        };
        let len = 1 + length_len;
        // On the header alone: nothing of a packet that is too large is kept.
        let packet_len = len + remaining_len as usize;
        if packet_len > packet_size_max as usize {
            return Err(DecodeError::PacketTooLarge); // [MQTT-3.2.2.3.6]
        }
        Ok(Some(Self { packet_type, flags: first & 0x0F, overlong: !shortest, len, packet_len }))
    }

    #[inline]
    fn take_plain_publish(&self, bytes: &mut Bytes, version: Version) -> Option<Publish> {
        if self.packet_type != PacketType::Publish || self.overlong {
            return None;
        }
        let body = bytes.get(self.len..self.packet_len)?;
        let plain = PlainPublish::find(self.flags, body, version)?;
        bytes.advance(self.len);
        Some(plain.take(bytes))
    }

    /// The PUBLISH behind this header, which `bytes` begin with, if it is a plain one.
    #[inline]
    fn plain_publish<'a>(&self, bytes: &'a [u8], version: Version) -> Option<PublishRef<'a>> {
        if self.packet_type != PacketType::Publish || self.overlong {
            return None;
        }
        let body = bytes.get(self.len..self.packet_len)?;
        Some(PlainPublish::find(self.flags, body, version)?.borrow(body))
    }

    #[inline]
    fn frame(self, body: Bytes) -> Frame {
        Frame { packet_type: self.packet_type, flags: self.flags, overlong: self.overlong, body }
    }
}
