//! Brokers side by side: the same work for ours, for other people's, and for a relay that only copies bytes, in one run,
//! on the same cores, in turn.
//!
//! It says which is cheaper and by how much. What that is worth on another machine or over a real network, it does not.

mod cores;
mod figure;
mod load;
mod peer;
mod relay;
mod results;
mod scenario;
mod stop;
mod table;
mod usage;

use crate::{document, environment::Environment, program};
use anyhow::{Context as _, Result, bail, ensure};
use cores::Cores;
use figure::Figures;
use peer::{Kind, Peer};
use results::{Broker, Report, Table, Whose};
use scenario::{Extent, SCENARIOS, Scenario};
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use usage::Process;

/// Compare brokers: ours, others that are installed, and the limit
///
/// Starts each in turn on a core of its own and gives it the same work from another core. Prints a table of medians.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One round of half a second a cell: to see whether it works, not how fast it is
    #[arg(long)]
    quick: bool,

    /// How often everything is measured
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,

    /// How long a cell is measured, after a warm-up
    #[arg(long, value_name = "S", default_value_t = 2.0)]
    seconds: f64,

    /// Only scenarios whose key begins so; --list lists them
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    only: Vec<String>,

    /// Also scenarios that take long or much memory
    #[arg(long)]
    all: bool,

    /// Only these brokers: luxwire, relay, mosquitto, nats-server, rumqttd, or a name given with --ours or --running
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    brokers: Vec<String>,

    /// A build of ours to measure instead of the one that was just built; several, with names, are compared
    #[arg(long, value_name = "[NAME=]FILE")]
    ours: Vec<String>,

    /// A broker that is running already; its process is needed to see what it uses
    #[arg(long, value_name = "NAME=HOST:PORT[,PID]")]
    running: Vec<String>,

    /// Leave it to the kernel what runs on which core; without --only, the main scenarios are done so as well anyway
    #[arg(long)]
    unpinned: bool,

    /// Also write every figure to this file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Also put the tables between the markers of this page
    #[arg(long, value_name = "FILE", conflicts_with = "quick")]
    write: Option<PathBuf>,

    /// List the scenarios and the brokers that were found, and end
    #[arg(long)]
    list: bool,
}

/// Measures, and says what was found.
pub(crate) fn run(args: &Args) -> Result<()> {
    let scenarios = args.scenarios()?;
    let peers = args.peers()?;
    if args.list {
        scenarios.iter().for_each(|scenario| println!("{:16} {}", scenario.key, scenario.title));
        peers.iter().for_each(|peer| println!("{:16} {}", peer.name, peer.version()));
        return Ok(());
    }
    stop::listen()?;
    let report = measure(args, &scenarios, &peers)?;
    if let Some(file) = &args.json {
        let json = serde_json::to_vec_pretty(&report).context("the report is no JSON")?;
        fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let tables = table::markdown(&report);
    if let Some(page) = &args.write {
        document::write(page, "brokers", &tables)?;
    }
    print!("{tables}");
    Ok(())
}

pub(crate) use scenario::Prober;

/// Serves as the limit, until it is ended.
pub(crate) fn relay() -> Result<()> {
    relay::run()
}

/// What a scenario's brokers did, round by round.
type Found = BTreeMap<String, Vec<Result<Figures, String>>>;

/// Scenarios, and who runs where meanwhile.
struct Section<'a> {
    scenarios: Vec<&'a Scenario>,
    extent: Extent,
    found: Vec<Found>,
}

impl<'a> Section<'a> {
    fn new(scenarios: impl IntoIterator<Item = &'a Scenario>, extent: Extent) -> Self {
        let scenarios: Vec<_> = scenarios.into_iter().collect();
        let found = scenarios.iter().map(|_| Found::new()).collect();
        Self { scenarios, extent, found }
    }

