//! What clients do, and what a watcher is told of it.

use crate::{
    support::{Client, Server, connect, get, handshake_answer, publish, request},
    watcher::Watcher,
};
use luxwire_shared::mqtt::{
    Acknowledge, Delivery, Disconnect, Packet, PacketId, Publish, PublishProperties, QoS, ReasonCode,
    Subscribable, SubscriptionId, TopicName, Unsubscribe, Version, Will, WillProperties,
};
use serde_json::{Value, json};

const VERSIONS: [(Version, &str); 3] =
    [(Version::V3_1, "3.1"), (Version::V3_1_1, "3.1.1"), (Version::V5, "5")];

/// Times are looked at for their form only.
fn assert_is_time(time: &Value) {
    let time = time.as_str().unwrap();
    assert!(time.len() == 24 && time.starts_with("20") && time.ends_with('Z'), "{time}");
}

/// CONNECT with a will that says so.
fn connect_with_will(id: &str) -> Packet {
    let Packet::Connect(mut connect) = connect(Version::V5, id) else { unreachable!() };
    connect.will = Some(Box::new(Will {
        topic: TopicName::try_from("lights/Desk/availability").unwrap(),
        payload: "offline".into(),
        qos: QoS::AtLeastOnce,
        retain: false,
        properties: WillProperties::default(),
    }));
    Packet::Connect(connect)
}

fn message(from: impl Into<Value>, topic: &str, payload: &str, to: &[u64]) -> Value {
    json!({
        "from": from.into(), "topic": topic, "payload": payload, "bytes": payload.len(), "qos": 0, "retain": false,
        "to": to, "to_more": 0, "kept": false,
    })
}

#[test]
fn a_stream_begins_with_the_broker_and_is_not_kept_anywhere() {
    let server = Server::start();
    let mut watcher = Watcher::on(std::net::TcpStream::connect(server.http).unwrap(), server.http);
    let head = watcher.head.to_lowercase();
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
    assert!(head.contains("cache-control: no-store\r\n"), "{head}");
    let whole = watcher.expect("picture");
    assert_is_time(&whole["broker"]["since"]);
    assert_eq!(whole["broker"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&whole["clients"], &whole["clients_more"]), (&json!([]), &json!(0)));
}

#[test]
fn each_client_is_drawn_as_it_came_and_goes_when_it_leaves() {
    let server = Server::start();
    let mut watcher = Watcher::of(&server);
    for (version, in_words) in VERSIONS {
        for transport in ["tcp", "websocket"] {
            let id = format!("{transport}-{in_words}");
            let mut client = match transport {
                "tcp" => Client::connected(server.mqtt, version, &id),
                _ => Client::connected_by_websocket(server.http, version, &id),
            };
            let joined = watcher.expect("joined");
            assert_is_time(&joined["since"]);
            let expected = json!({
                "key": joined["key"], "id": id, "transport": transport, "version": in_words,
                "address": client.socket().local_addr().unwrap().to_string(), "since": joined["since"],
                "follows": [], "follows_more": 0, "publishes": [], "publishes_more": 0,
            });
            assert_eq!(joined, expected);
            client.send(&Packet::Disconnect(Disconnect::because(ReasonCode::Success)));
            assert_eq!(watcher.expect("left"), json!({ "key": joined["key"] }));
        }
    }
}

#[test]
fn a_client_that_vanishes_is_drawn_no_longer_and_one_that_is_refused_never() {
    let server = Server::start();
    let mut watcher = Watcher::of(&server);
    let mut refused = Client::tcp(server.mqtt);
    refused.send(&connect(Version::V5, &"x".repeat(2_000)));
    refused.until_closed();
    let mut malformed = Client::connected(server.mqtt, Version::V5, "malformed");
    malformed.send_bytes(&[0xF0, 0xFF, 0xFF, 0xFF, 0xFF]);
    malformed.until_closed();
    drop(Client::connected(server.mqtt, Version::V5, "cut"));
    for id in ["malformed", "cut"] {
        assert_eq!(watcher.expect("joined")["id"], id);
        watcher.expect("left");
    }
    assert!(watcher.clients.is_empty());
}

