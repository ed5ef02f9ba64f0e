//! The shard's side of all local links: what the broker sends them, and how each stands.

use super::{FromBroker, NewLocalLink, mailbox::Mailbox, mailbox::Reader};
use crate::{
    clock::Clock,
    shard::{Value, link::Over},
};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use luxwire_broker::{ClientId, DeliveredRef, LinkId};
use luxwire_shared::{
    mqtt::{Packet, ReasonCode},
    time::Instant,
};
use std::{net::SocketAddr, sync::Arc, task::Waker, time::Duration};
use tokio_util::sync::CancellationToken;

/// By the numbers that they share with links over sockets.
#[derive(Debug, Default)]
pub(in crate::shard) struct Locals(HashMap<LinkId, Local, RandomState>);

/// One of them.
#[derive(Debug)]
pub(in crate::shard) struct Local {
    pub(super) mailbox: Arc<Mailbox>,
    /// It holds a place among the connections, and its coming and going is worth a line in the log.
    stays: bool,
    /// Retained messages are being handed over.
    pub(super) replaying: bool,
    pub(super) awaits_drain: bool,
    /// The longest silence that the broker puts up with, as CONNACK said.
    pub(super) keep_alive: Option<Duration>,
    /// PINGREQs that the link said on its own and that are not answered.
    pub(super) pings: usize,
    /// Since when the reader has taken nothing while something waits, as far as anybody looked.
    resting_since: Option<Instant>,
    stalled: CancellationToken,
    pub(super) over: Option<Over>,
    /// Wakes the link's task.
    pub(super) task: Option<Waker>,
    pub(in crate::shard) peer: SocketAddr,
    /// `None` until CONNECT is accepted.
    pub(in crate::shard) client: Option<ClientId>,
    dropped: u64,
}

impl Locals {
    pub(in crate::shard) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(in crate::shard) fn get(&self, id: LinkId) -> Option<&Local> {
        self.0.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: LinkId) -> Option<&mut Local> {
        self.0.get_mut(&id)
    }

    pub(super) fn insert(&mut self, id: LinkId, new: &NewLocalLink, mailbox: Arc<Mailbox>) {
        let local = Local {
            mailbox,
            stays: new.place.is_some(),
            replaying: false,
            awaits_drain: false,
            keep_alive: None,
            pings: 0,
            resting_since: None,
            stalled: new.stalled.clone(),
            over: None,
            task: None,
            peer: new.peer,
            client: None,
            dropped: 0,
        };
        self.0.insert(id, local);
    }

    pub(super) fn remove(&mut self, id: LinkId) -> Option<Local> {
        self.0.remove(&id)
    }

    pub(in crate::shard) fn send(&mut self, id: LinkId, packet: Packet) {
        let Some(local) = self.0.get_mut(&id) else { return };
        match &packet {
            Packet::Connack(connack) => {
                let keep_alive_s = connack.properties.server_keep_alive_s.filter(|seconds| *seconds > 0);
                local.keep_alive = keep_alive_s.map(|seconds| Duration::from_secs(seconds.into()));
            }
            Packet::Pingresp if local.pings > 0 => {
                local.pings -= 1;
                return;
            }
            _ => {}
        }
        local.mailbox.push(FromBroker::Packet(packet));
    }

    /// Hands a message over, or counts it. What is handed over stands in a buffer of its own: the message may lie in the one
    /// that all links read into.
    ///
    /// Says since when the reader has to take something.
    pub(in crate::shard) fn deliver(
        &mut self,
        delivered: &DeliveredRef<'_>,
        clock: Clock,
    ) -> Option<Instant> {
        let local = self.0.get_mut(&delivered.link)?;
        let message = delivered.message;
        let value = || FromBroker::Message { value: Value::of(message.keep()), kept: delivered.retain };
        if !local.mailbox.push_message(message.message().size(), value) {
            local.dropped += 1;
        }
        Some(*local.resting_since.get_or_insert_with(|| clock.instant()))
    }

    pub(in crate::shard) fn await_drain(&mut self, id: LinkId) {
        let Some(local) = self.0.get_mut(&id) else { return };
        local.awaits_drain = true;
        local.mailbox.await_drain();
    }

    pub(in crate::shard) fn refused(&self, id: LinkId, reason: ReasonCode) {
        if let Some(local) = self.0.get(&id) {
            local.mailbox.push(FromBroker::Refused(reason));
        }
    }

    pub(in crate::shard) fn connected(&mut self, id: LinkId, client: ClientId) {
        if let Some(local) = self.0.get_mut(&id) {
            local.client = Some(client);
        }
    }

    /// The first reason stays: what follows is its consequence.
    pub(in crate::shard) fn end(&mut self, id: LinkId, over: Over) {
        if let Some(local) = self.0.get_mut(&id) {
            local.end(over);
        }
    }

    /// Ends the links whose readers took nothing for this long; says when to look again.
    pub(in crate::shard) fn end_stalled(&mut self, now: Instant, timeout: Duration) -> Option<Instant> {
        let next = self.0.values_mut().filter_map(|local| {
            let since = local.resting_since?;
            match local.mailbox.reader() {
                Reader::HasEverything => local.resting_since = None,
                Reader::Reads => local.resting_since = Some(now),
                Reader::Rests if since + timeout <= now => {
                    local.resting_since = None;
                    local.stalled.cancel();
                    local.end(Over::Stalled);
                }
                Reader::Rests => {}
            }
            Some(local.resting_since? + timeout)
        });
        next.min()
    }
}

impl Local {
    fn end(&mut self, over: Over) {
        self.over.get_or_insert(over);
        if let Some(task) = &self.task {
            task.wake_by_ref();
        }
    }

    /// Whether it is more than one request's.
    pub(in crate::shard) fn stays(&self) -> bool {
        self.stays
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}
