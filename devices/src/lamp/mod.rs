//! `luxwire lamp`: follows one light's intensity and shows it, on a screen or on real hardware.
//!
//! It listens and shines. It never publishes an intensity: a lamp that answered what it hears would fight with dimmers.

mod args;
mod bar;
mod command;
mod complaints;
mod device;
mod output;
mod printer;
mod pwm;

pub use args::{Args, Bits};
pub use device::run;
pub use pwm::Polarity;