#[test]
fn subscriptions_are_drawn_as_they_change() {
    let server = Server::start();
    let mut client = Client::connected(server.mqtt, Version::V5, "client");
    client.subscribe("before", QoS::AtMostOnce);
    let mut watcher = Watcher::of(&server);
    let key = watcher.key("client");
    assert_eq!(watcher.clients[&key]["follows"], json!(["before"]));
    client.subscribe("lights/+/intensity", QoS::AtLeastOnce);
    let changed = watcher.expect("changed");
    assert_eq!(
        (&changed["key"], &changed["follows"]),
        (&json!(key), &json!(["before", "lights/+/intensity"]))
    );
    let filters = vec![Subscribable::try_from("before").unwrap()];
    client.send(&Packet::Unsubscribe(Unsubscribe { id: PacketId::MIN, user_properties: vec![], filters }));
    assert_eq!(watcher.expect("changed")["follows"], json!(["lights/+/intensity"]));
}

#[test]
fn a_message_is_shown_with_who_sent_it_and_who_gets_it() {
    let server = Server::start();
    let mut dimmer = Client::connected(server.mqtt, Version::V3_1_1, "dimmer");
    let mut lamp = Client::connected(server.mqtt, Version::V5, "lamp");
    let mut page = Client::connected_by_websocket(server.http, Version::V3_1, "page");
    let mut watcher = Watcher::of(&server);
    let (from, lamp_key, page_key) = (watcher.key("dimmer"), watcher.key("lamp"), watcher.key("page"));
    dimmer.publish("lights/Desk/intensity", "40", QoS::AtMostOnce, false);
    assert_eq!(
        watcher.expect("message"),
        message(from, "lights/Desk/intensity", "40", &[]),
        "nobody follows"
    );

    lamp.subscribe("lights/Desk/intensity", QoS::AtMostOnce);
    page.subscribe("lights/+/intensity", QoS::AtLeastOnce);
    watcher.expect("changed");
    watcher.expect("changed");
    dimmer.publish("lights/Desk/intensity", "41", QoS::AtLeastOnce, true);
    let mut shown = watcher.expect("message");
    shown["to"].as_array_mut().unwrap().sort_by_key(Value::as_u64);
    let mut expected = message(from, "lights/Desk/intensity", "41", &[lamp_key, page_key]);
    expected["qos"] = json!(1);
    expected["retain"] = json!(true);
    assert_eq!(shown, expected);

    page.publish("lights/Shelf/intensity", "", QoS::AtMostOnce, false);
    assert_eq!(watcher.expect("message"), message(page_key, "lights/Shelf/intensity", "", &[page_key]));
    dimmer.publish("picture", vec![0xFF, 0xD8], QoS::AtMostOnce, false);
    let binary = watcher.expect("message");
    assert_eq!((binary.get("payload"), &binary["bytes"]), (None, &json!(2)));
}

#[test]
fn what_is_refused_or_comes_twice_does_not_travel() {
    let server = Server::start();
    let mut client = Client::tcp(server.mqtt);
    client.send(&connect_with_will("client"));
    client.receive();
    client.subscribe("#", QoS::ExactlyOnce);
    let mut other = Client::connected(server.mqtt, Version::V5, "other");
    other.subscribe("lights/Desk/availability", QoS::AtMostOnce);
    let mut watcher = Watcher::of(&server);
    client.send(&publish("$SYS/mine", "1", Delivery::AtMostOnce, false));
    let once = |dup| publish("once", "1", Delivery::ExactlyOnce { id: PacketId::MIN, dup }, false);
    client.send(&once(false));
    client.send(&once(true));
    client.send(&Packet::Pubrel(Acknowledge::success(PacketId::MIN)));
    client.send(&publish("last", "1", Delivery::AtMostOnce, false));
    assert_eq!(watcher.expect("message")["topic"], "once");
    assert_eq!(watcher.expect("message")["topic"], "last");

    // Only the broker may say this: it ends the connection, which is what its will is for.
    let subscription_ids = vec![SubscriptionId::new(1).unwrap()];
    let properties = PublishProperties { subscription_ids, ..PublishProperties::default() };
    let forbidden = Publish::new(TopicName::try_from("forbidden").unwrap(), "1");
    client.send(&Packet::Publish(Publish { properties: Some(Box::new(properties)), ..forbidden }));
    watcher.expect("left");
    let will = watcher.expect("message");
    assert_eq!((&will["from"], &will["topic"]), (&Value::Null, &json!("lights/Desk/availability")));
}

