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
    /// What the topic says, as far as we know.
    current: Option<Intensity>,
}

impl Echoes {
    /// We published this.
    pub(super) fn published(&mut self, intensity: Intensity) {
        if self.expected.len() == ECHOES_MAX {
            self.expected.pop_front();
        }
        self.expected.push_back(intensity);
        self.current = Some(intensity);
    }

    /// The topic says this. Whether that is news from somebody else.
    pub(super) fn is_news(&mut self, intensity: Intensity) -> bool {
        // What was published before the one that comes back was dropped on the way.
        if let Some(at) = self.expected.iter().position(|expected| *expected == intensity) {
            self.expected.drain(..=at);
            return false;
        }
        self.current.replace(intensity) != Some(intensity)
    }

    /// The session is gone, and with it what would have come back.
    pub(super) fn lost(&mut self) {
        self.expected.clear();
    }
}
