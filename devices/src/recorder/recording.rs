//! The broker's side of the recorder: what comes, what it is worth, and when it is acknowledged.
//!
//! A value is acknowledged when the writer says that it is stored, on the connection that brought it. What waits for the
//! disk is bounded: a broker of version 5 holds back by itself, and any other is left until there is room.

use super::{
    Settings,
    arrival::{Arrival, Delivery, Entry, Millis},
    asker::Asker,
    clock,
    filters::without_covered,
    http, limits,
    query::{
        Problem,
        when::{rfc3339, spoken},
    },
    service::{self, CLIENT_ID, OFFLINE, Reply, Request, Status},
    store::Place,
    timing::{Timing, Waited, told},
    writer::{Progress, Writer},
};
use crate::{
    Usage,
    connection::{Connection, Narrator},
};
use anyhow::{Context as _, anyhow, bail, ensure};
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, future::LocalBoxFuture, stream::FuturesUnordered};
use luxwire_shared::{
    client::{Acknowledges, Event, Message, PublishError},
    mqtt::{
        ConnackProperties, PacketId, QoS, ReasonCode, Subscribable, SubscribeFilter, TopicFilter, TopicName,
        Version, Will, WillProperties,
        set_at::{self, Asked},
    },
};
use std::{
    collections::VecDeque, future::Future, io::Write as _, net::SocketAddr, num::NonZeroU16, pin::pin,
    time::Duration,
};
use tokio::{net::TcpListener, select, time::timeout};
use tracing::{debug, info, warn};

/// A connection whose messages are on their way to the disk.
pub(super) struct Recording {
    connection: Connection,
    narrator: Narrator,
    writer: Writer,
    asker: Asker,
    listener: Option<(TcpListener, SocketAddr)>,
    filters: Vec<SubscribeFilter>,
    request: TopicName,
    status_topic: TopicName,
    status: Status,
    /// What was handed to the writer and is not stored yet, oldest first.
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// The writer was told that much waits.
    is_hurried: bool,
    /// The broker was left, since too much waits.
    has_left: bool,
    /// Counts connections.
    connections: u64,
    timing: Timing,
    /// How many waited for the disk at most while that took nothing.
    held: usize,
    said_clocks: bool,
    said_large: bool,
    answers: FuturesUnordered<LocalBoxFuture<'static, Answered>>,
}

/// A body or a problem, and where it goes.
type Answered = (Reply, Result<Vec<u8>, Problem>);

#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// The connection that it came on.
    connection: u64,
    /// To be acknowledged under this number.
    id: Option<PacketId>,
    len: usize,
}

impl Recording {
    /// Opens the file and the listener, and begins to connect.
    pub(super) async fn open(settings: Settings) -> anyhow::Result<Self> {
        let filters = without_covered(settings.filters);
        ensure!(!filters.is_empty(), Usage("FILTER: what is to be recorded?".to_owned()));
        let mut options = settings.broker.options(CLIENT_ID)?;
        let name = service::service(options.client_id.as_str());
        ensure!(!name.is_empty(), Usage("--client-id: the recorder needs a name".to_owned()));
        let topic = |subject| service::topic(&name, subject).context("--client-id");
        let (request, status_topic) = (topic("request")?, topic("status")?);
        options.clean_start = false;
        options.session_expiry_s = u32::MAX;
        options.acknowledges = Acknowledges::Application;
        options.receive_maximum = NonZeroU16::new(limits::RECEIVE_MAXIMUM).expect("it is not 0");
        options.packet_size_max = match options.version {
            Version::V5 => limits::PACKET_SIZE,
            Version::V3_1_1 | Version::V3_1 => limits::PACKET_SIZE_UNTOLD,
        };
        // Room for some answers.
        options.unfetched_bytes_max = 4 * limits::ANSWER;
        options.extras.connect.user_properties = vec![set_at::request(Asked::Always)];
        options.will = Some(Will {
            topic: status_topic.clone(),
            payload: OFFLINE.into(),
            qos: QoS::AtLeastOnce,
            retain: true,
            properties: WillProperties::default(),
        });

        let listener = match &settings.http {
            Some(address) => Some(http::open(address).await?),
            None => None,
        };
        let place = settings.file.map_or_else(Place::memory, Place::File);
        let names: Vec<String> = filters.iter().map(|filter| filter.as_str().to_owned()).collect();
        let writer = Writer::start(place.clone(), settings.keep).await?;
        info!("recording {} into {place}", names.join(", "));
        let asker = Asker::start(place, &names.join(", "))?;
        let mut connection = Connection::new(&settings.broker, options)?;
        // The request's own filter would be a second one for the same messages.
        let own = TopicFilter::try_from(request.as_str()).context("--client-id")?;
        let is_covered = filters.iter().any(|filter| filter.matches(&request));
        let filters: Vec<_> = filters
            .into_iter()
            .chain((!is_covered).then_some(own))
            .map(|filter| SubscribeFilter::new(Subscribable::own(filter), QoS::AtLeastOnce))
            .collect();
        connection.subscribe(filters.clone());
        let status = Status { state: "online", filters: names, values: 0, since: None, problem: None };
        Ok(Self {
            connection,
            narrator: Narrator::new(),
            writer,
            asker,
            listener,
            filters,
            request,
            status_topic,
            status,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            is_hurried: false,
            has_left: false,
            connections: 0,
            timing: Timing::new(None, false, clock::now()),
            held: 0,
            said_clocks: false,
            said_large: false,
            answers: FuturesUnordered::new(),
        })
    }

