//! The translation in virtual time: a hub and a broker that are lists.

use super::*;
use crate::hue::{
    limits::{GROUP_INTERVAL, HOLD, LIGHT_INTERVAL, LISTEN},
    resource::{Abilities, Tone, Warmths},
};
use std::time::Duration;

const LATENCY: Duration = Duration::from_millis(60);

/// A translator between a broker that is there and a hub that answers everything well.
struct Rig {
    translator: Translator,
    now: Instant,
    /// Answers on their way, oldest first.
    answers: VecDeque<(Instant, LightId, Result<(), Fault>)>,
    /// What comes instead of "done", for the next commands.
    faults: VecDeque<Fault>,
    commands: Vec<(Instant, LightId, Change)>,
    effects: Vec<Effect>,
}

impl Rig {
    /// Two lights and a room, all at 50 %, whose topics say so.
    fn settled() -> Self {
        let mut rig = Self::fresh(Some("50"));
        for id in ["hue-one", "hue-two", "hue-room"] {
            rig.hear(id, "50", true);
        }
        rig.pass(LISTEN);
        rig.effects.clear();
        rig
    }

    fn fresh(remembered: Option<&str>) -> Self {
        let mut rig = Self {
            translator: Translator::default(),
            now: Instant::from_millis(1_000),
            answers: VecDeque::new(),
            faults: VecDeque::new(),
            commands: Vec::new(),
            effects: Vec::new(),
        };
        rig.translator.hub(true, rig.now);
        rig.translator.broker_found(rig.now);
        let remembered = remembered.map(intensity);
        rig.translator.snapshot(home(), rig.now, |_| remembered, rig.now);
        for (id, _) in home() {
            rig.translator.followed(&id, rig.now);
        }
        rig.collect();
        rig
    }

    /// A message on a light's intensity topic.
    fn hear(&mut self, light: &str, text: &str, kept: bool) {
        self.translator.intensity(&id(light), Some(intensity(text)), kept, self.now);
        self.collect();
    }

    /// The hub reports this level of a light, unasked.
    fn report(&mut self, light: &str, level: i64) {
        let report = Report { on: Some(level > 0), level: Some(Level::clamped(level)), ..Report::default() };
        self.translator.report(light, report, self.now);
        self.collect();
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        self.collect();
        loop {
            let answer = self.answers.front().map(|(at, ..)| *at);
            let next = answer.into_iter().chain(self.translator.next_deadline()).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            if answer.is_some_and(|at| at <= self.now)
                && let Some((_, id, answer)) = self.answers.pop_front()
            {
                self.translator.answered(&id, answer, self.now);
            }
            self.translator.tick(self.now);
            self.collect();
        }
        self.now = end;
    }

    fn collect(&mut self) {
        while let Some(effect) = self.translator.poll() {
            if let Effect::Command { id, change, .. } = &effect {
                self.commands.push((self.now, id.clone(), change.clone()));
                let answer = self.faults.pop_front().map_or(Ok(()), Err);
                self.answers.push_back((self.now + LATENCY, id.clone(), answer));
            }
            self.effects.push(effect);
        }
    }

    fn published(&self, light: &str) -> Vec<String> {
        let of_light = |effect: &Effect| match effect {
            Effect::Intensity(other, value) if *other == id(light) => Some(value.to_string()),
            _ => None,
        };
        self.effects.iter().filter_map(of_light).collect()
    }

    fn last_command(&self) -> &Change {
        &self.commands.last().expect("a command").2
    }
}

fn id(text: &str) -> LightId {
    LightId::try_from(text).unwrap()
}

fn intensity(text: &str) -> Intensity {
    text.parse().unwrap()
}

fn home() -> Vec<(LightId, Resource)> {
    let resource = |key: &str, kind| Resource {
        key: key.to_owned(),
        key_v1: None,
        kind,
        name: key.to_owned(),
        model: None,
        maker: None,
        abilities: Abilities { dims: true, warmth: Some(Warmths::ALL), colour: false },
        report: Report { on: Some(true), level: Some(Level::clamped(127)), ..Report::default() },
    };
    vec![
        (id("hue-one"), resource("one", Kind::Light)),
        (id("hue-room"), resource("room", Kind::Room)),
        (id("hue-two"), resource("two", Kind::Light)),
    ]
}

