//! JSON: an object for each topic, with all pages put together, on a line of its own.

use super::output::{Output, Text};
use crate::recorder::query::Answer;
use anyhow::Result;
use std::io::Write as _;

pub(super) struct Json {
    out: Text,
    has_steps: bool,
    has_elements: bool,
}

impl Json {
    pub(super) fn new(out: Text, has_steps: bool) -> Self {
        Self { out, has_steps, has_elements: false }
    }

    fn element(&mut self, element: &impl serde::Serialize) -> Result<()> {
        if std::mem::replace(&mut self.has_elements, true) {
            self.out.write_all(b",")?;
        }
        Ok(serde_json::to_writer(&mut self.out, element)?)
    }
}

impl Output for Json {
    fn begin(&mut self, topic: &str, first: &Answer) -> Result<()> {
        let text = |text: &str| serde_json::to_string(text);
        let out = &mut self.out;
        write!(out, r#"{{"topic":{},"from":{},"to":{}"#, text(topic)?, text(&first.from)?, text(&first.to)?)?;
        if let Some(kept) = &first.kept_from {
            write!(out, r#","kept_from":{}"#, text(kept)?)?;
        }
        if let Some(before) = &first.before {
            write!(out, r#","before":{}"#, serde_json::to_string(before)?)?;
        }
        self.has_elements = false;
        Ok(write!(out, r#","{}":["#, if self.has_steps { "steps" } else { "values" })?)
    }

    fn page(&mut self, page: &Answer) -> Result<()> {
        page.values.iter().try_for_each(|value| self.element(value))?;
        page.steps.iter().try_for_each(|step| self.element(step))
    }

    fn end(&mut self) -> Result<()> {
        Ok(writeln!(self.out, "]}}")?)
    }

    fn finish(&mut self) -> Result<()> {
        Ok(self.out.flush()?)
    }
}
