//! `GET /api/v1/topics?filter=F`.

use super::{ENTRY_BESIDES_TEXT, Entry, filter_of};
use crate::{
    http::{Identity, Problem, entity_tag, query::Query},
    limits,
    shard::{Door, Stopped},
};
use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest as _, Sha256};
use std::{fmt::Write as _, sync::Arc};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

/// Room for long lists: each is held in memory until its reader has taken it, and readers may be slow.
#[derive(Clone, Debug)]
pub(crate) struct LargeAnswers(Arc<Semaphore>);

/// An answer that keeps its place among the large ones until the last byte is sent.
struct List {
    json: Vec<u8>,
    _permit: Option<OwnedSemaphorePermit>,
}

/// List the latest values.
///
/// All topics that match the filter and have a value, in the order of their names. The tag changes with anything in the
/// list.
#[utoipa::path(
    get,
    path = "/api/v1/topics",
    operation_id = "listTopics",
    tag = "topics",
    params(
        ("filter" = Option<String>, Query, pattern = r"^(?!\$share(/|$))(#|(\+|[^+#/\x00]*)(/(\+|[^+#/\x00]*))*(/#)?)$", min_length = 1, max_length = 4096, example = "lights/+/intensity",
            description = "An MQTT topic filter: `+` stands for one level, `#` for all that follow. Everything if absent."),
        ("If-None-Match" = Option<String>, Header, example = "\"1a21e3157b4-1\"", min_length = 1, pattern = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#, description = "Tags of lists that the client has."),
    ),
    responses(
        (status = 200, description = "The values.", body = [Entry], content_type = "application/json",
            headers(("ETag" = String, description = "Names this very list."))),
        (status = 304, description = "The client has this list."),
        (status = 400, response = crate::http::openapi::BadRequest),
        (status = 401, response = crate::http::openapi::Unauthorized),
        (status = 403, response = crate::http::openapi::Forbidden),
        (status = 503, response = crate::http::openapi::Busy),
    ),
)]
pub(in crate::http) async fn list_topics(
    State(door): State<Door>,
    State(large): State<LargeAnswers>,
    Extension(identity): Extension<Identity>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut query = Query::of(&uri)?;
    let filter = query.topic("filter")?;
    query.finish()?;
    let filter = filter_of(filter.as_deref().unwrap_or("#"))?;
    let values = door.values(filter, identity.reader()).await??;
    let size: usize =
        values.iter().map(|value| value.topic.len() + value.payload.len() + ENTRY_BESIDES_TEXT).sum();
    let permit = if size > limits::LARGE_ANSWER { Some(large.enter()?) } else { None };
    // Many values make a long text, and the broker should not wait for it.
    let (json, tag) = spawn_blocking(move || {
        let entries: Vec<_> = values.iter().map(Entry::of).collect();
        let json = serde_json::to_vec(&entries).expect("maps with text keys are always JSON");
        let tag = tag(&json);
        (json, tag)
    })
    .await
    .map_err(|_| Stopped)?;
    let known = entity_tag::lists(&headers, header::IF_NONE_MATCH, &tag)?;
    let validators: [(HeaderName, HeaderValue); 2] =
        [(header::ETAG, tag), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, validators).into_response());
    }
    let list = List { json, _permit: permit };
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    Ok((validators, content_type, Bytes::from_owner(list)).into_response())
}

impl LargeAnswers {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(limits::LARGE_ANSWERS)))
    }

    fn enter(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| {
            let detail = "too many long lists are being sent; try again later, or with a narrower filter";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).with(header::RETRY_AFTER, "1")
        })
    }
}

impl AsRef<[u8]> for List {
    fn as_ref(&self) -> &[u8] {
        &self.json
    }
}

/// Says the time of each value as well, so that the same value set again makes another list.
fn tag(json: &[u8]) -> HeaderValue {
    let hash = Sha256::digest(json).iter().take(16).fold(String::new(), |mut hash, byte| {
        // Writing to a string does not fail.
        let _ = write!(hash, "{byte:02x}");
        hash
    });
    HeaderValue::from_str(&format!("\"{hash}\"")).expect("hexadecimal digits are visible ASCII")
}
