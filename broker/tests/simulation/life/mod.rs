//! The lives: clients that do what clients do, well-behaved in what they say and unlucky in what becomes of it.
//!
//! Each keeps its own books as MQTT wants them kept: what it sent and is not acknowledged, what it got at QoS 2 and was not
//! released, and which topic an alias stands for. What a client says lies in its uplink until a later step takes it to
//! the broker, and what the broker says lies on the wire until the client reads it; a cut loses both.

mod person;

use crate::{
    dice::Dice,
    driver::{Client, World, packets::*},
    judge::{Figures, Judge},
};
use luxwire_broker::{Config, Limits};
use luxwire_shared::mqtt::{
    Packet, Publish, PublishTopic, QoS, RetainHandling, SubscriptionId, TopicAlias, Version,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    mem,
    num::NonZeroU16,
    time::Duration,
};

const CLIENTS: usize = 12;

const TOPICS: [&str; 7] = ["t/a", "t/b", "t/c/d", "t/c/e", "s/a", "s/b", "s/a/x"];

/// A subscription identifier is the place in this list, so that a 5.0 client sees by which a message came.
const FILTERS: [&str; 11] = [
    "t/a",
    "t/b",
    "t/+",
    "t/#",
    "w/#",
    "t/c/+",
    // Only for 5.0: a client without identifiers could not tell which copy came by its group.
    "+/a",
    "#",
    "$share/g/s/#",
    "$share/h/s/+",
    "$share/g/t/c/#",
];
const FILTERS_BEFORE_5: usize = 6;

const QUALITIES: [QoS; 6] = [Q0, Q1, Q1, Q2, Q2, Q2];

/// What a client that is told nothing may send at once.
const IN_FLIGHT: usize = 20;

/// One broker and its clients.
pub(crate) struct Life {
    dice: Dice,
    world: World,
    judge: Judge,
    clients: Vec<Person>,
    /// Connections of which one side does not know that they are gone.
    half_open: Vec<Client>,
    published: u64,
    aloud: bool,
}

/// One client, over all its connections.
struct Person {
    name: String,
    version: Version,
    packet_size: Option<u32>,
    link: Option<Client>,
    uplink: VecDeque<Packet>,
    /// It cannot know what the broker remembers, so that the next connection begins with a clean start.
    must_begin_anew: bool,
    unacknowledged: Vec<Sent>,
    unreleased: BTreeSet<u16>,
    /// Payloads that came at QoS 2, by which subscriptions.
    got: BTreeSet<(Vec<u8>, Vec<u32>)>,
    /// The broker's names for topics on this connection, and its own.
    names: BTreeMap<TopicAlias, String>,
    introduced: BTreeMap<u16, usize>,
    next_id: u16,
}

struct Sent {
    id: u16,
    publish: Publish,
    /// PUBREC came.
    received: bool,
}

impl Life {
    pub(crate) fn new(seed: u64, aloud: bool) -> Self {
        let mut dice = Dice::new(seed);
        let queue_max = dice.pick(&[1000, 1000, 1000, 12]);
        let limits = Limits {
            keep_alive_s: 0,
            session_expiry_s: 60,
            session_queue_messages: queue_max,
            in_flight_messages: NonZeroU16::new(dice.pick(&[4, 256])).expect("not 0"),
            topic_alias_maximum: 8,
            ..Limits::default()
        };
        let judge = Judge::new(queue_max, limits.session_expiry_s);
        let clients = (0..CLIENTS).map(|number| Person::new(number, &mut dice)).collect();
        let world = World::of(Config { limits, ..Config::default() });
        Self { dice, world, judge, clients, half_open: Vec::new(), published: 0, aloud }
    }

    /// Something happens.
    pub(crate) fn step(&mut self) {
        let who = self.dice.below(CLIENTS);
        self.notice_end(who);
        let connected = self.clients[who].link.is_some();
        match self.dice.below(100) {
            _ if !connected => {
                if self.dice.percent(25) {
                    self.connect(who);
                }
            }
            0..26 => self.publish(who),
            26..32 => self.subscribe(who),
            32..34 => self.unsubscribe(who),
            34..62 => self.arrive(who),
            62..88 => self.read(who),
            88..90 => self.cut(who),
            90 => self.half_open(who),
            91 => self.connect(who),
            92 => self.leave(who),
            93 => self.notice_half_open(),
            94..96 => self.world.holds_output = !self.world.holds_output,
            96 => {
                self.tell("the output is written");
                self.world.drain_once();
            }
            97 => {
                let millis = self.dice.pick(&[1, 400, 1000, 1500, 3000, 7000, 7000, 40_000, 70_000]);
                let noticed = self.dice.percent(70);
                self.tell(&format!("{millis} ms pass, noticed: {noticed}"));
                match noticed {
                    true => self.world.wait(Duration::from_millis(millis)),
                    false => self.world.wait_unnoticed(Duration::from_millis(millis)),
                }
            }
            _ => {
                let millis = self.dice.below(300) as u64;
                self.world.wait(Duration::from_millis(millis));
            }
        }
        self.judge();
    }