#[test]
fn a_drag_becomes_few_commands_and_the_last_value_is_the_last() {
    let mut rig = Rig::settled();
    for step in 0..=100 {
        rig.hear("hue-one", &step.to_string(), false);
        rig.pass(Duration::from_millis(10));
    }
    rig.pass(Duration::from_secs(1));
    assert!((9..=11).contains(&rig.commands.len()), "{}", rig.commands.len());
    for pair in rig.commands.windows(2) {
        assert!(pair[1].0.since(pair[0].0) >= LIGHT_INTERVAL);
    }
    assert_eq!(rig.last_command().intensity, Some(Intensity::FULL));
    assert_eq!(rig.last_command().transition, Some(Duration::from_millis(100)), "steps join");
}

#[test]
fn the_hub_is_never_told_more_than_ten_times_a_second_and_no_light_waits_for_ever() {
    let mut rig = Rig::settled();
    for step in 1..=300 {
        let value = (step % 99 + 1).to_string();
        rig.hear("hue-one", &value, false);
        rig.hear("hue-two", &value, false);
        rig.hear("hue-room", &value, false);
        rig.pass(Duration::from_millis(10));
    }
    rig.pass(Duration::from_secs(3));
    let of = |light: &str| rig.commands.iter().filter(|(_, other, _)| *other == id(light)).count();
    assert!(of("hue-one").abs_diff(of("hue-two")) <= 1, "{} {}", of("hue-one"), of("hue-two"));
    assert!((3..=4).contains(&of("hue-room")), "{}", of("hue-room"));
    let is_room = |command: &&(Instant, LightId, Change)| command.1 == id("hue-room");
    let rooms: Vec<_> = rig.commands.iter().filter(is_room).collect();
    assert!(rooms.windows(2).all(|pair| pair[1].0.since(pair[0].0) >= GROUP_INTERVAL));
    let lights: Vec<_> = rig.commands.iter().filter(|command| !is_room(command)).collect();
    for (at, command) in lights.iter().enumerate() {
        let within =
            lights[at..].iter().take_while(|other| other.0.since(command.0) < Duration::from_secs(1));
        assert!(within.count() <= 10);
    }
}

#[test]
fn only_what_changes_is_sent() {
    let mut rig = Rig::settled();
    rig.hear("hue-one", "60", false);
    rig.pass(HOLD * 2);
    assert_eq!((rig.last_command().on, rig.last_command().intensity), (None, Some(intensity("60"))));
    rig.hear("hue-one", "0", false);
    rig.pass(HOLD * 2);
    assert_eq!(*rig.last_command(), Change { on: Some(false), ..Change::default() });
    rig.hear("hue-one", "60", false);
    rig.pass(HOLD * 2);
    assert_eq!((rig.last_command().on, rig.last_command().intensity), (Some(true), Some(intensity("60"))));
    assert_eq!(rig.commands.len(), 3);
    rig.hear("hue-one", "60", false);
    rig.pass(HOLD * 2);
    assert_eq!(rig.commands.len(), 3, "it is so already");
    assert_eq!(rig.published("hue-one"), [""; 0], "what was wished stands in the topic");
}

#[test]
fn what_others_do_is_published_once_and_comes_back_without_effect() {
    let mut rig = Rig::settled();
    rig.report("one", 0);
    rig.report("one", 254);
    rig.report("one", 254);
    assert_eq!(rig.published("hue-one"), ["0", "100"]);
    rig.hear("hue-one", "0", false);
    rig.hear("hue-one", "100", false);
    rig.pass(HOLD * 2);
    assert_eq!(rig.commands, []);
    rig.hear("hue-one", "0", false);
    rig.pass(HOLD * 2);
    assert_eq!(rig.commands.len(), 1, "this one is somebody else's");
}

#[test]
fn a_wish_that_crosses_our_own_message_wins_at_the_lamp_and_in_the_topic() {
    let mut rig = Rig::settled();
    rig.report("one", 254);
    // The broker had somebody's 70 before our 100, which it keeps.
    rig.hear("hue-one", "70", false);
    rig.hear("hue-one", "100", false);
    rig.pass(HOLD * 2);
    assert_eq!(rig.last_command().intensity, Some(intensity("70")));
    assert_eq!(rig.published("hue-one"), ["100", "70"]);
}

#[test]
fn late_reports_do_not_throw_the_topic_back() {
    let mut rig = Rig::settled();
    for (step, stale) in [(60, 127), (70, 152), (80, 178)] {
        rig.hear("hue-one", &step.to_string(), false);
        rig.pass(Duration::from_millis(300));
        rig.report("one", stale);
    }
    rig.pass(Duration::from_millis(900));
    rig.report("one", 203);
    rig.pass(HOLD * 2);
    assert_eq!(rig.published("hue-one"), [""; 0]);
    rig.report("one", 100);
    assert_eq!(rig.published("hue-one"), ["39.4"]);
}

