//! TCP and WebSocket are two ways to the same broker, and neither cares how the network cuts the bytes.

use crate::support::{Client, Server, connect, encode, publish, subscribe};
use bytes::BytesMut;
use luxwire_shared::mqtt::{Delivery, Packet, PacketId, QoS, Version};

const VERSIONS: [Version; 3] = [Version::V3_1, Version::V3_1_1, Version::V5];

fn client(server: &Server, websocket: bool, version: Version, client_id: &str) -> Client {
    if websocket {
        Client::connected_by_websocket(server.http, version, client_id)
    } else {
        Client::connected(server.mqtt, version, client_id)
    }
}

#[test]
fn messages_go_between_all_transports_and_versions() {
    let server = Server::start();
    let kinds: Vec<_> =
        [false, true].into_iter().flat_map(|ws| VERSIONS.map(|version| (ws, version))).collect();
    let mut subscribers: Vec<_> = kinds
        .iter()
        .enumerate()
        .map(|(number, (ws, version))| {
            let mut subscriber = client(&server, *ws, *version, &format!("subscriber{number}"));
            subscriber.subscribe("lights/+/intensity", QoS::AtLeastOnce);
            subscriber
        })
        .collect();
    for (number, (ws, version)) in kinds.iter().enumerate() {
        let mut publisher = client(&server, *ws, *version, &format!("publisher{number}"));
        publisher.publish("lights/desk/intensity", format!("{number}"), QoS::AtLeastOnce, true);
        for subscriber in &mut subscribers {
            let message = subscriber.message();
            assert_eq!(message.payload, format!("{number}"));
            assert_eq!(message.qos(), QoS::AtLeastOnce);
            assert!(!message.retain);
            let id = message.delivery.packet_id().unwrap();
            subscriber.send(&Packet::Puback(luxwire_shared::mqtt::Acknowledge::success(id)));
        }
    }
}

#[test]
fn a_large_message_passes_whole() {
    let server = Server::start();
    let payload: Vec<u8> = (0..1_000_000u32).map(|at| (at % 251) as u8).collect();
    for (from_ws, to_ws) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut subscriber = client(&server, to_ws, Version::V5, "subscriber");
        subscriber.subscribe("big", QoS::AtMostOnce);
        let mut publisher = client(&server, from_ws, Version::V5, "publisher");
        publisher.publish("big", payload.clone(), QoS::AtMostOnce, false);
        assert!(subscriber.message().payload == payload, "from WebSocket: {from_ws}, to WebSocket: {to_ws}");
    }
}

/// CONNECT, SUBSCRIBE and PUBLISH to oneself.
fn conversation(version: Version) -> BytesMut {
    let id = PacketId::MIN;
    let mut bytes = encode(&connect(version, ""), version);
    bytes.extend(encode(&subscribe(id, "a/#", QoS::AtMostOnce), version));
    bytes.extend(encode(
        &publish("a/b", vec![b'x'; 200], Delivery::AtLeastOnce { id, dup: false }, false),
        version,
    ));
    bytes
}

fn check_conversation(client: &mut Client) {
    assert!(matches!(client.receive(), Packet::Connack(_)));
    assert!(matches!(client.receive(), Packet::Suback(_)));
    let (mut acknowledged, mut delivered) = (false, false);
    while !(acknowledged && delivered) {
        match client.receive() {
            Packet::Puback(_) => acknowledged = true,
            Packet::Publish(publish) => {
                assert_eq!(publish.payload, vec![b'x'; 200]);
                delivered = true;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn packets_may_span_segments_byte_by_byte() {
    let server = Server::start();
    let mut client = Client::tcp(server.mqtt);
    for byte in conversation(Version::V5) {
        client.send_bytes(&[byte]);
    }
    check_conversation(&mut client);
}

#[test]
fn many_packets_may_share_a_segment_or_a_frame() {
    let server = Server::start();
    for websocket in [false, true] {
        let mut client = if websocket { Client::websocket(server.http) } else { Client::tcp(server.mqtt) };
        client.send_bytes(&conversation(Version::V5));
        check_conversation(&mut client);
    }
}

// The standard lets a frame hold many, but there are clients that take a frame for a packet.
#[test]
fn each_packet_has_a_websocket_frame_of_its_own() {
    const MESSAGES: usize = 500;
    let server = Server::start();
    let mut subscriber = Client::connected_by_websocket(server.http, Version::V5, "subscriber");
    subscriber.subscribe("a", QoS::AtMostOnce);
    let mut publisher = Client::connected(server.mqtt, Version::V5, "publisher");
    let message = encode(&publish("a", "x", Delivery::AtMostOnce, false), Version::V5);
    subscriber.frames = 0;
    // They come in one turn, and go in one.
    publisher.send_bytes(&message.repeat(MESSAGES));
    for _ in 0..MESSAGES {
        subscriber.message();
    }
    assert_eq!(subscriber.frames, MESSAGES);
}

// [MQTT-4.2-1]
#[test]
fn order_is_kept_across_turns() {
    let server = Server::start();
    for websocket in [false, true] {
        let mut subscriber = client(&server, websocket, Version::V5, "subscriber");
        subscriber.subscribe("count", QoS::AtMostOnce);
        let mut publisher = client(&server, websocket, Version::V5, "publisher");
        for number in 0..2_000 {
            publisher.publish("count", format!("{number}"), QoS::AtMostOnce, false);
        }
        for number in 0..2_000 {
            assert_eq!(subscriber.message().payload, format!("{number}"));
        }
    }
}
