//! Draws on the canvases: the wires, which change seldom; above them what shines, below the elements; and above those what
//! travels.
//!
//! Sizes are in CSS pixels; the canvases have as many points as the screen. Light is drawn with sprites that are made once
//! for each colour: a gradient or a shadow at every frame would be too slow for two hundred lamps.

use std::f64::consts::TAU;

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, Document, HtmlCanvasElement};

use super::palette::{Palette, Rgb};
use crate::{
    layout::{Point, Size, Stage},
    limits::LABELS_MAX,
    motion::{Flight, Label, Pace, Way},
    scene::{Node, Scene},
    time::Millis,
    wire::Wire,
};

/// The canvases and what is needed to draw on them.
pub(crate) struct Canvas {
    document: Document,
    wires: Layer,
    lights: Layer,
    flights: Layer,
    palette: Palette,
    /// Light of a lamp from dim to bright, then that of a plain and of a kept message.
    sprites: Vec<HtmlCanvasElement>,
    font: String,
    is_still: bool,
    /// Where labels were drawn in this frame: they do not cover each other.
    labels: Vec<[f64; 4]>,
}

struct Layer {
    element: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
}

const SPRITE_PX: u32 = 96;
const LEVELS: usize = 11;
const PLAIN: usize = LEVELS;
const KEPT: usize = LEVELS + 1;

impl Canvas {
    /// Takes three canvases, the lowest one first.
    pub(crate) fn new(document: Document, canvases: [HtmlCanvasElement; 3]) -> Result<Self, JsValue> {
        let [wires, lights, flights] = canvases;
        Ok(Self {
            document,
            wires: Layer::of(wires)?,
            lights: Layer::of(lights)?,
            flights: Layer::of(flights)?,
            palette: Palette::default(),
            sprites: Vec::new(),
            font: "sans-serif".into(),
            is_still: false,
            labels: Vec::new(),
        })
    }

    /// Draws with these colours from now on, and nothing moves if `is_still`.
    pub(crate) fn dress(&mut self, palette: Palette, font: String, is_still: bool) -> Result<(), JsValue> {
        let mut sprites = Vec::with_capacity(LEVELS + 2);
        for step in 0..LEVELS {
            sprites.push(sprite(&self.document, palette.light((step * 10) as u8))?);
        }
        sprites.push(sprite(&self.document, palette.plain)?);
        sprites.push(sprite(&self.document, palette.kept)?);
        (self.palette, self.font, self.sprites, self.is_still) = (palette, font, sprites, is_still);
        Ok(())
    }

    /// The stage has this size, on a screen with so many points for each pixel.
    pub(crate) fn resize(&self, stage: Stage, points: f64) {
        for layer in [&self.wires, &self.lights, &self.flights] {
            layer.element.set_width((stage.width * points).round() as u32);
            layer.element.set_height((stage.height * points).round() as u32);
            let _ = layer.context.set_transform(points, 0.0, 0.0, points, 0.0, 0.0);
        }
    }

    /// Draws the wires.
    pub(crate) fn draw_wires(&self, scene: &Scene, now: Millis, selected: Option<u32>) {
        let context = &self.wires.context;
        let stage = scene.stage();
        context.clear_rect(0.0, 0.0, stage.width, stage.height);
        context.set_line_width(1.0);
        context.set_stroke_style_str(&self.palette.line);
        context.set_global_alpha(if scene.nodes().count() > 60 { 0.28 } else { 0.5 });
        context.begin_path();
        for (_, node) in scene.nodes() {
            trace(context, &scene.wire(node, now));
        }
        context.stroke();
        if let Some(node) = selected.and_then(|number| scene.node(number)) {
            context.set_global_alpha(1.0);
            context.set_line_width(2.0);
            context.set_stroke_style_str(&self.palette.ink);
            context.begin_path();
            trace(context, &scene.wire(node, now));
            context.stroke();
        }
        context.set_global_alpha(1.0);
    }

    /// Draws all that shines and travels.
    pub(crate) fn draw_lights(&mut self, scene: &Scene, now: Millis) {
        let stage = scene.stage();
        for layer in [&self.lights, &self.flights] {
            layer.context.set_global_alpha(1.0);
            layer.context.clear_rect(0.0, 0.0, stage.width, stage.height);
        }
        self.draw_broker(scene, now);
        for (_, node) in scene.nodes() {
            self.draw_node(scene, node, now);
        }
        self.draw_flights(scene, now);
    }

