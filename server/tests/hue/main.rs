//! `luxwire hue` between our broker and our pretend hub, each a program of its own: pairing, both ways, limits, and plugs
//! that are pulled.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod both_ways;
mod pairing;
mod plugs;
mod rig;
#[path = "../support/mod.rs"]
mod support;
