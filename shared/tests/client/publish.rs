//! Publishing, through windows, limits and lost connections.

use crate::rig::{Rig, VERSIONS, accept, ack, encode, id, message, options, persistent, topic};
use luxwire_shared::{
    client::{Event, Message, Options, PublishError},
    mqtt::{
        Acknowledge, ConnackProperties, Packet, PublishProperties, QoS, ReasonCode, Suback, SubscriptionId,
        Version,
    },
};
use std::num::{NonZeroU16, NonZeroU32};

const NOTHING: [&str; 0] = [];

fn window(maximum: u16) -> ConnackProperties {
    ConnackProperties { receive_maximum: NonZeroU16::new(maximum), ..Default::default() }
}

fn acknowledged(rig: &mut Rig) -> Vec<(u64, ReasonCode)> {
    let answer = |event: Event| match event {
        Event::Acknowledged { token, reason } => Some((token.number(), reason)),
        _ => None,
    };
    rig.events().into_iter().filter_map(answer).collect()
}

#[test]
fn qos_0_goes_out_now_or_never() {
    let mut rig = Rig::new(options(Version::V5));
    assert_eq!(rig.publish("early", QoS::AtMostOnce), Err(PublishError::NotConnected));
    rig.greet(false, ConnackProperties::default());
    assert_eq!(rig.publish("now", QoS::AtMostOnce), Ok(None));
    assert_eq!(rig.sent_briefly(), ["PUBLISH \"now\""]);
    rig.cut();
    assert_eq!(rig.publish("late", QoS::AtMostOnce), Err(PublishError::NotConnected));
    rig.cut_and_wait_again();
    assert_eq!(rig.sent_briefly(), NOTHING, "nothing outdated follows");
}

impl Rig {
    fn cut_and_wait_again(&mut self) {
        self.after(self.client.next_deadline().unwrap() - self.now);
        self.greet(false, ConnackProperties::default());
    }
}

/// [MQTT-4.3.2-1] [MQTT-4.3.2-2]
#[test]
fn qos_1_is_acknowledged_once() {
    for version in VERSIONS {
        let mut rig = Rig::online(options(version));
        let (first, second) = (rig.token("a", QoS::AtLeastOnce), rig.token("b", QoS::AtLeastOnce));
        assert_eq!(rig.sent_briefly(), ["PUBLISH 1 \"a\"", "PUBLISH 2 \"b\""]);
        rig.server(Packet::Puback(ack(2)));
        rig.server(Packet::Puback(ack(1)));
        rig.server(Packet::Puback(ack(1)));
        let success = ReasonCode::Success;
        assert_eq!(acknowledged(&mut rig), [(second.number(), success), (first.number(), success)]);
    }
}

/// [MQTT-4.3.3-4] [MQTT-4.3.3-6]
#[test]
fn qos_2_takes_four_packets() {
    for version in VERSIONS {
        let mut rig = Rig::online(options(version));
        let token = rig.token("a", QoS::ExactlyOnce);
        rig.server(Packet::Pubrec(ack(1)));
        assert_eq!(rig.sent_briefly(), ["PUBLISH 1 \"a\"", "PUBREL 1"]);
        rig.server(Packet::Pubrec(ack(1)));
        assert_eq!(rig.sent_briefly(), ["PUBREL 1"], "a repeated PUBREC is answered again");
        assert_eq!(acknowledged(&mut rig), []);
        rig.server(Packet::Pubcomp(ack(1)));
        rig.server(Packet::Pubcomp(ack(1)));
        assert_eq!(acknowledged(&mut rig), [(token.number(), ReasonCode::Success)]);
    }
}

/// [MQTT-4.4.0-2]
#[test]
fn a_refusal_is_an_answer() {
    let mut rig = Rig::online(persistent(Version::V5));
    let (one, two) = (rig.token("a", QoS::AtLeastOnce), rig.token("b", QoS::ExactlyOnce));
    rig.server(Packet::Puback(Acknowledge::because(id(1), ReasonCode::NotAuthorized)));
    rig.server(Packet::Pubrec(Acknowledge::because(id(2), ReasonCode::QuotaExceeded)));
    assert_eq!(
        acknowledged(&mut rig),
        [(one.number(), ReasonCode::NotAuthorized), (two.number(), ReasonCode::QuotaExceeded)]
    );
    rig.sent();
    rig.cut_and_wait();
    rig.greet(true, ConnackProperties::default());
    assert_eq!(rig.sent_briefly(), NOTHING);
}

