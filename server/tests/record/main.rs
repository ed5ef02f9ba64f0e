//! The recorder as a program, against our own broker, and what it says when a plug is pulled.
//!
//! What it must do with any broker stands in `scenarios`; the same runs against Mosquitto in `mosquitto.rs`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod files;
mod forms;
mod hosted;
mod recorder;
mod scenarios;
mod times;
mod usage;

#[path = "../support/mod.rs"]
mod support;

use std::net::SocketAddr;
use support::Server;

/// A broker, as the scenarios need one.
pub(crate) struct House {
    broker: Option<Server>,
    mqtt: SocketAddr,
}

impl House {
    pub(crate) fn start() -> Self {
        let broker = Server::start();
        Self { mqtt: broker.mqtt, broker: Some(broker) }
    }

    /// Where it speaks MQTT over TCP.
    pub(crate) fn mqtt(&self) -> SocketAddr {
        self.mqtt
    }

    /// It is killed, and everything that it knew is gone.
    pub(crate) fn kill(&mut self) {
        self.broker = None;
    }

    /// It is back, at the same address.
    pub(crate) fn start_again(&mut self) {
        let mut command = support::program();
        command.args(["serve", "--ephemeral", "--http", "127.0.0.1:0", "--mqtt", &self.mqtt.to_string()]);
        self.broker = Some(Server::from(command));
    }
}