    /// Says on standard output that everything is open.
    pub(super) fn announce(&self) -> anyhow::Result<()> {
        let mut lines = String::new();
        if let Some((_, address)) = &self.listener {
            lines += &format!("listening http {address}\n");
        }
        lines += "ready\n";
        let mut out = std::io::stdout().lock();
        out.write_all(lines.as_bytes()).and_then(|()| out.flush()).context("standard output is closed")
    }

    /// Records until `stop`, or until that is of no use any more.
    pub(super) async fn run(&mut self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let mut stop = pin!(stop);
        let listener = self.listener.take();
        let asker = self.asker.clone();
        let mut http = pin!(async move {
            match listener {
                Some((listener, _)) => http::serve(listener, asker).await,
                None => std::future::pending().await,
            }
        });
        loop {
            select! {
                () = &mut stop => return Ok(()),
                event = self.connection.next() => self.event(event).await?,
                progress = self.writer.next() => self.progress(progress)?,
                Some((reply, answer)) = self.answers.next() => self.publish_answer(reply, answer),
                ended = &mut http => return ended,
            }
        }
    }

    /// Stores what has come, acknowledges it, and says goodbye.
    pub(super) async fn leave(&mut self) {
        self.take_what_came();
        self.writer.stop();
        let rest = async {
            loop {
                select! {
                    // What comes from here on is not acknowledged, and comes again.
                    event = self.connection.next() => self.narrator.tell(&self.connection, &event),
                    progress = self.writer.next() => match progress {
                        Some(Progress::Stored { entries, .. }) => stored(&mut self.connection, &mut self.waiting, self.connections, entries),
                        Some(Progress::Failed(reason)) => warn!("{reason}"),
                        Some(Progress::Since(_) | Progress::Trouble(_)) => {}
                        None => return,
                    },
                }
            }
        };
        if timeout(limits::STOP_WITHIN, rest).await.is_err() {
            warn!("the disk does not take the last values in time; what was not acknowledged comes again");
        }
        if self.connection.is_online() {
            let last = Message::retained(self.status_topic.clone(), OFFLINE, QoS::AtLeastOnce);
            if let Ok(Some(token)) = self.connection.publish(last) {
                let acknowledged = async {
                    loop {
                        match self.connection.next().await {
                            Event::Acknowledged { token: other, .. } if other == token => return,
                            Event::Lost { .. } | Event::Refused { .. } => return,
                            _ => {}
                        }
                    }
                };
                let _ = timeout(Duration::from_secs(1), acknowledged).await;
            }
        }
        self.connection.disconnect().await;
    }

    /// Hands over what lies ready: it need not come again, and from a broker that stops as well it would not.
    fn take_what_came(&mut self) {
        while self.waiting.len() < limits::QUEUE_VALUES && self.waiting_bytes < limits::QUEUE_BYTES {
            match self.connection.next().now_or_never() {
                Some(Event::Message(message)) => self.message(message),
                Some(event) => self.narrator.tell(&self.connection, &event),
                None => return,
            }
        }
    }

