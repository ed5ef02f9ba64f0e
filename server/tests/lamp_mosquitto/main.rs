//! `luxwire lamp` at Mosquitto: the same life as at our broker, over TCP and WebSocket, with user and password.
//!
//! `cargo xtask test` installs Mosquitto and says in the environment where it is; this program runs only when it is named
//! (`cargo test -p luxwire --test lamp-mosquitto`).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

#[allow(dead_code, reason = "only a part of it is needed here")]
#[path = "../lamp/lamp.rs"]
mod lamp;
#[path = "../lamp/life.rs"]
mod life;
mod mosquitto;
#[path = "../support/mod.rs"]
mod support;

use lamp::Lamp;
use life::{
    Place as _, home_assistant_hears_of_it, it_corrects_who_says_that_it_is_gone, it_follows,
    it_says_whether_it_is_there,
};
use mosquitto::{Mosquitto, Way};

#[test]
fn a_lamp_lives_at_mosquitto() {
    let place = Mosquitto::start("tcp", Way::Tcp);
    it_follows(&place);
    it_says_whether_it_is_there(&place);
    it_corrects_who_says_that_it_is_gone(&place);
    home_assistant_hears_of_it(&place);
}

#[test]
fn a_lamp_lives_at_mosquitto_over_a_websocket() {
    let place = Mosquitto::start("websocket", Way::WebSocket);
    it_follows(&place);
    it_says_whether_it_is_there(&place);
    it_corrects_who_says_that_it_is_gone(&place);
    home_assistant_hears_of_it(&place);
}

#[test]
fn older_versions_of_mqtt_will_do() {
    let place = Mosquitto::start("versions", Way::Tcp);
    place.hand().dim("desk", "33");
    let flags = place.flags();
    for version in ["3.1.1", "3.1"] {
        let mut arguments: Vec<_> = flags[1..].iter().map(String::as_str).collect();
        arguments.extend(["--protocol", version]);
        assert_eq!(Lamp::start(&flags[0], "desk", &arguments).line(), "33");
    }
}

#[test]
fn a_wrong_password_is_said_with_its_mend() {
    let place = Mosquitto::start("password", Way::Tcp);
    let lamp = Lamp::start(&place.flags()[0], "desk", &["--user", "lamp", "--password", "wrong"]);
    lamp.logged(&["refuses us", "--user", "next try in"]);
    assert_eq!(lamp.stop().code, Some(0));
}

#[test]
fn mosquitto_may_come_and_go() {
    let mut place = Mosquitto::start("come-and-go", Way::Tcp);
    place.stop();
    let flags = place.flags();
    let arguments: Vec<_> = flags[1..].iter().map(String::as_str).collect();
    let lamp = Lamp::start(&flags[0], "desk", &arguments);
    lamp.logged(&["waiting for", "connection refused"]);
    place.restart();
    lamp.logged(&["connected to"]);
    place.hand().dim("desk", "44");
    assert_eq!(lamp.line(), "44");
    place.stop();
    eventually_says_twice(&lamp, "waiting for");
    place.restart();
    let mut hand = place.hand();
    hand.follow("lights/desk/availability");
    hand.hear_that("lights/desk/availability", "online");
    hand.dim("desk", "45");
    assert_eq!(lamp.line(), "45");
}

fn eventually_says_twice(lamp: &Lamp, words: &str) {
    support::eventually(&format!("{words:?} for the second time"), || {
        (lamp.log().matches(words).count() >= 2).then_some(())
    });
}
