//! Section 3.1, CONNECT.

use crate::driver::{World, packets::*};
use luxwire_broker::{AliasesAllowed, CloseReason, Report};
use luxwire_shared::mqtt::{
    Acknowledge, Auth, Connack, ConnackProperties, Connect, DecodeError, Packet, ReasonCode, Suback,
    TextError, Unsuback, Version,
};
use std::time::Duration;

fn only_servers_send() -> Vec<Packet> {
    let connack = Connack {
        session_present: false,
        reason: ReasonCode::Success,
        properties: ConnackProperties::default(),
    };
    let reasons = vec![ReasonCode::Success];
    vec![
        Packet::Connack(Box::new(connack)),
        Packet::Suback(Suback { id: id(1), properties: None, reasons: reasons.clone() }),
        Packet::Unsuback(Unsuback { id: id(1), properties: None, reasons }),
        Packet::Pingresp,
    ]
}

// [MQTT-3.1.0-1] [MQTT-3.14.0-1]
#[test]
fn any_other_first_packet_ends_the_connection_without_a_word() {
    let mut packets = only_servers_send();
    packets.extend([
        Packet::Publish(publish("lights/1/intensity", "5", Q0)),
        puback(1),
        pubrec(1),
        pubrel(1),
        pubcomp(1),
        subscribe("#", Q0),
        unsubscribe(&["#"]),
        Packet::Pingreq,
        disconnect(ReasonCode::Success),
    ]);
    for packet in packets {
        let mut world = World::new();
        let client = world.open();
        world.send(client, packet);
        assert_eq!(world.expect_closed(client), CloseReason::ProtocolError);
        assert_eq!(world.broker.statistics(), luxwire_broker::Statistics::default());
    }
}

#[test]
fn a_connection_that_says_nothing_is_closed_in_time() {
    let mut world = World::with(|limits| limits.connect_timeout = Duration::from_secs(5));
    let client = world.open();
    world.wait(Duration::from_millis(4_999));
    world.expect_nothing(client);
    world.wait(Duration::from_millis(1));
    assert_eq!(world.expect_closed(client), CloseReason::ConnectTimeout);
}

// [MQTT-3.1.0-2] [MQTT-3.2.0-2]
#[test]
fn a_second_connect_is_a_protocol_error_and_the_will_is_published() {
    let mut world = World::new();
    let page = world.connect(v5("page"));
    world.subscribe(page, "lamp/#", Q0);
    let lamp = world.connect(v5("lamp").will(will("lamp/state", "offline")));
    world.send(lamp, Packet::Connect(Box::new(v5("lamp").into())));
    world.expect_disconnected(lamp, ReasonCode::ProtocolError);
    assert_eq!(world.take(page), ("lamp/state".into(), "offline".into()));
}

// [MQTT-4.13.1-1]
#[test]
fn what_only_servers_send_is_a_protocol_error() {
    for packet in only_servers_send() {
        let mut world = World::new();
        let client = world.connect(v5("a"));
        world.send(client, packet);
        world.expect_disconnected(client, ReasonCode::ProtocolError);
    }
}

// [MQTT-3.1.2-2]
#[test]
fn an_unknown_version_is_refused_in_words_that_every_client_reads() {
    let mut world = World::new();
    let client = world.open();
    let error = DecodeError::ProtocolLevel(6);
    world.send_malformed(client, None, error);
    assert_eq!(world.expect_connack(client).reason, ReasonCode::UnsupportedProtocolVersion);
    assert_eq!(world.expect_closed(client), CloseReason::Malformed(error));
}

// [MQTT-3.1.2-1] 3.1.1: [MQTT-3.1.2-1]
#[test]
fn an_unknown_protocol_is_closed_without_a_word() {
    let mut world = World::new();
    let client = world.open();
    world.send_malformed(client, None, DecodeError::ProtocolName);
    world.expect_closed(client);
}

