//! Section 4.7: topic names and filters.

use crate::driver::{World, packets::*};
use luxwire_shared::mqtt::ReasonCode;

/// Whether a subscriber to `filter` gets what is published to `name`, live and retained.
fn reaches(filter: &str, name: &str) -> bool {
    let mut world = World::new();
    let (early, late) = (world.connect(v5("early")), world.connect(v5("late")));
    world.subscribe(early, filter, Q0);
    let dimmer = world.connect(v5("dimmer"));
    world.publish_retained(dimmer, name, "1", Q0);
    world.subscribe(late, filter, Q0);
    let (live, kept) = (world.take_all(early).len(), world.take_all(late).len());
    assert_eq!(live, kept, "{filter} and {name}: live and retained disagree");
    live == 1
}

// [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-4] [MQTT-3.3.2-3] Also the examples of sections 4.7.1.2 and 4.7.1.3.
#[test]
fn filters_match_as_the_specification_says() {
    let matching = [
        ("sport/tennis/player1/#", "sport/tennis/player1"),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking"),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"),
        ("sport/#", "sport"),
        ("#", "sport/tennis/player1"),
        ("#", "/"),
        ("sport/tennis/+", "sport/tennis/player1"),
        ("sport/+", "sport/"),
        ("+/+", "/finance"),
        ("/+", "/finance"),
        ("+/tennis/#", "sport/tennis/player1/ranking"),
        ("a//b", "a//b"),
        ("a/+/b", "a//b"),
        ("a/", "a/"),
        ("+", "é"),
        ("é/x", "é/x"),
        ("+/x/#", "é/x"),
        ("\u{FEFF}a", "\u{FEFF}a"),
        ("a b/+", "a b/c d"),
    ];
    for (filter, name) in matching {
        assert!(reaches(filter, name), "{filter} matches {name}");
    }
    let different = [
        ("sport/tennis/+", "sport/tennis/player1/ranking"),
        ("sport/+", "sport"),
        ("+", "/finance"),
        ("a//b", "a/b"),
        ("a", "/a"),
        ("/a", "a"),
        ("a", "a/"),
        ("a/", "a"),
        ("A", "a"),
        ("a", "A"),
        ("é", "e\u{301}"),
        ("a", "\u{FEFF}a"),
        ("a/#", "ab"),
        ("a/b/#", "a"),
        ("+/b", "a/c"),
        ("a/+/c", "a/b/d"),
    ];
    for (filter, name) in different {
        assert!(!reaches(filter, name), "{filter} does not match {name}");
    }
}

// [MQTT-4.7.2-1]
#[test]
fn wildcards_at_the_top_do_not_see_names_that_begin_with_a_dollar() {
    for filter in ["#", "+/x", "+/#", "+"] {
        assert!(!reaches(filter, "$house/x"), "{filter}");
        assert!(!reaches(filter, "$house"), "{filter}");
    }
    for filter in ["$house/#", "$house/+", "$house/x"] {
        assert!(reaches(filter, "$house/x"), "{filter}");
    }
    assert!(reaches("a/+", "a/$x"));
    assert!(reaches("+/$x", "a/$x"));
}

// [MQTT-4.7.2-1] What is below `$SYS` is the broker's own.
#[test]
fn clients_do_not_publish_below_sys() {
    let mut world = World::new();
    let page = world.connect(v5("page"));
    assert_eq!(world.subscribe(page, "$SYS/#", Q2), ReasonCode::GrantedQoS2);
    let client = world.connect(v5("a"));
    for qos in [Q1, Q2] {
        assert_eq!(world.publish(client, "$SYS/broker/uptime", "1", qos), ReasonCode::TopicNameInvalid);
    }
    world.publish_retained(client, "$SYS", "1", Q0);
    world.expect_nothing(page);
    assert_eq!(world.broker.statistics().retained_messages, 0);
    // A 3.1.1 client cannot be told, and is acknowledged. 3.1.1: [MQTT-3.3.5-2]
    let old = world.connect(v3("old"));
    world.send_publish(old, publish("$SYS/x", "1", Q1));
    world.expect_packet(old, puback(1));
    world.expect_nothing(page);
    // `$SYSTEM` is somebody else's.
    assert!(reaches("$SYSTEM", "$SYSTEM"));
    for name in ["$", "$share/x/y", "$CONTROL"] {
        world.publish_retained(client, name, "1", Q1);
    }
}

// [MQTT-4.7.3-3]
#[test]
fn the_longest_and_deepest_topics_work() {
    let mut world = World::new();
    let page = world.connect(v5("page"));
    world.subscribe(page, "#", Q0);
    world.subscribe(page, "+/+/+/#", Q0);
    let names = ["/".repeat(65_535), "a/".repeat(32_767), "x".repeat(65_535)];
    for name in &names {
        world.publish_retained(page, name, "1", Q0);
        assert_eq!(world.take(page).0, *name);
    }
    let late = world.connect(v5("late"));
    world.subscribe(late, "#", Q0);
    assert_eq!(world.take_all(late).len(), 3);
    world.subscribe(late, &"+/".repeat(127), Q0);
    world.expect_nothing(late);
    for name in &names {
        world.publish_retained(page, name, "", Q0);
    }
    assert_eq!(world.broker.statistics().retained_messages, 0);
}

#[test]
fn filters_that_are_too_deep_or_too_long_are_refused() {
    let mut world = World::new();
    let client = world.connect(v5("a"));
    for refused in ["/".repeat(128), "+/".repeat(30_000), "/".repeat(65_535), "x".repeat(4097)] {
        assert_eq!(world.subscribe(client, &refused, Q0), ReasonCode::TopicFilterInvalid);
    }
    for granted in ["/".repeat(127), "x".repeat(4096)] {
        assert_eq!(world.subscribe(client, &granted, Q0), ReasonCode::Success);
    }
    world.send(client, subscribe_to([filter(&"/".repeat(128), Q1), filter("x", Q1)]));
    let reasons = world.expect_suback(client).reasons;
    assert_eq!(reasons, [ReasonCode::TopicFilterInvalid, ReasonCode::GrantedQoS1]);
    world.expect_nothing(client);
}
