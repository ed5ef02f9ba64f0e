//! Retained messages: the latest value of each topic, and when it was set.
//!
//! They lie in one ordered map, level by level: `a` before everything below `a`, that before `a b`. A filter is matched
//! by leaping over whole subtrees (see [`Matching`]), so that it looks at little more than what it finds, and a walk can
//! stop anywhere and go on later from the last key.
//!
//! What the broker says of itself below `$SYS` lies among them and counts as kept, but takes nobody's place: the limits are
//! for what clients store.

mod matching;
mod setting;

pub use setting::Setting;

pub(crate) use matching::{Matching, Step};

use crate::{Message, publish::is_brokers_own};
use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    vec::Vec,
};
use core::mem;
use luxwire_shared::{
    mqtt::{TopicFilter, TopicName, TopicRef},
    time::Instant,
};
use setting::Seconds;

/// A topic's bytes with 0 for `/`: 0 occurs in no topic and sorts before all that does, so that comparing bytes compares
/// level by level.
pub(crate) type Key = Box<[u8]>;

/// All retained messages.
#[derive(Debug)]
pub(crate) struct Retained {
    entries: BTreeMap<Key, Entry>,
    /// Those that end by themselves.
    expiring: BTreeSet<(Instant, Key)>,
    bytes: usize,
    brokers_own: Share,
    sets: u64,
    seconds: Seconds,
    messages_max: usize,
    bytes_max: usize,
}

/// So much of them, below `$SYS`.
#[derive(Debug, Default)]
struct Share {
    messages: usize,
    bytes: usize,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) message: Rc<Message>,
    /// The how-manieth setting of a value this was: a walk that began earlier leaves it out.
    pub(crate) set: u64,
    alone_in_its_second: bool,
}

/// There is no room for another value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Retained {
    pub(crate) fn new(messages_max: usize, bytes_max: usize) -> Self {
        Self {
            entries: BTreeMap::new(),
            expiring: BTreeSet::new(),
            bytes: 0,
            brokers_own: Share::default(),
            sets: 0,
            seconds: Seconds::default(),
            messages_max,
            bytes_max,
        }
    }

    /// Replaces the topic's value. The message must stand in buffers of its own. Of the broker's own there is always room.
    /// [MQTT-3.3.1-5]
    pub(crate) fn set(&mut self, message: &Rc<Message>) -> Result<(), Full> {
        let size = message.size();
        let is_brokers_own = is_brokers_own(message.topic());
        let key = key(message.topic());
        let expires_at = message.expires_at();
        match self.entries.get_mut(&key) {
            Some(entry) => {
                let replaced = entry.message.size();
                let bytes = self.bytes - replaced + size;
                if is_brokers_own {
                    self.brokers_own.bytes = self.brokers_own.bytes - replaced + size;
                } else if bytes - self.brokers_own.bytes > self.bytes_max {
                    return Err(Full);
                }
                self.bytes = bytes;
                self.sets += 1;
                entry.set = self.sets;
                entry.alone_in_its_second =
                    self.seconds.set(message.published.timestamp, Some(entry.message.published.timestamp));
                let replaced = mem::replace(&mut entry.message, Rc::clone(message));
                if let Some(at) = replaced.expires_at() {
                    self.expiring.remove(&(at, key.clone()));
                }
                if let Some(at) = expires_at {
                    self.expiring.insert((at, key));
                }
            }
            None => {
                if is_brokers_own {
                    self.brokers_own.messages += 1;
                    self.brokers_own.bytes += size;
                } else if self.entries.len() - self.brokers_own.messages >= self.messages_max
                    || self.bytes - self.brokers_own.bytes + size > self.bytes_max
                {
                    return Err(Full);
                }
                self.bytes += size;
                self.sets += 1;
                if let Some(at) = expires_at {
                    self.expiring.insert((at, key.clone()));
                }
                let alone_in_its_second = self.seconds.set(message.published.timestamp, None);
                let message = Rc::clone(message);
                self.entries.insert(key, Entry { message, set: self.sets, alone_in_its_second });
            }
        }
        Ok(())
    }

    /// Forgets the topic's value. [MQTT-3.3.1-6]
    pub(crate) fn clear(&mut self, topic: TopicRef<'_>) {
        let key = key(topic);
        if let Some(entry) = self.entries.remove(&key) {
            self.forgotten(&entry.message);
            if let Some(at) = entry.message.expires_at() {
                self.expiring.remove(&(at, key));
            }
        }
    }

    fn forgotten(&mut self, message: &Message) {
        self.seconds.cleared(message.published.timestamp);
        self.bytes -= message.size();
        if is_brokers_own(message.topic()) {
            self.brokers_own.messages -= 1;
            self.brokers_own.bytes -= message.size();
        }
    }

    /// Forgets what nobody wants any more.
    pub(crate) fn drop_expired(&mut self, now: Instant) {
        while self.expiring.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, key)) = self.expiring.pop_first() else { return };
            if let Some(entry) = self.entries.remove(&key) {
                self.forgotten(&entry.message);
            }
        }
    }

    /// When the next one expires.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.expiring.first().map(|(at, _)| *at)
    }

    pub(crate) fn get(&self, topic: &TopicName) -> Option<&Rc<Message>> {
        self.entries.get(&key(topic.borrowed())).map(|entry| &entry.message)
    }

    pub(crate) fn setting(&self, topic: &TopicName) -> Option<Setting> {
        self.entries.get(&key(topic.borrowed())).map(|entry| Setting {
            number: entry.set,
            at: entry.message.published.timestamp,
            alone_in_its_second: entry.alone_in_its_second,
        })
    }

    /// Those whose topics match, in the order of the topics, after `after`.
    pub(crate) fn matching<'a>(&'a self, filter: &'a TopicFilter, after: Option<&[u8]>) -> Matching<'a> {
        Matching::new(&self.entries, filter, after)
    }

    /// All of them, in the order of the topics.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The number of the latest setting.
    pub(crate) fn sets(&self) -> u64 {
        self.sets
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

fn key(topic: TopicRef<'_>) -> Key {
    topic
        .as_bytes()
        .iter()
        .map(|&byte| if byte == b'/' { SEPARATOR } else { byte })
        .collect::<Vec<u8>>()
        .into()
}

/// Stands between levels in a [`Key`].
const SEPARATOR: u8 = 0;
