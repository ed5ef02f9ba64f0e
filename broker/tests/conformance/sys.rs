//! `$SYS`: what the broker says of itself, and to whom.

use crate::driver::{Client, World, packets::*};
use luxwire_broker::{Config, Input, Limits, Traffic};
use luxwire_shared::mqtt::{Packet, ReasonCode};
use std::{collections::BTreeMap, time::Duration};

const INTERVAL_S: u64 = 10;

fn world() -> World {
    World::of(Config {
        limits: Limits { keep_alive_s: 0, session_queue_messages: 2, ..Limits::default() },
        sys_interval: Some(Duration::from_secs(INTERVAL_S)),
        ..Config::default()
    })
}

/// A dashboard that follows everything below `$SYS`, and what it knows.
struct Dashboard {
    client: Client,
    known: BTreeMap<String, String>,
}

impl Dashboard {
    fn new(world: &mut World) -> Self {
        let client = world.connect(v5("dashboard"));
        world.subscribe(client, "$SYS/#", Q1);
        Self { client, known: BTreeMap::new() }
    }

    /// Waits for the next time, and gives what changed.
    fn wait(&mut self, world: &mut World) -> BTreeMap<String, String> {
        world.wait_s(INTERVAL_S);
        self.read(world)
    }

    fn read(&mut self, world: &mut World) -> BTreeMap<String, String> {
        let news: BTreeMap<_, _> = world
            .take_all(self.client)
            .into_iter()
            .map(|(name, value)| (name.strip_prefix("$SYS/broker/").expect("ours").to_owned(), value))
            .collect();
        self.known.extend(news.clone());
        news
    }

    fn number(&self, name: &str) -> f64 {
        self.known[name].parse().unwrap_or_else(|_| panic!("{name} is {}", self.known[name]))
    }
}

/// A number that nobody follows, so that looking at it changes nothing.
fn unfollowed(world: &World, name: &str) -> f64 {
    let message = world.broker.retained_message(&topic(&format!("$SYS/broker/{name}"))).expect("a value");
    str::from_utf8(message.payload()).expect("text").parse().expect("a number")
}

#[test]
fn the_tree_is_there_from_the_start() {
    let mut world = world();
    world.wait_s(0);
    let mut dashboard = Dashboard::new(&mut world);
    dashboard.read(&mut world);
    assert!(dashboard.known["version"].starts_with("luxwire version "));
    assert_eq!(dashboard.known["uptime"], "0 seconds");
    let mut names: Vec<&str> = dashboard.known.keys().map(String::as_str).collect();
    // Those that Mosquitto has.
    let mut expected: Vec<String> =
        "version uptime clients/total clients/connected clients/active clients/disconnected \
         clients/inactive clients/maximum clients/expired messages/received messages/sent messages/stored \
         store/messages/count store/messages/bytes retained_messages/count subscriptions/count \
         shared_subscriptions/count publish/messages/received publish/messages/sent publish/messages/dropped \
         publish/bytes/received publish/bytes/sent bytes/received bytes/sent"
            .split_whitespace()
            .map(|name| name.replace("retained_", "retained "))
            .collect();
    for load in
        "connections sockets bytes/received bytes/sent messages/received messages/sent publish/received \
                 publish/sent publish/dropped"
            .split_whitespace()
    {
        expected.extend([1, 5, 15].map(|minutes| format!("load/{load}/{minutes}min")));
    }
    expected.sort();
    names.sort_unstable();
    assert_eq!(names, expected);
}

// [MQTT-4.7.2-1]
#[test]
fn no_wildcard_at_the_top_sees_it() {
    let mut world = world();
    let page = world.connect(v5("page"));
    for filter in ["#", "+/#", "+/broker/#"] {
        world.subscribe(page, filter, Q0);
    }
    world.wait_s(3 * INTERVAL_S);
    world.expect_nothing(page);
    world.subscribe(page, "$SYS/broker/uptime", Q0);
    assert_eq!(world.take(page).1, "30 seconds");
    world.wait_s(INTERVAL_S);
    assert_eq!(world.take_all(page), [("$SYS/broker/uptime".into(), "40 seconds".into())]);
}

#[test]
fn nobody_else_writes_there() {
    let mut world = world();
    world.wait_s(0);
    let mut dashboard = Dashboard::new(&mut world);
    dashboard.read(&mut world);
    let client = world.connect(v5("a"));
    for payload in ["9", ""] {
        let refused = world.publish_retained(client, "$SYS/broker/uptime", payload, Q1);
        assert_eq!(refused, ReasonCode::TopicNameInvalid);
    }
    assert_eq!(dashboard.read(&mut world), BTreeMap::new());
    assert_eq!(world.refused(v5("b").will(will("$SYS/broker/uptime", "9"))), ReasonCode::TopicNameInvalid);
    assert_eq!(dashboard.wait(&mut world)["uptime"], "10 seconds");
}