    /// The network heals, everybody comes back, reads and acknowledges everything.
    pub(crate) fn settle(mut self) -> Figures {
        self.tell("all is well again");
        self.world.holds_output = false;
        self.world.drain();
        while !self.half_open.is_empty() {
            self.notice_half_open();
        }
        for who in 0..CLIENTS {
            self.notice_end(who);
            if self.clients[who].link.is_none() {
                self.come(who, false, false);
            }
        }
        let mut goes_on = true;
        while mem::take(&mut goes_on) {
            for who in 0..CLIENTS {
                while let Some(packet) = self.clients[who].uplink.pop_front() {
                    self.send(who, packet);
                    goes_on = true;
                }
                while self.read_one(who) {
                    goes_on = true;
                }
            }
            self.judge();
        }
        for person in &self.clients {
            let waits: Vec<_> = person.unacknowledged.iter().map(|sent| sent.id).collect();
            assert!(waits.is_empty(), "{} was never answered: {waits:?}", person.name);
        }
        self.judge.settled(self.world.now().instant);
        let statistics = self.world.broker.statistics();
        assert_eq!((statistics.in_flight_messages, statistics.in_flight_bytes), (0, 0));
        assert_eq!((statistics.queued_messages, statistics.queued_bytes), (0, 0));
        self.judge.figures
    }

    fn judge(&mut self) {
        let inputs = mem::take(&mut self.world.inputs);
        let effects = mem::take(&mut self.world.effects);
        for ((now, input), effects) in inputs.iter().zip(&effects) {
            if self.aloud {
                println!("{} {input:?}", now.instant.as_micros() / 1000);
                effects.iter().for_each(|effect| println!("    {effect:?}"));
            }
            self.judge.watch(*now, input, effects);
        }
        drop(self.world.reports());
    }

    fn tell(&self, what: &str) {
        if self.aloud {
            println!("{} {what}", self.world.now().instant.as_micros() / 1000);
        }
    }

    fn publish(&mut self, who: usize) {
        let Self { dice, clients, published, .. } = self;
        let person = &mut clients[who];
        let at = dice.below(TOPICS.len());
        let qos = dice.pick(&QUALITIES);
        if qos != Q0 && person.unacknowledged.len() == IN_FLIGHT {
            return;
        }
        *published += 1;
        let id = person.unused_id();
        let retain = dice.percent(12);
        let pad = if dice.percent(10) { "x".repeat(80) } else { String::new() };
        let payload = if retain && dice.percent(15) {
            String::new()
        } else {
            format!("{}|{}|{published}|{pad}", TOPICS[at], person.name)
        };
        let mut publish = publish_with_id(TOPICS[at], &payload, qos, id);
        publish.retain = retain;
        let is_v5 = person.version == Version::V5;
        if is_v5 && dice.percent(20) {
            publish = expiring_s(publish, dice.pick(&[0, 1, 2, 5, 30]));
        }
        if qos != Q0 {
            person.unacknowledged.push(Sent { id, publish: publish.clone(), received: false });
        }
        if is_v5 && dice.percent(40) {
            // Fewer numbers than topics, so that a number comes to stand for another topic.
            let number = dice.pick(&[1, 2, 8]);
            let alias = TopicAlias(NonZeroU16::new(number).expect("not 0"));
            publish.topic = match person.introduced.insert(number, at) == Some(at) {
                true => PublishTopic::Alias(alias),
                false => PublishTopic::NameAndAlias(topic(TOPICS[at]), alias),
            };
        }
        person.uplink.push_back(Packet::Publish(publish));
    }

    fn subscribe(&mut self, who: usize) {
        let Self { dice, clients, .. } = self;
        let person = &mut clients[who];
        let at = person.filter(who, dice);
        let mut wanted = filter(FILTERS[at], dice.pick(&QUALITIES));
        let is_v5 = person.version == Version::V5;
        if is_v5 {
            wanted.no_local = wanted.filter.share.is_none() && dice.percent(20);
            wanted.retain_as_published = dice.percent(40);
            wanted.retain_handling =
                dice.pick(&[RetainHandling::Send, RetainHandling::SendIfNew, RetainHandling::DoNotSend]);
        }
        if wanted.filter.share.is_some() && !dice.percent(5) {
            wanted.qos = wanted.qos.max(Q1);
        }
        let mut filters = vec![wanted];
        // The same filter again in the same packet, which replaces it and sends what is retained once more.
        while filters[0].filter.share.is_none() && filters.len() < 4 && dice.percent(10) {
            filters.push(filter(FILTERS[at], dice.pick(&QUALITIES)));
        }
        let Packet::Subscribe(mut subscribe) = subscribe_to(filters) else { return };
        subscribe.subscription_id = is_v5.then(|| SubscriptionId::new(at as u32 + 1).expect("not 0"));
        person.uplink.push_back(Packet::Subscribe(subscribe));
    }

