//! Where the fields of a packet go: into a buffer, or merely into a count.
//!
//! Each packet says its layout once. Run into a [`Counter`] it gives the length and finds what cannot be written; run
//! into the buffer it cannot fail any more, so that nothing half-written is ever left there.

use crate::mqtt::{EncodeError, variable};
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
        let (bytes, len) = variable::bytes(short_enough(value)?);
        self.put(&bytes[..len]);
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

/// The length as a Variable Byte Integer can say it.
#[inline]
pub(crate) fn short_enough(len: usize) -> Result<u32, EncodeError> {
    match u32::try_from(len) {
        Ok(len) if len <= variable::MAX => Ok(len),
        Ok(_) | Err(_) => Err(EncodeError::TooLarge),
    }
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
