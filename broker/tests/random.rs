//! Any packets from any links in any order, with time moving: nothing panics, and what must always hold does.
//!
//! What holds for single packets the driver's wire checks: no effect for a closed link, CONNACK first and once, no
//! identifier twice, no window exceeded, no packet larger than its receiver takes. Here come answers, accounts that add
//! up, and that the same inputs have the same effects.

mod driver;

use bytes::Bytes;
use driver::{Client, World, packets::*};
use luxwire_broker::{Config, Effect, Input, Limits, Mechanism, ScramSha256, Statistics};
use luxwire_shared::mqtt::{
    Acknowledge, AcknowledgeKind, Auth, AuthProperties, Connack, ConnackProperties, Connect, DecodeError,
    Packet, PacketType, Plain, PublishTopic, ReasonCode, RetainHandling, Suback, TopicAlias, TopicFilter,
    Unsuback, Version, Will,
};
use proptest::{collection, option, prelude::*, sample};
use std::{collections::BTreeMap, rc::Rc, time::Duration};

/// One thing that happens. Links are named by a small number, so that they meet.
#[derive(Clone, Debug)]
enum Event {
    /// Replaces the link of this number, whose end the edge may tell or not.
    Open(usize),
    Say(usize, Saying),
    Malformed(usize),
    Cut(usize),
    Wait(Duration),
    /// Time passes and nobody ticks.
    Dawdle(Duration),
    /// The outputs of all links are taken off.
    Drain,
}

#[derive(Clone, Debug)]
enum Saying {
    Any(Packet),
    /// Acknowledges the oldest message that the client has not read yet, rightly.
    Acknowledge,
}

const LINKS: usize = 5;

/// One that the broker knows, and one that it does not.
const METHODS: [&str; 2] = ["SCRAM-SHA-256", "nobody knows this"];

fn limits(limits: &mut Limits) {
    // Small enough to be met.
    limits.sessions = 3;
    limits.session_subscriptions = 3;
    limits.session_queue_messages = 6;
    limits.session_queue_bytes = 300;
    limits.in_flight_bytes = 100;
    limits.retained_messages = 4;
    limits.retained_bytes = 200;
    limits.receive_maximum = std::num::NonZeroU16::new(3).expect("not 0");
    limits.session_expiry_s = 20;
    limits.filter_levels = 3;
    limits.topic_alias_maximum = 2;
    limits.topic_alias_bytes = 8;
}

/// One mechanism, of which a client comes as far as the first question.
fn config(hash_seed: u64) -> Config {
    let mut limits_used = Limits { keep_alive_s: 0, ..Limits::default() };
    limits(&mut limits_used);
    let mechanisms: Vec<Rc<dyn Mechanism>> = vec![Rc::new(ScramSha256::new(BTreeMap::new(), [1; 32]))];
    Config { limits: limits_used, hash_seed, mechanisms, ..Config::default() }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let link = 0..LINKS;
    let event = prop_oneof![
        2 => link.clone().prop_map(Event::Open),
        6 => (link.clone(), connects()).prop_map(|(link, connect)| Event::Say(link, Saying::Any(connect))),
        20 => (link.clone(), packets()).prop_map(|(link, packet)| Event::Say(link, Saying::Any(packet))),
        8 => link.clone().prop_map(|link| Event::Say(link, Saying::Acknowledge)),
        1 => link.clone().prop_map(Event::Malformed),
        2 => link.prop_map(Event::Cut),
        2 => durations().prop_map(Event::Wait),
        1 => durations().prop_map(Event::Dawdle),
        2 => Just(Event::Drain),
    ];
    collection::vec(event, 1..200)
}

fn durations() -> impl Strategy<Value = Duration> {
    (0..12_000u64).prop_map(Duration::from_millis)
}

fn small_ids() -> impl Strategy<Value = u16> {
    1..6u16
}

fn reasons() -> impl Strategy<Value = ReasonCode> {
    sample::select(vec![ReasonCode::Success, ReasonCode::Success, ReasonCode::Unspecified])
}

fn names() -> impl Strategy<Value = &'static str> {
    sample::select(vec!["a", "a/b", "a/b/c", "b", "$a/b", "$SYS/x", "/", "a/b/c/d"])
}

fn filters() -> impl Strategy<Value = &'static str> {
    let filters = [
        "a",
        "a/b",
        "#",
        "+",
        "a/#",
        "+/b",
        "a/+/c",
        "$a/#",
        "a/b/c/d",
        "$share/g/a",
        "$share/g/#",
        "$share/h/a/+",
    ];
    sample::select(filters.to_vec())
}

