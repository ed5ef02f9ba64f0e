//! `luxwire firmware settings`: what makes a board one's own, from flags to a file and back.

use super::{Readers, uf2, write};
use crate::{
    Usage,
    connection::{BrokerArgs, Scheme},
};
use anyhow::{Context as _, bail};
use luxwire_board_settings::{
    Broker, Host, Mac, PrefixLen, Roles, SECTOR_ADDRESS, Settings, StaticAddress, Wifi,
};
use luxwire_shared::{model::LightId, mqtt::Version};
use std::{fmt::Write as _, fs, net::Ipv4Addr, path::PathBuf, str::FromStr};

/// The settings of one board.
#[derive(Debug, clap::Args)]
pub(super) struct SettingsArgs {
    /// Show the settings of this UF2 file, without passwords, and write nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dimmer", "lamp", "mac", "address", "output"])]
    show: Option<PathBuf>,

    /// The light whose intensity the board's knob sets
    #[arg(long, value_name = "ID", value_parser = light, required_unless_present_any = ["lamp", "show"])]
    dimmer: Option<LightId>,

    /// The light whose intensity the board's LED follows
    #[arg(long, value_name = "ID", value_parser = light)]
    lamp: Option<LightId>,

    /// The board's Ethernet address, XX:XX:XX:XX:XX:XX [default: a random one that no manufacturer has]
    ///
    /// A W5500 has none of its own. Keep it when you write a board's settings again: many routers remember it.
    #[arg(long, value_name = "MAC", value_parser = mac)]
    mac: Option<Mac>,

    /// Seconds of silence before the broker is asked whether it is still there, 1 to 65535
    ///
    /// After one and a half times this the broker takes a silent board for lost and publishes `offline`.
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = clap::value_parser!(u16).range(1..))]
    keep_alive: u16,

    /// The board's own IP address and network, such as 192.168.1.50/24 [default: what the router assigns]
    #[arg(long, value_name = "IP/BITS")]
    address: Option<Network>,

    /// The way to other networks, usually the router
    #[arg(long, value_name = "IP", requires = "address")]
    gateway: Option<Ipv4Addr>,

    /// Who knows names, usually the router; needed with --address if the broker has a name
    #[arg(long, value_name = "IP", requires = "address")]
    dns: Option<Ipv4Addr>,

    /// The wireless network (Pico W); boards with a cable ignore it
    #[arg(long, value_name = "NAME")]
    wifi: Option<String>,

    /// Its password (WPA2) [default: an open network]
    #[arg(
        long,
        value_name = "PASSWORD",
        requires = "wifi",
        env = "LUXWIRE_WIFI_PASSWORD",
        hide_env_values = true
    )]
    wifi_password: Option<String>,

    /// The UF2 file to write; it holds the passwords, and only you may read it
    #[arg(short, long, value_name = "FILE", required_unless_present = "show")]
    output: Option<PathBuf>,

    // Last, since its heading in the help is for everything that follows.
    #[command(flatten)]
    broker: BrokerArgs,
}

/// An address with the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: Ipv4Addr,
    prefix_len: PrefixLen,
}

pub(super) fn run(args: SettingsArgs) -> anyhow::Result<()> {
    if let Some(path) = &args.show {
        let file = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let settings = from_file(&file).with_context(|| path.display().to_string())?;
        print!("{}", describe(&settings));
        return Ok(());
    }
    let settings = args.settings()?;
    let output = args.output.context("--output names the file to write")?;
    write(&output, &to_file(&settings)?, Readers::Owner)?;
    print!("{}", describe(&settings));
    println!("written to     {}", output.display());
    Ok(())
}

fn to_file(settings: &Settings) -> anyhow::Result<Vec<u8>> {
    let sector = settings.to_sector();
    let sector = sector.ok_or_else(|| {
        usage(format!(
            "the client identifier, user name and password have at most {} bytes each",
            Settings::TEXT_LEN_MAX
        ))
    })?;
    let mut flash = uf2::Flash::default();
    flash.put(SECTOR_ADDRESS, &sector).context("the sector lies outside the flash")?;
    Ok(uf2::write(&flash))
}

fn from_file(file: &[u8]) -> anyhow::Result<Settings> {
    let flash = uf2::read(file)?;
    let Some(sector) = flash.sector(SECTOR_ADDRESS) else {
        bail!("this UF2 file writes no settings; is it the firmware?");
    };
    Ok(Settings::from_sector(sector)?)
}

