//! A message inside the broker: what every receiver of a PUBLISH shares.

use crate::Now;
use alloc::boxed::Box;
use bytes::Bytes;
use luxwire_shared::mqtt::{PublishProperties, QoS, TopicName};

/// An application message with the time at which it came.
#[derive(Clone, Debug)]
pub struct Message {
    /// Where it was published.
    pub topic: TopicName,
    /// The application's bytes.
    pub payload: Bytes,
    /// The quality at which it was published.
    pub qos: QoS,
    /// The RETAIN flag as published.
    pub retain: bool,
    /// As published, without subscription identifiers.
    pub properties: Option<Box<PublishProperties>>,
    /// When the broker took it: for a retained message, when the value was set.
    pub published: Now,
}

impl Message {
    /// The same message in buffers of its own, so that keeping it does not keep the buffer alive that it came in.
    pub fn detached(&self) -> Self {
        Self { topic: self.topic.detached(), payload: Bytes::copy_from_slice(&self.payload), ..self.clone() }
    }
}
