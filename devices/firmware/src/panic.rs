//! When the firmware is wrong: it says where, and the board starts again.

use core::{
    fmt::{self, Write as _},
    panic::PanicInfo,
};
use embassy_rp::pac::UART0;

#[panic_handler]
fn panic(panic: &PanicInfo<'_>) -> ! {
    cortex_m::interrupt::disable();
    // The line's owner may be the one who panicked: past it, to the bare peripheral.
    let _ = write!(Bare, "\r\npanic: {panic}\r\n");
    while UART0.uartfr().read().busy() {}
    cortex_m::peripheral::SCB::sys_reset()
}

struct Bare;

impl fmt::Write for Bare {
    fn write_str(&mut self, words: &str) -> fmt::Result {
        for byte in words.bytes() {
            while UART0.uartfr().read().txff() {}
            UART0.uartdr().write(|data| data.set_data(byte));
        }
        Ok(())
    }
}
