//! One request over HTTP: reading it, asking the hub, and waiting as long as the faults want it.

use super::{
    hub::{self, Hub, Reply, Treatment},
    limits, page,
    shared::Shared,
};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use luxwire_shared::time::Instant;
use std::{io, sync::Arc};
use tokio::{
    select,
    sync::{OwnedSemaphorePermit, broadcast::error::RecvError},
    time::{sleep, timeout},
};

/// The body of an answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Answers one request. An error ends the connection without an answer.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    tls: bool,
) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = match timeout(limits::REQUEST_WITHIN, Limited::new(body, limits::BODY_BYTES).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => {
            return Ok(text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large, or was cut off"));
        }
        Err(_) => return Ok(text(StatusCode::REQUEST_TIMEOUT, "the body took too long")),
    };
    let path = head.uri.path().to_owned();
    if let Some(answer) = page::answer(&shared, &head, &path, &body) {
        return Ok(answer);
    }
    let v1 = path == "/api" || path.starts_with("/api/");
    if v1 && head.method == Method::OPTIONS {
        return Ok(with_cors(text(StatusCode::OK, "")));
    }
    let key = head.headers.get("hue-application-key").and_then(|key| key.to_str().ok());
    let asked = hub::Request { method: head.method.as_str(), path: &path, key, body: &body, tls };
    if path == "/eventstream/clip/v2" {
        return events(&shared, &head.headers, &asked).await;
    }
    let treatment = shared.with(|hub, now| hub.answer(now, &asked));
    let answer = treated(&shared, treatment).await?;
    Ok(if v1 { with_cors(answer) } else { answer })
}

async fn treated(shared: &Shared, treatment: Treatment) -> io::Result<Response<Body>> {
    match treatment {
        Treatment::Answer(reply, after) => {
            sleep(after).await;
            Ok(of_reply(reply))
        }
        Treatment::Hang => {
            let mut picture = shared.picture.subscribe();
            // Until the fault is healed or the client leaves, which drops this future.
            let hangs = |hub: &Hub, _: Instant| hub.faults.hang;
            while shared.look(hangs) && picture.changed().await.is_ok() {}
            Err(io::Error::other("the hub hung"))
        }
    }
}

/// `GET /eventstream/clip/v2`.
async fn events(
    shared: &Arc<Shared>,
    headers: &HeaderMap,
    asked: &hub::Request<'_>,
) -> io::Result<Response<Body>> {
    let accepted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("*/*");
    if !accepted.contains("text/event-stream") && !accepted.contains("*/*") {
        return Ok(of_reply(super::v2::error(406, "events come as text/event-stream")));
    }
    let seen = headers.get(header::IF_NONE_MATCH).or_else(|| headers.get("last-event-id"));
    let seen = seen.and_then(|seen| seen.to_str().ok()).map(|seen| seen.trim_matches('"'));
    // Subscribed first, so that nothing falls between what was missed and what comes.
    let (containers, mut cuts) = (shared.containers.subscribe(), shared.cuts.subscribe());
    let missed = match shared.with(|hub, now| hub.listen(now, asked, seen)) {
        Ok(missed) => missed,
        Err(treatment) => return treated(shared, treatment).await,
    };
    let Ok(permit) = Arc::clone(&shared.listeners).try_acquire_owned() else {
        return Ok(of_reply(super::v2::error(503, "too many event streams")));
    };
    cuts.mark_unchanged();
    let mut first = ": hi\n\n".to_owned();
    first.extend(missed.iter().map(|container| &*container.frame));
    let rest = stream::unfold(Some((containers, cuts, permit)), async |open| {
        let (mut containers, mut cuts, permit) = open?;
        let container = select! {
            container = containers.recv() => container,
            _ = cuts.changed() => Err(RecvError::Closed),
        };
        match container {
            Ok(frame) => {
                Some((Ok(Bytes::copy_from_slice(frame.as_bytes())), Some((containers, cuts, permit))))
            }
            // Cut, or too slow for what happens. An error ends the connection in the middle, as a lost one does.
            Err(RecvError::Closed | RecvError::Lagged(_)) => {
                Some((Err(io::Error::other("the stream is cut")), None))
            }
        }
    });
    Ok(event_stream(first, rest))
}

/// The page's own stream: a picture whenever something looks different, but not too often.
pub(crate) fn pictures(shared: &Arc<Shared>, permit: OwnedSemaphorePermit) -> Response<Body> {
    let mut picture = shared.picture.subscribe();
    picture.mark_changed();
    let shared = Arc::clone(shared);
    let frames = stream::unfold((shared, picture, permit), |(shared, mut picture, permit)| async move {
        picture.changed().await.ok()?;
        sleep(limits::PICTURE_EVERY).await;
        picture.mark_unchanged();
        let frame = format!("data: {}\n\n", shared.look(page::picture));
        Some((Ok(Bytes::from(frame)), (shared, picture, permit)))
    });
    event_stream(String::new(), frames)
}

fn event_stream(
    first: String,
    rest: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> Response<Body> {
    use futures_util::StreamExt as _;
    let first = stream::iter((!first.is_empty()).then(|| Ok(Bytes::from(first))));
    let frames = first.chain(rest).map(|bytes| bytes.map(Frame::data));
    let mut answer = Response::new(StreamBody::new(frames).boxed_unsync());
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    answer
}

fn of_reply(reply: Reply) -> Response<Body> {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match reply.body {
        hub::Body::Json(value) => with_type(status, "application/json", value.to_string()),
        hub::Body::Html(html) => with_type(status, "text/html", html),
    }
}

/// A sentence.
pub(crate) fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    with_type(status, "text/plain; charset=utf-8", text)
}

/// Text of some type, never kept by the browser.
pub(crate) fn with_type(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut answer = Response::new(Full::new(body.into()).map_err(|never| match never {}).boxed_unsync());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// What real hubs allow to pages from elsewhere. Without a key it is of no use to them.
fn with_cors(mut answer: Response<Body>) -> Response<Body> {
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, GET, OPTIONS, PUT, DELETE, HEAD"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}