#[test]
fn an_unknown_pubrec_is_told_so() {
    let mut rig = Rig::online(options(Version::V5));
    rig.server(Packet::Pubrec(ack(77)));
    assert_eq!(rig.sent_briefly(), ["PUBREL 77 PacketIdentifierNotFound"]);
    rig.server(Packet::Pubrec(Acknowledge::because(id(77), ReasonCode::Unspecified)));
    assert_eq!(rig.sent_briefly(), NOTHING);
}

/// [MQTT-4.9.0-1] [MQTT-4.9.0-2] [MQTT-4.9.0-3]
#[test]
fn no_more_is_in_flight_than_the_server_takes() {
    let mut rig = Rig::online_with(options(Version::V5), window(2));
    for payload in ["a", "b", "c", "d"] {
        rig.token(payload, QoS::AtLeastOnce);
    }
    assert_eq!(rig.sent_briefly(), ["PUBLISH 1 \"a\"", "PUBLISH 2 \"b\""]);
    rig.publish("now", QoS::AtMostOnce).unwrap();
    assert_eq!(rig.sent_briefly(), ["PUBLISH \"now\""]);
    rig.server(Packet::Puback(ack(2)));
    assert_eq!(rig.sent_briefly(), ["PUBLISH 3 \"c\""]);
    rig.server(Packet::Puback(ack(1)));
    assert_eq!(rig.sent_briefly(), ["PUBLISH 4 \"d\""]);
}

#[test]
fn qos_2_leaves_flight_with_pubcomp_or_a_refusal() {
    let mut rig = Rig::online_with(options(Version::V5), window(1));
    for payload in ["a", "b", "c"] {
        rig.token(payload, QoS::ExactlyOnce);
    }
    rig.server(Packet::Pubrec(ack(1)));
    assert_eq!(rig.sent_briefly(), ["PUBLISH 1 \"a\"", "PUBREL 1"]);
    rig.server(Packet::Pubcomp(ack(1)));
    assert_eq!(rig.sent_briefly(), ["PUBLISH 2 \"b\""]);
    rig.server(Packet::Pubrec(Acknowledge::because(id(2), ReasonCode::Unspecified)));
    assert_eq!(rig.sent_briefly(), ["PUBLISH 3 \"c\""]);
}

/// [MQTT-4.4.0-1] [MQTT-4.6.0-1] [MQTT-3.3.1-1]
#[test]
fn a_resumed_session_repeats_what_is_in_flight_in_order_and_then_goes_on() {
    for version in [Version::V3_1_1, Version::V5] {
        let mut rig = Rig::online(persistent(version));
        rig.token("a", QoS::AtLeastOnce);
        rig.token("b", QoS::ExactlyOnce);
        rig.token("c", QoS::ExactlyOnce);
        rig.token("d", QoS::AtLeastOnce);
        rig.server(Packet::Pubrec(ack(2)));
        rig.server(Packet::Puback(ack(4)));
        rig.sent();
        rig.cut();
        rig.token("e", QoS::AtLeastOnce);
        rig.after(rig.client.next_deadline().unwrap() - rig.now);
        rig.greet(true, ConnackProperties::default());
        assert_eq!(
            rig.sent_briefly(),
            ["PUBLISH 1 \"a\" dup", "PUBREL 2", "PUBLISH 3 \"c\" dup", "PUBLISH 5 \"e\"",]
        );
        rig.after_ms(10_000);
        assert_eq!(rig.sent_briefly(), NOTHING, "and at no other time");
    }
}

