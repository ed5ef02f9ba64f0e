//! Requests that want to become a WebSocket and should not, or never end, or come where MQTT over TCP is off.

use crate::{
    bytes::connect,
    exchange::{Transport, Wanted, check, exchange, frame, said_over_websocket, until_closed, upgrade},
    house::{House, REPETITIONS},
    support::{Client, DEADLINE, Server, get},
};
use luxwire_shared::mqtt::{
    ReasonCode::MalformedPacket,
    Version::{V3_1_1, V5},
};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

/// Sends this and gives the status of the answer; `None` if the server closes without one.
fn status(server: &Server, request: &[u8]) -> Option<u16> {
    let mut socket = TcpStream::connect(server.http).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.set_write_timeout(Some(DEADLINE)).unwrap();
    // It may be closed before everything is sent.
    let _ = socket.write_all(request);
    let mut line = [0; 12];
    socket.read_exact(&mut line).ok()?;
    assert!(line.starts_with(b"HTTP/1."), "{line:?}");
    str::from_utf8(&line[9..]).ok()?.parse().ok()
}

// nats-server, June 2026: an upgrade to /mqtt while MQTT is off. Here MQTT over TCP can be off, and WebSocket serves on.
#[test]
fn row_upgrade_while_mqtt_over_tcp_is_off() {
    let mut command = crate::support::program();
    command.args(["serve", "--http", "127.0.0.1:0", "--ephemeral", "--set", "mqtt.listen=[]"]);
    command.env("LUXWIRE_LOG", "warn");
    let mut server = Server::from(command);
    assert!(!server.ready.contains("listening mqtt"), "{}", server.ready);
    for _ in 0..REPETITIONS {
        let bytes = [connect(V5, "client"), vec![0x30, 0x00]].concat();
        let said = exchange(&server, Transport::WebSocket, V5, &bytes);
        check(&said, Wanted::Disconnect(MalformedPacket), V5, "");
    }
    Client::connected_by_websocket(server.http, V3_1_1, "client").ping();
    assert_eq!(get(server.http, "/healthz").status, 200);
    assert!(server.is_running());
}

// Handshakes that are none: each is refused with its status, and its connection is gone.
#[test]
fn row_upgrade_that_is_none() {
    let mut house = House::new();
    let good = upgrade(&house.server);
    let without = |line: &str| {
        assert!(good.contains(line), "{line}");
        good.replace(line, "")
    };
    let instead = |line: &str, other: &str| {
        assert!(good.contains(line), "{line}");
        good.replace(line, other).into_bytes()
    };
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let cases: Vec<(Vec<u8>, Option<u16>)> = vec![
        (without("Upgrade: websocket\r\n").into(), Some(426)),
        (without("Connection: Upgrade\r\n").into(), Some(426)),
        (without("Sec-WebSocket-Version: 13\r\n").into(), Some(426)),
        (without(key).into(), Some(400)),
        // A key that is short, long, no base64, or no text.
        (instead(key, "Sec-WebSocket-Key: c2hvcnQ=\r\n"), Some(400)),
        (instead(key, &format!("Sec-WebSocket-Key: {}\r\n", "A".repeat(4_096))), Some(400)),
        (instead(key, "Sec-WebSocket-Key: ????????????????????????\r\n"), Some(400)),
        (instead("Version: 13", "Version: 8"), Some(426)),
        (instead("Version: 13", "Version: 99999999999999999999"), Some(426)),
        (instead("Protocol: mqtt", "Protocol: chat"), Some(400)),
        (instead("Upgrade: websocket", "Upgrade: h2c"), Some(426)),
        (instead("GET ", "POST "), Some(405)),
        (instead("GET /mqtt", "GET /mqtt/"), Some(404)),
        (instead("GET /mqtt", "GET /mqtt%00"), Some(404)),
        (instead("HTTP/1.1", "HTTP/1.0"), Some(426)),
        // No host; two; none that can be; somebody else's; a page of somebody else.
        (instead("\r\n\r\n", "\r\nHost: localhost\r\n\r\n"), Some(400)),
        (instead(&format!("Host: {}", house.server.http), "Host: a b"), Some(400)),
        (instead(&format!("Host: {}\r\n", house.server.http), ""), Some(400)),
        (instead(&format!("Host: {}", house.server.http), "Host: evil.example"), Some(421)),
        (instead("\r\n\r\n", "\r\nOrigin: http://evil.example\r\n\r\n"), Some(403)),
        // More headers, or longer ones, than anybody has.
        (instead("\r\n\r\n", &format!("\r\n{}\r\n", "X: y\r\n".repeat(2_000))), Some(431)),
        (instead("\r\n\r\n", &format!("\r\nX: {}\r\n\r\n", "y".repeat(200_000))), Some(431)),
        // Headers that are none.
        (instead("\r\n\r\n", "\r\nX y\r\n\r\n"), Some(400)),
        (instead("\r\n\r\n", "\r\n: y\r\n\r\n"), Some(400)),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), Some(400)),
        (connect(V5, "client"), Some(400)),
    ];
    house.endures(cases.len() * REPETITIONS / 2, |server, number| {
        let (request, wanted) = &cases[number % cases.len()];
        let got = status(server, request);
        assert_eq!(got, *wanted, "{}", String::from_utf8_lossy(&request[..request.len().min(300)]));
    });
    house.ends_unharmed();
}