    fn draw_broker(&self, scene: &Scene, now: Millis) {
        let stage = scene.stage();
        let (broker, radius) = (stage.broker(), stage.broker_radius());
        let glow = if self.is_still { 0.5 } else { 0.3 + 0.7 * scene.broker_glow() };
        self.shine(&self.lights, 5, broker, radius * 2.4, 0.55 * glow);
        let hum = scene.hum(now);
        if hum <= 0.0 {
            return;
        }
        // So much passes that single messages would be a fog: rings say that it hums.
        let context = &self.lights.context;
        context.set_stroke_style_str(&self.palette.light(60).css(1.0));
        for ring in 0..3_u32 {
            let phase = if self.is_still {
                f64::from(ring) / 3.0
            } else {
                (now / 900.0 + f64::from(ring) / 3.0).fract()
            };
            context.set_global_alpha(hum * (1.0 - phase) * 0.7);
            context.set_line_width(1.0 + 2.0 * hum);
            context.begin_path();
            let _ = context.arc(broker.x, broker.y, radius * (1.0 + 0.45 * phase), 0.0, TAU);
            context.stroke();
        }
    }

    fn draw_node(&self, scene: &Scene, node: &Node, now: Millis) {
        let radius = node.size.radius() * scene.stage().rem;
        let at = node.at(now);
        if let Some(level) = node.level.filter(|level| *level > 0) {
            let part = f64::from(level) / 100.0;
            let reach = if node.size == Size::Small { 2.0 } else { 2.6 };
            self.shine(
                &self.lights,
                usize::from(level.min(100)) / 10,
                at,
                radius * (reach - 0.6 + 0.6 * part),
                0.25 + 0.75 * part,
            );
        }
        let glow = scene.afterglow(node.lit_at);
        if glow > 0.0 {
            let context = &self.lights.context;
            let color = node.level.map_or(self.palette.light(60), |level| self.palette.light(level));
            context.set_stroke_style_str(&color.css(1.0));
            context.set_global_alpha(glow * if self.is_still { 1.0 } else { 0.55 });
            context.set_line_width(if self.is_still { 2.5 } else { 1.5 });
            context.begin_path();
            trace(context, &scene.wire(node, now));
            context.stroke();
            context.begin_path();
            let _ = context.arc(at.x, at.y, radius + 1.0, 0.0, TAU);
            context.stroke();
        }
    }

    fn draw_flights(&mut self, scene: &Scene, now: Millis) {
        self.labels.clear();
        let is_crowded = scene.motion.count() > 160;
        let clock = scene.motion.clock();
        let mut labelled: Option<(u32, Way, f64)> = None;
        let mut to_label: Vec<(bool, Point, &Flight, f64)> = Vec::new();
        for (number, way, part, flight) in scene.motion.flights() {
            let Some(node) = scene.node(number) else { continue };
            let wire = scene.wire(node, now);
            if self.is_still {
                // Nothing flies: the wire lights up, and the value stands at both ends.
                self.light_up(&wire, flight, part);
                let ends = [wire.at(0.12), wire.at(0.88)];
                to_label.extend(ends.map(|end| (way == Way::In, end, flight, 1.0)));
                continue;
            }
            let head = along(way, eased(part));
            let at = wire.at(head);
            self.draw_flight(&wire, way, part, at, flight, is_crowded);
            // The labels of messages that follow each other on one wire would cover each other.
            let is_apart = labelled.is_none_or(|(last, last_way, last_age)| {
                last != number || last_way != way || (last_age - flight.age(clock)).abs() > 200.0
            });
            if is_apart && !is_crowded {
                labelled = Some((number, way, flight.age(clock)));
                // It comes and goes at the ends, where it would cover names.
                let opacity = (part.min(1.0 - part) * 8.0 - 0.3).max(0.0).min(1.0);
                to_label.push((way == Way::In, at, flight, opacity));
            }
        }
        let is_live = scene.motion.pace() == Pace::Live;
        let in_turn = [true, false]
            .into_iter()
            .flat_map(|first| to_label.iter().filter(move |(is_in, ..)| *is_in == first));
        for (is_in, at, flight, opacity) in in_turn.take(LABELS_MAX) {
            let with_topic = *is_in || !is_live || flight.kept;
            self.draw_label(scene.stage(), *at, flight, [with_topic, is_live], *opacity);
        }
    }

    fn light_up(&self, wire: &Wire, flight: &Flight, part: f64) {
        let context = &self.flights.context;
        context.set_stroke_style_str(&self.color(flight).css(1.0));
        context.set_global_alpha(1.0 - 0.4 * part);
        context.set_line_width(2.5);
        context.begin_path();
        trace(context, wire);
        context.stroke();
    }

