//! Somebody who watches the picture: reads the stream, and keeps a picture of its own that every event must fit.

use crate::support::{DEADLINE, Server};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Instant,
};

/// One stream of events.
pub(crate) struct Watcher {
    stream: BufReader<TcpStream>,
    pub(crate) head: String,
    text: String,
    /// Everybody who is drawn, by key.
    pub(crate) clients: BTreeMap<u64, Value>,
    /// Keys that were drawn before.
    gone: BTreeSet<u64>,
    /// Messages that were shown, and those of them that went somewhere.
    pub(crate) messages: usize,
    pub(crate) deliveries: usize,
    /// What was counted in their place.
    pub(crate) more_messages: usize,
    pub(crate) more_deliveries: usize,
    /// How often the whole was shown.
    pub(crate) wholes: usize,
}

impl Watcher {
    /// Watches, and has seen the first event.
    pub(crate) fn of(server: &Server) -> Self {
        let mut watcher = Self::on(TcpStream::connect(server.http).unwrap(), server.http);
        assert_eq!(watcher.next().0, "picture", "the whole comes first");
        watcher
    }

    /// Asks for the stream and reads the head of the answer.
    pub(crate) fn on(mut socket: TcpStream, server: SocketAddr) -> Self {
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(socket, "GET /api/v1/picture HTTP/1.1\r\nHost: {server}\r\n\r\n").unwrap();
        let mut stream = BufReader::new(socket);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(stream.read_line(&mut head).unwrap() > 0, "no answer: {head}");
        }
        Self {
            stream,
            head,
            text: String::new(),
            clients: BTreeMap::new(),
            gone: BTreeSet::new(),
            messages: 0,
            deliveries: 0,
            more_messages: 0,
            more_deliveries: 0,
            wholes: 0,
        }
    }

    /// The next event and its details.
    pub(crate) fn next(&mut self) -> (String, Value) {
        self.next_or_end().expect("an event, not the end")
    }

    /// The next event, which must be of this kind.
    pub(crate) fn expect(&mut self, name: &str) -> Value {
        let (got, details) = self.next();
        assert_eq!(got, name, "{details}");
        details
    }

    /// Reads until an event of this kind fits.
    pub(crate) fn until(&mut self, name: &str, mut fits: impl FnMut(&Value) -> bool) -> Value {
        loop {
            let (got, details) = self.next();
            if got == name && fits(&details) {
                return details;
            }
        }
    }

    /// Reads until its own picture is as it should be.
    pub(crate) fn until_so(&mut self, mut fits: impl FnMut(&Self) -> bool) {
        while !fits(self) {
            self.next();
        }
    }

    /// The next event; `None` if the stream ended as a stream should.
    pub(crate) fn next_or_end(&mut self) -> Option<(String, Value)> {
        let started = Instant::now();
        let block = loop {
            // A comment, which says that the connection stands, is no event.
            assert!(started.elapsed() < DEADLINE, "no event comes");
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                if !block.starts_with(':') {
                    break block;
                }
            } else if !self.read_chunk() {
                assert_eq!(self.text, "", "the stream ended within an event");
                return None;
            }
        };
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        let (name, data) = (field("event: ").unwrap(), field("data: ").unwrap());
        let details = serde_json::from_str(&data).unwrap_or_else(|error| panic!("{error}: {data}"));
        self.take(&name, &details);
        Some((name, details))
    }

    /// Whether there was another chunk.
    fn read_chunk(&mut self) -> bool {
        let mut size = String::new();
        assert!(self.stream.read_line(&mut size).unwrap() > 0, "the stream was cut off");
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk).unwrap();
        self.text += str::from_utf8(&chunk[..size]).unwrap();
        size > 0
    }

    fn take(&mut self, name: &str, details: &Value) {
        let key = |client: &Value| client["key"].as_u64().unwrap();
        let count = |name: &str| usize::try_from(details[name].as_u64().unwrap()).unwrap();
        match name {
            "picture" => {
                let drawn = details["clients"].as_array().unwrap();
                self.clients = drawn.iter().map(|client| (key(client), client.clone())).collect();
                assert_eq!(self.clients.len(), drawn.len(), "two of one key");
                self.wholes += 1;
            }
            "joined" => {
                assert!(!self.gone.contains(&key(details)), "a key is used again: {details}");
                assert_eq!(self.clients.insert(key(details), details.clone()), None, "{details}");
            }
            "changed" => {
                assert!(
                    self.clients.insert(key(details), details.clone()).is_some(),
                    "a stranger: {details}"
                );
            }
            "left" => {
                assert!(self.clients.remove(&key(details)).is_some(), "a stranger left: {details}");
                self.gone.insert(key(details));
            }
            "message" => {
                let to = details["to"].as_array().unwrap();
                for key in to.iter().chain([&details["from"]]).filter_map(Value::as_u64) {
                    assert!(self.clients.contains_key(&key), "to or from a stranger: {details}");
                }
                self.messages += 1;
                self.deliveries += to.len() + count("to_more");
            }
            "busy" => {
                self.more_messages += count("messages");
                self.more_deliveries += count("deliveries");
            }
            other => panic!("an event {other:?}: {details}"),
        }
    }

    /// The key under which this client is drawn.
    pub(crate) fn key(&self, id: &str) -> u64 {
        let mut keys = self.clients.iter().filter(|(_, client)| client["id"] == id).map(|(key, _)| *key);
        let key = keys.next().unwrap_or_else(|| panic!("no {id} in {:?}", self.clients));
        assert_eq!(keys.next(), None, "{id} is drawn twice");
        key
    }

    /// Who is drawn.
    pub(crate) fn ids(&self) -> BTreeSet<&str> {
        self.clients.values().map(|client| client["id"].as_str().unwrap()).collect()
    }

    /// All messages of which it was told in one way or the other.
    pub(crate) fn messages_in_all(&self) -> usize {
        self.messages + self.more_messages
    }

    pub(crate) fn deliveries_in_all(&self) -> usize {
        self.deliveries + self.more_deliveries
    }
}
