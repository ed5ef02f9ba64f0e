//! Where a broker is, as people write it: `mqtt://192.168.1.10`, `ws://house.local:8080/mqtt`.
//!
//! Names are not resolved here, and nothing is opened.

use percent_encoding::percent_decode_str;
use std::{fmt, str::FromStr};

/// A broker's address.
///
/// `SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/PATH]`, where the scheme is `mqtt` (TCP, port 1883), `mqtts` (TLS, 8883),
/// `ws` (WebSocket, 80) or `wss` (WebSocket over TLS, 443). Without a scheme it is `mqtt`. Only WebSockets have a path; it
/// is `/mqtt` unless it is given. User and password are percent-encoded.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// How the broker is spoken to.
    pub scheme: Scheme,
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
    /// Begins with `/`; of WebSockets only.
    pub path: String,
    /// Who the address says we are.
    pub user: Option<String>,
    /// And what proves it.
    pub password: Option<String>,
}

/// What carries the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// TCP.
    Mqtt,
    /// TLS over TCP.
    Mqtts,
    /// A WebSocket.
    Ws,
    /// A WebSocket over TLS.
    Wss,
}

/// Why a text is no broker's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Not one of the four.
    Scheme(String),
    /// There is no host, or it is cut off.
    Host,
    /// Not a number from 1 to 65535.
    Port(String),
    /// Only WebSockets have one.
    Path,
    /// A percent sign that encodes no UTF-8, or something that no address contains.
    Text,
}

impl Address {
    /// A broker that listens for MQTT over TCP.
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        let (scheme, host, path) = (Scheme::Mqtt, host.into(), String::new());
        Self { scheme, host, port, path, user: None, password: None }
    }

    /// `HOST:PORT`, an IPv6 address in brackets.
    pub fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

impl Scheme {
    /// Whether the packets are encrypted.
    pub const fn is_tls(self) -> bool {
        match self {
            Self::Mqtts | Self::Wss => true,
            Self::Mqtt | Self::Ws => false,
        }
    }

    /// Whether the packets travel in WebSocket frames.
    pub const fn is_web_socket(self) -> bool {
        match self {
            Self::Ws | Self::Wss => true,
            Self::Mqtt | Self::Mqtts => false,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Mqtt => "mqtt",
            Self::Mqtts => "mqtts",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Mqtt => 1883,
            Self::Mqtts => 8883,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }
}

impl FromStr for Scheme {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let all = [Self::Mqtt, Self::Mqtts, Self::Ws, Self::Wss];
        let found = all.into_iter().find(|scheme| text.eq_ignore_ascii_case(scheme.as_str()));
        // The older name of `mqtt`, which other programs take.
        let found = found.or_else(|| text.eq_ignore_ascii_case("tcp").then_some(Self::Mqtt));
        found.ok_or_else(|| AddressError::Scheme(text.to_owned()))
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.parse()?, rest),
            None => (Scheme::Mqtt, text),
        };
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let (identity, place) = match authority.rsplit_once('@') {
            Some((identity, place)) => (Some(identity), place),
            None => (None, authority),
        };
        let (host, port) = host_and_port(place)?;
        let (user, password) = match identity.map(|identity| identity.split_once(':').ok_or(identity)) {
            Some(Ok((user, password))) => (Some(decoded(user)?), Some(decoded(password)?)),
            Some(Err(user)) => (Some(decoded(user)?), None),
            None => (None, None),
        };
        let path = match (scheme.is_web_socket(), path) {
            (true, "" | "/") => "/mqtt",
            (true, path) if path.bytes().all(|byte| byte.is_ascii_graphic()) => path,
            (true, _) => return Err(AddressError::Text),
            (false, "" | "/") => "",
            (false, _) => return Err(AddressError::Path),
        };
        let port = port.unwrap_or(scheme.default_port());
        Ok(Self { scheme, host: host.to_owned(), port, path: path.to_owned(), user, password })
    }
}

fn host_and_port(place: &str) -> Result<(&str, Option<u16>), AddressError> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or(AddressError::Host)?;
            let port = match after.strip_prefix(':') {
                Some(port) => Some(port),
                None if after.is_empty() => None,
                None => return Err(AddressError::Host),
            };
            (host, port)
        }
        // More than one colon is an IPv6 address without its brackets, and then there is no port.
        None => match place.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (place, None),
        },
    };
    if host.is_empty() || !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:%".contains(&byte)) {
        return Err(AddressError::Host);
    }
    let number = |port: &str| port.parse().ok().filter(|&port| port > 0);
    match port {
        Some(port) => {
            number(port).map(Some).ok_or_else(|| AddressError::Port(port.to_owned())).map(|port| (host, port))
        }
        None => Ok((host, None)),
    }
}

fn decoded(text: &str) -> Result<String, AddressError> {
    Ok(percent_decode_str(text).decode_utf8().map_err(|_| AddressError::Text)?.into_owned())
}

/// Without user and password, so that it may be logged.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.as_str(), self.authority(), self.path)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme(scheme) => write!(f, "{scheme:?} is not one of mqtt, mqtts, ws and wss"),
            Self::Host => f.write_str("the host is missing or not a name or address; write mqtt://HOST:PORT"),
            Self::Port(port) => write!(f, "{port:?} is not a port, a number from 1 to 65535"),
            Self::Path => f.write_str("only ws:// and wss:// addresses have a path"),
            Self::Text => f.write_str("it contains something that no address contains"),
        }
    }
}

impl std::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(text.parse::<Address>().unwrap().to_string(), expected, "{text}");
    }

    fn refused(text: &str, expected: AddressError) {
        assert_eq!(text.parse::<Address>().unwrap_err(), expected, "{text}");
    }

    #[test]
    fn what_is_left_out_is_filled_in() {
        check("house.local", "mqtt://house.local:1883");
        check("192.168.1.10:1884", "mqtt://192.168.1.10:1884");
        check("mqtt://house/", "mqtt://house:1883");
        check("tcp://house", "mqtt://house:1883");
        check("mqtts://house", "mqtts://house:8883");
        check("ws://house:8080", "ws://house:8080/mqtt");
        check("WSS://house/some/path?x=1", "wss://house:443/some/path?x=1");
        check("[::1]", "mqtt://[::1]:1883");
        check("::1", "mqtt://[::1]:1883");
        check("ws://[fe80::1%eth0]:9001/", "ws://[fe80::1%eth0]:9001/mqtt");
    }

    #[test]
    fn user_and_password_are_decoded_and_never_shown() {
        let address: Address = "mqtt://ann:p%40ss%3Aword@house".parse().unwrap();
        assert_eq!((address.user.as_deref(), address.password.as_deref()), (Some("ann"), Some("p@ss:word")));
        assert_eq!(format!("{address} {address:?}"), "mqtt://house:1883 mqtt://house:1883");
        let address: Address = "mqtt://ann@house:1".parse().unwrap();
        assert_eq!((address.user.as_deref(), address.password), (Some("ann"), None));
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_reason() {
        refused("http://house", AddressError::Scheme("http".into()));
        refused("", AddressError::Host);
        refused("mqtt://:1883", AddressError::Host);
        refused("mqtt://[::1", AddressError::Host);
        refused("mqtt://[::1]x", AddressError::Host);
        refused("mqtt://a b", AddressError::Host);
        refused("house:0", AddressError::Port("0".into()));
        refused("house:65536", AddressError::Port("65536".into()));
        refused("house:", AddressError::Port(String::new()));
        refused("mqtt://house/topic", AddressError::Path);
        refused("ws://house/a b", AddressError::Text);
        refused("mqtt://%ff@house", AddressError::Text);
    }
}
