//! What the service says about itself over MQTT, and what may be asked of it: that is how a page pairs a hub.
//!
//! Requests are bounded and strict. Nothing that they can ask for reaches further than two questions to a host.

use super::{discovery::Found, host::Host, limits::REQUEST_MAX, protocol::hub_id};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The retained payload at `luxwire/hue/SERVICE/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Status {
    pub(super) state: &'static str,
    pub(super) hubs: Vec<HubStatus>,
    pub(super) search: Search,
    pub(super) pairing: Option<Pairing>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct HubStatus {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) host: String,
    pub(super) state: HubState,
    pub(super) lights: usize,
    pub(super) rooms: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HubState {
    Connecting,
    Connected,
    Unreachable,
    NotAuthorized,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Search {
    pub(super) state: SearchState,
    pub(super) found: Vec<Found>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SearchState {
    Idle,
    Searching,
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Pairing {
    pub(super) host: String,
    pub(super) state: PairingState,
    pub(super) message: String,
    pub(super) seconds_left: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PairingState {
    PressButton,
    Failed,
    Paired,
}

/// What is published when the service ends, or is lost.
pub(super) const OFFLINE: &str = r#"{"state":"offline"}"#;

impl Status {
    pub(super) fn to_payload(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers")
    }
}

impl Pairing {
    pub(super) fn press_button(host: &Host, left: Duration) -> Self {
        Self {
            host: host.to_string(),
            state: PairingState::PressButton,
            message: "Press the round button on the hub.".to_owned(),
            seconds_left: left.as_secs_f64().ceil() as u64,
        }
    }
}

/// What is asked at `luxwire/hue/SERVICE/request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Search,
    Pair(Host),
    Forget(String),
    Cancel,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
enum Asked {
    Search(True),
    Cancel(True),
    Pair(PairAsked),
    Forget(ForgetAsked),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PairAsked {
    host: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForgetAsked {
    id: String,
}

/// `true`, and nothing else.
#[derive(Deserialize)]
#[serde(try_from = "bool")]
struct True;

impl TryFrom<bool> for True {
    type Error = &'static str;

    fn try_from(value: bool) -> Result<Self, Self::Error> {
        value.then_some(Self).ok_or("must be true")
    }
}

impl Request {
    /// An error says in words what is wrong.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, String> {
        if payload.len() > REQUEST_MAX {
            return Err("it is too long".to_owned());
        }
        match serde_json::from_slice(payload).map_err(|error| error.to_string())? {
            Asked::Search(True) => Ok(Self::Search),
            Asked::Cancel(True) => Ok(Self::Cancel),
            Asked::Pair(PairAsked { host }) => {
                host.parse().map(Self::Pair).map_err(|error| format!("{error}"))
            }
            Asked::Forget(ForgetAsked { id }) => {
                hub_id(&id).map(Self::Forget).ok_or_else(|| "there is no such hub".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_understood_or_refused() {
        let parse = |text: &str| Request::parse(text.as_bytes());
        assert_eq!(parse(r#"{"search":true}"#), Ok(Request::Search));
        assert_eq!(parse(r#"{"cancel":true}"#), Ok(Request::Cancel));
        let host = "192.168.1.20".parse().unwrap();
        assert_eq!(parse(r#"{"pair":{"host":"192.168.1.20"}}"#), Ok(Request::Pair(host)));
        let forget = Request::Forget("001788fffe123456".to_owned());
        assert_eq!(parse(r#"{"forget":{"id":"001788FFFE123456"}}"#), Ok(forget));
        for bad in [
            "",
            "{}",
            "true",
            r#"{"search":false}"#,
            r#"{"search":true,"cancel":true}"#,
            r#"{"pair":{"host":"http://evil/"}}"#,
            r#"{"pair":{"host":"x","port":1}}"#,
            r#"{"pair":{}}"#,
            r#"{"forget":{"id":"+/#"}}"#,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(Request::parse(&vec![b' '; REQUEST_MAX + 1]).is_err());
    }

    #[test]
    fn a_status_has_the_agreed_form() {
        let host = "192.168.1.20".parse().unwrap();
        let status = Status {
            state: "online",
            hubs: vec![HubStatus {
                id: "a".to_owned(),
                name: "n".to_owned(),
                host: "h".to_owned(),
                state: HubState::NotAuthorized,
                lights: 7,
                rooms: 2,
                message: None,
            }],
            search: Search { state: SearchState::Idle, found: Vec::new() },
            pairing: Some(Pairing::press_button(&host, Duration::from_millis(24_100))),
        };
        let expected = concat!(
            r#"{"state":"online","hubs":[{"id":"a","name":"n","host":"h","state":"not_authorized","lights":7,"rooms":2}],"#,
            r#""search":{"state":"idle","found":[]},"pairing":{"host":"192.168.1.20","state":"press_button","#,
            r#""message":"Press the round button on the hub.","seconds_left":25}}"#
        );
        assert_eq!(String::from_utf8(status.to_payload()).unwrap(), expected);
    }
}
