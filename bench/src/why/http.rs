//! A client of HTTP/1.1: it sets a value, asks for it, or follows it as server-sent events.

use super::{
    TOPIC,
    contender::{Asks, HttpServer},
    headers::{Headers, Purpose},
    meter::Meter,
};
use anyhow::{Context as _, Result, bail, ensure};
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, Response, StatusCode, header, request::Builder};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::task::{JoinHandle, spawn_local};

/// One client, with the connection that it keeps.
pub(super) struct Http {
    server: HttpServer,
    headers: Headers,
    asks: Asks,
    meter: Meter,
    kept: Option<Connection>,
    /// What the server called the value that was read last.
    tag: Option<HeaderValue>,
}

/// An answer that never ends, and what of it was not looked at yet.
pub(super) struct Events {
    server: HttpServer,
    body: Incoming,
    text: BytesMut,
    /// Without it the connection would be closed.
    _connection: Connection,
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// Moves the bytes.
    mover: JoinHandle<()>,
}

impl Http {
    pub(super) fn new(server: HttpServer, headers: Headers, asks: Asks, meter: &Meter) -> Self {
        Self { server, headers, asks, meter: meter.clone(), kept: None, tag: None }
    }

    /// Sets the value, and waits until the server says that it is set.
    pub(super) async fn put(&mut self, payload: &str) -> Result<()> {
        let request = self.request(Purpose::Write, &path());
        let body = Full::new(Bytes::copy_from_slice(payload.as_bytes()));
        let (answer, _) = self.exchange(request, body).await?;
        ensure!(answer.is_success(), "PUT was answered with {answer}");
        Ok(())
    }

    /// Asks for the value. `None` if it is the one that was read last, and the server says so.
    pub(super) async fn get(&mut self) -> Result<Option<Bytes>> {
        let mut request = self.request(Purpose::Read, &path());
        if let Some(tag) = self.tag.as_ref().filter(|_| self.asks == Asks::IfChanged) {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        let (status, answer) = self.exchange(request, Full::default()).await?;
        match status {
            StatusCode::OK => {
                self.tag = answer.headers().get(header::ETAG).cloned();
                ensure!(
                    self.asks != Asks::IfChanged || self.tag.is_some(),
                    "the server names no version of its values (ETag)"
                );
                Ok(Some(answer.into_body()))
            }
            StatusCode::NOT_MODIFIED => Ok(None),
            other => bail!("GET was answered with {other}"),
        }
    }

    /// Begins to follow.
    pub(super) async fn events(self) -> Result<Events> {
        let path = match self.server {
            HttpServer::Luxwire => format!("/api/v1/events?filter={TOPIC}"),
            HttpServer::Bare => "/events".to_owned(),
        };
        let mut connection = self.connect().await?;
        let request = self.request(Purpose::Events, &path).body(Full::default())?;
        let answer = connection.sender.send_request(request).await.context("events cannot be asked for")?;
        ensure!(answer.status() == StatusCode::OK, "events were answered with {}", answer.status());
        Ok(Events {
            server: self.server,
            body: answer.into_body(),
            text: BytesMut::new(),
            _connection: connection,
        })
    }

    fn request(&self, purpose: Purpose, path: &str) -> Builder {
        let request = self.headers.request(purpose, self.server.address(), path);
        match self.asks {
            Asks::Again | Asks::IfChanged => request,
            Asks::WithConnectionEach => request.header(header::CONNECTION, "close"),
        }
    }

    /// A question and the whole answer.
    async fn exchange(
        &mut self,
        request: Builder,
        body: Full<Bytes>,
    ) -> Result<(StatusCode, Response<Bytes>)> {
        let request = request.body(body).context("our own request is not well-formed")?;
        // A server closes a connection that nobody uses for a while.
        let mut connection = match self.kept.take().filter(|connection| !connection.sender.is_closed()) {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let answer = whole(&mut connection, request).await?;
        match self.asks {
            Asks::Again | Asks::IfChanged => self.kept = Some(connection),
            Asks::WithConnectionEach => connection.close().await?,
        }
        Ok((answer.status(), answer))
    }

    async fn connect(&self) -> Result<Connection> {
        let stream = self.meter.connect(self.server.address()).await?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.context("HTTP cannot begin")?;
        // A connection that broke fails the next request, which is where it is noticed.
        let mover = spawn_local(async move { connection.await.unwrap_or_default() });
        Ok(Connection { sender, mover })
    }
}

impl Events {
    /// The next value.
    pub(super) async fn next(&mut self) -> Result<Bytes> {
        loop {
            while let Some(event) = take_event(&mut self.text) {
                if let Some(value) = self.value(&event)? {
                    return Ok(value);
                }
            }
            self.read().await?;
        }
    }

    /// Waits for the line that says nothing but that the server is there.
    pub(super) async fn keep_alive(&mut self) -> Result<()> {
        loop {
            while let Some(event) = take_event(&mut self.text) {
                if event.starts_with(":") {
                    return Ok(());
                }
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<()> {
        let frame = self.body.frame().await.context("the events have ended")?.context("events")?;
        if let Ok(bytes) = frame.into_data() {
            self.text.extend_from_slice(&bytes);
        }
        Ok(())
    }

    /// `None` for an event that carries no value.
    fn value(&self, event: &str) -> Result<Option<Bytes>> {
        let Some(text) = event.lines().find_map(|line| line.strip_prefix("data:")) else { return Ok(None) };
        let text = text.trim_start();
        match self.server {
            HttpServer::Bare => Ok(Some(Bytes::copy_from_slice(text.as_bytes()))),
            HttpServer::Luxwire => {
                let value: serde_json::Value = serde_json::from_str(text).context("an event is no JSON")?;
                let payload = value.get("payload").and_then(|payload| payload.as_str());
                Ok(payload.map(|payload| Bytes::copy_from_slice(payload.as_bytes())))
            }
        }
    }
}

impl Connection {
    /// Waits until the server has closed its end, too.
    async fn close(self) -> Result<()> {
        drop(self.sender);
        self.mover.await.context("the connection's task has failed")
    }
}

/// The value's address, the same at both servers.
fn path() -> String {
    format!("/api/v1/topics/{TOPIC}")
}

async fn whole(connection: &mut Connection, request: Request<Full<Bytes>>) -> Result<Response<Bytes>> {
    connection.sender.ready().await.context("the server has closed the connection")?;
    let answer = connection.sender.send_request(request).await.context("no answer")?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await.context("the answer broke off")?.to_bytes();
    Ok(Response::from_parts(head, body))
}

/// Takes a whole event, which an empty line ends, from the front.
fn take_event(text: &mut BytesMut) -> Option<String> {
    let end = text.windows(2).position(|pair| pair == b"\n\n")?;
    let event = text.split_to(end + 2);
    Some(String::from_utf8_lossy(&event).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_whole_and_in_order() {
        let mut text = BytesMut::from("data: 40\n\n: still here\n\ndata: 4");
        assert_eq!(take_event(&mut text).as_deref(), Some("data: 40\n\n"));
        assert_eq!(take_event(&mut text).as_deref(), Some(": still here\n\n"));
        assert_eq!(take_event(&mut text), None);
        assert_eq!(text, "data: 4");
    }
}
