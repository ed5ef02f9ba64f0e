//! The WebSocket protocol of one link, without a socket: bytes in, MQTT bytes and control frames out.
//!
//! MQTT packets may share or span frames: what comes out here is a stream like TCP's, and only the framer knows packets.
//! [MQTT-6.0.0-2]
//!
//! Nothing is copied of what comes in order: masks are taken off in the read buffer, and the payloads in it are moved
//! together, so that a read of many small frames is handed on as one piece. From the first frame of another kind on, what
//! was read is copied; kept are the fragments of a message until the last has come, and what the network cut within a
//! header or a control frame.

#[cfg(test)]
mod differential;
mod header;
mod mask;
mod outgoing;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use header::{Header, Kind};
use mask::Masked;
use outgoing::Outgoing;
use std::{mem, ops::Range};

/// One side of one connection.
#[derive(Debug)]
pub(super) struct WebSocket {
    /// What the network brought and the protocol has not looked at.
    arrived: BytesMut,
    /// What is still to come of the frame that is handed on as it comes.
    coming: Masked,
    /// The message that is under way in fragments.
    fragments: Option<Box<Fragments>>,
    message_size: usize,
    outgoing: Outgoing,
    /// A close frame was sent.
    is_closing: bool,
}

/// Why nothing more comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// The client said goodbye.
    ByPeer,
    /// The client broke the rules; it is told how.
    Broken { code: u16, why: String },
}

/// A message that is not handed on before it is whole: it may yet grow beyond what it may have.
#[derive(Debug)]
struct Fragments {
    bytes: Vec<u8>,
    /// What is still to come of the latest.
    coming: Masked,
    /// Whether the latest is the last.
    is_last: bool,
}

/// What was found behind the messages that are handed on as they come.
enum Found {
    /// Nothing that is whole.
    Nothing,
    /// A frame that has nothing for MQTT.
    Frame,
    /// The last fragment of a message.
    Message(Vec<u8>),
}

impl WebSocket {
    /// After the handshake. `arrived` is what came behind it.
    pub(super) fn new(arrived: Bytes, message_size: usize) -> Self {
        Self {
            // Copied, as the buffer of the handshake is larger.
            arrived: BytesMut::from(&*arrived),
            coming: Masked::default(),
            fragments: None,
            message_size,
            outgoing: Outgoing::default(),
            is_closing: false,
        }
    }

    /// Sets the largest message: a little above the largest packet, for those who put several into one.
    pub(super) fn allow(&mut self, message_size: usize) {
        self.message_size = message_size;
    }

