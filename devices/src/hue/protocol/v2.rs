//! API v2: resources by UUID that refer to each other, and events.
//!
//! A light's name and model are its device's, a room's level is its grouped light's, and whether a light can be reached is
//! said of the device's radio. This puts together what belongs together.

use super::{fault::Fault, name};
use crate::hue::{
    level::Level,
    limits::RESOURCES_MAX,
    resource::{Abilities, Change, Kind, Report, Resource, Tone, Warmths, Xy},
};
use luxwire_shared::model::Intensity;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Everything of a hub that concerns us.
#[derive(Debug, Default)]
pub(crate) struct Home {
    pub(crate) resources: Vec<Resource>,
    pub(crate) wiring: Wiring,
}

/// Which lights hang on which device.
#[derive(Debug, Default)]
pub(crate) struct Wiring {
    lights_of_device: HashMap<String, Vec<String>>,
}

/// What an event tells.
#[derive(Debug, PartialEq)]
pub(crate) enum News {
    /// A light or a grouped light says something.
    Report(String, Report),
    /// Something came, went, was renamed or moved: the hub has to be read again.
    Rearranged,
}

/// The answer to `GET /clip/v2/resource`.
pub(crate) fn home(body: &[u8]) -> Result<Home, Fault> {
    let resources = envelope(body)?;
    let of_kind = |kind: &'static str| {
        resources.iter().filter(move |resource| text(resource, "type") == Some(kind)).take(RESOURCES_MAX)
    };
    let devices: HashMap<&str, &Value> =
        of_kind("device").filter_map(|device| Some((text(device, "id")?, device))).collect();
    let places: HashMap<&str, (Kind, &Value)> = of_kind("room")
        .map(|room| (Kind::Room, room))
        .chain(of_kind("zone").map(|zone| (Kind::Zone, zone)))
        .filter_map(|(kind, place)| Some((text(place, "id")?, (kind, place))))
        .collect();
    let reachable: HashMap<&str, bool> = of_kind("zigbee_connectivity")
        .filter_map(|radio| Some((owner(radio)?, is_reachable(radio)?)))
        .collect();

    let mut home = Home::default();
    for light in of_kind("light") {
        let device = owner(light).and_then(|owner| devices.get(owner));
        let Some(mut resource) = resource(light, Kind::Light, device.copied()) else { continue };
        if let Some(owner) = owner(light) {
            resource.report.reachable = reachable.get(owner).copied();
            home.wiring.lights_of_device.entry(owner.to_owned()).or_default().push(resource.key.clone());
        }
        home.resources.push(resource);
    }
    for group in of_kind("grouped_light") {
        // The whole home has a grouped light as well, and no name.
        let Some((kind, place)) = owner(group).and_then(|owner| places.get(owner)) else { continue };
        home.resources.extend(resource(group, *kind, Some(place)));
    }
    home.resources.truncate(RESOURCES_MAX);
    Ok(home)
}

/// The data of one event: containers with partial resources.
pub(crate) fn news(data: &[u8], wiring: &Wiring) -> Vec<News> {
    let Ok(Value::Array(containers)) = serde_json::from_slice(data) else { return Vec::new() };
    let mut news = Vec::new();
    for container in containers {
        let changes = container.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        match text(&container, "type") {
            Some("update") => changes.iter().for_each(|change| updated(change, wiring, &mut news)),
            Some("add" | "delete") if changes.iter().any(concerns_us) => news.push(News::Rearranged),
            _ => {}
        }
    }
    news
}

fn updated(change: &Value, wiring: &Wiring, news: &mut Vec<News>) {
    let Some(id) = text(change, "id") else { return };
    match text(change, "type") {
        Some("light" | "grouped_light") => {
            if change.get("metadata").is_some() {
                news.push(News::Rearranged);
            }
            let report = report(change);
            if report != Report::default() {
                news.push(News::Report(id.to_owned(), report));
            }
        }
        Some("zigbee_connectivity") => {
            let lights = owner(change).and_then(|device| wiring.lights_of_device.get(device));
            for light in lights.into_iter().flatten() {
                let report = Report { reachable: is_reachable(change), ..Report::default() };
                news.push(News::Report(light.clone(), report));
            }
        }
        Some("device" | "room" | "zone") => news.push(News::Rearranged),
        _ => {}
    }
}

fn concerns_us(resource: &Value) -> bool {
    matches!(text(resource, "type"), Some("light" | "grouped_light" | "device" | "room" | "zone"))
}

