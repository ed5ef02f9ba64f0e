//! API v1: lights and groups by number, errors inside successful answers, no events.
//!
//! What simulators leave out is allowed to be absent: a list may hold names alone, and then each light is asked for.

use super::{fault::Fault, name};
use crate::hue::{
    level::{Level, Power},
    limits::RESOURCES_MAX,
    resource::{Abilities, Change, Kind, Report, Resource, Tone, Warmths, Xy},
};
use serde_json::{Map, Value, json};

/// A list of lights or groups, as far as it says something.
#[derive(Debug, Default)]
pub(crate) struct List {
    pub(crate) resources: Vec<Resource>,
    /// Those that are listed by name only.
    pub(crate) unsaid: Vec<String>,
}

/// What a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Collection {
    Lights,
    Groups,
}

impl Collection {
    /// The path below the key.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Lights => "/lights",
            Self::Groups => "/groups",
        }
    }
}

/// The answer to `GET /api/KEY/lights` or `/groups`.
pub(crate) fn list(collection: Collection, body: &[u8]) -> Result<List, Fault> {
    let mut list = List::default();
    for (number, described) in object(body)?.iter().take(RESOURCES_MAX) {
        let Some(key) = key(collection, number) else { continue };
        match resource(collection, key.clone(), described) {
            Described::Fully(resource) => list.resources.push(*resource),
            Described::ByName => list.unsaid.push(key),
            Described::NotOurs => {}
        }
    }
    Ok(list)
}

/// The answer to `GET /api/KEY/lights/1` or `/groups/1`; nothing if it is none that we offer.
pub(crate) fn one(collection: Collection, key: &str, body: &[u8]) -> Result<Option<Resource>, Fault> {
    match resource(collection, key.to_owned(), &Value::Object(object(body)?)) {
        Described::Fully(resource) => Ok(Some(*resource)),
        Described::ByName | Described::NotOurs => Ok(None),
    }
}

/// What is put to change a light or a group: path below the key, and body.
pub(crate) fn command(key: &str, kind: Kind, change: &Change) -> (String, Value) {
    let mut body = Map::new();
    if let Some(on) = change.on {
        body.insert("on".into(), on.into());
    }
    if let Some(Power::On(level)) = change.intensity.map(Power::from) {
        body.insert("bri".into(), level.number().into());
    }
    match change.tone {
        Some(Tone::Warmth(mireds)) => {
            body.insert("ct".into(), mireds.into());
        }
        Some(Tone::Colour(Xy { x, y })) => {
            body.insert("xy".into(), json!([x, y]));
        }
        None => {}
    }
    if let Some(transition) = change.transition {
        let tenths = u16::try_from(transition.as_millis() / 100).unwrap_or(u16::MAX);
        body.insert("transitiontime".into(), tenths.into());
    }
    let end = if kind.is_group() { "action" } else { "state" };
    (format!("{key}/{end}"), Value::Object(body))
}

/// Whether a command was obeyed. A hub answers parameter by parameter, and with 200 also where it failed.
pub(crate) fn obeyed(body: &[u8]) -> Result<(), Fault> {
    if body.trim_ascii().is_empty() {
        return Ok(());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Array(answers)) => errors(&answers).map_or(Ok(()), Err),
        Ok(Value::Object(answer)) => complaint(&answer).map_or(Ok(()), Err),
        Ok(_) | Err(_) => Err(no_json()),
    }
}

/// The body that asks for a key. Nothing in it is younger than the API itself.
pub(crate) fn pairing(machine: &str) -> Value {
    json!({ "devicetype": format!("luxwire#{}", machine.chars().take(19).collect::<String>()) })
}

/// The key that the hub made for us.
pub(crate) fn paired(body: &[u8]) -> Result<String, Fault> {
    let answers = match serde_json::from_slice(body) {
        Ok(Value::Array(answers)) => answers,
        Ok(Value::Object(answer)) => return Err(complaint(&answer).unwrap_or_else(no_json)),
        Ok(_) | Err(_) => return Err(no_json()),
    };
    let key = answers.iter().find_map(|answer| answer.get("success")?.get("username")?.as_str());
    match key {
        // It becomes a part of paths and a header.
        Some(key) if (1..=128).contains(&key.len()) && key.bytes().all(is_key_byte) => Ok(key.to_owned()),
        Some(_) => Err(Fault::Broken("its key cannot be used".to_owned())),
        None => Err(errors(&answers).unwrap_or_else(|| Fault::Broken("it gives no key".to_owned()))),
    }
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Fault> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => complaint(&object).map_or(Ok(object), Err),
        Ok(Value::Array(answers)) => Err(errors(&answers).unwrap_or_else(no_json)),
        Ok(_) | Err(_) => Err(no_json()),
    }
}

