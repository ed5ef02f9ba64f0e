//! A link: one network connection, from the moment that it is accepted until either side lets go of it.
//!
//! A link that the broker closed is forgotten at once, so that whatever the edge still says of it is ignored and no
//! effect can name it again.

use crate::{
    CloseReason, LinkId, Visitor, broker::Broker, deadlines::Deadline, explain::refusal, session::SessionKey,
    session::takes, turn::Turn,
};
use alloc::vec::Vec;
use core::{fmt::Display, num::NonZeroU32, time::Duration};
use luxwire_shared::{
    mqtt::{DecodeError, ReasonCode, Version},
    time::Instant,
};

/// What the broker knows of a connection.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) stage: Stage,
    /// When the last packet came.
    pub(crate) heard: Instant,
    /// The longest silence, in milliseconds, of which the longest keep alive has not a hundred million; `None` if any is
    /// allowed.
    silence_max_ms: Option<NonZeroU32>,
    /// The moment under which the calendar has this link. It may be too early, never too late: packets do not move it.
    entered_at: Option<Instant>,
}

/// What the edge says of a connection before the client says anything.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) visitor: Visitor,
    /// Makes a client identifier if CONNECT brings none.
    pub(crate) nonce: u128,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stage {
    /// Nothing but CONNECT may come.
    AwaitsConnect,
    /// CONNECT waits for AUTH, or for what the edge says of its password: see `auth`.
    Authenticates,
    /// CONNECT was accepted.
    Connected(SessionKey),
}

impl Link {
    /// Until when it may be silent; `None` for ever.
    fn silent_until(&self) -> Option<Instant> {
        let max_ms = self.silence_max_ms?;
        Some(self.heard + Duration::from_millis(u64::from(max_ms.get())))
    }
}

impl Broker {
    pub(crate) fn open(&mut self, turn: &mut Turn<'_>, link: LinkId, visitor: Visitor, nonce: u128) {
        let now = turn.now.instant;
        let state = Link {
            stage: Stage::AwaitsConnect,
            heard: now,
            silence_max_ms: Some(milliseconds(self.limits.connect_timeout)),
            entered_at: None,
        };
        self.sys.counters.links += 1;
        self.links.insert(link, state);
        self.arrivals.insert(link, Arrival { visitor, nonce });
        self.watch(link);
    }

    /// CONNECT was accepted. From here on silence means something else. [MQTT-3.1.2-22]
    pub(crate) fn connected(&mut self, link: LinkId, session: SessionKey, keep_alive_s: u16) {
        self.arrivals.remove(&link);
        if let Some(state) = self.links.get_mut(&link) {
            state.stage = Stage::Connected(session);
            state.silence_max_ms = NonZeroU32::new(u32::from(keep_alive_s) * 1500);
        }
        self.watch(link);
    }

    /// The edge lost the connection, or closed it because it was asked to.
    pub(crate) fn closed(&mut self, turn: &mut Turn<'_>, link: LinkId) {
        match self.links.get(&link).map(|state| state.stage) {
            Some(Stage::Connected(session)) => self.detach(turn, session),
            Some(Stage::AwaitsConnect | Stage::Authenticates) => self.forget_link(link),
            None => {}
        }
    }

    /// Bytes came that are no packet. [MQTT-4.13.1-1] [MQTT-3.1.4-1], 3.1.1: [MQTT-4.8.0-1]
    pub(crate) fn malformed(
        &mut self,
        turn: &mut Turn<'_>,
        link: LinkId,
        version: Option<Version>,
        error: DecodeError,
    ) {
        match self.links.get(&link).map(|state| state.stage) {
            Some(Stage::Connected(session)) => {
                self.disconnect_client(turn, session, error.reason(), error, CloseReason::Malformed(error));
            }
            Some(Stage::AwaitsConnect | Stage::Authenticates) => {
                // A version that nobody knows is refused in words that every client reads. [MQTT-3.1.2-2] Otherwise
                // only 5.0 can say what is wrong; 3.1.1 forbids an answer. 3.1.1: [MQTT-3.1.4-1] [MQTT-3.2.2-6]
                // 3.1.1: [MQTT-3.1.2-2]
                let answers = version.is_some_and(Version::answers_malformed_connect);
                if answers || matches!(error, DecodeError::ProtocolLevel(_)) {
                    let newcomer = self.newcomers.get(&link);
                    let packet_size = newcomer.and_then(|newcomer| newcomer.packet_size());
                    let connack = refusal(error.reason(), error, packet_size);
                    if takes(packet_size, connack.encoded_len(Version::V5)) {
                        turn.send(link, connack);
                    }
                }
                turn.close(link, CloseReason::Malformed(error));
                self.forget_link(link);
            }
            None => {}
        }
    }

