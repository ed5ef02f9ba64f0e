//! A reader of server-sent events, which reads as fast or as slowly as its test wants.

use super::DEADLINE;
use socket2::{Domain, Socket, Type};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

/// One stream.
pub(crate) struct Events {
    reader: BufReader<TcpStream>,
    /// The head of the answer.
    pub(crate) head: String,
    /// Bytes left of the chunk.
    left: usize,
    begun: bool,
}

/// One event. A comment has the name ":".
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: serde_json::Value,
}

impl Events {
    /// `GET path`, which must be answered with a stream.
    pub(crate) fn follow(server: SocketAddr, path: &str) -> Self {
        Self::over(TcpStream::connect(server).unwrap(), server, path)
    }

    /// The same over a connection for which the system holds little.
    pub(crate) fn follow_narrowly(server: SocketAddr, path: &str) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        socket.connect(&server.into()).unwrap();
        Self::over(socket.into(), server, path)
    }

    fn over(mut socket: TcpStream, server: SocketAddr, path: &str) -> Self {
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: {server}\r\nAccept: text/event-stream\r\n\r\n").unwrap();
        let (mut reader, mut head) = (BufReader::new(socket), String::new());
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut head).unwrap(), 0, "no answer: {head}");
        }
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        Self { reader, head: head.to_lowercase(), left: 0, begun: false }
    }

    /// The next event or comment; `None` when the stream has ended as it should.
    pub(crate) fn next_or_end(&mut self) -> Option<Event> {
        let mut event = Event { name: String::new(), id: None, data: serde_json::Value::Null };
        loop {
            let line = self.line()?;
            if line.is_empty() {
                if event.name.is_empty() && event.data.is_null() {
                    continue;
                }
                return Some(event);
            }
            match line.split_once(": ").unwrap_or((&line, "")) {
                ("event", name) => event.name = name.to_owned(),
                ("id", id) => event.id = Some(id.to_owned()),
                ("data", data) => event.data = serde_json::from_str(data).unwrap(),
                ("retry", _) => {}
                ("", _) => event.name = ":".to_owned(),
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) fn next(&mut self) -> Event {
        self.next_or_end().expect("an event, not the end")
    }

    /// The topic and the payload of the next message.
    pub(crate) fn message(&mut self) -> (String, String) {
        let event = self.next();
        assert_eq!(event.name, "message", "{event:?}");
        let text = |name: &str| event.data[name].as_str().unwrap_or_default().to_owned();
        (text("topic"), text("payload"))
    }

    /// Takes everything up to the sign that what is kept was sent; how many values that were.
    pub(crate) fn until_live(&mut self) -> u64 {
        loop {
            let event = self.next();
            if event.name == "live" {
                return event.data["kept"].as_u64().unwrap();
            }
        }
    }

    /// A line of the stream, which is cut into chunks wherever it pleases the server.
    fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        loop {
            let byte = self.byte()?;
            if byte == b'\n' {
                return Some(String::from_utf8(line).unwrap());
            }
            line.push(byte);
        }
    }

    fn byte(&mut self) -> Option<u8> {
        if self.left == 0 {
            let mut size = String::new();
            if self.begun {
                self.reader.read_line(&mut size).unwrap();
                size.clear();
            }
            self.begun = true;
            assert_ne!(self.reader.read_line(&mut size).unwrap(), 0, "the stream broke off");
            self.left = usize::from_str_radix(size.trim_end(), 16).unwrap();
            if self.left == 0 {
                return None;
            }
        }
        self.left -= 1;
        let mut byte = [0];
        self.reader.read_exact(&mut byte).unwrap();
        Some(byte[0])
    }
}
