//! Extended authentication: AUTH before CONNACK, and again at any time after it. Sections 3.15 and 4.12.
//!
//! What is said in AUTH belongs to a [`Mechanism`]; here is who may say it when. A CONNECT with a password waits here as
//! well, for what the edge says of it.
//!
//! ```text
//!  CONNECT with a method
//!        │                AUTH 0x18                      AUTH 0x19
//!        ▼               ┌─────────┐                    ┌─────────┐
//!   Mechanism ──asks──► waits ◄────┘       connected ──►│  waits  │──AUTH 0x18, as often as asked──┐
//!        │                │                    ▲        └────▲────┘                                │
//!        └────accepts─────┴──CONNACK 0x00──────┘─────────────┴───accepts: AUTH 0x00────────────────┘
//!   refused at any point: CONNACK 0x87 before, DISCONNECT 0x87 after; closed.
//! ```
//!
//! While a client that is connected authenticates again, everything else goes on. It must turn out to be who it was.

use crate::{
    CloseReason, Effect, LinkId, Verdict, broker::Broker, link::Stage, session::SessionKey, session::takes,
    turn::Turn,
};
use alloc::{boxed::Box, rc::Rc};
use bytes::Bytes;
use core::{fmt::Debug, num::NonZeroU32};
use luxwire_shared::mqtt::{Auth, AuthProperties, Connect, Packet, ReasonCode, Text, Version};
use sha2::{Digest as _, Sha256};

/// A way to find out who a client is.
pub trait Mechanism: Debug {
    /// What clients call it in Authentication Method.
    fn name(&self) -> &str;

    /// A client begins with this data. The nonce is fresh randomness, used once.
    fn begin(&self, nonce: u128, data: &[u8]) -> Step;
}

/// An exchange that is under way.
pub trait Exchange: Debug {
    /// The client answers with this data.
    fn go_on(self: Box<Self>, data: &[u8]) -> Step;
}

/// What an exchange comes to.
#[derive(Debug)]
pub enum Step {
    /// The client has to answer this.
    Ask {
        /// For the client.
        data: Bytes,
        /// Takes the answer.
        exchange: Box<dyn Exchange>,
    },
    /// The client is who it says.
    Accept {
        /// Who.
        user: Text,
        /// The last word.
        data: Bytes,
    },
    /// It is not, or says nothing that makes sense.
    Refuse,
}

/// A client that has not yet shown who it is.
#[derive(Debug)]
pub(crate) struct Newcomer {
    connect: Connect,
    nonce: u128,
    waits_for: WaitsFor,
}

/// What it has to do with.
#[derive(Debug)]
enum WaitsFor {
    /// The client's next AUTH.
    Auth(Box<dyn Exchange>),
    /// The edge, which looks at the password of this user.
    Verdict(Text),
}

/// How a client has shown who it is, and may do so again.
#[derive(Debug)]
pub(crate) struct Authenticated {
    pub(crate) method: Text,
    user: Text,
    /// The last word to the client, for CONNACK.
    pub(crate) data: Bytes,
    nonce: u128,
    exchanges: u64,
    exchange: Option<Box<dyn Exchange>>,
}

impl Newcomer {
    /// The largest packet that the client takes.
    pub(crate) fn packet_size(&self) -> Option<NonZeroU32> {
        self.connect.properties.maximum_packet_size
    }
}

impl Broker {
    pub(crate) fn mechanism(&self, method: &Text) -> Option<Rc<dyn Mechanism>> {
        self.mechanisms.iter().find(|mechanism| mechanism.name() == method.as_str()).cloned()
    }

    /// CONNECT names a method.
    pub(crate) fn authenticate(
        &mut self,
        turn: &mut Turn<'_>,
        link: LinkId,
        nonce: u128,
        mechanism: &dyn Mechanism,
        connect: Connect,
    ) {
        let data = connect.properties.authentication_data.clone().unwrap_or_default();
        let step = mechanism.begin(nonce_of_exchange(nonce, 0), &data);
        self.step_before_connack(turn, link, nonce, connect, step);
    }

