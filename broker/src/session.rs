//! A session: what the broker knows of a client, for as long as it is connected and, if it asks, for a while after.
//!
//! ```text
//!              CONNECT                     link lost, expiry > 0
//!   nothing ─────────────► connected ──────────────────────────────► waiting
//!      ▲                     │   ▲              CONNECT, clean start 0  │ │
//!      │  link lost, expiry 0│   └───────────────────────────────────────┘ │
//!      └─────────────────────┴───────────── expired, or clean start 1 ◄────┘
//! ```

use crate::{
    ClientId, CloseReason, LinkId, MessageRef, Report, Rights,
    alias::IncomingAliases,
    auth::Authenticated,
    broker::Broker,
    deadlines::Deadline,
    queue::{Pending, Queue},
    replay::Replay,
    subscriptions::NodeId,
    turn::Turn,
    will::PendingWill,
};
use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    vec::Vec,
};
use core::{
    hash::BuildHasher,
    num::{NonZeroU16, NonZeroU32},
    ops::{Index, IndexMut},
    time::Duration,
};
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use luxwire_shared::{
    mqtt::{
        EncodeError, Subscribable, Text, Version,
        flow::{Incoming, Outgoing},
        set_at::Asked,
    },
    time::{Instant, Timestamp},
};

/// Names a session while it lives; the number of one that ended is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SessionKey(u32);

/// Section 4.1.
///
/// The fields are where they are written, so that what each message at QoS 1 looks at lies side by side: where many get a
/// message, most of the time goes into waiting for memory.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Session {
    /// What may come to it and from it; `None` for everything.
    pub(crate) rights: Option<Rc<Rights>>,
    /// `None` while the client is away.
    pub(crate) connection: Option<Connection>,
    /// The bytes of the messages in `outgoing`.
    pub(crate) in_flight_bytes: usize,
    /// Sent to the client and not acknowledged to the end.
    pub(crate) outgoing: Outgoing<Pending>,
    /// Waits for the client, or for room in the window.
    pub(crate) queue: Queue,
    /// Retained messages that subscriptions still have coming.
    pub(crate) replays: BTreeMap<NodeId, Replay>,
    pub(crate) client_id: ClientId,
    /// Whose it is; `None` if nobody signed in for it.
    pub(crate) user: Option<Box<Text>>,
    pub(crate) will: Option<Box<PendingWill>>,
    /// QoS 2 messages from the client, not yet released; `None` if there never was one.
    pub(crate) incoming: Option<Box<Incoming>>,
    /// Where the trie holds this session's subscriptions.
    pub(crate) subscriptions: BTreeSet<NodeId>,
    /// The same for those that it shares.
    pub(crate) shares: BTreeMap<Rc<Subscribable>, NodeId>,
    /// While the client is away: when the session ends, `None` for never.
    pub(crate) ends_at: Option<Instant>,
    /// The moment under which the calendar has this session.
    entered_at: Option<Instant>,
    /// Seconds for which it outlives the connection; `u32::MAX` for ever.
    pub(crate) expiry_s: u32,
}

/// What belongs to the connection that a session has at the moment.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) link: LinkId,
    pub(crate) version: Version,
    /// When CONNECT was accepted.
    pub(crate) since: Timestamp,
    /// The largest packet that the client takes.
    pub(crate) packet_size: Option<NonZeroU32>,
    /// What the client calls topics; goes with the connection. [MQTT-3.3.2-7]
    pub(crate) aliases: Option<Box<IncomingAliases>>,
    /// How many QoS 2 messages the client may have unreleased.
    pub(crate) receive_maximum: usize,
    /// The edge was asked to say when the output is drained; until then no further slice of retained messages is sent.
    pub(crate) awaits_drain: bool,
    /// How the client showed who it is; `None` if it was not asked to.
    pub(crate) authenticated: Option<Box<Authenticated>>,
    /// The client wants to be told in words what went wrong.
    pub(crate) wants_words: bool,
    /// With which messages the client wants to know when they came.
    pub(crate) tells_set_at: Option<Asked>,
}

/// How far a session is from taking a message, nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Readiness {
    /// It can be sent.
    AtOnce,
    /// So many others come first.
    Behind(usize),
    /// The client is away, and so many wait for it.
    Away(usize),
    /// It would be dropped.
    Never,
}

