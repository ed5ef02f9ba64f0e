//! The live picture as a stream of server-sent events. What it shows and where it is bounded: docs/picture.md.

use super::{Lasting, Origins, Problem};
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

/// `GET /api/v1/picture`.
pub(super) async fn watch(
    State(door): State<Door>,
    State(origins): State<Arc<Origins>>,
    Extension(lasting): Extension<Lasting>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // A strange page could not read it, but it could take the place of one of ours.
    origins.check(&headers).map_err(|why| Problem::new(StatusCode::FORBIDDEN, why))?;
    let lasts = lasting.begin();
    let mut watching = door.watch(lasts.cut()).await?.ok_or_else(|| {
        let detail = format!(
            "{} watch the picture already; close one of its pages, or try again later",
            limits::WATCHERS
        );
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    })?;
    let mut retry = Some(limits::WATCHER_RETRY);
    let events = stream::poll_fn(move |cx| {
        let _lasts = &lasts;
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
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
