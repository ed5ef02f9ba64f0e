//! How messages travel: from who published them to the broker, a moment there, and from the broker to each who follows.
//!
//! It has a clock of its own, which runs slower in slow motion and stands still in a pause. Messages that follow each
//! other too closely on one wire travel as one, thicker, with a number. Where wires are, and what is drawn, is not
//! decided here.

use std::{collections::VecDeque, rc::Rc};

use crate::{event::Message, limits::FLIGHTS_MAX, ordered::Ordered, time::Millis};

/// Numbers a node of the picture.
pub(crate) type NodeNumber = u32;

/// How fast the stage's clock runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As fast as life.
    #[default]
    Live,
    /// One message at a time, slow enough to be watched.
    Slow,
    /// Not at all.
    Paused,
}

/// A message that is to travel.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Parcel {
    /// Who published it, if that one is in the picture.
    pub(crate) from: Option<NodeNumber>,
    /// Who gets it, and how many are behind each node.
    pub(crate) to: Vec<(NodeNumber, u32)>,
    /// What is written on it.
    pub(crate) label: Rc<Label>,
    /// How much light it carries, in percent.
    pub(crate) level: Option<u8>,
    /// It lay in the broker before.
    pub(crate) kept: bool,
    /// What it is, for whoever tells of it.
    pub(crate) about: Rc<About>,
}

/// A message, who published it, and how many get it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct About {
    pub(crate) message: Message,
    pub(crate) by: String,
    pub(crate) count: usize,
}

/// What is written on a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Label {
    /// Its topic.
    pub(crate) topic: String,
    /// Its value, as people read it.
    pub(crate) value: String,
    /// Its value, as it is sent.
    pub(crate) payload: String,
    /// What its topic is about, as people call it.
    pub(crate) name: String,
}

/// Which way a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// To the broker.
    In,
    /// From the broker.
    Out,
}

/// A message, or some of them, on a wire.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flight {
    start: Millis,
    end: Millis,
    /// How many travel together.
    pub(crate) weight: u32,
    /// What is written on the latest of them.
    pub(crate) label: Rc<Label>,
    /// How much light it carries.
    pub(crate) level: Option<u8>,
    /// It lay in the broker before.
    pub(crate) kept: bool,
}

/// A message that reached the end of its wire.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Landing {
    /// Whose wire it was.
    pub(crate) node: NodeNumber,
    /// Which end.
    pub(crate) way: Way,
    /// How much light it brought.
    pub(crate) level: Option<u8>,
}

/// Where the one message stands that is watched in slow motion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// On its way to the broker.
    ToBroker,
    /// In the broker.
    AtBroker,
    /// On its way to who follows.
    ToFollowers,
}

/// Everything that is under way.
#[derive(Debug, Default)]
pub(crate) struct Motion {
    clock: Millis,
    pace: Pace,
    wires: Ordered<(NodeNumber, Way), VecDeque<Flight>>,
    count: usize,
    /// The newest message that has to wait, in slow motion or a pause.
    waiting: Option<Parcel>,
    /// The message that was sent last, and when it reaches and leaves the broker.
    latest: Option<(Rc<About>, [Millis; 2])>,
    /// How many were not shown since the pace was changed.
    missed: u32,
    /// Landed at once, since there was no room for them on the wire.
    landed: Vec<Landing>,
}

/// How long a message takes on either wire.
pub(crate) const FLIGHT_MS: Millis = 350.0;
/// How long it stays in the broker, so that the eye sees that it was there.
const STAY_MS: Millis = 90.0;
/// Slow motion is slower by this.
const SLOWNESS: f64 = 7.0;
/// Messages on one wire that begin closer together than this travel as one.
const BUNDLE_MS: Millis = 45.0;

impl Motion {
    /// The stage's clock.
    pub(crate) fn clock(&self) -> Millis {
        self.clock
    }

    /// How fast it runs.
    pub(crate) fn pace(&self) -> Pace {
        self.pace
    }

