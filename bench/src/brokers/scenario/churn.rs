//! What comes and goes in a house and a fleet in an hour, as fast as it can: sessions, subscriptions, retained values, wills,
//! queues for who is away, takeovers, messages cut off half-way, readers that never read. In the end everybody has left, so
//! that memory should be where it was, and a message should cost what it did.
//!
//! It waits for answers one by one: how many cycles a broker does in a second is no measure of what it could do.

use super::{
    super::{
        figure::{Figure, Figures},
        load::{Inbox, Link, Over, Packet, packets},
        peer::Running,
        stop,
        usage::{Moment, Process},
    },
    Extent,
    flow::Flow,
    shape::Shape,
};
use anyhow::{Context as _, Result, ensure};
use mqttbytes::QoS;
use std::{
    collections::VecDeque,
    iter, thread,
    time::{Duration, Instant},
};

/// Comes and goes for so many times the time of a cell, and no longer than a minute: thousands of lives, which is what a
/// house sees in days and a fleet in an hour.
const CELLS: u32 = 5;
const LONGEST: Duration = Duration::from_secs(60);

/// What a message costs, before and after: the same work for the same few.
const PROBE: Flow = Flow::new(Shape::Pairs { count: 10, in_flight: 20 }, QoS::AtLeastOnce);

pub(super) fn measure(broker: &Running, extent: &Extent) -> Result<Figures> {
    let process = broker.process.context("its process is not known")?;
    let probed_before = PROBE.measure(broker, extent)?;
    let before = settled(process)?;

    let began = Instant::now();
    let time = (extent.time * CELLS).min(LONGEST);
    let mut town = Town::new(&broker.tcp)?;
    let mut top = before;
    while began.elapsed() < time {
        stop::check()?;
        let number = town.number;
        town.cycle().with_context(|| format!("cycle {number}"))?;
        if number.is_multiple_of(LOOK_EVERY) {
            top = top.max(process.resident()?);
        }
    }
    let cycles = f64::from(town.number);
    let cycles_per_s = cycles / began.elapsed().as_secs_f64();
    top = top.max(process.resident()?);
    town.empty()?;

    let after = settled(process)?;
    let moment = Moment::take(broker.process, &extent.cores.used())?;
    thread::sleep(REST);
    let span = Moment::take(broker.process, &extent.cores.used())?.since(&moment);
    let probed_after = PROBE.measure(broker, extent)?;

    let mut figures = Figures::from([
        (Figure::CyclesPerS, cycles_per_s),
        (Figure::MemoryBefore, before as f64),
        (Figure::MemoryTop, top as f64),
        (Figure::MemoryBytes, after as f64),
        (Figure::MemoryAgain, after as f64 / before as f64),
        (Figure::BytesPerCycle, after.saturating_sub(before) as f64 / cycles),
    ]);
    if let Some(cpu) = span.broker {
        figures.insert(Figure::IdleCores, cpu.as_secs_f64() / span.time.as_secs_f64());
    }
    let cost = |probed: &Figures| probed.get(&Figure::CpuSPerMillion).copied();
    if let Some((then, now)) = cost(&probed_before).zip(cost(&probed_after)) {
        figures.extend([
            (Figure::CpuBefore, then),
            (Figure::CpuSPerMillion, now),
            (Figure::CpuAgain, now / then),
        ]);
    }
    for (figure, value) in probed_before.iter().chain(&probed_after) {
        if figure.is_fault() {
            *figures.entry(*figure).or_default() += value;
        }
    }
    Ok(figures)
}

/// A look at memory costs the generator more than a packet does.
const LOOK_EVERY: u32 = 16;
const REST: Duration = Duration::from_secs(1);

/// Memory, when it has not become less for a while: timers and allocators take their time. Also long enough for sessions to
/// expire.
fn settled(process: Process) -> Result<u64> {
    let began = Instant::now();
    let (mut least, mut fell) = (process.resident()?, began);
    while began.elapsed() < SETTLED_AT_MOST && (began.elapsed() < SETTLED_AT_LEAST || fell.elapsed() < STILL)
    {
        stop::check()?;
        thread::sleep(LOOK_AGAIN);
        let now = process.resident()?;
        if now < least {
            (least, fell) = (now, Instant::now());
        }
    }
    process.resident()
}

