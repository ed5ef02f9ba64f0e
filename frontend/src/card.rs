//! One light as its card shows it, and the row of cards with what stands in a removed one's place. Pure.
use crate::{
    components::{When, Word},
    words::{self, LocalTime},
};
use luxwire_shared::{
    model::{Availability, Intensity, LightId, LightView},
    time::Timestamp,
};

/// What a card shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    /// The slider's percentage; while the light is off, the one that switching on would go back to.
    pub(crate) level: u8,
    /// Whether the light is on.
    pub(crate) on: bool,
    /// What the light says, while that is not what is shown.
    pub(crate) reported: Option<u8>,
    /// Whether its lamp is out of reach.
    pub(crate) gone: bool,
    /// Whether a hand is on the slider.
    pub(crate) held: bool,
    /// Since when.
    pub(crate) when: When,
    /// What is to be said instead, for a while.
    pub(crate) notice: Option<Word>,
}

impl Card {
    /// The card of `light`, which was last on at `last_on`.
    pub(crate) fn new(
        light: &LightView,
        last_on: Option<Intensity>,
        connected: bool,
        time: LocalTime,
        rfc3339: impl Fn(Timestamp) -> String,
    ) -> Self {
        let on = !light.displayed.is_off();
        let level = if on { light.displayed } else { last_on.unwrap_or(Intensity::FULL) };
        Self {
            level: level.rounded(),
            on,
            reported: light.reported.map(Intensity::rounded).filter(|reported| *reported > 0),
            gone: matches!(light.availability, Availability::Offline { .. }),
            held: light.dragging,
            when: When {
                words: words::since(light, connected, time),
                datetime: words::since_at(light).map(rfc3339),
            },
            notice: None,
        }
    }
}

/// A light that was removed here, and could be brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Removed {
    /// Which light.
    pub(crate) id: LightId,
    /// What it was called.
    pub(crate) name: String,
    /// How bright it was.
    pub(crate) level: Intensity,
    /// Where it stood in the row.
    pub(crate) place: usize,
}

/// A place in the row of cards.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// A light.
    Light(LightId),
    /// Where a light was.
    Removed(LightId),
}

/// The row: the lights in their order, and each removed one where it stood. One that has come back by other means is
/// forgotten.
pub(crate) fn row(lights: &[LightView], removed: &mut Vec<Removed>) -> Vec<Place> {
    removed.retain(|removed| lights.iter().all(|light| light.id != removed.id));
    let mut row: Vec<Place> = lights.iter().map(|light| Place::Light(light.id.clone())).collect();
    let mut by_place: Vec<&Removed> = removed.iter().collect();
    by_place.sort_by_key(|removed| removed.place);
    for removed in by_place {
        row.insert(removed.place.min(row.len()), Place::Removed(removed.id.clone()));
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: LocalTime =
        LocalTime { now: Timestamp::from_unix_millis(1_795_348_800_000), utc_offset_min: 0 };

    fn light(id: &str, percent: u8) -> LightView {
        let id = LightId::try_from(id).unwrap();
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

    fn card(light: &LightView, last_on: Option<Intensity>) -> Card {
        Card::new(light, last_on, true, TIME, |at| at.unix_millis().to_string())
    }

    #[test]
    fn a_light_that_is_off_shows_where_it_would_come_back_to() {
        let last_on = Intensity::from_percent(40);
        let shown = card(&light("desk", 0), last_on);
        assert_eq!((shown.on, shown.level), (false, 40));
        assert_eq!(card(&light("desk", 0), None).level, 100);
    }

    #[test]
    fn a_light_that_is_barely_on_is_on() {
        let displayed = Intensity::from_hundredths(20).unwrap();
        let shown = card(&LightView { displayed, ..light("desk", 0) }, None);
        assert_eq!((shown.on, shown.level), (true, 1));
    }

    #[test]
    fn a_light_that_was_switched_off_elsewhere_leaves_no_mark_on_the_bar() {
        let elsewhere =
            |percent| LightView { reported: Intensity::from_percent(percent), ..light("desk", 40) };
        assert_eq!(card(&elsewhere(70), None).reported, Some(70));
        assert_eq!(card(&elsewhere(0), None).reported, None);
    }

    #[test]
    fn the_time_is_there_for_machines_too() {
        let set_at = Some(TIME.now);
        let shown = card(&LightView { set_at, ..light("desk", 40) }, None);
        let expected = When { words: "set just now".into(), datetime: Some("1795348800000".into()) };
        assert_eq!(shown.when, expected);
    }

    fn removed(id: &str, place: usize) -> Removed {
        let light = light(id, 40);
        Removed { id: light.id, name: light.name, level: light.displayed, place }
    }

    fn names(row: &[Place]) -> Vec<String> {
        let name = |place: &Place| match place {
            Place::Light(id) => id.to_string(),
            Place::Removed(id) => format!("({id})"),
        };
        row.iter().map(name).collect()
    }

    #[test]
    fn a_removed_light_leaves_a_mark_in_its_place() {
        let lights = [light("a", 1), light("d", 1)];
        let mut gone = vec![removed("c", 2), removed("b", 1)];
        assert_eq!(names(&row(&lights, &mut gone)), ["a", "(b)", "(c)", "d"]);
        assert_eq!(names(&row(&[], &mut gone)), ["(b)", "(c)"]);
    }

    #[test]
    fn a_removed_light_that_is_back_needs_no_mark() {
        let mut gone = vec![removed("b", 0)];
        assert_eq!(names(&row(&[light("b", 1)], &mut gone)), ["b"]);
        assert!(gone.is_empty());
    }
}
