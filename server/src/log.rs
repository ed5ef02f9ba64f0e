//! The log: where it goes and how much of it there is.
//!
//! It goes to standard error, because standard output belongs to the lines that say where the server listens.

use std::{fmt, io::IsTerminal, panic};
use tracing::{Event, Subscriber, error};
use tracing_subscriber::{
    EnvFilter,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

/// Which variable sets the level: `error`, `warn`, `info`, `debug`, `trace`.
const LEVEL: &str = "LUXWIRE_LOG";

/// Starts the log of a device, which one person reads: sentences behind its name.
pub(crate) fn start_for_device(name: &'static str) {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter())
        .event_format(Sentences(name))
        .init();
}

/// Starts the log. Colours only where a person looks: a log file full of escapes can hide lines.
pub(crate) fn start() {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .with_env_filter(filter())
        .init();
    // Where a panic is caught, the server goes on: the log is then the only trace of it.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        error!(place, why = panic.payload_as_str().unwrap_or("no message"), "a mistake in luxwire");
    }));
}

fn filter() -> EnvFilter {
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into());
    filter.with_env_var(LEVEL).from_env_lossy()
}

/// `luxwire lamp: waiting for mqtt://127.0.0.1:1883: connection refused`
struct Sentences(&'static str);

impl<S, N> FormatEvent<S, N> for Sentences
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        write!(writer, "luxwire {}: ", self.0)?;
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
