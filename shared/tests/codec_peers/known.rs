//! The table of known differences between our codec and the others: who is right, and by which statement.
//!
//! A row is removed when its example no longer differs, which a test notices.

use crate::{
    Case, Difference,
    Peer::{self, MqttProtocolCore, Mqttbytes, RmqttCodec},
};
use luxwire_shared::mqtt::{
    ConnackProperties, Connect, ConnectProperties, DecodeError, FilterError, Packet, PacketType,
    PayloadFormat, Property, PublishProperties, TextError, TopicError, Version,
};

/// One known difference.
pub(crate) struct Known {
    /// Who differs from us in this.
    pub(crate) peers: &'static [Peer],
    /// What they do otherwise.
    pub(crate) what: &'static str,
    pub(crate) right: Right,
    /// A packet that shows it with each of the peers, as people read bytes: two hexadecimal digits each, and text in
    /// quotes.
    pub(crate) example: (Version, &'static str),
    /// Whether it is the reason for a difference.
    pub(crate) when: fn(&Case) -> bool,
}

/// Who is right.
pub(crate) enum Right {
    /// We are, by this statement or section of 5.0, or of the version named.
    We(&'static str),
    /// Both: the specification leaves a choice, or the packet is refused elsewhere, and this is why ours is ours.
    Both(&'static str),
}

impl Known {
    pub(crate) fn explains(&self, case: &Case) -> bool {
        self.peers.contains(&case.peer) && (self.when)(case)
    }
}

/// `bytes("10 0c 00 04 'MQTT' 04 02")`
pub(crate) fn bytes(notation: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, part) in notation.split('\'').enumerate() {
        match at % 2 {
            0 => bytes.extend(part.split_whitespace().map(|digits| u8::from_str_radix(digits, 16).unwrap())),
            _ => bytes.extend(part.as_bytes()),
        }
    }
    bytes
}

/// The peer accepts what we refuse with this error.
macro_rules! they_accept {
    ($error:pat) => {
        |case| matches!(case.difference, Difference::OnlyThey($error))
    };
}

/// The peer refuses a packet of this type that we accept, and that fulfils the condition.
macro_rules! they_refuse {
    ($packet_type:pat $(, $case:ident if $condition:expr)?) => {
        |case| {
            $(let $case = case;)?
            matches!(case.difference, Difference::OnlyWe(_))
                && matches!(case.packet_type(), $packet_type)
                $(&& $condition)?
        }
    };
}

use Right::{Both, We};
use Version::{V3_1, V3_1_1, V5};

pub(crate) const KNOWN: &[Known] = &[
    Known {
        peers: &[Mqttbytes],
        what: "accepts any flags in the fixed header",
        right: We("[MQTT-2.1.3-1]"),
        example: (V3_1_1, "e6 00"),
        when: they_accept!(DecodeError::Flags),
    },
    Known {
        peers: &[MqttProtocolCore],
        what: "accepts any flags in the fixed header",
        right: Both("its parsers get the body alone; the fixed header is the business of its connection"),
        example: (V3_1_1, "e6 00"),
        when: they_accept!(DecodeError::Flags),
    },
    Known {
        peers: &[Mqttbytes, RmqttCodec, MqttProtocolCore],
        what: "accepts a length that is longer than needed",
        right: We("[MQTT-1.5.5-1]"),
        example: (V5, "c0 80 00"),
        when: they_accept!(DecodeError::VariableByteInteger),
    },
    Known {
        peers: &[Mqttbytes],
        what: "accepts bytes behind the last field",
        right: We("4.13.1: such a packet cannot be parsed according to the specification"),
        example: (V3_1_1, "e0 01 04"),
        when: they_accept!(DecodeError::TrailingBytes),
    },
    Known {
        peers: &[RmqttCodec],
        what: "accepts bytes behind the last field of some packets",
        right: We("4.13.1: such a packet cannot be parsed according to the specification"),
        example: (V3_1_1, "c0 01 00"),
        when: they_accept!(DecodeError::TrailingBytes),
    },
    Known {
        peers: &[MqttProtocolCore],
        what: "accepts a reason code behind the acknowledgements of 3.1.1",
        right: We("3.1.1: 3.4 to 3.7 give them a packet identifier and nothing else"),
        example: (V3_1_1, "40 03 01 02 00"),
        when: they_accept!(DecodeError::TrailingBytes),
    },
    Known {
        peers: &[Mqttbytes, RmqttCodec, MqttProtocolCore],
        what: "accepts U+0000 in a string",
        right: We("[MQTT-1.5.4-2]"),
        example: (V3_1_1, "30 03 00 01 00"),
        when: they_accept!(DecodeError::Text(TextError::Null)),
    },
    Known {
        peers: &[Mqttbytes, RmqttCodec, MqttProtocolCore],
        what: "accepts wildcards in a topic name",
        right: We("[MQTT-3.3.2-2]"),
        example: (V3_1_1, "30 05 00 03 'a/#'"),
        when: they_accept!(DecodeError::Topic(TopicError::Wildcard)),
    },
    Known {
        peers: &[Mqttbytes, MqttProtocolCore],
        what: "accepts an empty topic name",
        right: We("[MQTT-4.7.3-1]"),
        example: (V3_1_1, "30 02 00 00"),
        when: they_accept!(DecodeError::Topic(TopicError::Empty)),
    },
    Known {
        peers: &[MqttProtocolCore],
        what: "accepts a PUBLISH that ends before the length of its properties",
        right: We("[MQTT-2.2.2-1]"),
        example: (V5, "30 03 00 01 'a'"),
        when: |case| {
            case.packet_type() == PacketType::Publish
                && case.difference == Difference::OnlyThey(DecodeError::Truncated)
        },
    },
    Known {
        peers: &[Mqttbytes, RmqttCodec, MqttProtocolCore],
        what: "accepts a PUBLISH with neither a topic name nor an alias",
        right: We("3.3.2.1"),
        example: (V5, "30 03 00 00 00"),
        when: they_accept!(DecodeError::TopicMissing),
    },
    Known {
        peers: &[Mqttbytes, RmqttCodec, MqttProtocolCore],
        what: "accepts a response topic that is no topic name",
        right: We("[MQTT-3.3.2-14] [MQTT-4.7.3-1]"),
        example: (V5, "30 09 00 01 'a' 05 08 00 02 'a#'"),
        when: they_accept!(DecodeError::ResponseTopic(_)),
    },
    Known {
        peers: &[Mqttbytes, RmqttCodec, MqttProtocolCore],
        what: "accepts an empty filter",
        right: We("[MQTT-4.7.3-1]"),
        example: (V5, "82 06 00 01 00 00 00 00"),
        when: they_accept!(DecodeError::Filter(FilterError::Empty)),
    },
    Known {
        peers: &[Mqttbytes, RmqttCodec, MqttProtocolCore],
        what: "accepts wildcards that do not fill their level",
        right: We("[MQTT-4.7.1-1] [MQTT-4.7.1-2]"),
        example: (V3_1_1, "82 09 00 01 00 04 'a+/b' 00"),
        when: they_accept!(DecodeError::Filter(FilterError::Wildcard)),
    },
    Known {
        peers: &[Mqttbytes, RmqttCodec],
        what: "accepts a shared subscription without a group or a filter",
        right: We("[MQTT-4.8.2-1] [MQTT-4.8.2-2]"),
        example: (V5, "82 0e 00 01 00 00 08 '$share//' 00"),
        when: they_accept!(DecodeError::Filter(FilterError::Share)),
    },
    Known {
        peers: &[MqttProtocolCore],
        what: "takes $share/ in 3.1.1 for the beginning of an ordinary filter",
        right: Both("3.1.1 has no shared subscriptions, and we offer them there too"),
        example: (V3_1_1, "82 0d 00 01 00 08 '$share//' 00"),
        when: they_accept!(DecodeError::Filter(FilterError::Share)),
    },
    Known {
        peers: &[Mqttbytes, MqttProtocolCore],
        what: "accepts the reserved flag of CONNECT",
        right: We("[MQTT-3.1.2-3]"),
        example: (V3_1_1, "10 10 00 04 'MQTT' 04 03 00 3c 00 04 'lamp'"),
        when: they_accept!(DecodeError::ConnectFlags),
    },
    Known {
        peers: &[MqttProtocolCore],
        what: "accepts QoS and retain of a will that is not there",
        right: We("[MQTT-3.1.2-11] [MQTT-3.1.2-13]"),
        example: (V3_1_1, "10 10 00 04 'MQTT' 04 0a 00 3c 00 04 'lamp'"),
        when: they_accept!(DecodeError::WillFlags),
    },
    Known {
        peers: &[RmqttCodec],
        what: "accepts QoS and retain of a will that is not there in 5.0",
        right: We("[MQTT-3.1.2-11] [MQTT-3.1.2-13]"),
        example: (V5, "10 11 00 04 'MQTT' 05 0a 00 3c 00 00 04 'lamp'"),
        when: |case| case.version == V5 && case.difference == Difference::OnlyThey(DecodeError::WillFlags),
    },
    Known {
        peers: &[MqttProtocolCore],
        what: "accepts QoS 3 of a will",
        right: We("[MQTT-3.1.2-12]"),
        example: (V3_1_1, "10 19 00 04 'MQTT' 04 1e 00 3c 00 04 'lamp' 00 03 'w/t' 00 02 'on'"),
        when: they_accept!(DecodeError::QoS),
    },
    Known {
        peers: &[Mqttbytes, RmqttCodec],
        what: "accepts a password without a user name",
        right: We("3.1.1: [MQTT-3.1.2-22]"),
        example: (V3_1_1, "10 12 00 04 'MQTT' 04 42 00 3c 00 04 'lamp' 00 00"),
        when: they_accept!(DecodeError::PasswordWithoutUserName),
    },
    Known {
        peers: &[Mqttbytes],
        what: "does not tell an empty user name or password from none",
        right: We("3.1.3.5 and 3.1.3.6: the flags say which are there, and either may be empty"),
        example: (V3_1_1, "10 15 00 04 'MQTT' 04 80 00 3c 00 04 'lamp' 00 03 'eve'"),
        when: |case| {
            matches!(case.difference, Difference::Fields(..))
                && case.connect().is_some_and(|connect| {
                    connect.user_name.is_some()
                        && connect.password.as_ref().is_none_or(|password| password.is_empty())
                })
        },
    },
    Known {
        peers: &[Mqttbytes],
        what: "refuses a password that is not UTF-8",
        right: We("3.1.3.6: binary data"),
        example: (V3_1_1, "10 17 00 04 'MQTT' 04 c2 00 3c 00 04 'lamp' 00 01 'e' 00 02 ff 00"),
        when: |case| {
            matches!(&case.difference, Difference::OnlyWe(error) if error == "TopicNotUtf8")
                && case.connect().is_some_and(|connect| connect.password.is_some())
        },
    },
    Known {
        peers: &[RmqttCodec],
        what: "refuses a CONNECT without client identifier that wants its session kept",
        right: Both(
            "3.1.1: [MQTT-3.1.3-8] wants a CONNACK that says so, which the codec cannot send; 5.0 allows it",
        ),
        example: (V5, "10 0d 00 04 'MQTT' 05 00 00 3c 00 00 00"),
        when: they_refuse!(PacketType::Connect, case if case.connect().is_some_and(|connect| connect.client_id.is_empty() && !connect.clean_start)),
    },
    Known {
        peers: &[RmqttCodec],
        what: "refuses a 3.1 CONNECT that ends before the user name its flags announce",
        right: We("3.1: the Remaining Length takes precedence over the User Name flag"),
        example: (V3_1, "10 12 00 06 'MQIsdp' 03 c2 00 3c 00 04 'lamp'"),
        when: they_refuse!(PacketType::Connect, case if case.version == V3_1 && case.connect().is_some_and(|connect| connect.password.is_none())),
    },
    Known {
        peers: &[RmqttCodec],
        what: "writes the protocol level 4 behind the name of 3.1",
        right: We("3.1: level 3 belongs to MQIsdp"),
        example: (V3_1, "10 12 00 06 'MQIsdp' 03 02 00 3c 00 04 'lamp'"),
        when: |case| case.difference == Difference::Rewritten(Err("ProtocolLevel(4)".to_owned())),
    },
    Known {
        peers: &[RmqttCodec],
        what: "refuses the flag that 3.1 sets when it sends a packet again",
        right: We("3.1: DUP is set for SUBSCRIBE, UNSUBSCRIBE and PUBREL too"),
        example: (V3_1, "6a 02 01 92"),
        when: |case| {
            case.version == V3_1
                && case.bytes[0] & 0x08 != 0
                && matches!(&case.difference, Difference::OnlyWe(error) if error == "UnsupportedPacketType")
        },
    },
    Known {
        peers: &[Mqttbytes, MqttProtocolCore],
        what: "accepts reserved acknowledge flags",
        right: We("[MQTT-3.2.2-1]"),
        example: (V3_1_1, "20 02 24 00"),
        when: they_accept!(DecodeError::ConnackFlags),
    },
    Known {
        peers: &[Mqttbytes, RmqttCodec, MqttProtocolCore],
        what: "accepts a refusal that claims a session",
        right: We("[MQTT-3.2.2-6]"),
        example: (V3_1_1, "20 02 01 01"),
        when: they_accept!(DecodeError::SessionPresentOnRefusal),
    },
    Known {
        peers: &[RmqttCodec],
        what: "looks for acknowledge flags in a CONNACK of 3.1",
        right: We("3.1: the first byte is reserved and not used"),
        example: (V3_1, "20 02 01 00"),
        when: |case| {
            case.version == V3_1
                && case.packet_type() == PacketType::Connack
                && matches!(case.difference, Difference::Fields(..) | Difference::OnlyWe(_))
        },
    },
    Known {
        peers: &[RmqttCodec],
        what: "accepts the return code 6",
        right: We("3.1.1: 6 to 255 are reserved"),
        example: (V3_1_1, "20 02 00 06"),
        when: |case| case.difference == Difference::OnlyThey(DecodeError::ReasonCode(6)),
    },
    Known {
        peers: &[RmqttCodec],
        what: "accepts a Maximum Packet Size of 0 in CONNACK",
        right: We("3.2.2.3.6"),
        example: (V5, "20 08 00 00 05 27 00 00 00 00"),
        when: they_accept!(DecodeError::PropertyValue(Property::MaximumPacketSize)),
    },
    Known {
        peers: &[RmqttCodec],
        what: "accepts a Maximum QoS of 2 in CONNACK",
        right: We("3.2.2.3.4"),
        example: (V5, "20 05 00 00 02 24 02"),
        when: they_accept!(DecodeError::PropertyValue(Property::MaximumQoS)),
    },
    Known {
        peers: &[Mqttbytes],
        what: "writes a CONNACK without properties without their length",
        right: We("[MQTT-2.2.2-1]"),
        example: (V5, "20 03 01 00 00"),
        when: |case| {
            case.packet_type() == PacketType::Connack
                && case.difference == Difference::Rewritten(Err("Truncated".to_owned()))
        },
    },
    Known {
        peers: &[Mqttbytes, RmqttCodec, MqttProtocolCore],
        what: "accepts DUP at QoS 0",
        right: We("[MQTT-3.3.1-2]"),
        example: (V3_1_1, "38 03 00 01 'a'"),
        when: they_accept!(DecodeError::DupAtQoS0),
    },
    Known {
        peers: &[Mqttbytes, MqttProtocolCore],
        what: "accepts the packet identifier 0",
        right: We("[MQTT-2.2.1-3]"),
        example: (V3_1_1, "90 03 00 00 01"),
        when: they_accept!(DecodeError::PacketId),
    },
    Known {
        peers: &[Mqttbytes],
        what: "accepts a SUBSCRIBE or UNSUBSCRIBE without a filter",
        right: We("[MQTT-3.8.3-2] [MQTT-3.10.3-2]"),
        example: (V3_1_1, "82 02 00 05"),
        when: they_accept!(DecodeError::NoFilters),
    },
    Known {
        peers: &[Mqttbytes, RmqttCodec, MqttProtocolCore],
        what: "accepts No Local on a shared subscription",
        right: We("[MQTT-3.8.3-4]"),
        example: (V5, "82 10 00 01 00 00 0a '$share/g/b' 04"),
        when: they_accept!(DecodeError::NoLocalOnShare),
    },
    Known {
        peers: &[Mqttbytes],
        what: "accepts reserved bits in the subscription options",
        right: We("[MQTT-3.8.3-5]"),
        example: (V5, "82 07 00 01 00 00 01 'a' c0"),
        when: they_accept!(DecodeError::SubscriptionOptions),
    },
    Known {
        peers: &[RmqttCodec, MqttProtocolCore],
        what: "accepts the options of 5.0 in 3.1.1",
        right: We("3.1.1: [MQTT-3.8.3-4]"),
        example: (V3_1_1, "82 06 00 01 00 01 'a' 04"),
        when: they_accept!(DecodeError::SubscriptionOptions),
    },
    Known {
        peers: &[RmqttCodec],
        what: "accepts a SUBACK that answers no filter",
        right: We("[MQTT-3.8.4-6]"),
        example: (V3_1_1, "90 02 00 ff"),
        when: they_accept!(DecodeError::NoReasonCodes),
    },
    Known {
        peers: &[Mqttbytes],
        what: "refuses the DISCONNECT of two bytes",
        right: We("3.14.2.1"),
        example: (V5, "e0 00"),
        when: they_refuse!(PacketType::Disconnect, case if case.bytes.len() == 2),
    },
    Known {
        peers: &[Mqttbytes],
        what: "refuses a DISCONNECT that ends behind its reason",
        right: We("3.14.2.2.1"),
        example: (V5, "e0 01 04"),
        when: they_refuse!(PacketType::Disconnect, case if case.bytes.len() == 3),
    },
    Known {
        peers: &[Mqttbytes],
        what: "has no AUTH",
        right: We("3.15"),
        example: (V5, "f0 00"),
        when: they_refuse!(PacketType::Auth),
    },
    Known {
        peers: &[RmqttCodec, MqttProtocolCore],
        what: "accepts an AUTH that ends behind its reason",
        right: We("3.15.2.1: both may be left out, and only together"),
        example: (V5, "f0 01 00"),
        when: |case| {
            case.packet_type() == PacketType::Auth
                && case.difference == Difference::OnlyThey(DecodeError::Truncated)
        },
    },
    Known {
        peers: &[RmqttCodec],
        what: "accepts authentication data, or an AUTH, without a method",
        right: We("3.1.2.11.10, 3.15.2.2.2"),
        example: (V5, "f0 02 18 00"),
        when: they_accept!(DecodeError::AuthenticationMethodMissing),
    },
    Known {
        peers: &[Mqttbytes],
        what: "does not notice where the block of properties ends",
        right: We("3.1.2.11.1 and its kin: the length of the properties"),
        example: (V5, "30 09 00 01 'a' 04 08 00 02 'aa'"),
        when: they_accept!(DecodeError::PropertyLength),
    },
    Known {
        peers: &[Mqttbytes],
        what: "counts a Subscription Identifier one byte too long, and takes the properties that follow for something else",
        right: We("3.3.2.3.8, 3.8.2.1.2"),
        example: (V5, "30 0b 00 01 'a' 06 0b 01 0b 01 01 00 'x'"),
        when: |case| {
            matches!(case.packet_type(), PacketType::Publish | PacketType::Subscribe)
                && case.bytes.contains(&Property::SubscriptionId.number())
                && matches!(
                    case.difference,
                    Difference::Fields(..)
                        | Difference::OnlyThey(
                            DecodeError::PropertyUnknown(_) | DecodeError::PropertyNotAllowed(_)
                        )
                )
        },
    },
    Known {
        peers: &[Mqttbytes],
        what: "accepts a property that stands twice",
        right: We("2.2.2.2 and each property: a protocol error to include it more than once"),
        example: (V5, "10 17 00 04 'MQTT' 05 02 00 3c 06 21 00 01 21 00 01 00 04 'lamp'"),
        when: they_accept!(DecodeError::PropertyRepeated(_)),
    },
    Known {
        peers: &[Mqttbytes],
        what: "accepts values that a property cannot have",
        right: We("3.1.2.11 and its kin"),
        example: (V5, "10 14 00 04 'MQTT' 05 02 00 3c 03 21 00 00 00 04 'lamp'"),
        when: they_accept!(DecodeError::PropertyValue(_)),
    },
    Known {
        peers: &[Mqttbytes],
        what: "accepts the topic alias 0",
        right: We("[MQTT-3.3.2-8]"),
        example: (V5, "30 06 00 00 03 23 00 00"),
        when: they_accept!(DecodeError::TopicAlias),
    },
    Known {
        peers: &[RmqttCodec],
        what: "does not tell a property that says what its absence says from an absent one",
        right: Both("either says the same; we keep what was sent"),
        example: (V5, "10 14 00 04 'MQTT' 05 02 00 3c 03 22 00 00 00 04 'lamp'"),
        when: |case| {
            matches!((&case.ours, &case.difference), (Some(ours), Difference::Rewritten(Ok(theirs)))
            if without_defaults(ours) == without_defaults(theirs))
        },
    },
    Known {
        peers: &[RmqttCodec],
        what: "refuses the message expiry 0",
        right: We("3.3.2.3.3 allows it"),
        example: (V5, "30 09 00 01 'a' 05 02 00 00 00 00"),
        when: they_refuse!(PacketType::Publish | PacketType::Connect, case if case.expires_at_once()),
    },
];

impl Case {
    fn packet_type(&self) -> PacketType {
        PacketType::from_number(self.bytes[0] >> 4).unwrap()
    }

