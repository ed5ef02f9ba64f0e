//! The program under test, as somebody who starts it from a shell sees it.

use super::{DEADLINE, eventually};
use std::{
    env,
    ffi::OsStr,
    io::{BufRead as _, BufReader, Read},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

/// A running server on free ports of the loopback interface; it ends with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) http: SocketAddr,
    /// Port 0 if it does not listen there.
    pub(crate) mqtt: SocketAddr,
    /// Standard output so far.
    pub(crate) ready: String,
    log: Arc<Mutex<String>>,
}

const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What a program left behind that ran to its end.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Server {
    /// With the default settings.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With these settings, `KEY=VALUE` each.
    pub(crate) fn with(settings: &[&str]) -> Self {
        Self::from(serve(settings))
    }

    /// The same, and it logs what somebody should look at and nothing else.
    pub(crate) fn quiet(settings: &[&str]) -> Self {
        let mut command = serve(settings);
        command.env("LUXWIRE_LOG", "warn");
        Self::from(command)
    }

    /// Starts it and waits until it says that it is ready. It logs everything, unless the command says otherwise.
    pub(crate) fn from(mut command: Command) -> Self {
        if command.get_envs().all(|(name, value)| name != "LUXWIRE_LOG" || value.is_none()) {
            command.env("LUXWIRE_LOG", "debug");
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let log = follow(child.stderr.take().unwrap());
        let (lines, received) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        let mut ready = String::new();
        while !ready.ends_with("ready\n") {
            let Ok(line) = received.recv_timeout(DEADLINE) else {
                let _ = child.kill();
                panic!("it is not ready; standard output:\n{ready}standard error:\n{}", log.lock().unwrap());
            };
            ready += &(line + "\n");
        }
        let address = |speaks: &str| {
            let prefix = format!("listening {speaks} ");
            let line = ready.lines().find_map(|line| line.strip_prefix(&prefix));
            line.map(|address| address.parse().expect("an address"))
        };
        let http = address("http").expect("it listens");
        let mqtt = address("mqtt").unwrap_or(NOWHERE);
        Self { http, mqtt, child, ready, log }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits for a line of the log that contains all these words, and gives it.
    pub(crate) fn logged(&self, words: &[&str]) -> String {
        eventually(&format!("a line of the log with {words:?}"), || {
            self.log()
                .lines()
                .find(|line| words.iter().all(|word| line.contains(word)))
                .map(ToOwned::to_owned)
        })
    }

    /// Sends a signal, as `kill` does.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        eventually("the end of the program", || child.try_wait().unwrap())
    }

    /// Whether it has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// How many files, sockets and the like it has open.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.id())).unwrap().count()
    }

    /// The memory that it has in use, in bytes, the program itself left out.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("Linux says so");
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }
}

impl Server {
    /// The time that it has spent on a processor.
    pub(crate) fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
        // The name, which may hold anything, ends with the last parenthesis; user and system time come later.
        let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- the server's log ---\n{}------", self.log());
        }
    }
}

/// `luxwire serve` on free ports, with these settings, and without a directory.
fn serve(settings: &[&str]) -> Command {
    let mut command = program();
    command.args(["serve", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--ephemeral"]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    command
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[impl AsRef<OsStr>]) -> Finished {
    let mut command = program();
    command.args(arguments);
    run_command(command)
}

/// Runs the program to its end.
pub(crate) fn run_command(mut command: Command) -> Finished {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut child = Killed(child);
    let (out, err) = (follow(child.0.stdout.take().unwrap()), follow(child.0.stderr.take().unwrap()));
    let status = eventually("the end of the program", || child.0.try_wait().unwrap());
    // The pipes' readers let go of the text when they have all of it.
    let take = |text: Arc<Mutex<String>>| {
        eventually("the end of the output", || (Arc::strong_count(&text) == 1).then_some(()));
        text.lock().unwrap().clone()
    };
    Finished { code: status.code(), out: take(out), err: take(err) }
}

/// Does not outlive its test, even if it should have ended by itself.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program that is built with this test, or the one that `LUXWIRE_BIN` names; without settings from outside.
pub(crate) fn program() -> Command {
    let binary = env::var_os("LUXWIRE_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_luxwire").into());
    let mut command = Command::new(binary);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("LUXWIRE_") {
            command.env_remove(name);
        }
    }
    command
}

/// Collects what a pipe says, so that it never fills up.
fn follow(mut pipe: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let collected = Arc::clone(&text);
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(len @ 1..) = pipe.read(&mut buffer) {
            collected.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..len]));
        }
    });
    text
}
