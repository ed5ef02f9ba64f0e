//! PUBLISH from bytes and to bytes, as the edge does it for each message.

use crate::{
    Path, Turn,
    bytes_of::{PAYLOAD_LEN, Q0, Q1, TOPIC, encoded, message, properties, publishes, topic},
};
use bytes::{Bytes, BytesMut};
use luxwire_shared::mqtt::{
    Delivery, Framer, Packet, PacketId, Publish, PublishProperties, PublishRef, PublishTopic, SubscriptionId,
    TopicAlias, Version,
};
use std::{hint::black_box, num::NonZeroU16};

pub(crate) const PATHS: &[&Path] = &[
    &path("decode-3.1.1-qos0", || decode(Version::V3_1_1, publishes(Version::V3_1_1, TOPIC, Q0, 64))),
    &path("decode-3.1.1-qos1", || decode(Version::V3_1_1, publishes(Version::V3_1_1, TOPIC, Q1, 64))),
    &path("decode-5.0-qos1-properties", || decode(Version::V5, publishes_with_properties())),
    &path("encode-3.1.1-qos0", || encode(Version::V3_1_1, Delivery::AtMostOnce, None, None)),
    &path("encode-3.1.1-qos1", || encode(Version::V3_1_1, at_least_once(), None, None)),
    &path("encode-5.0-qos0-alias", || encode(Version::V5, Delivery::AtMostOnce, None, Some(alias()))),
    &path("encode-5.0-qos1-properties", || encode(Version::V5, at_least_once(), Some(properties()), None)),
];

const fn path(name: &'static str, prepare: fn() -> Turn) -> Path {
    Path { name, unit: "message", turns: 16, units_per_turn: PER_TURN, prepare }
}

/// How many messages one read brings, or one write takes.
const PER_TURN: u64 = 64;

fn publishes_with_properties() -> Vec<u8> {
    let publishes = (1..=64)
        .map(|number| Publish { properties: Some(Box::new(properties())), ..message(TOPIC, Q1, number) });
    publishes.flat_map(|publish| encoded(Version::V5, &Packet::Publish(publish))).collect()
}

fn decode(version: Version, bytes: Vec<u8>) -> Turn {
    let mut framer = Framer::new(1 << 20);
    // Split, as what is read into a buffer that is read into again.
    let read: Bytes = BytesMut::from(&bytes[..]).split().freeze();
    Box::new(move || {
        framer.push(read.clone());
        let mut decoded = 0;
        while let Some(packet) = framer.next_packet(version).expect("well formed") {
            decoded += u64::from(matches!(black_box(packet), Packet::Publish(_)));
        }
        decoded
    })
}

fn encode(
    version: Version,
    delivery: Delivery,
    properties: Option<PublishProperties>,
    alias: Option<TopicAlias>,
) -> Turn {
    let name = topic(TOPIC);
    let payload = [b'x'; PAYLOAD_LEN];
    let subscription_ids = [SubscriptionId::new(7).expect("in range")];
    let mut output = BytesMut::new();
    Box::new(move || {
        output.clear();
        let topic = alias.map_or(PublishTopic::Name(name.borrowed()), PublishTopic::Alias);
        let has_properties = properties.is_some();
        let packet = PublishRef {
            delivery,
            retain: false,
            topic,
            properties: properties.as_ref(),
            message_expiry_interval_s: has_properties.then_some(3600),
            subscription_ids: if has_properties { &subscription_ids } else { &[] },
            set_at: None,
            payload: &payload,
        };
        for _ in 0..PER_TURN {
            black_box(&packet).encode(version, &mut output).expect("fits");
        }
        let len = packet.encoded_len(version).expect("fits");
        black_box(&output).len().checked_div(len).map_or(0, |count| count as u64)
    })
}

const fn at_least_once() -> Delivery {
    Delivery::AtLeastOnce { id: PacketId::MIN, dup: false }
}

const fn alias() -> TopicAlias {
    TopicAlias(NonZeroU16::MIN)
}
