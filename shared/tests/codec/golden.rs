//! Every packet type in every version, byte by byte, in both directions. The bytes were written by hand from the
//! specification's tables.

use crate::notation::{VERSIONS, bytes, decode, encode, id, subscribable, subscription_id, text, topic};
use bytes::Bytes;
use core::num::{NonZeroU16, NonZeroU32};
use luxwire_shared::mqtt::{
    Acknowledge, AcknowledgeProperties, Auth, AuthProperties, Connack, ConnackProperties, Connect,
    ConnectProperties, Delivery, Disconnect, DisconnectProperties, Packet, PayloadFormat, Publish,
    PublishProperties, PublishTopic, QoS, ReasonCode, RetainHandling, Suback, Subscribe, SubscribeFilter,
    TopicAlias, Unsuback, Unsubscribe, Version, Will, WillProperties,
};

const V3: [Version; 2] = [Version::V3_1, Version::V3_1_1];
const V5: [Version; 1] = [Version::V5];

/// `packet` is written as these bytes, and they are read as `packet`.
#[track_caller]
fn check(versions: &[Version], packet: Packet, notation: &str) {
    let expected = bytes(notation);
    for &version in versions {
        assert_eq!(decode(&expected, version).as_ref(), Ok(&packet), "{version:?}");
        assert_eq!(encode(&packet, version), expected, "{version:?}");
    }
}

fn connect(version: Version) -> Connect {
    Connect {
        version,
        clean_start: true,
        keep_alive_s: 60,
        client_id: text("lamp"),
        will: None,
        user_name: None,
        password: None,
        properties: ConnectProperties::default(),
    }
}

fn will() -> Will {
    Will {
        topic: topic("w/t"),
        payload: Bytes::from_static(b"gone"),
        qos: QoS::AtLeastOnce,
        retain: true,
        properties: WillProperties::default(),
    }
}

fn everything(version: Version) -> Connect {
    Connect {
        clean_start: false,
        keep_alive_s: 0x1234,
        will: Some(Box::new(will())),
        user_name: Some(text("eve")),
        password: Some(Bytes::from_static(&[0xFF, 0x00])),
        ..connect(version)
    }
}

fn connect_packet(connect: Connect) -> Packet {
    Packet::Connect(Box::new(connect))
}

#[test]
fn connect_as_short_as_it_can_be() {
    check(
        &VERSIONS,
        connect_packet(connect(Version::V3_1)),
        "10 12  00 06 'MQIsdp' 03  02  00 3c  00 04 'lamp'",
    );
    check(
        &VERSIONS,
        connect_packet(connect(Version::V3_1_1)),
        "10 10  00 04 'MQTT' 04  02  00 3c  00 04 'lamp'",
    );
    check(
        &VERSIONS,
        connect_packet(connect(Version::V5)),
        "10 11  00 04 'MQTT' 05  02  00 3c  00  00 04 'lamp'",
    );
}

#[test]
fn connect_with_will_user_name_and_binary_password() {
    check(
        &VERSIONS,
        connect_packet(everything(Version::V3_1)),
        "10 26  00 06 'MQIsdp' 03  ec  12 34  00 04 'lamp'  00 03 'w/t'  00 04 'gone'  00 03 'eve'  00 02 ff 00",
    );
    check(
        &VERSIONS,
        connect_packet(everything(Version::V3_1_1)),
        "10 24  00 04 'MQTT' 04  ec  12 34  00 04 'lamp'  00 03 'w/t'  00 04 'gone'  00 03 'eve'  00 02 ff 00",
    );
    check(
        &VERSIONS,
        connect_packet(everything(Version::V5)),
        "10 26  00 04 'MQTT' 05  ec  12 34  00  00 04 'lamp'  00  00 03 'w/t'  00 04 'gone'  00 03 'eve'  00 02 ff 00",
    );
}

