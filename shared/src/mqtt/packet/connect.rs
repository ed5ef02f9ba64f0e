//! CONNECT: who the client is, what it wants kept, and its last will.

use crate::mqtt::{
    DecodeError, EncodeError, PayloadFormat, QoS, Text, TopicName, UserProperties, Version,
    property::{self, property_table},
    reader::Reader,
    sink::Sink,
};
use alloc::boxed::Box;
use bytes::Bytes;
use core::num::{NonZeroU16, NonZeroU32};

/// The first packet of a connection, from the client. Section 3.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// The version that the rest of the connection speaks.
    pub version: Version,
    /// Begin without what an earlier connection left (`CleanSession` before 5.0).
    pub clean_start: bool,
    /// The longest silence of the client, in seconds; 0 means no limit.
    pub keep_alive_s: u16,
    /// Identifies the session; may be empty, and the server then assigns one.
    pub client_id: Text,
    /// What the server publishes when the connection is lost.
    pub will: Option<Box<Will>>,
    /// Who the client claims to be.
    pub user_name: Option<Text>,
    /// A password or any other credential.
    pub password: Option<Bytes>,
    /// 5.0 only.
    pub properties: ConnectProperties,
}

/// Section 3.1.2.11.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectProperties {
    /// Seconds for which the session outlives the connection; absent means 0, `u32::MAX` means for ever.
    pub session_expiry_interval_s: Option<u32>,
    /// How many QoS 1 and 2 messages the client takes unacknowledged; absent means 65,535.
    pub receive_maximum: Option<NonZeroU16>,
    /// The largest packet that the client takes, in bytes.
    pub maximum_packet_size: Option<NonZeroU32>,
    /// The highest topic alias that the client takes; absent means 0.
    pub topic_alias_maximum: Option<u16>,
    /// Whether the server may send response information; absent means no.
    pub request_response_information: Option<bool>,
    /// Whether the server may send reason strings and user properties on any packet; absent means yes.
    pub request_problem_information: Option<bool>,
    /// Pairs that the application chose.
    pub user_properties: UserProperties,
    /// The method of extended authentication.
    pub authentication_method: Option<Text>,
    /// Belongs to the method.
    pub authentication_data: Option<Bytes>,
}

impl Connect {
    /// The same in buffers of its own.
    pub fn detached(&self) -> Self {
        let bytes = |bytes: &Bytes| Bytes::copy_from_slice(bytes);
        let pairs = |pairs: &UserProperties| -> UserProperties {
            pairs.iter().map(|(name, value)| (name.detached(), value.detached())).collect()
        };
        let properties = &self.properties;
        Self {
            client_id: self.client_id.detached(),
            will: self.will.as_ref().map(|will| {
                let properties = &will.properties;
                Box::new(Will {
                    topic: will.topic.detached(),
                    payload: bytes(&will.payload),
                    properties: WillProperties {
                        content_type: properties.content_type.as_ref().map(Text::detached),
                        response_topic: properties.response_topic.as_ref().map(TopicName::detached),
                        correlation_data: properties.correlation_data.as_ref().map(bytes),
                        user_properties: pairs(&properties.user_properties),
                        ..*properties
                    },
                    ..**will
                })
            }),
            user_name: self.user_name.as_ref().map(Text::detached),
            password: self.password.as_ref().map(bytes),
            properties: ConnectProperties {
                user_properties: pairs(&properties.user_properties),
                authentication_method: properties.authentication_method.as_ref().map(Text::detached),
                authentication_data: properties.authentication_data.as_ref().map(bytes),
                ..*properties
            },
            ..*self
        }
    }
}

/// The message that the server publishes for a client that it lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will {
    /// Where.
    pub topic: TopicName,
    /// What.
    pub payload: Bytes,
    /// At which quality.
    pub qos: QoS,
    /// Whether it becomes the topic's retained message.
    pub retain: bool,
    /// 5.0 only.
    pub properties: WillProperties,
}

/// Section 3.1.3.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WillProperties {
    /// Seconds between the loss and the publication; absent means 0.
    pub will_delay_interval_s: Option<u32>,
    /// What the payload is.
    pub payload_format: Option<PayloadFormat>,
    /// Seconds after its publication for which the message is worth delivering.
    pub message_expiry_interval_s: Option<u32>,
    /// What the payload is, in the application's words.
    pub content_type: Option<Text>,
    /// Where an answer is to be published.
    pub response_topic: Option<TopicName>,
    /// Tells the asker which question an answer belongs to.
    pub correlation_data: Option<Bytes>,
    /// Pairs that the application chose.
    pub user_properties: UserProperties,
}

/// The connect flags. Section 3.1.2.3.
mod flag {
    pub(super) const RESERVED: u8 = 0b0000_0001;
    pub(super) const CLEAN_START: u8 = 0b0000_0010;
    pub(super) const WILL: u8 = 0b0000_0100;
    pub(super) const WILL_QOS: u8 = 0b0001_1000;
    pub(super) const WILL_QOS_SHIFT: u32 = WILL_QOS.trailing_zeros();
    pub(super) const WILL_RETAIN: u8 = 0b0010_0000;
    pub(super) const PASSWORD: u8 = 0b0100_0000;
    pub(super) const USER_NAME: u8 = 0b1000_0000;
}

