//! Topics and filters: empty, the broker's own, deep, not UTF-8, and with what other programs take for code.

use crate::{
    bytes::{CLEAN, WILL, connect_with, publish, subscribe, text},
    cases::{Case, each_is_answered},
    exchange::Wanted,
    house::{House, REPETITIONS},
    support::{Client, Server, get, publish as publish_packet},
};
use luxwire_shared::mqtt::{
    Delivery, Packet, PacketId, QoS,
    ReasonCode::{self, MalformedPacket, ProtocolError},
    Version::{V3_1, V3_1_1, V5},
};

// Row 6, mosquitto CVE-2021-34432: a PUBLISH whose topic has no bytes, in 5.0 without an alias.
#[test]
fn row_6_a_topic_of_length_0() {
    let mut cases = Vec::new();
    for flags in [0x00, 0x01, 0x02, 0x03, 0x04] {
        let id = (flags > 1).then_some(1);
        for version in [V3_1, V3_1_1, V5] {
            let reason = if version == V5 { ProtocolError } else { MalformedPacket };
            cases.push(Case::then(version, publish(version, flags, "", id, b"x"), reason));
        }
    }
    each_is_answered(&cases);
}

/// Publishes at QoS 1 and takes the reason of PUBACK.
fn published(client: &mut Client, topic: &str, retain: bool) -> ReasonCode {
    let id = PacketId::MIN;
    client.send(&publish_packet(topic, "x", Delivery::first(QoS::AtLeastOnce, id), retain));
    match client.receive() {
        Packet::Puback(puback) if puback.id == id => puback.reason,
        other => panic!("{other:?}"),
    }
}

// Row 7, mosquitto CVE-2018-12543: a PUBLISH to topics that begin with `$`. Below `$SYS` it is refused (docs/sys.md);
// the others are topics like any other that no wildcard at the top sees. [MQTT-4.7.2-1]
#[test]
fn row_7_topics_that_begin_with_a_dollar() {
    let mut house = House::new();
    let mut everything = Client::connected_by_websocket(house.server.http, V3_1_1, "everything");
    for filter in ["+", "+/bar", "+/x", "+/x/+", "+/dynamic-security/#", "#"] {
        everything.subscribe(filter, QoS::AtMostOnce);
    }
    for version in [V3_1, V3_1_1, V5] {
        let mut client = Client::connected(house.server.mqtt, version, "publisher");
        house.endures(REPETITIONS, |_, _| {
            let of_5 = |reason| if version == V5 { reason } else { ReasonCode::Success };
            for topic in
                ["$", "$foo/bar", "$share/x/y", "$share", "$SYSTEM/x", "$CONTROL/dynamic-security/v1"]
            {
                let reason = published(&mut client, topic, false);
                assert_eq!(reason, of_5(ReasonCode::NoMatchingSubscribers), "{topic}");
            }
            for topic in ["$SYS", "$SYS/x", "$SYS/broker/version", "$SYS//"] {
                assert_eq!(
                    published(&mut client, topic, true),
                    of_5(ReasonCode::TopicNameInvalid),
                    "{topic}"
                );
            }
        });
        client.ping();
    }
    // Nothing but the witnesses' messages came to the one who follows everything.
    everything.send(&Packet::Pingreq);
    while let Packet::Publish(publish) = everything.receive() {
        let topic = format!("{:?}", publish.topic);
        assert!(topic.contains("witness/"), "{topic}");
    }
    drop(everything);
    house.ends_unharmed();
}

// Row 8, mosquitto CVE-2019-11779, aedes: topics and filters of tens of thousands of levels. Filters have a bound
// (SUBACK 0x8F, before 5.0 0x80); topics are matched however deep.
#[test]
fn row_8_thousands_of_levels() {
    let mut house = House::new();
    let filters = [
        "/".repeat(65_400),
        "+/".repeat(32_000),
        "a/".repeat(32_000) + "#",
        "/".repeat(128),
        "a".repeat(5_000),
    ];
    let topics = ["/".repeat(65_400), "a/".repeat(32_000), format!("$deep{}", "/".repeat(60_000))];
    let mut clients = [
        Client::connected(house.server.mqtt, V3_1_1, "deep 3"),
        Client::connected_by_websocket(house.server.http, V5, "deep 5"),
    ];
    house.endures(16, |server, _| {
        for (version, client) in [V3_1_1, V5].into_iter().zip(&mut clients) {
            let refused =
                if version == V5 { ReasonCode::TopicFilterInvalid } else { ReasonCode::Unspecified };
            for filter in &filters {
                client.send_bytes(&subscribe(version, filter, 0));
                let Packet::Suback(suback) = client.receive() else { panic!("no SUBACK") };
                assert_eq!(suback.reasons, [refused], "{} bytes", filter.len());
            }
            for topic in &topics {
                client.publish(topic, "x", QoS::AtLeastOnce, true);
            }
            let mut reader = Client::connected(server.mqtt, version, "reader");
            reader.subscribe("#", QoS::AtMostOnce);
            // The two kept ones that a wildcard at the top sees.
            assert!(matches!(reader.receive(), Packet::Publish(_)));
            assert!(matches!(reader.receive(), Packet::Publish(_)));
            for topic in &topics {
                client.publish(topic, "", QoS::AtLeastOnce, true);
            }
        }
    });
    drop(clients);
    house.ends_unharmed();
}

