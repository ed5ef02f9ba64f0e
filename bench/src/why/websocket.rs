//! A client's WebSocket: the handshake with the headers of whoever plays the client, and then messages.

use super::{
    headers::{Headers, Purpose},
    meter::{Meter, Metered},
};
use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::header;
use std::net::SocketAddr;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, handshake::client::generate_key},
};

/// One that is open.
pub(super) struct WebSocket(WebSocketStream<Metered>);

impl WebSocket {
    pub(super) async fn open(
        server: SocketAddr,
        path: &str,
        protocol: Option<&str>,
        headers: Headers,
        meter: &Meter,
    ) -> Result<Self> {
        // The handshake wants the whole address, and sends the path alone.
        let request = headers.request(Purpose::WebSocket, server, &format!("ws://{server}{path}"));
        let mut request = request
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, generate_key());
        if let Some(protocol) = protocol {
            request = request.header(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        let stream = meter.connect(server).await?;
        let opened = client_async(request.body(())?, stream).await;
        let (socket, _) = opened.with_context(|| format!("ws://{server}{path} cannot be opened"))?;
        Ok(Self(socket))
    }

    pub(super) async fn send_text(&mut self, text: &str) -> Result<()> {
        self.0.send(Message::text(text)).await.context("the WebSocket takes nothing")
    }

    pub(super) async fn send(&mut self, bytes: Bytes) -> Result<()> {
        self.0.send(Message::Binary(bytes)).await.context("the WebSocket takes nothing")
    }

    /// The next message's content; `None` at the end.
    pub(super) async fn receive(&mut self) -> Result<Option<Bytes>> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Binary(bytes))) => return Ok(Some(bytes)),
                Some(Ok(Message::Text(text))) => return Ok(Some(text.into())),
                Some(Ok(Message::Close(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return Err(error).context("the WebSocket broke"),
                None => return Ok(None),
            }
        }
    }

    /// Asks whether the other end is there, and waits for its answer.
    pub(super) async fn ping(&mut self) -> Result<()> {
        self.0.send(Message::Ping(Bytes::new())).await.context("the WebSocket takes nothing")?;
        match self.0.next().await {
            Some(Ok(Message::Pong(_))) => Ok(()),
            other => bail!("a ping was answered with {other:?}"),
        }
    }

    /// Says goodbye, and waits until the other end has closed.
    pub(super) async fn close(mut self) -> Result<()> {
        self.0.close(None).await.context("the WebSocket cannot be closed")?;
        while let Some(Ok(_)) = self.0.next().await {}
        Ok(())
    }
}
