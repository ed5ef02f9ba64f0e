//! The bookkeeping of QoS 1 and 2: what is sent again after a resumption, and when.

use luxwire_shared::mqtt::{
    PacketId, QoS,
    flow::{Incoming, Outgoing, Received, Stage},
};
use proptest::{collection, prelude::*};
use std::num::NonZeroU16;

const Q1: QoS = QoS::AtLeastOnce;
const Q2: QoS = QoS::ExactlyOnce;

fn window(messages: u16) -> NonZeroU16 {
    NonZeroU16::new(messages).expect("not 0")
}

/// What is sent again until the window is full.
fn resent(outgoing: &mut Outgoing<&'static str>) -> Vec<(u16, Stage<&'static str>)> {
    std::iter::from_fn(|| outgoing.resend().map(|(id, stage)| (id.number(), stage.cloned()))).collect()
}

#[test]
fn nothing_is_sent_again_before_a_resumption() {
    let mut outgoing = Outgoing::new(window(5));
    outgoing.send(Q1, "a");
    assert!(!outgoing.is_resending());
    assert_eq!(resent(&mut outgoing), []);
}

// [MQTT-4.4.0-1] [MQTT-4.6.0-1]
#[test]
fn everything_unacknowledged_is_sent_again_in_order() {
    let mut outgoing = Outgoing::new(window(5));
    let ids = [(Q1, "a"), (Q2, "b"), (Q2, "c"), (Q1, "d")]
        .map(|(qos, message)| outgoing.send(qos, message).expect("room"));
    assert_eq!(outgoing.pubrec(ids[1], false), Received::Release(Some("b")));
    assert_eq!(outgoing.puback(ids[0]), Some("a"));
    for _ in 0..2 {
        outgoing.resume();
        let expected =
            [(2, Stage::AwaitsPubcomp), (3, Stage::AwaitsPubrec("c")), (4, Stage::AwaitsPuback("d"))];
        assert_eq!(resent(&mut outgoing), expected);
        assert!(!outgoing.is_resending());
    }
}

// [MQTT-3.3.4-9] [MQTT-3.3.4-10]
#[test]
fn a_smaller_window_lets_only_pubrel_pass() {
    let mut outgoing = Outgoing::new(window(5));
    let ids = ["a", "b", "c"].map(|message| outgoing.send(Q2, message).expect("room"));
    assert_eq!(outgoing.pubrec(ids[2], false), Received::Release(Some("c")));
    outgoing.set_window(window(1));
    outgoing.resume();
    assert_eq!(resent(&mut outgoing), [(1, Stage::AwaitsPubrec("a")), (3, Stage::AwaitsPubcomp)]);
    assert!(outgoing.is_resending() && !outgoing.has_room());
    assert!(outgoing.pubcomp(ids[2]));
    assert_eq!(resent(&mut outgoing), []);
    assert_eq!(outgoing.pubrec(ids[0], true), Received::Refused("a"));
    assert_eq!(resent(&mut outgoing), [(2, Stage::AwaitsPubrec("b"))]);
    assert!(!outgoing.has_room());
    assert_eq!(outgoing.pubrec(ids[1], false), Received::Release(Some("b")));
    assert!(outgoing.pubcomp(ids[1]) && outgoing.has_room() && outgoing.is_empty());
}

#[test]
fn what_is_acknowledged_first_is_not_sent_again() {
    let mut outgoing = Outgoing::new(window(5));
    let ids = [(Q1, "a"), (Q2, "b"), (Q2, "c"), (Q1, "d")]
        .map(|(qos, message)| outgoing.send(qos, message).expect("room"));
    outgoing.set_window(window(1));
    outgoing.resume();
    assert_eq!(outgoing.puback(ids[0]), Some("a"));
    assert_eq!(outgoing.pubrec(ids[1], true), Received::Refused("b"));
    // This one needs a PUBREL now, which counts as sent.
    assert_eq!(outgoing.pubrec(ids[2], false), Received::Release(Some("c")));
    assert_eq!(resent(&mut outgoing), []);
    assert!(outgoing.pubcomp(ids[2]));
    assert_eq!(resent(&mut outgoing), [(4, Stage::AwaitsPuback("d"))]);
}

#[test]
fn an_acknowledgement_of_the_wrong_kind_changes_nothing() {
    let mut outgoing = Outgoing::new(window(5));
    let first = outgoing.send(Q1, "a").expect("room");
    let second = outgoing.send(Q2, "b").expect("room");
    assert_eq!(outgoing.pubrec(first, false), Received::Unknown);
    assert_eq!(outgoing.pubrec(first, true), Received::Unknown);
    assert_eq!(outgoing.puback(second), None);
    assert!(!outgoing.pubcomp(first) && !outgoing.pubcomp(second));
    assert_eq!(outgoing.len(), 2);
    assert_eq!(outgoing.puback(first), Some("a"));
    assert_eq!(outgoing.puback(first), None);
}

// [MQTT-4.3.3-10] [MQTT-4.3.3-12]
#[test]
fn a_message_is_the_same_until_it_is_released() {
    let mut incoming = Incoming::default();
    let id = PacketId::MIN;
    assert!(incoming.publish(id) && !incoming.publish(id));
    assert!(incoming.pubrel(id) && !incoming.pubrel(id));
    assert!(incoming.publish(id));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Send(bool),
    Puback(u16),
    Pubrec(u16, bool),
    Pubcomp(u16),
    Resume(u16),
    Resend,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let id = || 1..12u16;
    let step = prop_oneof![
        6 => any::<bool>().prop_map(Step::Send),
        3 => id().prop_map(Step::Puback),
        3 => (id(), any::<bool>()).prop_map(|(id, refused)| Step::Pubrec(id, refused)),
        3 => id().prop_map(Step::Pubcomp),
        1 => (1..6u16).prop_map(Step::Resume),
        6 => Just(Step::Resend),
    ];
    collection::vec(step, 1..200)
}

