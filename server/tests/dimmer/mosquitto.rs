//! The dimmer as a program, against Mosquitto: the scenarios of `main.rs`, and a broker that asks for a password.
//!
//! `cargo xtask test` installs Mosquitto and says in the environment where it is; this program runs only when it is named
//! (`cargo test -p luxwire --test dimmer-mosquitto`).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod dimmer;
mod keyboard;
mod scenarios;
mod witness;

#[path = "../support/mod.rs"]
mod support;

use dimmer::Dimmer;
use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
};
use support::eventually;

/// A running Mosquitto, as the scenarios need one; it ends with the test.
pub(crate) struct House {
    broker: Option<Child>,
    folder: PathBuf,
    mqtt: SocketAddr,
    websocket: SocketAddr,
}

impl House {
    pub(crate) fn start() -> Self {
        Self::with("allow_anonymous true\n", |_| ())
    }

    /// Only for `ada`, whose password is `lovelace`.
    fn locked() -> Self {
        Self::with("allow_anonymous false\n", |folder| {
            let passwords = folder.join("passwords");
            let mut passwd = Command::new(program("mosquitto_passwd"));
            let status = passwd.args(["-b", "-c"]).arg(&passwords).args(["ada", "lovelace"]).status();
            assert!(status.unwrap().success());
            let line = format!("password_file {}\n", passwords.display());
            fs::write(folder.join("more.conf"), line).unwrap();
        })
    }

    /// Everybody may look, and nobody may set.
    fn read_only() -> Self {
        Self::with("allow_anonymous true\n", |folder| {
            fs::write(folder.join("permissions"), "topic read #\n").unwrap();
            let line = format!("acl_file {}\n", folder.join("permissions").display());
            fs::write(folder.join("more.conf"), line).unwrap();
        })
    }

    fn with(settings: &str, prepare: impl FnOnce(&PathBuf)) -> Self {
        let [mqtt, websocket] = free_addresses();
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("dimmer-{}", mqtt.port()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        prepare(&folder);
        let more = fs::read_to_string(folder.join("more.conf")).unwrap_or_default();
        let (mqtt_port, websocket_port) = (mqtt.port(), websocket.port());
        let configuration = format!(
            "per_listener_settings false\n{settings}{more}persistence false\nuser {}\n\
             listener {mqtt_port} 127.0.0.1\nprotocol mqtt\n\
             listener {websocket_port} 127.0.0.1\nprotocol websockets\n",
            // Started by root it would otherwise become somebody who may not read the folder.
            if rustix::process::geteuid().is_root() { "root" } else { "mosquitto" },
        );
        fs::write(folder.join("mosquitto.conf"), configuration).unwrap();
        let mut house = Self { broker: None, folder, mqtt, websocket };
        house.start_again();
        house
    }

    /// Where it speaks MQTT over TCP.
    pub(crate) fn mqtt(&self) -> SocketAddr {
        self.mqtt
    }

    /// What `--broker` is told, for each transport.
    pub(crate) fn urls(&self) -> [String; 2] {
        [format!("mqtt://{}", self.mqtt), format!("ws://{}", self.websocket)]
    }

    /// It is gone, with everything that it knew.
    pub(crate) fn stop(&mut self) {
        if let Some(mut broker) = self.broker.take() {
            broker.kill().unwrap();
            broker.wait().unwrap();
        }
    }

    /// It is back, at the same address.
    pub(crate) fn start_again(&mut self) {
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let mut mosquitto = Command::new(program("mosquitto"));
        mosquitto.arg("-c").arg(self.folder.join("mosquitto.conf"));
        let broker = mosquitto.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let mut broker = broker.unwrap_or_else(|error| panic!("Mosquitto does not start: {error}"));
        eventually("Mosquitto listens", || {
            if let Some(status) = broker.try_wait().unwrap() {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                panic!("Mosquitto ended: {status}\n{log}");
            }
            let listens = |address| TcpStream::connect(address).is_ok();
            (listens(self.mqtt) && listens(self.websocket)).then_some(())
        });
        self.broker = Some(broker);
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// In the folder that `LUXWIRE_MOSQUITTO_DIR` names.
fn program(name: &str) -> PathBuf {
    let folder = env::var_os("LUXWIRE_MOSQUITTO_DIR").unwrap_or_else(|| {
        panic!("Mosquitto is needed, and LUXWIRE_MOSQUITTO_DIR does not say where it is: run `cargo xtask test`, which installs it")
    });
    PathBuf::from(folder).join(name)
}

/// Mosquitto takes no port 0: these are free now, and nobody is given them soon.
fn free_addresses() -> [SocketAddr; 2] {
    let listeners = [0; 2].map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap())
}

#[test]
fn a_user_and_a_password_open_the_door_over_both_transports() {
    let house = House::locked();
    for url in house.urls() {
        for protocol in ["5", "3.1.1", "3.1"] {
            let flags = ["--user", "ada", "--password", "lovelace", "--protocol", protocol];
            let dimmer = Dimmer::given("42\n", &["desk"], &url, &flags);
            assert_eq!(dimmer.ended(), (Some(0), vec!["42".to_owned()]), "{url} {protocol}");
        }
        let with_user = url.replace("://", "://ada:lovelace@");
        let dimmer = Dimmer::given("43\n", &["desk"], &with_user, &[]);
        assert_eq!(dimmer.ended(), (Some(0), vec!["43".to_owned()]));
    }
}

#[test]
fn a_wrong_password_is_said_and_tried_again_later() {
    let house = House::locked();
    for url in house.urls() {
        let dimmer = Dimmer::given("42\n", &["desk"], &url, &["--user", "ada", "--password", "byron"]);
        dimmer.says(&["refuses us", "--password", "next try in"]);
        assert!(!dimmer.said().contains("lovelace") && !dimmer.said().contains("byron"));
        dimmer.terminate();
        dimmer.says(&["the last value, 42 %, did not reach the broker"]);
        assert_eq!(dimmer.ended().0, Some(0));
    }
}

#[test]
fn a_value_that_the_broker_does_not_take_is_a_failure_and_said_once() {
    let house = House::read_only();
    let dimmer = Dimmer::given("42\n", &["desk"], &house.urls()[0], &[]);
    assert_eq!(dimmer.ended().0, Some(1));
    dimmer.says(&["the broker did not take the last value"]);

    let wave = Dimmer::start(&["desk", "--wave", "sine"], &house.urls()[0]);
    for _ in 0..5 {
        wave.line();
    }
    wave.terminate();
    assert_eq!(wave.ended().0, Some(0));
    let refusals = wave.said().lines().filter(|line| line.contains("refuses what we published")).count();
    assert_eq!(refusals, 1, "{}", wave.said());
}
