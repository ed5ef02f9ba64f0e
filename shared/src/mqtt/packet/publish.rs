//! PUBLISH: a message on its way.

use crate::{
    mqtt::{
        DecodeError, Delivery, EncodeError, PacketType, PayloadFormat, Property, QoS, SubscriptionId, Text,
        TopicName, TopicRef, UserProperties, Version,
        packet::{plain_publish, set_at},
        property::{self, Field, PropertySet, property_table},
        reader::Reader,
        sink::{self, Counter, Layout, Sink},
    },
    time::Timestamp,
};
use alloc::{boxed::Box, vec::Vec};
use bytes::{Bytes, BytesMut};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishTopic<N = TopicName> {
    /// The whole name.
    Name(N),
    /// A number that this connection gave a name earlier; 5.0 only.
    Alias(TopicAlias),
    /// A name, and the number that stands for it from here on; 5.0 only, elsewhere the name alone is written.
    NameAndAlias(N, TopicAlias),
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

/// A PUBLISH made of borrowed parts, to be written without being built: one message goes out to many receivers, and for
/// each of them only a few fields differ.
#[derive(Clone, Copy, Debug)]
pub struct PublishRef<'a> {
    /// The quality of service, with what it needs.
    pub delivery: Delivery,
    /// The RETAIN flag.
    pub retain: bool,
    /// Where.
    pub topic: PublishTopic<TopicRef<'a>>,
    /// What all receivers share; its expiry and its subscription identifiers are not looked at.
    pub properties: Option<&'a PublishProperties>,
    /// The seconds that are left, in place of those in `properties`.
    pub message_expiry_interval_s: Option<u32>,
    /// The receiver's subscriptions, in place of those in `properties`.
    pub subscription_ids: &'a [SubscriptionId],
    /// When the value was set, for a receiver that asked to be told: see [`set_at`].
    pub set_at: Option<Timestamp>,
    /// The application's bytes.
    pub payload: &'a [u8],
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

/// The lower half of the first byte. Section 3.3.1.
pub(super) mod flag {
    use crate::mqtt::Delivery;

    pub(in crate::mqtt::packet) const RETAIN: u8 = 0b0001;
    pub(in crate::mqtt::packet) const QOS: u8 = 0b0110;
    pub(in crate::mqtt::packet) const QOS_SHIFT: u32 = QOS.trailing_zeros();
    pub(in crate::mqtt::packet) const DUP: u8 = 0b1000;

    #[inline]
    pub(in crate::mqtt::packet) const fn of(delivery: Delivery, retain: bool) -> u8 {
        let retain = if retain { RETAIN } else { 0 };
        let dup = if delivery.dup() { DUP } else { 0 };
        retain | delivery.qos().number() << QOS_SHIFT | dup
    }
}

impl Publish {
    pub(crate) fn read(flags: u8, mut reader: Reader, version: Version) -> Result<Self, DecodeError> {
        let dup = flags & flag::DUP != 0;
        let qos = QoS::from_number((flags & flag::QOS) >> flag::QOS_SHIFT).ok_or(DecodeError::QoS)?; // [MQTT-3.3.1-4]
        if dup && qos == QoS::AtMostOnce {
            return Err(DecodeError::DupAtQoS0); // [MQTT-3.3.1-2]
        }
        let name = reader.text()?; // [MQTT-3.3.2-1]
        let delivery = match qos {
            QoS::AtMostOnce => Delivery::AtMostOnce, // [MQTT-2.2.1-2]
            QoS::AtLeastOnce => Delivery::AtLeastOnce { id: reader.packet_id()?, dup },
            QoS::ExactlyOnce => Delivery::ExactlyOnce { id: reader.packet_id()?, dup },
        };
        let (alias, properties) = match property::take_block(&mut reader, version)? {
            None => (None, None),
            Some(block) => read_properties(block)?,
        };
        Ok(Self {
            delivery,
            retain: flags & flag::RETAIN != 0,
            topic: PublishTopic::read(name, alias, version)?,
            properties,
            payload: reader.remainder(),
        })
    }

    #[inline]
    pub(crate) fn encode(&self, version: Version, out: &mut BytesMut) -> Result<(), EncodeError> {
        match (&self.topic, &self.properties) {
            (PublishTopic::Name(name), None) => plain_publish::encode(
                self.delivery,
                self.retain,
                name.borrowed(),
                &self.payload,
                version,
                out,
            ),
            _ => self.as_parts().encode(version, out),
        }
    }

    /// The same packet as borrowed parts.
    pub fn as_parts(&self) -> PublishRef<'_> {
        let properties = self.properties.as_deref();
        PublishRef {
            delivery: self.delivery,
            retain: self.retain,
            topic: self.topic.borrowed(),
            properties,
            message_expiry_interval_s: properties.and_then(|properties| properties.message_expiry_interval_s),
            subscription_ids: properties.map_or(&[], |properties| &properties.subscription_ids),
            set_at: None,
            payload: &self.payload,
        }
    }
}

