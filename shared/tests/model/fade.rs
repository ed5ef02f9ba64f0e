//! A light on its way: even steps, the goal at the end, a change of mind in the middle. Virtual time.

use super::{ms, percent};
use luxwire_shared::{
    model::{FADE_STEP, Fade, Intensity},
    time::Instant,
};
use std::time::Duration;

fn fade(millis: u64) -> Fade {
    Fade::new(Duration::from_millis(millis), Intensity::OFF)
}

/// What the light shows from `now` on, until it rests.
fn shown(fade: &Fade, mut now: Instant) -> Vec<(Instant, Intensity)> {
    let mut shown = vec![(now, fade.level(now))];
    while let Some(next) = fade.next_step(now) {
        assert!(next > now && next - now <= FADE_STEP);
        now = next;
        shown.push((now, fade.level(now)));
    }
    shown
}

#[test]
fn the_steps_are_even_and_end_at_the_goal() {
    let mut fade = fade(100);
    fade.turn(percent(100), ms(0));
    let expected = [(0, 0), (20, 20), (40, 40), (60, 60), (80, 80), (100, 100)];
    assert_eq!(shown(&fade, ms(0)), expected.map(|(at, level)| (ms(at), percent(level))));
}

#[test]
fn the_last_step_is_shorter_where_steps_do_not_fit() {
    let mut fade = fade(50);
    fade.turn(percent(50), ms(0));
    let expected = [(0, 0), (20, 20), (40, 40), (50, 50)];
    assert_eq!(shown(&fade, ms(0)), expected.map(|(at, level)| (ms(at), percent(level))));
}

#[test]
fn it_fades_down_as_evenly_as_up() {
    let mut fade = Fade::new(Duration::from_millis(80), percent(80));
    fade.turn(percent(0), ms(0));
    let levels: Vec<_> = shown(&fade, ms(0)).into_iter().map(|(_, level)| level).collect();
    assert_eq!(levels, [80, 60, 40, 20, 0].map(percent));
}

#[test]
fn a_change_of_mind_begins_where_the_light_is() {
    let mut fade = fade(100);
    fade.turn(percent(100), ms(0));
    fade.turn(percent(20), ms(60));
    assert_eq!(fade.level(ms(60)), percent(60));
    assert_eq!(fade.level(ms(110)), percent(40));
    assert_eq!(fade.level(ms(160)), percent(20));
    assert_eq!(fade.next_step(ms(160)), None);
}

#[test]
fn the_same_goal_again_does_not_start_anew() {
    let mut fade = fade(100);
    fade.turn(percent(100), ms(0));
    fade.turn(percent(100), ms(50));
    assert_eq!(fade.level(ms(100)), percent(100));
}

#[test]
fn without_a_duration_it_is_there_at_once() {
    let mut fade = fade(0);
    fade.turn(percent(70), ms(0));
    assert_eq!((fade.level(ms(0)), fade.next_step(ms(0))), (percent(70), None));
}

#[test]
fn a_jump_ends_a_fade() {
    let mut fade = fade(100);
    fade.turn(percent(100), ms(0));
    fade.jump(percent(30));
    assert_eq!((fade.level(ms(10)), fade.goal(), fade.next_step(ms(10))), (percent(30), percent(30), None));
}

#[test]
fn a_late_question_gets_the_goal_and_no_duration_overflows() {
    let mut fade = Fade::new(Duration::MAX, Intensity::OFF);
    fade.turn(Intensity::FULL, ms(0));
    assert_eq!(fade.level(ms(0)), Intensity::OFF);
    assert_eq!(fade.level(Instant::from_micros(u64::MAX)), Intensity::FULL);
    assert!(fade.next_step(ms(5)).is_some());
}
