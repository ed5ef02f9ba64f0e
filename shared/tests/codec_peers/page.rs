//! `docs/codec-differences.md`: the table of known differences, for people. The test sees to it that the page says what
//! the table says; to write the page anew, run `cargo test -p luxwire-shared --test codec_peers -- --ignored`.

use crate::{
    Peer,
    known::{KNOWN, Known, Right},
};
use luxwire_shared::mqtt::Version;
use std::{fs, path::PathBuf};

#[test]
fn the_page_says_what_the_table_says() {
    let page = fs::read_to_string(path()).unwrap();
    assert!(page == rendered(), "docs/codec-differences.md is not what the table says: write it anew");
}

#[test]
#[ignore = "writes the page"]
fn write_the_page() {
    fs::write(path(), rendered()).unwrap();
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/codec-differences.md")
}

fn rendered() -> String {
    let rows = KNOWN.iter().map(|Known { peers, what, right, example: (version, notation), .. }| {
        let peers: Vec<&str> = peers.iter().map(|peer| name(*peer)).collect();
        let (who, why) = match right {
            Right::We(why) => ("Luxwire", why),
            Right::Both(why) => ("both", why),
        };
        let version = match version {
            Version::V3_1 => "3.1",
            Version::V3_1_1 => "3.1.1",
            Version::V5 => "5.0",
        };
        format!("| {} | {what} | {who}: {why} | {version} | `{notation}` |\n", peers.join(", "))
    });
    format!("{INTRODUCTION}{}", rows.collect::<String>())
}

const fn name(peer: Peer) -> &'static str {
    match peer {
        Peer::Mqttbytes => "mqttbytes 0.6",
        Peer::RmqttCodec => "rmqtt-codec 0.3",
        Peer::MqttProtocolCore => "mqtt-protocol-core 0.7",
    }
}

const INTRODUCTION: &str = "\
# Where Luxwire's codec and others differ

The tests in `shared/tests/codec_peers` run our codec beside three others, on valid packets of each type and version and
on mutated ones. These are all the differences they find; a difference that is not in the table fails the tests, and so
does a row that is not needed. Statements and sections are those of MQTT 5.0 unless another version is named. This page is
written from the table in `shared/tests/codec_peers/known.rs`.

| Codec | What it does otherwise | Who is right, and why | Version | A packet that shows it |
|-|-|-|-|-|
";
