//! Promises under a network that is cut at any byte: QoS 1 at least once, QoS 2 exactly once, in order, both ways.

use crate::rig::{encode, options, persistent, topic};
use bytes::{Bytes, BytesMut};
use luxwire_shared::{
    client::{Action, Client, ConnectionState, Event, Message, Options, Token},
    mqtt::{
        Acknowledge, Connack, ConnackProperties, Delivery, Framer, Packet, Publish, QoS, ReasonCode, Suback,
        Version,
        flow::{Incoming, Outgoing, Received, Stage},
    },
    time::Instant,
};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    num::NonZeroU16,
};

/// A server for one client, with a session that it keeps unless it is made to forget.
struct Server {
    version: Version,
    session: Option<Session>,
    /// The bytes of one connection: in either direction, what is underway.
    framer: Framer,
    greeted: bool,
    up: VecDeque<u8>,
    down: VecDeque<u8>,
    /// What the client published, as it came.
    heard: Vec<u32>,
    window: NonZeroU16,
}

struct Session {
    incoming: Incoming,
    outgoing: Outgoing<(QoS, u32)>,
    waiting: VecDeque<(QoS, u32)>,
}

impl Server {
    fn new(version: Version, window: NonZeroU16) -> Self {
        Self {
            version,
            session: None,
            framer: Framer::new(u32::MAX),
            greeted: false,
            up: VecDeque::new(),
            down: VecDeque::new(),
            heard: Vec::new(),
            window,
        }
    }

    fn cut(&mut self) {
        self.framer = Framer::new(u32::MAX);
        self.greeted = false;
        self.up.clear();
        self.down.clear();
    }

    fn send(&mut self, packet: &Packet) {
        self.down.extend(encode(packet, self.version));
    }

    fn publish(&mut self, qos: QoS, number: u32) {
        if let Some(session) = &mut self.session {
            session.waiting.push_back((qos, number));
            self.flush();
        }
    }

    fn flush(&mut self) {
        while self.greeted {
            let Some(session) = self.session.as_mut().filter(|session| session.outgoing.has_room()) else {
                return;
            };
            let Some((qos, number)) = session.waiting.pop_front() else { return };
            let id = session.outgoing.send(qos, (qos, number)).unwrap();
            self.send(&deliver(Delivery::first(qos, id), number));
        }
    }

    fn take(&mut self, len: usize) {
        let bytes: Bytes = self.up.drain(..len.min(self.up.len())).collect::<Vec<u8>>().into();
        self.framer.push(bytes);
        while let Some(frame) = self.framer.next_frame().unwrap() {
            let packet = Packet::decode(frame, self.version).unwrap();
            self.packet(packet);
            self.flush();
        }
    }

    fn packet(&mut self, packet: Packet) {
        match packet {
            Packet::Connect(connect) => {
                let session_present = self.session.is_some() && !connect.clean_start;
                if !session_present {
                    self.session = Some(Session {
                        incoming: Incoming::default(),
                        outgoing: Outgoing::new(NonZeroU16::new(3).unwrap()),
                        waiting: VecDeque::new(),
                    });
                }
                let properties =
                    ConnackProperties { receive_maximum: Some(self.window), ..Default::default() };
                let reason = ReasonCode::Success;
                self.send(&Packet::Connack(Box::new(Connack { session_present, reason, properties })));
                self.greeted = true;
                self.repeat();
            }
            Packet::Publish(publish) => self.hear(publish),
            Packet::Pubrel(release) => {
                let known = self.session.as_mut().unwrap().incoming.pubrel(release.id);
                let reason = if known { ReasonCode::Success } else { ReasonCode::PacketIdentifierNotFound };
                self.send(&Packet::Pubcomp(Acknowledge::because(release.id, reason)));
            }
            Packet::Puback(ack) => drop(self.session.as_mut().unwrap().outgoing.puback(ack.id)),
            Packet::Pubrec(ack) => {
                if let Received::Release(_) = self.session.as_mut().unwrap().outgoing.pubrec(ack.id, false) {
                    self.send(&Packet::Pubrel(Acknowledge::success(ack.id)));
                }
            }
            Packet::Pubcomp(ack) => {
                self.session.as_mut().unwrap().outgoing.pubcomp(ack.id);
            }
            Packet::Subscribe(subscribe) => {
                let reasons = vec![ReasonCode::GrantedQoS2; subscribe.filters.len()];
                self.send(&Packet::Suback(Suback { id: subscribe.id, properties: None, reasons }));
            }
            Packet::Pingreq => self.send(&Packet::Pingresp),
            Packet::Disconnect(disconnect) => panic!("the client complains: {disconnect:?}"),
            other => panic!("no client sends this: {other:?}"),
        }
    }

