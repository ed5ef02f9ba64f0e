//! The second interface (`/clip/v2/resource…`): resources with ids, statuses of HTTP, and `errors` beside `data`.

mod describe;
mod write;

pub(crate) use describe::{
    changed_features, changed_together, connectivity, connectivity_header, device_header, features,
    grouped_light_header, light_header,
};

pub(crate) use write::read;

use super::{
    home::Target,
    hub::{Hub, Reply, Request},
    journal::Fate,
    limits,
};
use describe::Known;
use luxwire_shared::time::Instant;
use serde_json::{Map, Value, json};
use write::{Described, Wrong};

/// Types that a hub may have and this one has none of.
const OTHER_TYPES: [&str; 14] = [
    "scene",
    "smart_scene",
    "motion",
    "temperature",
    "light_level",
    "button",
    "relative_rotary",
    "device_power",
    "contact",
    "behavior_instance",
    "behavior_script",
    "entertainment",
    "entertainment_configuration",
    "geolocation",
];

/// Answers a request whose path begins with `/clip/v2/`.
pub(crate) fn answer(hub: &mut Hub, now: Instant, request: &Request<'_>) -> Reply {
    if !request.key.is_some_and(|key| hub.keys.knows(key)) {
        return forbidden();
    }
    let parts: Vec<&str> = request.path.split('/').skip(3).filter(|part| !part.is_empty()).collect();
    match (request.method, parts.as_slice()) {
        ("GET", ["resource"]) => Reply::json(200, data(describe::everything(&hub.home))),
        ("GET", ["resource", kind]) => list(hub, kind),
        ("GET", ["resource", kind, id]) => match describe::find(&hub.home, kind, id) {
            Some(known) => Reply::json(200, data(vec![describe::resource(&hub.home, known)])),
            None => not_found(),
        },
        ("PUT", ["resource", kind, id]) => match describe::find(&hub.home, kind, id) {
            Some(known) => put(hub, now, known, kind, id, request.body),
            None => not_found(),
        },
        (_, ["resource"]) => error(405, "method not allowed"),
        (_, ["resource", kind]) if Known::is_type(kind) || OTHER_TYPES.contains(kind) => {
            error(405, "method not allowed")
        }
        (_, ["resource", kind, id]) if describe::find(&hub.home, kind, id).is_some() => {
            error(405, "method not allowed")
        }
        _ => not_found(),
    }
}

fn list(hub: &Hub, kind: &str) -> Reply {
    if Known::is_type(kind) {
        Reply::json(200, data(describe::all_of(&hub.home, kind)))
    } else if OTHER_TYPES.contains(&kind) {
        Reply::json(200, data(Vec::new()))
    } else {
        not_found()
    }
}

fn put(hub: &mut Hub, now: Instant, known: Known, kind: &str, id: &str, body: &[u8]) -> Reply {
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else {
        return error(400, "error: 'JSON body parse error'");
    };
    let name = match write::name(&body) {
        Ok(name) => name,
        Err(wrong) => return refused(&wrong, kind, id),
    };
    let target = match known {
        Known::Light(index) => Target::Light(index),
        Known::GroupedLight(index) => Target::Group(index),
        Known::Device(index) => return put_device(hub, now, index, &body, name, id),
        _ => return error(405, "method not allowed"),
    };
    let described = match write::read(&hub.home, target, &body) {
        Ok(described) => described,
        Err(wrong) => return refused(&wrong, kind, id),
    };
    let Described { change, without_effect } = described;
    if hub.command(now, target, change) == Fate::Overrun {
        return error(429, "too many requests");
    }
    if let (Known::Light(index), Some(name)) = (known, name) {
        hub.alter(now, |home| home.lights[index].name = name);
    }
    let errors: Vec<Value> = without_effect
        .iter()
        .map(|part| {
            let description = format!("device ({kind}) {id} {}", part.sentence());
            json!({"description": description, "error_code": part.code()})
        })
        .collect();
    let status = if errors.is_empty() { 200 } else { 207 };
    Reply::json(status, json!({"data": [{"rid": id, "rtype": kind}], "errors": errors}))
}

/// A device has a name and can say which one it is.
fn put_device(
    hub: &mut Hub,
    now: Instant,
    index: usize,
    body: &Map<String, Value>,
    name: Option<String>,
    id: &str,
) -> Reply {
    let strange = body.keys().find(|key| !matches!(key.as_str(), "type" | "id" | "metadata" | "identify"));
    if let Some(strange) = strange {
        return refused(&Wrong::unknown(strange), "device", id);
    }
    if let (Some(name), true) = (name, index > 0) {
        hub.alter(now, |home| home.lights[index - 1].name = name);
    }
    Reply::json(200, json!({"data": [{"rid": id, "rtype": "device"}], "errors": []}))
}

fn refused(wrong: &Wrong, kind: &str, id: &str) -> Reply {
    let mut description = wrong.sentence();
    if matches!(wrong, Wrong::CannotDo(_)) {
        description = format!("{kind} {id} {description}");
    }
    error(400, &description)
}

fn data(resources: Vec<Value>) -> Value {
    json!({"errors": [], "data": resources})
}

/// An answer that says nothing but what went wrong.
pub(crate) fn error(status: u16, description: &str) -> Reply {
    Reply::json(status, json!({"errors": [{"description": description}], "data": []}))
}

/// For those without a key that this hub gave out.
pub(crate) fn forbidden() -> Reply {
    error(403, "unauthorized user")
}

fn not_found() -> Reply {
    error(404, "Not Found")
}

/// Whether this can be a name.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=limits::NAME_CHARS).contains(&text.chars().count())
}
