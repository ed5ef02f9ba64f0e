//! How these tests write bytes and texts, and how they run them through the codec.

use bytes::{Bytes, BytesMut};
use luxwire_shared::mqtt::{
    DecodeError, Frame, Framer, Packet, PacketId, Subscribable, SubscriptionId, Text, TopicName, Version,
};

/// The three versions.
pub(crate) const VERSIONS: [Version; 3] = [Version::V3_1, Version::V3_1_1, Version::V5];

/// Bytes as people read them: two hexadecimal digits each, and text in quotes.
///
/// `bytes("10 0c 00 04 'MQTT' 04 02")`
pub(crate) fn bytes(notation: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, part) in notation.split('\'').enumerate() {
        match at % 2 {
            0 => bytes.extend(part.split_whitespace().map(|digits| {
                assert_eq!(digits.len(), 2, "{digits:?} in {notation:?}");
                u8::from_str_radix(digits, 16).unwrap()
            })),
            _ => bytes.extend(part.as_bytes()),
        }
    }
    bytes
}

/// The one frame that `bytes` are.
pub(crate) fn frame(bytes: &[u8]) -> Result<Option<Frame>, DecodeError> {
    let mut framer = Framer::new(u32::MAX);
    framer.push(Bytes::copy_from_slice(bytes));
    let frame = framer.next_frame()?;
    assert_eq!(framer.pending_len(), if frame.is_some() { 0 } else { bytes.len() }, "more than one packet");
    Ok(frame)
}

/// The one packet that `bytes` are; makes sure that the short way to it says the same.
pub(crate) fn decode(bytes: &[u8], version: Version) -> Result<Packet, DecodeError> {
    let mut framer = Framer::new(u32::MAX);
    framer.push(Bytes::copy_from_slice(bytes));
    let by_the_short_way = framer.next_packet(version);
    let packet = frame(bytes).and_then(|frame| frame.map(|frame| Packet::decode(frame, version)).transpose());
    assert_eq!(by_the_short_way, packet);
    packet.map(|packet| packet.expect("a whole packet"))
}

/// The bytes of `packet`; makes sure that its length was foretold.
pub(crate) fn encode(packet: &Packet, version: Version) -> Vec<u8> {
    let mut out = BytesMut::new();
    packet.encode(version, &mut out).unwrap();
    assert_eq!(packet.encoded_len(version), Ok(out.len()));
    out.to_vec()
}

pub(crate) fn text(text: &str) -> Text {
    Text::try_from(text).unwrap()
}

pub(crate) fn topic(name: &str) -> TopicName {
    TopicName::try_from(name).unwrap()
}

pub(crate) fn subscribable(filter: &str) -> Subscribable {
    Subscribable::try_from(filter).unwrap()
}

pub(crate) fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

pub(crate) fn subscription_id(number: u32) -> SubscriptionId {
    SubscriptionId::new(number).unwrap()
}
