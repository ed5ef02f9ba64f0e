//! What holds for every stream of bytes: it never panics, it does not matter where it was cut, and nothing is kept
//! because of a length that somebody claims.

use crate::any;
use bytes::{Bytes, BytesMut};
use luxwire_shared::mqtt::{DecodeError, Frame, Framer, Packet, Version};
use proptest::{collection::vec, prelude::*};

const VERSIONS: [Version; 3] = [Version::V3_1, Version::V3_1_1, Version::V5];

/// Reads `bytes` to their end or to the first error of the framer.
fn frames(bytes: &[u8], packet_size_max: u32) -> (Vec<Frame>, Result<usize, DecodeError>) {
    let mut framer = Framer::new(packet_size_max);
    framer.push(Bytes::copy_from_slice(bytes));
    let mut frames = Vec::new();
    loop {
        match framer.next_frame() {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return (frames, Ok(framer.pending_len())),
            Err(error) => {
                // An error is final.
                assert_eq!(framer.next_frame(), Err(error));
                return (frames, Err(error));
            }
        }
    }
}

/// Reads `bytes` in every version. What can be read can be written, and means the same then.
fn read_in_every_version(bytes: &[u8]) -> Result<(), TestCaseError> {
    for version in VERSIONS {
        for frame in frames(bytes, u32::MAX).0 {
            let _ = frame.connect_version();
            let Ok(packet) = Packet::decode(frame, version) else { continue };
            let mut out = BytesMut::new();
            packet.encode(version, &mut out).unwrap();
            let (again, rest) = frames(&out, u32::MAX);
            prop_assert_eq!((again.len(), rest), (1, Ok(0)));
            prop_assert_eq!(Packet::decode(again[0].clone(), version), Ok(packet));
        }
    }
    Ok(())
}

/// A whole packet of each type around any body.
fn framed_noise() -> impl Strategy<Value = Vec<u8>> {
    (any::<u8>(), vec(prop_oneof![any::<u8>(), 0..6_u8], 0..100))
        .prop_map(|(first, body)| crate::notation::packet(first, &body))
}

fn packets() -> impl Strategy<Value = (Version, Vec<Packet>)> {
    (any::version(), vec(any::packet(), 1..5))
}

fn stream(version: Version, packets: &[Packet]) -> BytesMut {
    let mut out = BytesMut::new();
    for packet in packets {
        // What the version cannot say is left out.
        let _ = packet.encode(version, &mut out);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn noise_never_panics(bytes in vec(any::<u8>(), 0..200)) {
        read_in_every_version(&bytes)?;
    }

    #[test]
    fn noise_in_the_form_of_a_packet_never_panics(bytes in framed_noise()) {
        read_in_every_version(&bytes)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_damaged_packet_never_panics(
        packet in any::packet(),
        version in any::version(),
        wounds in vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), Just(0), Just(0xFF)]), 1..4),
    ) {
        let mut bytes = stream(version, &[packet]);
        for (at, byte) in wounds {
            if !bytes.is_empty() {
                // Mostly near the front, where the fields are.
                let at = at.index(bytes.len().min(48));
                bytes[at] = byte;
            }
        }
        read_in_every_version(&bytes)?;
    }

    #[test]
    fn it_does_not_matter_where_a_stream_was_cut(
        (version, packets) in packets(),
        cuts in vec(any::<prop::sample::Index>(), 0..12),
        at_once in any::<bool>(),
    ) {
        let bytes = stream(version, &packets).freeze();
        let (expected, rest) = frames(&bytes, u32::MAX);
        prop_assert_eq!(rest, Ok(0));
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        cuts.push(bytes.len());

        let mut framer = Framer::new(u32::MAX);
        let mut found = Vec::new();
        let mut from = 0;
        for to in cuts {
            framer.push(bytes.slice(from..to));
            from = to;
            // Taken as they come, or only once everything is there.
            if at_once && to < bytes.len() {
                continue;
            }
            while let Some(frame) = framer.next_frame()? {
                found.push(frame);
            }
            prop_assert!(framer.pending_len() <= to);
        }
        prop_assert_eq!(framer.pending_len(), 0);
        prop_assert_eq!(found, expected);
    }
}

/// Reads a stream as the server does: what is plain where it lies, everything else through the framer. Ends with the first
/// error.
fn read_as_it_comes(
    bytes: &[u8],
    cuts: &[usize],
    version: Version,
    packet_size_max: u32,
) -> (Vec<Packet>, Result<usize, DecodeError>) {
    let mut framer = Framer::new(packet_size_max);
    let (mut found, mut from) = (Vec::new(), 0);
    for to in cuts.iter().copied().chain([bytes.len()]) {
        let mut read = &bytes[from..to];
        from = to;
        while !read.is_empty() {
            if framer.pending_len() == 0 {
                let mut arrived = framer.arrived(read);
                while let Some(plain) = arrived.next_plain(version) {
                    found.push(plain.detached());
                }
                read = arrived.rest();
            }
            let before = read.len();
            framer.take_in(&mut read);
            assert!(read.is_empty() || read.len() < before, "it takes something in");
            loop {
                match framer.next_packet(version) {
                    Ok(Some(packet)) => found.push(packet),
                    Ok(None) => break,
                    Err(error) => return (found, Err(error)),
                }
            }
        }
    }
    (found, Ok(framer.pending_len()))
}