#[test]
fn connect_with_every_property() {
    let packet = connect_packet(Connect {
        will: Some(Box::new(Will {
            qos: QoS::ExactlyOnce,
            retain: false,
            properties: WillProperties {
                will_delay_interval_s: Some(5),
                payload_format: Some(PayloadFormat::Text),
                message_expiry_interval_s: Some(6),
                content_type: Some(text("t")),
                response_topic: Some(topic("r")),
                correlation_data: Some(Bytes::from_static(&[0])),
                user_properties: vec![(text("a"), text("b")), (text(""), text("")), (text("a"), text("b"))],
            },
            ..will()
        })),
        properties: ConnectProperties {
            session_expiry_interval_s: Some(u32::MAX),
            receive_maximum: NonZeroU16::new(1),
            maximum_packet_size: NonZeroU32::new(0x0102_0304),
            topic_alias_maximum: Some(0),
            request_response_information: Some(true),
            request_problem_information: Some(false),
            user_properties: vec![(text("k"), text("v"))],
            authentication_method: Some(text("m")),
            authentication_data: Some(Bytes::from_static(b"d")),
        },
        ..connect(Version::V5)
    });
    check(
        &VERSIONS,
        packet,
        "10 6b  00 04 'MQTT' 05  16  00 3c
         23  11 ff ff ff ff  21 00 01  27 01 02 03 04  22 00 00  19 01  17 00  26 00 01 'k' 00 01 'v'
             15 00 01 'm'  16 00 01 'd'
         00 04 'lamp'
         2b  18 00 00 00 05  01 01  02 00 00 00 06  03 00 01 't'  08 00 01 'r'  09 00 01 00
             26 00 01 'a' 00 01 'b'  26 00 00 00 00  26 00 01 'a' 00 01 'b'
         00 03 'w/t'  00 04 'gone'",
    );
}

fn connack(session_present: bool, reason: ReasonCode) -> Packet {
    Packet::Connack(Box::new(Connack { session_present, reason, properties: ConnackProperties::default() }))
}

#[test]
fn connack_before_5_0_has_five_refusals() {
    check(&V3, connack(false, ReasonCode::Success), "20 02 00 00");
    check(&[Version::V3_1_1], connack(true, ReasonCode::Success), "20 02 01 00");
    check(&V3, connack(false, ReasonCode::UnsupportedProtocolVersion), "20 02 00 01");
    check(&V3, connack(false, ReasonCode::ClientIdentifierNotValid), "20 02 00 02");
    check(&V3, connack(false, ReasonCode::ServerUnavailable), "20 02 00 03");
    check(&V3, connack(false, ReasonCode::BadUserNameOrPassword), "20 02 00 04");
    check(&V3, connack(false, ReasonCode::NotAuthorized), "20 02 00 05");
}

// [MQTT-2.2.2-1]
#[test]
fn connack_without_properties_says_that_there_are_none() {
    check(&V5, connack(false, ReasonCode::Success), "20 03 00 00 00");
    check(&V5, connack(true, ReasonCode::Success), "20 03 01 00 00");
    check(&V5, connack(false, ReasonCode::NotAuthorized), "20 03 00 87 00");
}

#[test]
fn connack_with_every_property() {
    check(&V5, connack(true, ReasonCode::Success), "20 03 01 00 00");
    check(&V5, connack(false, ReasonCode::Banned), "20 03 00 8a 00");
    let packet = Packet::Connack(Box::new(Connack {
        session_present: false,
        reason: ReasonCode::Success,
        properties: ConnackProperties {
            session_expiry_interval_s: Some(1),
            receive_maximum: NonZeroU16::new(2),
            maximum_qos: Some(QoS::AtLeastOnce),
            retain_available: Some(false),
            maximum_packet_size: NonZeroU32::new(3),
            assigned_client_id: Some(text("c")),
            topic_alias_maximum: Some(4),
            reason_string: Some(text("s")),
            user_properties: vec![(text("k"), text("v"))],
            wildcard_subscription_available: Some(true),
            subscription_ids_available: Some(false),
            shared_subscription_available: Some(false),
            server_keep_alive_s: Some(5),
            response_information: Some(text("i")),
            server_reference: Some(text("r")),
            authentication_method: Some(text("m")),
            authentication_data: Some(Bytes::from_static(b"d")),
        },
    }));
    check(
        &V5,
        packet,
        "20 3f  00 00  3c
         11 00 00 00 01  21 00 02  24 01  25 00  27 00 00 00 03  12 00 01 'c'  22 00 04  1f 00 01 's'
         26 00 01 'k' 00 01 'v'  28 01  29 00  2a 00  13 00 05  1a 00 01 'i'  1c 00 01 'r'
         15 00 01 'm'  16 00 01 'd'",
    );
}

// [MQTT-2.2.2-1]
#[test]
fn publish_of_each_quality() {
    let publish = Publish::new(topic("a/b"), &b"on"[..]);
    check(&V3, Packet::Publish(publish.clone()), "30 07  00 03 'a/b'  'on'");
    check(&V5, Packet::Publish(publish.clone()), "30 08  00 03 'a/b'  00  'on'");

    let retained = Publish { retain: true, payload: Bytes::new(), ..publish.clone() };
    check(&V3, Packet::Publish(retained.clone()), "31 05  00 03 'a/b'");
    check(&V5, Packet::Publish(retained), "31 06  00 03 'a/b'  00");

    let once = Publish { delivery: Delivery::AtLeastOnce { id: id(10), dup: false }, ..publish.clone() };
    check(&V3, Packet::Publish(once.clone()), "32 09  00 03 'a/b'  00 0a  'on'");
    check(&V5, Packet::Publish(once), "32 0a  00 03 'a/b'  00 0a  00  'on'");

    let again = Publish { delivery: Delivery::ExactlyOnce { id: id(0xFFFF), dup: true }, ..publish };
    check(&V3, Packet::Publish(again.clone()), "3c 09  00 03 'a/b'  ff ff  'on'");
    check(&V5, Packet::Publish(again), "3c 0a  00 03 'a/b'  ff ff  00  'on'");
}

