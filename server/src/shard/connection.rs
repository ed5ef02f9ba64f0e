//! The task of a link: it waits for the socket, and sees the link to its end.

use super::{Shard, State, edge::Edge, link::Over};
use crate::limits;
use luxwire_broker::{Input, LinkId};
use socket2::SockRef;
use std::{
    future::{Future, poll_fn},
    net::Shutdown,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::{Context, Poll},
};
use tokio::{sync::OwnedSemaphorePermit, task::yield_now, time::timeout};
use tokio_util::io::poll_read_buf;

/// What the task was woken for.
enum Event {
    /// Bytes came, or bytes that came before may be handled now.
    Received { more_may_wait: bool },
    /// The socket takes bytes again.
    Writable,
    /// See the link's `over`.
    Over,
}

/// Serves the link until it is over, closes it in order, and forgets it, and its socket with it. The permit is the link's place
/// among the connections, free again after that. Whatever else a link needs is in the table of links: there are thousands
/// of these tasks, and most of them wait.
pub(super) async fn run(shard: Shard, id: LinkId, permit: OwnedSemaphorePermit) {
    if contain_panic(pin!(serve(&shard, id))).await.is_err() {
        shard.0.borrow_mut().edge.end(id, Over::Panicked);
    }
    // Boxed, so that a link does not hold the room for its end all its life.
    Box::pin(close(&shard, id)).await;
    drop(permit);
}

async fn serve(shard: &Shard, id: LinkId) {
    // WebSocket: bytes may have come behind the handshake.
    shard.0.borrow_mut().receive(id);
    loop {
        let event = poll_fn(|cx| poll_event(&mut shard.0.borrow_mut(), id, cx)).await;
        match event {
            Event::Received { more_may_wait } => {
                shard.0.borrow_mut().receive(id);
                if more_may_wait {
                    // Whoever sends without end does not keep the others waiting.
                    yield_now().await;
                }
            }
            Event::Writable => {
                let mut state = shard.0.borrow_mut();
                state.edge.write(id);
                state.set_timer();
            }
            Event::Over => return,
        }
    }
}

fn poll_event(state: &mut State, id: LinkId, cx: &mut Context<'_>) -> Poll<Event> {
    let State { edge: Edge { links, traffic, .. }, read_buffer: buffer, .. } = state;
    let Some(link) = links.get_mut(id) else { return Poll::Ready(Event::Over) };
    if link.over.is_some() {
        return Poll::Ready(Event::Over);
    }
    if !link.task.as_ref().is_some_and(|task| task.will_wake(cx.waker())) {
        link.task = Some(cx.waker().clone());
    }
    if link.blocked_since.is_some() && link.socket.poll_write_ready(cx).is_ready() {
        return Poll::Ready(Event::Writable);
    }
    if link.lost_rhythm || link.awaits_verdict || link.must_wait() {
        return Poll::Pending;
    }
    if std::mem::take(&mut link.left_off) {
        return Poll::Ready(Event::Received { more_may_wait: true });
    }
    if buffer.capacity() < limits::READ_AT_LEAST {
        buffer.reserve(limits::READ_BUFFER);
    }
    let room = buffer.capacity();
    let read = std::task::ready!(poll_read_buf(Pin::new(&mut link.socket), cx, buffer));
    match read {
        Ok(0) => link.over = Some(Box::new(Over::ByPeer)),
        Ok(len) => {
            traffic.bytes_received += len as u64;
            link.push(buffer.split());
            return Poll::Ready(Event::Received { more_may_wait: len == room });
        }
        Err(error) => link.over = Some(Box::new(Over::Failed(error.to_string()))),
    }
    Poll::Ready(Event::Over)
}

/// Tells the broker, sends what is left, says goodbye, and lets the client close first if it does so soon: closing a
/// socket with unread bytes would destroy what is on its way to the client.
async fn close(shard: &Shard, id: LinkId) {
    let can_say_goodbye = {
        let mut state = shard.0.borrow_mut();
        let Some(link) = state.edge.links.get_mut(id) else { return };
        let over = link.over.as_deref().cloned().unwrap_or(Over::ByPeer);
        if over.can_say_goodbye() {
            link.say_goodbye();
        }
        let now = state.edge.clock.now();
        state.tell(now, Input::Closed { link: id, cause: over.cause() });
        state.set_timer();
        over.can_say_goodbye()
    };
    if can_say_goodbye {
        // Past these times nobody listens, which is no reason to keep the socket.
        let _ = timeout(limits::LAST_WORDS_WITHIN, write_all(shard, id)).await;
        let _ = timeout(limits::LINGER, discard(shard, id)).await;
    }
    shard.0.borrow_mut().forget(id);
}

async fn write_all(shard: &Shard, id: LinkId) {
    poll_fn(|cx| {
        let mut state = shard.0.borrow_mut();
        while state.edge.write(id)
            && let Some(link) = state.edge.links.get(id)
        {
            // If the socket failed, the next write says so.
            let _ = std::task::ready!(link.socket.poll_write_ready(cx));
        }
        Poll::Ready(())
    })
    .await;
}

/// Ends our direction and reads, for nothing, until the client ends its own.
async fn discard(shard: &Shard, id: LinkId) {
    if let Some(link) = shard.0.borrow().edge.links.get(id) {
        // If the client has gone, reading says so at once.
        let _ = SockRef::from(&link.socket).shutdown(Shutdown::Write);
    }
    poll_fn(|cx| {
        let State { edge: Edge { links, .. }, read_buffer: buffer, .. } = &mut *shard.0.borrow_mut();
        while let Some(link) = links.get_mut(id) {
            buffer.reserve(limits::READ_AT_LEAST);
            let read = std::task::ready!(poll_read_buf(Pin::new(&mut link.socket), cx, buffer));
            buffer.clear();
            if !matches!(read, Ok(1..)) {
                break;
            }
        }
        Poll::Ready(())
    })
    .await;
}

/// A mistake of ours that one client's bytes bring to light ends that client's link and nobody else's: the rest of the
/// house keeps its lights. The panic itself is logged by the hook that [`crate::log`] sets.
pub(super) fn contain_panic(
    mut future: impl Future<Output = ()> + Unpin,
) -> impl Future<Output = Result<(), ()>> {
    poll_fn(move |cx| {
        catch_unwind(AssertUnwindSafe(|| Pin::new(&mut future).poll(cx)))
            .map_or(Poll::Ready(Err(())), |poll| poll.map(Ok))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_its_future_and_nothing_else() {
        assert_eq!(contain_panic(pin!(yield_now())).await, Ok(()));
        let panics = pin!(async {
            yield_now().await;
            panic!("on purpose");
        });
        assert_eq!(contain_panic(panics).await, Err(()));
    }
}
