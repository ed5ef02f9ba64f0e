//! A table for people: local times, a line for each value or step.

use super::{
    kept_from,
    local::{self, Detail},
    output::{Output, Text},
};
use crate::recorder::{arrival::Origin, query::Answer};
use anyhow::Result;
use std::io::Write as _;

pub(super) struct Table {
    out: Text,
    has_steps: bool,
    topics: usize,
    rows: usize,
}

/// The longest payload that is shown as a whole, in characters.
const PAYLOAD: usize = 120;

impl Table {
    pub(super) fn new(out: Text, has_steps: bool) -> Self {
        Self { out, has_steps, topics: 0, rows: 0 }
    }
}

impl Output for Table {
    fn begin(&mut self, topic: &str, first: &Answer) -> Result<()> {
        if self.topics > 0 {
            writeln!(self.out)?;
        }
        self.topics += 1;
        self.rows = 0;
        let [from, to] = [&first.from, &first.to].map(|at| local::time(at, Detail::Seconds));
        writeln!(self.out, "{}  {from} to {to}, {}", shown(topic), local::zone())?;
        if let Some(note) = kept_from(first) {
            writeln!(self.out, "({note})")?;
        }
        if self.has_steps {
            writeln!(
                self.out,
                "{:<19}  {:>7}  {:>9}  {:>9}  {:>9}  {:>9}",
                "from", "count", "min", "max", "mean", "last"
            )?;
        }
        if let Some(before) = &first.before {
            let at = local::time(&before.set_at, Detail::Millis);
            writeln!(
                self.out,
                "{at}  {}  (held before)",
                payload(before.payload.as_deref(), before.payload_base64.as_deref())
            )?;
        }
        Ok(())
    }

    fn page(&mut self, page: &Answer) -> Result<()> {
        for value in &page.values {
            let at = local::time(&value.set_at, Detail::Millis);
            let payload = payload(value.payload.as_deref(), value.payload_base64.as_deref());
            if value.time_from == Origin::Broker.as_str() {
                writeln!(self.out, "{at}  {payload}")?;
            } else {
                writeln!(self.out, "{at}  {payload}  ({})", shown(&value.time_from))?;
            }
        }
        for step in &page.steps {
            let at = local::time(&step.from, Detail::Seconds);
            let [min, max, mean, last] = [step.min, step.max, step.mean, step.last].map(rounded);
            writeln!(self.out, "{at}  {:>7}  {min:>9}  {max:>9}  {mean:>9}  {last:>9}", step.count)?;
        }
        self.rows += page.values.len() + page.steps.len();
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        if self.rows == 0 {
            writeln!(self.out, "nothing was recorded in this time")?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(self.out.flush()?)
    }
}

fn payload(text: Option<&str>, base64: Option<&str>) -> String {
    match (text, base64) {
        (Some(""), _) => "(cleared)".to_owned(),
        (Some(text), _) => shown(text),
        (None, Some(base64)) => format!("({} bytes)", base64.len() / 4 * 3),
        (None, None) => "(nothing)".to_owned(),
    }
}

/// What somebody else sent must not steer our terminal.
fn shown(text: &str) -> String {
    let mut shown: String =
        text.chars().take(PAYLOAD).map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect();
    if text.chars().nth(PAYLOAD).is_some() {
        shown.push('…');
    }
    shown
}

/// To two digits behind the point where there are more.
pub(super) fn rounded(number: f64) -> String {
    let text = format!("{number:.2}");
    match text.trim_end_matches('0').trim_end_matches('.') {
        "-0" => "0".to_owned(),
        text => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_cannot_steer_the_terminal() {
        assert_eq!(shown("\u{1b}[2J40"), "\u{fffd}[2J40");
        assert_eq!(shown(&"a".repeat(121)).chars().count(), 121);
        assert_eq!(payload(Some(""), None), "(cleared)");
        assert_eq!(payload(None, Some("AAEC")), "(3 bytes)");
    }

    #[test]
    fn numbers_are_short() {
        for (number, expected) in
            [(40.0, "40"), (33.333, "33.33"), (0.5, "0.5"), (100.0, "100"), (-0.001, "0")]
        {
            assert_eq!(rounded(number), expected);
        }
    }
}
