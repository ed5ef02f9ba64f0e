//! The hub's own page and what lies behind it, under `/sim/`: looking at the house, pressing the button, switching a
//! light by hand, making faults, and reading what was asked for.
//!
//! None of it exists on a real hub. Pages from elsewhere get nothing of it.

use super::{
    faults::Faults,
    home::{GroupKind, Target},
    http::{Body, pictures, text, with_type},
    hub::Hub,
    light::{Alert, Kind},
    shared::Shared,
    v1, v2,
};
use http::{Method, Response, StatusCode, header, request::Parts};
use luxwire_shared::time::Instant;
use serde_json::{Value, json};
use std::sync::Arc;

const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Everything comes from here, and scripts and styles only from their files.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The answer, if the path is one of the page's.
pub(crate) fn answer(shared: &Arc<Shared>, head: &Parts, path: &str, body: &[u8]) -> Option<Response<Body>> {
    let own = path == "/" || path == "/linkbutton" || path.starts_with("/page.") || path.starts_with("/sim/");
    if !own {
        return None;
    }
    if from_elsewhere(head) {
        return Some(text(StatusCode::FORBIDDEN, "only the hub's own page may do this"));
    }
    let method = if head.method == Method::HEAD { &Method::GET } else { &head.method };
    Some(match (method.as_str(), path) {
        ("GET", "/") => page(),
        ("GET", "/page.css") => with_type(StatusCode::OK, "text/css; charset=utf-8", STYLE),
        ("GET", "/page.js") => with_type(StatusCode::OK, "text/javascript; charset=utf-8", SCRIPT),
        ("GET", "/sim/state") => of_json(StatusCode::OK, &shared.look(picture)),
        ("GET", "/sim/events") => match Arc::clone(&shared.listeners).try_acquire_owned() {
            Ok(permit) => pictures(shared, permit),
            Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, "too many pages are open"),
        },
        ("POST", "/sim/button") | ("GET" | "POST", "/linkbutton") => {
            shared.with(Hub::press_button);
            of_json(StatusCode::OK, &json!({"pressed": true}))
        }
        ("GET", "/sim/faults") => of_json(StatusCode::OK, &shared.look(|hub, _| json!(hub.faults))),
        ("POST", "/sim/faults") => faults(shared, body),
        ("DELETE", "/sim/faults") => set(shared, Faults::default()),
        ("GET", "/sim/log") => log(shared, head.uri.query().unwrap_or_default()),
        ("POST", path) if path.starts_with("/sim/lights/") => {
            by_hand(shared, &path["/sim/lights/".len()..], body)
        }
        _ => text(StatusCode::NOT_FOUND, "there is nothing here"),
    })
}

/// Browsers say where a request comes from; programs say nothing.
fn from_elsewhere(head: &Parts) -> bool {
    let said = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let navigation = said("sec-fetch-mode") == Some("navigate") && head.uri.path() == "/";
    let site = said("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    let origin = said("origin").is_some_and(|origin| {
        origin.split_once("://").map(|(_, authority)| authority) != said(header::HOST.as_str())
    });
    (site || origin) && !navigation
}

fn page() -> Response<Body> {
    let mut answer = with_type(StatusCode::OK, "text/html; charset=utf-8", HTML);
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, http::HeaderValue::from_static(POLICY));
    answer
}

fn of_json(status: StatusCode, value: &Value) -> Response<Body> {
    with_type(status, "application/json", value.to_string())
}

fn wrong(why: impl Into<String>) -> Response<Body> {
    of_json(StatusCode::BAD_REQUEST, &json!({"error": why.into()}))
}

fn faults(shared: &Shared, body: &[u8]) -> Response<Body> {
    let Ok(Value::Object(patch)) = serde_json::from_slice(body) else {
        return wrong("faults are a JSON object, such as {\"latency_ms\": 500}");
    };
    match shared.look(|hub, _| hub.faults.patched(&patch)) {
        Ok(faults) => set(shared, faults),
        Err(why) => wrong(why),
    }
}

