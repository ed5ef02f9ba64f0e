//! The board's clock in the words of the shared code.

use luxwire_shared::time::Instant;

/// Time since the board started.
pub(crate) fn now() -> Instant {
    Instant::from_micros(embassy_time::Instant::now().as_micros())
}

/// The same point on the board's own clock.
pub(crate) const fn board_time(instant: Instant) -> embassy_time::Instant {
    embassy_time::Instant::from_micros(instant.as_micros())
}
