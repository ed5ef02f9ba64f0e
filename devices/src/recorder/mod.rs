//! `luxwire record`: stores every value of some topics, with the time at which it was set, and answers questions about
//! them. `luxwire history` asks.
//!
//! `recording` is the broker's side: what came, what is acknowledged. `writer` is the thread that waits for the disk,
//! `store` the file, `asker` the thread that looks for answers, `query` what may be asked and how it is answered. Nothing
//! here knows our broker; another one that does not say when a value was set costs the exact times of what came late.

mod args;
mod arrival;
mod asker;
mod clock;
mod filters;
mod guard;
pub mod history;
mod http;
mod limits;
mod query;
mod recording;
mod service;
mod store;
mod writer;

pub use args::{Args, file_of};
pub use service::CLIENT_ID;

use crate::{connection::BrokerArgs, stop::StopSignals};
use luxwire_shared::mqtt::TopicFilter;
use recording::Recording;
use std::{future::Future, path::PathBuf, time::Duration};

/// What the command line says, for those who have none.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which broker. Without a client identifier the recorder is [`CLIENT_ID`].
    pub broker: BrokerArgs,
    /// What is recorded.
    pub filters: Vec<TopicFilter>,
    /// The file; `None` keeps the history in memory, and forgets it at the end.
    pub file: Option<PathBuf>,
    /// How much is kept, and how long.
    pub keep: Keep,
    /// `HOST:PORT` of a listener that answers over HTTP; `None` answers over MQTT alone.
    pub http: Option<String>,
}

/// How much is kept, and how long. `None` is for ever, or as much as there is room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Each value.
    pub values: Option<Duration>,
    /// The roll-ups per minute; no shorter than the values.
    pub minutes: Option<Duration>,
    /// The roll-ups per hour; no shorter than those per minute.
    pub hours: Option<Duration>,
    /// Bytes of the file.
    pub size: Option<u64>,
}

impl Default for Keep {
    /// 30 days, a year, and for ever, but no more than 1 GiB.
    fn default() -> Self {
        let days = |days: u64| Some(Duration::from_secs(days * 86_400));
        Self { values: days(30), minutes: days(365), hours: None, size: Some(1 << 30) }
    }
}

/// Runs until SIGTERM or Ctrl-C.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let settings = args.settings()?;
    let mut signals = StopSignals::listen()?;
    let mut recording = Recording::open(settings).await?;
    recording.announce()?;
    recording
        .run(async {
            signals.next().await;
        })
        .await?;
    recording.leave().await;
    Ok(())
}

/// Records until `stop`, then stores what has come and says goodbye. Dropped before that, it leaves what is not acknowledged to the
/// broker. Must run within a `LocalSet`.
pub async fn serve(settings: Settings, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let mut recording = Recording::open(settings).await?;
    recording.run(stop).await?;
    recording.leave().await;
    Ok(())
}
