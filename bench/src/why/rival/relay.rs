//! A bare WebSocket relay, as many programs have one: what a connection says goes to all others, and the latest message
//! to whoever joins.

use anyhow::{Context as _, Result};
use futures_util::{SinkExt as _, StreamExt as _};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::mpsc,
    task::spawn_local,
};
use tokio_tungstenite::{
    accept_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

/// Everybody who is connected, and the latest message.
#[derive(Default)]
struct Room {
    next: Cell<u64>,
    members: RefCell<BTreeMap<u64, mpsc::Sender<Message>>>,
    latest: RefCell<Option<Message>>,
}

/// Accepts until it is ended.
pub(super) async fn serve(listener: &TcpListener) -> Result<()> {
    let room = Rc::new(Room::default());
    loop {
        let (stream, _) = listener.accept().await.context("cannot accept")?;
        let room = Rc::clone(&room);
        spawn_local(async move {
            let number = room.next.replace(room.next.get() + 1);
            // A connection that broke concerns nobody else.
            let _ = member(stream, number, &room).await;
            room.members.borrow_mut().remove(&number);
        });
    }
}

/// Messages that wait for a slow member before it loses some; a message's size is bounded as well.
const WAITING: usize = 64;
const MESSAGE_BYTES: usize = 64 << 10;

async fn member(stream: TcpStream, number: u64, room: &Room) -> Result<()> {
    stream.set_nodelay(true)?;
    let config =
        WebSocketConfig::default().max_message_size(Some(MESSAGE_BYTES)).max_frame_size(Some(MESSAGE_BYTES));
    let mut socket = accept_async_with_config(stream, Some(config)).await?;
    let (sender, mut waiting) = mpsc::channel(WAITING);
    let latest = room.latest.borrow().clone();
    if let Some(message) = latest {
        sender.try_send(message)?;
    }
    room.members.borrow_mut().insert(number, sender);
    loop {
        select! {
            Some(message) = waiting.recv() => socket.send(message).await?,
            received = socket.next() => match received {
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => room.repeat(number, &message),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(()),
            },
        }
    }
}

impl Room {
    fn repeat(&self, from: u64, message: &Message) {
        for (_, member) in self.members.borrow().iter().filter(|(number, _)| **number != from) {
            // Who is too slow misses this one.
            let _ = member.try_send(message.clone());
        }
        *self.latest.borrow_mut() = Some(message.clone());
    }
}
