//! Which of the links' sockets have something for us.
//!
//! The links' sockets are asked here, all at once, and not by the runtime one by one: a task and the runtime's state for a
//! socket take 640 bytes in blocks that the allocator surrounds with gaps, where a link that waits has a number in a
//! table ([decision 15](../../../docs/decisions/0015-links-without-tasks.md)). The runtime watches over one descriptor instead,
//! that of the queue in which the system puts the sockets that changed.
//!
//! A change is told once (edge-triggered): it is noted in the link, which is then ready for its turn.

use super::edge::Edge;
use crate::descriptors;
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use std::{
    io,
    task::{Context, Poll as TaskPoll},
    time::Duration,
};
use tokio::io::unix::AsyncFd;
use tracing::error;

/// See the module.
pub(super) struct Sockets {
    queue: AsyncFd<Poll>,
    events: Events,
}

impl Sockets {
    /// For the runtime that it is called in.
    pub(super) fn new() -> io::Result<Self> {
        let queue = descriptors::watch_over(Poll::new()?)?;
        Ok(Self { queue, events: Events::with_capacity(EVENTS) })
    }

    /// From here on the link at this place is told of its socket. It ends when the socket is closed.
    pub(super) fn watch(&self, socket: &mut TcpStream, place: usize) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        self.queue.get_ref().registry().register(socket, Token(place), both)
    }

    /// Notes in the links what became of their sockets by now.
    pub(super) fn look(&mut self, edge: &mut Edge) {
        // What the system does not say now it says at the end of the turn, or why.
        if self.queue.get_mut().poll(&mut self.events, Some(Duration::ZERO)).is_ok() {
            note(&self.events, edge);
        }
    }

    /// Notes in the links what became of their sockets. When there is no more, the task will be woken.
    pub(super) fn note_changes(&mut self, cx: &mut Context<'_>, edge: &mut Edge) {
        while let TaskPoll::Ready(ready) = self.queue.poll_read_ready_mut(cx) {
            let mut ready = match ready {
                Ok(ready) => ready,
                // The runtime ends, and everything with it.
                Err(error) => return error!(%error, "the runtime does not watch over sockets any more"),
            };
            let events = &mut self.events;
            match ready.get_inner_mut().poll(events, Some(Duration::ZERO)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return error!(%error, "the system does not say which sockets changed"),
            }
            let len = note(events, edge);
            if len == EVENTS {
                // There may be more; those that are known have their turn first.
                return;
            }
            ready.clear_ready();
        }
    }
}

/// Notes what the system said; how much that is.
fn note(events: &Events, edge: &mut Edge) -> usize {
    let mut len = 0;
    for event in events {
        len += 1;
        edge.socket_changed(
            event.token().0,
            &Change {
                is_readable: event.is_readable() || event.is_error(),
                is_ended_by_peer: event.is_read_closed() || event.is_error(),
                is_writable: event.is_writable() || event.is_write_closed() || event.is_error(),
            },
        );
    }
    len
}

/// What became of a socket.
pub(super) struct Change {
    pub(super) is_readable: bool,
    pub(super) is_ended_by_peer: bool,
    pub(super) is_writable: bool,
}

/// So many sockets are asked about at once.
const EVENTS: usize = 1_024;
