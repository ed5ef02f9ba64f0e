//! The programs around `luxwire hue`: a pretend hub that can be told to fail, a home that collects what the broker says.

use crate::support::{Client, DEADLINE, Server, eventually, get, program, request, subscribe};
use luxwire_shared::mqtt::{Delivery, Packet, PacketId, PublishTopic, QoS, Version};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

/// A folder that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("luxwire-hue-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A program that ends with the test.
pub(crate) struct Running {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Running {
    /// Starts it and waits for the line `ready`, if it says that.
    fn start(mut command: Command, says_ready: bool) -> (Self, String) {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let log = Arc::new(Mutex::new(String::new()));
        let (collected, mut pipe) = (Arc::clone(&log), child.stderr.take().unwrap());
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(len @ 1..) = pipe.read(&mut buffer) {
                collected.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..len]));
            }
        });
        let out = BufReader::new(child.stdout.take().unwrap());
        let (lines, received) = mpsc::channel();
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        let running = Self { child, log };
        let mut said = String::new();
        while says_ready && !said.ends_with("ready\n") {
            let line = received.recv_timeout(DEADLINE).unwrap_or_else(|_| panic!("{said}{}", running.log()));
            said += &(line + "\n");
        }
        (running, said)
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Asks it to end, and waits until it did.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        let child = &mut self.child;
        eventually("the end of the program", || child.try_wait().unwrap()).code()
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("--- a program's log ---\n{}------", self.log());
        }
    }
}

/// The pretend hub.
pub(crate) struct Hub {
    pub(crate) program: Running,
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
}

impl Hub {
    /// With a white and a coloured light in a room, and a plug.
    pub(crate) fn start(folder: &Path) -> Self {
        let free = "127.0.0.1:0".parse().unwrap();
        Self::start_at(folder, free, free, &[])
    }

    pub(crate) fn start_at(folder: &Path, http: SocketAddr, https: SocketAddr, more: &[&str]) -> Self {
        let mut command = program();
        command
            .args([
                "hue-sim",
                "--lights",
                "Office/Desk:colour,Office/Spot:white,Heater:plug",
                "--latency",
                "40",
            ])
            .args(["--http", &http.to_string(), "--https", &https.to_string(), "--state-dir"])
            .arg(folder)
            .args(more);
        let (program, said) = Running::start(command, true);
        let address = |speaks: &str| {
            let prefix = format!("listening {speaks} ");
            said.lines().find_map(|line| line.strip_prefix(&prefix)).expect("it listens").parse().unwrap()
        };
        Self { program, http: address("http"), https: address("https") }
    }

    pub(crate) fn post(&self, path: &str, body: &Value) {
        let (body, host) = (body.to_string(), self.http);
        let length = body.len();
        let answer = request(
            self.http,
            format!(
                "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
                 Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            ),
        );
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
    }

    pub(crate) fn press(&self) {
        self.post("/sim/button", &json!({}));
    }

    /// Somebody uses a switch.
    pub(crate) fn switch(&self, light: u8, state: &Value) {
        self.post(&format!("/sim/lights/{light}"), state);
    }

    pub(crate) fn fault(&self, fault: &Value) {
        self.post("/sim/faults", fault);
    }

    /// The commands so far: when, path, body, status.
    pub(crate) fn commands(&self) -> Vec<(u64, String, Value, u64)> {
        let log = get(self.http, "/sim/log").json();
        let entries = log.as_array().or_else(|| log["entries"].as_array()).expect("entries").clone();
        entries
            .iter()
            .filter(|entry| entry["method"] == "PUT")
            .map(|entry| {
                let number = |name: &str| entry[name].as_u64().unwrap();
                let path = entry["path"].as_str().unwrap().to_owned();
                (number("at_ms"), path, entry["body"].clone(), number("status"))
            })
            .collect()
    }

    /// A light as it is.
    pub(crate) fn light(&self, name: &str) -> Value {
        let state = get(self.http, "/sim/state").json();
        let lights = state["lights"].as_array().expect("lights").clone();
        lights.into_iter().find(|light| light["name"] == name).unwrap_or_else(|| panic!("{state}"))
    }
}

