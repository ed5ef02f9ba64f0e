//! What `luxwire lamp` can be told on the command line.

use super::pwm::Polarity;
use crate::{connection::BrokerArgs, discovery::DiscoveryArgs};
use luxwire_shared::model::{LightId, Resolution};
use std::{path::PathBuf, time::Duration};

/// The flags of `luxwire lamp`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which light this is, such as desk: it follows lights/ID/intensity
    ///
    /// 1 to 64 characters, without / + and #.
    #[arg(value_parser = light)]
    pub id: LightId,

    /// Move to a new level in this time instead of jumping, such as 300ms or 2s; at most 1h
    ///
    /// It moves evenly to the eye, in steps of 20 ms, and from wherever it is when yet another level comes. Everything
    /// that shows the light sees the steps: the bar, the lines, the command and the PWM.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = fade)]
    pub fade: Duration,

    /// How finely the PWM's duty can be set: 8 bits are 0 to 255, 10 are 0 to 1023, 12 are 0 to 4095
    ///
    /// The duty follows the CIE's lightness curve, so that 50 looks half as bright as 100. A light that is on is on for
    /// at least one count.
    #[arg(long, value_name = "BITS", default_value = "12")]
    pub bits: Bits,

    /// Say the duty, too: after the level in a line, beside the bar
    #[arg(long)]
    pub duty: bool,

    /// Print an object per change: {"intensity":42.5,"duty":525,"top":4095,"at_ms":1793391300123}
    ///
    /// at_ms is when it was shown, in milliseconds since 1970.
    #[arg(long, conflicts_with = "quiet")]
    pub json: bool,

    /// Print nothing
    #[arg(long, short)]
    pub quiet: bool,

    /// Take this lamp back: clear its announcement and its availability on the broker, then end
    ///
    /// The intensity stays: it belongs to those who set it.
    #[arg(long)]
    pub forget: bool,

    /// Run this command of sh for every change, with the percentage as $1 and the duty as $2
    ///
    /// Also in the environment: LUXWIRE_LIGHT, LUXWIRE_INTENSITY, LUXWIRE_DUTY and LUXWIRE_DUTY_TOP (the duty of 100 %).
    /// Two never run at once; of the levels that come meanwhile only the newest is kept. What it prints goes to standard
    /// error.
    #[arg(long, value_name = "COMMAND", help_heading = "Hardware")]
    pub exec: Option<String>,

    /// Kill the command when it runs longer than this, such as 500ms, 5s or 1m
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = patience, help_heading = "Hardware")]
    pub exec_timeout: Duration,

    /// Drive this PWM channel of Linux, such as /sys/class/pwm/pwmchip0/pwm0
    ///
    /// It is exported if need be, and switched on with the first level. At the end it stays as it is.
    #[arg(long, value_name = "DIR", help_heading = "Hardware")]
    pub pwm: Option<PathBuf>,

    /// How often the PWM switches, in Hz: 1 to 1000000
    ///
    /// Below about 100 the light is seen to flicker, below about 1000 cameras see it.
    #[arg(long, value_name = "HZ", default_value = "1000", help_heading = "Hardware")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub pwm_frequency: u32,

    /// Which way round the pin is [default: as it is]
    #[arg(long, value_name = "POLARITY", help_heading = "Hardware")]
    pub pwm_polarity: Option<Polarity>,

    #[command(flatten)]
    #[allow(missing_docs, reason = "the flattened type says it")]
    pub broker: BrokerArgs,

    #[command(flatten)]
    #[allow(missing_docs, reason = "the flattened type says it")]
    pub discovery: DiscoveryArgs,

    /// What Home Assistant calls the lamp [default: from its ID, living-room becomes Living room]
    #[arg(long, value_name = "NAME", value_parser = name, help_heading = "Home Assistant")]
    pub name: Option<String>,
}

/// The PWM's resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Bits {
    /// 0 to 255.
    #[value(name = "8", help = None)]
    Eight,
    /// 0 to 1023.
    #[value(name = "10", help = None)]
    Ten,
    /// 0 to 4095.
    #[value(name = "12", help = None)]
    Twelve,
}

