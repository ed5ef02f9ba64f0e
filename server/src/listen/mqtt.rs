//! MQTT over TCP: accepting connections and making links of them.

use super::Listener;
use crate::{
    descriptors,
    shard::{NewLink, Room, Shard},
};
use mio::net::TcpListener;
use std::{io, sync::Arc};
use tokio::io::Interest;
use tokio_util::sync::CancellationToken;

/// Accepts until `stop`. Whoever finds no room is closed at once.
///
/// The shard watches over its links' sockets by itself: the runtime has the listener's only. An error is the system's, which
/// does not let that be watched over.
pub(crate) fn serve(
    listener: Listener,
    shard: Shard,
    room: Arc<Room>,
    stop: CancellationToken,
) -> io::Result<impl Future<Output = ()>> {
    let Listener { socket, address, .. } = listener;
    let socket = descriptors::watch_over(TcpListener::from_std(socket.into_std()?))?;
    Ok(async move {
        let accept = async || socket.async_io(Interest::READABLE, TcpListener::accept).await;
        while let Some((socket, peer)) = stop.run_until_cancelled(super::accept(address, accept)).await {
            if let Some(place) = room.enter(peer) {
                shard.open(NewLink { socket, peer, websocket: None, place });
            }
        }
    })
}