impl Connect {
    /// The fields in the order of the wire. [MQTT-3.1.3-1]
    pub(crate) fn read(mut reader: Reader) -> Result<Self, DecodeError> {
        let version = Version::read(&mut reader)?;
        let flags = reader.u8()?;
        check_flags(flags, version)?;
        let keep_alive_s = reader.u16()?;
        let properties = property::read(&mut reader, version)?.unwrap_or_default();
        let client_id = reader.text()?; // [MQTT-3.1.3-3] [MQTT-3.1.3-4]
        let will = match flags & flag::WILL {
            0 => None,
            _ => Some(Box::new(Will::read(flags, &mut reader, version)?)), // [MQTT-3.1.2-9]
        };
        let ends_early = |reader: &Reader| version.lets_connect_end_early() && reader.is_empty();
        let user_name = match flags & flag::USER_NAME {
            0 => None, // [MQTT-3.1.2-16]
            _ if ends_early(&reader) => None,
            _ => Some(reader.text()?), // [MQTT-3.1.2-17] [MQTT-3.1.3-12]
        };
        let password = match flags & flag::PASSWORD {
            0 => None, // [MQTT-3.1.2-18]
            _ if ends_early(&reader) => None,
            _ => Some(reader.binary()?), // [MQTT-3.1.2-19]
        };
        reader.finish()?;
        let clean_start = flags & flag::CLEAN_START != 0;
        Ok(Self { version, clean_start, keep_alive_s, client_id, will, user_name, password, properties })
    }

    pub(crate) fn write(&self, sink: &mut impl Sink) -> Result<(), EncodeError> {
        let version = self.version;
        if self.password.is_some() && self.user_name.is_none() && !version.has_properties() {
            return Err(EncodeError::NotInThisVersion);
        }
        sink.binary(version.protocol_name().as_bytes())?;
        sink.u8(version.level());
        sink.u8(self.flags());
        sink.u16(self.keep_alive_s);
        property::write(Some(&self.properties), version, sink)?;
        sink.binary(self.client_id.as_bytes())?;
        if let Some(will) = &self.will {
            will.write(version, sink)?;
        }
        if let Some(user_name) = &self.user_name {
            sink.binary(user_name.as_bytes())?;
        }
        if let Some(password) = &self.password {
            sink.binary(password)?;
        }
        Ok(())
    }

    fn flags(&self) -> u8 {
        let set = |condition: bool, flag: u8| if condition { flag } else { 0 };
        let will = self.will.as_ref().map_or(0, |will| {
            flag::WILL | will.qos.number() << flag::WILL_QOS_SHIFT | set(will.retain, flag::WILL_RETAIN)
        });
        set(self.clean_start, flag::CLEAN_START)
            | will
            | set(self.password.is_some(), flag::PASSWORD)
            | set(self.user_name.is_some(), flag::USER_NAME)
    }
}

fn check_flags(flags: u8, version: Version) -> Result<(), DecodeError> {
    if flags & flag::RESERVED != 0 {
        return Err(DecodeError::ConnectFlags); // [MQTT-3.1.2-3], 3.1.1: [MQTT-3.1.2-3]
    }
    if flags & flag::WILL == 0 && flags & (flag::WILL_QOS | flag::WILL_RETAIN) != 0 {
        return Err(DecodeError::WillFlags); // [MQTT-3.1.2-11] [MQTT-3.1.2-13], 3.1.1: [MQTT-3.1.2-11]
    }
    let password_alone = flags & flag::PASSWORD != 0 && flags & flag::USER_NAME == 0;
    if password_alone && !version.has_properties() {
        return Err(DecodeError::PasswordWithoutUserName); // 3.1.1: [MQTT-3.1.2-22]
    }
    Ok(())
}

impl Will {
    fn read(flags: u8, reader: &mut Reader, version: Version) -> Result<Self, DecodeError> {
        // [MQTT-3.1.2-12], 3.1.1: [MQTT-3.1.2-14]
        let qos =
            QoS::from_number((flags & flag::WILL_QOS) >> flag::WILL_QOS_SHIFT).ok_or(DecodeError::QoS)?;
        let retain = flags & flag::WILL_RETAIN != 0;
        let properties = property::read(reader, version)?.unwrap_or_default();
        let topic = reader.topic()?; // [MQTT-3.1.3-11]
        let payload = reader.binary()?;
        Ok(Self { topic, payload, qos, retain, properties })
    }

    fn write(&self, version: Version, sink: &mut impl Sink) -> Result<(), EncodeError> {
        property::write(Some(&self.properties), version, sink)?;
        sink.binary(self.topic.as_bytes())?;
        sink.binary(&self.payload)
    }
}

property_table!(ConnectProperties {
    SessionExpiryInterval: session_expiry_interval_s,
    ReceiveMaximum: receive_maximum,
    MaximumPacketSize: maximum_packet_size,
    TopicAliasMaximum: topic_alias_maximum,
    RequestResponseInformation: request_response_information,
    RequestProblemInformation: request_problem_information,
    UserProperty: user_properties,
    AuthenticationMethod: authentication_method,
    AuthenticationData: authentication_data,
} consistent if |properties| {
    properties.authentication_method.is_some() || properties.authentication_data.is_none()
});

property_table!(WillProperties {
    WillDelayInterval: will_delay_interval_s,
    PayloadFormat: payload_format,
    MessageExpiryInterval: message_expiry_interval_s,
    ContentType: content_type,
    ResponseTopic: response_topic,
    CorrelationData: correlation_data,
    UserProperty: user_properties,
});
