//! `GET /api/v1/history`: what was, asked of a recorder over MQTT.
//!
//! The broker keeps the latest value only. A recorder (`luxwire record`) is a client that keeps all of them, and it is asked
//! as any client may ask it: at the topics below `luxwire/record/`, with a response topic. Whatever it answers is passed on as
//! it is; what a time or a step may look like is its business.

use super::{
    Identity, Peer, Problem, client, client::Client, identity::forbidden, problem::PROBLEM_JSON,
    query::Query, topics::check_len,
};
use crate::{
    limits,
    shard::{Condition, Door, FromBroker, Stopped, Value},
};
use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use luxwire_shared::mqtt::{
    Delivery, Packet, Publish, PublishProperties, QoS, ReasonCode, RetainHandling, Subscribable,
    SubscribeFilter, TopicFilter, TopicName,
};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use tokio::time::timeout;
use utoipa::ToSchema;

/// Read what was recorded of a topic.
///
/// Asks a recorder that is connected (`luxwire record`), one that records the topic if there are several. Without `step` the
/// values themselves, oldest first; with `step` what numbers did in each step. An answer that is cut short has a `next`, which
/// is to be given as `from` to go on.
#[utoipa::path(
    get,
    path = "/api/v1/history",
    operation_id = "getHistory",
    tag = "history",
    params(
        ("topic" = String, Query, pattern = r"^[^+#\x00]+$", min_length = 1, max_length = 4096, example = "lights/Desk/intensity",
            description = "The topic's name, without wildcards."),
        ("from" = Option<String>, Query, min_length = 1, example = "-24h",
            description = "Where to begin: RFC 3339, milliseconds since 1970, a duration before now such as `-24h` or `-7d`, or the `next` of an earlier answer. `-24h` if absent."),
        ("to" = Option<String>, Query, min_length = 1, example = "now", description = "Where to end, written likewise, itself left out. Now if absent."),
        ("step" = Option<String>, Query, min_length = 1, example = "5m", description = "The length of a step: seconds, or `90s`, `5m`, `1h`, `1d`."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 10000, description = "So many values or steps at most; 1000 if absent."),
    ),
    responses(
        (status = 200, description = "Values or steps.", body = History, content_type = "application/json"),
        (status = 400, response = super::openapi::BadRequest),
        (status = 401, response = super::openapi::Unauthorized),
        (status = 403, response = super::openapi::Forbidden),
        (status = 404, response = super::openapi::NotRecorded),
        (status = 502, response = super::openapi::BadRecorder),
        (status = 503, response = super::openapi::NoRecorder),
        (status = 504, response = super::openapi::SlowRecorder),
        (status = 507, response = super::openapi::TooMuch),
    ),
)]
pub(super) async fn history(
    State(door): State<Door>,
    Extension(peer): Extension<Peer>,
    Extension(identity): Extension<Identity>,
    uri: Uri,
) -> Result<Response, Problem> {
    let question = Question::of(&uri)?;
    let topic = TopicName::try_from(question.topic.as_str()).map_err(|_| forbidden())?;
    if door.rights(identity.reader()).await?.is_some_and(|rights| !rights.may_read(&topic)) {
        return Err(forbidden());
    }
    let recorder = find(&door, &question.topic).await?;
    // What was may be read by whoever may read what is. The recorder itself is asked by us.
    let mut client = Client::connect(&door, peer, Identity::own()).await?;
    timeout(limits::RECORDER_WITHIN, ask(&mut client, &recorder, &question)).await.unwrap_or_else(|_| {
        let seconds = limits::RECORDER_WITHIN.as_secs();
        let detail = format!("the recorder {recorder} did not answer within {seconds} seconds");
        Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, detail))
    })
}

/// What was recorded of a topic. With `step` there are `steps`, otherwise `values`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes")]
pub(super) struct History {
    /// Which topic.
    topic: String,
    /// Where it begins.
    #[schema(format = DateTime)]
    from: String,
    /// Where it ends.
    #[schema(format = DateTime)]
    to: String,
    /// The length of a step.
    #[schema(nullable = false)]
    step: Option<String>,
    /// From when on anything is kept, if that is after `from`.
    #[schema(format = DateTime, nullable = false)]
    kept_from: Option<String>,
    /// The last value before `from`: it held at the beginning.
    #[schema(nullable = false)]
    before: Option<RecordedValue>,
    /// The values, oldest first.
    #[schema(nullable = false)]
    values: Option<Vec<RecordedValue>>,
    /// The steps, oldest first; those before the first number are left out.
    #[schema(nullable = false)]
    steps: Option<Vec<Step>>,
    /// If there is more: what to give as `from` to go on.
    next: Option<String>,
}

/// A value that was. The payload is in `payload` if it is text, otherwise in `payload_base64`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes")]
struct RecordedValue {
    /// When it was set.
    #[schema(format = DateTime)]
    set_at: String,
    /// The payload, if it is UTF-8.
    #[schema(nullable = false)]
    payload: Option<String>,
    /// The payload's bytes in base64, if they are not UTF-8.
    #[schema(nullable = false, content_encoding = "base64")]
    payload_base64: Option<String>,
    /// Whose clock says when.
    #[schema(example = "broker", nullable = false)]
    time_from: Option<String>,
    /// Counts values in the order of their arrival.
    #[schema(nullable = false)]
    seq: Option<i64>,
}

/// What numbers did in a step.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes")]
struct Step {
    /// Where it begins.
    #[schema(format = DateTime)]
    from: String,
    /// How many values were set in it.
    count: i64,
    /// The lowest.
    min: f64,
    /// The highest.
    max: f64,
    /// The mean over its time.
    mean: f64,
    /// The one at its end.
    last: f64,
}

