//! Sections 3.1.2.4, 3.1.2.11.2 and 4.1: what a session keeps, and for how long.

use crate::driver::{World, packets::*};
use luxwire_broker::{Dropped, Report};

// [MQTT-3.1.2-5] [MQTT-3.1.2-23] [MQTT-4.1.0-1] [MQTT-4.5.0-1]
#[test]
fn a_session_keeps_subscriptions_and_messages_while_its_client_is_away() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").expiry_s(60));
    world.subscribe(lamp, "x", Q2);
    world.cut(lamp);
    let dimmer = world.connect(v5("dimmer"));
    world.publish(dimmer, "x", "0", Q0);
    world.publish(dimmer, "x", "1", Q1);
    world.publish(dimmer, "x", "2", Q2);
    assert_eq!(world.broker.statistics().queued_messages, 2);
    let lamp = world.connect(v5("lamp").resuming().expiry_s(60));
    // QoS 0 is not kept.
    let publish = world.expect_publish(lamp);
    assert_eq!((publish.qos(), &*publish.payload), (Q1, &b"1"[..]));
    assert!(!publish.delivery.dup());
    world.acknowledge(lamp, &publish);
    let publish = world.expect_publish(lamp);
    assert_eq!((publish.qos(), &*publish.payload), (Q2, &b"2"[..]));
    world.acknowledge(lamp, &publish);
    world.expect_nothing(lamp);
    assert_eq!(world.broker.statistics().queued_bytes, 0);
    world.publish(dimmer, "x", "3", Q1);
    assert_eq!(world.take(lamp).1, "3");
}

// [MQTT-3.1.2-4]
#[test]
fn a_clean_start_discards_everything() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").expiry_s(60));
    world.subscribe(lamp, "x", Q2);
    let dimmer = world.connect(v5("dimmer"));
    world.publish(dimmer, "x", "in flight", Q2);
    world.send_publish(lamp, publish("y", "unreleased", Q2));
    world.cut(lamp);
    world.publish(dimmer, "x", "queued", Q2);
    let lamp = world.connect(v5("lamp").expiry_s(60));
    world.expect_nothing(lamp);
    let statistics = world.broker.statistics();
    assert_eq!(
        (statistics.subscriptions, statistics.queued_messages, statistics.in_flight_messages),
        (0, 0, 0)
    );
    // The identifier of the unreleased message is free.
    world.subscribe(lamp, "y", Q0);
    world.publish(lamp, "y", "another", Q2);
    assert_eq!(world.take(lamp).1, "another");
}

// [MQTT-3.1.2-23] [MQTT-4.1.0-2] [MQTT-4.1.0-1]
#[test]
fn a_session_ends_when_its_client_was_away_for_its_expiry() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").expiry_s(5));
    world.subscribe(lamp, "x", Q1);
    world.wait_s(100);
    world.cut(lamp);
    world.wait_s(4);
    assert_eq!(world.broker.statistics().sessions, 1);
    world.reports();
    world.wait_s(1);
    assert_eq!(world.broker.statistics(), luxwire_broker::Statistics::default());
    assert_eq!(world.reports(), [Report::SessionEnded { client_id: "lamp".into() }]);
    assert_eq!(world.broker.next_deadline(), None);
}

// [MQTT-3.1.2-23] The edge may notice late that a moment has passed.
#[test]
fn a_session_that_has_expired_is_not_resumed() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").expiry_s(5));
    world.subscribe(lamp, "x", Q1);
    world.cut(lamp);
    world.wait_unnoticed_s(5);
    let (_, connack) = world.connect_full(v5("lamp").resuming().expiry_s(5));
    assert!(!connack.session_present);
    assert_eq!(world.broker.statistics().subscriptions, 0);
}

// [MQTT-3.1.2.11.2]
#[test]
fn without_an_expiry_a_session_ends_with_its_connection_and_with_the_largest_never() {
    let mut world = World::with(|limits| limits.session_expiry_s = u32::MAX);
    let short = world.connect(v5("short"));
    let long = world.connect(v5("long").expiry_s(u32::MAX));
    world.cut(short);
    world.cut(long);
    assert_eq!(world.broker.statistics().sessions, 1);
    assert_eq!(world.broker.next_deadline(), None);
    world.wait_s(1000 * 365 * 24 * 3600);
    let (_, connack) = world.connect_full(v5("long").resuming());
    assert!(connack.session_present);
}

// [MQTT-3.1.2-23] The expiry is that of the latest CONNECT, and coming back stops the clock.
#[test]
fn coming_back_stops_the_clock() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").expiry_s(5));
    world.cut(lamp);
    world.wait_s(4);
    let lamp = world.connect(v5("lamp").resuming().expiry_s(50));
    world.wait_s(100);
    world.expect_nothing(lamp);
    world.cut(lamp);
    world.wait_s(49);
    assert_eq!(world.broker.statistics().sessions, 1);
    world.wait_s(1);
    assert_eq!(world.broker.statistics().sessions, 0);
}

