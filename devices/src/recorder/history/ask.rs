//! Where answers come from: a recorder that is asked over MQTT, or a file.

use super::Args;
use crate::{
    Usage,
    connection::{Connection, Narrator, unique_client_id},
    recorder::{
        asker::answered,
        clock,
        query::{Answer, Asked, topics},
        service,
        store::Place,
    },
};
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use luxwire_shared::{
    client::{Event, Message},
    mqtt::{PublishProperties, QoS, Subscribable, SubscribeFilter, TopicFilter, TopicName, Version},
};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::timeout;

/// How long a recorder may take to answer: longer than it searches.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long a broker may stay away.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Who is asked.
pub(super) enum Source {
    File { place: Place, db: Box<rusqlite::Connection> },
    Recorder(Box<Recorder>),
}

/// A recorder somewhere.
pub(super) struct Recorder {
    connection: Connection,
    narrator: Narrator,
    service: String,
    request: TopicName,
    answer: TopicName,
    version: Version,
    is_ready: bool,
    /// Tells answers apart, where the protocol has room for it.
    asked: u32,
    /// What the recorder said of itself, if anything.
    state: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    state: String,
}

#[derive(Deserialize)]
struct Failure {
    status: u16,
    detail: String,
}

impl Source {
    pub(super) fn open(args: &Args) -> Result<Self> {
        if let Some(path) = &args.file {
            let place = Place::File(path.clone());
            let db = place.open_to_read().context("--file")?;
            return Ok(Self::File { place, db: Box::new(db) });
        }
        let mut options = args.broker.options(&unique_client_id("luxwire-history"))?;
        options.packet_size_max = 2 << 20;
        let topic = |subject: &str| {
            service::topic(&args.service, subject)
                .ok_or_else(|| Usage(format!("--service: {:?} is no topic level", args.service)))
        };
        let (request, status) = (topic("request")?, topic("status")?);
        let own = service::service(options.client_id.as_str());
        let answer = topic(&format!("answer/{own}"))?;
        let mut connection = Connection::new(&args.broker, options)?;
        // The status is retained, and so comes with the subscription if there ever was a recorder.
        let filters = [&status, &answer].map(|topic| {
            let filter = TopicFilter::try_from(topic.as_str()).expect("a name of ours has no wildcards");
            SubscribeFilter::new(Subscribable::own(filter), QoS::AtLeastOnce)
        });
        connection.subscribe(filters);
        Ok(Self::Recorder(Box::new(Recorder {
            connection,
            narrator: Narrator::new(),
            service: args.service.clone(),
            request,
            answer,
            version: args.broker.protocol,
            is_ready: false,
            asked: 0,
            state: None,
        })))
    }

    /// Which topics are meant.
    pub(super) fn topics(&self, filter: &TopicFilter) -> Result<Vec<TopicName>> {
        if !filter.has_wildcard() {
            return Ok(vec![TopicName::try_from(filter.as_str())?]);
        }
        let Self::File { place, db } = self else { bail!("wildcards need --file") };
        let all = topics(db).map_err(|error| place.error(&error))?;
        let names = all.iter().filter_map(|name| TopicName::try_from(name.as_str()).ok());
        let matching: Vec<_> = names.filter(|name| filter.matches(name)).collect();
        ensure!(!matching.is_empty(), "{place} has no topic that matches {}", filter.as_str());
        Ok(matching)
    }

    pub(super) async fn ask(&mut self, asked: &Asked) -> Result<Answer> {
        let body = match self {
            Self::File { place, db } => {
                let now = clock::wall();
                let question = asked.understand(now).map_err(Usage)?;
                let found = answered(db, &question, now).map_err(|error| place.error(&error))?;
                found.ok_or_else(|| anyhow!("no value of {:?} is in {place}", asked.topic))?
            }
            Self::Recorder(recorder) => recorder.ask(asked).await?,
        };
        serde_json::from_slice(&body).context("the answer is not understood")
    }

    pub(super) async fn close(&mut self) {
        if let Self::Recorder(recorder) = self {
            recorder.connection.disconnect().await;
        }
    }
}

