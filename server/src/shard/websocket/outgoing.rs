//! The frames of packets on their way out. A packet is encoded where it is sent from, behind room for the header of its
//! frame, which is written there once the packet's length is known.

use super::{WebSocket, header};
use bytes::{BufMut as _, BytesMut};

/// How far the frames in an output have come.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// Where in the output the packet begins that is not in a frame yet, with room for its header. No more than one, the
    /// last. Behind a close frame it is what is not sent any more.
    open: Option<usize>,
    /// Whether the last frame had a header of four bytes or more, and so the next has room for one.
    long_frames: bool,
}

impl WebSocket {
    /// Makes room at the end of `wire` for a frame with the next packet, and puts the one before into its own.
    pub(in crate::shard) fn open_frame(&mut self, wire: &mut BytesMut) {
        if self.is_closing {
            self.outgoing.open.get_or_insert(wire.len());
            return;
        }
        // The standard lets packets share a frame. But there are clients that take a frame for a packet, and wait for
        // more from the network while the second one lies before them; and what is gained is a header of two bytes.
        self.end_frame(wire);
        self.outgoing.open = Some(wire.len());
        wire.put_bytes(0, self.outgoing.room());
    }

    /// Puts the packet that is not in a frame yet into one.
    pub(in crate::shard) fn end_frame(&mut self, wire: &mut BytesMut) {
        let Some(start) = self.outgoing.open.take() else { return };
        let room = self.outgoing.room();
        if wire.len() == start + room {
            // Nothing was encoded.
            return wire.truncate(start);
        }
        self.outgoing.long_frames = seal(wire, start, room) > SHORT_HEADER;
    }

    /// Before all is sent: the same, or nothing more behind a close frame.
    pub(in crate::shard) fn end_output(&mut self, wire: &mut BytesMut) {
        if self.is_closing { self.discard_open_frame(wire) } else { self.end_frame(wire) }
    }

    /// Drops the packet that is not in a frame yet.
    pub(in crate::shard) fn discard_open_frame(&mut self, wire: &mut BytesMut) {
        if let Some(start) = self.outgoing.open.take() {
            wire.truncate(start);
        }
    }
}

impl Outgoing {
    /// What is left for a header before its length is known. Links that get large packets mostly get more of them.
    fn room(&self) -> usize {
        if self.long_frames { LONG_HEADER } else { SHORT_HEADER }
    }
}

/// Room for the header of most frames: payloads up to 125 bytes.
const SHORT_HEADER: usize = 2;

/// Room for the header of a frame whose payload has between 126 and 65,535 bytes.
const LONG_HEADER: usize = 4;

/// Makes what begins at `start` a binary frame: `room` bytes for its header, and the payload. If the header takes more or
/// less than that, the payload is moved. Says how many bytes the header takes.
fn seal(wire: &mut BytesMut, start: usize, room: usize) -> usize {
    use header::WHOLE_MESSAGE;
    let payload_len = wire.len() - start - room;
    match payload_len {
        0..126 => put_header(wire, start, room, [WHOLE_MESSAGE, payload_len as u8]),
        126..65_536 => {
            let [high, low] = (payload_len as u16).to_be_bytes();
            put_header(wire, start, room, [WHOLE_MESSAGE, 126, high, low])
        }
        _ => {
            let [a, b, c, d, e, f, g, h] = (payload_len as u64).to_be_bytes();
            put_header(wire, start, room, [WHOLE_MESSAGE, 127, a, b, c, d, e, f, g, h])
        }
    }
}

#[inline]
fn put_header<const LEN: usize>(wire: &mut BytesMut, start: usize, room: usize, header: [u8; LEN]) -> usize {
    if LEN != room {
        let payload = start + room..wire.len();
        let end = start + LEN + payload.len();
        wire.resize(end.max(wire.len()), 0);
        wire.copy_within(payload, start + LEN);
        wire.truncate(end);
    }
    wire[start..start + LEN].copy_from_slice(&header);
    LEN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_is_sealed_has_the_shortest_header() {
        for (len, header) in [
            (1, vec![0x82, 1]),
            (125, vec![0x82, 125]),
            (126, vec![0x82, 126, 0, 126]),
            (65_535, vec![0x82, 126, 0xFF, 0xFF]),
            (65_536, vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            for room in [SHORT_HEADER, LONG_HEADER] {
                let mut wire = BytesMut::from(&b"before"[..]);
                wire.put_bytes(0, room);
                let payload: Vec<u8> = (0..len).map(|number| number as u8).collect();
                wire.extend_from_slice(&payload);
                assert_eq!(seal(&mut wire, 6, room), header.len());
                assert_eq!(wire, [b"before", &header[..], &payload].concat(), "{len} behind {room}");
            }
        }
    }
}
