//! Retained values that are set over and over, as sensors do, then fetched by one who asks for all of them: what a value
//! costs when its topic had one before, and that the last one is what stays.

use super::{
    super::{
        figure::{Figure, Figures},
        load::{Inbox, Link, Load, Packet, Packets, Stamp, Window, packets},
        peer::Running,
        relay::client_id,
        usage::Moment,
    },
    Extent,
};
use anyhow::{Context as _, Result};
use mqttbytes::QoS;
use std::time::{Duration, Instant};

/// Sets values on so many topics for the time of a cell, and fetches them.
pub(super) fn measure(topics: usize, broker: &Running, extent: &Extent) -> Result<Figures> {
    let process = broker.process.context("its process is not known")?;
    let mut load = Load::new()?;
    let own = topics / PUBLISHERS;
    for publisher in 0..PUBLISHERS {
        let mut packets = Packets::default();
        for number in 0..own {
            let topic = format!("house/{publisher}/room/{}/sensor/{number}", number % ROOMS);
            let stream = load.stream(publisher, 0);
            packets.push_retained(&topic, QoS::AtLeastOnce, PAYLOAD_LEN, stream)?;
        }
        let link = Link::open(&broker.tcp, &client_id(0, 'p', publisher))?;
        let window = Window { deliveries: 0, unacknowledged: UNACKNOWLEDGED };
        load.publish_by(link, packets, QoS::AtLeastOnce, window)?;
    }
    load.run(extent.warm_up)?;

    let cores = extent.cores.used();
    let (before, set) = (Moment::take(broker.process, &cores)?, load.sent());
    load.run(extent.time)?;
    let span = Moment::take(broker.process, &cores)?.since(&before);
    let set = (load.sent() - set) as f64;
    load.drain()?;

    let mut link = Link::open(&broker.tcp, &client_id(0, 's', 0))?;
    let fetched = fetch(&mut link, &load)?;

    let seconds = span.time.as_secs_f64();
    let mut figures = Figures::from([
        (Figure::SetPerS, set / seconds),
        (Figure::ReplayS, fetched.time.as_secs_f64()),
        (Figure::MemoryBytes, process.resident()? as f64),
        (Figure::GeneratorCores, span.generator.as_secs_f64() / seconds),
        (Figure::OthersCores, span.others.as_secs_f64() / seconds),
        (Figure::Lost, fetched.lost as f64),
        (Figure::Strange, fetched.strange as f64),
        (Figure::GaveUp, load.gave_up() as f64),
    ]);
    if let Some(broker) = span.broker {
        figures.insert(Figure::BrokerCores, broker.as_secs_f64() / seconds);
        if set > 0.0 {
            figures.insert(Figure::CpuSPerMillion, broker.as_secs_f64() / set * 1e6);
        }
    }
    Ok(figures)
}

struct Fetched {
    time: Duration,
    /// Topics that had a value, of which none came.
    lost: usize,
    /// Values that are not the last of their topic, or came again.
    strange: usize,
}

/// Asks for everything, until it is there or nothing more comes.
fn fetch(link: &mut Link, load: &Load) -> Result<Fetched> {
    let mut awaited: Vec<Option<u32>> = load.sent_by_stream().map(|sent| sent.checked_sub(1)).collect();
    let (mut left, mut strange) = (awaited.iter().flatten().count(), 0);
    let mut inbox = Inbox::default();
    let began = Instant::now();
    let mut last = began;
    link.send(&packets::subscribe(&["#".to_owned()], QoS::AtMostOnce)?)?;
    link.silence_ends_after(SILENCE)?;
    while left > 0 && last.elapsed() < SILENCE {
        link.receive(&mut inbox, |packet| {
            let Packet::Publish { payload, .. } = packet else { return Ok(()) };
            let Some(stamp) = Stamp::of(payload) else { return Ok(()) };
            let Some(place) = awaited.get_mut(stamp.stream as usize) else { return Ok(()) };
            last = Instant::now();
            let latest = place.take();
            left -= usize::from(latest.is_some());
            strange += usize::from(latest != Some(stamp.sequence));
            Ok(())
        })?;
    }
    Ok(Fetched { time: last.duration_since(began), lost: left, strange })
}

const PUBLISHERS: usize = 10;
const ROOMS: usize = 20;
const UNACKNOWLEDGED: usize = 20;
const PAYLOAD_LEN: usize = 64;

/// Nothing has come for so long: nothing more comes.
const SILENCE: Duration = Duration::from_secs(3);
