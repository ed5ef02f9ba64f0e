//! What each input means: who is connected, who has what coming, and what is over.

use super::{Connection, Expected, Flight, Judge, Replay, Said, Shared, Subscription, Will, matches};
use luxwire_broker::{Effect, LinkId};
use luxwire_shared::{
    mqtt::{Connect, Delivery, Packet, QoS, ReasonCode, RetainHandling, Subscribe, Version},
    time::Instant,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

impl Judge {
    pub(super) fn packet(&mut self, now: Instant, link: LinkId, packet: &Packet, effects: &[Effect]) {
        let Some(name) = self.links.get(&link).cloned() else {
            if let Packet::Connect(connect) = packet {
                self.connect(now, link, connect);
            }
            return;
        };
        let session = self.sessions.get_mut(&name).expect("a link has a session");
        session.connection.as_mut().expect("connected").heard = now;
        let sent = |wanted: &dyn Fn(&Packet) -> bool| {
            let is_it = |effect: &&Effect| matches!(effect, Effect::Send { link: to, packet } if *to == link && wanted(packet));
            effects.iter().filter(is_it).count()
        };
        match packet {
            Packet::Publish(publish) => {
                let topic = session.topic(publish);
                let is_repetition = match publish.delivery {
                    Delivery::AtMostOnce => false,
                    Delivery::AtLeastOnce { id, .. } => {
                        assert_eq!(sent(&|packet| matches!(packet, Packet::Puback(ack) if ack.id == id)), 1);
                        false
                    }
                    Delivery::ExactlyOnce { id, .. } => {
                        assert_eq!(sent(&|packet| matches!(packet, Packet::Pubrec(ack) if ack.id == id)), 1);
                        !session.unreleased.insert(id.number())
                    }
                };
                if !is_repetition {
                    let properties = publish.properties.as_deref();
                    self.accept(Said {
                        topic,
                        payload: publish.payload.clone(),
                        qos: publish.qos(),
                        retain: publish.retain,
                        publisher: name,
                        at: now,
                        expiry_s: properties.and_then(|properties| properties.message_expiry_interval_s),
                    });
                }
            }
            Packet::Pubrel(ack) => {
                assert_eq!(sent(&|packet| matches!(packet, Packet::Pubcomp(comp) if comp.id == ack.id)), 1);
                session.unreleased.remove(&ack.id.number());
            }
            Packet::Puback(ack) => {
                let done = session
                    .take_flight(|flight| flight.id == ack.id.number() && flight.qos == QoS::AtLeastOnce);
                self.acknowledged(done);
            }
            Packet::Pubrec(ack) => {
                let awaited =
                    |flight: &Flight| flight.id == ack.id.number() && flight.qos == QoS::ExactlyOnce;
                if ack.reason.is_failure() {
                    let done = session.take_flight(|flight| awaited(flight) && !flight.received);
                    self.acknowledged(done);
                } else if let Some(flight) = session.flights.iter_mut().find(|flight| awaited(flight)) {
                    flight.received = true;
                    let done = flight.group.clone().map(|group| (group, Rc::clone(&flight.said)));
                    self.forget_shared(done);
                }
            }
            Packet::Pubcomp(ack) => {
                drop(session.take_flight(|flight| flight.id == ack.id.number() && flight.received));
            }
            Packet::Subscribe(subscribe) => self.subscribe(&name, subscribe),
            Packet::Unsubscribe(unsubscribe) => {
                for filter in &unsubscribe.filters {
                    let filter = filter.to_string();
                    if filter.starts_with("$share/") {
                        self.leave(&filter, &name);
                    } else if let Some(session) = self.sessions.get_mut(&name) {
                        session.subscriptions.remove(&filter);
                        session.withdraw_replay(&filter);
                    }
                }
            }
            Packet::Disconnect(disconnect) => {
                let properties = disconnect.properties.as_ref();
                if let Some(expiry_s) = properties.and_then(|properties| properties.session_expiry_interval_s)
                {
                    session.expiry_s = expiry_s.min(self.session_expiry_max_s);
                }
                if disconnect.reason == ReasonCode::Success {
                    session.will = None;
                }
                self.detach(now, &name);
            }
            _ => {}
        }
    }

    fn connect(&mut self, now: Instant, link: LinkId, connect: &Connect) {
        let name = connect.client_id.to_string();
        if let Some(session) = self.sessions.get_mut(&name) {
            if connect.clean_start {
                session.expiry_s = 0;
            }
            if session.connection.is_some() {
                self.detach(now, &name);
            } else if connect.clean_start {
                self.end(now, &name);
            } else {
                self.due(now, &name);
            }
        }
        let present = self.sessions.contains_key(&name);
        let session = self.sessions.entry(name.clone()).or_default();
        session.connection = Some(Connection {
            link,
            keep_alive_s: connect.keep_alive_s,
            heard: now,
            has_packet_size: connect.properties.maximum_packet_size.is_some(),
            aliases: BTreeMap::new(),
            repeated: None,
        });
        session.ends_at = None;
        session.expiry_s = match (connect.version, connect.clean_start) {
            (Version::V5, _) => connect.properties.session_expiry_interval_s.unwrap_or(0),
            (_, true) => 0,
            (_, false) => u32::MAX,
        }
        .min(self.session_expiry_max_s);
        session.will = connect.will.as_ref().map(|will| Will {
            topic: will.topic.to_string(),
            payload: will.payload.clone(),
            qos: will.qos,
            retain: will.retain,
            expiry_s: will.properties.message_expiry_interval_s,
            delay_s: will.properties.will_delay_interval_s.unwrap_or(0),
            due_at: None,
        });
        self.links.insert(link, name);
        self.present = Some(present);
        self.figures.sessions_resumed += u64::from(present);
    }

    /// The connection is over.
    pub(super) fn detach(&mut self, now: Instant, name: &str) {
        let session = self.sessions.get_mut(name).expect("a link has a session");
        let connection = session.connection.take().expect("connected");
        self.links.remove(&connection.link);
        // Whether what waits at QoS 0 outlives the connection is left open.
        for expected in session.expected.iter_mut().filter(|expected| expected.qos == QoS::AtMostOnce) {
            expected.must = false;
        }
        let after = |seconds: u32| now + Duration::from_secs(seconds.into());
        session.ends_at = Some(after(session.expiry_s));
        if let Some(will) = &mut session.will {
            will.due_at = Some(after(will.delay_s));
        }
        self.due(now, name);
    }

    pub(super) fn due(&mut self, now: Instant, name: &str) {
        let session = &self.sessions[name];
        if session.ends_at.is_some_and(|at| at <= now) {
            self.end(now, name);
        } else if session.will.as_ref().is_some_and(|will| will.due_at.is_some_and(|at| at <= now)) {
            self.publish_will(now, name);
        }
    }

    fn publish_will(&mut self, now: Instant, name: &str) {
        let Some(will) = self.sessions.get_mut(name).and_then(|session| session.will.take()) else { return };
        let Will { topic, payload, qos, retain, expiry_s, .. } = will;
        self.figures.wills += 1;
        self.accept(Said { topic, payload, qos, retain, publisher: name.to_owned(), at: now, expiry_s });
    }

    fn end(&mut self, now: Instant, name: &str) {
        let session = self.sessions.get_mut(name).expect("it was there");
        session.subscriptions.clear();
        for group in session.groups.keys().cloned().collect::<Vec<_>>() {
            self.leave(&group, name);
        }
        self.publish_will(now, name);
        let session = self.sessions.remove(name).expect("it was there");
        self.drops += session.drops;
        for flight in session.flights {
            let Some(group) = flight.group.and_then(|group| self.groups.get_mut(&group)) else { continue };
            let is_it = |message: &Shared| Rc::ptr_eq(&message.said, &flight.said);
            let Some(at) = group.messages.iter().position(is_it) else { continue };
            match flight.qos {
                // The next member has it coming.
                QoS::AtLeastOnce => {
                    group.messages[at].was_sent = false;
                    self.figures.handed_on += 1;
                }
                _ => drop(group.messages.remove(at)),
            }
        }
        self.figures.sessions_ended += 1;
        self.ended.push(name.to_owned());
    }

    fn accept(&mut self, said: Said) {
        let said = Rc::new(said);
        let input = self.input;
        self.figures.accepted += 1;
        if said.retain {
            if said.payload.is_empty() {
                self.retained.remove(&said.topic);
            } else {
                self.retained.insert(said.topic.clone(), Rc::clone(&said));
            }
            for session in self.sessions.values_mut() {
                session.replays.retain(|replay| replay.said.topic != said.topic);
            }
        }
        for (name, session) in &mut self.sessions {
            let matching: Vec<_> = session
                .subscriptions
                .iter()
                .filter(|(filter, own)| {
                    matches(filter, &said.topic) && !(own.no_local && said.publisher == *name)
                })
                .map(|(_, subscription)| *subscription)
                .collect();
            let Some(qos) = matching.iter().map(|subscription| subscription.qos).max() else { continue };
            let qos = qos.min(said.qos);
            if qos == QoS::AtMostOnce && session.connection.is_none() {
                continue;
            }
            let retain = said.retain && matching.iter().any(|subscription| subscription.retain_as_published);
            let mut ids: Vec<_> = matching.iter().filter_map(|subscription| subscription.id).collect();
            ids.sort_unstable();
            let said = Rc::clone(&said);
            session.expected.push_back(Expected { said, qos, retain, ids, must: true, input });
        }
        for (name, group) in &mut self.groups {
            let filter = name.splitn(3, '/').nth(2).expect("a filter");
            if !group.members.is_empty() && matches(filter, &said.topic) {
                let must = said.qos != QoS::AtMostOnce && !group.any_at_most_once;
                let said = Rc::clone(&said);
                group.messages.push(Shared { said, must, was_sent: false, input });
            }
        }
    }

    fn subscribe(&mut self, name: &str, subscribe: &Subscribe) {
        let id = subscribe.subscription_id.map(|id| id.number());
        // Those of this packet that have replays coming: one that is under way begins anew, and a repetition adds to it.
        let mut replaying = BTreeSet::new();
        for wanted in &subscribe.filters {
            let filter = wanted.filter.to_string();
            let subscription = Subscription {
                qos: wanted.qos,
                no_local: wanted.no_local,
                retain_as_published: wanted.retain_as_published,
                id,
            };
            let session = self.sessions.get_mut(name).expect("a link has a session");
            if wanted.filter.share.is_some() {
                session.groups.insert(filter.clone(), id);
                let group = self.groups.entry(filter).or_default();
                group.members.insert(name.to_owned(), subscription);
                if wanted.qos == QoS::AtMostOnce {
                    group.any_at_most_once = true;
                    group.messages.iter_mut().for_each(|message| message.must = false);
                }
                continue;
            }
            let is_new = session.subscriptions.insert(filter.clone(), subscription).is_none();
            let replays = match wanted.retain_handling {
                RetainHandling::Send => true,
                RetainHandling::SendIfNew => is_new,
                RetainHandling::DoNotSend => false,
            };
            if replays {
                if replaying.insert(filter.clone()) {
                    session.withdraw_replay(&filter);
                }
                for said in self.retained.values() {
                    let own = wanted.no_local && said.publisher == name;
                    if matches(&filter, &said.topic) && !own {
                        let qos = said.qos.min(wanted.qos);
                        let said = Rc::clone(said);
                        session.replays.push(Replay { filter: filter.clone(), said, qos, id, must: true });
                    }
                }
            }
        }
    }

    fn leave(&mut self, name: &str, member: &str) {
        let Some(group) = self.groups.get_mut(name) else { return };
        group.members.remove(member);
        if group.members.is_empty() {
            // What waits goes with the group, unless it waits with somebody who was in it.
            group.any_at_most_once = false;
            group.messages.iter_mut().for_each(|message| message.must = false);
        }
    }

    fn acknowledged(&mut self, flight: Option<Flight>) {
        self.forget_shared(flight.and_then(|flight| Some((flight.group?, flight.said))));
    }

    fn forget_shared(&mut self, done: Option<(String, Rc<Said>)>) {
        if let Some((group, said)) = done
            && let Some(group) = self.groups.get_mut(&group)
        {
            group.messages.retain(|message| !Rc::ptr_eq(&message.said, &said));
        }
    }
}
