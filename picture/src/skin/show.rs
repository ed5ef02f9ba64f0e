//! The picture that runs: it hands events and time to the scene, and what the scene says to canvas and elements.
//!
//! There is one loop, and it stops when nothing moves, when another tab is in front and when the stage is out of sight.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};

use js_sys::Date;
use luxwire_shared::{model::age, time::Timestamp};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Document, HtmlElement, Window};

use super::{
    canvas::Canvas,
    clients::Clients,
    levels, media,
    palette::Palette,
    reading::{Reading, write},
    stream::Stream,
};
use crate::{
    crowd::NodeId,
    details::Selected,
    event::{self, Key},
    layout::Stage,
    motion::{NodeNumber, Pace},
    scene::{Link, Scene},
    time::{LocalTime, Millis},
};

/// A running picture.
pub(crate) struct Show {
    window: Window,
    element: HtmlElement,
    stage: HtmlElement,
    broker: HtmlElement,
    parts: Parts,
    scene: Scene,
    canvas: Canvas,
    clients: Clients,
    reading: Reading,
    probes: web_sys::Element,
    stream: Option<Stream>,
    /// How long to wait before the server is asked once more.
    patience_ms: i32,
    is_in_front: bool,
    is_on_screen: bool,
    /// The frame that was asked for, and the timers that are set: for what is due to be said, and for another attempt to reach
    /// the server.
    frame: Option<i32>,
    timer: Option<i32>,
    next_try: Option<i32>,
    last_frame_at: Millis,
    /// What was drawn last.
    drawn_revision: Option<u64>,
    drawn_wires: Option<u64>,
    read_at: Millis,
    /// Something happened since.
    is_unread: bool,
    /// Where the focus goes back to when the details close.
    came_from: Option<NodeNumber>,
    on_frame: Option<Closure<dyn FnMut(f64)>>,
    on_timer: Option<Closure<dyn FnMut()>>,
    on_patience: Option<Closure<dyn FnMut()>>,
}

/// Elements whose words or states change.
struct Parts {
    count: HtmlElement,
    story: HtmlElement,
    hint: HtmlElement,
    aloud: HtmlElement,
    slow: HtmlElement,
    pause: HtmlElement,
    explain: HtmlElement,
    explanation: HtmlElement,
}

const FIRST_PATIENCE_MS: i32 = 1_000;
const LAST_PATIENCE_MS: i32 = 10_000;
/// How often the details and the counts are written anew.
const READ_MS: Millis = 250.0;
/// A longer gap between two frames means that nobody looked.
const UNSEEN_MS: Millis = 1_500.0;

impl Show {
    pub(crate) fn new(
        window: Window,
        document: Document,
        element: HtmlElement,
        own: &str,
    ) -> Result<Rc<RefCell<Self>>, JsValue> {
        let part = |selector: &str| -> Result<HtmlElement, JsValue> {
            let found = element.query_selector(selector)?.ok_or_else(|| JsValue::from_str(selector))?;
            Ok(found.unchecked_into())
        };
        let parts = Parts {
            count: part(".picture-count")?,
            story: part(".picture-story")?,
            hint: part(".picture-hint")?,
            aloud: part(".picture-aloud")?,
            slow: part("[data-do=slow]")?,
            pause: part("[data-do=pause]")?,
            explain: part("[data-do=explain]")?,
            explanation: part(".picture-explanation")?,
        };
        let canvases = [part(".wires")?, part(".lights")?, part(".flights")?].map(JsCast::unchecked_into);
        let show = Rc::new(RefCell::new(Self {
            canvas: Canvas::new(document.clone(), canvases)?,
            clients: Clients::new(document.clone(), part(".picture-clients")?),
            reading: Reading::new(document, part(".picture-details")?),
            stage: part(".picture-stage")?,
            broker: part(".picture-broker")?,
            probes: part(".picture-probes")?.unchecked_into(),
            scene: Scene::new(own, Stage { width: 0.0, height: 0.0, rem: 16.0 }),
            parts,
            window,
            element: element.clone(),
            stream: None,
            patience_ms: FIRST_PATIENCE_MS,
            is_in_front: super::is_in_front(),
            is_on_screen: true,
            frame: None,
            timer: None,
            next_try: None,
            last_frame_at: 0.0,
            drawn_revision: None,
            drawn_wires: None,
            read_at: 0.0,
            is_unread: false,
            came_from: None,
            on_frame: None,
            on_timer: None,
            on_patience: None,
        }));
        // The closures know the show only weakly, or neither would ever go.
        let weak = Rc::downgrade(&show);
        let with = |act: fn(&Rc<RefCell<Self>>)| {
            let weak: Weak<RefCell<Self>> = weak.clone();
            move || {
                if let Some(show) = weak.upgrade() {
                    act(&show);
                }
            }
        };
        let (frame, timer, patience) = (with(Self::on_frame), with(Self::on_timer), with(Self::connect));
        let mut this = show.borrow_mut();
        this.on_frame = Some(Closure::new(move |_| frame()));
        this.on_timer = Some(Closure::new(timer));
        this.on_patience = Some(Closure::new(patience));
        drop(this);
        Ok(show)
    }

