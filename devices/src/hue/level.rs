//! How bright a hub says a light is: 1 to 254, where 254 is 100 %, and how that reads as a percentage.
//!
//! Hub and topic count in different steps. What a topic says is never replaced by its own rounding: two levels are compared
//! as the hub counts, and a percentage is made from a level only when the hub itself says something new.

use luxwire_shared::model::Intensity;

/// A hub's brightness: 1 is the lowest that is on, 254 the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Level(u8);

/// What a light gives: nothing, or light of this level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Power {
    Off,
    On(Level),
}

impl Level {
    pub(super) const FULL: Self = Self(254);

    /// The number as API v1 and Home Assistant have it; 0, which some emulators say, is the lowest, and 255 the highest.
    pub(super) fn clamped(number: i64) -> Self {
        Self(u8::try_from(number.clamp(1, 254)).expect("1 to 254"))
    }

    /// 1 to 254.
    pub(super) const fn number(self) -> u8 {
        self.0
    }

    /// A percentage as API v2 has it.
    pub(super) fn from_percent(percent: f64) -> Self {
        // NaN becomes 0, which is the lowest.
        Self::clamped((percent * 2.54).round() as i64)
    }

    /// The shortest percentage that means this level: whole if possible.
    pub(super) fn intensity(self) -> Intensity {
        let exact = u32::from(self.0) * 10_000 / 254;
        let at = |unit: u32| (exact + unit / 2) / unit * unit;
        [at(100), at(10), exact]
            .into_iter()
            .filter_map(|hundredths| Intensity::from_hundredths(u16::try_from(hundredths).ok()?))
            .find(|intensity| Power::from(*intensity) == Power::On(self))
            .unwrap_or(Intensity::FULL)
    }
}

impl Power {
    /// The percentage that says this.
    pub(super) fn intensity(self) -> Intensity {
        match self {
            Self::Off => Intensity::OFF,
            Self::On(level) => level.intensity(),
        }
    }

    /// Whether the two differ by no more than the rounding of somebody in between.
    pub(super) fn is_near(self, other: Self) -> bool {
        match (self, other) {
            (Self::Off, Self::Off) => true,
            (Self::On(one), Self::On(two)) => one.0.abs_diff(two.0) <= 1,
            (Self::Off, Self::On(_)) | (Self::On(_), Self::Off) => false,
        }
    }
}

/// The nearest level; everything above 0 % is on.
impl From<Intensity> for Power {
    fn from(intensity: Intensity) -> Self {
        if intensity.is_off() {
            return Self::Off;
        }
        let number = (u32::from(intensity.hundredths()) * 254 + 5_000) / 10_000;
        Self::On(Level::clamped(number.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_survives_the_way_through_a_percentage() {
        for number in 1..=254 {
            let level = Level::clamped(number);
            assert_eq!(Power::from(level.intensity()), Power::On(level), "{number}");
        }
    }

    #[test]
    fn whole_percentages_stay_whole() {
        for percent in 1..=100 {
            let intensity = Intensity::from_percent(percent).unwrap();
            assert_eq!(Power::from(intensity).intensity(), intensity);
        }
    }

    #[test]
    fn the_lowest_percentage_is_on() {
        let lowest = Intensity::from_hundredths(1).unwrap();
        assert_eq!(Power::from(lowest), Power::On(Level::clamped(1)));
        assert_eq!(Power::from(Intensity::OFF), Power::Off);
    }

    #[test]
    fn what_no_hub_should_say_is_a_level_nevertheless() {
        assert_eq!(Level::from_percent(f64::NAN).number(), 1);
        assert_eq!(Level::from_percent(1e300).number(), 254);
        assert_eq!(Level::clamped(i64::MIN).number(), 1);
    }
}
