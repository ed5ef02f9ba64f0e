//! A house with users and permissions, and how they sign in. Everybody has the same password.

use crate::{
    folder::Folder,
    house::House,
    support::{self, Answer, Client, Server, publish, request, subscribe},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use luxwire_shared::mqtt::{Connect, Delivery, Packet, PacketId, QoS, ReasonCode, Version};

pub(crate) const PASSWORD: &str = "secret";

/// What stands behind the name in a file of passwords; one that takes little time.
pub(crate) const HASH: &str = "$7$101$N+5LYMCwLRYAXyfu$A3cO5ZzI53ktm8BiAjtwEbe/wzTWYThD3tHmJsC4Pjis5drsgHnbJ12BGq/bUb9STcBSzqoFeFLYnusDFniq6A==";

/// Who may read and write everything, so that a test sees what others do.
pub(crate) const KEEPER: &str = "keeper";

/// Files of passwords and permissions, as settings. What is permitted stands behind what the witnesses need, in the same
/// section: that of clients without a user.
pub(crate) fn settings(folder: &Folder, users: &[&str], permissions: &str) -> [String; 2] {
    let passwords = users.iter().chain(&[KEEPER]).map(|user| format!("{user}:{HASH}\n"));
    let acl = format!("topic readwrite witness/#\n{permissions}\nuser {KEEPER}\ntopic readwrite #\n");
    [folder.setting("auth.passwords", passwords.collect::<String>()), folder.setting("auth.acl", acl)]
}

/// A house with them.
pub(crate) fn guarded(folder: &Folder, users: &[&str], permissions: &str) -> House {
    let [passwords, acl] = settings(folder, users, permissions);
    House::with(&[&passwords, &acl])
}

/// CONNECT with a clean start, and with name and password if there is a user.
pub(crate) fn connecting(version: Version, client_id: &str, user: Option<&str>) -> Connect {
    let Packet::Connect(mut connect) = support::connect(version, client_id) else { unreachable!() };
    connect.user_name = user.map(|user| user.try_into().unwrap());
    connect.password = user.map(|_| PASSWORD.into());
    *connect
}

/// A connection that has said nothing, over TCP and WebSocket in turn.
pub(crate) fn somebody(server: &Server, number: usize) -> Client {
    match number % 2 {
        0 => Client::tcp(server.mqtt),
        _ => Client::websocket(server.http),
    }
}

/// A client of the keeper's, who sees everything.
pub(crate) fn keeper(server: &Server, client_id: &str) -> Client {
    let mut client = Client::tcp(server.mqtt);
    sign_in(&mut client, connecting(Version::V5, client_id, Some(KEEPER)));
    client
}

/// Says CONNECT and is let in; whether a session was there.
pub(crate) fn sign_in(client: &mut Client, connect: Connect) -> bool {
    let version = connect.version;
    client.connect_as(&Packet::Connect(Box::new(connect)), version).session_present
}

/// Subscribes to one filter and takes the reason.
pub(crate) fn subscribed(client: &mut Client, filter: &str, qos: QoS) -> ReasonCode {
    client.send(&subscribe(PacketId::MIN, filter, qos));
    match client.receive() {
        Packet::Suback(suback) => suback.reasons[0],
        other => panic!("{filter}: {other:?}"),
    }
}

/// Publishes at QoS 1 and takes the reason; before 5.0 it is always success.
pub(crate) fn published(client: &mut Client, topic: &str, retain: bool) -> ReasonCode {
    client.send(&publish(topic, "x", Delivery::first(QoS::AtLeastOnce, PacketId::MIN), retain));
    match client.receive() {
        Packet::Puback(puback) => puback.reason,
        other => panic!("{topic}: {other:?}"),
    }
}

/// Publishes at QoS 2 and takes the reason of PUBREC; it is not released.
pub(crate) fn published_unreleased(client: &mut Client, topic: &str, id: PacketId) -> ReasonCode {
    client.send(&publish(topic, "x", Delivery::first(QoS::ExactlyOnce, id), false));
    match client.receive() {
        Packet::Pubrec(pubrec) => pubrec.reason,
        other => panic!("{topic}: {other:?}"),
    }
}

/// What a refused subscription is told.
pub(crate) fn refused(version: Version) -> ReasonCode {
    match version {
        Version::V5 => ReasonCode::NotAuthorized,
        Version::V3_1 | Version::V3_1_1 => ReasonCode::Unspecified,
    }
}

/// Asks over HTTP, as this user.
pub(crate) fn ask(server: &Server, user: Option<&str>, method: &str, path: &str) -> Answer {
    let sign_in = user.map(|user| BASE64.encode(format!("{user}:{PASSWORD}")));
    let sign_in = sign_in.map(|basic| format!("Authorization: Basic {basic}\r\n")).unwrap_or_default();
    let host = server.http;
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{sign_in}");
    request(server.http, format!("{head}Content-Length: 1\r\n\r\n1"))
}
