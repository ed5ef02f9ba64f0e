//! `serve --demo` as somebody sees it who opens the page: everything moves, in both directions, and nothing stays behind.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod pretend_hub;

#[path = "../support/mod.rs"]
mod support;

use luxwire_shared::mqtt::{PublishTopic, QoS, Version};
use rustix::process::Signal;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{SocketAddr, TcpStream},
    path::Path,
    time::{Duration, Instant},
};
use support::{Client, Server, eventually, get, program};

/// Lights of the hub that somebody in the house touches, and a room that follows from them.
const TOUCHED: [&str; 3] = ["hue-reading-lamp", "hue-shelf", "hue-living-room"];

/// Lights that a dimmer dims, and one that only the person at the page sets.
const DIMMED: [&str; 2] = ["Hallway", "Stairs"];
const YOURS: &str = "Desk";

fn hub_of(server: &Server) -> SocketAddr {
    let line = server.ready.lines().find_map(|line| line.strip_prefix("listening hue-sim "));
    line.expect("it says where the hub's page is").parse().unwrap()
}

#[test]
fn everything_moves_and_nothing_stays() {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("demo-{}", std::process::id()));
    fs::create_dir_all(&home).unwrap();
    let mut command = program();
    command.args(["serve", "--demo", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"]);
    command
        .current_dir(&home)
        .env("HOME", &home)
        .env("TMPDIR", &home)
        .env_remove("XDG_STATE_HOME")
        .env_remove("XDG_CONFIG_HOME");
    let mut server = Server::from(command);
    let hub = hub_of(&server);

    // The dimmers, the lamps, and what others do with the hub.
    let mut watcher = Client::connected(server.mqtt, Version::V5, "watcher");
    watcher.subscribe("lights/#", QoS::AtMostOnce);
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let moved = |seen: &BTreeMap<String, BTreeSet<String>>, light: &str, positions: usize| {
        seen.get(&format!("lights/{light}/intensity")).is_some_and(|seen| seen.len() >= positions)
    };
    let started = Instant::now();
    while !(DIMMED.iter().all(|light| moved(&seen, light, 10))
        && moved(&seen, YOURS, 1)
        && TOUCHED.iter().all(|light| moved(&seen, light, 2)))
    {
        assert!(started.elapsed() < Duration::from_secs(60), "not everything moves: {seen:#?}");
        let message = watcher.message();
        let payload = String::from_utf8(message.payload.to_vec()).unwrap();
        let PublishTopic::Name(topic) = message.topic else { panic!("no alias was allowed") };
        seen.entry(topic.to_string()).or_default().insert(payload);
    }
    for light in DIMMED.into_iter().chain([YOURS]) {
        let lamp = seen.get(&format!("lights/{light}/availability"));
        assert!(lamp.is_some_and(|said| said.contains("online")), "the lamp {light} is not there: {lamp:?}");
    }
    assert_eq!(seen[&format!("lights/{YOURS}/intensity")].len(), 1, "nobody else touches it");

    // What went by was recorded, and the server answers for the recorder.
    eventually("the past can be asked for", || {
        let answer = get(server.http, "/api/v1/history?topic=lights/Hallway/intensity");
        (answer.status == 200 && answer.json()["values"].as_array()?.len() >= 10).then_some(())
    });

    // What somebody sets at the page reaches the hub.
    watcher.publish("lights/hue-sofa-lamp/intensity", "37", QoS::AtMostOnce, true);
    eventually("the bulb follows the slider", || {
        let state = String::from_utf8(get(hub, "/sim/state").body).unwrap();
        let state: serde_json::Value = serde_json::from_str(&state).unwrap();
        let sofa = &state["lights"][0];
        (sofa["name"] == "Sofa lamp" && sofa["percent"].as_f64()?.round() == 37.0).then_some(())
    });
    assert_eq!(get(hub, "/").status, 200, "the hub has a page");

    let asked = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.ended().code(), Some(0), "{}", server.log());
    assert!(asked.elapsed() < Duration::from_secs(5), "it took {:?}", asked.elapsed());
    assert!(TcpStream::connect(hub).is_err(), "the hub ends with the server");
    let left: Vec<_> = fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, Vec::<std::path::PathBuf>::new(), "nothing is kept");
    fs::remove_dir(&home).unwrap();
    assert!(!server.log().contains("goes on without"), "{}", server.log());
}
