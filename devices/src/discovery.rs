//! How a light tells Home Assistant that it exists: MQTT discovery messages.
//!
//! A light publishes a retained configuration at `PREFIX/light/OBJECT/config`, and whoever reads such messages (Home
//! Assistant, openHAB) shows the light unasked. It is published again when Home Assistant says at `PREFIX/status` that it
//! has started; an empty payload takes it back. This module knows topics and payloads; it sends nothing.

use luxwire_shared::{
    client::Message,
    model::{LightId, LightTopic, topics},
    mqtt::{QoS, Subscribable, SubscribeFilter, TopicFilter, TopicName},
};
use serde_json::{Value, json};
use std::{fmt, fmt::Write as _, str::FromStr};

/// The flags of every device that announces itself.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Home Assistant")]
pub struct DiscoveryArgs {
    /// Where Home Assistant looks for announcements, as set there
    #[arg(long, value_name = "TOPIC", default_value_t)]
    pub discovery_prefix: Prefix,

    /// Publish no announcement
    #[arg(long)]
    pub no_discovery: bool,
}

/// The first levels of all discovery topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

/// Why a text is no [`Prefix`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixError;

/// What announces one light, or takes the announcement back.
#[derive(Clone, Debug, PartialEq)]
pub struct Discovery {
    topic: TopicName,
    config: Value,
}

impl DiscoveryArgs {
    /// The prefix, unless nothing is to be announced.
    pub fn prefix(&self) -> Option<&Prefix> {
        (!self.no_discovery).then_some(&self.discovery_prefix)
    }
}

impl Prefix {
    /// Where Home Assistant says `online` when it has started, and `offline` before it ends.
    pub fn status(&self) -> TopicName {
        self.topic("status")
    }

    /// What to subscribe to in order to hear that Home Assistant has started.
    pub fn status_subscription(&self) -> SubscribeFilter {
        let filter = TopicFilter::try_from(&*self.status()).expect("a topic's name is a filter");
        SubscribeFilter::new(Subscribable::own(filter), QoS::AtLeastOnce)
    }

    /// Whether this message says that Home Assistant has started. A retained one is old: it heard us already.
    pub fn has_started(&self, message: &Message) -> bool {
        *message.topic == *self.status() && message.payload == "online" && !message.retain
    }

    fn topic(&self, rest: &str) -> TopicName {
        let name = format!("{}/{rest}", self.0);
        TopicName::try_from(name.as_str()).expect("a short name without wildcards before a short one")
    }
}

impl Discovery {
    /// Announces the light that calls itself `object` there, with this configuration. `object` comes from [`object_id`].
    pub fn light(prefix: &Prefix, object: &str, config: Value) -> Self {
        Self { topic: prefix.topic(&format!("light/{object}/config")), config }
    }

    /// Announces a light that follows `lights/ID/intensity` and knows nothing but percent. People read `name`.
    ///
    /// Home Assistant's basic schema fits: it publishes to the intensity's own topic, retained, so that every other
    /// client follows it, too. To switch on, it repeats the level of before. It has no `ON` to say: `payload_on` exists
    /// for its comparison with the state, and is a percentage for readers that publish it nevertheless.
    pub fn percent_light(prefix: &Prefix, id: &LightId, name: &str) -> Self {
        let object = object_id(id);
        let intensity = LightTopic::Intensity(id.clone()).name();
        let config = json!({
            "name": null, // The entity is the device's only one, and is called like it.
            "unique_id": object,
            "schema": "basic",
            "command_topic": &*intensity,
            "state_topic": &*intensity,
            "state_value_template": format!("{{% if value is match('{OFF}') %}}0{{% elif {IS_PERCENT} %}}100{{% endif %}}"),
            "payload_on": "100",
            "payload_off": "0",
            "on_command_type": "brightness",
            "brightness_command_topic": &*intensity,
            "brightness_state_topic": &*intensity,
            // Home Assistant shows whole steps: what shines below the first is on the first, not on none.
            "brightness_value_template":
                format!("{{% if {IS_PERCENT} and value | float > 0 %}}{{{{ [value | float, 1] | max }}}}{{% endif %}}"),
            "brightness_scale": 100,
            "availability_topic": &*LightTopic::Availability(id.clone()).name(),
            "payload_available": topics::ONLINE,
            "payload_not_available": topics::OFFLINE,
            "qos": 1,
            "retain": true,
            "device": {
                "identifiers": [object],
                "name": name,
                "manufacturer": "Luxwire",
                "model": "Lamp",
                "sw_version": env!("CARGO_PKG_VERSION"),
            },
            "origin": origin(),
        });
        Self::light(prefix, &object, config)
    }

    /// Where it is announced.
    pub fn topic(&self) -> &TopicName {
        &self.topic
    }

    /// What Home Assistant is told.
    pub fn config(&self) -> &Value {
        &self.config
    }

    /// Says that the light exists.
    pub fn announcement(&self) -> Message {
        Message::retained(self.topic.clone(), self.config.to_string(), QoS::AtLeastOnce)
    }

