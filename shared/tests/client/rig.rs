//! A driver for one client, and the server's side of it as a script.

use bytes::{Bytes, BytesMut};
use luxwire_shared::{
    client::{Action, Client, ConnectionState, Event, Message, Options, PublishError, Token},
    mqtt::{
        Acknowledge, Connack, ConnackProperties, Connect, Framer, Packet, PacketId, Publish, QoS, ReasonCode,
        Subscribable, SubscribeFilter, Text, TopicName, Version,
    },
    time::Instant,
};
use std::time::Duration;

pub(crate) const VERSIONS: [Version; 3] = [Version::V3_1, Version::V3_1_1, Version::V5];

pub(crate) struct Rig {
    pub(crate) client: Client,
    pub(crate) now: Instant,
    pub(crate) opens: usize,
    pub(crate) closes: usize,
    version: Version,
    framer: Framer,
    sent: Vec<Packet>,
    events: Vec<Event>,
}

impl Rig {
    pub(crate) fn new(options: Options) -> Self {
        let now = Instant::from_millis(5_000);
        let mut rig = Self {
            version: options.version,
            client: Client::new(options, now),
            now,
            opens: 0,
            closes: 0,
            framer: Framer::new(u32::MAX),
            sent: Vec::new(),
            events: Vec::new(),
        };
        rig.drive();
        rig
    }

    /// Connected to a server that promises nothing special.
    pub(crate) fn online(options: Options) -> Self {
        Self::online_with(options, ConnackProperties::default())
    }

    pub(crate) fn online_with(options: Options, properties: ConnackProperties) -> Self {
        let mut rig = Self::new(options);
        rig.greet(false, properties);
        rig
    }

    /// Opens the transport that the client asked for and accepts its CONNECT, which is given back. The events of losing
    /// and making the connection are dealt with here.
    pub(crate) fn greet(&mut self, session_present: bool, properties: ConnackProperties) -> Connect {
        let connect = self.open();
        self.server(accept(session_present, properties));
        assert!(self.client.is_online());
        let (expected, rest): (Vec<Event>, Vec<Event>) = self
            .events()
            .into_iter()
            .partition(|event| matches!(event, Event::Lost { .. } | Event::Connected { .. }));
        let connected = expected.last();
        assert!(
            matches!(connected, Some(Event::Connected { session_present: present, .. }) if *present == session_present),
            "{connected:?}"
        );
        self.events = rest;
        connect
    }

    /// Opens the transport and gives the CONNECT.
    pub(crate) fn open(&mut self) -> Connect {
        assert_eq!(self.client.state(), ConnectionState::Connecting);
        self.framer = Framer::new(u32::MAX);
        self.client.transport_opened(self.now);
        self.drive();
        match self.sent().as_slice() {
            [Packet::Connect(connect)] => (**connect).clone(),
            other => panic!("a CONNECT was expected: {other:?}"),
        }
    }

    pub(crate) fn server(&mut self, packet: Packet) {
        self.server_bytes(encode(&packet, self.version));
    }

    pub(crate) fn server_bytes(&mut self, bytes: Bytes) {
        self.client.receive(bytes, self.now);
        self.drive();
    }

    pub(crate) fn cut(&mut self) {
        self.client.transport_closed(self.now);
        self.drive();
    }

    /// Cuts the connection and waits until the client wants another one.
    pub(crate) fn cut_and_wait(&mut self) {
        self.cut();
        let opens = self.opens;
        self.after(self.client.next_deadline().unwrap() - self.now);
        assert_eq!(self.opens, opens + 1);
    }

    pub(crate) fn after(&mut self, duration: Duration) {
        self.now = self.now + duration;
        self.client.tick(self.now);
        self.drive();
    }

    pub(crate) fn after_ms(&mut self, millis: u64) {
        self.after(Duration::from_millis(millis));
    }

    pub(crate) fn publish(&mut self, payload: &str, qos: QoS) -> Result<Option<Token>, PublishError> {
        let result = self.client.publish(message(payload, qos), self.now);
        self.drive();
        result
    }

    /// At QoS 1 or 2.
    pub(crate) fn token(&mut self, payload: &str, qos: QoS) -> Token {
        self.publish(payload, qos).unwrap().unwrap()
    }

    pub(crate) fn subscribe(&mut self, filters: &[&str]) -> Token {
        let filters = filters.iter().map(|filter| follow(filter));
        let token = self.client.subscribe(filters, self.now);
        self.drive();
        token
    }

    pub(crate) fn unsubscribe(&mut self, filters: &[&str]) -> Token {
        let filters = filters.iter().map(|filter| Subscribable::try_from(*filter).unwrap());
        let token = self.client.unsubscribe(filters, self.now);
        self.drive();
        token
    }

