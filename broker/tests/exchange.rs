//! Messages through a network that fails at any moment: at QoS 2 each arrives once and in order, at QoS 1 at least once.
//!
//! The clients keep their own books, written for this test, so that broker and clients do not make the same mistake.

mod driver;

use driver::{Client, World, packets::*, read};
use luxwire_shared::mqtt::{Delivery, Packet, QoS};
use proptest::{collection, prelude::*};
use std::collections::{BTreeSet, VecDeque};

#[derive(Clone, Copy, Debug)]
enum Event {
    /// The publisher sends something new, or reads and answers one packet.
    Publish,
    PublisherReads,
    SubscriberReads,
    /// The connection fails; what is on its way to the client is lost.
    PublisherLost,
    SubscriberLost,
    /// The same, and the client's next packet is lost as well.
    PublisherCutOff,
    SubscriberCutOff,
    /// A new connection while the old one still stands.
    SubscriberTakesOver,
}

/// How far one of the publisher's messages has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Sent,
    Released,
}

struct Publisher {
    client: Client,
    sent: u32,
    in_flight: VecDeque<(u16, u32, Stage)>,
}

struct Subscriber {
    client: Client,
    receive_maximum: u16,
    /// Messages at QoS 2 that the broker has not released.
    unreleased: BTreeSet<u16>,
    /// What arrived at QoS 1 and at QoS 2.
    arrived: [Vec<u32>; 2],
}

/// Odd numbers are published at QoS 1, even ones at QoS 2.
fn qos_of(number: u32) -> QoS {
    if number % 2 == 1 { Q1 } else { Q2 }
}

impl Publisher {
    fn new(world: &mut World) -> Self {
        let client = world.connect(v5("publisher").resuming().expiry_s(1000));
        Self { client, sent: 0, in_flight: VecDeque::new() }
    }

    fn publish(&mut self, world: &mut World, lost: bool) {
        if self.in_flight.len() == 7 {
            return;
        }
        let number = self.sent;
        let id = (1..=8).find(|id| self.in_flight.iter().all(|(used, ..)| used != id)).expect("one of eight");
        self.sent += 1;
        self.in_flight.push_back((id, number, Stage::Sent));
        if !lost {
            world.send_publish(self.client, message(id, number));
        }
    }

    /// Reads one packet and answers it, unless the answer is lost.
    fn read(&mut self, world: &mut World, lost: bool) -> bool {
        let Some(packet) = world.next(self.client) else { return false };
        match packet {
            Packet::Puback(ack) => self.in_flight.retain(|(id, ..)| *id != ack.id.number()),
            Packet::Pubcomp(ack) => self.in_flight.retain(|(id, ..)| *id != ack.id.number()),
            Packet::Pubrec(ack) => {
                let number = ack.id.number();
                let entry = self.in_flight.iter_mut().find(|(id, ..)| *id == number).expect("in flight");
                entry.2 = Stage::Released;
                if !lost {
                    world.send(self.client, pubrel(number));
                }
            }
            other => panic!("not for a publisher: {other:?}"),
        }
        true
    }

    fn reconnect(&mut self, world: &mut World) {
        world.cut(self.client);
        self.client = world.connect(v5("publisher").resuming().expiry_s(1000));
        for (id, number, stage) in self.in_flight.clone() {
            match stage {
                Stage::Sent => world.send_publish(self.client, repeated(message(id, number))),
                Stage::Released => world.send(self.client, pubrel(id)),
            }
        }
    }
}

fn message(id: u16, number: u32) -> luxwire_shared::mqtt::Publish {
    publish_with_id("x", &number.to_string(), qos_of(number), id)
}

impl Subscriber {
    fn new(world: &mut World) -> Self {
        let client = world.connect(v5("subscriber").resuming().expiry_s(1000));
        world.subscribe(client, "x", Q2);
        Self { client, receive_maximum: 1, unreleased: BTreeSet::new(), arrived: Default::default() }
    }

