//! Listeners: opening them, and accepting without ever spinning.

mod http;
mod mqtt;

pub(crate) use http::serve as serve_http;
pub(crate) use mqtt::serve as serve_mqtt;

use crate::{config::Address, limits};
use anyhow::Context as _;
use socket2::{SockRef, TcpKeepalive};
use std::{io, net::SocketAddr, os::fd::AsFd};
use tokio::{
    net::{TcpListener, TcpStream, lookup_host},
    time::sleep,
};
use tracing::{debug, error};

/// What a listener speaks, in the words of the ready lines and the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    Http,
    Mqtt,
}

/// An open listener and the address that it got.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    pub(crate) speaks: Speaks,
    pub(crate) address: SocketAddr,
}

impl Speaks {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Mqtt => "mqtt",
        }
    }
}

impl Listener {
    /// Opens every address that the name stands for.
    pub(crate) async fn open(address: &Address, speaks: Speaks) -> anyhow::Result<Vec<Self>> {
        let resolved = lookup_host((address.host(), address.port())).await.with_context(|| {
            let host = address.host();
            format!("cannot listen on {address}: {host} is no name of this machine; write an IP address")
        })?;
        let mut listeners = Vec::new();
        for address in resolved {
            let socket =
                TcpListener::bind(address).await.map_err(|error| cannot_listen(address, speaks, &error))?;
            let address = socket.local_addr().context("a listener has no address")?;
            listeners.push(Self { socket, speaks, address });
        }
        Ok(listeners)
    }

    /// The next connection.
    async fn accept(&self) -> (TcpStream, SocketAddr) {
        accept(self.address, async || self.socket.accept().await).await
    }
}

/// The next connection that `accept` gives, its options set. Rests while the system has no room for one.
async fn accept<S: AsFd>(
    address: SocketAddr,
    accept: impl AsyncFn() -> io::Result<(S, SocketAddr)>,
) -> (S, SocketAddr) {
    let mut failing = false;
    loop {
        match accept().await {
            Ok((stream, peer)) => match prepare(&stream) {
                Ok(()) => return (stream, peer),
                Err(error) => debug!(%peer, %error, "connection gone before it was used"),
            },
            Err(error) if is_one_connection(&error) => {
                debug!(%error, "connection gone before it was accepted")
            }
            Err(error) => {
                if !failing {
                    error!(%error, %address, "no connection can be accepted for now");
                    failing = true;
                }
                sleep(limits::ACCEPT_BACK_OFF).await;
            }
        }
    }
}

/// Small messages leave at once, and a peer that lost its power is noticed even if it never speaks MQTT.
fn prepare(stream: &impl AsFd) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
    let probes = TcpKeepalive::new()
        .with_time(limits::TCP_KEEP_ALIVE_AFTER)
        .with_interval(limits::TCP_KEEP_ALIVE_INTERVAL)
        .with_retries(limits::TCP_KEEP_ALIVE_RETRIES);
    socket.set_tcp_keepalive(&probes)
}

/// These concern the one connection that was about to be accepted, and the next may be fine.
fn is_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

fn cannot_listen(address: SocketAddr, speaks: Speaks, error: &io::Error) -> anyhow::Error {
    let speaks = speaks.as_str();
    let mend = match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!(
                "another program uses this port; stop it, or choose another port: --{speaks} {}:0 picks a free one",
                host(address)
            )
        }
        io::ErrorKind::PermissionDenied => {
            format!(
                "this user may not open ports below 1024; choose another: --{speaks} {}:8080",
                host(address)
            )
        }
        io::ErrorKind::AddrNotAvailable => {
            format!(
                "this machine does not have this address; --{speaks} 0.0.0.0:{} listens on all it has",
                address.port()
            )
        }
        _ => format!("{error}; choose another address with --{speaks} HOST:PORT"),
    };
    anyhow::anyhow!("cannot listen on {address} for {speaks}: {mend}")
}

fn host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}