/// Starts `luxwire hue`.
pub(crate) fn hue(broker: SocketAddr, folder: &Path, more: &[&str]) -> Running {
    let mut command = program();
    command.args(["hue", "--broker", &format!("mqtt://{broker}"), "--state-dir"]).arg(folder).args(more);
    Running::start(command, false).0
}

/// What the broker keeps, as a page would see it.
pub(crate) struct Home {
    client: Client,
    commander: Client,
    topics: BTreeMap<String, String>,
    /// What came, in order, since the last look.
    pub(crate) heard: Vec<(String, String)>,
}

impl Home {
    pub(crate) fn at(broker: SocketAddr) -> Self {
        let mut client = Client::connected(broker, Version::V3_1_1, "home");
        client.send(&subscribe(PacketId::MIN, "#", QoS::AtMostOnce));
        let commander = Client::connected(broker, Version::V5, "hand");
        Self { client, commander, topics: BTreeMap::new(), heard: Vec::new() }
    }

    pub(crate) fn say(&mut self, topic: &str, payload: &str, retain: bool) {
        self.commander.publish(topic, payload.to_owned(), QoS::AtLeastOnce, retain);
    }

    /// Waits until a topic is as wanted, and gives what it says.
    pub(crate) fn until(&mut self, topic: &str, wanted: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        loop {
            if let Some(payload) = self.topics.get(topic).filter(|payload| wanted(payload)) {
                return payload.clone();
            }
            assert!(started.elapsed() < DEADLINE, "{topic} says {:?}", self.topics.get(topic));
            self.take();
        }
    }

    pub(crate) fn until_is(&mut self, topic: &str, payload: &str) {
        self.until(topic, |said| said == payload);
    }

    /// Takes what comes for so long.
    pub(crate) fn listen(&mut self, time: Duration) {
        let started = Instant::now();
        while started.elapsed() < time {
            self.take();
        }
    }

    pub(crate) fn topics(&self) -> &BTreeMap<String, String> {
        &self.topics
    }

    /// What comes next; a ping makes sure that something does.
    fn take(&mut self) {
        self.client.send(&Packet::Pingreq);
        loop {
            match self.client.receive() {
                Packet::Pingresp => break,
                Packet::Publish(publish) => {
                    assert!(matches!(publish.delivery, Delivery::AtMostOnce));
                    let PublishTopic::Name(topic) = &publish.topic else { panic!("{publish:?}") };
                    let topic = topic.as_str().to_owned();
                    let payload = String::from_utf8(publish.payload.to_vec()).unwrap();
                    self.heard.push((topic.clone(), payload.clone()));
                    if payload.is_empty() {
                        self.topics.remove(&topic);
                    } else {
                        self.topics.insert(topic, payload);
                    }
                }
                Packet::Suback(_) => {}
                other => panic!("{other:?}"),
            }
        }
        // Leaves the processor to those who are being waited for.
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// A broker, a hub that is paired with `luxwire hue`, and somebody who looks on.
pub(crate) struct House {
    pub(crate) hue: Running,
    pub(crate) home: Home,
    pub(crate) hub: Hub,
    pub(crate) broker: Server,
    pub(crate) folder: Folder,
}

impl House {
    pub(crate) fn start(name: &str, version: &str) -> Self {
        let folder = Folder::new(name);
        let broker = Server::start();
        let hub = Hub::start(&folder.join("hub"));
        hub.press();
        let address = if version == "v1" { hub.http } else { hub.https }.to_string();
        let hue = hue(broker.mqtt, &folder.join("keys"), &["--bridge", &address, "--api", version]);
        let mut home = Home::at(broker.mqtt);
        for light in ["desk", "spot", "heater", "office"] {
            home.until_is(&format!("lights/hue-{light}/availability"), "online");
            home.until(&format!("lights/hue-{light}/intensity"), |_| true);
        }
        Self { hue, home, hub, broker, folder }
    }
}
