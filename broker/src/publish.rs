//! PUBLISH from a client: may it come, is it the first time, and what is answered. Section 3.3.
//!
//! The payload is looked at only where its format indicator says that it is UTF-8.

use crate::{
    CloseReason, MessageRef, Passing, Report, alias::TooManyBytes, broker::Broker, retained::Full,
    session::SessionKey, turn::Turn,
};
use alloc::rc::Rc;
use luxwire_shared::mqtt::{
    AcknowledgeKind, Delivery, PayloadFormat, PublishRef, PublishTopic, QoS, ReasonCode, TopicName, TopicRef,
};

impl Broker {
    pub(crate) fn publish(&mut self, turn: &mut Turn<'_>, key: SessionKey, publish: &PublishRef<'_>) {
        self.sys.counters.publishes_received += 1;
        self.sys.counters.payload_bytes_received += publish.payload.len() as u64;
        let permitted = self.permitted(publish);
        let known;
        let topic = match permitted.and_then(|()| self.topic(key, publish.topic)) {
            Ok(Topic::Written(topic)) => topic,
            Ok(Topic::Known(topic)) => {
                known = topic;
                known.borrowed()
            }
            Err(Objection { reason, why }) => {
                let close = match reason {
                    ReasonCode::ProtocolError => CloseReason::ProtocolError,
                    reason => CloseReason::Limit(reason),
                };
                return self.disconnect_client(turn, key, reason, why, close);
            }
        };
        let session = &self.sessions[key];
        let Some(connection) = &session.connection else { return };
        let link = connection.link;
        if let Delivery::ExactlyOnce { id, .. } = publish.delivery {
            if session.incoming.as_ref().is_some_and(|incoming| incoming.contains(id)) {
                // [MQTT-4.3.3-10]
                return turn.acknowledge(link, AcknowledgeKind::Pubrec, id);
            }
            // [MQTT-3.3.4-7]
            if session.incoming.as_ref().is_some_and(|incoming| incoming.len() >= connection.receive_maximum)
            {
                let reason = ReasonCode::ReceiveMaximumExceeded;
                let why = "too many messages at QoS 2 are not released";
                return self.disconnect_client(turn, key, reason, why, CloseReason::Limit(reason));
            }
        }
        let publisher = Rc::clone(&session.client_id);
        let message = MessageRef {
            topic,
            payload: publish.payload,
            qos: publish.delivery.qos(),
            retain: publish.retain,
            properties: publish.properties,
            published: turn.now,
            publisher: &publisher,
        };
        let reason = if session.may_write(topic) {
            self.accept(turn, message, Some(key))
        } else {
            turn.sent.dropped += 1;
            ReasonCode::NotAuthorized
        };
        let told = self.told(reason);
        let session = &mut self.sessions[key];
        if reason.is_failure() {
            let client_id = session.client_id.clone();
            turn.report(Report::PublishRefused { link: Some(link), client_id, reason });
        }
        let Some(connection) = &session.connection else { return };
        // [MQTT-3.3.4-1] Answered here, one after the other: in the order in which they came. [MQTT-4.6.0-2]
        // [MQTT-4.6.0-3] Before 5.0 there is no word for a refusal. 3.1.1: [MQTT-3.3.5-2]
        let (kind, id) = match publish.delivery {
            Delivery::AtMostOnce => return,
            // Nothing of it is remembered: the identifier is free. [MQTT-4.3.2-4] [MQTT-4.3.2-5], 3.1.1: [MQTT-4.3.2-2]
            Delivery::AtLeastOnce { id, .. } => (AcknowledgeKind::Puback, id),
            // [MQTT-4.3.3-8] [MQTT-4.3.3-9]
            Delivery::ExactlyOnce { id, .. } => (AcknowledgeKind::Pubrec, id),
        };
        if kind == AcknowledgeKind::Pubrec && !reason.is_failure() {
            session.incoming.get_or_insert_default().publish(id);
        }
        if told == ReasonCode::Success {
            turn.acknowledge(link, kind, id);
        } else {
            turn.send(link, connection.publish_answer(kind, id, told));
        }
    }

    /// An error is why the connection of whoever sent this must be closed.
    fn permitted(&self, publish: &PublishRef<'_>) -> Result<(), Objection> {
        if !publish.subscription_ids.is_empty() {
            // [MQTT-3.3.4-6]
            let why = "subscription identifiers come from the server only";
            return Err(Objection { reason: ReasonCode::ProtocolError, why });
        }
        if publish.delivery.qos() > self.limits.qos {
            // [MQTT-3.3.1.2]
            let why = "the quality is above the maximum that CONNACK announced";
            return Err(Objection { reason: ReasonCode::QoSNotSupported, why });
        }
        if publish.retain && !self.limits.retain {
            // [MQTT-3.3.1.3]
            let why = "nothing is retained here, as CONNACK announced";
            return Err(Objection { reason: ReasonCode::RetainNotSupported, why });
        }
        Ok(())
    }

