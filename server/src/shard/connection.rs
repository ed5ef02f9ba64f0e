//! What a link does when it is its turn: it reads, or writes what the socket did not take, and is seen to its end.

use super::{
    State,
    edge::{Allowance, Edge, WORK_BYTES},
    link::{Ending, Link, Over},
    links::Links,
};
use crate::limits;
use luxwire_broker::{Input, LinkId, Traffic};
use luxwire_shared::time::Instant;
use std::{
    collections::VecDeque,
    io::{self, Read as _},
    mem,
    net::Shutdown,
};

/// What one read brought.
enum Read {
    /// So many bytes.
    Bytes(usize),
    /// None for now.
    Nothing,
    /// None any more.
    Over(Over),
}

impl State {
    /// Gives the link its turn.
    pub(super) fn serve(&mut self, id: LinkId, allowance: Allowance, buffer: &mut [u8]) {
        let Some(link) = self.edge.links.get_mut(id) else { return };
        link.is_ready = false;
        match link.ending {
            Ending::NotBegun => self.serve_open(id, allowance, buffer),
            Ending::LastWords => self.send_last_words(id),
            Ending::Lingering => self.discard(id, buffer),
        }
        if self.edge.links.get(id).is_some_and(|link| link.over.is_some() && link.ending == Ending::NotBegun)
        {
            self.close(id);
        }
        self.set_timer();
    }

    fn serve_open(&mut self, id: LinkId, allowance: Allowance, buffer: &mut [u8]) {
        let Edge { links, traffic, work: before, .. } = &mut self.edge;
        let (Some(link), before) = (links.get_mut(id), *before) else { return };
        if link.over.is_some() {
            return;
        }
        if mem::take(&mut link.is_writable) && link.blocked_since.is_some() {
            self.edge.write(id);
        } else if link.must_rest() {
            return;
        } else if mem::take(&mut link.left_off) {
            self.receive(id, allowance);
        } else if link.is_readable {
            match link.read(buffer, traffic) {
                Read::Bytes(len) => {
                    self.receive_read(id, allowance, &mut buffer[..len]);
                    self.edge.work += len as u64 / WORK_BYTES;
                }
                Read::Nothing => {}
                Read::Over(over) => link.over = Some(Box::new(over)),
            }
        }
        if let Some(link) = self.edge.links.get_mut(id) {
            link.sends_much = self.edge.work - before > limits::LITTLE_WORK;
        }
        // The WebSocket protocol may have answered something by itself.
        self.edge.becomes_dirty(id);
        // Whoever sends without end does not keep the others waiting.
        self.edge.becomes_ready(id);
    }

    /// Tells the broker, sends what is left, says goodbye, and lets the client close first if it does so soon: closing a
    /// socket with unread bytes would destroy what is on its way to the client.
    fn close(&mut self, id: LinkId) {
        let Some(link) = self.edge.links.get_mut(id) else { return };
        link.ending = Ending::LastWords;
        let Some(over) = link.over.as_deref() else { return };
        let (cause, can_say_goodbye) = (over.cause(), over.can_say_goodbye());
        if can_say_goodbye {
            link.say_goodbye();
        }
        let now = self.edge.clock.now();
        self.tell(now, Input::Closed { link: id, cause });
        if !can_say_goodbye {
            return self.forget(id);
        }
        if self.edge.write(id) {
            self.edge.endings.last_words.push(now.instant + limits::LAST_WORDS_WITHIN, id);
        } else {
            self.linger(id);
        }
    }

    fn send_last_words(&mut self, id: LinkId) {
        let Some(link) = self.edge.links.get_mut(id) else { return };
        if mem::take(&mut link.is_writable) && !self.edge.write(id) {
            self.linger(id);
        }
    }

