//! One connection, whichever way it came: its bytes in, its packets, its bytes out, and its end.
//!
//! It decides nothing that MQTT has a say in: that is the broker's part.

use super::{
    Place,
    output::{Output, Spare, Written},
    websocket::{Over as WebSocketOver, WebSocket},
};
use crate::limits;
use bytes::{Bytes, BytesMut};
use luxwire_broker::{Cause, ClientId, CloseReason, DeliveredRef, Input, LinkId, OutgoingAliases, Traffic};
use luxwire_shared::{
    mqtt::{
        AcknowledgeKind, Arrived, DecodeError, EncodeError, Framer, Packet, PacketId, PacketType, QoS,
        ReasonCode, Version,
    },
    time::Instant,
};
use mio::net::TcpStream;
use std::net::SocketAddr;

/// What the shard knows of a connection.
///
/// The fields are where they are written. What each message to a client looks at comes first, and then what each read looks
/// at: where many get a message, most of the time goes into waiting for memory.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Link {
    output: Output,
    /// `None` over plain TCP.
    websocket: Option<Box<WebSocket>>,
    /// What topics are called on the way out; chosen as a message goes into `output`, never before.
    aliases: Option<Box<OutgoingAliases>>,
    /// Since when the socket has taken nothing while bytes wait.
    pub(super) blocked_since: Option<Instant>,
    /// Bytes of answers to this link's own packets, and to its pings of WebSocket, since its output was last empty.
    answers_len: usize,
    /// Set once, when the link is to end.
    pub(super) over: Option<Box<Over>>,
    pub(super) socket: TcpStream,
    /// How the client said in CONNECT that it speaks.
    version: Option<Version>,
    /// In the shard's list of links that have something to write.
    pub(super) is_dirty: bool,
    /// The broker wants to know when the output is empty.
    pub(super) awaits_drain: bool,
    /// In the shard's list of links whose turn it is to be.
    pub(super) is_ready: bool,
    /// It set much in motion when it last had its turn.
    pub(super) sends_much: bool,
    /// The socket may have bytes, or its end, for us.
    pub(super) is_readable: bool,
    /// The client has ended its direction: behind the bytes that it sent comes their end, of which nobody is told again.
    pub(super) is_ended_by_peer: bool,
    /// The socket was full and may take bytes again.
    pub(super) is_writable: bool,
    /// Bytes that are no packet came: what follows them means nothing.
    pub(super) lost_rhythm: bool,
    /// Handling stopped before the bytes that came were used up; they come before any others.
    pub(super) left_off: bool,
    /// Its password is being looked at: until that is over nothing that it says is handled.
    pub(super) awaits_verdict: bool,
    /// How far its end has come.
    pub(super) ending: Ending,
    framer: Framer,
    /// `None` until CONNECT is accepted.
    pub(super) client: Option<ClientId>,
    /// QoS 0 messages that found the output full.
    pub(super) dropped: u64,
    pub(super) peer: SocketAddr,
    /// Among the connections.
    _place: Place,
}

/// What bytes that came lead to.
#[derive(Debug)]
pub(super) enum Next {
    /// The broker is to be told this.
    Input(Input),
    /// WebSocket: a frame was opened, and its content may begin with messages that can be read where they lie.
    Bytes,
    /// Nothing until more come, or the link is over.
    Nothing,
}

/// The end of a link, step by step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It is not over, or nobody has looked yet.
    NotBegun,
    /// The broker knows. What is left is sent.
    LastWords,
    /// Our direction is closed, the client may close its own.
    Lingering,
}

/// Why a link ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// The broker wants it.
    Asked(CloseReason),
    /// The client closed the connection.
    ByPeer,
    /// The network failed.
    Failed(String),
    /// Its first bytes are not those of a CONNECT.
    NoConnect,
    /// A rule of WebSocket was broken.
    WebSocket { code: u16, why: String },
    /// The socket took nothing for too long.
    Stalled,
    /// A mistake of ours while its bytes were handled.
    Panicked,
}

