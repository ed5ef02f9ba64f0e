//! From a message to those who subscribed: one copy for each session, sent at once or kept until there is room.
//!
//! The order in which messages reach a session is the order in which they were accepted. QoS 0 keeps its place behind
//! QoS 1 and 2 that wait, although it could overtake them: of two values of one topic the later must arrive last.
//! [MQTT-4.6.0-5] [MQTT-4.6.0-6], 3.1.1: [MQTT-4.6.0-6]
//!
//! QoS 0 is not kept for a client that is away, which 3.1.2.4 leaves open: who comes back asks for the retained values.

use crate::{
    DeliveredRef, Dropped, Limits, LinkId, Message, Passing, Report,
    broker::Broker,
    queue::Pending,
    session::{Connection, Readiness, Session, SessionKey, Sessions},
    subscriptions::Subscription,
    turn::Turn,
};
use alloc::{rc::Rc, vec::Vec};
use core::mem;
use luxwire_shared::{
    mqtt::{
        AcknowledgeKind, Delivery, EncodeError, PacketId, PublishRef, PublishTopic, QoS, Subscribable,
        SubscriptionId, flow::Stage,
    },
    time::Timestamp,
};

impl Broker {
    /// Hands the message to every session with a matching subscription; says whether there was one. [MQTT-4.5.0-1]
    pub(crate) fn route(
        &mut self,
        turn: &mut Turn<'_>,
        passing: &Passing<'_>,
        publisher: Option<SessionKey>,
    ) -> bool {
        let route = self.subscriptions.matching(passing.message().topic);
        let nodes = self.subscriptions.matched(route);
        let mut anybody = false;
        if let [node] = *nodes {
            self.subscriptions.subscribers(node).for_each(|(key, subscription)| {
                let own = publisher == Some(key);
                anybody |= self.sessions.deliver(turn, &self.limits, passing, key, own, &subscription);
            });
        } else {
            // Overlapping subscriptions of one session become one copy.
            let mut subscribers = mem::take(&mut self.matching_subscribers);
            subscribers.extend(nodes.iter().flat_map(|node| self.subscriptions.subscribers(*node)));
            subscribers.sort_by_key(|(key, _)| *key);
            for of_one in subscribers.chunk_by(|(a, _), (b, _)| a == b) {
                let [(key, ref subscription), ref others @ ..] = *of_one else { continue };
                let own = publisher == Some(key);
                if others.is_empty() {
                    anybody |= self.sessions.deliver(turn, &self.limits, passing, key, own, subscription);
                    continue;
                }
                let mut ids = Vec::new();
                let of_one = of_one.iter().map(|(_, subscription)| subscription);
                if let Some(matching) = Matching::all(of_one, own, &mut ids) {
                    anybody |= self.sessions[key].deliver(turn, &self.limits, passing, matching);
                }
            }
            subscribers.clear();
            self.matching_subscribers = subscribers;
        }
        for at in 0..nodes.len() {
            // Whoever takes the message changes no filter, so that the route holds.
            if let Some(node) = self.subscriptions.matched(route).get(at) {
                anybody |= self.route_shared(turn, passing, *node);
            }
        }
        anybody
    }

    /// Sends what there is room for: first what an earlier connection left unacknowledged, then what waits, then
    /// retained messages.
    pub(crate) fn pump(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let session = &mut self.sessions[key];
        session.resend(turn);
        session.send_waiting(turn, &self.limits);
        if !session.replays.is_empty() {
            self.replay(turn, key);
        }
    }
}

/// What all the matching subscriptions of one session ask for together.
#[derive(Clone, Copy)]
pub(crate) struct Matching<'a> {
    qos: QoS,
    retain_as_published: bool,
    subscription_ids: &'a [SubscriptionId],
    share: Option<&'a Rc<Subscribable>>,
}

impl<'a> Matching<'a> {
    /// `None` if the subscription does not want what its own client published. [MQTT-3.8.3-3]
    #[inline]
    fn one(subscription: &'a Subscription, own: bool) -> Option<Self> {
        (!(own && subscription.no_local)).then_some(Self {
            qos: subscription.qos,
            retain_as_published: subscription.retain_as_published,
            subscription_ids: subscription.id.as_slice(),
            share: None,
        })
    }

    /// The highest quality and all the identifiers, which are put into `ids`; `None` as with one.
    /// [MQTT-3.3.4-2] [MQTT-3.3.4-3] [MQTT-3.3.4-4], 3.1.1: [MQTT-3.3.5-1]
    fn all(
        subscriptions: impl Iterator<Item = &'a Subscription>,
        own: bool,
        ids: &'a mut Vec<SubscriptionId>,
    ) -> Option<Self> {
        let together = subscriptions
            .filter_map(|subscription| Self::one(subscription, own))
            .inspect(|one| ids.extend(one.subscription_ids))
            .reduce(|all, one| Self {
                qos: all.qos.max(one.qos),
                retain_as_published: all.retain_as_published || one.retain_as_published,
                ..all
            });
        together.map(|together| Self { subscription_ids: ids, ..together })
    }