    /// Only AUTH may come, or DISCONNECT.
    pub(crate) fn packet_before_connack(&mut self, turn: &mut Turn<'_>, link: LinkId, packet: Packet) {
        let Some(newcomer) = self.newcomers.remove(&link) else { return };
        let Newcomer { connect, nonce, waits_for } = *newcomer;
        match (packet, waits_for) {
            // [MQTT-4.12.0-5]
            (Packet::Auth(auth), WaitsFor::Auth(exchange))
                if auth.reason == ReasonCode::ContinueAuthentication
                    && auth.method() == connect.properties.authentication_method.as_ref() =>
            {
                self.step_before_connack(turn, link, nonce, connect, exchange.go_on(auth.data()));
            }
            (Packet::Disconnect(disconnect), _) => {
                turn.close(link, CloseReason::Disconnected(disconnect.reason));
                self.forget_link(link);
            }
            _ => {
                // The edge holds back what comes while it looks at a password.
                let why = "only AUTH with the method of CONNECT may come before CONNACK";
                let packet_size = connect.properties.maximum_packet_size;
                self.refuse(turn, link, packet_size, ReasonCode::ProtocolError, why);
            }
        }
    }

    fn step_before_connack(
        &mut self,
        turn: &mut Turn<'_>,
        link: LinkId,
        nonce: u128,
        connect: Connect,
        step: Step,
    ) {
        let Some(method) = connect.properties.authentication_method.as_ref().map(Text::detached) else {
            return;
        };
        let packet_size = connect.properties.maximum_packet_size;
        match step {
            Step::Ask { data, exchange } => {
                let question = answer(ReasonCode::ContinueAuthentication, method, data);
                if !takes(packet_size, question.encoded_len(Version::V5)) {
                    let why = "the question is larger than the client takes";
                    return self.refuse(turn, link, packet_size, ReasonCode::PacketTooLarge, why);
                }
                turn.send(link, question);
                self.keep_waiting(link, nonce, connect, WaitsFor::Auth(exchange));
            }
            Step::Accept { user, data } => {
                let (own, exchanges) = (user.clone(), 1);
                let authenticated = Authenticated { method, user, data, nonce, exchanges, exchange: None };
                self.admit(turn, link, nonce, connect, Some(own), Some(Box::new(authenticated)));
            }
            // [MQTT-4.12.0-4]
            Step::Refuse => self.refuse(turn, link, packet_size, ReasonCode::NotAuthorized, NOT_SHOWN),
        }
    }

    fn keep_waiting(&mut self, link: LinkId, nonce: u128, connect: Connect, waits_for: WaitsFor) {
        if let Some(state) = self.links.get_mut(&link) {
            state.stage = Stage::Authenticates;
        }
        let newcomer = Newcomer { connect: connect.detached(), nonce, waits_for };
        self.newcomers.insert(link, Box::new(newcomer));
    }

    /// CONNECT names a user and no method: whether it is that user the edge finds out.
    pub(crate) fn ask_for_verdict(
        &mut self,
        turn: &mut Turn<'_>,
        link: LinkId,
        nonce: u128,
        user: Text,
        mut connect: Connect,
    ) {
        let password = connect.password.take();
        self.keep_waiting(link, nonce, connect, WaitsFor::Verdict(user.clone()));
        turn.effects.push(Effect::CheckPassword { link, user, password });
    }

