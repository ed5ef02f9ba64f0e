//! Sessions whose clients are away while messages for them come, and who then all come back: how fast a broker puts
//! messages by, what each takes, and how fast it hands them out.

use super::{
    super::{
        figure::{Figure, Figures},
        load::{Homecoming, Link, Load, Packets, Window},
        peer::Running,
        usage::{Moment, Process, Span},
    },
    Extent,
};
use anyhow::{Context as _, Result};
use mqttbytes::QoS;
use std::{
    thread,
    time::{Duration, Instant},
};

/// Who is away, and what comes for them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queued {
    pub(super) sessions: usize,
    /// For each of them.
    pub(super) messages: usize,
    /// All get the same, instead of each their own.
    pub(super) is_common: bool,
}

pub(super) fn measure(queued: Queued, broker: &Running, extent: &Extent) -> Result<Figures> {
    let process = broker.process.context("its process is not known")?;
    let cores = extent.cores.used();
    for session in 0..queued.sessions {
        let mut link = Link::open_session(&broker.tcp, &name(session))?;
        link.subscribe(&[queued.topic(session)], QoS::AtLeastOnce)?;
        link.leave()?;
    }
    let mut load = Load::new()?;
    let streams = queued.publish_to(&mut load, broker)?;

    let before = settled(process)?;
    let (began, moment) = (Instant::now(), Moment::take(broker.process, &cores)?);
    load.finish(QUEUED_WITHIN)?;
    let queueing = Moment::take(broker.process, &cores)?.since(&moment);
    let queued_in = began.elapsed();
    let after = process.resident()?;

    let moment = Moment::take(broker.process, &cores)?;
    let mut homecoming = Homecoming::new(&broker.tcp)?;
    for session in 0..queued.sessions {
        let stream = if queued.is_common { 0 } else { streams.get(session).copied().unwrap_or_default() };
        homecoming.add(name(session), stream as u32, queued.messages as u32);
    }
    let replayed_in = homecoming.receive(SILENCE)?;
    let replay = Moment::take(broker.process, &cores)?.since(&moment);
    let faults = homecoming.faults();

    let count = (queued.sessions * queued.messages) as f64;
    let mut figures = Figures::from([
        (Figure::QueueS, queued_in.as_secs_f64() / count * 1e6),
        (Figure::ReplayAllS, replayed_in.as_secs_f64() / count * 1e6),
        (Figure::BytesPerQueued, after.saturating_sub(before) as f64 / count),
        (Figure::MemoryBefore, before as f64),
        (Figure::MemoryBytes, after as f64),
        (Figure::Lost, faults.lost as f64),
        (Figure::Duplicates, faults.duplicates as f64),
        (Figure::Reordered, faults.reordered as f64),
        (Figure::Strange, faults.strange as f64),
        (Figure::OthersCores, others(&replay)),
    ]);
    for (figure, span) in [(Figure::CpuToQueue, queueing), (Figure::CpuSPerMillion, replay)] {
        figures.extend(span.broker.map(|cpu| (figure, cpu.as_secs_f64() / count * 1e6)));
    }
    Ok(figures)
}

impl Queued {
    fn topic(&self, session: usize) -> String {
        if self.is_common { "queued/news".into() } else { format!("queued/{session}/wish") }
    }

    /// Lets some publishers have everything in turn for everybody, or one for all. Returns the streams, by session.
    fn publish_to(&self, load: &mut Load, broker: &Running) -> Result<Vec<usize>> {
        let (topics, publishers) = if self.is_common { (1, 1) } else { (self.sessions, PUBLISHERS) };
        // Nobody waits for them: they are away.
        let streams: Vec<usize> = (0..topics).map(|topic| load.stream(topic % publishers, 0)).collect();
        for publisher in 0..publishers {
            let mut packets = Packets::default();
            for _ in 0..self.messages {
                for (topic, stream) in streams.iter().enumerate().skip(publisher).step_by(publishers) {
                    packets.push(&self.topic(topic), QoS::AtLeastOnce, PAYLOAD_LEN, *stream)?;
                }
            }
            let link = Link::open(&broker.tcp, &format!("queued-from-{publisher}"))?;
            let window = Window { deliveries: 0, unacknowledged: UNACKNOWLEDGED };
            load.publish_once_by(link, packets, window)?;
        }
        Ok(streams)
    }
}

fn name(session: usize) -> String {
    format!("queued-{session}")
}

fn others(span: &Span) -> f64 {
    span.others.as_secs_f64() / span.time.as_secs_f64()
}

/// Memory, when what those who left had is given back.
fn settled(process: Process) -> Result<u64> {
    thread::sleep(MOMENT);
    process.resident()
}

const MOMENT: Duration = Duration::from_millis(300);

const PUBLISHERS: usize = 10;
const UNACKNOWLEDGED: usize = 20;
const PAYLOAD_LEN: usize = 64;

/// A broker that writes each to a disk takes its time.
const QUEUED_WITHIN: Duration = Duration::from_secs(120);

/// Nothing has come for so long: nothing more comes.
const SILENCE: Duration = Duration::from_secs(3);
