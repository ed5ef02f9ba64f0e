//! The command line of `luxwire record`.

use super::{Keep, Settings, query::when, service::CLIENT_ID};
use crate::{Usage, connection::BrokerArgs, state_folder};
use anyhow::{Context as _, ensure};
use luxwire_shared::mqtt::TopicFilter;
use std::{path::PathBuf, time::Duration};

/// Record what lights do, and when, and answer questions about it
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES, mut_arg("client_id", client_id))]
pub struct Args {
    /// What to record: topics, with + and # as wildcards
    #[arg(value_name = "FILTER", default_value = "lights/#", value_parser = filter)]
    pub filters: Vec<TopicFilter>,

    /// Where the history is kept; made if it is missing [default: ~/.local/state/luxwire/record/history.sqlite]
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// How long each value is kept: 30d, 12h, 1y, forever
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = keep)]
    pub keep: Span,

    /// How long the roll-ups per minute are kept
    #[arg(long, value_name = "TIME", default_value = "1y", value_parser = keep)]
    pub keep_minutes: Span,

    /// How long the roll-ups per hour are kept
    #[arg(long, value_name = "TIME", default_value = "forever", value_parser = keep)]
    pub keep_hours: Span,

    /// How large the file may be: 500M, 2G, unlimited. Beyond it the oldest values go first, then minutes, then hours
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = size)]
    pub max_size: Size,

    /// Answer GET /api/v1/history here, too: HOST:PORT; port 0 takes a free one [default: over MQTT only]
    #[arg(long, value_name = "ADDR")]
    pub http: Option<String>,

    /// Which broker
    #[command(flatten)]
    pub broker: BrokerArgs,
}

/// A duration, or for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(Option<Duration>);

/// Bytes, or as many as there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(Option<u64>);

impl Args {
    pub(super) fn settings(self) -> anyhow::Result<Settings> {
        let (Span(values), Span(minutes), Span(hours)) = (self.keep, self.keep_minutes, self.keep_hours);
        let usage = |text: &str| Usage(text.to_owned());
        let is_no_longer = |short: Option<Duration>, long: Option<Duration>| match (short, long) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(short), Some(long)) => short <= long,
        };
        ensure!(
            is_no_longer(values, minutes),
            usage("--keep-minutes: minutes cannot be kept shorter than the values, --keep")
        );
        ensure!(
            is_no_longer(minutes, hours),
            usage("--keep-hours: hours cannot be kept shorter than the minutes, --keep-minutes")
        );
        let file = self.file.map_or_else(default_file, Ok)?;
        let keep = Keep { values, minutes, hours, size: self.max_size.0 };
        Ok(Settings { broker: self.broker, filters: self.filters, file: Some(file), keep, http: self.http })
    }
}

/// Where `luxwire record` keeps its history, unless it is told another place.
pub(super) fn default_file() -> anyhow::Result<PathBuf> {
    file_of("record").context("--file: please say where the history is kept, since there is no HOME")
}

/// Where a recorder of this user that is called `name` keeps its history; `None` if there is no HOME.
pub fn file_of(name: &str) -> Option<PathBuf> {
    Some(state_folder(name)?.join("history.sqlite"))
}

fn client_id(arg: clap::Arg) -> clap::Arg {
    arg.help(format!("How the broker knows this recorder, and which name it is asked by [default: {CLIENT_ID}]"))
        .long_help(format!(
            "How the broker knows this recorder, and which name it is asked by [default: {CLIENT_ID}]\n\n\
             The broker keeps what comes for this name while the recorder is away. Two recorders with the same name push \
             each other out."
        ))
}

fn filter(text: &str) -> Result<TopicFilter, String> {
    TopicFilter::try_from(text).map_err(|error| error.to_string())
}

fn keep(text: &str) -> Result<Span, String> {
    if text == "forever" {
        return Ok(Span(None));
    }
    match when::duration(text) {
        Ok(duration) if duration >= Duration::from_secs(60) => Ok(Span(Some(duration))),
        Ok(_) => Err("a minute is the least".to_owned()),
        Err(error) => Err(format!("{error}, or forever")),
    }
}

fn size(text: &str) -> Result<Size, String> {
    let wrong = || format!("{text:?} is no size; write 500M, 2G or unlimited");
    if text == "unlimited" {
        return Ok(Size(None));
    }
    let (number, factor) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 1 << 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 1 << 30),
        Some(b'T' | b't') => (&text[..text.len() - 1], 1 << 40),
        _ => (text, 1),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let bytes = number.checked_mul(factor).ok_or_else(wrong)?;
    if bytes < LEAST_SIZE { Err("1M is the least".to_owned()) } else { Ok(Size(Some(bytes))) }
}

/// Less would hold little more than the tables themselves.
const LEAST_SIZE: u64 = 1 << 20;

const EXAMPLES: &str = "\
Examples:
  luxwire record                                 every light of this machine's broker
  luxwire record 'home/#' --broker mqtt://house  another broker, other topics
  luxwire record --keep 7d --max-size 200M       for a small disk
  luxwire record --http 127.0.0.1:8090
  curl 'http://127.0.0.1:8090/api/v1/history?topic=lights/desk/intensity'

`luxwire history lights/desk/intensity` shows what was recorded. Values are acknowledged to the broker when they are on \
the disk, so that neither a crash nor a restart leaves a gap; docs/record.md says what else may.

Standard output says `listening http ADDR` if there is --http, then `ready`; everything else goes to standard error.

Exit code: 0 stopped as asked, 1 something failed, 2 the command line is wrong.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_understood_or_refused() {
        assert_eq!(size("200M"), Ok(Size(Some(200 << 20))));
        assert_eq!(size("1048576"), Ok(Size(Some(1 << 20))));
        assert_eq!(size("unlimited"), Ok(Size(None)));
        for wrong in ["", "G", "1.5G", "-1G", "100", "99999999999T", "é"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(keep("2h"), Ok(Span(Some(Duration::from_secs(7_200)))));
        assert_eq!(keep("forever"), Ok(Span(None)));
        assert!(keep("59s").is_err() && keep("long").is_err());
    }
}
