//! What holds for every packet: it comes back as it went, and its length was foretold.

use crate::any;
use bytes::{Bytes, BytesMut};
use luxwire_shared::mqtt::{
    Acknowledge, Auth, AuthProperties, Connack, Connect, Disconnect, EncodeError, Framer, Packet, PacketId,
    Publish, PublishTopic, QoS, ReasonCode, RetainHandling, Suback, Subscribable, Subscribe, SubscribeFilter,
    Text, TopicName, Unsuback, Unsubscribe, Version,
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn a_packet_comes_back_as_its_version_can_say_it(packet in any::packet()) {
        for version in [Version::V3_1, Version::V3_1_1, Version::V5] {
            let mut out = BytesMut::from(&b"before"[..]);
            let encoded = packet.encode(version, &mut out);
            let bytes = out.split_off(6).freeze();
            prop_assert_eq!(&out[..], b"before");
            prop_assert_eq!(packet.encoded_len(version), encoded.map(|()| bytes.len()));
            let Some(expected) = said(packet.clone(), version) else {
                prop_assert_eq!(encoded, Err(EncodeError::NotInThisVersion));
                prop_assert!(bytes.is_empty());
                continue;
            };
            prop_assert_eq!(encoded, Ok(()));

            let mut framer = Framer::new(bytes.len() as u32);
            framer.push(bytes.clone());
            let frame = framer.next_frame().unwrap().unwrap();
            prop_assert_eq!(framer.pending_len(), 0);
            prop_assert_eq!(frame.packet_type(), packet.packet_type());
            let decoded = Packet::decode(frame, version);
            prop_assert_eq!(decoded.as_ref(), Ok(&expected));

            // A byte less than it needs.
            let mut framer = Framer::new(bytes.len() as u32 - 1);
            framer.push(bytes);
            prop_assert_eq!(framer.next_frame(), Err(luxwire_shared::mqtt::DecodeError::PacketTooLarge));
        }
    }
}

/// What is left of `packet` in `version`; `None` if nothing of it can be said.
fn said(packet: Packet, version: Version) -> Option<Packet> {
    if version == Version::V5 {
        return Some(packet);
    }
    Some(match packet {
        // It names its version itself.
        Packet::Connect(connect) => Packet::Connect(connect),
        Packet::Connack(connack) => Packet::Connack(Box::new(Connack {
            session_present: connack.session_present && version != Version::V3_1,
            reason: return_code(connack.reason),
            properties: Default::default(),
        })),
        Packet::Publish(publish) => Packet::Publish(Publish {
            topic: match publish.topic {
                PublishTopic::Name(name) | PublishTopic::NameAndAlias(name, _) => PublishTopic::Name(name),
                PublishTopic::Alias(_) => return None,
            },
            properties: None,
            ..publish
        }),
        Packet::Puback(ack) => Packet::Puback(Acknowledge::success(ack.id)),
        Packet::Pubrec(ack) => Packet::Pubrec(Acknowledge::success(ack.id)),
        Packet::Pubrel(ack) => Packet::Pubrel(Acknowledge::success(ack.id)),
        Packet::Pubcomp(ack) => Packet::Pubcomp(Acknowledge::success(ack.id)),
        Packet::Subscribe(subscribe) => Packet::Subscribe(Subscribe {
            id: subscribe.id,
            subscription_id: None,
            user_properties: Vec::new(),
            filters: subscribe
                .filters
                .into_iter()
                .map(|filter| SubscribeFilter::new(filter.filter, filter.qos))
                .collect(),
        }),
        Packet::Suback(suback) => Packet::Suback(Suback {
            id: suback.id,
            properties: None,
            reasons: suback
                .reasons
                .into_iter()
                .map(|reason| if reason.is_failure() { ReasonCode::Unspecified } else { reason })
                .collect(),
        }),
        Packet::Unsubscribe(unsubscribe) => {
            Packet::Unsubscribe(Unsubscribe { user_properties: Vec::new(), ..unsubscribe })
        }
        Packet::Unsuback(unsuback) => {
            Packet::Unsuback(Unsuback { id: unsuback.id, properties: None, reasons: Vec::new() })
        }
        Packet::Pingreq => Packet::Pingreq,
        Packet::Pingresp => Packet::Pingresp,
        Packet::Disconnect(disconnect) if disconnect.reason == ReasonCode::Success => {
            Packet::Disconnect(Disconnect::because(ReasonCode::Success))
        }
        Packet::Disconnect(_) | Packet::Auth(_) => return None,
    })
}

/// The nearest of the five return codes before 5.0.
fn return_code(reason: ReasonCode) -> ReasonCode {
    use ReasonCode::*;
    match reason {
        Success | UnsupportedProtocolVersion | ClientIdentifierNotValid | BadUserNameOrPassword => reason,
        // It may go better later.
        Unspecified
        | ServerUnavailable
        | ServerBusy
        | UseAnotherServer
        | ServerMoved
        | ConnectionRateExceeded => ServerUnavailable,
        _ => NotAuthorized,
    }
}

fn subscribable(filter: &str) -> Subscribable {
    Subscribable::try_from(filter).unwrap()
}

