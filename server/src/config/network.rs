//! An IP address or a network of them, as people write it: `10.0.0.5`, `10.0.0.0/8`, `fd00::/8`.

use super::list::Element;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{fmt, net::IpAddr, str::FromStr};

/// The addresses whose first bits are these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    /// `None` for a single address.
    prefix_len: Option<u8>,
}

impl Network {
    /// A socket that takes IPv4 and IPv6 shows an IPv4 address as `::ffff:10.0.0.5`; that is the same address.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let (ours, theirs) = (self.address.to_canonical(), address.to_canonical());
        let prefix_len = self.prefix_len.unwrap_or(width(ours));
        ours.is_ipv4() == theirs.is_ipv4() && prefix(ours, prefix_len) == prefix(theirs, prefix_len)
    }
}

impl Element for Network {
    const EXPECTED: &str = "an IP address or network such as \"10.0.0.0/8\", or a list of them";
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("{text:?} is no IP address or network; write it like 127.0.0.1, 10.0.0.0/8 or fd00::/8")
        };
        let Some((address, prefix_len)) = text.split_once('/') else {
            return Ok(Self { address: text.parse().map_err(|_| wrong())?, prefix_len: None });
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        if address != address.to_canonical() {
            return Err(format!("{text:?} is a network of IPv4 in the clothes of IPv6; write it as IPv4"));
        }
        let (all, digits) = (width(address), prefix_len.bytes().all(|byte| byte.is_ascii_digit()));
        let prefix_len = prefix_len.parse().ok().filter(|len| digits && *len <= all);
        let Some(prefix_len) = prefix_len else {
            return Err(format!("{text:?}: the number behind the slash must be from 0 to {all}"));
        };
        if prefix(address, prefix_len) != bits(address) {
            return Err(format!(
                "{text:?} names one address and a network at once; write {} for the network or {address} for the address",
                Self { address: start(address, prefix_len), prefix_len: Some(prefix_len) }
            ));
        }
        Ok(Self { address, prefix_len: Some(prefix_len) })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix_len {
            Some(prefix_len) => write!(f, "{}/{prefix_len}", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(Error::custom)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The bits of either kind, beginning with the highest.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The first bits, the others 0.
fn prefix(address: IpAddr, len: u8) -> u128 {
    // Shifting by all bits at once is not defined; a prefix of none leaves none.
    let others = u128::MAX.checked_shr(len.into()).unwrap_or(0);
    bits(address) & !others
}

/// The first address of the network.
fn start(address: IpAddr, prefix_len: u8) -> IpAddr {
    let bits = prefix(address, prefix_len);
    match address {
        // The upper 32 bits of 128.
        IpAddr::V4(_) => IpAddr::V4(((bits >> 96) as u32).into()),
        IpAddr::V6(_) => IpAddr::V6(bits.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn a_network_contains_the_addresses_that_begin_alike() {
        let check = |network: &str, inside: &[&str], outside: &[&str]| {
            let parsed: Network = network.parse().unwrap();
            assert_eq!(parsed.to_string(), network);
            for (addresses, contained) in [(inside, true), (outside, false)] {
                for address in addresses {
                    assert_eq!(parsed.contains(address.parse().unwrap()), contained, "{network} {address}");
                }
            }
        };
        check("127.0.0.1", &["127.0.0.1", "::ffff:127.0.0.1"], &["127.0.0.2", "::1", "::127.0.0.1"]);
        check("::ffff:10.0.0.5", &["10.0.0.5", "::ffff:10.0.0.5"], &["10.0.0.6"]);
        check("::1", &["::1"], &["::2", "0.0.0.1", "127.0.0.1"]);
        check(
            "10.0.0.0/8",
            &["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"],
            &["9.255.255.255", "11.0.0.0"],
        );
        check("192.168.1.128/25", &["192.168.1.128", "192.168.1.255"], &["192.168.1.127", "192.168.2.128"]);
        check("192.168.1.7/32", &["192.168.1.7"], &["192.168.1.6"]);
        check("0.0.0.0/0", &["0.0.0.0", "255.255.255.255"], &["::", "::1"]);
        check("fd00::/8", &["fd00::", "fdff::1"], &["fc00::1", "253.0.0.1"]);
        check("2001:db8::/127", &["2001:db8::1"], &["2001:db8::2"]);
        check("::/0", &["::", "ffff::"], &["10.0.0.5", "::ffff:10.0.0.5"]);
    }

    #[test]
    fn what_is_no_network_is_refused_with_the_mend() {
        let check = |text: &str, mend: &str| {
            let error = text.parse::<Network>().unwrap_err();
            assert!(error.contains(text) && error.contains(mend), "{text}: {error}");
        };
        for text in
            ["", "proxy.example", "10.0.0", "10.0.0.0.0", "10.0.0.5:80", "[::1]", "10.*", "/8", " ::1"]
        {
            check(text, "10.0.0.0/8");
        }
        for text in
            ["10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.0/255.0.0.0"]
        {
            check(text, "from 0 to 32");
        }
        check("fd00::/129", "from 0 to 128");
        check("192.168.1.7/24", "192.168.1.0/24");
        check("192.168.1.7/24", "192.168.1.7 for the address");
        check("fd00::1/64", "fd00::/64");
        check("::ffff:10.0.0.0/104", "as IPv4");
    }
}
