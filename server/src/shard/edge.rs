//! The edge: what the broker's effects reach, and how.
//!
//! Effects are done as they arise, while the broker handles what led to them: a message is encoded into one output after
//! the other straight from the buffer that it was read into. Whatever has to be told to the broker in turn waits until it
//! is done.

use super::{
    connection::Endings,
    link::Over,
    links::Links,
    local::Locals,
    output::{Spare, Written},
    sockets::Change,
    verdicts::Checks,
};
use crate::{auth::SignIn, clock::Clock, limits};
use luxwire_broker::{
    Delivered, DeliveredRef, Effect, Effects, LinkId, OutgoingAliases, Passing, Report, Traffic, Verdict,
};
use luxwire_shared::{
    mqtt::{Acknowledge, AcknowledgeKind, Packet, PacketId},
    time::Instant,
};
use std::{collections::VecDeque, mem, sync::Arc, task::Waker, time::Duration};
use tracing::{debug, error, info};

/// See the module.
pub(super) struct Edge {
    pub(super) clock: Clock,
    pub(super) sign_in: Arc<SignIn>,
    /// Passwords whose checking takes time; the answers come as [`super::State::password_checked`].
    pub(super) checks: Checks,
    /// Verdicts that were there at once, for when the broker is done with what made it ask.
    pub(super) verdicts: Vec<(LinkId, Verdict)>,
    pub(super) hash_seed: u64,
    pub(super) packet_size: usize,
    pub(super) stall_timeout: Duration,
    pub(super) links: Links,
    pub(super) locals: Locals,
    pub(super) spare: Spare,
    /// What went over the wires since the broker was last told.
    pub(super) traffic: Traffic,
    /// What was done so far: each effect, and each [`WORK_BYTES`] that were read.
    pub(super) work: u64,
    /// What was written so far, in the same measure: each write is [`WORK_OF_WRITE`], and each [`WORK_BYTES`] one more.
    pub(super) written: u64,
    /// Links with something to write, in the order in which they got it.
    pub(super) dirty: Vec<LinkId>,
    /// Links whose output became empty, where the broker waits for that.
    pub(super) drained: Vec<LinkId>,
    /// Links whose turn is to come.
    pub(super) ready: Ready,
    /// Wakes the task that gives turns and writes, while it waits.
    pub(super) driver: Option<Waker>,
    /// When the oldest blocked link may have been blocked for too long.
    pub(super) stall_check: Option<Instant>,
    pub(super) endings: Endings,
}

impl Effects for Edge {
    fn push(&mut self, effect: Effect) {
        match effect {
            Effect::Send { link, packet } => return self.send(link, packet),
            Effect::Deliver(delivered) => return self.deliver_kept(&delivered),
            Effect::CheckPassword { link, user, password } => {
                self.check_password(link, &user, password.as_deref());
            }
            Effect::AwaitDrain { link } => self.await_drain(link),
            Effect::Close { link, reason } => self.end(link, Over::Asked(reason)),
            Effect::Report(report) => self.report(&report),
        }
        self.work += 1;
    }

    fn send(&mut self, id: LinkId, packet: Packet) {
        self.work += 1;
        let Some(link) = self.links.get_mut(id) else { return self.locals.send(id, packet) };
        if let Err(error) = link.send(&packet, &mut self.spare) {
            error!(%error, "a packet of ours cannot be written");
        }
        if link.becomes_dirty() {
            self.flush_soon(id);
        }
    }

    fn acknowledge(&mut self, id: LinkId, kind: AcknowledgeKind, packet_id: PacketId) {
        let Some(link) = self.links.get_mut(id) else {
            return self.send(id, kind.packet(Acknowledge::success(packet_id)));
        };
        self.work += 1;
        link.acknowledge(kind, packet_id, &mut self.spare);
        if link.becomes_dirty() {
            self.flush_soon(id);
        }
    }

    fn deliver(&mut self, delivered: &DeliveredRef<'_>) {
        self.work += 1;
        let id = delivered.link;
        let Some(link) = self.links.get_mut(id) else {
            if let Some(since) = self.locals.deliver(delivered, self.clock) {
                self.stall_check.get_or_insert(since + self.stall_timeout);
            }
            return;
        };
        if let Err(error) = link.deliver(delivered, &mut self.spare, &mut self.traffic) {
            error!(%error, "a message cannot be written");
        }
        if link.is_full_enough_to_write() {
            self.write(id);
        } else if link.becomes_dirty() {
            self.flush_soon(id);
        }
    }
}

