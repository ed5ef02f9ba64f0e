//! What is refused, and by which rule. Each row breaks one rule only; the properties of 5.0 have their own tables in
//! `properties.rs`, strings in `text.rs`.

use crate::notation::{ALL, Row, V3, V3_1_1, V4_V5, V5, bytes, decode, refused};
use luxwire_shared::mqtt::{DecodeError, FilterError, Property, ReasonCode, TextError, TopicError, Version};
use std::collections::BTreeSet;

const FIXED_HEADER: &[Row] = &[
    (ALL, "00:", DecodeError::PacketType),
    (ALL, "0f: 00", DecodeError::PacketType),
    (V3, "f0:", DecodeError::PacketType), // AUTH is of 5.0
    (V3, "f0: 00", DecodeError::PacketType),
    // [MQTT-2.1.3-1], 3.1.1: [MQTT-2.2.2-2]
    (ALL, "11: `MQTT` 04 02 00 00 `c`", DecodeError::Flags),
    (ALL, "18: `MQIsdp` 03 02 00 00 `c`", DecodeError::Flags),
    (V3, "21: 00 00", DecodeError::Flags),
    (ALL, "41: 00 01", DecodeError::Flags),
    (ALL, "42: 00 01", DecodeError::Flags),
    (ALL, "52: 00 01", DecodeError::Flags),
    (ALL, "60: 00 01", DecodeError::Flags), // [MQTT-3.6.1-1]
    (ALL, "63: 00 01", DecodeError::Flags),
    (V4_V5, "6a: 00 01", DecodeError::Flags), // 3.1 sends it again with DUP
    (ALL, "72: 00 01", DecodeError::Flags),
    (V3, "80: 00 01 `f` 00", DecodeError::Flags), // [MQTT-3.8.1-1]
    (V3_1_1, "8a: 00 01 `f` 00", DecodeError::Flags),
    (V5, "80: 00 01 00 `f` 00", DecodeError::Flags),
    (V5, "8a: 00 01 00 `f` 00", DecodeError::Flags),
    (V3, "92: 00 01 00", DecodeError::Flags),
    (V3, "a0: 00 01 `f`", DecodeError::Flags), // [MQTT-3.10.1-1]
    (V5, "a0: 00 01 00 `f`", DecodeError::Flags),
    (V3_1_1, "aa: 00 01 `f`", DecodeError::Flags),
    (ALL, "b1: 00 01", DecodeError::Flags),
    (ALL, "c1:", DecodeError::Flags),
    (ALL, "c8:", DecodeError::Flags),
    (ALL, "d2:", DecodeError::Flags),
    (ALL, "e1:", DecodeError::Flags), // [MQTT-3.14.1-1]
    (V5, "f1:", DecodeError::Flags),  // [MQTT-3.15.1-1]
    (ALL, "c0 80 80 80 80", DecodeError::RemainingLength),
    (ALL, "c0 80 80 80 80 01", DecodeError::RemainingLength),
    (ALL, "c0 ff ff ff ff 7f", DecodeError::RemainingLength),
    // [MQTT-1.5.5-1], a rule of 5.0 alone.
    (V5, "c0 80 00", DecodeError::VariableByteInteger),
    (V5, "c0 80 80 80 00", DecodeError::VariableByteInteger),
    (ALL, "10 8e 00 `MQTT` 05 02 00 00 00 `c`", DecodeError::VariableByteInteger),
    (V5, "30 84 00 `t` 00", DecodeError::VariableByteInteger),
];

