//! Lengths that lie: of five bytes, beyond the packet, beyond the block, shorter than what follows.

use crate::{
    bytes::{CLEAN, FIVE_BYTES, WILL, connect_head, connect_with, packet, properties, text, variable},
    cases::{Case, each_is_answered},
    exchange::Wanted,
};
use luxwire_shared::mqtt::{
    ReasonCode::{self, MalformedPacket},
    Version::{V3_1, V3_1_1, V5},
};

const REFUSED: Wanted = Wanted::Refusal(MalformedPacket);

// Row 3, NanoMQ CVE-2026-21888, Mongoose CVE-2019-19307: Variable Byte Integers of five bytes. [MQTT-1.5.5-1]
#[test]
fn row_3_five_bytes_of_length() {
    let five = |before: &[u8], after: &[u8]| [before, &FIVE_BYTES, after].concat();
    let connect_5 = |payload: Vec<u8>| packet(0x10, [connect_head(V5, CLEAN), payload].concat());
    let will = packet(0x10, [connect_head(V5, WILL), vec![0], text("id"), five(&[], &[0; 8])].concat());
    each_is_answered(&[
        // The Remaining Length, of CONNECT and of a PUBLISH.
        Case::first(V3_1_1, five(&[0x10], &[]), Wanted::Close),
        Case::first(V3_1_1, [0x10, 0x80, 0x80, 0x80, 0x80, 0x01], Wanted::Close),
        Case::then(V3_1, five(&[0x30], &[]), MalformedPacket),
        Case::then(V3_1_1, five(&[0x30], &[]), MalformedPacket),
        Case::then(V5, five(&[0x30], &[]), MalformedPacket),
        Case::then(V5, [0x82, 0x80, 0x80, 0x80, 0x80, 0x00], MalformedPacket),
        // Longer than needed.
        Case::then(V5, [0xC0, 0x80, 0x00], MalformedPacket),
        // The length of properties.
        Case::first(V5, connect_5(five(&[], &text("id"))), REFUSED),
        Case::first(V5, will, REFUSED),
        Case::then(V5, packet(0x30, five(&text("a"), b"payload")), MalformedPacket),
        Case::then(V5, packet(0x82, five(&[0, 1], &[0, 1, b'a', 0])), MalformedPacket),
        Case::then(V5, packet(0xA2, five(&[0, 1], &[0, 1, b'a'])), MalformedPacket),
        Case::then(V5, packet(0x40, five(&[0, 1, 0], &[])), MalformedPacket),
        Case::then(V5, packet(0xE0, five(&[0], &[])), MalformedPacket),
        // The subscription identifier.
        Case::then(V5, packet(0x82, five(&[0, 1, 6, 0x0B], &[0, 1, b'a', 0])), MalformedPacket),
        Case::then(
            V5,
            packet(0x30, [text("a"), vec![6, 0x0B], FIVE_BYTES.to_vec()].concat()),
            MalformedPacket,
        ),
    ]);
}

// The same row: a property length that goes beyond the packet.
#[test]
fn row_3_properties_beyond_the_packet() {
    let beyond = |len: usize| [variable(len), vec![0x1F, 0, 1]].concat();
    let mut cases = Vec::new();
    for len in [4, 0x7F, 0x3FFF, 0x0FFF_FFFF] {
        let connect = |flags: u8, payload: Vec<u8>| packet(0x10, [connect_head(V5, flags), payload].concat());
        cases.extend([
            Case::first(V5, connect(CLEAN, beyond(len)), REFUSED),
            Case::first(V5, connect(WILL, [vec![0], text("id"), beyond(len)].concat()), REFUSED),
            Case::then(V5, packet(0x30, [text("a"), beyond(len)].concat()), MalformedPacket),
            Case::then(V5, packet(0x82, [vec![0, 1], beyond(len)].concat()), MalformedPacket),
            Case::then(V5, packet(0x62, [vec![0, 1, 0], beyond(len)].concat()), MalformedPacket),
            Case::then(V5, packet(0xE0, [vec![0], beyond(len)].concat()), MalformedPacket),
        ]);
    }
    each_is_answered(&cases);
}

