//! Topic aliases, in both directions. Section 3.3.2.3.4.

use crate::driver::{Client, World, packets::*};
use luxwire_broker::{AliasesAllowed, OutgoingAliases};
use luxwire_shared::mqtt::{
    Delivery, Publish, PublishProperties, PublishRef, PublishTopic, ReasonCode, TopicAlias, TopicName,
    Version,
};
use std::num::{NonZeroU16, NonZeroU32};

fn alias(number: u16) -> TopicAlias {
    TopicAlias(NonZeroU16::new(number).expect("not 0"))
}

fn introducing(name: &str, number: u16, payload: &str) -> Publish {
    let topic = PublishTopic::NameAndAlias(topic(name), alias(number));
    Publish { topic, ..publish("unused", payload, Q0) }
}

fn by_alias(number: u16, payload: &str) -> Publish {
    Publish { topic: PublishTopic::Alias(alias(number)), ..publish("unused", payload, Q0) }
}

fn follower(world: &mut World) -> Client {
    let page = world.connect(v5("page"));
    world.subscribe(page, "#", Q2);
    page
}

// [MQTT-3.3.2-12]
#[test]
fn the_maximum_is_announced_to_those_who_can_read_it() {
    let mut world = World::with(|limits| limits.topic_alias_maximum = 7);
    assert_eq!(world.connect_full(v5("a")).1.properties.topic_alias_maximum, Some(7));
    assert_eq!(world.connect_full(v3("b")).1.properties.topic_alias_maximum, None);
    let mut world = World::with(|limits| limits.topic_alias_maximum = 0);
    assert_eq!(world.connect_full(v5("a")).1.properties.topic_alias_maximum, None);
}

// [MQTT-3.3.2-12] [MQTT-3.3.2-3] Subscribers see the topic's name.
#[test]
fn every_number_up_to_the_maximum_stands_for_the_name_it_was_given_last() {
    let mut world = World::with(|limits| limits.topic_alias_maximum = 3);
    let page = follower(&mut world);
    let dimmer = world.connect(v5("dimmer"));
    for (number, name) in [(1, "a/1"), (3, "a/3"), (2, "a/2")] {
        world.send_publish(dimmer, introducing(name, number, "named"));
        assert_eq!(world.take(page), (name.into(), "named".into()));
    }
    for (number, name) in [(2, "a/2"), (3, "a/3"), (1, "a/1"), (1, "a/1")] {
        world.send_publish(dimmer, by_alias(number, "numbered"));
        assert_eq!(world.take(page), (name.into(), "numbered".into()));
    }
    world.send_publish(dimmer, introducing("b", 1, "1"));
    world.send_publish(dimmer, by_alias(1, "2"));
    world.send_publish(dimmer, by_alias(2, "3"));
    let taken = [("b", "1"), ("b", "2"), ("a/2", "3")].map(|(name, payload)| (name.into(), payload.into()));
    assert_eq!(world.take_all(page), taken);
    // A name alone does not change what numbers stand for.
    world.publish(dimmer, "c", "4", Q0);
    world.send_publish(dimmer, by_alias(1, "5"));
    let taken = [("c", "4"), ("b", "5")].map(|(name, payload)| (name.into(), payload.into()));
    assert_eq!(world.take_all(page), taken);
}

#[test]
fn a_retained_value_has_the_name_behind_the_alias() {
    let mut world = World::new();
    let dimmer = world.connect(v5("dimmer"));
    world.send_publish(dimmer, introducing("lights/Desk/intensity", 1, "1"));
    world.send_publish(dimmer, retained(by_alias(1, "40")));
    let page = follower(&mut world);
    assert_eq!(world.take(page), ("lights/Desk/intensity".into(), "40".into()));
    world.send_publish(dimmer, by_alias(1, ""));
    world.send_publish(dimmer, retained(by_alias(1, "")));
    assert_eq!(world.broker.statistics().retained_messages, 0);
}

