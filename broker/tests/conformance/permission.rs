//! Who may read and write what, at each place where it matters. Section 5.4.2.

use crate::driver::{Client, World, packets::*};
use luxwire_broker::{Access, Config, Limits, Permissions, Refusal, Report, Rule, Visitor};
use luxwire_shared::mqtt::{Acknowledge, Packet, QoS, ReasonCode, Version};
use std::time::Duration;

/// `read FILTER`, `write FILTER`, `both FILTER`, `deny FILTER`.
fn rules(lines: &[&str]) -> Vec<Rule> {
    let rule = |line: &&str| {
        let (access, name) = line.split_once(' ').expect("ACCESS FILTER");
        let access = match access {
            "read" => Access::Read,
            "write" => Access::Write,
            "both" => Access::ReadWrite,
            "deny" => Access::Deny,
            other => panic!("{other}"),
        };
        Rule { filter: filter(name, Q0).filter.filter, access }
    };
    lines.iter().map(rule).collect()
}

/// Anonymous clients have these rules; `root` may do everything.
fn world(anonymous: &[&str]) -> World {
    with(Permissions { anonymous: rules(anonymous), ..Permissions::default() })
}

fn with(permissions: Permissions) -> World {
    World::of(Config {
        limits: Limits { keep_alive_s: 0, ..Limits::default() },
        permissions: Some(Permissions { unrestricted: Some(text("root")), ..permissions }),
        sys_interval: Some(Duration::from_secs(10)),
        ..Config::default()
    })
}

fn connect_as(world: &mut World, user: &str, connecting: Connecting) -> Client {
    world.visitor = Visitor::User(text(user));
    let client = world.connect(connecting);
    world.visitor = Visitor::Anybody;
    client
}

fn root(world: &mut World) -> Client {
    connect_as(world, "root", v5("root"))
}

fn topics(world: &mut World, client: Client) -> Vec<String> {
    world.take_all(client).into_iter().map(|(topic, _)| topic).collect()
}

const QUALITIES: [QoS; 3] = [Q0, Q1, Q2];

#[test]
fn what_may_not_be_published_is_refused_and_reaches_nobody() {
    for qos in QUALITIES {
        let mut world = world(&["write a/#", "read b/#", "deny a/secret/#"]);
        let root = root(&mut world);
        world.subscribe(root, "#", Q2);
        let client = world.connect(v5("c"));
        for (name, allowed) in [
            ("a/x", true),
            ("a", true),
            ("b/x", false),
            ("c", false),
            ("a/secret", false),
            ("a/secret/x", false),
        ] {
            let reason = world.publish_retained(client, name, "1", qos);
            if qos != Q0 {
                let expected = if allowed { ReasonCode::Success } else { ReasonCode::NotAuthorized };
                assert_eq!(reason, expected, "{name}");
            }
            assert_eq!(topics(&mut world, root), if allowed { vec![name] } else { vec![] }, "{name}");
            assert_eq!(world.broker.retained_message(&topic(name)).is_some(), allowed, "{name}");
            let refused = world.reports().iter().any(|report| {
                matches!(report, Report::PublishRefused { reason: ReasonCode::NotAuthorized, .. })
            });
            assert_eq!(refused, !allowed, "{name}");
        }
    }
}

// 3.1.1: [MQTT-3.3.5-2]
#[test]
fn before_5_0_a_message_that_may_not_be_published_is_acknowledged_and_dropped() {
    for spoken in [Version::V3_1, Version::V3_1_1] {
        let mut world = world(&["write a"]);
        let root = root(&mut world);
        world.subscribe(root, "#", Q2);
        let client = world.connect(version(spoken, "c"));
        for qos in QUALITIES {
            assert_eq!(world.publish(client, "b", "1", qos), ReasonCode::Success);
        }
        // Its client goes on with the handshake, and may use the identifier again.
        world.send_publish(client, publish_with_id("b", "1", Q2, 7));
        world.expect_packet(client, pubrec(7));
        world.send(client, pubrel(7));
        world.expect_packet(client, pubcomp(7));
        world.expect_nothing(client);
        world.expect_nothing(root);
        world.publish(client, "a", "1", Q2);
        assert_eq!(topics(&mut world, root), ["a"]);
    }
}

#[test]
fn what_is_refused_counts_as_dropped() {
    let mut world = world(&[]);
    let root = root(&mut world);
    world.subscribe(root, "$SYS/broker/publish/messages/dropped", Q0);
    world.take_all(root);
    let client = world.connect(v5("c"));
    for qos in QUALITIES {
        world.publish(client, "a", "1", qos);
    }
    world.wait_s(10);
    assert_eq!(world.take(root).1, "3");
}

