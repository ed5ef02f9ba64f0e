//! Where a hub is: a name or an address, with a port if it is not the usual one. Anything else is refused, because requests
//! over MQTT may bring it, and it becomes a part of what is sent.

use std::{fmt, net::Ipv6Addr, str::FromStr};

/// `HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Host {
    /// Without brackets.
    name: String,
    port: Option<u16>,
}

/// Why a text is no [`Host`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostError;

impl Host {
    /// What to connect to.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The port, if one was given.
    pub(super) const fn port(&self) -> Option<u16> {
        self.port
    }

    /// As it stands before a port.
    pub(super) fn bracketed(&self) -> String {
        if self.name.contains(':') { format!("[{}]", self.name) } else { self.name.clone() }
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (name, port) = rest.split_once(']').ok_or(HostError)?;
                name.parse::<Ipv6Addr>().map_err(|_| HostError)?;
                let port =
                    if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or(HostError)?) };
                (name, port)
            }
            None if text.parse::<Ipv6Addr>().is_ok() => (text, None),
            None => text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port))),
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
        if name.is_empty() || name.len() > 253 || !name.bytes().all(is_name) {
            return Err(HostError);
        }
        let port = port.map(|port| port.parse::<u16>().ok().filter(|port| *port > 0).ok_or(HostError));
        Ok(Self { name: name.to_ascii_lowercase(), port: port.transpose()? })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            None => f.write_str(&self.name),
            Some(port) => write!(f, "{}:{port}", self.bracketed()),
        }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hub is given as HOST or HOST:PORT, such as 192.168.1.20 or 127.0.0.1:8443")
    }
}

impl std::error::Error for HostError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_a_port_or_without() {
        for good in ["192.168.1.20", "hue.local", "127.0.0.1:8443", "[fe80::1]:80", "fe80::1"] {
            assert_eq!(good.parse::<Host>().unwrap().to_string(), good);
        }
        for bad in ["", "a b", "http://x", "x/y", "x:0", "x:65536", "x:", "[::1", "[x]:1", "x@y", "x\r\n"] {
            assert_eq!(bad.parse::<Host>(), Err(HostError), "{bad}");
        }
    }
}
