//! A topic name and a payload that are kept.

use crate::mqtt::TopicRef;
use alloc::{boxed::Box, vec::Vec};
use core::fmt;

/// A topic name and a payload in one buffer of their own: what is kept of a message costs one allocation, and not a byte
/// more than it has, unless the buffer was that of another message before.
pub struct TopicAndPayload {
    /// Both, and whatever is behind them.
    bytes: Box<[u8]>,
    payload_len: u32,
    topic_len: u16,
}

impl TopicAndPayload {
    /// Copies both.
    pub fn new(topic: TopicRef<'_>, payload: &[u8]) -> Self {
        let topic = topic.as_bytes();
        let mut bytes = Vec::with_capacity(topic.len() + payload.len());
        bytes.extend_from_slice(topic);
        bytes.extend_from_slice(payload);
        let (topic_len, payload_len) = lengths(topic, payload);
        Self { bytes: bytes.into_boxed_slice(), payload_len, topic_len }
    }

    /// Copies others over these; in the same buffer, if that is large enough and not far too large.
    #[inline]
    pub fn set(&mut self, topic: TopicRef<'_>, payload: &[u8]) {
        let bytes = topic.as_bytes();
        let len = bytes.len() + payload.len();
        let fits = (len..=2 * len + ROOM_LEFT).contains(&self.bytes.len());
        match self.bytes.split_at_mut_checked(bytes.len()).filter(|_| fits) {
            Some((name, rest)) => {
                name.copy_from_slice(bytes);
                if let Some(rest) = rest.get_mut(..payload.len()) {
                    rest.copy_from_slice(payload);
                }
                (self.topic_len, self.payload_len) = lengths(bytes, payload);
            }
            None => *self = Self::new(topic, payload),
        }
    }

    /// How many bytes the buffer has room for.
    #[inline]
    pub fn room(&self) -> usize {
        self.bytes.len()
    }

    /// The name.
    #[inline]
    pub fn topic(&self) -> TopicRef<'_> {
        TopicRef::from_valid(self.bytes.get(..self.topic_len()).unwrap_or_default())
    }

    /// The application's bytes.
    #[inline]
    pub fn payload(&self) -> &[u8] {
        let start = self.topic_len();
        self.bytes.get(start..start + self.payload_len as usize).unwrap_or_default()
    }

    fn topic_len(&self) -> usize {
        usize::from(self.topic_len)
    }
}

/// What a buffer may have too much beyond twice what is in it.
const ROOM_LEFT: usize = 32;

/// The length of an MQTT string is written in two bytes, that of a packet in 28 bits.
#[inline]
fn lengths(topic: &[u8], payload: &[u8]) -> (u16, u32) {
    (topic.len() as u16, payload.len() as u32)
}

impl Clone for TopicAndPayload {
    fn clone(&self) -> Self {
        Self::new(self.topic(), self.payload())
    }
}

impl PartialEq for TopicAndPayload {
    fn eq(&self, other: &Self) -> bool {
        (self.topic(), self.payload()) == (other.topic(), other.payload())
    }
}

impl Eq for TopicAndPayload {}

impl fmt::Debug for TopicAndPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopicAndPayload")
            .field("topic", &self.topic())
            .field("payload", &self.payload())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str) -> TopicRef<'_> {
        TopicRef::from_valid(name.as_bytes())
    }

    #[test]
    fn a_buffer_takes_what_fits_and_another_is_made_where_much_would_be_left_over() {
        let mut content = TopicAndPayload::new(topic("lights/desk/intensity"), b"one hundred");
        let room = content.room();
        for (name, payload, has_same_buffer) in [
            ("lights/desk/intensity", &b"one hundred"[..], true),
            ("lights/hall/intensity", b"0", true),
            ("a", b"", true),
            ("lights/desk/intensity", b"one hundred and one", false),
        ] {
            let buffer = content.topic().as_bytes().as_ptr();
            content.set(topic(name), payload);
            assert_eq!((content.topic().as_bytes(), content.payload()), (name.as_bytes(), payload));
            assert_eq!(
                content,
                TopicAndPayload::new(topic(name), payload),
                "what is behind it does not count"
            );
            assert_eq!(content.clone().room(), name.len() + payload.len());
            assert_eq!(content.topic().as_bytes().as_ptr() == buffer, has_same_buffer, "{name}");
        }
        assert!(content.room() > room);
        let mut large = TopicAndPayload::new(topic("a"), &[1; 1000]);
        large.set(topic("a"), &[1; 100]);
        assert_eq!(large.room(), 101);
    }
}
