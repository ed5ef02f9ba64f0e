//! TCP connections that count what passes through them: how many bytes, so that it can be told what of the wire's bytes
//! is the application's and what is TCP's and IP's, and how often one side waits for the other, which is what takes time
//! on a slow network.

use anyhow::{Context as _, Result};
use std::{
    cell::Cell,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// What passed all connections that were opened through it.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter(Rc<Cell<Passed>>);

/// What passed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// Above TCP, both ways.
    pub(super) bytes: u64,
    /// How often this side had to hear something before it could go on, the opening of a connection included.
    pub(super) round_trips: u64,
}

/// One such connection.
#[derive(Debug)]
pub(super) struct Metered {
    stream: TcpStream,
    meter: Meter,
    /// Something was said, and nothing was heard since.
    asked: bool,
}

impl Meter {
    /// Connects, without the delay that TCP would otherwise give to small messages.
    pub(super) async fn connect(&self, address: SocketAddr) -> Result<Metered> {
        let stream = TcpStream::connect(address).await;
        let stream = stream.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true).context("cannot turn Nagle's algorithm off")?;
        self.add(0, 1);
        Ok(Metered { stream, meter: self.clone(), asked: false })
    }

    pub(super) fn passed(&self) -> Passed {
        self.0.get()
    }

    fn add(&self, bytes: usize, round_trips: u64) {
        let Passed { bytes: before, round_trips: trips_before } = self.0.get();
        self.0.set(Passed { bytes: before + bytes as u64, round_trips: trips_before + round_trips });
    }
}

impl Metered {
    fn said(&mut self, bytes: usize) {
        self.meter.add(bytes, 0);
        self.asked |= bytes > 0;
    }

    /// The end of the stream is no answer: whoever closes need not wait for it.
    fn heard(&mut self, bytes: usize) {
        let answered = bytes > 0 && self.asked;
        self.meter.add(bytes, answered.into());
        self.asked &= bytes == 0;
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.heard(buffer.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.said(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, pieces))?;
        self.said(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    #[tokio::test(flavor = "current_thread")]
    async fn both_directions_of_all_connections_are_counted_and_how_often_one_waits() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let meter = Meter::default();
        for _ in 0..2 {
            let mut here = meter.connect(listener.local_addr().unwrap()).await.unwrap();
            let (mut there, _) = listener.accept().await.unwrap();
            here.write_all(b"question").await.unwrap();
            there.read_exact(&mut [0; 8]).await.unwrap();
            there.write_all(b"no").await.unwrap();
            here.read_exact(&mut [0; 1]).await.unwrap();
            here.read_exact(&mut [0; 1]).await.unwrap();
        }
        // Two connections were opened, and each waited for one answer, which came in two pieces.
        assert_eq!(meter.passed(), Passed { bytes: 2 * (8 + 2), round_trips: 2 + 2 });
    }
}
