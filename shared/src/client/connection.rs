//! How a connection begins and ends, and what comes after it.

use crate::{
    client::{
        Cause, Client, Event, Link, Session,
        keep_alive::{Due, KeepAlive},
    },
    mqtt::{
        Connack, Connect, ConnectProperties, Disconnect, DisconnectProperties, Framer, Packet, ReasonCode,
        Text, Version,
    },
    time::Instant,
};
use alloc::boxed::Box;
use core::num::NonZeroU32;

/// A server that takes less cannot be talked to: the largest of our own packets without content fit in it.
const USEFUL_PACKET_SIZE: u32 = 16;

impl Client {
    /// The transport is open: CONNECT goes out.
    pub fn transport_opened(&mut self, now: Instant) {
        let Link::Opening { deadline } = self.link else { return };
        self.framer = Framer::new(self.options.packet_size_max);
        let connect = Packet::Connect(Box::new(self.connect())); // [MQTT-3.1.0-1]
        if self.wire.write(&connect, now).is_ok() {
            self.link = Link::Greeting { deadline };
        } else {
            // The options cannot be said in this version, and will not mend themselves.
            self.wire.close();
            self.refuse(ReasonCode::ImplementationSpecific, None, None);
        }
    }

    /// The transport was closed by the other side, or could not be opened.
    pub fn transport_closed(&mut self, now: Instant) {
        match self.link {
            Link::Opening { .. } | Link::Greeting { .. } | Link::Online { .. } => {
                self.wire.discard();
                self.lost(Cause::Closed, now);
            }
            Link::Waiting { .. } | Link::Refused { .. } | Link::Stopped => {}
        }
    }

    /// Time passes.
    pub fn tick(&mut self, now: Instant) {
        match self.link {
            Link::Waiting { until } | Link::Refused { retry_at: Some(until), .. } if now >= until => {
                self.open(now)
            }
            Link::Opening { deadline } | Link::Greeting { deadline } if now >= deadline => {
                self.wire.close();
                self.lost(Cause::ConnectTimeout, now);
            }
            Link::Online { keep_alive, .. } => match keep_alive.due(self.wire.last_write, now) {
                Due::Nothing => {}
                Due::Ping => self.ping(now), // [MQTT-3.1.2-20]
                Due::Dead => {
                    self.wire.close();
                    self.lost(Cause::KeepAlive, now);
                }
            },
            Link::Waiting { .. }
            | Link::Refused { .. }
            | Link::Opening { .. }
            | Link::Greeting { .. }
            | Link::Stopped => {}
        }
    }

    /// Things have changed for the better (the network is back, the tab is visible, a person asks): tries now instead of
    /// later, also after [`Client::disconnect`]; a connection that stands is asked whether it really does.
    pub fn reconnect_now(&mut self, now: Instant) {
        match self.link {
            Link::Waiting { .. } | Link::Refused { .. } | Link::Stopped => self.open(now),
            Link::Online { keep_alive, .. } if !keep_alive.is_waiting() => self.ping(now),
            Link::Online { .. } | Link::Opening { .. } | Link::Greeting { .. } => {}
        }
    }

    /// Ends the connection as it is meant to end, without a will, and makes no other.
    pub fn disconnect(&mut self, now: Instant) {
        match self.link {
            Link::Online { .. } => self.leave_taking(now),
            Link::Opening { .. } | Link::Greeting { .. } => self.wire.close(),
            Link::Waiting { .. } | Link::Refused { .. } | Link::Stopped => {}
        }
        self.leave(Link::Stopped);
    }

