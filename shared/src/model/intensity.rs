//! How bright a light is: a percentage, and the text that carries it.
//!
//! The text is decimal and strict. Accepted are one to three digits, then at most a point and one or two digits: `0`,
//! `40`, `040`, `40.5`, `40.50`, `100`, `100.00`. Not accepted are signs, exponents (`4e1`), spaces and line ends
//! (` 40`), a comma, a bare point (`40.`, `.5`), more decimals, and everything outside 0…100. What is not accepted is an
//! error and never a neighbouring value.

use alloc::string::{String, ToString};
use bytes::Bytes;
use core::{fmt, str::FromStr};

/// A percentage from 0 to 100, exact to the hundredth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Intensity(u16);

/// Why a text is no [`Intensity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntensityError {
    /// Not written as digits, or as digits, a point and digits.
    NotANumber,
    /// A number with more than two decimals.
    TooPrecise,
    /// A number below 0 or above 100.
    OutOfRange,
}

impl Intensity {
    /// 0 %: the light is off.
    pub const OFF: Self = Self(0);
    /// 100 %.
    pub const FULL: Self = Self(10_000);
    /// 1 %: one step of a slider. Lamps that count in steps of their own are never further off than this.
    pub const STEP: Self = Self(100);

    /// A whole percentage; `None` above 100.
    pub const fn from_percent(percent: u8) -> Option<Self> {
        Self::from_hundredths(percent as u16 * 100)
    }

    /// So many hundredths of a percent; `None` above 10,000.
    pub const fn from_hundredths(hundredths: u16) -> Option<Self> {
        if hundredths <= Self::FULL.0 { Some(Self(hundredths)) } else { None }
    }

    /// Hundredths of a percent, 0 to 10,000.
    pub const fn hundredths(self) -> u16 {
        self.0
    }

    /// The nearest whole percentage for people to read; 1 for everything that is on and below, so that 0 means off.
    pub const fn rounded(self) -> u8 {
        match (self.0 + 50) / 100 {
            0 if self.0 > 0 => 1,
            percent => percent as u8,
        }
    }

    /// Whether this is exactly 0 %.
    pub const fn is_off(self) -> bool {
        self.0 == 0
    }

    /// Whether the two are at most one [`STEP`](Self::STEP) apart.
    pub const fn is_near(self, other: Self) -> bool {
        self.0.abs_diff(other.0) <= Self::STEP.0
    }

    /// The payload of a message that says this: the shortest accepted text.
    pub fn to_payload(self) -> Bytes {
        Bytes::from(self.to_string())
    }
}

impl TryFrom<&[u8]> for Intensity {
    type Error = IntensityError;

    fn try_from(payload: &[u8]) -> Result<Self, IntensityError> {
        let (sign, unsigned) = match payload {
            [b'-', unsigned @ ..] => (Sign::Minus, unsigned),
            unsigned => (Sign::None, unsigned),
        };
        let point = unsigned.iter().position(|byte| *byte == b'.');
        let (whole, decimals) = match point {
            None => (unsigned, &[][..]),
            Some(at) => (&unsigned[..at], &unsigned[at + 1..]),
        };
        let digits_only = whole.iter().chain(decimals).all(u8::is_ascii_digit);
        if !digits_only || whole.is_empty() || (point.is_some() && decimals.is_empty()) {
            return Err(IntensityError::NotANumber);
        }
        if matches!(sign, Sign::Minus) || whole.len() > 3 {
            return Err(IntensityError::OutOfRange);
        }
        if decimals.len() > 2 {
            return Err(IntensityError::TooPrecise);
        }
        let digits = whole.iter().chain(decimals).chain(&b"00"[decimals.len()..]);
        let hundredths = digits.fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        let hundredths = u16::try_from(hundredths).map_err(|_| IntensityError::OutOfRange)?;
        Self::from_hundredths(hundredths).ok_or(IntensityError::OutOfRange)
    }
}

enum Sign {
    Minus,
    None,
}

impl FromStr for Intensity {
    type Err = IntensityError;

    fn from_str(text: &str) -> Result<Self, IntensityError> {
        Self::try_from(text.as_bytes())
    }
}

impl fmt::Display for Intensity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, decimals) = (self.0 / 100, self.0 % 100);
        match decimals {
            0 => write!(f, "{whole}"),
            tenths if tenths % 10 == 0 => write!(f, "{whole}.{}", tenths / 10),
            hundredths => write!(f, "{whole}.{hundredths:02}"),
        }
    }
}

impl From<Intensity> for String {
    fn from(intensity: Intensity) -> Self {
        intensity.to_string()
    }
}

impl fmt::Display for IntensityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "not a number such as 40 or 40.5",
            Self::TooPrecise => "more than two decimals",
            Self::OutOfRange => "outside 0 to 100",
        })
    }
}

impl core::error::Error for IntensityError {}
