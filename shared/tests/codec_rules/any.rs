//! Any valid packet, with every field that it can have.
//!
//! Lists and strings are mostly short, so that shrinking is quick; now and then a string is as long as it may be.

use bytes::Bytes;
use luxwire_shared::mqtt::{
    Acknowledge, AcknowledgeProperties, Auth, AuthProperties, Connack, ConnackProperties, Connect,
    ConnectProperties, Delivery, Disconnect, DisconnectProperties, Packet, PacketId, PayloadFormat, Publish,
    PublishProperties, PublishTopic, QoS, ReasonCode, RetainHandling, ShareName, Suback, Subscribable,
    Subscribe, SubscribeFilter, SubscriptionId, Text, TopicAlias, TopicFilter, TopicName, Unsuback,
    Unsubscribe, UserProperties, Version, Will, WillProperties,
};
use proptest::{collection::vec, option, prelude::*};
use std::num::{NonZeroU16, NonZeroU32};

/// Any of the fifteen. CONNECT comes in every version; whatever else only 5.0 can say is in there too.
pub(crate) fn packet() -> impl Strategy<Value = Packet> {
    prop_oneof![
        2 => connect().prop_map(|connect| Packet::Connect(Box::new(connect))),
        2 => connack().prop_map(|connack| Packet::Connack(Box::new(connack))),
        3 => publish().prop_map(Packet::Publish),
        1 => acknowledge(RECEIPT).prop_map(Packet::Puback),
        1 => acknowledge(RECEIPT).prop_map(Packet::Pubrec),
        1 => acknowledge(RELEASE).prop_map(Packet::Pubrel),
        1 => acknowledge(RELEASE).prop_map(Packet::Pubcomp),
        2 => subscribe().prop_map(Packet::Subscribe),
        1 => (packet_id(), acknowledge_properties(), codes(SUBACK))
            .prop_map(|(id, properties, reasons)| Packet::Suback(Suback { id, properties, reasons })),
        1 => (packet_id(), user_properties(), vec(subscribable(), 1..4)).prop_map(
            |(id, user_properties, filters)| Packet::Unsubscribe(Unsubscribe { id, user_properties, filters })
        ),
        1 => (packet_id(), acknowledge_properties(), codes(UNSUBACK))
            .prop_map(|(id, properties, reasons)| Packet::Unsuback(Unsuback { id, properties, reasons })),
        1 => prop_oneof![Just(Packet::Pingreq), Just(Packet::Pingresp)],
        1 => disconnect().prop_map(Packet::Disconnect),
        1 => auth().prop_map(Packet::Auth),
    ]
}

pub(crate) fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V3_1), Just(Version::V3_1_1), Just(Version::V5)]
}

fn text() -> impl Strategy<Value = Text> {
    let character = prop_oneof![any::<char>(), Just('a'), Just('/'), Just('\u{feff}')]
        .prop_filter("U+0000", |character| *character != '\0');
    let short = vec(character, 0..6).prop_map(|characters| characters.into_iter().collect::<String>());
    let long = Just("x".repeat(Text::LEN_MAX));
    prop_oneof![60 => short, 1 => long].prop_map(|text| Text::try_from(text.as_str()).unwrap())
}

fn binary() -> impl Strategy<Value = Bytes> {
    prop_oneof![60 => vec(any::<u8>(), 0..8), 1 => Just(vec![0xFF; 65_535])].prop_map(Bytes::from)
}

pub(crate) fn topic() -> impl Strategy<Value = TopicName> {
    let level =
        prop_oneof![Just(String::new()), Just("$a".to_owned()), Just("é".to_owned()), Just("b ".to_owned())];
    let short = vec(level, 1..5).prop_map(|levels| levels.join("/"));
    prop_oneof![40 => short, 1 => Just("/".repeat(Text::LEN_MAX))]
        .prop_filter_map("an empty topic", |name| TopicName::try_from(name.as_str()).ok())
}

fn filter() -> impl Strategy<Value = TopicFilter> {
    let level = prop_oneof![Just(""), Just("+"), Just("$a"), Just("é"), Just("b ")];
    let last = prop_oneof![Just(""), Just("+"), Just("#"), Just("c")];
    (vec(level, 0..4), last).prop_filter_map("an empty filter", |(mut levels, last)| {
        levels.push(last);
        TopicFilter::try_from(levels.join("/").as_str()).ok()
    })
}

