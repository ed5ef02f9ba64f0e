//! The house as the page holds it: what components show, as signals, and what a person can do, as methods.
//!
//! It joins the pure [`Session`] to the browser: its socket, its timer, its clocks. It decides nothing about lights or
//! MQTT itself.
use std::{cell::RefCell, collections::BTreeMap, fmt::Display, rc::Rc, time::Duration};

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};
use luxwire_shared::{
    model::{AddError, Intensity, LightId, LightView, age},
    time::Instant,
};
use web_sys::VisibilityState;

use crate::{
    broker_url::BrokerUrl,
    card::{self, Card, Place, Removed},
    clock,
    components::{Ask, Connection, Hand, Hue, Word},
    hue_status, memory,
    session::{Action, Session},
    socket::{Socket, SocketEvent},
    words::{self, LocalTime},
};

/// A handle to the house; copies are the same house.
#[derive(Clone, Copy)]
pub(crate) struct House {
    inner: StoredValue<Rc<RefCell<Inner>>, LocalStorage>,
    /// The cards' places, in order.
    pub(crate) row: RwSignal<Vec<Place>>,
    /// How many lights there are, and how many of them are on.
    pub(crate) count: RwSignal<Count>,
    /// How the connection stands.
    pub(crate) connection: RwSignal<Connection>,
    /// Whether there are more lights than are shown.
    pub(crate) has_too_many: RwSignal<bool>,
    /// Whether it is certain by now that lights which are not shown do not exist.
    pub(crate) is_complete: RwSignal<bool>,
    /// What is known of Hue hubs.
    pub(crate) hue: RwSignal<Hue>,
}

/// How many lights there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// All of them.
    pub(crate) lights: usize,
    /// Those that are on.
    pub(crate) on: usize,
}

struct Inner {
    session: Session,
    broker: BrokerUrl,
    socket: Option<Socket>,
    timer: Option<TimeoutHandle>,
    cards: BTreeMap<LightId, ArcRwSignal<Card>>,
    removed: Vec<Removed>,
    /// What a card says for a while instead of its time.
    notices: BTreeMap<LightId, (Word, Instant)>,
    /// The light that was added here last: its card takes the focus.
    added: Option<LightId>,
}

impl House {
    /// A house that nobody has looked at yet; the first call of [`House::start`] connects it.
    pub(crate) fn new(session: Session, broker: BrokerUrl) -> Self {
        let inner = Inner {
            session,
            broker,
            socket: None,
            timer: None,
            cards: BTreeMap::new(),
            removed: Vec::new(),
            notices: BTreeMap::new(),
            added: None,
        };
        Self {
            inner: StoredValue::new_local(Rc::new(RefCell::new(inner))),
            row: RwSignal::new(Vec::new()),
            count: RwSignal::new(Count::default()),
            connection: RwSignal::new(Connection::Connecting),
            has_too_many: RwSignal::new(false),
            is_complete: RwSignal::new(false),
            hue: RwSignal::new(Hue::Looking),
        }
    }

    /// Connects, and follows from then on what the browser tells of its network and of being looked at.
    pub(crate) fn start(self) {
        let hurry = move || self.act(|inner| inner.session.hurry(clock::now()));
        window_event_listener(leptos::ev::online, move |_| hurry());
        window_event_listener(leptos::ev::visibilitychange, move |_| match document().visibility_state() {
            VisibilityState::Visible => hurry(),
            _ => self.hide(),
        });
        window_event_listener(leptos::ev::pagehide, move |_| self.hide());
        hurry();
    }

    /// The card of a light in [`House::row`].
    pub(crate) fn card(self, id: &LightId) -> Option<ArcRwSignal<Card>> {
        self.inner.with_value(|inner| inner.borrow().cards.get(id).cloned())
    }

    /// What a light was called that was removed here.
    pub(crate) fn removed_name(self, id: &LightId) -> String {
        self.inner.with_value(|inner| {
            let inner = inner.borrow();
            let removed = inner.removed.iter().find(|removed| removed.id == *id);
            removed.map_or_else(|| id.display_name(), |removed| removed.name.clone())
        })
    }

    /// Whether this light was just added here; true once.
    pub(crate) fn take_added(self, id: &LightId) -> bool {
        self.inner.with_value(|inner| inner.borrow_mut().added.take_if(|added| added == id).is_some())
    }
}

