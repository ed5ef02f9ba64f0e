//! One paired hub: connects, listens, and comes back after a loss, for as long as it is awaited.
//!
//! It decides nothing about lights; what it hears goes to the translation.

use super::{
    api::{Api, Listener, News},
    http::Http,
    limits::{RETRY_FIRST, RETRY_LONGEST},
    protocol::fault::Fault,
    store::Hub,
    tls::Guard,
};
use std::rc::Rc;
use tokio::time::{sleep, timeout};

/// What is said about a hub.
pub(super) enum Told {
    /// It can be spoken to.
    There(Rc<Api>),
    News(News),
    /// It cannot.
    Lost(Fault),
}

/// Serves a hub until it is dropped.
pub(super) async fn serve(hub: Hub, listener: Listener) {
    let mut pause = RETRY_FIRST;
    loop {
        match connect(&hub).await {
            Ok(api) => {
                pause = RETRY_FIRST;
                let api = Rc::new(api);
                listener.tell(Told::There(Rc::clone(&api))).await;
                let fault = api.listen(&listener).await;
                listener.tell(Told::Lost(fault)).await;
            }
            Err(fault) => {
                listener.tell(Told::Lost(fault)).await;
            }
        }
        // Somebody who wants it read again wants it now.
        let _ = timeout(pause, listener.reread.notified()).await;
        sleep(RETRY_FIRST / 4).await;
        pause = (pause * 2).min(RETRY_LONGEST);
    }
}

/// Asks who is there, because addresses wander from one device to another.
async fn connect(hub: &Hub) -> Result<Api, Fault> {
    let host = hub.host.parse().map_err(|error: super::host::HostError| Fault::Absent(error.to_string()))?;
    let guard = hub.trust.clone().map(|trust| Rc::new(Guard::new(Some(trust))));
    let http = http(host, guard);
    http.open().await?;
    let api = Api::new(hub.api, http, hub.key.clone());
    let identity = api.identity().await?;
    match identity.id {
        Some(id) if id != hub.id => {
            Err(Fault::Impostor(format!("at {} is another hub, {id}; expected is {}", hub.host, hub.id)))
        }
        Some(_) | None => Ok(api),
    }
}

/// On the port that was given, or the usual one.
pub(super) fn http(host: super::host::Host, guard: Option<Rc<Guard>>) -> Http {
    let port = host.port().unwrap_or(if guard.is_some() { 443 } else { 80 });
    Http::new(host, port, guard)
}
