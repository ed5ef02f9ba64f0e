//! When a battery device is awake.

use super::args::Duty;
use luxwire_shared::time::Instant;

/// Awake and asleep by turns; without a [`Duty`] always awake.
#[derive(Debug)]
pub(super) struct Rhythm {
    duty: Option<Duty>,
    woke_at: Instant,
    asleep: bool,
}

/// What it is time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Sleep,
    Wake,
}

impl Rhythm {
    /// Awake since now.
    pub(super) const fn new(duty: Option<Duty>, now: Instant) -> Self {
        Self { duty, woke_at: now, asleep: false }
    }

    pub(super) const fn is_asleep(&self) -> bool {
        self.asleep
    }

    /// When it is time for the next turn.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let duty = self.duty?;
        Some(self.woke_at + if self.asleep { duty.period } else { duty.awake })
    }

    /// What it is time for, if it is.
    pub(super) fn tick(&mut self, now: Instant) -> Option<Turn> {
        if self.next_deadline()? > now {
            return None;
        }
        if self.asleep {
            self.wake(now);
            return Some(Turn::Wake);
        }
        self.asleep = true;
        Some(Turn::Sleep)
    }

    /// Out of turn.
    pub(super) fn wake(&mut self, now: Instant) {
        self.asleep = false;
        self.woke_at = now;
    }

    /// Sleeps no more.
    pub(super) fn stay_awake(&mut self) {
        self.duty = None;
        self.asleep = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn s(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1_000)
    }

    #[test]
    fn awake_for_a_part_of_each_period() {
        let duty = Duty { awake: Duration::from_secs(5), period: Duration::from_secs(60) };
        let mut rhythm = Rhythm::new(Some(duty), s(100));
        assert_eq!((rhythm.tick(s(104)), rhythm.next_deadline()), (None, Some(s(105))));
        assert_eq!((rhythm.tick(s(105)), rhythm.next_deadline()), (Some(Turn::Sleep), Some(s(160))));
        assert!(rhythm.is_asleep());
        assert_eq!(rhythm.tick(s(159)), None);
        assert_eq!((rhythm.tick(s(160)), rhythm.next_deadline()), (Some(Turn::Wake), Some(s(165))));
        assert!(!rhythm.is_asleep());
    }

    #[test]
    fn a_computer_that_slept_itself_wakes_once() {
        let duty = Duty { awake: Duration::from_secs(5), period: Duration::from_secs(60) };
        let mut rhythm = Rhythm::new(Some(duty), s(0));
        rhythm.tick(s(5));
        assert_eq!(rhythm.tick(s(10_000)), Some(Turn::Wake));
        assert_eq!((rhythm.tick(s(10_001)), rhythm.next_deadline()), (None, Some(s(10_005))));
    }

    #[test]
    fn without_a_duty_it_never_sleeps() {
        let mut rhythm = Rhythm::new(None, s(0));
        assert_eq!((rhythm.tick(s(1_000_000)), rhythm.next_deadline()), (None, None));
    }
}
