//! Values that are kept: how they are set, and how one who comes late gets them all.

use crate::{
    Path, Turn,
    bytes_of::{Q0, connect, encoded, message, subscribe, unsubscribe},
    edge::Edge,
};
use luxwire_shared::mqtt::{Packet, Publish, Version};

pub(crate) const PATHS: &[&Path] = &[
    &Path { name: "retained-set", unit: "message", turns: 64, units_per_turn: SET_TOGETHER, prepare: set },
    &Path {
        name: "retained-replay-10000",
        unit: "message",
        turns: 1,
        units_per_turn: VALUES,
        prepare: replay,
    },
];

const VALUES: u64 = 10_000;
const SET_TOGETHER: u64 = 16;
const VERSION: Version = Version::V3_1_1;

fn value(number: u64) -> Vec<u8> {
    let publish = message(&format!("lights/{number}/intensity"), Q0, 1);
    encoded(VERSION, &Packet::Publish(Publish { retain: true, ..publish }))
}

/// Values that one client sets again and again, and another follows.
fn set() -> Turn {
    let mut edge = Edge::new();
    let follower = edge.connect(&connect(VERSION, "follower"));
    edge.receive(follower, &subscribe(VERSION, ["lights/+/intensity"], Q0));
    let publisher = edge.connect(&connect(VERSION, "publisher"));
    let bytes: Vec<u8> = (0..SET_TOGETHER).flat_map(value).collect();
    Box::new(move || {
        let delivered = edge.tally().delivered;
        edge.receive(publisher, &bytes);
        edge.tally().delivered - delivered
    })
}

/// Everything to one who subscribes to everything, and takes it back.
fn replay() -> Turn {
    let mut edge = Edge::new();
    let publisher = edge.connect(&connect(VERSION, "publisher"));
    for number in 0..VALUES {
        edge.receive(publisher, &value(number));
    }
    let follower = edge.connect(&connect(VERSION, "follower"));
    let (subscribe, unsubscribe) = (subscribe(VERSION, ["#"], Q0), unsubscribe(VERSION, "#"));
    Box::new(move || {
        let delivered = edge.tally().delivered;
        edge.receive(follower, &subscribe);
        edge.receive(follower, &unsubscribe);
        edge.tally().delivered - delivered
    })
}
