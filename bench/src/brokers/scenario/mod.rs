//! What brokers are asked to do. Each scenario is data: a key, words for the page, and what is done; the list of them is
//! in `list`.

mod churn;
mod connections;
mod flow;
mod latency;
mod list;
mod queued;
mod renewed;
mod retained;
mod shape;

pub(crate) use latency::Prober;
pub(super) use list::SCENARIOS;

use super::{
    cores::Cores,
    figure::{Figure, Figures},
    load::Over,
    peer::Running,
};
use anyhow::{Context as _, Result};
use flow::Flow;
use mqttbytes::QoS;
use queued::Queued;
use std::time::Duration;

/// Something that every broker is asked to do.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) key: &'static str,
    pub(super) title: &'static str,
    /// Takes long or much memory: done only when named.
    pub(super) heavy: bool,
    /// Also done where nothing is pinned: what matters most.
    pub(super) also_unpinned: bool,
    task: Task,
}

/// How long to measure.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    pub(super) cores: Cores,
    pub(super) warm_up: Duration,
    pub(super) time: Duration,
    /// How many connections the system lets a process have.
    pub(super) connections: usize,
}

#[derive(Debug)]
enum Task {
    Flow(Flow),
    /// How long a message takes, perhaps beside others.
    Latency {
        qos: QoS,
        background: Option<Flow>,
    },
    /// So many retained messages, stored and fetched.
    Retained(usize),
    /// Values on so many topics, set over and over, and fetched.
    Renewed(usize),
    /// Messages for who is away.
    Queued(Queued),
    /// So many connections that do nothing.
    Idle {
        count: usize,
        websocket: bool,
    },
    /// Connections that come and go.
    Storm,
    /// Everything that comes and goes.
    Churn,
    /// To start, and to welcome a client.
    Start,
}

impl Scenario {
    /// Whether the relay can do it: it knows no topics, no sessions and no WebSocket.
    pub(super) fn suits_relay(&self) -> bool {
        match &self.task {
            Task::Flow(flow) => flow.suits_relay(),
            Task::Latency { .. } | Task::Storm => true,
            Task::Idle { websocket, .. } => !websocket,
            Task::Retained(_) | Task::Renewed(_) | Task::Queued(_) | Task::Churn | Task::Start => false,
        }
    }

    /// Does it.
    pub(super) fn measure(&self, broker: &Running, extent: &Extent) -> Result<Figures> {
        match &self.task {
            Task::Flow(flow) => flow.measure(broker, extent),
            Task::Latency { qos, background } => latency::measure(*qos, background.as_ref(), broker, extent),
            Task::Retained(count) => retained::measure(*count, broker, extent),
            Task::Renewed(topics) => renewed::measure(*topics, broker, extent),
            Task::Queued(queued) => queued::measure(*queued, broker, extent),
            Task::Idle { count, websocket } => {
                connections::idle(*count, over(broker, *websocket)?, broker, extent)
            }
            Task::Storm => connections::storms(&broker.tcp, broker, extent),
            Task::Churn => churn::measure(broker, extent),
            Task::Start => start(broker),
        }
    }

    /// The columns of its table.
    pub(super) fn columns(&self) -> &'static [Figure] {
        use Figure::*;
        match &self.task {
            Task::Flow(_) => &[DeliveredPerS, CpuSPerMillion, MemoryBytes, BrokerCores, GeneratorCores],
            Task::Latency { background: None, .. } => {
                &[HalfWithinUs, MostWithinUs, NearlyAllWithinUs, BrokerCores]
            }
            Task::Latency { .. } => {
                &[HalfWithinUs, MostWithinUs, NearlyAllWithinUs, BackgroundPerS, BrokerCores]
            }
            Task::Retained(_) => &[StoreS, ReplayS, CpuSPerMillion, BytesPerRetained, MemoryBytes],
            Task::Renewed(_) => &[SetPerS, CpuSPerMillion, ReplayS, MemoryBytes, BrokerCores, GeneratorCores],
            Task::Queued(_) => {
                &[QueueS, CpuToQueue, ReplayAllS, CpuSPerMillion, BytesPerQueued, MemoryBefore, MemoryBytes]
            }
            Task::Idle { .. } => &[
                ConnectionsPerS,
                CpuUsPerConnection,
                BytesPerConnection,
                BytesPerSubscribed,
                MemoryBefore,
                MemoryBytes,
            ],
            Task::Storm => &[ConnectionsPerS, CpuUsPerConnection, MemoryBytes, BrokerCores, GeneratorCores],
            Task::Churn => &[
                MemoryBefore,
                MemoryTop,
                MemoryBytes,
                MemoryAgain,
                CpuBefore,
                CpuSPerMillion,
                CpuAgain,
                CyclesPerS,
                BytesPerCycle,
                IdleCores,
            ],
            Task::Start => &[ReadyMs, MemoryBytes],
        }
    }

    /// By what brokers are compared, the most telling first.
    pub(super) fn compared(&self) -> &'static [Figure] {
        use Figure::*;
        match &self.task {
            Task::Flow(_) => &[CpuSPerMillion],
            Task::Latency { .. } => &[HalfWithinUs, MostWithinUs],
            Task::Retained(_) => &[ReplayS, CpuSPerMillion, BytesPerRetained, StoreS],
            Task::Renewed(_) => &[CpuSPerMillion, ReplayS],
            Task::Queued(_) => &[CpuSPerMillion, CpuToQueue, BytesPerQueued],
            Task::Idle { .. } => &[BytesPerConnection, BytesPerSubscribed, CpuUsPerConnection],
            Task::Storm => &[CpuUsPerConnection],
            Task::Churn => &[MemoryAgain, CpuAgain],
            Task::Start => &[ReadyMs],
        }
    }
}

fn over(broker: &Running, websocket: bool) -> Result<&Over> {
    if websocket {
        return broker.websocket.as_ref().context("it does not speak MQTT over WebSocket");
    }
    Ok(&broker.tcp)
}

/// Every broker was started when it comes here.
fn start(broker: &Running) -> Result<Figures> {
    let mut figures = Figures::from([(Figure::ReadyMs, broker.ready_after.as_secs_f64() * 1e3)]);
    if let Some(process) = broker.process {
        figures.insert(Figure::MemoryBytes, process.resident()? as f64);
    }
    Ok(figures)
}
