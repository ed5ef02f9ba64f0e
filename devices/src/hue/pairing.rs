//! Getting a key from a hub: find out what is there, ask until the button is pressed, and learn its certificate.
//!
//! Before that, nothing is sent but the questions for its configuration and for a key.

use super::{
    ApiChoice,
    api::{has_v2, identify, pair},
    host::Host,
    http::Http,
    hub::http,
    limits::{PAIRING_INTERVAL, RETRY_FIRST},
    protocol::{Identity, fault::Fault},
    store::{Api, Hub},
    tls::Guard,
};
use crate::hue::protocol::hub_id;
use std::rc::Rc;
use tokio::time::sleep;

/// Asks until the button is pressed; ends early only where asking again is of no use. Tries for ever if the host is away
/// and `patient`.
pub(super) async fn pair_with(host: Host, choice: ApiChoice, patient: bool) -> Result<Hub, Fault> {
    loop {
        match attempt(&host, choice).await {
            Err(Fault::Absent(_) | Fault::Busy(_) | Fault::Broken(_)) if patient => {
                sleep(RETRY_FIRST * 2).await
            }
            outcome => return outcome,
        }
    }
}

async fn attempt(host: &Host, choice: ApiChoice) -> Result<Hub, Fault> {
    let (http, identity) = look(host, choice).await?;
    let name = machine();
    let key = loop {
        match pair(&http, &name).await {
            Ok(key) => break key,
            Err(Fault::ButtonNotPressed) => sleep(PAIRING_INTERVAL).await,
            Err(Fault::Busy(pause)) => sleep(pause.unwrap_or_default() + PAIRING_INTERVAL).await,
            Err(fault) => return Err(fault),
        }
    };
    let secure = http.seen().is_some();
    let api = match choice {
        ApiChoice::V1 => Api::V1,
        ApiChoice::Auto if !secure => Api::V1,
        ApiChoice::Auto | ApiChoice::V2 if has_v2(&http, &key).await? => Api::V2,
        ApiChoice::Auto => Api::V1,
        ApiChoice::V2 => return Err(Fault::Refused("it does not have API v2; try --api v1".to_owned())),
    };
    let seen = http.seen();
    let identity = match identity {
        Identity { id: None, .. } => {
            let with_key = super::api::Api::new(Api::V1, http, key.clone());
            with_key.identity().await.unwrap_or(identity)
        }
        known => known,
    };
    let id = identity.id.unwrap_or_else(|| id_of_host(host));
    let trust = seen.map(|seen| seen.trust(&id)).transpose()?;
    let name = identity.name.filter(|name| !name.is_empty()).unwrap_or_else(|| "Hue hub".to_owned());
    Ok(Hub { id, name, host: host.to_string(), api, trust, key, lights: Vec::new() })
}

/// What speaks there, TLS or not. A hub with TLS is never spoken to without.
async fn look(host: &Host, choice: ApiChoice) -> Result<(Http, Identity), Fault> {
    let tls = || http(host.clone(), Some(Rc::new(Guard::new(None))));
    let plain = || http(host.clone(), None);
    let mut fault = None;
    let candidates = match choice {
        ApiChoice::Auto => vec![tls(), plain()],
        ApiChoice::V1 => vec![plain(), tls()],
        ApiChoice::V2 => vec![tls()],
    };
    for http in candidates {
        let found = match http.open().await {
            Ok(()) => identify(&http).await,
            Err(fault) => Err(fault),
        };
        match found {
            Ok(identity) => return Ok((http, identity.unwrap_or_default())),
            Err(next) => fault = Some(next),
        }
    }
    Err(fault.unwrap_or_else(|| Fault::Absent("there is nobody".to_owned())))
}

/// For hubs that do not say who they are: their address, which must do.
fn id_of_host(host: &Host) -> String {
    let digits: String = host.to_string().chars().filter(char::is_ascii_alphanumeric).take(32).collect();
    hub_id(&digits).unwrap_or_else(|| "hub".to_owned())
}

/// What the hub lists as the device that it gave the key to.
fn machine() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let name: String = name.chars().filter(|char| char.is_ascii_alphanumeric() || *char == '-').collect();
    if name.is_empty() { "home".to_owned() } else { name }
}
