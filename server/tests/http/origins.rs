//! Pages of other origins, and browsers that ask first.

use crate::{
    ask, check_problem, get,
    support::{Answer, Server},
};

const FRIEND: &str = "https://lights.example";

fn from(server: &Server, origin: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let headers: Vec<_> = [("Origin", origin)].iter().chain(headers).copied().collect();
    ask(server, method, path, &headers, if method == "PUT" { b"40" } else { b"" })
}

#[test]
fn strange_pages_change_nothing_and_read_nothing() {
    let server = Server::start();
    let strange = |method: &str, path: &str| from(&server, "https://evil.example", method, path, &[]);
    for (method, path) in [
        ("PUT", "/api/v1/topics/a"),
        ("DELETE", "/api/v1/topics/a"),
        ("POST", "/api/v1/hue"),
        ("GET", "/api/v1/events"),
    ] {
        let answer = strange(method, path);
        check_problem(&answer, 403, "http.allowed_origins");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{method} {path}");
    }
    check_problem(&get(&server, "a"), 404, "a");
    let answer = strange("GET", "/api/v1/topics");
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, None),
        "browsers keep it from the page"
    );
    assert_eq!(answer.header("vary"), Some("Origin"));
    let asks_first = [("Access-Control-Request-Method", "PUT")];
    let answer = from(&server, "https://evil.example", "OPTIONS", "/api/v1/topics/a", &asks_first);
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (403, None));
}

#[test]
fn our_own_pages_need_no_permission() {
    let server = Server::start();
    let own = format!("http://{}", server.http);
    assert_eq!(from(&server, &own, "PUT", "/api/v1/topics/a", &[]).status, 201);
    assert_eq!(from(&server, &own, "DELETE", "/api/v1/topics/a", &[]).status, 204);
}

#[test]
fn listed_pages_may_do_what_programs_may() {
    let server = Server::with(&[&format!("http.allowed_origins=[{FRIEND:?}]")]);
    let asks_first =
        [("Access-Control-Request-Method", "PUT"), ("Access-Control-Request-Headers", "if-match")];
    for path in ["/api/v1/topics/a", "/api/v1/topics", "/api/v1/events", "/api/v1/history"] {
        let answer = from(&server, FRIEND, "OPTIONS", path, &asks_first);
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (204, Some(FRIEND)),
            "{path}"
        );
        for method in ["GET", "PUT", "DELETE"] {
            assert!(answer.header("access-control-allow-methods").unwrap().contains(method));
        }
        for header in ["Content-Type", "If-Match", "If-None-Match"] {
            assert!(answer.header("access-control-allow-headers").unwrap().contains(header));
        }
    }
    let answer = from(&server, FRIEND, "PUT", "/api/v1/topics/a", &[]);
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (201, Some(FRIEND)));
    assert!(answer.header("access-control-expose-headers").unwrap().contains("ETag"));
    // Errors can be read as well.
    let answer = from(&server, FRIEND, "PATCH", "/api/v1/topics/a", &[]);
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (405, Some(FRIEND)));
    let other = from(&server, "https://other.example", "OPTIONS", "/api/v1/topics/a", &asks_first);
    assert_eq!((other.status, other.header("access-control-allow-origin")), (403, None));
}
