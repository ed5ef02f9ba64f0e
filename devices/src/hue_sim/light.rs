//! One bulb or plug: what it can do, its state, and what a command makes of it.
//!
//! Commands are checked before they come here; a bulb leaves out what it cannot do, as a bulb in a room does.

use super::colour::{MIREK, Xy};
use luxwire_shared::time::Instant;
use std::time::Duration;

/// The kinds of devices that the hub has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Switches something on and off.
    Plug,
    /// Dims.
    White,
    /// Dims, and shows whites from cold to warm.
    Ambiance,
    /// Dims, and shows whites and colours (gamut C).
    Colour,
}

impl Kind {
    /// Whether it has a brightness.
    pub(crate) fn dims(self) -> bool {
        self != Self::Plug
    }

    /// Whether it has a colour temperature.
    pub(crate) fn has_temperature(self) -> bool {
        matches!(self, Self::Ambiance | Self::Colour)
    }

    /// Whether it has colours.
    pub(crate) fn has_colour(self) -> bool {
        self == Self::Colour
    }
}

/// The way in which a bulb was last told its colour; the other ways follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColourMode {
    Temperature,
    Xy,
    HueSat,
}

/// What a bulb was told last: what the interfaces report, even while it still fades there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) on: bool,
    /// 1 to 254; kept while the bulb is off.
    pub(crate) bri: u8,
    pub(crate) mirek: u16,
    pub(crate) xy: Xy,
    pub(crate) hue: u16,
    pub(crate) sat: u8,
    pub(crate) mode: ColourMode,
    pub(crate) colour_loop: bool,
}

/// The brightest level of v1.
pub(crate) const BRI_MAX: u8 = 254;

impl State {
    /// Brightness as v2 says it: percent, two decimals.
    pub(crate) fn percent(&self) -> f64 {
        percent(f64::from(self.bri))
    }

    fn set_temperature(&mut self, mirek: u16) {
        self.mirek = mirek;
        self.mode = ColourMode::Temperature;
        self.xy = Xy::of_mirek(mirek);
        (self.hue, self.sat) = self.xy.hue_sat();
    }

    fn set_xy(&mut self, xy: Xy) {
        self.xy = xy.within_gamut();
        self.mode = ColourMode::Xy;
        self.mirek = self.xy.mirek();
        (self.hue, self.sat) = self.xy.hue_sat();
    }

    fn set_hue_sat(&mut self, hue: u16, sat: u8) {
        (self.hue, self.sat) = (hue, sat);
        self.mode = ColourMode::HueSat;
        self.xy = Xy::of_hue_sat(hue, sat);
        self.mirek = self.xy.mirek();
    }
}

/// v1's brightness as v2's percent.
pub(crate) fn percent(bri: f64) -> f64 {
    (bri / f64::from(BRI_MAX) * 10_000.0).round() / 100.0
}

/// v2's percent as v1's brightness. Zero is the lowest level, not off.
pub(crate) fn bri_of_percent(percent: f64) -> u8 {
    (percent.clamp(0.0, 100.0) / 100.0 * f64::from(BRI_MAX)).round().max(1.0) as u8
}

/// Brightness, as a command gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bri {
    To(u8),
    By(i16),
}

/// Colour, as a command gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Colour {
    Temperature(u16),
    WarmerBy(i32),
    Xy(Xy),
    XyBy(f64, f64),
    /// One of the two may be left as it is.
    HueSat(Option<u16>, Option<u8>),
    HueSatBy(i32, i16),
}

/// A command to one light or to many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Change {
    pub(crate) on: Option<bool>,
    pub(crate) bri: Option<Bri>,
    pub(crate) colour: Option<Colour>,
    pub(crate) colour_loop: Option<bool>,
    /// Blink, for people who look for a bulb.
    pub(crate) alert: Option<Alert>,
    /// How long the change takes; a hub's default is 400 ms.
    pub(crate) fade: Option<Duration>,
}

impl Change {
    /// Whether nothing but an "off" may reach a light that is off.
    pub(crate) fn needs_light(&self) -> bool {
        self.bri.is_some() || self.colour.is_some() || self.colour_loop.is_some()
    }

    /// Whether it asks for nothing; a transition time alone is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.on.is_none() && self.alert.is_none() && !self.needs_light()
    }
}

/// v1's `alert`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Alert {
    #[default]
    None,
    /// One breath.
    Select,
    /// Fifteen seconds of them.
    LongSelect,
}

/// What a person in the room sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sight {
    /// 0 for dark to 1 for full.
    pub(crate) level: f64,
    pub(crate) rgb: [u8; 3],
}

