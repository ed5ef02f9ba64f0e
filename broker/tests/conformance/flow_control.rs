//! Section 4.9 and the Receive Maximum, in both directions.

use crate::driver::{World, packets::*};
use luxwire_broker::CloseReason;
use luxwire_shared::mqtt::{Acknowledge, Packet, ReasonCode, Version};
use std::num::NonZeroU16;

// [MQTT-3.3.4-9] [MQTT-4.9.0-1] [MQTT-4.9.0-2]
#[test]
fn no_more_messages_are_unacknowledged_than_the_client_takes() {
    for (maximum, qos) in [(1, Q1), (2, Q2), (7, Q1), (7, Q2)] {
        let mut world = World::new();
        let lamp = world.connect(v5("lamp").receive_maximum(maximum));
        world.subscribe(lamp, "x", qos);
        let dimmer = world.connect(v5("dimmer"));
        for number in 0..20 {
            world.publish(dimmer, "x", &number.to_string(), qos);
        }
        let first: Vec<_> = (0..maximum).map(|_| world.expect_publish(lamp)).collect();
        world.expect_nothing(lamp);
        first.iter().for_each(|publish| world.acknowledge(lamp, publish));
        assert_eq!(world.take_all(lamp).len(), 20 - usize::from(maximum));
        assert_eq!(world.broker.statistics().queued_messages, 0);
        assert_eq!(world.broker.statistics().queued_bytes, 0);
    }
}

// [MQTT-3.3.4-9] PUBREC does not free a place, unless it refuses; PUBCOMP does.
#[test]
fn a_place_is_free_when_the_handshake_is_over() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").receive_maximum(1));
    world.subscribe(lamp, "x", Q2);
    let dimmer = world.connect(v5("dimmer"));
    for payload in ["1", "2", "3"] {
        world.publish(dimmer, "x", payload, Q2);
    }
    let first = world.expect_publish(lamp).delivery.packet_id().expect("an identifier").number();
    world.send(lamp, pubrec(first));
    world.expect_packet(lamp, pubrel(first));
    world.expect_nothing(lamp);
    world.send(lamp, pubcomp(first));
    let second = world.expect_publish(lamp).delivery.packet_id().expect("an identifier");
    world.expect_nothing(lamp);
    world.send(lamp, Packet::Pubrec(Acknowledge::because(second, ReasonCode::Unspecified)));
    assert_eq!(&*world.expect_publish(lamp).payload, b"3");
}

// [MQTT-3.3.4-10] [MQTT-4.9.0-3]
#[test]
fn a_full_window_delays_messages_only() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").receive_maximum(1));
    world.subscribe(lamp, "x", Q2);
    for payload in ["1", "2"] {
        world.publish(lamp, "x", payload, Q2);
    }
    world.expect_publish(lamp);
    world.send(lamp, Packet::Pingreq);
    world.expect_packet(lamp, Packet::Pingresp);
    world.subscribe(lamp, "y", Q0);
    world.publish(lamp, "z", "1", Q1);
    world.send(lamp, unsubscribe(&["y"]));
    world.expect_unsuback(lamp);
    world.expect_nothing(lamp);
}

// [MQTT-3.3.4-7]
#[test]
fn a_5_0_client_that_exceeds_our_receive_maximum_is_disconnected() {
    let mut world = World::with(|limits| limits.receive_maximum = NonZeroU16::new(20).expect("not 0"));
    let client = world.connect(v5("a").expiry_s(60));
    for number in 1..=20 {
        world.send_publish(client, publish_with_id("x", "1", Q2, number));
        assert!(matches!(world.expect(client), Packet::Pubrec(_)));
    }
    // Neither QoS 1, which is answered at once, nor a repetition is one too many.
    world.publish_packet(client, publish_with_id("x", "1", Q1, 21));
    world.send_publish(client, repeated(publish_with_id("x", "1", Q2, 20)));
    assert!(matches!(world.expect(client), Packet::Pubrec(_)));
    world.send(client, pubrel(7));
    assert!(matches!(world.expect(client), Packet::Pubcomp(_)));
    world.send_publish(client, publish_with_id("x", "1", Q2, 21));
    assert!(matches!(world.expect(client), Packet::Pubrec(_)));
    world.send_publish(client, publish_with_id("x", "1", Q2, 22));
    world.expect_disconnected(client, ReasonCode::ReceiveMaximumExceeded);
}

