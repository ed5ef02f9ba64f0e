//! Where the trie led for the topics of late: most messages have a topic that was published before, and the walk from
//! level to level costs several times what all the rest of routing does.
//!
//! A table of fixed places, each for one topic: whoever comes later takes the place. A place that was filled before the
//! trie last got a new filter is empty.
//!
//! Topics and nodes lie end to end in two buffers, not in blocks of their own: thousands of small blocks that are rarely let
//! go would keep the memory between them from ever going back to the system. When a buffer is full, all is forgotten.

use crate::subscriptions::NodeId;
use alloc::vec::Vec;
use core::hash::BuildHasher;
use foldhash::fast::FixedState;
use luxwire_shared::mqtt::TopicRef;

/// The table.
#[derive(Debug)]
pub(crate) struct Routes {
    /// A power of two.
    places: Vec<Route>,
    topics: Vec<u8>,
    nodes: Vec<NodeId>,
    /// Of the topic that was looked up last, if it is not worth remembering.
    nodes_of_latest: Vec<NodeId>,
    hasher: FixedState,
    /// Counts the filters that were new to the trie, and how often all was forgotten.
    generation: u32,
    /// How many topics lost their place to another since the table last grew.
    displaced: usize,
    /// The place of the topic that was looked up last: messages of one topic often come many at once.
    latest: Place,
}

/// Where one topic leads.
#[derive(Clone, Debug, Default)]
struct Route {
    /// The generation in which it was found; 0 for never.
    generation: u32,
    /// The half of the topic's hash that does not say the place: who came later is told apart without a look at the topic.
    mark: u32,
    /// Where in the buffers topic and nodes begin.
    topic: u32,
    nodes: u32,
    topic_len: u16,
    nodes_len: u16,
}

/// A place of the table, until the next topic is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(usize);

impl Routes {
    pub(crate) fn new(hash_seed: u64) -> Self {
        Self {
            places: Self::places(PLACES_MIN),
            topics: Vec::new(),
            nodes: Vec::new(),
            nodes_of_latest: Vec::new(),
            hasher: FixedState::with_seed(hash_seed),
            generation: 1,
            displaced: 0,
            latest: Place(0),
        }
    }

    /// The trie got a filter that it did not have.
    pub(crate) fn forget(&mut self) {
        self.generation = self.generation.checked_add(1).unwrap_or_else(|| {
            // So that none is taken for one of the same number.
            self.places.fill(Route::default());
            1
        });
        self.topics.clear();
        self.nodes.clear();
    }

    /// Where this topic leads, if that is known.
    #[inline]
    pub(crate) fn known(&mut self, topic: TopicRef<'_>) -> Option<Place> {
        let bytes = topic.as_bytes();
        if self.is_of(self.latest, bytes) {
            return Some(self.latest);
        }
        let hash = self.hasher.hash_one(bytes);
        let place = Place(self.place_of(hash));
        let is_marked = self.places[place.0].mark == mark_of(hash);
        (is_marked && self.is_of(place, bytes)).then(|| {
            self.latest = place;
            place
        })
    }

    /// Whether this place is known to be that of this topic.
    #[inline]
    fn is_of(&self, place: Place, topic: &[u8]) -> bool {
        let Some(route) = self.places.get(place.0) else { return false };
        let begin = route.topic as usize;
        let end = begin + usize::from(route.topic_len);
        route.generation == self.generation && self.topics.get(begin..end) == Some(topic)
    }

    /// Where this topic leads, as the trie just said.
    pub(crate) fn remember(&mut self, topic: TopicRef<'_>, nodes: &[NodeId]) -> Place {
        let bytes = topic.as_bytes();
        if bytes.len() > TOPIC_LEN_MAX || nodes.len() > NODES_MAX {
            return self.pass_over(nodes);
        }
        let hash = self.hasher.hash_one(bytes);
        let mut at = self.place_of(hash);
        if self.places[at].generation == self.generation {
            self.displaced += 1;
            if self.displaced > self.places.len() && self.places.len() < PLACES_MAX {
                // Which place is whose has changed for all of them; they are found again soon.
                self.places = Self::places(self.places.len() * 2);
                self.displaced = 0;
                self.forget();
                at = self.place_of(hash);
            }
        }
        let is_full = self.topics.len() + bytes.len() > self.places.len() * TOPIC_BYTES_A_PLACE
            || self.nodes.len() + nodes.len() > self.places.len() * NODES_A_PLACE;
        if is_full {
            self.forget();
        }
        self.places[at] = Route {
            generation: self.generation,
            mark: mark_of(hash),
            topic: self.topics.len() as u32,
            nodes: self.nodes.len() as u32,
            topic_len: bytes.len() as u16,
            nodes_len: nodes.len() as u16,
        };
        self.topics.extend_from_slice(bytes);
        self.nodes.extend_from_slice(nodes);
        Place(at)
    }

