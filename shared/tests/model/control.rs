//! One slider and switch: what goes out, what is shown, and what the person is told.

use super::{ms, percent};
use luxwire_shared::{
    model::{Control, Intensity, Wish},
    mqtt::QoS,
    time::Instant,
};
use proptest::prelude::*;
use std::{collections::VecDeque, time::Duration};

/// A control in a room of its own: everything published comes back after `delay`, as a broker would send it.
struct Room {
    control: Control,
    delay: Duration,
    now: Instant,
    published: Vec<(Instant, Wish)>,
    underway: VecDeque<(Instant, Intensity)>,
    told: Vec<(u8, u8)>,
    shown: Vec<u8>,
}

impl Room {
    fn new(reported: u8, delay_ms: u64) -> Self {
        let mut control = Control::new(true);
        control.message(percent(reported), ms(0));
        Self {
            control,
            delay: Duration::from_millis(delay_ms),
            now: ms(0),
            published: Vec::new(),
            underway: VecDeque::new(),
            told: Vec::new(),
            shown: vec![reported],
        }
    }

    fn run_until(&mut self, until: Instant) {
        loop {
            let echo = self.underway.front().map(|(at, _)| *at);
            let Some(next) = [echo, self.control.next_deadline()].into_iter().flatten().min() else { break };
            if next > until {
                break;
            }
            self.now = next.max(self.now);
            if echo == Some(next) {
                let (_, value) = self.underway.pop_front().unwrap();
                self.arrives(value);
            } else {
                let (wish, differs) = self.control.tick(self.now);
                self.told
                    .extend(differs.map(|differs| (differs.desired.rounded(), differs.reported.rounded())));
                self.publish(wish);
            }
        }
        self.now = until;
        self.look();
    }

    fn at(&mut self, millis: u64, action: impl FnOnce(&mut Control, Instant) -> Option<Wish>) {
        self.run_until(ms(millis));
        let wish = action(&mut self.control, self.now);
        self.publish(wish);
        self.look();
    }

    fn arrives(&mut self, value: Intensity) {
        let differs = self.control.message(value, self.now);
        self.told.extend(differs.map(|differs| (differs.desired.rounded(), differs.reported.rounded())));
        self.look();
    }

    fn another_sets(&mut self, millis: u64, value: u8) {
        self.run_until(ms(millis));
        self.arrives(percent(value));
    }

    fn publish(&mut self, wish: Option<Wish>) {
        let Some(wish) = wish else { return };
        self.published.push((self.now, wish));
        self.underway.push_back((self.now + self.delay, wish.intensity()));
        if matches!(wish, Wish::Final(_)) {
            self.control.acknowledged(self.now);
        }
    }

    fn look(&mut self) {
        let shown = self.control.displayed().unwrap().rounded();
        if self.shown.last() != Some(&shown) {
            self.shown.push(shown);
        }
    }

    fn finals(&self) -> Vec<u8> {
        let finals = self.published.iter().filter(|(_, wish)| matches!(wish, Wish::Final(_)));
        finals.map(|(_, wish)| wish.intensity().rounded()).collect()
    }
}

#[test]
fn a_drag_of_a_second_publishes_at_most_twelve_times_and_ends_where_it_was_released() {
    let mut room = Room::new(0, 5);
    room.at(0, |control, _| {
        control.press();
        None
    });
    for move_ms in 0..=1_000 {
        let value = percent((move_ms / 10) as u8);
        room.at(move_ms, |control, now| control.input(value, now));
    }
    room.at(1_000, |control, now| control.release(now));
    room.run_until(ms(5_000));

    assert!(room.published.len() <= 12, "{} publishes", room.published.len());
    let (last, rest) = room.published.split_last().unwrap();
    assert_eq!(*last, (ms(1_000), Wish::Final(percent(100))));
    assert!(rest.iter().all(|(_, wish)| wish.qos() == QoS::AtMostOnce));
    assert_eq!(rest[0].0, ms(0), "the leading edge waits for nothing");
    assert_eq!(last.1.qos(), QoS::AtLeastOnce);
    assert_eq!(room.shown, (0..=100).collect::<Vec<u8>>(), "the thumb follows the finger");
}

#[test]
fn the_final_value_goes_out_even_if_it_was_the_last_passing_one() {
    let mut room = Room::new(10, 5);
    room.at(0, |control, now| {
        control.press();
        control.input(percent(50), now)
    });
    room.at(500, |control, now| control.release(now));
    let wishes: Vec<Wish> = room.published.iter().map(|(_, wish)| *wish).collect();
    assert_eq!(wishes, [Wish::Passing(percent(50)), Wish::Final(percent(50))]);
}

