//! One flag after the other, with the values that belong to it.

use super::{Flags, Mistake, Program, Source, property, url};
use crate::{connection::Scheme, pub_sub::template::Template};
use luxwire_shared::mqtt::{QoS, Subscribable, Text, TopicName, Version};
use std::{
    ffi::OsString, num::NonZeroU16, os::unix::ffi::OsStringExt as _, path::PathBuf, str::FromStr,
    time::Duration,
};

/// A command line that is being read.
pub(super) struct Reading {
    program: Program,
    arguments: std::vec::IntoIter<OsString>,
    flags: Flags,
    /// What `-F` said; it is understood once `--pretty` is known.
    format: Option<Vec<u8>>,
    pretty: bool,
    /// What `-x` said; `-c` without it means for ever.
    expiry_s: Option<u32>,
}

/// No session expires before 5.0; and in 5.0 not one that `-c` keeps.
const FOR_EVER: u32 = u32::MAX;

impl Reading {
    pub(super) fn new(program: Program, arguments: Vec<OsString>) -> Self {
        Self {
            program,
            arguments: arguments.into_iter(),
            flags: Flags::default(),
            format: None,
            pretty: false,
            expiry_s: None,
        }
    }

    pub(super) fn next_flag(&mut self) -> Result<Option<String>, Mistake> {
        match self.arguments.next().map(OsString::into_string) {
            None => Ok(None),
            Some(Ok(flag)) => Ok(Some(flag)),
            Some(Err(other)) => Err(unknown(&other.to_string_lossy())),
        }
    }

    pub(super) fn read(&mut self, flag: &str) -> Result<(), Mistake> {
        let known = match self.program {
            Program::Publish => self.read_publish(flag)?,
            Program::Subscribe => self.read_subscribe(flag)?,
        };
        if known || self.read_connection(flag)? || self.read_session(flag)? {
            Ok(())
        } else {
            Err(unknown(flag))
        }
    }

    pub(super) fn finish(mut self) -> Result<Flags, Mistake> {
        let template = self.format.map(|format| Template::parse(&format, self.pretty));
        self.flags.subscribe.template =
            template.transpose().map_err(|error| Mistake::said(error.to_string()))?;
        let said = self.flags.extras.connect.session_expiry_interval_s.take();
        let by_flag = self.expiry_s.or(self.flags.keeps_session.then_some(FOR_EVER));
        self.flags.session_expiry_s = said.or(by_flag);
        Ok(self.flags)
    }

