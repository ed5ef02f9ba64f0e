//! CONNECT: who comes, what it finds again, and what it is told. Section 3.1.

use crate::{
    AliasesAllowed, ClientId, CloseReason, LinkId, Report, Visitor,
    auth::Authenticated,
    broker::Broker,
    explain::{publish_refused, refusal},
    publish::{is_brokers_own, is_false},
    session::{Connection, Session, SessionKey, takes},
    turn::Turn,
    will::PendingWill,
};
use alloc::{boxed::Box, format, rc::Rc, string::String};
use core::{
    mem,
    num::{NonZeroU16, NonZeroU32},
};
use luxwire_shared::mqtt::{
    Connack, ConnackProperties, Connect, Packet, QoS, ReasonCode, Text, Version, set_at,
};

impl Broker {
    pub(crate) fn connect(&mut self, turn: &mut Turn<'_>, link: LinkId, nonce: u128, connect: Connect) {
        self.sys.counters.connects += 1;
        let packet_size = connect.properties.maximum_packet_size;
        if let Some((reason, why)) = self.objection(&connect) {
            return self.refuse(turn, link, packet_size, reason, why);
        }
        let Some(method) = &connect.properties.authentication_method else {
            let visitor = self.visitor(link);
            return match &connect.user_name {
                _ if matches!(visitor, Visitor::User(_)) => self.receive(turn, link, nonce, connect),
                Some(user) if self.passwords => {
                    let user = user.detached();
                    self.ask_for_verdict(turn, link, nonce, user, connect);
                }
                Some(_) | None => self.receive(turn, link, nonce, connect),
            };
        };
        match self.mechanism(method) {
            Some(mechanism) => self.authenticate(turn, link, nonce, &*mechanism, connect),
            None => {
                // [MQTT-4.12.0-1]
                let why = "there is no such authentication method here";
                self.refuse(turn, link, packet_size, ReasonCode::BadAuthenticationMethod, why);
            }
        }
    }

    /// Lets a client in that has not signed in, if it need not.
    pub(crate) fn receive(&mut self, turn: &mut Turn<'_>, link: LinkId, nonce: u128, connect: Connect) {
        match self.visitor(link) {
            Visitor::User(user) => self.admit(turn, link, nonce, connect, Some(user), None),
            Visitor::Anybody => self.admit(turn, link, nonce, connect, None, None),
            Visitor::Stranger => {
                // [MQTT-3.1.4-2]
                let packet_size = connect.properties.maximum_packet_size;
                let why = "whoever comes from there must sign in";
                self.refuse(turn, link, packet_size, ReasonCode::NotAuthorized, why);
            }
        }
    }

    fn visitor(&self, link: LinkId) -> Visitor {
        self.arrivals.get(&link).map_or(Visitor::Stranger, |arrival| arrival.visitor.clone())
    }

