//! paho-mqtt, aiomqtt, gmqtt, ohmqtt and MQTT.js, each by a script that goes through much the same list: for each QoS messages in
//! order, a retained message to a late subscriber and its clearing, a will; a session that is resumed; paho-mqtt and MQTT.js
//! also a large payload and properties, ohmqtt also the former.

use crate::{
    installed,
    support::{DEADLINE, Server},
};
use std::{
    env,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name)
}

/// Runs a script with the version and the transport; it exits with 0 when all went well, and says what did not.
#[track_caller]
fn check(mut client: Command, version: &str, transport: &str) {
    let server = Server::start();
    let port = if transport == "websocket" { server.http.port() } else { server.mqtt.port() };
    let mut child = client
        .args([version, transport, &port.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap_or_else(|error| panic!("{client:?} does not start: {error}"));
    let (said, ending) = mpsc::channel();
    let mut out = child.stdout.take().unwrap();
    thread::spawn(move || {
        let mut text = String::new();
        let _ = out.read_to_string(&mut text);
        said.send(text)
    });
    let said = ending.recv_timeout(DEADLINE * 3);
    let _ = child.kill();
    child.wait().unwrap();
    // The list is long, and a script that stops in the middle of it must not pass.
    assert_eq!(said.as_deref().map(str::trim_end), Ok("all well"));
}

fn python(name: &str, version: &str, transport: &str) {
    let mut client = Command::new(installed("LUXWIRE_PYTHON", "a Python with MQTT clients"));
    client.arg(script(name));
    check(client, version, transport);
}

fn paho(version: &str, transport: &str) {
    python("paho_mqtt.py", version, transport);
}

fn mqtt_js(version: &str, transport: &str) {
    let modules = installed("LUXWIRE_NODE_MODULES", "a node_modules folder with MQTT.js");
    let mut client = Command::new(env::var_os("LUXWIRE_NODE").unwrap_or_else(|| "node".into()));
    client.arg(script("mqtt_js.mjs")).env("LUXWIRE_NODE_MODULES", modules);
    check(client, version, transport);
}

#[test]
fn paho_3_1_1_over_tcp() {
    paho("3.1.1", "tcp");
}

#[test]
fn paho_3_1_1_over_websocket() {
    paho("3.1.1", "websocket");
}

#[test]
fn paho_5_0_over_tcp() {
    paho("5.0", "tcp");
}

#[test]
fn paho_5_0_over_websocket() {
    paho("5.0", "websocket");
}

#[test]
fn mqtt_js_3_1_1_over_tcp() {
    mqtt_js("3.1.1", "tcp");
}

#[test]
fn mqtt_js_3_1_1_over_websocket() {
    mqtt_js("3.1.1", "websocket");
}

#[test]
fn mqtt_js_5_0_over_tcp() {
    mqtt_js("5.0", "tcp");
}

#[test]
fn mqtt_js_5_0_over_websocket() {
    mqtt_js("5.0", "websocket");
}

#[test]
fn aiomqtt_3_1_1_over_tcp() {
    python("aiomqtt_client.py", "3.1.1", "tcp");
}

#[test]
fn aiomqtt_3_1_1_over_websocket() {
    python("aiomqtt_client.py", "3.1.1", "websocket");
}

#[test]
fn aiomqtt_5_0_over_tcp() {
    python("aiomqtt_client.py", "5.0", "tcp");
}

#[test]
fn aiomqtt_5_0_over_websocket() {
    python("aiomqtt_client.py", "5.0", "websocket");
}

#[test]
fn gmqtt_3_1_1_over_tcp() {
    python("gmqtt_client.py", "3.1.1", "tcp");
}

#[test]
fn gmqtt_5_0_over_tcp() {
    python("gmqtt_client.py", "5.0", "tcp");
}

#[test]
fn ohmqtt_5_0_over_tcp() {
    python("ohmqtt_client.py", "5.0", "tcp");
}

#[test]
fn ohmqtt_5_0_over_websocket() {
    python("ohmqtt_client.py", "5.0", "websocket");
}
