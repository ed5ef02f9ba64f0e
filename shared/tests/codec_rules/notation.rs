//! A short way to write packets down, so that a row of a table is one line.

use bytes::Bytes;
use luxwire_shared::mqtt::{DecodeError, Framer, Packet, Version};

pub(crate) const ALL: &[Version] = &[Version::V3_1, Version::V3_1_1, Version::V5];
pub(crate) const V3: &[Version] = &[Version::V3_1, Version::V3_1_1];
pub(crate) const V3_1: &[Version] = &[Version::V3_1];
pub(crate) const V3_1_1: &[Version] = &[Version::V3_1_1];
/// The versions that follow 3.1.
pub(crate) const V4_V5: &[Version] = &[Version::V3_1_1, Version::V5];
pub(crate) const V5: &[Version] = &[Version::V5];

/// The bytes that a notation stands for:
///
/// - `0a` a byte
/// - `'text'` the bytes of the text
/// - `` `text` `` the same behind a length of two bytes
/// - `( … )` what stands within, behind a length of two bytes
/// - `[ … ]` what stands within, behind its length as a Variable Byte Integer: a block of properties
/// - `30: …` at the front, the first byte of a packet, and behind it the Remaining Length of what follows
pub(crate) fn bytes(notation: &str) -> Vec<u8> {
    let (first, body) = match notation.split_once(": ") {
        Some((first, body)) => (first, body),
        None if notation.ends_with(':') => (&notation[..2], ""),
        None => return parse(notation),
    };
    let body = parse(body);
    [parse(first), variable(body.len()), body].concat()
}

fn parse(notation: &str) -> Vec<u8> {
    let mut open: Vec<Vec<u8>> = vec![Vec::new()];
    let mut rest = notation.trim_start();
    while let Some(sign) = rest.chars().next() {
        let mut used = 1;
        match sign {
            '\'' | '`' => {
                let text = rest[1..].split(sign).next().unwrap();
                used = text.len() + 2;
                let len = if sign == '`' {
                    u16::try_from(text.len()).unwrap().to_be_bytes().to_vec()
                } else {
                    vec![]
                };
                open.last_mut().unwrap().extend([len.as_slice(), text.as_bytes()].concat());
            }
            '(' | '[' => open.push(Vec::new()),
            ')' | ']' => {
                let inner = open.pop().unwrap();
                let len = match sign {
                    ')' => u16::try_from(inner.len()).unwrap().to_be_bytes().to_vec(),
                    _ => variable(inner.len()),
                };
                open.last_mut().unwrap().extend([len, inner].concat());
            }
            _ => {
                used = 2;
                let byte = u8::from_str_radix(&rest[..2], 16);
                open.last_mut().unwrap().push(byte.unwrap_or_else(|_| panic!("{rest:?} in {notation:?}")));
            }
        }
        rest = rest[used..].trim_start();
    }
    assert_eq!(open.len(), 1, "brackets in {notation:?}");
    open.pop().unwrap()
}

/// `value` as a Variable Byte Integer.
pub(crate) fn variable(value: usize) -> Vec<u8> {
    let (low, rest) = (u8::try_from(value % 128).unwrap(), value / 128);
    if rest == 0 { vec![low] } else { [vec![low | 0x80], variable(rest)].concat() }
}

/// The packet whose first byte and body are these.
pub(crate) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    [vec![first], variable(body.len()), body.to_vec()].concat()
}

/// The one packet that `bytes` are.
pub(crate) fn decode(bytes: &[u8], version: Version) -> Result<Packet, DecodeError> {
    let mut framer = Framer::new(u32::MAX);
    framer.push(Bytes::copy_from_slice(bytes));
    let frame = framer.next_frame()?.expect("a whole packet");
    assert_eq!(framer.pending_len(), 0, "more than one packet in {bytes:02x?}");
    Packet::decode(frame, version)
}

/// Some versions, bytes, and the rule that they break in each of these versions.
pub(crate) type Row = (&'static [Version], &'static str, DecodeError);

#[track_caller]
pub(crate) fn refused(rows: &[Row]) {
    for (versions, notation, error) in rows {
        for version in *versions {
            assert_eq!(decode(&bytes(notation), *version), Err(*error), "{version:?}: {notation}");
        }
    }
}
