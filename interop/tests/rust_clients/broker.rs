//! The program that the clients connect to, in a process of its own on free ports of the loopback interface.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// What has not happened after this long will not happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// What carries MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    WebSocket,
}

/// Where a client finds the broker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) transport: Transport,
    pub(crate) port: u16,
}

/// A running broker; it ends with the test.
pub(crate) struct Broker {
    child: Child,
    mqtt: u16,
    http: u16,
}

impl Broker {
    pub(crate) fn start() -> Self {
        let program = env::var_os("LUXWIRE_BIN")
            .expect("LUXWIRE_BIN does not name the program: run `cargo xtask test`, which builds it");
        let mut child = Command::new(program)
            .args(["serve", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--ephemeral"])
            .env("LUXWIRE_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        // It says where it listens, and then that it is ready; if it ends before that, so do the lines.
        let ready: Vec<_> = lines.by_ref().take_while(|line| line != "ready").collect();
        let port = |speaks: &str| {
            let prefix = format!("listening {speaks} 127.0.0.1:");
            let place = ready.iter().find_map(|line| line.strip_prefix(&prefix));
            place.unwrap_or_else(|| panic!("it listens for {speaks}: {ready:?}")).parse().unwrap()
        };
        Self { mqtt: port("mqtt"), http: port("http"), child }
    }

    pub(crate) fn place(&self, transport: Transport) -> Place {
        let port = match transport {
            Transport::Tcp => self.mqtt,
            Transport::WebSocket => self.http,
        };
        Place { transport, port }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