    fn read(&mut self, world: &mut World, lost: bool) -> bool {
        let Some(packet) = world.next(self.client) else { return false };
        let answer = match packet {
            Packet::Publish(publish) => {
                let number = read(&publish).1.parse().expect("a number");
                match publish.delivery {
                    Delivery::AtMostOnce => panic!("published at QoS 1 or 2"),
                    Delivery::AtLeastOnce { id, .. } => {
                        self.arrived[0].push(number);
                        puback(id.number())
                    }
                    Delivery::ExactlyOnce { id, dup } => {
                        if self.unreleased.insert(id.number()) {
                            self.arrived[1].push(number);
                        } else {
                            assert!(dup, "the same identifier for another message");
                        }
                        pubrec(id.number())
                    }
                }
            }
            Packet::Pubrel(pubrel) => {
                self.unreleased.remove(&pubrel.id.number());
                pubcomp(pubrel.id.number())
            }
            other => panic!("not for a subscriber: {other:?}"),
        };
        if !lost {
            world.send(self.client, answer);
        }
        true
    }

    fn reconnect(&mut self, world: &mut World, cut: bool) {
        if cut {
            world.cut(self.client);
        }
        self.receive_maximum = self.receive_maximum % 6 + 1;
        let connecting = v5("subscriber").resuming().expiry_s(1000).receive_maximum(self.receive_maximum);
        let (client, connack) = world.connect_full(connecting);
        assert!(connack.session_present);
        self.client = client;
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        12 => Just(Event::Publish),
        12 => Just(Event::PublisherReads),
        20 => Just(Event::SubscriberReads),
        1 => Just(Event::PublisherLost),
        1 => Just(Event::SubscriberLost),
        1 => Just(Event::PublisherCutOff),
        1 => Just(Event::SubscriberCutOff),
        1 => Just(Event::SubscriberTakesOver),
    ];
    collection::vec(event, 1..300)
}

proptest! {
    #[test]
    fn every_message_arrives_as_its_quality_promises(events in events()) {
        let mut world = World::new();
        let mut subscriber = Subscriber::new(&mut world);
        let mut publisher = Publisher::new(&mut world);
        for event in events {
            match event {
                Event::Publish => publisher.publish(&mut world, false),
                Event::PublisherReads => drop(publisher.read(&mut world, false)),
                Event::SubscriberReads => drop(subscriber.read(&mut world, false)),
                Event::PublisherLost => publisher.reconnect(&mut world),
                Event::SubscriberLost => subscriber.reconnect(&mut world, true),
                Event::PublisherCutOff => {
                    if !publisher.read(&mut world, true) {
                        publisher.publish(&mut world, true);
                    }
                    publisher.reconnect(&mut world);
                }
                Event::SubscriberCutOff => {
                    subscriber.read(&mut world, true);
                    subscriber.reconnect(&mut world, true);
                }
                Event::SubscriberTakesOver => subscriber.reconnect(&mut world, false),
            }
        }
        // The network heals, and everything comes to its end.
        while publisher.read(&mut world, false) || subscriber.read(&mut world, false) {}
        prop_assert!(publisher.in_flight.is_empty());
        let published = |qos| (0..publisher.sent).filter(|number| qos_of(*number) == qos).collect::<Vec<_>>();
        // [MQTT-4.3.3-10] [MQTT-4.3.3-12] [MQTT-4.6.0-5]
        prop_assert_eq!(&subscriber.arrived[1], &published(Q2));
        // [MQTT-4.3.2-3] [MQTT-4.6.0-5] In order, but for repetitions.
        let mut seen = BTreeSet::new();
        let first: Vec<_> = subscriber.arrived[0].iter().copied().filter(|number| seen.insert(*number)).collect();
        prop_assert_eq!(first, published(Q1));
        let statistics = world.broker.statistics();
        prop_assert_eq!((statistics.in_flight_messages, statistics.in_flight_bytes), (0, 0));
        prop_assert_eq!((statistics.queued_messages, statistics.queued_bytes), (0, 0));
    }
}
