//! A broker in virtual time with clients that tests can speak for: packets in, packets out.
//!
//! It checks on the way what must hold in every test: no effect names a closed link, and all that [`wire`] checks.

#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

pub mod packets;

mod wire;

use bytes::Bytes;
use luxwire_broker::{
    Broker, Cause, CloseReason, Config, Effect, Input, Limits, LinkId, Mechanism, Now, Report, Visitor,
};
use luxwire_shared::{
    mqtt::{
        Acknowledge, Connack, Connect, DecodeError, Delivery, Disconnect, Packet, PacketId, PacketType,
        Publish, PublishTopic, QoS, ReasonCode, Suback, Unsuback, Version,
    },
    time::{Instant, Timestamp},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};
use wire::Wire;

/// A broker, its clock, and what it has sent to whom.
pub struct World {
    pub broker: Broker,
    now: Instant,
    links: u64,
    wires: BTreeMap<LinkId, Wire>,
    awaits_drain: BTreeSet<LinkId>,
    /// Whether what was sent stays in the output until [`World::drain`].
    pub holds_output: bool,
    reports: Vec<Report>,
    /// Everything that the broker was told.
    pub inputs: Vec<(Now, Input)>,
    /// What followed from each of them.
    pub effects: Vec<Vec<Effect>>,
    /// For the next connections; otherwise each has its own.
    pub nonce: Option<u128>,
    /// Whose passwords the broker asked about.
    pub questions: Vec<(Client, String, Option<Bytes>)>,
    /// Who is behind the next connections.
    pub visitor: Visitor,
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

    /// A world whose broker has other limits. The default ones hold but for the keep alive, so that time alone ends
    /// nothing.
    pub fn with(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits { keep_alive_s: 0, ..Limits::default() };
        change(&mut limits);
        Self::of(Config { limits, ..Config::default() })
    }

    /// A world whose broker knows these mechanisms of extended authentication.
    pub fn with_mechanisms(mechanisms: Vec<Rc<dyn Mechanism>>) -> Self {
        let limits = Limits { keep_alive_s: 0, ..Limits::default() };
        Self::of(Config { limits, mechanisms, ..Config::default() })
    }

