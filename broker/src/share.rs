//! Shared subscriptions: each message goes to one member of a group. [MQTT-4.8.2]
//!
//! The members have their turns, and whose turn it is gets the message if it can be sent to that member at once. Where
//! that is true of nobody, it waits with the member that has the least before it: with one that is connected if there
//! is any, otherwise with one that is away.
//!
//! A message that waits goes to another member when its own goes away, comes back to find others waiting for it, or
//! ends its session. One that was sent and not acknowledged stays with its member for as long as that member's session
//! lives [MQTT-4.8.2-4]; after that QoS 1 goes to another, and QoS 2 to nobody, since the member may have had it.
//! [MQTT-4.8.2-5] What a member refuses, it refuses for all. [MQTT-4.8.2-6]

use crate::{
    Limits, Passing,
    broker::Broker,
    deliver::Matching,
    queue::Pending,
    session::{Readiness, Session, SessionKey, Sessions},
    subscriptions::{NodeId, Subscription},
    turn::Turn,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};
use core::ops::Bound::{Excluded, Unbounded};
use luxwire_shared::mqtt::{ShareName, Subscribable, flow::Stage};

/// The groups that share one filter.
#[derive(Debug, Default)]
pub(crate) struct Groups(BTreeMap<ShareName, Group>);

/// Those who share one filter under one name.
#[derive(Debug)]
pub(crate) struct Group {
    /// By which a message remembers whose it is, should its member vanish.
    name: Rc<Subscribable>,
    members: BTreeMap<SessionKey, Subscription>,
    /// Who had the latest turn.
    latest: Option<SessionKey>,
}

impl Groups {
    /// Enters a member, or gives it other options; says under which name, and whether it is new.
    pub(crate) fn join(
        &mut self,
        name: &Subscribable,
        share: &ShareName,
        session: SessionKey,
        subscription: Subscription,
    ) -> (Rc<Subscribable>, bool) {
        let group = self.0.entry(share.detached()).or_insert_with(|| Group {
            name: Rc::new(name.detached()),
            members: BTreeMap::new(),
            latest: None,
        });
        let is_new = group.members.insert(session, subscription).is_none();
        (Rc::clone(&group.name), is_new)
    }

