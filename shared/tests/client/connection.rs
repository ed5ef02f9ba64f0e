//! Connecting, staying connected, and coming back.

use crate::rig::{Rig, VERSIONS, accept, encode, options, persistent, refuse};
use bytes::Bytes;
use luxwire_shared::{
    client::{Cause, ConnectionState, Event, Options, Retry},
    mqtt::{
        Connack, ConnackProperties, Disconnect, DisconnectProperties, Packet, QoS, ReasonCode, Text, Version,
        Will,
    },
    time::Instant,
};
use std::{collections::BTreeSet, num::NonZeroU32, time::Duration};

fn lost(events: &[Event]) -> Option<(Cause, Instant)> {
    events.iter().find_map(|event| match event {
        Event::Lost { cause, retry_at } => Some((*cause, *retry_at)),
        _ => None,
    })
}

#[test]
fn connect_says_what_the_options_say() {
    for version in VERSIONS {
        let will = Will {
            topic: crate::rig::topic("lights/desk/availability"),
            payload: Bytes::from_static(b"offline"),
            qos: QoS::AtLeastOnce,
            retain: true,
            properties: Default::default(),
        };
        let mut rig = Rig::new(Options {
            keep_alive_s: 33,
            will: Some(will.clone()),
            user_name: Some(Text::from_static("ann")),
            password: Some(Bytes::from_static(b"secret")),
            ..options(version)
        });
        assert_eq!(rig.opens, 1);
        let connect = rig.open();
        assert_eq!(connect.version, version);
        assert_eq!(connect.client_id.as_str(), "desk");
        assert_eq!(connect.keep_alive_s, 33);
        assert_eq!(connect.will.as_deref(), Some(&will));
        assert_eq!(connect.user_name.as_deref(), Some("ann"));
        assert_eq!(connect.password.as_deref(), Some(&b"secret"[..]));
        assert!(connect.clean_start);
        assert_eq!(connect.properties.maximum_packet_size.is_some(), version == Version::V5);
    }
}

#[test]
fn a_client_is_online_once_the_server_accepts() {
    for version in VERSIONS {
        let mut rig = Rig::new(options(version));
        rig.open();
        assert_eq!(rig.client.state(), ConnectionState::Connecting);
        rig.server(accept(false, ConnackProperties::default()));
        assert_eq!(rig.client.state(), ConnectionState::Online);
        assert!(matches!(rig.events().as_slice(), [Event::Connected { session_present: false, .. }]));
    }
}

#[test]
fn each_version_asks_for_its_session_in_its_own_way() {
    let clean = |options: Options, session_present: bool| {
        let mut rig = Rig::new(options);
        let first = rig.greet(session_present, ConnackProperties::default());
        rig.cut_and_wait();
        (first.clean_start, rig.open().clean_start)
    };
    for version in VERSIONS {
        assert_eq!(clean(options(version), false), (true, true), "no session");
        assert_eq!(clean(persistent(version), false), (false, false), "a session");
        let begins_clean = Options { clean_start: true, ..persistent(version) };
        assert_eq!(clean(begins_clean, false), (true, false), "a session that begins clean");
    }
    assert_eq!(clean(persistent(Version::V5), true), (false, false));
    let nameless = Options { client_id: Text::new(), ..persistent(Version::V3_1_1) };
    assert_eq!(clean(nameless, false), (true, true), "before 5.0 no session without an identifier");
}

#[test]
fn an_assigned_identifier_is_used_again() {
    let mut rig = Rig::new(Options { client_id: Text::new(), ..persistent(Version::V5) });
    let assigned =
        ConnackProperties { assigned_client_id: Some(Text::from_static("x17")), ..Default::default() };
    assert_eq!(rig.greet(false, assigned).client_id.as_str(), "");
    rig.cut_and_wait();
    assert_eq!(rig.open().client_id.as_str(), "x17");
}

