//! Who may read and write which topics. The rules are data that whoever makes the broker brings along; without any,
//! everything is permitted and nothing is looked at.
//!
//! A denial wins over every grant, and what no rule grants is not permitted. Where the rules are asked:
//!
//! - PUBLISH to a topic that the client may not write is not taken. 5.0 says so with QoS 1 and 2; before it there is no
//!   word for that, and the message is acknowledged and dropped.
//! - A will that the client could not publish itself is refused with its CONNECT, while there is somebody to tell.
//! - SUBSCRIBE is refused if nothing that its filter matches could ever be read. A filter that matches more than may be
//!   read is granted, and what may not be read is left out: at delivery, of retained messages, in shared subscriptions.
//! - A session belongs to the user who began it. Nobody else resumes or ends it by using its identifier. Section 5.4.2.
//!
//! Topics below `$SYS` are like any other, except that `+` and `#` at the top do not grant them. [MQTT-4.7.2-1]

use crate::{broker::Broker, session::Session};
use alloc::{collections::BTreeMap, rc::Rc, string::String, vec::Vec};
use luxwire_shared::mqtt::{Level, ReasonCode, Text, TopicFilter, TopicRef};

/// All rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// For clients that named no user.
    pub anonymous: Vec<Rule>,
    /// For each user. Whoever is not here has only what the patterns grant.
    pub users: BTreeMap<Text, Vec<Rule>>,
    /// For everybody. A level `%u` stands for the user's name, `%c` for the client identifier.
    pub patterns: Vec<Rule>,
    /// A user to whom no rule applies.
    pub unrestricted: Option<Text>,
    /// What a client is told that may not do something.
    pub refusal: Refusal,
}

/// One line of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// For which topics.
    pub filter: TopicFilter,
    /// What.
    pub access: Access,
}

/// What a rule says of its topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// They may be received.
    Read,
    /// They may be published.
    Write,
    /// Both.
    ReadWrite,
    /// Neither, whatever other rules say.
    Deny,
}

/// How a refusal is put.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refusal {
    /// As it is: 0x87.
    #[default]
    NotAuthorized,
    /// Without saying why: 0x80.
    Unspecified,
}

/// What one client may do: the rules that apply to it, its names filled in.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rights {
    readable: Vec<TopicFilter>,
    writable: Vec<TopicFilter>,
    denied: Vec<TopicFilter>,
}

impl Permissions {
    /// The rights of a client; `None` if it may do everything. Who has no identifier has none that a pattern could mean.
    pub fn of(&self, user: Option<&Text>, client_id: Option<&str>) -> Option<Rights> {
        if user.is_some() && user == self.unrestricted.as_ref() {
            return None;
        }
        let own = match user {
            None => self.anonymous.as_slice(),
            Some(user) => self.users.get(user).map_or(&[][..], Vec::as_slice),
        };
        let mut rights = Rights::default();
        own.iter().cloned().for_each(|rule| rights.add(rule));
        for Rule { filter, access } in &self.patterns {
            if let Some(filter) = filled_in(filter, user, client_id) {
                rights.add(Rule { filter, access: *access });
            }
        }
        Some(rights)
    }
}

impl Rights {
    fn add(&mut self, Rule { filter, access }: Rule) {
        match access {
            Access::Read => self.readable.push(filter),
            Access::Write => self.writable.push(filter),
            Access::ReadWrite => {
                self.readable.push(filter.clone());
                self.writable.push(filter);
            }
            Access::Deny => self.denied.push(filter),
        }
    }

