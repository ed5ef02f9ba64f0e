//! The one hub that all connections share, and how they learn what happened to it.
//!
//! Nobody holds the lock across an `await`.

use super::{
    faults::Streams,
    hub::Hub,
    keep::{Keep, Kept},
    limits,
};
use luxwire_shared::time::Instant;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    select,
    sync::{Notify, Semaphore, broadcast, watch},
    time,
};
use tracing::warn;

pub(crate) struct Shared {
    hub: Mutex<Hub>,
    started: time::Instant,
    /// Deadlines may have changed.
    changed: Notify,
    /// Containers of events for v2's listeners.
    pub(crate) containers: broadcast::Sender<Arc<str>>,
    /// Counts up when the streams of events are cut.
    pub(crate) cuts: watch::Sender<u64>,
    /// Until when nobody listens.
    pub(crate) refuse_until: watch::Sender<Option<Instant>>,
    /// Changes when a page would look different.
    pub(crate) picture: watch::Sender<u64>,
    pub(crate) connections: Arc<Semaphore>,
    pub(crate) listeners: Arc<Semaphore>,
    keep: Option<(Keep, Mutex<Kept>)>,
}

impl Shared {
    pub(crate) fn new(hub: Hub, keep: Option<(Keep, Kept)>) -> Arc<Self> {
        Arc::new(Self {
            hub: Mutex::new(hub),
            started: time::Instant::now(),
            changed: Notify::new(),
            containers: broadcast::Sender::new(limits::LISTENER_BACKLOG),
            cuts: watch::Sender::new(0),
            refuse_until: watch::Sender::new(None),
            picture: watch::Sender::new(0),
            connections: Arc::new(Semaphore::new(limits::CONNECTIONS)),
            listeners: Arc::new(Semaphore::new(limits::LISTENERS)),
            keep: keep.map(|(keep, kept)| (keep, Mutex::new(kept))),
        })
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::from_micros(u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// Does something with the hub, and tells everybody what came of it.
    pub(crate) fn with<T>(&self, deed: impl FnOnce(&mut Hub, Instant) -> T) -> T {
        let result = {
            let mut hub = self.lock();
            let result = deed(&mut hub, self.now());
            self.tell(&mut hub);
            result
        };
        self.changed.notify_one();
        result
    }

    /// Looks at the hub as it is at this moment.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Hub, Instant) -> T) -> T {
        let now = self.now();
        look(&self.lock(), now)
    }

    /// Lets time pass in the hub. Never ends.
    pub(crate) async fn drive(&self) {
        loop {
            let deadline = self.look(|hub, _| hub.next_deadline());
            let pause = deadline.map(|deadline| deadline.since(self.now()));
            select! {
                () = self.changed.notified() => {}
                () = time::sleep(pause.unwrap_or(Duration::from_secs(3600))) => {
                    let mut hub = self.lock();
                    let now = self.now();
                    hub.advance(now);
                    self.tell(&mut hub);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Hub> {
        // A panic is a mistake of ours; the other connections may as well go on.
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, hub: &mut Hub) {
        for container in hub.events.take() {
            if hub.faults.events != Streams::Silent {
                // An error says that nobody listens.
                let _ = self.containers.send(container.frame);
            }
        }
        set(&self.cuts, hub.cuts());
        set(&self.refuse_until, hub.refuse_until());
        set(&self.picture, hub.picture_version());
        self.save_keys(hub);
    }

    fn save_keys(&self, hub: &Hub) {
        let Some((keep, kept)) = &self.keep else { return };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.keys.len() != hub.keys.all().len() {
            kept.keys = hub.keys.all().to_vec();
            if let Err(error) = keep.save(&kept) {
                warn!("the new key will be forgotten at the end: {error:#}");
            }
        }
    }
}

fn set<T: PartialEq>(watched: &watch::Sender<T>, value: T) {
    watched.send_if_modified(|current| {
        let differs = *current != value;
        *current = value;
        differs
    });
}
