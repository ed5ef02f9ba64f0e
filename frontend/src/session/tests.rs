//! The session between a page and a broker, packets in and packets out, in virtual time.

use bytes::BytesMut;
use luxwire_shared::{
    model::{Intensity, LightId},
    mqtt::{
        Connack, ConnackProperties, Delivery, Framer, Packet, PacketId, Publish, PublishProperties,
        PublishTopic, QoS, Suback, TopicAlias, TopicName,
    },
};
use std::num::NonZeroU16;

use super::*;

/// A page and the broker's end of its WebSocket, in virtual time.
struct Rig {
    session: Session,
    framer: Framer,
    version: Version,
    now: Instant,
    actions: Vec<Action>,
    /// What the broker's clock shows, if it tells set times.
    clock: Option<Timestamp>,
}

impl Rig {
    fn new(may_fall_back: bool) -> Self {
        let session = Session::new("page", 1, may_fall_back, Instant::START);
        let mut rig = Self {
            session,
            framer: Framer::new(1 << 20),
            version: Version::V5,
            now: Instant::START,
            actions: Vec::new(),
            clock: None,
        };
        rig.fetch();
        rig
    }

    fn moment(&self) -> Moment {
        Moment { now: self.now, at: Timestamp::from_unix_millis(1_000) }
    }

    fn fetch(&mut self) {
        while let Some(action) = self.session.poll(self.now) {
            self.actions.push(action);
        }
    }

    /// What the page sent since it was last asked, and whether it did anything else.
    fn sent(&mut self) -> Vec<Packet> {
        self.fetch();
        for action in self.actions.drain(..) {
            match action {
                Action::Write(bytes) => self.framer.push(bytes),
                Action::Open => self.framer = Framer::new(1 << 20),
                Action::Close => {}
            }
        }
        let mut packets = Vec::new();
        while let Some(frame) = self.framer.next_frame().unwrap() {
            packets.push(Packet::decode(frame, self.version).unwrap());
        }
        packets
    }

    fn does(&mut self, action: &Action) -> bool {
        self.fetch();
        let does = self.actions.contains(action);
        self.actions.retain(|other| other != action);
        does
    }

    fn open(&mut self) {
        assert!(self.does(&Action::Open));
        self.session.opened(self.moment());
    }

    fn broker_says(&mut self, packet: &Packet) {
        let mut bytes = BytesMut::new();
        packet.encode(self.version, &mut bytes).unwrap();
        self.session.received(bytes.freeze(), self.moment());
    }

    fn connack(&mut self, reason: ReasonCode) {
        let user_properties = self.clock.map(set_at::answer).into_iter().collect();
        let properties = ConnackProperties { user_properties, ..ConnackProperties::default() };
        self.broker_says(&Packet::Connack(Box::new(Connack { session_present: false, reason, properties })));
    }

    /// Connected and subscribed.
    fn online() -> Self {
        Self::new(false).connected()
    }

    fn connected(self) -> Self {
        let mut rig = self;
        rig.open();
        rig.connack(ReasonCode::Success);
        let id = rig.subscribed_as();
        let reasons = vec![ReasonCode::GrantedQoS1; 2];
        rig.broker_says(&Packet::Suback(Suback { id, properties: None, reasons }));
        rig
    }

    fn subscribed_as(&mut self) -> PacketId {
        let sent = self.sent();
        let id = sent.iter().find_map(|packet| match packet {
            Packet::Subscribe(subscribe) => Some(subscribe.id),
            _ => None,
        });
        id.expect("the page follows the lights")
    }

    fn publishes(&mut self) -> Vec<(String, String, QoS)> {
        let publish = |packet| match packet {
            Packet::Publish(publish) => Some(told(&publish)),
            _ => None,
        };
        self.sent().into_iter().filter_map(publish).collect()
    }
}