#[test]
fn a_lamp_that_cannot_do_what_was_wished_says_so_once_it_is_settled() {
    let mut rig = Rig::settled();
    rig.hear("hue-one", "0.5", false);
    rig.pass(Duration::from_millis(500));
    rig.report("one", 13);
    assert_eq!(rig.published("hue-one"), [""; 0]);
    rig.pass(HOLD);
    assert_eq!(rig.published("hue-one"), ["5"]);
}

#[test]
fn a_poll_that_began_before_the_command_says_nothing() {
    let mut rig = Rig::settled();
    let asked_at = rig.now;
    rig.hear("hue-one", "90", false);
    rig.pass(LATENCY * 2);
    rig.translator.snapshot(home(), asked_at, |_| None, rig.now);
    rig.pass(HOLD * 2);
    assert_eq!(rig.published("hue-one"), [""; 0]);
    rig.translator.snapshot(home(), rig.now, |_| None, rig.now);
    rig.collect();
    assert_eq!(rig.published("hue-one"), ["50"], "asked afterwards, it is news");
}

#[test]
fn a_hub_that_has_enough_is_left_alone_for_longer_and_longer_and_then_told_the_newest() {
    let mut rig = Rig::settled();
    rig.faults = [Fault::Busy(None), Fault::Busy(None), Fault::Busy(Some(Duration::from_secs(4)))].into();
    rig.hear("hue-one", "60", false);
    rig.pass(Duration::from_millis(100));
    rig.hear("hue-one", "70", false);
    rig.hear("hue-one", "80", false);
    rig.pass(Duration::from_secs(10));
    let at: Vec<_> = rig.commands.iter().map(|command| command.0).collect();
    let gaps: Vec<_> = at.windows(2).map(|pair| (pair[1].since(pair[0]) - LATENCY).as_millis()).collect();
    assert_eq!(gaps, [500, 1_000, 4_000]);
    let sent: Vec<_> = rig.commands.iter().map(|command| command.2.intensity).collect();
    assert_eq!(sent, ["60", "80", "80", "80"].map(|text| Some(intensity(text))));
}

#[test]
fn a_light_that_was_switched_off_meanwhile_is_switched_on() {
    let mut rig = Rig::settled();
    rig.faults = [Fault::DeviceOff].into();
    rig.hear("hue-one", "60", false);
    rig.pass(HOLD * 2);
    let on: Vec<_> = rig.commands.iter().map(|command| command.2.on).collect();
    assert_eq!(on, [None, Some(true)]);
}

#[test]
fn what_the_hub_refuses_is_told_and_the_topic_returns_to_the_truth() {
    let mut rig = Rig::settled();
    rig.faults = [Fault::Refused("no".to_owned())].into();
    rig.hear("hue-one", "60", false);
    rig.pass(HOLD * 2);
    assert_eq!(rig.commands.len(), 1);
    assert!(rig.effects.contains(&Effect::GaveUp(id("hue-one"), Fault::Refused("no".to_owned()))));
    assert_eq!(rig.published("hue-one"), ["50"]);
}

#[test]
fn a_hub_that_is_away_gets_the_newest_wish_when_it_comes_back() {
    let mut rig = Rig::settled();
    rig.translator.hub(false, rig.now);
    rig.collect();
    assert!(rig.effects.contains(&Effect::Availability(id("hue-one"), false)));
    for value in ["10", "20", "30"] {
        rig.hear("hue-one", value, false);
        rig.pass(Duration::from_secs(30));
    }
    assert_eq!(rig.commands, []);
    rig.translator.hub(true, rig.now);
    rig.translator.snapshot(home(), rig.now, |_| None, rig.now);
    rig.collect();
    rig.pass(HOLD * 2);
    assert!(rig.effects.contains(&Effect::Availability(id("hue-one"), true)));
    assert_eq!(rig.commands.len(), 1);
    assert_eq!(rig.last_command().intensity, Some(intensity("30")));
    assert_eq!(rig.published("hue-one"), [""; 0]);
}

