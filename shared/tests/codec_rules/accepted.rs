//! What must be taken although it stands right beside something that is refused; and packets over which other codecs
//! have stumbled, with what is right for each.

use crate::notation::{ALL, Row, V3, V3_1, V3_1_1, V5, bytes, decode, packet, refused};
use bytes::Bytes;
use luxwire_shared::mqtt::{
    Acknowledge, Auth, DecodeError, Disconnect, FilterError, Framer, Packet, PacketId, Property, Publish,
    PublishTopic, ReasonCode, TextError, TopicError, TopicName, Version,
};

const TAKEN: &[(&[Version], &str)] = &[
    (ALL, "10: `MQTT` 04 02 00 00 ``"), // an empty client identifier: the server's to judge
    (ALL, "10: `MQTT` 04 00 00 00 ``"),
    (ALL, "10: `MQTT` 05 00 00 00 00 ``"),
    (ALL, "10: `MQTT` 05 42 00 00 00 `c` `p`"), // a password alone, 5.0 only
    (ALL, "10: `MQTT` 04 c2 00 00 `c` `u` (ff 00 ed a0 80)"), // a password is binary
    (ALL, "10: `MQTT` 04 c2 00 00 `c` `` ``"),
    (ALL, "10: `MQTT` 04 06 00 00 `c` `w` ``"), // an empty will
    (ALL, "10: `MQTT` 04 36 00 00 `c` `w` (00 ff)"),
    (ALL, "10: `MQTT` 05 06 00 00 00 `c` 00 `$w` `x`"), // the topic is the server's to judge
    (ALL, "10: `MQTT` 04 02 ff ff `c`"),
    (ALL, "10: `MQIsdp` 03 c2 00 00 `c`"), // 3.1: the flags may say more than there is
    (ALL, "10: `MQIsdp` 03 c2 00 00 `c` `u`"),
    (ALL, "10 90 00 `MQTT` 04 02 00 00 `long`"), // before 5.0 the length may be longer than it needs
    (V3, "c0 80 00"),
    (V3, "c0 80 80 80 00"),
    (V3_1, "20: ff 00"), // 3.1 does not say what stands there
    (V3, "20: 00 05"),
    (V3_1_1, "20: 01 00"),
    (V5, "20: 00 00 00"),
    (V5, "20: 01 00 [15 `m`]"), // a method without data
    (V3, "30: `t`"),            // an empty payload
    (V3, "31: `/`"),
    (V3, "30: `//`"), // empty levels
    (V3, "30: ` `"),
    (V3, "30: `$SYS/x`"),
    (V3, "3d: `t` ff ff 00"),  // DUP, QoS 2, retain
    (V5, "30: `` [23 00 01]"), // an alias alone
    (V5, "30: `t` [23 ff ff]"),
    (V5, "30: `t` [09 ()]"), // empty correlation data
    (V5, "30: `t` [26 `` ``]"),
    (V5, "30: `t` [01 01] ff"), // whether text is text is the receiver's to judge
    (V5, "30: `t` [08 `$r`]"),
    (V3_1, "6a: 00 01"), // 3.1 repeats with DUP
    (V3_1, "8a: 00 01 `f` 00"),
    (V3_1, "aa: 00 01 `f`"),
    (V5, "40: 00 01"), // short forms
    (V5, "40: 00 01 10"),
    (V5, "40: 00 01 10 00"),
    (V5, "50: ff ff 91"),
    (V5, "62: 00 01 92"),
    (V5, "70: 00 01 00 00"),
    (V3, "82: 00 01 `f` 00 `f` 02 `f` 01"), // the same filter again
    (V5, "82: 00 01 00 `f` 2e"),
    (V5, "82: 00 01 00 `$share/g/f` 2a"),
    (V3, "82: 00 01 `#` 00 `+` 00 `/` 00 `//` 00 `+/#` 00 `/+` 00 `+/+` 00 `a/+/b/#` 00 `/#` 00"),
    (V3, "82: 00 01 `$SYS/#` 00 `$` 00 `$shared/a` 00 `$SHARE/a` 00 `a/$share/b` 00 `$share2` 00"),
    (
        V5,
        "82: 00 01 00 `$share/g/#` 00 `$share/g//` 00 `$share/g//finance` 00 `$share/$g/+/a` 00 `$share/ / ` 00",
    ),
    (V3, "90: 00 01 00 01 02 80"),
    (V5, "90: 00 01 00 a2"),
    (V3, "b0: 00 01"),
    (V5, "b0: 00 01 00 00 11"),
    (ALL, "e0:"),
    (V5, "e0: 00"),
    (V5, "e0: 04"),
    (V5, "e0: 00 00"),
    (V5, "f0:"),
    (V5, "f0: 00 [15 ``]"),
];

