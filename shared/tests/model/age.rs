//! "3 minutes ago", and what follows when that is no help.

use luxwire_shared::{
    model::age::{age, age_lasts_ms, clock},
    time::Timestamp,
};
use proptest::prelude::*;

/// 2026-11-22 (a Sunday) 14:30:00 UTC.
const NOW_S: u64 = 1_795_357_800;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_millis(seconds * 1_000)
}

fn check(seconds_ago: u64, expected: &str) {
    assert_eq!(age(at(NOW_S - seconds_ago), at(NOW_S), 60), expected);
}

#[test]
fn near_times_are_counted() {
    check(0, "just now");
    check(4, "just now");
    check(5, "5 seconds ago");
    check(12, "12 seconds ago");
    check(60, "1 minute ago");
    check(119, "1 minute ago");
    check(180, "3 minutes ago");
    check(3_599, "59 minutes ago");
}

#[test]
fn far_times_are_named_in_local_time() {
    check(3_600, "today, 14:30");
    check(15 * 3_600 + 30 * 60, "today, 0:00");
    check(15 * 3_600 + 31 * 60, "yesterday, 23:59");
    check(2 * 86_400, "Friday, 15:30");
    check(6 * 86_400, "Monday, 15:30");
    check(7 * 86_400, "15 November, 15:30");
    check(300 * 86_400, "26 January, 15:30");
    check(1_000 * 86_400, "26 February 2024");
    check(998 * 86_400 - 86_400, "29 February 2024");
}

#[test]
fn a_clock_that_is_ahead_is_not_in_the_future() {
    assert_eq!(age(at(NOW_S + 90), at(NOW_S), 0), "just now");
}

#[test]
fn the_time_of_day_follows_the_zone() {
    assert_eq!(clock(at(NOW_S), 0), "14:30");
    assert_eq!(clock(at(NOW_S), -5 * 60), "9:30");
    assert_eq!(clock(at(NOW_S), 345), "20:15");
    assert_eq!(clock(at(0), -60), "23:00");
}

proptest! {
    #[test]
    fn an_age_holds_for_as_long_as_it_says(ago_ms in 0_u64..4_000_000) {
        let (then, now) = (at(NOW_S - 4_000), NOW_S * 1_000 - 4_000_000 + ago_ms);
        let text = age(then, Timestamp::from_unix_millis(now), 0);
        let lasts = age_lasts_ms(then, Timestamp::from_unix_millis(now));
        prop_assert!(lasts > 0);
        prop_assert_eq!(age(then, Timestamp::from_unix_millis(now + lasts - 1), 0), text);
    }

    #[test]
    fn no_time_panics(then: u64, now: u64, offset in -1_000_i32..1_000) {
        let _ = age(Timestamp::from_unix_millis(then), Timestamp::from_unix_millis(now), offset);
    }
}