fn set(shared: &Shared, faults: Faults) -> Response<Body> {
    let outcome = shared.with(|hub, now| hub.set_faults(now, faults).map(|()| json!(hub.faults)));
    match outcome {
        Ok(faults) => of_json(StatusCode::OK, &faults),
        Err(why) => wrong(why),
    }
}

/// `?after=N` leaves out what somebody has seen.
fn log(shared: &Shared, query: &str) -> Response<Body> {
    let after = query.split('&').find_map(|pair| pair.strip_prefix("after=")).unwrap_or("0");
    let Ok(after) = after.parse() else { return wrong("after is a number of an entry") };
    let entries = shared.look(|hub, _| json!(hub.journal.after(after).collect::<Vec<_>>()));
    of_json(StatusCode::OK, &entries)
}

/// Somebody in the house uses a switch: the same words as in v2, and no queue.
fn by_hand(shared: &Shared, number: &str, body: &[u8]) -> Response<Body> {
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else {
        return wrong("a change is a JSON object, such as {\"on\": {\"on\": true}}");
    };
    let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    shared.with(|hub, now| {
        let Some(index) = index.filter(|index| *index < hub.home.lights.len()) else {
            return text(StatusCode::NOT_FOUND, "there is no such light");
        };
        match v2::read(&hub.home, Target::Light(index), &body) {
            Ok(described) => {
                hub.by_hand(now, index, &described.change);
                of_json(StatusCode::OK, &light(hub, now, index))
            }
            Err(why) => wrong(why.sentence()),
        }
    })
}

/// Everything that the page draws.
pub(crate) fn picture(hub: &Hub, now: Instant) -> Value {
    let button = hub.keys.pressed_until(now).map_or(0, |until| until.since(now).as_millis() as u64);
    let (accepted, waiting, overrun) = hub.counts();
    let applications: Vec<_> = hub.keys.all().iter().map(|key| &key.device_type).collect();
    let rooms: Vec<_> = hub
        .home
        .groups
        .iter()
        .filter(|group| group.kind == GroupKind::Room)
        .map(|group| json!({"name": group.name, "lights": group.lights.iter().map(|index| index + 1).collect::<Vec<_>>()}))
        .collect();
    json!({
        "name": v1::NAME,
        "bridge_id": hub.home.id.as_str(),
        "button_ms": button,
        "applications": applications,
        "rooms": rooms,
        "lights": (0..hub.home.lights.len()).map(|index| light(hub, now, index)).collect::<Vec<_>>(),
        "requests": hub.journal.count(),
        "commands": {"accepted": accepted, "waiting": waiting, "refused": overrun},
        "backlog_ms": hub.backlog(now).as_millis() as u64,
        "faults": hub.faults,
        "faulty": hub.faults != Faults::default(),
    })
}

/// A light as it is, as it looks at this moment, and as it will look when its fade is over.
fn light(hub: &Hub, now: Instant, index: usize) -> Value {
    let light = &hub.home.lights[index];
    let (sight, target) = (light.sight(now), light.target());
    json!({
        "number": index + 1,
        "name": light.name,
        "kind": match light.kind {
            Kind::Plug => "plug",
            Kind::White => "white",
            Kind::Ambiance => "ambiance",
            Kind::Colour => "colour",
        },
        "reachable": light.reachable,
        "on": light.state.on,
        "percent": light.kind.dims().then(|| light.state.percent()),
        "mirek": light.kind.has_temperature().then_some(light.state.mirek),
        "level": target.level,
        "rgb": target.rgb,
        "level_now": sight.level,
        "rgb_now": sight.rgb,
        "fade_ms": light.fade_left(now).as_millis() as u64,
        "blinks": light.blinks,
        "blinks_long": light.alert == Alert::LongSelect,
    })
}
