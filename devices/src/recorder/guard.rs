//! Doubts the wall clock, on which retention by age depends: one that leaps forward must not empty the history.

use super::{arrival::Millis, limits};
use std::time::Duration;

/// What the clocks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Now {
    /// Milliseconds since 1970. Somebody may set it.
    pub(super) wall: Millis,
    /// Milliseconds since the machine was started, sleep included. It never goes back.
    pub(super) steady: Millis,
}

/// Watches the wall clock beside the steady one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guard {
    last: Option<Now>,
    /// How long nothing is deleted for its age; zero if the wall clock is believed.
    pause_left: Millis,
}

/// What a person should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// The wall clock leapt ahead by this much.
    Leapt(Duration),
    /// It is this far ahead of the newest value.
    Ahead(Duration),
    /// It was set back by this much.
    SetBack(Duration),
    /// Retention goes on.
    Believed,
}

impl Guard {
    /// `pause_left` is what an earlier run left of its pause.
    pub(super) fn new(pause_left: Millis) -> Self {
        Self { last: None, pause_left }
    }

    /// Time passes. `newest` is only looked at the first time.
    pub(super) fn tick(&mut self, now: Now, newest: Option<Millis>) -> Option<News> {
        let Some(last) = self.last.replace(now) else { return self.started(now, newest) };
        let passed = (now.steady - last.steady).max(0);
        let leapt = (now.wall - last.wall) - passed;
        if leapt > millis(limits::LEAP) {
            self.pause_left = millis(limits::LEAP_PAUSE);
            return Some(News::Leapt(duration(leapt)));
        }
        let news = (leapt < -millis(limits::SET_BACK)).then(|| News::SetBack(duration(-leapt)));
        if self.pause_left > 0 {
            // Set back by as much as it had leapt, it is where it was.
            self.pause_left =
                if leapt < -millis(limits::LEAP) { 0 } else { (self.pause_left - passed).max(0) };
            if self.pause_left == 0 && news.is_none() {
                return Some(News::Believed);
            }
        }
        news
    }

    pub(super) const fn pause_left(&self) -> Millis {
        self.pause_left
    }

    fn started(&mut self, now: Now, newest: Option<Millis>) -> Option<News> {
        let ahead = now.wall - newest?;
        if self.pause_left == 0 && ahead > millis(limits::LEAP_AT_START) {
            self.pause_left = millis(limits::LEAP_PAUSE);
            return Some(News::Ahead(duration(ahead)));
        }
        None
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

fn duration(millis: Millis) -> Duration {
    Duration::from_millis(millis.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Millis = 3_600_000;
    const START: Now = Now { wall: 1_800_000_000_000, steady: 5_000 };

    fn after(passed: Millis, leapt: Millis) -> Now {
        Now { wall: START.wall + passed + leapt, steady: START.steady + passed }
    }

    #[test]
    fn a_clock_that_runs_is_believed() {
        let mut guard = Guard::new(0);
        assert_eq!(guard.tick(START, Some(START.wall - HOUR)), None);
        for passed in [1, HOUR, 100 * HOUR] {
            assert_eq!(guard.tick(after(passed, 1_000), None), None, "it may drift");
            assert_eq!(guard.pause_left(), 0);
        }
    }

    #[test]
    fn a_clock_that_leaps_is_believed_a_day_later() {
        let mut guard = Guard::new(0);
        guard.tick(START, None);
        assert_eq!(
            guard.tick(after(10, 50 * HOUR), None),
            Some(News::Leapt(Duration::from_secs(50 * 3_600)))
        );
        assert_eq!(guard.tick(after(10 + 23 * HOUR, 50 * HOUR), None), None);
        assert!(guard.pause_left() > 0);
        assert_eq!(guard.tick(after(10 + 24 * HOUR, 50 * HOUR), None), Some(News::Believed));
        assert_eq!(guard.pause_left(), 0);
    }

    #[test]
    fn a_leap_that_is_undone_is_forgotten() {
        let mut guard = Guard::new(0);
        guard.tick(START, None);
        guard.tick(after(10, 50 * HOUR), None);
        assert_eq!(guard.tick(after(20, 0), None), Some(News::SetBack(Duration::from_secs(50 * 3_600))));
        assert_eq!(guard.pause_left(), 0);
    }

    #[test]
    fn a_clock_far_ahead_of_the_newest_value_is_doubted_also_after_a_restart() {
        let mut guard = Guard::new(0);
        let news = guard.tick(START, Some(START.wall - 200 * HOUR));
        assert_eq!(news, Some(News::Ahead(Duration::from_secs(200 * 3_600))));
        guard.tick(after(HOUR, 0), None);
        let mut again = Guard::new(guard.pause_left());
        assert_eq!(again.tick(START, Some(START.wall)), None);
        assert_eq!(again.pause_left(), 23 * HOUR);
    }
}
