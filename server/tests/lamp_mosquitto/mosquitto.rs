//! A Mosquitto on free ports, which lets only one user in.

use crate::{
    lamp::{Hand, folder},
    life::Place,
    support::{Client, eventually},
};
use luxwire_shared::mqtt::{Connect, ConnectProperties, Packet, ReasonCode, Text, Version};
use std::{
    env, fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

const USER: &str = "lamp";
const PASSWORD: &str = "let me: in/";

/// How the lamp reaches it.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    Tcp,
    WebSocket,
}

/// A running Mosquitto; it ends with the test.
pub(crate) struct Mosquitto {
    way: Way,
    tcp: SocketAddr,
    websocket: SocketAddr,
    configuration: PathBuf,
    child: Option<Child>,
}

impl Mosquitto {
    pub(crate) fn start(test: &str, way: Way) -> Self {
        let folder = folder(&format!("mosquitto-{test}"));
        let passwords = folder.join("passwords");
        let mut passwd = Command::new(program("mosquitto_passwd"));
        let status = passwd.args(["-b", "-c"]).arg(&passwords).args([USER, PASSWORD]).status().unwrap();
        assert!(status.success());
        let (tcp, websocket) = (free(), free());
        let configuration = folder.join("mosquitto.conf");
        // Root would change to a user who may not read the passwords.
        let text = format!(
            "user root\nallow_anonymous false\npassword_file {}\npersistence false\n\
             listener {} 127.0.0.1\nlistener {} 127.0.0.1\nprotocol websockets\n",
            passwords.display(),
            tcp.port(),
            websocket.port()
        );
        fs::write(&configuration, text).unwrap();
        let mut place = Self { way, tcp, websocket, configuration, child: None };
        place.restart();
        place
    }

    /// Starts it, and waits until it listens.
    pub(crate) fn restart(&mut self) {
        let mut command = Command::new(program("mosquitto"));
        command.arg("-c").arg(&self.configuration).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        for address in [self.tcp, self.websocket] {
            eventually("a Mosquitto that listens", || TcpStream::connect(address).ok());
        }
    }

    /// Ends it without a word to anybody.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Place for Mosquitto {
    fn flags(&self) -> Vec<String> {
        let broker = match self.way {
            Way::Tcp => format!("mqtt://{}", self.tcp),
            Way::WebSocket => format!("ws://{}/", self.websocket),
        };
        [&broker, "--user", USER, "--password", PASSWORD].map(ToOwned::to_owned).to_vec()
    }

    fn hand(&self) -> Hand {
        let mut client = Client::tcp(self.tcp);
        client.send(&Packet::Connect(Box::new(Connect {
            version: Version::V5,
            clean_start: true,
            keep_alive_s: 0,
            client_id: Text::try_from("").unwrap(),
            will: None,
            user_name: Some(Text::try_from(USER).unwrap()),
            password: Some(PASSWORD.into()),
            properties: ConnectProperties::default(),
        })));
        match client.receive() {
            Packet::Connack(connack) => assert_eq!(connack.reason, ReasonCode::Success),
            other => panic!("{other:?}"),
        }
        Hand::of(client)
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.stop();
    }
}

/// In the folder that `LUXWIRE_MOSQUITTO_DIR` names.
fn program(name: &str) -> PathBuf {
    let folder = env::var_os("LUXWIRE_MOSQUITTO_DIR").expect(
        "Mosquitto is needed, and LUXWIRE_MOSQUITTO_DIR does not say where it is: run `cargo xtask test`, which \
         installs it",
    );
    PathBuf::from(folder).join(name)
}

/// A port that is free; it stays so unless somebody takes just this one before Mosquitto does.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
