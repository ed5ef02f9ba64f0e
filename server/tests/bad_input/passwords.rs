//! Files of passwords and permissions that are empty, blank or garbled: nobody gets more by them than they say.

use crate::{
    bytes::{connect_with, text},
    cases::{Case, each_is_answered_in},
    exchange::Wanted,
    folder::Folder,
    house::House,
    support::{Client, Server, run},
    users::{self, HASH, ask, published, refused, subscribed},
};
use luxwire_shared::mqtt::{
    Packet, QoS,
    ReasonCode::{BadUserNameOrPassword, NotAuthorized},
    Version::{V3_1, V3_1_1, V5},
};

/// Sees that the server does not start with this file, names the setting and the line, and repeats nothing of a password.
#[track_caller]
fn is_refused(key: &str, file: &[u8], line: usize) {
    let folder = Folder::new();
    let setting = folder.setting(key, file);
    let serve = ["serve", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--ephemeral", "--set", &setting];
    let finished = run(&serve);
    let file = String::from_utf8_lossy(file);
    assert_eq!(finished.code, Some(1), "{file:?}: {finished:?}");
    assert!(!finished.out.contains("ready"), "{file:?}: {finished:?}");
    let why = finished.err.lines().last().unwrap();
    assert!(why.contains(key) && why.contains(&format!("line {line}:")), "{file:?}: {why}");
    assert!(!finished.err.contains("hunter2") && !finished.err.contains(&HASH[20..30]), "{file:?}: {why}");
}

// Row 21, mosquitto CVE-2018-12551: lines of a file of passwords that are blank, garbled or cut. Elsewhere what stood
// there became a user who needs no password; here the server does not start.
#[test]
fn row_21_lines_of_passwords_that_are_garbled() {
    let good = format!("anna:{HASH}\n");
    for garbled in [
        "",
        " ",
        "\t",
        "\r",
        "bert",
        "bert:",
        ":",
        ":hunter2",
        "bert:hunter2",
        "bert:$7$",
        "bert:$7$101$$",
        "bert:$7$0$c2FsdA==$aHVudGVyMg==",
        "bert:$9$101$c2FsdA==$aHVudGVyMg==",
        "bert $7$101$",
        "# bert",
        "bert\0",
        "\u{feff}",
        "\u{7f}ELF\u{2}",
    ] {
        for file in [format!("{garbled}\n{good}"), format!("{garbled}\n")] {
            is_refused("auth.passwords", file.as_bytes(), 1);
        }
        is_refused("auth.passwords", format!("{good}{garbled}\n").as_bytes(), 2);
    }
    is_refused("auth.passwords", &[good.as_bytes(), b"bert\xff:x\n"].concat(), 2);
    // A file that was cut while it was copied, anywhere within its second line.
    let whole = format!("{good}bert:{HASH}");
    for len in good.len() + 1..whole.len() {
        is_refused("auth.passwords", &whole.as_bytes()[..len], 2);
    }
}

// The same row: no lines at all. Nobody has a password, so nobody signs in, with one or without.
#[test]
fn row_21_a_file_of_no_passwords() {
    let folder = Folder::new();
    let mut house = House::with(&[&folder.setting("auth.passwords", "")]);
    let mut cases = Vec::new();
    for version in [V3_1, V3_1_1, V5] {
        for user in ["", "anna", ":", "\n", "luxwire", "root"] {
            let mut check = |flags, payload: Vec<u8>| {
                let bytes = connect_with(version, flags, [], payload);
                cases.push(Case::first(version, bytes, Wanted::Refusal(BadUserNameOrPassword)));
            };
            check(0x82, [text("id"), text(user)].concat());
            check(0xC2, [text("id"), text(user), text("")].concat());
            check(0xC2, [text("id"), text(user), text(user)].concat());
        }
    }
    each_is_answered_in(&mut house, &cases);
    house.ends_unharmed();
}

// The same row: lines of permissions that are garbled. One of them may have been a denial.
#[test]
fn row_21_lines_of_permissions_that_are_garbled() {
    for garbled in [
        "topc read x",
        "topic",
        "topic dney x",
        "topic deny x#",
        "topic deny a/#/b",
        "topic deny a\0b",
        "deny x",
        "user",
        "usr anna",
        "pattern deny x%c",
        "\u{feff}topic deny x",
        "t\0o\0p\0i\0c\0",
    ] {
        is_refused("auth.acl", format!("topic read x\n{garbled}\ntopic read y\n").as_bytes(), 2);
        is_refused("auth.acl", format!("{garbled}\n").as_bytes(), 1);
    }
    is_refused("auth.acl", b"topic read x\ntopic deny \xff\n", 2);
}

// The same row, mosquitto CVE-2018-12550: a file of permissions without a line that grants anything. Elsewhere it was as
// good as none, and everybody could do everything; here nobody can do anything. The witnesses could not talk either.
#[test]
fn row_21_an_empty_file_of_permissions() {
    let folder = Folder::new();
    for empty in ["", "\n\n", "\r\n", " \t\n", "# topic readwrite #\n", "user anna\n", "topic deny #\n"] {
        let mut server = Server::quiet(&[&folder.setting("auth.acl", empty)]);
        for number in 0..6 {
            let version = [V5, V3_1_1, V3_1][number / 2];
            let mut client = users::somebody(&server, number);
            client.connect(version, "nobody");
            for filter in ["#", "+", "+/#", "lights/desk/intensity", "$SYS/#", "$SYS/broker/version"] {
                assert_eq!(
                    subscribed(&mut client, filter, QoS::AtMostOnce),
                    refused(version),
                    "{empty:?} {filter}"
                );
            }
            for topic in ["lights/desk/intensity", "x", "$CONTROL/x"] {
                assert_eq!(
                    published(&mut client, topic, true).is_failure(),
                    version == V5,
                    "{empty:?} {topic}"
                );
            }
            client.ping();
        }
        for (method, path) in [
            ("GET", "/api/v1/topics/x"),
            ("PUT", "/api/v1/topics/x"),
            ("DELETE", "/api/v1/topics/x"),
            ("GET", "/api/v1/topics"),
            ("GET", "/api/v1/topics?filter=$SYS/%23"),
            ("GET", "/api/v1/events"),
            ("GET", "/api/v1/picture"),
            ("GET", "/api/v1/history?topic=x"),
            ("POST", "/api/v1/hue"),
        ] {
            let answer = ask(&server, None, method, path);
            let nothing = answer.status == 200 && answer.text() == "[]";
            assert!(answer.status == 403 || nothing, "{empty:?} {method} {path}: {answer:?}");
        }
        let mut client = Client::tcp(server.mqtt);
        client.speak(V3_1_1);
        client.send_bytes(&connect_with(V3_1_1, 0x06, [], [text("id"), text("x"), text("will")].concat()));
        assert!(matches!(&client.until_closed()[..],
            [Packet::Connack(connack)] if connack.reason == NotAuthorized));
        assert!(server.is_running());
    }
}
