//! How many connections there may be, and what is said when there are too many.

use crate::{clock::Clock, limits};
use luxwire_shared::time::Instant;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::warn;

/// Places for connections of one kind.
#[derive(Debug)]
pub(crate) struct Room {
    kind: &'static str,
    places: Arc<Semaphore>,
    size: usize,
    clock: Clock,
    /// Since it was last said.
    refusals: AtomicU64,
    /// When it was last said, in microseconds; 0 for never.
    said: AtomicU64,
}

impl Room {
    /// `kind` is for the log.
    pub(crate) fn new(kind: &'static str, size: usize, clock: Clock) -> Self {
        let places = Arc::new(Semaphore::new(size));
        Self { kind, places, size, clock, refusals: AtomicU64::new(0), said: AtomicU64::new(0) }
    }

    /// A place, held as long as the permit exists. Refusals are logged once in a while, not one by one.
    pub(crate) fn enter(&self, peer: SocketAddr) -> Option<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok();
        if permit.is_none() {
            self.refused(peer);
        }
        permit
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
