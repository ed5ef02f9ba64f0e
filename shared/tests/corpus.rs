//! Replays the committed corpus of the fuzz targets, so that whatever they once found stays found without libFuzzer.
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing says so by failing")]

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "public for the fuzz targets")]
mod targets;

use std::{fs, path::Path};

#[test]
fn decode() {
    replay("decode", targets::decode);
}

#[test]
fn framer() {
    replay("framer", targets::framer);
}

#[test]
fn topics() {
    replay("topics", targets::topics);
}

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut inputs: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    // An empty folder would make this test pass for nothing.
    assert!(inputs.len() >= 10, "only {} inputs in {}", inputs.len(), folder.display());
    for input in inputs {
        println!("{}", input.display()); // Shown with the panic's message, if there is one.
        check(&fs::read(input).unwrap());
    }
}
