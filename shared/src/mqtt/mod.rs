//! The MQTT protocol: packets as values, and their bytes.
//!
//! One [`Packet`] type serves 3.1, 3.1.1 and 5.0; what a version lacks is empty or refused by the codec. Decoding is
//! strict and copies nothing: strings and payloads are slices of the buffer that was read. This module knows neither
//! lights nor sockets.

mod error;
pub mod flow;
mod frame;
pub mod limits;
mod packet;
mod property;
mod qos;
mod reader;
mod reason;
mod sink;
mod text;
mod topic;
mod topic_and_payload;
mod variable;
mod version;

pub use error::{DecodeError, EncodeError};
pub use frame::{Arrived, Frame, Framer, PacketType, Plain};
pub use packet::*;
pub use property::Property;
pub use qos::{Delivery, PacketId, QoS};
pub use reason::ReasonCode;
pub use text::{Text, TextError};
pub use topic::{FilterError, Level, ShareName, Subscribable, TopicError, TopicFilter, TopicName, TopicRef};
pub use topic_and_payload::TopicAndPayload;
pub use version::Version;