    async fn event(&mut self, event: Event) -> anyhow::Result<()> {
        self.narrator.tell(&self.connection, &event);
        match event {
            Event::Connected { session_present, properties } => self.connected(session_present, &properties),
            Event::Subscribed { .. } => self.timing.subscribed(clock::now()),
            Event::Message(message) => {
                self.message(message);
                if self.waiting.len() >= limits::QUEUE_VALUES || self.waiting_bytes >= limits::QUEUE_BYTES {
                    self.make_room().await;
                }
            }
            Event::Refused { reason: ReasonCode::SessionTakenOver, .. } => bail!(
                "another recorder has come under the name {}: one of them needs another --client-id (and --file)",
                self.connection.client_id().as_str()
            ),
            Event::Refused { .. }
            | Event::Lost { .. }
            | Event::Acknowledged { .. }
            | Event::Unsent(_)
            | Event::Unsubscribed { .. } => {}
        }
        Ok(())
    }

    fn connected(&mut self, session_present: bool, properties: &ConnackProperties) {
        self.connections += 1;
        // 3.1 cannot say whether a session goes on; asked for, it does.
        let resumed = session_present || self.connection.version() == Version::V3_1;
        self.put(Entry::Connected { resumed }, None);
        let theirs = told(&properties.user_properties);
        self.timing = Timing::new(theirs, resumed, clock::now());
        if session_present && self.connections > 1 {
            // What was set at QoS 0 meanwhile is in no session, but the latest of it is retained.
            self.connection.subscribe(self.filters.clone());
        }
        if let Some(theirs) = theirs {
            self.compare_clocks(theirs);
        }
        self.say_status();
    }

    fn compare_clocks(&mut self, theirs: Millis) {
        let differs = Duration::from_millis(theirs.abs_diff(clock::wall()));
        if differs > limits::CLOCKS_DIFFER && !self.said_clocks {
            let how = if theirs > clock::wall() { "ahead of" } else { "behind" };
            warn!(
                "the broker's clock is {} {how} ours; values have the broker's times, and retention goes by ours",
                spoken(differs)
            );
        }
        self.said_clocks = differs > limits::CLOCKS_DIFFER;
    }

    fn message(&mut self, message: Message) {
        let delivery = message.id.filter(|_| message.qos == QoS::AtLeastOnce);
        if message.topic.as_str().starts_with(service::PREFIX) {
            if message.topic == self.request {
                self.asked(&message);
            }
            self.put(Entry::Nothing, delivery);
            return;
        }
        if message.payload.len() > limits::PAYLOAD {
            if !self.said_large {
                warn!(
                    "a value of {} bytes of {} is not recorded: {} bytes are the most. That is said once",
                    message.payload.len(),
                    message.topic.as_str(),
                    limits::PAYLOAD
                );
            }
            self.said_large = true;
            self.put(Entry::Nothing, delivery);
            return;
        }
        let (set_at, origin) = self.timing.of(&message, clock::now());
        if self.timing.has_caught_up() {
            self.say_late();
        }
        let arrival = Arrival {
            topic: message.topic.as_str().into(),
            // A copy: the message shares the buffer that was read.
            payload: Bytes::copy_from_slice(&message.payload),
            set_at,
            origin,
            retained: message.retain,
            delivery: delivery.map(|id| Delivery { id: id.number(), dup: message.dup }),
        };
        self.put(Entry::Value(arrival), delivery);
    }

    /// Says how much had waited at the broker.
    fn say_late(&mut self) {
        let Waited { count, since } = self.timing.take_waited();
        // A few are in flight at any time.
        if count < limits::HURRY_BEFORE_5 as u64 {
            return;
        }
        let since = since.map(|since| format!(" since {}", rfc3339(since))).unwrap_or_default();
        if count >= limits::USUAL_QUEUE {
            warn!(
                "{count} values had waited at the broker{since}: that is as many as brokers usually keep for a client that is \
                 away, so others may be missing; let it keep more (docs/record.md)"
            );
        } else {
            info!("{count} values had waited at the broker{since}");
        }
    }