impl Recorder {
    async fn ask(&mut self, asked: &Asked) -> Result<Vec<u8>> {
        if !self.is_ready {
            let address = self.connection.address().to_string();
            let ready = timeout(CONNECT_WITHIN, self.ready()).await;
            ready.map_err(|_| anyhow!("{address} is not there (--broker)"))??;
        }
        self.asked += 1;
        let question = self.question(asked)?;
        // A question that is lost with its connection is not asked again: whoever waits would rather know.
        self.connection.publish(question).map_err(|error| anyhow!("the question was not sent: {error}"))?;
        let answer = timeout(ANSWER_WITHIN, self.answer()).await;
        let message = answer.map_err(|_| anyhow!(self.silence()))??;
        match serde_json::from_slice::<Failure>(&message.payload) {
            Ok(failure) if failure.status >= 400 => bail!(failure.detail),
            _ => Ok(message.payload.to_vec()),
        }
    }

    /// What happens next; a connection that is made is no news to whoever waits for an answer.
    async fn next(&mut self) -> Event {
        let event = self.connection.next().await;
        if !matches!(event, Event::Connected { .. }) {
            self.narrator.tell(&self.connection, &event);
        }
        event
    }

    fn question(&self, asked: &Asked) -> Result<Message> {
        let mut json = serde_json::to_value(asked)?;
        let mut properties = None;
        if self.version == Version::V5 {
            properties = Some(Box::new(PublishProperties {
                response_topic: Some(self.answer.clone()),
                correlation_data: Some(self.asked.to_be_bytes().to_vec().into()),
                // A recorder that comes back later finds nobody waiting.
                message_expiry_interval_s: u32::try_from(ANSWER_WITHIN.as_secs()).ok(),
                ..PublishProperties::default()
            }));
        } else if let Some(object) = json.as_object_mut() {
            object.insert("response_topic".to_owned(), self.answer.as_str().into());
        }
        let message = Message::new(self.request.clone(), json.to_string(), QoS::AtLeastOnce);
        Ok(Message { properties, ..message })
    }

    async fn ready(&mut self) -> Result<()> {
        loop {
            let event = self.next().await;
            match event {
                Event::Subscribed { answers, .. } => {
                    ensure!(
                        answers.iter().all(|(_, reason)| !reason.is_failure()),
                        "the broker does not let us follow the recorder's answers: --user and --password, or its permissions"
                    );
                    self.is_ready = true;
                    return Ok(());
                }
                Event::Refused { .. } => bail!("the broker refuses us"),
                other => {
                    self.note(&other);
                }
            }
        }
    }

    async fn answer(&mut self) -> Result<Message> {
        loop {
            let event = self.next().await;
            match event {
                Event::Message(message) if message.topic == self.answer && self.belongs(&message) => {
                    return Ok(message);
                }
                Event::Lost { .. } | Event::Refused { .. } => {
                    bail!("the connection was lost before the answer came")
                }
                Event::Acknowledged { reason, .. } if reason.is_failure() => {
                    bail!(
                        "the broker does not let us ask the recorder: --user and --password, or its permissions"
                    )
                }
                other => {
                    self.note(&other);
                    if self.state.as_deref() == Some("offline") {
                        bail!(self.silence());
                    }
                }
            }
        }
    }

    fn belongs(&self, answer: &Message) -> bool {
        let correlation = answer.properties.as_deref().and_then(|of| of.correlation_data.as_ref());
        correlation.is_none_or(|bytes| bytes[..] == self.asked.to_be_bytes())
    }

    /// Remembers what the recorder says of itself.
    fn note(&mut self, event: &Event) {
        if let Event::Message(message) = event
            && let Ok(said) = serde_json::from_slice::<Said>(&message.payload)
        {
            self.state = Some(said.state);
        }
    }

    fn silence(&self) -> String {
        let (service, address) = (&self.service, self.connection.address());
        match self.state.as_deref() {
            None => format!(
                "no recorder named {service} is at {address}: start one with `luxwire record`, or name another with \
                 --service, or read its file with --file"
            ),
            Some("offline") => format!(
                "the recorder {service} at {address} is not running: start it with `luxwire record`, or read its file with \
                 --file"
            ),
            Some(_) => format!("the recorder {service} at {address} does not answer"),
        }
    }
}
