//! Section 3.3.1.3: retained messages.

use crate::driver::{EPOCH_MS, World, packets::*};
use luxwire_broker::Report;
use luxwire_shared::mqtt::{Packet, QoS, ReasonCode, TopicFilter};
use std::time::Duration;

// [MQTT-3.3.1-5] [MQTT-3.8.4-8]
#[test]
fn a_late_subscriber_gets_the_latest_value_and_only_that() {
    for published in [Q0, Q1, Q2] {
        for granted in [Q0, Q1, Q2] {
            let mut world = World::new();
            let dimmer = world.connect(v5("dimmer"));
            world.publish_retained(dimmer, "lights/1/intensity", "10", Q2);
            world.publish_retained(dimmer, "lights/1/intensity", "20", published);
            let page = world.connect(v5("page"));
            world.subscribe(page, "lights/#", granted);
            let publish = world.expect_publish(page);
            assert!(publish.retain);
            assert_eq!(publish.qos(), published.min(granted));
            assert_eq!(&*publish.payload, b"20");
            world.acknowledge(page, &publish);
            world.expect_nothing(page);
        }
    }
}

// [MQTT-3.3.1-6] [MQTT-3.3.1-7]
#[test]
fn an_empty_payload_clears_the_value_and_is_delivered() {
    let mut world = World::new();
    let page = world.connect(v5("page"));
    world.subscribe(page, "x", Q0);
    world.publish_retained(page, "x", "1", Q0);
    world.publish_retained(page, "x", "", Q0);
    assert_eq!(world.take_all(page), [("x".into(), "1".into()), ("x".into(), String::new())]);
    let late = world.connect(v5("late"));
    world.subscribe(late, "x", Q0);
    world.expect_nothing(late);
    let statistics = world.broker.statistics();
    assert_eq!((statistics.retained_messages, statistics.retained_bytes), (0, 0));
}

// [MQTT-3.3.1-8]
#[test]
fn a_message_without_retain_neither_stores_nor_clears() {
    let mut world = World::new();
    let dimmer = world.connect(v5("dimmer"));
    world.publish_retained(dimmer, "x", "kept", Q0);
    world.publish(dimmer, "x", "passing", Q0);
    world.publish(dimmer, "x", "", Q0);
    world.publish(dimmer, "y", "passing", Q0);
    let late = world.connect(v5("late"));
    world.subscribe(late, "#", Q0);
    assert_eq!(world.take_all(late), [("x".into(), "kept".into())]);
}

// [MQTT-3.1.2-7] of 3.1.1: retained messages are no part of a session.
#[test]
fn a_value_outlives_the_session_that_set_it() {
    let mut world = World::new();
    let dimmer = world.connect(v5("dimmer"));
    world.publish_retained(dimmer, "x", "1", Q1);
    world.leave(dimmer);
    world.wait_s(100_000);
    let late = world.connect(v5("late"));
    world.subscribe(late, "x", Q0);
    assert_eq!(world.take_all(late).len(), 1);
}

// [MQTT-3.3.2-5] [MQTT-3.3.2-6]
#[test]
fn a_value_expires() {
    let mut world = World::new();
    let dimmer = world.connect(v5("dimmer"));
    world.publish_packet(dimmer, retained(expiring_s(publish("x", "short", Q1), 10)));
    world.publish_packet(dimmer, retained(expiring_s(publish("y", "replaced", Q1), 10)));
    world.publish_retained(dimmer, "y", "for ever", Q1);
    world.wait_s(4);
    let late = world.connect(v5("late"));
    world.subscribe(late, "x", Q0);
    let properties = world.expect_publish(late).properties.expect("an expiry");
    assert_eq!(properties.message_expiry_interval_s, Some(6));
    world.wait_s(6);
    assert_eq!(world.broker.statistics().retained_messages, 1);
    world.send(late, subscribe_to([filter("x", Q0), filter("y", Q0)]));
    world.expect_suback(late);
    assert_eq!(world.take_all(late), [("y".into(), "for ever".into())]);
    assert_eq!(world.broker.next_deadline(), None);
}

// [MQTT-3.3.2-5] The edge may notice late that a moment has passed.
#[test]
fn a_value_that_has_expired_is_not_sent() {
    let mut world = World::new();
    let dimmer = world.connect(v5("dimmer"));
    world.publish_packet(dimmer, retained(expiring_s(publish("x", "short", Q1), 10)));
    world.wait_unnoticed_s(10);
    world.subscribe(dimmer, "x", Q0);
    world.expect_nothing(dimmer);
}

#[test]
fn the_time_when_a_value_was_set_is_kept_with_it() {
    let mut world = World::new();
    let dimmer = world.connect(v5("dimmer"));
    world.wait(Duration::from_millis(1_500));
    world.publish_retained(dimmer, "lights/1/intensity", "10", Q2);
    world.wait(Duration::from_millis(1_500));
    world.publish(dimmer, "lights/1/intensity", "11", Q2);
    let message = world.broker.retained_message(&topic("lights/1/intensity")).expect("a value");
    assert_eq!(message.published.timestamp.unix_millis(), EPOCH_MS + 1_500);
    assert_eq!((message.payload(), message.qos), (&b"10"[..], QoS::ExactlyOnce));
    assert_eq!(&*message.publisher, "dimmer");
    assert!(world.broker.retained_message(&topic("lights/1")).is_none());
}

