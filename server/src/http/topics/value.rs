//! `GET /api/v1/topics/TOPIC`: one payload as it is.

use super::topic_of;
use crate::{
    clock::Clock,
    http::{Identity, Problem, content_type, entity_tag, query::Query},
    shard::Door,
};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

/// Read one value.
///
/// The payload itself, byte by byte. Its `Content-Type` is what its publisher said, if browsers do not run or render such a
/// type; otherwise it is `text/plain` where the payload is UTF-8 and nobody said more, or `application/octet-stream`.
#[utoipa::path(
    get,
    path = "/api/v1/topics/{*topic}",
    operation_id = "getTopic",
    tag = "topics",
    params(
        ("topic" = String, Path, pattern = r"^[^+#\x00]+$", min_length = 1, max_length = 4096, example = "lights/Desk/intensity",
            description = "The topic's name. Slashes may stand as they are or as `%2F`."),
        ("If-None-Match" = Option<String>, Header, example = "\"1a21e3157b4-1\"", min_length = 1, pattern = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#, description = "Tags of values that the client has."),
        ("If-Modified-Since" = Option<String>, Header, example = "Sun, 22 Nov 2026 17:14:15 GMT",
            description = "The `Last-Modified` of a value that the client has. Looked at if there is no `If-None-Match`."),
        ("If-Match" = Option<String>, Header, example = "\"1a21e3157b4-1\"", min_length = 1, pattern = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#, description = "Tags of which the value must have one."),
        ("If-Unmodified-Since" = Option<String>, Header, example = "Sun, 22 Nov 2026 17:14:15 GMT", description = "When the value must have been set at the latest."),
    ),
    responses(
        (status = 200, description = "The payload.",
            content(
                (String = "text/plain", example = "40"),
                (crate::http::openapi::Bytes = "application/octet-stream"),
                (crate::http::openapi::Bytes = "*/*"),
            ),
            headers(
                ("ETag" = String, description = "Names this setting of the value: setting it again changes it."),
                ("Last-Modified" = String, description = "When it was set, in whole seconds."),
                ("Luxwire-Content-Type" = Option<String>,
                    description = "What its publisher said that it is, if `Content-Type` does not repeat that."),
            )),
        (status = 304, description = "The client has this value."),
        (status = 400, response = crate::http::openapi::BadRequest),
        (status = 401, response = crate::http::openapi::Unauthorized),
        (status = 403, response = crate::http::openapi::Forbidden),
        (status = 404, response = crate::http::openapi::NoValue),
        (status = 412, response = crate::http::openapi::PreconditionFailed),
        (status = 503, response = crate::http::openapi::Busy),
    ),
)]
pub(in crate::http) async fn get_topic(
    State(door): State<Door>,
    State(clock): State<Clock>,
    Extension(identity): Extension<Identity>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let topic = topic_of(&uri)?;
    Query::of(&uri)?.finish()?;
    let found = door.value(topic.clone(), identity.reader()).await??;
    if !entity_tag::is_wanted(&headers, found.as_ref().map(|(_, setting)| *setting))? {
        return Err(precondition_failed());
    }
    let (value, setting) = found.ok_or_else(|| no_value(&topic))?;
    // It may be kept, and must be asked for each time.
    let caching = [(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    let validators = entity_tag::validators(setting);
    if entity_tag::is_known(&headers, setting, clock.now().timestamp)? {
        return Ok((StatusCode::NOT_MODIFIED, caching, validators).into_response());
    }
    let mut response = (caching, validators, value.payload.clone()).into_response();
    let headers = response.headers_mut();
    for (name, value) in content_type::of_answer(value.content_type.as_ref(), &value.payload) {
        headers.insert(name, value);
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, content_type::CONTENT_SECURITY_POLICY);
    Ok(response)
}

pub(super) fn no_value(topic: &str) -> Problem {
    Problem::not_found(format!("no value is kept for {topic:?}"))
}

pub(super) fn precondition_failed() -> Problem {
    let detail =
        "the topic's value is not the one that If-Match, If-None-Match or If-Unmodified-Since asks for";
    Problem::new(StatusCode::PRECONDITION_FAILED, detail)
}
