//! Names and payloads that were made to break something.

use crate::{
    support::{Client, Server},
    watcher::Watcher,
};
use luxwire_shared::mqtt::{QoS, Version};
use serde_json::json;

/// For JSON, for the stream of events, for terminals and for pages.
const ODD: [&str; 8] = [
    "\"}]}\\",
    "line\nevent: left\ndata: {\"key\":1}\n\n",
    "carriage\rreturn\r\n\r\n",
    "\u{1}\u{1b}[31m\u{7f}\u{2028}\u{feff}",
    "<script>alert(1)</script>",
    "💡🧑‍🔧é\u{301}",
    ": comment",
    " ",
];

#[test]
fn odd_identifiers_topics_and_payloads_come_through_as_they_are() {
    let server = Server::start();
    let mut watcher = Watcher::of(&server);
    let mut clients = Vec::new();
    for odd in ODD {
        let mut client = Client::connected(server.mqtt, Version::V5, odd);
        let key = watcher.expect("joined")["key"].clone();
        assert_eq!(watcher.key(odd), key);
        client.subscribe(odd, QoS::AtMostOnce);
        assert_eq!(watcher.expect("changed")["follows"], json!([odd]));
        client.publish(odd, odd, QoS::AtMostOnce, true);
        let message = watcher.expect("message");
        assert_eq!((&message["topic"], &message["payload"]), (&json!(odd), &json!(odd)));
        assert_eq!((&message["from"], &message["to"]), (&key, &json!([key])));
        clients.push(client);
    }
    assert_eq!(Watcher::of(&server).ids(), ODD.into());
}

#[test]
fn what_is_huge_is_cut_and_says_so() {
    let server = Server::start();
    let mut watcher = Watcher::of(&server);
    let id = "i".repeat(1_000);
    let mut client = Client::connected(server.mqtt, Version::V5, &id);
    let joined = watcher.expect("joined");
    assert_eq!(joined["id"], format!("{}…", "i".repeat(128)));

    let filter = "💡".repeat(1_000);
    client.subscribe(&filter, QoS::AtMostOnce);
    assert_eq!(watcher.expect("changed")["follows"], json!([format!("{}…", "💡".repeat(128))]));

    let topic = "t/".repeat(32_000);
    client.publish(&topic, "é".repeat(400_000), QoS::AtMostOnce, true);
    let message = watcher.expect("message");
    assert_eq!(message["topic"], format!("{}…", "t/".repeat(64)));
    assert_eq!((&message["payload"], &message["cut"]), (&json!("é".repeat(64)), &json!(true)));
    assert_eq!(message["bytes"], 800_000);

    let again = Watcher::of(&server);
    let client = again.clients.values().next().unwrap();
    let published = &client["publishes"][0];
    assert_eq!((&published["topic"], &published["cut"]), (&message["topic"], &json!(true)));
    assert_eq!(
        (&published["payload"], &client["follows"]),
        (&message["payload"], &json!([format!("{}…", "💡".repeat(128))]))
    );
}

#[test]
fn a_payload_of_exactly_what_is_shown_is_not_cut() {
    let server = Server::start();
    let mut watcher = Watcher::of(&server);
    let mut client = Client::connected(server.mqtt, Version::V5, "client");
    watcher.expect("joined");
    client.publish("full", "x".repeat(64), QoS::AtMostOnce, false);
    let message = watcher.expect("message");
    assert_eq!((&message["payload"], message.get("cut")), (&json!("x".repeat(64)), None));
}
