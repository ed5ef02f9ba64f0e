//! MQTT 3.1.1 (and 3.1) where it differs from 5.0. Numbers are those of 3.1.1.

use crate::driver::{World, packets::*};
use luxwire_broker::CloseReason;
use luxwire_shared::mqtt::{Packet, ReasonCode, Version};

const OLD: [Version; 2] = [Version::V3_1, Version::V3_1_1];

// 3.1.1: [MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-3.2.2-2] [MQTT-3.2.2-1]
#[test]
fn a_session_without_clean_session_is_kept() {
    let mut world = World::new();
    let (lamp, connack) = world.connect_full(v3("lamp").resuming());
    assert!(!connack.session_present);
    world.subscribe(lamp, "x", Q1);
    world.cut(lamp);
    let dimmer = world.connect(v3("dimmer"));
    world.publish(dimmer, "x", "1", Q1);
    world.wait_s(24 * 3600);
    let (lamp, connack) = world.connect_full(v3("lamp").resuming());
    assert!(connack.session_present);
    assert_eq!(world.take_all(lamp).len(), 1);
}

// 3.1.1: [MQTT-3.1.2-6]
#[test]
fn a_clean_session_discards_and_leaves_nothing() {
    let mut world = World::new();
    let a = world.connect(v3("a").resuming());
    world.subscribe(a, "x", Q1);
    world.cut(a);
    let (a, connack) = world.connect_full(v3("a"));
    assert!(!connack.session_present);
    world.cut(a);
    assert_eq!(world.broker.statistics().sessions, 0);
    let (_, connack) = world.connect_full(v3("a").resuming());
    assert!(!connack.session_present);
}

// Before 5.0 a client cannot say how long; the limit does.
#[test]
fn a_session_without_clean_session_ends_after_the_limit() {
    let mut world = World::with(|limits| limits.session_expiry_s = 1000);
    let lamp = world.connect(v3("lamp").resuming());
    world.leave(lamp);
    world.wait_s(999);
    assert_eq!(world.broker.statistics().sessions, 1);
    world.wait_s(1);
    assert_eq!(world.broker.statistics().sessions, 0);
}

// 3.1.1: [MQTT-3.1.3-6] [MQTT-3.1.3-8] [MQTT-3.1.3-9] [MQTT-3.2.2-4] [MQTT-3.2.2-5]
#[test]
fn an_empty_identifier_needs_a_clean_session() {
    for version in OLD {
        let mut world = World::new();
        let a = world.connect(crate::driver::packets::version(version, ""));
        let b = world.connect(crate::driver::packets::version(version, ""));
        world.expect_nothing(a);
        world.expect_nothing(b);
        let kept = crate::driver::packets::version(version, "").resuming();
        assert_eq!(world.refused(kept), ReasonCode::ClientIdentifierNotValid);
    }
}

// MQTT 3.1, section 3.1, "Client Identifier": characters, not bytes.
#[test]
fn identifiers_of_3_1_may_be_held_to_23_characters() {
    let connecting = crate::driver::packets::version;
    let names = ["", &"a".repeat(23), &"\u{e4}".repeat(23), &"a".repeat(24)];
    let mut lenient = World::new();
    for name in names {
        lenient.connect(connecting(Version::V3_1, name));
    }
    let mut strict = World::with(|limits| limits.short_client_ids_3_1 = true);
    for name in ["", &"a".repeat(24)] {
        let refused = strict.refused(connecting(Version::V3_1, name));
        assert_eq!(refused, ReasonCode::ClientIdentifierNotValid, "{name:?}");
    }
    for name in ["a", &"a".repeat(23), &"\u{e4}".repeat(23)] {
        strict.connect(connecting(Version::V3_1, name));
    }
    // Later versions leave the length to the server.
    for version in [Version::V3_1_1, Version::V5] {
        strict.connect(connecting(version, &"a".repeat(24)));
        strict.connect(connecting(version, ""));
    }
}

// 3.1.1: [MQTT-3.1.2-8] [MQTT-3.14.4-3]
#[test]
fn the_will_is_published_unless_the_client_said_disconnect() {
    for version in OLD {
        let mut world = World::new();
        let page = world.connect(v3("page"));
        world.subscribe(page, "w", Q0);
        let connecting = || crate::driver::packets::version(version, "lamp").will(will("w", "bye"));
        let lamp = world.connect(connecting());
        world.leave(lamp);
        world.expect_nothing(page);
        let lamp = world.connect(connecting());
        world.cut(lamp);
        assert_eq!(world.take_all(page).len(), 1);
    }
}

// 3.1.1: [MQTT-3.1.4-2] [MQTT-3.1.0-2] [MQTT-4.8.0-1]
#[test]
fn there_is_no_packet_to_say_why_a_link_is_closed() {
    for version in OLD {
        let mut world = World::new();
        let old = world.connect(crate::driver::packets::version(version, "a"));
        world.connect(v3("a"));
        assert_eq!(world.expect_closed(old), CloseReason::TakenOver);
        let twice = world.connect(crate::driver::packets::version(version, "b"));
        world.send(twice, Packet::Connect(Box::new(v3("b").into())));
        assert_eq!(world.expect_closed(twice), CloseReason::ProtocolError);
        let silent = world.connect(crate::driver::packets::version(version, "c").keep_alive_s(10));
        world.wait_s(15);
        assert_eq!(world.expect_closed(silent), CloseReason::KeepAliveTimeout); // 3.1.1: [MQTT-3.1.2-24]
    }
}

// The client's own keep alive holds: it cannot be told of another.
#[test]
fn the_keep_alive_limit_does_not_concern_old_clients() {
    let mut world = World::with(|limits| limits.keep_alive_s = 60);
    let client = world.connect(v3("a").keep_alive_s(1000));
    world.wait_s(1499);
    world.expect_nothing(client);
    world.wait_s(1);
    world.expect_closed(client);
}