    fn draw_flight(&self, wire: &Wire, way: Way, part: f64, at: Point, flight: &Flight, is_crowded: bool) {
        let context = &self.flights.context;
        let size = 1.0 + 0.35 * f64::from(flight.weight).log2().min(6.0);
        let color = self.color(flight);
        if !is_crowded {
            context.set_global_alpha(0.8);
            context.set_stroke_style_str(&color.css(1.0));
            context.set_line_cap("round");
            context.set_line_width(2.0 * size);
            if flight.kept {
                let dashes = Array::of2(&JsValue::from(3.0), &JsValue::from(5.0));
                let _ = context.set_line_dash(&dashes);
            }
            context.begin_path();
            context.move_to(at.x, at.y);
            for step in 1..=5 {
                let back = wire.at(along(way, eased((part - f64::from(step) * 0.035).max(0.0))));
                context.line_to(back.x, back.y);
            }
            context.stroke();
            if flight.kept {
                let _ = context.set_line_dash(&Array::new());
            }
        }
        let sprite = match (flight.kept, flight.level) {
            (true, _) => KEPT,
            (false, Some(level)) => usize::from(level.min(100)) / 10,
            (false, None) => PLAIN,
        };
        self.shine(&self.flights, sprite, at, 11.0 * size, 0.9);
        context.set_global_alpha(1.0);
        context.begin_path();
        let _ = context.arc(at.x, at.y, 3.4 * size, 0.0, TAU);
        if flight.kept {
            context.set_fill_style_str(&self.palette.paper);
            context.fill();
            context.set_line_width(2.0);
            context.set_stroke_style_str(&color.css(1.0));
            context.stroke();
        } else {
            context.set_fill_style_str(&color.css(1.0));
            context.fill();
        }
    }

    /// A slip of paper above a message: its topic, its value, and how many it stands for.
    fn draw_label(
        &mut self,
        stage: Stage,
        at: Point,
        flight: &Flight,
        [with_topic, is_live]: [bool; 2],
        opacity: f64,
    ) {
        let context = &self.flights.context;
        let size = (0.78 * stage.rem).round();
        let Label { topic, value, payload, name } = &*flight.label;
        let many = if flight.weight > 1 { format!("×{}", flight.weight) } else { String::new() };
        // Where there is little room, the words of people are shorter than those of MQTT.
        let (topic, value) = match (with_topic, stage.is_upright() && is_live) {
            (false, _) => (String::new(), shortened(value, 20)),
            (true, true) => (shortened(name, 16), shortened(value, 12)),
            (true, false) if stage.is_upright() => (shortened(topic, 24), shortened(payload, 10)),
            (true, false) => (shortened(topic, 36), shortened(payload, 20)),
        };
        let width_of = |text: &str, weight: u32| {
            context.set_font(&format!("{weight} {}px {}", size as i32, self.font));
            context.measure_text(text).map_or(0.0, |metrics| metrics.width())
        };
        let gap = |text: &str| if text.is_empty() { 0.0 } else { 0.4 * size };
        let widths = [width_of(&topic, 450), width_of(&value, 650), width_of(&many, 450)];
        let gaps = [gap(&topic), gap(&many)];
        let (width, height) = (widths.iter().sum::<f64>() + gaps[0] + gaps[1] + 1.3 * size, 1.75 * size);
        // Where wires lead down, a label above a message would cover the next one.
        let (left, top) = match stage.is_upright() {
            true if at.x < stage.width / 2.0 => (at.x - width - 0.9 * size, at.y - height / 2.0),
            true => (at.x + 0.9 * size, at.y - height / 2.0),
            false => (at.x - width / 2.0, at.y - height - 0.8 * size),
        };
        let left = left.min(stage.width - width - 2.0).max(2.0);
        let top = top.min(stage.height - height - 2.0).max(2.0);
        let area = [left, top, left + width, top + height];
        let covers = |other: &[f64; 4]| {
            area[0] < other[2] && other[0] < area[2] && area[1] < other[3] && other[1] < area[3]
        };
        if self.labels.iter().any(covers) {
            return;
        }
        self.labels.push(area);
        context.set_global_alpha(0.96 * opacity);
        context.set_fill_style_str(&self.palette.paper);
        context.set_stroke_style_str(&self.color(flight).css(1.0));
        context.set_line_width(1.25);
        rounded(context, left, top, width, height);
        context.fill();
        context.stroke();
        context.set_global_alpha(opacity);
        context.set_text_baseline("middle");
        let middle = top + height / 2.0 + 0.04 * size;
        let mut x = left + 0.65 * size;
        let words = [
            (&topic, 450, &self.palette.soft),
            (&value, 650, &self.palette.ink),
            (&many, 450, &self.palette.soft),
        ];
        for (at, (text, weight, color)) in words.into_iter().enumerate() {
            if text.is_empty() {
                continue;
            }
            context.set_font(&format!("{weight} {}px {}", size as i32, self.font));
            context.set_fill_style_str(color);
            let _ = context.fill_text(text, x, middle);
            x += widths.get(at).copied().unwrap_or_default() + 0.4 * size;
        }
    }

