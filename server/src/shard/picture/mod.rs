//! The live picture: who is connected and which messages travel, for those who watch.
//!
//! It only looks on: at what the broker is told and at what the broker wants done. While nobody watches it does not
//! look, and a call of the broker costs one branch more. While somebody does, each call costs a bounded amount of work
//! that does not depend on how many watch: an event is written once and shared.
//!
//! - A message is an event of its own, up to a number in a tenth of a second that an eye can follow; the others are
//!   counted. No client may use up that number alone.
//! - What is said of clients is always true, if not always one by one: who cannot be told everything that changed,
//!   because too much did or because it reads too slowly, is given the whole anew.
//!
//! ```text
//!   Cause::of(input) ─► Broker::handle ─► Picture::observe(effects) ─► Feed ─► Watching ─► HTTP
//!                                                                        ▲
//!                      watch::run: what waited for the end of the tenth ─┘
//! ```

mod cause;
mod drawing;
mod feed;
mod publishes;
mod watch;
mod window;

pub(super) use cause::Cause;
pub(super) use watch::run;

pub(crate) use feed::{Event, Watching};

use super::{links::Links, local::Locals};
use crate::limits;
use drawing::{Message, Whole};
use feed::Feed;
use luxwire_broker::{Broker, Delivered, Effect, LinkId, Now, Report};
use luxwire_shared::time::{Instant, Timestamp};
use publishes::Publishes;
use std::{mem, net::SocketAddr, sync::Arc, time::Duration};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use window::Window;

/// What is known of the picture; next to nothing while nobody watches.
#[derive(Debug)]
pub(super) struct Picture {
    /// When the broker started.
    started: Timestamp,
    /// How long a watcher may leave unread what waits for it.
    stall_timeout: Duration,
    places: Arc<Semaphore>,
    feeds: Vec<Feed>,
    publishes: Publishes,
    window: Window,
    /// Has [`run`] look at what is due.
    alarm: Arc<Notify>,
    /// When it will look by itself.
    alarm_set: Option<Instant>,
}

/// What is looked at.
pub(super) struct Scene<'a> {
    pub(super) broker: &'a Broker,
    pub(super) links: &'a Links,
    pub(super) locals: &'a Locals,
    pub(super) now: Now,
}

/// What a connection is, besides what the broker knows of it.
pub(super) struct Connection {
    pub(super) transport: &'static str,
    pub(super) peer: SocketAddr,
}

impl Picture {
    /// A picture that nobody watches, of a broker that starts at this time.
    pub(super) fn new(started: Timestamp, stall_timeout: Duration) -> Self {
        Self {
            started,
            stall_timeout,
            places: Arc::new(Semaphore::new(limits::WATCHERS)),
            feeds: Vec::new(),
            publishes: Publishes::default(),
            window: Window::default(),
            alarm: Arc::default(),
            alarm_set: None,
        }
    }

    /// Whether anybody would see what happens.
    pub(super) fn is_watched(&self) -> bool {
        !self.feeds.is_empty()
    }

    /// Whether every watcher has read its stream to the end.
    pub(super) fn is_left_by_all(&self) -> bool {
        self.places.available_permits() == limits::WATCHERS
    }

    /// One more watches, if there is a place: first the whole, then what changes.
    fn watch(&mut self, scene: &Scene<'_>, cut: CancellationToken) -> Option<Watching> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        self.drop_those_who_left();
        if self.feeds.is_empty() {
            self.publishes.learn(scene);
        }
        let (mut feed, watching) = feed::new(permit, Arc::clone(&self.alarm), cut);
        feed.show_whole(&self.whole(scene), scene.now.instant);
        self.feeds.push(feed);
        Some(watching)
    }

