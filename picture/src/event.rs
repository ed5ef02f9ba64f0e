//! Reads what the server tells of its broker, event by event (`GET /api/v1/picture`).
//!
//! Unknown fields and unknown events are passed over, so that an older picture works with a newer server. Everything is
//! cut to the bounds in `limits`. What the events mean for the picture is not decided here.

use luxwire_shared::time::Timestamp;
use miniserde::Deserialize;

use crate::{
    limits::{
        CLIENTS_MAX, EVENT_LEN_MAX, FOLLOWS_MAX, PAYLOAD_LEN_MAX, PUBLISHES_MAX, RECEIVERS_MAX, TEXT_LEN_MAX,
        VALUES_MAX,
    },
    time,
};

/// The events by the names that a stream gives them.
pub(crate) const NAMES: [&str; 6] = ["picture", "joined", "changed", "left", "message", "busy"];

/// Names one connection. The broker uses none of them twice.
pub(crate) type Key = u64;

/// What the broker tells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// Everything, as it is at this moment.
    Picture(Picture),
    /// Somebody connected.
    Joined(Client),
    /// Somebody follows something else than before.
    Changed(Client),
    /// Somebody is gone.
    Left(Key),
    /// A message passed through the broker.
    Message(Message),
    /// So many more passed through than were told one by one.
    Busy {
        /// Messages that came in.
        messages: u32,
        /// Copies that went out.
        deliveries: u32,
    },
}

/// The broker and everybody who is connected to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Picture {
    /// Since when the broker runs.
    pub(crate) since: Option<Timestamp>,
    /// The broker's version.
    pub(crate) version: String,
    /// The clients.
    pub(crate) clients: Vec<Client>,
    /// How many more there are.
    pub(crate) clients_more: u32,
}

/// Somebody who is connected.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Client {
    /// Which connection it is.
    pub(crate) key: Key,
    /// What the client calls itself.
    pub(crate) id: String,
    /// How it is connected: `tcp`, `websocket` or `http`.
    pub(crate) transport: String,
    /// The version of MQTT that it speaks.
    pub(crate) version: String,
    /// Where it connected from.
    pub(crate) address: String,
    /// Since when.
    pub(crate) since: Option<Timestamp>,
    /// The filters that it follows.
    pub(crate) follows: Vec<String>,
    /// How many more it follows.
    pub(crate) follows_more: u32,
    /// What it published last, by topic.
    pub(crate) publishes: Vec<Published>,
    /// How many more topics it published to.
    pub(crate) publishes_more: u32,
}

/// The latest value that somebody gave a topic.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Published {
    /// The topic.
    pub(crate) topic: String,
    /// The value; `None` if it is no text.
    pub(crate) payload: Option<String>,
    /// When the broker got it.
    pub(crate) set_at: Option<Timestamp>,
}

/// A message on its way through the broker.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Message {
    /// Who published it. `None` if that one is no longer, or never was, connected.
    pub(crate) from: Option<Key>,
    /// Its topic.
    pub(crate) topic: String,
    /// Its value; `None` if it is no text.
    pub(crate) payload: Option<String>,
    /// Whether `payload` is only the beginning.
    pub(crate) is_cut: bool,
    /// How long the value is.
    pub(crate) bytes: u64,
    /// Whether the broker keeps the value for whoever follows later.
    pub(crate) retain: bool,
    /// Who gets it.
    pub(crate) to: Vec<Key>,
    /// How many more get it.
    pub(crate) to_more: u32,
    /// Whether it lay in the broker before and is handed to somebody who came (back).
    pub(crate) kept: bool,
}

/// Reads one event of the stream. `None` for what is no event, or none that this picture knows.
pub(crate) fn read(name: &str, data: &str) -> Option<Event> {
    if data.len() > EVENT_LEN_MAX {
        return None;
    }
    Some(match name {
        "picture" => Event::Picture(json::<PictureText>(data)?.into()),
        "joined" => Event::Joined(json::<ClientText>(data)?.into()),
        "changed" => Event::Changed(json::<ClientText>(data)?.into()),
        "left" => Event::Left(json::<LeftText>(data)?.key),
        "message" => Event::Message(json::<MessageText>(data)?.into()),
        "busy" => {
            let BusyText { messages, deliveries } = json(data)?;
            Event::Busy { messages: count(messages, 0), deliveries: count(deliveries, 0) }
        }
        _ => return None,
    })
}

fn json<Text: Deserialize>(data: &str) -> Option<Text> {
    miniserde::json::from_str(data).ok()
}

/// Reads the topics and values that the server holds (`GET /api/v1/topics`).
pub(crate) fn read_values(data: &str) -> Vec<(String, String)> {
    let values: Vec<PublishedText> =
        if data.len() > EVENT_LEN_MAX { None } else { json(data) }.unwrap_or_default();
    let value =
        |value: PublishedText| (cut(Some(value.topic), TEXT_LEN_MAX), cut(value.payload, PAYLOAD_LEN_MAX));
    values.into_iter().take(VALUES_MAX).map(value).collect()
}

