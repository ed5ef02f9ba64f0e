//! As much of WebSocket as carries MQTT: the upgrade, one masked frame for each packet, as clients send them, and what
//! the server's frames contain, however they are cut.

use super::wire;
use anyhow::{Context as _, Result, ensure};
use std::net::SocketAddr;

/// The state of one connection after its upgrade.
#[derive(Debug, Default)]
pub(crate) struct WebSocket {
    /// A header whose rest has not come.
    header: Vec<u8>,
    /// How much of a frame is still to come, and whether it is for us to look at.
    remaining: u64,
    is_content: bool,
    frames: Vec<u8>,
    /// The answer to the upgrade has come.
    pub(crate) is_open: bool,
}

/// What asks for the upgrade.
pub(crate) fn upgrade(address: SocketAddr, path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bHV4d2lyZS1iZW5jaC0xNg==\r\n\
         Sec-WebSocket-Protocol: mqtt\r\n\r\n"
    )
}

const ANSWER_BYTES: usize = 8 << 10;

impl WebSocket {
    /// Whole packets, a masked frame each.
    pub(crate) fn frames(&mut self, packets: &[u8]) -> Result<Vec<u8>> {
        let mut frames = std::mem::take(&mut self.frames);
        frames.clear();
        let mut rest = packets;
        while !rest.is_empty() {
            let (_, len) = wire::length(rest)?.context("only whole packets are sent")?;
            let (packet, after) = rest.split_at_checked(len).context("only whole packets are sent")?;
            frames.push(FINAL_BINARY);
            match (u8::try_from(len), u16::try_from(len)) {
                (Ok(short @ ..=125), _) => frames.push(MASKED | short),
                (_, Ok(medium)) => {
                    frames.push(MASKED | 126);
                    frames.extend_from_slice(&medium.to_be_bytes());
                }
                _ => {
                    frames.push(MASKED | 127);
                    frames.extend_from_slice(&(len as u64).to_be_bytes());
                }
            }
            frames.extend_from_slice(&MASK);
            let start = frames.len();
            frames.extend_from_slice(packet);
            for piece in frames.get_mut(start..).unwrap_or_default().chunks_mut(MASK.len()) {
                piece.iter_mut().zip(MASK).for_each(|(byte, mask)| *byte ^= mask);
            }
            rest = after;
        }
        Ok(frames)
    }

    /// Takes the buffer back that [`WebSocket::frames`] gave.
    pub(crate) fn recycle(&mut self, frames: Vec<u8>) {
        self.frames = frames;
    }

    /// Appends what binary frames contain; control frames are passed over.
    pub(crate) fn contents(&mut self, mut bytes: &[u8], plain: &mut Vec<u8>) -> Result<()> {
        while !self.is_open {
            let Some((&byte, rest)) = bytes.split_first() else { return Ok(()) };
            bytes = rest;
            self.header.push(byte);
            ensure!(self.header.len() < ANSWER_BYTES, "the answer to the upgrade does not end");
            if self.header.ends_with(b"\r\n\r\n") {
                let answer = String::from_utf8_lossy(&self.header);
                let status = answer.lines().next().unwrap_or_default();
                ensure!(status.starts_with("HTTP/1.1 101"), "the upgrade is answered with {status}");
                self.header.clear();
                self.is_open = true;
            }
        }
        loop {
            if self.remaining > 0 {
                let len = bytes.len().min(usize::try_from(self.remaining).unwrap_or(usize::MAX));
                let (content, rest) = bytes.split_at(len);
                if self.is_content {
                    plain.extend_from_slice(content);
                }
                self.remaining -= len as u64;
                bytes = rest;
            }
            let Some((&byte, rest)) = bytes.split_first() else { return Ok(()) };
            self.header.push(byte);
            bytes = rest;
            if let Some(len) = self.header_is_complete()? {
                self.remaining = len;
                self.header.clear();
            }
        }
    }

    /// The frame's length, once it is known.
    fn header_is_complete(&mut self) -> Result<Option<u64>> {
        let [first, second, extended @ ..] = self.header.as_slice() else { return Ok(None) };
        ensure!(second & MASKED == 0, "the server masks its frames");
        let opcode = first & 0x0f;
        ensure!(opcode != 8, "the server has closed the WebSocket");
        self.is_content = opcode == 2 || opcode == 0;
        Ok(match second {
            127 => extended.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)),
            126 => extended.first_chunk().map(|bytes| u16::from_be_bytes(*bytes).into()),
            short => Some(u64::from(*short)),
        })
    }
}

const FINAL_BINARY: u8 = 0x82;
const MASKED: u8 = 0x80;

/// Real clients draw it by chance, against proxies that would take contents for requests. There is none here, and the
/// server has as much to do with this one.
const MASK: [u8; 4] = [0x5a, 0xc3, 0x17, 0x9e];

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> WebSocket {
        WebSocket { is_open: true, ..WebSocket::default() }
    }

    #[test]
    fn contents_may_follow_the_answer_to_the_upgrade_at_once() {
        let bytes = b"HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n\x82\x02hi";
        for piece in [1, 5, bytes.len()] {
            let (mut websocket, mut plain) = (WebSocket::default(), Vec::new());
            for piece in bytes.chunks(piece) {
                websocket.contents(piece, &mut plain).unwrap();
            }
            assert_eq!((websocket.is_open, plain.as_slice()), (true, b"hi".as_slice()));
        }
        let refused = WebSocket::default().contents(b"HTTP/1.1 404 Not Found\r\n\r\n", &mut Vec::new());
        assert!(refused.unwrap_err().to_string().contains("404"));
    }

    #[test]
    fn frames_are_read_however_they_are_cut() {
        let mut bytes = vec![0x82, 3, b'a', b'b', b'c', 0x89, 1, b'!', 0x02, 126, 1, 0];
        bytes.extend_from_slice(&[b'x'; 256]);
        bytes.extend_from_slice(&[0x80, 0, 0x82, 1, b'z']);
        let expected = [b"abc".as_slice(), &[b'x'; 256], b"z"].concat();
        for piece in [1, 2, 7, bytes.len()] {
            let (mut websocket, mut plain) = (open(), Vec::new());
            for piece in bytes.chunks(piece) {
                websocket.contents(piece, &mut plain).unwrap();
            }
            assert_eq!(plain, expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn each_packet_has_a_masked_frame() {
        let mut websocket = WebSocket::default();
        let mut long = vec![0x30, 0x80, 0x02];
        long.extend_from_slice(&[0; 256]);
        let packets = [&[0xc0, 0], long.as_slice()].concat();
        let frames = websocket.frames(&packets).unwrap();
        assert_eq!(frames[..6], [0x82, 0x82, 0x5a, 0xc3, 0x17, 0x9e]);
        assert_eq!(frames[6..8], [0xc0 ^ 0x5a, 0xc3]);
        assert_eq!(frames[8..12], [0x82, 0x80 | 126, 1, 3]);
        assert_eq!(frames.len(), 8 + 4 + 4 + 259);
        assert!(websocket.frames(&packets[..10]).is_err());
    }

    #[test]
    fn the_end_is_noticed() {
        assert!(open().contents(&[0x88, 2, 3, 0xe8], &mut Vec::new()).is_err());
    }
}