    fn round(&mut self, round: u32, rounds: u32, peers: &[Peer]) -> Result<()> {
        self.extent.cores.generator()?;
        let place = if matches!(self.extent.cores, Cores::Free(_)) { " (not pinned)" } else { "" };
        for (scenario, found) in self.scenarios.iter().zip(&mut self.found) {
            // Who is first in one round is last in the next, so that nobody always follows the same one.
            for peer in peers.iter().cycle().skip(round as usize).take(peers.len()) {
                if matches!(peer.kind, Kind::Relay) && !scenario.suits_relay() {
                    continue;
                }
                eprintln!("round {} of {rounds}: {}, {}{place}", round + 1, scenario.key, peer.name);
                let figures = once(scenario, peer, &self.extent);
                stop::check()?;
                if let Err(error) = &figures {
                    eprintln!("    {error:#}");
                }
                let figures = figures.map_err(|error| format!("{error:#}"));
                found.entry(peer.name.clone()).or_default().push(figures);
            }
        }
        Ok(())
    }

    fn tables(&self, brokers: &[Broker]) -> Vec<Table> {
        let tables = self.scenarios.iter().zip(&self.found);
        tables.map(|(scenario, found)| Table::of(scenario, brokers, found)).collect()
    }
}

fn measure(args: &Args, scenarios: &[&Scenario], peers: &[Peer]) -> Result<Report> {
    let free = Cores::free()?;
    let cores = if args.unpinned { free.clone() } else { Cores::pinned()? };
    let environment = Environment::of(peers.iter().find_map(|peer| match &peer.kind {
        Kind::Luxwire(program) => Some(program.as_path()),
        _ => None,
    }))?;
    let (rounds, seconds) = if args.quick { (1, args.seconds.min(0.5)) } else { (args.rounds, args.seconds) };
    let extent = Extent {
        cores,
        connections: load::permit_connections()?,
        warm_up: Duration::try_from_secs_f64(seconds / 4.0).context("--seconds is no time")?,
        time: Duration::try_from_secs_f64(seconds).context("--seconds is no time")?,
    };
    // Who names scenarios says how they are to be done as well.
    let also = scenarios
        .iter()
        .copied()
        .filter(|scenario| scenario.also_unpinned && args.only.is_empty() && !args.unpinned);
    let mut unpinned = Section::new(also, Extent { cores: free, ..extent.clone() });
    let mut section = Section::new(scenarios.iter().copied(), extent);
    for round in 0..rounds {
        section.round(round, rounds, peers)?;
        unpinned.round(round, rounds, peers)?;
    }
    let brokers: Vec<Broker> = peers.iter().map(described).collect();
    Ok(Report {
        environment,
        pinned: !args.unpinned,
        rounds,
        seconds,
        tables: section.tables(&brokers),
        unpinned: unpinned.tables(&brokers),
        brokers,
    })
}

fn once(scenario: &Scenario, peer: &Peer, extent: &Extent) -> Result<Figures> {
    let running = peer.start(&extent.cores)?;
    scenario.measure(&running, extent)
}

fn described(peer: &Peer) -> Broker {
    let kind = match peer.kind {
        Kind::Luxwire(_) => Whose::Ours,
        Kind::Relay => Whose::Limit,
        Kind::Mosquitto(_) | Kind::Rumqttd(_) | Kind::Nats(_) | Kind::Running { .. } => Whose::Foreign,
    };
    Broker { name: peer.name.clone(), version: peer.version(), kind }
}

