//! HTTP for programs that speak no MQTT, seen from outside: the real program, its clients, and what it promises in the
//! documentation and in its OpenAPI document.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod conditions;
mod events;
mod history;
mod openapi;
mod origins;
mod picture;
mod random;
mod write;

#[path = "../support/mod.rs"]
mod support;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};
use support::{Answer, DEADLINE, Server, request};

/// A request with headers and a body.
#[track_caller]
fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", server.http);
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    let mut bytes = (text + "\r\n").into_bytes();
    bytes.extend_from_slice(body);
    request(server.http, &bytes)
}

fn put(server: &Server, path: &str, body: &str) -> Answer {
    ask(server, "PUT", &format!("/api/v1/topics/{path}"), &[], body.as_bytes())
}

fn get(server: &Server, path: &str) -> Answer {
    ask(server, "GET", &format!("/api/v1/topics/{path}"), &[], b"")
}

fn delete(server: &Server, path: &str) -> Answer {
    ask(server, "DELETE", &format!("/api/v1/topics/{path}"), &[], b"")
}

/// It failed with this status, and says so as RFC 9457 wants it, with this word.
#[track_caller]
fn check_problem(answer: &Answer, status: u16, word: &str) {
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status, status, "{text}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{text}");
    let problem = answer.json();
    assert_eq!(problem["status"], status, "{problem}");
    assert!(problem["title"].is_string() && problem["type"] == "about:blank", "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains(word), "no {word:?} in {problem}");
}

/// A connection that has sent `text`.
fn talk(server: &Server, text: &str) -> TcpStream {
    let mut socket = TcpStream::connect(server.http).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.write_all(text.as_bytes()).unwrap();
    socket
}

/// The head of the next answer.
fn head(socket: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}
