//! What v1 tells about the hub, its lights and its groups.

use super::super::{
    colour::{GAMUT_C, MIREK},
    date::iso,
    home::{GroupKind, Home},
    hub::Hub,
    light::{Alert, ColourMode, Kind, Light},
    limits,
};
use luxwire_shared::time::Instant;
use serde_json::{Map, Value, json};

/// What the hub says it is: a square one of the second generation, with an interface of 2024.
pub(crate) const MODEL: &str = "BSB002";
pub(crate) const API_VERSION: &str = "1.64.0";
pub(crate) const SOFTWARE: &str = "1964154010";
/// What the hub is called.
pub(crate) const NAME: &str = "Luxwire pretend hub";

/// What everybody may know.
pub(crate) fn short_config(home: &Home) -> Value {
    json!({
        "name": NAME,
        "datastoreversion": "163",
        "swversion": SOFTWARE,
        "apiversion": API_VERSION,
        "mac": home.id.mac(),
        "bridgeid": home.id.as_str().to_ascii_uppercase(),
        "factorynew": false,
        "replacesbridgeid": null,
        "modelid": MODEL,
        "starterkitid": "",
    })
}

pub(crate) fn config(hub: &Hub, now: Instant) -> Value {
    let date = iso(hub.wall(now));
    let whitelist: Map<String, Value> = hub
        .keys
        .all()
        .iter()
        .map(|key| {
            let entry = json!({"last use date": date, "create date": key.created, "name": key.device_type});
            (key.key.clone(), entry)
        })
        .collect();
    let mut config = short_config(&hub.home);
    config["linkbutton"] = hub.keys.pressed_until(now).is_some().into();
    config["UTC"] = date.clone().into();
    config["localtime"] = date.into();
    config["timezone"] = "Europe/Amsterdam".into();
    config["zigbeechannel"] = 25.into();
    config["dhcp"] = true.into();
    config["portalservices"] = false.into();
    config["whitelist"] = whitelist.into();
    config
}

pub(crate) fn everything(hub: &Hub, now: Instant) -> Value {
    json!({
        "lights": lights(&hub.home),
        "groups": groups(&hub.home),
        "config": config(hub, now),
        "schedules": {}, "scenes": {}, "rules": {}, "sensors": {}, "resourcelinks": {},
    })
}

pub(crate) fn capabilities(home: &Home) -> Value {
    let room = |max: usize, used: usize| json!({"available": max.saturating_sub(used), "total": max});
    json!({
        "lights": room(limits::LIGHTS, home.lights.len()),
        "groups": room(limits::GROUPS, home.groups.len() - 1),
    })
}

pub(crate) fn lights(home: &Home) -> Value {
    (0..home.lights.len())
        .map(|index| ((index + 1).to_string(), light(home, index)))
        .collect::<Map<_, _>>()
        .into()
}

pub(crate) fn light(home: &Home, index: usize) -> Value {
    let light = &home.lights[index];
    let product = Product::of(light.kind);
    let mut control = json!({});
    if light.kind.dims() {
        control["mindimlevel"] = 200.into();
        control["maxlumen"] = 806.into();
    }
    if light.kind.has_temperature() {
        control["ct"] = json!({"min": MIREK.0, "max": MIREK.1});
    }
    if light.kind.has_colour() {
        control["colorgamuttype"] = "C".into();
        control["colorgamut"] = GAMUT_C.iter().map(|corner| json!([corner.x, corner.y])).collect();
    }
    json!({
        "state": state(light),
        "swupdate": {"state": "noupdates", "lastinstall": "2024-03-01T09:30:00"},
        "type": product.v1_type,
        "name": light.name,
        "modelid": product.model,
        "manufacturername": "Signify Netherlands B.V.",
        "productname": product.name,
        "capabilities": {
            "certified": true,
            "control": control,
            "streaming": {"renderer": light.kind.has_colour(), "proxy": light.kind.has_colour()},
        },
        "config": {
            "archetype": product.archetype.replace('_', ""),
            "function": product.function,
            "direction": "omnidirectional",
            "startup": {"mode": "safety", "configured": true},
        },
        "uniqueid": home.id.zigbee_id(index),
        "swversion": product.software,
    })
}

