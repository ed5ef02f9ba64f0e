//! One dimmer at work: what comes from its source, from the broker and with time, and what follows from it.

use super::{
    args::{Args, Duty},
    duty::{Rhythm, Turn},
    echoes::{Echoes, Heard},
    keys::{Asked, HELP, Keys},
    knob::Knob,
    latest::Latest,
    lines::{Line, Number},
    report::InputReport,
    screen::{Screen, View},
    source::{Input, Source},
    terminal::KeyByKey,
    voice::Voice,
    wave::Wave,
};
use crate::{
    connection::{Connection, Narrator, unique_client_id},
    stop::StopSignals,
};
use anyhow::{Context as _, ensure};
use luxwire_shared::{
    client::{ConnectionState, Event, Message, Options, Token},
    model::{Intensity, LightTopic, Wish, reading::Settings, topics},
    mqtt::{ConnackProperties, QoS, ReasonCode, TopicName, Will, WillProperties},
    time::Instant,
};
use rustix::process::Signal;
use std::{
    io::{self, IsTerminal as _},
    os::fd::AsFd as _,
    time::Duration,
};
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
    time::sleep,
};
use tracing::{debug, info, warn};

/// How long the broker may take to acknowledge the last value once somebody asked the dimmer to stop.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A sleeper's session is kept for so many of its periods, and at least so long: it may miss a few wakings.
const SESSION_PERIODS: u32 = 10;
const SESSION_S_MIN: u32 = 60 * 60;

/// One dimmer.
pub(super) struct Device {
    connection: Connection,
    narrator: Narrator,
    intensity: TopicName,
    /// Where it says whether it is there, if it does.
    availability: Option<TopicName>,
    server: Abilities,
    source: Source,
    hand: Hand,
    latest: Latest,
    echoes: Echoes,
    rhythm: Rhythm,
    voice: Voice,
    /// What the bar shows where no hand is on keys.
    level: Option<Intensity>,
    keyboard: Option<KeyByKey>,
    input_report: InputReport,
    /// Why the broker refused the last message, if it did.
    refusal: Option<ReasonCode>,
    /// Whether it refused the newest value. That counts at the end, which may be known only after the refusal.
    newest_is_refused: bool,
    ending: Option<Ending>,
}

/// What makes wishes of what comes from the source.
enum Hand {
    Keys(Box<Keys>),
    Percent,
    Knob(Settings, Knob),
    Wave(Wave),
}

/// What the server takes.
#[derive(Clone, Copy)]
struct Abilities {
    qos: QoS,
    retain: bool,
}

#[derive(Clone, Copy)]
enum Ending {
    /// The source ended: what it said last is still to arrive, however long that takes.
    Source,
    /// Somebody asked: the last value may take until then.
    Asked { until: Instant },
    /// The reader of standard output is gone.
    Unread,
}

