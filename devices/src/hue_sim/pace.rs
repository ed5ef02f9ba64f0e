//! How many commands a hub carries out: what comes faster waits, and what would wait too long is refused.
//!
//! A real hub sends each command over ZigBee, to a group by broadcast, and says nothing about those that wait.

use super::limits;
use luxwire_shared::time::Instant;
use std::time::Duration;

/// How fast the hub works.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The time that a command to one light takes; 100 ms on a real hub.
    pub light: Duration,
    /// The time that a command to a group takes; 1 s on a real hub.
    pub group: Duration,
    /// The longest time that a command may have to wait for its turn. Beyond it a command is refused.
    pub buffer: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            light: Duration::from_millis(100),
            group: Duration::from_secs(1),
            buffer: Duration::from_secs(3),
        }
    }
}

/// Light commands and group commands have a queue each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Lights,
    Groups,
}

/// When each lane has time for one more.
#[derive(Debug)]
pub(crate) struct Turns {
    pace: Pace,
    lights_free: Instant,
    groups_free: Instant,
}

impl Turns {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, lights_free: Instant::START, groups_free: Instant::START }
    }

    /// When a command that comes at this moment is carried out; `None` if it would wait too long.
    pub(crate) fn take(&mut self, now: Instant, lane: Lane, waiting: usize) -> Option<Instant> {
        let (free, cost) = match lane {
            Lane::Lights => (&mut self.lights_free, self.pace.light),
            Lane::Groups => (&mut self.groups_free, self.pace.group),
        };
        let turn = now.max(*free);
        if turn.since(now) > self.pace.buffer || waiting >= limits::COMMANDS_WAITING {
            return None;
        }
        *free = turn + cost;
        Some(turn)
    }

    /// How long the next command of a lane would wait.
    pub(crate) fn backlog(&self, now: Instant, lane: Lane) -> Duration {
        match lane {
            Lane::Lights => self.lights_free.since(now),
            Lane::Groups => self.groups_free.since(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns() -> Turns {
        Turns::new(Pace::default())
    }

    #[test]
    fn ten_commands_a_second_are_carried_out_at_once_for_ever() {
        let mut turns = turns();
        for index in 0..1000 {
            let now = Instant::from_millis(index * 100);
            assert_eq!(turns.take(now, Lane::Lights, 0), Some(now));
        }
    }

    #[test]
    fn a_burst_is_carried_out_one_by_one() {
        let mut turns = turns();
        let taken: Vec<_> = (0..4).map(|_| turns.take(Instant::START, Lane::Lights, 0)).collect();
        assert_eq!(taken, [0, 100, 200, 300].map(|ms| Some(Instant::from_millis(ms))));
    }

    #[test]
    fn what_would_wait_too_long_is_refused_until_there_is_room() {
        let mut turns = turns();
        let accepted = (0..100).filter(|_| turns.take(Instant::START, Lane::Lights, 0).is_some()).count();
        assert_eq!(accepted, 31, "one at once and three seconds' worth of waiting ones");
        assert_eq!(turns.take(Instant::from_millis(99), Lane::Lights, 0), None);
        assert!(turns.take(Instant::from_millis(100), Lane::Lights, 0).is_some());
        assert!(turns.take(Instant::START, Lane::Groups, 0).is_some(), "groups have their own queue");
    }

    #[test]
    fn groups_take_one_command_a_second() {
        let mut turns = turns();
        let accepted =
            (0..40).filter(|step| turns.take(Instant::from_millis(step * 250), Lane::Groups, 0).is_some());
        // Ten seconds of work and three of waiting, for forty that were asked for.
        assert_eq!(accepted.count(), 13);
    }
}
