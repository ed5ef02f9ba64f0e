//! What the dimmer says to people and programs: the bar, a line for each value published, sentences on standard error.

use super::screen::{Screen, View};
use luxwire_shared::{
    model::{Intensity, LightId},
    time::Instant,
};
use std::{
    io::{self, Write as _},
    time::Duration,
};
use tracing::info;

/// A slider that moves elsewhere sets ten values a second: only where it stops is worth a sentence.
const HEARD_PAUSE: Duration = Duration::from_millis(300);

pub(super) struct Voice {
    id: LightId,
    screen: Option<Screen>,
    is_quiet: bool,
    /// What others set, and when to say it.
    heard: Option<(Intensity, Instant)>,
    /// The passing value that was said last: as a final one it is not said again.
    passing: Option<Intensity>,
}

impl Voice {
    pub(super) const fn new(id: LightId, screen: Option<Screen>) -> Self {
        Self { id, screen, is_quiet: false, heard: None, passing: None }
    }

    /// A voice that leaves standard output alone.
    pub(super) const fn quiet(id: LightId) -> Self {
        Self { id, screen: None, is_quiet: true, heard: None, passing: None }
    }

    /// Lets others write to the terminal.
    pub(super) fn aside(&mut self, write: impl FnOnce()) {
        if let Some(screen) = &mut self.screen {
            screen.make_room();
        }
        write();
    }

    /// What a person must know before they begin.
    pub(super) fn explain(&mut self, sentence: &str) {
        if let Some(screen) = &mut self.screen {
            screen.say(sentence);
        }
    }

    pub(super) fn show(&mut self, view: View<'_>) {
        if let Some(screen) = &mut self.screen {
            screen.draw(view);
        }
    }

    pub(super) fn resized(&mut self) {
        if let Some(screen) = &mut self.screen {
            screen.resized();
        }
    }

    /// A value that another follows went out.
    pub(super) fn passed(&mut self, intensity: Intensity) -> io::Result<()> {
        self.passing = Some(intensity);
        self.print(intensity)
    }

    /// A final value went out.
    pub(super) fn published(&mut self, intensity: Intensity) -> io::Result<()> {
        if self.passing.take() == Some(intensity) {
            self.heard = None;
            return Ok(());
        }
        self.print(intensity)
    }

    fn print(&mut self, intensity: Intensity) -> io::Result<()> {
        // Whatever others said before, the light is where we put it.
        self.heard = None;
        if self.screen.is_some() || self.is_quiet {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        writeln!(out, "{intensity}")?;
        out.flush()
    }

    /// Others set this. The bar shows it anyway.
    pub(super) fn heard(&mut self, intensity: Intensity, now: Instant) {
        if self.screen.is_none() {
            self.heard = Some((intensity, now + HEARD_PAUSE));
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.heard.map(|(_, at)| at)
    }

    /// Says what others set, once they have stopped.
    pub(super) fn tick(&mut self, now: Instant) {
        if let Some((intensity, _)) = self.heard.take_if(|(_, at)| *at <= now) {
            info!("{} was set to {intensity} %", self.id);
        }
    }
}