impl Link {
    /// Just accepted. `websocket` holds the bytes that came behind the handshake.
    pub(super) fn new(
        socket: TcpStream,
        peer: SocketAddr,
        websocket: Option<Bytes>,
        place: Place,
        packet_size: usize,
    ) -> Self {
        let packet_size = packet_size.min(limits::PACKET_SIZE_BEFORE_CONNECT);
        let has_bytes = websocket.as_ref().is_some_and(|arrived| !arrived.is_empty());
        let websocket = websocket.map(|arrived| Box::new(WebSocket::new(arrived, message_size(packet_size))));
        Self {
            socket,
            sends_much: false,
            websocket,
            framer: Framer::new(length(packet_size)),
            output: Output::default(),
            aliases: None,
            version: None,
            answers_len: 0,
            lost_rhythm: false,
            left_off: has_bytes,
            awaits_verdict: false,
            is_dirty: false,
            awaits_drain: false,
            blocked_since: None,
            over: None,
            ending: Ending::NotBegun,
            is_readable: false,
            is_ended_by_peer: false,
            is_writable: false,
            is_ready: false,
            _place: place,
            peer,
            client: None,
            dropped: 0,
        }
    }

    /// CONNECT was accepted: a known client may send more than a stranger.
    pub(super) fn accepted(
        &mut self,
        client: ClientId,
        packet_size: usize,
        aliases: Option<OutgoingAliases>,
    ) {
        self.client = Some(client);
        self.aliases = aliases.map(Box::new);
        self.framer.set_packet_size_max(length(packet_size));
        if let Some(websocket) = &mut self.websocket {
            websocket.allow(message_size(packet_size));
        }
    }

