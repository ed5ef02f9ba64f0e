//! CONNECT: who the client is, what it wants kept, and its last will.

use crate::mqtt::{PayloadFormat, QoS, Text, TopicName, UserProperties, Version};
use alloc::boxed::Box;
use bytes::Bytes;
use core::num::{NonZeroU16, NonZeroU32};

/// The first packet of a connection, from the client. Section 3.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// The version that the rest of the connection speaks.
    pub version: Version,
    /// Begin without what an earlier connection left (`CleanSession` before 5.0).
    pub clean_start: bool,
    /// The longest silence of the client, in seconds; 0 means no limit.
    pub keep_alive_s: u16,
    /// Identifies the session; may be empty, and the server then assigns one.
    pub client_id: Text,
    /// What the server publishes when the connection is lost.
    pub will: Option<Box<Will>>,
    /// Who the client claims to be.
    pub user_name: Option<Text>,
    /// A password or any other credential.
    pub password: Option<Bytes>,
    /// 5.0 only.
    pub properties: ConnectProperties,
}

/// Section 3.1.2.11.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectProperties {
    /// Seconds for which the session outlives the connection; absent means 0, `u32::MAX` means for ever.
    pub session_expiry_interval_s: Option<u32>,
    /// How many QoS 1 and 2 messages the client takes unacknowledged; absent means 65,535.
    pub receive_maximum: Option<NonZeroU16>,
    /// The largest packet that the client takes, in bytes.
    pub maximum_packet_size: Option<NonZeroU32>,
    /// The highest topic alias that the client takes; absent means 0.
    pub topic_alias_maximum: Option<u16>,
    /// Whether the server may send response information; absent means no.
    pub request_response_information: Option<bool>,
    /// Whether the server may send reason strings and user properties on any packet; absent means yes.
    pub request_problem_information: Option<bool>,
    /// Pairs that the application chose.
    pub user_properties: UserProperties,
    /// The method of extended authentication.
    pub authentication_method: Option<Text>,
    /// Belongs to the method.
    pub authentication_data: Option<Bytes>,
}

/// The message that the server publishes for a client that it lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will {
    /// Where.
    pub topic: TopicName,
    /// What.
    pub payload: Bytes,
    /// At which quality.
    pub qos: QoS,
    /// Whether it becomes the topic's retained message.
    pub retain: bool,
    /// 5.0 only.
    pub properties: WillProperties,
}

/// Section 3.1.3.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WillProperties {
    /// Seconds between the loss and the publication; absent means 0.
    pub will_delay_interval_s: Option<u32>,
    /// What the payload is.
    pub payload_format: Option<PayloadFormat>,
    /// Seconds after its publication for which the message is worth delivering.
    pub message_expiry_interval_s: Option<u32>,
    /// What the payload is, in the application's words.
    pub content_type: Option<Text>,
    /// Where an answer is to be published.
    pub response_topic: Option<TopicName>,
    /// Tells the asker which question an answer belongs to.
    pub correlation_data: Option<Bytes>,
    /// Pairs that the application chose.
    pub user_properties: UserProperties,
}
