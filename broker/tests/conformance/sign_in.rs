//! User name and password in CONNECT, which the edge looks at while everything else goes on.

use crate::driver::{Client, World, packets::*};
use luxwire_broker::{CloseReason, Config, Effect, Input, Limits, Report, Statistics, Verdict, Visitor};
use luxwire_shared::mqtt::{Connack, DecodeError, Packet, ReasonCode, Version};
use std::time::Duration;

fn world() -> World {
    let limits = Limits { keep_alive_s: 0, ..Limits::default() };
    World::of(Config { limits, passwords: true, ..Config::default() })
}

fn with_user(connecting: Connecting, user: &str, password: Option<&str>) -> Packet {
    let connecting = connecting.change(|connect| {
        connect.user_name = Some(text(user));
        connect.password = password.map(|password| password.to_owned().into());
    });
    Packet::Connect(Box::new(connecting.into()))
}

/// Says CONNECT, and sees that the edge is asked just this.
fn begin(world: &mut World, connecting: Connecting, user: &str, password: Option<&str>) -> Client {
    let client = world.open();
    world.send(client, with_user(connecting, user, password));
    let questions = std::mem::take(&mut world.questions);
    assert_eq!(questions, [(client, user.to_owned(), password.map(|password| password.to_owned().into()))]);
    world.expect_nothing(client);
    client
}

fn tell(world: &mut World, client: Client, verdict: Verdict) {
    world.input(Input::PasswordChecked { link: client.0, verdict });
}

fn signed_in(world: &mut World, connecting: Connecting, user: &str) -> (Client, Connack) {
    let client = begin(world, connecting, user, Some("secret"));
    tell(world, client, Verdict::Right);
    let connack = world.expect_connack(client);
    assert_eq!(connack.reason, ReasonCode::Success);
    (client, connack)
}

#[test]
fn a_client_whose_password_is_right_is_let_in() {
    for spoken in [Version::V3_1, Version::V3_1_1, Version::V5] {
        let mut world = world();
        let page = world.connect(v5("page"));
        world.subscribe(page, "w", Q0);
        let connecting = version(spoken, "lamp").will(will("w", "bye"));
        let (client, _) = signed_in(&mut world, connecting, "anna");
        world.publish(client, "w", "hello", Q1);
        assert_eq!(world.take(page).1, "hello");
        world.cut(client);
        assert_eq!(world.take(page).1, "bye");
    }
}

// [MQTT-3.1.4-2] [MQTT-3.2.2-7]
#[test]
fn a_client_whose_password_is_wrong_is_told_and_closed() {
    for (verdict, five) in
        [(Verdict::Wrong, ReasonCode::BadUserNameOrPassword), (Verdict::Busy, ReasonCode::ServerBusy)]
    {
        for (connecting, expected) in [(v5("a"), five), (v3("a"), five.for_old())] {
            let mut world = world();
            let client = begin(&mut world, connecting, "anna", Some("guess"));
            tell(&mut world, client, verdict);
            assert_eq!(world.expect_connack(client).reason, expected);
            assert_eq!(world.expect_closed(client), CloseReason::Refused(five));
            assert_eq!(world.broker.statistics(), Statistics::default());
            assert!(world.reports().is_empty());
        }
    }
}

trait ForOld {
    /// What a client before 5.0 reads.
    fn for_old(self) -> Self;
}

impl ForOld for ReasonCode {
    fn for_old(self) -> Self {
        match self {
            Self::ServerBusy => Self::ServerUnavailable,
            other => other,
        }
    }
}

#[test]
fn no_password_and_an_empty_one_are_two_things() {
    for password in [None, Some("")] {
        let mut world = world();
        let client = begin(&mut world, v5("a"), "anna", password);
        tell(&mut world, client, Verdict::Wrong);
        assert_eq!(world.expect_connack(client).reason, ReasonCode::BadUserNameOrPassword);
    }
}

#[test]
fn whoever_must_sign_in_and_does_not_is_refused() {
    let mut world = world();
    world.visitor = Visitor::Stranger;
    assert_eq!(world.refused(v5("a")), ReasonCode::NotAuthorized);
    assert_eq!(world.refused(v3("a")), ReasonCode::NotAuthorized);
    // 5.0 allows a password without a name, which says nothing of who it is.
    let nameless = v5("a").change(|connect| connect.password = Some("secret".into()));
    assert_eq!(world.refused(nameless), ReasonCode::NotAuthorized);
    assert!(world.questions.is_empty());
    signed_in(&mut world, v5("a"), "anna");
}

#[test]
fn a_name_that_means_nothing_makes_nobody_a_user() {
    let mut world = world();
    let client = begin(&mut world, v5("a"), "anna", Some("x"));
    tell(&mut world, client, Verdict::NoMatter);
    assert_eq!(world.expect_connack(client).reason, ReasonCode::Success);
    world.visitor = Visitor::Stranger;
    let client = begin(&mut world, v5("b"), "anna", Some("x"));
    tell(&mut world, client, Verdict::NoMatter);
    assert_eq!(world.expect_connack(client).reason, ReasonCode::NotAuthorized);
    world.expect_closed(client);
}

