//! `-D COMMAND PROPERTY VALUE`: the properties of 5.0, by the names that the specification gives them.

use super::{Flags, Mistake, one::check_topic};
use bytes::Bytes;
use luxwire_shared::mqtt::{PayloadFormat, SubscriptionId, Text, UserProperties};
use std::{
    ffi::OsString,
    num::{NonZeroU16, NonZeroU32},
    vec,
};

/// The packets that have properties.
const COMMANDS: [&str; 15] = [
    "connect",
    "connack",
    "publish",
    "puback",
    "pubrec",
    "pubrel",
    "pubcomp",
    "subscribe",
    "suback",
    "unsubscribe",
    "unsuback",
    "disconnect",
    "auth",
    "will",
    "pingreq",
];

/// The properties that the specification has, the packets that may bring each of them, and who sends those.
const PROPERTIES: [(&str, &[&str]); 27] = [
    ("payload-format-indicator", &["publish", "will"]),
    ("message-expiry-interval", &["publish", "will"]),
    ("content-type", &["publish", "will"]),
    ("response-topic", &["publish", "will"]),
    ("correlation-data", &["publish", "will"]),
    ("subscription-identifier", &["publish", "subscribe"]),
    ("session-expiry-interval", &["connect", "connack", "disconnect"]),
    ("assigned-client-identifier", &["connack"]),
    ("server-keep-alive", &["connack"]),
    ("authentication-method", &["connect", "connack", "auth"]),
    ("authentication-data", &["connect", "connack", "auth"]),
    ("request-problem-information", &["connect"]),
    ("will-delay-interval", &["will"]),
    ("request-response-information", &["connect"]),
    ("response-information", &["connack"]),
    ("server-reference", &["connack", "disconnect"]),
    (
        "reason-string",
        &["connack", "puback", "pubrec", "pubrel", "pubcomp", "suback", "unsuback", "disconnect", "auth"],
    ),
    ("receive-maximum", &["connect", "connack"]),
    ("topic-alias-maximum", &["connect", "connack"]),
    ("topic-alias", &["publish"]),
    ("maximum-qos", &["connack"]),
    ("retain-available", &["connack"]),
    ("user-property", &COMMANDS),
    ("maximum-packet-size", &["connect", "connack"]),
    ("wildcard-subscription-available", &["connack"]),
    ("subscription-identifier-available", &["connack"]),
    ("shared-subscription-available", &["connack"]),
];

/// What stands behind `-D`.
struct Property {
    command: String,
    name: String,
    /// Of a user property.
    key: Text,
    value: String,
}

pub(super) fn read(flags: &mut Flags, arguments: &mut vec::IntoIter<OsString>) -> Result<(), Mistake> {
    let property = Property::take(arguments)?;
    let command = property.command.clone();
    match (command.as_str(), property.name.as_str()) {
        (_, "user-property") => {
            let list: &mut UserProperties = match command.as_str() {
                "connect" => &mut flags.extras.connect.user_properties,
                "publish" => {
                    flags.publish.has_properties = true;
                    &mut flags.publish.properties.user_properties
                }
                "subscribe" => &mut flags.extras.subscribe,
                "unsubscribe" => &mut flags.extras.unsubscribe,
                "disconnect" => &mut flags.extras.disconnect.user_properties,
                "will" => &mut flags.will.properties.user_properties,
                _ => return Err(property.unsupported()),
            };
            list.push((property.key.clone(), property.text()?));
            Ok(())
        }
        ("connect", _) => connect(flags, &property),
        ("publish", _) => publish(flags, &property),
        ("will", _) => will(flags, &property),
        ("subscribe", "subscription-identifier") => {
            let id = SubscriptionId::new(property.number()?).ok_or_else(|| property.out_of_range())?;
            property.once(&mut flags.extras.subscription_id, id)
        }
        ("disconnect", "session-expiry-interval") => {
            property.once(&mut flags.extras.disconnect.session_expiry_interval_s, property.number()?)
        }
        ("disconnect", "reason-string") => {
            property.once(&mut flags.extras.disconnect.reason_string, property.text()?)
        }
        _ => Err(property.unsupported()),
    }
}

fn connect(flags: &mut Flags, property: &Property) -> Result<(), Mistake> {
    let said = &mut flags.extras.connect;
    match property.name.as_str() {
        "session-expiry-interval" => property.once(&mut said.session_expiry_interval_s, property.number()?),
        "receive-maximum" => {
            property.once(&mut said.receive_maximum, property.not_zero(NonZeroU16::new(property.number()?))?)
        }
        "maximum-packet-size" => property
            .once(&mut said.maximum_packet_size, property.not_zero(NonZeroU32::new(property.number()?))?),
        "topic-alias-maximum" => property.once(&mut said.topic_alias_maximum, property.number()?),
        "request-problem-information" => {
            property.once(&mut said.request_problem_information, property.number::<u8>()? != 0)
        }
        "request-response-information" => {
            property.once(&mut said.request_response_information, property.number::<u8>()? != 0)
        }
        "authentication-method" => property.once(&mut said.authentication_method, property.text()?),
        "authentication-data" => property.once(&mut said.authentication_data, property.bytes()),
        _ => Err(property.unsupported()),
    }
}