#[test]
fn the_thumb_never_moves_backwards_on_a_late_echo() {
    let mut room = Room::new(0, 800);
    room.control.press();
    for step in 0..=50_u8 {
        room.at(u64::from(step) * 20, |control, now| control.input(percent(step), now));
    }
    room.at(1_000, |control, now| control.release(now));
    room.run_until(ms(10_000));
    assert!(room.shown.is_sorted(), "{:?}", room.shown);
    assert_eq!(room.shown.last(), Some(&50));
    assert!(room.told.is_empty());
}

#[test]
fn the_echo_of_a_passing_value_equal_to_the_final_one_does_not_end_the_wait() {
    let mut room = Room::new(10, 300);
    room.control.press();
    room.at(0, |control, now| control.input(percent(40), now));
    room.at(120, |control, now| control.input(percent(60), now));
    room.at(240, |control, now| control.input(percent(40), now));
    room.at(250, |control, now| control.release(now));
    room.run_until(ms(5_000));
    assert_eq!(room.shown, [10, 40, 60, 40], "60 does not come back when its echo does");
}

#[test]
fn an_idle_slider_follows_others_and_publishes_nothing() {
    let mut room = Room::new(10, 5);
    room.another_sets(100, 30);
    room.another_sets(200, 0);
    room.another_sets(300, 80);
    room.run_until(ms(10_000));
    assert_eq!(room.shown, [10, 30, 0, 80]);
    assert!(room.published.is_empty());
}

#[test]
fn while_dragging_the_thumb_belongs_to_the_hand_and_on_release_its_value_counts() {
    let mut room = Room::new(10, 20);
    room.control.press();
    room.at(0, |control, now| control.input(percent(40), now));
    room.another_sets(50, 90);
    assert_eq!(room.control.displayed(), Some(percent(40)));
    assert_eq!(room.control.reported(), Some(percent(90)));
    room.at(400, |control, now| control.release(now));
    room.run_until(ms(5_000));
    assert_eq!(room.finals(), [40]);
    assert_eq!(room.shown, [10, 40]);
}

#[test]
fn another_hand_after_the_echo_is_followed_and_named() {
    let mut room = Room::new(10, 20);
    room.at(0, |control, now| Some(control.set(percent(40), now)));
    room.another_sets(500, 70);
    room.another_sets(600, 75);
    room.run_until(ms(5_000));
    assert_eq!(room.shown, [10, 40, 70, 75]);
    assert_eq!(room.told, [(40, 70)], "told once");
}

#[test]
fn a_lamp_that_clamps_is_followed_with_a_word() {
    let mut room = Room::new(50, 20);
    room.control.press();
    room.at(0, |control, now| control.input(percent(20), now));
    room.at(100, |control, now| control.release(now));
    room.another_sets(180, 32);
    room.run_until(ms(5_000));
    assert_eq!(room.control.displayed(), Some(percent(32)));
    assert_eq!(room.told, [(20, 32)]);
    assert_eq!(room.finals(), [20], "the lamp's word is not answered");
}

#[test]
fn a_lamp_that_rounds_is_followed_without_a_word() {
    let mut room = Room::new(50, 20);
    room.at(0, |control, now| Some(control.set(percent(20), now)));
    room.run_until(ms(100));
    room.arrives("19.61".parse().unwrap());
    room.run_until(ms(5_000));
    assert_eq!(room.control.displayed(), Some("19.61".parse().unwrap()));
    assert!(room.told.is_empty());
}

#[test]
fn a_wish_that_never_comes_back_gives_way_after_two_seconds_with_a_word() {
    let mut control = Control::new(true);
    control.message(percent(37), ms(0));
    control.set(percent(90), ms(0));
    control.acknowledged(ms(10));
    assert_eq!(control.next_deadline(), Some(ms(2_000)));
    assert_eq!(control.tick(ms(1_999)), (None, None));
    assert_eq!(control.displayed(), Some(percent(90)));
    let (wish, differs) = control.tick(ms(2_000));
    assert_eq!((wish, differs.map(|differs| differs.reported)), (None, Some(percent(37))));
    assert_eq!(control.displayed(), Some(percent(37)));
}