    /// What a member of a group asks for: a copy of its own, whatever else its session subscribed to. [MQTT-3.3.4-5]
    pub(crate) fn shared(subscription: &'a Subscription, name: &'a Rc<Subscribable>) -> Self {
        Self {
            qos: subscription.qos,
            retain_as_published: subscription.retain_as_published,
            subscription_ids: subscription.id.as_slice(),
            share: Some(name),
        }
    }
}

impl Sessions {
    /// [`Session::deliver`] for one subscription, of whoever published the message itself if it is their `own`.
    #[inline]
    fn deliver(
        &mut self,
        turn: &mut Turn<'_>,
        limits: &Limits,
        passing: &Passing<'_>,
        key: SessionKey,
        own: bool,
        subscription: &Subscription,
    ) -> bool {
        let message = passing.message();
        let once = message.qos.min(subscription.qos) == QoS::AtMostOnce;
        if once
            && !own
            && let Some(link) = self.at_once(key)
        {
            let retain = message.retain && subscription.retain_as_published;
            let subscription_ids = subscription.id.as_slice();
            let outbound = Outbound { passing, qos: QoS::AtMostOnce, retain, subscription_ids };
            turn.deliver(link, &outbound, Delivery::AtMostOnce, None);
            return true;
        }
        let Some(matching) = Matching::one(subscription, own) else { return false };
        let was_permitted = self[key].deliver(turn, limits, passing, matching);
        if once {
            self.find_at_once(key);
        }
        was_permitted
    }
}

impl Session {
    /// Sends the message or keeps it for later, unless it may not be read here; then `false` comes back.
    #[inline]
    pub(crate) fn deliver(
        &mut self,
        turn: &mut Turn<'_>,
        limits: &Limits,
        passing: &Passing<'_>,
        matching: Matching<'_>,
    ) -> bool {
        let message = passing.message();
        if !self.may_read(message.topic) {
            return false;
        }
        // [MQTT-3.8.4-8], 3.1.1: [MQTT-3.8.4-6]
        let qos = message.qos.min(matching.qos);
        // [MQTT-3.3.1-12] [MQTT-3.3.1-13], 3.1.1: [MQTT-3.3.1-9]
        let retain = message.retain && matching.retain_as_published;
        let outbound = &Outbound { passing, qos, retain, subscription_ids: matching.subscription_ids };
        if self.connection.is_none() {
            if qos != QoS::AtMostOnce {
                self.queue(turn, limits, outbound.keep(matching.share));
            }
        } else if !self.queue.is_empty() || self.outgoing.is_resending() {
            self.queue(turn, limits, outbound.keep(matching.share));
        } else if qos == QoS::AtMostOnce || self.has_room_for(message.size(), limits) {
            self.send(turn, outbound, matching.share);
        } else {
            self.queue(turn, limits, outbound.keep(matching.share));
        }
        true
    }

    /// How far this session is from taking a message under this subscription.
    pub(crate) fn readiness(
        &self,
        passing: &Passing<'_>,
        subscription: Subscription,
        limits: &Limits,
    ) -> Readiness {
        let message = passing.message();
        let size = message.size();
        let qos = message.qos.min(subscription.qos);
        let waiting = self.queue.len() + self.outgoing.len();
        let Some(connection) = &self.connection else {
            let can_wait = qos != QoS::AtMostOnce && self.has_place_for(size, qos, limits);
            return if can_wait { Readiness::Away(waiting) } else { Readiness::Never };
        };
        let takes_its_size = connection.packet_size.is_none() || {
            let retain = message.retain && subscription.retain_as_published;
            let subscription_ids = subscription.id.as_slice();
            connection.takes_message(&Outbound { passing, qos, retain, subscription_ids })
        };
        let nothing_before = self.queue.is_empty() && !self.outgoing.is_resending();
        if !takes_its_size {
            Readiness::Never
        } else if nothing_before && (qos == QoS::AtMostOnce || self.has_room_for(size, limits)) {
            Readiness::AtOnce
        } else if self.has_place_for(size, qos, limits) {
            Readiness::Behind(waiting)
        } else {
            Readiness::Never
        }
    }

    /// Whether the window has room for a message of QoS 1 or 2. [MQTT-3.3.4-9] [MQTT-4.9.0-2]
    pub(crate) fn has_room_for(&self, size: usize, limits: &Limits) -> bool {
        self.outgoing.has_room()
            && (self.outgoing.is_empty() || self.in_flight_bytes + size <= limits.in_flight_bytes)
    }

