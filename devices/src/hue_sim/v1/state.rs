//! Reading v1's state parameters: each is judged by itself, and what is right of them becomes one command.

use super::{
    super::{
        colour::{MIREK, Xy},
        home::Home,
        light::{Alert, Bri, Change, Colour, Light},
    },
    error::Error,
};
use serde_json::{Map, Value};
use std::time::Duration;

/// What the target of a command can do at this moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Abilities {
    pub(crate) dims: bool,
    pub(crate) temperature: bool,
    pub(crate) colour: bool,
    pub(crate) on: bool,
    pub(crate) reachable: bool,
    /// Groups take a scene, too.
    pub(crate) scenes: bool,
}

impl Abilities {
    pub(crate) fn of(light: &Light) -> Self {
        Self {
            dims: light.kind.dims(),
            temperature: light.kind.has_temperature(),
            colour: light.kind.has_colour(),
            on: light.will_be_on,
            reachable: light.reachable,
            scenes: false,
        }
    }

    /// A group takes everything; each of its lights does what it can.
    pub(crate) fn of_group(home: &Home, group: usize) -> Self {
        let mut lights = home.groups[group].lights.iter().map(|index| &home.lights[*index]);
        let on = lights.any(|light| light.will_be_on);
        Self { dims: true, temperature: true, colour: true, on, reachable: true, scenes: true }
    }
}

/// What became of a parameter: its name and value, or what is wrong with it.
pub(crate) type Outcome = Result<(String, Value), Error>;

/// Judges each parameter. Of several colours, xy wins over ct, and ct over hue and saturation.
pub(crate) fn read(
    abilities: &Abilities,
    parameters: &Map<String, Value>,
    address: &str,
) -> (Change, Vec<Outcome>) {
    let on = parameters.get("on").and_then(Value::as_bool).unwrap_or(abilities.on);
    let mut read = Read::default();
    let mut outcomes = Vec::new();
    for (name, value) in parameters {
        let outcome = if !knows(abilities, name) {
            Err(Error::no_parameter(address, name))
        } else if matches!(name.as_str(), "reachable" | "colormode" | "mode") {
            Err(Error::read_only(address, name))
        } else {
            let mut tried = read.clone();
            match tried.take(name, value) {
                None => Err(Error::invalid(address, name, value)),
                // A hub says the same of a light that it cannot reach.
                Some(()) if !abilities.reachable && name != "transitiontime" => {
                    Err(Error::off(address, name))
                }
                Some(()) if !on && needs_light(name) => Err(Error::off(address, name)),
                Some(()) => {
                    read = tried;
                    Ok((name.clone(), value.clone()))
                }
            }
        };
        outcomes.push(outcome);
    }
    (read.change(), outcomes)
}

fn knows(abilities: &Abilities, name: &str) -> bool {
    match name {
        "on" | "alert" | "transitiontime" | "reachable" | "mode" => true,
        "bri" | "bri_inc" => abilities.dims,
        "ct" | "ct_inc" | "colormode" => abilities.temperature,
        "hue" | "hue_inc" | "sat" | "sat_inc" | "xy" | "xy_inc" | "effect" => abilities.colour,
        "scene" => abilities.scenes,
        _ => false,
    }
}

fn needs_light(name: &str) -> bool {
    !matches!(name, "on" | "alert" | "transitiontime" | "scene")
}

/// The parameters that are right so far.
#[derive(Clone, Debug, Default)]
struct Read {
    on: Option<bool>,
    bri: Option<u8>,
    bri_inc: Option<i16>,
    hue: Option<u16>,
    sat: Option<u8>,
    hue_inc: Option<i32>,
    sat_inc: Option<i16>,
    ct: Option<u16>,
    ct_inc: Option<i32>,
    xy: Option<Xy>,
    xy_inc: Option<(f64, f64)>,
    alert: Option<Alert>,
    colour_loop: Option<bool>,
    fade: Option<Duration>,
}

impl Read {
    /// `None` if the value is not one that the parameter can have.
    fn take(&mut self, name: &str, value: &Value) -> Option<()> {
        match name {
            "on" => self.on = Some(value.as_bool()?),
            "bri" => self.bri = Some(integer(value, 1, 254)? as u8),
            "bri_inc" => self.bri_inc = Some(integer(value, -254, 254)? as i16),
            "hue" => self.hue = Some(integer(value, 0, 65_535)? as u16),
            "hue_inc" => self.hue_inc = Some(integer(value, -65_534, 65_534)? as i32),
            "sat" => self.sat = Some(integer(value, 0, 254)? as u8),
            "sat_inc" => self.sat_inc = Some(integer(value, -254, 254)? as i16),
            "ct" => self.ct = Some(integer(value, MIREK.0.into(), MIREK.1.into())? as u16),
            "ct_inc" => self.ct_inc = Some(integer(value, -65_534, 65_534)? as i32),
            "xy" => {
                let (x, y) = pair(value, 0.0, 1.0)?;
                self.xy = Some(Xy { x, y });
            }
            "xy_inc" => self.xy_inc = Some(pair(value, -0.5, 0.5)?),
            "transitiontime" => {
                self.fade = Some(Duration::from_millis(integer(value, 0, 65_535)? as u64 * 100));
            }
            "alert" => {
                self.alert = Some(match value.as_str()? {
                    "none" => Alert::None,
                    "select" => Alert::Select,
                    "lselect" => Alert::LongSelect,
                    _ => return None,
                });
            }
            "effect" => {
                self.colour_loop = Some(match value.as_str()? {
                    "none" => false,
                    "colorloop" => true,
                    _ => return None,
                });
            }
            // There are no scenes, so no name of one is right.
            _ => return None,
        }
        Some(())
    }

