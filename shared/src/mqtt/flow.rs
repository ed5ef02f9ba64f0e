//! The bookkeeping of QoS 1 and 2, one side each: [`Outgoing`] for whoever sends, [`Incoming`] for whoever receives.
//!
//! The broker and the client both stand on it. It holds no queue of messages that wait for room, and writes no packet:
//! it says what is unacknowledged and what the next step is.
//!
//! ```text
//! QoS 1   PUBLISH ──► AwaitsPuback ──PUBACK──► done
//! QoS 2   PUBLISH ──► AwaitsPubrec ──PUBREC──► AwaitsPubcomp ──PUBCOMP──► done
//!                          └── PUBREC with a failure ──► done
//! ```

use crate::mqtt::{PacketId, QoS};
use alloc::collections::VecDeque;
use core::num::NonZeroU16;

/// What has been sent at QoS 1 or 2 and is not acknowledged to the end, oldest first. [MQTT-4.3.2-3] [MQTT-4.3.3-3]
#[derive(Clone, Debug)]
pub struct Outgoing<M> {
    unacknowledged: VecDeque<Entry<M>>,
    /// Identifiers that are in use for something else than a message.
    taken: PacketIds,
    next: PacketId,
    /// How many identifiers `next` has gone past, free ones and others; it wraps around.
    passed: u32,
    window: u16,
    /// How many entries were not sent again since [`Outgoing::resume`].
    unsent: usize,
}

#[derive(Clone, Debug)]
struct Entry<M> {
    /// `None` once it is not needed any more: see [`Stage::AwaitsPubcomp`].
    message: Option<M>,
    /// What `passed` was when the identifier was taken.
    taken_at: u32,
    id: PacketId,
    /// On this connection; what an earlier one sent and this one did not has to be sent again.
    sent: bool,
    awaits: Awaits,
}

/// The acknowledgement that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    Puback,
    Pubrec,
    Pubcomp,
}

impl<M> Entry<M> {
    fn stage(&self) -> Stage<&M> {
        stage(self.awaits, self.message.as_ref())
    }
}

fn stage<M>(awaits: Awaits, message: Option<M>) -> Stage<M> {
    match (awaits, message) {
        (Awaits::Puback, Some(message)) => Stage::AwaitsPuback(message),
        (Awaits::Pubrec, Some(message)) => Stage::AwaitsPubrec(message),
        (Awaits::Puback | Awaits::Pubrec | Awaits::Pubcomp, _) => Stage::AwaitsPubcomp,
    }
}

/// How far a message has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage<M> {
    /// QoS 1: sent.
    AwaitsPuback(M),
    /// QoS 2: sent.
    AwaitsPubrec(M),
    /// QoS 2: received, and the message itself is not needed any more. [MQTT-4.3.3-6]
    AwaitsPubcomp,
}

impl<M: Clone> Stage<&M> {
    /// The same with a message of its own.
    pub fn cloned(self) -> Stage<M> {
        match self {
            Self::AwaitsPuback(message) => Stage::AwaitsPuback(message.clone()),
            Self::AwaitsPubrec(message) => Stage::AwaitsPubrec(message.clone()),
            Self::AwaitsPubcomp => Stage::AwaitsPubcomp,
        }
    }
}

/// What a PUBREC leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received<M> {
    /// PUBREL is due. The message comes along the first time.
    Release(Option<M>),
    /// The receiver refused it, and that is the end of it. [MQTT-4.4.0-2]
    Refused(M),
    /// No such message: 5.0 answers PUBREL with `PacketIdentifierNotFound`.
    Unknown,
}

impl<M> Outgoing<M> {
    /// Nothing sent; at most `window` messages may be unacknowledged at once.
    pub fn new(window: NonZeroU16) -> Self {
        Self {
            unacknowledged: VecDeque::new(),
            taken: PacketIds::default(),
            next: PacketId::MIN,
            passed: 0,
            window: window.get(),
            unsent: 0,
        }
    }

    /// Sets the window of a new connection. What is unacknowledged stays so, even beyond it.
    pub fn set_window(&mut self, window: NonZeroU16) {
        self.window = window.get();
    }

    /// Whether one more message may be sent: the window has room, and nothing older has to be sent again first.
    /// [MQTT-3.3.4-9]
    pub fn has_room(&self) -> bool {
        self.unsent == 0 && self.unacknowledged.len() < usize::from(self.window)
    }

    /// A new connection resumes the session: everything unacknowledged is to be sent again, by [`Outgoing::resend`].
    pub fn resume(&mut self) {
        for entry in &mut self.unacknowledged {
            entry.sent = false;
        }
        self.unsent = self.unacknowledged.len();
    }

    /// Whether something has to be sent again before anything else is sent.
    pub fn is_resending(&self) -> bool {
        self.unsent > 0
    }