    /// Says whether there was such a member.
    pub(crate) fn leave(&mut self, share: &ShareName, session: SessionKey) -> bool {
        let Some(group) = self.0.get_mut(share) else { return false };
        let was_member = group.members.remove(&session).is_some();
        if group.members.is_empty() {
            self.0.remove(share);
        }
        was_member
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get_mut(&mut self, share: &ShareName) -> Option<&mut Group> {
        self.0.get_mut(share)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Group> {
        self.0.values_mut()
    }
}

impl Group {
    /// Who of those that may read it gets the message, and how far that member is from taking it. Nobody's turn passes by
    /// asking.
    fn next(
        &self,
        sessions: &Sessions,
        limits: &Limits,
        passing: &Passing<'_>,
    ) -> Option<(SessionKey, Readiness)> {
        let after = self.latest.map_or(Unbounded, Excluded);
        let in_turn = self.members.range((after, Unbounded)).chain(&self.members);
        let mut best = None;
        for (key, subscription) in in_turn.take(self.members.len()) {
            if !sessions[*key].may_read(passing.message().topic) {
                continue;
            }
            let readiness = sessions[*key].readiness(passing, *subscription, limits);
            if readiness == Readiness::AtOnce {
                return Some((*key, readiness));
            }
            if best.is_none_or(|(_, other)| readiness < other) {
                best = Some((*key, readiness));
            }
        }
        best
    }

    fn hand(
        &mut self,
        turn: &mut Turn<'_>,
        sessions: &mut Sessions,
        limits: &Limits,
        passing: &Passing<'_>,
        key: SessionKey,
    ) {
        let Some(subscription) = self.members.get(&key) else { return };
        self.latest = Some(key);
        // [MQTT-4.8.2-3]
        let matching = Matching::shared(subscription, &self.name);
        sessions[key].deliver(turn, limits, passing, matching);
    }
}

impl Broker {
    /// Hands the message to one member of each group that shares this filter; says whether there was one.
    pub(crate) fn route_shared(&mut self, turn: &mut Turn<'_>, passing: &Passing<'_>, node: NodeId) -> bool {
        let Some(groups) = self.subscriptions.groups_mut(node) else { return false };
        let mut anybody = false;
        for group in groups.iter_mut() {
            if let Some((key, _)) = group.next(&self.sessions, &self.limits, passing) {
                group.hand(turn, &mut self.sessions, &self.limits, passing, key);
                anybody = true;
            }
        }
        anybody
    }

    /// The member went away and its session waits for it: whoever is there takes what was not sent.
    pub(crate) fn member_left(&mut self, turn: &mut Turn<'_>, key: SessionKey) {
        let session = &self.sessions[key];
        if !session.queue.has_shared() {
            return;
        }
        let mut names = BTreeSet::new();
        for (name, node) in &session.shares {
            let group = name.share.as_ref().zip(self.subscriptions.groups_mut(*node));
            let group = group.and_then(|(share, groups)| groups.get_mut(share));
            let is_there = |key: &SessionKey| self.sessions[*key].connection.is_some();
            if group.is_some_and(|group| group.members.keys().any(is_there)) {
                names.insert(Rc::clone(name));
            }
        }
        self.pass_on_waiting(turn, key, &names);
    }

    /// A member of these groups is there: it takes part in what waits with those who are away.
    pub(crate) fn member_came(&mut self, turn: &mut Turn<'_>, names: &BTreeMap<Rc<Subscribable>, NodeId>) {
        let mut away = BTreeSet::new();
        for (name, node) in names {
            let group = name.share.as_ref().zip(self.subscriptions.groups_mut(*node));
            let Some(group) = group.and_then(|(share, groups)| groups.get_mut(share)) else { continue };
            let holds_something_up = |key: &SessionKey| {
                let session = &self.sessions[*key];
                session.connection.is_none() && session.queue.has_shared()
            };
            away.extend(group.members.keys().copied().filter(holds_something_up));
        }
        let names = if away.is_empty() { BTreeSet::new() } else { names.keys().cloned().collect() };
        // Each of them is looked through once, however many groups it has in common with whoever came.
        for key in away {
            self.pass_on_waiting(turn, key, &names);
        }
    }

    fn pass_on_waiting(&mut self, turn: &mut Turn<'_>, key: SessionKey, names: &BTreeSet<Rc<Subscribable>>) {
        let is_theirs = |pending: &Pending| pending.share().is_some_and(|name| names.contains(name));
        if names.is_empty() {
            return;
        }
        for pending in self.sessions[key].queue.take_out(is_theirs) {
            self.pass_on(turn, pending);
        }
    }

    /// The member's session is over, and it is no member any more.
    pub(crate) fn member_ended(&mut self, turn: &mut Turn<'_>, session: Session) {
        let unacknowledged = session.outgoing.into_unacknowledged().filter_map(|stage| match stage {
            Stage::AwaitsPuback(pending) => Some(pending),
            // [MQTT-4.8.2-5]
            Stage::AwaitsPubrec(_) | Stage::AwaitsPubcomp => None,
        });
        let mut queue = session.queue;
        for pending in unacknowledged.chain(core::iter::from_fn(|| queue.pop())) {
            if pending.share().is_some() {
                self.pass_on(turn, pending);
            }
        }
    }

    /// Gives a message to whichever member has the next turn. If the group is gone, so is the message.
    fn pass_on(&mut self, turn: &mut Turn<'_>, pending: Pending) {
        let Some(name) = pending.share() else { return };
        let Some((share, node)) = name.share.as_ref().zip(self.subscriptions.find(&name.filter)) else {
            return;
        };
        let groups = self.subscriptions.groups_mut(node);
        let Some(group) = groups.and_then(|groups| groups.get_mut(share)) else { return };
        let passing = Passing::kept(&pending.message);
        if passing.message().has_expired(turn.now.instant) {
            return;
        }
        if let Some((key, _)) = group.next(&self.sessions, &self.limits, &passing) {
            group.hand(turn, &mut self.sessions, &self.limits, &passing, key);
        }
    }
}