    fn put(&mut self, entry: Entry, id: Option<PacketId>) {
        let len = entry.len();
        self.waiting.push_back(Waiting { connection: self.connections, id, len });
        self.waiting_bytes += len;
        self.writer.put(entry);
        // Brokers stop after some that are not acknowledged, and do not say after how many.
        let many =
            if self.connection.version() == Version::V5 { limits::HURRY } else { limits::HURRY_BEFORE_5 };
        if self.waiting.len() >= many && !self.is_hurried {
            self.is_hurried = true;
            self.writer.hurry();
        }
    }

    fn progress(&mut self, progress: Option<Progress>) -> anyhow::Result<()> {
        match progress {
            Some(Progress::Stored { entries, values }) => {
                self.held = if self.status.problem.is_some() { self.held.max(self.waiting.len()) } else { 0 };
                let bytes: usize = self.waiting.iter().take(entries).map(|waiting| waiting.len).sum();
                self.waiting_bytes -= bytes;
                stored(&mut self.connection, &mut self.waiting, self.connections, entries);
                self.is_hurried = false;
                self.status.values = values;
                let has_room = self.waiting.len() <= limits::QUEUE_VALUES / limits::QUEUE_RESUME
                    && self.waiting_bytes <= limits::QUEUE_BYTES / limits::QUEUE_RESUME;
                if self.has_left && has_room {
                    self.has_left = false;
                    info!("there is room again");
                    self.connection.reconnect_now();
                }
                Ok(())
            }
            Some(Progress::Since(since)) => {
                self.status.since = since;
                if self.timing.is_quiet(clock::now()) {
                    self.say_late();
                }
                self.say_status();
                Ok(())
            }
            Some(Progress::Trouble(trouble)) => {
                if trouble.is_none() && self.held as u64 >= limits::USUAL_QUEUE {
                    warn!(
                        "{} messages had waited for the disk: a broker that keeps no more than usual may have dropped others",
                        self.held
                    );
                }
                self.status.problem = trouble;
                self.say_status();
                Ok(())
            }
            Some(Progress::Failed(reason)) => Err(anyhow!(reason)),
            None => bail!("the writer ended by itself; please report that"),
        }
    }

    /// Too much waits for the disk: the broker may keep what else comes.
    async fn make_room(&mut self) {
        if self.has_left || !self.connection.is_online() {
            return;
        }
        warn!(
            "{} messages wait for the disk, as many as may: leaving {} until they are stored. It keeps values of QoS 1 for us, \
             as many as its queue holds; others are lost meanwhile",
            self.waiting.len(),
            self.connection.address()
        );
        self.has_left = true;
        self.connection.disconnect().await;
    }

    fn asked(&mut self, message: &Message) {
        match Request::parse(message) {
            Ok(Request { asked, reply }) => {
                let asker = self.asker.clone();
                self.answers.push(Box::pin(async move {
                    let answer = match asked {
                        Ok(asked) => asker.ask(&asked, clock::wall()).await,
                        Err(problem) => Err(problem),
                    };
                    (reply, answer)
                }));
            }
            Err(error) => debug!("a request is ignored: {error}"),
        }
    }

    fn publish_answer(&mut self, reply: Reply, answer: Result<Vec<u8>, Problem>) {
        let mut published = self.connection.publish(reply.clone().message(answer));
        if let Err(PublishError::TooLarge) = published {
            let problem =
                Problem::new(507, "the answer is larger than the broker takes; ask with a smaller limit");
            published = self.connection.publish(reply.message(Err(problem)));
        }
        if let Err(error) = published {
            debug!("an answer was not published: {error}");
        }
    }

    fn say_status(&mut self) {
        if self.connection.is_online() {
            let message =
                Message::retained(self.status_topic.clone(), self.status.to_payload(), QoS::AtLeastOnce);
            if let Err(error) = self.connection.publish(message) {
                debug!("the status was not published: {error}");
            }
        }
    }
}

/// Acknowledges what is stored and came on this connection.
fn stored(connection: &mut Connection, waiting: &mut VecDeque<Waiting>, current: u64, entries: usize) {
    for entry in waiting.drain(..entries.min(waiting.len())) {
        if let Some(id) = entry.id
            && entry.connection == current
        {
            connection.acknowledge(id);
        }
    }
}
