//! The LED on GP15 (PWM slice 7, output B). The shared code turns an intensity into counts; here are only the counts.

use embassy_rp::{
    Peri,
    peripherals::{PIN_15, PWM_SLICE7},
    pwm::{Config, Pwm},
};
use luxwire_shared::model::{Intensity, Resolution};

/// 12 bits: enough for a hundred steps that the eye can tell apart at the dark end.
const RESOLUTION: Resolution = Resolution::BITS_12;
/// 125 MHz / 16 / 4095 counts = 1,908 Hz: too fast to flicker, slow enough for any LED driver.
const DIVIDER: u8 = 16;

/// An LED with its resistor between GP15 and GND, or the input of an LED driver.
pub struct Lamp {
    pwm: Pwm<'static>,
    config: Config,
}

impl Lamp {
    /// Off.
    pub(crate) fn new(slice: Peri<'static, PWM_SLICE7>, pin: Peri<'static, PIN_15>) -> Self {
        let mut config = Config::default();
        // The counter runs from 0 to `top` and the pin is high below `compare`: a `compare` above `top` is always high.
        config.top = RESOLUTION.top() - 1;
        config.divider = DIVIDER.into();
        Self { pwm: Pwm::new_output_b(slice, pin, config.clone()), config }
    }

    /// Shines so bright from the next period on.
    pub(crate) fn shine(&mut self, intensity: Intensity) {
        self.config.compare_b = RESOLUTION.duty(intensity);
        self.pwm.set_config(&self.config);
    }
}
