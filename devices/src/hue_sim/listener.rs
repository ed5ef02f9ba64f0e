//! The two ports: accepting, TLS, and giving each connection to hyper.

use super::{http, limits, shared::Shared, stall::Stalling};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    select,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

/// Accepts connections for ever; dropping the future ends all of them.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
) {
    let mut refuse_until = shared.refuse_until.subscribe();
    let mut listener = Some(listener);
    loop {
        let refused = refuse_until.borrow_and_update().is_some();
        if refused {
            listener = None;
            if refuse_until.changed().await.is_err() {
                return;
            }
            continue;
        }
        let open = match listener.take() {
            Some(open) => open,
            None => reopen(address).await,
        };
        // Connections end with this set, and so before the port is closed to others.
        let mut connections = JoinSet::new();
        select! {
            () = accept(&shared, &open, tls.as_ref(), &mut connections) => return,
            _ = refuse_until.changed() => {}
        }
        listener = Some(open);
    }
}

async fn reopen(address: SocketAddr) -> TcpListener {
    let mut told = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(error) => {
                if !told {
                    warn!("{address} cannot be opened again yet: {error}");
                    told = true;
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn accept(
    shared: &Arc<Shared>,
    listener: &TcpListener,
    tls: Option<&TlsAcceptor>,
    connections: &mut JoinSet<()>,
) {
    loop {
        let Ok(permit) = Arc::clone(&shared.connections).acquire_owned().await else { return };
        let stream = select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of descriptors, most likely: others will end.
                    debug!("a connection was not accepted: {error}");
                    sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        let (shared, tls) = (Arc::clone(shared), tls.cloned());
        connections.spawn(async move {
            let _permit = permit;
            connection(shared, stream, tls).await;
        });
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream, tls: Option<TlsAcceptor>) {
    if let Err(error) = stream.set_nodelay(true) {
        return debug!("a connection ended at once: {error}");
    }
    match tls {
        None => exchange(shared, stream, false).await,
        Some(tls) => match timeout(limits::REQUEST_WITHIN, tls.accept(stream)).await {
            Ok(Ok(stream)) => exchange(shared, stream, true).await,
            Ok(Err(error)) => debug!("no TLS was agreed upon: {error}"),
            Err(_) => debug!("TLS took too long"),
        },
    }
}

async fn exchange(shared: Arc<Shared>, stream: impl AsyncRead + AsyncWrite + Unpin, tls: bool) {
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(60))
        .max_buf_size(limits::HEAD_BYTES);
    let service = service_fn(move |request| http::answer(Arc::clone(&shared), request, tls));
    let stream = TokioIo::new(Stalling::new(stream, limits::TAKEN_WITHIN));
    if let Err(error) = protocol.serve_connection(stream, service).await {
        debug!("a connection ended: {error}");
    }
}
