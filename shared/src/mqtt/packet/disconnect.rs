//! DISCONNECT: an ending that is meant.

use crate::mqtt::{ReasonCode, Text, UserProperties};
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