#[test]
fn publish_with_every_property() {
    let alias = TopicAlias(NonZeroU16::new(7).unwrap());
    let named = Publish {
        topic: PublishTopic::NameAndAlias(topic("é/\u{FEFF}"), alias), // [MQTT-1.5.4-3]
        properties: Some(Box::new(PublishProperties {
            payload_format: Some(PayloadFormat::Bytes),
            message_expiry_interval_s: Some(0x0102_0304),
            response_topic: Some(topic("r")),
            correlation_data: Some(Bytes::from_static(&[])),
            user_properties: vec![(text("k"), text("v")), (text("k"), text("v"))],
            subscription_ids: vec![subscription_id(1), subscription_id(268_435_455)],
            content_type: Some(text("t")),
        })),
        ..Publish::new(topic("x"), &b"on"[..])
    };
    check(
        &V5,
        Packet::Publish(named),
        "30 35  00 06 c3 a9 '/' ef bb bf  2a
         23 00 07  02 01 02 03 04  0b 01  0b ff ff ff 7f  01 00  08 00 01 'r'  09 00 00  03 00 01 't'
         26 00 01 'k' 00 01 'v'  26 00 01 'k' 00 01 'v'
         'on'",
    );
    let aliased = Publish { topic: PublishTopic::Alias(alias), ..Publish::new(topic("x"), &b"on"[..]) };
    check(&V5, Packet::Publish(aliased), "30 08  00 00  03 23 00 07  'on'");
}

#[test]
fn the_four_acknowledgements() {
    let success = Acknowledge::success(id(0x0102));
    check(&VERSIONS, Packet::Puback(success.clone()), "40 02 01 02");
    check(&VERSIONS, Packet::Pubrec(success.clone()), "50 02 01 02");
    check(&VERSIONS, Packet::Pubrel(success.clone()), "62 02 01 02");
    check(&VERSIONS, Packet::Pubcomp(success), "70 02 01 02");

    let refused = Acknowledge::because(id(1), ReasonCode::NotAuthorized);
    check(&V5, Packet::Puback(refused.clone()), "40 03 00 01 87");
    check(&V5, Packet::Pubrec(refused), "50 03 00 01 87");
    let unknown = Acknowledge::because(id(1), ReasonCode::PacketIdentifierNotFound);
    check(&V5, Packet::Pubrel(unknown.clone()), "62 03 00 01 92");
    check(&V5, Packet::Pubcomp(unknown), "70 03 00 01 92");
}

fn acknowledge_properties() -> Option<Box<AcknowledgeProperties>> {
    Some(Box::new(AcknowledgeProperties {
        reason_string: Some(text("s")),
        user_properties: vec![(text("k"), text("v"))],
    }))
}

#[test]
fn the_four_acknowledgements_with_every_property() {
    let acknowledge = Acknowledge { properties: acknowledge_properties(), ..Acknowledge::success(id(1)) };
    let rest = "0f 00 01 00 0b  1f 00 01 's'  26 00 01 'k' 00 01 'v'";
    check(&V5, Packet::Puback(acknowledge.clone()), &format!("40 {rest}"));
    check(&V5, Packet::Pubrec(acknowledge.clone()), &format!("50 {rest}"));
    check(&V5, Packet::Pubrel(acknowledge.clone()), &format!("62 {rest}"));
    check(&V5, Packet::Pubcomp(acknowledge), &format!("70 {rest}"));
}