// Row 14, mosquitto CVE-2017-7653: strings that are no UTF-8, wherever one stands. [MQTT-1.5.4-1] [MQTT-1.5.4-2]
#[test]
fn row_14_strings_that_are_not_utf_8() {
    let mut cases = Vec::new();
    // Cut; an overlong slash; a surrogate; beyond Unicode; a lone continuation; U+0000.
    for bytes in [
        &[0xC3, 0x28][..],
        &[0xC0, 0xAF],
        &[0xED, 0xA0, 0x80],
        &[0xF4, 0x90, 0x80, 0x80],
        &[b'a', 0x80],
        &[b'a', 0x00],
    ] {
        for version in [V3_1_1, V5] {
            let wanted = if version == V5 { Wanted::Refusal(MalformedPacket) } else { Wanted::Close };
            let will =
                [text("id"), crate::bytes::properties(version, []), text(bytes), text("gone")].concat();
            cases.extend([
                Case::then(version, publish(version, 0, bytes, None, b"x"), MalformedPacket),
                Case::then(version, subscribe(version, bytes, 0), MalformedPacket),
                Case::first(version, connect_with(version, CLEAN, [], text(bytes)), wanted),
                Case::first(version, connect_with(version, WILL, [], will), wanted),
                Case::first(
                    version,
                    connect_with(version, 0x82, [], [text("id"), text(bytes)].concat()),
                    wanted,
                ),
            ]);
        }
    }
    each_is_answered(&cases);
}

/// What a page, a log or a terminal might take for something else than a name.
const CODE: [&str; 4] = [
    "<script>alert(1)</script>",
    "name\n2026-01-01T00:00:00Z ERROR luxwire: forged",
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "\u{202e}\u{85}\"quoted\"",
];

// Row 24, HiveMQ CVE-2020-13821, Artemis CVE-2020-13932: a client identifier and a topic that are code. The log has them
// escaped, one event a line; over HTTP they are JSON, and the payload is nothing that a browser executes.
#[test]
fn row_24_names_that_are_code() {
    let mut house = House::of(Server::start());
    house.endures(REPETITIONS, |server, number| {
        let name = CODE[number % CODE.len()];
        let mut client = match number % 8 {
            0..4 => Client::connected(server.mqtt, V5, name),
            _ => Client::connected_by_websocket(server.http, V3_1_1, name),
        };
        client.publish(name, name, QoS::AtLeastOnce, true);
        client.publish(name, "", QoS::AtLeastOnce, true);
        // Its end is logged with its name as well.
        let _ = client.try_send_bytes(&[0x30, 0x00]);
        client.until_closed_unread();
    });
    let log = house.server.log();
    for line in log.lines() {
        assert!(line.starts_with("20") && !line.contains('\u{1b}') && !line.contains('\u{7}'), "{line:?}");
        assert!(!line.contains("forged") || line.contains("client="), "{line:?}");
        assert!(!line.contains("luxwire: forged") || !line.starts_with("2026-01-01"), "{line:?}");
    }
    assert!(log.contains("forged") && log.contains("<script>"), "the names were logged");
    let mut client = Client::connected(house.server.mqtt, V5, "keeper");
    client.publish("x/<script>alert(1)</script>", "<script>alert(2)</script>", QoS::AtLeastOnce, true);
    for path in ["/api/v1/topics?filter=x/%23", "/api/v1/topics/x/%3Cscript%3Ealert(1)%3C%2Fscript%3E"] {
        let answer = get(house.server.http, path);
        let kind = answer.header("content-type").unwrap_or_default();
        assert!(answer.status == 200 || answer.status == 404, "{path}: {}", answer.status);
        assert!(!kind.contains("html") && !kind.contains("xml"), "{path}: {kind}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
    client.publish("x/<script>alert(1)</script>", "", QoS::AtLeastOnce, true);
    drop(client);
    house.ends_unharmed();
}

// Row 15, mosquitto CVE-2017-7650, FlashMQ: a client identifier or user name of wildcards and levels. They are names and
// nothing else: the response topic that is proposed to such a client is no filter.
#[test]
fn row_15_client_identifiers_with_wildcards() {
    let mut house = House::new();
    const NAMES: [&str; 6] = ["#", "+", "/", "+/#", "a/+/b", "$SYS"];
    house.endures(REPETITIONS, |server, number| {
        let name = NAMES[number % NAMES.len()];
        let mut client = Client::tcp(server.mqtt);
        let mut connecting = crate::support::connect(V5, name);
        if let Packet::Connect(connect) = &mut connecting {
            connect.user_name = Some(name.try_into().unwrap());
            connect.properties.request_response_information = Some(true);
        }
        let connack = client.connect_as(&connecting, V5);
        let proposed = connack.properties.response_information.map(|text| text.as_str().to_owned());
        let wanted = (!name.contains(['+', '#'])).then(|| format!("luxwire/responses/{name}"));
        assert_eq!(proposed, wanted, "{name}");
        client.ping();
    });
    house.ends_unharmed();
}