// Row 25, MQTT-C, Contiki, Mbed: a length beyond the packet in every place where a string or binary data stands.
#[test]
fn row_25_strings_beyond_the_packet() {
    let beyond = [0xFF, 0xFF, b'x'];
    let one_beyond = [0x00, 0x02, b'x'];
    let mut cases = Vec::new();
    for beyond in [beyond, one_beyond] {
        cases.push(Case::first(V3_1_1, packet(0x10, beyond), Wanted::Close));
        for (version, wanted) in [(V3_1, Wanted::Close), (V3_1_1, Wanted::Close), (V5, REFUSED)] {
            let no_properties = properties(version, []);
            let will = [text("id"), no_properties.clone(), text("will")].concat();
            cases.extend([
                Case::first(version, connect_with(version, CLEAN, [], beyond), wanted),
                Case::first(
                    version,
                    connect_with(version, WILL, [], [&text("id"), &no_properties[..], &beyond].concat()),
                    wanted,
                ),
                Case::first(version, connect_with(version, WILL, [], [&will[..], &beyond].concat()), wanted),
                // User name; then a password behind one.
                Case::first(
                    version,
                    connect_with(version, 0x82, [], [&text("id")[..], &beyond].concat()),
                    wanted,
                ),
                Case::first(
                    version,
                    connect_with(version, 0xC2, [], [&text("id")[..], &text("user"), &beyond].concat()),
                    wanted,
                ),
            ]);
        }
        for version in [V3_1_1, V5] {
            let head = [&[0, 1], &properties(version, [])[..]].concat();
            cases.extend([
                Case::then(version, packet(0x30, beyond), MalformedPacket),
                Case::then(version, packet(0x82, [&head[..], &beyond].concat()), MalformedPacket),
                Case::then(version, packet(0xA2, [&head[..], &beyond].concat()), MalformedPacket),
            ]);
        }
    }
    each_is_answered(&cases);
}

// The same row: in every property that has a length of its own. The block itself ends within the packet.
#[test]
fn row_25_properties_beyond_their_block() {
    let beyond = |id: u8| properties(V5, [id, 0xFF, 0xFF, b'x']);
    let user = properties(V5, [0x26, 0x00, 0x01, b'k', 0xFF, 0xFF, b'v']);
    let mut cases = Vec::new();
    // Authentication method and data, and user properties, in CONNECT.
    for properties in [beyond(0x15), beyond(0x16), user.clone()] {
        cases.push(Case::first(
            V5,
            packet(0x10, [connect_head(V5, CLEAN), properties, text("id")].concat()),
            REFUSED,
        ));
    }
    // Content type, response topic, correlation data, and user properties, in PUBLISH and in a will.
    for properties in [beyond(0x03), beyond(0x08), beyond(0x09), user.clone()] {
        let will = [text("id"), properties.clone(), text("will"), text("gone")].concat();
        cases.push(Case::first(V5, connect_with(V5, WILL, [], will), REFUSED));
        cases.push(Case::then(V5, packet(0x30, [text("a"), properties].concat()), MalformedPacket));
    }
    // Reason string, and user properties.
    for properties in [beyond(0x1F), user] {
        cases.push(Case::then(V5, packet(0xE0, [vec![0], properties.clone()].concat()), MalformedPacket));
        cases.push(Case::then(V5, packet(0x50, [vec![0, 1, 0], properties].concat()), MalformedPacket));
    }
    each_is_answered(&cases);
}

// nats-server, June 2026: a PUBLISH whose Remaining Length is smaller than its header, and a topic longer than it;
// NanoMQ #1153 to #1155, #1167, #1169, #1181, #1722, #2270: cut short, and with properties that are none.
#[test]
fn row_publish_shorter_than_its_header() {
    let mut cases = Vec::new();
    for version in [V3_1, V3_1_1, V5] {
        for bytes in [
            &[0x30, 0x00][..],
            &[0x30, 0x01, 0x00],
            &[0x30, 0x02, 0x00, 0x01],
            &[0x30, 0x02, 0xFF, 0xFF],
            // QoS 1 and 2 without an identifier, or half of it.
            &[0x32, 0x03, 0x00, 0x01, b'a'],
            &[0x34, 0x04, 0x00, 0x01, b'a', 0x00],
        ] {
            cases.push(Case::then(version, bytes, MalformedPacket));
        }
    }
    // No properties at all; one that does not exist; one of CONNECT; one cut short; one twice.
    for (bytes, reason) in [
        (&[0x30, 0x03, 0x00, 0x01, b'a'][..], MalformedPacket),
        (&[0x30, 0x06, 0x00, 0x01, b'a', 0x02, 0x7E, 0x00], MalformedPacket),
        (&[0x30, 0x09, 0x00, 0x01, b'a', 0x05, 0x11, 0x00, 0x00, 0x00, 0x01], MalformedPacket),
        (&[0x30, 0x06, 0x00, 0x01, b'a', 0x02, 0x02, 0x00], MalformedPacket),
        (&[0x30, 0x08, 0x00, 0x01, b'a', 0x04, 0x01, 0x00, 0x01, 0x00], ReasonCode::ProtocolError),
    ] {
        cases.push(Case::then(V5, bytes, reason));
    }
    each_is_answered(&cases);
}