    /// Runs on at another pace.
    pub(crate) fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
        self.missed = 0;
        if pace == Pace::Live {
            self.send_waiting();
        }
    }

    /// How many messages were not shown since the pace was changed.
    pub(crate) fn missed(&self) -> u32 {
        self.missed
    }

    /// Counts messages that were never meant to be shown one by one.
    pub(crate) fn miss(&mut self, messages: u32) {
        if self.pace != Pace::Live {
            self.missed = self.missed.saturating_add(messages);
        }
    }

    /// Whether anything is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Sends a message on its way, or has it wait for its turn.
    pub(crate) fn send(&mut self, parcel: Parcel) {
        let must_wait = match self.pace {
            Pace::Live => false,
            Pace::Slow => self.count > 0,
            Pace::Paused => true,
        };
        if !must_wait {
            self.depart(parcel);
        } else if self.waiting.replace(parcel).is_some() {
            self.missed = self.missed.saturating_add(1);
        }
    }

    /// Lets so much time pass, and tells what arrived meanwhile.
    pub(crate) fn advance(&mut self, elapsed: Millis) -> Vec<Landing> {
        self.clock += match self.pace {
            Pace::Live => elapsed,
            Pace::Slow => elapsed / SLOWNESS,
            Pace::Paused => 0.0,
        };
        let mut landings = std::mem::take(&mut self.landed);
        for ((node, way), flights) in self.wires.iter_mut() {
            while let Some(flight) = flights.pop_front_if(|flight| flight.end <= self.clock) {
                self.count -= 1;
                landings.push(Landing { node: *node, way: *way, level: flight.level });
            }
        }
        self.wires.retain(|_, flights| !flights.is_empty());
        if self.count == 0 && self.pace == Pace::Slow {
            self.send_waiting();
        }
        landings
    }

    /// Everything at once, as when nobody looked for a while.
    pub(crate) fn finish(&mut self) -> Vec<Landing> {
        if let Some(parcel) = self.waiting.take() {
            self.depart(parcel);
        }
        let mut landings = std::mem::take(&mut self.landed);
        for ((node, way), flights) in std::mem::take(&mut self.wires).into_entries() {
            landings.extend(flights.into_iter().map(|flight| Landing { node, way, level: flight.level }));
        }
        self.count = 0;
        landings
    }

    /// A node is gone, and what was on its wire.
    pub(crate) fn forget(&mut self, node: NodeNumber) {
        for way in [Way::In, Way::Out] {
            self.count -= self.wires.remove(&(node, way)).map_or(0, |flights| flights.len());
        }
        if let Some(waiting) = &mut self.waiting {
            waiting.from = waiting.from.filter(|from| *from != node);
            waiting.to.retain(|(to, _)| *to != node);
        }
    }

    /// What is on the wires: whose, which way, and the part of the way between client and broker that is done, 0 to 1.
    pub(crate) fn flights(&self) -> impl Iterator<Item = (NodeNumber, Way, f64, &Flight)> {
        self.wires.iter().flat_map(move |((node, way), flights)| {
            flights.iter().filter_map(move |flight| Some((*node, *way, flight.part(self.clock)?, flight)))
        })
    }

    /// How many wait on or travel over any wire.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The one message that is watched, and where it stands.
    pub(crate) fn step(&self) -> Option<(Step, &About)> {
        let (about, [reaches, leaves]) =
            self.latest.as_ref().filter(|_| self.count > 0 && self.pace == Pace::Slow)?;
        let step = match self.clock {
            clock if clock < *reaches => Step::ToBroker,
            clock if clock < *leaves => Step::AtBroker,
            _ => Step::ToFollowers,
        };
        Some((step, about))
    }

    fn send_waiting(&mut self) {
        if let Some(parcel) = self.waiting.take() {
            self.depart(parcel);
        }
    }

    fn depart(&mut self, parcel: Parcel) {
        let mut start = self.clock;
        if let Some(from) = parcel.from {
            self.put(from, Way::In, start, 1, &parcel);
            start += FLIGHT_MS;
        }
        self.latest = Some((parcel.about.clone(), [start, start + STAY_MS]));
        start += STAY_MS;
        for (to, weight) in &parcel.to {
            self.put(*to, Way::Out, start, *weight, &parcel);
        }
    }

    fn put(&mut self, node: NodeNumber, way: Way, start: Millis, weight: u32, parcel: &Parcel) {
        let flights = self.wires.get_or_insert((node, way), VecDeque::new);
        // The more there is to draw, the more of it travels together.
        let together = BUNDLE_MS * (1.0 + self.count as f64 / 60.0);
        let is_full = self.count >= FLIGHTS_MAX;
        let last = flights.back_mut().filter(|last| {
            last.kept == parcel.kept && last.end > self.clock && (is_full || start - last.start < together)
        });
        if let Some(last) = last {
            last.weight = last.weight.saturating_add(weight);
            last.label = parcel.label.clone();
            last.level = parcel.level.or(last.level);
        } else if is_full {
            self.landed.push(Landing { node, way, level: parcel.level });
        } else {
            flights.push_back(Flight {
                start,
                end: start + FLIGHT_MS,
                weight,
                label: parcel.label.clone(),
                level: parcel.level,
                kept: parcel.kept,
            });
            self.count += 1;
        }
    }
}

impl Flight {
    /// The part of the way that is done; nothing before it begins.
    fn part(&self, clock: Millis) -> Option<f64> {
        (clock >= self.start).then(|| ((clock - self.start) / (self.end - self.start)).max(0.0).min(1.0))
    }