// [MQTT-3.1.4-1] [MQTT-3.1.2-3] 3.1.1: [MQTT-3.1.4-1]
#[test]
fn a_malformed_connect_is_named_to_5_0_clients_only() {
    let mut world = World::new();
    let (new, old, unknown) = (world.open(), world.open(), world.open());
    world.send_malformed(new, Some(Version::V5), DecodeError::ConnectFlags);
    assert_eq!(world.expect_connack(new).reason, ReasonCode::MalformedPacket);
    world.expect_closed(new);
    world.send_malformed(old, Some(Version::V3_1_1), DecodeError::ConnectFlags);
    world.expect_closed(old);
    world.send_malformed(unknown, None, DecodeError::Truncated);
    world.expect_closed(unknown);
    // They are forgotten: the driver allows no further effect for a closed link.
    world.wait_s(1000);
    assert_eq!(world.broker.statistics().links, 0);
}

// [MQTT-1.5.4-1] [MQTT-4.13.1-1] [MQTT-4.13.2-1]
#[test]
fn malformed_bytes_after_connect_end_the_connection_with_their_reason() {
    let mut world = World::new();
    let page = world.connect(v5("page"));
    world.subscribe(page, "lamp/#", Q0);
    let lamp = world.connect(v5("lamp").will(will("lamp/state", "offline")));
    world.send_malformed(lamp, Some(Version::V5), DecodeError::Text(TextError::NotUtf8));
    world.expect_disconnected(lamp, ReasonCode::MalformedPacket);
    assert_eq!(world.take(page), ("lamp/state".into(), "offline".into()));
    let big = world.connect(v5("big"));
    world.send_malformed(big, Some(Version::V5), DecodeError::PacketTooLarge);
    world.expect_disconnected(big, ReasonCode::PacketTooLarge);
}

// [MQTT-3.1.3-2]
#[test]
fn two_identifiers_are_two_sessions() {
    let mut world = World::new();
    let a = world.connect(v5("a"));
    let b = world.connect(v5("b"));
    world.subscribe(a, "x", Q0);
    world.publish(b, "x", "1", Q0);
    assert_eq!(world.take_all(a).len(), 1);
    world.expect_nothing(b);
}

// [MQTT-3.1.3-5]
#[test]
fn short_and_long_identifiers_are_accepted() {
    for id in ["a", "0123456789abcdefghijklm", "0123456789ABCDEFGHIJKLM", &"x".repeat(1024)] {
        World::new().connect(v5(id));
    }
}

// [MQTT-3.1.3-8]
#[test]
fn an_identifier_that_is_too_long_is_refused() {
    let mut world = World::new();
    assert_eq!(world.refused(v5(&"x".repeat(1025))), ReasonCode::ClientIdentifierNotValid);
}

