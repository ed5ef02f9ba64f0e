//! No descriptors left: what exists goes on, who comes waits, and the listener rests between its attempts.

use crate::{
    house::House,
    support::{Client, Server, get, program},
};
use luxwire_shared::mqtt::Version::{V3_1_1, V5};
use std::{io::Write as _, net::TcpStream};

/// A server that may open few files.
fn with_few_descriptors() -> Server {
    let mut command = std::process::Command::new("sh");
    let serve = "ulimit -n 64 && exec \"$0\" serve --http 127.0.0.1:0 --mqtt 127.0.0.1:0 --ephemeral --set limits.connections=1000";
    command.args(["-c", serve]).arg(program().get_program()).env("LUXWIRE_LOG", "error");
    Server::from(command)
}

// Row 19, mosquitto CVE-2017-7652: descriptors are exhausted, on both listeners, again and again. The configuration is read
// once at the start, so nothing of it can get lost.
#[test]
fn row_19_no_descriptors_left() {
    let mut house = House::of(with_few_descriptors());
    house.endures(2, |server, number| {
        let mut first = match number % 2 {
            0 => Client::connected(server.mqtt, V5, "first"),
            _ => Client::connected_by_websocket(server.http, V3_1_1, "first"),
        };
        let crowd: Vec<_> = (0..100)
            .map(|place| {
                let mut socket = TcpStream::connect([server.mqtt, server.http][place % 2]).unwrap();
                // Some of them send what they would say.
                if place % 3 == 0 {
                    socket.write_all(&[0x10, 0x0C, 0x00, 0x04]).unwrap();
                }
                socket
            })
            .collect();
        server.logged(&["ERROR", "no connection can be accepted for now"]);
        // Those who are there are served; how little the rest costs, `edge` measures.
        for _ in 0..200 {
            first.ping();
        }
        drop(crowd);
        // Everybody is let in again, over both.
        Client::connected(server.mqtt, V5, "later").ping();
        Client::connected_by_websocket(server.http, V5, "later").ping();
        assert_eq!(get(server.http, "/healthz").status, 200);
    });
    house.ends_unharmed();
}
