//! The command lines of `luxwire pub` and `luxwire sub`, flag for flag those of mosquitto_pub and mosquitto_sub.
//!
//! Those know no `-tm`, no `--topic=x` and no `--`, take any text after a flag as its value, and name what is missing in
//! words of their own; a parser for them is shorter than teaching another one not to do what it is good at. Nothing is
//! opened or read here.

mod one;
mod property;
mod url;

use crate::{connection::Scheme, pub_sub::template::Template};
use luxwire_shared::{
    client::Extras,
    mqtt::{PublishProperties, QoS, Version, WillProperties},
};
use std::{ffi::OsString, fmt, num::NonZeroU16, path::PathBuf, time::Duration};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Publish,
    Subscribe,
}

/// What a command line asks for.
#[derive(Debug)]
pub(super) enum Wish {
    Run(Box<Flags>),
    Help,
    Version,
}

/// A command line that makes sense.
#[derive(Debug)]
pub(super) struct Flags {
    pub(super) scheme: Scheme,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// Of a WebSocket.
    pub(super) path: String,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) user_name: Option<String>,
    pub(super) password: Option<Vec<u8>>,
    pub(super) id: Option<String>,
    pub(super) id_prefix: Option<String>,
    pub(super) version: Version,
    pub(super) keep_alive_s: u16,
    pub(super) keeps_session: bool,
    pub(super) session_expiry_s: Option<u32>,
    pub(super) in_flight_max: NonZeroU16,
    pub(super) qos: QoS,
    /// The last one is published to, all of them are subscribed to.
    pub(super) topics: Vec<String>,
    pub(super) will: Will,
    pub(super) debug: bool,
    pub(super) quiet: bool,
    pub(super) extras: Extras,
    pub(super) publish: PublishFlags,
    pub(super) subscribe: SubscribeFlags,
}

/// `--will-…`
#[derive(Debug)]
pub(super) struct Will {
    pub(super) topic: Option<String>,
    pub(super) payload: Option<Vec<u8>>,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) properties: WillProperties,
}

/// Those of `luxwire pub` alone.
#[derive(Debug)]
pub(super) struct PublishFlags {
    pub(super) source: Option<Source>,
    pub(super) retain: bool,
    pub(super) repeat: u32,
    pub(super) repeat_delay: Duration,
    pub(super) properties: PublishProperties,
    /// Whether any of them was given.
    pub(super) has_properties: bool,
}

/// Where the payload comes from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    Argument(Vec<u8>),
    Nothing,
    File(PathBuf),
    Input,
    InputLines,
}

/// Those of `luxwire sub` alone.
#[derive(Debug)]
pub(super) struct SubscribeFlags {
    pub(super) filtered_out: Vec<String>,
    pub(super) unsubscribe: Vec<String>,
    pub(super) count: Option<u32>,
    pub(super) timeout: Option<Duration>,
    pub(super) exit_after_subscribe: bool,
    pub(super) verbose: bool,
    pub(super) template: Option<Template>,
    pub(super) no_line_end: bool,
    pub(super) skip_retained: bool,
    pub(super) retained_only: bool,
    pub(super) remove_retained: bool,
    pub(super) retain_as_published: bool,
    /// Percent.
    pub(super) random_filter: Option<f64>,
}

/// A command line that makes no sense, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    /// The help is pointed to.
    Said(String),
    /// The same, but for a sentence that begins otherwise.
    InProperties(String),
    /// The help itself is shown on standard output.
    NothingToDo(&'static str),
}

impl Program {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Publish => "pub",
            Self::Subscribe => "sub",
        }
    }
}

impl Flags {
    /// Reads everything after `luxwire pub` or `luxwire sub`.
    pub(super) fn parse(program: Program, arguments: Vec<OsString>) -> Result<Wish, Mistake> {
        let mut reading = one::Reading::new(program, arguments);
        while let Some(flag) = reading.next_flag()? {
            match flag.as_str() {
                "--help" => return Ok(Wish::Help),
                "--version" => return Ok(Wish::Version),
                flag => reading.read(flag)?,
            }
        }
        let flags = reading.finish()?;
        flags.check(program)?;
        Ok(Wish::Run(Box::new(flags)))
    }

