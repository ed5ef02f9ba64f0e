//! What a client is to people: its kind, what it is called, and on which side of the broker it belongs.
//!
//! The broker knows none of this: it is read off the identifier that a client gave itself and off what it does.

use luxwire_shared::model::{LightId, LightTopic};

use crate::event::Client;

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The page that shows the picture.
    ThisPage,
    /// Another page of ours, in whoever's browser.
    Page,
    /// Sets a light.
    Dimmer,
    /// Shines as its light says.
    Lamp,
    /// Speaks to the hubs of Philips Hue lights.
    HueBridge,
    /// Writes down what was.
    Recorder,
    /// A program that speaks HTTP.
    Http,
    /// One of the commands for people who type.
    Command,
    /// Anything else.
    Other,
}

/// Where somebody is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Zone {
    /// Mostly publishes: before the broker.
    Talks,
    /// Does both: beside the broker.
    Both,
    /// Mostly follows: behind the broker.
    Listens,
}

impl Zone {
    /// All of them, in the order of reading.
    pub(crate) const ALL: [Self; 3] = [Self::Talks, Self::Both, Self::Listens];
}

impl Kind {
    /// The kind of a client; `own` is what the page that shows the picture calls itself.
    pub(crate) fn of(client: &Client, own: &str) -> Self {
        let id = client.id.as_str();
        let is =
            |name: &str| id.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        match id {
            _ if id == own => Self::ThisPage,
            _ if is("luxwire-page") => Self::Page,
            _ if is("luxwire-dimmer") => Self::Dimmer,
            _ if is("luxwire-lamp") => Self::Lamp,
            _ if is("luxwire-serve-hue") || is("luxwire-hue") => Self::HueBridge,
            _ if is("luxwire-serve-record") || is("luxwire-record") => Self::Recorder,
            _ if is("luxwire-pub") || is("luxwire-sub") || is("luxwire-history") => Self::Command,
            _ if is("luxwire-http") || client.transport == "http" => Self::Http,
            _ if follows_a_light(client).is_some() => Self::Lamp,
            _ => Self::Other,
        }
    }

    /// Where a client of this kind is drawn.
    pub(crate) fn zone(self, client: &Client) -> Zone {
        match self {
            Self::ThisPage | Self::Page | Self::HueBridge => Zone::Both,
            Self::Dimmer => Zone::Talks,
            Self::Lamp | Self::Recorder => Zone::Listens,
            Self::Http | Self::Command | Self::Other => {
                let talks =
                    client.publishes.iter().any(|published| !is_about_itself(&published.topic, &client.id));
                let listens = !client.follows.is_empty();
                match (talks, listens) {
                    (true, false) => Zone::Talks,
                    (false, true) => Zone::Listens,
                    (true, true) | (false, false) => Zone::Both,
                }
            }
        }
    }

    /// The name under the pictogram, before names that are alike are told apart.
    pub(crate) fn name(self, client: &Client) -> String {
        match self {
            Self::ThisPage => "This page".into(),
            Self::Page => "Another page".into(),
            Self::Dimmer => match publishes_a_light(client).or_else(|| follows_a_light(client)) {
                Some(light) => format!("{} dimmer", light.display_name()),
                None => "Dimmer".into(),
            },
            Self::Lamp => match follows_a_light(client) {
                Some(light) => lamp_name(&light),
                None => "Lamp".into(),
            },
            Self::HueBridge => "Hue bridge".into(),
            Self::Recorder => "Recorder".into(),
            // As it was typed: "luxwire pub".
            Self::Command => client.id.split('-').take(2).collect::<Vec<_>>().join(" "),
            Self::Http if client.id.starts_with("luxwire-http") => "Program over HTTP".into(),
            Self::Http | Self::Other if client.id.is_empty() => "Nameless".into(),
            Self::Http | Self::Other => client.id.clone(),
        }
    }

