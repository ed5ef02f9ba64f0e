//! `luxwire sub`: follows topics and writes what comes, until it is stopped or has seen enough.
//!
//! A broker that is not there is an error; one that goes away is waited for.

use super::{
    FAILURE, SUCCESS,
    flags::{Flags, Program, SubscribeFlags},
    output::Output,
    session,
    template::{self, NotJson},
    words::{self, Failure},
};
use crate::{
    connection::Connection,
    stop::{StopSignal, StopSignals},
};
use bytes::Bytes;
use futures_util::FutureExt as _;
use jiff::Zoned;
use luxwire_shared::{
    client::{Event, Message},
    mqtt::{QoS, Subscribable, SubscribeFilter, TopicName, Version},
};
use std::{cell::RefCell, collections::VecDeque, io, pin::Pin, rc::Rc, time::Duration};
use tokio::{
    select,
    time::{Sleep, sleep, timeout},
};

/// Nothing came, or not enough, in the time of `-W`.
const TIMED_OUT: u8 = 27;

/// So many values are cleared at once; the others wait.
const CLEARING_MAX: usize = 100;

/// How long the end waits for the broker to say that it cleared what it was asked to.
const CLEARING_TIME: Duration = Duration::from_secs(5);

/// After so many events in a row it is looked whether somebody wants it to stop.
const EVENTS_IN_A_ROW: u32 = 256;

struct Subscriber {
    connection: Connection,
    output: Rc<RefCell<Output>>,
    flags: Flags,
    filtered_out: Vec<Subscribable>,
    wanted: Option<u32>,
    timer: Option<Pin<Box<Sleep>>>,
    random: u64,
    /// Topics whose values are to be cleared.
    to_clear: VecDeque<TopicName>,
    /// Those that the broker was asked to clear, and has not yet said that it did.
    clearing: usize,
    /// The connection is lost, and that was said.
    waits: bool,
    no_time: Zoned,
}

/// Why it ends.
enum End {
    Done,
    TimedOut,
    Stopped,
    ReaderGone,
    Failed(Failure),
}

pub(super) async fn run(flags: Flags) -> u8 {
    let (quiet, output) = (flags.quiet, Rc::new(RefCell::new(Output::new())));
    let mut subscriber = match Subscriber::new(flags, &output) {
        Ok(subscriber) => subscriber,
        Err(failure) => return said(&failure, quiet),
    };
    let end = match StopSignals::listen() {
        Ok(mut stop) => subscriber.follow(&mut stop).await,
        Err(error) => End::Failed(Failure::new(FAILURE, format!("Error: {error}"))),
    };
    if let End::Done | End::TimedOut = end {
        let _ = timeout(CLEARING_TIME, subscriber.cleared()).await;
    }
    subscriber.connection.disconnect().await;
    output.borrow_mut().flush();
    match end {
        End::Done | End::Stopped | End::ReaderGone => SUCCESS,
        End::TimedOut => said(&Failure::new(TIMED_OUT, "Timed out"), quiet),
        End::Failed(failure) => said(&failure, quiet),
    }
}

fn said(failure: &Failure, quiet: bool) -> u8 {
    if !quiet {
        failure.said.iter().for_each(|line| eprintln!("{line}"));
    }
    failure.code
}

impl Subscriber {
    fn new(flags: Flags, output: &Rc<RefCell<Output>>) -> Result<Self, Failure> {
        let parsed = |filters: &[String]| {
            let parsed = filters.iter().map(|filter| Subscribable::try_from(filter.as_str()));
            let wrong = |error| Failure::new(FAILURE, format!("Error: Invalid topic filter: {error}."));
            parsed.collect::<Result<Vec<_>, _>>().map_err(wrong)
        };
        let (followed, left) = (parsed(&flags.topics)?, parsed(&flags.subscribe.unsubscribe)?);
        let filtered_out = parsed(&flags.subscribe.filtered_out)?;
        let mut connection = session::connection(&flags, Program::Subscribe, output)?;
        let as_published = flags.subscribe.retain_as_published && flags.version == Version::V5;
        connection.subscribe(followed.into_iter().map(|filter| SubscribeFilter {
            retain_as_published: as_published,
            ..SubscribeFilter::new(filter, flags.qos)
        }));
        for filter in left {
            connection.unsubscribe([filter]);
        }
        Ok(Self {
            connection,
            output: Rc::clone(output),
            filtered_out,
            wanted: flags.subscribe.count,
            timer: None,
            random: session::random(),
            to_clear: VecDeque::new(),
            clearing: 0,
            waits: false,
            no_time: Zoned::default(),
            flags,
        })
    }

    async fn follow(&mut self, stop: &mut StopSignals) -> End {
        if let Err(end) = self.begin(stop).await {
            return end;
        }
        loop {
            for _ in 0..EVENTS_IN_A_ROW {
                // While there is more to write, it is written together.
                let Some(event) = self.connection.next().now_or_never() else { break };
                if let Err(end) = self.happened(event) {
                    return end;
                }
            }
            self.output.borrow_mut().flush();
            if let Err(end) = self.written() {
                return end;
            }
            let event = select! {
                biased;
                _asked = stop.next() => return End::Stopped,
                () = due(&mut self.timer) => return End::TimedOut,
                event = self.connection.next() => event,
            };
            if let Err(end) = self.happened(event) {
                return end;
            }
        }
    }

