//! What every lamp does at every broker: the scenes run against ours and against others.

use crate::lamp::{Hand, Lamp};
use rustix::process::Signal;
use serde_json::Value;

/// A broker, and how to reach it.
pub(crate) trait Place {
    /// What `--broker` is told, and what else the lamp needs to get in.
    fn flags(&self) -> Vec<String>;
    /// A client beside the lamp.
    fn hand(&self) -> Hand;
}

fn start(place: &impl Place, id: &str, arguments: &[&str]) -> Lamp {
    let flags = place.flags();
    let mut all: Vec<_> = flags[1..].iter().map(String::as_str).collect();
    all.extend(arguments);
    Lamp::start(&flags[0], id, &all)
}

/// It begins with what the broker kept, follows, and prints each change once.
pub(crate) fn it_follows(place: &impl Place) {
    let mut hand = place.hand();
    hand.dim("desk", "40");
    let lamp = start(place, "desk", &["--duty"]);
    assert_eq!(lamp.line(), "40 461");
    hand.dim("desk", "75");
    assert_eq!(lamp.line(), "75 1977");
    hand.dim("desk", "75");
    hand.dim("desk", "75.0");
    hand.dim("lamp-of-others", "10");
    hand.dim("desk", "0.01");
    assert_eq!(lamp.line(), "0.01 1");
    hand.dim("desk", "0");
    assert_eq!(lamp.line(), "0 0");
    assert_eq!(lamp.stop().code, Some(0));
}

/// Availability: online, offline when it ends, offline when it dies; each kept by the broker.
pub(crate) fn it_says_whether_it_is_there(place: &impl Place) {
    let topic = "lights/desk/availability";
    let mut hand = place.hand();
    hand.follow(topic);
    for end in [Signal::TERM, Signal::INT, Signal::KILL] {
        let lamp = start(place, "desk", &[]);
        hand.hear_that(topic, "online");
        let mut late = place.hand();
        late.follow(topic);
        let kept = late.hear(topic);
        assert!(kept.retain && kept.payload == "online");
        lamp.signal(end);
        hand.hear_that(topic, "offline");
        let code = lamp.ended().code;
        assert_eq!(code, if end == Signal::KILL { None } else { Some(0) });
        let mut late = place.hand();
        late.follow(topic);
        let kept = late.hear(topic);
        assert!(kept.retain && kept.payload == "offline");
    }
}

/// The will of a lamp of the same light, or of an earlier run, does not make it seem to be gone.
pub(crate) fn it_corrects_who_says_that_it_is_gone(place: &impl Place) {
    let topic = "lights/desk/availability";
    let mut hand = place.hand();
    hand.follow(topic);
    let dies = start(place, "desk", &[]);
    hand.hear_that(topic, "online");
    let stays = start(place, "desk", &[]);
    hand.hear_that(topic, "online");
    dies.signal(Signal::KILL);
    hand.hear_that(topic, "offline");
    hand.hear_that(topic, "online");
    let mut late = place.hand();
    late.follow(topic);
    assert_eq!(late.hear(topic).payload, "online");
    assert_eq!(stays.stop().code, Some(0));
    hand.hear_that(topic, "offline");
    // It has the last word.
    assert_eq!(hand.rest(), []);
}

/// Home Assistant is told, told again when it starts, and untold.
pub(crate) fn home_assistant_hears_of_it(place: &impl Place) {
    let topic = "homeassistant/light/luxwire_K_c3_bcche_201/config";
    let mut hand = place.hand();
    hand.follow("homeassistant/#");
    let lamp = start(place, "Küche 1", &["--name", "Kitchen"]);
    let config: Value = serde_json::from_slice(&hand.hear(topic).payload).unwrap();
    assert_eq!(config["command_topic"], "lights/Küche 1/intensity");
    assert_eq!(config["device"]["name"], "Kitchen");
    let mut late = place.hand();
    late.follow(topic);
    assert!(late.hear(topic).retain, "the broker keeps it");
    hand.publish("homeassistant/status", "online", false);
    let again: Value = serde_json::from_slice(&hand.hear(topic).payload).unwrap();
    assert_eq!(again, config);
    drop(lamp.stop());

    hand.follow("lights/+/availability");
    let forgetting = start(place, "Küche 1", &["--forget"]).ended();
    assert_eq!((forgetting.code, forgetting.out.as_str()), (Some(0), ""));
    assert_eq!(hand.hear(topic).payload, "");
    hand.hear_that("lights/Küche 1/availability", "");
    let mut late = place.hand();
    late.follow(topic);
    late.follow("lights/Küche 1/availability");
    assert_eq!(late.rest(), []);
}
