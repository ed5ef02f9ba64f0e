//! What the keys mean. The rest is the page's slider: how fast values go out, which is the last, whose value shows.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use luxwire_shared::{
    model::{Control, Intensity, Wish},
    time::Instant,
};
use std::time::Duration;

/// What a person is told once, before the bar.
pub(super) const HELP: &str = "Arrows 1 %, 5 %, PgUp PgDn 10 %, Home, End, 42 Enter, space: off, on, q: quit";

/// A number is finished when no digit follows for so long.
const ENTRY_PAUSE: Duration = Duration::from_millis(1_500);

/// A hand on the keys.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) control: Control,
    /// Digits that were typed, and when they count.
    entry: Option<(u16, Instant)>,
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    Wish(Wish),
    Quit,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self { control: Control::new(false), entry: None }
    }

    /// The number that is being typed.
    pub(super) fn entry(&self) -> Option<u16> {
        self.entry.map(|(number, _)| number)
    }

    /// A key is pressed, or repeats.
    pub(super) fn press(&mut self, key: KeyEvent, now: Instant) -> Asked {
        if key.kind == KeyEventKind::Release {
            return Asked::Nothing;
        }
        let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'd') if with_control => Asked::Quit,
            KeyCode::Char('q' | 'Q') => Asked::Quit,
            KeyCode::Left | KeyCode::Char('-') => self.step(-1, now),
            KeyCode::Right | KeyCode::Char('+') => self.step(1, now),
            KeyCode::Down => self.step(-5, now),
            KeyCode::Up => self.step(5, now),
            KeyCode::PageDown => self.step(-10, now),
            KeyCode::PageUp => self.step(10, now),
            KeyCode::Home => self.step(-100, now),
            KeyCode::End => self.step(100, now),
            KeyCode::Char(' ') => {
                self.entry = None;
                let is_on = self.control.displayed().is_some_and(|level| !level.is_off());
                asked(self.control.switch(!is_on, now))
            }
            KeyCode::Char(digit @ '0'..='9') => self.digit(digit, now),
            KeyCode::Backspace => {
                self.entry = self.entry.map(|(number, _)| (number / 10, now + ENTRY_PAUSE));
                self.entry.take_if(|(number, _)| *number == 0);
                Asked::Nothing
            }
            KeyCode::Esc => {
                self.entry = None;
                Asked::Nothing
            }
            KeyCode::Enter => asked(self.enter(now)),
            _ => Asked::Nothing,
        }
    }

    /// Time passes.
    pub(super) fn tick(&mut self, now: Instant) -> Option<Wish> {
        if self.entry.is_some_and(|(_, at)| at <= now) {
            return self.enter(now);
        }
        self.control.tick(now).0
    }

    /// When [`Keys::tick`] has something to do.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        [self.entry.map(|(_, at)| at), self.control.next_deadline()].into_iter().flatten().min()
    }

    /// The hand goes away: what it did last counts.
    pub(super) fn leave(&mut self, now: Instant) -> Option<Wish> {
        self.enter(now).or_else(|| self.control.release(now))
    }

    fn step(&mut self, percents: i32, now: Instant) -> Asked {
        self.entry = None;
        let level = self.control.displayed().unwrap_or(Intensity::OFF);
        let hundredths = (i32::from(level.hundredths()) + percents * 100).clamp(0, 10_000);
        let to = u16::try_from(hundredths).ok().and_then(Intensity::from_hundredths);
        asked(to.and_then(|to| self.control.input(to, now)))
    }

    fn digit(&mut self, digit: char, now: Instant) -> Asked {
        let digit = u16::try_from(u32::from(digit) - u32::from('0')).unwrap_or_default();
        let number = self.entry.map_or(digit, |(number, _)| number * 10 + digit);
        // A digit that leads beyond 100 begins another number.
        self.entry = Some((if number > 100 { digit } else { number }, now + ENTRY_PAUSE));
        Asked::Nothing
    }

    fn enter(&mut self, now: Instant) -> Option<Wish> {
        let (number, _) = self.entry.take()?;
        let level = Intensity::from_hundredths(number * 100)?;
        Some(self.control.set(level, now))
    }
}

fn asked(wish: Option<Wish>) -> Asked {
    wish.map_or(Asked::Nothing, Asked::Wish)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(percent: u8) -> Intensity {
        Intensity::from_percent(percent).unwrap()
    }

    fn ms(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    /// Presses these keys a second apart, and says what shows after each.
    fn check(from: u8, keys: &[KeyCode], expected: &[u8]) {
        let mut hand = Keys::new();
        hand.control.connected(ms(0));
        hand.control.message(percent(from), ms(0));
        let shown = keys.iter().zip(1..).map(|(key, second)| {
            hand.press(KeyEvent::from(*key), ms(second * 1_000));
            hand.tick(ms(second * 1_000 + 500));
            hand.control.displayed().unwrap().rounded()
        });
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn keys_step() {
        use KeyCode::*;
        check(40, &[Right, Left, Left, Up, Down, PageUp, PageDown], &[41, 40, 39, 44, 39, 49, 39]);
        check(40, &[End, Right, Home, Left, PageDown], &[100, 100, 0, 0, 0]);
        check(97, &[PageUp, Down], &[100, 95]);
    }

    #[test]
    fn the_space_bar_goes_back_to_the_last_level() {
        let space = KeyCode::Char(' ');
        check(40, &[space, space, KeyCode::Up, space, space], &[0, 40, 45, 0, 45]);
        check(0, &[space, space], &[100, 0]);
    }

    #[test]
    fn digits_are_a_number_once_it_is_finished() {
        let [one, two, four, zero] = ['1', '2', '4', '0'].map(KeyCode::Char);
        check(40, &[four, two, KeyCode::Enter], &[40, 40, 42]);
        check(40, &[one, zero, zero, KeyCode::Enter], &[40, 40, 40, 100]);
        check(40, &[four, two, KeyCode::Backspace, KeyCode::Enter], &[40, 40, 40, 4]);
        check(40, &[four, KeyCode::Esc, KeyCode::Enter], &[40, 40, 40]);
        check(40, &[four, KeyCode::Right, KeyCode::Enter], &[40, 41, 41]);

        let mut hand = Keys::new();
        assert_eq!(hand.press(KeyEvent::from(four), ms(0)), Asked::Nothing);
        assert_eq!(hand.next_deadline(), Some(ms(1_500)));
        assert_eq!(hand.tick(ms(1_499)), None);
        assert_eq!(hand.tick(ms(1_500)), Some(Wish::Final(percent(4))));
    }

    #[test]
    fn a_hand_that_leaves_has_said_its_last() {
        let mut hand = Keys::new();
        hand.control.connected(ms(0));
        hand.control.message(percent(40), ms(0));
        assert_eq!(hand.press(KeyEvent::from(KeyCode::Up), ms(10)), Asked::Wish(Wish::Passing(percent(45))));
        assert_eq!(hand.press(KeyEvent::from(KeyCode::Char('q')), ms(20)), Asked::Quit);
        assert_eq!(hand.leave(ms(20)), Some(Wish::Final(percent(45))));
        assert_eq!(hand.leave(ms(30)), None);
    }
}
