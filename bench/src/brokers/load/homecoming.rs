//! Clients who come back to their sessions, some at a time, and receive what waited for them.

use super::{
    ledger::{Faults, Ledger},
    link::{Inbox, Link, Over},
    packets,
    poller::{Poller, Ready},
    turn::answer,
    wire::Packet,
};
use crate::brokers::stop;
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

/// All of them.
pub(crate) struct Homecoming<'a> {
    over: &'a Over,
    poller: Poller,
    travellers: Vec<Traveller>,
    /// By the order in which they came.
    links: Vec<Link>,
}

struct Traveller {
    client_id: String,
    ledger: Ledger,
    /// How many messages are to be there.
    awaited: u32,
    is_welcome: bool,
}

impl<'a> Homecoming<'a> {
    pub(crate) fn new(over: &'a Over) -> Result<Self> {
        Ok(Self { over, poller: Poller::new()?, travellers: Vec::new(), links: Vec::new() })
    }

    /// One for whom so many messages of a stream wait.
    pub(crate) fn add(&mut self, client_id: String, stream: u32, awaited: u32) {
        let ledger = Ledger::new(stream, 1);
        self.travellers.push(Traveller { client_id, ledger, awaited, is_welcome: false });
    }

    /// Lets all come, until everything has arrived, or nothing more does for such a time. Returns how long it took.
    pub(crate) fn receive(&mut self, silence: Duration) -> Result<Duration> {
        let began = Instant::now();
        let (mut last, mut welcome) = (began, 0);
        let mut left: u64 = self.travellers.iter().map(|traveller| u64::from(traveller.awaited)).sum();
        let (mut inbox, mut ready, mut answers) = (Inbox::default(), Vec::<Ready>::new(), Vec::new());
        while left > 0 && last.elapsed() < silence {
            stop::check()?;
            while self.links.len() - welcome < AT_ONCE
                && let Some(traveller) = self.travellers.get(self.links.len())
            {
                let mut link = Link::ring(self.over)?;
                link.send(&packets::connect_to_session(&traveller.client_id)?)?;
                link.unblock()?;
                self.poller.add(&link, self.links.len())?;
                self.links.push(link);
            }
            self.poller.wait(TURN, &mut ready)?;
            for event in &ready {
                let (Some(link), Some(traveller)) =
                    (self.links.get_mut(event.token), self.travellers.get_mut(event.token))
                else {
                    continue;
                };
                answers.clear();
                link.receive(&mut inbox, |packet| {
                    match packet {
                        Packet::Connack(code) => {
                            ensure!(code == 0, "{} is refused with code {code}", traveller.client_id);
                            welcome += usize::from(!std::mem::replace(&mut traveller.is_welcome, true));
                        }
                        Packet::Publish { payload, .. } => left -= traveller.note(payload).min(left),
                        _ => {}
                    }
                    answer(&packet, &mut answers);
                    Ok(())
                })?;
                link.send(&answers)?;
            }
            if !ready.is_empty() {
                last = Instant::now();
            }
        }
        Ok(last.duration_since(began))
    }

    /// What went wrong.
    pub(crate) fn faults(&self) -> Faults {
        let mut faults = Faults::default();
        for traveller in &self.travellers {
            faults += traveller.ledger.close(|_| traveller.awaited);
        }
        faults
    }
}

impl Traveller {
    /// Returns how many messages less are to come.
    fn note(&mut self, payload: &[u8]) -> u64 {
        let Some(stamp) = super::Stamp::of(payload) else { return 0 };
        self.ledger.note(stamp.stream, stamp.sequence) as u64
    }
}

/// As many as a broker's queue of connections takes without turning any away.
const AT_ONCE: usize = 64;

const TURN: Duration = Duration::from_millis(100);