#[test]
fn subscribe_and_suback() {
    let subscribe = Subscribe {
        id: id(5),
        subscription_id: None,
        user_properties: vec![],
        filters: vec![
            SubscribeFilter::new(subscribable("a/+/#"), QoS::ExactlyOnce),
            SubscribeFilter::new(subscribable("$share/g//b"), QoS::AtMostOnce),
        ],
    };
    check(
        &V3,
        Packet::Subscribe(subscribe.clone()),
        "82 18  00 05  00 05 'a/+/#' 02  00 0b '$share/g//b' 00",
    );
    check(&V5, Packet::Subscribe(subscribe), "82 19  00 05  00  00 05 'a/+/#' 02  00 0b '$share/g//b' 00");

    let options = Subscribe {
        id: id(5),
        subscription_id: Some(subscription_id(200)),
        user_properties: vec![(text("k"), text("v"))],
        filters: vec![SubscribeFilter {
            no_local: true,
            retain_as_published: true,
            retain_handling: RetainHandling::DoNotSend,
            ..SubscribeFilter::new(subscribable("a"), QoS::AtLeastOnce)
        }],
    };
    check(
        &V5,
        Packet::Subscribe(options),
        "82 11  00 05  0a  0b c8 01  26 00 01 'k' 00 01 'v'  00 01 'a' 2d",
    );

    let granted =
        [ReasonCode::Success, ReasonCode::GrantedQoS1, ReasonCode::GrantedQoS2, ReasonCode::Unspecified];
    let suback = Suback { id: id(5), properties: None, reasons: granted.to_vec() };
    check(&V3, Packet::Suback(suback.clone()), "90 06  00 05  00 01 02 80");
    check(&V5, Packet::Suback(suback), "90 07  00 05  00  00 01 02 80");
    let refused = Suback {
        id: id(5),
        properties: acknowledge_properties(),
        reasons: vec![ReasonCode::WildcardSubscriptionsNotSupported],
    };
    check(&V5, Packet::Suback(refused), "90 0f  00 05  0b 1f 00 01 's' 26 00 01 'k' 00 01 'v'  a2");
}

// [MQTT-2.2.2-1]
#[test]
fn unsubscribe_and_unsuback() {
    let unsubscribe = Unsubscribe {
        id: id(6),
        user_properties: vec![],
        filters: vec![subscribable("a"), subscribable("$share/g/b")],
    };
    check(&V3, Packet::Unsubscribe(unsubscribe.clone()), "a2 11  00 06  00 01 'a'  00 0a '$share/g/b'");
    check(&V5, Packet::Unsubscribe(unsubscribe.clone()), "a2 12  00 06  00  00 01 'a'  00 0a '$share/g/b'");
    let with_properties = Unsubscribe {
        user_properties: vec![(text("k"), text("v"))],
        filters: vec![subscribable("a")],
        ..unsubscribe
    };
    check(&V5, Packet::Unsubscribe(with_properties), "a2 0d  00 06  07 26 00 01 'k' 00 01 'v'  00 01 'a'");

    check(&V3, Packet::Unsuback(Unsuback { id: id(6), properties: None, reasons: vec![] }), "b0 02 00 06");
    let reasons = vec![ReasonCode::Success, ReasonCode::NoSubscriptionExisted];
    check(
        &V5,
        Packet::Unsuback(Unsuback { id: id(6), properties: None, reasons: reasons.clone() }),
        "b0 05 00 06 00 00 11",
    );
    check(
        &V5,
        Packet::Unsuback(Unsuback { id: id(6), properties: acknowledge_properties(), reasons }),
        "b0 10 00 06  0b 1f 00 01 's' 26 00 01 'k' 00 01 'v'  00 11",
    );
}

#[test]
fn pings_are_the_same_in_every_version() {
    check(&VERSIONS, Packet::Pingreq, "c0 00");
    check(&VERSIONS, Packet::Pingresp, "d0 00");
}

#[test]
fn disconnect() {
    check(&VERSIONS, Packet::Disconnect(Disconnect::because(ReasonCode::Success)), "e0 00");
    check(&V5, Packet::Disconnect(Disconnect::because(ReasonCode::DisconnectWithWill)), "e0 01 04");
    let packet = Packet::Disconnect(Disconnect {
        reason: ReasonCode::Success,
        properties: Some(Box::new(DisconnectProperties {
            session_expiry_interval_s: Some(9),
            reason_string: Some(text("s")),
            user_properties: vec![(text("k"), text("v"))],
            server_reference: Some(text("r")),
        })),
    });
    check(&V5, packet, "e0 16  00 14  11 00 00 00 09  1f 00 01 's'  26 00 01 'k' 00 01 'v'  1c 00 01 'r'");
}

#[test]
fn auth() {
    check(&V5, Packet::Auth(Auth { reason: ReasonCode::Success, properties: None }), "f0 00");
    let packet = Packet::Auth(Auth {
        reason: ReasonCode::ContinueAuthentication,
        properties: Some(Box::new(AuthProperties {
            authentication_method: Some(text("m")),
            authentication_data: Some(Bytes::from_static(&[0xFF])),
            reason_string: Some(text("s")),
            user_properties: vec![(text("k"), text("v"))],
        })),
    });
    check(&V5, packet, "f0 15  18 13  15 00 01 'm'  16 00 01 ff  1f 00 01 's'  26 00 01 'k' 00 01 'v'");
}
