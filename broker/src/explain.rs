//! What clients are told in words, beside the reason code: for the people who look for the mistake.
//!
//! DISCONNECT and CONNACK may always bring words, other packets only if the client did not ask to be spared
//! ([MQTT-3.1.2-29]), and none if the packet became larger than the client takes.
//!
//! PUBREL, PUBCOMP, UNSUBACK and AUTH bring no words, and none of these packets user properties, so that nothing of the
//! kind ever makes them too large: [MQTT-3.6.2-2] [MQTT-3.7.2-2] [MQTT-3.11.2-1] [MQTT-3.15.2-2]; [MQTT-3.4.2-3]
//! [MQTT-3.5.2-3] [MQTT-3.6.2-3] [MQTT-3.7.2-3] [MQTT-3.9.2-2] [MQTT-3.11.2-2] [MQTT-3.14.2-4] [MQTT-3.15.2-3].

use crate::session::{Connection, takes};
use alloc::{boxed::Box, string::ToString};
use core::{fmt::Display, num::NonZeroU32};
use luxwire_shared::mqtt::{
    Acknowledge, AcknowledgeKind, AcknowledgeProperties, Connack, ConnackProperties, Disconnect,
    DisconnectProperties, Packet, PacketId, ReasonCode, Suback, Text, Version,
};

/// CONNACK that says no. [MQTT-3.2.2-6] [MQTT-3.2.2-19], 3.1.1: [MQTT-3.2.2-4]
pub(crate) fn refusal(reason: ReasonCode, why: impl Display, packet_size: Option<NonZeroU32>) -> Packet {
    let with = |reason_string| {
        let properties = ConnackProperties { reason_string, ..ConnackProperties::default() };
        Packet::Connack(Box::new(Connack { session_present: false, reason, properties }))
    };
    let explained = with(words(why));
    if takes(packet_size, explained.encoded_len(Version::V5)) { explained } else { with(None) }
}

/// Why a message is not taken.
pub(crate) const fn publish_refused(reason: ReasonCode) -> &'static str {
    match reason {
        ReasonCode::TopicNameInvalid => "topics below $SYS are the broker's own",
        ReasonCode::QuotaExceeded => "there is no room for another retained message",
        ReasonCode::PayloadFormatInvalid => "the payload is not the UTF-8 that it is said to be",
        ReasonCode::NotAuthorized => "this client may not publish here",
        _ => "the message is not taken",
    }
}

impl Connection {
    /// The end of a connection; only for 5.0. [MQTT-3.14.2-3]
    pub(crate) fn disconnect(&self, reason: ReasonCode, why: impl Display) -> Packet {
        let properties =
            DisconnectProperties { reason_string: words(why), ..DisconnectProperties::default() };
        let explained = Disconnect { reason, properties: Some(Box::new(properties)) };
        self.shorter(Packet::Disconnect(explained), || Packet::Disconnect(Disconnect::because(reason)))
    }

    /// PUBACK or PUBREC. [MQTT-3.4.2-2] [MQTT-3.5.2-2]
    pub(crate) fn publish_answer(&self, kind: AcknowledgeKind, id: PacketId, reason: ReasonCode) -> Packet {
        if !reason.is_failure() || !self.wants_words {
            return kind.packet(Acknowledge::because(id, reason));
        }
        let properties = properties(publish_refused(reason));
        let explained = Acknowledge { id, reason, properties };
        self.shorter(kind.packet(explained), || kind.packet(Acknowledge::because(id, reason)))
    }

    /// SUBACK, with words if a filter was refused. [MQTT-3.9.2-1]
    pub(crate) fn suback(&self, suback: Suback, refused: Option<impl Display>) -> Packet {
        let Some(why) = refused.filter(|_| self.wants_words) else { return Packet::Suback(suback) };
        let explained = Suback { properties: properties(why), ..suback.clone() };
        self.shorter(Packet::Suback(explained), || Packet::Suback(suback))
    }

    /// The first if the client takes it, otherwise the second.
    fn shorter(&self, explained: Packet, plain: impl FnOnce() -> Packet) -> Packet {
        if self.takes(explained.encoded_len(self.version)) { explained } else { plain() }
    }
}

fn properties(why: impl Display) -> Option<Box<AcknowledgeProperties>> {
    let properties = AcknowledgeProperties { reason_string: words(why), ..AcknowledgeProperties::default() };
    Some(Box::new(properties))
}

fn words(why: impl Display) -> Option<Text> {
    Text::try_from(why.to_string().as_str()).ok()
}
