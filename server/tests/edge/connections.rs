//! What the standard says of connections, at real ones: how they begin, what their last word is, whose they are, and
//! how long they may be silent. The broker decides all of it, and its own tests show that it does; here it must come out of
//! the sockets, TCP's and WebSocket's alike.

use crate::support::{Client, Server, connect, encode, publish};
use luxwire_shared::mqtt::{
    Connect, Delivery, Packet, QoS, ReasonCode, Text, TopicName, Version, Will, WillProperties,
};
use std::time::{Duration, Instant};

/// A connection to each port that has said nothing.
fn on_both_ports(server: &Server) -> [Client; 2] {
    [Client::tcp(server.mqtt), Client::websocket(server.http)]
}

/// CONNECT, with something changed.
fn connect_with(version: Version, client_id: &str, change: impl FnOnce(&mut Connect)) -> Packet {
    let mut packet = connect(version, client_id);
    if let Packet::Connect(connect) = &mut packet {
        change(connect);
    }
    packet
}

// [MQTT-3.2.2-7] [MQTT-3.1.4-6] [MQTT-4.12.0-1]
#[test]
fn who_is_refused_hears_why_and_nothing_behind_its_connect_counts() {
    let server = Server::start();
    let mut watcher = Client::connected(server.mqtt, Version::V5, "watcher");
    watcher.subscribe("#", QoS::AtMostOnce);
    for mut client in on_both_ports(&server) {
        let refused = connect_with(Version::V5, "refused", |connect| {
            connect.properties.authentication_method = Some(Text::try_from("nobody knows it").unwrap());
        });
        let mut bytes = encode(&refused, Version::V5);
        let message = publish("a", "never said", Delivery::AtMostOnce, true);
        bytes.extend_from_slice(&encode(&message, Version::V5));
        client.send_bytes(&bytes);
        let packets = client.until_closed();
        let [Packet::Connack(connack)] = &packets[..] else { panic!("{packets:?}") };
        assert_eq!(connack.reason, ReasonCode::BadAuthenticationMethod);
        watcher.ping();
    }
}

// [MQTT-3.14.4-1] [MQTT-3.14.4-2] [MQTT-4.13.1-1] [MQTT-4.13.2-1] 3.1.1: [MQTT-4.8.0-1]
#[test]
fn disconnect_is_the_last_word_and_before_5_0_there_is_none() {
    let server = Server::start();
    // PUBLISH with QoS 3, and PINGREQ, which is not answered any more.
    let bytes = [0x36, 0x00, 0xC0, 0x00];
    for mut client in on_both_ports(&server) {
        client.connect(Version::V5, "client");
        client.send_bytes(&bytes);
        let packets = client.until_closed();
        let [Packet::Disconnect(disconnect)] = &packets[..] else { panic!("{packets:?}") };
        assert_eq!(disconnect.reason, ReasonCode::MalformedPacket);
    }
    for version in [Version::V3_1, Version::V3_1_1] {
        for mut client in on_both_ports(&server) {
            client.connect(version, "client");
            client.send_bytes(&bytes);
            assert_eq!(client.until_closed(), []);
        }
    }
}

// [MQTT-3.1.3-2] [MQTT-3.1.4-3] 3.1.1: [MQTT-3.1.4-2]
#[test]
fn a_session_belongs_to_its_identifier_whatever_the_transport() {
    let server = Server::start();
    for version in [Version::V3_1_1, Version::V5] {
        let [tcp, websocket] = on_both_ports(&server);
        let [other_tcp, other_websocket] = on_both_ports(&server);
        for (name, mut first, mut second) in
            [("to WebSocket", tcp, other_websocket), ("to TCP", websocket, other_tcp)]
        {
            let staying = connect_with(version, &format!("{version:?} {name}"), |connect| {
                connect.clean_start = false;
                connect.properties.session_expiry_interval_s = (version == Version::V5).then_some(60);
            });
            assert!(!first.connect_as(&staying, version).session_present);
            first.subscribe("a", QoS::AtLeastOnce);
            assert!(second.connect_as(&staying, version).session_present);
            match &first.until_closed()[..] {
                [Packet::Disconnect(disconnect)] if version == Version::V5 => {
                    assert_eq!(disconnect.reason, ReasonCode::SessionTakenOver);
                }
                [] if version == Version::V3_1_1 => {}
                other => panic!("{other:?}"),
            }
            let mut publisher = Client::connected(server.mqtt, Version::V5, "publisher");
            publisher.publish("a", "x", QoS::AtLeastOnce, false);
            assert_eq!(second.message().payload, "x");
        }
    }
}

// [MQTT-3.1.2-22] [MQTT-3.1.2-8] 3.1.1: [MQTT-3.1.2-24]
#[test]
fn who_is_silent_for_one_and_a_half_keep_alives_is_closed_though_messages_come_to_it() {
    let server = Server::start();
    let mut watcher = Client::connected(server.mqtt, Version::V5, "watcher");
    watcher.subscribe("gone/+", QoS::AtMostOnce);
    let began = Instant::now();
    let mut silent = Vec::new();
    for version in [Version::V3_1_1, Version::V5] {
        for mut client in on_both_ports(&server) {
            let name = silent.len().to_string();
            let connecting = connect_with(version, &name, |connect| {
                connect.keep_alive_s = 1;
                connect.will = Some(Box::new(Will {
                    topic: TopicName::try_from(format!("gone/{name}").as_str()).unwrap(),
                    payload: name.clone().into(),
                    qos: QoS::AtMostOnce,
                    retain: false,
                    properties: WillProperties::default(),
                }));
            });
            client.connect_as(&connecting, version);
            client.subscribe("a", QoS::AtMostOnce);
            silent.push(client);
        }
    }
    watcher.publish("a", "for those who are silent", QoS::AtLeastOnce, false);
    for client in &mut silent {
        let packets = client.until_closed();
        let (Packet::Publish(_), last_words) = packets.split_first().unwrap() else { panic!("{packets:?}") };
        match last_words {
            [Packet::Disconnect(disconnect)] if client.version == Version::V5 => {
                assert_eq!(disconnect.reason, ReasonCode::KeepAliveTimeout);
            }
            [] if client.version == Version::V3_1_1 => {}
            other => panic!("{:?} {other:?} {:?}", client.version, began.elapsed()),
        }
    }
    let took = began.elapsed();
    assert!((Duration::from_millis(1500)..Duration::from_secs(5)).contains(&took), "{took:?}");
    let mut wills: Vec<_> = silent.iter().map(|_| watcher.message().payload).collect();
    wills.sort();
    assert_eq!(wills, ["0", "1", "2", "3"]);
}
