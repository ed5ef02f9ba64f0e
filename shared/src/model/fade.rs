//! A light that moves to a level instead of jumping there.
//!
//! It moves evenly in intensity, which is how the eye judges brightness, so a fade looks even from beginning to end. It is
//! pure: time comes in, and it says what to show and when that changes next. It neither waits nor shows anything.

use crate::{model::Intensity, time::Instant};
use core::time::Duration;

/// How often a moving light changes: faster than an eye can tell apart, slow enough for a small processor.
pub const STEP: Duration = Duration::from_millis(20);

/// No way takes longer, so that its arithmetic cannot overflow.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// One light's level, at rest or on its way.
///
/// Every way takes the same time, however long it is. A new goal during a fade begins where the light is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fade {
    duration: Duration,
    from: Intensity,
    to: Intensity,
    /// When it left `from`; `None` at rest.
    since: Option<Instant>,
}

impl Fade {
    /// A light at rest at `level`, whose ways take `duration`, a day at most; zero makes every way a jump.
    pub const fn new(duration: Duration, level: Intensity) -> Self {
        let duration = if duration.as_secs() < LONGEST.as_secs() { duration } else { LONGEST };
        Self { duration, from: level, to: level, since: None }
    }

    /// Moves to `goal`, from where it is. A goal that it has already changes nothing.
    pub fn turn(&mut self, goal: Intensity, now: Instant) {
        if goal != self.to {
            let level = self.level(now);
            *self = Self { from: level, to: goal, since: Some(now), ..*self };
        }
    }

    /// Is at `level` at once.
    pub fn jump(&mut self, level: Intensity) {
        *self = Self::new(self.duration, level);
    }

    /// Where it will be when it rests.
    pub const fn goal(&self) -> Intensity {
        self.to
    }

    /// What to show.
    pub fn level(&self, now: Instant) -> Intensity {
        let Some(since) = self.since else { return self.to };
        let (elapsed, whole) = (micros(now - since), micros(self.duration));
        if elapsed >= whole {
            return self.to;
        }
        let (from, to) = (u64::from(self.from.hundredths()), u64::from(self.to.hundredths()));
        // The nearest hundredth between both.
        let hundredths = (from * (whole - elapsed) + to * elapsed + whole / 2) / whole;
        u16::try_from(hundredths).ok().and_then(Intensity::from_hundredths).unwrap_or(self.to)
    }

    /// When to ask for the [`level`](Self::level) again; `None` at rest.
    pub fn next_step(&self, now: Instant) -> Option<Instant> {
        let since = self.since?;
        let end = since + self.duration;
        if now >= end {
            return None;
        }
        let steps = micros(now - since) / micros(STEP) + 1;
        let next = since + Duration::from_micros(steps * micros(STEP));
        Some(next.min(end))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
