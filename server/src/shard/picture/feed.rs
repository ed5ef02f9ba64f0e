//! One watcher: what it is shown, through a buffer with a bound.
//!
//! A watcher that does not read loses messages, which are counted. It never loses news of a client: instead of those it
//! is given the whole anew, once it has read what it has.

use super::drawing::{self, Client, Whole};
use crate::limits;
use luxwire_broker::LinkId;
use luxwire_shared::time::Instant;
use serde::Serialize;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;

/// Something to be shown: what, and the details in JSON. Cloning shares them.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) name: &'static str,
    pub(crate) json: Arc<str>,
}

/// The watcher's end.
#[derive(Debug)]
pub(crate) struct Watching {
    events: mpsc::Receiver<Event>,
    level: Arc<Level>,
    alarm: Arc<Notify>,
    /// Its place among the watchers.
    permit: Option<OwnedSemaphorePermit>,
}

/// The picture's end.
#[derive(Debug)]
pub(super) struct Feed {
    events: mpsc::Sender<Event>,
    level: Arc<Level>,
    /// What the watcher has not been told of.
    pub(super) missed: Missed,
    /// What it knows of clients is no longer true.
    needs_whole: bool,
    /// When it may be given the whole again.
    whole_again_at: Instant,
    /// Something found no room: by then it must have read what waits.
    stalls_at: Option<Instant>,
    /// Cuts its connection.
    cut: CancellationToken,
}

/// How many messages, and copies of them, somebody was not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Missed {
    pub(super) messages: usize,
    pub(super) deliveries: usize,
}

/// What both ends of a feed know.
#[derive(Debug, Default)]
struct Level {
    /// In the buffer.
    bytes: AtomicUsize,
    /// Something else is to come when the buffer is empty.
    is_behind: AtomicBool,
}

/// A feed and its watcher's end.
pub(super) fn new(
    permit: OwnedSemaphorePermit,
    alarm: Arc<Notify>,
    cut: CancellationToken,
) -> (Feed, Watching) {
    let (sender, receiver) = mpsc::channel(limits::FEED_EVENTS);
    let level = Arc::<Level>::default();
    let feed = Feed {
        events: sender,
        level: Arc::clone(&level),
        missed: Missed::default(),
        needs_whole: true,
        whole_again_at: Instant::START,
        stalls_at: None,
        cut,
    };
    (feed, Watching { events: receiver, level, alarm, permit: Some(permit) })
}

impl Feed {
    /// Shows a message or counts it.
    pub(super) fn message(&mut self, event: &Event, deliveries: usize) {
        if self.needs_whole || !self.push(event) {
            self.missed.add(1, deliveries);
            self.set_behind();
        }
    }

    /// Tells something about a client.
    pub(super) fn news(&mut self, event: &Event) {
        if !self.needs_whole && !self.push(event) {
            self.needs_whole();
        }
    }

    /// News were left out.
    pub(super) fn needs_whole(&mut self) {
        self.needs_whole = true;
        self.set_behind();
    }

    /// Whether it takes news.
    pub(super) fn is_up_to_date(&self) -> bool {
        !self.needs_whole
    }

    /// When the whole is to be shown, if it is and there is room for it.
    pub(super) fn whole_due(&self) -> Option<Instant> {
        (self.needs_whole && self.is_empty()).then_some(self.whole_again_at)
    }

    /// Shows the whole, which always has room in an empty buffer.
    pub(super) fn show_whole(&mut self, event: &Event, now: Instant) {
        self.needs_whole = !self.push(event);
        self.whole_again_at = now + limits::WHOLE_AGAIN_AFTER;
        self.set_behind();
    }

    /// Says how much was missed, as soon as there is room.
    pub(super) fn tell_missed(&mut self) {
        if !self.missed.is_nothing() && !self.needs_whole && self.push(&Event::busy(self.missed)) {
            self.missed = Missed::default();
        }
        self.set_behind();
    }

    /// Cuts the watcher off if what waits for it has waited too long; says whether it did.
    pub(super) fn cut_if_stalled(&mut self, now: Instant, stall_timeout: Duration) -> bool {
        if self.is_empty() || !self.is_behind() {
            self.stalls_at = None;
            return false;
        }
        let stalls = *self.stalls_at.get_or_insert(now + stall_timeout) <= now;
        if stalls {
            self.cut.cancel();
        }
        stalls
    }

    /// When something is to be done if nothing else happens.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.whole_due().or(self.stalls_at)
    }

    /// Whether the watcher is gone.
    pub(super) fn is_left(&self) -> bool {
        self.events.is_closed()
    }

    fn push(&mut self, event: &Event) -> bool {
        let room = self.level.bytes.load(Ordering::Relaxed) + event.size() <= limits::FEED_BYTES;
        if !room && !self.is_empty() {
            return false;
        }
        self.level.bytes.fetch_add(event.size(), Ordering::Relaxed);
        let pushed = self.events.try_send(event.clone()).is_ok();
        if !pushed {
            self.level.bytes.fetch_sub(event.size(), Ordering::Relaxed);
        }
        pushed
    }

    fn is_empty(&self) -> bool {
        self.level.bytes.load(Ordering::Relaxed) == 0
    }

    fn is_behind(&self) -> bool {
        self.needs_whole || !self.missed.is_nothing()
    }

    fn set_behind(&self) {
        self.level.is_behind.store(self.is_behind(), Ordering::Relaxed);
    }
}

impl Watching {
    /// The next event; `None` when the program stops.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let event = ready!(self.events.poll_recv(cx));
        if let Some(event) = &event {
            let before = self.level.bytes.fetch_sub(event.size(), Ordering::Relaxed);
            if before == event.size() && self.level.is_behind.load(Ordering::Relaxed) {
                self.alarm.notify_one();
            }
        }
        Poll::Ready(event)
    }
}

impl Drop for Watching {
    /// The picture need not be kept for this one, and whoever waits for its end need not wait longer.
    fn drop(&mut self) {
        self.events.close();
        drop(self.permit.take());
        self.alarm.notify_one();
    }
}

impl Missed {
    pub(super) fn add(&mut self, messages: usize, deliveries: usize) {
        self.messages = self.messages.saturating_add(messages);
        self.deliveries = self.deliveries.saturating_add(deliveries);
    }

    pub(super) fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

impl Event {
    pub(super) fn whole(whole: &Whole) -> Self {
        Self::new("picture", whole)
    }

    pub(super) fn joined(client: &Client) -> Self {
        Self::new("joined", client)
    }

    pub(super) fn changed(client: &Client) -> Self {
        Self::new("changed", client)
    }

    pub(super) fn left(link: LinkId) -> Self {
        Self::new("left", &drawing::Left::of(link))
    }

    pub(super) fn new(name: &'static str, details: &impl Serialize) -> Self {
        let json = serde_json::to_string(details).expect("structures with text keys are always JSON");
        Self { name, json: json.into() }
    }

    fn busy(missed: Missed) -> Self {
        Self::new("busy", &missed)
    }

    /// What it takes in a buffer; never nothing.
    fn size(&self) -> usize {
        self.name.len() + self.json.len()
    }
}
