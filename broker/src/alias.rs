//! Topic aliases: numbers that stand for topic names on one connection, each direction with its own. Section 3.3.2.3.4.
//!
//! What a client introduces, the broker keeps with the connection ([`IncomingAliases`]). What is introduced to a client
//! belongs to whoever writes to it ([`OutgoingAliases`]): the edge drops messages of QoS 0 when a client is slow, and an
//! alias that was introduced in a message that nobody sent would stand for nothing, or worse, for an earlier topic. So a
//! number is chosen only for a packet that is on its way into the output, of which every byte is written in order or the
//! connection ends, and the aliases with it.

use alloc::{collections::BTreeMap, vec::Vec};
use core::{
    hash::BuildHasher,
    num::{NonZeroU16, NonZeroU32},
};
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use luxwire_shared::mqtt::{PublishRef, PublishTopic, TopicAlias, TopicName, TopicRef, Version};

/// What a client calls topics on its connection.
#[derive(Debug, Default)]
pub(crate) struct IncomingAliases {
    names: BTreeMap<TopicAlias, TopicName>,
    bytes: usize,
}

/// The names take more bytes than one connection may.
#[derive(Debug)]
pub(crate) struct TooManyBytes;

impl IncomingAliases {
    /// From here on the number stands for this name, whatever it stood for.
    pub(crate) fn introduce(
        &mut self,
        alias: TopicAlias,
        name: TopicRef<'_>,
        bytes_max: usize,
    ) -> Result<(), TooManyBytes> {
        let before = self.names.get(&alias).map_or(0, |name| name.len());
        let bytes = self.bytes - before + name.as_bytes().len();
        if bytes > bytes_max {
            return Err(TooManyBytes);
        }
        self.bytes = bytes;
        let kept = self.names.entry(alias).or_insert_with(|| name.detached());
        if kept.borrowed() != name {
            *kept = name.detached();
        }
        Ok(())
    }

    pub(crate) fn name(&self, alias: TopicAlias) -> Option<&TopicName> {
        self.names.get(&alias)
    }
}

/// How many topics may be given numbers on a connection, as client and server allow it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AliasesAllowed {
    /// The highest number; 0 for none. [MQTT-3.1.2-26] [MQTT-3.1.2-27]
    pub maximum: u16,
    /// The bytes that their names may take in memory.
    pub bytes: usize,
    /// The largest packet that the client takes: a packet that introduces a number is a little longer than one without.
    pub packet_size: Option<NonZeroU32>,
}

/// What a client was told to call topics on its connection; for whoever writes to it.
///
/// While there are numbers left, every topic gets one with its first message: most topics come again. After that a topic
/// that came twice within a short time takes the place of one that was not used for long. So a client that follows
/// thousands of topics in turn does not pay for introductions that never help.
#[derive(Debug)]
pub struct OutgoingAliases {
    allowed: AliasesAllowed,
    /// The name of alias 1, of alias 2, and so on.
    slots: Vec<Slot>,
    by_name: HashTable<u16>,
    hasher: FixedState,
    bytes: usize,
    /// The slot that is asked next whether it was used since it was last asked.
    hand: usize,
    /// Hashes of the topics that came last and have no number.
    strangers: [u64; STRANGERS],
    next_stranger: usize,
}

#[derive(Debug)]
struct Slot {
    name: TopicName,
    used: bool,
}

/// Within how many messages without an alias a topic must come again to get one.
const STRANGERS: usize = 16;

/// A number takes three bytes in the packet, and can lengthen the properties' length by one.
const NAME_WORTH_A_NUMBER: usize = 4;

impl OutgoingAliases {
    /// No number stands for anything; `None` if none ever may. The seed is as secret as that of the broker.
    pub fn new(allowed: AliasesAllowed, hash_seed: u64) -> Option<Self> {
        (allowed.maximum > 0).then(|| Self {
            allowed,
            slots: Vec::new(),
            by_name: HashTable::new(),
            hasher: FixedState::with_seed(hash_seed),
            bytes: 0,
            hand: 0,
            strangers: [0; STRANGERS],
            next_stranger: 0,
        })
    }

    /// The same packet as short as its topic can be said. It must be written: a number that it introduces is used by
    /// the packets that follow.
    pub fn shorten<'a>(&mut self, packet: PublishRef<'a>) -> PublishRef<'a> {
        let PublishTopic::Name(name) = packet.topic else { return packet };
        if name.as_bytes().len() < NAME_WORTH_A_NUMBER {
            return packet;
        }
        let hash = self.hasher.hash_one(name.as_bytes());
        if let Some(&at) = self.by_name.find(hash, |at| self.slots[usize::from(*at)].name.borrowed() == name)
        {
            self.slots[usize::from(at)].used = true;
            return PublishRef { topic: PublishTopic::Alias(alias(at)), ..packet };
        }
        let Some(at) = self.place_for(name, hash) else { return packet };
        let introduction = PublishRef { topic: PublishTopic::NameAndAlias(name, alias(at)), ..packet };
        let max = self.allowed.packet_size.map_or(usize::MAX, |max| max.get() as usize);
        // [MQTT-3.1.2-24] What cannot be written introduces nothing.
        if !introduction.encoded_len(Version::V5).is_ok_and(|len| len <= max) {
            return packet;
        }
        self.introduce(at, name, hash);
        introduction
    }

    /// Which slot a name may take that has none.
    fn place_for(&mut self, name: TopicRef<'_>, hash: u64) -> Option<u16> {
        let replaced = if self.slots.len() < usize::from(self.allowed.maximum) {
            None
        } else if self.strangers.contains(&hash) {
            while core::mem::take(&mut self.slots[self.hand].used) {
                self.hand = (self.hand + 1) % self.slots.len();
            }
            Some(self.hand)
        } else {
            self.strangers[self.next_stranger] = hash;
            self.next_stranger = (self.next_stranger + 1) % STRANGERS;
            return None;
        };
        let before = replaced.map_or(0, |at| self.slots[at].name.len());
        let fits = self.bytes - before + name.as_bytes().len() <= self.allowed.bytes;
        // There are no more slots than a u16 counts.
        fits.then(|| replaced.unwrap_or(self.slots.len())).and_then(|at| u16::try_from(at).ok())
    }

    fn introduce(&mut self, at: u16, name: TopicRef<'_>, hash: u64) {
        let slot = Slot { name: name.detached(), used: false };
        self.bytes += name.as_bytes().len();
        match self.slots.get_mut(usize::from(at)) {
            Some(taken) => {
                let before = core::mem::replace(taken, slot).name;
                self.bytes -= before.len();
                let hash = self.hasher.hash_one(before.as_bytes());
                if let Ok(entry) = self.by_name.find_entry(hash, |candidate| *candidate == at) {
                    entry.remove();
                }
                self.hand = (self.hand + 1) % self.slots.len();
            }
            None => self.slots.push(slot),
        }
        let Self { slots, by_name, hasher, .. } = self;
        by_name.insert_unique(hash, at, |at| hasher.hash_one(slots[usize::from(*at)].name.as_bytes()));
    }
}

/// [MQTT-3.3.2-8] [MQTT-3.3.2-11]
fn alias(slot: u16) -> TopicAlias {
    TopicAlias(NonZeroU16::MIN.saturating_add(slot))
}
