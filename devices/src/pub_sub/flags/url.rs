//! `-L`: everything about a broker in one argument.
//!
//! `mqtt://` and `mqtts://` end with the topic. `ws://` and `wss://`, which Mosquitto's programs do not have, end with the
//! path of the WebSocket, and the topic comes with `-t`.

use super::Mistake;
use crate::connection::{Address, Scheme};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) scheme: Scheme,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) path: String,
    pub(super) user_name: Option<String>,
    pub(super) password: Option<String>,
    pub(super) topic: Option<String>,
}

impl Url {
    pub(super) fn parse(text: &str) -> Result<Self, Mistake> {
        let (scheme, rest) = text.split_once("://").ok_or_else(unsupported)?;
        match scheme {
            "mqtt" | "mqtts" => Self::with_topic(text, rest),
            "ws" | "wss" => {
                let address: Address = text.parse().map_err(|error| {
                    Mistake::said(format!("Invalid URL for -L argument specified - {error}."))
                })?;
                Ok(Self::at(address, None))
            }
            _ => Err(unsupported()),
        }
    }

    fn with_topic(text: &str, rest: &str) -> Result<Self, Mistake> {
        let missing = || Mistake::said("Invalid URL for -L argument specified - topic missing.");
        let (authority, topic) = rest.split_once('/').ok_or_else(missing)?;
        let place = &text[..text.len() - rest.len() + authority.len()];
        let address: Address = place
            .parse()
            .map_err(|error| Mistake::said(format!("Invalid URL for -L argument specified - {error}.")))?;
        Ok(Self::at(address, Some(topic.to_owned())))
    }

    fn at(address: Address, topic: Option<String>) -> Self {
        let Address { scheme, host, port, path, user, password } = address;
        Self { scheme, host, port: Some(port), path, user_name: user, password, topic }
    }
}

fn unsupported() -> Mistake {
    Mistake::said("unsupported URL scheme.")
}
