//! The page beside a plain one that does the same with MQTT.js: what a drag costs on the wire, how long a value takes from one
//! page to another, how long a page takes to start, and what memory it needs.
//!
//! Playwright drives both in one Chromium (`playwright/bench/`) and writes down what it finds; here it is only counted
//! together. What the figures mean stands in `docs/page-benchmark.md`, whose tables this writes.

mod figures;
mod found;
mod tables;

use crate::{document, environment::Environment, program};
use anyhow::{Context as _, Result, ensure};
use figures::Table;
use found::Found;
use serde::Serialize;
use serde_json::json;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Compare the page with a plain one that does the same with MQTT.js, in Chromium
///
/// Needs npm's packages and a Chromium, which `cargo xtask bench page` brings along. Takes about ten minutes. Prints the tables
/// of docs/page-benchmark.md.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One short round, in half a minute: does it work?
    #[arg(long)]
    quick: bool,

    /// How often everything is measured
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,

    /// Also write every figure to this file as JSON, with the rounds' spread
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Also put the tables between the markers of this page
    #[arg(long, value_name = "FILE", conflicts_with = "quick")]
    write: Option<PathBuf>,

    /// The server whose page is measured [default: $LUXWIRE_BIN, or `luxwire` beside this program]
    #[arg(long, value_name = "FILE")]
    luxwire: Option<PathBuf>,
}

/// All that was found.
#[derive(Debug, Serialize)]
struct Report {
    environment: Environment,
    browser: String,
    mqtt_js: String,
    extent: Extent,
    /// Times that were taken for each page's latency, all rounds together.
    moves: usize,
    /// The most that the clocks of two pages were apart.
    clocks_differ_by_ms: f64,
    tables: Vec<Table>,
}

/// How much is measured.
#[derive(Clone, Copy, Debug, Serialize)]
struct Extent {
    rounds: u32,
    /// Drags in a round.
    drags: u32,
    /// Moves in a round, of which each is timed.
    moves: u32,
}

/// Measures, and says what was found.
pub(crate) fn run(args: &Args) -> Result<()> {
    let extent = if args.quick {
        Extent { rounds: 1, drags: 1, moves: 5 }
    } else {
        Extent { rounds: args.rounds, drags: 2, moves: 50 }
    };
    let luxwire = args.luxwire.clone().map_or_else(|| program::find_luxwire("--luxwire"), Ok)?;
    let environment = Environment::of(Some(&luxwire))?;
    let Found { browser, mqtt_js, contenders } = drive(&luxwire, extent)?;
    let report = Report {
        environment,
        browser,
        mqtt_js,
        extent,
        moves: contenders.luxwire.iter().map(|round| round.latencies.shown.len()).sum(),
        clocks_differ_by_ms: contenders.all().map(|round| round.clocks_differ_by_ms).fold(0.0, f64::max),
        tables: figures::tables(&contenders),
    };
    let tables = tables::markdown(&report);
    if let Some(page) = &args.write {
        document::write(page, "page", &tables)?;
    }
    if let Some(file) = &args.json {
        let json = serde_json::to_vec_pretty(&report).context("the report is no JSON")?;
        fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    print!("{tables}");
    Ok(())
}

/// Has Playwright measure.
fn drive(luxwire: &Path, extent: Extent) -> Result<Found> {
    let luxwire = fs::canonicalize(luxwire).with_context(|| format!("there is no {}", luxwire.display()))?;
    let out = std::env::temp_dir().join(format!("luxwire-page-{}.json", std::process::id()));
    let Extent { rounds, drags, moves } = extent;
    let settings = json!({ "rounds": rounds, "drags": drags, "moves": moves, "out": out });
    let mut playwright = Command::new("npx");
    playwright
        .args(["--no-install", "playwright", "test", "--config", "bench.config.ts"])
        .current_dir(PLAYWRIGHT)
        .env("LUXWIRE_BIN", luxwire)
        .env("LUXWIRE_PAGE_BENCH", settings.to_string())
        .stdin(Stdio::null())
        // What is printed here are the tables.
        .stdout(io::stderr());
    let status = playwright.status().context("cannot run npx, which comes with Node.js")?;
    ensure!(
        status.success(),
        "Playwright failed; `cargo xtask bench page` installs what it needs, and builds a server with a page in it"
    );
    let found = fs::read(&out).with_context(|| format!("Playwright left no {}", out.display()))?;
    fs::remove_file(&out).with_context(|| format!("cannot remove {}", out.display()))?;
    serde_json::from_slice(&found).context("what Playwright found is not what was expected")
}

const PLAYWRIGHT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../playwright");
