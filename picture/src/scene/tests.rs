//! What the picture shows and says, in the words of the broker on one side and of people on the other.

use super::*;
use crate::{
    event::{Client, Picture, Published},
    motion::FLIGHT_MS,
};
use luxwire_shared::time::Timestamp;

const STAGE: Stage = Stage { width: 1148.0, height: 414.0, rem: 16.0 };
const TIME: LocalTime = LocalTime { now: Timestamp::from_unix_millis(1_795_798_800_000), utc_offset_min: 60 };
const DESK: &str = "lights/Desk/intensity";

fn client(key: Key, id: &str, follows: &[&str]) -> Client {
    let follows = follows.iter().map(|filter| (*filter).into()).collect();
    Client { key, id: id.into(), follows, ..Client::default() }
}

/// This page (1), a dimmer (2) and a lamp (3) at a light that was set to 20 %.
fn home() -> Scene {
    let mut scene = Scene::new("luxwire-page-1", STAGE);
    let published = Published { topic: DESK.into(), payload: Some("20".into()), ..Published::default() };
    let dimmer = Client { publishes: vec![published], ..client(2, "luxwire-dimmer-1", &[]) };
    let clients =
        vec![client(1, "luxwire-page-1", &["lights/+/intensity"]), dimmer, client(3, "lamp", &[DESK])];
    scene.hear(Event::Picture(Picture { clients, ..Picture::default() }), 0.0, TIME);
    scene
}

fn message(from: Option<Key>, payload: &str, to: &[Key]) -> Message {
    let payload = Some(payload.to_owned());
    Message { from, topic: DESK.into(), bytes: 2, payload, retain: true, to: to.into(), ..Message::default() }
}

fn node(scene: &Scene, key: Key) -> &Node {
    scene.number(&NodeId::One(key)).and_then(|number| scene.node(number)).unwrap()
}

#[test]
fn a_lamp_shines_as_it_was_set_and_changes_when_the_message_reaches_it() {
    let mut scene = home();
    assert_eq!((node(&scene, 3).level, &*node(&scene, 3).note), (Some(20), "20 %"));
    scene.hear(Event::Message(message(Some(2), "80", &[1, 3])), 0.0, TIME);
    scene.advance(FLIGHT_MS, FLIGHT_MS);
    assert_eq!(node(&scene, 3).level, Some(20), "it is still under way");
    assert!(scene.is_moving(FLIGHT_MS) && scene.broker_glow() > 0.0);
    scene.advance(FLIGHT_MS * 2.0, FLIGHT_MS * 3.0);
    assert_eq!((node(&scene, 3).level, &*node(&scene, 3).note), (Some(80), "80 %"));
    scene.advance(10_000.0, 10_000.0);
    assert!(!scene.is_moving(10_000.0));
}

#[test]
fn what_happens_is_told_with_the_names_of_people() {
    let mut scene = home();
    scene.hear(Event::Message(message(Some(1), "80", &[1, 3])), 0.0, TIME);
    assert_eq!(scene.sentence(), "This page set Desk to 80 %. The Desk lamp follows it and has it.");
    scene.hear(Event::Left(3), 100.0, TIME);
    scene.advance(16.0, 5_000.0);
    assert_eq!(scene.sentence(), "The Desk lamp left.");
    scene.hear(Event::Joined(client(9, "explorer", &[])), 10_000.0, TIME);
    assert_eq!(scene.sentence(), "explorer joined.");
    let kept = Message { kept: true, ..message(None, "80", &[9]) };
    scene.hear(Event::Message(kept), 20_000.0, TIME);
    assert_eq!(scene.sentence(), "The broker kept Desk: 80 % on its shelf, and has handed it to explorer.");
}

#[test]
fn a_kept_value_comes_from_the_shelf_whoever_set_it() {
    let mut scene = home();
    scene.hear(Event::Message(Message { kept: true, ..message(Some(2), "80", &[3]) }), 0.0, TIME);
    scene.advance(100.0, 100.0);
    let ways: Vec<Way> = scene.motion.flights().map(|(_, way, _, _)| way).collect();
    assert_eq!(ways, [Way::Out]);
}