#[test]
fn repeating_keeps_within_the_window() {
    let mut rig = Rig::online(persistent(Version::V5));
    for payload in ["a", "b", "c", "d"] {
        rig.token(payload, QoS::AtLeastOnce);
    }
    rig.sent();
    rig.cut_and_wait();
    rig.greet(true, window(2));
    assert_eq!(rig.sent_briefly(), ["PUBLISH 1 \"a\" dup", "PUBLISH 2 \"b\" dup"]);
    rig.token("e", QoS::AtLeastOnce);
    assert_eq!(rig.sent_briefly(), NOTHING);
    for (number, expected) in [(1, "PUBLISH 3 \"c\" dup"), (2, "PUBLISH 4 \"d\" dup"), (3, "PUBLISH 5 \"e\"")]
    {
        rig.server(Packet::Puback(ack(number)));
        assert_eq!(rig.sent_briefly(), [expected]);
    }
}

#[test]
fn a_server_that_acknowledges_out_of_turn_does_no_harm() {
    let mut rig = Rig::online(persistent(Version::V5));
    let tokens: Vec<u64> =
        ["a", "b", "c"].map(|payload| rig.token(payload, QoS::AtLeastOnce).number()).into();
    rig.sent();
    rig.cut_and_wait();
    rig.greet(true, window(1));
    rig.server(Packet::Puback(ack(3)));
    rig.server(Packet::Puback(ack(2)));
    rig.server(Packet::Puback(ack(1)));
    let answered: Vec<u64> = acknowledged(&mut rig).into_iter().map(|(token, _)| token).collect();
    assert_eq!(answered, [tokens[2], tokens[1], tokens[0]]);
    rig.token("d", QoS::AtLeastOnce);
    assert_eq!(rig.sent_briefly().last().unwrap(), "PUBLISH 4 \"d\"");
}

#[test]
fn a_server_that_acknowledges_everything_before_it_is_repeated_does_no_harm() {
    let mut rig = Rig::online(persistent(Version::V5));
    for payload in ["a", "b", "c"] {
        rig.token(payload, QoS::AtLeastOnce);
    }
    rig.sent();
    rig.cut_and_wait();
    rig.greet(true, window(1));
    assert_eq!(rig.sent_briefly(), ["PUBLISH 1 \"a\" dup"]);
    let acks = [3, 2, 1].into_iter().flat_map(|number| encode(&Packet::Puback(ack(number)), Version::V5));
    rig.server_bytes(acks.collect::<Vec<u8>>().into());
    rig.token("d", QoS::AtLeastOnce);
    assert_eq!(rig.sent_briefly(), ["PUBLISH 4 \"d\""]);
}

#[test]
fn a_lost_session_leaves_what_was_in_flight_to_the_application() {
    for version in VERSIONS {
        let mut rig = Rig::online(persistent(version));
        let first = rig.token("a", QoS::AtLeastOnce);
        let second = rig.token("b", QoS::ExactlyOnce);
        let third = rig.token("c", QoS::ExactlyOnce);
        rig.server(Packet::Pubrec(ack(2)));
        rig.cut();
        let waiting = rig.token("d", QoS::AtLeastOnce);
        assert!(matches!(rig.events().as_slice(), [Event::Lost { .. }]), "the session may still be there");
        rig.sent();
        rig.after(rig.client.next_deadline().unwrap() - rig.now);
        rig.greet(false, ConnackProperties::default());
        assert_eq!(rig.events(), [first, second, third].map(Event::Unsent));
        assert_eq!(rig.sent_briefly(), ["PUBLISH 4 \"d\""], "what was never sent is");
        rig.server(Packet::Puback(ack(4)));
        assert_eq!(acknowledged(&mut rig), [(waiting.number(), ReasonCode::Success)]);
    }
}

#[test]
fn without_a_session_the_application_hears_at_once() {
    for version in VERSIONS {
        let mut rig = Rig::online(options(version));
        let token = rig.token("a", QoS::AtLeastOnce);
        rig.cut();
        let events = rig.events();
        assert!(
            matches!(events[..], [Event::Lost { .. }, Event::Unsent(unsent)] if unsent == token),
            "{events:?}"
        );
        rig.sent();
        rig.after(rig.client.next_deadline().unwrap() - rig.now);
        rig.greet(false, ConnackProperties::default());
        assert_eq!((rig.events(), rig.sent_briefly()), (vec![], vec![]));
    }
}

