//! The forms that a property's value can have, and the fields that hold it.

use crate::mqtt::{
    DecodeError, EncodeError, PayloadFormat, Property, QoS, SubscriptionId, Text, TopicAlias, TopicName,
    UserProperties, limits::USER_PROPERTIES_MAX, reader::Reader, sink::Sink,
};
use alloc::vec::Vec;
use bytes::Bytes;
use core::num::{NonZeroU16, NonZeroU32};

/// Where a property's values go: an `Option` takes one, a list takes several.
pub(crate) trait Field {
    fn read(&mut self, property: Property, reader: &mut Reader) -> Result<(), DecodeError>;
    fn write(&self, property: Property, sink: &mut impl Sink) -> Result<(), EncodeError>;
}

/// Once at most. [MQTT-2.2.2.2] [MQTT-3.8.2.1.2]
impl<V: Value> Field for Option<V> {
    fn read(&mut self, property: Property, reader: &mut Reader) -> Result<(), DecodeError> {
        if self.is_some() {
            return Err(DecodeError::PropertyRepeated(property));
        }
        *self = Some(V::read(property, reader)?);
        Ok(())
    }

    fn write(&self, property: Property, sink: &mut impl Sink) -> Result<(), EncodeError> {
        match self {
            Some(value) if !value.is_said_by_absence() => {
                sink.u8(property.number());
                value.write(sink)
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Field for UserProperties {
    fn read(&mut self, _property: Property, reader: &mut Reader) -> Result<(), DecodeError> {
        if self.len() == USER_PROPERTIES_MAX {
            return Err(DecodeError::TooManyUserProperties);
        }
        // [MQTT-1.5.7-1] [MQTT-3.3.2-18]
        self.push((reader.text()?, reader.text()?));
        Ok(())
    }

    fn write(&self, property: Property, sink: &mut impl Sink) -> Result<(), EncodeError> {
        for (name, value) in self {
            sink.u8(property.number());
            name.write(sink)?;
            value.write(sink)?;
        }
        Ok(())
    }
}

impl Field for Vec<SubscriptionId> {
    fn read(&mut self, property: Property, reader: &mut Reader) -> Result<(), DecodeError> {
        self.push(SubscriptionId::read(property, reader)?);
        Ok(())
    }

    fn write(&self, property: Property, sink: &mut impl Sink) -> Result<(), EncodeError> {
        self.as_slice().iter().try_for_each(|id| {
            sink.u8(property.number());
            id.write(sink)
        })
    }
}

/// The form of one property's value.
pub(crate) trait Value: Sized {
    fn read(property: Property, reader: &mut Reader) -> Result<Self, DecodeError>;
    fn write(&self, sink: &mut impl Sink) -> Result<(), EncodeError>;

    /// Whether leaving the property out says this value, and nothing else does.
    fn is_said_by_absence(&self) -> bool {
        false
    }
}

impl Value for u16 {
    fn read(_property: Property, reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.u16()
    }

    fn write(&self, sink: &mut impl Sink) -> Result<(), EncodeError> {
        sink.u16(*self);
        Ok(())
    }
}

impl Value for u32 {
    fn read(_property: Property, reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.u32()
    }

    fn write(&self, sink: &mut impl Sink) -> Result<(), EncodeError> {
        sink.u32(*self);
        Ok(())
    }
}

/// Receive Maximum is never 0. [MQTT-3.1.2.11.3]
impl Value for NonZeroU16 {
    fn read(property: Property, reader: &mut Reader) -> Result<Self, DecodeError> {
        Self::new(reader.u16()?).ok_or(DecodeError::PropertyValue(property))
    }

    fn write(&self, sink: &mut impl Sink) -> Result<(), EncodeError> {
        self.get().write(sink)
    }
}

/// Maximum Packet Size is never 0. [MQTT-3.1.2.11.4]
impl Value for NonZeroU32 {
    fn read(property: Property, reader: &mut Reader) -> Result<Self, DecodeError> {
        Self::new(reader.u32()?).ok_or(DecodeError::PropertyValue(property))
    }

    fn write(&self, sink: &mut impl Sink) -> Result<(), EncodeError> {
        self.get().write(sink)
    }
}

/// Where a byte says yes or no it is 0 or 1. [MQTT-3.1.2.11.6] [MQTT-3.1.2.11.7]
impl Value for bool {
    fn read(property: Property, reader: &mut Reader) -> Result<Self, DecodeError> {
        match reader.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::PropertyValue(property)),
        }
    }

    fn write(&self, sink: &mut impl Sink) -> Result<(), EncodeError> {
        sink.u8(u8::from(*self));
        Ok(())
    }
}

impl Value for PayloadFormat {
    fn read(property: Property, reader: &mut Reader) -> Result<Self, DecodeError> {
        match reader.u8()? {
            0 => Ok(Self::Bytes),
            1 => Ok(Self::Text),
            _ => Err(DecodeError::PropertyValue(property)),
        }
    }

    fn write(&self, sink: &mut impl Sink) -> Result<(), EncodeError> {
        sink.u8(*self as u8);
        Ok(())
    }
}

/// Only Maximum QoS holds a quality; 2 is said by leaving it out. [MQTT-3.2.2-9]
impl Value for QoS {
    fn read(property: Property, reader: &mut Reader) -> Result<Self, DecodeError> {
        match reader.u8()? {
            0 => Ok(Self::AtMostOnce),
            1 => Ok(Self::AtLeastOnce),
            _ => Err(DecodeError::PropertyValue(property)),
        }
    }

    fn write(&self, sink: &mut impl Sink) -> Result<(), EncodeError> {
        sink.u8(self.number());
        Ok(())
    }

    fn is_said_by_absence(&self) -> bool {
        *self == Self::ExactlyOnce
    }
}

/// Content Type, Reason String and others. [MQTT-3.3.2-19]
impl Value for Text {
    fn read(_property: Property, reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.text()
    }

    fn write(&self, sink: &mut impl Sink) -> Result<(), EncodeError> {
        sink.binary(self.as_bytes())
    }
}

impl Value for Bytes {
    fn read(_property: Property, reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.binary()
    }

    fn write(&self, sink: &mut impl Sink) -> Result<(), EncodeError> {
        sink.binary(self)
    }
}

/// Only Response Topic holds a topic name. [MQTT-3.3.2-13] [MQTT-3.3.2-14]
impl Value for TopicName {
    fn read(_property: Property, reader: &mut Reader) -> Result<Self, DecodeError> {
        Self::try_from(reader.text()?).map_err(DecodeError::ResponseTopic)
    }

    fn write(&self, sink: &mut impl Sink) -> Result<(), EncodeError> {
        sink.binary(self.as_bytes())
    }
}

impl Value for TopicAlias {
    fn read(_property: Property, reader: &mut Reader) -> Result<Self, DecodeError> {
        // [MQTT-3.3.2-8]
        NonZeroU16::new(reader.u16()?).map(Self).ok_or(DecodeError::TopicAlias)
    }

    fn write(&self, sink: &mut impl Sink) -> Result<(), EncodeError> {
        self.0.write(sink)
    }
}

/// 1 to 268,435,455. [MQTT-3.3.2.3.8]
impl Value for SubscriptionId {
    fn read(property: Property, reader: &mut Reader) -> Result<Self, DecodeError> {
        Self::new(reader.variable()?).ok_or(DecodeError::PropertyValue(property))
    }

    fn write(&self, sink: &mut impl Sink) -> Result<(), EncodeError> {
        sink.variable(self.number() as usize)
    }
}
