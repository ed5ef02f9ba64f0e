//! The way into a shard from elsewhere: commands for its thread.
//!
//! HTTP handlers come this way. MQTT itself does not: a link calls the broker where it stands.

use super::{
    NewLocalLink, Place, Room, Shard, Watching,
    local::{Mailbox, ToBroker},
};
use bytes::Bytes;
use luxwire_broker::{Broker, Message, Rights, Setting};
use luxwire_shared::{
    mqtt::{QoS, Text, TopicFilter, TopicName},
    time::Timestamp,
};
use mio::net::TcpStream;
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// A handle that may go to any thread.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    room: Arc<Room>,
    commands: mpsc::Sender<Command>,
}

/// A connection that is to become a link.
#[derive(Debug)]
pub(crate) struct NewLink {
    pub(crate) socket: TcpStream,
    pub(crate) peer: SocketAddr,
    /// For a WebSocket, what came behind the handshake; `None` for plain TCP.
    pub(crate) websocket: Option<Bytes>,
    /// Its place among the connections.
    pub(crate) place: Place,
}

/// Who asks for values without being a client: a user, or nobody in particular.
pub(crate) type Reader = Option<Text>;

/// The value of a topic, if it has one, and which setting of it that is.
pub(crate) type Latest = Option<(Value, Setting)>;

/// The latest value of a topic.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) topic: TopicName,
    pub(crate) payload: Bytes,
    pub(crate) qos: QoS,
    pub(crate) set_at: Timestamp,
    /// Whether it is, or was to be, kept as the topic's value.
    pub(crate) retain: bool,
    /// What its publisher said that it is.
    pub(crate) content_type: Option<Text>,
}

/// What was asked for may not be read by whoever asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotPermitted;

/// The shard has ended, because the program stops.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopped;

#[derive(Debug)]
enum Command {
    Open(NewLink),
    OpenLocal { new: NewLocalLink, from_client: mpsc::Receiver<ToBroker>, mailbox: Arc<Mailbox> },
    Values { filter: TopicFilter, reader: Reader, answer: oneshot::Sender<Result<Vec<Value>, NotPermitted>> },
    Value { topic: TopicName, reader: Reader, answer: oneshot::Sender<Result<Latest, NotPermitted>> },
    Rights { reader: Reader, answer: oneshot::Sender<Option<Rights>> },
    Watch { cut: CancellationToken, answer: oneshot::Sender<Result<Option<Watching>, Stopped>> },
}

impl Door {
    /// The door of a shard whose connections find their places in `room`.
    pub(crate) fn of(essential: &mut JoinSet<()>, shard: Shard, room: Arc<Room>) -> Self {
        let (commands, receiver) = mpsc::channel(COMMANDS);
        essential.spawn_local(serve(shard, receiver));
        Self { room, commands }
    }

    /// A place for one more MQTT connection, if there is one.
    pub(crate) fn enter(&self, peer: SocketAddr) -> Option<Place> {
        self.room.enter(peer)
    }

    /// Makes a connection a link.
    pub(crate) async fn open(&self, new: NewLink) -> Result<(), Stopped> {
        self.commands.send(Command::Open(new)).await.map_err(|_| Stopped)
    }

    /// Opens a link without a socket.
    pub(super) async fn open_local(
        &self,
        new: NewLocalLink,
        from_client: mpsc::Receiver<ToBroker>,
        mailbox: Arc<Mailbox>,
    ) -> Result<(), Stopped> {
        let command = Command::OpenLocal { new, from_client, mailbox };
        self.commands.send(command).await.map_err(|_| Stopped)
    }

    /// The values of all topics that match and that may be read.
    pub(crate) async fn values(
        &self,
        filter: TopicFilter,
        reader: Reader,
    ) -> Result<Result<Vec<Value>, NotPermitted>, Stopped> {
        let (answer, receiver) = oneshot::channel();
        self.commands.send(Command::Values { filter, reader, answer }).await.map_err(|_| Stopped)?;
        receiver.await.map_err(|_| Stopped)
    }

    /// The value of one topic, and which setting of it this is.
    pub(crate) async fn value(
        &self,
        topic: TopicName,
        reader: Reader,
    ) -> Result<Result<Latest, NotPermitted>, Stopped> {
        let (answer, receiver) = oneshot::channel();
        self.commands.send(Command::Value { topic, reader, answer }).await.map_err(|_| Stopped)?;
        receiver.await.map_err(|_| Stopped)
    }

    /// What somebody may do; `None` for everything.
    pub(crate) async fn rights(&self, reader: Reader) -> Result<Option<Rights>, Stopped> {
        let (answer, receiver) = oneshot::channel();
        self.commands.send(Command::Rights { reader, answer }).await.map_err(|_| Stopped)?;
        receiver.await.map_err(|_| Stopped)
    }

    /// Watches the live picture; `None` if too many do. A watcher that does not read is cut off.
    pub(crate) async fn watch(&self, cut: CancellationToken) -> Result<Option<Watching>, Stopped> {
        let (answer, receiver) = oneshot::channel();
        self.commands.send(Command::Watch { cut, answer }).await.map_err(|_| Stopped)?;
        receiver.await.map_err(|_| Stopped)?
    }
}

impl Value {
    pub(super) fn of(message: &Message) -> Self {
        Self {
            topic: message.topic().detached(),
            payload: Bytes::copy_from_slice(message.payload()),
            qos: message.qos,
            set_at: message.published.timestamp,
            retain: message.retain,
            content_type: message.properties.as_ref().and_then(|properties| properties.content_type.clone()),
        }
    }
}

/// Ends with the last [`Door`]. That nobody waits for an answer any more is no failure.
async fn serve(shard: Shard, mut commands: mpsc::Receiver<Command>) {
    while let Some(command) = commands.recv().await {
        match command {
            Command::Open(new) => shard.open(new),
            Command::OpenLocal { new, from_client, mailbox } => shard.open_local(new, from_client, mailbox),
            Command::Values { filter, reader, answer } => {
                let _ = answer.send(values(&shard.0.borrow().broker, &filter, &reader));
            }
            Command::Value { topic, reader, answer } => {
                let _ = answer.send(value(&shard.0.borrow().broker, &topic, &reader));
            }
            Command::Rights { reader, answer } => {
                let _ = answer.send(shard.0.borrow().broker.rights(reader.as_ref(), None));
            }
            Command::Watch { cut, answer } => {
                let _ = answer.send(shard.watch(cut));
            }
        }
    }
}

fn values(broker: &Broker, filter: &TopicFilter, reader: &Reader) -> Result<Vec<Value>, NotPermitted> {
    let messages = broker.retained(filter);
    let Some(rights) = broker.rights(reader.as_ref(), None) else {
        return Ok(messages.map(|message| Value::of(message)).collect());
    };
    // As with SUBSCRIBE: what may not be read is left out, unless that is all there could ever be.
    if !rights.may_read_some_of(filter) {
        return Err(NotPermitted);
    }
    let permitted = messages.filter(|message| rights.may_read(message.topic()));
    Ok(permitted.map(|message| Value::of(message)).collect())
}

fn value(broker: &Broker, topic: &TopicName, reader: &Reader) -> Result<Latest, NotPermitted> {
    if broker.rights(reader.as_ref(), None).is_some_and(|rights| !rights.may_read(topic)) {
        return Err(NotPermitted);
    }
    let message = broker.retained_message(topic);
    Ok(message.map(|message| Value::of(message)).zip(broker.retained_setting(topic)))
}

/// Commands that wait. Who finds no room waits, which slows only HTTP.
const COMMANDS: usize = 64;
