//! A client that comes, subscribes and goes, while others stay.

use crate::{
    Path, Turn,
    bytes_of::{Q1, connect, disconnect, subscribe},
    edge::Edge,
};
use luxwire_shared::mqtt::Version;

pub(crate) const PATHS: &[&Path] = &[&Path {
    name: "connect-subscribe-disconnect",
    unit: "client",
    turns: 64,
    units_per_turn: 4,
    prepare: come_and_go,
}];

const OTHERS: u64 = 100;
const VERSION: Version = Version::V3_1_1;

fn come_and_go() -> Turn {
    let mut edge = Edge::new();
    for number in 0..OTHERS {
        let other = edge.connect(&connect(VERSION, &format!("other-{number}")));
        edge.receive(other, &subscribe(VERSION, [&*format!("lights/{number}/#")], Q1));
    }
    let connects: Vec<Vec<u8>> =
        (0..4).map(|number| connect(VERSION, &format!("visitor-{number}"))).collect();
    let subscribe = subscribe(VERSION, ["lights/kitchen/+", "lights/+/intensity/set"], Q1);
    let disconnect = disconnect(VERSION);
    Box::new(move || {
        let closed = edge.tally().closed;
        for connect in &connects {
            let link = edge.connect(connect);
            edge.receive(link, &subscribe);
            edge.receive(link, &disconnect);
            edge.closed(link);
        }
        edge.tally().closed - closed
    })
}