    /// Sends a message at QoS 0, if the client takes packets of its size. [MQTT-4.3.1-1]
    #[inline]
    fn send_once(&mut self, turn: &mut Turn<'_>, outbound: &Outbound<'_>) {
        let Some(connection) = &self.connection else { return };
        // [MQTT-3.1.2-24] [MQTT-3.1.2-25]
        if !connection.takes_message(outbound) {
            return self.report_dropped(turn, outbound.qos, Dropped::TooLarge);
        }
        let set_at = connection.set_at(outbound.passing.message(), outbound.retain);
        turn.deliver(connection.link, outbound, Delivery::AtMostOnce, set_at);
    }

    /// Sends a message for the first time, if the client takes packets of its size, and keeps it until it is acknowledged;
    /// `share` as in [`Pending::share`]. There must be a connection, and room in the window unless the message is of QoS 0.
    #[inline]
    fn send(&mut self, turn: &mut Turn<'_>, outbound: &Outbound<'_>, share: Option<&Rc<Subscribable>>) {
        if outbound.qos == QoS::AtMostOnce {
            return self.send_once(turn, outbound);
        }
        let Some(connection) = &self.connection else { return };
        // [MQTT-3.1.2-24] [MQTT-3.1.2-25]
        if !connection.takes_message(outbound) {
            return self.report_dropped(turn, outbound.qos, Dropped::TooLarge);
        }
        let Some(id) = self.outgoing.send(outbound.qos, outbound.keep(share)) else { return };
        let message = outbound.passing.message();
        self.in_flight_bytes += message.size();
        let set_at = connection.set_at(message, outbound.retain);
        // Whatever DUP said when the message came. [MQTT-3.3.1-3] [MQTT-4.3.2-2] [MQTT-4.3.3-2]
        turn.deliver(connection.link, outbound, Delivery::first(outbound.qos, id), set_at);
    }

    /// Sends a retained message to who subscribed, under the same conditions. 3.1.1: [MQTT-3.3.1-8]
    #[inline]
    pub(crate) fn send_retained(
        &mut self,
        turn: &mut Turn<'_>,
        message: &Rc<Message>,
        qos: QoS,
        subscription: Subscription,
    ) {
        let passing = &Passing::kept(message);
        let subscription_ids = subscription.id.as_slice();
        self.send(turn, &Outbound { passing, qos, retain: true, subscription_ids }, None);
    }

    /// Sends a message that waited, under the same conditions.
    fn send_kept(&mut self, turn: &mut Turn<'_>, pending: &Pending) {
        let passing = Passing::kept(&pending.message);
        self.send(turn, &pending.outbound(&passing), pending.share());
    }

    /// Sends again what the client did not acknowledge on an earlier connection. [MQTT-4.4.0-1], 3.1.1: [MQTT-4.4.0-1]
    fn resend(&mut self, turn: &mut Turn<'_>) {
        let Some(connection) = &self.connection else { return };
        let link = connection.link;
        while let Some((id, stage)) = self.outgoing.resend() {
            let (pending, delivery) = match stage {
                // However old it is by now. [MQTT-3.3.1-1] [MQTT-4.3.3-7] [MQTT-4.3.3-13]
                Stage::AwaitsPuback(pending) => (pending.clone(), Delivery::AtLeastOnce { id, dup: true }),
                Stage::AwaitsPubrec(pending) => (pending.clone(), Delivery::ExactlyOnce { id, dup: true }),
                // [MQTT-4.3.3-5] [MQTT-4.3.3-6]
                Stage::AwaitsPubcomp => {
                    turn.acknowledge(link, AcknowledgeKind::Pubrel, id);
                    continue;
                }
            };
            let permitted = self.may_read(pending.message.topic());
            let passing = Passing::kept(&pending.message);
            let outbound = pending.outbound(&passing);
            if permitted && connection.takes_message(&outbound) {
                turn.deliver(link, &outbound, delivery, connection.set_at(passing.message(), pending.retain));
                continue;
            }
            // It took more when the message was sent first [MQTT-3.1.2-25], or was somebody else.
            match delivery {
                Delivery::ExactlyOnce { .. } => drop(self.outgoing.pubrec(id, true)),
                Delivery::AtMostOnce | Delivery::AtLeastOnce { .. } => drop(self.outgoing.puback(id)),
            }
            self.in_flight_bytes -= pending.message.size();
            if permitted {
                self.report_dropped(turn, pending.qos, Dropped::TooLarge);
            }
        }
    }

