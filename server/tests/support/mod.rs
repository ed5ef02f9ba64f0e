//! What tests need to see the program from outside: a server in a process of its own, and clients on real sockets.
//!
//! Everything waits for facts, none of it for a time: where something never comes, a deadline makes the test fail.

#![allow(dead_code, unused_imports, reason = "each test program uses a part of it")]

mod client;
mod events;
pub(crate) mod frames;
mod http;
mod server;

pub(crate) use client::{Client, connect, encode, publish, subscribe, websocket_request};
pub(crate) use events::{Event, Events};
pub(crate) use http::{Answer, get, handshake_answer, request};
pub(crate) use server::{Finished, Server, program, run, run_command};

use std::{
    process::Child,
    time::{Duration, Instant},
};

/// After this long something that should have happened will not happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Looks again and again until there is something to see.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(started.elapsed() < DEADLINE, "it never happened: {what}");
        // Leaves the processor to those who are being waited for.
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// A program that does not outlive its test, however that ends: whoever waits for the tests' output would wait for it.
pub(crate) struct Ends(pub(crate) Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
