//! Wills: with properties that are wrong, to topics that are the broker's own, and later than the session lives.

use crate::{
    bytes::{CLEAN, WILL, connect_with, text, variable},
    cases::{Case, each_is_answered, each_is_answered_in},
    exchange::Wanted,
    folder::Folder,
    house::{House, REPETITIONS},
    support::{self, Client, Server},
    users,
};
use bytes::Bytes;
use luxwire_shared::mqtt::{
    Acknowledge, Connack, Delivery, Packet, Publish, PublishTopic, QoS,
    ReasonCode::{self, MalformedPacket, NotAuthorized, ProtocolError, TopicNameInvalid},
    Version::{V3_1, V3_1_1, V5},
    Will, WillProperties,
};
use std::collections::BTreeMap;

/// A CONNECT of 5.0 with a will that has these properties, 2 kB of payload, and this behind it.
fn with_will(properties: &[u8], flags: u8, behind: &[u8]) -> Vec<u8> {
    let will = [
        &text("id"),
        &variable(properties.len()),
        properties,
        &text("will"),
        &text(vec![b'x'; 2048]),
        behind,
    ];
    connect_with(V5, flags, [], will.concat())
}

// Row 11, mosquitto CVE-2023-3592, CVE-2021-34431, CVE-2017-7654: a CONNECT with properties in its will that are wrong or
// stand there twice. The will before them, and what was read of it, is not kept.
#[test]
fn row_11_properties_of_wills_that_are_wrong() {
    let mut cases = Vec::new();
    for (properties, reason) in [
        // Twice: delay, format, expiry, content type, response topic, correlation data.
        (&[0x18, 0, 0, 0, 1, 0x18, 0, 0, 0, 1][..], ProtocolError),
        (&[0x01, 1, 0x01, 1], ProtocolError),
        (&[0x02, 0, 0, 0, 1, 0x02, 0, 0, 0, 1], ProtocolError),
        (&[0x03, 0, 1, b'a', 0x03, 0, 1, b'a'], ProtocolError),
        (&[0x08, 0, 1, b'a', 0x08, 0, 1, b'a'], ProtocolError),
        (&[0x09, 0, 1, b'a', 0x09, 0, 1, b'a'], ProtocolError),
        // A format that is none; a response topic that is a filter.
        (&[0x01, 2], ProtocolError),
        (&[0x08, 0, 1, b'#'], ProtocolError),
        // Of other packets: session expiry, topic alias, subscription identifier, reason string.
        (&[0x11, 0, 0, 0, 1], MalformedPacket),
        (&[0x23, 0, 1], MalformedPacket),
        (&[0x0B, 1], MalformedPacket),
        (&[0x1F, 0, 1, b'a'], MalformedPacket),
        // Of no packet; cut short.
        (&[0x7E, 0], MalformedPacket),
        (&[0x18, 0, 0], MalformedPacket),
    ] {
        cases.push(Case::first(V5, with_will(properties, WILL, &[]), Wanted::Refusal(reason)));
    }
    // The will is as it should be, and what follows is not: a user name that is cut, bytes behind the end, QoS 3.
    cases.push(Case::first(V5, with_will(&[], WILL | 0x80, &[0, 9, b'x']), Wanted::Refusal(MalformedPacket)));
    cases.push(Case::first(V5, with_will(&[], WILL, b"more"), Wanted::Refusal(MalformedPacket)));
    cases.push(Case::first(V5, with_will(&[], WILL | 0x18, &[]), Wanted::Refusal(MalformedPacket)));
    // Said to be text, and is not.
    let no_text = [text("id"), vec![2, 0x01, 1], text("will"), text([0xFF; 2048])].concat();
    let refused = Wanted::Refusal(ReasonCode::PayloadFormatInvalid);
    cases.push(Case::first(V5, connect_with(V5, WILL, [], no_text), refused));
    each_is_answered(&cases);
}

// The same row: the properties of CONNECT itself.
#[test]
fn row_11_properties_of_connect_that_are_wrong() {
    let mut cases = Vec::new();
    for (properties, reason) in [
        // Twice: session expiry, receive maximum, packet size, aliases, both requests, method.
        (&[0x11, 0, 0, 0, 1, 0x11, 0, 0, 0, 1][..], ProtocolError),
        (&[0x21, 0, 1, 0x21, 0, 1], ProtocolError),
        (&[0x27, 0, 0, 1, 0, 0x27, 0, 0, 1, 0], ProtocolError),
        (&[0x22, 0, 1, 0x22, 0, 1], ProtocolError),
        (&[0x17, 1, 0x17, 1], ProtocolError),
        (&[0x19, 1, 0x19, 1], ProtocolError),
        (&[0x15, 0, 1, b'a', 0x15, 0, 1, b'a'], ProtocolError),
        // Values that they cannot have.
        (&[0x21, 0, 0], ProtocolError),
        (&[0x27, 0, 0, 0, 0], ProtocolError),
        (&[0x17, 2], ProtocolError),
        (&[0x19, 2], ProtocolError),
        // Data without a method; a method that nobody knows.
        (&[0x16, 0, 1, b'a'], ProtocolError),
        (&[0x15, 0, 1, b'a'], ReasonCode::BadAuthenticationMethod),
        // Of other packets, and of none.
        (&[0x18, 0, 0, 0, 1], MalformedPacket),
        (&[0x12, 0, 1, b'a'], MalformedPacket),
        (&[0x7F], MalformedPacket),
    ] {
        cases.push(Case::first(V5, connect_with(V5, CLEAN, properties, text("id")), Wanted::Refusal(reason)));
    }
    each_is_answered(&cases);
}

