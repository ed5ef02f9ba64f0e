//! Numbers that stand for topic names.

use crate::rig::{Rig, accept, options, topic};
use luxwire_shared::{
    client::{Event, Message, Options},
    mqtt::{ConnackProperties, Delivery, Packet, Publish, PublishTopic, QoS, TopicAlias, Version},
};
use std::num::{NonZeroU16, NonZeroU32};

fn up_to(topic_aliases_max: u16) -> Options {
    Options { topic_aliases_max, ..options(Version::V5) }
}

fn allowing(maximum: u16) -> ConnackProperties {
    ConnackProperties { topic_alias_maximum: Some(maximum), ..Default::default() }
}

fn alias(number: u16) -> TopicAlias {
    TopicAlias(NonZeroU16::new(number).unwrap())
}

impl Rig {
    fn publish_to(&mut self, name: &str, qos: QoS) {
        self.client.publish(Message::new(topic(name), "1", qos), self.now).unwrap();
        self.drive();
    }

    /// The topics as they were said.
    fn topics(&mut self) -> Vec<PublishTopic> {
        let topic = |packet| match packet {
            Packet::Publish(publish) => Some(publish.topic),
            _ => None,
        };
        self.sent().into_iter().filter_map(topic).collect()
    }

    fn server_publishes(&mut self, topic: PublishTopic) {
        let publish = Publish { topic, ..Publish::new(crate::rig::topic("t"), "1") };
        self.server(Packet::Publish(Publish { delivery: Delivery::AtMostOnce, ..publish }));
    }

    fn heard(&mut self) -> Vec<String> {
        let topic = |event| match event {
            Event::Message(message) => Some(message.topic.to_string()),
            _ => None,
        };
        self.events().into_iter().filter_map(topic).collect()
    }
}

/// [MQTT-3.2.2-17] [MQTT-3.2.2-18]
#[test]
fn a_topic_is_named_once_while_there_are_numbers() {
    // Both sides have a say, and the less counts.
    for (ours, theirs) in [(2, 9), (9, 2)] {
        let mut rig = Rig::online_with(up_to(ours), allowing(theirs));
        for name in ["lights/a", "lights/b", "lights/a", "lights/c", "lights/c", "lights/b"] {
            rig.publish_to(name, QoS::AtMostOnce);
        }
        let (a, b, c) = (topic("lights/a"), topic("lights/b"), topic("lights/c"));
        let expected = [
            PublishTopic::NameAndAlias(a, alias(1)),
            PublishTopic::NameAndAlias(b, alias(2)),
            PublishTopic::Alias(alias(1)),
            PublishTopic::Name(c.clone()),
            PublishTopic::Name(c),
            PublishTopic::Alias(alias(2)),
        ];
        assert_eq!(rig.topics(), expected, "{ours} and {theirs}");
    }
}

#[test]
fn without_consent_there_are_no_numbers() {
    for (ours, theirs) in [(0, 9), (9, 0)] {
        let mut rig = Rig::online_with(up_to(ours), allowing(theirs));
        rig.publish_to("lights/a", QoS::AtMostOnce);
        assert_eq!(rig.topics(), [PublishTopic::Name(topic("lights/a"))]);
    }
    let mut old = Rig::online(Options { topic_aliases_max: 9, ..options(Version::V3_1_1) });
    old.publish_to("lights/a", QoS::AtMostOnce);
    assert_eq!(old.topics(), [PublishTopic::Name(topic("lights/a"))]);
}

/// [MQTT-3.3.2-7]
#[test]
fn numbers_end_with_the_connection() {
    let mut rig = Rig::online_with(up_to(4), allowing(4));
    rig.publish_to("lights/a", QoS::AtMostOnce);
    rig.server_publishes(PublishTopic::NameAndAlias(topic("lights/z"), alias(1)));
    rig.topics();
    rig.cut_and_wait();
    rig.greet(false, allowing(4));
    rig.heard();
    rig.publish_to("lights/b", QoS::AtMostOnce);
    assert_eq!(rig.topics(), [PublishTopic::NameAndAlias(topic("lights/b"), alias(1))]);
    rig.server_publishes(PublishTopic::Alias(alias(1)));
    assert_eq!(rig.heard(), [""; 0]);
    assert_eq!(rig.sent_briefly(), ["DISCONNECT TopicAliasInvalid"]);
}

#[test]
fn what_may_be_repeated_is_named() {
    let mut rig = Rig::online_with(up_to(4), allowing(4));
    rig.publish_to("lights/a", QoS::AtMostOnce);
    rig.publish_to("lights/a", QoS::AtLeastOnce);
    let name = || topic("lights/a");
    assert_eq!(rig.topics(), [PublishTopic::NameAndAlias(name(), alias(1)), PublishTopic::Name(name())]);
}

#[test]
fn a_short_name_needs_no_number_and_a_number_that_is_too_long_is_left_out() {
    let mut rig = Rig::online_with(up_to(4), allowing(4));
    rig.publish_to("abc", QoS::AtMostOnce);
    assert_eq!(rig.topics(), [PublishTopic::Name(topic("abc"))]);

    // Just long enough for the name.
    let maximum = 64;
    let name = "n".repeat(maximum - 6);
    let small = ConnackProperties { maximum_packet_size: NonZeroU32::new(maximum as u32), ..allowing(4) };
    let mut rig = Rig::online_with(up_to(4), small);
    rig.publish_to(&name, QoS::AtMostOnce);
    rig.publish_to("lights/a", QoS::AtMostOnce);
    let expected =
        [PublishTopic::Name(topic(&name)), PublishTopic::NameAndAlias(topic("lights/a"), alias(1))];
    assert_eq!(rig.topics(), expected);
}

/// [MQTT-3.1.2-26]
#[test]
fn the_server_may_use_as_many_as_it_was_told() {
    let mut rig = Rig::new(up_to(2));
    assert_eq!(rig.open().properties.topic_alias_maximum, Some(2));
    rig.server(accept(false, ConnackProperties::default()));
    rig.server_publishes(PublishTopic::NameAndAlias(topic("lights/a"), alias(2)));
    rig.server_publishes(PublishTopic::Alias(alias(2)));
    rig.server_publishes(PublishTopic::NameAndAlias(topic("lights/b"), alias(2)));
    rig.server_publishes(PublishTopic::Alias(alias(2)));
    assert_eq!(rig.heard(), ["lights/a", "lights/a", "lights/b", "lights/b"]);
    rig.server_publishes(PublishTopic::NameAndAlias(topic("lights/c"), alias(3)));
    assert_eq!(rig.heard(), [""; 0]);
    assert_eq!(rig.sent_briefly(), ["DISCONNECT TopicAliasInvalid"]);
}
