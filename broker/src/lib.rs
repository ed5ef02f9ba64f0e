//! The MQTT broker, pure: packets and time go in, effects come out.
//!
//! It opens no socket, reads no clock, draws no randomness, never blocks and never fails: a client that misbehaves is an
//! effect ([`Effect::Close`]), not an error. Whoever drives it (the server's edge, a test, a simulation) owns all that.
#![no_std]

extern crate alloc;

mod effect;
mod input;
mod message;

pub use effect::{CloseReason, Delivered, Dropped, Effect, Report};
pub use input::{Cause, Input, LinkId, Now};
pub use message::Message;
