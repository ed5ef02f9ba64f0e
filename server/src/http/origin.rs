//! Whose pages may open a WebSocket to us.
//!
//! Browsers let any page open a WebSocket to any address, so that a page on the internet could switch the lights of
//! whoever reads it. They do say where the page comes from, and only our own pages and listed ones are let in. Programs
//! that are no browsers say nothing and are let in.

use axum::http::{HeaderMap, header};

/// The origins that are allowed besides our own.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    allowed: Vec<String>,
}

impl Origins {
    pub(crate) fn new(allowed: &[String]) -> Self {
        Self { allowed: allowed.iter().map(|origin| origin.to_lowercase()).collect() }
    }

    /// Says what to do about it if the request comes from a strange page.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), String> {
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().map_err(|_| "the Origin header is no origin".to_owned())?.to_lowercase();
        let host =
            headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_lowercase();
        if is_same(&origin, &host) || self.allowed.contains(&origin) {
            return Ok(());
        }
        Err(format!(
            "pages of {origin:?} may not connect; if they should, add that origin to http.allowed_origins"
        ))
    }
}

/// Whether a page of `origin` and a request to `host` meet the same server. A proxy that speaks TLS for us keeps the
/// host and changes the scheme, so the scheme only says which port is meant when none is written.
fn is_same(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let without_default = |name: &str| name.strip_suffix(default_port).unwrap_or(name).to_owned();
    !authority.is_empty() && without_default(authority) == without_default(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn check(host: &'static str, origin: Option<&'static str>, let_in: bool) {
        let origins = Origins::new(&["https://Lights.Example".to_owned()]);
        let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        assert_eq!(origins.check(&headers).is_ok(), let_in, "{host} {origin:?}");
    }

    #[test]
    fn our_own_pages_are_let_in() {
        check("127.0.0.1:8080", Some("http://127.0.0.1:8080"), true);
        check("lights.local", Some("http://lights.local"), true);
        check("lights.local:80", Some("http://lights.local"), true);
        check("lights.local", Some("https://lights.local:443"), true);
        check("[::1]:8080", Some("http://[::1]:8080"), true);
        check("Lights.Local", Some("http://lights.LOCAL"), true);
    }

    #[test]
    fn strange_pages_are_not() {
        check("127.0.0.1:8080", Some("http://evil.example"), false);
        check("127.0.0.1:8080", Some("http://127.0.0.1:8081"), false);
        check("127.0.0.1:8080", Some("http://127.0.0.1"), false);
        check("127.0.0.1:80", Some("https://127.0.0.1"), false);
        check("127.0.0.1:8080", Some("null"), false);
        check("127.0.0.1:8080", Some("file://127.0.0.1:8080"), false);
        check("", Some("http://"), false);
    }

    #[test]
    fn listed_pages_and_programs_are_let_in() {
        check("127.0.0.1:8080", Some("https://lights.example"), true);
        check("127.0.0.1:8080", None, true);
    }
}
