//! Takes the fields of a packet from the front of its body.
//!
//! Every length is compared with what is there before anything is taken. Strings and binary data share the buffer.

use crate::mqtt::{DecodeError, PacketId, Text, TopicName, variable};
use bytes::{Buf, Bytes};

/// What is left of a body.
pub(crate) struct Reader {
    rest: Bytes,
}

impl Reader {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        let &byte = self.rest.first().ok_or(DecodeError::Truncated)?;
        self.rest.advance(1);
        Ok(byte)
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        let &bytes = self.rest.first_chunk().ok_or(DecodeError::Truncated)?;
        self.rest.advance(2);
        Ok(u16::from_be_bytes(bytes))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        let &bytes = self.rest.first_chunk().ok_or(DecodeError::Truncated)?;
        self.rest.advance(4);
        Ok(u32::from_be_bytes(bytes))
    }

    /// A Variable Byte Integer in its shortest form. [MQTT-1.5.5-1]
    pub(crate) fn variable(&mut self) -> Result<u32, DecodeError> {
        match variable::parse(&self.rest) {
            variable::Parsed::Value { value, len, shortest: true } => {
                self.rest.advance(len);
                Ok(value)
            }
            variable::Parsed::Value { shortest: false, .. } | variable::Parsed::TooLong => {
                Err(DecodeError::VariableByteInteger)
            }
            variable::Parsed::Incomplete => Err(DecodeError::Truncated),
        }
    }

    /// The next `len` bytes.
    #[inline]
    pub(crate) fn bytes(&mut self, len: usize) -> Result<Bytes, DecodeError> {
        if self.rest.len() < len {
            return Err(DecodeError::Truncated);
        }
        Ok(self.rest.split_to(len))
    }

    /// Binary data behind a length of two bytes.
    #[inline]
    pub(crate) fn binary(&mut self) -> Result<Bytes, DecodeError> {
        let len = self.u16()?;
        self.bytes(usize::from(len))
    }

    /// A string behind a length of two bytes. [MQTT-1.5.4-1] [MQTT-1.5.4-2]
    #[inline]
    pub(crate) fn text(&mut self) -> Result<Text, DecodeError> {
        Text::try_from(self.binary()?).map_err(DecodeError::Text)
    }

    /// A topic name. [MQTT-3.3.2-1] [MQTT-3.3.2-2]
    pub(crate) fn topic(&mut self) -> Result<TopicName, DecodeError> {
        TopicName::try_from(self.text()?).map_err(DecodeError::Topic)
    }

    /// A packet identifier. [MQTT-2.2.1-3]
    #[inline]
    pub(crate) fn packet_id(&mut self) -> Result<PacketId, DecodeError> {
        PacketId::new(self.u16()?).ok_or(DecodeError::PacketId)
    }

    /// Everything that is left.
    pub(crate) fn remainder(self) -> Bytes {
        self.rest
    }

    /// Makes sure that nothing is left.
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::TrailingBytes) }
    }
}
