//! The replay of retained messages after SUBSCRIBE: in slices, through the window, and never an old value after a newer.

use crate::driver::{Client, World, packets::*, read};
use luxwire_shared::mqtt::{Packet, QoS};

/// A world with so many retained messages of one topic each, `t/00000` and so on.
fn with_retained(messages: usize, qos: QoS) -> (World, Client) {
    let mut world = World::new();
    let dimmer = world.connect(v5("dimmer"));
    for number in 0..messages {
        world.publish_retained(dimmer, &name(number), "old", qos);
    }
    (world, dimmer)
}

fn name(number: usize) -> String {
    format!("t/{number:05}")
}

fn messages_that_wait(world: &mut World, client: Client) -> usize {
    std::iter::from_fn(|| world.next(client)).filter(|packet| matches!(packet, Packet::Publish(_))).count()
}

#[test]
fn a_few_come_at_once() {
    let (mut world, _) = with_retained(100, Q0);
    world.holds_output = true;
    let page = world.connect(v5("page"));
    world.send(page, subscribe("#", Q0));
    assert_eq!(messages_that_wait(&mut world, page), 100);
    assert!(!world.drain_once());
}

#[test]
fn many_come_in_slices_as_the_output_drains() {
    let (mut world, _) = with_retained(1000, Q0);
    world.holds_output = true;
    let page = world.connect(v5("page"));
    world.send(page, subscribe("#", Q0));
    let mut slices = vec![messages_that_wait(&mut world, page)];
    while world.drain_once() {
        slices.push(messages_that_wait(&mut world, page));
    }
    assert_eq!(slices, [256, 256, 256, 232]);
}

#[test]
fn large_ones_come_in_smaller_slices() {
    let mut world = World::new();
    let page = world.connect(v5("page"));
    for number in 0..20 {
        world.publish_retained(page, &name(number), &"x".repeat(20_000), Q0);
    }
    world.holds_output = true;
    world.send(page, subscribe("#", Q0));
    let mut slices = vec![messages_that_wait(&mut world, page)];
    while world.drain_once() {
        slices.push(messages_that_wait(&mut world, page));
    }
    assert_eq!(slices, [4, 4, 4, 4, 4, 0]);
}

#[test]
fn a_filter_that_matches_little_of_much_takes_its_turns_too() {
    let mut world = World::new();
    let page = world.connect(v5("page"));
    for number in 0..10_000 {
        world.publish_retained(page, &format!("{number:05}/a"), "1", Q0);
    }
    world.publish_retained(page, "99999/x", "found", Q0);
    world.holds_output = true;
    world.send(page, subscribe("+/x", Q0));
    assert_eq!(messages_that_wait(&mut world, page), 0);
    let mut turns = 0;
    while world.drain_once() {
        turns += 1;
    }
    assert_eq!(turns, 2);
    assert_eq!(world.take_all(page), [("99999/x".into(), "found".into())]);
}

// [MQTT-3.8.4-4]
#[test]
fn what_changes_meanwhile_comes_once_and_in_its_latest_form() {
    let (mut world, dimmer) = with_retained(1000, Q0);
    world.holds_output = true;
    let page = world.connect(v5("page"));
    world.subscribe(page, "#", Q0);
    for number in [0, 300, 600, 999] {
        world.publish_retained(dimmer, &name(number), "new", Q0);
    }
    world.publish_retained(dimmer, &name(500), "", Q0);
    world.publish_retained(dimmer, "t/added", "new", Q0);
    world.drain();
    let taken = world.take_all(page);
    let values = |topic: &str| -> Vec<&str> {
        taken.iter().filter(|(name, _)| name == topic).map(|(_, payload)| payload.as_str()).collect()
    };
    assert_eq!(values(&name(0)), ["old", "new"]);
    for topic in [&name(300), &name(600), &name(999), "t/added"] {
        assert_eq!(values(topic), ["new"], "{topic}");
    }
    assert_eq!(values(&name(500)), [""]);
    assert_eq!(values(&name(501)), ["old"]);
    assert_eq!(taken.len(), 1000 + 2);
}

// [MQTT-3.3.4-9] The queue's bound is far below what is retained.
#[test]
fn at_qos_1_and_2_a_replay_obeys_the_window_and_loses_nothing() {
    for (qos, window) in [(Q1, 1), (Q2, 10), (Q1, 65535)] {
        let (mut world, _) = with_retained(3000, qos);
        let page = world.connect(v5("page").receive_maximum(window));
        world.subscribe(page, "t/+", Q2);
        assert_eq!(world.broker.statistics().queued_messages, 0);
        let taken = world.take_all(page);
        assert_eq!(taken.len(), 3000);
        assert!(taken.is_sorted());
    }
}

