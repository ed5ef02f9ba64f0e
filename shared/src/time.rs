//! Time as it is handed to code that reads no clock.
//!
//! [`Instant`] orders events within one process; [`Timestamp`] is what people read and what survives a restart. Whoever
//! owns the clock (the server's edge, the page, a test) makes both.

use core::{
    num::NonZeroU64,
    ops::{Add, Sub},
    time::Duration,
};

/// A point on a monotonic clock, in microseconds since a start that its maker chose.
///
/// One that may be missing takes no more room than one that is there: a connection has several of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(
    /// One more than there are microseconds since the start.
    NonZeroU64,
);

impl Instant {
    /// The chosen start.
    pub const START: Self = Self(NonZeroU64::MIN);

    /// The point `micros` microseconds after the start.
    pub const fn from_micros(micros: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(micros))
    }

    /// The point `millis` milliseconds after the start.
    pub const fn from_millis(millis: u64) -> Self {
        Self::from_micros(millis.saturating_mul(1_000))
    }

    /// Microseconds since the start.
    pub const fn as_micros(self) -> u64 {
        self.0.get() - 1
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.get().saturating_sub(earlier.0.get()))
    }
}

impl Default for Instant {
    fn default() -> Self {
        Self::START
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Saturates at the end of time, half a million years after the start.
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// A wall-clock time in milliseconds since 1970-01-01T00:00:00Z. It may jump when somebody sets the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The time `millis` milliseconds after the Unix epoch.
    pub const fn from_unix_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn unix_millis(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_its_microseconds_up_to_the_end_of_time() {
        assert_eq!((Instant::START.as_micros(), Instant::default()), (0, Instant::START));
        for micros in [0, 1, 1_000_000, u64::MAX - 2, u64::MAX - 1] {
            let instant = Instant::from_micros(micros);
            assert_eq!(instant.as_micros(), micros);
            assert_eq!(instant.since(Instant::START), Duration::from_micros(micros));
            assert_eq!(Instant::START + Duration::from_micros(micros), instant);
        }
        let end = Instant::from_micros(u64::MAX);
        assert_eq!((end, end + Duration::MAX), (Instant::from_millis(u64::MAX), end));
        assert_eq!(Instant::START.since(end), Duration::ZERO);
    }
}
