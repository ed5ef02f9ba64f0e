//! The topics of a light, and the names people give it.

use super::id;
use luxwire_shared::{
    model::{LightId, LightIdError, LightTopic, topics},
    mqtt::TopicName,
};
use proptest::prelude::*;

#[test]
fn a_topic_says_which_light_it_speaks_of() {
    assert_eq!(LightTopic::parse("lights/desk/intensity"), Ok(LightTopic::Intensity(id("desk"))));
    assert_eq!(LightTopic::parse("lights/desk/availability"), Ok(LightTopic::Availability(id("desk"))));
    assert_eq!(LightTopic::Intensity(id("desk")).name().as_str(), "lights/desk/intensity");
    assert_eq!(LightTopic::Availability(id("desk")).name().as_str(), "lights/desk/availability");
}

#[test]
fn other_topics_are_not_a_lights() {
    for topic in [
        "lights",
        "lights/desk",
        "lights/desk/",
        "lights/desk/intensity/x",
        "lights/a/b/intensity",
        "/lights/desk/intensity",
        "lightsx/desk/intensity",
        "Lights/desk/intensity",
        "lights/desk/Intensity",
        "lights//intensity",
        "",
    ] {
        assert!(LightTopic::parse(topic).is_err(), "{topic}");
    }
}

#[test]
fn an_identifier_is_one_level_of_at_most_64_characters() {
    let longest = "ü".repeat(64);
    assert_eq!(id(&longest).as_str(), longest);
    assert_eq!(LightId::try_from("ü".repeat(65).as_str()), Err(LightIdError::TooLong));
    assert_eq!(LightId::try_from(""), Err(LightIdError::Empty));
    for reserved in ['/', '+', '#'] {
        assert_eq!(LightId::try_from(format!("a{reserved}").as_str()), Err(LightIdError::Reserved(reserved)));
    }
    assert!(LightId::try_from("a\0").is_err());
}

#[test]
fn people_read_names() {
    let name = |text| id(text).display_name();
    assert_eq!(name("living-room_lamp"), "Living room lamp");
    assert_eq!(name("desk"), "Desk");
    assert_eq!(name("LED.strip"), "LED strip");
    assert_eq!(name("élan vital"), "Élan vital");
    assert_eq!(name("a\u{7}b"), "A b");
    assert_eq!(name("---"), "---");
}

#[test]
fn a_name_becomes_an_identifier() {
    assert_eq!(LightId::from_name("  Living room / lamp #2 "), Ok(id("living-room-lamp-2")));
    assert_eq!(LightId::from_name("Küche"), Ok(id("küche")));
    assert_eq!(LightId::from_name(" +/# "), Err(LightIdError::Empty));
    assert_eq!(LightId::from_name(&"a".repeat(65)), Err(LightIdError::TooLong));
}

proptest! {
    #[test]
    fn every_light_is_followed_and_found_again(text in "[^/+#\0]{1,64}") {
        let light = id(&text);
        for topic in [LightTopic::Intensity(light.clone()), LightTopic::Availability(light.clone())] {
            let name: TopicName = topic.name();
            prop_assert_eq!(LightTopic::parse(&name), Ok(topic.clone()));
            let followed = topics::every_light().iter().filter(|wanted| wanted.filter.filter.matches(&name)).count();
            prop_assert_eq!(followed, 1);
            prop_assert!(topic.subscription().filter.filter.matches(&name));
        }
    }

    #[test]
    fn a_suggested_identifier_is_valid_and_stays_the_same(name in "\\PC{0,40}") {
        if let Ok(light) = LightId::from_name(&name) {
            prop_assert_eq!(LightId::from_name(light.as_str()), Ok(light.clone()));
            prop_assert!(!light.display_name().is_empty());
        }
    }
}

#[test]
fn a_dimmer_speaks_of_itself_beside_the_lamp() {
    let topic = topics::dimmer_availability(&id("desk"));
    assert_eq!(topic.as_str(), "dimmers/desk/availability");
    assert!(LightTopic::parse(topic.as_str()).is_err(), "nobody takes it for a light");
}