#[test]
fn a_wish_that_is_not_acknowledged_does_not_give_way() {
    let mut control = Control::new(true);
    control.message(percent(37), ms(0));
    control.set(percent(90), ms(0));
    assert_eq!(control.next_deadline(), None);
    control.tick(ms(60_000));
    assert_eq!(control.displayed(), Some(percent(90)));
    control.acknowledged(ms(61_000));
    assert_eq!(control.next_deadline(), Some(ms(62_000)), "the echo has a second");
}

#[test]
fn a_key_that_repeats_is_limited_like_a_finger_and_ends_in_a_final_value() {
    let mut room = Room::new(0, 5);
    for press in 0..60_u8 {
        room.at(u64::from(press) * 33, |control, now| control.input(percent(press + 1), now));
        room.at(u64::from(press) * 33, |control, now| control.change(now));
    }
    room.run_until(ms(10_000));
    let (last, rest) = room.published.split_last().unwrap();
    assert_eq!(*last, (ms(59 * 33 + 250), Wish::Final(percent(60))), "250 ms after the last key");
    assert!(rest.iter().all(|(_, wish)| matches!(wish, Wish::Passing(_))));
    assert!(rest.windows(2).all(|pair| pair[1].0.since(pair[0].0) >= Duration::from_millis(100)));
}

#[test]
fn a_released_key_is_final_at_once() {
    let mut room = Room::new(0, 5);
    room.at(0, |control, now| control.input(percent(1), now));
    room.at(90, |control, now| control.release(now));
    room.run_until(ms(10_000));
    assert_eq!(room.published[1..], [(ms(90), Wish::Final(percent(1)))]);
}

#[test]
fn a_finger_that_rests_is_not_final() {
    let mut room = Room::new(0, 5);
    room.control.press();
    room.at(0, |control, now| control.input(percent(30), now));
    room.run_until(ms(60_000));
    assert_eq!(room.finals(), []);
    assert!(room.control.is_dragging());
    room.at(60_000, |control, now| control.change(now));
    assert_eq!(room.finals(), [30], "a change ends it if the release was missed");
}

#[test]
fn touching_without_moving_publishes_nothing() {
    let mut room = Room::new(25, 5);
    room.control.press();
    room.at(100, |control, now| control.release(now));
    room.at(100, |control, now| control.change(now));
    room.run_until(ms(5_000));
    assert!(room.published.is_empty());
}

#[test]
fn the_switch_goes_back_to_the_last_level() {
    let mut room = Room::new(65, 5);
    room.at(0, |control, now| control.switch(false, now));
    room.at(1_000, |control, now| control.switch(true, now));
    room.run_until(ms(5_000));
    assert_eq!(room.finals(), [0, 65]);
    assert_eq!(room.shown, [65, 0, 65]);
}

#[test]
fn the_switch_remembers_what_others_set_and_not_what_they_switched_off() {
    let mut room = Room::new(65, 5);
    room.another_sets(100, 20);
    room.another_sets(200, 0);
    room.at(300, |control, now| control.switch(true, now));
    assert_eq!(room.finals(), [20]);
}

#[test]
fn a_light_never_seen_on_is_switched_on_fully_unless_an_earlier_run_knew_better() {
    let mut fresh = Room::new(0, 5);
    fresh.at(0, |control, now| control.switch(true, now));
    assert_eq!(fresh.finals(), [100]);

    let mut recalled = Room::new(0, 5);
    recalled.control.recall(percent(45));
    recalled.at(0, |control, now| control.switch(true, now));
    assert_eq!(recalled.finals(), [45]);
}

#[test]
fn switching_to_where_it_is_changes_nothing() {
    let mut room = Room::new(65, 5);
    room.at(0, |control, now| control.switch(true, now));
    room.another_sets(10, 0);
    room.at(20, |control, now| control.switch(false, now));
    assert!(room.published.is_empty());
}

#[test]
fn offline_nothing_passes_and_the_hand_is_followed_once_it_can_be() {
    let mut control = Control::new(true);
    control.message(percent(10), ms(0));
    control.press();
    control.input(percent(20), ms(0));
    control.disconnected();
    assert_eq!(control.input(percent(30), ms(200)), None);
    assert_eq!(control.input(percent(40), ms(400)), None);
    assert_eq!(control.tick(ms(1_000)), (None, None));
    assert_eq!(control.connected(ms(2_000)), Some(Wish::Passing(percent(40))));
    assert_eq!(control.release(ms(2_100)), Some(Wish::Final(percent(40))));
}

