//! The OpenAPI document says what the server does, no more and no less.

use crate::{ask, check_problem, support::Server};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn document(server: &Server) -> Value {
    let answer = ask(server, "GET", "/api/v1/openapi.json", &[], b"");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let known = [("If-None-Match", answer.header("etag").unwrap())];
    assert_eq!(ask(server, "GET", "/api/v1/openapi.json", &known, b"").status, 304);
    answer.json()
}

/// The described methods of each path.
fn described(document: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .map(|(path, item)| {
            (path.clone(), item.as_object().unwrap().keys().map(|name| name.to_uppercase()).collect())
        })
        .collect()
}

#[test]
fn every_method_of_every_path_is_described_and_every_other_is_refused() {
    let server = Server::start();
    let described = described(&document(&server));
    let paths: Vec<_> = described.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "/api/v1/events",
            "/api/v1/history",
            "/api/v1/hue",
            "/api/v1/openapi.json",
            "/api/v1/picture",
            "/api/v1/topics",
            "/api/v1/topics/{topic}"
        ]
    );
    for (path, methods) in &described {
        let path = path.replace("{topic}", "a/b");
        let refused = ask(&server, "PATCH", &path, &[], b"");
        check_problem(&refused, 405, "PATCH");
        let mut allowed: BTreeSet<_> =
            refused.header("allow").unwrap().split(',').map(|method| method.trim().to_owned()).collect();
        // Whoever may GET may ask for the head alone.
        assert_eq!(allowed.remove("HEAD"), methods.contains("GET"), "{path}");
        assert_eq!(&allowed, methods, "{path}");
        for method in ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
            if !methods.contains(method) {
                check_problem(&ask(&server, method, &path, &[], b""), 405, method);
            }
        }
    }
    for path in ["/api", "/api/v1", "/api/v1/topics/", "/api/v1/nothing", "/api/v2/topics"] {
        check_problem(&ask(&server, "GET", path, &[], b""), 404, path);
    }
}

#[test]
fn everything_is_explained() {
    let server = Server::start();
    let document = document(&server);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(operation["summary"].is_string() && operation["operationId"].is_string(), "{place}");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["description"].is_string(), "{place}: {parameter}");
            }
            for (status, response) in operation["responses"].as_object().unwrap() {
                let response = match response["$ref"].as_str() {
                    Some(name) => document.pointer(name.trim_start_matches('#')).expect("it exists"),
                    None => response,
                };
                assert!(
                    response["description"].as_str().is_some_and(|text| !text.is_empty()),
                    "{place} {status}"
                );
                let is_problem = response["content"]["application/problem+json"].is_object();
                assert_eq!(is_problem, status.starts_with(['4', '5']), "{place} {status}");
            }
        }
    }
    let events = &document["paths"]["/api/v1/events"]["get"]["responses"]["200"]["content"];
    assert!(events["text/event-stream"]["schema"].is_object());
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
            assert!(schema["description"].is_string(), "{name}.{property}");
        }
    }
}