#[test]
fn values_are_listed_by_filter_in_the_order_of_their_topics() {
    let mut world = World::new();
    let dimmer = world.connect(v5("dimmer"));
    for name in ["b", "a b", "a/c", "a", "a/b/c", "a/b", "$x/b", "a!/b"] {
        world.publish_retained(dimmer, name, "1", Q0);
    }
    let list = |filter: &str| -> Vec<String> {
        let filter = TopicFilter::try_from(filter).expect("a filter");
        world.broker.retained(&filter).map(|message| message.topic().as_str().to_owned()).collect()
    };
    assert_eq!(list("#"), ["a", "a/b", "a/b/c", "a/c", "a b", "a!/b", "b"]);
    assert_eq!(list("+/b"), ["a/b", "a!/b"]);
    assert_eq!(list("a/#"), ["a", "a/b", "a/b/c", "a/c"]);
    assert_eq!(list("$x/+"), ["$x/b"]);
}

#[test]
fn retained_messages_are_bounded_in_number_and_in_bytes() {
    let mut world = World::with(|limits| {
        limits.retained_messages = 2;
        limits.retained_bytes = 100;
    });
    let dimmer = world.connect(v5("dimmer"));
    world.subscribe(dimmer, "#", Q0);
    assert_eq!(world.publish_retained(dimmer, "a", "1", Q1), ReasonCode::Success);
    assert_eq!(world.publish_retained(dimmer, "b", "1", Q2), ReasonCode::Success);
    world.reports();
    assert_eq!(world.publish_retained(dimmer, "c", "1", Q1), ReasonCode::QuotaExceeded);
    assert_eq!(world.publish_retained(dimmer, "c", "1", Q2), ReasonCode::QuotaExceeded);
    let refused = Report::PublishRefused {
        link: Some(dimmer.0),
        client_id: "dimmer".into(),
        reason: ReasonCode::QuotaExceeded,
    };
    assert_eq!(world.reports(), [refused.clone(), refused]);
    // What is there may be replaced and cleared, but may not grow beyond the bound.
    assert_eq!(world.publish_retained(dimmer, "a", "2", Q1), ReasonCode::Success);
    assert_eq!(world.publish_retained(dimmer, "a", &"1".repeat(98), Q1), ReasonCode::QuotaExceeded);
    assert_eq!(world.publish_retained(dimmer, "a", &"1".repeat(97), Q1), ReasonCode::Success);
    assert_eq!(world.broker.statistics().retained_bytes, 100);
    assert_eq!(world.publish_retained(dimmer, "b", "", Q1), ReasonCode::Success);
    assert_eq!(world.publish_retained(dimmer, "c", "1", Q1), ReasonCode::Success);
    // Nothing of what was refused was delivered.
    let topics: String = world.take_all(dimmer).into_iter().map(|(topic, _)| topic).collect();
    assert_eq!(topics, "abaabc");
}

// [MQTT-3.3.1-5] An unacknowledged repetition at QoS 2 sets no value twice.
#[test]
fn a_repetition_does_not_set_the_value_again() {
    let mut world = World::new();
    let (a, b) = (world.connect(v5("a")), world.connect(v5("b")));
    world.send_publish(a, retained(publish("x", "first", Q2)));
    world.publish_retained(b, "x", "second", Q2);
    world.send_publish(a, repeated(retained(publish("x", "first", Q2))));
    world.subscribe(b, "x", Q0);
    assert!(matches!(world.next(b), Some(Packet::Publish(publish)) if &*publish.payload == b"second"));
}

#[test]
fn each_setting_of_a_value_can_be_told_from_every_other() {
    let mut world = World::new();
    let dimmer = world.connect(v5("dimmer"));
    let setting = |world: &World, name: &str| world.broker.retained_setting(&topic(name));
    assert_eq!(setting(&world, "a"), None);
    world.publish_retained(dimmer, "a", "1", Q0);
    let first = setting(&world, "a").expect("a value");
    world.publish_retained(dimmer, "b", "1", Q0);
    assert_eq!(setting(&world, "a"), Some(first), "another topic's value");
    // The same value within the same millisecond is another setting.
    world.publish_retained(dimmer, "a", "1", Q0);
    let second = setting(&world, "a").expect("a value");
    assert_eq!((first.at, first.alone_in_its_second), (second.at, true));
    assert!(first.number != second.number && !second.alone_in_its_second, "{first:?} {second:?}");
    world.wait(Duration::from_secs(1));
    world.publish_retained(dimmer, "a", "1", Q0);
    assert!(setting(&world, "a").is_some_and(|third| third.alone_in_its_second && third.at > second.at));
}
