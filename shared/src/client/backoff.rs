//! How long to wait before the next attempt: longer each time, and never the same for all clients.

use crate::client::Retry;
use core::time::Duration;

/// Full jitter: any time up to a bound that doubles. Where a server comes back, its clients come one by one.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    retry: Retry,
    attempts: u32,
    random: u64,
}

impl Backoff {
    pub(super) const fn new(retry: Retry, seed: u64) -> Self {
        Self { retry, attempts: 0, random: seed }
    }

    /// The pause before the next attempt.
    pub(super) fn next(&mut self) -> Duration {
        let doubled = self.retry.first.saturating_mul(2_u32.saturating_pow(self.attempts));
        self.attempts = self.attempts.saturating_add(1);
        // The smallest pause keeps an unlucky draw from being no pause at all.
        let shortest = self.retry.first / 5;
        let longest = doubled.min(self.retry.longest).max(shortest);
        shortest + self.part_of(longest - shortest)
    }

    /// The pause after a refusal: up to a quarter longer than asked for.
    pub(super) fn after_refusal(&mut self) -> Option<Duration> {
        let refused = self.retry.refused?;
        Some(refused + self.part_of(refused / 4))
    }

    /// The connection lasted for so long.
    pub(super) fn lasted(&mut self, duration: Duration) {
        if duration >= self.retry.healthy {
            self.attempts = 0;
        }
    }

    /// Any time from nothing to `whole`.
    fn part_of(&mut self, whole: Duration) -> Duration {
        let micros = u64::try_from(whole.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(match micros.checked_add(1) {
            Some(bound) => self.draw() % bound,
            None => self.draw(),
        })
    }

    /// SplitMix64: two clients with neighbouring seeds draw unrelated numbers.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
