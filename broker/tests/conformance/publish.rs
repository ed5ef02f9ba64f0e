//! Section 3.3, PUBLISH.

use crate::driver::{World, packets::*};
use luxwire_shared::mqtt::QoS;

const Q0: QoS = QoS::AtMostOnce;
const Q1: QoS = QoS::AtLeastOnce;
const Q2: QoS = QoS::ExactlyOnce;

// [MQTT-3.8.4-8]
#[test]
fn the_lower_of_published_and_granted_quality_is_delivered() {
    for published in [Q0, Q1, Q2] {
        for granted in [Q0, Q1, Q2] {
            let mut world = World::new();
            let lamp = world.connect(v5("lamp"));
            let dimmer = world.connect(v5("dimmer"));
            world.subscribe(lamp, "lights/+/intensity", granted);
            world.publish(dimmer, "lights/1/intensity", "50", published);
            let publish = world.expect_publish(lamp);
            assert_eq!(publish.qos(), published.min(granted));
            assert_eq!(&*publish.payload, b"50");
        }
    }
}

// [MQTT-3.3.1-5]
#[test]
fn a_late_subscriber_gets_the_latest_retained_value() {
    let mut world = World::new();
    let dimmer = world.connect(v5("dimmer"));
    world.publish_retained(dimmer, "lights/1/intensity", "10", Q1);
    world.publish_retained(dimmer, "lights/1/intensity", "20", Q1);
    let page = world.connect(v5("page"));
    world.subscribe(page, "lights/#", Q1);
    assert!(
        matches!(world.next(page), Some(luxwire_shared::mqtt::Packet::Publish(publish)) if publish.retain && &*publish.payload == b"20")
    );
    world.expect_nothing(page);
}
