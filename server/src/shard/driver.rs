//! The task that drives the links: it waits for their sockets, gives each that is ready its turn, and then writes to all
//! that got something.

use super::{Shard, State, link::Over};
use crate::limits;
use luxwire_broker::LinkId;
use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll},
};
use tokio::task::yield_now;

/// Never ends.
pub(super) async fn run(shard: Shard) {
    // All links are read into it, one after the other: what a packet needs beyond its turn is copied.
    let mut buffer = vec![0; limits::READ_BUFFER];
    loop {
        poll_fn(|cx| shard.0.borrow_mut().poll_turn(cx)).await;
        let has_more = {
            let mut state = shard.0.borrow_mut();
            state.turn(&mut buffer);
            state.edge.has_work()
        };
        if has_more {
            // Whoever sends without end keeps neither HTTP nor the timers waiting.
            yield_now().await;
        }
    }
}

impl State {
    /// Waits until a link is ready or something is to be written.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { edge, sockets, .. } = self;
        sockets.note_changes(cx, edge);
        let has_work = edge.has_work();
        // What becomes ready in a turn need not wake it.
        edge.driver = (!has_work).then(|| cx.waker().clone());
        if has_work { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Each link that is ready has its turn, unless the ones before set so much in motion that it is time to write first.
    fn turn(&mut self, buffer: &mut [u8]) {
        let begun = self.edge.work;
        // Who becomes ready now is served in the next turn.
        for _ in 0..self.edge.ready.len() {
            if self.edge.is_enough(begun) {
                break;
            }
            let Some(id) = self.edge.ready.pop_front() else { break };
            self.serve_contained(id, begun, buffer);
        }
        if self.tidy.is_worth_it(self.edge.bytes()) {
            self.tidy.note(self.edge.clock.instant(), self.edge.bytes());
        }
        self.flush();
    }

    /// A mistake of ours that one client's bytes bring to light ends that client's link and nobody else's: the rest of the
    /// house keeps its lights. The panic itself is logged by the hook that [`crate::log`] sets.
    fn serve_contained(&mut self, id: LinkId, begun: u64, buffer: &mut [u8]) {
        if catch_unwind(AssertUnwindSafe(|| self.serve(id, begun, buffer))).is_ok() {
            return;
        }
        if self.edge.links.get(id).is_some_and(|link| link.over.is_none()) {
            self.edge.end(id, Over::Panicked);
        } else {
            // While it was ended.
            self.forget(id);
        }
    }
}
