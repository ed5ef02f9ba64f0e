//! Settings of which clients are told: what CONNACK says of them, and what happens to those who do not care.

use crate::support::{Client, Server, connect, publish};
use luxwire_shared::mqtt::{Connack, Delivery, Packet, PacketId, QoS, ReasonCode, Version};

/// One client on each port.
fn on_both_ports(server: &Server) -> [Client; 2] {
    [Client::tcp(server.mqtt), Client::websocket(server.http)]
}

/// Connects with MQTT 5.0, which is told in CONNACK.
fn announced(client: &mut Client) -> Box<Connack> {
    client.send(&connect(Version::V5, ""));
    match client.receive() {
        Packet::Connack(connack) => connack,
        other => panic!("{other:?}"),
    }
}

/// Publishes, and is thrown out: with 5.0 for this reason, before without a word.
#[track_caller]
fn check_thrown_out(server: &Server, qos: QoS, retain: bool, reason: ReasonCode) {
    let message = publish("a", "x", Delivery::first(qos, PacketId::MIN), retain);
    for mut client in on_both_ports(server) {
        announced(&mut client);
        client.send(&message);
        let packets = client.until_closed();
        assert!(matches!(&packets[..], [Packet::Disconnect(end)] if end.reason == reason), "{packets:?}");
    }
    for version in [Version::V3_1, Version::V3_1_1] {
        for mut client in on_both_ports(server) {
            client.connect(version, "old");
            client.send(&message);
            assert_eq!(client.until_closed(), []);
        }
    }
}

// [MQTT-3.2.2-9] [MQTT-3.2.2-10]
#[test]
fn the_highest_quality_is_a_setting() {
    let all = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];
    for highest in all {
        let server = Server::with(&[&format!("limits.qos={}", highest.number())]);
        for mut client in on_both_ports(&server) {
            let maximum = announced(&mut client).properties.maximum_qos;
            assert_eq!(maximum, Some(highest).filter(|highest| *highest < QoS::ExactlyOnce));
            // Granted what there is, and served at it.
            client.subscribe("a", QoS::ExactlyOnce);
            client.send(&publish("a", "x", Delivery::first(highest, PacketId::MIN), false));
            let served = std::iter::from_fn(|| Some(client.receive())).find_map(|packet| {
                if let Packet::Publish(served) = packet { Some(served.qos()) } else { None }
            });
            assert_eq!(served, Some(highest));
        }
        for above in all.into_iter().filter(|qos| *qos > highest) {
            check_thrown_out(&server, above, false, ReasonCode::QoSNotSupported);
        }
    }
}

// [MQTT-3.2.2-13]
#[test]
fn whether_values_are_retained_is_a_setting() {
    let server = Server::start();
    for mut client in on_both_ports(&server) {
        assert_eq!(announced(&mut client).properties.retain_available, None);
    }
    let server = Server::with(&["limits.retain=false"]);
    for mut client in on_both_ports(&server) {
        assert_eq!(announced(&mut client).properties.retain_available, Some(false));
        client.publish("a", "x", QoS::AtLeastOnce, false);
    }
    check_thrown_out(&server, QoS::AtMostOnce, true, ReasonCode::RetainNotSupported);
    let answer = crate::support::get(server.http, "/api/v1/topics/a");
    assert_eq!(answer.status, 404, "something was retained");
}

#[test]
fn over_http_the_setting_is_named() {
    let server = Server::with(&["limits.retain=false", "limits.qos=0"]);
    let put = |query: &str| {
        let text = format!(
            "PUT /api/v1/topics/a{query} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1",
            server.http
        );
        let answer = crate::support::request(server.http, text);
        (answer.status, String::from_utf8(answer.body).unwrap())
    };
    for (query, setting) in [("?qos=0", "limits.retain"), ("?retain=false&qos=1", "limits.qos")] {
        let (status, why) = put(query);
        assert!(status == 400 && why.contains(setting), "{query}: {status} {why}");
    }
    let (status, why) = put("?retain=false&qos=0");
    assert!(matches!(status, 200..300), "{status} {why}");
}

#[test]
fn identifiers_of_3_1_are_held_to_23_characters_if_somebody_wants_that() {
    let long = "twenty-four-characters-x";
    let refused = |settings: &[&str], version: Version| {
        let server = Server::with(settings);
        on_both_ports(&server).map(|mut client| {
            client.version = version;
            client.send(&connect(version, long));
            match client.receive() {
                Packet::Connack(connack) => connack.reason == ReasonCode::ClientIdentifierNotValid,
                other => panic!("{other:?}"),
            }
        })
    };
    let strict = ["limits.short_client_ids_3_1=true"];
    assert_eq!(refused(&[], Version::V3_1), [false; 2]);
    assert_eq!(refused(&strict, Version::V3_1), [true; 2]);
    assert_eq!(refused(&strict, Version::V3_1_1), [false; 2]);
}