fn publish(flags: &mut Flags, property: &Property) -> Result<(), Mistake> {
    let said = &mut flags.publish.properties;
    flags.publish.has_properties = true;
    match property.name.as_str() {
        "payload-format-indicator" => property.once(&mut said.payload_format, property.payload_format()?),
        "message-expiry-interval" => property.once(&mut said.message_expiry_interval_s, property.number()?),
        "content-type" => property.once(&mut said.content_type, property.text()?),
        "response-topic" => {
            property.once(&mut said.response_topic, check_topic(&property.value, "response")?)
        }
        "correlation-data" => property.once(&mut said.correlation_data, property.bytes()),
        // Whoever receives the message cannot see whether it came by an alias: the name is always sent.
        "topic-alias" => property.not_zero(NonZeroU16::new(property.number()?)).map(drop),
        _ => Err(property.unsupported()),
    }
}

fn will(flags: &mut Flags, property: &Property) -> Result<(), Mistake> {
    let said = &mut flags.will.properties;
    match property.name.as_str() {
        "payload-format-indicator" => property.once(&mut said.payload_format, property.payload_format()?),
        "message-expiry-interval" => property.once(&mut said.message_expiry_interval_s, property.number()?),
        "content-type" => property.once(&mut said.content_type, property.text()?),
        "response-topic" => {
            property.once(&mut said.response_topic, check_topic(&property.value, "response")?)
        }
        "correlation-data" => property.once(&mut said.correlation_data, property.bytes()),
        "will-delay-interval" => property.once(&mut said.will_delay_interval_s, property.number()?),
        _ => Err(property.unsupported()),
    }
}

impl Property {
    fn take(arguments: &mut vec::IntoIter<OsString>) -> Result<Self, Mistake> {
        let mut next = || {
            let missing = || Mistake::said("--property argument given but not enough arguments specified.");
            let argument = arguments.next().ok_or_else(missing)?;
            argument.into_string().map_err(|_| Mistake::said("Malformed UTF-8 in --property argument."))
        };
        let (command, name, first) = (next()?.to_ascii_lowercase(), next()?.to_ascii_lowercase(), next()?);
        if !COMMANDS.contains(&command.as_str()) {
            return Err(Mistake::said("Invalid command given in --property argument."));
        }
        let Some((_, commands)) = PROPERTIES.iter().find(|(property, _)| *property == name) else {
            return Err(Mistake::said("Invalid property name given in --property argument."));
        };
        if !commands.contains(&command.as_str()) {
            return Err(Mistake::said(format!(
                "{name} property not allowed for {command} in --property argument."
            )));
        }
        let (key, value) = if name == "user-property" { (first, next()?) } else { (String::new(), first) };
        let key = Text::try_from(key.as_str())
            .map_err(|_| Mistake::said("Malformed UTF-8 in --property argument."))?;
        Ok(Self { command, name, key, value })
    }

    fn number<N: TryFrom<i128>>(&self) -> Result<N, Mistake> {
        let number = self.value.parse::<i128>().ok();
        number.and_then(|number| N::try_from(number).ok()).ok_or_else(|| self.out_of_range())
    }

    fn not_zero<Z>(&self, number: Option<Z>) -> Result<Z, Mistake> {
        number.ok_or_else(|| {
            self.wrong("A network protocol error occurred when communicating with the broker.")
        })
    }

    fn payload_format(&self) -> Result<PayloadFormat, Mistake> {
        match self.number::<u8>()? {
            0 => Ok(PayloadFormat::Bytes),
            1 => Ok(PayloadFormat::Text),
            _ => Err(self.out_of_range()),
        }
    }

    fn text(&self) -> Result<Text, Mistake> {
        Text::try_from(self.value.as_str()).map_err(|_| self.wrong("Malformed UTF-8"))
    }

    fn bytes(&self) -> Bytes {
        self.value.clone().into()
    }

    fn once<T>(&self, place: &mut Option<T>, value: T) -> Result<(), Mistake> {
        match place.replace(value) {
            None => Ok(()),
            Some(_) => Err(self.wrong("Duplicate property in property list")),
        }
    }

    fn wrong(&self, why: &str) -> Mistake {
        Mistake::InProperties(format!("Error in {} properties: {why}", self.command.to_ascii_uppercase()))
    }

    fn out_of_range(&self) -> Mistake {
        Mistake::said(format!("Property value ({}) out of range for property {}.", self.value, self.name))
    }

    fn unsupported(&self) -> Mistake {
        Mistake::said(format!(
            "{} property not supported for {} in --property argument.",
            self.name, self.command
        ))
    }
}
