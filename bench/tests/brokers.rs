//! `luxwire-bench brokers --quick` from end to end: every cell has figures, and nothing is lost, doubled or out of order.
//! How fast anything is, is not looked at.
//!
//! It measures the finished program (`LUXWIRE_BIN`) beside the relay, and Mosquitto if it is there: `cargo xtask test`
//! names it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_luxwire-bench"));
    command.arg("brokers").args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// The tables of a quick run of these scenarios.
fn measure(scenarios: &str, brokers: &str) -> Vec<Value> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("brokers-{scenarios}-{}.json", std::process::id()));
    let json = file.to_str().unwrap();
    // A machine with one core can do this too.
    let arguments = [
        "--quick",
        "--unpinned",
        "--seconds",
        "0.2",
        "--only",
        scenarios,
        "--brokers",
        brokers,
        "--json",
        json,
    ];
    let Output { status, stderr, .. } = bench(&arguments);
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let report: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    fs::remove_file(&file).unwrap();
    report["tables"].as_array().unwrap().clone()
}

/// Something was measured, and what arrived is what was sent.
fn check(table: &Value, broker: &str) {
    let rows = table["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["broker"] == broker).unwrap_or_else(|| panic!("{table}"));
    assert_eq!(row["failure"], Value::Null, "{}: {row}", table["key"]);
    let figure = table["compared"][0].as_str().unwrap();
    assert!(row["figures"][figure]["median"].as_f64().unwrap() > 0.0, "{}: {row}", table["key"]);
    for fault in ["lost", "duplicates", "reordered", "strange", "gave_up"] {
        let most = &row["figures"][fault]["most"];
        assert!(most.is_null() || *most == 0.0, "{}: {fault} {most}", table["key"]);
    }
}

#[test]
fn everything_flows_through_the_relay_and_through_ours() {
    for table in measure("pair,five,unbatched,fanout-q,topics", "relay,luxwire") {
        check(&table, "relay");
        check(&table, "luxwire");
    }
}

#[test]
fn ours_routes_wildcards_speaks_websocket_and_lets_nobody_be_disturbed_by_those_who_do_not_read() {
    for table in measure("wild,fanout-half,shared,ws,fanin,reluctant,start", "luxwire") {
        check(&table, "luxwire");
    }
}

#[test]
fn retained_and_queued_messages_latency_storms_and_churn_are_measured() {
    for table in
        measure("retained-100k,retained-anew,queued,latency-q1,loaded-latency-q0,storm,churn", "luxwire")
    {
        check(&table, "luxwire");
    }
}

#[test]
fn what_does_not_exist_is_refused_with_what_does() {
    for (arguments, expected) in [
        (["--only", "pigeon"], ["no scenario pigeon", "pair-q0"]),
        (["--brokers", "pigeon"], ["no broker pigeon", "relay"]),
        (["--ours", "/nowhere"], ["no program /nowhere", ""]),
    ] {
        let Output { status, stderr, .. } = bench(&arguments);
        let complaint = String::from_utf8_lossy(&stderr);
        assert_eq!(status.code(), Some(1));
        assert!(expected.iter().all(|words| complaint.contains(words)), "{complaint}");
    }
}
