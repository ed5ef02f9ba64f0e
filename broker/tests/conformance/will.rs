//! Sections 3.1.2.5 and 3.1.3.2: the will.

use crate::driver::{Client, World, packets::*};
use luxwire_broker::Input;
use luxwire_shared::mqtt::{DecodeError, Packet, PayloadFormat, ReasonCode, Version, Will, WillProperties};

/// A page that follows everything at QoS 2.
fn page(world: &mut World) -> Client {
    let page = world.connect(v5("page"));
    world.subscribe(page, "#", Q2);
    page
}

/// All ways in which a connection can end without DISCONNECT 0x00.
fn losses() -> Vec<fn(&mut World, Client)> {
    vec![
        |world, lamp| world.cut(lamp),
        |world, lamp| {
            let peer = luxwire_broker::Cause::ByPeer;
            world.input(Input::Closed { link: lamp.0, cause: peer });
        },
        |world, _| world.wait_s(15),
        |world, lamp| world.send(lamp, Packet::Pingresp),
        |world, lamp| world.send_malformed(lamp, Some(Version::V5), DecodeError::Truncated),
        |world, lamp| world.send(lamp, disconnect(ReasonCode::DisconnectWithWill)),
        |world, _| {
            world.connect(v5("lamp").resuming());
        },
        |world, _| {
            world.connect(v5("lamp"));
        },
    ]
}

// [MQTT-3.1.2-8] [MQTT-3.1.2-7] [MQTT-3.1.2-10]
#[test]
fn a_will_is_published_once_however_the_connection_is_lost() {
    for lose in losses() {
        let mut world = World::new();
        let page = page(&mut world);
        let lamp = world.connect(v5("lamp").keep_alive_s(10).expiry_s(60).will(will("w", "bye")));
        lose(&mut world, lamp);
        assert_eq!(world.take_all(page), [("w".into(), "bye".into())]);
        world.wait_s(1000);
        world.connect(v5("lamp"));
        assert_eq!(world.take_all(page), []);
    }
}

// [MQTT-3.1.2-8]
#[test]
fn without_a_will_nothing_is_published() {
    for lose in losses() {
        let mut world = World::new();
        let page = page(&mut world);
        let lamp = world.connect(v5("lamp").keep_alive_s(10).expiry_s(60));
        lose(&mut world, lamp);
        world.wait_s(1000);
        assert_eq!(world.take_all(page), []);
    }
}

// [MQTT-3.1.2-14] [MQTT-3.1.2-15] [MQTT-3.3.1-5]
#[test]
fn a_will_is_retained_if_it_says_so() {
    for retain in [false, true] {
        for qos in [Q0, Q1, Q2] {
            let mut world = World::new();
            let page = page(&mut world);
            let lamp = world.connect(v5("lamp").will(Will { retain, qos, ..will("w", "bye") }));
            world.cut(lamp);
            let publish = world.expect_publish(page);
            assert_eq!((publish.qos(), publish.retain), (qos, false));
            world.acknowledge(page, &publish);
            let late = world.connect(v5("late"));
            world.subscribe(late, "w", Q2);
            let kept = world.next(late);
            assert_eq!(kept.is_some(), retain);
            if let Some(Packet::Publish(kept)) = kept {
                assert!(kept.retain);
                assert_eq!(kept.qos(), qos);
            }
        }
    }
}

// [MQTT-3.1.3-10] [MQTT-3.3.2-17]
#[test]
fn a_will_says_all_that_the_application_said() {
    let mut world = World::new();
    let page = page(&mut world);
    let properties = WillProperties {
        will_delay_interval_s: None,
        payload_format: Some(PayloadFormat::Text),
        message_expiry_interval_s: Some(30),
        content_type: Some(text("text/plain")),
        response_topic: Some(topic("answers")),
        correlation_data: Some(vec![1, 2, 3].into()),
        user_properties: [("a", "1"), ("b", "2"), ("a", "3")].map(|(a, b)| (text(a), text(b))).into(),
    };
    let lamp = world.connect(v5("lamp").will(Will { properties: properties.clone(), ..will("w", "bye") }));
    world.wait_s(100);
    world.cut(lamp);
    let got = *world.expect_publish(page).properties.expect("properties");
    assert_eq!(got.payload_format, properties.payload_format);
    // Its life begins with its publication. [MQTT-3.3.2.3.3]
    assert_eq!(got.message_expiry_interval_s, properties.message_expiry_interval_s);
    assert_eq!(got.content_type, properties.content_type);
    assert_eq!(got.response_topic, properties.response_topic);
    assert_eq!(got.correlation_data, properties.correlation_data);
    assert_eq!(got.user_properties, properties.user_properties);
}

// [MQTT-3.1.2-8]
#[test]
fn a_delayed_will_waits_for_its_delay() {
    let mut world = World::new();
    let page = page(&mut world);
    let lamp = world.connect(v5("lamp").expiry_s(60).will(delayed_will("w", "bye", 5)));
    world.wait_s(100);
    world.cut(lamp);
    world.wait_s(4);
    world.expect_nothing(page);
    world.wait_s(1);
    assert_eq!(world.take_all(page).len(), 1);
    world.wait_s(100);
    world.expect_nothing(page);
}

