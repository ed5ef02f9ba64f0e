//! A recorder in a process of its own, with its file in a folder of its own.

use crate::support::{self, Client, DEADLINE, eventually, program};
use luxwire_shared::mqtt::{QoS, Version};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
};

/// A folder that goes with its test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("record-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.path("history.sqlite")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running recorder; it ends with the test.
pub(crate) struct Recorder {
    child: Mutex<Child>,
    http: SocketAddr,
    said: Arc<Mutex<String>>,
}

impl Recorder {
    /// Records into the folder's file, and says where it answers over HTTP.
    pub(crate) fn start(broker: SocketAddr, folder: &Folder, flags: &[&str]) -> Self {
        let mut command = program();
        command.arg("record");
        Self::from(command, broker, folder, flags)
    }

    /// The same with another program in front.
    pub(crate) fn from(mut command: Command, broker: SocketAddr, folder: &Folder, flags: &[&str]) -> Self {
        command.args(flags).args(["--http", "127.0.0.1:0", "--broker", &format!("mqtt://{broker}")]);
        command.arg("--file").arg(folder.file());
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (line, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|text| line.send(text)));
        let said = Arc::new(Mutex::new(String::new()));
        let (mut err, text) = (child.stderr.take().unwrap(), Arc::clone(&said));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(len @ 1..) = err.read(&mut buffer) {
                text.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..len]));
            }
        });
        let next = || {
            let line = lines.recv_timeout(DEADLINE);
            line.unwrap_or_else(|_| panic!("it is not ready; it said:\n{}", said.lock().unwrap()))
        };
        let http = next().strip_prefix("listening http ").expect("it listens").parse().unwrap();
        assert_eq!(next(), "ready");
        Self { child: Mutex::new(child), http, said }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// `GET /api/v1/history` of all that was ever recorded of a topic, with these fields besides.
    pub(crate) fn ask(&self, topic: &str, fields: &str) -> support::Answer {
        let topic = topic.replace('#', "%23").replace('+', "%2B");
        support::get(self.http, &format!("/api/v1/history?topic={topic}&{fields}"))
    }

    /// The values of a topic, page by page; none as long as there is no topic, or no file.
    pub(crate) fn values(&self, topic: &str) -> Vec<Value> {
        let (mut values, mut from) = (Vec::new(), "0".to_owned());
        loop {
            let answer = self.ask(topic, &format!("from={from}&limit=700"));
            if matches!(answer.status, 404 | 503) {
                return values;
            }
            assert_eq!(answer.status, 200, "{}", answer.text());
            let mut json = answer.json();
            values.append(json["values"].as_array_mut().unwrap());
            let Some(next) = json["next"].as_str() else { return values };
            from = next.to_owned();
        }
    }

    pub(crate) fn payloads(&self, topic: &str) -> Vec<String> {
        self.values(topic).iter().map(|value| value["payload"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until this is the last value of a topic, and gives all of them.
    pub(crate) fn until(&self, topic: &str, last: &str) -> Vec<String> {
        eventually(&format!("{last:?} is recorded; it said:\n{}", self.said()), || {
            let payloads = self.payloads(topic);
            (payloads.last().is_some_and(|payload| payload == last)).then_some(payloads)
        })
    }

    /// What it said on standard error so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits for a sentence with all these words.
    pub(crate) fn says(&self, words: &[&str]) {
        eventually(&format!("{words:?} in:\n{}", self.said()), || {
            self.said().lines().any(|line| words.iter().all(|word| line.contains(word))).then_some(())
        });
    }

    /// How many sentences have these words.
    pub(crate) fn times(&self, words: &str) -> usize {
        self.said().lines().filter(|line| line.contains(words)).count()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child.lock().unwrap()), signal).unwrap();
    }

    /// Waits for its end: its exit code.
    pub(crate) fn ended(&self) -> Option<i32> {
        eventually("the end of the recorder", || self.child.lock().unwrap().try_wait().unwrap()).code()
    }

    /// SIGTERM, and its exit code.
    pub(crate) fn stopped(&self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// It is gone without a word.
    pub(crate) fn killed(&self) {
        self.signal(Signal::KILL);
        self.ended();
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap();
        let _ = child.kill();
        let _ = child.wait();
        if thread::panicking() {
            eprintln!("--- the recorder said ---\n{}------", self.said());
        }
    }
}

pub(crate) const DESK: &str = "lights/desk/intensity";

/// A hand on a switch.
pub(crate) struct Hand(Client);

impl Hand {
    pub(crate) fn at(broker: SocketAddr) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("hand-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        Self(Client::connected(broker, Version::V5, &name))
    }

    /// Sets the desk's light, once the broker has taken it.
    pub(crate) fn sets(&mut self, value: impl ToString) {
        self.0.publish(DESK, value.to_string(), QoS::AtLeastOnce, true);
    }

    /// Sets another topic.
    pub(crate) fn publishes(
        &mut self,
        topic: &str,
        payload: impl Into<bytes::Bytes>,
        qos: QoS,
        retain: bool,
    ) {
        self.0.publish(topic, payload, qos, retain);
        self.0.ping();
    }
}
