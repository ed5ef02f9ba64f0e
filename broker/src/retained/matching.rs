//! A walk over the retained messages that match a filter, in order.
//!
//! It follows the map entry by entry while they match, and where one does not it leaps to the next place where one
//! could: to the level that the filter names, or past a subtree that holds nothing more.

use super::{Entry, Key, SEPARATOR};
use alloc::{
    collections::{BTreeMap, btree_map::Range},
    vec::Vec,
};
use core::{
    cmp::Ordering,
    ops::Bound::{Excluded, Included, Unbounded},
};
use luxwire_shared::mqtt::{Level, TopicFilter};

/// See the module.
#[derive(Debug)]
pub(crate) struct Matching<'a> {
    entries: &'a BTreeMap<Key, Entry>,
    levels: Vec<Level<'a>>,
    ahead: Range<'a, Key, Entry>,
}

/// One look at one entry.
pub(crate) enum Step<'a> {
    /// It matches.
    Found(&'a Key, &'a Entry),
    /// It does not, and the walk stands before the next one that could.
    Leapt(&'a Key),
}

/// How a key compares with the filter.
enum Verdict {
    Matches,
    /// The filter wants this, or something after it, next.
    SeekFrom(Vec<u8>),
    /// Nothing from here on matches.
    Nothing,
}

impl<'a> Matching<'a> {
    pub(super) fn new(
        entries: &'a BTreeMap<Key, Entry>,
        filter: &'a TopicFilter,
        after: Option<&[u8]>,
    ) -> Self {
        let levels: Vec<_> = filter.levels().collect();
        let ahead = match after {
            Some(after) => entries.range::<[u8], _>((Excluded(after), Unbounded)),
            None => entries.range::<[u8], _>((Included(&*first_candidate(&levels)), Unbounded)),
        };
        Self { entries, levels, ahead }
    }

    /// Looks at the next entry that may match; `None` at the end.
    pub(crate) fn step(&mut self) -> Option<Step<'a>> {
        let (key, entry) = self.ahead.next()?;
        match self.judge(key) {
            Verdict::Matches => Some(Step::Found(key, entry)),
            Verdict::SeekFrom(target) => {
                self.ahead = self.entries.range::<[u8], _>((Included(&*target), Unbounded));
                Some(Step::Leapt(key))
            }
            Verdict::Nothing => None,
        }
    }

    fn judge(&self, key: &[u8]) -> Verdict {
        let reserved = key.first() == Some(&b'$');
        let mut levels = key.split(|byte| *byte == SEPARATOR);
        // How much of the key is behind us, up to the end of a level, and where a `+` last stood for one.
        let mut end = 0;
        let mut latest_plus = None;
        for (depth, wanted) in self.levels.iter().enumerate() {
            let start = if depth == 0 { 0 } else { end + 1 };
            let level = levels.next();
            // [MQTT-4.7.2-1]
            if depth == 0 && reserved && !matches!(wanted, Level::Text(_)) {
                return Verdict::SeekFrom(after_subtree(key, level.map_or(0, <[u8]>::len)));
            }
            match (wanted, level) {
                (Level::Hash, _) => return Verdict::Matches,
                (Level::Plus, None) => return Verdict::SeekFrom(below(key, b"")),
                (Level::Plus, Some(level)) => {
                    end = start + level.len();
                    latest_plus = Some(end);
                }
                (Level::Text(text), None) => return Verdict::SeekFrom(below(key, text.as_bytes())),
                (Level::Text(text), Some(level)) => match level.cmp(text.as_bytes()) {
                    Ordering::Equal => end = start + level.len(),
                    Ordering::Less => return Verdict::SeekFrom([&key[..start], text.as_bytes()].concat()),
                    Ordering::Greater => return past(key, latest_plus),
                },
            }
        }
        if levels.next().is_some() { past(key, latest_plus) } else { Verdict::Matches }
    }
}

impl<'a> Iterator for Matching<'a> {
    type Item = &'a Entry;

    fn next(&mut self) -> Option<&'a Entry> {
        loop {
            if let Step::Found(_, entry) = self.step()? {
                return Some(entry);
            }
        }
    }
}

/// Nothing under the level that the last `+` stands for matches any more: go to the next value of that level.
fn past(key: &[u8], latest_plus: Option<usize>) -> Verdict {
    latest_plus.map_or(Verdict::Nothing, |end| Verdict::SeekFrom(after_subtree(key, end)))
}

/// The least key after all that begin with the levels in the first `end` bytes.
fn after_subtree(key: &[u8], end: usize) -> Vec<u8> {
    [&key[..end], &[SEPARATOR + 1]].concat()
}

/// The least key below this one whose next level is `level` or greater.
fn below(key: &[u8], level: &[u8]) -> Vec<u8> {
    [key, &[SEPARATOR], level].concat()
}

/// The levels before the first wildcard: no match is less than they are.
fn first_candidate(levels: &[Level<'_>]) -> Vec<u8> {
    let mut texts = Vec::new();
    for level in levels {
        match level {
            Level::Text(text) => texts.push(text.as_bytes()),
            Level::Plus | Level::Hash => break,
        }
    }
    texts.join(&SEPARATOR)
}
