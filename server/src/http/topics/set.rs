//! `PUT` and `DELETE /api/v1/topics/TOPIC`: publishing, as a client of the broker.

use super::{no_value, precondition_failed, topic_of};
use crate::{
    http::{
        Identity, Origins, Peer, Problem,
        body::{Upload, Uploads},
        client::Client,
        content_type, entity_tag,
        query::Query,
    },
    shard::{Condition, Door},
};
use axum::{
    Extension,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header, request},
    response::{IntoResponse, Response},
};
use luxwire_broker::Setting;
use luxwire_shared::mqtt::{Delivery, Packet, PacketId, Publish, PublishProperties, QoS, TopicName, Version};
use std::sync::Arc;

/// Set a value.
///
/// Publishes the body as it is, and answers when the broker has taken it. The body is the payload, whatever its type; the
/// `Content-Type` is kept with it, except that of a form, which `curl -d` sends unasked.
#[utoipa::path(
    put,
    path = "/api/v1/topics/{*topic}",
    operation_id = "setTopic",
    tag = "topics",
    params(
        ("topic" = String, Path, pattern = r"^(?!\$SYS(/|$))[^+#\x00]+$", min_length = 1, max_length = 4096, example = "lights/Desk/intensity",
            description = "The topic's name. Slashes may stand as they are or as `%2F`."),
        ("retain" = Option<bool>, Query,
            description = "Whether the broker keeps it as the topic's value for those who come later. `true` if absent; with `false` it goes to those who follow the topic at this moment, and the value stays what it was."),
        ("qos" = Option<u8>, Query, minimum = 0, maximum = 2,
            description = "The quality of service at which it is published: 0, 1 or 2; 1 if absent."),
        ("expiry_s" = Option<u64>, Query, minimum = 1, maximum = 4294967295u64,
            description = "Seconds after which nobody wants it any more, and after which it is not kept any longer. For ever if absent."),
        ("If-Match" = Option<String>, Header, example = "\"1a21e3157b4-1\"", min_length = 1, pattern = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#,
            description = "Set it only if the topic's value has one of these tags; `*`: only if it has a value."),
        ("If-None-Match" = Option<String>, Header, example = "\"1a21e3157b4-1\"", min_length = 1, pattern = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#,
            description = "Set it only if the topic's value has none of these tags; `*`: only if it has no value."),
        ("If-Unmodified-Since" = Option<String>, Header, example = "Sun, 22 Nov 2026 17:14:15 GMT",
            description = "Set it only if the value was not set after this time. Looked at if there is no `If-Match`."),
    ),
    request_body(
        description = "The payload. It must not be empty if it is to be kept: that would clear the value, which DELETE does.",
        content(
            (crate::http::openapi::Text = "text/plain"),
            (crate::http::openapi::Bytes = "application/octet-stream"),
        ),
    ),
    responses(
        (status = 201, description = "The topic had no value and has this one.",
            headers(("ETag" = String, description = "Of the value."), ("Last-Modified" = String, description = "When it was set."))),
        (status = 204, description = "The value is replaced; or with `retain=false`, the message is passed on.",
            headers(("ETag" = Option<String>, description = "Of the value, if it is kept."), ("Last-Modified" = Option<String>, description = "When it was set, if it is kept."))),
        (status = 400, response = crate::http::openapi::BadRequest),
        (status = 401, response = crate::http::openapi::Unauthorized),
        (status = 403, response = crate::http::openapi::Forbidden),
        (status = 408, response = crate::http::openapi::TooSlow),
        (status = 412, response = crate::http::openapi::PreconditionFailed),
        (status = 413, response = crate::http::openapi::TooLarge),
        (status = 415, response = crate::http::openapi::UnsupportedType),
        (status = 429, response = crate::http::openapi::TooManyRequests),
        (status = 503, response = crate::http::openapi::Busy),
        (status = 507, response = crate::http::openapi::Full),
    ),
)]
pub(in crate::http) async fn set_topic(
    State(door): State<Door>,
    State(origins): State<Arc<Origins>>,
    State(uploads): State<Uploads>,
    Extension(peer): Extension<Peer>,
    Extension(identity): Extension<Identity>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let upload = Upload::new(&head.headers, body);
    check_origin(&origins, &head.headers)?;
    let wanted = Wanted::of(&head)?;
    let condition = entity_tag::condition(&head.headers)?;
    let payload = uploads.read(upload).await?;
    if wanted.retain && payload.is_empty() {
        let detail = "an empty value cannot be kept, since MQTT clears the topic with it; use DELETE for that, \
            or ?retain=false to send an empty message";
        return Err(Problem::bad_request(detail));
    }
    let mut client = Client::connect(&door, peer, identity).await?;
    let retain = wanted.retain;
    let publish = wanted.publish(payload, client.take_packet_id());
    let packet_len = Packet::Publish(publish.clone()).encoded_len(Version::V5);
    if packet_len.is_ok_and(|len| len > uploads.len_max()) {
        return Err(uploads.too_large());
    }
    let (published, _) = client.publish(publish, condition).await?;
    match published.after.filter(|_| retain) {
        _ if !published.condition_held => Err(precondition_failed()),
        Some(setting) if published.before.is_none() => Ok(answer(StatusCode::CREATED, Some(setting))),
        setting => Ok(answer(StatusCode::NO_CONTENT, setting)),
    }
}

