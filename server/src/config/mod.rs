//! The settings: their names, defaults and limits.
//!
//! Names are a contract with people's files. A key that this version does not know is an error, never ignored. Nothing
//! here opens a socket or a directory.

mod address;
mod auth;
mod filter;
mod layers;
mod list;
mod network;
mod size;

pub(crate) use address::Address;
pub(crate) use auth::{Anonymous, Auth, Refusal};
pub(crate) use filter::Filter;
pub(crate) use layers::{ConfigError, Layers};
pub(crate) use network::Network;
pub(crate) use size::Size;

use crate::limits;
use luxwire_shared::mqtt::{QoS, TopicFilter};
use serde::{Deserialize, Serialize};
use std::{
    num::{NonZeroU16, NonZeroU32},
    path::PathBuf,
    time::Duration,
};

/// Every setting.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) mqtt: Mqtt,
    pub(crate) http: Http,
    pub(crate) limits: Limits,
    pub(crate) hue: Hue,
    pub(crate) record: Record,
    pub(crate) sys: Sys,
    pub(crate) auth: Auth,
    pub(crate) storage: Storage,
}

/// MQTT over TCP.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mqtt {
    /// One address or a list.
    #[serde(deserialize_with = "list::one_or_many")]
    pub(crate) listen: Vec<Address>,
}

/// The page, the HTTP interface and MQTT over WebSocket.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Http {
    /// One address or a list.
    #[serde(deserialize_with = "list::one_or_many")]
    pub(crate) listen: Vec<Address>,
    /// Names by which browsers may reach this server, besides IP addresses, `localhost` and the machine's own name.
    pub(crate) allowed_hosts: Vec<String>,
    /// Origins (`https://lights.example`) whose pages may open a WebSocket, besides our own page's.
    pub(crate) allowed_origins: Vec<String>,
    /// Reverse proxies that are believed when they say who their clients are.
    #[serde(deserialize_with = "list::one_or_many")]
    pub(crate) trusted_proxies: Vec<Network>,
}

/// What a client may ask for, and how long it may take.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// MQTT connections at once, TCP and WebSocket together.
    pub(crate) connections: u32,
    /// Seconds within which CONNECT, or the head of an HTTP request, must have come.
    pub(crate) connect_timeout_s: u16,
    /// Seconds for which a client may take nothing while bytes wait for it.
    pub(crate) stall_timeout_s: u16,
    /// The largest MQTT packet.
    pub(crate) packet_size: Size,
    /// The longest keep alive interval in seconds, for clients that can be told (MQTT 5.0); 0 for no limit.
    pub(crate) keep_alive_s: u16,
    /// QoS 1 and 2 messages that a client may have unacknowledged.
    pub(crate) receive_maximum: u16,
    /// The highest topic alias (MQTT 5.0) in either direction; 0 for none.
    pub(crate) topic_alias_maximum: u16,
    /// The highest quality of service at which clients may publish and are served.
    pub(crate) qos: u8,
    /// Whether clients may have values retained.
    pub(crate) retain: bool,
    /// Whether MQTT 3.1 clients are held to that version's identifiers of 1 to 23 characters.
    pub(crate) short_client_ids_3_1: bool,
    /// Messages that wait for a client.
    pub(crate) session_queue_messages: u32,
    /// Their bytes.
    pub(crate) session_queue_bytes: Size,
}

/// The Philips Hue bridge inside the server.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Hue {
    /// Whether the page may start it.
    pub(crate) enabled: bool,
}

/// What the broker says of itself, below `$SYS`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sys {
    /// Seconds between two times; 0 for never.
    pub(crate) interval_s: u16,
}

/// The recorder inside the server.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Record {
    /// Whether it runs.
    pub(crate) enabled: bool,
    /// What it records.
    pub(crate) filters: Vec<Filter>,
    /// Days for which each value is kept; 0 for ever.
    pub(crate) keep_days: u32,
    /// The largest file; 0 for as much as there is room.
    pub(crate) max_size: Size,
}

/// What is kept on disk.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Storage {
    /// A directory of our own; `None` keeps nothing.
    pub(crate) dir: Option<PathBuf>,
}

