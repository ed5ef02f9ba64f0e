//! The topics of a light. Nothing else in Luxwire spells them.
//!
//! `lights/ID/intensity` carries the level, `lights/ID/availability` whether the lamp is there, and
//! `dimmers/ID/availability` whether a dimmer is; all are retained.

use crate::mqtt::{QoS, Subscribable, SubscribeFilter, Text, TextError, TopicFilter, TopicName};
use alloc::{format, string::String};
use core::fmt;

/// What names a light: one topic level of 1 to 64 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LightId(Text);

/// Why a text is no [`LightId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LightIdError {
    /// No character at all, or nothing that could stand in an identifier.
    Empty,
    /// More than 64 characters.
    TooLong,
    /// Contains `/`, `+` or `#`, which mean something in a topic.
    Reserved(char),
    /// No MQTT string.
    Text(TextError),
}

/// A topic that speaks of a light.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LightTopic {
    /// How bright it is.
    Intensity(LightId),
    /// Whether it can be reached.
    Availability(LightId),
}

/// Why a topic does not speak of a light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotALight {
    /// It is about something else.
    OtherTopic,
    /// It would be a light's if its second level were an identifier.
    Id(LightIdError),
}

/// Payload of the availability topic: the lamp is there.
pub const ONLINE: &str = "online";
/// Payload of the availability topic, and a lamp's will: the lamp is gone.
pub const OFFLINE: &str = "offline";

const LIGHTS: &str = "lights";
const DIMMERS: &str = "dimmers";
const INTENSITY: &str = "intensity";
const AVAILABILITY: &str = "availability";

/// Where a dimmer that is no lamp says whether it is there: `dimmers/ID/availability`, with the words of a lamp. The
/// light's own availability belongs to the lamp, which may shine while its dimmer's battery is empty.
pub fn dimmer_availability(id: &LightId) -> TopicName {
    let name = format!("{DIMMERS}/{id}/{AVAILABILITY}");
    TopicName::try_from(name.as_str())
        .expect("an identifier holds neither wildcards nor U+0000, and is short")
}

/// What to subscribe to in order to follow every light: levels and availabilities.
pub fn every_light() -> [SubscribeFilter; 2] {
    [INTENSITY, AVAILABILITY].map(|subject| {
        let filter = format!("{LIGHTS}/+/{subject}");
        subscribe(TopicFilter::try_from(filter.as_str()).expect("a + that fills its level"))
    })
}

impl LightTopic {
    /// What a topic says it is about.
    pub fn parse(topic: &str) -> Result<Self, NotALight> {
        let rest = topic.strip_prefix(LIGHTS).and_then(|rest| rest.strip_prefix('/'));
        let (id, subject) = rest.and_then(|rest| rest.split_once('/')).ok_or(NotALight::OtherTopic)?;
        let kind = match subject {
            INTENSITY => Self::Intensity,
            AVAILABILITY => Self::Availability,
            _ => return Err(NotALight::OtherTopic),
        };
        LightId::try_from(id).map(kind).map_err(NotALight::Id)
    }

    /// The topic's name.
    pub fn name(&self) -> TopicName {
        let (id, subject) = match self {
            Self::Intensity(id) => (id, INTENSITY),
            Self::Availability(id) => (id, AVAILABILITY),
        };
        let name = format!("{LIGHTS}/{id}/{subject}");
        TopicName::try_from(name.as_str())
            .expect("an identifier holds neither wildcards nor U+0000, and is short")
    }

    /// What to subscribe to in order to follow this topic alone.
    pub fn subscription(&self) -> SubscribeFilter {
        let name = self.name();
        subscribe(
            TopicFilter::try_from(name.as_str()).expect("a light's topic is a filter without wildcards"),
        )
    }
}

/// QoS 1: a follower that misses the last value would show a wrong one until the next.
fn subscribe(filter: TopicFilter) -> SubscribeFilter {
    SubscribeFilter::new(Subscribable::own(filter), QoS::AtLeastOnce)
}

impl LightId {
    /// The longest identifier, in characters.
    pub const LEN_MAX: usize = 64;

    /// The identifier as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The identifier for a light that a person calls `name`: lower case, words joined by `-`.
    pub fn from_name(name: &str) -> Result<Self, LightIdError> {
        let mut id = String::new();
        for word in words(name, |char| !char.is_alphanumeric()) {
            if !id.is_empty() {
                id.push('-');
            }
            id.extend(word.chars().flat_map(char::to_lowercase));
        }
        Self::try_from(id.as_str())
    }

    /// What a person would call the light: `living-room_lamp` is the "Living room lamp".
    pub fn display_name(&self) -> String {
        let mut name = String::new();
        let separates =
            |char: char| matches!(char, '-' | '_' | '.') || char.is_whitespace() || char.is_control();
        for word in words(&self.0, separates) {
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(word);
        }
        let mut chars = name.chars();
        match chars.next() {
            None => String::from(self.as_str()),
            Some(first) => first.to_uppercase().chain(chars).collect(),
        }
    }
}

fn words(text: &str, separates: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    text.split(separates).filter(|word| !word.is_empty())
}

impl TryFrom<&str> for LightId {
    type Error = LightIdError;

    fn try_from(id: &str) -> Result<Self, LightIdError> {
        if id.is_empty() {
            return Err(LightIdError::Empty);
        }
        if id.chars().nth(Self::LEN_MAX).is_some() {
            return Err(LightIdError::TooLong);
        }
        if let Some(reserved) = id.chars().find(|char| matches!(char, '/' | '+' | '#')) {
            return Err(LightIdError::Reserved(reserved));
        }
        Text::try_from(id).map(Self).map_err(LightIdError::Text)
    }
}

impl fmt::Debug for LightId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for LightId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for LightIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a light's identifier needs at least one character"),
            Self::TooLong => write!(f, "a light's identifier has at most {} characters", LightId::LEN_MAX),
            Self::Reserved(char) => write!(f, "a light's identifier must not contain {char}"),
            Self::Text(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for LightIdError {}
