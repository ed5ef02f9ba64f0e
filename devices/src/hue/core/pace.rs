//! How fast a hub is spoken to: a gap between commands to lights, a longer one between commands to groups, few commands
//! unanswered at once, and growing pauses when the hub says that it is too much.
//!
//! It holds no commands and so drops none: who has something to say asks whether it may.

use crate::hue::{
    limits::{BACKOFF_FIRST, BACKOFF_LONGEST, FLYING_MAX, GROUP_INTERVAL, LIGHT_INTERVAL},
    resource::Kind,
};
use luxwire_shared::time::Instant;
use std::time::Duration;

#[derive(Debug, Default)]
pub(super) struct Pace {
    light_at: Instant,
    group_at: Instant,
    quiet_until: Instant,
    /// How often in a row the hub said that it is too much.
    refusals: u32,
    flying: usize,
}

impl Pace {
    /// When a command of this kind may go; `None` until an answer comes.
    pub(super) fn free_at(&self, kind: Kind) -> Option<Instant> {
        if self.flying >= FLYING_MAX {
            return None;
        }
        let gap = if kind.is_group() { self.group_at } else { self.light_at };
        Some(gap.max(self.quiet_until))
    }

    /// A command goes.
    pub(super) fn sent(&mut self, kind: Kind, now: Instant) {
        self.flying += 1;
        if kind.is_group() {
            self.group_at = now + GROUP_INTERVAL;
        } else {
            self.light_at = now + LIGHT_INTERVAL;
        }
    }

    /// An answer came, whatever it says.
    pub(super) fn answered(&mut self) {
        self.flying = self.flying.saturating_sub(1);
    }

    /// The hub took a command.
    pub(super) fn eased(&mut self) {
        self.refusals = 0;
    }

    /// The hub asks for a pause, or shows that it needs one.
    pub(super) fn refused(&mut self, asked: Option<Duration>, now: Instant) {
        let grown = BACKOFF_FIRST.saturating_mul(1 << self.refusals.min(8));
        self.refusals += 1;
        let pause = grown.max(asked.unwrap_or_default()).min(BACKOFF_LONGEST);
        self.quiet_until = self.quiet_until.max(now + pause);
    }

    /// The hub is another one, or the same again: what was unanswered stays so.
    pub(super) fn begin(&mut self) {
        self.flying = 0;
        self.refusals = 0;
    }
}
