//! The flags of `luxwire dimmer`, and what they mean together.
//!
//! What a flag alone can get wrong is refused here, by name; nothing is opened.

use crate::{Usage, connection::BrokerArgs};
use clap::ValueEnum;
use luxwire_shared::model::{
    Intensity, LightId,
    reading::{Settings, SettingsError},
};
use std::{path::PathBuf, str::FromStr, time::Duration};

/// Publish the intensity of a light, as the keyboard, a program, a serial port or a wave says it
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which light: 1 to 64 characters without / + #; its intensity is published to lights/ID/intensity
    #[arg(value_name = "ID", value_parser = light_id)]
    pub id: LightId,

    /// Read numbers from this serial port, one a line; while it is unplugged it is waited for
    #[arg(long, value_name = "PORT", conflicts_with = "wave", help_heading = "Where the values come from")]
    pub serial: Option<PathBuf>,

    /// Bits per second on the serial port
    #[arg(
        long,
        value_name = "RATE",
        default_value_t = 115_200,
        value_parser = clap::value_parser!(u32).range(50..=4_000_000),
        help_heading = "Where the values come from"
    )]
    pub baud: u32,

    /// The numbers are counts of an analog-digital converter from 0 to this, such as 1023 or 4095 [100 to 65535]
    ///
    /// Without it they are percent. Counts are treated as a dimmer's firmware would: spikes and noise are taken away,
    /// and a knob at rest publishes nothing.
    #[arg(
        long,
        value_name = "COUNTS",
        value_parser = clap::value_parser!(u16).range(i64::from(Settings::ADC_MAX_MIN)..),
        conflicts_with = "wave",
        help_heading = "Where the values come from"
    )]
    pub adc_max: Option<u16>,

    /// How many counts a knob may wander without having moved [default: 1/256 of --adc-max]
    #[arg(long, value_name = "COUNTS", requires = "adc_max", help_heading = "Where the values come from")]
    pub dead_band: Option<u16>,

    /// Go up and down by itself
    #[arg(long, value_name = "SHAPE", help_heading = "Where the values come from")]
    pub wave: Option<Shape>,

    /// How long one wave takes, for example 10s, 500ms, 2m [1 s to 24 h]
    #[arg(
        long,
        value_name = "TIME",
        default_value = "10s",
        value_parser = period,
        help_heading = "Where the values come from"
    )]
    pub period: Duration,

    /// The bottom of the wave, in percent
    #[arg(long, value_name = "PERCENT", default_value = "0", help_heading = "Where the values come from")]
    pub min: Intensity,

    /// The top of the wave, in percent
    #[arg(long, value_name = "PERCENT", default_value = "100", help_heading = "Where the values come from")]
    pub max: Intensity,

    /// Sleep most of the time, as a battery device does: with 5s/60s it is awake for 5 s of every 60 s
    ///
    /// It disconnects before it sleeps and leaves a session with the broker, which keeps for it what others publish to
    /// the light meanwhile. What its own hand set last is sent when it wakes.
    #[arg(long, value_name = "AWAKE/PERIOD", help_heading = "Presence")]
    pub duty: Option<Duty>,

    /// Say on dimmers/ID/availability whether this dimmer is there: `online`, or `offline` when it ends or is lost
    #[arg(long, help_heading = "Presence")]
    pub availability: bool,

    /// Print nothing: no bar, no line for each value
    #[arg(long, short, help_heading = "Presence")]
    pub quiet: bool,

    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would show it as help")]
    pub broker: BrokerArgs,
}

/// The form of a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// Slow at the ends, fast in the middle
    Sine,
    /// Straight up, straight down
    Triangle,
    /// As a hand turns a knob: quickly to another level, where it rests
    Hand,
}

/// When a dimmer is awake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duty {
    /// So long from the beginning of each period.
    pub awake: Duration,
    /// From one waking to the next.
    pub period: Duration,
}

