//! Section 4.4: what is sent again when a session is resumed, and never otherwise.

use crate::driver::{World, packets::*};
use luxwire_broker::{Dropped, Report};
use luxwire_shared::mqtt::{Delivery, Packet, QoS};
use std::time::Duration;

// [MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-4.3.2-3] [MQTT-4.3.3-3] [MQTT-4.6.0-1]
#[test]
fn what_is_unacknowledged_comes_again_in_order_with_its_identifier_and_dup() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").expiry_s(60));
    world.subscribe(lamp, "x", Q2);
    let dimmer = world.connect(v5("dimmer"));
    for number in 0..10u8 {
        let qos = QoS::from_number(1 + number % 2).expect("1 or 2");
        world.publish(dimmer, "x", &number.to_string(), qos);
    }
    let first: Vec<_> = (0..10).map(|_| world.expect_publish(lamp)).collect();
    for round in 0..3 {
        world.cut(lamp);
        world.wait(Duration::from_secs(round));
        let lamp = world.connect(v5("lamp").resuming().expiry_s(60));
        for before in &first {
            let again = world.expect_publish(lamp);
            assert_eq!(again.payload, before.payload);
            let expected = match before.delivery {
                Delivery::AtMostOnce => panic!("QoS 0"),
                Delivery::AtLeastOnce { id, .. } => Delivery::AtLeastOnce { id, dup: true },
                Delivery::ExactlyOnce { id, .. } => Delivery::ExactlyOnce { id, dup: true },
            };
            assert_eq!(again.delivery, expected);
        }
        world.expect_nothing(lamp);
    }
}

// [MQTT-4.4.0-1]
#[test]
fn nothing_is_sent_again_while_the_connection_lasts() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp"));
    world.subscribe(lamp, "x", Q2);
    world.publish(lamp, "x", "1", Q1);
    world.publish(lamp, "x", "2", Q2);
    world.expect_publish(lamp);
    world.expect_publish(lamp);
    world.wait_s(100_000);
    world.expect_nothing(lamp);
}

// [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT-3.6.2-2] [MQTT-3.6.2-3] PUBREL has no properties.
#[test]
fn after_pubrec_it_is_pubrel_that_comes_again() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").expiry_s(60));
    world.subscribe(lamp, "x", Q2);
    world.publish(lamp, "x", "1", Q2);
    let number = world.expect_publish(lamp).delivery.packet_id().expect("an identifier").number();
    world.send(lamp, pubrec(number));
    world.expect_packet(lamp, pubrel(number));
    world.cut(lamp);
    let lamp = world.connect(v5("lamp").resuming().expiry_s(60));
    world.expect_packet(lamp, pubrel(number));
    world.expect_nothing(lamp);
    world.send(lamp, pubcomp(number));
    world.cut(lamp);
    let lamp = world.connect(v5("lamp").resuming());
    world.expect_nothing(lamp);
}

// [MQTT-4.3.3-7] [MQTT-4.3.3-13] [MQTT-3.3.2-5]
#[test]
fn a_delivery_that_has_begun_is_finished_though_the_message_expires() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").expiry_s(60));
    world.subscribe(lamp, "x", Q2);
    world.publish_packet(lamp, expiring_s(publish("x", "1", Q2), 2));
    world.expect_publish(lamp);
    world.cut(lamp);
    world.wait_s(10);
    let lamp = world.connect(v5("lamp").resuming());
    let again = world.expect_publish(lamp);
    assert_eq!(again.properties.as_ref().expect("an expiry").message_expiry_interval_s, Some(0));
    world.acknowledge(lamp, &again);
    assert_eq!(world.broker.statistics().in_flight_messages, 0);
}

// [MQTT-3.3.4-9] [MQTT-4.4.0-1] [MQTT-4.6.0-5]
#[test]
fn a_smaller_window_sends_it_again_bit_by_bit() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").expiry_s(60));
    world.subscribe(lamp, "x", Q1);
    let dimmer = world.connect(v5("dimmer"));
    for number in 0..10 {
        world.publish(dimmer, "x", &number.to_string(), Q1);
    }
    world.cut(lamp);
    for number in 10..15 {
        world.publish(dimmer, "x", &number.to_string(), Q1);
    }
    let lamp = world.connect(v5("lamp").resuming().receive_maximum(2));
    // QoS 0 waits as well: it came later.
    world.publish(dimmer, "x", "15", Q0);
    let taken: Vec<_> = world.take_all(lamp).into_iter().map(|(_, payload)| payload).collect();
    assert_eq!(taken, (0..16).map(|number| number.to_string()).collect::<Vec<_>>());
}

