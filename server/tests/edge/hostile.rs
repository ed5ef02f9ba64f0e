//! Bytes that broke other brokers, on both ports. The server closes the connection, or waits for more; it lives on.

use crate::support::{Client, Server, connect, encode};
use luxwire_shared::mqtt::Version;
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

const VERSIONS: [Version; 2] = [Version::V3_1_1, Version::V5];

/// Sends `bytes` first, or behind a CONNECT that is accepted, over both transports, and expects to be closed.
#[track_caller]
fn check_closed(server: &Server, after_connect: Option<Version>, bytes: &[u8]) {
    for websocket in [false, true] {
        let mut client = match (websocket, after_connect) {
            (false, None) => Client::tcp(server.mqtt),
            (true, None) => Client::websocket(server.http),
            (false, Some(version)) => Client::connected(server.mqtt, version, "hostile"),
            (true, Some(version)) => Client::connected_by_websocket(server.http, version, "hostile"),
        };
        // It may be closed before everything is sent.
        let _ = client.try_send_bytes(bytes);
        client.until_closed_unread();
    }
}

fn check_lives(server: &Server) {
    let mut client = Client::connected(server.mqtt, Version::V5, "witness");
    client.ping();
    let mut client = Client::connected_by_websocket(server.http, Version::V3_1_1, "witness");
    client.ping();
    assert!(!server.log().contains("a mistake in luxwire"), "it panicked");
}

#[test]
fn what_is_no_connect_comes_first() {
    let server = Server::start();
    for bytes in [
        &[0x00, 0x00][..],
        &[0x40, 0x02, 0x00, 0x01],
        &[0x20, 0x02, 0x00, 0x00],
        &[0x90, 0x03, 0x00, 0x01, 0x00],
        &[0xB0, 0x02, 0x00, 0x01],
        &[0xD0, 0x00],
        &[0xE0, 0x00],
        &[0xF0, 0x00],
        &[0x82, 0x06, 0x00, 0x01, 0x00, 0x01, b'a', 0x00],
        &[0xFF; 64],
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01],
    ] {
        check_closed(&server, None, bytes);
    }
    check_lives(&server);
}

