//! Times at the ends of their range, in packets and in settings.

use crate::{
    bytes::{packet, properties, text},
    house::{House, REPETITIONS},
    support::{self, Client},
};
use luxwire_shared::mqtt::{
    Packet, QoS, ReasonCode,
    Version::{V3_1_1, V5},
};

// FlashMQ CVE-2026-42209: retained messages with odd expiry times. 0 is over at once; the longest is handed on.
#[test]
fn row_retained_messages_with_odd_expiry() {
    let mut house = House::new();
    let mut publisher = Client::connected(house.server.mqtt, V5, "publisher");
    house.endures(REPETITIONS, |server, number| {
        for (expiry_s, kept) in [(0_u32, false), (u32::MAX, true), (u32::MAX - 1, true)] {
            let expiry = properties(V5, [&[0x02][..], &expiry_s.to_be_bytes()].concat());
            publisher.send_bytes(&packet(0x33, [&text("odd")[..], &[0, 1], &expiry, b"x"].concat()));
            assert!(matches!(publisher.receive(), Packet::Puback(_)));
            let mut reader = match number % 2 {
                0 => Client::connected(server.mqtt, V5, "reader"),
                _ => Client::connected_by_websocket(server.http, V3_1_1, "reader"),
            };
            reader.subscribe("odd", QoS::AtMostOnce);
            if kept {
                let message = reader.message();
                let left = message.properties.and_then(|properties| properties.message_expiry_interval_s);
                // 3.1.1 has no properties. Some seconds may have passed.
                assert!(number % 2 == 1 || left.is_some_and(|left| expiry_s - left < 60), "{left:?}");
            }
            reader.ping();
        }
        publisher.publish("odd", "", QoS::AtLeastOnce, true);
    });
    drop(publisher);
    house.ends_unharmed();
}

// The same for sessions, wills and keep alive: the longest there are, and the shortest.
#[test]
fn row_sessions_with_odd_times() {
    let mut house = House::new();
    house.endures(REPETITIONS, |server, number| {
        let mut client = Client::tcp(server.mqtt);
        let mut connecting = support::connect(V5, "odd");
        if let Packet::Connect(connect) = &mut connecting {
            connect.keep_alive_s = [0, 1, u16::MAX][number % 3];
            connect.properties.session_expiry_interval_s = Some([u32::MAX, u32::MAX - 1, 0, 1][number % 4]);
            connect.properties.receive_maximum = Some([1, u16::MAX][number % 2].try_into().unwrap());
        }
        let connack = client.connect_as(&connecting, V5);
        assert!(!connack.session_present);
        // DISCONNECT that asks for another end of the session; one that may not, as its CONNECT said 0. [MQTT-3.1.2-23]
        client.send_bytes(&[0xE0, 0x07, 0x00, 0x05, 0x11, 0xFF, 0xFF, 0xFF, 0xFF]);
        let packets = client.until_closed();
        match &packets[..] {
            [] => assert_ne!(number % 4, 2),
            [Packet::Disconnect(disconnect)] => {
                assert_eq!((number % 4, disconnect.reason), (2, ReasonCode::ProtocolError));
            }
            other => panic!("{other:?}"),
        }
    });
    // The session that waits ends with a clean start.
    drop(Client::connected(house.server.mqtt, V5, "odd"));
    house.ends_unharmed();
}

// The same for settings: each at the end of its range where it means something, and the broker works.
#[test]
fn row_settings_at_the_end_of_their_range() {
    for settings in [
        &[
            "sys.interval_s=0",
            "limits.keep_alive_s=0",
            "limits.topic_alias_maximum=0",
            "limits.receive_maximum=1",
        ][..],
        &[
            "sys.interval_s=1",
            "limits.keep_alive_s=10",
            "limits.connect_timeout_s=1",
            "limits.stall_timeout_s=1",
        ],
        &["limits.packet_size=1024", "limits.session_queue_messages=0", "limits.session_queue_bytes=0"],
        &["sys.interval_s=3600", "limits.packet_size=268435455", "limits.topic_alias_maximum=65535"],
    ] {
        let mut house = House::with(settings);
        house.endures(REPETITIONS, |server, number| {
            let version = [V5, V3_1_1][number % 2];
            let mut client = Client::connected(server.mqtt, version, "client");
            client.publish("odd", "x", QoS::AtLeastOnce, true);
            client.publish("odd", "", QoS::AtLeastOnce, true);
            client.subscribe("$SYS/broker/version", QoS::AtLeastOnce);
            client.ping_through_messages();
        });
        house.ends_unharmed();
    }
}
