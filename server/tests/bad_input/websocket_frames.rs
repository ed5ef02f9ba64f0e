//! Frames of WebSocket: shorter than the packet that they hold, broken, or far too many.

use crate::{
    bytes::connect,
    exchange::{Said, frame, said_over_websocket, upgrade},
    house::{House, REPETITIONS},
    support::{DEADLINE, Server},
};
use luxwire_shared::mqtt::{
    Packet, ReasonCode,
    Version::{V3_1_1, V5},
};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    thread,
    time::Duration,
};

/// A connection whose handshake is sent, with these bytes right behind it.
fn begun(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(server.http).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.write_all(&[upgrade(server).as_bytes(), bytes].concat()).unwrap();
    socket
}

/// What the server says to `bytes` behind the handshake.
fn said(server: &Server, bytes: &[u8]) -> Said {
    said_over_websocket(&mut begun(server, bytes), V5)
}

/// The flag and code of a binary frame; one that goes on; the last of those that go on; text; close; ping.
const BINARY: u8 = 0x82;
const BEGINS: u8 = 0x02;
const GOES_ON: u8 = 0x00;
const ENDS: u8 = 0x80;
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;

// Row 4, NanoMQ CVE-2026-25627: a Remaining Length of 4,096 and three bytes in the frame; the rest comes later, in other
// frames, or never. The server waits for it.
#[test]
fn row_4_a_frame_shorter_than_its_packet() {
    let mut house = House::new();
    let publish = [&[0x30, 0x80, 0x20, 0x00, 0x01, b'a', 0x00][..], &[b'x'; 4_092]].concat();
    let hello = frame(BINARY, &connect(V5, "frames"));
    let pings = frame(BINARY, &[0xC0, 0x00]);
    house.endures(3 * REPETITIONS, |server, number| {
        let begin = [hello.clone(), frame(BINARY, &publish[..3 + number % 4])].concat();
        match number % 3 {
            // A goodbye instead of the rest; nothing was read beyond the frame.
            0 => {
                let said = said(server, &[begin, frame(CLOSE, &[0x03, 0xE8])].concat());
                assert!(matches!(&said.packets[..], [Packet::Connack(_)]), "{said:?}");
                assert_eq!(said.close_code, Some(1000));
            }
            // The rest in frames of a hundred bytes, some of them empty, and two packets in the last.
            1 => {
                let mut bytes = begin;
                for rest in publish[3 + number % 4..].chunks(100) {
                    bytes.extend(frame(BINARY, rest));
                    bytes.extend(frame(BINARY, b""));
                }
                bytes.extend(frame(BINARY, &[0xC0, 0x00, 0xE0, 0x00]));
                let said = said(server, &bytes);
                assert!(matches!(&said.packets[..], [Packet::Connack(_), Packet::Pingresp]), "{said:?}");
            }
            // The connection is cut.
            _ => drop(begun(server, &begin)),
        }
    });
    // Each byte in a frame of its own, and each frame in a fragment.
    house.endures(REPETITIONS, |server, number| {
        let one_by_one = |bytes: &[u8]| -> Vec<u8> {
            bytes
                .iter()
                .enumerate()
                .flat_map(|(at, byte)| match (number % 2, at + 1 == bytes.len()) {
                    (0, _) => frame(BINARY, &[*byte]),
                    (_, is_last) => frame(
                        match (at, is_last) {
                            (0, false) => BEGINS,
                            (_, false) => GOES_ON,
                            (_, true) => ENDS,
                        },
                        &[*byte],
                    ),
                })
                .collect()
        };
        let bytes = [one_by_one(&connect(V5, "frames")), pings.clone(), one_by_one(&[0xE0, 0x00])].concat();
        let said = said(server, &bytes);
        assert!(matches!(&said.packets[..], [Packet::Connack(_), Packet::Pingresp]), "{said:?}");
    });
    house.ends_unharmed();
}

