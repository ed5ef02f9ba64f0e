//! Requests of any kind, made up from a seed: none of them stops the server or a client that behaves.

use crate::support::{Client, DEADLINE, Server};
use luxwire_shared::mqtt::{QoS, Version};
use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    time::{SystemTime, UNIX_EPOCH},
};

#[test]
fn any_requests_leave_the_server_as_it_was() {
    let seed = std::env::var("LUXWIRE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64);
    println!("LUXWIRE_SEED={seed}");
    let mut random = Random(seed | 1);
    let server = Server::with(&["limits.packet_size=4KiB"]);
    let mut witness = Client::connected(server.mqtt, Version::V5, "witness");
    witness.subscribe("witness", QoS::AtLeastOnce);
    for round in 0..400 {
        let request = random.request();
        let mut socket = TcpStream::connect(server.http).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        // The server may hang up before everything is sent.
        let _ = socket.write_all(&request);
        let _ = socket.shutdown(Shutdown::Write);
        let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
        let read = loop {
            match socket.read(&mut buffer) {
                Ok(0) => break Ok(()),
                Ok(len) => answer.extend_from_slice(&buffer[..len]),
                Err(error) => break Err(error),
            }
            // A stream has no end of its own if the server still waits for the rest of a body.
            if answer.windows(STREAM.len()).any(|window| window == STREAM) {
                break Ok(());
            }
        };
        match read {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            Err(error) => {
                panic!("seed {seed}, round {round}: {error}: {}", String::from_utf8_lossy(&request))
            }
        }
        let status: Option<u16> =
            answer.get(9..12).and_then(|digits| str::from_utf8(digits).ok()?.parse().ok());
        assert!(
            answer.is_empty() || status.is_some_and(|status| status < 500 || status == 503),
            "seed {seed}, round {round}: {}\n{}",
            String::from_utf8_lossy(&request),
            String::from_utf8_lossy(&answer)
        );
    }
    witness.publish_to_itself("witness", &seed.to_string());
    assert!(!server.log().contains("panicked"), "seed {seed}");
}

const STREAM: &[u8] = b"text/event-stream";

/// Xorshift: made up, and the same for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// Mostly whole, often odd, sometimes broken.
    fn request(&mut self) -> Vec<u8> {
        let method =
            self.one(&["GET", "PUT", "DELETE", "HEAD", "POST", "OPTIONS", "PATCH", "get", "M-SEARCH"]);
        let mut path = self
            .one(&[
                "/api/v1/topics",
                "/api/v1/topics/",
                "/api/v1/history",
                "/api/v1/events",
                "/api/v1/openapi.json",
                "/api/v1/hue",
                "/api",
                "/",
            ])
            .to_owned();
        for _ in 0..self.below(4) {
            path += self.one(&[
                "a", "/", "%2F", "%", "%00", "%ff", "+", "%23", "$SYS", "..", "%C3%BC", "//", ";", "\u{fc}",
            ]);
        }
        for separator in ["?", "&", "&"] {
            if self.below(2) == 0 {
                path += separator;
                path += self.one(&[
                    "filter=",
                    "topic=",
                    "qos=",
                    "retain=",
                    "expiry_s=",
                    "from=",
                    "retained=",
                    "x",
                    "=",
                ]);
                path += self.one(&[
                    "",
                    "1",
                    "true",
                    "a/b",
                    "%",
                    "%23",
                    "+",
                    "-24h",
                    "99999999999999999999",
                    "\u{1F600}",
                ]);
            }
        }
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for _ in 0..self.below(4) {
            let name = self.one(&[
                "Content-Type",
                "If-Match",
                "If-None-Match",
                "If-Modified-Since",
                "If-Unmodified-Since",
                "Origin",
                "Expect",
                "Content-Encoding",
                "Accept",
                "Last-Event-ID",
                "Range",
                "Access-Control-Request-Method",
                "Upgrade",
            ]);
            let value = self.one(&[
                "",
                "*",
                "\"a\"",
                "W/\"1-1\"",
                "\"",
                ",,,",
                "text/plain",
                "a/b;c=d",
                "100-continue",
                "null",
                "http://localhost",
                "Sun, 06 Nov 1994 08:49:37 GMT",
                "gzip",
                "bytes=0-1",
                "websocket",
                "\u{fc}",
            ]);
            request += &format!("{name}: {value}\r\n");
        }
        let body = vec![self.next() as u8; [0, 1, 100, 5_000][self.below(4)]];
        match self.below(4) {
            0 => request += "\r\n",
            1 => request += &format!("Content-Length: {}\r\n\r\n", body.len()),
            2 => request += &format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len()),
            _ => request += &format!("Content-Length: {}\r\n\r\n", body.len() + 1),
        }
        let mut bytes = request.into_bytes();
        bytes.extend(body);
        if self.below(8) == 0 {
            let place = self.below(bytes.len());
            bytes[place] = self.next() as u8;
        }
        if self.below(8) == 0 {
            bytes.truncate(self.below(bytes.len()));
        }
        bytes
    }
}

impl Client {
    /// Publishes and receives what it published: broker and link are well.
    fn publish_to_itself(&mut self, topic: &str, payload: &str) {
        self.publish(topic, payload.to_owned(), QoS::AtMostOnce, false);
        assert_eq!(self.message().payload, payload.as_bytes());
    }
}
