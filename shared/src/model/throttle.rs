//! A rate limit that never loses the last value.
//!
//! The first value passes at once, later ones at most one per interval, always the newest. It holds one value and no
//! clock: ask [`Throttle::next_deadline`] when to call [`Throttle::tick`].

use crate::time::Instant;
use core::time::Duration;

/// At most ten values a second: what a Philips Hue bridge takes, and what an eye follows.
pub const INTERVAL: Duration = Duration::from_millis(100);

/// Lets values of one kind pass at a limited rate.
#[derive(Clone, Debug)]
pub struct Throttle<T> {
    interval: Duration,
    passed: Option<(Instant, T)>,
    held: Option<T>,
}

impl<T: Clone + PartialEq> Throttle<T> {
    /// At most one value per `interval`; nothing has passed yet.
    pub const fn new(interval: Duration) -> Self {
        Self { interval, passed: None, held: None }
    }

    /// Here is a newer value. Gives it back if it may pass now; otherwise it is held in place of any older one.
    ///
    /// A value equal to the last that passed does not pass again; it only takes back what is held.
    pub fn offer(&mut self, value: T, now: Instant) -> Option<T> {
        self.held = match &self.passed {
            Some((_, passed)) if *passed == value => None,
            Some(_) | None => Some(value),
        };
        self.tick(now)
    }

    /// Gives the held value once its time has come.
    pub fn tick(&mut self, now: Instant) -> Option<T> {
        if self.next_deadline()? > now {
            return None;
        }
        let value = self.held.take()?;
        self.passed = Some((now, value.clone()));
        Some(value)
    }

    /// When the held value may pass; `None` if none is held.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.held.as_ref()?;
        Some(self.passed.as_ref().map_or(Instant::START, |(at, _)| *at + self.interval))
    }

    /// `value` has passed by another way: it counts, and what is held is older and forgotten.
    pub fn passed(&mut self, value: T, now: Instant) {
        self.held = None;
        self.passed = Some((now, value));
    }

    /// Forgets everything, so that the next value passes at once.
    pub fn clear(&mut self) {
        self.held = None;
        self.passed = None;
    }
}