    /// The next thing to send again, in the original order: a PUBLISH with DUP, or a PUBREL where the stage is
    /// `AwaitsPubcomp`. `None` when there is nothing, and when the window is full; a PUBREL never waits for the window.
    /// [MQTT-4.4.0-1] [MQTT-3.3.4-10]
    pub fn resend(&mut self) -> Option<(PacketId, Stage<&M>)> {
        if self.unsent == 0 {
            return None;
        }
        let full = self.unacknowledged.len() - self.unsent >= usize::from(self.window);
        let entry = self
            .unacknowledged
            .iter_mut()
            .find(|entry| !entry.sent && (!full || entry.awaits == Awaits::Pubcomp))?;
        entry.sent = true;
        self.unsent -= 1;
        Some((entry.id, entry.stage()))
    }

    /// How many messages are unacknowledged.
    pub fn len(&self) -> usize {
        self.unacknowledged.len()
    }

    /// Whether everything is acknowledged.
    pub fn is_empty(&self) -> bool {
        self.unacknowledged.is_empty()
    }

    /// Takes an identifier that nothing unacknowledged uses, for a SUBSCRIBE or UNSUBSCRIBE; give it back with
    /// [`Outgoing::give_back`]. `None` if all 65,535 are in use. [MQTT-2.2.1-4]
    pub fn take_id(&mut self) -> Option<PacketId> {
        let (id, _) = self.free_id()?;
        self.taken.insert(id);
        Some(id)
    }

    /// Frees an identifier that [`Outgoing::take_id`] gave; says whether it was taken.
    pub fn give_back(&mut self, id: PacketId) -> bool {
        self.taken.remove(id)
    }

    /// The next identifier that nothing uses, and when it was taken. [MQTT-4.3.2-1] [MQTT-4.3.3-1]
    fn free_id(&mut self) -> Option<(PacketId, u32)> {
        if self.taken.len() + self.unacknowledged.len() >= usize::from(u16::MAX) {
            return None;
        }
        loop {
            let (id, taken_at) = (self.next, self.passed);
            self.next = id.next();
            self.passed = self.passed.wrapping_add(1);
            if !self.is_in_use(id, taken_at) {
                return Some((id, taken_at));
            }
        }
    }

    /// Identifiers are taken one after the other, so that one can be in use by a message only if the oldest message is from
    /// before they were last all gone through.
    #[inline]
    fn is_in_use(&mut self, id: PacketId, now: u32) -> bool {
        let oldest = self.unacknowledged.front_mut();
        let is_round = oldest.is_some_and(|oldest| {
            let is_round = now.wrapping_sub(oldest.taken_at) >= ROUND;
            if is_round {
                // It gets no older than that, however long it stays.
                oldest.taken_at = now.wrapping_sub(ROUND);
            }
            is_round
        });
        (is_round && self.unacknowledged.iter().any(|entry| entry.id == id)) || self.taken.contains(id)
    }

    /// Remembers `message` as sent and gives the identifier to send it with. `None` if there is no room; ask
    /// [`Outgoing::has_room`] first. `qos` is 1 or 2: QoS 0 is never acknowledged and does not belong here.
    #[inline]
    pub fn send(&mut self, qos: QoS, message: M) -> Option<PacketId> {
        if !self.has_room() {
            return None;
        }
        let (id, taken_at) = self.free_id()?;
        let awaits = match qos {
            QoS::AtMostOnce | QoS::AtLeastOnce => Awaits::Puback,
            QoS::ExactlyOnce => Awaits::Pubrec,
        };
        if self.unacknowledged.is_empty() {
            // Begins where its memory begins, so that less of it is in use.
            self.unacknowledged.clear();
        }
        self.unacknowledged.push_back(Entry { message: Some(message), taken_at, id, sent: true, awaits });
        Some(id)
    }

    /// PUBACK came: gives the message that is done, or `None` if the identifier is not one of QoS 1.
    #[inline]
    pub fn puback(&mut self, id: PacketId) -> Option<M> {
        // Most come in order, and were sent on this connection.
        if let Some(oldest) = self.unacknowledged.front()
            && (oldest.id, oldest.awaits, oldest.sent) == (id, Awaits::Puback, true)
        {
            return self.unacknowledged.pop_front()?.message;
        }
        let at = self.position(id)?;
        match self.unacknowledged.get(at)?.awaits {
            Awaits::Puback => self.remove(at)?.message,
            Awaits::Pubrec | Awaits::Pubcomp => None,
        }
    }

    /// PUBREC came, with a failure code if `refused`.
    pub fn pubrec(&mut self, id: PacketId, refused: bool) -> Received<M> {
        let Some(at) = self.position(id) else { return Received::Unknown };
        let Some(entry) = self.unacknowledged.get_mut(at) else { return Received::Unknown };
        if entry.awaits == Awaits::Puback {
            return Received::Unknown;
        }
        entry.awaits = Awaits::Pubcomp;
        let Some(message) = entry.message.take() else { return Received::Release(None) };
        if !core::mem::replace(&mut entry.sent, true) {
            self.unsent -= 1;
        }
        if refused {
            self.remove(at);
            return Received::Refused(message);
        }
        Received::Release(Some(message))
    }

