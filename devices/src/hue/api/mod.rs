//! One hub over HTTP, whichever version of the API it has: read everything, tell one light something, hear the news.

mod v1;
mod v2;

use super::{
    clock::Clock,
    http::Http,
    hub::Told,
    protocol::{Identity, fault::Fault},
    resource::{Change, Kind, Report, Resource},
    store::Api as Version,
};
use luxwire_shared::time::Instant;
use std::rc::Rc;
use tokio::sync::{Notify, mpsc};

pub(super) use v1::{identify, pair};
pub(super) use v2::exists as has_v2;

/// A hub that can be spoken to.
pub(super) enum Api {
    V1(v1::Hub),
    V2(v2::Hub),
}

/// What is heard of a hub.
#[derive(Debug)]
pub(super) enum News {
    /// Everything it has, as it was when it was asked.
    Everything { resources: Vec<Resource>, asked_at: Instant },
    /// Something of one light or room.
    Of(String, Report),
}

/// Where news go.
pub(super) struct Listener {
    /// The hub's identifier.
    pub(super) hub: String,
    pub(super) ear: mpsc::Sender<(String, Told)>,
    /// Somebody wants everything to be read again.
    pub(super) reread: Rc<Notify>,
    pub(super) clock: Clock,
}

impl Api {
    pub(super) fn new(version: Version, http: Http, key: String) -> Self {
        match version {
            Version::V1 => Self::V1(v1::Hub::new(http, key)),
            Version::V2 => Self::V2(v2::Hub::new(http, key)),
        }
    }

    /// Who the hub says it is; simulators may not say it.
    pub(super) async fn identity(&self) -> Result<Identity, Fault> {
        match self {
            Self::V1(hub) => hub.identity().await,
            Self::V2(hub) => hub.identity().await,
        }
    }

    /// Tells a light or a room.
    pub(super) async fn tell(&self, key: &str, kind: Kind, change: &Change) -> Result<(), Fault> {
        match self {
            Self::V1(hub) => hub.tell(key, kind, change).await,
            Self::V2(hub) => hub.tell(key, kind, change).await,
        }
    }

    /// Hears the news until the hub is lost; says how. Everything comes first.
    pub(super) async fn listen(&self, listener: &Listener) -> Fault {
        match self {
            Self::V1(hub) => hub.listen(listener).await,
            Self::V2(hub) => hub.listen(listener).await,
        }
    }
}

impl Listener {
    async fn say(&self, news: News) {
        self.tell(Told::News(news)).await;
    }

    pub(super) async fn tell(&self, told: Told) {
        // Nobody listens any more only when everything ends.
        let _ = self.ear.send((self.hub.clone(), told)).await;
    }
}
