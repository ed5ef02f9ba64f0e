//! The handshake of WebSocket: RFC 6455 section 4.2, RFC 9110 section 7.8, MQTT section 6.

use crate::support::{
    Answer, Client, Server, connect, encode, get, handshake_answer, request, websocket_request,
};
use luxwire_shared::mqtt::Version;
use std::net::SocketAddr;
use tungstenite::ClientRequestBuilder;

fn plain_request(server: SocketAddr, path: &str) -> ClientRequestBuilder {
    ClientRequestBuilder::new(format!("ws://{server}{path}").parse().unwrap())
}

/// What a client asks for that does everything right, with these lines in place of those of the same names.
fn asking(first: &str, lines: &[(&str, &str)]) -> String {
    let usual = [
        ("Host", "localhost"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let unchanged = usual.into_iter().filter(|(name, _)| lines.iter().all(|(other, _)| other != name));
    let mut text = format!("{first}\r\n");
    for (name, value) in unchanged.chain(lines.iter().copied()) {
        // An empty value stands for no line.
        if !value.is_empty() {
            text += &format!("{name}: {value}\r\n");
        }
    }
    text + "\r\n"
}

fn answer(server: &Server, lines: &[(&str, &str)]) -> Answer {
    handshake_answer(server.http, &asking("GET /mqtt HTTP/1.1", lines))
}

/// Refused with this status and a sentence in which this word stands.
#[track_caller]
fn check_refused(server: &Server, text: &str, status: u16, word: &str) -> Answer {
    let answer = request(server.http, text.replacen("\r\n", "\r\nConnection: close\r\n", 1));
    assert_eq!(answer.status, status, "{text}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{text}");
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains(word), "no {word:?} in {detail:?}");
    answer
}

const SUBPROTOCOL: &str = "Sec-WebSocket-Protocol";

// [MQTT-6.0.0-3] [MQTT-6.0.0-4] 3.1.1: [MQTT-6.0.0-3] [MQTT-6.0.0-4]
#[test]
fn the_subprotocol_is_echoed_and_strange_ones_are_refused() {
    let server = Server::start();
    for (offered, echoed) in [
        (&["mqtt"][..], Some("mqtt")),
        (&["mqttv3.1"], Some("mqttv3.1")),
        (&["chat, mqtt"], Some("mqtt")),
        (&["chat,mqtt , other"], Some("mqtt")),
        (&["chat", "mqttv3.1, mqtt"], Some("mqttv3.1")),
        // Programs that cannot offer any are served; browsers that offer one get it.
        (&[], None),
    ] {
        let lines: Vec<_> = offered.iter().map(|list| (SUBPROTOCOL, *list)).collect();
        let answer = answer(&server, &lines);
        assert_eq!((answer.status, answer.header("sec-websocket-protocol")), (101, echoed), "{offered:?}");
        // The example of RFC 6455, section 1.3.
        assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }
    for offered in ["chat", "mqtt5", "MQTT", "mqttt, xmqtt", "mqtt;q=1", ","] {
        let text = asking("GET /mqtt HTTP/1.1", &[(SUBPROTOCOL, offered)]);
        check_refused(&server, &text, 400, "subprotocol mqtt");
    }
}

// Whoever is not told that an extension is used does not use it.
#[test]
fn extensions_are_not_agreed_to() {
    let server = Server::start();
    let answer =
        answer(&server, &[("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")]);
    assert_eq!((answer.status, answer.header("sec-websocket-extensions")), (101, None));
}

#[test]
fn the_handshake_is_read_as_http_is() {
    let server = Server::start();
    for lines in [
        &[("Connection", "keep-alive, Upgrade")][..],
        &[("Connection", "keep-alive"), ("Connection", "UPGRADE")],
        &[("Upgrade", "WebSocket")],
        &[("Upgrade", "h2c, websocket")],
    ] {
        assert_eq!(answer(&server, lines).status, 101, "{lines:?}");
    }
}

#[test]
fn a_handshake_that_is_none_is_told_what_is_missing() {
    let server = Server::start();
    let check = |lines: &[(&str, &str)], status, word| {
        check_refused(&server, &asking("GET /mqtt HTTP/1.1", lines), status, word)
    };
    check(&[("Upgrade", "")], 426, "upgrade to websocket");
    check(&[("Upgrade", "h2c")], 426, "upgrade to websocket");
    for key in ["", "short", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZWQ=", "!!!!"] {
        check(&[("Sec-WebSocket-Key", key)], 400, "Sec-WebSocket-Key");
    }
    for version in ["", "8", "12", "14", "13, 8"] {
        let answer = check(&[("Sec-WebSocket-Version", version)], 426, "version 13");
        assert_eq!(answer.header("sec-websocket-version"), Some("13"), "{version}");
        assert_eq!(answer.header("upgrade"), Some("websocket"), "{version}");
    }
    // Only GET upgrades, and only as of HTTP/1.1.
    for first in ["HEAD /mqtt HTTP/1.1", "POST /mqtt HTTP/1.1", "GET /mqtt HTTP/1.0", "HEAD / HTTP/1.1"] {
        let answer = request(server.http, asking(first, &[("Connection", "Upgrade, close")]));
        assert!(matches!(answer.status, 405 | 426), "{first}: {}", answer.status);
    }
    let without_connection = asking("GET /mqtt HTTP/1.1", &[("Connection", "close")]);
    assert_eq!(request(server.http, without_connection).status, 426);
}

// Cookies of other services of the same host come along.
#[test]
fn long_cookies_are_no_reason_to_refuse() {
    let server = Server::start();
    for len in [16 << 10, 48 << 10] {
        assert_eq!(
            answer(&server, &[("Cookie", &format!("session={}", "x".repeat(len)))]).status,
            101,
            "{len}"
        );
    }
    let cookies: Vec<_> = (0..60).map(|number| format!("c{number}={}", "x".repeat(500))).collect();
    let lines: Vec<_> = cookies.iter().map(|cookie| ("Cookie", cookie.as_str())).collect();
    assert_eq!(answer(&server, &lines).status, 101);
    let endless = asking("GET /mqtt HTTP/1.1", &[("Cookie", &"x".repeat(200_000))]);
    assert_eq!(handshake_answer(server.http, &endless).status, 431);
}

#[test]
fn the_root_takes_an_upgrade_too() {
    let server = Server::start();
    let mut client = Client::handshake(plain_request(server.http, "/").with_sub_protocol("mqtt")).unwrap();
    client.connect(Version::V3_1_1, "root");
    assert_eq!(
        Client::handshake(plain_request(server.http, "/other").with_sub_protocol("mqtt")).err(),
        Some(404)
    );
}

#[test]
fn a_plain_request_is_told_to_upgrade() {
    let server = Server::start();
    let answer = get(server.http, "/mqtt");
    assert_eq!((answer.status, answer.header("upgrade")), (426, Some("websocket")));
    let connection = answer.header("connection").unwrap_or_default().to_lowercase();
    assert!(connection.contains("upgrade"), "{connection:?}");
    assert_eq!(answer.header("sec-websocket-version"), Some("13"));
    // And can do so over the same connection.
    let plain = format!("GET /mqtt HTTP/1.1\r\nHost: {}\r\n\r\n", server.http);
    let both = request(server.http, plain + &asking("GET /healthz HTTP/1.1", &[("Connection", "close")]));
    assert!(both.text().contains("HTTP/1.1 200"), "{both:?}");
}

#[test]
fn pages_of_others_are_refused() {
    let server = Server::with(&[r#"http.allowed_origins=["https://lights.example"]"#]);
    let from = |origin: &str| {
        Client::handshake(websocket_request(server.http).with_header("Origin", origin))
            .map_or_else(|status| status, |_| 101)
    };
    assert_eq!(from(&format!("http://{}", server.http)), 101);
    assert_eq!(from("https://lights.example"), 101);
    assert_eq!(from("http://evil.example"), 403);
    assert_eq!(from("https://lights.example.evil.example"), 403);
    assert_eq!(from(&format!("http://{}", server.mqtt)), 403);
    assert_eq!(from("null"), 403);
}

#[test]
fn a_name_that_was_pointed_at_us_is_refused() {
    let server = Server::start();
    let answer = request(
        server.http,
        "GET /mqtt HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nUpgrade: websocket\r\n\
         Connection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    assert_eq!(answer.status, 421);
}

#[test]
fn what_comes_behind_the_handshake_is_not_lost() {
    let server = Server::start();
    let mut bytes = Vec::from(
        "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    let packet = encode(&connect(Version::V5, "hasty"), Version::V5);
    // Masked with zeros.
    bytes.extend([0x82, 0x80 | u8::try_from(packet.len()).unwrap(), 0, 0, 0, 0]);
    bytes.extend(packet);
    let socket = std::net::TcpStream::connect(server.http).unwrap();
    std::io::Write::write_all(&mut &socket, &bytes).unwrap();
    server.logged(&["connected", "\"hasty\"", "transport=\"websocket\""]);
}
