//! What a client is told once: who it is, and how patient.

use crate::mqtt::{
    ConnectProperties, DisconnectProperties, SubscriptionId, Text, UserProperties, Version, Will,
};
use bytes::Bytes;
use core::{fmt, num::NonZeroU16, time::Duration};

/// How a [`Client`](crate::client::Client) introduces itself and behaves. Begin with [`Options::new`] and change what
/// differs.
#[derive(Clone)]
pub struct Options {
    /// The version of the protocol.
    pub version: Version,
    /// Identifies the session; two connections with the same one push each other out. Empty: the server assigns one.
    pub client_id: Text,
    /// Begin the first connection without what an earlier run left. Every later connection resumes the session where
    /// there is one.
    pub clean_start: bool,
    /// Seconds for which the session outlives a connection: 0 ends it with each, `u32::MAX` never. Before 5.0 every
    /// value but 0 means what the server grants, and `clean_start` makes the first session end with its connection.
    pub session_expiry_s: u32,
    /// The longest silence, in seconds, before the other side is asked whether it is still there; 0 never asks. A dead
    /// connection is noticed after one and a half times this.
    pub keep_alive_s: u16,
    /// What the server publishes when it loses the client.
    pub will: Option<Will>,
    /// Who the client claims to be.
    pub user_name: Option<Text>,
    /// A password or any other credential. Before 5.0 it needs a user name.
    pub password: Option<Bytes>,
    /// What else the client's packets say; 5.0 only.
    pub extras: Extras,
    /// How long opening the transport and CONNACK may take together.
    pub connect_timeout: Duration,
    /// When to try again.
    pub retry: Retry,
    /// The largest packet that is accepted; 5.0 tells the server, other servers are left if they exceed it.
    pub packet_size_max: u32,
    /// How many QoS 2 messages the server may have begun and not ended; 5.0 counts those of QoS 1 that are not
    /// acknowledged, too.
    pub receive_maximum: NonZeroU16,
    /// How many topics may have a number that is said instead of their name, in each direction, if the server does not say
    /// less; 0 for none. 5.0 only.
    pub topic_aliases_max: u16,
    /// Who says that a message of QoS 1 was taken.
    pub acknowledges: Acknowledges,
    /// How many messages of ours may be unacknowledged at once, if the server does not say less.
    pub in_flight_max: NonZeroU16,
    /// How many messages at QoS 1 and 2 wait for the connection or for room in flight.
    pub queue_messages_max: usize,
    /// How many bytes of topics and payloads wait.
    pub queue_bytes_max: usize,
    /// QoS 0 is refused while this many bytes are written and not fetched by the driver.
    pub unfetched_bytes_max: usize,
    /// Any number that differs between clients, so that they do not come back all at once.
    pub seed: u64,
}

/// Who acknowledges what comes at QoS 1. The other qualities are the client's business alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledges {
    /// The client, as soon as a message came.
    Client,
    /// The application, once the message is where it cannot get lost: [`Client::acknowledge`](crate::client::Client::acknowledge).
    Application,
}

/// Properties of 5.0 that mean something to the application or to its server, and nothing to the client, which only puts
/// them into its packets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// For CONNECT. The client says itself how long the session lasts, how much may be in flight and how large a packet
    /// may be; it takes no topic aliases, and knows no method of extended authentication: a server that insists on a
    /// dialogue is left.
    pub connect: ConnectProperties,
    /// Comes back with each message that a subscription brings; servers that have no such identifiers are not told.
    pub subscription_id: Option<SubscriptionId>,
    /// For SUBSCRIBE.
    pub subscribe: UserProperties,
    /// For UNSUBSCRIBE.
    pub unsubscribe: UserProperties,
    /// For the DISCONNECT that the application asks for.
    pub disconnect: DisconnectProperties,
}

/// When to try again after a connection was lost or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The first pause is at most this long, and each further one at most twice as long as the one before.
    pub first: Duration,
    /// No pause is longer than this.
    pub longest: Duration,
    /// A connection that lasted this long was a good one: the next pause is a first one.
    pub healthy: Duration,
    /// The pause after a refusal that will not mend itself, such as a wrong password. `None`: only
    /// [`Client::reconnect_now`](crate::client::Client::reconnect_now) tries again, as it always is after another client
    /// took the session over.
    pub refused: Option<Duration>,
}

impl Options {
    /// A client that keeps no session, asks after 20 s of silence, and tries again for ever.
    pub fn new(version: Version, client_id: Text) -> Self {
        Self {
            version,
            client_id,
            clean_start: true,
            session_expiry_s: 0,
            keep_alive_s: 20,
            will: None,
            user_name: None,
            password: None,
            extras: Extras::default(),
            connect_timeout: Duration::from_secs(10),
            retry: Retry::default(),
            packet_size_max: 1 << 20,
            receive_maximum: NonZeroU16::MIN.saturating_add(1_023),
            topic_aliases_max: 0,
            acknowledges: Acknowledges::Client,
            in_flight_max: NonZeroU16::MIN.saturating_add(63),
            queue_messages_max: 1_000,
            queue_bytes_max: 8 << 20,
            unfetched_bytes_max: 1 << 20,
            seed: 0,
        }
    }

    /// Whether the session is to outlive its connection.
    pub(super) const fn wants_session(&self) -> bool {
        self.session_expiry_s > 0
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(15),
            healthy: Duration::from_secs(10),
            refused: Some(Duration::from_secs(60)),
        }
    }
}

/// Without the password.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("version", &self.version)
            .field("client_id", &self.client_id)
            .field("clean_start", &self.clean_start)
            .field("session_expiry_s", &self.session_expiry_s)
            .field("keep_alive_s", &self.keep_alive_s)
            .field("user_name", &self.user_name)
            .finish_non_exhaustive()
    }
}