fn told(publish: &Publish) -> (String, String, QoS) {
    assert!(publish.retain, "what a light is set to is kept");
    let PublishTopic::Name(topic) = &publish.topic else { panic!("a name") };
    let payload = String::from_utf8(publish.payload.to_vec()).unwrap();
    (topic.to_string(), payload, publish.delivery.qos())
}

fn desk() -> LightId {
    LightId::try_from("desk").unwrap()
}

fn says(topic: &str, payload: &str) -> Packet {
    Packet::Publish(Publish {
        delivery: Delivery::AtMostOnce,
        retain: true,
        topic: PublishTopic::Name(TopicName::try_from(topic).unwrap()),
        properties: None,
        payload: Bytes::copy_from_slice(payload.as_bytes()),
    })
}

/// The desk's light was set then.
fn set(millis: u64) -> Packet {
    let Packet::Publish(publish) = says("lights/desk/intensity", "40") else { panic!("a message") };
    let user_properties = vec![set_at::answer(Timestamp::from_unix_millis(millis))];
    let properties = PublishProperties { user_properties, ..PublishProperties::default() };
    Packet::Publish(Publish { properties: Some(Box::new(properties)), ..publish })
}

#[test]
fn it_connects_and_follows_the_lights() {
    let mut rig = Rig::online();
    assert_eq!(rig.session.connection(rig.now), Connection::Online);
    rig.broker_says(&says("lights/desk/intensity", "40"));
    let light = rig.session.home.light(&desk()).unwrap();
    assert_eq!(Some(light.displayed), Intensity::from_percent(40));
}

#[test]
fn a_broker_that_tells_set_times_is_asked_for_them_and_believed_by_our_clock() {
    let mut rig = Rig::new(false);
    let hour_ms = 3_600_000;
    rig.clock = Some(Timestamp::from_unix_millis(rig.moment().at.unix_millis() + hour_ms));
    let mut rig = rig.connected();
    rig.broker_says(&set(hour_ms + 600));
    let set_at = |rig: &Rig| rig.session.home.light(&desk()).unwrap().set_at;
    assert_eq!(set_at(&rig), Some(Timestamp::from_unix_millis(600)));
    rig.broker_says(&set(7));
    assert_eq!(set_at(&rig), Some(Timestamp::from_unix_millis(0)), "before our clock's beginning");
}

/// Its name would be three quarters of each message.
#[test]
fn a_light_that_is_dragged_is_named_once() {
    let mut rig = Rig::new(false);
    rig.open();
    let sent = rig.sent();
    let [Packet::Connect(connect)] = &sent[..] else { panic!("a CONNECT: {sent:?}") };
    assert_eq!(connect.properties.topic_alias_maximum, Some(TOPIC_ALIASES));
    assert_eq!(set_at::asked(&connect.properties.user_properties), Some(Asked::Retained));
    let properties = ConnackProperties { topic_alias_maximum: Some(9), ..ConnackProperties::default() };
    let connack = Connack { session_present: false, reason: ReasonCode::Success, properties };
    rig.broker_says(&Packet::Connack(Box::new(connack)));
    rig.broker_says(&says("lights/desk/intensity", "40"));
    rig.sent();
    rig.session.home.press(&desk());
    let mut said = Vec::new();
    for percent in [41, 42, 43] {
        rig.session.home.input(&desk(), Intensity::from_percent(percent).unwrap(), rig.now);
        said.extend(rig.sent());
        rig.now = rig.now + Duration::from_millis(100);
    }
    let topics = said.into_iter().map(|packet| match packet {
        Packet::Publish(publish) => publish.topic,
        other => panic!("a value: {other:?}"),
    });
    let alias = TopicAlias(NonZeroU16::MIN);
    let name = TopicName::try_from("lights/desk/intensity").unwrap();
    assert_eq!(
        topics.collect::<Vec<_>>(),
        [PublishTopic::NameAndAlias(name, alias), PublishTopic::Alias(alias), PublishTopic::Alias(alias)]
    );
}

