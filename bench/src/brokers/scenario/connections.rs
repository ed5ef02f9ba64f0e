//! Connections that do nothing, and connections that come and go.

use super::{
    super::{
        figure::{Figure, Figures},
        load::{Crowd, Over, storm},
        peer::Running,
        relay::client_id,
        usage::{Moment, Process},
    },
    Extent,
};
use anyhow::{Context as _, Result};
use std::{thread, time::Duration};

/// So many connect and stay, or as many as may; then each subscribes to something of its own.
pub(super) fn idle(count: usize, over: &Over, broker: &Running, extent: &Extent) -> Result<Figures> {
    let count = count.min(extent.connections);
    let process = broker.process.context("its process is not known")?;
    let before = process.resident()?;
    let moment = Moment::take(broker.process, &extent.cores.used())?;
    let mut crowd = Crowd::connect(over, count, |number| client_id(number, 's', 0))?;
    let span = Moment::take(broker.process, &extent.cores.used())?.since(&moment);
    let connected = settled(process)?;
    crowd.subscribe(|number| format!("idle/{number}/wish"))?;
    let subscribed = settled(process)?;

    let each = |memory: u64| memory.saturating_sub(before) as f64 / count as f64;
    let mut figures = shared(count, &span);
    figures.extend([
        (Figure::BytesPerConnection, each(connected)),
        (Figure::BytesPerSubscribed, each(subscribed)),
        (Figure::MemoryBefore, before as f64),
        (Figure::MemoryBytes, subscribed as f64),
    ]);
    Ok(figures)
}

/// Clients connect, subscribe, and leave again.
pub(super) fn storms(over: &Over, broker: &Running, extent: &Extent) -> Result<Figures> {
    let name = |number: usize| client_id(number, 's', 0);
    storm(over, extent.warm_up, |number| name(number + EARLIER))?;
    let moment = Moment::take(broker.process, &extent.cores.used())?;
    let count = storm(over, extent.time, name)?;
    let span = Moment::take(broker.process, &extent.cores.used())?.since(&moment);
    let mut figures = shared(count, &span);
    if let Some(process) = broker.process {
        figures.insert(Figure::MemoryBytes, process.resident()? as f64);
    }
    Ok(figures)
}

/// Those of the warm-up are others, so that nobody is taken for one who comes back.
const EARLIER: usize = 100_000_000;

fn shared(count: usize, span: &super::super::usage::Span) -> Figures {
    let seconds = span.time.as_secs_f64();
    let mut figures = Figures::from([
        (Figure::ConnectionsPerS, count as f64 / seconds),
        (Figure::GeneratorCores, span.generator.as_secs_f64() / seconds),
        (Figure::OthersCores, span.others.as_secs_f64() / seconds),
    ]);
    if let Some(broker) = span.broker {
        figures.insert(Figure::BrokerCores, broker.as_secs_f64() / seconds);
        if count > 0 {
            figures.insert(Figure::CpuUsPerConnection, broker.as_secs_f64() * 1e6 / count as f64);
        }
    }
    figures
}

/// Memory, when what was only needed for a moment is given back.
fn settled(process: Process) -> Result<u64> {
    thread::sleep(MOMENT);
    process.resident()
}

const MOMENT: Duration = Duration::from_millis(300);