/// What is asked, as the recorder wants it.
#[derive(Debug, Serialize)]
struct Question {
    topic: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<String>,
}

/// What a recorder says of itself.
#[derive(Debug, Deserialize)]
struct Status {
    state: String,
    #[serde(default)]
    filters: Vec<String>,
    #[serde(default)]
    since: Option<String>,
}

/// An answer that is a problem.
#[derive(Debug, Deserialize)]
struct Refused {
    status: u16,
}

impl Question {
    fn of(uri: &Uri) -> Result<Self, Problem> {
        let mut query = Query::of(uri)?;
        let topic = query.topic("topic")?;
        let question = Self {
            topic: topic.ok_or_else(|| Problem::bad_request("topic: of which topic?"))?,
            from: query.one("from")?,
            to: query.one("to")?,
            step: query.one("step")?,
            limit: query.one("limit")?,
        };
        query.finish()?;
        check_len(&question.topic)?;
        TopicName::try_from(question.topic.as_str()).map_err(|error| {
            Problem::bad_request(format!("topic: {:?} is no topic name: {error}", question.topic))
        })?;
        Ok(question)
    }
}

/// The SERVICE of the recorder to ask: one that records the topic before one that does not, and of those the one that goes
/// back the furthest.
async fn find(door: &Door, topic: &str) -> Result<String, Problem> {
    let statuses = TopicFilter::try_from("luxwire/record/+/status").expect("a filter");
    let online = door.values(statuses, Identity::own().reader()).await??.into_iter().filter_map(|value| {
        let status = serde_json::from_slice::<Status>(&value.payload).ok()?;
        let service = value.topic.levels().nth(2)?.to_owned();
        let records = status.filters.iter().any(|filter| matches(filter, topic));
        (status.state == "online").then_some((!records, status.since.is_none(), status.since, service))
    });
    online.min().map(|(.., service)| service).ok_or_else(|| {
        let detail = "no recorder is connected; start one with: luxwire record, or set record.enabled = true";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).with(header::RETRY_AFTER, "5")
    })
}

fn matches(filter: &str, topic: &str) -> bool {
    let (Ok(filter), Ok(topic)) = (TopicFilter::try_from(filter), TopicName::try_from(topic)) else {
        return false;
    };
    filter.matches(&topic)
}

async fn ask(client: &mut Client, recorder: &str, question: &Question) -> Result<Response, Problem> {
    let name = |text: String| {
        TopicName::try_from(text.as_str())
            .map_err(|_| bad_recorder(recorder, "has a name that is no topic level"))
    };
    // Nobody knows this name but the recorder and us.
    let answers = name(format!("luxwire/http/{}/history", client.id()))?;
    let filter = TopicFilter::try_from(answers.as_str()).expect("a name is a filter");
    let filter = SubscribeFilter {
        retain_handling: RetainHandling::DoNotSend,
        ..SubscribeFilter::new(Subscribable::own(filter), QoS::AtMostOnce)
    };
    client.subscribe(vec![filter]).await?;
    match client.link.receive().await {
        Some(FromBroker::Packet(Packet::Suback(suback))) => client::granted(&suback.reasons)?,
        Some(_) | None => return Err(Stopped.into()),
    }
    let payload = serde_json::to_vec(question).expect("texts");
    let publish = Publish {
        delivery: Delivery::first(QoS::AtLeastOnce, client.take_packet_id()),
        properties: Some(Box::new(PublishProperties {
            response_topic: Some(answers),
            correlation_data: Some(Bytes::copy_from_slice(client.id().as_bytes())),
            // Who has gone needs no answer.
            message_expiry_interval_s: Some(limits::RECORDER_WITHIN.as_secs() as u32),
            ..PublishProperties::default()
        })),
        ..Publish::new(name(format!("luxwire/record/{recorder}/request"))?, payload)
    };
    let (_, reason) = client.publish(publish, Condition::default()).await?;
    if reason == ReasonCode::NoMatchingSubscribers {
        let detail =
            format!("the recorder {recorder} says that it is online, and does not listen; start it again");
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
    }
    loop {
        match client.link.receive().await {
            Some(FromBroker::Message { value, .. }) => return answer(recorder, value),
            Some(_) => {}
            None => return Err(Stopped.into()),
        }
    }
}

/// What the recorder says, with the status that it means.
fn answer(recorder: &str, value: Value) -> Result<Response, Problem> {
    let Value { payload, content_type, .. } = value;
    let is_problem = content_type.as_deref() == Some(PROBLEM_JSON);
    let (status, content_type) = if is_problem {
        let refused = serde_json::from_slice::<Refused>(&payload).ok();
        let status = refused.and_then(|refused| StatusCode::from_u16(refused.status).ok());
        let status = status.filter(|status| status.is_client_error() || status.is_server_error());
        (
            status.ok_or_else(|| bad_recorder(recorder, "answers with a problem without a status"))?,
            PROBLEM_JSON,
        )
    } else {
        serde_json::from_slice::<IgnoredAny>(&payload)
            .map_err(|_| bad_recorder(recorder, "answers with something that is no JSON"))?;
        (StatusCode::OK, "application/json")
    };
    let headers = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-store")];
    Ok((status, headers, payload).into_response())
}

fn bad_recorder(recorder: &str, what: &str) -> Problem {
    Problem::new(StatusCode::BAD_GATEWAY, format!("the recorder {recorder:?} {what}"))
}