const CONNECT: &[Row] = &[
    // [MQTT-3.1.2-1]
    (ALL, "10: `MQTX` 04 02 00 00 `c`", DecodeError::ProtocolName),
    (ALL, "10: `mqtt` 04 02 00 00 `c`", DecodeError::ProtocolName),
    (ALL, "10: `MQISDP` 03 02 00 00 `c`", DecodeError::ProtocolName),
    (ALL, "10: `MQT` 04 02 00 00 `c`", DecodeError::ProtocolName),
    (ALL, "10: `MQTTT` 04 02 00 00 `c`", DecodeError::ProtocolName),
    (ALL, "10: `` 04 02 00 00 `c`", DecodeError::ProtocolName),
    (ALL, "10: (ff ff ff ff) 04 02 00 00 `c`", DecodeError::ProtocolName),
    // [MQTT-3.1.2-2]
    (ALL, "10: `MQTT` 00 02 00 00 `c`", DecodeError::ProtocolLevel(0)),
    (ALL, "10: `MQTT` 02 02 00 00 `c`", DecodeError::ProtocolLevel(2)),
    (ALL, "10: `MQTT` 03 02 00 00 `c`", DecodeError::ProtocolLevel(3)),
    (ALL, "10: `MQTT` 06 02 00 00 00 `c`", DecodeError::ProtocolLevel(6)),
    (ALL, "10: `MQTT` 84 02 00 00 `c`", DecodeError::ProtocolLevel(0x84)), // a bridge's mark
    (ALL, "10: `MQTT` ff 02 00 00 `c`", DecodeError::ProtocolLevel(255)),
    (ALL, "10: `MQIsdp` 04 02 00 00 `c`", DecodeError::ProtocolLevel(4)),
    (ALL, "10: `MQIsdp` 05 02 00 00 00 `c`", DecodeError::ProtocolLevel(5)),
    // [MQTT-3.1.2-3]
    (ALL, "10: `MQIsdp` 03 03 00 00 `c`", DecodeError::ConnectFlags),
    (ALL, "10: `MQTT` 04 03 00 00 `c`", DecodeError::ConnectFlags),
    (ALL, "10: `MQTT` 05 03 00 00 00 `c`", DecodeError::ConnectFlags),
    // [MQTT-3.1.2-11] [MQTT-3.1.2-13]
    (ALL, "10: `MQTT` 04 0a 00 00 `c`", DecodeError::WillFlags),
    (ALL, "10: `MQTT` 04 12 00 00 `c`", DecodeError::WillFlags),
    (ALL, "10: `MQTT` 04 22 00 00 `c`", DecodeError::WillFlags),
    (ALL, "10: `MQTT` 05 0a 00 00 00 `c`", DecodeError::WillFlags),
    (ALL, "10: `MQTT` 05 22 00 00 00 `c`", DecodeError::WillFlags),
    // [MQTT-3.1.2-12], 3.1.1: [MQTT-3.1.2-14]
    (ALL, "10: `MQIsdp` 03 1e 00 00 `c` `w` `x`", DecodeError::QoS),
    (ALL, "10: `MQTT` 04 1e 00 00 `c` `w` `x`", DecodeError::QoS),
    (ALL, "10: `MQTT` 05 1e 00 00 00 `c` 00 `w` `x`", DecodeError::QoS),
    // 3.1.1: [MQTT-3.1.2-22]; 5.0 allows it.
    (ALL, "10: `MQIsdp` 03 42 00 00 `c` `p`", DecodeError::PasswordWithoutUserName),
    (ALL, "10: `MQTT` 04 42 00 00 `c` `p`", DecodeError::PasswordWithoutUserName),
    // [MQTT-3.1.2-9]
    (ALL, "10: `MQTT` 04 06 00 00 `c`", DecodeError::Truncated),
    (ALL, "10: `MQTT` 04 06 00 00 `c` `w`", DecodeError::Truncated),
    (ALL, "10: `MQTT` 05 06 00 00 00 `c` 00 `w`", DecodeError::Truncated),
    // [MQTT-3.1.2-17] [MQTT-3.1.2-19]
    (ALL, "10: `MQTT` 04 82 00 00 `c`", DecodeError::Truncated),
    (ALL, "10: `MQTT` 04 c2 00 00 `c` `u`", DecodeError::Truncated),
    (ALL, "10: `MQTT` 05 82 00 00 00 `c`", DecodeError::Truncated),
    (ALL, "10: `MQTT` 05 42 00 00 00 `c`", DecodeError::Truncated),
    // 3.1 lets the field be missing, not be cut.
    (ALL, "10: `MQIsdp` 03 82 00 00 `c` 00", DecodeError::Truncated),
    // [MQTT-3.1.2-16] [MQTT-3.1.2-18]
    (ALL, "10: `MQIsdp` 03 02 00 00 `c` `u`", DecodeError::TrailingBytes),
    (ALL, "10: `MQTT` 04 02 00 00 `c` `u`", DecodeError::TrailingBytes),
    (ALL, "10: `MQTT` 04 82 00 00 `c` `u` `p`", DecodeError::TrailingBytes),
    (ALL, "10: `MQTT` 05 02 00 00 00 `c` 00", DecodeError::TrailingBytes),
    // [MQTT-3.1.3-11] [MQTT-4.7.3-1] [MQTT-4.7.0-1]
    (ALL, "10: `MQTT` 04 06 00 00 `c` `` `x`", DecodeError::Topic(TopicError::Empty)),
    (ALL, "10: `MQTT` 04 06 00 00 `c` `w/#` `x`", DecodeError::Topic(TopicError::Wildcard)),
    (ALL, "10: `MQTT` 05 06 00 00 00 `c` 00 `+` `x`", DecodeError::Topic(TopicError::Wildcard)),
];

