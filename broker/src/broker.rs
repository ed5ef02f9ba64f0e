//! The broker: what it holds, and who sees to which input.

use crate::{
    CloseReason, Effects, Input, Limits, LinkId, Mechanism, Message, Now, Permissions, Statistics,
    auth::Newcomer,
    deadlines::Deadlines,
    link::{Arrival, Link, Stage},
    retained::{Retained, Setting},
    session::{SessionKey, Sessions},
    spare::SpareMessages,
    subscriptions::{Subscription, Subscriptions},
    sys::{Sent, Sys},
    turn::Turn,
};
use alloc::{boxed::Box, collections::BTreeMap, rc::Rc, vec::Vec};
use core::time::Duration;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use luxwire_shared::{
    mqtt::{Acknowledge, AcknowledgeKind, Packet, Plain, ReasonCode, TopicFilter, TopicName},
    time::Instant,
};

/// What a broker is made with.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Every bound.
    pub limits: Limits,
    /// Fresh randomness, so that nobody can choose topics or client identifiers that meet in one place of a table. Two
    /// brokers with different seeds have the same effects.
    pub hash_seed: u64,
    /// The mechanisms of extended authentication; without any, a client that names one is refused.
    pub mechanisms: Vec<Rc<dyn Mechanism>>,
    /// Whether the edge is asked about each client that names a user in CONNECT; otherwise names mean nothing.
    pub passwords: bool,
    /// Who may read and write what; `None` permits everything to everybody.
    pub permissions: Option<Permissions>,
    /// How often the broker says in `$SYS` how it is; `None` for never.
    pub sys_interval: Option<Duration>,
}

/// See the crate's documentation.
#[derive(Debug)]
pub struct Broker {
    pub(crate) limits: Limits,
    pub(crate) links: HashMap<LinkId, Link, FixedState>,
    pub(crate) mechanisms: Vec<Rc<dyn Mechanism>>,
    pub(crate) passwords: bool,
    pub(crate) permissions: Option<Permissions>,
    /// Those among the links whose CONNECT was not accepted yet.
    pub(crate) arrivals: BTreeMap<LinkId, Arrival>,
    /// Those among the links whose CONNECT waits for AUTH, or for what the edge says of a password.
    pub(crate) newcomers: BTreeMap<LinkId, Box<Newcomer>>,
    pub(crate) sessions: Sessions,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) retained: Retained,
    pub(crate) deadlines: Deadlines,
    pub(crate) sys: Sys,
    /// Messages for which the broker took responsibility.
    pub(crate) accepted: u64,
    /// What a message that is being routed matches; kept for its capacity.
    pub(crate) matching_subscribers: Vec<(SessionKey, Subscription)>,
    pub(crate) spare_messages: SpareMessages,
    /// Whose packet came last, unless that link is gone.
    pub(crate) latest: Option<Latest>,
}

/// A link over which something came; there is nothing to be noted about it when more comes at the same time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Latest {
    link: LinkId,
    at: Instant,
    session: SessionKey,
}

impl Broker {
    /// A broker without links, sessions and messages.
    pub fn new(config: Config) -> Self {
        let Config { limits, hash_seed, mechanisms, passwords, permissions, sys_interval } = config;
        Self {
            links: HashMap::with_hasher(FixedState::with_seed(hash_seed)),
            mechanisms,
            passwords,
            permissions,
            arrivals: BTreeMap::new(),
            newcomers: BTreeMap::new(),
            sessions: Sessions::new(hash_seed),
            subscriptions: Subscriptions::new(hash_seed),
            retained: Retained::new(limits.retained_messages, limits.retained_bytes),
            deadlines: Deadlines::default(),
            sys: Sys::new(sys_interval),
            accepted: 0,
            spare_messages: SpareMessages::default(),
            latest: None,
            matching_subscribers: Vec::new(),
            limits,
        }
    }

    /// Takes one input in, and says to `effects` what follows from it. `now` never goes back.
    pub fn handle(&mut self, now: Now, input: Input, effects: &mut dyn Effects) {
        let turn = &mut Turn { now, effects, sent: Sent::default() };
        match input {
            Input::Open { link, visitor, nonce } => self.open(turn, link, visitor, nonce),
            Input::PasswordChecked { link, verdict } => self.password_checked(turn, link, verdict),
            Input::Packet { link, packet } => {
                if let Some(stage) = self.heard(now, link) {
                    self.packet(turn, link, stage, packet);
                }
            }
            Input::Malformed { link, version, error } => self.malformed(turn, link, version, error),
            Input::Closed { link, cause: _ } => self.closed(turn, link),
            Input::Drained { link } => self.drained(turn, link),
            Input::Traffic(traffic) => self.sys.counters += traffic,
            Input::Tick => self.tick(turn),
            Input::Stop => self.stop(turn),
        }
        self.sys.counters += turn.sent;
    }