    /// Opens the stream of events.
    pub(crate) fn connect(show: &Rc<RefCell<Self>>) {
        let (hearing, losing) = (Rc::downgrade(show), Rc::downgrade(show));
        let hear = move |name: &str, data: &str| {
            let Some(show) = hearing.upgrade() else { return };
            if let Some(event) = event::read(name, data) {
                if matches!(event, event::Event::Picture(_)) {
                    Self::ask_for_levels(&show);
                }
                show.borrow_mut().hear(event);
                Self::wake(&show);
            }
        };
        let lose = move || {
            let Some(show) = losing.upgrade() else { return };
            show.borrow_mut().lose();
            Self::wake(&show);
        };
        match Stream::open(hear, lose) {
            Ok(stream) => show.borrow_mut().stream = Some(stream),
            Err(_) => show.borrow_mut().lose(),
        }
    }

    /// Lamps shine as their lights were set before anybody looked, whoever set them.
    fn ask_for_levels(show: &Rc<RefCell<Self>>) {
        let weak = Rc::downgrade(show);
        levels::ask(&show.borrow().window, move |values| {
            let Some(show) = weak.upgrade() else { return };
            for (topic, value) in values {
                show.borrow_mut().scene.learn(topic, value);
            }
            Self::wake(&show);
        });
    }

    /// Draws the next frame if there may be something to draw.
    pub(crate) fn wake(show: &Rc<RefCell<Self>>) {
        show.borrow_mut().ask_for_frame();
    }

    /// Everything stops.
    pub(crate) fn end(&mut self) {
        self.stream = None;
        if let Some(frame) = self.frame.take() {
            let _ = self.window.cancel_animation_frame(frame);
        }
        for timer in [self.timer.take(), self.next_try.take()].into_iter().flatten() {
            self.window.clear_timeout_with_handle(timer);
        }
        self.is_in_front = false;
    }

    /// The stage may have another size.
    pub(crate) fn measure(&mut self) {
        let (width, height) = (f64::from(self.stage.client_width()), f64::from(self.stage.client_height()));
        let rem = self.rem();
        let stage = Stage { width, height, rem };
        let _ = self.stage.class_list().toggle_with_force("upright", stage.is_upright());
        self.scene.resize(stage, self.now());
        self.canvas.resize(stage, self.window.device_pixel_ratio().max(1.0).min(3.0));
        self.drawn_wires = None;
    }

    /// Colours and motion may be wanted otherwise.
    pub(crate) fn dress(&mut self) {
        let palette = Palette::read(&self.window, &self.probes);
        let style = self.window.get_computed_style(&self.stage).ok().flatten();
        let font = style.and_then(|style| style.get_property_value("font-family").ok());
        let is_still =
            media(&self.window, "(prefers-reduced-motion: reduce)").is_some_and(|query| query.matches());
        let _ = self.canvas.dress(palette, font.unwrap_or_else(|| "sans-serif".into()), is_still);
        self.drawn_wires = None;
    }

    pub(crate) fn set_in_front(&mut self, is_in_front: bool) {
        self.is_in_front = is_in_front;
    }

    pub(crate) fn set_on_screen(&mut self, is_on_screen: bool) {
        self.is_on_screen = is_on_screen;
    }

    /// Somebody was clicked, or clicked again.
    pub(crate) fn choose(&mut self, number: NodeNumber) {
        self.clients.reach(number);
        let Some(node) = self.scene.node(number) else { return };
        let chosen = Selected::Node(node.group.id.clone());
        self.came_from = Some(number);
        self.turn_to(chosen);
    }

    /// Somebody of a group was clicked.
    pub(crate) fn choose_member(&mut self, key: Key) {
        self.scene.select(Some(Selected::Node(NodeId::One(key))));
        self.read();
        self.reading.focus();
    }