// Row 26, mosquitto 2.0.16: wills to `$SYS/…` and `$CONTROL/…`. The first is refused with CONNECT, as a PUBLISH there
// would be; the second is a topic like any other, which no wildcard at the top sees.
#[test]
fn row_26_wills_to_the_brokers_own_topics() {
    let mut cases = Vec::new();
    for topic in ["$SYS", "$SYS/broker/version", "$SYS/"] {
        let old = [text("id"), text(topic), text("x")].concat();
        for version in [V3_1, V3_1_1] {
            // 3.1.1 has no better code than 5.
            cases.push(Case::first(
                version,
                connect_with(version, WILL, [], &old),
                Wanted::Refusal(NotAuthorized),
            ));
        }
        let new = [text("id"), vec![0], text(topic), text("x")].concat();
        cases.push(Case::first(V5, connect_with(V5, WILL, [], new), Wanted::Refusal(TopicNameInvalid)));
    }
    each_is_answered(&cases);
}

// The same row: a will that its client could not publish itself. It is refused with its CONNECT, which disturbs nobody
// who has the same name, and nothing of it is kept.
#[test]
fn row_26_wills_that_may_not_be_published() {
    let folder = Folder::new();
    let lines = "topic readwrite house/#\ntopic deny house/safe/#\npattern write states/%c";
    let mut house = users::guarded(&folder, &[], lines);
    let mut keeper = users::keeper(&house.server, "keeper");
    for filter in ["house/#", "states/#", "elsewhere/#"] {
        keeper.subscribe(filter, QoS::AtMostOnce);
    }
    let mut namesake = Client::connected(house.server.mqtt, V5, "id");
    namesake.subscribe("house/open", QoS::AtMostOnce);
    let mut cases = Vec::new();
    for topic in
        ["house/safe/x", "house/safe", "elsewhere/x", "states/other", "states/id/x", "$CONTROL/x", "/house/x"]
    {
        for version in [V3_1, V3_1_1, V5] {
            let properties: &[u8] = if version == V5 { &[0] } else { &[] };
            let payload = [&text("id"), properties, &text(topic), &text("x")].concat();
            // At each quality, retained and not, with a clean start and without.
            for flags in [0x06, 0x26, 0x34, 0x0C] {
                let bytes = connect_with(version, flags, [], &payload);
                cases.push(Case::first(version, bytes, Wanted::Refusal(NotAuthorized)));
            }
        }
    }
    each_is_answered_in(&mut house, &cases);
    keeper.ping();
    Client::connected(house.server.mqtt, V5, "publisher").publish("house/open", "x", QoS::AtLeastOnce, false);
    assert_eq!(namesake.message().payload, "x");
    assert_eq!(keeper.message().payload, "x");
    // One that may: it is published when its client is lost.
    let with = [text("lamp"), vec![0], text("states/lamp"), text("lost")].concat();
    let mut lamp = Client::tcp(house.server.mqtt);
    lamp.send_bytes(&connect_with(V5, WILL, [], with));
    lamp.receive();
    drop(lamp);
    assert_eq!(keeper.message().payload, "lost");
    drop((keeper, namesake));
    house.ends_unharmed();
}

// The same row: a topic that means something to another broker means nothing here. [MQTT-4.7.2-1]
#[test]
fn row_26_wills_to_control() {
    const CONTROL: &str = "$CONTROL/dynamic-security/v1";
    let mut house = House::new();
    let mut exactly = Client::connected(house.server.mqtt, V5, "exactly");
    exactly.subscribe(CONTROL, QoS::AtMostOnce);
    let mut below = Client::connected_by_websocket(house.server.http, V3_1_1, "below");
    below.subscribe("+/dynamic-security/#", QoS::AtMostOnce);
    let will = [text("id"), vec![0], text(CONTROL), text("{\"commands\":[]}")].concat();
    house.endures(REPETITIONS, |server, _| {
        let mut client = Client::tcp(server.mqtt);
        client.send_bytes(&connect_with(V5, WILL, [], &will));
        client.receive();
        drop(client);
        assert_eq!(&exactly.message().payload[..], b"{\"commands\":[]}");
    });
    below.ping();
    drop((exactly, below));
    house.ends_unharmed();
}

