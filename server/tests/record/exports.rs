//! Exports in the hands of other people's programs: hyparquet from npm, and InfluxData's own reader of lines.

use crate::{
    House,
    recorder::{DESK, Folder, Hand, Recorder},
    support::{eventually, run},
};
use influxdb_line_protocol::{FieldValue, parse_lines};
use luxwire_shared::mqtt::QoS;
use serde_json::{Value, json};
use std::{
    env,
    path::Path,
    process::{Command, Stdio},
};

const ODD: &str = "lights/a b,c=d/\"e\"";

/// A file with numbers, texts, bytes, and a topic that needs to be escaped.
fn recorded() -> Folder {
    let house = House::start();
    let folder = Folder::new();
    let mut hand = Hand::at(house.mqtt());
    hand.sets(0);
    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    recorder.until(DESK, "0");
    hand.sets("12.5");
    hand.sets("say \"on\" \\ now,\nplease");
    hand.publishes("lights/bytes", vec![0xff_u8, 0], QoS::AtLeastOnce, false);
    hand.publishes(ODD, "1", QoS::AtLeastOnce, false);
    eventually("the last", || {
        (recorder.payloads(&ODD.replace(' ', "%20").replace('"', "%22")) == ["1"]).then_some(())
    });
    assert_eq!(recorder.stopped(), Some(0));
    folder
}

fn history(folder: &Folder, topic: &str, flags: &[&str]) -> String {
    let file = folder.file().to_string_lossy().into_owned();
    let finished = run(&[&["history", topic, "--file", &file], flags].concat());
    assert_eq!(finished.code, Some(0), "{}", finished.err);
    finished.out
}

/// What hyparquet reads.
fn read(path: &Path) -> Value {
    let modules = env::var_os("LUXWIRE_NODE_MODULES").unwrap_or_else(|| {
        panic!("hyparquet is needed, and LUXWIRE_NODE_MODULES does not say where it is: run `cargo xtask test`, which installs it")
    });
    let mut node = Command::new(env::var_os("LUXWIRE_NODE").unwrap_or_else(|| "node".into()));
    node.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/record/parquet.mjs")).arg(path);
    let output = node.env("LUXWIRE_NODE_MODULES", modules).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "hyparquet does not read it");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn values_are_read_from_a_parquet_file() {
    let folder = recorded();
    let path = folder.path("values.parquet");
    history(&folder, "#", &["--parquet", &path.to_string_lossy()]);
    let read = read(&path);
    let columns = json!([
        ["topic", "BYTE_ARRAY", "STRING", "REQUIRED"],
        ["set_at", "INT64", "TIMESTAMP", "REQUIRED"],
        ["payload", "BYTE_ARRAY", "STRING", "OPTIONAL"],
        ["payload_bytes", "BYTE_ARRAY", null, "OPTIONAL"],
        ["number", "DOUBLE", null, "OPTIONAL"],
        ["time_from", "BYTE_ARRAY", "STRING", "REQUIRED"],
        ["seq", "INT64", null, "REQUIRED"],
    ]);
    assert_eq!(read["columns"], columns);
    let from_json = history(&folder, DESK, &["--json"]);
    let from_json: Value = serde_json::from_str(&from_json).unwrap();
    let rows = read["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 5);
    let of = |topic: &str| rows.iter().filter(|row| row["topic"] == topic).collect::<Vec<_>>();
    for (row, value) in of(DESK).iter().zip(from_json["values"].as_array().unwrap()) {
        for name in ["set_at", "payload", "time_from", "seq"] {
            assert_eq!(row[name], value[name]);
        }
    }
    let numbers: Vec<_> = of(DESK).iter().map(|row| row["number"].as_f64()).collect();
    assert_eq!(numbers, [Some(0.0), Some(12.5), None]);
    let bytes = of("lights/bytes")[0];
    assert_eq!((&bytes["payload_bytes"], bytes["payload"].as_str()), (&json!([255, 0]), None));
    assert_eq!(of(ODD).len(), 1);
}

#[test]
fn steps_are_read_from_a_parquet_file() {
    let folder = recorded();
    let path = folder.path("steps.parquet");
    history(&folder, DESK, &["--parquet", &path.to_string_lossy(), "--step", "1d", "--from", "-1h"]);
    let read = read(&path);
    let rows = read["rows"].as_array().unwrap();
    let count: i64 = rows.iter().map(|row| row["count"].as_i64().unwrap()).sum();
    assert_eq!((count, rows.last().unwrap()["max"].as_f64()), (2, Some(12.5)));
    assert_eq!(read["columns"][1], json!(["from", "INT64", "TIMESTAMP", "REQUIRED"]));
}

#[test]
fn lines_are_read_by_influxdata() {
    let folder = recorded();
    let text = history(&folder, "#", &["--influx"]);
    let lines: Vec<_> = parse_lines(&text).collect::<Result<_, _>>().unwrap();
    assert_eq!(lines.len(), 5, "{text}");
    let field = |topic: &str, name: &str| {
        let of_topic = lines.iter().filter(|line| line.tag_value("topic").is_some_and(|tag| *tag == topic));
        of_topic.filter_map(|line| line.field_value(name).cloned()).collect::<Vec<_>>()
    };
    assert_eq!(field(DESK, "value"), [FieldValue::F64(0.0), FieldValue::F64(12.5)]);
    let FieldValue::String(said) = &field(DESK, "text")[0] else { panic!("no text") };
    assert_eq!(said.as_str(), "say \"on\" \\ now,\nplease");
    assert_eq!(field("lights/bytes", "base64").len(), 1);
    assert_eq!(field(ODD, "value"), [FieldValue::F64(1.0)]);
    let from_json: Value = serde_json::from_str(&history(&folder, ODD, &["--json"])).unwrap();
    let line = lines.iter().find(|line| line.tag_value("topic").is_some_and(|tag| *tag == ODD)).unwrap();
    let millis = line.timestamp.unwrap() / 1_000_000;
    let set_at = from_json["values"][0]["set_at"].as_str().unwrap();
    assert!(set_at.ends_with(&format!(".{:03}Z", millis % 1_000)), "{set_at} {millis}");
}