const SETTLED_AT_LEAST: Duration = Duration::from_secs(3);
const SETTLED_AT_MOST: Duration = Duration::from_secs(15);
const STILL: Duration = Duration::from_millis(1500);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Everybody who is there, or away.
struct Town<'a> {
    over: &'a Over,
    /// Of the next cycle.
    number: u32,
    /// Whose messages wait for who is away.
    sender: Link,
    inbox: Inbox,
    speaks_5: bool,
    /// By the number of the cycle in which they went.
    away: VecDeque<u32>,
    never_read: VecDeque<Link>,
}

impl<'a> Town<'a> {
    fn new(over: &'a Over) -> Result<Self> {
        Ok(Self {
            over,
            number: 0,
            sender: Link::open(over, "churn-sender")?,
            inbox: Inbox::default(),
            speaks_5: expiring(over, "churn-asks", "churn/asks").is_ok(),
            away: VecDeque::new(),
            never_read: VecDeque::new(),
        })
    }

    /// Somebody lives, and somebody who went long ago is forgotten.
    fn cycle(&mut self) -> Result<()> {
        let number = self.number;
        self.number += 1;
        self.away.push_back(number);
        self.live_and_be_cut(number)?;
        self.queue(&format!("churn/{number}/3/queued"), QUEUED)?;
        if number.is_multiple_of(TAKEN_OVER_EVERY) {
            // Each is given what waits, acknowledges none of it, and is thrown out by the next.
            let first = Link::open_session(self.over, &name(number))?;
            let second = Link::open_session(self.over, &name(number))?;
            drop((first, second));
        }
        if self.speaks_5 {
            let topic = format!("churn5/{number}");
            drop(expiring(self.over, &format!("churn5-{number}"), &topic)?);
            self.queue(&topic, QUEUED / 4)?;
        }
        if number.is_multiple_of(NEVER_READS_EVERY) {
            let mut link = Link::open(self.over, &format!("churn-deaf-{number}"))?;
            link.subscribe(&["churn/loud/+".to_owned()], QoS::AtMostOnce)?;
            self.never_read.push_back(link);
        }
        if self.never_read.len() > NEVER_READ {
            self.never_read.pop_front();
        }
        let loud = vec![b'!'; LOUD_LEN];
        self.sender.send(&packets::publish(&format!("churn/loud/{number}"), QoS::AtMostOnce, 0, &loud)?)?;
        while self.away.len() > AWAY {
            self.forget_oldest()?;
        }
        Ok(())
    }

    /// All go for good.
    fn empty(mut self) -> Result<()> {
        while !self.away.is_empty() {
            stop::check()?;
            self.forget_oldest()?;
        }
        self.sender.send(&packets::DISCONNECT)
    }

    /// One with a session and a will subscribes, sets retained values and clears them again, is in the middle of a QoS 2
    /// message, has not acknowledged what it received, and is cut off.
    fn live_and_be_cut(&mut self, number: u32) -> Result<()> {
        let mut link = Link::dial(self.over)?;
        let filters = [
            format!("churn/{number}/+/state"),
            format!("churn/{number}/0/#"),
            format!("+/{number}/1/state"),
            format!("churn/{number}/2/state"),
            format!("churn/{number}/3/queued"),
        ];
        let mut life = packets::connect_with_will(&name(number), &format!("churn/{number}/will"))?;
        life.extend(packets::subscribe(&filters, QoS::AtLeastOnce)?);
        let mut id = 0;
        for payload in [b"something that is kept for a moment".as_slice(), b""] {
            for place in 0..RETAINED {
                id += 1;
                life.extend(packets::retain(&format!("churn/{number}/{place}/state"), id, payload)?);
            }
        }
        for place in 0..RETAINED {
            id += 1;
            life.extend(packets::retain(&kept(number, place), id, b"kept until the session is discarded")?);
        }
        life.extend(packets::publish(&format!("churn/{number}/0/half"), QoS::ExactlyOnce, id + 1, b"half")?);
        life.extend(packets::unsubscribe(filters.get(..2).unwrap_or_default())?);
        link.send(&life)?;
        let (mut acknowledged, mut is_half_done, mut is_unsubscribed) = (0, false, false);
        link.wait(|packet| {
            acknowledged += u16::from(packet == Packet::Puback);
            is_half_done |= matches!(packet, Packet::Pubrec(_));
            is_unsubscribed |= packet == Packet::Unsuback;
            (acknowledged == id && is_half_done && is_unsubscribed).then_some(())
        })
    }

