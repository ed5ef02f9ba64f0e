//! The replay of retained messages after SUBSCRIBE, in slices, so that a subscription to everything stalls nobody.
//!
//! A replay is a place in the map of retained messages, not a list of messages: it costs the same for three values and
//! for a million. A value that was set after the replay began is left out, since the subscription delivered it as it
//! came; one that was cleared is not there any more. A message without RETAIN that is published meanwhile may overtake
//! the retained value of its topic; the RETAIN flag tells them apart.

use crate::{
    Effect, LinkId,
    broker::Broker,
    link::Stage,
    retained::{Key, Step},
    session::SessionKey,
    subscriptions::Subscription,
    turn::Turn,
};
use alloc::collections::{BTreeMap, VecDeque};
use luxwire_shared::mqtt::{QoS, TopicFilter};

/// What a subscription still has coming.
#[derive(Debug)]
pub(crate) struct Replay {
    filter: TopicFilter,
    subscription: Subscription,
    /// What was granted to the same filter further on in the same SUBSCRIBE; it has everything coming as well, later.
    repeated: VecDeque<Subscription>,
    /// The last key that was looked at.
    after: Option<Key>,
    /// The latest setting of a value when the replay began.
    until_set: u64,
}

impl Replay {
    pub(crate) fn new(filter: TopicFilter, subscription: Subscription, sets: u64) -> Self {
        Self { filter, subscription, repeated: VecDeque::new(), after: None, until_set: sets }
    }

    /// The same SUBSCRIBE names the filter once more.
    pub(crate) fn repeat(&mut self, subscription: Subscription) {
        self.repeated.push_back(subscription);
    }

    /// How often everything is to be sent.
    pub(crate) fn times(&self) -> usize {
        1 + self.repeated.len()
    }

    /// Begins the next time, if there is one.
    fn begin_next(&mut self) -> bool {
        let Some(subscription) = self.repeated.pop_front() else { return false };
        self.subscription = subscription;
        self.after = None;
        true
    }
}

/// How much is sent, or merely looked at, before other clients get their turn. A slice fills a part of an output buffer
/// that the edge writes at once, and takes far less than a millisecond.
const SLICE_MESSAGES: usize = 256;
const SLICE_BYTES: usize = 64 << 10;
const SLICE_STEPS: usize = 4096;

impl Broker {
    /// Sends the next slice, unless the one before it is still on its way or other messages wait: a value that was sent on
    /// an earlier connection and comes again behind a later one would be taken for the latest.
    pub(crate) fn replay(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let session = &mut self.sessions[key];
        let Some(connection) = &session.connection else { return };
        if connection.awaits_drain || session.outgoing.is_resending() || !session.queue.is_empty() {
            return;
        }
        let link = connection.link;
        let (mut messages, mut bytes, mut steps) = (0, 0, 0);
        while let Some((node, mut replay)) = session.replays.pop_first() {
            let mut matching = self.retained.matching(&replay.filter, replay.after.as_deref());
            let mut last = None;
            let outcome = loop {
                if messages == SLICE_MESSAGES || bytes >= SLICE_BYTES || steps == SLICE_STEPS {
                    break Outcome::SliceFull;
                }
                steps += 1;
                let (at, entry) = match matching.step() {
                    None => break Outcome::Finished,
                    Some(Step::Leapt(at)) => {
                        last = Some(at);
                        continue;
                    }
                    Some(Step::Found(at, entry)) => (at, entry),
                };
                let message = &entry.message;
                let own = replay.subscription.no_local && message.publisher == session.client_id;
                let is_wanted = !own && !message.has_expired(turn.now.instant);
                if entry.set > replay.until_set || !is_wanted || !session.may_read(message.topic()) {
                    last = Some(at);
                    continue;
                }
                let qos = message.qos.min(replay.subscription.qos);
                if qos != QoS::AtMostOnce && !session.has_room_for(message.size(), &self.limits) {
                    break Outcome::WindowFull;
                }
                last = Some(at);
                messages += 1;
                bytes += message.size();
                session.send_retained(turn, message, qos, replay.subscription);
            };
            if let Outcome::Finished = outcome {
                if replay.begin_next() {
                    session.replays.insert(node, replay);
                }
                continue;
            }
            if let Some(at) = last {
                replay.after = Some(at.clone());
            }
            session.replays.insert(node, replay);
            if let Outcome::SliceFull = outcome {
                if let Some(connection) = &mut session.connection {
                    connection.awaits_drain = true;
                }
                turn.effects.push(Effect::AwaitDrain { link });
            }
            return;
        }
        // A map that was emptied keeps the room of its first node, which is more than a connection takes.
        session.replays = BTreeMap::new();
    }

    /// Everything sent to this link has left the edge's buffer.
    pub(crate) fn drained(&mut self, turn: &mut Turn<'_>, link: LinkId) {
        let Some(Stage::Connected(key)) = self.links.get(&link).map(|state| state.stage) else { return };
        if let Some(connection) = &mut self.sessions[key].connection {
            connection.awaits_drain = false;
        }
        self.replay(turn, key);
    }
}

/// Why a replay pauses.
enum Outcome {
    /// It does not: it is over.
    Finished,
    /// Others come first; it goes on when the output is drained.
    SliceFull,
    /// It goes on with the next acknowledgement.
    WindowFull,
}
