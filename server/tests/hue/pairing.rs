//! How a hub is paired from elsewhere, what is kept, what is offered, and how it is forgotten.

use crate::{
    rig::{Folder, Home, House, Hub, hue},
    support::Server,
};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt as _};

const STATUS: &str = "luxwire/hue/luxwire-hue/status";
const REQUEST: &str = "luxwire/hue/luxwire-hue/request";

fn is(payload: &str, pointer: &str, wanted: &str) -> bool {
    let status: Value = serde_json::from_str(payload).unwrap();
    status.pointer(pointer).and_then(Value::as_str) == Some(wanted)
}

#[test]
fn a_hub_is_paired_and_forgotten_over_mqtt() {
    let folder = Folder::new("pairing");
    let broker = Server::start();
    let hub = Hub::start(&folder.join("hub"));
    let mut hue = hue(broker.mqtt, &folder.join("keys"), &[]);
    let mut home = Home::at(broker.mqtt);
    home.until(STATUS, |status| is(status, "/state", "online"));

    home.say(REQUEST, "{\"pair\":{\"host\":\"http://elsewhere/\"}}", false);
    home.say(REQUEST, "nonsense", false);
    home.say(REQUEST, &json!({ "pair": { "host": hub.https.to_string() } }).to_string(), false);
    let status = home.until(STATUS, |status| is(status, "/pairing/state", "press_button"));
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["pairing"]["host"], hub.https.to_string());
    assert!(status["pairing"]["seconds_left"].as_u64().unwrap() > 20);

    hub.press();
    home.until(STATUS, |status| is(status, "/pairing/state", "paired"));
    let status = home.until(STATUS, |status| is(status, "/hubs/0/state", "connected"));
    let status: Value = serde_json::from_str(&status).unwrap();
    home.until(STATUS, |status| status.contains(r#""lights":3,"rooms":"#));
    home.until_is("lights/hue-desk/availability", "online");

    let file = folder.join("keys").join("hubs.json");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder.join("keys")), mode(&file)), (0o700, 0o600));
    let kept: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let key = kept["hubs"][0]["key"].as_str().unwrap();
    assert_eq!(kept["hubs"][0]["trust"]["pinned"].as_str().map(str::len), Some(64), "{kept}");
    assert!(!hue.log().contains(key) && !format!("{:?}", home.topics()).contains(key), "the key is a secret");

    home.say(REQUEST, &json!({ "forget": { "id": status["hubs"][0]["id"] } }).to_string(), false);
    home.until(STATUS, |status| status.contains(r#""hubs":[]"#));
    let of_service = |topic: &str| topic == STATUS || topic == REQUEST || topic.starts_with('$');
    let left: Vec<_> = home.topics().keys().filter(|topic| !of_service(topic)).collect();
    assert!(left.is_empty(), "{left:?}: every topic of every light is cleared");
    assert!(!fs::read_to_string(&file).unwrap().contains(key));
    assert_eq!(hue.stop(), Some(0));
    home.until_is(STATUS, r#"{"state":"offline"}"#);
}

#[test]
fn whoever_kills_it_leaves_word_and_a_restart_needs_no_button() {
    let mut house = House::start("killed", "auto");
    crate::support::eventually("what the spot's topic says is remembered", || {
        let kept: Value =
            serde_json::from_slice(&fs::read(house.folder.join("keys/hubs.json")).ok()?).ok()?;
        let lights = kept["hubs"][0]["lights"].as_array()?;
        lights.iter().find(|light| light["id"] == "hue-spot")?["intensity"].as_str().map(|_| ())
    });
    house.hue.kill();
    house.home.until_is(STATUS, r#"{"state":"offline"}"#);
    house.hub.switch(1, &json!({ "on": { "on": true }, "dimming": { "brightness": 10.0 } }));
    house.home.say("lights/hue-spot/intensity", "77", true);
    let _again = hue(house.broker.mqtt, &house.folder.join("keys"), &[]);
    house.home.until(STATUS, |status| is(status, "/hubs/0/state", "connected"));
    house.home.until_is("lights/hue-desk/intensity", "10");
    crate::support::eventually("the spot at 77 %", || {
        let percent = house.hub.light("Spot")["percent"].as_f64().unwrap();
        (percent - 77.0).abs().le(&0.5).then_some(())
    });
}

/// By the rules that Home Assistant publishes for MQTT discovery and lights with JSON.
#[test]
fn every_light_is_announced_as_home_assistant_wants_it() {
    let house = House::start("discovery", "auto");
    let configs: Vec<_> =
        house.home.topics().iter().filter(|(topic, _)| topic.starts_with("homeassistant/")).collect();
    assert!(configs.len() >= 4, "{configs:?}");
    let mut unique = Vec::new();
    for (topic, config) in configs {
        let levels: Vec<_> = topic.split('/').collect();
        let ["homeassistant", "light", node, object, "config"] = levels[..] else { panic!("{topic}") };
        let is_id = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        assert!(is_id(node) && is_id(object), "{topic}");
        let config: Value = serde_json::from_str(config).unwrap();
        assert_eq!(config["schema"], "json");
        assert_ne!(config["command_topic"], config["state_topic"]);
        unique.push(config["unique_id"].as_str().unwrap().to_owned());
        assert!(config["device"]["identifiers"][0].is_string() && config["origin"]["name"].is_string());
        assert_eq!(config["availability"].as_array().map(Vec::len), Some(2));
        let modes: Vec<_> = config["supported_color_modes"].as_array().unwrap().iter().collect();
        assert!(modes.len() == 1 || modes.iter().all(|mode| *mode != "onoff" && *mode != "brightness"));
        if modes.iter().any(|mode| *mode == "color_temp") {
            let (min, max) = (config["min_mireds"].as_u64().unwrap(), config["max_mireds"].as_u64().unwrap());
            assert!(min >= 100 && min < max && max <= 1_000);
        }
        assert_eq!(config.get("brightness").is_some(), modes != ["onoff"], "{config}");
        let state = &house.home.topics()[config["state_topic"].as_str().unwrap()];
        let state: Value = serde_json::from_str(state).unwrap();
        assert_ne!(state["brightness"], 0);
        if state["state"] == "ON" {
            assert!(modes.contains(&&state["color_mode"]), "{state}");
        }
    }
    unique.dedup();
    assert_eq!(unique.len(), house.home.topics().keys().filter(|topic| topic.ends_with("/config")).count());
}
