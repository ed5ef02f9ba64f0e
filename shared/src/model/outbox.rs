//! What must reach the broker and has not yet: at most one payload per topic, the newest.
//!
//! It outlives connections. An MQTT client resends what the session still knows; what a lost session forgot comes back
//! here and goes out again, once, unless a newer payload took its place. It sends nothing itself.

use crate::{model::LightTopic, time::Instant};
use alloc::{collections::BTreeMap, vec::Vec};
use bytes::Bytes;
use core::time::Duration;

/// How long a wish is kept that cannot go out. Nobody expects the light to change when a laptop wakes the next morning.
pub const KEPT: Duration = Duration::from_secs(5 * 60);

/// Names one sending of one payload, so that its acknowledgement finds it, and finds nothing once it is superseded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    letters: BTreeMap<LightTopic, Letter>,
    tickets: u64,
}

#[derive(Clone, Debug)]
struct Letter {
    payload: Bytes,
    since: Instant,
    /// Given when it was handed out; `None` while it waits.
    ticket: Option<Ticket>,
}

impl Outbox {
    /// This is what the topic is to say; an older payload is of no interest any more.
    pub(super) fn put(&mut self, topic: LightTopic, payload: Bytes, now: Instant) {
        self.letters.insert(topic, Letter { payload, since: now, ticket: None });
    }

    /// The payload that is on its way to this topic, or waits.
    pub(super) fn payload(&self, topic: &LightTopic) -> Option<&Bytes> {
        Some(&self.letters.get(topic)?.payload)
    }

    /// The topic's payload is of no interest any more.
    pub(super) fn forget(&mut self, topic: &LightTopic) {
        self.letters.remove(topic);
    }

    /// Hands out one payload that waits.
    pub(super) fn take(&mut self) -> Option<(Ticket, LightTopic, Bytes)> {
        let (topic, letter) = self.letters.iter_mut().find(|(_, letter)| letter.ticket.is_none())?;
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        letter.ticket = Some(ticket);
        Some((ticket, topic.clone(), letter.payload.clone()))
    }

    /// It arrived, or was refused. Gives the topic unless the payload was superseded.
    pub(super) fn settled(&mut self, ticket: Ticket) -> Option<LightTopic> {
        let topic = self.find(ticket)?;
        self.letters.remove(&topic);
        Some(topic)
    }

    /// Nobody knows whether it arrived: it waits again.
    pub(super) fn unsent(&mut self, ticket: Ticket) {
        let letter = self.letters.values_mut().find(|letter| letter.ticket == Some(ticket));
        if let Some(letter) = letter {
            letter.ticket = None;
        }
    }

    /// Gives up what is older than [`KEPT`].
    pub(super) fn expire(&mut self, now: Instant) -> Vec<LightTopic> {
        let expired = |letter: &Letter| now >= letter.since + KEPT;
        let topics =
            self.letters.iter().filter(|(_, letter)| expired(letter)).map(|(topic, _)| topic.clone());
        let topics: Vec<LightTopic> = topics.collect();
        self.letters.retain(|_, letter| !expired(letter));
        topics
    }

    /// When [`Outbox::expire`] has something to do next.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.letters.values().map(|letter| letter.since + KEPT).min()
    }

    fn find(&self, ticket: Ticket) -> Option<LightTopic> {
        let (topic, _) = self.letters.iter().find(|(_, letter)| letter.ticket == Some(ticket))?;
        Some(topic.clone())
    }
}
