//! Topic aliases of MQTT 5: numbers that stand for topic names on one connection, each direction with its own. Section
//! 3.3.2.3.4.
//!
//! Numbers of ours are given to the first topics that come and kept by them: a client has few. Only messages of QoS 0 use
//! them, which are written at once or never; the others may be repeated on a connection on which a number means nothing.

use crate::mqtt::{ConnackProperties, PublishTopic, TopicAlias, TopicName, TopicRef};
use alloc::vec::Vec;
use core::num::NonZeroU16;

#[derive(Debug, Default)]
pub(super) struct Aliases {
    /// What the server calls topics: the name of alias 1, of alias 2, and so on.
    theirs: Vec<Option<TopicName>>,
    /// What we call them, in the same order.
    ours: Vec<TopicName>,
    /// How many numbers we may use.
    ours_max: u16,
}

/// A number takes three bytes in the packet, and can lengthen the properties' length by one.
const NAME_WORTH_A_NUMBER: usize = 4;

impl Aliases {
    /// A connection begins, on which no number stands for anything. [MQTT-3.3.2-7] `max`: how many the options allow.
    pub(super) fn connected(&mut self, properties: &ConnackProperties, max: u16) {
        self.ours.clear();
        self.ours_max = properties.topic_alias_maximum.unwrap_or(0).min(max); // [MQTT-3.2.2-17]
        self.theirs.clear();
        self.theirs.resize(max.into(), None);
    }

    /// The name of a topic as the server says it; `None` if it uses a number that it may not use or has not introduced.
    pub(super) fn resolve(&mut self, topic: PublishTopic) -> Option<TopicName> {
        let (name, alias) = match topic {
            PublishTopic::Name(name) => return Some(name),
            PublishTopic::Alias(alias) => (None, alias),
            PublishTopic::NameAndAlias(name, alias) => (Some(name), alias),
        };
        // [MQTT-3.1.2-26] [MQTT-3.1.2-27]
        let slot = self.theirs.get_mut(usize::from(alias.0.get()) - 1)?;
        if let Some(name) = name {
            *slot = Some(name.detached());
        }
        slot.clone()
    }

    /// The same topic as short as it can be said. If the packet is written, [`Aliases::written`] must hear of it.
    pub(super) fn shorten<'a>(&self, name: &'a TopicName) -> PublishTopic<TopicRef<'a>> {
        if name.len() < NAME_WORTH_A_NUMBER {
            return PublishTopic::Name(name.borrowed());
        }
        let known = self.ours.iter().position(|ours| ours == name);
        let next = u16::try_from(known.unwrap_or(self.ours.len()) + 1).ok().and_then(NonZeroU16::new);
        match next.filter(|next| next.get() <= self.ours_max).map(TopicAlias) {
            Some(alias) if known.is_some() => PublishTopic::Alias(alias),
            Some(alias) => PublishTopic::NameAndAlias(name.borrowed(), alias),
            None => PublishTopic::Name(name.borrowed()),
        }
    }

    /// A packet with this topic is on its way, and the number that it introduces stands.
    pub(super) fn written(&mut self, topic: PublishTopic<TopicRef<'_>>) {
        if let PublishTopic::NameAndAlias(name, _) = topic {
            self.ours.push(name.detached());
        }
    }
}
