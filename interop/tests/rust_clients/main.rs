//! Clients in Rust that others wrote, against the real program; each goes through the list in `list`.
//!
//! `cargo xtask test` says in `LUXWIRE_BIN` where the program is; this one runs only when it is named
//! (`cargo test -p luxwire-interop --test rust-clients`). It knows nothing of our own crates.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod broker;
mod list;
mod ntex;
mod rumqttc;

use broker::{Broker, DEADLINE, Transport};
use list::Client;
use std::{sync::mpsc, thread};

/// Goes through the whole list, and fails when a part of it fails or never ends.
#[track_caller]
fn check<C: Client + 'static>(transport: Transport) {
    let broker = Broker::start();
    let place = broker.place(transport);
    let (done, end) = mpsc::channel();
    thread::spawn(move || {
        C::run(list::all::<C>(place));
        let _ = done.send(());
    });
    // It hangs up when the list panics, which has said why.
    assert_eq!(end.recv_timeout(DEADLINE), Ok(()));
}

#[test]
fn rumqttc_3_1_1_over_tcp() {
    check::<rumqttc::v3_1_1::Rumqttc>(Transport::Tcp);
}

#[test]
fn rumqttc_3_1_1_over_websocket() {
    check::<rumqttc::v3_1_1::Rumqttc>(Transport::WebSocket);
}

#[test]
fn rumqttc_5_0_over_tcp() {
    check::<rumqttc::v5_0::Rumqttc>(Transport::Tcp);
}

#[test]
fn rumqttc_5_0_over_websocket() {
    check::<rumqttc::v5_0::Rumqttc>(Transport::WebSocket);
}

#[test]
fn ntex_3_1_1_over_tcp() {
    check::<ntex::v3_1_1::Ntex>(Transport::Tcp);
}

#[test]
fn ntex_5_0_over_tcp() {
    check::<ntex::v5_0::Ntex>(Transport::Tcp);
}
