//! The recorder as a program, beside other people's: the scenarios of `main.rs` against Mosquitto, and exports in the hands
//! of those who read them.
//!
//! `cargo xtask test` installs them and says in the environment where they are; this program runs only when it is named
//! (`cargo test -p luxwire --test record-mosquitto`).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod exports;
#[allow(dead_code, reason = "the tests of its file use more of it")]
mod recorder;
mod scenarios;

#[path = "../support/mod.rs"]
mod support;

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
}

impl House {
    pub(crate) fn start() -> Self {
        // Mosquitto takes no port 0: this one is free, and nobody is given it soon.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mqtt = listener.local_addr().unwrap();
        drop(listener);
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("record-mosquitto-{}", mqtt.port()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let configuration = format!(
            "allow_anonymous true\npersistence false\nuser {}\nlistener {} 127.0.0.1\n",
            // Started by root it would otherwise become somebody who may not read the folder.
            if rustix::process::geteuid().is_root() { "root" } else { "mosquitto" },
            mqtt.port(),
        );
        fs::write(folder.join("mosquitto.conf"), configuration).unwrap();
        let mut house = Self { broker: None, folder, mqtt };
        house.start_again();
        house
    }

    /// Where it speaks MQTT over TCP.
    pub(crate) fn mqtt(&self) -> SocketAddr {
        self.mqtt
    }

    /// It is killed, and everything that it knew is gone.
    pub(crate) fn kill(&mut self) {
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
            TcpStream::connect(self.mqtt).is_ok().then_some(())
        });
        self.broker = Some(broker);
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.kill();
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
