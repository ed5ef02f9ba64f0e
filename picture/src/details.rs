//! What there is to say about one client, about some that are drawn as one, or about the broker itself: in plain words,
//! for whoever clicked.

use luxwire_shared::model::{LightTopic, age};

use crate::{
    crowd::{Crowd, NodeId, Person},
    event::{Client, Key, Message},
    ordered::sorted,
    story,
    time::LocalTime,
};

/// What was clicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selected {
    /// A client, or some.
    Node(NodeId),
    /// The broker.
    Broker,
}

/// What is to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Details {
    /// Whom it is about.
    pub(crate) title: String,
    /// What that is.
    pub(crate) explanation: String,
    /// How it is connected.
    pub(crate) connection: String,
    /// Lists, each with its heading.
    pub(crate) lists: Vec<List>,
    /// Whoever is in a group.
    pub(crate) members: Vec<(Key, String)>,
}

/// Lines under a heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct List {
    /// The heading.
    pub(crate) heading: &'static str,
    /// The lines.
    pub(crate) rows: Vec<Row>,
    /// What stands there instead of lines, or after them.
    pub(crate) note: String,
}

/// A topic or a filter, and what is to be said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// As MQTT has it.
    pub(crate) topic: String,
    /// The latest value.
    pub(crate) value: String,
    /// In plain words.
    pub(crate) words: String,
}

/// What there is to say. `None` if whoever was clicked is gone.
pub(crate) fn details(
    crowd: &Crowd,
    selected: &Selected,
    members: &[Key],
    title: &str,
    time: LocalTime,
) -> Option<Details> {
    match selected {
        Selected::Broker => Some(broker(crowd, time)),
        Selected::Node(NodeId::One(key)) => crowd.person(*key).map(|person| one(person, time)),
        Selected::Node(NodeId::Alike(..)) => (!members.is_empty()).then(|| Details {
            title: title.into(),
            explanation: "They are alike and many: the picture draws them as one.".into(),
            members: members
                .iter()
                .filter_map(|key| crowd.person(*key).map(|person| (*key, person.name.clone())))
                .collect(),
            ..Details::default()
        }),
    }
}

fn broker(crowd: &Crowd, time: LocalTime) -> Details {
    let version = match crowd.broker_version.as_str() {
        "" => String::new(),
        version => format!("Luxwire {version}"),
    };
    let since =
        crowd.broker_since.map(|at| format!("started {}", age::age(at, time.now, time.utc_offset_min)));
    let connection = [Some(version).filter(|version| !version.is_empty()), since];
    Details {
        title: "The broker".into(),
        explanation: "Everybody is connected to it and to nobody else. It takes each message, keeps the latest value of \
            each topic that is to be kept, and hands the message to all who follow the topic. What a value means, it \
            does not know."
            .into(),
        connection: connection.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        ..Details::default()
    }
}

fn one(person: &Person, time: LocalTime) -> Details {
    let client = &person.client;
    Details {
        title: person.name.clone(),
        explanation: person.kind.explanation().into(),
        connection: connection(client, time),
        lists: vec![publishes(client, time), follows(client)],
        members: Vec::new(),
    }
}

