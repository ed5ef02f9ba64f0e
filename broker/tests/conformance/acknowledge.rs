//! Sections 3.4 to 3.7 and 4.3: the handshakes of QoS 1 and 2, in both directions.

use crate::driver::{World, packets::*};
use luxwire_shared::mqtt::{Acknowledge, Delivery, Packet, QoS, ReasonCode};

/// A subscriber at QoS 2 and a publisher.
fn lamp_and_dimmer(world: &mut World) -> (crate::driver::Client, crate::driver::Client) {
    let lamp = world.connect(v5("lamp").expiry_s(60));
    world.subscribe(lamp, "x", Q2);
    (lamp, world.connect(v5("dimmer").expiry_s(60)))
}

// [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-4.3.3-11] [MQTT-2.2.1-5]
#[test]
fn answers_bear_the_identifier_of_the_publish() {
    for number in [1, 255, 256, 65535] {
        let mut world = World::new();
        let (_, dimmer) = lamp_and_dimmer(&mut world);
        world.send_publish(dimmer, publish_with_id("x", "1", Q1, number));
        world.expect_packet(dimmer, puback(number));
        world.send_publish(dimmer, publish_with_id("x", "1", Q2, number));
        world.expect_packet(dimmer, pubrec(number));
        world.send(dimmer, pubrel(number));
        world.expect_packet(dimmer, pubcomp(number));
        world.expect_nothing(dimmer);
    }
}

// [MQTT-4.3.2-5]
#[test]
fn at_qos_1_the_same_identifier_is_another_message_even_with_dup() {
    let mut world = World::new();
    let (lamp, dimmer) = lamp_and_dimmer(&mut world);
    world.publish_packet(dimmer, publish("x", "1", Q1));
    world.publish_packet(dimmer, repeated(publish("x", "2", Q1)));
    assert_eq!(world.take_all(lamp).len(), 2);
}

// [MQTT-4.3.3-10]
#[test]
fn at_qos_2_the_same_identifier_is_the_same_message_until_it_is_released() {
    let mut world = World::new();
    let (lamp, dimmer) = lamp_and_dimmer(&mut world);
    for _ in 0..3 {
        world.send_publish(dimmer, publish("x", "1", Q2));
        world.expect_packet(dimmer, pubrec(1));
        world.send_publish(dimmer, repeated(publish("x", "1", Q2)));
        world.expect_packet(dimmer, pubrec(1));
    }
    assert_eq!(world.take_all(lamp).len(), 1);
    // Also on another connection.
    world.cut(dimmer);
    let dimmer = world.connect(v5("dimmer").resuming().expiry_s(60));
    world.send_publish(dimmer, repeated(publish("x", "1", Q2)));
    world.expect_packet(dimmer, pubrec(1));
    world.expect_nothing(lamp);
    // [MQTT-4.3.3-12]
    world.send(dimmer, pubrel(1));
    world.expect_packet(dimmer, pubcomp(1));
    world.send_publish(dimmer, publish("x", "2", Q2));
    world.expect_packet(dimmer, pubrec(1));
    assert_eq!(world.take_all(lamp), [("x".into(), "2".into())]);
}

// [MQTT-3.7.2-1]
#[test]
fn a_pubrel_of_nothing_is_answered_with_not_found() {
    let mut world = World::new();
    let (_, dimmer) = lamp_and_dimmer(&mut world);
    world.send(dimmer, pubrel(5));
    let not_found = Acknowledge::because(id(5), ReasonCode::PacketIdentifierNotFound);
    world.expect_packet(dimmer, Packet::Pubcomp(not_found));
}

// [MQTT-3.6.2-1]
#[test]
fn a_pubrec_of_nothing_is_answered_with_not_found() {
    let mut world = World::new();
    let (lamp, dimmer) = lamp_and_dimmer(&mut world);
    let not_found =
        |number| Packet::Pubrel(Acknowledge::because(id(number), ReasonCode::PacketIdentifierNotFound));
    world.send(lamp, pubrec(5));
    world.expect_packet(lamp, not_found(5));
    // Also for a message of QoS 1, which stays as it is.
    world.publish(dimmer, "x", "1", Q1);
    let Delivery::AtLeastOnce { id, .. } = world.expect_publish(lamp).delivery else { panic!("QoS 1") };
    world.send(lamp, pubrec(id.number()));
    world.expect_packet(lamp, not_found(id.number()));
    assert_eq!(world.broker.statistics().in_flight_messages, 1);
    world.send(lamp, puback(id.number()));
    assert_eq!(world.broker.statistics().in_flight_messages, 0);
    assert_eq!(world.broker.statistics().in_flight_bytes, 0);
}

// [MQTT-4.3.3-4] [MQTT-4.6.0-4]
#[test]
fn a_delivery_at_qos_2_is_released_and_completed() {
    let mut world = World::new();
    let (lamp, dimmer) = lamp_and_dimmer(&mut world);
    for payload in ["1", "2", "3"] {
        world.publish(dimmer, "x", payload, Q2);
    }
    let ids: Vec<_> = (0..3)
        .map(|_| world.expect_publish(lamp).delivery.packet_id().expect("an identifier").number())
        .collect();
    for number in [ids[1], ids[0], ids[2]] {
        world.send(lamp, pubrec(number));
    }
    for number in [ids[1], ids[0], ids[2]] {
        world.expect_packet(lamp, pubrel(number));
    }
    assert_eq!(world.broker.statistics().in_flight_messages, 3);
    for number in &ids {
        world.send(lamp, pubcomp(*number));
    }
    assert_eq!(world.broker.statistics().in_flight_messages, 0);
    assert_eq!(world.broker.statistics().in_flight_bytes, 0);
    world.expect_nothing(lamp);
}

