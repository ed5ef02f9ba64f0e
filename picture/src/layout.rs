//! Where everybody stands: who publishes before the broker, who follows behind it, who does both beside it.
//!
//! A place once taken is kept: who comes takes the first free place, who leaves frees one, and nobody else moves. Only
//! when a zone is too full for the size in which its nodes are drawn, or the stage itself changes, are places given
//! anew. Pure geometry: nothing is drawn here.

use crate::{
    crowd::{Group, NodeId, Room},
    kind::{Kind, Zone},
    ordered::{Ordered, sorted},
};

/// A point on the stage, in CSS pixels from its left upper corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// The stage: its size, and that of the letters on it, by which all is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stage {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// The size of a letter, in CSS pixels.
    pub(crate) rem: f64,
}

/// How large a node is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Size {
    /// With its name and what it has to say.
    Large,
    /// With its name.
    Medium,
    /// With its pictogram alone.
    Small,
}

/// Where a node stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    /// The middle of its pictogram.
    pub(crate) at: Point,
    /// How large it is.
    pub(crate) size: Size,
    /// Its words stand above it, where its wire leads down.
    pub(crate) has_words_above: bool,
}

impl Size {
    const ALL: [Self; 3] = [Self::Large, Self::Medium, Self::Small];

    /// Width and height of the place that a node takes, its words included, in letters.
    fn cell(self) -> (f64, f64) {
        match self {
            Self::Large => (7.75, 6.25),
            Self::Medium => (5.75, 4.5),
            // A finger's target (WCAG 2.5.8), and a little air.
            Self::Small => (1.65, 1.65),
        }
    }

    /// Half the width of the pictogram, in letters.
    pub(crate) fn radius(self) -> f64 {
        match self {
            Self::Large => 1.5,
            Self::Medium => 1.1,
            Self::Small => 0.75,
        }
    }

    /// How far the pictogram stands above the middle of the place, in letters: its words are below it.
    fn rise(self) -> f64 {
        match self {
            Self::Large => 1.3,
            Self::Medium => 0.75,
            Self::Small => 0.0,
        }
    }
}

impl Stage {
    /// A stage that is higher than wide, as on a phone, is used from top to bottom.
    pub(crate) fn is_upright(self) -> bool {
        self.width < 40.0 * self.rem
    }

    /// Where the broker is.
    pub(crate) fn broker(self) -> Point {
        Point { x: self.width / 2.0, y: self.height / 2.0 }
    }

    /// Whether the words of somebody who stands here are above, out of the way of the wire.
    fn has_words_above(self, zone: Zone, y: f64) -> bool {
        match zone {
            Zone::Talks => self.is_upright(),
            Zone::Both => !self.is_upright() && y < self.height / 2.0,
            Zone::Listens => false,
        }
    }

    /// Half the broker's width.
    pub(crate) fn broker_radius(self) -> f64 {
        3.4 * self.rem
    }

    /// How many nodes a zone takes.
    pub(crate) fn room(self, zone: Zone) -> Room {
        Room {
            one_by_one: self.places(zone, Size::Small).len(),
            to_read: self.places(zone, Size::Medium).len(),
        }
    }

    /// All places of a zone, in the order in which they are taken.
    fn places(self, zone: Zone, size: Size) -> Vec<Point> {
        let margin = 0.75 * self.rem;
        let (length, breadth) =
            if self.is_upright() { (self.height, self.width) } else { (self.width, self.height) };
        // Along the way from those who talk to those who listen. Beside the broker there is a strip for those who do both.
        let strip = match size {
            _ if self.is_upright() => 0.13,
            Size::Large | Size::Medium => 0.17,
            Size::Small => 0.14,
        };
        let (near, far) = (length * (0.5 - strip), length * (0.5 + strip));
        let clear = self.broker_radius() + 0.75 * self.rem;
        let (before, behind) = (breadth / 2.0 - clear, breadth / 2.0 + clear);
        match zone {
            Zone::Talks => self.grid(zone, [margin, near], [margin, breadth - margin], size),
            Zone::Listens => self.grid(zone, [far, length - margin], [margin, breadth - margin], size),
            Zone::Both => {
                let last = self.grid(zone, [near, far], [behind, breadth - margin], size);
                let first = self.grid(zone, [near, far], [margin, before], size);
                interleave(last, first)
            }
        }
    }