// [MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16]
#[test]
fn a_client_without_identifier_gets_one_of_its_own_and_can_come_back_with_it() {
    let mut world = World::new();
    let (a, connack) = world.connect_full(v5("").expiry_s(60));
    let assigned = connack.properties.assigned_client_id.expect("an identifier");
    assert_eq!(assigned.len(), 22);
    assert!(assigned.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let (b, connack) = world.connect_full(v5(""));
    assert_ne!(connack.properties.assigned_client_id.expect("an identifier"), assigned);
    world.expect_nothing(a);
    world.expect_nothing(b);
    world.cut(a);
    let (_, connack) = world.connect_full(v5(&assigned).resuming());
    assert!(connack.session_present);
    assert_eq!(connack.properties.assigned_client_id, None);
}

// [MQTT-3.2.2-16]
#[test]
fn an_assigned_identifier_is_not_one_in_use() {
    let mut world = World::new();
    world.nonce = Some(12345);
    let (first, connack) = world.connect_full(v5(""));
    let (second, next) = world.connect_full(v5(""));
    assert_ne!(connack.properties.assigned_client_id, next.properties.assigned_client_id);
    world.expect_nothing(first);
    world.expect_nothing(second);
}

// [MQTT-3.1.4-3] [MQTT-3.1.2-5]
#[test]
fn a_client_that_connects_again_takes_its_session_over() {
    let mut world = World::new();
    let old = world.connect(v5("page").expiry_s(60));
    world.subscribe(old, "x", Q1);
    let (new, connack) = world.connect_full(v5("page").resuming().expiry_s(60));
    world.expect_disconnected(old, ReasonCode::SessionTakenOver);
    assert!(connack.session_present);
    let other = world.connect(v5("other"));
    world.publish(other, "x", "1", Q1);
    assert_eq!(world.take_all(new).len(), 1);
    assert_eq!(world.broker.statistics().sessions, 2);
}

// [MQTT-3.1.4-4] [MQTT-3.1.2-4]
#[test]
fn a_clean_start_empties_the_session_that_it_takes_over() {
    let mut world = World::new();
    let old = world.connect(v5("page").expiry_s(60));
    world.subscribe(old, "x", Q1);
    let (new, connack) = world.connect_full(v5("page"));
    world.expect_disconnected(old, ReasonCode::SessionTakenOver);
    assert!(!connack.session_present); // [MQTT-3.2.2-2]
    let other = world.connect(v5("other"));
    world.publish(other, "x", "1", Q1);
    world.expect_nothing(new);
    assert_eq!(world.broker.statistics().subscriptions, 0);
}

// [MQTT-3.1.4-3] The session of a connection with expiry 0 ends with that connection, so that there is none to resume.
#[test]
fn a_session_with_expiry_0_does_not_outlive_a_take_over() {
    let mut world = World::new();
    let old = world.connect(v5("page"));
    world.subscribe(old, "x", Q1);
    let (_, connack) = world.connect_full(v5("page").resuming());
    world.expect_disconnected(old, ReasonCode::SessionTakenOver);
    assert!(!connack.session_present);
    assert_eq!(world.broker.statistics().subscriptions, 0);
}

// [MQTT-3.1.4-6] [MQTT-3.1.4-2]
#[test]
fn nothing_behind_a_refused_connect_is_processed() {
    let mut world = World::new();
    let page = world.connect(v5("page"));
    world.subscribe(page, "#", Q0);
    let refused = world.open();
    let with_method =
        v5("a").change(|connect| connect.properties.authentication_method = Some(text("SCRAM")));
    world.send(refused, Packet::Connect(Box::new(with_method.into())));
    world.send_publish(refused, publish("x", "1", Q1));
    assert_eq!(world.expect_connack(refused).reason, ReasonCode::BadAuthenticationMethod); // [MQTT-4.12.0-1]
    world.expect_closed(refused);
    world.expect_nothing(page);
}

// [MQTT-4.12.0-6] [MQTT-4.12.0-7]
#[test]
fn auth_without_a_method_in_connect_is_a_protocol_error() {
    let mut world = World::new();
    let (client, connack) = world.connect_full(v5("a"));
    assert_eq!(connack.properties.authentication_method, None);
    let properties = luxwire_shared::mqtt::AuthProperties {
        authentication_method: Some(text("SCRAM")),
        ..Default::default()
    };
    world.send(
        client,
        Packet::Auth(Auth { reason: ReasonCode::ReAuthenticate, properties: Some(Box::new(properties)) }),
    );
    world.expect_disconnected(client, ReasonCode::ProtocolError);
}

// [MQTT-3.1.3-1] [MQTT-3.1.2-7] [MQTT-3.1.2-19]
#[test]
fn a_connect_with_everything_in_it_is_accepted() {
    let mut world = World::new();
    let connect = v5("a").expiry_s(10).keep_alive_s(20).receive_maximum(5).will(delayed_will("w", "bye", 5));
    world.connect(connect.change(|connect: &mut Connect| {
        connect.user_name = Some(text("somebody"));
        connect.password = Some(vec![0, 255].into());
        connect.properties.topic_alias_maximum = Some(3);
        connect.properties.request_problem_information = Some(false);
        connect.properties.user_properties = vec![(text("a"), text("1")), (text("a"), text("2"))];
    }));
}

// [MQTT-3.1.2-22]
#[test]
fn silence_for_one_and_a_half_keep_alives_ends_the_connection() {
    let mut world = World::new();
    let page = world.connect(v5("page"));
    world.subscribe(page, "lamp/#", Q0);
    let lamp = world.connect(v5("lamp").keep_alive_s(10).will(will("lamp/state", "offline")));
    world.wait(Duration::from_millis(14_999));
    world.expect_nothing(lamp);
    world.wait(Duration::from_millis(1));
    world.expect_disconnected(lamp, ReasonCode::KeepAliveTimeout);
    assert_eq!(world.take(page), ("lamp/state".into(), "offline".into()));
}

// [MQTT-3.1.2-22] [MQTT-3.12.4-1]
#[test]
fn any_packet_from_the_client_counts_and_none_to_it() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp").keep_alive_s(10));
    world.subscribe(lamp, "x", Q0);
    let page = world.connect(v5("page"));
    for _ in 0..10 {
        world.wait_s(14);
        world.send(lamp, Packet::Pingreq);
        world.expect_packet(lamp, Packet::Pingresp);
    }
    world.wait_s(14);
    world.send(lamp, puback(77));
    world.wait_s(14);
    world.expect_nothing(lamp);
    world.publish(page, "x", "1", Q0);
    world.take(lamp);
    world.wait_s(1);
    world.expect_disconnected(lamp, ReasonCode::KeepAliveTimeout);
}