/// The same by the framer's and the decoder's plain words.
fn read_at_once(
    bytes: &[u8],
    version: Version,
    packet_size_max: u32,
) -> (Vec<Packet>, Result<usize, DecodeError>) {
    let (frames, mut end) = frames(bytes, packet_size_max);
    let mut found = Vec::new();
    for frame in frames {
        match Packet::decode(frame, version) {
            Ok(packet) => found.push(packet),
            Err(error) => {
                end = Err(error);
                break;
            }
        }
    }
    (found, end)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn it_does_not_matter_what_was_read_where_it_lay(
        (version, packets) in packets(),
        cuts in vec(any::<prop::sample::Index>(), 0..12),
        wound in proptest::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>())),
        packet_size_max in prop_oneof![3 => Just(u32::MAX), 1 => 1_u32..100],
    ) {
        let mut bytes = stream(version, &packets);
        if let Some((at, byte)) = wound && !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let as_it_comes = read_as_it_comes(&bytes, &cuts, version, packet_size_max);
        prop_assert_eq!(as_it_comes, read_at_once(&bytes, version, packet_size_max));
    }
}

/// Each way to cut short packets twice: headers, and what is plain beside what is not.
#[test]
fn what_is_read_where_it_lies_takes_nothing_from_its_neighbours() {
    let bytes = crate::notation::bytes(
        "30 03 00 01 't' c0 00 40 02 00 01 32 06 00 01 't' 00 02 'p' 30 05 00 02 c3 bc 'p' 62 02 00 02 c0 00",
    );
    let expected = read_at_once(&bytes, Version::V3_1_1, u32::MAX);
    assert_eq!((expected.0.len(), &expected.1), (7, &Ok(0)));
    for first in 0..=bytes.len() {
        for second in first..=bytes.len() {
            let found = read_as_it_comes(&bytes, &[first, second], Version::V3_1_1, u32::MAX);
            assert_eq!(found, expected, "cut at {first} and {second}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_stream_may_come_byte_by_byte((version, packets) in packets()) {
        let mut bytes = stream(version, &packets);
        bytes.truncate(3_000);
        let (expected, rest) = frames(&bytes, u32::MAX);
        let mut framer = Framer::new(u32::MAX);
        let mut found = Vec::new();
        for byte in &bytes {
            framer.push(Bytes::copy_from_slice(&[*byte]));
            found.extend(framer.next_frame()?);
        }
        prop_assert_eq!(found, expected);
        prop_assert_eq!(Ok(framer.pending_len()), rest);
    }
}

/// The shortest packets, whose header is all there is, and every way to cut a stream of them twice.
#[test]
fn a_header_that_was_cut_takes_nothing_from_the_packet_behind_it() {
    let bytes = crate::notation::bytes("c0 00 d0 00 e0 00 40 02 00 01 c0 00 30 03 00 01 't' d0 00");
    let (expected, rest) = frames(&bytes, u32::MAX);
    assert_eq!((expected.len(), rest), (7, Ok(0)));
    for first in 0..=bytes.len() {
        for second in first..=bytes.len() {
            let mut framer = Framer::new(u32::MAX);
            let mut found = Vec::new();
            for part in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                framer.push(Bytes::copy_from_slice(part));
                while let Some(frame) = framer.next_frame().unwrap() {
                    found.push(frame);
                }
            }
            assert_eq!((&found, framer.pending_len()), (&expected, 0), "cut at {first} and {second}");
        }
    }
}

/// The framer keeps what arrived and no more, whatever the header says. Section 2.1.4. gives four bytes to the length.
#[test]
fn a_claim_of_268_megabytes_costs_what_arrives() {
    let header = [0x30, 0xFF, 0xFF, 0xFF, 0x7F];
    for len in 1..=header.len() {
        let (found, pending) = frames(&header[..len], u32::MAX);
        assert_eq!((found.len(), pending), (0, Ok(len)));
    }
    let mut framer = Framer::new(u32::MAX);
    framer.push(Bytes::copy_from_slice(&header));
    for arrived in 1..1_000 {
        assert_eq!(framer.next_frame(), Ok(None));
        assert_eq!(framer.pending_len(), 4 + arrived);
        framer.push(Bytes::from_static(b"x"));
    }
}

/// With a limit, the same claim is refused as soon as its last length byte is there, and not a byte before.
#[test]
fn a_claim_above_the_limit_is_refused_by_its_header() {
    for (header, packet_size_max) in [
        (&[0x30, 0xFF, 0xFF, 0xFF, 0x7F][..], 268_435_459),
        (&[0x10, 0xFF, 0xFF, 0x03], 65_538),
        (&[0x82, 0x80, 0x01], 130),
        (&[0xC0, 0x00], 1),
    ] {
        for len in 0..header.len() {
            assert_eq!(frames(&header[..len], packet_size_max), (vec![], Ok(len)), "{header:02x?}");
        }
        assert_eq!(
            frames(header, packet_size_max),
            (vec![], Err(DecodeError::PacketTooLarge)),
            "{header:02x?}"
        );
        // One byte at a time makes no difference.
        let mut framer = Framer::new(packet_size_max);
        for (at, byte) in header.iter().enumerate() {
            framer.push(Bytes::copy_from_slice(&[*byte]));
            let expected = if at + 1 < header.len() { Ok(None) } else { Err(DecodeError::PacketTooLarge) };
            assert_eq!(framer.next_frame(), expected, "{header:02x?} at {at}");
        }
        // The exact size is allowed: then the body is awaited, or is nothing.
        assert!(frames(header, packet_size_max + 1).1.is_ok(), "{header:02x?}");
    }
}
