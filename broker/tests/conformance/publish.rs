//! Section 3.3, PUBLISH: what may come, and what arrives.

use crate::driver::{World, packets::*};
use bytes::Bytes;
use luxwire_broker::{Dropped, Report};
use luxwire_shared::mqtt::{PayloadFormat, Publish, QoS, ReasonCode, SubscriptionId};

// [MQTT-3.8.4-8] [MQTT-3.3.4-1] [MQTT-2.2.1-2] [MQTT-4.3.1-1]
#[test]
fn the_lower_of_published_and_granted_quality_is_delivered() {
    for published in [Q0, Q1, Q2] {
        for granted in [Q0, Q1, Q2] {
            let mut world = World::new();
            let lamp = world.connect(v5("lamp"));
            let dimmer = world.connect(v5("dimmer"));
            world.subscribe(lamp, "lights/+/intensity", granted);
            assert_eq!(world.publish(dimmer, "lights/1/intensity", "50", published), ReasonCode::Success);
            let publish = world.expect_publish(lamp);
            assert_eq!(publish.qos(), published.min(granted));
            assert_eq!(&*publish.payload, b"50");
            assert!(!publish.delivery.dup()); // [MQTT-4.3.2-2] [MQTT-4.3.3-2]
            world.acknowledge(lamp, &publish);
            world.expect_nothing(lamp);
            world.expect_nothing(dimmer);
        }
    }
}

// [MQTT-3.3.1-3]
#[test]
fn dup_is_not_passed_on() {
    for qos in [Q1, Q2] {
        let mut world = World::new();
        let lamp = world.connect(v5("lamp"));
        world.subscribe(lamp, "x", Q2);
        let dimmer = world.connect(v5("dimmer"));
        world.publish_packet(dimmer, repeated(publish("x", "1", qos)));
        assert!(!world.expect_publish(lamp).delivery.dup());
    }
}

// [MQTT-3.4.2-1] [MQTT-3.5.2-1]
#[test]
fn a_publisher_learns_that_nobody_follows() {
    let mut world = World::new();
    let dimmer = world.connect(v5("dimmer"));
    for qos in [Q1, Q2] {
        assert_eq!(world.publish(dimmer, "x", "1", qos), ReasonCode::NoMatchingSubscribers);
    }
}

// [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20] [MQTT-4.10]
#[test]
fn what_the_application_said_is_passed_on_unaltered() {
    for payload_format in [None, Some(PayloadFormat::Bytes), Some(PayloadFormat::Text)] {
        let mut world = World::new();
        let lamp = world.connect(v5("lamp").expiry_s(60));
        world.subscribe(lamp, "x", Q1);
        let sent = with_properties(publish("x", "1", Q1), |properties| {
            properties.payload_format = payload_format;
            properties.response_topic = Some(topic("answers/here"));
            properties.correlation_data = Some((0..=255).collect::<Vec<u8>>().into());
            properties.content_type = Some(text("text/plain"));
            properties.user_properties =
                [("b", "1"), ("a", ""), ("", "2"), ("b", "1")].map(|(a, b)| (text(a), text(b))).into();
        });
        let dimmer = world.connect(v5("dimmer"));
        world.publish_packet(dimmer, sent.clone());
        let received = world.expect_publish(lamp);
        assert_eq!(received.properties, sent.properties);
        world.acknowledge(lamp, &received);
        // Also through the queue and as a retained message.
        world.cut(lamp);
        world.publish_packet(dimmer, retained(sent.clone()));
        let lamp = world.connect(v5("lamp").resuming());
        assert_eq!(world.expect_publish(lamp).properties, sent.properties);
        world.send(lamp, subscribe("x", Q0));
        world.expect_suback(lamp);
        assert_eq!(world.expect_publish(lamp).properties, sent.properties);
    }
}

fn with_format(payload: &'static [u8], format: PayloadFormat, qos: QoS) -> Publish {
    let mut publish =
        with_properties(publish("x", "", qos), |properties| properties.payload_format = Some(format));
    publish.payload = Bytes::from_static(payload);
    publish
}

