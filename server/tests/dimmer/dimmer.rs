//! A dimmer in a process of its own, with its standard input in the hands of the test.

use crate::support::{DEADLINE, eventually, program};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
};

/// A running dimmer; it ends with the test.
pub(crate) struct Dimmer {
    child: Mutex<Child>,
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
    said: Arc<Mutex<String>>,
}

impl Dimmer {
    /// With these arguments, and a standard input that stays open.
    pub(crate) fn start(arguments: &[&str], broker: &str) -> Self {
        let mut command = program();
        command.arg("dimmer").args(arguments).args(["--broker", broker]).env("LUXWIRE_LOG", "debug");
        Self::from(command)
    }

    /// With this on standard input, and then its end.
    pub(crate) fn given(input: &str, arguments: &[&str], broker: &str, flags: &[&str]) -> Self {
        let mut dimmer = Self::start(&[arguments, flags].concat(), broker);
        dimmer.write(input);
        dimmer.close();
        dimmer
    }

    fn from(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
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
        Self { stdin: child.stdin.take(), child: Mutex::new(child), lines, said }
    }

    /// Standard input goes on.
    pub(crate) fn write(&mut self, text: &str) {
        self.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Standard input ends.
    pub(crate) fn close(&mut self) {
        self.stdin = None;
    }

    /// The next value that it printed.
    pub(crate) fn line(&self) -> String {
        self.lines
            .recv_timeout(DEADLINE)
            .unwrap_or_else(|_| panic!("it prints nothing; it said:\n{}", self.said()))
    }

    /// What it said on standard error so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits for a sentence with all these words.
    pub(crate) fn says(&self, words: &[&str]) {
        self.says_times(words, 1);
    }

    /// Waits until so many sentences with all these words were said.
    pub(crate) fn says_times(&self, words: &[&str], times: usize) {
        eventually(&format!("{words:?} {times} times in:\n{}", self.said()), || {
            let said = self.said();
            let matching = said.lines().filter(|line| words.iter().all(|word| line.contains(word)));
            (matching.count() >= times).then_some(())
        });
    }

    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child.lock().unwrap()), signal).unwrap();
    }

    /// Waits for its end: its exit code, and the lines that it printed and nobody took.
    pub(crate) fn ended(&self) -> (Option<i32>, Vec<String>) {
        let status = eventually("the end of the dimmer", || self.child.lock().unwrap().try_wait().unwrap());
        // Its end is the end of the lines.
        let lines = std::iter::from_fn(|| self.lines.recv_timeout(DEADLINE).ok()).collect();
        (status.code(), lines)
    }
}

impl Drop for Dimmer {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap();
        let _ = child.kill();
        let _ = child.wait();
        if thread::panicking() {
            eprintln!("--- the dimmer said ---\n{}------", self.said());
        }
    }
}