fn subscribable() -> impl Strategy<Value = Subscribable> {
    let share = prop_oneof![Just("g"), Just("$"), Just("gruppe ä")]
        .prop_map(|name| ShareName::try_from(Text::try_from(name).unwrap()).unwrap());
    (option::of(share), filter()).prop_map(|(share, filter)| Subscribable { share, filter })
}

fn user_properties() -> impl Strategy<Value = UserProperties> {
    let pair = prop_oneof![(text(), text()), Just((Text::from_static("k"), Text::new()))];
    prop_oneof![3 => Just(Vec::new()), 3 => vec(pair, 1..4), 1 => Just(vec![(Text::new(), Text::from_static("v")); 64])]
}

fn packet_id() -> impl Strategy<Value = PacketId> {
    (1..=u16::MAX).prop_map(|number| PacketId::new(number).unwrap())
}

fn subscription_id() -> impl Strategy<Value = SubscriptionId> {
    prop_oneof![1..200_u32, 1..=SubscriptionId::MAX, Just(SubscriptionId::MAX)]
        .prop_map(|number| SubscriptionId::new(number).unwrap())
}

fn qos() -> impl Strategy<Value = QoS> {
    prop_oneof![Just(QoS::AtMostOnce), Just(QoS::AtLeastOnce), Just(QoS::ExactlyOnce)]
}

fn payload_format() -> impl Strategy<Value = PayloadFormat> {
    prop_oneof![Just(PayloadFormat::Bytes), Just(PayloadFormat::Text)]
}

fn two_bytes() -> impl Strategy<Value = Option<NonZeroU16>> {
    any::<u16>().prop_map(NonZeroU16::new)
}

fn four_bytes() -> impl Strategy<Value = Option<NonZeroU32>> {
    prop_oneof![Just(0), any::<u32>()].prop_map(NonZeroU32::new)
}

/// A method, data that belongs to it, or neither.
fn authentication() -> impl Strategy<Value = (Option<Text>, Option<Bytes>)> {
    prop_oneof![Just((None, None)), (text().prop_map(Some), option::of(binary()))]
}

/// One of these codes.
fn code(codes: &'static [ReasonCode]) -> impl Strategy<Value = ReasonCode> {
    prop::sample::select(codes)
}

fn codes(codes: &'static [ReasonCode]) -> impl Strategy<Value = Vec<ReasonCode>> {
    vec(code(codes), 1..5)
}

/// Properties that are all absent are no properties.
fn unless_empty<P: Default + PartialEq>(properties: P) -> Option<Box<P>> {
    (properties != P::default()).then(|| Box::new(properties))
}

fn connect() -> impl Strategy<Value = Connect> {
    let who = (version(), text(), option::of(text()), option::of(binary()));
    (who, any::<bool>(), any::<u16>(), option::of(will()), connect_properties()).prop_map(
        |((version, client_id, user_name, password), clean_start, keep_alive_s, will, properties)| {
            let is_5 = version == Version::V5;
            let mut will = will.map(Box::new);
            if let Some(will) = will.as_mut().filter(|_| !is_5) {
                will.properties = WillProperties::default();
            }
            Connect {
                version,
                clean_start,
                keep_alive_s,
                client_id,
                will,
                password: password.filter(|_| is_5 || user_name.is_some()),
                user_name,
                properties: if is_5 { properties } else { ConnectProperties::default() },
            }
        },
    )
}

fn connect_properties() -> impl Strategy<Value = ConnectProperties> {
    let limits = (option::of(any::<u32>()), two_bytes(), four_bytes(), option::of(any::<u16>()));
    let wishes = (option::of(any::<bool>()), option::of(any::<bool>()));
    (limits, wishes, user_properties(), authentication()).prop_map(
        |(limits, wishes, user_properties, (authentication_method, authentication_data))| ConnectProperties {
            session_expiry_interval_s: limits.0,
            receive_maximum: limits.1,
            maximum_packet_size: limits.2,
            topic_alias_maximum: limits.3,
            request_response_information: wishes.0,
            request_problem_information: wishes.1,
            user_properties,
            authentication_method,
            authentication_data,
        },
    )
}

