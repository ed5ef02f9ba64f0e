//! `Framer::next_packet` takes a short way for plain PUBLISHes and acknowledgements. Whatever comes, it must say what `Framer::next_frame` and
//! `Packet::decode` say, and leave the same bytes for the packet after it.

use crate::notation::VERSIONS;
use bytes::{Bytes, BytesMut};
use luxwire_shared::mqtt::{
    Acknowledge, DecodeError, Framer, Packet, PacketId, PublishTopic, ReasonCode, Version,
};

const PACKET_SIZE_MAX: u32 = 64;

fn both_ways_agree(stream: &[u8], version: Version) -> Option<Packet> {
    let stream = Bytes::copy_from_slice(stream);
    let mut short = Framer::new(PACKET_SIZE_MAX);
    let mut long = Framer::new(PACKET_SIZE_MAX);
    short.push(stream.clone());
    long.push(stream.clone());
    let by_short = short.next_packet(version);
    let by_long: Result<Option<Packet>, DecodeError> =
        long.next_frame().and_then(|frame| frame.map(|frame| Packet::decode(frame, version)).transpose());
    assert_eq!(by_short, by_long, "{version:?}: {stream:02x?}");
    assert_eq!(short.pending_len(), long.pending_len(), "{version:?}: {stream:02x?}");
    by_short.ok().flatten()
}

fn publish(flags: u8, name: &[u8], rest: &[u8]) -> Vec<u8> {
    let body = [&(name.len() as u16).to_be_bytes(), name, rest].concat();
    [&[0x30 | flags, body.len() as u8], &body[..], b"\xC0\x00"].concat()
}

#[test]
fn for_every_flag_identifier_and_property_length() {
    let rests: [&[u8]; 7] =
        [b"", b"\0", b"\0\0", b"\0\x01", b"\0\x01\0", b"\0\x01\0payload", b"\0\x01\x02\x01\x00p"];
    for version in VERSIONS {
        let mut whole = 0;
        for flags in 0..16 {
            for rest in rests {
                whole += usize::from(both_ways_agree(&publish(flags, b"a/b", rest), version).is_some());
            }
        }
        assert!(whole >= 20, "only {whole} of them were packets of {version:?}");
    }
}

/// Names of every length around the eight bytes that are looked at in one step, with each byte in turn replaced.
#[test]
fn for_every_byte_of_a_name() {
    for len in 0..=20 {
        let name = &b"lights/kitchen/desk1"[..len];
        for version in VERSIONS {
            both_ways_agree(&publish(0, name, b"\0"), version);
            for at in 0..len {
                for byte in
                    [0x00, 0x01, 0x22, 0x23, 0x24, 0x2A, 0x2B, 0x2C, 0x7F, 0x80, 0xA3, 0xAB, 0xC3, 0xFF]
                {
                    let mut name = name.to_vec();
                    name[at] = byte;
                    let is_name = byte.is_ascii() && !matches!(byte, 0 | b'#' | b'+');
                    let packet = both_ways_agree(&publish(0, &name, b"\0"), version);
                    assert_eq!(packet.is_some(), is_name, "{name:02x?}");
                }
            }
        }
    }
}

#[test]
fn for_a_name_that_is_not_ascii() {
    let packet = both_ways_agree(&publish(0, "küche/licht".as_bytes(), b"\0"), Version::V5);
    let Some(Packet::Publish(publish)) = packet else { panic!("{packet:?}") };
    assert!(matches!(publish.topic, PublishTopic::Name(name) if name.as_str() == "küche/licht"));
}

#[test]
fn for_every_place_where_the_bytes_end() {
    let stream = publish(0x0A, b"a/b", b"\0\x01\0payload");
    for len in 0..=stream.len() {
        for version in VERSIONS {
            both_ways_agree(&stream[..len], version);
        }
    }
}

#[test]
fn for_lengths_beyond_the_packet_and_beyond_the_limit() {
    for remaining in 0..=u8::MAX {
        let mut stream = publish(0, b"a/b", b"\0");
        stream[1] = remaining;
        stream.resize(100, b'x');
        both_ways_agree(&stream, Version::V3_1_1);
    }
    for name_len in 0..=u8::MAX {
        let mut stream = publish(0, b"a/b", b"\0payload");
        stream[3] = name_len;
        for version in VERSIONS {
            both_ways_agree(&stream, version);
        }
    }
}

#[test]
fn for_a_remaining_length_longer_than_needed() {
    for version in VERSIONS {
        both_ways_agree(b"\x30\x84\x00\x00\x01t\x00\xC0\x00", version);
    }
}

#[test]
fn for_every_kind_of_acknowledgement_and_what_resembles_one() {
    for version in VERSIONS {
        let mut whole = 0;
        for first in 0..=u8::MAX {
            for remaining in 0..=4 {
                for id in [0, 1, 0x0100, u16::MAX] {
                    let [high, low] = id.to_be_bytes();
                    let stream = [first, remaining, high, low, 0x00, 0x00, 0xC0, 0x00];
                    for len in 0..=stream.len() {
                        whole += usize::from(both_ways_agree(&stream[..len], version).is_some());
                    }
                }
            }
        }
        assert!(whole >= 4 * 3 * 5, "only {whole} of them were packets of {version:?}");
    }
}

#[test]
fn an_acknowledgement_that_says_more_than_success_is_written_whole() {
    for version in VERSIONS {
        for reason in [ReasonCode::Success, ReasonCode::NoMatchingSubscribers, ReasonCode::QuotaExceeded] {
            let id = PacketId::new(0x0102).expect("not 0");
            let puback = Packet::Puback(Acknowledge::because(id, reason));
            let mut out = BytesMut::new();
            puback.encode(version, &mut out).expect("a reason of PUBACK");
            assert_eq!(out.len(), puback.encoded_len(version).expect("a reason of PUBACK"));
            let is_said = version == Version::V5 && reason != ReasonCode::Success;
            let expected = if is_said { vec![0x40, 3, 1, 2, reason.number()] } else { vec![0x40, 2, 1, 2] };
            assert_eq!(out[..], expected, "{version:?} {reason:?}");
        }
    }
}
