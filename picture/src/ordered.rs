//! A map that is a sorted list, and one sort for all.
//!
//! The standard library's map and its sorts are made for millions; each type that they are used with costs a page that
//! loads them some kilobytes. Here are a few hundred entries, read far more often than changed.

use std::cmp::Ordering;

/// Values by key, in the order of the keys.
#[derive(Clone, Debug)]
pub(crate) struct Ordered<Key, Value>(Vec<(Key, Value)>);

impl<Key, Value> Default for Ordered<Key, Value> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<Key: Ord, Value> Ordered<Key, Value> {
    /// The value of a key.
    pub(crate) fn get(&self, key: &Key) -> Option<&Value> {
        let at = self.find(key).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// The value of a key, to be changed.
    pub(crate) fn get_mut(&mut self, key: &Key) -> Option<&mut Value> {
        let at = self.find(key).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// The value of a key, which is put there if it has none.
    pub(crate) fn get_or_insert(&mut self, key: Key, value: impl FnOnce() -> Value) -> &mut Value {
        let at = match self.find(&key) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (key, value()));
                at
            }
        };
        &mut self.0[at].1
    }

    /// Whether a key has a value.
    pub(crate) fn contains_key(&self, key: &Key) -> bool {
        self.find(key).is_ok()
    }

    /// Puts a value in the place of another, or where none was.
    pub(crate) fn insert(&mut self, key: Key, value: Value) {
        match self.find(&key) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    /// Takes a value away.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Value> {
        let at = self.find(key).ok()?;
        Some(self.0.remove(at).1)
    }

    /// Keeps only those that are wanted.
    pub(crate) fn retain(&mut self, mut is_wanted: impl FnMut(&Key, &mut Value) -> bool) {
        self.0.retain_mut(|(key, value)| is_wanted(key, value));
    }

    /// Takes everything away.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, &Value)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// All, in order, the values to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut Value)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The values, in order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().map(|(_, value)| value)
    }

    /// The values, in order, to be changed.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// All, in order, each for itself.
    pub(crate) fn into_entries(self) -> Vec<(Key, Value)> {
        self.0
    }

    fn find(&self, key: &Key) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(key))
    }
}

/// The numbers below `count`, in an order; equals stay as they are.
pub(crate) fn sorted(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|left, right| compare(*left, *right));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_map_in_the_order_of_its_keys() {
        let mut map = Ordered::default();
        for key in [5, 1, 9, 1] {
            map.insert(key, key * 10);
        }
        *map.get_or_insert(7, || 0) += 1;
        *map.get_or_insert(7, || 0) += 1;
        assert_eq!(map.remove(&9), Some(90));
        assert_eq!((map.get(&5), map.get(&9), map.contains_key(&1)), (Some(&50), None, true));
        map.retain(|key, _| *key != 5);
        assert_eq!(map.into_entries(), [(1, 10), (7, 2)]);
    }

    #[test]
    fn it_behaves_like_the_map_of_the_standard_library() {
        let (mut ours, mut theirs) = (Ordered::default(), std::collections::BTreeMap::new());
        let mut scramble = 1_u32;
        for _ in 0..5_000 {
            scramble = scramble.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = scramble >> 25;
            if scramble & 1 == 0 {
                ours.insert(key, scramble);
                theirs.insert(key, scramble);
            } else {
                assert_eq!(ours.remove(&key), theirs.remove(&key));
            }
        }
        assert!(ours.iter().eq(theirs.iter()) && ours.len() == theirs.len());
    }

    #[test]
    fn equals_stay_in_their_order() {
        let sizes = [2, 1, 2, 1];
        assert_eq!(sorted(4, &|left, right| sizes[left].cmp(&sizes[right])), [1, 3, 0, 2]);
    }
}