    /// Places in a rectangle, given along and across the way: line by line, each from its middle outwards.
    fn grid(self, zone: Zone, along: [f64; 2], across: [f64; 2], size: Size) -> Vec<Point> {
        let is_side = zone != Zone::Both;
        let (width, height) = size.cell();
        let (width, height) = (width * self.rem, height * self.rem);
        let (x, y) = if self.is_upright() { (across, along) } else { (along, across) };
        let (columns, rows) = (fit(x, width), fit(y, height));
        // At the sides, lines stand across the way, so that a few stand opposite the broker. Beside it they lie along.
        let lines_are_columns = is_side != self.is_upright();
        let even = is_side && size != Size::Small;
        let (mut columns, mut rows) = (columns, rows);
        let in_line = if lines_are_columns { &mut rows } else { &mut columns };
        if even && *in_line > 4 && !in_line.is_multiple_of(2) {
            *in_line -= 1;
        }
        let spread = if size == Size::Small { 1.0 } else { 1.3 };
        let (xs, ys) = (positions(x, columns, width * spread), positions(y, rows, height * spread));
        let broker = self.broker();
        let (lines, within) = if lines_are_columns { (&xs, &ys) } else { (&ys, &xs) };
        let mut places = Vec::with_capacity(lines.len() * within.len());
        let is_last = across[0] > if self.is_upright() { self.width } else { self.height } / 2.0;
        for line in order(lines.len(), is_side, is_last, size) {
            for step in outwards(within.len()) {
                let (Some(line), Some(step)) = (lines.get(line), within.get(step)) else { continue };
                let (mut x, mut y) = if lines_are_columns { (*line, *step) } else { (*step, *line) };
                // A line at a side bends around the broker.
                if even {
                    if self.is_upright() {
                        y += bend(x - broker.x, self.width) * (broker.y - y);
                    } else {
                        x += bend(y - broker.y, self.height) * (broker.x - x);
                    }
                }
                let rise = size.rise() * self.rem;
                let y = if self.has_words_above(zone, y) { y + rise } else { y - rise };
                places.push(Point { x, y });
            }
        }
        places
    }
}

/// How many of a size fit.
fn fit(span: [f64; 2], size: f64) -> usize {
    let count = ((span[1] - span[0]) / size).floor();
    if count.is_finite() && count >= 1.0 { count as usize } else { 1 }
}

/// The middles of `count` places, no further apart than `pitch_max`, in the middle of `span`.
fn positions(span: [f64; 2], count: usize, pitch_max: f64) -> Vec<f64> {
    let pitch = ((span[1] - span[0]) / count as f64).min(pitch_max);
    let first = (span[0] + span[1]) / 2.0 - pitch * (count as f64 - 1.0) / 2.0;
    (0..count).map(|index| first + pitch * index as f64).collect()
}

/// The part of the way to the broker by which a line bends at this distance from its middle.
fn bend(distance: f64, length: f64) -> f64 {
    let part = distance / length.max(1.0) * 2.0;
    0.16 * part * part
}

/// In which order lines are filled: at a side from the middle, beside the broker from the edge of the stage, which leaves
/// the longest way to fly.
fn order(lines: usize, is_side: bool, is_last: bool, size: Size) -> Vec<usize> {
    match (is_side, is_last) {
        (true, _) if size != Size::Small => outwards(lines),
        (false, true) => (0..lines).rev().collect(),
        (true, _) | (false, false) => (0..lines).collect(),
    }
}

/// The numbers below `count`, from the middle outwards.
fn outwards(count: usize) -> Vec<usize> {
    let distance = |index: usize| (index * 2 + 1).abs_diff(count);
    sorted(count, &|left, right| distance(left).cmp(&distance(right)))
}

fn interleave(first: Vec<Point>, second: Vec<Point>) -> Vec<Point> {
    let mut both = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    loop {
        let (one, other) = (first.next(), second.next());
        if one.is_none() && other.is_none() {
            return both;
        }
        both.extend(one.into_iter().chain(other));
    }
}

/// Remembers who stands where.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    stage: Option<Stage>,
    zones: Ordered<Zone, ZoneLayout>,
}

#[derive(Debug)]
struct ZoneLayout {
    size: Size,
    places: Vec<Point>,
    taken: Ordered<NodeId, usize>,
}

