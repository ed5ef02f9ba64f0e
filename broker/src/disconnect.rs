//! DISCONNECT from a client. Section 3.14.

use crate::{CloseReason, broker::Broker, session::SessionKey, turn::Turn};
use luxwire_shared::mqtt::{Disconnect, ReasonCode};

impl Broker {
    pub(crate) fn disconnect(&mut self, turn: &mut Turn<'_>, key: SessionKey, disconnect: &Disconnect) {
        let expiry_s =
            disconnect.properties.as_ref().and_then(|properties| properties.session_expiry_interval_s);
        let session = &mut self.sessions[key];
        if let Some(expiry_s) = expiry_s {
            if session.expiry_s == 0 && expiry_s != 0 {
                // A session that was to end with its connection cannot be prolonged. [MQTT-3.14.2.2.2]
                let reason = ReasonCode::ProtocolError;
                let why = "a session that ends with its connection cannot be prolonged";
                return self.disconnect_client(turn, key, reason, why, CloseReason::ProtocolError);
            }
            session.expiry_s = expiry_s.min(self.limits.session_expiry_s);
        }
        // [MQTT-3.14.4-3], 3.1.1: [MQTT-3.14.4-3]
        if disconnect.reason == ReasonCode::Success {
            session.will = None;
        }
        self.close_session_link(turn, key, CloseReason::Disconnected(disconnect.reason));
    }
}
