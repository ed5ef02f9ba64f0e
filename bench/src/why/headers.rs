//! The headers that clients of HTTP send, since they decide what HTTP costs. Two sets were taken from the wire, one from
//! curl and one from Chromium; the third is what the standard demands and no more.

use http::{HeaderName, Method, Request, header, request::Builder};
use std::net::SocketAddr;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Headers {
    /// `Host` alone, which HTTP/1.1 demands (RFC 9112, section 3.2): what firmware may be cut down to.
    Bare,
    /// curl 7.88; libraries for microcontrollers send about as much.
    Curl,
    /// Chromium 156 on Linux: `fetch`, `EventSource` and `WebSocket` in a page of the same origin.
    Browser,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Write,
    Events,
    WebSocket,
}

impl Headers {
    /// A request to `path` with everything but `Content-Length`, and what makes a WebSocket handshake unique.
    pub(super) fn request(self, purpose: Purpose, server: SocketAddr, path: &str) -> Builder {
        let method = if purpose == Purpose::Write { Method::PUT } else { Method::GET };
        let request = Request::builder().method(method).uri(path).header(header::HOST, server.to_string());
        match self {
            Self::Bare => request,
            Self::Curl => add(request, &of_curl(purpose)),
            Self::Browser => of_browser(request, purpose, &format!("http://{server}")),
        }
    }
}

type Lines = [(HeaderName, &'static str)];

fn of_curl(purpose: Purpose) -> Vec<(HeaderName, &'static str)> {
    let mut lines = vec![(header::USER_AGENT, "curl/7.88.1"), (header::ACCEPT, "*/*")];
    match purpose {
        Purpose::Write => lines.push((header::CONTENT_TYPE, "text/plain")),
        Purpose::Read | Purpose::Events | Purpose::WebSocket => {}
    }
    lines
}

fn of_browser(request: Builder, purpose: Purpose, origin: &str) -> Builder {
    let common = [
        (header::USER_AGENT, USER_AGENT),
        (header::ACCEPT_ENCODING, "gzip, deflate, br, zstd"),
        (header::ACCEPT_LANGUAGE, "en-US,en;q=0.9"),
    ];
    let fresh = [(header::PRAGMA, "no-cache"), (header::CACHE_CONTROL, "no-cache")];
    let fetch = [
        (header::CONNECTION, "keep-alive"),
        (HeaderName::from_static("sec-ch-ua"), r#""Not:A-Brand";v="8", "Chromium";v="156""#),
        (HeaderName::from_static("sec-ch-ua-mobile"), "?0"),
        (HeaderName::from_static("sec-ch-ua-platform"), r#""Linux""#),
        (HeaderName::from_static("sec-fetch-site"), "same-origin"),
        (HeaderName::from_static("sec-fetch-mode"), "cors"),
        (HeaderName::from_static("sec-fetch-dest"), "empty"),
    ];
    let request = add(request, &common);
    let with_referer = |request: Builder| request.header(header::REFERER, format!("{origin}/"));
    match purpose {
        Purpose::Read => with_referer(add(request, &fetch)).header(header::ACCEPT, "*/*"),
        Purpose::Write => with_referer(add(request, &fetch))
            .header(header::ACCEPT, "*/*")
            .header(header::CONTENT_TYPE, "text/plain;charset=UTF-8")
            .header(header::ORIGIN, origin),
        Purpose::Events => {
            with_referer(add(add(request, &fetch), &fresh)).header(header::ACCEPT, "text/event-stream")
        }
        Purpose::WebSocket => add(request, &fresh)
            .header(header::ORIGIN, origin)
            .header(header::SEC_WEBSOCKET_EXTENSIONS, "permessage-deflate; client_max_window_bits"),
    }
}

const USER_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

fn add(request: Builder, lines: &Lines) -> Builder {
    lines.iter().fold(request, |request, (name, value)| request.header(name, *value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The length of a request's head as it stands on the wire.
    fn len(headers: Headers, purpose: Purpose) -> usize {
        let server = "127.0.0.1:8080".parse().unwrap();
        let request =
            headers.request(purpose, server, "/api/v1/topics/lights/desk/intensity").body(()).unwrap();
        let lines = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
        request.method().as_str().len()
            + 1
            + request.uri().path().len()
            + " HTTP/1.1\r\n\r\n".len()
            + lines.sum::<usize>()
    }

    #[test]
    fn a_browser_says_more_than_curl_and_curl_more_than_must_be() {
        for purpose in [Purpose::Read, Purpose::Write, Purpose::Events, Purpose::WebSocket] {
            let lengths = [Headers::Bare, Headers::Curl, Headers::Browser].map(|who| len(who, purpose));
            assert!(lengths.is_sorted(), "{purpose:?}: {lengths:?}");
        }
    }

    #[test]
    fn curls_request_is_as_long_as_on_the_wire() {
        let wire = "GET /api/v1/topics/lights/desk/intensity HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\
                    User-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n";
        assert_eq!(len(Headers::Curl, Purpose::Read), wire.len());
    }
}