/// The time that a change takes where nobody says.
pub(crate) const DEFAULT_FADE: Duration = Duration::from_millis(400);

#[derive(Clone, Copy, Debug)]
struct Fade {
    from: Sight,
    started: Instant,
    takes: Duration,
}

/// One device of the hub.
#[derive(Debug)]
pub(crate) struct Light {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) state: State,
    pub(crate) reachable: bool,
    pub(crate) alert: Alert,
    /// How often it was asked to blink.
    pub(crate) blinks: u32,
    /// What `on` will be when all accepted commands have been carried out: new commands are judged by it.
    pub(crate) will_be_on: bool,
    fade: Option<Fade>,
}

impl Light {
    pub(crate) fn new(name: String, kind: Kind, state: State) -> Self {
        Self {
            name,
            kind,
            state,
            reachable: true,
            alert: Alert::None,
            blinks: 0,
            will_be_on: state.on,
            fade: None,
        }
    }

    /// Carries a command out, as far as this light can.
    pub(crate) fn apply(&mut self, now: Instant, change: &Change) {
        if !self.reachable {
            return;
        }
        let from = self.sight(now);
        if let Some(on) = change.on {
            self.state.on = on;
        }
        if let Some(alert) = change.alert {
            self.alert = alert;
            self.blinks = self.blinks.wrapping_add(u32::from(alert != Alert::None));
        }
        if self.state.on {
            self.apply_appearance(change);
        }
        let takes = change.fade.unwrap_or(DEFAULT_FADE);
        if self.target() != from {
            self.fade = Some(Fade { from, started: now, takes });
        }
    }

    fn apply_appearance(&mut self, change: &Change) {
        let state = &mut self.state;
        match change.bri.filter(|_| self.kind.dims()) {
            Some(Bri::To(bri)) => state.bri = bri.clamp(1, BRI_MAX),
            Some(Bri::By(step)) => {
                state.bri = (i16::from(state.bri) + step.clamp(-254, 254)).clamp(1, BRI_MAX.into()) as u8;
            }
            None => {}
        }
        if let Some(colour) = change.colour {
            let has_colour = self.kind.has_colour();
            match colour {
                Colour::Temperature(mirek) if self.kind.has_temperature() => state.set_temperature(mirek),
                Colour::WarmerBy(step) if self.kind.has_temperature() => {
                    let (coldest, warmest) = (i32::from(MIREK.0), i32::from(MIREK.1));
                    let mirek = i32::from(state.mirek).saturating_add(step).clamp(coldest, warmest);
                    state.set_temperature(mirek as u16);
                }
                Colour::Xy(xy) if has_colour => state.set_xy(xy),
                Colour::XyBy(x, y) if has_colour => {
                    state.set_xy(Xy {
                        x: (state.xy.x + x).clamp(0.0, 1.0),
                        y: (state.xy.y + y).clamp(0.0, 1.0),
                    });
                }
                Colour::HueSat(hue, sat) if has_colour => {
                    state.set_hue_sat(hue.unwrap_or(state.hue), sat.unwrap_or(state.sat));
                }
                Colour::HueSatBy(hue, sat) if has_colour => {
                    let hue = i32::from(state.hue).wrapping_add(hue).rem_euclid(65_536);
                    let sat = (i16::from(state.sat) + sat.clamp(-254, 254)).clamp(0, 254);
                    state.set_hue_sat(hue as u16, sat as u8);
                }
                Colour::Temperature(_)
                | Colour::WarmerBy(_)
                | Colour::Xy(_)
                | Colour::XyBy(..)
                | Colour::HueSat(..)
                | Colour::HueSatBy(..) => {}
            }
            if self.kind.has_colour() {
                state.colour_loop = false;
            }
        }
        if let Some(colour_loop) = change.colour_loop.filter(|_| self.kind.has_colour()) {
            state.colour_loop = colour_loop;
        }
    }

    /// What it looks like at this moment, somewhere on the way of a fade.
    pub(crate) fn sight(&self, now: Instant) -> Sight {
        let target = self.target();
        let Some(fade) = self.fade else { return target };
        let (passed, takes) = (now.since(fade.started).as_secs_f64(), fade.takes.as_secs_f64());
        if passed >= takes {
            return target;
        }
        let part = passed / takes;
        let between = |from: f64, to: f64| from + (to - from) * part;
        let mut rgb = target.rgb;
        for (channel, from) in rgb.iter_mut().zip(fade.from.rgb) {
            *channel = between(f64::from(from), f64::from(*channel)).round() as u8;
        }
        Sight { level: between(fade.from.level, target.level), rgb }
    }

