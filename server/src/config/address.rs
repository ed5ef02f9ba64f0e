//! An address to listen on, as people write it: `HOST:PORT`.
//!
//! A name stays a name here; it is looked up when the listener opens.

use super::list::Element;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{fmt, str::FromStr};

/// `127.0.0.1:1883`, `[::1]:1883`, `localhost:1883`; port 0 picks a free one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    host: String,
    port: u16,
}

impl Address {
    pub(crate) fn new(host: &str, port: u16) -> Self {
        Self { host: host.to_owned(), port }
    }

    /// What the system's resolver understands: an IPv6 address stands there without its brackets.
    pub(crate) fn host(&self) -> &str {
        self.host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&self.host)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Element for Address {
    const EXPECTED: &str = "an address such as \"127.0.0.1:1883\", or a list of them";
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no address; write HOST:PORT, for example 127.0.0.1:1883 (port 0 picks a free one)"
            )
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let in_brackets = host.starts_with('[') && host.ends_with(']');
        if host.is_empty() || (host.contains(':') && !in_brackets) {
            return Err(wrong());
        }
        Ok(Self::new(host, port.parse().map_err(|_| wrong())?))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn host_and_port_are_told_apart() {
        let check = |text: &str, host: &str, port: u16| {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.host(), address.port()), (host, port));
            assert_eq!(address.to_string(), text);
        };
        check("127.0.0.1:1883", "127.0.0.1", 1883);
        check("localhost:0", "localhost", 0);
        check("[::1]:8080", "::1", 8080);
    }

    #[test]
    fn what_is_no_address_is_refused_with_an_example() {
        for text in ["", "1883", ":1883", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:1883", "a:b"] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.contains("HOST:PORT"), "{text}: {error}");
        }
    }
}
