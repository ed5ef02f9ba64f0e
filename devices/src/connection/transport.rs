//! The bytes' way to the broker: TCP, TLS, or a WebSocket over either, all of them a stream and a sink of bytes.
//!
//! It knows nothing of MQTT but how it travels in WebSockets. How long opening may take is the client's business.

use super::{address::Address, tls};
use bytes::{Bytes, BytesMut};
use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _, TryStreamExt as _};
use std::{io, pin::Pin, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_tungstenite::{
    client_async_with_config,
    tungstenite::{self, client::ClientRequestBuilder, protocol::WebSocketConfig},
};
use tokio_util::codec::{BytesCodec, FramedRead, FramedWrite};

/// One read takes at most this much: enough that a burst costs few of them.
const READ_BYTES: usize = 64 * 1024;

/// A frame or message of a WebSocket is no longer than this. Packets may span messages, so that it bounds nothing else.
const WEB_SOCKET_MESSAGE_BYTES_MAX: usize = 16 << 20;

/// An open way to a broker.
pub(super) struct Transport {
    pub(super) incoming: Incoming,
    pub(super) outgoing: Outgoing,
}

/// What comes; its end is the end of the connection.
pub(super) type Incoming = Pin<Box<dyn Stream<Item = io::Result<Bytes>>>>;

/// What goes.
pub(super) type Outgoing = Pin<Box<dyn Sink<Bytes, Error = io::Error>>>;

/// Opens a way to this broker, trying each of its addresses.
pub(super) async fn open(address: Address, trust: Option<Arc<tls::Trust>>) -> io::Result<Transport> {
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
    // Each packet is wanted at once, and small ones are all there are.
    stream.set_nodelay(true)?;
    match trust {
        Some(trust) => carry(tls::open(&trust, &address.host, stream).await?, &address).await,
        None => carry(stream, &address).await,
    }
}

async fn carry(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    address: &Address,
) -> io::Result<Transport> {
    if address.scheme.is_web_socket() { web_socket(stream, address).await } else { Ok(plain(stream)) }
}

fn plain(stream: impl AsyncRead + AsyncWrite + 'static) -> Transport {
    let (read, write) = tokio::io::split(stream);
    let incoming = FramedRead::with_capacity(read, BytesCodec::new(), READ_BYTES);
    let outgoing = FramedWrite::new(write, BytesCodec::new());
    Transport { incoming: Box::pin(incoming.map_ok(BytesMut::freeze)), outgoing: Box::pin(outgoing) }
}

/// [MQTT-6.0.0-1] [MQTT-6.0.0-3]: binary frames only, under the subprotocol `mqtt`.
async fn web_socket(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    address: &Address,
) -> io::Result<Transport> {
    let request = format!("{address}").parse().map_err(|error| invalid(&error))?;
    let request = ClientRequestBuilder::new(request).with_sub_protocol("mqtt");
    let config = WebSocketConfig::default()
        .max_message_size(Some(WEB_SOCKET_MESSAGE_BYTES_MAX))
        .max_frame_size(Some(WEB_SOCKET_MESSAGE_BYTES_MAX));
    let (socket, _response) =
        client_async_with_config(request, stream, Some(config)).await.map_err(io_error)?;
    let (write, read) = socket.split();
    let incoming = read.filter_map(async |message| match message {
        Ok(tungstenite::Message::Binary(bytes)) => Some(Ok(bytes)),
        Ok(tungstenite::Message::Text(_)) => {
            Some(Err(invalid(&"the broker sent text, where MQTT is binary")))
        }
        Ok(_ping_pong_or_close) => None,
        Err(error) => Some(Err(io_error(error))),
    });
    let outgoing = write.sink_map_err(io_error);
    let outgoing = outgoing.with(async |bytes| Ok::<_, io::Error>(tungstenite::Message::Binary(bytes)));
    Ok(Transport { incoming: Box::pin(incoming), outgoing: Box::pin(outgoing) })
}

fn io_error(error: tungstenite::Error) -> io::Error {
    match error {
        tungstenite::Error::Io(error) => error,
        tungstenite::Error::Http(response) => {
            invalid(&format_args!("the web server answered {}, which is no WebSocket", response.status()))
        }
        error => invalid(&error),
    }
}

fn invalid(why: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_string())
}
