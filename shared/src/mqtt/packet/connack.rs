//! CONNACK: the server's answer to CONNECT.

use crate::mqtt::{QoS, ReasonCode, Text, UserProperties};
use bytes::Bytes;
use core::num::{NonZeroU16, NonZeroU32};

/// The first packet from the server. Section 3.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connack {
    /// The server had a session for this client and goes on with it. Never set on a refusal. [MQTT-3.2.2-6]
    pub session_present: bool,
    /// `Success`, or why not. Before 5.0 the codec writes the nearest of the five old return codes.
    pub reason: ReasonCode,
    /// 5.0 only.
    pub properties: ConnackProperties,
}

/// Section 3.2.2.3. What is absent takes the value named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnackProperties {
    /// Replaces what the client asked for.
    pub session_expiry_interval_s: Option<u32>,
    /// How many QoS 1 and 2 messages the server takes unacknowledged; absent means 65,535.
    pub receive_maximum: Option<NonZeroU16>,
    /// The highest quality that the server takes; `None` means 2. Never `ExactlyOnce` on the wire.
    pub maximum_qos: Option<QoS>,
    /// Whether the server keeps retained messages; absent means yes.
    pub retain_available: Option<bool>,
    /// The largest packet that the server takes, in bytes.
    pub maximum_packet_size: Option<NonZeroU32>,
    /// The identifier that the server chose for a client that sent none.
    pub assigned_client_id: Option<Text>,
    /// The highest topic alias that the server takes; absent means 0.
    pub topic_alias_maximum: Option<u16>,
    /// For people.
    pub reason_string: Option<Text>,
    /// Pairs that the server chose.
    pub user_properties: UserProperties,
    /// Whether filters may hold wildcards; absent means yes.
    pub wildcard_subscription_available: Option<bool>,
    /// Whether subscriptions may carry identifiers; absent means yes.
    pub subscription_ids_available: Option<bool>,
    /// Whether `$share/` works; absent means yes.
    pub shared_subscription_available: Option<bool>,
    /// The keep alive that the client must use instead of its own, in seconds.
    pub server_keep_alive_s: Option<u16>,
    /// Helps the client to make a response topic.
    pub response_information: Option<Text>,
    /// Where to go instead.
    pub server_reference: Option<Text>,
    /// The method of extended authentication.
    pub authentication_method: Option<Text>,
    /// Belongs to the method.
    pub authentication_data: Option<Bytes>,
}
