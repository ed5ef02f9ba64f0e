//! Bounds: how many may come, how long they may say nothing, and how much they may say.

use crate::support::{Client, DEADLINE, Server, eventually, program, publish, websocket_request};
use luxwire_shared::mqtt::{Delivery, Packet, QoS, ReasonCode, Version};
use socket2::{Domain, Socket, Type};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

#[test]
fn beyond_the_connection_limit_nobody_is_let_in_until_somebody_leaves() {
    let server = Server::with(&["limits.connections=2"]);
    let mut first = Client::connected(server.mqtt, Version::V5, "first");
    let mut second = Client::connected_by_websocket(server.http, Version::V5, "second");
    assert_eq!(Client::tcp(server.mqtt).until_closed(), []);
    assert_eq!(Client::handshake(websocket_request(server.http)).err(), Some(503));
    server.logged(&["WARN", "MQTT connections are refused", "open=2"]);
    first.ping();
    second.ping();
    drop(first);
    let mut third =
        eventually("a place for another client", || Client::handshake(websocket_request(server.http)).ok());
    third.connect(Version::V5, "third");
    drop(second);
    server.logged(&["disconnected", "\"second\""]);
    Client::connected(server.mqtt, Version::V3_1_1, "fourth").ping();
}

#[test]
fn the_page_and_its_interface_do_not_count_as_mqtt_connections() {
    let server = Server::with(&["limits.connections=1"]);
    let _client = Client::connected(server.mqtt, Version::V5, "only");
    assert_eq!(crate::support::get(server.http, "/healthz").status, 200);
}

#[test]
fn a_client_that_does_not_say_connect_in_time_is_closed() {
    let server = Server::with(&["limits.connect_timeout_s=1"]);
    let mut half = Client::tcp(server.mqtt);
    half.send_bytes(&[0x10, 0x20, 0x00, 0x04]);
    for mut client in [half, Client::tcp(server.mqtt), Client::websocket(server.http)] {
        let started = Instant::now();
        assert_eq!(client.until_closed(), []);
        assert!(started.elapsed() < DEADLINE / 2, "{:?}", started.elapsed());
    }
    server.logged(&["DEBUG", "not connected", "no CONNECT in time"]);
}

#[test]
fn whoever_begins_with_another_packet_need_not_finish_it() {
    let server = Server::start();
    // PUBLISH, CONNACK, PINGREQ, and the beginning of an HTTP request.
    for first in [0x30, 0x20, 0xC0, b'G'] {
        let started = Instant::now();
        for mut client in [Client::tcp(server.mqtt), Client::websocket(server.http)] {
            client.send_bytes(&[first]);
            assert_eq!(client.until_closed(), [], "{first:#04x}");
        }
        assert!(started.elapsed() < Duration::from_secs(5), "it waited for the rest of {first:#04x}");
    }
}

#[test]
fn a_stranger_may_not_send_much() {
    let server = Server::start();
    for mut client in [Client::tcp(server.mqtt), Client::websocket(server.http)] {
        // A CONNECT that claims 70,000 bytes, within the limit of those who are known.
        client.send_bytes(&[0x10, 0xF0, 0xA2, 0x04, 0x00, 0x04, b'M', b'Q', b'T', b'T']);
        assert_eq!(client.until_closed(), []);
    }
}

// [MQTT-3.2.2.3.6]
#[test]
fn a_packet_above_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let server = Server::with(&["limits.packet_size=64 KiB"]);
    for websocket in [false, true] {
        let mut client = if websocket {
            Client::connected_by_websocket(server.http, Version::V5, "client")
        } else {
            Client::connected(server.mqtt, Version::V5, "client")
        };
        // Fixed header 4, topic 3, property length 1.
        let payload_max = (64 << 10) - 8;
        client.publish("a", vec![0; payload_max], QoS::AtMostOnce, false);
        client.ping();
        client.send(&publish("a", vec![0; payload_max + 1], Delivery::AtMostOnce, false));
        let packets = client.until_closed();
        let [Packet::Disconnect(disconnect)] = &packets[..] else { panic!("{packets:?}") };
        assert_eq!(disconnect.reason, ReasonCode::PacketTooLarge);
    }
}

#[test]
fn the_last_words_arrive_though_the_client_goes_on_talking() {
    let server = Server::start();
    let mut client = Client::connected(server.mqtt, Version::V5, "talker");
    // PUBLISH with QoS 3, and far more than is read at once. A socket that is closed with unread bytes cuts the client
    // short, and on some systems takes back what it sent.
    client.send_bytes(&[0x36, 0x00]);
    client.try_send_bytes(&vec![0; 16 << 20]).expect("the server hears the client out");
    let packets = client.until_closed();
    let [Packet::Disconnect(disconnect)] = &packets[..] else { panic!("{packets:?}") };
    assert_eq!(disconnect.reason, ReasonCode::MalformedPacket);
}

#[test]
fn an_http_request_that_never_ends_does() {
    let server = Server::with(&["limits.connect_timeout_s=1"]);
    let socket = TcpStream::connect(server.http).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    (&socket).write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ").unwrap();
    let mut answer = Vec::new();
    (&socket).read_to_end(&mut answer).expect("the server closes the connection");
}

#[test]
fn without_descriptors_new_clients_wait_and_the_others_are_served() {
    let mut command = std::process::Command::new("sh");
    let serve = "ulimit -n 64 && exec \"$0\" serve --http 127.0.0.1:0 --mqtt 127.0.0.1:0 --set limits.connections=1000";
    command.args(["-c", serve]).arg(program().get_program());
    let server = Server::from(command);
    server.logged(&["WARN", "limits.connections is 1000", "LimitNOFILE="]);
    let mut first = Client::connected(server.mqtt, Version::V5, "first");
    let mut waiting: Vec<_> = (0..80).map(|_| TcpStream::connect(server.mqtt).unwrap()).collect();
    server.logged(&["ERROR", "no connection can be accepted for now"]);
    first.ping();
    // The listener rests between its attempts, and says so once.
    let busy = server.processor_time();
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(1) {
        first.ping();
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let busy = server.processor_time() - busy;
    assert!(busy < Duration::from_millis(500), "{busy:?} of a second");
    assert_eq!(server.log().matches("no connection can be accepted").count(), 1);
    waiting.clear();
    Client::connected(server.mqtt, Version::V5, "later").ping();
}

#[test]
fn readers_of_long_lists_who_do_not_read_are_few() {
    let server = Server::start();
    let mut client = Client::connected(server.mqtt, Version::V5, "setter");
    for number in 0..10 {
        client.publish(&format!("large/{number}"), vec![b'x'; 1_000_000], QoS::AtLeastOnce, true);
    }
    let ask = |filter: &str| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        socket.connect(&server.http.into()).unwrap();
        let socket = TcpStream::from(socket);
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let request = format!("GET /api/v1/topics?filter={filter} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        (&socket).write_all(request.as_bytes()).unwrap();
        let mut status = [0; 12];
        (&socket).read_exact(&mut status).unwrap();
        (socket, String::from_utf8(status.to_vec()).unwrap())
    };
    let mut readers: Vec<_> = (0..8).map(|_| ask("large/%23")).collect();
    assert!(readers.iter().all(|(_, status)| status == "HTTP/1.1 200"));
    assert_eq!(ask("large/%23").1, "HTTP/1.1 503");
    assert_eq!(ask("small/%23").1, "HTTP/1.1 200");
    readers.pop();
    eventually("room for another long list", || (ask("large/%23").1 == "HTTP/1.1 200").then_some(()));
}
