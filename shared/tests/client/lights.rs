//! The client and the model together, as a page joins them: hands on sliders, a broker that keeps values, and a network
//! that dies in between.

use crate::rig::{encode, options};
use bytes::Bytes;
use luxwire_shared::{
    client::{Action, Client, ConnectionState, Event, Message, Options, Token},
    model::{Home, Intensity, LightId, Ticket, topics},
    mqtt::{
        Acknowledge, Connack, ConnackProperties, Delivery, Framer, Packet, Publish, PublishTopic, QoS,
        ReasonCode, Suback, TopicName, Version,
    },
    time::{Instant, Timestamp},
};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// A page without pixels.
struct Page {
    version: Version,
    home: Home,
    client: Client,
    tickets: BTreeMap<Token, Ticket>,
    framer: Framer,
    following: bool,
    down: VecDeque<Bytes>,
}

/// A broker without sessions, which forgets everything but its values when it is killed.
struct House {
    now: Instant,
    pages: Vec<Page>,
    alive: bool,
    values: BTreeMap<TopicName, Bytes>,
    /// Every PUBLISH that arrived, as topic, payload and quality.
    heard: Vec<(String, String, QoS)>,
}

impl Page {
    fn new(version: Version, seed: u64, now: Instant) -> Self {
        let mut client = Client::new(Options { seed, ..options(version) }, now);
        client.subscribe(topics::every_light(), now);
        Self {
            version,
            home: Home::new(),
            client,
            tickets: BTreeMap::new(),
            framer: Framer::new(u32::MAX),
            following: false,
            down: VecDeque::new(),
        }
    }

    /// What joins the two; gives what the client wants sent.
    fn join(&mut self, now: Instant) {
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Connected { session_present, .. } => self.home.connected(session_present, now),
                Event::Lost { .. } | Event::Refused { .. } => self.home.disconnected(),
                Event::Subscribed { .. } => self.home.subscribed(now),
                Event::Message(message) => {
                    let set_at =
                        (!message.retain).then(|| Timestamp::from_unix_millis(now.as_micros() / 1_000));
                    self.home.message(&message.topic, &message.payload, set_at, now);
                }
                Event::Acknowledged { token, reason } => {
                    if let Some(ticket) = self.tickets.remove(&token) {
                        self.home.acknowledged(ticket, reason, now);
                    }
                }
                Event::Unsent(token) => {
                    if let Some(ticket) = self.tickets.remove(&token) {
                        self.home.unsent(ticket, now);
                    }
                }
                Event::Unsubscribed { .. } => {}
            }
        }
        while let Some(outgoing) = self.home.poll_outgoing() {
            let message = Message::retained(outgoing.topic, outgoing.payload, outgoing.qos);
            match (self.client.publish(message, now), outgoing.ticket) {
                (Ok(Some(token)), Some(ticket)) => drop(self.tickets.insert(token, ticket)),
                (Err(error), Some(ticket)) => self.home.acknowledged(ticket, error.reason(), now),
                (Ok(_) | Err(_), _) => {}
            }
        }
    }

    fn shown(&self) -> Vec<(String, u8)> {
        self.home.lights().into_iter().map(|light| (light.name, light.displayed.rounded())).collect()
    }
}

impl House {
    fn new(versions: &[Version]) -> Self {
        let now = Instant::from_millis(1_000);
        let pages = versions.iter().zip(1..).map(|(version, seed)| Page::new(*version, seed, now));
        let pages = pages.collect();
        let mut house = Self { now, pages, alive: true, values: BTreeMap::new(), heard: Vec::new() };
        house.run(100);
        house
    }

    /// Lets so many milliseconds pass, one by one.
    fn run(&mut self, millis: u64) {
        for _ in 0..millis {
            self.now = self.now + Duration::from_millis(1);
            for index in 0..self.pages.len() {
                self.turn(index);
            }
        }
    }

