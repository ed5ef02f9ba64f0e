//! PUBACK, PUBREC, PUBREL and PUBCOMP from a client. Sections 3.4 to 3.7.

use crate::{
    broker::Broker,
    queue::Pending,
    session::{Session, SessionKey},
    turn::Turn,
};
use luxwire_shared::mqtt::{Acknowledge, AcknowledgeKind, Packet, ReasonCode, flow::Received};

impl Broker {
    /// An identifier that nothing at QoS 1 uses is ignored: there is no packet to answer it with.
    pub(crate) fn puback(&mut self, turn: &mut Turn<'_>, key: SessionKey, puback: &Acknowledge) {
        let session = &mut self.sessions[key];
        // Whatever the reason, the message is done. [MQTT-4.4.0-2]
        let Some(pending) = session.outgoing.puback(puback.id) else { return };
        session.taken(&pending);
        let has_more_to_send = session.has_more_to_send();
        self.spare_messages.give(pending.message);
        if has_more_to_send {
            self.pump(turn, key);
        }
    }

    pub(crate) fn pubrec(&mut self, turn: &mut Turn<'_>, key: SessionKey, pubrec: &Acknowledge) {
        let session = &mut self.sessions[key];
        let Some(link) = session.link() else { return };
        match session.outgoing.pubrec(pubrec.id, pubrec.reason.is_failure()) {
            // [MQTT-4.3.3-4] [MQTT-4.6.0-4]
            Received::Release(pending) => {
                turn.acknowledge(link, AcknowledgeKind::Pubrel, pubrec.id);
                let Some(pending) = pending else { return };
                session.taken(&pending);
                let has_more_to_send = session.has_more_to_send();
                self.spare_messages.give(pending.message);
                if has_more_to_send {
                    self.pump(turn, key);
                }
            }
            // [MQTT-4.4.0-2]
            Received::Refused(pending) => {
                session.taken(&pending);
                self.pump(turn, key);
            }
            Received::Unknown if pubrec.reason.is_failure() => {}
            Received::Unknown => {
                let reason = ReasonCode::PacketIdentifierNotFound;
                turn.send(link, Packet::Pubrel(Acknowledge::because(pubrec.id, reason)));
            }
        }
    }

    pub(crate) fn pubrel(&mut self, turn: &mut Turn<'_>, key: SessionKey, pubrel: &Acknowledge) {
        let session = &mut self.sessions[key];
        let Some(link) = session.link() else { return };
        // [MQTT-4.3.3-11] [MQTT-4.3.3-12]
        if session.incoming.as_mut().is_some_and(|incoming| incoming.pubrel(pubrel.id)) {
            turn.acknowledge(link, AcknowledgeKind::Pubcomp, pubrel.id);
        } else {
            let reason = ReasonCode::PacketIdentifierNotFound;
            turn.send(link, Packet::Pubcomp(Acknowledge::because(pubrel.id, reason)));
        }
    }

    pub(crate) fn pubcomp(&mut self, turn: &mut Turn<'_>, key: SessionKey, pubcomp: &Acknowledge) {
        let session = &mut self.sessions[key];
        if session.outgoing.pubcomp(pubcomp.id) && session.has_more_to_send() {
            self.pump(turn, key);
        }
    }
}

impl Session {
    /// The client has the message, so that the bytes it took are free.
    fn taken(&mut self, pending: &Pending) {
        self.in_flight_bytes -= pending.message.size();
    }

    /// Whether there may be something that [`Broker::pump`] can send.
    #[inline]
    fn has_more_to_send(&self) -> bool {
        !self.queue.is_empty() || !self.replays.is_empty() || self.outgoing.is_resending()
    }
}
