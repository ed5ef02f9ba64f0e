//! The WebSocket protocol of one link, without a socket: bytes in, MQTT bytes and control frames out.
//!
//! MQTT packets may share or span frames: what comes out here is a stream like TCP's, and only the framer knows packets.
//! [MQTT-6.0.0-2]

mod headers;

use crate::limits;
use bytes::{Buf as _, Bytes, BytesMut};
use headers::Headers;
use std::io::{self, Read, Write};
use tungstenite::{
    Error, Message,
    protocol::{
        CloseFrame, Role, WebSocketConfig, WebSocketContext,
        frame::{
            FrameHeader, Utf8Bytes,
            coding::{CloseCode, Data, OpCode},
        },
    },
};

/// One side of one connection.
#[derive(Debug)]
pub(super) struct WebSocket {
    context: WebSocketContext,
    incoming: Incoming,
}

/// What the network brought and the protocol has not looked at.
#[derive(Debug)]
struct Incoming {
    bytes: Bytes,
    headers: Headers,
    /// The rule that the first of the bytes breaks.
    broken: Option<Over>,
}

/// Why nothing more comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// The client said goodbye.
    ByPeer,
    /// The client broke the rules; it is told how.
    Broken { code: u16, why: String },
}

impl WebSocket {
    /// After the handshake. `arrived` is what came behind it.
    pub(super) fn new(arrived: Bytes, message_size: usize) -> Self {
        let config =
            WebSocketConfig::default().read_buffer_size(limits::WEBSOCKET_BUFFER).write_buffer_size(0);
        let incoming = Incoming { bytes: arrived, headers: Headers::default(), broken: None };
        let mut websocket = Self { context: WebSocketContext::new(Role::Server, Some(config)), incoming };
        websocket.allow(message_size);
        websocket
    }

    /// Sets the largest message: a little above the largest packet, for those who put several into one.
    pub(super) fn allow(&mut self, message_size: usize) {
        self.context.set_config(|config| {
            config.max_message_size = Some(message_size);
            config.max_frame_size = Some(message_size);
        });
    }

    /// Hands over what was read. Take every message with [`WebSocket::next_payload`] first.
    pub(super) fn push(&mut self, bytes: Bytes) {
        let waiting = &mut self.incoming.bytes;
        *waiting = if waiting.is_empty() { bytes } else { [waiting.split_off(0), bytes].concat().into() };
    }

    /// The next piece of MQTT; `None` until more bytes come. What must be answered on the way (ping, close) is appended
    /// to `wire`.
    pub(super) fn next_payload(&mut self, wire: &mut BytesMut) -> Result<Option<Bytes>, Over> {
        loop {
            match self.context.read(&mut Pipe { incoming: Some(&mut self.incoming), wire: &mut *wire }) {
                Ok(Message::Binary(payload)) if !payload.is_empty() => return Ok(Some(payload)),
                // The answers to ping and close are written on the next turn of the loop. Text does not come through.
                Ok(
                    Message::Binary(_)
                    | Message::Text(_)
                    | Message::Ping(_)
                    | Message::Pong(_)
                    | Message::Close(_)
                    | Message::Frame(_),
                ) => {}
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    if let Some(broken) = self.incoming.broken.take() {
                        return Err(broken);
                    }
                    if self.incoming.bytes.is_empty() {
                        // Even an empty rest would keep the read buffer alive.
                        self.incoming.bytes = Bytes::new();
                    }
                    return Ok(None);
                }
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => return Err(Over::ByPeer),
                Err(Error::Capacity(error)) => return Err(Over::broken(CloseCode::Size, &error.to_string())),
                Err(Error::Utf8(error)) => return Err(Over::broken(CloseCode::Invalid, &error)),
                Err(error) => return Err(Over::broken(CloseCode::Protocol, &error.to_string())),
            }
        }
    }

    /// Begins the closing handshake, unless the client did.
    pub(super) fn close(&mut self, code: u16, why: &str, wire: &mut BytesMut) {
        let reason = why.get(..why.floor_char_boundary(CLOSE_REASON)).unwrap_or_default();
        let frame = CloseFrame { code: code.into(), reason: Utf8Bytes::from(reason) };
        // An error says that the connection is closed already.
        let _ = self.context.close(&mut Pipe { incoming: None, wire }, Some(frame));
    }

    /// Whether data may still be sent: not after a close frame.
    pub(super) fn can_write(&self) -> bool {
        self.context.can_write()
    }
}

impl Over {
    fn broken(code: CloseCode, why: &str) -> Self {
        Self::Broken { code: code.into(), why: why.to_owned() }
    }
}

/// Room for the header of a frame that is written before its length is known.
pub(super) const HEADER_ROOM: usize = 10;

/// Turns `open`, which begins with [`HEADER_ROOM`] bytes of any content, into one binary frame.
pub(super) fn seal(open: &mut BytesMut) {
    let payload_len = open.len() - HEADER_ROOM;
    let mut header = [0; HEADER_ROOM];
    let mut room = &mut header[..];
    FrameHeader { opcode: OpCode::Data(Data::Binary), ..FrameHeader::default() }
        .format(payload_len as u64, &mut room)
        .expect("a header without a mask takes ten bytes at most");
    let unused = room.len();
    open.advance(unused);
    open[..HEADER_ROOM - unused].copy_from_slice(&header[..HEADER_ROOM - unused]);
}

