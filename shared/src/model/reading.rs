//! From a potentiometer to intensities: what a dimmer's firmware does to the raw counts of its analog-digital converter.
//!
//! It reads no converter and sends nothing: hand over a sample every [`SAMPLE_EVERY`], publish what comes back. Integers
//! only, no buffer but the last three samples, so that it fits the smallest microcontroller and can be written again in
//! any language. Whoever does so finds every step below; `shared/tests/model_vectors/reading.csv` has samples with what
//! must follow from them.
//!
//! A sample is a raw count from 0 to `adc_max` and a time in milliseconds. All divisions drop the remainder.
//!
//! 0. `raw > adc_max`: the sample is refused, and nothing changes.
//! 1. *Median*: `median` is the middle one of this sample and the two before it, which takes single spikes away. The
//!    first sample counts three times.
//! 2. *Smoothing*: `sum = sum - sum / 4 + median`, and `value = sum / 4`: each sample moves the value by a quarter of
//!    the distance. At the first sample `sum = 4 * median`. The value reaches a constant input exactly, since the
//!    remainder stays in `sum`.
//! 3. *Dead band*: there is an `anchor`, at first the first `value`. When `value` is more than `band` from `anchor`, then
//!    `anchor = value`, `quiet = 0`, `still = false`. Otherwise, unless `still`, `quiet = quiet + 1`.
//! 4. *Publishing*, unless `still`, and at least 100 ms after the last publication:
//!    - `quiet >= 32`: `anchor = value`, `still = true`, and `percent(value)` is published at QoS 1, also if the same
//!      was published before, since that may have been lost. At the first sample `quiet = 0` and `still = false`.
//!    - otherwise `percent(anchor)` is published at QoS 0 if it differs from what was said last. At the first sample
//!      nothing is published, and `percent(anchor)` counts as said.
//!
//! `percent(value)`, with `margin = 2 * band` and `span = adc_max - 2 * margin`: 0 up to `margin`, 100 from
//! `adc_max - margin`, and between them `((value - margin) * 100 + span / 2) / span`, but at least 1 and at most 99. The
//! payload is that number in decimal digits.
//!
//! Why these numbers:
//!
//! - 10 ms between samples and a quarter per sample: a turn of the knob is 90 % there after 90 ms, which feels immediate,
//!   and the noise of a converter shrinks to a third or less.
//! - The band is 1/256 of the range if nothing else is asked for: 3 counts of 1023, 15 of 4095. A knob at rest wanders less
//!   after smoothing. Within it, nothing is ever published.
//! - The margin is twice the band, because then every knob at rest outside the margin is further than the band from the
//!   outermost `band` counts: turned to its end, it says 0 or 100, even where the converter never quite gets there.
//! - Whole percent: the dead band makes finer ones untrue, and a page's slider has the same steps.
//! - 32 quiet samples, a third of a second: by then the value has arrived, however wide the band.
//! - 100 ms between publications: see [`INTERVAL`].

use crate::{
    model::{INTERVAL, Intensity},
    time::Instant,
};
use core::{fmt, time::Duration};

/// How far samples are apart. Further apart is slower to follow, closer together is less smooth; nothing else changes.
pub const SAMPLE_EVERY: Duration = Duration::from_millis(10);

/// So many samples in a row within the dead band, and the knob is still.
const STILL_SAMPLES: u8 = 32;

/// A knob, sample by sample.
#[derive(Clone, Debug)]
pub struct Reading {
    settings: Settings,
    /// `None` before the first sample.
    knob: Option<Knob>,
}

/// The converter, and how much of what it says is noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    adc_max: u16,
    band: u16,
}

/// An intensity that is to be published, retained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publish {
    /// In whole percent.
    pub intensity: Intensity,
    /// Whether the knob is still: this one must arrive (QoS 1). Others may be lost, since another follows (QoS 0).
    pub last: bool,
}

/// A sample that the converter cannot have given: the wiring or the setting is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange {
    /// The sample.
    pub raw: u32,
    /// The greatest count there is.
    pub adc_max: u16,
}

/// Why there are no such [`Settings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// Fewer counts than there are percents.
    TooFewCounts,
    /// A dead band of more than a thirty-second of the range, or of nothing.
    Band {
        /// The widest that would do, in counts.
        widest: u16,
    },
}

#[derive(Clone, Debug)]
struct Knob {
    /// The last three samples, oldest first.
    samples: [u16; 3],
    /// Four times the smoothed value, and what is left over.
    sum: u32,
    /// The centre of the dead band.
    anchor: u16,
    quiet: u8,
    still: bool,
    said: Intensity,
    said_at: Option<Instant>,
}

impl Reading {
    /// No sample yet.
    pub const fn new(settings: Settings) -> Self {
        Self { settings, knob: None }
    }

