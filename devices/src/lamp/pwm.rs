//! `--pwm`: a PWM channel of Linux, by its files below `/sys/class/pwm`.
//!
//! The channel is prepared when the program starts (exported, frequency, polarity) and switched on with the first value,
//! so that a lamp that already shines keeps its light while its program restarts. It is left as it is at the end, too: with
//! the last duty, switched on and exported. Blocking writes are right here: these files belong to the kernel, which
//! answers at once.

use super::output::Shown;
use anyhow::{Context as _, anyhow, bail};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// A prepared channel.
#[derive(Debug)]
pub(super) struct Pwm {
    channel: PathBuf,
    period_ns: u64,
    is_enabled: bool,
}

/// Which way round the pin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Polarity {
    /// High while the lamp is on.
    Normal,
    /// Low while the lamp is on.
    Inversed,
}

/// How long the system may take to offer an exported channel: udev sets its owner after it appears.
const EXPORT: Duration = Duration::from_secs(2);
/// How often it is looked at meanwhile.
const EXPORT_LOOK: Duration = Duration::from_millis(20);

const NS_PER_S: u64 = 1_000_000_000;

impl Pwm {
    /// Prepares the channel `/sys/class/pwm/pwmchipN/pwmM` without changing its light, as far as the hardware allows.
    pub(super) async fn open(
        channel: &Path,
        frequency_hz: u32,
        polarity: Option<Polarity>,
    ) -> anyhow::Result<Self> {
        let period_ns = (NS_PER_S / u64::from(frequency_hz)).max(1);
        let mut pwm = Self { channel: channel.to_owned(), period_ns, is_enabled: false };
        pwm.export().await?;
        pwm.is_enabled = pwm.read("enable")? == "1";
        pwm.set_period()?;
        if let Some(polarity) = polarity {
            pwm.set_polarity(polarity)?;
        }
        Ok(pwm)
    }

    /// Shines so bright.
    pub(super) fn show(&mut self, shown: Shown) -> anyhow::Result<()> {
        self.write("duty_cycle", &self.duty_ns(shown).to_string())?;
        if !self.is_enabled {
            self.write("enable", "1")?;
            self.is_enabled = true;
        }
        Ok(())
    }

    /// The nearest nanosecond; on is at least one.
    fn duty_ns(&self, Shown { duty, top, .. }: Shown) -> u64 {
        let (duty, top) = (u64::from(duty), u64::from(top));
        let nearest = (self.period_ns * duty + top / 2) / top;
        if duty > 0 { nearest.max(1) } else { 0 }
    }

    /// Asks the chip for the channel unless it is there, and waits until it can be used.
    async fn export(&self) -> anyhow::Result<()> {
        if !self.channel.exists() {
            let name = self.channel.file_name().and_then(|name| name.to_str());
            let number = name.and_then(|name| name.strip_prefix("pwm"));
            let Some((number, chip)) = number.filter(|number| is_number(number)).zip(self.channel.parent())
            else {
                bail!(
                    "--pwm {}: no PWM channel; they are called /sys/class/pwm/pwmchipN/pwmM",
                    self.channel.display()
                );
            };
            write(&chip.join("export"), number)?;
        }
        let deadline = Instant::now() + EXPORT;
        loop {
            match OpenOptions::new().write(true).open(self.channel.join("duty_cycle")) {
                Ok(_file) => return Ok(()),
                Err(error) if Instant::now() >= deadline => return Err(explain(&self.channel, error)),
                Err(_not_yet) => sleep(EXPORT_LOOK).await,
            }
        }
    }

    fn set_period(&self) -> anyhow::Result<()> {
        let period: u64 = self.read("period")?.parse().unwrap_or(0);
        if period == self.period_ns {
            return Ok(());
        }
        // The kernel refuses a period below the duty, so this one goes first; the light keeps its share of the time.
        let duty: u64 = self.read("duty_cycle")?.parse().unwrap_or(0);
        let duty = match period {
            0 => 0,
            period => {
                let share = u128::from(duty.min(period)) * u128::from(self.period_ns) / u128::from(period);
                u64::try_from(share).unwrap_or(0)
            }
        };
        if self.period_ns < period {
            self.write("duty_cycle", &duty.to_string())?;
            self.write("period", &self.period_ns.to_string())
        } else {
            self.write("period", &self.period_ns.to_string())?;
            self.write("duty_cycle", &duty.to_string())
        }
    }

    fn set_polarity(&mut self, polarity: Polarity) -> anyhow::Result<()> {
        let polarity = match polarity {
            Polarity::Normal => "normal",
            Polarity::Inversed => "inversed",
        };
        if self.read("polarity")? == polarity {
            return Ok(());
        }
        if self.is_enabled {
            // The kernel turns no pin round while it is on. The first value switches it on again.
            self.write("enable", "0")?;
            self.is_enabled = false;
        }
        self.write("polarity", polarity)
    }

    fn read(&self, file: &str) -> anyhow::Result<String> {
        let path = self.channel.join(file);
        let text = fs::read_to_string(&path).map_err(|error| explain(&path, error))?;
        Ok(text.trim().to_owned())
    }

    fn write(&self, file: &str, text: &str) -> anyhow::Result<()> {
        write(&self.channel.join(file), text)
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Writes to a file of the kernel in one piece; it is never created.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let write = || OpenOptions::new().write(true).truncate(true).open(path)?.write_all(text.as_bytes());
    write().map_err(|error| explain(path, error)).with_context(|| format!("cannot write {text}"))
}

/// What a person can do about it.
fn explain(path: &Path, error: io::Error) -> anyhow::Error {
    let mend = match error.kind() {
        io::ErrorKind::NotFound => "; `ls /sys/class/pwm` says which chips there are",
        io::ErrorKind::PermissionDenied => "; run as root, or let a udev rule give the files to a group",
        io::ErrorKind::ResourceBusy => "; another driver or program holds the channel",
        io::ErrorKind::InvalidInput => "; the hardware does not do this --pwm-frequency or --pwm-polarity",
        _ => "",
    };
    anyhow!("--pwm {}: {error}{mend}", path.display())
}