// [MQTT-3.3.4-7] What an earlier connection left unreleased does not count, but does not add up without end either.
#[test]
fn the_receive_maximum_begins_anew_with_each_connection_within_reason() {
    let mut world = World::with(|limits| limits.receive_maximum = NonZeroU16::new(20).expect("not 0"));
    let mut number = 0;
    let mut fill = |world: &mut World, connecting| {
        let client = world.connect(connecting);
        let before = number;
        while !world.is_closed(client) {
            number += 1;
            world.send_publish(client, publish_with_id("x", "1", Q2, number));
            while world.next(client).is_some() {}
        }
        assert_eq!(world.expect_closed(client), CloseReason::Limit(ReasonCode::ReceiveMaximumExceeded));
        number -= 1;
        number - before
    };
    assert_eq!(fill(&mut world, v5("a").expiry_s(60)), 20);
    assert_eq!(fill(&mut world, v5("a").resuming().expiry_s(60)), 20);
    assert_eq!(fill(&mut world, v5("a").resuming().expiry_s(60)), 0);
}

#[test]
fn clients_before_5_0_know_no_receive_maximum() {
    let mut world = World::with(|limits| limits.receive_maximum = NonZeroU16::new(20).expect("not 0"));
    let client = world.connect(version(Version::V3_1_1, "a"));
    for number in 1..=500 {
        world.send_publish(client, publish_with_id("x", "1", Q2, number));
        world.expect_packet(client, pubrec(number));
    }
    world.expect_nothing(client);
}

// Our own bound: what is in flight may all wait in the link's output buffer.
#[test]
fn the_window_is_bounded_in_messages_and_in_bytes() {
    let mut world = World::with(|limits| {
        limits.in_flight_messages = NonZeroU16::new(10).expect("not 0");
        limits.in_flight_bytes = 1000;
    });
    let lamp = world.connect(v5("lamp"));
    world.subscribe(lamp, "x", Q1);
    for _ in 0..30 {
        world.publish(lamp, "x", "1", Q1);
    }
    assert_eq!(world.broker.statistics().in_flight_messages, 10);
    assert_eq!(world.take_all(lamp).len(), 30);
    for _ in 0..30 {
        world.publish(lamp, "x", &"1".repeat(299), Q1);
    }
    assert_eq!(world.broker.statistics().in_flight_bytes, 900);
    assert_eq!(world.take_all(lamp).len(), 30);
    // One message may always be sent.
    world.publish(lamp, "x", &"1".repeat(5000), Q1);
    world.publish(lamp, "x", "small", Q1);
    assert_eq!(world.broker.statistics().in_flight_messages, 1);
    assert_eq!(world.take_all(lamp).len(), 2);
    assert_eq!(world.broker.statistics().in_flight_bytes, 0);
}

// Our own bound. PUBREC says that the client has the message, so that its bytes are free, though its place is not.
#[test]
fn at_qos_2_pubrec_frees_the_bytes() {
    let mut world = World::with(|limits| limits.in_flight_bytes = 1000);
    let lamp = world.connect(v5("lamp"));
    world.subscribe(lamp, "x", Q2);
    for payload in ["1".repeat(899), "2".repeat(899)] {
        world.publish(lamp, "x", &payload, Q2);
    }
    let first = world.expect_publish(lamp).delivery.packet_id().expect("an identifier").number();
    world.expect_nothing(lamp);
    world.send(lamp, pubrec(first));
    world.expect_packet(lamp, pubrel(first));
    assert_eq!(world.take(lamp).1, "2".repeat(899));
}
