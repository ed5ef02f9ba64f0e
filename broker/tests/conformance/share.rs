//! Section 4.8.2, shared subscriptions.

use crate::driver::{Client, World, packets::*, read};
use luxwire_broker::{Dropped, Report};
use luxwire_shared::mqtt::{
    Acknowledge, Packet, PublishProperties, QoS, ReasonCode, RetainHandling, SubscriptionId,
};
use proptest::{collection, prelude::*};
use std::collections::BTreeMap;

const SHARED: &str = "$share/group/jobs/#";

/// Members `w0`, `w1`, … of one group, whose sessions outlive their connections.
fn members(world: &mut World, count: usize, qos: QoS) -> Vec<Client> {
    (0..count).map(|number| member(world, v5(&format!("w{number}")).expiry_s(1000), qos)).collect()
}

fn member(world: &mut World, connecting: Connecting, qos: QoS) -> Client {
    let client = world.connect(connecting);
    assert!(!world.subscribe(client, SHARED, qos).is_failure());
    client
}

fn payloads(world: &mut World, client: Client) -> Vec<String> {
    world.take_all(client).into_iter().map(|(_, payload)| payload).collect()
}

/// Publishes `0`, `1`, … as someone who is no member.
fn publish_numbers(world: &mut World, numbers: std::ops::Range<usize>, qos: QoS) {
    let boss = world.connect(v5("boss"));
    for number in numbers {
        assert_eq!(world.publish(boss, "jobs/x", &number.to_string(), qos), ReasonCode::Success);
    }
    world.leave(boss);
}

// [MQTT-4.8.2]
#[test]
fn the_members_take_turns() {
    for qos in [Q0, Q1, Q2] {
        let mut world = World::new();
        let members = members(&mut world, 3, Q2);
        publish_numbers(&mut world, 0..9, qos);
        let taken = members.map_each(|client| payloads(&mut world, client));
        assert_eq!(taken, [["0", "3", "6"], ["1", "4", "7"], ["2", "5", "8"]]);
    }
}

trait MapEach {
    fn map_each<T>(&self, map: impl FnMut(Client) -> T) -> Vec<T>;
}

impl MapEach for Vec<Client> {
    fn map_each<T>(&self, map: impl FnMut(Client) -> T) -> Vec<T> {
        self.iter().copied().map(map).collect()
    }
}

// [MQTT-4.8.2]
#[test]
fn groups_and_those_who_want_everything_do_not_share_with_each_other() {
    let mut world = World::new();
    let whole = world.connect(v5("whole"));
    world.subscribe(whole, "jobs/#", Q0);
    let groups = ["$share/a/jobs/#", "$share/b/jobs/#", "$share/a/jobs/+", "$share/a/other"];
    let alone = groups.map(|group| {
        let client = world.connect(v5(group));
        world.subscribe(client, group, Q0);
        client
    });
    publish_numbers(&mut world, 0..3, Q0);
    let taken = [whole, alone[0], alone[1], alone[2]].map(|client| payloads(&mut world, client));
    assert!(taken.iter().all(|taken| taken == &["0", "1", "2"]), "{taken:?}");
    world.expect_nothing(alone[3]);
}

// [MQTT-4.8.2-3] [MQTT-3.8.4-8]
#[test]
fn a_member_gets_no_higher_quality_than_it_was_granted() {
    for published in [Q0, Q1, Q2] {
        let mut world = World::new();
        let granted = [Q0, Q1, Q2];
        let members = granted.map(|qos| member(&mut world, v5(&format!("{qos:?}")), qos));
        publish_numbers(&mut world, 0..3, published);
        for (client, granted) in members.into_iter().zip(granted) {
            assert_eq!(world.expect_publish(client).qos(), published.min(granted));
            world.expect_nothing(client);
        }
    }
}

// [MQTT-3.3.4-3] [MQTT-3.3.4-5] A session that shares a filter and has it for itself as well gets two copies.
#[test]
fn a_shared_copy_has_the_identifier_of_its_subscription() {
    let mut world = World::new();
    let client = world.connect(v5("a"));
    for (filter, number) in [("jobs/#", 1), ("jobs/x", 2), (SHARED, 3), ("$share/other/jobs/x", 4)] {
        world.send(client, subscribe_with_id(filter, Q1, number));
        assert_eq!(world.expect_suback(client).reasons, [ReasonCode::GrantedQoS1]);
    }
    publish_numbers(&mut world, 0..1, Q1);
    let mut ids: Vec<Vec<u32>> = Vec::new();
    while let Some(Packet::Publish(publish)) = world.next(client) {
        world.acknowledge(client, &publish);
        let PublishProperties { subscription_ids, .. } = *publish.properties.unwrap_or_default();
        ids.push(subscription_ids.iter().copied().map(SubscriptionId::number).collect());
    }
    ids.iter_mut().for_each(|ids| ids.sort_unstable());
    ids.sort();
    assert_eq!(ids, [vec![1, 2], vec![3], vec![4]]);
}

