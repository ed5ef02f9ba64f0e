//! The same lights for Home Assistant, by its rules for MQTT lights with JSON: what a light is, how it is, what it is told.
//!
//! An intensity alone has no room for colour; this has.

use super::{
    core::Shown,
    level::{Level, Power},
    limits::TRANSITION_MAX,
    resource::{Abilities, Change, Kind, Resource, Tone, Warmths, Xy},
};
use luxwire_shared::model::{LightId, LightTopic};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Hue's own scale, so that nothing is rounded.
const BRIGHTNESS_MAX: u8 = 254;
/// What bulbs begin with: 2732 K.
const USUAL_MIREDS: u16 = 366;
/// Daylight, D65.
const WHITE: (f64, f64) = (0.3127, 0.329);

/// The topics of one light beside its intensity.
#[derive(Clone, Debug)]
pub(super) struct Topics {
    pub(super) config: String,
    pub(super) state: String,
    pub(super) command: String,
}

impl Topics {
    /// `prefix` is Home Assistant's, usually `homeassistant`.
    pub(super) fn new(prefix: &str, hub: &str, id: &LightId) -> Self {
        Self {
            config: format!("{prefix}/light/luxwire_hue_{hub}/{id}/config"),
            state: format!("luxwire/hue/{hub}/{id}/state"),
            command: format!("luxwire/hue/{hub}/{id}/set"),
        }
    }
}

/// What a light is. `service` is the topic that says whether this program runs.
pub(super) fn config(topics: &Topics, service: &str, hub: &str, id: &LightId, light: &Resource) -> Value {
    let Abilities { dims, warmth, colour } = light.abilities;
    let mut config = json!({
        "name": null,
        "unique_id": format!("luxwire_hue_{hub}_{id}"),
        "schema": "json",
        "command_topic": topics.command,
        "state_topic": topics.state,
        "qos": 1,
        "supported_color_modes": modes(light.abilities),
        "availability_mode": "all",
        "availability": [
            { "topic": service, "value_template": "{{ value_json.state }}" },
            { "topic": LightTopic::Availability(id.clone()).name().as_str() },
        ],
        "device": {
            "identifiers": [format!("luxwire_hue_{hub}_{id}")],
            "name": light.name,
            "manufacturer": light.maker.as_deref().unwrap_or("Philips Hue"),
            "model": light.model.as_deref().unwrap_or(match light.kind {
                Kind::Light => "Light",
                Kind::Room => "Room",
                Kind::Zone => "Zone",
            }),
        },
        "origin": { "name": "luxwire hue", "sw_version": env!("CARGO_PKG_VERSION") },
    });
    if dims || warmth.is_some() || colour {
        config["brightness"] = true.into();
        config["brightness_scale"] = BRIGHTNESS_MAX.into();
    }
    if let Some(Warmths { coldest, warmest }) = warmth {
        config["min_mireds"] = coldest.into();
        config["max_mireds"] = warmest.into();
    }
    config
}

fn modes(abilities: Abilities) -> Vec<&'static str> {
    let colours: Vec<_> = [(abilities.warmth.is_some(), "color_temp"), (abilities.colour, "xy")]
        .into_iter()
        .filter_map(|(has, mode)| has.then_some(mode))
        .collect();
    match colours[..] {
        // These two must stand alone.
        [] if abilities.dims => vec!["brightness"],
        [] => vec!["onoff"],
        _ => colours,
    }
}

/// How a light is. A light that is off has no brightness.
pub(super) fn state(shown: &Shown) -> Value {
    let Power::On(level) = shown.power else { return json!({ "state": "OFF" }) };
    let mut state = json!({ "state": "ON" });
    let Abilities { dims, warmth, colour } = shown.abilities;
    if dims || warmth.is_some() || colour {
        state["brightness"] = level.number().into();
    }
    match shown.tone {
        Some(Tone::Warmth(mireds)) if warmth.is_some() => {
            state["color_mode"] = "color_temp".into();
            state["color_temp"] = mireds.into();
        }
        Some(Tone::Colour(Xy { x, y })) if colour => {
            state["color_mode"] = "xy".into();
            state["color"] = json!({ "x": x, "y": y });
        }
        // Home Assistant wants a mode of every light that is on, and hubs say none of rooms: then it is white.
        _ => match (warmth, modes(shown.abilities).first()) {
            (Some(Warmths { coldest, warmest }), _) => {
                state["color_mode"] = "color_temp".into();
                state["color_temp"] = USUAL_MIREDS.clamp(coldest, warmest).into();
            }
            (None, Some(&"xy")) => {
                state["color_mode"] = "xy".into();
                state["color"] = json!({ "x": WHITE.0, "y": WHITE.1 });
            }
            (None, Some(mode)) => state["color_mode"] = (*mode).into(),
            (None, None) => {}
        },
    }
    state
}

