//! The clock. No other module of the program reads the time.

use luxwire_broker::Now;
use luxwire_shared::time::{Instant, Timestamp};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Gives the time to everything below the edge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: std::time::Instant,
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        Self { start: std::time::Instant::now() }
    }

    /// Both times, read together.
    pub(crate) fn now(&self) -> Now {
        Now { instant: self.instant(), timestamp: self.timestamp() }
    }

    pub(crate) fn instant(&self) -> Instant {
        Instant::from_micros(micros(self.start.elapsed()))
    }

    /// A wall clock that is set before 1970 reads as 1970.
    fn timestamp(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix_millis(micros(since_epoch) / 1_000)
    }
}

/// Half a million years fit.
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
