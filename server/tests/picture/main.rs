//! The live picture, watched from outside: what a watcher is told is what clients did, in order, whatever they are
//! called and however many there are.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod bounds;
mod hostile;
mod story;
mod watcher;

#[path = "../support/mod.rs"]
mod support;