// 3.1.1: [MQTT-3.3.1-6] [MQTT-3.3.1-8] [MQTT-3.3.1-9] [MQTT-3.8.4-3]
#[test]
fn retained_messages_come_with_every_subscribe_and_are_marked() {
    let mut world = World::new();
    let page = world.connect(v3("page"));
    world.publish_retained(page, "x", "1", Q1);
    for _ in 0..2 {
        world.subscribe(page, "x", Q1);
        let publish = world.expect_publish(page);
        assert!(publish.retain);
        world.acknowledge(page, &publish);
    }
    world.publish_retained(page, "x", "2", Q1);
    assert!(!world.expect_publish(page).retain);
}

// 3.1.1: [MQTT-3.3.5-1]
#[test]
fn overlapping_subscriptions_are_served_at_the_highest_quality() {
    let mut world = World::new();
    let page = world.connect(v3("page"));
    world.subscribe(page, "a/#", Q1);
    world.subscribe(page, "a/+", Q2);
    world.publish(page, "a/b", "1", Q2);
    assert_eq!(world.expect_publish(page).qos(), Q2);
    world.expect_nothing(page);
}

// 3.1.1: [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.9.3-2] [MQTT-3.10.4-5]
#[test]
fn suback_says_0x80_for_every_failure_and_unsuback_says_nothing() {
    let mut world = World::new();
    let client = world.connect(v3("a"));
    let filters = [filter("x", Q2), filter("$share/group/x", Q0), filter(&"/".repeat(200), Q0)];
    world.send(client, subscribe_to(filters));
    let reasons = world.expect_suback(client).reasons;
    assert_eq!(reasons, [ReasonCode::GrantedQoS2, ReasonCode::Success, ReasonCode::Unspecified]);
    world.send(client, unsubscribe(&["x", "nothing"]));
    assert_eq!(world.expect_unsuback(client).reasons, []);
}

// A session goes from version to version with its client.
#[test]
fn a_session_may_change_its_version() {
    let mut world = World::new();
    let new = world.connect(v5("a").expiry_s(60));
    world.send(new, subscribe_with_id("x", Q1, 7));
    world.expect_suback(new);
    world.cut(new);
    let dimmer = world.connect(v5("dimmer"));
    world.publish_packet(dimmer, expiring_s(publish("x", "1", Q1), 30));
    let (old, connack) = world.connect_full(v3("a").resuming());
    assert!(connack.session_present);
    let publish = world.expect_publish(old);
    assert_eq!(publish.properties, None);
    world.cut(old);
    let new = world.connect(v5("a").resuming());
    let properties = world.expect_publish(new).properties.expect("properties");
    assert_eq!((properties.message_expiry_interval_s, properties.subscription_ids.len()), (Some(30), 1));
}

// 3.1.1: [MQTT-4.4.0-1] [MQTT-4.3.2-2] [MQTT-4.6.0-6] [MQTT-3.2.0-1]
#[test]
fn what_is_unacknowledged_comes_again_in_order() {
    for version in OLD {
        let connecting = || crate::driver::packets::version(version, "lamp").resuming();
        let mut world = World::new();
        let lamp = world.connect(connecting());
        world.subscribe(lamp, "x", Q2);
        let dimmer = world.connect(v3("dimmer"));
        for (payload, qos) in [("1", Q1), ("2", Q2), ("3", Q2), ("4", Q1)] {
            world.publish(dimmer, "x", payload, qos);
        }
        let first: Vec<_> = (0..4).map(|_| world.expect_publish(lamp)).collect();
        let released = first[1].delivery.packet_id().expect("an identifier").number();
        world.send(lamp, pubrec(released));
        world.expect_packet(lamp, pubrel(released));
        world.cut(lamp);
        let lamp = world.connect(connecting());
        for before in [&first[0], &first[2], &first[3]] {
            if before.payload == first[2].payload {
                world.expect_packet(lamp, pubrel(released));
            }
            let again = world.expect_publish(lamp);
            assert_eq!(
                (&again.payload, again.delivery.packet_id()),
                (&before.payload, before.delivery.packet_id())
            );
            assert!(again.delivery.dup());
        }
        world.expect_nothing(lamp);
    }
}

// 3.1.1: [MQTT-3.1.2-7] [MQTT-3.3.1-10]
#[test]
fn retained_messages_outlive_their_publisher_until_they_are_cleared() {
    let mut world = World::new();
    let page = world.connect(v3("page"));
    world.subscribe(page, "x", Q0);
    let dimmer = world.connect(v3("dimmer"));
    world.publish_retained(dimmer, "x", "1", Q1);
    world.leave(dimmer);
    let late = world.connect(v3("late"));
    world.subscribe(late, "x", Q0);
    assert_eq!(world.take_all(late).len(), 1);
    world.publish_retained(late, "x", "", Q1);
    assert_eq!(world.take_all(page), [("x".into(), "1".into()), ("x".into(), String::new())]);
    let later = world.connect(v3("later"));
    world.subscribe(later, "x", Q0);
    world.expect_nothing(later);
}

// 3.1.1: [MQTT-3.1.4-5]
#[test]
fn nothing_behind_a_refused_connect_is_processed() {
    let mut world = World::new();
    let page = world.connect(v3("page"));
    world.subscribe(page, "#", Q0);
    let refused = world.open();
    world.send(refused, Packet::Connect(Box::new(v3("").resuming().into())));
    world.send_publish(refused, publish("x", "1", Q0));
    assert_eq!(world.expect_connack(refused).reason, ReasonCode::ClientIdentifierNotValid);
    world.expect_closed(refused);
    world.expect_nothing(page);
}