    pub(crate) fn choose_broker(&mut self) {
        self.came_from = None;
        self.turn_to(Selected::Broker);
    }

    /// Closes the details; the focus goes back to where it came from.
    pub(crate) fn close(&mut self) {
        if self.scene.selected().is_none() {
            return;
        }
        let was_broker = self.scene.selected() == Some(&Selected::Broker);
        self.scene.select(None);
        self.read();
        match self.came_from.take() {
            Some(number) => self.clients.focus(number),
            None if was_broker => drop(self.broker.focus()),
            None => {}
        }
    }

    pub(crate) fn toggle_slow(&mut self) {
        self.set_pace(Pace::Slow);
    }

    pub(crate) fn toggle_pause(&mut self) {
        self.set_pace(Pace::Paused);
    }

    pub(crate) fn toggle_explanation(&mut self) {
        let is_hidden = self.parts.explanation.hidden();
        self.parts.explanation.set_hidden(!is_hidden);
        let _ = self.parts.explain.set_attribute("aria-expanded", truth(is_hidden));
    }

    pub(crate) fn reach(&mut self, number: NodeNumber) {
        self.clients.reach(number);
    }

    pub(crate) fn steer(&mut self, from: NodeNumber, key: &str) -> bool {
        self.clients.steer(from, key)
    }

    fn turn_to(&mut self, chosen: Selected) {
        if self.scene.selected() == Some(&chosen) {
            return self.close();
        }
        self.scene.select(Some(chosen));
        self.read();
        self.reading.focus();
    }

    fn set_pace(&mut self, wanted: Pace) {
        let pace = if self.scene.motion.pace() == wanted { Pace::Live } else { wanted };
        self.scene.set_pace(pace);
        let _ = self.parts.slow.set_attribute("aria-pressed", truth(pace == Pace::Slow));
        let _ = self.parts.pause.set_attribute("aria-pressed", truth(pace == Pace::Paused));
    }

    fn hear(&mut self, event: event::Event) {
        self.patience_ms = FIRST_PATIENCE_MS;
        let now = self.now();
        self.scene.hear(event, now, self.local_time());
        // While nobody looks, nothing travels.
        if !self.is_watched() && self.scene.motion.count() > 64 {
            self.scene.catch_up();
        }
    }

    fn lose(&mut self) {
        self.stream = None;
        self.scene.lose(wall_clock());
        self.next_try = self.on_patience.as_ref().and_then(|again| self.call_in(again, self.patience_ms));
        self.patience_ms = (self.patience_ms * 2).min(LAST_PATIENCE_MS);
    }

    fn is_watched(&self) -> bool {
        self.is_in_front && self.is_on_screen
    }

    fn ask_for_frame(&mut self) {
        if self.frame.is_some() || !self.is_watched() {
            return;
        }
        if let Some(on_frame) = &self.on_frame {
            self.frame = self.window.request_animation_frame(on_frame.as_ref().unchecked_ref()).ok();
        }
    }

    fn on_frame(show: &Rc<RefCell<Self>>) {
        let this = &mut *show.borrow_mut();
        this.frame = None;
        let due = this.draw();
        if this.scene.is_moving(this.now()) {
            this.ask_for_frame();
        } else {
            this.wait_until(due);
        }
    }

    fn on_timer(show: &Rc<RefCell<Self>>) {
        show.borrow_mut().timer = None;
        Self::wake(show);
    }

    /// Nothing moves until something is due to be said, or words that tell how long ago or how many must be written anew.
    fn wait_until(&mut self, due: Option<Millis>) {
        let now = self.now();
        let ages = self.scene.selected().map(|_| now + 1_000.0);
        let counts = self.scene.is_counting().then_some(now + 2_000.0);
        let unread = self.is_unread.then_some(self.read_at + READ_MS);
        if let Some(timer) = self.timer.take() {
            self.window.clear_timeout_with_handle(timer);
        }
        if let Some(due) = [due, ages, counts, unread].into_iter().flatten().reduce(f64::min) {
            let wait_ms = (due - now).max(16.0).min(5_000.0) as i32;
            self.timer = self.on_timer.as_ref().and_then(|on_timer| self.call_in(on_timer, wait_ms));
        }
    }

    fn call_in(&self, act: &Closure<dyn FnMut()>, wait_ms: i32) -> Option<i32> {
        let act = act.as_ref().unchecked_ref();
        self.window.set_timeout_with_callback_and_timeout_and_arguments_0(act, wait_ms).ok()
    }

