//! What happened, in the words and with the exit codes that scripts know from Mosquitto's programs.

use super::{FAILURE, flags::Program};
use crate::connection::Connection;
use luxwire_shared::{
    client::{Cause, Event},
    mqtt::{ReasonCode, Version},
};
use std::io;

/// Why a program ends before its work is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: u8,
    /// Line by line, for standard error.
    pub(super) said: Vec<String>,
}

/// The broker sent what it must not send.
const PROTOCOL: u8 = 2;
const CONNECTION_LOST: u8 = 7;
const TLS: u8 = 8;

const PROTOCOL_ERROR: &str = "Error: A network protocol error occurred when communicating with the broker.";

impl Failure {
    pub(super) fn new(code: u8, said: impl Into<String>) -> Self {
        Self { code, said: vec![said.into()] }
    }

    /// A connection that stood is gone.
    pub(super) fn lost() -> Self {
        Self::new(CONNECTION_LOST, "Error: The connection was lost.")
    }

    /// What an event says about a connection that was to be made; `None` if it says nothing about that.
    pub(super) fn to_connect(
        program: Program,
        version: Version,
        connection: &Connection,
        event: &Event,
    ) -> Option<Self> {
        Some(match event {
            Event::Refused { reason, .. } | Event::Lost { cause: Cause::Server(reason), .. } => {
                Self::refused(program, version, *reason)
            }
            Event::Lost { cause: Cause::Closed, .. } => match connection.failure() {
                Some(error) => Self::of_transport(error, connection.address().scheme.is_tls()),
                None => Self::lost(),
            },
            Event::Lost { cause: Cause::ConnectTimeout | Cause::KeepAlive, .. } => {
                Self::new(FAILURE, "Error: Connection timed out")
            }
            Event::Lost { cause: Cause::Malformed(_) | Cause::Protocol(_), .. } => {
                Self::new(PROTOCOL, PROTOCOL_ERROR)
            }
            Event::Connected { .. }
            | Event::Message(_)
            | Event::Acknowledged { .. }
            | Event::Unsent(_)
            | Event::Subscribed { .. }
            | Event::Unsubscribed { .. } => return None,
        })
    }

    fn refused(program: Program, version: Version, reason: ReasonCode) -> Self {
        let (code, why) = match (version.has_properties(), return_code(reason)) {
            (false, Some((code, why))) => (code, format!("Connection Refused: {why}")),
            (false, None) => (reason.number(), "Connection Refused: unknown reason.".to_owned()),
            (true, _) => {
                let hint = match reason {
                    ReasonCode::UnsupportedProtocolVersion => {
                        ". Try connecting to an MQTT v5 broker, or use MQTT v3.x mode."
                    }
                    _ => "",
                };
                (reason.number(), format!("{}{hint}", text(reason)))
            }
        };
        let mut failure = Self::new(code, format!("Connection error: {why}"));
        match program {
            Program::Publish if version.has_properties() => failure.said.push(PROTOCOL_ERROR.to_owned()),
            Program::Publish => failure.said.push("Error: The connection was refused.".to_owned()),
            Program::Subscribe => {}
        }
        failure
    }

    fn of_transport(error: &io::Error, tls: bool) -> Self {
        let no_handshake = matches!(
            error.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
        );
        if error.to_string().starts_with("failed to lookup") {
            return Self::new(FAILURE, "Unable to connect (Lookup error.).");
        }
        let words = system_words(error);
        if tls && no_handshake {
            let said = vec![format!("TLS error: {words}"), "Error: A TLS error occurred.".to_owned()];
            return Self { code: TLS, said };
        }
        Self::new(FAILURE, format!("Error: {words}"))
    }
}

/// What the system calls it, without the number that Rust adds.
pub(super) fn system_words(error: &io::Error) -> String {
    let words = error.to_string();
    match words.find(" (os error ") {
        Some(end) => words[..end].to_owned(),
        None => words,
    }
}