// [MQTT-3.3.2-8] [MQTT-3.3.2-9]
#[test]
fn a_number_of_0_or_above_the_maximum_is_invalid() {
    for maximum in [0, 3] {
        for topic in [
            PublishTopic::Alias(alias(maximum + 1)),
            PublishTopic::NameAndAlias(topic("x"), alias(maximum + 1)),
            PublishTopic::NameAndAlias(topic("x"), alias(u16::MAX)),
        ] {
            let mut world = World::with(|limits| limits.topic_alias_maximum = maximum);
            let page = follower(&mut world);
            let client = world.connect(v5("a"));
            world.send_publish(client, Publish { topic, ..publish("unused", "1", Q0) });
            world.expect_disconnected(client, ReasonCode::TopicAliasInvalid);
            world.expect_nothing(page);
        }
    }
    let mut world = World::new();
    let page = follower(&mut world);
    let client = world.connect(v5("a"));
    // PUBLISH, topic "x", three bytes of properties: topic alias 0.
    world.send_bytes(client, vec![0x30, 0x07, 0x00, 0x01, b'x', 0x03, 0x23, 0x00, 0x00]);
    world.expect_disconnected(client, ReasonCode::TopicAliasInvalid);
    world.expect_nothing(page);
}

#[test]
fn a_number_that_stands_for_nothing_is_a_protocol_error() {
    let mut world = World::new();
    let client = world.connect(v5("a"));
    world.send_publish(client, introducing("x", 1, "1"));
    world.send_publish(client, by_alias(2, "1"));
    world.expect_disconnected(client, ReasonCode::ProtocolError);
}

// [MQTT-3.3.2-7]
#[test]
fn aliases_end_with_the_connection_and_not_with_the_session() {
    let mut world = World::new();
    let dimmer = world.connect(v5("dimmer").expiry_s(60));
    world.send_publish(dimmer, introducing("x", 1, "1"));
    world.cut(dimmer);
    let dimmer = world.connect(v5("dimmer").resuming());
    world.send_publish(dimmer, by_alias(1, "1"));
    world.expect_disconnected(dimmer, ReasonCode::ProtocolError);
}

#[test]
fn each_connection_has_numbers_of_its_own() {
    let mut world = World::new();
    let page = follower(&mut world);
    let (a, b) = (world.connect(v5("a")), world.connect(v5("b")));
    world.send_publish(a, introducing("of a", 1, ""));
    world.send_publish(b, introducing("of b", 1, ""));
    world.send_publish(a, by_alias(1, ""));
    let names: Vec<_> = world.take_all(page).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["of a", "of b", "of a"]);
}

#[test]
fn a_message_that_is_refused_or_repeated_introduces_its_alias() {
    let mut world = World::with(|limits| limits.retained_messages = 1);
    let page = follower(&mut world);
    let client = world.connect(v5("a"));
    world.publish_retained(client, "kept", "1", Q0);
    world.take_all(page);
    let delivery = Delivery::first(Q1, id(5));
    world.send_publish(client, retained(Publish { delivery, ..introducing("refused", 1, "1") }));
    world.expect(client);
    world.expect_nothing(page);
    world.send_publish(client, by_alias(1, "2"));
    assert_eq!(world.take(page), ("refused".into(), "2".into()));
    // The same QoS 2 message twice, before it is released.
    let delivery = Delivery::first(Q2, id(6));
    world.send_publish(client, Publish { delivery, ..publish("repeated", "3", Q2) });
    assert_eq!(world.take(page), ("repeated".into(), "3".into()));
    let delivery = Delivery::ExactlyOnce { id: id(6), dup: true };
    world.send_publish(client, Publish { delivery, ..introducing("repeated", 2, "3") });
    world.expect_nothing(page);
    world.send_publish(client, by_alias(2, "4"));
    assert_eq!(world.take(page), ("repeated".into(), "4".into()));
}

#[test]
fn the_names_behind_aliases_are_bounded_in_bytes() {
    let mut world = World::with(|limits| limits.topic_alias_bytes = 100);
    let client = world.connect(v5("a"));
    for round in 0..10 {
        world.send_publish(client, introducing(&"x".repeat(60 + round % 2), 1, ""));
        world.send_publish(client, introducing(&"y".repeat(30 + round % 2), 2, ""));
    }
    world.expect_nothing(client);
    world.send_publish(client, introducing(&"z".repeat(20), 3, ""));
    world.expect_disconnected(client, ReasonCode::QuotaExceeded);
    // With the bound that holds by default the longest name can have a number.
    let mut world = World::new();
    let client = world.connect(v5("a"));
    world.send_publish(client, introducing(&"x".repeat(65_535), 1, ""));
    world.expect_nothing(client);
}

