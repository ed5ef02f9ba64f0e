//! Who gets a message, among few filters and among many: the two counts should be about the same.

use crate::{
    Path, Turn,
    bytes_of::{Q0, connect, publishes, subscribe},
    edge::Edge,
};
use luxwire_shared::mqtt::Version;

pub(crate) const PATHS: &[&Path] =
    &[&path("wildcards-100", || among(100)), &path("wildcards-100000", || among(100_000))];

const fn path(name: &'static str, prepare: fn() -> Turn) -> Path {
    Path { name, unit: "message", turns: 64, units_per_turn: MESSAGES, prepare }
}

/// Messages in a turn, each to another topic.
const MESSAGES: u64 = 16;

const SUBSCRIBERS: u64 = 10;
const FILTERS_IN_A_PACKET: usize = 100;
const VERSION: Version = Version::V3_1_1;

/// Each filter has a wildcard, every other one at its front; each message has one receiver.
fn among(filters: u64) -> Turn {
    let mut edge = Edge::new();
    for subscriber in 0..SUBSCRIBERS {
        let link = edge.connect(&connect(VERSION, &format!("subscriber-{subscriber}")));
        let numbers = (0..filters).filter(|number| number % SUBSCRIBERS == subscriber);
        let names: Vec<String> = numbers.map(filter).collect();
        for names in names.chunks(FILTERS_IN_A_PACKET) {
            edge.receive(link, &subscribe(VERSION, names.iter().map(String::as_str), Q0));
        }
    }
    let publisher = edge.connect(&connect(VERSION, "publisher"));
    // Spread evenly over all filters, both kinds.
    let numbers = (0..MESSAGES).map(|at| at * (filters / MESSAGES) + at % 2);
    let bytes: Vec<u8> = numbers.flat_map(|number| publishes(VERSION, &topic(number), Q0, 1)).collect();
    Box::new(move || {
        let delivered = edge.tally().delivered;
        edge.receive(publisher, &bytes);
        edge.tally().delivered - delivered
    })
}

fn filter(number: u64) -> String {
    if number.is_multiple_of(2) { format!("house/{number}/+/intensity") } else { format!("+/{number}/#") }
}

fn topic(number: u64) -> String {
    format!("house/{number}/kitchen/intensity")
}
