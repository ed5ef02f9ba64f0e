//! `luxwire hue` between programs of others: hue-simulator from npm and Mosquitto.
//!
//! `cargo xtask test` installs them and says in the environment where they are; this program runs only when it is named
//! (`cargo test -p luxwire --test hue-foreign`).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

#[path = "../hue/rig.rs"]
#[allow(dead_code, reason = "only a part of it is needed here")]
mod rig;
#[path = "../support/mod.rs"]
mod support;

use rig::{Folder, Home, hue};
use serde_json::Value;
use std::{
    env,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};
use support::{DEADLINE, eventually, get};

/// The key that the simulator gives everybody who pairs.
const KEY: &str = "letmegeneratethatforyou";

/// Somebody else's program; it ends with the test.
struct Foreign {
    child: Child,
    address: SocketAddr,
}

impl Foreign {
    fn start(mut command: Command, address: SocketAddr) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let foreign = Self { child, address };
        eventually("a program that listens", || TcpStream::connect(address).ok());
        foreign
    }

    fn mosquitto(address: SocketAddr, folder: &Folder) -> Self {
        let configuration = folder.join("mosquitto.conf");
        let text =
            format!("allow_anonymous true\npersistence false\nlistener {} 127.0.0.1\n", address.port());
        std::fs::write(&configuration, text).unwrap();
        let mut command = Command::new(installed("LUXWIRE_MOSQUITTO_DIR", "Mosquitto").join("mosquitto"));
        command.arg("-c").arg(configuration);
        Self::start(command, address)
    }

    fn simulator(address: SocketAddr) -> Self {
        let modules = installed("LUXWIRE_NODE_MODULES", "hue-simulator from npm");
        let mut command = Command::new("node");
        command
            .arg(modules.join("hue-simulator/bin/hue-simulator"))
            .args(["--hostname=127.0.0.1", &format!("--port={}", address.port())]);
        Self::start(command, address)
    }

    fn light(&self, number: u8) -> Value {
        get(self.address, &format!("/api/{KEY}/lights/{number}")).json()["state"].clone()
    }

    fn put(&self, path: &str, body: &str) {
        let (length, host) = (body.len(), self.address);
        let mut socket = TcpStream::connect(host).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let head = format!(
            "PUT /api/{KEY}{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        socket.write_all((head + body).as_bytes()).unwrap();
        socket.read_to_end(&mut Vec::new()).unwrap();
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn installed(variable: &str, what: &str) -> PathBuf {
    let folder = env::var_os(variable).unwrap_or_else(|| {
        panic!("{what} is needed, and {variable} does not say where it is: run `cargo xtask test`, which installs it")
    });
    folder.into()
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn a_hub_and_a_broker_of_others_are_joined_and_survive_each_other() {
    let folder = Folder::new("foreign");
    let (at, hub_at) = (free(), free());
    let broker = Foreign::mosquitto(at, &folder);
    let hub = Foreign::simulator(hub_at);
    let bridge = hub_at.to_string();
    let mut hue = hue(at, &folder.join("keys"), &["--bridge", &bridge]);
    eventually("the request to press the button", || {
        hue.log().contains("press the round button").then_some(())
    });
    assert_eq!(get(hub_at, "/linkbutton").status, 200);

    let mut home = Home::at(at);
    home.until_is("lights/hue-hue-lamp-1/intensity", "0");
    home.until_is("lights/hue-hue-lamp-2/intensity", "100");
    home.until_is("lights/hue-group-1/availability", "online");

    home.say("lights/hue-hue-lamp-1/intensity", "40", true);
    eventually("40 % at the hub", || {
        (hub.light(1)["bri"] == 102 && hub.light(1)["on"] == true).then_some(())
    });
    home.say("lights/hue-hue-lamp-1/intensity", "0", true);
    eventually("off at the hub", || (hub.light(1)["on"] == false).then_some(()));
    hub.put("/lights/2/state", r#"{"on":true,"bri":127}"#);
    home.until_is("lights/hue-hue-lamp-2/intensity", "50");
    home.say("lights/hue-group-1/intensity", "20", true);
    eventually("the room at 20 %", || (hub.light(1)["bri"] == 51 && hub.light(2)["bri"] == 51).then_some(()));

    // The simulator forgets all keys, and does not answer those it does not know: a hub that hangs.
    drop(hub);
    home.until_is("lights/hue-hue-lamp-2/availability", "offline");
    let hub = Foreign::simulator(hub_at);
    home.say("lights/hue-hue-lamp-2/intensity", "70", true);
    home.say("luxwire/hue/luxwire-hue/request", &format!("{{\"pair\":{{\"host\":{bridge:?}}}}}"), false);
    assert_eq!(get(hub_at, "/linkbutton").status, 200);
    home.until_is("lights/hue-hue-lamp-2/availability", "online");
    eventually("the wish of meanwhile", || (hub.light(2)["bri"] == 178).then_some(()));

    drop(broker);
    let broker = Foreign::mosquitto(at, &folder);
    let mut home = Home::at(at);
    home.until_is("lights/hue-hue-lamp-2/intensity", "70");
    home.until_is("lights/hue-hue-lamp-2/availability", "online");
    home.listen(Duration::from_millis(100));
    assert_eq!(hue.stop(), Some(0));
    home.until_is("lights/hue-hue-lamp-2/availability", "offline");
    drop(broker);
}
