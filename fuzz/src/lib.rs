//! What must hold for any bytes at all: the bodies of the fuzz targets, one function each, which panics where a rule is
//! broken. `shared/tests/corpus.rs` runs the committed corpus through the same functions with the ordinary compiler.
//!
//! Run one with `cargo +nightly fuzz run decode`. Nothing here says what a packet means: that is for the golden bytes.

use bytes::{Bytes, BytesMut};
use luxwire_shared::mqtt::{
    DecodeError, FilterError, Frame, Framer, Packet, Subscribable, Text, TopicFilter, TopicName, Version,
};

/// No bytes make the codec panic, and what it decodes it can say again: with the length foretold, and so that reading
/// it gives the same packet. The input is what arrives on a connection.
pub fn decode(input: &[u8]) {
    for version in [Version::V3_1, Version::V3_1_1, Version::V5] {
        the_short_way_agrees(input, version);
    }
    for frame in frames(input) {
        for version in [Version::V3_1, Version::V3_1_1, Version::V5] {
            match Packet::decode(frame.clone(), version) {
                Ok(packet) => survives_a_round_trip(&packet, version),
                Err(error) => assert!(error.reason().is_failure(), "{error:?} is answered with a success"),
            }
        }
    }
}

/// `Framer::next_packet` says what `Framer::next_frame` and `Packet::decode` say, packet by packet.
fn the_short_way_agrees(stream: &[u8], version: Version) {
    let (mut short, mut long) = (Framer::new(u32::MAX), Framer::new(u32::MAX));
    short.push(Bytes::copy_from_slice(stream));
    long.push(Bytes::copy_from_slice(stream));
    loop {
        let packet = short.next_packet(version);
        let frame = long.next_frame();
        assert_eq!(
            packet,
            frame.and_then(|frame| frame.map(|frame| Packet::decode(frame, version)).transpose())
        );
        assert_eq!(short.pending_len(), long.pending_len());
        if !matches!(packet, Ok(Some(_))) {
            return;
        }
    }
}

fn survives_a_round_trip(packet: &Packet, version: Version) {
    let mut bytes = BytesMut::new();
    packet.encode(version, &mut bytes).expect("what was decoded can be encoded");
    assert_eq!(packet.encoded_len(version), Ok(bytes.len()), "{packet:?}");
    let mut frames = frames(&bytes);
    let (Some(frame), true) = (frames.pop(), frames.is_empty()) else {
        panic!("{packet:?} became {bytes:02x?}, which is not one packet");
    };
    assert_eq!(Packet::decode(frame, version).as_ref(), Ok(packet), "from {bytes:02x?}");
}

fn frames(stream: &[u8]) -> Vec<Frame> {
    let mut framer = Framer::new(u32::MAX);
    framer.push(Bytes::copy_from_slice(stream));
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = framer.next_frame() {
        frames.push(frame);
    }
    frames
}

/// Wherever the network cuts a stream, the same frames come out of it, with the same end. The input's first byte is the
/// size limit, its second how many of the next bytes are the lengths of the pieces, and the rest is the stream.
pub fn framer(input: &[u8]) {
    let Some(([limit, cuts], rest)) = input.split_first_chunk() else { return };
    let packet_size_max = 1 << (limit & 0x0F);
    let (cuts, stream) = rest.split_at(usize::from(*cuts).min(rest.len()));

    let whole = collect(packet_size_max, [stream].into_iter(), Drain::AfterEachPiece);
    let mut uncut = stream;
    let mut pieces = Vec::new();
    for &cut in cuts {
        let (piece, behind) = uncut.split_at(usize::from(cut).min(uncut.len()));
        pieces.push(piece);
        uncut = behind;
    }
    pieces.push(uncut);
    assert_eq!(collect(packet_size_max, pieces.iter().copied(), Drain::AfterEachPiece), whole);
    assert_eq!(collect(packet_size_max, pieces.iter().copied(), Drain::AtTheEnd), whole);
    assert_eq!(collect(packet_size_max, stream.chunks(1), Drain::AfterEachPiece), whole);
}

#[derive(Clone, Copy, PartialEq)]
enum Drain {
    AfterEachPiece,
    AtTheEnd,
}

/// The frames, and how many bytes then wait for more, or what is wrong with the stream.
type Collected = (Vec<Frame>, Result<usize, DecodeError>);

