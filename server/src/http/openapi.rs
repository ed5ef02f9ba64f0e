//! The description of the interface for programs that write programs: OpenAPI 3.1, from the declarations beside the
//! handlers, which are also where the routes come from. What is routed is described, and the other way round.

use super::{
    Web, events, history, hue, picture,
    problem::{Body as Problem, method_not_allowed},
    topics,
};
use crate::http::entity_tag;
use axum::{
    Router,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::{fmt::Write as _, sync::LazyLock};
use utoipa::{
    Modify, OpenApi, ToResponse, ToSchema,
    openapi::{
        self,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes below `/api/`.
pub(super) fn router() -> Router<Web> {
    described().split_for_parts().0.method_not_allowed_fallback(method_not_allowed)
}

fn described() -> OpenApiRouter<Web> {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(topics::list_topics))
        .routes(routes!(topics::get_topic, topics::set_topic, topics::clear_topic))
        .routes(routes!(events::follow))
        .routes(routes!(picture::watch))
        .routes(routes!(history::history))
        .routes(routes!(hue::start))
        .routes(routes!(document))
}

/// The document and its tag.
static DOCUMENT: LazyLock<(String, HeaderValue)> = LazyLock::new(|| {
    let (_, mut api) = described().split_for_parts();
    let paths = std::mem::take(&mut api.paths.paths);
    // A path that takes a whole topic is `{*topic}` to the router.
    api.paths.paths = paths.into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
    let mut api = serde_json::to_value(api).expect("maps with text keys are always JSON");
    forbid_null(&mut api);
    let json = format!("{api:#}");
    let hash = Sha256::digest(&json).iter().take(8).fold(String::new(), |mut hash, byte| {
        // Writing to a string does not fail.
        let _ = write!(hash, "{byte:02x}");
        hash
    });
    let tag = HeaderValue::from_str(&format!("\"{hash}\"")).expect("hexadecimal digits are visible ASCII");
    (json, tag)
});

/// What stands in an address or a header may be absent, and is never `null`, which an `Option` would mean in JSON.
fn forbid_null(part: &mut Value) {
    match part {
        Value::Array(parts) => parts.iter_mut().for_each(forbid_null),
        Value::Object(members) => {
            let is_parameter = members.contains_key("in");
            for (name, member) in members {
                if let (true, Value::Object(schema)) = (name == "schema" && is_parameter, &mut *member) {
                    only_type(schema);
                } else if let (true, Value::Object(headers)) = (name == "headers", &mut *member) {
                    let schemas =
                        headers.values_mut().filter_map(|header| header.get_mut("schema")?.as_object_mut());
                    schemas.for_each(only_type);
                } else {
                    forbid_null(member);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn only_type(schema: &mut Map<String, Value>) {
    let Some(types) = schema.get_mut("type") else { return };
    let only = types.as_array().and_then(|types| types.iter().find(|name| *name != "null").cloned());
    if let Some(only) = only {
        *types = only;
    }
}

/// This document.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    operation_id = "getOpenApi",
    tag = "about",
    params(("If-None-Match" = Option<String>, Header, example = "\"1a21e3157b4-1\"", min_length = 1, pattern = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#, description = "Tags of documents that the client has.")),
    responses(
        (status = 200, description = "OpenAPI 3.1.", body = Object, content_type = "application/json"),
        (status = 304, description = "The client has it."),
        (status = 400, response = BadRequest),
        (status = 401, response = Unauthorized),
        (status = 503, response = Busy),
    ),
)]
async fn document(headers: HeaderMap) -> Result<Response, super::Problem> {
    let (json, tag) = &*DOCUMENT;
    let validators =
        [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    if entity_tag::lists(&headers, header::IF_NONE_MATCH, tag)? {
        return Ok((StatusCode::NOT_MODIFIED, validators).into_response());
    }
    Ok((validators, [(header::CONTENT_TYPE, "application/json")], json.as_str()).into_response())
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Luxwire",
        description = "The topics of an MQTT broker for programs that speak no MQTT: read, set, clear and follow values. \
            A light is the topic `lights/ID/intensity`; its value is a percentage in plain text, `0` to `100`. \
            Every error is a problem as RFC 9457 describes it. \
            Where the server wants it, whoever asks signs in with each request.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    modifiers(&SignIn),
    security((), ("basic" = [])),
    servers((url = "/", description = "This server.")),
    tags(
        (name = "topics", description = "Values of topics."),
        (name = "events", description = "What happens, as it happens."),
        (name = "history", description = "What was, if a recorder runs."),
        (name = "hue", description = "Philips Hue."),
        (name = "about", description = "This interface."),
    ),
    components(schemas(Problem), responses(
        BadRequest, Unauthorized, Forbidden, NoValue, NotRecorded, NoHue, TooSlow, PreconditionFailed, TooLarge, UnsupportedType,
        TooManyRequests, Busy, Full, BadRecorder, NoRecorder, SlowRecorder, TooMuch
    )),
)]
struct Api;

/// How whoever asks says who it is, where that is wanted.
struct SignIn;

impl Modify for SignIn {
    fn modify(&self, api: &mut openapi::OpenApi) {
        let basic = HttpBuilder::new().scheme(HttpAuthScheme::Basic).description(Some(
            "A user of auth.passwords. Whether it is wanted, and of whom, auth.anonymous says.",
        ));
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("basic", SecurityScheme::Http(basic.build()));
    }
}

/// A value as text.
#[derive(ToSchema)]
#[schema(value_type = String, min_length = 1, example = "40")]
pub(super) struct Text(#[expect(dead_code, reason = "it only describes")] String);

/// Bytes of any kind.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary, min_length = 1)]
pub(super) struct Bytes(#[expect(dead_code, reason = "it only describes")] Vec<u8>);

macro_rules! problems {
    ($($(#[$attribute:meta])* $name:ident)*) => {$(
        #[derive(ToResponse)]
        #[response(content_type = "application/problem+json")]
        $(#[$attribute])*
        pub(super) struct $name(#[expect(dead_code, reason = "it only describes")] Problem<'static>);
    )*};
}

problems! {
    #[response(description = "The request makes no sense; the detail says where.")]
    BadRequest
    #[response(description = "Whoever asks must sign in, or did so with a wrong name or password; WWW-Authenticate says how.")]
    Unauthorized
    #[response(description = "Not permitted, or a page of another origin asks.")]
    Forbidden
    #[response(description = "The topic has no value.")]
    NoValue
    #[response(description = "Nothing was ever recorded of this topic.")]
    NotRecorded
    #[response(description = "This server has no Hue bridge.")]
    NoHue
    #[response(description = "The recorder answers with something that makes no sense.")]
    BadRecorder
    #[response(description = "No recorder is connected, or it is busy or in trouble; the detail says what to do.")]
    NoRecorder
    #[response(description = "The answer is larger than the broker takes; ask with a smaller limit.")]
    TooMuch
    #[response(description = "The recorder does not answer.")]
    SlowRecorder
    #[response(description = "The body took too long.")]
    TooSlow
    #[response(description = "A condition does not hold; nothing was done.")]
    PreconditionFailed
    #[response(description = "The message is larger than the setting limits.packet_size.")]
    TooLarge
    #[response(description = "The body is compressed, or a form.")]
    UnsupportedType
    #[response(description = "Too much at once; Retry-After says when to try again.")]
    TooManyRequests
    #[response(description = "No room at the moment, or the server is stopping.")]
    Busy
    #[response(description = "The broker has no room for one more value.")]
    Full
}
