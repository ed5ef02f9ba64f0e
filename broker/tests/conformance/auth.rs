//! Sections 3.15 and 4.12, extended authentication: who may say AUTH when, and SCRAM-SHA-256.

use crate::driver::{Client, World, packets::*};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use hmac::{Hmac, Mac as _};
use luxwire_broker::{CloseReason, Exchange, Mechanism, ScramCredential, ScramSha256, Step};
use luxwire_shared::mqtt::{Auth, AuthProperties, Connack, DecodeError, Packet, ReasonCode, Text, Version};
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, num::NonZeroU32, rc::Rc};

/// Asks as often as it is told to, and believes whoever says yes each time. What it is told: `NAME COUNT`.
#[derive(Debug)]
struct Trust;

#[derive(Debug)]
struct Asking {
    user: Text,
    left: usize,
}

impl Mechanism for Trust {
    fn name(&self) -> &str {
        "TRUST"
    }

    fn begin(&self, _nonce: u128, data: &[u8]) -> Step {
        let (name, count) =
            str::from_utf8(data).ok().and_then(|data| data.split_once(' ')).expect("NAME COUNT");
        Asking { user: text(name), left: count.parse().expect("a number") }.next()
    }
}

impl Asking {
    fn next(self) -> Step {
        match self.left {
            0 => Step::Accept { user: self.user, data: Bytes::from_static(b"welcome") },
            left => Step::Ask { data: format!("{left}?").into(), exchange: Box::new(self) },
        }
    }
}

impl Exchange for Asking {
    fn go_on(self: Box<Self>, data: &[u8]) -> Step {
        if data == b"yes" { Self { left: self.left - 1, ..*self }.next() } else { Step::Refuse }
    }
}

fn scram() -> ScramSha256 {
    let credential = |password, salt: &[u8]| {
        ScramCredential::of(password, salt.to_vec(), NonZeroU32::new(10).expect("not 0"))
    };
    let users = [
        ("anna", credential("secret", b"salt of anna 123")),
        ("a,b=c", credential("odd", b"salt of odd 1234")),
    ];
    ScramSha256::new(users.map(|(name, credential)| (name.to_owned(), credential)).into(), [7; 32])
}

fn world() -> World {
    World::with_mechanisms(vec![Rc::new(scram()), Rc::new(Trust)])
}

fn with_method(name: &str, method: &str, data: &str) -> Connecting {
    v5(name).change(|connect| {
        connect.properties.authentication_method = Some(text(method));
        connect.properties.authentication_data = Some(data.to_owned().into());
    })
}

fn auth(reason: ReasonCode, method: &str, data: impl Into<Bytes>) -> Packet {
    let properties = AuthProperties {
        authentication_method: Some(text(method)),
        authentication_data: Some(data.into()),
        ..AuthProperties::default()
    };
    Packet::Auth(Auth { reason, properties: Some(Box::new(properties)) })
}

fn yes() -> Packet {
    auth(ReasonCode::ContinueAuthentication, "TRUST", "yes")
}

fn begin(world: &mut World, connecting: Connecting) -> Client {
    let client = world.open();
    world.send(client, Packet::Connect(Box::new(connecting.into())));
    client
}

/// AUTH from the broker, with this reason and method and without words; gives its data. [MQTT-4.12.0-2] [MQTT-4.12.0-5]
/// [MQTT-3.15.2-2] [MQTT-3.15.2-3]
fn expect_auth(world: &mut World, client: Client, reason: ReasonCode, method: &str) -> String {
    let Packet::Auth(auth) = world.expect(client) else { panic!("expected AUTH") };
    assert_eq!((auth.reason, auth.method()), (reason, Some(&text(method))));
    let AuthProperties { reason_string, user_properties, .. } = *auth.properties.clone().expect("properties");
    assert!(reason_string.is_none() && user_properties.is_empty());
    String::from_utf8(auth.data().to_vec()).expect("text")
}

