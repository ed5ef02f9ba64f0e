//! Section 3.2, CONNACK: what a client is told.

use crate::driver::{World, packets::*};
use luxwire_shared::mqtt::{ConnackProperties, QoS, ReasonCode, Version};
use std::num::{NonZeroU16, NonZeroU32};

// [MQTT-3.1.4-5] [MQTT-3.2.2-1] [MQTT-3.2.2-8] [MQTT-3.1.2-28]
#[test]
fn what_is_not_available_is_announced() {
    let mut world = World::with(|limits| {
        limits.packet_size = NonZeroU32::new(1000).expect("not 0");
        limits.receive_maximum = NonZeroU16::new(20).expect("not 0");
    });
    let (_, connack) = world.connect_full(v5("a"));
    let properties = ConnackProperties {
        receive_maximum: NonZeroU16::new(20),
        maximum_packet_size: NonZeroU32::new(1000),
        topic_alias_maximum: Some(32),
        ..ConnackProperties::default()
    };
    assert_eq!(connack.properties, properties);
}

// [MQTT-3.1.2-28] Section 3.2.2.3.14.
#[test]
fn who_asks_for_response_information_gets_a_topic_of_its_own() {
    let mut world = World::new();
    let asking =
        |name: &str| v5(name).change(|connect| connect.properties.request_response_information = Some(true));
    let (asker, connack) = world.connect_full(asking("page 1"));
    let information = connack.properties.response_information.expect("what was asked for");
    assert_eq!(information.as_str(), "luxwire/responses/page 1");
    world.subscribe(asker, &format!("{information}/#"), Q0);
    let answerer = world.connect(v5("lamp"));
    world.publish(answerer, &format!("{information}/7"), "40", Q0);
    assert_eq!(world.take_all(asker).len(), 1);
    // One that was assigned will do; one that makes no topic will not.
    let connack = world.connect_full(asking("")).1;
    let id = connack.properties.assigned_client_id.expect("assigned");
    assert!(connack.properties.response_information.expect("what was asked for").ends_with(id.as_str()));
    assert_eq!(world.connect_full(asking("a/#")).1.properties.response_information, None);
    // Nor is it given where it was not asked for, or does not fit.
    for wish in [None, Some(false)] {
        let connecting = v5("a").change(|connect| connect.properties.request_response_information = wish);
        assert_eq!(world.connect_full(connecting).1.properties.response_information, None);
    }
    assert_eq!(world.connect_full(asking("a").packet_size(30)).1.properties.response_information, None);
}

// [MQTT-3.2.2-2] [MQTT-3.2.2-3] [MQTT-3.1.2-6]
#[test]
fn session_present_tells_whether_there_was_one() {
    let mut world = World::new();
    let present = |world: &mut World, connecting| {
        let (client, connack) = world.connect_full(connecting);
        world.cut(client);
        connack.session_present
    };
    assert!(!present(&mut world, v5("a").resuming().expiry_s(10)));
    assert!(present(&mut world, v5("a").resuming().expiry_s(10)));
    assert!(!present(&mut world, v5("a").expiry_s(10)));
    assert!(present(&mut world, v5("a").resuming().expiry_s(10)));
    world.wait_s(10);
    assert!(!present(&mut world, v5("a").resuming().expiry_s(10)));
}

// [MQTT-3.2.2-6] [MQTT-3.2.2-7]
#[test]
fn a_refusal_leaves_the_session_alone_and_does_not_mention_it() {
    let mut world = World::new();
    let client = world.connect(v5("a").expiry_s(10));
    let with_method =
        v5("a").change(|connect| connect.properties.authentication_method = Some(text("SCRAM")));
    assert_eq!(world.refused(with_method), ReasonCode::BadAuthenticationMethod);
    world.expect_nothing(client);
}

// [MQTT-3.2.2-9] [MQTT-3.2.2-10] [MQTT-3.2.2-12] [MQTT-3.3.1.2]
#[test]
fn a_lower_maximum_quality_is_announced_and_enforced() {
    let mut world = World::with(|limits| limits.qos = QoS::AtLeastOnce);
    let (client, connack) = world.connect_full(v5("a"));
    assert_eq!(connack.properties.maximum_qos, Some(Q1));
    assert_eq!(world.subscribe(client, "x", Q2), ReasonCode::GrantedQoS1);
    world.publish(client, "x", "1", Q1);
    assert_eq!(world.take_all(client).len(), 1);
    world.send_publish(client, publish("x", "2", Q2));
    world.expect_disconnected(client, ReasonCode::QoSNotSupported);

    let big_will = luxwire_shared::mqtt::Will { qos: Q2, ..will("w", "bye") };
    assert_eq!(world.refused(v5("b").will(big_will)), ReasonCode::QoSNotSupported);
}

// [MQTT-3.2.2-13] [MQTT-3.3.1.3]
#[test]
fn retention_that_is_off_is_announced_and_enforced() {
    let mut world = World::with(|limits| limits.retain = false);
    let (client, connack) = world.connect_full(v5("a"));
    assert_eq!(connack.properties.retain_available, Some(false));
    world.send_publish(client, retained(publish("x", "1", Q0)));
    world.expect_disconnected(client, ReasonCode::RetainNotSupported);
    assert_eq!(world.broker.statistics().retained_messages, 0);

    let kept_will = luxwire_shared::mqtt::Will { retain: true, ..will("w", "bye") };
    assert_eq!(world.refused(v5("b").will(kept_will)), ReasonCode::RetainNotSupported);
}

// [MQTT-3.1.2-23]
#[test]
fn a_session_expiry_above_the_limit_is_cut_and_announced() {
    let mut world = World::with(|limits| limits.session_expiry_s = 100);
    for asked in [101, u32::MAX] {
        let (client, connack) = world.connect_full(v5("a").expiry_s(asked));
        assert_eq!(connack.properties.session_expiry_interval_s, Some(100));
        world.cut(client);
        world.wait_s(99);
        assert_eq!(world.broker.statistics().sessions, 1);
        world.wait_s(1);
        assert_eq!(world.broker.statistics().sessions, 0);
    }
    let (_, connack) = world.connect_full(v5("a").expiry_s(100));
    assert_eq!(connack.properties.session_expiry_interval_s, None);
}

// [MQTT-3.2.2-19] [MQTT-3.2.2-20]
#[test]
fn a_refusal_fits_a_small_maximum_packet_size() {
    let mut world = World::new();
    let connect = v5("a").packet_size(5).change(|connect| {
        connect.properties.authentication_method = Some(text("SCRAM"));
    });
    assert_eq!(world.refused(connect), ReasonCode::BadAuthenticationMethod);
}

#[test]
fn clients_before_5_0_are_told_no_more_than_they_can_read() {
    for version in [Version::V3_1, Version::V3_1_1] {
        let mut world = World::new();
        let (_, connack) = world.connect_full(crate::driver::packets::version(version, "a"));
        assert_eq!(connack.properties, ConnackProperties::default());
    }
}
