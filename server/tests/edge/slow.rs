//! Clients that are slow or frozen: they lose messages or their connection, and nobody else notices.

use crate::support::{
    Client, Server, connect, encode, eventually,
    frames::{BINARY, CLOSE, Frames, PING, PONG},
    publish, subscribe,
};
use luxwire_shared::mqtt::{Delivery, Packet, PacketId, PublishTopic, QoS, Version};
use socket2::{Domain, Socket, Type};
use std::{
    collections::HashMap,
    io::{ErrorKind, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};
use tungstenite::Message;

const MESSAGE: usize = 64 << 10;

/// Far more than the buffers of the system and of the server hold together.
const FLOOD_MESSAGES: usize = 512;

/// A client that subscribed to `flood`, never reads, and has more waiting than anybody wants to hold for it.
pub(crate) fn frozen_subscriber(server: &Server) -> TcpStream {
    let frozen = silent_subscriber(server);
    flood(server, FLOOD_MESSAGES, MESSAGE, || {});
    frozen
}

/// A client that subscribed to `flood` and never reads, not even what its system would hold for it.
fn silent_subscriber(server: &Server) -> TcpStream {
    let mut socket = narrow_socket(server.mqtt);
    socket.write_all(&encode(&connect(Version::V5, "frozen"), Version::V5)).unwrap();
    socket.write_all(&encode(&subscribe(PacketId::MIN, "flood", QoS::AtMostOnce), Version::V5)).unwrap();
    server.logged(&["connected", "\"frozen\""]);
    socket
}

/// A connection for which the system holds little.
fn narrow_socket(server: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    socket.connect(&server.into()).unwrap();
    socket.into()
}

/// Publishes one message after the other, each when the one before has been handled and `after_each` was done.
fn flood(server: &Server, messages: usize, size: usize, mut after_each: impl FnMut()) {
    let mut publisher = Client::connected(server.mqtt, Version::V5, "flooder");
    for _ in 0..messages {
        publisher.publish("flood", vec![0; size], QoS::AtMostOnce, false);
        publisher.ping();
        after_each();
    }
}

#[test]
fn a_frozen_subscriber_slows_nobody_and_costs_little() {
    let server = Server::start();
    let mut healthy = Client::connected_by_websocket(server.http, Version::V5, "healthy");
    healthy.subscribe("flood", QoS::AtMostOnce);
    let before = server.resident();
    let frozen = silent_subscriber(&server);
    flood(&server, FLOOD_MESSAGES, MESSAGE, || assert_eq!(healthy.message().payload.len(), MESSAGE));
    let grown = server.resident().saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes more in use, for {} that flowed", FLOOD_MESSAGES * MESSAGE);
    drop(frozen);
    let line = server.logged(&["disconnected", "\"frozen\""]);
    let dropped: usize = line.rsplit_once("dropped=").unwrap().1.trim().parse().unwrap();
    assert!(dropped > FLOOD_MESSAGES / 2, "{line}");
}

// Messages are dropped between the broker and the output, those that would have introduced an alias among them.
#[test]
fn a_slow_subscriber_that_takes_aliases_knows_the_topic_of_every_message_that_it_gets() {
    let server = Server::start();
    let mut slow = Client::over(narrow_socket(server.mqtt));
    let mut connecting = connect(Version::V5, "slow");
    if let Packet::Connect(connect) = &mut connecting {
        connect.properties.topic_alias_maximum = Some(10);
    }
    slow.send(&connecting);
    assert!(matches!(slow.receive(), Packet::Connack(_)));
    slow.subscribe("topic/#", QoS::AtMostOnce);
    let mut publisher = Client::connected(server.mqtt, Version::V5, "publisher");
    let mut publish_all = |size: usize, rounds: usize| {
        // Eight that come again and again, and others that come twice, so that numbers change hands.
        for round in 0..rounds {
            for number in (0..8).chain([8 + round / 2]) {
                let topic = format!("topic/{number}");
                let payload = [topic.as_bytes(), &vec![b' '; size]].concat();
                publisher.publish(&topic, payload, QoS::AtMostOnce, false);
            }
            publisher.ping();
        }
    };
    let mut names = HashMap::new();
    let (mut introduced, mut numbered) = (0, 0);
    let mut take_all = |slow: &mut Client| {
        slow.send(&Packet::Pingreq);
        let mut came = 0;
        while let Packet::Publish(publish) = slow.receive() {
            let name = match &publish.topic {
                PublishTopic::Name(name) => name.clone(),
                PublishTopic::NameAndAlias(name, alias) => {
                    introduced += 1;
                    names.insert(*alias, name.clone());
                    name.clone()
                }
                PublishTopic::Alias(alias) => {
                    numbered += 1;
                    names[alias].clone()
                }
            };
            assert_eq!(str::from_utf8(&publish.payload).unwrap().trim_end(), name.as_str());
            came += 1;
        }
        came
    };
    publish_all(MESSAGE, 40);
    assert!(take_all(&mut slow) < 40 * 9, "nothing was dropped");
    publish_all(1, 40);
    assert_eq!(take_all(&mut slow), 40 * 9);
    assert!(introduced > 10 && numbered > 300, "{introduced} {numbered}");
}

// 3.1.1: [MQTT-4.8.0-2]
#[test]
fn a_subscriber_that_takes_nothing_for_too_long_is_closed() {
    let server = Server::with(&["limits.stall_timeout_s=1"]);
    let frozen = frozen_subscriber(&server);
    server.logged(&["disconnected", "\"frozen\"", "took nothing"]);
    drop(frozen);
}

#[test]
fn a_subscriber_that_is_slow_and_reads_is_not() {
    let server = Server::with(&["limits.stall_timeout_s=2"]);
    let mut slow = Client::over(narrow_socket(server.mqtt));
    slow.connect(Version::V5, "slow");
    slow.subscribe("flood", QoS::AtMostOnce);
    let started = Instant::now();
    // More comes than it takes, for twice the time in which it must take something. The messages are so large that the
    // system cannot take at once what waits in the server.
    while started.elapsed() < Duration::from_secs(4) {
        flood(&server, 3, 1_000_000, || {});
        slow.message();
    }
    slow.ping_through_messages();
}

/// Says the same again and again, reading nothing, until the server does not read it while it has nothing else to do. How
/// many bytes that were.
fn ask_until_nobody_reads(server: &Server, socket: &TcpStream, question: &[u8]) -> usize {
    socket.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let questions = question.repeat((64 << 10) / question.len());
    let mut asked = 0;
    eventually("questions that the server does not read while it has nothing else to do", || {
        let asked_before = asked;
        loop {
            // Goes on where it was cut, so that the questions stay whole.
            match (&*socket).write(&questions[asked % question.len()..]) {
                Ok(len) => asked += len,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                Err(error) => panic!("{error}"),
            }
            // Far above what the system holds for both sides.
            assert!(asked < 256 << 20, "it is read without end");
        }
        let (busy, started) = (server.processor_time(), Instant::now());
        while started.elapsed() < Duration::from_millis(200) {
            std::thread::park_timeout(Duration::from_millis(200));
        }
        (asked == asked_before && server.processor_time() == busy).then_some(())
    });
    asked
}

#[test]
fn a_client_that_takes_no_answers_is_not_read_any_more() {
    let server = Server::start();
    let mut greedy = Client::connected(server.mqtt, Version::V5, "greedy");
    let before = server.resident();
    let asked = ask_until_nobody_reads(&server, greedy.socket(), &encode(&Packet::Pingreq, Version::V5));
    let grown = server.resident().saturating_sub(before);
    assert!(grown < 4 << 20, "{grown} bytes more in use");
    // It is taken up again where it left off; far more than what may wait in buffers.
    assert!(asked > 400_000, "{asked}");
    for _ in 0..200_000 {
        assert_eq!(greedy.receive(), Packet::Pingresp);
    }
    Client::connected(server.mqtt, Version::V5, "other").ping();
}

#[test]
fn the_same_holds_for_pings_of_websocket_itself() {
    let server = Server::start();
    for payload_len in [0_u8, 125] {
        let mut greedy = Client::connected_by_websocket(server.http, Version::V5, "greedy");
        let before = server.resident();
        // Masked with zeros.
        let ping =
            [&[0x89, 0x80 | payload_len, 0, 0, 0, 0][..], &vec![b'x'; usize::from(payload_len)]].concat();
        let asked = ask_until_nobody_reads(&server, greedy.socket(), &ping);
        let grown = server.resident().saturating_sub(before);
        assert!(grown < 8 << 20, "{grown} bytes more in use for {asked} of pings");
        // Those that were read are answered.
        let websocket = greedy.as_websocket();
        for _ in 0..(asked / ping.len() / 2).min(20_000) {
            let answer = websocket.read().unwrap();
            assert!(
                matches!(&answer, Message::Pong(payload) if payload.len() == usize::from(payload_len)),
                "{answer:?}"
            );
        }
        Client::connected_by_websocket(server.http, Version::V5, "other").ping();
    }
}

#[test]
fn control_frames_get_through_an_output_that_is_full() {
    let server = Server::start();
    let mut slow = Frames::over(narrow_socket(server.http), server.http);
    slow.send(BINARY, &encode(&connect(Version::V5, "slow"), Version::V5));
    slow.send(BINARY, &encode(&subscribe(PacketId::MIN, "flood", QoS::AtMostOnce), Version::V5));
    server.logged(&[" connected", "\"slow\""]);
    // Longer than what waits, so that messages are dropped; what is asked meanwhile is not.
    flood(&server, FLOOD_MESSAGES / 2, MESSAGE, || {});
    slow.send(PING, b"still there?");
    flood(&server, FLOOD_MESSAGES / 2, MESSAGE, || {});
    slow.send(CLOSE, &[0x03, 0xE8]);
    let frames = slow.until_closed();
    let messages = frames.iter().filter(|(first, _)| *first == BINARY).map(|(_, bytes)| bytes.len());
    assert!(messages.sum::<usize>() < FLOOD_MESSAGES * MESSAGE, "nothing was dropped");
    assert!(frames.contains(&(PONG, b"still there?".to_vec())));
    assert_eq!(frames.last(), Some(&(CLOSE, vec![0x03, 0xE8])));
}

#[test]
fn a_client_that_publishes_to_itself_without_reading_is_not_blocked() {
    let server = Server::start();
    let mut client = Client::connected(server.mqtt, Version::V5, "talker");
    client.subscribe("echo", QoS::AtMostOnce);
    client.socket().set_write_timeout(Some(crate::support::DEADLINE)).unwrap();
    let message = encode(&publish("echo", vec![0; MESSAGE], Delivery::AtMostOnce, false), Version::V5);
    for _ in 0..FLOOD_MESSAGES {
        client.send_bytes(&message);
    }
    client.send(&Packet::Pingreq);
    let mut echoes = 0;
    while let Packet::Publish(_) = client.receive() {
        echoes += 1;
    }
    assert!((1..=FLOOD_MESSAGES).contains(&echoes), "{echoes}");
}
