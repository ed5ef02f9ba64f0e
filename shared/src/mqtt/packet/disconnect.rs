//! DISCONNECT: an ending that is meant.

use crate::mqtt::{
    DecodeError, EncodeError, ReasonCode, Text, UserProperties, Version,
    property::{self, property_table},
    reader::Reader,
    sink::Sink,
};
use alloc::boxed::Box;

/// The last packet of a connection, from either side (before 5.0 only from the client). Section 3.14.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnect {
    /// Why; always `Success` before 5.0.
    pub reason: ReasonCode,
    /// 5.0 only; `None` when there are none.
    pub properties: Option<Box<DisconnectProperties>>,
}

/// Section 3.14.2.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DisconnectProperties {
    /// Replaces what CONNECT said, unless that was 0; never from a server. [MQTT-3.14.2-2]
    pub session_expiry_interval_s: Option<u32>,
    /// For people.
    pub reason_string: Option<Text>,
    /// Pairs that the sender chose.
    pub user_properties: UserProperties,
    /// Where to go instead.
    pub server_reference: Option<Text>,
}

impl Disconnect {
    /// For this reason and without properties.
    pub const fn because(reason: ReasonCode) -> Self {
        Self { reason, properties: None }
    }
}

impl Disconnect {
    pub(crate) fn read(mut reader: Reader, version: Version) -> Result<Self, DecodeError> {
        let mut disconnect = Self::because(ReasonCode::Success);
        // From 5.0 on a reason may follow, and properties behind it; left out, they mean a normal ending and none.
        if version.has_properties() && !reader.is_empty() {
            disconnect.reason = ReasonCode::read(&mut reader, allows)?;
            if !reader.is_empty() {
                disconnect.properties = property::read(&mut reader, version)?.map(Box::new);
            }
        }
        reader.finish()?;
        Ok(disconnect)
    }

    /// As short as it can be said. Before 5.0 only a client says it, and only for a normal ending: written for any
    /// other reason it would make the server forget the will.
    pub(crate) fn write(&self, version: Version, sink: &mut impl Sink) -> Result<(), EncodeError> {
        if !version.has_properties() {
            return match self.reason {
                ReasonCode::Success => Ok(()),
                _ => Err(EncodeError::NotInThisVersion),
            };
        }
        if !allows(self.reason) {
            return Err(EncodeError::NotAllowed);
        }
        if self.properties.is_some() || self.reason != ReasonCode::Success {
            sink.u8(self.reason.number());
        }
        if let Some(properties) = &self.properties {
            property::write(Some(&**properties), version, sink)?;
        }
        Ok(())
    }
}

/// [MQTT-3.14.2-1] `BadAuthenticationMethod` is missing from the list in 3.14.2.1 and named for DISCONNECT in 2.4.
const fn allows(reason: ReasonCode) -> bool {
    match reason {
        ReasonCode::Success
        | ReasonCode::DisconnectWithWill
        | ReasonCode::Unspecified
        | ReasonCode::MalformedPacket
        | ReasonCode::ProtocolError
        | ReasonCode::ImplementationSpecific
        | ReasonCode::NotAuthorized
        | ReasonCode::ServerBusy
        | ReasonCode::ServerShuttingDown
        | ReasonCode::BadAuthenticationMethod
        | ReasonCode::KeepAliveTimeout
        | ReasonCode::SessionTakenOver
        | ReasonCode::TopicFilterInvalid
        | ReasonCode::TopicNameInvalid
        | ReasonCode::ReceiveMaximumExceeded
        | ReasonCode::TopicAliasInvalid
        | ReasonCode::PacketTooLarge
        | ReasonCode::MessageRateTooHigh
        | ReasonCode::QuotaExceeded
        | ReasonCode::AdministrativeAction
        | ReasonCode::PayloadFormatInvalid
        | ReasonCode::RetainNotSupported
        | ReasonCode::QoSNotSupported
        | ReasonCode::UseAnotherServer
        | ReasonCode::ServerMoved
        | ReasonCode::SharedSubscriptionsNotSupported
        | ReasonCode::ConnectionRateExceeded
        | ReasonCode::MaximumConnectTime
        | ReasonCode::SubscriptionIdentifiersNotSupported
        | ReasonCode::WildcardSubscriptionsNotSupported => true,
        ReasonCode::GrantedQoS1
        | ReasonCode::GrantedQoS2
        | ReasonCode::NoMatchingSubscribers
        | ReasonCode::NoSubscriptionExisted
        | ReasonCode::ContinueAuthentication
        | ReasonCode::ReAuthenticate
        | ReasonCode::UnsupportedProtocolVersion
        | ReasonCode::ClientIdentifierNotValid
        | ReasonCode::BadUserNameOrPassword
        | ReasonCode::ServerUnavailable
        | ReasonCode::Banned
        | ReasonCode::PacketIdentifierInUse
        | ReasonCode::PacketIdentifierNotFound => false,
    }
}

property_table!(DisconnectProperties {
    SessionExpiryInterval: session_expiry_interval_s,
    ReasonString: reason_string,
    UserProperty: user_properties,
    ServerReference: server_reference,
});