impl SettingsArgs {
    fn settings(&self) -> anyhow::Result<Settings> {
        let address = self.broker.address();
        if address.scheme != Scheme::Mqtt {
            return Err(usage("--broker: boards speak MQTT over TCP only, as in mqtt://192.168.1.10"));
        }
        let is_board_itself = address.host == "localhost"
            || address.host.parse::<Ipv4Addr>().is_ok_and(|host| host.is_loopback() || host.is_unspecified());
        if is_board_itself {
            let host = &address.host;
            return Err(usage(format!(
                "--broker: to a board, {host} is the board itself; name the broker's address in your network"
            )));
        }
        let host = Host::new(&address.host).ok_or_else(|| {
            usage("--broker: boards take an IPv4 address or a plain DNS name of at most 128 characters")
        })?;
        let mac = match self.mac {
            Some(mac) => mac,
            None => random_mac()?,
        };
        let [.., a, b, c] = mac.octets();
        let options = self.broker.options(&format!("luxwire-{a:02x}{b:02x}{c:02x}"))?;
        let wifi = self.wifi.as_deref().map(|ssid| {
            Wifi::new(ssid, self.wifi_password.as_deref())
                .ok_or_else(|| usage("--wifi: a network's name has 1 to 32 bytes, its password 8 to 63"))
        });
        Ok(Settings {
            mac,
            broker: Broker { host, port: address.port },
            version: options.version,
            keep_alive_s: self.keep_alive,
            client_id: options.client_id,
            user: options.user_name,
            password: options.password,
            roles: Roles::new(self.dimmer.clone(), self.lamp.clone())
                .ok_or_else(|| usage("--dimmer, --lamp or both say what the board is"))?,
            address: self.address.map(|Network { address, prefix_len }| StaticAddress {
                address,
                prefix_len,
                gateway: self.gateway,
                dns: self.dns,
            }),
            wifi: wifi.transpose()?,
        })
    }
}

/// The settings for people, without passwords.
fn describe(settings: &Settings) -> String {
    let mut text = String::new();
    let mut line = |what: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{what:<14} {value}");
    };
    let id = |id: Option<&LightId>| id.map_or("-".to_owned(), |id| format!("{:?}", id.as_str()));
    line("broker", &format!("mqtt://{}:{}", settings.broker.host.as_str(), settings.broker.port));
    line(
        "protocol",
        match settings.version {
            Version::V3_1 => "3.1",
            Version::V3_1_1 => "3.1.1",
            Version::V5 => "5",
        },
    );
    line("keep alive", &format!("{} s", settings.keep_alive_s));
    line("client id", &format!("{:?}", settings.client_id.as_str()));
    line("user", &settings.user.as_ref().map_or("-".to_owned(), |user| format!("{:?}", user.as_str())));
    line("password", if settings.password.is_some() { "set" } else { "-" });
    line("dimmer", &id(settings.roles.dimmer()));
    line("lamp", &id(settings.roles.lamp()));
    line("MAC", &settings.mac.to_string());
    match settings.address {
        None => line("address", "assigned by the network (DHCP)"),
        Some(StaticAddress { address, prefix_len, gateway, dns }) => {
            let or_none =
                |address: Option<Ipv4Addr>| address.map_or("-".to_owned(), |address| address.to_string());
            line("address", &format!("{address}/{}", prefix_len.bits()));
            line("gateway", &or_none(gateway));
            line("DNS server", &or_none(dns));
        }
    }
    match &settings.wifi {
        None => line("Wi-Fi", "-"),
        Some(wifi) => {
            let protection = if wifi.password().is_some() { "password set" } else { "open" };
            line("Wi-Fi", &format!("{:?}, {protection}", wifi.ssid()));
        }
    }
    text
}

/// Locally administered: no manufacturer's address has this bit.
fn random_mac() -> anyhow::Result<Mac> {
    let mut octets = [0; 6];
    getrandom::fill(&mut octets)
        .map_err(|error| anyhow::anyhow!("no randomness for a MAC ({error}): give --mac"))?;
    let [first, ..] = &mut octets;
    *first = (*first & 0b1111_1100) | 0b10;
    Mac::new(octets).context("a random address is one board's alone")
}

fn usage(text: impl Into<String>) -> anyhow::Error {
    Usage(text.into()).into()
}

fn light(text: &str) -> Result<LightId, String> {
    LightId::try_from(text).map_err(|error| error.to_string())
}

