//! Who subscribed to one filter, in the order of their keys.
//!
//! Most filters have one subscriber, some have thousands. A few lie side by side, where they take sixteen bytes each and
//! are found as quickly as anywhere; many are in a tree, where one more does not move the others.

use crate::{session::SessionKey, subscriptions::Subscription};
use alloc::{collections::BTreeMap, vec::Vec};

/// The subscribers of one filter.
#[derive(Debug)]
pub(crate) enum Subscribers {
    /// At most [`FEW`], sorted.
    Few(Vec<(SessionKey, Subscription)>),
    /// Were more than that at some time, and are not all gone.
    Many(BTreeMap<SessionKey, Subscription>),
}

impl Subscribers {
    pub(crate) const fn new() -> Self {
        Self::Few(Vec::new())
    }

    /// Returns what the session had before.
    pub(crate) fn insert(&mut self, session: SessionKey, subscription: Subscription) -> Option<Subscription> {
        match self {
            Self::Few(few) => match few.binary_search_by_key(&session, |(key, _)| *key) {
                Ok(at) => few.get_mut(at).map(|(_, had)| core::mem::replace(had, subscription)),
                Err(at) if few.len() < FEW => {
                    if few.is_empty() {
                        // One, as a rule.
                        few.reserve_exact(1);
                    }
                    few.insert(at, (session, subscription));
                    None
                }
                Err(_) => {
                    let mut many: BTreeMap<_, _> = few.drain(..).collect();
                    many.insert(session, subscription);
                    *self = Self::Many(many);
                    None
                }
            },
            Self::Many(many) => many.insert(session, subscription),
        }
    }

    pub(crate) fn remove(&mut self, session: SessionKey) -> Option<Subscription> {
        match self {
            Self::Few(few) => {
                let at = few.binary_search_by_key(&session, |(key, _)| *key).ok()?;
                Some(few.remove(at).1)
            }
            Self::Many(many) => {
                let removed = many.remove(&session);
                if many.is_empty() {
                    *self = Self::new();
                }
                removed
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Few(few) => few.is_empty(),
            Self::Many(many) => many.is_empty(),
        }
    }

    #[inline]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SessionKey, Subscription)> {
        let (few, many) = match self {
            Self::Few(few) => (few.as_slice(), None),
            Self::Many(many) => (&[][..], Some(many)),
        };
        few.iter().copied().chain(many.into_iter().flatten().map(|(key, subscription)| (*key, *subscription)))
    }
}

/// Moving so many costs less than a tree does.
const FEW: usize = 32;
