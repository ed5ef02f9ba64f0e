//! The packets that the generator sends, encoded before it begins; while it runs, only numbers in them change.
//!
//! They are encoded by `mqttbytes`, not by our codec, so that a mistake of ours would not be on both sides.

use super::{
    stamp::Stamp,
    wire::{self, Dialect},
};
use anyhow::{Context as _, Result, anyhow};
use bytes::BytesMut;
use mqttbytes::{
    QoS,
    v4::{Connect, LastWill, Publish, Subscribe, SubscribeFilter, Unsubscribe},
    v5,
};

/// PUBLISH packets one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Packets {
    dialect: Dialect,
    bytes: Vec<u8>,
    places: Vec<Place>,
}

/// Where a packet is, and what changes in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    start: usize,
    /// 0 where there is no identifier.
    id: usize,
    stamp: usize,
    end: usize,
    /// Which stream it carries on.
    pub(crate) stream: usize,
}

impl Packets {
    /// None yet, in MQTT 3.1.1 by default.
    pub(crate) fn speaking(dialect: Dialect) -> Self {
        Self { dialect, ..Self::default() }
    }

    /// Adds one.
    pub(crate) fn push(&mut self, topic: &str, qos: QoS, payload_len: usize, stream: usize) -> Result<()> {
        self.push_with(topic, qos, payload_len, stream, false)
    }

    /// Adds one that is to be retained.
    pub(crate) fn push_retained(
        &mut self,
        topic: &str,
        qos: QoS,
        payload_len: usize,
        stream: usize,
    ) -> Result<()> {
        self.push_with(topic, qos, payload_len, stream, true)
    }