    /// Whether messages of this topic may reach the client.
    // Not inlined where it is asked: most brokers have no rules, and their way is to stay short.
    #[inline(never)]
    pub fn may_read<'a>(&self, topic: impl Into<TopicRef<'a>>) -> bool {
        let topic = topic.into();
        any_matches(&self.readable, topic) && !any_matches(&self.denied, topic)
    }

    /// Whether the client may publish to this topic.
    #[inline(never)]
    pub fn may_write<'a>(&self, topic: impl Into<TopicRef<'a>>) -> bool {
        let topic = topic.into();
        any_matches(&self.writable, topic) && !any_matches(&self.denied, topic)
    }

    /// Whether there are topics that this filter matches and the client may read. Denials that cover them only together
    /// are not noticed: such a subscription stands, and nothing comes of it.
    pub fn may_read_some_of(&self, filter: &TopicFilter) -> bool {
        self.readable.iter().any(|readable| {
            let common = intersection(readable, filter);
            common.is_some_and(|common| !self.denied.iter().any(|denied| covers(denied, &common)))
        })
    }

    /// Whether nothing is kept from the client, but perhaps what is below `$`.
    pub fn may_read_everything(&self) -> bool {
        self.denied.is_empty() && self.readable.iter().any(|readable| readable.as_str() == "#")
    }
}

impl Refusal {
    /// In MQTT's words.
    pub(crate) fn reason(self) -> ReasonCode {
        match self {
            Self::NotAuthorized => ReasonCode::NotAuthorized,
            Self::Unspecified => ReasonCode::Unspecified,
        }
    }
}

impl Broker {
    /// The rights of whoever is not connected itself; `None` if they are not restricted.
    pub fn rights(&self, user: Option<&Text>, client_id: Option<&str>) -> Option<Rights> {
        self.permissions.as_ref()?.of(user, client_id)
    }

    /// What a client is told that is not permitted something.
    pub(crate) fn told(&self, reason: ReasonCode) -> ReasonCode {
        match (reason, &self.permissions) {
            (ReasonCode::NotAuthorized, Some(permissions)) => permissions.refusal.reason(),
            (reason, _) => reason,
        }
    }
}

impl Session {
    pub(crate) fn may_read(&self, topic: TopicRef<'_>) -> bool {
        self.rights.as_ref().is_none_or(|rights| rights.may_read(topic))
    }

    pub(crate) fn may_write(&self, topic: TopicRef<'_>) -> bool {
        self.rights.as_ref().is_none_or(|rights| rights.may_write(topic))
    }

    /// Whoever resumes the session has these rights. What waits and is not permitted any more is forgotten.
    pub(crate) fn set_rights(&mut self, rights: Option<Rc<Rights>>) {
        if self.rights == rights {
            return;
        }
        self.rights = rights;
        if let Some(rights) = &self.rights {
            self.queue.take_out(|pending| !rights.may_read(pending.message.topic()));
        }
    }
}

fn any_matches(filters: &[TopicFilter], topic: TopicRef<'_>) -> bool {
    filters.iter().any(|filter| filter.matches(topic))
}

/// `None` if the pattern says nothing of this client. A name is one level and no more: one that contains `/`, `+` or `#`
/// is the name of no level, and one that begins with `$` is not to open what is reserved.
fn filled_in(pattern: &TopicFilter, user: Option<&Text>, client_id: Option<&str>) -> Option<TopicFilter> {
    let mut filter = String::new();
    for (depth, level) in pattern.as_str().split('/').enumerate() {
        let name = match level {
            "%u" => Some(user?.as_str()),
            "%c" => Some(client_id?),
            _ => None,
        };
        if name.is_some_and(|name| name.contains(['/', '+', '#']) || (depth == 0 && name.starts_with('$'))) {
            return None;
        }
        if depth > 0 {
            filter.push('/');
        }
        filter.push_str(name.unwrap_or(level));
    }
    TopicFilter::try_from(filter.as_str()).ok()
}