    /// Hands over what was read. Take every message with [`WebSocket::next_payload`] first.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.arrived.is_empty() {
            // As large as it must be.
            self.arrived = BytesMut::from(bytes);
        } else {
            self.arrived.extend_from_slice(bytes);
        }
    }

    /// The next piece of MQTT; `None` until more bytes come. What must be answered on the way (ping, close) is appended
    /// to `wire`.
    pub(super) fn next_payload(&mut self, wire: &mut BytesMut) -> Result<Option<Bytes>, Over> {
        while !self.is_closing {
            let payload = self.take_whole_messages();
            if !payload.is_empty() {
                return Ok(Some(payload));
            }
            match self.take_other_frame(wire)? {
                Found::Message(message) if !message.is_empty() => return Ok(Some(message.into())),
                Found::Message(_) | Found::Frame => {}
                Found::Nothing => {
                    // A rest, even an empty one, would keep all that was read alive. It is a part of a header or of a
                    // control frame.
                    self.arrived = BytesMut::from(&*self.arrived);
                    return Ok(None);
                }
            }
        }
        Err(Over::ByPeer)
    }

    /// Begins the closing handshake, unless the client did.
    pub(super) fn close(&mut self, code: u16, why: &str, wire: &mut BytesMut) {
        if self.is_closing {
            return;
        }
        self.is_closing = true;
        let reason = why.get(..why.floor_char_boundary(CLOSE_REASON)).unwrap_or_default();
        put_control_frame(header::CLOSE, &[&code.to_be_bytes(), reason.as_bytes()].concat(), wire);
    }

    /// Whether data may still be sent: not after a close frame.
    pub(super) fn can_write(&self) -> bool {
        !self.is_closing
    }

    /// Takes the masks off in `read`, what was just read, as far as there are whole messages in order. Gives their payload,
    /// and what follows and must be [pushed](Self::push) when that has been handled.
    pub(super) fn open_in_place<'a>(&mut self, read: &'a mut [u8]) -> (&'a [u8], &'a [u8]) {
        if !self.arrived.is_empty() || self.is_closing {
            return (&[], read);
        }
        let (payload, looked_at) = self.open_whole_messages(read);
        let (opened, rest) = read.split_at(looked_at);
        (&opened[payload], rest)
    }

    /// The payloads of all that comes before the first frame of another kind. That one is judged when these have been
    /// handled: it is answered behind what they are answered, and after CONNECT a message may be larger.
    fn take_whole_messages(&mut self) -> Bytes {
        let mut arrived = mem::take(&mut self.arrived);
        let (payload, looked_at) = self.open_whole_messages(&mut arrived);
        let mut opened = if looked_at == 0 { BytesMut::new() } else { arrived.split_to(looked_at) };
        self.arrived = arrived;
        opened.truncate(payload.end);
        opened.advance(payload.start);
        opened.freeze()
    }

    /// Takes the masks off and moves the payloads together. Says where they are then, and how far it came.
    fn open_whole_messages(&mut self, bytes: &mut [u8]) -> (Range<usize>, usize) {
        if self.fragments.is_some() {
            return (0..0, 0);
        }
        let mut coming = mem::take(&mut self.coming);
        let (mut start, mut end, mut looked_at) = (0, 0, 0);
        while looked_at < bytes.len() {
            let (_, rest) = bytes.split_at_mut(looked_at);
            if coming.is_complete() {
                let Some(header) = Header::of_whole_message(rest) else { break };
                let Some(len) = header.payload_within(self.message_size) else { break };
                coming = Masked::new(len, header.mask);
                looked_at += header.len;
            }
            let (_, rest) = bytes.split_at_mut(looked_at);
            let len = coming.unmask(rest);
            if start == end {
                (start, end) = (looked_at, looked_at);
            } else {
                bytes.copy_within(looked_at..looked_at + len, end);
            }
            end += len;
            looked_at += len;
        }
        self.coming = coming;
        (start..end, looked_at)
    }

    fn take_other_frame(&mut self, wire: &mut BytesMut) -> Result<Found, Over> {
        if let Some(fragments) = &mut self.fragments
            && !fragments.coming.is_complete()
        {
            return Ok(self.take_fragment());
        }
        let Some(header) = Header::parse(&self.arrived, self.fragments.is_some())? else {
            return Ok(Found::Nothing);
        };
        if header.kind.is_control() {
            return self.take_control_frame(&header, wire);
        }
        let before = self.fragments.as_ref().map_or(0, |fragments| fragments.bytes.len());
        let Some(len) = header.payload_within(self.message_size.saturating_sub(before)) else {
            return Err(Over::broken(Over::TOO_LARGE, "a message that is too large"));
        };
        self.arrived.advance(header.len);
        let coming = Masked::new(len, header.mask);
        match &mut self.fragments {
            Some(fragments) => {
                fragments.coming = coming;
                fragments.is_last = header.is_last;
            }
            None => {
                let fragments = Fragments { bytes: Vec::new(), coming, is_last: header.is_last };
                self.fragments = Some(Box::new(fragments));
            }
        }
        Ok(self.take_fragment())
    }

    /// What has come of the latest fragment.
    fn take_fragment(&mut self) -> Found {
        let Some(fragments) = &mut self.fragments else { return Found::Nothing };
        let len = fragments.coming.unmask(&mut self.arrived);
        fragments.bytes.extend_from_slice(&self.arrived.split_to(len));
        if !fragments.coming.is_complete() {
            return Found::Nothing;
        }
        match self.fragments.take_if(|fragments| fragments.is_last) {
            Some(fragments) => Found::Message(fragments.bytes),
            None => Found::Frame,
        }
    }

    fn take_control_frame(&mut self, header: &Header, wire: &mut BytesMut) -> Result<Found, Over> {
        let Some(len) = header.payload_within(self.arrived.len() - header.len) else {
            return Ok(Found::Nothing);
        };
        self.arrived.advance(header.len);
        let mut payload = self.arrived.split_to(len);
        Masked::new(len, header.mask).unmask(&mut payload);
        match header.kind {
            Kind::Ping => put_control_frame(header::PONG, &payload, wire),
            Kind::Close => {
                judge_goodbye(&payload)?;
                put_control_frame(header::CLOSE, &payload, wire);
                self.is_closing = true;
            }
            Kind::Pong | Kind::Binary | Kind::Continuation => {}
        }
        Ok(Found::Frame)
    }
}