    fn unsubscribe(&mut self, who: usize) {
        let Self { dice, clients, .. } = self;
        let at = clients[who].filter(who, dice);
        clients[who].uplink.push_back(unsubscribe(&[FILTERS[at]]));
    }

    /// Some of what the client said gets to the broker.
    fn arrive(&mut self, who: usize) {
        for _ in 0..=self.dice.below(6) {
            let Some(packet) = self.clients[who].uplink.pop_front() else { return };
            self.send(who, packet);
        }
    }

    fn send(&mut self, who: usize, packet: Packet) {
        if let Some(link) = self.clients[who].link {
            // No two messages come at the same time, so that the judge can tell them apart.
            self.world.wait_unnoticed(Duration::from_micros(1));
            self.world.send(link, packet);
        }
    }

    /// The client reads some of what came.
    fn read(&mut self, who: usize) {
        for _ in 0..=self.dice.below(8) {
            if !self.read_one(who) {
                return;
            }
        }
    }

    fn read_one(&mut self, who: usize) -> bool {
        let person = &mut self.clients[who];
        let Some(link) = person.link else { return false };
        let Some(packet) = self.world.next(link) else { return false };
        if self.aloud {
            println!("{} reads {packet:?}", person.name);
        }
        // A slow acknowledger is one whose uplink is slow: the answers must be in the order of what they answer.
        let answer = person.answer(packet);
        person.uplink.extend(answer);
        true
    }

    fn cut(&mut self, who: usize) {
        self.tell(&format!("{} is cut off", self.clients[who].name));
        if self.dice.percent(50) {
            self.arrive(who);
        }
        if self.dice.percent(50) {
            self.read(who);
        }
        self.break_off(who);
        if let Some(link) = self.clients[who].lose() {
            self.world.cut(link);
        }
    }

    /// What the client says next breaks off within a packet.
    fn break_off(&mut self, who: usize) {
        let share = self.dice.below(100) as f64 / 100.0;
        let person = &self.clients[who];
        if let Some((link, packet)) = person.link.zip(person.uplink.front())
            && !self.world.is_closed(link)
        {
            self.world.send_part(link, packet, share);
        }
    }

    /// The client has lost the connection and the broker does not know.
    fn half_open(&mut self, who: usize) {
        self.tell(&format!("{} is gone unnoticed", self.clients[who].name));
        self.break_off(who);
        self.half_open.extend(self.clients[who].lose());
    }

    fn notice_half_open(&mut self) {
        if !self.half_open.is_empty() {
            let at = self.dice.below(self.half_open.len());
            let link = self.half_open.swap_remove(at);
            self.tell(&format!("{link:?} turns out to be gone"));
            self.world.cut(link);
        }
    }

    /// A client sees that the broker closed its connection, perhaps before it has read everything.
    fn notice_end(&mut self, who: usize) {
        if self.clients[who].link.is_some_and(|link| self.world.is_closed(link)) {
            self.read(who);
            if let Some(link) = self.clients[who].lose() {
                self.world.cut(link);
            }
        }
    }

    fn leave(&mut self, who: usize) {
        let is_v5 = self.clients[who].version == Version::V5;
        let packet = match self.dice.below(3) {
            1 if is_v5 => disconnect(luxwire_shared::mqtt::ReasonCode::DisconnectWithWill),
            // A session that ends with its connection cannot be prolonged, so that the only change is this one.
            2 if is_v5 => disconnect_with_expiry_s(0),
            _ => disconnect(luxwire_shared::mqtt::ReasonCode::Success),
        };
        self.send(who, packet);
        if let Some(link) = self.clients[who].lose() {
            self.world.cut(link);
        }
    }

    /// A connection, be it that another one still stands.
    fn connect(&mut self, who: usize) {
        let clean = self.dice.percent(12);
        let unlucky = self.dice.percent(8);
        self.half_open.extend(self.clients[who].lose());
        self.come(who, clean, unlucky);
    }

    /// CONNECT; with bad luck the client never hears the answer.
    fn come(&mut self, who: usize, clean: bool, unlucky: bool) {
        let Self { dice, clients, world, .. } = self;
        let person = &mut clients[who];
        let clean = clean || person.must_begin_anew;
        let connect = person.connect(dice, clean);
        let (link, connack) = world.connect_full(connect);
        if clean {
            assert!(!connack.session_present);
        }
        if unlucky {
            person.must_begin_anew = !connack.session_present;
            world.cut(link);
        } else {
            person.begin(link, &connack);
        }
    }
}
