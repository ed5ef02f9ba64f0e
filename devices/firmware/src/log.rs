//! What the board says to a person with a serial adapter: UART0 on GP0, 115,200 baud, one line per fact.
//!
//! It waits until a line is out: a line takes some 4 ms, and lines are rare.

use core::{
    cell::RefCell,
    fmt::{self, Write as _},
};
use embassy_rp::{
    Peri,
    peripherals::{PIN_0, UART0},
    uart::{self, Blocking, UartTx},
};
use embassy_sync::blocking_mutex::{Mutex, raw::ThreadModeRawMutex};

static SERIAL: Mutex<ThreadModeRawMutex, RefCell<Option<UartTx<'static, Blocking>>>> =
    Mutex::new(RefCell::new(None));

/// Opens the serial line. What is said before is lost.
pub fn open(uart: Peri<'static, UART0>, pin: Peri<'static, PIN_0>) {
    let serial = UartTx::new_blocking(uart, pin, uart::Config::default());
    SERIAL.lock(|place| *place.borrow_mut() = Some(serial));
}

/// Says a line, as `format!` would make it.
#[macro_export]
macro_rules! say {
    ($($words:tt)*) => {
        $crate::log::line(::core::format_args!($($words)*))
    };
}

/// Says a line.
pub fn line(words: fmt::Arguments<'_>) {
    SERIAL.lock(|place| {
        if let Some(serial) = &mut *place.borrow_mut() {
            // A line that nobody reads is no reason to stop.
            let _ = writeln!(Line(serial), "{words}\r");
        }
    });
}

struct Line<'a>(&'a mut UartTx<'static, Blocking>);

impl fmt::Write for Line<'_> {
    fn write_str(&mut self, words: &str) -> fmt::Result {
        self.0.blocking_write(words.as_bytes()).map_err(|_| fmt::Error)
    }
}