#[test]
fn an_alias_that_is_refused_is_introduced_all_the_same() {
    let mut world = world(&["write a"]);
    let client = world.connect(v5("c"));
    let aliased = |name: Option<&str>| {
        let alias = luxwire_shared::mqtt::TopicAlias(std::num::NonZeroU16::MIN);
        let topic = match name {
            Some(name) => luxwire_shared::mqtt::PublishTopic::NameAndAlias(topic(name), alias),
            None => luxwire_shared::mqtt::PublishTopic::Alias(alias),
        };
        luxwire_shared::mqtt::Publish { topic, ..publish("x", "1", Q1) }
    };
    assert_eq!(world.publish_packet(client, aliased(Some("b"))), ReasonCode::NotAuthorized);
    assert_eq!(world.publish_packet(client, aliased(None)), ReasonCode::NotAuthorized);
    assert_eq!(world.publish_packet(client, aliased(Some("a"))), ReasonCode::NoMatchingSubscribers);
    assert_eq!(world.publish_packet(client, aliased(None)), ReasonCode::NoMatchingSubscribers);
}

#[test]
fn a_filter_is_refused_if_nothing_that_it_matches_may_be_read() {
    let mut world = world(&["both #", "deny test/nosubscribe", "deny safe/#", "read $SYS/broker/uptime"]);
    for (connecting, refused) in
        [(v5("five"), ReasonCode::NotAuthorized), (v3("three"), ReasonCode::Unspecified)]
    {
        let client = world.connect(connecting);
        for name in ["test/nosubscribe", "safe/#", "safe", "safe/+", "+/nosubscribe/x/safe"] {
            let expected = if name.starts_with('+') { ReasonCode::Success } else { refused };
            assert_eq!(world.subscribe(client, name, Q0), expected, "{name}");
            let shared = format!("$share/group/{name}");
            assert_eq!(world.subscribe(client, &shared, Q0), expected, "{shared}");
        }
        for name in ["#", "test/+", "+/nosubscribe", "$SYS/#", "$SYS/broker/uptime"] {
            assert_eq!(world.subscribe(client, name, Q1), ReasonCode::GrantedQoS1, "{name}");
        }
        assert_eq!(world.subscribe(client, "$SYS/broker/clients/#", Q0), refused);
        world.take_all(client);
        // Nothing came of what was refused.
        let root = root(&mut world);
        world.publish(root, "test/nosubscribe", "1", Q1);
        world.publish(root, "safe/x", "1", Q1);
        world.expect_nothing(client);
        world.publish(root, "test/x", "1", Q1);
        assert!(!world.take_all(client).is_empty());
    }
}

#[test]
fn only_those_of_several_filters_are_refused_that_must_be() {
    let mut world = world(&["read a/#"]);
    let client = world.connect(v5("c"));
    world.send(client, subscribe_to([filter("a/b", Q1), filter("b", Q1), filter("#", Q2)]));
    let suback = world.expect_suback(client);
    assert_eq!(suback.reasons, [ReasonCode::GrantedQoS1, ReasonCode::NotAuthorized, ReasonCode::GrantedQoS2]);
    assert!(suback.properties.is_some_and(|properties| properties.reason_string.is_some()));
}

#[test]
fn what_may_not_be_read_is_not_delivered_even_by_a_wider_filter() {
    for qos in QUALITIES {
        let mut world = world(&["read a/#", "deny a/secret"]);
        let (root, client) = (root(&mut world), world.connect(v5("c")));
        world.send(client, subscribe_to([filter("#", Q2), filter("+/+", Q1), filter("a/+", Q0)]));
        world.expect_suback(client);
        for name in ["b/x", "a/secret", "c"] {
            world.publish(root, name, "1", qos);
        }
        world.expect_nothing(client);
        if qos == Q1 {
            // Whom it may not reach does not count as a receiver.
            assert_eq!(world.publish(root, "b/x", "1", Q1), ReasonCode::NoMatchingSubscribers);
        }
        world.publish(root, "a/x", "1", qos);
        assert_eq!(topics(&mut world, client), ["a/x"]);
    }
}

#[test]
fn what_may_not_be_read_does_not_wait_for_a_client_that_is_away() {
    let mut world = world(&["read a/#"]);
    let root = root(&mut world);
    let client = world.connect(v5("c").expiry_s(100));
    world.subscribe(client, "#", Q1);
    world.cut(client);
    world.publish(root, "a/x", "1", Q1);
    world.publish(root, "b/x", "1", Q1);
    assert_eq!(world.broker.statistics().queued_messages, 1);
    let client = world.connect(v5("c").expiry_s(100).resuming());
    assert_eq!(topics(&mut world, client), ["a/x"]);
}

