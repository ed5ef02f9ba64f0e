//! `$SYS` with real bytes: what only the edge can count.

use crate::{
    slow::frozen_subscriber,
    support::{Client, Server, eventually},
};
use luxwire_shared::mqtt::{Packet, PublishTopic, QoS, Version};
use std::collections::HashMap;

/// Follows the tree until this is true of it.
fn wait_for(server: &Server, what: &str, mut is_true: impl FnMut(&HashMap<String, String>) -> bool) {
    let mut dashboard = Client::connected(server.mqtt, Version::V5, "dashboard");
    dashboard.subscribe("$SYS/#", QoS::AtMostOnce);
    let mut known = HashMap::new();
    eventually(what, || {
        let publish = dashboard.message();
        let PublishTopic::Name(name) = publish.topic else { panic!("an alias") };
        known.insert(name.to_string(), String::from_utf8(publish.payload.to_vec()).unwrap());
        is_true(&known).then_some(())
    });
}

fn number(known: &HashMap<String, String>, name: &str) -> u64 {
    known.get(&format!("$SYS/broker/{name}")).and_then(|value| value.parse().ok()).unwrap_or(0)
}

#[test]
fn bytes_are_counted_on_both_ports() {
    let server = Server::with(&["sys.interval_s=1"]);
    let (mut tcp, mut websocket) = (
        Client::connected(server.mqtt, Version::V5, "tcp"),
        Client::connected_by_websocket(server.http, Version::V3_1_1, "websocket"),
    );
    websocket.subscribe("x", QoS::AtMostOnce);
    tcp.publish("x", vec![b'.'; 100_000], QoS::AtLeastOnce, false);
    websocket.message();
    websocket.publish("y", vec![b'.'; 50_000], QoS::AtLeastOnce, false);
    wait_for(&server, "bytes in and out", |known| {
        number(known, "bytes/received") > 150_000
            && (100_000..200_000).contains(&number(known, "bytes/sent"))
            && number(known, "publish/bytes/received") == 150_000
            && known.get("$SYS/broker/load/bytes/received/1min").is_some_and(|load| load != "0.00")
    });
}

#[test]
fn what_a_slow_client_loses_is_counted() {
    let server = Server::with(&["sys.interval_s=1"]);
    let frozen = frozen_subscriber(&server);
    wait_for(&server, "messages that were dropped", |known| number(known, "publish/messages/dropped") > 100);
    drop(frozen);
}

#[test]
fn it_can_be_switched_off() {
    let server = Server::with(&["sys.interval_s=0"]);
    let mut dashboard = Client::connected(server.mqtt, Version::V5, "dashboard");
    dashboard.subscribe("$SYS/#", QoS::AtMostOnce);
    dashboard.send(&Packet::Pingreq);
    assert_eq!(dashboard.receive(), Packet::Pingresp);
}