    /// The same as [`Input::Packet`], for a packet that lies where it was read. Most messages are gone again when this
    /// returns, and then nothing of them was copied but into what is written.
    #[inline]
    pub fn handle_plain(&mut self, now: Now, link: LinkId, packet: &Plain<'_>, effects: &mut dyn Effects) {
        let turn = &mut Turn { now, effects, sent: Sent::default() };
        // Packets come many at once.
        let stage = match self.latest {
            Some(Latest { link: latest, at, session }) if latest == link && at == now.instant => {
                self.sys.counters.packets_received += 1;
                Some(Stage::Connected(session))
            }
            Some(_) | None => self.heard(now, link),
        };
        match (stage, packet) {
            (Some(Stage::Connected(key)), Plain::Publish(publish)) => self.publish(turn, key, publish),
            (Some(Stage::Connected(key)), &Plain::Acknowledge { kind, id }) => {
                let acknowledge = &Acknowledge::success(id);
                match kind {
                    AcknowledgeKind::Puback => self.puback(turn, key, acknowledge),
                    AcknowledgeKind::Pubrec => self.pubrec(turn, key, acknowledge),
                    AcknowledgeKind::Pubrel => self.pubrel(turn, key, acknowledge),
                    AcknowledgeKind::Pubcomp => self.pubcomp(turn, key, acknowledge),
                }
            }
            (Some(stage), packet) => self.packet(turn, link, stage, packet.detached()),
            (None, _) => {}
        }
        self.sys.counters += turn.sent;
    }

    /// When [`Input::Tick`] is wanted at the latest.
    pub fn next_deadline(&self) -> Option<Instant> {
        [self.deadlines.next(), self.retained.next_expiry(), self.sys.due_at].into_iter().flatten().min()
    }

    /// The retained messages whose topics match, ordered level by level: `a`, `a/b`, `a b`.
    pub fn retained<'a>(&'a self, filter: &'a TopicFilter) -> impl Iterator<Item = &'a Rc<Message>> {
        self.retained.matching(filter, None).map(|entry| &entry.message)
    }

    /// The retained message of one topic.
    pub fn retained_message(&self, topic: &TopicName) -> Option<&Rc<Message>> {
        self.retained.get(topic)
    }

    /// Every retained message, ordered in the same way. Whoever takes only the first few pays only for those.
    pub fn all_retained(&self) -> impl Iterator<Item = &Rc<Message>> {
        self.retained.iter().map(|entry| &entry.message)
    }

    /// Which setting of a value made the retained message of one topic what it is.
    pub fn retained_setting(&self, topic: &TopicName) -> Option<Setting> {
        self.retained.setting(topic)
    }

    /// How many messages the broker took from clients so far, wills included. One that is refused does not count, nor does
    /// one that comes a second time.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// How much of what there is.
    pub fn statistics(&self) -> Statistics {
        Statistics::of(self)
    }

    /// A packet came over this link; says how far the link has come. `None` if it was closed: whatever comes from there
    /// came too late. [MQTT-3.1.4-6]
    #[inline]
    fn heard(&mut self, now: Now, link: LinkId) -> Option<Stage> {
        let state = self.links.get_mut(&link)?;
        state.heard = now.instant;
        self.sys.counters.packets_received += 1;
        if let Stage::Connected(session) = state.stage {
            self.latest = Some(Latest { link, at: now.instant, session });
        }
        Some(state.stage)
    }

    #[inline]
    fn packet(&mut self, turn: &mut Turn<'_>, link: LinkId, stage: Stage, packet: Packet) {
        match stage {
            Stage::Connected(key) => self.packet_in_session(turn, key, packet),
            Stage::Authenticates => self.packet_before_connack(turn, link, packet),
            Stage::AwaitsConnect => self.first_packet(turn, link, packet),
        }
    }

    /// [MQTT-3.1.0-1] [MQTT-3.14.0-1]
    fn first_packet(&mut self, turn: &mut Turn<'_>, link: LinkId, packet: Packet) {
        let Packet::Connect(connect) = packet else {
            turn.close(link, CloseReason::ProtocolError);
            return self.forget_link(link);
        };
        let nonce = self.arrivals.get(&link).map_or(0, |arrival| arrival.nonce);
        self.connect(turn, link, nonce, *connect);
    }

    fn packet_in_session(&mut self, turn: &mut Turn<'_>, key: SessionKey, packet: Packet) {
        match packet {
            Packet::Publish(publish) => self.publish(turn, key, &publish.as_parts()),
            Packet::Puback(puback) => self.puback(turn, key, &puback),
            Packet::Pubrec(pubrec) => self.pubrec(turn, key, &pubrec),
            Packet::Pubrel(pubrel) => self.pubrel(turn, key, &pubrel),
            Packet::Pubcomp(pubcomp) => self.pubcomp(turn, key, &pubcomp),
            Packet::Subscribe(subscribe) => self.subscribe(turn, key, &subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(turn, key, &unsubscribe),
            Packet::Pingreq => self.pingreq(turn, key),
            Packet::Disconnect(disconnect) => self.disconnect(turn, key, &disconnect),
            Packet::Auth(auth) => self.auth(turn, key, &auth),
            // A second CONNECT, and what only servers send. [MQTT-3.1.0-2], 3.1.1: [MQTT-3.1.0-2]
            Packet::Connect(_)
            | Packet::Connack(_)
            | Packet::Suback(_)
            | Packet::Unsuback(_)
            | Packet::Pingresp => {
                let why = "a packet that must not come here or now";
                self.disconnect_client(turn, key, ReasonCode::ProtocolError, why, CloseReason::ProtocolError);
            }
        }
    }

    /// [MQTT-3.12.4-1]
    fn pingreq(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        if let Some(link) = self.sessions[key].link() {
            turn.send(link, Packet::Pingresp);
        }
    }
}
