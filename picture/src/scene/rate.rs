//! How many messages pass in a second, shown or not.

use crate::time::Millis;

/// Counts messages in the last seconds.
#[derive(Debug, Default)]
pub(super) struct Rate {
    window_since: Millis,
    in_window: u32,
    per_second: f64,
}

impl Rate {
    /// So many passed at this moment.
    pub(super) fn add(&mut self, messages: u32, now: Millis) {
        self.advance(now);
        self.in_window = self.in_window.saturating_add(messages);
    }

    /// Time passes.
    pub(super) fn advance(&mut self, now: Millis) {
        let passed = now - self.window_since;
        if passed >= RATE_MS {
            self.per_second =
                if passed < RATE_MS * 2.0 { f64::from(self.in_window) * 1_000.0 / passed } else { 0.0 };
            (self.window_since, self.in_window) = (now, 0);
        }
    }

    /// Whether time alone will change it.
    pub(super) fn is_counting(&self) -> bool {
        self.in_window > 0 || self.per_second > 0.0
    }

    /// How many a second.
    pub(super) fn per_second(&self) -> f64 {
        self.per_second
    }
}

/// Over how long messages are counted.
const RATE_MS: Millis = 2_000.0;
