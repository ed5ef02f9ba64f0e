//! What happens while somebody follows: messages that come, sessions that wait, signals, readers that go, brokers that
//! come back, and the way through a WebSocket.

use super::{
    broker::Broker,
    programs::{Outcome, Whose},
};
use crate::support::{Ends, Server, program};
use rustix::process::Signal;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    process::Stdio,
};

const BOTH: [Whose; 2] = [Whose::Mosquittos, Whose::Ours];

/// Publishes with Mosquitto's program.
#[track_caller]
fn publish(rest: &str, broker: SocketAddr) {
    let outcome = Whose::Mosquittos.run(&format!("pub -p PORT {rest}"), "", broker);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}

/// Subscribes, lets these be published, and waits for the end.
fn followed(whose: Whose, line: &str, published: &[&str], broker: SocketAddr) -> Outcome {
    let mut subscriber = whose.start(&format!("{line} -d"), "", broker);
    subscriber.said("Subscribed");
    published.iter().for_each(|rest| publish(rest, broker));
    subscriber.ended()
}

#[test]
fn messages_are_shown_as_they_come() {
    for broker in [Broker::luxwire(), Broker::mosquitto()] {
        let (empty, full) = ("-t e -n", "-t e -m full");
        for (line, published) in [
            ("sub -p PORT -t e -C 3 -i me", [empty, full, empty]),
            ("sub -p PORT -t e -C 3 -v -i me", [empty, full, empty]),
            ("sub -p PORT -t e -C 3 -N -i me", [empty, full, full]),
            ("sub -p PORT -t e -C 3 -F %t:%p:%l -i me", [empty, full, full]),
            ("sub -p PORT -t e -C 3 -F '%x|%5x|%05x|%5p' -i me", [empty, empty, empty]),
            ("sub -p PORT -t e -C 3 -F %j -i me", [empty, full, full]),
            ("sub -p PORT -t e -C 3 -F %J -i me", [empty, "-t e -m 7", full]),
            ("sub -p PORT -t e -C 3 -q 1 -i me", ["-t e -m a -q 1", "-t e -m b -q 2", full]),
            ("sub -p PORT -t e -C 3 -q 1 -V 5 -i me", ["-t e -m a -q 1", "-t e -m b -q 2", full]),
            ("sub -p PORT -t # -T e -C 1 -v -i me", [full, full, "-t other -m x"]),
            ("sub -p PORT -t e --retained-only -i me", [full, full, full]),
            ("sub -p PORT -t e -R -C 1 -i me", [full, full, full]),
        ] {
            let [theirs, ours] = BOTH.map(|whose| followed(whose, line, &published, broker.address()));
            // After the last one wanted some may still be told of.
            assert_eq!(ours, theirs, "{line}");
            assert_eq!(ours.code, Some(0));
        }
    }
}

#[test]
fn a_session_keeps_what_comes_meanwhile() {
    for broker in [Broker::luxwire(), Broker::mosquitto()] {
        for version in ["-V 31", "-V 311", "-V 5", "-V 5 -x 60"] {
            let [theirs, ours] = BOTH.map(|whose| {
                let session = format!("sub -p PORT -i kept -c -q 1 -t kept {version}");
                let begun = whose.run(&format!("{session} -E"), "", broker.address());
                for number in ["1", "2", "3"] {
                    publish(&format!("-t kept -q 1 -m {number}"), broker.address());
                }
                let heard = whose.run(&format!("{session} -C 3"), "", broker.address());
                // The next program begins anew.
                let ended = whose.run("sub -p PORT -i kept -t kept -E", "", broker.address());
                [begun, heard, ended]
            });
            assert_eq!(ours, theirs, "{version}");
            assert_eq!(ours[1].out, "1\n2\n3\n");
        }
    }
}

#[test]
fn a_signal_ends_it_well() {
    let broker = Broker::luxwire();
    for signal in [Signal::INT, Signal::TERM] {
        let line = "sub -p PORT -t a -d -i me --will-topic w --will-payload gone";
        for whose in BOTH {
            let mut subscriber = whose.start(line, "", broker.address());
            subscriber.said("Subscribed");
            subscriber.signal(signal);
            // Theirs may repeat the line that it was writing.
            let outcome = subscriber.ended();
            assert!(outcome.code == Some(0) && outcome.out.ends_with("sending DISCONNECT\n"), "{outcome:?}");
        }
    }
}

