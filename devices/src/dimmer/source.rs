//! Where values come from: keys, lines of standard input, lines of a serial port. It gives them as they come and decides
//! nothing.
//!
//! Standard input and serial ports are read by a thread of their own, since neither can be waited for otherwise
//! everywhere. The thread waits while nobody takes its lines, and ends when nobody will.

use super::lines::{Line, Lines};
use crossterm::event::{Event as TerminalEvent, EventStream, KeyEvent};
use futures_util::StreamExt as _;
use std::{
    future::pending,
    io::{self, Read as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// Lines that were read and not looked at. What is sent faster waits in the pipe.
const LINES_MAX: usize = 64;

/// One read takes at most this much.
const READ_BYTES: usize = 4_096;

/// How long the port is waited for between two looks at whether anybody still wants it.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The pauses before an unplugged port is tried again: each twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// A port that was silent for so long after it was opened is between two lines. Otherwise the first line may have begun
/// earlier, and `23` may be the end of `1023`.
const BETWEEN_LINES: Duration = Duration::from_millis(20);

/// Something that values come from.
pub(super) enum Source {
    Keys(Box<EventStream>),
    Lines(mpsc::Receiver<Input>),
    /// The device makes its values itself.
    Nothing,
}

/// What came.
#[derive(Debug)]
pub(super) enum Input {
    Key(KeyEvent),
    /// The terminal has another size.
    Resized,
    Line(Line),
    /// The port is open.
    PortOpened,
    /// The port is gone, or was not there; it is waited for.
    PortLost(io::Error),
    /// Nothing more comes.
    End,
    /// Nothing more can be read.
    Failed(io::Error),
}

impl Source {
    /// The keys of the terminal at standard input.
    pub(super) fn keys() -> Self {
        Self::Keys(Box::default())
    }

    /// The lines of standard input.
    pub(super) fn standard_input() -> Self {
        Self::read_by(read_standard_input)
    }

    /// The lines of this port, whenever it is there.
    pub(super) fn serial(port: PathBuf, baud: u32) -> Self {
        Self::read_by(move |to| read_serial(&port, baud, to))
    }

    fn read_by(read: impl FnOnce(&mpsc::Sender<Input>) -> Option<()> + Send + 'static) -> Self {
        let (to, lines) = mpsc::channel(LINES_MAX);
        thread::spawn(move || read(&to));
        Self::Lines(lines)
    }

    /// What comes next; may be dropped and called again.
    pub(super) async fn next(&mut self) -> Input {
        match self {
            Self::Keys(events) => loop {
                match events.next().await {
                    Some(Ok(TerminalEvent::Key(key))) => return Input::Key(key),
                    Some(Ok(TerminalEvent::Resize(..))) => return Input::Resized,
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Input::Failed(error),
                    None => return Input::End,
                }
            },
            // Its thread speaks of the end before it ends.
            Self::Lines(lines) => lines.recv().await.unwrap_or(Input::End),
            Self::Nothing => pending().await,
        }
    }
}

/// Until the end, or until nobody listens (`None`).
fn read_standard_input(to: &mpsc::Sender<Input>) -> Option<()> {
    let mut lines = Lines::default();
    let mut buffer = [0; READ_BYTES];
    let mut input = io::stdin().lock();
    let end = loop {
        match input.read(&mut buffer) {
            Ok(0) => break Input::End,
            Ok(len) => send(to, lines.push(&buffer[..len]))?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Input::Failed(error),
        }
    };
    send(to, lines.finish())?;
    to.blocking_send(end).ok()
}

/// For ever, or until nobody listens (`None`).
fn read_serial(port: &Path, baud: u32, to: &mpsc::Sender<Input>) -> Option<()> {
    let mut lines = Lines::default();
    let mut pause = FIRST_PAUSE;
    loop {
        let (error, read) = read_port(port, baud, &mut lines, to)?;
        lines.discard();
        to.blocking_send(Input::PortLost(error)).ok()?;
        if read {
            pause = FIRST_PAUSE;
        }
        let until = Instant::now() + pause;
        while let Some(rest) = until.checked_duration_since(Instant::now()).filter(|_| !to.is_closed()) {
            thread::sleep(rest.min(LOOK_EVERY));
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Until the port is lost. Says why, and whether anything was read.
fn read_port(
    port: &Path,
    baud: u32,
    lines: &mut Lines,
    to: &mpsc::Sender<Input>,
) -> Option<(io::Error, bool)> {
    let opening = serialport::new(port.to_string_lossy(), baud).timeout(LOOK_EVERY);
    let mut open = match opening.open_native() {
        Ok(open) => open,
        Err(error) => return Some((error.into(), false)),
    };
    let opened_at = Instant::now();
    to.blocking_send(Input::PortOpened).ok()?;
    let mut buffer = [0; READ_BYTES];
    let mut has_read = false;
    loop {
        match open.read(&mut buffer) {
            Ok(0) => return Some((io::ErrorKind::UnexpectedEof.into(), has_read)),
            Ok(len) => {
                if !has_read && opened_at.elapsed() < BETWEEN_LINES {
                    lines.cut_off();
                }
                has_read = true;
                send(to, lines.push(&buffer[..len]))?;
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::Interrupted) => {
                if to.is_closed() {
                    return None;
                }
            }
            Err(error) => return Some((error, has_read)),
        }
    }
}

fn send(to: &mpsc::Sender<Input>, lines: impl IntoIterator<Item = Line>) -> Option<()> {
    lines.into_iter().try_for_each(|line| to.blocking_send(Input::Line(line)).ok())
}
