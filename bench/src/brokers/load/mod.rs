//! The generator: one thread that keeps a broker busy and checks what it delivers, and costs much less than any broker
//! does.
//!
//! A closed loop: a publisher may have so much under way and sends more when that has arrived. So every broker gets as
//! much as it can take, none is flooded, and nothing but the broker explains what is missing in the end.

mod crowd;
mod homecoming;
mod ledger;
mod link;
pub(crate) mod packets;
mod poller;
mod publisher;
mod stamp;
mod turn;
mod websocket;
mod wire;

pub(crate) use crowd::{Crowd, permit_connections, storm};
pub(crate) use homecoming::Homecoming;
pub(crate) use ledger::Faults;
pub(crate) use link::{Inbox, Link, Over};
pub(crate) use packets::Packets;
pub(crate) use poller::{Poller, Ready};
pub(crate) use publisher::Window;
pub(crate) use stamp::Stamp;
pub(crate) use wire::{Dialect, Packet, length};

use crate::brokers::stop;
use anyhow::{Result, ensure};
use ledger::Ledger;
use mqttbytes::QoS;
use publisher::{Publisher, Stream};
use std::{
    iter,
    ops::Range,
    time::{Duration, Instant},
};
use turn::Pace;

/// Connections, who is behind them, and what has passed them.
pub(crate) struct Load {
    poller: Poller,
    links: Vec<Link>,
    /// By link.
    parties: Vec<Party>,
    publishers: Vec<Publisher>,
    ledgers: Vec<Account>,
    streams: Vec<Stream>,
    /// Publishers that may have something to send.
    listed: Vec<usize>,
    inbox: Inbox,
    answers: Vec<u8>,
    ready: Vec<Ready>,
    began: Instant,
    delivered: u64,
    progress: Instant,
    gave_up: u64,
    pace: Option<Pace>,
    /// Links that are read seldom, and when they were last.
    dawdlers: Vec<usize>,
    dawdled: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Party {
    Publisher(usize),
    Subscriber(usize),
    /// Is there, and not counted.
    Bystander,
}

#[derive(Debug)]
struct Account {
    ledger: Ledger,
    streams: Vec<Range<u32>>,
}

impl Load {
    pub(crate) fn new() -> Result<Self> {
        let now = Instant::now();
        Ok(Self {
            poller: Poller::new()?,
            links: Vec::new(),
            parties: Vec::new(),
            publishers: Vec::new(),
            ledgers: Vec::new(),
            streams: Vec::new(),
            listed: Vec::new(),
            inbox: Inbox::default(),
            answers: Vec::new(),
            ready: Vec::new(),
            began: now,
            delivered: 0,
            progress: now,
            gave_up: 0,
            pace: None,
            dawdlers: Vec::new(),
            dawdled: now,
        })
    }

    /// Announces a topic: `publisher` (by the order of [`Load::publish_by`]) will send messages to so many subscribers.
    pub(crate) fn stream(&mut self, publisher: usize, receivers: usize) -> usize {
        self.streams.push(Stream { publisher, receivers, sent: 0 });
        self.streams.len() - 1
    }

    /// Takes in one who receives these streams, whole.
    pub(crate) fn receive_by(&mut self, link: Link, streams: Vec<Range<u32>>) -> Result<()> {
        let first = streams.iter().map(|range| range.start).min().unwrap_or_default();
        let end = streams.iter().map(|range| range.end).max().unwrap_or_default();
        let ledger = Ledger::new(first, end.saturating_sub(first) as usize);
        self.ledgers.push(Account { ledger, streams });
        self.add(link, Party::Subscriber(self.ledgers.len() - 1))
    }

    /// Takes in a group of whom each message of these streams reaches one.
    pub(crate) fn receive_together(&mut self, links: Vec<Link>, streams: Range<u32>) -> Result<()> {
        let ledger = Ledger::of_group(streams.start, streams.len());
        self.ledgers.push(Account { ledger, streams: iter::once(streams).collect() });
        let number = self.ledgers.len() - 1;
        links.into_iter().try_for_each(|link| self.add(link, Party::Subscriber(number)))
    }

    /// Takes in one who publishes.
    pub(crate) fn publish_by(
        &mut self,
        link: Link,
        packets: Packets,
        qos: QoS,
        window: Window,
    ) -> Result<()> {
        let acknowledged = qos != QoS::AtMostOnce;
        self.publish_as(link, |place| Publisher::new(place, packets, acknowledged, window))
    }