fn no_json() -> Fault {
    Fault::Broken("its answer is not what API v1 has".to_owned())
}

/// The worst of the errors among the answers.
fn errors(answers: &[Value]) -> Option<Fault> {
    answers.iter().filter_map(|answer| answer.get("error")).map(Fault::of_error).reduce(Fault::worse)
}

/// An object that is an error: Home Assistant's emulation says `{"message": …}`.
fn complaint(object: &Map<String, Value>) -> Option<Fault> {
    if let Some(error) = object.get("error") {
        return Some(Fault::of_error(error));
    }
    let message = object.get("message").and_then(Value::as_str).filter(|_| object.len() == 1)?;
    Some(Fault::Refused(format!("it says {:?}", name(message))))
}

fn key(collection: Collection, number: &str) -> Option<String> {
    let is_number =
        (1..=16).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_number.then(|| format!("{}/{number}", collection.path()))
}

enum Described {
    Fully(Box<Resource>),
    ByName,
    NotOurs,
}

fn resource(collection: Collection, key: String, described: &Value) -> Described {
    let text = |key: &str| described.get(key).and_then(Value::as_str);
    let kind = match (collection, text("type")) {
        (Collection::Lights, _) => Kind::Light,
        (Collection::Groups, Some("Zone")) => Kind::Zone,
        (Collection::Groups, Some("Room" | "LightGroup") | None) => Kind::Room,
        (Collection::Groups, Some(_)) => return Described::NotOurs,
    };
    let said = described.get(if kind.is_group() { "action" } else { "state" });
    let Some(said) = said.and_then(Value::as_object) else { return Described::ByName };
    let abilities = abilities(described, said);
    let mut report = report(said, abilities);
    if let Some(any_on) = described.pointer("/state/any_on").and_then(Value::as_bool) {
        report.on = Some(any_on);
    }
    let title = text("name").map(name).filter(|name| !name.is_empty());
    report.name.clone_from(&title);
    Described::Fully(Box::new(Resource {
        name: title.unwrap_or_else(|| key.trim_start_matches('/').replace('/', " ")),
        key_v1: Some(key.clone()),
        key,
        kind,
        model: text("modelid").map(name),
        maker: text("manufacturername").map(name),
        abilities,
        report,
    }))
}

fn abilities(described: &Value, said: &Map<String, Value>) -> Abilities {
    let switches_only =
        described.get("type").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("On/Off"));
    if switches_only {
        return Abilities::default();
    }
    let bound = |end: &str| described.pointer(&format!("/capabilities/control/ct/{end}"))?.as_i64();
    let range = || Some(Warmths::clamped(bound("min")?, bound("max")?));
    Abilities {
        dims: said.contains_key("bri"),
        warmth: said.contains_key("ct").then(|| range().unwrap_or(Warmths::ALL)),
        colour: said.contains_key("xy"),
    }
}

