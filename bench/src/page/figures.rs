//! Which figures are made of what was found. In all of them, less is better.

use super::found::{Contenders, Drag, Latencies, Load, Memory, Round};
use crate::statistics::{Spread, percentile};
use serde::Serialize;

/// Figures of one kind.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    pub(super) title: &'static str,
    pub(super) rows: Vec<Row>,
}

/// One figure of both pages; the spread is that of the rounds.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) unit: Unit,
    pub(super) luxwire: Option<Spread>,
    pub(super) mqtt_js: Option<Spread>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unit {
    Count,
    Bytes,
    Milliseconds,
}

impl Row {
    /// How much Luxwire's page needs for each one of the other; `None` where only one of them has the figure.
    pub(super) fn ratio(&self) -> Option<f64> {
        let (luxwire, mqtt_js) = (self.luxwire?.median, self.mqtt_js?.median);
        (mqtt_js > 0.0).then(|| luxwire / mqtt_js)
    }
}

/// All of them.
pub(super) fn tables(found: &Contenders) -> Vec<Table> {
    let table = |(title, figures): &(&'static str, &[Figure])| {
        let row = |figure: &Figure| Row {
            name: figure.name,
            unit: figure.unit,
            luxwire: figure.of.spread(&found.luxwire),
            mqtt_js: figure.of.spread(&found.mqtt_js),
        };
        Table { title, rows: figures.iter().map(row).collect() }
    };
    TABLES.iter().map(table).collect()
}

struct Figure {
    name: &'static str,
    unit: Unit,
    of: Of,
}

/// What a figure is made of.
enum Of {
    /// One number a round.
    Round(fn(&Round) -> Option<f64>),
    /// The middle of a round's drags.
    Drags(fn(&Drag) -> f64),
    /// So much of all times stay below it.
    Times(f64, fn(&Latencies) -> &[f64]),
}

impl Of {
    fn spread(&self, rounds: &[Round]) -> Option<Spread> {
        match self {
            Self::Round(figure) => Spread::of(rounds.iter().filter_map(figure)),
            Self::Drags(figure) => {
                let middle =
                    |round: &Round| Spread::of(round.drags.iter().map(figure)).map(|spread| spread.median);
                Spread::of(rounds.iter().filter_map(middle))
            }
            Self::Times(part, times) => {
                let rounds: Vec<&[f64]> = rounds.iter().map(|round| times(&round.latencies)).collect();
                let each = Spread::of(rounds.iter().filter_map(|times| below(*part, times)))?;
                Some(Spread { median: below(*part, &rounds.concat())?, ..each })
            }
        }
    }
}

fn below(part: f64, times: &[f64]) -> Option<f64> {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    percentile(&sorted, part)
}

const fn figure(name: &'static str, unit: Unit, of: Of) -> Figure {
    Figure { name, unit, of }
}

use Unit::{Bytes, Count, Milliseconds};

const TABLES: &[(&str, &[Figure])] = &[
    ("A drag of two seconds: what goes through the WebSockets", DRAG),
    ("From the `input` event in one page to the other page", LATENCY),
    ("Start, with nothing in the browser's cache", FIRST_START),
    ("Start, when the browser has the files", NEXT_START),
    ("Memory", MEMORY),
    ("The processor", PROCESSOR),
];

const DRAG: &[Figure] = &[
    figure("values that are sent", Count, Of::Drags(|drag| drag.dragging.sent.messages.into())),
    figure("the page that drags: frames sent", Count, Of::Drags(|drag| drag.dragging.sent.frames.into())),
    figure("the page that drags: bytes sent", Bytes, Of::Drags(|drag| drag.dragging.sent.bytes.into())),
    figure(
        "the page that drags: frames received",
        Count,
        Of::Drags(|drag| drag.dragging.received.frames.into()),
    ),
    figure(
        "the page that drags: bytes received",
        Bytes,
        Of::Drags(|drag| drag.dragging.received.bytes.into()),
    ),
    figure("the page that follows: frames sent", Count, Of::Drags(|drag| drag.following.sent.frames.into())),
    figure("the page that follows: bytes sent", Bytes, Of::Drags(|drag| drag.following.sent.bytes.into())),
    figure(
        "the page that follows: frames received",
        Count,
        Of::Drags(|drag| drag.following.received.frames.into()),
    ),
    figure(
        "the page that follows: bytes received",
        Bytes,
        Of::Drags(|drag| drag.following.received.bytes.into()),
    ),
    figure("for each value: bytes of all of these", Bytes, Of::Drags(bytes_a_value)),
];

const LATENCY: &[Figure] = &[
    figure("in its document, median", Milliseconds, Of::Times(0.5, |times| &times.in_document)),
    figure("in its document, p99", Milliseconds, Of::Times(0.99, |times| &times.in_document)),
    figure("in its next frame, median", Milliseconds, Of::Times(0.5, |times| &times.shown)),
    figure("in its next frame, p99", Milliseconds, Of::Times(0.99, |times| &times.shown)),
];

