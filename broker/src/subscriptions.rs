//! Who subscribed to what: a trie of topic levels, from a topic to its subscriptions without looking at the others.
//!
//! It walks level by level with a list of the nodes that it stands on, so that no topic, however deep, can use up the
//! stack. It knows sessions by their key only.

use crate::{
    routes::{Place, Routes},
    session::SessionKey,
    share::Groups,
    subscribers::Subscribers,
};
use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    vec::Vec,
};
use core::{hash::BuildHasher, mem};
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use luxwire_shared::mqtt::{Level, QoS, ShareName, Subscribable, SubscriptionId, TopicFilter, TopicRef};

/// The node at which a filter ends. A session keeps those of its subscriptions, which keeps the nodes alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(u32);

#[cfg(test)]
impl From<u32> for NodeId {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

/// What was granted to one subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub(crate) qos: QoS,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
    pub(crate) id: Option<SubscriptionId>,
}

/// The trie.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    nodes: Vec<Node>,
    free: Vec<NodeId>,
    /// All children that are named by text, found by parent and text. One table for the whole trie: a node without
    /// children costs nothing here.
    children: HashTable<NodeId>,
    hasher: FixedState,
    count: usize,
    shared_count: usize,
    routes: Routes,
    /// Empty between two walks; kept for its capacity.
    walk: Walk,
}

/// The nodes that a walk stands on, those that it reaches from there, and those that it was for.
#[derive(Debug, Default)]
struct Walk {
    standing: Vec<NodeId>,
    reached: Vec<NodeId>,
    found: Vec<NodeId>,
}

#[derive(Debug)]
struct Node {
    parent: NodeId,
    level: Box<str>,
    plus: Option<NodeId>,
    hash: Option<NodeId>,
    children: u32,
    subscribers: Subscribers,
    /// Those who share this filter with others; `None` if nobody does.
    groups: Option<Box<Groups>>,
}

const ROOT: NodeId = NodeId(0);

impl Subscriptions {
    pub(crate) fn new(hash_seed: u64) -> Self {
        Self {
            nodes: Vec::from([Node::new(ROOT, "")]),
            free: Vec::new(),
            children: HashTable::new(),
            hasher: FixedState::with_seed(hash_seed),
            count: 0,
            shared_count: 0,
            routes: Routes::new(hash_seed),
            walk: Walk::default(),
        }
    }

    /// Enters a subscription. An earlier one of the same session to the same filter is replaced and returned.
    /// [MQTT-3.8.4-3]
    pub(crate) fn insert(
        &mut self,
        filter: &TopicFilter,
        session: SessionKey,
        subscription: Subscription,
    ) -> (NodeId, Option<Subscription>) {
        let node = self.node_of(filter);
        if !self.node(node).is_the_end_of_a_filter() {
            self.routes.forget();
        }
        let replaced = self.node_mut(node).subscribers.insert(session, subscription);
        self.count += usize::from(replaced.is_none());
        (node, replaced)
    }

    /// The node at which the filter ends; its way there is made if there is none.
    fn node_of(&mut self, filter: &TopicFilter) -> NodeId {
        filter.levels().fold(ROOT, |node, level| match level {
            Level::Text(text) => self.child_or_new(node, text),
            Level::Plus => match self.node(node).plus {
                Some(plus) => plus,
                None => {
                    let plus = self.add(node, "+");
                    self.node_mut(node).plus = Some(plus);
                    plus
                }
            },
            Level::Hash => match self.node(node).hash {
                Some(hash) => hash,
                None => {
                    let hash = self.add(node, "#");
                    self.node_mut(node).hash = Some(hash);
                    hash
                }
            },
        })
    }

    /// Enters a member of a group, or gives it other options. [MQTT-3.8.4-3]
    pub(crate) fn join(
        &mut self,
        name: &Subscribable,
        share: &ShareName,
        session: SessionKey,
        subscription: Subscription,
    ) -> (NodeId, Rc<Subscribable>) {
        let node = self.node_of(&name.filter);
        if !self.node(node).is_the_end_of_a_filter() {
            self.routes.forget();
        }
        let groups = self.node_mut(node).groups.get_or_insert_default();
        let (name, is_new) = groups.join(name, share, session, subscription);
        self.shared_count += usize::from(is_new);
        (node, name)
    }

