//! Messages at QoS 1 and 2 on their way to the server: those that wait, and those that are in flight.
//!
//! A message that was sent belongs to the session. It is sent again only when a connection resumes that session, in the
//! original order and with the original identifier; when the session is gone, so is the knowledge whether it arrived.

use crate::{
    client::{Event, Message, Options, PublishError, Token, wire::Wire},
    mqtt::{
        Acknowledge, ConnackProperties, Delivery, Packet, PacketId, QoS, ReasonCode,
        flow::{Outgoing, Received, Stage},
    },
    time::Instant,
};
use alloc::collections::{BTreeMap, VecDeque};
use core::num::NonZeroU16;

#[derive(Debug)]
pub(super) struct Outbox {
    waiting: VecDeque<Letter>,
    waiting_bytes: usize,
    flight: Outgoing<Letter>,
    /// QoS 2: the message itself is done with, and PUBCOMP is awaited.
    completing: BTreeMap<PacketId, Token>,
    window: NonZeroU16,
    /// So many of the newest in flight were not sent again since the session was resumed.
    unrepeated: usize,
    server: Abilities,
}

#[derive(Clone, Debug)]
struct Letter {
    token: Token,
    message: Message,
}

/// What the server takes.
#[derive(Clone, Copy, Debug)]
struct Abilities {
    qos_max: QoS,
    retain: bool,
}