    /// Sees what followed from one input.
    pub(super) fn observe(&mut self, scene: &Scene<'_>, cause: Cause, effects: &[Effect]) {
        if self.window.is_over(scene.now.instant) {
            self.close_window(scene);
        }
        match cause {
            Cause::Stopped => return self.forget_all(),
            Cause::Published(published) if published.was_taken(scene.broker, effects) => {
                let receivers = effects.iter().filter_map(|effect| match effect {
                    Effect::Deliver(delivered) => Some(delivered.link),
                    Effect::Send { .. }
                    | Effect::CheckPassword { .. }
                    | Effect::AwaitDrain { .. }
                    | Effect::Close { .. }
                    | Effect::Report(_) => None,
                });
                self.message(scene, &Message::published(&published), published.link, receivers);
            }
            Cause::Published(published) => self.follow(scene, effects, Some(published.link)),
            Cause::Left(link) => {
                self.left(link);
                self.follow(scene, effects, Some(link));
            }
            Cause::Subscriptions(link) => {
                self.changed(scene, link);
                self.follow(scene, effects, Some(link));
            }
            Cause::Other(link) => self.follow(scene, effects, link),
        }
        self.cut_those_who_stall(scene.now.instant);
        self.set_alarm();
    }

    /// Sees effects that are not those of a publish: who comes and goes, wills, and what was kept for the client whose
    /// input this is.
    fn follow(&mut self, scene: &Scene<'_>, effects: &[Effect], link: Option<LinkId>) {
        let mut effects = effects.iter().peekable();
        while let Some(effect) = effects.next() {
            match effect {
                Effect::Close { link, .. } => {
                    if scene.was_drawn(*link) {
                        self.left(*link);
                    }
                }
                Effect::Report(Report::Connected { link, .. }) => self.joined(scene, *link),
                Effect::Deliver(delivered) if Some(delivered.link) == link => {
                    let message = Message::kept(&delivered.message);
                    self.message(scene, &message, delivered.link, [delivered.link].into_iter());
                }
                Effect::Deliver(first) => {
                    // A will: its copies come one behind the other.
                    let mut receivers = vec![first.link];
                    while let Some(Effect::Deliver(delivered)) = effects.next_if(|effect| {
                        matches!(effect, Effect::Deliver(delivered) if is_copy(first, delivered) && Some(delivered.link) != link)
                    }) {
                        receivers.push(delivered.link);
                    }
                    self.message(scene, &Message::will(&first.message), first.link, receivers.into_iter());
                }
                Effect::Send { .. }
                | Effect::CheckPassword { .. }
                | Effect::AwaitDrain { .. }
                | Effect::Report(_) => {}
            }
        }
    }

    /// A message travels: it is shown, on account of one of those whom it concerns, or counted.
    fn message(
        &mut self,
        scene: &Scene<'_>,
        message: &Message<'_>,
        on_account_of: LinkId,
        mut receivers: impl Iterator<Item = LinkId>,
    ) {
        let is_shown = self.window.show(on_account_of);
        if is_shown {
            let to: Vec<_> = receivers.by_ref().take(limits::MESSAGE_RECEIVERS).collect();
            let to_more = receivers.count();
            let event = message.draw(&to, to_more);
            self.feeds.iter_mut().for_each(|feed| feed.message(&event, to.len() + to_more));
        } else {
            self.window.missed.add(1, receivers.count());
        }
        if is_shown || message.sets_a_value() {
            self.publishes.note(scene, message);
        }
    }

    fn joined(&mut self, scene: &Scene<'_>, link: LinkId) {
        self.news(|publishes| Some(Event::joined(&drawing::client(scene, publishes, link)?)));
    }

    fn left(&mut self, link: LinkId) {
        self.news(|_| Some(Event::left(link)));
    }

    /// A client's subscriptions may be others: told at once, and if they change again soon, at the end of the window.
    fn changed(&mut self, scene: &Scene<'_>, link: LinkId) {
        if self.window.may_tell_change(link) {
            self.news(|publishes| Some(Event::changed(&drawing::client(scene, publishes, link)?)));
        }
    }