    fn push_with(
        &mut self,
        topic: &str,
        qos: QoS,
        payload_len: usize,
        stream: usize,
        retain: bool,
    ) -> Result<()> {
        let payload_len = payload_len.max(Stamp::LEN);
        let start = self.bytes.len();
        let filling: Vec<u8> = (0..payload_len).map(|place| b'a' + (place % 26) as u8).collect();
        let id = u16::from(qos != QoS::AtMostOnce);
        let packet = match self.dialect {
            Dialect::Three => {
                let mut publish = Publish::new(topic, qos, filling);
                (publish.retain, publish.pkid) = (retain, id);
                encoded(|buffer| publish.write(buffer))?
            }
            Dialect::Five | Dialect::FiveDescribed => {
                let mut publish = v5::Publish::new(topic, qos, filling);
                (publish.retain, publish.pkid) = (retain, id);
                publish.properties = (self.dialect == Dialect::FiveDescribed).then(description);
                encoded(|buffer| publish.write(buffer))?
            }
        };
        let (header, _) = wire::length(&packet)?.context("a packet has a length")?;
        self.bytes.extend_from_slice(&packet);
        let end = self.bytes.len();
        let stamp = end - payload_len;
        // Behind the topic, which has two bytes for its length.
        let id = if qos == QoS::AtMostOnce { 0 } else { start + header + 2 + topic.len() };
        self.places.push(Place { start, id, stamp, end, stream });
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn place(&self, number: usize) -> Option<Place> {
        self.places.get(number).copied()
    }

    /// Makes a packet the next message of its stream.
    pub(crate) fn patch(&mut self, place: Place, stamp: Stamp, id: u16) {
        if let Some(field) = self.bytes.get_mut(place.stamp..place.stamp + Stamp::LEN) {
            field.copy_from_slice(&stamp.to_bytes());
        }
        if place.id > 0
            && let Some(field) = self.bytes.get_mut(place.id..place.id + 2)
        {
            field.copy_from_slice(&id.to_be_bytes());
        }
    }

    /// Everything from one packet to another, both included.
    pub(crate) fn between(&self, first: Place, last: Place) -> &[u8] {
        self.bytes.get(first.start..last.end).unwrap_or_default()
    }
}

/// What a sensor says of its readings.
fn description() -> v5::PublishProperties {
    v5::PublishProperties {
        payload_format_indicator: None,
        message_expiry_interval: None,
        topic_alias: None,
        response_topic: None,
        correlation_data: None,
        user_properties: vec![("unit".into(), "degrees Celsius".into())],
        subscription_identifiers: Vec::new(),
        content_type: Some("application/octet-stream".into()),
    }
}

/// CONNECT without a session.
pub(crate) fn connect(client_id: &str, dialect: Dialect) -> Result<Vec<u8>> {
    if dialect == Dialect::Three {
        return connect_to(client_id, true);
    }
    let mut connect = v5::Connect::new(client_id);
    connect.keep_alive = KEEP_ALIVE_S;
    encoded(|buffer| connect.write(buffer))
}

/// CONNECT to a session, which stays when the connection ends.
pub(crate) fn connect_to_session(client_id: &str) -> Result<Vec<u8>> {
    connect_to(client_id, false)
}

/// The same with a will, which is retained.
pub(crate) fn connect_with_will(client_id: &str, topic: &str) -> Result<Vec<u8>> {
    let mut connect = Connect::new(client_id);
    connect.clean_session = false;
    connect.keep_alive = KEEP_ALIVE_S;
    connect.last_will = Some(LastWill::new(topic, "gone without a goodbye", QoS::AtLeastOnce, true));
    encoded(|buffer| connect.write(buffer))
}

/// CONNECT of MQTT 5 to a session that ends so long after the connection.
pub(crate) fn connect_expiring(client_id: &str, expiry_s: u32) -> Result<Vec<u8>> {
    let mut connect = v5::Connect::new(client_id);
    connect.clean_session = true;
    connect.keep_alive = KEEP_ALIVE_S;
    connect.properties = Some(v5::ConnectProperties {
        session_expiry_interval: Some(expiry_s),
        receive_maximum: None,
        max_packet_size: None,
        topic_alias_max: None,
        request_response_info: None,
        request_problem_info: None,
        user_properties: Vec::new(),
        authentication_method: None,
        authentication_data: None,
    });
    encoded(|buffer| connect.write(buffer))
}

/// SUBSCRIBE of MQTT 5 to all of them.
pub(crate) fn subscribe_5(filters: &[String], qos: QoS) -> Result<Vec<u8>> {
    let filters = filters.iter().map(|filter| v5::SubscribeFilter::new(filter.clone(), qos));
    let mut subscribe = v5::Subscribe::new_many(filters);
    subscribe.pkid = 1;
    encoded(|buffer| subscribe.write(buffer))
}

fn connect_to(client_id: &str, clean_session: bool) -> Result<Vec<u8>> {
    let mut connect = Connect::new(client_id);
    connect.clean_session = clean_session;
    connect.keep_alive = KEEP_ALIVE_S;
    encoded(|buffer| connect.write(buffer))
}

/// Longer than any measurement: nobody need ask who is there.
const KEEP_ALIVE_S: u16 = 3600;

/// PUBLISH of a retained message; without a payload it removes the one that is there.
pub(crate) fn retain(topic: &str, id: u16, payload: &[u8]) -> Result<Vec<u8>> {
    let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload);
    publish.pkid = id;
    publish.retain = true;
    encoded(|buffer| publish.write(buffer))
}

/// PUBLISH; at QoS 0 the identifier is left out.
pub(crate) fn publish(topic: &str, qos: QoS, id: u16, payload: &[u8]) -> Result<Vec<u8>> {
    let mut publish = Publish::new(topic, qos, payload);
    publish.pkid = id;
    encoded(|buffer| publish.write(buffer))
}

/// UNSUBSCRIBE from all of them.
pub(crate) fn unsubscribe(filters: &[String]) -> Result<Vec<u8>> {
    let unsubscribe = Unsubscribe { pkid: 2, topics: filters.to_vec() };
    encoded(|buffer| unsubscribe.write(buffer))
}

