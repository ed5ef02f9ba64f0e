//! Waiting for many sockets at once. Level-triggered: who leaves something unread is called again, and nobody has to ask
//! a socket twice.

use anyhow::{Context as _, Result};
use rustix::{
    buffer::spare_capacity,
    event::{
        Timespec,
        epoll::{self, CreateFlags, Event, EventData, EventFlags},
    },
    io::Errno,
};
use std::{
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

/// The kernel's list of sockets that are waited for.
pub(crate) struct Poller {
    epoll: OwnedFd,
    events: Vec<Event>,
}

/// Something that can be done with a socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) token: usize,
    /// There is something to read, if only that the connection has ended.
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

impl Poller {
    pub(crate) fn new() -> Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC).context("the kernel has no epoll")?;
        Ok(Self { epoll, events: Vec::with_capacity(EVENTS_AT_ONCE) })
    }

    /// Waits for something to read from this socket.
    pub(crate) fn add(&self, socket: impl AsFd, token: usize) -> Result<()> {
        let data = EventData::new_u64(token as u64);
        epoll::add(&self.epoll, socket, data, EventFlags::IN).context("cannot wait for a socket")
    }

    /// From now on waits for these two.
    pub(crate) fn change(
        &self,
        socket: impl AsFd,
        token: usize,
        readable: bool,
        writable: bool,
    ) -> Result<()> {
        let mut wanted = EventFlags::empty();
        wanted.set(EventFlags::IN, readable);
        wanted.set(EventFlags::OUT, writable);
        let data = EventData::new_u64(token as u64);
        epoll::modify(&self.epoll, socket, data, wanted).context("cannot wait for a socket")
    }

    /// Forgets a socket that stays open.
    pub(crate) fn remove(&self, socket: impl AsFd) -> Result<()> {
        epoll::delete(&self.epoll, socket).context("cannot stop waiting for a socket")
    }

    /// Replaces what is in `ready`, which stays empty if nothing happens in time.
    pub(crate) fn wait(&mut self, timeout: Duration, ready: &mut Vec<Ready>) -> Result<()> {
        ready.clear();
        self.events.clear();
        let timeout = Timespec::try_from(timeout).context("an odd time to wait")?;
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error).context("cannot wait for sockets"),
        }
        ready.extend(self.events.iter().map(|event| {
            // A copy, since the field of a packed structure cannot be borrowed.
            let flags = event.flags;
            Ready {
                token: event.data.u64() as usize,
                readable: flags.intersects(EventFlags::IN | EventFlags::ERR | EventFlags::HUP),
                writable: flags.contains(EventFlags::OUT),
            }
        }));
        Ok(())
    }
}

const EVENTS_AT_ONCE: usize = 1024;
