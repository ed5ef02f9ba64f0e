//! A knob behind a converter whose counts come as lines, at whatever rate the other side sends them.
//!
//! Firmware asks its converter every ten milliseconds. Here the last count holds until the next one comes, so that the
//! final value is found also where the other side only speaks when something changes.

use luxwire_shared::{
    model::{
        Wish,
        reading::{OutOfRange, Publish, Reading, SAMPLE_EVERY, Settings},
    },
    time::Instant,
};

/// A knob, count by count.
#[derive(Debug)]
pub(super) struct Knob {
    reading: Reading,
    held: Option<(u32, Instant)>,
}

impl Knob {
    pub(super) const fn new(settings: Settings) -> Self {
        Self { reading: Reading::new(settings), held: None }
    }

    /// The converter says `count`.
    pub(super) fn count(&mut self, count: u32, now: Instant) -> Result<Option<Wish>, OutOfRange> {
        let publish = self.reading.sample(count, now)?;
        self.held = Some((count, now));
        Ok(publish.map(wish))
    }

    /// When the count that holds is to be read again; `None` while the knob is still.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let (_, read_at) = self.held.filter(|_| !self.reading.is_still())?;
        Some(read_at + SAMPLE_EVERY)
    }

    /// Time passes.
    pub(super) fn tick(&mut self, now: Instant) -> Option<Wish> {
        let due = self.next_deadline().is_some_and(|at| at <= now);
        let (count, _) = self.held.filter(|_| due)?;
        self.count(count, now).expect("the same count was in range before")
    }
}

const fn wish(Publish { intensity, last }: Publish) -> Wish {
    if last { Wish::Final(intensity) } else { Wish::Passing(intensity) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use luxwire_shared::model::Intensity;

    #[test]
    fn one_line_is_enough_for_a_final_value() {
        let mut knob = Knob::new(Settings::new(1_023).unwrap());
        let mut now = Instant::START;
        for (count, percent) in [(512, 50), (900, 88), (0, 0), (512, 50)] {
            assert_eq!(knob.count(count, now), Ok(None));
            let mut wish = None;
            while let Some(at) = knob.next_deadline() {
                now = at;
                wish = knob.tick(at).or(wish);
            }
            assert_eq!(wish, Some(Wish::Final(Intensity::from_percent(percent).unwrap())));
        }
    }
}
