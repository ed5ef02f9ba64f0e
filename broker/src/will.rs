//! A client's last will: what the broker publishes for a client that it lost.

use crate::{ClientId, Message, Now, Report, broker::Broker, session::SessionKey, turn::Turn};
use alloc::{boxed::Box, vec::Vec};
use luxwire_shared::{
    mqtt::{PublishProperties, TopicAndPayload, Will},
    time::Instant,
};

/// A will that was not published yet.
#[derive(Debug)]
pub(crate) struct PendingWill {
    /// All but the time.
    message: Message,
    pub(crate) delay_s: u32,
    /// When it is to be published; `None` while the client is connected.
    pub(crate) due_at: Option<Instant>,
}

impl PendingWill {
    pub(crate) fn new(will: Will, publisher: &ClientId) -> Self {
        let properties = will.properties;
        let delay_s = properties.will_delay_interval_s.unwrap_or(0);
        let properties = PublishProperties {
            payload_format: properties.payload_format,
            message_expiry_interval_s: properties.message_expiry_interval_s,
            response_topic: properties.response_topic,
            correlation_data: properties.correlation_data,
            // [MQTT-3.1.3-10]
            user_properties: properties.user_properties,
            subscription_ids: Vec::new(),
            content_type: properties.content_type,
        };
        let message = Message {
            content: TopicAndPayload::new(will.topic.borrowed(), &will.payload),
            qos: will.qos,
            retain: will.retain, // [MQTT-3.1.2-14] [MQTT-3.1.2-15]
            properties: (properties != PublishProperties::default()).then(|| Box::new(properties)),
            published: Now::default(),
            publisher: publisher.clone(),
        };
        Self { message: message.borrowed().detached(), delay_s, due_at: None }
    }
}

impl Broker {
    /// Publishes the session's will, if there is still one, and removes it. [MQTT-3.1.2-8] [MQTT-3.1.2-10]
    /// 3.1.1: [MQTT-3.1.2-8]
    pub(crate) fn publish_will(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let Some(will) = self.sessions[key].will.take() else { return };
        // Its life begins with its publication. [MQTT-3.3.2.3.3]
        let message = Message { published: turn.now, ..will.message };
        let reason = self.accept(turn, message.borrowed(), Some(key));
        if reason.is_failure() {
            let client_id = self.sessions[key].client_id.clone();
            turn.report(Report::PublishRefused { link: None, client_id, reason });
        }
    }
}
