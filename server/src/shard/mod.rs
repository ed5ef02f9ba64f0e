//! A shard: one thread's links and the one broker that they share.
//!
//! Run to completion: what one link's task reads is decoded and handled right there, and the effects are encoded into
//! the receiving links' outputs. Those links are then dirty, and one flusher, which runs after the tasks that had
//! something to read, writes each of them once. No channel, lock or task switch stands between a packet and its copies.
//!
//! ```text
//!   link task ──read──► frames ──► packets ──► Broker::handle ──effects──► outputs ──► dirty
//!                                                                                        │
//!   link task ◄──── socket full: waits for it to drain, then writes ◄──── flusher: one write per dirty link
//! ```
//!
//! The state is borrowed only between two awaits, never across one.

mod connection;
mod door;
mod flusher;
mod link;
mod local;
mod output;
mod picture;
mod room;
mod timer;
mod verdicts;
mod websocket;

pub(crate) use door::{Door, NewLink, NotPermitted, Reader, Stopped, Value};
pub(crate) use local::{
    Alive, Condition, FromBroker, LocalLink, NewLocalLink, Published, Settings, certainly_unmodified_since,
};
pub(crate) use picture::Watching;
pub(crate) use room::Room;

use crate::{auth::SignIn, clock::Clock, config::Config, limits};
use bytes::BytesMut;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use link::{Link, Over};
use local::Locals;
use luxwire_broker::{
    Broker, CloseReason, Effect, Input, LinkId, Now, OutgoingAliases, Report, Traffic, Verdict,
};
use luxwire_shared::time::Instant;
use output::{Spare, Written};
use picture::{Cause, Picture, Scene};
use std::{
    cell::RefCell,
    mem,
    rc::Rc,
    sync::Arc,
    task::{Poll, Waker},
    time::Duration,
};
use tokio::task::{JoinSet, spawn_local};
use tracing::{debug, error, info};

/// A handle to the thread's shard.
#[derive(Clone)]
pub(crate) struct Shard(Rc<RefCell<State>>);

/// Everything that the thread's tasks share.
struct State {
    broker: Broker,
    clock: Clock,
    sign_in: Arc<SignIn>,
    /// Passwords whose checking takes time; the answers come as [`State::password_checked`].
    checks: verdicts::Checks,
    /// Verdicts that were there at once, for after the effects among which they were asked for.
    verdicts: Vec<(LinkId, Verdict)>,
    hash_seed: u64,
    packet_size: usize,
    stall_timeout: Duration,
    /// Boxed, so that the places of a table that are empty cost little.
    links: HashMap<LinkId, Box<Link>, RandomState>,
    locals: Locals,
    links_opened: u64,
    /// Shared by all links: what a packet needs beyond its turn is copied out of it.
    read_buffer: BytesMut,
    spare: Spare,
    /// When buffers that nobody needed were last let go.
    spare_since: Instant,
    /// What went over the wires since the broker was last told.
    traffic: Traffic,
    /// Empty between two calls of the broker; kept for its room.
    effects: Vec<Effect>,
    /// Links with something to write, in the order in which they got it.
    dirty: Vec<LinkId>,
    /// Links whose output became empty, where the broker waits for that.
    drained: Vec<LinkId>,
    flusher: Option<Waker>,
    timer: Option<Waker>,
    /// When the timer will look again by itself.
    timer_set: Option<Instant>,
    /// When the oldest blocked link may have been blocked for too long.
    stall_check: Option<Instant>,
    /// Set when the program stops; waits for the last link to go.
    stopping: Option<Waker>,
    /// For those who watch.
    picture: Picture,
}