    fn connect(&self) -> Option<&Connect> {
        match &self.ours {
            Some(Packet::Connect(connect)) => Some(connect),
            _ => None,
        }
    }

    fn expires_at_once(&self) -> bool {
        let expiry_s = match &self.ours {
            Some(Packet::Publish(publish)) => {
                publish.properties.as_ref().and_then(|properties| properties.message_expiry_interval_s)
            }
            Some(Packet::Connect(connect)) => {
                connect.will.as_ref().and_then(|will| will.properties.message_expiry_interval_s)
            }
            _ => None,
        };
        expiry_s == Some(0)
    }
}

/// The packet without the properties that say what their absence says.
fn without_defaults(packet: &Packet) -> Packet {
    let mut packet = packet.clone();
    match &mut packet {
        Packet::Connect(connect) => {
            let ConnectProperties {
                session_expiry_interval_s,
                topic_alias_maximum,
                request_response_information,
                request_problem_information,
                ..
            } = &mut connect.properties;
            session_expiry_interval_s.take_if(|interval| *interval == 0);
            topic_alias_maximum.take_if(|maximum| *maximum == 0);
            request_response_information.take_if(|wanted| !*wanted);
            request_problem_information.take_if(|wanted| *wanted);
        }
        Packet::Connack(connack) => {
            let ConnackProperties {
                receive_maximum,
                retain_available,
                topic_alias_maximum,
                wildcard_subscription_available,
                subscription_ids_available,
                shared_subscription_available,
                ..
            } = &mut connack.properties;
            receive_maximum.take_if(|maximum| maximum.get() == u16::MAX);
            topic_alias_maximum.take_if(|maximum| *maximum == 0);
            for available in [
                retain_available,
                wildcard_subscription_available,
                subscription_ids_available,
                shared_subscription_available,
            ] {
                available.take_if(|available| *available);
            }
        }
        Packet::Publish(publish) => {
            publish.properties.take_if(|properties| {
                properties.payload_format.take_if(|format| *format == PayloadFormat::Bytes);
                **properties == PublishProperties::default()
            });
        }
        _ => {}
    }
    packet
}