    /// Ends our direction, and waits until the client ends its own.
    fn linger(&mut self, id: LinkId) {
        let now = self.edge.clock.now();
        let Some(link) = self.edge.links.get_mut(id) else { return };
        // If the client has gone, reading says so at once.
        let _ = link.socket.shutdown(Shutdown::Write);
        link.ending = Ending::Lingering;
        self.edge.endings.lingering.push(now.instant + limits::LINGER, id);
        self.edge.becomes_ready(id);
    }

    /// Reads for nothing, until the client ends its direction.
    fn discard(&mut self, id: LinkId, buffer: &mut [u8]) {
        let Edge { links, traffic, .. } = &mut self.edge;
        let Some(link) = links.get_mut(id).filter(|link| link.is_readable) else { return };
        match link.read(buffer, traffic) {
            Read::Bytes(_) | Read::Nothing => self.edge.becomes_ready(id),
            Read::Over(_) => self.forget(id),
        }
    }

    /// Past these times nobody listens, which is no reason to keep the socket.
    pub(super) fn end_late_goodbyes(&mut self, now: Instant) {
        while let Some(id) = self.edge.endings.last_words.pop_due(now) {
            if self.edge.links.get(id).is_some_and(|link| link.ending == Ending::LastWords) {
                self.linger(id);
            }
        }
        while let Some(id) = self.edge.endings.lingering.pop_due(now) {
            self.forget(id);
        }
    }

    /// What is due for links that have gone is not waited for.
    pub(super) fn forget_goodbyes(&mut self) {
        let Edge { endings, links, .. } = &mut self.edge;
        endings.last_words.let_go(links);
        endings.lingering.let_go(links);
    }
}

impl Link {
    fn read(&mut self, buffer: &mut [u8], traffic: &mut Traffic) -> Read {
        match self.socket.read(buffer) {
            Ok(0) => Read::Over(Over::ByPeer),
            Ok(len) => {
                traffic.bytes_received += len as u64;
                // Less than there is room for is all that there was.
                self.is_readable = len == buffer.len() || self.is_ended_by_peer;
                Read::Bytes(len)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Read::Nothing,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.is_readable = false;
                Read::Nothing
            }
            Err(error) => Read::Over(Over::Failed(error.to_string())),
        }
    }

    /// Whether there is something for it to do when it is its turn.
    pub(super) fn has_work(&self) -> bool {
        match self.ending {
            Ending::NotBegun if self.over.is_some() => true,
            Ending::NotBegun => {
                let can_write = self.is_writable && self.blocked_since.is_some();
                can_write || !self.must_rest() && (self.left_off || self.is_readable)
            }
            Ending::LastWords => self.is_writable,
            Ending::Lingering => self.is_readable,
        }
    }
}

/// When links that are being closed have had their time.
#[derive(Debug, Default)]
pub(super) struct Endings {
    last_words: Deadlines,
    lingering: Deadlines,
}

/// Deadlines of one kind, all as long after they are noted: the first is due first.
#[derive(Debug, Default)]
struct Deadlines(VecDeque<(Instant, LinkId)>);

impl Endings {
    pub(super) fn next(&self) -> Option<Instant> {
        [&self.last_words, &self.lingering].into_iter().filter_map(Deadlines::next).min()
    }
}

impl Deadlines {
    fn push(&mut self, due: Instant, id: LinkId) {
        self.0.push_back((due, id));
    }

    fn next(&self) -> Option<Instant> {
        self.0.front().map(|(due, _)| *due)
    }

    /// Of the first ones, those whose links have gone.
    fn let_go(&mut self, links: &Links) {
        while self.0.pop_front_if(|(_, id)| links.get(*id).is_none()).is_some() {}
    }

    fn pop_due(&mut self, now: Instant) -> Option<LinkId> {
        let (_, id) = self.0.pop_front_if(|(due, _)| *due <= now)?;
        if self.0.is_empty() {
            // Those of a storm do not stay.
            self.0 = VecDeque::new();
        }
        Some(id)
    }
}
