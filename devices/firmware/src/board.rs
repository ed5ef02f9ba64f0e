//! What every board has: the knob, the LED, the serial line, the settings in flash. The pins are the same on all.

use crate::{knob::Knob, lamp::Lamp};
use embassy_rp::{
    Peri,
    clocks::RoscRng,
    flash::Flash,
    peripherals::{ADC, FLASH, PIN_15, PIN_26, PWM_SLICE7},
};
use luxwire_board_settings::{Mac, SECTOR_ADDRESS, SECTOR_LEN, Settings, SettingsError};

/// The parts of a board that have nothing to do with its network.
pub struct Board {
    /// The potentiometer.
    pub knob: Knob,
    /// The LED.
    pub lamp: Lamp,
}

/// Of both boards, in bytes.
const FLASH_LEN: usize = 2 * 1024 * 1024;
const FLASH_ADDRESS: u32 = 0x1000_0000;

impl Board {
    /// Takes what it needs of the chip.
    pub fn new(
        adc: Peri<'static, ADC>,
        knob: Peri<'static, PIN_26>,
        pwm: Peri<'static, PWM_SLICE7>,
        led: Peri<'static, PIN_15>,
    ) -> Self {
        Self { knob: Knob::new(adc, knob), lamp: Lamp::new(pwm, led) }
    }
}

/// Reads the settings that `luxwire firmware settings` wrote.
pub fn settings(flash: Peri<'static, FLASH>) -> Result<Settings, SettingsError> {
    let mut flash = Flash::<_, _, FLASH_LEN>::new_blocking(flash);
    let mut sector = alloc::vec![0; SECTOR_LEN];
    flash
        .blocking_read(SECTOR_ADDRESS - FLASH_ADDRESS, &mut sector)
        .expect("the sector lies within the flash");
    Settings::from_sector(&sector)
}

/// A number that differs between boards, and on a real board between starts: the ring oscillator's jitter, and the
/// address in case that it has none.
pub fn seed(mac: Mac) -> u64 {
    let [a, b, c, d, e, f] = mac.octets();
    RoscRng.next_u64() ^ u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
}
