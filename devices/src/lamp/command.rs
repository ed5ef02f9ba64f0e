//! `--exec`: a command for each change, so that a lamp can be anything that a shell can reach.
//!
//! Never two run at once, and only the newest value waits: whoever is slow sees fewer values, but always the last. A
//! command that takes too long is killed with all that it started, and said so. Nothing here waits in place: the lamp
//! awaits [`Command::ended`] beside everything else.

use super::output::Shown;
use luxwire_shared::model::LightId;
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    fmt,
    future::pending,
    io,
    os::fd::AsFd as _,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    process::{self, Child},
    time::{Instant, sleep_until, timeout_at},
};

/// A command, and what it is to be run for.
pub(super) struct Command {
    shell_text: String,
    light: LightId,
    patience: Duration,
    running: Option<Running>,
    waiting: Option<Shown>,
}

struct Running {
    child: Child,
    until: Instant,
    /// It took too long.
    is_killed: bool,
}

/// Why a value did not reach what the command serves.
#[derive(Debug)]
pub(super) enum Failure {
    /// It could not be started, or watched.
    System(io::Error),
    /// It ended with another exit code than 0, or by a signal.
    Status(ExitStatus),
    /// It took too long and was killed.
    Slow(Duration),
}

impl Command {
    /// A command in the words of `sh`, which is killed when it runs longer than `patience`.
    pub(super) fn new(shell_text: String, light: LightId, patience: Duration) -> Self {
        Self { shell_text, light, patience, running: None, waiting: None }
    }

    /// Runs it for this value: at once, or when the one before has ended.
    pub(super) fn run(&mut self, shown: Shown) -> Result<(), Failure> {
        self.waiting = Some(shown);
        if self.running.is_none() { self.start() } else { Ok(()) }
    }

    /// Waits until it has ended, and starts it for the value that waits. For ever while none runs. It may be dropped and
    /// called again.
    pub(super) async fn ended(&mut self) -> Result<(), Failure> {
        let Some(running) = &mut self.running else { return pending().await };
        if !running.is_killed {
            running.is_killed = timeout_at(running.until, running.child.wait()).await.is_err();
        }
        if running.is_killed {
            running.kill();
        }
        // Ended by itself or killed, it says at once how.
        let outcome = match running.child.wait().await {
            _ if running.is_killed => Err(Failure::Slow(self.patience)),
            Err(error) => Err(Failure::System(error)),
            Ok(status) if !status.success() => Err(Failure::Status(status)),
            Ok(_success) => Ok(()),
        };
        self.running = None;
        // However that went, what waits is next.
        let started = self.start();
        outcome.and(started)
    }

    /// Lets the last value take effect, for as long as one command may run; then kills what still runs.
    pub(super) async fn finish(&mut self) -> Result<(), Failure> {
        let deadline = sleep_until(Instant::now() + self.patience);
        tokio::pin!(deadline);
        let mut outcome = Ok(());
        while self.running.is_some() {
            tokio::select! {
                ended = self.ended() => outcome = ended,
                () = &mut deadline => {
                    self.running = None;
                    return Err(Failure::Slow(self.patience));
                }
            }
        }
        outcome
    }

    fn start(&mut self) -> Result<(), Failure> {
        let Some(Shown { intensity, duty, top }) = self.waiting.take() else { return Ok(()) };
        // What it prints goes to the log: standard output belongs to the lamp.
        let stderr = io::stderr().as_fd().try_clone_to_owned().map_err(Failure::System)?;
        let child = process::Command::new("/bin/sh")
            .args(["-c", &self.shell_text, "luxwire-lamp", &intensity.to_string(), &duty.to_string()])
            .env("LUXWIRE_LIGHT", self.light.as_str())
            .env("LUXWIRE_INTENSITY", intensity.to_string())
            .env("LUXWIRE_DUTY", duty.to_string())
            .env("LUXWIRE_DUTY_TOP", top.to_string())
            // What speaks to the broker has no business in there.
            .env_remove("LUXWIRE_PASSWORD")
            .stdin(Stdio::null())
            .stdout(Stdio::from(stderr))
            // A group of its own, so that what it started can be killed with it.
            .process_group(0)
            .spawn()
            .map_err(Failure::System)?;
        self.running = Some(Running { child, until: Instant::now() + self.patience, is_killed: false });
        Ok(())
    }
}

impl Running {
    fn kill(&self) {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = pid {
            // It may have ended by itself this very moment.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// A command that still runs does not outlive the lamp.
impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => write!(f, "--exec: the command could not be run: {error}"),
            Self::Status(status) => write!(f, "--exec: the command failed: {status}"),
            Self::Slow(patience) => {
                write!(f, "--exec: the command did not end within {} and was killed", Seconds(*patience))
            }
        }
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs_f32())
    }
}
