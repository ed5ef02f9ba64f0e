//! The bar in the terminal: one line that is drawn again and again.
//!
//! It asks nothing of the terminal but a carriage return and "clear the line", so that nothing needs to be restored, and
//! what is logged in between stays readable.

use luxwire_shared::model::{Intensity, LightId};
use std::{
    env,
    io::{self, IsTerminal as _, Write},
    os::fd::AsFd as _,
};

/// A terminal that the bar is drawn on.
pub(super) struct Screen {
    terminal: Terminal,
    style: Style,
    label: String,
    drawn: String,
}

#[derive(Clone, Copy, Debug)]
enum Terminal {
    Out,
    Err,
}

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Style {
    colour: bool,
    unicode: bool,
}

/// What is to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View<'a> {
    /// `None`: nobody said it yet.
    pub(super) level: Option<Intensity>,
    /// A number that is being typed.
    pub(super) entry: Option<u16>,
    /// What else there is to say.
    pub(super) note: &'a str,
}

/// The longest bar: finer than a percent helps nobody.
const BAR_LEN_MAX: usize = 50;
const LABEL_LEN_MAX: usize = 20;

impl Screen {
    /// Standard output if it is a terminal, or standard error if that must do; `None` where neither can draw a line twice.
    pub(super) fn find(id: &LightId, or_standard_error: bool) -> Option<Self> {
        if env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty()) {
            return None;
        }
        let terminal = if io::stdout().is_terminal() {
            Terminal::Out
        } else if or_standard_error && io::stderr().is_terminal() {
            Terminal::Err
        } else {
            return None;
        };
        Some(Self { terminal, style: Style::of_environment(), label: label(id), drawn: String::new() })
    }

    /// Draws what changed. A terminal that is gone is not this program's trouble: its signals end it.
    pub(super) fn draw(&mut self, view: View<'_>) {
        let line = self.style.line(&self.label, view, self.columns());
        if line != self.drawn {
            self.write(&format!("\r{CLEAR}{line}\r"));
            self.drawn = line;
        }
    }

    /// The size of the terminal changed: lines may have been broken.
    pub(super) fn resized(&mut self) {
        self.write(&format!("\r{CLEAR_BELOW}"));
        self.drawn.clear();
    }

    /// Makes room for a line of text; the next [`Screen::draw`] draws below it.
    pub(super) fn make_room(&mut self) {
        if !self.drawn.is_empty() {
            self.write(&format!("\r{CLEAR}"));
            self.drawn.clear();
        }
    }

    /// Says a sentence above the bar.
    pub(super) fn say(&mut self, sentence: &str) {
        self.make_room();
        self.write(&format!("{sentence}\n"));
    }

    fn columns(&self) -> usize {
        let size = match self.terminal {
            Terminal::Out => rustix::termios::tcgetwinsize(io::stdout().as_fd()),
            Terminal::Err => rustix::termios::tcgetwinsize(io::stderr().as_fd()),
        };
        // A terminal that does not know its size says 0.
        size.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(80)
    }

    fn write(&self, text: &str) {
        let _ = match self.terminal {
            Terminal::Out => put(io::stdout().lock(), text),
            Terminal::Err => put(io::stderr().lock(), text),
        };
    }
}

/// Whatever comes next begins on a line of its own; the bar stays to be seen.
impl Drop for Screen {
    fn drop(&mut self) {
        if !self.drawn.is_empty() {
            self.write("\n");
        }
    }
}

impl Style {
    fn of_environment() -> Self {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(env::var_os);
        let locale = locale.into_iter().find(|value| !value.is_empty()).unwrap_or_default();
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        // No locale at all is a bare environment, not an old terminal.
        let unicode = locale.is_empty() || locale.contains("utf-8") || locale.contains("utf8");
        Self { colour: !is_set("NO_COLOR"), unicode }
    }

