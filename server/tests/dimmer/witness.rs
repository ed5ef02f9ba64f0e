//! Another client on the light's topic: it sees what everybody sees, and sets values like anybody else.

use crate::support::Client;
use luxwire_shared::mqtt::{Packet, Publish, QoS, Version};
use std::net::SocketAddr;

pub(crate) struct Witness(Client);

impl Witness {
    /// Follows this topic.
    pub(crate) fn of(broker: SocketAddr, topic: &str) -> Self {
        let mut client = Client::connected(broker, Version::V5, "witness");
        // At QoS 1 a broker would stop after some messages, since nobody acknowledges them here.
        client.subscribe(topic, QoS::AtMostOnce);
        Self(client)
    }

    /// Follows the intensity of the desk's light.
    pub(crate) fn of_desk(broker: SocketAddr) -> Self {
        Self::of(broker, "lights/desk/intensity")
    }

    /// The next message.
    pub(crate) fn message(&mut self) -> Publish {
        match self.0.receive() {
            Packet::Publish(publish) => publish,
            other => panic!("{other:?}"),
        }
    }

    /// The next value.
    pub(crate) fn value(&mut self) -> String {
        String::from_utf8(self.message().payload.to_vec()).unwrap()
    }

    /// Takes values until this one comes; gives those before it.
    pub(crate) fn until(&mut self, value: &str) -> Vec<String> {
        let mut before = Vec::new();
        loop {
            let next = self.value();
            if next == value {
                return before;
            }
            before.push(next);
        }
    }
}

/// Sets the desk's light, as another hand would.
pub(crate) fn another_sets(broker: SocketAddr, value: &str) {
    let mut client = Client::connected(broker, Version::V5, "another-hand");
    client.publish("lights/desk/intensity", value.to_owned(), QoS::AtLeastOnce, true);
}

/// What the broker keeps for a topic.
pub(crate) fn kept(broker: SocketAddr, topic: &str) -> String {
    let mut client = Client::connected(broker, Version::V5, "reader");
    client.subscribe(topic, QoS::AtMostOnce);
    let message = client.message();
    assert!(message.retain, "{topic} is not kept");
    String::from_utf8(message.payload.to_vec()).unwrap()
}
