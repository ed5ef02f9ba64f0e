//! The clients as elements over the canvas: a list of buttons, the same thing for eyes, fingers, keys and screen readers.
//!
//! Only what differs from what is there is written. One button is in the order of the Tab key, arrows lead to the others.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, HtmlElement};

use super::icons;
use crate::{
    details::Selected,
    layout::{Point, Size},
    motion::NodeNumber,
    ordered::{Ordered, sorted},
    scene::Scene,
    time::Millis,
};

/// The list.
pub(crate) struct Clients {
    document: Document,
    list: HtmlElement,
    shown: Ordered<NodeNumber, Shown>,
    order: Vec<NodeNumber>,
    /// The button that the Tab key reaches.
    reachable: Option<NodeNumber>,
}

struct Shown {
    item: HtmlElement,
    button: HtmlElement,
    mark: Element,
    name: Element,
    note: Element,
    drawn: Drawn,
}

/// What an element says at this moment.
#[derive(Default, PartialEq)]
struct Drawn {
    at: Point,
    size: Option<Size>,
    name: String,
    note: String,
    id: String,
    icon: &'static str,
    is_selected: bool,
    is_many: bool,
    has_words_above: bool,
    level: Option<u8>,
}

impl Clients {
    pub(crate) fn new(document: Document, list: HtmlElement) -> Self {
        Self { document, list, shown: Ordered::default(), order: Vec::new(), reachable: None }
    }

    /// Writes what differs.
    pub(crate) fn draw(&mut self, scene: &Scene, now: Millis) -> Result<(), JsValue> {
        let gone: Vec<NodeNumber> = self
            .shown
            .iter()
            .map(|(number, _)| *number)
            .filter(|number| scene.node(*number).is_none())
            .collect();
        for number in gone {
            if let Some(shown) = self.shown.remove(&number) {
                shown.item.remove();
            }
        }
        let mut has_new = false;
        for (number, node) in scene.nodes() {
            if !self.shown.contains_key(&number) {
                has_new = true;
                self.shown.insert(number, Shown::new(&self.document, number)?);
            }
            let Some(shown) = self.shown.get_mut(&number) else { continue };
            let is_selected = matches!(scene.selected(), Some(Selected::Node(id)) if *id == node.group.id);
            let is_many = node.group.members.len() > 1;
            let first = node.group.members.first().and_then(|key| scene.crowd.person(*key));
            let drawn = Drawn {
                at: node.at(now),
                size: Some(node.size),
                name: node.name.clone(),
                note: node.note.clone(),
                id: first.filter(|_| !is_many).map(|person| person.client.id.clone()).unwrap_or_default(),
                icon: icons::of(node.group.kind),
                is_selected,
                is_many,
                has_words_above: node.has_words_above,
                level: node.level,
            };
            shown.draw(drawn)?;
        }
        if has_new || self.order.len() != self.shown.len() {
            self.put_in_order(scene)?;
        }
        Ok(())
    }

    /// Moves those that glide, and nothing else.
    pub(crate) fn move_to(&mut self, scene: &Scene, now: Millis) {
        for (number, node) in scene.nodes() {
            if let Some(shown) = self.shown.get_mut(&number) {
                let at = node.at(now);
                if shown.drawn.at != at {
                    shown.put_at(at);
                    shown.drawn.at = at;
                }
            }
        }
    }

    /// Whose button an element is in.
    pub(crate) fn number_of(element: &Element) -> Option<NodeNumber> {
        element.closest(".client").ok()??.get_attribute("data-node")?.parse().ok()
    }

    /// A key was pressed on a button: arrows lead on. Says whether it was one.
    pub(crate) fn steer(&mut self, from: NodeNumber, key: &str) -> bool {
        let Some(at) = self.order.iter().position(|number| *number == from) else { return false };
        let last = self.order.len().saturating_sub(1);
        let to = match key {
            "ArrowRight" | "ArrowDown" => (at + 1).min(last),
            "ArrowLeft" | "ArrowUp" => at.saturating_sub(1),
            "Home" => 0,
            "End" => last,
            _ => return false,
        };
        if let Some(number) = self.order.get(to).copied() {
            self.focus(number);
        }
        true
    }

    /// Puts the focus on a button.
    pub(crate) fn focus(&mut self, number: NodeNumber) {
        self.reach(number);
        if let Some(shown) = self.shown.get(&number) {
            let _ = shown.button.focus();
        }
    }

