//! When a value was set, as far as that can be known, and how much had waited at the broker. It reads no clock.

use super::{
    arrival::{MILLIS_MAX, Millis, Origin},
    guard::Now,
    limits,
};
use luxwire_shared::{
    client::Message,
    mqtt::{UserProperties, set_at},
};
use std::time::Duration;

/// What is known of the times of one connection's values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// Whether this broker says when values were set.
    is_told: bool,
    /// When the connection began, by the clock that values have their times by.
    begun: Millis,
    /// What may come was set some time ago.
    catches_up: bool,
    /// Of the steady clock.
    subscribed: Option<Millis>,
    /// Of the steady clock, too: when the last value came.
    last: Millis,
    /// The value that came last had waited, or may have.
    is_late: bool,
    waited: Waited,
}

/// What had waited at the broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Waited {
    pub(super) count: u64,
    /// When the first of it was set, where that is told.
    pub(super) since: Option<Millis>,
}

impl Timing {
    /// A connection begins, which goes on with an earlier session or not. `theirs` is the broker's clock, if it tells it.
    pub(super) fn new(theirs: Option<Millis>, resumed: bool, now: Now) -> Self {
        Self {
            is_told: theirs.is_some(),
            begun: theirs.unwrap_or(now.wall),
            catches_up: resumed,
            subscribed: None,
            last: now.steady,
            is_late: resumed,
            waited: Waited::default(),
        }
    }

    /// The broker has taken the subscription: what is retained comes, and then what is set.
    pub(super) fn subscribed(&mut self, now: Now) {
        self.subscribed = Some(now.steady);
    }

    /// The time of a value that comes, and whose clock says so.
    pub(super) fn of(&mut self, message: &Message, now: Now) -> (Millis, Origin) {
        let pause = now.steady - std::mem::replace(&mut self.last, now.steady);
        let told = message.properties.as_deref().and_then(|properties| told(&properties.user_properties));
        let (set_at, origin, is_late) = match told.filter(|_| self.is_told) {
            Some(set_at) => (set_at, Origin::Broker, set_at < self.begun),
            None if self.is_catching_up(pause, now) || message.dup || message.retain => {
                (now.wall, Origin::CatchUp, true)
            }
            None => (now.wall, Origin::Arrival, false),
        };
        self.is_late = is_late;
        // What is retained waits for whoever comes, also the first time.
        if is_late && !message.retain {
            self.waited.count += 1;
            self.waited.since = self.waited.since.or((origin == Origin::Broker).then_some(set_at));
        }
        (set_at, origin)
    }

    /// Whether the value that came last was set just before.
    pub(super) const fn has_caught_up(&self) -> bool {
        !self.is_late
    }

    /// Whether nothing comes at present.
    pub(super) fn is_quiet(&self, now: Now) -> bool {
        reaches(now.steady - self.last, limits::CATCH_UP_PAUSE)
    }

    /// What had waited, told once.
    pub(super) fn take_waited(&mut self) -> Waited {
        std::mem::take(&mut self.waited)
    }

    /// Until there is a pause, or some time after the subscription where there is none.
    fn is_catching_up(&mut self, pause: Millis, now: Now) -> bool {
        if let Some(subscribed) = self.subscribed
            && (reaches(pause, limits::CATCH_UP_PAUSE)
                || reaches(now.steady - subscribed, limits::CATCH_UP_MOST))
        {
            self.catches_up = false;
        }
        self.catches_up
    }
}

fn reaches(passed: Millis, bound: Duration) -> bool {
    u128::from(passed.unsigned_abs()) >= bound.as_millis()
}

/// A time that the broker tells, if it can be written down.
pub(super) fn told(properties: &UserProperties) -> Option<Millis> {
    let millis = Millis::try_from(set_at::read(properties)?.unix_millis()).ok()?;
    (millis <= MILLIS_MAX).then_some(millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use luxwire_shared::mqtt::{PublishProperties, QoS, TopicName};

    const WALL: Millis = 1_795_800_000_000;

    fn at(passed: Millis) -> Now {
        Now { wall: WALL + passed, steady: 5_000 + passed }
    }

    fn live() -> Message {
        Message::new(TopicName::try_from("lights/desk/intensity").unwrap(), "40", QoS::AtLeastOnce)
    }

    fn dated(set_at: Millis) -> Message {
        let pair = (set_at::NAME.try_into().unwrap(), set_at.to_string().as_str().try_into().unwrap());
        let properties = PublishProperties { user_properties: vec![pair], ..PublishProperties::default() };
        Message { properties: Some(Box::new(properties)), ..live() }
    }

    #[test]
    fn a_broker_that_tells_times_is_believed_and_no_other() {
        let mut told = Timing::new(Some(WALL), true, at(0));
        assert_eq!(told.of(&dated(WALL - 7), at(10)), (WALL - 7, Origin::Broker));
        assert_eq!(told.of(&dated(WALL - 5), at(10)), (WALL - 5, Origin::Broker));
        assert_eq!(told.of(&dated(WALL + 9), at(10)), (WALL + 9, Origin::Broker));
        assert_eq!(told.take_waited(), Waited { count: 2, since: Some(WALL - 7) });
        assert_eq!(told.take_waited(), Waited::default());
        // Somebody else wrote it, and Mosquitto passes it on.
        let mut untold = Timing::new(None, false, at(0));
        assert_eq!(untold.of(&dated(5), at(10)), (WALL + 10, Origin::Arrival));
        assert_eq!(told.of(&dated(MILLIS_MAX + 1), at(10)).0, WALL + 10);
    }

    #[test]
    fn what_had_waited_is_told_from_what_is_set_by_the_pause_between() {
        let mut timing = Timing::new(None, true, at(0));
        assert_eq!(
            timing.of(&live(), at(300)).1,
            Origin::CatchUp,
            "before the subscription there is no pause"
        );
        timing.subscribed(at(310));
        assert_eq!(timing.of(&live(), at(400)).1, Origin::CatchUp);
        assert!(!timing.has_caught_up());
        assert_eq!(timing.of(&live(), at(700)).1, Origin::Arrival);
        assert!(timing.has_caught_up());
        assert_eq!(timing.of(&live(), at(710)).1, Origin::Arrival, "and stays so");
        assert_eq!(timing.take_waited().count, 2);
    }

    #[test]
    fn where_values_come_all_the_time_catching_up_ends_nevertheless() {
        let mut timing = Timing::new(None, true, at(0));
        timing.subscribed(at(0));
        let origins: Vec<Origin> = (0..60).map(|tenth| timing.of(&live(), at(tenth * 100)).1).collect();
        assert!(origins[..50].iter().all(|origin| *origin == Origin::CatchUp));
        assert!(origins[50..].iter().all(|origin| *origin == Origin::Arrival));
    }

    #[test]
    fn retained_and_repeated_values_were_set_before() {
        let mut timing = Timing::new(None, false, at(0));
        assert_eq!(timing.of(&live(), at(1)).1, Origin::Arrival);
        assert_eq!(timing.of(&Message { retain: true, ..live() }, at(1)).1, Origin::CatchUp);
        assert_eq!(timing.take_waited().count, 0);
        assert_eq!(timing.of(&Message { dup: true, ..live() }, at(1)).1, Origin::CatchUp);
        assert_eq!(timing.take_waited().count, 1);
    }
}
