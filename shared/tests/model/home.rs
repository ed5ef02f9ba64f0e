//! All lights of a page: messages in, views and publications out, through good and bad connections.

use super::{id, ms, percent};
use luxwire_shared::{
    model::{AddError, Availability, Home, KEPT, LIGHTS_MAX, LightView, Notice, Outgoing, Ticket, topics},
    mqtt::{QoS, ReasonCode},
    time::{Instant, Timestamp},
};
use std::time::Duration;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_millis(1_800_000_000_000 + seconds * 1_000)
}

fn online_home() -> Home {
    let mut home = Home::new();
    home.connected(false, ms(0));
    home.subscribed(ms(0));
    home
}

fn live(home: &mut Home, topic: &str, payload: &str, now: Instant) {
    home.message(topic, payload.as_bytes(), Some(at(0)), now);
}

fn kept(home: &mut Home, topic: &str, payload: &str, now: Instant) {
    home.message(topic, payload.as_bytes(), None, now);
}

fn names(home: &Home) -> Vec<String> {
    home.lights().into_iter().map(|light| light.name).collect()
}

fn desk(home: &Home) -> LightView {
    home.light(&id("desk")).unwrap()
}

fn drain(home: &mut Home) -> Vec<Outgoing> {
    std::iter::from_fn(|| home.poll_outgoing()).collect()
}

fn published(home: &mut Home) -> Vec<(String, String, QoS)> {
    let text = |outgoing: Outgoing| {
        (outgoing.topic.to_string(), String::from_utf8(outgoing.payload.to_vec()).unwrap(), outgoing.qos)
    };
    drain(home).into_iter().map(text).collect()
}

fn only_ticket(home: &mut Home) -> Ticket {
    match drain(home).as_slice() {
        [Outgoing { ticket: Some(ticket), .. }] => *ticket,
        other => panic!("one publication with a ticket expected: {other:?}"),
    }
}

fn level(value: &str, qos: QoS) -> (String, String, QoS) {
    ("lights/desk/intensity".into(), value.into(), qos)
}

#[test]
fn every_light_that_speaks_is_shown_in_the_order_of_names() {
    let mut home = online_home();
    for light in ["lamp-10", "Lamp-2", "attic", "lamp-1"] {
        kept(&mut home, &format!("lights/{light}/intensity"), "40", ms(1));
    }
    live(&mut home, "zigbee2mqtt/desk", "ON", ms(1));
    assert_eq!(names(&home), ["Attic", "Lamp 1", "Lamp 2", "Lamp 10"]);
}

#[test]
fn what_is_no_level_is_ignored_and_reported_once() {
    let mut home = online_home();
    live(&mut home, "lights/desk/intensity", "101", ms(1));
    assert!(home.lights().is_empty());
    live(&mut home, "lights/desk/intensity", "40", ms(2));
    live(&mut home, "lights/desk/intensity", "bright", ms(3));
    live(&mut home, "lights/desk/intensity", "bright", ms(4));
    assert_eq!(desk(&home).displayed, percent(40));
    let notices: Vec<String> =
        std::iter::from_fn(|| home.poll_notice()).map(|notice| notice.to_string()).collect();
    assert_eq!(
        notices,
        [
            "Ignored \"101\" for Desk: outside 0 to 100",
            "Ignored \"bright\" for Desk: not a number such as 40 or 40.5",
        ]
    );
}

#[test]
fn a_hand_on_a_slider_publishes_for_its_light() {
    let mut home = online_home();
    kept(&mut home, "lights/desk/intensity", "40", ms(0));
    home.press(&id("desk"));
    home.input(&id("desk"), percent(50), ms(10));
    assert_eq!(published(&mut home), [level("50", QoS::AtMostOnce)]);
    home.input(&id("desk"), percent(55), ms(20));
    home.input(&id("desk"), percent(60), ms(30));
    assert_eq!(home.next_deadline(), Some(ms(110)));
    home.tick(ms(110));
    assert_eq!(published(&mut home), [level("60", QoS::AtMostOnce)]);
    home.release(&id("desk"), ms(150));
    assert_eq!(published(&mut home), [level("60", QoS::AtLeastOnce)]);
}