    /// What was read, as MQTT's bytes, and behind them what must be [pushed](Self::push) when they have been handled.
    pub(super) fn open<'a>(&mut self, read: &'a mut [u8]) -> (&'a [u8], &'a [u8]) {
        match &mut self.websocket {
            Some(websocket) => websocket.open_in_place(read),
            None => (read, &[]),
        }
    }

    /// Takes in the frames of WebSocket that were read.
    pub(super) fn push(&mut self, read: &[u8]) {
        if let Some(websocket) = &mut self.websocket {
            websocket.push(read);
        }
    }

    /// Takes in MQTT's bytes, or the part of them that has to be [looked at](Self::next) before the rest.
    pub(super) fn take_in(&mut self, bytes: &mut &[u8]) {
        self.framer.take_in(bytes);
    }

    /// In which version packets are written that can be read where they lie, behind all that was taken in; `None` if they
    /// must be taken in, or nothing may be handled now.
    #[inline]
    pub(super) fn reads_in_place(&self) -> Option<Version> {
        self.known_version().filter(|_| self.framer.pending_len() == 0)
    }

    /// `bytes` as what comes next.
    #[inline]
    pub(super) fn arrived<'a>(&self, bytes: &'a [u8]) -> Arrived<'a> {
        self.framer.arrived(bytes)
    }

    /// What was taken in and not looked at, with the version in which it is written; `None` if nothing may be handled now,
    /// or the client is not known yet.
    #[inline]
    pub(super) fn take_arrived(&mut self) -> Option<(Version, Bytes)> {
        Some((self.known_version()?, self.framer.take_arrived()?))
    }

    /// Takes back what is left of it.
    #[inline]
    pub(super) fn give_back(&mut self, arrived: Bytes) {
        self.framer.push(arrived);
    }

    #[inline]
    fn known_version(&self) -> Option<Version> {
        self.version.filter(|_| self.client.is_some() && !self.must_rest())
    }

    /// Whether nothing more that came may be handled, for now or for ever.
    #[inline]
    pub(super) fn must_rest(&self) -> bool {
        self.over.is_some() || self.lost_rhythm || self.awaits_verdict || self.must_wait()
    }

    /// What the bytes that came lead to, one packet at a time.
    pub(super) fn next(&mut self, link: LinkId) -> Next {
        if self.must_rest() {
            self.left_off |= self.must_wait();
            return Next::Nothing;
        }
        match self.next_packet() {
            Ok(Some(packet)) => return Next::Input(Input::Packet { link, packet }),
            Ok(None) => {}
            Err(error) => return Next::Input(self.malformed(link, error)),
        }
        if self.client.is_none() && self.framer.begun().is_some_and(|begun| begun != PacketType::Connect) {
            // The rest of it need not be waited for: only CONNECT may come first. [MQTT-3.1.0-1]
            self.over = Some(Box::new(Over::NoConnect));
            return Next::Nothing;
        }
        let Some(websocket) = &mut self.websocket else { return Next::Nothing };
        let mut answers = BytesMut::new();
        let payload = websocket.next_payload(&mut answers);
        self.answers_len += answers.len();
        self.output.append_control_frames(websocket, &answers);
        match payload {
            Ok(Some(payload)) => {
                self.framer.push(payload);
                Next::Bytes
            }
            Ok(None) => Next::Nothing,
            Err(over) => {
                self.over = Some(Box::new(match over {
                    WebSocketOver::ByPeer => Over::ByPeer,
                    WebSocketOver::Broken { code, why } => Over::WebSocket { code, why },
                }));
                Next::Nothing
            }
        }
    }

    /// The first packet says in which version the others are written, even if the rest of it makes no sense.
    fn next_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        if let Some(version) = self.version {
            return self.framer.next_packet(version);
        }
        let Some(frame) = self.framer.next_frame()? else { return Ok(None) };
        self.version = frame.connect_version();
        Packet::decode(frame, self.version.unwrap_or(OLDEST)).map(Some)
    }

    fn malformed(&mut self, link: LinkId, error: DecodeError) -> Input {
        self.lost_rhythm = true;
        Input::Malformed { link, version: self.version, error }
    }

    /// Whether the client must take answers before we read more of its packets. Messages from others do not count: a
    /// client that publishes without reading would otherwise wait for itself.
    pub(super) fn must_wait(&self) -> bool {
        self.answers_len > limits::ANSWERS && !self.output.is_empty()
    }

    /// Appends a packet other than a message.
    pub(super) fn send(&mut self, packet: &Packet, spare: &mut Spare) -> Result<(), EncodeError> {
        let before = self.output.len();
        packet.encode(
            self.version.unwrap_or(OLDEST),
            self.output.packets(self.websocket.as_deref_mut(), spare),
        )?;
        self.answers_len += self.output.len() - before;
        Ok(())
    }

    /// Appends an acknowledgement that says no more than that all went well.
    #[inline]
    pub(super) fn acknowledge(&mut self, kind: AcknowledgeKind, id: PacketId, spare: &mut Spare) {
        let before = self.output.len();
        kind.encode(id, self.output.packets(self.websocket.as_deref_mut(), spare));
        self.answers_len += self.output.len() - before;
    }

    /// Appends a message; at QoS 0 it is dropped if the output is full.
    pub(super) fn deliver(
        &mut self,
        delivered: &DeliveredRef<'_>,
        spare: &mut Spare,
        traffic: &mut Traffic,
    ) -> Result<(), EncodeError> {
        if delivered.delivery.qos() == QoS::AtMostOnce && self.output.len() >= limits::OUTPUT {
            self.dropped += 1;
            traffic.messages_dropped += 1;
            traffic.payload_bytes_dropped += delivered.message.message().payload.len() as u64;
            return Ok(());
        }
        let version = self.version.unwrap_or(OLDEST);
        let mut packet = delivered.packet();
        if let Some(aliases) = &mut self.aliases {
            packet = aliases.shorten(packet);
        }
        packet.encode(version, self.output.packets(self.websocket.as_deref_mut(), spare))
    }

    /// Writes what waits, as far as the socket takes it.
    pub(super) fn write(&mut self, spare: &mut Spare, traffic: &mut Traffic) -> Written {
        let written = self.output.write(&self.socket, self.websocket.as_deref_mut(), spare, traffic);
        if matches!(written, Written::All) {
            self.answers_len = 0;
        }
        written
    }

    /// Whether it is to be written to at the end of the turn, if only to find that everything is written, and the driver does
    /// not know that yet. A blocked link has a turn of its own when its socket drains.
    pub(super) fn becomes_dirty(&mut self) -> bool {
        let has_something_to_write = self.awaits_drain || !self.output.is_empty();
        let becomes = !self.is_dirty && self.blocked_since.is_none() && has_something_to_write;
        self.is_dirty |= becomes;
        becomes
    }

    /// So much waits that it should not wait for the end of the turn.
    pub(super) fn is_full_enough_to_write(&self) -> bool {
        self.blocked_since.is_none() && self.output.len() >= limits::WRITE_AT
    }

    /// The last that is sent: over WebSocket a close frame, which says why.
    pub(super) fn say_goodbye(&mut self) {
        let Some(websocket) = &mut self.websocket else { return };
        if !websocket.can_write() {
            // The client's goodbye was answered, and nothing may follow that.
            return self.output.discard_open_frame(websocket);
        }
        let over = self.over.as_ref();
        let (code, why) = over.map_or((NORMAL, String::new()), |over| (over.close_code(), over.reason()));
        let mut goodbye = BytesMut::new();
        websocket.close(code, &why, &mut goodbye);
        self.output.append_control_frames(websocket, &goodbye);
    }

    /// For the log.
    pub(super) fn transport(&self) -> &'static str {
        if self.websocket.is_some() { "websocket" } else { "tcp" }
    }
}

