//! How long a lamp's PWM is on for an intensity: percent as people see it, turned into counts.
//!
//! An intensity is a lightness, as the eye judges it: 50 % looks half as bright as 100 %. An LED's light is proportional
//! to the share of time for which it is on, and half of that looks much brighter than half. The CIE's curve (CIE 1976 L*)
//! joins the two. With the lightness `L` from 0 to 100, the share of time is
//!
//! ```text
//! Y = L / 903.3              for L ≤ 8
//! Y = ((L + 16) / 116)³      for L > 8
//! ```
//!
//! In whole numbers, with `h` = hundredths of a percent (0…10,000) and `top` = the counts of 100 %:
//!
//! ```text
//! h = 0          duty = 0
//! h ≤ 800        duty = (h × top + 45,165) / 90,330
//! h > 800        duty = ((h + 1600)³ × top + 780,448,000,000) / 1,560,896,000,000
//! at last        duty = 1 if it is 0 although h is not
//! ```
//!
//! The divisions drop the remainder; half the divisor is added before, which rounds to the nearest count. Every step fits
//! an unsigned integer of 64 bits. 0 % is exactly 0, 100 % is exactly `top`, and what is on is on for at least one count.
//!
//! The curve belongs to the lamp's end alone: a bulb that takes percent (Hue, Zigbee) applies its own. It is not meant to
//! be turned around: several intensities share a duty, so a lamp never derives an intensity from one.

use crate::model::Intensity;
use core::num::NonZeroU16;

/// Into how many counts a PWM divides its period: the count that means "always on".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resolution {
    top: NonZeroU16,
}

impl Resolution {
    /// A PWM of 8 bits: 0 to 255. Some whole percentages at the dark end look the same.
    pub const BITS_8: Self = Self { top: NonZeroU16::new(255).unwrap() };
    /// A PWM of 10 bits: 0 to 1023. Every whole percentage has a duty of its own.
    pub const BITS_10: Self = Self { top: NonZeroU16::new(1023).unwrap() };
    /// A PWM of 12 bits: 0 to 4095.
    pub const BITS_12: Self = Self { top: NonZeroU16::new(4095).unwrap() };

    /// A PWM of so many bits; `None` unless 1 to 16.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            1..=16 => Self::from_top(u16::MAX >> (16 - bits)),
            _ => None,
        }
    }

    /// A PWM whose counter can be set freely: `top` counts are 100 %. `None` for 0.
    pub const fn from_top(top: u16) -> Option<Self> {
        match NonZeroU16::new(top) {
            Some(top) => Some(Self { top }),
            None => None,
        }
    }

    /// The count that means 100 %.
    pub const fn top(self) -> u16 {
        self.top.get()
    }

    /// The counts, of [`top`](Self::top), for which the light is on: the nearest to the CIE's curve.
    pub const fn duty(self, intensity: Intensity) -> u16 {
        let (hundredths, top) = (intensity.hundredths(), self.top.get());
        let nearest = if hundredths <= LINEAR_MAX {
            let counts = hundredths as u32 * top as u32;
            (counts + LINEAR_DIVISOR / 2) / LINEAR_DIVISOR
        } else {
            let base = (hundredths + CUBIC_OFFSET) as u64;
            let counts = base * base * base * top as u64;
            ((counts + CUBIC_DIVISOR / 2) / CUBIC_DIVISOR) as u32
        };
        match nearest as u16 {
            0 if !intensity.is_off() => 1,
            duty => duty,
        }
    }
}

/// 8 %, in hundredths: up to here the curve is a straight line.
const LINEAR_MAX: u16 = 800;
/// 903.3, in hundredths of a percent.
const LINEAR_DIVISOR: u32 = 90_330;
/// 16 %, in hundredths.
const CUBIC_OFFSET: u16 = 1_600;
/// 116 %, in hundredths, cubed.
const CUBIC_DIVISOR: u64 = 11_600 * 11_600 * 11_600;
