//! The lamp at work: what comes from the broker, what time brings, and what becomes visible of it.
//!
//! One loop waits for everything at once. Nothing in it may wait in place for long, because the connection lives only while
//! it is awaited: a slow command, a stalled reader or a long fade never delay a message.

use super::{
    Args,
    command::{self, Command},
    complaints::Complaints,
    output::{Format, Output, Shown},
    pwm::Pwm,
};
use crate::{
    Usage,
    connection::{Connection, Narrator, unique_client_id},
    discovery::{Discovery, Prefix},
    stop::StopSignals,
};
use anyhow::{anyhow, bail};
use luxwire_shared::{
    client::{Event, Message, Options, PublishError, Token},
    model::{Fade, Intensity, LightTopic, Resolution, topics},
    mqtt::{QoS, TopicName, Will},
};
use std::{future::pending, time::Duration};
use tokio::{select, time::sleep};
use tracing::{info, warn};

/// How long the broker may take to confirm that the lamp is gone.
const FAREWELL: Duration = Duration::from_secs(2);

/// Follows the light until it is told to stop.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let mut stop = StopSignals::listen()?;
    if args.forget {
        return select! {
            outcome = forget(&args) => outcome,
            _ = stop.next() => Err(anyhow!("stopped before the broker had confirmed it")),
        };
    }
    let mut lamp = Lamp::new(&args).await?;
    let outcome = lamp.follow(&mut stop).await;
    lamp.finish().await;
    outcome
}

/// A lamp and what it is made of.
struct Lamp {
    intensity: TopicName,
    availability: TopicName,
    discovery: Option<(Prefix, Discovery)>,
    connection: Connection,
    narrator: Narrator,
    complaints: Complaints,
    resolution: Resolution,
    fade: Fade,
    /// What can be seen; `None` before the first value.
    shown: Option<Intensity>,
    output: Output,
    pwm: Option<Pwm>,
    command: Option<Command>,
}

impl Lamp {
    async fn new(args: &Args) -> anyhow::Result<Self> {
        let discovery = args
            .discovery
            .prefix()
            .map(|prefix| (prefix.clone(), Discovery::percent_light(prefix, &args.id, &args.display_name())));
        let intensity = LightTopic::Intensity(args.id.clone());
        let availability = LightTopic::Availability(args.id.clone());
        let mut options = options(args)?;
        options.will = Some(Will {
            topic: availability.name(),
            payload: topics::OFFLINE.into(),
            qos: QoS::AtLeastOnce,
            retain: true,
            properties: Default::default(),
        });
        let mut connection = Connection::new(&args.broker, options)?;
        connection.subscribe([intensity.subscription(), availability.subscription()]);
        if let Some((prefix, _)) = &discovery {
            connection.subscribe([prefix.status_subscription()]);
        }
        let pwm = match &args.pwm {
            Some(channel) => Some(Pwm::open(channel, args.pwm_frequency, args.pwm_polarity).await?),
            None => None,
        };
        let command = args.exec.clone().map(|text| Command::new(text, args.id.clone(), args.exec_timeout));
        let format = Format::choose(args.quiet, args.json, args.duty);
        Ok(Self {
            intensity: intensity.name(),
            availability: availability.name(),
            discovery,
            connection,
            narrator: Narrator::new(),
            complaints: Complaints::default(),
            resolution: args.bits.into(),
            fade: Fade::new(args.fade, Intensity::OFF),
            shown: None,
            output: Output::new(format, args.display_name())?,
            pwm,
            command,
        })
    }

    /// Ends well when somebody asks for it, or when nobody is left to read its lines.
    async fn follow(&mut self, stop: &mut StopSignals) -> anyhow::Result<()> {
        loop {
            let step = self.fade.next_step(self.connection.now()).map(|at| at - self.connection.now());
            select! {
                event = self.connection.next() => self.hear(&event).await?,
                () = after(step) => self.show().await,
                ended = ended(&mut self.command) => {
                    if let Err(failure) = ended {
                        self.complain(failure.to_string()).await;
                    }
                }
                error = self.output.watch() => {
                    info!("nobody reads standard output any more: {error}");
                    return Ok(());
                }
                _ = stop.next() => return Ok(()),
            }
        }
    }

