//! A shard: one thread's links and the one broker that they share.
//!
//! Run to completion: what is read from one link is decoded and handled right there, and the effects are encoded into
//! the receiving links' outputs as they arise. Those links are then dirty, and when each link that had something for us has
//! had its turn, each of them is written to once. No channel, lock or task switch stands between a packet and its copies. Who
//! sends little goes before those who send in bulk.
//!
//! ```text
//!   sockets ──ready──► a link's turn: read ──► frames ──► packets ──► Broker::handle ──effects──► outputs ──► dirty
//!      ▲                                                                                                     │
//!      └── socket full: waits for it to drain ◄────────────────── end of the turn: one write per dirty link ──┘
//! ```
//!
//! The state is borrowed only between two awaits, never across one.

mod connection;
mod door;
mod driver;
mod edge;
mod link;
mod links;
mod local;
mod output;
mod picture;
mod room;
mod sockets;
mod tidy;
mod timer;
mod verdicts;
mod websocket;

pub(crate) use door::{Door, NewLink, NotPermitted, Reader, Stopped, Value};
pub(crate) use local::{
    Alive, Condition, FromBroker, LocalLink, NewLocalLink, Published, Settings, certainly_unmodified_since,
};
pub(crate) use picture::Watching;
pub(crate) use room::{Place, Room};

use crate::{auth::SignIn, clock::Clock, config::Config, heap, limits};
use bytes::Buf as _;
use connection::Endings;
use edge::{Allowance, Edge, Ready};
use link::{Link, Next, Over};
use links::Links;
use local::Locals;
use luxwire_broker::{Broker, CloseReason, Effects as _, Input, LinkId, Now, Traffic};
use luxwire_shared::{
    mqtt::{Arrived, Version},
    time::Instant,
};
use output::Spare;
use picture::{Cause, Picture, Scene};
use sockets::Sockets;
use std::{
    cell::RefCell,
    io, mem,
    rc::Rc,
    sync::Arc,
    task::{Poll, Waker},
    time::Duration,
};
use tidy::Tidy;
use tokio::task::JoinSet;
use tracing::{debug, error, info};

/// A handle to the thread's shard.
#[derive(Clone)]
pub(crate) struct Shard(Rc<RefCell<State>>);

/// Everything that the thread's tasks share.
struct State {
    broker: Broker,
    /// All that the broker's effects reach.
    edge: Edge,
    sockets: Sockets,
    /// When buffers that nobody needed were last let go.
    spare_since: Instant,
    tidy: Tidy,
    timer: Option<Waker>,
    /// When the timer will look again by itself.
    timer_set: Option<Instant>,
    /// Set when the program stops; waits for the last link to go.
    stopping: Option<Waker>,
    /// For those who watch.
    picture: Picture,
}

impl Shard {
    /// Starts the driver and the timer, without which nothing works, and the picture, in the `LocalSet` that it is
    /// called in. An error is the system's, which does not give what it takes to watch over sockets.
    pub(crate) fn start(
        essential: &mut JoinSet<()>,
        config: &Config,
        broker: luxwire_broker::Config,
        sign_in: Arc<SignIn>,
        clock: Clock,
    ) -> io::Result<Self> {
        let hash_seed = broker.hash_seed;
        let (checks, wanted) = verdicts::Checks::new();
        let limits = &config.limits;
        let stall_timeout = Duration::from_secs(limits.stall_timeout_s.into());
        let state = State {
            broker: Broker::new(broker),
            edge: Edge {
                clock,
                sign_in: Arc::clone(&sign_in),
                checks,
                verdicts: Vec::new(),
                hash_seed,
                packet_size: limits.packet_size.bytes(),
                stall_timeout,
                links: Links::default(),
                locals: Locals::default(),
                spare: Spare::default(),
                traffic: Traffic::default(),
                work: 0,
                written: 0,
                dirty: Vec::new(),
                drained: Vec::new(),
                ready: Ready::default(),
                driver: None,
                stall_check: None,
                endings: Endings::default(),
            },
            sockets: Sockets::new()?,
            spare_since: Instant::START,
            tidy: Tidy::default(),
            timer: None,
            timer_set: None,
            stopping: None,
            picture: Picture::new(clock.now().timestamp, stall_timeout),
        };
        let shard = Self(Rc::new(RefCell::new(state)));
        essential.spawn_local(driver::run(shard.clone()));
        essential.spawn_local(timer::run(shard.clone()));
        essential.spawn_local(picture::run(shard.clone()));
        essential.spawn_local(verdicts::run(shard.clone(), sign_in, wanted));
        Ok(shard)
    }

