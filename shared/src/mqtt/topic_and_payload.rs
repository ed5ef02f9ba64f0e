//! A topic name and a payload that are kept.

use crate::mqtt::TopicRef;
use alloc::{boxed::Box, vec::Vec};
use core::fmt;

/// A topic name and a payload in one buffer of their own: what is kept of a message costs one allocation, and not a byte
/// more than it has.
#[derive(Clone, PartialEq, Eq)]
pub struct TopicAndPayload {
    bytes: Box<[u8]>,
    topic_len: u16,
}

impl TopicAndPayload {
    /// Copies both.
    pub fn new(topic: TopicRef<'_>, payload: &[u8]) -> Self {
        let topic = topic.as_bytes();
        let mut bytes = Vec::with_capacity(topic.len() + payload.len());
        bytes.extend_from_slice(topic);
        bytes.extend_from_slice(payload);
        // The length of an MQTT string is written in two bytes.
        Self { bytes: bytes.into_boxed_slice(), topic_len: topic.len() as u16 }
    }

    /// The name.
    #[inline]
    pub fn topic(&self) -> TopicRef<'_> {
        TopicRef::from_valid(self.bytes.get(..self.topic_len()).unwrap_or_default())
    }

    /// The application's bytes.
    #[inline]
    pub fn payload(&self) -> &[u8] {
        self.bytes.get(self.topic_len()..).unwrap_or_default()
    }

    fn topic_len(&self) -> usize {
        usize::from(self.topic_len)
    }
}

impl fmt::Debug for TopicAndPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopicAndPayload")
            .field("topic", &self.topic())
            .field("payload", &self.payload())
            .finish()
    }
}