    /// Takes the light from Home Assistant.
    pub fn withdrawal(&self) -> Message {
        Message::retained(self.topic.clone(), "", QoS::AtLeastOnce)
    }
}

/// Who made an announcement, as every configuration says it under `origin`.
pub fn origin() -> Value {
    json!({ "name": "Luxwire", "sw_version": env!("CARGO_PKG_VERSION") })
}

/// What Home Assistant calls a light, in the topic and as `unique_id`: `luxwire_` and the light's identifier.
///
/// Only ASCII letters, digits, `_` and `-` may stand there. So `_` becomes `__`, and every other byte (of UTF-8) `_` and
/// two hexadecimal digits: `Küche 1` is `luxwire_K_c3_bcche_201`. Different lights never share a name.
pub fn object_id(id: &LightId) -> String {
    let mut object = String::from("luxwire_");
    for byte in id.as_str().bytes() {
        match byte {
            b'_' => object.push_str("__"),
            byte if byte.is_ascii_alphanumeric() || byte == b'-' => object.push(byte.into()),
            byte => {
                // Writing to a string cannot fail.
                let _ = write!(object, "_{byte:02x}");
            }
        }
    }
    object
}

/// Zero, as an intensity may be written.
const OFF: &str = "0{1,3}([.]0{1,2})?$";

/// An expression of Home Assistant's templates: the payload is an intensity. What is none changes nothing there either.
const IS_PERCENT: &str = "value is match('[0-9]{1,3}([.][0-9]{1,2})?$') and value | float <= 100";

/// The longest prefix, in bytes: far more than anybody sets, and the topics stay far below what MQTT allows.
const PREFIX_LEN_MAX: usize = 1_024;

impl Default for Prefix {
    fn default() -> Self {
        Self("homeassistant".to_owned())
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let is_topic = text.len() <= PREFIX_LEN_MAX && TopicName::try_from(text).is_ok();
        if is_topic && !text.ends_with('/') { Ok(Self(text.to_owned())) } else { Err(PrefixError) }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PrefixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a topic such as homeassistant, without + and # and without a / at its end")
    }
}

impl std::error::Error for PrefixError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn id(id: &str) -> LightId {
        LightId::try_from(id).unwrap()
    }

    #[test]
    fn every_light_has_a_name_of_its_own_in_the_allowed_characters() {
        let ids = [
            "desk", "Desk", "de_sk", "de__sk", "de-sk", "de sk", "de.sk", "Küche 1", "de_20sk", "灯", "%",
            "_",
        ];
        let objects: BTreeSet<_> = ids.iter().map(|text| object_id(&id(text))).collect();
        assert_eq!(objects.len(), ids.len(), "{objects:?}");
        for object in &objects {
            assert!(object.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'));
        }
        assert_eq!(object_id(&id("Küche 1")), "luxwire_K_c3_bcche_201");
        assert_eq!(object_id(&id("living_room")), "luxwire_living__room");
    }

    #[test]
    fn a_percent_light_is_commanded_where_everybody_follows() {
        let lamp = Discovery::percent_light(&Prefix::default(), &id("living room"), "Living room");
        assert_eq!(&**lamp.topic(), "homeassistant/light/luxwire_living_20room/config");
        let config = lamp.config();
        for topic in ["command_topic", "state_topic", "brightness_command_topic", "brightness_state_topic"] {
            assert_eq!(config[topic], "lights/living room/intensity", "{topic}");
        }
        assert_eq!(config["availability_topic"], "lights/living room/availability");
        assert_eq!(config["device"]["name"], "Living room");
        let announcement = lamp.announcement();
        assert!(announcement.retain);
        assert_eq!(serde_json::from_slice::<Value>(&announcement.payload).unwrap(), *config);
        assert_eq!(lamp.withdrawal(), Message { payload: "".into(), ..announcement });
    }

    #[test]
    fn home_assistant_is_heard_when_it_starts() {
        let prefix: Prefix = "home/ha".parse().unwrap();
        let message = |topic: &str, payload: &'static str| {
            Message::new(TopicName::try_from(topic).unwrap(), payload, QoS::AtMostOnce)
        };
        assert!(prefix.has_started(&message("home/ha/status", "online")));
        assert!(!prefix.has_started(&message("home/ha/status", "offline")));
        assert!(!prefix.has_started(&message("homeassistant/status", "online")));
        let old = Message { retain: true, ..message("home/ha/status", "online") };
        assert!(!prefix.has_started(&old));
    }

    #[test]
    fn a_prefix_is_a_topic() {
        for bad in ["", "a/+", "#", "homeassistant/", "\0"] {
            assert_eq!(bad.parse::<Prefix>(), Err(PrefixError), "{bad:?}");
        }
        assert!("x".repeat(PREFIX_LEN_MAX).parse::<Prefix>().is_ok());
        assert!("x".repeat(PREFIX_LEN_MAX + 1).parse::<Prefix>().is_err());
    }
}
