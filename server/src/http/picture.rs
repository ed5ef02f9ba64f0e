//! The live picture as a stream of server-sent events. What it shows and where it is bounded: docs/picture.md.

use super::{Connection, Identity, Origins, Problem, identity::forbidden};
use crate::{limits, shard::Door};
use axum::{
    extract::{Extension, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use std::{convert::Infallible, sync::Arc};

/// Watch the broker.
///
/// Server-sent events, as `EventSource` in a browser or `curl -N` takes them: `picture` (broker and clients), `joined`, `changed`
/// and `left` (one client), `message` (one message with the keys of whom it comes from and goes to), `busy` (how many more
/// there were). The fields of each are described in docs/picture.md.
#[utoipa::path(
    get,
    path = "/api/v1/picture",
    operation_id = "watchPicture",
    tag = "events",
    responses(
        (status = 200, description = "Events until one side ends it.", body = String, content_type = "text/event-stream"),
        (status = 401, response = super::openapi::Unauthorized),
        (status = 403, response = super::openapi::Forbidden),
        (status = 503, response = super::openapi::Busy),
    ),
)]
pub(super) async fn watch(
    State(door): State<Door>,
    State(origins): State<Arc<Origins>>,
    Extension(connection): Extension<Connection>,
    Extension(identity): Extension<Identity>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // A strange page could not read it, but it could take the place of one of ours.
    origins.check(&headers).map_err(|why| Problem::new(StatusCode::FORBIDDEN, why))?;
    if door.rights(identity.reader()).await?.is_some_and(|rights| !rights.may_read_everything()) {
        return Err(forbidden());
    }
    let mut watching = door.watch(connection.stalled()).await?.ok_or_else(|| {
        let detail = format!(
            "{} watch the picture already; close one of its pages, or try again later",
            limits::WATCHERS
        );
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    })?;
    connection.watches();
    let mut retry = Some(limits::WATCHER_RETRY);
    let events = stream::poll_fn(move |cx| {
        watching.poll_next(cx).map(|event| {
            let event = event.map(|event| Event::default().event(event.name).data(&event.json))?;
            Some(Ok::<_, Infallible>(match retry.take() {
                Some(retry) => event.retry(retry),
                None => event,
            }))
        })
    });
    let keep_alive = KeepAlive::new().interval(limits::WATCHER_KEEP_ALIVE);
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The connection is used up when the stream ends.
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(response)
}