#[test]
fn a_refusal_for_good_is_not_repeated_at_once() {
    for reason in [
        ReasonCode::UnsupportedProtocolVersion,
        ReasonCode::ClientIdentifierNotValid,
        ReasonCode::BadUserNameOrPassword,
        ReasonCode::NotAuthorized,
    ] {
        for version in VERSIONS {
            let mut rig = Rig::new(options(version));
            rig.open();
            rig.server(refuse(reason));
            assert_eq!(rig.closes, 1);
            let ConnectionState::Refused { reason: said, retry_at: Some(retry_at) } = rig.client.state()
            else {
                panic!("{:?}", rig.client.state());
            };
            assert_eq!(said, reason);
            let pause = retry_at - rig.now;
            assert!((60..=75).contains(&pause.as_secs()), "{pause:?}");
            assert!(matches!(rig.events().as_slice(), [Event::Refused { .. }]));
            rig.after(pause - Duration::from_millis(1));
            assert_eq!(rig.opens, 1);
            rig.after_ms(1);
            assert_eq!(rig.opens, 2);
        }
    }
}

#[test]
fn a_refused_client_may_be_told_to_wait_for_a_person() {
    let retry = Retry { refused: None, ..Retry::default() };
    let mut rig = Rig::new(Options { retry, ..options(Version::V5) });
    rig.open();
    rig.server(Packet::Connack(Box::new(Connack {
        session_present: false,
        reason: ReasonCode::Banned,
        properties: ConnackProperties {
            reason_string: Some(Text::from_static("go away")),
            ..Default::default()
        },
    })));
    assert_eq!(rig.client.next_deadline(), None);
    assert_eq!(
        rig.events(),
        [Event::Refused {
            reason: ReasonCode::Banned,
            explanation: Some(Text::from_static("go away")),
            retry_at: None
        }]
    );
    rig.client.reconnect_now(rig.now);
    rig.drive();
    assert_eq!(rig.opens, 2);
}

#[test]
fn a_refusal_for_now_is_tried_again_soon() {
    let mut rig = Rig::new(options(Version::V5));
    rig.open();
    rig.server(refuse(ReasonCode::ServerBusy));
    let (cause, retry_at) = lost(&rig.events()).unwrap();
    assert_eq!(cause, Cause::Server(ReasonCode::ServerBusy));
    assert!(retry_at - rig.now <= Duration::from_millis(500));
    assert_eq!(rig.client.state(), ConnectionState::Waiting { until: retry_at });
}

#[test]
fn pauses_grow_up_to_a_bound_and_begin_anew_after_a_good_connection() {
    let mut rig = Rig::new(Options { seed: 7, ..options(Version::V5) });
    let mut bound = Duration::from_millis(500);
    let mut longest = Duration::ZERO;
    for _ in 0..40 {
        rig.cut();
        let pause = rig.client.next_deadline().unwrap() - rig.now;
        assert!(pause >= Duration::from_millis(100) && pause <= bound, "{pause:?} of {bound:?}");
        longest = longest.max(pause);
        bound = (bound * 2).min(Duration::from_secs(15));
        rig.after(pause);
    }
    assert!(longest > Duration::from_secs(10), "the bound is reached: {longest:?}");

    rig.greet(false, ConnackProperties::default());
    rig.after_ms(9_999);
    rig.cut_and_wait();
    rig.greet(false, ConnackProperties::default());
    rig.after_ms(10_000);
    rig.cut();
    assert!(rig.client.next_deadline().unwrap() - rig.now <= Duration::from_millis(500));
}

#[test]
fn a_connection_that_dies_young_does_not_shorten_the_pauses() {
    let mut pauses = Duration::ZERO;
    let mut rig = Rig::new(options(Version::V5));
    for _ in 0..20 {
        rig.greet(false, ConnackProperties::default());
        rig.after_ms(5_000);
        rig.cut();
        let pause = rig.client.next_deadline().unwrap() - rig.now;
        pauses += pause;
        rig.after(pause);
    }
    assert!(pauses > Duration::from_secs(60), "{pauses:?}");
}