const FIRST_START: &[Figure] = &[
    figure("requests", Count, Of::Round(|round| Some(round.first.requests.into()))),
    figure("bytes, compressed, with headers", Bytes, Of::Round(|round| Some(round.first.bytes.into()))),
    figure("`WebAssembly.instantiateStreaming`", Milliseconds, Of::Round(|round| round.first.instantiate)),
    figure(
        "from the code's last byte until it runs",
        Milliseconds,
        Of::Round(|round| Some(begins(&round.first))),
    ),
    figure("from navigation until the code runs", Milliseconds, Of::Round(|round| Some(round.first.running))),
    figure(
        "from navigation until every light is shown",
        Milliseconds,
        Of::Round(|round| Some(round.first.shown)),
    ),
];

const NEXT_START: &[Figure] = &[
    figure("`WebAssembly.instantiateStreaming`", Milliseconds, Of::Round(|round| round.again.instantiate)),
    figure(
        "from the code's last byte until it runs",
        Milliseconds,
        Of::Round(|round| Some(begins(&round.again))),
    ),
    figure("from navigation until the code runs", Milliseconds, Of::Round(|round| Some(round.again.running))),
    figure(
        "from navigation until every light is shown",
        Milliseconds,
        Of::Round(|round| Some(round.again.shown)),
    ),
];

const MEMORY: &[Figure] = &[
    figure("loaded: heap of JavaScript", Bytes, Of::Round(|round| Some(round.memory.loaded.js_heap))),
    figure("loaded: memory of WebAssembly", Bytes, Of::Round(|round| Some(round.memory.loaded.wasm))),
    figure("loaded: both", Bytes, Of::Round(|round| Some(both(&round.memory.loaded)))),
    figure("loaded: the process", Bytes, Of::Round(|round| round.memory.loaded.process)),
    figure(
        "after the drags: heap of JavaScript",
        Bytes,
        Of::Round(|round| Some(round.memory.worked.js_heap)),
    ),
    figure(
        "after the drags: memory of WebAssembly",
        Bytes,
        Of::Round(|round| Some(round.memory.worked.wasm)),
    ),
    figure("after the drags: both", Bytes, Of::Round(|round| Some(both(&round.memory.worked)))),
    figure("after the drags: the process", Bytes, Of::Round(|round| round.memory.worked.process)),
];

const PROCESSOR: &[Figure] = &[figure(
    "main thread of the page that follows, for each value",
    Milliseconds,
    Of::Round(|round| Some(round.work_ms)),
)];

fn bytes_a_value(drag: &Drag) -> f64 {
    let flows =
        [&drag.dragging.sent, &drag.dragging.received, &drag.following.sent, &drag.following.received];
    let bytes: u32 = flows.iter().map(|flow| flow.bytes).sum();
    f64::from(bytes) / f64::from(drag.dragging.sent.messages.max(1))
}

fn begins(load: &Load) -> f64 {
    load.running - load.last_byte
}

fn both(memory: &Memory) -> f64 {
    memory.js_heap + memory.wasm
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::found::{Flow, Flows, Memories};

    fn load() -> Load {
        Load { requests: 1, bytes: 2, last_byte: 3.0, running: 5.0, shown: 9.0, instantiate: None }
    }

    fn memory(js_heap: f64, wasm: f64) -> Memory {
        Memory { js_heap, wasm, process: None }
    }

    fn flows(frames: u32) -> Flows {
        let flow = || Flow { frames, bytes: 10 * frames, messages: frames };
        Flows { sent: flow(), received: flow() }
    }

    fn round(times: &[f64], drags: &[u32]) -> Round {
        let drag = |frames: &u32| Drag { dragging: flows(*frames), following: flows(*frames) };
        Round {
            first: load(),
            again: load(),
            memory: Memories { loaded: memory(3.0, 4.0), worked: memory(5.0, 6.0) },
            drags: drags.iter().map(drag).collect(),
            work_ms: 1.0,
            latencies: Latencies { in_document: times.to_vec(), shown: times.to_vec() },
            clocks_differ_by_ms: 0.0,
        }
    }

    #[test]
    fn times_are_taken_of_all_rounds_and_their_spread_is_that_of_the_rounds() {
        let rounds = [round(&[1.0, 2.0, 3.0], &[1]), round(&[9.0, 4.0, 5.0], &[1])];
        let spread = Of::Times(0.5, |times| &times.shown).spread(&rounds).unwrap();
        assert_eq!(spread, Spread { median: 3.0, least: 2.0, most: 5.0 });
    }

    #[test]
    fn a_round_counts_as_the_middle_of_its_drags() {
        let rounds = [round(&[1.0], &[20, 21, 90]), round(&[1.0], &[22, 22, 22])];
        let spread = Of::Drags(|drag| drag.dragging.sent.frames.into()).spread(&rounds).unwrap();
        assert_eq!(spread, Spread { median: 21.0, least: 21.0, most: 22.0 });
        assert_eq!(bytes_a_value(&rounds[0].drags[0]), 40.0);
    }

    #[test]
    fn what_only_one_page_has_is_not_compared() {
        let found = Contenders { luxwire: vec![round(&[1.0], &[1])], mqtt_js: vec![round(&[2.0], &[1])] };
        let tables = tables(&found);
        let rows: Vec<&Row> = tables.iter().flat_map(|table| &table.rows).collect();
        let ratio = |name: &str| rows.iter().find(|row| row.name == name).unwrap().ratio();
        assert_eq!(ratio("`WebAssembly.instantiateStreaming`"), None);
        assert_eq!(ratio("in its next frame, median"), Some(0.5));
        assert_eq!(ratio("loaded: both"), Some(1.0));
    }
}
