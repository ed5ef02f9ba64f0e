//! What clients send, as bytes. It is made before anything is counted.

use bytes::BytesMut;
use luxwire_shared::mqtt::{
    Connect, ConnectProperties, Delivery, Disconnect, Packet, PacketId, PayloadFormat, Publish,
    PublishProperties, QoS, ReasonCode, Subscribable, Subscribe, SubscribeFilter, Text, TopicName,
    Unsubscribe, Version,
};

pub(crate) const Q0: QoS = QoS::AtMostOnce;
pub(crate) const Q1: QoS = QoS::AtLeastOnce;
pub(crate) const Q2: QoS = QoS::ExactlyOnce;

/// A light's topic, and as many bytes as a small JSON object has.
pub(crate) const TOPIC: &str = "lights/kitchen/intensity";
pub(crate) const PAYLOAD_LEN: usize = 64;

pub(crate) fn encoded(version: Version, packet: &Packet) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    packet.encode(version, &mut bytes).expect("a packet that this version has");
    bytes.to_vec()
}

pub(crate) fn text(text: &str) -> Text {
    Text::try_from(text).expect("an MQTT string")
}

pub(crate) fn topic(name: &str) -> TopicName {
    TopicName::try_from(name).expect("a topic name")
}

fn filter(name: &str) -> Subscribable {
    Subscribable::try_from(name).expect("a filter")
}

fn id(number: u16) -> PacketId {
    PacketId::new(number).expect("not 0")
}

/// CONNECT with a clean start and the keep alive of most client libraries.
pub(crate) fn connect(version: Version, client_id: &str) -> Vec<u8> {
    let connect = Connect {
        version,
        clean_start: true,
        keep_alive_s: 60,
        client_id: text(client_id),
        will: None,
        user_name: None,
        password: None,
        properties: ConnectProperties::default(),
    };
    encoded(version, &Packet::Connect(Box::new(connect)))
}

pub(crate) fn disconnect(version: Version) -> Vec<u8> {
    encoded(version, &Packet::Disconnect(Disconnect::because(ReasonCode::Success)))
}

pub(crate) fn subscribe<'a>(
    version: Version,
    filters: impl IntoIterator<Item = &'a str>,
    qos: QoS,
) -> Vec<u8> {
    let filters = filters.into_iter().map(|name| SubscribeFilter::new(filter(name), qos)).collect();
    let subscribe = Subscribe { id: id(1), subscription_id: None, user_properties: Vec::new(), filters };
    encoded(version, &Packet::Subscribe(subscribe))
}

pub(crate) fn unsubscribe(version: Version, name: &str) -> Vec<u8> {
    let filters = vec![filter(name)];
    encoded(version, &Packet::Unsubscribe(Unsubscribe { id: id(2), user_properties: Vec::new(), filters }))
}

pub(crate) fn message(name: &str, qos: QoS, number: u16) -> Publish {
    Publish {
        delivery: Delivery::first(qos, id(number)),
        ..Publish::new(topic(name), vec![b'x'; PAYLOAD_LEN])
    }
}

/// What a 5.0 client that uses what 5.0 offers says of its message.
pub(crate) fn properties() -> PublishProperties {
    PublishProperties {
        payload_format: Some(PayloadFormat::Text),
        message_expiry_interval_s: Some(3600),
        content_type: Some(text("application/json")),
        user_properties: vec![(text("source"), text("kitchen-dimmer"))],
        ..PublishProperties::default()
    }
}

/// PUBLISH after PUBLISH to one topic, their identifiers counted from 1.
pub(crate) fn publishes(version: Version, name: &str, qos: QoS, count: u16) -> Vec<u8> {
    let packets = (1..=count).map(|number| Packet::Publish(message(name, qos, number)));
    packets.flat_map(|packet| encoded(version, &packet)).collect()
}