    /// How long it has been travelling, in the stage's time.
    pub(crate) fn age(&self, clock: Millis) -> Millis {
        clock - self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(from: Option<NodeNumber>, to: &[NodeNumber], value: &str) -> Parcel {
        let label = Label { topic: "lights/Desk/intensity".into(), value: value.into(), ..Label::default() };
        Parcel {
            from,
            to: to.iter().map(|to| (*to, 1)).collect(),
            label: Rc::new(label),
            level: value.parse().ok(),
            kept: from.is_none(),
            about: Rc::default(),
        }
    }

    fn under_way(motion: &Motion) -> Vec<(NodeNumber, Way)> {
        motion.flights().map(|(node, way, _, _)| (node, way)).collect()
    }

    #[test]
    fn a_message_travels_to_the_broker_and_from_there_to_each_follower() {
        let mut motion = Motion::default();
        motion.send(parcel(Some(1), &[2, 3], "40"));
        assert_eq!(under_way(&motion), [(1, Way::In)]);
        let landings = motion.advance(FLIGHT_MS);
        assert_eq!(landings, [Landing { node: 1, way: Way::In, level: Some(40) }]);
        assert_eq!(under_way(&motion), [], "it stays a moment");
        motion.advance(STAY_MS);
        assert_eq!(under_way(&motion), [(2, Way::Out), (3, Way::Out)]);
        let landings = motion.advance(FLIGHT_MS);
        assert_eq!(landings.len(), 2);
        assert!(motion.is_empty());
    }

    #[test]
    fn a_kept_value_comes_from_the_broker() {
        let mut motion = Motion::default();
        motion.send(parcel(None, &[2], "40"));
        motion.advance(STAY_MS);
        let kept: Vec<_> = motion.flights().map(|(node, way, _, flight)| (node, way, flight.kept)).collect();
        assert_eq!(kept, [(2, Way::Out, true)]);
    }

    #[test]
    fn messages_close_together_travel_as_one_with_a_number() {
        let mut motion = Motion::default();
        for value in ["1", "2", "3"] {
            motion.send(parcel(Some(1), &[2], value));
            motion.advance(10.0);
        }
        let (_, _, _, flight) = motion.flights().next().unwrap();
        assert_eq!((flight.weight, &*flight.label.value, flight.level), (3, "3", Some(3)));
        motion.advance(100.0);
        motion.send(parcel(Some(1), &[2], "4"));
        assert_eq!(motion.flights().count(), 2);
    }

    #[test]
    fn the_latest_value_arrives_however_many_there_are() {
        let mut motion = Motion::default();
        let mut landed = std::collections::BTreeMap::new();
        for value in 0..5_000 {
            motion.send(Parcel {
                level: Some((value % 101) as u8),
                ..parcel(Some(value % 50), &(100..400).collect::<Vec<_>>(), "x")
            });
            assert!(motion.count() <= FLIGHTS_MAX);
            if value % 7 == 0 {
                landed.extend(
                    motion
                        .advance(5.0)
                        .into_iter()
                        .map(|landing| ((landing.node, landing.way), landing.level)),
                );
            }
        }
        landed
            .extend(motion.finish().into_iter().map(|landing| ((landing.node, landing.way), landing.level)));
        assert!((100..400).all(|node| landed[&(node, Way::Out)] == Some((4_999 % 101) as u8)));
        assert!(motion.is_empty());
    }

    #[test]
    fn slow_motion_shows_one_message_at_a_time_and_the_newest_last() {
        let mut motion = Motion::default();
        motion.set_pace(Pace::Slow);
        for value in ["1", "2", "3", "4"] {
            motion.send(parcel(Some(1), &[2], value));
        }
        assert_eq!((motion.count(), motion.missed()), (2, 2));
        let step = |motion: &Motion| motion.step().map(|(step, _)| step);
        assert_eq!(step(&motion), Some(Step::ToBroker));
        motion.advance(FLIGHT_MS * SLOWNESS + 1.0);
        assert_eq!(step(&motion), Some(Step::AtBroker));
        motion.advance(STAY_MS * SLOWNESS);
        assert_eq!(step(&motion), Some(Step::ToFollowers));
        motion.advance(FLIGHT_MS * SLOWNESS);
        let (_, _, _, flight) = motion.flights().next().unwrap();
        assert_eq!(&*flight.label.value, "4");
    }

    #[test]
    fn a_pause_stops_everything_and_the_newest_message_goes_on_after_it() {
        let mut motion = Motion::default();
        motion.send(parcel(Some(1), &[2], "1"));
        motion.set_pace(Pace::Paused);
        assert!(motion.advance(10_000.0).is_empty());
        motion.send(parcel(Some(1), &[2], "2"));
        motion.send(parcel(Some(1), &[2], "3"));
        motion.miss(40);
        assert_eq!(motion.missed(), 41);
        motion.set_pace(Pace::Live);
        motion.advance(FLIGHT_MS * 3.0);
        assert!(motion.is_empty());
    }

    #[test]
    fn what_was_on_its_way_to_somebody_who_left_is_gone() {
        let mut motion = Motion::default();
        motion.send(parcel(Some(1), &[2, 3], "1"));
        motion.forget(2);
        motion.forget(1);
        assert_eq!(motion.count(), 1);
        let landings = motion.advance(FLIGHT_MS * 3.0);
        assert_eq!(landings, [Landing { node: 3, way: Way::Out, level: Some(1) }]);
    }
}
