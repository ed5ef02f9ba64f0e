//! Sessions and subscriptions that come and go: shared and not, taken over, left behind.

use crate::{
    bytes::{connect, packet, subscribe, text, unsubscribe},
    house::{House, REPETITIONS},
    support::{self, Client, Server, eventually},
};
use luxwire_shared::mqtt::{
    Delivery, Packet, PacketId, Publish, QoS,
    ReasonCode::{self, NoMatchingSubscribers, NoSubscriptionExisted, Success},
    Version::{self, V3_1_1, V5},
};

/// Says SUBSCRIBE or UNSUBSCRIBE and takes the only reason of the answer; before 5.0 UNSUBACK has none.
fn answer(client: &mut Client, bytes: &[u8]) -> Option<ReasonCode> {
    client.send_bytes(bytes);
    match client.receive() {
        Packet::Suback(suback) => suback.reasons.first().copied(),
        Packet::Unsuback(unsuback) => unsuback.reasons.first().copied(),
        other => panic!("{other:?}"),
    }
}

/// Whether somebody follows this topic.
fn is_followed(publisher: &mut Client, topic: &str) -> bool {
    publisher.send(&Packet::Publish(Publish {
        delivery: Delivery::first(QoS::AtLeastOnce, PacketId::MIN),
        ..Publish::new(topic.try_into().unwrap(), "x")
    }));
    match publisher.receive() {
        Packet::Puback(puback) => puback.reason != NoMatchingSubscribers,
        other => panic!("{other:?}"),
    }
}

/// Over TCP and WebSocket in turn.
fn connected(server: &Server, number: usize, version: Version, id: &str) -> Client {
    match number % 2 {
        0 => Client::connected(server.mqtt, version, id),
        _ => Client::connected_by_websocket(server.http, version, id),
    }
}

// Row 13, mosquitto CVE-2024-8376 and 2.0.19: SUBSCRIBE to `$share/g/a`, UNSUBSCRIBE from `a`, and the reverse; the end
// of the connection, or a takeover, in between. Neither takes the other's place, and nothing is left of either.
#[test]
fn row_13_shared_subscriptions_unsubscribed_as_what_they_are_not() {
    let mut house = House::new();
    let mut publisher = Client::connected(house.server.mqtt, V5, "publisher");
    house.endures(4 * REPETITIONS, |server, number| {
        let version = [V5, V3_1_1][number / 2 % 2];
        let mut client = connected(server, number, version, "shares");
        let (joined, other) = [("$share/g/a", "a"), ("a", "$share/g/a")][number / 4 % 2];
        assert_eq!(answer(&mut client, &subscribe(version, joined, 0)), Some(Success));
        let nothing = (version == V5).then_some(NoSubscriptionExisted);
        assert_eq!(answer(&mut client, &unsubscribe(version, other)), nothing);
        assert!(is_followed(&mut publisher, "a"));
        assert!(matches!(client.receive(), Packet::Publish(_)));
        match number / 8 % 4 {
            // The end in order; cut; another one with the same name, twice.
            0 => {
                client.send_bytes(&[0xE0, 0x00]);
                client.until_closed();
            }
            1 => drop(client),
            _ => {
                let mut next = connected(server, number, V5, "shares");
                assert_eq!(answer(&mut next, &subscribe(V5, other, 0)), Some(Success));
                assert_eq!(answer(&mut next, &unsubscribe(V5, joined)), Some(NoSubscriptionExisted));
                assert_eq!(answer(&mut next, &unsubscribe(V5, other)), Some(Success));
                let taken_over = client.until_closed();
                assert_eq!(taken_over.len(), usize::from(version == V5), "{taken_over:?}");
                drop(next);
            }
        }
        eventually("nobody follows it", || (!is_followed(&mut publisher, "a")).then_some(()));
    });
    drop(publisher);
    house.ends_unharmed();
}

// The same with sessions that outlive their connections, are resumed, and end by a clean start.
#[test]
fn row_13_shared_subscriptions_of_sessions_that_stay() {
    let mut house = House::new();
    let mut publisher = Client::connected(house.server.mqtt, V5, "publisher");
    house.endures(2 * REPETITIONS, |server, number| {
        let kept = |session_present: bool| {
            let mut client = Client::tcp(server.mqtt);
            let mut connecting = support::connect(V5, "keeps");
            if let Packet::Connect(connect) = &mut connecting {
                connect.clean_start = !session_present;
                connect.properties.session_expiry_interval_s = Some(3_600);
            }
            assert_eq!(client.connect_as(&connecting, V5).session_present, session_present);
            client
        };
        let mut client = kept(false);
        answer(&mut client, &subscribe(V5, "$share/g/a", 1));
        answer(&mut client, &subscribe(V5, "$share/h/a", 1));
        answer(&mut client, &subscribe(V5, "a", 1));
        answer(&mut client, &unsubscribe(V5, "$share/g/a"));
        drop(client);
        // Waits for it, once by itself and once by the group that is left.
        assert!(is_followed(&mut publisher, "a"));
        let mut client = kept(true);
        assert!(matches!(client.receive(), Packet::Publish(_)));
        assert!(matches!(client.receive(), Packet::Publish(_)));
        match number % 2 {
            0 => drop(client),
            // Taken over, with messages that nobody acknowledged.
            _ => assert!(is_followed(&mut publisher, "a")),
        }
        let mut last = Client::connected(server.mqtt, V5, "keeps");
        assert!(!is_followed(&mut publisher, "a"));
        last.ping();
    });
    drop(publisher);
    house.ends_unharmed();
}

