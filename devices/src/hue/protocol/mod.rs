//! What hubs and we say to each other, as text: JSON of both versions of the API, its errors, and the event stream.
//!
//! Pure functions from bytes to meaning and back. Hubs, and what calls itself one, differ a lot: reading is lenient,
//! everything unknown is skipped, and nothing unusual is worse than an absent value. Writing is strict.

pub(super) mod fault;
pub(super) mod sse;
pub(super) mod v1;
pub(super) mod v2;

use super::limits::NAME_MAX;
use serde_json::Value;

/// Who a host says it is, from `GET /api/config`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// Sixteen hexadecimal digits, lower case.
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) software: Option<String>,
    pub(super) model: Option<String>,
}

impl Identity {
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let Value::Object(config) = serde_json::from_slice(body).ok()? else { return None };
        let text = |key: &str| config.get(key).and_then(Value::as_str);
        let id = text("bridgeid").and_then(hub_id).or_else(|| text("mac").and_then(hub_id_of_mac));
        let known = id.is_some() || text("name").is_some() || text("swversion").is_some();
        known.then(|| Self {
            id,
            name: text("name").map(name),
            software: text("swversion").map(name),
            model: text("modelid").map(name),
        })
    }
}

/// A hub's identifier in its one spelling, or nothing if it cannot stand in a topic.
pub(super) fn hub_id(text: &str) -> Option<String> {
    let is_good = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_good.then(|| text.to_ascii_lowercase())
}

/// Old hubs and simulators say only their hardware address, which the identifier is made of.
fn hub_id_of_mac(mac: &str) -> Option<String> {
    let digits: String = mac.chars().filter(|char| *char != ':').collect();
    let is_mac = digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_mac.then(|| format!("{}fffe{}", &digits[..6], &digits[6..]).to_ascii_lowercase())
}

/// A name as it may be shown and logged: of bounded length, without control characters.
fn name(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(NAME_MAX).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_is_known_by_its_id_or_its_hardware_address() {
        let id = |body: &str| Identity::parse(body.as_bytes()).unwrap().id;
        assert_eq!(id(r#"{"bridgeid":"001788FFFE123456"}"#).unwrap(), "001788fffe123456");
        assert_eq!(id(r#"{"mac":"00:17:88:12:34:56","name":"x"}"#).unwrap(), "001788fffe123456");
        assert_eq!(id(r#"{"name":"x","bridgeid":"../#"}"#), None);
        assert_eq!(Identity::parse(b"<html>"), None);
        assert_eq!(Identity::parse(b"{}"), None);
    }
}
