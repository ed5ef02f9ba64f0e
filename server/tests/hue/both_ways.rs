//! What is published arrives at the hub, what others change there is published, and neither becomes the other again.

use crate::{rig::House, support::eventually};
use serde_json::{Value, json};
use std::time::Duration;

fn percent(house: &House, light: &str) -> f64 {
    let light = house.hub.light(light);
    if light["on"] == false { 0.0 } else { light["percent"].as_f64().unwrap() }
}

fn becomes(house: &House, light: &str, wanted: f64) {
    eventually(&format!("{light} at {wanted} %"), || {
        (percent(house, light) - wanted).abs().le(&0.5).then_some(())
    });
}

fn both_ways(version: &str) {
    let mut house = House::start(&format!("both-{version}"), version);
    for (level, wanted) in [("42", 42.0), ("0", 0.0), ("100", 100.0), ("0.5", 0.5), ("7.25", 7.25)] {
        house.home.say("lights/hue-desk/intensity", level, true);
        becomes(&house, "Desk", wanted);
    }
    house.home.say("lights/hue-heater/intensity", "1", true);
    eventually("the plug is on", || (house.hub.light("Heater")["on"] == true).then_some(()));
    house.home.say("lights/hue-office/intensity", "30", true);
    becomes(&house, "Desk", 30.0);
    becomes(&house, "Spot", 30.0);

    house.hub.switch(2, &json!({ "on": { "on": false } }));
    house.home.until_is("lights/hue-spot/intensity", "0");
    house.hub.switch(2, &json!({ "on": { "on": true }, "dimming": { "brightness": 60.0 } }));
    house.home.until_is("lights/hue-spot/intensity", "60");

    // Longer than any echo may take.
    let commands = house.hub.commands().len();
    house.home.listen(Duration::from_secs(4));
    assert_eq!(house.hub.commands().len(), commands, "{version}: nobody wanted anything");
    let failed: Vec<_> = house.hub.commands().into_iter().filter(|command| command.3 != 200).collect();
    assert!(failed.is_empty(), "a hub that is strict about values takes all of them: {failed:?}");
    assert_eq!(house.home.topics()["lights/hue-heater/intensity"], "100", "a plug gives all it has");
}

#[test]
fn both_ways_with_v2() {
    both_ways("v2");
}

#[test]
fn both_ways_with_v1() {
    both_ways("v1");
}

#[test]
fn a_drag_keeps_to_the_hubs_limits_and_is_never_thrown_back() {
    let mut house = House::start("drag", "v2");
    house.home.listen(Duration::from_millis(100));
    house.home.heard.clear();
    let before = house.hub.commands().len();
    for step in 1..=100 {
        house.home.say("lights/hue-desk/intensity", &step.to_string(), true);
        house.home.say("lights/hue-office/intensity", &(101 - step).to_string(), true);
        house.home.listen(Duration::from_millis(20));
    }
    house.home.listen(Duration::from_secs(4));
    let commands = house.hub.commands().split_off(before);
    let of = |kind: &str| -> Vec<u64> {
        let path = format!("/clip/v2/resource/{kind}/");
        commands.iter().filter(|command| command.1.starts_with(&path)).map(|command| command.0).collect()
    };
    let most = |times: &[u64]| {
        times.iter().map(|from| times.iter().filter(|at| (*from..from + 1_000).contains(at)).count()).max()
    };
    let (lights, groups) = (of("light"), of("grouped_light"));
    assert!(most(&lights) <= Some(10) && lights.len() >= 12, "{lights:?}");
    // A second at the sender; on its way a command may be held up a little.
    let seconds = groups.windows(2).all(|pair| pair[1] - pair[0] > 900);
    assert!(seconds && groups.len() >= 2, "{groups:?}");
    let desk: Vec<f64> = house
        .home
        .heard
        .iter()
        .filter(|(topic, _)| topic == "lights/hue-desk/intensity")
        .map(|(_, payload)| payload.parse().unwrap())
        .take(100)
        .collect();
    assert!(desk.windows(2).all(|pair| pair[0] < pair[1]), "{desk:?}");
}

#[test]
fn home_assistant_sets_colours_and_the_slider_follows() {
    let mut house = House::start("colours", "auto");
    let config = house.home.topics().iter().find(|(topic, _)| topic.ends_with("/hue-desk/config")).unwrap().1;
    let config: Value = serde_json::from_str(config).unwrap();
    let topic = |name: &str| config[name].as_str().unwrap().to_owned();
    let (command, state) = (topic("command_topic"), topic("state_topic"));
    house.home.say(&command, r#"{"state":"ON","brightness":127,"color_temp":300}"#, false);
    house.home.until_is("lights/hue-desk/intensity", "50");
    house.home.until(&state, |state| {
        state.contains(r#""color_temp":300"#) && state.contains(r#""brightness":127"#)
    });
    eventually("300 mireds", || (house.hub.light("Desk")["mirek"] == 300).then_some(()));
    house.home.say(&command, r#"{"state":"ON","color":{"x":0.5,"y":0.4}}"#, false);
    house.home.until(&state, |state| state.contains(r#""color_mode":"xy""#));
    house.home.say(&command, r#"{"state":"OFF"}"#, false);
    house.home.until_is("lights/hue-desk/intensity", "0");
    house.home.until_is(&state, r#"{"state":"OFF"}"#);
    house.home.say(&command, r#"{"state":"ON"}"#, false);
    house.home.until_is("lights/hue-desk/intensity", "50");
    becomes(&house, "Desk", 50.0);
}