    /// What goes together.
    fn check(&self, program: Program) -> Result<(), Mistake> {
        let will = &self.will;
        if will.topic.is_none() && will.payload.is_some() {
            return Err(Mistake::said("Will payload given, but no will topic given."));
        }
        if will.topic.is_none() && will.retain {
            return Err(Mistake::said("Will retain given, but no will topic given."));
        }
        let is_5 = self.version == Version::V5;
        if is_5 && self.session_expiry_s == Some(u32::MAX) && self.id.is_none() && self.id_prefix.is_none() {
            return Err(Mistake::said(
                "You must provide a client id if you are using an infinite session expiry interval.",
            ));
        }
        if self.keeps_session && self.id.is_none() && self.id_prefix.is_none() {
            return Err(Mistake::said("You must provide a client id if you are using the -c option."));
        }
        if self.id.as_deref() == Some("") {
            return Err(Mistake::said("Invalid id."));
        }
        if self.password.is_some() && self.user_name.is_none() && !is_5 {
            return Err(Mistake::said("A password needs a user name (-u) before MQTT v5."));
        }
        if !is_5
            && (self.publish.has_properties
                || self.extras != Extras::default()
                || will.properties != WillProperties::default())
        {
            return Err(Mistake::said("Properties (-D) need MQTT v5: leave out the -V behind them."));
        }
        let said = &self.extras.connect;
        if said.authentication_data.is_some() && said.authentication_method.is_none() {
            return Err(Mistake::said(
                "authentication-data belongs to an authentication-method, which is missing.",
            ));
        }
        match program {
            Program::Publish if self.topics.is_empty() || self.publish.source.is_none() => {
                Err(Mistake::NothingToDo("Both topic and message must be supplied."))
            }
            Program::Subscribe if self.topics.is_empty() => {
                Err(Mistake::said("You must specify a topic to subscribe to."))
            }
            Program::Subscribe if self.subscribe.skip_retained && self.subscribe.retained_only => {
                Err(Mistake::said("Combining '-R' and '--retained-only' makes no sense."))
            }
            Program::Publish | Program::Subscribe => Ok(()),
        }
    }
}

impl Default for Flags {
    fn default() -> Self {
        Self {
            scheme: Scheme::Mqtt,
            host: "localhost".to_owned(),
            port: None,
            path: String::new(),
            ca_file: None,
            user_name: None,
            password: None,
            id: None,
            id_prefix: None,
            version: Version::V3_1_1,
            keep_alive_s: 60,
            keeps_session: false,
            session_expiry_s: None,
            in_flight_max: const { NonZeroU16::new(20).expect("20 is not 0") },
            qos: QoS::AtMostOnce,
            topics: Vec::new(),
            will: Will {
                topic: None,
                payload: None,
                qos: QoS::AtMostOnce,
                retain: false,
                properties: WillProperties::default(),
            },
            debug: false,
            quiet: false,
            extras: Extras::default(),
            publish: PublishFlags {
                source: None,
                retain: false,
                repeat: 1,
                repeat_delay: Duration::ZERO,
                properties: PublishProperties::default(),
                has_properties: false,
            },
            subscribe: SubscribeFlags {
                filtered_out: Vec::new(),
                unsubscribe: Vec::new(),
                count: None,
                timeout: None,
                exit_after_subscribe: false,
                verbose: false,
                template: None,
                no_line_end: false,
                skip_retained: false,
                retained_only: false,
                remove_retained: false,
                retain_as_published: false,
                random_filter: None,
            },
        }
    }
}

impl Mistake {
    fn said(sentence: impl Into<String>) -> Self {
        Self::Said(sentence.into())
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(sentence) => write!(f, "Error: {sentence}"),
            Self::InProperties(sentence) => f.write_str(sentence),
            Self::NothingToDo(sentence) => write!(f, "Error: {sentence}"),
        }
    }
}

#[cfg(test)]
mod tests;
