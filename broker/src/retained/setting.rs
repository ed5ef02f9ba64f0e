//! Which setting of a value is meant, for those who ask whether it is still the same.
//!
//! HTTP writes times in whole seconds. Whether a second says exactly one value of a topic can only be known here, where
//! every value passes.

use luxwire_shared::time::Timestamp;

/// One setting of one topic's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Counted over all topics: no two settings in a broker's life have the same.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// The topic had no other value within the second of `at`, as far as anybody could have been told by the clock. Where
    /// that is not certain it is `false`.
    pub alone_in_its_second: bool,
}

/// What must be remembered of the past to know which settings are alone in their second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seconds {
    /// The latest second of any setting.
    latest: u64,
    /// Up to here seconds may have had values that nobody remembers: the clock went back, or a value was cleared.
    forgotten: Option<u64>,
}

impl Seconds {
    /// Notes a setting, and says whether it is certain to be alone in its second. `replaced` is when the value before it
    /// was set.
    pub(super) fn set(&mut self, at: Timestamp, replaced: Option<Timestamp>) -> bool {
        let second = second(at);
        if second < self.latest {
            self.forget(self.latest);
        }
        self.latest = self.latest.max(second);
        let first = replaced.is_none_or(|replaced| self::second(replaced) != second);
        first && self.forgotten.is_none_or(|forgotten| forgotten < second)
    }

    /// Notes that a value which was set at this time is gone.
    pub(super) fn cleared(&mut self, set_at: Timestamp) {
        self.forget(second(set_at));
    }

    fn forget(&mut self, second: u64) {
        self.forgotten = self.forgotten.max(Some(second));
    }
}

fn second(at: Timestamp) -> u64 {
    at.unix_millis() / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    #[test]
    fn a_second_that_had_two_values_says_neither() {
        let mut seconds = Seconds::default();
        assert!(seconds.set(at(5_100), None));
        assert!(!seconds.set(at(5_900), Some(at(5_100))));
        assert!(seconds.set(at(6_000), Some(at(5_900))));
    }

    #[test]
    fn a_value_that_was_cleared_is_not_taken_for_its_successor() {
        let mut seconds = Seconds::default();
        assert!(seconds.set(at(5_100), None));
        seconds.cleared(at(5_100));
        assert!(!seconds.set(at(5_200), None));
        assert!(seconds.set(at(6_000), None));
    }

    #[test]
    fn seconds_that_come_again_are_not_trusted() {
        let mut seconds = Seconds::default();
        assert!(seconds.set(at(9_500), None));
        // Somebody sets the clock back.
        assert!(!seconds.set(at(7_000), Some(at(9_500))));
        assert!(!seconds.set(at(9_700), Some(at(7_000))));
        assert!(seconds.set(at(10_000), Some(at(9_700))));
    }
}