// Whatever the retain handling. [MQTT-4.8.2] [MQTT-3.3.1-9]
#[test]
fn retained_messages_are_not_sent_to_those_who_share() {
    let mut world = World::new();
    let boss = world.connect(v5("boss"));
    world.publish_retained(boss, "jobs/x", "kept", Q1);
    let client = world.connect(v5("a"));
    for handling in [RetainHandling::Send, RetainHandling::SendIfNew] {
        world.send(client, subscribe_to([retain_handling(handling, filter(SHARED, Q1))]));
        world.expect_suback(client);
        world.expect_nothing(client);
    }
    // One that is set later is a message like others, with the flag for those who want it as published.
    world.publish_retained(boss, "jobs/x", "set", Q1);
    assert!(!world.expect_publish(client).retain);
    world.send(client, subscribe_to([retain_as_published(filter(SHARED, Q1))]));
    world.expect_suback(client);
    world.publish_retained(boss, "jobs/x", "set again", Q1);
    assert!(world.expect_publish(client).retain);
}

// [MQTT-3.8.3-4] Also checked by the codec, which is where it is found.
#[test]
fn no_local_is_a_protocol_error_for_those_who_share() {
    let mut world = World::new();
    let client = world.connect(v5("a"));
    // Packet identifier 10, no properties, `$share/g/a`, No Local.
    let mut bytes = vec![0x82, 16, 0, 10, 0, 0, 10];
    bytes.extend_from_slice(b"$share/g/a\x04");
    world.send_bytes(client, bytes);
    world.expect_disconnected(client, ReasonCode::ProtocolError);
}

#[test]
fn a_member_gets_what_it_published_itself_when_its_turn_comes() {
    let mut world = World::new();
    let members = members(&mut world, 2, Q0);
    for payload in ["0", "1"] {
        world.publish(members[0], "jobs/x", payload, Q0);
    }
    assert_eq!(payloads(&mut world, members[0]), ["0"]);
    assert_eq!(payloads(&mut world, members[1]), ["1"]);
}

// [MQTT-3.10.4-1] [MQTT-3.10.4-2] [MQTT-3.8.4-3]
#[test]
fn who_unsubscribes_is_no_member_any_more() {
    let mut world = World::new();
    let members = members(&mut world, 2, Q1);
    world.send(
        members[0],
        unsubscribe(&["jobs/#", "$share/other/jobs/#", "$share/group/jobs", SHARED, SHARED]),
    );
    use ReasonCode::{NoSubscriptionExisted as None, Success};
    assert_eq!(world.expect_unsuback(members[0]).reasons, [None, None, None, Success, None]);
    publish_numbers(&mut world, 0..2, Q1);
    world.expect_nothing(members[0]);
    assert_eq!(payloads(&mut world, members[1]), ["0", "1"]);
    // Subscribing twice is no second turn.
    world.subscribe(members[1], SHARED, Q0);
    world.subscribe(members[0], SHARED, Q0);
    publish_numbers(&mut world, 2..6, Q1);
    let taken = [payloads(&mut world, members[0]), payloads(&mut world, members[1])];
    assert_eq!(taken.map(|taken| taken.len()), [2, 2]);
    for client in members {
        world.send(client, unsubscribe(&[SHARED]));
        world.expect_unsuback(client);
    }
    assert_eq!(world.broker.statistics().subscriptions, 0);
    let boss = world.connect(v5("boss"));
    assert_eq!(world.publish(boss, "jobs/x", "1", Q1), ReasonCode::NoMatchingSubscribers);
}

#[test]
fn a_client_of_3_1_1_may_share() {
    let mut world = World::new();
    let (old, new) = (world.connect(v3("old")), world.connect(v5("new")));
    for client in [old, new] {
        assert_eq!(world.subscribe(client, SHARED, Q1), ReasonCode::GrantedQoS1);
    }
    publish_numbers(&mut world, 0..4, Q1);
    assert_eq!(payloads(&mut world, old), ["0", "2"]);
    assert_eq!(payloads(&mut world, new), ["1", "3"]);
}