#[test]
fn what_cannot_be_said_leaves_the_buffer_as_it_was() {
    let id = PacketId::MIN;
    let ack = |reason| Acknowledge::because(id, reason);
    let topic = || TopicName::try_from("t").unwrap();
    let connect = |version, password| {
        Packet::Connect(Box::new(Connect {
            version,
            clean_start: true,
            keep_alive_s: 0,
            client_id: Text::new(),
            will: None,
            user_name: None,
            password: Some(password),
            properties: Default::default(),
        }))
    };
    let no_local = SubscribeFilter {
        no_local: true,
        ..SubscribeFilter::new(subscribable("$share/g/t"), QoS::AtMostOnce)
    };
    let subscribe = |filters| {
        Packet::Subscribe(Subscribe { id, subscription_id: None, user_properties: Vec::new(), filters })
    };
    let long_share = format!("$share/{}/t", "g".repeat(65_526));
    let long = Subscribable { filter: subscribable(&"t".repeat(65_535)).filter, ..subscribable(&long_share) };
    let data_alone = AuthProperties { authentication_data: Some(Bytes::new()), ..Default::default() };
    let connack = |reason| {
        Packet::Connack(Box::new(Connack { session_present: false, reason, properties: Default::default() }))
    };

    use EncodeError::{NotAllowed, TooLarge};
    for (packet, error) in [
        (connect(Version::V3_1_1, Bytes::new()), EncodeError::NotInThisVersion),
        (connect(Version::V5, Bytes::from(vec![0; 65_536])), TooLarge),
        (connack(ReasonCode::KeepAliveTimeout), NotAllowed), // [MQTT-3.2.2-8]
        (Packet::Publish(Publish::new(topic(), vec![0; 268_435_456])), TooLarge),
        (Packet::Puback(ack(ReasonCode::PacketIdentifierNotFound)), NotAllowed), // [MQTT-3.4.2-1]
        (Packet::Pubrec(ack(ReasonCode::GrantedQoS1)), NotAllowed),
        (Packet::Pubrel(ack(ReasonCode::NotAuthorized)), NotAllowed),
        (Packet::Pubcomp(ack(ReasonCode::NotAuthorized)), NotAllowed),
        (subscribe(vec![]), NotAllowed),         // [MQTT-3.8.3-2]
        (subscribe(vec![no_local]), NotAllowed), // [MQTT-3.8.3-4]
        (subscribe(vec![SubscribeFilter::new(long.clone(), QoS::AtMostOnce)]), TooLarge),
        (Packet::Suback(Suback { id, properties: None, reasons: vec![] }), NotAllowed),
        (Packet::Suback(Suback { id, properties: None, reasons: vec![ReasonCode::Banned] }), NotAllowed),
        // [MQTT-3.10.3-2]
        (Packet::Unsubscribe(Unsubscribe { id, user_properties: vec![], filters: vec![] }), NotAllowed),
        (Packet::Unsubscribe(Unsubscribe { id, user_properties: vec![], filters: vec![long] }), TooLarge),
        (Packet::Unsuback(Unsuback { id, properties: None, reasons: vec![] }), NotAllowed),
        (
            Packet::Unsuback(Unsuback { id, properties: None, reasons: vec![ReasonCode::GrantedQoS1] }),
            NotAllowed,
        ),
        (Packet::Disconnect(Disconnect::because(ReasonCode::Banned)), NotAllowed), // [MQTT-3.14.2-1]
        (Packet::Auth(Auth { reason: ReasonCode::NotAuthorized, properties: None }), NotAllowed), // [MQTT-3.15.2-1]
        (Packet::Auth(Auth { reason: ReasonCode::ContinueAuthentication, properties: None }), NotAllowed),
        (
            Packet::Auth(Auth { reason: ReasonCode::Success, properties: Some(Box::new(data_alone)) }),
            NotAllowed,
        ),
    ] {
        let mut out = BytesMut::from(&b"before"[..]);
        assert_eq!(packet.encode(Version::V5, &mut out), Err(error), "{:?}", packet.packet_type());
        assert_eq!(packet.encoded_len(Version::V5), Err(error), "{:?}", packet.packet_type());
        assert_eq!(out, b"before"[..], "{:?}", packet.packet_type());
    }
}

// 2.1.4: 268,435,455 bytes behind the fixed header.
#[test]
fn the_largest_packet_has_268435460_bytes() {
    let topic = TopicName::try_from("t").unwrap();
    let packet = Packet::Publish(Publish::new(topic, vec![0; 268_435_455 - 4]));
    assert_eq!(packet.encoded_len(Version::V5), Ok(268_435_460));
}

/// The numbers of the options, so that no two of them can change places unseen. Section 3.8.3.1.
#[test]
fn each_subscription_option_has_its_bits() {
    let filter = SubscribeFilter::new(subscribable("t"), QoS::AtMostOnce);
    for (filter, options) in [
        (filter.clone(), 0b0000_0000),
        (SubscribeFilter { qos: QoS::ExactlyOnce, ..filter.clone() }, 0b0000_0010),
        (SubscribeFilter { no_local: true, ..filter.clone() }, 0b0000_0100),
        (SubscribeFilter { retain_as_published: true, ..filter.clone() }, 0b0000_1000),
        (SubscribeFilter { retain_handling: RetainHandling::SendIfNew, ..filter.clone() }, 0b0001_0000),
        (SubscribeFilter { retain_handling: RetainHandling::DoNotSend, ..filter }, 0b0010_0000),
    ] {
        let mut out = BytesMut::new();
        let filters = vec![filter];
        let id = PacketId::MIN;
        let packet =
            Packet::Subscribe(Subscribe { id, subscription_id: None, user_properties: vec![], filters });
        packet.encode(Version::V5, &mut out).unwrap();
        assert_eq!(out.last(), Some(&options));
    }
}
