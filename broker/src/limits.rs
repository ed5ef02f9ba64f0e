//! Every bound of the broker, with its reason. What a client must know of them, CONNACK announces.
//!
//! How many connections there may be, how fast, and how much may wait in a link's output buffer is the edge's business.

use core::{
    num::{NonZeroU16, NonZeroU32},
    time::Duration,
};
use luxwire_shared::mqtt::{QoS, Version};

/// What one client, one session or all of them together may take. The defaults suit a house; none of them means
/// "no limit" by being 0, except [`Limits::keep_alive_s`], where MQTT itself gives 0 that meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest packet that the edge reads, announced in CONNACK. A megabyte is far above any light's message and
    /// small enough for hundreds of clients to send one at once.
    pub packet_size: NonZeroU32,
    /// How long CONNECT may take: a connection that says nothing costs memory and a descriptor.
    pub connect_timeout: Duration,
    /// The longest keep alive for 5.0 clients, in seconds; 0 for no limit. A client that vanished without a word is
    /// noticed after one and a half times this. Older clients cannot be told, so their own value holds.
    pub keep_alive_s: u16,
    /// The longest life of a session without a connection, in seconds; `u32::MAX` for ever. Before 5.0 a client cannot
    /// name one, and its session (`CleanSession` 0) lives this long. A week outlasts a holiday weekend without power;
    /// after it a client that comes back subscribes anew, as it must be able to anyway.
    pub session_expiry_s: u32,
    /// How many QoS 2 messages a 5.0 client may have unreleased. Each costs no more than an identifier of two bytes, and
    /// many clients do not count, so that a small number would throw out those that merely are in a hurry.
    pub receive_maximum: NonZeroU16,
    /// The highest topic alias in either direction, announced in CONNACK; 0 for none. A client that publishes many values
    /// has few topics, and whoever follows a whole house has some tens that change often.
    pub topic_alias_maximum: u16,
    /// The bytes that the names behind the aliases of one connection may take, in each direction. The longest name fits.
    pub topic_alias_bytes: usize,
    /// The highest quality at which clients may publish; subscriptions above it are granted this.
    pub qos: QoS,
    /// Whether values are retained at all.
    pub retain: bool,
    /// Sessions, connected or not: each keeps subscriptions and a queue. A client beyond it is refused rather than
    /// another one's session given up, so that nobody can push others out by making up names.
    pub sessions: usize,
    /// The longest client identifier, in bytes: it is kept with the session and copied into logs.
    pub client_id_len: usize,
    /// Whether clients of MQTT 3.1 are held to its rule that an identifier has 1 to 23 characters. Off by default, as it is
    /// elsewhere: the rule went with 3.1.1, and clients that say 3.1 often break it.
    pub short_client_ids_3_1: bool,
    /// Subscriptions of one session. Each may have to be looked at for every message.
    pub session_subscriptions: usize,
    /// Levels of a subscription's filter. A level of one byte costs some seventy bytes in the trie, so that without a
    /// bound one filter of 65,535 slashes would take two megabytes. Topic names need no such bound: they are matched
    /// without recursion, and no deeper than the deepest filter.
    pub filter_levels: usize,
    /// The longest filter, in bytes, for the same reason.
    pub filter_len: usize,
    /// How often one SUBSCRIBE may ask for the retained messages of one filter. Each time they are sent once more, and until
    /// then it is remembered with which options, so that without a bound a packet of nothing but one short filter would
    /// ask for them a quarter of a million times. Nobody is known to ask twice on purpose.
    pub filter_replays: usize,
    /// Messages that wait in one session for its client, sent or not. When full, what comes last is dropped and
    /// reported: what was accepted first is kept in order.
    pub session_queue_messages: usize,
    /// The same in bytes of topics, payloads and properties.
    pub session_queue_bytes: usize,
    /// QoS 1 and 2 messages sent to one client and not acknowledged; less if the client's Receive Maximum is less. More
    /// than this does not make a local network faster, but everything here is sent again when a session is resumed.
    pub in_flight_messages: NonZeroU16,
    /// The same in bytes, since all of it may wait in the link's output buffer. One message may always be sent.
    pub in_flight_bytes: usize,
    /// Retained messages of clients in all; what is below `$SYS` is the broker's own and comes on top.
    pub retained_messages: usize,
    /// The same in bytes of topics, payloads and properties.
    pub retained_bytes: usize,
}

impl Limits {
    /// How many QoS 2 messages may be unreleased on a connection that begins with so many. What an earlier connection
    /// left does not count against this one, within reason. Clients before 5.0 know no bound but that of identifiers.
    pub(crate) fn receive_maximum_of(&self, version: Version, unreleased: usize) -> usize {
        let announced = usize::from(self.receive_maximum.get());
        match version.has_receive_maximum() {
            true => announced + unreleased.min(announced),
            false => usize::from(u16::MAX),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            packet_size: const { NonZeroU32::new(1 << 20).expect("not zero") },
            connect_timeout: Duration::from_secs(10),
            keep_alive_s: 300,
            session_expiry_s: 7 * 24 * 60 * 60,
            receive_maximum: const { NonZeroU16::new(1024).expect("not zero") },
            topic_alias_maximum: 32,
            topic_alias_bytes: 64 << 10,
            qos: QoS::ExactlyOnce,
            retain: true,
            sessions: 100_000,
            client_id_len: 1024,
            short_client_ids_3_1: false,
            session_subscriptions: 10_000,
            filter_levels: 128,
            filter_len: 4096,
            filter_replays: 8,
            session_queue_messages: 1000,
            session_queue_bytes: 8 << 20,
            in_flight_messages: const { NonZeroU16::new(256).expect("not zero") },
            in_flight_bytes: 1 << 20,
            retained_messages: 1_000_000,
            retained_bytes: 256 << 20,
        }
    }
}
