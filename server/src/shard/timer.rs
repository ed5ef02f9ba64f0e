//! The one timer of a shard: it sleeps until the broker or a blocked link has something due.

use super::Shard;
use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    task::Poll,
};
use tokio::time::{Sleep, sleep};

pub(super) async fn run(shard: Shard) {
    let mut sleeping = pin!(None::<Sleep>);
    poll_fn(|cx| {
        let mut state = shard.0.borrow_mut();
        state.timer = Some(cx.waker().clone());
        let now = state.edge.clock.now();
        state.timer_set = state.next_deadline();
        match state.timer_set {
            None => sleeping.set(None),
            Some(due) if due <= now.instant => {
                state.tick(now);
                // What is due next is looked at when everybody else had a turn.
                cx.waker().wake_by_ref();
            }
            Some(due) => {
                sleeping.set(Some(sleep(due.since(now.instant))));
                if sleeping.as_mut().as_pin_mut().is_some_and(|sleep| sleep.poll(cx).is_ready()) {
                    cx.waker().wake_by_ref();
                }
            }
        }
        Poll::<()>::Pending
    })
    .await
}
