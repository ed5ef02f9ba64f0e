//! What the page says in words that depend on the state of things. Pure: times come in, text goes out.
use luxwire_shared::{
    model::{Availability, LightId, LightView, Notice, age},
    mqtt::ReasonCode,
    time::Timestamp,
};

use crate::components::Word;

/// Local time: the wall clock, and how far it is ahead of UTC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalTime {
    /// The wall clock.
    pub(crate) now: Timestamp,
    /// How many minutes local time is ahead of UTC.
    pub(crate) utc_offset_min: i32,
}

/// How the house is lit, as its headline: "Three of six lights are on". Without a connection that is how it was.
pub(crate) fn house(on: usize, lights: usize, connected: bool) -> String {
    let (is, are) = if connected { ("is", "are") } else { ("was", "were") };
    match (on, lights) {
        (_, 0) => String::new(),
        (0, 1) => format!("The light {is} off"),
        (_, 1) => format!("The light {is} on"),
        (0, _) => format!("All lights {are} off"),
        (2, 2) => format!("Both lights {are} on"),
        (on, lights) if on == lights => format!("All {} lights {are} on", number(lights)),
        (1, lights) => format!("One of {} lights {is} on", number(lights)),
        (on, lights) => format!("{} of {} lights {are} on", capital(&number(on)), number(lights)),
    }
}

/// Since when a light is as it is: "set 3 minutes ago", "turned off just now", "offline since 9:03".
pub(crate) fn since(light: &LightView, connected: bool, time: LocalTime) -> String {
    if light.unacknowledged && !connected {
        return "will be set once connected".into();
    }
    let age = |at| age::age(at, time.now, time.utc_offset_min);
    match (light.availability, light.set_at) {
        (Availability::Offline { since: None }, _) => "offline".into(),
        (Availability::Offline { since: Some(at) }, _) => format!("offline since {}", moment(at, time)),
        (Availability::Unknown | Availability::Online, None) => "set at an unknown time".into(),
        (Availability::Unknown | Availability::Online, Some(at)) if light.displayed.is_off() => {
            format!("turned off {}", age(at))
        }
        (Availability::Unknown | Availability::Online, Some(at)) => format!("set {}", age(at)),
    }
}

/// The time that [`since`] speaks of.
pub(crate) fn since_at(light: &LightView) -> Option<Timestamp> {
    match light.availability {
        Availability::Offline { since } => since,
        Availability::Unknown | Availability::Online => light.set_at,
    }
}

/// What a light's card says for a while because of `notice`; nothing if it is about no light.
pub(crate) fn notice(notice: &Notice) -> Option<(LightId, Word)> {
    let (light, words, urgent) = match notice {
        Notice::Differs { light, reported, .. } if reported.is_off() => {
            (light, "was turned off elsewhere".into(), true)
        }
        Notice::Differs { light, reported, .. } => {
            (light, format!("is at {}% now", reported.rounded()), true)
        }
        Notice::Refused { light, reason: ReasonCode::NotAuthorized } => {
            (light, "you may not change this".into(), true)
        }
        Notice::Refused { light, reason } => (light, format!("refused by the broker ({reason:?})"), true),
        Notice::NotSent { light } => (light, "not set: too long without connection".into(), true),
        Notice::Ignored { light, payload, .. } => {
            (light, format!("ignored “{payload}”: no percentage"), false)
        }
        Notice::TooManyLights { .. } => return None,
    };
    Some((light.clone(), Word { words, urgent }))
}

/// Whether people would take two names for the same.
pub(crate) fn is_same_name(left: &str, right: &str) -> bool {
    left.to_lowercase() == right.to_lowercase()
}

/// The page's title: what cannot be seen while another tab is in front.
pub(crate) fn title(trouble: Option<&str>) -> String {
    match trouble {
        Some(trouble) => format!("{trouble} · Luxwire"),
        None => "Luxwire".into(),
    }
}

const HOUR_MS: u64 = 3_600_000;
const NUMBERS: [&str; 13] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
];

fn number(number: usize) -> String {
    NUMBERS.get(number).map_or_else(|| number.to_string(), |word| (*word).into())
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A point in time as what follows "since": the time of day while that is clear, else with its day.
fn moment(at: Timestamp, time: LocalTime) -> String {
    let clock = age::clock(at, time.utc_offset_min);
    if time.now.unix_millis().saturating_sub(at.unix_millis()) < HOUR_MS {
        return clock;
    }
    let day = age::age(at, time.now, time.utc_offset_min);
    if day.starts_with("today") { clock } else { day }
}

#[cfg(test)]
mod tests {
    use super::*;
    use luxwire_shared::model::{Intensity, LightId};

    const NOON: Timestamp = Timestamp::from_unix_millis(1_795_348_800_000);
    const TIME: LocalTime = LocalTime { now: NOON, utc_offset_min: 60 };

    fn ago(minutes: u64) -> Option<Timestamp> {
        Some(Timestamp::from_unix_millis(NOON.unix_millis() - minutes * 60_000))
    }

    fn light(percent: u8) -> LightView {
        let id = LightId::try_from("desk").unwrap();
        LightView {
            name: id.display_name(),
            id,
            displayed: Intensity::from_percent(percent).unwrap(),
            reported: None,
            dragging: false,
            unacknowledged: false,
            set_at: None,
            availability: Availability::Unknown,
        }
    }

    #[test]
    fn the_headline_counts_in_words() {
        let check = |on, lights, expected: &str| assert_eq!(house(on, lights, true), expected);
        check(0, 0, "");
        check(0, 1, "The light is off");
        check(1, 1, "The light is on");
        check(0, 6, "All lights are off");
        check(1, 6, "One of six lights is on");
        check(5, 6, "Five of six lights are on");
        check(2, 2, "Both lights are on");
        check(3, 3, "All three lights are on");
        check(13, 40, "13 of 40 lights are on");
        assert_eq!(house(5, 6, false), "Five of six lights were on");
    }

    #[test]
    fn a_light_says_when_it_was_set() {
        let set = |percent, set_at| since(&LightView { set_at, ..light(percent) }, true, TIME);
        assert_eq!(set(40, ago(0)), "set just now");
        assert_eq!(set(40, ago(3)), "set 3 minutes ago");
        assert_eq!(set(0, ago(3)), "turned off 3 minutes ago");
        assert_eq!(set(40, ago(24 * 60)), "set yesterday, 13:00");
    }

    #[test]
    fn an_unknown_age_is_not_invented() {
        assert_eq!(since(&light(40), true, TIME), "set at an unknown time");
        assert_eq!(since_at(&light(40)), None);
    }

    #[test]
    fn a_lamp_that_is_gone_says_since_when() {
        let gone = |since_at| {
            let availability = Availability::Offline { since: since_at };
            since(&LightView { availability, set_at: ago(9_000), ..light(40) }, true, TIME)
        };
        assert_eq!(gone(None), "offline");
        assert_eq!(gone(ago(10)), "offline since 12:50");
        assert_eq!(gone(ago(180)), "offline since 10:00");
        assert_eq!(gone(ago(24 * 60)), "offline since yesterday, 13:00");
    }

    #[test]
    fn a_wish_that_waits_for_the_connection_says_so() {
        let waiting = LightView { unacknowledged: true, set_at: ago(3), ..light(40) };
        assert_eq!(since(&waiting, false, TIME), "will be set once connected");
        assert_eq!(since(&waiting, true, TIME), "set 3 minutes ago");
    }
}
