//! What is said of many figures: the middle one, the one that 99 of 100 stay below, and how far they lie apart.

use serde::Serialize;
use std::time::Duration;

/// Times of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Times {
    pub(crate) median_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) count: usize,
}

/// A figure that was taken once a round.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Times {
    /// `None` of no times at all.
    pub(crate) fn of(times: &[Duration]) -> Option<Self> {
        let mut sorted: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e6).collect();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            median_us: percentile(&sorted, 0.5)?,
            p99_us: percentile(&sorted, 0.99)?,
            count: sorted.len(),
        })
    }
}

impl Spread {
    /// `None` of no figures at all.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Some(Self { median: percentile(&sorted, 0.5)?, least: *sorted.first()?, most: *sorted.last()? })
    }

    /// How far the rounds lie apart, as a part of their middle.
    pub(crate) fn relative(&self) -> f64 {
        if self.median == 0.0 { 0.0 } else { (self.most - self.least) / self.median }
    }
}

/// The smallest figure that at least this part of all figures does not exceed: always one that was measured.
pub(crate) fn percentile(sorted: &[f64], part: f64) -> Option<f64> {
    let rank = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_figures_that_were_measured() {
        let times: Vec<_> = (1..=200).rev().map(Duration::from_micros).collect();
        let times = Times::of(&times).unwrap();
        assert_eq!((times.median_us.round(), times.p99_us.round(), times.count), (100.0, 198.0, 200));
    }

    #[test]
    fn one_time_is_its_own_median_and_none_has_none() {
        let alone = Times::of(&[Duration::from_millis(3)]).unwrap();
        assert_eq!((alone.median_us.round(), alone.p99_us.round()), (3000.0, 3000.0));
        assert_eq!(Times::of(&[]), None);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn the_spread_is_measured_by_the_middle() {
        let spread = Spread::of([262.0, 260.0, 273.0]).unwrap();
        assert_eq!(spread, Spread { median: 262.0, least: 260.0, most: 273.0 });
        assert!((spread.relative() - 13.0 / 262.0).abs() < 1e-9);
        assert_eq!(Spread::of([0.0, 0.0]).unwrap().relative(), 0.0);
    }
}