impl Edge {
    /// A message that was kept, for whoever saw it first.
    fn deliver_kept(&mut self, delivered: &Delivered) {
        self.deliver(&delivered.borrowed(&Passing::kept(&delivered.message)));
    }

    fn await_drain(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else { return self.locals.await_drain(id) };
        link.awaits_drain = true;
        if link.becomes_dirty() {
            self.flush_soon(id);
        }
    }

    /// Whether it is time to write, and others' turn.
    pub(super) fn is_spent(&self, allowance: Allowance) -> bool {
        allowance.is_spent(self.work, self.dirty.len())
    }

    /// What was done and written so far.
    pub(super) fn effort(&self) -> u64 {
        self.work + self.written
    }

    /// Has the driver write to the link if there is something that it does not know of.
    pub(super) fn becomes_dirty(&mut self, id: LinkId) {
        if self.links.get_mut(id).is_some_and(|link| link.becomes_dirty()) {
            self.flush_soon(id);
        }
    }

    /// The first reason stays: what follows is its consequence.
    pub(super) fn end(&mut self, id: LinkId, over: Over) {
        let Some(link) = self.links.get_mut(id) else { return self.locals.end(id, over) };
        link.over.get_or_insert_with(|| Box::new(over));
        self.becomes_ready(id);
    }

    /// Bytes that came and were sent, about.
    pub(super) fn bytes(&self) -> u64 {
        self.work * WORK_BYTES
    }

    /// Whether a turn would find something to do.
    pub(super) fn has_work(&self) -> bool {
        !self.ready.is_empty() || !self.dirty.is_empty() || !self.drained.is_empty()
    }

    /// Notes what became of the socket of the link at this place.
    pub(super) fn socket_changed(&mut self, place: usize, change: &Change) {
        let Some((id, link)) = self.links.at_mut(place) else { return };
        link.is_readable |= change.is_readable;
        link.is_ended_by_peer |= change.is_ended_by_peer;
        link.is_writable |= change.is_writable && link.blocked_since.is_some();
        self.becomes_ready(id);
    }

    /// Gives the link a turn if there is something for it to do.
    pub(super) fn becomes_ready(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else { return };
        if link.is_ready || !link.has_work() {
            return;
        }
        link.is_ready = true;
        let queue = if link.sends_much { &mut self.ready.bulk } else { &mut self.ready.little };
        queue.push_back(id);
        self.wake_driver();
    }

    fn report(&mut self, report: &Report) {
        match *report {
            Report::Connected { link: id, ref client_id, version, session_present, aliases } => {
                if let Some(local) = self.locals.get(id) {
                    let peer = local.peer;
                    if local.stays() {
                        info!(%peer, client = ?client_id, ?version, transport = "http", "connected");
                    } else {
                        debug!(%peer, client = ?client_id, ?version, transport = "http", "connected");
                    }
                    return self.locals.connected(id, client_id.clone());
                }
                let packet_size = self.packet_size;
                let aliases = OutgoingAliases::new(aliases, self.hash_seed);
                let Some(link) = self.links.get_mut(id) else { return };
                let (peer, transport) = (link.peer, link.transport());
                info!(%peer, client = ?client_id, ?version, transport, session_present, "connected");
                link.accepted(client_id.clone(), packet_size, aliases);
            }
            Report::Dropped { ref client_id, qos, why } => {
                debug!(client = ?client_id, qos = qos.number(), ?why, "message dropped");
            }
            Report::PublishRefused { link, ref client_id, reason } => {
                debug!(client = ?client_id, ?reason, "message refused");
                if let Some(link) = link {
                    self.locals.refused(link, reason);
                }
            }
            Report::SessionEnded { ref client_id } => debug!(client = ?client_id, "session ended"),
        }
    }

    /// Has the driver write to a link that became dirty.
    fn flush_soon(&mut self, id: LinkId) {
        self.dirty.push(id);
        self.wake_driver();
    }

