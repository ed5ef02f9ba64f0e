//! What was found, round by round and then in the middle of the rounds; it is also what `--json` prints.

use super::{
    contender::{Contender, Table},
    round::Round,
};
use crate::{
    environment::Environment,
    network::Calibration,
    statistics::{Spread, Times},
};
use serde::Serialize;
use std::time::Duration;

/// What something cost on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sample {
    pub(super) bytes: f64,
    pub(super) packets: f64,
    /// What of the bytes the programs wrote themselves; the rest is TCP's and IP's.
    pub(super) above_tcp: f64,
    /// How often a client waited for the other side.
    pub(super) round_trips: f64,
}

impl Sample {
    /// The part of one of so many.
    pub(super) fn per(self, count: f64) -> Self {
        Self {
            bytes: self.bytes / count,
            packets: self.packets / count,
            above_tcp: self.above_tcp / count,
            round_trips: self.round_trips / count,
        }
    }
}

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) environment: Environment,
    pub(super) calibration: Calibration,
    pub(super) rounds: u32,
    pub(super) rows: Vec<Row>,
}

/// What was found of one contender.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    /// Coming until the first value is there, for one follower.
    pub(super) joining: Option<Cost>,
    pub(super) joining_times: Option<Times>,
    pub(super) silence: Option<Silence>,
    /// One change, for each number of followers that was tried.
    pub(super) changes: Vec<Change>,
    /// Coming, saying one value, and going.
    pub(super) once: Option<Cost>,
}

/// A change of the value, on its way to so many.
#[derive(Debug, Serialize)]
pub(super) struct Change {
    pub(super) followers: usize,
    pub(super) cost: Cost,
    pub(super) times: Times,
    /// The part of the values that arrived, and was not passed over for a later one.
    pub(super) seen: f64,
}

/// Following while nothing happens.
#[derive(Debug, Serialize)]
pub(super) struct Silence {
    /// One question and its answer, or one sign of life.
    pub(super) cost: Cost,
    pub(super) every_s: f64,
}

/// The middle of the rounds, and how far they lie apart.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Cost {
    pub(super) bytes: Spread,
    pub(super) packets: Spread,
    pub(super) above_tcp: Spread,
    pub(super) round_trips: Spread,
}

impl Cost {
    /// `None` if no round has it.
    fn of(samples: impl IntoIterator<Item = Sample>) -> Option<Self> {
        let samples: Vec<_> = samples.into_iter().collect();
        let spread = |part: fn(&Sample) -> f64| Spread::of(samples.iter().map(part));
        Some(Self {
            bytes: spread(|sample| sample.bytes)?,
            packets: spread(|sample| sample.packets)?,
            above_tcp: spread(|sample| sample.above_tcp)?,
            round_trips: spread(|sample| sample.round_trips)?,
        })
    }
}

impl Row {
    /// From the rounds with each number of followers. What one follower costs is taken from those with the fewest, how
    /// long joining takes from all.
    pub(super) fn of(contender: &Contender, rounds: &[(usize, Vec<Round>)], every_s: f64) -> Self {
        let fewest = rounds.first().map(|(_, rounds)| rounds.as_slice()).unwrap_or_default();
        let all = rounds.iter().flat_map(|(_, rounds)| rounds);
        let joining_times: Vec<Duration> =
            all.clone().flat_map(|round| round.joining_times.iter().copied()).collect();
        let joins = contender.is_in(Table::Joining);
        let silence = Cost::of(fewest.iter().filter_map(|round| round.silence));
        Self {
            key: contender.key,
            name: contender.name,
            joining: Cost::of(fewest.iter().map(|round| round.joining)).filter(|_| joins),
            joining_times: Times::of(&joining_times).filter(|_| joins),
            silence: silence
                .filter(|_| contender.is_in(Table::Silence))
                .map(|cost| Silence { cost, every_s }),
            changes: rounds.iter().filter_map(|(followers, rounds)| Change::of(*followers, rounds)).collect(),
            once: Cost::of(fewest.iter().filter_map(|round| round.once)),
        }
    }
}

impl Change {
    fn of(followers: usize, rounds: &[Round]) -> Option<Self> {
        let times: Vec<Duration> =
            rounds.iter().flat_map(|round| round.delivery_times.iter().copied()).collect();
        Some(Self {
            followers,
            cost: Cost::of(rounds.iter().filter_map(|round| round.change))?,
            times: Times::of(&times)?,
            seen: Spread::of(rounds.iter().map(|round| round.seen))?.median,
        })
    }
}

/// Whether the rounds say the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Agreement {
    /// How many counts of bytes there are.
    pub(super) counts: usize,
    /// How many of them are the same in all rounds, give or take a part in two hundred.
    pub(super) same: usize,
    /// How far the rounds lie apart where they do most, as a part of their median.
    pub(super) widest: f64,
}

impl Report {
    pub(super) fn agreement(&self) -> Agreement {
        let apart: Vec<f64> =
            self.rows.iter().flat_map(Row::costs).map(|cost| cost.bytes.relative()).collect();
        Agreement {
            counts: apart.len(),
            same: apart.iter().filter(|apart| **apart <= 0.005).count(),
            widest: apart.iter().copied().fold(0.0, f64::max),
        }
    }
}

impl Row {
    fn costs(&self) -> impl Iterator<Item = Cost> {
        let changes = self.changes.iter().map(|change| change.cost);
        let silence = self.silence.iter().map(|silence| silence.cost);
        self.joining.into_iter().chain(changes).chain(silence).chain(self.once)
    }
}