const CONNACK: &[Row] = &[
    // [MQTT-3.2.2-1]
    (V3_1_1, "20: 02 00", DecodeError::ConnackFlags),
    (V3_1_1, "20: 80 00", DecodeError::ConnackFlags),
    (V5, "20: 02 00 00", DecodeError::ConnackFlags),
    (V5, "20: ff 00 00", DecodeError::ConnackFlags),
    // [MQTT-3.2.2-6], 3.1.1: [MQTT-3.2.2-4]
    (V3_1_1, "20: 01 05", DecodeError::SessionPresentOnRefusal),
    (V5, "20: 01 87 00", DecodeError::SessionPresentOnRefusal),
    (V3, "20: 00 06", DecodeError::ReasonCode(6)),
    (V3, "20: 00 80", DecodeError::ReasonCode(0x80)),
    (V3, "20: 00 00 00", DecodeError::TrailingBytes),
    (V5, "20: 00 00 00 00", DecodeError::TrailingBytes),
    (V5, "20: 00 00", DecodeError::Truncated),
];

const PUBLISH: &[Row] = &[
    (V3, "36: `t` 00 01", DecodeError::QoS), // [MQTT-3.3.1-4]
    (V5, "36: `t` 00 01 00", DecodeError::QoS),
    (V5, "3f: `t` 00 01 00", DecodeError::QoS),
    (V3, "38: `t`", DecodeError::DupAtQoS0), // [MQTT-3.3.1-2]
    (V5, "39: `t` 00", DecodeError::DupAtQoS0),
    (V3, "32: `t` 00 00", DecodeError::PacketId), // [MQTT-2.2.1-3]
    (V5, "34: `t` 00 00 00", DecodeError::PacketId),
    (V3, "30: ``", DecodeError::Topic(TopicError::Empty)), // [MQTT-4.7.3-1]
    (V5, "30: `` 00", DecodeError::TopicMissing),
    (V5, "30: `` [26 `k` `v`]", DecodeError::TopicMissing),
    (V3, "30: `#`", DecodeError::Topic(TopicError::Wildcard)), // [MQTT-3.3.2-2]
    (V3, "30: `a/+/b`", DecodeError::Topic(TopicError::Wildcard)),
    (V5, "30: `a+` 00", DecodeError::Topic(TopicError::Wildcard)),
    (V5, "30: `#` [23 00 01]", DecodeError::Topic(TopicError::Wildcard)),
    (V5, "30: `` [23 00 00]", DecodeError::TopicAlias), // [MQTT-3.3.2-8]
    (V5, "30: `t` [23 00 00]", DecodeError::TopicAlias),
    (V5, "30: `t` [08 `a/#`]", DecodeError::ResponseTopic(TopicError::Wildcard)), // [MQTT-3.3.2-14]
    (V5, "30: `t` [08 ``]", DecodeError::ResponseTopic(TopicError::Empty)),
    (ALL, "30:", DecodeError::Truncated),
    (ALL, "30: 00 05 't'", DecodeError::Truncated),
    (V3, "32: `t`", DecodeError::Truncated), // [MQTT-2.2.1-2]
    (V3, "32: `t` 00", DecodeError::Truncated),
    (V5, "30: `t`", DecodeError::Truncated),
];

