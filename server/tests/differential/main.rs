//! The same packets, made up from a seed, legal ones and others, to Luxwire and to Mosquitto: what both answer is the same,
//! or the table in `known` says who is right.
//!
//! Three clients take part in each sequence. After every step all of them hear everything that the brokers have to say, which
//! a PINGREQ of each makes certain; so no answer depends on time. `docs/interop.md` shows the table to people.
//!
//! `LUXWIRE_SEED` names the seed of the first sequence; the next sequence has the next number, so that the number which a
//! failure prints repeats it alone. `cargo xtask test` says in the environment where Mosquitto is; this program runs only
//! when it is named (`cargo test -p luxwire --test differential`).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod answers;
mod document;
mod known;
mod mosquitto;
mod packets;
mod peer;
mod random;
mod sequence;

#[path = "../support/mod.rs"]
mod support;

use crate::{
    known::KNOWN, mosquitto::Mosquitto, peer::Peer, random::Random, sequence::Ending, support::Server,
};
use std::env;

/// Enough for every row of the table, several times.
const SEQUENCES: u64 = 1500;

/// Where it starts when nobody says otherwise: what runs every day should be the same every day.
const SEED: u64 = 1;

#[test]
fn both_brokers_answer_alike() {
    let asked: Option<u64> = env::var("LUXWIRE_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let first = asked.unwrap_or(SEED);
    println!("LUXWIRE_SEED={first}, {SEQUENCES} sequences");
    let server = Server::with(&[&format!("limits.topic_alias_maximum={}", packets::ALIASES)]);
    let mosquitto = Mosquitto::start();
    let (mut ours, mut theirs) = (Peer::new(server.mqtt), Peer::new(mosquitto.address));
    let mut met = vec![0; KNOWN.len()];
    let (mut whole, mut steps) = (0, 0);
    let mut unknown = Vec::new();
    for seed in first..first + SEQUENCES {
        let played = sequence::play(&mut Random::new(seed), &mut ours, &mut theirs);
        for row in played.met {
            met[row] += 1;
        }
        steps += played.steps;
        match played.ending {
            Ending::Whole => whole += 1,
            Ending::Known => {}
            Ending::Unknown(story) => unknown.push(format!("LUXWIRE_SEED={seed}\n{story}")),
        }
        if unknown.len() == FAILURES {
            break;
        }
    }
    // A failure's message is not to be searched for in the server's log.
    drop(server);
    println!("{steps} steps; {whole} sequences to their end, the others to a known difference");
    println!(
        "{} messages with an alias alone from Luxwire, {} from Mosquitto",
        ours.shortened, theirs.shortened
    );
    for (row, count) in KNOWN.iter().zip(&met) {
        println!("{count:6} times: {}", row.what);
    }
    assert!(unknown.is_empty(), "differences that the table does not know:\n\n{}", unknown.join("\n\n"));
    if asked.is_none() {
        let superfluous: Vec<_> =
            KNOWN.iter().zip(met).filter(|(_, count)| *count == 0).map(|(row, _)| row.what).collect();
        assert!(ours.shortened > 0, "no client has taken an alias");
        assert!(superfluous.is_empty(), "rows of the table that nothing shows: {superfluous:#?}");
    }
}

/// After so many there is enough to think about.
const FAILURES: usize = 12;
