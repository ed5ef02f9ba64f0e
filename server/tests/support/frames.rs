//! A WebSocket seen frame by frame, for tests that send what no client would.

use super::DEADLINE;
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
};

/// A connection after its handshake.
pub(crate) struct Frames(TcpStream);

/// What comes from the server: the first byte, which has kind and flags, and the payload.
pub(crate) type Frame = (u8, Vec<u8>);

pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8A;

impl Frames {
    /// `GET /mqtt` with the subprotocol `mqtt`.
    pub(crate) fn open(server: SocketAddr) -> Self {
        Self::over(TcpStream::connect(server).unwrap(), server)
    }

    /// The same over a connection that is there already.
    pub(crate) fn over(mut socket: TcpStream, server: SocketAddr) -> Self {
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let request = format!(
            "GET /mqtt HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: mqtt\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).unwrap();
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            socket.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
        Self(socket)
    }

    /// A frame as it should be.
    pub(crate) fn send(&mut self, first: u8, payload: &[u8]) {
        self.send_bytes(&frame(first, payload));
    }

    /// Anything. Whoever closed the connection already does not hear it.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// Says nothing more.
    pub(crate) fn shut(&self) {
        self.0.shutdown(Shutdown::Write).unwrap();
    }

    /// The next frame; `None` when the server closed the connection.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 2];
        match self.0.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                return None;
            }
            Err(error) => panic!("nothing comes: {error}"),
        }
        let [first, second] = head;
        let len = match second {
            126 => u16::from_be_bytes(self.exactly()).into(),
            127 => u64::from_be_bytes(self.exactly()),
            len => {
                assert!(len < 126, "a server's frames have no mask");
                len.into()
            }
        };
        let mut payload = vec![0; usize::try_from(len).unwrap()];
        self.0.read_exact(&mut payload).unwrap();
        Some((first, payload))
    }

    /// What the server sends until it closes the connection.
    pub(crate) fn until_closed(&mut self) -> Vec<Frame> {
        std::iter::from_fn(|| self.next()).collect()
    }

    fn exactly<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }
}

/// A frame as a client sends it, behind a mask.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | u8::try_from(len).unwrap()),
        len @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(KEY);
    frame.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// The code in a close frame.
pub(crate) fn code(frame: Option<&Frame>) -> Option<u16> {
    match frame {
        Some((CLOSE, payload)) => Some(u16::from_be_bytes(*payload.first_chunk()?)),
        _ => None,
    }
}