    /// The edge has looked at the password. The link may be gone.
    pub(crate) fn password_checked(&mut self, turn: &mut Turn<'_>, link: LinkId, verdict: Verdict) {
        let Some(newcomer) = self.newcomers.remove(&link) else { return };
        let Newcomer { connect, nonce, waits_for } = *newcomer;
        let WaitsFor::Verdict(user) = waits_for else {
            let newcomer = Newcomer { connect, nonce, waits_for };
            self.newcomers.insert(link, Box::new(newcomer));
            return;
        };
        let packet_size = connect.properties.maximum_packet_size;
        match verdict {
            Verdict::Right => self.admit(turn, link, nonce, connect, Some(user), None),
            Verdict::NoMatter => self.receive(turn, link, nonce, connect),
            // [MQTT-3.1.4-2]
            Verdict::Wrong => {
                let why = "name or password is wrong";
                self.refuse(turn, link, packet_size, ReasonCode::BadUserNameOrPassword, why);
            }
            Verdict::Busy => {
                let why = "too many want to sign in at once";
                self.refuse(turn, link, packet_size, ReasonCode::ServerBusy, why);
            }
        }
    }

    /// AUTH from a client that is connected.
    pub(crate) fn auth(&mut self, turn: &mut Turn<'_>, key: SessionKey, auth: &Auth) {
        let connection = self.sessions[key].connection.as_mut();
        let Some((link, authenticated)) =
            connection.and_then(|connection| Some((connection.link, connection.authenticated.as_mut()?)))
        else {
            // [MQTT-4.12.0-7]
            return self.auth_error(turn, key, "CONNECT named no authentication method");
        };
        if auth.method() != Some(&authenticated.method) {
            // [MQTT-4.12.0-5]
            return self.auth_error(turn, key, "CONNECT named another authentication method");
        }
        let step = match (auth.reason, authenticated.exchange.take()) {
            (ReasonCode::ReAuthenticate, _) => {
                let nonce = nonce_of_exchange(authenticated.nonce, authenticated.exchanges);
                authenticated.exchanges += 1;
                let mechanism = self
                    .mechanisms
                    .iter()
                    .find(|mechanism| mechanism.name() == authenticated.method.as_str());
                mechanism.map_or(Step::Refuse, |mechanism| mechanism.begin(nonce, auth.data()))
            }
            (ReasonCode::ContinueAuthentication, Some(exchange)) => exchange.go_on(auth.data()),
            _ => return self.auth_error(turn, key, "nothing was asked that this AUTH could answer"),
        };
        let method = authenticated.method.clone();
        let packet = match step {
            Step::Ask { data, exchange } => {
                authenticated.exchange = Some(exchange);
                answer(ReasonCode::ContinueAuthentication, method, data)
            }
            Step::Accept { user, data } if user == authenticated.user => {
                answer(ReasonCode::Success, method, data)
            }
            // [MQTT-4.12.1-2]
            Step::Accept { .. } | Step::Refuse => {
                let reason = ReasonCode::NotAuthorized;
                return self.disconnect_client(turn, key, reason, NOT_SHOWN, CloseReason::Refused(reason));
            }
        };
        self.answer(turn, key, link, packet);
    }

    fn auth_error(&mut self, turn: &mut Turn<'_>, key: SessionKey, why: &str) {
        self.disconnect_client(turn, key, ReasonCode::ProtocolError, why, CloseReason::ProtocolError);
    }
}

const NOT_SHOWN: &str = "the client has not shown that it is who it says";

/// [MQTT-4.12.0-2] [MQTT-4.12.0-5]
fn answer(reason: ReasonCode, method: Text, data: Bytes) -> Packet {
    let properties = AuthProperties {
        authentication_method: Some(method),
        authentication_data: Some(data),
        ..AuthProperties::default()
    };
    Packet::Auth(Auth { reason, properties: Some(Box::new(properties)) })
}

/// A link brings one nonce along, of which a client may have been told as its assigned identifier; each exchange has one
/// of its own, which nobody can tell from another.
fn nonce_of_exchange(nonce: u128, exchange: u64) -> u128 {
    let digest =
        Sha256::new().chain_update(nonce.to_le_bytes()).chain_update(exchange.to_le_bytes()).finalize();
    digest.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}