#[test]
fn a_moment_on_the_way_is_no_difference_of_clocks() {
    let mut rig = Rig::new(false);
    rig.clock = Some(Timestamp::from_unix_millis(rig.moment().at.unix_millis() - 900));
    let mut rig = rig.connected();
    rig.broker_says(&set(77));
    assert_eq!(rig.session.home.light(&desk()).unwrap().set_at, Some(Timestamp::from_unix_millis(77)));
}

#[test]
fn a_broker_that_tells_no_set_times_leaves_kept_values_without_one() {
    let mut rig = Rig::online();
    rig.broker_says(&says("lights/desk/intensity", "40"));
    assert_eq!(rig.session.home.light(&desk()).unwrap().set_at, None);
}

#[test]
fn nothing_is_published_in_answer_to_a_message() {
    let mut rig = Rig::online();
    rig.sent();
    rig.broker_says(&says("lights/desk/intensity", "40"));
    rig.broker_says(&says("lights/desk/intensity", "70"));
    assert_eq!(rig.publishes(), []);
}

#[test]
fn a_movement_goes_out_now_and_its_end_for_certain() {
    let mut rig = Rig::online();
    rig.broker_says(&says("lights/desk/intensity", "40"));
    rig.sent();
    rig.session.home.press(&desk());
    rig.session.home.input(&desk(), Intensity::from_percent(50).unwrap(), rig.now);
    let topic = || String::from("lights/desk/intensity");
    assert_eq!(rig.publishes(), [(topic(), "50".into(), QoS::AtMostOnce)]);
    rig.session.home.release(&desk(), rig.now);
    assert_eq!(rig.publishes(), [(topic(), "50".into(), QoS::AtLeastOnce)]);
}

#[test]
fn a_wish_that_the_connection_took_along_goes_out_again_once() {
    let mut rig = Rig::online();
    rig.broker_says(&says("lights/desk/intensity", "40"));
    rig.sent();
    rig.session.home.switch(&desk(), false, rig.now);
    assert_eq!(rig.publishes().len(), 1);

    rig.session.closed(rig.moment());
    rig.session.hurry(rig.now);
    rig.open();
    rig.connack(ReasonCode::Success);
    assert_eq!(rig.publishes(), [("lights/desk/intensity".into(), "0".into(), QoS::AtLeastOnce)]);
    assert_eq!(rig.publishes(), []);
}

#[test]
fn that_there_are_no_lights_is_known_a_moment_after_the_subscription() {
    let mut rig = Rig::online();
    assert!(!rig.session.is_complete(rig.now));
    rig.now = rig.session.next_deadline(rig.now).unwrap();
    rig.session.tick(rig.moment());
    assert!(rig.session.is_complete(rig.now));
}

#[test]
fn a_lost_connection_counts_down_in_whole_seconds() {
    let mut rig = Rig::online();
    rig.session.closed(rig.moment());
    let Connection::Reconnecting(first) = rig.session.connection(rig.now) else { panic!("it waits") };
    assert!(first >= 1);
    let mut shown = vec![first];
    while !rig.does(&Action::Open) {
        rig.now = rig.session.next_deadline(rig.now).unwrap();
        rig.session.tick(rig.moment());
        if let Connection::Reconnecting(seconds) = rig.session.connection(rig.now) {
            shown.push(seconds);
        }
    }
    assert_eq!(shown, (0..=first).rev().collect::<Vec<_>>());
}

#[test]
fn a_refusal_is_said_in_words() {
    let mut rig = Rig::new(true);
    rig.open();
    rig.connack(ReasonCode::NotAuthorized);
    let words = "this page is not authorized to use this broker".into();
    assert_eq!(rig.session.connection(rig.now), Connection::Refused(words));
}

