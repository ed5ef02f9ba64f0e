//! Reads what a Hue service says of itself: a JSON object, from whoever publishes it. What is missing reads as empty, what
//! is too much is left out.
use js_sys::{Array, JSON, Reflect};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};

use crate::components::{Ask, Found, Hub, HueStatus, Pairing, Stage};

/// Nobody has more hubs, and a page that shows more is of no use.
const HUBS_MAX: usize = 16;

/// The status, unless the service is gone or says no such thing.
pub(crate) fn read(json: &str) -> Option<HueStatus> {
    let status = JSON::parse(json).ok()?;
    if text(&status, "state") != "online" {
        return None;
    }
    let search = field(&status, "search");
    let pairing = field(&status, "pairing");
    Some(HueStatus {
        hubs: list(&status, "hubs", hub),
        searching: text(&search, "state") == "searching",
        found: list(&search, "found", |found| Found { name: text(found, "name"), host: text(found, "host") }),
        pairing: pairing.is_object().then(|| Pairing {
            host: text(&pairing, "host"),
            stage: match text(&pairing, "state").as_str() {
                "paired" => Stage::Paired,
                "failed" => Stage::Failed,
                _ => Stage::PressButton,
            },
            message: text(&pairing, "message"),
            seconds_left: number(&pairing, "seconds_left"),
        }),
    })
}

/// Asks our own server to start its Hue service, which then speaks over MQTT like any other. Where there is none to
/// start, whoever else speaks to hubs is heard.
pub(crate) fn start_service() {
    let _ = window().navigator().send_beacon("/api/v1/hue");
}

/// The request as the service understands it.
pub(crate) fn request(ask: &Ask) -> String {
    let quoted = |text: &str| JSON::stringify(&JsValue::from_str(text)).map(String::from).unwrap_or_default();
    match ask {
        Ask::Search => r#"{"search":true}"#.into(),
        Ask::Cancel => r#"{"cancel":true}"#.into(),
        Ask::Pair(host) => format!(r#"{{"pair":{{"host":{}}}}}"#, quoted(host)),
        Ask::Forget(id) => format!(r#"{{"forget":{{"id":{}}}}}"#, quoted(id)),
    }
}

fn hub(hub: &JsValue) -> Hub {
    let (state, message) = (text(hub, "state"), text(hub, "message"));
    let is_well = state == "connected";
    let words = match state.as_str() {
        _ if !is_well && !message.is_empty() => message,
        "connected" => count(number(hub, "lights").unwrap_or_default()),
        "connecting" => "connecting…".into(),
        "not_authorized" => "it no longer accepts our key: forget it and add it again".into(),
        _ => "not reachable".into(),
    };
    Hub { id: text(hub, "id"), name: text(hub, "name"), state: words, is_well }
}

fn count(lights: u32) -> String {
    if lights == 1 { "1 light".into() } else { format!("{lights} lights") }
}

fn field(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::NULL)
}

fn text(object: &JsValue, name: &str) -> String {
    field(object, name).as_string().unwrap_or_default()
}

fn number(object: &JsValue, name: &str) -> Option<u32> {
    field(object, name).as_f64().map(|number| number as u32)
}

fn list<T>(object: &JsValue, name: &str, read: impl Fn(&JsValue) -> T) -> Vec<T> {
    let list = field(object, name).dyn_into::<Array>().unwrap_or_default();
    list.iter().take(HUBS_MAX).map(|entry| read(&entry)).collect()
}