impl Device {
    pub(super) fn new(args: Args) -> anyhow::Result<Self> {
        let converter = args.converter()?;
        args.check_wave()?;
        let mut options = options(&args)?;
        let availability = args.availability.then(|| topics::dimmer_availability(&args.id));
        options.will = availability.clone().map(|topic| Will {
            topic,
            payload: topics::OFFLINE.into(),
            qos: QoS::AtLeastOnce,
            retain: true,
            properties: WillProperties::default(),
        });
        let mut connection = Connection::new(&args.broker, options)?;
        let now = connection.now();
        let topic = LightTopic::Intensity(args.id.clone());
        connection.subscribe([topic.subscription()]);
        let from_keys =
            args.serial.is_none() && args.wave.is_none() && converter.is_none() && io::stdin().is_terminal();
        let (source, hand) = if let Some(shape) = args.wave {
            (Source::Nothing, Hand::Wave(Wave::new(shape, args.period, [args.min, args.max], now)))
        } else {
            let source = match args.serial.clone() {
                Some(port) => Source::serial(port, args.baud),
                None if from_keys => Source::keys(),
                None => Source::standard_input(),
            };
            let hand = match converter {
                Some(settings) => Hand::Knob(settings, Knob::new(settings)),
                None if from_keys => Hand::Keys(Box::new(Keys::new())),
                None => Hand::Percent,
            };
            (source, hand)
        };
        let keyboard = from_keys
            .then(|| io::stdin().as_fd().try_clone_to_owned().and_then(KeyByKey::begin))
            .transpose()
            .context("the terminal does not give its keys")?;
        let mut voice = if args.quiet {
            Voice::quiet(args.id.clone())
        } else {
            Voice::new(args.id.clone(), Screen::find(&args.id, from_keys))
        };
        if from_keys {
            voice.explain(HELP);
        }
        if let Some(Duty { awake, period }) = args.duty {
            let (awake, period) = (awake.as_secs_f32(), period.as_secs_f32());
            voice.aside(|| info!("awake for {awake} s of every {period} s"));
        }
        Ok(Self {
            connection,
            narrator: Narrator::new(),
            intensity: topic.name(),
            availability,
            server: Abilities { qos: QoS::ExactlyOnce, retain: true },
            source,
            hand,
            latest: Latest::default(),
            echoes: Echoes::default(),
            rhythm: Rhythm::new(args.duty, now),
            voice,
            level: None,
            keyboard,
            input_report: InputReport::new(args.serial.as_deref()),
            refusal: None,
            newest_is_refused: false,
            ending: None,
        })
    }

    /// Until it ends.
    pub(super) async fn run(mut self, mut stop: StopSignals) -> anyhow::Result<()> {
        let mut resumed =
            signal(SignalKind::from_raw(Signal::CONT.as_raw())).context("cannot listen for signals")?;
        loop {
            self.tick().await?;
            if self.is_done() {
                break;
            }
            self.show();
            let pause = self.next_deadline().map(|at| at.since(self.connection.now()));
            // Where nothing is due, something else must happen first.
            let pause = sleep(pause.unwrap_or(Duration::from_secs(3_600)));
            let is_open = self.ending.is_none();
            select! {
                event = self.connection.next() => self.event(event)?,
                input = self.source.next(), if is_open => self.input(input)?,
                () = pause => {}
                _ = stop.next() => {
                    if matches!(self.ending, Some(Ending::Asked { .. })) {
                        break; // Twice means at once.
                    }
                    self.stop()?;
                }
                _ = resumed.recv() => self.resumed()?,
            }
        }
        self.goodbye().await;
        let is_refused = self.newest_is_refused && matches!(self.ending, Some(Ending::Source));
        ensure!(!is_refused, "the broker did not take the last value");
        Ok(())
    }

    /// Something came from the source.
    fn input(&mut self, input: Input) -> anyhow::Result<()> {
        let now = self.connection.now();
        match input {
            Input::Key(key) => {
                let Hand::Keys(keys) = &mut self.hand else { return Ok(()) };
                match keys.press(key, now) {
                    Asked::Nothing => {}
                    Asked::Wish(wish) => self.wish(wish)?,
                    Asked::Quit => self.stop()?,
                }
            }
            Input::Resized => self.voice.resized(),
            Input::Line(line) => self.line(&line)?,
            Input::PortOpened => {
                let Self { voice, input_report, .. } = self;
                voice.aside(|| input_report.port_opened());
            }
            Input::PortLost(error) => {
                let Self { voice, input_report, .. } = self;
                voice.aside(|| input_report.port_lost(&error));
            }
            Input::End => self.ending = Some(Ending::Source),
            Input::Failed(error) => return Err(error).context("cannot read standard input"),
        }
        Ok(())
    }

