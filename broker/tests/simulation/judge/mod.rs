//! The judge: sees what the broker was told and what it did, and knows from plain lists what it had to do.
//!
//! It does not choose: whom a group's message goes to, and when a retained value is replayed, the broker decides, and the
//! judge checks that it was somebody who may have it, and once. Two things that fall due in one input may happen in
//! either order. The order in which the members of a group get messages is not judged, since a message whose member
//! vanished is handed on late.

mod effects;
mod inputs;

use bytes::Bytes;
use luxwire_broker::{Effect, Input, LinkId, Now};
use luxwire_shared::{
    mqtt::{Packet, Publish, PublishTopic, QoS},
    time::Instant,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::AddAssign,
    rc::Rc,
    time::Duration,
};

/// How much of what was judged.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) accepted: u64,
    pub(crate) delivered: u64,
    pub(crate) shared: u64,
    pub(crate) handed_on: u64,
    pub(crate) replayed: u64,
    pub(crate) repeated: u64,
    pub(crate) expired: u64,
    pub(crate) dropped: u64,
    pub(crate) wills: u64,
    pub(crate) sessions_resumed: u64,
    pub(crate) sessions_ended: u64,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        self.shared += other.shared;
        self.handed_on += other.handed_on;
        self.replayed += other.replayed;
        self.repeated += other.repeated;
        self.expired += other.expired;
        self.dropped += other.dropped;
        self.wills += other.wills;
        self.sessions_resumed += other.sessions_resumed;
        self.sessions_ended += other.sessions_ended;
    }
}

impl Figures {
    /// Everything that is judged happened.
    pub(crate) fn assert_alive(&self) {
        let Self { accepted, delivered, shared, handed_on, replayed, repeated, .. } = *self;
        let Self { expired, dropped, wills, sessions_resumed, sessions_ended, .. } = *self;
        let all = [accepted, delivered, shared, handed_on, replayed, repeated];
        let rest = [expired, dropped, wills, sessions_resumed, sessions_ended];
        assert!(all.iter().chain(&rest).all(|figure| *figure > 0), "{self:?}");
    }
}

/// What was published.
#[derive(Debug)]
struct Said {
    topic: String,
    payload: Bytes,
    qos: QoS,
    retain: bool,
    publisher: String,
    at: Instant,
    expiry_s: Option<u32>,
}

impl Said {
    fn has_expired(&self, now: Instant) -> bool {
        self.expiry_s.is_some_and(|seconds| self.at + Duration::from_secs(seconds.into()) <= now)
    }
}

#[derive(Clone, Copy, Debug)]
struct Subscription {
    qos: QoS,
    no_local: bool,
    retain_as_published: bool,
    id: Option<u32>,
}

/// A message that a session has coming.
#[derive(Debug)]
struct Expected {
    said: Rc<Said>,
    qos: QoS,
    retain: bool,
    ids: Vec<u32>,
    /// Not dropped, and not to be dropped.
    must: bool,
    /// In which input it was accepted.
    input: u64,
}

/// A retained message that a session has coming for a subscription.
#[derive(Debug)]
struct Replay {
    filter: String,
    said: Rc<Said>,
    qos: QoS,
    id: Option<u32>,
    must: bool,
}

/// Sent at QoS 1 or 2.
#[derive(Debug)]
struct Flight {
    id: u16,
    said: Rc<Said>,
    qos: QoS,
    /// PUBREC came.
    received: bool,
    /// On which link it, or its PUBREL, was sent last.
    link: LinkId,
    order: u64,
    group: Option<String>,
}

/// A message that one member of a group has coming.
#[derive(Debug)]
struct Shared {
    said: Rc<Said>,
    must: bool,
    was_sent: bool,
    input: u64,
}

#[derive(Debug, Default)]
struct Group {
    members: BTreeMap<String, Subscription>,
    /// Some member takes QoS 0, which is not kept for those who are away.
    any_at_most_once: bool,
    messages: Vec<Shared>,
}

#[derive(Debug)]
struct Will {
    topic: String,
    payload: Bytes,
    qos: QoS,
    retain: bool,
    expiry_s: Option<u32>,
    delay_s: u32,
    due_at: Option<Instant>,
}

#[derive(Debug)]
struct Connection {
    link: LinkId,
    keep_alive_s: u16,
    heard: Instant,
    has_packet_size: bool,
    aliases: BTreeMap<u16, String>,
    /// The order of the message that was last sent again.
    repeated: Option<u64>,
}