    async fn begin(&mut self, stop: &mut StopSignals) -> Result<(), End> {
        let welcomed = session::welcomed(&mut self.connection, Program::Subscribe, self.flags.version);
        select! {
            biased;
            _asked @ (StopSignal::Terminate | StopSignal::Interrupt) = stop.next() => Err(End::Stopped),
            welcomed = welcomed => {
                welcomed.map_err(End::Failed)?;
                self.timer = self.flags.subscribe.timeout.map(|timeout| Box::pin(sleep(timeout)));
                Ok(())
            }
        }
    }

    fn happened(&mut self, event: Event) -> Result<(), End> {
        match event {
            Event::Message(message) => self.came(&message),
            Event::Subscribed { answers, .. } => {
                if answers.iter().all(|(_, reason)| reason.is_failure()) {
                    let said = "All subscription requests were denied.";
                    return Err(End::Failed(Failure::new(FAILURE, said)));
                }
                for (filter, reason) in answers.iter().filter(|(_, reason)| reason.is_failure()) {
                    self.say(&format!(
                        "Warning: Subscription to {filter} was denied: {}.",
                        words::text(*reason)
                    ));
                }
                if self.flags.subscribe.exit_after_subscribe { Err(End::Done) } else { Ok(()) }
            }
            // Each attempt that fails is a loss, too; once is enough.
            Event::Lost { .. } if self.waits => Ok(()),
            Event::Lost { .. } => {
                self.waits = true;
                self.say("Warning: The connection was lost; waiting until the broker is back.");
                Ok(())
            }
            Event::Connected { .. } => {
                self.waits = false;
                Ok(())
            }
            event @ Event::Refused { .. } => {
                let failure =
                    Failure::to_connect(Program::Subscribe, self.flags.version, &self.connection, &event);
                Err(End::Failed(failure.unwrap_or_else(Failure::lost)))
            }
            Event::Acknowledged { .. } | Event::Unsent(_) => {
                self.acknowledged();
                Ok(())
            }
            Event::Unsubscribed { .. } => Ok(()),
        }
    }

    fn came(&mut self, message: &Message) -> Result<(), End> {
        let SubscribeFlags { skip_retained, retained_only, remove_retained, random_filter, .. } =
            self.flags.subscribe;
        if retained_only && !message.retain {
            return Err(End::Done);
        }
        if self.filtered_out.iter().any(|out| out.filter.matches(&message.topic)) {
            return Ok(());
        }
        if remove_retained && message.retain {
            self.to_clear.push_back(message.topic.detached());
            self.clear();
        }
        if skip_retained && message.retain {
            return Ok(());
        }
        if random_filter.is_some_and(|percent| self.draw() >= percent) {
            return Ok(());
        }
        self.show(message);
        self.written()?;
        if let Some(wanted) = &mut self.wanted {
            *wanted -= 1;
            if *wanted == 0 {
                return Err(End::Done);
            }
        }
        Ok(())
    }

    fn show(&self, message: &Message) {
        let flags = &self.flags.subscribe;
        let mut output = self.output.borrow_mut();
        let out = output.gathered();
        let line_end: &[u8] = if flags.no_line_end { b"" } else { b"\n" };
        if let Some(template) = &flags.template {
            let now = template.tells_time().then(template::now);
            let begin = out.len();
            if template.write(message, now.as_ref().unwrap_or(&self.no_time), out) == Err(NotJson) {
                out.truncate(begin);
                self.say(&format!("Error: Message payload is not valid JSON on topic {}.", message.topic));
            }
            out.extend_from_slice(line_end);
        } else if flags.verbose {
            let payload: &[u8] = if message.payload.is_empty() { b"(null)" } else { &message.payload };
            out.extend_from_slice(message.topic.as_bytes());
            out.push(b' ');
            out.extend_from_slice(payload);
            out.extend_from_slice(line_end);
        } else if !message.payload.is_empty() {
            out.extend_from_slice(&message.payload);
            out.extend_from_slice(line_end);
        }
        output.check();
    }

    /// Clears the next values, if there are any.
    fn clear(&mut self) {
        while self.clearing < CLEARING_MAX
            && let Some(topic) = self.to_clear.pop_front()
        {
            match self.connection.publish(Message::retained(topic.clone(), Bytes::new(), QoS::AtLeastOnce)) {
                Ok(_token) => self.clearing += 1,
                Err(error) => self.say(&format!("Error: {topic} was not cleared: {error}.")),
            }
        }
    }

    /// Waits until what is to be cleared is.
    async fn cleared(&mut self) {
        while self.clearing > 0 {
            match self.connection.next().await {
                Event::Acknowledged { .. } => self.acknowledged(),
                Event::Lost { .. } | Event::Refused { .. } => return,
                Event::Connected { .. }
                | Event::Message(_)
                | Event::Unsent(_)
                | Event::Subscribed { .. }
                | Event::Unsubscribed { .. } => {}
            }
        }
    }

    fn acknowledged(&mut self) {
        self.clearing = self.clearing.saturating_sub(1);
        self.clear();
    }

    /// Whether what was written has arrived.
    fn written(&self) -> Result<(), End> {
        match self.output.borrow().failure() {
            None => Ok(()),
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(End::ReaderGone),
            Some(error) => {
                Err(End::Failed(Failure::new(FAILURE, format!("Error: {}", words::system_words(error)))))
            }
        }
    }

    /// From 0 to 100.
    fn draw(&mut self) -> f64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as f64 / f64::from(1_u32 << 31) * 100.0
    }

    fn say(&self, line: &str) {
        if !self.flags.quiet {
            eprintln!("{line}");
        }
    }
}

/// Never, where there is no timer.
async fn due(timer: &mut Option<Pin<Box<Sleep>>>) {
    match timer {
        Some(timer) => timer.as_mut().await,
        None => std::future::pending().await,
    }
}
