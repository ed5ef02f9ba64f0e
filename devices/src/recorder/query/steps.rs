//! Steps: what a value did in each of many stretches of equal length.
//!
//! They are put together from buckets, whatever these are made of: single values, minutes, or hours. A value holds until
//! the next; so a step without values has the one that was carried into it, and the mean is weighted by time.

use crate::recorder::{arrival::Millis, store::Bucket};

/// One step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::recorder) struct Step {
    pub(in crate::recorder) start: Millis,
    /// How many values were set in it.
    pub(in crate::recorder) count: i64,
    /// The least that held in it, also if it was set before.
    pub(in crate::recorder) min: f64,
    pub(in crate::recorder) max: f64,
    /// Weighted by time, over that part of it in which the value is known.
    pub(in crate::recorder) mean: f64,
    pub(in crate::recorder) last: f64,
}

/// Puts steps together. Buckets come in the order of time, and none reaches beyond its step.
#[derive(Debug)]
pub(in crate::recorder) struct Stepper {
    length: Millis,
    /// When the step begins that is being put together.
    start: Millis,
    /// What held at its beginning.
    carried: Option<f64>,
    set: Option<Bucket>,
    now: Millis,
}

impl Stepper {
    /// From the step that begins at `start`, into which `carried` is carried. Nothing is known of what comes after `now`.
    pub(in crate::recorder) const fn new(
        length: Millis,
        start: Millis,
        carried: Option<f64>,
        now: Millis,
    ) -> Self {
        Self { length, start, carried, set: None, now }
    }

    /// When the step begins that is being put together.
    pub(in crate::recorder) const fn start(&self) -> Millis {
        self.start
    }

    /// Whether this time is beyond the step that is being put together.
    pub(in crate::recorder) const fn is_beyond(&self, at: Millis) -> bool {
        at >= self.start + self.length
    }

    /// Adds what was set within the step.
    pub(in crate::recorder) fn add(&mut self, bucket: &Bucket) {
        match &mut self.set {
            Some(set) => set.append(bucket),
            None => self.set = Some(*bucket),
        }
    }

    /// Ends the step and begins the next. `None` if nothing is known of it.
    pub(in crate::recorder) fn next(&mut self) -> Option<Step> {
        let (start, set, carried) = (self.start, self.set.take(), self.carried);
        let end = start + self.length;
        self.start = end;
        let Some(set) = set else {
            let value = carried?;
            return Some(Step { start, count: 0, min: value, max: value, mean: value, last: value });
        };
        self.carried = Some(set.last);
        // Somebody's clock may be ahead of ours.
        let end = end.min(self.now).max(set.last_at);
        let mut area = set.area + set.last * (end - set.last_at) as f64;
        let (mut min, mut max, mut known_from) = (set.min, set.max, set.first_at);
        if let Some(value) = carried.filter(|_| set.first_at > start) {
            area += value * (set.first_at - start) as f64;
            (min, max, known_from) = (min.min(value), max.max(value), start);
        }
        let mean = if end > known_from { area / (end - known_from) as f64 } else { set.last };
        // Rounding must not lead out of what there was.
        let mean = mean.clamp(min, max);
        Some(Step { start, count: set.count, min, max, mean, last: set.last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_carried_until_the_next() {
        let mut stepper = Stepper::new(1_000, 0, Some(10.0), 10_000);
        stepper.add(&Bucket::of(250, 50.0));
        stepper.add(&Bucket::of(750, 30.0));
        let step = Step { start: 0, count: 2, min: 10.0, max: 50.0, mean: 35.0, last: 30.0 };
        assert_eq!(stepper.next(), Some(step));
        let step = Step { start: 1_000, count: 0, min: 30.0, max: 30.0, mean: 30.0, last: 30.0 };
        assert_eq!(stepper.next(), Some(step));
        stepper.add(&Bucket::of(2_000, 5.0));
        let step = Step { start: 2_000, count: 1, min: 5.0, max: 5.0, mean: 5.0, last: 5.0 };
        assert_eq!(stepper.next(), Some(step), "what ended as the step began did not hold in it");
    }

    #[test]
    fn nothing_is_made_up_before_the_first_value_and_after_the_present() {
        let mut stepper = Stepper::new(1_000, 0, None, 1_750);
        assert_eq!(stepper.next(), None);
        stepper.add(&Bucket::of(1_250, 10.0));
        stepper.add(&Bucket::of(1_500, 20.0));
        let step = Step { start: 1_000, count: 2, min: 10.0, max: 20.0, mean: 15.0, last: 20.0 };
        assert_eq!(stepper.next(), Some(step));
        stepper.add(&Bucket::of(2_500, 40.0));
        let step = Step { start: 2_000, count: 1, min: 20.0, max: 40.0, mean: 20.0, last: 40.0 };
        assert_eq!(stepper.next(), Some(step), "a clock that is ahead");
    }
}
