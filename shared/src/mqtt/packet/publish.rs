//! PUBLISH: a message on its way.

use crate::mqtt::{Delivery, PayloadFormat, QoS, SubscriptionId, Text, TopicName, UserProperties};
use alloc::{boxed::Box, vec::Vec};
use bytes::Bytes;
use core::num::NonZeroU16;

/// A message. Section 3.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// The quality of service, with what it needs.
    pub delivery: Delivery,
    /// To a server: keep this as the topic's latest value. To a client: this was kept.
    pub retain: bool,
    /// Where it is published.
    pub topic: PublishTopic,
    /// 5.0 only; `None` when there are none, which costs nothing to copy.
    pub properties: Option<Box<PublishProperties>>,
    /// The application's bytes. An empty payload with `retain` clears the topic's value.
    pub payload: Bytes,
}

/// The topic of a PUBLISH: its name, a number that stands for it, or both to introduce the number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishTopic {
    /// The whole name.
    Name(TopicName),
    /// A number that this connection gave a name earlier; 5.0 only.
    Alias(TopicAlias),
    /// A name, and the number that stands for it from here on; 5.0 only.
    NameAndAlias(TopicName, TopicAlias),
}

/// A number that stands for a topic name on one connection in one direction; never 0. [MQTT-3.3.2-8]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicAlias(pub NonZeroU16);

/// Section 3.3.2.3, but for the topic alias, which is part of [`PublishTopic`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishProperties {
    /// What the payload is.
    pub payload_format: Option<PayloadFormat>,
    /// Seconds for which the message is still worth delivering.
    pub message_expiry_interval_s: Option<u32>,
    /// Where an answer is to be published.
    pub response_topic: Option<TopicName>,
    /// Tells the asker which question an answer belongs to.
    pub correlation_data: Option<Bytes>,
    /// Pairs that the application chose.
    pub user_properties: UserProperties,
    /// The subscriptions that this delivery answers; only from server to client. [MQTT-3.3.4-6]
    pub subscription_ids: Vec<SubscriptionId>,
    /// What the payload is, in the application's words.
    pub content_type: Option<Text>,
}

impl Publish {
    /// A message at QoS 0 without properties.
    pub fn new(topic: TopicName, payload: impl Into<Bytes>) -> Self {
        Self {
            delivery: Delivery::AtMostOnce,
            retain: false,
            topic: PublishTopic::Name(topic),
            properties: None,
            payload: payload.into(),
        }
    }

    /// The quality of service.
    pub const fn qos(&self) -> QoS {
        self.delivery.qos()
    }
}