    fn line(&mut self, line: &Line) -> anyhow::Result<()> {
        let now = self.connection.now();
        let converter = match &self.hand {
            Hand::Knob(settings, _) => Some(*settings),
            Hand::Percent | Hand::Keys(_) | Hand::Wave(_) => None,
        };
        let wish = line.number(converter).and_then(|number| match (number, &mut self.hand) {
            (Some(Number::Percent(intensity)), _) => Ok(Some(Wish::Final(intensity))),
            (Some(Number::Count(count)), Hand::Knob(_, knob)) => {
                knob.count(count, now).map_err(|error| error.to_string())
            }
            (Some(Number::Count(_)) | None, _) => Ok(None),
        });
        match wish {
            Ok(wish) => {
                self.input_report.right_line();
                wish.map_or(Ok(()), |wish| self.wish(wish))
            }
            Err(wrong) => {
                let Self { voice, input_report, .. } = self;
                voice.aside(|| input_report.wrong_line(line.number, &wrong));
                Ok(())
            }
        }
    }

    /// The hand wants this.
    fn wish(&mut self, wish: Wish) -> anyhow::Result<()> {
        let intensity = wish.intensity();
        self.level = Some(intensity);
        match wish {
            Wish::Final(_) => self.latest.want(intensity),
            Wish::Passing(_) if self.connection.is_online() => {
                let now = self.connection.now();
                if self.connection.publish(self.message(intensity, QoS::AtMostOnce)).is_ok() {
                    self.latest.passed(now);
                    self.echoes.published(intensity);
                    let said = self.voice.passed(intensity);
                    self.printed(said)?;
                }
            }
            // The final one follows.
            Wish::Passing(_) => {}
        }
        Ok(())
    }

    /// Something happened to the connection.
    fn event(&mut self, event: Event) -> anyhow::Result<()> {
        let now = self.connection.now();
        let Self { narrator, connection, voice, refusal, .. } = self;
        if is_worth_a_sentence(&event, *refusal) {
            voice.aside(|| narrator.tell(connection, &event));
        }
        match event {
            Event::Connected { session_present, properties } => {
                self.connected(session_present, &properties)?
            }
            Event::Lost { .. } | Event::Refused { .. } => {
                if let Hand::Keys(keys) = &mut self.hand {
                    keys.control.disconnected();
                }
            }
            Event::Message(message) => self.message_came(&message, now),
            Event::Acknowledged { token, reason } => self.answered(token, reason),
            Event::Unsent(token) => self.latest.undecided(token),
            Event::Subscribed { .. } | Event::Unsubscribed { .. } => {}
        }
        Ok(())
    }

    fn connected(&mut self, session_present: bool, server: &ConnackProperties) -> anyhow::Result<()> {
        self.server = Abilities {
            qos: server.maximum_qos.unwrap_or(QoS::ExactlyOnce),
            retain: server.retain_available.unwrap_or(true),
        };
        if !self.server.retain {
            self.voice
                .aside(|| warn!("this broker keeps no values: who comes later will not learn this one"));
        }
        if !session_present {
            self.echoes.lost();
        }
        self.say_availability(topics::ONLINE);
        let now = self.connection.now();
        let Hand::Keys(keys) = &mut self.hand else { return Ok(()) };
        keys.control.connected(now).map_or(Ok(()), |wish| self.wish(wish))
    }

    fn message_came(&mut self, message: &Message, now: Instant) {
        if message.topic != self.intensity {
            return;
        }
        if message.payload.is_empty() {
            self.level = None;
            if let Hand::Keys(keys) = &mut self.hand {
                keys.control.cleared();
            }
            return;
        }
        match Intensity::try_from(&*message.payload) {
            Ok(intensity) => {
                if let Hand::Keys(keys) = &mut self.hand {
                    keys.control.message(intensity, now);
                }
                match self.echoes.heard(intensity) {
                    Heard::Known => {}
                    Heard::News => {
                        self.level = Some(intensity);
                        self.voice.heard(intensity, now);
                    }
                    Heard::Overtaken => self.voice.heard(intensity, now),
                }
            }
            Err(error) => {
                let topic = self.intensity.as_str();
                self.voice.aside(|| warn!("somebody published to {topic} what is {error}; ignored"));
            }
        }
    }

