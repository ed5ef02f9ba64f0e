//! The rate limit: first at once, then limited, the last always.

use super::ms;
use luxwire_shared::{model::Throttle, time::Instant};
use proptest::prelude::*;
use std::time::Duration;

const INTERVAL: Duration = Duration::from_millis(100);

#[test]
fn the_first_value_passes_at_once_and_the_newest_after_the_interval() {
    let mut throttle = Throttle::new(INTERVAL);
    assert_eq!(throttle.offer(1, ms(0)), Some(1));
    assert_eq!(throttle.offer(2, ms(10)), None);
    assert_eq!(throttle.offer(3, ms(20)), None);
    assert_eq!(throttle.next_deadline(), Some(ms(100)));
    assert_eq!(throttle.tick(ms(99)), None);
    assert_eq!(throttle.tick(ms(100)), Some(3));
    assert_eq!(throttle.next_deadline(), None);
}

#[test]
fn a_value_that_returns_to_the_last_one_takes_back_what_was_held() {
    let mut throttle = Throttle::new(INTERVAL);
    throttle.offer(1, ms(0));
    throttle.offer(2, ms(10));
    assert_eq!(throttle.offer(1, ms(20)), None);
    assert_eq!(throttle.tick(ms(500)), None);
}

#[test]
fn a_value_that_passed_otherwise_counts() {
    let mut throttle = Throttle::new(INTERVAL);
    throttle.offer(1, ms(0));
    throttle.offer(2, ms(10));
    throttle.passed(9, ms(50));
    assert_eq!(throttle.next_deadline(), None);
    assert_eq!(throttle.offer(3, ms(60)), None);
    assert_eq!(throttle.next_deadline(), Some(ms(150)));
}

proptest! {
    #[test]
    fn never_more_than_one_per_interval_and_the_last_value_always(
        offers in prop::collection::vec((0_u64..60, 0_u8..5), 1..200),
    ) {
        let mut throttle = Throttle::new(INTERVAL);
        let mut passed: Vec<(Instant, u8)> = Vec::new();
        let mut now = ms(0);
        for (pause, value) in &offers {
            let next = now + Duration::from_millis(*pause);
            while let Some(deadline) = throttle.next_deadline().filter(|deadline| *deadline <= next) {
                passed.extend(throttle.tick(deadline).map(|value| (deadline, value)));
            }
            now = next;
            passed.extend(throttle.offer(*value, now).map(|value| (now, value)));
        }
        if let Some(deadline) = throttle.next_deadline() {
            passed.extend(throttle.tick(deadline).map(|value| (deadline, value)));
        }
        for pair in passed.windows(2) {
            prop_assert!(pair[1].0.since(pair[0].0) >= INTERVAL);
            prop_assert!(pair[1].1 != pair[0].1, "the same value twice");
        }
        prop_assert_eq!(passed.last().map(|(_, value)| value), offers.last().map(|(_, value)| value));
        prop_assert_eq!(throttle.next_deadline(), None);
    }
}