/// What Home Assistant wants, and how bright; nothing if it cannot be understood.
pub(super) fn command(payload: &[u8], abilities: Abilities) -> Option<(Change, Option<Level>)> {
    let Value::Object(command) = serde_json::from_slice(payload).ok()? else { return None };
    let on = match command.get("state").map(Value::as_str) {
        None => None,
        Some(Some("ON")) => Some(true),
        Some(Some("OFF")) => Some(false),
        Some(_) => return None,
    };
    let brightness = match command.get("brightness") {
        None | Some(Value::Null) => None,
        Some(value) => Some(whole(value)?),
    };
    let transition = match command.get("transition") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let seconds = value.as_f64().filter(|seconds| (0.0..=1e6).contains(seconds))?;
            Some(Duration::from_secs_f64(seconds).min(TRANSITION_MAX))
        }
    };
    let tone = tone(&command, abilities).ok()?;
    let off = on == Some(false) || brightness == Some(0);
    if off {
        return Some((Change { on: Some(false), transition, ..Change::default() }, None));
    }
    if on.is_none() && brightness.is_none() && tone.is_none() {
        return None;
    }
    let level = brightness.map(Level::clamped);
    Some((Change { on: Some(true), intensity: None, tone, transition }, level))
}

/// A value that is no number of this kind is an error; one that the light does not have is not.
fn tone(command: &Map<String, Value>, abilities: Abilities) -> Result<Option<Tone>, ()> {
    if let Some(mireds) = command.get("color_temp").filter(|value| !value.is_null()) {
        let mireds = whole(mireds).ok_or(())?;
        return Ok(abilities.warmth.map(|Warmths { coldest, warmest }| {
            let mireds = mireds.clamp(coldest.into(), warmest.into());
            Tone::Warmth(u16::try_from(mireds).unwrap_or(coldest))
        }));
    }
    let Some(colour) = command.get("color").filter(|value| !value.is_null()) else { return Ok(None) };
    let axis = |name: &str| colour.get(name).and_then(Value::as_f64).ok_or(());
    let point = Xy::new(axis("x")?, axis("y")?).ok_or(())?;
    Ok(abilities.colour.then_some(Tone::Colour(point)))
}

fn whole(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_f64().filter(|number| number.abs() < 1e6).map(|number| number.round() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hue::resource::Report;

    const ALL: Abilities = Abilities { dims: true, warmth: Some(Warmths::ALL), colour: true };

    fn light(abilities: Abilities) -> Resource {
        Resource {
            key: "/lights/1".to_owned(),
            key_v1: None,
            kind: Kind::Light,
            name: "Desk".to_owned(),
            model: None,
            maker: None,
            abilities,
            report: Report::default(),
        }
    }

    #[test]
    fn a_light_says_what_it_can() {
        let id = LightId::try_from("hue-desk").unwrap();
        let topics = Topics::new("homeassistant", "001788fffe123456", &id);
        let told =
            |abilities| config(&topics, "luxwire/hue/x/status", "001788fffe123456", &id, &light(abilities));
        assert_eq!(topics.config, "homeassistant/light/luxwire_hue_001788fffe123456/hue-desk/config");
        let all = told(ALL);
        assert_eq!(all["supported_color_modes"], json!(["color_temp", "xy"]));
        assert_eq!((&all["min_mireds"], &all["max_mireds"]), (&json!(153), &json!(500)));
        assert_eq!(
            told(Abilities { dims: true, ..Abilities::default() })["supported_color_modes"],
            json!(["brightness"])
        );
        let plug = told(Abilities::default());
        assert_eq!(plug["supported_color_modes"], json!(["onoff"]));
        assert!(plug.get("brightness").is_none());
    }

    #[test]
    fn a_state_has_one_colour_and_never_a_brightness_of_zero() {
        let shown = |power, tone| state(&Shown { power, tone, abilities: ALL });
        assert_eq!(shown(Power::Off, Some(Tone::Warmth(300))), json!({ "state": "OFF" }));
        let on = Power::On(Level::clamped(0));
        assert_eq!(
            shown(on, Some(Tone::Warmth(300))),
            json!({ "state": "ON", "brightness": 1, "color_mode": "color_temp", "color_temp": 300 })
        );
        assert_eq!(shown(on, None)["color_mode"], "color_temp", "a room says none");
        let red = Xy::new(0.7, 0.3).map(Tone::Colour);
        assert_eq!(shown(on, red)["color"], json!({ "x": 0.7, "y": 0.3 }));
    }

    #[test]
    fn commands_are_understood_or_refused_as_a_whole() {
        let told = |payload: &str| command(payload.as_bytes(), ALL);
        let (change, level) =
            told(r#"{"state":"ON","brightness":127,"color":{"x":0.4,"y":0.5},"transition":2.5}"#).unwrap();
        assert_eq!((change.on, level), (Some(true), Some(Level::clamped(127))));
        assert_eq!(change.transition, Some(Duration::from_millis(2_500)));
        assert_eq!(told(r#"{"state":"ON","brightness":0}"#).unwrap().0.on, Some(false));
        assert_eq!(told(r#"{"state":"ON","color_temp":9}"#).unwrap().0.tone, Some(Tone::Warmth(153)));
        for bad in [
            "",
            "ON",
            "[]",
            "{}",
            r#"{"state":"on"}"#,
            r#"{"state":"ON","brightness":"high"}"#,
            r#"{"color":{"x":2,"y":0}}"#,
            r#"{"state":"ON","transition":-1}"#,
        ] {
            assert_eq!(told(bad), None, "{bad}");
        }
        let plug = command(br#"{"state":"ON","color_temp":300}"#, Abilities::default()).unwrap().0;
        assert_eq!(plug.tone, None);
    }
}
