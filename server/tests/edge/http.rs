//! What is answered over HTTP.

use crate::support::{Client, Server, get, request};
use luxwire_shared::mqtt::{QoS, Version};
use serde_json::json;

fn ask(server: &Server, method: &str, path: &str) -> crate::support::Answer {
    let host = server.http;
    request(server.http, format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
}

/// A server where these topics have these values.
fn server_with(values: &[(&str, &[u8])]) -> Server {
    let server = Server::start();
    let mut client = Client::connected(server.mqtt, Version::V5, "setter");
    for (topic, payload) in values {
        client.publish(topic, payload.to_vec(), QoS::AtLeastOnce, true);
    }
    server
}

#[test]
fn the_topics_are_listed_with_their_values_and_times() {
    let server = server_with(&[
        ("lights/desk/intensity", b"40"),
        ("lights/sofa/intensity", b"0"),
        ("camera", &[0xFF, 0x00]),
        ("\u{fc}n\u{ef}", b"\"quoted\"\n"),
    ]);
    let answer = get(server.http, "/api/v1/topics");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let mut list = answer.json();
    for entry in list.as_array_mut().unwrap() {
        let set_at = entry.as_object_mut().unwrap().remove("set_at").unwrap();
        let set_at = set_at.as_str().unwrap();
        assert!(set_at.len() == 24 && set_at.starts_with("20") && set_at.ends_with('Z'), "{set_at}");
    }
    let expected = json!([
        { "topic": "camera", "payload_base64": "/wA=", "qos": 1 },
        { "topic": "lights/desk/intensity", "payload": "40", "qos": 1 },
        { "topic": "lights/sofa/intensity", "payload": "0", "qos": 1 },
        { "topic": "\u{fc}n\u{ef}", "payload": "\"quoted\"\n", "qos": 1 },
    ]);
    assert_eq!(list, expected);
}

#[test]
fn a_filter_selects_topics() {
    let server = server_with(&[
        ("lights/desk/intensity", b"40"),
        ("lights/desk/availability", b"online"),
        ("other", b"x"),
    ]);
    let topics = |query: &str| -> Vec<String> {
        let list = get(server.http, &format!("/api/v1/topics{query}")).json();
        list.as_array().unwrap().iter().map(|entry| entry["topic"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(topics("?filter=lights/+/intensity"), ["lights/desk/intensity"]);
    assert_eq!(topics("?filter=lights/%23"), ["lights/desk/availability", "lights/desk/intensity"]);
    assert_eq!(topics("?filter=lights%2F%2B%2Fintensity"), ["lights/desk/intensity"]);
    assert_eq!(topics("?filter=nothing"), [""; 0]);
    assert_eq!(topics("").len(), 3);
}

#[test]
fn a_clear_removes_the_topic_and_a_new_value_moves_its_time() {
    let server = server_with(&[("a", b"1")]);
    let first = get(server.http, "/api/v1/topics").json()[0]["set_at"].as_str().unwrap().to_owned();
    let mut client = Client::connected(server.mqtt, Version::V3_1_1, "setter");
    crate::support::eventually("a later time", || {
        client.publish("a", "2", QoS::AtLeastOnce, true);
        let entry = get(server.http, "/api/v1/topics").json()[0].clone();
        assert_eq!(entry["payload"], "2");
        (entry["set_at"].as_str().unwrap() > first.as_str()).then_some(())
    });
    client.publish("a", "", QoS::AtLeastOnce, true);
    assert_eq!(get(server.http, "/api/v1/topics").json(), json!([]));
}

#[test]
fn one_topic_gives_its_payload_as_it_is() {
    let server = server_with(&[
        ("lights/desk/intensity", b"40"),
        ("camera", &[0xFF, 0x00]),
        ("/", b"slash"),
        ("a b%", b"odd"),
    ]);
    let check = |path: &str, payload: &[u8], content_type: &str| {
        let answer = get(server.http, &format!("/api/v1/topics/{path}"));
        assert_eq!((answer.status, answer.body.as_slice()), (200, payload), "{path}");
        assert_eq!(answer.header("content-type"), Some(content_type));
        let modified = answer.header("last-modified").unwrap();
        assert!(modified.len() == 29 && modified.ends_with(" GMT"), "{modified}");
    };
    check("lights/desk/intensity", b"40", "text/plain; charset=utf-8");
    check("lights%2Fdesk%2Fintensity", b"40", "text/plain; charset=utf-8");
    check("camera", &[0xFF, 0x00], "application/octet-stream");
    check("/", b"slash", "text/plain; charset=utf-8");
    check("a%20b%25", b"odd", "text/plain; charset=utf-8");
}

#[test]
fn errors_are_problems() {
    let server = Server::start();
    let check = |method: &str, path: &str, status: u16, word: &str| {
        let answer = ask(&server, method, path);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["type"] == "about:blank");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
    };
    check("GET", "/api/v1/topics/none", 404, "none");
    check("GET", "/api/v1/topics?filter=a%23", 400, "# must fill the last level");
    check("GET", "/api/v1/topics?filter=a&filter=b", 400, "twice");
    check("GET", "/api/v1/topics/a?filter=b", 400, "takes no parameters");
    check("GET", "/api/v1/topics?filter=", 400, "at least one character");
    check("GET", "/api/v1/topics?fliter=a", 400, "fliter");
    check("GET", "/api/v1/topics/a+b", 400, "must not contain");
    check("GET", "/api/v1/topics/%ff", 400, "UTF-8");
    check("GET", "/api/v1/topics/a%0", 400, "two hexadecimal digits");
    check("GET", "/api/v1/topics/a%00b", 400, "U+0000");
    check("POST", "/api/v1/topics", 405, "POST");
    check("PATCH", "/api/v1/topics/a", 405, "PATCH");
    check("DELETE", "/", 405, "DELETE");
    check("POST", "/healthz", 405, "POST");
    check("POST", "/no/such/path", 404, "/no/such/path");
    check("GET", "/no/such/path", 404, "/no/such/path");
    check("GET", "/api/v2/topics", 404, "/api/v2/topics");
}

#[test]
fn head_is_get_without_the_body() {
    let server = server_with(&[("a", b"value")]);
    for path in ["/api/v1/topics", "/api/v1/topics/a", "/healthz"] {
        let (head, whole) = (ask(&server, "HEAD", path), get(server.http, path));
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(head.header("content-length"), whole.header("content-length"), "{path}");
        assert_eq!(head.header("content-type"), whole.header("content-type"), "{path}");
    }
}

#[test]
fn health_is_told_to_whoever_asks_by_whatever_name() {
    let server = Server::start();
    for path in ["/healthz", "/readyz"] {
        let answer = request(
            server.http,
            format!("GET {path} HTTP/1.1\r\nHost: pod.cluster\r\nConnection: close\r\n\r\n"),
        );
        assert_eq!(answer.status, 200, "{path}");
    }
}

#[test]
fn names_that_are_not_ours_are_refused_until_they_are_listed() {
    let ask = |server: &Server, host: &str| {
        request(
            server.http,
            format!("GET /api/v1/topics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
        )
        .status
    };
    let server = Server::start();
    assert_eq!(ask(&server, "localhost"), 200);
    assert_eq!(ask(&server, "127.0.0.1:8080"), 200);
    assert_eq!(ask(&server, "lights.example"), 421);
    let server = Server::with(&[r#"http.allowed_hosts=["lights.example"]"#]);
    assert_eq!(ask(&server, "lights.example:8080"), 200);
    assert_eq!(ask(&server, "evil.example"), 421);
}

#[test]
fn every_answer_tells_browsers_to_be_careful() {
    let server = Server::start();
    for path in ["/", "/api/v1/topics", "/api/v1/topics/nothing", "/no/such/path"] {
        let answer = get(server.http, path);
        let policy = answer.header("content-security-policy").unwrap();
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
        if path.starts_with("/api/") {
            // Nothing there is a page.
            assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'; sandbox", "{path}");
            continue;
        }
        for part in [
            "default-src 'self'",
            "'wasm-unsafe-eval'",
            "style-src 'self'",
            "frame-ancestors 'self'",
            "connect-src 'self' ws: wss:",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("'unsafe-inline'") && !policy.contains("'unsafe-eval'"), "{policy}");
    }
}
