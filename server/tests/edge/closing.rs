//! The closing handshake of WebSocket, RFC 6455 sections 5.5.1 and 7, from both sides.

use crate::support::{
    Server, connect, encode,
    frames::{BINARY, CLOSE, Frames, PING, code},
    publish,
};
use luxwire_shared::mqtt::{Delivery, PacketId, QoS, Version};
use std::time::{Duration, Instant};

fn connected(server: &Server, version: Version, client_id: &str) -> Frames {
    let mut frames = Frames::open(server.http);
    frames.send(BINARY, &encode(&connect(version, client_id), version));
    assert!(matches!(frames.next(), Some((BINARY, connack)) if connack[0] == 0x20));
    frames
}

/// Code and reason as they stand in a close frame.
fn goodbye(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes()[..], reason].concat()
}

#[test]
fn a_goodbye_is_answered_with_the_same_code_and_then_the_connection_is_closed() {
    let server = Server::start();
    for code in [1000, 1001, 1003, 1007, 1008, 1011, 1012, 3000, 3999, 4000, 4999] {
        for reason in ["", "done", "\u{e4}", &"x".repeat(123)] {
            let mut frames = connected(&server, Version::V5, "polite");
            let goodbye = goodbye(code, reason.as_bytes());
            frames.send(CLOSE, &goodbye);
            assert_eq!(frames.until_closed(), [(CLOSE, goodbye)]);
        }
    }
    // Without a code.
    let mut frames = connected(&server, Version::V5, "silent");
    frames.send(CLOSE, &[]);
    assert_eq!(frames.until_closed(), [(CLOSE, vec![])]);
    server.logged(&["disconnected", "\"silent\"", "the client closed the connection"]);
}

#[test]
fn a_goodbye_that_is_none_is_answered_with_what_is_wrong() {
    let server = Server::start();
    let check = |payload: &[u8], expected: u16| {
        let mut frames = connected(&server, Version::V5, "rude");
        frames.send(CLOSE, payload);
        let came = frames.until_closed();
        assert_eq!((came.len(), code(came.first())), (1, Some(expected)), "{payload:x?}: {came:x?}");
    };
    check(&[0x03], 1002);
    // Codes that no frame may have, or that nobody gave a meaning.
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        check(&goodbye(code, b""), 1002);
    }
    check(&goodbye(1000, b"\xC3\x28"), 1007);
}

#[test]
fn what_was_said_before_a_goodbye_is_answered_before_it() {
    let server = Server::start();
    let mut frames = connected(&server, Version::V5, "brief");
    let delivery = Delivery::first(QoS::AtLeastOnce, PacketId::MIN);
    let publish = encode(&publish("a", "x", delivery, true), Version::V5);
    let goodbye = goodbye(1000, b"");
    let sent = [(BINARY, &publish[..]), (PING, b"?"), (CLOSE, &goodbye)];
    frames.send_bytes(&sent.map(|(first, payload)| crate::support::frames::frame(first, payload)).concat());
    let came = frames.until_closed();
    let Some(((CLOSE, last), before)) = came.split_last() else { panic!("{came:x?}") };
    assert_eq!(*last, goodbye);
    assert!(
        before.iter().any(|(first, payload)| *first == BINARY && payload[0] == 0x40),
        "no PUBACK: {came:x?}"
    );
    assert_eq!(crate::support::get(server.http, "/api/v1/topics/a").status, 200);
}

#[test]
fn nothing_behind_a_goodbye_counts() {
    let server = Server::start();
    let mut frames = connected(&server, Version::V5, "chatty");
    let publish = encode(&publish("late", "x", Delivery::AtMostOnce, true), Version::V5);
    let sent =
        [(CLOSE, &goodbye(1000, b"")[..]), (BINARY, &publish), (PING, b"?"), (CLOSE, &goodbye(1001, b""))];
    frames.send_bytes(&sent.map(|(first, payload)| crate::support::frames::frame(first, payload)).concat());
    assert_eq!(frames.until_closed(), [(CLOSE, goodbye(1000, b""))]);
    assert_eq!(crate::support::get(server.http, "/api/v1/topics/late").status, 404);
}

/// What the server says when it ends this connection, whose last packet is this one: code and reason.
fn told(frames: &mut Frames, last: Option<u8>) -> (u16, String) {
    let came = frames.until_closed();
    let Some(((CLOSE, goodbye), before)) = came.split_last() else { panic!("{came:x?}") };
    let packet = before.last().map(|(_, packet)| packet[0]);
    assert_eq!(packet, last, "{came:x?}");
    let (code, reason) = goodbye.split_first_chunk().unwrap();
    (u16::from_be_bytes(*code), String::from_utf8(reason.to_vec()).unwrap())
}

const DISCONNECT: u8 = 0xE0;

// Before 5.0 there is no packet to say why, so that the reason of the close frame is all that a client hears.
#[test]
fn we_say_why_we_close() {
    let server =
        Server::with(&["limits.packet_size=64 KiB", "limits.connect_timeout_s=1", "limits.retain=false"]);
    let check = |frames: &mut Frames, last: Option<u8>, code: u16, word: &str| {
        let (told, reason) = told(frames, last);
        assert!(told == code && reason.contains(word), "{told} {reason}, not {code} {word}");
    };
    for version in [Version::V3_1, Version::V3_1_1, Version::V5] {
        let last = (version == Version::V5).then_some(DISCONNECT);
        let mut frames = connected(&server, version, "leaves");
        frames.send(BINARY, &[DISCONNECT, 0x00]);
        check(&mut frames, None, 1000, "goodbye");

        let mut frames = connected(&server, version, "malformed");
        frames.send(BINARY, &[0x36, 0x00]);
        check(&mut frames, last, 1008, "malformed");

        let mut frames = connected(&server, version, "large");
        frames.send(BINARY, &[0x30, 0xFF, 0xFF, 0x7F]);
        check(&mut frames, last, 1009, "large");

        let mut frames = connected(&server, version, "twice");
        frames.send(BINARY, &encode(&connect(version, "twice"), version));
        check(&mut frames, last, 1008, "must not come");

        let mut frames = connected(&server, version, "taken");
        let _next = connected(&server, version, "taken");
        check(&mut frames, last, 1008, "connected again");

        let mut frames = connected(&server, version, "retains");
        frames.send(BINARY, &encode(&publish("a", "x", Delivery::AtMostOnce, true), version));
        check(&mut frames, last, 1008, "RetainNotSupported");
    }
    check(&mut Frames::open(server.http), None, 1008, "no CONNECT in time");
    let mut frames = Frames::open(server.http);
    frames.send(BINARY, &[0xC0]);
    check(&mut frames, None, 1008, "no CONNECT");
}

#[test]
fn whoever_does_not_answer_our_goodbye_is_not_waited_for() {
    let server = Server::start();
    let mut frames = connected(&server, Version::V5, "silent");
    let started = Instant::now();
    frames.send(BINARY, &[DISCONNECT, 0x00]);
    assert_eq!(code(frames.until_closed().first()), Some(1000));
    // It neither answers nor closes its end; its place is free all the same.
    server.logged(&["disconnected", "\"silent\""]);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn an_answer_to_our_goodbye_ends_it_at_once() {
    let server = Server::start();
    let mut frames = connected(&server, Version::V5, "polite");
    frames.send(BINARY, &[DISCONNECT, 0x00]);
    let Some((CLOSE, goodbye)) = frames.next() else { panic!("no goodbye") };
    frames.send(CLOSE, &goodbye[..2]);
    assert_eq!(frames.next(), None);
}
