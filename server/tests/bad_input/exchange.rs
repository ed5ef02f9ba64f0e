//! One connection from beginning to end: some bytes, and everything that the server says until it closes.

use crate::support::{DEADLINE, Server};
use luxwire_shared::mqtt::{Framer, Packet, ReasonCode, Version};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
};

/// How the bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    /// In one binary frame, right behind the request for the upgrade.
    WebSocket,
}

/// What the server said before it closed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    pub(crate) packets: Vec<Packet>,
    /// The code of the close frame; WebSocket only.
    pub(crate) close_code: Option<u16>,
}

/// What it should say, in few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Nothing.
    Close,
    /// CONNACK with this failure.
    Refusal(ReasonCode),
    /// CONNACK with success, and then DISCONNECT with this reason in 5.0 and nothing before it.
    Disconnect(ReasonCode),
}

/// Sends `bytes` and takes in what comes until the server closes.
pub(crate) fn exchange(server: &Server, transport: Transport, version: Version, bytes: &[u8]) -> Said {
    let (address, bytes) = match transport {
        Transport::Tcp => (server.mqtt, bytes.to_vec()),
        Transport::WebSocket => (server.http, [upgrade(server).as_bytes(), &frame(0x82, bytes)].concat()),
    };
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.set_write_timeout(Some(DEADLINE)).unwrap();
    // It may be closed before everything is sent.
    let _ = socket.write_all(&bytes);
    match transport {
        Transport::Tcp => said(until_closed(&mut socket), None, version),
        Transport::WebSocket => said_over_websocket(&mut socket, version),
    }
}

/// What comes over a WebSocket, the answer to its handshake first, until the server closes.
pub(crate) fn said_over_websocket(socket: &mut TcpStream, version: Version) -> Said {
    let (mqtt, close_code) = without_frames(&until_closed(socket));
    said(mqtt, close_code, version)
}

fn said(mqtt: Vec<u8>, close_code: Option<u16>, version: Version) -> Said {
    let mut framer = Framer::new(u32::MAX);
    framer.push(mqtt.into());
    let packets =
        std::iter::from_fn(|| framer.next_packet(version).expect("the server speaks MQTT")).collect();
    assert_eq!(framer.pending_len(), 0, "the server's last packet is whole");
    Said { packets, close_code }
}

/// Fails unless that is what was said.
#[track_caller]
pub(crate) fn check(said: &Said, wanted: Wanted, version: Version, about: impl std::fmt::Debug) {
    let connacked =
        |packet: &Packet, wanted| matches!(packet, Packet::Connack(connack) if connack.reason == wanted);
    let as_wanted = match (wanted, &said.packets[..]) {
        (Wanted::Close, []) => true,
        (Wanted::Refusal(reason), [connack]) => connacked(connack, reason),
        (Wanted::Disconnect(reason), [connack, disconnect]) if version == Version::V5 => {
            connacked(connack, ReasonCode::Success)
                && matches!(disconnect, Packet::Disconnect(disconnect) if disconnect.reason == reason)
        }
        (Wanted::Disconnect(_), [connack]) if version != Version::V5 => {
            connacked(connack, ReasonCode::Success)
        }
        _ => false,
    };
    assert!(as_wanted, "{about:02x?} in {version:?} should be answered with {wanted:?}, not {said:?}");
}

/// Everything that comes.
pub(crate) fn until_closed(socket: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    match socket.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the server does not close: {error}; it said {answer:02x?}"),
    }
    answer
}

/// The request for a WebSocket, as a browser's client writes it.
pub(crate) fn upgrade(server: &Server) -> String {
    format!(
        "GET /mqtt HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
        server.http
    )
}

/// A frame as a client sends it, masked, with `first` as its first byte.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x5A, 0xA5, 0x00, 0xFF];
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | u8::try_from(len).unwrap()),
        len @ 126..0x1_0000 => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// The payloads of the binary frames behind the head of the handshake, and the code of the close frame.
fn without_frames(answer: &[u8]) -> (Vec<u8>, Option<u16>) {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
    let head = head.unwrap_or_else(|| panic!("no handshake: {:?}", String::from_utf8_lossy(answer)));
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "{:?}", String::from_utf8_lossy(&answer[..head]));
    let (mut rest, mut mqtt, mut code) = (&answer[head..], Vec::new(), None);
    while let [first, len, after @ ..] = rest {
        assert_eq!(code, None, "something follows the close frame");
        let (len, after) = match len {
            126 => (usize::from(u16::from_be_bytes(after[..2].try_into().unwrap())), &after[2..]),
            127 => (u64::from_be_bytes(after[..8].try_into().unwrap()) as usize, &after[8..]),
            len => (usize::from(*len), after),
        };
        let (payload, after) = after.split_at(len);
        match first {
            0x82 => mqtt.extend(payload),
            0x88 => code = payload.first_chunk().map(|code| u16::from_be_bytes(*code)),
            // An answer to a ping.
            0x8A => {}
            other => panic!("a frame that begins with {other:#04x}"),
        }
        rest = after;
    }
    assert!(rest.is_empty(), "a frame is cut");
    (mqtt, code)
}