impl Layout {
    /// Finds a place for each of `groups`.
    pub(crate) fn arrange(&mut self, stage: Stage, groups: &[Group]) -> Ordered<NodeId, Place> {
        if self.stage.replace(stage) != Some(stage) {
            // Places are measured anew; who was before whom stays so.
            for (zone, layout) in self.zones.iter_mut() {
                layout.places = stage.places(*zone, layout.size);
            }
        }
        let mut places = Ordered::default();
        for zone in Zone::ALL {
            let here: Vec<&Group> = groups.iter().filter(|group| group.zone == zone).collect();
            let layout = self.zones.get_or_insert(zone, || ZoneLayout {
                size: Size::Large,
                places: stage.places(zone, Size::Large),
                taken: Ordered::default(),
            });
            layout.settle(stage, zone, &here);
            let size = layout.size;
            for (id, at) in layout.taken.iter() {
                if let Some(at) = layout.places.get(*at) {
                    let has_words_above = stage.has_words_above(zone, at.y);
                    places.insert(id.clone(), Place { at: *at, size, has_words_above });
                }
            }
        }
        places
    }
}

impl ZoneLayout {
    fn settle(&mut self, stage: Stage, zone: Zone, here: &[&Group]) {
        let size = self.fitting_size(stage, zone, here.len());
        let was = std::mem::take(&mut self.taken);
        let mut staying: Vec<(usize, &NodeId)> =
            here.iter().filter_map(|group| Some((*was.get(&group.id)?, &group.id))).collect();
        let mut is_repacked = size != self.size;
        if is_repacked {
            self.size = size;
            self.places = stage.places(zone, size);
        }
        is_repacked |= staying.iter().any(|(at, _)| *at >= self.places.len());
        if is_repacked {
            let order = sorted(staying.len(), &|left, right| staying[left].0.cmp(&staying[right].0));
            order.into_iter().enumerate().for_each(|(index, at)| staying[at].0 = index);
        }
        let mut is_free = vec![true; self.places.len()];
        for (at, id) in staying {
            if let Some(free) = is_free.get_mut(at) {
                *free = false;
                self.taken.insert(id.clone(), at);
            }
        }
        // The page that somebody looks at comes first: it belongs nearest to its own sliders.
        let is_own = |group: &&&Group| group.kind == Kind::ThisPage;
        let in_turn = here.iter().filter(is_own).chain(here.iter().filter(|group| !is_own(group)));
        let coming: Vec<_> = in_turn.filter(|group| !self.taken.contains_key(&group.id)).collect();
        let mut free = is_free.iter().enumerate().filter(|(_, free)| **free).map(|(at, _)| at);
        for group in coming {
            let Some(at) = free.next() else { break };
            self.taken.insert(group.id.clone(), at);
        }
    }

