//! Packets as bytes, byte by byte, because half of them are to be wrong.

use crate::random::Random;
use bytes::Bytes;
use luxwire_shared::mqtt::{Connect, Framer, Packet, Version};
use std::{collections::BTreeSet, num::NonZeroU16};

/// Few enough that clients meet.
const TOPICS: [&str; 7] = ["a", "a/b", "a/b/c", "/a", "b/", "$o/a", "ä/b"];
const FILTERS: [&str; 16] = [
    "a", "a/b", "a/#", "#", "+", "+/b", "a/+", "+/+/c", "/+", "b/#", "$o/#", "$o/a", "ä/+", "+/#", "/#",
    "a/b/#",
];
const SHARED: [&str; 3] = ["$share/g/a/b", "$share/h/+", "$share/g/a"];
/// What is no topic name or no filter.
const WRONG_TOPICS: [&str; 6] = ["", "a/#", "+", "a\0b", "#", "a/+/b"];
const WRONG_FILTERS: [&str; 9] =
    ["", "a#", "#/a", "a+/b", "$share", "$share/g", "$share//a", "$share/+/a", "a\0"];
const PAYLOADS: [&[u8]; 4] = [b"on", b"", b"40", b"\xff\x00"];

/// The highest topic alias at both brokers: Mosquitto's default.
pub(crate) const ALIASES: u16 = 10;

/// The numbers behind which a connection has put names.
pub(crate) type Aliases = BTreeSet<u8>;

/// The body of a packet.
#[derive(Default)]
struct Body(Vec<u8>);

impl Body {
    fn u16(&mut self, number: u16) {
        self.0.extend(number.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.binary(text.as_bytes());
    }

    fn binary(&mut self, bytes: &[u8]) {
        self.u16(bytes.len() as u16);
        self.0.extend(bytes);
    }

    /// A block of properties; there is none before 5.0.
    fn properties(&mut self, version: Version, properties: &Body) {
        if version.has_properties() {
            // None of ours is as long as to need a second byte.
            self.0.push(properties.0.len() as u8);
            self.0.extend(&properties.0);
        }
    }

    fn property(&mut self, identifier: u8, value: &[u8]) {
        self.0.push(identifier);
        self.0.extend(value);
    }
}

pub(crate) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut left = body.len();
    loop {
        let more = if left > 127 { 0x80 } else { 0 };
        bytes.push((left % 128) as u8 | more);
        left /= 128;
        if left == 0 {
            break;
        }
    }
    bytes.extend(body);
    bytes
}

/// A CONNECT of this client.
pub(crate) fn connect(random: &mut Random, version: Version, client_id: &str) -> Vec<u8> {
    let clean = random.once_in(2);
    let will = random.once_in(3);
    let mut flags = if clean { 2 } else { 0 };
    if will {
        flags |= 4 | (random.below(3) as u8) << 3 | (random.below(2) as u8) << 5;
    }
    let named = random.once_in(4);
    if named {
        flags |= 0x80;
    }
    let mut body = Body::default();
    body.text(version.protocol_name());
    body.0.push(version.level());
    body.0.push(flags);
    body.u16(0);
    let mut properties = Body::default();
    if random.once_in(2) {
        properties.property(0x11, &[0, 0, 2, 0]);
    }
    if random.once_in(8) {
        properties.property(0x21, &[0, 1 + random.below(3) as u8]);
    }
    if random.once_in(8) {
        properties.property(0x26, b"\0\x01k\0\x01v");
    }
    if random.once_in(2) {
        properties.property(0x22, &[0, random.below(4) as u8]);
    }
    body.properties(version, &properties);
    body.text(client_id);
    if will {
        let mut properties = Body::default();
        // No delay, or one that no sequence lasts: then the session's end decides.
        match random.below(4) {
            0 => properties.property(0x18, &[0, 0, 0, 0]),
            1 | 2 => properties.property(0x18, &[0, 0, 1, 0]),
            _ => {}
        }
        publish_properties(random, &mut properties);
        body.properties(version, &properties);
        body.text(random.pick(&TOPICS));
        body.binary(random.pick(&PAYLOADS));
    }
    if named {
        body.text("eve");
    }
    packet(0x10, &body.0)
}

/// A CONNECT of no session: begins anew, and leaves nothing.
pub(crate) fn clean_connect(client_id: &str) -> Vec<u8> {
    let mut body = Body::default();
    body.text("MQTT");
    body.0.extend([4, 2, 0, 0]);
    body.text(client_id);
    packet(0x10, &body.0)
}

/// The filters of a SUBSCRIBE, as far as it can be read.
pub(crate) fn filters(version: Version, bytes: &[u8]) -> Vec<&[u8]> {
    let mut at = header_len(bytes) + 2;
    if version.has_properties() {
        at += 1 + usize::from(bytes.get(at).copied().unwrap_or_default());
    }
    let mut filters = Vec::new();
    let mut rest = bytes.get(at..).unwrap_or_default();
    while let [high, low, behind @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((filter, behind)) = behind.split_at_checked(len) else { break };
        filters.push(filter);
        // The options.
        rest = behind.get(1..).unwrap_or_default();
    }
    filters
}

