//! What comes and goes: sessions, subscriptions, retained messages. Nothing of it is there in the end, so neither should
//! its memory be, nor work for it.

use super::{
    super::{
        figure::{Figure, Figures},
        load::{Link, Over, Packet, packets},
        peer::Running,
        stop,
        usage::Moment,
    },
    Extent,
};
use anyhow::{Context as _, Result};
use mqttbytes::QoS;
use std::{
    thread,
    time::{Duration, Instant},
};

/// Cycles for so many times the time of a cell: thousands of lives, which is what a house sees in days.
const CELLS: u32 = 5;

/// One life: a client with a session connects, subscribes, stores and removes retained messages and leaves; another
/// comes to the same session and discards it.
pub(super) fn measure(broker: &Running, extent: &Extent) -> Result<Figures> {
    let process = broker.process.context("its process is not known")?;
    let mut number = 0;
    // Allocators and tables have their size after the first few.
    live(&broker.tcp, &mut number, extent.warm_up)?;
    thread::sleep(REST);
    let before = process.resident()?;
    let first = number;
    let began = Instant::now();
    live(&broker.tcp, &mut number, extent.time * CELLS)?;
    let time = began.elapsed();
    let cycles = f64::from(number - first).max(1.0);
    thread::sleep(REST);
    let moment = Moment::take(broker.process, &extent.cores.used())?;
    thread::sleep(REST);
    let span = Moment::take(broker.process, &extent.cores.used())?.since(&moment);
    let after = process.resident()?;

    let mut figures = Figures::from([
        (Figure::CyclesPerS, cycles / time.as_secs_f64()),
        (Figure::MemoryBefore, before as f64),
        (Figure::MemoryBytes, after as f64),
        (Figure::BytesPerCycle, after.saturating_sub(before) as f64 / cycles),
    ]);
    if let Some(cpu) = span.broker {
        figures.insert(Figure::IdleCores, cpu.as_secs_f64() / span.time.as_secs_f64());
    }
    Ok(figures)
}

const REST: Duration = Duration::from_secs(1);

fn live(over: &Over, number: &mut u32, time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        stop::check()?;
        cycle(over, *number).with_context(|| format!("cycle {number}"))?;
        *number += 1;
    }
    Ok(())
}

fn cycle(over: &Over, number: u32) -> Result<()> {
    let name = format!("churn-{number}");
    let mut link = Link::dial(over)?;
    let filters: Vec<String> = (0..EACH).map(|place| format!("churn/{number}/{place}/#")).collect();
    let mut life = packets::connect_to_session(&name)?;
    life.extend(packets::subscribe(&filters, QoS::AtLeastOnce)?);
    for payload in [b"something that is kept for a moment".as_slice(), b""] {
        for place in 0..EACH {
            let id = if payload.is_empty() { EACH + place + 1 } else { place + 1 };
            life.extend(packets::retain(&format!("churn/{number}/{place}/state"), id, payload)?);
        }
    }
    link.send(&life)?;
    let mut acknowledged = 0;
    link.wait(|packet| {
        acknowledged += u16::from(packet == Packet::Puback);
        (acknowledged == EACH * 2).then_some(())
    })?;
    // Deliveries to itself are left unacknowledged: the session keeps them until it is discarded.
    link.send(&packets::DISCONNECT)?;
    drop(link);
    Link::open(over, &name)?.send(&packets::DISCONNECT)
}

/// Filters, and retained messages.
const EACH: u16 = 5;
