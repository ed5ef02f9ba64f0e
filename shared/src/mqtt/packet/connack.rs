//! CONNACK: the server's answer to CONNECT.

use crate::mqtt::{
    DecodeError, EncodeError, QoS, ReasonCode, Text, UserProperties, Version,
    property::{self, property_table},
    reader::Reader,
    sink::Sink,
};
use bytes::Bytes;
use core::num::{NonZeroU16, NonZeroU32};

/// The first packet from the server. Section 3.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connack {
    /// The server had a session for this client and goes on with it. Never set on a refusal. [MQTT-3.2.2-6]
    pub session_present: bool,
    /// `Success`, or why not. Before 5.0 the codec writes the nearest of the five old return codes.
    pub reason: ReasonCode,
    /// 5.0 only.
    pub properties: ConnackProperties,
}

/// Section 3.2.2.3. What is absent takes the value named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnackProperties {
    /// Replaces what the client asked for.
    pub session_expiry_interval_s: Option<u32>,
    /// How many QoS 1 and 2 messages the server takes unacknowledged; absent means 65,535.
    pub receive_maximum: Option<NonZeroU16>,
    /// The highest quality that the server takes; `None` means 2. Never `ExactlyOnce` on the wire.
    pub maximum_qos: Option<QoS>,
    /// Whether the server keeps retained messages; absent means yes.
    pub retain_available: Option<bool>,
    /// The largest packet that the server takes, in bytes.
    pub maximum_packet_size: Option<NonZeroU32>,
    /// The identifier that the server chose for a client that sent none.
    pub assigned_client_id: Option<Text>,
    /// The highest topic alias that the server takes; absent means 0.
    pub topic_alias_maximum: Option<u16>,
    /// For people.
    pub reason_string: Option<Text>,
    /// Pairs that the server chose.
    pub user_properties: UserProperties,
    /// Whether filters may hold wildcards; absent means yes.
    pub wildcard_subscription_available: Option<bool>,
    /// Whether subscriptions may carry identifiers; absent means yes.
    pub subscription_ids_available: Option<bool>,
    /// Whether `$share/` works; absent means yes.
    pub shared_subscription_available: Option<bool>,
    /// The keep alive that the client must use instead of its own, in seconds.
    pub server_keep_alive_s: Option<u16>,
    /// Helps the client to make a response topic.
    pub response_information: Option<Text>,
    /// Where to go instead.
    pub server_reference: Option<Text>,
    /// The method of extended authentication.
    pub authentication_method: Option<Text>,
    /// Belongs to the method.
    pub authentication_data: Option<Bytes>,
}

const SESSION_PRESENT: u8 = 0b0000_0001;

impl Connack {
    pub(crate) fn read(mut reader: Reader, version: Version) -> Result<Self, DecodeError> {
        let flags = reader.u8()?;
        // Before there were acknowledge flags nothing said what stands there instead.
        let flags = if version.has_session_present() { flags } else { 0 };
        if flags & !SESSION_PRESENT != 0 {
            return Err(DecodeError::ConnackFlags); // [MQTT-3.2.2-1]
        }
        let session_present = flags & SESSION_PRESENT != 0;
        let reason = if version.has_properties() {
            ReasonCode::read(&mut reader, allows)?
        } else {
            let code = reader.u8()?;
            from_return_code(code).ok_or(DecodeError::ReasonCode(code))?
        };
        if session_present && reason != ReasonCode::Success {
            return Err(DecodeError::SessionPresentOnRefusal); // [MQTT-3.2.2-6]
        }
        let properties = property::read(&mut reader, version)?.unwrap_or_default();
        reader.finish()?;
        Ok(Self { session_present, reason, properties })
    }

    pub(crate) fn write(&self, version: Version, sink: &mut impl Sink) -> Result<(), EncodeError> {
        let session_present =
            self.session_present && self.reason == ReasonCode::Success && version.has_session_present();
        sink.u8(if session_present { SESSION_PRESENT } else { 0 });
        if !version.has_properties() {
            sink.u8(to_return_code(self.reason));
            return Ok(());
        }
        if !allows(self.reason) {
            return Err(EncodeError::NotAllowed);
        }
        sink.u8(self.reason.number());
        property::write(Some(&self.properties), version, sink)
    }
}

/// [MQTT-3.2.2-8]
const fn allows(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::Success
            | ReasonCode::Unspecified
            | ReasonCode::MalformedPacket
            | ReasonCode::ProtocolError
            | ReasonCode::ImplementationSpecific
            | ReasonCode::UnsupportedProtocolVersion
            | ReasonCode::ClientIdentifierNotValid
            | ReasonCode::BadUserNameOrPassword
            | ReasonCode::NotAuthorized
            | ReasonCode::ServerUnavailable
            | ReasonCode::ServerBusy
            | ReasonCode::Banned
            | ReasonCode::BadAuthenticationMethod
            | ReasonCode::TopicNameInvalid
            | ReasonCode::PacketTooLarge
            | ReasonCode::QuotaExceeded
            | ReasonCode::PayloadFormatInvalid
            | ReasonCode::RetainNotSupported
            | ReasonCode::QoSNotSupported
            | ReasonCode::UseAnotherServer
            | ReasonCode::ServerMoved
            | ReasonCode::ConnectionRateExceeded
    )
}

/// What the return code of 3.1 and 3.1.1 means. Table 3.1 of 3.1.1.
const fn from_return_code(code: u8) -> Option<ReasonCode> {
    Some(match code {
        0 => ReasonCode::Success,
        1 => ReasonCode::UnsupportedProtocolVersion,
        2 => ReasonCode::ClientIdentifierNotValid,
        3 => ReasonCode::ServerUnavailable,
        4 => ReasonCode::BadUserNameOrPassword,
        5 => ReasonCode::NotAuthorized,
        _ => return None,
    })
}

/// The nearest return code of 3.1 and 3.1.1: 3 where it may go better later, 5 where it will not.
const fn to_return_code(reason: ReasonCode) -> u8 {
    match reason {
        ReasonCode::Success => 0,
        ReasonCode::UnsupportedProtocolVersion => 1,
        ReasonCode::ClientIdentifierNotValid => 2,
        ReasonCode::ServerUnavailable
        | ReasonCode::ServerBusy
        | ReasonCode::ServerShuttingDown
        | ReasonCode::Unspecified
        | ReasonCode::ImplementationSpecific
        | ReasonCode::QuotaExceeded
        | ReasonCode::UseAnotherServer
        | ReasonCode::ServerMoved
        | ReasonCode::ConnectionRateExceeded
        | ReasonCode::MessageRateTooHigh => 3,
        ReasonCode::BadUserNameOrPassword => 4,
        _ => 5,
    }
}

property_table!(ConnackProperties {
    SessionExpiryInterval: session_expiry_interval_s,
    ReceiveMaximum: receive_maximum,
    MaximumQoS: maximum_qos,
    RetainAvailable: retain_available,
    MaximumPacketSize: maximum_packet_size,
    AssignedClientId: assigned_client_id,
    TopicAliasMaximum: topic_alias_maximum,
    ReasonString: reason_string,
    UserProperty: user_properties,
    WildcardSubscriptionAvailable: wildcard_subscription_available,
    SubscriptionIdsAvailable: subscription_ids_available,
    SharedSubscriptionAvailable: shared_subscription_available,
    ServerKeepAlive: server_keep_alive_s,
    ResponseInformation: response_information,
    ServerReference: server_reference,
    AuthenticationMethod: authentication_method,
    AuthenticationData: authentication_data,
} consistent if |properties| {
    properties.authentication_method.is_some() || properties.authentication_data.is_none()
});