#[test]
fn messages_go_to_members_whose_window_is_open() {
    let mut world = World::new();
    let idle = member(&mut world, v5("idle").receive_maximum(2), Q1);
    let busy = member(&mut world, v5("busy"), Q1);
    publish_numbers(&mut world, 0..20, Q1);
    // The idle one acknowledges nothing, and keeps nobody waiting.
    let taken: Vec<_> = (0..2).map(|_| read(&world.expect_publish(idle)).1).collect();
    assert_eq!(taken, ["0", "2"]);
    world.expect_nothing(idle);
    assert_eq!(payloads(&mut world, busy).len(), 18);
}

#[test]
fn what_nobody_can_take_at_once_waits_where_the_least_waits() {
    let mut world = World::new();
    let slow = member(&mut world, v5("slow").receive_maximum(1), Q1);
    let other = member(&mut world, v5("other").receive_maximum(3), Q1);
    publish_numbers(&mut world, 0..10, Q1);
    let (first, second) = (payloads(&mut world, slow), payloads(&mut world, other));
    assert_eq!((first.len(), second.len()), (5, 5));
    let mut all: Vec<usize> =
        first.iter().chain(&second).map(|number| number.parse().expect("ours")).collect();
    all.sort_unstable();
    assert_eq!(all, (0..10).collect::<Vec<_>>());
}

#[test]
fn who_is_away_gets_nothing_while_somebody_is_there() {
    for qos in [Q0, Q1, Q2] {
        let mut world = World::new();
        let members = members(&mut world, 2, Q2);
        world.cut(members[0]);
        publish_numbers(&mut world, 0..4, qos);
        assert_eq!(payloads(&mut world, members[1]), ["0", "1", "2", "3"]);
        let (back, connack) = world.connect_full(v5("w0").resuming().expiry_s(1000));
        assert!(connack.session_present);
        world.expect_nothing(back);
        publish_numbers(&mut world, 4..6, qos);
        assert_eq!(payloads(&mut world, back).len(), 1);
    }
}