/// What is put to change a light or a grouped light: path and body.
pub(crate) fn command(key: &str, kind: Kind, change: &Change) -> (String, Value) {
    let mut body = Map::new();
    if let Some(on) = change.on {
        body.insert("on".into(), json!({ "on": on }));
    }
    if let Some(intensity) = change.intensity.filter(|intensity| !intensity.is_off()) {
        body.insert("dimming".into(), json!({ "brightness": percent(intensity) }));
    }
    match change.tone {
        Some(Tone::Warmth(mireds)) => {
            body.insert("color_temperature".into(), json!({ "mirek": mireds }));
        }
        Some(Tone::Colour(Xy { x, y })) => {
            body.insert("color".into(), json!({ "xy": { "x": x, "y": y } }));
        }
        None => {}
    }
    if let Some(transition) = change.transition {
        let millis = u32::try_from(transition.as_millis()).unwrap_or(u32::MAX);
        body.insert("dynamics".into(), json!({ "duration": millis }));
    }
    let collection = if kind.is_group() { "grouped_light" } else { "light" };
    (format!("/clip/v2/resource/{collection}/{key}"), Value::Object(body))
}

fn percent(intensity: Intensity) -> f64 {
    f64::from(intensity.hundredths()) / 100.0
}

/// Whether a command was obeyed, where the status alone does not decide that.
pub(crate) fn obeyed(body: &[u8]) -> Result<(), Fault> {
    let Ok(Value::Object(answer)) = serde_json::from_slice(body) else {
        return Err(no_json());
    };
    descriptions(&answer).filter_map(fault).reduce(Fault::worse).map_or(Ok(()), Err)
}

/// The hub's words for a refusal, where it has some.
pub(crate) fn refusal(body: &[u8]) -> Option<String> {
    let Ok(Value::Object(answer)) = serde_json::from_slice(body) else { return None };
    descriptions(&answer).next().map(name)
}

fn descriptions(answer: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let errors = answer.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    errors.iter().filter_map(|error| text(error, "description"))
}

/// Errors of v2 have no number. Two of them come with success: the light is off, or the hub does not hear it at the moment.
fn fault(description: &str) -> Option<Fault> {
    if description.contains("soft off") {
        Some(Fault::DeviceOff)
    } else if description.contains("communication issues") {
        None
    } else {
        Some(Fault::Refused(name(description)))
    }
}

/// The resources in an answer, if it is one.
pub(crate) fn envelope(body: &[u8]) -> Result<Vec<Value>, Fault> {
    let Ok(Value::Object(mut answer)) = serde_json::from_slice(body) else {
        return Err(no_json());
    };
    match answer.remove("data") {
        Some(Value::Array(resources)) => Ok(resources),
        _ => Err(descriptions(&answer).next().map_or_else(no_json, |words| Fault::Refused(name(words)))),
    }
}

fn no_json() -> Fault {
    Fault::Broken("its answer is not what API v2 has".to_owned())
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn owner(resource: &Value) -> Option<&str> {
    resource.pointer("/owner/rid").and_then(Value::as_str)
}

fn is_reachable(radio: &Value) -> Option<bool> {
    text(radio, "status").map(|status| status == "connected")
}

fn resource(said: &Value, kind: Kind, bearer: Option<&Value>) -> Option<Resource> {
    let key = text(said, "id").filter(|id| is_id(id))?;
    let title = |value: &Value| value.pointer("/metadata/name").and_then(Value::as_str).map(name);
    let product = |field: &str| Some(name(text(bearer?.get("product_data")?, field)?));
    let title = title(said).or_else(|| bearer.and_then(title)).filter(|name| !name.is_empty());
    let key_v1 = text(said, "id_v1").filter(|path| path.len() <= 32).map(str::to_owned);
    let mut report = report(said);
    report.name.clone_from(&title);
    Some(Resource {
        key: key.to_owned(),
        name: title.unwrap_or_else(|| key.chars().take(8).collect()),
        key_v1,
        kind,
        model: product("product_name"),
        maker: product("manufacturer_name"),
        abilities: abilities(said),
        report,
    })
}

/// It becomes a part of paths.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn abilities(said: &Value) -> Abilities {
    let bound = |end: &str| said.pointer(&format!("/color_temperature/mirek_schema/mirek_{end}"))?.as_i64();
    let range = || Some(Warmths::clamped(bound("minimum")?, bound("maximum")?));
    Abilities {
        dims: said.get("dimming").is_some(),
        warmth: said.get("color_temperature").map(|_| range().unwrap_or(Warmths::ALL)),
        colour: said.get("color").is_some(),
    }
}