    fn change(self) -> Change {
        let hue_sat = || match (self.hue, self.sat) {
            (None, None) => None,
            (hue, sat) => Some(Colour::HueSat(hue, sat)),
        };
        let by = || match (self.hue_inc, self.sat_inc) {
            (None, None) => None,
            (hue, sat) => Some(Colour::HueSatBy(hue.unwrap_or(0), sat.unwrap_or(0))),
        };
        let colour = (self.xy.map(Colour::Xy))
            .or(self.ct.map(Colour::Temperature))
            .or_else(hue_sat)
            .or(self.xy_inc.map(|(x, y)| Colour::XyBy(x, y)))
            .or(self.ct_inc.map(Colour::WarmerBy))
            .or_else(by);
        Change {
            on: self.on,
            bri: self.bri.map(Bri::To).or(self.bri_inc.map(Bri::By)),
            colour,
            colour_loop: self.colour_loop,
            alert: self.alert,
            fade: self.fade,
        }
    }
}

/// A whole number within bounds; 128.0 is none.
fn integer(value: &Value, min: i64, max: i64) -> Option<i64> {
    value.as_i64().filter(|number| (min..=max).contains(number))
}

fn pair(value: &Value, min: f64, max: f64) -> Option<(f64, f64)> {
    let [x, y] = value.as_array()?.as_slice() else { return None };
    let within = |value: &Value| value.as_f64().filter(|number| (min..=max).contains(number));
    Some((within(x)?, within(y)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const COLOUR: Abilities =
        Abilities { dims: true, temperature: true, colour: true, on: true, reachable: true, scenes: false };

    /// The change, and for each parameter in alphabetical order the type of its error or 0.
    fn judged(abilities: &Abilities, body: Value) -> (Change, Vec<u64>) {
        let (change, outcomes) = read(abilities, body.as_object().unwrap(), "/lights/1/state");
        let kind = |outcome: Outcome| match outcome {
            Ok(_) => 0,
            Err(error) => error.json(false)["error"]["type"].as_u64().unwrap(),
        };
        (change, outcomes.into_iter().map(kind).collect())
    }

    #[test]
    fn values_of_the_wrong_type_or_range_are_invalid() {
        let check = |parameter: &str, wrong: Value| {
            let body = json!({ parameter: wrong });
            assert_eq!(judged(&COLOUR, body.clone()), (Change::default(), vec![7]), "{body}");
        };
        for (parameter, min, max) in [
            ("bri", 1, 254),
            ("bri_inc", -254, 254),
            ("hue", 0, 65_535),
            ("hue_inc", -65_534, 65_534),
            ("sat", 0, 254),
            ("sat_inc", -254, 254),
            ("ct", 153, 500),
            ("ct_inc", -65_534, 65_534),
            ("transitiontime", 0, 65_535),
        ] {
            check(parameter, json!(min - 1));
            check(parameter, json!(max + 1));
            check(parameter, json!(min.to_string()));
            check(parameter, json!(f64::from(max)));
            check(parameter, json!(true));
            check(parameter, Value::Null);
            for right in [min, max] {
                assert_eq!(judged(&COLOUR, json!({ parameter: right })).1, [0], "{parameter} {right}");
            }
        }
        for wrong in [json!(1), json!("true"), json!(null)] {
            check("on", wrong);
        }
        for wrong in
            [json!([0.1]), json!([0.1, 0.2, 0.3]), json!([0.1, 1.1]), json!([-0.1, 0.5]), json!("0,0")]
        {
            check("xy", wrong);
        }
        check("alert", json!("blink"));
        check("effect", json!("fire"));
    }

    #[test]
    fn each_parameter_is_judged_by_itself() {
        let (change, kinds) =
            judged(&COLOUR, json!({"bri": 999, "colour": 1, "on": true, "reachable": false}));
        assert_eq!(kinds, [7, 6, 0, 8]);
        assert_eq!(change, Change { on: Some(true), ..Change::default() });
    }

    #[test]
    fn a_light_that_is_off_takes_only_what_needs_no_light() {
        let off = Abilities { on: false, ..COLOUR };
        assert_eq!(judged(&off, json!({"bri": 1, "transitiontime": 4})).1, [201, 0]);
        assert_eq!(judged(&off, json!({"bri": 1, "on": true})).1, [0, 0]);
        assert_eq!(judged(&COLOUR, json!({"bri": 1, "on": false})).1, [201, 0]);
    }

    #[test]
    fn a_light_out_of_reach_takes_nothing() {
        let gone = Abilities { reachable: false, ..COLOUR };
        assert_eq!(judged(&gone, json!({"bri": 1, "on": true})), (Change::default(), vec![201, 201]));
    }

    #[test]
    fn a_light_has_no_parameters_for_what_it_cannot_do() {
        let white = Abilities { temperature: false, colour: false, ..COLOUR };
        assert_eq!(judged(&white, json!({"bri": 1, "ct": 200, "xy": [0.3, 0.3]})).1, [0, 6, 6]);
        let plug = Abilities { dims: false, ..white };
        assert_eq!(judged(&plug, json!({"bri": 1, "on": true})).1, [6, 0]);
    }

    #[test]
    fn xy_wins_over_ct_and_ct_over_hue() {
        let all = json!({"ct": 200, "hue": 1, "sat": 1, "xy": [0.3, 0.3]});
        assert_eq!(judged(&COLOUR, all).0.colour, Some(Colour::Xy(Xy { x: 0.3, y: 0.3 })));
        let two = json!({"ct": 200, "hue": 1});
        assert_eq!(judged(&COLOUR, two).0.colour, Some(Colour::Temperature(200)));
        let one = json!({"sat": 9});
        assert_eq!(judged(&COLOUR, one).0.colour, Some(Colour::HueSat(None, Some(9))));
    }
}