    fn turn(&mut self, index: usize) {
        let now = self.now;
        let page = &mut self.pages[index];
        page.client.tick(now);
        page.home.tick(now);
        while let Some(bytes) = page.down.pop_front() {
            page.client.receive(bytes, now);
        }
        page.join(now);
        while let Some(action) = self.pages[index].client.poll_action() {
            match action {
                Action::Open if self.alive => {
                    self.pages[index].framer = Framer::new(u32::MAX);
                    self.pages[index].client.transport_opened(now);
                }
                Action::Open => self.pages[index].client.transport_closed(now),
                Action::Write(bytes) => self.take(index, bytes),
                Action::Close => self.pages[index].following = false,
            }
            self.pages[index].join(now);
        }
    }

    fn take(&mut self, index: usize, bytes: Bytes) {
        self.pages[index].framer.push(bytes);
        while let Some(frame) = self.pages[index].framer.next_frame().unwrap() {
            let packet = Packet::decode(frame, self.pages[index].version).unwrap();
            self.packet(index, packet);
        }
    }

    fn packet(&mut self, index: usize, packet: Packet) {
        match packet {
            Packet::Connect(connect) => {
                assert!(connect.clean_start);
                let (reason, properties) = (ReasonCode::Success, ConnackProperties::default());
                self.send(
                    index,
                    &Packet::Connack(Box::new(Connack { session_present: false, reason, properties })),
                );
            }
            Packet::Subscribe(subscribe) => {
                let reasons = vec![ReasonCode::GrantedQoS1; subscribe.filters.len()];
                self.send(index, &Packet::Suback(Suback { id: subscribe.id, properties: None, reasons }));
                self.pages[index].following = true;
                for (topic, payload) in self.values.clone() {
                    self.send(
                        index,
                        &Packet::Publish(Publish { retain: true, ..Publish::new(topic, payload) }),
                    );
                }
            }
            Packet::Publish(publish) => self.publish(index, publish),
            Packet::Pingreq => self.send(index, &Packet::Pingresp),
            other => panic!("{other:?}"),
        }
    }

    fn publish(&mut self, index: usize, publish: Publish) {
        let PublishTopic::Name(topic) = publish.topic.clone() else { panic!("{publish:?}") };
        assert!(publish.retain);
        let text = String::from_utf8(publish.payload.to_vec()).unwrap();
        self.heard.push((topic.to_string(), text, publish.qos()));
        match publish.payload.is_empty() {
            true => drop(self.values.remove(&topic)),
            false => drop(self.values.insert(topic.clone(), publish.payload.clone())),
        }
        if let Delivery::AtLeastOnce { id, .. } = publish.delivery {
            self.send(index, &Packet::Puback(Acknowledge::success(id)));
        }
        for follower in 0..self.pages.len() {
            if self.pages[follower].following {
                self.send(follower, &Packet::Publish(Publish::new(topic.clone(), publish.payload.clone())));
            }
        }
    }

    fn send(&mut self, index: usize, packet: &Packet) {
        let page = &mut self.pages[index];
        let version =
            if format!("{:?}", page.client).contains("V3_1_1") { Version::V3_1_1 } else { Version::V5 };
        page.down.push_back(encode(packet, version));
    }

    fn kill(&mut self) {
        self.alive = false;
        for page in &mut self.pages {
            page.following = false;
            page.down.clear();
            page.client.transport_closed(self.now);
        }
    }

    fn act(&mut self, index: usize, action: impl FnOnce(&mut Home, Instant)) {
        action(&mut self.pages[index].home, self.now);
        self.turn(index);
    }

    fn finals(&self) -> Vec<&str> {
        let finals = self.heard.iter().filter(|(_, _, qos)| *qos == QoS::AtLeastOnce);
        finals.map(|(_, payload, _)| payload.as_str()).collect()
    }

