//! The table of links. The number of a link says where in the table it is, so that finding one, which every message does,
//! is a matter of one comparison.

use super::link::Link;
use luxwire_broker::LinkId;

/// All links over sockets.
#[derive(Default)]
pub(super) struct Links {
    slots: Vec<Slot>,
    free: Vec<usize>,
    /// How many numbers were given out.
    numbers: u64,
}

/// A place for a link, and its number, or the number of the last one that was there.
struct Slot {
    id: LinkId,
    // Boxed, so that a place that is empty costs little.
    link: Option<Box<Link>>,
}

/// The lower bits of a number are the place, the upper ones count: no number is given twice.
const PLACE_BITS: u32 = 24;
/// The place of whatever is not in the table. More links than it has places is more than `limits.connections` can allow.
const NOWHERE: usize = (1 << PLACE_BITS) - 1;

impl Links {
    /// A number for something that is not in the table.
    pub(super) fn number(&mut self) -> LinkId {
        self.number_at(NOWHERE)
    }

    /// Takes a link in, and gives its number.
    pub(super) fn insert(&mut self, link: Link) -> LinkId {
        let link = Some(Box::new(link));
        let place = self.free.pop().unwrap_or(self.slots.len());
        let id = self.number_at(place);
        match self.slots.get_mut(place) {
            Some(slot) => *slot = Slot { id, link },
            None => self.slots.push(Slot { id, link }),
        }
        id
    }

    #[inline]
    pub(super) fn get(&self, id: LinkId) -> Option<&Link> {
        let slot = self.slots.get(place(id)).filter(|slot| slot.id == id)?;
        slot.link.as_deref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        let slot = self.slots.get_mut(place(id)).filter(|slot| slot.id == id)?;
        slot.link.as_deref_mut()
    }

    pub(super) fn remove(&mut self, id: LinkId) -> Option<Box<Link>> {
        let slot = self.slots.get_mut(place(id)).filter(|slot| slot.id == id)?;
        let link = slot.link.take()?;
        self.free.push(place(id));
        if self.is_empty() {
            // What many needed is not kept for the few that may come.
            (self.slots, self.free) = (Vec::new(), Vec::new());
        }
        Some(link)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Link> {
        self.slots.iter_mut().filter_map(|slot| slot.link.as_deref_mut())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.free.len() == self.slots.len()
    }

    fn number_at(&mut self, place: usize) -> LinkId {
        let id = LinkId(self.numbers << PLACE_BITS | place as u64);
        self.numbers += 1;
        id
    }
}

#[inline]
fn place(id: LinkId) -> usize {
    id.0 as usize & NOWHERE
}
