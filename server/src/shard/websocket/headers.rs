//! The rules that the header of a client's frame can break, RFC 6455 sections 5.1, 5.2, 5.4 and 5.5, and MQTT's own: no text.
//!
//! tungstenite looks at a frame when it is whole, and says that a message is text when all of it is there. Here a header is
//! judged as soon as it comes, so that nobody has us wait for, and keep, a megabyte that is refused anyway. Sizes are left
//! to tungstenite, which knows them from the header as well.

use super::Over;
use tungstenite::protocol::frame::coding::CloseCode;

/// Follows the frames that pass by.
#[derive(Debug, Default)]
pub(super) struct Headers {
    place: Place,
    /// Whether a message was begun whose last fragment has not come.
    within_message: bool,
}

/// What the next byte is part of.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Flags,
    MaskAndLength {
        is_control: bool,
    },
    /// More of the length.
    Length {
        bytes_left: u8,
        len: u64,
    },
    Mask {
        bytes_left: u8,
        payload_len: u64,
    },
    Payload {
        bytes_left: u64,
    },
}

impl Headers {
    /// How many of these bytes may pass, and which rule the byte behind them breaks, if that is not all of them.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> (usize, Result<(), Over>) {
        let mut rest = bytes;
        while let Some((byte, behind)) = rest.split_first() {
            if let Place::Payload { bytes_left } = self.place {
                let here = usize::try_from(bytes_left).unwrap_or(usize::MAX).min(rest.len());
                self.place = Place::payload(bytes_left - here as u64);
                rest = rest.split_at(here).1;
                continue;
            }
            match self.take(*byte) {
                Ok(next) => self.place = next,
                Err(over) => return (bytes.len() - rest.len(), Err(over)),
            }
            rest = behind;
        }
        (bytes.len(), Ok(()))
    }

    /// One byte of a header.
    fn take(&mut self, byte: u8) -> Result<Place, Over> {
        Ok(match self.place {
            Place::Flags => self.flags(byte)?,
            Place::MaskAndLength { is_control } => {
                if byte & MASK == 0 {
                    return Err(Over::broken(CloseCode::Protocol, "a frame without a mask"));
                }
                match byte & !MASK {
                    126 | 127 if is_control => {
                        return Err(Over::broken(
                            CloseCode::Protocol,
                            "a control frame of more than 125 bytes",
                        ));
                    }
                    126 => Place::Length { bytes_left: 2, len: 0 },
                    127 => Place::Length { bytes_left: 8, len: 0 },
                    len => Place::Mask { bytes_left: 4, payload_len: len.into() },
                }
            }
            Place::Length { bytes_left, len } => {
                let len = len << 8 | u64::from(byte);
                match bytes_left {
                    0 | 1 => Place::Mask { bytes_left: 4, payload_len: len },
                    _ => Place::Length { bytes_left: bytes_left - 1, len },
                }
            }
            Place::Mask { bytes_left: 0 | 1, payload_len } => Place::payload(payload_len),
            Place::Mask { bytes_left, payload_len } => {
                Place::Mask { bytes_left: bytes_left - 1, payload_len }
            }
            // Taken as a whole by the caller.
            Place::Payload { bytes_left } => Place::payload(bytes_left.saturating_sub(1)),
        })
    }

    fn flags(&mut self, byte: u8) -> Result<Place, Over> {
        let is_last = byte & LAST != 0;
        if byte & RESERVED != 0 {
            return Err(Over::broken(CloseCode::Protocol, "a reserved bit is set"));
        }
        let opcode = byte & OPCODE;
        match opcode {
            CONTINUATION if !self.within_message => {
                return Err(Over::broken(CloseCode::Protocol, "a fragment of nothing"));
            }
            TEXT | BINARY if self.within_message => {
                return Err(Over::broken(CloseCode::Protocol, "a message within a message"));
            }
            // [MQTT-6.0.0-1] Whatever is in it, and however much is to come.
            TEXT => return Err(Over::broken(CloseCode::Unsupported, "MQTT needs binary frames")),
            CONTINUATION | BINARY => self.within_message = !is_last,
            CLOSE | PING | PONG if is_last => {}
            CLOSE | PING | PONG => {
                return Err(Over::broken(CloseCode::Protocol, "a control frame in fragments"));
            }
            _ => return Err(Over::broken(CloseCode::Protocol, "a frame of a kind that there is not")),
        }
        Ok(Place::MaskAndLength { is_control: opcode >= CLOSE })
    }
}