// A handshake with a body, which a GET may have: it is no MQTT, and no wait for as much as it announces.
#[test]
fn row_upgrade_with_a_body() {
    let mut house = House::new();
    let announced = ["Content-Length: 4", "Content-Length: 268435455", "Transfer-Encoding: chunked"];
    house.endures(announced.len() * REPETITIONS, |server, number| {
        let announced = announced[number % announced.len()];
        let request = upgrade(server).replace("\r\n\r\n", &format!("\r\n{announced}\r\n\r\n"));
        let mut socket = TcpStream::connect(server.http).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.write_all(&[request.as_bytes(), b"body"].concat()).unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = until_closed(&mut socket);
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 "),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        assert!(
            !String::from_utf8_lossy(&answer).contains("HTTP/1.1 5"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    });
    house.ends_unharmed();
}

// A handshake, and a second request behind it: what follows the first is WebSocket, whatever it looks like.
#[test]
fn row_upgrade_with_a_second_request_behind_it() {
    let mut house = House::new();
    house.endures(REPETITIONS, |server, _| {
        let mut socket = TcpStream::connect(server.http).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.write_all(upgrade(server).repeat(2).as_bytes()).unwrap();
        let said = said_over_websocket(&mut socket, V5);
        assert_eq!((said.packets.len(), said.close_code), (0, Some(1002)));
    });
    house.ends_unharmed();
}

// A handshake whose client is gone before it is answered, or says nothing behind it.
#[test]
fn row_upgrade_and_gone() {
    let mut house = House::with(&["limits.connect_timeout_s=1"]);
    house.endures(4 * REPETITIONS, |server, number| {
        let mut socket = TcpStream::connect(server.http).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let hello = [upgrade(server).as_bytes(), &frame(0x82, &connect(V5, "gone"))].concat();
        let sent = match number % 4 {
            0 => upgrade(server).len(),
            1 => hello.len(),
            2 => hello.len() - 3,
            _ => 10,
        };
        socket.write_all(&hello[..sent]).unwrap();
    });
    // Hundreds at once, which end when the time for CONNECT is over, with the code for it.
    house.endures(1, |server, _| {
        let mut crowd: Vec<_> = (0..REPETITIONS)
            .map(|_| {
                let mut socket = TcpStream::connect(server.http).unwrap();
                socket.set_read_timeout(Some(DEADLINE)).unwrap();
                socket.write_all(upgrade(server).as_bytes()).unwrap();
                socket
            })
            .collect();
        for socket in &mut crowd {
            let said = said_over_websocket(socket, V5);
            assert_eq!((said.packets.len(), said.close_code), (0, Some(1008)));
        }
    });
    house.ends_unharmed();
}
