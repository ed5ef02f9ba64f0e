//! What was asked of the hub and when, so that a test can measure rates and a person can see what a program sends.
//!
//! Keys are left out of it.

use super::limits;
use serde::Serialize;
use serde_json::Value;
use std::collections::VecDeque;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It asked for nothing to be changed, or was wrong.
    Answered,
    /// Carried out at once.
    Applied,
    /// Accepted, and waiting for its turn.
    Buffered,
    /// Refused, because too many wait.
    Overrun,
    /// Failed on purpose.
    Failed,
    /// Never answered, on purpose.
    Hung,
}

/// One request.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Counts from 1 and has no gaps.
    pub n: u64,
    /// Milliseconds since the hub started.
    pub at_ms: u64,
    /// Whether it came over https.
    pub tls: bool,
    /// `GET`, `PUT`, …
    pub method: String,
    /// The path; a key in it is written as `…`.
    pub path: String,
    /// JSON as it was sent, other text as a string, cut where it is long; null if there was none.
    pub body: Value,
    /// The HTTP status of the answer; 0 if there was none.
    pub status: u16,
    /// What became of it.
    pub fate: Fate,
}

/// The latest requests.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<Entry>,
    count: u64,
}

impl Journal {
    /// Numbers the entry and keeps it.
    pub(crate) fn note(&mut self, mut entry: Entry) {
        self.count += 1;
        entry.n = self.count;
        if self.entries.len() == limits::LOG_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// The entries after number `n`, the oldest first.
    pub(crate) fn after(&self, n: u64) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.n > n)
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

/// A body as an entry keeps it.
pub(crate) fn body_of(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    if bytes.len() <= limits::LOG_BODY_BYTES
        && let Ok(value) = serde_json::from_slice(bytes)
    {
        return value;
    }
    String::from_utf8_lossy(&bytes[..bytes.len().min(limits::LOG_BODY_BYTES)]).into()
}

/// A path without the key that v1 has in it.
pub(crate) fn path_without_key(path: &str) -> String {
    let mut parts: Vec<&str> = path.splitn(4, '/').collect();
    if let ["", "api", key, ..] = parts.as_mut_slice()
        && !key.is_empty()
        && *key != "config"
    {
        *key = "…";
    }
    let mut path = parts.join("/");
    path.truncate(path.floor_char_boundary(limits::LOG_BODY_BYTES));
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_not_show() {
        let check = |path: &str, expected: &str| assert_eq!(path_without_key(path), expected);
        check("/api/secret/lights/1/state", "/api/…/lights/1/state");
        check("/api/secret", "/api/…");
        check("/api", "/api");
        check("/api/config", "/api/config");
        check("/clip/v2/resource/light", "/clip/v2/resource/light");
    }

    #[test]
    fn the_journal_forgets_the_oldest() {
        let mut journal = Journal::default();
        for _ in 0..limits::LOG_ENTRIES + 5 {
            journal.note(Entry {
                n: 0,
                at_ms: 0,
                tls: false,
                method: "GET".into(),
                path: "/".into(),
                body: Value::Null,
                status: 200,
                fate: Fate::Answered,
            });
        }
        let kept: Vec<_> = journal.after(0).map(|entry| entry.n).collect();
        assert_eq!((kept.len(), kept[0]), (limits::LOG_ENTRIES, 6));
        assert_eq!(journal.after(1004).count(), 1);
    }

    #[test]
    fn long_bodies_are_cut() {
        assert_eq!(body_of(b"{\"on\":true}"), serde_json::json!({"on": true}));
        assert_eq!(body_of(b"{\"on\""), "{\"on\"");
        assert_eq!(body_of(&[b'a'; 9000]).as_str().unwrap().len(), limits::LOG_BODY_BYTES);
    }
}