    /// The converter says `raw`. Gives what is to be published.
    pub fn sample(&mut self, raw: u32, now: Instant) -> Result<Option<Publish>, OutOfRange> {
        let settings = self.settings;
        let adc_max = settings.adc_max;
        let sample =
            u16::try_from(raw).ok().filter(|raw| *raw <= adc_max).ok_or(OutOfRange { raw, adc_max })?;
        let Some(knob) = &mut self.knob else {
            self.knob = Some(Knob::new(sample, settings));
            return Ok(None);
        };
        let value = knob.smooth(sample);
        knob.hold(value, settings.band);
        Ok(knob.publish(value, settings, now))
    }

    /// Whether the last value was said, and no sample since then hints at a move. Until then samples must go on;
    /// afterwards a device may sleep, or wait for another count.
    pub fn is_still(&self) -> bool {
        let band = self.settings.band;
        self.knob.as_ref().is_some_and(|knob| {
            knob.still && knob.samples.iter().all(|sample| sample.abs_diff(knob.anchor) <= band)
        })
    }
}

impl Knob {
    fn new(sample: u16, settings: Settings) -> Self {
        Self {
            samples: [sample; 3],
            sum: u32::from(sample) * 4,
            anchor: sample,
            quiet: 0,
            still: false,
            said: settings.intensity(sample),
            said_at: None,
        }
    }

    /// Steps 1 and 2.
    fn smooth(&mut self, sample: u16) -> u16 {
        let [_, older, newer] = self.samples;
        self.samples = [older, newer, sample];
        let mut sorted = self.samples;
        sorted.sort_unstable();
        let [_, median, _] = sorted;
        self.sum = self.sum - self.sum / 4 + u32::from(median);
        u16::try_from(self.sum / 4).expect("an average of samples is no greater than the greatest")
    }

    /// Step 3.
    fn hold(&mut self, value: u16, band: u16) {
        if value.abs_diff(self.anchor) > band {
            self.anchor = value;
            self.quiet = 0;
            self.still = false;
        } else if !self.still {
            self.quiet = self.quiet.saturating_add(1);
        }
    }

    /// Step 4.
    fn publish(&mut self, value: u16, settings: Settings, now: Instant) -> Option<Publish> {
        let too_early = self.said_at.is_some_and(|at| now.since(at) < INTERVAL);
        if self.still || too_early {
            return None;
        }
        let last = self.quiet >= STILL_SAMPLES;
        if last {
            self.anchor = value;
            self.still = true;
        }
        let intensity = settings.intensity(self.anchor);
        if !last && intensity == self.said {
            return None;
        }
        self.said = intensity;
        self.said_at = Some(now);
        Some(Publish { intensity, last })
    }
}

impl Settings {
    /// The fewest counts of a converter: one for each percent.
    pub const ADC_MAX_MIN: u16 = 100;

    /// A converter that counts from 0 to `adc_max`, at least 100: 1023 with 10 bits, 4095 with 12. Its dead band is 1/256
    /// of that.
    pub const fn new(adc_max: u16) -> Result<Self, SettingsError> {
        if adc_max < Self::ADC_MAX_MIN {
            return Err(SettingsError::TooFewCounts);
        }
        let band = adc_max / 256;
        Ok(Self { adc_max, band: if band == 0 { 1 } else { band } })
    }

    /// The same with another dead band: the knob has moved once it is more than `band` counts away. From 1 to 1/32 of
    /// the range.
    pub const fn with_band(self, band: u16) -> Result<Self, SettingsError> {
        let widest = self.adc_max / 32;
        if band == 0 || band > widest {
            return Err(SettingsError::Band { widest });
        }
        Ok(Self { band, ..self })
    }

    /// The greatest count.
    pub const fn adc_max(self) -> u16 {
        self.adc_max
    }

    /// Half the width of the dead band, in counts.
    pub const fn band(self) -> u16 {
        self.band
    }

    /// The intensity of a knob that rests at `value` counts; 100 % beyond `adc_max`.
    pub fn intensity(self, value: u16) -> Intensity {
        let margin = self.band * 2;
        let span = u32::from(self.adc_max - 2 * margin);
        if value <= margin {
            return Intensity::OFF;
        }
        if value >= self.adc_max - margin {
            return Intensity::FULL;
        }
        let percent = (u32::from(value - margin) * 100 + span / 2) / span;
        let percent = u8::try_from(percent.clamp(1, 99)).expect("at most 99");
        Intensity::from_percent(percent).expect("at most 99")
    }
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is outside 0 to {}", self.raw, self.adc_max)
    }
}

impl core::error::Error for OutOfRange {}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewCounts => write!(f, "the greatest count is at least {}", Settings::ADC_MAX_MIN),
            Self::Band { widest } => write!(f, "the dead band is from 1 to {widest} counts"),
        }
    }
}

impl core::error::Error for SettingsError {}
