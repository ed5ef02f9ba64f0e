//! AUTH: a step of an extended authentication.

use crate::mqtt::{
    DecodeError, EncodeError, ReasonCode, Text, UserProperties, Version,
    property::{self, property_table},
    reader::Reader,
    sink::Sink,
};
use alloc::boxed::Box;
use bytes::Bytes;

/// 5.0 only. Section 3.15.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// `Success`, `ContinueAuthentication` or `ReAuthenticate`. [MQTT-3.15.2-1]
    pub reason: ReasonCode,
    /// `None` when there are none.
    pub properties: Option<Box<AuthProperties>>,
}

/// Section 3.15.2.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthProperties {
    /// The same in every AUTH of an exchange.
    pub authentication_method: Option<Text>,
    /// Belongs to the method.
    pub authentication_data: Option<Bytes>,
    /// For people.
    pub reason_string: Option<Text>,
    /// Pairs that the sender chose.
    pub user_properties: UserProperties,
}

impl Auth {
    /// The method that it belongs to.
    pub fn method(&self) -> Option<&Text> {
        self.properties.as_ref()?.authentication_method.as_ref()
    }

    /// What it says within its method.
    pub fn data(&self) -> &[u8] {
        self.properties
            .as_ref()
            .and_then(|properties| properties.authentication_data.as_deref())
            .unwrap_or(&[])
    }
}

impl Auth {
    pub(crate) fn read(mut reader: Reader) -> Result<Self, DecodeError> {
        if reader.is_empty() {
            return Ok(Self { reason: ReasonCode::Success, properties: None });
        }
        let reason = ReasonCode::read(&mut reader, allows)?;
        let properties = property::read::<AuthProperties>(&mut reader, Version::V5)?.map(Box::new);
        reader.finish()?;
        if properties.is_none() && reason != ReasonCode::Success {
            return Err(DecodeError::AuthenticationMethodMissing);
        }
        Ok(Self { reason, properties })
    }

    pub(crate) fn write(&self, sink: &mut impl Sink) -> Result<(), EncodeError> {
        if !allows(self.reason) {
            return Err(EncodeError::NotAllowed);
        }
        match (&self.properties, self.reason) {
            (None, ReasonCode::Success) => Ok(()),
            (None, _) => Err(EncodeError::NotAllowed),
            (Some(properties), reason) => {
                sink.u8(reason.number());
                property::write(Some(&**properties), Version::V5, sink)
            }
        }
    }
}

/// [MQTT-3.15.2-1]
const fn allows(reason: ReasonCode) -> bool {
    matches!(reason, ReasonCode::Success | ReasonCode::ContinueAuthentication | ReasonCode::ReAuthenticate)
}

property_table!(AuthProperties {
    AuthenticationMethod: authentication_method,
    AuthenticationData: authentication_data,
    ReasonString: reason_string,
    UserProperty: user_properties,
} consistent if |properties| properties.authentication_method.is_some());
