//! What can be wrong with bytes that claim to be MQTT, and with packets that are to become bytes.

use crate::mqtt::{FilterError, Property, ReasonCode, TextError, TopicError};
use core::fmt;

/// The rule that received bytes break. The peer is at fault; [`DecodeError::reason`] is what to tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The packet type is 0, or 15 before 5.0.
    PacketType,
    /// The Remaining Length has more than four bytes.
    RemainingLength,
    /// The packet is larger than it may be here.
    PacketTooLarge,
    /// The lower half of the first byte is not what this packet type has there. [MQTT-2.1.3-1]
    Flags,
    /// The packet ends before its fields do.
    Truncated,
    /// The packet goes on after its last field.
    TrailingBytes,
    /// A Variable Byte Integer has more than four bytes, or more than it needs. [MQTT-1.5.5-1]
    VariableByteInteger,
    /// A packet identifier is 0. [MQTT-2.2.1-3]
    PacketId,
    /// A reason code, return code or granted QoS that this packet cannot have.
    ReasonCode(u8),
    /// A string field is no MQTT string.
    Text(TextError),
    /// A topic name field is no topic name.
    Topic(TopicError),
    /// A filter field is no topic filter.
    Filter(FilterError),

    /// The protocol name is none that MQTT ever had. [MQTT-3.1.2-1]
    ProtocolName,
    /// The protocol level does not exist, or not with this protocol name. [MQTT-3.1.2-2]
    ProtocolLevel(u8),
    /// The reserved flag of CONNECT is set. [MQTT-3.1.2-3]
    ConnectFlags,
    /// A will's QoS or retain flag without a will. [MQTT-3.1.2-11] [MQTT-3.1.2-13]
    WillFlags,
    /// A password without a user name, before 5.0.
    PasswordWithoutUserName,
    /// A reserved acknowledge flag of CONNACK is set. [MQTT-3.2.2-1]
    ConnackFlags,
    /// CONNACK refuses and claims a session. [MQTT-3.2.2-6]
    SessionPresentOnRefusal,

    /// QoS 3 of a PUBLISH or a will. [MQTT-3.3.1-4] [MQTT-3.1.2-12]
    QoS,
    /// The DUP flag at QoS 0. [MQTT-3.3.1-2]
    DupAtQoS0,
    /// A PUBLISH with neither a topic name nor an alias.
    TopicMissing,
    /// The topic alias 0. [MQTT-3.3.2-8]
    TopicAlias,
    /// A response topic that is no topic name. [MQTT-3.3.2-14]
    ResponseTopic(TopicError),

    /// A SUBSCRIBE or UNSUBSCRIBE without a filter. [MQTT-3.8.3-2] [MQTT-3.10.3-2]
    NoFilters,
    /// QoS 3 in a SUBSCRIBE.
    SubscriptionQoS,
    /// The retain handling 3.
    RetainHandling,
    /// A reserved bit of the subscription options is set. [MQTT-3.8.3-5]
    SubscriptionOptions,
    /// No Local on a shared subscription. [MQTT-3.8.3-4]
    NoLocalOnShare,
    /// A SUBACK or UNSUBACK without a reason code. [MQTT-3.8.4-6]
    NoReasonCodes,

    /// The properties, or one of them, go beyond the block that holds them.
    PropertyLength,
    /// No property has this identifier.
    PropertyUnknown(u32),
    /// The property belongs to other packets.
    PropertyNotAllowed(Property),
    /// The property stands here twice.
    PropertyRepeated(Property),
    /// The property has a value that it cannot have.
    PropertyValue(Property),
    /// More than [`limits::USER_PROPERTIES_MAX`](crate::mqtt::limits::USER_PROPERTIES_MAX) user properties.
    TooManyUserProperties,
    /// Authentication data without a method, or an AUTH without one.
    AuthenticationMethodMissing,
}

