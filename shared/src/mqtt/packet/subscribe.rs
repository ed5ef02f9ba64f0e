//! SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK.

use crate::mqtt::{AcknowledgeProperties, PacketId, QoS, ReasonCode, Subscribable, UserProperties};
use alloc::{boxed::Box, vec::Vec};
use core::num::NonZeroU32;

/// The client asks for messages. Section 3.8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe {
    /// What SUBACK will name.
    pub id: PacketId,
    /// Comes back with each delivery; 5.0 only.
    pub subscription_id: Option<SubscriptionId>,
    /// 5.0 only.
    pub user_properties: UserProperties,
    /// At least one. [MQTT-3.8.3-2]
    pub filters: Vec<SubscribeFilter>,
}

/// One filter of a SUBSCRIBE, with its options. Section 3.8.3.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscribeFilter {
    /// What to match, for oneself or with a group.
    pub filter: Subscribable,
    /// The highest quality to deliver at.
    pub qos: QoS,
    /// Leave out what this client published itself; 5.0 only.
    pub no_local: bool,
    /// Deliver with the retain flag as it was published; 5.0 only, otherwise it is cleared.
    pub retain_as_published: bool,
    /// Whether kept values are sent now; 5.0 only, otherwise always.
    pub retain_handling: RetainHandling,
}

/// When the kept values of matching topics are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RetainHandling {
    /// 0: whenever a client subscribes.
    #[default]
    Send = 0,
    /// 1: only if the subscription did not exist.
    SendIfNew = 1,
    /// 2: not at all.
    DoNotSend = 2,
}

/// A number that names a subscription in its deliveries: 1 to 268,435,455.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(NonZeroU32);

/// The server's answer to SUBSCRIBE. Section 3.9.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suback {
    /// The identifier of the SUBSCRIBE. [MQTT-2.2.1-6]
    pub id: PacketId,
    /// 5.0 only.
    pub properties: Option<Box<AcknowledgeProperties>>,
    /// One for each filter, in order. [MQTT-3.9.3-1] Before 5.0 the codec writes every failure as 0x80.
    pub reasons: Vec<ReasonCode>,
}

/// The client wants no more. Section 3.10.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribe {
    /// What UNSUBACK will name.
    pub id: PacketId,
    /// 5.0 only.
    pub user_properties: UserProperties,
    /// At least one. [MQTT-3.10.3-2]
    pub filters: Vec<Subscribable>,
}

/// The server's answer to UNSUBSCRIBE. Section 3.11.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsuback {
    /// The identifier of the UNSUBSCRIBE. [MQTT-2.2.1-6]
    pub id: PacketId,
    /// 5.0 only.
    pub properties: Option<Box<AcknowledgeProperties>>,
    /// One for each filter, in order; before 5.0 there are none on the wire. [MQTT-3.11.3-1]
    pub reasons: Vec<ReasonCode>,
}

impl SubscribeFilter {
    /// A subscription with the options that every version has.
    pub const fn new(filter: Subscribable, qos: QoS) -> Self {
        Self {
            filter,
            qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Send,
        }
    }
}

impl SubscriptionId {
    /// The largest number that four bytes of a Variable Byte Integer hold.
    pub const MAX: u32 = 268_435_455;

    /// The identifier with this number, or `None` where it is 0 or too large.
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(id) if number <= Self::MAX => Some(Self(id)),
            _ => None,
        }
    }

    /// 1 to 268,435,455.
    pub const fn number(self) -> u32 {
        self.0.get()
    }
}
