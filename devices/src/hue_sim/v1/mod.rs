//! The first interface (`/api/…`): always HTTP 200, an array of successes and errors, one for each parameter.

mod describe;
mod error;
mod state;

pub(crate) use describe::{API_VERSION, MODEL, NAME, Product, SOFTWARE, room_class};
pub(crate) use error::on_purpose;

use super::{
    home::Target,
    hub::{Hub, Reply, Request},
    journal::Fate,
    keys::NoKey,
    limits,
};
use error::Error;
use luxwire_shared::time::Instant;
use serde_json::{Map, Value, json};
use state::Abilities;

/// Answers a request whose path begins with `/api`.
pub(crate) fn answer(hub: &mut Hub, now: Instant, request: &Request<'_>) -> Reply {
    let parts: Vec<&str> = request.path.split('/').skip(2).filter(|part| !part.is_empty()).collect();
    let (body, cause) = match respond(hub, now, request, &parts) {
        Ok(body) => (body, None),
        Err(error) => (Value::Null, Some(error)),
    };
    match cause {
        None => Reply::json(200, body),
        Some(error) => Reply::json(200, json!([error.json(hub.faults.error_type_as_text)])),
    }
}

fn respond(hub: &mut Hub, now: Instant, request: &Request<'_>, parts: &[&str]) -> Result<Value, Error> {
    let method = request.method;
    match parts {
        [] if method == "POST" => return pair(hub, now, request.body),
        [] => return Err(Error::no_method(method, "/")),
        ["config"] if method == "GET" => return Ok(describe::short_config(&hub.home)),
        _ => {}
    }
    let (key, resource) = (parts[0], &parts[1..]);
    let address = format!("/{}", resource.join("/"));
    if !hub.keys.knows(key) {
        // Whoever looks for hubs asks for this with any key.
        return match resource {
            ["config"] if method == "GET" => Ok(describe::short_config(&hub.home)),
            _ => Err(Error::unauthorized(&address)),
        };
    }
    match (method, resource) {
        ("GET", []) => Ok(describe::everything(hub, now)),
        ("GET", ["config"]) => Ok(describe::config(hub, now)),
        ("GET", ["lights"]) => Ok(describe::lights(&hub.home)),
        ("GET", ["lights", number]) => {
            let index = light(hub, number, &address)?;
            Ok(describe::light(&hub.home, index))
        }
        ("PUT", ["lights", number]) => {
            let index = light(hub, number, &address)?;
            rename(hub, now, index, &address, request.body)
        }
        ("PUT", ["lights", number, "state"]) => {
            let index = light(hub, number, &address)?;
            let light = &hub.home.lights[index];
            let abilities = Abilities::of(light);
            command(hub, now, Target::Light(index), &abilities, &address, request.body)
        }
        ("GET", ["groups"]) => Ok(describe::groups(&hub.home)),
        ("GET", ["groups", number]) => {
            let index = group(hub, number, &address)?;
            Ok(describe::group(&hub.home, index))
        }
        ("PUT", ["groups", number, "action"]) => {
            let index = group(hub, number, &address)?;
            let abilities = Abilities::of_group(&hub.home, index);
            command(hub, now, Target::Group(index), &abilities, &address, request.body)
        }
        ("GET", ["schedules" | "scenes" | "sensors" | "rules" | "resourcelinks"]) => Ok(json!({})),
        ("GET", ["capabilities"]) => Ok(describe::capabilities(&hub.home)),
        _ => Err(elsewhere(hub, method, resource, &address)),
    }
}

/// The error of a request that no line above takes: the resource is not there, or the method is not for it.
fn elsewhere(hub: &Hub, method: &str, resource: &[&str], address: &str) -> Error {
    let exists = match resource {
        [] => true,
        [
            "lights" | "groups" | "schedules" | "scenes" | "sensors" | "rules" | "resourcelinks"
            | "capabilities",
        ]
        | ["config"] => true,
        ["lights", number] | ["lights", number, "state"] => light(hub, number, address).is_ok(),
        ["groups", number] | ["groups", number, "action"] => group(hub, number, address).is_ok(),
        _ => false,
    };
    if exists { Error::no_method(method, address) } else { Error::no_resource(address) }
}

