//! Reading the body of a v2 `PUT`: one wrong attribute and nothing of it is done.

use super::{
    super::{
        colour::{MIREK, Xy},
        home::{Home, Target},
        light::{Alert, Bri, Change, Colour, bri_of_percent},
    },
    is_name,
};
use serde_json::{Map, Value};
use std::time::Duration;

/// A body that is right.
#[derive(Debug, PartialEq)]
pub(crate) struct Described {
    pub(crate) change: Change,
    pub(crate) without_effect: Vec<WithoutEffect>,
}

/// A part of the command that the light will not follow, for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WithoutEffect {
    /// The light is switched off.
    Off(&'static str),
    /// The light is out of reach.
    Gone(&'static str),
}

impl WithoutEffect {
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Off(command) => format!("is \"soft off\", command ({command}) may not have effect"),
            Self::Gone(command) => {
                format!("has communication issues, command ({command}) may not have effect")
            }
        }
    }

    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Off(_) => "attribute_may_have_no_effect",
            Self::Gone(_) => "communication_error",
        }
    }
}

/// Why a body is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It is not what the schema says: the rule, and where.
    Schema { keyword: &'static str, at: String, actual: String },
    /// The light has no such thing.
    CannotDo(&'static str),
}

impl Wrong {
    pub(crate) fn unknown(name: &str) -> Self {
        Self::Schema { keyword: "additionalProperties", at: "#".into(), actual: name.into() }
    }

    fn schema(keyword: &'static str, at: &str, actual: &Value) -> Self {
        let mut actual = actual.to_string();
        actual.truncate(actual.floor_char_boundary(64));
        Self::Schema { keyword, at: at.into(), actual }
    }

    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Schema { keyword, at, actual } => format!(
                "error: 'json-schema validation', keyword: '{keyword}', details: {{actual: {actual}, instanceRef: '{at}'}}"
            ),
            Self::CannotDo(attribute) => format!("does not support attribute ({attribute})"),
        }
    }
}

/// The new name, if the body has one.
pub(crate) fn name(body: &Map<String, Value>) -> Result<Option<String>, Wrong> {
    let Some(metadata) = body.get("metadata") else { return Ok(None) };
    let at = "#/metadata";
    let metadata = object(metadata, at, &["name", "archetype", "function"])?;
    let Some(value) = metadata.get("name") else { return Ok(None) };
    let name = value.as_str().ok_or_else(|| Wrong::schema("type", "#/metadata/name", value))?;
    if is_name(name) {
        Ok(Some(name.into()))
    } else {
        Err(Wrong::schema("maxLength", "#/metadata/name", value))
    }
}

/// Reads what shall become of a light or of a group's lights.
pub(crate) fn read(home: &Home, target: Target, body: &Map<String, Value>) -> Result<Described, Wrong> {
    let mut change = Change::default();
    // What the command has besides `on`, by the name that errors give it.
    let mut asked = Vec::new();
    for (name, value) in body {
        match name.as_str() {
            "type" | "id" | "metadata" => {}
            "on" => {
                let on = member(value, "#/on", "on", &["on"])?;
                change.on = Some(on.as_bool().ok_or_else(|| Wrong::schema("type", "#/on/on", on))?);
            }
            "dimming" => {
                let at = "#/dimming/brightness";
                let percent =
                    number(member(value, "#/dimming", "brightness", &["brightness"])?, at, 0.0, 100.0)?;
                change.bri = Some(Bri::To(bri_of_percent(percent)));
                asked.push(".dimming.brightness");
            }
            "dimming_delta" => {
                let step = delta(value, "#/dimming_delta", "brightness_delta", 100.0)?;
                let bri = step / 100.0 * 254.0;
                if bri != 0.0 && change.bri.is_none() {
                    change.bri = Some(Bri::By(bri.round() as i16));
                }
                asked.push(".dimming_delta");
            }
            "color_temperature" => {
                let mirek = member(value, "#/color_temperature", "mirek", &["mirek"])?;
                let mirek = integer(mirek, "#/color_temperature/mirek", MIREK.0.into(), MIREK.1.into())?;
                if !matches!(change.colour, Some(Colour::Xy(_))) {
                    change.colour = Some(Colour::Temperature(mirek as u16));
                }
                asked.push(".color_temperature.mirek");
            }
            "color_temperature_delta" => {
                let step = delta(value, "#/color_temperature_delta", "mirek_delta", 347.0)?;
                if step != 0.0 && change.colour.is_none() {
                    change.colour = Some(Colour::WarmerBy(step.round() as i32));
                }
                asked.push(".color_temperature_delta");
            }
            "color" => {
                let xy = object(member(value, "#/color", "xy", &["xy"])?, "#/color/xy", &["x", "y"])?;
                let coordinate = |name: &str| {
                    let at = format!("#/color/xy/{name}");
                    number(xy.get(name).ok_or_else(|| missing(&at))?, &at, 0.0, 1.0)
                };
                change.colour = Some(Colour::Xy(Xy { x: coordinate("x")?, y: coordinate("y")? }));
                asked.push(".color.xy");
            }
            "dynamics" => {
                let dynamics = object(value, "#/dynamics", &["duration", "speed"])?;
                if let Some(duration) = dynamics.get("duration") {
                    let ms = integer(duration, "#/dynamics/duration", 0, 6_000_000)?;
                    change.fade = Some(Duration::from_millis(ms as u64));
                }
                if let Some(speed) = dynamics.get("speed") {
                    number(speed, "#/dynamics/speed", 0.0, 1.0)?;
                }
            }
            "alert" => {
                one_of(member(value, "#/alert", "action", &["action"])?, "#/alert/action", &["breathe"])?;
                change.alert = Some(Alert::Select);
            }
            "effects" => {
                let effect = member(value, "#/effects", "effect", &["effect"])?;
                let effects = ["no_effect", "prism"];
                change.colour_loop = Some(one_of(effect, "#/effects/effect", &effects)? == "prism");
                asked.push(".effects.effect");
            }
            strange => return Err(Wrong::unknown(strange)),
        }
    }
    let without_effect = judge(home, target, &change, &asked)?;
    Ok(Described { change, without_effect })
}

