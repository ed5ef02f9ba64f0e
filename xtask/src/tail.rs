//! The end of what a program prints, kept while all of it passes on to the terminal: for the account of a run, whose
//! reader may see nothing else. It knows no program and looks for nothing in what they say.

use std::collections::VecDeque;
use std::io::{ErrorKind, IsTerminal, Read, Write, stderr, stdout};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, io};

/// The latest lines, without colours. A line that was written over, as progress is, counts as it stood in the end.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    lines: VecDeque<String>,
}

impl Tail {
    /// Adds a line; the oldest goes when there are too many.
    pub(crate) fn push(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let stands = line.rsplit(|byte| *byte == b'\r').next().unwrap_or(line);
        let text = without_colours(&String::from_utf8_lossy(stands));
        self.lines.push_back(text.trim_end().chars().take(CHARACTERS_MAX).collect());
        if self.lines.len() > LINES_MAX {
            self.lines.pop_front();
        }
    }

    pub(crate) fn append(&mut self, text: &str) {
        text.lines().for_each(|line| self.push(line.as_bytes()));
    }

    /// One after the other, the oldest first; empty if nothing was printed.
    pub(crate) fn text(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(String::as_str).collect();
        lines.join("\n")
    }
}

/// Enough for a summary of what failed with the last failure before it, little enough that several steps may fail.
const LINES_MAX: usize = 80;

/// A line of minified code says nothing more after that.
const CHARACTERS_MAX: usize = 400;

/// Runs a program to its end. What it prints goes where ours goes, as it comes; the tail of it is returned as well.
pub(crate) fn run(command: &mut Command) -> io::Result<(ExitStatus, Tail)> {
    in_colour(command);
    run_into(command, stdout(), stderr())
}

fn run_into(
    command: &mut Command,
    out: impl Write + Send + 'static,
    err: impl Write + Send + 'static,
) -> io::Result<(ExitStatus, Tail)> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let tail = Arc::new(Mutex::new(Tail::default()));
    let (ended, ends) = channel();
    let mut readers = 0;
    if let Some(printed) = child.stdout.take() {
        pass_on(printed, out, &tail, ended.clone());
        readers += 1;
    }
    if let Some(printed) = child.stderr.take() {
        pass_on(printed, err, &tail, ended.clone());
        readers += 1;
    }
    let status = child.wait()?;
    // Somebody whom it left behind may hold its output for ever.
    let patience = Instant::now() + REST_COMES_WITHIN;
    for _ in 0..readers {
        if ends.recv_timeout(patience.saturating_duration_since(Instant::now())).is_err() {
            break;
        }
    }
    let tail = std::mem::take(&mut *tail.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((status, tail))
}

/// For what is in the pipe when a program has ended, on a machine with much else to do.
const REST_COMES_WITHIN: Duration = Duration::from_secs(5);

/// Programs see a pipe where there is a terminal behind it: those that can be told are told.
fn in_colour(command: &mut Command) {
    if !stdout().is_terminal() || !stderr().is_terminal() || env::var_os("NO_COLOR").is_some() {
        return;
    }
    // Of cargo, and of programs on Node.js.
    for (variable, value) in [("CARGO_TERM_COLOR", "always"), ("FORCE_COLOR", "1")] {
        if env::var_os(variable).is_none() {
            command.env(variable, value);
        }
    }
}

fn pass_on(
    mut from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    tail: &Arc<Mutex<Tail>>,
    ended: Sender<()>,
) {
    let tail = Arc::clone(tail);
    thread::spawn(move || {
        let mut buffer = vec![0; READ_BYTES];
        let mut line = Vec::new();
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => buffer.get(..read).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            // A terminal that has gone away is no reason to hold the program up.
            let _ = to.write_all(read).and_then(|()| to.flush());
            for piece in read.split_inclusive(|byte| *byte == b'\n') {
                let (piece, complete) = match piece.strip_suffix(b"\n") {
                    Some(piece) => (piece, true),
                    None => (piece, false),
                };
                if line.len() < LINE_BYTES_MAX {
                    line.extend_from_slice(piece);
                }
                if complete {
                    tail.lock().unwrap_or_else(PoisonError::into_inner).push(&line);
                    line.clear();
                }
            }
        }
        if !line.is_empty() {
            tail.lock().unwrap_or_else(PoisonError::into_inner).push(&line);
        }
        // Nobody waits any more if it took too long.
        let _ = ended.send(());
    });
}

const READ_BYTES: usize = 8 << 10;

/// A program may print without ever ending a line.
const LINE_BYTES_MAX: usize = 16 << 10;

/// Leaves out escape sequences, which would colour, or move, what comes after them.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != ESCAPE {
            plain.push(character);
            continue;
        }
        if rest.next() == Some('[') {
            // Parameters, and then the one character that says what is to be done.
            let _ = rest.find(|character| matches!(character, '@'..='~'));
        }
    }
    plain
}

const ESCAPE: char = '\u{1b}';

#[cfg(test)]
mod tests {
    use super::*;

    fn of_shell(script: &str) -> (ExitStatus, Tail) {
        run_into(Command::new("sh").args(["-c", script]), io::sink(), io::sink()).unwrap()
    }

    #[test]
    fn both_outputs_are_kept_to_their_last_byte() {
        let (status, tail) = of_shell("echo one; echo two >&2; printf three; exit 4");
        assert_eq!(status.code(), Some(4));
        let text = tail.text();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["one", "three", "two"]);
    }

    #[test]
    fn all_of_it_passes_on_as_it_is() {
        let (mut out, written) = io::pipe().unwrap();
        let script = "printf 'a\\033[1m\\rb\\n\\nc'";
        run_into(Command::new("sh").args(["-c", script]), written, io::sink()).unwrap();
        let mut passed_on = Vec::new();
        out.read_to_end(&mut passed_on).unwrap();
        assert_eq!(passed_on, b"a\x1b[1m\rb\n\nc");
    }

    #[test]
    fn only_the_end_is_kept_however_much_is_printed() {
        let (_, tail) = of_shell("i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done");
        let text = tail.text();
        assert_eq!(text.lines().count(), LINES_MAX);
        assert_eq!(text.lines().last(), Some("line 4999"));
        let (_, tail) = of_shell("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo end");
        assert_eq!(tail.text(), format!("{}\nend", "x".repeat(CHARACTERS_MAX)));
    }

    #[test]
    fn colours_and_progress_that_was_written_over_are_left_out() {
        let mut tail = Tail::default();
        tail.push(b"\x1b[1m\x1b[31merror\x1b[0m: no");
        tail.push(b"Building 1/3\rBuilding 2/3\r\x1b[Kdone\r");
        tail.push("  ✘  drag.spec.ts".as_bytes());
        assert_eq!(tail.text(), "error: no\ndone\n  ✘  drag.spec.ts");
    }

    #[test]
    fn who_is_left_behind_with_the_output_is_not_waited_for() {
        let began = Instant::now();
        let (status, tail) = of_shell("echo started; sleep 30 & exit 0");
        assert!(status.success());
        assert_eq!(tail.text(), "started");
        assert!(began.elapsed() < Duration::from_secs(25));
    }
}
