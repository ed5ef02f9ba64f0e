//! The properties of 5.0: one block of identified values, the same form in every packet. Section 2.2.2.
//!
//! Each packet's file holds the table of its own properties; reading and writing both follow from the table. What is
//! not in it is not allowed there, and everything but the lists may stand there once. [MQTT-2.2.2.2]

mod value;

pub(crate) use value::Field;

use crate::mqtt::{
    DecodeError, EncodeError, Version,
    reader::Reader,
    sink::{Counter, Sink},
};
use core::fmt;

macro_rules! property_identifiers {
    ($($number:literal $property:ident $name:literal)*) => {
        /// The properties by their identifiers. Table 2-4.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "documented at the fields that hold them")]
        pub enum Property {
            $($property = $number,)*
        }

        impl Property {
            /// The property with this identifier, or `None` where 5.0 defines none.
            pub const fn from_number(number: u32) -> Option<Self> {
                Some(match number {
                    $($number => Self::$property,)*
                    _ => return None,
                })
            }
        }

        impl fmt::Display for Property {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$property => $name,)*
                })
            }
        }
    };
}

property_identifiers! {
    0x01 PayloadFormat "Payload Format Indicator"
    0x02 MessageExpiryInterval "Message Expiry Interval"
    0x03 ContentType "Content Type"
    0x08 ResponseTopic "Response Topic"
    0x09 CorrelationData "Correlation Data"
    0x0B SubscriptionId "Subscription Identifier"
    0x11 SessionExpiryInterval "Session Expiry Interval"
    0x12 AssignedClientId "Assigned Client Identifier"
    0x13 ServerKeepAlive "Server Keep Alive"
    0x15 AuthenticationMethod "Authentication Method"
    0x16 AuthenticationData "Authentication Data"
    0x17 RequestProblemInformation "Request Problem Information"
    0x18 WillDelayInterval "Will Delay Interval"
    0x19 RequestResponseInformation "Request Response Information"
    0x1A ResponseInformation "Response Information"
    0x1C ServerReference "Server Reference"
    0x1F ReasonString "Reason String"
    0x21 ReceiveMaximum "Receive Maximum"
    0x22 TopicAliasMaximum "Topic Alias Maximum"
    0x23 TopicAlias "Topic Alias"
    0x24 MaximumQoS "Maximum QoS"
    0x25 RetainAvailable "Retain Available"
    0x26 UserProperty "User Property"
    0x27 MaximumPacketSize "Maximum Packet Size"
    0x28 WildcardSubscriptionAvailable "Wildcard Subscription Available"
    0x29 SubscriptionIdsAvailable "Subscription Identifier Available"
    0x2A SharedSubscriptionAvailable "Shared Subscription Available"
}

impl Property {
    /// The identifier on the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// The properties that one kind of packet may have.
pub(crate) trait PropertySet {
    /// Takes the value of one property; refuses what does not belong to this set.
    fn read_one(&mut self, property: Property, reader: &mut Reader) -> Result<(), DecodeError>;

    /// Writes what is there.
    fn write_each(&self, sink: &mut impl Sink) -> Result<(), EncodeError>;

    /// Makes sure that the properties go together, once all are read or before any is written.
    fn is_consistent(&self) -> bool {
        true
    }
}

/// Implements [`PropertySet`] from a table of properties and the fields that hold them.
macro_rules! property_table {
    ($set:ty { $($property:ident: $field:ident),* $(,)? } $(consistent if $consistent:expr)?) => {
        impl $crate::mqtt::property::PropertySet for $set {
            fn read_one(
                &mut self,
                property: $crate::mqtt::Property,
                reader: &mut $crate::mqtt::reader::Reader,
            ) -> Result<(), $crate::mqtt::DecodeError> {
                match property {
                    $($crate::mqtt::Property::$property => {
                        $crate::mqtt::property::Field::read(&mut self.$field, property, reader)
                    })*
                    other => Err($crate::mqtt::DecodeError::PropertyNotAllowed(other)),
                }
            }

            fn write_each(
                &self,
                sink: &mut impl $crate::mqtt::sink::Sink,
            ) -> Result<(), $crate::mqtt::EncodeError> {
                $($crate::mqtt::property::Field::write(
                    &self.$field,
                    $crate::mqtt::Property::$property,
                    sink,
                )?;)*
                Ok(())
            }

            $(fn is_consistent(&self) -> bool {
                let consistent: fn(&Self) -> bool = $consistent;
                consistent(self)
            })?
        }
    };
}
pub(crate) use property_table;

/// Takes a block of properties. `None` stands for an empty one, and for every version that has none.
#[inline]
pub(crate) fn read<P: PropertySet + Default>(
    reader: &mut Reader,
    version: Version,
) -> Result<Option<P>, DecodeError> {
    let Some(block) = take_block(reader, version)? else { return Ok(None) };
    let mut properties = P::default();
    fill(&mut properties, block)?;
    Ok(Some(properties))
}

/// The same, into fields that stand among others.
pub(crate) fn read_into(
    properties: &mut impl PropertySet,
    reader: &mut Reader,
    version: Version,
) -> Result<(), DecodeError> {
    take_block(reader, version)?.map_or(Ok(()), |block| fill(properties, block))
}

fn fill(properties: &mut impl PropertySet, block: Reader) -> Result<(), DecodeError> {
    read_each(block, |property, block| properties.read_one(property, block))?;
    if properties.is_consistent() { Ok(()) } else { Err(DecodeError::AuthenticationMethodMissing) }
}

/// The block of properties if there is one and it is not empty.
#[inline]
pub(crate) fn take_block(reader: &mut Reader, version: Version) -> Result<Option<Reader>, DecodeError> {
    if !version.has_properties() {
        return Ok(None);
    }
    match reader.variable()? as usize {
        0 => Ok(None),
        len if len > reader.len() => Err(DecodeError::PropertyLength),
        len => Ok(Some(Reader::new(reader.bytes(len)?))),
    }
}

/// Takes the properties one by one.
pub(crate) fn read_each(
    mut block: Reader,
    mut read_one: impl FnMut(Property, &mut Reader) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    while !block.is_empty() {
        let one = block.variable().and_then(|number| {
            let property = Property::from_number(number).ok_or(DecodeError::PropertyUnknown(number))?;
            read_one(property, &mut block)
        });
        // What ends too early here has run into the end of the block, not of the packet.
        one.map_err(|error| match error {
            DecodeError::Truncated => DecodeError::PropertyLength,
            other => other,
        })?;
    }
    Ok(())
}

/// Writes a block of properties, or nothing in a version that has none. An empty block is a length of 0. [MQTT-2.2.2-1]
pub(crate) fn write<P: PropertySet>(
    properties: Option<&P>,
    version: Version,
    sink: &mut impl Sink,
) -> Result<(), EncodeError> {
    if !version.has_properties() {
        return Ok(());
    }
    let Some(properties) = properties else { return sink.variable(0) };
    if !properties.is_consistent() {
        return Err(EncodeError::NotAllowed);
    }
    sink.variable(block_len(properties)?)?;
    properties.write_each(sink)
}

/// How many bytes the properties take, without the length in front of them.
pub(crate) fn block_len<P: PropertySet>(properties: &P) -> Result<usize, EncodeError> {
    let mut counter = Counter::default();
    properties.write_each(&mut counter)?;
    Ok(counter.len)
}