fn taking_aliases(name: &str, maximum: u16) -> Connecting {
    v5(name).change(|connect| connect.properties.topic_alias_maximum = Some(maximum))
}

// [MQTT-3.1.2-26] [MQTT-3.3.2-8] [MQTT-3.3.2-11] The driver's wire sees that no number is above the client's maximum.
#[test]
fn a_client_that_takes_aliases_is_told_a_name_once() {
    for qos in [Q0, Q1, Q2] {
        let mut world = World::new();
        let lamp = world.connect(taking_aliases("lamp", 2));
        world.subscribe(lamp, "#", Q2);
        let dimmer = world.connect(v5("dimmer"));
        let mut topics = Vec::new();
        for name in ["long/a", "long/a", "long/b", "long/a", "long/b"] {
            world.publish(dimmer, name, "1", qos);
            let publish = world.expect_publish(lamp);
            world.acknowledge(lamp, &publish);
            topics.push(publish.topic);
        }
        let (first, second) = (alias(1), alias(2));
        assert_eq!(
            topics,
            [
                PublishTopic::NameAndAlias(topic("long/a"), first),
                PublishTopic::Alias(first),
                PublishTopic::NameAndAlias(topic("long/b"), second),
                PublishTopic::Alias(first),
                PublishTopic::Alias(second),
            ]
        );
    }
}

// [MQTT-3.1.2-27]
#[test]
fn a_client_that_takes_none_gets_names() {
    for maximum in [None, Some(0)] {
        for limit in [0, 32] {
            let mut world = World::with(|limits| limits.topic_alias_maximum = limit);
            let lamp =
                world.connect(v5("lamp").change(|connect| connect.properties.topic_alias_maximum = maximum));
            world.subscribe(lamp, "#", Q0);
            for name in ["long/a", "long/a"] {
                world.publish(lamp, name, "1", Q0);
                assert_eq!(world.expect_publish(lamp).topic, PublishTopic::Name(topic(name)));
            }
        }
    }
    let mut world = World::with(|limits| limits.topic_alias_maximum = 0);
    let lamp = world.connect(taking_aliases("lamp", 10));
    world.subscribe(lamp, "#", Q0);
    world.publish(lamp, "long/a", "1", Q0);
    assert_eq!(world.expect_publish(lamp).topic, PublishTopic::Name(topic("long/a")));
}

// [MQTT-3.3.2-7] [MQTT-3.3.1-1] What is sent again on another connection introduces its topic anew.
#[test]
fn a_resumed_session_begins_without_aliases() {
    let mut world = World::new();
    let lamp = world.connect(taking_aliases("lamp", 2).expiry_s(60));
    world.subscribe(lamp, "#", Q1);
    let dimmer = world.connect(v5("dimmer"));
    for payload in ["1", "2"] {
        world.publish(dimmer, "long/a", payload, Q1);
    }
    world.cut(lamp);
    let lamp = world.connect(taking_aliases("lamp", 2).resuming().expiry_s(60));
    assert_eq!(world.expect_publish(lamp).topic, PublishTopic::NameAndAlias(topic("long/a"), alias(1)));
    assert_eq!(world.expect_publish(lamp).topic, PublishTopic::Alias(alias(1)));
    world.cut(lamp);
    let lamp = world.connect(v5("lamp").resuming());
    for _ in 0..2 {
        assert_eq!(world.expect_publish(lamp).topic, PublishTopic::Name(topic("long/a")));
    }
}

// [MQTT-3.1.2-24] A packet that introduces a number is longer than one without.
#[test]
fn a_packet_that_fits_only_without_an_alias_is_sent_without() {
    let mut world = World::new();
    let lamp = world.connect(taking_aliases("lamp", 5).packet_size(64));
    world.subscribe(lamp, "#", Q0);
    // Fixed header 2, topic 6, properties' length 1; an introduction takes 3 more.
    let (fits, is_too_long) = ("1".repeat(64 - 9), "1".repeat(64 - 9 + 1));
    let fits_with_alias = "1".repeat(64 - 9 - 3);
    world.publish(lamp, "abcd", &fits, Q0);
    assert_eq!(world.expect_publish(lamp).topic, PublishTopic::Name(topic("abcd")));
    world.publish(lamp, "abcd", &is_too_long, Q0);
    world.expect_nothing(lamp);
    world.publish(lamp, "abcd", &fits_with_alias, Q0);
    assert_eq!(world.expect_publish(lamp).topic, PublishTopic::NameAndAlias(topic("abcd"), alias(1)));
    world.publish(lamp, "abcd", &fits, Q0);
    assert_eq!(world.expect_publish(lamp).topic, PublishTopic::Alias(alias(1)));
}