fn qos() -> impl Strategy<Value = luxwire_shared::mqtt::QoS> {
    sample::select(vec![Q0, Q1, Q2])
}

fn versions() -> impl Strategy<Value = Version> {
    sample::select(vec![Version::V3_1, Version::V3_1_1, Version::V5, Version::V5])
}

fn wills() -> impl Strategy<Value = Will> {
    (names(), qos(), any::<bool>(), option::of(0..10u32), option::of(0..5u32)).prop_map(
        |(name, qos, retain, delay_s, expiry_s)| {
            let mut will = Will { qos, retain, ..will(name, "will") };
            will.properties.will_delay_interval_s = delay_s;
            will.properties.message_expiry_interval_s = expiry_s;
            will
        },
    )
}

fn connects() -> impl Strategy<Value = Packet> {
    let number = || option::of(1..5u16);
    (
        (versions(), sample::select(vec!["", "a", "b", "c", "d"]), any::<bool>(), 0..8u16),
        (option::of(wills()), option::of(0..30u32), number(), option::of(1..120u32), any::<bool>()),
    )
        .prop_map(|((version, client_id, clean_start, keep_alive_s), rest)| {
            let (will, expiry_s, receive_maximum, packet_size, method) = rest;
            let mut connect: Connect = driver::packets::version(version, client_id).into();
            connect.clean_start = clean_start;
            connect.keep_alive_s = keep_alive_s;
            connect.will = will.map(Box::new);
            if version == Version::V5 {
                let properties = &mut connect.properties;
                properties.session_expiry_interval_s = expiry_s;
                properties.topic_alias_maximum = Some(keep_alive_s / 2);
                properties.receive_maximum = receive_maximum.and_then(std::num::NonZeroU16::new);
                properties.maximum_packet_size = packet_size.and_then(std::num::NonZeroU32::new);
                properties.authentication_method =
                    (method && keep_alive_s > 5).then(|| text(METHODS[usize::from(keep_alive_s - 6)]));
                properties.authentication_data =
                    properties.authentication_method.as_ref().map(|_| Bytes::from_static(b"n,,n=anna,r=x"));
            } else if let Some(will) = &mut connect.will {
                will.properties = Default::default();
            }
            Packet::Connect(Box::new(connect))
        })
}

fn publishes() -> impl Strategy<Value = Packet> {
    let lives = option::weighted(0.3, 0..6u32);
    let aliases = option::weighted(0.3, (any::<bool>(), 1..4u16));
    (names(), 0..40usize, qos(), small_ids(), any::<bool>(), any::<bool>(), lives, aliases).prop_map(
        |(name, len, qos, number, retain, dup, expiry_s, alias)| {
            let mut publish = publish_with_id(name, &"x".repeat(len), qos, number);
            publish.retain = retain;
            if dup && qos != Q0 {
                publish = repeated(publish);
            }
            if let Some(seconds) = expiry_s {
                publish = expiring_s(publish, seconds);
            }
            if let Some((named, number)) = alias {
                let alias = TopicAlias(std::num::NonZeroU16::new(number).expect("not 0"));
                publish.topic = if named {
                    PublishTopic::NameAndAlias(topic(name), alias)
                } else {
                    PublishTopic::Alias(alias)
                };
            }
            Packet::Publish(publish)
        },
    )
}

fn subscribes() -> impl Strategy<Value = Packet> {
    let handling =
        sample::select(vec![RetainHandling::Send, RetainHandling::SendIfNew, RetainHandling::DoNotSend]);
    let filter = (filters(), qos(), any::<bool>(), any::<bool>(), handling).prop_map(
        |(name, qos, no_local, retain_as_published, retain_handling)| {
            let mut filter = filter(name, qos);
            filter.no_local = no_local && filter.filter.share.is_none();
            filter.retain_as_published = retain_as_published;
            filter.retain_handling = retain_handling;
            filter
        },
    );
    (collection::vec(filter, 1..5), option::of(1..9u32)).prop_map(|(filters, subscription_id)| {
        let mut packet = subscribe_to(filters);
        if let Packet::Subscribe(subscribe) = &mut packet {
            subscribe.subscription_id = subscription_id.and_then(luxwire_shared::mqtt::SubscriptionId::new);
        }
        packet
    })
}

