//! Rights that are taken away. The files are read at the start and the broker keeps nothing across a restart, so there are
//! three ways to have fewer rights than before: another user comes by the same client identifier, a session that was
//! nobody's is taken over by somebody, or the server starts with another file, and the recorder still has the past.
//!
//! What cannot be sent here: rights that end while a session lasts, and kept values of somebody who lost the right to
//! set them.

use crate::{
    bytes::{CLEAN, connect_with, text},
    cases::{Case, each_is_answered_in},
    exchange::Wanted,
    folder::Folder,
    house::{House, REPETITIONS},
    support::{Client, Server, eventually, program},
    users::{
        self, KEEPER, PASSWORD, ask, connecting, guarded, keeper, published, published_unreleased, refused,
        settings, sign_in, somebody, subscribed,
    },
};
use luxwire_shared::mqtt::{
    Acknowledge, Packet, PacketId, PublishTopic, QoS,
    ReasonCode::{NotAuthorized, Success},
    Version::{V3_1, V3_1_1, V5},
};

/// Whoever is nobody may do everything in the house; anna only what is open.
const FEWER: &str = "topic readwrite house/#\nuser anna\ntopic readwrite house/open/#";

fn named(topic: &str) -> PublishTopic {
    PublishTopic::Name(topic.try_into().unwrap())
}

// Row 16, mosquitto CVE-2021-34434, CVE-2018-12546: a session that somebody resumes who has fewer rights, with
// subscriptions, messages under way and waiting, a kept value, and a QoS 2 publication that is not finished. What may not
// be read any more does not come, and what may not be written is not taken.
#[test]
fn row_16_a_session_that_is_resumed_with_fewer_rights() {
    let folder = Folder::new();
    let mut house = guarded(&folder, &["anna"], FEWER);
    let mut keeper = keeper(&house.server, "keeper");
    let mut follower = users::keeper(&house.server, "follower");
    follower.subscribe("house/safe/mine", QoS::AtMostOnce);
    let unfinished = PacketId::new(9).unwrap();
    house.endures(REPETITIONS, |server, number| {
        let mut before = somebody(server, number);
        let mut connect = connecting(V5, "panel", None);
        connect.properties.session_expiry_interval_s = Some(3_600);
        connect.properties.receive_maximum = 2.try_into().ok();
        sign_in(&mut before, connect);
        for filter in ["house/#", "house/safe/x", "$share/g/house/safe/#"] {
            assert!(!subscribed(&mut before, filter, QoS::ExactlyOnce).is_failure());
        }
        let mut publisher = Client::tcp(server.mqtt);
        sign_in(&mut publisher, connecting(V5, "publisher", None));
        // One comes by itself and once more by the group: that is as many as may be under way. The others wait.
        assert_eq!(published_unreleased(&mut publisher, "house/safe/1", PacketId::MIN), Success);
        for topic in ["house/safe/2", "house/open/3", "house/safe/4", "house/open/5"] {
            assert_eq!(published(&mut publisher, topic, topic == "house/safe/2"), Success);
        }
        drop(publisher);
        before.send(&Packet::Pingreq);
        while let Packet::Publish(message) = before.receive() {
            assert_eq!(message.topic, named("house/safe/1"));
        }
        assert_eq!(published_unreleased(&mut before, "house/safe/mine", unfinished), Success);
        follower.message();
        // The connection is lost, or still there when the other one comes.
        let before = (number / 2 % 2 == 0).then_some(before);

        let version = [V5, V3_1_1][number / 4 % 2];
        let mut anna = somebody(server, number / 8);
        let mut connect = connecting(version, "panel", Some("anna"));
        connect.clean_start = false;
        assert!(sign_in(&mut anna, connect), "the session was nobody's");
        for topic in ["house/open/3", "house/open/5"] {
            let message = anna.message();
            assert_eq!(message.topic, named(topic));
            anna.send(&Packet::Puback(Acknowledge::success(message.delivery.packet_id().unwrap())));
        }
        anna.ping();
        for topic in ["house/safe/6", "house/safe/x", "house/open/7"] {
            assert!(!published(&mut keeper, topic, false).is_failure());
        }
        assert_eq!(anna.message().topic, named("house/open/7"));
        // Kept values.
        assert_eq!(subscribed(&mut anna, "house/safe/#", QoS::AtMostOnce), refused(version));
        assert!(!subscribed(&mut anna, "house/#", QoS::AtMostOnce).is_failure());
        anna.ping();
        // The publication is finished, and the next one is not taken, under the same identifier and another.
        anna.send(&Packet::Pubrel(Acknowledge::success(unfinished)));
        assert_eq!(anna.receive(), Packet::Pubcomp(Acknowledge::success(unfinished)));
        let reason = published_unreleased(&mut anna, "house/safe/mine", unfinished);
        assert_eq!(reason.is_failure(), version == V5);
        assert_eq!(published(&mut anna, "house/safe/mine", true).is_failure(), version == V5);
        follower.ping();
        // The session is anna's.
        let mut nobody = somebody(server, number);
        nobody.speak(V5);
        nobody.send(&Packet::Connect(Box::new(connecting(V5, "panel", None))));
        let answer = nobody.receive();
        assert!(matches!(&answer, Packet::Connack(connack) if connack.reason == NotAuthorized), "{answer:?}");
        drop(before);
        sign_in(&mut somebody(server, number), connecting(V5, "panel", Some("anna")));
        keeper.publish("house/safe/2", "", QoS::AtLeastOnce, true);
    });
    drop((keeper, follower));
    house.ends_unharmed();
}

