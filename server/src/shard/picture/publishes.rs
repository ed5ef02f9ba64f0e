//! Who published what: the retained values that a client set, and what it was seen to publish.
//!
//! It is known by client identifier, so that a client that comes back is drawn with the values it left. When the first
//! watcher comes, retained values are looked through up to a bound; from then on it is kept up to date by what is seen.

use super::{
    Scene,
    drawing::{self, Message},
};
use crate::{http, limits};
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use luxwire_shared::time::{Instant, Timestamp};
use serde::Serialize;
use std::hash::BuildHasher as _;

#[derive(Debug, Default)]
pub(super) struct Publishes {
    by_client: HashMap<Box<str>, OfClient, RandomState>,
    /// About what all of it takes.
    bytes: usize,
    /// When it was full: not before this is it looked through for room again.
    full_until: Instant,
}

/// What one client published.
#[derive(Debug, Default)]
struct OfClient {
    /// The oldest first.
    latest: Vec<Latest>,
    /// All its topics as numbers, up to a bound.
    topics: HashSet<u64, RandomState>,
}

/// The latest value that a client gave a topic.
#[derive(Debug)]
struct Latest {
    topic: String,
    payload: Option<String>,
    cut: bool,
    at: Timestamp,
}

/// The same in JSON.
#[derive(Debug, Serialize)]
pub(super) struct Published<'a> {
    topic: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a str>,
    #[serde(skip_serializing_if = "drawing::is_false")]
    cut: bool,
    set_at: String,
}

impl Publishes {
    /// Learns from the retained values who set them.
    pub(super) fn learn(&mut self, scene: &Scene<'_>) {
        for message in scene.broker.all_retained().take(limits::RETAINED_LOOKED_AT) {
            self.note(scene, &Message::kept(message));
        }
    }

    /// Notes a message with who published it.
    pub(super) fn note(&mut self, scene: &Scene<'_>, message: &Message<'_>) {
        // What the broker says of itself, below `$SYS`, has none.
        let Some(publisher) = message.publisher(scene).filter(|publisher| !publisher.is_empty()) else {
            return;
        };
        let topic = drawing::name(message.topic).into_owned();
        let (payload, cut) = drawing::payload(message.payload);
        let latest = Latest { topic, payload: payload.map(str::to_owned), cut, at: message.at };
        let size = latest.size() + publisher.len() + CLIENT_BESIDES_TEXT;
        if self.bytes + size > limits::PUBLISHES_BYTES && !self.make_room(scene, size) {
            return;
        }
        if !self.by_client.contains_key(publisher) {
            self.bytes += publisher.len() + CLIENT_BESIDES_TEXT;
            self.by_client.insert(publisher.into(), OfClient::default());
        }
        let number = self.by_client.hasher().hash_one(message.topic);
        if let Some(of_client) = self.by_client.get_mut(publisher) {
            let before = of_client.size();
            of_client.note(number, latest, message.kept);
            self.bytes = self.bytes - before + of_client.size();
        }
    }

    /// What this client published, the latest first, and how many topics more there are.
    pub(super) fn of(&self, publisher: &str) -> (Vec<Published<'_>>, usize) {
        let Some(of_client) = self.by_client.get(publisher) else { return (Vec::new(), 0) };
        let published: Vec<_> = of_client.latest.iter().rev().map(Latest::draw).collect();
        let more = of_client.topics.len().saturating_sub(published.len());
        (published, more)
    }

    /// Forgets clients that are not connected; says whether that made room.
    fn make_room(&mut self, scene: &Scene<'_>, size: usize) -> bool {
        let now = scene.now.instant;
        if now < self.full_until {
            return false;
        }
        let connected: HashSet<&str, RandomState> =
            scene.broker.clients().map(|client| &**client.id()).collect();
        self.by_client.retain(|client, _| connected.contains(&**client));
        self.bytes = self
            .by_client
            .iter()
            .map(|(client, of_client)| client.len() + CLIENT_BESIDES_TEXT + of_client.size())
            .sum();
        let is_full = self.bytes + size > limits::PUBLISHES_BYTES;
        if is_full {
            self.full_until = now + limits::PUBLISHES_FULL_FOR;
        }
        !is_full
    }
}

impl OfClient {
    fn note(&mut self, number: u64, latest: Latest, is_kept: bool) {
        if self.topics.len() < limits::CLIENT_TOPICS_COUNTED {
            self.topics.insert(number);
        }
        if let Some(known) = self.latest.iter().position(|other| other.topic == latest.topic) {
            if is_kept && self.latest[known].at > latest.at {
                // It waited for somebody while a later one was seen.
                return;
            }
            self.latest.remove(known);
        }
        // What was kept comes in any order. What comes from a client is the latest, even if somebody set the clock back.
        let earlier = if is_kept {
            self.latest.partition_point(|other| other.at <= latest.at)
        } else {
            self.latest.len()
        };
        self.latest.insert(earlier, latest);
        if self.latest.len() > limits::CLIENT_PUBLISHES {
            self.latest.remove(0);
        }
    }

    fn size(&self) -> usize {
        let latest: usize = self.latest.iter().map(Latest::size).sum();
        latest + self.topics.len() * TOPIC_COUNTED_BYTES
    }
}

impl Latest {
    fn draw(&self) -> Published<'_> {
        Published {
            topic: &self.topic,
            payload: self.payload.as_deref(),
            cut: self.cut,
            set_at: http::rfc3339(self.at),
        }
    }

    fn size(&self) -> usize {
        self.topic.len() + self.payload.as_ref().map_or(0, String::len) + size_of::<Self>()
    }
}

impl Published<'_> {
    /// About the length of its JSON.
    pub(super) fn size(&self) -> usize {
        self.topic.len() + self.payload.map_or(0, str::len) + PUBLISHED_BESIDES_TEXT
    }
}

/// A place in the table.
const CLIENT_BESIDES_TEXT: usize = 128;

/// A number among others, and the room that a table keeps free.
const TOPIC_COUNTED_BYTES: usize = 16;

/// Names of fields and a time.
const PUBLISHED_BESIDES_TEXT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn latest(topic: &str, second: u64) -> Latest {
        let at = Timestamp::from_unix_millis(second * 1_000);
        Latest { topic: topic.to_owned(), payload: Some(second.to_string()), cut: false, at }
    }

    fn shown(of_client: &OfClient) -> Vec<&str> {
        of_client.latest.iter().map(|latest| latest.payload.as_deref().unwrap()).collect()
    }

    #[test]
    fn the_latest_values_stay_in_whatever_order_they_come() {
        let mut of_client = OfClient::default();
        let many = limits::CLIENT_PUBLISHES as u64 + 4;
        // Every third second before the others, as topics that are in another order than their times.
        for second in
            (0..many).filter(|second| second % 3 == 0).chain((0..many).filter(|second| second % 3 > 0))
        {
            of_client.note(second, latest(&format!("topic {second}"), second), true);
        }
        let expected: Vec<_> = (4..many).map(|second| second.to_string()).collect();
        assert_eq!(shown(&of_client), expected);
        assert_eq!(of_client.topics.len() as u64, many);
    }

    #[test]
    fn what_is_kept_never_replaces_what_is_later_and_what_is_live_always_does() {
        let mut of_client = OfClient::default();
        of_client.note(1, latest("a", 5), true);
        of_client.note(1, latest("a", 4), true);
        of_client.note(2, latest("b", 9), true);
        assert_eq!(shown(&of_client), ["5", "9"]);
        // Somebody set the clock back.
        of_client.note(1, latest("a", 3), false);
        assert_eq!(shown(&of_client), ["9", "3"]);
    }
}
