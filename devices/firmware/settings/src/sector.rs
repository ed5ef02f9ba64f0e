//! The settings as bytes.
//!
//! ```text
//!  0  "LUXW"          who we are
//!  4  u16             version of this layout: 1
//!  6  u16             length of the fields, in bytes
//!  8  u32             CRC-32 of the fields
//! 12  fields          each: number, length, value; in any order, each at most once
//!     0xFF …          to the end of the sector
//! ```
//!
//! Numbers are little-endian. A field that is not known is an error rather than passed over: a board that ignores what
//! its maker asked for is harder to understand than one that says so.

use crate::{
    Broker, Host, Mac, PrefixLen, Roles, Settings, SettingsError, StaticAddress, Wifi, checksum::crc32,
};
use alloc::vec::Vec;
use bytes::Bytes;
use core::net::Ipv4Addr;
use luxwire_shared::{
    model::LightId,
    mqtt::{Text, Version},
};

/// The size of a flash sector, which is erased and written as a whole.
pub const SECTOR_LEN: usize = 4096;
/// Where the processor sees the sector: the last one of 2 MiB of flash, which begin at 0x10000000.
pub const SECTOR_ADDRESS: u32 = 0x101F_F000;

const MAGIC: [u8; 4] = *b"LUXW";
const LAYOUT: u16 = 1;
const HEADER_LEN: usize = 12;

mod field {
    pub(super) const MAC: u8 = 1;
    pub(super) const HOST: u8 = 2;
    pub(super) const PORT: u8 = 3;
    pub(super) const PROTOCOL_LEVEL: u8 = 4;
    pub(super) const KEEP_ALIVE: u8 = 5;
    pub(super) const CLIENT_ID: u8 = 6;
    pub(super) const USER: u8 = 7;
    pub(super) const PASSWORD: u8 = 8;
    pub(super) const DIMMER: u8 = 9;
    pub(super) const LAMP: u8 = 10;
    pub(super) const ADDRESS: u8 = 11;
    pub(super) const PREFIX_LEN: u8 = 12;
    pub(super) const GATEWAY: u8 = 13;
    pub(super) const DNS: u8 = 14;
    pub(super) const WIFI_SSID: u8 = 15;
    pub(super) const WIFI_PASSWORD: u8 = 16;
    /// One more than the greatest.
    pub(super) const END: usize = 17;
}

impl Settings {
    /// Reads what a sector holds.
    pub fn from_sector(sector: &[u8]) -> Result<Self, SettingsError> {
        let (header, rest) = sector.split_first_chunk::<HEADER_LEN>().ok_or(SettingsError::Truncated)?;
        let [m0, m1, m2, m3, v0, v1, l0, l1, c0, c1, c2, c3] = *header;
        if [m0, m1, m2, m3] != MAGIC {
            return Err(SettingsError::Absent);
        }
        let layout = u16::from_le_bytes([v0, v1]);
        if layout != LAYOUT {
            return Err(SettingsError::Version(layout));
        }
        let len = usize::from(u16::from_le_bytes([l0, l1]));
        let fields = rest.get(..len).ok_or(SettingsError::Truncated)?;
        if crc32(fields) != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Err(SettingsError::Checksum);
        }
        Fields::split(fields)?.settings()
    }

    /// The whole sector. `None` if a text is longer than [`Settings::TEXT_LEN_MAX`].
    pub fn to_sector(&self) -> Option<Vec<u8>> {
        let mut fields = Vec::new();
        let mut put = |number: u8, value: &[u8]| {
            let len = u8::try_from(value.len()).ok()?;
            fields.extend_from_slice(&[number, len]);
            fields.extend_from_slice(value);
            Some(())
        };
        put(field::MAC, &self.mac.octets())?;
        put(field::HOST, self.broker.host.as_str().as_bytes())?;
        put(field::PORT, &self.broker.port.to_le_bytes())?;
        put(field::PROTOCOL_LEVEL, &[self.version.level()])?;
        put(field::KEEP_ALIVE, &self.keep_alive_s.to_le_bytes())?;
        put(field::CLIENT_ID, self.client_id.as_bytes())?;
        if let Some(user) = &self.user {
            put(field::USER, user.as_bytes())?;
        }
        if let Some(password) = &self.password {
            put(field::PASSWORD, password)?;
        }
        if let Some(dimmer) = self.roles.dimmer() {
            put(field::DIMMER, dimmer.as_str().as_bytes())?;
        }
        if let Some(lamp) = self.roles.lamp() {
            put(field::LAMP, lamp.as_str().as_bytes())?;
        }
        if let Some(StaticAddress { address, prefix_len, gateway, dns }) = &self.address {
            put(field::ADDRESS, &address.octets())?;
            put(field::PREFIX_LEN, &[prefix_len.bits()])?;
            if let Some(gateway) = gateway {
                put(field::GATEWAY, &gateway.octets())?;
            }
            if let Some(dns) = dns {
                put(field::DNS, &dns.octets())?;
            }
        }
        if let Some(wifi) = &self.wifi {
            put(field::WIFI_SSID, wifi.ssid().as_bytes())?;
            if let Some(password) = wifi.password() {
                put(field::WIFI_PASSWORD, password.as_bytes())?;
            }
        }
        let mut sector = Vec::with_capacity(SECTOR_LEN);
        sector.extend_from_slice(&MAGIC);
        sector.extend_from_slice(&LAYOUT.to_le_bytes());
        sector.extend_from_slice(&u16::try_from(fields.len()).ok()?.to_le_bytes());
        sector.extend_from_slice(&crc32(&fields).to_le_bytes());
        sector.extend_from_slice(&fields);
        (sector.len() <= SECTOR_LEN).then(|| {
            sector.resize(SECTOR_LEN, 0xFF);
            sector
        })
    }
}

