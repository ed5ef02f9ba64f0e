//! What happens when time passes and nothing else does: a calendar of moments, and what each is the moment of.
//!
//! Expiring retained messages keep their own calendar in `retained`; messages that wait in a queue are looked at when
//! their turn comes.

use crate::{LinkId, broker::Broker, session::SessionKey, turn::Turn};
use alloc::collections::BTreeSet;
use luxwire_shared::time::Instant;

/// What is due at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deadline {
    /// CONNECT must have come, or another packet: see `link`.
    Silence(LinkId),
    /// A will's delay is over, or a session's life.
    Session(SessionKey),
}

/// The calendar. Whoever enters a deadline remembers the moment, to be able to strike it out.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    due: BTreeSet<(Instant, Deadline)>,
}

impl Deadlines {
    /// Moves a deadline from the moment it had to the moment it gets, either of which may be never.
    pub(crate) fn move_to(&mut self, deadline: Deadline, from: Option<Instant>, to: Option<Instant>) {
        if from == to {
            return;
        }
        if let Some(at) = from {
            self.due.remove(&(at, deadline));
        }
        if let Some(at) = to {
            self.due.insert((at, deadline));
        }
    }

    /// The earliest moment.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes out the earliest deadline that is due.
    fn pop_due(&mut self, now: Instant) -> Option<Deadline> {
        self.due.first().filter(|(at, _)| *at <= now)?;
        self.due.pop_first().map(|(_, deadline)| deadline)
    }
}

impl Broker {
    /// Does all that is due. Whoever still waits for something enters a later moment.
    pub(crate) fn tick(&mut self, turn: &mut Turn<'_>) {
        while let Some(deadline) = self.deadlines.pop_due(turn.now.instant) {
            match deadline {
                Deadline::Silence(link) => self.silence(turn, link),
                Deadline::Session(session) => self.session_due(turn, session),
            }
        }
        // Behind the wills, which may be retained and expire at once.
        self.retained.drop_expired(turn.now.instant);
        self.sys_due(turn);
        self.spare_messages.let_go();
    }
}
