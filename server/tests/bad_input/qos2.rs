//! QoS 2 that is never finished, by the one side or by the other.

use crate::{
    bytes::publish,
    house::House,
    support::{self, Client, Server},
};
use luxwire_shared::mqtt::{
    Acknowledge, Packet, PacketId, PublishTopic, QoS,
    ReasonCode::{self, ReceiveMaximumExceeded},
    Version::{self, V3_1, V3_1_1, V5},
};

/// What CONNACK announces; `limits.receive_maximum`.
const RECEIVE_MAXIMUM: u16 = 1024;

/// Publishes at QoS 2 under these identifiers, some at a time, and takes as many PUBRECs.
fn publish_all(client: &mut Client, version: Version, ids: impl IntoIterator<Item = u16>) {
    let ids: Vec<u16> = ids.into_iter().collect();
    for some in ids.chunks(512) {
        let bytes: Vec<_> = some.iter().map(|id| publish(version, 0x04, "twice", Some(*id), b"x")).collect();
        client.send_bytes(&bytes.concat());
        for id in some {
            match client.receive() {
                Packet::Pubrec(pubrec) => assert_eq!(pubrec.id.number(), *id),
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Sees that a 5.0 client is told that it has too many, and closed. [MQTT-3.3.4-7]
fn is_one_too_many(client: &mut Client, id: u16) {
    client.send_bytes(&publish(V5, 0x04, "twice", Some(id), b"x"));
    let packets = client.until_closed();
    let [Packet::Disconnect(disconnect)] = &packets[..] else { panic!("{packets:?}") };
    assert_eq!(disconnect.reason, ReceiveMaximumExceeded);
}

/// Over TCP and WebSocket in turn.
fn connected(server: &Server, number: usize, version: Version, id: &str) -> Client {
    match number % 2 {
        0 => Client::connected(server.mqtt, version, id),
        _ => Client::connected_by_websocket(server.http, version, id),
    }
}

// Row 10, mosquitto CVE-2023-28366: QoS 2 messages under ever new identifiers, never released. 5.0: 0x93.
#[test]
fn row_10_new_identifiers_never_released() {
    let mut house = House::new();
    house.endures(4, |server, number| {
        let mut client = connected(server, number, V5, "unreleased");
        publish_all(&mut client, V5, 1..=RECEIVE_MAXIMUM);
        is_one_too_many(&mut client, RECEIVE_MAXIMUM + 1);
    });
    house.ends_unharmed();
}

// The same in 3.1 and 3.1.1, which know no bound but that of identifiers: all of them, and then all of them again.
#[test]
fn row_10_every_identifier_of_an_older_client() {
    let mut house = House::new();
    let mut follower = Client::connected(house.server.mqtt, V5, "follower");
    follower.subscribe("twice", QoS::AtMostOnce);
    let empty = house.server.resident();
    for version in [V3_1, V3_1_1] {
        house.endures(1, |server, number| {
            let mut client = connected(server, number, version, "unreleased");
            // A tenth of them in a debug build's time; the last ones, where numbers end.
            let ids = (1..=6_000).chain(65_000..=u16::MAX);
            publish_all(&mut client, version, ids.clone());
            follower.send(&Packet::Pingreq);
            let once =
                std::iter::from_fn(|| matches!(follower.receive(), Packet::Publish(_)).then_some(())).count();
            assert_eq!(once, ids.clone().count());
            // [MQTT-4.3.3-10] Not delivered a second time.
            publish_all(&mut client, version, ids.clone());
            follower.ping();
            let held = server.resident().saturating_sub(empty);
            assert!(held < (64 * 6_536) + (1 << 20), "{held} bytes for identifiers of two bytes");
        });
    }
    drop(follower);
    house.ends_unharmed();
}

// The same row, and broker after broker: one identifier again and again, never PUBREL. [MQTT-4.3.3-10]
#[test]
fn row_10_the_same_identifier_again_and_again() {
    let mut house = House::new();
    let mut follower = Client::connected(house.server.mqtt, V5, "follower");
    follower.subscribe("twice", QoS::AtMostOnce);
    house.endures(4, |server, number| {
        let version = [V5, V3_1_1][number / 2 % 2];
        let mut client = connected(server, number, version, "again");
        publish_all(&mut client, version, std::iter::repeat_n(7, 2_048));
        assert_eq!(&follower.message().payload[..], b"x");
        follower.ping();
    });
    drop(follower);
    house.ends_unharmed();
}

// The same row with a session that stays: what is unreleased outlives connections, and does not grow with their number.
#[test]
fn row_10_a_persistent_session_never_released() {
    let mut house = House::new();
    house.endures(2, |server, number| {
        let resumed = |session_present: bool| {
            let mut client = match number % 2 {
                0 => Client::tcp(server.mqtt),
                _ => Client::websocket(server.http),
            };
            let mut connecting = support::connect(V5, "persistent");
            if let Packet::Connect(connect) = &mut connecting {
                connect.clean_start = !session_present;
                connect.properties.session_expiry_interval_s = Some(3_600);
            }
            assert_eq!(client.connect_as(&connecting, V5).session_present, session_present);
            client
        };
        let mut client = resumed(false);
        publish_all(&mut client, V5, 1..=RECEIVE_MAXIMUM);
        is_one_too_many(&mut client, RECEIVE_MAXIMUM + 1);
        // What an earlier connection left does not count against this one, as far as it announced.
        let mut client = resumed(true);
        publish_all(&mut client, V5, RECEIVE_MAXIMUM + 1..=2 * RECEIVE_MAXIMUM);
        is_one_too_many(&mut client, 2 * RECEIVE_MAXIMUM + 1);
        for _ in 0..3 {
            is_one_too_many(&mut resumed(true), 2 * RECEIVE_MAXIMUM + 1);
        }
        // The end of the session.
        let mut client = Client::connected(server.mqtt, V5, "persistent");
        client.ping();
    });
    house.ends_unharmed();
}

/// Messages for somebody who never acknowledges one: more than wait and are under way.
const UNANSWERED: usize = 1_500;

// The same row from the other side: PUBREC is never answered by a subscriber. So many are under way, so many wait
// (`limits.session_queue_messages`), and the rest is dropped.
#[test]
fn row_10_a_subscriber_who_never_says_pubrec() {
    let mut house = House::with(&["limits.session_queue_messages=500"]);
    let empty = house.server.resident();
    let payload = vec![b'x'; 1_024];
    house.endures(1, |server, _| {
        for (number, version) in [V3_1_1, V5].into_iter().enumerate() {
            let mut mute = connected(server, number, version, "mute");
            mute.subscribe("exactly", QoS::ExactlyOnce);
            let mut publisher = Client::connected(server.mqtt, V5, "publisher");
            for _ in 0..UNANSWERED {
                publisher.publish("exactly", payload.clone(), QoS::AtLeastOnce, false);
            }
            mute.send(&Packet::Pingreq);
            let mut under_way = 0;
            while let Packet::Publish(publish) = mute.receive() {
                assert_eq!(publish.topic, PublishTopic::Name("exactly".try_into().unwrap()));
                under_way += 1;
            }
            assert_eq!(under_way, 256, "as many as one client may have unacknowledged");
            let held = server.resident().saturating_sub(empty);
            assert!(held < 500 * 2_048 + (2 << 20), "{held} bytes for one who never answers");
            // Unknown ones are answered and change nothing.
            mute.send(&Packet::Pubrec(Acknowledge::success(PacketId::new(60_000).unwrap())));
            assert!(matches!(mute.receive(), Packet::Pubrel(_)));
            mute.send(&Packet::Pubcomp(Acknowledge::success(PacketId::new(60_001).unwrap())));
            mute.ping();
        }
    });
    house.ends_unharmed();
}

// PUBREL and the others for identifiers that nobody used, in a flood: answered, and nothing is kept.
#[test]
fn row_10_acknowledgements_of_nothing() {
    let mut house = House::new();
    let flood = |first: u8| -> Vec<u8> {
        (1..=512_u16).flat_map(|id| [[first, 2], id.to_be_bytes()].concat()).collect()
    };
    house.endures(4, |server, number| {
        for version in [V3_1, V3_1_1, V5] {
            let mut client = connected(server, number, version, "acknowledges");
            // PUBACK and PUBCOMP, which need no answer; PUBREC, PUBREL.
            client.send_bytes(&[flood(0x40), flood(0x70)].concat());
            client.ping();
            client.send_bytes(&flood(0x50));
            client.send_bytes(&flood(0x62));
            for id in 1..=512 {
                let Packet::Pubrel(pubrel) = client.receive() else { panic!("no PUBREL") };
                assert_eq!(pubrel.id.number(), id);
                assert_eq!(pubrel.reason == ReasonCode::PacketIdentifierNotFound, version == V5);
            }
            for id in 1..=512 {
                let Packet::Pubcomp(pubcomp) = client.receive() else { panic!("no PUBCOMP") };
                assert_eq!(pubcomp.id.number(), id);
                assert_eq!(pubcomp.reason == ReasonCode::PacketIdentifierNotFound, version == V5);
            }
        }
    });
    house.ends_unharmed();
}