impl Args {
    /// A lamp without hardware that prints nothing: for programs that host one beside other things.
    pub fn quiet(id: LightId, broker: BrokerArgs) -> Self {
        Self {
            id,
            fade: Duration::ZERO,
            bits: Bits::Twelve,
            duty: false,
            json: false,
            quiet: true,
            forget: false,
            exec: None,
            exec_timeout: PATIENCE,
            pwm: None,
            pwm_frequency: 1_000,
            pwm_polarity: None,
            broker,
            discovery: DiscoveryArgs::default(),
            name: None,
        }
    }

    /// What people call the lamp.
    pub fn display_name(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.id.display_name())
    }
}

impl From<Bits> for Resolution {
    fn from(bits: Bits) -> Self {
        match bits {
            Bits::Eight => Self::BITS_8,
            Bits::Ten => Self::BITS_10,
            Bits::Twelve => Self::BITS_12,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  luxwire lamp desk
  luxwire lamp desk --fade 300ms --broker mqtt://192.168.1.10
  luxwire lamp desk --exec 'curl -fsS \"http://192.168.1.20/dim?level=$1\"'
  luxwire lamp desk --pwm /sys/class/pwm/pwmchip0/pwm0 --bits 10 --quiet
  luxwire lamp desk | while read percent; do echo \"the lamp is at $percent\"; done
  luxwire lamp desk --forget

In a terminal it draws a bar, otherwise it prints a line per change. It starts with the level that the broker keeps, \
without a fade. A payload that is no percentage is ignored and reported. While the broker is away it keeps its light \
and tries again. lights/ID/availability says whether the lamp is there: online, or offline when it ends or dies.

The log goes to standard error; the environment variable LUXWIRE_LOG=warn makes it quieter. NO_COLOR=1 takes the colour.

Exit code: 0 stopped as asked (Ctrl-C, SIGTERM, or nobody reads its lines any more), 1 something failed, 2 the command \
line is wrong.";

/// How long a command may run.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest fade: beyond it a lamp is a clock.
const FADE_MAX: Duration = Duration::from_secs(60 * 60);
/// The longest patience with a command.
const PATIENCE_MAX: Duration = Duration::from_secs(60 * 60);
/// The longest name, in characters: Home Assistant shows no more.
const NAME_LEN_MAX: usize = 64;

fn light(text: &str) -> Result<LightId, String> {
    LightId::try_from(text).map_err(|error| error.to_string())
}

fn name(text: &str) -> Result<String, String> {
    let len = text.chars().count();
    if len == 0 || len > NAME_LEN_MAX || text.chars().any(char::is_control) {
        return Err(format!("a name has 1 to {NAME_LEN_MAX} characters, without line ends and the like"));
    }
    Ok(text.to_owned())
}

fn fade(text: &str) -> Result<Duration, String> {
    let fade = duration(text)?;
    if fade <= FADE_MAX { Ok(fade) } else { Err("at most 1h".to_owned()) }
}

fn patience(text: &str) -> Result<Duration, String> {
    let patience = duration(text)?;
    if patience.is_zero() || patience > PATIENCE_MAX {
        return Err("more than 0, and at most 1h".to_owned());
    }
    Ok(patience)
}

/// `300ms`, `2s`, `1.5s`, `1m`, `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time such as 300ms, 2s, 1.5s or 1m");
    let unit_at = text.find(|char: char| char.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "" if number == "0" => 1.0,
        _ => return Err(wrong()),
    };
    let is_decimal = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 =
        Some(number).filter(|_| is_decimal).and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let rows =
            [("300ms", 300), ("2s", 2_000), ("1.5s", 1_500), ("1m", 60_000), ("1h", 3_600_000), ("0", 0)];
        for (text, millis) in rows {
            assert_eq!(fade(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "300", "s", "-1s", "1e3s", "1 s", "inf", "nans", "61m", "2d", "1..5s"] {
            assert!(fade(text).is_err(), "{text}");
        }
        assert!(patience("0s").is_err());
    }
}
