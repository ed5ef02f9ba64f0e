//! The programs that are measured: started in the measurement's own network, and ended with it.
//!
//! Both say on standard output when they are ready; what they log is shown if they fail.

use anyhow::{Context as _, Result, bail};
use std::{
    ffi::OsStr,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    select,
    signal::unix::{SignalKind, signal},
    time::timeout,
};

/// A program that runs until this is dropped.
pub(crate) struct Program {
    /// Ends the program when it is dropped.
    _child: Child,
}

/// Where MQTT and HTTP are served: nobody else is in this network, so that the usual ports are free. An address is part
/// of every HTTP request, and should not be longer on one day than on another.
pub(crate) const HTTP: SocketAddr = SocketAddr::new(LOOPBACK, 8080);
pub(crate) const MQTT: SocketAddr = SocketAddr::new(LOOPBACK, 1883);
const LOOPBACK: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// Starts our server, without anything that would survive it.
pub(crate) async fn luxwire(program: &Path) -> Result<Program> {
    let (http, mqtt) = (HTTP.to_string(), MQTT.to_string());
    let arguments = ["serve", "--ephemeral", "--http", &http, "--mqtt", &mqtt, "--set", "hue.enabled=false"];
    start(program, arguments.map(OsStr::new)).await
}

/// Starts this program as something else, for instance the bare WebSocket relay.
pub(crate) async fn ourselves(arguments: &[&str]) -> Result<Program> {
    let program = std::env::current_exe().context("where is this program itself?")?;
    start(&program, arguments.iter().map(OsStr::new)).await
}

/// Ends a measurement early when the user has enough of it, so that no program is left behind.
pub(crate) async fn unless_stopped<T>(measuring: impl Future<Output = Result<T>>) -> Result<T> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut hung_up = signal(SignalKind::hangup())?;
    select! {
        measured = measuring => measured,
        _ = interrupted.recv() => bail!("interrupted"),
        _ = terminated.recv() => bail!("terminated"),
        _ = hung_up.recv() => bail!("the terminal is gone"),
    }
}

/// Where the server is: as the environment says, or beside this program.
pub(crate) fn find_luxwire(flag: &str) -> Result<PathBuf> {
    let named = std::env::var_os("LUXWIRE_BIN").map(PathBuf::from);
    let beside = || Some(std::env::current_exe().ok()?.parent()?.join("luxwire"));
    let program = named.or_else(beside).context("where is the program luxwire?")?;
    if !program.is_file() {
        bail!(
            "there is no program at {}: name it with {flag} FILE, or use `cargo xtask bench`, which builds it",
            program.display()
        );
    }
    Ok(program)
}

async fn start(program: &Path, arguments: impl IntoIterator<Item = &OsStr>) -> Result<Program> {
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    // Settings from outside would measure another server.
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("LUXWIRE_") {
            command.env_remove(variable);
        }
    }
    command.env("LUXWIRE_LOG", "warn");
    let mut child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
    let output = child.stdout.take().context("standard output is piped")?;
    let mut lines = BufReader::new(output).lines();
    let ready = timeout(READY_WITHIN, async {
        while let Some(line) = lines.next_line().await? {
            if line == "ready" {
                return Ok(());
            }
        }
        bail!("{name} ended before it was ready");
    });
    ready.await.with_context(|| format!("{name} is not ready after {} s", READY_WITHIN.as_secs()))??;
    Ok(Program { _child: child })
}

const READY_WITHIN: Duration = Duration::from_secs(10);