    fn wake_driver(&mut self) {
        if let Some(driver) = self.driver.take() {
            driver.wake();
        }
    }

    /// Writes to one link; says whether bytes are left because its socket is full.
    pub(super) fn write(&mut self, id: LinkId) -> bool {
        let Some(link) = self.links.get_mut(id) else { return false };
        link.is_dirty = false;
        let was_waiting = link.must_wait();
        let sent = self.traffic.bytes_sent;
        let written = link.write(&mut self.spare, &mut self.traffic);
        self.written += WORK_OF_WRITE + (self.traffic.bytes_sent - sent) / WORK_BYTES;
        match written {
            Written::All => {
                link.blocked_since = None;
                if mem::take(&mut link.awaits_drain) {
                    // Not at once: the effects of an earlier input may still be under way.
                    self.drained.push(id);
                    self.wake_driver();
                }
                if was_waiting {
                    self.becomes_ready(id);
                }
                false
            }
            Written::Blocked { progress } => {
                let now = self.clock.instant();
                if progress || link.blocked_since.is_none() {
                    link.blocked_since = Some(now);
                }
                self.stall_check.get_or_insert(now + self.stall_timeout);
                true
            }
            Written::Failed(error) => {
                self.end(id, Over::Failed(error.to_string()));
                false
            }
        }
    }

    /// Ends the links whose sockets took nothing for too long, and notes when to look again.
    pub(super) fn end_stalled(&mut self, now: Instant) {
        if self.stall_check.is_none_or(|check| check > now) {
            return;
        }
        self.stall_check = self.locals.end_stalled(now, self.stall_timeout);
        let mut stalled = Vec::new();
        for (id, link) in self.links.iter() {
            let Some(due) = link.blocked_since.map(|since| since + self.stall_timeout) else { continue };
            if due <= now {
                stalled.push(id);
            } else {
                self.stall_check = Some(self.stall_check.map_or(due, |check| check.min(due)));
            }
        }
        for id in stalled {
            self.end(id, Over::Stalled);
        }
    }
}

/// Links whose turn is to come.
#[derive(Debug, Default)]
pub(super) struct Ready {
    /// Those that set little in motion last time.
    pub(super) little: VecDeque<LinkId>,
    pub(super) bulk: VecDeque<LinkId>,
}

impl Ready {
    fn is_empty(&self) -> bool {
        self.little.is_empty() && self.bulk.is_empty()
    }
}

/// A small message with its topic.
pub(super) const WORK_BYTES: u64 = 64;

/// A write in the same measure. It takes longer, but to look at the sockets more often than after a thousand small ones takes
/// more than it gives: what is answered to a write that was just made is better read with the others' answers.
pub(super) const WORK_OF_WRITE: u64 = 2;

/// What may be set in motion before it is time to write, and others' turn.
#[derive(Clone, Copy)]
pub(super) struct Allowance {
    /// Where the work began.
    begun: u64,
    work: u64,
    /// Work for each link that is to be written to, if that is more: writing takes its time as well, and each link gets several
    /// messages in one write.
    per_write: u64,
}

impl Allowance {
    pub(super) fn of_turn(begun: u64) -> Self {
        Self { begun, work: limits::WORK_PER_TURN, per_write: limits::WORK_PER_WRITE }
    }

    pub(super) fn of_newcomers(begun: u64) -> Self {
        Self { begun, work: limits::WORK_PER_LOOK, per_write: 0 }
    }

    fn is_spent(self, work: u64, links_to_write_to: usize) -> bool {
        let done = work - self.begun;
        done > self.work && done > self.per_write * links_to_write_to as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_ends_when_it_is_long_and_each_link_gets_a_few_messages_at_once() {
        let turn = Allowance::of_turn(7);
        assert!(!turn.is_spent(7 + limits::WORK_PER_TURN, 1));
        assert!(turn.is_spent(7 + limits::WORK_PER_TURN + 1, 500));
        // Eight messages for five thousand are as many effects.
        assert!(!turn.is_spent(7 + limits::WORK_PER_TURN + 1, 5_000));
        assert!(turn.is_spent(7 + limits::WORK_PER_WRITE * 5_000 + 1, 5_000));
    }
}
