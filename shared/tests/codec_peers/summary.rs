//! What a packet says, in words that every codec can fill in, so that two codecs' readings can be compared.
//!
//! The properties of 5.0 are not in it: they are compared by having the peer write the packet again.

use luxwire_shared::mqtt::{Packet, ReasonCode, RetainHandling, Version};

/// Two readings agree exactly where their summaries are the same.
pub(crate) type Summary = String;

pub(crate) struct Connect<'a> {
    pub(crate) clean_start: bool,
    pub(crate) keep_alive_s: u16,
    pub(crate) client_id: &'a str,
    pub(crate) will: Option<Will<'a>>,
    pub(crate) user_name: Option<&'a str>,
    pub(crate) password: Option<&'a [u8]>,
}

pub(crate) struct Will<'a> {
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
    pub(crate) qos: u8,
    pub(crate) retain: bool,
}

pub(crate) struct Publish<'a> {
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
    pub(crate) qos: u8,
    pub(crate) dup: bool,
    pub(crate) retain: bool,
    pub(crate) id: Option<u16>,
}

pub(crate) struct Filter<'a> {
    pub(crate) filter: &'a str,
    pub(crate) qos: u8,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
    pub(crate) retain_handling: u8,
}

impl Filter<'_> {
    /// With the options that 3.1.1 has.
    pub(crate) const fn plain(filter: &str, qos: u8) -> Filter<'_> {
        Filter { filter, qos, no_local: false, retain_as_published: false, retain_handling: 0 }
    }
}

pub(crate) fn connect(connect: &Connect<'_>) -> Summary {
    let Connect { clean_start, keep_alive_s, client_id, will, user_name, password } = connect;
    let will = will.as_ref().map(|Will { topic, payload, qos, retain }| {
        format!("{topic:?} {payload:02x?} qos {qos} retain {retain}")
    });
    format!(
        "CONNECT clean {clean_start} keep alive {keep_alive_s} client {client_id:?} will {will:?} \
         user {user_name:?} password {password:02x?}"
    )
}

pub(crate) fn connack(session_present: bool, code: u8) -> Summary {
    format!("CONNACK session {session_present} code {code:#04x}")
}

pub(crate) fn publish(publish: &Publish<'_>) -> Summary {
    let Publish { topic, payload, qos, dup, retain, id } = publish;
    format!("PUBLISH {topic:?} {payload:02x?} qos {qos} dup {dup} retain {retain} id {id:?}")
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP.
pub(crate) fn acknowledge(name: &str, id: u16, reason: u8) -> Summary {
    format!("{name} id {id} reason {reason:#04x}")
}

pub(crate) fn subscribe<'a>(id: u16, filters: impl Iterator<Item = Filter<'a>>) -> Summary {
    let filters: Vec<String> = filters
        .map(|Filter { filter, qos, no_local, retain_as_published, retain_handling }| {
            format!("{filter:?} qos {qos} {no_local} {retain_as_published} {retain_handling}")
        })
        .collect();
    format!("SUBSCRIBE id {id} {filters:?}")
}

/// SUBACK or UNSUBACK.
pub(crate) fn subscription_answer(name: &str, id: u16, codes: impl Iterator<Item = u8>) -> Summary {
    let codes: Vec<u8> = codes.collect();
    format!("{name} id {id} codes {codes:02x?}")
}

pub(crate) fn unsubscribe<'a>(id: u16, filters: impl Iterator<Item = &'a str>) -> Summary {
    let filters: Vec<&str> = filters.collect();
    format!("UNSUBSCRIBE id {id} {filters:?}")
}

/// DISCONNECT or AUTH.
pub(crate) fn reason(name: &str, reason: u8) -> Summary {
    format!("{name} reason {reason:#04x}")
}

pub(crate) fn ping(name: &str) -> Summary {
    name.to_owned()
}

/// Our own reading.
pub(crate) fn of(packet: &Packet, version: Version) -> Summary {
    match packet {
        Packet::Connect(packet) => connect(&Connect {
            clean_start: packet.clean_start,
            keep_alive_s: packet.keep_alive_s,
            client_id: &packet.client_id,
            will: packet.will.as_ref().map(|will| Will {
                topic: will.topic.as_str(),
                payload: &will.payload,
                qos: will.qos.number(),
                retain: will.retain,
            }),
            user_name: packet.user_name.as_deref(),
            password: packet.password.as_deref(),
        }),
        Packet::Connack(packet) => connack(packet.session_present, connack_code(packet.reason, version)),
        Packet::Publish(packet) => publish(&Publish {
            topic: match &packet.topic {
                luxwire_shared::mqtt::PublishTopic::Name(name)
                | luxwire_shared::mqtt::PublishTopic::NameAndAlias(name, _) => name.as_str(),
                luxwire_shared::mqtt::PublishTopic::Alias(_) => "",
            },
            payload: &packet.payload,
            qos: packet.qos().number(),
            dup: packet.delivery.dup(),
            retain: packet.retain,
            id: packet.delivery.packet_id().map(|id| id.number()),
        }),
        Packet::Puback(packet) => acknowledge("PUBACK", packet.id.number(), packet.reason.number()),
        Packet::Pubrec(packet) => acknowledge("PUBREC", packet.id.number(), packet.reason.number()),
        Packet::Pubrel(packet) => acknowledge("PUBREL", packet.id.number(), packet.reason.number()),
        Packet::Pubcomp(packet) => acknowledge("PUBCOMP", packet.id.number(), packet.reason.number()),
        Packet::Subscribe(packet) => {
            let texts: Vec<String> = packet.filters.iter().map(|filter| filter.filter.to_string()).collect();
            let filters = packet.filters.iter().zip(&texts).map(|(filter, text)| Filter {
                filter: text,
                qos: filter.qos.number(),
                no_local: filter.no_local,
                retain_as_published: filter.retain_as_published,
                retain_handling: match filter.retain_handling {
                    RetainHandling::Send => 0,
                    RetainHandling::SendIfNew => 1,
                    RetainHandling::DoNotSend => 2,
                },
            });
            subscribe(packet.id.number(), filters)
        }
        Packet::Suback(packet) => subscription_answer(
            "SUBACK",
            packet.id.number(),
            packet.reasons.iter().map(|reason| reason.number()),
        ),
        Packet::Unsubscribe(packet) => {
            let texts: Vec<String> = packet.filters.iter().map(ToString::to_string).collect();
            unsubscribe(packet.id.number(), texts.iter().map(String::as_str))
        }
        Packet::Unsuback(packet) => subscription_answer(
            "UNSUBACK",
            packet.id.number(),
            packet.reasons.iter().map(|reason| reason.number()),
        ),
        Packet::Pingreq => ping("PINGREQ"),
        Packet::Pingresp => ping("PINGRESP"),
        Packet::Disconnect(packet) => reason("DISCONNECT", packet.reason.number()),
        Packet::Auth(packet) => reason("AUTH", packet.reason.number()),
    }
}

/// The number on the wire: before 5.0 a return code. Table 3.1 of 3.1.1.
fn connack_code(reason: ReasonCode, version: Version) -> u8 {
    match reason {
        reason if version.has_properties() => reason.number(),
        ReasonCode::Success => 0,
        ReasonCode::UnsupportedProtocolVersion => 1,
        ReasonCode::ClientIdentifierNotValid => 2,
        ReasonCode::ServerUnavailable => 3,
        ReasonCode::BadUserNameOrPassword => 4,
        ReasonCode::NotAuthorized => 5,
        other => panic!("{other:?} has no return code"),
    }
}
