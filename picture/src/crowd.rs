//! Everybody who is connected, as the events say: who they are, what they are called, what they were last told, and how
//! many of a kind are drawn as one where there is no room for each.
//!
//! Where they stand is not decided here.

use luxwire_shared::{model::Intensity, time::Timestamp};

use crate::{
    event::{Client, Key, Message, Picture, Published},
    kind::{Kind, Zone, follows_a_light},
    limits::{CLIENTS_MAX, PUBLISHES_MAX, VALUES_MAX},
    ordered::{Ordered, sorted},
};

/// All clients and the latest values.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    own: String,
    people: Ordered<Key, Person>,
    /// How many more there are than are kept one by one.
    pub(crate) more: u32,
    /// The latest value of each topic that was seen.
    values: Ordered<String, String>,
    /// Since when the broker runs.
    pub(crate) broker_since: Option<Timestamp>,
    /// The broker's version.
    pub(crate) broker_version: String,
}

/// A client, and who that is to people.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// What the broker says of it.
    pub(crate) client: Client,
    /// What it is.
    pub(crate) kind: Kind,
    /// Where it belongs.
    pub(crate) zone: Zone,
    /// What it is called; nobody else who is here is called the same.
    pub(crate) name: String,
}

/// What is drawn: one client, or many that are alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NodeId {
    /// One client.
    One(Key),
    /// Clients of a kind whose identifiers begin alike, in one place.
    Alike(Zone, Kind, String),
}

/// A node and who is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// What names it.
    pub(crate) id: NodeId,
    /// Where it belongs.
    pub(crate) zone: Zone,
    /// What it is.
    pub(crate) kind: Kind,
    /// Who is in it, in the order in which they came.
    pub(crate) members: Vec<Key>,
}

impl Crowd {
    /// Nobody yet. `own` is what the page that shows the picture calls itself.
    pub(crate) fn new(own: &str) -> Self {
        Self { own: own.into(), ..Self::default() }
    }

    /// Everything anew.
    pub(crate) fn replace(&mut self, picture: Picture) {
        let before = std::mem::take(&mut self.people);
        self.values.clear();
        self.more = picture.clients_more;
        (self.broker_since, self.broker_version) = (picture.since, picture.version);
        for client in picture.clients {
            let name = before.get(&client.key).map(|person| person.name.clone());
            self.put(client, name);
        }
    }

    /// Somebody joined, or changed.
    pub(crate) fn update(&mut self, mut client: Client) {
        let before = self.people.remove(&client.key);
        if before.is_none() && self.people.len() >= CLIENTS_MAX {
            self.more = self.more.saturating_add(1);
            return;
        }
        if let Some(before) = &before {
            // Who changes what it follows has not forgotten what it published.
            if client.publishes.is_empty() {
                client.publishes.clone_from(&before.client.publishes);
                client.publishes_more = before.client.publishes_more;
            }
        }
        self.put(client, before.map(|person| person.name));
    }

    /// Somebody left; says who.
    pub(crate) fn remove(&mut self, key: Key) -> Option<Person> {
        let gone = self.people.remove(&key);
        if gone.is_none() {
            self.more = self.more.saturating_sub(1);
        }
        gone
    }

    /// A message passed: its sender has published it, and its topic has this value. Says whether the sender looks
    /// different for it.
    pub(crate) fn note(&mut self, message: &Message, at: Timestamp) -> bool {
        let value = message.payload.clone().unwrap_or_default();
        if let Some(known) = self.values.get_mut(&message.topic) {
            *known = value;
        } else if self.values.len() < VALUES_MAX {
            self.values.insert(message.topic.clone(), value);
        }
        let Some(person) = message.from.and_then(|key| self.people.get_mut(&key)) else { return false };
        let published =
            Published { topic: message.topic.clone(), payload: message.payload.clone(), set_at: Some(at) };
        let client = &mut person.client;
        if let Some(known) = client.publishes.iter_mut().find(|known| known.topic == message.topic) {
            *known = published;
            return false;
        }
        if client.publishes.len() >= PUBLISHES_MAX {
            let oldest = client.publishes.iter().enumerate().min_by_key(|(_, known)| known.set_at);
            if let Some(oldest) = oldest.map(|(at, _)| at) {
                client.publishes.remove(oldest);
                client.publishes_more = client.publishes_more.saturating_add(1);
            }
        }
        client.publishes.push(published);
        let key = client.key;
        let (zone, name) = (person.zone, person.name.clone());
        if let Some(person) = self.people.remove(&key) {
            self.put(person.client, Some(person.name));
        }
        self.people.get(&key).is_some_and(|person| person.zone != zone || person.name != name)
    }

