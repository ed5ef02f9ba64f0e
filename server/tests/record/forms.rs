//! The forms in which a history is printed and exported.

use crate::{
    House,
    recorder::{DESK, Folder, Hand, Recorder},
    support::{self, Finished, program, run, run_command},
};
use luxwire_shared::mqtt::QoS;
use serde_json::Value;
use std::fs;

/// A file with some values, a text and some bytes, whose recorder has ended.
struct Recorded(Folder);

impl Recorded {
    fn new() -> Self {
        let house = House::start();
        let folder = Folder::new();
        let mut hand = Hand::at(house.mqtt());
        hand.sets(0);
        let recorder = Recorder::start(house.mqtt(), &folder, &[]);
        recorder.until(DESK, "0");
        for number in [20, 40] {
            hand.sets(number);
        }
        hand.publishes("lights/desk/say", "on, \"now\"", QoS::AtLeastOnce, false);
        hand.publishes("lights/desk/bytes", vec![0xff_u8, 0], QoS::AtLeastOnce, false);
        recorder.until(DESK, "40");
        support::eventually("the bytes", || (recorder.values("lights/desk/bytes").len() == 1).then_some(()));
        assert_eq!(recorder.stopped(), Some(0));
        Self(folder)
    }

    fn history(&self, topic: &str, flags: &[&str]) -> Finished {
        let file = self.0.file().to_string_lossy().into_owned();
        let mut command = program();
        command.args(["history", topic, "--file", &file]).args(flags).env("TZ", "UTC").env("COLUMNS", "80");
        let finished = run_command(command);
        assert_eq!(finished.code, Some(0), "{}", finished.err);
        finished
    }
}

#[test]
fn each_form_has_every_value() {
    let recorded = Recorded::new();

    let table = recorded.history(DESK, &[]).out;
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(lines[0].starts_with(DESK) && lines[3].contains("  40"), "{table}");

    let csv = recorded.history("#", &["--csv"]).out;
    let rows: Vec<Vec<&str>> = csv.split("\r\n").map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["topic", "set_at", "payload", "payload_base64", "time_from", "seq"]);
    assert_eq!((rows[1][0], rows[1][3]), ("lights/desk/bytes", "/wA="));
    assert!(csv.contains(",\"on, \"\"now\"\"\",,"), "{csv}");
    assert_eq!(rows.len(), 1 + 5 + 1, "a header, five values, and the end of the last line");

    let json = recorded.history(DESK, &["--json"]).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    let payloads: Vec<_> = json["values"].as_array().unwrap().iter().map(|value| &value["payload"]).collect();
    assert_eq!(payloads, ["0", "20", "40"]);

    let influx = recorded.history("#", &["--influx"]).out;
    assert!(influx.contains("luxwire,topic=lights/desk/intensity value=40 "), "{influx}");
    assert!(influx.contains("luxwire,topic=lights/desk/say text=\"on, \\\"now\\\"\" "), "{influx}");
    assert!(influx.contains("luxwire,topic=lights/desk/bytes base64=\"/wA=\" "), "{influx}");
    let path = recorded.0.path("lines").to_string_lossy().into_owned();
    recorded.history("#", &["--influx", &path]);
    assert_eq!(fs::read_to_string(&path).unwrap(), influx);

    let path = recorded.0.path("values.parquet").to_string_lossy().into_owned();
    recorded.history("#", &["--parquet", &path]);
    let parquet = fs::read(&path).unwrap();
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
}

#[test]
fn steps_come_in_each_form() {
    let recorded = Recorded::new();
    let json = recorded.history(DESK, &["--json", "--step", "1d", "--from", "-1h"]).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    let steps = json["steps"].as_array().unwrap();
    let counts: i64 = steps.iter().map(|step| step["count"].as_i64().unwrap()).sum();
    let last = steps.last().unwrap();
    assert_eq!((counts, last["last"].as_f64(), last["max"].as_f64()), (3, Some(40.0), Some(40.0)));

    let csv = recorded.history(DESK, &["--csv", "--step", "1d", "--from", "-1h"]).out;
    assert!(csv.starts_with("topic,from,count,min,max,mean,last\r\n"), "{csv}");
    let table = recorded.history(DESK, &["--step", "1d", "--from", "-1h"]).out;
    assert!(table.lines().nth(1).unwrap().ends_with("last"), "{table}");
    let influx = recorded.history(DESK, &["--influx", "--step", "1d", "--from", "-1h"]).out;
    assert!(influx.contains("i,min=") && influx.contains(",max=40,"), "{influx}");
    let path = recorded.0.path("steps.parquet").to_string_lossy().into_owned();
    recorded.history(DESK, &["--parquet", &path, "--step", "1d", "--from", "-1h"]);
    assert!(fs::read(&path).unwrap().ends_with(b"PAR1"));
}

#[test]
fn a_plot_fits_its_width() {
    let recorded = Recorded::new();
    let plot = recorded.history(DESK, &["--plot", "--from", "-1h"]).out;
    assert!(plot.lines().all(|line| line.chars().count() <= 80), "{plot}");
    assert!(plot.contains('█') && plot.contains("40 ┤"), "{plot}");
}

#[test]
fn what_is_long_is_printed_whole() {
    let house = House::start();
    let folder = Folder::new();
    let mut hand = Hand::at(house.mqtt());
    hand.sets("first");
    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    recorder.until(DESK, "first");
    // Beyond what one answer may have, in values and in bytes.
    let text = "x".repeat(200_000);
    for number in 0..20 {
        hand.sets(format!("{number}{text}"));
    }
    recorder.until(DESK, &format!("19{text}"));
    let broker = format!("mqtt://{}", house.mqtt());
    let found = run(&["history", DESK, "--broker", &broker, "--json"]);
    assert_eq!(found.code, Some(0), "{}", found.err);
    let json: Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!(json["values"].as_array().unwrap().len(), 21);
}
