//! Sections 3.8 and 3.9, SUBSCRIBE and SUBACK.

use crate::driver::{World, packets::*};
use luxwire_shared::mqtt::{ReasonCode, RetainHandling, Suback, SubscribeFilter};

// [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.8.4-7] [MQTT-3.9.3-1] [MQTT-3.9.3-2]
// [MQTT-2.2.1-6] [MQTT-3.9.2-1] [MQTT-3.9.2-2]
#[test]
fn every_filter_gets_its_answer_in_order() {
    let mut world = World::new();
    let client = world.connect(v5("a"));
    world
        .send(client, subscribe_to([filter("a", Q2), filter("b/#", Q0), filter("c/+", Q1), filter("a", Q1)]));
    let suback = world.expect_suback(client);
    let granted =
        [ReasonCode::GrantedQoS2, ReasonCode::Success, ReasonCode::GrantedQoS1, ReasonCode::GrantedQoS1];
    assert_eq!(suback, Suback { id: id(10), properties: None, reasons: granted.into() });
    assert_eq!(world.broker.statistics().subscriptions, 3);
}

// [MQTT-3.8.4-3]
#[test]
fn the_same_filter_again_replaces_the_subscription() {
    let mut world = World::new();
    let client = world.connect(v5("a"));
    world.send(client, subscribe_with_id("x/+", Q2, 5));
    world.expect_suback(client);
    world.subscribe(client, "x/+", Q0);
    world.publish(client, "x/y", "1", Q2);
    let publish = world.expect_publish(client);
    assert_eq!((publish.qos(), publish.properties), (Q0, None));
    world.expect_nothing(client);
}

// [MQTT-3.8.4-4] [MQTT-3.3.1-9]
#[test]
fn subscribing_again_sends_what_is_retained_again_and_loses_nothing() {
    let mut world = World::new();
    let client = world.connect(v5("a"));
    world.publish_retained(client, "x", "kept", Q1);
    for _ in 0..3 {
        world.subscribe(client, "x", Q1);
        assert_eq!(world.take_all(client).len(), 1);
        world.publish(client, "x", "live", Q1);
        assert_eq!(world.take_all(client).len(), 1);
    }
}

// [MQTT-3.8.4-5] [MQTT-3.3.1-9]
#[test]
fn the_same_filter_twice_in_one_packet_sends_what_is_retained_twice() {
    let mut world = World::new();
    let dimmer = world.connect(v5("dimmer"));
    world.publish_retained(dimmer, "x", "kept", Q2);
    let page = world.connect(v5("page"));
    // As if each had come in a packet of its own: each at the quality that it was granted.
    world.send(page, subscribe_to([filter("x", Q0), filter("y", Q2), filter("x", Q1)]));
    world.expect_suback(page);
    assert_eq!(world.expect_publish(page).qos(), Q0);
    assert_eq!(world.expect_publish(page).qos(), Q1);
    world.expect_nothing(page);
    world.publish(dimmer, "x", "live", Q0);
    assert_eq!(world.take_all(page), [("x".into(), "live".into())]);
}

// [MQTT-3.8.4-5] [MQTT-3.3.1-10] [MQTT-3.3.1-11]
#[test]
fn the_same_filter_in_one_packet_obeys_each_retain_handling() {
    let check = |handling: &[RetainHandling], times: usize| {
        let mut world = World::new();
        let client = world.connect(v5("a"));
        world.publish_retained(client, "x", "kept", Q1);
        let filters =
            handling.iter().map(|handling| SubscribeFilter { retain_handling: *handling, ..filter("x", Q1) });
        world.send(client, subscribe_to(filters));
        world.expect_suback(client);
        assert_eq!(world.take_all(client).len(), times, "{handling:?}");
    };
    use RetainHandling::{DoNotSend, Send, SendIfNew};
    check(&[Send, Send, Send], 3);
    check(&[Send, SendIfNew, DoNotSend], 1);
    check(&[SendIfNew, SendIfNew], 1);
    check(&[SendIfNew, Send], 2);
    check(&[DoNotSend, SendIfNew], 0);
    check(&[DoNotSend, Send], 1);
}

// [MQTT-3.3.1-10]
#[test]
fn retain_handling_1_sends_to_new_subscriptions_only() {
    let mut world = World::new();
    let client = world.connect(v5("a").expiry_s(60));
    world.publish_retained(client, "x", "kept", Q0);
    let if_new = || subscribe_to([retain_handling(RetainHandling::SendIfNew, filter("x", Q0))]);
    let count = |world: &mut World, client| {
        world.send(client, if_new());
        world.expect_suback(client);
        world.take_all(client).len()
    };
    assert_eq!(count(&mut world, client), 1);
    assert_eq!(count(&mut world, client), 0);
    // A session that is resumed has its subscriptions still.
    world.cut(client);
    let client = world.connect(v5("a").resuming().expiry_s(60));
    assert_eq!(count(&mut world, client), 0);
    world.send(client, unsubscribe(&["x"]));
    world.expect_unsuback(client);
    assert_eq!(count(&mut world, client), 1);
}

// [MQTT-3.3.1-11]
#[test]
fn retain_handling_2_sends_nothing() {
    let mut world = World::new();
    let client = world.connect(v5("a"));
    world.publish_retained(client, "x", "kept", Q0);
    world.send(client, subscribe_to([retain_handling(RetainHandling::DoNotSend, filter("x", Q0))]));
    world.expect_suback(client);
    world.expect_nothing(client);
}

