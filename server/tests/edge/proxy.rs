//! Behind a reverse proxy: whose address is seen, and who cannot choose it.

use crate::support::{Client, Events, Server, connect, request, run, websocket_request};
use luxwire_shared::mqtt::{Packet, ReasonCode, Version};

const TRUSTED: &str = "http.trusted_proxies=127.0.0.1";

/// Lets those in who are seen as coming from elsewhere.
const OPEN: &str = "auth.anonymous=true";

/// Connects over WebSocket with these lines of `X-Forwarded-For`, and gives the address that the log has.
fn logged_peer(server: &Server, client_id: &str, forwarded_for: &[&str]) -> (String, Client) {
    let mut asking = websocket_request(server.http);
    for line in forwarded_for {
        asking = asking.with_header("X-Forwarded-For", *line);
    }
    let mut client = Client::handshake(asking).unwrap();
    client.connect(Version::V5, client_id);
    let line = server.logged(&[" connected", &format!("client={client_id:?}"), "transport=\"websocket\""]);
    let (_, peer) = line.split_once("peer=").unwrap();
    (peer.split(' ').next().unwrap().to_owned(), client)
}

#[test]
fn the_address_that_a_trusted_proxy_saw_is_the_clients() {
    let server = Server::with(&[TRUSTED, OPEN]);
    let (peer, client) = logged_peer(&server, "page", &["192.0.2.7"]);
    assert_eq!(peer, "192.0.2.7:0");
    drop(client);
    server.logged(&["disconnected", "peer=192.0.2.7:0"]);
    assert_eq!(logged_peer(&server, "port", &["[2001:db8::7]:50000"]).0, "[2001:db8::7]:50000");
    assert_eq!(logged_peer(&server, "claim", &["127.0.0.1, 192.0.2.8"]).0, "192.0.2.8:0");
    assert_eq!(logged_peer(&server, "lines", &["192.0.2.9", "192.0.2.8, 127.0.0.1"]).0, "192.0.2.8:0");
    assert_eq!(logged_peer(&server, "garbage", &["192.0.2.9, unknown"]).0, "0.0.0.0:0");
}

#[test]
fn nobody_else_is_believed_and_the_operator_hears_of_it_once() {
    for settings in [&[][..], &["http.trusted_proxies=10.0.0.0/8"], &["http.trusted_proxies=::1"]] {
        let server = Server::with(settings);
        for (client_id, claimed) in [("near", "127.0.0.1"), ("far", "192.0.2.7")] {
            let (peer, client) = logged_peer(&server, client_id, &[claimed]);
            assert_eq!(peer, client.socket().local_addr().unwrap().to_string(), "{settings:?} {claimed}");
        }
        let hint = server.logged(&["WARN", "X-Forwarded-For is ignored", "http.trusted_proxies"]);
        assert_eq!(server.log().matches("X-Forwarded-For is ignored").count(), 1, "{hint}");
    }
}