impl Shard {
    /// Starts the flusher and the timer, without which nothing works, and the picture, in the `LocalSet` that it is
    /// called in.
    pub(crate) fn start(
        essential: &mut JoinSet<()>,
        config: &Config,
        broker: luxwire_broker::Config,
        sign_in: Arc<SignIn>,
        clock: Clock,
    ) -> Self {
        let hash_seed = broker.hash_seed;
        let (checks, wanted) = verdicts::Checks::new();
        let limits = &config.limits;
        let stall_timeout = Duration::from_secs(limits.stall_timeout_s.into());
        let state = State {
            broker: Broker::new(broker),
            clock,
            sign_in: Arc::clone(&sign_in),
            checks,
            verdicts: Vec::new(),
            hash_seed,
            packet_size: limits.packet_size.bytes(),
            stall_timeout,
            links: HashMap::default(),
            locals: Locals::default(),
            links_opened: 0,
            read_buffer: BytesMut::new(),
            spare: Spare::default(),
            spare_since: Instant::START,
            traffic: Traffic::default(),
            effects: Vec::new(),
            dirty: Vec::new(),
            drained: Vec::new(),
            flusher: None,
            timer: None,
            timer_set: None,
            stall_check: None,
            stopping: None,
            picture: Picture::new(clock.now().timestamp, stall_timeout),
        };
        let shard = Self(Rc::new(RefCell::new(state)));
        essential.spawn_local(flusher::run(shard.clone()));
        essential.spawn_local(timer::run(shard.clone()));
        essential.spawn_local(picture::run(shard.clone()));
        essential.spawn_local(verdicts::run(shard.clone(), sign_in, wanted));
        shard
    }

    /// Takes a connection in, unless the program stops: a handshake may have been under way.
    pub(crate) fn open(&self, new: NewLink) {
        let mut nonce = [0; 16];
        if let Err(error) = getrandom::fill(&mut nonce) {
            // Without randomness a client could be given an identifier that somebody guesses.
            return error!(%error, "the system gives no randomness; a connection is refused");
        }
        let (reader, writer) = new.socket.into_split();
        let mut state = self.0.borrow_mut();
        if state.stopping.is_some() {
            return;
        }
        let link = state.next_link();
        let packet_size = state.packet_size;
        let visitor = state.sign_in.visitor(new.peer);
        let new_link = Link::new(writer, new.peer, new.websocket, packet_size);
        state.links.insert(link, Box::new(new_link));
        let now = state.clock.now();
        state.tell(now, Input::Open { link, visitor, nonce: u128::from_ne_bytes(nonce) });
        state.set_timer();
        spawn_local(connection::run(self.clone(), link, reader, new.permit));
    }