    /// Lets a client in of whom nothing more is asked.
    pub(crate) fn admit(
        &mut self,
        turn: &mut Turn<'_>,
        link: LinkId,
        nonce: u128,
        mut connect: Connect,
        user: Option<Text>,
        mut authenticated: Option<Box<Authenticated>>,
    ) {
        let packet_size = connect.properties.maximum_packet_size;
        let assigned = connect.client_id.is_empty();
        let client_id = if assigned { self.unused_client_id(nonce) } else { connect.client_id.clone() };
        let known = self.sessions.find(&client_id);
        let owner = known.and_then(|key| self.sessions[key].user.as_deref());
        if owner.is_some() && owner != user.as_ref() {
            // Section 5.4.2.
            let why = "the session of this client identifier is another user's";
            return self.refuse(turn, link, packet_size, ReasonCode::NotAuthorized, why);
        }
        let permissions = self.permissions.as_ref();
        let rights = permissions.and_then(|permissions| permissions.of(user.as_ref(), Some(&*client_id)));
        if let (Some(will), Some(rights)) = (&connect.will, &rights)
            && !rights.may_write(&will.topic)
        {
            let why = "this client may not publish its will";
            return self.refuse(turn, link, packet_size, ReasonCode::NotAuthorized, why);
        }
        if known.is_none() && self.sessions.len() >= self.limits.sessions {
            let why = "there is no room for another session";
            return self.refuse(turn, link, packet_size, ReasonCode::QuotaExceeded, why);
        }
        let keep_alive_s = self.keep_alive_s(&connect);
        let expiry_s = self.session_expiry_s(&connect);
        let mut properties = self.announcements(&connect, keep_alive_s, expiry_s, &client_id);
        // [MQTT-4.12.0-5] [MQTT-4.12.0-6]
        properties.authentication_method =
            authenticated.as_ref().map(|authenticated| authenticated.method.clone());
        properties.authentication_data =
            authenticated.as_mut().map(|authenticated| mem::take(&mut authenticated.data));
        let mut connack =
            Box::new(Connack { session_present: false, reason: ReasonCode::Success, properties });
        let tells_set_at = set_at::asked(&connect.properties.user_properties);
        if tells_set_at.is_some() {
            connack.properties.user_properties.push(set_at::answer(turn.now.timestamp));
        }
        let fits = |connack: &Connack| {
            takes(packet_size, Packet::Connack(Box::new(connack.clone())).encoded_len(connect.version))
        };
        if !fits(&connack) {
            // [MQTT-3.2.2-20]
            connack.properties.user_properties.clear();
            connack.properties.response_information = None;
        }
        if !fits(&connack) {
            turn.close(link, CloseReason::Limit(ReasonCode::PacketTooLarge));
            return self.forget_link(link);
        }

        if let Some(key) = known {
            self.make_way(turn, key, connect.clean_start);
        }
        let present = self.sessions.find(&client_id);
        let window = self.window(&connect);
        let key = present.unwrap_or_else(|| {
            self.sessions.insert(Session::new(ClientId::from(client_id.as_str()), window))
        });
        // [MQTT-3.1.2-5] [MQTT-3.1.2-6]
        let session = &mut self.sessions[key];
        session.connection = Some(Connection {
            link,
            version: connect.version,
            since: turn.now.timestamp,
            packet_size,
            aliases: None,
            receive_maximum: self.limits.receive_maximum_of(
                connect.version,
                session.incoming.as_ref().map_or(0, |incoming| incoming.len()),
            ),
            awaits_drain: false,
            authenticated,
            wants_words: connect.properties.request_problem_information.unwrap_or(true),
            tells_set_at,
        });
        session.user = user.map(Box::new);
        session.set_rights(rights.map(Rc::new));
        session.ends_at = None;
        session.expiry_s = expiry_s;
        // A will that waited for its delay goes: its client is back. [MQTT-3.1.3-9] [MQTT-3.1.2-7]
        session.will = connect.will.take().map(|will| Box::new(PendingWill::new(*will, &session.client_id)));
        session.outgoing.set_window(window);
        session.outgoing.resume();
        self.sys.client_connected();
        self.enter(key);
        self.connected(link, key, keep_alive_s);

        // [MQTT-3.1.4-5] [MQTT-3.2.0-1] [MQTT-3.2.2-2] [MQTT-3.2.2-3], 3.1.1: [MQTT-3.2.0-1] [MQTT-3.2.2-1] [MQTT-3.2.2-2]
        // The only one: whoever is connected says CONNECT in vain. [MQTT-3.2.0-2]
        connack.session_present = present.is_some();
        turn.report(Report::Connected {
            link,
            client_id: ClientId::clone(&self.sessions[key].client_id),
            version: connect.version,
            session_present: connack.session_present,
            aliases: self.aliases_allowed(&connect),
        });
        turn.send(link, Packet::Connack(connack));
        self.pump(turn, key);
        let shares = self.sessions[key].shares.clone();
        self.member_came(turn, &shares);
    }