// [MQTT-3.3.4-10]
#[test]
fn pubrel_does_not_wait_for_the_window() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").expiry_s(60));
    world.subscribe(lamp, "x", Q2);
    for payload in ["1", "2", "3"] {
        world.publish(lamp, "x", payload, Q2);
    }
    let numbers: Vec<_> = (0..3)
        .map(|_| world.expect_publish(lamp).delivery.packet_id().expect("an identifier").number())
        .collect();
    world.send(lamp, pubrec(numbers[2]));
    world.cut(lamp);
    let lamp = world.connect(v5("lamp").resuming().receive_maximum(1).expiry_s(60));
    assert_eq!(&*world.expect_publish(lamp).payload, b"1");
    world.expect_packet(lamp, pubrel(numbers[2]));
    world.expect_nothing(lamp);
    world.send(lamp, pubcomp(numbers[2]));
    world.expect_nothing(lamp);
    world.send(lamp, pubrec(numbers[0]));
    world.expect_packet(lamp, pubrel(numbers[0]));
    world.send(lamp, pubcomp(numbers[0]));
    assert_eq!(&*world.expect_publish(lamp).payload, b"2");
}

// [MQTT-4.4.0-1] What the client acknowledges before it came again does not come again.
#[test]
fn an_acknowledgement_may_come_before_the_repetition() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").expiry_s(60));
    world.subscribe(lamp, "x", Q2);
    for (payload, qos) in [("1", Q1), ("2", Q1), ("3", Q2), ("4", Q1)] {
        world.publish(lamp, "x", payload, qos);
    }
    let numbers: Vec<_> = (0..4)
        .map(|_| world.expect_publish(lamp).delivery.packet_id().expect("an identifier").number())
        .collect();
    world.cut(lamp);
    let lamp = world.connect(v5("lamp").resuming().receive_maximum(1));
    assert_eq!(&*world.expect_publish(lamp).payload, b"1");
    world.send(lamp, puback(numbers[1]));
    world.send(lamp, pubrec(numbers[2]));
    world.expect_packet(lamp, pubrel(numbers[2]));
    world.send(lamp, pubcomp(numbers[2]));
    world.expect_nothing(lamp);
    world.send(lamp, puback(numbers[0]));
    let last = world.expect_publish(lamp);
    assert_eq!(&*last.payload, b"4");
    world.acknowledge(lamp, &last);
    world.expect_nothing(lamp);
    assert_eq!(world.broker.statistics().in_flight_messages, 0);
    assert_eq!(world.broker.statistics().in_flight_bytes, 0);
    // The window works as before.
    world.publish(lamp, "x", "5", Q1);
    assert!(matches!(world.next(lamp), Some(Packet::Publish(publish)) if !publish.delivery.dup()));
}

// [MQTT-3.1.2-24] [MQTT-3.1.2-25] A client may take less than it did when the message was sent.
#[test]
fn what_became_too_large_for_its_client_is_not_sent_again_and_holds_up_nothing() {
    for qos in [Q1, Q2] {
        let mut world = World::new();
        let lamp = world.connect(v5("lamp").expiry_s(60));
        world.subscribe(lamp, "x", Q2);
        let dimmer = world.connect(v5("dimmer"));
        for payload in ["small", &"large".repeat(20), "last"] {
            world.publish(dimmer, "x", payload, qos);
        }
        world.cut(lamp);
        world.reports();
        let lamp = world.connect(v5("lamp").resuming().packet_size(40).receive_maximum(1).expiry_s(60));
        let taken: Vec<_> = world.take_all(lamp).into_iter().map(|(_, payload)| payload).collect();
        assert_eq!(taken, ["small", "last"]);
        let dropped = Report::Dropped { client_id: "lamp".into(), qos, why: Dropped::TooLarge };
        assert!(world.reports().contains(&dropped));
        let statistics = world.broker.statistics();
        assert_eq!((statistics.in_flight_messages, statistics.in_flight_bytes), (0, 0));
        world.publish(dimmer, "x", "next", qos);
        assert_eq!(world.take(lamp).1, "next");
    }
}
