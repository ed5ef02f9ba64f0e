//! Where the fields of a packet go: into a buffer, or merely into a count.
//!
//! Each packet says its layout once. Run into a [`Counter`] it gives the length and finds what cannot be written; run
//! into the buffer it cannot fail any more, so that nothing half-written is ever left there.

use crate::mqtt::{
    EncodeError, Version,
    variable::{self, Shortest},
};
use bytes::BytesMut;

/// Takes bytes, one field after the other.
pub(crate) trait Sink {
    fn put(&mut self, bytes: &[u8]);

    #[inline]
    fn u8(&mut self, value: u8) {
        self.put(&[value]);
    }

    #[inline]
    fn u16(&mut self, value: u16) {
        self.put(&value.to_be_bytes());
    }

    #[inline]
    fn u32(&mut self, value: u32) {
        self.put(&value.to_be_bytes());
    }

    /// A Variable Byte Integer. [MQTT-1.5.5-1]
    #[inline]
    fn variable(&mut self, value: usize) -> Result<(), EncodeError> {
        match variable::shortest(short_enough(value)?) {
            Shortest::One(bytes) => self.put(&bytes),
            Shortest::Two(bytes) => self.put(&bytes),
            Shortest::Three(bytes) => self.put(&bytes),
            Shortest::Four(bytes) => self.put(&bytes),
        }
        Ok(())
    }

    /// Binary data or a string, behind a length of two bytes.
    #[inline]
    fn binary(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.u16(u16::try_from(bytes.len()).map_err(|_| EncodeError::TooLarge)?);
        self.put(bytes);
        Ok(())
    }
}

/// What says its layout: everything behind the fixed header, field after field.
pub(crate) trait Layout {
    fn write(&self, version: Version, sink: &mut impl Sink) -> Result<(), EncodeError>;
}

/// Appends a packet to `out`, or leaves `out` as it is.
///
/// Not inlined, for the sake of callers that mostly write what `plain_publish` writes.
#[inline(never)]
pub(crate) fn encode(
    first_byte: u8,
    layout: &impl Layout,
    version: Version,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let remaining = remaining_len(layout, version)?;
    out.reserve(1 + variable::len(remaining) + remaining as usize);
    out.u8(first_byte);
    out.variable(remaining as usize)?;
    layout.write(version, out)
}

/// How many bytes [`encode`] appends.
pub(crate) fn encoded_len(layout: &impl Layout, version: Version) -> Result<usize, EncodeError> {
    let remaining = remaining_len(layout, version)?;
    Ok(1 + variable::len(remaining) + remaining as usize)
}

fn remaining_len(layout: &impl Layout, version: Version) -> Result<u32, EncodeError> {
    let mut counter = Counter::default();
    layout.write(version, &mut counter)?;
    short_enough(counter.len)
}

/// The length as a Variable Byte Integer can say it.
#[inline]
pub(crate) const fn short_enough(len: usize) -> Result<u32, EncodeError> {
    if len <= variable::MAX as usize { Ok(len as u32) } else { Err(EncodeError::TooLarge) }
}

impl Sink for BytesMut {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Counts what would be written.
#[derive(Default)]
pub(crate) struct Counter {
    pub(crate) len: usize,
}

impl Sink for Counter {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.len = self.len.saturating_add(bytes.len());
    }
}
