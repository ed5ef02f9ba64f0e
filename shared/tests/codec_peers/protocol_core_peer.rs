//! `mqtt-protocol-core` 0.7: 3.1.1 and 5.0. Its packets are asked directly, not through its connection, which would add
//! rules about what may come when.

use crate::{Reading, summary};
use luxwire_shared::mqtt::PacketType;
use mqtt_protocol_core::mqtt::{
    Arc,
    packet::{v3_1_1, v5_0},
    result_code::MqttError,
};

/// The parsers take the body, and say how much of it they used; what they leave is too much.
fn whole<P>(parsed: Result<(P, usize), MqttError>, body: &[u8]) -> Result<P, String> {
    let (packet, used) = parsed.map_err(|error| format!("{error:?}"))?;
    if used == body.len() { Ok(packet) } else { Err(format!("used {used} of {} bytes", body.len())) }
}

macro_rules! reading {
    ($packet:ident = $parsed:expr, $body:expr => $summary:expr) => {{
        let $packet = whole($parsed, $body)?;
        Reading { summary: $summary, again: Ok($packet.to_continuous_buffer()) }
    }};
}

macro_rules! connect {
    ($packet:ident) => {
        summary::connect(&summary::Connect {
            clean_start: $packet.clean_start(),
            keep_alive_s: $packet.keep_alive(),
            client_id: $packet.client_id(),
            will: $packet.will_topic().zip($packet.will_payload()).map(|(topic, payload)| summary::Will {
                topic,
                payload,
                qos: $packet.will_qos() as u8,
                retain: $packet.will_retain(),
            }),
            user_name: $packet.user_name(),
            password: $packet.password(),
        })
    };
}

macro_rules! publish {
    ($packet:ident) => {
        summary::publish(&summary::Publish {
            topic: $packet.topic_name(),
            payload: $packet.payload().as_slice(),
            qos: $packet.qos() as u8,
            dup: $packet.dup(),
            retain: $packet.retain(),
            id: $packet.packet_id(),
        })
    };
}

macro_rules! subscribe {
    ($packet:ident) => {
        summary::subscribe(
            $packet.packet_id(),
            $packet.entries().iter().map(|entry| summary::Filter {
                filter: entry.topic_filter(),
                qos: entry.sub_opts().qos() as u8,
                no_local: entry.sub_opts().nl(),
                retain_as_published: entry.sub_opts().rap(),
                retain_handling: entry.sub_opts().rh() as u8,
            }),
        )
    };
}

macro_rules! unsubscribe {
    ($packet:ident) => {
        summary::unsubscribe($packet.packet_id(), $packet.entries().iter().map(|entry| entry.as_str()))
    };
}

macro_rules! acknowledge {
    ($name:literal, $packet:ident) => {
        summary::acknowledge(
            $name,
            $packet.packet_id(),
            $packet.reason_code().map_or(0, |reason| reason as u8),
        )
    };
}

pub(crate) fn read_v4(packet_type: PacketType, flags: u8, body: &[u8]) -> Result<Reading, String> {
    use v3_1_1::*;
    Ok(match packet_type {
        PacketType::Connect => reading!(packet = Connect::parse(body), body => connect!(packet)),
        PacketType::Connack => reading!(packet = Connack::parse(body), body =>
            summary::connack(packet.session_present(), packet.return_code() as u8)),
        PacketType::Publish => {
            reading!(packet = Publish::parse(flags, Arc::from(body)), body => publish!(packet))
        }
        PacketType::Puback => reading!(packet = Puback::parse(body), body => acknowledge!("PUBACK", packet)),
        PacketType::Pubrec => reading!(packet = Pubrec::parse(body), body => acknowledge!("PUBREC", packet)),
        PacketType::Pubrel => reading!(packet = Pubrel::parse(body), body => acknowledge!("PUBREL", packet)),
        PacketType::Pubcomp => {
            reading!(packet = Pubcomp::parse(body), body => acknowledge!("PUBCOMP", packet))
        }
        PacketType::Subscribe => reading!(packet = Subscribe::parse(body), body => subscribe!(packet)),
        PacketType::Suback => reading!(packet = Suback::parse(body), body => {
            let codes = packet.return_codes();
            summary::subscription_answer("SUBACK", packet.packet_id(), codes.iter().map(|code| *code as u8))
        }),
        PacketType::Unsubscribe => reading!(packet = Unsubscribe::parse(body), body => unsubscribe!(packet)),
        PacketType::Unsuback => reading!(packet = Unsuback::parse(body), body =>
            summary::subscription_answer("UNSUBACK", packet.packet_id(), [].into_iter())),
        PacketType::Pingreq => reading!(packet = Pingreq::parse(body), body => summary::ping("PINGREQ")),
        PacketType::Pingresp => reading!(packet = Pingresp::parse(body), body => summary::ping("PINGRESP")),
        PacketType::Disconnect => reading!(packet = Disconnect::parse(body), body =>
            summary::reason("DISCONNECT", 0)),
        PacketType::Auth => return Err("no such packet".to_owned()),
    })
}

pub(crate) fn read_v5(packet_type: PacketType, flags: u8, body: &[u8]) -> Result<Reading, String> {
    use v5_0::*;
    Ok(match packet_type {
        PacketType::Connect => reading!(packet = Connect::parse(body), body => connect!(packet)),
        PacketType::Connack => reading!(packet = Connack::parse(body), body =>
            summary::connack(packet.session_present(), packet.reason_code() as u8)),
        PacketType::Publish => {
            reading!(packet = Publish::parse(flags, Arc::from(body)), body => publish!(packet))
        }
        PacketType::Puback => reading!(packet = Puback::parse(body), body => acknowledge!("PUBACK", packet)),
        PacketType::Pubrec => reading!(packet = Pubrec::parse(body), body => acknowledge!("PUBREC", packet)),
        PacketType::Pubrel => reading!(packet = Pubrel::parse(body), body => acknowledge!("PUBREL", packet)),
        PacketType::Pubcomp => {
            reading!(packet = Pubcomp::parse(body), body => acknowledge!("PUBCOMP", packet))
        }
        PacketType::Subscribe => reading!(packet = Subscribe::parse(body), body => subscribe!(packet)),
        PacketType::Suback => reading!(packet = Suback::parse(body), body => {
            let codes = packet.reason_codes();
            summary::subscription_answer("SUBACK", packet.packet_id(), codes.iter().map(|code| *code as u8))
        }),
        PacketType::Unsubscribe => reading!(packet = Unsubscribe::parse(body), body => unsubscribe!(packet)),
        PacketType::Unsuback => reading!(packet = Unsuback::parse(body), body => {
            let codes = packet.reason_codes();
            summary::subscription_answer("UNSUBACK", packet.packet_id(), codes.iter().map(|code| *code as u8))
        }),
        PacketType::Pingreq => reading!(packet = Pingreq::parse(body), body => summary::ping("PINGREQ")),
        PacketType::Pingresp => reading!(packet = Pingresp::parse(body), body => summary::ping("PINGRESP")),
        PacketType::Disconnect => reading!(packet = Disconnect::parse(body), body =>
            summary::reason("DISCONNECT", packet.reason_code().map_or(0, |reason| reason as u8))),
        PacketType::Auth => reading!(packet = Auth::parse(body), body =>
            summary::reason("AUTH", packet.reason_code().map_or(0, |reason| reason as u8))),
    })
}