/// The values by the number of their field.
struct Fields<'a>([Option<&'a [u8]>; field::END]);

impl<'a> Fields<'a> {
    fn split(mut bytes: &'a [u8]) -> Result<Self, SettingsError> {
        let mut values = [None; field::END];
        while let Some((&number, rest)) = bytes.split_first() {
            let (&len, rest) = rest.split_first().ok_or(SettingsError::Truncated)?;
            let (value, rest) = rest.split_at_checked(len.into()).ok_or(SettingsError::Truncated)?;
            let place = values.get_mut(usize::from(number)).filter(|_| number > 0);
            if place.ok_or(SettingsError::UnknownField(number))?.replace(value).is_some() {
                return Err(SettingsError::Repeated(number));
            }
            bytes = rest;
        }
        Ok(Self(values))
    }

    fn settings(&self) -> Result<Settings, SettingsError> {
        let dimmer = self.maybe(field::DIMMER, |value| LightId::try_from(text(value)?).ok())?;
        let lamp = self.maybe(field::LAMP, |value| LightId::try_from(text(value)?).ok())?;
        let wifi_password = self.maybe(field::WIFI_PASSWORD, text)?;
        Ok(Settings {
            mac: self.must(field::MAC, |value| Mac::new(value.try_into().ok()?))?,
            broker: Broker {
                host: self.must(field::HOST, |value| Host::new(text(value)?))?,
                port: self.must(field::PORT, |value| number(value).filter(|port| *port > 0))?,
            },
            version: self.must(field::PROTOCOL_LEVEL, version)?,
            keep_alive_s: self
                .must(field::KEEP_ALIVE, |value| number(value).filter(|seconds| *seconds > 0))?,
            client_id: self.must(field::CLIENT_ID, mqtt_text)?,
            user: self.maybe(field::USER, mqtt_text)?,
            password: self.maybe(field::PASSWORD, |value| Some(Bytes::copy_from_slice(value)))?,
            roles: Roles::new(dimmer, lamp).ok_or(SettingsError::Missing(field::LAMP))?,
            address: match self.maybe(field::ADDRESS, address)? {
                None => None,
                Some(own) => Some(StaticAddress {
                    address: own,
                    prefix_len: self.must(field::PREFIX_LEN, |value| match value {
                        [bits] => PrefixLen::new(*bits),
                        _ => None,
                    })?,
                    gateway: self.maybe(field::GATEWAY, address)?,
                    dns: self.maybe(field::DNS, address)?,
                }),
            },
            wifi: self.maybe(field::WIFI_SSID, |value| Wifi::new(text(value)?, wifi_password))?,
        })
    }

    fn maybe<T>(
        &self,
        number: u8,
        read: impl FnOnce(&'a [u8]) -> Option<T>,
    ) -> Result<Option<T>, SettingsError> {
        let value = self.0.get(usize::from(number)).copied().flatten();
        value.map(|value| read(value).ok_or(SettingsError::Invalid(number))).transpose()
    }

    fn must<T>(&self, number: u8, read: impl FnOnce(&'a [u8]) -> Option<T>) -> Result<T, SettingsError> {
        self.maybe(number, read)?.ok_or(SettingsError::Missing(number))
    }
}

fn text(value: &[u8]) -> Option<&str> {
    core::str::from_utf8(value).ok()
}

fn mqtt_text(value: &[u8]) -> Option<Text> {
    Text::try_from(text(value)?).ok()
}

fn number(value: &[u8]) -> Option<u16> {
    Some(u16::from_le_bytes(value.try_into().ok()?))
}

fn address(value: &[u8]) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?))
}

fn version(value: &[u8]) -> Option<Version> {
    let versions = [Version::V3_1, Version::V3_1_1, Version::V5];
    versions.into_iter().find(|version| value == [version.level()])
}