    /// One line that never reaches the last column, where some terminals would begin another.
    fn line(self, label: &str, view: View<'_>, columns: usize) -> String {
        let number = match (view.entry, view.level) {
            (Some(entry), _) => format!("{entry}_ %"),
            (None, Some(level)) if level.is_off() => "off".to_owned(),
            (None, Some(level)) => format!("{level} %"),
            (None, None) => "?".to_owned(),
        };
        let room = columns.saturating_sub(1);
        let text = format!("{number:>8}");
        let mut free = room.saturating_sub(width(label) + 2 + text.len());
        let note = if view.note.is_empty() { String::new() } else { format!("  {}", view.note) };
        let note = if free >= width(&note) + 10 { note } else { String::new() };
        free = free.saturating_sub(width(&note)).min(BAR_LEN_MAX);
        if free < 5 {
            // Rather the number than a part of everything.
            return number.chars().take(room).collect();
        }
        format!("{label}  {}{text}{note}", self.bar(view.level.unwrap_or_default(), free))
    }

    fn bar(self, level: Intensity, len: usize) -> String {
        let hundredths = usize::from(level.hundredths());
        // On is at least one character, and full is only what is full.
        let full = match (hundredths * len + 5_000) / 10_000 {
            0 if hundredths > 0 => 1,
            full if full == len && hundredths < 10_000 => len - 1,
            full => full,
        };
        let [on, off] = if self.unicode { ["█", "░"] } else { ["#", "."] };
        let (on, off) = (on.repeat(full), off.repeat(len - full));
        if self.colour { format!("\x1b[33m{on}\x1b[0m\x1b[2m{off}\x1b[0m") } else { on + &off }
    }
}

/// The identifier as it may be shown: short, and without anything that a terminal would obey.
fn label(id: &LightId) -> String {
    let shown = |char: char| if char.is_control() { '?' } else { char };
    id.as_str().chars().map(shown).take(LABEL_LEN_MAX).collect()
}

/// How many columns a text takes at most.
fn width(text: &str) -> usize {
    text.chars().map(|char| if char.is_ascii() { 1 } else { 2 }).sum()
}

fn put(mut terminal: impl Write, text: &str) -> io::Result<()> {
    terminal.write_all(text.as_bytes())?;
    terminal.flush()
}

const CLEAR: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style { colour: false, unicode: false };

    fn view(percent: u8) -> View<'static> {
        View { level: Intensity::from_percent(percent), entry: None, note: "" }
    }

    #[test]
    fn the_bar_is_as_long_as_the_light_is_bright() {
        assert_eq!(PLAIN.line("desk", view(40), 35), "desk  ########............    40 %");
        assert_eq!(PLAIN.line("desk", view(0), 35), "desk  ....................     off");
        assert_eq!(PLAIN.line("desk", view(1), 35), "desk  #...................     1 %");
        assert_eq!(PLAIN.line("desk", view(99), 35), "desk  ###################.    99 %");
        assert_eq!(PLAIN.line("desk", view(100), 35), "desk  ####################   100 %");
    }

    #[test]
    fn numbers_and_notes_stand_beside_it() {
        let typing = View { entry: Some(4), ..view(40) };
        assert_eq!(PLAIN.line("desk", typing, 35), "desk  ########............    4_ %");
        let waiting = View { note: "waiting", ..view(40) };
        assert_eq!(PLAIN.line("desk", waiting, 35), "desk  ####.......    40 %  waiting");
        let unknown = View { level: None, ..view(0) };
        assert_eq!(PLAIN.line("desk", unknown, 35), "desk  ....................       ?");
    }

    #[test]
    fn no_terminal_is_too_small() {
        for columns in 0..200 {
            for note in ["", "waiting for the broker"] {
                let line = PLAIN.line("a-rather-long-label!", View { note, ..view(42) }, columns);
                assert!(line.len() <= columns.saturating_sub(1), "{line:?} in {columns}");
            }
        }
        assert_eq!(PLAIN.line("desk", view(42), 12), "42 %");
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        assert!(!PLAIN.line("desk", view(42), 80).contains('\x1b'));
        assert!(Style { colour: true, unicode: true }.line("desk", view(42), 80).contains("\x1b[33m█"));
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let id = LightId::try_from("a\u{9b}2Jb").unwrap();
        assert_eq!(label(&id), "a?2Jb");
    }
}