    /// Why this CONNECT cannot be accepted whoever it is.
    fn objection(&self, connect: &Connect) -> Option<(ReasonCode, &'static str)> {
        let may_be_assigned = connect.version.tells_assigned_client_id() || connect.clean_start;
        if (connect.client_id.is_empty() && !may_be_assigned)
            || connect.client_id.len() > self.limits.client_id_len
        {
            // [MQTT-3.1.3-8], 3.1.1: [MQTT-3.1.3-8] [MQTT-3.1.3-9]
            return Some((
                ReasonCode::ClientIdentifierNotValid,
                "the client identifier is missing or too long",
            ));
        }
        if self.limits.short_client_ids_3_1
            && connect.version.bounds_client_ids()
            && !(1..=CLIENT_ID_CHARS_3_1).contains(&connect.client_id.chars().count())
        {
            let why = "an identifier of MQTT 3.1 has 1 to 23 characters";
            return Some((ReasonCode::ClientIdentifierNotValid, why));
        }
        let will = connect.will.as_deref()?;
        if is_brokers_own(will.topic.borrowed()) {
            return Some((ReasonCode::TopicNameInvalid, publish_refused(ReasonCode::TopicNameInvalid)));
        }
        if will.qos > self.limits.qos {
            // [MQTT-3.2.2-12]
            return Some((ReasonCode::QoSNotSupported, "the quality of the will is above the maximum here"));
        }
        if will.retain && !self.limits.retain {
            // [MQTT-3.2.2-13]
            return Some((ReasonCode::RetainNotSupported, "nothing is retained here, not even a will"));
        }
        if is_false(will.properties.payload_format, &will.payload) {
            let reason = ReasonCode::PayloadFormatInvalid;
            return Some((reason, publish_refused(reason)));
        }
        None
    }

    /// CONNACK with a failure, and nothing after it. [MQTT-3.2.2-7] [MQTT-3.1.4-6]
    /// 3.1.1: [MQTT-3.2.2-5] [MQTT-3.1.4-5]
    pub(crate) fn refuse(
        &mut self,
        turn: &mut Turn<'_>,
        link: LinkId,
        packet_size: Option<NonZeroU32>,
        reason: ReasonCode,
        why: &str,
    ) {
        let connack = refusal(reason, why, packet_size);
        if takes(packet_size, connack.encoded_len(Version::V5)) {
            turn.send(link, connack);
        }
        turn.close(link, CloseReason::Refused(reason));
        self.forget_link(link);
    }

    /// The client connects anew: whoever holds its session must go, and with a clean start the session as well.
    fn make_way(&mut self, turn: &mut Turn<'_>, key: SessionKey, clean_start: bool) {
        if clean_start {
            // [MQTT-3.1.2-4] [MQTT-3.1.4-4]
            self.sessions[key].expiry_s = 0;
        }
        if self.sessions[key].connection.is_some() {
            // [MQTT-3.1.4-3] A session whose expiry is 0 ends with this, and the new connection begins another.
            // 3.1.1: [MQTT-3.1.4-2]
            let (reason, why) = (ReasonCode::SessionTakenOver, "the same client identifier connected again");
            self.disconnect_client(turn, key, reason, why, CloseReason::TakenOver);
        } else if clean_start {
            self.end_session(turn, key);
        } else {
            // What was due is done first, even if nobody said yet that its time has come.
            self.session_due(turn, key);
        }
    }

    /// What the client is told. What is absent is available, or as the client asked for it.
    fn announcements(
        &self,
        connect: &Connect,
        keep_alive_s: u16,
        expiry_s: u32,
        client_id: &Text,
    ) -> ConnackProperties {
        if !connect.version.has_properties() {
            return ConnackProperties::default();
        }
        let asked_s = connect.properties.session_expiry_interval_s.unwrap_or(0);
        ConnackProperties {
            session_expiry_interval_s: (expiry_s != asked_s).then_some(expiry_s),
            receive_maximum: Some(self.limits.receive_maximum),
            // [MQTT-3.2.2-9]
            maximum_qos: (self.limits.qos < QoS::ExactlyOnce).then_some(self.limits.qos),
            retain_available: (!self.limits.retain).then_some(false),
            maximum_packet_size: Some(self.limits.packet_size),
            // [MQTT-3.1.3-7]
            assigned_client_id: connect.client_id.is_empty().then(|| client_id.clone()),
            topic_alias_maximum: Some(self.limits.topic_alias_maximum).filter(|maximum| *maximum > 0),
            response_information: response_information(connect, client_id),
            // [MQTT-3.1.2-21]
            server_keep_alive_s: (keep_alive_s != connect.keep_alive_s).then_some(keep_alive_s),
            ..ConnackProperties::default()
        }
    }