#[test]
fn clients_come_back_one_by_one() {
    let pause = |seed| {
        let mut rig = Rig::new(Options { seed, ..options(Version::V5) });
        rig.cut();
        rig.client.next_deadline().unwrap() - rig.now
    };
    let pauses: BTreeSet<Duration> = (0..100).map(pause).collect();
    assert!(pauses.len() > 90);
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    for answer_transport in [false, true] {
        let mut rig = Rig::new(options(Version::V5));
        if answer_transport {
            rig.after_ms(4_000);
            rig.open();
        }
        rig.after(rig.client.next_deadline().unwrap() - rig.now);
        assert_eq!(rig.now.since(Instant::from_millis(5_000)), Duration::from_secs(10));
        assert_eq!(lost(&rig.events()).unwrap().0, Cause::ConnectTimeout);
        assert_eq!(rig.closes, 1);
    }
}

#[test]
fn silence_is_answered_by_a_ping_and_more_silence_is_death() {
    for version in VERSIONS {
        let mut rig = Rig::online(options(version));
        rig.after_ms(14_999);
        assert_eq!(rig.sent_briefly(), [""; 0]);
        rig.after_ms(1);
        assert_eq!(rig.sent_briefly(), ["PINGREQ"]);
        rig.after_ms(14_999);
        assert!(rig.client.is_online());
        rig.after_ms(1);
        assert_eq!(lost(&rig.events()).unwrap().0, Cause::KeepAlive, "1.5 times 20 s");
        assert_eq!(rig.closes, 1);
        assert_eq!(rig.sent_briefly(), [""; 0]);
    }
}

#[test]
fn an_answer_or_any_other_byte_is_life() {
    let mut rig = Rig::online(options(Version::V5));
    for round in 0..10 {
        rig.after_ms(15_000);
        assert_eq!(rig.sent_briefly(), ["PINGREQ"]);
        rig.after_ms(14_000);
        let pingresp = encode(&Packet::Pingresp, Version::V5);
        rig.server_bytes(if round % 2 == 0 { pingresp.clone() } else { pingresp.slice(..1) });
        if round % 2 == 1 {
            rig.server_bytes(pingresp.slice(1..));
        }
    }
    assert!(rig.client.is_online());
}

#[test]
fn talking_does_not_hide_that_nobody_answers() {
    let mut rig = Rig::online(options(Version::V5));
    for _ in 0..30 {
        rig.publish("x", QoS::AtMostOnce).ok();
        rig.after_ms(1_000);
    }
    assert_eq!(lost(&rig.events()).unwrap().0, Cause::KeepAlive);
}

#[test]
fn listening_does_not_keep_the_server_waiting() {
    let mut rig = Rig::online(options(Version::V5));
    for second in 1..=60 {
        rig.server(crate::rig::from_server(luxwire_shared::mqtt::Delivery::AtMostOnce, "x"));
        rig.after_ms(1_000);
        let pings = rig.sent_briefly();
        assert_eq!(pings.len(), usize::from(second % 15 == 0), "second {second}: {pings:?}");
    }
}

#[test]
fn a_timer_that_slept_asks_before_it_gives_up() {
    let mut rig = Rig::online(options(Version::V5));
    rig.after_ms(3_600_000);
    assert_eq!(rig.sent_briefly(), ["PINGREQ"]);
    assert!(rig.client.is_online());
    rig.server(Packet::Pingresp);
    rig.after_ms(14_000);
    assert!(rig.client.is_online());
}

/// [MQTT-3.2.2-21]
#[test]
fn the_servers_keep_alive_counts() {
    let server =
        |keep_alive_s| ConnackProperties { server_keep_alive_s: Some(keep_alive_s), ..Default::default() };
    let mut rig = Rig::online_with(options(Version::V5), server(4));
    rig.after_ms(3_000);
    assert_eq!(rig.sent_briefly(), ["PINGREQ"]);

    let mut patient = Rig::online_with(options(Version::V5), server(0));
    patient.after_ms(100_000_000);
    assert_eq!(patient.sent_briefly(), [""; 0]);
    assert_eq!(patient.client.next_deadline(), None);
}