/// What a CONNECT says, if it is one.
pub(crate) fn as_connect(bytes: &[u8]) -> Option<Box<Connect>> {
    let mut framer = Framer::new(u32::MAX);
    framer.push(Bytes::copy_from_slice(bytes));
    match Packet::decode(framer.next_frame().ok()??, Version::V5) {
        Ok(Packet::Connect(connect)) => Some(connect),
        _ => None,
    }
}

/// The topic of the will in a CONNECT that is to wait.
pub(crate) fn delayed_will(bytes: &[u8]) -> Option<String> {
    let will = as_connect(bytes)?.will?;
    will.properties.will_delay_interval_s.is_some_and(|delay_s| delay_s > 0).then(|| will.topic.to_string())
}

/// How many messages the client of a CONNECT takes at once, if it says so.
pub(crate) fn receive_maximum(bytes: &[u8]) -> Option<NonZeroU16> {
    as_connect(bytes)?.properties.receive_maximum
}

/// Follows everything, at QoS 0.
pub(crate) fn subscribe_all() -> Vec<u8> {
    let mut body = Body::default();
    body.u16(1);
    for filter in ["#", "$o/#"] {
        body.text(filter);
        body.0.push(0);
    }
    packet(0x82, &body.0)
}

/// Clears the kept value of a topic.
pub(crate) fn clear(topic: &str) -> Vec<u8> {
    let mut body = Body::default();
    body.text(topic);
    packet(0x31, &body.0)
}

fn publish_properties(random: &mut Random, properties: &mut Body) {
    if random.once_in(6) {
        properties.property(0x26, b"\0\x01k\0\x01v");
    }
    if random.once_in(6) {
        properties.property(0x03, b"\0\x04text");
    }
    if random.once_in(8) {
        properties.property(0x08, b"\0\x01r");
        properties.property(0x09, b"\0\x02\xff\0");
    }
    if random.once_in(8) {
        properties.property(0x01, &[0]);
    }
    if random.once_in(8) {
        // Long enough that it does not expire.
        properties.property(0x02, &[0, 1, 0, 0]);
    }
}

/// Any packet that a connected client may send, but for CONNECT and DISCONNECT.
pub(crate) fn any(random: &mut Random, version: Version, aliases: &mut Aliases) -> Vec<u8> {
    match random.below(19) {
        0..8 => publish(random, version, aliases),
        8..13 => subscribe(random, version),
        13..15 => unsubscribe(random, version),
        15..18 => acknowledge(random, version, 6),
        // No PINGREQ: the test itself says so many, and could not tell whose is answered.
        _ => {
            let kind = 4 + random.below(4) as u8;
            acknowledge(random, version, kind)
        }
    }
}

/// A QoS 2 PUBLISH mostly with the PUBREL that completes it, because brokers may deliver at either; other packets as they are.
pub(crate) fn released(random: &mut Random, mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(identifier) = exactly_once(&bytes)
        && !random.once_in(40)
    {
        bytes.extend(packet(0x62, &identifier));
    }
    bytes
}

/// The identifier of a QoS 2 PUBLISH.
pub(crate) fn exactly_once(bytes: &[u8]) -> Option<[u8; 2]> {
    let is = bytes.first()? & 0xf6 == 0x34;
    let body = bytes.get(header_len(bytes)..)?;
    let name_len = usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
    let identifier = [*body.get(2 + name_len)?, *body.get(3 + name_len)?];
    is.then_some(identifier)
}

/// Whether [`released`] left a message without its PUBREL.
pub(crate) fn unreleased(bytes: &[u8]) -> bool {
    exactly_once(bytes).is_some_and(|id| !bytes.ends_with(&[0x62, 2, id[0], id[1]]))
}

fn publish(random: &mut Random, version: Version, aliases: &mut Aliases) -> Vec<u8> {
    let qos = random.below(3) as u8;
    let dup = if qos > 0 && random.once_in(6) { 8 } else { 0 };
    let retain = u8::from(random.once_in(3));
    let mut topic = if random.once_in(25) { random.pick(&WRONG_TOPICS) } else { random.pick(&TOPICS) };
    let mut alias = None;
    if version.has_properties() && random.once_in(2) {
        // Fewer numbers than topics, so that a number comes to stand for another topic.
        let number = 1 + random.below(3) as u8;
        match random.below(24) {
            0 => alias = Some(0),
            1 => alias = Some(ALIASES as u8 + 1),
            // Perhaps one that stands for nothing.
            2 => (topic, alias) = ("", Some(number)),
            3..14 if aliases.contains(&number) => (topic, alias) = ("", Some(number)),
            _ => {
                aliases.insert(number);
                alias = Some(number);
            }
        }
    }
    let mut body = Body::default();
    body.text(topic);
    if qos > 0 {
        body.u16(identifier(random));
    }
    let mut properties = Body::default();
    publish_properties(random, &mut properties);
    if random.once_in(30) {
        properties.property(0x0b, &[1]);
    }
    if let Some(alias) = alias {
        properties.property(0x23, &[0, alias]);
    }
    body.properties(version, &properties);
    body.0.extend(random.pick(&PAYLOADS));
    packet(0x30 | dup | qos << 1 | retain, &body.0)
}

