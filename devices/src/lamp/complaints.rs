//! Keeps a log readable when the same trouble comes a thousand times a second.
//!
//! Some complaints are let through, the rest are counted, and the count is told with the next that passes.

use luxwire_shared::time::Instant;
use std::time::Duration;

/// So many complaints are heard in one [`PERIOD`]: enough to understand, few enough to read.
const HEARD_MAX: u32 = 10;
/// After this they are heard again.
const PERIOD: Duration = Duration::from_secs(10);

/// Counts complaints.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    since: Instant,
    heard: u32,
    unheard: u64,
}

impl Complaints {
    /// The sentence to log, if this one is to be heard.
    pub(super) fn hear(&mut self, sentence: String, now: Instant) -> Option<String> {
        if now - self.since >= PERIOD {
            (self.since, self.heard) = (now, 0);
        }
        if self.heard == HEARD_MAX {
            self.unheard += 1;
            return None;
        }
        self.heard += 1;
        match std::mem::take(&mut self.unheard) {
            0 => Some(sentence),
            unheard => Some(format!("{sentence} (and {unheard} more complaints before)")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_and_told_later() {
        let mut complaints = Complaints::default();
        let mut hear = |millis| complaints.hear("no".to_owned(), Instant::from_millis(millis));
        for millis in 0..10 {
            assert_eq!(hear(millis).as_deref(), Some("no"));
        }
        for millis in 10..1_000 {
            assert_eq!(hear(millis), None);
        }
        assert_eq!(hear(10_000).as_deref(), Some("no (and 990 more complaints before)"));
        assert_eq!(hear(10_001).as_deref(), Some("no"));
    }
}
