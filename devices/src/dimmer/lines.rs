//! Numbers, one a line: cutting a stream into lines, and reading percents or counts from them.
//!
//! A line that is too long is not collected: it is reported, and its rest passed over. It reads no stream itself.

use luxwire_shared::model::{Intensity, reading::Settings};

/// A number is shorter; whatever is longer is none.
pub(super) const LINE_LEN_MAX: usize = 64;

/// Cuts what comes into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
    too_long: bool,
    /// The line that is being read began before we listened: its end may look like a number of its own.
    cut_off: bool,
    number: u64,
}

/// One line, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The first is 1.
    pub(super) number: u64,
    /// `Err`: longer than [`LINE_LEN_MAX`].
    pub(super) text: Result<Vec<u8>, TooLong>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Percent(Intensity),
    /// A count of the converter; whether it can have it is decided later.
    Count(u32),
}

impl Lines {
    /// These bytes came next. Gives the lines that they end.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = match part.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (part, false),
            };
            if self.begun.len() + text.len() > LINE_LEN_MAX {
                self.too_long = true;
                self.begun.clear();
            }
            if !self.too_long {
                self.begun.extend_from_slice(text);
            }
            if ended {
                let line = self.cut();
                lines.extend((!std::mem::take(&mut self.cut_off)).then_some(line));
            }
        }
        lines
    }

    /// Nothing more comes. Gives the last line if it has no end of its own.
    pub(super) fn finish(&mut self) -> Option<Line> {
        (self.too_long || !self.begun.is_empty()).then(|| self.cut())
    }

    /// What was begun belongs to nothing.
    pub(super) fn discard(&mut self) {
        *self = Self { number: self.number, ..Self::default() };
    }

    /// What comes next is the end of a line whose beginning is lost: it counts, and is passed over.
    pub(super) fn cut_off(&mut self) {
        self.cut_off = true;
    }

    fn cut(&mut self) -> Line {
        self.number += 1;
        let begun = std::mem::take(&mut self.begun);
        let text = if std::mem::take(&mut self.too_long) { Err(TooLong) } else { Ok(begun) };
        Line { number: self.number, text }
    }
}

impl Line {
    /// The number, `None` on an empty line, or what is wrong in words.
    pub(super) fn number(&self, converter: Option<Settings>) -> Result<Option<Number>, String> {
        let Ok(text) = &self.text else {
            return Err(format!("longer than {LINE_LEN_MAX} bytes"));
        };
        let text = text.trim_ascii();
        if text.is_empty() {
            return Ok(None);
        }
        let Some(settings) = converter else {
            let shown = String::from_utf8_lossy(text);
            let percent = Intensity::try_from(text).map_err(|error| format!("{shown:?} is {error}"))?;
            return Ok(Some(Number::Percent(percent)));
        };
        let shown = String::from_utf8_lossy(text);
        if !text.iter().all(u8::is_ascii_digit) {
            return Err(format!("{shown:?} is not a count such as 512"));
        }
        // Only digits, and no count that large.
        let outside = || format!("{shown} is outside 0 to {}", settings.adc_max());
        shown.parse().map(|count| Some(Number::Count(count))).map_err(|_| outside())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: Vec<Line>) -> Vec<(u64, String)> {
        let text =
            |line: Line| line.text.map_or("too long".to_owned(), |text| String::from_utf8(text).unwrap());
        lines.into_iter().map(|line| (line.number, text(line))).collect()
    }

    #[test]
    fn lines_are_the_same_however_they_are_cut() {
        let input =
            [b"1\n\n22\r\n".as_slice(), &[b'x'; 200], b"\n", &[b'y'; LINE_LEN_MAX], b"\nlast"].concat();
        let mut whole = Lines::default();
        let mut expected = whole.push(&input);
        expected.extend(whole.finish());
        assert_eq!(expected.len(), 6);
        for size in 1..input.len() {
            let mut lines = Lines::default();
            let mut cut: Vec<_> = input.chunks(size).flat_map(|chunk| lines.push(chunk)).collect();
            cut.extend(lines.finish());
            assert_eq!(cut, expected, "in pieces of {size}");
        }
        let mut seen = texts(expected);
        assert_eq!(seen.remove(3), (4, "too long".to_owned()));
        assert_eq!(seen.remove(3).1.len(), LINE_LEN_MAX);
        assert_eq!(
            seen,
            [(1, "1"), (2, ""), (3, "22\r"), (6, "last")].map(|(at, text)| (at, text.to_owned()))
        );
    }

    #[test]
    fn an_endless_line_takes_no_memory() {
        let mut lines = Lines::default();
        for _ in 0..1_000 {
            assert!(lines.push(&[b'7'; 8_192]).is_empty());
            assert!(lines.begun.capacity() <= 2 * LINE_LEN_MAX);
        }
        assert_eq!(texts(lines.push(b"\n5\n")), [(1, "too long".to_owned()), (2, "5".to_owned())]);
    }

    #[test]
    fn the_end_of_a_line_is_no_line() {
        let mut lines = Lines::default();
        lines.cut_off();
        assert!(lines.push(b"2").is_empty());
        assert_eq!(texts(lines.push(b"3\n1023\n")), [(2, "1023".to_owned())]);
        lines.push(b"51");
        lines.discard();
        assert_eq!(texts(lines.push(b"7\n")), [(3, "7".to_owned())]);
    }

    fn check(text: &str, converter: Option<u16>, expected: Result<Option<Number>, &str>) {
        let line = Line { number: 1, text: Ok(text.as_bytes().to_vec()) };
        let converter = converter.map(|adc_max| Settings::new(adc_max).unwrap());
        assert_eq!(line.number(converter), expected.map_err(ToOwned::to_owned), "{text:?}");
    }

    #[test]
    fn percents() {
        let percent = |text: &str| Ok(Some(Number::Percent(text.parse().unwrap())));
        check("42", None, percent("42"));
        check(" 42.5\r", None, percent("42.5"));
        check("", None, Ok(None));
        check("\t", None, Ok(None));
        check("101", None, Err("\"101\" is outside 0 to 100"));
        check("-1", None, Err("\"-1\" is outside 0 to 100"));
        check("4 2", None, Err("\"4 2\" is not a number such as 40 or 40.5"));
        check("\u{1b}[2J", None, Err("\"\\u{1b}[2J\" is not a number such as 40 or 40.5"));
    }

    #[test]
    fn counts() {
        check("512", Some(1_023), Ok(Some(Number::Count(512))));
        check("1024", Some(1_023), Ok(Some(Number::Count(1_024))));
        check("99999999999", Some(1_023), Err("99999999999 is outside 0 to 1023"));
        check("5.5", Some(1_023), Err("\"5.5\" is not a count such as 512"));
        check("-5", Some(1_023), Err("\"-5\" is not a count such as 512"));
    }
}
