//! What the recorder does with any broker.

use crate::{
    House,
    recorder::{DESK, Folder, Hand, Recorder},
    support::{self, Client, run},
};
use luxwire_shared::mqtt::{Delivery, Packet, PacketId, Publish, PublishProperties, QoS, TopicName, Version};
use serde_json::Value;

const VERSIONS: [&str; 3] = ["5", "3.1.1", "3.1"];

fn numbers(range: std::ops::RangeInclusive<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[test]
fn every_value_is_recorded_in_its_order() {
    let house = House::start();
    for protocol in VERSIONS {
        let folder = Folder::new();
        let mut hand = Hand::at(house.mqtt());
        hand.sets("first");
        let name = format!("record-{protocol}");
        let recorder =
            Recorder::start(house.mqtt(), &folder, &["--protocol", protocol, "--client-id", &name]);
        recorder.until(DESK, "first");
        // More than fits into one answer, and than is in flight at once, but no more than a broker's queue holds.
        for hundreds in 1..=15 {
            for number in hundreds * 100 - 99..=hundreds * 100 {
                hand.sets(number);
            }
            if hundreds % 5 == 0 {
                recorder.until(DESK, &(hundreds * 100).to_string());
            }
        }
        let expected: Vec<_> = ["first".to_owned()].into_iter().chain(numbers(1..=1_500)).collect();
        assert_eq!(recorder.until(DESK, "1500"), expected, "{protocol}");
        let seqs: Vec<_> = recorder.values(DESK).iter().map(|value| value["seq"].as_i64().unwrap()).collect();
        assert!(seqs.is_sorted_by(|one, other| one < other));
    }
}

#[test]
fn a_recorder_that_is_killed_loses_nothing_and_doubles_nothing() {
    let house = House::start();
    for protocol in VERSIONS {
        let folder = Folder::new();
        let name = format!("killed-{protocol}");
        let flags = ["--protocol", protocol, "--client-id", &name];
        let mut hand = Hand::at(house.mqtt());
        hand.sets(0);
        let mut recorder = Recorder::start(house.mqtt(), &folder, &flags);
        recorder.until(DESK, "0");
        let mut last = 0;
        for life in 1..=4 {
            let first = last + 1;
            last += 400;
            std::thread::scope(|scope| {
                let hand = &mut hand;
                scope.spawn(move || (first..=last).for_each(|number| hand.sets(number)));
                // In the middle of the stream: some values are stored, some acknowledged, some on their way.
                let some = first as usize + life * 47;
                support::eventually("some are recorded", || {
                    (recorder.payloads(DESK).len() > some).then_some(())
                });
                recorder.killed();
            });
            recorder = Recorder::start(house.mqtt(), &folder, &flags);
        }
        let recorded = recorder.until(DESK, &last.to_string());
        let expected = numbers(0..=last);
        let differs = recorded.iter().zip(&expected).find(|(one, other)| one != other);
        assert_eq!((differs, recorded.len()), (None, expected.len()), "{protocol}");
    }
}

#[test]
fn what_is_set_while_the_recorder_is_stopped_is_recorded_later() {
    let house = House::start();
    let folder = Folder::new();
    let mut hand = Hand::at(house.mqtt());
    hand.sets(1);
    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    recorder.until(DESK, "1");
    assert_eq!(recorder.stopped(), Some(0), "{}", recorder.said());
    for number in 2..=100 {
        hand.sets(number);
    }
    // At QoS 0 it is in no session, but the broker keeps the latest.
    hand.publishes("lights/hall/intensity", "40", QoS::AtMostOnce, true);
    hand.publishes("lights/hall/intensity", "50", QoS::AtMostOnce, true);
    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    assert_eq!(recorder.until(DESK, "100"), numbers(1..=100));
    recorder.until("lights/hall/intensity", "50");
}

#[test]
fn a_broker_that_is_killed_is_waited_for() {
    let mut house = House::start();
    let folder = Folder::new();
    Hand::at(house.mqtt()).sets(1);
    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    recorder.until(DESK, "1");
    house.kill();
    recorder.says(&["waiting for mqtt://"]);
    house.start_again();
    Hand::at(house.mqtt()).sets(2);
    assert_eq!(recorder.until(DESK, "2"), ["1", "2"]);
    assert_eq!(recorder.stopped(), Some(0));
}

#[test]
fn what_the_broker_keeps_is_recorded_once() {
    let house = House::start();
    let folder = Folder::new();
    let mut hand = Hand::at(house.mqtt());
    hand.sets(7);
    for _ in 0..3 {
        let recorder = Recorder::start(house.mqtt(), &folder, &[]);
        assert_eq!(recorder.until(DESK, "7"), ["7"]);
        // The retained value has come by the time that this has.
        hand.publishes("lights/mark/intensity", "1", QoS::AtLeastOnce, false);
        let marks = recorder.payloads("lights/mark/intensity").len();
        support::eventually("the mark", || {
            (recorder.payloads("lights/mark/intensity").len() > marks).then_some(())
        });
        assert_eq!(recorder.payloads(DESK), ["7"]);
        assert_eq!(recorder.stopped(), Some(0));
    }
    // The same value, set again, is another one.
    hand.sets(7);
    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    support::eventually("both", || (recorder.payloads(DESK) == ["7", "7"]).then_some(()));
}

#[test]
fn it_says_over_mqtt_how_it_stands() {
    let house = House::start();
    let folder = Folder::new();
    let mut hand = Hand::at(house.mqtt());
    hand.sets(7);
    let recorder = Recorder::start(house.mqtt(), &folder, &["lights/+/intensity", "home/#"]);
    recorder.until(DESK, "7");
    let mut client = Client::connected(house.mqtt(), Version::V5, "observer");
    client.subscribe("luxwire/record/luxwire-record/status", QoS::AtMostOnce);
    let mut status = || -> Value { serde_json::from_slice(&client.message().payload).unwrap() };
    let online = loop {
        let online = status();
        if !online["since"].is_null() {
            break online;
        }
    };
    assert_eq!(online["state"], "online");
    assert_eq!(online["filters"], serde_json::json!(["lights/+/intensity", "home/#"]));
    assert_eq!(online["values"], 1);
    assert_eq!(online["problem"], Value::Null);
    recorder.killed();
    assert_eq!(status(), serde_json::json!({ "state": "offline" }));
    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    assert_eq!(status()["state"], "online");
    recorder.signal(rustix::process::Signal::TERM);
    while status()["state"] != "offline" {}
    assert_eq!(recorder.ended(), Some(0));
}

#[test]
fn it_answers_over_mqtt_what_it_answers_over_http() {
    let house = House::start();
    let folder = Folder::new();
    let mut hand = Hand::at(house.mqtt());
    for number in 1..=5 {
        hand.sets(number);
    }
    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    recorder.until(DESK, "5");
    let mut client = Client::connected(house.mqtt(), Version::V5, "asker");
    client.subscribe("answers", QoS::AtMostOnce);
    let mut asked = |question: String| {
        let properties = PublishProperties {
            response_topic: Some(TopicName::try_from("answers").unwrap()),
            correlation_data: Some("17".into()),
            ..PublishProperties::default()
        };
        let topic = TopicName::try_from("luxwire/record/luxwire-record/request").unwrap();
        let delivery = Delivery::AtLeastOnce { id: PacketId::MIN, dup: false };
        let properties = Some(Box::new(properties));
        client.send(&Packet::Publish(Publish { delivery, properties, ..Publish::new(topic, question) }));
        loop {
            if let Packet::Publish(answer) = client.receive() {
                let properties = answer.properties.unwrap();
                assert_eq!(properties.correlation_data.as_deref(), Some(&b"17"[..]));
                return (properties.content_type.unwrap().as_str().to_owned(), answer.payload);
            }
        }
    };
    let (kind, body) = asked(format!(r#"{{"topic":"{DESK}","from":"0","to":"9999999999999"}}"#));
    assert_eq!(kind, "application/json");
    let over_http = recorder.ask(DESK, "from=0&to=9999999999999");
    assert_eq!(over_http.body, body);
    assert_eq!(over_http.header("content-type"), Some("application/json"));

    let (kind, body) = asked(r#"{"topic":"lights/none"}"#.to_owned());
    assert_eq!(kind, "application/problem+json");
    let over_http = recorder.ask("lights/none", "");
    assert_eq!((over_http.status, &over_http.body[..]), (404, &body[..]));
    assert_eq!(over_http.json()["status"], 404);
    let (_, body) = asked("[]".to_owned());
    assert!(String::from_utf8_lossy(&body).contains("not understood"));
}

#[test]
fn history_asks_the_recorder_in_every_version() {
    let house = House::start();
    let folder = Folder::new();
    let broker = format!("mqtt://{}", house.mqtt());
    let history = |flags: &[&str]| run(&[&["history", DESK, "--broker", &broker], flags].concat());

    let nobody = history(&[]);
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.err.contains("no recorder is at"), "{}", nobody.err);
    assert!(nobody.err.contains("luxwire record"), "{}", nobody.err);

    let mut hand = Hand::at(house.mqtt());
    hand.sets(40);
    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    recorder.until(DESK, "40");
    for protocol in VERSIONS {
        let found = history(&["--json", "--protocol", protocol]);
        assert_eq!(found.code, Some(0), "{}", found.err);
        let json: Value = serde_json::from_str(&found.out).unwrap();
        assert_eq!((&json["topic"], &json["values"][0]["payload"]), (&DESK.into(), &"40".into()));
    }
    assert_eq!(recorder.stopped(), Some(0));
    let stopped = history(&[]);
    assert_eq!(stopped.code, Some(1));
    assert!(stopped.err.contains("is not running"), "{}", stopped.err);
}