    /// What a topic was set to, unless a later value is known.
    pub(crate) fn learn(&mut self, topic: String, value: String) {
        if self.values.len() < VALUES_MAX && !self.values.contains_key(&topic) {
            self.values.insert(topic, value);
        }
    }

    /// Somebody who is connected.
    pub(crate) fn person(&self, key: Key) -> Option<&Person> {
        self.people.get(&key)
    }

    /// How many are connected.
    pub(crate) fn count(&self) -> usize {
        self.people.len() + self.more as usize
    }

    /// What a topic was last set to.
    pub(crate) fn value(&self, topic: &String) -> Option<&str> {
        self.values.get(topic).map(String::as_str)
    }

    /// How bright a lamp shines: what the light that it follows was last set to.
    pub(crate) fn level(&self, key: Key) -> Option<u8> {
        let person = self.person(key).filter(|person| person.kind == Kind::Lamp)?;
        let light = follows_a_light(&person.client)?;
        percent(self.value(&format!("lights/{light}/intensity"))?)
    }

    /// Who is drawn as one with others, so that no zone has more nodes than it has room for.
    pub(crate) fn groups(&self, room: impl Fn(Zone) -> Room) -> Vec<Group> {
        Zone::ALL.into_iter().flat_map(|zone| self.groups_of(zone, room(zone))).collect()
    }

    fn groups_of(&self, zone: Zone, room: Room) -> Vec<Group> {
        let people = || self.people.values().filter(|person| person.zone == zone);
        let single = |person: &Person| Group {
            id: NodeId::One(person.client.key),
            zone,
            kind: person.kind,
            members: vec![person.client.key],
        };
        let count = people().count();
        if count <= room.one_by_one {
            return people().map(single).collect();
        }
        // The largest groups first, until the rest has room enough to be read.
        let mut alike: Ordered<(Kind, &str), Vec<Key>> = Ordered::default();
        for person in people() {
            alike.get_or_insert((person.kind, stem(&person.client.id)), Vec::new).push(person.client.key);
        }
        let alike = alike.into_entries();
        let by_size = sorted(alike.len(), &|left, right| alike[right].1.len().cmp(&alike[left].1.len()));
        let mut nodes = count;
        let mut groups = Vec::new();
        let mut grouped: Ordered<Key, ()> = Ordered::default();
        for ((kind, stem), members) in by_size.into_iter().map(|at| &alike[at]) {
            if nodes <= room.to_read || members.len() < 2 {
                break;
            }
            nodes = nodes + 1 - members.len();
            members.iter().for_each(|key| grouped.insert(*key, ()));
            let (id, members) = (NodeId::Alike(zone, *kind, (*stem).into()), members.clone());
            groups.push(Group { id, zone, kind: *kind, members });
        }
        let (mut singles, mut rest): (Vec<Group>, Vec<Key>) = (Vec::new(), Vec::new());
        for person in people().filter(|person| !grouped.contains_key(&person.client.key)) {
            // All different and still too many: the late comers share one place.
            if groups.len() + singles.len() + 1 < room.one_by_one {
                singles.push(single(person));
            } else {
                rest.push(person.client.key);
            }
        }
        if !rest.is_empty() {
            groups.push(Group {
                id: NodeId::Alike(zone, Kind::Other, String::new()),
                zone,
                kind: Kind::Other,
                members: rest,
            });
        }
        groups.extend(singles);
        groups
    }

    fn put(&mut self, client: Client, name: Option<String>) {
        for published in &client.publishes {
            self.learn(published.topic.clone(), published.payload.clone().unwrap_or_default());
        }
        let kind = Kind::of(&client, &self.own);
        let zone = kind.zone(&client);
        let plain = kind.name(&client);
        // Whoever has a number keeps it, or two would change their names when one leaves.
        let name =
            name.filter(|name| numbered(name, &plain).is_some()).unwrap_or_else(|| self.unique(&plain));
        self.people.insert(client.key, Person { client, kind, zone, name });
    }

