//! A lamp and our broker: over TCP and WebSocket, too early, and while the broker comes and goes.

use crate::{
    lamp::{Hand, Lamp},
    life::{
        Place, home_assistant_hears_of_it, it_corrects_who_says_that_it_is_gone, it_follows,
        it_says_whether_it_is_there,
    },
    support::{Client, Server, eventually, program, run},
};
use luxwire_shared::mqtt::Version;
use std::net::TcpListener;

enum Ours {
    Tcp(Server),
    WebSocket(Server),
}

impl Place for Ours {
    fn flags(&self) -> Vec<String> {
        vec![match self {
            Self::Tcp(server) => format!("mqtt://{}", server.mqtt),
            Self::WebSocket(server) => format!("ws://{}/mqtt", server.http),
        }]
    }

    fn hand(&self) -> Hand {
        let (Self::Tcp(server) | Self::WebSocket(server)) = self;
        Hand::of(Client::connected(server.mqtt, Version::V5, ""))
    }
}

#[test]
fn a_lamp_lives_at_our_broker() {
    let place = Ours::Tcp(Server::start());
    it_follows(&place);
    it_says_whether_it_is_there(&place);
    it_corrects_who_says_that_it_is_gone(&place);
    home_assistant_hears_of_it(&place);
}

#[test]
fn a_lamp_lives_at_our_broker_over_a_websocket() {
    let place = Ours::WebSocket(Server::start());
    it_follows(&place);
    it_says_whether_it_is_there(&place);
    it_corrects_who_says_that_it_is_gone(&place);
    home_assistant_hears_of_it(&place);
}

#[test]
fn older_versions_of_mqtt_will_do() {
    for version in ["3.1.1", "3.1"] {
        let server = Server::start();
        let mut hand = Hand::of(Client::connected(server.mqtt, Version::V5, "hand"));
        hand.dim("desk", "33");
        let lamp = Lamp::start(&server.mqtt.to_string(), "desk", &["--protocol", version]);
        assert_eq!(lamp.line(), "33");
    }
}

#[test]
fn a_broker_that_is_away_is_waited_for_and_the_light_stays() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let lamp = Lamp::start(&format!("mqtt://{address}"), "desk", &[]);
    lamp.logged(&["waiting for", &address.to_string(), "connection refused"]);

    let serve = || {
        let mut command = program();
        command.args(["serve", "--http", "127.0.0.1:0", "--ephemeral", "--mqtt", &address.to_string()]);
        Server::from(command)
    };
    let server = serve();
    lamp.logged(&["connected to"]);
    let mut hand = Hand::of(Client::connected(server.mqtt, Version::V5, "hand"));
    hand.dim("desk", "55");
    assert_eq!(lamp.line(), "55");

    drop(server);
    eventually("waiting for the second time", || {
        (lamp.log().matches("waiting for").count() >= 2).then_some(())
    });
    let server = serve();
    let mut hand = Hand::of(Client::connected(server.mqtt, Version::V5, "hand"));
    hand.follow("lights/desk/availability");
    hand.hear_that("lights/desk/availability", "online");
    // The new broker knows no level, and nothing was printed meanwhile.
    hand.dim("desk", "56");
    assert_eq!(lamp.line(), "56");
}

#[test]
fn a_lamp_whose_name_another_takes_ends_and_says_so() {
    let server = Server::start();
    let mut hand = Hand::of(Client::connected(server.mqtt, Version::V5, "hand"));
    hand.dim("desk", "5");
    let address = format!("mqtt://{}", server.mqtt);
    let first = Lamp::start(&address, "desk", &["--client-id", "lamp"]);
    assert_eq!(first.line(), "5");
    let second = Lamp::start(&address, "desk", &["--client-id", "lamp"]);
    assert_eq!(second.line(), "5");
    let finished = first.ended();
    assert_eq!(finished.code, Some(1));
    assert!(finished.err.contains("--client-id"), "{}", finished.err);
}

#[test]
fn a_command_line_that_cannot_be_is_said_so() {
    let rows: [(&[&str], i32, &str); 9] = [
        (&["lamp"], 2, "ID"),
        (&["lamp", "a/b"], 2, "must not contain /"),
        (&["lamp", "desk", "--bits", "9"], 2, "12"),
        (&["lamp", "desk", "--fade", "300"], 2, "300ms"),
        (&["lamp", "desk", "--fade", "2h"], 2, "at most 1h"),
        (&["lamp", "desk", "--broker", "http://127.0.0.1"], 2, "mqtt"),
        (&["lamp", "desk", "--discovery-prefix", "a/+"], 2, "without +"),
        (&["lamp", "desk", "--pwm", "/nowhere/pwmchip0/pwm0"], 1, "ls /sys/class/pwm"),
        (&["lamp", "desk", "--pwm", "/nowhere"], 1, "no PWM channel"),
    ];
    for (arguments, code, says) in rows {
        let finished = run(arguments);
        assert_eq!(finished.code, Some(code), "{arguments:?}: {}", finished.err);
        assert!(finished.err.contains(says), "{arguments:?}: {}", finished.err);
        assert_eq!(finished.out, "");
    }
}