#[test]
fn what_the_hand_passed_over_does_not_come_after_where_it_stopped() {
    let mut home = online_home();
    kept(&mut home, "lights/desk/intensity", "40", ms(0));
    home.press(&id("desk"));
    home.input(&id("desk"), percent(50), ms(10));
    home.input(&id("desk"), percent(60), ms(20));
    home.release(&id("desk"), ms(30));
    assert_eq!(published(&mut home), [level("60", QoS::AtLeastOnce)]);
}

#[test]
fn a_server_that_dies_mid_drag_gets_the_final_value_once_it_is_back_and_only_once() {
    let mut home = online_home();
    kept(&mut home, "lights/desk/intensity", "40", ms(0));
    home.press(&id("desk"));
    home.input(&id("desk"), percent(50), ms(10));
    drain(&mut home);
    home.disconnected();
    home.input(&id("desk"), percent(60), ms(1_000));
    home.input(&id("desk"), percent(70), ms(1_500));
    home.release(&id("desk"), ms(2_000));
    home.tick(ms(3_000));
    assert_eq!(published(&mut home), []);
    assert_eq!(desk(&home).displayed, percent(70));
    assert!(desk(&home).unacknowledged);

    home.connected(false, ms(9_000));
    let ticket = only_ticket(&mut home);
    home.subscribed(ms(9_010));
    kept(&mut home, "lights/desk/intensity", "50", ms(9_020));
    home.acknowledged(ticket, ReasonCode::Success, ms(9_030));
    live(&mut home, "lights/desk/intensity", "70", ms(9_040));
    home.tick(ms(20_000));
    assert_eq!(published(&mut home), []);
    assert_eq!(desk(&home).displayed, percent(70));
    assert!(!desk(&home).unacknowledged);
    assert_eq!(home.poll_notice(), None);
}

#[test]
fn a_final_value_in_flight_when_the_server_dies_is_sent_again_once() {
    for reported_before_connected in [true, false] {
        let mut home = online_home();
        kept(&mut home, "lights/desk/intensity", "40", ms(0));
        home.switch(&id("desk"), false, ms(10));
        let first = only_ticket(&mut home);
        home.disconnected();
        if reported_before_connected {
            home.unsent(first, ms(5_000));
            home.connected(false, ms(5_000));
        } else {
            home.connected(false, ms(5_000));
            assert_eq!(published(&mut home), [], "a resumed session would send it");
            home.unsent(first, ms(5_000));
        }
        let second = only_ticket(&mut home);
        assert_ne!(first, second);
        home.acknowledged(second, ReasonCode::Success, ms(5_010));
        assert_eq!(published(&mut home), []);
    }
}

#[test]
fn a_final_value_in_flight_that_was_superseded_is_not_sent_again() {
    let mut home = online_home();
    kept(&mut home, "lights/desk/intensity", "40", ms(0));
    home.set(&id("desk"), percent(50), ms(10));
    let outdated = only_ticket(&mut home);
    home.disconnected();
    home.press(&id("desk"));
    home.input(&id("desk"), percent(60), ms(500));
    home.connected(false, ms(5_000));
    home.unsent(outdated, ms(5_000));
    assert_eq!(published(&mut home), [level("60", QoS::AtMostOnce)], "the hand is followed");
    home.release(&id("desk"), ms(6_000));
    assert_eq!(published(&mut home), [level("60", QoS::AtLeastOnce)]);
    home.acknowledged(outdated, ReasonCode::NotAuthorized, ms(6_010));
    assert_eq!(home.poll_notice(), None, "nobody asks about it any more");
}

