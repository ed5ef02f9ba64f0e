//! PUBACK, PUBREC, PUBREL and PUBCOMP from a client. Sections 3.4 to 3.7.

use crate::{broker::Broker, queue::Pending, session::SessionKey, turn::Turn};
use luxwire_shared::mqtt::{Acknowledge, Packet, ReasonCode, flow::Received};

impl Broker {
    /// An identifier that nothing at QoS 1 uses is ignored: there is no packet to answer it with.
    pub(crate) fn puback(&mut self, turn: &mut Turn<'_>, key: SessionKey, puback: &Acknowledge) {
        // Whatever the reason, the message is done. [MQTT-4.4.0-2]
        if let Some(pending) = self.sessions[key].outgoing.puback(puback.id) {
            self.taken(key, &pending);
            self.pump(turn, key);
        }
    }

    pub(crate) fn pubrec(&mut self, turn: &mut Turn<'_>, key: SessionKey, pubrec: &Acknowledge) {
        let session = &mut self.sessions[key];
        let Some(link) = session.link() else { return };
        match session.outgoing.pubrec(pubrec.id, pubrec.reason.is_failure()) {
            // [MQTT-4.3.3-4] [MQTT-4.6.0-4]
            Received::Release(pending) => {
                turn.send(link, Packet::Pubrel(Acknowledge::success(pubrec.id)));
                if let Some(pending) = pending {
                    self.taken(key, &pending);
                    self.pump(turn, key);
                }
            }
            // [MQTT-4.4.0-2]
            Received::Refused(pending) => {
                self.taken(key, &pending);
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
        let reason = if session.incoming.pubrel(pubrel.id) {
            ReasonCode::Success
        } else {
            ReasonCode::PacketIdentifierNotFound
        };
        turn.send(link, Packet::Pubcomp(Acknowledge::because(pubrel.id, reason)));
    }

    pub(crate) fn pubcomp(&mut self, turn: &mut Turn<'_>, key: SessionKey, pubcomp: &Acknowledge) {
        if self.sessions[key].outgoing.pubcomp(pubcomp.id) {
            self.pump(turn, key);
        }
    }

    /// The client has the message, so that the bytes it took are free.
    fn taken(&mut self, key: SessionKey, pending: &Pending) {
        self.sessions[key].in_flight_bytes -= pending.message.size();
    }
}