#[test]
fn connects_that_are_none() {
    let server = Server::start();
    for bytes in [
        // Four bytes that make one codec panic.
        &[0x10, 0x02, 0x00, 0x00][..],
        &[0x10, 0x00],
        // A length of five bytes; a length above every limit.
        &[0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        &[0x10, 0xFF, 0xFF, 0xFF, 0x7F],
        // Protocol names and levels that do not exist.
        &[0x10, 0x0C, 0x00, 0x04, b'H', b'T', b'T', b'P', 0x04, 0x02, 0x00, 0x00, 0x00, 0x00],
        &[0x10, 0x0C, 0x00, 0x04, b'M', b'Q', b'T', b'T', 0x09, 0x02, 0x00, 0x00, 0x00, 0x00],
        // The reserved flag; QoS 3 of a will; a will flag without a will.
        &[0x10, 0x0C, 0x00, 0x04, b'M', b'Q', b'T', b'T', 0x04, 0x03, 0x00, 0x00, 0x00, 0x00],
        &[0x10, 0x0C, 0x00, 0x04, b'M', b'Q', b'T', b'T', 0x04, 0x1E, 0x00, 0x00, 0x00, 0x00],
        &[0x10, 0x0C, 0x00, 0x04, b'M', b'Q', b'T', b'T', 0x04, 0x06, 0x00, 0x00, 0x00, 0x00],
        // A client identifier that is longer than the packet.
        &[0x10, 0x0C, 0x00, 0x04, b'M', b'Q', b'T', b'T', 0x04, 0x02, 0x00, 0x00, 0xFF, 0xFF],
        // 5.0: properties longer than the packet; their length in five bytes; one of them twice; one unknown.
        &[0x10, 0x0D, 0x00, 0x04, b'M', b'Q', b'T', b'T', 0x05, 0x02, 0x00, 0x00, 0x7F, 0x00, 0x00],
        &[
            0x10, 0x11, 0x00, 0x04, b'M', b'Q', b'T', b'T', 0x05, 0x02, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF,
            0x7F, 0x00, 0x00,
        ],
        &[
            0x10, 0x13, 0x00, 0x04, b'M', b'Q', b'T', b'T', 0x05, 0x02, 0x00, 0x00, 0x06, 0x21, 0x00, 0x05,
            0x21, 0x00, 0x05, 0x00, 0x00,
        ],
        &[
            0x10, 0x0F, 0x00, 0x04, b'M', b'Q', b'T', b'T', 0x05, 0x02, 0x00, 0x00, 0x02, 0x7E, 0x00, 0x00,
            0x00,
        ],
    ] {
        check_closed(&server, None, bytes);
    }
    check_lives(&server);
}

#[test]
fn packets_that_are_none() {
    let server = Server::start();
    for version in VERSIONS {
        for bytes in [
            // PUBLISH: empty topic, wildcards, U+0000, not UTF-8, QoS 3, DUP at QoS 0, id 0, topic beyond the packet.
            &[0x30, 0x03, 0x00, 0x00, 0x00][..],
            &[0x30, 0x04, 0x00, 0x01, b'#', 0x00],
            &[0x30, 0x04, 0x00, 0x01, 0x00, 0x00],
            &[0x30, 0x05, 0x00, 0x02, 0xC3, 0x28, 0x00],
            &[0x36, 0x06, 0x00, 0x01, b'a', 0x00, 0x01, 0x00],
            &[0x38, 0x04, 0x00, 0x01, b'a', 0x00],
            &[0x32, 0x06, 0x00, 0x01, b'a', 0x00, 0x00, 0x00],
            &[0x30, 0x02, 0xFF, 0xFF],
            &[0x30, 0x01, 0x00],
            &[0x30, 0x00],
            // SUBSCRIBE: wrong flags, no filter, cut short, id 0, QoS 3, forms of $share that are none.
            &[0x80, 0x07, 0x00, 0x01, 0x00, 0x00, 0x01, b'a', 0x00],
            &[0x82, 0x02, 0x00, 0x01],
            &[0x82, 0x03, 0x00, 0x01, 0x00],
            &[0x82, 0x05, 0x00, 0x01, 0x00, 0x00, 0x00],
            &[0x82, 0x06, 0x00, 0x01, 0x00, 0x00, 0x01, b'a'],
            &[0x82, 0x07, 0x00, 0x00, 0x00, 0x00, 0x01, b'a', 0x00],
            &[0x82, 0x07, 0x00, 0x01, 0x00, 0x00, 0x01, b'a', 0x03],
            &[0x82, 0x0C, 0x00, 0x01, 0x00, 0x00, 0x06, b'$', b's', b'h', b'a', b'r', b'e', 0x00],
            // UNSUBSCRIBE: no filter, cut short.
            &[0xA2, 0x02, 0x00, 0x01],
            &[0xA2, 0x04, 0x00, 0x01, 0x00, 0x00],
            // What only servers send; what has the wrong flags or length; a second CONNECT.
            &[0x20, 0x02, 0x00, 0x00],
            &[0x90, 0x03, 0x00, 0x01, 0x00],
            &[0xB0, 0x02, 0x00, 0x01],
            &[0xD0, 0x00],
            &[0xC1, 0x00],
            &[0xC0, 0x01, 0x00],
            &[0x60, 0x02, 0x00, 0x01],
            &[0x40, 0x02, 0x00, 0x00],
            &[0x00, 0x00],
            &[0xF1, 0x00],
            &encode(&connect(version, "again"), version),
            // A packet that claims more than the limit.
            &[0x30, 0xFF, 0xFF, 0xFF, 0x7F],
            &[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        ] {
            check_closed(&server, Some(version), bytes);
        }
    }
    check_lives(&server);
}

#[test]
fn topics_of_nothing_but_levels_cost_little() {
    let server = Server::start();
    let mut client = Client::connected(server.mqtt, Version::V5, "levels");
    client.subscribe("#", luxwire_shared::mqtt::QoS::AtMostOnce);
    for topic in ["/".repeat(65_400), "a/".repeat(32_000), "$".to_owned() + &"/".repeat(60_000)] {
        client.publish(&topic, "x", luxwire_shared::mqtt::QoS::AtMostOnce, true);
    }
    client.ping_through_messages();
    drop(client);
    check_lives(&server);
}

/// What an HTTP server must survive as well.
fn send_raw(server: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(server).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _ = socket.write_all(bytes);
    let _ = socket.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    answer
}

#[test]
fn what_is_no_http() {
    let server = Server::start();
    let long = [b"GET /".as_slice(), &[b'a'; 200_000], b" HTTP/1.1\r\n\r\n"].concat();
    let many =
        [b"GET / HTTP/1.1\r\nHost: localhost\r\n".as_slice(), &b"X: y\r\n".repeat(20_000), b"\r\n"].concat();
    for bytes in [
        b"".as_slice(),
        b"\0\0\0\0",
        &[0xFF; 1000],
        &[0x10, 0x0C, 0x00, 0x04, b'M', b'Q', b'T', b'T', 0x04, 0x02, 0x00, 0x00, 0x00, 0x00],
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /%2e%2e/%2e%2e/Cargo.toml HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
        b"GET /api/v1/topics?filter=%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
        &long,
        &many,
    ] {
        let answer = send_raw(server.http, bytes);
        assert!(!answer.starts_with(b"HTTP/1.1 2") && !answer.starts_with(b"HTTP/1.1 5"), "{:?} was answered {}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(60)]), String::from_utf8_lossy(&answer));
    }
    check_lives(&server);
}

#[test]
fn thousands_who_claim_much_cost_little() {
    let server = Server::start();
    let before = server.resident();
    // Each claims a packet as large as a stranger may send, and sends a little of it.
    let clients: Vec<_> = (0..1_000)
        .map(|_| {
            let mut client = Client::tcp(server.mqtt);
            client.send_bytes(&[0x10, 0xFB, 0xFF, 0x03, 0x00, 0x04, b'M', b'Q', b'T', b'T']);
            client
        })
        .collect();
    check_lives(&server);
    let grown = server.resident().saturating_sub(before);
    assert!(grown < 8 << 20, "{grown} bytes for {} connections", clients.len());
}