impl Args {
    /// A dimmer that goes up and down by itself and prints nothing.
    pub fn wave(id: LightId, shape: Shape, period: Duration, broker: BrokerArgs) -> Self {
        Self {
            id,
            serial: None,
            baud: 115_200,
            adc_max: None,
            dead_band: None,
            wave: Some(shape),
            period,
            min: Intensity::OFF,
            max: Intensity::FULL,
            duty: None,
            availability: false,
            quiet: true,
            broker,
        }
    }

    /// The converter, if the numbers are counts of one.
    pub(super) fn converter(&self) -> Result<Option<Settings>, Usage> {
        let Some(adc_max) = self.adc_max else { return Ok(None) };
        let settings =
            Settings::new(adc_max).map_err(|error| Usage(format!("--adc-max {adc_max}: {error}")))?;
        let Some(band) = self.dead_band else { return Ok(Some(settings)) };
        let named =
            |error: SettingsError| Usage(format!("--dead-band {band}: {error} with --adc-max {adc_max}"));
        settings.with_band(band).map(Some).map_err(named)
    }

    /// Refuses a wave that is none.
    pub(super) fn check_wave(&self) -> Result<(), Usage> {
        if self.wave.is_some() && self.min >= self.max {
            return Err(Usage(format!("--min {} must be less than --max {}", self.min, self.max)));
        }
        Ok(())
    }
}

impl FromStr for Duty {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (awake, period) = text.split_once('/').ok_or("two times such as 5s/60s are needed")?;
        let (awake, period) = (duration(awake)?, duration(period)?);
        if awake < Duration::from_millis(100) {
            return Err("less than 100ms awake is too short to say anything".to_owned());
        }
        if awake >= period {
            return Err("the time awake, which comes first, must be shorter than the period".to_owned());
        }
        if period > DAY {
            return Err("the longest period is 24h".to_owned());
        }
        Ok(Self { awake, period })
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn light_id(text: &str) -> Result<LightId, String> {
    LightId::try_from(text).map_err(|error| error.to_string())
}

fn period(text: &str) -> Result<Duration, String> {
    let period = duration(text)?;
    if (Duration::from_secs(1)..=DAY).contains(&period) { Ok(period) } else { Err("1s to 24h".to_owned()) }
}

/// A whole number with its unit: `ms`, `s`, `m` or `h`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time such as 500ms, 10s, 2m or 1h");
    let unit_at = text.find(|char: char| !char.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let millis: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(millis).map(Duration::from_millis).ok_or_else(wrong)
}

const EXAMPLES: &str = "\
Examples:
  luxwire dimmer desk                                      the arrow keys dim, q ends
  echo 42 | luxwire dimmer desk                            sets 42 % and ends
  luxwire dimmer desk --serial /dev/ttyUSB0 --adc-max 1023 an Arduino's knob, analogRead()
  luxwire dimmer desk --wave sine --period 10s
  luxwire dimmer hall --serial /dev/ttyUSB0 --duty 5s/60s  awake for 5 s of every minute

In a terminal the keys dim: left and right 1 %, down and up 5 %, Page Down and Page Up 10 %, Home and End to the ends, \
the space bar switches off and on again, digits and Enter choose a number, q or Ctrl-C ends. Otherwise standard input \
is read, a number a line; its end is the end of the dimmer, once the broker has the last value.

Values are published retained, at most ten a second, and the last one always. While the broker is away only the newest \
is kept. Where standard output is no terminal it gets one line for each value published. What others set is followed \
as well: the bar shows it, or standard error says it.

Exit code: 0 ended as asked, 1 something failed, 2 the command line is wrong.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "10", "s", "1.5s", "-1s", "10 s", "99999999999999999999s", "9999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_duty_is_a_part_of_its_period() {
        let (awake, period) = (Duration::from_secs(5), Duration::from_secs(60));
        assert_eq!("5s/60s".parse(), Ok(Duty { awake, period }));
        for wrong in ["5s", "60s/5s", "5s/5s", "50ms/5s", "1s/25h", "5s/60s/1s", "/"] {
            assert!(wrong.parse::<Duty>().is_err(), "{wrong}");
        }
    }
}
