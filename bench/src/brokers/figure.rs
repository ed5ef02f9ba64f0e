//! What is measured, each with its unit, how it is written, and which way is better.

use serde::Serialize;
use std::collections::BTreeMap;

/// A kind of figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Figure {
    DeliveredPerS,
    CpuSPerMillion,
    /// The same before the measurement began.
    CpuBefore,
    /// The one as a multiple of the other.
    CpuAgain,
    /// As everywhere: what is resident.
    MemoryBytes,
    /// Before the measurement began.
    MemoryBefore,
    /// The most in between.
    MemoryTop,
    /// What is left, as a multiple of what there was before.
    MemoryAgain,
    /// Half of what reached subscribers took no longer, from publisher to subscriber.
    HalfWithinUs,
    /// 99 of 100.
    MostWithinUs,
    /// 999 of 1,000.
    NearlyAllWithinUs,
    /// What else the broker had to do at that time.
    BackgroundPerS,
    /// From the program's start to the first client's welcome.
    ReadyMs,
    /// Until all retained messages were acknowledged.
    StoreS,
    /// From SUBSCRIBE to the last retained message.
    ReplayS,
    /// Retained values that were set anew.
    SetPerS,
    /// Until a million messages for who is away were acknowledged.
    QueueS,
    /// From the first of them coming back until the last has received a million.
    ReplayAllS,
    /// Processor time for the former.
    CpuToQueue,
    /// Memory for each message that waits.
    BytesPerQueued,
    /// Memory for each retained message.
    BytesPerRetained,
    ConnectionsPerS,
    CpuUsPerConnection,
    BytesPerConnection,
    /// The same when each has a subscription.
    BytesPerSubscribed,
    /// Of everything that was there and is not any more.
    CyclesPerS,
    /// Memory that did not come back, for each cycle.
    BytesPerCycle,
    /// What the broker does with nothing to do.
    IdleCores,
    BrokerCores,
    GeneratorCores,
    /// Used by neither of the two, on their cores.
    OthersCores,
    Lost,
    Duplicates,
    Reordered,
    Strange,
    /// Publishers went on without what did not arrive.
    GaveUp,
}

/// All figures of one measurement.
pub(super) type Figures = BTreeMap<Figure, f64>;

impl Figure {
    /// The heading of its column.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::DeliveredPerS => "delivered/s",
            Self::CpuSPerMillion => "CPU s per million",
            Self::CpuBefore => "CPU s per million before",
            Self::CpuAgain => "CPU after to before",
            Self::MemoryBytes => "memory",
            Self::MemoryBefore => "memory before",
            Self::MemoryTop => "at the top",
            Self::MemoryAgain => "memory after to before",
            Self::HalfWithinUs => "p50",
            Self::MostWithinUs => "p99",
            Self::NearlyAllWithinUs => "p99.9",
            Self::BackgroundPerS => "background/s",
            Self::ReadyMs => "ready after",
            Self::StoreS => "stored in",
            Self::ReplayS => "replayed in",
            Self::SetPerS => "set/s",
            Self::QueueS => "a million queued in",
            Self::ReplayAllS => "a million replayed in",
            Self::CpuToQueue => "CPU s per million queued",
            Self::BytesPerQueued => "bytes each, waiting",
            Self::BytesPerRetained => "bytes each",
            Self::ConnectionsPerS => "connections/s",
            Self::CpuUsPerConnection => "CPU each",
            Self::BytesPerConnection => "bytes each, idle",
            Self::BytesPerSubscribed => "bytes each, with a subscription",
            Self::CyclesPerS => "cycles/s",
            Self::BytesPerCycle => "bytes kept by each cycle",
            Self::IdleCores => "core when idle again",
            Self::BrokerCores => "broker's core",
            Self::GeneratorCores => "generator's core",
            Self::OthersCores => "others",
            Self::Lost => "lost",
            Self::Duplicates => "twice",
            Self::Reordered => "out of order",
            Self::Strange => "strange",
            Self::GaveUp => "stalls",
        }
    }

    /// Its value in a cell.
    pub(super) fn written(self, value: f64) -> String {
        match self {
            Self::DeliveredPerS
            | Self::BackgroundPerS
            | Self::ConnectionsPerS
            | Self::CyclesPerS
            | Self::SetPerS
            | Self::Lost
            | Self::Duplicates
            | Self::Reordered
            | Self::Strange
            | Self::GaveUp => count(value),
            Self::CpuSPerMillion | Self::CpuBefore | Self::CpuToQueue => digits(value),
            Self::CpuAgain | Self::MemoryAgain => format!("{}×", digits(value)),
            Self::MemoryBytes | Self::MemoryBefore | Self::MemoryTop => format!("{} MB", digits(value / 1e6)),
            Self::HalfWithinUs | Self::MostWithinUs | Self::NearlyAllWithinUs | Self::CpuUsPerConnection => {
                format!("{value:.0} µs")
            }
            Self::ReadyMs => format!("{} ms", digits(value)),
            Self::StoreS | Self::ReplayS | Self::QueueS | Self::ReplayAllS => format!("{} s", digits(value)),
            Self::BytesPerRetained
            | Self::BytesPerQueued
            | Self::BytesPerConnection
            | Self::BytesPerSubscribed
            | Self::BytesPerCycle => format!("{value:.0} B"),
            Self::IdleCores => format!("{:.1} %", value * 100.0),
            Self::BrokerCores | Self::GeneratorCores | Self::OthersCores => {
                format!("{:.0} %", value * 100.0)
            }
        }
    }

    /// A correct broker has none of it.
    pub(super) fn is_fault(self) -> bool {
        matches!(self, Self::Lost | Self::Duplicates | Self::Reordered | Self::Strange | Self::GaveUp)
    }

    /// More of it is worse.
    pub(super) fn less_is_better(self) -> bool {
        !matches!(self, Self::DeliveredPerS | Self::ConnectionsPerS | Self::CyclesPerS | Self::SetPerS)
    }
}

/// Three digits that say something.
pub(super) fn digits(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

/// With k and M for thousands and millions.
pub(super) fn count(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{}M", digits(value / 1e6)),
        value if value >= 1e4 => format!("{}k", digits(value / 1e3)),
        value => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_with_the_digits_that_say_something() {
        assert_eq!(Figure::DeliveredPerS.written(2_113_000.0), "2.11M");
        assert_eq!(Figure::DeliveredPerS.written(81_499.0), "81.5k");
        assert_eq!(Figure::CpuSPerMillion.written(0.0619), "0.062");
        assert_eq!(Figure::MemoryBytes.written(12_340_000.0), "12.3 MB");
        assert_eq!(Figure::BrokerCores.written(0.996), "100 %");
        assert_eq!(Figure::Lost.written(3.0), "3");
    }
}