fn expect_refusal(world: &mut World, client: Client, reason: ReasonCode) {
    let connack = world.expect_connack(client);
    assert_eq!((connack.reason, connack.session_present), (reason, false));
    assert!(matches!(world.expect_closed(client), CloseReason::Refused(because) if because == reason));
}

/// Says yes to so many questions and gives CONNACK.
fn answer_all(world: &mut World, client: Client, questions: usize) -> Connack {
    for left in (1..=questions).rev() {
        let question = expect_auth(world, client, ReasonCode::ContinueAuthentication, "TRUST");
        assert_eq!(question, format!("{left}?"));
        world.send(client, yes());
    }
    world.expect_connack(client)
}

fn trusted(world: &mut World, name: &str) -> Client {
    let connecting = with_method(name, "TRUST", "anna 1").will(will("w", "bye"));
    let client = begin(world, connecting);
    assert_eq!(answer_all(world, client, 1).reason, ReasonCode::Success);
    client
}

// [MQTT-3.2.0-1] [MQTT-4.12.0-2] [MQTT-4.12.0-5] [MQTT-3.15.2-1]
#[test]
fn as_many_questions_as_the_mechanism_has_come_before_connack() {
    for questions in 0..4 {
        let mut world = world();
        let client = begin(&mut world, with_method("a", "TRUST", &format!("anna {questions}")));
        let connack = answer_all(&mut world, client, questions);
        assert_eq!(connack.reason, ReasonCode::Success);
        assert_eq!(connack.properties.authentication_method, Some(text("TRUST")));
        assert_eq!(connack.properties.authentication_data.as_deref(), Some(b"welcome".as_slice()));
        world.subscribe(client, "x", Q1);
        world.publish(client, "x", "1", Q1);
        assert_eq!(world.take_all(client).len(), 1);
    }
}

// [MQTT-4.12.0-6]
#[test]
fn a_client_that_names_no_method_hears_of_none() {
    let mut world = world();
    let (client, connack) = world.connect_full(v5("a"));
    assert_eq!(connack.properties.authentication_method, None);
    assert_eq!(connack.properties.authentication_data, None);
    // [MQTT-4.12.0-7]
    world.send(client, auth(ReasonCode::ReAuthenticate, "TRUST", "anna 0"));
    world.expect_disconnected(client, ReasonCode::ProtocolError);
}

// [MQTT-4.12.0-1]
#[test]
fn a_method_that_nobody_knows_is_refused() {
    for (mut world, method) in [(world(), "trust"), (world(), "SCRAM-SHA-1"), (World::new(), "TRUST")] {
        assert_eq!(world.refused(with_method("a", method, "")), ReasonCode::BadAuthenticationMethod);
    }
}

// [MQTT-4.12.0-4]
#[test]
fn who_answers_wrongly_is_refused_and_closed() {
    let mut world = world();
    let client = begin(&mut world, with_method("a", "TRUST", "anna 3"));
    expect_auth(&mut world, client, ReasonCode::ContinueAuthentication, "TRUST");
    world.send(client, yes());
    expect_auth(&mut world, client, ReasonCode::ContinueAuthentication, "TRUST");
    world.send(client, auth(ReasonCode::ContinueAuthentication, "TRUST", "no"));
    expect_refusal(&mut world, client, ReasonCode::NotAuthorized);
    assert_eq!(world.broker.statistics(), luxwire_broker::Statistics::default());
}

