//! Programs that run until the user has enough of them: started together, stopped together. Ctrl-C and SIGTERM are
//! handed on, and xtask ends with the code of the program that ended first.

use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::programs::spell;

/// Running programs. Dropping it ends what still runs.
pub(crate) struct Children {
    groups: Vec<Group>,
    happened: Receiver<Event>,
    notify: Sender<Event>,
}

/// A program has a process group of its own: a Ctrl-C at the terminal reaches xtask alone, so no program is told twice,
/// and whatever a program has started can be reached with it.
struct Group {
    leader: Pid,
    running: bool,
}

enum Event {
    /// The user has enough.
    Stop,
    /// A program has printed a line.
    Line(String),
    Ended(usize, ExitStatus),
}

impl Children {
    /// Begins to listen for signals, so none is missed while programs start.
    pub(crate) fn new() -> Result<Self> {
        let (notify, happened) = channel();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot listen for signals")?;
        let stop = notify.clone();
        thread::spawn(move || {
            for _ in signals.forever() {
                // When nobody listens any more, xtask is about to end anyway.
                let _ = stop.send(Event::Stop);
            }
        });
        Ok(Self { groups: Vec::new(), happened, notify })
    }

    /// Starts a program.
    pub(crate) fn start(&mut self, command: &mut Command) -> Result<()> {
        let child = self.spawn(command)?;
        self.watch(child);
        Ok(())
    }

    /// Starts a program and passes on what it prints. `on_line` sees each line, and says when the program is ready;
    /// false comes back if it ended before, or the user did not want to wait.
    pub(crate) fn start_until(
        &mut self,
        command: &mut Command,
        mut is_ready: impl FnMut(&str) -> bool,
    ) -> Result<bool> {
        let mut child = self.spawn(command.stdout(Stdio::piped()))?;
        let printed = child.stdout.take().context("its output was to be piped")?;
        let notify = self.notify.clone();
        let reader = thread::spawn(move || {
            for line in BufReader::new(printed).lines().map_while(Result::ok) {
                println!("{line}");
                let _ = notify.send(Event::Line(line));
            }
        });
        self.watch_after(child, reader);
        loop {
            match self.happened.recv().context("our own sender is alive")? {
                Event::Line(line) if is_ready(&line) => return Ok(true),
                Event::Line(..) => {}
                ended_or_stopped => {
                    // For `wait` to find.
                    let _ = self.notify.send(ended_or_stopped);
                    return Ok(false);
                }
            }
        }
    }

    /// Waits for the first program to end, or for the user to have enough, and then for all.
    pub(crate) fn wait(mut self) -> Result<ExitCode> {
        let mut first = None;
        let mut stop_by: Option<Instant> = None;
        while self.groups.iter().any(|group| group.running) {
            let limit = stop_by.map_or(FOREVER, |time| time.saturating_duration_since(Instant::now()));
            match self.happened.recv_timeout(limit) {
                Ok(Event::Line(..)) => {}
                Ok(Event::Stop) => {
                    self.send_all(Signal::TERM);
                    stop_by = stop_by.or(Some(Instant::now() + STOPPING_MAY_TAKE));
                }
                Ok(Event::Ended(index, status)) => {
                    if let Some(group) = self.groups.get_mut(index) {
                        group.running = false;
                    }
                    if first.is_none() {
                        first = Some(status);
                        self.send_all(Signal::TERM);
                        stop_by = stop_by.or(Some(Instant::now() + STOPPING_MAY_TAKE));
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.send_all(Signal::KILL);
                    stop_by = None;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(ExitCode::from(first.map_or(0, code)))
    }

    fn spawn(&mut self, command: &mut Command) -> Result<Child> {
        let spoken = spell(command);
        let child = command.process_group(0).spawn().with_context(|| format!("cannot run {spoken}"))?;
        self.groups.push(Group { leader: Pid::from_child(&child), running: true });
        Ok(child)
    }

    fn watch(&self, child: Child) {
        self.watch_after(child, thread::spawn(|| {}));
    }

    /// Reports the end of a program once everything it has printed was passed on.
    fn watch_after(&self, mut child: Child, reader: thread::JoinHandle<()>) {
        let index = self.groups.len() - 1;
        let notify = self.notify.clone();
        thread::spawn(move || {
            let status = child.wait().unwrap_or_else(|_| ExitStatus::from_raw(1 << 8));
            // A reader has nothing to fail with, and nobody to tell.
            let _ = reader.join();
            let _ = notify.send(Event::Ended(index, status));
        });
    }

    fn send_all(&self, signal: Signal) {
        for group in self.groups.iter().filter(|group| group.running) {
            // It may have ended just now.
            let _ = kill_process_group(group.leader, signal);
        }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.send_all(Signal::TERM);
    }
}

/// The server promises to stop within 5 s.
const STOPPING_MAY_TAKE: Duration = Duration::from_secs(10);

const FOREVER: Duration = Duration::from_secs(1 << 30);

/// A program that a signal has ended is reported as shells do.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn exit_code(code: ExitCode) -> String {
        format!("{code:?}")
    }

    #[test]
    fn the_code_of_the_first_to_end_is_ours_and_the_others_are_stopped() {
        let started = Instant::now();
        let mut children = Children::new().unwrap();
        children.start(&mut shell("exec sleep 60")).unwrap();
        children.start(&mut shell("exit 7")).unwrap();
        assert_eq!(exit_code(children.wait().unwrap()), exit_code(ExitCode::from(7)));
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn when_the_user_has_enough_all_are_told_and_may_end_in_order() {
        let mut children = Children::new().unwrap();
        let mut program = shell("trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done");
        assert!(children.start_until(&mut program, |line| line == "ready").unwrap());
        children.notify.send(Event::Stop).unwrap();
        assert_eq!(exit_code(children.wait().unwrap()), exit_code(ExitCode::from(5)));
    }

    #[test]
    fn a_program_is_ready_when_it_says_so() {
        let mut children = Children::new().unwrap();
        let mut program = shell("echo listening; echo ready; exec sleep 60");
        let mut lines = Vec::new();
        let ready = children.start_until(&mut program, |line| {
            lines.push(line.to_owned());
            line == "ready"
        });
        assert!(ready.unwrap());
        assert_eq!(lines, ["listening", "ready"]);
    }

    #[test]
    fn a_program_that_ends_before_it_is_ready_is_not_waited_for() {
        let mut children = Children::new().unwrap();
        let ready =
            children.start_until(&mut shell("echo the port is taken; exit 1"), |line| line == "ready");
        assert!(!ready.unwrap());
        assert_eq!(exit_code(children.wait().unwrap()), exit_code(ExitCode::from(1)));
    }

    #[test]
    fn a_program_that_a_signal_ended_has_the_code_that_shells_give() {
        let mut children = Children::new().unwrap();
        children.start(&mut shell("kill -KILL $$")).unwrap();
        assert_eq!(exit_code(children.wait().unwrap()), exit_code(ExitCode::from(137)));
    }
}
