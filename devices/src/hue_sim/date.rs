//! Dates as a hub writes them. No time zones: everything is UTC.

use luxwire_shared::time::Timestamp;

/// `2026-11-22T19:52:00`, as v1 writes it; v2 adds a `Z`.
pub(crate) fn iso(time: Timestamp) -> String {
    let seconds = time.unix_millis() / 1000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// The date so many days after 1970-01-01. Years are counted from March here, so that a leap day is a year's last.
fn civil(days: u64) -> (u64, u64, u64) {
    // Days from 0000-03-01 to 1970-01-01, and of 400, 100, 4 and 1 years.
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (era * 400 + year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let check = |seconds: u64, expected: &str| {
            assert_eq!(iso(Timestamp::from_unix_millis(seconds * 1000)), expected);
        };
        check(0, "1970-01-01T00:00:00");
        check(951_827_696, "2000-02-29T12:34:56");
        check(951_868_800, "2000-03-01T00:00:00");
        check(1_795_377_120, "2026-11-22T19:52:00");
        check(4_107_542_399, "2100-02-28T23:59:59");
        check(4_107_542_400, "2100-03-01T00:00:00");
    }
}
