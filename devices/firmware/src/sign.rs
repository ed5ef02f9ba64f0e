//! The board's own LED: tells without a serial adapter how far the board has come. A heartbeat as well: the watchdog is
//! fed here, so that a board whose program hangs starts again.

use core::cell::Cell;
use embassy_rp::{Peri, peripherals::WATCHDOG, watchdog::Watchdog};
use embassy_sync::blocking_mutex::{Mutex, raw::ThreadModeRawMutex};
use embassy_time::{Duration, Timer};

/// What the LED shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Two flashes, pause: there are no usable settings, or the network chip does not answer. The serial line says more.
    Stuck,
    /// Slow blinking: no network, or no broker.
    Searching,
    /// Steady: the broker is there.
    Connected,
}

static SIGN: Mutex<ThreadModeRawMutex, Cell<Sign>> = Mutex::new(Cell::new(Sign::Searching));

/// From now on the LED shows this.
pub fn show(sign: Sign) {
    SIGN.lock(|place| place.set(sign));
}

/// Turns the LED on and off, and feeds the watchdog.
pub struct Heartbeat {
    watchdog: Watchdog,
    step: usize,
}

/// How long the program may hang. The RP2040 cannot count much further.
const PATIENCE: Duration = Duration::from_secs(8);
/// Of a pattern's steps.
const STEP: Duration = Duration::from_millis(125);

impl Heartbeat {
    /// The watchdog begins to wait.
    pub fn new(watchdog: Peri<'static, WATCHDOG>) -> Self {
        let mut watchdog = Watchdog::new(watchdog);
        watchdog.start(PATIENCE);
        Self { watchdog, step: 0 }
    }

    /// Waits for the next step, and says whether the LED is on.
    pub async fn next(&mut self) -> bool {
        Timer::after(STEP).await;
        self.watchdog.feed(PATIENCE);
        self.step = (self.step + 1) % 8;
        match SIGN.lock(Cell::get) {
            Sign::Stuck => matches!(self.step, 0 | 2),
            Sign::Searching => self.step < 4,
            Sign::Connected => true,
        }
    }
}
