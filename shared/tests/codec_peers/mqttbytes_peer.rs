//! `mqttbytes` 0.6: 3.1.1 and 5.0.

use crate::{Reading, summary};
use bytes::BytesMut;
use mqttbytes::{v4, v5};

pub(crate) fn read_v4(bytes: &[u8]) -> Result<Reading, String> {
    let packet = v4::read(&mut BytesMut::from(bytes), usize::MAX).map_err(|error| format!("{error:?}"))?;
    let mut again = BytesMut::new();
    let (summary, written) = match packet {
        v4::Packet::Connect(packet) => (
            summary::connect(&summary::Connect {
                clean_start: packet.clean_session,
                keep_alive_s: packet.keep_alive,
                client_id: &packet.client_id,
                will: packet.last_will.as_ref().map(|will| summary::Will {
                    topic: &will.topic,
                    payload: &will.message,
                    qos: will.qos as u8,
                    retain: will.retain,
                }),
                user_name: packet.login.as_ref().map(|login| login.username.as_str()),
                password: packet.login.as_ref().map(|login| login.password.as_bytes()),
            }),
            packet.write(&mut again),
        ),
        v4::Packet::ConnAck(packet) => {
            (summary::connack(packet.session_present, packet.code as u8), packet.write(&mut again))
        }
        v4::Packet::Publish(packet) => (
            summary::publish(&summary::Publish {
                topic: &packet.topic,
                payload: &packet.payload,
                qos: packet.qos as u8,
                dup: packet.dup,
                retain: packet.retain,
                id: Some(packet.pkid).filter(|id| *id != 0),
            }),
            packet.write(&mut again),
        ),
        v4::Packet::PubAck(packet) => {
            (summary::acknowledge("PUBACK", packet.pkid, 0), packet.write(&mut again))
        }
        v4::Packet::PubRec(packet) => {
            (summary::acknowledge("PUBREC", packet.pkid, 0), packet.write(&mut again))
        }
        v4::Packet::PubRel(packet) => {
            (summary::acknowledge("PUBREL", packet.pkid, 0), packet.write(&mut again))
        }
        v4::Packet::PubComp(packet) => {
            (summary::acknowledge("PUBCOMP", packet.pkid, 0), packet.write(&mut again))
        }
        v4::Packet::Subscribe(packet) => {
            let filters = packet.filters.iter();
            let filters = filters.map(|filter| summary::Filter::plain(&filter.path, filter.qos as u8));
            (summary::subscribe(packet.pkid, filters), packet.write(&mut again))
        }
        v4::Packet::SubAck(packet) => {
            let codes = packet.return_codes.iter().map(|code| match code {
                v4::SubscribeReasonCode::Success(qos) => *qos as u8,
                v4::SubscribeReasonCode::Failure => 0x80,
            });
            (summary::subscription_answer("SUBACK", packet.pkid, codes), packet.write(&mut again))
        }
        v4::Packet::Unsubscribe(packet) => {
            let filters = packet.topics.iter().map(String::as_str);
            (summary::unsubscribe(packet.pkid, filters), packet.write(&mut again))
        }
        v4::Packet::UnsubAck(packet) => {
            let codes = [].into_iter();
            (summary::subscription_answer("UNSUBACK", packet.pkid, codes), packet.write(&mut again))
        }
        v4::Packet::PingReq => (summary::ping("PINGREQ"), v4::PingReq.write(&mut again)),
        v4::Packet::PingResp => (summary::ping("PINGRESP"), v4::PingResp.write(&mut again)),
        v4::Packet::Disconnect => (summary::reason("DISCONNECT", 0), v4::Disconnect.write(&mut again)),
    };
    Ok(Reading { summary, again: written.map(|_| again.to_vec()).map_err(|error| format!("{error:?}")) })
}

pub(crate) fn read_v5(bytes: &[u8]) -> Result<Reading, String> {
    let packet = v5::read(&mut BytesMut::from(bytes), usize::MAX).map_err(|error| format!("{error:?}"))?;
    let mut again = BytesMut::new();
    let (summary, written) = match packet {
        v5::Packet::Connect(packet) => (
            summary::connect(&summary::Connect {
                clean_start: packet.clean_session,
                keep_alive_s: packet.keep_alive,
                client_id: &packet.client_id,
                will: packet.last_will.as_ref().map(|will| summary::Will {
                    topic: &will.topic,
                    payload: &will.message,
                    qos: will.qos as u8,
                    retain: will.retain,
                }),
                user_name: packet.login.as_ref().map(|login| login.username.as_str()),
                password: packet.login.as_ref().map(|login| login.password.as_bytes()),
            }),
            packet.write(&mut again),
        ),
        v5::Packet::ConnAck(packet) => {
            (summary::connack(packet.session_present, packet.code as u8), packet.write(&mut again))
        }
        v5::Packet::Publish(packet) => (
            summary::publish(&summary::Publish {
                topic: &packet.topic,
                payload: &packet.payload,
                qos: packet.qos as u8,
                dup: packet.dup,
                retain: packet.retain,
                id: Some(packet.pkid).filter(|id| *id != 0),
            }),
            packet.write(&mut again),
        ),
        v5::Packet::PubAck(packet) => {
            (summary::acknowledge("PUBACK", packet.pkid, packet.reason as u8), packet.write(&mut again))
        }
        v5::Packet::PubRec(packet) => {
            (summary::acknowledge("PUBREC", packet.pkid, packet.reason as u8), packet.write(&mut again))
        }
        v5::Packet::PubRel(packet) => {
            (summary::acknowledge("PUBREL", packet.pkid, packet.reason as u8), packet.write(&mut again))
        }
        v5::Packet::PubComp(packet) => {
            (summary::acknowledge("PUBCOMP", packet.pkid, packet.reason as u8), packet.write(&mut again))
        }
        v5::Packet::Subscribe(packet) => {
            let filters = packet.filters.iter().map(|filter| summary::Filter {
                filter: &filter.path,
                qos: filter.qos as u8,
                no_local: filter.nolocal,
                retain_as_published: filter.preserve_retain,
                retain_handling: match filter.retain_forward_rule {
                    v5::RetainForwardRule::OnEverySubscribe => 0,
                    v5::RetainForwardRule::OnNewSubscribe => 1,
                    v5::RetainForwardRule::Never => 2,
                },
            });
            (summary::subscribe(packet.pkid, filters), packet.write(&mut again))
        }
        v5::Packet::SubAck(packet) => {
            let codes = packet.return_codes.iter().map(|code| *code as u8);
            (summary::subscription_answer("SUBACK", packet.pkid, codes), packet.write(&mut again))
        }
        v5::Packet::Unsubscribe(packet) => {
            let filters = packet.filters.iter().map(String::as_str);
            (summary::unsubscribe(packet.pkid, filters), packet.write(&mut again))
        }
        v5::Packet::UnsubAck(packet) => {
            let codes = packet.reasons.iter().map(|code| *code as u8);
            (summary::subscription_answer("UNSUBACK", packet.pkid, codes), packet.write(&mut again))
        }
        v5::Packet::PingReq => (summary::ping("PINGREQ"), v5::PingReq.write(&mut again)),
        v5::Packet::PingResp => (summary::ping("PINGRESP"), v5::PingResp.write(&mut again)),
        v5::Packet::Disconnect(packet) => {
            (summary::reason("DISCONNECT", packet.reason_code as u8), packet.write(&mut again))
        }
    };
    Ok(Reading { summary, again: written.map(|_| again.to_vec()).map_err(|error| format!("{error:?}")) })
}