    /// The broker answered a publication.
    fn answered(&mut self, token: Token, reason: ReasonCode) {
        self.refusal = reason.is_failure().then_some(reason);
        if !self.latest.answered(token) {
            return;
        }
        self.newest_is_refused = reason.is_failure();
        let now = self.connection.now();
        if let Hand::Keys(keys) = &mut self.hand {
            if reason.is_failure() { keys.control.given_up() } else { keys.control.acknowledged(now) }
        }
    }

    /// What is due by now.
    async fn tick(&mut self) -> anyhow::Result<()> {
        let now = self.connection.now();
        let wish = match &mut self.hand {
            Hand::Keys(keys) => keys.tick(now),
            Hand::Percent => None,
            Hand::Knob(_, knob) => knob.tick(now),
            Hand::Wave(wave) => wave.tick(now).map(Wish::Final),
        };
        if let Some(wish) = wish {
            self.wish(wish)?;
        }
        self.voice.tick(now);
        match self.rhythm.tick(now) {
            Some(Turn::Sleep) if self.ending.is_none() => self.sleep().await,
            Some(Turn::Wake) => {
                self.voice.aside(|| debug!("awake"));
                self.connection.reconnect_now();
            }
            Some(Turn::Sleep) | None => {}
        }
        if matches!(self.ending, Some(Ending::Source)) && self.rhythm.is_asleep() {
            // Nothing more will come that is worth sleeping for.
            self.wake();
        }
        self.send()
    }

    fn next_deadline(&self) -> Option<Instant> {
        let hand = match &self.hand {
            Hand::Keys(keys) => keys.next_deadline(),
            Hand::Percent => None,
            Hand::Knob(_, knob) => knob.next_deadline(),
            Hand::Wave(wave) => Some(wave.next_deadline()),
        };
        let latest = self.latest.next_deadline().filter(|_| self.connection.is_online());
        let ending = match self.ending {
            Some(Ending::Asked { until }) => Some(until),
            Some(Ending::Source | Ending::Unread) | None => None,
        };
        let deadlines = [hand, latest, ending, self.voice.next_deadline(), self.rhythm.next_deadline()];
        deadlines.into_iter().flatten().min()
    }

    /// Sends the value that must arrive, if it is its time.
    fn send(&mut self) -> anyhow::Result<()> {
        let now = self.connection.now();
        let Some(intensity) = self.latest.due(now).filter(|_| self.connection.is_online()) else {
            return Ok(());
        };
        let sent = self.connection.publish(self.message(intensity, QoS::AtLeastOnce));
        match sent.context("the last value cannot be published")? {
            Some(token) => self.latest.sent(token, now),
            // A broker that offers no more than QoS 0 has it as soon as it is written.
            None => {
                self.latest.passed(now);
                if let Hand::Keys(keys) = &mut self.hand {
                    keys.control.acknowledged(now);
                }
            }
        }
        self.echoes.published(intensity);
        let said = self.voice.published(intensity);
        self.printed(said)
    }

    fn message(&self, intensity: Intensity, qos: QoS) -> Message {
        let qos = qos.min(self.server.qos);
        Message {
            retain: self.server.retain,
            ..Message::new(self.intensity.clone(), intensity.to_payload(), qos)
        }
    }

