//! The properties of 5.0: which packet may have which, how often, and with which values. Section 2.2.2 and table 2-4.

use crate::notation::{Row, V5, bytes, decode, packet, refused};
use Place::*;
use luxwire_shared::mqtt::{DecodeError, Property, Version, limits::USER_PROPERTIES_MAX};

/// Where a block of properties can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Connect,
    Will,
    Connack,
    Publish,
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
    Subscribe,
    Suback,
    Unsubscribe,
    Unsuback,
    Disconnect,
    Auth,
}

/// A packet for each place; `{}` stands for the block.
const PLACES: &[(Place, &str)] = &[
    (Connect, "10: `MQTT` 05 02 00 00 {} `c`"),
    (Will, "10: `MQTT` 05 06 00 00 00 `c` {} `w` `x`"),
    (Connack, "20: 00 00 {}"),
    (Publish, "30: `t` {}"),
    (Puback, "40: 00 01 00 {}"),
    (Pubrec, "50: 00 01 00 {}"),
    (Pubrel, "62: 00 01 00 {}"),
    (Pubcomp, "70: 00 01 00 {}"),
    (Subscribe, "82: 00 01 {} `f` 00"),
    (Suback, "90: 00 01 {} 00"),
    (Unsubscribe, "a2: 00 01 {} `f`"),
    (Unsuback, "b0: 00 01 {} 00"),
    (Disconnect, "e0: 00 {}"),
    (Auth, "f0: 00 {}"),
];

const EVERYWHERE: &[Place] = &[
    Connect,
    Will,
    Connack,
    Publish,
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
    Subscribe,
    Suback,
    Unsubscribe,
    Unsuback,
    Disconnect,
    Auth,
];

/// Table 2-4, with a value for each.
const TABLE: &[(Property, &str, &[Place])] = &[
    (Property::PayloadFormat, "01 01", &[Publish, Will]),
    (Property::MessageExpiryInterval, "02 00 00 00 00", &[Publish, Will]),
    (Property::ContentType, "03 `text`", &[Publish, Will]),
    (Property::ResponseTopic, "08 `a/b`", &[Publish, Will]),
    (Property::CorrelationData, "09 (ff 00)", &[Publish, Will]),
    (Property::SubscriptionId, "0b ff ff ff 7f", &[Publish, Subscribe]),
    (Property::SessionExpiryInterval, "11 ff ff ff ff", &[Connect, Connack, Disconnect]),
    (Property::AssignedClientId, "12 `id`", &[Connack]),
    (Property::ServerKeepAlive, "13 00 00", &[Connack]),
    (Property::AuthenticationMethod, "15 `m`", &[Connect, Connack, Auth]),
    (Property::AuthenticationData, "16 (ff 00)", &[Connect, Connack, Auth]),
    (Property::RequestProblemInformation, "17 00", &[Connect]),
    (Property::WillDelayInterval, "18 00 00 00 05", &[Will]),
    (Property::RequestResponseInformation, "19 01", &[Connect]),
    (Property::ResponseInformation, "1a `r`", &[Connack]),
    (Property::ServerReference, "1c `s`", &[Connack, Disconnect]),
    (
        Property::ReasonString,
        "1f `why`",
        &[Connack, Puback, Pubrec, Pubrel, Pubcomp, Suback, Unsuback, Disconnect, Auth],
    ),
    (Property::ReceiveMaximum, "21 00 01", &[Connect, Connack]),
    (Property::TopicAliasMaximum, "22 00 00", &[Connect, Connack]),
    (Property::TopicAlias, "23 ff ff", &[Publish]),
    (Property::MaximumQoS, "24 01", &[Connack]),
    (Property::RetainAvailable, "25 00", &[Connack]),
    (Property::UserProperty, "26 `k` ``", EVERYWHERE),
    (Property::MaximumPacketSize, "27 00 00 00 01", &[Connect, Connack]),
    (Property::WildcardSubscriptionAvailable, "28 01", &[Connack]),
    (Property::SubscriptionIdsAvailable, "29 00", &[Connack]),
    (Property::SharedSubscriptionAvailable, "2a 01", &[Connack]),
];