    fn hear(&mut self, publish: Publish) {
        let number = number(&publish.payload);
        let session = self.session.as_mut().unwrap();
        match publish.delivery {
            Delivery::AtMostOnce => self.heard.push(number),
            Delivery::AtLeastOnce { id, .. } => {
                self.heard.push(number);
                self.send(&Packet::Puback(Acknowledge::success(id)));
            }
            Delivery::ExactlyOnce { id, .. } => {
                if session.incoming.publish(id) {
                    self.heard.push(number);
                }
                // Before 5.0 the client is told nothing of a window.
                let room = if self.version == Version::V5 { self.window } else { NonZeroU16::MAX };
                assert!(session.incoming.len() <= usize::from(room.get()), "beyond the receive maximum");
                self.send(&Packet::Pubrec(Acknowledge::success(id)));
            }
        }
    }

    fn repeat(&mut self) {
        let again: Vec<Packet> = self
            .session
            .as_ref()
            .unwrap()
            .outgoing
            .unacknowledged()
            .map(|(id, stage)| match stage {
                Stage::AwaitsPuback((_, number)) => deliver(Delivery::AtLeastOnce { id, dup: true }, *number),
                Stage::AwaitsPubrec((_, number)) => deliver(Delivery::ExactlyOnce { id, dup: true }, *number),
                Stage::AwaitsPubcomp => Packet::Pubrel(Acknowledge::success(id)),
            })
            .collect();
        again.iter().for_each(|packet| self.send(packet));
    }
}

fn deliver(delivery: Delivery, number: u32) -> Packet {
    Packet::Publish(Publish { delivery, ..Publish::new(topic("t"), number.to_be_bytes().to_vec()) })
}

fn number(payload: &[u8]) -> u32 {
    u32::from_be_bytes(payload.try_into().unwrap())
}

/// The client, the server, and the network between them.
struct World {
    client: Client,
    server: Server,
    now: Instant,
    published: u32,
    qualities: Vec<QoS>,
    tokens: BTreeMap<Token, u32>,
    acknowledged: Vec<u32>,
    unsent: Vec<u32>,
    spoken: Vec<QoS>,
    received: Vec<u32>,
    connections: usize,
}

#[derive(Clone, Debug)]
enum Step {
    Publish(QoS),
    Speak(QoS),
    Up(usize),
    Down(usize),
    Cut,
    Forget,
    Wait(u64),
}

impl World {
    fn new(options: Options, window: u16) -> Self {
        let now = Instant::from_millis(1);
        let server = Server::new(options.version, NonZeroU16::new(window).unwrap());
        let mut client = Client::new(options, now);
        client.subscribe([crate::rig::follow("t")], now);
        let mut world = Self {
            client,
            server,
            now,
            published: 0,
            qualities: Vec::new(),
            tokens: BTreeMap::new(),
            acknowledged: Vec::new(),
            unsent: Vec::new(),
            spoken: Vec::new(),
            received: Vec::new(),
            connections: 0,
        };
        world.drive();
        world
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Publish(qos) => {
                let number = self.published;
                self.published += 1;
                self.qualities.push(*qos);
                let message = Message::new(topic("t"), number.to_be_bytes().to_vec(), *qos);
                let token = self.client.publish(message, self.now).unwrap().unwrap();
                self.tokens.insert(token, number);
            }
            // Before the first connection there is nobody to speak to.
            Step::Speak(_) if self.server.session.is_none() => {}
            Step::Speak(qos) => {
                let number = self.spoken.len() as u32;
                self.spoken.push(*qos);
                self.server.publish(*qos, number);
            }
            Step::Up(len) => self.server.take(*len),
            Step::Down(len) => {
                let len = (*len).min(self.server.down.len());
                let bytes: BytesMut = self.server.down.drain(..len).collect();
                self.client.receive(bytes.freeze(), self.now);
            }
            Step::Cut => {
                self.server.cut();
                self.client.transport_closed(self.now);
            }
            Step::Forget => {
                self.server.cut();
                self.server.session = None;
                self.client.transport_closed(self.now);
            }
            Step::Wait(millis) => {
                self.now = self.now + std::time::Duration::from_millis(*millis);
                self.client.tick(self.now);
            }
        }
        self.drive();
    }

    fn drive(&mut self) {
        loop {
            match self.client.poll_action() {
                Some(Action::Open) => {
                    self.server.cut();
                    self.connections += 1;
                    self.client.transport_opened(self.now);
                }
                Some(Action::Write(bytes)) => self.server.up.extend(bytes),
                Some(Action::Close) => self.server.cut(),
                None => break,
            }
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Message(message) => self.received.push(number(&message.payload)),
                Event::Acknowledged { token, reason } => {
                    assert!(!reason.is_failure(), "{reason:?}");
                    self.acknowledged.push(self.tokens.remove(&token).expect("answered once"));
                }
                Event::Unsent(token) => self.unsent.push(self.tokens.remove(&token).expect("answered once")),
                Event::Refused { reason, .. } => panic!("{reason:?}"),
                Event::Connected { .. }
                | Event::Lost { .. }
                | Event::Subscribed { .. }
                | Event::Unsubscribed { .. } => {}
            }
        }
    }

    /// No more cuts: everything comes to its end.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            if let ConnectionState::Waiting { until } = self.client.state() {
                self.now = until;
                self.client.tick(until);
                self.drive();
            }
            self.step(&Step::Up(usize::MAX));
            self.step(&Step::Down(usize::MAX));
            if self.server.up.is_empty() && self.server.down.is_empty() && self.client.is_online() {
                return;
            }
        }
        panic!("it does not come to an end");
    }

    fn heard_times(&self, number: u32) -> usize {
        self.server.heard.iter().filter(|heard| **heard == number).count()
    }

    fn received_times(&self, number: u32) -> usize {
        self.received.iter().filter(|received| **received == number).count()
    }
}

