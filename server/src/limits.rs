//! Every bound of the edge, with its reason. Those that people may want to change are only the defaults of settings.

use std::time::Duration;

/// MQTT connections at once. A big house has hundreds of devices; ten thousand idle ones cost some tens of megabytes.
pub(crate) const CONNECTIONS: u32 = 10_000;

/// Seconds for a client to say CONNECT: a slow radio link needs one or two, a scanner never does.
pub(crate) const CONNECT_TIMEOUT_S: u16 = 10;

/// The largest packet: a camera's picture fits, and a thousand clients that each claim one do not fill a small machine.
pub(crate) const PACKET_SIZE: usize = 1 << 20;

/// What an unknown client may send as its first packet: a CONNECT with a long will, not a picture.
pub(crate) const PACKET_SIZE_BEFORE_CONNECT: usize = 64 << 10;

/// The longest keep alive: a device that lost its power is noticed within ten minutes at the latest.
pub(crate) const KEEP_ALIVE_S: u16 = 300;

/// Unacknowledged QoS 1 and 2 messages of one client; enough to hide a slow network's round trip.
pub(crate) const RECEIVE_MAXIMUM: u16 = 64;

/// Messages that wait for an absent or slow client.
pub(crate) const SESSION_QUEUE_MESSAGES: u32 = 1_000;

/// Their bytes.
pub(crate) const SESSION_QUEUE_BYTES: usize = 8 << 20;

/// HTTP requests need a connection each, and browsers open six; an upgraded one counts as an MQTT connection instead.
pub(crate) const HTTP_CONNECTIONS: usize = 1_024;

/// For the head of an HTTP request, and for an idle connection to begin the next one.
pub(crate) const HTTP_HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest life of an HTTP connection that is not upgraded: a reader that takes a byte a minute must end somewhere.
pub(crate) const HTTP_CONNECTION_LIFETIME: Duration = Duration::from_secs(600);

/// Request line and headers together. Cookies of other services on the same host travel along and may be long.
pub(crate) const HTTP_HEAD_BYTES: usize = 64 << 10;

/// How long a listener rests when the system has no descriptor left, instead of asking again at once.
pub(crate) const ACCEPT_BACK_OFF: Duration = Duration::from_millis(100);

/// Descriptors besides the connections': listeners, the log, the runtime, and room to spare.
pub(crate) const DESCRIPTORS_BESIDES_CONNECTIONS: u64 = 64 + HTTP_CONNECTIONS as u64;

/// The whole stop must be over within five seconds; this leaves one for the process to end.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(4);

/// A silent TCP connection is probed after this time, ...
pub(crate) const TCP_KEEP_ALIVE_AFTER: Duration = Duration::from_secs(60);

/// ... again after this one, ...
pub(crate) const TCP_KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// ... and is gone after this many probes without an answer: two minutes in all.
pub(crate) const TCP_KEEP_ALIVE_RETRIES: u32 = 4;

/// Refusals for want of room are logged once in this time, with their number.
pub(crate) const REFUSALS_LOGGED_EVERY: Duration = Duration::from_secs(10);