// Section 3.3.2.3.2. [MQTT-3.4.2-1] [MQTT-3.5.2-1]
#[test]
fn a_payload_that_is_not_the_text_it_is_said_to_be_is_refused() {
    for wrong in [b"\xFF\xFE".as_slice(), b"ok \xED\xA0\x80", b"\xC0\x80", b"cut \xE2\x82"] {
        let mut world = World::new();
        let lamp = world.connect(v5("lamp"));
        world.subscribe(lamp, "x", Q2);
        let dimmer = world.connect(v5("dimmer"));
        for qos in [Q0, Q1, Q2] {
            let refused =
                world.publish_packet(dimmer, retained(with_format(wrong, PayloadFormat::Text, qos)));
            assert_eq!(refused.is_failure(), qos > Q0);
            if qos > Q0 {
                assert_eq!(refused, ReasonCode::PayloadFormatInvalid);
            }
            let reason = ReasonCode::PayloadFormatInvalid;
            let refused = Report::PublishRefused { link: Some(dimmer.0), client_id: "dimmer".into(), reason };
            assert!(world.reports().contains(&refused));
        }
        world.expect_nothing(dimmer);
        world.expect_nothing(lamp);
        assert_eq!(world.broker.statistics().retained_messages, 0);
        // Nobody said that these are text.
        assert!(!world.publish_packet(dimmer, with_format(wrong, PayloadFormat::Bytes, Q1)).is_failure());
        assert_eq!(&*world.expect_publish(lamp).payload, wrong);
    }
    for right in [b"".as_slice(), b"40", "gr\u{fc}n \u{0} \u{feff}".as_bytes()] {
        let mut world = World::new();
        let lamp = world.connect(v5("lamp"));
        world.subscribe(lamp, "x", Q2);
        let sent = world.publish_packet(lamp, with_format(right, PayloadFormat::Text, Q0));
        assert!(!sent.is_failure());
        assert_eq!(&*world.expect_publish(lamp).payload, right);
    }
}

// Section 3.2.2.2, reason code 0x99.
#[test]
fn a_will_that_is_not_the_text_it_is_said_to_be_is_refused() {
    let mut world = World::new();
    let mut lying = will("w", "");
    lying.payload = Bytes::from_static(&[0xFF]);
    lying.properties.payload_format = Some(PayloadFormat::Text);
    assert_eq!(world.refused(v5("a").will(lying.clone())), ReasonCode::PayloadFormatInvalid);
    lying.properties.payload_format = Some(PayloadFormat::Bytes);
    world.connect(v5("a").will(lying));
}

// [MQTT-3.3.4-6]
#[test]
fn a_subscription_identifier_from_a_client_is_a_protocol_error() {
    let mut world = World::new();
    let client = world.connect(v5("a"));
    let with_id = with_properties(publish("x", "1", Q0), |properties| {
        properties.subscription_ids = vec![SubscriptionId::new(1).expect("in range")];
    });
    world.send_publish(client, with_id);
    world.expect_disconnected(client, ReasonCode::ProtocolError);
}

// [MQTT-3.3.4-2] [MQTT-3.3.4-3] [MQTT-3.3.4-4]
#[test]
fn overlapping_subscriptions_get_one_copy_at_the_highest_quality_with_all_identifiers() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp"));
    for (number, filter, qos) in [(3, "a/#", Q0), (1, "a/+", Q2), (2, "a/b", Q1), (9, "b", Q2)] {
        world.send(lamp, subscribe_with_id(filter, qos, number));
        world.expect_suback(lamp);
    }
    world.subscribe(lamp, "#", Q1);
    world.publish(lamp, "a/b", "1", Q2);
    let publish = world.expect_publish(lamp);
    assert_eq!(publish.qos(), Q2);
    let mut numbers: Vec<_> = publish.properties.expect("identifiers").subscription_ids;
    numbers.sort();
    assert_eq!(numbers, [1, 2, 3].map(|number| SubscriptionId::new(number).expect("in range")));
    world.expect_nothing(lamp);
}

// [MQTT-3.3.4-3]
#[test]
fn identifiers_belong_to_their_subscriber() {
    let mut world = World::new();
    let (a, b) = (world.connect(v5("a")), world.connect(v5("b")));
    world.send(a, subscribe_with_id("x", Q0, 268_435_455));
    world.expect_suback(a);
    world.subscribe(b, "x", Q0);
    world.publish(b, "x", "1", Q0);
    let ids = world.expect_publish(a).properties.expect("an identifier").subscription_ids;
    assert_eq!(ids, [SubscriptionId::new(268_435_455).expect("in range")]);
    assert_eq!(world.expect_publish(b).properties, None);
}

// [MQTT-3.3.2-6]
#[test]
fn what_is_left_of_a_messages_life_is_what_it_had_less_what_it_waited() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").expiry_s(60));
    world.subscribe(lamp, "x", Q1);
    world.cut(lamp);
    let dimmer = world.connect(v5("dimmer"));
    world.publish_packet(dimmer, expiring_s(publish("x", "1", Q1), 10));
    world.wait_s(3);
    let lamp = world.connect(v5("lamp").resuming().expiry_s(60));
    let properties = world.expect_publish(lamp).properties.expect("an expiry");
    assert_eq!(properties.message_expiry_interval_s, Some(7));
}

