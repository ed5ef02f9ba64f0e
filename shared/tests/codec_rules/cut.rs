//! A packet that ends early: refused if it claims to be whole, awaited if its rest may still come.

use crate::notation::{V3, V3_1, V5, bytes, decode, packet};
use bytes::Bytes;
use luxwire_shared::mqtt::{DecodeError, Framer, Version};

/// A packet of each type with every kind of field, and the lengths of its body at which it is a packet too.
const CUTS: &[(&[Version], &str, &[usize])] = &[
    (V3_1, "10: `MQIsdp` 03 ee 00 0a `id` `w` `x` `u` `p`", &[22, 25]), // a field may be missing at the end
    (V3, "10: `MQTT` 04 ee 00 0a `id` `w` `x` `u` `p`", &[]),
    (V5, "10: `MQTT` 05 ee 00 0a [11 00 00 00 01] `id` [01 01] `w` `x` `u` `p`", &[]),
    (V3, "20: 00 00", &[]),
    (V5, "20: 01 00 [1f `r` 21 00 01]", &[]),
    (V3, "32: `ab` 00 01", &[]),
    (V5, "34: `ab` 00 01 [03 `c` 0b 81 01 23 00 01]", &[]),
    (V3, "40: 00 01", &[]),
    (V5, "40: 00 01 10 [1f `r` 26 `k` `v`]", &[2, 3]),
    (V5, "50: 00 01 10 [1f `r`]", &[2, 3]),
    (V5, "62: 00 01 92 [1f `r`]", &[2, 3]),
    (V5, "70: 00 01 92 [1f `r`]", &[2, 3]),
    (V3, "82: 00 01 `a/#` 01 `b` 02", &[8]),
    (V5, "82: 00 01 [0b 01] `a/#` 01 `b` 02", &[11]),
    (V3, "90: 00 01 00", &[]),
    (V5, "90: 00 01 [1f `r`] 00", &[]),
    (V3, "a2: 00 01 `a/#` `b`", &[7]),
    (V5, "a2: 00 01 [26 `k` `v`] `a/#` `b`", &[15]),
    (V3, "b0: 00 01", &[]),
    (V5, "b0: 00 01 [1f `r`] 11", &[]),
    (V5, "e0: 04 [11 00 00 00 01 1f `r`]", &[0, 1]),
    (V5, "f0: 18 [15 `m` 16 `d`]", &[0]),
];

#[test]
fn a_packet_that_ends_early_at_any_byte_is_refused() {
    for (versions, notation, whole_too) in CUTS {
        let bytes = bytes(notation);
        let body = &bytes[2..];
        assert_eq!(usize::from(bytes[1]), body.len());
        for version in *versions {
            assert!(decode(&bytes, *version).is_ok(), "{version:?}: {notation}");
            for len in 0..body.len() {
                let decoded = decode(&packet(bytes[0], &body[..len]), *version);
                let as_expected = match decoded {
                    Ok(_) => whole_too.contains(&len),
                    Err(
                        DecodeError::Truncated
                        | DecodeError::PropertyLength
                        | DecodeError::NoFilters
                        | DecodeError::NoReasonCodes,
                    ) => !whole_too.contains(&len),
                    Err(_) => false,
                };
                assert!(as_expected, "{version:?}: {notation} cut to {len}: {decoded:?}");
            }
        }
    }
}

#[test]
fn a_packet_that_has_not_come_whole_is_awaited() {
    for (_, notation, _) in CUTS {
        let bytes = bytes(notation);
        for len in 0..bytes.len() {
            let mut framer = Framer::new(u32::MAX);
            framer.push(Bytes::copy_from_slice(&bytes[..len]));
            assert_eq!(framer.next_frame(), Ok(None), "{notation} after {len}");
            assert_eq!(framer.pending_len(), len);
        }
    }
}
