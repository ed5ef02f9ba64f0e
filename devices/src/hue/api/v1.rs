//! Version 1: over HTTP, or HTTPS where a hub has that; polled, because it tells nothing unasked.

use super::{Listener, News};
use crate::hue::{
    http::{Answer, Http, Question},
    limits::{ANSWER_MAX, BODY_MAX, IDENTIFY_TIMEOUT, POLL_INTERVAL},
    protocol::{
        Identity,
        fault::Fault,
        v1::{self as protocol, Collection},
    },
    resource::{Change, Kind, Resource},
};
use http::Method;
use serde_json::Value;
use tokio::time::{sleep, timeout};

/// One hub with a key.
pub(crate) struct Hub {
    http: Http,
    key: String,
}

impl Hub {
    pub(super) fn new(http: Http, key: String) -> Self {
        Self { http, key }
    }

    /// With the key, a hub that hides its identifier from strangers says it, too.
    pub(super) async fn identity(&self) -> Result<Identity, Fault> {
        let body = get(&self.http, &self.path("/config"), ANSWER_MAX.max(1 << 20)).await?;
        Identity::parse(&body).map_or_else(|| protocol::obeyed(&body).map(|()| Identity::default()), Ok)
    }

    pub(super) async fn tell(&self, key: &str, kind: Kind, change: &Change) -> Result<(), Fault> {
        let (path, body) = protocol::command(key, kind, change);
        let answer = self
            .http
            .ask(&Question {
                method: Method::PUT,
                path: &self.path(&path),
                key: None,
                body: Some(&body),
                answer_max: ANSWER_MAX,
            })
            .await?;
        match Fault::of_status(answer.status, answer.retry_after) {
            Some(fault) => Err(told(&answer).unwrap_or(fault)),
            None => protocol::obeyed(&answer.body),
        }
    }

    pub(super) async fn listen(&self, listener: &Listener) -> Fault {
        loop {
            let asked_at = listener.clock.now();
            match self.read().await {
                Ok(resources) => listener.say(News::Everything { resources, asked_at }).await,
                // It is there, and needs a rest.
                Err(Fault::Busy(pause)) => sleep(pause.unwrap_or(POLL_INTERVAL) + POLL_INTERVAL).await,
                Err(fault) => return fault,
            }
            let _ = timeout(POLL_INTERVAL, listener.reread.notified()).await;
        }
    }

    async fn read(&self) -> Result<Vec<Resource>, Fault> {
        let mut resources = self.collection(Collection::Lights).await?;
        match self.collection(Collection::Groups).await {
            Ok(groups) => resources.extend(groups),
            // Some emulators have lights alone.
            Err(Fault::Gone | Fault::Refused(_) | Fault::Broken(_)) => {}
            Err(fault) => return Err(fault),
        }
        Ok(resources)
    }

    async fn collection(&self, collection: Collection) -> Result<Vec<Resource>, Fault> {
        let body = get(&self.http, &self.path(collection.path()), BODY_MAX).await?;
        let mut list = protocol::list(collection, &body)?;
        for key in list.unsaid {
            let body = get(&self.http, &self.path(&key), ANSWER_MAX).await?;
            list.resources.extend(protocol::one(collection, &key, &body)?);
        }
        Ok(list.resources)
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/{}{rest}", self.key)
    }
}

/// `GET /api/config`, which needs no key. Nothing if the host does not answer it in time but took the connection.
pub(crate) async fn identify(http: &Http) -> Result<Option<Identity>, Fault> {
    match timeout(IDENTIFY_TIMEOUT, get(http, "/api/config", ANSWER_MAX)).await {
        Ok(Ok(body)) => Ok(Identity::parse(&body)),
        // A host that answers otherwise may still be an emulator without this question.
        Ok(Err(Fault::Gone | Fault::NotAuthorized | Fault::Refused(_) | Fault::Broken(_))) | Err(_) => {
            Ok(None)
        }
        Ok(Err(fault)) => Err(fault),
    }
}

/// Asks for a key.
pub(crate) async fn pair(http: &Http, machine: &str) -> Result<String, Fault> {
    let body = protocol::pairing(machine);
    let answer = http
        .ask(&Question {
            method: Method::POST,
            path: "/api",
            key: None,
            body: Some(&body),
            answer_max: ANSWER_MAX,
        })
        .await?;
    match Fault::of_status(answer.status, answer.retry_after) {
        Some(fault) => Err(told(&answer).unwrap_or(fault)),
        None => protocol::paired(&answer.body),
    }
}

async fn get(http: &Http, path: &str, answer_max: usize) -> Result<Vec<u8>, Fault> {
    let answer = http.ask(&Question { method: Method::GET, path, key: None, body: None, answer_max }).await?;
    match Fault::of_status(answer.status, answer.retry_after) {
        Some(fault) => Err(told(&answer).unwrap_or(fault)),
        None => Ok(answer.body.to_vec()),
    }
}

/// What an unsuccessful answer says in the API's own words, if it is JSON at all.
fn told(answer: &Answer) -> Option<Fault> {
    serde_json::from_slice::<Value>(&answer.body).ok()?;
    let fault = protocol::obeyed(&answer.body).err()?;
    // A vague word does not replace a clear status.
    (!matches!(fault, Fault::Refused(_)) || (400..500).contains(&answer.status) && answer.status != 429)
        .then_some(fault)
}
