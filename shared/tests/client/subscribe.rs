//! Following topics, across servers that forget.

use crate::rig::{Rig, VERSIONS, follow, id, options, persistent};
use luxwire_shared::{
    client::{Event, Token},
    mqtt::{ConnackProperties, Packet, ReasonCode, Suback, Unsuback, Version},
};

const NOTHING: [&str; 0] = [];

fn suback(number: u16, reasons: &[ReasonCode]) -> Packet {
    Packet::Suback(Suback { id: id(number), properties: None, reasons: reasons.to_vec() })
}

fn unsuback(number: u16, reasons: &[ReasonCode]) -> Packet {
    Packet::Unsuback(Unsuback { id: id(number), properties: None, reasons: reasons.to_vec() })
}

fn answers(rig: &mut Rig) -> Vec<(Token, Vec<String>)> {
    let brief = |event: Event| match event {
        Event::Subscribed { token, answers } | Event::Unsubscribed { token, answers } => {
            let answers = answers.iter().map(|(filter, reason)| format!("{filter} {reason:?}"));
            Some((token, answers.collect()))
        }
        _ => None,
    };
    rig.events().into_iter().filter_map(brief).collect()
}

#[test]
fn a_subscription_is_answered_filter_by_filter() {
    for version in VERSIONS {
        let mut rig = Rig::online(options(version));
        let token = rig.subscribe(&["a", "b/#"]);
        assert_eq!(rig.sent_briefly(), ["SUBSCRIBE 1 a b/#"]);
        rig.server(suback(1, &[ReasonCode::GrantedQoS1, ReasonCode::Unspecified]));
        assert_eq!(answers(&mut rig), [(token, vec!["a GrantedQoS1".into(), "b/# Unspecified".into()])]);
    }
}

#[test]
fn what_is_wanted_before_there_is_a_connection_is_asked_for_then() {
    let mut rig = Rig::new(options(Version::V5));
    rig.subscribe(&["a"]);
    rig.subscribe(&["b"]);
    rig.greet(false, ConnackProperties::default());
    assert_eq!(rig.sent_briefly(), ["SUBSCRIBE 1 a", "SUBSCRIBE 2 b"]);
}

#[test]
fn a_server_that_forgot_is_asked_again_and_one_that_did_not_is_not() {
    let mut rig = Rig::online(persistent(Version::V5));
    let token = rig.subscribe(&["a", "b"]);
    rig.server(suback(1, &[ReasonCode::GrantedQoS1, ReasonCode::GrantedQoS1]));
    rig.sent();
    rig.events();

    rig.cut_and_wait();
    rig.greet(true, ConnackProperties::default());
    assert_eq!(rig.sent_briefly(), NOTHING);

    rig.cut_and_wait();
    rig.events();
    rig.greet(false, ConnackProperties::default());
    assert_eq!(rig.sent_briefly(), ["SUBSCRIBE 2 a b"]);
    rig.server(suback(2, &[ReasonCode::GrantedQoS1, ReasonCode::NotAuthorized]));
    assert_eq!(answers(&mut rig), [(token, vec!["a GrantedQoS1".into(), "b NotAuthorized".into()])]);
}

#[test]
fn what_was_not_answered_is_asked_again_even_in_a_resumed_session() {
    let mut rig = Rig::online(persistent(Version::V5));
    rig.subscribe(&["a"]);
    rig.server(suback(1, &[ReasonCode::GrantedQoS1]));
    rig.subscribe(&["b"]);
    rig.unsubscribe(&["a"]);
    assert_eq!(rig.sent_briefly(), ["SUBSCRIBE 1 a", "SUBSCRIBE 2 b", "UNSUBSCRIBE 3 a"]);
    rig.cut_and_wait();
    rig.greet(true, ConnackProperties::default());
    let again = rig.sent_briefly();
    assert_eq!(
        again.iter().map(|packet| packet.split_once(' ').unwrap().0).collect::<Vec<_>>(),
        ["SUBSCRIBE", "UNSUBSCRIBE"]
    );
}

#[test]
fn a_filter_that_is_given_up_is_not_asked_for_again() {
    for version in VERSIONS {
        let mut rig = Rig::online(options(version));
        rig.subscribe(&["a", "b"]);
        rig.server(suback(1, &[ReasonCode::GrantedQoS1, ReasonCode::GrantedQoS1]));
        rig.events();
        let token = rig.unsubscribe(&["a"]);
        let reasons = if version == Version::V5 { &[ReasonCode::Success][..] } else { &[] };
        rig.server(unsuback(2, reasons));
        assert_eq!(answers(&mut rig), [(token, vec!["a Success".into()])]);
        rig.sent();
        rig.cut_and_wait();
        rig.greet(false, ConnackProperties::default());
        assert_eq!(rig.sent_briefly(), ["SUBSCRIBE 3 b"]);
    }
}

#[test]
fn a_filter_that_is_taken_again_is_asked_for_once() {
    let mut rig = Rig::online(options(Version::V5));
    rig.subscribe(&["a", "b"]);
    rig.server(suback(1, &[ReasonCode::GrantedQoS1, ReasonCode::GrantedQoS1]));
    let replacing = rig.subscribe(&["a"]);
    rig.server(suback(2, &[ReasonCode::GrantedQoS1]));
    rig.sent();
    rig.events();
    rig.cut_and_wait();
    rig.greet(false, ConnackProperties::default());
    assert_eq!(rig.sent_briefly(), ["SUBSCRIBE 3 b", "SUBSCRIBE 4 a"]);
    rig.server(suback(4, &[ReasonCode::GrantedQoS1]));
    assert_eq!(answers(&mut rig), [(replacing, vec!["a GrantedQoS1".into()])]);
}