    /// The largest size in which all have room. A size that was given up is taken again only when a good part of it would
    /// stay free, or one client that comes and goes would have all the others change.
    fn fitting_size(&self, stage: Stage, zone: Zone, count: usize) -> Size {
        let fits = |size: Size| {
            let places = if size == self.size { self.places.len() } else { stage.places(zone, size).len() };
            let reserve = if size < self.size { places / 5 + 1 } else { 0 };
            count + reserve <= places || (count <= 1 && places > 0)
        };
        Size::ALL.into_iter().find(|size| fits(*size)).unwrap_or(Size::Small)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Stage = Stage { width: 1148.0, height: 414.0, rem: 16.0 };
    const PHONE: Stage = Stage { width: 358.0, height: 620.0, rem: 16.0 };
    const NARROW: Stage = Stage { width: 288.0, height: 620.0, rem: 16.0 };
    const HUGE: Stage = Stage { width: 2700.0, height: 1100.0, rem: 32.0 };

    fn group(zone: Zone, key: u64) -> Group {
        Group { id: NodeId::One(key), zone, kind: Kind::Other, members: vec![key] }
    }

    fn several(zone: Zone, count: u64) -> Vec<Group> {
        (0..count).map(|key| group(zone, key)).collect()
    }

    fn at(places: &Ordered<NodeId, Place>, key: u64) -> Point {
        places.get(&NodeId::One(key)).unwrap().at
    }

    #[test]
    fn those_who_talk_are_left_and_those_who_listen_right() {
        let groups = [group(Zone::Talks, 1), group(Zone::Both, 2), group(Zone::Listens, 3)];
        let places = Layout::default().arrange(WIDE, &groups);
        assert!(at(&places, 1).x < at(&places, 2).x && at(&places, 2).x < at(&places, 3).x);
        let places = Layout::default().arrange(PHONE, &groups);
        assert!(at(&places, 1).y < at(&places, 2).y && at(&places, 2).y < at(&places, 3).y);
    }

    #[test]
    fn nobody_moves_when_somebody_comes_or_goes() {
        let mut layout = Layout::default();
        let mut groups = several(Zone::Listens, 5);
        let before = layout.arrange(WIDE, &groups);
        groups.push(group(Zone::Listens, 5));
        let after = layout.arrange(WIDE, &groups);
        assert!((0..5).all(|key| at(&before, key) == at(&after, key)));
        groups.remove(2);
        let left = layout.arrange(WIDE, &groups);
        assert!([0, 1, 3, 4, 5].into_iter().all(|key| at(&after, key) == at(&left, key)));
        groups.push(group(Zone::Listens, 9));
        assert_eq!(at(&layout.arrange(WIDE, &groups), 9), at(&before, 2), "the free place is taken");
    }

    #[test]
    fn nothing_overlaps_and_nothing_sticks_out_at_any_size() {
        for stage in [WIDE, PHONE, NARROW, HUGE] {
            for zone in Zone::ALL {
                for size in Size::ALL {
                    let places = stage.places(zone, size);
                    assert!(!places.is_empty());
                    let (width, height) = size.cell();
                    let (width, height) = (width * stage.rem, height * stage.rem);
                    for (index, place) in places.iter().enumerate() {
                        let radius = size.radius() * stage.rem;
                        assert!(
                            place.x >= radius && place.x <= stage.width - radius,
                            "{stage:?} {zone:?} {size:?} {place:?}"
                        );
                        assert!(
                            place.y >= radius && place.y <= stage.height - radius,
                            "{stage:?} {zone:?} {size:?} {place:?}"
                        );
                        for other in &places[index + 1..] {
                            let apart = (place.x - other.x).abs() >= width * 0.8
                                || (place.y - other.y).abs() >= height * 0.8;
                            assert!(
                                apart || places.len() <= 2,
                                "{stage:?} {zone:?} {size:?} {place:?} {other:?}"
                            );
                        }
                        let broker = stage.broker();
                        let distance = (place.x - broker.x).hypot(place.y - broker.y);
                        assert!(
                            distance > stage.broker_radius() * 0.9 + radius * 0.5,
                            "{stage:?} {zone:?} {size:?} {place:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_zone_that_fills_draws_smaller_and_stays_so_for_a_while() {
        let mut layout = Layout::default();
        let size = |places: &Ordered<NodeId, Place>| places.get(&NodeId::One(0)).unwrap().size;
        let large = WIDE.places(Zone::Listens, Size::Large).len() as u64;
        assert_eq!(size(&layout.arrange(WIDE, &several(Zone::Listens, large))), Size::Large);
        assert_eq!(size(&layout.arrange(WIDE, &several(Zone::Listens, large + 1))), Size::Medium);
        assert_eq!(size(&layout.arrange(WIDE, &several(Zone::Listens, large))), Size::Medium);
        assert_eq!(size(&layout.arrange(WIDE, &several(Zone::Listens, large / 2))), Size::Large);
    }

    #[test]
    fn two_hundred_stand_one_by_one_on_a_wide_stage() {
        let places = Layout::default().arrange(WIDE, &several(Zone::Listens, 200));
        assert_eq!(places.len(), 200);
        assert!(WIDE.room(Zone::Listens).one_by_one >= 200);
    }

    #[test]
    fn this_page_has_the_place_nearest_to_its_sliders() {
        let mut groups = several(Zone::Both, 3);
        groups.push(Group { kind: Kind::ThisPage, ..group(Zone::Both, 7) });
        let places = Layout::default().arrange(WIDE, &groups);
        assert!((0..3).all(|key| at(&places, 7).y >= at(&places, key).y));
    }

    #[test]
    fn another_stage_keeps_the_order() {
        let mut layout = Layout::default();
        layout.arrange(WIDE, &several(Zone::Listens, 4));
        let phone = layout.arrange(PHONE, &several(Zone::Listens, 4));
        let again = layout.arrange(WIDE, &several(Zone::Listens, 4));
        assert_eq!(phone.len(), 4);
        let first = Layout::default().arrange(WIDE, &several(Zone::Listens, 4));
        assert!((0..4).all(|key| at(&again, key) == at(&first, key)));
    }

    #[test]
    fn a_stage_without_extent_is_no_danger() {
        for stage in [Stage { width: 0.0, height: 0.0, rem: 16.0 }, Stage { width: f64::NAN, ..WIDE }] {
            Layout::default().arrange(stage, &several(Zone::Both, 3));
        }
    }
}