#[test]
fn a_wish_that_waited_too_long_is_given_up() {
    let mut home = online_home();
    kept(&mut home, "lights/desk/intensity", "40", ms(0));
    home.disconnected();
    home.set(&id("desk"), percent(90), ms(0));
    assert_eq!(home.next_deadline(), Some(ms(0) + KEPT));
    home.tick(ms(0) + KEPT);
    assert_eq!(desk(&home).displayed, percent(40));
    assert_eq!(home.poll_notice(), Some(Notice::NotSent { light: id("desk") }));
    home.connected(false, ms(1) + KEPT);
    assert_eq!(published(&mut home), []);
}

#[test]
fn a_wish_in_flight_for_too_long_is_given_up_when_its_fate_is_known() {
    let mut home = online_home();
    kept(&mut home, "lights/desk/intensity", "40", ms(0));
    home.set(&id("desk"), percent(90), ms(0));
    let ticket = only_ticket(&mut home);
    home.disconnected();
    home.connected(false, ms(0) + KEPT * 10);
    home.unsent(ticket, ms(0) + KEPT * 10);
    assert_eq!(published(&mut home), []);
    assert_eq!(home.poll_notice(), Some(Notice::NotSent { light: id("desk") }));
}

#[test]
fn a_refused_wish_gives_way_and_says_why() {
    let mut home = online_home();
    kept(&mut home, "lights/desk/intensity", "40", ms(0));
    home.set(&id("desk"), percent(90), ms(0));
    let ticket = only_ticket(&mut home);
    home.acknowledged(ticket, ReasonCode::NotAuthorized, ms(10));
    assert_eq!(desk(&home).displayed, percent(40));
    assert_eq!(home.poll_notice().unwrap().to_string(), "You may not change Desk");
}

#[test]
fn a_light_is_added_by_its_first_level() {
    let mut home = online_home();
    home.add(id("desk"), percent(40), ms(0)).unwrap();
    assert_eq!(desk(&home).displayed, percent(40));
    assert_eq!(home.add(id("desk"), percent(50), ms(1)), Err(AddError::Exists));
    assert_eq!(published(&mut home), [level("40", QoS::AtLeastOnce)]);
}

#[test]
fn a_light_is_removed_by_clearing_its_topics() {
    let mut home = online_home();
    kept(&mut home, "lights/desk/intensity", "40", ms(0));
    kept(&mut home, "lights/desk/availability", "online", ms(0));
    home.remove(&id("desk"), ms(10));
    assert!(home.lights().is_empty());
    let cleared = published(&mut home);
    assert_eq!(
        cleared,
        [
            ("lights/desk/intensity".into(), String::new(), QoS::AtLeastOnce),
            ("lights/desk/availability".into(), String::new(), QoS::AtLeastOnce),
        ]
    );
    live(&mut home, "lights/desk/intensity", "41", ms(15));
    assert!(home.lights().is_empty(), "what was on its way does not bring it back");
    live(&mut home, "lights/desk/intensity", "", ms(20));
    live(&mut home, "lights/desk/availability", "", ms(20));
    live(&mut home, "lights/desk/intensity", "42", ms(5_000));
    assert_eq!(desk(&home).displayed, percent(42), "whoever sets it again brings it back");
}

#[test]
fn a_refused_removal_brings_the_light_back() {
    let mut home = online_home();
    kept(&mut home, "lights/desk/intensity", "40", ms(0));
    home.remove(&id("desk"), ms(10));
    let tickets: Vec<Ticket> = drain(&mut home).into_iter().filter_map(|outgoing| outgoing.ticket).collect();
    for ticket in tickets {
        home.acknowledged(ticket, ReasonCode::NotAuthorized, ms(20));
    }
    assert_eq!(desk(&home).displayed, percent(40));
    assert_eq!(
        home.poll_notice(),
        Some(Notice::Refused { light: id("desk"), reason: ReasonCode::NotAuthorized })
    );
    assert_eq!(home.poll_notice(), None);
}