    /// Takes a connection in, unless the program stops: a handshake may have been under way.
    pub(crate) fn open(&self, new: NewLink) {
        let NewLink { socket, peer, websocket, place } = new;
        let mut nonce = [0; 16];
        if let Err(error) = getrandom::fill(&mut nonce) {
            // Without randomness a client could be given an identifier that somebody guesses.
            return error!(%error, "the system gives no randomness; a connection is refused");
        }
        let mut state = self.0.borrow_mut();
        if state.stopping.is_some() {
            return;
        }
        let packet_size = state.edge.packet_size;
        let visitor = state.edge.sign_in.visitor(peer);
        let link = state.edge.links.insert(Link::new(socket, peer, websocket, place, packet_size));
        let State { edge: Edge { links, .. }, sockets, .. } = &mut *state;
        if let Some(entry) = links.get_mut(link)
            && let Err(error) = sockets.watch(&mut entry.socket, links::place(link))
        {
            links.remove(link);
            return error!(%error, %peer, "the system does not watch over one more socket; a connection is refused");
        }
        let now = state.edge.clock.now();
        state.tell(now, Input::Open { link, visitor, nonce: u128::from_ne_bytes(nonce) });
        // WebSocket: bytes may have come behind the handshake.
        state.edge.becomes_ready(link);
        state.set_timer();
    }

