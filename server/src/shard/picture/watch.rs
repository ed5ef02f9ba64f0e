//! Those who watch come in here, and what is due without anything happening is done here.

use super::{Picture, Scene, Watching};
use crate::shard::{Shard, State, Stopped};
use luxwire_shared::time::Instant;
use std::sync::Arc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

impl Shard {
    /// One more watches; `None` if too many do. It is cut off if it does not read.
    pub(in crate::shard) fn watch(&self, cut: CancellationToken) -> Result<Option<Watching>, Stopped> {
        let mut state = self.0.borrow_mut();
        if state.stopping.is_some() {
            return Err(Stopped);
        }
        Ok(state.in_the_picture(|picture, scene| picture.watch(scene, cut)))
    }
}

/// Looks at the picture when something is due, when a watcher has read all it had, and when one is gone.
pub(in crate::shard) async fn run(shard: Shard) {
    let alarm = Arc::clone(&shard.0.borrow().picture.alarm);
    loop {
        let due_after = {
            let mut state = shard.0.borrow_mut();
            let due = state.in_the_picture(Picture::tick);
            state.wake_if_stopped();
            let now = state.edge.clock.instant();
            due.map(|due: Instant| due.since(now))
        };
        match due_after {
            // Either way something is to be looked at.
            Some(due_after) => drop(timeout(due_after, alarm.notified()).await),
            None => alarm.notified().await,
        }
    }
}

impl State {
    fn in_the_picture<T>(&mut self, act: impl FnOnce(&mut Picture, &Scene<'_>) -> T) -> T {
        let scene = Scene {
            broker: &self.broker,
            links: &self.edge.links,
            locals: &self.edge.locals,
            now: self.edge.clock.now(),
        };
        act(&mut self.picture, &scene)
    }
}
