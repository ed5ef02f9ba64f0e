//! `luxwire hue-sim`: a pretend Philips Hue hub, for people who own none and for tests.
//!
//! It speaks v1 and v2 over http and https, sends events, wants its link button pressed, is strict about values, is slow
//! and full like a real one, and fails when told to. It has no scenes, sensors, schedules or entertainment areas.

mod announce;
mod args;
mod certificate;
mod colour;
mod date;
mod events;
mod faults;
mod home;
mod http;
mod hub;
mod journal;
mod keep;
mod keys;
mod light;
mod limits;
mod listener;
mod pace;
mod page;
mod shared;
mod stall;
mod v1;
mod v2;

#[cfg(test)]
mod tests;

pub use args::{Args, run};
pub use faults::{Failure, Faults, Streams};
pub use home::{BridgeId, Lights};
pub use journal::{Entry, Fate};
pub use light::Kind;
pub use pace::Pace;

use announce::Announcement;
use anyhow::{Context as _, anyhow};
use home::Home;
use hub::Hub;
use keep::{Keep, Kept};
use luxwire_shared::time::Timestamp;
use shared::Shared;
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::TlsAcceptor;

/// How a hub starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens for http; port 0 picks a free one.
    pub http: String,
    /// Where it listens for https; port 0 picks a free one.
    pub https: String,
    /// Which lights it has.
    pub lights: Lights,
    /// Who it is; `None` takes the identity that is kept, or a random one.
    pub bridge_id: Option<BridgeId>,
    /// Where identity, certificate and keys are kept; `None` forgets them.
    pub state_dir: Option<PathBuf>,
    /// Whether it can be found by mDNS.
    pub mdns: bool,
    /// Whether the link button is pressed at the start.
    pub pressed: bool,
    /// How fast it works.
    pub pace: Pace,
    /// What goes wrong from the start.
    pub faults: Faults,
}

impl Default for Options {
    /// The usual lights on free ports of the loopback interface; nothing is kept, announced or pressed.
    fn default() -> Self {
        Self {
            http: "127.0.0.1:0".into(),
            https: "127.0.0.1:0".into(),
            lights: Lights::default(),
            bridge_id: None,
            state_dir: None,
            mdns: false,
            pressed: false,
            pace: Pace::default(),
            faults: Faults::default(),
        }
    }
}

/// A running hub; dropping it ends it, its connections included.
pub struct HueSim {
    http: SocketAddr,
    https: SocketAddr,
    bridge_id: BridgeId,
    root_pem: String,
    certificate_pem: String,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
    _announcement: Option<Announcement>,
}

impl HueSim {
    /// Opens both ports and begins to answer. Needs a tokio runtime.
    ///
    /// Fails if an address cannot be listened on, the state directory cannot be used, or mDNS does not work.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let keep = options.state_dir.as_deref().map(Keep::open).transpose()?;
        let kept = match keep.as_ref().map(Keep::load).transpose()?.flatten() {
            Some(kept)
                if options.bridge_id.as_ref().is_none_or(|id| kept.bridge_id().as_ref().ok() == Some(id)) =>
            {
                kept
            }
            Some(_) | None => {
                let id = options.bridge_id.clone().map_or_else(random_id, Ok)?;
                let kept = Kept::new(&id)?;
                if let Some(keep) = &keep {
                    keep.save(&kept)?;
                }
                kept
            }
        };
        let bridge_id = kept.bridge_id()?;
        let (root_pem, certificate_pem) = (kept.identity.root.clone(), kept.identity.certificate.clone());
        let tls = TlsAcceptor::from(kept.identity.server()?);

        let (http_listener, http) = listen(&options.http).await?;
        let (https_listener, https) = listen(&options.https).await?;
        let announcement = options.mdns.then(|| Announcement::of(&bridge_id, https)).transpose()?;

        let home = Home::new(bridge_id.clone(), &options.lights);
        let hub = Hub::new(home, options.pace, kept.keys.clone(), random()?, wall());
        let shared = Shared::new(hub, keep.map(|keep| (keep, kept)));
        shared.with(|hub, now| {
            if options.pressed {
                hub.press_button(now);
            }
            hub.set_faults(now, options.faults).map_err(|why| anyhow!(why))
        })?;
        let mut tasks = JoinSet::new();
        let driven = Arc::clone(&shared);
        tasks.spawn(async move { driven.drive().await });
        tasks.spawn(listener::serve(Arc::clone(&shared), http_listener, http, None));
        tasks.spawn(listener::serve(Arc::clone(&shared), https_listener, https, Some(tls)));
        Ok(Self {
            http,
            https,
            bridge_id,
            root_pem,
            certificate_pem,
            shared,
            _tasks: tasks,
            _announcement: announcement,
        })
    }

    /// Where it listens for http.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where it listens for https.
    pub fn https(&self) -> SocketAddr {
        self.https
    }

    /// Who it is.
    pub fn bridge_id(&self) -> &BridgeId {
        &self.bridge_id
    }

    /// The certificate of the private root that issued the hub's, as PEM.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The hub's certificate, as PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Presses the link button.
    pub fn press_button(&self) {
        self.shared.with(Hub::press_button);
    }

    /// Somebody in the house uses a switch or another app: at once, whatever waits in the hub's queue.
    ///
    /// `light` is its number in v1, `percent` 0 to 100 its brightness, which switches it on; `None` switches it off. A
    /// light that does not exist, or has no power, does nothing.
    pub fn by_hand(&self, light: usize, percent: Option<f64>, fade: Duration) {
        let bri = percent.map(|percent| light::Bri::To(light::bri_of_percent(percent)));
        let change =
            light::Change { on: Some(percent.is_some()), bri, fade: Some(fade), ..light::Change::default() };
        self.shared.with(|hub, now| {
            if let Some(index) = light.checked_sub(1).filter(|index| *index < hub.home.lights.len()) {
                hub.by_hand(now, index, &change);
            }
        });
    }

    /// Puts these faults in the place of those that are. Fails, and changes nothing, if a number is out of bounds.
    pub fn set_faults(&self, faults: Faults) -> Result<(), String> {
        self.shared.with(|hub, now| hub.set_faults(now, faults))
    }

    /// The faults of the moment; those that count down have done so.
    pub fn faults(&self) -> Faults {
        self.shared.look(|hub, _| hub.faults.clone())
    }

    /// The requests after number `after`, the oldest first; a thousand of them are remembered.
    pub fn log(&self, after: u64) -> Vec<Entry> {
        self.shared.look(|hub, _| hub.journal.after(after).cloned().collect())
    }

    /// How many event streams are open, those of pages included.
    pub fn listeners(&self) -> usize {
        limits::LISTENERS - self.shared.listeners.available_permits()
    }

    /// What `GET /sim/state` answers: the house as the page draws it.
    pub fn picture(&self) -> serde_json::Value {
        self.shared.look(page::picture)
    }
}

async fn listen(address: &str) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let open = async {
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        Ok::<_, std::io::Error>((listener, local))
    };
    open.await.with_context(|| format!("{address} cannot be listened on; port 0 picks a free one"))
}

fn random_id() -> anyhow::Result<BridgeId> {
    let [a, b, c, ..] = random()?;
    Ok(BridgeId::new([a, b, c]))
}

fn random() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("the system gives no randomness: {error}"))?;
    Ok(bytes)
}

/// Read once; from then on a monotonic clock goes on from here.
fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp::from_unix_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