    /// The calendar says that this link may have been silent for too long.
    pub(crate) fn silence(&mut self, turn: &mut Turn<'_>, link: LinkId) {
        let Some(state) = self.links.get(&link) else { return };
        if state.silent_until().is_none_or(|until| until > turn.now.instant) {
            return self.watch(link);
        }
        match state.stage {
            Stage::AwaitsConnect | Stage::Authenticates => {
                turn.close(link, CloseReason::ConnectTimeout);
                self.forget_link(link);
            }
            // [MQTT-3.1.2-22], 3.1.1: [MQTT-3.1.2-24]
            Stage::Connected(session) => {
                self.disconnect_client(
                    turn,
                    session,
                    ReasonCode::KeepAliveTimeout,
                    "nothing came for one and a half keep alive intervals",
                    CloseReason::KeepAliveTimeout,
                );
            }
        }
    }

    /// Ends a connection for a reason that 5.0 clients are told [MQTT-4.13.2-1]; older ones have no packet for it.
    /// Nothing follows. [MQTT-3.14.4-1] [MQTT-3.14.4-2], 3.1.1: [MQTT-4.8.0-2]
    pub(crate) fn disconnect_client(
        &mut self,
        turn: &mut Turn<'_>,
        session: SessionKey,
        reason: ReasonCode,
        why: impl Display,
        close: CloseReason,
    ) {
        let Some(connection) = &self.sessions[session].connection else { return };
        if connection.version.has_server_disconnect() {
            turn.send(connection.link, connection.disconnect(reason, why));
        }
        self.close_session_link(turn, session, close);
    }

    /// Enters the link's next moment in the calendar.
    pub(crate) fn watch(&mut self, link: LinkId) {
        let Some(state) = self.links.get_mut(&link) else { return };
        let next = state.silent_until();
        self.deadlines.move_to(Deadline::Silence(link), state.entered_at, next);
        state.entered_at = next;
    }

    pub(crate) fn forget_link(&mut self, link: LinkId) {
        if let Some(state) = self.links.remove(&link) {
            self.latest = None;
            self.arrivals.remove(&link);
            self.newcomers.remove(&link);
            self.deadlines.move_to(Deadline::Silence(link), state.entered_at, None);
        }
    }

    /// The program stops. Wills wait for the next start, as 3.1.2.5 allows: whoever could receive them goes as well.
    pub(crate) fn stop(&mut self, turn: &mut Turn<'_>) {
        let mut links: Vec<LinkId> = self.links.keys().copied().collect();
        links.sort_unstable();
        for link in links {
            if let Some(Stage::Connected(session)) = self.links.get(&link).map(|state| state.stage) {
                let connection = self.sessions[session].connection.take();
                if let Some(connection) =
                    connection.filter(|connection| connection.version.has_server_disconnect())
                {
                    let goodbye = connection.disconnect(ReasonCode::ServerShuttingDown, "the server stops");
                    turn.send(link, goodbye);
                }
            }
            turn.close(link, CloseReason::Stopping);
            self.forget_link(link);
        }
    }
}

/// At least one, and at most the forty-nine days that fit.
fn milliseconds(span: Duration) -> NonZeroU32 {
    NonZeroU32::new(u32::try_from(span.as_millis()).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN)
}