fn mac(text: &str) -> Result<Mac, String> {
    const MEANT: &str = "an Ethernet address of one board looks like 02:4c:55:58:00:01";
    let mut octets = [0; 6];
    let mut parts = text.split([':', '-']);
    for octet in &mut octets {
        let part =
            parts.next().filter(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit()));
        *octet = part.and_then(|part| u8::from_str_radix(part, 16).ok()).ok_or(MEANT)?;
    }
    let whole = parts.next().is_none();
    whole.then(|| Mac::new(octets)).flatten().ok_or(MEANT.to_owned())
}

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const MEANT: &str = "an address and its network look like 192.168.1.50/24";
        let (address, bits) = text.split_once('/').ok_or(MEANT)?;
        let prefix_len = bits.parse().ok().and_then(PrefixLen::new).ok_or(MEANT)?;
        Ok(Self { address: address.parse().map_err(|_| MEANT)?, prefix_len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use luxwire_board_settings::SettingsError;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: SettingsArgs,
    }

    fn parse(flags: &str) -> Result<Settings, String> {
        let words = ["settings", "-o", "out.uf2"].into_iter().chain(flags.split_whitespace());
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        line.args.settings().map_err(|error| format!("{error:#}"))
    }

    const FULL: &str = "--broker mqtt://house.local:1999 --user ann --password secret --client-id board \
        --protocol 3.1.1 --dimmer Desk --lamp Küche --mac 02:4C-55:58:00:01 --keep-alive 7 \
        --address 10.1.2.3/8 --gateway 10.0.0.1 --dns 10.0.0.2 --wifi Home --wifi-password 12345678";

    #[test]
    fn what_the_flags_say_comes_back_from_the_file() {
        for flags in
            [FULL, "--broker 192.168.1.10 --dimmer d", "--broker 192.168.1.10 --lamp d --address 10.1.2.3/8"]
        {
            let settings = parse(flags).unwrap();
            assert_eq!(from_file(&to_file(&settings).unwrap()).unwrap(), settings, "{flags}");
        }
        let settings = parse(FULL).unwrap();
        assert_eq!(settings.broker.host.as_str(), "house.local");
        assert_eq!((settings.broker.port, settings.keep_alive_s), (1999, 7));
        assert_eq!(settings.mac.octets(), [2, 0x4c, 0x55, 0x58, 0, 1]);
        assert_eq!(settings.version, Version::V3_1_1);
        assert_eq!(settings.roles.lamp().map(LightId::as_str), Some("Küche"));
        assert_eq!(settings.password.as_deref(), Some(&b"secret"[..]));
    }

    #[test]
    fn what_is_shown_has_no_password_in_it() {
        let text = describe(&parse(FULL).unwrap());
        for shown in [
            "mqtt://house.local:1999",
            "\"ann\"",
            "02:4c:55:58:00:01",
            "10.1.2.3/8",
            "\"Home\", password set",
        ] {
            assert!(text.contains(shown), "{text}");
        }
        assert!(!text.contains("secret") && !text.contains("12345678"), "{text}");
    }

    #[test]
    fn a_board_gets_an_address_that_is_its_own() {
        let macs = [1, 2].map(|_| parse("--broker 192.168.1.10 --lamp d").unwrap().mac);
        assert_ne!(macs[0], macs[1]);
        for mac in macs {
            assert_eq!(mac.octets()[0] & 0b11, 0b10, "{mac}");
        }
    }

    #[test]
    fn what_a_board_cannot_do_is_refused_with_the_flag_that_asks_for_it() {
        let cases = [
            ("--lamp d", "127.0.0.1 is the board itself"),
            ("--broker ws://192.168.1.10 --lamp d", "--broker: boards speak MQTT over TCP"),
            ("--broker mqtts://192.168.1.10 --lamp d", "--broker: boards speak MQTT over TCP"),
            ("--broker mqtt://[fe80::1] --lamp d", "--broker: boards take an IPv4 address"),
            ("--broker 192.168.1.10", "--dimmer"),
            ("--broker 192.168.1.10 --lamp a/b", "must not contain /"),
            ("--broker 192.168.1.10 --lamp d --mac 03:00:00:00:00:01", "an Ethernet address"),
            ("--broker 192.168.1.10 --lamp d --mac 02:00:00:00:00", "an Ethernet address"),
            ("--broker 192.168.1.10 --lamp d --mac 02:00:00:00:00:01:02", "an Ethernet address"),
            ("--broker 192.168.1.10 --lamp d --mac 02:00:00:00:00:+1", "an Ethernet address"),
            ("--broker 192.168.1.10 --lamp d --address 10.0.0.1/32", "192.168.1.50/24"),
            ("--broker 192.168.1.10 --lamp d --address 10.0.0.1", "192.168.1.50/24"),
            ("--broker 192.168.1.10 --lamp d --dns 10.0.0.1", "--address"),
            ("--broker 192.168.1.10 --lamp d --wifi Home --wifi-password short", "--wifi: "),
            ("--broker 192.168.1.10 --lamp d --keep-alive 0", "--keep-alive"),
        ];
        for (flags, meant) in cases {
            let said = parse(flags).unwrap_err();
            assert!(said.contains(meant), "{flags}: {said}");
        }
        let long = format!("--broker 192.168.1.10 --lamp d --client-id {}", "x".repeat(256));
        assert!(to_file(&parse(&long).unwrap()).unwrap_err().to_string().contains("at most 255 bytes"));
    }

    #[test]
    fn a_sector_that_was_damaged_says_how_and_never_panics() {
        let good = parse(FULL).unwrap().to_sector().unwrap();
        let len = 12 + usize::from(u16::from_le_bytes([good[6], good[7]]));
        for at in 0..len {
            for bit in 0..8 {
                let mut sector = good.clone();
                sector[at] ^= 1 << bit;
                let error = Settings::from_sector(&sector).unwrap_err();
                match at {
                    0..4 => assert_eq!(error, SettingsError::Absent),
                    4..6 => assert!(matches!(error, SettingsError::Version(_))),
                    6..8 => assert!(matches!(error, SettingsError::Checksum | SettingsError::Truncated)),
                    _ => assert_eq!(error, SettingsError::Checksum, "byte {at}, bit {bit}"),
                }
            }
        }
        for len in 0..len {
            assert!(Settings::from_sector(&good[..len]).is_err(), "{len}");
        }
        assert_eq!(Settings::from_sector(&[0xFF; 4096]), Err(SettingsError::Absent));
    }

    /// A sector whose checksum is right although its fields are not.
    fn sector(fields: &[u8]) -> Vec<u8> {
        let table =
            |byte: u32| (0..8).fold(byte, |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 });
        let step = |crc: u32, byte: &u8| (crc >> 8) ^ table((crc ^ u32::from(*byte)) & 0xFF);
        let checksum = !fields.iter().fold(u32::MAX, step);
        let len = u16::try_from(fields.len()).unwrap();
        [b"LUXW\x01\x00", &len.to_le_bytes()[..], &checksum.to_le_bytes(), fields].concat()
    }

    #[test]
    fn fields_that_cannot_be_are_refused_one_by_one() {
        let good =
            parse("--broker 192.168.1.10 --lamp d --mac 02:00:00:00:00:01").unwrap().to_sector().unwrap();
        let fields = &good[12..12 + usize::from(u16::from_le_bytes([good[6], good[7]]))];
        let with = |more: &[u8]| Settings::from_sector(&sector(&[fields, more].concat()));
        assert!(with(&[]).is_ok(), "two implementations of the checksum agree");
        let cases: [(&[u8], SettingsError); 12] = [
            (&[0, 0], SettingsError::UnknownField(0)),
            (&[17, 0], SettingsError::UnknownField(17)),
            (&[255, 0], SettingsError::UnknownField(255)),
            (&[7], SettingsError::Truncated),
            (&[7, 2, b'a'], SettingsError::Truncated),
            (&[10, 1, b'd'], SettingsError::Repeated(10)),
            (&[9, 0], SettingsError::Invalid(9)),
            (&[9, 1, b'#'], SettingsError::Invalid(9)),
            (&[7, 1, 0xFF], SettingsError::Invalid(7)),
            (&[7, 1, 0], SettingsError::Invalid(7)),
            (&[11, 4, 10, 0, 0, 1], SettingsError::Missing(12)),
            (&[15, 33], SettingsError::Truncated),
        ];
        for (more, error) in cases {
            assert_eq!(with(more), Err(error), "{more:?}");
        }
        assert_eq!(Settings::from_sector(&sector(&[])), Err(SettingsError::Missing(1)));
    }

    #[test]
    fn showing_needs_no_flags_and_writing_needs_a_file() {
        let parse = |words: &[&str]| Line::try_parse_from(words).map(|line| line.args.show.is_some());
        assert!(parse(&["settings", "--show", "a.uf2"]).unwrap());
        // From the environment this would come as well, and must not stand in the way.
        assert!(parse(&["settings", "--show", "a.uf2", "--broker", "mqtt://192.168.1.10"]).unwrap());
        assert!(parse(&["settings", "--show", "a.uf2", "--lamp", "d"]).is_err());
        assert!(parse(&["settings", "--broker", "mqtt://192.168.1.10", "--lamp", "d"]).is_err());
    }

    #[test]
    fn a_file_without_settings_is_told_from_a_broken_one() {
        let mut flash = uf2::Flash::default();
        flash.put(0x1000_0000, b"firmware").unwrap();
        assert!(from_file(&uf2::write(&flash)).unwrap_err().to_string().contains("is it the firmware?"));
        assert!(from_file(b"").unwrap_err().to_string().contains("not a UF2 file"));
    }
}
