//! The house behind the hub: lights, rooms and zones, and the names under which the two interfaces know them.
//!
//! What `--lights` says is read here.

use super::{
    light::{self, Change, Kind, Light, factory_state},
    limits,
};
use luxwire_shared::time::Instant;
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};

/// Which lights the hub has: `8` for so many of all kinds, or a list such as `Desk:colour,Office/Spot:white`.
#[derive(Clone, Debug)]
pub struct Lights(Vec<Planned>);

#[derive(Clone, Debug)]
struct Planned {
    room: String,
    name: String,
    kind: Kind,
}

/// The house that is there when nobody says otherwise.
const USUAL: [(&str, &str, Kind); 8] = [
    ("Living room", "Sofa lamp", Kind::Colour),
    ("Living room", "Reading lamp", Kind::Ambiance),
    ("Living room", "Ceiling", Kind::White),
    ("Kitchen", "Worktop", Kind::Ambiance),
    ("Kitchen", "Table", Kind::White),
    ("Kitchen", "Coffee machine", Kind::Plug),
    ("Bedroom", "Left bedside", Kind::Colour),
    ("Bedroom", "Right bedside", Kind::Colour),
];

impl Lights {
    fn count(count: usize) -> Result<Self, String> {
        if !(1..=limits::LIGHTS).contains(&count) {
            return Err(format!("a hub has 1 to {} lights", limits::LIGHTS));
        }
        let light = |index: usize| {
            let (room, name, kind) = USUAL[index % USUAL.len()];
            let round = index / USUAL.len() + 1;
            let numbered = |name: &str| if round == 1 { name.into() } else { format!("{name} {round}") };
            Planned { room: numbered(room), name: numbered(name), kind }
        };
        Ok(Self((0..count).map(light).collect()))
    }
}

impl Default for Lights {
    fn default() -> Self {
        Self::count(USUAL.len()).expect("the usual house is small")
    }
}

impl FromStr for Lights {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(count) = text.trim().parse() {
            return Self::count(count);
        }
        let lights = text.split(',').map(planned).collect::<Result<Vec<_>, _>>()?;
        if lights.len() > limits::LIGHTS {
            return Err(format!("a hub has 1 to {} lights", limits::LIGHTS));
        }
        Ok(Self(lights))
    }
}

fn planned(text: &str) -> Result<Planned, String> {
    let (place, kind) = text.rsplit_once(':').ok_or(format!(
        "`{text}` is neither a number of lights nor NAME:KIND; kinds are white, ambiance, colour and plug"
    ))?;
    let kind = match kind.trim() {
        "white" => Kind::White,
        "ambiance" | "ct" => Kind::Ambiance,
        "colour" | "color" => Kind::Colour,
        "plug" => Kind::Plug,
        other => return Err(format!("`{other}` is no kind; kinds are white, ambiance, colour and plug")),
    };
    let (room, name) = place.split_once('/').unwrap_or(("Home", place));
    let named = |name: &str| {
        let name = name.trim();
        match name.chars().count() {
            1..=limits::NAME_CHARS => Ok(name.to_owned()),
            _ => Err(format!("`{name}`: names have 1 to {} characters", limits::NAME_CHARS)),
        }
    };
    Ok(Planned { room: named(room)?, name: named(name)?, kind })
}

/// The hub's identity: sixteen hexadecimal digits that v1, v2, the certificate and mDNS agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeId(String);

impl BridgeId {
    /// An identity such as Signify would give, from three random bytes.
    pub fn new(random: [u8; 3]) -> Self {
        let [a, b, c] = random;
        Self(format!("001788fffe{a:02x}{b:02x}{c:02x}"))
    }

