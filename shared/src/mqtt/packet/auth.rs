//! AUTH: a step of an extended authentication.

use crate::mqtt::{ReasonCode, Text, UserProperties};
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