#[test]
fn only_what_changed_is_said_again() {
    let mut world = world();
    let mut dashboard = Dashboard::new(&mut world);
    for _ in 0..3 {
        dashboard.wait(&mut world);
    }
    let names: Vec<_> = dashboard.wait(&mut world).into_keys().collect();
    assert!(!names.contains(&"version".into()) && !names.contains(&"clients/total".into()), "{names:?}");
    assert!(names.contains(&"uptime".into()) && names.contains(&"messages/sent".into()), "{names:?}");
}

// [MQTT-3.3.1-8] It is delivered with RETAIN 0 to those who follow, with 1 to those who come; always at QoS 0.
#[test]
fn it_waits_for_nobody() {
    let mut world = world();
    let away = world.connect(v5("away").expiry_s(1000));
    world.subscribe(away, "$SYS/#", Q2);
    world.wait_s(INTERVAL_S);
    assert!(
        std::iter::from_fn(|| world.next(away))
            .all(|packet| { matches!(packet, Packet::Publish(publish) if publish.qos() == Q0) })
    );
    world.cut(away);
    world.wait_s(10 * INTERVAL_S);
    assert_eq!(world.broker.statistics().queued_messages, 0);
    let back = world.connect(v5("away").resuming());
    world.expect_nothing(back);
}

#[test]
fn without_an_interval_there_is_none() {
    let mut world = World::new();
    let dashboard = Dashboard::new(&mut world);
    world.wait_s(1000);
    world.expect_nothing(dashboard.client);
    assert_eq!(world.broker.statistics().retained_messages, 0);
    assert_eq!(world.broker.next_deadline(), None);
}

#[test]
fn the_tree_takes_no_room_from_what_clients_retain_nor_they_from_it() {
    let limits = Limits { keep_alive_s: 0, retained_messages: 2, retained_bytes: 100, ..Limits::default() };
    let sys_interval = Some(Duration::from_secs(INTERVAL_S));
    let mut world = World::of(Config { limits, sys_interval, ..Config::default() });
    world.wait_s(INTERVAL_S);
    let own = world.broker.statistics();
    assert!(own.retained_messages > 2 && own.retained_bytes > 100);

    let sensor = world.connect(v5("sensor"));
    world.subscribe(sensor, "#", Q0);
    assert_eq!(world.publish_retained(sensor, "a", "1", Q1), ReasonCode::Success);
    assert_eq!(world.publish_retained(sensor, "b", &"1".repeat(97), Q1), ReasonCode::Success);
    assert_eq!(world.publish_retained(sensor, "c", "1", Q1), ReasonCode::QuotaExceeded);
    assert_eq!(world.publish_retained(sensor, "a", "12", Q1), ReasonCode::QuotaExceeded);
    // What the broker says of itself changes all the same, and gives nobody room by that.
    for uptime in ["10 seconds", "20 seconds"] {
        let message = world.broker.retained_message(&topic("$SYS/broker/uptime")).expect("a value");
        assert_eq!(str::from_utf8(message.payload()), Ok(uptime));
        world.wait_s(INTERVAL_S);
    }
    assert_eq!(world.publish_retained(sensor, "a", "12", Q1), ReasonCode::QuotaExceeded);
    assert_eq!(world.publish_retained(sensor, "b", "", Q1), ReasonCode::Success);
    assert_eq!(world.publish_retained(sensor, "c", &"1".repeat(97), Q1), ReasonCode::Success);
    assert_eq!(world.publish_retained(sensor, "d", "", Q1), ReasonCode::Success);
    assert_eq!(world.publish_retained(sensor, "d", "1", Q1), ReasonCode::QuotaExceeded);
}

#[test]
fn clients_and_sessions_are_counted() {
    let mut world = world();
    let mut dashboard = Dashboard::new(&mut world);
    let stays = world.connect(v5("stays").expiry_s(1000));
    let short = world.connect(v5("short").expiry_s(15));
    world.connect(v5("there"));
    world.send(stays, subscribe_to([filter("x", Q1), filter("$share/g/x", Q1)]));
    world.cut(stays);
    world.cut(short);
    dashboard.wait(&mut world);
    let clients = |dashboard: &Dashboard| {
        ["total", "connected", "disconnected", "maximum", "expired"]
            .map(|name| dashboard.number(&format!("clients/{name}")))
    };
    assert_eq!(clients(&dashboard), [4.0, 2.0, 2.0, 4.0, 0.0]);
    assert_eq!(dashboard.number("subscriptions/count"), 3.0);
    assert_eq!(dashboard.number("shared_subscriptions/count"), 1.0);
    dashboard.wait(&mut world);
    assert_eq!(clients(&dashboard), [3.0, 2.0, 1.0, 4.0, 1.0]);
}

