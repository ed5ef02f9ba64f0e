//! Where a person or a script sees the lamp: the bar in a terminal, or a line per change on standard output.

use super::{
    bar::{self, Colours, Frame},
    printer::Printer,
};
use crossterm::terminal;
use luxwire_shared::model::{Intensity, Resolution};
use std::{
    env,
    future::pending,
    io::{self, IsTerminal as _},
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::{
    select,
    signal::unix::{Signal, SignalKind, signal},
};

/// What the lamp shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// The level, as people see it.
    pub(super) intensity: Intensity,
    /// What a PWM makes of it.
    pub(super) duty: u16,
    /// The duty of 100 %.
    pub(super) top: u16,
}

impl Shown {
    pub(super) fn new(intensity: Intensity, resolution: Resolution) -> Self {
        Self { intensity, duty: resolution.duty(intensity), top: resolution.top() }
    }
}

/// How it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Not at all.
    Quiet,
    /// `42.5`, or `42.5 525` with the duty.
    Lines {
        /// Whether the duty follows the level.
        duty: bool,
    },
    /// `{"intensity":42.5,"duty":525,"top":4095,"at_ms":1793391300123}`
    Json,
    /// A bar, redrawn in place.
    Bar {
        /// Whether the duty stands beside it.
        duty: bool,
    },
}

/// Says on standard output what the lamp shows.
pub(super) struct Output {
    format: Format,
    name: String,
    shown: Option<Shown>,
    online: bool,
    colours: Colours,
    resized: Option<Signal>,
    printer: Option<Printer>,
}

/// Lines that wait while nobody reads; of more the oldest are given up.
const LINES_WAITING_MAX: usize = 1_000;

/// The columns of a terminal that does not say how many it has.
const COLUMNS: u16 = 80;

impl Format {
    /// What the flags and standard output ask for. A terminal that cannot move its cursor gets lines.
    pub(super) fn choose(quiet: bool, json: bool, duty: bool) -> Self {
        let is_capable = || env::var("TERM").is_ok_and(|term| !term.is_empty() && term != "dumb");
        if quiet {
            Self::Quiet
        } else if json {
            Self::Json
        } else if io::stdout().is_terminal() && is_capable() {
            Self::Bar { duty }
        } else {
            Self::Lines { duty }
        }
    }
}

impl Output {
    /// Says nothing yet, but for the empty bar. Must be called within a runtime.
    pub(super) fn new(format: Format, name: String) -> io::Result<Self> {
        let is_bar = matches!(format, Format::Bar { .. });
        let waiting_max = if is_bar { 1 } else { LINES_WAITING_MAX };
        let printer = (format != Format::Quiet).then(|| Printer::start(waiting_max)).transpose()?;
        let resized = is_bar.then(|| signal(SignalKind::window_change())).transpose()?;
        let colours = Colours::of(|name| env::var(name).ok());
        let output = Self { format, name, shown: None, online: false, colours, resized, printer };
        output.redraw();
        Ok(output)
    }

    /// The lamp shows this from now on.
    pub(super) fn show(&mut self, shown: Shown) {
        self.shown = Some(shown);
        let Shown { intensity, duty, top } = shown;
        match self.format {
            Format::Quiet => {}
            Format::Lines { duty: false } => self.print(format!("{intensity}\n")),
            Format::Lines { duty: true } => self.print(format!("{intensity} {duty}\n")),
            Format::Json => {
                let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let at_ms = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
                self.print(format!(
                    "{{\"intensity\":{intensity},\"duty\":{duty},\"top\":{top},\"at_ms\":{at_ms}}}\n"
                ));
            }
            Format::Bar { .. } => self.redraw(),
        }
    }

    /// The broker came or went.
    pub(super) fn online(&mut self, online: bool) {
        self.online = online;
        self.redraw();
    }

    /// Takes the bar away before something is logged, which would otherwise be written over it.
    pub(super) async fn make_room(&mut self) {
        if matches!(self.format, Format::Bar { .. })
            && let Some(printer) = &mut self.printer
        {
            printer.print(bar::erase());
            printer.catch_up().await;
        }
    }

    /// Draws the bar again, below what was logged meanwhile; other formats have nothing to redraw.
    pub(super) fn redraw(&self) {
        if let Format::Bar { duty } = self.format {
            let columns = terminal::size().map_or(COLUMNS, |(columns, _)| columns);
            let frame = Frame { name: &self.name, shown: self.shown, duty, online: self.online };
            self.print(bar::draw(&frame, columns, self.colours));
        }
    }

    /// Draws the bar again whenever the terminal has another size, and ends when nobody can read any more, saying why. It
    /// may be dropped and called again.
    pub(super) async fn watch(&mut self) -> io::Error {
        loop {
            select! {
                error = failed(&mut self.printer) => return error,
                () = resized(&mut self.resized) => {}
            }
            self.redraw();
        }
    }

    /// Takes the bar away and lets what waits go out, for a short time.
    pub(super) async fn finish(&mut self) {
        if matches!(self.format, Format::Bar { .. }) {
            self.print(bar::erase());
        }
        if let Some(printer) = &mut self.printer {
            printer.finish().await;
        }
    }

    fn print(&self, bytes: impl Into<Vec<u8>>) {
        if let Some(printer) = &self.printer {
            printer.print(bytes.into());
        }
    }
}

async fn failed(printer: &mut Option<Printer>) -> io::Error {
    match printer {
        Some(printer) => printer.failed().await,
        None => pending().await,
    }
}

async fn resized(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => pending().await,
    }
}
