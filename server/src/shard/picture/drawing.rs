//! How things look in the picture: what is told of a client and of a message, and where it is cut.
//!
//! Identifiers, topics and payloads are what anybody made them: all of it goes through the JSON encoder.

use super::{Event, Scene, cause, publishes::Published, publishes::Publishes};
use crate::{http, limits};
use luxwire_broker::LinkId;
use luxwire_shared::{
    mqtt::{QoS, Version},
    time::Timestamp,
};
use serde::Serialize;
use std::borrow::Cow;

/// Everything there is: `picture`.
#[derive(Debug, Serialize)]
pub(super) struct Whole<'a> {
    broker: Broker,
    clients: Vec<Client<'a>>,
    clients_more: usize,
}

#[derive(Debug, Serialize)]
struct Broker {
    since: String,
    version: &'static str,
}

/// One connection: `joined` and `changed`.
#[derive(Debug, Serialize)]
pub(super) struct Client<'a> {
    key: u64,
    id: Cow<'a, str>,
    transport: &'static str,
    version: &'static str,
    address: String,
    since: String,
    follows: Vec<String>,
    follows_more: usize,
    publishes: Vec<Published<'a>>,
    publishes_more: usize,
}

/// `left`.
#[derive(Debug, Serialize)]
pub(super) struct Left {
    key: u64,
}

/// A message on its way.
#[derive(Debug)]
pub(super) struct Message<'a> {
    from: Option<LinkId>,
    pub(super) topic: &'a str,
    pub(super) payload: &'a [u8],
    qos: QoS,
    retain: bool,
    /// It is not from this moment.
    pub(super) kept: bool,
    /// Who published it, where that is not who it comes from.
    publisher: Option<&'a str>,
    /// When the broker took it.
    pub(super) at: Timestamp,
}

/// `message`.
#[derive(Debug, Serialize)]
struct Travelling<'a> {
    from: Option<u64>,
    topic: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    cut: bool,
    bytes: usize,
    qos: u8,
    retain: bool,
    to: Vec<u64>,
    to_more: usize,
    kept: bool,
}

impl<'a> Whole<'a> {
    /// Those who have been here longest come first, in case that not all have room.
    pub(super) fn draw(scene: &Scene<'a>, publishes: &'a Publishes, started: Timestamp) -> Self {
        let mut links: Vec<_> = scene.broker.clients().map(|client| client.link()).collect();
        links.sort_unstable();
        let mut size = 0;
        let clients: Vec<_> = links
            .iter()
            .take(limits::CLIENTS_DRAWN)
            .filter_map(|link| client(scene, publishes, *link))
            .take_while(|client| {
                size += client.size();
                size <= limits::PICTURE_BYTES
            })
            .collect();
        let broker = Broker { since: http::rfc3339(started), version: env!("CARGO_PKG_VERSION") };
        Self { broker, clients_more: links.len().saturating_sub(clients.len()), clients }
    }
}

/// One client, if it is connected.
pub(super) fn client<'a>(scene: &Scene<'a>, publishes: &'a Publishes, link: LinkId) -> Option<Client<'a>> {
    let (client, connection) = (scene.broker.client(link)?, scene.connection(link)?);
    let mut follows: Vec<_> = client
        .filters()
        .take(limits::CLIENT_FOLLOWS)
        .map(|filter| name(&filter.to_string()).into_owned())
        .collect();
    follows.sort_unstable();
    let (publishes, publishes_more) = publishes.of(client.id());
    Some(Client {
        key: link.0,
        id: name(client.id()),
        transport: connection.transport,
        version: match client.version() {
            Version::V3_1 => "3.1",
            Version::V3_1_1 => "3.1.1",
            Version::V5 => "5",
        },
        address: connection.peer.to_string(),
        since: http::rfc3339(client.since()),
        follows_more: client.subscriptions().saturating_sub(follows.len()),
        follows,
        publishes,
        publishes_more,
    })
}

impl Client<'_> {
    /// About the length of its JSON.
    fn size(&self) -> usize {
        let publishes: usize = self.publishes.iter().map(Published::size).sum();
        let follows: usize = self.follows.iter().map(|filter| filter.len() + 3).sum();
        self.id.len() + follows + publishes + CLIENT_BESIDES_TEXT
    }
}

impl Left {
    pub(super) fn of(link: LinkId) -> Self {
        Self { key: link.0 }
    }
}

impl<'a> Message<'a> {
    /// A client sent it just so.
    pub(super) fn published(published: &'a cause::Published) -> Self {
        Self {
            from: Some(published.link),
            topic: published.topic.as_str(),
            payload: &published.payload,
            qos: published.qos,
            retain: published.retain,
            kept: false,
            publisher: None,
            at: published.at,
        }
    }

