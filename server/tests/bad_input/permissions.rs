//! Ways around permissions: names that would be wildcards in a pattern, and what is sent again.

use crate::{
    folder::Folder,
    house::REPETITIONS,
    support::Client,
    users::{ask, connecting, guarded, keeper, published, refused, sign_in, somebody, subscribed},
};
use luxwire_shared::mqtt::{
    Acknowledge, Delivery, Packet, PublishTopic, QoS, ReasonCode,
    Version::{V3_1, V3_1_1, V5},
};

/// Names that, put into a filter or a topic, would mean more than one level or another part of the tree.
const NAMES: [&str; 8] = ["#", "+", "/", "+/#", "a/+/b", "a/b", "/anna", "anna/"];

/// Sees that somebody with such a name, for which the pattern's `%c` or `%u` stands, gets nothing by it.
fn none_opens_a_pattern(pattern: &str, names_of: fn(&'static str) -> (&'static str, &'static str)) {
    let folder = Folder::new();
    let lines = format!("pattern readwrite {pattern}/top\npattern readwrite names/{pattern}/#");
    let users = [&NAMES[..], &["anna", "guest", "%u", "$SYS"]].concat();
    let mut house = guarded(&folder, &users, &lines);
    let mut follower = keeper(&house.server, "follower");
    for filter in ["names/#", "+/top", "+/+/top"] {
        follower.subscribe(filter, QoS::AtMostOnce);
    }
    let mut keeper = keeper(&house.server, "keeper");
    for topic in ["names/anna/x", "names/a/b/x", "names//x", "anna/top", "a/b/top"] {
        keeper.publish(topic, "kept", QoS::AtLeastOnce, true);
        assert_eq!(follower.message().topic, named(topic));
    }
    house.endures(2 * REPETITIONS, |server, number| {
        let version = [V5, V3_1_1, V3_1][number / 2 % 3];
        let name = NAMES[number / 6 % NAMES.len()];
        let (client_id, user) = names_of(name);
        let mut client = somebody(server, number);
        sign_in(&mut client, connecting(version, client_id, Some(user)));
        for filter in
            ["#", "+", "+/#", "names/#", "names/+/x", "names/anna/x", "names/a/b/x", "+/top", "a/b/top"]
        {
            assert_eq!(
                subscribed(&mut client, filter, QoS::ExactlyOnce),
                refused(version),
                "{name} {filter}"
            );
        }
        for topic in ["names/anna/x", "names/a/b/x", "names//x", "names/x", "anna/top", "a/b/top", "/top"] {
            let reason = published(&mut client, topic, true);
            assert_eq!(reason.is_failure(), version == V5, "{name} {topic}");
        }
        client.ping();
    });
    // Nothing that they published came, and a name that is a level opens its own part and no other.
    follower.ping();
    for (name, its_own) in [("anna", "names/anna/x"), ("%u", "names/%u/x"), ("$SYS", "names/$SYS/x")] {
        let (client_id, user) = names_of(name);
        let mut client = Client::tcp(house.server.mqtt);
        sign_in(&mut client, connecting(V5, client_id, Some(user)));
        assert_eq!(published(&mut client, its_own, false), ReasonCode::Success);
        assert_eq!(follower.message().topic, named(its_own));
        for other in ["names/guest/x", "names/client/x", "names/bert/x", "bert/top", "$SYS/top"] {
            assert!(published(&mut client, other, false).is_failure(), "{name} {other}");
        }
    }
    follower.ping();
    if pattern == "%u" {
        let topics = |user| ask(&house.server, Some(user), "GET", "/api/v1/topics?filter=names/%23");
        assert!(topics("anna").text().contains("names/anna/x") && !topics("anna").text().contains("a/b"));
        for name in NAMES {
            assert_eq!(topics(name).status, 403, "{name}");
        }
    }
    drop((keeper, follower));
    house.ends_unharmed();
}

// Row 15, mosquitto CVE-2017-7650, FlashMQ: a client identifier of wildcards and levels, where a pattern has `%c`. Such a
// line says nothing of it.
#[test]
fn row_15_client_identifiers_that_fill_a_pattern() {
    none_opens_a_pattern("%c", |name| (name, "guest"));
}

// The same row: the name of a user, where a pattern has `%u`; over HTTP as well.
#[test]
fn row_15_users_that_fill_a_pattern() {
    none_opens_a_pattern("%u", |name| ("client", name));
}

fn named(topic: &str) -> PublishTopic {
    PublishTopic::Name(topic.try_into().unwrap())
}

// nats-server, June 2026: what may not be read came with what is kept, and when a session was resumed. Here it neither
// comes nor waits, however often a client asks, comes back, or leaves unacknowledged what it may have.
#[test]
fn row_what_may_not_be_read_is_not_sent_later_either() {
    let folder = Folder::new();
    let lines = "user anna\ntopic read house/#\ntopic deny house/safe/#";
    let mut house = guarded(&folder, &["anna"], lines);
    let mut keeper = keeper(&house.server, "keeper");
    keeper.publish("house/safe/kept", "x", QoS::AtLeastOnce, true);
    keeper.publish("house/open/kept", "x", QoS::AtLeastOnce, true);
    house.endures(REPETITIONS, |server, number| {
        let version = [V5, V3_1_1][number / 2 % 2];
        let comes = |present: bool| {
            let mut client = somebody(server, number);
            let mut connect = connecting(version, "panel", Some("anna"));
            // A clean session of 3.1.1 does not stay.
            connect.clean_start = version == V5 && !present;
            connect.properties.session_expiry_interval_s = (version == V5).then_some(3_600);
            assert_eq!(sign_in(&mut client, connect), present);
            client
        };
        let mut panel = comes(false);
        for filter in ["house/safe/kept", "house/safe/#", "+/safe/#", "$share/g/house/safe/+"] {
            assert_eq!(subscribed(&mut panel, filter, QoS::ExactlyOnce), refused(version), "{filter}");
        }
        for (filter, qos) in
            [("house/+/kept", QoS::AtMostOnce), ("#", QoS::AtMostOnce), ("house/#", QoS::AtLeastOnce)]
        {
            assert!(!subscribed(&mut panel, filter, qos).is_failure(), "{filter}");
            assert_eq!(panel.message().topic, named("house/open/kept"));
        }
        panel.ping();
        drop(panel);
        for topic in ["house/safe/1", "house/open/2", "house/safe/3"] {
            assert!(!published(&mut keeper, topic, false).is_failure());
        }
        // Twice without an acknowledgement, the second time with one, and then there is nothing more.
        for is_acknowledged in [false, true] {
            let mut panel = comes(true);
            for topic in ["house/open/kept", "house/open/2"] {
                let message = panel.message();
                assert_eq!(message.topic, named(topic));
                let Delivery::AtLeastOnce { id, .. } = message.delivery else { panic!("{message:?}") };
                if is_acknowledged {
                    panel.send(&Packet::Puback(Acknowledge::success(id)));
                }
            }
            panel.ping();
        }
        let mut panel = comes(true);
        panel.ping();
        for topic in ["house/safe/4", "house/open/5"] {
            published(&mut keeper, topic, false);
        }
        assert_eq!(panel.message().topic, named("house/open/5"));
        sign_in(&mut somebody(server, number), connecting(version, "panel", Some("anna")));
    });
    drop(keeper);
    house.ends_unharmed();
}
