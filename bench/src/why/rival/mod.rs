//! What MQTT is compared with where Luxwire has no such thing itself: a bare WebSocket relay, and a server that says as
//! little in HTTP as can be. Both know a single value and no topics, keep it for who comes late, and run as processes of
//! their own, as the broker does.

mod http;
mod relay;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio::{net::TcpListener, task::LocalSet};

/// Which of them.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Rival {
    /// Repeats what one WebSocket says to all others
    #[command(name = "websocket")]
    WebSocket,
    /// Keeps one value: PUT, GET, and events
    Http,
}

pub(super) const WEB_SOCKET: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);
pub(super) const HTTP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8082);

/// Runs one of them until it is ended.
pub(crate) fn serve(rival: Rival) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(LocalSet::new().run_until(async {
        let address = match rival {
            Rival::WebSocket => WEB_SOCKET,
            Rival::Http => HTTP,
        };
        let listener = TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
        println!("ready");
        match rival {
            Rival::WebSocket => relay::serve(&listener).await,
            Rival::Http => http::serve(&listener).await,
        }
    }))
}