/// Connects with a will that is the client's name, `delay_s` after the connection is lost, or when the session ends.
fn connect_with_will(
    server: &Server,
    id: &str,
    clean: bool,
    expiry_s: u32,
    delay_s: u32,
) -> (Client, Box<Connack>) {
    let mut client = Client::tcp(server.mqtt);
    let mut connecting = support::connect(V5, id);
    if let Packet::Connect(connect) = &mut connecting {
        connect.clean_start = clean;
        connect.properties.session_expiry_interval_s = Some(expiry_s);
        let properties = WillProperties { will_delay_interval_s: Some(delay_s), ..WillProperties::default() };
        let topic = "will/x".try_into().unwrap();
        let payload = Bytes::copy_from_slice(id.as_bytes());
        connect.will =
            Some(Box::new(Will { topic, payload, qos: QoS::AtLeastOnce, retain: false, properties }));
    }
    let connack = client.connect_as(&connecting, V5);
    (client, connack)
}

// Row 9, mosquitto CVE-2019-11778: a will delay that is longer than the session's life; the connection is lost, and the
// client comes back before, at and after both deadlines. Each will comes once, or not at all if its client was back.
// [MQTT-3.1.2-8] [MQTT-3.1.3-9]
#[test]
fn row_9_a_will_delay_beyond_the_end_of_the_session() {
    let mut house = House::new();
    let mut observer = Client::connected_by_websocket(house.server.http, V3_1_1, "observer");
    observer.subscribe("will/+", QoS::AtLeastOnce);
    house.endures(1, |server, _| {
        let mut came = BTreeMap::<String, usize>::new();
        let mut take = |publish: Publish| {
            assert_eq!(publish.topic, PublishTopic::Name("will/x".try_into().unwrap()));
            let Delivery::AtLeastOnce { id, .. } = publish.delivery else { panic!("{publish:?}") };
            let name = String::from_utf8(publish.payload.to_vec()).unwrap();
            *came.entry(name.clone()).or_default() += 1;
            (name, Packet::Puback(Acknowledge::success(id)))
        };
        for number in 0..REPETITIONS {
            // The session's end comes first: at once, or after a second.
            drop(connect_with_will(server, &format!("at once {number}"), true, 0, u32::MAX));
            drop(connect_with_will(server, &format!("in a second {number}"), true, 1, u32::MAX));
            drop(connect_with_will(server, &format!("back {number}"), true, 1, 2));
        }
        // Back before either deadline or behind one, and gone in order; the processor's load decides which.
        let mut resumed = 0;
        for number in 0..REPETITIONS {
            let (mut client, connack) = connect_with_will(server, &format!("back {number}"), false, 1, 2);
            resumed += usize::from(connack.session_present);
            client.send_bytes(&[0xE0, 0x00]);
        }
        drop(connect_with_will(server, "last", true, 2, 3));
        // Everything else was due before this one.
        loop {
            let (name, puback) = take(observer.message());
            observer.send(&puback);
            if name == "last" {
                break;
            }
        }
        assert!(came.values().all(|times| *times == 1), "{came:?}");
        let count = |prefix: &str| came.keys().filter(|name| name.starts_with(prefix)).count();
        assert_eq!((count("at once"), count("in a second")), (REPETITIONS, REPETITIONS));
        assert_eq!(count("back") + resumed, REPETITIONS, "a will, or a session that was still there");
    });
    drop(observer);
    house.ends_unharmed();
}

// The moment itself: each client comes back as often as it can around the end of its session.
#[test]
fn row_9_back_at_the_very_end_of_the_session() {
    let mut house = House::new();
    let mut observer = Client::connected(house.server.mqtt, V5, "observer");
    observer.subscribe("will/+", QoS::AtMostOnce);
    house.endures(1, |server, _| {
        drop(connect_with_will(server, "edge", true, 1, 1));
        let mut resumed = 0;
        // A client that is away for no time at all keeps its session; the will is the one that it brings itself.
        for _ in 0..REPETITIONS {
            let (client, connack) = connect_with_will(server, "edge", false, 1, 1);
            resumed += usize::from(connack.session_present);
            drop(client);
        }
        assert!(resumed >= REPETITIONS - 1, "{resumed}");
        let will = observer.message();
        assert_eq!(&will.payload[..], b"edge");
        let (mut client, connack) = connect_with_will(server, "edge", false, 1, 1);
        assert!(!connack.session_present, "will and session end together");
        client.send_bytes(&[0xE0, 0x00]);
        client.until_closed();
        observer.ping();
    });
    drop(observer);
    house.ends_unharmed();
}