#[test]
fn a_server_may_end_the_session_with_the_connection() {
    let ends = ConnackProperties { session_expiry_interval_s: Some(0), ..Default::default() };
    let mut rig = Rig::online_with(persistent(Version::V5), ends);
    let token = rig.token("a", QoS::AtLeastOnce);
    rig.cut();
    assert_eq!(rig.events().last(), Some(&Event::Unsent(token)));
}

#[test]
fn what_the_server_does_not_take_is_said_before_it_is_sent() {
    let server = ConnackProperties {
        maximum_qos: Some(QoS::AtLeastOnce),
        retain_available: Some(false),
        maximum_packet_size: NonZeroU32::new(30),
        ..Default::default()
    };
    let mut rig = Rig::online_with(options(Version::V5), server);
    assert_eq!(rig.publish("a", QoS::ExactlyOnce), Err(PublishError::QoSNotSupported)); // [MQTT-3.2.2-11]
    let retained = Message::retained(topic("t"), "a", QoS::AtMostOnce);
    assert_eq!(rig.client.publish(retained, rig.now), Err(PublishError::RetainNotSupported)); // [MQTT-3.2.2-14]
    // Fixed header 2, topic 3, no properties 1: 24 bytes of payload fill a packet of 30.
    assert_eq!(rig.publish(&"x".repeat(24), QoS::AtMostOnce), Ok(None));
    assert_eq!(rig.publish(&"x".repeat(25), QoS::AtMostOnce), Err(PublishError::TooLarge)); // [MQTT-3.2.2-15]
    assert_eq!(rig.publish(&"x".repeat(23), QoS::AtLeastOnce), Err(PublishError::TooLarge));
    assert_eq!(rig.sent().len(), 1);
}

#[test]
fn what_waited_for_a_server_that_does_not_take_it_is_refused_and_holds_nothing_up() {
    let mut rig = Rig::new(options(Version::V5));
    let too_high = rig.token("a", QoS::ExactlyOnce);
    let too_large = rig.token(&"x".repeat(100), QoS::AtLeastOnce);
    let fine = rig.token("b", QoS::AtLeastOnce);
    let server = ConnackProperties {
        maximum_qos: Some(QoS::AtLeastOnce),
        maximum_packet_size: NonZeroU32::new(30),
        ..Default::default()
    };
    rig.greet(false, server);
    assert_eq!(rig.sent_briefly(), ["PUBLISH 1 \"b\""]);
    rig.server(Packet::Puback(ack(1)));
    assert_eq!(
        acknowledged(&mut rig),
        [
            (too_high.number(), ReasonCode::QoSNotSupported),
            (too_large.number(), ReasonCode::PacketTooLarge),
            (fine.number(), ReasonCode::Success),
        ]
    );
}

#[test]
fn what_a_resumed_session_cannot_repeat_is_refused_and_holds_nothing_up() {
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let mut rig = Rig::online(persistent(Version::V5));
        let too_large = rig.token(&"x".repeat(100), qos);
        rig.token("b", qos);
        rig.sent();
        rig.cut_and_wait();
        rig.greet(true, ConnackProperties { maximum_packet_size: NonZeroU32::new(30), ..window(1) });
        assert_eq!(rig.sent_briefly(), ["PUBLISH 2 \"b\" dup"]);
        assert_eq!(acknowledged(&mut rig), [(too_large.number(), ReasonCode::PacketTooLarge)]);
    }
}

#[test]
fn the_queue_is_bounded_in_messages_and_in_bytes() {
    let mut few = Rig::new(Options { queue_messages_max: 2, ..options(Version::V5) });
    few.token("a", QoS::AtLeastOnce);
    few.token("b", QoS::AtLeastOnce);
    assert_eq!(few.publish("c", QoS::AtLeastOnce), Err(PublishError::Full));
    few.greet(false, ConnackProperties::default());
    assert_eq!(few.sent_briefly(), ["PUBLISH 1 \"a\"", "PUBLISH 2 \"b\""]);
    few.token("c", QoS::AtLeastOnce);

    let mut small = Rig::new(Options { queue_bytes_max: 10, ..options(Version::V5) });
    small.token(&"x".repeat(9), QoS::AtLeastOnce);
    assert_eq!(small.publish("", QoS::AtLeastOnce), Err(PublishError::Full));
    small.greet(false, ConnackProperties::default());
    small.token(&"x".repeat(9), QoS::AtLeastOnce);
}

