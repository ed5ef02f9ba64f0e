//! Why MQTT? What a light's intensity costs on its way to those who follow it, in bytes, packets and time: over HTTP,
//! server-sent events, a bare WebSocket, and MQTT over WebSocket and over TCP.
//!
//! Everything is real traffic between processes, counted by the kernel in a network of its own. What is not measured,
//! and what the figures mean, stands in `docs/why-mqtt.md`, whose tables this writes.

mod contender;
mod deliveries;
mod headers;
mod http;
mod meter;
mod mqtt;
mod party;
mod results;
mod rival;
mod round;
mod tables;
mod websocket;

pub(crate) use rival::{Rival, serve};

use crate::{document, environment::Environment, network, program};
use anyhow::{Context as _, Result, ensure};
use contender::{CONTENDERS, Contender, Way};
use results::{Report, Row};
use round::{Extent, Round};
use std::{fs, path::PathBuf, time::Duration};
use tokio::task::LocalSet;

/// The value that everybody sets and follows.
const TOPIC: &str = "lights/desk/intensity";

/// Count what one changing value costs over HTTP, server-sent events, WebSocket and MQTT
///
/// Runs in a network namespace of its own and counts what passes its loopback interface. Takes about five minutes. Prints
/// the tables of docs/why-mqtt.md.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One short round of the most telling rows, in less than 20 seconds
    #[arg(long)]
    quick: bool,

    /// How often everything is measured
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,

    /// Measure only these rows; their keys stand in the file of --json
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    only: Vec<String>,

    /// Also write every figure to this file as JSON, with the rounds' spread
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Also put the tables between the markers of this page
    #[arg(long, value_name = "FILE", conflicts_with_all = ["quick", "only"])]
    write: Option<PathBuf>,

    /// The server to measure [default: $LUXWIRE_BIN, or `luxwire` beside this program]
    #[arg(long, value_name = "FILE")]
    luxwire: Option<PathBuf>,
}

/// Measures, and says what was found.
pub(crate) fn run(args: &Args) -> Result<()> {
    let contenders = args.contenders()?;
    network::enter()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measuring = program::unless_stopped(measure(args, &contenders));
    let report = runtime.block_on(LocalSet::new().run_until(measuring))?;
    let tables = tables::markdown(&report);
    if let Some(page) = &args.write {
        document::write(page, "why-mqtt", &tables)?;
    }
    if let Some(file) = &args.json {
        let json = serde_json::to_vec_pretty(&report).context("the report is no JSON")?;
        fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    print!("{tables}");
    Ok(())
}

/// One follower, and as many as a house with a lamp and a page in every corner may have.
const FOLLOWERS: [usize; 2] = [1, 50];

const THOROUGH: Extent =
    Extent { paced: 20, in_turn: 200, silence: Duration::from_secs(1), once: 5, signs_of_life: true };

const QUICK: Extent =
    Extent { paced: 10, in_turn: 50, silence: Duration::from_millis(500), once: 2, signs_of_life: false };

async fn measure(args: &Args, contenders: &[&Contender]) -> Result<Report> {
    let calibration = network::calibrate().await?;
    let luxwire = args.luxwire.clone().map_or_else(|| program::find_luxwire("--luxwire"), Ok)?;
    let environment = Environment::of(Some(&luxwire))?;
    let _luxwire = program::luxwire(&luxwire).await?;
    let _relay = program::ourselves(&["rival", "websocket"]).await?;
    let _http = program::ourselves(&["rival", "http"]).await?;

    let (rounds, extent) = if args.quick { (1, QUICK) } else { (args.rounds, THOROUGH) };
    let mut found: Vec<_> = contenders.iter().map(|_| FOLLOWERS.map(|count| (count, Vec::new()))).collect();
    // Round by round rather than row by row: what disturbs the machine for a while disturbs all rows alike.
    for number in 1..=rounds {
        let extent = Extent { signs_of_life: extent.signs_of_life && number == 1, ..extent };
        for (contender, found) in contenders.iter().zip(&mut found) {
            eprintln!("round {number} of {rounds}: {}", contender.key);
            for (followers, rounds) in found {
                let round: Result<Round> = round::run(contender, *followers, &extent).await;
                rounds.push(round.with_context(|| format!("{}, {followers} followers", contender.key))?);
            }
        }
    }
    let rows = contenders
        .iter()
        .zip(&found)
        .map(|(contender, found)| Row::of(contender, found, every_s(contender.way)));
    Ok(Report { environment, calibration, rounds, rows: rows.collect() })
}

/// How often a follower to whom nothing happens asks, or says that it is there.
fn every_s(way: Way) -> f64 {
    match way {
        Way::Polling { every, .. } => every.as_secs_f64(),
        // As the server sends them.
        Way::Events { .. } => 15.0,
        // A WebSocket has no rule; it is given that of MQTT's clients.
        Way::WebSocket { .. } | Way::Mqtt(_) => mqtt::KEEP_ALIVE_S.into(),
    }
}

impl Args {
    fn contenders(&self) -> Result<Vec<&'static Contender>> {
        for key in &self.only {
            let known = CONTENDERS.iter().any(|contender| contender.key == key);
            let keys: Vec<_> = CONTENDERS.iter().map(|contender| contender.key).collect();
            ensure!(known, "there is no row {key}; there are {}", keys.join(", "));
        }
        let wanted = |contender: &&Contender| {
            (self.only.is_empty() || self.only.iter().any(|key| contender.key == key))
                && (!self.quick || contender.quick)
        };
        Ok(CONTENDERS.iter().filter(wanted).collect())
    }
}
