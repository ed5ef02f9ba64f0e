//! SUBSCRIBE and UNSUBSCRIBE that are cut short, say nothing, or name groups that are none.

use crate::{
    bytes::{packet, properties, subscribe, text, unsubscribe},
    cases::{Case, each_is_answered},
};
use luxwire_shared::mqtt::{
    ReasonCode::{MalformedPacket, ProtocolError},
    Version::{V3_1, V3_1_1, V5},
};

// Row 5, comqtt PR 168 and mqtt-packet NSWG-500; NanoMQ #2268: a SUBSCRIBE that ends right behind an empty filter,
// behind its length, before or within its options; an UNSUBSCRIBE likewise.
#[test]
fn row_5_subscribe_cut_short() {
    let mut cases = Vec::new();
    for version in [V3_1, V3_1_1, V5] {
        let head = [&[0, 1], &properties(version, [])[..]].concat();
        let mut case = |first: u8, body: &[u8], reason| {
            cases.push(Case::then(version, packet(first, [&head[..], body].concat()), reason));
        };
        for first in [0x82, 0xA2] {
            // No filter, half of a length, an empty filter, a filter that is cut.
            case(first, &[], ProtocolError);
            case(first, &[0], MalformedPacket);
            case(first, &[0, 0], MalformedPacket);
            case(first, &[0, 2, b'a'], MalformedPacket);
        }
        // An empty filter with options; a filter without; the second filter without.
        case(0x82, &[0, 0, 0], MalformedPacket);
        case(0x82, &[0, 1, b'a'], MalformedPacket);
        case(0x82, &[0, 1, b'a', 0, 0, 1, b'b'], MalformedPacket);
        // One byte of the packet identifier, or none; the identifier 0.
        cases.push(Case::then(version, [0x82, 0x00], MalformedPacket));
        cases.push(Case::then(version, [0x82, 0x01, 0x00], MalformedPacket));
        cases.push(Case::then(version, [0xA2, 0x01, 0x00], MalformedPacket));
        let nobody = packet(0x82, [&[0, 0], &properties(version, [])[..], &text("a"), &[0]].concat());
        cases.push(Case::then(version, nobody, MalformedPacket));
    }
    // Within the properties, and without any.
    cases.push(Case::then(V5, [0x82, 0x02, 0x00, 0x01], MalformedPacket));
    cases.push(Case::then(V5, [0x82, 0x03, 0x00, 0x01, 0x02], MalformedPacket));
    cases.push(Case::then(V5, [0x82, 0x04, 0x00, 0x01, 0x02, 0x0B], MalformedPacket));
    // Options that nobody defined: QoS 3, retain handling 3, the reserved bits.
    for (options, reason) in [(0x03, ProtocolError), (0x30, ProtocolError), (0x40, MalformedPacket)] {
        cases.push(Case::then(V5, subscribe(V5, "a", options), reason));
    }
    each_is_answered(&cases);
}

// Row 22, NanoMQ CVE-2025-59947: forms of `$share` that are none. [MQTT-4.8.2-1] [MQTT-4.8.2-2]
#[test]
fn row_22_forms_of_share() {
    let mut cases = Vec::new();
    for version in [V3_1_1, V5] {
        for filter in ["$share", "$share/", "$share/g", "$share/g/", "$share//t", "$share/+/t", "$share/#/t"]
        {
            cases.push(Case::then(version, subscribe(version, filter, 0), MalformedPacket));
            cases.push(Case::then(version, unsubscribe(version, filter), MalformedPacket));
        }
    }
    // No Local with a group. [MQTT-3.8.3-4]
    cases.push(Case::then(V5, subscribe(V5, "$share/g/t", 0x04), ProtocolError));
    each_is_answered(&cases);
}
