//! InfluxDB's line protocol, in nanoseconds.
//!
//! `luxwire,topic=TOPIC value=40 1795798800123000000`: a number is the field `value`, any other text `text`, bytes that
//! are no text `base64`; steps have `count`, `min`, `max`, `mean` and `last`. InfluxDB keeps one point for each time: values
//! of the same millisecond are a nanosecond apart, in the order of their arrival.

use super::output::{Output, Text};
use crate::recorder::{query::Answer, store::number};
use anyhow::{Context as _, Result};
use std::io::Write as _;

pub(super) struct Influx {
    out: Text,
    tags: String,
    last_ms: i64,
    same: i64,
}

impl Influx {
    pub(super) fn new(out: Text) -> Self {
        Self { out, tags: String::new(), last_ms: -1, same: 0 }
    }

    fn nanos(&mut self, rfc3339: &str) -> Result<i64> {
        let millis = rfc3339
            .parse::<jiff::Timestamp>()
            .context("the answer has a time that is none")?
            .as_millisecond();
        self.same = if millis == self.last_ms { self.same + 1 } else { 0 };
        self.last_ms = millis;
        // InfluxDB ends in 2262, and so do 64 bits of nanoseconds.
        millis
            .checked_mul(1_000_000)
            .and_then(|nanos| nanos.checked_add(self.same))
            .context("a time is beyond the year 2262")
    }
}

impl Output for Influx {
    fn begin(&mut self, topic: &str, _first: &Answer) -> Result<()> {
        self.tags = format!("luxwire,topic={}", tag(topic));
        self.last_ms = -1;
        Ok(())
    }

    fn page(&mut self, page: &Answer) -> Result<()> {
        for value in &page.values {
            let nanos = self.nanos(&value.set_at)?;
            let text = value.payload.as_deref();
            let fields = match (text, text.and_then(|text| number(text.as_bytes())), &value.payload_base64) {
                (_, Some(number), _) => format!("value={number}"),
                (Some(text), None, _) => format!("text={}", string(text)),
                (None, None, base64) => format!("base64={}", string(base64.as_deref().unwrap_or_default())),
            };
            writeln!(self.out, "{} {fields} {nanos}", self.tags)?;
        }
        for step in &page.steps {
            let nanos = self.nanos(&step.from)?;
            let (tags, count) = (&self.tags, step.count);
            let (min, max, mean, last) = (step.min, step.max, step.mean, step.last);
            writeln!(self.out, "{tags} count={count}i,min={min},max={max},mean={mean},last={last} {nanos}")?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(self.out.flush()?)
    }
}

/// A tag's value: commas, equals signs and spaces are escaped. It cannot hold a line break, and must not end with a
/// backslash, which would escape what follows: such topics are written with signs that look alike.
fn tag(text: &str) -> String {
    let mut tag = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            ',' | '=' | ' ' => tag.extend(['\\', char]),
            '\n' => tag.push('\u{240a}'),
            '\r' => tag.push('\u{240d}'),
            '\\' => tag.push('\u{29f5}'),
            other => tag.push(other),
        }
    }
    tag
}

/// A field's text.
fn string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_texts_are_escaped() {
        assert_eq!(tag("a b,c=d"), "a\\ b\\,c\\=d");
        assert_eq!(tag("a\\\n"), "a\u{29f5}\u{240a}");
        assert_eq!(string("say \"on\"\\"), "\"say \\\"on\\\"\\\\\"");
    }

    #[test]
    fn values_of_one_millisecond_stay_apart() {
        let mut influx = Influx::new(std::io::BufWriter::new(Box::new(std::io::sink())));
        let mut nanos = |text: &str| influx.nanos(text).unwrap();
        assert_eq!(nanos("1970-01-01T00:00:00.001Z"), 1_000_000);
        assert_eq!(nanos("1970-01-01T00:00:00.001Z"), 1_000_001);
        assert_eq!(nanos("1970-01-01T00:00:00.002Z"), 2_000_000);
        assert!(influx.nanos("9999-01-01T00:00:00Z").is_err());
    }
}
