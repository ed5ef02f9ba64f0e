//! A connection to a broker, over TCP or WebSocket: the shared client with a socket, a clock and patience.
//!
//! All native clients stand on it. It opens, reads, writes and comes back after a loss; what to say, and what an event
//! means, is the device's business. Nothing is sent, and nothing kept alive, while [`Connection::next`] is not awaited.

mod address;
mod args;
mod narrator;
mod tls;
mod transport;
mod watch;

pub use address::{Address, AddressError, Scheme};
pub use args::{BrokerArgs, unique_client_id};
pub use narrator::Narrator;
pub use watch::{Direction, Watcher};

use bytes::Bytes;
use luxwire_shared::{
    client::{Action, Client, ConnectionState, Event, Message, Options, PublishError, Token},
    mqtt::{PacketId, Subscribable, SubscribeFilter, Text, Version},
    time::Instant,
};
use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Sleep, sleep};
use transport::{Outgoing, Transport};

/// How long the last words of a connection may take to go out.
const GOODBYE: Duration = Duration::from_secs(2);

/// One client's connection to its broker, made again whenever it is lost.
pub struct Connection {
    address: Address,
    trust: Option<Arc<tls::Trust>>,
    client: Client,
    start: std::time::Instant,
    link: Link,
    /// Goes out before anything else may be fetched from the client, whose own bounds hold what waits behind it.
    unwritten: Option<Bytes>,
    leaving: Option<Leaving>,
    timer: Pin<Box<Sleep>>,
    timer_at: Option<Instant>,
    failure: Option<io::Error>,
    version: Version,
    watcher: Option<Watcher>,
}

enum Link {
    None,
    Opening(Pin<Box<dyn Future<Output = io::Result<Transport>>>>),
    Open(Transport),
}

/// A transport whose last words are still going out.
struct Leaving {
    transport: Transport,
    unwritten: Option<Bytes>,
    closed: bool,
    deadline: Pin<Box<Sleep>>,
}

impl Connection {
    /// Connects once it is polled. Fails only if the certificates of `--ca` cannot be read.
    pub fn new(broker: &BrokerArgs, options: Options) -> anyhow::Result<Self> {
        let start = std::time::Instant::now();
        Ok(Self {
            address: broker.broker.clone(),
            trust: broker.trust()?,
            version: options.version,
            watcher: None,
            client: Client::new(options, Instant::START),
            start,
            link: Link::None,
            unwritten: None,
            leaving: None,
            timer: Box::pin(sleep(Duration::ZERO)),
            timer_at: None,
            failure: None,
        })
    }

    /// What happens next. It may be dropped and called again: nothing is lost by that.
    pub async fn next(&mut self) -> Event {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// What happens next, or `None` as soon as nothing of ours waits for the network: what was published has been handed
    /// to the operating system, or there is no connection to hand it to.
    pub async fn flushed(&mut self) -> Option<Event> {
        poll_fn(|context| {
            if let Poll::Ready(event) = self.poll_next(context) {
                return Poll::Ready(Some(event));
            }
            let is_flushed = self.unwritten.is_none()
                && match &mut self.link {
                    // An error shows with the next event.
                    Link::Open(transport) => transport.outgoing.as_mut().poll_flush(context).is_ready(),
                    Link::None | Link::Opening(_) => true,
                };
            if is_flushed { Poll::Ready(None) } else { Poll::Pending }
        })
        .await
    }

    /// Shows each packet of the connections from now on to this watcher.
    pub fn watch(&mut self, watcher: Watcher) {
        self.watcher = Some(watcher);
    }

    /// Publishes a message: QoS 0 now or never, QoS 1 and 2 also without a connection, up to the bounds of the options.
    pub fn publish(&mut self, message: Message) -> Result<Option<Token>, PublishError> {
        self.client.publish(message, self.now())
    }

    /// Follows these filters from now on, whatever happens to the connection.
    pub fn subscribe(&mut self, filters: impl IntoIterator<Item = SubscribeFilter>) -> Token {
        self.client.subscribe(filters, self.now())
    }

    /// Follows these filters no more.
    pub fn unsubscribe(&mut self, filters: impl IntoIterator<Item = Subscribable>) -> Token {
        self.client.unsubscribe(filters, self.now())
    }

    /// Tells the broker that this message of QoS 1, which came on the connection that stands, was taken; see
    /// [`Client::acknowledge`].
    pub fn acknowledge(&mut self, id: PacketId) {
        self.client.acknowledge(id, self.now());
    }

    /// Where the connection stands.
    pub fn state(&self) -> ConnectionState {
        self.client.state()
    }

    /// Whether the broker accepted it, and it still stands.
    pub fn is_online(&self) -> bool {
        self.client.is_online()
    }

    /// The option, or what the broker assigned instead of an empty one.
    pub fn client_id(&self) -> &Text {
        self.client.client_id()
    }

    /// Which version of the protocol is spoken.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Where the broker is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What the operating system, TLS or the web server said when the latest transport failed.
    pub fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }

