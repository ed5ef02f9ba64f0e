//! What the broker says of those who are connected.

mod driver;

use driver::{World, packets::*};
use luxwire_broker::Statistics;
use luxwire_shared::{
    mqtt::{Publish, PublishTopic, ReasonCode, TopicAlias, Version},
    time::Timestamp,
};
use std::{collections::BTreeSet, num::NonZeroU16};

fn ids(world: &World) -> BTreeSet<String> {
    world.broker.clients().map(|client| client.id().to_string()).collect()
}

fn filters(world: &World, client: driver::Client) -> BTreeSet<String> {
    let client = world.broker.client(client.0).expect("it is connected");
    let filters: BTreeSet<_> = client.filters().map(|filter| filter.to_string()).collect();
    assert_eq!(filters.len(), client.subscriptions());
    filters
}

#[test]
fn a_client_is_there_from_connect_to_its_end() {
    let mut world = World::new();
    let stranger = world.open();
    assert!(world.broker.client(stranger.0).is_none(), "it has not said CONNECT");
    world.wait_s(2);
    let old = world.connect(version(Version::V3_1, "old"));
    world.wait_s(3);
    let new = world.connect(v5("new").expiry_s(60));
    assert_eq!(ids(&world), ["new", "old"].map(String::from).into());
    let seen = world.broker.client(old.0).unwrap();
    assert_eq!((seen.link(), &**seen.id(), seen.version()), (old.0, "old", Version::V3_1));
    assert_eq!(seen.since(), Timestamp::from_unix_millis(driver::EPOCH_MS + 2000));
    assert_eq!(world.broker.client(new.0).unwrap().since().unix_millis(), driver::EPOCH_MS + 5000);

    world.leave(old);
    assert_eq!(ids(&world), ["new".to_owned()].into());
    world.cut(new);
    assert_eq!(ids(&world), BTreeSet::new(), "its session waits, and it is not connected");
    assert_eq!(world.broker.statistics(), Statistics { links: 1, sessions: 1, ..Statistics::default() });
}

#[test]
fn who_takes_a_session_over_is_there_in_place_of_the_other() {
    let mut world = World::new();
    let first = world.connect(v5("same").expiry_s(60));
    world.subscribe(first, "kept/#", Q1);
    let second = world.connect(v5("same").expiry_s(60).resuming());
    assert!(world.broker.client(first.0).is_none());
    assert_eq!(ids(&world), ["same".to_owned()].into());
    assert_eq!(filters(&world, second), ["kept/#".to_owned()].into());
}

#[test]
fn filters_are_those_that_were_subscribed_to() {
    let mut world = World::new();
    let (client, other) = (world.connect(v3("client")), world.connect(v5("other")));
    let all = ["#", "+", "/", "//", "a", "a/+/c", "a/b/c", "a/#", "+/+/#", "$SYS/#", "a b/\u{1F4A1}"];
    for filter in all {
        assert!(!world.subscribe(client, filter, Q0).is_failure());
        assert!(!world.subscribe(client, filter, Q1).is_failure());
    }
    world.subscribe(other, "a/b/c", Q0);
    assert_eq!(filters(&world, client), all.map(String::from).into());
    assert_eq!(filters(&world, other), ["a/b/c".to_owned()].into());

    world.send(client, unsubscribe(&["#", "a/b/c", "none"]));
    world.expect_unsuback(client);
    let left: BTreeSet<_> =
        all.into_iter().filter(|filter| !["#", "a/b/c"].contains(filter)).map(String::from).collect();
    assert_eq!(filters(&world, client), left);
    assert_eq!(filters(&world, other), ["a/b/c".to_owned()].into());
}

#[test]
fn a_shared_subscription_is_one_of_its_members() {
    let mut world = World::new();
    let client = world.connect(v5("client"));
    for filter in ["a", "$share/group/a", "$share/other/a/#"] {
        world.subscribe(client, filter, Q0);
    }
    let expected = ["$share/group/a", "$share/other/a/#", "a"];
    assert_eq!(filters(&world, client), expected.map(String::from).into());
}

#[test]
fn topics_are_called_as_their_client_calls_them() {
    let mut world = World::new();
    let client = world.connect(v5("client"));
    let alias = TopicAlias(NonZeroU16::MIN);
    let topic_of = |world: &World, called: &PublishTopic| {
        world.broker.client(client.0).expect("connected").topic(called).map(|name| name.to_string())
    };
    assert_eq!(topic_of(&world, &PublishTopic::Name(topic("x"))).as_deref(), Some("x"));
    assert_eq!(topic_of(&world, &PublishTopic::Alias(alias)), None);
    let introducing = PublishTopic::NameAndAlias(topic("y"), alias);
    assert_eq!(topic_of(&world, &introducing).as_deref(), Some("y"));
    world.send_publish(client, Publish { topic: introducing, ..publish("unused", "1", Q0) });
    assert_eq!(topic_of(&world, &PublishTopic::Alias(alias)).as_deref(), Some("y"));
}

#[test]
fn messages_count_once_and_only_if_they_are_taken() {
    let mut world = World::with(|limits| limits.retained_messages = 1);
    let client = world.connect(v5("client").will(will("gone", "away")));
    world.publish(client, "a", "0", Q0);
    world.publish(client, "a", "1", Q1);
    assert_eq!(world.broker.accepted(), 2);
    world.send_publish(client, publish("a", "2", Q2));
    world.send_publish(client, repeated(publish("a", "2", Q2)));
    assert_eq!(world.broker.accepted(), 3);
    world.send(client, pubrel(1));
    while world.next(client).is_some() {}

    world.publish_retained(client, "first", "1", Q1);
    assert_eq!(world.publish_retained(client, "second", "1", Q1), ReasonCode::QuotaExceeded);
    assert_eq!(world.publish(client, "$SYS/mine", "1", Q1), ReasonCode::TopicNameInvalid);
    assert_eq!(world.broker.accepted(), 4);
    world.cut(client);
    assert_eq!(world.broker.accepted(), 5, "its will");
}

#[test]
fn retained_messages_come_one_by_one_and_in_order() {
    let mut world = World::new();
    let client = world.connect(v5("client"));
    for topic in ["b", "a/b", "$own", "a", "a b"] {
        world.publish_packet(client, Publish { retain: true, ..publish(topic, "1", Q0) });
    }
    let topics: Vec<_> = world.broker.all_retained().map(|message| message.topic().as_str()).collect();
    assert_eq!(topics, ["$own", "a", "a/b", "a b", "b"]);
}