#[test]
fn a_kept_value_is_a_wish_only_if_somebody_else_left_it() {
    let mut rig = Rig::fresh(Some("20"));
    rig.hear("hue-one", "20", true);
    rig.hear("hue-two", "30", true);
    rig.pass(HOLD * 2);
    assert_eq!(rig.published("hue-one"), ["50"], "changed at the hub while nobody looked");
    assert_eq!(rig.published("hue-two"), [""; 0]);
    assert_eq!(rig.published("hue-room"), ["50"], "there was no kept value at all");
    assert_eq!(rig.commands.len(), 1);
    assert_eq!((&rig.commands[0].1, rig.last_command().intensity), (&id("hue-two"), Some(intensity("30"))));
}

#[test]
fn no_light_jumps_to_a_kept_value_because_it_was_paired() {
    let mut rig = Rig::fresh(None);
    rig.hear("hue-one", "20", true);
    rig.pass(HOLD * 2);
    assert_eq!(rig.commands, []);
    assert_eq!(rig.published("hue-one"), ["50"]);
}

#[test]
fn after_the_broker_was_away_both_sides_are_brought_together() {
    let mut rig = Rig::settled();
    rig.translator.broker_lost();
    rig.report("one", 254);
    assert_eq!(rig.published("hue-one"), [""; 0]);
    rig.translator.broker_found(rig.now);
    for (id, _) in home() {
        rig.translator.followed(&id, rig.now);
    }
    rig.hear("hue-one", "50", true);
    rig.hear("hue-two", "10", true);
    rig.pass(HOLD * 2);
    assert_eq!(rig.published("hue-one"), ["100"]);
    assert_eq!(rig.last_command().intensity, Some(intensity("10")));
    assert_eq!(rig.commands.len(), 1);
}

#[test]
fn a_light_that_is_gone_is_withdrawn() {
    let mut rig = Rig::settled();
    let mut left = home();
    left.remove(0);
    rig.translator.snapshot(left, rig.now, |_| None, rig.now);
    rig.collect();
    assert_eq!(rig.effects, [Effect::Withdraw(id("hue-one"))]);
    rig.hear("hue-one", "10", false);
    assert_eq!(rig.commands, []);
}

#[test]
fn a_cleared_topic_stays_clear_until_something_changes() {
    let mut rig = Rig::settled();
    rig.translator.intensity(&id("hue-one"), None, false, rig.now);
    rig.pass(HOLD * 2);
    assert_eq!(rig.published("hue-one"), [""; 0]);
    rig.report("one", 254);
    assert_eq!(rig.published("hue-one"), ["100"]);
}

#[test]
fn home_assistants_commands_move_the_topic_too() {
    let mut rig = Rig::settled();
    let tone = Some(Tone::Warmth(300));
    let change = Change { on: Some(true), tone, ..Change::default() };
    rig.translator.command(&id("hue-one"), change, Some(Level::clamped(254)), rig.now);
    rig.collect();
    assert_eq!(rig.published("hue-one"), ["100"]);
    let sent = rig.last_command();
    assert_eq!((sent.on, sent.intensity, sent.tone), (None, Some(Intensity::FULL), tone));
    rig.hear("hue-one", "100", false);
    rig.pass(HOLD * 2);
    assert_eq!(rig.commands.len(), 1);
    let off = Change { on: Some(false), transition: Some(Duration::from_secs(2)), ..Change::default() };
    rig.translator.command(&id("hue-one"), off.clone(), None, rig.now);
    rig.pass(HOLD * 4);
    assert_eq!(*rig.last_command(), off);
    assert_eq!(rig.published("hue-one"), ["100", "0"]);
    let states = rig.effects.iter().filter(|effect| matches!(effect, Effect::State(..))).count();
    assert_eq!(states, 2, "one for each command");
}

#[test]
fn a_sunrise_does_not_make_us_deaf() {
    let mut rig = Rig::settled();
    let transition = Some(Duration::from_secs(1_800));
    let change = Change { on: Some(true), transition, ..Change::default() };
    rig.translator.command(&id("hue-one"), change, Some(Level::FULL), rig.now);
    rig.pass(Duration::from_secs(15));
    rig.report("one", 0);
    assert_eq!(rig.published("hue-one"), ["100", "0"]);
}

#[test]
fn a_flood_costs_no_memory() {
    let mut rig = Rig::settled();
    rig.translator.hub(false, rig.now);
    for step in 0..60_000 {
        rig.translator.intensity(&id("hue-one"), Intensity::from_hundredths(step % 10_000), false, rig.now);
    }
    assert!(rig.translator.effects.len() < 10, "{}", rig.translator.effects.len());
}
