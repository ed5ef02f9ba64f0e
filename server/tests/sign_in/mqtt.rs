//! Name and password in CONNECT.

use crate::{
    Folder, VERSIONS, WAYS, connecting, setting, sign_in, signed_in, strict,
    support::{Client, Server, encode, publish, subscribe},
};
use luxwire_shared::mqtt::{Delivery, Packet, PacketId, QoS, ReasonCode, Version};
use std::io::{ErrorKind, Read as _};

#[test]
fn only_those_with_a_right_password_come_in() {
    let folder = Folder::new();
    let server = strict(&folder, &[]);
    for way in WAYS {
        for version in VERSIONS {
            for (user, expected) in [
                (Some(("anna", Some("secret"))), ReasonCode::Success),
                // Its line is SCRAM's, which serves those as well who say their password.
                (Some(("bert", Some("pässword"))), ReasonCode::Success),
                (Some(("anna", Some("Secret"))), ReasonCode::BadUserNameOrPassword),
                (Some(("anna", Some(""))), ReasonCode::BadUserNameOrPassword),
                (Some(("anna", None)), ReasonCode::BadUserNameOrPassword),
                (Some(("bert", Some("secret"))), ReasonCode::BadUserNameOrPassword),
                (Some(("carl", Some("secret"))), ReasonCode::BadUserNameOrPassword),
                (Some(("", Some("secret"))), ReasonCode::BadUserNameOrPassword),
                (Some(("luxwire", Some("luxwire"))), ReasonCode::BadUserNameOrPassword),
                (None, ReasonCode::NotAuthorized),
            ] {
                let mut client = way(&server);
                let reason = sign_in(&mut client, version, "client", user);
                assert_eq!(reason, expected, "{user:?} {version:?}");
                if reason.is_failure() {
                    assert_eq!(client.until_closed(), []);
                } else {
                    client.ping();
                }
            }
        }
    }
    let log = server.log();
    assert!(!log.contains("secret") && !log.contains("pässword"), "{log}");
}

#[test]
fn a_file_of_old_mosquitto_passwd_is_understood() {
    let folder = Folder::new();
    let file = folder.write(
        "passwords",
        "anna:$6$AFUtS/CaiPqYULEt$NvQ12dBR7e8aAdFLuQhHI60uiUyzNSkB1vC53WhI4GkX2Y1z4jKiRyadir1jdLjpKKr77XuBW5PF7Jl9TFRHvg==\n\
         bert:$7$101$N+5LYMCwLRYAXyfu$A3cO5ZzI53ktm8BiAjtwEbe/wzTWYThD3tHmJsC4Pjis5drsgHnbJ12BGq/bUb9STcBSzqoFeFLYnusDFniq6A==\n",
    );
    let server = Server::with(&["auth.anonymous=false", &setting("auth.passwords", &file)]);
    for user in ["anna", "bert"] {
        signed_in(&server, user, user, "secret").ping();
        let mut client = Client::tcp(server.mqtt);
        let reason = sign_in(&mut client, Version::V5, user, Some((user, Some("guess"))));
        assert_eq!(reason, ReasonCode::BadUserNameOrPassword);
    }
}

#[test]
fn by_default_programs_on_this_machine_need_no_password_and_wrong_ones_are_still_wrong() {
    // Without a file names mean nothing.
    let server = Server::start();
    for user in [None, Some(("anna", Some("x"))), Some(("luxwire", Some("x")))] {
        for way in WAYS {
            let mut client = way(&server);
            assert_eq!(sign_in(&mut client, Version::V5, "client", user), ReasonCode::Success);
            client.ping();
        }
    }
    let folder = Folder::new();
    let passwords = setting("auth.passwords", &folder.passwords(&[("anna", "secret", &[])]));
    let server = Server::with(&[&passwords]);
    for (user, expected) in [
        (None, ReasonCode::Success),
        (Some(("anna", Some("secret"))), ReasonCode::Success),
        (Some(("anna", Some("guess"))), ReasonCode::BadUserNameOrPassword),
        (Some(("carl", None)), ReasonCode::BadUserNameOrPassword),
    ] {
        let mut client = Client::tcp(server.mqtt);
        assert_eq!(sign_in(&mut client, Version::V5, "client", user), expected);
    }
}

