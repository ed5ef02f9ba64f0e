//! Section 4.6: the order of messages.

use crate::driver::{Client, World, packets::*};
use luxwire_shared::mqtt::{Packet, QoS};

const MESSAGES: u32 = 2_000;

fn payloads(taken: Vec<(String, String)>) -> Vec<u32> {
    taken.into_iter().map(|(_, payload)| payload.parse().expect("a number")).collect()
}

fn publish_numbers(world: &mut World, publisher: Client, numbers: std::ops::Range<u32>, qos: QoS) {
    for number in numbers {
        world.publish(publisher, "x", &number.to_string(), qos);
    }
}

// [MQTT-4.6.0-5] [MQTT-4.6.0-6]
#[test]
fn messages_arrive_in_the_order_in_which_they_were_published() {
    for qos in [Q0, Q1, Q2] {
        for window in [1, 3, 65535] {
            let mut world = World::with(|limits| limits.session_queue_messages = 10_000);
            let lamp = world.connect(v5("lamp").receive_maximum(window));
            world.subscribe(lamp, "#", Q2);
            let dimmer = world.connect(v5("dimmer"));
            publish_numbers(&mut world, dimmer, 0..MESSAGES, qos);
            assert_eq!(payloads(world.take_all(lamp)), (0..MESSAGES).collect::<Vec<_>>());
        }
    }
}

// [MQTT-4.6.0-5] [MQTT-4.6.0-1]
#[test]
fn order_survives_queue_and_reconnections() {
    for qos in [Q1, Q2] {
        let mut world = World::new();
        let lamp = world.connect(v5("lamp").expiry_s(60));
        world.subscribe(lamp, "#", Q2);
        let dimmer = world.connect(v5("dimmer"));
        publish_numbers(&mut world, dimmer, 0..300, qos);
        let mut taken: Vec<_> = (0..100).map(|_| world.take(lamp)).collect();
        world.cut(lamp);
        publish_numbers(&mut world, dimmer, 300..600, qos);
        let lamp = world.connect(v5("lamp").resuming().expiry_s(60).receive_maximum(10));
        publish_numbers(&mut world, dimmer, 600..700, qos);
        taken.extend(world.take_all(lamp));
        assert_eq!(payloads(taken), (0..700).collect::<Vec<_>>());
    }
}

// [MQTT-4.6.0-2] [MQTT-4.6.0-3]
#[test]
fn answers_come_in_the_order_of_the_messages() {
    let mut world = World::new();
    let dimmer = world.connect(v5("dimmer"));
    let order = [5u16, 3, 9, 1, 7, 2];
    for number in order {
        world.send_publish(dimmer, publish_with_id("x", "1", Q1, number));
    }
    for number in order {
        assert!(matches!(world.next(dimmer), Some(Packet::Puback(ack)) if ack.id == id(number)));
    }
    for number in order {
        world.send_publish(dimmer, publish_with_id("x", "1", Q2, number));
    }
    for number in order {
        assert!(matches!(world.next(dimmer), Some(Packet::Pubrec(ack)) if ack.id == id(number)));
    }
}

// [MQTT-4.6.0-6] Of two values of one topic the later arrives last, also when it was published at QoS 0.
#[test]
fn qos_0_does_not_overtake_what_waits() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").receive_maximum(1));
    world.subscribe(lamp, "x", Q1);
    let dimmer = world.connect(v5("dimmer"));
    for (number, qos) in [(0, Q1), (1, Q1), (2, Q0), (3, Q1), (4, Q0)] {
        world.publish(dimmer, "x", &number.to_string(), qos);
    }
    assert_eq!(payloads(world.take_all(lamp)), [0, 1, 2, 3, 4]);
    // With nothing waiting it goes at once, whatever is in flight.
    world.publish(dimmer, "x", "5", Q1);
    world.publish(dimmer, "x", "6", Q0);
    assert_eq!(payloads(world.take_all(lamp)), [5, 6]);
}

// [MQTT-4.6.0-5] A small message could be sent although a large one must wait.
#[test]
fn a_small_message_does_not_overtake_a_large_one() {
    let mut world = World::with(|limits| limits.in_flight_bytes = 1000);
    let lamp = world.connect(v5("lamp"));
    world.subscribe(lamp, "x", Q1);
    let large = |number: u32| format!("{number:0900}");
    for payload in [large(0), large(1), "2".into(), "3".into()] {
        world.publish(lamp, "x", &payload, Q1);
    }
    assert_eq!(payloads(world.take_all(lamp)), [0, 1, 2, 3]);
}

// [MQTT-4.6.0-6] What an earlier connection left comes first.
#[test]
fn qos_0_does_not_overtake_what_is_sent_again() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").expiry_s(60));
    world.subscribe(lamp, "x", Q1);
    let dimmer = world.connect(v5("dimmer"));
    publish_numbers(&mut world, dimmer, 0..2, Q1);
    world.cut(lamp);
    let lamp = world.connect(v5("lamp").resuming().receive_maximum(1));
    publish_numbers(&mut world, dimmer, 2..3, Q0);
    assert_eq!(payloads(world.take_all(lamp)), [0, 1, 2]);
}
