//! The MQTT broker, pure: packets and time go in, effects come out.
//!
//! It opens no socket, reads no clock, draws no randomness, never blocks and never fails: a client that misbehaves is an
//! effect ([`Effect::Close`]), not an error. Whoever drives it (the server's edge, a test, a simulation) owns all that.
#![no_std]

extern crate alloc;

mod acknowledge;
mod broker;
mod connect;
mod deadlines;
mod deliver;
mod disconnect;
mod effect;
mod input;
mod limits;
mod link;
mod message;
mod publish;
mod replay;
mod retained;
mod session;
mod statistics;
mod subscribe;
mod subscriptions;
mod turn;
mod will;

pub use broker::{Broker, Config};
pub use effect::{CloseReason, Delivered, Dropped, Effect, Report};
pub use input::{Cause, Input, LinkId, Now};
pub use limits::Limits;
pub use message::Message;
pub use statistics::Statistics;