/// What a person does.
impl House {
    /// Moves a slider.
    pub(crate) fn hand(self, id: &LightId, hand: Hand) {
        let now = clock::now();
        self.act(|Inner { session, .. }| match hand {
            Hand::Press => session.home.press(id),
            Hand::Move(percent) => {
                if let Some(value) = Intensity::from_percent(percent) {
                    session.home.input(id, value, now);
                }
            }
            Hand::Change => session.home.change(id, now),
            Hand::Release => session.home.release(id, now),
        });
    }

    /// Turns a switch.
    pub(crate) fn switch(self, id: &LightId, on: bool) {
        self.act(|inner| inner.session.home.switch(id, on, clock::now()));
    }

    /// Adds a light of this name, or says why not.
    pub(crate) fn add(self, name: &str) -> Result<(), String> {
        let id = LightId::try_from(name.trim()).map_err(|error| sentence(&error))?;
        self.act(|Inner { session, added, .. }| {
            let exists = session
                .home
                .lights()
                .iter()
                .any(|light| words::is_same_name(&light.name, &id.display_name()));
            if exists {
                return Err(sentence(&AddError::Exists));
            }
            session.home.add(id.clone(), FIRST_LEVEL, clock::now()).map_err(|error| sentence(&error))?;
            *added = Some(id);
            Ok(())
        })
    }

    /// Removes a light for everybody; [`House::undo`] brings it back.
    pub(crate) fn remove(self, id: &LightId) {
        let place = self.row.with_untracked(|row| row.iter().position(|at| *at == Place::Light(id.clone())));
        self.act(|inner| {
            let Some(light) = inner.session.home.light(id) else { return };
            let place = place.unwrap_or_default();
            inner.removed.push(Removed { id: light.id, name: light.name, level: light.displayed, place });
            inner.session.home.remove(id, clock::now());
        });
    }

    /// Brings a removed light back as it was.
    pub(crate) fn undo(self, id: &LightId) {
        self.act(|inner| {
            let Some(at) = inner.removed.iter().position(|removed| removed.id == *id) else { return };
            let removed = inner.removed.remove(at);
            // If it is back already, there is nothing to undo.
            let _ = inner.session.home.add(removed.id.clone(), removed.level, clock::now());
            inner.added = Some(removed.id);
        });
    }

    /// Removed lights cannot be brought back from here on.
    pub(crate) fn forget_removed(self) {
        self.act(|inner| {
            for removed in inner.removed.drain(..) {
                memory::forget(&removed.id);
            }
        });
    }

    /// Somebody wants to see the Hue hubs. Our own server has a service for them that starts when it is asked for.
    pub(crate) fn look_for_hue(self) {
        let is_ours = self.inner.with_value(|inner| inner.borrow().broker.is_ours);
        self.act(|inner| inner.session.follow_hue(clock::now()));
        if is_ours {
            hue_status::start_service();
        }
    }

    /// Asks the Hue service for something.
    pub(crate) fn ask_hue(self, ask: Ask) {
        self.act(|inner| inner.session.ask_hue(hue_status::request(&ask), clock::now()));
    }

    /// Nobody sees the page: no hand is on it, and it may be thrown away.
    fn hide(self) {
        self.act(|Inner { session, cards, .. }| {
            session.home.release_all(clock::now());
            for id in cards.keys() {
                remember(session, id);
            }
        });
    }
}

/// How the outside is served.
impl House {
    /// Does something, then what follows from it.
    fn act<T>(self, action: impl FnOnce(&mut Inner) -> T) -> T {
        let inner = self.inner.get_value();
        let done = action(&mut inner.borrow_mut());
        self.perform(&mut inner.borrow_mut());
        let views = inner.borrow_mut().session.home.lights();
        self.show(&mut inner.borrow_mut(), &views);
        self.wake_later(&mut inner.borrow_mut(), &views);
        done
    }

    /// Carries out what the session asks for.
    fn perform(self, inner: &mut Inner) {
        while let Some(action) = inner.session.poll(clock::now()) {
            match action {
                Action::Open => {
                    inner.socket = Socket::open(&inner.broker.url, move |event| self.hear(event));
                    if inner.socket.is_none() {
                        inner.session.closed(clock::moment());
                    }
                }
                Action::Write(bytes) => {
                    if let Some(socket) = &inner.socket {
                        socket.send(&bytes);
                    }
                }
                Action::Close => inner.socket = None,
            }
        }
    }

