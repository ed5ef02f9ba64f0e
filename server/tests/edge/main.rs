//! The edge, seen from outside: the real program on real sockets of the loopback interface.
//!
//! What MQTT says is tested in the broker's and the codec's own crates; here it is how bytes come in and go out, what
//! the program promises on its command line, and what happens to those who behave badly.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod announced;
mod closing;
mod connections;
mod contracts;
mod frames;
mod handshake;
mod hostile;
mod http;
mod limits;
mod memory;
mod proxy;
mod slow;
mod sys;
mod transports;

#[path = "../support/mod.rs"]
mod support;