    async fn hear(&mut self, event: &Event) -> anyhow::Result<()> {
        if !matches!(event, Event::Message(_)) {
            self.output.make_room().await;
        }
        self.narrator.tell(&self.connection, event);
        match event {
            Event::Connected { .. } => self.introduce(),
            Event::Refused { reason, retry_at: None, .. } => bail!("the broker sent us away: {reason:?}"),
            Event::Message(message) if message.topic == self.intensity => self.obey(message).await,
            // An earlier run's will, which came late, or another lamp of this light that ended.
            Event::Message(message) if message.topic == self.availability => {
                if message.payload == topics::OFFLINE {
                    self.say_online();
                }
            }
            Event::Message(message) => {
                if self.discovery.as_ref().is_some_and(|(prefix, _)| prefix.has_started(message)) {
                    self.introduce();
                }
            }
            Event::Refused { .. }
            | Event::Lost { .. }
            | Event::Acknowledged { .. }
            | Event::Unsent(_)
            | Event::Subscribed { .. }
            | Event::Unsubscribed { .. } => {}
        }
        self.output.online(self.connection.is_online());
        Ok(())
    }

    /// Says that the lamp is there, and what it is. All of it is retained, so saying it again does no harm.
    fn introduce(&mut self) {
        self.say_online();
        if let Some((_, discovery)) = &self.discovery
            && let Err(error) = publish(&mut self.connection, discovery.announcement())
        {
            warn!("cannot announce the lamp: {error}");
        }
    }

    fn say_online(&mut self) {
        let online = Message::retained(self.availability.clone(), topics::ONLINE, QoS::AtLeastOnce);
        if let Err(error) = publish(&mut self.connection, online) {
            warn!("cannot say that the lamp is here: {error}");
        }
    }

    /// Does what the topic says, if it says a percentage.
    async fn obey(&mut self, message: &Message) {
        if message.payload.is_empty() {
            self.output.make_room().await;
            info!("{} was cleared; the lamp keeps its light", self.intensity);
            return;
        }
        let level = match Intensity::try_from(&*message.payload) {
            Ok(level) => level,
            Err(error) => {
                let payload = quoted(&message.payload);
                return self.complain(format!("ignored {payload} on {}: {error}", self.intensity)).await;
            }
        };
        if self.shown.is_none() && message.retain {
            // That is how bright it was before: not a change that anybody wants to watch.
            self.fade.jump(level);
        } else {
            self.fade.turn(level, self.connection.now());
        }
        self.show().await;
    }

    /// Makes visible where the light is.
    async fn show(&mut self) {
        let level = self.fade.level(self.connection.now());
        if self.shown == Some(level) {
            return;
        }
        self.shown = Some(level);
        let shown = Shown::new(level, self.resolution);
        self.output.show(shown);
        if let Some(Err(error)) = self.pwm.as_mut().map(|pwm| pwm.show(shown)) {
            self.complain(format!("{error:#}")).await;
        }
        if let Some(Err(failure)) = self.command.as_mut().map(|command| command.run(shown)) {
            self.complain(failure.to_string()).await;
        }
    }

    async fn complain(&mut self, sentence: String) {
        if let Some(sentence) = self.complaints.hear(sentence, self.connection.now()) {
            self.output.make_room().await;
            warn!("{sentence}");
            self.output.redraw();
        }
    }

    /// Takes leave: of the broker, then of the command and of whoever reads.
    async fn finish(&mut self) {
        if self.shown.is_some() {
            // Not left half-way, where no topic says that it is.
            self.fade.jump(self.fade.goal());
            self.show().await;
        }
        self.output.make_room().await;
        let offline = Message::retained(self.availability.clone(), topics::OFFLINE, QoS::AtLeastOnce);
        if self.connection.is_online()
            && let Ok(Some(token)) = publish(&mut self.connection, offline)
        {
            let confirmed = async { while !is_answer(&self.connection.next().await, token) {} };
            select! {
                () = confirmed => {}
                () = sleep(FAREWELL) => warn!("the broker did not confirm that the lamp is offline"),
            }
        }
        self.connection.disconnect().await;
        if let Some(command) = &mut self.command
            && let Err(failure) = command.finish().await
        {
            warn!("{failure}");
        }
        self.output.finish().await;
    }
}

