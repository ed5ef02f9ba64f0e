//! The potentiometer on GP26 (ADC0). The shared code turns its counts into intensities; here are only the counts.

use crate::clock::now;
use embassy_rp::{
    Peri,
    adc::{Adc, Blocking, Channel, Config},
    gpio::Pull,
    peripherals::{ADC, PIN_26},
};
use embassy_sync::{blocking_mutex::raw::ThreadModeRawMutex, signal::Signal};
use embassy_time::{Duration, Ticker};
use luxwire_shared::model::reading::{Publish, Reading, SAMPLE_EVERY, Settings};

/// What the knob says and nobody has fetched: the newest alone counts.
pub(crate) static TURNED: Signal<ThreadModeRawMutex, Publish> = Signal::new();

/// The converter has 12 bits.
const ADC_MAX: u16 = 4095;

/// A potentiometer between 3V3 and GND, its slider on GP26.
pub struct Knob {
    converter: Adc<'static, Blocking>,
    channel: Channel<'static>,
}

impl Knob {
    pub(crate) fn new(adc: Peri<'static, ADC>, pin: Peri<'static, PIN_26>) -> Self {
        Self {
            converter: Adc::new_blocking(adc, Config::default()),
            channel: Channel::new_pin(pin, Pull::None),
        }
    }

    /// Samples for ever.
    pub(crate) async fn watch(mut self) -> ! {
        let mut reading = Reading::new(Settings::new(ADC_MAX).expect("12 bits are enough"));
        let mut ticker = Ticker::every(Duration::from_micros(SAMPLE_EVERY.as_micros() as u64));
        loop {
            ticker.next().await;
            // A sample takes 2 µs: not worth an interrupt. One that failed is made good by the next.
            let Ok(raw) = self.converter.blocking_read(&mut self.channel) else { continue };
            if let Ok(Some(publish)) = reading.sample(raw.into(), now()) {
                TURNED.signal(publish);
            }
        }
    }
}
