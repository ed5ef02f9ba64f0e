//! The resources of v2: what exists, what each looks like, and which part of it an event repeats.

use super::super::{
    colour::{GAMUT_C, MIREK, Xy},
    home::{GroupKind, Home, Together},
    hub::map,
    light::{Light, State},
    v1::{API_VERSION, MODEL, NAME, Product, SOFTWARE, room_class},
};
use serde_json::{Map, Value, json};

/// A resource, by the index of what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Light(usize),
    GroupedLight(usize),
    /// 0 is the hub's own device, 1 that of the first light.
    Device(usize),
    /// As with devices.
    Connectivity(usize),
    Room(usize),
    Zone(usize),
    BridgeHome,
    Bridge,
}

const TYPES: [&str; 8] =
    ["bridge", "bridge_home", "device", "grouped_light", "light", "room", "zigbee_connectivity", "zone"];

impl Known {
    pub(crate) fn is_type(kind: &str) -> bool {
        TYPES.contains(&kind)
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Light(_) => "light",
            Self::GroupedLight(_) => "grouped_light",
            Self::Device(_) => "device",
            Self::Connectivity(_) => "zigbee_connectivity",
            Self::Room(_) => "room",
            Self::Zone(_) => "zone",
            Self::BridgeHome => "bridge_home",
            Self::Bridge => "bridge",
        }
    }

    fn id(self, home: &Home) -> String {
        let number = match self {
            Self::Light(index)
            | Self::GroupedLight(index)
            | Self::Device(index)
            | Self::Connectivity(index)
            | Self::Room(index)
            | Self::Zone(index) => index,
            Self::BridgeHome | Self::Bridge => 0,
        };
        home.id.uuid(&format!("{}/{number}", self.kind()))
    }

    fn reference(self, home: &Home) -> Value {
        json!({"rid": self.id(home), "rtype": self.kind()})
    }
}

fn known(home: &Home) -> impl Iterator<Item = Known> {
    let groups = home.groups.iter().enumerate().map(|(index, group)| match group.kind {
        GroupKind::Home => Known::BridgeHome,
        GroupKind::Room => Known::Room(index),
        GroupKind::Zone => Known::Zone(index),
    });
    let lights = home.lights.len();
    (0..=lights)
        .map(Known::Device)
        .chain((0..lights).map(Known::Light))
        .chain((0..=lights).map(Known::Connectivity))
        .chain(groups)
        .chain((0..home.groups.len()).map(Known::GroupedLight))
        .chain([Known::Bridge])
}

pub(crate) fn everything(home: &Home) -> Vec<Value> {
    known(home).map(|known| resource(home, known)).collect()
}

pub(crate) fn all_of(home: &Home, kind: &str) -> Vec<Value> {
    known(home).filter(|known| known.kind() == kind).map(|known| resource(home, known)).collect()
}

pub(crate) fn find(home: &Home, kind: &str, id: &str) -> Option<Known> {
    known(home).find(|known| known.kind() == kind && known.id(home) == id)
}

