//! From raw counts to what is published: the vectors that every dimmer shares, and what holds for any knob.

use super::ms;
use luxwire_shared::{
    model::{
        Intensity,
        reading::{OutOfRange, Publish, Reading, SAMPLE_EVERY, Settings, SettingsError},
    },
    time::Instant,
};
use proptest::{prelude::*, test_runner::TestCaseError};
use std::time::Duration;

/// Columns: scenario (a knob of its own each), adc_max, band, time_ms, raw, payload (empty: nothing is published), last
/// (1: the final value, QoS 1). The firmware's tests and those of the Arduino sketches read the same file.
const VECTORS: &str = include_str!("../model_vectors/reading.csv");

#[test]
fn the_shared_vectors() {
    let mut knob = None;
    let (mut scenarios, mut published) = (0, 0);
    for line in VECTORS.lines().skip(1) {
        let [scenario, adc_max, band, time_ms, raw, payload, last] =
            line.split(',').collect::<Vec<_>>()[..].try_into().unwrap();
        let adc_max: u16 = adc_max.parse().unwrap();
        if knob.as_ref().is_none_or(|(of, _)| *of != scenario) {
            let settings = Settings::new(adc_max).unwrap().with_band(band.parse().unwrap()).unwrap();
            knob = Some((scenario, Reading::new(settings)));
            scenarios += 1;
        }
        let (_, reading) = knob.as_mut().unwrap();
        let raw: u32 = raw.parse().unwrap();
        let publish = reading.sample(raw, ms(time_ms.parse().unwrap()));
        assert_eq!(publish.is_err(), raw > u32::from(adc_max), "{line}");
        let publish = publish.unwrap_or_default();
        let said = publish.map(|publish| publish.intensity.to_string()).unwrap_or_default();
        let was_last = publish.map(|publish| if publish.last { "1" } else { "0" }).unwrap_or_default();
        assert_eq!((said.as_str(), was_last), (payload, last), "{line}");
        published += usize::from(publish.is_some());
    }
    assert!(
        scenarios >= 18 && published >= 80,
        "the file is cut: {scenarios} scenarios, {published} published"
    );
}

#[test]
fn a_count_that_the_converter_does_not_have_is_reported_and_changes_nothing() {
    let mut reading = Reading::new(Settings::new(1_023).unwrap());
    assert_eq!(reading.sample(1_024, ms(0)), Err(OutOfRange { raw: 1_024, adc_max: 1_023 }));
    assert_eq!(OutOfRange { raw: 1_024, adc_max: 1_023 }.to_string(), "1024 is outside 0 to 1023");
    let mut knob = Knob { reading, now: ms(0), published: Vec::new() };
    knob.rests_at(300);
    let before = knob.reading.clone();
    assert!(knob.reading.sample(u32::MAX, ms(99_999)).is_err());
    assert_eq!(format!("{before:?}"), format!("{:?}", knob.reading));
}

#[test]
fn one_sample_that_differs_is_enough_not_to_fall_asleep() {
    let mut knob = Knob::new(Settings::new(1_023).unwrap());
    knob.rests_at(300);
    knob.says(900, SAMPLE_EVERY);
    assert!(!knob.reading.is_still());
    knob.rests_at(300);
    assert_eq!(knob.published.len(), 1, "it was a spike");
}

#[test]
fn settings_have_limits() {
    assert_eq!(Settings::new(99), Err(SettingsError::TooFewCounts));
    assert_eq!(Settings::new(100).map(Settings::band), Ok(1));
    assert_eq!(Settings::new(1_023).map(Settings::band), Ok(3));
    assert_eq!(Settings::new(4_095).map(Settings::band), Ok(15));
    let settings = Settings::new(1_023).unwrap();
    assert_eq!(settings.with_band(0), Err(SettingsError::Band { widest: 31 }));
    assert_eq!(settings.with_band(32), Err(SettingsError::Band { widest: 31 }));
    assert_eq!(settings.with_band(31).map(Settings::band), Ok(31));
}

#[test]
fn every_percent_can_be_chosen_and_more_counts_are_never_less_light() {
    for settings in [1_023, 4_095, u16::MAX].map(|adc_max| Settings::new(adc_max).unwrap()) {
        let intensities = (0..=settings.adc_max()).map(|value| settings.intensity(value));
        let mut percents: Vec<_> = intensities.map(Intensity::hundredths).collect();
        assert!(percents.is_sorted());
        percents.dedup();
        assert_eq!(percents, (0..=100).map(|percent| percent * 100).collect::<Vec<_>>());
    }
}

/// A knob in virtual time, with everything that it published.
struct Knob {
    reading: Reading,
    now: Instant,
    published: Vec<(Instant, Publish)>,
}

impl Knob {
    fn new(settings: Settings) -> Self {
        Self { reading: Reading::new(settings), now: ms(0), published: Vec::new() }
    }

    fn says(&mut self, raw: u16, after: Duration) {
        self.now = self.now + after;
        let publish = self.reading.sample(u32::from(raw), self.now).unwrap();
        self.published.extend(publish.map(|publish| (self.now, publish)));
    }