    /// [MQTT-3.1.2-26] [MQTT-3.1.2-27]
    fn aliases_allowed(&self, connect: &Connect) -> AliasesAllowed {
        let theirs = connect.properties.topic_alias_maximum.unwrap_or(0);
        AliasesAllowed {
            maximum: theirs.min(self.limits.topic_alias_maximum),
            bytes: self.limits.topic_alias_bytes,
            packet_size: connect.properties.maximum_packet_size,
        }
    }

    fn keep_alive_s(&self, connect: &Connect) -> u16 {
        let max = self.limits.keep_alive_s;
        let above = connect.keep_alive_s == 0 || connect.keep_alive_s > max;
        // [MQTT-3.2.2-22]
        let is_chosen = connect.version.has_server_keep_alive() && max != 0 && above;
        if is_chosen { max } else { connect.keep_alive_s }
    }

    fn session_expiry_s(&self, connect: &Connect) -> u32 {
        let max = self.limits.session_expiry_s;
        match (connect.version.has_session_expiry(), connect.clean_start) {
            // [MQTT-3.1.2.11.2]
            (true, _) => connect.properties.session_expiry_interval_s.unwrap_or(0).min(max),
            (false, true) => 0,    // 3.1.1: [MQTT-3.1.2-6]
            (false, false) => max, // 3.1.1: [MQTT-3.1.2-4]
        }
    }

    /// How many messages may be unacknowledged: what the client takes, and no more than is good for it. [MQTT-4.9.0-1]
    fn window(&self, connect: &Connect) -> NonZeroU16 {
        let max = self.limits.in_flight_messages;
        connect.properties.receive_maximum.map_or(max, |theirs| theirs.min(max))
    }

    /// [MQTT-3.1.3-6] [MQTT-3.2.2-16] Random enough that nobody can guess it and take the session over, and of the
    /// length and letters that every broker must accept. [MQTT-3.1.3-5], 3.1.1: [MQTT-3.1.3-6]
    fn unused_client_id(&self, nonce: u128) -> Text {
        (0..)
            .map(|attempt| {
                let mut rest = nonce.wrapping_add(attempt);
                let mut id = String::new();
                while id.len() < ASSIGNED_ID_LEN {
                    id.push(char::from(DIGITS[(rest % DIGITS.len() as u128) as usize]));
                    rest /= DIGITS.len() as u128;
                }
                Text::try_from(id.as_str()).expect("letters and digits")
            })
            .find(|id| self.sessions.find(id).is_none())
            .expect("there are fewer sessions than numbers")
    }
}

/// Where answers to this client may go, if it asks: a part of the tree that is its own as long as its session is.
/// [MQTT-3.1.2-28]
fn response_information(connect: &Connect, client_id: &Text) -> Option<Text> {
    let is_wanted = connect.properties.request_response_information == Some(true);
    let is_topic = !client_id.as_str().contains(['+', '#']);
    (is_wanted && is_topic)
        .then(|| Text::try_from(format!("{RESPONSES}/{client_id}").as_str()).ok())
        .flatten()
}

/// Above all response topics that the broker proposes.
const RESPONSES: &str = "luxwire/responses";

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What MQTT 3.1 allows, section 3.1 there, "Client Identifier".
const CLIENT_ID_CHARS_3_1: usize = 23;

/// 62^22 is just above 2^128.
const ASSIGNED_ID_LEN: usize = 22;
