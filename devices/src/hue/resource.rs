//! A light or a room as `luxwire hue` sees it, whichever API the hub speaks: what it is, what it says, what it is told.
//!
//! Nothing here knows HTTP, JSON or MQTT.

use super::level::{Level, Power};
use luxwire_shared::model::Intensity;
use std::time::Duration;

/// A light, or lights that are set together.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Resource {
    /// What the hub calls it: a UUID, or the path of API v1.
    pub(super) key: String,
    /// The path of API v1 (`/lights/1`), by which an older hub knew the same thing.
    pub(super) key_v1: Option<String>,
    pub(super) kind: Kind,
    /// What people call it.
    pub(super) name: String,
    pub(super) model: Option<String>,
    pub(super) maker: Option<String>,
    pub(super) abilities: Abilities,
    pub(super) report: Report,
}

/// Commands to groups are dearer than those to lights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Light,
    Room,
    Zone,
}

/// What can be changed besides on and off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Abilities {
    pub(super) dims: bool,
    pub(super) warmth: Option<Warmths>,
    pub(super) colour: bool,
}

/// The range of colour temperatures, in mireds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Warmths {
    pub(super) coldest: u16,
    pub(super) warmest: u16,
}

/// What the hub says; what it does not say is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Report {
    pub(super) on: Option<bool>,
    pub(super) level: Option<Level>,
    pub(super) tone: Option<Tone>,
    /// Whether the hub can reach it.
    pub(super) reachable: Option<bool>,
    pub(super) name: Option<String>,
}

/// The colour of the light, in the one way that is in force.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Tone {
    /// A white, in mireds.
    Warmth(u16),
    /// A point of the CIE 1931 diagram.
    Colour(Xy),
}

/// Both from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Xy {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// What a light is told. An empty change is never sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Change {
    pub(super) on: Option<bool>,
    /// Above 0 %.
    pub(super) intensity: Option<Intensity>,
    pub(super) tone: Option<Tone>,
    pub(super) transition: Option<Duration>,
}

impl Kind {
    pub(super) const fn is_group(self) -> bool {
        match self {
            Self::Light => false,
            Self::Room | Self::Zone => true,
        }
    }
}

impl Warmths {
    /// What API v1 allows, and every bulb of Philips that has a colour temperature at least nearly.
    pub(super) const ALL: Self = Self { coldest: 153, warmest: 500 };

    /// From what a hub claims, kept within what a hub accepts.
    pub(super) fn clamped(coldest: i64, warmest: i64) -> Self {
        let clamp = |mireds: i64| {
            u16::try_from(mireds.clamp(Self::ALL.coldest.into(), Self::ALL.warmest.into())).unwrap_or(153)
        };
        let (coldest, warmest) = (clamp(coldest), clamp(warmest));
        if coldest < warmest { Self { coldest, warmest } } else { Self::ALL }
    }
}

impl Xy {
    /// `None` outside the diagram's square.
    pub(super) fn new(x: f64, y: f64) -> Option<Self> {
        let inside = |value: &f64| (0.0..=1.0).contains(value);
        (inside(&x) && inside(&y)).then_some(Self { x: rounded(x), y: rounded(y) })
    }
}

/// Four decimals, as hubs have them.
fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

impl Report {
    /// Takes over what `newer` says.
    pub(super) fn merge(&mut self, newer: Self) {
        let Self { on, level, tone, reachable, name } = newer;
        self.on = on.or(self.on);
        self.level = level.or(self.level);
        self.tone = tone.or(self.tone);
        self.reachable = reachable.or(self.reachable);
        self.name = name.or(self.name.take());
    }

    /// What the light gives, as far as the hub said. A plug that is on gives everything.
    pub(super) fn power(&self, abilities: Abilities) -> Option<Power> {
        match (self.on?, self.level) {
            (false, _) => Some(Power::Off),
            (true, _) if !abilities.dims => Some(Power::On(Level::FULL)),
            (true, level) => level.map(Power::On),
        }
    }

    /// The hub accepted a change: that is how it is until the hub says otherwise.
    pub(super) fn accept(&mut self, change: &Change) {
        self.on = change.on.or(self.on);
        if let Some(Power::On(level)) = change.intensity.map(Power::from) {
            self.level = Some(level);
        }
        self.tone = change.tone.or(self.tone);
    }
}

impl Change {
    /// Takes over what a newer wish says: the newest of each parameter counts, and off makes all but itself void.
    pub(super) fn merge(&mut self, newer: Self) {
        if newer.on == Some(false) {
            *self = newer;
            return;
        }
        let Self { on, intensity, tone, transition } = newer;
        self.on = on.or(self.on);
        self.intensity = intensity.or(self.intensity);
        self.tone = tone.or(self.tone);
        self.transition = transition.or(self.transition);
    }
}
