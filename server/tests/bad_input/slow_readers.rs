//! Subscribers who do not read, and publishers who do not stop.

use crate::{
    bytes::{connect, publish, subscribe},
    exchange::{frame, upgrade},
    house::House,
    support::{Client, DEADLINE, Server, eventually},
};
use luxwire_shared::mqtt::{
    Packet, QoS,
    Version::{self, V3_1_1, V5},
};
use socket2::{Domain, Socket, Type};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
};

/// A connection for which the system holds little.
fn narrow(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    socket.connect(&address.into()).unwrap();
    let socket = TcpStream::from(socket);
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket
}

/// Four who follow `flood/#` and read nothing, at QoS 0 and 1, over TCP and WebSocket.
fn stalled(server: &Server) -> Vec<TcpStream> {
    let mut stalled = Vec::new();
    for (version, qos) in [(V5, 0), (V5, 1), (V3_1_1, 0), (V3_1_1, 1)] {
        let hello =
            [connect(version, &format!("stalled {}", stalled.len())), subscribe(version, "flood/#", qos)]
                .concat();
        let (mut socket, hello) = match qos {
            0 => (narrow(server.mqtt), hello),
            _ => (narrow(server.http), [upgrade(server).as_bytes(), &frame(0x82, &hello)].concat()),
        };
        socket.write_all(&hello).unwrap();
        // The first byte of an answer, and SUBACK is on its way.
        socket.read_exact(&mut [0]).unwrap();
        stalled.push(socket);
    }
    stalled
}

/// What the four may hold together: output buffers of 1 MiB, what is under way (1 MiB) and what waits (2 MiB), and what
/// buffers that double as they grow have too much.
const HELD_MAX: u64 = 24 << 20;

/// Publishes so many messages of this size as fast as they are taken, and waits until they were.
fn flood(server: &Server, version: Version, id: &str, messages: usize, size: usize) {
    let mut client = Client::connected(server.mqtt, version, id);
    let some: Vec<u8> = publish(version, 0, format!("flood/{id}"), None, &vec![b'x'; size]).repeat(16);
    for _ in 0..messages.div_ceil(16) {
        client.send_bytes(&some);
    }
    client.ping();
}

// Row 28: clients that never read (TCP window 0) while a great many messages are due. Memory has a bound, and whoever takes
// nothing for `limits.stall_timeout_s` is closed.
#[test]
fn row_28_a_great_many_messages_for_those_who_never_read() {
    let mut house = House::with(&["limits.stall_timeout_s=2", "limits.session_queue_bytes=2 MiB"]);
    let empty = house.server.resident();
    house.endures(1, |server, _| {
        let before = server.descriptors();
        let stalled = stalled(server);
        flood(server, V5, "many small ones", 30_000, 16);
        flood(server, V5, "large ones", 1_024, 32 << 10);
        let held = server.resident().saturating_sub(empty);
        assert!(held < HELD_MAX, "{held} bytes for {} who do not read", stalled.len());
        eventually("the end of those who take nothing", || (server.descriptors() <= before).then_some(()));
        drop(stalled);
    });
    house.ends_unharmed();
}

// Row 23, NanoMQ CVE-2024-48077: floods from many clients at once, with stalled subscribers. A healthy one misses nothing
// that was acknowledged, as long as its queue holds it.
#[test]
fn row_23_floods_from_many_with_stalled_subscribers() {
    let mut house = House::with(&["limits.stall_timeout_s=2", "limits.session_queue_bytes=2 MiB"]);
    let empty = house.server.resident();
    house.endures(1, |server, _| {
        let stalled = stalled(server);
        let mut healthy = Client::connected_by_websocket(server.http, V5, "healthy");
        healthy.subscribe("count", QoS::AtLeastOnce);
        thread::scope(|scope| {
            for number in 0..8 {
                let version = [V5, V3_1_1][number % 2];
                scope.spawn(move || flood(server, version, &format!("publisher {number}"), 2_000, 1_000));
            }
            let mut counter = Client::connected(server.mqtt, V3_1_1, "counter");
            for number in 0..200_u32 {
                counter.publish("count", number.to_string(), QoS::AtLeastOnce, false);
                let message = healthy.message();
                assert_eq!(message.payload, number.to_string());
                let luxwire_shared::mqtt::Delivery::AtLeastOnce { id, .. } = message.delivery else {
                    panic!()
                };
                healthy.send(&Packet::Puback(luxwire_shared::mqtt::Acknowledge::success(id)));
            }
        });
        let held = server.resident().saturating_sub(empty);
        assert!(held < HELD_MAX, "{held} bytes for {} who do not read", stalled.len());
    });
    house.ends_unharmed();
}

// The same over HTTP: a list, and a stream of events, for somebody who does not read them.
#[test]
fn row_28_http_for_those_who_never_read() {
    let mut house = House::with(&["limits.stall_timeout_s=2"]);
    let mut keeper = Client::connected(house.server.mqtt, V5, "keeper");
    for number in 0..32 {
        keeper.publish(&format!("large/{number}"), vec![b'x'; 200_000], QoS::AtLeastOnce, true);
    }
    let empty = house.server.resident();
    house.endures(1, |server, _| {
        let ask = |path: &str| {
            let mut socket = narrow(server.http);
            write!(socket, "GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", server.http).unwrap();
            socket.read_exact(&mut [0; 12]).unwrap();
            socket
        };
        let readers: Vec<_> =
            ["topics?filter=large/%23", "topics/large/1", "events?filter=flood/%23", "picture"]
                .into_iter()
                .flat_map(|path| [ask(&format!("/api/v1/{path}")), ask(&format!("/api/v1/{path}"))])
                .collect();
        flood(server, V5, "for events", 4_096, 4 << 10);
        let held = server.resident().saturating_sub(empty);
        // Two lists of 32 times 200 kB, in base64 or as text, are what those who ask for them get.
        assert!(held < HELD_MAX, "{held} bytes for {} who do not read", readers.len());
    });
    for number in 0..32 {
        keeper.publish(&format!("large/{number}"), "", QoS::AtLeastOnce, true);
    }
    drop(keeper);
    house.ends_unharmed();
}
