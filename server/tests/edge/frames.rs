//! The frames of WebSocket, RFC 6455 section 5: MQTT is a stream in them however they are cut, and who breaks a rule is told.

use crate::support::{
    Server, encode,
    frames::{BINARY, CLOSE, Frames, PING, PONG, code, frame},
    publish, subscribe,
};
use bytes::{Bytes, BytesMut};
use luxwire_shared::mqtt::{
    Connect, ConnectProperties, Delivery, Framer, Packet, PacketId, PublishProperties, QoS, Text, TopicName,
    Version, Will, WillProperties,
};
use std::{env, iter};

const FIRST: u8 = 0x02;
const MIDDLE: u8 = 0x00;
const LAST: u8 = 0x80;

fn text(text: &str) -> Text {
    Text::try_from(text).unwrap()
}

/// CONNECT, SUBSCRIBE and a PUBLISH to oneself, each with properties.
fn conversation() -> BytesMut {
    let pair = || vec![(text("a name"), text("a value"))];
    let will = Will {
        topic: TopicName::try_from("will").unwrap(),
        payload: Bytes::from_static(b"gone"),
        qos: QoS::AtLeastOnce,
        retain: false,
        properties: WillProperties { will_delay_interval_s: Some(1), ..WillProperties::default() },
    };
    let connect = Packet::Connect(Box::new(Connect {
        version: Version::V5,
        clean_start: true,
        keep_alive_s: 60,
        client_id: text(""),
        will: Some(Box::new(will)),
        user_name: None,
        password: None,
        properties: ConnectProperties {
            receive_maximum: std::num::NonZeroU16::new(10),
            user_properties: pair(),
            ..ConnectProperties::default()
        },
    }));
    let Packet::Subscribe(mut subscribe) = subscribe(PacketId::MIN, "a/#", QoS::AtMostOnce) else { panic!() };
    subscribe.user_properties = pair();
    let delivery = Delivery::first(QoS::AtLeastOnce, PacketId::MIN);
    let Packet::Publish(mut publish) = publish("a/b", vec![b'x'; 150], delivery, false) else { panic!() };
    publish.properties = Some(Box::new(PublishProperties {
        content_type: Some(text("text/plain")),
        correlation_data: Some(Bytes::from_static(&[0, 1, 2])),
        user_properties: pair(),
        ..PublishProperties::default()
    }));
    [connect, Packet::Subscribe(subscribe), Packet::Publish(publish)]
        .iter()
        .flat_map(|packet| encode(packet, Version::V5))
        .collect()
}

