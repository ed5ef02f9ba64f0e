//! Comma-separated values: RFC 4180.

use super::output::{Output, Text};
use crate::recorder::query::Answer;
use anyhow::Result;
use std::{borrow::Cow, io::Write as _};

pub(super) struct Csv {
    out: Text,
    has_steps: bool,
    has_header: bool,
    topic: String,
}

impl Csv {
    pub(super) fn new(out: Text, has_steps: bool) -> Self {
        Self { out, has_steps, has_header: false, topic: String::new() }
    }
}

impl Output for Csv {
    fn begin(&mut self, topic: &str, _first: &Answer) -> Result<()> {
        self.topic = field(topic).into_owned();
        if !std::mem::replace(&mut self.has_header, true) {
            let header = if self.has_steps {
                "topic,from,count,min,max,mean,last"
            } else {
                "topic,set_at,payload,payload_base64,time_from,seq"
            };
            write!(self.out, "{header}\r\n")?;
        }
        Ok(())
    }

    fn page(&mut self, page: &Answer) -> Result<()> {
        let topic = &self.topic;
        for value in &page.values {
            let payload = field(value.payload.as_deref().unwrap_or_default());
            let base64 = value.payload_base64.as_deref().unwrap_or_default();
            let (set_at, time_from) = (field(&value.set_at), field(&value.time_from));
            write!(self.out, "{topic},{set_at},{payload},{base64},{time_from},{}\r\n", value.seq)?;
        }
        for step in &page.steps {
            let from = field(&step.from);
            let (min, max, mean, last) = (step.min, step.max, step.mean, step.last);
            write!(self.out, "{topic},{from},{},{min},{max},{mean},{last}\r\n", step.count)?;
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

/// In quotes where it must be.
fn field(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn what_would_break_a_line_is_quoted() {
        for (text, expected) in [
            ("40", "40"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"on\"", "\"say \"\"on\"\"\""),
            ("a\nb", "\"a\nb\""),
            (" a", "\" a\""),
        ] {
            assert_eq!(field(text), expected);
        }
    }
}
