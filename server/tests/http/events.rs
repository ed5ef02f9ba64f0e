//! Following topics as server-sent events.

use crate::{
    ask, check_problem, delete, put,
    support::{Client, Events, Server, eventually},
};
use luxwire_shared::mqtt::{QoS, Version};
use rustix::process::Signal;
use serde_json::json;
use std::time::{Duration, Instant};

fn follow(server: &Server, query: &str) -> Events {
    Events::follow(server.http, &format!("/api/v1/events{query}"))
}

#[test]
fn kept_values_come_first_and_then_what_happens() {
    let server = Server::start();
    put(&server, "lights/Desk/intensity", "40");
    put(&server, "other", "1");
    let mut events = follow(&server, "?filter=lights/%23");
    for header in ["content-type: text/event-stream", "cache-control: no-store"] {
        assert!(events.head.contains(header), "{}", events.head);
    }
    let mut kept = events.next();
    let set_at = kept.data.as_object_mut().unwrap().remove("set_at").unwrap();
    assert_eq!(set_at.as_str().map(str::len), Some(24));
    assert!(kept.id.as_ref().is_some_and(|id| id.parse::<u64>().is_ok()), "{kept:?}");
    let topic = "lights/Desk/intensity";
    assert_eq!(
        (kept.name.as_str(), kept.data),
        ("message", json!({ "topic": topic, "payload": "40", "qos": 1, "retain": true, "live": false }))
    );
    let live = events.next();
    assert_eq!((live.name.as_str(), live.data), ("live", json!({ "kept": 1 })));

    let mut next = || {
        let mut event = events.next();
        event.data.as_object_mut().unwrap().remove("set_at").unwrap();
        event.data
    };
    ask(&server, "PUT", &format!("/api/v1/topics/{topic}?qos=2"), &[("Content-Type", "text/plain")], b"41");
    assert_eq!(
        next(),
        json!({ "topic": topic, "payload": "41", "qos": 2, "retain": true, "live": true, "content_type": "text/plain" })
    );
    let mut client = Client::connected(server.mqtt, Version::V3_1_1, "client");
    client.publish("lights/camera", vec![0xFF, 0x00], QoS::AtMostOnce, false);
    assert_eq!(
        next(),
        json!({ "topic": "lights/camera", "payload_base64": "/wA=", "qos": 0, "retain": false, "live": true })
    );
    delete(&server, topic);
    assert_eq!(next(), json!({ "topic": topic, "payload": "", "qos": 1, "retain": true, "live": true }));
}

#[test]
fn several_filters_are_followed_and_kept_values_may_be_left_out() {
    let server = Server::start();
    for topic in ["a", "b", "c", "d%20e"] {
        put(&server, topic, "1");
    }
    let mut events = follow(&server, "?filter=a&filter=c&filter=d+e");
    let mut topics: Vec<_> = (0..3).map(|_| events.message().0).collect();
    topics.sort();
    assert_eq!(topics, ["a", "c", "d e"]);
    assert_eq!(events.until_live(), 3);
    let mut live_only = follow(&server, "?retained=false");
    assert_eq!(live_only.next().data, json!({ "kept": 0 }));
    for topic in ["b", "c"] {
        put(&server, topic, "2");
    }
    assert_eq!(live_only.message(), ("b".to_owned(), "2".to_owned()));
    assert_eq!(live_only.message(), ("c".to_owned(), "2".to_owned()));
    assert_eq!(events.message(), ("c".to_owned(), "2".to_owned()), "b is not followed");
}

#[test]
fn more_values_than_one_slice_arrive_whole_and_are_followed_by_the_sign() {
    let server = Server::start();
    let mut setter = Client::connected(server.mqtt, Version::V5, "setter");
    for count in 0..3_000 {
        setter.publish(&format!("many/{count}"), "x".repeat(100), QoS::AtMostOnce, true);
    }
    setter.ping();
    assert_eq!(follow(&server, "?filter=many/%23").until_live(), 3_000);
}

#[test]
fn what_makes_no_sense_is_named() {
    let server = Server::start();
    let check = |query: &str, word: &str| {
        check_problem(&ask(&server, "GET", &format!("/api/v1/events{query}"), &[], b""), 400, word);
    };
    check("?filter=a%23", "# must fill the last level");
    check("?filter=", "at least one character");
    check("?filter=$share/g/a", "$share");
    check("?fliter=a", "fliter");
    check("?retained=1", "true or false");
    check(&format!("?{}", "filter=a&".repeat(65)), "64");
    check(&format!("?filter={}", "a/".repeat(200)), "too many levels");
}

