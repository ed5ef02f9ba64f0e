//! The hub as an application meets it, in virtual time: requests in, answers and events out.

use super::{
    Fate, Faults, Kind, Pace, Streams,
    faults::Failure,
    home::{BridgeId, Home},
    hub::{Body, Hub, Reply, Request, Treatment},
    light::{Bri, Change},
};
use luxwire_shared::time::{Instant, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

/// A hub with four lights in a room, an application that is paired with it, and a clock.
struct House {
    hub: Hub,
    now: Instant,
    key: String,
}

impl House {
    fn new() -> Self {
        Self::with("Desk:colour,Spot:ambiance,Ceiling:white,Heater:plug")
    }

    fn with(lights: &str) -> Self {
        let home = Home::new(BridgeId::new([1, 2, 3]), &lights.parse().unwrap());
        let born = Timestamp::from_unix_millis(1_795_377_120_000);
        let mut hub = Hub::new(home, Pace::default(), Vec::new(), [7; 32], born);
        for index in 0..hub.home.lights.len() {
            let lit = Change { on: Some(true), bri: Some(Bri::To(100)), ..Change::default() };
            hub.by_hand(Instant::START, index, &lit);
        }
        hub.press_button(Instant::START);
        let mut house = Self { hub, now: Instant::from_millis(10_000), key: String::new() };
        let paired = house.v1("POST", "", json!({"devicetype": "test#house"}));
        house.key = paired[0]["success"]["username"].as_str().unwrap().to_owned();
        house.later(60_000);
        house.events();
        house
    }

    fn later(&mut self, ms: u64) {
        self.now = self.now + Duration::from_millis(ms);
        self.hub.advance(self.now);
    }

    fn ask(&mut self, method: &str, path: &str, key: Option<&str>, body: &[u8]) -> Reply {
        match self.hub.answer(self.now, &Request { method, path, key, body, tls: false }) {
            Treatment::Answer(reply, _) => reply,
            Treatment::Hang => panic!("{method} {path} hangs"),
        }
    }

    /// Below the application's own path.
    fn v1(&mut self, method: &str, path: &str, body: Value) -> Value {
        self.v1_raw(method, path, body.to_string().as_bytes())
    }

    fn v1_raw(&mut self, method: &str, path: &str, body: &[u8]) -> Value {
        let path = if self.key.is_empty() { "/api".into() } else { format!("/api/{}{path}", self.key) };
        let reply = self.ask(method, &path, None, body);
        assert_eq!(reply.status, 200, "v1 says everything with 200");
        value(reply)
    }

    fn v2(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let key = self.key.clone();
        let path = format!("/clip/v2/resource{path}");
        let reply = self.ask(method, &path, Some(&key), body.to_string().as_bytes());
        (reply.status, value(reply))
    }

    /// The id by which v2 knows what v1 calls `id_v1`.
    fn id(&mut self, kind: &str, id_v1: &str) -> String {
        let (_, all) = self.v2("GET", &format!("/{kind}"), Value::Null);
        let found = all["data"].as_array().unwrap().iter().find(|one| one["id_v1"] == id_v1).cloned();
        found.unwrap()["id"].as_str().unwrap().to_owned()
    }

    fn light(&mut self, id_v1: &str) -> Value {
        let id = self.id("light", id_v1);
        self.v2("GET", &format!("/light/{id}"), Value::Null).1["data"][0].take()
    }

    /// The resources that were told of since the last time, container by container.
    fn events(&mut self) -> Vec<Vec<Value>> {
        self.hub.advance(self.now);
        let parse = |frame: &str| {
            let data: Value = serde_json::from_str(frame.split_once("data: ").unwrap().1).unwrap();
            data[0]["data"].as_array().unwrap().clone()
        };
        self.hub.events.take().iter().map(|container| parse(&container.frame)).collect()
    }
}

fn value(reply: Reply) -> Value {
    match reply.body {
        Body::Json(value) => value,
        Body::Html(html) => panic!("JSON was expected: {html}"),
    }
}

fn kinds(answer: &Value) -> Vec<u64> {
    let kind = |one: &Value| one["error"]["type"].as_u64().unwrap_or(0);
    answer.as_array().unwrap().iter().map(kind).collect()
}

#[test]
fn pairing_wants_the_button_and_says_so() {
    let mut house = House::new();
    let pair = |house: &mut House, body: Value| {
        let Treatment::Answer(reply, _) = house.hub.answer(
            house.now,
            &Request {
                method: "POST",
                path: "/api",
                key: None,
                body: body.to_string().as_bytes(),
                tls: true,
            },
        ) else {
            panic!("it hangs")
        };
        value(reply)
    };
    let refused = pair(&mut house, json!({"devicetype": "app"}));
    let expected = json!([{"error": {"type": 101, "address": "", "description": "link button not pressed"}}]);
    assert_eq!(refused, expected);
    house.hub.press_button(house.now);
    let paired = pair(&mut house, json!({"devicetype": "app", "generateclientkey": true}));
    assert_eq!(paired[0]["success"]["username"].as_str().unwrap().len(), 40);
    assert_eq!(paired[0]["success"]["clientkey"].as_str().unwrap().len(), 32);
    assert_eq!(kinds(&pair(&mut house, json!({}))), [5]);
    assert_eq!(kinds(&pair(&mut house, json!({"generateclientkey": true}))), [5]);
    assert_eq!(kinds(&pair(&mut house, json!({"devicetype": 5}))), [7]);
    assert_eq!(kinds(&pair(&mut house, json!({"devicetype": "x".repeat(41)}))), [7]);
    assert_eq!(kinds(&pair(&mut house, json!({"devicetype": "app", "username": "me"}))), [6]);
}

#[test]
fn strangers_learn_only_who_the_hub_is() {
    let mut house = House::new();
    let ask = |house: &mut House, path: &str| value(house.ask("GET", path, None, b""));
    assert_eq!(
        ask(&mut house, "/api/nobody/lights"),
        json!([{"error": {"type": 1, "address": "/lights", "description": "unauthorized user"}}])
    );
    for path in ["/api/config", "/api/nobody/config"] {
        let config = ask(&mut house, path);
        assert_eq!(config["bridgeid"], "001788FFFE010203");
        assert_eq!((config["modelid"].as_str(), config.get("whitelist")), (Some("BSB002"), None));
    }
    for key in [None, Some("nobody")] {
        let reply = house.ask("GET", "/clip/v2/resource/light", key, b"");
        assert_eq!((reply.status, reply.body != Body::Html("")), (403, true));
    }
}

#[test]
fn each_error_of_v1_is_word_for_word_a_hubs() {
    let mut house = House::new();
    let mut check = |method: &str, path: &str, body: &[u8], kind: u16, address: &str, text: &str| {
        let answer = house.v1_raw(method, path, body);
        let expected = json!([{"error": {"type": kind, "address": address, "description": text}}]);
        assert_eq!(answer, expected, "{method} {path}");
    };
    let state = "/lights/1/state";
    check("PUT", state, b"{\"on\":true,}", 2, state, "body contains invalid json");
    check("PUT", state, b"[1]", 2, state, "body contains invalid json");
    check("GET", "/lights/9", b"", 3, "/lights/9", "resource, /lights/9, not available");
    check(
        "PUT",
        "/lights/0/state",
        b"{\"on\":true}",
        3,
        "/lights/0/state",
        "resource, /lights/0/state, not available",
    );
    check("GET", "/lights/01", b"", 3, "/lights/01", "resource, /lights/01, not available");
    check("GET", "/lamps", b"", 3, "/lamps", "resource, /lamps, not available");
    check("DELETE", state, b"", 4, state, "method, DELETE, not available for resource, /lights/1/state");
    check("PUT", state, b"{}", 5, state, "invalid/missing parameters in body");
    check("PUT", state, b"{\"glow\":1}", 6, "/lights/1/state/glow", "parameter, glow, not available");
    check(
        "PUT",
        "/lights/4/state",
        b"{\"bri\":1}",
        6,
        "/lights/4/state/bri",
        "parameter, bri, not available",
    );
    check("PUT", state, b"{\"bri\":999}", 7, "/lights/1/state/bri", "invalid value, 999, for parameter, bri");
    check("PUT", state, b"{\"bri\":\"x\"}", 7, "/lights/1/state/bri", "invalid value, x, for parameter, bri");
    check("PUT", state, b"{\"mode\":\"x\"}", 8, "/lights/1/state/mode", "parameter, mode, is not modifiable");
    house.v1("PUT", state, json!({"on": false}));
    let answer = house.v1("PUT", state, json!({"bri": 9}));
    let text = "parameter, bri, is not modifiable. Device is set to off.";
    assert_eq!(
        answer,
        json!([{"error": {"type": 201, "address": "/lights/1/state/bri", "description": text}}])
    );
}

#[test]
fn successes_and_errors_come_one_for_each_parameter() {
    let mut house = House::new();
    let answer = house.v1("PUT", "/lights/3/state", json!({"on": true, "bri": 77, "ct": 200, "hue": "red"}));
    assert_eq!(answer[0], json!({"success": {"/lights/3/state/bri": 77}}));
    assert_eq!(answer[3], json!({"success": {"/lights/3/state/on": true}}));
    assert_eq!(kinds(&answer), [0, 6, 6, 0]);
    let light = house.v1("GET", "/lights/3", Value::Null);
    assert_eq!((&light["state"]["bri"], &light["state"]["on"]), (&json!(77), &json!(true)));
    assert_eq!((&light["type"], &light["state"].get("ct")), (&json!("Dimmable light"), &None));
}

#[test]
fn what_one_interface_does_the_other_one_shows() {
    let mut house = House::new();
    house.v1("PUT", "/lights/1/state", json!({"bri": 128, "xy": [0.4, 0.4]}));
    let light = house.light("/lights/1");
    assert_eq!(light["dimming"]["brightness"], json!(50.39));
    assert_eq!(light["color"]["xy"], json!({"x": 0.4, "y": 0.4}));
    assert_eq!(light["color_temperature"]["mirek"], Value::Null, "it is no white");
    house.later(1_000);
    let id = light["id"].as_str().unwrap();
    let body = json!({"dimming": {"brightness": 100}, "color_temperature": {"mirek": 300}});
    let (status, answer) = house.v2("PUT", &format!("/light/{id}"), body);
    assert_eq!((status, &answer["data"][0]), (200, &json!({"rid": id, "rtype": "light"})));
    let state = house.v1("GET", "/lights/1", Value::Null)["state"].take();
    assert_eq!((&state["bri"], &state["ct"], &state["colormode"]), (&json!(254), &json!(300), &json!("ct")));
}

#[test]
fn changes_are_told_to_listeners_once_a_second_with_the_last_value() {
    let mut house = House::new();
    for bri in [10, 20, 30, 40] {
        house.v1("PUT", "/lights/3/state", json!({ "bri": bri }));
        house.later(200);
    }
    house.later(200);
    let told = house.events();
    let of_light = |container: &Vec<Value>| {
        container
            .iter()
            .find(|one| one["type"] == "light")
            .map(|one| one["dimming"]["brightness"].as_f64().unwrap())
    };
    assert_eq!(told.iter().filter_map(of_light).collect::<Vec<_>>(), [3.94, 15.75]);
    let light = told[0].iter().find(|one| one["type"] == "light").unwrap();
    assert_eq!((&light["id_v1"], &light["owner"]["rtype"]), (&json!("/lights/3"), &json!("device")));
    assert_eq!(light.get("on"), None, "what did not change is not told");
    let group =
        told[0].iter().find(|one| one["type"] == "grouped_light" && one["id_v1"] == "/groups/1").unwrap();
    assert_eq!(group["owner"]["rtype"], "room");
}

#[test]
fn the_resources_of_v2_name_each_other() {
    let mut house = House::new();
    let (_, all) = house.v2("GET", "", Value::Null);
    let all = all["data"].as_array().unwrap();
    let exists = |reference: &Value| {
        let named = |one: &&Value| one["id"] == reference["rid"] && one["type"] == reference["rtype"];
        all.iter().filter(named).count() == 1
    };
    let mut references = 0;
    for resource in all {
        let lists =
            ["services", "children"].map(|list| resource[list].as_array().cloned().unwrap_or_default());
        let owner = resource.get("owner").cloned();
        for reference in lists.into_iter().flatten().chain(owner) {
            assert!(exists(&reference), "{reference} of {resource}");
            references += 1;
        }
    }
    assert!(references > 20, "{references}");
    for kind in
        ["light", "room", "zone", "grouped_light", "device", "zigbee_connectivity", "bridge", "bridge_home"]
    {
        let (status, list) = house.v2("GET", &format!("/{kind}"), Value::Null);
        let of_kind = all.iter().filter(|one| one["type"] == kind).count();
        assert_eq!((status, list["data"].as_array().unwrap().len()), (200, of_kind), "{kind}");
    }
}

#[test]
fn v2_says_what_is_wrong_with_the_status() {
    let mut house = House::new();
    let (desk, heater) = (house.id("light", "/lights/1"), house.id("light", "/lights/4"));
    let mut check = |method: &str, path: &str, body: Value, expected: u16| {
        let (status, answer) = house.v2(method, path, body);
        assert_eq!(status, expected, "{method} {path}: {answer}");
        assert_eq!(answer["errors"][0]["description"].is_string(), expected >= 207, "{answer}");
        answer
    };
    let desk = format!("/light/{desk}");
    check("GET", &desk, Value::Null, 200);
    check("GET", "/scene", Value::Null, 200);
    check("GET", "/lamp", Value::Null, 404);
    check("GET", "/light/00000000-0000-0000-0000-000000000000", Value::Null, 404);
    check("GET", &desk.replace("light", "room"), Value::Null, 404);
    check("PUT", "/light/1", json!({"on": {"on": true}}), 404);
    check("DELETE", &desk, Value::Null, 405);
    check("POST", "/light", json!({}), 405);
    check("PUT", &desk, json!([]), 400);
    check("PUT", &desk, json!({"bri": 3}), 400);
    check("PUT", &format!("/light/{heater}"), json!({"dimming": {"brightness": 3}}), 400);
    let too_much = check("PUT", &desk, json!({"color_temperature": {"mirek": 501}}), 400);
    let text = too_much["errors"][0]["description"].as_str().unwrap();
    assert!(text.contains("'maximum'") && text.contains("#/color_temperature/mirek"), "{text}");
    check("PUT", &desk, json!({"on": {"on": false}}), 200);
    let off = check("PUT", &desk, json!({"dimming": {"brightness": 3}}), 207);
    assert!(off["errors"][0]["description"].as_str().unwrap().contains("\"soft off\""));
    assert_eq!(off["data"][0]["rtype"], "light");
}

#[test]
fn groups_command_all_of_their_lights() {
    let mut house = House::new();
    let answer = house.v1("PUT", "/groups/1/action", json!({"on": true, "bri": 200, "ct": 400}));
    assert_eq!(kinds(&answer), [0, 0, 0]);
    let lights = house.v1("GET", "/lights", Value::Null);
    assert_eq!(["1", "2", "3"].map(|number| lights[number]["state"]["bri"].as_u64()), [Some(200); 3]);
    assert_eq!((&lights["1"]["state"]["ct"], &lights["2"]["state"]["ct"]), (&json!(400), &json!(400)));
    house.later(2_000);
    let id = house.id("grouped_light", "/groups/0");
    assert_eq!(house.v2("PUT", &format!("/grouped_light/{id}"), json!({"on": {"on": false}})).0, 200);
    assert_eq!(house.v1("GET", "/groups/1", Value::Null)["state"], json!({"all_on": false, "any_on": false}));
    house.later(2_000);
    assert_eq!(kinds(&house.v1("PUT", "/groups/0/action", json!({"bri": 3}))), [201]);
    assert_eq!(kinds(&house.v1("PUT", "/groups/0/action", json!({"on": true, "scene": "none"}))), [0, 7]);
}

#[test]
fn too_many_commands_wait_and_then_are_refused() {
    let mut house = House::new();
    let put =
        |house: &mut House, bri: u8| kinds(&house.v1("PUT", "/lights/3/state", json!({ "bri": bri })))[0];
    let first: Vec<_> = (1..=31).map(|bri| put(&mut house, bri)).collect();
    assert_eq!(first, [0; 31]);
    assert_eq!(put(&mut house, 99), 901);
    let bri = |house: &mut House| house.v1("GET", "/lights/3", Value::Null)["state"]["bri"].as_u64();
    assert_eq!(bri(&mut house), Some(1), "the others wait, and nothing says so");
    house.later(1_000);
    assert_eq!(bri(&mut house), Some(11));
    house.later(2_000);
    assert_eq!(bri(&mut house), Some(31));
    let fates: Vec<_> = house.hub.journal.after(0).map(|entry| entry.fate).collect();
    let count = |fate: Fate| fates.iter().filter(|one| **one == fate).count();
    assert_eq!([Fate::Applied, Fate::Buffered, Fate::Overrun].map(count), [1, 30, 1]);
}

#[test]
fn v2_refuses_with_429() {
    let mut house = House::new();
    let id = house.id("grouped_light", "/groups/1");
    let statuses: Vec<_> = (0..6)
        .map(|_| house.v2("PUT", &format!("/grouped_light/{id}"), json!({"on": {"on": true}})).0)
        .collect();
    assert_eq!(statuses, [200, 200, 200, 200, 429, 429]);
}

#[test]
fn a_command_that_waits_counts_when_the_next_one_is_judged() {
    let mut house = House::new();
    for _ in 0..3 {
        house.v1("PUT", "/lights/3/state", json!({"alert": "select"}));
    }
    house.v1("PUT", "/lights/3/state", json!({"on": false}));
    assert_eq!(kinds(&house.v1("PUT", "/lights/3/state", json!({"bri": 5}))), [201]);
}

#[test]
fn lights_have_new_names_in_both_interfaces() {
    let mut house = House::new();
    let answer = house.v1("PUT", "/lights/3", json!({"name": "Moon"}));
    assert_eq!(answer, json!([{"success": {"/lights/3/name": "Moon"}}]));
    assert_eq!(house.light("/lights/3")["metadata"]["name"], "Moon");
    assert_eq!(kinds(&house.v1("PUT", "/lights/3", json!({"name": ""}))), [7]);
    let told = house.events();
    let named: Vec<_> = told[0].iter().filter(|one| one["metadata"]["name"] == "Moon").collect();
    assert_eq!(
        named.iter().map(|one| one["type"].as_str().unwrap()).collect::<Vec<_>>(),
        ["light", "device"]
    );
    let device = house.id("device", "/lights/3");
    house.v2("PUT", &format!("/device/{device}"), json!({"metadata": {"name": "Sun"}}));
    assert_eq!(house.v1("GET", "/lights/3", Value::Null)["name"], "Sun");
}

#[test]
fn a_light_without_power_says_so_everywhere() {
    let mut house = House::new();
    house.hub.set_faults(house.now, Faults { unreachable: vec![1], ..Faults::default() }).unwrap();
    assert_eq!(house.v1("GET", "/lights/1", Value::Null)["state"]["reachable"], false);
    assert_eq!(kinds(&house.v1("PUT", "/lights/1/state", json!({"on": true}))), [201]);
    let id = house.id("light", "/lights/1");
    let (status, answer) = house.v2("PUT", &format!("/light/{id}"), json!({"on": {"on": true}}));
    assert_eq!((status, &answer["errors"][0]["error_code"]), (207, &json!("communication_error")));
    let told = house.events();
    let status = told[0].iter().find(|one| one["type"] == "zigbee_connectivity").unwrap();
    assert_eq!(status["status"], "connectivity_issue");
    house.hub.set_faults(house.now, Faults::default()).unwrap();
    assert_eq!(house.v1("GET", "/lights/1", Value::Null)["state"]["reachable"], true);
}

#[test]
fn requests_fail_as_often_as_they_shall() {
    let mut house = House::new();
    let fail = |house: &mut House, failure: Failure, as_text: bool| {
        let faults = Faults { fail: Some(failure), error_type_as_text: as_text, ..Faults::default() };
        house.hub.set_faults(house.now, faults).unwrap();
    };
    fail(&mut house, Failure { requests: 2, status: 503, error: None }, false);
    let (path, key) = (format!("/api/{}/lights", house.key), house.key.clone());
    assert_eq!(house.ask("GET", &path, None, b"").status, 503);
    assert_eq!(house.ask("GET", "/clip/v2/resource", Some(&key), b"").status, 503);
    assert_eq!(house.ask("GET", &path, None, b"").status, 200);
    assert_eq!(house.hub.faults, Faults::default());
    fail(&mut house, Failure { requests: 1, status: 429, error: Some(901) }, true);
    let answer = house.v1("PUT", "/lights/1/state", json!({"on": false}));
    let error = json!({"type": "901", "address": "/lights/1/state", "description": "Internal error, 503"});
    assert_eq!(answer, json!([{ "error": error }]));
    assert_eq!(house.v1("GET", "/lights/1", Value::Null)["state"]["on"], true, "nothing was done");
}

#[test]
fn a_hub_that_hangs_does_nothing() {
    let mut house = House::new();
    house.hub.set_faults(house.now, Faults { hang: true, ..Faults::default() }).unwrap();
    let path = format!("/api/{}/lights/1/state", house.key);
    let put = Request { method: "PUT", path: &path, key: None, body: b"{\"on\":false}", tls: false };
    assert_eq!(house.hub.answer(house.now, &put), Treatment::Hang);
    house.hub.set_faults(house.now, Faults::default()).unwrap();
    assert_eq!(house.v1("GET", "/lights/1", Value::Null)["state"]["on"], true);
    assert_eq!(house.hub.journal.after(0).filter(|entry| entry.fate == Fate::Hung).count(), 1);
}

#[test]
fn a_flood_keeps_its_rate_and_tells_nothing_untrue() {
    let mut house = House::new();
    house.hub.set_faults(house.now, Faults { flood_per_s: 100, ..Faults::default() }).unwrap();
    house.events();
    house.later(1_000);
    let told = house.events();
    assert_eq!(told.len(), 100);
    let brightness = house.light("/lights/3")["dimming"]["brightness"].clone();
    let lies = told.iter().flatten().filter(|one| one["id_v1"] == "/lights/3");
    assert!(lies.clone().count() > 10 && lies.clone().all(|one| one["dimming"]["brightness"] == brightness));
    house.hub.set_faults(house.now, Faults::default()).unwrap();
    house.later(1_000);
    assert!(house.events().is_empty());
}

#[test]
fn a_silent_stream_never_tells_what_happened_meanwhile() {
    let mut house = House::new();
    house.hub.set_faults(house.now, Faults { events: Streams::Silent, ..Faults::default() }).unwrap();
    house.v1("PUT", "/lights/3/state", json!({"bri": 1}));
    house.later(5_000);
    house.hub.set_faults(house.now, Faults::default()).unwrap();
    house.later(5_000);
    assert!(house.events().is_empty());
    house.v1("PUT", "/lights/3/state", json!({"bri": 2}));
    assert_eq!(house.events().len(), 1);
}

#[test]
fn refusing_ends_by_itself() {
    let mut house = House::new();
    house.hub.set_faults(house.now, Faults { refuse_ms: 5_000, ..Faults::default() }).unwrap();
    assert_eq!(house.hub.refuse_until(), Some(house.now + Duration::from_secs(5)));
    house.later(4_999);
    assert!(house.hub.refuse_until().is_some());
    house.later(1);
    assert_eq!((house.hub.refuse_until(), &house.hub.faults), (None, &Faults::default()));
}

#[test]
fn lights_of_each_kind_show_what_they_can_do() {
    let mut house = House::new();
    let check = |house: &mut House, number: usize, kind: Kind, features: [bool; 3]| {
        let light = house.light(&format!("/lights/{number}"));
        let has = ["dimming", "color_temperature", "color"].map(|feature| light.get(feature).is_some());
        assert_eq!((house.hub.home.lights[number - 1].kind, has), (kind, features));
    };
    check(&mut house, 1, Kind::Colour, [true, true, true]);
    check(&mut house, 2, Kind::Ambiance, [true, true, false]);
    check(&mut house, 3, Kind::White, [true, false, false]);
    check(&mut house, 4, Kind::Plug, [false, false, false]);
}