// [MQTT-3.14.0-1] [MQTT-4.12.0-5]
#[test]
fn nothing_but_auth_with_its_method_may_come_before_connack() {
    let foul = [
        Packet::Pingreq,
        subscribe("x", Q0),
        Packet::Publish(publish("x", "1", Q0)),
        Packet::Connect(Box::new(v5("b").into())),
        Packet::Pingresp,
        auth(ReasonCode::ContinueAuthentication, "SCRAM-SHA-256", "yes"),
        auth(ReasonCode::ReAuthenticate, "TRUST", "anna 0"),
        auth(ReasonCode::Success, "TRUST", "yes"),
        Packet::Auth(Auth { reason: ReasonCode::Success, properties: None }),
    ];
    for packet in foul {
        let mut world = world();
        let page = world.connect(v5("page"));
        world.subscribe(page, "#", Q0);
        let client = begin(&mut world, with_method("a", "TRUST", "anna 1").will(will("w", "bye")));
        expect_auth(&mut world, client, ReasonCode::ContinueAuthentication, "TRUST");
        world.send(client, packet);
        expect_refusal(&mut world, client, ReasonCode::ProtocolError);
        // It was never connected: no will, no session.
        world.expect_nothing(page);
        assert_eq!(world.broker.statistics().sessions, 1);
    }
    let mut world = world();
    let client = begin(&mut world, with_method("a", "TRUST", "anna 1"));
    expect_auth(&mut world, client, ReasonCode::ContinueAuthentication, "TRUST");
    world.send(client, disconnect(ReasonCode::Success));
    assert_eq!(world.expect_closed(client), CloseReason::Disconnected(ReasonCode::Success));
}

// [MQTT-3.1.2-24] [MQTT-3.2.2-7] The driver's wire sees that nothing is larger than the client takes.
#[test]
fn what_is_malformed_before_connack_is_refused_in_what_the_client_takes() {
    for (packet_size, is_told) in [(1000, true), (30, true), (4, false)] {
        let mut world = world();
        let name = if is_told { "TRUST" } else { "T" };
        let client = begin(&mut world, with_method("a", name, "anna 1").packet_size(packet_size));
        if is_told {
            expect_auth(&mut world, client, ReasonCode::ContinueAuthentication, "TRUST");
            world.send_malformed(client, Some(Version::V5), DecodeError::Flags);
            let connack = world.expect_connack(client);
            assert_eq!(connack.reason, ReasonCode::MalformedPacket);
            assert_eq!(connack.properties.reason_string.is_some(), packet_size > 100);
        }
        world.expect_closed(client);
    }
}

#[test]
fn who_vanishes_or_dawdles_before_connack_leaves_nothing() {
    let mut world = world();
    for _ in 0..3 {
        let client = begin(&mut world, with_method("a", "TRUST", "anna 1").expiry_s(100));
        world.cut(client);
    }
    let client = begin(&mut world, with_method("a", "TRUST", "anna 1").keep_alive_s(1000));
    expect_auth(&mut world, client, ReasonCode::ContinueAuthentication, "TRUST");
    world.wait_s(10);
    assert_eq!(world.expect_closed(client), CloseReason::ConnectTimeout);
    assert_eq!(world.broker.statistics(), luxwire_broker::Statistics::default());
    assert_eq!(world.broker.next_deadline(), None);
}

// [MQTT-3.1.4-3] Whoever cannot show who it is takes no session over.
#[test]
fn a_session_is_taken_over_by_those_only_who_are_accepted() {
    let mut world = world();
    let owner = world.connect(v5("a").expiry_s(100));
    let intruder = begin(&mut world, with_method("a", "TRUST", "eve 1"));
    expect_auth(&mut world, intruder, ReasonCode::ContinueAuthentication, "TRUST");
    world.expect_nothing(owner);
    world.send(intruder, auth(ReasonCode::ContinueAuthentication, "TRUST", "no"));
    expect_refusal(&mut world, intruder, ReasonCode::NotAuthorized);
    world.expect_nothing(owner);
    let back = begin(&mut world, with_method("a", "TRUST", "anna 1").resuming());
    assert!(answer_all(&mut world, back, 1).session_present);
    world.expect_disconnected(owner, ReasonCode::SessionTakenOver);
}