    /// The server's answer to CONNECT.
    pub(super) fn greeted(&mut self, connack: Connack, now: Instant) {
        let Connack { session_present, reason, properties } = connack;
        if reason != ReasonCode::Success {
            self.wire.close();
            self.ended_by_server(reason, properties.reason_string, now);
            return;
        }
        // [MQTT-3.2.2-4]: to go on with a session needs two.
        let unexpected_session = session_present && self.wants_clean_start();
        let unusable = properties.maximum_packet_size.is_some_and(|size| size.get() < USEFUL_PACKET_SIZE);
        if unexpected_session || unusable {
            let reason = if unusable { ReasonCode::PacketTooLarge } else { ReasonCode::ProtocolError };
            self.goodbye(reason, now);
            self.lost(Cause::Protocol(reason), now);
            return;
        }
        if let Some(assigned) = &properties.assigned_client_id {
            self.client_id = assigned.detached();
        }
        let expiry_s = properties.session_expiry_interval_s.unwrap_or(self.options.session_expiry_s);
        let outlives = expiry_s > 0 && (self.version().has_session_expiry() || !self.wants_clean_start());
        self.session = if outlives { Session::Kept } else { Session::Ended };
        // [MQTT-3.2.2-21] [MQTT-3.2.2-22]
        let keep_alive_s = properties.server_keep_alive_s.unwrap_or(self.options.keep_alive_s);
        self.link = Link::Online { since: now, keep_alive: KeepAlive::new(keep_alive_s, now) };
        self.wire.packet_size_max =
            properties.maximum_packet_size.map_or(usize::MAX, |size| size.get() as usize);
        self.aliases.connected(&properties, self.options.topic_aliases_max);
        self.outbox.connected(&properties, &self.options);
        self.subscriptions.connected(&properties);
        self.events.push_back(Event::Connected { session_present, properties: Box::new(properties) });
        if session_present {
            self.outbox.resume();
        } else {
            self.outbox.lose_session(&mut self.events);
            self.incoming.clear();
            self.subscriptions.lose_session();
        }
        self.flush(now);
    }

    /// The server ends the connection, with DISCONNECT or a CONNACK that refuses.
    pub(super) fn ended_by_server(&mut self, reason: ReasonCode, explanation: Option<Text>, now: Instant) {
        if is_permanent(reason) {
            let pause = match reason {
                // Two clients of one name would push each other out for ever.
                ReasonCode::SessionTakenOver => None,
                _ => self.backoff.after_refusal(),
            };
            let explanation = explanation.map(|text| text.detached());
            self.refuse(reason, explanation, pause.map(|pause| now + pause));
        } else {
            self.lost(Cause::Server(reason), now);
        }
    }

    /// The server broke the rules: says so where the version can, and leaves.
    pub(super) fn broken(&mut self, cause: Cause, now: Instant) {
        match cause {
            Cause::Malformed(error) => self.goodbye(error.reason(), now),
            Cause::Protocol(reason) => self.goodbye(reason, now),
            Cause::Closed | Cause::ConnectTimeout | Cause::KeepAlive | Cause::Server(_) => self.wire.close(),
        }
        self.lost(cause, now);
    }

    pub(super) fn open(&mut self, now: Instant) {
        self.wire.open();
        self.link = Link::Opening { deadline: now + self.options.connect_timeout };
    }

    pub(super) const fn version(&self) -> Version {
        self.options.version
    }

    fn connect(&self) -> Connect {
        let options = &self.options;
        let mut properties = ConnectProperties {
            session_expiry_interval_s: (options.session_expiry_s > 0).then_some(options.session_expiry_s),
            receive_maximum: Some(options.receive_maximum),
            maximum_packet_size: NonZeroU32::new(options.packet_size_max),
            topic_alias_maximum: Some(options.topic_aliases_max).filter(|max| *max > 0),
            ..options.extras.connect.clone()
        };
        if !options.version.has_properties() {
            properties = ConnectProperties::default();
        }
        Connect {
            version: options.version,
            clean_start: self.wants_clean_start(),
            keep_alive_s: options.keep_alive_s,
            client_id: self.client_id.clone(),
            will: options.will.clone().map(Box::new),
            user_name: options.user_name.clone(),
            password: options.password.clone(),
            properties,
        }
    }

    /// Before 5.0 a clean session also ends with its connection, and a client without an identifier can have no other.
    fn wants_clean_start(&self) -> bool {
        let options = &self.options;
        let clean = match self.session {
            Session::NotBegun => options.clean_start,
            Session::Kept => false,
            Session::Ended => !options.wants_session(),
        };
        let is_5 = options.version.has_properties();
        clean || (!is_5 && (!options.wants_session() || self.client_id.is_empty()))
    }

    fn ping(&mut self, now: Instant) {
        if let Link::Online { keep_alive, .. } = &mut self.link {
            keep_alive.pinged(now);
            self.wire.write(&Packet::Pingreq, now).expect("two bytes fit everywhere");
        }
    }