#[test]
fn what_may_not_be_read_is_left_out_of_retained_messages() {
    let mut world = world(&["read a/#", "read c/+/y", "deny a/secret/#"]);
    let root = root(&mut world);
    for name in ["a", "a/secret", "a/secret/x", "a/x", "b", "c/x", "c/x/y", "d/secret"] {
        world.publish_retained(root, name, "1", Q1);
    }
    let client = world.connect(v5("c"));
    world.subscribe(client, "#", Q1);
    assert_eq!(topics(&mut world, client), ["a", "a/x", "c/x/y"]);
}

#[test]
fn of_a_group_only_those_get_a_message_who_may_read_it() {
    for qos in QUALITIES {
        let permissions = Permissions {
            anonymous: rules(&["read jobs/#"]),
            users: [(text("half"), rules(&["read jobs/open/#"]))].into(),
            ..Permissions::default()
        };
        let mut world = with(permissions);
        let root = root(&mut world);
        let half = connect_as(&mut world, "half", v5("half"));
        let whole = world.connect(v5("whole"));
        for client in [half, whole] {
            assert!(!world.subscribe(client, "$share/g/jobs/#", Q2).is_failure());
        }
        for _ in 0..4 {
            world.publish(root, "jobs/closed", "1", qos);
        }
        world.expect_nothing(half);
        assert_eq!(topics(&mut world, whole).len(), 4);
        for _ in 0..4 {
            world.publish(root, "jobs/open/x", "1", qos);
        }
        assert_eq!((topics(&mut world, half).len(), topics(&mut world, whole).len()), (2, 2));
        world.cut(whole);
        if qos == Q1 {
            let reason = world.publish(root, "jobs/closed", "1", Q1);
            assert_eq!(reason, ReasonCode::NoMatchingSubscribers);
        }
        world.expect_nothing(half);
    }
}

#[test]
fn what_waits_for_a_member_is_not_passed_on_to_one_who_may_not_read_it() {
    let permissions = Permissions {
        anonymous: rules(&["read jobs/#"]),
        patterns: rules(&["read jobs/%u"]),
        ..Permissions::default()
    };
    let mut world = with(permissions);
    let root = root(&mut world);
    let whole = world.connect(v5("whole").expiry_s(100));
    world.subscribe(whole, "$share/g/jobs/#", Q1);
    world.cut(whole);
    world.publish(root, "jobs/bert", "1", Q1);
    world.publish(root, "jobs/anna", "2", Q1);
    let anna = connect_as(&mut world, "anna", v5("anna"));
    world.subscribe(anna, "$share/g/jobs/#", Q1);
    assert_eq!(topics(&mut world, anna), ["jobs/anna"]);
}

// [MQTT-3.1.4-2] 3.1.1: [MQTT-3.1.4-1] is about what CONNECT looks like; here it looks well and is not permitted.
#[test]
fn a_will_that_may_not_be_published_is_refused_with_its_connect() {
    let mut world = world(&["write home/+/availability", "deny home/safe/#"]);
    for name in ["x", "home/safe/availability", "$SYS/x"] {
        let expected =
            if name.starts_with('$') { ReasonCode::TopicNameInvalid } else { ReasonCode::NotAuthorized };
        assert_eq!(world.refused(v5("c").will(will(name, "bye"))), expected);
    }
    assert_eq!(world.refused(v3("c").will(will("x", "bye"))), ReasonCode::NotAuthorized);
    assert_eq!(world.broker.statistics().sessions, 0);
    let root = root(&mut world);
    world.subscribe(root, "#", Q0);
    let client = world.connect(v5("c").will(will("home/lamp/availability", "bye")));
    world.cut(client);
    assert_eq!(topics(&mut world, root), ["home/lamp/availability"]);
}

#[test]
fn nobody_takes_over_another_users_session() {
    let mut world = world(&["read #"]);
    let root = connect_as(&mut world, "root", v5("panel").expiry_s(100));
    world.subscribe(root, "#", Q1);
    for user in [Visitor::Anybody, Visitor::User(text("eve"))] {
        for connecting in [v5("panel"), v5("panel").resuming(), v3("panel")] {
            world.visitor = user.clone();
            assert_eq!(world.refused(connecting), ReasonCode::NotAuthorized);
            world.expect_nothing(root);
        }
    }
    world.visitor = Visitor::Anybody;
    world.cut(root);
    assert_eq!(world.refused(v5("panel")), ReasonCode::NotAuthorized);
    let visitor = Visitor::User(text("root"));
    world.visitor = visitor;
    let (_, connack) = world.connect_full(v5("panel").resuming());
    assert!(connack.session_present);
}

