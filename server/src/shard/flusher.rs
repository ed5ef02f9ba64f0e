//! The task that writes: once per turn to each link that got something.

use super::Shard;
use std::{future::poll_fn, task::Poll};

/// Woken by the first link that becomes dirty, it runs behind the links' tasks that are ready already.
pub(super) async fn run(shard: Shard) {
    poll_fn(|cx| {
        let mut state = shard.0.borrow_mut();
        state.edge.flusher = Some(cx.waker().clone());
        // A link that drains may get more, and is dirty again: the next turn, when everybody else had one.
        state.flush();
        Poll::<()>::Pending
    })
    .await
}