#[test]
fn where_there_are_no_passwords_names_mean_nothing() {
    let mut world = World::new();
    let client = world.open();
    world.send(client, with_user(v5("a"), "anna", Some("x")));
    assert_eq!(world.expect_connack(client).reason, ReasonCode::Success);
    world.visitor = Visitor::Stranger;
    let client = world.open();
    world.send(client, with_user(v5("b"), "anna", Some("x")));
    assert_eq!(world.expect_connack(client).reason, ReasonCode::NotAuthorized);
    assert!(world.questions.is_empty());
}

#[test]
fn whom_the_edge_knows_is_not_asked() {
    let mut world = world();
    world.visitor = Visitor::User(text("anna"));
    let client = world.open();
    world.send(client, with_user(v5("a").expiry_s(100), "bert", Some("x")));
    assert_eq!(world.expect_connack(client).reason, ReasonCode::Success);
    world.visitor = Visitor::User(text("bert"));
    assert_eq!(world.refused(v5("a")), ReasonCode::NotAuthorized, "it is anna's");
}

#[test]
fn others_are_served_while_one_waits() {
    let mut world = world();
    let waiting = begin(&mut world, v5("a"), "anna", Some("secret"));
    let page = world.connect(v5("page"));
    world.subscribe(page, "x", Q1);
    world.publish(page, "x", "1", Q1);
    assert_eq!(world.take(page).1, "1");
    world.expect_nothing(waiting);
    tell(&mut world, waiting, Verdict::Right);
    world.expect_connack(waiting);
}

// [MQTT-3.1.4-3] Whoever has not shown who it is takes nothing over.
#[test]
fn a_session_is_taken_over_when_the_verdict_has_come() {
    let mut world = world();
    let (owner, _) = signed_in(&mut world, v5("a").expiry_s(100), "anna");
    let guess = begin(&mut world, v5("a"), "anna", Some("guess"));
    world.expect_nothing(owner);
    tell(&mut world, guess, Verdict::Wrong);
    world.expect_connack(guess);
    world.expect_nothing(owner);
    let (_, connack) = signed_in(&mut world, v5("a").resuming(), "anna");
    assert!(connack.session_present);
    world.expect_disconnected(owner, ReasonCode::SessionTakenOver);
}

#[test]
fn a_verdict_that_comes_too_late_changes_nothing() {
    // Gone, timed out, malformed, refused for what it said meanwhile.
    let endings: [fn(&mut World, Client); 4] = [
        |world, client| world.cut(client),
        |world, client| {
            world.wait_s(10);
            assert_eq!(world.expect_closed(client), CloseReason::ConnectTimeout);
        },
        |world, client| {
            world.send_malformed(client, Some(Version::V5), DecodeError::Flags);
            assert_eq!(world.expect_connack(client).reason, ReasonCode::MalformedPacket);
        },
        |world, client| {
            world.send(client, subscribe("#", Q0));
            assert_eq!(world.expect_connack(client).reason, ReasonCode::ProtocolError);
        },
    ];
    for end in endings {
        let mut world = world();
        let client = begin(&mut world, v5("a").keep_alive_s(1000), "anna", Some("secret"));
        end(&mut world, client);
        for verdict in [Verdict::Right, Verdict::Wrong, Verdict::NoMatter, Verdict::Busy] {
            let mut effects = Vec::<Effect>::new();
            let input = Input::PasswordChecked { link: client.0, verdict };
            world.broker.handle(world.now(), input, &mut effects);
            assert!(effects.is_empty(), "{effects:?}");
        }
        assert_eq!(world.broker.statistics(), Statistics::default());
        assert_eq!(world.broker.next_deadline(), None);
    }
}

#[test]
fn a_verdict_that_nobody_asked_for_changes_nothing() {
    let mut world = world();
    let silent = world.open();
    let client = world.connect(v5("a"));
    world.reports();
    for other in [silent, client] {
        for verdict in [Verdict::Right, Verdict::Wrong, Verdict::NoMatter, Verdict::Busy] {
            tell(&mut world, other, verdict);
            world.expect_nothing(other);
        }
    }
    assert!(world.reports().is_empty());
    world.wait(Duration::from_secs(1));
    world.publish(client, "x", "1", Q1);
}

#[test]
fn who_says_goodbye_while_it_waits_was_never_there() {
    let mut world = world();
    let client = begin(&mut world, v5("a").will(will("w", "bye")), "anna", Some("secret"));
    world.send(client, disconnect(ReasonCode::DisconnectWithWill));
    assert_eq!(world.expect_closed(client), CloseReason::Disconnected(ReasonCode::DisconnectWithWill));
    let no_report = |report: &Report| matches!(report, Report::Connected { .. });
    assert!(!world.reports().iter().any(no_report));
}