fn light(hub: &Hub, number: &str, address: &str) -> Result<usize, Error> {
    let index = numbered(number).and_then(|number| number.checked_sub(1));
    index.filter(|index| *index < hub.home.lights.len()).ok_or_else(|| Error::no_resource(address))
}

fn group(hub: &Hub, number: &str, address: &str) -> Result<usize, Error> {
    let index = numbered(number);
    index.filter(|index| *index < hub.home.groups.len()).ok_or_else(|| Error::no_resource(address))
}

/// A number as the hub itself writes it: `01` and `+1` name nothing.
fn numbered(text: &str) -> Option<usize> {
    text.parse::<usize>().ok().filter(|number| number.to_string() == text)
}

fn object(body: &[u8], address: &str) -> Result<Map<String, Value>, Error> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(map)) if map.is_empty() => Err(Error::missing(address)),
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) | Err(_) => Err(Error::no_json(address)),
    }
}

/// `PUT …/state` and `PUT …/action`.
fn command(
    hub: &mut Hub,
    now: Instant,
    target: Target,
    abilities: &Abilities,
    address: &str,
    body: &[u8],
) -> Result<Value, Error> {
    let parameters = object(body, address)?;
    let (change, outcomes) = state::read(abilities, &parameters, address);
    if hub.command(now, target, change) == Fate::Overrun {
        return Err(Error::overrun(address));
    }
    let as_text = hub.faults.error_type_as_text;
    let answers = outcomes.into_iter().map(|outcome| match outcome {
        Ok((parameter, value)) => json!({"success": {format!("{address}/{parameter}"): value}}),
        Err(error) => error.json(as_text),
    });
    Ok(answers.collect())
}

fn rename(hub: &mut Hub, now: Instant, index: usize, address: &str, body: &[u8]) -> Result<Value, Error> {
    let parameters = object(body, address)?;
    let as_text = hub.faults.error_type_as_text;
    let mut answers = Vec::new();
    for (parameter, value) in &parameters {
        let wrong = Error::invalid(address, parameter, value);
        answers.push(match (parameter.as_str(), value.as_str()) {
            ("name", Some(name)) if (1..=limits::NAME_CHARS).contains(&name.chars().count()) => {
                hub.alter(now, |home| name.clone_into(&mut home.lights[index].name));
                json!({"success": {format!("{address}/name"): name}})
            }
            ("name", _) => wrong.json(as_text),
            ("state" | "type" | "modelid" | "uniqueid" | "swversion", _) => {
                Error::read_only(address, parameter).json(as_text)
            }
            _ => Error::no_parameter(address, parameter).json(as_text),
        });
    }
    Ok(answers.into())
}

/// `POST /api`: a key for whoever is there while the button counts as pressed.
fn pair(hub: &mut Hub, now: Instant, body: &[u8]) -> Result<Value, Error> {
    let parameters = object(body, "")?;
    let Some(device_type) = parameters.get("devicetype") else { return Err(Error::missing("")) };
    for (parameter, value) in &parameters {
        let right = match parameter.as_str() {
            "devicetype" => value
                .as_str()
                .is_some_and(|text| (1..=limits::DEVICE_TYPE_CHARS).contains(&text.chars().count())),
            "generateclientkey" => value.is_boolean(),
            _ => return Err(Error::no_parameter("", parameter)),
        };
        if !right {
            return Err(Error::invalid("", parameter, value));
        }
    }
    let wall = hub.wall(now);
    let key =
        hub.keys.pair(now, wall, device_type.as_str().unwrap_or_default()).map_err(|cause| match cause {
            NoKey::NotPressed => Error::not_pressed(),
            NoKey::TooMany => Error::too_many(),
        })?;
    let mut success = json!({"username": key.key});
    if parameters.get("generateclientkey") == Some(&Value::Bool(true)) {
        success["clientkey"] = key.client_key.into();
    }
    Ok(json!([{"success": success}]))
}
