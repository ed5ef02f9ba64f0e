//! The versions of the protocol, as a client names them in CONNECT, and everything in which they differ: whoever does one
//! thing for one version and another for the next asks here, and the question says why.

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

    /// Whether packets carry properties and reason codes, and what came with them: AUTH, and options of a subscription.
    pub const fn has_properties(self) -> bool {
        matches!(self, Self::V5)
    }

    /// Whether CONNACK says that there was a session.
    pub const fn has_session_present(self) -> bool {
        matches!(self, Self::V3_1_1 | Self::V5)
    }

    /// Whether CONNECT may end before a field whose flag is set, for the sake of the clients before 3.1.
    pub const fn lets_connect_end_early(self) -> bool {
        matches!(self, Self::V3_1)
    }

    /// Whether PUBREL, SUBSCRIBE and UNSUBSCRIBE have DUP when they are sent again; from 3.1.1 on that is forbidden.
    pub const fn has_dup_beyond_publish(self) -> bool {
        matches!(self, Self::V3_1)
    }

    /// Whether a client identifier has 1 to 23 characters.
    pub const fn bounds_client_ids(self) -> bool {
        matches!(self, Self::V3_1)
    }

    /// Whether a client is told the identifier that it was given, so that it can come back with it.
    pub const fn tells_assigned_client_id(self) -> bool {
        matches!(self, Self::V5)
    }

    /// Whether CONNECT says how long the session outlives the connection; otherwise a clean start ends it with that.
    pub const fn has_session_expiry(self) -> bool {
        matches!(self, Self::V5)
    }

    /// Whether the server may choose the keep alive.
    pub const fn has_server_keep_alive(self) -> bool {
        matches!(self, Self::V5)
    }

    /// Whether the client is told how many QoS 2 messages it may have unreleased.
    pub const fn has_receive_maximum(self) -> bool {
        matches!(self, Self::V5)
    }

    /// Whether CONNACK may answer a CONNECT that is malformed; 3.1.1 forbids it.
    pub const fn answers_malformed_connect(self) -> bool {
        matches!(self, Self::V5)
    }

    /// Whether the server says DISCONNECT, with a reason, before it closes.
    pub const fn has_server_disconnect(self) -> bool {
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