    /// The Tab key comes back to this one.
    pub(crate) fn reach(&mut self, number: NodeNumber) {
        if self.reachable == Some(number) {
            return;
        }
        let before = self.reachable.replace(number);
        for (number, index) in before.map(|number| (number, -1)).into_iter().chain([(number, 0)]) {
            if let Some(shown) = self.shown.get(&number) {
                shown.button.set_tab_index(index);
            }
        }
    }

    /// In the order of reading: who talks, who does both, who listens, each from above. Those that are there already keep
    /// their elements in place, and with them the focus.
    fn put_in_order(&mut self, scene: &Scene) -> Result<(), JsValue> {
        let places: Vec<_> =
            scene.nodes().map(|(number, node)| (node.group.zone, node.at(f64::INFINITY), number)).collect();
        let order = sorted(places.len(), &|left, right| {
            let ((zone, at, _), (other_zone, other, _)) = (places[left], places[right]);
            zone.cmp(&other_zone).then(at.y.total_cmp(&other.y)).then(at.x.total_cmp(&other.x))
        });
        self.order = order.into_iter().map(|at| places[at].2).collect();
        let mut next = self.list.first_element_child();
        for number in &self.order {
            let Some(shown) = self.shown.get(number) else { continue };
            if next.as_ref().is_some_and(|next| next.is_same_node(Some(&shown.item))) {
                next = next.and_then(|next| next.next_element_sibling());
            } else {
                self.list.insert_before(&shown.item, next.as_deref())?;
            }
        }
        if self.reachable.is_none_or(|number| !self.shown.contains_key(&number)) {
            self.reachable = None;
            if let Some(first) = self.order.first() {
                self.reach(*first);
            }
        }
        Ok(())
    }
}

impl Shown {
    fn new(document: &Document, number: NodeNumber) -> Result<Self, JsValue> {
        let item: HtmlElement = document.create_element("li")?.unchecked_into();
        item.set_inner_html(CLIENT);
        let part = |selector: &str| {
            item.query_selector(selector)?.ok_or_else(|| JsValue::from_str("a client without its parts"))
        };
        let button: HtmlElement = part(".client")?.unchecked_into();
        button.set_attribute("data-node", &number.to_string())?;
        let (mark, name, note) = (part(".mark")?, part(".who")?, part(".note")?);
        Ok(Self { item, button, mark, name, note, drawn: Drawn::default() })
    }

    fn draw(&mut self, drawn: Drawn) -> Result<(), JsValue> {
        let was = &self.drawn;
        if *was == drawn {
            return Ok(());
        }
        if was.at != drawn.at {
            self.put_at(drawn.at);
        }
        if was.size != drawn.size
            || was.is_many != drawn.is_many
            || was.has_words_above != drawn.has_words_above
        {
            let size = match drawn.size {
                Some(Size::Large) | None => "large",
                Some(Size::Medium) => "medium",
                Some(Size::Small) => "small",
            };
            let many = if drawn.is_many { " many" } else { "" };
            let above = if drawn.has_words_above { " above" } else { "" };
            self.item.set_class_name(&format!("{size}{many}{above}"));
        }
        if was.icon != drawn.icon {
            self.mark.set_inner_html(drawn.icon);
        }
        if was.name != drawn.name {
            self.name.set_text_content(Some(&drawn.name));
        }
        if was.note != drawn.note {
            self.note.set_text_content(Some(&drawn.note));
        }
        if was.id != drawn.id {
            self.button.set_attribute("data-client", &drawn.id)?;
        }
        if was.is_selected != drawn.is_selected {
            self.button.set_attribute("aria-expanded", if drawn.is_selected { "true" } else { "false" })?;
        }
        if was.level != drawn.level {
            let style = self.button.style();
            match drawn.level {
                Some(level) => style.set_property("--level", &level.to_string())?,
                None => drop(style.remove_property("--level")?),
            }
            self.button
                .toggle_attribute_with_force("data-lit", drawn.level.is_some_and(|level| level > 0))?;
        }
        self.drawn = drawn;
        Ok(())
    }

    fn put_at(&self, at: Point) {
        // Whole pixels: letters stay sharp, and to write a fraction takes twenty kilobytes.
        let transform = format!("translate({}px,{}px)", at.x.round() as i32, at.y.round() as i32);
        let _ = self.item.style().set_property("transform", &transform);
    }
}

const CLIENT: &str = r#"<button class="client" type="button" tabindex="-1" aria-expanded="false" aria-controls="picture-details"><span class="mark"></span><span class="words"><span class="who"></span> <span class="note"></span></span></button>"#;