// [MQTT-3.1.2-24] [MQTT-3.15.2-2]
#[test]
fn a_question_that_the_client_does_not_take_is_not_asked() {
    let mut world = world();
    let client = begin(&mut world, with_method("a", "TRUST", "anna 1").packet_size(10));
    expect_refusal(&mut world, client, ReasonCode::PacketTooLarge);
}

#[test]
fn a_client_authenticates_again_while_everything_goes_on() {
    let mut world = world();
    let client = trusted(&mut world, "a");
    for round in 0..3 {
        world.send(client, auth(ReasonCode::ReAuthenticate, "TRUST", "anna 2"));
        for left in ["2?", "1?"] {
            let question = expect_auth(&mut world, client, ReasonCode::ContinueAuthentication, "TRUST");
            assert_eq!(question, left);
            world.subscribe(client, "x", Q1);
            world.publish(client, "x", &round.to_string(), Q1);
            assert_eq!(world.take(client).1, round.to_string());
            world.send(client, yes());
        }
        assert_eq!(expect_auth(&mut world, client, ReasonCode::Success, "TRUST"), "welcome");
        world.expect_nothing(client);
    }
    // One that is given up in favour of another.
    world.send(client, auth(ReasonCode::ReAuthenticate, "TRUST", "anna 2"));
    expect_auth(&mut world, client, ReasonCode::ContinueAuthentication, "TRUST");
    world.send(client, auth(ReasonCode::ReAuthenticate, "TRUST", "anna 0"));
    expect_auth(&mut world, client, ReasonCode::Success, "TRUST");
}

// [MQTT-4.12.1-2] [MQTT-4.13.2-1]
#[test]
fn who_fails_to_authenticate_again_is_disconnected() {
    for (start, reply) in [("anna 1", Some("no")), ("eve 0", None), ("eve 1", Some("yes"))] {
        let mut world = world();
        let page = world.connect(v5("page"));
        world.subscribe(page, "w", Q0);
        let client = trusted(&mut world, "a");
        world.send(client, auth(ReasonCode::ReAuthenticate, "TRUST", start));
        if let Some(reply) = reply {
            expect_auth(&mut world, client, ReasonCode::ContinueAuthentication, "TRUST");
            world.send(client, auth(ReasonCode::ContinueAuthentication, "TRUST", reply));
        }
        world.expect_disconnected(client, ReasonCode::NotAuthorized);
        assert_eq!(world.take_all(page).len(), 1);
    }
}

// [MQTT-4.12.0-5] Also section 4.12.1.
#[test]
fn auth_that_fits_nothing_is_a_protocol_error() {
    let foul = [
        auth(ReasonCode::ContinueAuthentication, "TRUST", "yes"),
        auth(ReasonCode::Success, "TRUST", "yes"),
        auth(ReasonCode::ReAuthenticate, "SCRAM-SHA-256", "n,,n=anna,r=x"),
        Packet::Auth(Auth { reason: ReasonCode::Success, properties: None }),
    ];
    for packet in foul {
        let mut world = world();
        let client = trusted(&mut world, "a");
        world.send(client, packet);
        world.expect_disconnected(client, ReasonCode::ProtocolError);
    }
}

// [MQTT-3.3.2-7] is about aliases; so is it with an exchange: it ends with its connection.
#[test]
fn an_exchange_ends_with_its_connection() {
    let mut world = world();
    let connecting = || with_method("a", "TRUST", "anna 0").expiry_s(100).resuming();
    let client = begin(&mut world, connecting());
    world.expect_connack(client);
    world.send(client, auth(ReasonCode::ReAuthenticate, "TRUST", "anna 1"));
    world.cut(client);
    let client = begin(&mut world, connecting());
    assert!(world.expect_connack(client).session_present);
    world.send(client, yes());
    world.expect_disconnected(client, ReasonCode::ProtocolError);
}

const SCRAM: &str = "SCRAM-SHA-256";

/// The client's side of SCRAM.
struct Person {
    name: &'static str,
    password: &'static str,
    nonce: String,
}

