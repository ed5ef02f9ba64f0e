//! What is to be read about who was clicked: a region under the stage. Lines are written over, not made anew, so that
//! nobody loses the place.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, HtmlElement};

use crate::details::{Details, List, Row};

/// The region.
pub(crate) struct Reading {
    document: Document,
    region: HtmlElement,
    shown: Option<Details>,
}

impl Reading {
    pub(crate) fn new(document: Document, region: HtmlElement) -> Self {
        Self { document, region, shown: None }
    }

    /// Puts the focus on the region, so that it is read.
    pub(crate) fn focus(&self) {
        let _ = self.region.focus();
    }

    /// Shows this, or nothing.
    pub(crate) fn draw(&mut self, details: Option<Details>) -> Result<(), JsValue> {
        if self.shown == details {
            return Ok(());
        }
        self.region.set_hidden(details.is_none());
        if let Some(details) = &details {
            for (selector, words) in [
                ("h3", &details.title),
                (".explanation", &details.explanation),
                (".connected", &details.connection),
            ] {
                write(&self.part(selector)?, words);
            }
            let [publishes, follows] = [self.part(".publishes")?, self.part(".follows")?];
            self.list(&publishes, details.lists.first())?;
            self.list(&follows, details.lists.get(1))?;
            if self.shown.as_ref().is_none_or(|shown| shown.members != details.members) {
                self.members(details)?;
            }
        }
        self.shown = details;
        Ok(())
    }

    fn list(&self, part: &Element, list: Option<&List>) -> Result<(), JsValue> {
        part.toggle_attribute_with_force("hidden", list.is_none())?;
        let Some(List { heading, rows, note }) = list else { return Ok(()) };
        write(&child(part, "h4")?, heading);
        write(&child(part, "p")?, note);
        let lines = child(part, "ul")?;
        lines.toggle_attribute_with_force("hidden", rows.is_empty())?;
        while lines.child_element_count() as usize > rows.len() {
            if let Some(last) = lines.last_element_child() {
                last.remove();
            }
        }
        while (lines.child_element_count() as usize) < rows.len() {
            let line = self.document.create_element("li")?;
            line.set_inner_html(LINE);
            lines.append_child(&line)?;
        }
        for (at, Row { topic, value, words }) in rows.iter().enumerate() {
            if let Some(line) = lines.children().item(at as u32) {
                write(&child(&line, "code")?, topic);
                write(&child(&line, "b")?, value);
                write(&child(&line, "span")?, words);
            }
        }
        Ok(())
    }

    fn members(&self, details: &Details) -> Result<(), JsValue> {
        let list = self.part(".members")?;
        list.toggle_attribute_with_force("hidden", details.members.is_empty())?;
        list.set_text_content(None);
        for (key, name) in &details.members {
            let button: HtmlElement = self.document.create_element("button")?.unchecked_into();
            button.set_attribute("type", "button")?;
            button.set_attribute("data-member", &key.to_string())?;
            button.set_text_content(Some(name));
            let item = self.document.create_element("li")?;
            item.append_child(&button)?;
            list.append_child(&item)?;
        }
        Ok(())
    }

    fn part(&self, selector: &str) -> Result<Element, JsValue> {
        child(&self.region, selector)
    }
}

fn child(of: &Element, selector: &str) -> Result<Element, JsValue> {
    of.query_selector(selector)?.ok_or_else(|| JsValue::from_str(selector))
}

/// Writes a text unless it stands there already.
pub(crate) fn write(element: &Element, text: &str) {
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}

const LINE: &str = "<code></code> <b></b> <span></span>";
