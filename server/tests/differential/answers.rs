//! What a broker says, in words that leave out what each broker may choose for itself: the identifiers of its deliveries,
//! the properties of CONNACK, reason strings and the properties beside them.

use luxwire_shared::mqtt::{Packet, Publish, PublishTopic, QoS};
use std::fmt::Write as _;

pub(crate) fn said(packet: &Packet) -> Option<String> {
    let code = |reason: luxwire_shared::mqtt::ReasonCode| format!("{:#04x}", reason.number());
    Some(match packet {
        Packet::Connack(connack) => {
            format!("CONNACK {} session {}", code(connack.reason), u8::from(connack.session_present))
        }
        Packet::Publish(publish) => message(publish),
        Packet::Puback(answer) => format!("PUBACK {} {}", answer.id.number(), code(answer.reason)),
        Packet::Pubrec(answer) => format!("PUBREC {} {}", answer.id.number(), code(answer.reason)),
        // Its identifier is the broker's choice.
        Packet::Pubrel(answer) => format!("PUBREL {}", code(answer.reason)),
        Packet::Pubcomp(answer) => format!("PUBCOMP {} {}", answer.id.number(), code(answer.reason)),
        Packet::Suback(answer) => {
            let codes: Vec<_> = answer.reasons.iter().map(|reason| code(*reason)).collect();
            format!("SUBACK {} {}", answer.id.number(), codes.join(","))
        }
        Packet::Unsuback(answer) => {
            let codes: Vec<_> = answer.reasons.iter().map(|reason| code(*reason)).collect();
            format!("UNSUBACK {} {}", answer.id.number(), codes.join(","))
        }
        Packet::Disconnect(disconnect) => format!("DISCONNECT {}", code(disconnect.reason)),
        Packet::Auth(auth) => format!("AUTH {}", code(auth.reason)),
        // The test's own PINGREQ is answered, and one of a sequence by just such another.
        Packet::Pingresp => return None,
        other => format!("{other:?}"),
    })
}

pub(crate) fn topic(publish: &Publish) -> &str {
    match &publish.topic {
        PublishTopic::Name(name) | PublishTopic::NameAndAlias(name, _) => name.as_str(),
        PublishTopic::Alias(_) => unreachable!("the client has given it its name"),
    }
}

fn message(publish: &Publish) -> String {
    let qos = match publish.qos() {
        QoS::AtMostOnce => 0,
        QoS::AtLeastOnce => 1,
        QoS::ExactlyOnce => 2,
    };
    let dup = u8::from(publish.delivery.dup());
    let payload = publish.payload.escape_ascii();
    let mut line = format!(
        "PUBLISH {} {payload} qos {qos} retain {} dup {dup}",
        topic(publish).escape_debug(),
        u8::from(publish.retain)
    );
    if let Some(properties) = publish.properties.as_deref() {
        let mut properties = properties.clone();
        properties.subscription_ids.sort();
        // It is counted down while the message is stored.
        properties.message_expiry_interval_s = properties.message_expiry_interval_s.map(|_| 1);
        let _ = write!(line, " {properties:?}");
    }
    line
}
