//! The picture in a browser: elements and canvases, what the person does, and the clock. It decides nothing about the
//! picture itself.

mod canvas;
mod clients;
mod icons;
mod levels;
mod palette;
mod reading;
mod show;
mod stream;

use std::{cell::RefCell, rc::Rc};

use show::Show;
use wasm_bindgen::{JsCast, JsValue, prelude::*};
use web_sys::{
    Document, Element, Event, HtmlElement, IntersectionObserver, IntersectionObserverEntry, KeyboardEvent,
    MediaQueryList, ResizeObserver, VisibilityState, Window,
};

thread_local! {
    static OPEN: RefCell<Option<Picture>> = const { RefCell::new(None) };
}

/// Opens the picture in `element`. `own_client_id` is what the page calls itself at the broker.
#[wasm_bindgen]
pub fn mount(element: HtmlElement, own_client_id: &str) -> Result<(), JsValue> {
    unmount();
    let picture = Picture::open(element, own_client_id)?;
    OPEN.set(Some(picture));
    Ok(())
}

/// Closes the picture: nothing of it runs from then on.
#[wasm_bindgen]
pub fn unmount() {
    OPEN.set(None);
}

/// An open picture. Dropping it takes everything away.
struct Picture {
    element: HtmlElement,
    show: Rc<RefCell<Show>>,
    listeners: Vec<Listener>,
    resized: ResizeObserver,
    seen: IntersectionObserver,
    _on_resize: Closure<dyn FnMut()>,
    _on_seen: Closure<dyn FnMut(Vec<IntersectionObserverEntry>)>,
}

/// Hears of an event until it is dropped.
struct Listener {
    target: web_sys::EventTarget,
    name: &'static str,
    closure: Closure<dyn FnMut(Event)>,
}

impl Picture {
    fn open(element: HtmlElement, own: &str) -> Result<Self, JsValue> {
        let window = web_sys::window().ok_or("no window")?;
        let document = window.document().ok_or("no document")?;
        put_on_styles(&document)?;
        element.set_inner_html(&scaffolding());
        let show = Show::new(window.clone(), document.clone(), element.clone(), own)?;
        let mut listeners = Vec::new();
        let mut on = |target: &web_sys::EventTarget, name, hear: Box<dyn FnMut(Event)>| {
            listeners.push(Listener::new(target, name, hear));
        };
        let told = |hear: fn(&mut Show, &Event)| -> Box<dyn FnMut(Event)> {
            let show = show.clone();
            Box::new(move |event| {
                // Moving the focus tells of it at once, while whoever moved it is still at work: that is no news.
                let Ok(mut this) = show.try_borrow_mut() else { return };
                hear(&mut this, &event);
                drop(this);
                Show::wake(&show);
            })
        };
        on(&element, "click", told(click));
        on(&element, "focusin", told(focus));
        on(&element, "keydown", told(|show, event| press(show, event.unchecked_ref())));
        on(&document, "visibilitychange", told(|show, _| show.set_in_front(is_in_front())));
        for query in
            ["(prefers-color-scheme: dark)", "(prefers-reduced-motion: reduce)", "(forced-colors: active)"]
        {
            if let Some(query) = media(&window, query) {
                on(&query, "change", told(|show, _| show.dress()));
            }
        }
        let on_resize = Closure::<dyn FnMut()>::new({
            let show = show.clone();
            move || {
                show.borrow_mut().measure();
                Show::wake(&show);
            }
        });
        let on_seen = Closure::<dyn FnMut(Vec<IntersectionObserverEntry>)>::new({
            let show = show.clone();
            move |entries: Vec<IntersectionObserverEntry>| {
                let is_seen = entries.last().is_none_or(IntersectionObserverEntry::is_intersecting);
                show.borrow_mut().set_on_screen(is_seen);
                Show::wake(&show);
            }
        });
        let stage = element.query_selector(".picture-stage")?.ok_or("no stage")?;
        let resized = ResizeObserver::new(on_resize.as_ref().unchecked_ref())?;
        resized.observe(&stage);
        let seen = IntersectionObserver::new(on_seen.as_ref().unchecked_ref())?;
        seen.observe(&stage);
        show.borrow_mut().dress();
        show.borrow_mut().measure();
        Show::connect(&show);
        Ok(Self { element, show, listeners, resized, seen, _on_resize: on_resize, _on_seen: on_seen })
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        self.resized.disconnect();
        self.seen.disconnect();
        self.listeners.clear();
        self.show.borrow_mut().end();
        self.element.set_inner_html("");
    }
}

impl Listener {
    fn new(target: &web_sys::EventTarget, name: &'static str, hear: Box<dyn FnMut(Event)>) -> Self {
        let closure = Closure::wrap(hear);
        let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
        Self { target: target.clone(), name, closure }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let listener = self.closure.as_ref().unchecked_ref();
        let _ = self.target.remove_event_listener_with_callback(self.name, listener);
    }
}

fn click(show: &mut Show, event: &Event) {
    let Some(target) = target(event) else { return };
    let within = |selector: &str| target.closest(selector).ok().flatten();
    if let Some(number) = clients::Clients::number_of(&target) {
        show.choose(number);
    } else if let Some(member) = within("[data-member]") {
        if let Some(key) = member.get_attribute("data-member").and_then(|key| key.parse().ok()) {
            show.choose_member(key);
        }
    } else if let Some(button) = within("[data-do]") {
        match button.get_attribute("data-do").as_deref() {
            Some("slow") => show.toggle_slow(),
            Some("pause") => show.toggle_pause(),
            Some("explain") => show.toggle_explanation(),
            Some("broker") => show.choose_broker(),
            Some("close") => show.close(),
            _ => {}
        }
    }
}

fn focus(show: &mut Show, event: &Event) {
    if let Some(number) = target(event).as_ref().and_then(clients::Clients::number_of) {
        show.reach(number);
    }
}

fn press(show: &mut Show, event: &KeyboardEvent) {
    if event.alt_key() || event.ctrl_key() || event.meta_key() {
        return;
    }
    let key = event.key();
    if key == "Escape" {
        show.close();
    } else if let Some(number) = target(event).as_ref().and_then(clients::Clients::number_of)
        && show.steer(number, &key)
    {
        event.prevent_default();
    }
}

fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

fn media(window: &Window, query: &str) -> Option<MediaQueryList> {
    window.match_media(query).ok().flatten()
}

fn is_in_front() -> bool {
    let document = web_sys::window().and_then(|window| window.document());
    document.is_none_or(|document| document.visibility_state() == VisibilityState::Visible)
}

/// The styles come with the module, so that a page without the picture does not load them.
fn put_on_styles(document: &Document) -> Result<(), JsValue> {
    thread_local! {
        static SHEET: RefCell<Option<web_sys::CssStyleSheet>> = const { RefCell::new(None) };
    }
    if SHEET.with_borrow(Option::is_some) {
        return Ok(());
    }
    let sheet = web_sys::CssStyleSheet::new()?;
    sheet.replace_sync(include_str!("../../styles/picture.css"))?;
    let adopted = js_sys::Reflect::get(document, &"adoptedStyleSheets".into())?;
    js_sys::Array::from(&adopted).push(&sheet);
    adopted.unchecked_ref::<js_sys::Array>().push(&sheet);
    SHEET.set(Some(sheet));
    Ok(())
}

fn scaffolding() -> String {
    include_str!("picture.html").replace("{broker}", icons::BROKER).replace("{probes}", palette::PROBES)
}