// [MQTT-3.8.3-3]
#[test]
fn no_local_leaves_out_what_the_client_published_itself() {
    let mut world = World::new();
    let page = world.connect(v5("page").expiry_s(60));
    let other = world.connect(v5("other"));
    world.send(page, subscribe_to([no_local(filter("x", Q1))]));
    world.expect_suback(page);
    assert_eq!(world.publish(page, "x", "own", Q1), ReasonCode::NoMatchingSubscribers);
    world.expect_nothing(page);
    world.publish(other, "x", "theirs", Q1);
    assert_eq!(world.take(page).1, "theirs");
    // Also after a reconnection, and for what it had retained.
    world.cut(page);
    let page = world.connect(v5("page").resuming().expiry_s(60));
    world.publish_retained(page, "x", "own", Q1);
    world.send(page, subscribe_to([no_local(filter("x", Q1))]));
    world.expect_suback(page);
    world.expect_nothing(page);
}

// [MQTT-3.8.3-3]
#[test]
fn no_local_holds_for_the_clients_own_will() {
    let mut world = World::new();
    let page = world
        .connect(v5("page").expiry_s(60).will(luxwire_shared::mqtt::Will { qos: Q1, ..will("x", "bye") }));
    world.send(page, subscribe_to([no_local(filter("x", Q1))]));
    world.expect_suback(page);
    world.cut(page);
    let page = world.connect(v5("page").resuming());
    world.expect_nothing(page);
}

// [MQTT-3.8.3-3] [MQTT-3.3.4-2]
#[test]
fn no_local_concerns_its_own_subscription_only() {
    let mut world = World::new();
    let page = world.connect(v5("page"));
    world.send(page, subscribe_to([no_local(filter("x/#", Q2)), filter("x/+", Q1)]));
    world.expect_suback(page);
    world.publish(page, "x/y", "own", Q2);
    assert_eq!(world.expect_publish(page).qos(), Q1);
}

// [MQTT-3.3.1-12] [MQTT-3.3.1-13]
#[test]
fn retain_as_published_keeps_the_flag_and_otherwise_it_is_cleared() {
    let mut world = World::new();
    let (keeps, clears) = (world.connect(v5("keeps")), world.connect(v5("clears")));
    world.send(keeps, subscribe_to([retain_as_published(filter("x", Q0))]));
    world.expect_suback(keeps);
    world.subscribe(clears, "x", Q0);
    world.send_publish(keeps, retained(publish("x", "1", Q0)));
    assert!(world.expect_publish(keeps).retain);
    assert!(!world.expect_publish(clears).retain);
    world.send_publish(keeps, publish("x", "1", Q0));
    assert!(!world.expect_publish(keeps).retain);
    assert!(!world.expect_publish(clears).retain);
}

// [MQTT-3.1.2-24]
#[test]
fn a_client_that_cannot_be_answered_is_disconnected() {
    let mut world = World::new();
    let client = world.connect(v5("a").packet_size(32));
    let filters = (0..40).map(|number| filter(&format!("x{number}"), Q0));
    world.send(client, subscribe_to(filters));
    world.expect_disconnected(client, ReasonCode::PacketTooLarge);
    assert_eq!(world.broker.statistics().subscriptions, 0);
    let client = world.connect(v5("a").packet_size(32));
    let names: Vec<_> = (0..40).map(|number| format!("x{number}")).collect();
    world.send(client, unsubscribe(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    world.expect_disconnected(client, ReasonCode::PacketTooLarge);
}

// [MQTT-3.8.4-4]
#[test]
fn messages_flow_on_while_a_subscription_is_replaced() {
    let mut world = World::new();
    let client = world.connect(v5("a").receive_maximum(3));
    world.subscribe(client, "x", Q1);
    let dimmer = world.connect(v5("dimmer"));
    let mut taken = Vec::new();
    for number in 0..50 {
        world.publish(dimmer, "x", &number.to_string(), Q1);
        if number % 7 == 0 {
            world.send(client, subscribe("x", Q1));
            while let Some(packet) = world.next(client) {
                if let luxwire_shared::mqtt::Packet::Publish(publish) = packet {
                    world.acknowledge(client, &publish);
                    taken.push(crate::driver::read(&publish).1);
                }
            }
        }
    }
    taken.extend(world.take_all(client).into_iter().map(|(_, payload)| payload));
    assert_eq!(taken, (0..50).map(|number| number.to_string()).collect::<Vec<_>>());
}

// [MQTT-3.3.1-13] One copy serves them all: the flag is kept if one of them wants it.
#[test]
fn one_of_overlapping_subscriptions_is_enough_to_keep_the_flag() {
    for filters in [["x/#", "x/+"], ["x/+", "x/#"]] {
        let mut world = World::new();
        let client = world.connect(v5("a"));
        world.send(
            client,
            subscribe_to([retain_as_published(filter(filters[0], Q0)), filter(filters[1], Q0)]),
        );
        world.expect_suback(client);
        world.send_publish(client, retained(publish("x/y", "1", Q0)));
        assert!(world.expect_publish(client).retain);
        world.expect_nothing(client);
    }
}