    /// Takes in one who publishes each packet once.
    pub(crate) fn publish_once_by(&mut self, link: Link, packets: Packets, window: Window) -> Result<()> {
        self.publish_as(link, |place| Publisher::new(place, packets, true, window).once())
    }

    fn publish_as(&mut self, link: Link, publisher: impl FnOnce(usize) -> Publisher) -> Result<()> {
        let number = self.publishers.len();
        self.publishers.push(publisher(self.links.len()));
        self.list(number);
        self.add(link, Party::Publisher(number))
    }

    /// Takes in one whose messages are not counted, and read only now and then.
    pub(crate) fn dawdle_by(&mut self, link: Link) -> Result<()> {
        self.dawdlers.push(self.links.len());
        self.add(link, Party::Bystander)?;
        self.links.last().map_or(Ok(()), |link| self.poller.remove(link))
    }

    /// Takes in one who never reads.
    pub(crate) fn freeze_by(&mut self, link: Link) -> Result<()> {
        link.unblock()?;
        self.links.push(link);
        self.parties.push(Party::Bystander);
        Ok(())
    }

    /// No more than so many messages a second, from here on.
    pub(crate) fn pace(&mut self, per_s: f64) {
        self.pace = Some(Pace::new(per_s));
    }

    /// Messages that have arrived so far.
    pub(crate) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Messages that were sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent_by_stream().map(u64::from).sum()
    }

    /// The same for each stream.
    pub(crate) fn sent_by_stream(&self) -> impl Iterator<Item = u32> {
        self.streams.iter().map(|stream| stream.sent)
    }

    /// How often nothing arrived for so long that publishers went on without it.
    pub(crate) fn gave_up(&self) -> u64 {
        self.gave_up
    }

    /// Publishes and receives for so long.
    pub(crate) fn run(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        self.progress = Instant::now();
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(());
            }
            stop::check()?;
            self.publish(now)?;
            let timeout = if self.pace.is_some() { PACE } else { TURN };
            self.turn(timeout.min(end - now))?;
            self.dawdle(now)?;
            if self.progress.elapsed() > GIVE_UP_AFTER {
                self.give_up();
            }
        }
    }

    /// Publishes until everybody has nothing more to send. Fails if that takes longer.
    pub(crate) fn finish(&mut self, within: Duration) -> Result<()> {
        let end = Instant::now() + within;
        while !self.publishers.iter().all(Publisher::has_finished) {
            stop::check()?;
            let now = Instant::now();
            ensure!(now < end, "not everything was acknowledged within {} s", within.as_secs());
            self.publish(now)?;
            self.turn(TURN)?;
        }
        Ok(())
    }

    /// Publishes nothing more and receives what is under way, until it is there or stays away; says what is missing.
    pub(crate) fn drain(&mut self) -> Result<Faults> {
        self.progress = Instant::now();
        while self.publishers.iter().any(Publisher::waits) && self.progress.elapsed() < LOST_AFTER {
            stop::check()?;
            self.turn(TURN)?;
        }
        // What should not come at all would come now.
        self.turn(Duration::ZERO)?;
        let mut faults = Faults::default();
        for Account { ledger, streams } in &self.ledgers {
            let own = |stream: u32| streams.iter().any(|range| range.contains(&stream));
            let sent = |stream: u32| {
                let stream = self.streams.get(stream as usize).filter(|_| own(stream));
                stream.map_or(0, |stream| stream.sent)
            };
            faults += ledger.close(sent);
        }
        Ok(faults)
    }

    fn add(&mut self, link: Link, party: Party) -> Result<()> {
        link.unblock()?;
        self.poller.add(&link, self.links.len())?;
        self.links.push(link);
        self.parties.push(party);
        Ok(())
    }

    fn list(&mut self, number: usize) {
        if let Some(publisher) = self.publishers.get_mut(number)
            && !publisher.listed
        {
            publisher.listed = true;
            self.listed.push(number);
        }
    }

    fn give_up(&mut self) {
        self.gave_up += 1;
        self.progress = Instant::now();
        for number in 0..self.publishers.len() {
            if let Some(publisher) = self.publishers.get_mut(number) {
                publisher.give_up();
            }
            self.list(number);
        }
    }
}

/// The longest wait when nothing happens.
const TURN: Duration = Duration::from_millis(100);

/// How often a paced load sends.
const PACE: Duration = Duration::from_millis(1);

/// Nothing arrives for so long: publishers go on without it.
const GIVE_UP_AFTER: Duration = Duration::from_secs(2);

/// Nothing arrives for so long in the end: what is under way is lost. A machine with much else to do is not.
const LOST_AFTER: Duration = Duration::from_secs(6);