    /// Removes a member from its group; says whether it was one.
    pub(crate) fn leave(&mut self, node: NodeId, share: &ShareName, session: SessionKey) -> bool {
        let groups = &mut self.node_mut(node).groups;
        let was_member = groups.as_mut().is_some_and(|groups| groups.leave(share, session));
        if was_member {
            if groups.as_ref().is_some_and(|groups| groups.is_empty()) {
                *groups = None;
            }
            self.shared_count -= 1;
            self.no_longer_needed(node);
        }
        was_member
    }

    /// The groups that share the filter that ends here.
    pub(crate) fn groups_mut(&mut self, node: NodeId) -> Option<&mut Groups> {
        self.node_mut(node).groups.as_deref_mut()
    }

    /// The node at which exactly this filter ends, if anybody subscribed to it. [MQTT-3.10.4-1]
    pub(crate) fn find(&self, filter: &TopicFilter) -> Option<NodeId> {
        filter.levels().try_fold(ROOT, |node, level| match level {
            Level::Text(text) => self.child(node, text.as_bytes()),
            Level::Plus => self.node(node).plus,
            Level::Hash => self.node(node).hash,
        })
    }

    /// Removes the subscription of one session at a node; says whether there was one.
    pub(crate) fn remove(&mut self, node: NodeId, session: SessionKey) -> bool {
        let removed = self.node_mut(node).subscribers.remove(session).is_some();
        if removed {
            self.count -= 1;
            self.no_longer_needed(node);
        }
        removed
    }

    /// The session ends.
    pub(crate) fn remove_all(
        &mut self,
        session: SessionKey,
        nodes: &BTreeSet<NodeId>,
        shares: &BTreeMap<Rc<Subscribable>, NodeId>,
    ) {
        for node in nodes {
            self.remove(*node, session);
        }
        for (name, node) in shares {
            if let Some(share) = &name.share {
                self.leave(*node, share, session);
            }
        }
    }

    /// Finds the nodes whose filters match, in an order that depends on nothing but the filters.
    #[inline]
    pub(crate) fn matching(&mut self, topic: TopicRef<'_>) -> Place {
        self.routes.known(topic).unwrap_or_else(|| self.walk(topic))
    }

    /// What [`Subscriptions::matching`] found.
    pub(crate) fn matched(&self, place: Place) -> &[NodeId] {
        self.routes.nodes(place)
    }

    fn walk(&mut self, topic: TopicRef<'_>) -> Place {
        let Walk { mut standing, mut reached, mut found } = mem::take(&mut self.walk);
        standing.push(ROOT);
        // [MQTT-4.7.2-1] A wildcard at the top does not see names that begin with `$`.
        let mut wildcards_see_it = !topic.is_reserved();
        // It never leaves the root: nobody subscribed to anything that begins like this.
        let mut is_short = true;
        for level in topic.as_bytes().split(|byte| *byte == b'/') {
            for &at in &standing {
                let node = self.node(at);
                if wildcards_see_it {
                    found.extend(node.hash);
                    reached.extend(node.plus);
                }
                reached.extend(self.child(at, level));
            }
            standing.clear();
            mem::swap(&mut standing, &mut reached);
            if standing.is_empty() {
                break;
            }
            wildcards_see_it = true;
            is_short = false;
        }
        for &at in &standing {
            let node = self.node(at);
            if node.is_the_end_of_a_filter() {
                found.push(at);
            }
            // `a/#` matches `a` as well.
            found.extend(node.hash);
        }
        standing.clear();
        let place =
            if is_short { self.routes.pass_over(&found) } else { self.routes.remember(topic, &found) };
        found.clear();
        self.walk = Walk { standing, reached, found };
        place
    }