    fn everybody_shows(&self, expected: &[(&str, u8)]) {
        for page in &self.pages {
            let shown = page.shown();
            let shown: Vec<(&str, u8)> =
                shown.iter().map(|(name, percent)| (name.as_str(), *percent)).collect();
            assert_eq!(shown, expected);
        }
    }
}

fn desk() -> LightId {
    LightId::try_from("desk").unwrap()
}

fn percent(percent: u8) -> Intensity {
    Intensity::from_percent(percent).unwrap()
}

#[test]
fn a_light_added_dragged_and_removed_on_one_page_is_so_on_every_page() {
    let mut house = House::new(&[Version::V5, Version::V3_1_1]);
    house.act(0, |home, now| home.add(desk(), percent(20), now).unwrap());
    house.run(5);
    house.everybody_shows(&[("Desk", 20)]);

    house.act(1, |home, _| home.press(&desk()));
    for step in 0..=100_u8 {
        house.act(1, |home, now| home.input(&desk(), percent(step.max(1)), now));
        house.run(10);
    }
    house.act(1, |home, now| home.release(&desk(), now));
    house.run(5);
    house.everybody_shows(&[("Desk", 100)]);
    assert!(house.heard.len() <= 1 + 12, "{} publishes", house.heard.len());
    assert_eq!(house.finals(), ["20", "100"]);

    house.act(0, |home, now| home.remove(&desk(), now));
    house.run(5);
    house.everybody_shows(&[]);
    assert!(house.values.is_empty());
}

#[test]
fn a_late_page_sees_what_is() {
    let mut house = House::new(&[Version::V5]);
    house.act(0, |home, now| home.add(desk(), percent(20), now).unwrap());
    house.run(5);
    house.pages.push(Page::new(Version::V5, 9, house.now));
    house.run(10);
    house.everybody_shows(&[("Desk", 20)]);
}

/// Killed at every moment of a drag, with the hand still on the slider or off when the server is back, which remembers
/// its values or does not.
#[test]
fn a_server_killed_mid_drag_hears_the_final_value_once_when_it_is_back() {
    for killed_at in 0..12 {
        for (back_at, forgets) in [(4, false), (4, true), (40, false), (40, true)] {
            let mut house = House::new(&[Version::V5, Version::V3_1_1]);
            house.act(0, |home, now| home.add(desk(), percent(20), now).unwrap());
            house.run(50);
            house.heard.clear();
            house.act(0, |home, _| home.press(&desk()));
            for step in 0..60_u8 {
                if step == killed_at {
                    house.kill();
                    if forgets {
                        house.values.clear();
                    }
                }
                if step == killed_at + back_at {
                    house.alive = true;
                }
                match step {
                    0..20 => house.act(0, |home, now| home.input(&desk(), percent(30 + step), now)),
                    20 => house.act(0, |home, now| home.release(&desk(), now)),
                    _ => {}
                }
                house.run(40);
            }
            house.run(30_000);
            assert_eq!(house.finals(), ["49"], "killed at {killed_at}, back {back_at} later");
            assert_eq!(house.heard.last().map(|(_, payload, _)| payload.as_str()), Some("49"));
            house.everybody_shows(&[("Desk", 49)]);
            assert!(!house.pages[0].home.light(&desk()).unwrap().unacknowledged);
            assert!(house.pages.iter().all(|page| page.client.state() == ConnectionState::Online));
        }
    }
}

/// The one case in which it comes twice: it arrived, and the acknowledgement did not. Nothing moves by it.
#[test]
fn a_server_killed_before_it_could_acknowledge_hears_the_final_value_again() {
    let mut house = House::new(&[Version::V5, Version::V3_1_1]);
    house.act(0, |home, now| home.add(desk(), percent(20), now).unwrap());
    house.run(50);
    house.heard.clear();
    house.act(0, |home, now| home.set(&desk(), percent(49), now));
    house.kill();
    house.alive = true;
    house.run(30_000);
    assert_eq!(house.finals(), ["49", "49"]);
    house.everybody_shows(&[("Desk", 49)]);
}
