//! What can be wrong with bytes that claim to be MQTT, and with packets that are to become bytes.

use crate::mqtt::{FilterError, ReasonCode, TextError, TopicError};
use core::fmt;

/// The rule that received bytes break. The peer is at fault; [`DecodeError::reason`] is what to tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// A string field is no MQTT string.
    Text(TextError),
    /// A topic name field is no topic name.
    Topic(TopicError),
    /// A filter field is no topic filter.
    Filter(FilterError),
}

impl DecodeError {
    /// What 5.0 calls this error.
    pub const fn reason(self) -> ReasonCode {
        match self {
            Self::Text(_) | Self::Topic(_) | Self::Filter(_) => ReasonCode::MalformedPacket,
        }
    }
}

/// Why a packet cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The packet would be longer than 268,435,460 bytes, or a field longer than its length prefix can say.
    TooLarge,
    /// The version has no such packet (AUTH before 5.0).
    NotInThisVersion,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(error) => error.fmt(f),
            Self::Topic(error) => error.fmt(f),
            Self::Filter(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "too large for any packet",
            Self::NotInThisVersion => "this version of MQTT has no such packet",
        })
    }
}

impl core::error::Error for DecodeError {}
impl core::error::Error for EncodeError {}
