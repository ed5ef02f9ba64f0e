//! What becomes visible of what is published: lines, objects, fades, and what is no level.

use crate::{
    lamp::{Hand, Lamp},
    support::{Client, Finished, Server},
};
use luxwire_shared::mqtt::Version;
use rustix::process::Signal;
use serde_json::Value;

fn start(arguments: &[&str]) -> (Server, Hand, Lamp) {
    let server = Server::start();
    let mut hand = Hand::of(Client::connected(server.mqtt, Version::V5, "hand"));
    hand.dim("desk", "50");
    let lamp = Lamp::start(&format!("mqtt://{}", server.mqtt), "desk", arguments);
    (server, hand, lamp)
}

fn percent(line: &str) -> f64 {
    line.parse().unwrap()
}

#[test]
fn a_payload_that_is_no_percentage_changes_nothing_and_is_reported() {
    let (_server, mut hand, lamp) = start(&[]);
    assert_eq!(lamp.line(), "50");
    let rows = [
        ("forty", r#"ignored "forty" on lights/desk/intensity: not a number"#),
        ("100.01", r#"ignored "100.01" on lights/desk/intensity: outside 0 to 100"#),
        ("-1", r#"ignored "-1""#),
        ("4.125", "more than two decimals"),
        ("\u{1b}[2J", r#"ignored "\x1b[2J""#),
    ];
    for (payload, reported) in rows {
        hand.dim("desk", payload);
        lamp.logged(&[reported]);
    }
    hand.dim("desk", "7".repeat(100_000));
    let report = lamp.logged(&["(100000 bytes)"]);
    assert!(report.len() < 200, "{report}");
    hand.dim("desk", "51");
    assert_eq!(lamp.line(), "51");
}

#[test]
fn a_cleared_level_keeps_the_light() {
    let (_server, mut hand, lamp) = start(&[]);
    assert_eq!(lamp.line(), "50");
    hand.dim("desk", "");
    lamp.logged(&["lights/desk/intensity was cleared"]);
    hand.dim("desk", "50");
    hand.dim("desk", "49");
    assert_eq!(lamp.line(), "49");
}

#[test]
fn an_object_says_when() {
    let (_server, mut hand, lamp) = start(&["--json", "--bits", "8"]);
    let first: Value = serde_json::from_str(&lamp.line()).unwrap();
    assert_eq!((&first["intensity"], &first["duty"], &first["top"]), (&50.into(), &47.into(), &255.into()));
    hand.dim("desk", "0.25");
    let second: Value = serde_json::from_str(&lamp.line()).unwrap();
    assert_eq!((&second["intensity"], &second["duty"]), (&0.25.into(), &1.into()));
    let at = |object: &Value| object["at_ms"].as_u64().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    assert!(at(&first) <= at(&second) && u128::from(at(&second)) <= now);
    assert!(u128::from(at(&first)) > now - 600_000);
}

#[test]
fn a_fade_passes_through_what_lies_between() {
    let (_server, mut hand, lamp) = start(&["--fade", "1s"]);
    assert_eq!(lamp.line(), "50", "what the broker kept is there at once");
    hand.dim("desk", "100");
    let lines = lamp.until("100");
    assert!(lines.len() > 2, "{lines:?}");
    let levels: Vec<_> = lines.iter().map(|line| percent(line)).collect();
    assert!(levels.is_sorted() && levels[0] > 50.0, "{lines:?}");
}

#[test]
fn a_change_of_mind_in_mid_fade_turns_where_the_light_is() {
    let (_server, mut hand, lamp) = start(&["--fade", "60s"]);
    assert_eq!(lamp.line(), "50");
    hand.dim("desk", "100");
    let on_the_way = percent(&lamp.line());
    assert!(on_the_way > 50.0 && on_the_way < 80.0, "{on_the_way}");
    hand.dim("desk", "10");
    let mut before = on_the_way;
    let turned = loop {
        let level = percent(&lamp.line());
        if level < before {
            break level;
        }
        before = level;
    };
    assert!(before - turned < 20.0, "from {before} to {turned} is a jump");
    let Finished { code, out, .. } = lamp.stop();
    assert_eq!(code, Some(0));
    assert_eq!(out.lines().last(), Some("10"), "it is not left half-way");
}

#[test]
fn it_ends_when_nobody_reads_its_lines() {
    let (server, mut hand, _lamp) = start(&[]);
    let address = format!("mqtt://{}", server.mqtt);
    hand.follow("lights/hall/availability");
    let mut shell = std::process::Command::new("/bin/sh");
    let program = crate::support::program();
    shell
        .args(["-c", r#""$0" lamp hall --broker "$1" | head -n 1"#])
        .arg(program.get_program())
        .arg(&address);
    let pipeline = Lamp::from(shell);
    hand.hear_that("lights/hall/availability", "online");
    hand.dim("hall", "1");
    assert_eq!(pipeline.line(), "1");
    let mut level = 2;
    let log = loop {
        if pipeline.log().contains("nobody reads standard output any more") {
            break pipeline.ended();
        }
        hand.dim("hall", level.to_string());
        level = if level == 99 { 2 } else { level + 1 };
    };
    assert_eq!(log.code, Some(0));
    hand.hear_that("lights/hall/availability", "offline");
}

#[test]
fn a_reader_that_stalls_delays_nothing_and_gets_the_last_level() {
    let server = Server::start();
    let mut hand = Hand::of(Client::connected(server.mqtt, Version::V5, "hand"));
    let mut command = crate::support::program();
    command.args(["lamp", "desk", "--broker", &format!("mqtt://{}", server.mqtt), "--json"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    hand.follow("lights/desk/availability");
    hand.hear_that("lights/desk/availability", "online");
    // Far more than a pipe and the queue hold.
    for round in 0..4_000_u32 {
        hand.publish("lights/desk/intensity", (round % 100).to_string(), false);
    }
    // The lamp still answers: it hears that Home Assistant has started.
    hand.follow("homeassistant/light/+/config");
    hand.hear("homeassistant/light/luxwire_desk/config");
    hand.publish("homeassistant/status", "online", false);
    hand.hear("homeassistant/light/luxwire_desk/config");
    let out = std::io::BufReader::new(child.stdout.take().unwrap());
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).unwrap();
    let last = std::io::BufRead::lines(out).map_while(Result::ok).last().unwrap();
    assert!(last.contains(r#""intensity":99"#), "{last}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
