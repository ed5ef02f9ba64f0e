//! What the server sends: messages as often as promised, and bytes of any kind without harm.

use crate::rig::{Rig, VERSIONS, ack, encode, from_server, id, options, persistent, topic};
use bytes::Bytes;
use luxwire_shared::{
    client::{Acknowledges, Client, ConnectionState, Event, Message, Options},
    mqtt::{
        ConnackProperties, Delivery, Packet, Publish, PublishProperties, PublishTopic, QoS, SubscriptionId,
        TopicAlias, Version,
    },
    time::Instant,
};
use proptest::prelude::*;
use std::num::NonZeroU16;

const NOTHING: [&str; 0] = [];

fn qos_1(number: u16, dup: bool) -> Delivery {
    Delivery::AtLeastOnce { id: id(number), dup }
}

fn qos_2(number: u16, dup: bool) -> Delivery {
    Delivery::ExactlyOnce { id: id(number), dup }
}

/// [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-4.6.0-2]
#[test]
fn messages_are_answered_by_their_quality_in_their_order() {
    for version in VERSIONS {
        let mut rig = Rig::online(options(version));
        rig.server(from_server(Delivery::AtMostOnce, "a"));
        rig.server(from_server(qos_1(9, false), "b"));
        rig.server(from_server(qos_2(8, false), "c"));
        rig.server(from_server(qos_1(7, false), "d"));
        assert_eq!(rig.sent_briefly(), ["PUBACK 9", "PUBREC 8", "PUBACK 7"]);
        assert_eq!(rig.received(), ["a", "b", "c", "d"]);
    }
}

#[test]
fn a_message_arrives_whole() {
    let mut rig = Rig::online(options(Version::V5));
    let properties = PublishProperties {
        subscription_ids: vec![SubscriptionId::new(3).unwrap()],
        user_properties: vec![("a".try_into().unwrap(), "b".try_into().unwrap())],
        ..Default::default()
    };
    rig.server(Packet::Publish(Publish {
        delivery: qos_1(1, false),
        retain: true,
        properties: Some(Box::new(properties.clone())),
        ..Publish::new(topic("lights/desk/intensity"), "40")
    }));
    assert_eq!(
        rig.events(),
        [Event::Message(Message {
            topic: topic("lights/desk/intensity"),
            payload: Bytes::from_static(b"40"),
            qos: QoS::AtLeastOnce,
            retain: true,
            id: Some(id(1)),
            dup: false,
            properties: Some(Box::new(properties)),
        })]
    );
}