/// All sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    slots: Vec<Option<Session>>,
    /// For each slot: the link to which any message at QoS 0 can be written at once, as [`Session::takes_at_once`] found.
    /// Where many get a message most of the time goes into waiting for memory, and here is all that is needed of four
    /// sessions in one line of the cache. Whoever may change a session makes this be found again.
    at_once: Vec<Option<LinkId>>,
    free: Vec<u32>,
    /// Found by the client identifiers in the slots.
    by_client_id: HashTable<SessionKey>,
    hasher: FixedState,
}

impl Session {
    /// A session that begins with a connection.
    pub(crate) fn new(client_id: ClientId, window: NonZeroU16) -> Self {
        Self {
            client_id,
            user: None,
            rights: None,
            connection: None,
            expiry_s: 0,
            ends_at: None,
            will: None,
            outgoing: Outgoing::new(window),
            in_flight_bytes: 0,
            incoming: None,
            queue: Queue::default(),
            replays: BTreeMap::new(),
            subscriptions: BTreeSet::new(),
            shares: BTreeMap::new(),
            entered_at: None,
        }
    }

    pub(crate) fn link(&self) -> Option<LinkId> {
        self.connection.as_ref().map(|connection| connection.link)
    }

    /// The link to which a message at QoS 0 can be written without a further look at this session, whatever the message;
    /// `None` if there is none, or something else comes first, or what is written depends on the connection.
    fn takes_at_once(&self) -> Option<LinkId> {
        let connection = self.connection.as_ref()?;
        let says_all =
            connection.packet_size.is_none() && connection.tells_set_at.is_none() && self.rights.is_none();
        let is_next = self.queue.is_empty() && !self.outgoing.is_resending();
        (says_all && is_next).then_some(connection.link)
    }

    /// The next moment at which time alone changes something: the will is due, or the session ends.
    fn next_deadline(&self) -> Option<Instant> {
        let will_at = self.will.as_ref().and_then(|will| will.due_at);
        [will_at, self.ends_at].into_iter().flatten().min()
    }
}

impl Connection {
    /// When the message came, if the client wants to know.
    #[inline]
    pub(crate) fn set_at(&self, message: &MessageRef<'_>, retain: bool) -> Option<Timestamp> {
        let tells = match self.tells_set_at {
            None => false,
            Some(Asked::Retained) => retain,
            Some(Asked::Always) => true,
        };
        tells.then_some(message.published.timestamp)
    }

    /// Whether the client takes a packet of this length.
    pub(crate) fn takes(&self, len: Result<usize, EncodeError>) -> bool {
        takes(self.packet_size, len)
    }
}

impl Sessions {
    pub(crate) fn new(hash_seed: u64) -> Self {
        Self {
            slots: Vec::new(),
            at_once: Vec::new(),
            free: Vec::new(),
            by_client_id: HashTable::new(),
            hasher: FixedState::with_seed(hash_seed),
        }
    }

    /// The session of this client identifier. [MQTT-3.1.3-2]
    pub(crate) fn find(&self, client_id: &str) -> Option<SessionKey> {
        let hash = self.hasher.hash_one(client_id);
        self.by_client_id.find(hash, |key| *self[*key].client_id == *client_id).copied()
    }

    pub(crate) fn insert(&mut self, session: Session) -> SessionKey {
        let hash = self.hasher.hash_one(&*session.client_id);
        let key = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(session);
                SessionKey(slot)
            }
            None => {
                self.slots.push(Some(session));
                self.at_once.push(None);
                SessionKey(
                    u32::try_from(self.slots.len() - 1).expect("the limit on sessions is far below 2^32"),
                )
            }
        };
        let Self { slots, by_client_id, hasher, .. } = self;
        by_client_id.insert_unique(hash, key, |key| {
            let session = slots[key.0 as usize].as_ref().expect(LIVES);
            hasher.hash_one(&*session.client_id)
        });
        key
    }

    fn remove(&mut self, key: SessionKey) -> Session {
        self.at_once[key.0 as usize] = None;
        let session = self.slots[key.0 as usize].take().expect(LIVES);
        let hash = self.hasher.hash_one(&*session.client_id);
        if let Ok(entry) = self.by_client_id.find_entry(hash, |other| *other == key) {
            entry.remove();
        }
        self.free.push(key.0);
        session
    }

    /// Where a message at QoS 0 can be written at once, if that is known.
    #[inline]
    pub(crate) fn at_once(&self, key: SessionKey) -> Option<LinkId> {
        self.at_once[key.0 as usize]
    }

    /// Finds out where a message at QoS 0 can be written at once.
    pub(crate) fn find_at_once(&mut self, key: SessionKey) {
        self.at_once[key.0 as usize] = self[key].takes_at_once();
    }

    pub(crate) fn len(&self) -> usize {
        self.by_client_id.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Session> {
        self.slots.iter().flatten()
    }
}