    /// Tells every client that the server stops, and returns when the last link and the last watcher are gone.
    pub(crate) async fn stop(&self) {
        {
            let mut state = self.0.borrow_mut();
            let now = state.clock.now();
            state.tell(now, Input::Stop);
        }
        std::future::poll_fn(|cx| {
            let mut state = self.0.borrow_mut();
            state.stopping = Some(cx.waker().clone());
            if state.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl State {
    /// The number of one more link.
    fn next_link(&mut self) -> LinkId {
        let link = LinkId(self.links_opened);
        self.links_opened += 1;
        link
    }

    fn is_empty(&self) -> bool {
        self.links.is_empty() && self.locals.is_empty() && self.picture.is_left_by_all()
    }

    /// Handles the packets that came over a link; not all of them if they set so much in motion that others would wait.
    fn receive(&mut self, id: LinkId) {
        let now = self.clock.now();
        let mut effects = 0;
        while let Some(link) = self.links.get_mut(&id) {
            if effects > limits::EFFECTS_PER_TURN {
                link.left_off = true;
                break;
            }
            let Some(input) = link.next_input(id) else { break };
            effects += self.tell(now, input);
        }
        // The WebSocket protocol may have answered something by itself.
        if self.links.get_mut(&id).is_some_and(|link| link.becomes_dirty()) {
            self.flush_soon(id);
        }
        self.set_timer();
    }

    /// Tells the broker, and does what it wants done; says how much that was.
    fn tell(&mut self, now: Now, input: Input) -> usize {
        let mut effects = mem::take(&mut self.effects);
        let cause = self.picture.is_watched().then(|| Cause::of(now, &input, &self.broker));
        self.broker.handle(now, input, &mut effects);
        if let Some(cause) = cause {
            let scene = Scene { broker: &self.broker, links: &self.links, locals: &self.locals, now };
            self.picture.observe(&scene, cause, &effects);
        }
        let count = effects.len();
        // Where they lie: an effect is large, and most of them are one message for many.
        for effect in &effects {
            self.apply(effect);
        }
        effects.clear();
        self.effects = effects;
        if self.verdicts.is_empty() {
            return count;
        }
        let verdicts = mem::take(&mut self.verdicts);
        let more = verdicts
            .into_iter()
            .map(|(link, verdict)| self.tell(now, Input::PasswordChecked { link, verdict }));
        count + more.sum::<usize>()
    }

    fn apply(&mut self, effect: &Effect) {
        match effect {
            Effect::Send { link: id, packet } => {
                let Some(link) = self.links.get_mut(id) else {
                    return self.locals.send(*id, packet.clone());
                };
                if let Err(error) = link.send(packet, &mut self.spare) {
                    error!(%error, "a packet of ours cannot be written");
                }
                if link.becomes_dirty() {
                    self.flush_soon(*id);
                }
            }
            Effect::Deliver(delivered) => {
                let Some(link) = self.links.get_mut(&delivered.link) else {
                    if let Some(since) = self.locals.deliver(delivered, self.clock) {
                        self.stall_check.get_or_insert(since + self.stall_timeout);
                    }
                    return;
                };
                if let Err(error) = link.deliver(delivered, &mut self.spare, &mut self.traffic) {
                    error!(%error, "a message cannot be written");
                }
                if link.is_full_enough_to_write() {
                    self.write(delivered.link);
                } else if link.becomes_dirty() {
                    self.flush_soon(delivered.link);
                }
            }
            Effect::CheckPassword { link, user, password } => {
                self.check_password(*link, user, password.as_deref());
            }
            Effect::AwaitDrain { link: id } => {
                let Some(link) = self.links.get_mut(id) else { return self.locals.await_drain(*id) };
                link.awaits_drain = true;
                if link.becomes_dirty() {
                    self.flush_soon(*id);
                }
            }
            Effect::Close { link: id, reason } => self.end(*id, Over::Asked(*reason)),
            Effect::Report(report) => self.report(report),
        }
    }

    /// The first reason stays: what follows is its consequence.
    fn end(&mut self, id: LinkId, over: Over) {
        let Some(link) = self.links.get_mut(&id) else { return self.locals.end(id, over) };
        link.over.get_or_insert(over);
        link.wake();
    }

    fn report(&mut self, report: &Report) {
        match *report {
            Report::Connected { link: id, ref client_id, version, session_present, aliases } => {
                if let Some(local) = self.locals.get(id) {
                    let peer = local.peer;
                    if local.stays() {
                        info!(%peer, client = ?client_id, ?version, transport = "http", "connected");
                    } else {
                        debug!(%peer, client = ?client_id, ?version, transport = "http", "connected");
                    }
                    return self.locals.connected(id, client_id.clone());
                }
                let packet_size = self.packet_size;
                let aliases = OutgoingAliases::new(aliases, self.hash_seed);
                let Some(link) = self.links.get_mut(&id) else { return };
                let (peer, transport) = (link.peer, link.transport());
                info!(%peer, client = ?client_id, ?version, transport, session_present, "connected");
                link.accepted(client_id.clone(), packet_size, aliases);
            }
            Report::Dropped { ref client_id, qos, why } => {
                debug!(client = ?client_id, qos = qos.number(), ?why, "message dropped");
            }
            Report::PublishRefused { link, ref client_id, reason } => {
                debug!(client = ?client_id, ?reason, "message refused");
                if let Some(link) = link {
                    self.locals.refused(link, reason);
                }
            }
            Report::SessionEnded { ref client_id } => debug!(client = ?client_id, "session ended"),
        }
    }

    /// Has the flusher write to a link that became dirty.
    fn flush_soon(&mut self, id: LinkId) {
        self.dirty.push(id);
        if self.dirty.len() == 1 {
            self.wake_flusher();
        }
    }

    fn wake_flusher(&self) {
        if let Some(flusher) = &self.flusher {
            flusher.wake_by_ref();
        }
    }

    /// Writes to every dirty link once, and tells the broker which links drained. What that sets in motion is for the next
    /// time.
    fn flush(&mut self) {
        let mut dirty = mem::take(&mut self.dirty);
        for id in dirty.drain(..) {
            self.write(id);
        }
        if self.dirty.is_empty() {
            self.dirty = dirty;
        }
        let drained = mem::take(&mut self.drained);
        if !drained.is_empty() {
            let now = self.clock.now();
            for link in drained {
                self.tell(now, Input::Drained { link });
            }
        }
        self.set_timer();
    }

    /// Writes to one link; says whether bytes are left because its socket is full.
    fn write(&mut self, id: LinkId) -> bool {
        let Some(link) = self.links.get_mut(&id) else { return false };
        link.is_dirty = false;
        let was_waiting = link.must_wait();
        match link.write(&mut self.spare, &mut self.traffic) {
            Written::All => {
                link.blocked_since = None;
                if was_waiting {
                    link.wake();
                }
                if mem::take(&mut link.awaits_drain) {
                    // Not at once: the effects of an earlier input may still be under way.
                    self.drained.push(id);
                    self.wake_flusher();
                }
                false
            }
            Written::Blocked { progress } => {
                let now = self.clock.instant();
                if progress || link.blocked_since.is_none() {
                    link.blocked_since = Some(now);
                }
                link.wake();
                self.stall_check.get_or_insert(now + self.stall_timeout);
                true
            }
            Written::Failed(error) => {
                self.end(id, Over::Failed(error.to_string()));
                false
            }
        }
    }

    /// Something is due.
    fn tick(&mut self, now: Now) {
        let traffic = mem::take(&mut self.traffic);
        self.tell(now, Input::Traffic(traffic));
        self.tell(now, Input::Tick);
        if self.spare_since + limits::SPARE_FOR <= now.instant {
            self.spare_since = now.instant;
            self.spare.let_go();
        }
        if self.stall_check.is_some_and(|check| check <= now.instant) {
            self.end_stalled(now.instant);
        }
    }

    /// Ends the links whose sockets took nothing for too long, and notes when to look again.
    fn end_stalled(&mut self, now: Instant) {
        self.stall_check = self.locals.end_stalled(now, self.stall_timeout);
        for link in self.links.values_mut() {
            let Some(due) = link.blocked_since.map(|since| since + self.stall_timeout) else { continue };
            if due <= now {
                link.over.get_or_insert(Over::Stalled);
                link.wake();
            } else {
                self.stall_check = Some(self.stall_check.map_or(due, |check| check.min(due)));
            }
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        [self.broker.next_deadline(), self.stall_check].into_iter().flatten().min()
    }

    /// Wakes the timer if something is due before it would look by itself.
    fn set_timer(&mut self) {
        let Some(next) = self.next_deadline() else { return };
        if self.timer_set.is_none_or(|set| next < set)
            && let Some(timer) = &self.timer
        {
            timer.wake_by_ref();
        }
    }

    /// The connection is closed.
    fn forget(&mut self, id: LinkId) {
        let Some(link) = self.links.remove(&id) else { return };
        let (peer, dropped) = (link.peer, link.dropped);
        let over = link.over.unwrap_or(Over::ByPeer);
        let reason = over.reason();
        match (&link.client, &over) {
            (Some(client), _) => info!(%peer, ?client, reason, dropped, "disconnected"),
            (None, Over::Asked(CloseReason::Refused(_))) => info!(%peer, reason, "not connected"),
            // Port scans and health checks look like this.
            (None, _) => debug!(%peer, reason, "not connected"),
        }
        self.wake_if_stopped();
    }

    /// Wakes whoever waits for the last link to go, if it has gone.
    fn wake_if_stopped(&self) {
        if self.is_empty()
            && let Some(stopping) = &self.stopping
        {
            stopping.wake_by_ref();
        }
    }
}