/// The conversation was understood: its answers, beside which only the pongs of `pings` come.
#[track_caller]
fn check_understood(frames: &mut Frames, pings: &[Vec<u8>]) {
    let (mut framer, mut pongs) = (Framer::new(u32::MAX), Vec::new());
    let mut packet = || loop {
        if let Some(frame) = framer.next_frame().unwrap() {
            return Packet::decode(frame, Version::V5).unwrap();
        }
        match frames.next().expect("an answer") {
            (BINARY, payload) => framer.push(payload.into()),
            (PONG, payload) => pongs.push(payload),
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(packet(), Packet::Connack(_)));
    assert!(matches!(packet(), Packet::Suback(_)));
    let (one, other) = (packet(), packet());
    let (puback, message) = if matches!(one, Packet::Puback(_)) { (one, other) } else { (other, one) };
    assert!(matches!(puback, Packet::Puback(_)), "{puback:?}");
    let Packet::Publish(message) = message else { panic!("{message:?}") };
    assert_eq!(message.payload, vec![b'x'; 150]);
    while pongs.len() < pings.len() {
        match frames.next().expect("a pong") {
            (PONG, payload) => pongs.push(payload),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(pongs, pings);
}

// [MQTT-6.0.0-2] 3.1.1: [MQTT-6.0.0-2]
#[test]
fn packets_may_be_cut_at_every_byte_between_frames_and_between_fragments() {
    let server = Server::start();
    let bytes = conversation();
    for cut in 0..=bytes.len() {
        let (start, end) = bytes.split_at(cut);
        for (first, second) in [(BINARY, BINARY), (FIRST, LAST)] {
            let mut frames = Frames::open(server.http);
            frames.send(first, start);
            frames.send(second, end);
            check_understood(&mut frames, &[]);
        }
    }
}

#[test]
fn each_byte_may_have_a_frame_or_a_fragment_of_its_own() {
    let server = Server::start();
    let bytes = conversation();
    let mut frames = Frames::open(server.http);
    for byte in &bytes {
        frames.send(BINARY, &[*byte]);
    }
    check_understood(&mut frames, &[]);
    let mut frames = Frames::open(server.http);
    frames.send(FIRST, &[]);
    for byte in &bytes {
        frames.send(MIDDLE, &[*byte]);
    }
    frames.send(LAST, &[]);
    check_understood(&mut frames, &[]);
}

// The headers of frames may be cut by the network as well.
#[test]
fn frames_may_be_cut_at_every_byte_by_the_network() {
    let server = Server::start();
    let bytes = [frame(FIRST, &conversation()), frame(PING, b"?"), frame(LAST, &[])].concat();
    for cut in 1..bytes.len() {
        let mut frames = Frames::open(server.http);
        frames.send_bytes(&bytes[..cut]);
        frames.send_bytes(&bytes[cut..]);
        check_understood(&mut frames, &[b"?".to_vec()]);
    }
}

#[test]
fn many_packets_may_share_a_frame() {
    let server = Server::start();
    let mut frames = Frames::open(server.http);
    frames.send(BINARY, &conversation());
    check_understood(&mut frames, &[]);
    let pings = encode(&Packet::Pingreq, Version::V5).repeat(10_000);
    frames.send(BINARY, &pings);
    let mut answers = 0;
    while answers < pings.len() {
        let (BINARY, payload) = frames.next().expect("answers") else { panic!("no data") };
        assert!(payload.chunks(2).all(|answer| answer == [0xD0, 0x00]));
        answers += payload.len();
    }
    assert_eq!(answers, pings.len());
}

#[test]
fn a_ping_is_answered_with_the_same_payload_and_a_pong_with_nothing() {
    let server = Server::start();
    let mut frames = Frames::open(server.http);
    for len in [0, 1, 4, 124, 125] {
        let payload: Vec<u8> = (0..len).collect();
        frames.send(PONG, &payload);
        frames.send(PING, &payload);
        assert_eq!(frames.next(), Some((PONG, payload)));
    }
}

// Any cuts, in frames and fragments, with pings, pongs and nothing between them, in pieces as the network likes.
#[test]
fn the_stream_is_the_same_whatever_is_put_between_its_bytes() {
    let seed = env::var("LUXWIRE_FRAMES_SEED")
        .map_or_else(|_| getrandom::u64().unwrap(), |seed| seed.parse().expect("a number"));
    println!("LUXWIRE_FRAMES_SEED={seed}");
    let mut state = seed | 1;
    let mut below = |end: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % end as u64).unwrap()
    };
    let server = Server::start();
    for _ in 0..200 {
        let (conversation, mut sent, mut pings, mut within) = (conversation(), Vec::new(), Vec::new(), false);
        let mut rest = &conversation[..];
        while !rest.is_empty() || within {
            match below(5) {
                0 => {
                    let payload = vec![b'p'; below(126)];
                    sent.extend(frame(PING, &payload));
                    pings.push(payload);
                }
                1 => sent.extend(frame(PONG, &vec![b'u'; below(126)])),
                _ => {
                    let (piece, left) = rest.split_at(below(rest.len().min(60) + 1));
                    let is_last = below(3) == 0;
                    let kind = if within { 0x00 } else { 0x02 };
                    sent.extend(frame(kind | if is_last { 0x80 } else { 0 }, piece));
                    (rest, within) = (left, !is_last);
                }
            }
        }
        let mut frames = Frames::open(server.http);
        let mut rest = &sent[..];
        while !rest.is_empty() {
            let (piece, left) = rest.split_at(1 + below(rest.len()));
            frames.send_bytes(piece);
            rest = left;
        }
        check_understood(&mut frames, &pings);
    }
}

/// Before CONNECT and after it, whoever sends this is told this code, and the connection is closed.
#[track_caller]
fn check_refused(server: &Server, bytes: &[u8], expected: u16) {
    for connected in [false, true] {
        let mut frames = Frames::open(server.http);
        if connected {
            frames.send(BINARY, &conversation());
            check_understood(&mut frames, &[]);
        }
        frames.send_bytes(bytes);
        let came = frames.until_closed();
        assert_eq!((came.len(), code(came.first())), (1, Some(expected)), "{bytes:02x?}: {came:02x?}");
    }
}

// [MQTT-6.0.0-1] 3.1.1: [MQTT-6.0.0-1]
#[test]
fn text_is_refused_before_it_has_come() {
    let server = Server::start();
    check_refused(&server, &frame(0x81, b"hello"), 1003);
    check_refused(&server, &frame(0x81, b""), 1003);
    check_refused(&server, &frame(0x81, b"\xFF\xFE is no UTF-8"), 1003);
    // Text that would be a packet; a fragment of a text; the first byte of one that claims gigabytes.
    check_refused(&server, &frame(0x81, &[0xC0, 0x00]), 1003);
    check_refused(&server, &frame(0x01, b"hel"), 1003);
    check_refused(&server, &[0x81], 1003);
}

// RFC 6455, sections 5.1, 5.2, 5.4 and 5.5. Of each frame no more comes than what is wrong with it.
#[test]
fn frames_that_break_a_rule_are_refused_before_they_are_whole() {
    let server = Server::start();
    // Without a mask.
    for first in [BINARY, PING, PONG, CLOSE] {
        check_refused(&server, &[first, 0x01], 1002);
    }
    check_refused(&server, &[BINARY, 0x02, 0xC0, 0x00], 1002);
    // Reserved bits, of data and of control frames; there are no extensions here.
    for bit in [0x40, 0x20, 0x10] {
        check_refused(&server, &[BINARY | bit], 1002);
        check_refused(&server, &[PING | bit], 1002);
    }
    // Kinds that there are not.
    for kind in (0x3..=0x7).chain(0xB..=0xF) {
        check_refused(&server, &[0x80 | kind], 1002);
    }
    // Control frames in fragments, or longer than 125 bytes.
    for kind in [CLOSE, PING, PONG] {
        check_refused(&server, &[kind & 0x0F], 1002);
        check_refused(&server, &[kind, 0x80 | 126], 1002);
        check_refused(&server, &[kind, 0x80 | 127], 1002);
        check_refused(&server, &frame(kind, &[b'x'; 126]), 1002);
    }
    // Fragments of nothing; a message within a message.
    check_refused(&server, &[0x80], 1002);
    check_refused(&server, &[0x00], 1002);
    check_refused(&server, &[frame(FIRST, b""), vec![0x82]].concat(), 1002);
    check_refused(&server, &[frame(FIRST, b""), vec![0x81]].concat(), 1002);
}

#[test]
fn what_came_before_a_broken_rule_is_handled_and_answered() {
    let server = Server::start();
    for wrong in [&[0x81][..], &[0xC2], &[BINARY, 0x00]] {
        let mut frames = Frames::open(server.http);
        frames.send_bytes(&[&frame(BINARY, &conversation()), wrong].concat());
        check_understood(&mut frames, &[]);
        let came = frames.until_closed();
        assert!(matches!(code(came.first()), Some(1002 | 1003)) && came.len() == 1, "{came:x?}");
    }
}

// However it is made up: no more of it is kept than fits.
#[test]
fn a_message_that_is_too_large_is_refused_before_it_has_come() {
    const LIMIT: usize = 64 << 10;
    let server = Server::with(&["limits.packet_size=64 KiB"]);
    // What others put into the same message fits beside the largest packet.
    let largest = 2 * LIMIT;
    let claim = |first: u8, len: u64| [&[first, 0xFF][..], &len.to_be_bytes(), &[0; 4]].concat();
    check_refused(&server, &claim(BINARY, largest as u64 + 1), 1009);
    check_refused(&server, &claim(BINARY, u64::MAX), 1009);
    check_refused(&server, &claim(BINARY, 1 << 63), 1009);
    check_refused(&server, &claim(FIRST, largest as u64 + 1), 1009);
    // In fragments, each of which would fit: CONNECT first, and then a stream of the empty packets that PINGREQ are.
    let pings = [0xC0, 0x00].repeat(LIMIT / 2);
    let fragments = [frame(FIRST, &pings), frame(MIDDLE, &pings), frame(MIDDLE, &[0xC0])].concat();
    check_refused(&server, &fragments, 1009);
    // One that fits.
    let mut frames = Frames::open(server.http);
    let bytes = conversation();
    let rest = [0xC0, 0x00].repeat((largest - bytes.len()) / 2);
    frames.send(BINARY, &[&bytes[..], &rest].concat());
    check_understood(&mut frames, &[]);
    server.logged(&["disconnected", "a rule of WebSocket was broken", "too"]);
}

#[test]
fn hundreds_who_claim_large_messages_cost_little() {
    let server = Server::start();
    let before = server.resident();
    let strangers: Vec<_> = iter::repeat_with(|| {
        let mut frames = Frames::open(server.http);
        // As much as a stranger may send, of which a little comes.
        frames.send_bytes(&[&[BINARY, 0xFF][..], &(128_u64 << 10).to_be_bytes(), &[0; 100]].concat());
        frames
    })
    .take(500)
    .collect();
    let mut witness = Frames::open(server.http);
    witness.send(BINARY, &conversation());
    check_understood(&mut witness, &[]);
    let grown = server.resident().saturating_sub(before);
    // A WebSocket has a buffer of 4 KiB; the rest is not held before it comes.
    assert!(grown < 16 << 20, "{grown} bytes for {} connections", strangers.len());
}

#[test]
fn an_end_within_a_frame_is_an_end() {
    let server = Server::start();
    for begun in [&[BINARY][..], &[BINARY, 0x85], &frame(FIRST, b"abc"), &frame(BINARY, &[0x10])] {
        let mut frames = Frames::open(server.http);
        frames.send_bytes(begun);
        frames.shut();
        let came = frames.until_closed();
        assert!(came.len() <= 1 && came.iter().all(|(first, _)| *first == CLOSE), "{came:x?}");
    }
}