#[test]
fn a_meant_ending_says_goodbye_and_stays() {
    for version in VERSIONS {
        let mut rig = Rig::online(options(version));
        rig.client.disconnect(rig.now);
        rig.drive();
        assert_eq!(rig.sent_briefly(), ["DISCONNECT"]);
        assert_eq!((rig.closes, rig.client.state()), (1, ConnectionState::Stopped));
        assert_eq!(rig.client.next_deadline(), None);
        rig.cut();
        rig.after_ms(1_000_000);
        assert_eq!((rig.opens, rig.events().len()), (1, 0));
        rig.client.reconnect_now(rig.now);
        rig.drive();
        assert_eq!(rig.opens, 2);
    }
}

#[test]
fn a_client_stops_from_anywhere() {
    let mut opening = Rig::new(options(Version::V5));
    opening.client.disconnect(opening.now);
    opening.drive();
    assert_eq!((opening.closes, opening.client.state()), (1, ConnectionState::Stopped));

    let mut waiting = Rig::new(options(Version::V5));
    waiting.cut();
    waiting.client.disconnect(waiting.now);
    waiting.after_ms(100_000);
    assert_eq!((waiting.opens, waiting.closes), (1, 0));
}

#[test]
fn better_times_are_used_at_once() {
    let mut rig = Rig::online(options(Version::V5));
    rig.cut();
    rig.client.reconnect_now(rig.now);
    rig.drive();
    assert_eq!(rig.opens, 2);
    rig.greet(false, ConnackProperties::default());

    rig.client.reconnect_now(rig.now);
    rig.client.reconnect_now(rig.now);
    rig.drive();
    assert_eq!(rig.sent_briefly(), ["PINGREQ"], "a connection that stands is asked once");
    assert_eq!(rig.opens, 2);
}

#[test]
fn a_client_that_was_pushed_out_does_not_push_back() {
    let mut rig = Rig::online(options(Version::V5));
    rig.server(Packet::Disconnect(Disconnect::because(ReasonCode::SessionTakenOver)));
    assert_eq!(rig.closes, 1);
    assert_eq!(
        rig.client.state(),
        ConnectionState::Refused { reason: ReasonCode::SessionTakenOver, retry_at: None }
    );
    rig.after_ms(100_000_000);
    assert_eq!(rig.opens, 1);
}

#[test]
fn a_server_that_stops_is_awaited() {
    for reason in [ReasonCode::ServerShuttingDown, ReasonCode::Success, ReasonCode::AdministrativeAction] {
        let mut rig = Rig::online(options(Version::V5));
        rig.server(Packet::Disconnect(Disconnect::because(reason)));
        assert_eq!(lost(&rig.events()).unwrap().0, Cause::Server(reason));
        rig.after_ms(500);
        assert_eq!(rig.opens, 2);
    }
}

#[test]
fn a_ban_explains_itself() {
    let mut rig = Rig::online(options(Version::V5));
    let reason_string = Some(Text::from_static("too loud"));
    let properties = Some(Box::new(DisconnectProperties { reason_string, ..Default::default() }));
    rig.server(Packet::Disconnect(Disconnect { reason: ReasonCode::NotAuthorized, properties }));
    let events = rig.events();
    assert!(
        matches!(&events[..], [Event::Refused { explanation: Some(words), .. }] if &**words == "too loud")
    );
}

