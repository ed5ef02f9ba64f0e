//! PUBLISH from a client: may it come, is it the first time, and what is answered. Section 3.3.
//!
//! The payload is never looked at: whether it is the UTF-8 that its format indicator claims is for receivers to check,
//! as 3.3.2.3.2 allows.

use crate::{
    CloseReason, Message, Report, broker::Broker, deliver::Passing, retained::Full, session::SessionKey,
    turn::Turn,
};
use alloc::rc::Rc;
use luxwire_shared::mqtt::{Acknowledge, Delivery, Packet, Publish, PublishTopic, ReasonCode, TopicName};

impl Broker {
    pub(crate) fn publish(&mut self, turn: &mut Turn<'_>, key: SessionKey, publish: Publish) {
        let session = &self.sessions[key];
        let Some(connection) = &session.connection else { return };
        let link = connection.link;
        let (topic, properties) = match self.unacceptable(&publish) {
            Some(reason) => {
                let close = match reason {
                    ReasonCode::ProtocolError => CloseReason::ProtocolError,
                    reason => CloseReason::Limit(reason),
                };
                return self.disconnect_client(turn, key, reason, close);
            }
            None => match publish.topic {
                PublishTopic::Name(topic) => (topic, publish.properties),
                PublishTopic::Alias(_) | PublishTopic::NameAndAlias(..) => return,
            },
        };
        if let Delivery::ExactlyOnce { id, .. } = publish.delivery {
            if session.incoming.contains(id) {
                // [MQTT-4.3.3-10]
                return turn.send(link, Packet::Pubrec(Acknowledge::success(id)));
            }
            // [MQTT-3.3.4-7]
            if session.incoming.len() >= connection.receive_maximum {
                let reason = ReasonCode::ReceiveMaximumExceeded;
                return self.disconnect_client(turn, key, reason, CloseReason::Limit(reason));
            }
        }
        let message = Message {
            topic,
            payload: publish.payload,
            qos: publish.delivery.qos(),
            retain: publish.retain,
            properties,
            published: turn.now,
            publisher: session.client_id.clone(),
        };
        let reason = self.accept(turn, message, Some(key));
        if reason.is_failure() {
            let client_id = self.sessions[key].client_id.clone();
            turn.report(Report::PublishRefused { link: Some(link), client_id, reason });
        }
        // [MQTT-3.3.4-1] Answered here, one after the other: in the order in which they came. [MQTT-4.6.0-2]
        // [MQTT-4.6.0-3]
        match publish.delivery {
            Delivery::AtMostOnce => {}
            // [MQTT-4.3.2-4]
            Delivery::AtLeastOnce { id, .. } => {
                turn.send(link, Packet::Puback(Acknowledge::because(id, reason)))
            }
            // [MQTT-4.3.3-8] [MQTT-4.3.3-9]
            Delivery::ExactlyOnce { id, .. } => {
                if !reason.is_failure() {
                    self.sessions[key].incoming.publish(id);
                }
                turn.send(link, Packet::Pubrec(Acknowledge::because(id, reason)));
            }
        }
    }

    /// Why the connection of whoever sent this must be closed.
    fn unacceptable(&self, publish: &Publish) -> Option<ReasonCode> {
        let ids =
            publish.properties.as_ref().is_some_and(|properties| !properties.subscription_ids.is_empty());
        if ids {
            // [MQTT-3.3.4-6]
            return Some(ReasonCode::ProtocolError);
        }
        if publish.qos() > self.limits.qos {
            return Some(ReasonCode::QoSNotSupported);
        }
        if publish.retain && !self.limits.retain {
            return Some(ReasonCode::RetainNotSupported);
        }
        match publish.topic {
            PublishTopic::Name(_) => None,
            // CONNACK announces no Topic Alias Maximum, which means 0. [MQTT-3.3.2-9]
            PublishTopic::Alias(_) | PublishTopic::NameAndAlias(..) => Some(ReasonCode::TopicAliasInvalid),
        }
    }

    /// Takes responsibility for a message: keeps it if it is to be retained, and hands it on. What comes back is what
    /// its publisher is told; after a failure nothing has happened.
    pub(crate) fn accept(
        &mut self,
        turn: &mut Turn<'_>,
        message: Message,
        publisher: Option<SessionKey>,
    ) -> ReasonCode {
        if is_brokers_own(&message.topic) {
            return ReasonCode::TopicNameInvalid;
        }
        let mut passing = Passing::new(message);
        // [MQTT-3.3.1-8]
        if passing.message().retain {
            if passing.message().payload.is_empty() {
                // [MQTT-3.3.1-6] [MQTT-3.3.1-7]
                self.retained.clear(&passing.message().topic);
            } else if self.retained.set(&Rc::clone(passing.keep())) == Err(Full) {
                return ReasonCode::QuotaExceeded;
            }
        }
        self.accepted += 1;
        if self.route(turn, passing, publisher) {
            ReasonCode::Success
        } else {
            ReasonCode::NoMatchingSubscribers
        }
    }
}

/// Whether clients may not publish here: what is below `$SYS` the broker says of itself. Other names that begin with `$`
/// are open to clients, as with the brokers that people come from, although section 4.7.2 would rather have them closed;
/// no wildcard at the top sees them.
pub(crate) fn is_brokers_own(topic: &TopicName) -> bool {
    topic.levels().next() == Some("$SYS")
}