#[test]
fn the_valid_neighbours_of_what_is_refused_are_taken() {
    for (versions, notation) in TAKEN {
        for version in *versions {
            let decoded = decode(&bytes(notation), *version);
            assert!(decoded.is_ok(), "{version:?}: {notation}: {decoded:?}");
        }
    }
}

#[test]
fn what_is_left_out_means_success() {
    let disconnect = Packet::Disconnect(Disconnect::because(ReasonCode::Success));
    let auth = Packet::Auth(Auth { reason: ReasonCode::Success, properties: None });
    let ack = Acknowledge::success(PacketId::MIN);
    for (notation, packet) in [
        ("e0:", &disconnect),
        ("e0: 00", &disconnect),
        ("e0: 00 00", &disconnect),
        ("f0:", &auth),
        ("f0: 00 00", &auth),
        ("40: 00 01", &Packet::Puback(ack.clone())),
        ("40: 00 01 00", &Packet::Puback(ack.clone())),
        ("40: 00 01 00 00", &Packet::Puback(ack.clone())),
        ("50: 00 01", &Packet::Pubrec(ack.clone())),
        ("62: 00 01", &Packet::Pubrel(ack.clone())),
        ("70: 00 01 00 00", &Packet::Pubcomp(ack.clone())),
    ] {
        assert_eq!(decode(&bytes(notation), Version::V5).as_ref(), Ok(packet), "{notation}");
    }
}

// [MQTT-4.7.3-3]
#[test]
fn a_topic_may_have_65535_bytes_and_as_many_separators() {
    for name in ["t".repeat(65_535), "/".repeat(65_535), "\u{e9}".repeat(32_767)] {
        let topic = [&(name.len() as u16).to_be_bytes(), name.as_bytes()].concat();
        let expected =
            Packet::Publish(Publish::new(TopicName::try_from(name.as_str()).unwrap(), Bytes::new()));
        for version in [Version::V3_1, Version::V3_1_1] {
            assert_eq!(decode(&packet(0x30, &topic), version).as_ref(), Ok(&expected));
        }
        let body = [topic.as_slice(), &[0]].concat();
        assert_eq!(decode(&packet(0x30, &body), Version::V5).as_ref(), Ok(&expected));
        let subscribe = [&[0, 1, 0], topic.as_slice(), &[0]].concat();
        assert!(decode(&packet(0x82, &subscribe), Version::V5).is_ok());
    }
}

// [MQTT-4.8.2-1]
#[test]
fn a_share_is_told_from_its_filter_by_the_first_separator() {
    for (text, share, filter) in [
        ("$share/g/t", Some("g"), "t"),
        ("$share/g//t", Some("g"), "/t"),
        ("$share/g//", Some("g"), "/"),
        ("$share/$g/+/#", Some("$g"), "+/#"),
        ("$share/g/$SYS/#", Some("g"), "$SYS/#"),
        ("a/$share/b", None, "a/$share/b"),
        ("$shared/g/t", None, "$shared/g/t"),
    ] {
        let notation = format!("a2: 00 01 `{text}`");
        let Ok(Packet::Unsubscribe(unsubscribe)) = decode(&bytes(&notation), Version::V3_1_1) else {
            panic!("{text}");
        };
        let [found] = unsubscribe.filters.as_slice() else { panic!("{text}") };
        assert_eq!(
            (found.share.as_ref().map(|share| share.as_str()), found.filter.as_str()),
            (share, filter)
        );
        assert_eq!(found.to_string(), text);
    }
}

/// One PUBLISH of each shape of topic, and what is found.
#[test]
fn an_alias_stands_alone_or_beside_the_name() {
    let topic = |notation| match decode(&bytes(notation), Version::V5) {
        Ok(Packet::Publish(publish)) => publish.topic,
        other => panic!("{other:?}"),
    };
    assert!(matches!(topic("30: `t` 00"), PublishTopic::Name(name) if name.as_str() == "t"));
    assert!(matches!(topic("30: `` [23 00 07]"), PublishTopic::Alias(alias) if alias.0.get() == 7));
    assert!(matches!(
        topic("30: `t` [23 00 07]"),
        PublishTopic::NameAndAlias(name, alias) if name.as_str() == "t" && alias.0.get() == 7
    ));
}

