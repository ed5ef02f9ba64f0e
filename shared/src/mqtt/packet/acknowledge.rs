//! PUBACK, PUBREC, PUBREL and PUBCOMP: four packets of one shape.

use crate::mqtt::{PacketId, ReasonCode, Text, UserProperties};
use alloc::boxed::Box;

/// What all four say: which message, and how it went. Sections 3.4 to 3.7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledge {
    /// The identifier of the PUBLISH. [MQTT-2.2.1-5]
    pub id: PacketId,
    /// `Success`, or what went wrong; always `Success` before 5.0.
    pub reason: ReasonCode,
    /// 5.0 only; `None` when there are none.
    pub properties: Option<Box<AcknowledgeProperties>>,
}

/// Sections 3.4.2.2 and its kin; also the properties of SUBACK and UNSUBACK.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcknowledgeProperties {
    /// For people.
    pub reason_string: Option<Text>,
    /// Pairs that the sender chose.
    pub user_properties: UserProperties,
}

impl Acknowledge {
    /// All went well.
    pub const fn success(id: PacketId) -> Self {
        Self::because(id, ReasonCode::Success)
    }

    /// It went as `reason` says.
    pub const fn because(id: PacketId, reason: ReasonCode) -> Self {
        Self { id, reason, properties: None }
    }
}
