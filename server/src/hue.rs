//! The Philips Hue bridge inside the server's process, for people who want to start one program.
//!
//! It is the same bridge as `luxwire hue` and reaches the broker over the network like anybody else. It starts when it is
//! first asked for, or at once if hubs were paired with it before; until then it costs nothing.

use luxwire_devices::{
    connection::{Address, BrokerArgs},
    hue,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::Notify;
use tracing::{info, warn};

/// How the broker knows the bridge, and which SERVICE its topics have. Not the name of `luxwire hue`: both may run.
pub(crate) const SERVICE: &str = "luxwire-serve-hue";

/// Asks for the bridge.
#[derive(Clone, Debug, Default)]
pub(crate) struct HueService {
    wanted: Option<Arc<Notify>>,
}

impl HueService {
    /// One that can be started, if the settings allow it.
    pub(crate) fn new(enabled: bool) -> Self {
        Self { wanted: enabled.then(Arc::default) }
    }

    /// Starts it, unless it runs already. `false` if it may not be started.
    pub(crate) fn start(&self) -> bool {
        let Some(wanted) = &self.wanted else { return false };
        wanted.notify_one();
        true
    }

    /// Waits until it is asked for, and runs it until it is dropped. With `bridges`, which it pairs with, it starts at once.
    pub(crate) async fn run(
        self,
        broker: Option<Address>,
        state_dir: Option<PathBuf>,
        bridges: Vec<hue::Host>,
    ) {
        let (Some(wanted), Some(broker)) = (self.wanted, broker) else { return };
        if !bridges.is_empty() || state_dir.as_deref().is_some_and(hue::has_hubs) {
            wanted.notify_one();
        }
        wanted.notified().await;
        info!("starting the Philips Hue bridge");
        if let Err(error) = hue::serve(settings(broker, state_dir, bridges)).await {
            warn!("the Philips Hue bridge has stopped: {error:#}");
        }
    }
}

fn settings(address: Address, state_dir: Option<PathBuf>, bridges: Vec<hue::Host>) -> hue::Settings {
    hue::Settings {
        broker: BrokerArgs { client_id: Some(SERVICE.to_owned()), ..BrokerArgs::new(address) },
        bridges,
        api: hue::ApiChoice::Auto,
        state_dir,
        discovery_prefix: Some("homeassistant".to_owned()),
        pairs_unasked: false,
    }
}

/// Where the keys of paired hubs are kept: in the data directory, or where the system keeps such things. They are worth
/// keeping even while nothing else is: whoever pressed the button should not have to do it again.
pub(crate) fn state_dir(data_dir: Option<&Path>, ephemeral: bool) -> Option<PathBuf> {
    match data_dir {
        Some(dir) => Some(dir.join("hue")),
        None if ephemeral => None,
        None => hue::default_folder("serve-hue").ok(),
    }
}
