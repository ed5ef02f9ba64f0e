//! The log: where it goes and how much of it there is.
//!
//! It goes to standard error, because standard output belongs to the lines that say where the server listens.

use std::{io::IsTerminal, panic};
use tracing::error;
use tracing_subscriber::EnvFilter;

/// Which variable sets the level: `error`, `warn`, `info`, `debug`, `trace`.
const LEVEL: &str = "LUXWIRE_LOG";

/// Starts the log. Colours only where a person looks: a log file full of escapes can hide lines.
pub(crate) fn start() {
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into());
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .with_env_filter(filter.with_env_var(LEVEL).from_env_lossy())
        .init();
    // Where a panic is caught, the server goes on: the log is then the only trace of it.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        error!(place, why = panic.payload_as_str().unwrap_or("no message"), "a mistake in luxwire");
    }));
}