#[test]
fn streams_find_their_place_among_the_mqtt_connections() {
    let server = Server::with(&["limits.connections=2"]);
    let mut first = follow(&server, "");
    first.until_live();
    server.logged(&["INFO", "connected", "luxwire-http-", "transport=\"http\""]);
    let _client = Client::connected(server.mqtt, Version::V5, "client");
    let refused = ask(&server, "GET", "/api/v1/events", &[], b"");
    check_problem(&refused, 503, "too many");
    assert!(refused.header("retry-after").is_some());
    drop(first);
    server.logged(&["INFO", "disconnected", "luxwire-http-"]);
    follow(&server, "").until_live();
}

/// The reader is stuck while more passes than anybody wants to hold for it, and then goes on.
#[test]
fn a_reader_that_is_too_slow_is_told_and_is_right_in_the_end() {
    let server = Server::start();
    let mut slow = Events::follow_narrowly(server.http, "/api/v1/events?filter=a/%23");
    slow.until_live();
    let before = server.resident();
    let mut publisher = Client::connected(server.mqtt, Version::V5, "publisher");
    for count in 0..1_000 {
        publisher.publish("a/flood", format!("{count:020000}"), QoS::AtMostOnce, true);
        publisher.ping();
    }
    publisher.publish("a/last", "the last word", QoS::AtLeastOnce, true);
    let grown = server.resident().saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes more in use for 20 MB that flowed");
    let (mut dropped, mut last) = (0, String::new());
    let kept = loop {
        let event = slow.next();
        match event.name.as_str() {
            "dropped" => dropped += event.data["messages"].as_u64().unwrap(),
            "message" if event.data["topic"] == "a/flood" => {
                last = event.data["payload"].as_str().unwrap().to_owned()
            }
            "live" => break event.data["kept"].as_u64().unwrap(),
            _ => {}
        }
    };
    assert!(dropped > 100, "{dropped}");
    assert_eq!((kept, last), (2, format!("{:020000}", 999)), "kept values come again");
}

#[test]
fn a_reader_that_takes_nothing_for_too_long_is_let_go() {
    let server = Server::with(&["limits.stall_timeout_s=1"]);
    let mut stuck = Events::follow_narrowly(server.http, "/api/v1/events?filter=a");
    stuck.until_live();
    let mut publisher = Client::connected(server.mqtt, Version::V5, "publisher");
    for _ in 0..1_000 {
        publisher.publish("a", vec![b'x'; 20_000], QoS::AtMostOnce, false);
        publisher.ping();
    }
    server.logged(&["disconnected", "luxwire-http-", "took nothing"]);
    server.logged(&["HTTP connection lived too long"]);
}

#[test]
fn a_reader_that_goes_is_noticed() {
    let server = Server::start();
    let mut events = follow(&server, "");
    events.until_live();
    drop(events);
    server.logged(&["INFO", "disconnected", "luxwire-http-"]);
}

#[test]
fn streams_end_in_order_when_the_server_stops() {
    let mut server = Server::start();
    let mut events = follow(&server, "");
    events.until_live();
    let mut stuck = Events::follow_narrowly(server.http, "/api/v1/events");
    stuck.until_live();
    let mut publisher = Client::connected(server.mqtt, Version::V5, "publisher");
    for _ in 0..300 {
        publisher.publish("a", vec![b'x'; 20_000], QoS::AtMostOnce, false);
        publisher.ping();
    }
    let started = Instant::now();
    server.signal(Signal::TERM);
    // The last chunk is there: nothing broke off.
    while events.next_or_end().is_some() {}
    assert_eq!(server.ended().code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn a_stream_whose_client_identifier_is_taken_over_ends() {
    let server = Server::start();
    let mut events = follow(&server, "");
    events.until_live();
    let line = server.logged(&["INFO", "connected", "luxwire-http-"]);
    let id = line.split_once("client=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    let _taker = Client::connected(server.mqtt, Version::V5, &id);
    eventually("the end of the stream", || events.next_or_end().is_none().then_some(()));
}

#[test]
fn silence_ends_no_stream() {
    let server = Server::with(&["limits.keep_alive_s=1"]);
    let mut events = follow(&server, "");
    events.until_live();
    // Somebody who is silent for one and a half seconds is closed, and this one is silent for longer.
    let mut silent = Client::connected(server.mqtt, Version::V5, "silent");
    for _ in 0..2 {
        silent.until_closed();
        silent = Client::connected(server.mqtt, Version::V5, "silent");
    }
    put(&server, "a", "1");
    assert_eq!(events.message(), ("a".to_owned(), "1".to_owned()));
}
