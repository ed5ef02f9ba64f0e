//! Just enough HTTP to ask one question per connection.

use super::DEADLINE;
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// `GET path`, by the address as a name.
pub(crate) fn get(server: SocketAddr, path: &str) -> Answer {
    request(server, format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n"))
}

/// Any request; it must ask for the connection to be closed.
pub(crate) fn request(server: SocketAddr, text: impl AsRef<[u8]>) -> Answer {
    let mut socket = TcpStream::connect(server).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.write_all(text.as_ref()).unwrap();
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).unwrap();
    parse(&bytes)
}

/// A handshake of WebSocket, after which the server does not close the connection.
pub(crate) fn handshake_answer(server: SocketAddr, text: &str) -> Answer {
    let mut socket = TcpStream::connect(server).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.write_all(text.as_bytes()).unwrap();
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte).unwrap();
        bytes.extend(byte);
    }
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let (status, headers) = head.split_once("\r\n").unwrap();
    let headers = headers
        .split("\r\n")
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let status = status.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, headers, body: bytes[end + 4..].to_vec() }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}
