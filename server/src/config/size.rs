//! A number of bytes, as people write it: `65536` or `"64 KiB"`.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};
use std::fmt;

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(usize);

const UNITS: [(&str, usize); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

impl Size {
    pub(crate) const fn from_bytes(bytes: usize) -> Self {
        Self(bytes)
    }

    pub(crate) const fn bytes(self) -> usize {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let (number, unit) =
            match UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit))) {
                Some((number, unit)) => (number.trim_end(), unit),
                None => (text, 1),
            };
        number.parse::<usize>().ok()?.checked_mul(unit).map(Self)
    }
}

impl Serialize for Size {
    /// Writes the largest unit that leaves a whole number.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match UNITS.iter().find(|(_, unit)| self.0 >= *unit && self.0.is_multiple_of(*unit)) {
            Some((name, unit)) => serializer.collect_str(&format_args!("{} {name}", self.0 / unit)),
            None => serializer.serialize_u64(self.0 as u64),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Size;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes, or text such as \"64 KiB\", \"1 MiB\"")
            }

            fn visit_i64<E: Error>(self, bytes: i64) -> Result<Size, E> {
                usize::try_from(bytes).map(Size).map_err(|_| E::custom(format_args!("{bytes} is no size")))
            }

            fn visit_u64<E: Error>(self, bytes: u64) -> Result<Size, E> {
                usize::try_from(bytes).map(Size).map_err(|_| E::custom(format_args!("{bytes} is no size")))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
                Size::parse(text).ok_or_else(|| {
                    E::custom(format_args!(
                        "{text:?} is no size; write bytes, or a whole number of KiB, MiB or GiB"
                    ))
                })
            }
        }

        deserializer.deserialize_any(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn sizes_are_read_with_and_without_a_unit() {
        let check = |text: &str, bytes: usize| assert_eq!(Size::parse(text), Some(Size(bytes)), "{text}");
        check("65536", 65_536);
        check("64 KiB", 65_536);
        check("1MiB", 1 << 20);
        check("2 GiB", 2 << 30);
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "KiB", "-1", "1.5 MiB", "1 MB", "99999999999999999999", "99999999999999 GiB"] {
            assert_eq!(Size::parse(text), None, "{text}");
        }
    }
}