fn packets() -> impl Strategy<Value = Packet> {
    let acknowledges =
        || (small_ids(), reasons()).prop_map(|(number, reason)| Acknowledge::because(id(number), reason));
    let release = |reason: ReasonCode| match reason {
        ReasonCode::Success => reason,
        _ => ReasonCode::PacketIdentifierNotFound,
    };
    let releases = move || {
        (small_ids(), reasons())
            .prop_map(move |(number, reason)| Acknowledge::because(id(number), release(reason)))
    };
    let codes = vec![ReasonCode::Success];
    let connack = Connack {
        session_present: false,
        reason: ReasonCode::Success,
        properties: ConnackProperties::default(),
    };
    let method =
        AuthProperties { authentication_method: Some(text(METHODS[0])), ..AuthProperties::default() };
    let foul = vec![
        Packet::Connack(Box::new(connack)),
        Packet::Suback(Suback { id: id(1), properties: None, reasons: codes.clone() }),
        Packet::Unsuback(Unsuback { id: id(1), properties: None, reasons: codes }),
        Packet::Pingresp,
        Packet::Auth(Auth { reason: ReasonCode::ReAuthenticate, properties: Some(Box::new(method.clone())) }),
        Packet::Auth(Auth { reason: ReasonCode::ContinueAuthentication, properties: Some(Box::new(method)) }),
    ];
    prop_oneof![
        20 => publishes(),
        8 => subscribes(),
        3 => collection::vec(filters(), 1..4).prop_map(|filters| unsubscribe(&filters)),
        3 => acknowledges().prop_map(Packet::Puback),
        3 => acknowledges().prop_map(Packet::Pubrec),
        5 => releases().prop_map(Packet::Pubrel),
        3 => releases().prop_map(Packet::Pubcomp),
        2 => Just(Packet::Pingreq),
        1 => sample::select(vec![ReasonCode::Success, ReasonCode::DisconnectWithWill]).prop_map(disconnect),
        1 => (0..9u32).prop_map(disconnect_with_expiry_s),
        1 => sample::select(foul),
    ]
}

/// Whether this version can say this at all; what it cannot say no client says.
fn sayable(packet: &Packet, version: Version) -> bool {
    packet.encoded_len(version).is_ok()
}

/// The one packet that must come back, unless the link is closed.
fn answer(packet: &Packet) -> Option<PacketType> {
    match packet {
        Packet::Publish(publish) => match publish.qos() {
            luxwire_shared::mqtt::QoS::AtMostOnce => None,
            luxwire_shared::mqtt::QoS::AtLeastOnce => Some(PacketType::Puback),
            luxwire_shared::mqtt::QoS::ExactlyOnce => Some(PacketType::Pubrec),
        },
        Packet::Pubrel(_) => Some(PacketType::Pubcomp),
        Packet::Subscribe(_) => Some(PacketType::Suback),
        Packet::Unsubscribe(_) => Some(PacketType::Unsuback),
        Packet::Pingreq => Some(PacketType::Pingresp),
        _ => None,
    }
}

/// Lets it all happen, checking after each event.
fn play(events: &[Event]) -> World {
    let mut world = World::of(config(7));
    world.holds_output = true;
    let mut links: Vec<Client> = (0..LINKS).map(|_| world.open()).collect();
    for event in events {
        match event {
            Event::Open(link) => links[*link] = world.open(),
            Event::Say(link, saying) => say(&mut world, links[*link], saying),
            Event::Malformed(link) => {
                if !world.is_gone(links[*link]) {
                    let version = world.version(links[*link]);
                    world.send_malformed(links[*link], Some(version), DecodeError::Truncated);
                }
            }
            Event::Cut(link) => world.cut(links[*link]),
            Event::Wait(duration) => world.wait(*duration),
            Event::Dawdle(duration) => world.wait_unnoticed(*duration),
            Event::Drain => {
                world.drain_once();
            }
        }
        check(&world);
    }
    world
}

fn say(world: &mut World, client: Client, saying: &Saying) {
    if world.is_gone(client) {
        return;
    }
    let version = world.version(client);
    match saying {
        Saying::Acknowledge => {
            let publish = std::iter::from_fn(|| world.next(client)).find_map(|packet| match packet {
                Packet::Publish(publish) => Some(publish),
                _ => None,
            });
            if let Some(publish) = publish
                && !world.is_closed(client)
            {
                world.acknowledge(client, &publish);
            }
        }
        Saying::Any(packet) if sayable(packet, version) => {
            while world.next(client).is_some() {}
            let greeted = world.is_connected(client);
            world.send(client, packet.clone());
            let types: Vec<_> =
                std::iter::from_fn(|| world.next(client)).map(|packet| packet.packet_type()).collect();
            if let Some(answer) = answer(packet)
                && greeted
                && !world.is_closed(client)
            {
                assert_eq!(types.iter().filter(|came| **came == answer).count(), 1, "{packet:?} {types:?}");
            }
        }
        Saying::Any(_) => {}
    }
}

