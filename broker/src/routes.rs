//! Where the trie led for the topics of late: most messages have a topic that was published before, and the walk from
//! level to level costs several times what all the rest of routing does.
//!
//! A table of fixed places, each for one topic: whoever comes later takes the place. Nothing is ever removed from it. A
//! place that was filled before the trie last got a new filter is empty.

use crate::subscriptions::NodeId;
use alloc::vec::Vec;
use core::hash::BuildHasher;
use foldhash::fast::FixedState;
use luxwire_shared::mqtt::TopicRef;

/// The table.
#[derive(Debug)]
pub(crate) struct Routes {
    /// A power of two, and one place more: that of topics that are not worth remembering.
    places: Vec<Route>,
    hasher: FixedState,
    /// Counts the filters that were new to the trie.
    generation: u64,
    /// How many topics lost their place to another since the table last grew.
    displaced: usize,
    /// The place of the topic that was looked up last: messages of one topic often come many at once.
    latest: Place,
}

/// Where one topic leads.
#[derive(Debug, Default)]
struct Route {
    topic: Vec<u8>,
    nodes: Vec<NodeId>,
    /// The generation in which it was found; 0 for never.
    generation: u64,
}

/// A place of the table, until the next topic is looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(usize);

impl Routes {
    pub(crate) fn new(hash_seed: u64) -> Self {
        Self {
            places: Self::places(PLACES_MIN),
            hasher: FixedState::with_seed(hash_seed),
            generation: 1,
            displaced: 0,
            latest: Place(0),
        }
    }

    /// The trie got a filter that it did not have.
    pub(crate) fn forget(&mut self) {
        self.generation += 1;
    }

    /// Where this topic leads, if that is known.
    #[inline]
    pub(crate) fn known(&mut self, topic: TopicRef<'_>) -> Option<Place> {
        let bytes = topic.as_bytes();
        if self.is_of(self.latest, bytes) {
            return Some(self.latest);
        }
        let place = Place(self.place_of(bytes));
        self.is_of(place, bytes).then(|| {
            self.latest = place;
            place
        })
    }

    /// Whether this place is known to be that of this topic.
    #[inline]
    fn is_of(&self, place: Place, topic: &[u8]) -> bool {
        let Some(route) = self.places.get(place.0) else { return false };
        route.generation == self.generation && route.topic == topic
    }

    /// Where this topic leads, as the trie just said.
    pub(crate) fn remember(&mut self, topic: TopicRef<'_>, nodes: &[NodeId]) -> Place {
        let bytes = topic.as_bytes();
        if bytes.len() > TOPIC_LEN_MAX || nodes.len() > NODES_MAX {
            let last = self.places.len() - 1;
            self.places[last].nodes = nodes.to_vec();
            return Place(last);
        }
        let mut at = self.place_of(bytes);
        if self.places[at].generation == self.generation {
            self.displaced += 1;
            if self.displaced > self.places.len() && self.places.len() < PLACES_MAX {
                // Which place is whose has changed for all of them; they are found again soon.
                self.places = Self::places((self.places.len() - 1) * 2);
                self.displaced = 0;
                at = self.place_of(bytes);
            }
        }
        let route = &mut self.places[at];
        route.topic.clear();
        route.topic.extend_from_slice(bytes);
        route.nodes.clear();
        route.nodes.extend_from_slice(nodes);
        route.generation = self.generation;
        Place(at)
    }

    #[inline]
    fn place_of(&self, topic: &[u8]) -> usize {
        // All places but the last are a power of two.
        self.hasher.hash_one(topic) as usize & (self.places.len() - 2)
    }

    /// The nodes.
    pub(crate) fn nodes(&self, place: Place) -> &[NodeId] {
        &self.places[place.0].nodes
    }

    fn places(len: usize) -> Vec<Route> {
        let mut places = Vec::new();
        places.resize_with(len + 1, Route::default);
        places
    }
}

/// A house has so many topics, and they take little room.
const PLACES_MIN: usize = 256;

/// With what its places may hold, such a table takes eight megabytes at most.
const PLACES_MAX: usize = 16 << 10;

/// Longer ones are not remembered.
const TOPIC_LEN_MAX: usize = 256;

/// Topics that lead to more nodes are not remembered.
const NODES_MAX: usize = 32;