    fn read_connection(&mut self, flag: &str) -> Result<bool, Mistake> {
        match flag {
            "-h" | "--host" => self.flags.host = self.text("-h", "no host specified")?,
            "-p" | "--port" => {
                let port = self.number::<i64>("-p", "no port specified", "Invalid port given: ")?;
                let valid = u16::try_from(port).ok().filter(|&port| port > 0);
                self.flags.port =
                    Some(valid.ok_or_else(|| Mistake::said(format!("Invalid port given: {port}")))?);
                if port == 8883 && self.flags.scheme == Scheme::Mqtt {
                    self.flags.scheme = Scheme::Mqtts;
                }
            }
            "-L" | "--url" => self.url()?,
            "-u" | "--username" => self.flags.user_name = Some(self.text("-u", "no username specified")?),
            "-P" | "--pw" => {
                self.flags.password = Some(self.value("-P", "no password specified")?.into_vec())
            }
            "--cafile" => {
                self.flags.ca_file = Some(PathBuf::from(self.value("--cafile", "no file specified")?));
                self.use_tls();
            }
            "--tls-use-os-certs" => self.use_tls(),
            // Always so, and said for the sake of old scripts.
            "--nodelay" => {}
            "-A"
            | "--bind"
            | "--unix"
            | "--proxy"
            | "--capath"
            | "--cert"
            | "--key"
            | "--keyform"
            | "--ciphers"
            | "--insecure"
            | "--tls-alpn"
            | "--tls-engine"
            | "--tls-engine-kpass-sha1"
            | "--tls-version"
            | "--psk"
            | "--psk-identity" => {
                return Err(Mistake::said(format!("{flag} is not supported by luxwire.")));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn read_session(&mut self, flag: &str) -> Result<bool, Mistake> {
        let flags = &mut self.flags;
        match flag {
            "-d" | "--debug" => flags.debug = true,
            "--quiet" => flags.quiet = true,
            "-c" | "--disable-clean-session" => flags.keeps_session = true,
            "-r" | "--retain" if self.program == Program::Publish => flags.publish.retain = true,
            "--will-retain" => flags.will.retain = true,
            "-i" | "--id" | "-I" | "--id-prefix" => return self.id(flag).map(|()| true),
            "-k" | "--keepalive" => {
                let wrong = "Invalid keepalive given, it must be between 5 and 65535 inclusive.";
                let seconds = self.value("-k", "no keepalive specified")?;
                let seconds = seconds.to_str().and_then(|seconds| seconds.parse().ok());
                self.flags.keep_alive_s =
                    seconds.filter(|&seconds| seconds >= 5).ok_or_else(|| Mistake::said(wrong))?;
            }
            "-M" => {
                let wrong = "Maximum inflight messages must be greater than 0.";
                let most = self.text_value("-M argument given but max_inflight not specified.")?;
                self.flags.in_flight_max = most.parse::<NonZeroU16>().map_err(|_| Mistake::said(wrong))?;
            }
            "-q" | "--qos" => {
                let qos = self.number::<i64>("-q", "no QoS specified", "Invalid QoS given: ")?;
                self.flags.qos =
                    quality(qos).ok_or_else(|| Mistake::said(format!("Invalid QoS given: {qos}")))?;
            }
            "-t" | "--topic" => {
                let topic = self.text("-t", "no topic specified")?;
                match self.program {
                    Program::Publish => {
                        check_topic(&topic, "publish")?;
                        self.flags.topics = vec![topic];
                    }
                    Program::Subscribe => {
                        check_filter(&topic, "subscription")?;
                        self.flags.topics.push(topic);
                    }
                }
            }
            "-V" | "--protocol-version" => {
                let version = self.text("--protocol-version", "no version specified")?;
                self.flags.version = match version.as_str() {
                    "mqttv31" | "31" => Version::V3_1,
                    "mqttv311" | "311" => Version::V3_1_1,
                    "mqttv5" | "5" => Version::V5,
                    _ => return Err(Mistake::said("Invalid protocol version argument given.")),
                };
            }
            "-x" => self.expiry_s = Some(self.session_expiry()?),
            "-D" | "--property" => {
                property::read(&mut self.flags, &mut self.arguments)?;
                self.flags.version = Version::V5;
            }
            "--will-topic" => {
                let topic = self.text("--will-topic", "no will topic specified")?;
                check_topic(&topic, "will")?;
                self.flags.will.topic = Some(topic);
            }
            "--will-payload" => {
                let payload = self.value("--will-payload", "no will payload specified")?.into_vec();
                self.flags.will.payload = Some(payload);
            }
            "--will-qos" => {
                let wrong = "Invalid will QoS ";
                let qos = self.number::<i64>("--will-qos", "no will QoS specified", wrong)?;
                self.flags.will.qos = quality(qos).ok_or_else(|| Mistake::said(format!("{wrong}{qos}.")))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn read_publish(&mut self, flag: &str) -> Result<bool, Mistake> {
        match flag {
            "-m" | "--message" => {
                self.only_source()?;
                let payload = self.value("-m", "no message specified")?.into_vec();
                self.flags.publish.source = Some(Source::Argument(payload));
            }
            "-f" | "--file" => {
                self.only_source()?;
                let file = self.value("-f", "no file specified")?;
                self.flags.publish.source = Some(Source::File(file.into()));
            }
            "-n" | "--null-message" => self.source(Source::Nothing)?,
            "-s" | "--stdin-file" => self.source(Source::Input)?,
            "-l" | "--stdin-line" => self.source(Source::InputLines)?,
            "--repeat" => {
                let count = self.text("--repeat", "no count specified")?;
                let count = count.parse().ok().filter(|&count| count > 0);
                self.flags.publish.repeat =
                    count.ok_or_else(|| Mistake::said("--repeat argument must be >0."))?;
            }
            "--repeat-delay" => {
                let seconds = self.text("--repeat-delay", "no time specified")?;
                let delay =
                    seconds.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                self.flags.publish.repeat_delay =
                    delay.ok_or_else(|| Mistake::said("--repeat-delay argument must be >=0.0."))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn read_subscribe(&mut self, flag: &str) -> Result<bool, Mistake> {
        let flags = &mut self.flags.subscribe;
        match flag {
            "-E" => flags.exit_after_subscribe = true,
            "-N" => flags.no_line_end = true,
            "-R" => flags.skip_retained = true,
            "-v" | "--verbose" => flags.verbose = true,
            "--retained-only" => flags.retained_only = true,
            "--remove-retained" => flags.remove_retained = true,
            "--retain-as-published" => flags.retain_as_published = true,
            "--pretty" => self.pretty = true,
            "-F" => self.format = Some(self.value("-F", "no format specified")?.into_vec()),
            "-C" => {
                let count = self.text("-C", "no count specified")?;
                let valid = count.parse().ok().filter(|&count| count > 0);
                self.flags.subscribe.count =
                    Some(valid.ok_or_else(|| Mistake::said(format!("Invalid message count {count:?}.")))?);
            }
            "-W" => {
                let seconds = self.text("-W", "no timeout specified")?;
                let valid = seconds.parse().ok().filter(|&seconds: &u32| seconds > 0);
                let valid = valid.ok_or_else(|| Mistake::said(format!("Invalid timeout {seconds:?}.")))?;
                self.flags.subscribe.timeout = Some(Duration::from_secs(valid.into()));
            }
            "-T" | "--filter-out" => {
                let filter = self.text("-T", "no topic filter specified")?;
                check_filter(&filter, "filter")?;
                self.flags.subscribe.filtered_out.push(filter);
            }
            "-U" | "--unsubscribe" => {
                let filter = self.text("-U", "no unsubscribe topic specified")?;
                check_filter(&filter, "unsubscribe")?;
                self.flags.subscribe.unsubscribe.push(filter);
            }
            "--random-filter" => {
                let chance = self.text("--random-filter", "no chance specified")?;
                let valid = chance.parse().ok().filter(|chance| (0.1..=100.0).contains(chance));
                let wrong = "--random-filter chance must be between 0.1-100.0";
                self.flags.subscribe.random_filter = Some(valid.ok_or_else(|| Mistake::said(wrong))?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn source(&mut self, source: Source) -> Result<(), Mistake> {
        self.only_source()?;
        self.flags.publish.source = Some(source);
        Ok(())
    }

    fn only_source(&self) -> Result<(), Mistake> {
        match self.flags.publish.source {
            None => Ok(()),
            Some(_) => Err(Mistake::said("Only one type of message can be sent at once.")),
        }
    }

    fn id(&mut self, flag: &str) -> Result<(), Mistake> {
        if self.flags.id.is_some() || self.flags.id_prefix.is_some() {
            let is_prefix = matches!(flag, "-I" | "--id-prefix");
            if is_prefix == self.flags.id.is_some() {
                return Err(Mistake::said("-i and -I argument cannot be used together."));
            }
        }
        match flag {
            "-i" | "--id" => self.flags.id = Some(self.text("-i", "no id specified")?),
            _ => self.flags.id_prefix = Some(self.text("-I", "no id prefix specified")?),
        }
        Ok(())
    }

    fn url(&mut self) -> Result<(), Mistake> {
        let text = self.text("-L", "no URL specified")?;
        let url = url::Url::parse(&text)?;
        self.flags.scheme = url.scheme;
        self.flags.host = url.host;
        self.flags.port = url.port;
        self.flags.path = url.path;
        self.flags.user_name = url.user_name.or(self.flags.user_name.take());
        self.flags.password = url.password.map(String::into_bytes).or(self.flags.password.take());
        if let Some(topic) = url.topic {
            match self.program {
                Program::Publish => {
                    check_topic(&topic, "publish")?;
                    self.flags.topics = vec![topic];
                }
                Program::Subscribe => {
                    check_filter(&topic, "subscription")?;
                    self.flags.topics.push(topic);
                }
            }
        }
        Ok(())
    }

    fn session_expiry(&mut self) -> Result<u32, Mistake> {
        let seconds = self.text_value("-x argument given but no session expiry interval specified.")?;
        if matches!(seconds.as_str(), "-1" | "∞") {
            return Ok(FOR_EVER);
        }
        let number = seconds.parse::<i128>();
        let number = number.map_err(|_| Mistake::said("session-expiry-interval not a number."))?;
        u32::try_from(number).map_err(|_| Mistake::said("session-expiry-interval out of range."))
    }

    fn use_tls(&mut self) {
        self.flags.scheme = match self.flags.scheme {
            Scheme::Mqtt | Scheme::Mqtts => Scheme::Mqtts,
            Scheme::Ws | Scheme::Wss => Scheme::Wss,
        };
    }

    /// The next argument, whatever it looks like.
    fn value(&mut self, flag: &str, missing: &str) -> Result<OsString, Mistake> {
        self.arguments.next().ok_or_else(|| Mistake::said(format!("{flag} argument given but {missing}.")))
    }

    fn text(&mut self, flag: &str, missing: &str) -> Result<String, Mistake> {
        let text = self
            .value(flag, missing)?
            .into_string()
            .ok()
            .filter(|text| Text::try_from(text.as_str()).is_ok());
        text.ok_or_else(|| Mistake::said(format!("Malformed UTF-8 in {flag} argument.")))
    }

    fn text_value(&mut self, missing: &str) -> Result<String, Mistake> {
        let value = self.arguments.next().ok_or_else(|| Mistake::said(missing))?;
        Ok(value.to_string_lossy().into_owned())
    }

    fn number<N: FromStr>(&mut self, flag: &str, missing: &str, wrong: &str) -> Result<N, Mistake> {
        let text = self.text(flag, missing)?;
        text.parse().map_err(|_| Mistake::said(format!("{wrong}{text}")))
    }
}

fn unknown(flag: &str) -> Mistake {
    Mistake::said(format!("Unknown option '{flag}'."))
}

fn quality(number: i64) -> Option<QoS> {
    u8::try_from(number).ok().and_then(QoS::from_number)
}

pub(super) fn check_topic(topic: &str, what: &str) -> Result<TopicName, Mistake> {
    TopicName::try_from(topic)
        .map_err(|_| Mistake::said(format!("Invalid {what} topic '{topic}', does it contain '+' or '#'?")))
}

fn check_filter(filter: &str, what: &str) -> Result<(), Mistake> {
    let wrong = || format!("Invalid {what} topic '{filter}', are all '+' and '#' wildcards correct?");
    Subscribable::try_from(filter).map(drop).map_err(|_| Mistake::said(wrong()))
}