const ACKNOWLEDGEMENTS: &[Row] = &[
    (ALL, "40: 00 00", DecodeError::PacketId), // [MQTT-2.2.1-3]
    (ALL, "50: 00 00", DecodeError::PacketId),
    (ALL, "62: 00 00", DecodeError::PacketId),
    (ALL, "70: 00 00", DecodeError::PacketId),
    (V3, "b0: 00 00", DecodeError::PacketId),
    (V3, "90: 00 00 00", DecodeError::PacketId),
    (V5, "90: 00 00 00 00", DecodeError::PacketId),
    (V5, "b0: 00 00 00 00", DecodeError::PacketId),
    (V3, "40: 00 01 00", DecodeError::TrailingBytes),
    (V3, "50: 00 01 00", DecodeError::TrailingBytes),
    (V3, "62: 00 01 00", DecodeError::TrailingBytes),
    (V3, "70: 00 01 00", DecodeError::TrailingBytes),
    (V3, "b0: 00 01 00", DecodeError::TrailingBytes),
    (V5, "40: 00 01 00 00 00", DecodeError::TrailingBytes),
    (V5, "50: 00 01 00 00 00", DecodeError::TrailingBytes),
    (V5, "62: 00 01 00 00 00", DecodeError::TrailingBytes),
    (V5, "70: 00 01 00 00 00", DecodeError::TrailingBytes),
    (V3, "90: 00 01", DecodeError::NoReasonCodes),
    (V5, "90: 00 01 00", DecodeError::NoReasonCodes), // [MQTT-3.8.4-6]
    (V5, "b0: 00 01 00", DecodeError::NoReasonCodes),
    (V3, "90: 00 01 03", DecodeError::ReasonCode(3)), // 3.1.1: [MQTT-3.9.3-2]
    (V3, "90: 00 01 00 87", DecodeError::ReasonCode(0x87)),
    (V5, "b0: 00 01", DecodeError::Truncated),
];

const SUBSCRIPTIONS: &[Row] = &[
    (V3, "82: 00 00 `f` 00", DecodeError::PacketId), // [MQTT-2.2.1-3]
    (V5, "82: 00 00 00 `f` 00", DecodeError::PacketId),
    (V3, "a2: 00 00 `f`", DecodeError::PacketId),
    (V5, "a2: 00 00 00 `f`", DecodeError::PacketId),
    (V3, "82: 00 01", DecodeError::NoFilters), // [MQTT-3.8.3-2]
    (V5, "82: 00 01 00", DecodeError::NoFilters),
    (V3, "a2: 00 01", DecodeError::NoFilters), // [MQTT-3.10.3-2]
    (V5, "a2: 00 01 00", DecodeError::NoFilters),
    (V3, "82: 00 01 `f`", DecodeError::Truncated),
    (V5, "82: 00 01 00 `f` 00 `g`", DecodeError::Truncated),
    (V3, "82: 00 01 `f` 03", DecodeError::SubscriptionQoS), // 3.1.1: [MQTT-3.8.3-4]
    (V5, "82: 00 01 00 `f` 03", DecodeError::SubscriptionQoS),
    (V3, "82: 00 01 `f` 04", DecodeError::SubscriptionOptions),
    (V3, "82: 00 01 `f` 08", DecodeError::SubscriptionOptions),
    (V3, "82: 00 01 `f` 11", DecodeError::SubscriptionOptions),
    (V3, "82: 00 01 `f` 80", DecodeError::SubscriptionOptions),
    (V5, "82: 00 01 00 `f` 40", DecodeError::SubscriptionOptions), // [MQTT-3.8.3-5]
    (V5, "82: 00 01 00 `f` 80", DecodeError::SubscriptionOptions),
    (V5, "82: 00 01 00 `f` 00 `g` c0", DecodeError::SubscriptionOptions),
    (V5, "82: 00 01 00 `f` 30", DecodeError::RetainHandling),
    (V5, "82: 00 01 00 `$share/g/f` 04", DecodeError::NoLocalOnShare), // [MQTT-3.8.3-4]
    (V5, "82: 00 01 00 `f` 04 `$share/g/f` 2c", DecodeError::NoLocalOnShare),
];

/// Filters that neither SUBSCRIBE nor UNSUBSCRIBE takes.
const FILTERS: &[(&str, FilterError)] = &[
    ("", FilterError::Empty),      // [MQTT-4.7.3-1]
    ("a#", FilterError::Wildcard), // [MQTT-4.7.1-1]
    ("#a", FilterError::Wildcard),
    ("##", FilterError::Wildcard),
    ("#/", FilterError::Wildcard),
    ("a/#/b", FilterError::Wildcard),
    ("a/b#", FilterError::Wildcard),
    ("a+", FilterError::Wildcard), // [MQTT-4.7.1-2]
    ("+a", FilterError::Wildcard),
    ("++", FilterError::Wildcard),
    ("a+/b", FilterError::Wildcard),
    ("a/b+/c", FilterError::Wildcard),
    ("+#", FilterError::Wildcard),
    ("$share", FilterError::Share), // [MQTT-4.8.2-1]
    ("$share/", FilterError::Share),
    ("$share/g", FilterError::Share), // [MQTT-4.8.2-2]
    ("$share/g/", FilterError::Share),
    ("$share//t", FilterError::Share),
    ("$share/+/t", FilterError::Share),
    ("$share/#/t", FilterError::Share),
    ("$share/#", FilterError::Share),
    ("$share/a+b/t", FilterError::Share),
    ("$share/g/$share/h/t", FilterError::Share),
    ("$share/g/a+", FilterError::Wildcard),
    ("$share/g/#/a", FilterError::Wildcard),
];

