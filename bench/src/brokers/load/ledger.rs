//! What one subscriber has received, or a group that shares, held against what was sent: loss, duplicates and wrong order
//! are told apart.
//!
//! Each stream must arrive as 0, 1, 2, …. A gap is a loss until the missing message comes after all: then it was out of
//! order. A message that is neither next nor missing was there before. In a group none sees an order.

use std::{collections::BTreeSet, ops::AddAssign};

/// The account of one subscriber or group.
#[derive(Debug)]
pub(crate) struct Ledger {
    first_stream: u32,
    /// By stream: what comes next.
    next: Vec<u32>,
    /// Left out so far, as stream and sequence number.
    missing: BTreeSet<(u32, u32)>,
    found: Faults,
    /// Several take what comes, so that none of them sees an order.
    any_order: bool,
}

/// What a correct broker has none of, at QoS 1 and 2 at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Never arrived.
    pub(crate) lost: u64,
    /// Arrived once more.
    pub(crate) duplicates: u64,
    /// Arrived after a later one.
    pub(crate) reordered: u64,
    /// Belong to a stream that this subscriber did not ask for, or were never sent.
    pub(crate) strange: u64,
}

impl Ledger {
    /// For the streams from `first_stream` on.
    pub(crate) fn new(first_stream: u32, streams: usize) -> Self {
        let next = vec![0; streams];
        let (missing, found) = (BTreeSet::new(), Faults::default());
        Self { first_stream, next, missing, found, any_order: false }
    }

    /// For all of a group together, of whom each message reaches one.
    pub(crate) fn of_group(first_stream: u32, streams: usize) -> Self {
        Self { any_order: true, ..Self::new(first_stream, streams) }
    }

    /// Notes a delivery. Returns for how many messages it settles that they have arrived or will not: that many may
    /// follow them.
    pub(crate) fn note(&mut self, stream: u32, sequence: u32) -> usize {
        let place = stream.wrapping_sub(self.first_stream) as usize;
        let Some(next) = self.next.get_mut(place) else {
            self.found.strange += 1;
            return 0;
        };
        if sequence == *next {
            *next += 1;
            return 1;
        }
        if sequence > *next {
            let gap = sequence - *next;
            if gap > GAP_MOST {
                self.found.strange += 1;
                return 0;
            }
            self.missing.extend((*next..sequence).map(|missing| (stream, missing)));
            *next = sequence + 1;
            // Of a group, what is missing is on its way to another member.
            return if self.any_order { 1 } else { gap as usize + 1 };
        }
        if self.missing.remove(&(stream, sequence)) {
            if self.any_order {
                return 1;
            }
            self.found.reordered += 1;
        } else {
            self.found.duplicates += 1;
        }
        0
    }

    /// The account at the end, when nothing more comes. `sent` says how many messages of a stream were sent to this
    /// subscriber.
    pub(crate) fn close(&self, sent: impl Fn(u32) -> u32) -> Faults {
        let mut faults = self.found;
        faults.lost += self.missing.len() as u64;
        for (stream, next) in (self.first_stream..).zip(&self.next) {
            let sent = sent(stream);
            faults.lost += u64::from(sent.saturating_sub(*next));
            faults.strange += u64::from(next.saturating_sub(sent));
        }
        faults
    }
}

/// More than can be under way; such a number is no number of ours.
const GAP_MOST: u32 = 10_000_000;

impl AddAssign for Faults {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.duplicates += other.duplicates;
        self.reordered += other.reordered;
        self.strange += other.strange;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten messages of stream 3 are sent; these arrive.
    fn check(arrive: &[u32], expected: Faults) {
        let mut ledger = Ledger::new(3, 1);
        for sequence in arrive {
            ledger.note(3, *sequence);
        }
        assert_eq!(ledger.close(|_| 10), expected, "{arrive:?}");
    }

    const NONE: Faults = Faults { lost: 0, duplicates: 0, reordered: 0, strange: 0 };

    #[test]
    fn loss_duplicates_and_wrong_order_are_told_apart() {
        check(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], NONE);
        check(&[0, 1, 2, 3, 4, 5, 6, 7, 8], Faults { lost: 1, ..NONE });
        check(&[1, 2, 3, 5, 6, 7, 8, 9], Faults { lost: 2, ..NONE });
        check(&[0, 2, 1, 3, 4, 5, 6, 8, 9, 7], Faults { reordered: 2, ..NONE });
        check(&[0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 0], Faults { duplicates: 3, ..NONE });
        // Late, and then once more.
        check(&[0, 2, 1, 1, 3, 4, 5, 6, 7, 8, 9], Faults { reordered: 1, duplicates: 1, ..NONE });
        check(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], Faults { strange: 1, ..NONE });
    }

    #[test]
    fn what_nobody_sent_is_strange_and_changes_nothing() {
        let mut ledger = Ledger::new(3, 1);
        assert_eq!((ledger.note(2, 0), ledger.note(4, 0), ledger.note(3, u32::MAX)), (0, 0, 0));
        assert_eq!(ledger.note(3, 0), 1);
        assert_eq!(ledger.close(|_| 1), Faults { strange: 3, ..NONE });
    }

    #[test]
    fn a_group_receives_each_message_once_in_any_order() {
        let mut ledger = Ledger::of_group(0, 1);
        let settled: Vec<usize> = [1, 0, 3, 3, 2].map(|sequence| ledger.note(0, sequence)).into();
        assert_eq!(settled, [1, 1, 1, 0, 1]);
        assert_eq!(ledger.close(|_| 5), Faults { lost: 1, duplicates: 1, ..NONE });
    }

    #[test]
    fn a_gap_makes_room_for_what_was_lost_too() {
        let mut ledger = Ledger::new(0, 1);
        assert_eq!((ledger.note(0, 4), ledger.note(0, 2), ledger.note(0, 5)), (5, 0, 1));
    }
}
