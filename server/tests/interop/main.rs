//! Other people's clients against the real program: mosquitto's tools, Paho's C client with its tests, paho-mqtt for
//! Python, MQTT.js; curl, and programs that are made from the OpenAPI document.
//!
//! `cargo xtask test` installs them and says in the environment where they are; this program runs only when it is named
//! (`cargo test -p luxwire --test interop`). What each client does stands in the scripts beside this file.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod http;
mod mosquitto;
mod paho_c;
mod pub_sub;
mod scripts;

#[path = "../support/mod.rs"]
mod support;

use std::{env, ffi::OsString};

/// What an environment variable says, or how to come by it.
fn installed(variable: &str, what: &str) -> OsString {
    env::var_os(variable).unwrap_or_else(|| {
        panic!("{what} is needed, and {variable} does not say where it is: run `cargo xtask test`, which installs it")
    })
}