#[test]
fn a_client_identifier_that_connects_again_is_another_connection() {
    let server = Server::start();
    let first = Client::connected(server.mqtt, Version::V5, "same");
    let mut watcher = Watcher::of(&server);
    let key = watcher.key("same");
    let _second = Client::connected(server.mqtt, Version::V3_1_1, "same");
    assert_eq!(watcher.expect("left"), json!({ "key": key }));
    let joined = watcher.expect("joined");
    assert_eq!(joined["id"], "same");
    assert_ne!(joined["key"], key);
    drop(first);
    Client::connected(server.mqtt, Version::V5, "other").ping();
    assert_eq!(watcher.expect("joined")["id"], "other", "who was thrown out leaves once");
}

#[test]
fn what_the_broker_kept_comes_from_nobody() {
    let server = Server::start();
    let mut setter = Client::connected(server.mqtt, Version::V5, "setter");
    setter.publish("lights/Desk/intensity", "40", QoS::AtLeastOnce, true);
    let mut lamp = Client::connected(server.mqtt, Version::V3_1_1, "lamp");
    let mut watcher = Watcher::of(&server);
    lamp.subscribe("lights/#", QoS::AtMostOnce);
    watcher.expect("changed");
    let mut expected = message(Value::Null, "lights/Desk/intensity", "40", &[watcher.key("lamp")]);
    expected["kept"] = json!(true);
    expected["qos"] = json!(1);
    expected["retain"] = json!(true);
    assert_eq!(watcher.expect("message"), expected);
}

#[test]
fn what_waited_for_a_client_reaches_it_when_it_is_back() {
    let server = Server::start();
    let connect_keeping_session = |client: &mut Client| {
        let Packet::Connect(mut connect) = connect(Version::V5, "sleeper") else { unreachable!() };
        connect.clean_start = false;
        connect.properties.session_expiry_interval_s = Some(60);
        client.send(&Packet::Connect(connect));
        client.receive();
    };
    let mut sleeper = Client::tcp(server.mqtt);
    connect_keeping_session(&mut sleeper);
    sleeper.subscribe("news", QoS::AtLeastOnce);
    let mut watcher = Watcher::of(&server);
    sleeper.send(&Packet::Disconnect(Disconnect::because(ReasonCode::Success)));
    watcher.expect("left");
    let mut setter = Client::connected(server.mqtt, Version::V5, "setter");
    watcher.expect("joined");
    setter.publish("news", "1", QoS::AtLeastOnce, false);
    assert_eq!(watcher.expect("message")["to"], json!([]), "it sleeps");
    let mut sleeper = Client::tcp(server.mqtt);
    connect_keeping_session(&mut sleeper);
    let joined = watcher.expect("joined");
    assert_eq!((&joined["id"], &joined["follows"]), (&json!("sleeper"), &json!(["news"])));
    let kept = watcher.expect("message");
    assert_eq!(
        (&kept["from"], &kept["kept"], &kept["to"]),
        (&Value::Null, &json!(true), &json!([joined["key"]]))
    );
}

#[test]
fn a_will_follows_its_client_out() {
    let server = Server::start();
    let mut mourners: Vec<_> =
        ["one", "two"].map(|id| Client::connected(server.mqtt, Version::V5, id)).into_iter().collect();
    mourners[0].subscribe("lights/+/availability", QoS::AtMostOnce);
    mourners[1].subscribe("lights/+/availability", QoS::AtLeastOnce);
    let mut lamp = Client::tcp(server.mqtt);
    lamp.send(&connect_with_will("lamp"));
    lamp.receive();
    let mut watcher = Watcher::of(&server);
    let key = watcher.key("lamp");
    drop(lamp);
    assert_eq!(watcher.expect("left")["key"], key);
    let mut will = watcher.expect("message");
    will["to"].as_array_mut().unwrap().sort_by_key(Value::as_u64);
    let mut expected = message(
        Value::Null,
        "lights/Desk/availability",
        "offline",
        &[watcher.key("one"), watcher.key("two")],
    );
    expected["qos"] = json!(1);
    assert_eq!(will, expected);
}

