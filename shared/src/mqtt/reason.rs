//! Why something was done or refused, in 5.0's numbers.
//!
//! Older versions have no such numbers, or fewer; the codec translates where it writes them.

use crate::mqtt::{DecodeError, reader::Reader};

/// A reason code of MQTT 5.0, section 2.4. Codes of 0x80 and above are failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ReasonCode {
    /// Done; in DISCONNECT a normal ending, in SUBACK QoS 0 granted.
    Success = 0x00,
    /// Subscribed, at most QoS 1.
    GrantedQoS1 = 0x01,
    /// Subscribed, at most QoS 2.
    GrantedQoS2 = 0x02,
    /// The client goes, and its will is to be published.
    DisconnectWithWill = 0x04,
    /// Accepted, and nobody follows this topic.
    NoMatchingSubscribers = 0x10,
    /// There was nothing to unsubscribe from.
    NoSubscriptionExisted = 0x11,
    /// The next step of an authentication.
    ContinueAuthentication = 0x18,
    /// The client begins another authentication.
    ReAuthenticate = 0x19,
    /// No other code fits, or the sender will not say.
    Unspecified = 0x80,
    /// The bytes are no packet.
    MalformedPacket = 0x81,
    /// A valid packet that must not come here.
    ProtocolError = 0x82,
    /// Valid, and refused by this receiver.
    ImplementationSpecific = 0x83,
    /// The server does not speak that version.
    UnsupportedProtocolVersion = 0x84,
    /// The client identifier is not allowed.
    ClientIdentifierNotValid = 0x85,
    /// User name or password is wrong.
    BadUserNameOrPassword = 0x86,
    /// Not permitted.
    NotAuthorized = 0x87,
    /// The server cannot serve.
    ServerUnavailable = 0x88,
    /// Too much to do: try again later.
    ServerBusy = 0x89,
    /// This client is shut out.
    Banned = 0x8A,
    /// The server stops.
    ServerShuttingDown = 0x8B,
    /// The authentication method is not supported or not the agreed one.
    BadAuthenticationMethod = 0x8C,
    /// Nothing came for one and a half keep alive intervals.
    KeepAliveTimeout = 0x8D,
    /// Another connection uses the same client identifier.
    SessionTakenOver = 0x8E,
    /// The filter is well formed and not accepted.
    TopicFilterInvalid = 0x8F,
    /// The topic name is well formed and not accepted.
    TopicNameInvalid = 0x90,
    /// The identifier is in use already.
    PacketIdentifierInUse = 0x91,
    /// The identifier is not known.
    PacketIdentifierNotFound = 0x92,
    /// More unacknowledged messages than were allowed.
    ReceiveMaximumExceeded = 0x93,
    /// The alias is 0, too high, or not set.
    TopicAliasInvalid = 0x94,
    /// Larger than the receiver accepts.
    PacketTooLarge = 0x95,
    /// Too many messages for the receiver.
    MessageRateTooHigh = 0x96,
    /// A limit of the server is reached.
    QuotaExceeded = 0x97,
    /// Somebody in charge closed the connection.
    AdministrativeAction = 0x98,
    /// The payload is not what its format indicator says.
    PayloadFormatInvalid = 0x99,
    /// The server keeps no retained messages.
    RetainNotSupported = 0x9A,
    /// Above the highest quality that the server offers.
    QoSNotSupported = 0x9B,
    /// Go to another server for now.
    UseAnotherServer = 0x9C,
    /// Go to another server from now on.
    ServerMoved = 0x9D,
    /// The server has no shared subscriptions.
    SharedSubscriptionsNotSupported = 0x9E,
    /// Too many connections in a short time.
    ConnectionRateExceeded = 0x9F,
    /// This connection has lasted as long as it may.
    MaximumConnectTime = 0xA0,
    /// The server has no subscription identifiers.
    SubscriptionIdentifiersNotSupported = 0xA1,
    /// The server has no wildcard subscriptions.
    WildcardSubscriptionsNotSupported = 0xA2,
}

impl ReasonCode {
    /// The code with this number, or `None` where 5.0 defines none.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0x00 => Self::Success,
            0x01 => Self::GrantedQoS1,
            0x02 => Self::GrantedQoS2,
            0x04 => Self::DisconnectWithWill,
            0x10 => Self::NoMatchingSubscribers,
            0x11 => Self::NoSubscriptionExisted,
            0x18 => Self::ContinueAuthentication,
            0x19 => Self::ReAuthenticate,
            0x80 => Self::Unspecified,
            0x81 => Self::MalformedPacket,
            0x82 => Self::ProtocolError,
            0x83 => Self::ImplementationSpecific,
            0x84 => Self::UnsupportedProtocolVersion,
            0x85 => Self::ClientIdentifierNotValid,
            0x86 => Self::BadUserNameOrPassword,
            0x87 => Self::NotAuthorized,
            0x88 => Self::ServerUnavailable,
            0x89 => Self::ServerBusy,
            0x8A => Self::Banned,
            0x8B => Self::ServerShuttingDown,
            0x8C => Self::BadAuthenticationMethod,
            0x8D => Self::KeepAliveTimeout,
            0x8E => Self::SessionTakenOver,
            0x8F => Self::TopicFilterInvalid,
            0x90 => Self::TopicNameInvalid,
            0x91 => Self::PacketIdentifierInUse,
            0x92 => Self::PacketIdentifierNotFound,
            0x93 => Self::ReceiveMaximumExceeded,
            0x94 => Self::TopicAliasInvalid,
            0x95 => Self::PacketTooLarge,
            0x96 => Self::MessageRateTooHigh,
            0x97 => Self::QuotaExceeded,
            0x98 => Self::AdministrativeAction,
            0x99 => Self::PayloadFormatInvalid,
            0x9A => Self::RetainNotSupported,
            0x9B => Self::QoSNotSupported,
            0x9C => Self::UseAnotherServer,
            0x9D => Self::ServerMoved,
            0x9E => Self::SharedSubscriptionsNotSupported,
            0x9F => Self::ConnectionRateExceeded,
            0xA0 => Self::MaximumConnectTime,
            0xA1 => Self::SubscriptionIdentifiersNotSupported,
            0xA2 => Self::WildcardSubscriptionsNotSupported,
            _ => return None,
        })
    }

    /// Takes the code from the front of `reader`, if it is one that `allows` lets through.
    pub(crate) fn read(reader: &mut Reader, allows: impl Fn(Self) -> bool) -> Result<Self, DecodeError> {
        let number = reader.u8()?;
        Self::from_number(number).filter(|reason| allows(*reason)).ok_or(DecodeError::ReasonCode(number))
    }

    /// The number on the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Whether this refuses or ends something.
    pub const fn is_failure(self) -> bool {
        self.number() >= 0x80
    }
}
