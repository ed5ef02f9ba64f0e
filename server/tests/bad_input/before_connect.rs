//! Strangers: what comes before a CONNECT, instead of one, or as one that never ends.

use crate::{
    bytes::connect,
    cases::{Case, each_is_answered},
    exchange::Wanted,
    house::{House, TOLERANCE},
    support::{self, Client, DEADLINE, eventually},
};
use luxwire_shared::mqtt::{Packet, ReasonCode, Version};
use std::{io::Read as _, net::TcpStream, time::Instant};

const V3: Version = Version::V3_1_1;

// Row 2, sol (2026), mosquitto CVE-2021-28166, rumqttd PR 812: any packet before CONNECT; what only servers send.
// [MQTT-3.1.0-1]
#[test]
fn row_2_any_packet_before_connect() {
    each_is_answered(
        &[
            &[0x40, 0x02, 0x00, 0x01][..],
            &[0x20, 0x02, 0x00, 0x00],
            &[0x90, 0x03, 0x00, 0x01, 0x00],
            &[0xB0, 0x02, 0x00, 0x01],
            &[0xD0, 0x00],
            &[0xF0, 0x00],
            &[0x00, 0x00],
        ]
        .map(|bytes| Case::first(V3, bytes, Wanted::Close)),
    );
}

// The same after CONNECT; mosquitto CVE-2021-28166: CONNACK sent to the broker. [MQTT-3.1.0-2]
#[test]
fn row_2_what_only_servers_send_after_connect() {
    let mut cases = Vec::new();
    for (bytes, bytes_5) in [
        (&[0x20, 0x02, 0x00, 0x00][..], &[0x20, 0x03, 0x00, 0x00, 0x00][..]),
        (&[0x90, 0x03, 0x00, 0x01, 0x00], &[0x90, 0x04, 0x00, 0x01, 0x00, 0x00]),
        (&[0xB0, 0x02, 0x00, 0x01], &[0xB0, 0x04, 0x00, 0x01, 0x00, 0x00]),
        (&[0xD0, 0x00], &[0xD0, 0x00]),
        (&connect(V3, "again"), &connect(Version::V5, "again")),
    ] {
        cases.push(Case::then(V3, bytes, ReasonCode::ProtocolError));
        cases.push(Case::then(Version::V5, bytes_5, ReasonCode::ProtocolError));
    }
    cases.push(Case::then(Version::V3_1, [0x20, 0x02, 0x00, 0x00], ReasonCode::ProtocolError));
    each_is_answered(&cases);
}

// Row 1, mosquitto CVE-2017-7651 and CVE-2023-0809, EMQX CVE-2021-33175, VerneMQ CVE-2021-33176, RabbitMQ
// CVE-2021-22116: a first packet that announces up to 268,435,455 bytes. Nothing is waited for.
#[test]
fn row_1_a_first_packet_that_announces_much() {
    each_is_answered(
        &[
            // CONNECT: all that a length can say, and one byte more than a stranger may send.
            &[0x10, 0xFF, 0xFF, 0xFF, 0x7F][..],
            &[0x10, 0xFF, 0xFF, 0xFF, 0x7F, 0x00, 0x04, b'M', b'Q', b'T', b'T', 0x05],
            &[0x10, 0xFD, 0xFF, 0x03],
            // Others, which close with their first byte.
            &[0x30],
            &[0x30, 0xFF, 0xFF, 0xFF, 0x7F],
            &[0x82, 0xFF, 0xFF, 0xFF, 0x7F],
            &[0xE0, 0xFF, 0xFF, 0xFF, 0x7F],
        ]
        .map(|bytes| Case::first(V3, bytes, Wanted::Close)),
    );
}

/// As many as a test may hold open at once besides others.
const CROWD: usize = 400;

// The same row: within the limit, trickled or not sent at all, from hundreds at once.
#[test]
fn row_1_hundreds_who_announce_much_and_trickle() {
    let mut house = House::with(&["limits.connect_timeout_s=2"]);
    let empty = house.server.resident();
    house.endures(1, |server, _| {
        let mut crowd: Vec<_> = (0..CROWD)
            .map(|number| match number % 2 {
                0 => Client::tcp(server.mqtt),
                _ => Client::websocket(server.http),
            })
            .collect();
        for byte in [0x10, 0xFC, 0xFF, 0x03, 0x00, 0x04, b'M', b'Q', b'T', b'T'] {
            for client in &mut crowd {
                client.send_bytes(&[byte]);
            }
        }
        let held = server.resident().saturating_sub(empty);
        // A buffer of a WebSocket has 4 KiB; what was announced are 64 KiB each.
        assert!(held < (CROWD as u64) * (10 << 10), "{held} bytes for {CROWD} strangers");
        for client in &mut crowd {
            assert_eq!(client.until_closed(), [], "closed when the time for CONNECT is over");
        }
    });
    house.ends_unharmed();
}

// Row 18, mosquitto CVE-2023-5632: connect, send nothing, never read: no busy loop, and an end.
#[test]
fn row_18_those_who_say_nothing() {
    let mut house = House::with(&["limits.connect_timeout_s=2"]);
    house.endures(1, |server, _| {
        let mut crowd: Vec<_> = (0..CROWD)
            .map(|number| TcpStream::connect([server.mqtt, server.http][number % 2]).unwrap())
            .collect();
        // The witnesses make it busy, whether or not others are there.
        let (busy, started) = (server.processor_time(), Instant::now());
        for silent in &mut crowd {
            silent.set_read_timeout(Some(DEADLINE)).unwrap();
            assert_eq!(silent.read_to_end(&mut Vec::new()).unwrap_or_default(), 0);
        }
        let (busy, passed) = (server.processor_time() - busy, started.elapsed());
        assert!(busy < passed * 3 / 4, "busy for {busy:?} of {passed:?} because of those who say nothing");
    });
    house.ends_unharmed();
}

// Row 17, CVE-2020-13849: 3.1.1 with the longest keep alive or none, and then nothing, many times. The number of
// connections has a bound, and each costs little.
#[test]
fn row_17_idle_connections_without_keep_alive() {
    let connections = format!("limits.connections={}", CROWD + 2);
    let mut house = House::with(&[&connections]);
    let empty = house.server.resident();
    house.endures(1, |server, _| {
        let crowd: Vec<_> = (0..CROWD)
            .map(|number| {
                let mut client = match number % 2 {
                    0 => Client::tcp(server.mqtt),
                    _ => Client::websocket(server.http),
                };
                let mut connecting = support::connect(V3, &format!("idle {number}"));
                if let (Packet::Connect(connect), 2..) = (&mut connecting, number % 4) {
                    connect.keep_alive_s = u16::MAX;
                }
                client.connect_as(&connecting, V3);
                client
            })
            .collect();
        assert_eq!(Client::tcp(server.mqtt).until_closed(), [], "nobody is let in beyond the limit");
        let held = server.resident().saturating_sub(empty);
        assert!(held < (CROWD as u64) * (10 << 10) + TOLERANCE, "{held} bytes for {CROWD} idle clients");
        drop(crowd);
        let mut next = eventually("a place for another", || {
            let mut client = Client::tcp(server.mqtt);
            client.try_send_bytes(&connect(Version::V5, "next")).ok()?;
            client.receive_or_end().map(|_| client)
        });
        next.ping();
    });
    house.ends_unharmed();
}
