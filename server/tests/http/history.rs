//! The past, asked of a recorder. Here a script plays the recorder: an MQTT client that answers as its test wants.

use crate::{
    ask, check_problem,
    support::{Answer, Client, Server},
};
use luxwire_shared::mqtt::{Delivery, Packet, Publish, PublishProperties, QoS, Text, TopicName, Version};
use serde_json::{Value, json};
use std::thread;

/// Says that it is a recorder.
fn recorder(server: &Server, service: &str, status: Value) -> Client {
    let mut recorder = Client::connected(server.mqtt, Version::V5, service);
    recorder.subscribe(&format!("luxwire/record/{service}/request"), QoS::AtLeastOnce);
    recorder.publish(&format!("luxwire/record/{service}/status"), status.to_string(), QoS::AtLeastOnce, true);
    recorder
}

/// Takes one request and answers it; what was asked.
fn answer(recorder: &mut Client, content_type: &'static str, body: &str) -> Value {
    let request = recorder.message();
    if let Delivery::AtLeastOnce { id, .. } = request.delivery {
        recorder.send(&Packet::Puback(luxwire_shared::mqtt::Acknowledge::success(id)));
    }
    let properties = request.properties.unwrap();
    let reply = Publish {
        properties: Some(Box::new(PublishProperties {
            correlation_data: properties.correlation_data.clone(),
            content_type: Some(Text::from_static(content_type)),
            ..PublishProperties::default()
        })),
        ..Publish::new(properties.response_topic.unwrap(), body.to_owned())
    };
    recorder.send(&Packet::Publish(reply));
    serde_json::from_slice(&request.payload).unwrap()
}

fn history(server: &Server, query: &str) -> Answer {
    ask(server, "GET", &format!("/api/v1/history{query}"), &[], b"")
}

/// Asks while `recorder` answers; what the client got and what the recorder was asked.
fn exchange(
    server: &Server,
    recorder: &mut Client,
    query: &str,
    content_type: &'static str,
    body: &str,
) -> (Answer, Value) {
    thread::scope(|scope| {
        let asking = scope.spawn(|| history(server, query));
        let asked = answer(recorder, content_type, body);
        (asking.join().unwrap(), asked)
    })
}

#[test]
fn without_a_recorder_the_mend_is_named() {
    let server = Server::start();
    check_problem(&history(&server, "?topic=a"), 503, "luxwire record");
    let mut gone = recorder(&server, "gone", json!({ "state": "offline" }));
    check_problem(&history(&server, "?topic=a"), 503, "luxwire record");
    gone.publish("luxwire/record/odd/status", "no JSON", QoS::AtLeastOnce, true);
    check_problem(&history(&server, "?topic=a"), 503, "luxwire record");
    // It says so, and nobody listens.
    gone.publish("luxwire/record/deaf/status", r#"{"state":"online"}"#, QoS::AtLeastOnce, true);
    check_problem(&history(&server, "?topic=a"), 503, "deaf");
}

#[test]
fn a_question_is_passed_on_and_the_answer_comes_back() {
    let server = Server::start();
    let mut recorder = recorder(
        &server,
        "luxwire-record",
        json!({ "state": "online", "filters": ["#"], "values": 1, "since": null }),
    );
    let body = r#"{"topic":"lights/Desk/intensity","values":[],"next":null}"#;
    let (got, asked) = exchange(
        &server,
        &mut recorder,
        "?topic=lights/Desk%2Fintensity&from=2026-11-27T18:00:00+01:00&to=now&step=5m&limit=3",
        "application/json",
        body,
    );
    assert_eq!((got.status, got.header("content-type"), got.text()), (200, Some("application/json"), body));
    assert_eq!(
        asked,
        json!({ "topic": "lights/Desk/intensity", "from": "2026-11-27T18:00:00+01:00", "to": "now", "step": "5m", "limit": "3" })
    );
    let (got, asked) = exchange(&server, &mut recorder, "?topic=a+b", "application/json", "{}");
    assert_eq!((got.status, asked), (200, json!({ "topic": "a b" })));
}

#[test]
fn a_problem_of_the_recorder_is_one_here_as_well() {
    let server = Server::start();
    let mut recorder = recorder(&server, "r", json!({ "state": "online" }));
    let problem =
        r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"from: soon is no time"}"#;
    let (got, _) =
        exchange(&server, &mut recorder, "?topic=a&from=soon", "application/problem+json", problem);
    check_problem(&got, 400, "soon");
    assert_eq!(got.text(), problem);
    for nonsense in ["no JSON", "{}", r#"{"status":200}"#, r#"{"status":70000}"#] {
        let (got, _) = exchange(&server, &mut recorder, "?topic=a", "application/problem+json", nonsense);
        check_problem(&got, 502, "\"r\"");
    }
    let (got, _) = exchange(&server, &mut recorder, "?topic=a", "application/json", "{\"topic\":");
    check_problem(&got, 502, "no JSON");
}

#[test]
fn the_recorder_that_records_the_topic_is_asked() {
    let server = Server::start();
    let status =
        |filter: &str, since: &str| json!({ "state": "online", "filters": [filter], "since": since });
    let _other = recorder(&server, "a", status("other/#", "2020-01-01T00:00:00.000Z"));
    let _later = recorder(&server, "b", status("lights/#", "2026-01-01T00:00:00.000Z"));
    let mut right = recorder(&server, "c", status("lights/#", "2025-01-01T00:00:00.000Z"));
    let (got, _) = exchange(&server, &mut right, "?topic=lights/x/intensity", "application/json", "{}");
    assert_eq!(got.status, 200);
}

#[test]
fn what_makes_no_sense_is_not_asked() {
    let server = Server::start();
    let mut recorder = recorder(&server, "r", json!({ "state": "online" }));
    for (query, word) in [
        ("", "of which topic"),
        ("?topic=", "at least one character"),
        ("?topic=a/%2B", "no topic name"),
        ("?topic=a/+", "no topic name"),
        ("?topic=a%00", "U+0000"),
        ("?topic=a&topic=b", "twice"),
        ("?topic=a&form=b", "\"form\""),
    ] {
        check_problem(&history(&server, query), 400, word);
    }
    recorder.ping();
}

/// What a stranger sends to the topic of an answer is not known in time to do harm: its name is as random as a key.
#[test]
fn an_answer_topic_is_not_used_twice() {
    let server = Server::start();
    let mut recorder = recorder(&server, "r", json!({ "state": "online" }));
    let mut topics: Vec<TopicName> = Vec::new();
    for _ in 0..2 {
        thread::scope(|scope| {
            let asking = scope.spawn(|| history(&server, "?topic=a"));
            let request = recorder.message();
            let Delivery::AtLeastOnce { id, .. } = request.delivery else { panic!("{request:?}") };
            recorder.send(&Packet::Puback(luxwire_shared::mqtt::Acknowledge::success(id)));
            let topic = request.properties.unwrap().response_topic.unwrap();
            recorder.publish(&topic, "{}", QoS::AtMostOnce, false);
            topics.push(topic);
            assert_eq!(asking.join().unwrap().status, 200);
        });
    }
    assert_ne!(topics[0], topics[1]);
    assert!(topics[0].starts_with("luxwire/http/luxwire-http-"), "{topics:?}");
}
