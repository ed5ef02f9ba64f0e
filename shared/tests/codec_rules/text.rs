//! Strings: refused in every place that holds one if they are not what MQTT allows, and taken as they are otherwise.

use crate::notation::{bytes, decode};
use luxwire_shared::mqtt::{DecodeError, TextError, Version};

/// Every place for a string; `{}` stands for the string with its length.
const PLACES: &[(Version, &str)] = &[
    (Version::V3_1, "10: `MQIsdp` 03 02 00 00 {}"), // [MQTT-3.1.3-4]
    (Version::V3_1_1, "10: `MQTT` 04 02 00 00 {}"),
    (Version::V5, "10: `MQTT` 05 02 00 00 00 {}"),
    (Version::V3_1_1, "10: `MQTT` 04 06 00 00 `c` {} `x`"), // [MQTT-3.1.3-11]
    (Version::V5, "10: `MQTT` 05 06 00 00 00 `c` 00 {} `x`"),
    (Version::V3_1_1, "10: `MQTT` 04 82 00 00 `c` {}"), // [MQTT-3.1.3-12]
    (Version::V5, "10: `MQTT` 05 82 00 00 00 `c` {}"),
    (Version::V5, "10: `MQTT` 05 02 00 00 [15 {}] `c`"),
    (Version::V5, "10: `MQTT` 05 02 00 00 [26 {} `v`] `c`"), // [MQTT-1.5.7-1]
    (Version::V5, "10: `MQTT` 05 02 00 00 [26 `k` {}] `c`"),
    (Version::V5, "10: `MQTT` 05 06 00 00 00 `c` [03 {}] `w` `x`"),
    (Version::V5, "10: `MQTT` 05 06 00 00 00 `c` [08 {}] `w` `x`"),
    (Version::V5, "10: `MQTT` 05 06 00 00 00 `c` [26 {} `v`] `w` `x`"),
    (Version::V5, "20: 00 00 [12 {}]"),
    (Version::V5, "20: 00 00 [15 {}]"),
    (Version::V5, "20: 00 00 [1a {}]"),
    (Version::V5, "20: 00 00 [1c {}]"),
    (Version::V5, "20: 00 00 [1f {}]"),
    (Version::V5, "20: 00 00 [26 `k` {}]"),
    (Version::V3_1, "30: {}"), // [MQTT-3.3.2-1]
    (Version::V3_1_1, "30: {}"),
    (Version::V5, "30: {} 00"),
    (Version::V5, "32: {} 00 01 [01 00]"),
    (Version::V5, "30: `t` [03 {}]"), // [MQTT-3.3.2-19]
    (Version::V5, "30: `t` [08 {}]"), // [MQTT-3.3.2-13]
    (Version::V5, "30: `t` [26 {} `v`]"),
    (Version::V5, "30: `t` [26 `k` {}]"),
    (Version::V5, "40: 00 01 00 [1f {}]"),
    (Version::V5, "50: 00 01 00 [1f {}]"),
    (Version::V5, "62: 00 01 00 [1f {}]"),
    (Version::V5, "70: 00 01 00 [1f {}]"),
    (Version::V5, "70: 00 01 00 [26 {} ``]"),
    (Version::V3_1, "82: 00 01 {} 00"), // [MQTT-3.8.3-1]
    (Version::V3_1_1, "82: 00 01 `ok` 00 {} 00"),
    (Version::V5, "82: 00 01 00 {} 00"),
    (Version::V5, "82: 00 01 [26 {} `v`] `f` 00"),
    (Version::V5, "90: 00 01 [1f {}] 00"),
    (Version::V3_1_1, "a2: 00 01 {}"), // [MQTT-3.10.3-1]
    (Version::V5, "a2: 00 01 00 `ok` {}"),
    (Version::V5, "a2: 00 01 [26 `k` {}] `f`"),
    (Version::V5, "b0: 00 01 [1f {}] 00"),
    (Version::V5, "e0: 00 [1c {}]"),
    (Version::V5, "e0: 00 [1f {}]"),
    (Version::V5, "f0: 00 [15 {}]"),
    (Version::V5, "f0: 00 [15 `m` 1f {}]"),
];

