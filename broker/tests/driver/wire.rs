//! The wire of one client: every packet goes through the codec on its way, both ways, and what must hold for each packet
//! of the broker is checked as it passes.

use bytes::{Bytes, BytesMut};
use luxwire_broker::{AliasesAllowed, CloseReason, Delivered, OutgoingAliases};
use luxwire_shared::mqtt::{
    Connect, DecodeError, Delivery, Framer, Packet, PacketId, Publish, PublishTopic, TopicAlias, TopicName,
    Version,
};
use std::{
    collections::{BTreeMap, VecDeque},
    mem,
};

/// One connection, seen from the client.
pub struct Wire {
    /// Before CONNECT names one, the version in which a refusal is written.
    pub version: Version,
    packet_size: usize,
    receive_maximum: usize,
    alias_maximum: u16,
    aliases: Option<OutgoingAliases>,
    /// What the client was told to call topics.
    names: BTreeMap<TopicAlias, TopicName>,
    framer: Framer,
    arrived: VecDeque<Packet>,
    /// CONNECT was said.
    introduced: bool,
    pub greeted: bool,
    pub closed: Option<CloseReason>,
    /// QoS 1 and 2 messages that came and are not acknowledged to the end.
    unacknowledged: BTreeMap<PacketId, Awaited>,
}

/// What the broker waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Puback,
    Pubrec,
    Pubcomp,
}

impl Wire {
    pub fn new() -> Self {
        Self {
            version: Version::V3_1_1,
            packet_size: usize::MAX,
            receive_maximum: usize::from(u16::MAX),
            alias_maximum: 0,
            aliases: None,
            names: BTreeMap::new(),
            framer: Framer::new(u32::MAX),
            arrived: VecDeque::new(),
            introduced: false,
            greeted: false,
            closed: None,
            unacknowledged: BTreeMap::new(),
        }
    }

    /// What the broker sees of what the client says.
    pub fn send(&mut self, packet: &Packet) -> Result<Packet, DecodeError> {
        match packet {
            // A second one is a mistake, and nobody believes what it says.
            Packet::Connect(connect) if !mem::replace(&mut self.introduced, true) => self.introduce(connect),
            Packet::Puback(ack) => self.acknowledge(ack.id, Awaited::Puback, None),
            Packet::Pubrec(ack) if ack.reason.is_failure() => self.acknowledge(ack.id, Awaited::Pubrec, None),
            Packet::Pubrec(ack) => self.acknowledge(ack.id, Awaited::Pubrec, Some(Awaited::Pubcomp)),
            Packet::Pubcomp(ack) => self.acknowledge(ack.id, Awaited::Pubcomp, None),
            _ => {}
        }
        let mut bytes = BytesMut::new();
        packet.encode(self.version, &mut bytes).expect("a packet that this version has");
        self.send_bytes(bytes.freeze())
    }

    /// The same for the bytes of one packet.
    pub fn send_bytes(&mut self, bytes: Bytes) -> Result<Packet, DecodeError> {
        self.framer.push(bytes);
        let frame = self.framer.next_frame()?.expect("a whole packet");
        if let Some(version) = frame.connect_version().filter(|_| !self.greeted) {
            self.version = version;
        }
        Packet::decode(frame, self.version)
    }

    /// The same for bytes that break off within a packet, so that the broker sees nothing.
    pub fn send_part(&mut self, packet: &Packet, share: f64) {
        let mut bytes = BytesMut::new();
        packet.encode(self.version, &mut bytes).expect("a packet that this version has");
        bytes.truncate(((bytes.len() as f64 * share) as usize).min(bytes.len() - 1));
        self.framer.push(bytes.freeze());
        assert!(matches!(self.framer.next_frame(), Ok(None)), "a packet from a part of its bytes");
    }

    fn acknowledge(&mut self, id: PacketId, awaited: Awaited, next: Option<Awaited>) {
        if self.unacknowledged.get(&id) == Some(&awaited) {
            match next {
                Some(next) => self.unacknowledged.insert(id, next),
                None => self.unacknowledged.remove(&id),
            };
        }
    }

