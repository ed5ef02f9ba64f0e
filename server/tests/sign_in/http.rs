//! The HTTP interface: who asks, and what is answered to whom.

use crate::{
    Folder, setting, signed_in, strict,
    support::{Answer, DEADLINE, Server, eventually, request},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
};

const ACL: &str = "
topic read lights/public/#

user anna
topic readwrite lights/#
topic deny lights/safe/#

user bert
topic read lights/+/intensity
topic read #
topic read $SYS/#
";

const ANNA: &str = "anna:secret";
const BERT: &str = "bert:pässword";

fn basic(credentials: &str) -> String {
    format!("Authorization: Basic {}\r\n", BASE64.encode(credentials))
}

fn ask(server: &Server, user: Option<&str>, method: &str, path: &str, body: &str) -> Answer {
    let sign_in = user.map(basic).unwrap_or_default();
    with_headers(server, &sign_in, method, path, body)
}

fn with_headers(server: &Server, headers: &str, method: &str, path: &str, body: &str) -> Answer {
    let length = body.len();
    let host = server.http;
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}");
    request(server.http, format!("{head}Content-Length: {length}\r\n\r\n{body}"))
}

#[track_caller]
fn check(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&answer.body));
    if status >= 400 {
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.json()["status"], status);
    }
    let asks = answer.header("www-authenticate");
    assert_eq!(asks, (status == 401).then_some("Basic realm=\"Luxwire\", charset=\"UTF-8\""));
}

fn world(folder: &Folder, settings: &[&str]) -> Server {
    let acl = setting("auth.acl", &folder.write("acl", ACL));
    strict(folder, &[&[acl.as_str()], settings].concat())
}

const INTERFACE: [(&str, &str); 9] = [
    ("GET", "/api/v1/topics"),
    ("GET", "/api/v1/topics/lights/public/x"),
    ("PUT", "/api/v1/topics/lights/public/x"),
    ("DELETE", "/api/v1/topics/lights/public/x"),
    ("GET", "/api/v1/events"),
    ("GET", "/api/v1/history?topic=lights/public/x"),
    ("GET", "/api/v1/picture"),
    ("POST", "/api/v1/hue"),
    ("GET", "/api/v1/openapi.json"),
];

#[test]
fn who_must_sign_in_and_does_not_is_told_how() {
    let folder = Folder::new();
    let server = world(&folder, &[]);
    for (method, path) in INTERFACE {
        check(&ask(&server, None, method, path, "1"), 401);
        for wrong in ["anna:guess", "anna:", "carl:secret", ":", "luxwire:luxwire"] {
            check(&ask(&server, Some(wrong), method, path, "1"), 401);
        }
    }
    let twice = basic(ANNA) + &basic(ANNA);
    for wrong in [
        "Authorization: Bearer YW5uYTpzZWNyZXQ=\r\n",
        "Authorization: Basic\r\n",
        "Authorization: Basic ???\r\n",
        "Authorization: anna:secret\r\n",
        &twice,
    ] {
        check(&with_headers(&server, wrong, "GET", "/api/v1/topics", ""), 401);
    }
    check(&ask(&server, Some(ANNA), "GET", "/api/v1/openapi.json", ""), 200);
    // Health and the page tell nothing of the house.
    for open in ["/healthz", "/readyz"] {
        check(&ask(&server, None, "GET", open, ""), 200);
    }
    // 404 where the page is not part of the build.
    let page = ask(&server, None, "GET", "/", "");
    assert!(matches!(page.status, 200 | 404), "{}", page.status);
    assert!(!server.log().contains("secret"));
}

#[test]
fn a_browser_that_asks_first_need_not_sign_in_for_that() {
    let folder = Folder::new();
    let server = world(&folder, &["http.allowed_origins=[\"https://lights.example\"]"]);
    let headers = "Origin: https://lights.example\r\nAccess-Control-Request-Method: PUT\r\n\
        Access-Control-Request-Headers: authorization\r\n";
    let answer = with_headers(&server, headers, "OPTIONS", "/api/v1/topics/x", "");
    check(&answer, 204);
    assert!(answer.header("access-control-allow-headers").unwrap().contains("Authorization"));
    // So that a page of that origin can read why it is refused.
    let answer = with_headers(&server, "Origin: https://lights.example\r\n", "GET", "/api/v1/topics", "");
    check(&answer, 401);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://lights.example"));
}