/// Repetitions may follow, but nothing comes for the first time after something newer did.
fn first_times_are_in_order(numbers: &[u32]) -> bool {
    let mut seen = BTreeSet::new();
    let first_times: Vec<u32> = numbers.iter().copied().filter(|number| seen.insert(*number)).collect();
    first_times.is_sorted()
}

fn qos() -> impl Strategy<Value = QoS> {
    prop::sample::select(vec![QoS::AtLeastOnce, QoS::ExactlyOnce])
}

fn step(forgetful: bool) -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => qos().prop_map(Step::Publish),
        4 => qos().prop_map(Step::Speak),
        8 => (0_usize..40).prop_map(Step::Up),
        8 => (0_usize..40).prop_map(Step::Down),
        3 => Just(if forgetful { Step::Forget } else { Step::Cut }),
        1 => Just(Step::Cut),
        4 => (0_u64..2_000).prop_map(Step::Wait),
    ]
}

fn steps(forgetful: bool) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(forgetful), 0..150)
}

proptest! {
    #[test]
    fn with_a_session_nothing_is_lost_and_qos_2_comes_once(
        version in prop::sample::select(vec![Version::V3_1_1, Version::V5]),
        window in 1_u16..5,
        seed: u64,
        steps in steps(false),
    ) {
        let mut world = World::new(Options { seed, ..persistent(version) }, window);
        steps.iter().for_each(|step| world.step(step));
        world.settle();

        prop_assert!(world.tokens.is_empty(), "unanswered: {:?}", world.tokens);
        prop_assert!(world.unsent.is_empty());
        prop_assert!(first_times_are_in_order(&world.server.heard), "{:?}", world.server.heard);
        prop_assert!(first_times_are_in_order(&world.received), "{:?}", world.received);
        for (number, qos) in world.qualities.iter().enumerate() {
            let times = world.heard_times(number as u32);
            match qos {
                QoS::ExactlyOnce => prop_assert_eq!(times, 1, "message {}", number),
                _ => prop_assert!(times >= 1, "message {} is lost", number),
            }
        }
        for (number, qos) in world.spoken.iter().enumerate() {
            let times = world.received_times(number as u32);
            match qos {
                QoS::ExactlyOnce => prop_assert_eq!(times, 1, "server's message {}", number),
                _ => prop_assert!(times >= 1, "server's message {} is lost", number),
            }
        }
    }

    #[test]
    fn with_a_forgetful_server_every_message_is_answered_for(
        version in prop::sample::select(vec![Version::V3_1_1, Version::V5]),
        with_session: bool,
        window in 1_u16..5,
        seed: u64,
        steps in steps(true),
    ) {
        let options = if with_session { persistent(version) } else { options(version) };
        let mut world = World::new(Options { seed, ..options }, window);
        steps.iter().for_each(|step| world.step(step));
        world.settle();

        prop_assert!(world.tokens.is_empty(), "unanswered: {:?}", world.tokens);
        prop_assert_eq!(world.acknowledged.len() + world.unsent.len(), world.qualities.len());
        for number in &world.acknowledged {
            prop_assert!(world.heard_times(*number) >= 1, "message {} is lost", number);
        }
        // A server that forgot, made another session and could not say so before the next cut speaks of that one as of
        // the client's: MQTT gives sessions no names, and QoS 2 may come twice then.
        for (number, qos) in world.qualities.iter().enumerate().filter(|_| !with_session) {
            let times = world.heard_times(number as u32);
            prop_assert!(*qos != QoS::ExactlyOnce || times <= 1, "message {} came {} times", number, times);
        }
        prop_assert!(first_times_are_in_order(&world.server.heard), "{:?}", world.server.heard);
    }
}

/// Every cut of one exchange at QoS 2 in both directions, byte by byte.
#[test]
fn one_message_each_way_survives_a_cut_at_every_byte() {
    for version in [Version::V3_1_1, Version::V5] {
        for up in 0..80 {
            for down in 0..60 {
                let mut world = World::new(persistent(version), 1);
                world.settle();
                world.step(&Step::Publish(QoS::ExactlyOnce));
                world.step(&Step::Speak(QoS::ExactlyOnce));
                for turn in 0..4 {
                    world.step(&Step::Up(up / 4 + usize::from(turn < up % 4)));
                    world.step(&Step::Down(down / 4 + usize::from(turn < down % 4)));
                }
                world.step(&Step::Cut);
                world.settle();
                assert_eq!((world.server.heard.as_slice(), world.received.as_slice()), (&[0][..], &[0][..]));
                assert_eq!(world.connections, 2);
            }
        }
    }
}
