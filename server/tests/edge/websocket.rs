//! The rules of WebSocket, beyond carrying bytes.

use crate::support::{Client, Server, connect, encode, get, request, websocket_request};
use bytes::Bytes;
use luxwire_shared::mqtt::{Packet, Version};
use std::net::SocketAddr;
use tungstenite::{
    ClientRequestBuilder, Message,
    protocol::{
        CloseFrame,
        frame::{
            Frame,
            coding::{CloseCode, Data, OpCode},
        },
    },
};

fn plain_request(server: SocketAddr, path: &str) -> ClientRequestBuilder {
    ClientRequestBuilder::new(format!("ws://{server}{path}").parse().unwrap())
}

fn code(client: &Client) -> Option<u16> {
    client.closed_with.as_ref().map(|frame| frame.code.into())
}

// [MQTT-6.0.0-3] [MQTT-6.0.0-4] 3.1.1: [MQTT-6.0.0-3] [MQTT-6.0.0-4]
#[test]
fn the_subprotocol_is_echoed_and_strange_ones_are_refused() {
    let server = Server::start();
    let echoed = |offered: &[&str]| {
        let mut request = String::from(
            "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        );
        for list in offered {
            request += &format!("Sec-WebSocket-Protocol: {list}\r\n");
        }
        let answer = crate::support::handshake_answer(server.http, &(request + "\r\n"));
        if answer.status == 101 {
            // The example of RFC 6455, section 1.3.
            assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        }
        (answer.status, answer.header("sec-websocket-protocol").map(ToOwned::to_owned))
    };
    assert_eq!(echoed(&["mqtt"]), (101, Some("mqtt".into())));
    assert_eq!(echoed(&["mqttv3.1"]), (101, Some("mqttv3.1".into())));
    assert_eq!(echoed(&["chat, mqtt"]), (101, Some("mqtt".into())));
    assert_eq!(echoed(&["chat", "mqttv3.1, mqtt"]), (101, Some("mqttv3.1".into())));
    assert_eq!(echoed(&[]), (101, None));
    assert_eq!(echoed(&["chat"]), (400, None));
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
    let old = "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\
               Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let answer = request(server.http, old);
    assert_eq!((answer.status, answer.header("sec-websocket-version")), (426, Some("13")));
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
fn text_is_refused() {
    // [MQTT-6.0.0-1] 3.1.1: [MQTT-6.0.0-1]
    let server = Server::start();
    for connected in [false, true] {
        let mut client = Client::websocket(server.http);
        if connected {
            client.connect(Version::V5, "text");
        }
        client.send_message(Message::text("hello"));
        assert_eq!(client.until_closed(), []);
        assert_eq!(code(&client), Some(1003));
    }
    server.logged(&["disconnected", "\"text\"", "WebSocket", "binary"]);
}

#[test]
fn messages_may_come_in_fragments_with_pings_between() {
    let server = Server::start();
    let mut client = Client::websocket(server.http);
    let bytes: Bytes = encode(&connect(Version::V5, "fragments"), Version::V5).freeze();
    let fragment = |payload: &[u8], opcode, last| {
        Frame::message(Bytes::copy_from_slice(payload), OpCode::Data(opcode), last)
    };
    client.send_frame(fragment(&bytes[..3], Data::Binary, false));
    client.send_frame(fragment(&[], Data::Continue, false));
    client.send_message(Message::Ping(Bytes::from_static(b"still there?")));
    client.send_frame(fragment(&bytes[3..9], Data::Continue, false));
    assert_eq!(client.as_websocket().read().unwrap(), Message::Pong(Bytes::from_static(b"still there?")));
    client.send_frame(fragment(&bytes[9..], Data::Continue, true));
    assert!(matches!(client.receive(), Packet::Connack(_)));
}

#[test]
fn a_closing_handshake_is_answered() {
    let server = Server::start();
    let mut client = Client::connected_by_websocket(server.http, Version::V5, "polite");
    let goodbye = CloseFrame { code: CloseCode::Normal, reason: "done".into() };
    client.send_message(Message::Close(Some(goodbye)));
    assert_eq!(client.until_closed(), []);
    assert_eq!(code(&client), Some(1000));
    server.logged(&["disconnected", "\"polite\"", "the client closed the connection"]);
}

#[test]
fn disconnect_closes_the_websocket_in_order() {
    let server = Server::start();
    let mut client = Client::connected_by_websocket(server.http, Version::V5, "page");
    client.send_bytes(&[0xE0, 0x00]);
    assert_eq!(client.until_closed(), []);
    assert_eq!(code(&client), Some(1000));
}

#[test]
fn broken_frames_end_the_connection() {
    let server = Server::start();
    // Not masked; a reserved bit; an unknown kind; a continuation of nothing; a ping in fragments; one that is too long;
    // a length that overflows.
    for bytes in [
        &[0x82, 0x01, 0x00][..],
        &[0xC2, 0x81, 0, 0, 0, 0, 0],
        &[0x83, 0x81, 0, 0, 0, 0, 0],
        &[0x80, 0x81, 0, 0, 0, 0, 0],
        &[0x09, 0x80, 0, 0, 0, 0],
        &[&[0x89, 0xFE, 0x00, 0x7E, 0, 0, 0, 0][..], &[0; 126]].concat(),
        &[0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0],
    ] {
        let mut client = Client::connected_by_websocket(server.http, Version::V5, "broken");
        std::io::Write::write_all(&mut client.socket(), bytes).unwrap();
        assert_eq!(client.until_closed(), [], "{bytes:x?}");
        assert!(matches!(code(&client), Some(1002 | 1009)), "{bytes:x?}: {:?}", client.closed_with);
    }
}

#[test]
fn a_message_that_is_too_large_is_refused_on_its_header() {
    let server = Server::start();
    let mut client = Client::connected_by_websocket(server.http, Version::V5, "large");
    // Two megabytes are claimed, none is sent.
    std::io::Write::write_all(&mut client.socket(), &[0x82, 0xFF, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0])
        .unwrap();
    assert_eq!(client.until_closed(), []);
    assert_eq!(code(&client), Some(1009));
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