const ENDINGS: &[Row] = &[
    (ALL, "c0: 00", DecodeError::TrailingBytes),
    (ALL, "d0: 00", DecodeError::TrailingBytes),
    (V3, "e0: 00", DecodeError::TrailingBytes),
    (V3, "e0: 00 00", DecodeError::TrailingBytes),
    (V5, "e0: 00 00 00", DecodeError::TrailingBytes),
    (V5, "f0: 00 [15 `m`] 00", DecodeError::TrailingBytes),
    (V5, "f0: 18", DecodeError::Truncated),
    (V5, "f0: 18 00", DecodeError::AuthenticationMethodMissing),
    (V5, "f0: 19 [1f `r`]", DecodeError::AuthenticationMethodMissing),
];

const PROPERTIES: &[Row] = &[
    (V5, "30: `t` 05", DecodeError::PropertyLength),
    (V5, "30: `t` [00]", DecodeError::PropertyUnknown(0)),
    (V5, "30: `t` [24 00]", DecodeError::PropertyNotAllowed(Property::MaximumQoS)),
    (V5, "30: `t` [01 00 01 00]", DecodeError::PropertyRepeated(Property::PayloadFormat)),
    (V5, "30: `t` [01 02]", DecodeError::PropertyValue(Property::PayloadFormat)), // [MQTT-3.3.2-4]
];

const TABLES: &[&[Row]] =
    &[FIXED_HEADER, CONNECT, CONNACK, PUBLISH, ACKNOWLEDGEMENTS, SUBSCRIPTIONS, ENDINGS, PROPERTIES];

#[test]
fn each_row_is_refused_by_its_rule() {
    TABLES.iter().for_each(|rows| refused(rows));
}

#[test]
fn filters_are_refused_where_one_subscribes_and_where_one_unsubscribes() {
    for (filter, error) in FILTERS {
        let error = DecodeError::Filter(*error);
        for (version, subscribe, unsubscribe) in [
            (Version::V3_1, "82: 00 01 `{}` 00", "a2: 00 01 `{}`"),
            (Version::V3_1_1, "82: 00 01 `ok` 00 `{}` 01", "a2: 00 01 `ok` `{}`"),
            (Version::V5, "82: 00 01 00 `{}` 01", "a2: 00 01 00 `ok` `{}`"),
        ] {
            for notation in [subscribe, unsubscribe].map(|notation| notation.replace("{}", filter)) {
                assert_eq!(decode(&bytes(&notation), version), Err(error), "{version:?}: {notation}");
            }
        }
    }
}

/// The packets that carry a reason code, and the codes that 5.0 lists for each.
const REASONS: &[(&str, &[u8])] = &[
    // [MQTT-3.2.2-8]
    (
        "20: 00 {} 00",
        &[
            0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97,
            0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F,
        ],
    ),
    // [MQTT-3.4.2-1] [MQTT-3.5.2-1]
    ("40: 00 01 {}", &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]),
    ("50: 00 01 {}", &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]),
    // [MQTT-3.6.2-1] [MQTT-3.7.2-1]
    ("62: 00 01 {}", &[0x00, 0x92]),
    ("70: 00 01 {}", &[0x00, 0x92]),
    // [MQTT-3.9.3-2]
    ("90: 00 01 00 {}", &[0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2]),
    // [MQTT-3.11.3-2]
    ("b0: 00 01 00 {}", &[0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91]),
    // [MQTT-3.14.2-1]; section 2.4 adds 0x8C to the list of 3.14.2.1.
    (
        "e0: {}",
        &[
            0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94,
            0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
        ],
    ),
    // [MQTT-3.15.2-1]
    ("f0: {} [15 `m`]", &[0x00, 0x18, 0x19]),
];

#[test]
fn a_packet_has_only_the_reason_codes_that_are_listed_for_it() {
    for (notation, listed) in REASONS {
        for code in 0..=u8::MAX {
            let decoded = decode(&bytes(&notation.replace("{}", &format!("{code:02x}"))), Version::V5);
            if listed.contains(&code) {
                assert!(decoded.is_ok(), "{notation}: 0x{code:02x}: {decoded:?}");
            } else {
                assert_eq!(decoded, Err(DecodeError::ReasonCode(code)), "{notation}: 0x{code:02x}");
            }
        }
    }
}