    /// What the client sent since this was last asked.
    pub(crate) fn sent(&mut self) -> Vec<Packet> {
        std::mem::take(&mut self.sent)
    }

    /// What the client sent, in short: `PUBLISH 1 "a" dup`.
    pub(crate) fn sent_briefly(&mut self) -> Vec<String> {
        self.sent().iter().map(brief).collect()
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The payloads that reached the application.
    pub(crate) fn received(&mut self) -> Vec<String> {
        let text = |event: Event| match event {
            Event::Message(message) => Some(String::from_utf8(message.payload.to_vec()).unwrap()),
            _ => None,
        };
        self.events().into_iter().filter_map(text).collect()
    }

    pub(crate) fn drive(&mut self) {
        while let Some(action) = self.client.poll_action() {
            match action {
                Action::Open => self.opens += 1,
                Action::Close => self.closes += 1,
                Action::Write(bytes) => {
                    self.framer.push(bytes);
                    while let Some(frame) = self.framer.next_frame().unwrap() {
                        self.sent.push(Packet::decode(frame, self.version).unwrap());
                    }
                }
            }
        }
        while let Some(event) = self.client.poll_event() {
            self.events.push(event);
        }
    }
}

pub(crate) fn options(version: Version) -> Options {
    Options::new(version, Text::from_static("desk"))
}

/// A client whose session outlives its connections.
pub(crate) fn persistent(version: Version) -> Options {
    Options { clean_start: false, session_expiry_s: 3_600, ..options(version) }
}

pub(crate) fn accept(session_present: bool, properties: ConnackProperties) -> Packet {
    Packet::Connack(Box::new(Connack { session_present, reason: ReasonCode::Success, properties }))
}

pub(crate) fn refuse(reason: ReasonCode) -> Packet {
    let properties = ConnackProperties::default();
    Packet::Connack(Box::new(Connack { session_present: false, reason, properties }))
}

pub(crate) fn encode(packet: &Packet, version: Version) -> Bytes {
    let mut bytes = BytesMut::new();
    packet.encode(version, &mut bytes).unwrap();
    bytes.freeze()
}

pub(crate) fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

pub(crate) fn ack(number: u16) -> Acknowledge {
    Acknowledge::success(id(number))
}

pub(crate) fn topic(name: &str) -> TopicName {
    TopicName::try_from(name).unwrap()
}

pub(crate) fn message(payload: &str, qos: QoS) -> Message {
    Message::new(topic("t"), payload.to_owned(), qos)
}

pub(crate) fn follow(filter: &str) -> SubscribeFilter {
    SubscribeFilter::new(Subscribable::try_from(filter).unwrap(), QoS::AtLeastOnce)
}

pub(crate) fn from_server(delivery: luxwire_shared::mqtt::Delivery, payload: &str) -> Packet {
    Packet::Publish(Publish { delivery, ..Publish::new(topic("t"), payload.to_owned()) })
}

pub(crate) fn brief(packet: &Packet) -> String {
    match packet {
        Packet::Publish(publish) => {
            let id = publish.delivery.packet_id().map_or(String::new(), |id| format!(" {}", id.number()));
            let dup = if publish.delivery.dup() { " dup" } else { "" };
            format!("PUBLISH{id} {:?}{dup}", String::from_utf8_lossy(&publish.payload))
        }
        Packet::Puback(ack) => format!("PUBACK {}{}", ack.id.number(), unless_success(ack.reason)),
        Packet::Pubrec(ack) => format!("PUBREC {}{}", ack.id.number(), unless_success(ack.reason)),
        Packet::Pubrel(ack) => format!("PUBREL {}{}", ack.id.number(), unless_success(ack.reason)),
        Packet::Pubcomp(ack) => format!("PUBCOMP {}{}", ack.id.number(), unless_success(ack.reason)),
        Packet::Subscribe(subscribe) => {
            let filters: Vec<String> =
                subscribe.filters.iter().map(|filter| filter.filter.to_string()).collect();
            format!("SUBSCRIBE {} {}", subscribe.id.number(), filters.join(" "))
        }
        Packet::Unsubscribe(unsubscribe) => {
            let filters: Vec<String> = unsubscribe.filters.iter().map(ToString::to_string).collect();
            format!("UNSUBSCRIBE {} {}", unsubscribe.id.number(), filters.join(" "))
        }
        Packet::Pingreq => "PINGREQ".into(),
        Packet::Disconnect(disconnect) => format!("DISCONNECT{}", unless_success(disconnect.reason)),
        other => format!("{other:?}"),
    }
}

fn unless_success(reason: ReasonCode) -> String {
    if reason == ReasonCode::Success { String::new() } else { format!(" {reason:?}") }
}
