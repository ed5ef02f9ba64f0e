//! SCRAM-SHA-256 in AUTH packets, with a client made from RFC 5802 and RFC 7677.

use crate::{Folder, WAYS, connecting, strict, support::Client};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, Mac as _};
use luxwire_shared::mqtt::{Auth, AuthProperties, Packet, ReasonCode, Text, Version};
use sha2::{Digest as _, Sha256};

const METHOD: &str = "SCRAM-SHA-256";

/// What the client knows of an exchange. Section 3 of RFC 5802.
struct Exchange {
    first_bare: String,
    password: &'static str,
    /// What the server will have shown at the end.
    server_signature: Vec<u8>,
}

impl Exchange {
    fn new(user: &str, password: &'static str) -> Self {
        let first_bare = format!("n={user},r=fyko+d2lbbFgONRv9qkxdawL");
        Self { first_bare, password, server_signature: Vec::new() }
    }

    fn first(&self) -> String {
        format!("n,,{}", self.first_bare)
    }

    fn last(&mut self, server_first: &str) -> String {
        let mut parts = server_first.split(',');
        let mut part = |name: &str| parts.next().unwrap().strip_prefix(name).unwrap().to_owned();
        let (nonce, salt, iterations) = (part("r="), part("s="), part("i="));
        assert!(nonce.starts_with("fyko+d2lbbFgONRv9qkxdawL") && nonce.len() > 40, "{nonce}");
        assert!(iterations.parse::<u32>().unwrap() >= 4096);
        let mut salted = [0; 32];
        let salt = BASE64.decode(salt).unwrap();
        pbkdf2::pbkdf2::<Hmac<Sha256>>(
            self.password.as_bytes(),
            &salt,
            iterations.parse().unwrap(),
            &mut salted,
        )
        .unwrap();
        let client_key = hmac(&salted, b"Client Key");
        let without_proof = format!("c={},r={nonce}", BASE64.encode("n,,"));
        let message = format!("{},{server_first},{without_proof}", self.first_bare);
        let signature = hmac(&Sha256::digest(&client_key), message.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(key, with)| key ^ with).collect();
        self.server_signature = hmac(&hmac(&salted, b"Server Key"), message.as_bytes());
        format!("{without_proof},p={}", BASE64.encode(proof))
    }
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn text(text: &str) -> Text {
    Text::try_from(text).unwrap()
}

fn auth(reason: ReasonCode, data: String) -> Packet {
    let properties = AuthProperties {
        authentication_method: Some(text(METHOD)),
        authentication_data: Some(data.into()),
        ..AuthProperties::default()
    };
    Packet::Auth(Auth { reason, properties: Some(Box::new(properties)) })
}

/// The data of the next AUTH.
fn question(client: &mut Client, expected: ReasonCode) -> String {
    let packet = client.receive();
    let Packet::Auth(auth) = packet else { panic!("expected AUTH, got {packet:?}") };
    assert_eq!(auth.reason, expected);
    String::from_utf8(auth.data().to_vec()).unwrap()
}

/// Until CONNACK, whose data must be the server's signature if it is a good one.
fn sign_in_by_scram(client: &mut Client, user: &str, password: &'static str) -> ReasonCode {
    let mut exchange = Exchange::new(user, password);
    let mut connect = connecting(Version::V5, "scram", None);
    connect.properties.authentication_method = Some(text(METHOD));
    connect.properties.authentication_data = Some(exchange.first().into());
    client.send(&Packet::Connect(Box::new(connect)));
    let last = exchange.last(&question(client, ReasonCode::ContinueAuthentication));
    client.send(&auth(ReasonCode::ContinueAuthentication, last));
    let Packet::Connack(connack) = client.receive() else { panic!("expected CONNACK") };
    if !connack.reason.is_failure() {
        let data = connack.properties.authentication_data.unwrap();
        assert_eq!(data, format!("v={}", BASE64.encode(&exchange.server_signature)));
    }
    connack.reason
}

#[test]
fn who_knows_the_password_comes_in_without_saying_it() {
    let folder = Folder::new();
    let server = strict(&folder, &[]);
    for way in WAYS {
        let mut client = way(&server);
        assert_eq!(sign_in_by_scram(&mut client, "bert", "pässword"), ReasonCode::Success);
        client.ping();
        // And again, while it is connected.
        let mut exchange = Exchange::new("bert", "pässword");
        client.send(&auth(ReasonCode::ReAuthenticate, exchange.first()));
        let last = exchange.last(&question(&mut client, ReasonCode::ContinueAuthentication));
        client.send(&auth(ReasonCode::ContinueAuthentication, last));
        let signature = question(&mut client, ReasonCode::Success);
        assert_eq!(signature, format!("v={}", BASE64.encode(&exchange.server_signature)));
        client.ping();
    }
}

#[test]
fn who_does_not_is_refused_and_learns_nothing() {
    let folder = Folder::new();
    let server = strict(&folder, &[]);
    // A wrong password; a user whose line is of another kind; one who does not exist; the server's own.
    for (user, password) in [("bert", "password"), ("anna", "secret"), ("carl", "x"), ("luxwire", "luxwire")]
    {
        let mut client = Client::tcp(server.mqtt);
        assert_eq!(sign_in_by_scram(&mut client, user, password), ReasonCode::NotAuthorized, "{user}");
        assert_eq!(client.until_closed(), []);
    }
}

#[test]
fn without_a_user_for_it_there_is_no_such_method() {
    let folder = Folder::new();
    let passwords = crate::setting("auth.passwords", &folder.passwords(&[("anna", "secret", &[])]));
    let server = crate::support::Server::with(&[&passwords]);
    let mut client = Client::tcp(server.mqtt);
    let mut connect = connecting(Version::V5, "scram", None);
    connect.properties.authentication_method = Some(text(METHOD));
    client.send(&Packet::Connect(Box::new(connect)));
    let Packet::Connack(connack) = client.receive() else { panic!("expected CONNACK") };
    assert_eq!(connack.reason, ReasonCode::BadAuthenticationMethod);
}