    /// The name of the topic, with what aliases have to do with it. They count whatever becomes of the message: one that
    /// is refused, or a repetition of one that came, introduces its alias all the same. [MQTT-3.3.2-3]
    fn topic<'a>(
        &mut self,
        key: SessionKey,
        topic: PublishTopic<TopicRef<'a>>,
    ) -> Result<Topic<'a>, Objection> {
        let (name, alias) = match topic {
            PublishTopic::Name(name) => return Ok(Topic::Written(name)),
            PublishTopic::Alias(alias) => (None, alias),
            PublishTopic::NameAndAlias(name, alias) => (Some(name), alias),
        };
        // [MQTT-3.3.2-9] [MQTT-3.3.2-12]
        if alias.0.get() > self.limits.topic_alias_maximum {
            let why = "the topic alias is above the maximum that CONNACK announced";
            return Err(Objection { reason: ReasonCode::TopicAliasInvalid, why });
        }
        let unknown =
            Objection { reason: ReasonCode::ProtocolError, why: "the topic alias stands for nothing" };
        let Some(connection) = &mut self.sessions[key].connection else { return Err(unknown) };
        let aliases = &mut connection.aliases;
        match name {
            None => {
                let name = aliases.as_ref().and_then(|aliases| aliases.name(alias));
                name.cloned().map(Topic::Known).ok_or(unknown)
            }
            Some(name) => {
                match aliases.get_or_insert_default().introduce(alias, name, self.limits.topic_alias_bytes) {
                    Ok(()) => Ok(Topic::Written(name)),
                    Err(TooManyBytes) => {
                        let why = "the topics behind aliases are too long together";
                        Err(Objection { reason: ReasonCode::QuotaExceeded, why })
                    }
                }
            }
        }
    }

    /// Takes responsibility for a message: keeps it if it is to be retained, and hands it on. What comes back is what
    /// its publisher is told; after a failure nothing has happened.
    pub(crate) fn accept(
        &mut self,
        turn: &mut Turn<'_>,
        message: MessageRef<'_>,
        publisher: Option<SessionKey>,
    ) -> ReasonCode {
        if is_brokers_own(message.topic) {
            return ReasonCode::TopicNameInvalid;
        }
        let format = message.properties.and_then(|properties| properties.payload_format);
        if is_false(format, message.payload) {
            return ReasonCode::PayloadFormatInvalid;
        }
        // What is retained stays, and in no more room than it needs.
        let is_kept_shortly = message.qos != QoS::AtMostOnce && !message.retain;
        let spare = if is_kept_shortly { self.spare_messages.take() } else { None };
        let passing = Passing::new(message, spare);
        // [MQTT-3.3.1-8]
        if message.retain {
            if message.payload.is_empty() {
                // [MQTT-3.3.1-6] [MQTT-3.3.1-7], 3.1.1: [MQTT-3.3.1-10]
                self.retained.clear(message.topic);
            } else if self.retained.set(passing.keep()) == Err(Full) {
                return ReasonCode::QuotaExceeded;
            }
        }
        self.accepted += 1;
        let anybody = self.route(turn, &passing, publisher);
        if let Some(unused) = passing.into_spare() {
            self.spare_messages.give(unused);
        }
        if anybody { ReasonCode::Success } else { ReasonCode::NoMatchingSubscribers }
    }
}

/// The name that a PUBLISH means.
enum Topic<'a> {
    /// It says so itself.
    Written(TopicRef<'a>),
    /// It says a number.
    Known(TopicName),
}

/// Why a connection must be closed.
struct Objection {
    reason: ReasonCode,
    why: &'static str,
}

/// Whether a payload is said to be text and is not. Section 3.3.2.3.2.
pub(crate) fn is_false(format: Option<PayloadFormat>, payload: &[u8]) -> bool {
    format == Some(PayloadFormat::Text) && core::str::from_utf8(payload).is_err()
}

/// Whether clients may not publish here: what is below `$SYS` the broker says of itself. Other names that begin with `$`
/// are open to clients, as with the brokers that people come from, although section 4.7.2 would rather have them closed;
/// no wildcard at the top sees them.
pub(crate) fn is_brokers_own(topic: TopicRef<'_>) -> bool {
    topic.as_bytes().strip_prefix(b"$SYS").is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
}
