//! The client without I/O against servers made of the codec: scripted ones, and one with sessions that can be cut off at
//! any byte. Virtual time throughout.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

#[path = "client/aliases.rs"]
mod aliases;
#[path = "client/connection.rs"]
mod connection;
#[path = "client/cuts.rs"]
mod cuts;
#[path = "client/extras.rs"]
mod extras;
#[path = "client/lights.rs"]
mod lights;
#[path = "client/publish.rs"]
mod publish;
#[path = "client/receive.rs"]
mod receive;
#[path = "client/rig.rs"]
mod rig;
#[path = "client/subscribe.rs"]
mod subscribe;
