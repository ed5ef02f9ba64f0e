//! The set time that a client asks for: an extension by user properties, beside the specification and within it.

use crate::driver::{Client, EPOCH_MS, World, packets::*};
use luxwire_shared::{
    mqtt::{
        Publish, ReasonCode, UserProperties,
        set_at::{self, Asked},
    },
    time::Timestamp,
};

// [MQTT-3.2.2-20]
#[test]
fn who_asks_is_told_the_time_of_the_broker() {
    let mut world = World::new();
    world.wait_s(5);
    let (_, connack) = world.connect_full(asking("recorder"));
    assert_eq!(set_at::read(&connack.properties.user_properties), Some(seconds_after_start(5)));
    let (_, connack) = world.connect_full(v5("page"));
    assert_eq!(connack.properties.user_properties, []);
    // Not at the cost of a CONNACK that would be too long for its client.
    let (client, connack) = world.connect_full(asking("small").packet_size(40));
    assert_eq!(connack.properties.user_properties, []);
    assert!(world.is_connected(client));
}

#[test]
fn each_message_tells_when_it_came_however_late_it_arrives() {
    let mut world = World::new();
    let dimmer = world.connect(v5("dimmer"));
    world.wait_s(1);
    world.publish_retained(dimmer, "x", "kept", Q0);
    let recorder = world.connect(asking("recorder").expiry_s(1_000));
    world.wait_s(1);
    world.subscribe(recorder, "x", Q1);
    assert_eq!(take(&mut world, recorder), ("kept".into(), seconds_after_start(1)));
    world.publish(dimmer, "x", "live", Q0);
    assert_eq!(take(&mut world, recorder), ("live".into(), seconds_after_start(2)));

    world.cut(recorder);
    world.wait_s(3);
    world.publish(dimmer, "x", "waited", Q1);
    world.wait_s(50);
    let recorder = world.connect(asking("recorder").resuming().expiry_s(1_000));
    assert_eq!(take(&mut world, recorder), ("waited".into(), seconds_after_start(5)));

    // Not acknowledged, so it is sent again.
    world.publish(dimmer, "x", "lost on the way", Q1);
    world.expect_publish(recorder);
    world.cut(recorder);
    world.wait_s(9);
    let recorder = world.connect(asking("recorder").resuming().expiry_s(1_000));
    assert_eq!(take(&mut world, recorder), ("lost on the way".into(), seconds_after_start(55)));
}

#[test]
fn who_asks_for_kept_values_only_is_told_nothing_with_what_happens_now() {
    let mut world = World::new();
    let dimmer = world.connect(v5("dimmer"));
    world.publish_retained(dimmer, "x", "kept", Q0);
    world.wait_s(1);
    let (page, connack) = world.connect_full(asking_for(Asked::Retained, "page"));
    assert_eq!(set_at::read(&connack.properties.user_properties), Some(seconds_after_start(1)));
    world.subscribe(page, "x", Q1);
    assert_eq!(take(&mut world, page), ("kept".into(), seconds_after_start(0)));
    world.publish_retained(dimmer, "x", "live", Q1);
    let live = world.expect_publish(page);
    assert_eq!(user_properties(&live), []);
    // Who asks twice gets all.
    let greedy = asking_for(Asked::Retained, "greedy").change(|connect| {
        connect.properties.user_properties.push(set_at::request(Asked::Always));
    });
    let greedy = world.connect(greedy);
    world.subscribe(greedy, "y", Q0);
    world.publish(dimmer, "y", "live", Q0);
    assert_eq!(take(&mut world, greedy), ("live".into(), seconds_after_start(1)));
}

// [MQTT-3.3.2-17] [MQTT-3.3.2-18]
#[test]
fn nobody_else_is_told_and_nothing_of_the_publisher_is_lost() {
    let mut world = World::new();
    let recorder = world.connect(asking("recorder"));
    let page = world.connect(v5("page"));
    let old = world.connect(v3("old"));
    for client in [recorder, page, old] {
        world.subscribe(client, "x", Q0);
    }
    let forged = (text(set_at::NAME), text("7"));
    let own = with_properties(publish("x", "1", Q0), |properties| {
        properties.user_properties = vec![(text("room"), text("kitchen")), forged.clone()];
    });
    let dimmer = world.connect(v5("dimmer"));
    world.publish_packet(dimmer, own);
    let told = user_properties(&world.expect_publish(recorder));
    assert_eq!(told[..2], [(text("room"), text("kitchen")), forged.clone()]);
    assert_eq!(told[2..], [set_at::answer(seconds_after_start(0))]);
    assert_eq!(user_properties(&world.expect_publish(page)), [(text("room"), text("kitchen")), forged]);
    assert_eq!(world.expect_publish(old).properties, None);
}

// [MQTT-3.1.2-24]
#[test]
fn the_set_time_counts_towards_the_size_that_a_client_takes() {
    let mut world = World::new();
    let longest = 200;
    let recorder = world.connect(asking("recorder").packet_size(longest));
    world.subscribe(recorder, "x", Q0);
    let dimmer = world.connect(v5("dimmer"));
    // Two bytes of fixed header and a third for its length, the topic, the length of the properties, and the property.
    let property = 1 + 2 + set_at::NAME.len() + 2 + EPOCH_MS.to_string().len();
    let room = longest as usize - (3 + 3 + 1 + property);
    assert_eq!(world.publish(dimmer, "x", &"-".repeat(room), Q0), ReasonCode::Success);
    assert_eq!(world.expect_publish(recorder).payload.len(), room);
    world.publish(dimmer, "x", &"-".repeat(room + 1), Q0);
    world.expect_nothing(recorder);
}

fn asking(client_id: &str) -> Connecting {
    asking_for(Asked::Always, client_id)
}

fn asking_for(asked: Asked, client_id: &str) -> Connecting {
    v5(client_id).change(|connect| connect.properties.user_properties.push(set_at::request(asked)))
}

/// What came, and when it was set.
fn take(world: &mut World, client: Client) -> (String, Timestamp) {
    let publish = world.expect_publish(client);
    world.acknowledge(client, &publish);
    let at = set_at::read(&user_properties(&publish)).expect("a set time");
    (String::from_utf8_lossy(&publish.payload).into_owned(), at)
}

fn user_properties(publish: &Publish) -> UserProperties {
    publish.properties.as_deref().map(|properties| properties.user_properties.clone()).unwrap_or_default()
}

fn seconds_after_start(seconds: u64) -> Timestamp {
    Timestamp::from_unix_millis(EPOCH_MS + seconds * 1_000)
}
