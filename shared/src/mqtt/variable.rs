//! The Variable Byte Integer: seven bits a byte, four bytes at most, the lowest first. Section 1.5.5.
//!
//! The Remaining Length has this form in every version; property lengths, property and subscription identifiers in 5.0.

/// The largest value, 268,435,455.
pub(crate) const MAX: u32 = 0x0FFF_FFFF;

/// What the first bytes of a slice say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// The slice ends within the integer.
    Incomplete,
    /// The fourth byte says that a fifth one follows.
    TooLong,
    /// A whole integer.
    Value {
        /// 0 to [`MAX`].
        value: u32,
        /// How many bytes it took, 1 to 4.
        len: usize,
        /// Whether fewer bytes would not have done. [MQTT-1.5.5-1]
        shortest: bool,
    },
}

/// Reads the integer at the front of `bytes`.
#[inline]
pub(crate) fn parse(bytes: &[u8]) -> Parsed {
    let mut value = 0;
    for (at, &byte) in bytes.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Parsed::Value { value, len: at + 1, shortest: at == 0 || byte != 0 };
        }
    }
    if bytes.len() < 4 { Parsed::Incomplete } else { Parsed::TooLong }
}

/// How many bytes `value` takes; `value` is at most [`MAX`].
#[inline]
pub(crate) const fn len(value: u32) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        _ => 4,
    }
}

/// The bytes of an integer, as many as it needs. Arrays of a known length are copied faster than slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortest {
    One([u8; 1]),
    Two([u8; 2]),
    Three([u8; 3]),
    Four([u8; 4]),
}

/// The bytes of `value`; `value` is at most [`MAX`]. [MQTT-1.5.5-1]
#[inline]
pub(crate) const fn shortest(value: u32) -> Shortest {
    /// Seven bits, with the sign that more follow.
    const fn more(value: u32) -> u8 {
        value as u8 | 0x80
    }
    match value {
        0..=0x7F => Shortest::One([value as u8]),
        0x80..=0x3FFF => Shortest::Two([more(value), (value >> 7) as u8]),
        0x4000..=0x1F_FFFF => Shortest::Three([more(value), more(value >> 7), (value >> 14) as u8]),
        _ => Shortest::Four([more(value), more(value >> 7), more(value >> 14), (value >> 21) as u8]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_each_length_are_those_of_the_specification() {
        let table: [(u32, &[u8]); 9] = [
            (0, &[0x00]),
            (127, &[0x7F]),
            (128, &[0x80, 0x01]),
            (16_383, &[0xFF, 0x7F]),
            (16_384, &[0x80, 0x80, 0x01]),
            (2_097_151, &[0xFF, 0xFF, 0x7F]),
            (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
            (268_435_455, &[0xFF, 0xFF, 0xFF, 0x7F]),
            (321, &[0xC1, 0x02]),
        ];
        for (value, expected) in table {
            let len = len(value);
            match shortest(value) {
                Shortest::One(bytes) => assert_eq!(bytes, *expected, "{value}"),
                Shortest::Two(bytes) => assert_eq!(bytes, *expected, "{value}"),
                Shortest::Three(bytes) => assert_eq!(bytes, *expected, "{value}"),
                Shortest::Four(bytes) => assert_eq!(bytes, *expected, "{value}"),
            }
            assert_eq!(parse(expected), Parsed::Value { value, len, shortest: true }, "{value}");
        }
    }

    #[test]
    fn a_fifth_byte_is_refused_and_a_missing_one_awaited() {
        assert_eq!(parse(&[0x80, 0x80, 0x80, 0x80]), Parsed::TooLong);
        assert_eq!(parse(&[0x80, 0x80, 0x80]), Parsed::Incomplete);
        assert_eq!(parse(&[]), Parsed::Incomplete);
    }

    #[test]
    fn a_form_that_could_be_shorter_is_told_apart() {
        assert_eq!(parse(&[0x80, 0x00]), Parsed::Value { value: 0, len: 2, shortest: false });
        assert_eq!(parse(&[0xFF, 0x80, 0x00]), Parsed::Value { value: 127, len: 3, shortest: false });
    }
}