#[test]
fn whoever_takes_a_session_that_was_nobodys_sees_only_what_it_may_read() {
    let permissions = Permissions {
        anonymous: rules(&["read #"]),
        users: [(text("anna"), rules(&["read a/#"]))].into(),
        ..Permissions::default()
    };
    let mut world = with(permissions);
    let root = root(&mut world);
    let client = world.connect(v5("panel").expiry_s(100).receive_maximum(2));
    world.subscribe(client, "#", Q2);
    // Two are on their way, unacknowledged; the others wait.
    for (name, qos) in [("b/1", Q1), ("b/2", Q2), ("b/3", Q1), ("a/4", Q1)] {
        world.publish(root, name, "1", qos);
    }
    world.cut(client);
    let anna = connect_as(&mut world, "anna", v5("panel").expiry_s(100).resuming());
    world.publish(root, "b/5", "1", Q1);
    world.publish(root, "a/6", "1", Q1);
    assert_eq!(topics(&mut world, anna), ["a/4", "a/6"]);
    assert_eq!(world.broker.statistics().in_flight_messages, 0);
}

#[test]
fn names_open_their_own_part_of_the_tree_and_no_other() {
    let patterns = rules(&["both users/%u/#", "both devices/%c/+", "read %c/x"]);
    let mut world = with(Permissions { patterns, ..Permissions::default() });
    let root = root(&mut world);
    world.subscribe(root, "users/#", Q0);
    world.subscribe(root, "devices/#", Q0);
    let anna = connect_as(&mut world, "anna", v5("lamp"));
    for (name, allowed) in [
        ("users/anna/a/b", true),
        ("devices/lamp/on", true),
        ("users/bert/a", false),
        ("devices/other/on", false),
        ("devices/lamp/a/b", false),
    ] {
        let expected = if allowed { ReasonCode::Success } else { ReasonCode::NotAuthorized };
        assert_eq!(world.publish(anna, name, "1", Q1), expected, "{name}");
    }
    for (user, client_id) in [("#", "#"), ("+", "+"), ("anna/a", "lamp/x"), ("a/#", "/"), ("$SYS", "$SYS")] {
        let client = connect_as(&mut world, user, v5(client_id));
        for name in ["users/anna/a", "devices/lamp/on", "devices/lamp/x/on", "users/anna/a/b"] {
            assert_eq!(world.publish(client, name, "1", Q1), ReasonCode::NotAuthorized, "{user} {name}");
        }
        // `$SYS` is a name like another, but not at the top.
        for (name, granted) in [("#", user == "$SYS"), ("devices/lamp/on", false), ("$SYS/#", false)] {
            assert_eq!(!world.subscribe(client, name, Q0).is_failure(), granted, "{user} {name}");
        }
        world.publish(root, "devices/lamp/on", "1", Q1);
        world.publish(root, "users/anna/a", "1", Q1);
        world.expect_nothing(client);
    }
}

#[test]
fn what_is_below_sys_needs_a_rule_of_its_own() {
    let permissions = Permissions {
        anonymous: rules(&["read #"]),
        users: [(text("anna"), rules(&["read $SYS/broker/uptime"]))].into(),
        ..Permissions::default()
    };
    let mut world = with(permissions);
    let client = world.connect(v5("c"));
    assert_eq!(world.subscribe(client, "$SYS/#", Q0), ReasonCode::NotAuthorized);
    let anna = connect_as(&mut world, "anna", v5("anna"));
    assert_eq!(world.subscribe(anna, "$SYS/#", Q0), ReasonCode::Success);
    world.wait_s(10);
    let seen = topics(&mut world, anna);
    assert!(!seen.is_empty() && seen.iter().all(|name| name == "$SYS/broker/uptime"), "{seen:?}");
    world.expect_nothing(client);
}

#[test]
fn a_refusal_may_be_without_its_reason() {
    let permissions = Permissions { refusal: Refusal::Unspecified, ..Permissions::default() };
    let mut world = with(permissions);
    let client = world.connect(v5("c"));
    assert_eq!(world.subscribe(client, "test/nosubscribe", Q0), ReasonCode::Unspecified);
    assert_eq!(world.publish(client, "a", "1", Q1), ReasonCode::Unspecified);
    assert_eq!(world.publish(client, "a", "1", Q2), ReasonCode::Unspecified);
    // The operator is told.
    let refused = world
        .reports()
        .into_iter()
        .filter(|report| matches!(report, Report::PublishRefused { reason: ReasonCode::NotAuthorized, .. }));
    assert_eq!(refused.count(), 2);
}

#[test]
fn a_second_publish_with_the_same_identifier_is_judged_anew_after_a_refusal() {
    let mut world = world(&["write a"]);
    let client = world.connect(v5("c"));
    world.send_publish(client, publish_with_id("b", "1", Q2, 3));
    let Packet::Pubrec(pubrec) = world.expect(client) else { panic!("expected PUBREC") };
    assert_eq!(pubrec.reason, ReasonCode::NotAuthorized);
    world.send_publish(client, publish_with_id("a", "1", Q2, 3));
    world.expect_packet(
        client,
        Packet::Pubrec(Acknowledge::because(id(3), ReasonCode::NoMatchingSubscribers)),
    );
}
