//! The file of `auth.acl`, as clients over TCP and WebSocket notice it.

use crate::{
    Folder, WAYS, setting, sign_in, signed_in, strict,
    support::{Client, Server, publish, subscribe},
};
use luxwire_shared::mqtt::{Delivery, Packet, PacketId, QoS, ReasonCode, Version};

const ACL: &str = "
# Whoever does not sign in
topic read lights/#
topic deny lights/safe/#

user anna
topic readwrite lights/#
topic write diary/anna

user bert
topic read diary/#

pattern readwrite devices/%c/#
pattern readwrite users/%u/#
";

fn subscribed(client: &mut Client, filter: &str) -> ReasonCode {
    client.send(&subscribe(PacketId::MIN, filter, QoS::AtLeastOnce));
    match client.receive() {
        Packet::Suback(suback) => suback.reasons[0],
        other => panic!("{other:?}"),
    }
}

fn published(client: &mut Client, topic: &str) -> ReasonCode {
    let delivery = Delivery::AtLeastOnce { id: PacketId::MIN, dup: false };
    client.send(&publish(topic, "1", delivery, false));
    loop {
        match client.receive() {
            Packet::Puback(puback) => return puback.reason,
            Packet::Publish(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn everybody_has_the_permissions_of_the_file() {
    let folder = Folder::new();
    let acl = setting("auth.acl", &folder.write("acl", ACL));
    let server = strict(&folder, &[&acl, "auth.anonymous=true"]);
    let anna = ("anna", Some("secret"));
    let bert = ("bert", Some("pässword"));
    for way in WAYS {
        for (user, topic, may_read, may_write) in [
            (None, "lights/Desk/intensity", true, false),
            (None, "lights/safe/intensity", false, false),
            (None, "diary/anna", false, false),
            (None, "devices/client/x", true, true),
            (None, "devices/other/x", false, false),
            (None, "users/anna/x", false, false),
            (Some(anna), "lights/safe/intensity", true, true),
            (Some(anna), "diary/anna", false, true),
            (Some(anna), "users/anna/x", true, true),
            (Some(anna), "users/bert/x", false, false),
            (Some(anna), "$SYS/broker/uptime", false, false),
            (Some(bert), "lights/Desk/intensity", false, false),
            (Some(bert), "diary/anna", true, false),
        ] {
            let mut client = way(&server);
            assert_eq!(sign_in(&mut client, Version::V5, "client", user), ReasonCode::Success);
            let place = format!("{user:?} {topic}");
            let reason = subscribed(&mut client, topic);
            assert_eq!(reason == ReasonCode::GrantedQoS1, may_read, "{place}");
            assert!(may_read || reason == ReasonCode::NotAuthorized, "{place}");
            if !topic.starts_with('$') {
                let reason = published(&mut client, topic);
                assert_eq!(!reason.is_failure(), may_write, "{place}");
                assert!(may_write || reason == ReasonCode::NotAuthorized, "{place}");
            }
        }
    }
}

#[test]
fn what_may_not_be_read_does_not_come_with_what_may() {
    let folder = Folder::new();
    let acl = setting("auth.acl", &folder.write("acl", ACL));
    let server = strict(&folder, &[&acl, "auth.anonymous=true"]);
    let mut anna = signed_in(&server, "anna", "anna", "secret");
    let retained = |topic: &str| publish(topic, "1", Delivery::AtMostOnce, true);
    anna.send(&retained("lights/safe/intensity"));
    anna.send(&retained("lights/Desk/intensity"));
    anna.send(&Packet::Pingreq);
    assert_eq!(anna.receive(), Packet::Pingresp);
    for way in WAYS {
        let mut client = way(&server);
        assert_eq!(sign_in(&mut client, Version::V5, "client", None), ReasonCode::Success);
        assert_eq!(subscribed(&mut client, "#"), ReasonCode::GrantedQoS1);
        assert_eq!(client.message().topic, topic("lights/Desk/intensity"));
        for name in ["lights/safe/x", "diary/anna", "lights/x"] {
            published(&mut anna, name);
        }
        assert_eq!(client.message().topic, topic("lights/x"));
    }
}

fn topic(name: &str) -> luxwire_shared::mqtt::PublishTopic {
    luxwire_shared::mqtt::PublishTopic::Name(luxwire_shared::mqtt::TopicName::try_from(name).unwrap())
}

#[test]
fn an_empty_file_permits_nothing() {
    let folder = Folder::new();
    let acl = setting("auth.acl", &folder.write("acl", ""));
    let server = Server::with(&[&acl]);
    let mut client = Client::connected(server.mqtt, Version::V5, "client");
    assert_eq!(subscribed(&mut client, "#"), ReasonCode::NotAuthorized);
    assert_eq!(published(&mut client, "x"), ReasonCode::NotAuthorized);
}

#[test]
fn a_refusal_may_keep_its_reason_to_itself() {
    let folder = Folder::new();
    let acl = setting("auth.acl", &folder.write("acl", "topic readwrite #\ntopic deny test/nosubscribe\n"));
    let server = Server::with(&[&acl, "auth.refusal=unspecified"]);
    let mut client = Client::connected(server.mqtt, Version::V5, "client");
    assert_eq!(subscribed(&mut client, "test/nosubscribe"), ReasonCode::Unspecified);
    assert_eq!(published(&mut client, "test/nosubscribe"), ReasonCode::Unspecified);
    assert_eq!(subscribed(&mut client, "test/+"), ReasonCode::GrantedQoS1);
}
