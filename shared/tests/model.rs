//! The lights: what a payload means, what a hand on a slider publishes, and what a page shows. Virtual time throughout.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

#[path = "model/age.rs"]
mod age;
#[path = "model/control.rs"]
mod control;
#[path = "model/fade.rs"]
mod fade;
#[path = "model/home.rs"]
mod home;
#[path = "model/intensity.rs"]
mod intensity;
#[path = "model/lightness.rs"]
mod lightness;
#[path = "model/reading.rs"]
mod reading;
#[path = "model/throttle.rs"]
mod throttle;
#[path = "model/topics.rs"]
mod topics;

use luxwire_shared::{
    model::{Intensity, LightId},
    time::Instant,
};

fn percent(percent: u8) -> Intensity {
    Intensity::from_percent(percent).unwrap()
}

fn id(id: &str) -> LightId {
    LightId::try_from(id).unwrap()
}

fn ms(millis: u64) -> Instant {
    Instant::from_millis(1_000_000 + millis)
}