#[test]
fn a_light_that_others_remove_is_gone_also_under_the_hand() {
    let mut home = online_home();
    kept(&mut home, "lights/desk/intensity", "40", ms(0));
    home.press(&id("desk"));
    home.input(&id("desk"), percent(50), ms(10));
    drain(&mut home);
    live(&mut home, "lights/desk/intensity", "", ms(20));
    home.input(&id("desk"), percent(60), ms(500));
    home.release(&id("desk"), ms(600));
    home.tick(ms(5_000));
    assert!(home.lights().is_empty());
    assert_eq!(published(&mut home), []);
}

#[test]
fn a_light_added_again_survives_the_echo_of_its_removal() {
    let mut home = online_home();
    kept(&mut home, "lights/desk/intensity", "40", ms(0));
    home.remove(&id("desk"), ms(10));
    drain(&mut home);
    home.add(id("desk"), percent(70), ms(20)).unwrap();
    drain(&mut home);
    live(&mut home, "lights/desk/intensity", "", ms(30));
    assert_eq!(desk(&home).displayed, percent(70));
    live(&mut home, "lights/desk/intensity", "70", ms(40));
    assert_eq!(desk(&home).displayed, percent(70));
}

#[test]
fn availability_says_since_when() {
    let mut home = online_home();
    kept(&mut home, "lights/desk/availability", "online", ms(0));
    assert!(home.lights().is_empty(), "a lamp without a level is no light yet");
    kept(&mut home, "lights/desk/intensity", "40", ms(0));
    assert_eq!(desk(&home).availability, Availability::Online);
    home.message("lights/desk/availability", b"offline", Some(at(7)), ms(10));
    assert_eq!(desk(&home).availability, Availability::Offline { since: Some(at(7)) });
    home.message("lights/desk/availability", b"offline", Some(at(8)), ms(20));
    assert_eq!(desk(&home).availability, Availability::Offline { since: Some(at(7)) }, "it was gone already");
    live(&mut home, "lights/desk/availability", "", ms(30));
    assert_eq!(desk(&home).availability, Availability::Unknown);
}

#[test]
fn a_level_has_the_time_at_which_it_was_seen_to_change() {
    let mut home = online_home();
    kept(&mut home, "lights/desk/intensity", "40", ms(0));
    assert_eq!(desk(&home).set_at, None, "nobody says since when");
    home.message("lights/desk/intensity", b"50", Some(at(5)), ms(10));
    assert_eq!(desk(&home).set_at, Some(at(5)));
    kept(&mut home, "lights/desk/intensity", "50", ms(20));
    assert_eq!(desk(&home).set_at, Some(at(5)), "told again is not set again");
    kept(&mut home, "lights/desk/intensity", "60", ms(30));
    assert_eq!(desk(&home).set_at, None);
}

#[test]
fn a_broker_that_tells_set_times_is_believed() {
    let mut home = online_home();
    home.message("lights/desk/intensity", b"40", Some(at(1)), ms(0));
    home.message("lights/desk/availability", b"offline", Some(at(2)), ms(0));
    let view = desk(&home);
    assert_eq!((view.set_at, view.availability), (Some(at(1)), Availability::Offline { since: Some(at(2)) }));

    home.disconnected();
    home.connected(false, ms(10));
    home.subscribed(ms(10));
    home.message("lights/desk/intensity", b"40", Some(at(5)), ms(20));
    home.message("lights/desk/availability", b"offline", Some(at(6)), ms(20));
    let view = desk(&home);
    assert_eq!(view.set_at, Some(at(5)), "it was set again while nobody listened");
    assert_eq!(view.availability, Availability::Offline { since: Some(at(6)) }, "it was back for a while");
}

