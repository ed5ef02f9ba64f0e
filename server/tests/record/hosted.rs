//! The recorder inside the server: one program that keeps the past, too.

use crate::{
    recorder::Folder,
    support::{Answer, Client, Server, eventually, get, program, run},
};
use luxwire_shared::mqtt::{QoS, Version};
use rustix::process::Signal;
use serde_json::Value;

const TOPIC: &str = "lights/desk/intensity";

fn ask(server: &Server) -> Answer {
    get(server.http, &format!("/api/v1/history?topic={TOPIC}"))
}

/// What the server answers about the topic's past.
fn payloads(server: &Server) -> Option<Vec<String>> {
    let answer = ask(server);
    let json: Value = serde_json::from_slice(&answer.body).ok().filter(|_| answer.status == 200)?;
    let text = |value: &Value| Some(value["payload"].as_str()?.to_owned());
    json["values"].as_array()?.iter().map(text).collect()
}

#[test]
fn one_program_keeps_the_past_across_its_own_restarts() {
    let folder = Folder::new();
    let start = || {
        let mut command = program();
        command.args([
            "serve",
            "--http",
            "127.0.0.1:0",
            "--mqtt",
            "127.0.0.1:0",
            "--set",
            "record.enabled=true",
        ]);
        Server::from({
            command.arg("--data-dir").arg(folder.path("data"));
            command
        })
    };
    let mut server = start();
    eventually("the recorder is there", || (ask(&server).status == 404).then_some(()));
    let mut dimmer = Client::connected(server.mqtt, Version::V5, "dimmer");
    for payload in ["10", "20", "30"] {
        dimmer.publish(TOPIC, payload, QoS::AtMostOnce, true);
    }
    eventually("what came can be asked for", || (payloads(&server)? == ["10", "20", "30"]).then_some(()));
    // It has another name than `luxwire record`, and is found all the same.
    let history = run(&["history", TOPIC, "--csv", "--broker", &format!("mqtt://{}", server.mqtt)]);
    assert_eq!((history.code, history.out.lines().count()), (Some(0), 1 + 3), "{history:?}");
    dimmer.publish(TOPIC, "40", QoS::AtMostOnce, true);
    dimmer.ping();
    server.signal(Signal::TERM);
    assert_eq!(server.ended().code(), Some(0), "{}", server.log());

    let server = start();
    eventually("the last value is there as well", || {
        (payloads(&server)? == ["10", "20", "30", "40"]).then_some(())
    });
}

#[test]
fn without_a_recorder_the_server_says_how_to_get_one() {
    let server = Server::start();
    let answer = ask(&server);
    let problem = answer.json();
    assert_eq!(answer.status, 503);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("luxwire record") && detail.contains("record.enabled"), "{detail}");
    let history = run(&["history", TOPIC, "--broker", &format!("mqtt://{}", server.mqtt)]);
    assert_eq!(history.code, Some(1));
    assert!(history.err.contains("no recorder is at"), "{}", history.err);
}
