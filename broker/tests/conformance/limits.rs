//! Hostile input that is well formed: what it costs is bounded, and others do not notice.

use crate::driver::{World, packets::*};
use bytes::BytesMut;
use luxwire_broker::{Broker, Config, Input, LinkId, Now, Visitor};
use luxwire_shared::mqtt::{Framer, Packet, PublishTopic, ReasonCode, TopicAlias, Version, Will};
use std::num::NonZeroU16;

#[test]
fn subscriptions_of_a_session_are_bounded() {
    let mut world = World::with(|limits| limits.session_subscriptions = 3);
    let client = world.connect(v5("a"));
    world.send(client, subscribe_to(["a", "b", "b", "c", "d", "a"].map(|name| filter(name, Q0))));
    let reasons = world.expect_suback(client).reasons;
    use ReasonCode::{QuotaExceeded, Success};
    assert_eq!(reasons, [Success, Success, Success, Success, QuotaExceeded, Success]);
    world.send(client, unsubscribe(&["b"]));
    world.expect_unsuback(client);
    assert_eq!(world.subscribe(client, "d", Q0), Success);
    let other = world.connect(v5("b"));
    assert_eq!(world.subscribe(other, "e", Q0), Success);
}

// CVE-2024-8376 and its kin: take-over, sharing and not sharing, again and again.
#[test]
fn nothing_dangles_after_any_order_of_subscribing_and_leaving() {
    let mut world = World::new();
    for round in 0..50 {
        let client = world.connect(v3("a"));
        world.send(client, subscribe_to([filter("$share/g/a", Q0), filter("a", Q0), filter("a/#", Q0)]));
        world.expect_suback(client);
        let gone = if round % 2 == 0 { ["a", "$share/g/a"] } else { ["$share/g/a", "a/#"] };
        world.send(client, unsubscribe(&gone));
        world.expect_unsuback(client);
        if round % 3 == 0 {
            world.leave(client);
        }
    }
    let last = world.connect(v3("a"));
    world.leave(last);
    assert_eq!(world.broker.statistics(), luxwire_broker::Statistics::default());
    assert_eq!(world.broker.next_deadline(), None);
}

