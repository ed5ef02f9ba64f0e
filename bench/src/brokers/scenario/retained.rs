//! Retained messages: many are stored, then one subscriber asks for all of them.

use super::{
    super::{
        figure::{Figure, Figures},
        load::{Inbox, Link, Load, Packet, Packets, Stamp, Window, packets},
        peer::Running,
        usage::Moment,
    },
    Extent,
};
use anyhow::{Context as _, Result};
use mqttbytes::QoS;
use std::time::{Duration, Instant};

/// Stores so many, and fetches them.
pub(super) fn measure(count: usize, broker: &Running, extent: &Extent) -> Result<Figures> {
    let process = broker.process.context("its process is not known")?;
    let mut load = Load::new()?;
    let links: Result<Vec<Link>> =
        (0..PUBLISHERS).map(|number| Link::open(&broker.tcp, &format!("0-p{number}"))).collect();
    let mut stored = 0;
    let mut parties = Vec::new();
    for (number, link) in links?.into_iter().enumerate() {
        let mut packets = Packets::default();
        let own = count / PUBLISHERS + usize::from(number < count % PUBLISHERS);
        for _ in 0..own {
            let stream = load.stream(number, 0);
            packets.push_retained(&topic(stored), QoS::AtLeastOnce, PAYLOAD_LEN, stream)?;
            stored += 1;
        }
        parties.push((link, packets));
    }
    let before = process.resident()?;
    let window = Window { deliveries: 0, unacknowledged: UNACKNOWLEDGED };
    for (link, packets) in parties {
        load.publish_once_by(link, packets, window)?;
    }
    let began = Instant::now();
    load.finish(STORED_WITHIN)?;
    let stored_in = began.elapsed();
    let after = process.resident()?;

    let mut link = Link::open(&broker.tcp, "0-s0")?;
    let moment = Moment::take(broker.process, &extent.cores.used())?;
    let replay = fetch(&mut link, count)?;
    let span = Moment::take(broker.process, &extent.cores.used())?.since(&moment);

    let mut figures = Figures::from([
        (Figure::StoreS, stored_in.as_secs_f64()),
        (Figure::ReplayS, replay.time.as_secs_f64()),
        (Figure::BytesPerRetained, after.saturating_sub(before) as f64 / count as f64),
        (Figure::MemoryBytes, process.resident()? as f64),
        (Figure::Lost, (count - replay.topics) as f64),
        (Figure::Duplicates, (replay.messages - replay.topics) as f64),
        (Figure::OthersCores, span.others.as_secs_f64() / span.time.as_secs_f64()),
    ]);
    if let Some(cpu) = span.broker.filter(|_| replay.messages > 0) {
        figures.insert(Figure::CpuSPerMillion, cpu.as_secs_f64() / replay.messages as f64 * 1e6);
    }
    Ok(figures)
}

struct Replay {
    time: Duration,
    messages: usize,
    topics: usize,
}

/// Asks for everything, until it is there or nothing more comes.
fn fetch(link: &mut Link, count: usize) -> Result<Replay> {
    let mut seen = vec![false; count];
    let (mut messages, mut topics) = (0, 0);
    let mut inbox = Inbox::default();
    let began = Instant::now();
    let mut last = began;
    link.send(&packets::subscribe(&["#".to_owned()], QoS::AtMostOnce)?)?;
    link.silence_ends_after(SILENCE)?;
    while topics < count && last.elapsed() < SILENCE {
        let before = messages;
        link.receive(&mut inbox, |packet| {
            let Packet::Publish { payload, .. } = packet else { return Ok(()) };
            let stamp = Stamp::of(payload).map(|stamp| stamp.stream as usize);
            if let Some(place) = stamp.and_then(|number| seen.get_mut(number)) {
                messages += 1;
                topics += usize::from(!std::mem::replace(place, true));
            }
            Ok(())
        })?;
        if messages > before {
            last = Instant::now();
        }
    }
    Ok(Replay { time: last.duration_since(began), messages, topics })
}

/// A house has rooms, they have devices, and those have states.
fn topic(number: usize) -> String {
    format!("retained/{}/{}/state/{number}", number % 100, number / 100 % 100)
}

const PUBLISHERS: usize = 10;
const UNACKNOWLEDGED: usize = 20;
const PAYLOAD_LEN: usize = 64;

/// A broker that writes each to a disk takes its time.
const STORED_WITHIN: Duration = Duration::from_secs(120);

/// Nothing has come for so long: nothing more comes.
const SILENCE: Duration = Duration::from_secs(3);