#[test]
fn a_full_queue_drops_what_comes_last_and_says_so() {
    let mut world = World::with(|limits| limits.session_queue_messages = 10);
    let lamp = world.connect(v5("lamp").expiry_s(60));
    world.subscribe(lamp, "x", Q1);
    world.cut(lamp);
    let dimmer = world.connect(v5("dimmer"));
    world.reports();
    for number in 0..15 {
        world.publish(dimmer, "x", &number.to_string(), Q1);
    }
    let full = Report::Dropped { client_id: "lamp".into(), qos: Q1, why: Dropped::QueueFull };
    assert_eq!(world.reports(), vec![full; 5]);
    let lamp = world.connect(v5("lamp").resuming());
    let taken: Vec<_> = world.take_all(lamp).into_iter().map(|(_, payload)| payload).collect();
    assert_eq!(taken, (0..10).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn the_queue_is_bounded_in_bytes_and_what_is_in_flight_counts() {
    let mut world = World::with(|limits| limits.session_queue_bytes = 1000);
    let lamp = world.connect(v5("lamp").receive_maximum(2));
    world.subscribe(lamp, "x", Q1);
    for _ in 0..20 {
        world.publish(lamp, "x", &"1".repeat(99), Q1);
    }
    let statistics = world.broker.statistics();
    assert_eq!((statistics.in_flight_bytes, statistics.queued_bytes), (200, 800));
    assert_eq!(world.take_all(lamp).len(), 10);
}

#[test]
fn what_has_expired_makes_room_in_a_full_queue() {
    let mut world = World::with(|limits| limits.session_queue_messages = 10);
    let lamp = world.connect(v5("lamp").expiry_s(60));
    world.subscribe(lamp, "x", Q1);
    world.cut(lamp);
    let dimmer = world.connect(v5("dimmer"));
    for number in 0..10 {
        let seconds = if number % 2 == 0 { 1 } else { 30 };
        world.publish_packet(dimmer, expiring_s(publish("x", &number.to_string(), Q1), seconds));
    }
    world.wait_s(1);
    for number in 10..20 {
        world.publish(dimmer, "x", &number.to_string(), Q1);
    }
    let lamp = world.connect(v5("lamp").resuming());
    let taken: Vec<_> = world.take_all(lamp).into_iter().map(|(_, payload)| payload).collect();
    assert_eq!(taken, ["1", "3", "5", "7", "9", "10", "11", "12", "13", "14"]);
}

#[test]
fn qos_0_takes_half_of_the_room_at_most() {
    let mut world = World::with(|limits| limits.session_queue_messages = 10);
    let lamp = world.connect(v5("lamp").receive_maximum(1));
    world.subscribe(lamp, "x", Q1);
    let dimmer = world.connect(v5("dimmer"));
    world.publish(dimmer, "x", "first", Q1);
    world.publish(dimmer, "x", "second", Q1);
    for number in 0..20 {
        world.publish(dimmer, "x", &number.to_string(), Q0);
    }
    for _ in 0..5 {
        world.publish(dimmer, "x", "late", Q1);
    }
    let taken: Vec<_> = world.take_all(lamp).into_iter().map(|(_, payload)| payload).collect();
    assert_eq!(taken, ["first", "second", "0", "1", "2", "late", "late", "late", "late", "late"]);
}

#[test]
fn sessions_are_bounded_and_nobody_is_pushed_out() {
    let mut world = World::with(|limits| limits.sessions = 3);
    let here = world.connect(v5("here"));
    let away = world.connect(v5("away").expiry_s(60));
    world.cut(away);
    let last = world.connect(v5("last"));
    assert_eq!(world.refused(v5("one more")), luxwire_shared::mqtt::ReasonCode::QuotaExceeded);
    assert_eq!(world.refused(v3("one more")), luxwire_shared::mqtt::ReasonCode::ServerUnavailable);
    world.expect_nothing(here);
    let (_, connack) = world.connect_full(v5("away").resuming());
    assert!(connack.session_present);
    world.leave(last);
    world.connect(v5("one more"));
}

// [MQTT-3.1.2-23]
#[test]
fn coming_back_may_shorten_the_expiry() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").expiry_s(50));
    world.cut(lamp);
    let lamp = world.connect(v5("lamp").resuming().expiry_s(5));
    // Nothing of the earlier moment is left in the calendar.
    assert_eq!(world.broker.next_deadline(), None);
    world.cut(lamp);
    world.wait_s(5);
    assert_eq!(world.broker.statistics().sessions, 0);
}

// A session that ended leaves nothing in the calendar that could meet the next one in its place.
#[test]
fn nothing_of_a_session_is_due_after_its_end() {
    let mut world = World::new();
    for _ in 0..3 {
        let lamp = world.connect(v5("lamp").expiry_s(5).will(delayed_will("w", "bye", 3)));
        world.cut(lamp);
        assert!(world.broker.next_deadline().is_some());
        let lamp = world.connect(v5("lamp"));
        assert_eq!(world.broker.next_deadline(), None);
        world.leave(lamp);
        assert_eq!(world.broker.next_deadline(), None);
        world.wait_s(10);
    }
}
