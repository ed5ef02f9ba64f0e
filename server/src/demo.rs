//! `serve --demo`: the whole picture in one process, so that something moves when one opens the page.
//!
//! A dimmer, a lamp and a pretend Hue hub run along, and the server's own Hue bridge is paired with that hub. Each is a client
//! over the network like anybody else's: nothing here has a private door. They keep nothing, take free ports of the loopback
//! interface, and end with the server.

use anyhow::Context as _;
use luxwire_devices::{
    connection::{Address, BrokerArgs},
    dimmer, hue,
    hue_sim::{BridgeId, HueSim, Options},
    lamp,
};
use luxwire_shared::model::LightId;
use std::{future::Future, net::SocketAddr, time::Duration};
use tokio::{task::JoinSet, time::sleep};
use tracing::{info, warn};

/// The light that the dimmer dims and the lamp shows.
const LIGHT: &str = "Demo-lamp";
/// Slow enough to watch, and to catch the slider.
const WAVE: Duration = Duration::from_secs(20);

/// Somebody in the house who touches a switch now and then.
const EVERY: Duration = Duration::from_secs(2);
const FADE: Duration = Duration::from_millis(1_600);
/// What they do, in turn: a light's number on the hub, and its brightness. The lights of the living room stay as the person
/// at the page leaves them.
const HABITS: [(usize, Option<f64>); 10] = [
    (7, Some(90.0)),
    (4, Some(70.0)),
    (8, Some(25.0)),
    (6, Some(100.0)),
    (5, Some(40.0)),
    (7, Some(15.0)),
    (4, Some(20.0)),
    (8, Some(80.0)),
    (6, None),
    (5, Some(95.0)),
];

/// What is open before the server says that it is ready.
pub(crate) struct Demo {
    hub: HueSim,
    broker: BrokerArgs,
}

impl Demo {
    /// Opens the pretend hub. `broker` is how the server itself is reached.
    pub(crate) async fn open(broker: Address) -> anyhow::Result<Self> {
        // Always the same hub, so that its lights have the same topics the next time.
        let bridge_id = Some(BridgeId::new([0xde, 0x30, 0x00]));
        let hub = HueSim::start(Options { bridge_id, pressed: true, ..Options::default() });
        Ok(Self { hub: hub.await.context("the demo's pretend hub")?, broker: BrokerArgs::new(broker) })
    }

    /// Where the hub and its page are.
    pub(crate) fn hub(&self) -> SocketAddr {
        self.hub.http()
    }

    /// The hub as the bridge reaches it: the server's own bridge is the demo's, too.
    pub(crate) fn bridge(&self) -> hue::Host {
        self.hub.https().to_string().parse().expect("an address of ours is a host and a port")
    }

    /// Starts everybody else. They end when the set is dropped.
    pub(crate) fn start(self, devices: &mut JoinSet<()>) -> anyhow::Result<()> {
        let light = LightId::try_from(LIGHT).context("the demo's light")?;
        info!("the bulbs of the demo's pretend Hue hub are at http://{}/", self.hub());
        spawn(devices, "lamp", lamp::run(lamp::Args::quiet(light.clone(), self.broker.clone())));
        let wave = dimmer::Args::wave(light, dimmer::Shape::Sine, WAVE, self.broker);
        spawn(devices, "dimmer", dimmer::run(wave));
        spawn(devices, "household", household(self.hub));
        Ok(())
    }
}

/// Lives in the house: uses its switches, for ever.
async fn household(hub: HueSim) -> anyhow::Result<()> {
    for (light, percent) in HABITS.into_iter().cycle() {
        hub.by_hand(light, percent, FADE);
        sleep(EVERY).await;
    }
    Ok(())
}

/// A device that ends is missed; the server goes on without it.
fn spawn(
    devices: &mut JoinSet<()>,
    name: &'static str,
    device: impl Future<Output = anyhow::Result<()>> + 'static,
) {
    devices.spawn_local(async move {
        if let Err(error) = device.await {
            warn!("the demo goes on without its {name}: {error:#}");
        }
    });
}