/// Clears what the lamp keeps at the broker.
async fn forget(args: &Args) -> anyhow::Result<()> {
    let prefix = &args.discovery.discovery_prefix;
    let discovery = Discovery::percent_light(prefix, &args.id, &args.display_name());
    let availability = LightTopic::Availability(args.id.clone()).name();
    let mut connection = Connection::new(&args.broker, options(args)?)?;
    let mut narrator = Narrator::new();
    let mut open = Vec::new();
    loop {
        let event = connection.next().await;
        narrator.tell(&connection, &event);
        match event {
            Event::Connected { .. } => {
                open.clear();
                let cleared = Message::retained(availability.clone(), "", QoS::AtLeastOnce);
                for message in [discovery.withdrawal(), cleared] {
                    open.extend(publish(&mut connection, message)?);
                }
            }
            Event::Acknowledged { token, reason } => {
                if reason.is_failure() {
                    bail!("the broker refuses to clear it: {reason:?}");
                }
                open.retain(|waiting| *waiting != token);
            }
            Event::Refused { reason, .. } => bail!("the broker refuses us: {reason:?}"),
            Event::Lost { .. }
            | Event::Message(_)
            | Event::Unsent(_)
            | Event::Subscribed { .. }
            | Event::Unsubscribed { .. } => {}
        }
        if connection.is_online() && open.is_empty() {
            connection.disconnect().await;
            info!("{} is forgotten", args.id);
            return Ok(());
        }
    }
}

fn options(args: &Args) -> anyhow::Result<Options> {
    let options = args.broker.options(&unique_client_id("luxwire-lamp"));
    options.map_err(|error| Usage(format!("{error:#}")).into())
}

/// At QoS 1, or at QoS 0 where the broker offers no more.
fn publish(connection: &mut Connection, message: Message) -> Result<Option<Token>, PublishError> {
    match connection.publish(message.clone()) {
        Err(PublishError::QoSNotSupported) => connection.publish(Message { qos: QoS::AtMostOnce, ..message }),
        answer => answer,
    }
}

/// Whether nothing more can be expected of this publication.
fn is_answer(event: &Event, publication: Token) -> bool {
    match event {
        Event::Acknowledged { token, .. } | Event::Unsent(token) => *token == publication,
        Event::Lost { .. } | Event::Refused { .. } => true,
        Event::Connected { .. }
        | Event::Message(_)
        | Event::Subscribed { .. }
        | Event::Unsubscribed { .. } => false,
    }
}

async fn after(pause: Option<Duration>) {
    match pause {
        Some(pause) => sleep(pause).await,
        None => pending().await,
    }
}

async fn ended(command: &mut Option<Command>) -> Result<(), command::Failure> {
    match command {
        Some(command) => command.ended().await,
        None => pending().await,
    }
}

/// The beginning of a payload, so that it can be shown to a person and harms no terminal.
fn quoted(payload: &[u8]) -> String {
    const SHOWN_MAX: usize = 40;
    match payload.get(..SHOWN_MAX) {
        Some(begin) if payload.len() > SHOWN_MAX => {
            format!("\"{}…\" ({} bytes)", begin.escape_ascii(), payload.len())
        }
        _ => format!("\"{}\"", payload.escape_ascii()),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_payload_is_shown_harmless_and_short() {
        assert_eq!(quoted(b"forty"), r#""forty""#);
        assert_eq!(quoted(b"\x1b[2J\"\xff\n"), r#""\x1b[2J\"\xff\n""#);
        assert_eq!(quoted(&[b'9'; 40]), format!("\"{}\"", "9".repeat(40)));
        assert_eq!(quoted(&[b'9'; 1_000_000]), format!("\"{}…\" (1000000 bytes)", "9".repeat(40)));
    }
}
