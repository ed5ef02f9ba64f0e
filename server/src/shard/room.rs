//! How many connections there may be, and what is said when there are too many.

use crate::{clock::Clock, limits};
use luxwire_shared::time::Instant;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};
use tracing::warn;

/// Places for connections of one kind.
#[derive(Debug)]
pub(crate) struct Room {
    kind: &'static str,
    size: usize,
    taken: AtomicUsize,
    clock: Clock,
    /// Since it was last said.
    refusals: AtomicU64,
    /// When it was last said, in microseconds; 0 for never.
    said: AtomicU64,
}

/// A place in a room, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Room>);

impl Room {
    /// `kind` is for the log.
    pub(crate) fn new(kind: &'static str, size: usize, clock: Clock) -> Self {
        let (refusals, said) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { kind, size, taken: AtomicUsize::new(0), clock, refusals, said }
    }

    /// A place, if there is one. Refusals are logged once in a while, not one by one.
    pub(crate) fn enter(self: &Arc<Self>, peer: SocketAddr) -> Option<Place> {
        let one_more = |taken| (taken < self.size).then_some(taken + 1);
        match self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => Some(Place(Arc::clone(self))),
            Err(_) => {
                self.refused(peer);
                None
            }
        }
    }

    fn refused(&self, peer: SocketAddr) {
        let refusals = self.refusals.fetch_add(1, Ordering::Relaxed) + 1;
        let now = self.clock.instant();
        let said = self.said.load(Ordering::Relaxed);
        if said != 0 && now < Instant::from_micros(said) + limits::REFUSALS_LOGGED_EVERY {
            return;
        }
        self.said.store(now.as_micros(), Ordering::Relaxed);
        self.refusals.fetch_sub(refusals, Ordering::Relaxed);
        warn!(latest = %peer, refusals, open = self.size, "{} connections are refused, there are too many", self.kind);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_dropped() {
        let room = Arc::new(Room::new("test", 2, Clock::start()));
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let first = room.enter(peer).expect("there are two places");
        let _second = room.enter(peer).expect("there are two places");
        assert!(room.enter(peer).is_none());
        assert!(room.enter(peer).is_none(), "who is refused has taken nothing");
        drop(first);
        let _third = room.enter(peer).expect("one has gone");
        assert!(room.enter(peer).is_none());
    }
}