// [MQTT-3.1.4-6] Clients need not wait for CONNACK before they go on.
#[test]
fn what_comes_behind_connect_is_handled_when_the_password_is_known_to_be_right() {
    let folder = Folder::new();
    let server = strict(&folder, &[]);
    let mut page = signed_in(&server, "page", "anna", "secret");
    page.send(&subscribe(PacketId::MIN, "#", QoS::AtMostOnce));
    page.receive();
    for way in WAYS {
        for version in VERSIONS {
            for (password, is_right) in [("secret", true), ("guess", false)] {
                let mut client = way(&server);
                client.speak(version);
                let connect = connecting(version, "eager", Some(("anna", Some(password))));
                let packets = [
                    Packet::Connect(Box::new(connect)),
                    publish("from/eager", password, Delivery::AtMostOnce, false),
                    Packet::Pingreq,
                ];
                let bytes: Vec<_> =
                    packets.iter().flat_map(|packet| encode(packet, version).to_vec()).collect();
                client.send_bytes(&bytes);
                let Packet::Connack(connack) = client.receive() else { panic!("expected CONNACK first") };
                assert_eq!(!connack.reason.is_failure(), is_right);
                if is_right {
                    assert_eq!(client.receive(), Packet::Pingresp);
                    let message = page.message();
                    assert_eq!(&message.payload[..], b"secret");
                } else {
                    assert_eq!(client.until_closed(), []);
                    page.ping();
                }
            }
        }
    }
}

#[test]
fn others_are_served_while_passwords_are_looked_at() {
    let folder = Folder::new();
    // Seconds of work, even for a fast processor.
    let hash = "A3cO5ZzI53ktm8BiAjtwEbe/wzTWYThD3tHmJsC4Pjis5drsgHnbJ12BGq/bUb9STcBSzqoFeFLYnusDFniq6A==";
    let file = folder.write("passwords", format!("slow:$7$5000000$N+5LYMCwLRYAXyfu${hash}\n"));
    let server = Server::with(&[&setting("auth.passwords", &file)]);
    let mut waiting: Vec<_> = (0..20)
        .map(|number| {
            let mut client = Client::tcp(server.mqtt);
            let connect = connecting(Version::V5, &format!("slow{number}"), Some(("slow", Some("x"))));
            client.send(&Packet::Connect(Box::new(connect)));
            client
        })
        .collect();
    let mut client = Client::tcp(server.mqtt);
    assert_eq!(sign_in(&mut client, Version::V5, "quick", None), ReasonCode::Success);
    for _ in 0..100 {
        client.ping();
    }
    for client in &mut waiting {
        let mut socket = client.socket();
        socket.set_nonblocking(true).unwrap();
        assert_eq!(socket.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}

// Section 5.4.2.
#[test]
fn nobody_ends_another_users_connection() {
    let folder = Folder::new();
    let server = strict(&folder, &[]);
    let mut anna = signed_in(&server, "panel", "anna", "secret");
    let mut bert = Client::tcp(server.mqtt);
    let reason = sign_in(&mut bert, Version::V5, "panel", Some(("bert", Some("pässword"))));
    assert_eq!(reason, ReasonCode::NotAuthorized);
    anna.ping();
    let mut again = signed_in(&server, "panel", "anna", "secret");
    again.ping();
    let Some(Packet::Disconnect(disconnect)) = anna.receive_or_end() else { panic!("expected DISCONNECT") };
    assert_eq!(disconnect.reason, ReasonCode::SessionTakenOver);
}
