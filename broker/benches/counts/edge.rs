//! The edge around the broker, as the server has it but for sockets: bytes that were read are cut into packets, each is
//! handled, and what follows is encoded as it arises. Clients that acknowledge what they get are part of it.
//!
//! All links share one output, which is emptied where the server would write. There is no table of links: what the server
//! spends on looking them up is not the broker's.

use bytes::BytesMut;
use luxwire_broker::{
    Broker, Cause, Config, DeliveredRef, Effect, Effects, Input, LinkId, Now, OutgoingAliases, Report,
    Visitor,
};
use luxwire_shared::{
    mqtt::{AcknowledgeKind, Delivery, Framer, Packet, PacketId, Version},
    time::{Instant, Timestamp},
};
use std::mem;

pub(crate) struct Edge {
    broker: Broker,
    now_us: u64,
    /// What a read brought; as in the server, nothing keeps a part of it.
    read_buffer: Vec<u8>,
    house: House,
    /// Empty but while the clients' answers are said; kept, as all buffers here, so that only the broker's allocations
    /// count.
    spare_answers: Vec<(LinkId, [u8; 4])>,
}

/// What the broker's effects reach.
struct House {
    /// By the number of their link.
    lines: Vec<Line>,
    output: BytesMut,
    /// What clients answer to what they got: two bytes and an identifier.
    answers: Vec<(LinkId, [u8; 4])>,
    drained: Vec<LinkId>,
    tally: Tally,
}

/// What the broker did.
#[derive(Default)]
pub(crate) struct Tally {
    /// Messages to clients.
    pub(crate) delivered: u64,
    /// Exchanges that a PUBACK or PUBCOMP of the broker ended.
    pub(crate) acknowledged: u64,
    pub(crate) closed: u64,
}

struct Line {
    framer: Framer,
    version: Option<Version>,
    aliases: Option<OutgoingAliases>,
}

/// Above every packet here.
const PACKET_SIZE_MAX: u32 = 1 << 20;

/// 2026-11-22T12:00:00Z, and what a read is later than the one before.
const EPOCH_MS: u64 = 1_795_348_800_000;
const READ_EVERY_US: u64 = 10;

/// First bytes of packets.
const PUBACK: u8 = 0x40;
const PUBREC: u8 = 0x50;
const PUBREL: u8 = 0x62;
const PUBCOMP: u8 = 0x70;

impl Edge {
    pub(crate) fn new() -> Self {
        Self {
            // Always the same seed: the count must be the same each time.
            broker: Broker::new(Config { hash_seed: 7, ..Config::default() }),
            now_us: 0,
            read_buffer: Vec::new(),
            house: House {
                lines: Vec::with_capacity(100_000),
                output: BytesMut::new(),
                answers: Vec::new(),
                drained: Vec::new(),
                tally: Tally::default(),
            },
            spare_answers: Vec::new(),
        }
    }

    pub(crate) fn tally(&mut self) -> &mut Tally {
        &mut self.house.tally
    }

    /// A connection that has said nothing.
    pub(crate) fn open(&mut self) -> LinkId {
        let link = LinkId(self.house.lines.len() as u64);
        self.house.lines.push(Line { framer: Framer::new(PACKET_SIZE_MAX), version: None, aliases: None });
        self.tell(Input::Open { link, visitor: Visitor::Anybody, nonce: u128::from(link.0) });
        link
    }

    /// A connection over which these bytes came.
    pub(crate) fn connect(&mut self, connect: &[u8]) -> LinkId {
        let link = self.open();
        self.receive(link, connect);
        link
    }

    pub(crate) fn closed(&mut self, link: LinkId) {
        self.tell(Input::Closed { link, cause: Cause::Asked });
    }

    /// Bytes came over this link. Returns when the broker has nothing more to say to anybody.
    pub(crate) fn receive(&mut self, link: LinkId, bytes: &[u8]) {
        self.house.output.clear();
        self.read_buffer.extend_from_slice(bytes);
        self.handle(link);
        self.settle();
    }

    /// As a socket's bytes are handled.
    fn handle(&mut self, link: LinkId) {
        self.now_us += READ_EVERY_US;
        let read_buffer = mem::take(&mut self.read_buffer);
        let mut bytes = &read_buffer[..];
        while !bytes.is_empty() {
            self.pass_plain(link, &mut bytes);
            if !bytes.is_empty() {
                self.house.line(link).framer.take_in(&mut bytes);
                self.handle_packets_of_framer(link);
            }
        }
        self.read_buffer = read_buffer;
        self.read_buffer.clear();
    }