/// Clear a value.
///
/// The broker forgets the topic's value, and those who follow the topic get an empty message. Without a value there is
/// nothing to clear, and nobody is sent anything.
#[utoipa::path(
    delete,
    path = "/api/v1/topics/{*topic}",
    operation_id = "clearTopic",
    tag = "topics",
    params(
        ("topic" = String, Path, pattern = r"^(?!\$SYS(/|$))[^+#\x00]+$", min_length = 1, max_length = 4096, example = "lights/Desk/intensity",
            description = "The topic's name. Slashes may stand as they are or as `%2F`."),
        ("If-Match" = Option<String>, Header, example = "\"1a21e3157b4-1\"", min_length = 1, pattern = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#, description = "Clear it only if the topic's value has one of these tags."),
        ("If-None-Match" = Option<String>, Header, example = "\"1a21e3157b4-1\"", min_length = 1, pattern = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#, description = "Clear it only if the topic's value has none of these tags."),
        ("If-Unmodified-Since" = Option<String>, Header, example = "Sun, 22 Nov 2026 17:14:15 GMT",
            description = "Clear it only if the value was not set after this time. Looked at if there is no `If-Match`."),
    ),
    responses(
        (status = 204, description = "The topic has no value any more."),
        (status = 400, response = crate::http::openapi::BadRequest),
        (status = 401, response = crate::http::openapi::Unauthorized),
        (status = 403, response = crate::http::openapi::Forbidden),
        (status = 404, response = crate::http::openapi::NoValue),
        (status = 412, response = crate::http::openapi::PreconditionFailed),
        (status = 503, response = crate::http::openapi::Busy),
    ),
)]
pub(in crate::http) async fn clear_topic(
    State(door): State<Door>,
    State(origins): State<Arc<Origins>>,
    Extension(peer): Extension<Peer>,
    Extension(identity): Extension<Identity>,
    head: request::Parts,
) -> Result<StatusCode, Problem> {
    check_origin(&origins, &head.headers)?;
    let topic = topic_of(&head.uri)?;
    Query::of(&head.uri)?.finish()?;
    let condition = Condition { exists: true, ..entity_tag::condition(&head.headers)? };
    let asked_for_one = condition.is_one_of.is_some();
    let mut client = Client::connect(&door, peer, identity).await?;
    let publish = Publish {
        delivery: Delivery::first(QoS::AtLeastOnce, client.take_packet_id()),
        retain: true,
        ..Publish::new(topic.clone(), Bytes::new())
    };
    let (published, _) = client.publish(publish, condition).await?;
    match published.before {
        _ if published.condition_held => Ok(StatusCode::NO_CONTENT),
        None if !asked_for_one => Err(no_value(&topic)),
        _ => Err(precondition_failed()),
    }
}

/// What a PUT asks for, besides its body.
#[derive(Debug)]
struct Wanted {
    topic: TopicName,
    retain: bool,
    qos: QoS,
    expiry_s: Option<u32>,
    content_type: Option<luxwire_shared::mqtt::Text>,
}

impl Wanted {
    fn of(head: &request::Parts) -> Result<Self, Problem> {
        let topic = topic_of(&head.uri)?;
        let mut query = Query::of(&head.uri)?;
        let retain = query.flag("retain", true)?;
        let qos = match query.one("qos")?.as_deref() {
            Some("0") => QoS::AtMostOnce,
            Some("1") | None => QoS::AtLeastOnce,
            Some("2") => QoS::ExactlyOnce,
            Some(other) => return Err(Problem::bad_request(format!("qos must be 0, 1 or 2, not {other:?}"))),
        };
        let expiry_s = query.one("expiry_s")?.map(|text| expiry_s(&text)).transpose()?;
        query.finish()?;
        for (name, status, detail) in [
            (
                header::CONTENT_ENCODING,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body must not be compressed: it is passed on as it is",
            ),
            (header::CONTENT_RANGE, StatusCode::BAD_REQUEST, "a value can only be set as a whole"),
        ] {
            if head
                .headers
                .get(&name)
                .is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
            {
                return Err(Problem::new(status, detail));
            }
        }
        Ok(Self { topic, retain, qos, expiry_s, content_type: content_type::of_request(&head.headers)? })
    }

    fn publish(self, payload: Bytes, id: PacketId) -> Publish {
        let properties = PublishProperties {
            payload_format: content_type::format(self.content_type.as_ref(), &payload),
            message_expiry_interval_s: self.expiry_s,
            content_type: self.content_type,
            ..PublishProperties::default()
        };
        Publish {
            delivery: Delivery::first(self.qos, id),
            retain: self.retain,
            properties: (properties != PublishProperties::default()).then(|| Box::new(properties)),
            ..Publish::new(self.topic, payload)
        }
    }
}

fn expiry_s(text: &str) -> Result<u32, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|seconds| digits && *seconds > 0).ok_or_else(|| {
        Problem::bad_request(format!(
            "expiry_s must be a number of seconds from 1 to {}, not {text:?}",
            u32::MAX
        ))
    })
}

/// Browsers let any page send requests to any address, though not read the answers.
fn check_origin(origins: &Origins, headers: &HeaderMap) -> Result<(), Problem> {
    origins.check(headers).map_err(|why| Problem::new(StatusCode::FORBIDDEN, why))
}

fn answer(status: StatusCode, setting: Option<Setting>) -> Response {
    match setting {
        Some(setting) => (status, entity_tag::validators(setting)).into_response(),
        None => status.into_response(),
    }
}
