//! The fifteen packets, each in the file that bears its name.

mod acknowledge;
mod auth;
mod connack;
mod connect;
mod disconnect;
mod publish;
mod subscribe;

pub use acknowledge::{Acknowledge, AcknowledgeProperties};
pub use auth::{Auth, AuthProperties};
pub use connack::{Connack, ConnackProperties};
pub use connect::{Connect, ConnectProperties, Will, WillProperties};
pub use disconnect::{Disconnect, DisconnectProperties};
pub use publish::{Publish, PublishProperties, PublishTopic, TopicAlias};
pub use subscribe::{
    RetainHandling, Suback, Subscribe, SubscribeFilter, SubscriptionId, Unsuback, Unsubscribe,
};

use crate::mqtt::Text;
use alloc::{boxed::Box, vec::Vec};

/// Name and value pairs that the application chose; order and duplicates are kept. [MQTT-3.3.2-18]
pub type UserProperties = Vec<(Text, Text)>;

/// One MQTT control packet of any version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// 1: the client introduces itself.
    Connect(Box<Connect>),
    /// 2: the server accepts or refuses.
    Connack(Box<Connack>),
    /// 3: a message.
    Publish(Publish),
    /// 4: a QoS 1 message arrived.
    Puback(Acknowledge),
    /// 5: a QoS 2 message arrived.
    Pubrec(Acknowledge),
    /// 6: its sender lets go of it.
    Pubrel(Acknowledge),
    /// 7: its receiver lets go of it.
    Pubcomp(Acknowledge),
    /// 8: the client asks for messages.
    Subscribe(Subscribe),
    /// 9: the server answers filter by filter.
    Suback(Suback),
    /// 10: the client wants no more.
    Unsubscribe(Unsubscribe),
    /// 11: the server answers filter by filter.
    Unsuback(Unsuback),
    /// 12: is anybody there?
    Pingreq,
    /// 13: yes.
    Pingresp,
    /// 14: the connection ends in order.
    Disconnect(Disconnect),
    /// 15: a step of an authentication; 5.0 only.
    Auth(Auth),
}

/// What the application said of the payload's form. Property 0x01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PayloadFormat {
    /// Bytes of any kind.
    Bytes = 0,
    /// UTF-8 text.
    Text = 1,
}