// The same row: a session is its user's, with all that it follows and all that waits in it. Nobody else resumes it, takes
// its place or ends it by its client identifier.
#[test]
fn row_16_the_session_of_another_user() {
    let folder = Folder::new();
    let lines = "topic read house/#\nuser anna\ntopic readwrite #\nuser bert\ntopic readwrite #";
    let mut house = guarded(&folder, &["anna", "bert"], lines);
    let mut anna = Client::tcp(house.server.mqtt);
    let mut connect = connecting(V5, "panel", Some("anna"));
    connect.properties.session_expiry_interval_s = Some(3_600);
    sign_in(&mut anna, connect.clone());
    anna.subscribe("house/#", QoS::AtLeastOnce);
    let mut cases = Vec::new();
    for version in [V3_1, V3_1_1, V5] {
        for clean in [0, CLEAN] {
            let bert = [text("panel"), text("bert"), text(PASSWORD)].concat();
            for (flags, payload) in [(clean, text("panel")), (0xC0 | clean, bert)] {
                let bytes = connect_with(version, flags, [], payload);
                cases.push(Case::first(version, bytes, Wanted::Refusal(NotAuthorized)));
            }
        }
    }
    each_is_answered_in(&mut house, &cases);
    anna.ping();
    // The same while she is away.
    drop(anna);
    let mut keeper = keeper(&house.server, "keeper");
    keeper.publish("house/safe", "x", QoS::AtLeastOnce, false);
    each_is_answered_in(&mut house, &cases);
    let mut anna = Client::tcp(house.server.mqtt);
    connect.clean_start = false;
    assert!(sign_in(&mut anna, connect));
    assert_eq!(anna.message().topic, named("house/safe"));
    drop((anna, keeper));
    house.ends_unharmed();
}

/// A server that records into this folder, with these files.
fn recording(folder: &Folder, settings: &[String]) -> Server {
    let mut command = program();
    command.args(["serve", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--set", "record.enabled=true"]);
    command.args(["--set", "record.filters=[\"house/#\"]"]);
    command.arg("--data-dir").arg(folder.path("state"));
    for setting in settings {
        command.args(["--set", setting]);
    }
    Server::from(command)
}

const PAST: &str = "/api/v1/history?topic=house/safe/x";

// The same row: the server starts with a file that grants less. The past that is on disk is not told, and of sessions and
// kept values there is nothing.
#[test]
fn row_16_rights_that_are_fewer_at_the_next_start() {
    let folder = Folder::new();
    let everything = settings(&folder, &["anna"], "user anna\ntopic readwrite #");
    let mut server = recording(&folder, &everything);
    let mut anna = Client::tcp(server.mqtt);
    let mut connect = connecting(V5, "panel", Some("anna"));
    connect.properties.session_expiry_interval_s = Some(3_600);
    sign_in(&mut anna, connect.clone());
    anna.subscribe("house/safe/#", QoS::AtLeastOnce);
    drop(anna);
    let past_of = |server: &Server| ask(server, Some("anna"), "GET", PAST);
    eventually("the value in the history", || {
        assert!(ask(&server, Some("anna"), "PUT", "/api/v1/topics/house/safe/x").status < 300);
        let answer = past_of(&server);
        (answer.status == 200 && answer.text().contains("house/safe/x")).then_some(())
    });
    server.signal(rustix::process::Signal::TERM);
    server.ended();

    let open = settings(&folder, &["anna"], FEWER);
    let server = recording(&folder, &open);
    eventually("the recorder has the past", || {
        let answer = ask(&server, Some(KEEPER), "GET", PAST);
        (answer.status == 200 && answer.text().contains("house/safe/x")).then_some(())
    });
    let mut house = House::of(server);
    connect.clean_start = false;
    house.endures(REPETITIONS, |server, _| {
        assert_eq!(past_of(server).status, 403);
        assert_eq!(ask(server, Some("anna"), "GET", "/api/v1/topics/house/safe/x").status, 403);
        let mut anna = Client::tcp(server.mqtt);
        assert!(!sign_in(&mut anna, connect.clone()), "nothing is kept of sessions");
        assert_eq!(subscribed(&mut anna, "house/safe/#", QoS::AtLeastOnce), NotAuthorized);
        sign_in(&mut Client::tcp(server.mqtt), connecting(V5, "panel", Some("anna")));
    });
    house.ends_unharmed();
}
