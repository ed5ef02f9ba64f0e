//! Packets in few words.

use luxwire_shared::mqtt::{
    Acknowledge, Connect, ConnectProperties, Delivery, Disconnect, DisconnectProperties, Packet, PacketId,
    Publish, PublishProperties, QoS, ReasonCode, RetainHandling, Subscribable, Subscribe, SubscribeFilter,
    SubscriptionId, Text, TopicName, Unsubscribe, Version, Will, WillProperties,
};
use std::num::{NonZeroU16, NonZeroU32};

pub const Q0: QoS = QoS::AtMostOnce;
pub const Q1: QoS = QoS::AtLeastOnce;
pub const Q2: QoS = QoS::ExactlyOnce;

/// CONNECT, with what a test cares about; without keep alive, so that time alone ends nothing.
pub struct Connecting(Connect);

pub fn text(text: &str) -> Text {
    Text::try_from(text).expect("an MQTT string")
}

pub fn topic(name: &str) -> TopicName {
    TopicName::try_from(name).expect("a topic name")
}

pub fn id(number: u16) -> PacketId {
    PacketId::new(number).expect("not 0")
}

/// A 5.0 client with a clean start.
pub fn v5(client_id: &str) -> Connecting {
    version(Version::V5, client_id)
}

/// A 3.1.1 client with a clean session.
pub fn v3(client_id: &str) -> Connecting {
    version(Version::V3_1_1, client_id)
}

pub fn version(version: Version, client_id: &str) -> Connecting {
    Connecting(Connect {
        version,
        clean_start: true,
        keep_alive_s: 0,
        client_id: text(client_id),
        will: None,
        user_name: None,
        password: None,
        properties: ConnectProperties::default(),
    })
}

impl Connecting {
    /// Goes on with an earlier session if there is one.
    pub fn resuming(mut self) -> Self {
        self.0.clean_start = false;
        self
    }

    pub fn expiry_s(mut self, seconds: u32) -> Self {
        self.0.properties.session_expiry_interval_s = Some(seconds);
        self
    }

    pub fn keep_alive_s(mut self, seconds: u16) -> Self {
        self.0.keep_alive_s = seconds;
        self
    }

    pub fn receive_maximum(mut self, messages: u16) -> Self {
        self.0.properties.receive_maximum = NonZeroU16::new(messages);
        self
    }

    pub fn packet_size(mut self, bytes: u32) -> Self {
        self.0.properties.maximum_packet_size = NonZeroU32::new(bytes);
        self
    }

    pub fn will(mut self, will: Will) -> Self {
        self.0.will = Some(Box::new(will));
        self
    }

    pub fn change(mut self, change: impl FnOnce(&mut Connect)) -> Self {
        change(&mut self.0);
        self
    }
}

impl From<Connecting> for Connect {
    fn from(connecting: Connecting) -> Self {
        connecting.0
    }
}

/// A will at QoS 0 without properties.
pub fn will(name: &str, payload: &str) -> Will {
    Will {
        topic: topic(name),
        payload: payload.to_owned().into(),
        qos: QoS::AtMostOnce,
        retain: false,
        properties: WillProperties::default(),
    }
}

pub fn delayed_will(name: &str, payload: &str, delay_s: u32) -> Will {
    let properties = WillProperties { will_delay_interval_s: Some(delay_s), ..WillProperties::default() };
    Will { properties, ..will(name, payload) }
}

/// PUBLISH; with identifier 1 where it needs one.
pub fn publish(name: &str, payload: &str, qos: QoS) -> Publish {
    publish_with_id(name, payload, qos, 1)
}

pub fn publish_with_id(name: &str, payload: &str, qos: QoS, number: u16) -> Publish {
    let delivery = Delivery::first(qos, id(number));
    Publish { delivery, ..Publish::new(topic(name), payload.to_owned()) }
}

pub fn with_properties(publish: Publish, change: impl FnOnce(&mut PublishProperties)) -> Publish {
    let mut properties = publish.properties.clone().unwrap_or_default();
    change(&mut properties);
    Publish { properties: Some(properties), ..publish }
}

pub fn filter(filter: &str, qos: QoS) -> SubscribeFilter {
    SubscribeFilter::new(Subscribable::try_from(filter).expect("a filter"), qos)
}

/// SUBSCRIBE to one filter, with identifier 10.
pub fn subscribe(name: &str, qos: QoS) -> Packet {
    subscribe_to([filter(name, qos)])
}

pub fn subscribe_to(filters: impl IntoIterator<Item = SubscribeFilter>) -> Packet {
    Packet::Subscribe(Subscribe {
        id: id(10),
        subscription_id: None,
        user_properties: Vec::new(),
        filters: filters.into_iter().collect(),
    })
}

pub fn subscribe_with_id(name: &str, qos: QoS, number: u32) -> Packet {
    Packet::Subscribe(Subscribe {
        id: id(10),
        subscription_id: Some(SubscriptionId::new(number).expect("in range")),
        user_properties: Vec::new(),
        filters: vec![filter(name, qos)],
    })
}

pub fn no_local(filter: SubscribeFilter) -> SubscribeFilter {
    SubscribeFilter { no_local: true, ..filter }
}

pub fn retain_as_published(filter: SubscribeFilter) -> SubscribeFilter {
    SubscribeFilter { retain_as_published: true, ..filter }
}

pub fn retain_handling(retain_handling: RetainHandling, filter: SubscribeFilter) -> SubscribeFilter {
    SubscribeFilter { retain_handling, ..filter }
}

pub fn unsubscribe(filters: &[&str]) -> Packet {
    let filters = filters.iter().map(|filter| Subscribable::try_from(*filter).expect("a filter")).collect();
    Packet::Unsubscribe(Unsubscribe { id: id(11), user_properties: Vec::new(), filters })
}

pub fn puback(number: u16) -> Packet {
    Packet::Puback(Acknowledge::success(id(number)))
}

pub fn pubrec(number: u16) -> Packet {
    Packet::Pubrec(Acknowledge::success(id(number)))
}

pub fn pubrel(number: u16) -> Packet {
    Packet::Pubrel(Acknowledge::success(id(number)))
}

pub fn pubcomp(number: u16) -> Packet {
    Packet::Pubcomp(Acknowledge::success(id(number)))
}

/// DISCONNECT with this reason.
pub fn disconnect(reason: ReasonCode) -> Packet {
    Packet::Disconnect(Disconnect::because(reason))
}

/// DISCONNECT that changes the session's expiry.
pub fn disconnect_with_expiry_s(seconds: u32) -> Packet {
    let properties =
        DisconnectProperties { session_expiry_interval_s: Some(seconds), ..DisconnectProperties::default() };
    Packet::Disconnect(Disconnect { reason: ReasonCode::Success, properties: Some(Box::new(properties)) })
}

/// The same with RETAIN.
pub fn retained(publish: Publish) -> Publish {
    Publish { retain: true, ..publish }
}

/// The same with DUP.
pub fn repeated(publish: Publish) -> Publish {
    let delivery = match publish.delivery {
        Delivery::AtMostOnce => panic!("QoS 0 is never repeated"),
        Delivery::AtLeastOnce { id, .. } => Delivery::AtLeastOnce { id, dup: true },
        Delivery::ExactlyOnce { id, .. } => Delivery::ExactlyOnce { id, dup: true },
    };
    Publish { delivery, ..publish }
}

pub fn expiring_s(publish: Publish, seconds: u32) -> Publish {
    with_properties(publish, |properties| properties.message_expiry_interval_s = Some(seconds))
}