/// The packet at `notation` with a block of these properties, and with the method that AUTH and authentication data
/// cannot do without.
fn with(place: Place, notation: &str, property: Property, values: &str) -> Vec<u8> {
    let needs_method = property == Property::AuthenticationData
        || (place == Auth && property != Property::AuthenticationMethod);
    let method = if needs_method { "15 `m`" } else { "" };
    bytes(&notation.replace("{}", &format!("[{values} {method}]")))
}

#[test]
fn each_packet_may_have_the_properties_that_are_its_own_and_no_other() {
    for number in 0..=0x100 {
        let listed = TABLE.iter().find(|(property, ..)| u32::from(property.number()) == number);
        assert_eq!(Property::from_number(number), listed.map(|(property, ..)| *property));
    }
    for (property, value, allowed) in TABLE {
        for (place, notation) in PLACES {
            let decoded = decode(&with(*place, notation, *property, value), Version::V5);
            if allowed.contains(place) {
                assert!(decoded.is_ok(), "{property:?} in {place:?}: {decoded:?}");
            } else {
                assert_eq!(decoded, Err(DecodeError::PropertyNotAllowed(*property)), "in {place:?}");
            }
        }
    }
}

#[test]
fn only_user_properties_and_the_identifiers_of_a_publish_may_stand_twice() {
    for (property, value, allowed) in TABLE {
        for (place, notation) in PLACES.iter().filter(|(place, _)| allowed.contains(place)) {
            // Another one in between makes sure that it is not only the neighbour that is looked at.
            let twice = format!("{value} 26 `a` `b` {value}");
            let decoded = decode(&with(*place, notation, *property, &twice), Version::V5);
            let may_repeat = *property == Property::UserProperty
                || (*property == Property::SubscriptionId && *place == Publish);
            if may_repeat {
                assert!(decoded.is_ok(), "{property:?} in {place:?}: {decoded:?}");
            } else {
                assert_eq!(decoded, Err(DecodeError::PropertyRepeated(*property)), "in {place:?}");
            }
        }
    }
}

/// The bytes that are missing in the block follow behind it, so that only the block's own end can show it.
#[test]
fn a_property_must_end_within_its_block() {
    for (property, value, allowed) in TABLE {
        let value = bytes(value);
        for (place, notation) in PLACES.iter().filter(|(place, _)| allowed.contains(place)) {
            let (before, after) = notation.split_once("{}").unwrap();
            let (first, before) = before.split_once(": ").unwrap();
            for len in 1..value.len() {
                let body = [bytes(before), vec![len as u8], value.clone(), bytes(after)].concat();
                let decoded = decode(&packet(bytes(first)[0], &body), Version::V5);
                assert_eq!(
                    decoded,
                    Err(DecodeError::PropertyLength),
                    "{property:?} in {place:?} cut to {len}"
                );
            }
        }
    }
}

#[test]
fn a_block_must_end_within_its_packet_and_say_its_length_as_short_as_it_can() {
    for (place, notation) in PLACES {
        let check = |block: &str, error| {
            let decoded = decode(&bytes(&notation.replace("{}", block)), Version::V5);
            assert_eq!(decoded, Err(error), "{block} in {place:?}");
        };
        check("40 26 `k` `v`", DecodeError::PropertyLength);
        check("ff ff ff 7f", DecodeError::PropertyLength);
        // [MQTT-1.5.5-1]
        check("80 00", DecodeError::VariableByteInteger);
        check("80 80 80 00", DecodeError::VariableByteInteger);
        check("87 00 26 `k` `v`", DecodeError::VariableByteInteger);
        check("80 80 80 80 01", DecodeError::VariableByteInteger);
        check("ff ff ff ff ff", DecodeError::VariableByteInteger);
        // Identifiers are Variable Byte Integers too.
        check("[80 00 00]", DecodeError::VariableByteInteger);
        check("[a6 00 `k` `v`]", DecodeError::VariableByteInteger);
        check("[a6]", DecodeError::PropertyLength);
        for unknown in ["00", "04", "07", "0a", "10", "14", "1b", "1d", "1e", "20", "2b", "7e"] {
            let number = u32::from_str_radix(unknown, 16).unwrap();
            check(&format!("[{unknown} 00]"), DecodeError::PropertyUnknown(number));
        }
        check("[ff 01 00]", DecodeError::PropertyUnknown(255));
        check("[a6 02 `k` `v`]", DecodeError::PropertyUnknown(0x126));
        check("[ff ff ff 7f]", DecodeError::PropertyUnknown(268_435_455));
    }
}