// [MQTT-3.1.2-5]
#[test]
fn a_replay_goes_on_after_a_reconnection() {
    let (mut world, _) = with_retained(1000, Q1);
    let page = world.connect(v5("page").receive_maximum(10).expiry_s(60));
    world.subscribe(page, "#", Q1);
    let mut taken: Vec<_> = (0..50).map(|_| world.take(page)).collect();
    world.cut(page);
    let page = world.connect(v5("page").resuming().receive_maximum(10));
    taken.extend(world.take_all(page));
    assert_eq!(taken.len(), 1000);
    assert!(taken.is_sorted());
}

#[test]
fn messages_that_come_meanwhile_are_not_held_up() {
    let (mut world, dimmer) = with_retained(1000, Q0);
    world.holds_output = true;
    let page = world.connect(v5("page"));
    world.subscribe(page, "#", Q0);
    messages_that_wait(&mut world, page);
    world.publish(dimmer, "live", "1", Q1);
    assert_eq!(read(&world.expect_publish(page)).0, "live");
}

// [MQTT-3.10.4-2]
#[test]
fn unsubscribing_ends_the_replay() {
    let (mut world, _) = with_retained(1000, Q0);
    world.holds_output = true;
    let page = world.connect(v5("page"));
    world.send(page, subscribe("#", Q0));
    messages_that_wait(&mut world, page);
    world.send(page, unsubscribe(&["#"]));
    world.expect_unsuback(page);
    world.drain();
    world.expect_nothing(page);
}

// [MQTT-3.8.4-4]
#[test]
fn subscribing_again_begins_the_replay_anew() {
    let (mut world, _) = with_retained(1000, Q0);
    world.holds_output = true;
    let page = world.connect(v5("page"));
    world.send(page, subscribe("#", Q0));
    assert_eq!(messages_that_wait(&mut world, page), 256);
    world.send(page, subscribe("#", Q0));
    world.drain();
    assert_eq!(messages_that_wait(&mut world, page), 1000);
}

// [MQTT-3.3.1-9] Each subscription has its own replay.
#[test]
fn overlapping_subscriptions_are_each_replayed() {
    let (mut world, _) = with_retained(400, Q0);
    let page = world.connect(v5("page"));
    world.send(page, subscribe_to([filter("t/00001", Q0), filter("t/+", Q0), filter("nothing", Q0)]));
    assert_eq!(messages_that_wait(&mut world, page), 401);
}

#[test]
fn a_client_that_goes_in_the_middle_is_no_trouble() {
    let (mut world, _) = with_retained(1000, Q0);
    world.holds_output = true;
    for ending in 0..3 {
        let page = world.connect(v5("page"));
        world.send(page, subscribe("#", Q0));
        messages_that_wait(&mut world, page);
        match ending {
            0 => world.leave(page),
            1 => world.cut(page),
            _ => drop(world.connect(v5("page"))),
        }
    }
    world.drain();
    assert_eq!(world.broker.statistics().subscriptions, 0);
}

#[test]
fn no_slice_is_sent_before_the_one_before_it_has_left() {
    let (mut world, dimmer) = with_retained(1000, Q0);
    world.holds_output = true;
    let page = world.connect(v5("page"));
    world.subscribe(page, "#", Q1);
    assert_eq!(messages_that_wait(&mut world, page), 256);
    for _ in 0..3 {
        world.publish(dimmer, "live", "1", Q1);
        world.take(page);
        world.subscribe(page, "other", Q0);
        world.expect_nothing(page);
    }
}

// [MQTT-4.6.0-6]
#[test]
fn a_retained_value_does_not_overtake_what_waits() {
    let mut world = World::new();
    let page = world.connect(v5("page").receive_maximum(1));
    world.subscribe(page, "x", Q1);
    let dimmer = world.connect(v5("dimmer"));
    for payload in ["1", "2", "3"] {
        world.publish_retained(dimmer, "x", payload, Q1);
    }
    let first = world.expect_publish(page);
    world.send(page, subscribe("+", Q0));
    world.expect_suback(page);
    world.expect_nothing(page);
    world.acknowledge(page, &first);
    let payloads: Vec<_> = world.take_all(page).into_iter().map(|(_, payload)| payload).collect();
    assert_eq!(payloads, ["2", "3", "3"]);
}

// [MQTT-4.4.0-1] [MQTT-4.6.0-6]
#[test]
fn a_retained_value_does_not_overtake_what_comes_again() {
    let mut world = World::new();
    let page = world.connect(v5("page").expiry_s(60));
    world.subscribe(page, "x", Q1);
    let dimmer = world.connect(v5("dimmer"));
    for payload in ["1", "2"] {
        world.publish(dimmer, "x", payload, Q1);
    }
    world.cut(page);
    world.publish_retained(dimmer, "x", "3", Q0);
    let page = world.connect(v5("page").resuming().receive_maximum(1));
    let first = world.expect_publish(page);
    world.send(page, subscribe("x", Q1));
    world.expect_suback(page);
    world.expect_nothing(page);
    world.acknowledge(page, &first);
    let payloads: Vec<_> = world.take_all(page).into_iter().map(|(_, payload)| payload).collect();
    assert_eq!(payloads, ["2", "3"]);
}