/// "luxwire-lamp-1 · speaks MQTT 5 over TCP, from 127.0.0.1:50012 · connected 3 minutes ago"
fn connection(client: &Client, time: LocalTime) -> String {
    let over = match client.transport.as_str() {
        "tcp" => " over TCP",
        "websocket" => " over a WebSocket",
        _ => "",
    };
    let speaks = match (client.transport.as_str(), client.version.as_str()) {
        ("http", _) => "speaks HTTP".into(),
        (_, "") => format!("speaks MQTT{over}"),
        (_, version) => format!("speaks MQTT {version}{over}"),
    };
    let from = match client.address.as_str() {
        "" => String::new(),
        address => format!(", from {address}"),
    };
    let since = client.since.map(|at| format!("connected {}", age::age(at, time.now, time.utc_offset_min)));
    let id = Some(client.id.clone()).filter(|id| !id.is_empty());
    [id, Some(speaks + &from), since].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn publishes(client: &Client, time: LocalTime) -> List {
    let all = &client.publishes;
    let latest = sorted(all.len(), &|left, right| all[right].set_at.cmp(&all[left].set_at));
    let rows = latest.into_iter().map(|at| {
        let published = &all[at];
        let message = Message {
            topic: published.topic.clone(),
            payload: published.payload.clone(),
            bytes: published.payload.as_ref().map_or(0, |payload| payload.len() as u64),
            ..Message::default()
        };
        Row {
            topic: published.topic.clone(),
            value: match &published.payload {
                None => "no text".into(),
                Some(payload) if payload.starts_with('{') => payload.clone(),
                Some(_) => story::value(&message),
            },
            words: published.set_at.map(|at| age::age(at, time.now, time.utc_offset_min)).unwrap_or_default(),
        }
    });
    List {
        heading: "Publishes",
        rows: rows.collect(),
        note: note(client.publishes.is_empty(), client.publishes_more, "Nothing so far."),
    }
}

fn follows(client: &Client) -> List {
    let row = |filter: &String| Row { topic: filter.clone(), value: String::new(), words: meaning(filter) };
    List {
        heading: "Follows",
        rows: client.follows.iter().map(row).collect(),
        note: note(
            client.follows.is_empty(),
            client.follows_more,
            "Nothing: it only publishes, or it has just come.",
        ),
    }
}

fn note(is_empty: bool, more: u32, nothing: &str) -> String {
    match (is_empty, more) {
        (true, 0) => nothing.into(),
        (_, 0) => String::new(),
        (_, more) => format!("And {more} more."),
    }
}

/// What a filter stands for.
pub(crate) fn meaning(filter: &str) -> String {
    let (shared, rest) = match filter.strip_prefix("$share/").and_then(|rest| rest.split_once('/')) {
        Some((group, rest)) => (format!(", shared among the group {group}"), rest),
        None => (String::new(), filter),
    };
    let meaning = match rest {
        "#" => "everything".into(),
        "lights/+/intensity" => "how bright every light is".into(),
        "lights/+/availability" => "whether each lamp is there".into(),
        "lights/#" | "lights/+/+" => "everything about every light".into(),
        rest => match LightTopic::parse(rest) {
            Ok(LightTopic::Intensity(light)) if !has_wildcard(rest) => {
                format!("how bright {} is", light.display_name())
            }
            Ok(LightTopic::Availability(light)) if !has_wildcard(rest) => {
                format!("whether {} is there", light.display_name())
            }
            _ => wildcards(rest),
        },
    };
    meaning + &shared
}

fn wildcards(filter: &str) -> String {
    let below = filter.strip_suffix("/#");
    match (below, filter.contains('+')) {
        (Some(above), false) => format!("everything below {above}"),
        (Some(_), true) => "+ stands for any one word, # for all that follows".into(),
        (None, true) => "+ stands for any one word".into(),
        (None, false) => String::new(),
    }
}

fn has_wildcard(filter: &str) -> bool {
    filter.contains(['+', '#'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Picture, Published};
    use luxwire_shared::time::Timestamp;

    const NOW: Timestamp = Timestamp::from_unix_millis(1_795_798_800_000);
    const TIME: LocalTime = LocalTime { now: NOW, utc_offset_min: 60 };

    fn ago(minutes: u64) -> Option<Timestamp> {
        Some(Timestamp::from_unix_millis(NOW.unix_millis() - minutes * 60_000))
    }

    fn of(client: Client) -> Details {
        let mut crowd = Crowd::new("luxwire-page-1");
        let key = client.key;
        crowd.replace(Picture {
            since: ago(10),
            version: "0.1.0".into(),
            clients: vec![client],
            clients_more: 0,
        });
        details(&crowd, &Selected::Node(NodeId::One(key)), &[key], "", TIME).unwrap()
    }

    #[test]
    fn a_client_is_described_in_plain_words() {
        let published = |topic: &str, payload: Option<&str>, minutes| Published {
            topic: topic.into(),
            payload: payload.map(Into::into),
            set_at: ago(minutes),
        };
        let found = of(Client {
            key: 1,
            id: "luxwire-dimmer-1".into(),
            transport: "tcp".into(),
            version: "5".into(),
            address: "127.0.0.1:50012".into(),
            since: ago(3),
            follows: vec!["lights/Desk/intensity".into()],
            follows_more: 2,
            publishes: vec![
                published("dimmers/Desk/availability", Some("online"), 3),
                published("lights/Desk/intensity", Some("40"), 1),
                published("cam", None, 5),
            ],
            publishes_more: 0,
        });
        assert_eq!(found.title, "Desk dimmer");
        assert_eq!(
            found.connection,
            "luxwire-dimmer-1 · speaks MQTT 5 over TCP, from 127.0.0.1:50012 · connected 3 minutes ago"
        );
        let rows = |list: usize| -> Vec<(&str, &str, &str)> {
            found.lists[list].rows.iter().map(|row| (&*row.topic, &*row.value, &*row.words)).collect()
        };
        assert_eq!(
            rows(0),
            [
                ("lights/Desk/intensity", "40 %", "1 minute ago"),
                ("dimmers/Desk/availability", "online", "3 minutes ago"),
                ("cam", "no text", "5 minutes ago"),
            ]
        );
        assert_eq!(rows(1), [("lights/Desk/intensity", "", "how bright Desk is")]);
        assert_eq!(found.lists[1].note, "And 2 more.");
    }

    #[test]
    fn somebody_who_does_nothing_is_described_too() {
        let found = of(Client { key: 1, transport: "http".into(), ..Client::default() });
        assert_eq!((&*found.title, &*found.connection), ("Nameless", "speaks HTTP"));
        assert!(found.lists.iter().all(|list| list.rows.is_empty() && !list.note.is_empty()));
    }

    #[test]
    fn the_broker_and_whoever_is_gone() {
        let mut crowd = Crowd::new("x");
        crowd.replace(Picture { since: ago(10), version: "0.1.0".into(), ..Picture::default() });
        let broker = details(&crowd, &Selected::Broker, &[], "", TIME).unwrap();
        assert_eq!(broker.connection, "Luxwire 0.1.0 · started 10 minutes ago");
        assert_eq!(details(&crowd, &Selected::Node(NodeId::One(1)), &[1], "", TIME), None);
    }

    #[test]
    fn filters_are_explained() {
        let check = |filter: &str, expected: &str| assert_eq!(meaning(filter), expected, "{filter}");
        check("#", "everything");
        check("lights/+/intensity", "how bright every light is");
        check("lights/Floor-lamp/intensity", "how bright Floor lamp is");
        check("lights/Desk/availability", "whether Desk is there");
        check("home/#", "everything below home");
        check("home/+/temperature", "+ stands for any one word");
        check("home/+/#", "+ stands for any one word, # for all that follows");
        check("home/door", "");
        check("$share/team/lights/#", "everything about every light, shared among the group team");
    }
}