    /// Lower case, as in v2 and in the certificate.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn mac(&self) -> String {
        // The digits `fffe` in the middle make 64 bits out of a MAC's 48.
        let digits = format!("{}{}", &self.0[..6], &self.0[10..]);
        let pairs: Vec<_> = (0..6).map(|index| &digits[index * 2..index * 2 + 2]).collect();
        pairs.join(":")
    }

    /// An id that v2 could have drawn, always the same for the same thing of the same hub.
    pub(crate) fn uuid(&self, what: &str) -> String {
        let digest = Sha256::digest(format!("{}/{what}", self.0));
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!(
            "{}-{}-4{}-a{}-{}",
            &digits[..8],
            &digits[8..12],
            &digits[13..16],
            &digits[17..20],
            &digits[20..32]
        )
    }

    /// A ZigBee address that v1 could show.
    pub(crate) fn zigbee_id(&self, light: usize) -> String {
        let digest = Sha256::digest(format!("{}/zigbee/{light}", self.0));
        let [a, b, c, d] = [digest[0], digest[1], digest[2], digest[3]];
        format!("00:17:88:01:{a:02x}:{b:02x}:{c:02x}:{d:02x}-0b")
    }
}

impl FromStr for BridgeId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err("a bridge id has sixteen hexadecimal digits, such as 001788fffe123456".into())
        }
    }
}

impl fmt::Display for BridgeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a group is to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupKind {
    /// All lights: v1's group 0, v2's `bridge_home`.
    Home,
    /// Every light is in one.
    Room,
    /// Any lights.
    Zone,
}

/// Lights that go together. Its index is its number in v1.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) kind: GroupKind,
    pub(crate) name: String,
    /// Indices of its lights.
    pub(crate) lights: Vec<usize>,
}

/// What a group's lights are together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Together {
    pub(crate) any_on: bool,
    pub(crate) all_on: bool,
    /// The mean brightness of those that are on and can dim, percent; 0 when none is.
    pub(crate) percent: f64,
}

/// Who a command is for, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Light(usize),
    Group(usize),
}

/// Everything that the hub looks after.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) id: BridgeId,
    pub(crate) lights: Vec<Light>,
    pub(crate) groups: Vec<Group>,
}

impl Home {
    pub(crate) fn new(id: BridgeId, plan: &Lights) -> Self {
        let lights: Vec<_> = plan.0.iter().enumerate().map(built).collect();
        let mut groups =
            vec![Group { kind: GroupKind::Home, name: "Home".into(), lights: (0..lights.len()).collect() }];
        for (index, light) in plan.0.iter().enumerate() {
            let room =
                groups.iter().position(|group| group.kind == GroupKind::Room && group.name == light.room);
            match room {
                Some(room) => groups[room].lights.push(index),
                None if groups.len() < limits::GROUPS => {
                    let (kind, name) = (GroupKind::Room, light.room.clone());
                    groups.push(Group { kind, name, lights: vec![index] });
                }
                // A light without a room is a light all the same.
                None => {}
            }
        }
        let coloured: Vec<_> =
            (0..lights.len()).filter(|index| plan.0[*index].kind == Kind::Colour).collect();
        if coloured.len() > 1 && groups.len() < limits::GROUPS {
            groups.push(Group { kind: GroupKind::Zone, name: "Colours".into(), lights: coloured });
        }
        Self { id, lights, groups }
    }

    /// The lights that a target means.
    pub(crate) fn members(&self, target: Target) -> &[usize] {
        match target {
            Target::Light(index) => std::slice::from_ref(&self.groups[0].lights[index]),
            Target::Group(index) => &self.groups[index].lights,
        }
    }

    /// Carries a command out.
    pub(crate) fn apply(&mut self, now: Instant, target: Target, change: &Change) {
        for index in self.members(target).to_vec() {
            self.lights[index].apply(now, change);
        }
    }

