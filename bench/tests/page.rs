//! `luxwire-bench page --quick` from end to end: what the pages say over their WebSockets follows from MQTT by arithmetic, and
//! each figure is there. Times and memory are not looked at.
//!
//! It needs the finished program with the page in it (`LUXWIRE_BIN`), npm's packages and a Chromium (`LUXWIRE_CHROMIUM`):
//! `cargo xtask test` names it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

const TOPIC: f64 = "lights/Desk/intensity".len() as f64;
const PAYLOAD: f64 = 2.0;

/// A WebSocket frame's header, and what a browser adds to its own.
const FRAME: f64 = 2.0;
const MASK: f64 = 4.0;

/// Fixed header, and the length of the topic.
const PUBLISH: f64 = 2.0 + 2.0;
/// Properties of MQTT 5: their length, and an alias.
const PROPERTIES: f64 = 1.0;
const ALIAS: f64 = 3.0;
const PACKET_ID: f64 = 2.0;
/// The same in MQTT 3.1.1 and, where all went well, in 5.
const PUBACK: f64 = 4.0;

#[test]
fn what_goes_through_the_websockets_follows_from_mqtt() {
    let report = quick();
    let figure = |name: &str, page: &str| median(&report, name, page);
    for page in ["luxwire", "mqtt_js"] {
        let values = figure("values that are sent", page);
        // At most one each 100 ms, and the released one; a machine that is busy sends fewer.
        assert!((3.0..=23.0).contains(&values), "{values} values");
        // Each comes back and goes on; the last is acknowledged by the broker, and by both pages.
        assert_eq!(figure("the page that drags: frames sent", page), values + 1.0);
        assert_eq!(figure("the page that drags: frames received", page), values + 1.0);
        assert_eq!(figure("the page that follows: frames received", page), values);
        assert_eq!(figure("the page that follows: frames sent", page), 1.0);
        assert_eq!(figure("the page that follows: bytes sent", page), FRAME + MASK + PUBACK);

        let passing = values - 1.0;
        let (sent, received) = if page == "luxwire" {
            // The first introduces a number, which stands for the topic from there on. The last, which may be repeated on
            // another connection, has the name on its way out.
            let numbered = passing * (PUBLISH + PROPERTIES + ALIAS + PAYLOAD) + TOPIC;
            let named_last = PUBLISH + TOPIC + PROPERTIES + PACKET_ID + PAYLOAD;
            let numbered_last = PUBLISH + PROPERTIES + ALIAS + PACKET_ID + PAYLOAD;
            // The broker introduced its number with the value that was kept.
            (numbered + named_last, numbered - TOPIC + numbered_last)
        } else {
            let all = values * (PUBLISH + TOPIC + PAYLOAD) + PACKET_ID;
            (all, all)
        };
        let sent = sent + values * (FRAME + MASK) + FRAME + MASK + PUBACK;
        let followed = received + values * FRAME;
        assert_eq!(figure("the page that drags: bytes sent", page), sent, "{page}, {values} values");
        assert_eq!(figure("the page that drags: bytes received", page), followed + FRAME + PUBACK, "{page}");
        assert_eq!(figure("the page that follows: bytes received", page), followed, "{page}");
    }

    for table in report["tables"].as_array().unwrap() {
        for row in table["rows"].as_array().unwrap() {
            // There may be no WebAssembly, and not every system says what a process takes.
            let name = row["name"].as_str().unwrap();
            let may_lack = name.contains("WebAssembly") || name.contains("process");
            assert!(
                may_lack || row["mqtt_js"]["median"].as_f64().is_some_and(|figure| figure > 0.0),
                "{row}"
            );
            assert!(
                may_lack || row["luxwire"]["median"].as_f64().is_some_and(|figure| figure > 0.0),
                "{row}"
            );
        }
    }
    assert!(median(&report, "loaded: memory of WebAssembly", "luxwire") > 0.0);
    assert_eq!(median(&report, "requests", "mqtt_js"), 3.0);
}

fn median(report: &Value, name: &str, page: &str) -> f64 {
    let tables = report["tables"].as_array().unwrap();
    let mut rows = tables.iter().flat_map(|table| table["rows"].as_array().unwrap());
    let row = rows.find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name} is missing"));
    row[page]["median"].as_f64().unwrap_or_else(|| panic!("{name} has no figure: {row}"))
}

fn quick() -> Value {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("page-{}.json", std::process::id()));
    let mut bench = Command::new(env!("CARGO_BIN_EXE_luxwire-bench"));
    bench.args(["page", "--quick", "--json"]).arg(&file).stdin(Stdio::null());
    let output = bench.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    fs::remove_file(&file).unwrap();
    report
}