    /// Messages that nobody acknowledges who gets them.
    fn queue(&mut self, topic: &str, count: u16) -> Result<()> {
        let mut messages = Vec::new();
        for id in 1..=count {
            messages.extend(packets::publish(topic, QoS::AtLeastOnce, id, &[b'q'; QUEUED_LEN])?);
        }
        self.publish(&messages, count)
    }

    fn publish(&mut self, messages: &[u8], count: u16) -> Result<()> {
        self.sender.send(messages)?;
        let mut acknowledged = 0;
        let began = Instant::now();
        while acknowledged < count {
            ensure!(began.elapsed() < ANSWER_WITHIN, "a message is not acknowledged");
            self.sender.receive(&mut self.inbox, |packet| {
                acknowledged += u16::from(packet == Packet::Puback);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Discards the session, and what its client left on the shelf.
    fn forget_oldest(&mut self) -> Result<()> {
        let Some(number) = self.away.pop_front() else { return Ok(()) };
        Link::open(self.over, &name(number))?.send(&packets::DISCONNECT)?;
        let left = (0..RETAINED).map(|place| kept(number, place));
        let mut cleared = Vec::new();
        let mut count = 0;
        for topic in left.chain(iter::once(format!("churn/{number}/will"))) {
            count += 1;
            cleared.extend(packets::retain(&topic, count, b"")?);
        }
        self.publish(&cleared, count)
    }
}

fn name(number: u32) -> String {
    format!("churn-{number}")
}

fn kept(number: u32, place: u16) -> String {
    format!("churn/{number}/kept/{place}")
}

/// One whose session expires soon after it is gone: only MQTT 5 knows that.
fn expiring(over: &Over, client_id: &str, topic: &str) -> Result<Link> {
    let mut link = Link::dial(over)?;
    link.send(&packets::connect_expiring(client_id, EXPIRY_S)?)?;
    let is_welcome = link.wait(|packet| match packet {
        Packet::Connack(code) => Some(code == 0),
        _ => None,
    })?;
    ensure!(is_welcome, "{client_id} is refused");
    link.send(&packets::subscribe_5(&[topic.to_owned()], QoS::AtLeastOnce)?)?;
    let is_granted = link.wait(|packet| match packet {
        Packet::Suback(is_granted) => Some(is_granted),
        _ => None,
    })?;
    ensure!(is_granted, "{topic} is refused");
    Ok(link)
}

/// The shortest there is.
const EXPIRY_S: u32 = 1;

/// Sessions at a time whose clients are away.
const AWAY: usize = 200;

/// Retained values of each.
const RETAINED: u16 = 5;

/// Messages that wait for each, and their bytes: a sensor's readings of some minutes.
const QUEUED: u16 = 40;
const QUEUED_LEN: usize = 256;

/// How often somebody comes back twice at a time.
const TAKEN_OVER_EVERY: u32 = 4;

/// So many at a time never read, each for some dozens of messages of such a length: more than the kernel holds for them.
const NEVER_READ: usize = 8;
const NEVER_READS_EVERY: u32 = 8;
const LOUD_LEN: usize = 64 << 10;

/// A broker that writes each to a disk takes its time.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