/// What must hold at any time.
fn check(world: &World) {
    let Statistics {
        links,
        sessions,
        sessions_connected,
        subscriptions,
        shared_subscriptions,
        retained_messages,
        retained_bytes,
        queued_messages,
        queued_bytes,
        in_flight_messages,
        in_flight_bytes,
    } = world.broker.statistics();
    assert!(sessions_connected <= links && sessions_connected <= sessions && sessions <= 3);
    assert!(shared_subscriptions <= subscriptions && subscriptions <= sessions * 3);
    // A message that is sent at once has no need of a place in the queue.
    assert!(queued_messages <= sessions * 6);
    assert!(queued_bytes <= sessions * 300);
    assert!(in_flight_messages > 0 || in_flight_bytes == 0);
    let all = ["#", "$a/#", "$SYS/#"].map(|filter| TopicFilter::try_from(filter).expect("a filter"));
    let kept: Vec<_> = all.iter().flat_map(|filter| world.broker.retained(filter)).collect();
    assert_eq!(kept.len(), retained_messages);
    assert_eq!(kept.iter().map(|message| message.size()).sum::<usize>(), retained_bytes);
    assert!(retained_messages <= 4 && retained_bytes <= 200);
    assert!(kept.iter().all(|message| !message.payload().is_empty()));
}

/// The packet as it would be read where it lies, if it could.
fn plain(packet: &Packet) -> Option<Plain<'_>> {
    let (kind, acknowledge) = match packet {
        Packet::Publish(publish) => return Some(Plain::Publish(publish.as_parts())),
        Packet::Puback(acknowledge) => (AcknowledgeKind::Puback, acknowledge),
        Packet::Pubrec(acknowledge) => (AcknowledgeKind::Pubrec, acknowledge),
        Packet::Pubrel(acknowledge) => (AcknowledgeKind::Pubrel, acknowledge),
        Packet::Pubcomp(acknowledge) => (AcknowledgeKind::Pubcomp, acknowledge),
        _ => return None,
    };
    (*acknowledge == Acknowledge::success(acknowledge.id))
        .then_some(Plain::Acknowledge { kind, id: acknowledge.id })
}

proptest! {
    #[test]
    fn nothing_panics_and_what_must_hold_holds(events in events()) {
        let mut world = play(&events);
        // When everybody has gone and time has passed, nothing is left but what was retained.
        world.cut_all();
        world.wait(Duration::from_secs(100));
        let Statistics { retained_messages, retained_bytes, .. } = world.broker.statistics();
        let left = Statistics { retained_messages, retained_bytes, ..Statistics::default() };
        prop_assert_eq!(world.broker.statistics(), left);
        prop_assert_eq!(world.broker.next_deadline(), None);
    }

    #[test]
    fn the_same_inputs_have_the_same_effects_whatever_the_hash_seed(events in events()) {
        let mut world = play(&events);
        world.input(Input::Stop);
        let inputs = world.inputs;
        let run = |hash_seed| {
            let mut broker = luxwire_broker::Broker::new(config(hash_seed));
            let mut effects: Vec<Effect> = Vec::new();
            for (now, input) in &inputs {
                broker.handle(*now, Input::clone(input), &mut effects);
            }
            format!("{effects:?}")
        };
        prop_assert_eq!(run(1), run(u64::MAX));
    }

    #[test]
    fn a_packet_that_lies_where_it_was_read_has_the_effects_of_any_other(events in events()) {
        let mut world = play(&events);
        world.input(Input::Stop);
        let inputs = world.inputs;
        let run = |lies: bool| {
            let mut broker = luxwire_broker::Broker::new(config(1));
            let mut effects: Vec<Effect> = Vec::new();
            for (now, input) in &inputs {
                match input {
                    Input::Packet { link, packet } if lies && let Some(plain) = plain(packet) => {
                        broker.handle_plain(*now, *link, &plain, &mut effects);
                    }
                    input => broker.handle(*now, input.clone(), &mut effects),
                }
            }
            format!("{effects:?}")
        };
        prop_assert_eq!(run(false), run(true));
    }
}
