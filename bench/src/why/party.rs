//! One producer and one follower of a value, whichever way they reach each other.

use super::{
    contender::{Asks, Way},
    http::{Events, Http},
    meter::Meter,
    mqtt::Client,
    rival,
    websocket::WebSocket,
};
use anyhow::{Context as _, Result, bail};
use bytes::Bytes;

/// Sets the value.
pub(super) enum Producer {
    Http(Box<Http>),
    WebSocket(Box<WebSocket>),
    Mqtt(Box<Client>),
}

/// Has the value, and learns of its changes.
pub(super) enum Follower {
    /// Must ask; has this value.
    Asking(Box<Http>, Bytes),
    Events(Box<Events>),
    WebSocket(Box<WebSocket>),
    Mqtt(Box<Client>),
}

impl Producer {
    /// Connects; over HTTP that is left to the first value.
    pub(super) async fn join(way: Way, meter: &Meter) -> Result<Self> {
        Ok(match way {
            Way::Polling { server, headers, asks, .. } => {
                Self::Http(Box::new(Http::new(server, headers, asks, meter)))
            }
            Way::Events { server, headers } => {
                Self::Http(Box::new(Http::new(server, headers, Asks::Again, meter)))
            }
            Way::WebSocket { headers } => {
                let socket = WebSocket::open(rival::WEB_SOCKET, "/", None, headers, meter).await?;
                Self::WebSocket(Box::new(socket))
            }
            Way::Mqtt(kind) => Self::Mqtt(Box::new(Client::connect(kind, "dimmer-01", meter).await?)),
        })
    }

    /// Sets the value, and waits for whatever says that this worked.
    pub(super) async fn set(&mut self, value: &str) -> Result<()> {
        match self {
            Self::Http(http) => http.put(value).await,
            Self::WebSocket(socket) => socket.send_text(value).await,
            Self::Mqtt(client) => client.publish(value).await,
        }
    }

    /// Comes, sets the value, and goes in order.
    pub(super) async fn once(way: Way, value: &str, meter: &Meter) -> Result<()> {
        let way = match way {
            Way::Polling { server, headers, every, .. } => {
                Way::Polling { server, headers, every, asks: Asks::WithConnectionEach }
            }
            Way::Events { .. } | Way::WebSocket { .. } | Way::Mqtt(_) => way,
        };
        let mut producer = Self::join(way, meter).await?;
        producer.set(value).await?;
        match producer {
            Self::Http(_) => Ok(()),
            Self::WebSocket(socket) => socket.close().await,
            Self::Mqtt(client) => client.disconnect().await,
        }
    }
}

impl Follower {
    /// Connects, and waits until it has the value.
    pub(super) async fn join(way: Way, number: usize, meter: &Meter) -> Result<Self> {
        Ok(match way {
            Way::Polling { server, headers, asks, .. } => {
                let mut http = Http::new(server, headers, asks, meter);
                let value = http.get().await?.context("there is no value at first")?;
                Self::Asking(Box::new(http), value)
            }
            Way::Events { server, headers } => {
                let mut events = Http::new(server, headers, Asks::Again, meter).events().await?;
                events.next().await?;
                Self::Events(Box::new(events))
            }
            Way::WebSocket { headers } => {
                let mut socket = WebSocket::open(rival::WEB_SOCKET, "/", None, headers, meter).await?;
                socket.receive().await?.context("the relay keeps no value")?;
                Self::WebSocket(Box::new(socket))
            }
            Way::Mqtt(kind) => {
                let name = format!("follower-{number:02}");
                let mut client = Client::connect(kind, &name, meter).await?;
                client.subscribe().await?;
                Self::Mqtt(Box::new(client))
            }
        })
    }

    /// The next value: for those who must ask, what holds now, if it is another one than they have.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>> {
        match self {
            Self::Asking(http, latest) => {
                let changed = http.get().await?.filter(|value| value != latest);
                if let Some(value) = &changed {
                    *latest = value.clone();
                }
                Ok(changed)
            }
            Self::Events(events) => events.next().await.map(Some),
            Self::WebSocket(socket) => {
                socket.receive().await?.context("the relay has closed the connection").map(Some)
            }
            Self::Mqtt(client) => client.next().await.map(Some),
        }
    }

    /// Does once what keeps the connection alive while nothing happens.
    pub(super) async fn keep_alive(&mut self) -> Result<()> {
        match self {
            Self::Asking(..) => bail!("asking is all that keeps it alive"),
            Self::Events(events) => events.keep_alive().await,
            Self::WebSocket(socket) => socket.ping().await,
            Self::Mqtt(client) => client.ping().await,
        }
    }
}