/// Bytes: a control frame has 125, two of them the code.
const CLOSE_REASON: usize = 123;

/// What tungstenite takes for a socket.
struct Pipe<'a> {
    /// `None` where only something is written.
    incoming: Option<&'a mut Incoming>,
    wire: &'a mut BytesMut,
}

impl Read for Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(incoming) = &mut self.incoming else { return Err(io::ErrorKind::WouldBlock.into()) };
        let len = buffer.len().min(incoming.bytes.len());
        let (len, followed) = incoming.headers.follow(incoming.bytes.split_at(len).0);
        incoming.broken = followed.err();
        if len == 0 {
            // Nothing more is there, or nothing that is to be looked at.
            return Err(io::ErrorKind::WouldBlock.into());
        }
        incoming.bytes.copy_to_slice(buffer.split_at_mut(len).0);
        Ok(len)
    }
}

impl Write for Pipe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wire.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame as a client sends it, masked with zeros.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0];
        frame.extend(payload);
        frame
    }

    fn websocket() -> WebSocket {
        WebSocket::new(Bytes::new(), 64)
    }

    /// Everything that comes out of `bytes`, pushed in pieces of `size`.
    fn receive(bytes: &[u8], size: usize) -> (Vec<u8>, Vec<u8>, Option<Over>) {
        let (mut websocket, mut mqtt, mut wire) = (websocket(), Vec::new(), BytesMut::new());
        for piece in bytes.chunks(size) {
            websocket.push(Bytes::copy_from_slice(piece));
            loop {
                match websocket.next_payload(&mut wire) {
                    Ok(Some(payload)) => mqtt.extend(payload),
                    Ok(None) => break,
                    Err(over) => return (mqtt, wire.to_vec(), Some(over)),
                }
            }
        }
        (mqtt, wire.to_vec(), None)
    }

    const BINARY: u8 = 0x82;

    #[test]
    fn frames_are_a_stream_however_they_are_cut() {
        let bytes = [
            frame(0x02, b"ab"),
            frame(0x00, b""),
            frame(0x80, b"cd"),
            frame(BINARY, b""),
            frame(BINARY, b"ef"),
        ]
        .concat();
        for size in 1..=bytes.len() {
            assert_eq!(receive(&bytes, size), (b"abcdef".to_vec(), vec![], None), "in pieces of {size}");
        }
    }

    #[test]
    fn a_ping_is_answered_even_within_a_message() {
        let bytes = [frame(0x02, b"a"), frame(0x89, b"hi"), frame(0x80, b"b")].concat();
        assert_eq!(receive(&bytes, 5), (b"ab".to_vec(), vec![0x8A, 2, b'h', b'i'], None));
    }

    #[test]
    fn a_goodbye_is_answered_and_ends_it() {
        let bytes = [frame(BINARY, b"a"), frame(0x88, &[0x03, 0xE8])].concat();
        assert_eq!(receive(&bytes, 64), (b"a".to_vec(), vec![0x88, 2, 0x03, 0xE8], Some(Over::ByPeer)));
    }

    #[test]
    fn broken_rules_end_it_with_their_code() {
        let check = |bytes: &[u8], code: u16| {
            let (_, _, over) = receive(bytes, 64);
            assert!(matches!(over, Some(Over::Broken { code: got, .. }) if got == code), "{over:?}");
        };
        check(&frame(0x81, b"text"), 1003);
        check(&[BINARY, 1, b'x'], 1002);
        check(&frame(0xC2, b"reserved bit"), 1002);
        check(&frame(0x80, b"continues nothing"), 1002);
        check(&frame(0x83, b"unknown"), 1002);
        check(&frame(BINARY, &[0; 65]), 1009);
        check(&[frame(0x02, &[0; 40]), frame(0x80, &[0; 40])].concat(), 1009);
        // A length that is claimed and never comes.
        check(&[BINARY, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0], 1009);
    }

    #[test]
    fn a_frame_that_is_sealed_has_the_shortest_header() {
        for (len, header) in [
            (1, vec![0x82, 1]),
            (125, vec![0x82, 125]),
            (126, vec![0x82, 126, 0, 126]),
            (65_535, vec![0x82, 126, 0xFF, 0xFF]),
            (65_536, vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut open = BytesMut::zeroed(HEADER_ROOM);
            open.extend_from_slice(&vec![7; len]);
            seal(&mut open);
            assert_eq!(open[..header.len()], header, "{len}");
            assert_eq!(open.len(), header.len() + len);
        }
    }

    #[test]
    fn closing_says_why_and_stops_data() {
        let (mut websocket, mut wire) = (websocket(), BytesMut::new());
        websocket.close(1001, "stopping", &mut wire);
        assert_eq!(wire[..], *b"\x88\x0a\x03\xe9stopping");
        assert!(!websocket.can_write());
    }
}