    /// Sends what waits, as far as the window goes. Nothing else waits for it. [MQTT-4.9.0-3]
    fn send_waiting(&mut self, turn: &mut Turn<'_>, limits: &Limits) {
        if self.connection.is_none() {
            return;
        }
        while let Some(pending) = self.queue.front().filter(|_| !self.outgoing.is_resending()) {
            let expired = pending.message.has_expired(turn.now.instant);
            if !expired
                && pending.qos != QoS::AtMostOnce
                && !self.has_room_for(pending.message.size(), limits)
            {
                return;
            }
            let Some(pending) = self.queue.pop() else { return };
            if expired {
                // [MQTT-3.3.2-5]
                self.report_dropped(turn, pending.qos, Dropped::Expired);
            } else {
                self.send_kept(turn, &pending);
            }
        }
    }

    /// Keeps a message for later. When there is no room, it is the one that is dropped: those before it were accepted
    /// first. QoS 0 may take half of the room only, so that it never costs the place of what must arrive.
    /// 3.1.1: [MQTT-3.1.2-5]
    fn queue(&mut self, turn: &mut Turn<'_>, limits: &Limits, pending: Pending) {
        let has_place = |session: &Self| session.has_place_for(pending.message.size(), pending.qos, limits);
        if !has_place(self) {
            for expired in self.queue.drop_expired(turn.now.instant) {
                self.report_dropped(turn, expired.qos, Dropped::Expired);
            }
            if !has_place(self) {
                return self.report_dropped(turn, pending.qos, Dropped::QueueFull);
            }
        }
        self.queue.push(pending);
    }

    /// What is in flight counts as well: it is kept until it is acknowledged.
    fn has_place_for(&self, size: usize, qos: QoS, limits: &Limits) -> bool {
        let part = if qos == QoS::AtMostOnce { 2 } else { 1 };
        self.queue.len() + self.outgoing.len() < limits.session_queue_messages / part
            && self.queue.bytes() + self.in_flight_bytes + size <= limits.session_queue_bytes / part
    }

    fn report_dropped(&self, turn: &mut Turn<'_>, qos: QoS, why: Dropped) {
        turn.sent.dropped += u64::from(why != Dropped::Expired);
        turn.report(Report::Dropped { client_id: self.client_id.clone(), qos, why });
    }
}

/// A message as one session gets it.
#[derive(Clone, Copy)]
pub(crate) struct Outbound<'a> {
    passing: &'a Passing<'a>,
    qos: QoS,
    retain: bool,
    subscription_ids: &'a [SubscriptionId],
}

impl Pending {
    /// `passing` is this message.
    fn outbound<'a>(&'a self, passing: &'a Passing<'a>) -> Outbound<'a> {
        let subscription_ids = self.subscription_ids();
        Outbound { passing, qos: self.qos, retain: self.retain, subscription_ids }
    }
}

impl Connection {
    /// Whether the client takes the packet that the message becomes on this connection. [MQTT-3.1.2-24]
    #[inline]
    fn takes_message(&self, outbound: &Outbound<'_>) -> bool {
        self.packet_size.is_none() || self.takes(outbound.encoded_len(self))
    }
}

impl Outbound<'_> {
    /// The same to be kept; `share` as in [`Pending::share`].
    #[inline]
    fn keep(&self, share: Option<&Rc<Subscribable>>) -> Pending {
        let message = Rc::clone(self.passing.keep());
        Pending::new(message, self.qos, self.retain, self.subscription_ids, share)
    }

    /// How long the packet becomes on this connection.
    fn encoded_len(&self, connection: &Connection) -> Result<usize, EncodeError> {
        let message = self.passing.message();
        let packet = PublishRef {
            delivery: Delivery::first(self.qos, PacketId::MIN),
            retain: self.retain,
            topic: PublishTopic::Name(message.topic),
            properties: message.properties,
            message_expiry_interval_s: message
                .properties
                .and_then(|properties| properties.message_expiry_interval_s),
            subscription_ids: self.subscription_ids,
            set_at: connection.set_at(message, self.retain),
            payload: message.payload,
        };
        packet.encoded_len(connection.version)
    }
}

impl Turn<'_> {
    #[inline]
    fn deliver(
        &mut self,
        link: LinkId,
        outbound: &Outbound<'_>,
        delivery: Delivery,
        set_at: Option<Timestamp>,
    ) {
        let message = outbound.passing.message();
        self.sent.packets += 1;
        self.sent.publishes += 1;
        self.sent.payload_bytes += message.payload.len() as u64;
        self.effects.deliver(&DeliveredRef {
            link,
            message: outbound.passing,
            delivery,
            retain: outbound.retain,
            message_expiry_interval_s: message.expiry_left_s(self.now.instant),
            subscription_ids: outbound.subscription_ids,
            set_at,
        });
    }
}
