//! `serve --demo`: the whole picture in one process, so that something moves when one opens the page.
//!
//! Two dimmers, three lamps and a pretend Hue hub with three bulbs run along, and the server's own Hue bridge is paired with that
//! hub. Each is a client over the network like anybody else's: nothing here has a private door. They keep nothing, take free
//! ports of the loopback interface, and end with the server.

use anyhow::Context as _;
use luxwire_devices::{
    connection::{Address, BrokerArgs, Connection, unique_client_id},
    dimmer, hue,
    hue_sim::{BridgeId, HueSim, Options},
    lamp,
};
use luxwire_shared::{
    client::{Event, Message},
    model::{Intensity, LightId, LightTopic},
    mqtt::QoS,
};
use std::{future::Future, net::SocketAddr, time::Duration};
use tokio::{task::JoinSet, time::sleep};
use tracing::{info, warn};

/// The lights that a dimmer dims and a lamp shows, and in which time the dimmer's hand comes back to where it began: slow enough to
/// watch one message after the other, and seldom both at once.
const DIMMED: [(&str, Duration); 2] =
    [("Hallway", Duration::from_secs(26)), ("Stairs", Duration::from_secs(42))];
/// The light that only the person at the page sets, and how bright it is before.
const YOURS: (&str, u8) = ("Desk", 40);

/// The hub's bulbs: a room of three.
const BULBS: &str = "Living room/Sofa lamp:colour,Living room/Reading lamp:ambiance,Living room/Shelf:white";

/// Somebody in the house who touches a switch now and then.
const EVERY: Duration = Duration::from_secs(7);
const FADE: Duration = Duration::from_millis(1_600);
/// What they do, in turn: a bulb's number on the hub, and its brightness. The first bulb stays as the person at the page leaves
/// it.
const HABITS: [(usize, Option<f64>); 5] =
    [(2, Some(90.0)), (3, Some(35.0)), (2, Some(20.0)), (3, Some(80.0)), (3, None)];

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
        let lights = BULBS.parse().expect("bulbs as a person would give them");
        let hub = HueSim::start(Options { bridge_id, lights, pressed: true, ..Options::default() });
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
        info!("the bulbs of the demo's pretend Hue hub are at http://{}/", self.hub());
        let light = |name| LightId::try_from(name).expect("a name of ours");
        let lamp = |id| lamp::run(lamp::Args::quiet(id, self.broker.clone()));
        for (name, period) in DIMMED {
            spawn(devices, "lamp", lamp(light(name)));
            let hand = dimmer::Args::wave(light(name), dimmer::Shape::Hand, period, self.broker.clone());
            spawn(devices, "dimmer", dimmer::run(hand));
        }
        spawn(devices, "lamp", lamp(light(YOURS.0)));
        spawn(devices, "first light", set_once(light(YOURS.0), YOURS.1, self.broker));
        spawn(devices, "household", household(self.hub));
        Ok(())
    }
}

/// Somebody who sets a light once, so that it can be seen, and leaves.
async fn set_once(light: LightId, percent: u8, broker: BrokerArgs) -> anyhow::Result<()> {
    let level = Intensity::from_percent(percent).expect("a percentage of ours");
    let options = broker.options(&unique_client_id("luxwire-demo"))?;
    let mut connection = Connection::new(&broker, options)?;
    let topic = LightTopic::Intensity(light).name();
    connection.publish(Message::retained(topic, level.to_payload(), QoS::AtLeastOnce))?;
    while !matches!(connection.next().await, Event::Acknowledged { .. }) {}
    connection.disconnect().await;
    Ok(())
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
