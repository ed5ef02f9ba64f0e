//! The pretend hub over real sockets: TLS, event streams, faults, bounds, and what survives a restart.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod client;

use client::{Answer, Events, eventually, exchange, get, open, put};
use luxwire_devices::hue_sim::{Entry, Fate, Faults, HueSim, Options, Streams};
use serde_json::{Value, json};
use std::path::PathBuf;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

async fn hub() -> HueSim {
    HueSim::start(Options { pressed: true, ..Options::default() }).await.unwrap()
}

async fn key(hub: &HueSim) -> String {
    let answer = client::post(hub, true, "/api", json!({"devicetype": "test#edge"})).await;
    answer.json()[0]["success"]["username"].as_str().expect("the button is pressed").to_owned()
}

/// A directory that ends with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("luxwire-hue-sim-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        Self(directory)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn both_ports_speak_both_interfaces() {
    let hub = hub().await;
    let key = key(&hub).await;
    for tls in [false, true] {
        let lights = get(&hub, tls, &format!("/api/{key}/lights"), None).await;
        assert_eq!((lights.status, lights.json().as_object().unwrap().len()), (200, 8));
        assert_eq!(lights.header("access-control-allow-origin"), Some("*"));
        let lights = get(&hub, tls, "/clip/v2/resource/light", Some(&key)).await;
        assert_eq!((lights.status, lights.json()["data"].as_array().unwrap().len()), (200, 8));
        assert_eq!(get(&hub, tls, "/clip/v2/resource/light", None).await.status, 403);
    }
}

#[tokio::test]
async fn the_button_is_pressed_from_the_page_and_by_programs() {
    let hub = HueSim::start(Options::default()).await.unwrap();
    let pair = || client::post(&hub, false, "/api", json!({"devicetype": "test#edge"}));
    assert_eq!(pair().await.json()[0]["error"]["type"], 101);
    assert_eq!(client::post(&hub, false, "/sim/button", json!({})).await.status, 200);
    assert!(pair().await.json()[0]["success"]["username"].is_string());
    let other = HueSim::start(Options::default()).await.unwrap();
    assert_eq!(get(&other, false, "/linkbutton", None).await.status, 200);
    let paired = client::post(&other, false, "/api", json!({"devicetype": "test#edge"})).await;
    assert!(paired.json()[0]["success"]["username"].is_string());
}

#[tokio::test]
async fn pages_from_elsewhere_cannot_press_the_button() {
    let hub = HueSim::start(Options::default()).await.unwrap();
    for header in ["Origin: http://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"] {
        let request = format!(
            "POST /sim/button HTTP/1.1\r\nHost: {}\r\n{header}\r\nContent-Length: 0\r\n\r\n",
            hub.http()
        );
        assert_eq!(exchange(&hub, false, request.as_bytes()).await.status, 403, "{header}");
    }
    let own = format!(
        "POST /sim/button HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nContent-Length: 0\r\n\r\n",
        hub.http()
    );
    assert_eq!(exchange(&hub, false, own.as_bytes()).await.status, 200);
}

#[tokio::test]
async fn the_certificate_has_the_shape_of_a_hubs() {
    use x509_parser::prelude::{FromDer as _, X509Certificate, parse_x509_pem};
    let hub = hub().await;
    let seen = client::certificate(&hub).await;
    let (_, certificate) = X509Certificate::from_der(&seen).unwrap();
    let name = certificate.subject().iter_common_name().next().unwrap().as_str().unwrap();
    assert_eq!(name, hub.bridge_id().as_str());
    assert!(certificate.subject_alternative_name().unwrap().is_none());
    assert_eq!(certificate.public_key().parsed().unwrap().key_size(), 256);
    let (_, root) = parse_x509_pem(hub.root_pem().as_bytes()).unwrap();
    let (_, root) = X509Certificate::from_der(&root.contents).unwrap();
    assert_eq!(certificate.issuer(), root.subject());
    let config: Value = get(&hub, true, "/api/config", None).await.json();
    assert_eq!(config["bridgeid"].as_str().unwrap().to_ascii_lowercase(), name);
}

