//! A message from its publisher's bytes to those of its receivers, with every acknowledgement that belongs to it.

use crate::{
    Path, Turn,
    bytes_of::{Q0, Q1, Q2, TOPIC, connect, publishes, subscribe},
    edge::Edge,
};
use luxwire_shared::mqtt::{QoS, Version};

pub(crate) const PATHS: &[&Path] = &[
    &one_to_one("one-to-one-qos0", || to_many(Version::V3_1_1, Q0, 1, READ_TOGETHER)),
    &one_to_one("one-to-one-qos1", || to_many(Version::V3_1_1, Q1, 1, READ_TOGETHER)),
    &one_to_one("one-to-one-qos2", || to_many(Version::V3_1_1, Q2, 1, READ_TOGETHER)),
    &one_to_one("one-to-one-5.0-qos1", || to_many(Version::V5, Q1, 1, READ_TOGETHER)),
    &fan_out("one-to-500-qos0", || to_many(Version::V3_1_1, Q0, RECEIVERS, 1)),
    &fan_out("one-to-500-qos1", || to_many(Version::V3_1_1, Q1, RECEIVERS, 1)),
];

const fn one_to_one(name: &'static str, prepare: fn() -> Turn) -> Path {
    Path { name, unit: "message", turns: 64, units_per_turn: READ_TOGETHER as u64, prepare }
}

const fn fan_out(name: &'static str, prepare: fn() -> Turn) -> Path {
    Path { name, unit: "delivery", turns: 8, units_per_turn: RECEIVERS, prepare }
}

/// How many messages a read brings while there is much to do.
const READ_TOGETHER: u16 = 16;

const RECEIVERS: u64 = 500;

fn to_many(version: Version, qos: QoS, receivers: u64, messages: u16) -> Turn {
    let mut edge = Edge::new();
    let publisher = edge.connect(&connect(version, "publisher"));
    for number in 0..receivers {
        let receiver = edge.connect(&connect(version, &format!("receiver-{number}")));
        edge.receive(receiver, &subscribe(version, [TOPIC], qos));
    }
    let bytes = publishes(version, TOPIC, qos, messages);
    Box::new(move || {
        let (delivered, acknowledged) = (edge.tally().delivered, edge.tally().acknowledged);
        edge.receive(publisher, &bytes);
        let acknowledged = edge.tally().acknowledged - acknowledged;
        assert_eq!(acknowledged, if qos == QoS::AtMostOnce { 0 } else { messages.into() });
        edge.tally().delivered - delivered
    })
}
