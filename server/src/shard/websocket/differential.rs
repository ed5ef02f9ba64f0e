//! Our reading of frames beside tungstenite's: random frames, a few of them wrong, in random cuts. What comes out must be the
//! same bytes, the same answers and the same end, in the same order.
//!
//! Where we are meant to differ, the wrong frames are such that both come to the same: tungstenite judges a frame when it is
//! whole, so they are whole; and a text message is none for us, so that its arrival counts as 1003.

use super::{Over, WebSocket};
use bytes::{Bytes, BytesMut};
use std::{
    env,
    io::{self, Read, Write},
};
use tungstenite::{
    Error, Message,
    protocol::{Role, WebSocketConfig, WebSocketContext},
};

/// What came of some bytes.
#[derive(Debug, PartialEq, Eq)]
enum Event {
    /// A piece of MQTT.
    Payload(Vec<u8>),
    /// What was answered.
    Answer(Vec<u8>),
    /// With the code that a close frame would have; `None` if the client said goodbye as it should.
    End(Option<u16>),
}

#[test]
fn frames_are_read_as_tungstenite_reads_them() {
    let seed = env::var("LUXWIRE_WEBSOCKET_SEED")
        .map_or_else(|_| getrandom::u64().unwrap(), |seed| seed.parse().expect("a number"));
    println!("LUXWIRE_WEBSOCKET_SEED={seed}");
    let mut random = Random(seed | 1);
    let (mut ended, mut went_on) = (0, 0);
    for round in 0..20_000 {
        let stream = random.stream();
        let theirs = of_tungstenite(&stream);
        let ours = of_ours(&stream, &mut random);
        assert_eq!(ours, theirs, "round {round}: {stream:02x?}");
        match theirs.last() {
            Some(Event::End(_)) => ended += 1,
            _ => went_on += 1,
        }
    }
    assert!(ended > 2_000 && went_on > 2_000, "{ended} {went_on}");
}

const MESSAGE_SIZE: usize = 300;

fn of_ours(stream: &[u8], random: &mut Random) -> Vec<Event> {
    let (mut websocket, mut wire, mut events) =
        (WebSocket::new(Bytes::new(), MESSAGE_SIZE), BytesMut::new(), Vec::new());
    let at_most = 1 + random.below(stream.len() + 1);
    let mut rest = stream;
    while !rest.is_empty() {
        let (read, later) = rest.split_at((1 + random.below(at_most)).min(rest.len()));
        rest = later;
        websocket.push(read);
        loop {
            let next = websocket.next_payload(&mut wire);
            note(&mut events, Event::Answer(wire.split().to_vec()));
            match next {
                Ok(Some(payload)) => note(&mut events, Event::Payload(payload.to_vec())),
                Ok(None) => break,
                Err(over) => {
                    let code = match over {
                        Over::ByPeer => None,
                        Over::Broken { code, .. } => Some(code),
                    };
                    events.push(Event::End(code));
                    return events;
                }
            }
        }
    }
    events
}

fn of_tungstenite(stream: &[u8]) -> Vec<Event> {
    let config = WebSocketConfig::default()
        .read_buffer_size(64)
        .write_buffer_size(0)
        .max_message_size(Some(MESSAGE_SIZE))
        .max_frame_size(Some(MESSAGE_SIZE));
    let mut context = WebSocketContext::new(Role::Server, Some(config));
    let mut socket = Socket { unread: stream, written: Vec::new() };
    let mut events = Vec::new();
    loop {
        let next = context.read(&mut socket);
        let answer = std::mem::take(&mut socket.written);
        note(&mut events, Event::Answer(answer));
        let code = match next {
            Ok(Message::Binary(payload)) => {
                note(&mut events, Event::Payload(payload.to_vec()));
                continue;
            }
            Ok(Message::Text(_)) => Some(1003),
            // It answers itself what we leave to the end of the link.
            Ok(Message::Close(Some(frame))) if frame.reason.as_str() == "Protocol violation" => Some(1002),
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_)) => continue,
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return events,
            Err(Error::ConnectionClosed) => None,
            Err(Error::Capacity(_)) => Some(1009),
            Err(Error::Utf8(_)) => Some(1007),
            Err(Error::Protocol(_)) => Some(1002),
            Err(error) => panic!("{error}"),
        };
        events.push(Event::End(code));
        return events;
    }
}

/// Pieces of a stream are one piece.
fn note(events: &mut Vec<Event>, event: Event) {
    match (events.last_mut(), event) {
        (_, Event::Payload(bytes) | Event::Answer(bytes)) if bytes.is_empty() => {}
        (Some(Event::Payload(before)), Event::Payload(more)) => before.extend(more),
        (Some(Event::Answer(before)), Event::Answer(more)) => before.extend(more),
        (_, event) => events.push(event),
    }
}