// Hundreds of names, each with a session that waits a second with what came for it. All of it ends by itself.
#[test]
fn row_13_sessions_of_names_that_never_come_back() {
    let mut house = House::new();
    let mut publisher = Client::connected(house.server.mqtt, V5, "publisher");
    let mut named = 0;
    house.endures(1, |server, _| {
        for number in 0..REPETITIONS {
            let mut client = connected_with_expiry(server, &format!("name {named}"));
            named += 1;
            answer(&mut client, &subscribe(V5, "left/behind", 1));
            answer(&mut client, &subscribe(V5, format!("left/behind/{number}"), 1));
            drop(client);
        }
        publisher.publish("left/behind", vec![b'x'; 1_024], QoS::AtLeastOnce, false);
        eventually("nobody follows it", || (!is_followed(&mut publisher, "left/behind")).then_some(()));
    });
    drop(publisher);
    house.ends_unharmed();
}

fn connected_with_expiry(server: &Server, id: &str) -> Client {
    let mut client = Client::tcp(server.mqtt);
    let mut connecting = support::connect(V5, id);
    if let Packet::Connect(connect) = &mut connecting {
        connect.properties.session_expiry_interval_s = Some(1);
    }
    client.connect_as(&connecting, V5);
    client
}

// One name, connected again and again by connections that all stay open: each takes the place of the one before.
#[test]
fn row_13_one_name_taken_over_again_and_again() {
    let mut house = House::new();
    house.endures(REPETITIONS, |server, number| {
        let versions = [V5, V3_1_1];
        let mut one = connected(server, number, versions[number % 2], "one name");
        let mut crowd = Vec::new();
        for other in 0..4 {
            crowd.push(connected(server, other, versions[other % 2], "one name"));
        }
        let told = |packets: &[Packet]| {
            matches!(packets, [Packet::Disconnect(disconnect)] if disconnect.reason == ReasonCode::SessionTakenOver)
        };
        // [MQTT-3.1.4-3]
        assert_eq!(told(&one.until_closed()), number % 2 == 0);
        let mut last = crowd.pop().unwrap();
        for (other, mut client) in crowd.into_iter().enumerate() {
            assert_eq!(told(&client.until_closed()), other % 2 == 0);
        }
        last.ping();
    });
    house.ends_unharmed();
}

// A SUBSCRIBE of as many filters as one packet holds, and the UNSUBSCRIBE of all of them. A session has
// 10,000 of them; the others are refused one by one.
#[test]
fn row_13_as_many_filters_as_a_packet_holds() {
    const MOST: usize = 10_000;
    let mut house = House::new();
    let filters: Vec<String> = (0..MOST + 500).map(|number| format!("f/{number}")).collect();
    let list = |first: u8, with_options: bool| {
        let filters =
            filters.iter().flat_map(|filter| [text(filter), vec![0; usize::from(with_options)]].concat());
        packet(first, [vec![0, 1, 0], filters.collect()].concat())
    };
    let (subscribe, unsubscribe) = (list(0x82, true), list(0xA2, false));
    house.endures(2, |server, number| {
        let mut client = connected(server, number, V5, "greedy");
        client.send_bytes(&subscribe);
        let Packet::Suback(suback) = client.receive() else { panic!("no SUBACK") };
        let refused = suback.reasons.iter().filter(|reason| **reason == ReasonCode::QuotaExceeded).count();
        assert_eq!((suback.reasons.len(), refused), (filters.len(), 500));
        if number % 2 == 0 {
            client.send_bytes(&unsubscribe);
            let Packet::Unsuback(unsuback) = client.receive() else { panic!("no UNSUBACK") };
            let none = unsuback.reasons.iter().filter(|reason| **reason == NoSubscriptionExisted).count();
            assert_eq!((unsuback.reasons.len(), none), (filters.len(), 500));
        }
        // Over and over in another packet: nothing is counted twice.
        client.send_bytes(&connect(V5, "again"));
        client.until_closed();
    });
    house.ends_unharmed();
}

// The same filter as often as a packet holds it: what is kept would be sent again each time. Eight times it is.
#[test]
fn row_13_the_same_filter_as_often_as_a_packet_holds_it() {
    const TIMES: usize = 5_000;
    let mut house = House::new();
    let mut keeper = Client::connected(house.server.mqtt, V5, "keeper");
    keeper.publish("kept", "x", QoS::AtLeastOnce, true);
    let filters = [text("kept"), vec![0]].concat().repeat(TIMES);
    house.endures(16, |server, number| {
        let mut client = connected(server, number, V5, "greedy");
        client.send_bytes(&packet(0x82, [&[0, 1, 0], &filters[..]].concat()));
        let Packet::Suback(suback) = client.receive() else { panic!("no SUBACK") };
        let refused = suback.reasons.iter().filter(|reason| **reason == ReasonCode::QuotaExceeded).count();
        assert_eq!((suback.reasons.len(), refused), (TIMES, TIMES - 8));
        for _ in 0..8 {
            assert_eq!(client.message().payload, "x");
        }
        client.ping();
    });
    keeper.publish("kept", "", QoS::AtLeastOnce, true);
    drop(keeper);
    house.ends_unharmed();
}