impl Over {
    /// In the broker's words.
    pub(super) fn cause(&self) -> Cause {
        match self {
            Self::Asked(_) => Cause::Asked,
            Self::ByPeer => Cause::ByPeer,
            Self::Failed(_) | Self::NoConnect | Self::WebSocket { .. } | Self::Panicked => Cause::Failed,
            Self::Stalled => Cause::Stalled,
        }
    }

    /// Whether the client can still be told something.
    pub(super) fn can_say_goodbye(&self) -> bool {
        match self {
            Self::Asked(_) | Self::ByPeer | Self::NoConnect | Self::WebSocket { .. } => true,
            Self::Failed(_) | Self::Stalled | Self::Panicked => false,
        }
    }

    /// In WebSocket's words, for a link that can say goodbye. Clients before 5.0 are told in no other way.
    fn close_code(&self) -> u16 {
        match self {
            Self::Asked(CloseReason::Disconnected(_)) | Self::ByPeer => NORMAL,
            Self::Asked(CloseReason::Stopping) => GOING_AWAY,
            Self::Asked(
                CloseReason::Malformed(DecodeError::PacketTooLarge)
                | CloseReason::Limit(ReasonCode::PacketTooLarge),
            ) => TOO_LARGE,
            Self::WebSocket { code, .. } => *code,
            Self::Asked(
                CloseReason::Refused(_)
                | CloseReason::Malformed(_)
                | CloseReason::ProtocolError
                | CloseReason::ConnectTimeout
                | CloseReason::KeepAliveTimeout
                | CloseReason::TakenOver
                | CloseReason::Limit(_),
            )
            | Self::NoConnect => POLICY_VIOLATION,
            Self::Failed(_) | Self::Stalled | Self::Panicked => UNEXPECTED,
        }
    }

    /// In an operator's words.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Asked(CloseReason::Disconnected(reason)) => format!("the client said goodbye ({reason:?})"),
            Self::Asked(CloseReason::Refused(reason)) => format!("refused ({reason:?})"),
            Self::Asked(CloseReason::Malformed(error)) => format!("malformed packet: {error}"),
            Self::Asked(CloseReason::ProtocolError) => "a packet that must not come here or now".into(),
            Self::Asked(CloseReason::ConnectTimeout) => "no CONNECT in time".into(),
            Self::Asked(CloseReason::KeepAliveTimeout) => {
                "silent for one and a half keep alive intervals".into()
            }
            Self::Asked(CloseReason::TakenOver) => "its client identifier connected again".into(),
            Self::Asked(CloseReason::Limit(reason)) => format!("over a limit ({reason:?})"),
            Self::Asked(CloseReason::Stopping) => "the server stops".into(),
            Self::ByPeer => "the client closed the connection".into(),
            Self::Failed(error) => format!("the network failed: {error}"),
            Self::NoConnect => "its first packet is no CONNECT".into(),
            Self::WebSocket { why, .. } => format!("a rule of WebSocket was broken: {why}"),
            Self::Stalled => "took nothing for limits.stall_timeout_s".into(),
            Self::Panicked => "a mistake in luxwire, see the line above".into(),
        }
    }
}

/// What a client that did not say its version understands best.
const OLDEST: Version = Version::V3_1_1;

/// Codes of the closing handshake, RFC 6455 section 7.4.1.
const NORMAL: u16 = 1000;
const GOING_AWAY: u16 = 1001;
const POLICY_VIOLATION: u16 = 1008;
const TOO_LARGE: u16 = 1009;
const UNEXPECTED: u16 = 1011;

/// Several small packets may share a message with the largest.
fn message_size(packet_size: usize) -> usize {
    packet_size + limits::WEBSOCKET_MESSAGE_BESIDES_PACKET
}

/// Packet sizes are far below this limit; the configuration sees to it.
fn length(packet_size: usize) -> u32 {
    u32::try_from(packet_size).unwrap_or(u32::MAX)
}