    fn introduce(&mut self, connect: &Connect) {
        self.version = connect.version;
        let properties = &connect.properties;
        self.packet_size = properties.maximum_packet_size.map_or(usize::MAX, |max| max.get() as usize);
        self.alias_maximum = properties.topic_alias_maximum.unwrap_or(0);
        self.receive_maximum =
            properties.receive_maximum.map_or(self.receive_maximum, |max| max.get().into());
    }

    /// CONNECT was accepted.
    pub fn accepted(&mut self, aliases: AliasesAllowed) {
        self.aliases = OutgoingAliases::new(aliases, 3);
    }

    /// The broker sends a packet other than PUBLISH.
    pub fn receive(&mut self, packet: &Packet) {
        assert!(!matches!(packet, Packet::Publish(_)), "PUBLISH goes out as a delivery");
        let mut bytes = BytesMut::new();
        packet.encode(self.version, &mut bytes).expect("a packet that this version has");
        self.arrive(bytes);
    }

    /// The broker sends a PUBLISH.
    pub fn receive_delivery(&mut self, delivered: &Delivered) {
        let mut bytes = BytesMut::new();
        let mut packet = delivered.packet();
        if let Some(aliases) = &mut self.aliases {
            packet = aliases.shorten(packet);
        }
        packet.encode(self.version, &mut bytes).expect("a PUBLISH that fits");
        self.arrive(bytes);
        let awaited = match delivered.delivery {
            Delivery::AtMostOnce => return,
            Delivery::AtLeastOnce { .. } => Awaited::Puback,
            Delivery::ExactlyOnce { .. } => Awaited::Pubrec,
        };
        let id = delivered.delivery.packet_id().expect("QoS 1 and 2 have one");
        // [MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1]
        assert_eq!(self.unacknowledged.insert(id, awaited), None, "identifier {id:?} is in use");
        // [MQTT-3.3.4-9] [MQTT-4.9.0-1] [MQTT-4.9.0-2]
        assert!(self.unacknowledged.len() <= self.receive_maximum, "the window is exceeded");
    }

    fn arrive(&mut self, bytes: BytesMut) {
        let bytes: Bytes = bytes.freeze();
        assert!(bytes.len() <= self.packet_size, "larger than the client takes"); // [MQTT-3.1.2-24]
        let mut framer = Framer::new(u32::MAX);
        framer.push(bytes);
        let frame = framer.next_frame().expect("well formed").expect("a whole packet");
        let packet = Packet::decode(frame, self.version).expect("what the codec writes, it reads");
        // [MQTT-3.2.0-1] [MQTT-3.2.0-2]
        let is_connack = matches!(packet, Packet::Connack(_));
        let comes_before = !self.greeted && matches!(packet, Packet::Auth(_));
        assert_eq!(is_connack, !self.greeted && !comes_before, "CONNACK comes first and once: {packet:?}");
        self.greeted |= is_connack;
        if let Packet::Publish(publish) = &packet {
            self.check_alias(publish);
        }
        self.arrived.push_back(packet);
    }

    /// [MQTT-3.1.2-26] [MQTT-3.1.2-27] [MQTT-3.3.2-11]
    fn check_alias(&mut self, publish: &Publish) {
        match &publish.topic {
            PublishTopic::Name(_) => {}
            PublishTopic::Alias(alias) => assert!(self.names.contains_key(alias), "{alias:?} means nothing"),
            PublishTopic::NameAndAlias(name, alias) => {
                assert!(alias.0.get() <= self.alias_maximum, "{alias:?} is above the client's maximum");
                self.names.insert(*alias, name.clone());
            }
        }
    }

    /// The topic's name, whatever it was called when it arrived last.
    pub fn name(&self, topic: &PublishTopic) -> TopicName {
        match topic {
            PublishTopic::Name(name) | PublishTopic::NameAndAlias(name, _) => name.clone(),
            PublishTopic::Alias(alias) => self.names[alias].clone(),
        }
    }

    pub fn next(&mut self) -> Option<Packet> {
        self.arrived.pop_front()
    }

    /// Takes the first packet that is wanted out from between others.
    pub fn take(&mut self, wanted: impl Fn(&Packet) -> bool) -> Option<Packet> {
        let at = self.arrived.iter().position(wanted)?;
        self.arrived.remove(at)
    }
}