#[derive(Deserialize)]
struct PictureText {
    broker: Option<BrokerText>,
    clients: Vec<ClientText>,
    clients_more: Option<u64>,
}

#[derive(Default, Deserialize)]
struct BrokerText {
    since: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
struct ClientText {
    key: Key,
    id: String,
    transport: Option<String>,
    version: Option<String>,
    address: Option<String>,
    since: Option<String>,
    follows: Option<Vec<String>>,
    follows_more: Option<u64>,
    publishes: Option<Vec<PublishedText>>,
    publishes_more: Option<u64>,
}

#[derive(Deserialize)]
struct PublishedText {
    topic: String,
    payload: Option<String>,
    set_at: Option<String>,
}

#[derive(Deserialize)]
struct LeftText {
    key: Key,
}

#[derive(Deserialize)]
struct MessageText {
    from: Option<Key>,
    topic: String,
    payload: Option<String>,
    cut: Option<bool>,
    bytes: Option<u64>,
    retain: Option<bool>,
    to: Option<Vec<Key>>,
    to_more: Option<u64>,
    kept: Option<bool>,
}

#[derive(Deserialize)]
struct BusyText {
    messages: Option<u64>,
    deliveries: Option<u64>,
}

impl From<PictureText> for Picture {
    fn from(text: PictureText) -> Self {
        let beyond = text.clients.len().saturating_sub(CLIENTS_MAX);
        let broker = text.broker.unwrap_or_default();
        Self {
            since: broker.since.as_deref().and_then(time::parse),
            version: cut(broker.version, TEXT_LEN_MAX),
            clients: text.clients.into_iter().take(CLIENTS_MAX).map(Client::from).collect(),
            clients_more: count(text.clients_more, beyond),
        }
    }
}

impl From<ClientText> for Client {
    fn from(text: ClientText) -> Self {
        let follows = text.follows.unwrap_or_default();
        let publishes = text.publishes.unwrap_or_default();
        let follows_beyond = follows.len().saturating_sub(FOLLOWS_MAX);
        let publishes_beyond = publishes.len().saturating_sub(PUBLISHES_MAX);
        let filter = |filter| cut(Some(filter), TEXT_LEN_MAX);
        Self {
            key: text.key,
            id: cut(Some(text.id), TEXT_LEN_MAX),
            transport: cut(text.transport, TEXT_LEN_MAX),
            version: cut(text.version, TEXT_LEN_MAX),
            address: cut(text.address, TEXT_LEN_MAX),
            since: text.since.as_deref().and_then(time::parse),
            follows: follows.into_iter().take(FOLLOWS_MAX).map(filter).collect(),
            follows_more: count(text.follows_more, follows_beyond),
            publishes: publishes.into_iter().take(PUBLISHES_MAX).map(Published::from).collect(),
            publishes_more: count(text.publishes_more, publishes_beyond),
        }
    }
}

impl From<PublishedText> for Published {
    fn from(text: PublishedText) -> Self {
        Self {
            topic: cut(Some(text.topic), TEXT_LEN_MAX),
            payload: text.payload.map(|payload| cut(Some(payload), PAYLOAD_LEN_MAX)),
            set_at: text.set_at.as_deref().and_then(time::parse),
        }
    }
}

impl From<MessageText> for Message {
    fn from(text: MessageText) -> Self {
        let is_longer =
            text.payload.as_ref().is_some_and(|payload| payload.chars().nth(PAYLOAD_LEN_MAX).is_some());
        let to = text.to.unwrap_or_default();
        let beyond = to.len().saturating_sub(RECEIVERS_MAX);
        Self {
            from: text.from,
            topic: cut(Some(text.topic), TEXT_LEN_MAX),
            payload: text.payload.map(|payload| cut(Some(payload), PAYLOAD_LEN_MAX)),
            is_cut: text.cut.unwrap_or_default() || is_longer,
            bytes: text.bytes.unwrap_or_default(),
            retain: text.retain.unwrap_or_default(),
            to: to.into_iter().take(RECEIVERS_MAX).collect(),
            to_more: count(text.to_more, beyond),
            kept: text.kept.unwrap_or_default(),
        }
    }
}

/// At most so many characters.
fn cut(text: Option<String>, length: usize) -> String {
    let mut text = text.unwrap_or_default();
    if let Some((at, _)) = text.char_indices().nth(length) {
        text.truncate(at);
        text.shrink_to_fit();
    }
    text
}

/// Those that the server counted, and those that were left out here.
fn count(told: Option<u64>, beyond: usize) -> u32 {
    told.unwrap_or_default().saturating_add(beyond as u64).try_into().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_picture_is_read() {
        let data = r#"{"broker":{"since":"2026-11-27T17:00:00Z","version":"0.1.0"},"clients":[
            {"key":17,"id":"luxwire-dimmer-1","transport":"tcp","version":"5","address":"127.0.0.1:50012",
             "since":"2026-11-27T17:00:01.5Z","follows":["lights/+/intensity"],"follows_more":2,
             "publishes":[{"topic":"lights/Desk/intensity","payload":"40","set_at":"2026-11-27T17:00:02Z"}],
             "publishes_more":1}],"clients_more":3}"#;
        let Some(Event::Picture(picture)) = read("picture", data) else { panic!("no picture") };
        assert_eq!((picture.version.as_str(), picture.clients_more), ("0.1.0", 3));
        let client = &picture.clients[0];
        assert_eq!((client.key, client.id.as_str(), client.version.as_str()), (17, "luxwire-dimmer-1", "5"));
        assert_eq!((&*client.follows[0], client.follows_more), ("lights/+/intensity", 2));
        let published = &client.publishes[0];
        assert_eq!((&*published.topic, published.payload.as_deref()), ("lights/Desk/intensity", Some("40")));
        let distance = published.set_at.unwrap().unix_millis() - client.since.unwrap().unix_millis();
        assert_eq!((distance, client.publishes_more), (500, 1));
    }

    #[test]
    fn a_message_is_read_with_and_without_a_sender_and_a_text() {
        let data = r#"{"from":17,"topic":"a/b","payload":"40","bytes":2,"qos":1,"retain":true,"to":[3,5],"to_more":4,"kept":false}"#;
        let Some(Event::Message(message)) = read("message", data) else { panic!("no message") };
        assert_eq!(
            (message.from, &*message.to, message.to_more, message.retain),
            (Some(17), &[3, 5][..], 4, true)
        );

        let data = r#"{"from":null,"topic":"a/b","bytes":12,"to":[3],"kept":true}"#;
        let Some(Event::Message(message)) = read("message", data) else { panic!("no message") };
        assert_eq!((message.from, message.payload, message.bytes, message.kept), (None, None, 12, true));
    }

    #[test]
    fn the_small_events_are_read() {
        assert_eq!(read("left", r#"{"key":17}"#), Some(Event::Left(17)));
        let busy = Event::Busy { messages: 7, deliveries: 90 };
        assert_eq!(read("busy", r#"{"messages":7,"deliveries":90}"#), Some(busy));
    }

    #[test]
    fn values_that_the_server_holds_are_read() {
        let values = read_values(
            r#"[{"topic":"lights/Desk/intensity","payload":"40","qos":1},{"topic":"x","payload_base64":"AA=="}]"#,
        );
        assert_eq!(values, [("lights/Desk/intensity".into(), "40".into()), ("x".into(), String::new())]);
        assert!(read_values("{}").is_empty() && read_values("nonsense").is_empty());
    }

    #[test]
    fn what_is_unknown_is_passed_over() {
        assert_eq!(read("left", r#"{"key":17,"why":"because"}"#), Some(Event::Left(17)));
        let Some(Event::Joined(client)) = read("joined", r#"{"key":1,"id":"x"}"#) else {
            panic!("no client")
        };
        assert_eq!((client.follows.len(), client.since), (0, None));
        assert_eq!(read("party", "{}"), None);
    }

    #[test]
    fn nonsense_is_no_event() {
        for data in ["", "{", "[]", "null", r#"{"key":-1}"#, r#"{"key":"17"}"#, r#"{"key":1e99}"#] {
            assert_eq!(read("left", data), None, "{data}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(read("picture", &deep), None);
        assert_eq!(read("left", &format!(r#"{{"key":1,"x":"{}"}}"#, "x".repeat(EVENT_LEN_MAX))), None);
    }

    #[test]
    fn everything_is_cut_to_its_bound() {
        let filters = vec![format!("\"{}\"", "ü".repeat(1_000)); 100].join(",");
        let data = format!(r#"{{"key":1,"id":"x","follows":[{filters}],"follows_more":5}}"#);
        let Some(Event::Changed(client)) = read("changed", &data) else { panic!("no client") };
        assert_eq!((client.follows.len(), client.follows_more), (FOLLOWS_MAX, 5 + 36));
        assert_eq!(client.follows[0].chars().count(), TEXT_LEN_MAX);

        let to = (0..1_000).map(|key| key.to_string()).collect::<Vec<_>>().join(",");
        let data = format!(r#"{{"topic":"x","payload":"{}","to":[{to}]}}"#, "é".repeat(65));
        let Some(Event::Message(message)) = read("message", &data) else { panic!("no message") };
        assert_eq!((message.to.len() as u32 + message.to_more, message.is_cut), (1_000, true));

        let many = vec![r#"{"key":1,"id":"x"}"#; CLIENTS_MAX + 7].join(",");
        let Some(Event::Picture(picture)) = read("picture", &format!(r#"{{"clients":[{many}]}}"#)) else {
            panic!("no picture")
        };
        assert_eq!((picture.clients.len(), picture.clients_more), (CLIENTS_MAX, 7));
    }
}
