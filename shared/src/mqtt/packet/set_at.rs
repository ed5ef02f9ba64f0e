//! When a value was set: an extension that a client asks for, since MQTT itself does not carry it.
//!
//! A 5.0 client that has the user property [`NAME`] with the value [`WANTED`] in its CONNECT finds the same property in CONNACK,
//! with what the server's clock shows, and as the last user property of each PUBLISH, with the time at which the server took
//! the message: milliseconds since 1970-01-01T00:00:00Z in decimal. Other servers are not disturbed by it, since the standard
//! gives user properties of a CONNECT no meaning (5.0, 3.1.2.11.8).

use crate::{
    mqtt::{EncodeError, Property, Text, UserProperties, sink::Sink},
    time::Timestamp,
};
use alloc::string::ToString;

/// The name of the user property.
pub const NAME: &str = "luxwire-set-at-ms";

/// Its value in a CONNECT that asks for it.
pub const WANTED: &str = "1";

/// The pair with which a CONNECT asks for it.
pub const fn request() -> (Text, Text) {
    (Text::from_static(NAME), Text::from_static(WANTED))
}

/// Whether the user properties of a CONNECT ask for it.
pub fn is_wanted(properties: &UserProperties) -> bool {
    properties.iter().any(|(name, value)| name.as_str() == NAME && value.as_str() == WANTED)
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