    fn handle_packets_of_framer(&mut self, link: LinkId) {
        loop {
            if self.house.line(link).version.is_some()
                && let Some(arrived) = self.house.line(link).framer.take_arrived()
            {
                let mut bytes = &arrived[..];
                self.pass_plain(link, &mut bytes);
                let rest = arrived.slice_ref(bytes);
                if !rest.is_empty() {
                    self.house.line(link).framer.push(rest);
                }
            }
            let Some(packet) = self.house.line(link).next_packet() else { return };
            self.tell(Input::Packet { link, packet });
        }
    }

    /// As the server does it: those that can be read where they lie are.
    fn pass_plain(&mut self, link: LinkId, bytes: &mut &[u8]) {
        let now = self.now();
        let line = self.house.line(link);
        let Some(version) = line.version.filter(|_| line.framer.pending_len() == 0) else { return };
        let mut arrived = line.framer.arrived(bytes);
        while let Some(packet) = arrived.next_plain(version) {
            self.broker.handle_plain(now, link, &packet, &mut self.house);
        }
        *bytes = arrived.rest();
    }

    /// Clients answer, and outputs are written, until there is nothing left to do.
    fn settle(&mut self) {
        while !self.house.answers.is_empty() || !self.house.drained.is_empty() {
            self.house.output.clear();
            let mut answers = mem::replace(&mut self.house.answers, mem::take(&mut self.spare_answers));
            for of_one in answers.chunk_by(|(a, _), (b, _)| a == b) {
                let [(link, _), ..] = *of_one else { continue };
                for (_, answer) in of_one {
                    self.read_buffer.extend_from_slice(answer);
                }
                self.handle(link);
            }
            answers.clear();
            self.spare_answers = answers;
            while let Some(link) = self.house.drained.pop() {
                self.tell(Input::Drained { link });
            }
        }
    }

    fn tell(&mut self, input: Input) {
        self.broker.handle(self.now(), input, &mut self.house);
    }

    fn now(&self) -> Now {
        Now {
            instant: Instant::from_micros(self.now_us),
            timestamp: Timestamp::from_unix_millis(EPOCH_MS + self.now_us / 1000),
        }
    }
}

impl Effects for House {
    fn push(&mut self, effect: Effect) {
        match effect {
            Effect::Send { link, packet } => self.send(link, packet),
            Effect::Deliver(_) => unreachable!("messages come borrowed"),
            Effect::AwaitDrain { link } => self.drained.push(link),
            Effect::CheckPassword { .. } => panic!("nobody signs in here"),
            Effect::Close { .. } => self.tally.closed += 1,
            Effect::Report(Report::Connected { link, aliases, .. }) => {
                self.line(link).aliases = OutgoingAliases::new(aliases, 7);
            }
            Effect::Report(Report::SessionEnded { .. }) => {}
            Effect::Report(report) => panic!("nothing is lost or refused here: {report:?}"),
        }
    }

    fn send(&mut self, link: LinkId, packet: Packet) {
        let version = self.line(link).version.unwrap_or(Version::V3_1_1);
        packet.encode(version, &mut self.output).expect("a packet that this version has");
    }

    fn acknowledge(&mut self, link: LinkId, kind: AcknowledgeKind, id: PacketId) {
        match kind {
            AcknowledgeKind::Puback | AcknowledgeKind::Pubcomp => self.tally.acknowledged += 1,
            AcknowledgeKind::Pubrec => self.answer(link, PUBREL, id),
            AcknowledgeKind::Pubrel => self.answer(link, PUBCOMP, id),
        }
        kind.encode(id, &mut self.output);
    }

    fn deliver(&mut self, delivered: &DeliveredRef<'_>) {
        self.tally.delivered += 1;
        match delivered.delivery {
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce { id, .. } => self.answer(delivered.link, PUBACK, id),
            Delivery::ExactlyOnce { id, .. } => self.answer(delivered.link, PUBREC, id),
        }
        let line = &mut self.lines[index(delivered.link)];
        let mut packet = delivered.packet();
        if let Some(aliases) = &mut line.aliases {
            packet = aliases.shorten(packet);
        }
        let version = line.version.unwrap_or(Version::V3_1_1);
        packet.encode(version, &mut self.output).expect("a message that fits");
    }
}

impl House {
    fn answer(&mut self, link: LinkId, first_byte: u8, id: PacketId) {
        let [high, low] = id.number().to_be_bytes();
        self.answers.push((link, [first_byte, 2, high, low]));
    }

    fn line(&mut self, link: LinkId) -> &mut Line {
        &mut self.lines[index(link)]
    }
}

impl Line {
    /// As the server's links do it.
    fn next_packet(&mut self) -> Option<Packet> {
        if let Some(version) = self.version {
            return self.framer.next_packet(version).expect("well formed");
        }
        let frame = self.framer.next_frame().expect("well formed")?;
        self.version = frame.connect_version();
        Some(Packet::decode(frame, self.version.expect("CONNECT comes first")).expect("well formed"))
    }
}

fn index(link: LinkId) -> usize {
    usize::try_from(link.0).expect("few links")
}
