//! Which names this server answers to.
//!
//! A web page elsewhere may point its own name at this machine and then read from us as if we were its origin ("DNS
//! rebinding"). Such a request carries that name, so it is refused unless somebody listed the name.

use super::Problem;
use axum::{
    extract::{Request, State},
    http::{StatusCode, Version, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use std::{net::IpAddr, sync::Arc};

/// The names besides IP addresses and `localhost`.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    names: Vec<String>,
}

impl Hosts {
    /// `machine` is what this machine calls itself; multicast DNS adds `.local` to that.
    pub(crate) fn new(machine: &str, allowed: &[String]) -> Self {
        let mut names: Vec<String> = allowed.iter().map(|name| name.to_lowercase()).collect();
        if !machine.is_empty() {
            let machine = machine.to_lowercase();
            names.push(format!("{machine}.local"));
            names.push(machine);
        }
        Self { names }
    }

    /// An IP address cannot be pointed elsewhere, and `localhost` never leaves the machine (RFC 6761).
    fn answers_to(&self, host: &str) -> bool {
        let host = host.to_lowercase();
        let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&host);
        address.parse::<IpAddr>().is_ok()
            || host == "localhost"
            || host.ends_with(".localhost")
            || self.names.contains(&host)
    }
}

/// Refuses requests that call us by a name that is not ours, by two, or by none. Only HTTP/1.0 knows requests without a
/// name. RFC 9112, section 3.2.
pub(super) async fn check(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    let mut names = request.headers().get_all(header::HOST).iter();
    let name = match (names.next(), names.next()) {
        (Some(host), None) => host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()),
        (None, None) if request.version() == Version::HTTP_10 => return next.run(request).await,
        _ => None,
    };
    match name {
        Some(name) if hosts.answers_to(name.host()) => next.run(request).await,
        Some(name) => {
            let name = name.host();
            let detail = format!(
                "this server is not known as {name}; if it should be, add \"{name}\" to http.allowed_hosts"
            );
            Problem::new(StatusCode::MISDIRECTED_REQUEST, detail).into_response()
        }
        None => {
            Problem::new(StatusCode::BAD_REQUEST, "one Host header must name this server").into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Hosts;

    #[test]
    fn our_names_and_addresses_pass_and_strangers_do_not() {
        let hosts = Hosts::new("Tablet", &["lights.example".to_owned()]);
        for ours in [
            "127.0.0.1",
            "192.168.1.20",
            "[::1]",
            "localhost",
            "LOCALHOST",
            "a.localhost",
            "tablet",
            "tablet.local",
            "lights.example",
            "Lights.Example",
        ] {
            assert!(hosts.answers_to(ours), "{ours}");
        }
        for strange in
            ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "lights.example.evil", ""]
        {
            assert!(!hosts.answers_to(strange), "{strange}");
        }
    }
}