#[test]
fn after_a_lost_session_only_what_is_said_again_remains() {
    let mut home = online_home();
    for light in ["desk", "shelf", "window"] {
        kept(&mut home, &format!("lights/{light}/intensity"), "40", ms(0));
    }
    home.disconnected();
    home.set(&id("window"), percent(80), ms(500));
    home.connected(false, ms(1_000));
    home.subscribed(ms(1_100));
    assert_eq!(home.lights().len(), 3, "they are shown until it is clear that they are gone");
    kept(&mut home, "lights/desk/intensity", "41", ms(1_200));
    home.tick(ms(3_199));
    assert_eq!(home.lights().len(), 3);
    assert_eq!(home.next_deadline(), Some(ms(3_200)));
    home.tick(ms(3_200));
    assert_eq!(names(&home), ["Desk", "Window"], "a wish keeps its light");
}

#[test]
fn a_resumed_session_says_nothing_again_and_loses_nothing() {
    let mut home = online_home();
    kept(&mut home, "lights/desk/intensity", "40", ms(0));
    home.disconnected();
    home.connected(true, ms(1_000));
    home.subscribed(ms(1_000));
    home.tick(ms(60_000));
    assert_eq!(names(&home), ["Desk"]);
}

#[test]
fn a_hidden_page_lets_go_of_every_slider() {
    let mut home = online_home();
    for light in ["desk", "shelf"] {
        kept(&mut home, &format!("lights/{light}/intensity"), "40", ms(0));
        home.press(&id(light));
        home.input(&id(light), percent(50), ms(10));
    }
    drain(&mut home);
    home.release_all(ms(100));
    let finals = drain(&mut home);
    assert_eq!(finals.len(), 2);
    assert!(finals.iter().all(|outgoing| outgoing.ticket.is_some()));
}

#[test]
fn a_flood_of_lights_is_bounded_and_said() {
    let mut home = online_home();
    for light in 0..LIGHTS_MAX + 10 {
        kept(&mut home, &format!("lights/{light}/intensity"), "40", ms(0));
    }
    assert_eq!(home.lights().len(), LIGHTS_MAX);
    assert_eq!(home.poll_notice(), Some(Notice::TooManyLights { shown: LIGHTS_MAX }));
    assert_eq!(home.poll_notice(), None);
}

/// Two pages and a broker that keeps values, each message underway for a while.
#[test]
fn two_hands_on_one_light_end_in_one_truth() {
    let mut homes = [online_home(), online_home()];
    for home in &mut homes {
        kept(home, "lights/desk/intensity", "40", ms(0));
        home.press(&id("desk"));
    }
    let delay = Duration::from_millis(35);
    let mut underway: Vec<(Instant, Outgoing)> = Vec::new();
    for step in 0..200_u64 {
        let now = ms(step * 10);
        for (index, home) in homes.iter_mut().enumerate() {
            let value = if index == 0 { step / 3 } else { 100 - step / 3 } as u8;
            match step {
                0..100 => home.input(&id("desk"), percent(value), now),
                100 => home.release(&id("desk"), now),
                _ => {}
            }
            home.tick(now);
            while let Some(outgoing) = home.poll_outgoing() {
                if let Some(ticket) = outgoing.ticket {
                    home.acknowledged(ticket, ReasonCode::Success, now);
                }
                underway.push((now + delay, outgoing));
            }
        }
        let (arrived, still): (Vec<_>, Vec<_>) = underway.into_iter().partition(|(due, _)| *due <= now);
        underway = still;
        for (_, outgoing) in arrived {
            for home in &mut homes {
                home.message(&outgoing.topic, &outgoing.payload, Some(at(0)), now);
            }
        }
    }
    assert!(underway.is_empty());
    for home in &mut homes {
        home.tick(ms(60_000));
    }
    assert_eq!(desk(&homes[0]).displayed, desk(&homes[1]).displayed);
    assert_eq!(desk(&homes[0]).displayed, percent(67), "the broker took the second page's value last");
}

#[test]
fn the_subscriptions_are_for_levels_and_availabilities() {
    let filters = topics::every_light().map(|wanted| wanted.filter.to_string());
    assert_eq!(filters, ["lights/+/intensity", "lights/+/availability"]);
}