impl Outbox {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            flight: Outgoing::new(options.in_flight_max),
            completing: BTreeMap::new(),
            window: options.in_flight_max,
            unrepeated: 0,
            server: Abilities { qos_max: QoS::ExactlyOnce, retain: true },
        }
    }

    /// A server accepted the connection, and says what it takes.
    pub(super) fn connected(&mut self, properties: &ConnackProperties, options: &Options) {
        let announced = properties.receive_maximum.unwrap_or(NonZeroU16::MAX);
        self.window = announced.min(options.in_flight_max); // [MQTT-4.9.0-1]
        self.flight.set_window(self.window);
        self.server = Abilities {
            qos_max: properties.maximum_qos.unwrap_or(QoS::ExactlyOnce),
            retain: properties.retain_available.unwrap_or(true),
        };
    }

    /// The server goes on with the session: everything in flight is due again.
    pub(super) fn resume(&mut self) {
        self.unrepeated = self.flight.len();
    }

    /// The session is gone, and with it what was in flight.
    pub(super) fn lose_session(&mut self, events: &mut VecDeque<Event>) {
        for (id, stage) in self.flight.unacknowledged() {
            let token = match stage {
                Stage::AwaitsPuback(letter) | Stage::AwaitsPubrec(letter) => Some(letter.token),
                Stage::AwaitsPubcomp => self.completing.get(&id).copied(),
            };
            events.extend(token.map(Event::Unsent));
        }
        self.flight.clear();
        self.completing.clear();
        self.unrepeated = 0;
    }

    /// Whether the server that is connected takes this message.
    pub(super) fn check(&self, message: &Message, wire: &Wire) -> Result<(), PublishError> {
        if message.qos > self.server.qos_max {
            return Err(PublishError::QoSNotSupported); // [MQTT-3.2.2-11]
        }
        if message.retain && !self.server.retain {
            return Err(PublishError::RetainNotSupported); // [MQTT-3.2.2-14]
        }
        let parts = message.parts(Delivery::first(message.qos, PacketId::MIN));
        if !wire.fits(parts.encoded_len(wire.version())) {
            return Err(PublishError::TooLarge); // [MQTT-3.2.2-15]
        }
        Ok(())
    }

    /// Takes a message that waits for its turn.
    pub(super) fn put(
        &mut self,
        token: Token,
        message: Message,
        options: &Options,
    ) -> Result<(), PublishError> {
        let bytes = self.waiting_bytes.saturating_add(message.len());
        if self.waiting.len() >= options.queue_messages_max || bytes > options.queue_bytes_max {
            return Err(PublishError::Full);
        }
        self.waiting_bytes = bytes;
        self.waiting.push_back(Letter { token, message });
        Ok(())
    }

    /// Sends what there is room for: first what is in flight since an earlier connection, then what waits.
    /// [MQTT-4.4.0-1] [MQTT-4.6.0-1] [MQTT-4.9.0-2]
    pub(super) fn flush(&mut self, wire: &mut Wire, events: &mut VecDeque<Event>, now: Instant) {
        while self.unrepeated > 0 && self.flight.len() - self.unrepeated < usize::from(self.window.get()) {
            self.repeat_next(wire, events, now);
        }
        while self.unrepeated == 0 && self.flight.has_room() {
            let Some(letter) = self.waiting.front().cloned() else { return };
            match self.check(&letter.message, wire) {
                Ok(()) => {
                    // Requests for subscriptions use identifiers as well: there may be none left for now.
                    let Some(id) = self.flight.send(letter.message.qos, letter.clone()) else { return };
                    let delivery = Delivery::first(letter.message.qos, id); // [MQTT-4.3.2-2] [MQTT-4.3.3-2]
                    wire.publish(letter.message.parts(delivery), now).expect("it was checked that it fits");
                }
                Err(error) => {
                    events.push_back(Event::Acknowledged { token: letter.token, reason: error.reason() });
                }
            }
            self.waiting.pop_front();
            self.waiting_bytes -= letter.message.len();
        }
    }

    /// PUBACK.
    pub(super) fn puback(&mut self, ack: &Acknowledge, events: &mut VecDeque<Event>) {
        if let Some(letter) = self.flight.puback(ack.id) {
            events.push_back(Event::Acknowledged { token: letter.token, reason: ack.reason });
        }
        self.shrink();
    }

    /// PUBREC. Gives the PUBREL that is due.
    pub(super) fn pubrec(&mut self, ack: &Acknowledge, events: &mut VecDeque<Event>) -> Option<Acknowledge> {
        match self.flight.pubrec(ack.id, ack.reason.is_failure()) {
            Received::Release(letter) => {
                if let Some(letter) = letter {
                    self.completing.insert(ack.id, letter.token);
                }
                Some(Acknowledge::success(ack.id)) // [MQTT-4.3.3-4]
            }
            Received::Refused(letter) => {
                self.shrink();
                events.push_back(Event::Acknowledged { token: letter.token, reason: ack.reason });
                None
            }
            Received::Unknown if ack.reason.is_failure() => None,
            Received::Unknown => Some(Acknowledge::because(ack.id, ReasonCode::PacketIdentifierNotFound)),
        }
    }

    /// PUBCOMP. The server accepted the message with PUBREC; that it does not know the identifier any more means only
    /// that an earlier PUBCOMP was lost.
    pub(super) fn pubcomp(&mut self, ack: &Acknowledge, events: &mut VecDeque<Event>) {
        if self.flight.pubcomp(ack.id)
            && let Some(token) = self.completing.remove(&ack.id)
        {
            events.push_back(Event::Acknowledged { token, reason: ReasonCode::Success });
        }
        self.shrink();
    }

    /// An identifier for a SUBSCRIBE or UNSUBSCRIBE.
    pub(super) fn take_id(&mut self) -> Option<PacketId> {
        self.flight.take_id()
    }

    /// Frees it.
    pub(super) fn give_back(&mut self, id: PacketId) {
        self.flight.give_back(id);
    }

    fn repeat_next(&mut self, wire: &mut Wire, events: &mut VecDeque<Event>, now: Instant) {
        let at = self.flight.len() - self.unrepeated;
        self.unrepeated -= 1;
        let Some((id, stage)) = self.flight.unacknowledged().nth(at) else { return };
        let (letter, delivery) = match stage {
            Stage::AwaitsPubcomp => {
                let release = Packet::Pubrel(Acknowledge::success(id));
                wire.write(&release, now).expect("a server that takes no acknowledgements is not accepted");
                return;
            }
            Stage::AwaitsPuback(letter) => (letter, Delivery::AtLeastOnce { id, dup: true }), // [MQTT-3.3.1-1]
            Stage::AwaitsPubrec(letter) => (letter, Delivery::ExactlyOnce { id, dup: true }),
        };
        let token = letter.token;
        if wire.publish(letter.message.parts(delivery), now).is_err() {
            // This server takes less than the one before: it is as if it had refused the message.
            let (flight, qos) = (&mut self.flight, delivery.qos());
            match qos {
                QoS::AtMostOnce | QoS::AtLeastOnce => drop(flight.puback(id)),
                QoS::ExactlyOnce => drop(flight.pubrec(id, true)),
            }
            events.push_back(Event::Acknowledged { token, reason: ReasonCode::PacketTooLarge });
        }
    }

    /// A server that acknowledges what was not sent again yet has shortened what is left to repeat.
    fn shrink(&mut self) {
        self.unrepeated = self.unrepeated.min(self.flight.len());
    }
}