#[test]
fn requests_and_streams_are_seen_with_their_clients_address_too() {
    let server = Server::with(&[TRUSTED, OPEN]);
    let mut picture = Events::follow(server.http, "/api/v1/picture");
    picture.next();
    let put = format!(
        "PUT /api/v1/topics/a HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.7\r\n\
         Content-Length: 1\r\n\r\n1",
        server.http
    );
    assert_eq!(request(server.http, put).status, 201);
    let (_, _client) = logged_peer(&server, "page", &["192.0.2.8"]);
    let mut addresses = Vec::new();
    while addresses.len() < 2 {
        let event = picture.next();
        if event.name == "joined" {
            addresses.push(event.data["address"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(addresses, ["192.0.2.7:0", "192.0.2.8:0"]);
}

// One connection carries the requests of many clients.
#[test]
fn each_request_of_a_proxys_connection_has_its_own_client() {
    let server = Server::with(&[TRUSTED, OPEN]);
    let ask = |client: &str, connection: &str| {
        format!(
            "PUT /api/v1/topics/a HTTP/1.1\r\nHost: {}\r\nConnection: {connection}\r\nX-Forwarded-For: {client}\r\n\
             Content-Length: 1\r\n\r\n1",
            server.http
        )
    };
    let answer = request(server.http, ask("192.0.2.7", "keep-alive") + &ask("192.0.2.8", "close"));
    assert_eq!(answer.status, 201);
    for client in ["192.0.2.7", "192.0.2.8"] {
        server.logged(&[" connected", &format!("peer={client}:0"), "transport=\"http\""]);
    }
}

// As they come from the examples in docs/proxy.md.
#[test]
fn the_page_works_under_the_name_that_the_proxy_is_known_by() {
    let server = Server::with(&[TRUSTED, r#"http.allowed_hosts=["lights.example"]"#]);
    let handshake = |host: &str, origin: &str| {
        let text = format!(
            "GET /mqtt HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nX-Forwarded-For: 192.0.2.7\r\n\
             X-Forwarded-Proto: https\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
        );
        crate::support::handshake_answer(server.http, &text).status
    };
    assert_eq!(handshake("lights.example", "https://lights.example"), 101);
    assert_eq!(handshake("lights.example:8443", "https://lights.example:8443"), 101);
    assert_eq!(handshake("lights.example", "https://evil.example"), 403);
    // A proxy that hides the name, and a name that nobody listed.
    assert_eq!(handshake("127.0.0.1:8080", "https://lights.example"), 403);
    assert_eq!(handshake("other.example", "https://other.example"), 421);
}

// A trusted proxy on this machine does not make its clients programs of this machine.
#[test]
fn whoever_comes_through_a_trusted_proxy_must_sign_in() {
    let server = Server::with(&[TRUSTED]);
    let answered = |forwarded_for: &str| {
        let asking = websocket_request(server.http).with_header("X-Forwarded-For", forwarded_for);
        let mut client = Client::handshake(asking).unwrap();
        client.send(&connect(Version::V5, "page"));
        let Packet::Connack(connack) = client.receive() else { panic!("no CONNACK") };
        let put = format!(
            "PUT /api/v1/topics/a HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nX-Forwarded-For: {forwarded_for}\r\n\
             Content-Length: 1\r\n\r\n1",
            server.http
        );
        (connack.reason, request(server.http, put).status)
    };
    for elsewhere in ["192.0.2.7", "2001:db8::7", "127.0.0.1, 192.0.2.7", "::1, 192.0.2.7:50000"] {
        assert_eq!(answered(elsewhere), (ReasonCode::NotAuthorized, 401), "{elsewhere}");
    }
    // The proxy says something that we cannot read.
    for unreadable in ["unknown", "unix:", "192.0.2.7, unknown", "127.0.0.1, unknown"] {
        assert_eq!(answered(unreadable), (ReasonCode::NotAuthorized, 401), "{unreadable}");
    }
    // The proxy says that it is itself on this machine.
    assert_eq!(answered("192.0.2.7, 127.0.0.1").0, ReasonCode::NotAuthorized);
    assert_eq!(answered("127.0.0.1"), (ReasonCode::Success, 201));
}

#[test]
fn check_config_says_what_is_wrong_with_a_proxy() {
    let finished =
        run(&["check-config", "--set", r#"http.trusted_proxies=["127.0.0.1", "10.0.0.0/8", "fd00::/8"]"#]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        finished.out.contains(r#"trusted_proxies = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]"#),
        "{}",
        finished.out
    );
    for (value, mend) in
        [("proxy.example", "10.0.0.0/8"), ("10.0.0.1/8", "10.0.0.0/8"), ("10.0.0.0/33", "from 0 to 32")]
    {
        let finished = run(&["check-config", "--set", &format!("http.trusted_proxies={value}")]);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        for word in ["http.trusted_proxies", value, mend] {
            assert!(finished.err.contains(word), "no {word:?} in {}", finished.err);
        }
    }
}
