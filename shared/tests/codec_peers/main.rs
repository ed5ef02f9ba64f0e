//! Our codec beside three others: on valid packets of each type and version, and on mutated ones. Whatever the codecs
//! read differently must be a row of the table in `known`, which says who is right and why. What all of them get wrong
//! in the same way stays unseen here; the golden bytes and the rules have tests of their own.
//!
//! The packets are those of the fuzz targets' corpus. The mutations are drawn from a fixed seed, so every run is the same.
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing says so by failing")]

mod known;
mod mqttbytes_peer;
mod page;
mod protocol_core_peer;
mod rmqtt_peer;
mod summary;

use bytes::{Bytes, BytesMut};
use known::KNOWN;
use luxwire_shared::mqtt::{DecodeError, Frame, Framer, Packet, PacketType, Version};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    panic::catch_unwind,
    path::Path,
};

/// Another codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    Mqttbytes,
    RmqttCodec,
    MqttProtocolCore,
}

const PEERS: [Peer; 3] = [Peer::Mqttbytes, Peer::RmqttCodec, Peer::MqttProtocolCore];
const VERSIONS: [Version; 3] = [Version::V3_1, Version::V3_1_1, Version::V5];

/// What a peer made of a packet.
pub(crate) struct Reading {
    pub(crate) summary: summary::Summary,
    /// The packet as the peer writes it, or why it cannot.
    pub(crate) again: Result<Vec<u8>, String>,
}

/// How the two codecs differ on one packet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Difference {
    /// We accept, the peer says this.
    OnlyWe(String),
    /// The peer accepts, we say this.
    OnlyThey(DecodeError),
    /// Both accept, and read different fields: ours, theirs.
    Fields(String, String),
    /// Both accept, and the peer writes another packet than it read; this is how we read that.
    Rewritten(Result<Packet, String>),
}

/// One packet on which a peer differs.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) peer: Peer,
    pub(crate) version: Version,
    pub(crate) bytes: Vec<u8>,
    /// Our reading, where there is one.
    pub(crate) ours: Option<Packet>,
    pub(crate) difference: Difference,
}

impl Peer {
    /// The peer's reading of one whole packet; `None` where it is not asked.
    fn read(self, bytes: &[u8], version: Version) -> Option<Result<Reading, String>> {
        let packet_type = PacketType::from_number(bytes[0] >> 4)?;
        let body_start = 1 + bytes[1..].iter().position(|byte| byte & 0x80 == 0)? + 1;
        let (flags, body) = (bytes[0] & 0x0F, &bytes[body_start..]);
        let read = move || match (self, version) {
            // A forgotten `dbg!` would print each of these.
            (Self::Mqttbytes, Version::V5) if packet_type == PacketType::Unsubscribe => None,
            (Self::Mqttbytes | Self::MqttProtocolCore, Version::V3_1) => None,
            (Self::Mqttbytes, Version::V3_1_1) => Some(mqttbytes_peer::read_v4(bytes)),
            (Self::Mqttbytes, Version::V5) => Some(mqttbytes_peer::read_v5(bytes)),
            (Self::RmqttCodec, Version::V3_1 | Version::V3_1_1) => Some(rmqtt_peer::read_v3(bytes)),
            (Self::RmqttCodec, Version::V5) => Some(rmqtt_peer::read_v5(bytes)),
            (Self::MqttProtocolCore, Version::V3_1_1) => {
                Some(protocol_core_peer::read_v4(packet_type, flags, body))
            }
            (Self::MqttProtocolCore, Version::V5) => {
                Some(protocol_core_peer::read_v5(packet_type, flags, body))
            }
        };
        // Some of the peers' functions index what they were sent without looking.
        catch_unwind(read).unwrap_or_else(|_| Some(Err("panicked".to_owned())))
    }
}

/// How `peer` differs on the one packet that `bytes` are, if it does.
fn compare(peer: Peer, version: Version, bytes: &[u8]) -> Option<Case> {
    let frame = frame(bytes)?;
    if frame.packet_type() == PacketType::Connect && frame.connect_version() != Some(version) {
        return None; // Which of a peer's codecs to ask is the caller's choice.
    }
    let ours = Packet::decode(frame, version);
    let theirs = peer.read(bytes, version)?;
    let difference = match (&ours, theirs) {
        (Err(_), Err(_)) => return None,
        (Ok(_), Err(error)) => Difference::OnlyWe(error),
        (Err(error), Ok(_)) => Difference::OnlyThey(*error),
        (Ok(ours), Ok(theirs)) => {
            let summary = summary::of(ours, version);
            let again = theirs.again.and_then(|again| decode(&again, version));
            if summary != theirs.summary {
                Difference::Fields(summary, theirs.summary)
            } else if again.as_ref() != Ok(ours) {
                Difference::Rewritten(again)
            } else {
                return None;
            }
        }
    };
    Some(Case { peer, version, bytes: bytes.to_vec(), ours: ours.ok(), difference })
}

fn decode(bytes: &[u8], version: Version) -> Result<Packet, String> {
    let frame = frame(bytes).ok_or("not one packet")?;
    Packet::decode(frame, version).map_err(|error| format!("{error:?}"))
}