    /// The broker kept it for whoever gets it: a retained value, or one that waited in a queue.
    pub(super) fn kept(message: &'a luxwire_broker::Message) -> Self {
        Self { kept: true, ..Self::will(message) }
    }

    /// The broker publishes it for a client that is gone.
    pub(super) fn will(message: &'a luxwire_broker::Message) -> Self {
        Self {
            from: None,
            topic: message.topic().as_str(),
            payload: message.payload(),
            qos: message.qos,
            retain: message.retain,
            kept: false,
            publisher: Some(&message.publisher),
            at: message.published.timestamp,
        }
    }

    /// Whether it becomes the topic's retained value.
    pub(super) fn sets_a_value(&self) -> bool {
        self.retain && !self.kept
    }

    /// The client identifier of who published it, unless that was a client which is gone.
    pub(super) fn publisher<'b>(&self, scene: &Scene<'b>) -> Option<&'b str>
    where
        'a: 'b,
    {
        self.publisher.or_else(|| Some(&**scene.broker.client(self.from?)?.id()))
    }

    /// On its way to these, and to so many more.
    pub(super) fn draw(&self, to: &[LinkId], to_more: usize) -> Event {
        let (text, cut) = payload(self.payload);
        let travelling = Travelling {
            from: self.from.map(|link| link.0),
            topic: name(self.topic),
            payload: text,
            cut,
            bytes: self.payload.len(),
            qos: self.qos.number(),
            retain: self.retain,
            to: to.iter().map(|link| link.0).collect(),
            to_more,
            kept: self.kept,
        };
        Event::new("message", &travelling)
    }
}

/// An identifier, a topic or a filter: as it is, or if it is long, its beginning and `…`.
pub(super) fn name(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(limits::NAME_CHARS) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]).into(),
    }
}

/// The beginning of a payload, if it is text, and whether there is more. No more is looked at than is shown, so that
/// it costs the same for a megabyte.
pub(super) fn payload(bytes: &[u8]) -> (Option<&str>, bool) {
    let beginning = &bytes[..bytes.len().min(limits::PAYLOAD_CHARS * BYTES_OF_A_CHAR)];
    let text = match str::from_utf8(beginning) {
        Ok(text) => text,
        // The last character is cut off.
        Err(error) if error.error_len().is_none() && beginning.len() < bytes.len() => {
            str::from_utf8(&beginning[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return (None, false),
    };
    let end = text.char_indices().nth(limits::PAYLOAD_CHARS).map_or(text.len(), |(end, _)| end);
    (Some(&text[..end]), end < bytes.len())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
pub(super) fn is_false(cut: &bool) -> bool {
    !cut
}

/// No character of UTF-8 is longer.
const BYTES_OF_A_CHAR: usize = 4;

/// Names of fields, numbers, times and an address.
const CLIENT_BESIDES_TEXT: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_between_characters() {
        let check = |text: &str, shown: &str| assert_eq!(name(text), shown);
        check("", "");
        check("lights/desk/intensity", "lights/desk/intensity");
        let long = "💡".repeat(limits::NAME_CHARS);
        check(&long, &long);
        check(&format!("{long}a"), &format!("{long}…"));
    }

    #[test]
    fn a_payload_is_text_if_its_beginning_is() {
        let check = |bytes: &[u8], shown: Option<&str>, cut: bool| {
            assert_eq!(payload(bytes), (shown, cut), "{bytes:?}");
        };
        check(b"", Some(""), false);
        check(b"40", Some("40"), false);
        check("a\u{0}\n\"💡".as_bytes(), Some("a\u{0}\n\"💡"), false);
        check(&[0xFF, 0xFE], None, false);
        check(&"💡".as_bytes()[..3], None, false);
        let full = "é".repeat(limits::PAYLOAD_CHARS);
        check(full.as_bytes(), Some(&full), false);
        check(format!("{full}é").as_bytes(), Some(&full), true);
        // The beginning that is looked at ends within a character.
        let odd = format!("a{}", "💡".repeat(limits::PAYLOAD_CHARS));
        check(odd.as_bytes(), Some(&odd[..1 + 4 * (limits::PAYLOAD_CHARS - 1)]), true);
        check(&[&[0xFF], full.as_bytes()].concat(), None, false);
        check(&[full.as_bytes(), full.as_bytes(), full.as_bytes(), &[0xFF]].concat(), Some(&full), true);
    }
}