#[test]
fn a_reader_that_goes_ends_it() {
    let server = Server::start();
    let mut command = program();
    command.args(["sub", "-p", &server.mqtt.port().to_string(), "-t", "a", "-d"]);
    let mut child = Ends(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut out = BufReader::new(child.0.stdout.take().unwrap()).lines();
    assert!(out.any(|line| line.unwrap().starts_with("Subscribed")));
    drop(out);
    publish("-t a -m x", server.mqtt);
    let status = crate::support::eventually("its end", || child.0.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
}

#[test]
fn payloads_pass_unchanged_and_at_once() {
    let server = Server::start();
    let port = server.mqtt.port().to_string();
    let payload: Vec<u8> = (0..=255_u8).cycle().take(70_000).collect();
    let mut command = program();
    command.args(["sub", "-p", &port, "-t", "a", "-q", "2", "-N", "-C", "2", "-d"]);
    let mut subscriber = Ends(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut out = BufReader::new(subscriber.0.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("Subscribed") {
        line.clear();
        out.read_line(&mut line).unwrap();
    }
    let mut publisher = program();
    publisher.args(["pub", "-p", &port, "-t", "a", "-q", "2", "-s", "--repeat", "2"]);
    let mut publisher = Ends(publisher.stdin(Stdio::piped()).spawn().unwrap());
    publisher.0.stdin.take().unwrap().write_all(&payload).unwrap();
    assert!(publisher.0.wait().unwrap().success());
    let mut seen = Vec::new();
    std::io::Read::read_to_end(&mut out, &mut seen).unwrap();
    assert!(subscriber.0.wait().unwrap().success());
    let count = seen.windows(256).filter(|window| window.iter().copied().eq(0..=255)).count();
    assert!(count >= 2 * (70_000 / 256) - 2, "{count}");
}

#[test]
fn a_web_socket_carries_the_same() {
    for version in ["31", "311", "5"] {
        let server = Server::start();
        let http = server.http.port();
        let sent = Whose::Ours.run(
            &format!("pub -L ws://localhost:{http} -t r/1 -m one -r -q 2 -V {version} -d -i me"),
            "",
            server.mqtt,
        );
        let plain = Whose::Mosquittos.run(
            &format!("pub -p PORT -t r/1 -m one -r -q 2 -V {version} -d -i me"),
            "",
            server.mqtt,
        );
        assert_eq!(sent, plain);
        let heard = Whose::Ours.run(
            &format!("sub -L ws://u:p@localhost:{http}/mqtt -t r/# -C 1 -v -q 1 -V {version} -d -i me"),
            "",
            server.mqtt,
        );
        let plain = Whose::Mosquittos.run(
            &format!("sub -p PORT -t r/# -C 1 -v -q 1 -V {version} -d -i me"),
            "",
            server.mqtt,
        );
        assert_eq!(heard, plain);
        let missing =
            Whose::Ours.run(&format!("sub -L ws://localhost:{http}/healthz -t r/#"), "", server.mqtt);
        assert_eq!(missing.code, Some(1), "{missing:?}");
        assert!(missing.err.contains("no WebSocket"), "{missing:?}");
    }
}

#[test]
fn a_broker_that_comes_back_is_followed_again() {
    let mut server = Server::start();
    let address = server.mqtt.to_string();
    let mut subscriber = Whose::Ours.start("sub -p PORT -t a -C 1 -d", "", server.mqtt);
    subscriber.said("Subscribed");
    server.signal(Signal::TERM);
    server.ended();
    let mut command = program();
    command.args(["serve", "--http", "127.0.0.1:0", "--mqtt", &address, "--ephemeral"]);
    let again = Server::from(command);
    subscriber.said("Subscribed");
    publish("-t a -m back", again.mqtt);
    let outcome = subscriber.ended();
    assert_eq!((outcome.code, outcome.out.contains("back\n")), (Some(0), true), "{outcome:?}");
    assert_eq!(outcome.err, "Warning: The connection was lost; waiting until the broker is back.\n");
}

#[test]
fn lines_wait_for_a_broker_that_comes_back() {
    let mut server = Server::start();
    let address = server.mqtt.to_string();
    let mut command = Whose::Ours.command("pub -p PORT -t a -l -q 1 -r -d", server.mqtt);
    let mut publisher = Ends(command.spawn().unwrap());
    let mut input = publisher.0.stdin.take().unwrap();
    let mut out = BufReader::new(publisher.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    input.write_all(b"one\n").unwrap();
    assert!(out.any(|line| line.contains("PUBACK")));
    server.signal(Signal::TERM);
    server.ended();
    input.write_all(b"two\nthree").unwrap();
    drop(input);
    let mut command = program();
    command.args(["serve", "--http", "127.0.0.1:0", "--mqtt", &address, "--ephemeral"]);
    let again = Server::from(command);
    assert_eq!(out.filter(|line| line.contains("PUBACK")).count(), 2);
    assert!(publisher.0.wait().unwrap().success());
    let kept = Whose::Mosquittos.run("sub -p PORT -t a -C 1", "", again.mqtt);
    assert_eq!(kept.out, "three\n");
}
