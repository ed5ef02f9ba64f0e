//! HTTP/1.1 to one hub: a question and its whole answer, or an answer that never ends.
//!
//! Connections are kept open between questions. Everything is bounded in time and in bytes, and whatever goes wrong is a
//! [`Fault`]. Nothing is spawned: who stops awaiting stops everything.

use super::{
    host::Host,
    limits::{ANSWER_TIMEOUT, CONNECT_TIMEOUT},
    protocol::fault::Fault,
    tls::{Guard, Seen},
};
use bytes::{Bytes, BytesMut};
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, RETRY_AFTER},
};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{cell::RefCell, future::Future, pin::Pin, rc::Rc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};

/// How many connections are kept while nobody uses them.
const IDLE_MAX: usize = 3;
/// The header that carries the key in API v2.
const KEY_HEADER: &str = "hue-application-key";

/// One hub, as far as HTTP goes.
pub(super) struct Http {
    host: Host,
    port: u16,
    guard: Option<Rc<Guard>>,
    idle: RefCell<Vec<Channel>>,
}

/// What is asked.
pub(super) struct Question<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) key: Option<&'a str>,
    pub(super) body: Option<&'a Value>,
    /// The longest answer that is read.
    pub(super) answer_max: usize,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Bytes,
}

/// The answer that never ends.
pub(super) struct Stream {
    channel: Channel,
    body: Incoming,
}

struct Channel {
    sender: SendRequest<Full<Bytes>>,
    /// Moves the bytes; gone once the connection is closed.
    mover: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

impl Http {
    /// Without a guard it is plain HTTP.
    pub(super) fn new(host: Host, port: u16, guard: Option<Rc<Guard>>) -> Self {
        Self { host, port, guard, idle: RefCell::default() }
    }

    /// Connects, and keeps the connection for the first question.
    pub(super) async fn open(&self) -> Result<(), Fault> {
        let channel = self.connect().await?;
        self.idle.borrow_mut().push(channel);
        Ok(())
    }

    /// What TLS saw of the hub's certificate; nothing over plain HTTP.
    pub(super) fn seen(&self) -> Option<Seen> {
        self.guard.as_ref()?.seen()
    }

    /// Asks, and waits for the whole answer, but not for ever.
    pub(super) async fn ask(&self, question: &Question<'_>) -> Result<Answer, Fault> {
        let asked = timeout(CONNECT_TIMEOUT + ANSWER_TIMEOUT, self.ask_twice(question)).await;
        asked.unwrap_or_else(|_| Err(Fault::Absent("it took too long".to_owned())))
    }

    /// Begins an answer that never ends.
    pub(super) async fn follow(&self, path: &str, key: &str) -> Result<Stream, Fault> {
        let mut channel = self.connect().await?;
        let request =
            self.request(&Question { method: Method::GET, path, key: Some(key), body: None, answer_max: 0 })?;
        let (mut parts, mut request_body) = request.into_parts();
        parts.headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        let request = Request::from_parts(parts, std::mem::take(&mut request_body));
        let Channel { sender, mover } = &mut channel;
        let sent = timeout(ANSWER_TIMEOUT, moving(mover, sender.send_request(request))).await;
        let response = sent.map_err(|_| silent())?.map_err(broken_off)?;
        if let Some(fault) = Fault::of_status(response.status().as_u16(), retry_after(&response)) {
            return Err(fault);
        }
        let body = response.into_body();
        Ok(Stream { channel, body })
    }

    /// A kept connection may have been closed by the hub just now; then a new one is made.
    async fn ask_twice(&self, question: &Question<'_>) -> Result<Answer, Fault> {
        let kept = self.idle.borrow_mut().pop();
        if let Some(channel) = kept
            && let Ok(answer) = self.exchange(channel, question).await
        {
            return Ok(answer);
        }
        let channel = self.connect().await?;
        self.exchange(channel, question).await
    }

    async fn exchange(&self, mut channel: Channel, question: &Question<'_>) -> Result<Answer, Fault> {
        let request = self.request(question)?;
        let Channel { sender, mover } = &mut channel;
        let talk = async {
            sender.ready().await.map_err(broken_off)?;
            let response = sender.send_request(request).await.map_err(broken_off)?;
            let is_last = response.headers().get(CONNECTION).is_some_and(|value| value == "close");
            let (status, retry_after) = (response.status().as_u16(), retry_after(&response));
            let body = whole(response.into_body(), question.answer_max).await?;
            Ok::<_, Fault>((Answer { status, retry_after, body }, is_last))
        };
        let (answer, is_last) =
            timeout(ANSWER_TIMEOUT, moving(mover, talk)).await.map_err(|_| silent())??;
        let mut idle = self.idle.borrow_mut();
        if !is_last && channel.mover.is_some() && idle.len() < IDLE_MAX {
            idle.push(channel);
        }
        Ok(answer)
    }