#[test]
fn what_was_acknowledged_before_the_connection_was_lost_is_believed() {
    let mut control = Control::new(true);
    control.message(percent(10), ms(0));
    control.set(percent(80), ms(0));
    control.acknowledged(ms(10));
    control.disconnected();
    control.tick(ms(60_000));
    assert_eq!(control.displayed(), Some(percent(80)));
}

#[test]
fn a_value_from_before_is_not_taken_for_the_wish_that_comes_after_it() {
    let mut control = Control::new(true);
    control.message(percent(10), ms(0));
    control.set(percent(80), ms(0));
    control.disconnected();
    control.connected(ms(1_000));
    control.message("79.5".parse().unwrap(), ms(1_010));
    assert_eq!(control.displayed(), Some(percent(80)), "near, but kept from before");
    control.message(percent(80), ms(1_020));
    assert_eq!(control.displayed(), Some(percent(80)));
}

#[test]
fn a_hand_that_comes_back_at_once_is_limited_too() {
    let mut room = Room::new(0, 5);
    room.control.press();
    room.at(0, |control, now| control.input(percent(30), now));
    room.at(110, |control, now| control.release(now));
    room.control.press();
    room.at(120, |control, now| control.input(percent(40), now));
    room.run_until(ms(1_000));
    assert_eq!(room.published[2..], [(ms(210), Wish::Passing(percent(40)))]);
}

#[test]
fn a_refused_wish_gives_way_at_once() {
    let mut control = Control::new(true);
    control.message(percent(10), ms(0));
    control.set(percent(80), ms(0));
    control.given_up();
    assert_eq!(control.displayed(), Some(percent(10)));
    assert!(!control.is_unacknowledged());
}

#[derive(Clone, Debug)]
enum Act {
    Press,
    Input(u8),
    Release,
    Change,
    Switch(bool),
    Set(u8),
    Another(u8),
    Acknowledge,
    Disconnect,
    Connect,
    Pause(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        Just(Act::Press),
        (0_u8..=100).prop_map(Act::Input),
        Just(Act::Release),
        Just(Act::Change),
        any::<bool>().prop_map(Act::Switch),
        (0_u8..=100).prop_map(Act::Set),
        (0_u8..=100).prop_map(Act::Another),
        Just(Act::Acknowledge),
        Just(Act::Disconnect),
        Just(Act::Connect),
        (0_u64..3_000).prop_map(Act::Pause),
    ]
}

proptest! {
    /// Whatever happens: a message is never answered, passing wishes keep their distance, and once the hand is off and
    /// everything is acknowledged, the slider shows what the topic says.
    #[test]
    fn messages_are_never_answered_and_the_topic_has_the_last_word(acts in prop::collection::vec(act(), 1..60)) {
        let mut control = Control::new(true);
        let mut now = ms(0);
        let mut online = true;
        let mut passing: Vec<Instant> = Vec::new();
        for act in acts {
            let wish = match act {
                Act::Press => { control.press(); None }
                Act::Input(value) => control.input(percent(value), now),
                Act::Release => control.release(now),
                Act::Change => control.change(now),
                Act::Switch(on) => control.switch(on, now),
                Act::Set(value) => Some(control.set(percent(value), now)),
                Act::Another(value) => {
                    let deadline = control.next_deadline();
                    control.message(percent(value), now);
                    prop_assert!(control.next_deadline().is_none_or(|new| Some(new) == deadline),
                        "a message put something on the agenda");
                    None
                }
                Act::Acknowledge => { control.acknowledged(now); None }
                Act::Disconnect => { online = false; passing.clear(); control.disconnected(); None }
                Act::Connect => { online = true; passing.clear(); control.connected(now) }
                Act::Pause(millis) => {
                    now = now + Duration::from_millis(millis);
                    control.tick(now).0
                }
            };
            if let Some(Wish::Passing(_)) = wish {
                prop_assert!(online, "a passing wish without a connection");
                passing.push(now);
            }
        }
        for pair in passing.windows(2) {
            prop_assert!(pair[1].since(pair[0]) >= Duration::from_millis(100));
        }
        control.connected(now);
        control.release(now);
        control.acknowledged(now);
        now = now + Duration::from_secs(10);
        control.tick(now);
        prop_assert!(control.is_idle());
        prop_assert_eq!(control.displayed(), control.reported());
        prop_assert_eq!(control.next_deadline(), None);
        control.message(percent(33), now);
        prop_assert_eq!(control.displayed(), Some(percent(33)));
    }
}
