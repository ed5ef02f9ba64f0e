//! Messages that everybody has acknowledged, to be used again. At QoS 1 and 2 a message is kept for a moment, and asking
//! the allocator for two pieces of memory and giving them back would be a tenth of what it costs.

use crate::{ClientId, Message};
use alloc::{rc::Rc, vec::Vec};

/// See the module.
#[derive(Debug)]
pub(crate) struct SpareMessages {
    messages: Vec<Rc<Message>>,
    /// The fewest that there were since [`SpareMessages::let_go`].
    unused: usize,
    /// Who published those: what a client is called is not kept for longer than the client.
    nobody: ClientId,
}

/// As many as may be in flight over some busy connections at once. With [`CONTENT_MAX`] it keeps them below half a MiB.
const MESSAGES_MAX: usize = 1024;
/// Bytes of topic and payload; larger buffers are better off with the allocator.
const CONTENT_MAX: usize = 256;

impl Default for SpareMessages {
    fn default() -> Self {
        Self { messages: Vec::new(), unused: 0, nobody: "".into() }
    }
}

impl SpareMessages {
    /// One that nobody else holds.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Rc<Message>> {
        let message = self.messages.pop();
        self.unused = self.unused.min(self.messages.len());
        message
    }

    /// Somebody is done with a message; it is kept if it was the last.
    #[inline]
    pub(crate) fn give(&mut self, mut message: Rc<Message>) {
        if let Some(last) = Rc::get_mut(&mut message)
            && last.content.room() <= CONTENT_MAX
            && self.messages.len() < MESSAGES_MAX
        {
            last.properties = None;
            last.publisher = ClientId::clone(&self.nobody);
            self.messages.push(message);
        }
    }

    /// Lets go what was not needed since the last call.
    pub(crate) fn let_go(&mut self) {
        self.messages.truncate(self.messages.len() - self.unused);
        if self.messages.is_empty() {
            self.messages = Vec::new();
        }
        self.unused = self.messages.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Now;
    use luxwire_shared::mqtt::{PublishProperties, QoS, TopicAndPayload, TopicName};

    fn message(payload: &[u8]) -> Rc<Message> {
        let topic = TopicName::try_from("a").expect("a name");
        Rc::new(Message {
            content: TopicAndPayload::new(topic.borrowed(), payload),
            qos: QoS::AtLeastOnce,
            retain: false,
            properties: Some(PublishProperties::default().into()),
            published: Now::default(),
            publisher: "dimmer".into(),
        })
    }

    #[test]
    fn only_small_messages_that_nobody_holds_are_used_again_and_nothing_is_left_of_their_publisher() {
        let mut spare = SpareMessages::default();
        let held = message(b"1");
        spare.give(Rc::clone(&held));
        spare.give(message(&[0; CONTENT_MAX]));
        assert!(spare.take().is_none());
        spare.give(held);
        let message = spare.take().expect("the one that was held");
        assert!(message.properties.is_none() && message.publisher.is_empty());
        assert!(spare.take().is_none());
    }

    #[test]
    fn what_was_not_needed_for_a_while_is_let_go() {
        let mut spare = SpareMessages::default();
        for _ in 0..=MESSAGES_MAX {
            spare.give(message(b"1"));
        }
        assert_eq!(spare.messages.len(), MESSAGES_MAX);
        spare.let_go();
        assert_eq!(spare.messages.len(), MESSAGES_MAX, "all of them came since the last time");
        let some: Vec<_> = (0..10).filter_map(|_| spare.take()).collect();
        some.into_iter().for_each(|message| spare.give(message));
        spare.let_go();
        assert_eq!(spare.messages.len(), 10);
        spare.let_go();
        assert_eq!(spare.messages.capacity(), 0);
    }
}
