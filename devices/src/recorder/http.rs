//! The recorder's own HTTP listener, for houses whose broker has none: `GET /api/v1/history` and `GET /healthz`.

use super::{
    asker::Asker,
    clock, limits,
    query::{Asked, Problem},
};
use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header, uri::Authority};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use percent_encoding::percent_decode_str;
use std::{
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::debug;

/// Listens on `HOST:PORT`; an error names the flag and the mend.
pub(super) async fn open(address: &str) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let opened = TcpListener::bind(address).await.and_then(|listener| {
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    opened.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow!("--http: {address} is taken by another program; choose another port, or 0 for a free one")
        }
        io::ErrorKind::PermissionDenied => {
            anyhow!("--http: {address} may not be opened by this user; ports from 1024 on may")
        }
        io::ErrorKind::InvalidInput => anyhow!("--http: {address:?} is not HOST:PORT"),
        _ => anyhow!(error).context(format!("--http: {address} cannot be opened")),
    })
}

/// Accepts for ever; dropping the future ends all connections.
pub(super) async fn serve(listener: TcpListener, asker: Asker) -> anyhow::Result<()> {
    let hosts = Hosts { machine: rustix::system::uname().nodename().to_string_lossy().to_lowercase() };
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HTTP_HEAD_WITHIN)
        .max_buf_size(limits::HTTP_HEAD);
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= limits::HTTP_CONNECTIONS {
            connections.join_next().await;
        }
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, most likely: others will end.
                debug!("a connection was not accepted: {error}");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let (asker, hosts) = (asker.clone(), hosts.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (asker, hosts) = (asker.clone(), hosts.clone());
            async move { Ok::<_, Infallible>(respond(&asker, &hosts, &request).await) }
        });
        let connection = protocol.serve_connection(TokioIo::new(stream), service);
        connections.spawn_local(async move {
            let _ = timeout(limits::HTTP_LIFETIME, connection).await;
        });
    }
}

async fn respond(asker: &Asker, hosts: &Hosts, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let outcome = match hosts.check(request.headers().get(header::HOST)) {
        Ok(()) => answer(asker, request).await,
        Err(problem) => Err(problem),
    };
    let (status, kind, body) = match outcome {
        Ok((kind, body)) => (StatusCode::OK, kind, body),
        Err(problem) => {
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, "application/problem+json", problem.to_json())
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

async fn answer(asker: &Asker, request: &Request<Incoming>) -> Result<(&'static str, Vec<u8>), Problem> {
    let path = request.uri().path();
    if !matches!(path, "/api/v1/history" | "/healthz") {
        return Err(Problem::new(
            404,
            format!("there is nothing at {path}; there is /api/v1/history?topic=TOPIC"),
        ));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Problem::new(405, "this path is only there to be read; use GET or HEAD"));
    }
    if path == "/healthz" {
        return Ok(("text/plain; charset=utf-8", b"ok\n".to_vec()));
    }
    let asked = parse(request.uri().query().unwrap_or_default())?;
    let body = asker.ask(&asked, clock::wall()).await?;
    Ok(("application/json", body))
}

/// `topic=T&from=-24h`. A `+` means itself, as everywhere else in an address: it may stand in a time's offset.
fn parse(query: &str) -> Result<Asked, Problem> {
    let wrong = |detail: String| Problem::new(400, detail);
    let mut asked = Asked::default();
    let mut topic = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded =
            |text| percent_decode_str(text).decode_utf8().map_err(|_| wrong(format!("{name}: no UTF-8")));
        let (name, value) = (decoded(name)?, decoded(value)?.into_owned());
        let field = match &*name {
            "topic" => &mut topic,
            "from" => &mut asked.from,
            "to" => &mut asked.to,
            "step" => &mut asked.step,
            "limit" => &mut asked.limit,
            _ => {
                return Err(wrong(format!(
                    "there is no {name:?}; there are topic, from, to, step and limit"
                )));
            }
        };
        if field.replace(value).is_some() {
            return Err(wrong(format!("{name}: it is given twice")));
        }
    }
    asked.topic = topic.ok_or_else(|| wrong("topic: of which topic?".to_owned()))?;
    Ok(asked)
}

/// Which names we answer to: a page elsewhere may point its own name at this machine, and must not read our answers
/// ("DNS rebinding"). An IP address cannot be pointed elsewhere.
#[derive(Clone, Debug)]
struct Hosts {
    machine: String,
}

impl Hosts {
    fn check(&self, host: Option<&HeaderValue>) -> Result<(), Problem> {
        // Browsers always say one.
        let Some(host) = host else { return Ok(()) };
        let authority = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
        let name =
            authority.context("no host").map_err(|_| Problem::new(400, "the Host header is no host"))?;
        let name = name.host().to_lowercase();
        let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&name);
        let is_machine = !self.machine.is_empty()
            && name.strip_prefix(&self.machine).is_some_and(|rest| matches!(rest, "" | ".local"));
        let is_ours = address.parse::<IpAddr>().is_ok()
            || name == "localhost"
            || name.ends_with(".localhost")
            || is_machine;
        if is_ours {
            Ok(())
        } else {
            Err(Problem::new(421, format!("this recorder is not known as {name}; use its address")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_or_refused() {
        let asked = parse("topic=lights%2Fdesk/intensity&from=2026-11-27T18:00:00+01:00&limit=3").unwrap();
        let expected = Asked {
            topic: "lights/desk/intensity".to_owned(),
            from: Some("2026-11-27T18:00:00+01:00".to_owned()),
            limit: Some("3".to_owned()),
            ..Asked::default()
        };
        assert_eq!(asked, expected);
        for wrong in ["", "from=-1h", "topic=a&topic=b", "topic=a&x=y", "topic=%ff"] {
            assert_eq!(parse(wrong).unwrap_err().status, 400, "{wrong}");
        }
    }

    #[test]
    fn names_of_others_are_refused() {
        let hosts = Hosts { machine: "tablet".to_owned() };
        let check = |host: &str| hosts.check(Some(&HeaderValue::from_str(host).unwrap()));
        for ours in ["127.0.0.1:8123", "[::1]:1", "localhost", "LOCALHOST:80", "tablet", "Tablet.local:8123"]
        {
            assert_eq!(check(ours), Ok(()), "{ours}");
        }
        for strange in ["evil.example", "tablet.evil", "tabletx", "localhost.evil", "127.0.0.1.evil"] {
            assert_eq!(check(strange).unwrap_err().status, 421, "{strange}");
        }
        assert_eq!(check("a b").unwrap_err().status, 400);
        assert_eq!(hosts.check(None), Ok(()));
    }
}