    async fn connect(&self) -> Result<Channel, Fault> {
        let connecting = async {
            let socket = TcpStream::connect((self.host.name(), self.port)).await.map_err(absent)?;
            socket.set_nodelay(true).map_err(absent)?;
            let io: Box<dyn Io> = match &self.guard {
                None => Box::new(socket),
                Some(guard) => Box::new(guard.shake_hands(&self.host, socket).await?),
            };
            http1::handshake(TokioIo::new(io)).await.map_err(broken_off)
        };
        let connected = timeout(CONNECT_TIMEOUT, connecting).await;
        let (sender, connection) =
            connected.map_err(|_| Fault::Absent("no connection within a few seconds".to_owned()))??;
        let mover = async move {
            // Whoever waits for an answer learns of the failure by its absence.
            let _ = connection.await;
        };
        Ok(Channel { sender, mover: Some(Box::pin(mover)) })
    }

    fn request(&self, question: &Question<'_>) -> Result<Request<Full<Bytes>>, Fault> {
        let usual = if self.guard.is_some() { 443 } else { 80 };
        let authority = match self.port {
            port if port == usual => self.host.bracketed(),
            port => format!("{}:{port}", self.host.bracketed()),
        };
        let mut request = Request::builder()
            .method(question.method.clone())
            .uri(question.path)
            .header(HOST, authority)
            .header(ACCEPT, "application/json");
        if let Some(key) = question.key {
            request = request.header(KEY_HEADER, key);
        }
        let body = match question.body {
            None => Bytes::new(),
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Bytes::from(body.to_string())
            }
        };
        request.body(Full::new(body)).map_err(|error| Fault::Broken(error.to_string()))
    }
}

impl Stream {
    /// The next bytes; may be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Bytes, Fault> {
        let Self { channel: Channel { mover, .. }, body } = self;
        loop {
            let frame = moving(mover, body.frame()).await;
            let frame = frame.ok_or_else(|| Fault::Absent("it ended the event stream".to_owned()))?;
            if let Ok(bytes) = frame.map_err(broken_off)?.into_data() {
                return Ok(bytes);
            }
        }
    }
}

/// Waits for `wanted` while the connection moves its bytes.
async fn moving<T>(
    mover: &mut Option<Pin<Box<dyn Future<Output = ()>>>>,
    wanted: impl Future<Output = T>,
) -> T {
    tokio::pin!(wanted);
    if let Some(running) = mover {
        tokio::select! {
            biased;
            wanted = &mut wanted => return wanted,
            () = running => *mover = None,
        }
    }
    wanted.await
}

async fn whole(mut body: Incoming, len_max: usize) -> Result<Bytes, Fault> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame.map_err(broken_off)?.into_data() {
            if whole.len() + bytes.len() > len_max {
                return Err(Fault::Broken("its answer is far too long".to_owned()));
            }
            whole.extend_from_slice(&bytes);
        }
    }
    Ok(whole.freeze())
}

fn retry_after(response: &Response<Incoming>) -> Option<Duration> {
    let is_pause =
        matches!(response.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let seconds = response.headers().get(RETRY_AFTER).filter(|_| is_pause)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

fn silent() -> Fault {
    Fault::Absent(format!("no answer within {} seconds", ANSWER_TIMEOUT.as_secs()))
}

fn broken_off(error: hyper::Error) -> Fault {
    Fault::Absent(if error.is_parse() {
        "what it says is not HTTP".to_owned()
    } else {
        "the connection broke off".to_owned()
    })
}

fn absent(error: std::io::Error) -> Fault {
    Fault::Absent(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    /// Asks a host that answers each connection with the next of these texts, and then closes it.
    async fn ask(answers: &[&str], questions: usize) -> Vec<Result<(u16, String), Fault>> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let host = async {
            for answer in answers {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut question = Vec::new();
                while !question.ends_with(b"\r\n\r\n") {
                    question.push(socket.read_u8().await.unwrap());
                }
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
            std::future::pending().await
        };
        let http = Http::new("127.0.0.1".parse().unwrap(), port, None);
        let asking = async {
            let mut answers = Vec::new();
            for _ in 0..questions {
                let question = Question {
                    method: Method::GET,
                    path: "/api/config",
                    key: None,
                    body: None,
                    answer_max: 16,
                };
                let answer = http.ask(&question).await;
                answers.push(
                    answer.map(|answer| (answer.status, String::from_utf8_lossy(&answer.body).into_owned())),
                );
            }
            answers
        };
        tokio::select! {
            answers = asking => answers,
            () = host => unreachable!("it never ends"),
        }
    }

    #[tokio::test]
    async fn a_connection_that_was_closed_meanwhile_is_made_again() {
        let kept = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        let answers = ask(&[kept, kept], 2).await;
        assert_eq!(answers, [Ok((200, "{}".to_owned())), Ok((200, "{}".to_owned()))]);
    }

    #[tokio::test]
    async fn hostile_answers_are_faults() {
        let endless =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n1\r\n0\r\n";
        let huge = "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n0123456789abcdefg";
        for text in [endless, huge] {
            assert!(matches!(ask(&[text], 1).await[..], [Err(Fault::Broken(_))]), "{text}");
        }
        for text in ["", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"] {
            assert!(matches!(ask(&[text], 1).await[..], [Err(Fault::Absent(_))]), "{text}");
        }
    }
}