/// The filter that matches what both match; `None` if that is nothing.
fn intersection<'a>(a: &'a TopicFilter, b: &'a TopicFilter) -> Option<Vec<Level<'a>>> {
    let (mut a, mut b) = (a.levels(), b.levels());
    let mut common = Vec::new();
    loop {
        let is_top = common.is_empty();
        match (a.next(), b.next()) {
            (None, None) | (None, Some(Level::Hash)) | (Some(Level::Hash), None) => return Some(common),
            (None, Some(_)) | (Some(_), None) => return None,
            (Some(Level::Hash), Some(level)) | (Some(level), Some(Level::Hash)) => {
                if is_top && is_reserved(level) {
                    return None;
                }
                common.push(level);
                // One of the two is used up.
                common.extend(a.chain(b));
                return Some(common);
            }
            (Some(Level::Plus), Some(level)) | (Some(level), Some(Level::Plus)) => {
                if is_top && is_reserved(level) {
                    return None;
                }
                common.push(level);
            }
            (Some(Level::Text(one)), Some(Level::Text(other))) => {
                if one != other {
                    return None;
                }
                common.push(Level::Text(one));
            }
        }
    }
}

/// Whether the filter matches everything that one of these levels matches.
fn covers(filter: &TopicFilter, levels: &[Level<'_>]) -> bool {
    let mut levels = levels.iter().copied();
    for (depth, level) in filter.levels().enumerate() {
        let covered = levels.next();
        let is_reserved = depth == 0 && covered.is_some_and(is_reserved);
        match (level, covered) {
            (Level::Hash, _) => return !is_reserved,
            (Level::Plus, Some(Level::Text(_) | Level::Plus)) if !is_reserved => {}
            (Level::Text(one), Some(Level::Text(other))) if one == other => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

fn is_reserved(level: Level<'_>) -> bool {
    matches!(level, Level::Text(text) if text.starts_with('$'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, vec};
    use luxwire_shared::mqtt::TopicName;

    fn filter(text: &str) -> TopicFilter {
        TopicFilter::try_from(text).expect("a filter")
    }

    fn topic(text: &str) -> TopicName {
        TopicName::try_from(text).expect("a topic")
    }

    fn text(text: &str) -> Text {
        Text::try_from(text).expect("text")
    }

    /// Every filter of up to three levels over a small alphabet, and every topic of up to four.
    fn small_world() -> (Vec<TopicFilter>, Vec<TopicName>) {
        let (mut filters, mut topics) = (Vec::new(), Vec::new());
        let mut prefixes = vec![String::new()];
        for depth in 0..4 {
            let mut longer = Vec::new();
            for prefix in &prefixes {
                for level in ["a", "b", "$x", "", "+", "#"] {
                    let name = if depth == 0 { level.into() } else { format!("{prefix}/{level}") };
                    if let Ok(filter) = TopicFilter::try_from(name.as_str())
                        && depth < 3
                    {
                        filters.push(filter);
                    }
                    if let Ok(topic) = TopicName::try_from(name.as_str()) {
                        topics.push(topic);
                    }
                    longer.push(name);
                }
            }
            prefixes = longer;
        }
        (filters, topics)
    }

    fn written(levels: &[Level<'_>]) -> TopicFilter {
        let names = levels.iter().map(|level| match level {
            Level::Text(text) => *text,
            Level::Plus => "+",
            Level::Hash => "#",
        });
        filter(&names.collect::<Vec<_>>().join("/"))
    }

    #[test]
    fn an_intersection_matches_what_both_match() {
        let (filters, topics) = small_world();
        let mut some = 0;
        for a in &filters {
            for b in &filters {
                let common = intersection(a, b);
                // An empty level alone is no filter, and no topic has its name.
                let common =
                    common.filter(|common| common != &[Level::Text("")]).map(|common| written(&common));
                some += usize::from(common.is_some());
                for topic in &topics {
                    let both = a.matches(topic) && b.matches(topic);
                    let found = common.as_ref().is_some_and(|common| common.matches(topic));
                    assert_eq!(found, both, "{a} and {b} at {topic}: {common:?}");
                }
            }
        }
        assert!(some > 1000, "{some}");
    }

    #[test]
    fn what_is_covered_is_matched() {
        let (filters, topics) = small_world();
        let mut some = 0;
        for wide in &filters {
            for narrow in &filters {
                let levels: Vec<_> = narrow.levels().collect();
                let covered = covers(wide, &levels);
                some += usize::from(covered);
                let escapes = topics.iter().find(|&topic| narrow.matches(topic) && !wide.matches(topic));
                if covered {
                    assert_eq!(escapes, None, "{wide} covers {narrow}");
                } else if !narrow.as_str().contains('#') && !wide.as_str().contains('#') {
                    assert!(escapes.is_some(), "{wide} covers {narrow} after all");
                }
            }
        }
        assert!(some > 200, "{some}");
    }

    #[test]
    fn a_name_is_one_level_and_no_wildcard() {
        let permissions = Permissions {
            patterns: vec![
                Rule { filter: filter("%u/in/%c/#"), access: Access::ReadWrite },
                Rule { filter: filter("home/%c"), access: Access::Read },
            ],
            ..Permissions::default()
        };
        let rights = |user: &str, client: &str| {
            permissions.of(Some(&text(user)), Some(client)).expect("they are restricted")
        };
        let anna = rights("anna", "lamp");
        assert!(anna.may_write(&topic("anna/in/lamp/on")) && anna.may_read(&topic("home/lamp")));
        assert!(!anna.may_write(&topic("bert/in/lamp/on")) && !anna.may_write(&topic("home/lamp")));
        assert!(!anna.may_read(&topic("%u/in/%c/x")));
        for (user, client) in [
            ("+", "+"),
            ("#", "#"),
            ("anna", "+"),
            ("anna", "#"),
            ("+", "lamp"),
            ("a/b", "c/d"),
            ("$SYS", "x"),
        ] {
            let rights = rights(user, client);
            for name in ["anna/in/lamp/on", "a/b/in/c/d/x", "$SYS/in/x/y"] {
                assert!(!rights.may_read(&topic(name)), "{user} {client} {name}");
            }
            assert_eq!(rights.may_read(&topic("home/lamp")), client == "lamp", "{user} {client}");
        }
        let anonymous = permissions.of(None, Some("lamp")).expect("they are restricted");
        assert!(anonymous.may_read(&topic("home/lamp")) && !anonymous.may_read(&topic("anna/in/lamp/on")));
        let nobody = permissions.of(None, None).expect("they are restricted");
        assert_eq!(nobody, Rights::default());
    }

    #[test]
    fn a_denial_wins_wherever_it_stands() {
        let rule = |name: &str, access| Rule { filter: filter(name), access };
        let permissions = Permissions {
            users: [(text("a"), vec![rule("home/#", Access::ReadWrite)])].into(),
            patterns: vec![rule("home/safe/#", Access::Deny), rule("$SYS/#", Access::Read)],
            unrestricted: Some(text("root")),
            ..Permissions::default()
        };
        assert_eq!(permissions.of(Some(&text("root")), None), None);
        let rights = permissions.of(Some(&text("a")), None).expect("they are restricted");
        assert!(rights.may_read(&topic("home/lamp")) && !rights.may_read(&topic("home/safe")));
        assert!(!rights.may_write(&topic("home/safe/door")) && !rights.may_read_everything());
        for (wanted, granted) in [
            ("#", true),
            ("+", true),
            ("home/#", true),
            ("+/safe", false),
            ("home/safe/#", false),
            ("home/safe/door", false),
            ("home/+/door", true),
            ("garden/#", false),
            ("$SYS/#", true),
            ("$SYS/broker/uptime", true),
            ("+/broker/uptime", true),
            ("$SYS/+/x", true),
            ("garden/+/x", false),
        ] {
            assert_eq!(rights.may_read_some_of(&filter(wanted)), granted, "{wanted}");
        }
        let all = Rights { readable: vec![filter("#")], ..Rights::default() };
        assert!(all.may_read_everything() && !all.may_read_some_of(&filter("$SYS/#")));
    }
}