impl Over {
    /// Codes of the closing handshake, RFC 6455 section 7.4.1.
    const PROTOCOL: u16 = 1002;
    const UNSUPPORTED: u16 = 1003;
    const INVALID: u16 = 1007;
    const TOO_LARGE: u16 = 1009;

    fn broken(code: u16, why: &str) -> Self {
        Self::Broken { code, why: why.to_owned() }
    }
}

/// Whether what a close frame says may be said: RFC 6455 sections 5.5.1 and 7.4.
fn judge_goodbye(payload: &[u8]) -> Result<(), Over> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return match payload {
            [] => Ok(()),
            _ => Err(Over::broken(Over::PROTOCOL, "a close frame of one byte")),
        };
    };
    if str::from_utf8(reason).is_err() {
        return Err(Over::broken(Over::INVALID, "a reason to close that is no UTF-8"));
    }
    match u16::from_be_bytes(*code) {
        1000..=1003 | 1007..=1013 | 3000..=4999 => Ok(()),
        _ => Err(Over::broken(Over::PROTOCOL, "a reason to close that nobody may name")),
    }
}

/// `payload` has 125 bytes at most.
fn put_control_frame(opcode: u8, payload: &[u8], wire: &mut BytesMut) {
    wire.put_slice(&[header::LAST | opcode, payload.len() as u8]);
    wire.put_slice(payload);
}

/// Bytes: a control frame has 125, two of them the code.
const CLOSE_REASON: usize = 123;

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
            websocket.push(piece);
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
    fn what_comes_in_order_is_handed_on_as_one_piece() {
        let bytes =
            [frame(BINARY, b"one"), frame(BINARY, b""), frame(BINARY, b"two"), frame(BINARY, b"th")].concat();
        let (mut websocket, mut wire) = (websocket(), BytesMut::new());
        websocket.push(&bytes[..bytes.len() - 1]);
        assert_eq!(websocket.next_payload(&mut wire), Ok(Some(Bytes::from("onetwot"))));
        assert_eq!(websocket.next_payload(&mut wire), Ok(None));
        websocket.push(b"h");
        assert_eq!(websocket.next_payload(&mut wire), Ok(Some(Bytes::from("h"))));
    }

    #[test]
    fn a_message_may_be_larger_once_those_before_it_are_handled() {
        let (mut websocket, mut wire) = (websocket(), BytesMut::new());
        websocket.push(&[frame(BINARY, b"connect"), frame(BINARY, &[b'x'; 100])].concat());
        assert_eq!(websocket.next_payload(&mut wire), Ok(Some(Bytes::from("connect"))));
        websocket.allow(100);
        assert_eq!(websocket.next_payload(&mut wire), Ok(Some(Bytes::from(vec![b'x'; 100]))));
    }

    #[test]
    fn an_idle_one_holds_nothing() {
        let (mut websocket, mut wire) = (websocket(), BytesMut::new());
        // But for what the network cut off a header.
        let ping = frame(0x89, b"ping");
        for bytes in
            [&frame(0x02, b"ab")[..], &ping[..3], &ping[3..], &frame(0x80, b"cd"), &frame(BINARY, b"ef")]
        {
            websocket.push(bytes);
            while websocket.next_payload(&mut wire).unwrap().is_some() {}
            assert_eq!(websocket.arrived.capacity(), websocket.arrived.len(), "{bytes:x?}");
            assert!(websocket.arrived.len() < ping.len());
        }
        assert!(websocket.fragments.is_none());
        assert!(size_of::<WebSocket>() <= 104, "{}", size_of::<WebSocket>());
    }

    #[test]
    fn closing_says_why_and_stops_data() {
        let (mut websocket, mut wire) = (websocket(), BytesMut::new());
        websocket.close(1001, "stopping", &mut wire);
        assert_eq!(wire[..], *b"\x88\x0a\x03\xe9stopping");
        assert!(!websocket.can_write());
    }
}
