//! When the heap is tidied up: once after something happened, when little happens any more, so that nobody waits for it.

use crate::limits;
use luxwire_shared::time::Instant;

/// Whether there may be something to tidy up, and when. What happens is told in bytes that came or were sent, about.
#[derive(Debug, Default)]
pub(super) struct Tidy {
    due: Option<Instant>,
    /// How many bytes there had been when it was last looked at.
    bytes: u64,
}

impl Tidy {
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether much has happened that is not noted.
    pub(super) fn is_worth_it(&self, bytes: u64) -> bool {
        self.due.is_none() && bytes - self.bytes > limits::HEAP_WORTH_BYTES
    }

    /// Much happened, or a client has gone.
    pub(super) fn note(&mut self, now: Instant, bytes: u64) {
        if self.due.is_none() {
            self.due = Some(now + limits::HEAP_QUIET_FOR);
            self.bytes = bytes;
        }
    }

    /// Whether it is time. While much happens it is put off.
    pub(super) fn is_time(&mut self, now: Instant, bytes: u64) -> bool {
        if self.due.is_none_or(|due| due > now) {
            return false;
        }
        let is_quiet = bytes - self.bytes <= limits::HEAP_QUIET_BYTES;
        self.due = (!is_quiet).then_some(now + limits::HEAP_QUIET_FOR);
        self.bytes = bytes;
        is_quiet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_time_once_when_it_is_quiet_after_something_happened() {
        let (much, little) = (limits::HEAP_QUIET_BYTES + 1, limits::HEAP_QUIET_BYTES);
        let after = |times| Instant::START + limits::HEAP_QUIET_FOR * times;
        let mut tidy = Tidy::default();
        let mut bytes = limits::HEAP_WORTH_BYTES;
        assert!(!tidy.is_worth_it(bytes) && tidy.is_worth_it(bytes + 1));
        tidy.note(after(0), bytes);
        assert!(!tidy.is_worth_it(bytes + bytes + 1), "it is noted");
        assert_eq!(tidy.due(), Some(after(1)));
        assert!(!tidy.is_time(after(0), bytes));
        // It goes on.
        for times in 1..5 {
            bytes += much;
            assert!(!tidy.is_time(after(times), bytes));
            assert_eq!(tidy.due(), Some(after(times + 1)));
        }
        bytes += little;
        assert!(tidy.is_time(after(5), bytes));
        assert_eq!(tidy.due(), None);
        assert!(!tidy.is_time(after(6), bytes));
        // A client that goes is enough, and many who go are no more than one.
        tidy.note(after(7), bytes);
        tidy.note(after(7) + limits::HEAP_QUIET_FOR / 2, bytes + little);
        assert_eq!(tidy.due(), Some(after(8)));
        assert!(tidy.is_time(after(8), bytes + little));
    }
}
