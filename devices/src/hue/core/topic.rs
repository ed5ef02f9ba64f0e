//! The intensity topic of one light: what it says, what that means to the hub, and which messages on it are our own.
//!
//! A message of ours comes back to us, because a broker sends to all who follow. It is recognised and is no command.

use crate::hue::{
    level::Power,
    limits::{ECHO, ECHOES_MAX, LISTEN},
};
use luxwire_shared::{model::Intensity, time::Instant};
use std::collections::VecDeque;

#[derive(Debug)]
pub(super) struct Topic {
    /// What it says, as far as we know; before the first connection, what it said when the last run ended.
    pub(super) value: Option<Intensity>,
    /// The hub's own figure for that. A report of just this is no news.
    pub(super) stands_for: Option<Power>,
    /// Our messages that have not come back yet, oldest first.
    echoes: VecDeque<(Intensity, Instant)>,
    listening: Listening,
}

/// Whether the topic's kept value is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listening {
    /// There is no subscription.
    Deaf,
    /// If there is a kept value, it comes before this.
    Until(Instant),
    Done,
}

/// What a message on the topic means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Somebody wants this.
    Wish(Intensity),
    /// Nothing to be done.
    Nothing,
}

impl Topic {
    pub(super) fn new(remembered: Option<Intensity>) -> Self {
        Self {
            value: remembered,
            stands_for: remembered.map(Power::from),
            echoes: VecDeque::new(),
            listening: Listening::Deaf,
        }
    }

    /// The broker accepted the subscription, or there was one already.
    pub(super) fn followed(&mut self, now: Instant) {
        if self.listening == Listening::Deaf {
            self.listening = Listening::Until(now + LISTEN);
        }
    }

    /// The broker is gone, and with it what was on its way.
    pub(super) fn lost(&mut self) {
        self.listening = Listening::Deaf;
        self.echoes.clear();
    }

    /// We may publish.
    pub(super) fn is_known(&self) -> bool {
        self.listening == Listening::Done
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.listening {
            Listening::Until(until) => Some(until),
            Listening::Deaf | Listening::Done => None,
        }
    }

    /// Says whether the kept value became known to be none just now.
    pub(super) fn tick(&mut self, now: Instant) -> bool {
        let over = self.deadline().is_some_and(|deadline| deadline <= now);
        if over {
            self.listening = Listening::Done;
            self.value = None;
            self.stands_for = None;
        }
        over
    }

    /// We publish this for what the hub says.
    pub(super) fn says(&mut self, value: Intensity, power: Power, now: Instant) {
        self.value = Some(value);
        self.stands_for = Some(power);
        self.echoes.push_back((value, now));
        if self.echoes.len() > ECHOES_MAX {
            self.echoes.pop_front();
        }
    }

    /// A message came on the topic.
    pub(super) fn hear(&mut self, value: Option<Intensity>, kept: bool, now: Instant) -> Heard {
        let Some(value) = value else {
            // Somebody cleared it: the next change, not the present state, is worth publishing again.
            self.value = None;
            return Heard::Nothing;
        };
        if kept {
            return self.hear_kept(value);
        }
        self.echoes.retain(|(_, at)| now.since(*at) < ECHO);
        if let Some(at) = self.echoes.iter().position(|(echo, _)| *echo == value) {
            self.echoes.drain(..=at);
            if self.echoes.is_empty() {
                // Whatever others said in between, this is what the topic says in the end.
                self.set(value);
            }
            return Heard::Nothing;
        }
        self.listening = Listening::Done;
        self.set(value);
        Heard::Wish(value)
    }

    /// The kept value is a wish only if it is not the one that we left there. Of a topic that we never saw before it may be
    /// as old as the hills: no light jumps because it was paired.
    fn hear_kept(&mut self, value: Intensity) -> Heard {
        if self.listening == Listening::Done {
            return Heard::Nothing;
        }
        self.listening = Listening::Done;
        let left = self.value;
        self.set(value);
        match left {
            Some(left) if left != value => Heard::Wish(value),
            Some(_) | None => Heard::Nothing,
        }
    }

    fn set(&mut self, value: Intensity) {
        self.value = Some(value);
        self.stands_for = Some(Power::from(value));
    }

    /// The hub reports what is as good as what the topic says.
    pub(super) fn adopt(&mut self, power: Power) {
        if self.stands_for.is_some_and(|known| known.is_near(power)) {
            self.stands_for = Some(power);
        }
    }
}
