//! What a lamp looks like in a terminal: a bar that glows as brightly as the lamp, and its level beside it.
//!
//! Nothing of the terminal is changed that would have to be put back: no modes, no hidden cursor, and every colour ends in
//! the frame that began it. So a terminal is as it was however the program ends. The bar stands below an empty line that
//! holds the cursor: whatever is written there, by the log or by a person's keys, pushes the bar down.

use super::output::Shown;
use crossterm::{
    cursor::MoveUp,
    queue,
    style::{Color, ResetColor, SetForegroundColor},
    terminal::{Clear, ClearType},
};
use luxwire_shared::model::Intensity;
use std::io::Write as _;

/// How many colours the terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colours {
    /// None, or none are wanted.
    None,
    /// The 256 of xterm.
    Indexed,
    /// All of them.
    True,
}

/// What stands around the bar.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    /// What people call the lamp.
    pub(super) name: &'a str,
    /// What it shows; `None` before the first value.
    pub(super) shown: Option<Shown>,
    /// Whether the counts of the PWM are to be seen.
    pub(super) duty: bool,
    /// Whether the broker is there.
    pub(super) online: bool,
}

impl Colours {
    /// By the conventions of NO_COLOR, COLORTERM and TERM; `variable` reads the environment.
    pub(super) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name| variable(name).unwrap_or_default();
        if !value("NO_COLOR").is_empty() {
            return Self::None;
        }
        match value("COLORTERM").as_str() {
            "truecolor" | "24bit" => Self::True,
            _ if value("TERM").contains("256color") => Self::Indexed,
            _ => Self::None,
        }
    }
}

/// The bytes that draw a frame on a terminal so many columns wide, over the one before.
pub(super) fn draw(frame: &Frame<'_>, columns: u16, colours: Colours) -> Vec<u8> {
    let columns = usize::from(columns.max(1));
    let (percent, note) = words(frame);
    // What does not fit is left out, the least important first: the note, the name, the bar.
    let name = cut(frame.name, NAME_MAX);
    let name_width = width(&name);
    let mut left = columns.saturating_sub(1 + PERCENT_WIDTH); // the last column stays free: it would wrap
    let mut takes = |wanted: usize, keep: usize| {
        let fits = left >= wanted + keep;
        left -= if fits { wanted } else { 0 };
        fits
    };
    let has_name = takes(name_width + 1, BAR_MIN);
    let has_note = !note.is_empty() && takes(width(&note) + 2, BAR_MIN);
    let bar_width = left.min(BAR_MAX);

    let mut bytes = Vec::with_capacity(4 * columns);
    // Writing to a vector cannot fail.
    let _ = queue!(bytes, Clear(ClearType::FromCursorDown));
    let _ = write!(bytes, "\r\n");
    if has_name {
        let _ = write!(bytes, "{name} ");
    }
    let level = frame.shown.map_or(Intensity::OFF, |shown| shown.intensity);
    let (lit, dark) = blocks(level, bar_width);
    match glow(level, colours) {
        Some(colour) => {
            let _ = queue!(bytes, SetForegroundColor(colour));
            let _ = write!(bytes, "{lit}");
            let _ = queue!(bytes, ResetColor);
        }
        None => {
            let _ = write!(bytes, "{lit}");
        }
    }
    let _ = write!(bytes, "{dark}{percent:>PERCENT_WIDTH$}");
    if has_note {
        let _ = write!(bytes, "  {note}");
    }
    let _ = queue!(bytes, MoveUp(1));
    let _ = write!(bytes, "\r");
    bytes
}

/// The bytes that take the bar away and leave the cursor where the log ended.
pub(super) fn erase() -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = queue!(bytes, Clear(ClearType::FromCursorDown));
    bytes
}

/// As many of the first characters as fit into so many columns.
fn cut(text: &str, columns: usize) -> String {
    let mut cut = String::new();
    for char in text.chars() {
        if width(&cut) + width(char.encode_utf8(&mut [0; 4])) > columns {
            break;
        }
        cut.push(char);
    }
    cut
}

/// The columns that a text takes: two for each character from the scripts of East Asia on, which is never too few.
fn width(text: &str) -> usize {
    text.chars().map(|char| if char < '\u{1100}' { 1 } else { 2 }).sum()
}

fn words(frame: &Frame<'_>) -> (String, String) {
    let (percent, mut note) = match frame.shown {
        Some(Shown { intensity, duty, top }) => {
            let duty = if frame.duty { format!("duty {duty}/{top}") } else { String::new() };
            (format!("{intensity} %"), duty)
        }
        None => ("– %".to_owned(), "no value yet".to_owned()),
    };
    if !frame.online {
        let gap = if note.is_empty() { "" } else { ", " };
        note = format!("{note}{gap}no broker");
    }
    (percent, note)
}

/// The lit and the dark part of the bar; a light that is on has at least a sliver.
fn blocks(level: Intensity, width: usize) -> (String, String) {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let full = usize::from(Intensity::FULL.hundredths());
    let eighths = (usize::from(level.hundredths()) * width * 8 + full / 2) / full;
    let eighths = if level.is_off() { 0 } else { eighths.max(1) }.min(width * 8);
    let lit = "█".repeat(eighths / 8) + EIGHTHS[eighths % 8];
    let dark = "·".repeat(width - eighths.div_ceil(8));
    (lit, dark)
}

