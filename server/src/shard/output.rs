//! What waits to be written to one link.
//!
//! Packets are encoded straight into it. Over TCP they are on the wire as they are; over WebSocket each is in a frame of its
//! own, whose header is written into room left before it once its length is known. An idle link holds no buffer: they come
//! from [`Spare`] and go back there.

use super::websocket::WebSocket;
use crate::limits;
use bytes::{Buf as _, BytesMut};
use luxwire_broker::Traffic;
use mio::net::TcpStream;
use std::io::{self, Write as _};

/// Bytes on their way out, oldest first.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// What the socket gets.
    wire: BytesMut,
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
    /// Bytes that wait; among them the room for a header that is not written yet.
    pub(super) fn len(&self) -> usize {
        self.wire.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.wire.is_empty()
    }

    /// Where the next packet is encoded.
    pub(super) fn packets(&mut self, websocket: Option<&mut WebSocket>, spare: &mut Spare) -> &mut BytesMut {
        if self.wire.capacity() == 0 {
            self.wire = spare.take();
        }
        if let Some(websocket) = websocket {
            websocket.open_frame(&mut self.wire);
        }
        &mut self.wire
    }

    /// Appends whole frames, behind the packets that came before them.
    pub(super) fn append_control_frames(&mut self, websocket: &mut WebSocket, frames: &[u8]) {
        if frames.is_empty() {
            return;
        }
        websocket.end_frame(&mut self.wire);
        self.wire.extend_from_slice(frames);
    }

    /// Drops the packet that is not in a frame yet: nothing may follow a close frame.
    pub(super) fn discard_open_frame(&mut self, websocket: &mut WebSocket) {
        websocket.discard_open_frame(&mut self.wire);
    }

    /// Writes as much as the socket takes without waiting.
    pub(super) fn write(
        &mut self,
        mut socket: &TcpStream,
        websocket: Option<&mut WebSocket>,
        spare: &mut Spare,
        traffic: &mut Traffic,
    ) -> Written {
        self.write_with(websocket, |bytes| socket.write(bytes), spare, traffic)
    }

    fn write_with(
        &mut self,
        websocket: Option<&mut WebSocket>,
        mut write: impl FnMut(&[u8]) -> io::Result<usize>,
        spare: &mut Spare,
        traffic: &mut Traffic,
    ) -> Written {
        if let Some(websocket) = websocket {
            // All frames in one write.
            websocket.end_output(&mut self.wire);
        }
        let mut progress = false;
        while !self.wire.is_empty() {
            match write(&self.wire) {
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
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Written::Failed(error),
            }
        }
        spare.give(std::mem::take(&mut self.wire));
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

    fn put(packets: &[&[u8]], output: &mut Output, websocket: &mut WebSocket) {
        for packet in packets {
            output.packets(Some(&mut *websocket), &mut Spare::default()).extend_from_slice(packet);
        }
    }

    /// What the socket is given, write by write, and the bytes that were sent by the server's own count.
    fn writes(
        output: &mut Output,
        websocket: &mut WebSocket,
        mut takes: impl FnMut(&[u8]) -> usize,
    ) -> Vec<Vec<u8>> {
        let (mut writes, mut traffic) = (Vec::new(), Traffic::default());
        let write = |bytes: &[u8]| {
            let len = takes(bytes);
            writes.push(bytes[..len].to_vec());
            Ok(len)
        };
        let written = output.write_with(Some(websocket), write, &mut Spare::default(), &mut traffic);
        assert!(matches!(written, Written::All));
        assert_eq!(traffic.bytes_sent, writes.iter().map(Vec::len).sum::<usize>() as u64);
        writes
    }

    #[test]
    fn each_packet_has_a_frame_and_all_of_a_turn_share_a_write() {
        let (mut output, mut websocket) = (Output::default(), WebSocket::new(Bytes::new(), 64));
        let (short, long, huge) = ([b's'; 125], [b'l'; 126], vec![b'h'; 65_536]);
        put(&[b"one", &short, &long, b"two", &long, &huge, &long, b"three"], &mut output, &mut websocket);
        output.append_control_frames(&mut websocket, b"\x8A\x00");
        put(&[b"four"], &mut output, &mut websocket);
        let expected = [
            &b"\x82\x03one\x82\x7D"[..],
            &short,
            b"\x82\x7E\0\x7E",
            &long,
            b"\x82\x03two\x82\x7E\0\x7E",
            &long,
            b"\x82\x7F\0\0\0\0\0\x01\0\0",
            &huge,
            b"\x82\x7E\0\x7E",
            &long,
            b"\x82\x05three\x8A\x00\x82\x04four",
        ];
        assert_eq!(writes(&mut output, &mut websocket, <[u8]>::len), [expected.concat()]);
        assert!(output.is_empty());
    }

    #[test]
    fn what_the_socket_does_not_take_at_once_comes_next() {
        let (mut output, mut websocket) = (Output::default(), WebSocket::new(Bytes::new(), 64));
        put(&[b"one", b"two"], &mut output, &mut websocket);
        let came = writes(&mut output, &mut websocket, |bytes| bytes.len().min(4));
        assert_eq!(came, [&b"\x82\x03on"[..], b"e\x82\x03t", b"wo"]);
    }

    #[test]
    fn no_packet_follows_a_close_frame() {
        let (mut output, mut websocket) = (Output::default(), WebSocket::new(Bytes::new(), 64));
        put(&[b"before"], &mut output, &mut websocket);
        let mut goodbye = BytesMut::new();
        websocket.close(1000, "", &mut goodbye);
        output.append_control_frames(&mut websocket, &goodbye);
        put(&[b"one", b"two"], &mut output, &mut websocket);
        let came = writes(&mut output, &mut websocket, <[u8]>::len);
        assert_eq!(came, [b"\x82\x06before\x88\x02\x03\xE8"]);
        put(&[b"three"], &mut output, &mut websocket);
        assert_eq!(writes(&mut output, &mut websocket, <[u8]>::len), [[0; 0]; 0]);
        put(&[b"four"], &mut output, &mut websocket);
        output.discard_open_frame(&mut websocket);
        assert!(output.is_empty());
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