/// [MQTT-1.5.4-1] [MQTT-1.5.4-2], 3.1.1: [MQTT-1.5.3-1] [MQTT-1.5.3-2]
const NO_TEXT: &[(&str, TextError)] = &[
    ("(ed a0 80)", TextError::NotUtf8),          // U+D800
    ("('a' ed bf bf 'b')", TextError::NotUtf8),  // U+DFFF
    ("(ed a0 bd ed b8 80)", TextError::NotUtf8), // a surrogate pair
    ("(c0 80)", TextError::NotUtf8),             // U+0000 overlong
    ("(c1 a1)", TextError::NotUtf8),             // `a` overlong
    ("(e0 80 af)", TextError::NotUtf8),          // `/` overlong
    ("(f0 80 80 af)", TextError::NotUtf8),
    ("(f4 90 80 80)", TextError::NotUtf8), // above U+10FFFF
    ("(ff)", TextError::NotUtf8),
    ("('a' fe)", TextError::NotUtf8),
    ("(80)", TextError::NotUtf8),      // goes on with nothing
    ("('ab' c3)", TextError::NotUtf8), // ends within a character
    ("(e2 82)", TextError::NotUtf8),
    ("(f0 9f 92)", TextError::NotUtf8),
    ("(00)", TextError::Null),
    ("('a' 00)", TextError::Null),
    ("(00 'a')", TextError::Null),
    ("('a' 00 'b')", TextError::Null),
];

/// What one might take for wrong.
const TEXT: &[&str] = &[
    "(ef bb bf 'a')", // a byte order mark, kept [MQTT-1.5.4-3]
    "(ef bb bf)",
    "('a' ef bb bf)",
    "(01)", // control characters: the receiver may refuse them, and we do not
    "(1f 7f)",
    "(c2 80)",
    "(ef bf bf)", // U+FFFF, no character
    "(ef b7 90)", // U+FDD0
    "(f0 9f 92 a1)",
    "(f4 8f bf bf)", // U+10FFFF
    "(' ')",
    "(ed 9f bf)", // U+D7FF and U+E000, the neighbours of the surrogates
    "(ee 80 80)",
];

#[test]
fn what_is_no_text_is_refused_in_every_place() {
    for (version, place) in PLACES {
        for (text, error) in NO_TEXT {
            let decoded = decode(&bytes(&place.replace("{}", text)), *version);
            assert_eq!(decoded, Err(DecodeError::Text(*error)), "{version:?}: {text} in {place}");
        }
    }
}

#[test]
fn text_is_taken_in_every_place_and_given_back_as_it_was() {
    for (version, place) in PLACES {
        for text in TEXT {
            let bytes = bytes(&place.replace("{}", text));
            let packet = decode(&bytes, *version);
            let packet = packet.unwrap_or_else(|error| panic!("{version:?}: {text} in {place}: {error}"));
            let mut again = bytes::BytesMut::new();
            packet.encode(*version, &mut again).unwrap();
            assert_eq!(decode(&again, *version), Ok(packet), "{version:?}: {text} in {place}");
            let held = crate::notation::bytes(text);
            assert!(again.windows(held.len()).any(|window| window == held), "{version:?}: {text} in {place}");
        }
    }
}

/// A length that goes beyond what holds the string.
#[test]
fn a_text_longer_than_its_place_is_refused() {
    for (version, place) in PLACES {
        let decoded = decode(&bytes(&place.replace("{}", "ff ff 'a'")), *version);
        let in_block = place.find('[').is_some_and(|open| {
            let at = place.find("{}").unwrap();
            open < at && at < place.rfind(']').unwrap()
        });
        let expected = if in_block { DecodeError::PropertyLength } else { DecodeError::Truncated };
        assert_eq!(decoded, Err(expected), "{version:?}: {place}");
    }
}