    /// Who subscribed to the filter that ends here, in the order of their keys.
    pub(crate) fn subscribers(&self, node: NodeId) -> impl Iterator<Item = (SessionKey, Subscription)> {
        self.node(node).subscribers.iter()
    }

    /// The filter that ends at a node: what [`Subscriptions::insert`] was given, put together again level by level.
    pub(crate) fn filter(&self, node: NodeId) -> TopicFilter {
        let mut levels = Vec::new();
        let mut at = node;
        while at != ROOT {
            let node = self.node(at);
            levels.push(&*node.level);
            at = node.parent;
        }
        levels.reverse();
        TopicFilter::try_from(levels.join("/").as_str()).expect("somebody subscribed to it")
    }

    /// How many subscriptions there are, shared ones among them.
    pub(crate) fn len(&self) -> usize {
        self.count + self.shared_count
    }

    /// How many of them are shared.
    pub(crate) fn shared_len(&self) -> usize {
        self.shared_count
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    /// `level` is text: bytes, so that a topic need not be looked at as such.
    fn child(&self, parent: NodeId, level: &[u8]) -> Option<NodeId> {
        if self.node(parent).children == 0 {
            return None;
        }
        let hash = self.hasher.hash_one((parent.0, level));
        self.children
            .find(hash, |id| {
                let node = self.node(*id);
                node.parent == parent && node.level.as_bytes() == level
            })
            .copied()
    }

    fn child_or_new(&mut self, parent: NodeId, level: &str) -> NodeId {
        if let Some(child) = self.child(parent, level.as_bytes()) {
            return child;
        }
        let child = self.add(parent, level);
        self.node_mut(parent).children += 1;
        let Self { nodes, children, hasher, .. } = self;
        let hash_of = |id: &NodeId| {
            let node = &nodes[id.0 as usize];
            hasher.hash_one((node.parent.0, node.level.as_bytes()))
        };
        children.insert_unique(hash_of(&child), child, hash_of);
        child
    }

    fn add(&mut self, parent: NodeId, level: &str) -> NodeId {
        let node = Node::new(parent, level);
        match self.free.pop() {
            Some(id) => {
                *self.node_mut(id) = node;
                id
            }
            None => {
                self.nodes.push(node);
                NodeId(u32::try_from(self.nodes.len() - 1).expect("memory ends before 2^32 nodes"))
            }
        }
    }

    /// Removes what is there for the sake of this node only, if nobody subscribes to it any more. Routes may go on leading
    /// here: they find nobody, and before the node gets another filter all routes are forgotten.
    fn no_longer_needed(&mut self, node: NodeId) {
        if !self.node(node).is_the_end_of_a_filter() {
            self.prune(node);
        }
    }

    /// Removes nodes that lead nowhere, from this one upwards.
    fn prune(&mut self, mut id: NodeId) {
        while id != ROOT && self.node(id).leads_nowhere() {
            let Node { parent, level, .. } = mem::replace(self.node_mut(id), Node::new(ROOT, ""));
            let above = self.node_mut(parent);
            if above.plus == Some(id) {
                above.plus = None;
            } else if above.hash == Some(id) {
                above.hash = None;
            } else {
                above.children -= 1;
                let hash = self.hasher.hash_one((parent.0, level.as_bytes()));
                let entry = self.children.find_entry(hash, |candidate| *candidate == id);
                entry.expect("every child that text names is in the table").remove();
            }
            self.free.push(id);
            id = parent;
        }
    }
}

impl Node {
    fn new(parent: NodeId, level: &str) -> Self {
        Self {
            parent,
            level: level.into(),
            plus: None,
            hash: None,
            children: 0,
            subscribers: Subscribers::new(),
            groups: None,
        }
    }

    /// Whether somebody subscribed to the filter that ends here.
    fn is_the_end_of_a_filter(&self) -> bool {
        !self.subscribers.is_empty() || self.groups.is_some()
    }

    fn leads_nowhere(&self) -> bool {
        !self.is_the_end_of_a_filter() && self.children == 0 && self.plus.is_none() && self.hash.is_none()
    }
}
