//! What a house and a fleet do all day, and nothing is wrong with any of it: everything comes and goes, each under a name that
//! never comes again. Afterwards the server has as much memory as before. That its tables are empty is shown in
//! `broker/tests/churn.rs`.

use crate::{
    house::{House, REPETITIONS},
    support::{self, Client, Server},
};
use bytes::Bytes;
use luxwire_shared::mqtt::{Delivery, Packet, PacketId, QoS, TopicName, Version::V5, Will, WillProperties};

#[test]
fn sessions_filters_retained_values_wills_and_slow_readers_leave_nothing_behind() {
    let mut house = House::new();
    let mut sender = Client::connected(house.server.mqtt, V5, "sender");
    let mut number = 0;
    house.endures(REPETITIONS, |server, _| {
        live(server, &mut sender, number);
        number += 1;
    });
    drop(sender);
    house.ends_unharmed();
}

/// Somebody lives under a name of their own, is cut off in the middle of it, is waited for, and is forgotten.
fn live(server: &Server, sender: &mut Client, number: u64) {
    let own = format!("churn/{number}");
    let mut client = staying(server, number, Wire::of(number), false);
    for filter in [format!("{own}/#"), format!("+/{number}/+"), format!("$share/{number}/{own}/+")] {
        client.subscribe(&filter, QoS::AtLeastOnce);
    }
    let acknowledged = Delivery::first(QoS::AtLeastOnce, PacketId::MIN);
    for value in ["on", ""] {
        client.send(&support::publish(&format!("{own}/state"), value, acknowledged, true));
    }
    client.send(&support::publish(&format!("{own}/kept"), vec![b'k'; 1000], acknowledged, true));
    // Half a message: PUBREL never comes. Nor is anything acknowledged that it was sent itself.
    let half = Delivery::first(QoS::ExactlyOnce, PacketId::MIN);
    client.send(&support::publish(&format!("{own}/half"), "half", half, false));
    client.send(&Packet::Pingreq);
    while client.receive() != Packet::Pingresp {}
    drop(client);

    for _ in 0..WAITING {
        sender.publish(&format!("{own}/waits"), vec![b'w'; 500], QoS::AtLeastOnce, false);
    }
    if number.is_multiple_of(4) {
        // Each is given what waits, and thrown out by the next.
        let first = staying(server, number, Wire::Tcp, true);
        let second = staying(server, number, Wire::WebSocket, true);
        drop((first, second));
    }
    if number.is_multiple_of(8) {
        let mut deaf = Client::connected(server.mqtt, V5, &format!("deaf-{number}"));
        deaf.subscribe("loud/+", QoS::AtMostOnce);
        for part in 0..LOUD {
            sender.publish(&format!("loud/{part}"), vec![b'!'; 64 << 10], QoS::AtMostOnce, false);
        }
        sender.ping();
    }
    // With the session goes the will, if it was not said before.
    drop(Client::connected(server.mqtt, V5, &name(number)));
    for place in ["kept", "will"] {
        sender.publish(&format!("{own}/{place}"), "", QoS::AtLeastOnce, true);
    }
}

/// So many messages wait for who is away, each of 500 bytes.
const WAITING: usize = 20;

/// So many, each of 64 KiB, are more than the system holds for one who never reads, and more than the server does.
const LOUD: usize = 96;

fn name(number: u64) -> String {
    format!("churn-{number}")
}

enum Wire {
    Tcp,
    WebSocket,
}

impl Wire {
    /// In turn.
    fn of(number: u64) -> Self {
        if number.is_multiple_of(2) { Self::Tcp } else { Self::WebSocket }
    }
}

/// One whose session stays.
fn staying(server: &Server, number: u64, over: Wire, resumes: bool) -> Client {
    let mut client = match over {
        Wire::Tcp => Client::tcp(server.mqtt),
        Wire::WebSocket => Client::websocket(server.http),
    };
    let mut hello = support::connect(V5, &name(number));
    if let Packet::Connect(connect) = &mut hello {
        connect.clean_start = !resumes;
        connect.properties.session_expiry_interval_s = Some(3_600);
        connect.will = Some(Box::new(Will {
            topic: TopicName::try_from(format!("churn/{number}/will").as_str()).unwrap(),
            payload: Bytes::from_static(b"gone without a goodbye"),
            qos: QoS::AtLeastOnce,
            retain: true,
            properties: WillProperties::default(),
        }));
    }
    assert_eq!(client.connect_as(&hello, V5).session_present, resumes);
    client
}
