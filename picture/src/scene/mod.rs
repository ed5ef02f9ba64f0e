//! The picture as a whole: takes what the broker tells and what the person does, and says who stands where, what is under
//! way and what is to be read. It draws nothing and reads no clock.

mod node;
mod rate;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use crate::{
    crowd::{Crowd, Group, NodeId, percent},
    details::{self, Details, Selected},
    event::{Event, Key, Message},
    kind::{Kind, level_of},
    layout::{Layout, Stage},
    motion::{About, Label, Landing, Motion, NodeNumber, Pace, Parcel, Way},
    ordered::Ordered,
    story::{self, Rank, Story, Subject},
    time::{LocalTime, Millis},
    wire::Wire,
};

pub(crate) use node::Node;
use rate::Rate;

/// The picture.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) crowd: Crowd,
    pub(crate) motion: Motion,
    story: Story,
    layout: Layout,
    stage: Stage,
    nodes: Ordered<NodeNumber, Node>,
    numbers: Ordered<NodeId, NodeNumber>,
    node_of: Ordered<Key, NodeNumber>,
    next_number: NodeNumber,
    selected: Option<Selected>,
    link: Link,
    /// When the broker last had a message in its hands, on the stage's clock.
    broker_lit_at: Millis,
    /// How much more passes through than is shown, and when that was last told.
    hum: (f64, Millis),
    rate: Rate,
    /// Whether this page was seen to publish: its person knows how.
    pub(crate) own_was_seen: bool,
    revision: u64,
    shape: u64,
}

/// How the line to the server stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Link {
    /// Not there yet, for the first time.
    Opening,
    /// What is seen is what is.
    Live,
    /// Lost at this moment of the wall clock: what is seen is what was.
    Lost(luxwire_shared::time::Timestamp),
    /// The server was asked in vain, and there never was a picture.
    Missing,
}

/// How long a wire and its ends shine after a message.
pub(crate) const AFTERGLOW_MS: Millis = 700.0;
const HUM_MS: Millis = 1_200.0;
/// Longer ago than anything shines.
const NEVER: Millis = f64::NEG_INFINITY;

impl Scene {
    /// Nothing yet. `own` is what the page calls itself.
    pub(crate) fn new(own: &str, stage: Stage) -> Self {
        Self {
            crowd: Crowd::new(own),
            motion: Motion::default(),
            story: Story::default(),
            layout: Layout::default(),
            stage,
            nodes: Ordered::default(),
            numbers: Ordered::default(),
            node_of: Ordered::default(),
            next_number: 0,
            selected: None,
            link: Link::Opening,
            broker_lit_at: NEVER,
            hum: (0.0, NEVER),
            rate: Rate::default(),
            own_was_seen: false,
            revision: 0,
            shape: 0,
        }
    }

    /// The broker tells something.
    pub(crate) fn hear(&mut self, event: Event, now: Millis, time: LocalTime) {
        match event {
            Event::Picture(picture) => {
                self.motion.finish();
                self.link = Link::Live;
                self.crowd.replace(picture);
                self.settle(now);
                self.show_levels();
            }
            Event::Joined(client) => {
                let key = client.key;
                self.crowd.update(client);
                self.settle(now);
                if let Some(person) = self.crowd.person(key).filter(|person| person.kind != Kind::ThisPage) {
                    let name = person.kind.in_a_sentence(&person.name);
                    self.story.tell(
                        Rank::Event,
                        Subject::Event,
                        format!("{} joined.", story::capital(&name)),
                        now,
                    );
                }
            }
            Event::Changed(client) => {
                let key = client.key;
                self.crowd.update(client);
                self.settle(now);
                self.show_level(key);
            }
            Event::Left(key) => {
                let gone = self.crowd.remove(key);
                self.settle(now);
                if let Some(person) = gone {
                    let name = person.kind.in_a_sentence(&person.name);
                    self.story.tell(
                        Rank::Event,
                        Subject::Event,
                        format!("{} left.", story::capital(&name)),
                        now,
                    );
                }
            }
            Event::Message(message) => self.pass(message, now, time),
            Event::Busy { messages, deliveries } => {
                self.rate.add(messages, now);
                self.motion.miss(messages);
                self.hum = ((f64::from(deliveries.max(messages)) / 150.0).max(0.15).min(1.0), now);
            }
        }
        self.revision += 1;
    }

