//! Bounds: how many watch, how much each is told, and what happens to those who do not read.

use crate::{
    support::{Client, DEADLINE, Server, connect, encode, eventually, get, publish},
    watcher::Watcher,
};
use bytes::BytesMut;
use luxwire_shared::mqtt::{
    Delivery, Packet, PacketId, QoS, Subscribable, Subscribe, SubscribeFilter, Version,
};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use std::{net::TcpStream, time::Instant};

const WATCHERS: usize = 16;

#[test]
fn only_so_many_watch_at_once() {
    let server = Server::start();
    let mut watchers: Vec<_> = (0..WATCHERS).map(|_| Watcher::of(&server)).collect();
    assert!(!is_let_in(&server));
    let refused = get(server.http, "/api/v1/picture");
    assert_eq!((refused.status, refused.header("content-type")), (503, Some("application/problem+json")));
    assert!(refused.json()["detail"].as_str().unwrap().contains("16"), "{}", refused.text());
    let _client = Client::connected(server.mqtt, Version::V5, "client");
    for watcher in &mut watchers {
        assert_eq!(watcher.expect("joined")["id"], "client");
    }
    watchers.pop();
    eventually("a place for another watcher", || is_let_in(&server).then_some(()));
    assert_eq!(Watcher::of(&server).ids(), ["client"].into());
}

/// Whether somebody may watch, who then does not.
fn is_let_in(server: &Server) -> bool {
    let watcher = Watcher::on(TcpStream::connect(server.http).unwrap(), server.http);
    watcher.head.starts_with("HTTP/1.1 200 ")
}

/// Publishes so many numbered messages as fast as the server takes them, and returns when it has.
fn flood(flooder: &mut Client, messages: usize) {
    let mut bytes = BytesMut::new();
    for number in 0..messages {
        bytes.extend(encode(&publish("flood", number.to_string(), Delivery::AtMostOnce, false), Version::V5));
    }
    flooder.send_bytes(&bytes);
    flooder.ping();
}

#[test]
fn of_a_flood_every_message_is_shown_or_counted_and_nobody_suffers() {
    const MESSAGES: usize = 100_000;
    const FOLLOWERS: usize = 3;
    let server = Server::start();
    let mut watcher = Watcher::of(&server);
    let _followers: Vec<_> = (0..FOLLOWERS)
        .map(|number| {
            // They say so and do not read: whether copies reach them is not the picture's business.
            let mut client = Client::connected(server.mqtt, Version::V5, &format!("follower-{number}"));
            client.subscribe("flood", QoS::AtMostOnce);
            client
        })
        .collect();
    let mut flooder = Client::connected(server.mqtt, Version::V5, "flooder");
    let mut other = Client::connected(server.mqtt, Version::V5, "other");
    let before = server.resident();
    std::thread::scope(|scope| {
        let flood = scope.spawn(|| flood(&mut flooder, MESSAGES));
        let started = Instant::now();
        while !flood.is_finished() {
            other.ping();
        }
        assert!(started.elapsed() < DEADLINE);
    });
    other.publish("after", "1", QoS::AtMostOnce, false);
    watcher.until_so(|watcher| watcher.messages_in_all() > MESSAGES);
    assert_eq!(watcher.messages_in_all(), MESSAGES + 1);
    assert_eq!(watcher.deliveries_in_all(), MESSAGES * FOLLOWERS);
    assert!(watcher.messages >= 30 && watcher.more_messages > MESSAGES / 2, "{}", watcher.messages);
    let grown = server.resident().saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes more in use");
}

#[test]
fn a_flood_does_not_hide_another_client() {
    let server = Server::start();
    let mut flooder = Client::connected(server.mqtt, Version::V5, "flooder");
    let mut dimmer = Client::connected(server.mqtt, Version::V5, "dimmer");
    let mut watcher = Watcher::of(&server);
    let key = watcher.key("dimmer");
    for value in 0..5 {
        flood(&mut flooder, 1_000);
        dimmer.publish("lights/Desk/intensity", value.to_string(), QoS::AtMostOnce, false);
        dimmer.ping();
    }
    for value in 0..5 {
        let shown = watcher.until("message", |message| message["from"] == key);
        assert_eq!(shown["payload"], value.to_string());
    }
}

#[test]
fn only_so_many_receivers_are_named_and_the_others_counted() {
    const FOLLOWERS: usize = 300;
    let server = Server::start();
    let followers: Vec<_> = (0..FOLLOWERS)
        .map(|number| {
            let mut client = Client::connected(server.mqtt, Version::V3_1_1, &format!("follower-{number}"));
            client.subscribe("all", QoS::AtMostOnce);
            client
        })
        .collect();
    let mut watcher = Watcher::of(&server);
    assert_eq!(watcher.clients.len(), followers.len());
    let mut sender = Client::connected(server.mqtt, Version::V5, "sender");
    watcher.expect("joined");
    sender.publish("all", "1", QoS::AtMostOnce, false);
    let message = watcher.expect("message");
    assert_eq!((message["to"].as_array().unwrap().len(), &message["to_more"]), (256, &json!(44)));
}