#[test]
fn every_request_is_answered_even_if_it_is_outdated_before_it_is_sent() {
    let mut rig = Rig::new(options(Version::V5));
    let first = rig.subscribe(&["a"]);
    let second = rig.unsubscribe(&["a"]);
    let third = rig.subscribe(&["a"]);
    rig.greet(false, ConnackProperties::default());
    assert_eq!(rig.sent_briefly(), ["SUBSCRIBE 1 a", "UNSUBSCRIBE 2 a", "SUBSCRIBE 3 a"]);
    rig.server(suback(1, &[ReasonCode::Success]));
    rig.server(unsuback(2, &[ReasonCode::Success]));
    rig.server(suback(3, &[ReasonCode::Success]));
    let tokens: Vec<Token> = answers(&mut rig).into_iter().map(|(token, _)| token).collect();
    assert_eq!(tokens, [first, second, third]);
    rig.cut_and_wait();
    rig.greet(false, ConnackProperties::default());
    assert_eq!(rig.sent_briefly(), ["SUBSCRIBE 4 a"]);
}

#[test]
fn what_the_server_does_not_have_is_not_asked_for() {
    let poor = ConnackProperties {
        wildcard_subscription_available: Some(false),
        shared_subscription_available: Some(false),
        ..Default::default()
    };
    let mut rig = Rig::online_with(options(Version::V5), poor);
    rig.subscribe(&["a/#", "b", "$share/g/c"]);
    assert_eq!(rig.sent_briefly(), ["SUBSCRIBE 1 b"]);
    rig.server(suback(1, &[ReasonCode::GrantedQoS1]));
    rig.subscribe(&["+"]);
    let said: Vec<Vec<String>> = answers(&mut rig).into_iter().map(|(_, answers)| answers).collect();
    assert_eq!(
        said,
        [
            vec![
                "a/# WildcardSubscriptionsNotSupported".to_owned(),
                "b GrantedQoS1".into(),
                "$share/g/c SharedSubscriptionsNotSupported".into()
            ],
            vec!["+ WildcardSubscriptionsNotSupported".into()],
        ]
    );
    assert_eq!(rig.sent_briefly(), NOTHING);

    rig.cut_and_wait();
    rig.greet(false, ConnackProperties::default());
    assert_eq!(
        rig.sent_briefly(),
        ["SUBSCRIBE 2 a/# b $share/g/c", "SUBSCRIBE 3 +"],
        "another server may have it"
    );
}

#[test]
fn a_request_too_large_for_the_server_is_refused_here() {
    let small =
        ConnackProperties { maximum_packet_size: std::num::NonZeroU32::new(40), ..Default::default() };
    let mut rig = Rig::online_with(options(Version::V5), small);
    let token = rig.subscribe(&[&"a".repeat(50)]);
    rig.subscribe(&["b"]);
    assert_eq!(rig.sent_briefly(), ["SUBSCRIBE 2 b"]);
    let said = answers(&mut rig);
    assert_eq!((said[0].0, said.len()), (token, 1));
    assert!(said[0].1[0].ends_with("PacketTooLarge"));
}

#[test]
fn impossible_and_empty_requests_are_answered_here() {
    let mut rig = Rig::online(options(Version::V5));
    let mut impossible = follow("$share/g/a");
    impossible.no_local = true;
    rig.client.subscribe([impossible], rig.now);
    rig.subscribe(&[]);
    rig.unsubscribe(&[]);
    rig.drive();
    assert_eq!(rig.sent_briefly(), NOTHING);
    let said: Vec<Vec<String>> = answers(&mut rig).into_iter().map(|(_, answers)| answers).collect();
    assert_eq!(said, [vec!["$share/g/a ProtocolError".to_owned()], vec![], vec![]]);
}

#[test]
fn an_answer_to_another_question_is_an_error_and_one_to_none_is_ignored() {
    for wrong in [suback(1, &[ReasonCode::Success; 3]), suback(1, &[ReasonCode::Success])] {
        let mut rig = Rig::online(options(Version::V5));
        rig.subscribe(&["a", "b"]);
        rig.sent();
        rig.server(wrong);
        assert_eq!(rig.sent_briefly(), ["DISCONNECT ProtocolError"]);
    }
    let mut rig = Rig::online(options(Version::V5));
    rig.server(suback(9, &[ReasonCode::Success]));
    rig.server(unsuback(9, &[ReasonCode::Success]));
    assert!(rig.client.is_online());
}

#[test]
fn requests_that_are_never_answered_use_up_no_identifiers() {
    const REQUESTS: usize = 1_000;
    let mut rig = Rig::online(persistent(Version::V5));
    for _ in 0..REQUESTS {
        rig.subscribe(&["a"]);
    }
    for _ in 0..=usize::from(u16::MAX) / REQUESTS {
        rig.sent();
        rig.cut_and_wait();
        rig.greet(true, ConnackProperties::default());
    }
    assert_eq!(rig.sent().len(), REQUESTS);
}
