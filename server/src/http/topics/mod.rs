//! The values of topics, for programs that speak no MQTT: the latest ones and when they were set, which MQTT does not
//! carry, and setting and clearing them.

mod list;
mod set;
mod value;

pub(crate) use list::LargeAnswers;
pub(super) use list::*;
pub(super) use set::*;
pub(super) use value::*;

use super::{Problem, date, query};
use crate::{limits, shard::Value};
use axum::http::Uri;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use luxwire_shared::mqtt::{TopicFilter, TopicName};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use utoipa::ToSchema;

/// A value of a topic and when it was set.
///
/// The payload is in `payload` if it is text, otherwise in `payload_base64`; exactly one of them is there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Value)]
pub(super) struct Entry<'a> {
    /// The topic's name.
    #[schema(example = "lights/Desk/intensity", min_length = 1)]
    topic: &'a str,
    /// The payload, if it is UTF-8.
    #[schema(example = "40", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a str>,
    /// The payload's bytes in base64, if they are not UTF-8.
    #[schema(example = "/wA=", nullable = false, content_encoding = "base64")]
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
    /// The quality of service at which it was published.
    #[schema(minimum = 0, maximum = 2, example = 1)]
    qos: u8,
    /// When the broker took it.
    #[schema(format = DateTime, example = "2026-11-22T17:14:15.532Z")]
    set_at: String,
    /// What its publisher said that the payload is, if anything.
    #[schema(example = "text/plain; charset=utf-8", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
}

impl<'a> Entry<'a> {
    pub(super) fn of(value: &'a Value) -> Self {
        let text = str::from_utf8(&value.payload).ok();
        Self {
            topic: value.topic.as_str(),
            payload: text,
            payload_base64: text.is_none().then(|| BASE64.encode(&value.payload)),
            qos: value.qos.number(),
            set_at: date::rfc3339(value.set_at),
            content_type: value.content_type.as_deref(),
        }
    }
}

/// The topic that an address names: what follows [`PREFIX`], decoded. Slashes may be written as they are or as `%2F`.
fn topic_of(uri: &Uri) -> Result<TopicName, Problem> {
    let encoded = uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let bad =
        |why: &dyn std::fmt::Display| Problem::bad_request(format!("{encoded:?} is no topic name: {why}"));
    query::check_escapes(encoded).map_err(|why| bad(&format_args!("it {why}")))?;
    let name = percent_decode_str(encoded).decode_utf8().map_err(|_| bad(&"it is not UTF-8"))?;
    check_len(&name)?;
    TopicName::try_from(&*name).map_err(|why| bad(&why))
}

/// A filter from a query.
pub(super) fn filter_of(text: &str) -> Result<TopicFilter, Problem> {
    check_len(text)?;
    TopicFilter::try_from(text)
        .map_err(|why| Problem::bad_request(format!("{text:?} is no topic filter: {why}")))
}

/// Refuses what would be too long in an address if it were encoded.
pub(super) fn check_len(topic: &str) -> Result<(), Problem> {
    if topic.chars().count() <= limits::ADDRESS_TOPIC_CHARS {
        return Ok(());
    }
    let detail = format!("a topic in an address may have {} characters", limits::ADDRESS_TOPIC_CHARS);
    Err(Problem::bad_request(detail))
}

const PREFIX: &str = "/api/v1/topics/";

/// Names, quotes, time and QoS of an entry in JSON.
const ENTRY_BESIDES_TEXT: usize = 100;