    /// A reader that went away ends the dimmer, as it ends every program in a pipe.
    fn printed(&mut self, said: io::Result<()>) -> anyhow::Result<()> {
        match said {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.ending = Some(Ending::Unread);
                Ok(())
            }
            said => said.context("cannot write to standard output"),
        }
    }

    fn say_availability(&mut self, word: &'static str) {
        if let Some(topic) = self.availability.clone() {
            let qos = QoS::AtLeastOnce.min(self.server.qos);
            let message = Message { retain: self.server.retain, ..Message::new(topic, word, qos) };
            // Whoever refuses this refuses the values, too, and that is said.
            let _ = self.connection.publish(message);
        }
    }

    async fn sleep(&mut self) {
        self.connection.disconnect().await;
        if let Hand::Keys(keys) = &mut self.hand {
            keys.control.disconnected();
        }
        self.voice.aside(|| debug!("asleep"));
    }

    fn wake(&mut self) {
        self.rhythm.stay_awake();
        self.connection.reconnect_now();
    }

    /// Somebody asked it to stop: what the hand did last counts.
    fn stop(&mut self) -> anyhow::Result<()> {
        let now = self.connection.now();
        let last = match &mut self.hand {
            Hand::Keys(keys) => keys.leave(now),
            Hand::Percent | Hand::Knob(..) | Hand::Wave(_) => None,
        };
        self.ending = Some(Ending::Asked { until: now + LAST_WORDS });
        if let Some(last) = last {
            self.wish(last)?;
        }
        if self.rhythm.is_asleep() && (self.latest.owed().is_some() || self.availability.is_some()) {
            self.wake();
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        let has_said_all = self.latest.owed().is_none();
        match self.ending {
            None => false,
            Some(Ending::Unread) => true,
            Some(Ending::Source) => {
                let is_still = match &self.hand {
                    Hand::Knob(_, knob) => knob.next_deadline().is_none(),
                    Hand::Keys(_) | Hand::Percent | Hand::Wave(_) => true,
                };
                has_said_all && is_still
            }
            Some(Ending::Asked { until }) => match self.connection.state() {
                _ if self.connection.now() >= until => true,
                ConnectionState::Online => has_said_all,
                ConnectionState::Connecting => has_said_all && self.availability.is_none(),
                ConnectionState::Waiting { .. }
                | ConnectionState::Refused { .. }
                | ConnectionState::Stopped => true,
            },
        }
    }

    /// Leaves as it should be left.
    async fn goodbye(&mut self) {
        self.show();
        if let Some(intensity) = self.latest.owed() {
            self.voice.aside(|| warn!("the last value, {intensity} %, did not reach the broker"));
        }
        if self.connection.is_online() {
            self.say_availability(topics::OFFLINE);
        }
        self.connection.disconnect().await;
    }

    /// The program goes on after Ctrl-Z.
    fn resumed(&mut self) -> anyhow::Result<()> {
        if let Some(keyboard) = &self.keyboard {
            keyboard.resume().context("the terminal does not give its keys")?;
        }
        self.voice.resized();
        Ok(())
    }

    fn show(&mut self) {
        let (level, entry) = match &self.hand {
            Hand::Keys(keys) => (keys.control.displayed(), keys.entry()),
            Hand::Percent | Hand::Knob(..) | Hand::Wave(_) => (self.level, None),
        };
        let note = match self.connection.state() {
            _ if self.rhythm.is_asleep() => "asleep",
            ConnectionState::Online | ConnectionState::Stopped => "",
            ConnectionState::Connecting | ConnectionState::Waiting { .. } => "waiting for the broker",
            ConnectionState::Refused { .. } => "refused by the broker",
        };
        self.voice.show(View { level, entry, note });
    }
}

/// Whether the narrator has something new to say, so that the bar must make room. A broker that refuses one value
/// refuses ten a second.
fn is_worth_a_sentence(event: &Event, refusal: Option<ReasonCode>) -> bool {
    match event {
        Event::Connected { .. } | Event::Refused { .. } | Event::Lost { .. } => true,
        Event::Subscribed { answers, .. } => answers.iter().any(|(_, reason)| reason.is_failure()),
        Event::Acknowledged { reason, .. } => reason.is_failure() && refusal != Some(*reason),
        Event::Message(_) | Event::Unsent(_) | Event::Unsubscribed { .. } => false,
    }
}

/// Who it is to the broker. Whoever sleeps comes back under the same name, to a session that was kept.
fn options(args: &Args) -> anyhow::Result<Options> {
    let Some(duty) = args.duty else {
        return args.broker.options(&unique_client_id("luxwire-dimmer"));
    };
    let options = args.broker.options(&format!("luxwire-dimmer-{}", args.id))?;
    let periods = duty.period.saturating_mul(SESSION_PERIODS).as_secs();
    let session_expiry_s = u32::try_from(periods).unwrap_or(u32::MAX).max(SESSION_S_MIN);
    Ok(Options { clean_start: false, session_expiry_s, ..options })
}