    /// What it looks like when a fade is over.
    pub(crate) fn target(&self) -> Sight {
        let level = match (self.state.on && self.reachable, self.kind.dims()) {
            (false, _) => 0.0,
            (true, true) => f64::from(self.state.bri) / f64::from(BRI_MAX),
            (true, false) => 1.0,
        };
        Sight { level, rgb: self.state.xy.rgb() }
    }

    /// What is left of a fade.
    pub(crate) fn fade_left(&self, now: Instant) -> Duration {
        self.fade.map_or(Duration::ZERO, |fade| fade.takes.saturating_sub(now.since(fade.started)))
    }
}

/// A state that suits a kind, before anybody has touched it.
pub(crate) fn factory_state(on: bool, bri: u8, mirek: u16) -> State {
    let xy = Xy::of_mirek(mirek);
    let (hue, sat) = xy.hue_sat();
    State { on, bri, mirek, xy, hue, sat, mode: ColourMode::Temperature, colour_loop: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulb(kind: Kind) -> Light {
        Light::new("Desk".into(), kind, factory_state(true, 254, 366))
    }

    #[test]
    fn a_fade_is_seen_on_its_way() {
        let mut light = bulb(Kind::White);
        let change =
            Change { bri: Some(Bri::To(127)), fade: Some(Duration::from_secs(10)), ..Change::default() };
        light.apply(Instant::START, &change);
        let level = |at: u64| light.sight(Instant::from_millis(at)).level;
        assert_eq!(light.state.bri, 127, "what is reported is where it goes");
        assert_eq!(level(0), 1.0);
        assert_eq!(level(5_000), 0.75);
        assert_eq!(level(10_000), 0.5);
        assert_eq!(light.fade_left(Instant::from_millis(4_000)), Duration::from_secs(6));
    }

    #[test]
    fn off_fades_to_dark_and_keeps_the_brightness() {
        let mut light = bulb(Kind::White);
        light.apply(Instant::START, &Change { on: Some(false), ..Change::default() });
        assert_eq!(light.sight(Instant::from_millis(200)).level, 0.5);
        assert_eq!(light.sight(Instant::from_millis(400)).level, 0.0);
        assert_eq!(light.state.bri, 254);
    }

    #[test]
    fn a_light_that_is_off_takes_no_brightness() {
        let mut light = bulb(Kind::White);
        light.apply(Instant::START, &Change { on: Some(false), ..Change::default() });
        light.apply(Instant::START, &Change { bri: Some(Bri::To(7)), ..Change::default() });
        assert_eq!(light.state.bri, 254);
    }

    #[test]
    fn steps_stop_at_the_ends_and_hues_go_round() {
        let mut light = bulb(Kind::Colour);
        let mut step = |change: Change| {
            light.apply(Instant::START, &change);
            light.state
        };
        assert_eq!(step(Change { bri: Some(Bri::By(-300)), ..Change::default() }).bri, 1);
        assert_eq!(step(Change { bri: Some(Bri::By(9)), ..Change::default() }).bri, 10);
        let warm = Change { colour: Some(Colour::WarmerBy(60_000)), ..Change::default() };
        assert_eq!(step(warm).mirek, 500);
        step(Change { colour: Some(Colour::HueSat(Some(65_000), Some(254))), ..Change::default() });
        let round = step(Change { colour: Some(Colour::HueSatBy(1_000, 0)), ..Change::default() });
        assert_eq!((round.hue, round.mode), (464, ColourMode::HueSat));
    }

    #[test]
    fn a_bulb_without_colours_ignores_them() {
        let mut light = bulb(Kind::Ambiance);
        let before = light.state;
        let red = Colour::Xy(Xy { x: 0.68, y: 0.31 });
        light.apply(Instant::START, &Change { colour: Some(red), ..Change::default() });
        assert_eq!(light.state, before);
        light.apply(Instant::START, &Change { colour: Some(Colour::Temperature(200)), ..Change::default() });
        assert_eq!(light.state.mirek, 200);
    }

    #[test]
    fn percent_and_v1s_brightness_are_the_same_thing() {
        assert_eq!(percent(254.0), 100.0);
        assert_eq!(percent(128.0), 50.39);
        assert_eq!(bri_of_percent(0.0), 1);
        for bri in 1..=254 {
            assert_eq!(bri_of_percent(percent(f64::from(bri))), bri);
        }
    }
}
