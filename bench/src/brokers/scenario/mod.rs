//! What brokers are asked to do. Each scenario is data: a key, words for the page, and what is done.

mod flow;
mod shape;

use super::{
    cores::Cores,
    figure::{Figure, Figures},
    peer::Running,
};
use anyhow::Result;
use flow::Flow;
use mqttbytes::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use shape::Shape;
use std::time::Duration;

/// Something that every broker is asked to do.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) key: &'static str,
    pub(super) title: &'static str,
    task: Task,
}

/// How long to measure.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    pub(super) cores: Cores,
    pub(super) warm_up: Duration,
    pub(super) time: Duration,
}

#[derive(Debug)]
enum Task {
    Flow(Flow),
    /// To start, and to welcome a client.
    Start,
}

impl Scenario {
    /// Whether the relay can do it: it knows no topics and no WebSocket.
    pub(super) fn suits_relay(&self) -> bool {
        match &self.task {
            Task::Flow(flow) => flow.suits_relay(),
            Task::Start => false,
        }
    }

    /// Does it.
    pub(super) fn measure(&self, broker: &Running, extent: &Extent) -> Result<Figures> {
        match &self.task {
            Task::Flow(flow) => flow.measure(broker, extent),
            Task::Start => start(broker),
        }
    }

    /// The columns of its table.
    pub(super) fn columns(&self) -> &'static [Figure] {
        match &self.task {
            Task::Flow(_) => &[
                Figure::DeliveredPerS,
                Figure::CpuSPerMillion,
                Figure::MemoryBytes,
                Figure::BrokerCores,
                Figure::GeneratorCores,
            ],
            Task::Start => &[Figure::ReadyMs, Figure::MemoryBytes],
        }
    }

    /// By which brokers are compared.
    pub(super) fn headline(&self) -> Figure {
        match &self.task {
            Task::Flow(_) => Figure::CpuSPerMillion,
            Task::Start => Figure::ReadyMs,
        }
    }
}

/// Every broker was started when it comes here.
fn start(broker: &Running) -> Result<Figures> {
    let mut figures = Figures::from([(Figure::ReadyMs, broker.ready_after.as_secs_f64() * 1e3)]);
    if let Some(process) = broker.process {
        figures.insert(Figure::MemoryBytes, process.resident()? as f64);
    }
    Ok(figures)
}

/// 50 publishers, each with a subscriber of its own.
const PAIRS: Shape = Shape::Pairs { count: 50, in_flight: 100 };

/// 500 of them that wait for each message, so that nothing can be gathered.
const UNBATCHED: Shape = Shape::Pairs { count: 500, in_flight: 1 };

const fn flow(key: &'static str, title: &'static str, flow: Flow) -> Scenario {
    Scenario { key, title, task: Task::Flow(flow) }
}

/// In the order of the page.
pub(super) const SCENARIOS: &[Scenario] = &[
    flow("pair-q0", "50 pairs, QoS 0, 100 in flight each", Flow::new(PAIRS, AtMostOnce)),
    flow("pair-q1", "50 pairs, QoS 1, 20 unacknowledged each", Flow::new(PAIRS, AtLeastOnce)),
    flow("pair-q2", "50 pairs, QoS 2, 20 unacknowledged each", Flow::new(PAIRS, ExactlyOnce)),
    flow("unbatched-q0", "500 pairs, QoS 0, one in flight each", Flow::new(UNBATCHED, AtMostOnce)),
    flow(
        "fanout-q0",
        "one publisher to 500 subscribers, QoS 0, 64 in flight",
        Flow::new(Shape::FanOut { subscribers: 500, in_flight: 64 }, AtMostOnce),
    ),
    flow(
        "fanout-q1",
        "one publisher to 500 subscribers, QoS 1, 20 unacknowledged",
        Flow::new(Shape::FanOut { subscribers: 500, in_flight: 64 }, AtLeastOnce),
    ),
    flow(
        "wild-q0",
        "10 publishers, 1,000 topics, 1,000 subscribers with a wildcard each, 10 receive each message, QoS 0",
        Flow::new(Shape::Wildcards, AtMostOnce),
    ),
    flow("wild-q1", "the same at QoS 1", Flow::new(Shape::Wildcards, AtLeastOnce)),
    flow("ws-pair-q0", "50 pairs over WebSocket, QoS 0", Flow::new(PAIRS, AtMostOnce).over_websocket()),
    Scenario { key: "start", title: "from start to the first client's welcome", task: Task::Start },
];
