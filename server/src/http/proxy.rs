//! Whose request it is that a reverse proxy hands on.
//!
//! Anybody can write `X-Forwarded-For`, so it is believed as far as proxies of `http.trusted_proxies` wrote it: each adds
//! the address of whoever spoke to it at the end. `Forwarded` (RFC 7239) is not read: a proxy that writes the one header
//! passes the other on as the client made it up.

use super::Peer;
use crate::config::Network;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName},
    middleware::Next,
    response::Response,
};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Once},
};
use tracing::warn;

/// The proxies that are believed.
#[derive(Debug)]
pub(crate) struct Proxies {
    trusted: Vec<Network>,
    stranger_reported: Once,
}

impl Proxies {
    pub(crate) fn new(trusted: &[Network]) -> Self {
        Self { trusted: trusted.to_vec(), stranger_reported: Once::new() }
    }

    /// Who asks, if `peer` is where the connection comes from. Port 0 stands for one that the proxy does not say.
    fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        let mut client = peer;
        for line in headers.get_all(X_FORWARDED_FOR).iter().rev() {
            for word in line.as_bytes().rsplit(|byte| *byte == b',') {
                if !self.trusts(client.ip()) {
                    return client;
                }
                // Whoever wrote what cannot be read spoke last for whom we know, and nothing before it is to be believed.
                let Some(said) = address(word) else { return unless_on_this_machine(client) };
                if said.ip().is_loopback() && !client.ip().to_canonical().is_loopback() {
                    // Somebody on the proxy's own machine, which is another than ours.
                    return client;
                }
                client = said;
            }
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// Tells the operator once of a proxy that probably should be trusted.
    fn report_stranger(&self, peer: SocketAddr, headers: &HeaderMap) {
        let on_this_machine = peer.ip().to_canonical().is_loopback();
        if on_this_machine && headers.contains_key(X_FORWARDED_FOR) && !self.trusts(peer.ip()) {
            self.stranger_reported.call_once(|| {
                warn!(
                    %peer,
                    "X-Forwarded-For is ignored, and who comes this way counts as this machine; if that is your proxy, \
                     add \"{}\" to http.trusted_proxies",
                    peer.ip()
                );
            });
        }
    }
}

/// Has everything behind it see the client where the proxy is.
pub(super) async fn look_through(
    State(proxies): State<Arc<Proxies>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(&Peer(peer)) = request.extensions().get::<Peer>() {
        let headers = request.headers();
        proxies.report_stranger(peer, headers);
        let client = proxies.client(peer, headers);
        request.extensions_mut().insert(Peer(client));
    }
    next.run(request).await
}

/// Somebody stands behind the proxy of whom it says nothing that we can read. If it is a proxy on this machine, that
/// somebody need not be on it, and must not be taken for one who is.
fn unless_on_this_machine(proxy: SocketAddr) -> SocketAddr {
    if proxy.ip().to_canonical().is_loopback() { NOBODY_KNOWS } else { proxy }
}

/// The unspecified address, which is nobody's.
const NOBODY_KNOWS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// `192.0.2.7`, `192.0.2.7:50000`, `2001:db8::7`, `[2001:db8::7]`, `[2001:db8::7]:50000`.
fn address(word: &[u8]) -> Option<SocketAddr> {
    let text = str::from_utf8(word).ok()?.trim_ascii();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let said = match bare.parse() {
        Ok(address) => SocketAddr::new(address, 0),
        Err(_) => text.parse().ok()?,
    };
    Some(SocketAddr::new(said.ip().to_canonical(), said.port()))
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    /// `client` is who asks if the connection comes from `peer`, port 1, with these lines.
    #[track_caller]
    fn check(trusted: &[&str], peer: &str, lines: &[&str], client: &str) {
        let trusted: Vec<Network> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        let seen = Proxies::new(&trusted).client(peer, &headers);
        assert_eq!(seen, client.parse().unwrap(), "{trusted:?} {peer} {lines:?}");
    }

    const LOCAL: &[&str] = &["127.0.0.1"];

    #[test]
    fn nobody_is_trusted_who_is_not_listed() {
        check(&[], "127.0.0.1", &["192.0.2.7"], "127.0.0.1:1");
        check(LOCAL, "192.0.2.99", &["127.0.0.1"], "192.0.2.99:1");
        check(LOCAL, "192.0.2.99", &["127.0.0.1, 127.0.0.1"], "192.0.2.99:1");
        check(&["10.0.0.0/8"], "11.0.0.1", &["192.0.2.7"], "11.0.0.1:1");
        check(LOCAL, "::1", &["192.0.2.7"], "[::1]:1");
    }

    #[test]
    fn what_a_client_claims_itself_stands_left_of_what_the_proxy_saw() {
        check(LOCAL, "127.0.0.1", &["192.0.2.7"], "192.0.2.7:0");
        check(LOCAL, "127.0.0.1", &["127.0.0.1, 192.0.2.7"], "192.0.2.7:0");
        check(LOCAL, "127.0.0.1", &["127.0.0.1", "192.0.2.7"], "192.0.2.7:0");
        check(LOCAL, "127.0.0.1", &["nonsense, 192.0.2.7"], "192.0.2.7:0");
        check(LOCAL, "127.0.0.1", &["10.0.0.9,192.0.2.8 ,\t192.0.2.7 "], "192.0.2.7:0");
    }

    #[test]
    fn proxies_in_a_row_are_looked_through() {
        let chain = &["127.0.0.1", "10.0.0.0/8"];
        check(chain, "127.0.0.1", &["192.0.2.7, 10.0.0.9"], "192.0.2.7:0");
        check(chain, "127.0.0.1", &["192.0.2.8, 192.0.2.7", "10.0.0.9", "10.1.1.1, 10.2.2.2"], "192.0.2.7:0");
        // The last of them is the client if nobody stands before it.
        check(chain, "127.0.0.1", &["10.0.0.9"], "10.0.0.9:0");
        check(chain, "127.0.0.1", &[], "127.0.0.1:1");
    }

    #[test]
    fn the_first_word_that_is_no_address_ends_the_search() {
        for garbage in [
            "",
            " ",
            "unknown",
            "_hidden",
            "unix:",
            "192.0.2",
            "192.0.2.7:",
            "192.0.2.7:99999",
            "[192.0.2.7",
            "\"192.0.2.7\"",
            "for=192.0.2.7",
        ] {
            check(LOCAL, "127.0.0.1", &[garbage], "0.0.0.0:0");
            check(LOCAL, "127.0.0.1", &[&format!("192.0.2.7,{garbage}")], "0.0.0.0:0");
            check(LOCAL, "127.0.0.1", &["192.0.2.7", garbage], "0.0.0.0:0");
            check(&["127.0.0.1", "10.0.0.9"], "127.0.0.1", &[&format!("{garbage},10.0.0.9")], "10.0.0.9:0");
        }
    }

    #[test]
    fn addresses_are_read_in_every_form_that_proxies_write() {
        check(LOCAL, "127.0.0.1", &["192.0.2.7:50000"], "192.0.2.7:50000");
        check(LOCAL, "127.0.0.1", &["2001:db8::7"], "[2001:db8::7]:0");
        check(LOCAL, "127.0.0.1", &["[2001:db8::7]"], "[2001:db8::7]:0");
        check(LOCAL, "127.0.0.1", &["[2001:db8::7]:50000"], "[2001:db8::7]:50000");
        check(LOCAL, "127.0.0.1", &["::ffff:192.0.2.7"], "192.0.2.7:0");
        check(LOCAL, "::ffff:127.0.0.1", &["192.0.2.7"], "192.0.2.7:0");
        check(&["::1"], "::1", &["192.0.2.7"], "192.0.2.7:0");
    }

    #[test]
    fn only_a_proxy_of_this_machine_can_say_that_somebody_is_on_this_machine() {
        check(LOCAL, "127.0.0.1", &["127.0.0.1"], "127.0.0.1:0");
        check(&["127.0.0.1", "::1"], "::1", &["127.0.0.1"], "127.0.0.1:0");
        check(LOCAL, "::ffff:127.0.0.1", &["::1"], "[::1]:0");
        for claimed in ["127.0.0.1", "127.9.9.9", "::1", "[::1]:5", "::ffff:127.0.0.1"] {
            // The network that is trusted holds clients too, who claim what they like.
            check(&["10.0.0.0/8"], "10.0.0.9", &[&format!("{claimed}, 10.0.0.66")], "10.0.0.66:0");
            check(&["10.0.0.0/8"], "10.0.0.9", &[claimed], "10.0.0.9:1");
        }
    }

    #[test]
    fn a_long_list_is_no_trouble() {
        let line = "10.0.0.9,".repeat(7_000) + "10.0.0.9";
        check(&["10.0.0.9"], "10.0.0.9", &[&line], "10.0.0.9:0");
    }
}