    fn hear(self, event: SocketEvent) {
        let moment = clock::moment();
        self.act(|inner| match event {
            SocketEvent::Opened => inner.session.opened(moment),
            SocketEvent::Received(bytes) => inner.session.received(bytes, moment),
            SocketEvent::Closed => {
                inner.socket = None;
                inner.session.closed(moment);
            }
        });
    }

    /// Brings the signals up to date; one that has nothing new stays silent.
    fn show(self, inner: &mut Inner, views: &[LightView]) {
        let Inner { session, cards, removed, notices, .. } = inner;
        let (now, connected) = (clock::now(), session.is_online());
        while let Some(notice) = session.home.poll_notice() {
            match words::notice(&notice) {
                Some((light, word)) => {
                    notices.insert(light, (word, now + READ));
                }
                None => self.has_too_many.set(true),
            }
        }
        notices.retain(|_, (_, until)| now < *until);
        let time = LocalTime { now: clock::wall_clock(), utc_offset_min: clock::utc_offset_min() };
        cards.retain(|id, _| views.iter().any(|view| view.id == *id));
        for view in views {
            if !cards.contains_key(&view.id)
                && let Some(last_on) = memory::last_on(&view.id)
            {
                session.home.recall(&view.id, last_on);
            }
            let notice = notices.get(&view.id).map(|(word, _)| word.clone());
            let last_on = session.home.last_on(&view.id);
            let card = Card { notice, ..Card::new(view, last_on, connected, time, clock::rfc3339) };
            match cards.get(&view.id) {
                None => {
                    cards.insert(view.id.clone(), ArcRwSignal::new(card));
                }
                Some(shown) => {
                    if shown.with_untracked(|shown| shown.on) && !card.on {
                        remember(session, &view.id);
                    }
                    update(shown, card);
                }
            }
        }
        let on = views.iter().filter(|view| !view.displayed.is_off()).count();
        update(&self.count, Count { lights: views.len(), on });
        update(&self.row, card::row(views, removed));
        update(&self.connection, session.connection(now));
        update(&self.is_complete, session.is_complete(now));
        if session.hue.take_news(now) {
            self.hue.set(hue(session, now));
        }
    }

    /// Sets the timer to the next moment at which something is to be done, or reads differently.
    fn wake_later(self, inner: &mut Inner, views: &[LightView]) {
        let (now, wall_clock) = (clock::now(), clock::wall_clock());
        let ages = views.iter().filter_map(words::since_at);
        let older = ages.map(|at| now + Duration::from_millis(age::age_lasts_ms(at, wall_clock))).min();
        let read = inner.notices.values().map(|(_, until)| *until).min();
        let wake_at = [inner.session.next_deadline(now), older, read].into_iter().flatten().min();
        if let Some(timer) = inner.timer.take() {
            timer.clear();
        }
        // A timer may be early by less than a millisecond; the next one then comes at once.
        let wake = move || self.act(|inner| inner.session.tick(clock::moment()));
        inner.timer = wake_at.and_then(|at| set_timeout_with_handle(wake, at.since(now)).ok());
    }
}

/// Long enough to look up and read a sentence.
const READ: Duration = Duration::from_secs(8);

/// A light that is added here shines, but not much.
const FIRST_LEVEL: Intensity = Intensity::from_percent(40).expect("40 is at most 100");

/// What the page shows of Hue.
fn hue(session: &Session, now: Instant) -> Hue {
    match session.hue.online() {
        // Nobody would hear what is asked for.
        _ if !session.is_online() => Hue::Looking,
        Some((_, status)) => hue_status::read(status).map_or(Hue::Missing, Hue::Online),
        None if session.hue.is_missing(now) => Hue::Missing,
        None => Hue::Looking,
    }
}

fn remember(session: &Session, id: &LightId) {
    if let Some(last_on) = session.home.last_on(id) {
        memory::remember_last_on(id, last_on);
    }
}

/// Sets a signal that has something new to say.
fn update<T: PartialEq>(signal: &(impl Set<Value = T> + WithUntracked<Value = T>), value: T) {
    if signal.with_untracked(|shown| *shown != value) {
        signal.set(value);
    }
}

/// An error as a sentence of its own.
fn sentence(error: &impl Display) -> String {
    let error = error.to_string();
    let mut chars = error.chars();
    chars.next().map(|first| format!("{}{}.", first.to_uppercase(), chars.as_str())).unwrap_or_default()
}