/// The colour of a warm lamp at this level, from embers to white; never so dark that the bar cannot be seen.
fn glow(level: Intensity, colours: Colours) -> Option<Color> {
    let between = |dim: u8, bright: u8| {
        let share = f32::from(level.hundredths()) / f32::from(Intensity::FULL.hundredths());
        (f32::from(dim) + (f32::from(bright) - f32::from(dim)) * share) as u8
    };
    match colours {
        Colours::None => None,
        Colours::True => Some(Color::Rgb { r: between(120, 255), g: between(66, 222), b: between(18, 160) }),
        // Brown, ochre, amber, light amber, cream of xterm's colour cube.
        Colours::Indexed => {
            const GLOWS: [u8; 5] = [94, 136, 172, 221, 223];
            let at = usize::from(level.hundredths()) * GLOWS.len() / 10_001;
            GLOWS.get(at).copied().map(Color::AnsiValue)
        }
    }
}

/// `100 %` and `42.25 %`, right-aligned with a space before.
const PERCENT_WIDTH: usize = 8;
/// Below this a bar says less than the name beside it.
const BAR_MIN: usize = 10;
/// A bar across a wide screen is harder to read than a short one.
const BAR_MAX: usize = 60;
/// A longer name is cut: the bar matters more.
const NAME_MAX: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(hundredths: u16) -> Option<Shown> {
        Some(Shown { intensity: Intensity::from_hundredths(hundredths).unwrap(), duty: 754, top: 4095 })
    }

    fn frame(hundredths: u16) -> Frame<'static> {
        Frame { name: "Desk", shown: shown(hundredths), duty: false, online: true }
    }

    /// The frame's text, without what moves, clears and colours.
    fn text(frame: &Frame<'_>, columns: u16) -> String {
        let drawn = String::from_utf8(draw(frame, columns, Colours::None)).unwrap();
        let drawn = drawn.strip_prefix("\u{1b}[J\r\n").unwrap();
        drawn.strip_suffix("\u{1b}[1A\r").unwrap().to_owned()
    }

    #[test]
    fn the_bar_is_as_long_as_the_light_is_bright() {
        assert_eq!(text(&frame(5_000), 34), "Desk ██████████··········    50 %");
        assert_eq!(text(&frame(0), 34), "Desk ····················     0 %");
        assert_eq!(text(&frame(10_000), 34), "Desk ████████████████████   100 %");
        assert_eq!(text(&frame(1), 34), "Desk ▏···················  0.01 %");
        assert_eq!(text(&frame(4_225), 34), "Desk ████████▌··········· 42.25 %");
    }

    #[test]
    fn it_says_what_is_missing() {
        let waiting = Frame { shown: None, online: false, ..frame(0) };
        assert_eq!(text(&waiting, 80).trim_end().split("  ").last(), Some("no value yet, no broker"));
        let duty = Frame { duty: true, ..frame(5_000) };
        assert!(text(&duty, 80).ends_with("50 %  duty 754/4095"));
    }

    #[test]
    fn no_width_makes_it_wrap_or_lose_the_level() {
        for columns in 0..=200 {
            for level in [0, 1, 4_225, 9_999, 10_000] {
                let frame = Frame { duty: true, online: false, ..frame(level) };
                let text = text(&frame, columns);
                assert!(text.ends_with('%') || text.contains("%  duty"), "{columns}: {text}");
                let fits = text.chars().count() < usize::from(columns);
                assert!(fits || columns <= 9, "{columns}: {text}");
            }
        }
    }

    #[test]
    fn a_long_name_is_cut_and_a_wide_one_counted() {
        let long = Frame { name: "The lamp beside the bed in the guest room", ..frame(5_000) };
        assert!(text(&long, 80).starts_with("The lamp beside the bed  █"), "{}", text(&long, 80));
        let wide = Frame { name: "灯", ..frame(5_000) };
        assert_eq!(text(&wide, 32), "灯 ██████████··········    50 %");
    }

    #[test]
    fn colours_begin_and_end_in_the_frame() {
        for (colours, begins) in [(Colours::True, "\u{1b}[38;2;"), (Colours::Indexed, "\u{1b}[38;5;")] {
            let drawn = String::from_utf8(draw(&frame(10_000), 40, colours)).unwrap();
            let (begin, end) = (drawn.find(begins).unwrap(), drawn.find("\u{1b}[0m").unwrap());
            assert!(begin < end);
        }
        assert!(!String::from_utf8(draw(&frame(10_000), 40, Colours::None)).unwrap().contains('m'));
    }

    #[test]
    fn more_light_is_never_a_darker_colour() {
        let mut brightest = 0;
        for hundredths in 0..=10_000 {
            let level = Intensity::from_hundredths(hundredths).unwrap();
            let Some(Color::Rgb { r, g, b }) = glow(level, Colours::True) else { panic!("a colour") };
            let brightness = u32::from(r) + u32::from(g) + u32::from(b);
            assert!(brightness >= brightest);
            brightest = brightness;
            assert!(matches!(glow(level, Colours::Indexed), Some(Color::AnsiValue(_))));
        }
    }

    #[test]
    fn the_environment_says_how_many_colours() {
        let of = |variables: &[(&str, &str)]| {
            let find = |name: &str| variables.iter().find(|(key, _)| *key == name);
            Colours::of(|name| find(name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(of(&[("COLORTERM", "truecolor"), ("TERM", "xterm")]), Colours::True);
        assert_eq!(of(&[("TERM", "xterm-256color")]), Colours::Indexed);
        assert_eq!(of(&[("TERM", "vt100")]), Colours::None);
        assert_eq!(of(&[("COLORTERM", "24bit"), ("NO_COLOR", "1")]), Colours::None);
        assert_eq!(of(&[("COLORTERM", "24bit"), ("NO_COLOR", "")]), Colours::True);
    }
}