// 30,000 filters in one SUBSCRIBE, twice, with retained messages to replay and a client that reads nothing.
#[test]
fn a_subscribe_of_thousands_of_filters_is_no_trouble() {
    let mut world = World::with(|limits| limits.session_subscriptions = 100_000);
    let client = world.connect(v5("a").receive_maximum(1));
    world.publish_retained(client, "0/x", "1", Q1);
    let filters = || (0..30_000).map(|number| filter(&format!("{number}/+"), Q1));
    for _ in 0..2 {
        world.send(client, subscribe_to(filters()));
    }
    assert_eq!(world.broker.statistics().subscriptions, 30_000);
    let names: Vec<_> = (0..30_000).map(|number| format!("{number}/+")).collect();
    world.send(client, unsubscribe(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    assert_eq!(world.broker.statistics().subscriptions, 0);
}

// Every mixture of a name and `+` over ten levels is a different filter, and all match.
#[test]
fn filters_that_all_match_are_matched_once_each() {
    let mut world = World::new();
    let client = world.connect(v5("a"));
    let filters = (0..1024u32).map(|mixture| {
        let levels: Vec<_> = (0..10).map(|bit| if mixture >> bit & 1 == 0 { "a" } else { "+" }).collect();
        filter(&levels.join("/"), Q0)
    });
    world.send(client, subscribe_to(filters));
    world.expect_suback(client);
    world.publish(client, &["a"; 10].join("/"), "1", Q0);
    assert_eq!(world.take_all(client).len(), 1);
}

// Sessions that are away and share thousands of filters with whoever comes, and have something else waiting.
#[test]
fn members_who_come_and_go_are_no_trouble_however_much_they_share() {
    let mut world = World::new();
    let all = || (0..3000).map(|number| filter(&format!("$share/g/{number}"), Q1)).chain([filter("x", Q1)]);
    let connect = |world: &mut World, name: usize| {
        let client = world.connect(v5(&format!("w{name}")).resuming().expiry_s(1000).receive_maximum(1));
        world.send(client, subscribe_to(all()));
        world.cut(client);
    };
    (0..20).for_each(|name| connect(&mut world, name));
    let boss = world.connect(v5("boss"));
    for number in 0..500 {
        world.publish(boss, "x", "1", Q1);
        world.publish(boss, &format!("{number}"), "1", Q1);
    }
    (0..20).for_each(|name| connect(&mut world, name));
    let statistics = world.broker.statistics();
    let kept = statistics.queued_messages + statistics.in_flight_messages;
    assert_eq!((statistics.shared_subscriptions, kept), (20 * 3000, 20 * 500 + 500));
}

// Wildcards and odd characters in a client identifier mean nothing.
#[test]
fn a_client_identifier_is_only_a_name() {
    for name in ["#", "+", "/", "$SYS", "a b", "\u{FEFF}", "<script>"] {
        let mut world = World::new();
        let client = world.connect(v5(name));
        world.publish(client, "x", "1", Q0);
        world.expect_nothing(client);
    }
}

// Keeping something does not keep the buffer alive that it was read into.
#[test]
fn what_is_kept_stands_in_buffers_of_its_own() {
    let mut broker = Broker::new(Config::default());
    let read = |broker: &mut Broker, link: u64, packet: Packet| {
        let mut bytes = BytesMut::new();
        packet.encode(Version::V5, &mut bytes).expect("a packet");
        let buffer = bytes.freeze();
        let mut framer = Framer::new(u32::MAX);
        framer.push(buffer.clone());
        let frame = framer.next_frame().expect("well formed").expect("whole");
        let packet = Packet::decode(frame, Version::V5).expect("well formed");
        drop(framer);
        assert!(!buffer.is_unique(), "the packet has parts of the buffer");
        let mut effects = Vec::new();
        broker.handle(Now::default(), Input::Packet { link: LinkId(link), packet }, &mut effects);
        // The edge has written what there is to write.
        drop(effects);
        assert!(buffer.is_unique(), "somebody still has a part of the buffer");
    };
    let mut described = with_properties(publish("x", "payload", Q1), |properties| {
        properties.response_topic = Some(topic("answers"));
        properties.content_type = Some(text("text/plain"));
        properties.correlation_data = Some(vec![1, 2].into());
        properties.user_properties = vec![(text("a"), text("b"))];
    });
    described.topic = PublishTopic::NameAndAlias(topic("x"), TopicAlias(NonZeroU16::MIN));
    for link in 1..=3 {
        broker.handle(
            Now::default(),
            Input::Open { link: LinkId(link), visitor: Visitor::Anybody, nonce: 0 },
            &mut Vec::new(),
        );
    }
    let client = |name: &str| {
        let connecting =
            v5(name).expiry_s(60).receive_maximum(1).will(Will { retain: true, ..will("w", "bye") });
        Packet::Connect(Box::new(connecting.into()))
    };
    read(&mut broker, 1, client("subscriber"));
    read(&mut broker, 2, client("publisher"));
    read(&mut broker, 1, subscribe("x/#", Q1));
    // In flight, queued, retained.
    read(&mut broker, 2, Packet::Publish(described.clone()));
    read(&mut broker, 2, Packet::Publish(described.clone()));
    described.retain = true;
    read(&mut broker, 2, Packet::Publish(described));
    let statistics = broker.statistics();
    let kept = (statistics.in_flight_messages, statistics.queued_messages, statistics.retained_messages);
    assert_eq!(kept, (1, 2, 1));
    // A replay that waits for the window.
    read(&mut broker, 1, subscribe("+", Q1));
}

// [MQTT-3.9.2-1]
#[test]
fn one_packet_may_ask_for_the_same_retained_messages_only_so_often() {
    let mut world = World::with(|limits| limits.filter_replays = 2);
    let client = world.connect(v5("a"));
    world.publish_retained(client, "x", "kept", Q1);
    for _ in 0..2 {
        world
            .send(client, subscribe_to([filter("x", Q0), filter("x", Q0), filter("x", Q1), filter("y", Q0)]));
        let reasons = world.expect_suback(client).reasons;
        let (granted, refused) = (ReasonCode::Success, ReasonCode::QuotaExceeded);
        assert_eq!(reasons, [granted, granted, refused, granted]);
        // What was refused changes nothing.
        assert_eq!(world.take_all(client).len(), 2);
        world.publish(client, "x", "live", Q1);
        assert_eq!(world.expect_publish(client).qos(), Q0);
    }
}
