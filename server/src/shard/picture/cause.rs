//! What the broker is told, as far as the picture needs it to understand what follows: the broker takes the input itself.

use bytes::Bytes;
use luxwire_broker::{Broker, Effect, Input, LinkId, Now};
use luxwire_shared::{
    mqtt::{Packet, QoS, TopicName},
    time::Timestamp,
};

/// Why something happens.
#[derive(Debug)]
pub(crate) enum Cause {
    /// A client published.
    Published(Published),
    /// A client asked for other subscriptions.
    Subscriptions(LinkId),
    /// A client's connection is gone.
    Left(LinkId),
    /// Something else, on this link if on any: what is delivered to it was kept for it.
    Other(Option<LinkId>),
    /// The program stops.
    Stopped,
}

/// A PUBLISH that the broker may take or refuse.
#[derive(Debug)]
pub(crate) struct Published {
    pub(super) link: LinkId,
    pub(super) topic: TopicName,
    pub(super) payload: Bytes,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) at: Timestamp,
    /// How many messages the broker had taken before.
    accepted_before: u64,
}

impl Cause {
    /// Looks at an input before the broker takes it.
    pub(crate) fn of(now: Now, input: &Input, broker: &Broker) -> Self {
        match input {
            Input::Packet { link, packet: Packet::Publish(publish) } => {
                match broker.client(*link).and_then(|client| client.topic(&publish.topic)) {
                    Some(topic) => Self::Published(Published {
                        link: *link,
                        topic,
                        payload: publish.payload.clone(),
                        qos: publish.qos(),
                        retain: publish.retain,
                        at: now.timestamp,
                        accepted_before: broker.accepted(),
                    }),
                    None => Self::Other(Some(*link)),
                }
            }
            Input::Packet { link, packet: Packet::Subscribe(_) | Packet::Unsubscribe(_) } => {
                Self::Subscriptions(*link)
            }
            Input::Closed { link, .. } if broker.client(*link).is_some() => Self::Left(*link),
            Input::Open { link, .. }
            | Input::PasswordChecked { link, .. }
            | Input::Packet { link, .. }
            | Input::Malformed { link, .. }
            | Input::Closed { link, .. }
            | Input::Drained { link } => Self::Other(Some(*link)),
            Input::Tick | Input::Traffic(_) => Self::Other(None),
            Input::Stop => Self::Stopped,
        }
    }
}

impl Published {
    /// Whether the broker took the message, which then is what all deliveries are of: not if it was refused or came a
    /// second time, nor if it ended the connection, which lets a will go out.
    pub(super) fn was_taken(&self, broker: &Broker, effects: &[Effect]) -> bool {
        broker.accepted() > self.accepted_before
            && !effects
                .iter()
                .any(|effect| matches!(effect, Effect::Close { link, .. } if *link == self.link))
    }
}
