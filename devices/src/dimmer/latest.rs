//! What must reach the broker and has not: one value, the newest.
//!
//! One value at a time is on its way; what comes meanwhile takes the place of what waits. So a slow or absent broker
//! never finds a queue of values that nobody wants any more. It sends nothing itself.

use luxwire_shared::{
    client::Token,
    model::{INTERVAL, Intensity},
    time::Instant,
};

/// The newest value that must arrive, and the one that is on its way.
#[derive(Debug, Default)]
pub(super) struct Latest {
    waiting: Option<Intensity>,
    on_its_way: Option<(Token, Intensity)>,
    sent_at: Option<Instant>,
}

impl Latest {
    /// This one must arrive.
    pub(super) fn want(&mut self, intensity: Intensity) {
        self.waiting = Some(intensity);
    }

    /// The value that may go out now, if there is one. It stays until [`Latest::sent`].
    pub(super) fn due(&self, now: Instant) -> Option<Intensity> {
        self.waiting.filter(|_| self.next_deadline().is_some_and(|at| at <= now))
    }

    /// When the waiting value may go out; `None` while none waits, or another is on its way.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let may_go = self.waiting.is_some() && self.on_its_way.is_none();
        may_go.then(|| self.sent_at.map_or(Instant::START, |at| at + INTERVAL))
    }

    /// The waiting value went out under this name.
    pub(super) fn sent(&mut self, token: Token, now: Instant) {
        self.on_its_way = self.waiting.take().map(|intensity| (token, intensity));
        self.sent_at = Some(now);
    }

    /// A newer value went out that need not arrive, since another follows: what waits is outdated.
    pub(super) fn passed(&mut self, now: Instant) {
        self.waiting = None;
        self.sent_at = Some(now);
    }

    /// The broker answered. Says whether this was the newest value: nothing else waits.
    pub(super) fn answered(&mut self, token: Token) -> bool {
        let is_it = self.on_its_way.is_some_and(|(on_its_way, _)| on_its_way == token);
        if is_it {
            self.on_its_way = None;
        }
        is_it && self.waiting.is_none()
    }

    /// Whether it arrived will never be known: it goes out again, unless a newer one waits.
    pub(super) fn undecided(&mut self, token: Token) {
        if let Some((_, intensity)) = self.on_its_way.take_if(|(on_its_way, _)| *on_its_way == token) {
            self.waiting.get_or_insert(intensity);
        }
    }

    /// The newest value that is not known to have arrived.
    pub(super) fn owed(&self) -> Option<Intensity> {
        self.waiting.or(self.on_its_way.map(|(_, intensity)| intensity))
    }
}
