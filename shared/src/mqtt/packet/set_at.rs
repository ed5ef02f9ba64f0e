//! When a value was set: an extension that a client asks for, since MQTT itself does not carry it.
//!
//! A 5.0 client that has the user property [`NAME`] in its CONNECT, with a value that says with which messages it wants to know,
//! finds the same property in CONNACK, with what the server's clock shows, and as the last user property of these messages,
//! with the time at which the server took each: milliseconds since 1970-01-01T00:00:00Z in decimal. Other servers are not disturbed by it, since the standard
//! gives user properties of a CONNECT no meaning (5.0, 3.1.2.11.8).

use crate::{
    mqtt::{EncodeError, Property, Text, UserProperties, sink::Sink},
    time::Timestamp,
};
use alloc::string::ToString;

/// The name of the user property.
pub const NAME: &str = "luxwire-set-at-ms";

/// With which messages a client wants to know when they were set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Those that come with the RETAIN flag; of any other, it is enough for the client that it comes.
    Retained,
    /// All.
    Always,
}

impl Asked {
    const fn value(self) -> &'static str {
        match self {
            Self::Retained => "retained",
            Self::Always => "1",
        }
    }
}

/// The pair with which a CONNECT asks.
pub const fn request(asked: Asked) -> (Text, Text) {
    (Text::from_static(NAME), Text::from_static(asked.value()))
}

/// What the user properties of a CONNECT ask for: the most, if they ask more than once.
pub fn asked(properties: &UserProperties) -> Option<Asked> {
    [Asked::Always, Asked::Retained].into_iter().find(|asked| {
        properties.iter().any(|(name, value)| name.as_str() == NAME && value.as_str() == asked.value())
    })
}

/// The pair that a CONNACK answers with: what the server's clock shows.
pub fn answer(now: Timestamp) -> (Text, Text) {
    let millis = now.unix_millis().to_string();
    (Text::from_static(NAME), Text::try_from(millis.as_str()).expect("digits"))
}

/// The time in the user properties of a CONNACK or a PUBLISH. Whatever a publisher wrote under that name stands before the
/// server's own, which is the last.
pub fn read(properties: &UserProperties) -> Option<Timestamp> {
    let (name, millis) = properties.last()?;
    let is_number = name.as_str() == NAME && millis.as_str().bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| millis.as_str().parse().ok().map(Timestamp::from_unix_millis))?
}

/// Writes the property of a PUBLISH.
pub(super) fn write(at: Timestamp, sink: &mut impl Sink) -> Result<(), EncodeError> {
    sink.u8(Property::UserProperty.number());
    sink.binary(NAME.as_bytes())?;
    sink.binary(at.unix_millis().to_string().as_bytes())
}