impl Person {
    fn new(name: &'static str, password: &'static str) -> Self {
        Self { name, password, nonce: "of-the-client".to_owned() }
    }

    fn first_bare(&self) -> String {
        format!("n={},r={}", self.name.replace('=', "=3D").replace(',', "=2C"), self.nonce)
    }

    fn first(&self) -> String {
        format!("n,,{}", self.first_bare())
    }

    /// The last message, and what the server must answer.
    fn last(&self, question: &str) -> (String, String) {
        let parts: Vec<_> = question.split(',').collect();
        let [nonce, salt, iterations] = parts[..] else { panic!("{question}") };
        assert!(nonce.starts_with(&format!("r={}", self.nonce)) && nonce.len() > self.nonce.len() + 20);
        let salt = BASE64.decode(salt.strip_prefix("s=").expect("a salt")).expect("base64");
        let iterations = iterations.strip_prefix("i=").expect("iterations").parse().expect("a number");
        let mut salted = [0; 32];
        pbkdf2::pbkdf2::<Hmac<Sha256>>(self.password.as_bytes(), &salt, iterations, &mut salted)
            .expect("short");
        let without_proof = format!("c={},{nonce}", BASE64.encode("n,,"));
        let signed = format!("{},{question},{without_proof}", self.first_bare());
        let client_key = hmac(&salted, "Client Key");
        let signature = hmac(&Sha256::digest(&client_key), &signed);
        let proof: Vec<_> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        let server_signature = hmac(&hmac(&salted, "Server Key"), &signed);
        (
            format!("{without_proof},p={}", BASE64.encode(proof)),
            format!("v={}", BASE64.encode(server_signature)),
        )
    }
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(key).expect("any length");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn answer_scram(world: &mut World, client: Client, person: &Person) -> (String, String) {
    let question = expect_auth(world, client, ReasonCode::ContinueAuthentication, SCRAM);
    let (last, expected) = person.last(&question);
    world.send(client, auth(ReasonCode::ContinueAuthentication, SCRAM, last.clone()));
    (last, expected)
}

// RFC 5802, RFC 7677; the standards' own example is with the code.
#[test]
fn who_knows_the_password_is_let_in_and_sees_that_we_know_it() {
    for person in [Person::new("anna", "secret"), Person::new("a,b=c", "odd")] {
        let mut world = world();
        let client = begin(&mut world, with_method("a", SCRAM, &person.first()));
        let (_, expected) = answer_scram(&mut world, client, &person);
        let connack = world.expect_connack(client);
        assert_eq!(connack.reason, ReasonCode::Success);
        assert_eq!(connack.properties.authentication_method, Some(text(SCRAM)));
        assert_eq!(connack.properties.authentication_data.as_deref(), Some(expected.as_bytes()));
        // Again, with a nonce that was not used before.
        world.send(client, auth(ReasonCode::ReAuthenticate, SCRAM, person.first()));
        let (_, expected_again) = answer_scram(&mut world, client, &person);
        assert_eq!(expect_auth(&mut world, client, ReasonCode::Success, SCRAM), expected_again);
        assert_ne!(expected, expected_again);
    }
}

#[test]
fn who_does_not_know_the_password_is_not_let_in() {
    for person in [Person::new("anna", "Secret"), Person::new("anna", ""), Person::new("eve", "secret")] {
        let mut world = world();
        let client = begin(&mut world, with_method("a", SCRAM, &person.first()));
        answer_scram(&mut world, client, &person);
        expect_refusal(&mut world, client, ReasonCode::NotAuthorized);
    }
}

#[test]
fn a_user_that_does_not_exist_is_asked_like_one_that_does() {
    let mut world = world();
    let mut ask = |name| {
        let client = begin(&mut world, with_method("a", SCRAM, &Person::new(name, "").first()));
        let question = expect_auth(&mut world, client, ReasonCode::ContinueAuthentication, SCRAM);
        world.cut(client);
        let parts: BTreeMap<_, _> =
            question.split(',').map(|part| (part[..1].to_owned(), part[2..].to_owned())).collect();
        (parts["s"].clone(), parts["i"].clone(), parts["r"].clone())
    };
    let (anna, eve, eve_again, bob) = (ask("anna"), ask("eve"), ask("eve"), ask("bob"));
    assert_eq!((anna.0.len(), &anna.1), (eve.0.len(), &eve.1));
    assert_eq!(eve.0, eve_again.0);
    assert_ne!(eve.0, bob.0);
    assert_ne!(eve.2, eve_again.2);
}

#[test]
fn what_was_heard_once_does_not_help_again() {
    let mut world = world();
    let person = Person::new("anna", "secret");
    let client = begin(&mut world, with_method("a", SCRAM, &person.first()));
    let (heard, _) = answer_scram(&mut world, client, &person);
    world.expect_connack(client);
    let eve = begin(&mut world, with_method("b", SCRAM, &person.first()));
    expect_auth(&mut world, eve, ReasonCode::ContinueAuthentication, SCRAM);
    world.send(eve, auth(ReasonCode::ContinueAuthentication, SCRAM, heard));
    expect_refusal(&mut world, eve, ReasonCode::NotAuthorized);
}

#[test]
fn messages_that_are_not_scram_are_refused() {
    let long = format!("n,,n=anna,r={}", "x".repeat(257));
    let first = [
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=anna",
        "n,,n=anna,r=",
        "n,,n=,r=x",
        "n,,r=x,n=anna",
        "n,,m=ext,n=anna,r=x",
        "p=tls-unique,,n=anna,r=x",
        "n,a=eve,n=anna,r=x",
        "n,anna,n=anna,r=x",
        "x,,n=anna,r=x",
        "n,,n=an=na,r=x",
        "n,,n=anna,r=a b",
        "n,,n=anna,r=é",
        &long,
    ];
    for first in first {
        let mut world = world();
        assert_eq!(world.refused(with_method("a", SCRAM, first)), ReasonCode::NotAuthorized, "{first}");
    }
    let mut world = world();
    let binary = with_method("a", SCRAM, "").change(|connect| {
        connect.properties.authentication_data = Some(Bytes::from_static(&[b'n', b',', b',', 0xFF]));
    });
    assert_eq!(world.refused(binary), ReasonCode::NotAuthorized);
    let missing = v5("a").change(|connect| connect.properties.authentication_method = Some(text(SCRAM)));
    assert_eq!(world.refused(missing), ReasonCode::NotAuthorized);
    // The name for which it acts may be said, and extensions at the end may be there.
    let allowed = begin(&mut world, with_method("a", SCRAM, "y,a=anna,n=anna,r=x,ext=1"));
    expect_auth(&mut world, allowed, ReasonCode::ContinueAuthentication, SCRAM);

    let person = Person::new("anna", "secret");
    type Spoil = fn(String) -> String;
    let spoils: [Spoil; 7] = [
        |last| last.replace("c=biws", "c=eSws"),
        |last| last.replace("r=of-the", "r=of-the-"),
        |last| last.replace(",p=", ",p=A"),
        |last| last.replace(",p=", ",q="),
        |last| last.split_once(",p=").expect("a proof").0.to_owned(),
        |last| format!("x{last}"),
        |_| String::new(),
    ];
    for spoil in spoils {
        let client = begin(&mut world, with_method("b", SCRAM, &person.first()));
        let question = expect_auth(&mut world, client, ReasonCode::ContinueAuthentication, SCRAM);
        let last = spoil(person.last(&question).0);
        world.send(client, auth(ReasonCode::ContinueAuthentication, SCRAM, last.clone()));
        let connack = world.expect_connack(client);
        assert_eq!(connack.reason, ReasonCode::NotAuthorized, "{last}");
    }
}