// [MQTT-4.5.0-1]
#[test]
fn while_all_are_away_messages_wait_and_the_first_to_come_back_gets_them_all() {
    let mut world = World::new();
    let members = members(&mut world, 3, Q1);
    members.iter().for_each(|client| world.cut(*client));
    publish_numbers(&mut world, 0..9, Q0);
    assert_eq!(world.broker.statistics().queued_messages, 0);
    publish_numbers(&mut world, 0..9, Q1);
    assert_eq!(world.broker.statistics().queued_messages, 9);
    let back = world.connect(v5("w1").resuming());
    let mut taken = payloads(&mut world, back);
    taken.sort();
    assert_eq!(taken, ["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
    assert_eq!(world.broker.statistics().queued_messages, 0);
}

#[test]
fn who_joins_takes_part_in_what_waits_with_those_who_are_away() {
    let mut world = World::new();
    let away = members(&mut world, 1, Q1)[0];
    // What the one that is away has for itself stays its own.
    world.subscribe(away, "jobs/x", Q1);
    world.cut(away);
    publish_numbers(&mut world, 0..3, Q1);
    let fresh = member(&mut world, v5("fresh"), Q1);
    assert_eq!(payloads(&mut world, fresh), ["0", "1", "2"]);
    let back = world.connect(v5("w0").resuming());
    assert_eq!(payloads(&mut world, back), ["0", "1", "2"]);
}

#[test]
fn what_waits_for_a_member_goes_to_another_when_it_goes_away() {
    let mut world = World::new();
    let slow = member(&mut world, v5("slow").receive_maximum(1).expiry_s(1000), Q1);
    publish_numbers(&mut world, 0..4, Q1);
    let other = member(&mut world, v5("other"), Q1);
    world.expect_nothing(other);
    world.cut(slow);
    // The first was sent, and stays with its member until that one's session ends.
    assert_eq!(payloads(&mut world, other), ["1", "2", "3"]);
    world.wait_s(999);
    world.expect_nothing(other);
    world.wait_s(1);
    let passed_on = world.expect_publish(other);
    assert_eq!(read(&passed_on).1, "0");
    assert!(!passed_on.delivery.dup()); // [MQTT-4.3.2-2]
    world.expect_nothing(other);
}

// [MQTT-4.8.2]
#[test]
fn a_session_that_ends_leaves_qos_1_to_the_others() {
    let mut world = World::new();
    let leaver = member(&mut world, v5("leaver").receive_maximum(2), Q1);
    let other = member(&mut world, v5("other").receive_maximum(1), Q1);
    publish_numbers(&mut world, 0..6, Q1);
    world.cut(leaver);
    let mut taken = payloads(&mut world, other);
    taken.sort();
    assert_eq!(taken, ["0", "1", "2", "3", "4", "5"]);
    // The last one goes: there is nobody left to give it to.
    publish_numbers(&mut world, 6..7, Q1);
    world.cut(other);
    assert_eq!(world.broker.statistics(), luxwire_broker::Statistics::default());
}

// [MQTT-3.1.2-4] A clean start ends the session as well, and the client that comes is no member.
#[test]
fn a_clean_start_leaves_qos_1_to_the_others() {
    let mut world = World::new();
    let members = members(&mut world, 2, Q1);
    publish_numbers(&mut world, 0..2, Q1);
    let anew = world.connect(v5("w0"));
    assert_eq!(payloads(&mut world, members[1]), ["1", "0"]);
    world.expect_nothing(anew);
}

// [MQTT-4.8.2-4] [MQTT-4.3.3-7]
#[test]
fn qos_2_that_was_begun_with_a_member_is_finished_with_it() {
    let mut world = World::new();
    let members = members(&mut world, 2, Q2);
    publish_numbers(&mut world, 0..1, Q2);
    let begun = world.expect_publish(members[0]);
    world.cut(members[0]);
    world.expect_nothing(members[1]);
    let back = world.connect(v5("w0").resuming().expiry_s(1000));
    let again = world.expect_publish(back);
    assert!(again.delivery.dup());
    assert_eq!(again.delivery.packet_id(), begun.delivery.packet_id());
    world.acknowledge(back, &again);
    world.expect_nothing(back);
    world.expect_nothing(members[1]);
}

// [MQTT-4.8.2-5]
#[test]
fn qos_2_that_was_begun_with_a_member_is_given_to_nobody_else() {
    for released in [false, true] {
        let mut world = World::new();
        let starter = member(&mut world, v5("starter").receive_maximum(1), Q2);
        publish_numbers(&mut world, 0..2, Q2);
        let begun = world.expect_publish(starter);
        if released {
            let id = begun.delivery.packet_id().expect("one at QoS 2");
            world.send(starter, Packet::Pubrec(Acknowledge::success(id)));
        }
        let other = member(&mut world, v5("other"), Q2);
        world.cut(starter);
        // What was not begun may go to others.
        assert_eq!(payloads(&mut world, other), ["1"]);
    }
}

// [MQTT-4.8.2-6] [MQTT-4.4.0-2]
#[test]
fn what_a_member_refuses_is_given_to_nobody_else() {
    for qos in [Q1, Q2] {
        let mut world = World::new();
        let members = members(&mut world, 2, Q2);
        publish_numbers(&mut world, 0..1, qos);
        let id = world.expect_publish(members[0]).delivery.packet_id().expect("one above QoS 0");
        let refusal = Acknowledge::because(id, ReasonCode::Unspecified);
        world.send(members[0], if qos == Q1 { Packet::Puback(refusal) } else { Packet::Pubrec(refusal) });
        world.leave(members[0]);
        world.expect_nothing(members[1]);
        assert_eq!(world.broker.statistics().in_flight_messages, 0);
    }
}

// [MQTT-3.1.2-25]
#[test]
fn a_message_too_large_for_one_member_goes_to_another() {
    let mut world = World::new();
    let small = member(&mut world, v5("small").packet_size(40), Q1);
    let large = member(&mut world, v5("large"), Q1);
    let boss = world.connect(v5("boss"));
    for _ in 0..3 {
        world.publish(boss, "jobs/x", &"1".repeat(100), Q1);
    }
    assert_eq!(payloads(&mut world, large).len(), 3);
    world.expect_nothing(small);
    world.leave(large);
    world.reports();
    world.publish(boss, "jobs/x", &"1".repeat(100), Q1);
    let dropped = Report::Dropped { client_id: "small".into(), qos: Q1, why: Dropped::TooLarge };
    assert_eq!(world.reports(), [dropped]);
}

#[test]
fn a_group_whose_members_queues_are_full_loses_messages_and_says_so() {
    let mut world = World::with(|limits| limits.session_queue_messages = 2);
    let members = members(&mut world, 2, Q1);
    members.iter().for_each(|client| world.cut(*client));
    world.reports();
    publish_numbers(&mut world, 0..5, Q1);
    let dropped = |report: &Report| matches!(report, Report::Dropped { why: Dropped::QueueFull, .. });
    assert_eq!(world.reports().iter().filter(|report| dropped(report)).count(), 1);
    assert_eq!(world.broker.statistics().queued_messages, 4);
}

// [MQTT-3.3.2-5]
#[test]
fn what_expired_while_it_waited_is_not_passed_on() {
    let mut world = World::new();
    let away = members(&mut world, 1, Q1)[0];
    world.cut(away);
    let boss = world.connect(v5("boss"));
    world.publish_packet(boss, expiring_s(publish("jobs/x", "short", Q1), 5));
    world.publish_packet(boss, expiring_s(publish("jobs/x", "long", Q1), 50));
    world.wait_s(10);
    let fresh = member(&mut world, v5("fresh"), Q1);
    let publish = world.expect_publish(fresh);
    assert_eq!(read(&publish).1, "long");
    // [MQTT-3.3.2-6]
    assert_eq!(publish.properties.expect("an expiry").message_expiry_interval_s, Some(40));
    world.expect_nothing(fresh);
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Publish,
    Come(usize),
    Vanish(usize),
    /// Reads and acknowledges one message.
    Take(usize),
    Join(usize),
    Part(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let who = || 0..4usize;
    let event = prop_oneof![
        6 => Just(Event::Publish),
        4 => who().prop_map(Event::Take),
        2 => who().prop_map(Event::Come),
        2 => who().prop_map(Event::Vanish),
        1 => who().prop_map(Event::Join),
        1 => who().prop_map(Event::Part),
    ];
    collection::vec(event, 1..120)
}

proptest! {
    // As long as the group has members and their sessions live, each message reaches exactly one of them.
    #[test]
    fn every_message_is_taken_once(events in events()) {
        let mut world = World::new();
        let boss = world.connect(v5("boss"));
        let name = |number: usize| format!("w{number}");
        let connecting = |number: usize| v5(&name(number)).resuming().expiry_s(100_000).receive_maximum(2);
        let mut clients: Vec<Option<Client>> = (0..4).map(|number| {
            let client = world.connect(connecting(number));
            world.subscribe(client, SHARED, Q1);
            Some(client)
        }).collect();
        // One member never leaves the group, so that there is always one.
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        let mut published = 0;
        for event in events {
            match event {
                Event::Publish => {
                    world.publish(boss, "jobs/x", &published.to_string(), Q1);
                    published += 1;
                }
                Event::Come(number) if clients[number].is_none() => {
                    clients[number] = Some(world.connect(connecting(number)));
                }
                Event::Vanish(number) => {
                    if let Some(client) = clients[number].take() {
                        world.cut(client);
                    }
                }
                Event::Take(number) => {
                    if let Some(client) = clients[number]
                        && let Some(Packet::Publish(publish)) = world.next(client)
                    {
                        world.acknowledge(client, &publish);
                        *taken.entry(read(&publish).1).or_default() += 1;
                    }
                }
                Event::Join(number) | Event::Part(number) => {
                    let Some(client) = clients[number].filter(|_| number > 0) else { continue };
                    let packet = match event {
                        Event::Join(_) => subscribe(SHARED, Q1),
                        _ => unsubscribe(&[SHARED]),
                    };
                    world.send(client, packet);
                    let is_answer = |packet: &Packet| matches!(packet, Packet::Suback(_) | Packet::Unsuback(_));
                    world.take_packet(client, is_answer);
                }
                Event::Come(_) => {}
            }
        }
        for (number, client) in clients.iter_mut().enumerate() {
            let client = *client.get_or_insert_with(|| world.connect(connecting(number)));
            for (_, payload) in world.take_all(client) {
                *taken.entry(payload).or_default() += 1;
            }
        }
        for client in clients.into_iter().flatten() {
            for (_, payload) in world.take_all(client) {
                *taken.entry(payload).or_default() += 1;
            }
        }
        let all: BTreeMap<_, _> = (0..published).map(|number| (number.to_string(), 1)).collect();
        prop_assert_eq!(taken, all);
        prop_assert_eq!(world.broker.statistics().queued_messages, 0);
    }
}
