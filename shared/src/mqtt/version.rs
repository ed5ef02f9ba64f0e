//! The versions of the protocol, as a client names them in CONNECT.

use crate::mqtt::{DecodeError, reader::Reader};

/// A version of MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// MQTT 3.1: protocol name `MQIsdp`, level 3.
    V3_1,
    /// MQTT 3.1.1: protocol name `MQTT`, level 4.
    V3_1_1,
    /// MQTT 5.0: protocol name `MQTT`, level 5.
    V5,
}

impl Version {
    /// The protocol level byte of CONNECT.
    pub const fn level(self) -> u8 {
        match self {
            Self::V3_1 => 3,
            Self::V3_1_1 => 4,
            Self::V5 => 5,
        }
    }

    /// The protocol name of CONNECT.
    pub const fn protocol_name(self) -> &'static str {
        match self {
            Self::V3_1 => "MQIsdp",
            Self::V3_1_1 | Self::V5 => "MQTT",
        }
    }

    /// Whether packets of this version carry properties and reason codes.
    pub const fn has_properties(self) -> bool {
        matches!(self, Self::V5)
    }

    /// Takes the protocol name and level from the front of a CONNECT. [MQTT-3.1.2-1] [MQTT-3.1.2-2]
    /// 3.1.1: [MQTT-3.1.2-1]
    pub(crate) fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        let name = reader.binary()?;
        if name != "MQTT" && name != "MQIsdp" {
            return Err(DecodeError::ProtocolName);
        }
        let level = reader.u8()?;
        [Self::V3_1, Self::V3_1_1, Self::V5]
            .into_iter()
            .find(|version| version.level() == level && name == version.protocol_name())
            .ok_or(DecodeError::ProtocolLevel(level))
    }
}
