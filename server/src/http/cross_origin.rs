//! Pages of other origins that may use the interface: those of `http.allowed_origins`, and no others. The fetch standard,
//! section 3.2 (CORS protocol).
//!
//! Our own pages need none of it. Whether a page may *do* something is checked where it is done, since a browser that does
//! not speak this protocol sends the request all the same.

use super::{Origins, Problem};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use std::sync::Arc;

/// Answers a browser that asks first, and tells it that the page may read the answer.
pub(super) async fn share(State(origins): State<Arc<Origins>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let asks_first =
        request.method() == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let Some(origin) = headers.get(header::ORIGIN).cloned() else {
        return varied(next.run(request).await);
    };
    let allowed = origins.check(headers);
    let mut response = match (&allowed, asks_first) {
        (Ok(()), true) => preflight().into_response(),
        (Err(why), true) => Problem::new(StatusCode::FORBIDDEN, why.clone()).into_response(),
        (_, false) => next.run(request).await,
    };
    if allowed.is_ok() {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    varied(response)
}

fn preflight() -> (StatusCode, HeaderMap) {
    let headers = HeaderMap::from_iter([
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, PUT, DELETE, POST")),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(
                "Authorization, Content-Type, If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, Last-Event-ID",
            ),
        ),
        // Ten minutes: a setting that is changed takes effect soon.
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600")),
    ]);
    (StatusCode::NO_CONTENT, headers)
}

/// An answer kept by a cache is not to be given to a page of another origin.
fn varied(mut response: Response) -> Response {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    response
}

/// What a page may read besides the usual.
const EXPOSED: HeaderValue = HeaderValue::from_static("ETag, Luxwire-Content-Type, Retry-After");