    fn color(&self, flight: &Flight) -> Rgb {
        match (flight.kept, flight.level) {
            (true, _) => self.palette.kept,
            (false, Some(level)) => self.palette.light(level),
            (false, None) => self.palette.plain,
        }
    }

    fn shine(&self, layer: &Layer, sprite: usize, at: Point, radius: f64, opacity: f64) {
        let Some(sprite) = self.sprites.get(sprite) else { return };
        let context = &layer.context;
        context.set_global_alpha(opacity);
        let (left, top) = (at.x - radius, at.y - radius);
        let _ = context.draw_image_with_html_canvas_element_and_dw_and_dh(
            sprite,
            left,
            top,
            radius * 2.0,
            radius * 2.0,
        );
    }
}

impl Layer {
    fn of(element: HtmlCanvasElement) -> Result<Self, JsValue> {
        let context =
            element.get_context("2d")?.ok_or_else(|| JsValue::from_str("no canvas"))?.unchecked_into();
        Ok(Self { element, context })
    }
}

/// Light that falls off from its middle.
fn sprite(document: &Document, color: Rgb) -> Result<HtmlCanvasElement, JsValue> {
    let element: HtmlCanvasElement = document.create_element("canvas")?.unchecked_into();
    element.set_width(SPRITE_PX);
    element.set_height(SPRITE_PX);
    let Layer { element, context } = Layer::of(element)?;
    let middle = f64::from(SPRITE_PX) / 2.0;
    let gradient = context.create_radial_gradient(middle, middle, 0.0, middle, middle, middle)?;
    for (at, opacity) in [(0.0_f32, 0.85), (0.25, 0.5), (0.55, 0.16), (1.0, 0.0)] {
        gradient.add_color_stop(at, &color.css(opacity))?;
    }
    context.set_fill_style_canvas_gradient(&gradient);
    context.fill_rect(0.0, 0.0, f64::from(SPRITE_PX), f64::from(SPRITE_PX));
    Ok(element)
}

fn trace(context: &CanvasRenderingContext2d, wire: &Wire) {
    let [one, other] = wire.bend;
    context.move_to(wire.from.x, wire.from.y);
    context.bezier_curve_to(one.x, one.y, other.x, other.y, wire.to.x, wire.to.y);
}

fn rounded(context: &CanvasRenderingContext2d, left: f64, top: f64, width: f64, height: f64) {
    let radius = height / 2.0;
    context.begin_path();
    let _ = context.arc(left + radius, top + radius, radius, TAU / 4.0, TAU * 3.0 / 4.0);
    let _ = context.arc(left + width - radius, top + radius, radius, TAU * 3.0 / 4.0, TAU / 4.0);
    context.close_path();
}

/// Where on the wire a message is that has done this part of its way.
fn along(way: Way, part: f64) -> f64 {
    match way {
        Way::In => part,
        Way::Out => 1.0 - part,
    }
}

/// Leaves and arrives softly.
fn eased(part: f64) -> f64 {
    part * part * (3.0 - 2.0 * part)
}

/// The beginning and the end of a text that is too long.
fn shortened(text: &str, length: usize) -> String {
    let count = text.chars().count();
    if count <= length {
        return text.into();
    }
    let half = (length - 1) / 2;
    text.chars().take(length - 1 - half).chain(['…']).chain(text.chars().skip(count - half)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_topics_keep_their_beginning_and_their_end() {
        assert_eq!(shortened("lights/Desk/intensity", 22), "lights/Desk/intensity");
        assert_eq!(shortened("lights/Living-room/intensity", 11), "light…nsity");
    }

    #[test]
    fn a_message_goes_softly_from_end_to_end() {
        assert_eq!((along(Way::In, eased(0.0)), along(Way::In, eased(1.0))), (0.0, 1.0));
        assert_eq!((along(Way::Out, eased(0.0)), along(Way::Out, eased(1.0))), (1.0, 0.0));
    }
}
