//! SUBSCRIBE and UNSUBSCRIBE. Sections 3.8 to 3.11.

use crate::{
    CloseReason, Limits, LinkId,
    broker::Broker,
    replay::Replay,
    session::SessionKey,
    subscriptions::{NodeId, Subscription},
    turn::Turn,
};
use alloc::{collections::BTreeMap, format, rc::Rc, string::String, vec::Vec};
use luxwire_shared::mqtt::{
    Packet, QoS, ReasonCode, RetainHandling, ShareName, Suback, Subscribable, Subscribe, SubscribeFilter,
    SubscriptionId, Unsuback, Unsubscribe,
};

impl Broker {
    pub(crate) fn subscribe(&mut self, turn: &mut Turn<'_>, key: SessionKey, subscribe: &Subscribe) {
        let Some(link) = self.sessions[key].link() else { return };
        let id = subscribe.subscription_id;
        let mut replays = Replays::new();
        // [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.9.3-1], 3.1.1: [MQTT-3.8.4-5]
        let filters = subscribe.filters.iter();
        let reasons: Vec<_> =
            filters.map(|wanted| self.subscribe_one(key, wanted, id, &mut replays)).collect();
        // One that is under way begins anew, which sends everything once more. [MQTT-3.8.4-4], 3.1.1: [MQTT-3.8.4-3]
        let under_way = &mut self.sessions[key].replays;
        if under_way.is_empty() {
            *under_way = replays;
        } else {
            under_way.extend(replays);
        }
        // [MQTT-3.8.4-1] [MQTT-3.8.4-2]
        let refused =
            reasons.iter().find(|reason| reason.is_failure()).map(|reason| self.why_refused(*reason));
        let Some(connection) = &self.sessions[key].connection else { return };
        let suback = connection.suback(Suback { id: subscribe.id, properties: None, reasons }, refused);
        if self.answer(turn, key, link, suback) {
            self.pump(turn, key);
            let shares = &self.sessions[key].shares;
            let joined = subscribe.filters.iter().filter_map(|wanted| shares.get_key_value(&wanted.filter));
            let joined: BTreeMap<_, _> = joined.map(|(name, node)| (Rc::clone(name), *node)).collect();
            self.member_came(turn, &joined);
        }
    }

    /// Grants or refuses one filter. [MQTT-3.8.4-7]
    fn subscribe_one(
        &mut self,
        key: SessionKey,
        wanted: &SubscribeFilter,
        id: Option<SubscriptionId>,
        replays: &mut Replays,
    ) -> ReasonCode {
        let Subscribable { share, filter } = &wanted.filter;
        let share_len = share.as_ref().map_or(0, |share| share.as_str().len());
        if share_len + filter.as_str().len() > self.limits.filter_len
            || filter.levels().count() > self.limits.filter_levels
        {
            return ReasonCode::TopicFilterInvalid;
        }
        let session = &self.sessions[key];
        if session.rights.as_ref().is_some_and(|rights| !rights.may_read_some_of(filter)) {
            return self.told(ReasonCode::NotAuthorized);
        }
        let node = share.is_none().then(|| self.subscriptions.find(filter)).flatten();
        let known = match share {
            None => node.is_some_and(|node| session.subscriptions.contains(&node)),
            Some(_) => session.shares.contains_key(&wanted.filter),
        };
        let subscriptions = session.subscriptions.len() + session.shares.len();
        let times = node.and_then(|node| replays.get(&node)).map_or(0, Replay::times);
        if (!known && subscriptions >= self.limits.session_subscriptions)
            || times >= self.limits.filter_replays
        {
            return ReasonCode::QuotaExceeded;
        }
        let subscription = Subscription {
            // [MQTT-3.2.2-10]
            qos: wanted.qos.min(self.limits.qos),
            no_local: wanted.no_local,
            retain_as_published: wanted.retain_as_published,
            id,
        };
        match share {
            None => self.subscribe_own(key, wanted, subscription, replays),
            Some(share) => self.subscribe_shared(key, &wanted.filter, share, subscription),
        }
        match subscription.qos {
            QoS::AtMostOnce => ReasonCode::Success,
            QoS::AtLeastOnce => ReasonCode::GrantedQoS1,
            QoS::ExactlyOnce => ReasonCode::GrantedQoS2,
        }
    }

