//! Setting and clearing values, and what becomes of them at MQTT clients.

use crate::{
    ask, check_problem, delete, get, head, put,
    support::{Client, Server, eventually},
    talk,
};
use luxwire_shared::mqtt::{Packet, PayloadFormat, PublishTopic, QoS, Version};
use std::{
    io::{Read as _, Write as _},
    net::Shutdown,
};

#[test]
fn a_value_that_is_put_is_kept_and_reaches_followers() {
    let server = Server::start();
    let mut follower = Client::connected(server.mqtt, Version::V5, "follower");
    follower.subscribe("lights/#", QoS::ExactlyOnce);
    let created = put(&server, "lights/Desk/intensity", "40");
    assert_eq!((created.status, created.body.as_slice()), (201, &b""[..]));
    let message = follower.message();
    assert!(matches!(&message.topic, PublishTopic::Name(name) if name.as_str() == "lights/Desk/intensity"));
    assert_eq!(
        (&message.payload[..], message.qos(), message.properties),
        (&b"40"[..], QoS::AtLeastOnce, None)
    );

    let value = get(&server, "lights/Desk/intensity");
    assert_eq!((value.status, value.text()), (200, "40"));
    for name in ["etag", "last-modified"] {
        assert!(created.header(name).is_some() && created.header(name) == value.header(name), "{name}");
    }
    let replaced = put(&server, "lights/Desk/intensity", "41");
    assert_eq!(replaced.status, 204);
    assert_ne!(replaced.header("etag"), created.header("etag"));
    assert_eq!(get(&server, "lights/Desk/intensity").text(), "41");
}

#[test]
fn a_value_that_is_deleted_is_gone_for_everybody() {
    let server = Server::start();
    put(&server, "a", "1");
    let mut follower = Client::connected(server.mqtt, Version::V5, "follower");
    follower.subscribe("a", QoS::AtLeastOnce);
    assert_eq!(follower.message().payload, "1");
    assert_eq!(delete(&server, "a").status, 204);
    assert_eq!(follower.message().payload, "");
    check_problem(&delete(&server, "a"), 404, "\"a\"");
    check_problem(&get(&server, "a"), 404, "\"a\"");
    // Nobody was told of the second.
    put(&server, "a", "2");
    assert_eq!(follower.message().payload, "2");
}

#[test]
fn quality_retain_and_expiry_are_what_was_asked_for() {
    let server = Server::start();
    let mut follower = Client::connected(server.mqtt, Version::V5, "follower");
    follower.subscribe("a", QoS::ExactlyOnce);
    for (query, qos) in
        [("?qos=0", QoS::AtMostOnce), ("?qos=1", QoS::AtLeastOnce), ("?qos=2", QoS::ExactlyOnce)]
    {
        let answer = put(&server, &format!("a{query}&retain=false"), "x");
        assert_eq!((answer.status, answer.header("etag")), (204, None), "{query}");
        assert_eq!(follower.message().qos(), qos, "{query}");
    }
    check_problem(&get(&server, "a"), 404, "a");
    assert_eq!(put(&server, "a?retain=false", "").status, 204);
    assert_eq!(follower.message().payload, "");
    assert_eq!(put(&server, "a?expiry_s=1&qos=0", "short").status, 201);
    let properties = follower.message().properties.unwrap();
    assert!(matches!(properties.message_expiry_interval_s, Some(0 | 1)), "{properties:?}");
    eventually("the end of its life", || (get(&server, "a").status == 404).then_some(()));
}