    fn draw(&mut self) -> Option<Millis> {
        let now = self.now();
        let elapsed = now - std::mem::replace(&mut self.last_frame_at, now);
        if elapsed > UNSEEN_MS && self.scene.motion.count() > 64 {
            self.scene.catch_up();
        }
        // After a rest the first frame is the beginning of what moves.
        let due = self.scene.advance(if elapsed > 120.0 { 16.0 } else { elapsed }, now);
        let is_gliding = self.scene.is_gliding(now);
        if is_gliding {
            self.clients.move_to(&self.scene, now);
        }
        if is_gliding || self.drawn_wires != Some(self.scene.shape()) {
            let selected = self.selected_number();
            self.canvas.draw_wires(&self.scene, now, selected);
            self.drawn_wires = (!is_gliding).then(|| self.scene.shape());
        }
        self.canvas.draw_lights(&self.scene, now);
        if self.drawn_revision != Some(self.scene.revision()) {
            self.drawn_revision = Some(self.scene.revision());
            self.is_unread = true;
            let _ = self.clients.draw(&self.scene, now);
            self.parts.hint.set_hidden(self.scene.own_was_seen || self.scene.link() != Link::Live);
            self.say_how_the_line_is();
        }
        // A number is not parted from its sign at the end of a line.
        write(&self.parts.story, &self.sentence().replace(" %", "\u{a0}%"));
        write(&self.parts.aloud, self.scene.aloud());
        if now - self.read_at >= READ_MS {
            self.read();
        }
        due
    }

    fn read(&mut self) {
        self.read_at = self.now();
        self.is_unread = false;
        let details = self.scene.details(self.local_time());
        if details.is_none() && self.scene.selected().is_some() {
            self.scene.select(None);
        }
        let is_broker = self.scene.selected() == Some(&Selected::Broker);
        let _ = self.broker.set_attribute("aria-expanded", truth(is_broker));
        let _ = self.reading.draw(details);
        write(&self.parts.count, &self.scene.summary());
    }

    fn sentence(&self) -> String {
        match (self.scene.link(), self.scene.motion.pace()) {
            (Link::Opening, _) => "Looking at the broker…".into(),
            (Link::Missing, _) => {
                "The server does not show its broker at the moment. The picture tries again by itself.".into()
            }
            (Link::Lost(at), _) => format!(
                "No connection since {}: this is how it was. The picture comes back by itself.",
                age::clock(at, utc_offset_min())
            ),
            (Link::Live, Pace::Paused) => match self.scene.motion.missed() {
                0 => "Paused.".into(),
                1 => "Paused. One message has passed since.".into(),
                missed => format!("Paused. {missed} messages have passed since."),
            },
            (Link::Live, Pace::Live | Pace::Slow) => match self.scene.sentence() {
                "" => "Nothing travels at this moment.".into(),
                sentence => sentence.into(),
            },
        }
    }

    fn say_how_the_line_is(&self) {
        let state = match self.scene.link() {
            Link::Opening => "opening",
            Link::Live => "live",
            Link::Lost(_) => "lost",
            Link::Missing => "missing",
        };
        let _ = self.element.set_attribute("data-line", state);
    }

    fn selected_number(&self) -> Option<NodeNumber> {
        match self.scene.selected()? {
            Selected::Node(id) => self.scene.number(id),
            Selected::Broker => None,
        }
    }

    fn now(&self) -> Millis {
        self.window.performance().map_or(0.0, |clock| clock.now())
    }

    fn rem(&self) -> f64 {
        let root = self.window.document().and_then(|document| document.document_element());
        let style = root.and_then(|root| self.window.get_computed_style(&root).ok().flatten());
        let size = style.and_then(|style| style.get_property_value("font-size").ok());
        let size = size.map(|size| js_sys::parse_float(&size)).filter(|size| *size > 0.0);
        size.unwrap_or(16.0)
    }

    fn local_time(&self) -> LocalTime {
        LocalTime { now: wall_clock(), utc_offset_min: utc_offset_min() }
    }
}

fn wall_clock() -> Timestamp {
    Timestamp::from_unix_millis(Date::now() as u64)
}

fn utc_offset_min() -> i32 {
    -Date::new_0().get_timezone_offset() as i32
}

fn truth(is_true: bool) -> &'static str {
    if is_true { "true" } else { "false" }
}