// [MQTT-4.3.3-4] A PUBREC that comes again is answered again.
#[test]
fn a_repeated_pubrec_is_released_again() {
    let mut world = World::new();
    let (lamp, dimmer) = lamp_and_dimmer(&mut world);
    world.publish(dimmer, "x", "1", Q2);
    let number = world.expect_publish(lamp).delivery.packet_id().expect("an identifier").number();
    for _ in 0..2 {
        world.send(lamp, pubrec(number));
        world.expect_packet(lamp, pubrel(number));
    }
}

// [MQTT-4.4.0-2] [MQTT-4.3.3-9]
#[test]
fn a_message_that_its_receiver_refuses_is_done() {
    for qos in [Q1, Q2] {
        let mut world = World::new();
        let (lamp, dimmer) = lamp_and_dimmer(&mut world);
        world.publish(dimmer, "x", "1", qos);
        let id = world.expect_publish(lamp).delivery.packet_id().expect("an identifier");
        let refusal = Acknowledge::because(id, ReasonCode::QuotaExceeded);
        world.send(lamp, if qos == Q1 { Packet::Puback(refusal) } else { Packet::Pubrec(refusal) });
        world.expect_nothing(lamp);
        assert_eq!(world.broker.statistics().in_flight_messages, 0);
        assert_eq!(world.broker.statistics().in_flight_bytes, 0);
        world.cut(lamp);
        let lamp = world.connect(v5("lamp").resuming());
        world.expect_nothing(lamp);
    }
}

// [MQTT-4.3.3-9]
#[test]
fn the_identifier_of_a_message_that_the_broker_refuses_is_free_again() {
    let mut world = World::new();
    let (lamp, dimmer) = lamp_and_dimmer(&mut world);
    world.send_publish(dimmer, publish("$SYS/x", "1", Q2));
    let Packet::Pubrec(refusal) = world.expect(dimmer) else { panic!("expected PUBREC") };
    assert_eq!((refusal.id, refusal.reason), (id(1), ReasonCode::TopicNameInvalid));
    world.send_publish(dimmer, publish("x", "2", Q2));
    world.expect_packet(dimmer, pubrec(1));
    assert_eq!(world.take_all(lamp), [("x".into(), "2".into())]);
}

// [MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1]
#[test]
fn identifiers_of_deliveries_go_round_and_leave_out_those_in_use() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").receive_maximum(65535));
    world.subscribe(lamp, "x", Q2);
    let in_use = [Q1, Q2, Q2].map(|qos| {
        world.publish(lamp, "x", "never acknowledged", qos);
        world.expect_publish(lamp).delivery.packet_id().expect("an identifier")
    });
    // This one is in use until PUBCOMP, which never comes.
    world.send(lamp, pubrec(in_use[2].number()));
    world.expect_packet(lamp, pubrel(in_use[2].number()));
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..70_000 {
        world.publish(lamp, "x", "1", if number % 16 == 0 { Q2 } else { Q1 });
        let publish = world.expect_publish(lamp);
        let id = publish.delivery.packet_id().expect("an identifier");
        assert!(!in_use.contains(&id));
        seen.insert(id);
        world.acknowledge(lamp, &publish);
    }
    assert_eq!(seen.len(), 65_532);
}

// [MQTT-2.2.1-5] The directions do not share identifiers.
#[test]
fn both_sides_may_use_the_same_identifier() {
    let mut world = World::new();
    let client = world.connect(v5("a"));
    world.subscribe(client, "x", Q2);
    world.send_publish(client, publish("x", "1", Q2));
    let publish = world.expect_publish(client);
    assert_eq!(publish.delivery.packet_id(), Some(id(1)));
    world.expect_packet(client, pubrec(1));
    world.send(client, pubrel(1));
    world.expect_packet(client, pubcomp(1));
    world.acknowledge(client, &publish);
    world.expect_nothing(client);
}

// [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3] [MQTT-3.1.2-29]
#[test]
fn answers_bear_neither_reason_strings_nor_user_properties() {
    let mut world = World::new();
    let client = world.connect(v5("a").packet_size(20).change(|connect| {
        connect.properties.request_problem_information = Some(false);
    }));
    for qos in [Q1, Q2] {
        world.send_publish(client, publish("$SYS/x", "1", qos));
        let answer = match world.expect(client) {
            Packet::Puback(answer) | Packet::Pubrec(answer) => answer,
            other => panic!("expected an answer, got {other:?}"),
        };
        assert_eq!(answer, Acknowledge::because(id(1), ReasonCode::TopicNameInvalid));
    }
    world.send(client, subscribe(&"x/".repeat(200), QoS::AtMostOnce));
    let suback = world.expect_suback(client);
    assert_eq!((suback.reasons, suback.properties), (vec![ReasonCode::TopicFilterInvalid], None));
}
