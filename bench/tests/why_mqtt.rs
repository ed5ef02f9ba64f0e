//! `luxwire-bench why-mqtt --quick` from end to end: what it counts must be what follows from the protocols by
//! arithmetic. Times are not looked at.
//!
//! It needs the finished program (`LUXWIRE_BIN`), and a kernel that gives it a network of its own: `cargo xtask test`
//! names it. Where the kernel refuses, it says so and tests only that nothing was measured.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

/// IPv4 and TCP with timestamps, the one option of a connection that is established.
const HEADERS: f64 = 20.0 + 20.0 + 12.0;

const TOPIC: f64 = "lights/desk/intensity".len() as f64;
const PAYLOAD: f64 = 2.0;

/// A PUBLISH of 3.1.1 at QoS 0: fixed header, length and text of the topic, payload.
const PUBLISH: f64 = 2.0 + 2.0 + TOPIC + PAYLOAD;

fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_luxwire-bench"));
    command.arg("why-mqtt").args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// The report, or `None` if there can be none on this machine.
fn quick() -> Option<Value> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("why-mqtt-{}.json", std::process::id()));
    let Output { status, stdout, stderr } = bench(&["--quick", "--json", file.to_str().unwrap()]);
    let complaint = String::from_utf8_lossy(&stderr);
    if !status.success() && complaint.contains("this system refuses one") {
        assert!(stdout.is_empty(), "figures without a network of their own");
        assert_eq!(status.code(), Some(1));
        eprintln!("skipped: {complaint}");
        return None;
    }
    assert!(status.success(), "{complaint}");
    let json = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    Some(serde_json::from_slice(&json).unwrap())
}

fn row<'a>(report: &'a Value, key: &str) -> &'a Value {
    let rows = report["rows"].as_array().unwrap();
    rows.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("{key} is missing"))
}

fn median(cost: &Value, part: &str) -> f64 {
    cost[part]["median"].as_f64().unwrap_or_else(|| panic!("{part} is missing in {cost}"))
}

/// The cost of a change to so many.
fn change<'a>(report: &'a Value, key: &str, followers: u64) -> &'a Value {
    let changes = row(report, key)["changes"].as_array().unwrap();
    &changes.iter().find(|change| change["followers"] == followers).unwrap()["cost"]
}

/// Acknowledgements may be held back until they travel with something else, or not.
#[track_caller]
fn assert_about(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= expected * tolerance, "{found} instead of {expected}");
}

#[test]
fn what_is_counted_follows_from_the_protocols() {
    let Some(report) = quick() else { return };

    // A change is one PUBLISH in and one out for each follower, each with its acknowledgement by TCP.
    for followers in [1_u64, 50] {
        let deliveries = followers as f64 + 1.0;
        let mqtt = change(&report, "mqtt-3.1.1", followers);
        assert_eq!(median(mqtt, "above_tcp"), deliveries * PUBLISH, "to {followers}");
        assert_about(median(mqtt, "packets"), deliveries * 2.0, 0.05);
        assert_about(median(mqtt, "bytes"), deliveries * (PUBLISH + 2.0 * HEADERS), 0.05);

        // MQTT 5 adds the length of its properties, a zero.
        let mqtt = change(&report, "mqtt-5", followers);
        assert_eq!(median(mqtt, "above_tcp"), deliveries * (PUBLISH + 1.0), "to {followers}");

        // A bare WebSocket: two bytes of header, and four of mask from client to server.
        let websocket = change(&report, "websocket", followers);
        assert_eq!(median(websocket, "above_tcp"), deliveries * (2.0 + PAYLOAD) + 4.0, "to {followers}");
    }

    // Every byte of an established connection is the programs', or in a header of 52 bytes.
    for key in ["poll", "events", "websocket", "mqtt-websocket", "mqtt-3.1.1", "mqtt-5", "mqtt-5-qos-1"] {
        let cost = change(&report, key, 1);
        let expected = median(cost, "above_tcp") + HEADERS * median(cost, "packets");
        assert_about(median(cost, "bytes"), expected, 0.001);
    }

    // Waiting: for TCP, for CONNACK, and for the value; who hurries waits once less.
    assert_eq!(median(&row(&report, "mqtt-5")["joining"], "round_trips"), 3.0);
    assert_eq!(median(&row(&report, "mqtt-5-hurried")["joining"], "round_trips"), 2.0);
    // PINGREQ and PINGRESP have two bytes each.
    assert_eq!(median(&row(&report, "mqtt-5")["silence"]["cost"], "above_tcp"), 4.0);

    // Nobody but those who ask now and then misses a value.
    for row in report["rows"].as_array().unwrap() {
        for change in row["changes"].as_array().unwrap() {
            let asks = row["key"].as_str().unwrap().starts_with("poll");
            assert!(asks || change["seen"] == 1.0, "{}: {}", row["key"], change["seen"]);
        }
    }
}

#[test]
fn a_row_that_does_not_exist_is_refused_with_those_that_do() {
    let Output { status, stderr, .. } = bench(&["--only", "pigeon"]);
    let complaint = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(1));
    assert!(complaint.contains("no row pigeon") && complaint.contains("mqtt-5"), "{complaint}");
}
