//! The command line of `luxwire history`.

use super::{as_asked, local, output::Form};
use crate::{
    Usage,
    connection::BrokerArgs,
    recorder::{arrival::Millis, query::Asked},
};
use anyhow::{Result, ensure};
use luxwire_shared::mqtt::TopicFilter;
use std::path::PathBuf;

/// Show what was recorded of a topic: as a table, a plot, CSV, JSON, Parquet or InfluxDB lines
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("form").args(["csv", "json", "plot", "parquet", "influx"]))]
pub struct Args {
    /// The topic, for example lights/desk/intensity; with --file also a filter with + and #
    #[arg(value_parser = filter)]
    pub topic: TopicFilter,

    /// Where it begins: -24h, -7d, 2026-11-27, 2026-11-27T17:00 or RFC 3339; without an offset it is local time
    #[arg(long, value_name = "TIME", default_value = "-24h", allow_hyphen_values = true)]
    pub from: String,

    /// Where it ends, itself left out, in the same words [default: at the newest value]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<String>,

    /// Least, greatest, mean and last number of every 5m, 1h, 1d instead of the values
    #[arg(long, value_name = "TIME")]
    pub step: Option<String>,

    /// Comma-separated values (RFC 4180), with a header line
    #[arg(long)]
    pub csv: bool,

    /// JSON, a line for each topic
    #[arg(long)]
    pub json: bool,

    /// A plot of the numbers, as wide as the terminal
    #[arg(long, conflicts_with = "step")]
    pub plot: bool,

    /// Write a Parquet file
    #[arg(long, value_name = "FILE")]
    pub parquet: Option<PathBuf>,

    /// InfluxDB's line protocol, to standard output or into a file
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub influx: Option<PathBuf>,

    /// Read this file instead of asking a recorder; it may be recorded into meanwhile
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Which recorder is asked: its client identifier [default: any that records the topic]
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,

    /// Which broker
    #[command(flatten)]
    pub broker: BrokerArgs,
}

impl Args {
    pub(super) fn form(&self) -> Form {
        match (&self.parquet, &self.influx) {
            (Some(path), _) => Form::Parquet(path.clone()),
            (None, Some(path)) => Form::Influx((path.as_os_str() != "-").then(|| path.clone())),
            (None, None) if self.csv => Form::Csv,
            (None, None) if self.json => Form::Json,
            (None, None) if self.plot => Form::Plot,
            (None, None) => Form::Table,
        }
    }

    /// But for the topic. Mistakes are found here, with the flag's name.
    pub(super) fn asked(&self, now: Millis) -> Result<Asked> {
        let time = |flag: &str, text: &str| -> Result<String> {
            match local::moment(text, now) {
                Ok(millis) => Ok(as_asked(millis)),
                Err(error) => Err(Usage(format!("--{flag}: {error}")).into()),
            }
        };
        let asked = Asked {
            topic: "t".to_owned(),
            from: Some(time("from", &self.from)?),
            to: self.to.as_deref().map(|to| time("to", to)).transpose()?,
            step: self.step.clone(),
            limit: None,
        };
        asked.understand(now).map_err(|error| Usage(format!("--{error}")))?;
        ensure!(
            self.file.is_some() || !self.topic.has_wildcard(),
            Usage(format!(
                "{}: a recorder is asked for one topic at a time; wildcards need --file",
                self.topic.as_str()
            ))
        );
        Ok(asked)
    }
}

fn filter(text: &str) -> Result<TopicFilter, String> {
    TopicFilter::try_from(text).map_err(|error| error.to_string())
}

const EXAMPLES: &str = "\
Examples:
  luxwire history lights/desk/intensity           the last 24 hours
  luxwire history lights/desk/intensity --plot --from -7d
  luxwire history lights/desk/intensity --step 1h --csv > hours.csv
  luxwire history 'lights/+/intensity' --file history.sqlite --parquet l.parquet
  luxwire history lights/desk/intensity --influx | influx write --bucket home

The recorder (`luxwire record`) is asked over MQTT, so --broker is all that this needs to know. A step has every number \
that held in it, also one that was set before; its mean is weighted by time. Steps begin at multiples of their length \
in UTC.

Where a time is followed by `arrival` or `catch-up`, the broker did not say when the value was set: the first is when it \
came to the recorder, and the second when it came late, some time after it was set.

Exit code: 0 it is printed, 1 something failed, 2 the command line is wrong.";
