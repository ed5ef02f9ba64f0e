//! One client's books and answers.

use super::{FILTERS, FILTERS_BEFORE_5, Person, QUALITIES, Sent};
use crate::{
    dice::Dice,
    driver::{Client, packets::*},
};
use luxwire_shared::mqtt::{Connack, Connect, Delivery, Packet, Publish, PublishTopic, QoS, Version};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    num::{NonZeroU16, NonZeroU32},
};

impl Person {
    pub(super) fn new(number: usize, dice: &mut Dice) -> Self {
        Self {
            name: format!("c{number}"),
            version: if number % 4 == 3 { dice.pick(&[Version::V3_1, Version::V3_1_1]) } else { Version::V5 },
            packet_size: (number % 6 == 1).then_some(100),
            link: None,
            uplink: VecDeque::new(),
            must_begin_anew: false,
            unacknowledged: Vec::new(),
            unreleased: BTreeSet::new(),
            got: BTreeSet::new(),
            names: BTreeMap::new(),
            introduced: BTreeMap::new(),
            next_id: 0,
        }
    }

    pub(super) fn connect(&self, dice: &mut Dice, clean: bool) -> Connect {
        let is_v5 = self.version == Version::V5;
        let mut connect: Connect = version(self.version, &self.name).into();
        connect.clean_start = clean;
        connect.keep_alive_s = if dice.percent(15) { 5 } else { 0 };
        if dice.percent(40) {
            let topic = format!("w/{}", self.name);
            let mut will = will(&topic, &format!("{topic}|{}|will|{}", self.name, dice.below(1 << 30)));
            will.qos = dice.pick(&QUALITIES);
            will.retain = dice.percent(30);
            if is_v5 {
                will.properties.will_delay_interval_s = Some(dice.pick(&[0, 0, 2, 10, 100]));
                will.properties.message_expiry_interval_s = dice.percent(20).then_some(3);
            }
            connect.will = Some(Box::new(will));
        }
        if is_v5 {
            let properties = &mut connect.properties;
            properties.session_expiry_interval_s = Some(dice.pick(&[0, 5, 30, 30, 1000, 1000, u32::MAX]));
            properties.receive_maximum = NonZeroU16::new(dice.pick(&[1, 2, 5, 20, 1000]));
            properties.maximum_packet_size = self.packet_size.and_then(NonZeroU32::new);
            properties.topic_alias_maximum = Some(dice.pick(&[0, 1, 3, 10]));
        }
        connect
    }

    /// CONNACK came.
    pub(super) fn begin(&mut self, link: Client, connack: &Connack) {
        self.link = Some(link);
        self.must_begin_anew = false;
        if !connack.session_present {
            self.unacknowledged.clear();
            self.unreleased.clear();
            self.got.clear();
        }
        for sent in &self.unacknowledged {
            self.uplink.push_back(match sent.received {
                true => pubrel(sent.id),
                false => Packet::Publish(repeated(sent.publish.clone())),
            });
        }
    }

    /// The connection is gone, and what was on its way with it.
    pub(super) fn lose(&mut self) -> Option<Client> {
        self.uplink.clear();
        self.names.clear();
        self.introduced.clear();
        self.link.take()
    }

    pub(super) fn answer(&mut self, packet: Packet) -> Option<Packet> {
        match packet {
            Packet::Publish(publish) => self.receive(&publish),
            Packet::Pubrel(ack) => {
                self.unreleased.remove(&ack.id.number());
                Some(pubcomp(ack.id.number()))
            }
            Packet::Puback(ack) => {
                self.done(ack.id.number(), Q1);
                None
            }
            Packet::Pubrec(ack) => {
                let sent = self.unacknowledged.iter_mut().find(|sent| sent.id == ack.id.number());
                let sent = sent.expect("PUBREC for what was sent");
                sent.received = true;
                Some(pubrel(sent.id))
            }
            Packet::Pubcomp(ack) => {
                self.done(ack.id.number(), Q2);
                None
            }
            _ => None,
        }
    }

    pub(super) fn done(&mut self, id: u16, qos: QoS) {
        let is_it = |sent: &Sent| sent.id == id && sent.publish.qos() == qos && sent.received == (qos == Q2);
        let at = self.unacknowledged.iter().position(is_it).expect("an answer to what was sent");
        self.unacknowledged.remove(at);
    }

    pub(super) fn receive(&mut self, publish: &Publish) -> Option<Packet> {
        let topic = match &publish.topic {
            PublishTopic::Name(name) => name.to_string(),
            PublishTopic::Alias(alias) => self.names[alias].clone(),
            PublishTopic::NameAndAlias(name, alias) => {
                self.names.insert(*alias, name.to_string());
                name.to_string()
            }
        };
        // Each payload begins with the topic that it was published to.
        assert!(publish.payload.is_empty() || publish.payload.starts_with(format!("{topic}|").as_bytes()));
        match publish.delivery {
            Delivery::AtMostOnce => None,
            Delivery::AtLeastOnce { id, .. } => Some(puback(id.number())),
            Delivery::ExactlyOnce { id, dup } => {
                let is_first = self.unreleased.insert(id.number());
                assert!(is_first || dup, "{} gets another message under {id:?}", self.name);
                // A retained value may come once for each time that it was asked for.
                if is_first && !publish.retain && !publish.payload.is_empty() {
                    let properties = publish.properties.as_deref();
                    let ids = properties.map_or(&[][..], |properties| &properties.subscription_ids);
                    let ids = ids.iter().map(|id| id.number()).collect();
                    let is_new = self.got.insert((publish.payload.to_vec(), ids));
                    assert!(is_new, "{} gets {publish:?} twice", self.name);
                }
                Some(pubrec(id.number()))
            }
        }
    }

    /// One that nothing unacknowledged uses; small, so that they come again soon.
    pub(super) fn unused_id(&mut self) -> u16 {
        loop {
            self.next_id = self.next_id % 32 + 1;
            if self.unacknowledged.iter().all(|sent| sent.id != self.next_id) {
                return self.next_id;
            }
        }
    }

    pub(super) fn filter(&self, who: usize, dice: &mut Dice) -> usize {
        match self.version {
            Version::V5 => dice.below(FILTERS.len()),
            // One group each, for the same reason as with `#`.
            _ if dice.percent(25) => {
                FILTERS.iter().position(|filter| *filter == GROUPS[who / 4 % 2]).expect("there")
            }
            _ => dice.below(FILTERS_BEFORE_5),
        }
    }
}

const GROUPS: [&str; 2] = ["$share/g/s/#", "$share/h/s/+"];
