//! The latest value of each topic, for programs that speak no MQTT, and the time at which it was set, which MQTT does
//! not carry.

use super::{Problem, date};
use crate::{
    limits,
    shard::{Door, Stopped, Value},
};
use axum::{
    body::Bytes,
    extract::{Path, Query, State, rejection::PathRejection},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use luxwire_shared::mqtt::{TopicFilter, TopicName};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

/// `?filter=F`; every topic if there is none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Selection {
    #[serde(default = "everything")]
    filter: String,
}

/// One topic in the answer.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    topic: &'a str,
    /// The payload if it is text, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a str>,
    /// ... otherwise its bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
    qos: u8,
    set_at: String,
}

/// Room for long lists: each is held in memory until its reader has taken it, and readers may be slow.
#[derive(Clone, Debug)]
pub(crate) struct LargeAnswers(Arc<Semaphore>);

/// An answer that keeps its place among the large ones until the last byte is sent.
struct List {
    json: Vec<u8>,
    _permit: Option<OwnedSemaphorePermit>,
}

/// `GET /api/v1/topics?filter=F`.
pub(super) async fn list(
    State(door): State<Door>,
    State(large): State<LargeAnswers>,
    uri: Uri,
) -> Result<Response, Problem> {
    let Selection { filter } = Selection::of(&uri)?;
    let filter = TopicFilter::try_from(filter.as_str()).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, format!("{filter:?} is no topic filter: {error}"))
    })?;
    let values = door.values(filter).await?;
    let size: usize =
        values.iter().map(|value| value.topic.len() + value.payload.len() + ENTRY_BESIDES_TEXT).sum();
    let permit = if size > limits::LARGE_ANSWER { Some(large.enter()?) } else { None };
    // Many values make a long text, and the broker should not wait for it.
    let json = spawn_blocking(move || {
        let entries: Vec<_> = values.iter().map(Entry::of).collect();
        serde_json::to_vec(&entries).expect("maps with text keys are always JSON")
    });
    let list = List { json: json.await.map_err(|_| Stopped)?, _permit: permit };
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Bytes::from_owner(list)).into_response())
}

/// `GET /api/v1/topics/T`.
pub(super) async fn value(
    State(door): State<Door>,
    topic: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(topic) = topic.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.body_text()))?;
    let name = TopicName::try_from(topic.as_str()).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, format!("{topic:?} is no topic name: {error}"))
    })?;
    let value = door
        .value(name)
        .await?
        .ok_or_else(|| Problem::not_found(format!("no value is kept for {topic:?}")))?;
    let content_type = if str::from_utf8(&value.payload).is_ok() {
        "text/plain; charset=utf-8"
    } else {
        "application/octet-stream"
    };
    let headers = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::LAST_MODIFIED, date::http(value.set_at)),
    ];
    Ok((headers, value.payload).into_response())
}

impl Selection {
    /// `+` means itself here, as it does in the rest of an address. Forms write a space so, but a filter is rarely typed
    /// into a form, and `lights/+/intensity` often into an address.
    fn of(uri: &Uri) -> Result<Self, Problem> {
        let query = uri.query().unwrap_or_default().replace('+', "%2B");
        let uri = Uri::try_from(format!("/?{query}"))
            .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
        let selection = Query::try_from_uri(&uri);
        selection
            .map(|Query(selection)| selection)
            .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.body_text()))
    }
}

impl LargeAnswers {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(limits::LARGE_ANSWERS)))
    }

    fn enter(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| {
            let detail = "too many long lists are being sent; try again later, or with a narrower filter";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        })
    }
}

impl AsRef<[u8]> for List {
    fn as_ref(&self) -> &[u8] {
        &self.json
    }
}

impl<'a> Entry<'a> {
    fn of(value: &'a Value) -> Self {
        let text = str::from_utf8(&value.payload).ok();
        Self {
            topic: value.topic.as_str(),
            payload: text,
            payload_base64: text.is_none().then(|| BASE64.encode(&value.payload)),
            qos: value.qos.number(),
            set_at: date::rfc3339(value.set_at),
        }
    }
}

impl From<Stopped> for Problem {
    fn from(_: Stopped) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping")
    }
}

fn everything() -> String {
    "#".to_owned()
}

/// Names, quotes, time and QoS of an entry in the list.
const ENTRY_BESIDES_TEXT: usize = 80;
