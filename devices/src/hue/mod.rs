//! `luxwire hue`: translates between MQTT and the HTTP of Philips Hue hubs, both ways.
//!
//! What is published to a light's intensity goes to the hub, and what others change on the hub is published. The decisions
//! are in `core`, which knows neither HTTP nor MQTT; `protocol` is the hubs' JSON, `api` their HTTP, `bridge` ties all
//! together with a broker.

mod api;
mod bridge;
mod clock;
mod core;
mod discovery;
mod home_assistant;
mod host;
mod http;
mod hub;
mod level;
mod limits;
mod names;
mod pairing;
mod protocol;
mod resource;
mod service;
mod store;
mod tls;

pub use host::{Host, HostError};
pub use store::{default_folder, has_hubs};

use crate::{connection::BrokerArgs, stop::StopSignals};
use bridge::Bridge;
use std::{future::pending, path::PathBuf};

/// Bring the lights of a Philips Hue hub to MQTT, both ways
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A hub, if it is not to be found by itself: HOST or HOST:PORT; may be repeated
    ///
    /// A hub that was not paired before is paired: press the button on it when you are asked to.
    #[arg(long, value_name = "HOST[:PORT]")]
    pub bridge: Vec<Host>,

    /// Which version of the hub's API to speak when it is paired: v2 (encrypted, tells changes at once), v1 (old hubs and
    /// most emulators, polled every second), or auto: v2 where the hub has it
    #[arg(long, value_enum, default_value_t)]
    pub api: ApiChoice,

    /// Where keys and certificates of paired hubs are kept, readable for you alone [default: ~/.local/state/luxwire/hue]
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,

    /// Where Home Assistant looks for lights
    #[arg(long, value_name = "TOPIC", default_value = "homeassistant", value_parser = prefix)]
    pub discovery_prefix: String,

    /// Do not announce the lights to Home Assistant
    #[arg(long)]
    pub no_discovery: bool,

    /// Which broker
    #[command(flatten)]
    pub broker: BrokerArgs,
}

/// Which version of the API is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ApiChoice {
    /// The newest that the hub has.
    #[default]
    Auto,
    /// Old hubs, and most emulators.
    V1,
    /// HTTPS and events.
    V2,
}

/// What the command line says, for those who have none.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which broker.
    pub broker: BrokerArgs,
    /// Hubs that are paired without being asked for over MQTT.
    pub bridges: Vec<Host>,
    /// Which version of the API new hubs are spoken to with.
    pub api: ApiChoice,
    /// Where keys are kept; `None` forgets them at the end.
    pub state_dir: Option<PathBuf>,
    /// Home Assistant's prefix; `None` announces nothing.
    pub discovery_prefix: Option<String>,
    /// Search for hubs and wait for their buttons if there is none yet. Otherwise only requests over MQTT do.
    pub pairs_unasked: bool,
}

/// How the broker knows the service, and which `SERVICE` its topics have.
pub const CLIENT_ID: &str = "luxwire-hue";

/// Runs until SIGTERM or Ctrl-C.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let state_dir = args.state_dir.map_or_else(|| store::default_folder("hue"), Ok)?;
    let settings = Settings {
        broker: args.broker,
        bridges: args.bridge,
        api: args.api,
        state_dir: Some(state_dir),
        discovery_prefix: (!args.no_discovery).then_some(args.discovery_prefix),
        pairs_unasked: true,
    };
    let mut signals = StopSignals::listen()?;
    let mut bridge = Bridge::new(settings)?;
    bridge
        .run(async {
            signals.next().await;
        })
        .await;
    bridge.leave().await;
    Ok(())
}

/// Runs until it is dropped, which stops everything that it started.
pub async fn serve(settings: Settings) -> anyhow::Result<()> {
    let mut bridge = Bridge::new(settings)?;
    bridge.run(pending()).await;
    Ok(())
}

fn prefix(text: &str) -> Result<String, String> {
    let is_good = !text.is_empty() && text.len() <= 128 && !text.contains(['+', '#', '\0']);
    is_good.then(|| text.to_owned()).ok_or_else(|| "a topic without + and #".to_owned())
}

const EXAMPLES: &str = "\
Examples:
  luxwire hue                          finds a hub, waits for its button, and remembers it
  luxwire hue --bridge 192.168.1.20    the hub at this address
  luxwire hue --bridge 127.0.0.1:8080 --api v1   an emulator without encryption

Every light and every room is there as lights/hue-NAME/intensity (0 to 100) and lights/hue-NAME/availability, and for Home \
Assistant with colour. docs/hue.md has the details, and what to publish in order to pair from elsewhere.

Exit code: 0 stopped as asked, 1 something failed, 2 the command line is wrong.";
