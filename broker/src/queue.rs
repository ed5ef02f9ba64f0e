//! Messages on their way to one session, and the queue in which they wait for the client or for room in its window.
//!
//! How much may wait is decided where it is put in: see `deliver`.

use crate::Message;
use alloc::{boxed::Box, collections::VecDeque, rc::Rc, vec::Vec};
use core::mem;
use luxwire_shared::{
    mqtt::{QoS, Subscribable, SubscriptionId},
    time::Instant,
};

/// A message on its way to one session.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) message: Rc<Message>,
    pub(crate) qos: QoS,
    /// The RETAIN flag that this receiver sees.
    pub(crate) retain: bool,
    /// What the subscriptions add, which for most is nothing.
    matched: Option<Rc<Matched>>,
}

/// What a message brings from the subscriptions that it came by.
#[derive(Debug)]
struct Matched {
    subscription_ids: Box<[SubscriptionId]>,
    share: Option<Rc<Subscribable>>,
}

impl Pending {
    /// See the getters of the same names.
    #[inline]
    pub(crate) fn new(
        message: Rc<Message>,
        qos: QoS,
        retain: bool,
        subscription_ids: &[SubscriptionId],
        share: Option<&Rc<Subscribable>>,
    ) -> Self {
        let says_something = !subscription_ids.is_empty() || share.is_some();
        let matched = says_something
            .then(|| Rc::new(Matched { subscription_ids: subscription_ids.into(), share: share.cloned() }));
        Self { message, qos, retain, matched }
    }

    /// Those of the receiver's subscriptions that match.
    #[inline]
    pub(crate) fn subscription_ids(&self) -> &[SubscriptionId] {
        self.matched.as_ref().map_or(&[], |matched| &matched.subscription_ids)
    }

    /// The shared subscription that it came by, if any: another member may have to take it.
    pub(crate) fn share(&self) -> Option<&Rc<Subscribable>> {
        self.matched.as_ref()?.share.as_ref()
    }
}

/// Messages that wait, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Pending>,
    bytes: usize,
    /// How many came by a shared subscription.
    shared: usize,
    /// Nothing expires before this; `None` if nothing ever does.
    next_expiry: Option<Instant>,
}

impl Queue {
    pub(crate) fn push(&mut self, pending: Pending) {
        self.bytes += pending.message.size();
        self.shared += usize::from(pending.share().is_some());
        self.next_expiry = [self.next_expiry, pending.message.expires_at()].into_iter().flatten().min();
        self.waiting.push_back(pending);
    }

    pub(crate) fn front(&self) -> Option<&Pending> {
        self.waiting.front()
    }

    pub(crate) fn pop(&mut self) -> Option<Pending> {
        let pending = self.waiting.pop_front()?;
        self.bytes -= pending.message.size();
        self.shared -= usize::from(pending.share().is_some());
        if self.waiting.is_empty() && self.waiting.capacity() > ROOM_KEPT {
            // A backlog that is over leaves no memory behind.
            self.waiting = VecDeque::new();
        }
        Some(pending)
    }

    /// Takes out what has expired. A queue that is full is asked for every message, so that it looks at its own only
    /// when there is something to find.
    pub(crate) fn drop_expired(&mut self, now: Instant) -> Vec<Pending> {
        if self.next_expiry.is_none_or(|at| at > now) {
            return Vec::new();
        }
        let expired = self.take_out(|pending| pending.message.has_expired(now));
        self.next_expiry = self.waiting.iter().filter_map(|pending| pending.message.expires_at()).min();
        expired
    }

    /// Takes out those of which this is true, in order.
    pub(crate) fn take_out(&mut self, is_wanted: impl FnMut(&Pending) -> bool) -> Vec<Pending> {
        let (taken, kept) = mem::take(&mut self.waiting).into_iter().partition::<Vec<_>, _>(is_wanted);
        self.waiting = kept.into();
        self.bytes -= taken.iter().map(|pending| pending.message.size()).sum::<usize>();
        self.shared -= taken.iter().filter(|pending| pending.share().is_some()).count();
        taken
    }

    /// Whether another member of some group might have to take one of them.
    pub(crate) fn has_shared(&self) -> bool {
        self.shared > 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// How many messages an empty queue keeps room for.
const ROOM_KEPT: usize = 64;