proptest! {
    /// Against the plainest model: a list of what is unacknowledged, and a list of what was sent on this connection.
    #[test]
    fn the_window_is_never_exceeded_and_nothing_is_lost(steps in steps()) {
        let mut outgoing = Outgoing::new(window(5));
        let mut room = 5;
        let mut unacknowledged: Vec<(u16, u8)> = Vec::new();
        let mut sent: Vec<u16> = Vec::new();
        let stage_of = |list: &[(u16, u8)], wanted| list.iter().find(|(id, _)| *id == wanted).map(|(_, stage)| *stage);
        for step in steps {
            match step {
                Step::Send(twice) => {
                    let expected = unacknowledged.len() == sent.len() && sent.len() < room;
                    let id = outgoing.send(if twice { Q2 } else { Q1 }, ());
                    prop_assert_eq!(id.is_some(), expected);
                    if let Some(id) = id {
                        prop_assert_eq!(stage_of(&unacknowledged, id.number()), None);
                        unacknowledged.push((id.number(), if twice { 2 } else { 1 }));
                        sent.push(id.number());
                    }
                }
                Step::Puback(number) => {
                    let done = outgoing.puback(PacketId::new(number).expect("not 0")).is_some();
                    prop_assert_eq!(done, stage_of(&unacknowledged, number) == Some(1));
                    if done {
                        unacknowledged.retain(|(id, _)| *id != number);
                    }
                }
                Step::Pubrec(number, refused) => {
                    let received = outgoing.pubrec(PacketId::new(number).expect("not 0"), refused);
                    match stage_of(&unacknowledged, number) {
                        Some(2) if refused => {
                            prop_assert_eq!(received, Received::Refused(()));
                            unacknowledged.retain(|(id, _)| *id != number);
                        }
                        Some(2) => {
                            prop_assert_eq!(received, Received::Release(Some(())));
                            unacknowledged.iter_mut().filter(|(id, _)| *id == number).for_each(|entry| entry.1 = 3);
                            if !sent.contains(&number) {
                                sent.push(number);
                            }
                        }
                        Some(3) => prop_assert_eq!(received, Received::Release(None)),
                        _ => prop_assert_eq!(received, Received::Unknown),
                    }
                }
                Step::Pubcomp(number) => {
                    let done = outgoing.pubcomp(PacketId::new(number).expect("not 0"));
                    prop_assert_eq!(done, stage_of(&unacknowledged, number) == Some(3));
                    if done {
                        unacknowledged.retain(|(id, _)| *id != number);
                    }
                }
                Step::Resume(messages) => {
                    room = usize::from(messages);
                    outgoing.set_window(window(messages));
                    outgoing.resume();
                    sent.clear();
                }
                Step::Resend => {
                    let full = sent.len() >= room;
                    let due = unacknowledged.iter().find(|(id, stage)| !sent.contains(id) && (!full || *stage == 3));
                    let got = outgoing.resend().map(|(id, _)| id.number());
                    prop_assert_eq!(got, due.map(|(id, _)| *id));
                    sent.extend(got);
                }
            }
            sent.retain(|id| stage_of(&unacknowledged, *id).is_some());
            prop_assert_eq!(outgoing.len(), unacknowledged.len());
            prop_assert_eq!(outgoing.is_resending(), sent.len() < unacknowledged.len());
        }
    }
}

// [MQTT-2.2.1-4]
#[test]
fn no_identifier_is_used_twice_at_once_however_often_they_are_gone_through() {
    let mut outgoing = Outgoing::new(window(10));
    let mut in_use = std::collections::BTreeSet::new();
    let mut subscribe = None;
    for number in 0..200_000_u32 {
        let id = outgoing.send(Q1, number).expect("room");
        assert!(in_use.insert(id), "{id:?} is in use");
        // The messages with these numbers stay for a good while, one for a subscription as well, the others go at once.
        let stays = |number: u32| matches!(number, 3 | 4 | 500 | 70_000 | 140_000);
        if !stays(number) {
            assert_eq!(outgoing.puback(id), Some(number));
            in_use.remove(&id);
        }
        if number % 90_000 == 10 {
            if let Some(id) = subscribe.take() {
                assert!(outgoing.give_back(id) && in_use.remove(&id) && !outgoing.give_back(id));
            }
            let id = outgoing.take_id().expect("few are in use");
            assert!(in_use.insert(id), "{id:?} is in use");
            subscribe = Some(id);
        }
    }
    let left: Vec<_> = outgoing.unacknowledged().map(|(_, stage)| stage.cloned()).collect();
    assert_eq!(left, [3, 4, 500, 70_000, 140_000].map(Stage::AwaitsPuback));
}

#[test]
fn when_all_identifiers_are_in_use_nothing_is_sent() {
    let mut outgoing = Outgoing::new(window(u16::MAX));
    let taken = outgoing.take_id().expect("none is in use");
    for number in 1..u16::MAX {
        assert!(outgoing.send(Q1, number).is_some());
    }
    assert_eq!((outgoing.send(Q1, 0), outgoing.take_id()), (None, None));
    assert!(outgoing.give_back(taken));
    assert_eq!(outgoing.send(Q1, 0), Some(taken));
}
