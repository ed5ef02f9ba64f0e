//! The table of links. The number of a link says where in the table it is, so that finding one, which every message does,
//! is a matter of one comparison.

use super::link::Link;
use luxwire_broker::LinkId;
use std::{cmp::Reverse, collections::BinaryHeap};

/// All links over sockets.
pub(super) struct Links<L = Link> {
    /// The last of them is never empty.
    slots: Vec<Slot<L>>,
    /// Places that are empty, the first of them first; also some that are not there any more.
    free: BinaryHeap<Reverse<usize>>,
    len: usize,
    /// How many numbers were given out.
    numbers: u64,
}

/// A place for a link, and its number, or the number of the last one that was there. It begins where a line of the cache
/// does, as what each message looks at is in the first two.
#[repr(C, align(64))]
struct Slot<L> {
    id: LinkId,
    // Where it lies and not in a box: beside the blocks of tokio's tasks and sockets, which the allocator places at multiples of
    // 128, each box would cost half of itself again.
    link: Option<L>,
}

// What `limits::CONNECTIONS` says of memory rests on it.
const _: () = assert!(size_of::<Slot<Link>>() == 256);

/// The lower bits of a number are the place, the upper ones count: no number is given twice.
const PLACE_BITS: u32 = 24;
/// The place of whatever is not in the table. More links than it has places is more than `limits.connections` can allow.
const NOWHERE: usize = (1 << PLACE_BITS) - 1;

impl<L> Default for Links<L> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: BinaryHeap::new(), len: 0, numbers: 0 }
    }
}

impl<L> Links<L> {
    /// A number for something that is not in the table.
    pub(super) fn number(&mut self) -> LinkId {
        self.number_at(NOWHERE)
    }

    /// Takes a link in, and gives its number. It gets the first place that is empty, so that the last ones become empty in
    /// time, whoever stays.
    pub(super) fn insert(&mut self, link: L) -> LinkId {
        let link = Some(link);
        let place = match self.free.pop() {
            Some(Reverse(place)) if place < self.slots.len() => place,
            // Nor are those behind it.
            Some(_) | None => {
                self.free.clear();
                self.slots.len()
            }
        };
        self.len += 1;
        let id = self.number_at(place);
        match self.slots.get_mut(place) {
            Some(slot) => *slot = Slot { id, link },
            None => self.slots.push(Slot { id, link }),
        }
        id
    }

    #[inline]
    pub(super) fn get(&self, id: LinkId) -> Option<&L> {
        let slot = self.slots.get(place(id)).filter(|slot| slot.id == id)?;
        slot.link.as_ref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: LinkId) -> Option<&mut L> {
        let slot = self.slots.get_mut(place(id)).filter(|slot| slot.id == id)?;
        slot.link.as_mut()
    }

    pub(super) fn remove(&mut self, id: LinkId) -> Option<L> {
        let slot = self.slots.get_mut(place(id)).filter(|slot| slot.id == id)?;
        let link = slot.link.take()?;
        self.free.push(Reverse(place(id)));
        self.len -= 1;
        while self.slots.pop_if(|slot| slot.link.is_none()).is_some() {}
        if self.slots.len() < self.slots.capacity() / 4 {
            // What many needed is not kept for the few that are left.
            self.slots.shrink_to(2 * self.slots.len());
        }
        if self.is_empty() {
            self.free = BinaryHeap::new();
        }
        Some(link)
    }

    /// The link at a place, and its number.
    #[inline]
    pub(super) fn at_mut(&mut self, place: usize) -> Option<(LinkId, &mut L)> {
        let Slot { id, link } = self.slots.get_mut(place)?;
        Some((*id, link.as_mut()?))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (LinkId, &L)> {
        self.slots.iter().filter_map(|slot| Some((slot.id, slot.link.as_ref()?)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn number_at(&mut self, place: usize) -> LinkId {
        let id = LinkId(self.numbers << PLACE_BITS | place as u64);
        self.numbers += 1;
        id
    }
}

/// Where in the table a link is.
#[inline]
pub(super) fn place(id: LinkId) -> usize {
    id.0 as usize & NOWHERE
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_number_is_given_twice_though_places_are() {
        let mut links = Links::default();
        let mut numbers = HashSet::new();
        let stays = links.insert(0);
        for link in 1..100 {
            let id = links.insert(link);
            assert!(numbers.insert(id) && numbers.insert(links.number()));
            assert_eq!(links.remove(id), Some(link));
        }
        assert!(!numbers.contains(&stays));
        assert_eq!(links.slots.len(), 1, "a place that is free is taken, or is gone");
    }

    #[test]
    fn a_number_finds_its_own_link_and_none_that_has_its_place_now() {
        let mut links = Links::default();
        let stays = links.insert('a');
        let left = links.insert('b');
        links.remove(left);
        let came = links.insert('c');
        assert_eq!(place(left), place(came));
        assert!(links.get(left).is_none() && links.get_mut(left).is_none() && links.remove(left).is_none());
        assert_eq!((links.get(came), links.get(stays)), (Some(&'c'), Some(&'a')));
        assert_eq!(links.at_mut(place(came)), Some((came, &mut 'c')));
        assert_eq!(links.at_mut(NOWHERE), None);
        let elsewhere = links.number();
        assert_eq!(links.get(elsewhere), None);
        assert_eq!(links.iter().map(|(_, link)| *link).collect::<String>(), "ac");
    }

    #[test]
    fn when_the_last_link_goes_nothing_is_kept() {
        let mut links = Links::default();
        let all: Vec<_> = (0..100).map(|link| links.insert(link)).collect();
        assert!(!links.is_empty());
        for id in &all {
            links.remove(*id);
        }
        assert!(links.is_empty() && links.slots.capacity() == 0 && links.free.capacity() == 0);
        assert!(!all.contains(&links.insert(0)));
    }

    #[test]
    fn newcomers_take_the_first_places_so_that_the_last_ones_are_let_go() {
        let mut links = Links::default();
        let all: Vec<_> = (0..1000).map(|link| links.insert(link)).collect();
        let last = all[999];
        for id in &all[..999] {
            links.remove(*id);
        }
        assert_eq!((links.len, links.slots.len()), (1, 1000), "the last one stays where it is");
        let came = links.insert(1000);
        assert_eq!(place(came), 0);
        links.remove(last);
        assert_eq!(links.slots.len(), 1);
        assert!(links.slots.capacity() < 250);
        // Of the places that were empty, none is there any more.
        let more: Vec<_> = (0..10).map(|link| links.insert(link)).collect();
        assert_eq!(more.iter().map(|id| place(*id)).collect::<Vec<_>>(), (1..11).collect::<Vec<_>>());
        assert!(more.iter().all(|id| links.get(*id).is_some() && !all.contains(id)));
        assert_eq!(links.iter().count(), links.len);
    }
}
