//! Times and durations as people write them: `-24h`, `2026-11-27T17:00:00Z`, `5m`. It reads no clock.

use crate::recorder::arrival::{MILLIS_MAX, Millis};
use jiff::Timestamp;
use std::time::Duration;

/// How long something lasts: numbers with units, `90s`, `5m`, `1h30m`, `7d`, `2w`, `1y`; a number alone is seconds.
pub(in crate::recorder) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration; write 90s, 5m, 1h30m, 7d, 2w or 1y");
    if text.is_empty() {
        return Err(wrong());
    }
    let mut rest = text;
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|char: char| char.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let letters = after.len() - after.trim_start_matches(|char: char| char.is_ascii_alphabetic()).len();
        let (unit, after) = after.split_at(letters);
        let unit_ms = match unit {
            "" if text.len() == digits => 1_000,
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 7 * 86_400_000,
            "y" => 365 * 86_400_000,
            _ => return Err(wrong()),
        };
        let part = number.checked_mul(unit_ms).ok_or_else(wrong)?;
        millis = millis.checked_add(part).filter(|millis| *millis <= MILLIS_MAX as u64).ok_or_else(wrong)?;
        rest = after;
    }
    Ok(Duration::from_millis(millis))
}

/// A point in time: RFC 3339, `now`, a duration before it (`-24h`), or milliseconds since 1970.
pub(in crate::recorder) fn moment(text: &str, now: Millis) -> Result<Millis, String> {
    let wrong =
        || format!("{text:?} is no time; write 2026-11-27T17:00:00Z, -24h, now, or milliseconds since 1970");
    let millis = if text == "now" {
        now
    } else if let Some(ago) = text.strip_prefix('-') {
        let ago = duration(ago).map_err(|_| wrong())?;
        now.saturating_sub(Millis::try_from(ago.as_millis()).map_err(|_| wrong())?).max(0)
    } else if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_err(|_| wrong())?
    } else {
        let timestamp: Timestamp = text.parse().map_err(|_| wrong())?;
        timestamp.as_millisecond()
    };
    if (0..=MILLIS_MAX).contains(&millis) { Ok(millis) } else { Err(wrong()) }
}

/// RFC 3339 with milliseconds, in UTC.
pub(in crate::recorder) fn rfc3339(millis: Millis) -> String {
    match Timestamp::from_millisecond(millis.clamp(0, MILLIS_MAX)) {
        Ok(timestamp) => format!("{timestamp:.3}"),
        Err(_) => unreachable!("the year 9999 is within what can be written"),
    }
}

/// A duration as people say it, to two units.
pub(in crate::recorder) fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut left = seconds;
    let mut words = Vec::new();
    for (unit, name) in parts {
        if left >= unit && words.len() < 2 {
            words.push(format!("{} {name}", left / unit));
            left %= unit;
        }
    }
    if words.is_empty() { format!("{} ms", duration.as_millis()) } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_795_800_000_000;

    #[test]
    fn durations_are_understood_or_refused() {
        for (text, seconds) in [
            ("90s", 90),
            ("90", 90),
            ("5m", 300),
            ("1h30m", 5_400),
            ("7d", 604_800),
            ("2w", 1_209_600),
            ("1y", 31_536_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for text in
            ["", "m", "5x", "5 m", "-5m", "1h30", "99999999999999999999s", "9999999999y", "1.5h", "5m5"]
        {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn moments_are_understood_or_refused() {
        for (text, expected) in [
            ("now", NOW),
            ("-24h", NOW - 86_400_000),
            ("1795799999999", NOW - 1),
            ("1970-01-01T00:00:01.5Z", 1_500),
            ("2026-11-27T18:00:00+01:00", 1_795_798_800_000),
            ("-999y", 0),
        ] {
            assert_eq!(moment(text, NOW), Ok(expected), "{text}");
        }
        for text in ["", "-", "yesterday", "2026-11-27", "99999999999999999", "+5m", "1969-01-01T00:00:00Z"] {
            assert!(moment(text, NOW).is_err(), "{text:?}");
        }
    }

    #[test]
    fn times_are_written_with_milliseconds() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_795_798_800_120), "2026-11-27T17:00:00.120Z");
        assert_eq!(moment(&rfc3339(MILLIS_MAX), NOW), Ok(MILLIS_MAX));
        assert_eq!(spoken(Duration::from_secs(90_061)), "1 d 1 h");
        assert_eq!(spoken(Duration::from_millis(20)), "20 ms");
    }
}