#[test]
fn what_nobody_saw_has_arrived_when_somebody_looks_again() {
    let mut scene = home();
    for value in 0..=100 {
        scene.hear(Event::Message(message(Some(2), &value.to_string(), &[3])), 0.0, TIME);
    }
    scene.catch_up();
    assert_eq!((node(&scene, 3).level, scene.motion.count()), (Some(100), 0));
}

#[test]
fn slow_motion_tells_of_the_message_that_it_shows() {
    let mut scene = home();
    scene.set_pace(Pace::Slow);
    scene.hear(Event::Message(message(Some(2), "30", &[3])), 0.0, TIME);
    scene.hear(Event::Message(message(Some(2), "31", &[3])), 0.0, TIME);
    scene.hear(Event::Message(message(Some(2), "32", &[3])), 0.0, TIME);
    scene.advance(16.0, 16.0);
    assert_eq!(scene.sentence(), "1. The Desk dimmer publishes 30 % on the topic lights/Desk/intensity.");
    scene.advance(60_000.0, 60_000.0);
    scene.advance(16.0, 60_016.0);
    assert_eq!(scene.sentence(), "1. The Desk dimmer publishes 32 % on the topic lights/Desk/intensity.");
}

#[test]
fn a_line_that_breaks_leaves_the_last_picture_and_remembers_since_when() {
    let mut scene = Scene::new("x", STAGE);
    scene.lose(TIME.now);
    assert_eq!(scene.link(), Link::Missing);
    let mut scene = home();
    scene.lose(TIME.now);
    scene.lose(Timestamp::from_unix_millis(TIME.now.unix_millis() + 5_000));
    assert_eq!((scene.link(), scene.nodes().count()), (Link::Lost(TIME.now), 3));
    scene.hear(Event::Picture(Picture::default()), 0.0, TIME);
    assert_eq!((scene.link(), scene.nodes().count()), (Link::Live, 0));
}

#[test]
fn who_is_clicked_is_described_until_gone() {
    let mut scene = home();
    scene.select(Some(Selected::Node(NodeId::One(3))));
    assert_eq!(scene.details(TIME).unwrap().title, "Desk lamp");
    scene.hear(Event::Left(3), 0.0, TIME);
    assert_eq!((scene.selected(), scene.details(TIME)), (None, None));
}

#[test]
fn many_who_are_alike_are_one_node_and_get_their_copies_together() {
    let mut scene = Scene::new("x", Stage { width: 358.0, height: 500.0, rem: 16.0 });
    let mut clients: Vec<Client> =
        (0..200).map(|key| client(key, &format!("luxwire-lamp-{key:06}"), &[DESK])).collect();
    clients.push(client(900, "luxwire-dimmer-1", &[]));
    scene.hear(Event::Picture(Picture { clients, ..Picture::default() }), 0.0, TIME);
    let names: Vec<&str> = scene.nodes().map(|(_, node)| node.name.as_str()).collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&"200 lamps"), "{names:?}");
    let to: Vec<Key> = (0..200).collect();
    scene.hear(Event::Message(message(Some(900), "80", &to)), 0.0, TIME);
    scene.advance(FLIGHT_MS + 100.0, FLIGHT_MS + 100.0);
    let weights: Vec<u32> = scene.motion.flights().map(|(_, _, _, flight)| flight.weight).collect();
    assert_eq!(weights, [200]);
    let lamps = scene.nodes().find(|(_, node)| node.name == "200 lamps").unwrap().1.group.id.clone();
    scene.select(Some(Selected::Node(lamps)));
    assert_eq!(scene.details(TIME).unwrap().members.len(), 200);
}

#[test]
fn messages_are_counted_shown_or_not() {
    let mut scene = home();
    for _ in 0..10 {
        scene.hear(Event::Message(message(Some(2), "80", &[3])), 1_000.0, TIME);
    }
    scene.hear(Event::Busy { messages: 90, deliveries: 900 }, 1_000.0, TIME);
    assert!(scene.hum(1_000.0) > 0.5);
    scene.advance(16.0, 2_000.0);
    assert_eq!(scene.summary(), "3 clients, 50 messages a second");
    scene.advance(16.0, 9_000.0);
    assert_eq!((scene.summary().as_str(), scene.is_counting()), ("3 clients", false));
}