#[test]
fn of_many_subscriptions_and_topics_some_are_listed_and_the_others_counted() {
    let server = Server::start();
    let mut watcher = Watcher::of(&server);
    let mut client = Client::connected(server.mqtt, Version::V5, "client");
    watcher.expect("joined");
    let filters: Vec<_> = (0..100)
        .map(|number| Subscribable::try_from(format!("f/{number:03}").as_str()).unwrap())
        .map(|filter| SubscribeFilter::new(filter, QoS::AtMostOnce))
        .collect();
    let subscribe =
        Subscribe { id: PacketId::MIN, subscription_id: None, user_properties: Vec::new(), filters };
    client.send(&Packet::Subscribe(subscribe));
    let changed = watcher.expect("changed");
    assert_eq!((changed["follows"].as_array().unwrap().len(), &changed["follows_more"]), (32, &json!(68)));
    for number in 0..20 {
        client.publish(&format!("t/{number:02}"), "1", QoS::AtMostOnce, true);
    }
    client.receive();
    client.ping();
    let again = Watcher::of(&server);
    let of_client = &again.clients[&again.key("client")];
    let publishes = of_client["publishes"].as_array().unwrap();
    assert_eq!((publishes.len(), &of_client["publishes_more"]), (16, &json!(4)));
    assert_eq!(publishes[0]["topic"], "t/19", "the latest first");
}

#[test]
fn a_client_that_changes_all_the_time_is_told_of_now_and_then_and_truly() {
    const CHANGES: usize = 2_000;
    let server = Server::start();
    let mut watcher = Watcher::of(&server);
    let mut client = Client::connected(server.mqtt, Version::V5, "client");
    let mut bytes = BytesMut::new();
    for number in 0..CHANGES {
        let packet = crate::support::subscribe(PacketId::MIN, &format!("f/{number}"), QoS::AtMostOnce);
        bytes.extend(encode(&packet, Version::V5));
    }
    client.send_bytes(&bytes);
    let mut told = 0;
    watcher.until("changed", |changed| {
        told += 1;
        changed["follows"].as_array().unwrap().len() as u64 + changed["follows_more"].as_u64().unwrap()
            == CHANGES as u64
    });
    assert!(told < CHANGES / 4, "told {told} times");
}

#[test]
fn however_many_come_and_go_at_once_the_picture_is_true_in_the_end() {
    const CLIENTS: usize = 600;
    let server = Server::start();
    let mut watcher = Watcher::of(&server);
    let mut sockets: Vec<_> = (0..CLIENTS).map(|_| Client::tcp(server.mqtt)).collect();
    for (number, client) in sockets.iter_mut().enumerate() {
        client.send(&connect(Version::V5, &format!("client-{number}")));
    }
    for client in &mut sockets {
        client.receive();
    }
    watcher.until_so(|watcher| watcher.clients.len() == CLIENTS);
    // Every other one leaves, all at once.
    let mut number = 0;
    sockets.retain(|_| {
        number += 1;
        number % 2 == 0
    });
    watcher.until_so(|watcher| watcher.clients.len() == CLIENTS / 2);
    assert!(watcher.ids().contains("client-1") && !watcher.ids().contains("client-0"));
    assert_eq!(watcher.ids(), Watcher::of(&server).ids());
}

/// A connection for which the system holds little.
fn narrow_socket(server: &Server) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    socket.connect(&server.http.into()).unwrap();
    socket.into()
}

/// Two clients that publish what is as long as possible in the picture.
struct Talkers {
    clients: Vec<Client>,
    messages: usize,
}

impl Talkers {
    fn of(server: &Server) -> Self {
        let ids = ["talker-0", "talker-1"];
        Self { clients: ids.map(|id| Client::connected(server.mqtt, Version::V5, id)).into(), messages: 0 }
    }

    fn talk(&mut self) {
        let topic = "\u{1}".repeat(128);
        for _ in 0..500 {
            for client in &mut self.clients {
                client.publish(&topic, "\u{1}".repeat(64), QoS::AtMostOnce, false);
                client.ping();
                self.messages += 1;
            }
        }
    }
}

#[test]
fn a_watcher_that_reads_late_loses_messages_and_no_truth() {
    let server = Server::start();
    let mut watcher = Watcher::on(narrow_socket(&server), server.http);
    watcher.expect("picture");
    let leaves = Client::connected(server.mqtt, Version::V5, "leaves");
    let mut stays = Client::connected(server.mqtt, Version::V5, "stays");
    let mut other = Watcher::of(&server);
    let mut talkers = Talkers::of(&server);
    // The system takes megabytes for a socket before the server has to hold anything.
    while other.messages < 6_000 {
        talkers.talk();
        other.until_so(|other| other.messages_in_all() == talkers.messages);
    }
    let messages = talkers.messages;
    drop(talkers);
    drop(leaves);
    stays.subscribe("x", QoS::AtMostOnce);
    let _joins = Client::connected(server.mqtt, Version::V5, "joins");
    other.until_so(|other| other.ids() == ["joins", "stays"].into());

    watcher.until_so(|watcher| {
        watcher.messages_in_all() == messages && watcher.ids() == ["joins", "stays"].into()
    });
    assert_eq!(watcher.wholes, 2, "the whole was shown again");
    assert!(watcher.messages < other.messages, "{} of {}", watcher.messages, other.messages);
    assert_eq!(watcher.clients[&watcher.key("stays")]["follows"], json!(["x"]));
    stays.publish("y", "1", QoS::AtMostOnce, false);
    let message = watcher.until("message", |message| message["topic"] == "y");
    assert_eq!(message["from"], Value::from(watcher.key("stays")), "it goes on as before");
}

#[test]
fn a_watcher_that_never_reads_costs_little_and_is_cut_off() {
    let server = Server::with(&["limits.stall_timeout_s=1"]);
    let before = server.resident();
    let frozen: Vec<_> = (0..WATCHERS).map(|_| Watcher::on(narrow_socket(&server), server.http)).collect();
    let mut talkers = Talkers::of(&server);
    let mut grown = 0;
    eventually("a place", || {
        talkers.talk();
        grown = grown.max(server.resident().saturating_sub(before));
        is_let_in(&server).then_some(())
    });
    assert!(grown < 32 << 20, "{grown} bytes more in use");
    drop(frozen);
}
