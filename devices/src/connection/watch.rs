//! Lets somebody look on: each packet that comes and goes, as it does.
//!
//! It is for people who want to see the protocol. Only who is watched pays for it, by reading every packet twice.

use super::transport::{Incoming, Outgoing, Transport};
use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _, stream};
use luxwire_shared::mqtt::{Framer, Packet, Version};
use std::{cell::RefCell, future::ready, io, rc::Rc};

/// Hears of each packet.
pub type Watcher = Rc<RefCell<dyn FnMut(Direction, &Packet)>>;

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the broker.
    Sent,
    /// From the broker.
    Received,
}

/// The same transport under somebody's eyes. What comes is handed on packet by packet, so that what follows from one is
/// sent before the next is seen.
pub(super) fn watched(transport: Transport, watcher: &Watcher, version: Version) -> Transport {
    let Transport { incoming, outgoing } = transport;
    let (received, sent) =
        (Eye::new(Direction::Received, watcher, version), Eye::new(Direction::Sent, watcher, version));
    Transport { incoming: watched_incoming(incoming, received), outgoing: watched_outgoing(outgoing, sent) }
}

fn watched_incoming(incoming: Incoming, eye: Eye) -> Incoming {
    let waiting = BytesMut::new();
    Box::pin(stream::unfold((incoming, waiting, eye), async |(mut incoming, mut waiting, mut eye)| {
        loop {
            if let Some(len) = first_packet_len(&waiting) {
                let packet = waiting.split_to(len).freeze();
                eye.see(&packet);
                return Some((Ok(packet), (incoming, waiting, eye)));
            }
            match incoming.next().await? {
                Ok(bytes) => waiting.extend_from_slice(&bytes),
                Err(error) => return Some((Err(error), (incoming, waiting, eye))),
            }
        }
    }))
}

fn watched_outgoing(outgoing: Outgoing, mut eye: Eye) -> Outgoing {
    Box::pin(outgoing.with(move |bytes: Bytes| {
        eye.see(&bytes);
        ready(Ok::<_, io::Error>(bytes))
    }))
}

/// Sees packets in one direction.
struct Eye {
    direction: Direction,
    watcher: Watcher,
    version: Version,
    framer: Framer,
}

impl Eye {
    fn new(direction: Direction, watcher: &Watcher, version: Version) -> Self {
        Self { direction, watcher: Rc::clone(watcher), version, framer: Framer::new(u32::MAX) }
    }

    /// What is no packet is the client's business, not the watcher's.
    fn see(&mut self, bytes: &Bytes) {
        self.framer.push(bytes.clone());
        while let Ok(Some(packet)) = self.framer.next_packet(self.version) {
            (self.watcher.borrow_mut())(self.direction, &packet);
        }
    }
}

/// The length of the packet at the front, if it is whole. What has no valid length is taken as it is.
fn first_packet_len(bytes: &[u8]) -> Option<usize> {
    let mut len = 0;
    for at in 0..4 {
        let byte = *bytes.get(1 + at)?;
        len |= usize::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            let whole = 2 + at + len;
            return (bytes.len() >= whole).then_some(whole);
        }
    }
    Some(bytes.len())
}