#[test]
fn the_content_type_is_kept_where_it_says_something() {
    let server = Server::start();
    let mut follower = Client::connected(server.mqtt, Version::V5, "follower");
    follower.subscribe("#", QoS::AtMostOnce);
    let mut check = |sent: Option<&str>,
                     body: &[u8],
                     published: Option<&str>,
                     is_text: bool,
                     served: &str| {
        let headers: Vec<_> = sent.iter().map(|sent| ("Content-Type", *sent)).collect();
        let answer = ask(&server, "PUT", "/api/v1/topics/t", &headers, body);
        assert!(matches!(answer.status, 201 | 204), "{sent:?}: {}", answer.status);
        let properties = follower.message().properties.map(|properties| *properties).unwrap_or_default();
        assert_eq!(properties.content_type.as_deref(), published, "{sent:?}");
        assert_eq!(properties.payload_format == Some(PayloadFormat::Text), is_text, "{sent:?}");
        let value = get(&server, "t");
        assert_eq!((value.header("content-type"), value.body.as_slice()), (Some(served), body), "{sent:?}");
        assert_eq!(
            value.header("content-security-policy"),
            Some("default-src 'none'; frame-ancestors 'none'; sandbox")
        );
        assert_eq!(value.header("x-content-type-options"), Some("nosniff"));
    };
    const BYTES: &str = "application/octet-stream";
    const TEXT: &str = "text/plain; charset=utf-8";
    check(None, b"40", None, false, TEXT);
    check(None, &[0xFF], None, false, BYTES);
    check(Some("application/x-www-form-urlencoded"), b"a+b%20", None, false, TEXT);
    check(
        Some("text/plain;charset=utf-8"),
        b"40",
        Some("text/plain;charset=utf-8"),
        true,
        "text/plain;charset=utf-8",
    );
    check(
        Some("text/plain;charset=utf-8"),
        &[0xFF],
        Some("text/plain;charset=utf-8"),
        false,
        "text/plain;charset=utf-8",
    );
    check(Some("application/json"), b"{}", Some("application/json"), true, "application/json");
    check(Some("image/png"), &[0xFF], Some("image/png"), false, "image/png");
    // A page must not come from where ours comes from.
    check(Some("text/html"), b"<script>1</script>", Some("text/html"), true, BYTES);
    check(Some("image/svg+xml"), b"<svg/>", Some("image/svg+xml"), false, BYTES);
    let value = get(&server, "t");
    assert_eq!(value.header("luxwire-content-type"), Some("image/svg+xml"));
    let list = ask(&server, "GET", "/api/v1/topics?filter=t", &[], b"").json();
    assert_eq!(list[0]["content_type"], "image/svg+xml");
}

#[test]
fn topics_in_addresses_are_decoded_and_checked() {
    let server = Server::start();
    let mut follower = Client::connected(server.mqtt, Version::V5, "follower");
    follower.subscribe("#", QoS::AtMostOnce);
    for (path, topic) in [
        ("lights/Desk/intensity", "lights/Desk/intensity"),
        ("lights%2FDesk%2fintensity", "lights/Desk/intensity"),
        ("/leading", "/leading"),
        ("%2Fleading", "/leading"),
        ("trailing/", "trailing/"),
        ("a//b", "a//b"),
        ("a%20b", "a b"),
        ("%C3%BC", "\u{fc}"),
        ("100%25", "100%"),
        ("%3F%23", " "),
    ] {
        let answer = put(&server, path, "x");
        if topic == " " {
            check_problem(&answer, 400, "must not contain + or #");
            continue;
        }
        assert!(matches!(answer.status, 201 | 204), "{path}: {}", answer.text());
        assert!(
            matches!(&follower.message().topic, PublishTopic::Name(name) if name.as_str() == topic),
            "{path}"
        );
        assert_eq!(get(&server, path).status, 200, "{path}");
    }
    for (path, word) in [
        ("a+b", "must not contain + or #"),
        ("a%2Bb", "must not contain + or #"),
        ("a%00b", "U+0000"),
        ("a%ff", "UTF-8"),
        ("a%f", "two hexadecimal digits"),
        ("$SYS/x", "$SYS"),
        ("%24SYS/x", "$SYS"),
        ("$SYS/x?qos=0", "$SYS"),
        ("$SYS/x?qos=2&retain=false", "$SYS"),
    ] {
        check_problem(&put(&server, path, "x"), 400, word);
    }
    check_problem(&put(&server, &"a".repeat(5_000), "x"), 400, "4096 characters");
}