fn report(said: &Map<String, Value>, abilities: Abilities) -> Report {
    let warmth = || {
        let mireds = said.get("ct")?.as_u64().and_then(|mireds| u16::try_from(mireds).ok())?;
        (100..=1_000).contains(&mireds).then_some(Tone::Warmth(mireds))
    };
    let colour = || {
        let xy = said.get("xy")?;
        Xy::new(xy.get(0)?.as_f64()?, xy.get(1)?.as_f64()?).map(Tone::Colour)
    };
    let tone = match said.get("colormode").and_then(Value::as_str) {
        Some("ct") => warmth(),
        Some("xy" | "hs") => colour(),
        _ if abilities.colour => colour(),
        _ => warmth(),
    };
    let level = said.get("bri").and_then(|bri| bri.as_i64().or_else(|| Some(bri.as_f64()?.round() as i64)));
    Report {
        on: said.get("on").and_then(Value::as_bool),
        level: level.map(Level::clamped),
        tone,
        reachable: said.get("reachable").and_then(Value::as_bool),
        name: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use luxwire_shared::model::Intensity;
    use std::time::Duration;

    const LIGHT: &str = r#"{"state":{"on":true,"bri":254,"hue":33536,"sat":144,"xy":[0.3460,0.3568],"ct":201,
        "colormode":"ct","reachable":true},"type":"Extended color light","name":"Desk","modelid":"LCT001"}"#;

    #[test]
    fn a_light_says_what_it_is_and_what_it_does() {
        let list = list(Collection::Lights, format!(r#"{{"7":{LIGHT}}}"#).as_bytes()).unwrap();
        let [light] = &list.resources[..] else { panic!("{list:?}") };
        assert_eq!((light.key.as_str(), light.name.as_str(), light.kind), ("/lights/7", "Desk", Kind::Light));
        assert_eq!(light.abilities, Abilities { dims: true, warmth: Some(Warmths::ALL), colour: true });
        assert_eq!(light.report.power(light.abilities), Some(Power::On(Level::FULL)));
        assert_eq!(light.report.tone, Some(Tone::Warmth(201)));
    }

    #[test]
    fn a_list_of_names_is_completed_one_by_one() {
        let list = list(Collection::Lights, br#"{"1":{"name":"Hue Lamp 1"},"../x":{"name":"no"}}"#).unwrap();
        assert_eq!(list.unsaid, ["/lights/1"]);
        assert!(one(Collection::Lights, "/lights/1", LIGHT.as_bytes()).unwrap().is_some());
    }

    #[test]
    fn a_room_is_on_when_any_of_its_lights_is() {
        let body = br#"{"1":{"name":"Kitchen","type":"Room","lights":["1"],"action":{"on":false,"bri":100},
            "state":{"any_on":true,"all_on":false}},"2":{"name":"TV","type":"Entertainment","action":{"on":true}}}"#;
        let list = list(Collection::Groups, body).unwrap();
        let [room] = &list.resources[..] else { panic!("{list:?}") };
        assert_eq!(room.report.power(room.abilities), Some(Power::On(Level::clamped(100))));
    }

    #[test]
    fn commands_hold_what_changed_in_the_types_that_hubs_take() {
        let change = Change {
            on: Some(true),
            intensity: Intensity::from_percent(40),
            tone: Xy::new(0.312_345, 1.0).map(Tone::Colour),
            transition: Some(Duration::from_millis(450)),
        };
        let (path, body) = command("/lights/7", Kind::Light, &change);
        assert_eq!(path, "/lights/7/state");
        assert_eq!(body.to_string(), r#"{"bri":102,"on":true,"transitiontime":4,"xy":[0.3123,1.0]}"#);
        let off = Change { on: Some(false), ..Change::default() };
        let (path, body) = command("/groups/1", Kind::Room, &off);
        assert_eq!((path.as_str(), body.to_string().as_str()), ("/groups/1/action", r#"{"on":false}"#));
    }

    #[test]
    fn an_error_among_successes_is_an_error() {
        let body = br#"[{"success":{"/lights/1/state/on":true}},{"error":{"type":"201","address":"","description":""}}]"#;
        assert_eq!(obeyed(body), Err(Fault::DeviceOff));
        assert_eq!(obeyed(br#"[{"success":{"/lights/1/state/on":true}}]"#), Ok(()));
        assert!(matches!(obeyed(b"<html>Internal Server Error"), Err(Fault::Broken(_))));
        assert!(matches!(obeyed(br#"{"message":"Invalid JSON"}"#), Err(Fault::Refused(_))));
        assert!(matches!(obeyed(br#"[{"success":{"/lights/1"#), Err(Fault::Broken(_))));
    }

    #[test]
    fn a_key_comes_once_the_button_was_pressed() {
        let waiting = br#"[{"error":{"type":101,"address":"","description":"link button not pressed"}}]"#;
        assert_eq!(paired(waiting), Err(Fault::ButtonNotPressed));
        assert_eq!(paired(br#"[{"success":{"username":"nouser"}}]"#).unwrap(), "nouser");
        assert!(paired(br#"[{"success":{"username":"a/../b\r\nx: y"}}]"#).is_err());
    }
}
