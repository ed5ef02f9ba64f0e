//! How long a packet becomes in 5.0, the only version in which a client can set a bound. [MQTT-3.1.2-24]
//!
//! Only packets whose length depends on what they carry are here: any other fits wherever CONNACK fitted.

use crate::{Message, session::Pending};
use bytes::Bytes;
use luxwire_shared::mqtt::{ConnackProperties, QoS};

/// PUBLISH as this receiver would get it.
pub(crate) fn publish(pending: &Pending) -> usize {
    let message = &*pending.message;
    let identifier = if pending.qos == QoS::AtMostOnce { 0 } else { 2 };
    let ids = pending.subscription_ids.iter().map(|id| 1 + variable_len(id.number() as usize)).sum::<usize>();
    let properties = properties(message) + ids;
    packet(
        2 + message.topic.len() + identifier + variable_len(properties) + properties + message.payload.len(),
    )
}

/// SUBACK or UNSUBACK for this many filters.
pub(crate) fn suback(filters: usize) -> usize {
    packet(2 + 1 + filters)
}

/// CONNACK with the properties that this broker sets.
pub(crate) fn connack(properties: &ConnackProperties) -> usize {
    let numbers = [
        properties.session_expiry_interval_s.map(|_| 4),
        properties.receive_maximum.map(|_| 2),
        properties.maximum_qos.map(|_| 1),
        properties.retain_available.map(|_| 1),
        properties.maximum_packet_size.map(|_| 4),
        properties.assigned_client_id.as_ref().map(|id| 2 + id.len()),
        properties.shared_subscription_available.map(|_| 1),
        properties.server_keep_alive_s.map(|_| 2),
    ];
    let properties = numbers.into_iter().flatten().map(|len| 1 + len).sum::<usize>();
    packet(2 + variable_len(properties) + properties)
}

fn properties(message: &Message) -> usize {
    let Some(properties) = message.properties.as_deref() else { return 0 };
    let text = |len: usize| 1 + 2 + len;
    let pairs = properties.user_properties.iter().map(|(name, value)| 1 + 2 + name.len() + 2 + value.len());
    properties.payload_format.map_or(0, |_| 2)
        + properties.message_expiry_interval_s.map_or(0, |_| 5)
        + properties.response_topic.as_ref().map_or(0, |topic| text(topic.len()))
        + properties.correlation_data.as_ref().map(Bytes::len).map_or(0, text)
        + properties.content_type.as_ref().map_or(0, |content| text(content.len()))
        + pairs.sum::<usize>()
}

/// The whole packet, given what the Remaining Length counts.
fn packet(remaining_len: usize) -> usize {
    1 + variable_len(remaining_len) + remaining_len
}

/// The length of a Variable Byte Integer.
fn variable_len(value: usize) -> usize {
    match value {
        0..=127 => 1,
        128..=16_383 => 2,
        16_384..=2_097_151 => 3,
        _ => 4,
    }
}