/// One resource, whole.
pub(crate) fn resource(home: &Home, known: Known) -> Value {
    match known {
        Known::Light(index) => light(home, index),
        Known::GroupedLight(index) => {
            let mut shown = grouped_light_header(home, index);
            shown.extend(together(&home.together(index)));
            shown.extend(map(json!({
                "dimming_delta": {}, "color_temperature": {}, "color_temperature_delta": {}, "color": {}, "dynamics": {},
                "alert": {"action_values": ["breathe"]},
                "signaling": {"signal_values": ["no_signal", "on_off"]},
            })));
            shown.into()
        }
        Known::Device(0) => json!({
            "id": known.id(home), "type": "device",
            "product_data": {
                "model_id": MODEL, "manufacturer_name": "Signify Netherlands B.V.", "product_name": "Hue Bridge",
                "product_archetype": "bridge_v2", "certified": true, "software_version": software(),
            },
            "metadata": {"name": NAME, "archetype": "bridge_v2"},
            "identify": {},
            "services": [Known::Bridge.reference(home), Known::Connectivity(0).reference(home)],
        }),
        Known::Device(number) => device(home, number - 1),
        Known::Connectivity(0) => json!({
            "id": known.id(home), "type": "zigbee_connectivity", "owner": Known::Device(0).reference(home),
            "status": "connected", "mac_address": home.id.mac(),
        }),
        Known::Connectivity(number) => {
            let index = number - 1;
            let mut shown = connectivity_header(home, index);
            shown.insert("status".into(), connectivity(&home.lights[index]).into());
            let address = home.id.zigbee_id(index);
            shown.insert("mac_address".into(), address.trim_end_matches("-0b").into());
            shown.into()
        }
        Known::Room(index) | Known::Zone(index) => {
            let group = &home.groups[index];
            let child = |light: &usize| match group.kind {
                GroupKind::Zone => Known::Light(*light).reference(home),
                GroupKind::Home | GroupKind::Room => Known::Device(light + 1).reference(home),
            };
            let archetype = room_class(&group.name).to_ascii_lowercase().replace(' ', "_");
            json!({
                "id": known.id(home), "id_v1": format!("/groups/{index}"), "type": known.kind(),
                "children": group.lights.iter().map(child).collect::<Vec<_>>(),
                "services": [Known::GroupedLight(index).reference(home)],
                "metadata": {"name": group.name, "archetype": archetype},
            })
        }
        Known::BridgeHome => {
            let rooms = (0..home.groups.len()).filter(|index| home.groups[*index].kind == GroupKind::Room);
            let mut children: Vec<_> = rooms.map(|index| Known::Room(index).reference(home)).collect();
            children.push(Known::Device(0).reference(home));
            json!({
                "id": known.id(home), "id_v1": "/groups/0", "type": "bridge_home", "children": children,
                "services": [Known::GroupedLight(0).reference(home)],
            })
        }
        Known::Bridge => json!({
            "id": known.id(home), "type": "bridge", "owner": Known::Device(0).reference(home),
            "bridge_id": home.id.as_str(), "time_zone": {"time_zone": "Europe/Amsterdam"},
        }),
    }
}

fn light(home: &Home, index: usize) -> Value {
    let light = &home.lights[index];
    let product = Product::of(light.kind);
    let mut shown = light_header(home, index);
    shown.extend(features(light));
    shown.extend(map(json!({
        "metadata": {"name": light.name, "archetype": product.archetype, "function": product.function},
        "product_data": {"function": product.function},
        "identify": {}, "service_id": 0, "mode": "normal",
        "alert": {"action_values": ["breathe"]},
        "dynamics": {"status": "none", "status_values": ["none"], "speed": 0.0, "speed_valid": false},
        "signaling": {"signal_values": ["no_signal", "on_off"]},
    })));
    if let Some(dimming) = shown.get_mut("dimming") {
        dimming["min_dim_level"] = 0.2.into();
        shown.insert("dimming_delta".into(), json!({}));
    }
    if let Some(temperature) = shown.get_mut("color_temperature") {
        temperature["mirek_schema"] = json!({"mirek_minimum": MIREK.0, "mirek_maximum": MIREK.1});
        shown.insert("color_temperature_delta".into(), json!({}));
    }
    if let Some(colour) = shown.get_mut("color") {
        let [red, green, blue] = GAMUT_C.map(xy);
        colour["gamut"] = json!({"red": red, "green": green, "blue": blue});
        colour["gamut_type"] = "C".into();
        shown.insert(
            "effects".into(),
            json!({
                "status": if light.state.colour_loop { "prism" } else { "no_effect" },
                "status_values": ["no_effect", "prism"], "effect_values": ["no_effect", "prism"],
            }),
        );
    }
    shown.into()
}