#[test]
fn a_client_is_drawn_with_what_it_published() {
    let server = Server::start();
    let mut early = Client::connected(server.mqtt, Version::V5, "early");
    early.publish("lights/Desk/intensity", "40", QoS::AtLeastOnce, true);
    early.publish("unseen", "1", QoS::AtLeastOnce, false);
    let mut watcher = Watcher::of(&server);
    let publishes = |client: &Value| -> Vec<(String, String)> {
        let of_client = client["publishes"].as_array().unwrap().iter();
        of_client
            .map(|published| {
                assert_is_time(&published["set_at"]);
                let word = |name: &str| published[name].as_str().unwrap().to_owned();
                (word("topic"), word("payload"))
            })
            .collect()
    };
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(topic, payload)| ((*topic).to_owned(), (*payload).to_owned())).collect()
    };
    let key = watcher.key("early");
    let set_at = watcher.clients[&key]["publishes"][0]["set_at"].clone();
    assert_eq!(set_at, get(server.http, "/api/v1/topics").json()[0]["set_at"]);
    assert_eq!(publishes(&watcher.clients[&key]), pairs(&[("lights/Desk/intensity", "40")]));
    early.publish("seen", "2", QoS::AtLeastOnce, false);
    early.publish("lights/Desk/intensity", "41", QoS::AtLeastOnce, true);
    early.subscribe("x", QoS::AtMostOnce);
    let both = pairs(&[("lights/Desk/intensity", "41"), ("seen", "2")]);
    let changed = watcher.until("changed", |_| true);
    assert_eq!(publishes(&changed), both, "the latest first");
    early.send(&Packet::Disconnect(Disconnect::because(ReasonCode::Success)));
    let _again = Client::connected(server.mqtt, Version::V5, "early");
    let joined = watcher.until("joined", |_| true);
    assert_eq!(publishes(&joined), both, "it is known by its identifier");
    assert_eq!(Watcher::of(&server).ids(), watcher.ids());
}

#[test]
fn strange_pages_and_strange_names_are_refused() {
    let server = Server::start();
    let ask = |headers: &str| format!("GET /api/v1/picture HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
    let check = |headers: &str, status: u16, word: &str| {
        // A stream would not end.
        assert_eq!(handshake_answer(server.http, &ask(headers)).status, status);
        let detail = request(server.http, ask(headers)).json()["detail"].clone();
        assert!(detail.as_str().unwrap().contains(word), "{detail}");
    };
    check("Host: evil.example\r\n", 421, "http.allowed_hosts");
    let ours = format!("Host: {}\r\n", server.http);
    check(&format!("{ours}Origin: http://evil.example\r\n"), 403, "http.allowed_origins");
    let post = format!("POST /api/v1/picture HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.http);
    assert_eq!(request(server.http, &post).status, 405);
}

#[test]
fn programs_that_speak_no_mqtt_are_drawn_as_clients_too() {
    let server = Server::start();
    let mut watcher = Watcher::of(&server);
    let put = format!(
        "PUT /api/v1/topics/lights/Desk/intensity HTTP/1.1\r\nHost: {}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n40",
        server.http
    );
    assert!((200..300).contains(&request(server.http, &put).status));
    let joined = watcher.expect("joined");
    assert_eq!(joined["transport"], "http");
    assert!(joined["address"].as_str().unwrap().starts_with("127.0.0.1:"), "{joined}");
    let message = watcher.expect("message");
    assert_eq!((&message["from"], &message["payload"]), (&joined["key"], &json!("40")));
    assert_eq!(watcher.expect("left")["key"], joined["key"]);
}

#[test]
fn the_stream_ends_in_order_when_the_server_stops() {
    let mut server = Server::start();
    // Without clients there is nobody else to wait for.
    let mut watchers = [Watcher::of(&server), Watcher::of(&server)];
    server.signal(rustix::process::Signal::TERM);
    for watcher in &mut watchers {
        while watcher.next_or_end().is_some() {}
    }
    assert_eq!(server.ended().code(), Some(0));
}
