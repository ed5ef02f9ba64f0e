//! A value on its way from the broker to the disk.

use bytes::Bytes;

/// Milliseconds since 1970-01-01T00:00:00Z, by somebody's clock.
pub(super) type Millis = i64;

/// Just before the end of the year 9999, in every time zone: nobody could write down what is later.
pub(super) const MILLIS_MAX: Millis = 253_402_207_199_999;

/// What comes to the writer, in the order in which it came from the broker.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// A connection begins; whether it goes on with the session of the one before.
    Connected { resumed: bool },
    /// A value came on it.
    Value(Arrival),
    /// Something else came, which has its turn to be acknowledged.
    Nothing,
}

/// A value that came.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arrival {
    pub(super) topic: Box<str>,
    pub(super) payload: Bytes,
    pub(super) set_at: Millis,
    pub(super) origin: Origin,
    /// The broker had kept it for the topic, and may have delivered it to us before, at any time.
    pub(super) retained: bool,
    /// Of QoS 1: what the broker delivered it under.
    pub(super) delivery: Option<Delivery>,
}

/// What a broker says of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) id: u16,
    /// It may have been delivered before, under the same identifier.
    pub(super) dup: bool,
}

/// Whose clock a value's time is by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The broker's: when the value was set.
    Broker = 0,
    /// Ours: when the value came, as it was set.
    Arrival = 1,
    /// Ours: when the value came, some time after it was set.
    CatchUp = 2,
}

impl Origin {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::Arrival => "arrival",
            Self::CatchUp => "catch-up",
        }
    }

    pub(super) const fn from_number(number: i64) -> Self {
        match number {
            0 => Self::Broker,
            1 => Self::Arrival,
            _ => Self::CatchUp,
        }
    }
}

impl Entry {
    /// What it costs to keep, roughly.
    pub(super) fn len(&self) -> usize {
        let text = match self {
            Self::Value(value) => value.topic.len() + value.payload.len(),
            Self::Connected { .. } | Self::Nothing => 0,
        };
        text + super::limits::QUEUE_ENTRY
    }
}