    fn unique(&self, plain: &str) -> String {
        let mut taken: Ordered<u32, ()> = Ordered::default();
        for number in self.people.values().filter_map(|person| numbered(&person.name, plain)) {
            taken.insert(number, ());
        }
        // The first gap in 1, 2, 3, …
        let free = taken.iter().zip(1..).find(|((taken, ()), number)| **taken != *number);
        match free.map_or(taken.len() as u32 + 1, |(_, number)| number) {
            1 => plain.into(),
            number => format!("{plain} {number}"),
        }
    }
}

/// How many nodes a zone takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// So many can be told apart.
    pub(crate) one_by_one: usize,
    /// So many can have their names beside them.
    pub(crate) to_read: usize,
}

/// A whole percentage.
pub(crate) fn percent(payload: &str) -> Option<u8> {
    payload.parse::<Intensity>().ok().map(Intensity::rounded)
}

/// The number by which a name differs from the plain one, which is number 1.
fn numbered(name: &str, plain: &str) -> Option<u32> {
    match name.strip_prefix(plain)? {
        "" => Some(1),
        rest => rest.strip_prefix(' ')?.parse().ok().filter(|number| *number > 1),
    }
}

/// What identifiers that are alike have in common: `sensor-12` and `sensor-007` begin with `sensor`.
fn stem(id: &str) -> &str {
    let number = id.rsplit(['-', '_', '.', '/', ':']).next().unwrap_or_default();
    let has_number = number.len() < id.len() && number.bytes().any(|byte| byte.is_ascii_digit());
    let before = if has_number { id.strip_suffix(number).unwrap_or(id) } else { id };
    before.trim_end_matches(|char: char| char.is_ascii_digit() || matches!(char, '-' | '_' | '.' | '/' | ':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_millis(1_795_798_800_000);

    fn client(key: Key, id: &str, follows: &[&str]) -> Client {
        Client {
            key,
            id: id.into(),
            follows: follows.iter().map(|filter| (*filter).into()).collect(),
            ..Client::default()
        }
    }

    fn crowd(clients: Vec<Client>) -> Crowd {
        let mut crowd = Crowd::new("luxwire-page-1");
        crowd.replace(Picture { clients, ..Picture::default() });
        crowd
    }

    fn message(from: Key, topic: &str, payload: &str) -> Message {
        Message { from: Some(from), topic: topic.into(), payload: Some(payload.into()), ..Message::default() }
    }

    fn names(crowd: &Crowd) -> Vec<&str> {
        crowd.people.values().map(|person| person.name.as_str()).collect()
    }

    #[test]
    fn nobody_is_called_like_somebody_else_and_names_stay() {
        let mut crowd = crowd(vec![client(1, "luxwire-page-7", &[]), client(2, "luxwire-page-8", &[])]);
        assert_eq!(names(&crowd), ["Another page", "Another page 2"]);
        crowd.remove(1);
        crowd.update(client(2, "luxwire-page-8", &["#"]));
        assert_eq!(names(&crowd), ["Another page 2"]);
        crowd.update(client(3, "luxwire-page-9", &[]));
        assert_eq!(names(&crowd), ["Another page 2", "Another page"]);
    }

    #[test]
    fn a_lamp_shines_as_its_light_was_set() {
        let mut crowd =
            crowd(vec![client(1, "lamp", &["lights/Desk/intensity"]), client(2, "x", &["lights/#"])]);
        assert_eq!(crowd.level(1), None);
        crowd.note(&message(9, "lights/Desk/intensity", "41.6"), NOW);
        assert_eq!((crowd.level(1), crowd.level(2)), (Some(42), None));
        crowd.note(&message(9, "lights/Desk/intensity", "bright"), NOW);
        assert_eq!(crowd.level(1), None);
    }

    #[test]
    fn what_was_kept_is_known_from_the_start() {
        let dimmer = Client {
            publishes: vec![Published {
                topic: "lights/Desk/intensity".into(),
                payload: Some("30".into()),
                set_at: None,
            }],
            ..client(2, "luxwire-dimmer-1", &[])
        };
        assert_eq!(crowd(vec![client(1, "lamp", &["lights/Desk/intensity"]), dimmer]).level(1), Some(30));
    }

    #[test]
    fn somebody_who_is_seen_to_publish_for_the_first_time_may_move() {
        let mut crowd = crowd(vec![client(1, "thermometer", &[])]);
        assert!(crowd.note(&message(1, "home/temperature", "20"), NOW));
        assert_eq!(crowd.person(1).unwrap().zone, Zone::Talks);
        assert!(!crowd.note(&message(1, "home/temperature", "21"), NOW));
        let published = &crowd.person(1).unwrap().client.publishes;
        assert_eq!((published.len(), published[0].payload.as_deref()), (1, Some("21")));
    }

    #[test]
    fn what_somebody_published_is_bounded_and_the_rest_is_counted() {
        let mut crowd = crowd(vec![client(1, "chatter", &[])]);
        for number in 0..PUBLISHES_MAX as u64 + 5 {
            let at = Timestamp::from_unix_millis(number);
            crowd.note(&message(1, &format!("t/{number}"), "1"), at);
        }
        let client = &crowd.person(1).unwrap().client;
        assert_eq!((client.publishes.len(), client.publishes_more), (PUBLISHES_MAX, 5));
        assert_eq!(client.publishes[0].topic, "t/5");
    }

    #[test]
    fn what_changes_keeps_what_was_published() {
        let mut crowd = crowd(vec![client(1, "thermometer", &[])]);
        crowd.note(&message(1, "home/temperature", "20"), NOW);
        crowd.update(client(1, "thermometer", &["home/set"]));
        assert_eq!(crowd.person(1).unwrap().client.publishes.len(), 1);
    }

    #[test]
    fn those_beyond_the_bound_are_counted() {
        let clients = (0..CLIENTS_MAX as u64).map(|key| client(key, "x", &[])).collect();
        let mut crowd = crowd(clients);
        crowd.update(client(9_999, "y", &[]));
        assert_eq!(crowd.count(), CLIENTS_MAX + 1);
        crowd.remove(9_999);
        assert_eq!(crowd.count(), CLIENTS_MAX);
    }

    const ROOM: Room = Room { one_by_one: 20, to_read: 8 };

    #[test]
    fn whoever_has_room_stands_alone() {
        let crowd = crowd((0..20).map(|key| client(key, &format!("sensor-{key}"), &["x"])).collect());
        let groups = crowd.groups(|_| ROOM);
        assert_eq!(groups.len(), 20);
        assert!(groups.iter().all(|group| group.members.len() == 1));
    }

    #[test]
    fn the_alike_share_a_place_where_there_is_no_room() {
        let mut clients: Vec<_> =
            (0..40).map(|key| client(key, &format!("sensor-{key:03}"), &["x"])).collect();
        clients.push(client(100, "explorer", &["x"]));
        let groups = crowd(clients).groups(|_| ROOM);
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].id, NodeId::Alike(Zone::Listens, Kind::Other, "sensor".into()));
        assert_eq!(groups[0].members.len(), 40);
        assert_eq!(groups[1].id, NodeId::One(100));
    }

    #[test]
    fn many_who_are_all_different_fit_all_the_same() {
        let letter = |key: u64| char::from(b'a' + (key % 26) as u8).to_string().repeat(1 + key as usize / 26);
        let crowd = crowd((0..50).map(|key| client(key, &letter(key), &["x"])).collect());
        let groups = crowd.groups(|_| ROOM);
        assert_eq!(groups.len(), ROOM.one_by_one);
        assert_eq!(groups.iter().map(|group| group.members.len()).sum::<usize>(), 50);
    }

    #[test]
    fn identifiers_are_alike_but_for_their_numbers() {
        let check = |id: &str, expected: &str| assert_eq!(stem(id), expected, "{id}");
        check("sensor-12", "sensor");
        check("sensor12", "sensor");
        check("luxwire-lamp-0a1b2c", "luxwire-lamp");
        check("living-room", "living-room");
        check("12", "");
        check("", "");
    }
}
