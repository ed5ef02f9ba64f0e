//! `rmqtt-codec` 0.3: 3.1, 3.1.1 and 5.0.

use crate::{Reading, summary};
use bytes::BytesMut;
use rmqtt_codec::{types, v3, v5};
use tokio_util::codec::{Decoder, Encoder};

pub(crate) fn read_v3(bytes: &[u8]) -> Result<Reading, String> {
    let mut codec = v3::Codec::new(u32::MAX);
    let decoded = codec.decode(&mut BytesMut::from(bytes)).map_err(|error| format!("{error:?}"))?;
    let (packet, _) = decoded.ok_or("not whole")?;
    let summary = match &packet {
        v3::Packet::Connect(packet) => summary::connect(&summary::Connect {
            clean_start: packet.clean_session,
            keep_alive_s: packet.keep_alive,
            client_id: &packet.client_id,
            will: packet.last_will.as_ref().map(|will| summary::Will {
                topic: &will.topic,
                payload: &will.message,
                qos: will.qos.value(),
                retain: will.retain,
            }),
            user_name: packet.username.as_deref(),
            password: packet.password.as_deref(),
        }),
        v3::Packet::ConnectAck(packet) => {
            summary::connack(packet.session_present, u8::from(packet.return_code))
        }
        v3::Packet::Publish(packet) => publish(packet),
        v3::Packet::PublishAck { packet_id } => summary::acknowledge("PUBACK", packet_id.get(), 0),
        v3::Packet::PublishReceived { packet_id } => summary::acknowledge("PUBREC", packet_id.get(), 0),
        v3::Packet::PublishRelease { packet_id } => summary::acknowledge("PUBREL", packet_id.get(), 0),
        v3::Packet::PublishComplete { packet_id } => summary::acknowledge("PUBCOMP", packet_id.get(), 0),
        v3::Packet::Subscribe { packet_id, topic_filters } => summary::subscribe(
            packet_id.get(),
            topic_filters.iter().map(|(filter, qos)| summary::Filter::plain(filter, qos.value())),
        ),
        v3::Packet::SubscribeAck { packet_id, status } => {
            let codes = status.iter().map(|status| match status {
                v3::SubscribeReturnCode::Success(qos) => qos.value(),
                v3::SubscribeReturnCode::Failure => 0x80,
            });
            summary::subscription_answer("SUBACK", packet_id.get(), codes)
        }
        v3::Packet::Unsubscribe { packet_id, topic_filters } => {
            summary::unsubscribe(packet_id.get(), topic_filters.iter().map(|filter| &**filter))
        }
        v3::Packet::UnsubscribeAck { packet_id } => {
            summary::subscription_answer("UNSUBACK", packet_id.get(), [].into_iter())
        }
        v3::Packet::PingRequest => summary::ping("PINGREQ"),
        v3::Packet::PingResponse => summary::ping("PINGRESP"),
        v3::Packet::Disconnect => summary::reason("DISCONNECT", 0),
    };
    let mut again = BytesMut::new();
    let written = codec.encode(packet, &mut again);
    Ok(Reading { summary, again: written.map(|()| again.to_vec()).map_err(|error| format!("{error:?}")) })
}

pub(crate) fn read_v5(bytes: &[u8]) -> Result<Reading, String> {
    let mut codec = v5::Codec::new(0, 0);
    let decoded = codec.decode(&mut BytesMut::from(bytes)).map_err(|error| format!("{error:?}"))?;
    let (packet, _) = decoded.ok_or("not whole")?;
    let summary = match &packet {
        v5::Packet::Connect(packet) => summary::connect(&summary::Connect {
            clean_start: packet.clean_start,
            keep_alive_s: packet.keep_alive,
            client_id: &packet.client_id,
            will: packet.last_will.as_ref().map(|will| summary::Will {
                topic: &will.topic,
                payload: &will.message,
                qos: will.qos.value(),
                retain: will.retain,
            }),
            user_name: packet.username.as_deref(),
            password: packet.password.as_deref(),
        }),
        v5::Packet::ConnectAck(packet) => {
            summary::connack(packet.session_present, u8::from(packet.reason_code))
        }
        v5::Packet::Publish(packet) => publish(packet),
        v5::Packet::PublishAck(packet) => acknowledge("PUBACK", packet),
        v5::Packet::PublishReceived(packet) => acknowledge("PUBREC", packet),
        v5::Packet::PublishRelease(packet) => release("PUBREL", packet),
        v5::Packet::PublishComplete(packet) => release("PUBCOMP", packet),
        v5::Packet::Subscribe(packet) => summary::subscribe(
            packet.packet_id.get(),
            packet.topic_filters.iter().map(|(filter, options)| summary::Filter {
                filter,
                qos: options.qos.value(),
                no_local: options.no_local,
                retain_as_published: options.retain_as_published,
                retain_handling: u8::from(options.retain_handling),
            }),
        ),
        v5::Packet::SubscribeAck(packet) => {
            let codes = packet.status.iter().map(|status| u8::from(*status));
            summary::subscription_answer("SUBACK", packet.packet_id.get(), codes)
        }
        v5::Packet::Unsubscribe(packet) => {
            let filters = packet.topic_filters.iter().map(|filter| &**filter);
            summary::unsubscribe(packet.packet_id.get(), filters)
        }
        v5::Packet::UnsubscribeAck(packet) => {
            let codes = packet.status.iter().map(|status| u8::from(*status));
            summary::subscription_answer("UNSUBACK", packet.packet_id.get(), codes)
        }
        v5::Packet::PingRequest => summary::ping("PINGREQ"),
        v5::Packet::PingResponse => summary::ping("PINGRESP"),
        v5::Packet::Disconnect(packet) => summary::reason("DISCONNECT", u8::from(packet.reason_code)),
        v5::Packet::Auth(packet) => summary::reason("AUTH", u8::from(packet.reason_code)),
    };
    let mut again = BytesMut::new();
    let written = codec.encode(packet, &mut again);
    Ok(Reading { summary, again: written.map(|()| again.to_vec()).map_err(|error| format!("{error:?}")) })
}

fn publish(packet: &types::Publish) -> summary::Summary {
    summary::publish(&summary::Publish {
        topic: &packet.topic,
        payload: &packet.payload,
        qos: packet.qos.value(),
        dup: packet.dup,
        retain: packet.retain,
        id: packet.packet_id.map(|id| id.get()),
    })
}

fn acknowledge(name: &str, packet: &v5::PublishAck) -> summary::Summary {
    summary::acknowledge(name, packet.packet_id.get(), u8::from(packet.reason_code))
}

fn release(name: &str, packet: &v5::PublishAck2) -> summary::Summary {
    summary::acknowledge(name, packet.packet_id.get(), u8::from(packet.reason_code))
}
