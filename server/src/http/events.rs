//! `GET /api/v1/events`: messages as they come, as server-sent events.
//!
//! Each stream is a client of the broker with a subscription of its own. Kept values come first, then what is published.
//! A reader that is too slow misses messages and is told; when it has caught up, it gets the kept values again, so that
//! what it knows is right in the end. The same holds for one that reconnects, which is why nothing is made of
//! `Last-Event-ID`.

use super::{
    Connection, Identity, Origins, Peer, Problem, client, client::Client, query::Query, topics::Entry,
    topics::filter_of,
};
use crate::{
    limits,
    shard::{Door, FromBroker},
};
use axum::{
    Extension,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use luxwire_shared::mqtt::{Packet, QoS, RetainHandling, Subscribable, SubscribeFilter};
use serde::Serialize;
use std::{convert::Infallible, sync::Arc};
use tokio::time::timeout;
use utoipa::ToSchema;

/// What the data of `event: message` is: the message, and how it comes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
struct Message<'a> {
    #[serde(flatten)]
    entry: Entry<'a>,
    /// Whether it is the topic's value, for those who come later.
    retain: bool,
    /// Whether it was published just now. Kept values that are sent at the beginning were not.
    live: bool,
}

/// Follow topics.
///
/// Server-sent events, as `EventSource` in a browser or `curl -N` takes them. `message`: a value or message, with the data
/// of the schema `Message`; first all that is kept, then what is published, an empty payload with `retain` being a value that
/// was cleared. `live`: all that is kept was sent. `dropped`: the reader was too slow and missed so many `messages`; when it
/// has caught up it gets the kept values again, and `live` after them. The `id` is the time when the message was published,
/// in milliseconds since 1970. A reader that comes back gets the kept values again; `Last-Event-ID` changes nothing.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "followTopics",
    tag = "events",
    params(
        ("filter" = Option<Vec<String>>, Query, style = Form, explode, max_items = 64, min_items = 1, example = json!(["lights/#"]),
            description = "MQTT topic filters, at most 64: `+` stands for one level, `#` for all that follow. Everything if absent."),
        ("retained" = Option<bool>, Query, description = "Whether kept values are sent first; `true` if absent."),
    ),
    responses(
        (status = 200, description = "Events until one side ends it.", body = Message, content_type = "text/event-stream"),
        (status = 400, response = super::openapi::BadRequest),
        (status = 401, response = super::openapi::Unauthorized),
        (status = 403, response = super::openapi::Forbidden),
        (status = 503, response = super::openapi::Busy),
    ),
)]
pub(super) async fn follow(
    State(door): State<Door>,
    State(origins): State<Arc<Origins>>,
    Extension(peer): Extension<Peer>,
    Extension(identity): Extension<Identity>,
    Extension(connection): Extension<Connection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    origins.check(&headers).map_err(|why| Problem::new(StatusCode::FORBIDDEN, why))?;
    let mut query = Query::of(&uri)?;
    let filters = query.topics("filter")?;
    let retained = query.flag("retained", true)?;
    query.finish()?;
    if filters.len() > limits::EVENT_FILTERS {
        let detail = format!("at most {} filters can be followed at once", limits::EVENT_FILTERS);
        return Err(Problem::bad_request(detail));
    }
    let everything = filters.is_empty().then(|| "#".to_owned());
    let filters = filters.iter().chain(&everything).map(|text| {
        let filter = SubscribeFilter::new(Subscribable::own(filter_of(text)?), QoS::AtMostOnce);
        let retain_handling = if retained { RetainHandling::Send } else { RetainHandling::DoNotSend };
        Ok(SubscribeFilter { retain_handling, ..filter })
    });
    let filters = filters.collect::<Result<Vec<_>, Problem>>()?;

    let Some(place) = door.enter(peer.0) else {
        let detail = "too many MQTT connections are open, and event streams count as such; try again later";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).with(header::RETRY_AFTER, "5"));
    };
    let mut client = Client::connect_to_stay(&door, peer, identity, place, connection.stalled()).await?;
    client.subscribe(filters.clone()).await?;
    match client.link.receive().await {
        Some(FromBroker::Packet(Packet::Suback(suback))) => client::granted(&suback.reasons)?,
        Some(FromBroker::Packet(Packet::Disconnect(disconnect))) => {
            return Err(super::refusal::problem(disconnect.reason));
        }
        Some(_) | None => return Err(crate::shard::Stopped.into()),
    }
    connection.follows(client.link.alive());
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // The connection is used up when the stream ends.
        (header::CONNECTION, "close"),
    ];
    let events = Events { client, filters, kept: 0, resend: retained, missed: false, begun: false };
    let body = Body::from_stream(stream::unfold(events, |mut events| async {
        let text = events.next().await?;
        Some((Ok::<_, Infallible>(text), events))
    }));
    Ok((headers, body).into_response())
}

/// A stream under way.
struct Events {
    client: Client,
    filters: Vec<SubscribeFilter>,
    /// Kept values sent since they were last asked for.
    kept: u64,
    /// Kept values are wanted.
    resend: bool,
    /// Messages were missed since kept values were last asked for.
    missed: bool,
    begun: bool,
}

impl Events {
    /// The next piece of the stream: what waits, up to a certain size, or a sign of life.
    async fn next(&mut self) -> Option<Bytes> {
        let mut text = Vec::new();
        if !self.begun {
            self.begun = true;
            // Browsers come back after this time.
            text.extend_from_slice(format!("retry: {}\n\n", limits::EVENTS_RETRY.as_millis()).as_bytes());
            return Some(text.into());
        }
        while text.is_empty() {
            match timeout(limits::EVENTS_SIGN_OF_LIFE, self.client.link.receive()).await {
                Err(_) => return Some(Bytes::from_static(b": still here\n\n")),
                Ok(one) => self.tell(one?, &mut text),
            }
        }
        while text.len() < limits::EVENTS_AT_ONCE && !self.client.link.is_caught_up() {
            match self.client.link.receive().await {
                Some(one) => self.tell(one, &mut text),
                None => break,
            }
        }
        if self.missed && self.resend && self.client.link.is_caught_up() {
            self.missed = false;
            // If it cannot be said, the link is over, and so is the stream.
            let _ = self.client.subscribe(self.filters.clone()).await;
        }
        Some(text.into())
    }

    fn tell(&mut self, one: FromBroker, text: &mut Vec<u8>) {
        match one {
            FromBroker::Message { value, kept } => {
                self.kept += u64::from(kept);
                let message = Message { entry: Entry::of(&value), retain: value.retain, live: !kept };
                text.extend_from_slice(format!("id: {}\n", value.set_at.unix_millis()).as_bytes());
                event(text, "message", &message);
            }
            FromBroker::KeptAreSent => {
                event(text, "live", &serde_json::json!({ "kept": std::mem::take(&mut self.kept) }));
            }
            FromBroker::Missed(messages) => {
                self.missed = true;
                event(text, "dropped", &serde_json::json!({ "messages": messages }));
            }
            FromBroker::Packet(_) | FromBroker::Published(_) | FromBroker::Refused(_) => {}
        }
    }
}

/// JSON has no line breaks of its own, so that one line of data is enough.
fn event(text: &mut Vec<u8>, name: &str, data: &impl Serialize) {
    text.extend_from_slice(format!("event: {name}\ndata: ").as_bytes());
    serde_json::to_writer(&mut *text, data).expect("maps with text keys are always JSON");
    text.extend_from_slice(b"\n\n");
}