fn state(light: &Light) -> Value {
    let state = &light.state;
    let mut shown = json!({
        "on": state.on,
        "alert": match light.alert {
            Alert::None => "none",
            Alert::Select => "select",
            Alert::LongSelect => "lselect",
        },
        "mode": "homeautomation",
        "reachable": light.reachable,
    });
    if light.kind.dims() {
        shown["bri"] = state.bri.into();
    }
    if light.kind.has_temperature() {
        shown["ct"] = state.mirek.into();
        shown["colormode"] = match state.mode {
            ColourMode::Temperature => "ct",
            ColourMode::Xy => "xy",
            ColourMode::HueSat => "hs",
        }
        .into();
    }
    if light.kind.has_colour() {
        shown["hue"] = state.hue.into();
        shown["sat"] = state.sat.into();
        shown["xy"] = json!([state.xy.x, state.xy.y]);
        shown["effect"] = if state.colour_loop { "colorloop" } else { "none" }.into();
    }
    shown
}

/// All but group 0, which v1 does not list.
pub(crate) fn groups(home: &Home) -> Value {
    (1..home.groups.len()).map(|index| (index.to_string(), group(home, index))).collect::<Map<_, _>>().into()
}

pub(crate) fn group(home: &Home, index: usize) -> Value {
    let group = &home.groups[index];
    let together = home.together(index);
    let numbers: Vec<String> = group.lights.iter().map(|light| (light + 1).to_string()).collect();
    let (kind, name) = match group.kind {
        GroupKind::Home => ("LightGroup", "Group 0"),
        GroupKind::Room => ("Room", group.name.as_str()),
        GroupKind::Zone => ("Zone", group.name.as_str()),
    };
    // A group's last action; its first light stands in for it.
    let action = group.lights.first().map_or_else(|| json!({}), |light| state(&home.lights[*light]));
    let mut shown = json!({
        "name": name,
        "lights": numbers,
        "sensors": [],
        "type": kind,
        "state": {"all_on": together.all_on, "any_on": together.any_on},
        "recycle": false,
        "action": action,
    });
    if group.kind != GroupKind::Home {
        shown["class"] = room_class(&group.name).into();
    }
    if let Some(action) = shown["action"].as_object_mut() {
        action.remove("reachable");
        action.remove("mode");
    }
    shown
}

/// v1's word for a kind of room; v2's has underscores and small letters.
pub(crate) fn room_class(name: &str) -> &'static str {
    const CLASSES: [&str; 8] =
        ["Living room", "Kitchen", "Dining", "Bedroom", "Bathroom", "Office", "Hallway", "Garden"];
    CLASSES.into_iter().find(|class| name.starts_with(class)).unwrap_or("Other")
}

/// What a kind of light is called in shops and in the interfaces.
pub(crate) struct Product {
    pub(crate) v1_type: &'static str,
    pub(crate) model: &'static str,
    pub(crate) name: &'static str,
    pub(crate) archetype: &'static str,
    pub(crate) function: &'static str,
    pub(crate) software: &'static str,
}

impl Product {
    pub(crate) fn of(kind: Kind) -> Self {
        let (v1_type, model, name, archetype, function, software) = match kind {
            Kind::Plug => {
                ("On/Off plug-in unit", "LOM001", "Hue smart plug", "plug", "functional", "1.104.2")
            }
            Kind::White => {
                ("Dimmable light", "LWA017", "Hue white lamp", "classic_bulb", "functional", "1.108.7")
            }
            Kind::Ambiance => (
                "Color temperature light",
                "LTA001",
                "Hue ambiance lamp",
                "classic_bulb",
                "functional",
                "1.108.7",
            ),
            Kind::Colour => {
                ("Extended color light", "LCA001", "Hue color lamp", "sultan_bulb", "mixed", "1.108.7")
            }
        };
        Self { v1_type, model, name, archetype, function, software }
    }
}