#[test]
fn a_server_that_breaks_the_rules_is_left_with_a_word() {
    let broken = |rig: &mut Rig| (lost(&rig.events()).map(|lost| lost.0), rig.sent_briefly(), rig.closes);
    let protocol = Some(Cause::Protocol(ReasonCode::ProtocolError));

    for intruder in [Packet::Pingreq, Packet::Pingresp, accept(false, ConnackProperties::default())] {
        let mut rig = Rig::online(options(Version::V5));
        rig.server(intruder.clone());
        if intruder != Packet::Pingresp {
            assert_eq!(
                broken(&mut rig),
                (protocol, vec!["DISCONNECT ProtocolError".into()], 1),
                "{intruder:?}"
            );
        }

        let mut early = Rig::new(options(Version::V5));
        early.open();
        if intruder.packet_type() != luxwire_shared::mqtt::PacketType::Connack {
            early.server(intruder);
            assert_eq!(broken(&mut early).0, protocol, "before CONNACK");
        }
    }

    let mut old = Rig::online(options(Version::V3_1_1));
    old.server_bytes(Bytes::from_static(&[0xE0, 0]));
    assert_eq!(
        broken(&mut old),
        (protocol, vec![], 1),
        "before 5.0 nobody can be told, and no server says goodbye"
    );

    let mut garbled = Rig::online(options(Version::V5));
    garbled.server_bytes(Bytes::from_static(&[0x00, 0]));
    let (cause, sent, _) = broken(&mut garbled);
    assert!(matches!(cause, Some(Cause::Malformed(_))));
    assert_eq!(sent, ["DISCONNECT MalformedPacket"]);
}

#[test]
fn a_packet_larger_than_allowed_is_not_awaited() {
    let mut rig = Rig::online(Options { packet_size_max: 1_000, ..options(Version::V5) });
    rig.server_bytes(Bytes::from_static(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F]));
    assert_eq!(rig.sent_briefly(), ["DISCONNECT PacketTooLarge"]);
    assert_eq!(rig.closes, 1);
}

/// [MQTT-3.2.2-4]
#[test]
fn a_session_that_nobody_asked_for_is_not_taken() {
    let mut rig = Rig::new(options(Version::V5));
    rig.open();
    rig.server(accept(true, ConnackProperties::default()));
    assert_eq!(lost(&rig.events()).unwrap().0, Cause::Protocol(ReasonCode::ProtocolError));
    assert_eq!(rig.sent_briefly(), ["DISCONNECT ProtocolError"]);
}

#[test]
fn a_server_that_takes_no_packets_is_not_taken() {
    let mut rig = Rig::new(options(Version::V5));
    rig.open();
    let tiny = ConnackProperties { maximum_packet_size: NonZeroU32::new(3), ..Default::default() };
    rig.server(accept(false, tiny));
    assert_eq!(lost(&rig.events()).unwrap().0, Cause::Protocol(ReasonCode::PacketTooLarge));
}

#[test]
fn options_that_no_connect_can_say_are_refused_without_a_loop() {
    let password = Some(Bytes::from_static(b"alone"));
    let mut rig = Rig::new(Options { password, ..options(Version::V3_1_1) });
    rig.client.transport_opened(rig.now);
    rig.drive();
    assert!(matches!(rig.client.state(), ConnectionState::Refused { retry_at: None, .. }));
    assert_eq!(rig.closes, 1);
}

#[test]
fn what_a_transport_says_after_its_end_is_not_heard() {
    let mut rig = Rig::online(options(Version::V5));
    rig.cut();
    rig.events();
    rig.server(Packet::Pingreq);
    rig.cut();
    rig.client.transport_opened(rig.now);
    rig.drive();
    assert_eq!((rig.events(), rig.sent_briefly(), rig.closes), (vec![], vec![], 0));
}

#[test]
fn what_was_written_before_a_close_is_fetched_before_the_next_opening() {
    let mut rig = Rig::online(options(Version::V5));
    rig.client.disconnect(rig.now);
    rig.client.reconnect_now(rig.now);
    let actions: Vec<String> =
        std::iter::from_fn(|| rig.client.poll_action()).map(|a| format!("{a:?}")).collect();
    assert_eq!(actions.len(), 3);
    assert!(actions[0].starts_with("Write") && actions[1] == "Close" && actions[2] == "Open", "{actions:?}");
}

#[test]
fn a_password_is_not_printed() {
    let password = Some(Bytes::from_static(b"hunter2"));
    let rig = Rig::new(Options { password, ..options(Version::V5) });
    assert!(!format!("{:?}", rig.client).contains("hunter2"));
}
