//! How long ago something was, in words, for people.
//!
//! It knows no time zone: the caller says by how many minutes local time is ahead of UTC.

use crate::time::Timestamp;
use alloc::{format, string::String};

/// When `then` was, seen from `now`: "just now", "12 seconds ago", "3 minutes ago", "today, 9:03", "yesterday, 21:40",
/// "Monday, 7:15", "3 March, 18:00", "3 March 2025". What lies ahead, because clocks differ, is "just now".
///
/// `utc_offset_min` is how far local time is ahead of UTC: 60 in Berlin's winter, −300 in New York's.
pub fn age(then: Timestamp, now: Timestamp, utc_offset_min: i32) -> String {
    let seconds = now.unix_millis().saturating_sub(then.unix_millis()) / 1_000;
    match seconds {
        0..JUST_NOW_S => String::from("just now"),
        JUST_NOW_S..60 => format!("{seconds} seconds ago"),
        60..120 => String::from("1 minute ago"),
        120..3_600 => format!("{} minutes ago", seconds / 60),
        3_600.. => day(Local::new(then, utc_offset_min), Local::new(now, utc_offset_min)),
    }
}

/// After how many milliseconds [`age`] may say something else.
pub fn age_lasts_ms(then: Timestamp, now: Timestamp) -> u64 {
    let millis = now.unix_millis().saturating_sub(then.unix_millis());
    match millis / 1_000 {
        0..JUST_NOW_S => JUST_NOW_S * 1_000 - millis,
        JUST_NOW_S..60 => 1_000 - millis % 1_000,
        60.. => 60_000 - millis % 60_000,
    }
}

/// The time of day: "9:03".
pub fn clock(at: Timestamp, utc_offset_min: i32) -> String {
    Local::new(at, utc_offset_min).clock()
}

const JUST_NOW_S: u64 = 5;
const DAY_MIN: i64 = 24 * 60;
const WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn day(then: Local, now: Local) -> String {
    let clock = then.clock();
    match now.day - then.day {
        ..=0 => format!("today, {clock}"),
        1 => format!("yesterday, {clock}"),
        2..=6 => format!("{}, {clock}", then.weekday()),
        7.. => {
            let (year, month, day) = then.date();
            let month = MONTHS.get(month).copied().unwrap_or_default();
            if year == now.date().0 {
                format!("{day} {month}, {clock}")
            } else {
                format!("{day} {month} {year}")
            }
        }
    }
}

/// A point in local time: days since 1 January 1970, a Thursday, and minutes of that day.
#[derive(Clone, Copy)]
struct Local {
    day: i64,
    minute: i64,
}

impl Local {
    fn new(at: Timestamp, utc_offset_min: i32) -> Self {
        let utc = i64::try_from(at.unix_millis() / 60_000).unwrap_or(i64::MAX / 2);
        let minutes = utc.saturating_add(i64::from(utc_offset_min));
        Self { day: minutes.div_euclid(DAY_MIN), minute: minutes.rem_euclid(DAY_MIN) }
    }

    fn clock(self) -> String {
        format!("{}:{:02}", self.minute / 60, self.minute % 60)
    }

    fn weekday(self) -> &'static str {
        let index = usize::try_from(self.day.rem_euclid(7)).unwrap_or_default();
        WEEKDAYS.get(index).copied().unwrap_or_default()
    }

    /// Year, month from 0, day from 1. Years are counted from March here, so that the leap day is a year's last.
    fn date(self) -> (i64, usize, i64) {
        const ERA_DAYS: i64 = 146_097;
        let since_march_0000 = self.day.saturating_add(719_468);
        let (era, day_of_era) =
            (since_march_0000.div_euclid(ERA_DAYS), since_march_0000.rem_euclid(ERA_DAYS));
        let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
        let year_of_era = (day_of_era - leap_days) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // March to July and August to December are both 153 days in five months.
        let months_after_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * months_after_march + 2) / 5 + 1;
        let month = usize::try_from((months_after_march + 2) % 12).unwrap_or_default();
        let year = era * 400 + year_of_era + i64::from(months_after_march >= 10);
        (year, month, day)
    }
}