    /// Tells something about a client, or, where too much happens, that everybody needs the whole anew.
    fn news(&mut self, draw: impl FnOnce(&Publishes) -> Option<Event>) {
        if !self.window.tell() {
            self.feeds.iter_mut().for_each(Feed::needs_whole);
        } else if self.feeds.iter().any(Feed::is_up_to_date)
            && let Some(event) = draw(&self.publishes)
        {
            self.feeds.iter_mut().for_each(|feed| feed.news(&event));
        }
    }

    fn whole(&self, scene: &Scene<'_>) -> Event {
        Event::whole(&Whole::draw(scene, &self.publishes, self.started))
    }

    /// Says how much was not shown, and what waited.
    fn close_window(&mut self, scene: &Scene<'_>) {
        let window = mem::replace(&mut self.window, Window::from(scene.now.instant));
        for feed in &mut self.feeds {
            feed.missed.add(window.missed.messages, window.missed.deliveries);
            feed.tell_missed();
        }
        for link in window.changed_again {
            self.changed(scene, link);
        }
    }

    /// Does what is due, and says when something is again.
    fn tick(&mut self, scene: &Scene<'_>) -> Option<Instant> {
        self.drop_those_who_left();
        if self.feeds.is_empty() {
            self.forget_all();
            return None;
        }
        let now = scene.now.instant;
        if self.window.is_over(now) {
            self.close_window(scene);
        }
        if self.feeds.iter().any(|feed| feed.whole_due().is_some_and(|due| due <= now)) {
            let whole = self.whole(scene);
            for feed in &mut self.feeds {
                if feed.whole_due().is_some_and(|due| due <= now) {
                    feed.show_whole(&whole, now);
                }
            }
        }
        self.feeds.iter_mut().for_each(Feed::tell_missed);
        self.cut_those_who_stall(now);
        self.alarm_set = self.next_due();
        self.alarm_set
    }

    fn next_due(&self) -> Option<Instant> {
        let feeds = self.feeds.iter().filter_map(Feed::next_due);
        feeds.chain(self.window.due()).min()
    }

    /// Wakes [`run`] if something is due before it would look by itself.
    fn set_alarm(&mut self) {
        let due = self.next_due();
        if due.is_some_and(|due| self.alarm_set.is_none_or(|set| due < set)) {
            self.alarm_set = due;
            self.alarm.notify_one();
        }
    }

    fn drop_those_who_left(&mut self) {
        self.feeds.retain(|feed| !feed.is_left());
    }

    fn cut_those_who_stall(&mut self, now: Instant) {
        let stall_timeout = self.stall_timeout;
        self.feeds.retain_mut(|feed| !feed.cut_if_stalled(now, stall_timeout));
    }

    /// Ends every stream, and forgets what only watchers want to know.
    fn forget_all(&mut self) {
        self.feeds.clear();
        self.publishes = Publishes::default();
        self.window = Window::default();
        self.alarm_set = None;
    }
}

impl Scene<'_> {
    fn connection(&self, link: LinkId) -> Option<Connection> {
        if let Some(link) = self.links.get(link) {
            return Some(Connection { transport: link.transport(), peer: link.peer });
        }
        let local = self.locals.get(link)?;
        Some(Connection { transport: "http", peer: local.peer })
    }

    /// Whether a link that the broker closes is that of a client: whoever never said CONNECT was never here.
    fn was_drawn(&self, link: LinkId) -> bool {
        self.links.get(link).is_some_and(|link| link.client.is_some())
            || self.locals.get(link).is_some_and(|local| local.client.is_some())
    }
}

/// Whether two deliveries that follow each other are of the same message. No client has two wills at a time.
fn is_copy(first: &Delivered, second: &Delivered) -> bool {
    let (first, second) = (&first.message, &second.message);
    first.publisher == second.publisher
        && first.published == second.published
        && first.topic() == second.topic()
}
