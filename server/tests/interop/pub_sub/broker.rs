//! The brokers that both kinds of programs are run against, and what they hold.

use crate::{
    mosquitto::tool,
    support::{Client, Server, eventually, run},
};
use luxwire_shared::mqtt::{Publish, QoS, Version};
use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// A broker that ends with the test.
pub(crate) enum Broker {
    Luxwire(Server),
    Mosquitto(Mosquitto),
}

pub(crate) struct Mosquitto {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Broker {
    pub(crate) fn luxwire() -> Self {
        Self::Luxwire(Server::start())
    }

    /// Everybody may do everything.
    pub(crate) fn mosquitto() -> Self {
        Self::Mosquitto(Mosquitto::start("allow_anonymous true"))
    }

    /// Only `ann` and `bob` with the password `secret`. The file is mosquitto_passwd's, with a line of ours.
    pub(crate) fn mosquitto_with_password() -> Self {
        Self::Mosquitto(Mosquitto::start("allow_anonymous false\npassword_file passwords"))
    }

    /// Over TLS, with a certificate for `localhost` that nobody vouches for; the file that holds it.
    pub(crate) fn mosquitto_with_tls() -> (Self, PathBuf) {
        let listener = "allow_anonymous true\ncertfile certificate.pem\nkeyfile key.pem";
        let mosquitto = Mosquitto::start(listener);
        let certificate = mosquitto.folder.join("certificate.pem");
        (Self::Mosquitto(mosquitto), certificate)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Luxwire(server) => server.mqtt,
            Self::Mosquitto(mosquitto) => mosquitto.address,
        }
    }

    /// Kept messages of many kinds, under `r/`.
    pub(crate) fn seed(&self) {
        let port = self.address().port().to_string();
        let rich = "-q 1 -D publish content-type text/plain -D publish correlation-data cd -D publish \
                    payload-format-indicator 1 -D publish response-topic re/x -D publish user-property k1 v1 -D \
                    publish user-property k1 v2";
        let json = r#"{"a": 1.0, "b":[1,2,{"c":null}], "d":"\u00e9\/", "e":1e-7}"#;
        for (topic, payload, rest) in [
            ("r/1", "one", ""),
            ("r/2", json, "-q 1"),
            ("r/3", "q\"\\\n\t\u{1}é", "-q 1"),
            ("r/5", "v5", rich),
        ] {
            let status = Command::new(tool("mosquitto_pub"))
                .args(["-p", &port, "-r", "-t", topic, "-m", payload])
                .args(rest.split_whitespace())
                .status();
            assert!(status.unwrap().success());
        }
    }

    /// Hears everything that is published here from now on.
    pub(crate) fn witness(&self) -> Witness {
        let mut client = Client::connected(self.address(), Version::V5, "witness");
        client.subscribe("p/#", QoS::AtMostOnce);
        Witness(client)
    }
}

/// A client that follows everything under `p/`.
pub(crate) struct Witness(Client);

impl Witness {
    /// The next messages, as many as were sent.
    pub(crate) fn messages(&mut self, count: usize) -> Vec<Publish> {
        (0..count).map(|_| self.0.message()).collect()
    }
}

impl Mosquitto {
    fn start(access: &str) -> Self {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("luxwire-pub-sub-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let passwd = tool("mosquitto_passwd");
        let made = Command::new(passwd)
            .args(["-b", "-c", "passwords", "ann", "secret"])
            .current_dir(&folder)
            .output();
        assert!(made.unwrap().status.success());
        let file = folder.join("passwords");
        let made = run(&["passwd", file.to_str().unwrap(), "bob", "--password", "secret"]);
        assert_eq!(made.code, Some(0), "{made:?}");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
        fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        // It cannot be asked which free port it took; another program may take this one first, and then it does not start.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        // Started by root it would become somebody who may not read the folder.
        let configuration =
            format!("per_listener_settings true\nuser root\nlistener {port} 127.0.0.1\n{access}\n");
        fs::write(folder.join("mosquitto.conf"), configuration).unwrap();
        let child = Command::new(tool("mosquitto"))
            .args(["-c", "mosquitto.conf"])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("Mosquitto is needed ({error}): run `cargo xtask test`, which installs it")
            });
        let mosquitto = Self { child, address: (Ipv4Addr::LOCALHOST, port).into(), folder };
        eventually("Mosquitto listens", || TcpStream::connect(mosquitto.address).ok());
        mosquitto
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
