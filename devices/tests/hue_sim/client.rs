//! A plain HTTP client for one request at a time, with TLS that looks at no names, and a reader of event streams.

use luxwire_devices::hue_sim::HueSim;
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::TlsConnector;

/// After this long something that should have happened will not happen.
const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let of_line = |line: &'_ str| line.split_once(": ").map(|(name, _)| name.to_ascii_lowercase());
        let line = self.head.lines().find(|line| of_line(line).as_deref() == Some(name))?;
        line.split_once(": ").map(|(_, value)| value)
    }
}

pub(crate) async fn open(hub: &HueSim, tls: bool) -> Box<dyn Stream> {
    let address = if tls { hub.https() } else { hub.http() };
    let stream = TcpStream::connect(address).await.unwrap();
    if !tls {
        return Box::new(stream);
    }
    Box::new(handshake(stream).await)
}

async fn handshake(stream: TcpStream) -> tokio_rustls::client::TlsStream<TcpStream> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    let name = ServerName::try_from("hub.invalid").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

/// The certificate that the hub shows.
pub(crate) async fn certificate(hub: &HueSim) -> Vec<u8> {
    let stream = handshake(TcpStream::connect(hub.https()).await.unwrap()).await;
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

pub(crate) async fn get(hub: &HueSim, tls: bool, path: &str, key: Option<&str>) -> Answer {
    request(hub, tls, "GET", path, key, None).await
}

pub(crate) async fn post(hub: &HueSim, tls: bool, path: &str, body: Value) -> Answer {
    request(hub, tls, "POST", path, None, Some(body)).await
}

/// A command that must succeed.
pub(crate) async fn put(hub: &HueSim, path: &str, body: Value) {
    let answer = request(hub, false, "PUT", path, None, Some(body)).await;
    assert!(answer.status == 200 && !answer.body.contains("error"), "{}", answer.body);
}

pub(crate) async fn request(
    hub: &HueSim,
    tls: bool,
    method: &str,
    path: &str,
    key: Option<&str>,
    body: Option<Value>,
) -> Answer {
    let body = body.map_or_else(String::new, |body| body.to_string());
    let key = key.map_or_else(String::new, |key| format!("hue-application-key: {key}\r\n"));
    let len = body.len();
    let text = format!("{method} {path} HTTP/1.1\r\nHost: hub\r\n{key}Content-Length: {len}\r\n\r\n{body}");
    exchange(hub, tls, text.as_bytes()).await
}

/// Sends these bytes and reads one answer.
pub(crate) async fn exchange(hub: &HueSim, tls: bool, bytes: &[u8]) -> Answer {
    let read = async {
        let mut stream = BufReader::new(open(hub, tls).await);
        stream.write_all(bytes).await.unwrap();
        let head = head(&mut stream).await;
        let len = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; len.expect("the answer has a length")];
        stream.read_exact(&mut body).await.unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: String::from_utf8(body).unwrap() }
    };
    timeout(DEADLINE, read).await.expect("the hub answers")
}

async fn head(stream: &mut BufReader<Box<dyn Stream>>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).await.unwrap(), 0, "the connection ended: {head}");
    }
    head
}

/// An open stream of events.
pub(crate) struct Events {
    stream: BufReader<Box<dyn Stream>>,
}

impl Events {
    /// Over TLS, as a real hub wants it.
    pub(crate) async fn open(hub: &HueSim, key: &str, seen: Option<&str>) -> Self {
        let mut stream = open(hub, true).await;
        let seen = seen.map_or_else(String::new, |seen| format!("If-None-Match: {seen}\r\n"));
        let request = format!(
            "GET /eventstream/clip/v2 HTTP/1.1\r\nHost: hub\r\nAccept: text/event-stream\r\n\
             hue-application-key: {key}\r\n{seen}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        Self::read(stream).await
    }

    /// From a stream on which the request was made.
    pub(crate) async fn read(stream: Box<dyn Stream>) -> Self {
        let mut stream = BufReader::new(stream);
        let head = timeout(DEADLINE, head(&mut stream)).await.expect("the hub answers");
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("text/event-stream"), "{head}");
        Self { stream }
    }

    /// The next line that says something; the sizes of HTTP's chunks say nothing.
    pub(crate) async fn line(&mut self) -> String {
        let read = async {
            loop {
                let mut line = String::new();
                assert_ne!(self.stream.read_line(&mut line).await.unwrap(), 0, "the stream ended");
                if line.contains(':') {
                    return line.trim_end().to_owned();
                }
            }
        };
        timeout(DEADLINE, read).await.expect("there is another event")
    }

    /// The data of the next event.
    pub(crate) async fn data(&mut self) -> Value {
        loop {
            if let Some(data) = self.line().await.strip_prefix("data: ") {
                return serde_json::from_str(data).unwrap();
            }
        }
    }

    /// The next container and its id.
    pub(crate) async fn container(&mut self) -> (String, Value) {
        loop {
            if let Some(id) = self.line().await.strip_prefix("id: ") {
                return (id.to_owned(), self.data().await);
            }
        }
    }

    /// Waits for the end of the stream.
    pub(crate) async fn ended(&mut self) {
        // Cut in the middle of a chunk or of TLS, that is an error; it is an end all the same.
        let mut rest = Vec::new();
        let _ = timeout(DEADLINE, self.stream.read_to_end(&mut rest)).await.expect("the stream ends");
    }
}

/// Looks again and again until it is so.
pub(crate) async fn eventually(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !look().await {
        assert!(started.elapsed() < DEADLINE, "it never happened: {what}");
        tokio::task::yield_now().await;
    }
}

/// Takes any certificate whose key signed the handshake.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
