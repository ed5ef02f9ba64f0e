//! Whether the other side is still there.
//!
//! After three quarters of the interval without a byte in either direction, PINGREQ goes out, well before the server
//! would lose patience. If nothing at all comes for as long again, the connection is dead: one and a half intervals
//! after it fell silent.

use crate::time::Instant;
use core::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(super) struct KeepAlive {
    /// Three quarters of the interval; `None` if nobody asks.
    patience: Option<Duration>,
    last_received: Instant,
    pinged: Option<Instant>,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ping,
    Dead,
}

impl KeepAlive {
    pub(super) fn new(interval_s: u16, now: Instant) -> Self {
        let patience = Duration::from_secs(interval_s.into()) * 3 / 4;
        Self { patience: (interval_s > 0).then_some(patience), last_received: now, pinged: None }
    }

    /// Any byte shows that the other side lives.
    pub(super) fn received(&mut self, now: Instant) {
        self.last_received = now;
        self.pinged = None;
    }

    /// PINGREQ goes out.
    pub(super) fn pinged(&mut self, now: Instant) {
        self.pinged = Some(now);
    }

    /// Whether an answer to PINGREQ is awaited.
    pub(super) fn is_waiting(&self) -> bool {
        self.pinged.is_some()
    }

    pub(super) fn due(&self, last_write: Instant, now: Instant) -> Due {
        match (self.deadline(last_write), self.pinged) {
            (Some(deadline), Some(_)) if now >= deadline => Due::Dead,
            (Some(deadline), None) if now >= deadline => Due::Ping,
            _ => Due::Nothing,
        }
    }

    /// A timer that comes late, as in a sleeping page, still leaves the answer its time: it counts from the question.
    pub(super) fn deadline(&self, last_write: Instant) -> Option<Instant> {
        let since = self.pinged.unwrap_or_else(|| self.last_received.min(last_write));
        Some(since + self.patience?)
    }
}