/// What CONNACK says in this version.
pub(super) fn connack_code(version: Version, reason: ReasonCode) -> u8 {
    match return_code(reason) {
        Some((code, _)) if !version.has_properties() => code,
        Some(_) | None => reason.number(),
    }
}

/// The five of the versions before 5.0.
const fn return_code(reason: ReasonCode) -> Option<(u8, &'static str)> {
    Some(match reason {
        ReasonCode::UnsupportedProtocolVersion => (1, "unacceptable protocol version."),
        ReasonCode::ClientIdentifierNotValid => (2, "identifier rejected."),
        ReasonCode::ServerUnavailable => (3, "broker unavailable."),
        ReasonCode::BadUserNameOrPassword => (4, "bad user name or password."),
        ReasonCode::NotAuthorized => (5, "not authorised."),
        _ => return None,
    })
}

/// The specification's names, in the usual spelling of these programs.
pub(super) const fn text(reason: ReasonCode) -> &'static str {
    match reason {
        ReasonCode::Success => "Success",
        ReasonCode::GrantedQoS1 => "Granted QoS 1",
        ReasonCode::GrantedQoS2 => "Granted QoS 2",
        ReasonCode::DisconnectWithWill => "Disconnect with Will Message",
        ReasonCode::NoMatchingSubscribers => "No matching subscribers",
        ReasonCode::NoSubscriptionExisted => "No subscription existed",
        ReasonCode::ContinueAuthentication => "Continue authentication",
        ReasonCode::ReAuthenticate => "Re-authenticate",
        ReasonCode::Unspecified => "Unspecified error",
        ReasonCode::MalformedPacket => "Malformed Packet",
        ReasonCode::ProtocolError => "Protocol Error",
        ReasonCode::ImplementationSpecific => "Implementation specific error",
        ReasonCode::UnsupportedProtocolVersion => "Unsupported Protocol Version",
        ReasonCode::ClientIdentifierNotValid => "Client Identifier not valid",
        ReasonCode::BadUserNameOrPassword => "Bad User Name or Password",
        ReasonCode::NotAuthorized => "Not authorized",
        ReasonCode::ServerUnavailable => "Server unavailable",
        ReasonCode::ServerBusy => "Server busy",
        ReasonCode::Banned => "Banned",
        ReasonCode::ServerShuttingDown => "Server shutting down",
        ReasonCode::BadAuthenticationMethod => "Bad authentication method",
        ReasonCode::KeepAliveTimeout => "Keep Alive timeout",
        ReasonCode::SessionTakenOver => "Session taken over",
        ReasonCode::TopicFilterInvalid => "Topic Filter invalid",
        ReasonCode::TopicNameInvalid => "Topic Name invalid",
        ReasonCode::PacketIdentifierInUse => "Packet Identifier in use",
        ReasonCode::PacketIdentifierNotFound => "Packet Identifier not found",
        ReasonCode::ReceiveMaximumExceeded => "Receive Maximum exceeded",
        ReasonCode::TopicAliasInvalid => "Topic Alias invalid",
        ReasonCode::PacketTooLarge => "Packet too large",
        ReasonCode::MessageRateTooHigh => "Message rate too high",
        ReasonCode::QuotaExceeded => "Quota exceeded",
        ReasonCode::AdministrativeAction => "Administrative action",
        ReasonCode::PayloadFormatInvalid => "Payload format invalid",
        ReasonCode::RetainNotSupported => "Retain not supported",
        ReasonCode::QoSNotSupported => "QoS not supported",
        ReasonCode::UseAnotherServer => "Use another server",
        ReasonCode::ServerMoved => "Server moved",
        ReasonCode::SharedSubscriptionsNotSupported => "Shared Subscriptions not supported",
        ReasonCode::ConnectionRateExceeded => "Connection rate exceeded",
        ReasonCode::MaximumConnectTime => "Maximum connect time",
        ReasonCode::SubscriptionIdentifiersNotSupported => "Subscription identifiers not supported",
        ReasonCode::WildcardSubscriptionsNotSupported => "Wildcard Subscriptions not supported",
    }
}