/// What tungstenite takes for one.
struct Socket<'a> {
    unread: &'a [u8],
    written: Vec<u8>,
}

impl Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.unread.read(buffer) {
            Ok(0) => Err(io::ErrorKind::WouldBlock.into()),
            read => read,
        }
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    /// Frames that keep the rules, and now and then some that do not.
    fn stream(&mut self) -> Vec<u8> {
        let (mut stream, mut within_message) = (Vec::new(), false);
        for _ in 0..self.below(12) {
            let frame = match self.below(40) {
                0 => self.wrong_frame(within_message),
                1 => self.goodbye(),
                2..=8 => {
                    let first = [0x89, 0x8A][self.below(2)];
                    let len = self.below(126);
                    self.frame(first, len)
                }
                9 => {
                    // In fragments it may become too large.
                    let first = if within_message { 0x00 } else { 0x02 };
                    within_message = true;
                    let len = self.below(MESSAGE_SIZE + 1);
                    self.frame(first, len)
                }
                _ => {
                    let is_last = self.below(4) > 0;
                    let first = if within_message { 0x00 } else { 0x02 } | if is_last { 0x80 } else { 0 };
                    within_message = !is_last;
                    let len = self.len();
                    self.frame(first, len)
                }
            };
            stream.extend(frame);
        }
        stream
    }

    fn len(&mut self) -> usize {
        match self.below(8) {
            0 => 0,
            1 => 125 + self.below(4),
            2 => self.below(MESSAGE_SIZE),
            _ => self.below(40),
        }
    }

    /// With a length that may take more bytes than it needs.
    fn frame(&mut self, first: u8, len: usize) -> Vec<u8> {
        let payload: Vec<u8> = (0..len).map(|_| self.below(256) as u8).collect();
        self.masked(first, &payload)
    }

    fn masked(&mut self, first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match payload.len() {
            // Control frames may not have it otherwise.
            len if len < 126 && (first & 0x08 != 0 || self.below(8) > 0) => frame.push(0x80 | len as u8),
            len if self.below(8) > 0 => {
                frame.push(0xFE);
                frame.extend((len as u16).to_be_bytes());
            }
            len => {
                frame.push(0xFF);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        let mask = [(); 4].map(|()| self.below(256) as u8);
        frame.extend(mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    fn goodbye(&mut self) -> Vec<u8> {
        let codes = [
            1000, 1001, 1003, 1004, 1005, 1006, 1007, 1013, 1014, 1015, 1016, 2999, 3000, 4999, 5000, 0, 999,
        ];
        let reasons: [&[u8]; 4] = [b"", b"done", "\u{e4}".as_bytes(), b"\xC3\x28"];
        let code: u16 = codes[self.below(codes.len())];
        let reason = reasons[self.below(reasons.len())];
        let payload = [&code.to_be_bytes()[..], reason].concat();
        match self.below(8) {
            0 => self.masked(0x88, b""),
            1 => self.masked(0x88, b"\x03"),
            _ => self.masked(0x88, &payload),
        }
    }

    /// Whole, with one mistake.
    fn wrong_frame(&mut self, within_message: bool) -> Vec<u8> {
        let len = self.below(MESSAGE_SIZE);
        let data = if within_message { 0x80 } else { 0x82 };
        match self.below(8) {
            0 => {
                let bit = [0x40, 0x20, 0x10][self.below(3)];
                self.frame(data | bit, len)
            }
            1 => {
                let opcode = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15][self.below(10)];
                self.frame(0x80 | opcode, len.min(125))
            }
            // A message within a message, or a fragment of nothing.
            2 => self.frame(if within_message { 0x82 } else { 0x80 }, len),
            3 => self.masked(0x81, b"text"),
            4 => {
                let first = [0x08, 0x09, 0x0A][self.below(3)];
                self.frame(first, len.min(125))
            }
            // Too long for a control frame.
            5 => {
                let first = [0x88, 0x89, 0x8A][self.below(3)];
                let mut frame = self.frame(data, 126 + self.0 as usize % 100);
                frame[0] = first;
                frame
            }
            6 => {
                let len = len.min(125);
                [&[data, len as u8][..], &vec![b'x'; len]].concat()
            }
            _ => {
                let len = [MESSAGE_SIZE as u64 + 1, 1 << 32, 1 << 63, u64::MAX][self.below(4)];
                [&[data, 0xFF][..], &len.to_be_bytes(), &[1, 2, 3, 4]].concat()
            }
        }
    }
}
