//! Before anything is measured: what does the kernel count? Known datagrams and a known stream are sent, and the
//! counters must say what follows from them by arithmetic.

use super::{Traffic, quiet};
use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
};

/// What the counters were found to contain.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Calibration {
    /// Counted for a datagram beyond its payload: 28 is IP and UDP alone, without a link's header.
    pub(crate) datagram_header_bytes: u64,
    /// The mean packet of a large stream; what is above the MTU would have been cut by a network card only.
    pub(crate) stream_packet_bytes: u64,
}

/// Sends known things, and holds the counters to them.
pub(crate) async fn calibrate() -> Result<Calibration> {
    let datagrams = datagrams().await?;
    ensure!(
        datagrams.packets == DATAGRAMS,
        "{DATAGRAMS} datagrams were counted as {}: something else uses this network",
        datagrams.packets
    );
    let datagram_header_bytes = datagrams.bytes / DATAGRAMS - DATAGRAM as u64;
    ensure!(
        datagram_header_bytes == IP_AND_UDP,
        "a datagram of {DATAGRAM} bytes was counted with {datagram_header_bytes} bytes of headers, \
         and IP and UDP have {IP_AND_UDP}"
    );
    let stream = stream().await?;
    let stream_packet_bytes = stream.bytes / stream.packets;
    ensure!(
        stream_packet_bytes <= MTU,
        "packets of {stream_packet_bytes} bytes on average were counted, where an Ethernet has {MTU} at most: \
         segmentation offload cannot be turned off here"
    );
    Ok(Calibration { datagram_header_bytes, stream_packet_bytes })
}

const DATAGRAMS: u64 = 10;
const DATAGRAM: usize = 100;
const IP_AND_UDP: u64 = 20 + 8;
const STREAM: usize = 1 << 20;
const MTU: u64 = 1500;

async fn datagrams() -> Result<Traffic> {
    let receiver = UdpSocket::bind("127.0.0.1:0").await.context("cannot open a socket")?;
    let sender = UdpSocket::bind("127.0.0.1:0").await.context("cannot open a socket")?;
    let before = quiet().await?;
    for _ in 0..DATAGRAMS {
        sender.send_to(&[0; DATAGRAM], receiver.local_addr()?).await?;
        receiver.recv(&mut [0; DATAGRAM]).await?;
    }
    Ok(quiet().await? - before)
}

async fn stream() -> Result<Traffic> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen")?;
    let before = quiet().await?;
    let (sender, accepted) = tokio::join!(TcpStream::connect(listener.local_addr()?), listener.accept());
    let (mut sender, (mut receiver, _)) = (sender?, accepted?);
    let sent = async {
        sender.write_all(&vec![0; STREAM]).await?;
        sender.shutdown().await
    };
    let mut all = Vec::new();
    let (sent, received) = tokio::join!(sent, receiver.read_to_end(&mut all));
    sent?;
    ensure!(received? == STREAM, "a part of the stream was lost");
    Ok(quiet().await? - before)
}