impl Args {
    fn scenarios(&self) -> Result<Vec<&'static Scenario>> {
        for key in &self.only {
            let known = SCENARIOS.iter().any(|scenario| scenario.key.starts_with(key.as_str()));
            let keys: Vec<_> = SCENARIOS.iter().map(|scenario| scenario.key).collect();
            ensure!(known, "there is no scenario {key}; there are {}", keys.join(", "));
        }
        let wanted = |scenario: &&Scenario| match self.only.as_slice() {
            [] => self.all || !scenario.heavy,
            only => only.iter().any(|key| scenario.key.starts_with(key.as_str())),
        };
        Ok(SCENARIOS.iter().filter(wanted).collect())
    }

    /// Ours first, then others in alphabetical order, then the limit.
    fn peers(&self) -> Result<Vec<Peer>> {
        let mut peers = self.ours()?;
        for (name, variable, kind) in FOREIGN {
            if let Some(program) = installed(name, variable) {
                peers.push(Peer { name: (*name).to_owned(), kind: kind(program) });
            }
        }
        for running in &self.running {
            peers.push(found_running(running)?);
        }
        peers.push(Peer { name: "relay".into(), kind: Kind::Relay });
        for name in &self.brokers {
            let names: Vec<_> = peers.iter().map(|peer| peer.name.as_str()).collect();
            ensure!(
                names.contains(&name.as_str()),
                "there is no broker {name}; there are {}",
                names.join(", ")
            );
        }
        peers.retain(|peer| self.brokers.is_empty() || self.brokers.contains(&peer.name));
        Ok(peers)
    }

    fn ours(&self) -> Result<Vec<Peer>> {
        if self.ours.is_empty() {
            let wanted = self.brokers.is_empty() || self.brokers.iter().any(|name| name == "luxwire");
            let program = if wanted { Some(program::find_luxwire("--ours")?) } else { None };
            let peer = |program| Peer { name: "luxwire".into(), kind: Kind::Luxwire(program) };
            return Ok(program.map(peer).into_iter().collect());
        }
        let named = |ours: &String| {
            let (name, file) = ours.split_once('=').unwrap_or(("luxwire", ours));
            ensure!(Path::new(file).is_file(), "there is no program {file}");
            Ok(Peer { name: name.to_owned(), kind: Kind::Luxwire(file.into()) })
        };
        self.ours.iter().map(named).collect()
    }
}

/// Their names, where the environment says that they are, and what they are.
type Foreign = (&'static str, &'static str, fn(PathBuf) -> Kind);
const FOREIGN: &[Foreign] = &[
    ("mosquitto", "LUXWIRE_MOSQUITTO_DIR", Kind::Mosquitto),
    ("nats-server", "LUXWIRE_NATS_DIR", Kind::Nats),
    ("rumqttd", "LUXWIRE_RUMQTTD_DIR", Kind::Rumqttd),
];

/// In the folder that the environment names, or where programs are.
fn installed(name: &str, variable: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps brokers where only root's PATH leads.
    let folders = named.into_iter().chain(std::env::split_paths(&path)).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(name)).find(|program| program.is_file())
}

fn found_running(text: &str) -> Result<Peer> {
    let (name, place) = text.split_once('=').with_context(|| format!("{text} is not NAME=HOST:PORT"))?;
    let (address, process) = match place.split_once(',') {
        Some((address, process)) => (address, Some(process)),
        None => (place, None),
    };
    let mqtt: SocketAddr = address.parse().with_context(|| format!("{address} is not ADDRESS:PORT"))?;
    let process = process.map(|id| id.parse().map(Process).with_context(|| format!("{id} is no process")));
    if name.is_empty() {
        bail!("{text} has no name");
    }
    Ok(Peer { name: name.to_owned(), kind: Kind::Running { mqtt, process: process.transpose()? } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_broker_is_told_by_name_address_and_process() {
        let peer = found_running("flashmq=127.0.0.1:1884,77").unwrap();
        assert_eq!(peer.name, "flashmq");
        assert!(
            matches!(peer.kind, Kind::Running { mqtt, process: Some(Process(77)) } if mqtt.port() == 1884)
        );
        for wrong in ["127.0.0.1:1884", "=127.0.0.1:1", "a=localhost", "a=127.0.0.1:1,x"] {
            assert!(found_running(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn keys_are_told_apart() {
        let mut keys: Vec<_> = SCENARIOS.iter().map(|scenario| scenario.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), SCENARIOS.len());
    }
}