/// Compares what is asked for with what the target can do at this moment.
fn judge(
    home: &Home,
    target: Target,
    change: &Change,
    asked: &[&'static str],
) -> Result<Vec<WithoutEffect>, Wrong> {
    let mut lights = home.members(target).iter().map(|index| &home.lights[*index]);
    if let (Target::Light(_), Some(light)) = (target, lights.clone().next()) {
        let kind = light.kind;
        let cannot = asked.iter().find(|attribute| match attribute.split('.').nth(1) {
            Some("dimming" | "dimming_delta") => !kind.dims(),
            Some("color_temperature" | "color_temperature_delta") => !kind.has_temperature(),
            Some("color" | "effects") => !kind.has_colour(),
            _ => false,
        });
        if let Some(attribute) = cannot {
            return Err(Wrong::CannotDo(attribute.split('.').nth(1).unwrap_or_default()));
        }
        if !light.reachable {
            let on = change.on.map(|_| ".on.on");
            return Ok(on.into_iter().chain(asked.iter().copied()).map(WithoutEffect::Gone).collect());
        }
    }
    let on = change.on.unwrap_or_else(|| lights.any(|light| light.will_be_on));
    if on { Ok(Vec::new()) } else { Ok(asked.iter().copied().map(WithoutEffect::Off).collect()) }
}

fn missing(at: &str) -> Wrong {
    Wrong::Schema { keyword: "required", at: at.into(), actual: "nothing".into() }
}

/// An object that has no other members than these.
fn object<'a>(value: &'a Value, at: &str, known: &[&str]) -> Result<&'a Map<String, Value>, Wrong> {
    let object = value.as_object().ok_or_else(|| Wrong::schema("type", at, value))?;
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(strange) => {
            Err(Wrong::Schema { keyword: "additionalProperties", at: at.into(), actual: strange.clone() })
        }
        None => Ok(object),
    }
}

fn member<'a>(value: &'a Value, at: &str, name: &str, known: &[&str]) -> Result<&'a Value, Wrong> {
    object(value, at, known)?.get(name).ok_or_else(|| missing(&format!("{at}/{name}")))
}

fn number(value: &Value, at: &str, min: f64, max: f64) -> Result<f64, Wrong> {
    let number = value.as_f64().ok_or_else(|| Wrong::schema("type", at, value))?;
    if number < min {
        Err(Wrong::schema("minimum", at, value))
    } else if number > max {
        Err(Wrong::schema("maximum", at, value))
    } else {
        Ok(number)
    }
}

fn integer(value: &Value, at: &str, min: i64, max: i64) -> Result<i64, Wrong> {
    let integer = value.as_i64().ok_or_else(|| Wrong::schema("type", at, value))?;
    number(value, at, min as f64, max as f64)?;
    Ok(integer)
}

fn one_of<'a>(value: &'a Value, at: &str, known: &[&str]) -> Result<&'a str, Wrong> {
    value.as_str().filter(|text| known.contains(text)).ok_or_else(|| Wrong::schema("enum", at, value))
}