    /// A world with this broker.
    pub fn of(config: Config) -> Self {
        Self {
            broker: Broker::new(Config { hash_seed: 7, ..config }),
            now: Instant::START,
            links: 0,
            wires: BTreeMap::new(),
            awaits_drain: BTreeSet::new(),
            holds_output: false,
            reports: Vec::new(),
            inputs: Vec::new(),
            effects: Vec::new(),
            nonce: None,
            questions: Vec::new(),
            visitor: Visitor::Anybody,
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
            self.now = self.now.max(deadline);
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
        self.wait_unnoticed(Duration::from_secs(seconds));
    }

    pub fn wait_unnoticed(&mut self, duration: Duration) {
        self.now = self.now + duration;
    }

    /// A connection that has said nothing.
    pub fn open(&mut self) -> Client {
        self.links += 1;
        let link = LinkId(self.links);
        self.wires.insert(link, Wire::new());
        let nonce = self.nonce.unwrap_or(u128::from(self.links) << 100);
        let visitor = self.visitor.clone();
        self.input(Input::Open { link, visitor, nonce });
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

    /// The client says this, in bytes of its version.
    pub fn send(&mut self, client: Client, packet: impl Into<Packet>) {
        let link = client.0;
        let wire = self.wires.get_mut(&link).expect("the client to be there");
        let read = wire.send(&packet.into());
        self.arrive(link, read);
    }

    /// The client says these bytes, as far as they are one packet.
    pub fn send_bytes(&mut self, client: Client, bytes: Vec<u8>) {
        let read = self.wire(client).send_bytes(bytes.into());
        self.arrive(client.0, read);
    }

    /// The client says the beginning of this, and the rest never comes.
    pub fn send_part(&mut self, client: Client, packet: &Packet, share: f64) {
        self.wire(client).send_part(packet, share);
    }

    fn arrive(&mut self, link: LinkId, read: Result<Packet, DecodeError>) {
        let version = Some(self.wire(Client(link)).version);
        self.input(match read {
            Ok(packet) => Input::Packet { link, packet },
            Err(error) => Input::Malformed { link, version, error },
        });
    }

    /// The client says something that is no packet.
    pub fn send_malformed(&mut self, client: Client, version: Option<Version>, error: DecodeError) {
        if let Some(version) = version {
            self.wires.get_mut(&client.0).expect("the client to be there").version = version;
        }
        self.input(Input::Malformed { link: client.0, version, error });
    }

    /// The network fails.
    pub fn cut(&mut self, client: Client) {
        self.input(Input::Closed { link: client.0, cause: Cause::Failed });
        self.wires.remove(&client.0);
    }

    /// The client says DISCONNECT with reason 0x00.
    pub fn leave(&mut self, client: Client) {
        self.send(client, Packet::Disconnect(Disconnect::because(ReasonCode::Success)));
        self.expect_closed(client);
    }

    pub fn input(&mut self, input: Input) {
        self.handle(input);
        if !self.holds_output {
            self.drain();
        }
    }

    fn handle(&mut self, input: Input) {
        self.inputs.push((self.now(), input.clone()));
        let mut effects = Vec::new();
        self.broker.handle(self.now(), input, &mut effects);
        self.effects.push(effects.clone());
        effects.into_iter().for_each(|effect| self.happen(effect));
    }

    /// Everything that was sent is taken off the wire, again and again until nothing is left.
    pub fn drain(&mut self) {
        while self.drain_once() {}
    }

    /// The same for what was sent so far; says whether the broker waited for it.
    pub fn drain_once(&mut self) -> bool {
        let links = std::mem::take(&mut self.awaits_drain);
        for link in &links {
            self.handle(Input::Drained { link: *link });
        }
        !links.is_empty()
    }

    fn happen(&mut self, effect: Effect) {
        match effect {
            Effect::Send { link, packet } => self.open_wire(link).receive(&packet),
            Effect::Deliver(delivered) => self.open_wire(delivered.link).receive_delivery(&delivered),
            Effect::CheckPassword { link, user, password } => {
                self.open_wire(link);
                self.questions.push((Client(link), user.to_string(), password));
            }
            Effect::AwaitDrain { link } => {
                self.open_wire(link);
                self.awaits_drain.insert(link);
            }
            Effect::Close { link, reason } => {
                self.open_wire(link).closed = Some(reason);
                self.awaits_drain.remove(&link);
            }
            Effect::Report(report) => {
                if let Report::Connected { link, aliases, .. } = &report {
                    self.open_wire(*link).accepted(*aliases);
                }
                self.reports.push(report);
            }
        }
    }

    fn open_wire(&mut self, link: LinkId) -> &mut Wire {
        let wire =
            self.wires.get_mut(&link).unwrap_or_else(|| panic!("an effect for {link:?}, which is gone"));
        assert_eq!(wire.closed, None, "an effect for {link:?}, which is closed"); // [MQTT-3.14.4-1]
        wire
    }

    fn wire(&mut self, client: Client) -> &mut Wire {
        self.wires.get_mut(&client.0).expect("the client to be there")
    }

    /// The next packet for the client, or `None`.
    pub fn next(&mut self, client: Client) -> Option<Packet> {
        self.wire(client).next()
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

    pub fn expect_unsuback(&mut self, client: Client) -> Unsuback {
        match self.expect(client) {
            Packet::Unsuback(unsuback) => unsuback,
            other => panic!("expected UNSUBACK, got {other:?}"),
        }
    }

    /// The next packet is exactly this one.
    pub fn expect_packet(&mut self, client: Client, packet: impl Into<Packet>) {
        assert_eq!(self.expect(client), packet.into());
    }

    /// Nothing waits for the client, and it is still connected.
    pub fn expect_nothing(&mut self, client: Client) {
        assert_eq!(self.next(client), None);
        assert_eq!(self.wire(client).closed, None);
    }

    /// The broker closed the link, after everything that was read.
    pub fn expect_closed(&mut self, client: Client) -> CloseReason {
        assert_eq!(self.next(client), None, "something came before the end");
        self.wire(client).closed.expect("the link to be closed")
    }

    /// DISCONNECT with this reason, then the end. [MQTT-3.14.4-1] [MQTT-3.14.4-2]
    pub fn expect_disconnected(&mut self, client: Client, reason: ReasonCode) {
        self.expect_disconnect(client, reason);
        self.expect_closed(client);
    }

    /// DISCONNECT with this reason; gives its words.
    pub fn expect_disconnect(&mut self, client: Client, reason: ReasonCode) -> Option<String> {
        let Packet::Disconnect(disconnect) = self.expect(client) else { panic!("expected DISCONNECT") };
        assert_eq!(disconnect.reason, reason);
        let properties = disconnect.properties.map(|properties| *properties).unwrap_or_default();
        assert_eq!(properties.session_expiry_interval_s, None); // [MQTT-3.14.2-2]
        properties.reason_string.map(|words| words.to_string())
    }

    pub fn is_closed(&self, client: Client) -> bool {
        self.wires.get(&client.0).is_none_or(|wire| wire.closed.is_some())
    }

    /// Whether the connection is gone for both sides.
    pub fn is_gone(&self, client: Client) -> bool {
        !self.wires.contains_key(&client.0)
    }

    /// Whether CONNECT was accepted and the broker has not closed the link.
    pub fn is_connected(&self, client: Client) -> bool {
        self.wires.get(&client.0).is_some_and(|wire| wire.greeted && wire.closed.is_none())
    }

    pub fn version(&self, client: Client) -> Version {
        self.wires[&client.0].version
    }

    /// The network fails for everybody.
    pub fn cut_all(&mut self) {
        for link in self.wires.keys().copied().collect::<Vec<_>>() {
            self.cut(Client(link));
        }
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

    /// Sends a PUBLISH.
    pub fn send_publish(&mut self, client: Client, publish: Publish) {
        self.send(client, Packet::Publish(publish));
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
            Delivery::AtLeastOnce { id, .. } => self.take_answer(client, id, PacketType::Puback),
            Delivery::ExactlyOnce { id, .. } => {
                let reason = self.take_answer(client, id, PacketType::Pubrec);
                if !reason.is_failure() {
                    self.send(client, Packet::Pubrel(Acknowledge::success(id)));
                    self.take_answer(client, id, PacketType::Pubcomp);
                }
                reason
            }
        }
    }

    /// Takes the first packet that is wanted out from between what else came.
    pub fn take_packet(&mut self, client: Client, wanted: impl Fn(&Packet) -> bool) -> Option<Packet> {
        self.wire(client).take(wanted)
    }

    /// Takes the answer out from between what else came.
    fn take_answer(&mut self, client: Client, id: PacketId, packet_type: PacketType) -> ReasonCode {
        let answer = self.wire(client).take(|packet| packet.packet_type() == packet_type);
        let (Packet::Puback(answer)
        | Packet::Pubrec(answer)
        | Packet::Pubrel(answer)
        | Packet::Pubcomp(answer)) = answer.unwrap_or_else(|| panic!("expected {packet_type:?}"))
        else {
            panic!("{packet_type:?} acknowledges nothing");
        };
        assert_eq!(answer.id, id); // [MQTT-2.2.1-5]
        answer.reason
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
                self.take_answer(client, id, PacketType::Pubrel);
                self.send(client, Packet::Pubcomp(Acknowledge::success(id)));
            }
        }
    }
}

/// Topic and payload as text.
pub fn read(publish: &Publish) -> (String, String) {
    let PublishTopic::Name(topic) = &publish.topic else { panic!("a delivery with an alias") };
    (topic.to_string(), String::from_utf8(publish.payload.to_vec()).expect("text"))
}