    /// PUBCOMP came; says whether a message was waiting for it.
    pub fn pubcomp(&mut self, id: PacketId) -> bool {
        let Some(at) = self.position(id) else { return false };
        let waiting = self.unacknowledged.get(at).is_some_and(|entry| entry.awaits == Awaits::Pubcomp);
        if waiting {
            self.remove(at);
        }
        waiting
    }

    /// Everything unacknowledged in its original order, to be sent again when the session is resumed, and only then.
    /// [MQTT-4.4.0-1] [MQTT-4.6.0-1]
    pub fn unacknowledged(&self) -> impl Iterator<Item = (PacketId, Stage<&M>)> {
        self.unacknowledged.iter().map(|entry| (entry.id, entry.stage()))
    }

    /// The session is gone, and this is what it leaves unacknowledged, in its original order.
    pub fn into_unacknowledged(self) -> impl Iterator<Item = Stage<M>> {
        self.unacknowledged.into_iter().map(|entry| stage(entry.awaits, entry.message))
    }

    /// Forgets everything: the session is gone.
    pub fn clear(&mut self) {
        self.unacknowledged.clear();
        self.taken.clear();
        self.unsent = 0;
    }

    /// Identifiers follow each other, and messages are acknowledged in their order, so that an identifier says how far from
    /// the front it is; the search is for all other cases.
    #[inline]
    fn position(&self, id: PacketId) -> Option<usize> {
        let from_front = id.number().wrapping_sub(self.unacknowledged.front()?.id.number());
        match self.unacknowledged.get(usize::from(from_front)) {
            Some(entry) if entry.id == id => Some(usize::from(from_front)),
            Some(_) | None => self.unacknowledged.iter().position(|entry| entry.id == id),
        }
    }

    #[inline]
    fn remove(&mut self, at: usize) -> Option<Entry<M>> {
        let entry = if at == 0 { self.unacknowledged.pop_front() } else { self.unacknowledged.remove(at) }?;
        if !entry.sent {
            self.unsent -= 1;
        }
        Some(entry)
    }
}

/// How many identifiers there are.
const ROUND: u32 = u16::MAX as u32;

/// The QoS 2 messages that were received and not yet released, so that a repetition is not taken for another message.
/// [MQTT-4.3.3-10]
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    unreleased: PacketIds,
}

impl Incoming {
    /// A QoS 2 PUBLISH came; says whether it is a message that was not seen before.
    pub fn publish(&mut self, id: PacketId) -> bool {
        self.unreleased.insert(id)
    }

    /// PUBREL came; says whether a message was waiting for it.
    pub fn pubrel(&mut self, id: PacketId) -> bool {
        self.unreleased.remove(id)
    }

    /// Whether this identifier is between PUBREC and PUBREL.
    pub fn contains(&self, id: PacketId) -> bool {
        self.unreleased.contains(id)
    }

    /// How many messages are unreleased: they count against the receiver's maximum.
    pub fn len(&self) -> usize {
        self.unreleased.len()
    }

    /// Whether every message was released.
    pub fn is_empty(&self) -> bool {
        self.unreleased.len() == 0
    }

    /// Forgets everything: the session is gone.
    pub fn clear(&mut self) {
        self.unreleased.clear();
    }
}

/// A set of identifiers, in their order. They come and go at its ends, as a rule, and then nothing is moved; the worst that
/// a client can bring about is that half of 128 KiB are.
#[derive(Clone, Debug, Default)]
struct PacketIds(VecDeque<PacketId>);

impl PacketIds {
    /// Says whether it was not there.
    fn insert(&mut self, id: PacketId) -> bool {
        match self.0.binary_search(&id) {
            Ok(_) => false,
            Err(at) => {
                self.0.insert(at, id);
                true
            }
        }
    }

    /// Says whether it was there.
    fn remove(&mut self, id: PacketId) -> bool {
        self.0.binary_search(&id).is_ok_and(|at| self.0.remove(at).is_some())
    }

    fn contains(&self, id: PacketId) -> bool {
        self.0.binary_search(&id).is_ok()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identifier_of_a_message_that_stays_is_not_given_again_though_the_count_wraps_around() {
        let mut outgoing = Outgoing::new(NonZeroU16::new(2).unwrap());
        outgoing.passed = u32::MAX - 100_000;
        let stays = outgoing.send(QoS::AtLeastOnce, "stays").unwrap();
        for _ in 0..300_000 {
            let id = outgoing.send(QoS::AtLeastOnce, "goes").unwrap();
            assert_ne!(id, stays);
            assert_eq!(outgoing.puback(id), Some("goes"));
        }
        assert!(outgoing.passed < u32::MAX / 2, "it wrapped around");
        let oldest = outgoing.unacknowledged.front().unwrap();
        assert_eq!(outgoing.passed.wrapping_sub(oldest.taken_at), ROUND + 1, "it gets no older");
    }

    #[test]
    fn a_message_of_the_broker_takes_half_a_line_of_the_cache() {
        assert_eq!(size_of::<Entry<(&u8, Option<&u8>, QoS, bool)>>(), 32);
    }
}