    /// Tells every client that the server stops, and returns when the last link and the last watcher are gone.
    pub(crate) async fn stop(&self) {
        {
            let mut state = self.0.borrow_mut();
            let now = state.edge.clock.now();
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
    fn is_empty(&self) -> bool {
        self.edge.links.is_empty() && self.edge.locals.is_empty() && self.picture.is_left_by_all()
    }

    /// Handles what was just read from a link.
    fn receive_read(&mut self, id: LinkId, allowance: Allowance, read: &mut [u8]) {
        let Some(link) = self.edge.links.get_mut(id) else { return };
        let (bytes, rest) = link.open(read);
        self.receive_bytes(id, allowance, bytes);
        if !rest.is_empty()
            && let Some(link) = self.edge.links.get_mut(id)
        {
            link.push(rest);
            self.receive(id, allowance);
        }
    }

    fn receive_bytes(&mut self, id: LinkId, allowance: Allowance, mut bytes: &[u8]) {
        let now = self.edge.clock.now();
        while !bytes.is_empty() {
            if !self.picture.is_watched()
                && let Some(link) = self.edge.links.get(id)
                && let Some(version) = link.reads_in_place()
            {
                let mut arrived = link.arrived(bytes);
                self.pass_plain(now, id, allowance, version, &mut arrived);
                bytes = arrived.rest();
            }
            if !bytes.is_empty() {
                let Some(link) = self.edge.links.get_mut(id) else { return };
                link.take_in(&mut bytes);
                self.receive(id, allowance);
            }
        }
    }

    /// Handles the packets that were taken in from a link; not all of them if they set so much in motion that others would
    /// wait.
    fn receive(&mut self, id: LinkId, allowance: Allowance) {
        let now = self.edge.clock.now();
        loop {
            let is_spent = self.edge.is_spent(allowance);
            let Some(link) = self.edge.links.get_mut(id) else { return };
            if is_spent {
                link.left_off = true;
                return;
            }
            if !self.picture.is_watched()
                && let Some((version, mut bytes)) = link.take_arrived()
            {
                let mut arrived = link.arrived(&bytes);
                self.pass_plain(now, id, allowance, version, &mut arrived);
                let rest = arrived.rest().len();
                bytes.advance(bytes.len() - rest);
                if !bytes.is_empty()
                    && let Some(link) = self.edge.links.get_mut(id)
                {
                    link.give_back(bytes);
                }
            }
            let Some(link) = self.edge.links.get_mut(id) else { return };
            match link.next(id) {
                Next::Input(input) => self.tell(now, input),
                Next::Bytes => {}
                Next::Nothing => return,
            }
        }
    }

    /// Tells the broker of the packets that can be read where they lie, up to the first other one.
    fn pass_plain(
        &mut self,
        now: Now,
        id: LinkId,
        allowance: Allowance,
        version: Version,
        arrived: &mut Arrived<'_>,
    ) {
        let edge = &mut self.edge;
        while let Some(packet) = arrived.next_plain(version) {
            self.broker.handle_plain(now, id, &packet, edge);
            if edge.is_spent(allowance) || edge.links.get(id).is_none_or(|link| link.must_rest()) {
                break;
            }
        }
    }

    /// Tells the broker, and does what it wants done.
    fn tell(&mut self, now: Now, input: Input) {
        if self.picture.is_watched() {
            self.tell_watched(now, input);
        } else {
            self.broker.handle(now, input, &mut self.edge);
        }
        for (link, verdict) in mem::take(&mut self.edge.verdicts) {
            self.tell(now, Input::PasswordChecked { link, verdict });
        }
    }

    /// The picture sees cause and effects before anything is done.
    fn tell_watched(&mut self, now: Now, input: Input) {
        let mut effects = Vec::new();
        let cause = Cause::of(now, &input, &self.broker);
        self.broker.handle(now, input, &mut effects);
        let Edge { links, locals, .. } = &self.edge;
        self.picture.observe(&Scene { broker: &self.broker, links, locals, now }, cause, &effects);
        for effect in effects {
            self.edge.push(effect);
        }
    }

    /// Tells the broker which links drained. What that sets in motion is written next time.
    fn tell_of_drained(&mut self) {
        for link in mem::take(&mut self.edge.drained) {
            let now = self.edge.clock.now();
            self.tell(now, Input::Drained { link });
        }
        self.set_timer();
    }

    /// Something is due.
    fn tick(&mut self, now: Now) {
        let traffic = mem::take(&mut self.edge.traffic);
        self.tell(now, Input::Traffic(traffic));
        self.tell(now, Input::Tick);
        if self.spare_since + limits::SPARE_FOR <= now.instant {
            self.spare_since = now.instant;
            self.edge.spare.let_go();
        }
        self.edge.end_stalled(now.instant);
        self.end_late_goodbyes(now.instant);
        if self.tidy.is_time(now.instant, self.edge.bytes()) {
            heap::give_back();
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        [self.broker.next_deadline(), self.edge.stall_check, self.edge.endings.next(), self.tidy.due()]
            .into_iter()
            .flatten()
            .min()
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
        let Some(link) = self.edge.links.remove(id) else { return };
        let (peer, dropped) = (link.peer, link.dropped);
        let over = link.over.map_or(Over::ByPeer, |over| *over);
        let reason = over.reason();
        match (&link.client, &over) {
            (Some(client), _) => info!(%peer, ?client, reason, dropped, "disconnected"),
            (None, Over::Asked(CloseReason::Refused(_))) => info!(%peer, reason, "not connected"),
            // Port scans and health checks look like this.
            (None, _) => debug!(%peer, reason, "not connected"),
        }
        self.forget_goodbyes();
        self.tidy.note(self.edge.clock.instant(), self.edge.bytes());
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