#[test]
fn packets_messages_and_their_payloads_are_counted() {
    let mut world = world();
    let lamp = world.connect(v5("lamp").expiry_s(1000));
    world.subscribe(lamp, "x", Q1);
    let dimmer = world.connect(v5("dimmer"));
    for _ in 0..3 {
        world.publish(dimmer, "x", "12345", Q1);
        world.take_all(lamp);
    }
    world.cut(lamp);
    for _ in 0..4 {
        world.publish(dimmer, "x", "1234567890", Q1);
    }
    world.publish_retained(dimmer, "kept", "123", Q0);
    world.wait_s(INTERVAL_S);
    let number = |name: &str| unfollowed(&world, name);
    // Two CONNECT, SUBSCRIBE, eight PUBLISH, three PUBACK. Two CONNACK, SUBACK, seven PUBACK, three PUBLISH.
    assert_eq!(number("messages/received"), 14.0);
    assert_eq!(number("messages/sent"), 13.0);
    assert_eq!(number("publish/messages/received"), 8.0);
    assert_eq!(number("publish/messages/sent"), 3.0);
    assert_eq!(number("publish/bytes/received"), 3.0 * 5.0 + 4.0 * 10.0 + 3.0);
    assert_eq!(number("publish/bytes/sent"), 3.0 * 5.0);
    // Two wait; the queue has no room for the two others.
    assert_eq!(number("publish/messages/dropped"), 2.0);
    // The tree itself is retained as well.
    assert_eq!(number("retained messages/count"), 51.0 + 1.0);
    assert_eq!(number("store/messages/count"), 51.0 + 1.0 + 2.0);
    assert_eq!(number("messages/stored"), 51.0 + 1.0 + 2.0);
    assert!(number("store/messages/bytes") > 51.0 * 20.0 + 7.0 + 2.0 * 11.0);
}

#[test]
fn the_edge_adds_bytes_and_takes_back_what_it_dropped() {
    let mut world = world();
    let lamp = world.connect(v5("lamp"));
    world.subscribe(lamp, "x", Q0);
    for _ in 0..5 {
        world.publish(lamp, "x", "12345", Q0);
    }
    let traffic =
        Traffic { bytes_received: 1000, bytes_sent: 2000, messages_dropped: 2, payload_bytes_dropped: 10 };
    world.input(Input::Traffic(traffic));
    world.input(Input::Traffic(Traffic { bytes_sent: 1, ..Traffic::default() }));
    world.wait_s(INTERVAL_S);
    assert_eq!(unfollowed(&world, "bytes/received"), 1000.0);
    assert_eq!(unfollowed(&world, "bytes/sent"), 2001.0);
    assert_eq!(unfollowed(&world, "publish/messages/sent"), 3.0);
    assert_eq!(unfollowed(&world, "publish/bytes/sent"), 15.0);
    assert_eq!(unfollowed(&world, "publish/messages/dropped"), 2.0);
}

// As the load of a Unix system: it nears the rate, within its time to 63 percent of it.
#[test]
fn loads_are_averages_per_minute() {
    let mut world = world();
    world.wait_s(0);
    let mut dashboard = Dashboard::new(&mut world);
    let dimmer = world.connect(v5("dimmer"));
    let minute = |world: &mut World, dashboard: &mut Dashboard, publish: bool| {
        for _ in 0..6 {
            for _ in 0..if publish { 20 } else { 0 } {
                world.publish(dimmer, "x", "1", Q0);
            }
            dashboard.wait(world);
        }
    };
    let load = |dashboard: &Dashboard, minutes: u32| {
        dashboard.number(&format!("load/publish/received/{minutes}min"))
    };
    minute(&mut world, &mut dashboard, true);
    assert!((load(&dashboard, 1) - 120.0 * 0.632).abs() < 1.0, "{}", load(&dashboard, 1));
    assert!((load(&dashboard, 5) - 120.0 * 0.181).abs() < 1.0, "{}", load(&dashboard, 5));
    assert!((load(&dashboard, 15) - 120.0 * 0.0645).abs() < 1.0, "{}", load(&dashboard, 15));
    for _ in 0..14 {
        minute(&mut world, &mut dashboard, true);
    }
    assert!((load(&dashboard, 1) - 120.0).abs() < 0.1, "{}", load(&dashboard, 1));
    assert!((load(&dashboard, 15) - 120.0 * 0.632).abs() < 1.0, "{}", load(&dashboard, 15));
    for _ in 0..10 {
        minute(&mut world, &mut dashboard, false);
    }
    assert!(load(&dashboard, 1) < 0.02, "{}", load(&dashboard, 1));
    assert!((load(&dashboard, 15) - 120.0 * 0.632 * 0.513).abs() < 1.0, "{}", load(&dashboard, 15));
}

// A tick that comes late is one tick.
#[test]
fn time_that_nobody_noticed_counts_all_the_same() {
    let mut world = world();
    world.wait_s(0);
    let mut dashboard = Dashboard::new(&mut world);
    dashboard.read(&mut world);
    world.wait_unnoticed_s(600);
    world.wait_s(0);
    assert_eq!(dashboard.read(&mut world)["uptime"], "600 seconds");
    assert!(dashboard.number("load/connections/1min") < 0.2);
}
