//! SUBSCRIBE and UNSUBSCRIBE. Sections 3.8 to 3.11.
//!
//! Shared subscriptions are not available, as CONNACK says.

use crate::{
    CloseReason, broker::Broker, replay::Replay, session::SessionKey, size, subscriptions::Subscription,
    turn::Turn,
};
use alloc::vec::Vec;
use luxwire_shared::mqtt::{
    Packet, QoS, ReasonCode, RetainHandling, Suback, Subscribe, SubscribeFilter, SubscriptionId, TopicFilter,
    Unsuback, Unsubscribe, Version,
};

impl Broker {
    pub(crate) fn subscribe(&mut self, turn: &mut Turn<'_>, key: SessionKey, subscribe: &Subscribe) {
        let Some(connection) = &self.sessions[key].connection else { return };
        let (link, version) = (connection.link, connection.version);
        if version == Version::V5 && subscribe.filters.iter().any(|filter| filter.filter.share.is_some()) {
            let no_local =
                subscribe.filters.iter().any(|filter| filter.filter.share.is_some() && filter.no_local);
            return if no_local {
                // [MQTT-3.8.3-4]
                self.disconnect_client(turn, key, ReasonCode::ProtocolError, CloseReason::ProtocolError)
            } else {
                // Section 3.2.2.3.13.
                let reason = ReasonCode::SharedSubscriptionsNotSupported;
                self.disconnect_client(turn, key, reason, CloseReason::Limit(reason))
            };
        }
        if !self.answer_fits(turn, key, subscribe.filters.len()) {
            return;
        }
        let id = subscribe.subscription_id;
        // [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.9.3-1]
        let reasons = subscribe.filters.iter().map(|filter| self.subscribe_one(key, filter, id)).collect();
        // [MQTT-3.8.4-1] [MQTT-3.8.4-2]
        turn.send(link, Packet::Suback(Suback { id: subscribe.id, properties: None, reasons }));
        self.pump(turn, key);
    }

    /// Grants or refuses one filter. [MQTT-3.8.4-7]
    fn subscribe_one(
        &mut self,
        key: SessionKey,
        wanted: &SubscribeFilter,
        id: Option<SubscriptionId>,
    ) -> ReasonCode {
        let filter = &wanted.filter.filter;
        if wanted.filter.share.is_some() {
            return ReasonCode::SharedSubscriptionsNotSupported;
        }
        if filter.as_str().len() > self.limits.filter_len
            || filter.levels().count() > self.limits.filter_levels
        {
            return ReasonCode::TopicFilterInvalid;
        }
        let session = &mut self.sessions[key];
        let known = self.subscriptions.find(filter).is_some_and(|node| session.subscriptions.contains(&node));
        if !known && session.subscriptions.len() >= self.limits.session_subscriptions {
            return ReasonCode::QuotaExceeded;
        }
        let subscription = Subscription {
            // [MQTT-3.2.2-10]
            qos: wanted.qos.min(self.limits.qos),
            no_local: wanted.no_local,
            retain_as_published: wanted.retain_as_published,
            id,
        };
        let (node, replaced) = self.subscriptions.insert(filter, key, subscription);
        session.subscriptions.insert(node);
        let replay = match wanted.retain_handling {
            // [MQTT-3.3.1-9]
            RetainHandling::Send => true,
            // [MQTT-3.3.1-10]
            RetainHandling::SendIfNew => replaced.is_none(),
            // [MQTT-3.3.1-11]
            RetainHandling::DoNotSend => false,
        };
        if replay {
            // One that is under way begins anew, which sends everything once more. [MQTT-3.8.4-4]
            session.replays.retain(|replay| replay.node != node);
            session.replays.push_back(Replay::new(
                node,
                filter.detached(),
                subscription,
                self.retained.sets(),
            ));
        }
        match subscription.qos {
            QoS::AtMostOnce => ReasonCode::Success,
            QoS::AtLeastOnce => ReasonCode::GrantedQoS1,
            QoS::ExactlyOnce => ReasonCode::GrantedQoS2,
        }
    }

    pub(crate) fn unsubscribe(&mut self, turn: &mut Turn<'_>, key: SessionKey, unsubscribe: &Unsubscribe) {
        let Some(link) = self.sessions[key].link() else { return };
        if !self.answer_fits(turn, key, unsubscribe.filters.len()) {
            return;
        }
        // [MQTT-3.10.4-6] [MQTT-3.11.3-1]
        let reasons: Vec<_> = unsubscribe
            .filters
            .iter()
            .map(|wanted| {
                let removed = wanted.share.is_none() && self.unsubscribe_one(key, &wanted.filter);
                if removed { ReasonCode::Success } else { ReasonCode::NoSubscriptionExisted }
            })
            .collect();
        // [MQTT-3.10.4-4] [MQTT-3.10.4-5]
        turn.send(link, Packet::Unsuback(Unsuback { id: unsubscribe.id, properties: None, reasons }));
    }

    /// What is queued or in flight already stays so. [MQTT-3.10.4-2] [MQTT-3.10.4-3]
    fn unsubscribe_one(&mut self, key: SessionKey, filter: &TopicFilter) -> bool {
        let session = &mut self.sessions[key];
        let Some(node) = self.subscriptions.find(filter).filter(|node| session.subscriptions.remove(node))
        else {
            return false;
        };
        session.replays.retain(|replay| replay.node != node);
        self.subscriptions.remove(node, key)
    }

    /// A client that asks about more filters than its own Maximum Packet Size lets be answered cannot be served.
    fn answer_fits(&mut self, turn: &mut Turn<'_>, key: SessionKey, filters: usize) -> bool {
        let connection = self.sessions[key].connection.as_ref();
        let max = connection.and_then(|connection| connection.packet_size);
        let fits = max.is_none_or(|max| size::suback(filters) <= max.get() as usize);
        if !fits {
            let reason = ReasonCode::PacketTooLarge;
            self.disconnect_client(turn, key, reason, CloseReason::Limit(reason));
        }
        fits
    }
}