impl PublishTopic {
    fn read(name: Text, alias: Option<TopicAlias>, version: Version) -> Result<Self, DecodeError> {
        match alias {
            Some(alias) if name.is_empty() => return Ok(Self::Alias(alias)),
            None if name.is_empty() && version.has_properties() => return Err(DecodeError::TopicMissing), // [MQTT-3.3.2.3.4]
            Some(_) | None => {}
        }
        let name = TopicName::try_from(name).map_err(DecodeError::Topic)?; // [MQTT-3.3.2-2]
        Ok(match alias {
            Some(alias) => Self::NameAndAlias(name, alias),
            None => Self::Name(name),
        })
    }

    /// The same topic, borrowed.
    pub fn borrowed(&self) -> PublishTopic<TopicRef<'_>> {
        match self {
            Self::Name(name) => PublishTopic::Name(name.borrowed()),
            Self::Alias(alias) => PublishTopic::Alias(*alias),
            Self::NameAndAlias(name, alias) => PublishTopic::NameAndAlias(name.borrowed(), *alias),
        }
    }
}

type AliasAndProperties = (Option<TopicAlias>, Option<Box<PublishProperties>>);

fn read_properties(block: Reader) -> Result<AliasAndProperties, DecodeError> {
    let mut alias: Option<TopicAlias> = None;
    let mut properties: Option<Box<PublishProperties>> = None;
    property::read_each(block, |property, block| match property {
        Property::TopicAlias => alias.read(property, block),
        other => properties.get_or_insert_default().read_one(other, block),
    })?;
    Ok((alias, properties))
}

property_table!(PublishProperties {
    PayloadFormat: payload_format,
    MessageExpiryInterval: message_expiry_interval_s,
    ResponseTopic: response_topic,
    CorrelationData: correlation_data,
    UserProperty: user_properties,
    SubscriptionId: subscription_ids,
    ContentType: content_type,
});

impl PublishRef<'_> {
    /// Appends the packet to `out`; leaves `out` as it is on an error.
    #[inline]
    pub fn encode(&self, version: Version, out: &mut BytesMut) -> Result<(), EncodeError> {
        match self.topic {
            PublishTopic::Name(name) if self.has_no_properties() || !version.has_properties() => {
                plain_publish::encode(self.delivery, self.retain, name, self.payload, version, out)
            }
            _ => {
                let first_byte = PacketType::Publish.first_byte() | flag::of(self.delivery, self.retain);
                sink::encode(first_byte, self, version, out)
            }
        }
    }

    /// The same packet in buffers of its own, but for what it replaces in `properties`.
    pub fn detached(&self) -> Publish {
        let mut properties = self.properties.cloned();
        if let Some(properties) = &mut properties {
            properties.message_expiry_interval_s = self.message_expiry_interval_s;
            properties.subscription_ids = self.subscription_ids.to_vec();
        }
        Publish {
            delivery: self.delivery,
            retain: self.retain,
            topic: match self.topic {
                PublishTopic::Name(name) => PublishTopic::Name(name.detached()),
                PublishTopic::Alias(alias) => PublishTopic::Alias(alias),
                PublishTopic::NameAndAlias(name, alias) => PublishTopic::NameAndAlias(name.detached(), alias),
            },
            properties: properties.map(Box::new),
            payload: Bytes::copy_from_slice(self.payload),
        }
    }

    /// How many bytes [`PublishRef::encode`] appends.
    pub fn encoded_len(&self, version: Version) -> Result<usize, EncodeError> {
        sink::encoded_len(self, version)
    }

    #[inline]
    const fn has_no_properties(&self) -> bool {
        self.properties.is_none()
            && self.message_expiry_interval_s.is_none()
            && self.subscription_ids.is_empty()
            && self.set_at.is_none()
    }

    fn write_properties(&self, sink: &mut impl Sink) -> Result<(), EncodeError> {
        if let PublishTopic::Alias(alias) | PublishTopic::NameAndAlias(_, alias) = self.topic {
            Some(alias).write(Property::TopicAlias, sink)?;
        }
        self.message_expiry_interval_s.write(Property::MessageExpiryInterval, sink)?;
        for id in self.subscription_ids {
            Some(*id).write(Property::SubscriptionId, sink)?;
        }
        if let Some(properties) = self.properties {
            properties.payload_format.write(Property::PayloadFormat, sink)?;
            properties.response_topic.write(Property::ResponseTopic, sink)?;
            properties.correlation_data.write(Property::CorrelationData, sink)?;
            properties.content_type.write(Property::ContentType, sink)?;
            // [MQTT-3.3.2-17] [MQTT-3.3.2-18]
            properties.user_properties.write(Property::UserProperty, sink)?;
        }
        match self.set_at {
            None => Ok(()),
            Some(at) => set_at::write(at, sink),
        }
    }
}

impl Layout for PublishRef<'_> {
    fn write(&self, version: Version, sink: &mut impl Sink) -> Result<(), EncodeError> {
        let name = match self.topic {
            PublishTopic::Name(name) | PublishTopic::NameAndAlias(name, _) => name.as_bytes(),
            PublishTopic::Alias(_) if version.has_properties() => b"",
            PublishTopic::Alias(_) => return Err(EncodeError::NotInThisVersion),
        };
        sink.binary(name)?;
        if let Some(id) = self.delivery.packet_id() {
            sink.u16(id.number());
        }
        if version.has_properties() {
            let mut counter = Counter::default();
            self.write_properties(&mut counter)?;
            sink.variable(counter.len)?;
            self.write_properties(sink)?;
        }
        sink.put(self.payload);
        Ok(())
    }
}
