//! Runs a command line with Mosquitto's programs and with ours, and takes away what must differ.

use crate::{
    mosquitto::tool,
    support::{DEADLINE, eventually, program},
};
use std::{
    io::{BufRead as _, BufReader, Read, Write as _},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

/// Whose programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Mosquittos,
    Ours,
}

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Whose {
    /// `pub` or `sub` with these arguments, not yet started. `PORT` stands for the broker's.
    pub(crate) fn command(self, line: &str, broker: SocketAddr) -> Command {
        let mut words = words(line).into_iter();
        let name = words.next().expect("pub or sub");
        let mut command = match self {
            Self::Mosquittos => {
                // Into a pipe it would write its lines when it ends.
                let mut command = Command::new("stdbuf");
                command.arg("-oL").arg(tool(&format!("mosquitto_{name}")));
                command
            }
            Self::Ours => {
                let mut command = program();
                command.arg(name);
                command
            }
        };
        command.args(words.map(|word| word.replace("PORT", &broker.port().to_string())));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a line to its end.
    pub(crate) fn run(self, line: &str, stdin: &str, broker: SocketAddr) -> Outcome {
        self.start(line, stdin, broker).ended()
    }

    /// Starts a line.
    pub(crate) fn start(self, line: &str, stdin: &str, broker: SocketAddr) -> Running {
        let mut command = self.command(line, broker);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        // Who does not read its input may be gone before it is written.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let (sender, lines) = mpsc::channel();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            let mut line = Vec::new();
            while let Ok(1..) = out.read_until(b'\n', &mut line) {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        let mut stderr = child.stderr.take().unwrap();
        let err = thread::spawn(move || {
            let mut err = Vec::new();
            let _ = stderr.read_to_end(&mut err);
            err
        });
        Running { child, lines, seen: Vec::new(), err: Some(err), line: line.to_owned() }
    }
}

/// A program that was started; it does not outlive its test.
pub(crate) struct Running {
    child: Child,
    lines: mpsc::Receiver<Vec<u8>>,
    seen: Vec<u8>,
    err: Option<thread::JoinHandle<Vec<u8>>>,
    line: String,
}

impl Running {
    /// Waits for a line of standard output that begins so.
    pub(crate) fn said(&mut self, beginning: &str) {
        loop {
            let line = self.lines.recv_timeout(DEADLINE);
            let line = line.unwrap_or_else(|error| panic!("{}: no {beginning:?}: {error}", self.line));
            self.seen.extend_from_slice(&line);
            if line.starts_with(beginning.as_bytes()) {
                return;
            }
        }
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn ended(mut self) -> Outcome {
        let what = format!("the end of {}", self.line);
        let status = eventually(&what, || self.child.try_wait().unwrap());
        while let Ok(line) = self.lines.recv_timeout(DEADLINE) {
            self.seen.extend_from_slice(&line);
        }
        let err = self.err.take().unwrap().join().unwrap();
        Outcome { code: status.code(), out: normal(&self.seen), err: normal(&err) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Splits as a shell does; only single quotes quote.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        match at % 2 {
            // A quoted part is a word of its own.
            1 => words.push(part.to_owned()),
            _ => words.extend(part.split_whitespace().map(ToOwned::to_owned)),
        }
    }
    words
}

/// Without what differs between two runs of the same program: names of programs, identifiers that were made up, times,
/// and the number of empty lines.
fn normal(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let lines = text.split('\n').map(|line| {
        let line = line.replace("mosquitto_pub", "luxwire pub").replace("mosquitto_sub", "luxwire sub");
        without_times(&without_ids(line))
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let mut text = text.trim_start_matches('\n').to_owned();
    while text.contains("\n\n") {
        text = text.replace("\n\n", "\n");
    }
    text
}

/// `Client auto-1F3B88CF sending …` as `Client … sending …`.
fn without_ids(line: String) -> String {
    let made_up = ["Client auto-", "Client mosq-", "Client luxwire-", "Client (null)", "Client pre"];
    match line.split_once(' ').and_then(|(_, rest)| rest.split_once(' ')) {
        Some((_, rest)) if made_up.iter().any(|begin| line.starts_with(begin)) => format!("Client … {rest}"),
        _ => line,
    }
}

/// `2026-11-22T20:07:25.320204` as `…`, wherever it stands.
fn without_times(line: &str) -> String {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    let fits = |window: &[u8]| {
        window.iter().zip(FORM).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == form,
        })
    };
    let Some(at) = line.as_bytes().windows(FORM.len()).position(fits) else { return line.to_owned() };
    let rest =
        line[at + FORM.len()..].trim_start_matches(|letter: char| letter == '.' || letter.is_ascii_digit());
    format!("{}…{}", &line[..at], without_times(rest))
}
