//! Clients over HTTP in the live picture: they are drawn as what they are.

use crate::{
    put,
    support::{Events, Server},
};
use serde_json::json;

#[test]
fn http_clients_are_seen_to_come_to_say_something_and_to_go() {
    let server = Server::start();
    let mut picture = Events::follow(server.http, "/api/v1/picture");
    assert_eq!(picture.next().data["clients"], json!([]));
    let mut events = Events::follow(server.http, "/api/v1/events?filter=a/%23");
    events.until_live();
    let mut next = |name: &str| loop {
        let event = picture.next();
        match event.name.as_str() {
            // Who came may be told before what it follows.
            "changed" if name != "changed" => {}
            other => {
                assert_eq!(other, name, "{event:?}");
                break event.data;
            }
        }
    };
    let follower = next("joined");
    assert_eq!((&follower["transport"], &follower["version"]), (&json!("http"), &json!("5")));
    assert!(follower["id"].as_str().unwrap().starts_with("luxwire-http-"), "{follower}");
    put(&server, "a/b", "40");
    let writer = next("joined");
    assert_eq!(writer["transport"], "http");
    assert!(writer["address"].as_str().unwrap().starts_with("127.0.0.1:"), "{writer}");
    let message = next("message");
    assert_eq!(
        (&message["from"], &message["topic"], &message["payload"]),
        (&writer["key"], &json!("a/b"), &json!("40"))
    );
    assert_eq!(message["to"], json!([follower["key"]]));
    assert_eq!(next("left")["key"], writer["key"]);
}