// [MQTT-3.3.2-6]
#[test]
fn a_message_that_waited_for_nothing_keeps_its_life() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp"));
    world.subscribe(lamp, "x", Q1);
    for seconds in [0, 1, u32::MAX] {
        world.publish_packet(lamp, expiring_s(publish("x", "1", Q0), seconds));
        let properties = world.expect_publish(lamp).properties.expect("an expiry");
        assert_eq!(properties.message_expiry_interval_s, Some(seconds));
    }
}

// [MQTT-3.3.2-5]
#[test]
fn a_message_that_expired_while_its_client_was_away_is_dropped() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").expiry_s(60));
    world.subscribe(lamp, "x", Q1);
    world.cut(lamp);
    let dimmer = world.connect(v5("dimmer"));
    world.publish_packet(dimmer, expiring_s(publish("x", "short", Q1), 1));
    world.publish_packet(dimmer, expiring_s(publish("x", "long", Q1), 5));
    world.publish(dimmer, "x", "for ever", Q1);
    world.wait_s(1);
    world.reports();
    let lamp = world.connect(v5("lamp").resuming().expiry_s(60));
    assert_eq!(world.take(lamp).1, "long");
    assert_eq!(world.take(lamp).1, "for ever");
    world.expect_nothing(lamp);
    let dropped = Report::Dropped { client_id: "lamp".into(), qos: Q1, why: Dropped::Expired };
    assert!(world.reports().contains(&dropped));
}

// [MQTT-3.1.2-24] [MQTT-3.1.2-25]
#[test]
fn a_message_too_large_for_its_receiver_is_dropped_and_the_next_one_arrives() {
    for qos in [Q0, Q1, Q2] {
        let mut world = World::new();
        let lamp = world.connect(v5("lamp").packet_size(64).receive_maximum(1).expiry_s(60));
        world.subscribe(lamp, "x", Q2);
        let other = world.connect(v5("other"));
        world.subscribe(other, "x", Q0);
        for _ in 0..5 {
            world.publish(other, "x", &"1".repeat(100), qos);
            assert_eq!(world.take(other).1.len(), 100);
        }
        world.expect_nothing(lamp);
        let dropped = Report::Dropped { client_id: "lamp".into(), qos, why: Dropped::TooLarge };
        assert_eq!(world.reports().iter().filter(|report| **report == dropped).count(), 5);
        world.publish(other, "x", "small", qos);
        assert_eq!(world.take(lamp).1, "small");
        // The same through the queue.
        world.cut(lamp);
        world.publish(other, "x", &"1".repeat(100), qos.max(Q1));
        world.publish(other, "x", "small", qos.max(Q1));
        let lamp = world.connect(v5("lamp").resuming().packet_size(64));
        assert_eq!(world.take_all(lamp), [("x".into(), "small".into())]);
    }
}

// [MQTT-3.1.2-24] The limit is exact: the driver's wire measures what arrives.
#[test]
fn a_packet_of_exactly_the_maximum_size_arrives() {
    // Fixed header 2, topic 3, properties length 1, payload 58.
    let fits = "1".repeat(64 - 6);
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").packet_size(64));
    world.subscribe(lamp, "x", Q0);
    world.publish(lamp, "x", &fits, Q0);
    assert_eq!(world.take(lamp).1, fits);
    world.publish(lamp, "x", &format!("{fits}1"), Q0);
    world.expect_nothing(lamp);
}

#[test]
fn a_publish_from_before_the_broker_closed_the_link_is_ignored() {
    let mut world = World::new();
    let page = world.connect(v5("page"));
    world.subscribe(page, "#", Q0);
    let client = world.connect(v5("a"));
    world.leave(client);
    world.send_publish(client, publish("x", "1", Q0));
    world.expect_nothing(page);
}

// [MQTT-4.5.0-1] Also to the publisher itself, if it subscribed.
#[test]
fn every_matching_session_gets_the_message_once() {
    let mut world = World::new();
    let clients: Vec<_> = (0..20).map(|number| world.connect(v5(&format!("c{number}")))).collect();
    for (number, client) in clients.iter().enumerate() {
        let filter = ["x/y", "x/+", "#", "+/y", "x/#"][number % 5];
        world.subscribe(*client, filter, QoS::from_number(number as u8 % 3).expect("0 to 2"));
    }
    world.publish(clients[0], "x/y", "1", Q1);
    for client in clients {
        assert_eq!(world.take_all(client), [("x/y".into(), "1".into())]);
    }
}