impl Config {
    /// Names the first setting that is out of range, with its range.
    fn check(&self) -> Result<(), String> {
        let limits = &self.limits;
        in_range("limits.connections", limits.connections.into(), 1, 10_000_000)?;
        in_range("limits.connect_timeout_s", limits.connect_timeout_s.into(), 1, 300)?;
        in_range("limits.stall_timeout_s", limits.stall_timeout_s.into(), 1, 3_600)?;
        in_range("limits.packet_size", limits.packet_size.bytes() as u64, 1024, 268_435_455)?;
        in_range("limits.receive_maximum", limits.receive_maximum.into(), 1, 65_535)?;
        in_range("limits.qos", limits.qos.into(), 0, 2)?;
        in_range("sys.interval_s", self.sys.interval_s.into(), 0, 3_600)?;
        if self.record.enabled && self.record.filters.is_empty() {
            return Err(
                "record.filters is empty; say what is to be recorded, for example [\"lights/#\"]".to_owned()
            );
        }
        // A hundred years.
        in_range("record.keep_days", self.record.keep_days.into(), 0, 36_500)?;
        if (1..RECORD_SIZE_MIN).contains(&self.record.max_size.bytes()) {
            return Err(format!("record.max_size must be 0 or at least {} KiB", RECORD_SIZE_MIN >> 10));
        }
        if let Some(origin) = self.http.allowed_origins.iter().find(|origin| !is_origin(origin)) {
            return Err(format!(
                "http.allowed_origins: {origin:?} is no origin; write it like \"https://lights.example\", without a path"
            ));
        }
        Ok(())
    }
}

impl Limits {
    /// Those that the broker sees to; the others are the edge's.
    pub(crate) fn for_broker(&self) -> luxwire_broker::Limits {
        let defaults = luxwire_broker::Limits::default();
        luxwire_broker::Limits {
            packet_size: u32::try_from(self.packet_size.bytes())
                .ok()
                .and_then(NonZeroU32::new)
                .unwrap_or(defaults.packet_size),
            connect_timeout: Duration::from_secs(self.connect_timeout_s.into()),
            keep_alive_s: self.keep_alive_s,
            receive_maximum: NonZeroU16::new(self.receive_maximum).unwrap_or(defaults.receive_maximum),
            topic_alias_maximum: self.topic_alias_maximum,
            qos: QoS::from_number(self.qos).unwrap_or(defaults.qos),
            retain: self.retain,
            short_client_ids_3_1: self.short_client_ids_3_1,
            session_queue_messages: self.session_queue_messages as usize,
            session_queue_bytes: self.session_queue_bytes.bytes(),
            ..defaults
        }
    }
}

impl Default for Mqtt {
    fn default() -> Self {
        Self { listen: vec![Address::new("127.0.0.1", 1883)] }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: vec![Address::new("127.0.0.1", 8080)],
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
        }
    }
}

impl Default for Hue {
    fn default() -> Self {
        Self { enabled: true }
    }
}

impl Sys {
    /// `None` for never.
    pub(crate) fn interval(&self) -> Option<Duration> {
        (self.interval_s > 0).then(|| Duration::from_secs(self.interval_s.into()))
    }
}

impl Default for Sys {
    fn default() -> Self {
        Self { interval_s: 10 }
    }
}

impl Default for Record {
    fn default() -> Self {
        let lights = TopicFilter::try_from("lights/#").expect("a filter");
        Self {
            enabled: false,
            filters: vec![Filter(lights)],
            keep_days: 30,
            max_size: Size::from_bytes(1 << 30),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let broker = luxwire_broker::Limits::default();
        Self {
            connections: limits::CONNECTIONS,
            connect_timeout_s: u16::try_from(broker.connect_timeout.as_secs()).unwrap_or(u16::MAX),
            stall_timeout_s: limits::STALL_TIMEOUT_S,
            packet_size: Size::from_bytes(broker.packet_size.get() as usize),
            keep_alive_s: broker.keep_alive_s,
            receive_maximum: broker.receive_maximum.get(),
            topic_alias_maximum: broker.topic_alias_maximum,
            qos: broker.qos.number(),
            retain: broker.retain,
            short_client_ids_3_1: broker.short_client_ids_3_1,
            session_queue_messages: u32::try_from(broker.session_queue_messages).unwrap_or(u32::MAX),
            session_queue_bytes: Size::from_bytes(broker.session_queue_bytes),
        }
    }
}

/// A smaller file would hold little more than its tables.
const RECORD_SIZE_MIN: usize = 1 << 20;

fn in_range(key: &str, value: u64, min: u64, max: u64) -> Result<(), String> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(format!("{key} is {value}; it must be from {min} to {max}"))
}

/// `null` is what browsers say for a page from a file or a sandbox; whoever wants to allow that may.
fn is_origin(text: &str) -> bool {
    if text == "null" {
        return true;
    }
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    matches!(scheme, "http" | "https") && !authority.is_empty() && !authority.contains(['/', '?', '#'])
}
