//! What waits to be written to one link.
//!
//! Packets are encoded straight into it. Over TCP they are on the wire as they are; over WebSocket each is in a frame of its
//! own, whose header is written into room left before it once its length is known. An idle link holds no buffer: they come
//! from [`Spare`] and go back there.

use super::websocket::{self, HEADER_ROOM, WebSocket};
use crate::limits;
use bytes::{Buf as _, BytesMut};
use luxwire_broker::Traffic;
use std::io;
use tokio::net::tcp::OwnedWriteHalf;

/// Bytes on their way out, oldest first.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// What the socket gets.
    wire: BytesMut,
    /// WebSocket only: the packet that follows, behind room for its frame's header. Empty if there is none.
    open: BytesMut,
}

/// How far a write came.
#[derive(Debug)]
pub(super) enum Written {
    /// Nothing is left.
    All,
    /// The socket is full; says whether it took anything.
    Blocked { progress: bool },
    /// The connection is gone.
    Failed(io::Error),
}

impl Output {
    /// Bytes that wait.
    pub(super) fn len(&self) -> usize {
        self.wire.len() + self.open.len().saturating_sub(HEADER_ROOM)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the next packet is encoded.
    pub(super) fn packets(&mut self, websocket: Option<&WebSocket>, spare: &mut Spare) -> &mut BytesMut {
        let Some(websocket) = websocket else {
            if self.wire.capacity() == 0 {
                self.wire = spare.take();
            }
            return &mut self.wire;
        };
        // The standard lets packets share a frame. But there are clients that take a frame for a packet, and wait for
        // more from the network while the second one lies before them; and what is gained is a header of two bytes.
        self.end_frame(websocket.can_write());
        if self.open.is_empty() {
            if self.open.capacity() == 0 {
                self.open = spare.take();
            }
            self.open.extend_from_slice(&[0; HEADER_ROOM]);
        }
        &mut self.open
    }

    /// Appends whole frames, behind the packets that came before them.
    pub(super) fn append_control_frames(&mut self, frames: &[u8]) {
        if frames.is_empty() {
            return;
        }
        self.end_frame(true);
        self.wire.extend_from_slice(frames);
    }

    /// Puts the packet that is not in a frame yet into one. If it may not be sent any more, it is dropped: nothing may follow
    /// a close frame.
    fn end_frame(&mut self, may_be_sent: bool) {
        if self.open.len() > HEADER_ROOM && may_be_sent {
            websocket::seal(&mut self.open);
            if self.wire.is_empty() {
                std::mem::swap(&mut self.wire, &mut self.open);
            } else {
                self.wire.extend_from_slice(&self.open);
            }
        }
        self.open.clear();
    }

    /// Drops the packets that are not in a frame yet: nothing may follow a close frame.
    pub(super) fn discard_open_frame(&mut self) {
        self.open.clear();
    }

    /// Writes as much as the socket takes without waiting.
    pub(super) fn write(
        &mut self,
        socket: &OwnedWriteHalf,
        websocket: Option<&WebSocket>,
        spare: &mut Spare,
        traffic: &mut Traffic,
    ) -> Written {
        if let Some(websocket) = websocket {
            // All frames in one write.
            self.end_frame(websocket.can_write());
        }
        let mut progress = false;
        while !self.wire.is_empty() {
            match socket.try_write(&self.wire) {
                Ok(len) => {
                    progress |= len > 0;
                    traffic.bytes_sent += len as u64;
                    if len == self.wire.len() {
                        // With all its room, where advancing would leave none.
                        self.wire.clear();
                    } else {
                        self.wire.advance(len);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Written::Blocked { progress };
                }
                Err(error) => return Written::Failed(error),
            }
        }
        spare.give(std::mem::take(&mut self.wire));
        spare.give(std::mem::take(&mut self.open));
        Written::All
    }
}

/// Buffers that no link needs at the moment.
#[derive(Debug, Default)]
pub(super) struct Spare {
    buffers: Vec<BytesMut>,
    /// What they have room for.
    bytes: usize,
    /// The fewest that there were since [`Spare::let_go`].
    fewest: usize,
}

impl Spare {
    fn take(&mut self) -> BytesMut {
        match self.buffers.pop() {
            Some(buffer) => {
                self.bytes -= buffer.capacity();
                self.fewest = self.fewest.min(self.buffers.len());
                buffer
            }
            None => {
                self.fewest = 0;
                BytesMut::with_capacity(limits::SPARE_BUFFER_NEW)
            }
        }
    }

    /// Large ones are given back to the system, and so is what is too many.
    fn give(&mut self, mut buffer: BytesMut) {
        let bytes = self.bytes + buffer.capacity();
        if (1..=limits::SPARE_BUFFER).contains(&buffer.capacity()) && bytes <= limits::SPARE_BYTES {
            buffer.clear();
            self.bytes = bytes;
            self.buffers.push(buffer);
        }
    }

    /// Gives those back to the system that nobody has needed since this was last called: a burst to thousands of links
    /// does not leave thousands of buffers.
    pub(super) fn let_go(&mut self) {
        for buffer in self.buffers.drain(..self.fewest.min(self.buffers.len())) {
            self.bytes -= buffer.capacity();
        }
        self.fewest = self.buffers.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn put(packets: &[&[u8]], output: &mut Output, websocket: &WebSocket) {
        for packet in packets {
            output.packets(Some(websocket), &mut Spare::default()).extend_from_slice(packet);
        }
    }

    #[test]
    fn a_packet_that_follows_another_ends_its_frame() {
        let (mut output, websocket) = (Output::default(), WebSocket::new(Bytes::new(), 64));
        put(&[b"one", b"two"], &mut output, &websocket);
        assert_eq!(output.wire[..], *b"\x82\x03one");
        assert_eq!(output.open[HEADER_ROOM..], *b"two");
    }

    #[test]
    fn no_packet_follows_a_close_frame() {
        let (mut output, mut websocket) = (Output::default(), WebSocket::new(Bytes::new(), 64));
        websocket.close(1000, "", &mut output.wire);
        let closed = output.wire.clone();
        put(&[b"one", b"two"], &mut output, &websocket);
        assert_eq!(output.wire, closed);
    }

    #[test]
    fn buffers_that_nobody_needed_for_a_while_are_let_go() {
        let mut spare = Spare::default();
        let all: Vec<_> = (0..100).map(|_| spare.take()).collect();
        all.into_iter().for_each(|buffer| spare.give(buffer));
        spare.let_go();
        assert_eq!(spare.buffers.len(), 100, "all were needed since the beginning");
        let some: Vec<_> = (0..10).map(|_| spare.take()).collect();
        some.into_iter().for_each(|buffer| spare.give(buffer));
        spare.let_go();
        assert_eq!((spare.buffers.len(), spare.bytes), (10, 10 * limits::SPARE_BUFFER_NEW));
        spare.let_go();
        assert_eq!((spare.buffers.len(), spare.bytes), (0, 0));
    }

    #[test]
    fn no_more_buffers_are_kept_than_they_may_take() {
        let mut spare = Spare::default();
        for _ in 0..=limits::SPARE_BYTES / limits::SPARE_BUFFER {
            spare.give(BytesMut::with_capacity(limits::SPARE_BUFFER));
        }
        spare.give(BytesMut::with_capacity(limits::SPARE_BUFFER + 1));
        spare.give(BytesMut::new());
        assert_eq!(spare.bytes, limits::SPARE_BYTES);
        assert_eq!(spare.buffers.len(), limits::SPARE_BYTES / limits::SPARE_BUFFER);
    }
}