fn will() -> impl Strategy<Value = Will> {
    let times = (option::of(any::<u32>()), option::of(any::<u32>()), option::of(payload_format()));
    let answer = (option::of(text()), option::of(topic()), option::of(binary()));
    let properties =
        (times, answer, user_properties()).prop_map(|(times, answer, user_properties)| WillProperties {
            will_delay_interval_s: times.0,
            payload_format: times.2,
            message_expiry_interval_s: times.1,
            content_type: answer.0,
            response_topic: answer.1,
            correlation_data: answer.2,
            user_properties,
        });
    (topic(), binary(), qos(), any::<bool>(), properties).prop_map(
        |(topic, payload, qos, retain, properties)| Will { topic, payload, qos, retain, properties },
    )
}

fn connack() -> impl Strategy<Value = Connack> {
    (any::<bool>(), prop_oneof![Just(ReasonCode::Success), code(CONNACK)], connack_properties()).prop_map(
        |(session_present, reason, properties)| Connack {
            session_present: session_present && reason == ReasonCode::Success,
            reason,
            properties,
        },
    )
}

fn connack_properties() -> impl Strategy<Value = ConnackProperties> {
    let flag = || option::of(any::<bool>());
    let texts = (option::of(text()), option::of(text()), option::of(text()), option::of(text()));
    let limits = (
        option::of(any::<u32>()),
        two_bytes(),
        // 2 is said by leaving it out.
        prop_oneof![Just(None), Just(Some(QoS::AtMostOnce)), Just(Some(QoS::AtLeastOnce))],
        four_bytes(),
        option::of(any::<u16>()),
        option::of(any::<u16>()),
    );
    (texts, limits, (flag(), flag(), flag(), flag()), user_properties(), authentication()).prop_map(
        |(texts, limits, flags, user_properties, (authentication_method, authentication_data))| {
            ConnackProperties {
                session_expiry_interval_s: limits.0,
                receive_maximum: limits.1,
                maximum_qos: limits.2,
                retain_available: flags.0,
                maximum_packet_size: limits.3,
                assigned_client_id: texts.0,
                topic_alias_maximum: limits.4,
                reason_string: texts.1,
                user_properties,
                wildcard_subscription_available: flags.1,
                subscription_ids_available: flags.2,
                shared_subscription_available: flags.3,
                server_keep_alive_s: limits.5,
                response_information: texts.2,
                server_reference: texts.3,
                authentication_method,
                authentication_data,
            }
        },
    )
}

fn publish() -> impl Strategy<Value = Publish> {
    let alias = || (1..=u16::MAX).prop_map(|alias| TopicAlias(NonZeroU16::new(alias).unwrap()));
    let topic = prop_oneof![
        2 => topic().prop_map(PublishTopic::Name),
        1 => alias().prop_map(PublishTopic::Alias),
        1 => (topic(), alias()).prop_map(|(topic, alias)| PublishTopic::NameAndAlias(topic, alias)),
    ];
    let delivery = prop_oneof![
        Just(Delivery::AtMostOnce),
        (packet_id(), any::<bool>()).prop_map(|(id, dup)| Delivery::AtLeastOnce { id, dup }),
        (packet_id(), any::<bool>()).prop_map(|(id, dup)| Delivery::ExactlyOnce { id, dup }),
    ];
    let payload = prop_oneof![vec(any::<u8>(), 0..40), Just(vec![0x80; 200])].prop_map(Bytes::from);
    (delivery, any::<bool>(), topic, publish_properties(), payload).prop_map(
        |(delivery, retain, topic, properties, payload)| Publish {
            delivery,
            retain,
            topic,
            properties: unless_empty(properties),
            payload,
        },
    )
}

fn publish_properties() -> impl Strategy<Value = PublishProperties> {
    let answer = (option::of(text()), option::of(topic()), option::of(binary()));
    let form = (option::of(payload_format()), option::of(any::<u32>()), vec(subscription_id(), 0..4));
    let some =
        (answer, form, user_properties()).prop_map(|(answer, form, user_properties)| PublishProperties {
            payload_format: form.0,
            message_expiry_interval_s: form.1,
            response_topic: answer.1,
            correlation_data: answer.2,
            user_properties,
            subscription_ids: form.2,
            content_type: answer.0,
        });
    prop_oneof![1 => Just(PublishProperties::default()), 2 => some]
}

fn acknowledge_properties() -> impl Strategy<Value = Option<Box<AcknowledgeProperties>>> {
    (option::of(text()), user_properties()).prop_map(|(reason_string, user_properties)| {
        unless_empty(AcknowledgeProperties { reason_string, user_properties })
    })
}