/// Where the specification fixes what the peer is told.
const TOLD: &[(DecodeError, ReasonCode)] = &[
    (DecodeError::PacketTooLarge, ReasonCode::PacketTooLarge), // 3.1.2.11.4
    (DecodeError::ProtocolName, ReasonCode::UnsupportedProtocolVersion), // [MQTT-3.1.2-1]
    (DecodeError::ProtocolLevel(6), ReasonCode::UnsupportedProtocolVersion), // [MQTT-3.1.2-2]
    (DecodeError::TopicAlias, ReasonCode::TopicAliasInvalid),  // 3.3.2.3.4
    (DecodeError::Flags, ReasonCode::MalformedPacket),         // [MQTT-2.1.3-1]
    (DecodeError::Truncated, ReasonCode::MalformedPacket),
    (DecodeError::TrailingBytes, ReasonCode::MalformedPacket),
    (DecodeError::VariableByteInteger, ReasonCode::MalformedPacket), // 1.5.5
    (DecodeError::RemainingLength, ReasonCode::MalformedPacket),
    (DecodeError::Text(TextError::NotUtf8), ReasonCode::MalformedPacket), // [MQTT-1.5.4-1]
    (DecodeError::Text(TextError::Null), ReasonCode::MalformedPacket),    // [MQTT-1.5.4-2]
    (DecodeError::ConnectFlags, ReasonCode::MalformedPacket),             // [MQTT-3.1.2-3]
    (DecodeError::QoS, ReasonCode::MalformedPacket),                      // [MQTT-3.3.1-4] [MQTT-3.1.2-12]
    (DecodeError::SubscriptionOptions, ReasonCode::MalformedPacket),      // [MQTT-3.8.3-5]
    (DecodeError::PropertyUnknown(0), ReasonCode::MalformedPacket),       // 2.2.2.2
    (DecodeError::PropertyNotAllowed(Property::TopicAlias), ReasonCode::MalformedPacket), // 2.2.2.2
    (DecodeError::TopicMissing, ReasonCode::ProtocolError),               // 3.3.2.1
    (DecodeError::ResponseTopic(TopicError::Wildcard), ReasonCode::ProtocolError), // [MQTT-3.3.2-14]
    (DecodeError::NoFilters, ReasonCode::ProtocolError),                  // [MQTT-3.8.3-2] [MQTT-3.10.3-2]
    (DecodeError::SubscriptionQoS, ReasonCode::ProtocolError),            // 3.8.3.1
    (DecodeError::RetainHandling, ReasonCode::ProtocolError),             // 3.8.3.1
    (DecodeError::NoLocalOnShare, ReasonCode::ProtocolError),             // [MQTT-3.8.3-4]
    (DecodeError::PropertyRepeated(Property::TopicAlias), ReasonCode::ProtocolError),
    (DecodeError::PropertyValue(Property::ReceiveMaximum), ReasonCode::ProtocolError), // 3.1.2.11.3
    (DecodeError::AuthenticationMethodMissing, ReasonCode::ProtocolError),             // 3.1.2.11.10
];

#[test]
fn the_peer_is_told_what_the_specification_fixes() {
    for (error, reason) in TOLD {
        assert_eq!(error.reason(), *reason, "{error:?}");
    }
}

/// A new kind of error belongs into one of the tables above.
#[test]
fn every_kind_of_error_has_its_row() {
    let name = |error: &DecodeError| format!("{error:?}").split('(').next().unwrap().to_owned();
    let shown: BTreeSet<_> = TABLES.iter().copied().flatten().map(|(_, _, error)| name(error)).collect();
    let source = include_str!("../../src/mqtt/error.rs");
    let (_, list) = source.split_once("pub enum DecodeError {").unwrap();
    let (list, _) = list.split_once("\n}").unwrap();
    let listed = list.lines().map(str::trim).filter(|line| line.starts_with(char::is_uppercase));
    let listed: BTreeSet<_> =
        listed.map(|line| line.trim_end_matches(',').split('(').next().unwrap()).collect();
    assert!(listed.len() > 30, "{listed:?}");
    // Shown by tests of their own: the framer's limit, wrong filters, wrong strings, too many pairs.
    let elsewhere = ["PacketTooLarge", "Filter", "Text", "TooManyUserProperties"];
    let missing: Vec<_> =
        listed.iter().filter(|name| !shown.contains(**name) && !elsewhere.contains(name)).collect();
    assert_eq!(missing, Vec::<&&str>::new());
}
