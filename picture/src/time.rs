//! Times: the stage's, on which messages move, and the wall clock's, as the server writes it.

use luxwire_shared::time::Timestamp;

/// Milliseconds on a clock that somebody else holds.
pub(crate) type Millis = f64;

/// The wall clock where the person is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalTime {
    /// What it shows.
    pub(crate) now: Timestamp,
    /// How far it is ahead of UTC.
    pub(crate) utc_offset_min: i32,
}

/// The time that an RFC 3339 text names: `2026-11-27T17:00:01.5Z`, `2026-11-27T18:00:01+01:00`.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-');
    let (year, month, day) =
        (number(date.next(), 9_999)?, number(date.next(), 12)?, number(date.next(), 31)?);
    let zone = time.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = time.split_at_checked(zone)?;
    let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut whole = whole.splitn(3, ':');
    let (hour, minute, second) =
        (number(whole.next(), 23)?, number(whole.next(), 59)?, number(whole.next(), 60)?);
    let days = days_since_1970(year, month, day);
    let seconds = ((days * 24 + hour) * 60 + minute - offset_min(zone)?) * 60 + second;
    u64::try_from(seconds * 1_000 + millis(fraction)?).ok().map(Timestamp::from_unix_millis)
}

fn number(text: Option<&str>, at_most: i64) -> Option<i64> {
    let text = text.filter(|text| (1..=4).contains(&text.len()) && is_digits(text))?;
    text.parse().ok().filter(|number| *number <= at_most)
}

fn millis(fraction: &str) -> Option<i64> {
    let digits = fraction.get(..fraction.len().min(3)).filter(|_| is_digits(fraction))?;
    Some(digits.bytes().zip([100, 10, 1]).map(|(digit, worth)| i64::from(digit - b'0') * worth).sum())
}

fn offset_min(zone: &str) -> Option<i64> {
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return (zone.len() == 1).then_some(0),
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    Some(sign * (number(Some(hours), 23)? * 60 + number(Some(minutes), 59)?))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Counts in years that begin in March, so that a leap day is the last one.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(parse(text).map(Timestamp::unix_millis), expected, "{text}");
        };
        check("1970-01-01T00:00:00Z", Some(0));
        check("2000-02-29T12:00:00Z", Some(951_825_600_000));
        check("2026-11-27T17:00:01.25Z", Some(1_795_798_801_250));
        check("2026-11-27T18:00:01.250999+01:00", Some(1_795_798_801_250));
        check("2026-11-27T16:30:01-00:30", Some(1_795_798_801_000));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "now",
            "2026",
            "2026-11-27",
            "2026-11-27T17:00:01",
            "2026-13-27T17:00:01Z",
            "1969-01-01T00:00:00Z",
            "2026-11-27T17:00:-1Z",
            "2026-11-27T17:00:01+1",
            "99999-11-27T17:00:01Z",
            "2026-11-27T17:00:01.x1Z",
            "ü-é-àTö:ß:ñZ",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
