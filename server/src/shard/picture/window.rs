//! A tenth of a second of the picture: how much of it was shown, and what was not.

use super::feed::Missed;
use crate::limits;
use luxwire_broker::LinkId;
use luxwire_shared::time::Instant;
use std::collections::BTreeSet;

#[derive(Debug, Default)]
pub(super) struct Window {
    ends: Instant,
    /// Messages that were shown, ...
    shown: usize,
    /// ... and on whose account.
    shown_for: Vec<(LinkId, usize)>,
    /// Messages that were not.
    pub(super) missed: Missed,
    /// How often something was said about a client.
    told: usize,
    /// Clients of whose change was told, ...
    changed: BTreeSet<LinkId>,
    /// ... and those among them that changed again.
    pub(super) changed_again: BTreeSet<LinkId>,
}

impl Window {
    /// The window that begins at this moment.
    pub(super) fn from(now: Instant) -> Self {
        Self { ends: now + limits::PICTURE_WINDOW, ..Self::default() }
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.ends <= now
    }

    /// When there is something to be said at its end: that.
    pub(super) fn due(&self) -> Option<Instant> {
        (!self.missed.is_nothing() || !self.changed_again.is_empty()).then_some(self.ends)
    }

    /// Whether one more message may be shown, on account of this client.
    pub(super) fn show(&mut self, link: LinkId) -> bool {
        if self.shown == limits::MESSAGES_SHOWN {
            return false;
        }
        match self.shown_for.iter_mut().find(|(other, _)| *other == link) {
            Some((_, shown)) if *shown == limits::MESSAGES_SHOWN_OF_ONE => return false,
            Some((_, shown)) => *shown += 1,
            None => self.shown_for.push((link, 1)),
        }
        self.shown += 1;
        true
    }

    /// Whether one more thing may be said about a client.
    pub(super) fn tell(&mut self) -> bool {
        let may = self.told < limits::NEWS_OF_CLIENTS;
        self.told += usize::from(may);
        may
    }

    /// Whether this client's change may be told at once; otherwise it is remembered.
    pub(super) fn may_tell_change(&mut self, link: LinkId) -> bool {
        // Where nothing more can be told, everybody gets the whole, and this need not grow.
        let first = self.told == limits::NEWS_OF_CLIENTS || self.changed.insert(link);
        if !first {
            self.changed_again.insert(link);
        }
        first
    }
}