/// [MQTT-4.6.0-2]
#[test]
fn an_application_may_acknowledge_when_it_wants() {
    for version in VERSIONS {
        let by_hand = Options { acknowledges: Acknowledges::Application, ..persistent(version) };
        let mut rig = Rig::online(by_hand);
        rig.server(from_server(qos_1(9, false), "a"));
        rig.server(from_server(qos_1(7, true), "b"));
        rig.server(from_server(qos_2(8, false), "c"));
        assert_eq!(rig.sent_briefly(), ["PUBREC 8"], "QoS 2 is the client's business");
        let dups: Vec<bool> = rig
            .events()
            .into_iter()
            .map(|event| match event {
                Event::Message(message) => message.dup,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(dups, [false, true, false]);
        for number in [9, 7] {
            rig.client.acknowledge(id(number), rig.now);
        }
        rig.drive();
        assert_eq!(rig.sent_briefly(), ["PUBACK 9", "PUBACK 7"]);

        rig.server(from_server(qos_1(6, false), "d"));
        rig.cut_and_wait();
        rig.client.acknowledge(id(6), rig.now);
        rig.greet(version > Version::V3_1, ConnackProperties::default());
        assert_eq!(rig.sent_briefly(), NOTHING, "what an earlier connection brought is acknowledged on none");
    }
}

/// [MQTT-4.3.2-5]
#[test]
fn qos_1_may_come_twice() {
    let mut rig = Rig::online(options(Version::V5));
    rig.server(from_server(qos_1(1, false), "a"));
    rig.server(from_server(qos_1(1, true), "a"));
    assert_eq!(rig.received(), ["a", "a"]);
    assert_eq!(rig.sent_briefly(), ["PUBACK 1", "PUBACK 1"]);
}

/// [MQTT-4.3.3-10] [MQTT-4.3.3-11] [MQTT-4.3.3-12]
#[test]
fn qos_2_comes_once_until_it_is_released() {
    for version in VERSIONS {
        let mut rig = Rig::online(options(version));
        rig.server(from_server(qos_2(1, false), "a"));
        rig.server(from_server(qos_2(1, true), "a"));
        rig.server(Packet::Pubrel(ack(1)));
        rig.server(from_server(qos_2(1, false), "b"));
        assert_eq!(rig.received(), ["a", "b"]);
        assert_eq!(rig.sent_briefly(), ["PUBREC 1", "PUBREC 1", "PUBCOMP 1", "PUBREC 1"]);
    }
}

#[test]
fn qos_2_comes_once_across_connections_of_one_session() {
    let mut rig = Rig::online(persistent(Version::V5));
    rig.server(from_server(qos_2(1, false), "a"));
    assert_eq!(rig.sent_briefly(), ["PUBREC 1"]);
    rig.cut_and_wait();
    rig.greet(true, ConnackProperties::default());
    rig.server(from_server(qos_2(1, true), "a"));
    assert_eq!(rig.received(), ["a"]);
    assert_eq!(rig.sent_briefly(), ["PUBREC 1"]);

    rig.cut_and_wait();
    rig.greet(false, ConnackProperties::default());
    rig.server(from_server(qos_2(1, false), "another"));
    assert_eq!(rig.received(), ["another"], "another session uses the identifier anew");
}

#[test]
fn an_unknown_release_is_completed() {
    let mut rig = Rig::online(options(Version::V5));
    rig.server(Packet::Pubrel(ack(4)));
    assert_eq!(rig.sent_briefly(), ["PUBCOMP 4 PacketIdentifierNotFound"]);
    let mut old = Rig::online(options(Version::V3_1_1));
    old.server(Packet::Pubrel(ack(4)));
    assert_eq!(old.sent_briefly(), ["PUBCOMP 4"]);
}

#[test]
fn a_server_that_begins_too_much_is_left() {
    let few = Options { receive_maximum: NonZeroU16::new(2).unwrap(), ..options(Version::V5) };
    let mut rig = Rig::online(few);
    for number in 1..=3 {
        rig.server(from_server(qos_2(number, false), "a"));
    }
    assert_eq!(rig.sent_briefly(), ["PUBREC 1", "PUBREC 2", "DISCONNECT ReceiveMaximumExceeded"]);
}

#[test]
fn an_alias_that_was_not_allowed_is_an_error() {
    let alias = TopicAlias(NonZeroU16::MIN);
    for topic in [PublishTopic::Alias(alias), PublishTopic::NameAndAlias(topic("t"), alias)] {
        let mut rig = Rig::online(options(Version::V5));
        let publish = Publish { topic, ..Publish::new(crate::rig::topic("t"), "a") };
        rig.server(Packet::Publish(publish));
        assert_eq!(rig.sent_briefly(), ["DISCONNECT TopicAliasInvalid"]);
        assert_eq!(rig.received(), NOTHING);
    }
}

#[test]
fn bytes_may_be_cut_anywhere() {
    let packets = [
        from_server(Delivery::AtMostOnce, "a"),
        from_server(qos_1(1, false), &"b".repeat(300)),
        Packet::Pingresp,
        from_server(qos_2(2, false), "c"),
        Packet::Pubrel(ack(2)),
    ];
    let bytes: Vec<u8> = packets.iter().flat_map(|packet| encode(packet, Version::V5)).collect();
    for cut in 0..bytes.len() {
        let mut rig = Rig::online(options(Version::V5));
        rig.server_bytes(Bytes::copy_from_slice(&bytes[..cut]));
        rig.server_bytes(Bytes::copy_from_slice(&bytes[cut..]));
        assert_eq!(rig.sent_briefly(), ["PUBACK 1", "PUBREC 2", "PUBCOMP 2"]);
        assert_eq!(rig.received().len(), 3);
    }
}

#[test]
fn half_a_packet_does_not_survive_its_connection() {
    let mut rig = Rig::online(options(Version::V5));
    rig.server_bytes(encode(&from_server(Delivery::AtMostOnce, "a"), Version::V5).slice(..4));
    rig.cut_and_wait();
    rig.greet(false, ConnackProperties::default());
    rig.server(from_server(Delivery::AtMostOnce, "b"));
    assert_eq!(rig.received(), ["b"]);
}

fn packet() -> impl Strategy<Value = Vec<u8>> {
    let known = prop_oneof![
        Just(vec![0x20, 3, 0, 0, 0]),
        Just(vec![0x20, 2, 0, 0]),
        (1_u8..8).prop_map(|id| vec![0x40, 2, 0, id]),
        (1_u8..8).prop_map(|id| vec![0x50, 2, 0, id]),
        (1_u8..8, prop::sample::select(vec![0x00, 0x10, 0x80, 0x97]))
            .prop_map(|(id, code)| vec![0x50, 3, 0, id, code]),
        (1_u8..8).prop_map(|id| vec![0x62, 2, 0, id]),
        (1_u8..8).prop_map(|id| vec![0x70, 2, 0, id]),
        (1_u8..8).prop_map(|id| vec![0x90, 4, 0, id, 0, 1]),
        (1_u8..8).prop_map(|id| vec![0xB0, 4, 0, id, 0, 0]),
        (1_u8..8).prop_map(|id| vec![0x34, 7, 0, 1, b't', 0, id, 0, b'x']),
        (1_u8..8).prop_map(|id| vec![0x32, 7, 0, 1, b't', 0, id, 0, b'x']),
        Just(vec![0xD0, 0]),
        Just(vec![0xE0, 0]),
        prop::collection::vec(any::<u8>(), 0..12),
    ];
    (known, prop::option::weighted(0.1, (any::<prop::sample::Index>(), any::<u8>()))).prop_map(
        |(mut bytes, damage)| {
            if let Some((at, value)) = damage.filter(|_| !bytes.is_empty()) {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            bytes
        },
    )
}

proptest! {
    /// Whatever a server sends: no panic, no hot loop, and a way back.
    #[test]
    fn hostile_bytes_do_no_harm(
        version in prop::sample::select(VERSIONS.to_vec()),
        with_session: bool,
        connack in any::<bool>(),
        connections in prop::collection::vec(prop::collection::vec(packet(), 0..20), 1..4),
    ) {
        let options = if with_session { persistent(version) } else { options(version) };
        let mut now = Instant::from_millis(1);
        let mut client = Client::new(options, now);
        for packets in connections {
            client.transport_opened(now);
            if connack {
                client.receive(encode(&crate::rig::accept(false, ConnackProperties::default()), version), now);
            }
            for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
                client.publish(crate::rig::message("x", qos), now).ok();
            }
            client.subscribe([crate::rig::follow("a"), crate::rig::follow("b/#")], now);
            client.unsubscribe([crate::rig::follow("a").filter], now);
            for packet in packets {
                client.receive(packet.into(), now);
            }
            client.transport_closed(now);
            while client.poll_event().is_some() {}
            while client.poll_action().is_some() {}
            match client.state() {
                ConnectionState::Waiting { until } | ConnectionState::Refused { retry_at: Some(until), .. } => {
                    prop_assert!(until.since(now).as_millis() >= 100);
                    now = until;
                    client.tick(now);
                }
                ConnectionState::Refused { retry_at: None, .. } => client.reconnect_now(now),
                other => prop_assert!(false, "{:?}", other),
            }
            prop_assert_eq!(client.state(), ConnectionState::Connecting);
        }
    }
}
