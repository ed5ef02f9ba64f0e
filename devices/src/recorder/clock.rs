//! The clocks of the recorder. Everything else is told the time.

use super::{arrival::Millis, guard::Now};
use rustix::time::{ClockId, clock_gettime};
use std::time::{SystemTime, UNIX_EPOCH};

/// What both clocks say.
pub(super) fn now() -> Now {
    // It goes on while the machine sleeps, unlike the one that `Instant` reads.
    let steady = clock_gettime(ClockId::Boottime);
    Now { wall: wall(), steady: steady.tv_sec * 1_000 + steady.tv_nsec / 1_000_000 }
}

/// Milliseconds since 1970.
pub(super) fn wall() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}
