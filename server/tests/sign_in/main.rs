//! Users, passwords and permissions, seen from outside: the real program with its files, over TCP, WebSocket and HTTP.
//!
//! Who may do what is tested in the broker's crate, case by case; here it is that the files reach it, and every way in
//! leads past them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod files;
mod http;
mod mqtt;
mod passwd;
mod permissions;
mod scram;

#[path = "../support/mod.rs"]
mod support;

use luxwire_shared::mqtt::{Connect, ConnectProperties, Packet, ReasonCode, Text, Version};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};
use support::{Client, Server, run};

/// A folder with the files of one test; it goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("luxwire-sign-in-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Gives users passwords, with further arguments for `luxwire passwd`.
    fn passwords(&self, users: &[(&str, &str, &[&str])]) -> PathBuf {
        let path = self.path("passwords");
        for (user, password, arguments) in users {
            let path = path.to_str().unwrap();
            let finished = run(&[&["passwd", path, user, "--password", password], *arguments].concat());
            assert_eq!(finished.code, Some(0), "{finished:?}");
        }
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A setting that names a file.
fn setting(key: &str, file: &Path) -> String {
    format!("{key}={}", file.display())
}

/// Nobody comes who does not sign in; anna's password is "secret", bert's "pässword", which SCRAM can do as well.
fn strict(folder: &Folder, settings: &[&str]) -> Server {
    folder.write("passwords", ANNA);
    let passwords = setting("auth.passwords", &folder.passwords(&[("bert", "pässword", &["--scram"])]));
    Server::with(&[&["auth.anonymous=false", &passwords], settings].concat())
}

/// A line that takes little time.
const ANNA: &str = "anna:$7$101$N+5LYMCwLRYAXyfu$A3cO5ZzI53ktm8BiAjtwEbe/wzTWYThD3tHmJsC4Pjis5drsgHnbJ12BGq/bUb9STcBSzqoFeFLYnusDFniq6A==\n";

/// A way to a server.
type Way = fn(&Server) -> Client;

const WAYS: [Way; 2] = [|server| Client::tcp(server.mqtt), |server| Client::websocket(server.http)];

const VERSIONS: [Version; 3] = [Version::V3_1, Version::V3_1_1, Version::V5];

fn connecting(version: Version, client_id: &str, user: Option<(&str, Option<&str>)>) -> Connect {
    let text = |text: &str| Text::try_from(text).unwrap();
    Connect {
        version,
        clean_start: true,
        keep_alive_s: 0,
        client_id: text(client_id),
        will: None,
        user_name: user.map(|(name, _)| text(name)),
        password: user.and_then(|(_, password)| password).map(|password| password.to_owned().into()),
        properties: ConnectProperties::default(),
    }
}

/// Signs in, or not, and says what came of it.
fn sign_in(
    client: &mut Client,
    version: Version,
    id: &str,
    user: Option<(&str, Option<&str>)>,
) -> ReasonCode {
    client.speak(version);
    client.send(&Packet::Connect(Box::new(connecting(version, id, user))));
    match client.receive() {
        Packet::Connack(connack) => connack.reason,
        other => panic!("{other:?}"),
    }
}

/// A 5.0 client that has signed in over TCP.
fn signed_in(server: &Server, client_id: &str, user: &str, password: &str) -> Client {
    let mut client = Client::tcp(server.mqtt);
    let reason = sign_in(&mut client, Version::V5, client_id, Some((user, Some(password))));
    assert_eq!(reason, ReasonCode::Success, "{user}");
    client
}
