//! The way into a shard from elsewhere: commands for its thread.
//!
//! HTTP handlers come this way. MQTT itself does not: a link calls the broker where it stands.

use super::{Room, Shard, Watching};
use bytes::Bytes;
use luxwire_broker::Message;
use luxwire_shared::{
    mqtt::{QoS, TopicFilter, TopicName},
    time::Timestamp,
};
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, mpsc, oneshot},
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
    pub(crate) permit: OwnedSemaphorePermit,
}

/// The latest value of a topic.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) topic: TopicName,
    pub(crate) payload: Bytes,
    pub(crate) qos: QoS,
    pub(crate) set_at: Timestamp,
}

/// The shard has ended, because the program stops.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopped;

#[derive(Debug)]
enum Command {
    Open(NewLink),
    Values { filter: TopicFilter, answer: oneshot::Sender<Vec<Value>> },
    Value { topic: TopicName, answer: oneshot::Sender<Option<Value>> },
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
    pub(crate) fn enter(&self, peer: SocketAddr) -> Option<OwnedSemaphorePermit> {
        self.room.enter(peer)
    }

    /// Makes a connection a link.
    pub(crate) async fn open(&self, new: NewLink) -> Result<(), Stopped> {
        self.commands.send(Command::Open(new)).await.map_err(|_| Stopped)
    }

    /// The values of all topics that match.
    pub(crate) async fn values(&self, filter: TopicFilter) -> Result<Vec<Value>, Stopped> {
        let (answer, receiver) = oneshot::channel();
        self.commands.send(Command::Values { filter, answer }).await.map_err(|_| Stopped)?;
        receiver.await.map_err(|_| Stopped)
    }

    /// The value of one topic.
    pub(crate) async fn value(&self, topic: TopicName) -> Result<Option<Value>, Stopped> {
        let (answer, receiver) = oneshot::channel();
        self.commands.send(Command::Value { topic, answer }).await.map_err(|_| Stopped)?;
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
    fn of(message: &Message) -> Self {
        Self {
            topic: message.topic.clone(),
            payload: message.payload.clone(),
            qos: message.qos,
            set_at: message.published.timestamp,
        }
    }
}

/// Ends with the last [`Door`]. That nobody waits for an answer any more is no failure.
async fn serve(shard: Shard, mut commands: mpsc::Receiver<Command>) {
    while let Some(command) = commands.recv().await {
        match command {
            Command::Open(new) => shard.open(new),
            Command::Values { filter, answer } => {
                let state = shard.0.borrow();
                let _ =
                    answer.send(state.broker.retained(&filter).map(|message| Value::of(message)).collect());
            }
            Command::Value { topic, answer } => {
                let state = shard.0.borrow();
                let _ = answer.send(state.broker.retained_message(&topic).map(|message| Value::of(message)));
            }
            Command::Watch { cut, answer } => {
                let _ = answer.send(shard.watch(cut));
            }
        }
    }
}

/// Commands that wait. Who finds no room waits, which slows only HTTP.
const COMMANDS: usize = 64;
