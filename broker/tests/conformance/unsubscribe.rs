//! Sections 3.10 and 3.11, UNSUBSCRIBE and UNSUBACK.

use crate::driver::{World, packets::*};
use luxwire_shared::mqtt::{ReasonCode, Unsuback};

// [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] [MQTT-3.11.3-1] [MQTT-3.11.3-2] [MQTT-2.2.1-6] [MQTT-3.11.2-1]
// [MQTT-3.11.2-2]
#[test]
fn every_filter_gets_its_answer_in_order() {
    let mut world = World::new();
    let client = world.connect(v5("a"));
    world.send(client, subscribe_to([filter("a", Q0), filter("b/#", Q0)]));
    world.expect_suback(client);
    world.send(client, unsubscribe(&["b/#", "nothing", "a", "a", "$share/group/a"]));
    let reasons = [
        ReasonCode::Success,
        ReasonCode::NoSubscriptionExisted,
        ReasonCode::Success,
        ReasonCode::NoSubscriptionExisted,
        ReasonCode::NoSubscriptionExisted,
    ];
    let unsuback = world.expect_unsuback(client);
    assert_eq!(unsuback, Unsuback { id: id(11), properties: None, reasons: reasons.into() });
    assert_eq!(world.broker.statistics().subscriptions, 0);
}

// [MQTT-3.10.4-1]
#[test]
fn only_exactly_the_same_filter_is_removed() {
    let mut world = World::new();
    let client = world.connect(v5("a"));
    world.send(client, subscribe_to([filter("a/+", Q0), filter("a/#", Q0)]));
    world.expect_suback(client);
    world.send(client, unsubscribe(&["a/b", "a", "+/+", "#", "a/+/", "A/+"]));
    assert!(
        world
            .expect_unsuback(client)
            .reasons
            .iter()
            .all(|reason| *reason == ReasonCode::NoSubscriptionExisted)
    );
    world.publish(client, "a/b", "1", Q0);
    assert_eq!(world.take_all(client).len(), 1);
}

// [MQTT-3.10.4-1] Another session's subscription to the same filter stays.
#[test]
fn nobody_unsubscribes_for_others() {
    let mut world = World::new();
    let (a, b) = (world.connect(v5("a")), world.connect(v5("b")));
    world.subscribe(a, "x", Q0);
    world.send(b, unsubscribe(&["x"]));
    assert_eq!(world.expect_unsuback(b).reasons, [ReasonCode::NoSubscriptionExisted]);
    world.publish(b, "x", "1", Q0);
    assert_eq!(world.take_all(a).len(), 1);
}

// [MQTT-3.10.4-2]
#[test]
fn nothing_more_comes_afterwards() {
    let mut world = World::new();
    let client = world.connect(v5("a"));
    world.subscribe(client, "x", Q2);
    world.send(client, unsubscribe(&["x"]));
    world.expect_unsuback(client);
    world.publish(client, "x", "1", Q2);
    world.expect_nothing(client);
}

// [MQTT-3.10.4-3]
#[test]
fn deliveries_that_have_begun_are_completed() {
    for qos in [Q1, Q2] {
        let mut world = World::new();
        let client = world.connect(v5("a").expiry_s(60));
        world.subscribe(client, "x", qos);
        world.publish(client, "x", "1", qos);
        let begun = world.expect_publish(client);
        world.send(client, unsubscribe(&["x"]));
        world.expect_unsuback(client);
        world.cut(client);
        let client = world.connect(v5("a").resuming());
        let again = world.expect_publish(client);
        assert_eq!(again.delivery.packet_id(), begun.delivery.packet_id());
        world.acknowledge(client, &again);
        world.expect_nothing(client);
        assert_eq!(world.broker.statistics().in_flight_messages, 0);
    }
}