fn collect<'a>(packet_size_max: u32, pieces: impl Iterator<Item = &'a [u8]>, drain: Drain) -> Collected {
    let mut framer = Framer::new(packet_size_max);
    let mut frames = Vec::new();
    for piece in pieces {
        framer.push(Bytes::copy_from_slice(piece));
        if drain == Drain::AfterEachPiece
            && let Err(error) = take_all(&mut framer, &mut frames)
        {
            return (frames, Err(error));
        }
    }
    let end = take_all(&mut framer, &mut frames).map(|()| framer.pending_len());
    (frames, end)
}

fn take_all(framer: &mut Framer, frames: &mut Vec<Frame>) -> Result<(), DecodeError> {
    loop {
        match framer.next_frame() {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return Ok(()),
            Err(error) => {
                assert_eq!(framer.next_frame(), Err(error), "an error is final");
                return Err(error);
            }
        }
    }
}

/// Topic names and filters are accepted exactly where the rules of section 4.7 allow them, and match as those rules,
/// written down once more and naively, say. The input is a filter, a line feed, and a topic name.
pub fn topics(input: &[u8]) {
    let (filter, name) = match input.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (input, input),
    };
    let (Some(filter), Some(name)) = (text(filter), text(name)) else { return };

    let topic = TopicName::try_from(name.clone());
    assert_eq!(topic.is_ok(), is_name(&name), "name {name:?}: {topic:?}");
    let parsed = TopicFilter::try_from(filter.clone());
    assert_eq!(parsed.is_ok(), is_filter(&filter), "filter {filter:?}: {parsed:?}");
    check_subscribable(&filter);
    if let (Ok(parsed), Ok(topic)) = (parsed, topic) {
        assert_eq!(parsed.matches(&topic), matches_naively(&filter, &name), "{filter:?} with {name:?}");
    }
}

/// Checks on the way that exactly UTF-8 without U+0000 is a text. [MQTT-1.5.4-1] [MQTT-1.5.4-2]
fn text(bytes: &[u8]) -> Option<Text> {
    let expected =
        std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0') && text.len() <= 65_535);
    let text = Text::try_from(Bytes::copy_from_slice(bytes)).ok();
    assert_eq!(text.as_deref(), expected);
    text
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['+', '#'])
}

fn is_filter(filter: &str) -> bool {
    let levels: Vec<&str> = filter.split('/').collect();
    let (last, others) = levels.split_last().expect("a split has at least one part");
    let is_plain = |level: &str| !level.contains(['+', '#']);
    !filter.is_empty()
        && levels[0] != "$share"
        && others.iter().all(|level| *level == "+" || is_plain(level))
        && (matches!(*last, "+" | "#") || is_plain(last))
}

/// `$share/GROUP/FILTER` is taken apart as it is put together. [MQTT-4.8.2-1] [MQTT-4.8.2-2]
fn check_subscribable(text: &Text) {
    let shared = text.strip_prefix("$share/").and_then(|rest| rest.split_once('/'));
    let expected = match shared {
        Some((group, filter)) => is_name(group) && is_filter(filter),
        None => is_filter(text),
    };
    let parsed: Result<Subscribable, FilterError> = Subscribable::try_from(text.clone());
    assert_eq!(parsed.is_ok(), expected, "{text:?}: {parsed:?}");
    if let Ok(parsed) = parsed {
        assert_eq!(parsed.to_string(), text.as_str());
        assert_eq!(parsed.share.as_ref().map(|share| share.as_str()), shared.map(|(group, _)| group));
    }
}

/// Section 4.7 as one would explain it: without its `#`, a filter matches names of its own length level by level; with
/// it, longer ones too.
fn matches_naively(filter: &str, name: &str) -> bool {
    if name.starts_with('$') && filter.starts_with(['+', '#']) {
        return false; // [MQTT-4.7.2-1]
    }
    let names: Vec<&str> = name.split('/').collect();
    let levels: Vec<&str> = filter.split('/').collect();
    let (fixed, long_enough) = match levels.split_last() {
        Some((&"#", fixed)) => (fixed, names.len() >= fixed.len()),
        _ => (levels.as_slice(), names.len() == levels.len()),
    };
    long_enough && fixed.iter().zip(&names).all(|(level, name)| *level == "+" || level == name)
}
