//! `-d`: a line for each packet, as Mosquitto's programs show them.

use super::{flags::Program, output::Output, words};
use crate::connection::{Direction, Watcher};
use luxwire_shared::mqtt::{Packet, Publish, PublishTopic, QoS, Text, Version};
use std::{cell::RefCell, io::Write as _, rc::Rc};

struct Debug {
    /// Empty until the broker gives one.
    client_id: Text,
    program: Program,
    version: Version,
    /// Counts what has a number, or would have one at a higher quality.
    numbered: u16,
    /// What comes after our goodbye is not read any more.
    has_left: bool,
}

/// Writes the lines to this output.
pub(super) fn watcher(
    client_id: Text,
    program: Program,
    version: Version,
    output: Rc<RefCell<Output>>,
) -> Watcher {
    let mut debug = Debug { client_id, program, version, numbered: 0, has_left: false };
    Rc::new(RefCell::new(move |direction, packet: &Packet| {
        let mut output = output.borrow_mut();
        debug.line(direction, packet, output.gathered());
        output.check();
        // It is meant to be read as it happens.
        if debug.program == Program::Publish {
            output.flush();
        }
    }))
}

impl Debug {
    fn line(&mut self, direction: Direction, packet: &Packet, out: &mut Vec<u8>) {
        if let Packet::Connack(connack) = packet
            && let Some(assigned) = &connack.properties.assigned_client_id
        {
            self.client_id = assigned.detached();
        }
        // A vector takes everything.
        let _ = match direction {
            Direction::Sent => {
                self.has_left = matches!(packet, Packet::Disconnect(_));
                self.sent(packet, out)
            }
            Direction::Received if self.has_left => Ok(()),
            Direction::Received => self.received(packet, out),
        };
    }

    fn sent(&mut self, packet: &Packet, out: &mut Vec<u8>) -> std::io::Result<()> {
        let client = self.name();
        match packet {
            Packet::Connect(_) => writeln!(out, "{client} sending CONNECT"),
            Packet::Publish(publish) => {
                self.numbered += 1;
                if let Some(id) = publish.delivery.packet_id() {
                    self.numbered = id.number();
                }
                writeln!(out, "{client} sending PUBLISH {}", publish_line(publish, self.numbered))
            }
            Packet::Puback(ack) => {
                writeln!(out, "{client} sending PUBACK (m{}, rc{})", ack.id.number(), ack.reason.number())
            }
            Packet::Pubrec(ack) => {
                writeln!(out, "{client} sending PUBREC (m{}, rc{})", ack.id.number(), ack.reason.number())
            }
            Packet::Pubrel(ack) => writeln!(out, "{client} sending PUBREL (m{})", ack.id.number()),
            Packet::Pubcomp(ack) => writeln!(out, "{client} sending PUBCOMP (m{})", ack.id.number()),
            Packet::Subscribe(subscribe) => {
                self.numbered = subscribe.id.number();
                subscribe.filters.iter().try_for_each(|filter| {
                    let options = u8::from(filter.no_local) << 2
                        | u8::from(filter.retain_as_published) << 3
                        | (filter.retain_handling as u8) << 4;
                    writeln!(
                        out,
                        "{client} sending SUBSCRIBE (Mid: {}, Topic: {}, QoS: {}, Options: 0x{options:02x})",
                        subscribe.id.number(),
                        filter.filter,
                        filter.qos.number()
                    )
                })
            }
            Packet::Unsubscribe(unsubscribe) => {
                self.numbered = unsubscribe.id.number();
                unsubscribe.filters.iter().try_for_each(|filter| {
                    writeln!(
                        out,
                        "{client} sending UNSUBSCRIBE (Mid: {}, Topic: {filter})",
                        unsubscribe.id.number()
                    )
                })
            }
            Packet::Pingreq => writeln!(out, "{client} sending PINGREQ"),
            Packet::Disconnect(_) => writeln!(out, "{client} sending DISCONNECT"),
            Packet::Connack(_)
            | Packet::Suback(_)
            | Packet::Unsuback(_)
            | Packet::Pingresp
            | Packet::Auth(_) => Ok(()),
        }
    }

    fn received(&self, packet: &Packet, out: &mut Vec<u8>) -> std::io::Result<()> {
        let client = self.name();
        match packet {
            Packet::Connack(connack) => {
                let code = words::connack_code(self.version, connack.reason);
                writeln!(out, "{client} received CONNACK ({code})")
            }
            Packet::Publish(publish) => {
                let id = publish.delivery.packet_id().map_or(0, |id| id.number());
                writeln!(out, "{client} received PUBLISH {}", publish_line(publish, id))
            }
            Packet::Puback(ack) => {
                writeln!(
                    out,
                    "{client} received PUBACK (Mid: {}, RC:{})",
                    ack.id.number(),
                    ack.reason.number()
                )
            }
            Packet::Pubcomp(ack) => {
                writeln!(
                    out,
                    "{client} received PUBCOMP (Mid: {}, RC:{})",
                    ack.id.number(),
                    ack.reason.number()
                )
            }
            Packet::Pubrec(ack) => writeln!(out, "{client} received PUBREC (Mid: {})", ack.id.number()),
            Packet::Pubrel(ack) => writeln!(out, "{client} received PUBREL (Mid: {})", ack.id.number()),
            Packet::Suback(suback) => {
                writeln!(out, "{client} received SUBACK")?;
                let granted: Vec<_> =
                    suback.reasons.iter().map(|reason| reason.number().to_string()).collect();
                writeln!(out, "Subscribed (mid: {}): {}", suback.id.number(), granted.join(", "))
            }
            Packet::Unsuback(_) => writeln!(out, "{client} received UNSUBACK"),
            Packet::Pingresp => writeln!(out, "{client} received PINGRESP"),
            Packet::Disconnect(disconnect) => {
                writeln!(out, "Received DISCONNECT ({})", disconnect.reason.number())
            }
            Packet::Auth(_) => writeln!(out, "{client} received AUTH"),
            Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::Pingreq => Ok(()),
        }
    }

    fn name(&self) -> String {
        let id = if self.client_id.is_empty() { "(null)" } else { self.client_id.as_str() };
        format!("Client {id}")
    }
}

fn publish_line(publish: &Publish, id: u16) -> String {
    let topic = match &publish.topic {
        PublishTopic::Name(name) | PublishTopic::NameAndAlias(name, _) => name.as_str(),
        PublishTopic::Alias(_) => "(null)",
    };
    let qos = publish.qos();
    let id =
        if qos == QoS::AtMostOnce { id } else { publish.delivery.packet_id().map_or(id, |id| id.number()) };
    format!(
        "(d{}, q{}, r{}, m{id}, '{topic}', ... ({} bytes))",
        u8::from(publish.delivery.dup()),
        qos.number(),
        u8::from(publish.retain),
        publish.payload.len()
    )
}