/// DISCONNECT.
pub(crate) const DISCONNECT: [u8; 2] = [0xe0, 0];

/// SUBSCRIBE to all of them.
pub(crate) fn subscribe(filters: &[String], qos: QoS) -> Result<Vec<u8>> {
    let filters = filters.iter().map(|filter| SubscribeFilter::new(filter.clone(), qos));
    let mut subscribe = Subscribe::new_many(filters);
    subscribe.pkid = 1;
    encoded(|buffer| subscribe.write(buffer))
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP, by its first byte.
pub(crate) fn acknowledgement(kind: u8, id: u16) -> [u8; 4] {
    let [high, low] = id.to_be_bytes();
    [kind, 2, high, low]
}

pub(crate) const PUBACK: u8 = 0x40;
pub(crate) const PUBREC: u8 = 0x50;
pub(crate) const PUBREL: u8 = 0x62;
pub(crate) const PUBCOMP: u8 = 0x70;

fn encoded(write: impl FnOnce(&mut BytesMut) -> Result<usize, mqttbytes::Error>) -> Result<Vec<u8>> {
    let mut buffer = BytesMut::new();
    write(&mut buffer).map_err(|error| anyhow!("mqttbytes cannot encode our packet: {error}"))?;
    Ok(buffer.to_vec())
}

#[cfg(test)]
mod tests {
    use super::{super::wire::Packet, *};

    #[test]
    fn a_patched_packet_is_read_with_its_new_numbers_and_its_neighbour_is_untouched() {
        let mut packets = Packets::default();
        packets.push("a/b", QoS::AtMostOnce, 64, 0).unwrap();
        packets.push("a/longer", QoS::AtLeastOnce, 200, 1).unwrap();
        let (first, second) = (packets.place(0).unwrap(), packets.place(1).unwrap());
        let before = packets.between(first, first).to_vec();
        let stamp = Stamp { stream: 1, sequence: 2, sent_ns: 3 };
        packets.patch(second, stamp, 0x1234);

        assert_eq!(packets.between(first, first), before);
        let (packet, len) = wire::first(packets.between(second, second), Dialect::Three).unwrap().unwrap();
        let Packet::Publish { qos: 1, id: 0x1234, payload } = packet else { panic!("{packet:?}") };
        assert_eq!((Stamp::of(payload), payload.len()), (Some(stamp), 200));
        assert_eq!(packets.between(first, second).len(), before.len() + len);
    }

    #[test]
    fn a_description_stands_between_the_numbers_that_change() {
        let mut packets = Packets::speaking(Dialect::FiveDescribed);
        packets.push("a/b", QoS::AtLeastOnce, 64, 0).unwrap();
        let place = packets.place(0).unwrap();
        let stamp = Stamp { stream: 1, sequence: 2, sent_ns: 3 };
        packets.patch(place, stamp, 0x1234);

        let (packet, _) =
            wire::first(packets.between(place, place), Dialect::FiveDescribed).unwrap().unwrap();
        let Packet::Publish { qos: 1, id: 0x1234, payload } = packet else { panic!("{packet:?}") };
        assert_eq!((Stamp::of(payload), payload.len()), (Some(stamp), 64));
    }

    #[test]
    fn the_shortest_payload_holds_the_stamp() {
        let mut packets = Packets::default();
        packets.push("t", QoS::AtMostOnce, 0, 0).unwrap();
        let place = packets.place(0).unwrap();
        assert_eq!(packets.between(place, place).len(), 2 + 3 + Stamp::LEN);
    }

    #[test]
    fn acknowledgements_are_as_the_standard_writes_them() {
        assert_eq!(acknowledgement(PUBACK, 0x102), [0x40, 2, 1, 2]);
        assert_eq!(
            wire::first(&acknowledgement(PUBREL, 7), Dialect::Three).unwrap(),
            Some((Packet::Pubrel(7), 4))
        );
    }
}
