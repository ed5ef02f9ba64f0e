//! MQTT over TCP: accepting connections and making links of them.

use super::Listener;
use crate::shard::{NewLink, Room, Shard};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Accepts until `stop`. Whoever finds no room is closed at once.
pub(crate) async fn serve(listener: Listener, shard: Shard, room: Arc<Room>, stop: CancellationToken) {
    while let Some((socket, peer)) = stop.run_until_cancelled(listener.accept()).await {
        if let Some(permit) = room.enter(peer) {
            shard.open(NewLink { socket, peer, websocket: None, permit });
        }
    }
}