#[tokio::test]
async fn pairing_and_certificate_survive_a_restart_where_they_are_kept() {
    let directory = Directory::new("restart");
    let options = Options { pressed: true, state_dir: Some(directory.0.clone()), ..Options::default() };
    let first = HueSim::start(options.clone()).await.unwrap();
    let key = key(&first).await;
    let certificate = client::certificate(&first).await;
    drop(first);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(directory.0.join("hue-sim.json")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    let second = HueSim::start(options).await.unwrap();
    assert_eq!(client::certificate(&second).await, certificate);
    assert_eq!(get(&second, true, "/clip/v2/resource/bridge", Some(&key)).await.status, 200);
    let stranger = hub().await;
    assert_ne!(stranger.bridge_id(), second.bridge_id());
    assert_eq!(get(&stranger, true, "/clip/v2/resource/bridge", Some(&key)).await.status, 403);
}

#[tokio::test]
async fn a_state_that_is_none_is_said_and_left_alone() {
    let directory = Directory::new("broken");
    std::fs::create_dir_all(&directory.0).unwrap();
    std::fs::write(directory.0.join("hue-sim.json"), "{}").unwrap();
    let options = Options { state_dir: Some(directory.0.clone()), ..Options::default() };
    let error = HueSim::start(options).await.err().expect("it cannot start");
    assert!(format!("{error:#}").contains("remove it to begin anew"), "{error:#}");
    assert_eq!(std::fs::read_to_string(directory.0.join("hue-sim.json")).unwrap(), "{}");
}

#[tokio::test]
async fn events_greet_and_tell_what_changes_and_what_was_missed() {
    let hub = hub().await;
    let key = key(&hub).await;
    let mut events = Events::open(&hub, &key, None).await;
    assert_eq!(events.line().await, ": hi");
    put(&hub, &format!("/api/{key}/lights/1/state"), json!({"on": true, "bri": 1})).await;
    let (id, told) = events.container().await;
    let light = |told: &Value| {
        let resources = told[0]["data"].as_array().unwrap();
        resources.iter().find(|one| one["type"] == "light").unwrap()["dimming"]["brightness"].clone()
    };
    assert_eq!((light(&told), &told[0]["type"]), (json!(0.39), &json!("update")));
    put(&hub, &format!("/api/{key}/lights/1/state"), json!({"bri": 254})).await;
    let (next, told) = events.container().await;
    assert_eq!(light(&told), json!(100.0));
    drop(events);
    let mut again = Events::open(&hub, &key, Some(&id)).await;
    assert_eq!(again.container().await.0, next, "what came after the one that was seen");
    let request = format!("GET /eventstream/clip/v2 HTTP/1.1\r\nHost: {}\r\n\r\n", hub.https());
    assert_eq!(exchange(&hub, true, request.as_bytes()).await.status, 403);
}

#[tokio::test]
async fn event_streams_are_cut_refused_and_open_again() {
    let hub = hub().await;
    let key = key(&hub).await;
    let mut events = Events::open(&hub, &key, None).await;
    hub.set_faults(Faults { events: Streams::Cut, ..Faults::default() }).unwrap();
    events.ended().await;
    let mut events = Events::open(&hub, &key, None).await;
    assert_eq!(hub.faults(), Faults::default());
    hub.set_faults(Faults { events: Streams::Refused, ..Faults::default() }).unwrap();
    events.ended().await;
    let request = format!(
        "GET /eventstream/clip/v2 HTTP/1.1\r\nHost: {}\r\nhue-application-key: {key}\r\n\r\n",
        hub.https()
    );
    assert_eq!(exchange(&hub, true, request.as_bytes()).await.status, 503);
    hub.set_faults(Faults::default()).unwrap();
    assert_eq!(Events::open(&hub, &key, None).await.line().await, ": hi");
}

#[tokio::test]
async fn a_listener_that_does_not_read_is_let_go() {
    let hub = hub().await;
    let key = key(&hub).await;
    let events = Events::open(&hub, &key, None).await;
    hub.set_faults(Faults { flood_per_s: 2_000, ..Faults::default() }).unwrap();
    assert_eq!(hub.listeners(), 1);
    // Nothing is read meanwhile.
    eventually("the hub lets go", async || hub.listeners() == 0).await;
    drop(events);
    assert_eq!(get(&hub, true, "/clip/v2/resource/bridge", Some(&key)).await.status, 200);
}

#[tokio::test]
async fn a_hub_that_refuses_cuts_everything_and_comes_back_on_the_same_ports() {
    let hub = hub().await;
    let key = key(&hub).await;
    let mut events = Events::open(&hub, &key, None).await;
    let answer = client::post(&hub, false, "/sim/faults", json!({"refuse_ms": 400})).await;
    assert_eq!(answer.status, 200);
    events.ended().await;
    eventually("nobody listens", async || tokio::net::TcpStream::connect(hub.http()).await.is_err()).await;
    eventually("it listens again", async || tokio::net::TcpStream::connect(hub.https()).await.is_ok()).await;
    eventually("it answers again", async || tokio::net::TcpStream::connect(hub.http()).await.is_ok()).await;
    assert_eq!(get(&hub, true, "/clip/v2/resource/bridge", Some(&key)).await.status, 200);
}

#[tokio::test]
async fn a_request_that_hangs_ends_without_an_answer_when_the_fault_is_healed() {
    let hub = hub().await;
    hub.set_faults(Faults { hang: true, ..Faults::default() }).unwrap();
    let mut stream = open(&hub, false).await;
    stream.write_all(b"GET /api/config HTTP/1.1\r\nHost: hub\r\n\r\n").await.unwrap();
    eventually("it was read", async || hub.log(0).iter().any(|entry| entry.fate == Fate::Hung)).await;
    let healed = client::request(&hub, false, "DELETE", "/sim/faults", None, None).await;
    assert_eq!(healed.status, 200, "the hub's own page works all the while");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&rest), "");
    assert_eq!(get(&hub, false, "/api/config", None).await.status, 200);
}

