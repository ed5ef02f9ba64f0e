//! The recorder inside the server's process, for people who want to start one program.
//!
//! It is the same recorder as `luxwire record`: a client of this server over the network like anybody else, with a session of its
//! own, so that nothing is missed while the server restarts its parts. It runs only where the settings, or the demo, ask for it.

use crate::config;
use luxwire_devices::{
    connection::{Address, BrokerArgs},
    recorder::{self, Keep},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How the broker knows the recorder, and which SERVICE its topics have. Not the name of `luxwire record`: both may run.
const SERVICE: &str = "luxwire-serve-record";

/// Records until it is told to stop. A recorder that cannot go on is missed, and the server goes on without it.
pub(crate) async fn run(settings: recorder::Settings, stop: CancellationToken) {
    if let Err(error) = recorder::serve(settings, stop.cancelled()).await {
        warn!("nothing is recorded any more: {error:#}");
    }
}

/// What is recorded according to the settings, of the broker at this address, into this file.
pub(crate) fn settings(
    config: &config::Record,
    broker: Address,
    file: Option<PathBuf>,
) -> recorder::Settings {
    let days = |days: u32| Duration::from_secs(u64::from(days) * 24 * 60 * 60);
    let default = Keep::default();
    let values = (config.keep_days > 0).then(|| days(config.keep_days));
    // What is coarser is kept for no shorter than what is finer.
    let at_least = |other: Option<Duration>| values.and_then(|values| other.map(|other| other.max(values)));
    recorder::Settings {
        broker: BrokerArgs { client_id: Some(SERVICE.to_owned()), ..BrokerArgs::new(broker) },
        filters: config.filters.iter().map(|filter| filter.0.clone()).collect(),
        file,
        keep: Keep {
            values,
            minutes: at_least(default.minutes),
            hours: at_least(default.hours),
            size: (config.max_size.bytes() > 0).then_some(config.max_size.bytes() as u64),
        },
        http: None,
    }
}

/// Where the history is kept: in the data directory, or where the system keeps such things; `None` keeps it in memory.
pub(crate) fn file(data_dir: Option<&Path>, ephemeral: bool) -> Option<PathBuf> {
    match data_dir {
        Some(dir) => Some(dir.join("history.sqlite")),
        None if ephemeral => None,
        None => recorder::file_of("serve-record"),
    }
}