    /// What a topic was set to before anybody looked.
    pub(crate) fn learn(&mut self, topic: String, value: String) {
        self.crowd.learn(topic, value);
        self.show_levels();
        self.revision += 1;
    }

    /// The line to the server broke, at this moment of the wall clock.
    pub(crate) fn lose(&mut self, at: luxwire_shared::time::Timestamp) {
        self.link = match self.link {
            Link::Opening | Link::Missing => Link::Missing,
            Link::Live => Link::Lost(at),
            Link::Lost(since) => Link::Lost(since),
        };
        let landings = self.motion.finish();
        self.land(&landings);
        self.revision += 1;
    }

    /// How the line to the server stands.
    pub(crate) fn link(&self) -> Link {
        self.link
    }

    /// The stage has this size.
    pub(crate) fn resize(&mut self, stage: Stage, now: Millis) {
        if self.stage != stage {
            self.stage = stage;
            self.settle(now);
            // The stage changed, nobody walked.
            self.nodes.values_mut().for_each(Node::stop);
            self.revision += 1;
        }
    }

    /// The stage.
    pub(crate) fn stage(&self) -> Stage {
        self.stage
    }

    /// The person wants another pace.
    pub(crate) fn set_pace(&mut self, pace: Pace) {
        self.motion.set_pace(pace);
        if pace == Pace::Live {
            self.show_levels();
        }
        self.revision += 1;
    }

    /// The person clicked somebody, or nobody.
    pub(crate) fn select(&mut self, selected: Option<Selected>) {
        self.selected = selected;
        self.revision += 1;
        self.shape += 1;
    }

    /// Who is clicked, while that one is here.
    pub(crate) fn selected(&self) -> Option<&Selected> {
        self.selected.as_ref()
    }

    /// What there is to read about who is clicked.
    pub(crate) fn details(&self, time: LocalTime) -> Option<Details> {
        let selected = self.selected.as_ref()?;
        let node = match selected {
            Selected::Node(id) => self.numbers.get(id).and_then(|number| self.nodes.get(number)),
            Selected::Broker => None,
        };
        let (members, title): (&[Key], &str) =
            node.map_or((&[], ""), |node| (&node.group.members, &node.name));
        details::details(&self.crowd, selected, members, title, time)
    }

    /// Time passes: `elapsed` since the last call. `has_changed` is to be asked whether words must be written anew.
    pub(crate) fn advance(&mut self, elapsed: Millis, now: Millis) -> Option<Millis> {
        let landings = self.motion.advance(elapsed);
        self.land(&landings);
        self.rate.advance(now);
        if let Some((step, about)) = self.motion.step() {
            let text = story::step(step, &about.by, &about.message, about.count);
            if self.story.text() != text {
                self.story.say(text, now);
                self.revision += 1;
            }
        }
        let before = self.story.text().len();
        let due = self.story.advance(now);
        if self.story.text().len() != before || due.is_none() {
            self.revision += u64::from(!landings.is_empty());
        }
        due
    }

    /// Nobody looked for a while: everything that was under way has arrived.
    pub(crate) fn catch_up(&mut self) {
        let landings = self.motion.finish();
        self.land(&landings);
        self.show_levels();
        self.revision += 1;
    }

    /// Whether the next frame will look different.
    pub(crate) fn is_moving(&self, now: Millis) -> bool {
        let clock = self.motion.clock();
        let afterglow = |at: Millis| clock - at < AFTERGLOW_MS;
        let may_move = self.motion.pace() != Pace::Paused;
        may_move
            && (!self.motion.is_empty()
                || afterglow(self.broker_lit_at)
                || self.nodes.values().any(|node| afterglow(node.lit_at)))
            || self.hum(now) > 0.0
            || self.is_gliding(now)
    }

    /// Whether somebody is on the way to another place.
    pub(crate) fn is_gliding(&self, now: Millis) -> bool {
        self.nodes.values().any(|node| node.is_gliding(now))
    }

