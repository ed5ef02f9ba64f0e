//! A server of one value that answers with the fewest headers that HTTP/1.1 and its readers need: no date, no cache
//! rules, no protection for browsers. What an answer can cost at least.

use super::super::TOPIC;
use anyhow::{Context as _, Result};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Either, Full, Limited, StreamBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, pin::Pin, rc::Rc};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::spawn_local,
};

type Value = watch::Sender<Bytes>;
type EventFrames = Pin<Box<dyn futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>>>>;
type Body = Either<Full<Bytes>, StreamBody<EventFrames>>;

/// Accepts until it is ended.
pub(super) async fn serve(listener: &TcpListener) -> Result<()> {
    let value: Rc<Value> = Rc::new(watch::Sender::new(Bytes::new()));
    loop {
        let (stream, _) = listener.accept().await.context("cannot accept")?;
        let value = Rc::clone(&value);
        // A connection that broke concerns nobody else.
        spawn_local(async move { connection(stream, value).await.unwrap_or_default() });
    }
}

async fn connection(stream: TcpStream, value: Rc<Value>) -> Result<()> {
    stream.set_nodelay(true)?;
    let service = service_fn(|request| {
        let value = Rc::clone(&value);
        async move { Ok::<_, Infallible>(answer(request, &value).await) }
    });
    let mut protocol = http1::Builder::new();
    protocol.auto_date_header(false);
    protocol.serve_connection(TokioIo::new(stream), service).await?;
    Ok(())
}

async fn answer(request: Request<Incoming>, value: &Value) -> Response<Body> {
    let is_value = request.uri().path().strip_prefix("/api/v1/topics/") == Some(TOPIC);
    match (request.method(), request.uri().path()) {
        (&Method::PUT, _) if is_value => match Limited::new(request.into_body(), VALUE_BYTES).collect().await
        {
            Ok(body) => {
                value.send_replace(body.to_bytes());
                empty(StatusCode::NO_CONTENT)
            }
            Err(_) => empty(StatusCode::PAYLOAD_TOO_LARGE),
        },
        (&Method::GET, _) if is_value => Response::new(Either::Left(Full::new(value.borrow().clone()))),
        (&Method::GET, "/events") => {
            let mut answer = Response::new(Either::Right(events(value)));
            let kind = HeaderValue::from_static("text/event-stream");
            answer.headers_mut().insert(header::CONTENT_TYPE, kind);
            answer
        }
        _ => empty(StatusCode::NOT_FOUND),
    }
}

const VALUE_BYTES: usize = 64 << 10;

fn empty(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Either::Left(Full::default()));
    *answer.status_mut() = status;
    answer
}

/// The value, and each one that follows; a reader that is too slow gets the newest.
fn events(value: &Value) -> StreamBody<EventFrames> {
    let mut seen = value.subscribe();
    seen.mark_changed();
    let values = futures_util::stream::unfold(seen, |mut seen| async {
        seen.changed().await.ok()?;
        let value = seen.borrow_and_update().clone();
        let event = [b"data: ", value.as_ref(), b"\n\n"].concat();
        Some((Ok(Frame::data(Bytes::from(event))), seen))
    });
    StreamBody::new(values.boxed_local())
}
