//! Version 2: over HTTPS only, and the hub tells what changes.

use super::{Listener, News};
use crate::hue::{
    http::{Answer, Http, Question},
    limits::{ANSWER_MAX, BODY_MAX, EVENT_LINE_MAX, HEARTBEAT, POLL_INTERVAL, REREAD, RETRY_FIRST},
    protocol::{
        Identity,
        fault::Fault,
        sse::Lines,
        v2::{self as protocol, Wiring},
    },
    resource::{Change, Kind},
};
use bytes::Bytes;
use http::Method;
use tokio::{
    select,
    time::{Instant, sleep, sleep_until},
};

/// One hub with a key.
pub(crate) struct Hub {
    http: Http,
    key: String,
}

const EVERYTHING: &str = "/clip/v2/resource";
const BRIDGE: &str = "/clip/v2/resource/bridge";
const EVENTS: &str = "/eventstream/clip/v2";

impl Hub {
    pub(super) fn new(http: Http, key: String) -> Self {
        Self { http, key }
    }

    pub(super) async fn identity(&self) -> Result<Identity, Fault> {
        let known = super::v1::identify(&self.http).await?.unwrap_or_default();
        self.get(BRIDGE).await.map(|_| known)
    }

    pub(super) async fn tell(&self, key: &str, kind: Kind, change: &Change) -> Result<(), Fault> {
        let (path, body) = protocol::command(key, kind, change);
        let answer = self
            .http
            .ask(&Question {
                method: Method::PUT,
                path: &path,
                key: Some(&self.key),
                body: Some(&body),
                answer_max: ANSWER_MAX,
            })
            .await?;
        checked(&answer)?;
        protocol::obeyed(&answer.body)
    }

    pub(super) async fn listen(&self, listener: &Listener) -> Fault {
        loop {
            match self.follow(listener).await {
                // Hubs end the stream now and then; if that is all, it begins again.
                Fault::Absent(_) => {}
                Fault::Busy(pause) => sleep(pause.unwrap_or(RETRY_FIRST)).await,
                fault => return fault,
            }
            sleep(RETRY_FIRST).await;
            if let Err(fault) = self.get(BRIDGE).await {
                return fault;
            }
        }
    }

    /// The stream first, so that nothing falls between it and what is read.
    async fn follow(&self, listener: &Listener) -> Fault {
        let mut stream = match self.http.follow(EVENTS, &self.key).await {
            Ok(stream) => stream,
            Err(fault) => return fault,
        };
        let mut lines = Lines::new(EVENT_LINE_MAX);
        let mut wiring = match self.read(listener).await {
            Ok(wiring) => wiring,
            Err(fault) => return fault,
        };
        let mut heartbeat = Instant::now() + HEARTBEAT;
        let mut reread_at = Instant::now() + REREAD;
        loop {
            let happened = select! {
                bytes = stream.next() => bytes.map(Some),
                () = listener.reread.notified() => Ok(None),
                () = sleep_until(heartbeat) => {
                    if let Err(fault) = self.get(BRIDGE).await {
                        return fault;
                    }
                    heartbeat = Instant::now() + HEARTBEAT;
                    if reread_at > heartbeat {
                        continue;
                    }
                    reread_at = Instant::now() + REREAD;
                    Ok(None)
                }
            };
            let rearranged = match happened {
                Ok(Some(bytes)) => match hear(bytes, &mut lines, &wiring, listener).await {
                    Ok(rearranged) => rearranged,
                    Err(fault) => return fault,
                },
                Ok(None) => true,
                Err(fault) => return fault,
            };
            if rearranged {
                // More of the same usually follows at once.
                sleep(POLL_INTERVAL / 4).await;
                wiring = match self.read(listener).await {
                    Ok(wiring) => wiring,
                    Err(fault) => return fault,
                };
            }
        }
    }

    async fn read(&self, listener: &Listener) -> Result<Wiring, Fault> {
        let asked_at = listener.clock.now();
        let answer = self.get(EVERYTHING).await?;
        let home = protocol::home(&answer.body)?;
        listener.say(News::Everything { resources: home.resources, asked_at }).await;
        Ok(home.wiring)
    }

    async fn get(&self, path: &str) -> Result<Answer, Fault> {
        let key = Some(self.key.as_str());
        let question = Question { method: Method::GET, path, key, body: None, answer_max: BODY_MAX };
        let answer = self.http.ask(&question).await?;
        checked(&answer)?;
        // Something else may have taken the hub's place: it says OK to everything.
        protocol::envelope(&answer.body).map(|_| answer)
    }
}

/// Passes on what a part of the stream says; says whether the hub has to be read again.
async fn hear(bytes: Bytes, lines: &mut Lines, wiring: &Wiring, listener: &Listener) -> Result<bool, Fault> {
    let events = lines.push(bytes);
    let events =
        events.map_err(|_| Fault::Broken("a line of its event stream is far too long".to_owned()))?;
    let mut rearranged = false;
    for news in events.iter().flat_map(|event| protocol::news(event, wiring)) {
        match news {
            protocol::News::Report(key, report) => listener.say(News::Of(key, report)).await,
            protocol::News::Rearranged => rearranged = true,
        }
    }
    Ok(rearranged)
}

/// Whether the host has this version at all; without a key the answer is "no", but a knowing one.
pub(crate) async fn exists(http: &Http, key: &str) -> Result<bool, Fault> {
    let question =
        Question { method: Method::GET, path: BRIDGE, key: Some(key), body: None, answer_max: BODY_MAX };
    let answer = http.ask(&question).await?;
    let is_json =
        serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok_and(|body| body.is_object());
    Ok(answer.status == 403
        || answer.status == 429
        || answer.status == 503
        || (answer.status == 200 && is_json))
}

fn checked(answer: &Answer) -> Result<(), Fault> {
    match Fault::of_status(answer.status, answer.retry_after) {
        None => Ok(()),
        Some(Fault::Refused(status)) => {
            Err(Fault::Refused(protocol::refusal(&answer.body).unwrap_or(status)))
        }
        Some(fault) => Err(fault),
    }
}
