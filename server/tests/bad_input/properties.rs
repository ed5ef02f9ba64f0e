//! Packets of nothing but properties, and topic aliases beyond what was announced.

use crate::{
    bytes::{CLEAN, WILL, connect, connect_with, packet, text, variable},
    cases::{Case, each_is_answered},
    exchange::{Transport, Wanted, check, exchange},
    house::House,
    support::Client,
};
use luxwire_shared::mqtt::{
    Packet, QoS,
    ReasonCode::{ProtocolError, QuotaExceeded, TopicAliasInvalid},
    Version::V5,
};
use std::time::Duration;

/// So many user properties of five bytes.
fn user_properties(count: usize) -> Vec<u8> {
    [0x26, 0, 0, 0, 0].repeat(count)
}

/// A PUBLISH with these properties.
fn publish(properties: &[u8]) -> Vec<u8> {
    packet(0x30, [&text("a"), &variable(properties.len()), properties, b"x"].concat())
}

// Row 12, mosquitto CVE-2021-41039: a CONNECT with as many user properties as a stranger's packet holds, and other
// packets with as many as any packet holds. More than 64 are refused when the 65th comes: time does not grow with them.
#[test]
fn row_12_user_properties_without_number() {
    let mut house = House::new();
    // 64 KiB before CONNECT is accepted, 1 MiB behind it.
    let (few, many) = (user_properties(13_000), user_properties(209_000));
    let will = [text("id"), variable(few.len()), few.clone(), text("will"), text("gone")].concat();
    let first = [connect_with(V5, CLEAN, &few, text("id")), connect_with(V5, WILL, [], will)];
    let subscribe = [vec![0, 1], variable(many.len()), many.clone(), text("a"), vec![0]].concat();
    let unsubscribe = [vec![0, 1], variable(many.len()), many.clone(), text("a")].concat();
    let then = [
        publish(&many),
        packet(0x82, subscribe),
        packet(0xA2, unsubscribe),
        packet(0x40, [vec![0, 1, 0], variable(many.len()), many.clone()].concat()),
        packet(0xE0, [vec![0], variable(many.len()), many].concat()),
    ];
    let before = house.server.processor_time();
    let mut packets = 0;
    house.endures(64, |server, number| {
        let transport = if number % 4 == 3 { Transport::WebSocket } else { Transport::Tcp };
        let bytes = &first[number % 2];
        check(&exchange(server, transport, V5, bytes), Wanted::Refusal(QuotaExceeded), V5, transport);
        if number % 8 == 0 {
            let bytes = [connect(V5, "many"), then[number / 8 % then.len()].clone()].concat();
            let said = exchange(server, transport, V5, &bytes);
            check(&said, Wanted::Disconnect(QuotaExceeded), V5, number / 8 % then.len());
        }
        packets += 1;
    });
    let busy = house.server.processor_time() - before;
    // Comparing each pair with each would take seconds for every one of them.
    assert!(busy < Duration::from_millis(100) * packets, "{busy:?} for {packets} packets");
    house.ends_unharmed();
}

// The same row: as many as may come are handed on, in order, and not kept.
#[test]
fn row_12_as_many_user_properties_as_may_come() {
    let mut house = House::new();
    let mut follower = Client::connected_by_websocket(house.server.http, V5, "follower");
    follower.subscribe("a", QoS::AtMostOnce);
    let mut client = Client::connected(house.server.mqtt, V5, "client");
    let pairs: Vec<u8> = (0..64)
        .flat_map(|pair: u8| [&[0x26][..], &text([b'k', b'0' + pair % 10]), &text("v")].concat())
        .collect();
    house.endures(256, |_, _| {
        client.send_bytes(&publish(&pairs));
        let message = follower.message();
        assert_eq!(message.properties.map(|properties| properties.user_properties.len()), Some(64));
    });
    drop((client, follower));
    house.ends_unharmed();
}

// Topic aliases: 0, above what CONNACK announced, and one that was never introduced. [MQTT-3.3.2-8] [MQTT-3.3.2-9]
#[test]
fn row_12_topic_aliases_that_are_none() {
    let alias = |topic: &str, alias: u16| {
        packet(0x30, [&text(topic)[..], &[3, 0x23], &alias.to_be_bytes(), b"x"].concat())
    };
    each_is_answered(&[
        Case::then(V5, alias("a", 0), TopicAliasInvalid),
        Case::then(V5, alias("a", 33), TopicAliasInvalid),
        Case::then(V5, alias("a", u16::MAX), TopicAliasInvalid),
        Case::then(V5, alias("", 33), TopicAliasInvalid),
        Case::then(V5, alias("", 1), ProtocolError),
    ]);
}

// Aliases for the longest topics there are: what they may take together has a bound, and goes with the connection.
#[test]
fn row_12_topic_aliases_of_the_longest_topics() {
    let mut house = House::new();
    house.endures(64, |server, number| {
        let mut client = match number % 2 {
            0 => Client::connected(server.mqtt, V5, "aliases"),
            _ => Client::connected_by_websocket(server.http, V5, "aliases"),
        };
        let long = |alias: u8| {
            packet(0x30, [&text([b'a' + alias; 60_000])[..], &[3, 0x23, 0, alias], b"x"].concat())
        };
        client.send_bytes(&long(1));
        // The same number may change its meaning as often as its owner likes.
        for _ in 0..4 {
            client.send_bytes(&long(1));
        }
        client.ping();
        client.send_bytes(&long(2));
        let packets = client.until_closed();
        let [Packet::Disconnect(disconnect)] = &packets[..] else { panic!("{packets:?}") };
        assert_eq!(disconnect.reason, QuotaExceeded);
    });
    house.ends_unharmed();
}