// [MQTT-3.1.3-9]
#[test]
fn who_comes_back_within_the_delay_has_no_will_published() {
    let mut world = World::new();
    let page = page(&mut world);
    let lamp = world.connect(v5("lamp").expiry_s(60).will(delayed_will("w", "bye", 5)));
    world.cut(lamp);
    world.wait_s(4);
    let lamp = world.connect(v5("lamp").resuming().expiry_s(60));
    world.wait_s(100);
    world.cut(lamp);
    world.wait_s(100);
    world.expect_nothing(page);
    // A take-over comes back at once.
    world.connect(v5("lamp").expiry_s(60).will(delayed_will("w", "bye", 5)));
    world.connect(v5("lamp").resuming().expiry_s(60));
    world.wait_s(100);
    world.expect_nothing(page);
}

// [MQTT-3.1.3-9] The edge may notice late that a moment has passed.
#[test]
fn who_comes_back_after_the_delay_has_the_will_published() {
    let mut world = World::new();
    let page = page(&mut world);
    let lamp = world.connect(v5("lamp").expiry_s(60).will(delayed_will("w", "bye", 5)));
    world.cut(lamp);
    world.wait_unnoticed_s(5);
    world.connect(v5("lamp").resuming());
    assert_eq!(world.take_all(page).len(), 1);
}

// [MQTT-3.1.3-9] [MQTT-3.1.2-8]
#[test]
fn a_clean_start_within_the_delay_ends_the_session_and_publishes_the_will() {
    let mut world = World::new();
    let page = page(&mut world);
    let lamp = world.connect(v5("lamp").expiry_s(60).will(delayed_will("w", "bye", 5)));
    world.cut(lamp);
    world.connect(v5("lamp"));
    assert_eq!(world.take_all(page).len(), 1);
    // A take-over with a clean start as well.
    world.connect(v5("lamp").expiry_s(60).will(delayed_will("w", "bye", 5)));
    assert_eq!(world.take_all(page).len(), 0);
    world.connect(v5("lamp"));
    assert_eq!(world.take_all(page).len(), 1);
}

// Whichever comes first. [MQTT-3.1.3.2.2] [MQTT-4.1.0-2]
#[test]
fn a_will_whose_delay_is_longer_than_the_session_is_published_when_that_ends() {
    for (expiry_s, delay_s, at_s) in [(2, 5, 2), (5, 2, 2), (0, 5, 0), (3, 3, 3), (u32::MAX, 9, 9)] {
        let mut world = World::with(|limits| limits.session_expiry_s = u32::MAX);
        let page = page(&mut world);
        let lamp = world.connect(v5("lamp").expiry_s(expiry_s).will(delayed_will("w", "bye", delay_s)));
        world.cut(lamp);
        if at_s > 0 {
            world.wait_s(at_s - 1);
            world.expect_nothing(page);
            world.wait_s(1);
        }
        assert_eq!(world.take_all(page).len(), 1, "{expiry_s} {delay_s}");
        world.wait_s(100);
        world.connect(v5("lamp"));
        world.expect_nothing(page);
    }
}

// [MQTT-3.14.4-3]
#[test]
fn a_normal_ending_discards_a_delayed_will_too() {
    let mut world = World::new();
    let page = page(&mut world);
    let lamp = world.connect(v5("lamp").expiry_s(60).will(delayed_will("w", "bye", 5)));
    world.leave(lamp);
    world.wait_s(100);
    world.expect_nothing(page);
}

// [MQTT-3.1.2-4]
#[test]
fn the_will_is_that_of_the_latest_connect() {
    let mut world = World::new();
    let page = page(&mut world);
    world.connect(v5("lamp").expiry_s(60).will(delayed_will("w", "first", 5)));
    let lamp = world.connect(v5("lamp").resuming().expiry_s(60).will(will("w", "second")));
    world.cut(lamp);
    assert_eq!(world.take_all(page), [("w".into(), "second".into())]);
    world.wait_s(100);
    world.expect_nothing(page);
}

#[test]
fn a_will_to_the_brokers_own_topics_is_refused() {
    let mut world = World::new();
    assert_eq!(world.refused(v5("lamp").will(will("$SYS/x", "bye"))), ReasonCode::TopicNameInvalid);
    assert_eq!(world.refused(v3("lamp").will(will("$SYS/x", "bye"))), ReasonCode::NotAuthorized);
}

// CVE-2019-11778: reconnections around both deadlines.
#[test]
fn reconnections_around_delay_and_expiry_publish_the_will_once_a_loss_at_most() {
    for step in 1..8 {
        let mut world = World::new();
        let page = page(&mut world);
        for _ in 0..10 {
            let lamp = world.connect(v5("lamp").resuming().expiry_s(4).will(delayed_will("w", "bye", 6)));
            world.cut(lamp);
            world.wait_s(step);
            let expected = usize::from(step >= 4);
            assert_eq!(world.take_all(page).len(), expected);
        }
    }
}