    /// The connection's clock, which [`Event`]s are dated by.
    pub fn now(&self) -> Instant {
        Instant::from_micros(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// Tries again at once.
    pub fn reconnect_now(&mut self) {
        self.client.reconnect_now(self.now());
    }

    /// Says goodbye, so that no will is published, and waits a little until that is written. What is not yet acknowledged
    /// stays undecided. [`Connection::reconnect_now`] would begin again.
    pub async fn disconnect(&mut self) {
        self.client.disconnect(self.now());
        let deadline = sleep(GOODBYE);
        tokio::pin!(deadline);
        poll_fn(|context| {
            self.act(context);
            let is_gone = matches!(self.link, Link::None) && self.leaving.is_none();
            if is_gone || deadline.as_mut().poll(context).is_ready() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        self.link = Link::None;
        self.leaving = None;
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        loop {
            self.act(context);
            if let Some(event) = self.client.poll_event() {
                return Poll::Ready(event);
            }
            let moved = self.opened(context) || self.read(context) || self.ticked(context);
            if !moved {
                return Poll::Pending;
            }
        }
    }

    /// Does what the client orders, as far as that is possible at once.
    fn act(&mut self, context: &mut Context<'_>) {
        self.leave(context);
        loop {
            self.write(context);
            // While it is online, what waits stays with the client, which bounds it; otherwise only last words wait.
            let Some(action) = (self.unwritten.is_none() || !self.client.is_online())
                .then(|| self.client.poll_action())
                .flatten()
            else {
                return;
            };
            match action {
                Action::Open => {
                    let open = transport::open(self.address.clone(), self.trust.clone());
                    self.link = Link::Opening(Box::pin(open));
                    self.unwritten = None;
                }
                Action::Write(bytes) => {
                    let waiting = self.unwritten.take();
                    let joined = waiting.map(|waiting| [waiting, bytes.clone()].concat().into());
                    self.unwritten = Some(joined.unwrap_or(bytes));
                }
                Action::Close => {
                    if let Link::Open(transport) = std::mem::replace(&mut self.link, Link::None) {
                        let (unwritten, deadline) = (self.unwritten.take(), Box::pin(sleep(GOODBYE)));
                        self.leaving = Some(Leaving { transport, unwritten, closed: false, deadline });
                    }
                    self.unwritten = None;
                    self.leave(context);
                }
            }
        }
    }

    /// Writes what waits and flushes it.
    fn write(&mut self, context: &mut Context<'_>) {
        let Link::Open(Transport { outgoing, .. }) = &mut self.link else { return };
        if let Poll::Ready(Err(error)) = poll_write(outgoing, &mut self.unwritten, context) {
            self.lost(Some(error));
        }
    }

    /// Lets the last words of the transport before go out.
    fn leave(&mut self, context: &mut Context<'_>) {
        if let Some(leaving) = &mut self.leaving
            && (leaving.poll(context).is_ready() || leaving.deadline.as_mut().poll(context).is_ready())
        {
            self.leaving = None;
        }
    }

    fn opened(&mut self, context: &mut Context<'_>) -> bool {
        let Link::Opening(opening) = &mut self.link else { return false };
        match opening.as_mut().poll(context) {
            Poll::Ready(Ok(transport)) => {
                self.failure = None;
                self.link = Link::Open(match &self.watcher {
                    Some(watcher) => watch::watched(transport, watcher, self.version),
                    None => transport,
                });
                self.client.transport_opened(self.now());
                true
            }
            Poll::Ready(Err(error)) => {
                self.lost(Some(error));
                true
            }
            Poll::Pending => false,
        }
    }

    fn read(&mut self, context: &mut Context<'_>) -> bool {
        let Link::Open(Transport { incoming, .. }) = &mut self.link else { return false };
        match incoming.as_mut().poll_next(context) {
            Poll::Ready(Some(Ok(bytes))) => self.client.receive(bytes, self.now()),
            Poll::Ready(Some(Err(error))) => self.lost(Some(error)),
            Poll::Ready(None) => self.lost(None),
            Poll::Pending => return false,
        }
        true
    }

    /// The transport is gone, with this word of the operating system if there is one.
    fn lost(&mut self, error: Option<io::Error>) {
        self.failure = error;
        self.link = Link::None;
        self.unwritten = None;
        self.client.transport_closed(self.now());
    }

    fn ticked(&mut self, context: &mut Context<'_>) -> bool {
        let Some(deadline) = self.client.next_deadline() else {
            self.timer_at = None;
            return false;
        };
        if self.timer_at != Some(deadline) {
            self.timer_at = Some(deadline);
            let pause = deadline.since(self.now());
            self.timer.as_mut().reset(tokio::time::Instant::now() + pause);
        }
        if self.timer.as_mut().poll(context).is_pending() {
            return false;
        }
        self.timer_at = None;
        self.client.tick(self.now());
        true
    }
}

impl Leaving {
    /// Writes what is left, closes, and reads until the other side closes, too: closing a socket with unread bytes would
    /// take back what was just written.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Transport { incoming, outgoing } = &mut self.transport;
        if !self.closed {
            if ready!(poll_write(outgoing, &mut self.unwritten, context)).is_err()
                || ready!(outgoing.as_mut().poll_close(context)).is_err()
            {
                return Poll::Ready(());
            }
            self.closed = true;
        }
        while let Some(Ok(_unheard)) = ready!(incoming.as_mut().poll_next(context)) {}
        Poll::Ready(())
    }
}

fn poll_write(
    outgoing: &mut Outgoing,
    unwritten: &mut Option<Bytes>,
    context: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    if unwritten.is_some() {
        ready!(outgoing.as_mut().poll_ready(context))?;
        if let Some(bytes) = unwritten.take() {
            outgoing.as_mut().start_send(bytes)?;
        }
    }
    outgoing.as_mut().poll_flush(context)
}
