//! What waits for the reader of a local link, bounded like what waits for a socket.
//!
//! Shard and reader may be on different threads; the lock is held for a moment and never across an await.

use super::FromBroker;
use crate::limits;
use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

#[derive(Debug, Default)]
pub(in crate::shard) struct Mailbox(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<(FromBroker, usize)>,
    bytes: usize,
    /// Messages that found no room since the reader was told of the last.
    missed: u64,
    /// The broker wants to know when everything is taken.
    drain_awaited: bool,
    /// Something was taken since the shard last looked.
    taken: bool,
    over: bool,
    reader: Option<Waker>,
}

/// What the reader finds.
#[derive(Debug)]
pub(super) enum Taken {
    One(FromBroker),
    /// Nothing more, which the broker wants to know.
    Drained,
    Over,
}

/// Whether the reader is getting on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    HasEverything,
    Reads,
    Rests,
}

impl Mailbox {
    /// Adds what must not be lost: answers, of which there are no more than the reader asked for.
    pub(super) fn push(&self, one: FromBroker) {
        self.lock().push(one, 0);
    }

    /// Adds a message of this size if there is room; otherwise it is counted, and `false` comes back.
    pub(super) fn push_message(&self, size: usize, message: impl FnOnce() -> FromBroker) -> bool {
        let mut inner = self.lock();
        if inner.bytes >= limits::OUTPUT {
            inner.missed += 1;
            return false;
        }
        if let missed @ 1.. = mem::take(&mut inner.missed) {
            inner.push(FromBroker::Missed(missed), 0);
        }
        inner.push(message(), size + BESIDES_TEXT);
        true
    }

    pub(super) fn await_drain(&self) {
        let mut inner = self.lock();
        inner.drain_awaited = true;
        inner.wake();
    }

    /// Nothing follows what waits.
    pub(super) fn end(&self) {
        let mut inner = self.lock();
        inner.over = true;
        inner.wake();
    }

    /// What the reader did since this was last asked.
    pub(super) fn reader(&self) -> Reader {
        let mut inner = self.lock();
        let taken = mem::take(&mut inner.taken);
        match inner.waiting.is_empty() {
            true => Reader::HasEverything,
            false if taken => Reader::Reads,
            false => Reader::Rests,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        let inner = self.lock();
        inner.waiting.is_empty() && inner.missed == 0
    }

    pub(super) fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Taken> {
        let mut inner = self.lock();
        if let Some((one, size)) = inner.waiting.pop_front() {
            inner.bytes -= size;
            inner.taken = true;
            return Poll::Ready(Taken::One(one));
        }
        // A burst is over and leaves no large buffer behind.
        inner.waiting = VecDeque::new();
        if let missed @ 1.. = mem::take(&mut inner.missed) {
            return Poll::Ready(Taken::One(FromBroker::Missed(missed)));
        }
        if inner.over {
            return Poll::Ready(Taken::Over);
        }
        if mem::take(&mut inner.drain_awaited) {
            return Poll::Ready(Taken::Drained);
        }
        inner.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Nothing panics while the lock is held; and if something did, what waits is whole.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn push(&mut self, one: FromBroker, size: usize) {
        self.waiting.push_back((one, size));
        self.bytes += size;
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// What a message takes besides its topic, payload and content type.
const BESIDES_TEXT: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use luxwire_shared::mqtt::{Packet, ReasonCode};
    use std::task::Waker;

    fn message() -> FromBroker {
        // Any kind will do.
        FromBroker::Refused(ReasonCode::Success)
    }

    fn take(mailbox: &Mailbox) -> Option<Taken> {
        match mailbox.poll_take(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(taken) => Some(taken),
            Poll::Pending => None,
        }
    }

    #[test]
    fn what_finds_no_room_is_counted_and_told_in_its_place() {
        let mailbox = Mailbox::default();
        assert!(mailbox.push_message(limits::OUTPUT, message));
        assert!(!mailbox.push_message(1, message) && !mailbox.push_message(1, message));
        // Answers come through all the same.
        mailbox.push(FromBroker::Packet(Packet::Pingresp));
        assert!(matches!(take(&mailbox), Some(Taken::One(FromBroker::Refused(_)))));
        assert!(mailbox.push_message(1, message));
        assert!(matches!(take(&mailbox), Some(Taken::One(FromBroker::Packet(Packet::Pingresp)))));
        assert!(matches!(take(&mailbox), Some(Taken::One(FromBroker::Missed(2)))));
        assert!(matches!(take(&mailbox), Some(Taken::One(FromBroker::Refused(_)))));
        assert!(take(&mailbox).is_none() && mailbox.is_empty());
    }

    #[test]
    fn what_was_missed_at_the_end_is_told_when_everything_else_is_taken() {
        let mailbox = Mailbox::default();
        assert!(mailbox.push_message(limits::OUTPUT, message) && !mailbox.push_message(1, message));
        mailbox.end();
        assert!(matches!(take(&mailbox), Some(Taken::One(FromBroker::Refused(_)))));
        assert!(!mailbox.is_empty());
        assert!(matches!(take(&mailbox), Some(Taken::One(FromBroker::Missed(1)))));
        assert!(matches!(take(&mailbox), Some(Taken::Over)));
    }

    #[test]
    fn the_broker_hears_of_a_drain_once_when_nothing_waits() {
        let mailbox = Mailbox::default();
        assert!(mailbox.push_message(1, message));
        mailbox.await_drain();
        assert!(matches!(take(&mailbox), Some(Taken::One(_))));
        assert!(matches!(take(&mailbox), Some(Taken::Drained)));
        assert!(take(&mailbox).is_none());
    }

    #[test]
    fn a_reader_that_rests_is_told_from_one_that_is_slow() {
        let mailbox = Mailbox::default();
        assert_eq!(mailbox.reader(), Reader::HasEverything);
        assert!(mailbox.push_message(1, message) && mailbox.push_message(1, message));
        assert_eq!(mailbox.reader(), Reader::Rests);
        take(&mailbox);
        assert_eq!(mailbox.reader(), Reader::Reads);
        assert_eq!(mailbox.reader(), Reader::Rests);
        take(&mailbox);
        assert_eq!(mailbox.reader(), Reader::HasEverything);
    }
}