    /// Grows when somebody comes, goes or moves.
    pub(crate) fn shape(&self) -> u64 {
        self.shape
    }

    /// Grows with everything that words or elements may have to follow.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The nodes by their numbers.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (NodeNumber, &Node)> {
        self.nodes.iter().map(|(number, node)| (*number, node))
    }

    /// A node.
    pub(crate) fn node(&self, number: NodeNumber) -> Option<&Node> {
        self.nodes.get(&number)
    }

    /// The node that a client is in.
    pub(crate) fn number(&self, id: &NodeId) -> Option<NodeNumber> {
        match id {
            NodeId::One(key) => self.node_of.get(key).copied(),
            NodeId::Alike(..) => self.numbers.get(id).copied(),
        }
    }

    /// The wire of a node.
    pub(crate) fn wire(&self, node: &Node, now: Millis) -> Wire {
        let radius = node.size.radius() * self.stage.rem;
        let broker = self.stage.broker();
        Wire::between(node.at(now), radius, broker, self.stage.broker_radius(), self.stage.is_upright())
    }

    /// How strongly something shines after a message at `lit_at`, 0 to 1.
    pub(crate) fn afterglow(&self, lit_at: Millis) -> f64 {
        let passed = self.motion.clock() - lit_at;
        (1.0 - passed / AFTERGLOW_MS).max(0.0).min(1.0)
    }

    /// How strongly the broker shines.
    pub(crate) fn broker_glow(&self) -> f64 {
        self.afterglow(self.broker_lit_at)
    }

    /// How much passes unseen, 0 to 1.
    pub(crate) fn hum(&self, now: Millis) -> f64 {
        let (strength, at) = self.hum;
        strength * (1.0 - (now - at) / HUM_MS).max(0.0).min(1.0)
    }

    /// The sentence to be seen.
    pub(crate) fn sentence(&self) -> &str {
        self.story.text()
    }

    /// The sentence to be read out loud.
    pub(crate) fn aloud(&self) -> &str {
        self.story.aloud()
    }

    /// Whether the number of messages in a second is yet to change by itself.
    pub(crate) fn is_counting(&self) -> bool {
        self.rate.is_counting()
    }

    /// "9 clients, 12 messages a second"
    pub(crate) fn summary(&self) -> String {
        let clients = match self.crowd.count() {
            0 => "Nobody is connected".into(),
            1 => "1 client".into(),
            count => format!("{count} clients"),
        };
        match self.rate.per_second().round() as u64 {
            0 => clients,
            1 => format!("{clients}, 1 message a second"),
            rate => format!("{clients}, {rate} messages a second"),
        }
    }

    fn pass(&mut self, message: Message, now: Millis, time: LocalTime) {
        self.rate.add(1, now);
        if self.crowd.note(&message, time.now) {
            self.settle(now);
        }
        let mut to: Ordered<NodeNumber, u32> = Ordered::default();
        for key in &message.to {
            if let Some(number) = self.node_of.get(key) {
                *to.get_or_insert(*number, || 0) += 1;
            }
        }
        let by = message.from.and_then(|key| self.crowd.person(key));
        let is_own = by.is_some_and(|person| person.kind == Kind::ThisPage);
        self.own_was_seen |= is_own;
        let by =
            by.map_or_else(|| "somebody who left".into(), |person| person.kind.in_a_sentence(&person.name));
        let count = message.to.len() + message.to_more as usize;
        if self.motion.pace() == Pace::Live {
            self.tell(&message, &by, is_own, count, now);
        }
        let value = story::value(&message);
        let payload =
            message.payload.clone().filter(|payload| !payload.is_empty()).unwrap_or_else(|| value.clone());
        let label =
            Label { topic: message.topic.clone(), value, payload, name: story::topic(&message.topic) };
        let level =
            message.payload.as_deref().filter(|_| level_of(&message.topic).is_some()).and_then(percent);
        let from = message.from.filter(|_| !message.kept).and_then(|key| self.node_of.get(&key).copied());
        let kept = message.kept;
        let about = Rc::new(About { message, by, count });
        self.motion.send(Parcel { from, to: to.into_entries(), label: Rc::new(label), level, kept, about });
    }

    fn tell(&mut self, message: &Message, by: &str, is_own: bool, count: usize, now: Millis) {
        let name = |key: &Key| self.crowd.person(*key).map(|person| person.kind.in_a_sentence(&person.name));
        if message.kept {
            let to = message.to.first().and_then(name).unwrap_or_else(|| "a newcomer".into());
            let what = format!("{}: {}", story::topic(&message.topic), story::value(message));
            return self.story.tell_kept(&to, &what, now);
        }
        // Whoever publishes may follow the topic as well; that it hears itself is no news.
        let others = || message.to.iter().filter(|key| Some(**key) != message.from);
        let names: Vec<String> = others().take(3).filter_map(name).collect();
        let count = if message.to_more == 0 { others().count() } else { count };
        let text =
            format!("{} {}", story::deed(by, message), story::followers(&names, count, message.retain));
        let subject = Subject::Set { by: by.into(), topic: message.topic.clone() };
        let rank = match is_own {
            true => Rank::Own,
            false if level_of(&message.topic).is_some() => Rank::Light,
            false => Rank::Other,
        };
        self.story.tell(rank, subject, text, now);
    }

    fn land(&mut self, landings: &[Landing]) {
        let clock = self.motion.clock();
        for Landing { node, way, level } in landings {
            if *way == Way::In {
                self.broker_lit_at = clock;
            }
            let Some(node) = self.nodes.get_mut(node) else { continue };
            node.lit_at = clock;
            if *way == Way::Out && node.group.kind == Kind::Lamp && level.is_some() {
                node.level = *level;
                node.note = node.level_words();
            }
        }
        self.revision += u64::from(!landings.is_empty());
    }

    /// Everybody gets a node, and every node a place.
    fn settle(&mut self, now: Millis) {
        self.shape += 1;
        let stage = self.stage;
        let groups = self.crowd.groups(|zone| stage.room(zone));
        let places = self.layout.arrange(stage, &groups);
        let mut gone = std::mem::take(&mut self.numbers);
        self.node_of.clear();
        for group in groups {
            let Some(place) = places.get(&group.id) else { continue };
            let number = gone.remove(&group.id).unwrap_or_else(|| {
                self.next_number = self.next_number.wrapping_add(1);
                self.next_number
            });
            self.numbers.insert(group.id.clone(), number);
            group.members.iter().for_each(|key| self.node_of.insert(*key, number));
            let name = self.name(&group);
            match self.nodes.get_mut(&number) {
                Some(node) => {
                    node.move_to(*place, now);
                    (node.group, node.name) = (group, name);
                }
                None => {
                    self.nodes.insert(number, Node::new(group, name, *place));
                    self.show_level_of(number);
                }
            }
        }
        for (id, number) in gone.into_entries() {
            self.nodes.remove(&number);
            self.motion.forget(number);
            self.selected.take_if(|selected| *selected == Selected::Node(id.clone()));
        }
    }

    fn name(&self, group: &Group) -> String {
        match &group.id {
            NodeId::One(key) => self.crowd.person(*key).map(|person| person.name.clone()).unwrap_or_default(),
            NodeId::Alike(_, Kind::Other, stem) if stem.is_empty() => format!("{} more", group.members.len()),
            NodeId::Alike(_, Kind::Other, stem) => format!("{} × {stem}", group.members.len()),
            NodeId::Alike(_, kind, _) => format!("{} {}", group.members.len(), kind.plural()),
        }
    }

    fn show_levels(&mut self) {
        let numbers: Vec<NodeNumber> = self.nodes.iter().map(|(number, _)| *number).collect();
        numbers.into_iter().for_each(|number| self.show_level_of(number));
    }

    fn show_level(&mut self, key: Key) {
        if let Some(number) = self.node_of.get(&key).copied() {
            self.show_level_of(number);
        }
    }

    fn show_level_of(&mut self, number: NodeNumber) {
        let Some(node) = self.nodes.get_mut(&number) else { return };
        node.level = node.group.members.first().and_then(|key| self.crowd.level(*key));
        node.note = node.level_words();
    }
}
