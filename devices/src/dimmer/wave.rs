//! Up and down by itself: a dimmer that shows that everything works, and needs no hand.

use super::args::Shape;
use luxwire_shared::{
    model::{INTERVAL, Intensity},
    time::Instant,
};
use std::{f64::consts::TAU, time::Duration};

/// A wave that begins at its bottom.
#[derive(Debug)]
pub(super) struct Wave {
    shape: Shape,
    period: Duration,
    min: Intensity,
    max: Intensity,
    began: Instant,
    next: Instant,
    /// The value before.
    last: Option<Intensity>,
}

impl Wave {
    pub(super) fn new(shape: Shape, period: Duration, [min, max]: [Intensity; 2], now: Instant) -> Self {
        Self { shape, period, min, max, began: now, next: now, last: None }
    }

    /// When the next value is due.
    pub(super) fn next_deadline(&self) -> Instant {
        self.next
    }

    /// The value that is due, if it is another than the one before: a light that stays as it is needs no message.
    pub(super) fn tick(&mut self, now: Instant) -> Option<Intensity> {
        if now < self.next {
            return None;
        }
        self.next = now + INTERVAL;
        let value = self.at(now);
        (self.last.replace(value) != Some(value)).then_some(value)
    }

    fn at(&self, now: Instant) -> Intensity {
        let periods = now.since(self.began).as_secs_f64() / self.period.as_secs_f64();
        let phase = periods.fract();
        let level = match self.shape {
            Shape::Triangle => 1.0 - (2.0 * phase - 1.0).abs(),
            Shape::Sine => (1.0 - (phase * TAU).cos()) / 2.0,
            Shape::Hand => hand(phase),
        };
        let [min, max] = [self.min, self.max].map(|end| f64::from(end.hundredths()));
        // In range, so that nothing is cut off.
        let hundredths = (min + (max - min) * level).round() as u16;
        Intensity::from_hundredths(hundredths).unwrap_or(self.max)
    }
}

/// A hand goes to each of these levels in turn, and begins at the last of them.
const RESTS: [f64; 4] = [1.0, 0.3, 0.65, 0.0];

/// The part of the time from one level to the next in which the hand moves.
const MOVING: f64 = 0.2;

/// Where a hand is at this part of the period, from 0 to 1.
fn hand(phase: f64) -> f64 {
    let turns = phase * RESTS.len() as f64;
    let to = turns as usize % RESTS.len();
    let from = (to + RESTS.len() - 1) % RESTS.len();
    let moved = (turns.fract() / MOVING).min(1.0);
    // It gathers speed and slows down.
    let moved = moved * moved * (3.0 - 2.0 * moved);
    RESTS[from] + (RESTS[to] - RESTS[from]) * moved
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(10);

    fn values(shape: Shape, ends: [u16; 2]) -> Vec<u16> {
        let ends = ends.map(|hundredths| Intensity::from_hundredths(hundredths).unwrap());
        let began = Instant::from_millis(123);
        let mut wave = Wave::new(shape, PERIOD, ends, began);
        let seconds = |tenth: u64| began + Duration::from_millis(tenth * 100);
        let mut value = None;
        let mut at = |tenth| {
            value = wave.tick(seconds(tenth)).or(value);
            value.expect("the first value is always another").hundredths()
        };
        (0..=100).map(&mut at).collect()
    }

    #[test]
    fn both_shapes_go_from_end_to_end_and_back() {
        for shape in [Shape::Sine, Shape::Triangle] {
            let values = values(shape, [0, 10_000]);
            assert_eq!(
                [values[0], values[25], values[50], values[75], values[100]],
                [0, 5_000, 10_000, 5_000, 0]
            );
            assert!(values[..=50].is_sorted() && values[50..].iter().rev().is_sorted());
        }
    }

    #[test]
    fn a_sine_lingers_at_its_ends_and_a_triangle_does_not() {
        assert_eq!(values(Shape::Sine, [0, 10_000])[..6], [0, 10, 39, 89, 157, 245]);
        assert_eq!(values(Shape::Triangle, [0, 10_000])[..6], [0, 200, 400, 600, 800, 1_000]);
    }

    #[test]
    fn a_hand_moves_and_rests_and_comes_back_to_where_it_began() {
        let values = values(Shape::Hand, [0, 10_000]);
        assert_eq!([values[0], values[100]], [0, 0]);
        assert!(values[..=5].is_sorted_by(|before, after| before < after), "it moves: {:?}", &values[..=5]);
        assert_eq!(values[5..=25], [10_000; 21], "it rests");
        assert_eq!([values[45], values[70]], [3_000, 6_500]);
        let movements = values.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert_eq!(movements, 4 * 5);
    }

    #[test]
    fn it_stays_between_its_ends() {
        let values = values(Shape::Sine, [1_234, 4_321]);
        assert_eq!((values.iter().min(), values.iter().max()), (Some(&1_234), Some(&4_321)));
    }

    #[test]
    fn a_value_that_stays_is_said_once() {
        let mut wave = Wave::new(Shape::Hand, PERIOD, [Intensity::OFF, Intensity::FULL], Instant::START);
        let said = (0..100).filter_map(|tenth| wave.tick(Instant::from_millis(tenth * 100))).count();
        assert_eq!(said, 1 + 4 * 5);
    }

    #[test]
    fn it_is_due_ten_times_a_second() {
        let mut wave = Wave::new(Shape::Sine, PERIOD, [Intensity::OFF, Intensity::FULL], Instant::START);
        assert!(wave.tick(Instant::START).is_some());
        assert_eq!(wave.next_deadline(), Instant::from_millis(100));
        assert!(wave.tick(Instant::from_millis(99)).is_none());
        assert!(wave.tick(Instant::from_millis(100)).is_some());
    }
}