    fn why_refused(&self, reason: ReasonCode) -> String {
        let Limits { filter_levels, filter_len, filter_replays, session_subscriptions, .. } = self.limits;
        match reason {
            ReasonCode::TopicFilterInvalid => {
                format!("a filter may have at most {filter_levels} levels and {filter_len} bytes")
            }
            ReasonCode::QuotaExceeded => format!(
                "a session may have at most {session_subscriptions} subscriptions, and a packet name each at most \
                 {filter_replays} times"
            ),
            _ => "this client may read nothing of this".into(),
        }
    }

    fn subscribe_own(
        &mut self,
        key: SessionKey,
        wanted: &SubscribeFilter,
        subscription: Subscription,
        replays: &mut Replays,
    ) {
        let filter = &wanted.filter.filter;
        let (node, replaced) = self.subscriptions.insert(filter, key, subscription);
        self.sessions[key].subscriptions.insert(node);
        let is_wanted = match wanted.retain_handling {
            // [MQTT-3.3.1-9], 3.1.1: [MQTT-3.3.1-6]
            RetainHandling::Send => true,
            // [MQTT-3.3.1-10]
            RetainHandling::SendIfNew => replaced.is_none(),
            // [MQTT-3.3.1-11]
            RetainHandling::DoNotSend => false,
        };
        if is_wanted {
            let sets = self.retained.sets();
            replays
                .entry(node)
                .and_modify(|replay| replay.repeat(subscription))
                .or_insert_with(|| Replay::new(filter.detached(), subscription, sets));
        }
    }

    /// Retained messages are not sent to those who share. [MQTT-4.8.2]
    fn subscribe_shared(
        &mut self,
        key: SessionKey,
        name: &Subscribable,
        share: &ShareName,
        subscription: Subscription,
    ) {
        let (node, name) = self.subscriptions.join(name, share, key, subscription);
        self.sessions[key].shares.insert(name, node);
    }

    pub(crate) fn unsubscribe(&mut self, turn: &mut Turn<'_>, key: SessionKey, unsubscribe: &Unsubscribe) {
        let Some(link) = self.sessions[key].link() else { return };
        // [MQTT-3.10.4-6] [MQTT-3.11.3-1]
        let reasons: Vec<_> = unsubscribe
            .filters
            .iter()
            .map(|wanted| {
                if self.unsubscribe_one(key, wanted) {
                    ReasonCode::Success
                } else {
                    ReasonCode::NoSubscriptionExisted
                }
            })
            .collect();
        // [MQTT-3.10.4-4] [MQTT-3.10.4-5]
        let unsuback = Packet::Unsuback(Unsuback { id: unsubscribe.id, properties: None, reasons });
        self.answer(turn, key, link, unsuback);
    }

    /// What is queued or in flight already stays so. [MQTT-3.10.4-2] [MQTT-3.10.4-3]
    /// [MQTT-3.10.4-1]
    fn unsubscribe_one(&mut self, key: SessionKey, wanted: &Subscribable) -> bool {
        let session = &mut self.sessions[key];
        if let Some(share) = &wanted.share {
            let node = session.shares.remove(wanted);
            return node.is_some_and(|node| self.subscriptions.leave(node, share, key));
        }
        let node = self.subscriptions.find(&wanted.filter);
        let Some(node) = node.filter(|node| session.subscriptions.remove(node)) else { return false };
        session.replays.remove(&node);
        self.subscriptions.remove(node, key)
    }

    /// Sends SUBACK, UNSUBACK or AUTH. A client that asks about more than its own Maximum Packet Size lets be answered
    /// cannot be served, and `false` comes back. [MQTT-3.1.2-24]
    pub(crate) fn answer(
        &mut self,
        turn: &mut Turn<'_>,
        key: SessionKey,
        link: LinkId,
        answer: Packet,
    ) -> bool {
        let connection = self.sessions[key].connection.as_ref();
        let fits =
            connection.is_some_and(|connection| connection.takes(answer.encoded_len(connection.version)));
        if fits {
            turn.send(link, answer);
        } else {
            let reason = ReasonCode::PacketTooLarge;
            let why = "the answer is larger than the client takes";
            self.disconnect_client(turn, key, reason, why, CloseReason::Limit(reason));
        }
        fits
    }
}

/// What one SUBSCRIBE has coming.
type Replays = BTreeMap<NodeId, Replay>;