    /// The DISCONNECT of the application, with what it wants to say there if the server can hear it.
    fn leave_taking(&mut self, now: Instant) {
        let properties = self.options.extras.disconnect.clone();
        if properties == DisconnectProperties::default() || !self.version().has_properties() {
            return self.goodbye(ReasonCode::Success, now);
        }
        let disconnect = Disconnect { reason: ReasonCode::Success, properties: Some(Box::new(properties)) };
        if self.wire.write(&Packet::Disconnect(disconnect), now).is_ok() {
            self.wire.close();
        } else {
            self.goodbye(ReasonCode::Success, now);
        }
    }

    /// Writes DISCONNECT where the version and the state allow it, and closes.
    fn goodbye(&mut self, reason: ReasonCode, now: Instant) {
        if self.version().has_properties() || reason == ReasonCode::Success {
            // A reason that DISCONNECT cannot say is left unsaid.
            let _ = self.wire.write(&Packet::Disconnect(Disconnect::because(reason)), now);
        }
        self.wire.close(); // [MQTT-3.14.4-1] [MQTT-3.14.4-2]
    }

    fn lost(&mut self, cause: Cause, now: Instant) {
        if let Link::Online { since, .. } = self.link {
            self.backoff.lasted(now.since(since));
        }
        let retry_at = now + self.backoff.next();
        self.events.push_back(Event::Lost { cause, retry_at });
        self.leave(Link::Waiting { until: retry_at });
    }

    fn refuse(&mut self, reason: ReasonCode, explanation: Option<Text>, retry_at: Option<Instant>) {
        self.events.push_back(Event::Refused { reason, explanation, retry_at });
        self.leave(Link::Refused { reason, retry_at });
    }

    /// What belongs to the connection is over, and what belongs to the session if that ends with it.
    fn leave(&mut self, link: Link) {
        self.link = link;
        self.subscriptions.disconnected(&mut self.outbox);
        if self.session == Session::Ended {
            self.outbox.lose_session(&mut self.events);
            self.incoming.clear();
        }
    }
}

/// Whether trying again at once would get the same answer, or, after a take-over, be the next one.
const fn is_permanent(reason: ReasonCode) -> bool {
    match reason {
        ReasonCode::MalformedPacket
        | ReasonCode::ProtocolError
        | ReasonCode::UnsupportedProtocolVersion
        | ReasonCode::ClientIdentifierNotValid
        | ReasonCode::BadUserNameOrPassword
        | ReasonCode::NotAuthorized
        | ReasonCode::Banned
        | ReasonCode::BadAuthenticationMethod
        | ReasonCode::SessionTakenOver
        | ReasonCode::TopicFilterInvalid
        | ReasonCode::TopicNameInvalid
        | ReasonCode::PacketTooLarge
        | ReasonCode::PayloadFormatInvalid
        | ReasonCode::RetainNotSupported
        | ReasonCode::QoSNotSupported
        | ReasonCode::ServerMoved
        | ReasonCode::SharedSubscriptionsNotSupported
        | ReasonCode::SubscriptionIdentifiersNotSupported
        | ReasonCode::WildcardSubscriptionsNotSupported => true,
        ReasonCode::Success
        | ReasonCode::GrantedQoS1
        | ReasonCode::GrantedQoS2
        | ReasonCode::DisconnectWithWill
        | ReasonCode::NoMatchingSubscribers
        | ReasonCode::NoSubscriptionExisted
        | ReasonCode::ContinueAuthentication
        | ReasonCode::ReAuthenticate
        | ReasonCode::Unspecified
        | ReasonCode::ImplementationSpecific
        | ReasonCode::ServerUnavailable
        | ReasonCode::ServerBusy
        | ReasonCode::ServerShuttingDown
        | ReasonCode::KeepAliveTimeout
        | ReasonCode::PacketIdentifierInUse
        | ReasonCode::PacketIdentifierNotFound
        | ReasonCode::ReceiveMaximumExceeded
        | ReasonCode::TopicAliasInvalid
        | ReasonCode::MessageRateTooHigh
        | ReasonCode::QuotaExceeded
        | ReasonCode::AdministrativeAction
        | ReasonCode::UseAnotherServer
        | ReasonCode::ConnectionRateExceeded
        | ReasonCode::MaximumConnectTime => false,
    }
}
