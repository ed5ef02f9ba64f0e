//! A lamp in a process of its own, and the hand that dims it.

use crate::support::{Client, DEADLINE, Finished, eventually, program, publish, subscribe};
use bytes::Bytes;
use luxwire_shared::mqtt::{Delivery, Packet, PacketId, Publish, PublishTopic, QoS};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::VecDeque,
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
};

/// A running `luxwire lamp`; it ends with the test.
pub(crate) struct Lamp {
    child: Child,
    lines: mpsc::Receiver<String>,
    log: Arc<Mutex<String>>,
}

impl Lamp {
    /// Starts one that follows `id` at this broker.
    pub(crate) fn start(broker: &str, id: &str, arguments: &[&str]) -> Self {
        let mut command = program();
        command.args(["lamp", id, "--broker", broker]).args(arguments);
        Self::from(command)
    }

    /// Starts this one.
    pub(crate) fn from(mut command: Command) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the program starts");
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let (log, mut err) = (Arc::new(Mutex::new(String::new())), child.stderr.take().unwrap());
        let collected = Arc::clone(&log);
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(len @ 1..) = err.read(&mut buffer) {
                collected.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..len]));
            }
        });
        Self { child, lines, log }
    }

    /// The next line that it prints.
    pub(crate) fn line(&self) -> String {
        self.lines
            .recv_timeout(DEADLINE)
            .unwrap_or_else(|_| panic!("it prints nothing; log:\n{}", self.log()))
    }

    /// Lets it print up to this line.
    pub(crate) fn until(&self, last: &str) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line| line != last) {
            lines.push(self.line());
        }
        lines
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits for a line of the log with all these words.
    pub(crate) fn logged(&self, words: &[&str]) -> String {
        eventually(&format!("a line of the log with {words:?}"), || {
            let log = self.log();
            log.lines().find(|line| words.iter().all(|word| line.contains(word))).map(ToOwned::to_owned)
        })
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end; what it printed and nobody took yet is `out`.
    pub(crate) fn ended(mut self) -> Finished {
        let child = &mut self.child;
        let status = eventually("the end of the lamp", || child.try_wait().unwrap());
        let out = self.lines.iter().map(|line| line + "\n").collect();
        Finished { code: status.code(), out, err: self.log() }
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(self) -> Finished {
        self.signal(Signal::TERM);
        self.ended()
    }
}

impl Drop for Lamp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- the lamp's log ---\n{}------", self.log());
        }
    }
}

/// Sets intensities, and hears what a lamp says of itself.
pub(crate) struct Hand {
    client: Client,
    /// What came while something else was waited for.
    heard: VecDeque<Publish>,
    next_id: PacketId,
}

impl Hand {
    /// The hand of a client that is connected.
    pub(crate) fn of(client: Client) -> Self {
        Self { client, heard: VecDeque::new(), next_id: PacketId::MIN }
    }

    /// Sets the light's level, and waits until the broker has it.
    pub(crate) fn dim(&mut self, id: &str, payload: impl Into<Bytes>) {
        self.publish(&format!("lights/{id}/intensity"), payload, true);
    }

    /// Publishes, and waits until the broker has it.
    pub(crate) fn publish(&mut self, topic: &str, payload: impl Into<Bytes>, retain: bool) {
        let id = self.take_id();
        self.client.send(&publish(topic, payload, Delivery::first(QoS::AtLeastOnce, id), retain));
        self.wait_for(|packet| matches!(packet, Packet::Puback(puback) if puback.id == id));
    }

    /// Follows these topics.
    pub(crate) fn follow(&mut self, filter: &str) {
        let id = self.take_id();
        self.client.send(&subscribe(id, filter, QoS::AtMostOnce));
        self.wait_for(|packet| matches!(packet, Packet::Suback(suback) if suback.id == id));
    }

    /// The next message on this topic; others are passed over.
    pub(crate) fn hear(&mut self, topic: &str) -> Publish {
        loop {
            let message = self.heard.pop_front().unwrap_or_else(|| self.client.message());
            if matches!(&message.topic, PublishTopic::Name(name) if **name == *topic) {
                return message;
            }
        }
    }

    /// Passes messages over until this one comes.
    pub(crate) fn hear_that(&mut self, topic: &str, payload: &str) {
        while self.hear(topic).payload != payload {}
    }

    /// Everything that the broker had to say by now and was not heard yet.
    pub(crate) fn rest(&mut self) -> Vec<Publish> {
        self.client.send(&Packet::Pingreq);
        self.wait_for(|packet| *packet == Packet::Pingresp);
        self.heard.drain(..).collect()
    }

    fn wait_for(&mut self, is_answer: impl Fn(&Packet) -> bool) {
        loop {
            match self.client.receive() {
                Packet::Publish(message) => self.heard.push_back(message),
                packet => {
                    assert!(is_answer(&packet), "{packet:?}");
                    return;
                }
            }
        }
    }

    fn take_id(&mut self) -> PacketId {
        let id = self.next_id;
        self.next_id = id.next();
        id
    }
}

/// An empty folder that only this test uses.
pub(crate) fn folder(test: &str) -> PathBuf {
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("lamp-{test}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}
