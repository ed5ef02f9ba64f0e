//! The header of a client's frame, and the rules that it can break: RFC 6455 sections 5.1, 5.2, 5.4 and 5.5, and MQTT's
//! own, no text.
//!
//! It is judged as far as it came, so that nobody has us wait for, and keep, what is refused anyway. How large a message may
//! be is not its business. A length that takes more bytes than it needs is understood: there are clients that always write
//! it so, and it misleads nobody.

use super::Over;

/// What stands before a payload.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Whether no other fragment of the message follows.
    pub(super) is_last: bool,
    /// Bytes of the header itself.
    pub(super) len: usize,
    /// Bytes, as the client claims.
    pub(super) payload_len: u64,
    pub(super) mask: [u8; 4],
}

/// The kinds of frames that may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Continuation,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Header {
    /// The header at the front of `bytes`; `None` if it has not come whole, and what came of it breaks no rule.
    /// `within_message` says whether a message was begun whose last fragment has not come.
    pub(super) fn parse(bytes: &[u8], within_message: bool) -> Result<Option<Self>, Over> {
        let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
        let is_last = first & LAST != 0;
        let kind = kind(first, within_message)?;
        let Some((&second, rest)) = rest.split_first() else { return Ok(None) };
        if second & MASK == 0 {
            return Err(Over::broken(Over::PROTOCOL, "a frame without a mask"));
        }
        let (payload_len, rest) = match second & !MASK {
            126 | 127 if kind.is_control() => {
                return Err(Over::broken(Over::PROTOCOL, "a control frame of more than 125 bytes"));
            }
            126 => {
                let Some((len, rest)) = rest.split_first_chunk() else { return Ok(None) };
                (u16::from_be_bytes(*len).into(), rest)
            }
            127 => {
                let Some((len, rest)) = rest.split_first_chunk() else { return Ok(None) };
                (u64::from_be_bytes(*len), rest)
            }
            len => (len.into(), rest),
        };
        let Some((mask, rest)) = rest.split_first_chunk() else { return Ok(None) };
        Ok(Some(Self { kind, is_last, len: bytes.len() - rest.len(), payload_len, mask: *mask }))
    }

    /// The header of a whole message of data that has come whole itself and breaks no rule; not within another message. It
    /// is what nearly all frames have, and a short one has its own way.
    #[inline]
    pub(super) fn of_whole_message(bytes: &[u8]) -> Option<Self> {
        match *bytes {
            [WHOLE_MESSAGE, second @ MASK..LONG, a, b, c, d, ..] => Some(Self {
                kind: Kind::Binary,
                is_last: true,
                len: 6,
                payload_len: (second & !MASK).into(),
                mask: [a, b, c, d],
            }),
            _ => Self::of_long_message(bytes),
        }
    }

    #[inline(never)]
    fn of_long_message(bytes: &[u8]) -> Option<Self> {
        let header = Self::parse(bytes, false).ok()??;
        (header.kind == Kind::Binary && header.is_last).then_some(header)
    }

    /// The payload's length, unless that is more than `max`.
    #[inline]
    pub(super) fn payload_within(&self, max: usize) -> Option<usize> {
        usize::try_from(self.payload_len).ok().filter(|len| *len <= max)
    }
}

impl Kind {
    pub(super) fn is_control(self) -> bool {
        match self {
            Self::Close | Self::Ping | Self::Pong => true,
            Self::Continuation | Self::Binary => false,
        }
    }
}

/// What the first byte says.
fn kind(first: u8, within_message: bool) -> Result<Kind, Over> {
    if first & RESERVED != 0 {
        return Err(Over::broken(Over::PROTOCOL, "a reserved bit is set"));
    }
    let opcode = first & OPCODE;
    if opcode >= CLOSE && first & LAST == 0 {
        return Err(Over::broken(Over::PROTOCOL, "a control frame in fragments"));
    }
    match opcode {
        CONTINUATION if !within_message => Err(Over::broken(Over::PROTOCOL, "a fragment of nothing")),
        TEXT | BINARY if within_message => Err(Over::broken(Over::PROTOCOL, "a message within a message")),
        // [MQTT-6.0.0-1] Whatever is in it, and however much is to come.
        TEXT => Err(Over::broken(Over::UNSUPPORTED, "MQTT needs binary frames")),
        CONTINUATION => Ok(Kind::Continuation),
        BINARY => Ok(Kind::Binary),
        CLOSE => Ok(Kind::Close),
        PING => Ok(Kind::Ping),
        PONG => Ok(Kind::Pong),
        _ => Err(Over::broken(Over::PROTOCOL, "a frame of a kind that there is not")),
    }
}

pub(super) const LAST: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0F;
const MASK: u8 = 0x80;
/// The second byte, from which on more of the length follows.
const LONG: u8 = MASK | 126;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
pub(super) const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
pub(super) const PONG: u8 = 0xA;

/// The first byte of a whole message of data.
pub(super) const WHOLE_MESSAGE: u8 = LAST | BINARY;

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

    /// Behind how many of these bytes a rule is broken, and with which code, when no more than a byte comes at once.
    #[track_caller]
    fn check(bytes: &[u8], broken: Option<(usize, u16)>) {
        let (mut at, mut within_message) = (0, false);
        'frames: while at < bytes.len() {
            let begun = at;
            for end in begun..=bytes.len() {
                match Header::parse(&bytes[begun..end], within_message) {
                    Ok(None) => {}
                    Ok(Some(header)) => {
                        assert_eq!(header.len, end - begun);
                        if !header.kind.is_control() {
                            within_message = !header.is_last;
                        }
                        at = end + usize::try_from(header.payload_len).unwrap();
                        continue 'frames;
                    }
                    Err(Over::Broken { code, .. }) => return assert_eq!(Some((end - 1, code)), broken),
                    Err(Over::ByPeer) => panic!("nobody said goodbye"),
                }
            }
            break;
        }
        assert_eq!(None, broken);
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
    fn lengths_are_understood_however_long_they_are() {
        let check = |length: &[u8], expected: u64| {
            let header =
                Header::parse(&[&[0x82], length, &[1, 2, 3, 4, 5]].concat(), false).unwrap().unwrap();
            assert_eq!((header.payload_len, header.len), (expected, 5 + length.len()));
            assert_eq!((header.kind, header.is_last, header.mask), (Kind::Binary, true, [1, 2, 3, 4]));
        };
        check(&[0x80], 0);
        check(&[0xFD], 125);
        check(&[0xFE, 0, 126], 126);
        check(&[0xFE, 0xFF, 0xFF], 65_535);
        check(&[0xFF, 0, 0, 0, 0, 0, 1, 0, 0], 65_536);
        check(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], u64::MAX);
        // Longer than it need be.
        check(&[0xFE, 0, 5], 5);
        check(&[0xFF, 0, 0, 0, 0, 0, 0, 0, 5], 5);
    }
}