fn device(home: &Home, index: usize) -> Value {
    let light = &home.lights[index];
    let product = Product::of(light.kind);
    let mut shown = device_header(home, index);
    shown.extend(map(json!({
        "product_data": {
            "model_id": product.model, "manufacturer_name": "Signify Netherlands B.V.", "product_name": product.name,
            "product_archetype": product.archetype, "certified": true, "software_version": product.software,
        },
        "metadata": {"name": light.name, "archetype": product.archetype},
        "identify": {},
        "services": [Known::Light(index).reference(home), Known::Connectivity(index + 1).reference(home)],
    })));
    shown.into()
}

fn software() -> String {
    let series = API_VERSION.split('.').take(2).collect::<Vec<_>>().join(".");
    format!("{series}.{SOFTWARE}")
}

/// Which light an event is about.
pub(crate) fn light_header(home: &Home, index: usize) -> Map<String, Value> {
    map(json!({
        "id": Known::Light(index).id(home), "id_v1": format!("/lights/{}", index + 1), "type": "light",
        "owner": Known::Device(index + 1).reference(home),
    }))
}

pub(crate) fn device_header(home: &Home, index: usize) -> Map<String, Value> {
    map(json!({
        "id": Known::Device(index + 1).id(home), "id_v1": format!("/lights/{}", index + 1), "type": "device",
    }))
}

pub(crate) fn connectivity_header(home: &Home, index: usize) -> Map<String, Value> {
    map(json!({
        "id": Known::Connectivity(index + 1).id(home), "id_v1": format!("/lights/{}", index + 1),
        "type": "zigbee_connectivity", "owner": Known::Device(index + 1).reference(home),
    }))
}

pub(crate) fn grouped_light_header(home: &Home, index: usize) -> Map<String, Value> {
    let owner = match home.groups[index].kind {
        GroupKind::Home => Known::BridgeHome,
        GroupKind::Room => Known::Room(index),
        GroupKind::Zone => Known::Zone(index),
    };
    map(json!({
        "id": Known::GroupedLight(index).id(home), "id_v1": format!("/groups/{index}"), "type": "grouped_light",
        "owner": owner.reference(home),
    }))
}

/// `status` of a `zigbee_connectivity`.
pub(crate) fn connectivity(light: &Light) -> &'static str {
    if light.reachable { "connected" } else { "connectivity_issue" }
}

/// A light's features, as far as they can change.
pub(crate) fn features(light: &Light) -> Map<String, Value> {
    features_of(light, &light.state)
}

/// Those features that are not as they were.
pub(crate) fn changed_features(light: &Light, before: &State) -> Map<String, Value> {
    if light.state == *before {
        return Map::new();
    }
    let before = features_of(light, before);
    features(light).into_iter().filter(|(name, value)| before.get(name) != Some(value)).collect()
}

fn features_of(light: &Light, state: &State) -> Map<String, Value> {
    use super::super::light::ColourMode;
    let mut features = map(json!({"on": {"on": state.on}}));
    if light.kind.dims() {
        features.insert("dimming".into(), json!({"brightness": state.percent()}));
    }
    if light.kind.has_temperature() {
        let valid = state.mode == ColourMode::Temperature;
        let mirek = if valid { json!(state.mirek) } else { Value::Null };
        features.insert("color_temperature".into(), json!({"mirek": mirek, "mirek_valid": valid}));
    }
    if light.kind.has_colour() {
        features.insert("color".into(), json!({"xy": xy(state.xy)}));
    }
    features
}

fn together(together: &Together) -> Map<String, Value> {
    map(json!({"on": {"on": together.any_on}, "dimming": {"brightness": together.percent}}))
}

/// What of a group is not as it was.
pub(crate) fn changed_together(before: &Together, after: &Together) -> Map<String, Value> {
    let before = self::together(before);
    self::together(after).into_iter().filter(|(name, value)| before.get(name) != Some(value)).collect()
}

fn xy(xy: Xy) -> Value {
    json!({"x": xy.x, "y": xy.y})
}