const LIVES: &str =
    "links, subscriptions and deadlines of a session go with it, so whoever has its key finds it";

impl Index<SessionKey> for Sessions {
    type Output = Session;

    fn index(&self, key: SessionKey) -> &Session {
        self.slots[key.0 as usize].as_ref().expect(LIVES)
    }
}

impl IndexMut<SessionKey> for Sessions {
    fn index_mut(&mut self, key: SessionKey) -> &mut Session {
        self.at_once[key.0 as usize] = None;
        self.slots[key.0 as usize].as_mut().expect(LIVES)
    }
}

impl Broker {
    /// The session's connection is gone or as good as gone: its life without one begins, or it ends. Whether the will
    /// is still there has been decided by whoever calls.
    pub(crate) fn detach(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let now = turn.now.instant;
        let session = &mut self.sessions[key];
        let Some(connection) = session.connection.take() else { return };
        self.sys.client_disconnected();
        self.forget_link(connection.link);
        let session = &mut self.sessions[key];
        if session.expiry_s == 0 {
            return self.end_session(turn, key);
        }
        // [MQTT-4.1.0-1] [MQTT-3.1.2-23] The time runs from here, not from CONNECT.
        session.ends_at = (session.expiry_s != u32::MAX).then(|| now + seconds(session.expiry_s));
        if let Some(will) = &mut session.will {
            will.due_at = Some(now + seconds(will.delay_s));
        }
        self.member_left(turn, key);
        self.session_due(turn, key);
    }

    /// Does what is due for this session at this moment, and enters it in the calendar for the next.
    pub(crate) fn session_due(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let now = turn.now.instant;
        let session = &mut self.sessions[key];
        if session.ends_at.is_some_and(|at| at <= now) {
            self.sys.counters.sessions_expired += 1;
            return self.end_session(turn, key);
        }
        if session.will.as_ref().is_some_and(|will| will.due_at.is_some_and(|at| at <= now)) {
            self.publish_will(turn, key);
        }
        self.enter(key);
    }

    /// Brings the calendar up to date with the session.
    pub(crate) fn enter(&mut self, key: SessionKey) {
        let session = &mut self.sessions[key];
        let next = session.next_deadline();
        self.deadlines.move_to(Deadline::Session(key), session.entered_at, next);
        session.entered_at = next;
    }

    /// The session ends, and with it whatever its client left behind, except what it published. [MQTT-4.1.0-2]
    /// 3.1.1: [MQTT-3.1.2-7]
    pub(crate) fn end_session(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let session = &self.sessions[key];
        self.subscriptions.remove_all(key, &session.subscriptions, &session.shares);
        // A will whose delay is longer than the session's life is due at its end. [MQTT-3.1.2-8] [MQTT-3.1.3.2.2]
        self.publish_will(turn, key);
        let session = self.sessions.remove(key);
        self.deadlines.move_to(Deadline::Session(key), session.entered_at, None);
        turn.report(Report::SessionEnded { client_id: session.client_id.clone() });
        self.member_ended(turn, session);
    }

    /// Takes the link away from under a session, for a reason that the client is told if it can be.
    pub(crate) fn close_session_link(&mut self, turn: &mut Turn<'_>, key: SessionKey, reason: CloseReason) {
        if let Some(link) = self.sessions[key].link() {
            turn.close(link, reason);
        }
        self.detach(turn, key);
    }
}

/// Whether a client whose Maximum Packet Size this is takes a packet of this length. Packets that are always shorter
/// than CONNACK need not be asked about. [MQTT-3.1.2-24]
pub(crate) fn takes(packet_size: Option<NonZeroU32>, len: Result<usize, EncodeError>) -> bool {
    len.is_ok_and(|len| packet_size.is_none_or(|max| len <= max.get() as usize))
}

/// A time span that a packet gives in seconds.
pub(crate) fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}