    /// How the name stands within a sentence: "the Desk lamp", but "mqtt-explorer".
    pub(crate) fn in_a_sentence(self, name: &str) -> String {
        match self {
            Self::ThisPage | Self::Page => lower(name),
            Self::Dimmer | Self::Lamp | Self::Recorder if is_plain(name) => format!("the {}", lower(name)),
            // Numbered, for want of a better name.
            Self::Dimmer | Self::Lamp | Self::Recorder
                if is_plain(name.split(' ').next().unwrap_or_default()) =>
            {
                lower(name)
            }
            Self::Dimmer | Self::Lamp | Self::HueBridge | Self::Recorder => format!("the {name}"),
            Self::Http | Self::Command | Self::Other => name.into(),
        }
    }

    /// What such a client is, in a sentence.
    pub(crate) fn explanation(self) -> &'static str {
        match self {
            Self::ThisPage => "The page that you look at. Its sliders publish, and it follows every light.",
            Self::Page => "This house's page in another window or on another device.",
            Self::Dimmer => "Publishes how bright a light is to be. It needs to know no lamp.",
            Self::Lamp => "Follows a light's topic and shines as the latest value says.",
            Self::HueBridge => "Carries values to Philips Hue hubs, and what happens there back.",
            Self::Recorder => "Follows topics and writes every value down, for whoever asks what was.",
            Self::Http => "A program that speaks HTTP; the server speaks MQTT in its place.",
            Self::Command => "A command that somebody typed.",
            Self::Other => "A client that Luxwire knows only by what it does. Any MQTT client may join.",
        }
    }

    /// The plural, for many that are drawn as one.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::ThisPage | Self::Page => "pages",
            Self::Dimmer => "dimmers",
            Self::Lamp => "lamps",
            Self::HueBridge => "Hue bridges",
            Self::Recorder => "recorders",
            Self::Http => "programs over HTTP",
            Self::Command => "commands",
            Self::Other => "clients",
        }
    }
}

/// The one light whose level a client follows by name, as a lamp does: the first, if there are several.
pub(crate) fn follows_a_light(client: &Client) -> Option<LightId> {
    client.follows.iter().find_map(|filter| level_of(filter))
}

/// The light whose level a topic carries.
pub(crate) fn level_of(topic: &str) -> Option<LightId> {
    match LightTopic::parse(topic) {
        Ok(LightTopic::Intensity(light)) => Some(light),
        Ok(LightTopic::Availability(_)) | Err(_) => None,
    }
}

/// The one light whose level a client publishes.
fn publishes_a_light(client: &Client) -> Option<LightId> {
    let mut lights = client.publishes.iter().filter_map(|published| level_of(&published.topic));
    let first = lights.next()?;
    lights.all(|light| light == first).then_some(first)
}

fn is_plain(name: &str) -> bool {
    matches!(name, "Dimmer" | "Lamp" | "Recorder")
}

