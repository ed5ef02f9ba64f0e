//! What the generator does all the time: it waits once, reads what has come, answers it, and lets those publish for whom
//! there is room again.

use super::{
    Account, Load, Party,
    packets::{PUBACK, PUBCOMP, PUBREC, PUBREL, acknowledgement},
    stamp::Stamp,
    wire::Packet,
};
use anyhow::{Context as _, Result};
use std::time::{Duration, Instant};

/// So many messages a second instead of as many as possible.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    per_s: f64,
    began: Instant,
    sent: f64,
}

impl Load {
    /// Lets publishers send, those who had something to wait for that has come.
    pub(super) fn publish(&mut self, now: Instant) -> Result<()> {
        let mut most = match &mut self.pace {
            Some(pace) => pace.due(now),
            None => usize::MAX,
        };
        let now_ns = now.duration_since(self.began).as_nanos() as u64;
        let listed = std::mem::take(&mut self.listed);
        // Who had no turn has the first one next time.
        let (mut later, mut served) = (Vec::new(), Vec::new());
        for number in listed {
            let Some(publisher) = self.publishers.get_mut(number) else { continue };
            let Some(link) = self.links.get_mut(publisher.link) else { continue };
            publisher.listed = false;
            if most == 0 {
                later.push(number);
                continue;
            }
            let was_blocked = link.is_blocked();
            let sent = publisher.publish(link, &mut self.streams, now_ns, most)?;
            if let Some(pace) = &mut self.pace {
                pace.sent += sent as f64;
                most -= sent;
                served.push(number);
            }
            if link.is_blocked() && !was_blocked {
                self.poller.change(&*link, publisher.link, true, true)?;
            }
        }
        for number in later.into_iter().chain(served) {
            self.list(number);
        }
        Ok(())
    }

    /// Those who read seldom do it, if it is time.
    pub(super) fn dawdle(&mut self, now: Instant) -> Result<()> {
        if self.dawdlers.is_empty() || now.duration_since(self.dawdled) < DAWDLE {
            return Ok(());
        }
        self.dawdled = now;
        for place in 0..self.dawdlers.len() {
            if let Some(token) = self.dawdlers.get(place) {
                self.read(*token)?;
            }
        }
        Ok(())
    }

    /// Waits once, and does whatever can be done then.
    pub(super) fn turn(&mut self, timeout: Duration) -> Result<()> {
        let mut ready = std::mem::take(&mut self.ready);
        self.poller.wait(timeout, &mut ready)?;
        for event in &ready {
            if event.writable {
                self.write(event.token)?;
            }
            if event.readable {
                self.read(event.token)?;
            }
        }
        if !ready.is_empty() {
            self.progress = Instant::now();
        }
        self.ready = ready;
        Ok(())
    }

    fn write(&mut self, token: usize) -> Result<()> {
        let Some(link) = self.links.get_mut(token) else { return Ok(()) };
        link.flush()?;
        if !link.is_blocked() {
            self.poller.change(&*link, token, true, false)?;
            if let Some(Party::Publisher(number)) = self.parties.get(token) {
                self.list(*number);
            }
        }
        Ok(())
    }

    fn read(&mut self, token: usize) -> Result<()> {
        let Self { links, parties, publishers, ledgers, streams, listed, inbox, answers, delivered, .. } =
            self;
        let (Some(link), Some(party)) = (links.get_mut(token), parties.get(token)) else { return Ok(()) };
        answers.clear();
        let was_blocked = link.is_blocked();
        match *party {
            Party::Bystander => link.receive(inbox, |packet| {
                answer(&packet, answers);
                Ok(())
            })?,
            Party::Publisher(number) => {
                let publisher = publishers.get_mut(number).context("a publisher is there")?;
                link.receive(inbox, |packet| {
                    match packet {
                        Packet::Puback | Packet::Pubcomp => publisher.acknowledge(),
                        Packet::Pubrec(id) => answers.extend_from_slice(&acknowledgement(PUBREL, id)),
                        _ => {}
                    }
                    Ok(())
                })?;
                if !publisher.listed {
                    publisher.listed = true;
                    listed.push(number);
                }
            }
            Party::Subscriber(number) => {
                let Account { ledger, .. } = ledgers.get_mut(number).context("a subscriber is there")?;
                link.receive(inbox, |packet| {
                    if let Packet::Publish { payload, .. } = packet {
                        *delivered += 1;
                        let Some(stamp) = Stamp::of(payload) else { return Ok(()) };
                        let settled = ledger.note(stamp.stream, stamp.sequence);
                        let stream = streams.get(stamp.stream as usize);
                        if let Some(stream) = stream
                            && let Some(publisher) = publishers.get_mut(stream.publisher)
                        {
                            publisher.arrived(settled);
                            if !publisher.listed {
                                publisher.listed = true;
                                listed.push(stream.publisher);
                            }
                        }
                    }
                    answer(&packet, answers);
                    Ok(())
                })?;
            }
        }
        if !answers.is_empty() {
            link.send(answers)?;
            if link.is_blocked() && !was_blocked {
                self.poller.change(&*link, token, true, true)?;
            }
        }
        Ok(())
    }
}

impl Pace {
    /// From here on.
    pub(super) fn new(per_s: f64) -> Self {
        Self { per_s, began: Instant::now(), sent: 0.0 }
    }

    /// How many more should have been sent by now.
    fn due(&self, now: Instant) -> usize {
        let due = now.duration_since(self.began).as_secs_f64() * self.per_s - self.sent;
        if due < 1.0 { 0 } else { due as usize }
    }
}

/// What a receiver owes for a packet.
pub(super) fn answer(packet: &Packet<'_>, answers: &mut Vec<u8>) {
    let (kind, id) = match *packet {
        Packet::Publish { qos: 1, id, .. } => (PUBACK, id),
        Packet::Publish { qos: 2, id, .. } => (PUBREC, id),
        Packet::Pubrel(id) => (PUBCOMP, id),
        _ => return,
    };
    answers.extend_from_slice(&acknowledgement(kind, id));
}

/// How often those read who read seldom; so much as fits one read, 256 KiB.
const DAWDLE: Duration = Duration::from_millis(100);
