//! What went wrong at a hub, in a form that decides what is done about it, with words for people.

use super::name;
use serde_json::Value;
use std::{fmt, time::Duration};

/// Why a hub did not do what it was told, or did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not know our key, or knows it no more.
    NotAuthorized,
    /// The link button was not pressed within the last half minute.
    ButtonNotPressed,
    /// The light is off, and only a light that is on can be changed.
    DeviceOff,
    /// There is no such light or room.
    Gone,
    /// It is asked for too much; some say for how long to leave it alone.
    Busy(Option<Duration>),
    /// It understood, and will not do it: trying again is of no use.
    Refused(String),
    /// It is there and works badly.
    Broken(String),
    /// It is not there, or does not answer.
    Absent(String),
    /// Its certificate is not the one that was learnt when it was paired.
    Impostor(String),
}

impl Fault {
    /// What an error of API v1 means; the type may be a number or a text.
    pub(super) fn of_error(error: &Value) -> Self {
        let description = error.get("description").and_then(Value::as_str).map(name).unwrap_or_default();
        let kind = match error.get("type") {
            Some(Value::Number(number)) => number.as_i64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            _ => None,
        };
        let said = |words: &str| match description.as_str() {
            "" => words.to_owned(),
            description => format!("{words} ({description})"),
        };
        match kind {
            Some(1) => Self::NotAuthorized,
            Some(3) => Self::Gone,
            Some(101) => Self::ButtonNotPressed,
            Some(201) => Self::DeviceOff,
            Some(901) => Self::Busy(None),
            Some(2) => Self::Refused(said("it could not read the command")),
            Some(4) => Self::Refused(said("it does not allow this here")),
            Some(5) => Self::Refused(said("it misses a parameter")),
            Some(6) => Self::Refused(said("it does not have this parameter")),
            Some(7) => Self::Refused(said("it does not take this value")),
            Some(8) => Self::Refused(said("this cannot be changed")),
            Some(other) => Self::Refused(said(&format!("error {other}"))),
            None => Self::Refused(said("an error without a type")),
        }
    }

    /// What an answer's status means where its body says nothing; `None` if it is no failure.
    pub(crate) fn of_status(status: u16, retry_after: Option<Duration>) -> Option<Self> {
        match status {
            200..300 => None,
            401 | 403 => Some(Self::NotAuthorized),
            404 | 410 => Some(Self::Gone),
            429 | 503 => Some(Self::Busy(retry_after)),
            400..500 => Some(Self::Refused(format!("it answers with HTTP status {status}"))),
            _ => Some(Self::Broken(format!("it answers with HTTP status {status}"))),
        }
    }

    /// The one of two that must be acted upon first.
    pub(super) fn worse(self, other: Self) -> Self {
        if other.weight() > self.weight() { other } else { self }
    }

    fn weight(&self) -> u8 {
        match self {
            Self::Impostor(_) => 8,
            Self::NotAuthorized => 7,
            Self::ButtonNotPressed => 6,
            Self::Busy(_) => 5,
            Self::Gone => 4,
            Self::DeviceOff => 3,
            Self::Refused(_) => 2,
            Self::Broken(_) => 1,
            Self::Absent(_) => 0,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAuthorized => f.write_str("the hub does not know Luxwire; pair it again"),
            Self::ButtonNotPressed => f.write_str("the button on the hub was not pressed"),
            Self::DeviceOff => f.write_str("the light is off"),
            Self::Gone => f.write_str("the hub has no such light or room"),
            Self::Busy(_) => f.write_str("the hub asks for fewer commands"),
            Self::Refused(why) => write!(f, "the hub refuses: {why}"),
            Self::Broken(why) => write!(f, "the hub does not work well: {why}"),
            Self::Absent(why) => write!(f, "the hub does not answer: {why}"),
            Self::Impostor(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_type_of_an_error_may_be_a_number_or_a_text() {
        for (kind, fault) in [
            (1, Fault::NotAuthorized),
            (3, Fault::Gone),
            (101, Fault::ButtonNotPressed),
            (201, Fault::DeviceOff),
            (901, Fault::Busy(None)),
        ] {
            assert_eq!(Fault::of_error(&json!({ "type": kind })), fault);
            assert_eq!(Fault::of_error(&json!({ "type": kind.to_string() })), fault);
        }
    }

    #[test]
    fn refusals_say_what_the_hub_said() {
        let error = json!({ "type": "7", "description": "invalid value, 999, for parameter, bri" });
        let text = Fault::of_error(&error).to_string();
        assert!(text.contains("does not take this value") && text.contains("999"), "{text}");
        assert!(matches!(Fault::of_error(&json!({ "type": 6 })), Fault::Refused(_)));
        assert!(matches!(Fault::of_error(&json!("nonsense")), Fault::Refused(_)));
    }
}