#[test]
fn a_foreign_broker_without_mqtt_5_is_asked_for_3_1_1() {
    let mut rig = Rig::new(true);
    rig.open();
    // CONNACK of 3.1.1: unacceptable protocol version.
    rig.session.received(Bytes::from_static(&[0x20, 2, 0, 1]), rig.moment());
    assert!(rig.does(&Action::Open), "at once");
    rig.version = Version::V3_1_1;
    rig.framer = Framer::new(1 << 20);
    rig.session.opened(rig.moment());
    assert!(matches!(&rig.sent()[..], [Packet::Connect(connect)] if connect.version == Version::V3_1_1));
    rig.connack(ReasonCode::Success);
    assert!(rig.session.is_online());
}

#[test]
fn our_own_broker_is_never_asked_for_less() {
    let mut rig = Rig::new(false);
    rig.open();
    rig.session.closed(rig.moment());
    rig.session.hurry(rig.now);
    rig.open();
    assert!(matches!(&rig.sent()[..], [Packet::Connect(connect)] if connect.version == Version::V5));
}

#[test]
fn who_speaks_to_hue_hubs_is_followed_when_somebody_asks_and_asked_over_mqtt() {
    let mut rig = Rig::online();
    rig.broker_says(&says("luxwire/hue/a/status", r#"{"state":"online"}"#));
    assert_eq!(rig.session.hue.online(), Some(("a", r#"{"state":"online"}"#)));
    rig.sent();
    rig.session.ask_hue("{}".into(), rig.now);
    let sent = rig.sent();
    let [Packet::Publish(publish)] = &sent[..] else { panic!("one request: {sent:?}") };
    let PublishTopic::Name(topic) = &publish.topic else { panic!("a name") };
    assert_eq!(
        (topic.as_str(), &publish.payload[..], publish.retain),
        ("luxwire/hue/a/request", &b"{}"[..], false)
    );

    rig.broker_says(&says("luxwire/hue/b/status", r#"{"state":"online","hubs":[]}"#));
    rig.broker_says(&says("luxwire/hue/a/status", r#"{"state":"offline"}"#));
    assert_eq!(
        rig.session.hue.online().map(|(service, _)| service),
        Some("b"),
        "one that is gone stands back"
    );
    rig.broker_says(&says("luxwire/hue/b/status", ""));
    assert_eq!(rig.session.hue.online(), None);
}

#[test]
fn what_is_known_of_hue_hubs_counts_only_while_the_connection_stands() {
    let mut rig = Rig::online();
    rig.broker_says(&says("luxwire/hue/a/status", r#"{"state":"online"}"#));
    rig.session.hue.take_news(rig.now);
    rig.session.closed(rig.moment());
    assert!(rig.session.hue.take_news(rig.now), "the page shows something else");
    assert!(!rig.session.hue.take_news(rig.now), "once");
}

#[test]
fn that_nobody_speaks_to_hue_hubs_is_known_after_a_while() {
    let mut rig = Rig::online();
    rig.sent();
    rig.session.follow_hue(rig.now);
    let id = rig.subscribed_as();
    let reasons = vec![ReasonCode::GrantedQoS1];
    rig.broker_says(&Packet::Suback(Suback { id, properties: None, reasons }));
    assert!(rig.session.hue.take_news(rig.now));
    while !rig.session.hue.is_missing(rig.now) {
        assert!(!rig.session.hue.take_news(rig.now));
        rig.now = rig.session.next_deadline(rig.now).unwrap();
        rig.session.tick(rig.moment());
    }
    assert!(rig.session.hue.take_news(rig.now), "once");
    assert!(!rig.session.hue.take_news(rig.now));
}

#[test]
fn a_broker_that_hides_hue_still_shows_its_lights() {
    let mut rig = Rig::online();
    rig.sent();
    rig.session.follow_hue(rig.now);
    let id = rig.subscribed_as();
    let reasons = vec![ReasonCode::NotAuthorized];
    rig.broker_says(&Packet::Suback(Suback { id, properties: None, reasons }));
    assert_eq!(rig.session.connection(rig.now), Connection::Online);
    assert!(rig.session.hue.is_missing(rig.now));
}