#[tokio::test]
async fn late_answers_are_late_and_say_the_same() {
    let hub = hub().await;
    hub.set_faults(Faults { latency_ms: 300, ..Faults::default() }).unwrap();
    let asked = std::time::Instant::now();
    assert_eq!(get(&hub, false, "/api/config", None).await.status, 200);
    assert!(asked.elapsed().as_millis() >= 300);
}

#[tokio::test]
async fn garbage_is_html() {
    let hub = hub().await;
    hub.set_faults(Faults { garbage: true, ..Faults::default() }).unwrap();
    let answer = get(&hub, false, "/api/config", None).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html")));
}

#[tokio::test]
async fn large_bodies_and_broken_requests_are_refused() {
    let hub = hub().await;
    let large = format!(
        "PUT /api/x/lights/1/state HTTP/1.1\r\nHost: hub\r\nContent-Length: 20000\r\n\r\n{}",
        "x".repeat(20_000)
    );
    assert_eq!(exchange(&hub, false, large.as_bytes()).await.status, 413);
    let mut stream = open(&hub, false).await;
    stream.write_all(b"\x16\x03\x01 this is no HTTP\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
    assert_eq!(get(&hub, false, "/api/config", None).await.status, 200);
}

#[tokio::test]
async fn faults_that_make_no_sense_are_explained() {
    let hub = hub().await;
    let check = async |body: Value, part: &str| {
        let answer = client::post(&hub, false, "/sim/faults", body).await;
        let text = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(answer.status == 400 && text.contains(part), "{text}");
    };
    check(json!({"latency": 1}), "latency").await;
    check(json!([]), "JSON object").await;
    check(json!({"flood_per_s": 1_000_000}), "flood_per_s").await;
    assert_eq!(hub.faults(), Faults::default());
}

#[tokio::test]
async fn a_click_on_the_page_is_somebody_in_the_house() {
    let hub = hub().await;
    let key = key(&hub).await;
    let mut events = Events::open(&hub, &key, None).await;
    let state = get(&hub, false, "/sim/state", None).await.json();
    let on = state["lights"][0]["on"].as_bool().unwrap();
    let answer = client::post(&hub, false, "/sim/lights/1", json!({"on": {"on": !on}})).await;
    assert_eq!((answer.status, &answer.json()["on"]), (200, &json!(!on)));
    let told = events.container().await.1;
    let light =
        told[0]["data"].as_array().unwrap().iter().find(|one| one["type"] == "light").unwrap().clone();
    assert_eq!((&light["id_v1"], &light["on"]["on"]), (&json!("/lights/1"), &json!(!on)));
    assert_eq!(client::post(&hub, false, "/sim/lights/99", json!({"on": {"on": true}})).await.status, 404);
    assert_eq!(client::post(&hub, false, "/sim/lights/1", json!({"bri": 1})).await.status, 400);
}

#[tokio::test]
async fn the_log_tells_what_was_asked_and_no_keys() {
    let hub = hub().await;
    let key = key(&hub).await;
    put(&hub, &format!("/api/{key}/lights/1/state"), json!({"on": true})).await;
    let text = get(&hub, false, "/sim/log?after=1", None).await;
    assert!(!text.body.contains(&key));
    let entries = text.json();
    assert_eq!(entries[0]["path"], "/api/…/lights/1/state");
    assert_eq!((&entries[0]["body"], &entries[0]["fate"]), (&json!({"on": true}), &json!("applied")));
    let Entry { n, status, tls, .. } = hub.log(1)[0];
    assert_eq!((n, status, tls), (2, 200, false));
}

#[tokio::test]
async fn the_page_is_whole_and_loads_nothing_from_elsewhere() {
    let hub = hub().await;
    let page = get(&hub, false, "/", None).await;
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    for path in ["/page.css", "/page.js"] {
        assert!(page.body.contains(&format!("\"{path}\"")));
        assert_eq!(get(&hub, false, path, None).await.status, 200);
    }
    assert!(!page.body.contains("src=\"http") && !page.body.contains("href=\"http"));
    let mut stream = open(&hub, false).await;
    stream.write_all(b"GET /sim/events HTTP/1.1\r\nHost: hub\r\n\r\n").await.unwrap();
    let mut picture = Events::read(stream).await;
    let lights = picture.data().await["lights"].as_array().unwrap().len();
    assert_eq!(lights, 8);
}

#[tokio::test]
async fn dropping_the_hub_ends_it() {
    let hub = hub().await;
    let key = key(&hub).await;
    let mut events = Events::open(&hub, &key, None).await;
    let addresses = [hub.http(), hub.https()];
    drop(hub);
    events.ended().await;
    for address in addresses {
        eventually("nobody listens", async || tokio::net::TcpStream::connect(address).await.is_err()).await;
    }
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let hub = hub().await;
    let taken = hub.http().to_string();
    let error = HueSim::start(Options { http: taken.clone(), ..Options::default() }).await.err().unwrap();
    assert!(format!("{error:#}").contains(&taken), "{error:#}");
}

#[tokio::test]
async fn answers_are_of_this_hub_and_whole() {
    let hub = hub().await;
    let Answer { status, body, .. } = get(&hub, false, "/description.xml", None).await;
    assert_eq!((status, body.contains("Not Found")), (404, true));
}
