//! Times as people and HTTP write them. It reads no clock.

use luxwire_shared::time::Timestamp;
use std::time::UNIX_EPOCH;

/// RFC 3339 with milliseconds, in UTC: `2026-11-22T17:14:15.532Z`.
pub(crate) fn rfc3339(timestamp: Timestamp) -> String {
    let Civil { year, month, day, hour, minute, second, milli, .. } = Civil::of(timestamp);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// RFC 9110: `Sun, 22 Nov 2026 17:14:15 GMT`.
pub(super) fn http(timestamp: Timestamp) -> String {
    let Civil { year, month, day, weekday, hour, minute, second, .. } = Civil::of(timestamp);
    let month = MONTHS[month as usize - 1];
    format!(
        "{}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT",
        WEEKDAYS[weekday as usize]
    )
}

/// Seconds since 1970 of a date in any of the three forms that RFC 9110 has; `None` if it is none, or before 1970.
pub(super) fn parse_http(text: &str) -> Option<u64> {
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// A time in UTC, in parts.
struct Civil {
    year: u64,
    /// 1 to 12.
    month: u64,
    /// 1 to 31.
    day: u64,
    /// 0 is Thursday, the day of the epoch.
    weekday: u64,
    hour: u64,
    minute: u64,
    second: u64,
    milli: u64,
}

impl Civil {
    /// Counts in eras of 400 years, 146,097 days each, that begin on a 1 March, so that the leap day comes last.
    fn of(timestamp: Timestamp) -> Self {
        let millis = timestamp.unix_millis();
        let (days, millis_of_day) = (millis / 86_400_000, millis % 86_400_000);
        let days_since_march_0000 = days + 719_468;
        let (era, day_of_era) = (days_since_march_0000 / 146_097, days_since_march_0000 % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Months of 31, 30, 31, 30, 31 days, over and over from March.
        let months_since_march = (5 * day_of_year + 2) / 153;
        let month = if months_since_march < 10 { months_since_march + 3 } else { months_since_march - 9 };
        Self {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * months_since_march + 2) / 5 + 1,
            weekday: days % 7,
            hour: millis_of_day / 3_600_000,
            minute: millis_of_day / 60_000 % 60,
            second: millis_of_day / 1_000 % 60,
            milli: millis_of_day % 1_000,
        }
    }
}

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_all_their_forms() {
        for form in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(parse_http(form), Some(784_111_777), "{form}");
        }
        for none in ["", "now", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1969 08:49:37 GMT"] {
            assert_eq!(parse_http(none), None, "{none}");
        }
    }

    #[test]
    fn times_are_written_as_the_standards_say() {
        let check = |millis: u64, in_rfc3339: &str, in_http: &str| {
            let timestamp = Timestamp::from_unix_millis(millis);
            assert_eq!((rfc3339(timestamp).as_str(), http(timestamp).as_str()), (in_rfc3339, in_http));
        };
        check(0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT");
        check(784_111_777_000, "1994-11-06T08:49:37.000Z", "Sun, 06 Nov 1994 08:49:37 GMT");
        check(951_827_696_789, "2000-02-29T12:34:56.789Z", "Tue, 29 Feb 2000 12:34:56 GMT");
        check(1_709_251_199_999, "2024-02-29T23:59:59.999Z", "Thu, 29 Feb 2024 23:59:59 GMT");
        check(1_709_251_200_000, "2024-03-01T00:00:00.000Z", "Fri, 01 Mar 2024 00:00:00 GMT");
        check(1_798_761_600_000, "2027-01-01T00:00:00.000Z", "Fri, 01 Jan 2027 00:00:00 GMT");
        check(4_107_542_400_000, "2100-03-01T00:00:00.000Z", "Mon, 01 Mar 2100 00:00:00 GMT");
    }
}
