//! One plug at a time: the hub, its network, its good will, its certificate, the broker.

use crate::{
    rig::{Home, House, Hub},
    support::{Server, eventually, program},
};
use serde_json::{Value, json};
use std::time::Duration;

const STATUS: &str = "luxwire/hue/luxwire-hue/status";

fn state_of_hub(status: &str) -> Option<String> {
    let status: Value = serde_json::from_str(status).ok()?;
    Some(status["hubs"][0]["state"].as_str()?.to_owned())
}

fn desk_becomes(house: &House, wanted: f64) {
    eventually(&format!("the desk at {wanted} %"), || {
        let percent = house.hub.light("Desk")["percent"].as_f64().unwrap();
        (percent - wanted).abs().le(&0.5).then_some(())
    });
}

#[test]
fn a_hub_that_goes_is_missed_and_gets_the_newest_wish_when_it_comes_back() {
    let mut house = House::start("gone", "auto");
    let (http, https) = (house.hub.http, house.hub.https);
    house.hub.program.kill();
    house.home.until_is("lights/hue-desk/availability", "offline");
    house.home.until(STATUS, |status| state_of_hub(status).as_deref() == Some("unreachable"));
    for level in ["10", "20", "33"] {
        house.home.say("lights/hue-desk/intensity", level, true);
    }
    house.hub = Hub::start_at(&house.folder.join("hub"), http, https, &[]);
    house.home.until_is("lights/hue-desk/availability", "online");
    desk_becomes(&house, 33.0);
    let commands = house.hub.commands();
    assert_eq!(commands.len(), 1, "only the newest: {commands:?}");
    assert_eq!(house.home.topics()["lights/hue-desk/intensity"], "33");
}

#[test]
fn a_hub_that_hangs_holds_nothing_up() {
    let mut house = House::start("hangs", "auto");
    house.hub.fault(&json!({ "hang": true }));
    house.home.say("lights/hue-desk/intensity", "64", true);
    house.home.until(STATUS, |status| state_of_hub(status).as_deref() == Some("unreachable"));
    house.home.until_is("lights/hue-spot/availability", "offline");
    // Requests over MQTT are served meanwhile.
    house.home.say("luxwire/hue/luxwire-hue/request", r#"{"search":true}"#, false);
    house.home.until(STATUS, |status| status.contains(r#""state":"searching""#));
    house.hub.fault(&json!({ "hang": null }));
    house.home.until_is("lights/hue-desk/availability", "online");
    desk_becomes(&house, 64.0);
}

#[test]
fn refusals_garbage_cut_streams_and_floods_pass() {
    let mut house = House::start("faults", "auto");
    house.hub.fault(&json!({ "fail": { "requests": 3, "status": 429 } }));
    house.home.say("lights/hue-desk/intensity", "21", true);
    desk_becomes(&house, 21.0);
    house.hub.fault(&json!({ "events": "cut" }));
    house.hub.fault(&json!({ "events": "flowing", "flood_per_s": 200 }));
    house.home.say("lights/hue-desk/intensity", "43", true);
    desk_becomes(&house, 43.0);
    house.hub.switch(2, &json!({ "on": { "on": true }, "dimming": { "brightness": 90.0 } }));
    house.home.until_is("lights/hue-spot/intensity", "90");
    house.hub.fault(&json!({ "flood_per_s": 0, "garbage": true }));
    house.home.until_is("lights/hue-desk/availability", "offline");
    house.hub.fault(&json!({ "garbage": false }));
    house.home.until_is("lights/hue-desk/availability", "online");
    house.home.say("lights/hue-desk/intensity", "65", true);
    desk_becomes(&house, 65.0);
}

#[test]
fn a_light_without_power_is_said_to_be_away() {
    let mut house = House::start("dark", "auto");
    house.hub.fault(&json!({ "unreachable": [1] }));
    house.home.until_is("lights/hue-desk/availability", "offline");
    assert_eq!(house.home.topics()["lights/hue-spot/availability"], "online");
    house.hub.fault(&json!({ "unreachable": [] }));
    house.home.until_is("lights/hue-desk/availability", "online");
}

#[test]
fn a_changed_certificate_is_refused_and_the_key_stays_with_us() {
    let mut house = House::start("impostor", "auto");
    let (http, https) = (house.hub.http, house.hub.https);
    house.hub.program.kill();
    house.home.until_is("lights/hue-desk/availability", "offline");
    house.hub = Hub::start_at(&house.folder.join("impostor"), http, https, &[]);
    let status = house.home.until(STATUS, |status| state_of_hub(status).as_deref() == Some("not_authorized"));
    assert!(status.contains("certificate has changed"), "{status}");
    assert!(house.hue.log().contains("certificate has changed"));
    house.home.say("lights/hue-desk/intensity", "5", true);
    house.home.listen(Duration::from_millis(1_500));
    assert_eq!(house.hub.commands(), []);
}

#[test]
fn a_broker_that_comes_back_without_memory_is_told_everything() {
    let mut house = House::start("broker", "auto");
    let (http, mqtt) = (house.broker.http.to_string(), house.broker.mqtt.to_string());
    house.broker.signal(rustix::process::Signal::KILL);
    house.broker.ended();
    house.hub.switch(1, &json!({ "on": { "on": true }, "dimming": { "brightness": 12.0 } }));
    let mut command = program();
    command.args(["serve", "--http", &http, "--mqtt", &mqtt, "--ephemeral"]);
    house.broker = Server::from(command);
    house.home = Home::at(house.broker.mqtt);
    house.home.until_is("lights/hue-desk/availability", "online");
    house.home.until_is("lights/hue-desk/intensity", "12");
    house.home.until(STATUS, |status| state_of_hub(status).as_deref() == Some("connected"));
    assert!(house.home.topics().keys().any(|topic| topic.ends_with("/hue-desk/config")));
    assert_eq!(house.hub.commands(), [], "nothing of that was a wish");
}
