//! Whether what the broker does is what it had to do, and whether it did it all.

use super::{Expected, Flight, Judge, Replay, Said, Shared};
use luxwire_broker::{CloseReason, Delivered, Dropped, Effect, Report};
use luxwire_shared::{
    mqtt::{Delivery, Packet, QoS},
    time::Instant,
};
use std::{collections::VecDeque, rc::Rc, time::Duration};

impl Judge {
    /// Everybody is connected, has read and acknowledged everything, and no time has passed since: nothing may be missing.
    pub(crate) fn settled(&self, now: Instant) {
        let mut drops = self.drops;
        let mut missing = 0;
        for (name, session) in &self.sessions {
            assert!(session.flights.is_empty(), "{name} has unacknowledged: {:?}", session.flights);
            let expected = session.expected.iter().filter(|expected| expected.must);
            let replays = session.replays.iter().filter(|replay| replay.must).map(|replay| &replay.said);
            let left: Vec<_> = expected
                .map(|expected| &expected.said)
                .chain(replays)
                .filter(|said| !said.has_expired(now))
                .collect();
            assert!(left.len() <= session.drops, "{name} never got {left:?}");
            drops += session.drops - left.len();
        }
        for (name, group) in &self.groups {
            for message in &group.messages {
                if message.must && !message.was_sent && !message.said.has_expired(now) {
                    missing += 1;
                    assert!(missing <= drops, "nobody in {name} got {:?}", message.said);
                }
            }
        }
    }

    pub(super) fn effect(&mut self, now: Instant, effect: &Effect) {
        match effect {
            Effect::Send { link, packet: Packet::Pubrel(ack) } if !ack.reason.is_failure() => {
                let name = &self.links[link];
                let session = self.sessions.get_mut(name).expect("a link has a session");
                let flight = session.flights.iter_mut().find(|flight| flight.id == ack.id.number());
                let flight = flight.expect("PUBREL for a message that was sent");
                assert!(flight.received, "PUBREL before PUBREC: {flight:?}");
                flight.link = *link;
            }
            Effect::Deliver(delivered) => self.delivered(now, delivered),
            Effect::Close { link, reason } => {
                // Whoever says DISCONNECT or is taken over has gone already.
                if let Some(name) = self.links.get(link).cloned() {
                    let connection = self.sessions[&name].connection.as_ref().expect("connected");
                    let silent = now - connection.heard;
                    let allowed = Duration::from_millis(u64::from(connection.keep_alive_s) * 1500);
                    assert_eq!(*reason, CloseReason::KeepAliveTimeout, "{name} did nothing wrong");
                    assert!(connection.keep_alive_s > 0 && silent >= allowed, "{name} was heard");
                    self.detach(now, &name);
                }
            }
            Effect::Report(Report::Connected { session_present, client_id, .. }) => {
                assert_eq!(self.present.take(), Some(*session_present), "whether {client_id} has a session");
            }
            Effect::Report(Report::SessionEnded { client_id }) => {
                let at = self.ended.iter().position(|name| **name == **client_id);
                self.ended.remove(at.unwrap_or_else(|| panic!("the session of {client_id} ended too early")));
            }
            Effect::Report(Report::Dropped { client_id, qos, why }) => {
                self.dropped(client_id, *qos, *why);
            }
            _ => {}
        }
    }

    fn dropped(&mut self, name: &str, qos: QoS, why: Dropped) {
        let Some(session) = self.sessions.get_mut(name) else { return };
        match why {
            Dropped::Expired => self.figures.expired += 1,
            Dropped::TooLarge => {
                self.figures.dropped += 1;
                let connection = session.connection.as_ref().expect("only what is sent can be too large");
                assert!(connection.has_packet_size, "nothing is too large for {name}");
                session.drops += 1;
            }
            Dropped::QueueFull => {
                self.figures.dropped += 1;
                if session.groups.is_empty() {
                    let part = if qos == QoS::AtMostOnce { 2 } else { 1 };
                    let waiting = session.expected.len() - 1 + session.flights.len();
                    assert!(waiting >= self.queue_max / part, "{name} has room");
                }
                if !self.is_publish {
                    // A will, or one of a group's messages that were handed on.
                    session.drops += 1;
                    return;
                }
                // What does not fit is what this PUBLISH brought.
                for expected in &mut session.expected {
                    expected.must &= expected.input != self.input || expected.qos != qos;
                }
                for name in session.groups.keys() {
                    for message in &mut self.groups.get_mut(name).expect("it was joined").messages {
                        message.must &= message.input != self.input;
                    }
                }
            }
        }
    }