#[test]
fn what_makes_no_sense_is_named() {
    let server = Server::start();
    let check = |query: &str, word: &str| check_problem(&put(&server, &format!("a{query}"), "1"), 400, word);
    check("?qos=3", "qos must be 0, 1 or 2");
    check("?qos=1&qos=1", "qos is given twice");
    check("?retain=yes", "true or false");
    check("?expiry_s=0", "expiry_s");
    check("?expiry_s=+5", "expiry_s");
    check("?expiry_s=4294967296", "expiry_s");
    check("?qso=1", "\"qso\"");
    check_problem(&put(&server, "a", ""), 400, "use DELETE");
    check_problem(&ask(&server, "DELETE", "/api/v1/topics/a?qos=1", &[], b""), 400, "takes no parameters");
    let check = |header: (&str, &str), status: u16, word: &str| {
        check_problem(&ask(&server, "PUT", "/api/v1/topics/a", &[header], b"1"), status, word);
    };
    check(("Content-Type", "multipart/form-data; boundary=x"), 415, "--data-binary");
    check(("Content-Type", "nonsense"), 400, "Content-Type");
    check(("Content-Encoding", "gzip"), 415, "compressed");
    check(("Content-Range", "bytes 0-1/2"), 400, "as a whole");
    check(("If-Match", "nonsense"), 400, "if-match");
    check_problem(&get(&server, "a"), 404, "a");
}

#[test]
fn limits_of_the_broker_are_limits_here() {
    let server = Server::with(&["limits.packet_size=2KiB"]);
    assert_eq!(put(&server, "a", &"x".repeat(2_000)).status, 201);
    // The payload alone would fit, the packet does not.
    check_problem(&put(&server, "a", &"x".repeat(2_046)), 413, "2048");
    check_problem(&put(&server, "a", &"x".repeat(2_049)), 413, "2048");
    assert_eq!(get(&server, "a").body.len(), 2_000);
}

#[test]
fn a_body_that_is_too_large_is_refused_while_it_comes() {
    let server = Server::with(&["limits.packet_size=100KiB"]);
    // Nothing of it was sent.
    let mut told = talk(&server, &put_head("Content-Length: 1000000\r\n"));
    assert!(head(&mut told).starts_with("HTTP/1.1 413"));
    // Nobody said how long it will be.
    let mut chunked = talk(&server, &put_head("Transfer-Encoding: chunked\r\n"));
    let mut answered = chunked.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        for _ in 0..100 {
            if chunked.write_all(format!("2710\r\n{}\r\n", "x".repeat(10_000)).as_bytes()).is_err() {
                return;
            }
        }
    });
    assert!(head(&mut answered).starts_with("HTTP/1.1 413"));
    sender.join().unwrap();
    check_problem(&get(&server, "a"), 404, "a");
}

fn put_head(headers: &str) -> String {
    format!("PUT /api/v1/topics/a HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

#[test]
fn permission_to_send_is_given_to_whoever_asks_and_may() {
    let server = Server::with(&["limits.packet_size=100KiB"]);
    let mut client = talk(&server, &put_head("Expect: 100-continue\r\nContent-Length: 2\r\n"));
    assert_eq!(head(&mut client), "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"40").unwrap();
    assert!(head(&mut client).starts_with("HTTP/1.1 201"));
    for refused in [
        "Content-Length: 1000000\r\n",
        "Content-Length: 2\r\nIf-Match: x\r\n",
        "Content-Length: 2\r\nContent-Encoding: br\r\n",
    ] {
        let mut client = talk(&server, &put_head(&format!("Expect: 100-continue\r\n{refused}")));
        assert!(head(&mut client).starts_with("HTTP/1.1 4"), "{refused}");
    }
}

#[test]
fn a_body_that_breaks_off_sets_nothing() {
    let server = Server::start();
    let mut client = talk(&server, &put_head("Content-Length: 10\r\n"));
    client.write_all(b"40").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    check_problem(&get(&server, "a"), 404, "a");
}

#[test]
fn writers_count_as_clients_and_leave_nothing_behind() {
    // One client has the only place there is.
    let server = Server::with(&["limits.connections=1"]);
    let mut only = Client::connected(server.mqtt, Version::V5, "only");
    only.subscribe("#", QoS::AtMostOnce);
    for count in 0..20 {
        assert!(matches!(put(&server, "a", &count.to_string()).status, 201 | 204));
        assert_eq!(only.message().payload, count.to_string());
    }
    server.logged(&["DEBUG", "connected", "luxwire-http-", "transport=\"http\""]);
    server.logged(&["DEBUG", "disconnected", "luxwire-http-"]);
    assert!(!server.log().lines().any(|line| line.contains("INFO") && line.contains("luxwire-http-")));
    assert!(matches!(
        {
            only.send(&Packet::Pingreq);
            only.receive()
        },
        Packet::Pingresp
    ));
}
