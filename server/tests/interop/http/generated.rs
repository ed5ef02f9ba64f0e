//! The OpenAPI document in the hands of others: openapi-spec-validator finds it valid, a client that openapi-python-client
//! makes of it works, and schemathesis finds nothing that the server does otherwise than it says.

use crate::{
    installed,
    support::{Server, get},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/http").join(name)
}

/// A directory of its own for a test.
fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    fs::create_dir_all(&path).unwrap();
    path
}

fn python() -> Command {
    Command::new(installed("LUXWIRE_PYTHON", "a Python with the packages of xtask/requirements.txt"))
}

#[track_caller]
fn check(command: &mut Command, last_line: &str) {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    assert!(out.trim_end().ends_with(last_line), "{out}\n{err}");
}

#[test]
fn a_generated_client_does_what_it_should() {
    let server = Server::start();
    let scratch = scratch("generated-client");
    let url = format!("http://{}", server.http);
    check(python().arg(beside("client.py")).arg(url).current_dir(&scratch), "all well");
    let _ = fs::remove_dir_all(scratch);
}

#[test]
fn schemathesis_finds_nothing() {
    let server = Server::start();
    let scratch = scratch("schemathesis");
    let document = scratch.join("openapi.json");
    fs::write(&document, without_conditions(get(server.http, "/api/v1/openapi.json").json()).to_string())
        .unwrap();
    let mut schemathesis = python();
    schemathesis
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(beside("schemathesis.toml"))
        .arg("run")
        .arg(&document)
        .args(["--url", &format!("http://{}", server.http)])
        .args(["--max-examples", "25", "--request-timeout", "10", "--no-color"])
        // It does not end.
        .args(["--exclude-path", "/api/v1/events"])
        .args(["--exclude-path", "/api/v1/picture"])
        .current_dir(&scratch);
    check(&mut schemathesis, "==");
    assert!(!server.log().contains("panicked"));
    let _ = fs::remove_dir_all(scratch);
}

/// The document without the headers that make a request conditional: made-up ones are hardly ever met, so that every
/// request would end with 412 and none would come any further.
fn without_conditions(mut document: Value) -> Value {
    let paths = document["paths"].as_object_mut().unwrap();
    for operation in paths.values_mut().flat_map(|item| item.as_object_mut().unwrap().values_mut()) {
        if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
            parameters.retain(|parameter| !parameter["name"].as_str().unwrap().starts_with("If-"));
        }
    }
    document
}