    fn delivered(&mut self, now: Instant, delivered: &Delivered) {
        let link = delivered.link;
        let name = &self.links[&link];
        let session = self.sessions.get_mut(name).expect("a link has a session");
        let message = &delivered.message;
        // What was sent again at QoS 1 was accepted twice, and each of the two has its own life.
        let is_it = |said: &Said| {
            said.topic == message.topic().as_str()
                && said.payload == message.payload()
                && *said.publisher == *message.publisher
                && said.at == message.published.instant
        };
        let qos = delivered.delivery.qos();
        let connection = session.connection.as_mut().expect("connected");
        assert_eq!(connection.link, link);
        let (id, dup) = match delivered.delivery {
            Delivery::AtMostOnce => (None, false),
            Delivery::AtLeastOnce { id, dup } | Delivery::ExactlyOnce { id, dup } => (Some(id.number()), dup),
        };
        let flight = session.flights.iter_mut().find(|flight| Some(flight.id) == id);
        if dup {
            let flight = flight.unwrap_or_else(|| panic!("a repetition of nothing: {delivered:?}"));
            assert!(is_it(&flight.said) && flight.qos == qos, "another message under {id:?}: {flight:?}");
            assert!(!flight.received, "it was received already: {flight:?}");
            assert_ne!(flight.link, link, "sent again on the same connection");
            assert!(connection.repeated < Some(flight.order), "sent again in another order: {flight:?}");
            connection.repeated = Some(flight.order);
            flight.link = link;
            self.figures.repeated += 1;
            return;
        }
        assert!(flight.is_none(), "identifier {id:?} is in use by {flight:?}");
        let before = session.flights.iter().find(|flight| flight.link != link);
        assert!(before.is_none(), "before {before:?} was sent again: {delivered:?}");

        let mut ids: Vec<_> = delivered.subscription_ids.iter().map(|id| id.number()).collect();
        ids.sort_unstable();
        let wanted = |expected: &Expected| {
            is_it(&expected.said)
                && (expected.qos, expected.retain, &expected.ids) == (qos, delivered.retain, &ids)
        };
        let mut by_group = None;
        let looks_like_it = |replay: &Replay| {
            let its_ids: Vec<_> = replay.id.into_iter().collect();
            delivered.retain && is_it(&replay.said) && replay.qos == qos && its_ids == ids
        };
        // One that had to come rather than one that may.
        let replays = || session.replays.iter();
        let replay = replays()
            .position(|replay| replay.must && looks_like_it(replay))
            .or_else(|| replays().position(looks_like_it));
        let said = if let Some(at) = session.expected.iter().position(wanted) {
            // If it was dropped as it came, this may be the replay that looks the same, or not.
            if let Some(replay) = replay.filter(|_| !session.expected[at].must) {
                session.replays[replay].must = false;
            }
            let found = session.expected.remove(at).expect("it was found");
            self.figures.delivered += 1;
            let mut kept = VecDeque::new();
            for skipped in session.expected.drain(..at) {
                if skipped.input == found.input {
                    kept.push_back(skipped);
                } else if skipped.must && !skipped.said.has_expired(now) {
                    assert!(session.drops > 0, "{name} gets {:?} before {:?}", found.said, skipped.said);
                    session.drops -= 1;
                }
            }
            kept.append(&mut session.expected);
            session.expected = kept;
            found.said
        } else if let Some(at) = replay {
            self.figures.replayed += 1;
            session.replays.remove(at).said
        } else {
            let waits =
                |message: &Shared| !message.was_sent && is_it(&message.said) && qos <= message.said.qos;
            let of_session = session.groups.iter().filter(|(_, id)| id.iter().eq(ids.iter()));
            let found = of_session
                .filter_map(|(name, _)| {
                    let at = self.groups.get(name)?.messages.iter().position(waits)?;
                    Some((name.clone(), at))
                })
                .next();
            let (group, at) =
                found.unwrap_or_else(|| panic!("{name} has no such message coming: {delivered:?}"));
            self.figures.shared += 1;
            let messages = &mut self.groups.get_mut(&group).expect("it was found").messages;
            if qos == QoS::AtMostOnce {
                messages.remove(at).said
            } else {
                messages[at].was_sent = true;
                by_group = Some(group);
                Rc::clone(&messages[at].said)
            }
        };
        // What lives for no time at all may still be sent at once.
        assert!(said.at == now || !said.has_expired(now), "nobody wants it any more: {said:?}");
        let waited_s = u32::try_from((now - said.at).as_secs()).expect("a short life");
        let left_s = said.expiry_s.map(|seconds| seconds - waited_s);
        assert_eq!(delivered.message_expiry_interval_s, left_s, "of {said:?}");
        if let Some(id) = id {
            self.order += 1;
            let order = self.order;
            session.flights.push(Flight { id, said, qos, received: false, link, order, group: by_group });
        }
    }
}
