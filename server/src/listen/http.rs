//! HTTP connections: accepting them and giving each to hyper. What is answered stands in [`crate::http`].

use super::Listener;
use crate::{
    http::{Connection, Peer},
    limits,
    shard::{Place, Room},
};
use axum::{Router, body::Body};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{net::TcpStream, select, spawn};
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;
use tracing::debug;

/// Accepts until `stop`. The head of a request, and the pause before it, may take `head_timeout`.
pub(crate) async fn serve(
    listener: Listener,
    router: Router,
    head_timeout: Duration,
    room: Arc<Room>,
    stop: CancellationToken,
) {
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(head_timeout).max_buf_size(limits::HTTP_HEAD_BYTES);
    while let Some((stream, peer)) = stop.run_until_cancelled(listener.accept()).await {
        if let Some(place) = room.enter(peer) {
            spawn(connection(stream, peer, router.clone(), protocol.clone(), place, stop.clone()));
        }
    }
}

/// One connection until it ends, is upgraded, or lived too long.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    protocol: http1::Builder,
    place: Place,
    stop: CancellationToken,
) {
    // It holds its place until the connection ends or carries a stream.
    let this = Connection::new(place);
    let carried = this.clone();
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        request.extensions_mut().insert(carried.clone());
        router.clone().call(request)
    });
    let mut connection = pin!(protocol.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let ended = select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = this.outlived(limits::HTTP_CONNECTION_LIFETIME) => {
            return debug!(%peer, "HTTP connection lived too long");
        }
    };
    if let Err(error) = ended {
        debug!(%peer, %error, "HTTP connection ended");
    }
}