// [MQTT-3.1.2-22]
#[test]
fn a_keep_alive_of_0_never_ends_a_connection() {
    let mut world = World::new();
    let lamp = world.connect(v5("lamp"));
    world.wait_s(1_000_000);
    world.expect_nothing(lamp);
}

// [MQTT-3.1.2-21] [MQTT-3.2.2-22]
#[test]
fn the_keep_alive_of_the_server_governs_5_0_clients_that_ask_for_more() {
    for asked in [0, 61, 65535] {
        let mut world = World::with(|limits| limits.keep_alive_s = 60);
        let (client, connack) = world.connect_full(v5("a").keep_alive_s(asked));
        assert_eq!(connack.properties.server_keep_alive_s, Some(60));
        world.wait_s(89);
        world.expect_nothing(client);
        world.wait_s(1);
        world.expect_disconnected(client, ReasonCode::KeepAliveTimeout);
    }
    let mut world = World::with(|limits| limits.keep_alive_s = 60);
    let (client, connack) = world.connect_full(v5("a").keep_alive_s(60));
    assert_eq!(connack.properties.server_keep_alive_s, None);
    world.wait_s(90);
    world.expect_disconnected(client, ReasonCode::KeepAliveTimeout);
}

// [MQTT-3.1.2-24]
#[test]
fn a_client_that_does_not_even_take_connack_is_closed_without_one() {
    for size in 1..8 {
        let mut world = World::new();
        let client = world.open();
        world.send(client, Packet::Connect(Box::new(v5("a").packet_size(size).into())));
        assert_eq!(world.expect_closed(client), CloseReason::Limit(ReasonCode::PacketTooLarge));
        assert_eq!(world.broker.statistics().sessions, 0);
    }
    let mut world = World::new();
    let client = world.open();
    let with_method = v5("a").packet_size(4).change(|connect| {
        connect.properties.authentication_method = Some(text("SCRAM"));
    });
    world.send(client, Packet::Connect(Box::new(with_method.into())));
    world.expect_closed(client);
}

#[test]
fn who_connects_is_reported() {
    let mut world = World::new();
    let client = world.connect(v5("page"));
    let report = Report::Connected {
        link: client.0,
        client_id: "page".into(),
        version: Version::V5,
        session_present: false,
        aliases: AliasesAllowed { maximum: 0, bytes: 64 << 10, packet_size: None },
    };
    assert_eq!(world.reports(), [report]);
}

// [MQTT-3.3.4-1]
#[test]
fn an_acknowledgement_of_nothing_changes_nothing() {
    let mut world = World::new();
    let client = world.connect(v5("a"));
    world.send(client, puback(9));
    world.send(client, pubcomp(9));
    world.send(client, Packet::Pubrec(Acknowledge::because(id(9), ReasonCode::Unspecified)));
    world.expect_nothing(client);
}