/// `None` unless the bytes are exactly one packet.
fn frame(bytes: &[u8]) -> Option<Frame> {
    let mut framer = Framer::new(u32::MAX);
    framer.push(Bytes::copy_from_slice(bytes));
    let frame = framer.next_frame().ok()??;
    (framer.pending_len() == 0).then_some(frame)
}

/// Makes sure that each case is explained by a row.
fn all_explained(cases: impl Iterator<Item = Case>) {
    let mut unexplained = BTreeMap::new();
    for case in cases {
        if !KNOWN.iter().any(|known| known.explains(&case)) {
            let kind = match &case.difference {
                Difference::OnlyWe(theirs) => theirs.clone(),
                Difference::OnlyThey(ours) => format!("{ours:?}"),
                Difference::Fields(..) | Difference::Rewritten(_) => String::new(),
            };
            let packet_type = case.bytes[0] >> 4;
            unexplained.entry((case.peer, case.version, packet_type, kind)).or_insert(case);
        }
    }
    for case in unexplained.values() {
        let hex: Vec<String> = case.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("{:?} {:?} {}\n  {:?}\n", case.peer, case.version, hex.join(" "), case.difference);
    }
    assert!(unexplained.is_empty(), "{} kinds of differences are not in the table", unexplained.len());
}

/// The corpus, cut into its packets, without what libFuzzer found: that grows as it likes.
fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/decode");
    let paths: BTreeSet<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let written_by_hand =
        |path: &&std::path::PathBuf| !path.file_name().unwrap().to_string_lossy().starts_with("found-");
    paths
        .iter()
        .filter(written_by_hand)
        .map(|path| fs::read(path).unwrap())
        .filter(|bytes| frame(bytes).is_some())
        .collect()
}

#[test]
fn valid_packets_are_read_and_written_alike() {
    let mut seen = BTreeSet::new();
    let mut cases = Vec::new();
    for version in VERSIONS {
        for bytes in corpus() {
            let Ok(packet) = decode(&bytes, version) else { continue };
            if let Packet::Connect(connect) = &packet
                && connect.version != version
            {
                continue;
            }
            let mut written = BytesMut::new();
            packet.encode(version, &mut written).unwrap();
            seen.insert((version, packet.packet_type().number()));
            cases.extend(PEERS.iter().filter_map(|peer| compare(*peer, version, &written)));
        }
    }
    assert_eq!(seen.len(), 14 + 14 + 15, "each type in each version: {seen:?}");
    all_explained(cases.into_iter());
}

#[test]
fn mutated_packets_are_judged_alike() {
    const ROUNDS: usize = 200;
    let mut random = Random(0x4C75_7877_6972_6521);
    let mut cases = Vec::new();
    for bytes in corpus().iter().filter(|bytes| bytes.len() < 300) {
        for round in 0..ROUNDS {
            let mutated = if round == 0 { bytes.clone() } else { mutate(bytes, &mut random) };
            for version in VERSIONS {
                cases.extend(PEERS.iter().filter_map(|peer| compare(*peer, version, &mutated)));
            }
        }
    }
    assert!(cases.len() > 1000, "the mutations reach few differences: {}", cases.len());
    all_explained(cases.into_iter());
}

#[test]
fn each_row_of_the_table_is_needed_for_its_example() {
    for known in KNOWN {
        let (version, notation) = known.example;
        for peer in known.peers {
            let case = compare(*peer, version, &known::bytes(notation))
                .unwrap_or_else(|| panic!("{peer:?} does not differ on {notation}: {}", known.what));
            let rows: Vec<&str> =
                KNOWN.iter().filter(|known| known.explains(&case)).map(|known| known.what).collect();
            assert_eq!(rows, [known.what], "{peer:?} {notation}: {:?}", case.difference);
        }
    }
}

/// One to three changes of the packet's body, under a fixed header that fits.
fn mutate(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    const INTERESTING: [u8; 12] = [0x00, 0x01, 0x02, 0x03, 0x04, 0x7F, 0x80, 0xFF, b'+', b'#', b'/', b'$'];
    let body_start = 2 + bytes[1..].iter().position(|byte| byte & 0x80 == 0).unwrap();
    let mut first = bytes[0];
    let mut body = bytes[body_start..].to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(body.len() + 1);
        match random.below(8) {
            0 => first ^= 1 << random.below(4),
            1 => body.truncate(at),
            2 => body.insert(at, INTERESTING[random.below(INTERESTING.len())]),
            3 | 4 if at < body.len() => body[at] = INTERESTING[random.below(INTERESTING.len())],
            5 if at < body.len() => body[at] ^= 1 << random.below(8),
            6 if at < body.len() => body[at] = body[at].wrapping_add(1),
            7 if at < body.len() => drop(body.remove(at)),
            _ => body.push(INTERESTING[random.below(INTERESTING.len())]),
        }
    }
    let mut mutated = vec![first];
    let mut rest = body.len();
    while rest >= 0x80 {
        mutated.push((rest % 0x80) as u8 | 0x80);
        rest /= 0x80;
    }
    mutated.push(rest as u8);
    if random.below(40) == 0 {
        // The same length, longer than needed.
        *mutated.last_mut().unwrap() |= 0x80;
        mutated.push(0);
    }
    mutated.extend(body);
    mutated
}

/// The generator known as SplitMix64: good enough, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ mixed >> 31) % limit as u64) as usize
    }
}
