//! A message inside the broker: what every receiver of a PUBLISH shares.
//!
//! Most messages pass: they are written to whoever is there while they lie in the buffer that they were read into, and
//! nothing of them is left ([`MessageRef`]). Whatever keeps one makes a [`Message`] of it, once for all who do
//! ([`Passing`]).

use crate::{ClientId, Now};
use alloc::{boxed::Box, rc::Rc};
use bytes::Bytes;
use core::{
    cell::{Cell, OnceCell},
    fmt,
    time::Duration,
};
use luxwire_shared::{
    mqtt::{PublishProperties, QoS, Text, TopicAndPayload, TopicName, TopicRef},
    time::Instant,
};

/// An application message with the time at which it came. What the application said goes on as it came: [MQTT-3.3.2-4]
/// [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-20] [MQTT-4.10]
#[derive(Clone, Debug)]
pub struct Message {
    /// Where it was published, and the application's bytes.
    pub content: TopicAndPayload,
    /// The quality at which it was published.
    pub qos: QoS,
    /// The RETAIN flag as published.
    pub retain: bool,
    /// As published, without subscription identifiers.
    pub properties: Option<Box<PublishProperties>>,
    /// When the broker took it: for a retained message, when the value was set.
    pub published: Now,
    /// The client identifier of who published it, for subscriptions that leave out what the subscriber itself said.
    pub publisher: ClientId,
}

/// A message that lies elsewhere: as it came, in the buffer that it was read into, or as a [`Message`].
#[derive(Clone, Copy, Debug)]
pub struct MessageRef<'a> {
    /// Where it was published.
    pub topic: TopicRef<'a>,
    /// The application's bytes.
    pub payload: &'a [u8],
    /// The quality at which it was published.
    pub qos: QoS,
    /// The RETAIN flag as published.
    pub retain: bool,
    /// As published, without subscription identifiers.
    pub properties: Option<&'a PublishProperties>,
    /// When the broker took it.
    pub published: Now,
    /// The client identifier of who published it.
    pub publisher: &'a ClientId,
}

/// A message that is on its way to whoever wants it.
pub struct Passing<'a> {
    message: MessageRef<'a>,
    /// Made for the first who keeps it and shared by all who do.
    kept: OnceCell<Rc<Message>>,
    /// One that nobody holds, to become that.
    spare: Cell<Option<Rc<Message>>>,
}

impl<'a> Passing<'a> {
    /// One that nobody has kept yet. `spare` is a message that nobody holds.
    #[inline]
    pub(crate) fn new(message: MessageRef<'a>, spare: Option<Rc<Message>>) -> Self {
        Self { message, kept: OnceCell::new(), spare: Cell::new(spare) }
    }

    /// One that is kept already.
    #[inline]
    pub fn kept(message: &'a Rc<Message>) -> Self {
        Self { message: message.borrowed(), kept: OnceCell::from(Rc::clone(message)), spare: Cell::new(None) }
    }

    /// The message where it lies.
    #[inline]
    pub fn message(&self) -> &MessageRef<'a> {
        &self.message
    }

    /// The message for whoever keeps it, in buffers of its own.
    #[inline]
    pub fn keep(&self) -> &Rc<Message> {
        self.kept.get_or_init(|| {
            let Some(mut spare) = self.spare.take() else { return Rc::new(self.message.detached()) };
            match Rc::get_mut(&mut spare) {
                Some(message) => message.become_copy_of(&self.message),
                None => spare = Rc::new(self.message.detached()),
            }
            spare
        })
    }

    /// The spare message, if nobody kept this one.
    #[inline]
    pub(crate) fn into_spare(self) -> Option<Rc<Message>> {
        self.spare.into_inner()
    }
}

impl fmt::Debug for Passing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passing").field("message", &self.message).finish_non_exhaustive()
    }
}

impl Message {
    /// See [`MessageRef::detached`]; in the memory of this message where that is large enough.
    #[inline]
    fn become_copy_of(&mut self, message: &MessageRef<'_>) {
        self.content.set(message.topic, message.payload);
        self.qos = message.qos;
        self.retain = message.retain;
        self.properties = message.detached_properties();
        self.published = message.published;
        self.publisher.clone_from(message.publisher);
    }

