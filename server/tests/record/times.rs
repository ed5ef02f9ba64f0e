//! At our broker, which says when values were set.

use crate::{
    House,
    recorder::{DESK, Folder, Hand, Recorder},
    support::eventually,
};
use luxwire_shared::mqtt::{Delivery, Packet, PacketId, Publish, PublishProperties, QoS, TopicName, Version};
use std::time::{SystemTime, UNIX_EPOCH};

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[test]
fn a_value_that_comes_late_has_the_time_at_which_it_was_set() {
    let house = House::start();
    let folder = Folder::new();
    let mut hand = Hand::at(house.mqtt());
    hand.sets(0);
    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    recorder.until(DESK, "0");
    assert_eq!(recorder.stopped(), Some(0));
    for number in 1..=30 {
        hand.sets(number);
    }
    let all_set = now_ms();
    // A later millisecond: whatever has an earlier one was not dated by its arrival.
    eventually("the next millisecond", || (now_ms() > all_set).then_some(()));
    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    recorder.until(DESK, "30");
    let values = recorder.values(DESK);
    assert_eq!(values.len(), 31);
    for value in &values {
        assert_eq!(value["time_from"], "broker", "{value}");
    }
    let until = recorder.ask(DESK, &format!("from=0&to={}", all_set + 1)).json();
    assert_eq!(until["values"].as_array().unwrap().len(), 31);
    recorder.says(&["30 values had waited at the broker since 20"]);
}

#[test]
fn a_time_that_a_publisher_claims_is_not_believed() {
    let house = House::start();
    let folder = Folder::new();
    let mut client = crate::support::Client::connected(house.mqtt(), Version::V5, "liar");
    let properties = PublishProperties {
        user_properties: vec![("luxwire-set-at-ms".try_into().unwrap(), "5".try_into().unwrap())],
        ..PublishProperties::default()
    };
    client.send(&Packet::Publish(Publish {
        delivery: Delivery::first(QoS::AtLeastOnce, PacketId::MIN),
        retain: true,
        properties: Some(Box::new(properties)),
        ..Publish::new(TopicName::try_from(DESK).unwrap(), "40")
    }));
    client.receive();
    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    recorder.until(DESK, "40");
    let value = &recorder.values(DESK)[0];
    assert!(!value["set_at"].as_str().unwrap().starts_with("1970"), "{value}");
}
