//! What makes one board differ from another: its broker, its lights, its addresses.
//!
//! The settings lie in the last 4 KiB sector of the flash, so that the firmware is the same file for every board. This
//! crate says how they look as bytes; the firmware reads them and `luxwire firmware settings` writes them, with the same
//! code. It touches no flash and no file.

#![no_std]

extern crate alloc;

mod checksum;
mod error;
mod sector;

pub use error::SettingsError;
pub use sector::{SECTOR_ADDRESS, SECTOR_LEN};

use alloc::string::String;
use bytes::Bytes;
use core::net::Ipv4Addr;
use luxwire_shared::{
    model::LightId,
    mqtt::{Text, Version},
};

/// The settings of one board. Values that exist are valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The Ethernet address. A W5500 has none of its own; a Pico W has, and ignores this one.
    pub mac: Mac,
    /// Where the broker is.
    pub broker: Broker,
    /// The MQTT version to speak.
    pub version: Version,
    /// Seconds of silence before the broker is asked whether it is there. The broker gives the board up after one and a
    /// half times this, and publishes its will.
    pub keep_alive_s: u16,
    /// The MQTT client identifier; no two clients of a broker may share one.
    pub client_id: Text,
    /// Who the board claims to be.
    pub user: Option<Text>,
    /// And what proves it.
    pub password: Option<Bytes>,
    /// Which lights the board serves.
    pub roles: Roles,
    /// Its IP address; `None` asks the network (DHCP).
    pub address: Option<StaticAddress>,
    /// The wireless network; boards with a cable ignore it.
    pub wifi: Option<Wifi>,
}

/// A unicast Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mac([u8; 6]);

/// Where a broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// An IPv4 address, or a name that the network's DNS server knows.
    pub host: Host,
    /// Its TCP port.
    pub port: u16,
}

/// An IPv4 address or a DNS name, of 1 to [`Host::LEN_MAX`] printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(String);

/// What the board is: a dimmer, a lamp, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roles {
    /// The knob sets the intensity of this light.
    Dimmer(LightId),
    /// The LED follows the intensity of this light.
    Lamp(LightId),
    /// Both, of the same light or of two.
    Both {
        /// What the knob sets.
        dimmer: LightId,
        /// What the LED follows.
        lamp: LightId,
    },
}

/// An address that nobody needs to assign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaticAddress {
    /// The board's address.
    pub address: Ipv4Addr,
    /// How many of its leading bits name the network, 1 to 31.
    pub prefix_len: PrefixLen,
    /// The way to other networks.
    pub gateway: Option<Ipv4Addr>,
    /// Who knows names.
    pub dns: Option<Ipv4Addr>,
}

/// The length of a network's prefix: 1 to 31 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixLen(u8);

/// A wireless network.
#[derive(Clone, PartialEq, Eq)]
pub struct Wifi {
    /// Its name, of 1 to [`Wifi::SSID_LEN_MAX`] bytes.
    ssid: String,
    /// Its WPA2 passphrase, of 8 to 63 bytes; `None` for an open network.
    password: Option<String>,
}

impl Settings {
    /// The longest client identifier, user name or password, in bytes: what fits a length byte.
    pub const TEXT_LEN_MAX: usize = 255;
}

impl Mac {
    /// `None` for an address of many stations, or of none.
    pub const fn new(octets: [u8; 6]) -> Option<Self> {
        let [first, ..] = octets;
        if first & 1 == 1 || matches!(octets, [0, 0, 0, 0, 0, 0]) { None } else { Some(Self(octets)) }
    }

    /// The six bytes.
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }
}

impl Host {
    /// The longest host, in bytes; longer names exist, but nobody gives one to a broker at home.
    pub const LEN_MAX: usize = 128;

    /// `None` unless it could be an address or a name.
    pub fn new(host: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let fits = (1..=Self::LEN_MAX).contains(&host.len()) && host.bytes().all(allowed);
        fits.then(|| Self(String::from(host)))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Roles {
    /// `None` for a board that is neither.
    pub fn new(dimmer: Option<LightId>, lamp: Option<LightId>) -> Option<Self> {
        match (dimmer, lamp) {
            (Some(dimmer), Some(lamp)) => Some(Self::Both { dimmer, lamp }),
            (Some(dimmer), None) => Some(Self::Dimmer(dimmer)),
            (None, Some(lamp)) => Some(Self::Lamp(lamp)),
            (None, None) => None,
        }
    }

    /// The light that the knob sets.
    pub const fn dimmer(&self) -> Option<&LightId> {
        match self {
            Self::Dimmer(dimmer) | Self::Both { dimmer, .. } => Some(dimmer),
            Self::Lamp(_) => None,
        }
    }

    /// The light that the LED follows.
    pub const fn lamp(&self) -> Option<&LightId> {
        match self {
            Self::Lamp(lamp) | Self::Both { lamp, .. } => Some(lamp),
            Self::Dimmer(_) => None,
        }
    }
}

impl PrefixLen {
    /// `None` unless 1 to 31.
    pub const fn new(bits: u8) -> Option<Self> {
        match bits {
            1..=31 => Some(Self(bits)),
            _ => None,
        }
    }

    /// The number of bits.
    pub const fn bits(self) -> u8 {
        self.0
    }
}

impl Wifi {
    /// The longest name, in bytes, as IEEE 802.11 has it.
    pub const SSID_LEN_MAX: usize = 32;

    /// `None` if the name or the passphrase has a length that no network has.
    pub fn new(ssid: &str, password: Option<&str>) -> Option<Self> {
        let name_fits = (1..=Self::SSID_LEN_MAX).contains(&ssid.len());
        let password_fits = password.is_none_or(|password| (8..=63).contains(&password.len()));
        (name_fits && password_fits)
            .then(|| Self { ssid: String::from(ssid), password: password.map(String::from) })
    }

    /// The network's name.
    pub fn ssid(&self) -> &str {
        &self.ssid
    }

    /// Its passphrase.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }
}

/// Without the passphrase.
impl core::fmt::Debug for Wifi {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Wifi").field("ssid", &self.ssid).finish_non_exhaustive()
    }
}

impl core::fmt::Display for Mac {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}