fn lower(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

/// "Desk lamp", but "Demo lamp" as it is.
fn lamp_name(light: &LightId) -> String {
    let name = light.display_name();
    if name.to_ascii_lowercase().contains("lamp") { name } else { format!("{name} lamp") }
}

/// What a device says of itself rather than to others.
fn is_about_itself(topic: &str, id: &str) -> bool {
    let is_discovery = topic.starts_with("homeassistant/") && topic.ends_with("/config");
    let is_status = topic.rsplit('/').next().is_some_and(|last| {
        last.eq_ignore_ascii_case("availability") || last.eq_ignore_ascii_case("lwt") || last == "status"
    });
    is_discovery || is_status || (!id.is_empty() && topic == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Published;

    fn client(id: &str, follows: &[&str], publishes: &[&str]) -> Client {
        Client {
            id: id.into(),
            follows: follows.iter().map(|filter| (*filter).into()).collect(),
            publishes: publishes
                .iter()
                .map(|topic| Published { topic: (*topic).into(), ..Published::default() })
                .collect(),
            ..Client::default()
        }
    }

    fn check(client: &Client, kind: Kind, zone: Zone, name: &str) {
        let found = Kind::of(client, "luxwire-page-1f3a");
        assert_eq!((found, found.zone(client), &*found.name(client)), (kind, zone, name), "{client:?}");
    }

    const EVERY_LEVEL: &str = "lights/+/intensity";
    const DESK: &str = "lights/Desk/intensity";

    #[test]
    fn our_own_clients_have_names_for_people() {
        check(&client("luxwire-page-1f3a", &[EVERY_LEVEL], &[DESK]), Kind::ThisPage, Zone::Both, "This page");
        check(&client("luxwire-page-99", &[EVERY_LEVEL], &[]), Kind::Page, Zone::Both, "Another page");
        check(&client("luxwire-dimmer-0a1b2c", &[], &[]), Kind::Dimmer, Zone::Talks, "Dimmer");
        check(&client("luxwire-dimmer-0a1b2c", &[], &[DESK]), Kind::Dimmer, Zone::Talks, "Desk dimmer");
        let both = client("luxwire-dimmer-0a1b2c", &[], &[DESK, "lights/Shelf/intensity"]);
        check(&both, Kind::Dimmer, Zone::Talks, "Dimmer");
        check(&client("luxwire-lamp-0a1b2c", &[], &[]), Kind::Lamp, Zone::Listens, "Lamp");
        check(&client("luxwire-lamp-0a1b2c", &[DESK], &[]), Kind::Lamp, Zone::Listens, "Desk lamp");
        let demo = client("luxwire-lamp-0a1b2c", &["lights/Demo-lamp/intensity"], &[]);
        check(&demo, Kind::Lamp, Zone::Listens, "Demo lamp");
        check(&client("luxwire-serve-hue", &["x"], &["y"]), Kind::HueBridge, Zone::Both, "Hue bridge");
        check(&client("luxwire-record", &["#"], &[]), Kind::Recorder, Zone::Listens, "Recorder");
        check(&client("luxwire-serve-record", &["#"], &["x"]), Kind::Recorder, Zone::Listens, "Recorder");
        check(&client("luxwire-sub-1", &["#"], &[]), Kind::Command, Zone::Listens, "luxwire sub");
        check(&client("luxwire-pub-1", &[], &["x"]), Kind::Command, Zone::Talks, "luxwire pub");
        check(&client("luxwire-http-1", &[], &["x"]), Kind::Http, Zone::Talks, "Program over HTTP");
    }

    #[test]
    fn others_are_what_they_do() {
        check(&client("mqttjs_77", &[DESK], &[]), Kind::Lamp, Zone::Listens, "Desk lamp");
        check(&client("explorer", &["#"], &[]), Kind::Other, Zone::Listens, "explorer");
        check(&client("thermometer", &[], &["home/temperature"]), Kind::Other, Zone::Talks, "thermometer");
        check(&client("node-red", &["#"], &["home/x"]), Kind::Other, Zone::Both, "node-red");
        check(&client("", &[], &[]), Kind::Other, Zone::Both, "Nameless");
        let over_http = Client { transport: "http".into(), ..client("my-script", &["a"], &[]) };
        check(&over_http, Kind::Http, Zone::Listens, "my-script");
    }

    #[test]
    fn what_a_device_says_of_itself_makes_it_no_talker() {
        let plug = client("plug", &["plug/set"], &["plug/availability", "homeassistant/light/plug/config"]);
        check(&plug, Kind::Other, Zone::Listens, "plug");
    }

    #[test]
    fn a_name_that_only_begins_like_one_of_ours_is_not_ours() {
        check(&client("luxwire-dimmers", &[], &[]), Kind::Other, Zone::Both, "luxwire-dimmers");
    }

    #[test]
    fn names_stand_in_sentences() {
        let check = |kind: Kind, name: &str, expected: &str| assert_eq!(kind.in_a_sentence(name), expected);
        check(Kind::ThisPage, "This page", "this page");
        check(Kind::Lamp, "Desk lamp", "the Desk lamp");
        check(Kind::Recorder, "Recorder", "the recorder");
        check(Kind::Dimmer, "Dimmer", "the dimmer");
        check(Kind::Dimmer, "Dimmer 4", "dimmer 4");
        check(Kind::Dimmer, "Desk dimmer 2", "the Desk dimmer 2");
        check(Kind::Other, "Node-RED", "Node-RED");
    }
}
