//! PUBACK, PUBREC, PUBREL and PUBCOMP: four packets of one shape.

use crate::mqtt::{
    DecodeError, EncodeError, PacketId, ReasonCode, Text, UserProperties, Version,
    property::{self, property_table},
    reader::Reader,
    sink::Sink,
};
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

/// Which of the four it is decides which reason codes it can have.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// PUBACK and PUBREC: what became of the message.
    Receipt,
    /// PUBREL and PUBCOMP: what became of its identifier.
    Release,
}

impl Step {
    /// [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1]
    const fn allows(self, reason: ReasonCode) -> bool {
        match self {
            Self::Receipt => matches!(
                reason,
                ReasonCode::Success
                    | ReasonCode::NoMatchingSubscribers
                    | ReasonCode::Unspecified
                    | ReasonCode::ImplementationSpecific
                    | ReasonCode::NotAuthorized
                    | ReasonCode::TopicNameInvalid
                    | ReasonCode::PacketIdentifierInUse
                    | ReasonCode::QuotaExceeded
                    | ReasonCode::PayloadFormatInvalid
            ),
            Self::Release => matches!(reason, ReasonCode::Success | ReasonCode::PacketIdentifierNotFound),
        }
    }
}

impl Acknowledge {
    pub(crate) fn read(mut reader: Reader, version: Version, step: Step) -> Result<Self, DecodeError> {
        let id = reader.packet_id()?;
        let mut acknowledge = Self::success(id);
        // From 5.0 on a reason may follow, and properties behind it; left out, they mean success and none.
        if version.has_properties() && !reader.is_empty() {
            acknowledge.reason = ReasonCode::read(&mut reader, |reason| step.allows(reason))?;
            if !reader.is_empty() {
                acknowledge.properties = property::read(&mut reader, version)?.map(Box::new);
            }
        }
        reader.finish()?;
        Ok(acknowledge)
    }

    /// As short as it can be said; before 5.0 the identifier alone.
    pub(crate) fn write(
        &self,
        version: Version,
        step: Step,
        sink: &mut impl Sink,
    ) -> Result<(), EncodeError> {
        sink.u16(self.id.number());
        if !version.has_properties() {
            return Ok(());
        }
        if !step.allows(self.reason) {
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

property_table!(AcknowledgeProperties { ReasonString: reason_string, UserProperty: user_properties });