fn report(said: &Value) -> Report {
    let mireds = said.pointer("/color_temperature/mirek").and_then(Value::as_u64);
    let valid = said.pointer("/color_temperature/mirek_valid").and_then(Value::as_bool) != Some(false);
    let warmth = mireds.filter(|_| valid).and_then(|mireds| u16::try_from(mireds).ok()).map(Tone::Warmth);
    let axis = |axis: &str| said.pointer(&format!("/color/xy/{axis}"))?.as_f64();
    let colour = || Xy::new(axis("x")?, axis("y")?).map(Tone::Colour);
    Report {
        on: said.pointer("/on/on").and_then(Value::as_bool),
        level: said.pointer("/dimming/brightness").and_then(Value::as_f64).map(Level::from_percent),
        tone: warmth.or_else(colour),
        reachable: None,
        name: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hue::level::Power;
    use std::time::Duration;

    const HOME: &str = r#"{"errors":[],"data":[
        {"id":"l-1","id_v1":"/lights/1","type":"light","owner":{"rid":"d-1","rtype":"device"},"metadata":{"name":"Desk"},
         "on":{"on":true},"dimming":{"brightness":40.16},"color_temperature":{"mirek":null,"mirek_valid":false,
         "mirek_schema":{"mirek_minimum":153,"mirek_maximum":454}},"color":{"xy":{"x":0.4,"y":0.5}}},
        {"id":"d-1","type":"device","metadata":{"name":"Desk"},"product_data":{"product_name":"Hue bulb","manufacturer_name":"Signify"}},
        {"id":"z-1","type":"zigbee_connectivity","owner":{"rid":"d-1","rtype":"device"},"status":"connectivity_issue"},
        {"id":"r-1","type":"room","metadata":{"name":"Office"}},
        {"id":"g-1","type":"grouped_light","owner":{"rid":"r-1","rtype":"room"},"on":{"on":false},"dimming":{"brightness":0}},
        {"id":"g-0","type":"grouped_light","owner":{"rid":"b-1","rtype":"bridge_home"},"on":{"on":false}},
        {"id":"../x","type":"light"}, 7]}"#;

    #[test]
    fn a_home_is_put_together() {
        let home = home(HOME.as_bytes()).unwrap();
        let [light, room] = &home.resources[..] else { panic!("{home:?}") };
        assert_eq!((light.name.as_str(), light.model.as_deref()), ("Desk", Some("Hue bulb")));
        assert_eq!(light.abilities.warmth, Some(Warmths { coldest: 153, warmest: 454 }));
        assert_eq!(light.report.power(light.abilities), Some(Power::On(Level::clamped(102))));
        assert_eq!(light.report.tone, Xy::new(0.4, 0.5).map(Tone::Colour));
        assert_eq!(light.report.reachable, Some(false));
        assert_eq!((room.name.as_str(), room.kind), ("Office", Kind::Room));
        assert_eq!(room.report.power(room.abilities), Some(Power::Off));
    }

    #[test]
    fn events_tell_what_changed() {
        let home = home(HOME.as_bytes()).unwrap();
        let told = |event: &str| news(event.as_bytes(), &home.wiring);
        let update = told(
            r#"[{"type":"update","data":[{"id":"l-1","type":"light","on":{"on":false}},
                {"id":"z-1","type":"zigbee_connectivity","owner":{"rid":"d-1"},"status":"connected"},
                {"id":"m-1","type":"motion"}]}]"#,
        );
        let off = Report { on: Some(false), ..Report::default() };
        let there = Report { reachable: Some(true), ..Report::default() };
        let light = || "l-1".to_owned();
        assert_eq!(update, [News::Report(light(), off), News::Report(light(), there)]);
        assert_eq!(told(r#"[{"type":"delete","data":[{"id":"l-1","type":"light"}]}]"#), [News::Rearranged]);
        assert_eq!(told(r#"[{"type":"update","data":[{"id":"#), []);
    }

    #[test]
    fn commands_hold_what_changed() {
        let change = Change {
            on: Some(true),
            intensity: Intensity::from_hundredths(4_050),
            tone: Some(Tone::Warmth(300)),
            transition: Some(Duration::from_millis(100)),
        };
        let (path, body) = command("g-1", Kind::Room, &change);
        assert_eq!(path, "/clip/v2/resource/grouped_light/g-1");
        let expected = json!({ "on": { "on": true }, "dimming": { "brightness": 40.5 },
            "color_temperature": { "mirek": 300 }, "dynamics": { "duration": 100 } });
        assert_eq!(body, expected);
    }

    #[test]
    fn a_light_that_is_off_is_told_from_one_that_is_not_heard() {
        let answer = |words: &str| json!({ "errors": [{ "description": words }], "data": [] }).to_string();
        let off = answer("device (light) x is \"soft off\", command (.dimming) may not have effect");
        assert_eq!(obeyed(off.as_bytes()), Err(Fault::DeviceOff));
        let unheard = answer("device (light) x has communication issues, command (.on) may not have effect");
        assert_eq!(obeyed(unheard.as_bytes()), Ok(()));
        assert!(matches!(obeyed(answer("invalid value").as_bytes()), Err(Fault::Refused(_))));
        assert!(matches!(obeyed(b"<html>"), Err(Fault::Broken(_))));
    }
}
