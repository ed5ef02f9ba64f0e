//! Reason strings: what people are told beside the reason code, and when they are not.

use crate::driver::{Client, World, packets::*};
use luxwire_shared::mqtt::{AcknowledgeProperties, Packet, ReasonCode};

fn words(properties: Option<Box<AcknowledgeProperties>>) -> Option<String> {
    let properties = properties?;
    assert!(properties.user_properties.is_empty());
    properties.reason_string.map(|words| words.to_string())
}

/// What a client hears about a topic that is the broker's, at QoS 1 and 2, and about a filter that is too deep.
fn complaints(world: &mut World, client: Client) -> Vec<Option<String>> {
    let mut complaints = Vec::new();
    for qos in [Q1, Q2] {
        world.send_publish(client, publish("$SYS/x", "1", qos));
        match world.expect(client) {
            Packet::Puback(answer) | Packet::Pubrec(answer) => {
                assert_eq!(answer.reason, ReasonCode::TopicNameInvalid);
                complaints.push(words(answer.properties));
            }
            other => panic!("{other:?}"),
        }
    }
    world.send(client, subscribe_to([filter("x", Q1), filter(&"/".repeat(200), Q1)]));
    let suback = world.expect_suback(client);
    assert_eq!(suback.reasons, [ReasonCode::GrantedQoS1, ReasonCode::TopicFilterInvalid]);
    complaints.push(words(suback.properties));
    complaints
}

#[test]
fn what_is_refused_is_explained() {
    let mut world = World::new();
    for wish in [None, Some(true)] {
        let client =
            world.connect(v5("a").change(|connect| connect.properties.request_problem_information = wish));
        let complaints = complaints(&mut world, client);
        for (complaint, word) in complaints.into_iter().zip(["$SYS", "$SYS", "128 levels"]) {
            assert!(complaint.expect("an explanation").contains(word));
        }
        // What goes well needs no words.
        world.send(client, subscribe("x", Q1));
        assert_eq!(world.expect_suback(client).properties, None);
        world.send_publish(client, publish("y", "1", Q1));
        let Packet::Puback(puback) = world.expect(client) else { panic!("expected PUBACK") };
        assert_eq!(puback.properties, None);
    }
}

// [MQTT-3.1.2-29]
#[test]
fn who_asked_to_be_spared_gets_words_in_connack_and_disconnect_only() {
    let mut world = World::new();
    let spared = || v5("a").change(|connect| connect.properties.request_problem_information = Some(false));
    let client = world.connect(spared());
    assert_eq!(complaints(&mut world, client), [None, None, None]);
    world.send(client, Packet::Pingresp);
    assert!(world.expect_disconnect(client, ReasonCode::ProtocolError).is_some());
    let refused = world.open();
    let mut connect = spared().change(|connect| connect.client_id = text(&"x".repeat(2000)));
    connect = connect.change(|connect| connect.keep_alive_s = 1);
    world.send(refused, Packet::Connect(Box::new(connect.into())));
    let connack = world.expect_connack(refused);
    assert_eq!(connack.reason, ReasonCode::ClientIdentifierNotValid);
    assert!(connack.properties.reason_string.expect("an explanation").contains("client identifier"));
}

// [MQTT-3.1.2-24] [MQTT-3.2.2-19] [MQTT-3.4.2-2] [MQTT-3.5.2-2] [MQTT-3.9.2-1] [MQTT-3.14.2-3] The driver's wire sees that
// nothing is larger than the client takes.
#[test]
fn words_that_do_not_fit_are_left_out() {
    let mut world = World::new();
    let client = world.connect(v5("a").packet_size(30));
    assert_eq!(complaints(&mut world, client), [None, None, None]);
    let second = world.connect(v5("a"));
    assert_eq!(world.expect_disconnect(client, ReasonCode::SessionTakenOver), None);
    world.connect(v5("a"));
    assert!(world.expect_disconnect(second, ReasonCode::SessionTakenOver).is_some());
    let refused = world.open();
    let connect = v5(&"x".repeat(2000)).packet_size(30);
    world.send(refused, Packet::Connect(Box::new(connect.into())));
    let connack = world.expect_connack(refused);
    assert_eq!(connack.reason, ReasonCode::ClientIdentifierNotValid);
    assert_eq!(connack.properties.reason_string, None);
}

#[test]
fn a_client_of_3_1_1_hears_nothing() {
    let mut world = World::new();
    let old = world.connect(v3("old"));
    world.send_publish(old, publish("$SYS/x", "1", Q1));
    world.expect_packet(old, puback(1));
    world.send(old, subscribe_to([filter(&"/".repeat(200), Q1)]));
    assert_eq!(world.expect_suback(old).properties, None);
}