    /// Where the topic of now leads, as the trie just said, when that is not worth remembering.
    pub(crate) fn pass_over(&mut self, nodes: &[NodeId]) -> Place {
        self.nodes_of_latest.clear();
        self.nodes_of_latest.extend_from_slice(nodes);
        NOT_REMEMBERED
    }

    #[inline]
    fn place_of(&self, hash: u64) -> usize {
        hash as usize & (self.places.len() - 1)
    }

    /// The nodes.
    #[inline]
    pub(crate) fn nodes(&self, place: Place) -> &[NodeId] {
        let Some(route) = self.places.get(place.0) else { return &self.nodes_of_latest };
        let begin = route.nodes as usize;
        &self.nodes[begin..begin + usize::from(route.nodes_len)]
    }

    fn places(len: usize) -> Vec<Route> {
        let mut places = Vec::new();
        places.resize(len, Route::default());
        places
    }
}

#[inline]
fn mark_of(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// The place of what is not remembered.
const NOT_REMEMBERED: Place = Place(usize::MAX);

/// A house has so many topics, and they take little room.
const PLACES_MIN: usize = 256;

/// With what its buffers may hold, such a table takes three megabytes at most.
const PLACES_MAX: usize = 16 << 10;

/// How much room the buffers have for each place: for most topics, also when some were displaced, ...
const TOPIC_BYTES_A_PLACE: usize = 96;

/// ... and for what they lead to.
const NODES_A_PLACE: usize = 8;

/// Longer ones are not remembered.
const TOPIC_LEN_MAX: usize = 256;

/// Topics that lead to more nodes are not remembered.
const NODES_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, vec};
    use luxwire_shared::mqtt::TopicName;

    fn topic(name: &str) -> TopicName {
        name.try_into().expect("a topic")
    }

    #[test]
    fn what_is_remembered_is_found_until_the_trie_changes() {
        let mut routes = Routes::new(7);
        let (a, b) = (topic("a"), topic("b"));
        assert_eq!(routes.known(a.borrowed()), None);
        for _ in 0..3 {
            let place = routes.remember(a.borrowed(), &[NodeId::from(1), NodeId::from(2)]);
            assert_eq!(routes.nodes(place), [NodeId::from(1), NodeId::from(2)]);
            let place = routes.remember(b.borrowed(), &[]);
            assert!(routes.nodes(place).is_empty());
            let place = routes.known(a.borrowed()).expect("it was remembered");
            assert_eq!(routes.nodes(place), [NodeId::from(1), NodeId::from(2)]);
            routes.forget();
            assert_eq!((routes.known(a.borrowed()), routes.known(b.borrowed())), (None, None));
        }
        let long = topic(&"l".repeat(TOPIC_LEN_MAX + 1));
        let place = routes.remember(long.borrowed(), &[NodeId::from(3)]);
        assert_eq!(routes.nodes(place), [NodeId::from(3)]);
        assert_eq!(routes.known(long.borrowed()), None);
        let many = vec![NodeId::from(4); NODES_MAX + 1];
        let place = routes.remember(a.borrowed(), &many);
        assert_eq!(routes.nodes(place), many);
        assert_eq!(routes.known(a.borrowed()), None);
        let place = routes.pass_over(&[NodeId::from(5)]);
        assert_eq!(routes.nodes(place), [NodeId::from(5)]);
        assert_eq!(routes.known(a.borrowed()), None);
    }

    /// Of ever new topics, the ones of late are mostly known, each leads where it leads, and the table stays small.
    #[test]
    fn however_many_topics_come_it_takes_little_and_says_what_is_so() {
        let mut routes = Routes::new(7);
        let nodes = |number: u32| [NodeId::from(number), NodeId::from(number + 1)];
        let mut known = 0;
        for number in 0..100_000_u32 {
            let name = topic(&format!("house/{number}/intensity"));
            let place = routes.remember(name.borrowed(), &nodes(number));
            assert_eq!(routes.nodes(place), nodes(number));
            let earlier = number.saturating_sub(100);
            if let Some(place) = routes.known(topic(&format!("house/{earlier}/intensity")).borrowed()) {
                assert_eq!(routes.nodes(place), nodes(earlier));
                known += 1;
            }
        }
        assert!(known > 90_000, "{known}");
        let bytes = routes.topics.capacity()
            + routes.nodes.capacity() * size_of::<NodeId>()
            + routes.places.capacity() * size_of::<Route>();
        assert!(bytes <= 3 << 20, "{bytes}");
    }
}