/// Valid packets that other codecs refuse.
const REFUSED_ELSEWHERE: &[(&[Version], &str)] = &[
    (V5, "e0 00"),
    (V5, "f0: 18 [15 `SCRAM-SHA-1` 16 (00 01)]"),
    (V3_1_1, "10: `MQTT` 04 c2 00 3c `c` `u` (ff fe 00)"),
    (V3_1, "10: `MQIsdp` 03 02 00 3c `c`"),
    (V3_1_1, "10: `MQTT` 04 c2 00 3c `c` `` ``"),
    (V5, "a2: 00 01 00 `a/b`"),
];

/// Malformed packets that other codecs take, or panic at.
const TAKEN_ELSEWHERE: &[Row] = &[
    (ALL, "10: `MQTT` 04 03 00 3c `c`", DecodeError::ConnectFlags), // [MQTT-3.1.2-3]
    (V3_1_1, "80: 00 01 `a` 00", DecodeError::Flags),               // [MQTT-3.8.1-1]
    (ALL, "60: 00 01", DecodeError::Flags),                         // [MQTT-3.6.1-1]
    (V3_1_1, "38: `a`", DecodeError::DupAtQoS0),                    // [MQTT-3.3.1-2]
    (V3_1_1, "30: ('a' 00 'b')", DecodeError::Text(TextError::Null)), // [MQTT-1.5.4-2]
    (V3_1_1, "30: `a/#`", DecodeError::Topic(TopicError::Wildcard)), // [MQTT-3.3.2-2]
    (V3_1_1, "30: ``", DecodeError::Topic(TopicError::Empty)),      // [MQTT-4.7.3-1]
    (V3_1_1, "32: `a` 00 00", DecodeError::PacketId),               // [MQTT-2.2.1-3]
    (
        V5,
        "10: `MQTT` 05 02 00 3c [21 00 0a 21 00 0a] `c`",
        DecodeError::PropertyRepeated(Property::ReceiveMaximum),
    ),
    (V5, "30: `a` 03 1f 00 40 'x'", DecodeError::PropertyNotAllowed(Property::ReasonString)),
    (V5, "30: `a` 03 03 00 40 'x'", DecodeError::PropertyLength),
    (V5, "10: `MQTT` 05 02 00 3c [21 00 00] `c`", DecodeError::PropertyValue(Property::ReceiveMaximum)),
    (V5, "82: 00 01 00 `a` c0", DecodeError::SubscriptionOptions), // [MQTT-3.8.3-5]
    (V3_1_1, "82: 00 01 `a+/b` 00", DecodeError::Filter(FilterError::Wildcard)), // [MQTT-4.7.1-2]
    (V5, "c0 80 00", DecodeError::VariableByteInteger),            // [MQTT-1.5.5-1]
    (ALL, "10 02 00 00", DecodeError::ProtocolName), // once crashed a server before anybody had logged in
];

#[test]
fn what_other_codecs_get_wrong_is_right_here() {
    for (versions, notation) in REFUSED_ELSEWHERE {
        for version in *versions {
            let decoded = decode(&bytes(notation), *version);
            assert!(decoded.is_ok(), "{version:?}: {notation}: {decoded:?}");
        }
    }
    refused(TAKEN_ELSEWHERE);
}

/// What a server writes a refusal in, even where the rest is malformed.
#[test]
fn a_connect_tells_its_version_before_it_is_read() {
    for (notation, version) in [
        ("10: `MQIsdp` 03 01", Some(Version::V3_1)),
        ("10: `MQTT` 04 ff ff", Some(Version::V3_1_1)),
        ("10: `MQTT` 05", Some(Version::V5)),
        ("10: `MQTT` 06", None),
        ("10: `MQTT`", None),
        ("10: 00 00", None),
        ("30: `MQTT` 05", None),
    ] {
        let mut framer = Framer::new(u32::MAX);
        framer.push(bytes(notation).into());
        let frame = framer.next_frame().unwrap().unwrap();
        assert_eq!(frame.connect_version(), version, "{notation}");
    }
}