impl Place {
    fn payload(bytes_left: u64) -> Self {
        if bytes_left == 0 { Self::Flags } else { Self::Payload { bytes_left } }
    }
}

const LAST: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0F;
const MASK: u8 = 0x80;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame as a client sends it, masked with zeros.
    fn frame(first: u8, len: usize) -> Vec<u8> {
        let mut frame = vec![first];
        match len {
            0..126 => frame.push(0x80 | len as u8),
            126..65_536 => frame.extend([&[0xFE][..], &(len as u16).to_be_bytes()].concat()),
            _ => frame.extend([&[0xFF][..], &(len as u64).to_be_bytes()].concat()),
        }
        // A payload that looks like headers.
        frame.extend([&[0; 4][..], &[0x81].repeat(len)].concat());
        frame
    }

    /// Behind how many of these bytes a rule is broken, and with which code; however they are cut.
    #[track_caller]
    fn check(bytes: &[u8], broken: Option<(usize, u16)>) {
        for size in [1, 2, 3, 5, 7, 64, bytes.len().max(1)] {
            let (mut headers, mut passed) = (Headers::default(), 0);
            let over = bytes.chunks(size).find_map(|piece| {
                let (len, over) = headers.follow(piece);
                assert!(over.is_err() || len == piece.len());
                passed += len;
                over.err()
            });
            match (over, broken) {
                (None, None) => assert_eq!(passed, bytes.len()),
                (Some(Over::Broken { code, .. }), Some(expected)) => {
                    assert_eq!((passed, code), expected, "in pieces of {size}");
                }
                (over, _) => panic!("in pieces of {size}: {over:?}"),
            }
        }
    }

    #[test]
    fn what_keeps_the_rules_passes() {
        for len in [0, 1, 125, 126, 127, 1000, 65_535, 65_536, 70_000] {
            check(&[frame(0x82, len), frame(0x89, len.min(125)), frame(0x82, 1)].concat(), None);
        }
        let fragments = [
            frame(0x02, 3),
            frame(0x89, 0),
            frame(0x00, 0),
            frame(0x8A, 5),
            frame(0x80, 200),
            frame(0x82, 1),
        ];
        check(&fragments.concat(), None);
        check(&frame(0x88, 2), None);
    }

    #[test]
    fn who_breaks_one_is_stopped_at_the_byte_that_does() {
        let good = frame(0x82, 130);
        let begun = frame(0x02, 3);
        for (before, byte, code) in [
            (&good, 0x81, 1003),
            (&good, 0x01, 1003),
            (&begun, 0x81, 1002),
            (&begun, 0x82, 1002),
            (&good, 0x80, 1002),
            (&good, 0x00, 1002),
            (&good, 0x09, 1002),
            (&good, 0x0A, 1002),
            (&good, 0x08, 1002),
            (&good, 0xC2, 1002),
            (&good, 0xA2, 1002),
            (&good, 0x92, 1002),
            (&good, 0xC9, 1002),
        ] {
            check(&[before, &[byte][..]].concat(), Some((before.len(), code)));
        }
        for opcode in (0x83..0x88).chain(0x8B..=0x8F) {
            check(&[opcode], Some((0, 1002)));
        }
        // Without a mask; control frames that are too long.
        for second in [0x00, 0x01, 0x7D, 0x7E, 0x7F] {
            check(&[0x82, second], Some((1, 1002)));
            check(&[0x89, second], Some((1, 1002)));
        }
        for first in [0x88, 0x89, 0x8A] {
            check(&[first, 0xFE], Some((1, 1002)));
            check(&[first, 0xFF], Some((1, 1002)));
        }
    }

    #[test]
    fn no_length_is_too_much() {
        let mut headers = Headers::default();
        assert_eq!(
            headers.follow(&[0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]).0,
            14
        );
        assert_eq!(headers.follow(&[0x81; 1000]), (1000, Ok(())));
    }
}