// Frames that break the rules of RFC 6455, before CONNECT and behind it: the code says which kind of rule. [MQTT-6.0.0-1]
#[test]
fn row_4_frames_that_are_none() {
    let claims = |len: u64| [&[BINARY, 0xFF][..], &len.to_be_bytes(), &[0; 4]].concat();
    let cases = [
        // Text, empty as well. [MQTT-6.0.0-1]
        (frame(TEXT, b"hello"), 1003),
        (frame(TEXT, b""), 1003),
        // Not masked; reserved bits; codes that nobody defined.
        (vec![BINARY, 2, 0xC0, 0x00], 1002),
        (frame(0xC2, b"x"), 1002),
        (frame(0xA2, b"x"), 1002),
        (frame(0x83, b"x"), 1002),
        (frame(0x8F, b"x"), 1002),
        // Goes on from nothing; begins anew within a message.
        (frame(ENDS, b"x"), 1002),
        ([frame(BEGINS, b"x"), frame(BINARY, b"y")].concat(), 1002),
        // A ping that is cut, or longer than it may be; a close frame of one byte.
        (frame(0x09, b"x"), 1002),
        (frame(PING, &[b'x'; 126]), 1002),
        (frame(CLOSE, &[0x03]), 1002),
        // More than any packet has, claimed and never sent.
        (claims(1 << 20), 1009),
        (claims(1 << 40), 1009),
        (claims(u64::MAX), 1009),
    ];
    let mut house = House::new();
    house.endures(2 * cases.len() * 128, |server, number| {
        let (bytes, code) = &cases[number % cases.len()];
        // Behind a CONNECT that is accepted, more may be sent.
        let is_known = number / cases.len() % 2 == 1;
        if is_known && *bytes == claims(1 << 20) {
            return;
        }
        let before = if is_known { frame(BINARY, &connect(V5, "frames")) } else { Vec::new() };
        let said = said(server, &[before, bytes.clone()].concat());
        assert_eq!(said.packets.len(), usize::from(is_known), "{bytes:02x?} {said:?}");
        assert_eq!(said.close_code, Some(*code), "{bytes:02x?}");
    });
    house.ends_unharmed();
}

// A close frame with a code or a reason that cannot be: answered with a close frame, and closed.
#[test]
fn row_4_goodbyes_that_are_none() {
    let mut house = House::new();
    let goodbyes: [&[u8]; 5] = [b"", &[0x03, 0xE8], &[0x03, 0xED], &[0xFF, 0xFF], &[0x03, 0xE8, 0xC3, 0x28]];
    house.endures(goodbyes.len() * REPETITIONS, |server, number| {
        let goodbye = goodbyes[number % goodbyes.len()];
        let bytes = [frame(BINARY, &connect(V3_1_1, "frames")), frame(CLOSE, goodbye)].concat();
        let said = said_over_websocket(&mut begun(server, &bytes), V3_1_1);
        assert!(
            matches!(&said.packets[..], [Packet::Connack(connack)] if connack.reason == ReasonCode::Success)
        );
    });
    house.ends_unharmed();
}

/// Sends the same again and again until nothing more is taken, and says how much was.
fn send_until_blocked(socket: &mut TcpStream, bytes: &[u8], at_most: usize) -> usize {
    socket.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut sent = 0;
    while sent < at_most {
        // Goes on where it was cut.
        match socket.write(&bytes[sent % bytes.len()..]) {
            Ok(len) => sent += len,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
            Err(error) => panic!("{error}"),
        }
    }
    sent
}

// Pings without end from somebody who reads no pong, before CONNECT and behind it: no answers pile up.
#[test]
fn row_4_pings_whose_answers_nobody_reads() {
    let mut house = House::new();
    const PINGS: usize = 500;
    let pings = frame(PING, &[b'p'; 125]).repeat(PINGS);
    let empty = house.server.resident();
    house.endures(1, |server, _| {
        for hello in [Vec::new(), frame(BINARY, &connect(V5, "pings"))] {
            let mut socket = begun(server, &hello);
            let sent = send_until_blocked(&mut socket, &pings, 64 << 20);
            let held = server.resident().saturating_sub(empty);
            assert!(held < 4 << 20, "{held} bytes wait for one who does not read; {sent} bytes were taken");
            assert!(sent < 64 << 20, "it is read on and on");
            // Who reads after all is heard to the end.
            let mut reader = socket.try_clone().unwrap();
            let reader = thread::spawn(move || said_over_websocket(&mut reader, V5));
            socket.set_write_timeout(Some(DEADLINE)).unwrap();
            let ping_len = pings.len() / PINGS;
            if !sent.is_multiple_of(ping_len) {
                socket.write_all(&pings[sent % ping_len..ping_len]).unwrap();
            }
            socket.write_all(&frame(CLOSE, &[0x03, 0xE8])).unwrap();
            assert_eq!(reader.join().unwrap().close_code, Some(1000));
        }
    });
    house.ends_unharmed();
}

// Frames of nothing without end: they cost time and nothing else, and others are served in between.
#[test]
fn row_4_frames_of_nothing() {
    let mut house = House::new();
    let nothing = [frame(BINARY, b""), frame(BEGINS, b""), frame(GOES_ON, b""), frame(ENDS, b"")]
        .concat()
        .repeat(4_000);
    house.endures(8, |server, _| {
        let mut socket = begun(server, &frame(BINARY, &connect(V5, "nothing")));
        socket.write_all(&nothing).unwrap();
        socket.write_all(&frame(BINARY, &[0xC0, 0x00, 0xE0, 0x00])).unwrap();
        let said = said_over_websocket(&mut socket, V5);
        assert!(matches!(&said.packets[..], [Packet::Connack(_), Packet::Pingresp]), "{said:?}");
        assert_eq!(socket.read(&mut [0]).unwrap_or_default(), 0);
    });
    house.ends_unharmed();
}