const VALUES: &[Row] = &[
    (V5, "30: `t` [01 02]", DecodeError::PropertyValue(Property::PayloadFormat)), // [MQTT-3.3.2-4]
    (V5, "30: `t` [01 ff]", DecodeError::PropertyValue(Property::PayloadFormat)),
    (
        V5,
        "10: `MQTT` 05 06 00 00 00 `c` [01 02] `w` `x`",
        DecodeError::PropertyValue(Property::PayloadFormat),
    ),
    (V5, "30: `t` [0b 00]", DecodeError::PropertyValue(Property::SubscriptionId)), // 3.3.2.3.8
    (V5, "82: 00 01 [0b 00] `f` 00", DecodeError::PropertyValue(Property::SubscriptionId)), // 3.8.2.1.2
    (V5, "30: `t` [0b 81 00]", DecodeError::VariableByteInteger),                  // [MQTT-1.5.5-1]
    (V5, "30: `t` [0b ff ff ff ff 01]", DecodeError::VariableByteInteger),
    (V5, "30: `t` [23 00 00]", DecodeError::TopicAlias), // [MQTT-3.3.2-8]
    (
        V5,
        "10: `MQTT` 05 02 00 00 [17 02] `c`",
        DecodeError::PropertyValue(Property::RequestProblemInformation),
    ),
    (
        V5,
        "10: `MQTT` 05 02 00 00 [19 02] `c`",
        DecodeError::PropertyValue(Property::RequestResponseInformation),
    ),
    (V5, "10: `MQTT` 05 02 00 00 [21 00 00] `c`", DecodeError::PropertyValue(Property::ReceiveMaximum)),
    (V5, "20: 00 00 [21 00 00]", DecodeError::PropertyValue(Property::ReceiveMaximum)),
    (
        V5,
        "10: `MQTT` 05 02 00 00 [27 00 00 00 00] `c`",
        DecodeError::PropertyValue(Property::MaximumPacketSize),
    ),
    (V5, "20: 00 00 [27 00 00 00 00]", DecodeError::PropertyValue(Property::MaximumPacketSize)),
    (V5, "20: 00 00 [24 02]", DecodeError::PropertyValue(Property::MaximumQoS)), // 3.2.2.3.4
    (V5, "20: 00 00 [24 ff]", DecodeError::PropertyValue(Property::MaximumQoS)),
    (V5, "20: 00 00 [25 02]", DecodeError::PropertyValue(Property::RetainAvailable)),
    (V5, "20: 00 00 [28 02]", DecodeError::PropertyValue(Property::WildcardSubscriptionAvailable)),
    (V5, "20: 00 00 [29 02]", DecodeError::PropertyValue(Property::SubscriptionIdsAvailable)),
    (V5, "20: 00 00 [2a ff]", DecodeError::PropertyValue(Property::SharedSubscriptionAvailable)),
    // 3.1.2.11.10
    (V5, "10: `MQTT` 05 02 00 00 [16 `d`] `c`", DecodeError::AuthenticationMethodMissing),
    (V5, "20: 00 00 [16 `d`]", DecodeError::AuthenticationMethodMissing),
    (V5, "f0: 00 [16 `d`]", DecodeError::AuthenticationMethodMissing),
    (V5, "f0: 18 [26 `k` `v`]", DecodeError::AuthenticationMethodMissing),
];

#[test]
fn a_property_has_only_the_values_that_it_can_have() {
    refused(VALUES);
}

#[test]
fn user_properties_are_bounded() {
    for (place, notation) in PLACES {
        let pairs = |count| with(*place, notation, Property::UserProperty, &"26 `k` `v` ".repeat(count));
        let decoded = decode(&pairs(USER_PROPERTIES_MAX), Version::V5);
        assert!(decoded.is_ok(), "{place:?}: {decoded:?}");
        let decoded = decode(&pairs(USER_PROPERTIES_MAX + 1), Version::V5);
        assert_eq!(decoded, Err(DecodeError::TooManyUserProperties), "{place:?}");
    }
}