fn subscribe(random: &mut Random, version: Version) -> Vec<u8> {
    let mut body = Body::default();
    body.u16(identifier(random));
    let mut properties = Body::default();
    if random.once_in(4) {
        properties.property(0x0b, &[1 + random.below(3) as u8]);
    }
    body.properties(version, &properties);
    let filters = if random.once_in(60) { 0 } else { 1 + random.below(2) };
    for _ in 0..filters {
        body.text(filter(random, version));
        let mut options = random.below(3) as u8;
        if version.has_properties() && random.once_in(3) {
            options |= (random.below(4) as u8) << 2 | (random.below(3) as u8) << 4;
        }
        if random.once_in(50) {
            options = random.byte();
        }
        body.0.push(options);
    }
    packet(0x82, &body.0)
}

fn unsubscribe(random: &mut Random, version: Version) -> Vec<u8> {
    let mut body = Body::default();
    body.u16(identifier(random));
    body.properties(version, &Body::default());
    let filters = if random.once_in(40) { 0 } else { 1 + random.below(2) };
    for _ in 0..filters {
        body.text(filter(random, version));
    }
    packet(0xa2, &body.0)
}

fn filter(random: &mut Random, version: Version) -> &'static str {
    if random.once_in(25) {
        random.pick(&WRONG_FILTERS)
    } else if version.has_properties() && random.once_in(20) {
        random.pick(&SHARED)
    } else {
        random.pick(&FILTERS)
    }
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP.
fn acknowledge(random: &mut Random, version: Version, kind: u8) -> Vec<u8> {
    let mut body = Body::default();
    body.u16(identifier(random));
    if version.has_properties() && random.once_in(6) {
        body.0.push(random.byte());
    }
    packet(kind << 4 | if kind == 6 { 2 } else { 0 }, &body.0)
}

/// Few enough that they are used again; sometimes 0, which is none.
fn identifier(random: &mut Random) -> u16 {
    if random.once_in(60) { 0 } else { 1 + random.below(4) as u16 }
}

/// DISCONNECT, also with the words of 5.0.
pub(crate) fn disconnect(random: &mut Random, version: Version) -> Vec<u8> {
    if !version.has_properties() {
        return vec![0xe0, 0];
    }
    match random.below(5) {
        0 => vec![0xe0, 1, 4],
        1 => vec![0xe0, 7, 0, 5, 0x11, 0, 0, 2, 0],
        2 => vec![0xe0, 7, 0, 5, 0x11, 0, 0, 0, 0],
        _ => vec![0xe0, 0],
    }
}

/// What only a server sends, or what no version knows.
pub(crate) fn not_for_servers(random: &mut Random) -> Vec<u8> {
    let packets: [&[u8]; 9] = [
        &[0x20, 2, 0, 0],
        &[0x90, 3, 0, 1, 0],
        &[0x90, 4, 0, 1, 0, 0],
        &[0xb0, 2, 0, 1],
        &[0xb0, 4, 0, 1, 0, 0],
        &[0xd0, 0],
        &[0xf0, 0],
        &[0xf0, 2, 0x18, 0],
        &[0x00, 0],
    ];
    random.pick(&packets).to_vec()
}

/// The same packet with something wrong; its length is right, so that the next packet begins where it should.
pub(crate) fn spoiled(random: &mut Random, bytes: &[u8]) -> Vec<u8> {
    let (mut first, mut body) = (bytes[0], bytes[header_len(bytes)..].to_vec());
    match random.below(5) {
        // The flags; never another type, which would be a packet of its own.
        0 => first ^= 1 << random.below(4),
        1 => {
            let len = random.below(body.len() + 1);
            body.truncate(len);
        }
        2 => {
            let byte = random.byte();
            body.push(byte);
        }
        _ if body.is_empty() => {}
        3 => {
            let at = random.below(body.len());
            body[at] ^= 1 << random.below(8);
        }
        _ => {
            let at = random.below(body.len());
            body[at] = random.byte();
        }
    }
    packet(first, &body)
}

/// Where the network cuts what a client sends. Not behind a byte 0 that begins a packet: Mosquitto overlooks that if it is
/// read alone, and whether it is, the system decides.
pub(crate) fn cuts(random: &mut Random, bytes: &[u8]) -> Vec<usize> {
    let mut cuts = Vec::new();
    if random.once_in(3) && bytes.len() > 1 && bytes[0] != 0 {
        cuts.extend((0..=random.below(4)).map(|_| 1 + random.below(bytes.len() - 1)));
        cuts.sort_unstable();
        cuts.dedup();
    }
    cuts
}

/// Bytes before the body.
pub(crate) fn header_len(bytes: &[u8]) -> usize {
    1 + bytes.iter().skip(1).take_while(|byte| **byte & 0x80 != 0).count() + 1
}
