//! `luxwire lamp`, as people use it: the real program, our broker, real sockets, pipes, terminals and files.
//!
//! What a level means and how it fades is tested in the shared crate, in virtual time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod broker;
mod hardware;
mod lamp;
mod life;
mod light;
mod screen;

#[path = "../support/mod.rs"]
mod support;