#[test]
fn values_are_set_and_read_by_whoever_may() {
    let folder = Folder::new();
    let server = world(&folder, &["auth.anonymous=true"]);
    for (user, method, path, status) in [
        (Some(ANNA), "PUT", "lights/public/intensity", 201),
        (Some(ANNA), "PUT", "lights/Desk/intensity", 201),
        (Some(ANNA), "PUT", "lights/safe/intensity", 403),
        (Some(ANNA), "PUT", "garden", 403),
        (Some(ANNA), "PUT", "garden?qos=0", 403),
        (Some(ANNA), "PUT", "garden?qos=2&retain=false", 403),
        (Some(BERT), "PUT", "lights/Desk/intensity", 403),
        (None, "PUT", "lights/public/intensity", 403),
        (Some(ANNA), "GET", "lights/Desk/intensity", 200),
        (Some(BERT), "GET", "lights/Desk/intensity", 200),
        (None, "GET", "lights/Desk/intensity", 403),
        (None, "GET", "lights/public/intensity", 200),
        // Whether there is a value is nobody's business who may not read it.
        (None, "GET", "lights/nothing", 403),
        (None, "DELETE", "lights/public/intensity", 403),
        (None, "DELETE", "lights/public/nothing", 403),
        (Some(BERT), "DELETE", "lights/public/intensity", 403),
        (Some(ANNA), "DELETE", "lights/public/nothing", 404),
        (Some(ANNA), "GET", "lights/safe/intensity", 403),
        (Some(BERT), "GET", "lights/safe/intensity", 404),
    ] {
        let answer = ask(&server, user, method, &format!("/api/v1/topics/{path}"), "1");
        assert_eq!(answer.status, status, "{user:?} {method} {path}");
        check(&answer, status);
    }
    let topics = |user: Option<&str>, filter: &str| -> Vec<String> {
        let answer = ask(&server, user, "GET", &format!("/api/v1/topics?filter={filter}"), "");
        check(&answer, 200);
        let list = answer.json();
        list.as_array().unwrap().iter().map(|value| value["topic"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(topics(None, "%23"), ["lights/public/intensity"]);
    assert_eq!(topics(Some(ANNA), "%23"), ["lights/Desk/intensity", "lights/public/intensity"]);
    assert!(!topics(Some(BERT), "$SYS/%23").is_empty());
    check(&ask(&server, Some(ANNA), "GET", "/api/v1/topics?filter=$SYS/%23", ""), 403);
    check(&ask(&server, None, "GET", "/api/v1/topics?filter=lights/Desk/%2B", ""), 403);
    check(&ask(&server, Some(ANNA), "DELETE", "/api/v1/topics/lights/Desk/intensity", ""), 204);
}

/// Reads lines of a stream.
fn stream(server: &Server, user: Option<&str>, path: &str) -> impl Iterator<Item = String> + use<> {
    let mut socket = TcpStream::connect(server.http).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let sign_in = user.map(basic).unwrap_or_default();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {}\r\n{sign_in}\r\n", server.http).unwrap();
    BufReader::new(socket).lines().map(Result::unwrap)
}

#[test]
fn a_stream_shows_what_its_reader_may_read() {
    let folder = Folder::new();
    let server = world(&folder, &["auth.anonymous=true"]);
    let set = |topic: &str| {
        let answer = ask(&server, Some(ANNA), "PUT", &format!("/api/v1/topics/{topic}"), "1");
        assert!(answer.status < 300);
    };
    set("lights/Desk/intensity");
    set("lights/public/kept");
    check(&ask(&server, None, "GET", "/api/v1/events?filter=lights/Desk/%23", ""), 403);
    let mut lines = stream(&server, None, "/api/v1/events");
    assert!(lines.any(|line| line.contains("event: live")));
    set("lights/Desk/intensity");
    set("lights/public/x");
    let seen = lines.find(|line| line.starts_with("data: ") && line.contains("topic")).unwrap();
    assert!(seen.contains("lights/public/x"), "{seen}");
}

#[test]
fn the_picture_is_for_those_who_may_read_everything() {
    let folder = Folder::new();
    let server = world(&folder, &["auth.anonymous=true"]);
    check(&ask(&server, None, "GET", "/api/v1/picture", ""), 403);
    check(&ask(&server, Some(ANNA), "GET", "/api/v1/picture", ""), 403);
    assert!(stream(&server, Some(BERT), "/api/v1/picture").any(|line| line == "event: picture"));
}

#[test]
fn the_past_is_for_those_who_may_read_the_present() {
    let folder = Folder::new();
    // The server's own recorder and the question to it need no permission.
    let server = world(&folder, &["record.enabled=true"]);
    let path = "/api/v1/history?topic=lights/Desk/intensity";
    eventually("the recorder is there", || {
        let answer = ask(&server, Some(ANNA), "PUT", "/api/v1/topics/lights/Desk/intensity", "40");
        assert!(answer.status < 300);
        let answer = ask(&server, Some(BERT), "GET", path, "");
        (answer.status == 200 && answer.text().contains("\"40\"")).then_some(())
    });
    check(&ask(&server, Some(ANNA), "GET", path, ""), 200);
    check(&ask(&server, Some(ANNA), "GET", "/api/v1/history?topic=lights/safe/intensity", ""), 403);
    check(&ask(&server, None, "GET", path, ""), 401);
    // Whoever asks the recorder itself needs a permission for that.
    let mut anna = signed_in(&server, "anna", "anna", "secret");
    anna.send(&crate::support::publish(
        "luxwire/record/luxwire-serve-record/request",
        "{}",
        luxwire_shared::mqtt::Delivery::AtLeastOnce { id: luxwire_shared::mqtt::PacketId::MIN, dup: false },
        false,
    ));
    let luxwire_shared::mqtt::Packet::Puback(puback) = anna.receive() else { panic!("expected PUBACK") };
    assert_eq!(puback.reason, luxwire_shared::mqtt::ReasonCode::NotAuthorized);
}

#[test]
fn a_refusal_without_its_reason_is_403_all_the_same() {
    let folder = Folder::new();
    let server = world(&folder, &["auth.refusal=unspecified"]);
    check(&ask(&server, Some(BERT), "PUT", "/api/v1/topics/x", "1"), 403);
    check(&ask(&server, Some(ANNA), "GET", "/api/v1/events?filter=garden", ""), 403);
    check(&ask(&server, Some(BERT), "POST", "/api/v1/hue", ""), 403);
}

#[test]
fn without_passwords_a_browser_that_signs_in_is_anybody() {
    let server = Server::start();
    check(&ask(&server, Some("anna:secret"), "PUT", "/api/v1/topics/x", "1"), 201);
    check(&ask(&server, None, "GET", "/api/v1/topics/x", ""), 200);
}
