//! Which messages on the light's topic are our own, coming back.
//!
//! Whoever follows the topic that it publishes to hears itself; only MQTT 5 could leave that out, and a dimmer treats all
//! versions alike.

use luxwire_shared::model::Intensity;
use std::collections::VecDeque;

/// At ten a second these are several seconds' worth; a broker that is further behind has dropped the rest.
const ECHOES_MAX: usize = 64;

/// Values that were published and have not come back, oldest first.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    expected: VecDeque<Intensity>,
    /// What the topic said last.
    current: Option<Intensity>,
}

/// What a message on the topic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Ours, or nothing new.
    Known,
    /// Somebody else's, and the topic's value.
    News,
    /// Somebody else's, and ours comes after it.
    Overtaken,
}

impl Echoes {
    /// We published this.
    pub(super) fn published(&mut self, intensity: Intensity) {
        if self.expected.len() == ECHOES_MAX {
            self.expected.pop_front();
        }
        self.expected.push_back(intensity);
    }

    /// The topic says this.
    pub(super) fn heard(&mut self, intensity: Intensity) -> Heard {
        let before = self.current.replace(intensity);
        // What was published before the one that comes back was dropped on the way.
        if let Some(at) = self.expected.iter().position(|expected| *expected == intensity) {
            self.expected.drain(..=at);
            return Heard::Known;
        }
        match before {
            Some(before) if before == intensity => Heard::Known,
            _ if self.expected.is_empty() => Heard::News,
            _ => Heard::Overtaken,
        }
    }

    /// The session is gone, and with it what would have come back. What was published last is the topic's value.
    pub(super) fn lost(&mut self) {
        self.current = self.expected.drain(..).next_back().or(self.current);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(percent: u8) -> Intensity {
        Intensity::from_percent(percent).unwrap()
    }

    #[test]
    fn what_we_said_is_no_news() {
        let mut echoes = Echoes::default();
        for own in [10, 20, 30] {
            echoes.published(percent(own));
        }
        // 10 was dropped on the way.
        assert_eq!([20, 30].map(|heard| echoes.heard(percent(heard))), [Heard::Known; 2]);
        assert_eq!(echoes.heard(percent(20)), Heard::News, "not ours: that one has come back");
        assert_eq!(echoes.heard(percent(20)), Heard::Known, "it was so before");
    }

    #[test]
    fn what_ours_overtakes_is_news_but_not_the_end() {
        let mut echoes = Echoes::default();
        echoes.published(percent(78));
        assert_eq!(echoes.heard(percent(30)), Heard::Overtaken);
        assert_eq!(echoes.heard(percent(78)), Heard::Known);
    }

    #[test]
    fn a_kept_value_that_we_set_is_no_news_in_another_session() {
        let mut echoes = Echoes::default();
        echoes.published(percent(78));
        echoes.lost();
        assert_eq!(echoes.heard(percent(78)), Heard::Known);
    }
}
