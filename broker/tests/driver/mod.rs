//! A broker in virtual time with clients that tests can speak for: packets in, packets out.
//!
//! It checks on the way what must hold in every test: no effect names a closed link, and CONNACK comes first and once.

#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

pub mod packets;

use luxwire_broker::{
    Broker, Cause, CloseReason, Config, Delivered, Effect, Input, Limits, LinkId, Now, Report,
};
use luxwire_shared::{
    mqtt::{
        Acknowledge, Connack, Connect, DecodeError, Delivery, Disconnect, Packet, PacketId, Publish,
        PublishProperties, PublishTopic, QoS, ReasonCode, Suback, Version,
    },
    time::{Instant, Timestamp},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

/// A broker, its clock, and what it has sent to whom.
pub struct World {
    pub broker: Broker,
    now: Instant,
    links: u64,
    received: BTreeMap<LinkId, VecDeque<Packet>>,
    closed: BTreeMap<LinkId, CloseReason>,
    greeted: BTreeSet<LinkId>,
    awaits_drain: BTreeSet<LinkId>,
    reports: Vec<Report>,
}

/// One connection of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Client(pub LinkId);

/// The wall clock at the start: 2026-11-22T12:00:00Z.
pub const EPOCH_MS: u64 = 1_795_348_800_000;

impl World {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// A world whose broker has other limits.
    pub fn with(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        Self {
            broker: Broker::new(Config { limits, hash_seed: 7 }),
            now: Instant::START,
            links: 0,
            received: BTreeMap::new(),
            closed: BTreeMap::new(),
            greeted: BTreeSet::new(),
            awaits_drain: BTreeSet::new(),
            reports: Vec::new(),
        }
    }

    pub fn now(&self) -> Now {
        let millis = self.now.as_micros() / 1000;
        Now { instant: self.now, timestamp: Timestamp::from_unix_millis(EPOCH_MS + millis) }
    }

    /// Lets time pass, with a tick at every deadline on the way, as the edge does it.
    pub fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(deadline) = self.broker.next_deadline().filter(|at| *at <= end) {
            assert!(deadline >= self.now, "a deadline lies in the past");
            self.now = deadline;
            self.input(Input::Tick);
            assert!(self.broker.next_deadline() != Some(deadline), "a tick leaves its deadline behind");
        }
        self.now = end;
    }

    pub fn wait_s(&mut self, seconds: u64) {
        self.wait(Duration::from_secs(seconds));
    }

    /// Lets time pass without a tick, as when the edge is late.
    pub fn wait_unnoticed_s(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }

    /// A connection that has said nothing.
    pub fn open(&mut self) -> Client {
        self.links += 1;
        let link = LinkId(self.links);
        self.received.insert(link, VecDeque::new());
        self.input(Input::Open { link, nonce: u128::from(self.links) << 100 });
        Client(link)
    }

    /// Connects and expects to be accepted.
    pub fn connect(&mut self, connect: impl Into<Connect>) -> Client {
        self.connect_full(connect).0
    }

    /// The same, with what CONNACK said.
    pub fn connect_full(&mut self, connect: impl Into<Connect>) -> (Client, Connack) {
        let client = self.open();
        self.send(client, Packet::Connect(Box::new(connect.into())));
        let connack = self.expect_connack(client);
        assert_eq!(connack.reason, ReasonCode::Success);
        (client, connack)
    }

    /// Connects and expects to be refused and closed.
    pub fn refused(&mut self, connect: impl Into<Connect>) -> ReasonCode {
        let client = self.open();
        self.send(client, Packet::Connect(Box::new(connect.into())));
        let connack = self.expect_connack(client);
        assert!(connack.reason.is_failure());
        assert!(!connack.session_present); // [MQTT-3.2.2-6]
        self.expect_closed(client); // [MQTT-3.2.2-7]
        connack.reason
    }

    /// The client says this.
    pub fn send(&mut self, client: Client, packet: impl Into<Packet>) {
        self.input(Input::Packet { link: client.0, packet: packet.into() });
    }

    /// The client says something that is no packet.
    pub fn send_malformed(&mut self, client: Client, version: Option<Version>, error: DecodeError) {
        self.input(Input::Malformed { link: client.0, version, error });
    }

    /// The network fails.
    pub fn cut(&mut self, client: Client) {
        self.input(Input::Closed { link: client.0, cause: Cause::Failed });
        self.received.remove(&client.0);
    }

    /// The client says DISCONNECT with reason 0x00.
    pub fn leave(&mut self, client: Client) {
        self.send(client, Packet::Disconnect(Disconnect::because(ReasonCode::Success)));
        self.expect_closed(client);
    }

    pub fn input(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.broker.handle(self.now(), input, &mut effects);
        for effect in effects {
            self.happen(effect);
        }
        self.drain();
    }

    /// Everything that was sent is taken off the wire at once, unless a test holds the wire.
    fn drain(&mut self) {
        while let Some(link) = self.awaits_drain.pop_first() {
            let mut effects = Vec::new();
            self.broker.handle(self.now(), Input::Drained { link }, &mut effects);
            for effect in effects {
                self.happen(effect);
            }
        }
    }

    fn happen(&mut self, effect: Effect) {
        match effect {
            Effect::Send { link, packet } => self.arrive(link, packet),
            Effect::Deliver(delivered) => self.arrive(delivered.link, as_publish(delivered)),
            Effect::AwaitDrain { link } => {
                self.check_open(link);
                self.awaits_drain.insert(link);
            }
            Effect::Close { link, reason } => {
                self.check_open(link);
                self.closed.insert(link, reason);
                self.awaits_drain.remove(&link);
            }
            Effect::Report(report) => self.reports.push(report),
        }
    }

    fn arrive(&mut self, link: LinkId, packet: Packet) {
        self.check_open(link);
        let is_connack = matches!(packet, Packet::Connack(_));
        assert_eq!(is_connack, self.greeted.insert(link), "CONNACK comes first and once: {packet:?}"); // [MQTT-3.2.0-1] [MQTT-3.2.0-2]
        self.received.entry(link).or_default().push_back(packet);
    }

    fn check_open(&self, link: LinkId) {
        assert!(!self.closed.contains_key(&link), "an effect for {link:?}, which is closed");
        assert!(self.received.contains_key(&link), "an effect for {link:?}, which is gone");
    }

    /// The next packet for the client, or `None`.
    pub fn next(&mut self, client: Client) -> Option<Packet> {
        self.received.get_mut(&client.0)?.pop_front()
    }

    pub fn expect(&mut self, client: Client) -> Packet {
        self.next(client).expect("a packet for the client")
    }

    pub fn expect_connack(&mut self, client: Client) -> Connack {
        match self.expect(client) {
            Packet::Connack(connack) => *connack,
            other => panic!("expected CONNACK, got {other:?}"),
        }
    }

    pub fn expect_publish(&mut self, client: Client) -> Publish {
        match self.expect(client) {
            Packet::Publish(publish) => publish,
            other => panic!("expected PUBLISH, got {other:?}"),
        }
    }

    pub fn expect_suback(&mut self, client: Client) -> Suback {
        match self.expect(client) {
            Packet::Suback(suback) => suback,
            other => panic!("expected SUBACK, got {other:?}"),
        }
    }

    /// Nothing waits for the client.
    pub fn expect_nothing(&mut self, client: Client) {
        assert_eq!(self.next(client), None);
        assert!(!self.is_closed(client), "the link was closed: {:?}", self.closed[&client.0]);
    }

    /// The broker closed the link, after everything that was read.
    pub fn expect_closed(&mut self, client: Client) -> CloseReason {
        assert_eq!(self.next(client), None, "something came before the end");
        *self.closed.get(&client.0).expect("the link to be closed")
    }

    /// DISCONNECT with this reason, then the end. [MQTT-3.14.4-1] [MQTT-3.14.4-2]
    pub fn expect_disconnected(&mut self, client: Client, reason: ReasonCode) {
        assert_eq!(self.next(client), Some(Packet::Disconnect(Disconnect::because(reason))));
        self.expect_closed(client);
    }

    pub fn is_closed(&self, client: Client) -> bool {
        self.closed.contains_key(&client.0)
    }

    /// What was reported since the last look.
    pub fn reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }

    /// Subscribes to one filter and reads the answer; what was retained stays to be read.
    pub fn subscribe(&mut self, client: Client, filter: &str, qos: QoS) -> ReasonCode {
        self.send(client, packets::subscribe(filter, qos));
        self.expect_suback(client).reasons[0]
    }

    /// Publishes and goes through the whole handshake.
    pub fn publish(&mut self, client: Client, topic: &str, payload: &str, qos: QoS) -> ReasonCode {
        self.publish_packet(client, packets::publish(topic, payload, qos))
    }

    pub fn publish_retained(&mut self, client: Client, topic: &str, payload: &str, qos: QoS) -> ReasonCode {
        self.publish_packet(client, Publish { retain: true, ..packets::publish(topic, payload, qos) })
    }

    pub fn publish_packet(&mut self, client: Client, publish: Publish) -> ReasonCode {
        let delivery = publish.delivery;
        self.send(client, Packet::Publish(publish));
        match delivery {
            Delivery::AtMostOnce => ReasonCode::Success,
            Delivery::AtLeastOnce { id, .. } => self.take_answer(client, id, |packet| match packet {
                Packet::Puback(puback) => Some(puback),
                _ => None,
            }),
            Delivery::ExactlyOnce { id, .. } => {
                let reason = self.take_answer(client, id, |packet| match packet {
                    Packet::Pubrec(pubrec) => Some(pubrec),
                    _ => None,
                });
                if !reason.is_failure() {
                    self.send(client, Packet::Pubrel(Acknowledge::success(id)));
                    self.take_answer(client, id, |packet| match packet {
                        Packet::Pubcomp(pubcomp) => Some(pubcomp),
                        _ => None,
                    });
                }
                reason
            }
        }
    }

    /// Takes the answer out from between what else came.
    fn take_answer(
        &mut self,
        client: Client,
        id: PacketId,
        answer: impl Fn(&Packet) -> Option<&Acknowledge>,
    ) -> ReasonCode {
        let received = self.received.get_mut(&client.0).expect("the client to be there");
        let at = received.iter().position(|packet| answer(packet).is_some_and(|answer| answer.id == id));
        let packet = at.and_then(|at| received.remove(at)).expect("an answer");
        answer(&packet).expect("just matched").reason
    }

    /// Reads one message, acknowledges it to the end, and gives its topic and payload.
    pub fn take(&mut self, client: Client) -> (String, String) {
        let publish = self.expect_publish(client);
        self.acknowledge(client, &publish);
        read(&publish)
    }

    /// All messages that are there, acknowledged, in order.
    pub fn take_all(&mut self, client: Client) -> Vec<(String, String)> {
        let mut taken = Vec::new();
        while let Some(packet) = self.next(client) {
            let Packet::Publish(publish) = packet else { panic!("expected PUBLISH, got {packet:?}") };
            self.acknowledge(client, &publish);
            taken.push(read(&publish));
        }
        taken
    }

    pub fn acknowledge(&mut self, client: Client, publish: &Publish) {
        match publish.delivery {
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce { id, .. } => self.send(client, Packet::Puback(Acknowledge::success(id))),
            Delivery::ExactlyOnce { id, .. } => {
                self.send(client, Packet::Pubrec(Acknowledge::success(id)));
                self.take_answer(client, id, |packet| match packet {
                    Packet::Pubrel(pubrel) => Some(pubrel),
                    _ => None,
                });
                self.send(client, Packet::Pubcomp(Acknowledge::success(id)));
            }
        }
    }
}

/// What the edge would write for this delivery.
fn as_publish(delivered: Delivered) -> Packet {
    let message = delivered.message;
    let mut properties = message.properties.as_deref().cloned().unwrap_or_default();
    properties.message_expiry_interval_s = delivered.message_expiry_interval_s;
    properties.subscription_ids = delivered.subscription_ids;
    Packet::Publish(Publish {
        delivery: delivered.delivery,
        retain: delivered.retain,
        topic: PublishTopic::Name(message.topic.clone()),
        properties: (properties != PublishProperties::default()).then(|| Box::new(properties)),
        payload: message.payload.clone(),
    })
}

/// Topic and payload as text.
pub fn read(publish: &Publish) -> (String, String) {
    let PublishTopic::Name(topic) = &publish.topic else { panic!("a delivery with an alias") };
    (topic.to_string(), String::from_utf8(publish.payload.to_vec()).expect("text"))
}