    /// Until nothing more follows; that takes less than a second.
    fn rests_at(&mut self, raw: u16) -> Option<Publish> {
        let before = self.published.len();
        for _ in 0..100 {
            self.says(raw, SAMPLE_EVERY);
        }
        assert!(self.reading.is_still());
        self.published[before..].last().map(|(_, publish)| *publish)
    }
}

fn settings() -> impl Strategy<Value = Settings> {
    let adc_max = prop_oneof![Just(1_023_u16), Just(4_095), Settings::ADC_MAX_MIN..=u16::MAX];
    (adc_max, 1_u16..=2_047).prop_map(|(adc_max, band)| {
        let settings = Settings::new(adc_max).unwrap();
        settings.with_band(band).unwrap_or(settings)
    })
}

/// So many thousandths of the converter's range.
fn count(settings: Settings, thousandths: u32) -> u16 {
    u16::try_from(u32::from(settings.adc_max()) * thousandths / 1_000).unwrap()
}

fn check_rate(knob: &Knob) -> Result<(), TestCaseError> {
    for pair in knob.published.windows(2) {
        prop_assert!(pair[1].0.since(pair[0].0) >= Duration::from_millis(100), "{pair:?}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn noise_within_the_dead_band_publishes_nothing(
        settings in settings(),
        at in 0_u32..=1_000,
        noise in prop::collection::vec(-1_000_i32..=1_000, 1..300),
    ) {
        let mut knob = Knob::new(settings);
        let rest = count(settings, at);
        knob.rests_at(rest);
        prop_assert_eq!(knob.published.len(), 1);
        for part in noise {
            let raw = i32::from(rest) + i32::from(settings.band()) * part / 1_000;
            knob.says(raw.clamp(0, i32::from(settings.adc_max())).try_into().unwrap(), SAMPLE_EVERY);
        }
        prop_assert_eq!(knob.published.len(), 1);
    }

    #[test]
    fn a_step_is_reached_exactly_and_said_to_be_the_last(
        settings in settings(),
        from in 0_u32..=1_000,
        to in 0_u32..=1_000,
        between in prop::collection::vec((0_u32..=1_000, 1_u64..40), 0..100),
    ) {
        let mut knob = Knob::new(settings);
        let (from, to) = (count(settings, from), count(settings, to));
        let first = knob.rests_at(from);
        prop_assert_eq!(first, Some(Publish { intensity: settings.intensity(from), last: true }));
        for (at, after_ms) in between {
            knob.says(count(settings, at), Duration::from_millis(after_ms));
        }
        let end = knob.rests_at(to);
        if let Some(end) = end {
            prop_assert!(end.last);
        }
        // Where the last turn was no wider than the dead band, it is within it.
        let (_, said) = knob.published.last().unwrap();
        let reached = said.intensity == settings.intensity(to);
        let low = settings.intensity(to.saturating_sub(settings.band()));
        let high = settings.intensity(to.saturating_add(settings.band()));
        prop_assert!(reached || (low..=high).contains(&said.intensity));
        check_rate(&knob)?;
    }

    #[test]
    fn a_step_wider_than_the_band_ends_exactly_there(
        settings in settings(),
        from in 0_u32..=1_000,
        to in 0_u32..=1_000,
    ) {
        let (from, to) = (count(settings, from), count(settings, to));
        prop_assume!(from.abs_diff(to) > settings.band());
        let mut knob = Knob::new(settings);
        knob.rests_at(from);
        let end = knob.rests_at(to);
        prop_assert_eq!(end, Some(Publish { intensity: settings.intensity(to), last: true }));
        let on_the_way: Vec<_> = knob.published.iter().map(|(_, publish)| publish.intensity).collect();
        prop_assert!(on_the_way.is_sorted() || on_the_way.iter().rev().is_sorted(), "{on_the_way:?}");
        check_rate(&knob)?;
    }

    #[test]
    fn the_ends_are_reached_from_anywhere_also_by_a_converter_that_never_quite_gets_there(
        settings in settings(),
        from in 0_u32..=1_000,
        short in 0_u16..=2_047,
    ) {
        let short = short.min(settings.band());
        for (end, expected) in [(short, Intensity::OFF), (settings.adc_max() - short, Intensity::FULL)] {
            let mut knob = Knob::new(settings);
            knob.rests_at(count(settings, from));
            knob.rests_at(end);
            prop_assert_eq!(knob.published.last().unwrap().1.intensity, expected);
        }
    }

    #[test]
    fn never_more_than_ten_a_second_at_any_rate_of_samples(
        settings in settings(),
        samples in prop::collection::vec((0_u32..=1_000, 0_u64..60), 1..400),
    ) {
        let mut knob = Knob::new(settings);
        for (at, after_ms) in samples {
            knob.says(count(settings, at), Duration::from_millis(after_ms));
        }
        check_rate(&knob)?;
    }
}
