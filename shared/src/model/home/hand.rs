//! What a person does to the lights: events of sliders, switches and buttons, named as the browser names them.

use crate::{
    model::{Control, Home, Intensity, LightId, LightTopic, Wish, home::LIGHTS_MAX},
    time::Instant,
};
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt;

/// Why a light cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddError {
    /// There is one with this identifier.
    Exists,
    /// There are [`LIGHTS_MAX`] already.
    TooMany,
}

/// A light that is not there, or not any more, is not affected.
impl Home {
    /// `pointerdown` on the slider.
    pub fn press(&mut self, id: &LightId) {
        if let Some(light) = self.shown(id) {
            light.control.press();
        }
    }

    /// `input` on the slider.
    pub fn input(&mut self, id: &LightId, value: Intensity, now: Instant) {
        if self.shown(id).is_some() {
            // A final value will follow; an older one must not come after what the hand does now.
            self.outbox.forget(&LightTopic::Intensity(id.clone()));
        }
        self.act(id, now, |control| control.input(value, now));
    }

    /// `pointerup`, `pointercancel`, `keyup` or `blur` on the slider.
    pub fn release(&mut self, id: &LightId, now: Instant) {
        self.act(id, now, |control| control.release(now));
    }

    /// The page is hidden or closed: every hand leaves its slider.
    pub fn release_all(&mut self, now: Instant) {
        let ids: Vec<LightId> = self.lights.keys().cloned().collect();
        for id in ids {
            self.release(&id, now);
        }
    }

    /// `change` on the slider.
    pub fn change(&mut self, id: &LightId, now: Instant) {
        self.act(id, now, |control| control.change(now));
    }

    /// One value at once: a number box, a scene.
    pub fn set(&mut self, id: &LightId, value: Intensity, now: Instant) {
        self.act(id, now, |control| Some(control.set(value, now)));
    }

    /// The switch.
    pub fn switch(&mut self, id: &LightId, on: bool, now: Instant) {
        self.act(id, now, |control| control.switch(on, now));
    }

    /// What [`Home::last_on`] said in an earlier run of the page.
    pub fn recall(&mut self, id: &LightId, last_on: Intensity) {
        if let Some(light) = self.lights.get_mut(id) {
            light.control.recall(last_on);
        }
    }

    /// Adds a light by publishing its first level.
    pub fn add(&mut self, id: LightId, initial: Intensity, now: Instant) -> Result<(), AddError> {
        if self.shown(&id).is_some() {
            return Err(AddError::Exists);
        }
        let Some(light) = self.entry(&id) else { return Err(AddError::TooMany) };
        light.removing = false;
        let wish = light.control.set(initial, now);
        self.send(&id, Some(wish), now);
        Ok(())
    }

    /// Removes a light by clearing its topics; it disappears for everybody.
    pub fn remove(&mut self, id: &LightId, now: Instant) {
        let Some(light) = self.shown(id) else { return };
        light.removing = true;
        light.control.given_up();
        self.passing.remove(id);
        for topic in [LightTopic::Intensity(id.clone()), LightTopic::Availability(id.clone())] {
            self.outbox.put(topic, Bytes::new(), now);
        }
    }

    fn act(&mut self, id: &LightId, now: Instant, action: impl FnOnce(&mut Control) -> Option<Wish>) {
        let Some(light) = self.shown(id) else { return };
        let wish = action(&mut light.control);
        self.send(id, wish, now);
    }
}

impl fmt::Display for AddError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists => f.write_str("there is a light with this name already"),
            Self::TooMany => write!(f, "there are {LIGHTS_MAX} lights already"),
        }
    }
}

impl core::error::Error for AddError {}