/// `{"action": "up", "…_delta": n}` as a step; `stop` is none.
fn delta(value: &Value, at: &str, amount: &str, max: f64) -> Result<f64, Wrong> {
    let delta = object(value, at, &["action", amount])?;
    let action = delta.get("action").ok_or_else(|| missing(&format!("{at}/action")))?;
    let sign = match one_of(action, &format!("{at}/action"), &["up", "down", "stop"])? {
        "up" => 1.0,
        "down" => -1.0,
        _ => return Ok(0.0),
    };
    let at = format!("{at}/{amount}");
    Ok(sign * number(delta.get(amount).ok_or_else(|| missing(&at))?, &at, 0.0, max)?)
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{home::BridgeId, light::Change},
        *,
    };
    use serde_json::json;

    fn home() -> Home {
        Home::new(BridgeId::new([1, 2, 3]), &"C:colour,W:white,P:plug".parse().unwrap())
    }

    fn read_of(light: usize, body: Value) -> Result<Described, Wrong> {
        read(&home(), Target::Light(light), body.as_object().unwrap())
    }

    #[test]
    fn a_whole_command_is_read() {
        let body = json!({
            "type": "light", "id": "x", "on": {"on": true}, "dimming": {"brightness": 50.0},
            "color": {"xy": {"x": 0.3, "y": 0.4}}, "dynamics": {"duration": 200}, "alert": {"action": "breathe"},
        });
        let described = read_of(0, body).unwrap();
        let expected = Change {
            on: Some(true),
            bri: Some(Bri::To(127)),
            colour: Some(Colour::Xy(Xy { x: 0.3, y: 0.4 })),
            alert: Some(Alert::Select),
            fade: Some(Duration::from_millis(200)),
            ..Change::default()
        };
        assert_eq!(described, Described { change: expected, without_effect: Vec::new() });
    }

    #[test]
    fn what_the_schema_does_not_know_is_refused() {
        let check = |body: Value, expected_keyword: &str, expected_at: &str| match read_of(0, body.clone()) {
            Err(Wrong::Schema { keyword, at, .. }) => {
                assert_eq!((keyword, at.as_str()), (expected_keyword, expected_at), "{body}");
            }
            other => panic!("{body}: {other:?}"),
        };
        check(json!({"bri": 5}), "additionalProperties", "#");
        check(json!({"on": true}), "type", "#/on");
        check(json!({"on": {"on": 1}}), "type", "#/on/on");
        check(json!({"on": {}}), "required", "#/on/on");
        check(json!({"on": {"on": true, "off": false}}), "additionalProperties", "#/on");
        check(json!({"dimming": {"brightness": 100.1}}), "maximum", "#/dimming/brightness");
        check(json!({"dimming": {"brightness": -1}}), "minimum", "#/dimming/brightness");
        check(json!({"dimming": {"brightness": "50"}}), "type", "#/dimming/brightness");
        check(json!({"color_temperature": {"mirek": 501}}), "maximum", "#/color_temperature/mirek");
        check(json!({"color_temperature": {"mirek": 152}}), "minimum", "#/color_temperature/mirek");
        check(json!({"color_temperature": {"mirek": 200.5}}), "type", "#/color_temperature/mirek");
        check(json!({"color": {"xy": {"x": 0.3}}}), "required", "#/color/xy/y");
        check(json!({"color": {"xy": {"x": 0.3, "y": 1.1}}}), "maximum", "#/color/xy/y");
        check(json!({"dynamics": {"duration": 1.5}}), "type", "#/dynamics/duration");
        check(json!({"dynamics": {"duration": -1}}), "minimum", "#/dynamics/duration");
        check(json!({"alert": {"action": "shout"}}), "enum", "#/alert/action");
        check(json!({"dimming_delta": {"action": "up"}}), "required", "#/dimming_delta/brightness_delta");
    }

    #[test]
    fn zero_is_the_lowest_level_and_not_off() {
        let change = read_of(0, json!({"dimming": {"brightness": 0}})).unwrap().change;
        assert_eq!((change.on, change.bri), (None, Some(Bri::To(1))));
    }

    #[test]
    fn a_light_is_not_asked_for_what_it_cannot_do() {
        assert_eq!(read_of(2, json!({"dimming": {"brightness": 5}})), Err(Wrong::CannotDo("dimming")));
        let mirek = json!({"color_temperature": {"mirek": 200}});
        assert_eq!(read_of(1, mirek.clone()), Err(Wrong::CannotDo("color_temperature")));
        assert!(read(&home(), Target::Group(0), mirek.as_object().unwrap()).is_ok(), "a group is");
    }

    #[test]
    fn lights_that_are_off_or_gone_say_so() {
        let mut home = home();
        home.lights[0].will_be_on = false;
        let body = json!({"dimming": {"brightness": 5}});
        let described = read(&home, Target::Light(0), body.as_object().unwrap()).unwrap();
        assert_eq!(described.without_effect, [WithoutEffect::Off(".dimming.brightness")]);
        home.lights[0].reachable = false;
        let body = json!({"on": {"on": true}});
        let described = read(&home, Target::Light(0), body.as_object().unwrap()).unwrap();
        assert_eq!(described.without_effect, [WithoutEffect::Gone(".on.on")]);
    }
}