/// A message on its way out, as the edge has it.
fn outgoing(name: &TopicName) -> PublishRef<'_> {
    PublishRef {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: PublishTopic::Name(name.borrowed()),
        properties: None,
        message_expiry_interval_s: None,
        subscription_ids: &[],
        set_at: None,
        payload: b"1",
    }
}

fn aliases(maximum: u16, bytes: usize) -> OutgoingAliases {
    OutgoingAliases::new(AliasesAllowed { maximum, bytes, packet_size: None }, 7).expect("some allowed")
}

/// How many bytes these topics take on the wire, one message each, with and without aliases.
fn cost(aliases: &mut OutgoingAliases, names: &[TopicName]) -> (usize, usize) {
    let len = |packet: PublishRef<'_>| packet.encoded_len(Version::V5).expect("short");
    names.iter().fold((0, 0), |(with, without), name| {
        (with + len(aliases.shorten(outgoing(name))), without + len(outgoing(name)))
    })
}

#[test]
fn numbers_go_to_the_topics_that_come_again_and_cost_nothing_where_none_does() {
    let name = |number: usize| topic(&format!("lights/{number}/intensity"));
    // All numbers are taken, then others become busy.
    let mut few = aliases(4, 10_000);
    cost(&mut few, &(0..4).map(name).collect::<Vec<_>>());
    let busy: Vec<_> = (10..14).cycle().take(400).map(name).collect();
    let (with, without) = cost(&mut few, &busy);
    assert!(with * 2 < without, "{with} {without}");
    // Thousands in turn: nothing helps, and nothing is paid.
    let all: Vec<_> = (100..1100).cycle().take(5000).map(name).collect();
    assert_eq!(cost(&mut few, &all), cost(&mut aliases(1, 0), &all));
    // The busy ones among them keep theirs.
    let mixed: Vec<_> = (0..3000).map(|at| name(if at % 3 == 0 { 10 } else { 2000 + at })).collect();
    let (with, without) = cost(&mut few, &mixed);
    assert!(without - with > 900 * (name(10).len() - 3), "{with} {without}");
}

#[test]
fn a_number_never_makes_a_packet_longer_once_it_is_known() {
    let user = (text("k"), text(&"v".repeat(200)));
    let properties = PublishProperties { user_properties: vec![user], ..PublishProperties::default() };
    for name in ["a", "abc", "abcd", "abcde"] {
        let name = topic(name);
        for pad in 0..=130 {
            let mut properties = properties.clone();
            properties.user_properties[0].1 = text(&"v".repeat(pad));
            let packet = PublishRef { properties: Some(&properties), ..outgoing(&name) };
            let mut aliases = aliases(1, 100);
            aliases.shorten(packet);
            let len = |packet: PublishRef<'_>| packet.encoded_len(Version::V5).expect("short");
            assert!(len(aliases.shorten(packet)) <= len(packet), "{name} {pad}");
        }
    }
}

#[test]
fn names_beyond_the_bytes_allowed_get_no_number() {
    let mut few = aliases(10, 20);
    let (short, long) = (topic("abcdefgh"), topic(&"x".repeat(15)));
    for _ in 0..50 {
        assert!(matches!(
            few.shorten(outgoing(&short)).topic,
            PublishTopic::NameAndAlias(..) | PublishTopic::Alias(_)
        ));
        assert_eq!(few.shorten(outgoing(&long)).topic, PublishTopic::Name(long.borrowed()));
    }
    // What cannot be written at all introduces nothing.
    let small = AliasesAllowed { maximum: 1, bytes: 100, packet_size: NonZeroU32::new(10) };
    let mut none = OutgoingAliases::new(small, 7).expect("one allowed");
    assert_eq!(none.shorten(outgoing(&short)).topic, PublishTopic::Name(short.borrowed()));
}
