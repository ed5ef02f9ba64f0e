//! Which change reached which follower, and how long it took.
//!
//! A change has reached a follower when that has its value or one that was set after it: who asks only now and then
//! misses values, and yet knows what holds.

use bytes::Bytes;
use std::time::{Duration, Instant};

/// The changes so far, and what came of them.
#[derive(Debug)]
pub(super) struct Deliveries {
    /// Each change's value, and when its sending began.
    sent: Vec<(Bytes, Instant)>,
    /// How many of the changes each follower has behind it.
    behind: Vec<usize>,
    times: Vec<Duration>,
    /// Deliveries of the very value, and not of a later one.
    exact: usize,
}

/// What a phase was about.
#[derive(Debug)]
pub(super) struct Delivered {
    pub(super) times: Vec<Duration>,
    /// The part of the values that followers got to see.
    pub(super) seen: f64,
}

impl Deliveries {
    /// To so many followers.
    pub(super) fn to(followers: usize) -> Self {
        Self { sent: Vec::new(), behind: vec![0; followers], times: Vec::new(), exact: 0 }
    }

    /// A change is about to be sent.
    pub(super) fn sending(&mut self, value: Bytes, now: Instant) {
        self.sent.push((value, now));
    }

    /// A follower has got a value.
    pub(super) fn received(&mut self, follower: usize, value: &Bytes, now: Instant) {
        let Some(behind) = self.behind.get_mut(follower) else { return };
        let later = self.sent.get(*behind..).unwrap_or_default();
        // Values return after many changes; the last one of them that was sent is meant.
        let Some(last) = later.iter().rposition(|(sent, _)| sent == value) else { return };
        let reached = later.iter().take(last + 1);
        self.times.extend(reached.map(|(_, at)| now.duration_since(*at)));
        self.exact += 1;
        *behind += last + 1;
    }

    /// Whether everybody has the newest value.
    pub(super) fn is_complete(&self) -> bool {
        self.behind.iter().all(|behind| *behind == self.sent.len())
    }

    /// Ends a phase, and begins the next.
    pub(super) fn take(&mut self) -> Delivered {
        let expected = self.sent.len() * self.behind.len();
        let seen = if expected == 0 { 0.0 } else { self.exact as f64 / expected as f64 };
        let ended = std::mem::replace(self, Self::to(self.behind.len()));
        Delivered { times: ended.times, seen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn value(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn a_change_takes_until_each_follower_has_it() {
        let start = Instant::now();
        let mut deliveries = Deliveries::to(2);
        deliveries.sending(value("40"), start);
        deliveries.received(0, &value("40"), start + MS);
        assert!(!deliveries.is_complete());
        deliveries.received(1, &value("40"), start + 3 * MS);
        assert!(deliveries.is_complete());
        let delivered = deliveries.take();
        assert_eq!((delivered.times, delivered.seen), (vec![MS, 3 * MS], 1.0));
    }

    #[test]
    fn a_later_value_stands_for_those_that_were_missed() {
        let start = Instant::now();
        let mut deliveries = Deliveries::to(1);
        for (text, at) in [("40", 0), ("41", 100), ("42", 200)] {
            deliveries.sending(value(text), start + at * MS);
        }
        deliveries.received(0, &value("42"), start + 250 * MS);
        let delivered = deliveries.take();
        assert_eq!(delivered.times, [250 * MS, 150 * MS, 50 * MS]);
        assert!((delivered.seen - 1.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_value_of_an_earlier_phase_is_nobodys() {
        let start = Instant::now();
        let mut deliveries = Deliveries::to(1);
        deliveries.sending(value("40"), start);
        deliveries.take();
        deliveries.sending(value("41"), start);
        deliveries.received(0, &value("40"), start + MS);
        assert!(!deliveries.is_complete());
        assert_eq!(deliveries.take().times, []);
    }
}