    pub(crate) fn together(&self, group: usize) -> Together {
        let lights: Vec<&Light> =
            self.groups[group].lights.iter().map(|index| &self.lights[*index]).collect();
        let lit: Vec<f64> = lights
            .iter()
            .filter(|light| light.state.on && light.kind.dims())
            .map(|light| f64::from(light.state.bri))
            .collect();
        let mean = if lit.is_empty() { 0.0 } else { lit.iter().sum::<f64>() / lit.len() as f64 };
        Together {
            any_on: lights.iter().any(|light| light.state.on),
            all_on: lights.iter().all(|light| light.state.on),
            percent: light::percent(mean),
        }
    }
}

/// Lights begin as somebody left them: some on, none alike.
fn built((index, planned): (usize, &Planned)) -> Light {
    let on = index % 3 != 2;
    let bri = [203, 127, 254, 76][index % 4];
    let mirek = [366, 290, 366, 230][index % 4];
    let mut light = Light::new(planned.name.clone(), planned.kind, factory_state(on, bri, mirek));
    if planned.kind == Kind::Colour && index % 2 == 0 {
        let hue = (9_000 + index as u32 * 7_300) % 65_536;
        let colour = light::Colour::HueSat(Some(hue as u16), Some(190));
        let was_on = light.state.on;
        light.apply(Instant::START, &Change { on: Some(true), colour: Some(colour), ..Change::default() });
        light.apply(Instant::START, &Change { on: Some(was_on), ..Change::default() });
    }
    light
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(lights: &str) -> Home {
        Home::new(BridgeId::new([1, 2, 3]), &lights.parse().unwrap())
    }

    #[test]
    fn a_list_says_rooms_names_and_kinds() {
        let home = home("Office/Desk:colour, Office/Spot:white,Heater:plug");
        let names: Vec<_> = home.lights.iter().map(|light| (light.name.as_str(), light.kind)).collect();
        assert_eq!(names, [("Desk", Kind::Colour), ("Spot", Kind::White), ("Heater", Kind::Plug)]);
        let rooms: Vec<_> =
            home.groups.iter().map(|group| (group.name.as_str(), group.lights.clone())).collect();
        assert_eq!(rooms, [("Home", vec![0, 1, 2]), ("Office", vec![0, 1]), ("Home", vec![2])]);
    }

    #[test]
    fn mistakes_in_the_list_are_named() {
        let check = |text: &str, part: &str| {
            let error = text.parse::<Lights>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        };
        check("0", "1 to 64");
        check("65", "1 to 64");
        check("Desk", "NAME:KIND");
        check("Desk:purple", "purple");
        check(":white", "1 to 32");
        check("This name is much longer than any hub takes:white", "1 to 32");
    }

    #[test]
    fn many_lights_keep_different_names() {
        let home = home("64");
        let names: std::collections::BTreeSet<_> = home.lights.iter().map(|light| &light.name).collect();
        assert_eq!(names.len(), 64);
        assert!(home.groups.len() <= limits::GROUPS);
    }

    #[test]
    fn ids_have_the_shape_of_a_hubs_and_stay() {
        let id = BridgeId::new([0x12, 0xab, 0xff]);
        assert_eq!(id.as_str(), "001788fffe12abff");
        assert_eq!(id.mac(), "00:17:88:12:ab:ff");
        let uuid = id.uuid("light/1");
        assert_eq!(uuid, id.uuid("light/1"));
        assert_ne!(uuid, id.uuid("light/2"));
        assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!("001788FFFE12ABFF".parse(), Ok(id));
        assert!("001788FFFE12ABF".parse::<BridgeId>().is_err());
    }

    #[test]
    fn a_group_is_what_its_lights_are() {
        let mut home = home("A:white,B:white,C:plug");
        let off = Change { on: Some(false), ..Change::default() };
        home.apply(Instant::START, Target::Group(0), &off);
        assert_eq!(home.together(0), Together { any_on: false, all_on: false, percent: 0.0 });
        let half = Change { on: Some(true), bri: Some(light::Bri::To(127)), ..Change::default() };
        home.apply(Instant::START, Target::Light(1), &half);
        assert_eq!(home.together(0), Together { any_on: true, all_on: false, percent: 50.0 });
    }
}