#[test]
fn qos_0_does_not_pile_up_before_a_driver_that_does_not_write() {
    let mut rig = Rig::online(Options { unfetched_bytes_max: 100, ..options(Version::V5) });
    let published =
        std::iter::repeat_with(|| rig.client.publish(message("0123456789", QoS::AtMostOnce), rig.now))
            .take_while(Result::is_ok)
            .take(100)
            .count();
    assert!((6..=8).contains(&published), "{published}");
    rig.drive();
    assert_eq!(rig.publish("x", QoS::AtMostOnce), Ok(None));
}

/// [MQTT-3.3.4-6]
#[test]
fn what_came_with_a_subscription_identifier_goes_on_without() {
    let mut rig = Rig::online(options(Version::V5));
    let properties = PublishProperties {
        subscription_ids: vec![SubscriptionId::new(3).unwrap()],
        content_type: Some("text/plain".try_into().unwrap()),
        ..Default::default()
    };
    let message = Message { properties: Some(Box::new(properties)), ..message("a", QoS::AtMostOnce) };
    rig.client.publish(message, rig.now).unwrap();
    rig.drive();
    let [Packet::Publish(publish)] = &rig.sent()[..] else { panic!("one PUBLISH") };
    let sent = publish.properties.as_deref().unwrap();
    assert_eq!((sent.subscription_ids.len(), sent.content_type.as_deref()), (0, Some("text/plain")));
}

#[test]
fn a_stopped_client_takes_nothing() {
    let mut rig = Rig::online(options(Version::V5));
    rig.client.disconnect(rig.now);
    assert_eq!(rig.publish("a", QoS::AtLeastOnce), Err(PublishError::NotConnected));
}

#[test]
fn identifiers_are_never_shared_and_their_shortage_is_waited_out() {
    let all = Options {
        in_flight_max: NonZeroU16::MAX,
        queue_messages_max: 10,
        unfetched_bytes_max: usize::MAX,
        ..options(Version::V5)
    };
    let mut rig = Rig::online(all);
    let following = rig.subscribe(&["a"]);
    for _ in 0..u16::MAX - 1 {
        rig.token("x", QoS::AtLeastOnce);
    }
    let ids: std::collections::BTreeSet<u16> = rig
        .sent()
        .iter()
        .map(|packet| match packet {
            Packet::Publish(publish) => publish.delivery.packet_id().unwrap().number(),
            Packet::Subscribe(subscribe) => subscribe.id.number(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids.len(), usize::from(u16::MAX));

    rig.token("waits", QoS::AtLeastOnce);
    rig.subscribe(&["b"]);
    assert_eq!(rig.sent_briefly(), NOTHING);
    rig.server(Packet::Suback(Suback { id: id(1), properties: None, reasons: vec![ReasonCode::Success] }));
    assert!(matches!(&rig.events()[..], [Event::Subscribed { token, .. }] if *token == following));
    assert_eq!(rig.sent_briefly(), ["SUBSCRIBE 1 b"]);
    rig.server(Packet::Puback(ack(500)));
    assert_eq!(rig.sent_briefly(), ["PUBLISH 500 \"waits\""]);
}

#[test]
fn what_waits_goes_out_in_order_with_the_first_connection() {
    let mut rig = Rig::new(options(Version::V5));
    for payload in ["a", "b", "c"] {
        rig.token(payload, QoS::AtLeastOnce);
    }
    rig.open();
    assert_eq!(rig.sent_briefly(), NOTHING);
    rig.server(accept(false, ConnackProperties::default()));
    assert_eq!(rig.sent_briefly(), ["PUBLISH 1 \"a\"", "PUBLISH 2 \"b\"", "PUBLISH 3 \"c\""]);
}