    /// The same message, borrowed.
    #[inline]
    pub fn borrowed(&self) -> MessageRef<'_> {
        MessageRef {
            topic: self.content.topic(),
            payload: self.content.payload(),
            qos: self.qos,
            retain: self.retain,
            properties: self.properties.as_deref(),
            published: self.published,
            publisher: &self.publisher,
        }
    }

    /// Where it was published.
    #[inline]
    pub fn topic(&self) -> TopicRef<'_> {
        self.content.topic()
    }

    /// The application's bytes.
    #[inline]
    pub fn payload(&self) -> &[u8] {
        self.content.payload()
    }

    /// See [`MessageRef::size`].
    pub fn size(&self) -> usize {
        self.borrowed().size()
    }

    /// See [`MessageRef::expires_at`].
    pub fn expires_at(&self) -> Option<Instant> {
        self.borrowed().expires_at()
    }

    /// See [`MessageRef::has_expired`].
    pub fn has_expired(&self, now: Instant) -> bool {
        self.borrowed().has_expired(now)
    }
}

impl MessageRef<'_> {
    /// The same message in buffers of its own, so that keeping it does not keep the buffer alive that it came in.
    pub fn detached(&self) -> Message {
        Message {
            content: TopicAndPayload::new(self.topic, self.payload),
            qos: self.qos,
            retain: self.retain,
            properties: self.detached_properties(),
            published: self.published,
            publisher: self.publisher.clone(),
        }
    }

    #[inline]
    fn detached_properties(&self) -> Option<Box<PublishProperties>> {
        self.properties.map(|properties| Box::new(detached_properties(properties)))
    }

    /// The bytes of topic, payload and properties: what the message costs whoever keeps it.
    #[inline]
    pub fn size(&self) -> usize {
        let properties = self.properties.map_or(0, |properties| {
            let pairs = properties.user_properties.iter().map(|(name, value)| name.len() + value.len());
            properties.response_topic.as_ref().map_or(0, |topic| topic.len())
                + properties.correlation_data.as_ref().map_or(0, Bytes::len)
                + properties.content_type.as_ref().map_or(0, |text| text.len())
                + pairs.sum::<usize>()
        });
        self.topic.as_bytes().len() + self.payload.len() + properties
    }

    /// When nobody wants it any more; `None` for never. [MQTT-3.3.2-5]
    #[inline]
    pub fn expires_at(&self) -> Option<Instant> {
        let seconds = self.properties?.message_expiry_interval_s?;
        Some(self.published.instant + Duration::from_secs(u64::from(seconds)))
    }

    /// Whether nobody wants it any more.
    pub fn has_expired(&self, now: Instant) -> bool {
        self.expires_at().is_some_and(|at| at <= now)
    }

    /// The seconds that are left of its life, as the next receiver is told. [MQTT-3.3.2-6]
    #[inline]
    pub(crate) fn expiry_left_s(&self, now: Instant) -> Option<u32> {
        let seconds = self.properties?.message_expiry_interval_s?;
        let waited_s = u32::try_from((now - self.published.instant).as_secs()).unwrap_or(u32::MAX);
        Some(seconds.saturating_sub(waited_s))
    }
}

fn detached_properties(properties: &PublishProperties) -> PublishProperties {
    PublishProperties {
        payload_format: properties.payload_format,
        message_expiry_interval_s: properties.message_expiry_interval_s,
        response_topic: properties.response_topic.as_ref().map(TopicName::detached),
        correlation_data: properties.correlation_data.as_deref().map(Bytes::copy_from_slice),
        user_properties: properties
            .user_properties
            .iter()
            .map(|(name, value)| (name.detached(), value.detached()))
            .collect(),
        subscription_ids: properties.subscription_ids.clone(),
        content_type: properties.content_type.as_ref().map(Text::detached),
    }
}
