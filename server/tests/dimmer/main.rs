//! The dimmer as a program, against our own broker.
//!
//! What it must do with any broker stands in `scenarios`; the same runs against Mosquitto in `mosquitto.rs`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod dimmer;
mod keyboard;
mod scenarios;
mod usage;
mod witness;

#[path = "../support/mod.rs"]
mod support;

use std::net::SocketAddr;
use support::Server;

/// A broker, as the scenarios need one.
pub(crate) struct House {
    broker: Option<Server>,
    mqtt: SocketAddr,
    http: SocketAddr,
}

impl House {
    pub(crate) fn start() -> Self {
        let broker = Server::start();
        Self { mqtt: broker.mqtt, http: broker.http, broker: Some(broker) }
    }

    /// Where it speaks MQTT over TCP.
    pub(crate) fn mqtt(&self) -> SocketAddr {
        self.mqtt
    }

    /// What `--broker` is told, for each transport.
    pub(crate) fn urls(&self) -> [String; 2] {
        [format!("mqtt://{}", self.mqtt), format!("ws://{}/mqtt", self.http)]
    }

    /// It is gone, with everything that it knew.
    pub(crate) fn stop(&mut self) {
        self.broker = None;
    }

    /// It is back, at the same address.
    pub(crate) fn start_again(&mut self) {
        let mut command = support::program();
        command.args(["serve", "--ephemeral", "--http", "127.0.0.1:0", "--mqtt", &self.mqtt.to_string()]);
        let broker = Server::from(command);
        self.http = broker.http;
        self.broker = Some(broker);
    }
}
