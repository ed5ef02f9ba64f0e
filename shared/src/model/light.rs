//! One light of a home: its controls, whether it is there, and when its level was set.

use crate::{
    model::{Control, Intensity, LightId},
    time::Timestamp,
};
use alloc::{string::String, vec::Vec};

/// Whether the lamp itself can be reached, as its availability topic says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Availability {
    /// Nobody said: a light without a lamp that speaks for itself.
    #[default]
    Unknown,
    /// The lamp is there.
    Online,
    /// The lamp is gone.
    Offline {
        /// When it went, where that is known.
        since: Option<Timestamp>,
    },
}

/// One light as it is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LightView {
    /// Which light.
    pub id: LightId,
    /// What people call it.
    pub name: String,
    /// The position of the slider.
    pub displayed: Intensity,
    /// What the topic says, where that differs from `displayed`.
    pub reported: Option<Intensity>,
    /// Whether the person's hand is on the slider.
    pub dragging: bool,
    /// Whether a wish has not been acknowledged yet: it is on its way, or waits for the connection.
    pub unacknowledged: bool,
    /// When the level was set, where that is known.
    pub set_at: Option<Timestamp>,
    /// Whether the lamp is there.
    pub availability: Availability,
}

#[derive(Clone, Debug)]
pub(super) struct Light {
    pub(super) control: Control,
    pub(super) availability: Availability,
    /// Its removal is on the way: it is not shown.
    pub(super) removing: bool,
    set_at: Option<Timestamp>,
    level_confirmed: bool,
    availability_confirmed: bool,
}

impl Light {
    pub(super) fn new(online: bool) -> Self {
        Self {
            control: Control::new(online),
            availability: Availability::Unknown,
            removing: false,
            set_at: None,
            level_confirmed: true,
            availability_confirmed: true,
        }
    }

    /// The topic says `value`, or said so already; `control` is told by the caller, afterwards. Where nobody says since when, a
    /// value that is known already keeps the time that is known of it.
    pub(super) fn level_arrives(&mut self, value: Intensity, set_at: Option<Timestamp>) {
        self.level_confirmed = true;
        if set_at.is_some() || self.control.reported() != Some(value) {
            self.set_at = set_at;
        }
    }

    /// The availability topic speaks. Anything but the two words means that nobody knows.
    pub(super) fn availability_arrives(&mut self, online: Option<bool>, set_at: Option<Timestamp>) {
        let told_again = core::mem::replace(&mut self.availability_confirmed, true);
        self.availability = match (online, self.availability) {
            (None, _) => Availability::Unknown,
            (Some(true), _) => Availability::Online,
            (Some(false), known @ Availability::Offline { .. }) if told_again => known,
            // It may have been back while nobody of ours listened.
            (Some(false), Availability::Offline { since }) => {
                Availability::Offline { since: set_at.or(since) }
            }
            (Some(false), Availability::Unknown | Availability::Online) => {
                Availability::Offline { since: set_at }
            }
        };
    }

    /// Another session begins: what the topics do not say again is not so any more.
    pub(super) fn doubt(&mut self) {
        self.level_confirmed = false;
        self.availability_confirmed = false;
    }

    /// The topics had time to speak: forgets what they did not say again. Says whether anything is left; a person's
    /// wish keeps a light alive.
    pub(super) fn forget_doubtful(&mut self) -> bool {
        if !self.availability_confirmed {
            self.availability = Availability::Unknown;
        }
        if !self.level_confirmed {
            self.control.cleared();
        }
        self.level_confirmed || self.availability_confirmed || !self.control.is_idle()
    }

    pub(super) fn is_shown(&self) -> bool {
        !self.removing && self.control.displayed().is_some()
    }

    pub(super) fn view(&self, id: &LightId) -> Option<LightView> {
        let displayed = self.control.displayed().filter(|_| !self.removing)?;
        Some(LightView {
            id: id.clone(),
            name: id.display_name(),
            displayed,
            reported: self.control.reported().filter(|reported| *reported != displayed),
            dragging: self.control.is_dragging(),
            unacknowledged: self.control.is_unacknowledged(),
            set_at: self.set_at,
            availability: self.availability,
        })
    }
}

/// Puts lights in the order in which people look for them: by name, without regard to case, "Lamp 2" before "Lamp 10".
pub(super) fn sort_by_name(lights: &mut [LightView]) {
    lights.sort_by_cached_key(|light| (sort_key(&light.name), light.id.clone()));
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// Digits: the longer is the greater once leading zeros are gone.
    Number(usize, String),
    Text(String),
}

fn sort_key(name: &str) -> Vec<Part> {
    let chars: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let runs = chars.chunk_by(|left, right| left.is_ascii_digit() == right.is_ascii_digit());
    let part = |run: &[char]| match run.first() {
        Some(first) if first.is_ascii_digit() => {
            let digits: String = run.iter().skip_while(|digit| **digit == '0').collect();
            Part::Number(digits.len(), digits)
        }
        _ => Part::Text(run.iter().collect()),
    };
    runs.map(part).collect()
}