fn acknowledge(codes: &'static [ReasonCode]) -> impl Strategy<Value = Acknowledge> {
    (packet_id(), code(codes), acknowledge_properties()).prop_map(|(id, reason, properties)| Acknowledge {
        id,
        reason,
        properties,
    })
}

fn subscribe() -> impl Strategy<Value = Subscribe> {
    let handling = prop_oneof![
        Just(RetainHandling::Send),
        Just(RetainHandling::SendIfNew),
        Just(RetainHandling::DoNotSend)
    ];
    let filter = (subscribable(), qos(), any::<bool>(), any::<bool>(), handling).prop_map(
        |(filter, qos, no_local, retain_as_published, retain_handling)| SubscribeFilter {
            no_local: no_local && filter.share.is_none(),
            filter,
            qos,
            retain_as_published,
            retain_handling,
        },
    );
    (packet_id(), option::of(subscription_id()), user_properties(), vec(filter, 1..4)).prop_map(
        |(id, subscription_id, user_properties, filters)| Subscribe {
            id,
            subscription_id,
            user_properties,
            filters,
        },
    )
}

fn disconnect() -> impl Strategy<Value = Disconnect> {
    let reason = prop_oneof![Just(ReasonCode::Success), code(DISCONNECT)];
    (reason, option::of(any::<u32>()), option::of(text()), user_properties(), option::of(text())).prop_map(
        |(reason, session_expiry_interval_s, reason_string, user_properties, server_reference)| Disconnect {
            reason,
            properties: unless_empty(DisconnectProperties {
                session_expiry_interval_s,
                reason_string,
                user_properties,
                server_reference,
            }),
        },
    )
}

fn auth() -> impl Strategy<Value = Auth> {
    let properties = (text(), option::of(binary()), option::of(text()), user_properties()).prop_map(
        |(method, authentication_data, reason_string, user_properties)| AuthProperties {
            authentication_method: Some(method),
            authentication_data,
            reason_string,
            user_properties,
        },
    );
    prop_oneof![
        1 => Just(Auth { reason: ReasonCode::Success, properties: None }),
        4 => (code(AUTH), properties)
            .prop_map(|(reason, properties)| Auth { reason, properties: Some(Box::new(properties)) }),
    ]
}

const CONNACK: &[ReasonCode] = &[
    ReasonCode::Unspecified,
    ReasonCode::MalformedPacket,
    ReasonCode::ProtocolError,
    ReasonCode::UnsupportedProtocolVersion,
    ReasonCode::ClientIdentifierNotValid,
    ReasonCode::BadUserNameOrPassword,
    ReasonCode::NotAuthorized,
    ReasonCode::ServerUnavailable,
    ReasonCode::ServerBusy,
    ReasonCode::Banned,
    ReasonCode::BadAuthenticationMethod,
    ReasonCode::TopicNameInvalid,
    ReasonCode::UseAnotherServer,
    ReasonCode::ServerMoved,
    ReasonCode::ConnectionRateExceeded,
];
const RECEIPT: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::NoMatchingSubscribers,
    ReasonCode::Unspecified,
    ReasonCode::NotAuthorized,
    ReasonCode::PacketIdentifierInUse,
    ReasonCode::PayloadFormatInvalid,
];
const RELEASE: &[ReasonCode] = &[ReasonCode::Success, ReasonCode::PacketIdentifierNotFound];
const SUBACK: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::GrantedQoS1,
    ReasonCode::GrantedQoS2,
    ReasonCode::Unspecified,
    ReasonCode::NotAuthorized,
    ReasonCode::WildcardSubscriptionsNotSupported,
];
const UNSUBACK: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::NoSubscriptionExisted,
    ReasonCode::NotAuthorized,
    ReasonCode::PacketIdentifierInUse,
];
const DISCONNECT: &[ReasonCode] = &[
    ReasonCode::DisconnectWithWill,
    ReasonCode::ProtocolError,
    ReasonCode::KeepAliveTimeout,
    ReasonCode::SessionTakenOver,
    ReasonCode::MaximumConnectTime,
    ReasonCode::WildcardSubscriptionsNotSupported,
];
const AUTH: &[ReasonCode] =
    &[ReasonCode::Success, ReasonCode::ContinueAuthentication, ReasonCode::ReAuthenticate];
