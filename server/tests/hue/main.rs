//! `luxwire hue` between our broker and our pretend hub, each a program of its own: pairing, both ways, limits, and plugs
//! that are pulled.

mod both_ways;
mod pairing;
mod plugs;
mod rig;
#[path = "../support/mod.rs"]
mod support;