impl DecodeError {
    /// What 5.0 calls this error: malformed where the text says so or the bytes cannot be read, a protocol error where
    /// they can and say what they must not, and a number of its own where there is one.
    pub const fn reason(self) -> ReasonCode {
        match self {
            Self::PacketTooLarge => ReasonCode::PacketTooLarge,
            Self::ProtocolName | Self::ProtocolLevel(_) => ReasonCode::UnsupportedProtocolVersion,
            Self::TopicAlias => ReasonCode::TopicAliasInvalid,
            Self::TooManyUserProperties => ReasonCode::QuotaExceeded,
            Self::ReasonCode(_)
            | Self::SessionPresentOnRefusal
            | Self::TopicMissing
            | Self::ResponseTopic(_)
            | Self::NoFilters
            | Self::SubscriptionQoS
            | Self::RetainHandling
            | Self::NoLocalOnShare
            | Self::NoReasonCodes
            | Self::PropertyRepeated(_)
            | Self::PropertyValue(_)
            | Self::AuthenticationMethodMissing => ReasonCode::ProtocolError,
            Self::PacketType
            | Self::RemainingLength
            | Self::Flags
            | Self::Truncated
            | Self::TrailingBytes
            | Self::VariableByteInteger
            | Self::PacketId
            | Self::Text(_)
            | Self::Topic(_)
            | Self::Filter(_)
            | Self::ConnectFlags
            | Self::WillFlags
            | Self::PasswordWithoutUserName
            | Self::ConnackFlags
            | Self::QoS
            | Self::DupAtQoS0
            | Self::SubscriptionOptions
            | Self::PropertyLength
            | Self::PropertyUnknown(_)
            | Self::PropertyNotAllowed(_) => ReasonCode::MalformedPacket,
        }
    }
}

/// Why a packet cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The packet would be longer than 268,435,460 bytes, or a field longer than its length prefix can say.
    TooLarge,
    /// The version cannot say this: AUTH, a topic alias alone, a password without a user name, or a DISCONNECT that
    /// means anything but a normal ending, before 5.0.
    NotInThisVersion,
    /// No packet of this kind may say this: a reason code that belongs to others, no filter or no reason code at all,
    /// No Local on a shared subscription, authentication data without a method.
    NotAllowed,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PacketType => f.write_str("reserved packet type"),
            Self::RemainingLength => f.write_str("the remaining length has more than four bytes"),
            Self::PacketTooLarge => f.write_str("larger than a packet may be here"),
            Self::Flags => f.write_str("wrong flags in the first byte"),
            Self::Truncated => f.write_str("the packet ends before its fields do"),
            Self::TrailingBytes => f.write_str("the packet goes on after its last field"),
            Self::VariableByteInteger => f.write_str("a variable byte integer is longer than it may be"),
            Self::PacketId => f.write_str("packet identifier 0"),
            Self::ReasonCode(code) => write!(f, "reason code 0x{code:02x} does not belong here"),
            Self::Text(error) => error.fmt(f),
            Self::Topic(error) => error.fmt(f),
            Self::Filter(error) => error.fmt(f),
            Self::ProtocolName => f.write_str("unknown protocol name"),
            Self::ProtocolLevel(level) => write!(f, "unknown protocol level {level}"),
            Self::ConnectFlags => f.write_str("the reserved connect flag is set"),
            Self::WillFlags => f.write_str("will flags without a will"),
            Self::PasswordWithoutUserName => f.write_str("a password without a user name"),
            Self::ConnackFlags => f.write_str("a reserved acknowledge flag is set"),
            Self::SessionPresentOnRefusal => f.write_str("a refusal that claims a session"),
            Self::QoS => f.write_str("QoS 3"),
            Self::DupAtQoS0 => f.write_str("the DUP flag at QoS 0"),
            Self::TopicMissing => f.write_str("neither a topic name nor a topic alias"),
            Self::TopicAlias => f.write_str("topic alias 0"),
            Self::ResponseTopic(error) => write!(f, "response topic: {error}"),
            Self::NoFilters => f.write_str("no topic filter"),
            Self::SubscriptionQoS => f.write_str("QoS 3 for a subscription"),
            Self::RetainHandling => f.write_str("retain handling 3"),
            Self::SubscriptionOptions => f.write_str("a reserved subscription option is set"),
            Self::NoLocalOnShare => f.write_str("No Local on a shared subscription"),
            Self::NoReasonCodes => f.write_str("no reason code"),
            Self::PropertyLength => f.write_str("properties go beyond the block that holds them"),
            Self::PropertyUnknown(id) => write!(f, "unknown property 0x{id:02x}"),
            Self::PropertyNotAllowed(property) => write!(f, "{property} does not belong here"),
            Self::PropertyRepeated(property) => write!(f, "{property} stands here twice"),
            Self::PropertyValue(property) => write!(f, "{property} has a value that it cannot have"),
            Self::TooManyUserProperties => f.write_str("too many user properties"),
            Self::AuthenticationMethodMissing => f.write_str("the authentication method is missing"),
        }
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "too large for any packet",
            Self::NotInThisVersion => "this version of MQTT cannot say this",
            Self::NotAllowed => "no packet of this kind may say this",
        })
    }
}

impl core::error::Error for DecodeError {}
impl core::error::Error for EncodeError {}
