//! Times as they are on the clock on the wall.

use crate::recorder::{arrival::Millis, query::when};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// How much of a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    Millis,
    Seconds,
    Minutes,
    /// Without the date.
    Clock,
    Day,
}

/// What the recorder understands, and besides local times without an offset.
pub(super) fn moment(text: &str, now: Millis) -> Result<Millis, String> {
    let understood = when::moment(text, now);
    if understood.is_ok() {
        return understood;
    }
    // A date alone is its midnight.
    let local = text.parse::<DateTime>().or_else(|_| text.parse::<jiff::civil::Date>().map(DateTime::from));
    match local.and_then(|local| local.to_zoned(TimeZone::system())) {
        Ok(zoned) if zoned.timestamp().as_millisecond() >= 0 => Ok(zoned.timestamp().as_millisecond()),
        _ => understood.map_err(|_| {
            format!(
                "{text:?} is no time; write -24h, now, 2026-11-27, 2026-11-27T17:00 or 2026-11-27T17:00:00Z"
            )
        }),
    }
}

/// A time of an answer, as it was here.
pub(super) fn time(rfc3339: &str, detail: Detail) -> String {
    match rfc3339.parse::<Timestamp>() {
        Ok(timestamp) => of_timestamp(timestamp, detail),
        // Not what our recorder writes, but all that is known.
        Err(_) => rfc3339.escape_debug().to_string(),
    }
}

pub(super) fn of_millis(millis: Millis, detail: Detail) -> String {
    Timestamp::from_millisecond(millis)
        .map_or_else(|_| "?".to_owned(), |timestamp| of_timestamp(timestamp, detail))
}

/// `Europe/Berlin`, or the offset where the system has no name.
pub(super) fn zone() -> String {
    let zone = TimeZone::system();
    if zone == TimeZone::UTC {
        return "UTC".to_owned();
    }
    zone.iana_name()
        .map_or_else(|| Timestamp::now().to_zoned(zone.clone()).strftime("%:z").to_string(), str::to_owned)
}

fn of_timestamp(timestamp: Timestamp, detail: Detail) -> String {
    let format = match detail {
        Detail::Millis => "%Y-%m-%d %H:%M:%S%.3f",
        Detail::Seconds => "%Y-%m-%d %H:%M:%S",
        Detail::Minutes => "%Y-%m-%d %H:%M",
        Detail::Clock => "%H:%M",
        Detail::Day => "%m-%d",
    };
    timestamp.to_zoned(TimeZone::system()).strftime(format).to_string()
}