#[derive(Debug, Default)]
struct Session {
    connection: Option<Connection>,
    expiry_s: u32,
    ends_at: Option<Instant>,
    will: Option<Will>,
    subscriptions: BTreeMap<String, Subscription>,
    /// The groups it is or was in.
    groups: BTreeMap<String, Option<u32>>,
    expected: VecDeque<Expected>,
    replays: Vec<Replay>,
    flights: Vec<Flight>,
    unreleased: BTreeSet<u16>,
    /// Reports of drops of which it is not known which message they mean.
    drops: usize,
}

pub(crate) struct Judge {
    queue_max: usize,
    session_expiry_max_s: u32,
    links: BTreeMap<LinkId, String>,
    sessions: BTreeMap<String, Session>,
    retained: BTreeMap<String, Rc<Said>>,
    groups: BTreeMap<String, Group>,
    /// Sessions that ended in this input, until the broker says so as well.
    ended: Vec<String>,
    /// What sessions that ended leave of their drops: it may have been a group's message.
    drops: usize,
    /// This input is a PUBLISH.
    is_publish: bool,
    /// Whether the client that connects in this input finds its session.
    present: Option<bool>,
    input: u64,
    order: u64,
    pub(crate) figures: Figures,
}

impl Judge {
    pub(crate) fn new(queue_max: usize, session_expiry_max_s: u32) -> Self {
        Self {
            queue_max,
            session_expiry_max_s,
            links: BTreeMap::new(),
            sessions: BTreeMap::new(),
            retained: BTreeMap::new(),
            groups: BTreeMap::new(),
            ended: Vec::new(),
            drops: 0,
            is_publish: false,
            present: None,
            input: 0,
            order: 0,
            figures: Figures::default(),
        }
    }

    /// One input with everything that followed from it.
    pub(crate) fn watch(&mut self, now: Now, input: &Input, effects: &[Effect]) {
        let now = now.instant;
        self.input += 1;
        self.is_publish = matches!(input, Input::Packet { packet: Packet::Publish(_), .. });
        match input {
            Input::Packet { link, packet } => self.packet(now, *link, packet, effects),
            Input::Closed { link, .. } => {
                if let Some(name) = self.links.get(link).cloned() {
                    self.detach(now, &name);
                }
            }
            Input::Tick => {
                for name in self.sessions.keys().cloned().collect::<Vec<_>>() {
                    self.due(now, &name);
                }
            }
            _ => {}
        }
        effects.iter().for_each(|effect| self.effect(now, effect));
        assert!(self.ended.is_empty(), "sessions that did not end: {:?}", self.ended);
        assert_eq!(self.present.take(), None, "a client that was not let in");
    }
}

impl Session {
    fn take_flight(&mut self, is_wanted: impl Fn(&Flight) -> bool) -> Option<Flight> {
        let at = self.flights.iter().position(is_wanted)?;
        Some(self.flights.remove(at))
    }

    fn topic(&mut self, publish: &Publish) -> String {
        let aliases = &mut self.connection.as_mut().expect("connected").aliases;
        match &publish.topic {
            PublishTopic::Name(name) => name.to_string(),
            PublishTopic::Alias(alias) => aliases[&alias.0.get()].clone(),
            PublishTopic::NameAndAlias(name, alias) => {
                aliases.insert(alias.0.get(), name.to_string());
                name.to_string()
            }
        }
    }
}

impl Session {
    /// Nothing more is sent for this filter. Without identifiers nobody can tell by which of two filters a value came: it
    /// may have been by the one that is left.
    fn withdraw_replay(&mut self, filter: &str) {
        self.replays.retain(|replay| replay.filter != filter);
        let alike = |replay: &&mut Replay| replay.id.is_none() && matches(filter, &replay.said.topic);
        self.replays.iter_mut().filter(alike).for_each(|replay| replay.must = false);
    }
}

/// Section 4.7, for topics that do not begin with `$`.
fn matches(filter: &str, topic: &str) -> bool {
    let (first, rest) = match filter.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (filter, None),
    };
    if first == "#" {
        return true;
    }
    let (level, below) = match topic.split_once('/') {
        Some((level, below)) => (level, Some(below)),
        None => (topic, None),
    };
    (first == "+" || first == level)
        && match (rest, below) {
            (None, None) | (Some("#"), None) => true,
            (Some(rest), Some(below)) => matches(rest, below),
            _ => false,
        }
}
