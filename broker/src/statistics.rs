//! How much of what there is, counted when somebody asks.

use crate::broker::Broker;

/// A look at the broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Connections, with and without CONNECT.
    pub links: usize,
    /// Sessions, connected or not.
    pub sessions: usize,
    /// Sessions whose client is connected.
    pub sessions_connected: usize,
    /// Subscriptions of all sessions.
    pub subscriptions: usize,
    /// Those among them that are shared.
    pub shared_subscriptions: usize,
    /// Topics with a retained message.
    pub retained_messages: usize,
    /// The bytes of their topics, payloads and properties.
    pub retained_bytes: usize,
    /// Messages that wait for their client or for room in its window.
    pub queued_messages: usize,
    /// Their bytes; one that waits in two sessions counts twice.
    pub queued_bytes: usize,
    /// QoS 1 and 2 messages that were sent and are not acknowledged.
    pub in_flight_messages: usize,
    /// Their bytes.
    pub in_flight_bytes: usize,
}

impl Statistics {
    pub(crate) fn of(broker: &Broker) -> Self {
        let totals = Self {
            links: broker.links.len(),
            sessions: broker.sessions.len(),
            subscriptions: broker.subscriptions.len(),
            shared_subscriptions: broker.subscriptions.shared_len(),
            retained_messages: broker.retained.len(),
            retained_bytes: broker.retained.bytes(),
            ..Self::default()
        };
        broker.sessions.iter().fold(totals, |mut totals, session| {
            totals.sessions_connected += usize::from(session.connection.is_some());
            totals.queued_messages += session.queue.len();
            totals.queued_bytes += session.queue.bytes();
            totals.in_flight_messages += session.outgoing.len();
            totals.in_flight_bytes += session.in_flight_bytes;
            totals
        })
    }
}
