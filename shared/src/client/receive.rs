//! What the server sends.

use crate::{
    client::{Acknowledges, Cause, Client, Event, Link, Message, subscriptions::Kind},
    mqtt::{Acknowledge, Delivery, Disconnect, Packet, PacketId, Publish, ReasonCode},
    time::Instant,
};
use bytes::Bytes;

impl Client {
    /// Bytes came, cut anywhere.
    pub fn receive(&mut self, bytes: Bytes, now: Instant) {
        match &mut self.link {
            Link::Online { keep_alive, .. } => keep_alive.received(now),
            Link::Greeting { .. } => {}
            Link::Waiting { .. } | Link::Opening { .. } | Link::Refused { .. } | Link::Stopped => return,
        }
        self.framer.push(bytes);
        while let Link::Greeting { .. } | Link::Online { .. } = self.link {
            let frame = match self.framer.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(error) => return self.broken(Cause::Malformed(error), now),
            };
            match Packet::decode(frame, self.version()) {
                Ok(packet) => self.packet(packet, now),
                Err(error) => return self.broken(Cause::Malformed(error), now),
            }
        }
        self.flush(now);
    }

    /// Tells the server that the application has taken a message of QoS 1, where [`Acknowledges::Application`] is set.
    ///
    /// Messages are acknowledged in the order in which they came [MQTT-4.6.0-2], and only on the connection that brought
    /// them: after [`Event::Lost`] they are not ours any more, and the server delivers them again.
    pub fn acknowledge(&mut self, id: PacketId, now: Instant) {
        if self.is_online() {
            self.answer(Packet::Puback(Acknowledge::success(id)), now);
        }
    }

    fn packet(&mut self, packet: Packet, now: Instant) {
        match (packet, self.link) {
            (Packet::Connack(connack), Link::Greeting { .. }) => self.greeted(*connack, now),
            // [MQTT-3.2.0-1]
            (_, Link::Greeting { .. }) => self.broken(Cause::Protocol(ReasonCode::ProtocolError), now),
            (Packet::Publish(publish), _) => self.published(publish, now),
            (Packet::Puback(ack), _) => self.outbox.puback(&ack, &mut self.events),
            (Packet::Pubrec(ack), _) => {
                if let Some(release) = self.outbox.pubrec(&ack, &mut self.events) {
                    self.answer(Packet::Pubrel(release), now);
                }
            }
            (Packet::Pubcomp(ack), _) => self.outbox.pubcomp(&ack, &mut self.events),
            (Packet::Pubrel(release), _) => self.released(&release, now),
            (Packet::Suback(suback), _) => self.answered(Kind::Follow, suback.id, &suback.reasons, now),
            (Packet::Unsuback(unsuback), _) => {
                self.answered(Kind::Leave, unsuback.id, &unsuback.reasons, now)
            }
            (Packet::Pingresp, _) => {}
            (Packet::Disconnect(disconnect), _) if self.version().has_properties() => {
                self.dismissed(disconnect, now);
            }
            // What only clients send, a second CONNACK [MQTT-3.2.0-2], and AUTH, since we named no method.
            (
                Packet::Connect(_)
                | Packet::Connack(_)
                | Packet::Subscribe(_)
                | Packet::Unsubscribe(_)
                | Packet::Pingreq
                | Packet::Disconnect(_)
                | Packet::Auth(_),
                _,
            ) => self.broken(Cause::Protocol(ReasonCode::ProtocolError), now),
        }
    }

    fn published(&mut self, publish: Publish, now: Instant) {
        let Some(topic) = self.aliases.resolve(publish.topic) else {
            return self.broken(Cause::Protocol(ReasonCode::TopicAliasInvalid), now);
        };
        let message = Message {
            topic,
            payload: publish.payload,
            qos: publish.delivery.qos(),
            retain: publish.retain,
            id: publish.delivery.packet_id(),
            dup: publish.delivery.dup(),
            properties: publish.properties,
        };
        match publish.delivery {
            Delivery::AtMostOnce => self.events.push_back(Event::Message(message)),
            Delivery::AtLeastOnce { id, .. } => {
                self.events.push_back(Event::Message(message));
                if self.options.acknowledges == Acknowledges::Client {
                    self.answer(Packet::Puback(Acknowledge::success(id)), now); // [MQTT-4.3.2-4]
                }
            }
            Delivery::ExactlyOnce { id, .. } => {
                if self.incoming.publish(id) {
                    self.events.push_back(Event::Message(message)); // [MQTT-4.3.3-10]
                }
                if self.incoming.len() > usize::from(self.options.receive_maximum.get())
                    && self.announces_maximum()
                {
                    return self.broken(Cause::Protocol(ReasonCode::ReceiveMaximumExceeded), now);
                }
                self.answer(Packet::Pubrec(Acknowledge::success(id)), now); // [MQTT-4.3.3-8]
            }
        }
    }

    fn released(&mut self, release: &Acknowledge, now: Instant) {
        let reason = match self.incoming.pubrel(release.id) {
            true => ReasonCode::Success,
            false => ReasonCode::PacketIdentifierNotFound,
        };
        self.answer(Packet::Pubcomp(Acknowledge::because(release.id, reason)), now); // [MQTT-4.3.3-11]
    }

    fn answered(&mut self, kind: Kind, id: PacketId, reasons: &[ReasonCode], now: Instant) {
        let fits = self.subscriptions.answered(id, kind, reasons, &mut self.outbox, &mut self.events);
        if !fits {
            self.broken(Cause::Protocol(ReasonCode::ProtocolError), now);
        }
    }

    fn dismissed(&mut self, disconnect: Disconnect, now: Instant) {
        self.wire.close();
        let explanation = disconnect.properties.and_then(|properties| properties.reason_string);
        self.ended_by_server(disconnect.reason, explanation, now);
    }

    /// Before 5.0 the server cannot be told, and may begin as many as there are identifiers.
    fn announces_maximum(&self) -> bool {
        self.version().has_properties()
    }

    fn answer(&mut self, packet: Packet, now: Instant) {
        self.wire.write(&packet, now).expect("a server that takes no acknowledgements is not accepted");
    }
}
