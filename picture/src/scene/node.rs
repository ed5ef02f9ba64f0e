//! A client, or some, as drawn: name, level, and where it is on its way from one place to another.

use super::NEVER;
use crate::{
    crowd::Group,
    layout::{Place, Point, Size},
    time::Millis,
};

/// A client, or some, as drawn.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Who it is.
    pub(crate) group: Group,
    /// What it is called.
    pub(crate) name: String,
    /// What it has to say beside its name.
    pub(crate) note: String,
    /// How large it is.
    pub(crate) size: Size,
    /// Its words stand above it.
    pub(crate) has_words_above: bool,
    /// How bright it shines, if it does.
    pub(crate) level: Option<u8>,
    /// When it last sent or got something, on the stage's clock.
    pub(crate) lit_at: Millis,
    from: Point,
    to: Point,
    moved_at: Millis,
}

/// How long a node glides to another place.
const GLIDE_MS: Millis = 500.0;

impl Node {
    pub(super) fn new(group: Group, name: String, place: Place) -> Self {
        Self {
            group,
            name,
            note: String::new(),
            size: place.size,
            has_words_above: place.has_words_above,
            level: None,
            lit_at: NEVER,
            from: place.at,
            to: place.at,
            moved_at: NEVER,
        }
    }

    /// Whether it is on its way to another place.
    pub(super) fn is_gliding(&self, now: Millis) -> bool {
        now - self.moved_at < GLIDE_MS
    }

    /// Is where it should be at once: the stage changed, and nobody walked.
    pub(super) fn stop(&mut self) {
        self.moved_at = NEVER;
    }

    /// How bright it is, in words, if it is one lamp.
    pub(super) fn level_words(&self) -> String {
        match (self.level, self.group.members.len()) {
            (Some(0), 1) => "off".into(),
            (Some(level), 1) => format!("{level} %"),
            (None, _) | (Some(_), _) => String::new(),
        }
    }

    /// Where it is at this moment.
    pub(crate) fn at(&self, now: Millis) -> Point {
        let part = ((now - self.moved_at) / GLIDE_MS).max(0.0).min(1.0);
        let eased = 1.0 - (1.0 - part).powi(3);
        let between = |from: f64, to: f64| from + (to - from) * eased;
        Point { x: between(self.from.x, self.to.x), y: between(self.from.y, self.to.y) }
    }

    pub(super) fn move_to(&mut self, place: Place, now: Millis) {
        (self.size, self.has_words_above) = (place.size, place.has_words_above);
        if self.to != place.at {
            (self.from, self.to, self.moved_at) = (self.at(now), place.at, now);
        }
    }
}
