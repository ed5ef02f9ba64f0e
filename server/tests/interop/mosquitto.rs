//! mosquitto_pub, mosquitto_sub and mosquitto_rr in all three versions, as people use them in scripts.

use crate::{
    pub_sub::Broker,
    support::{DEADLINE, Server, eventually, get, run},
};
use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

/// What `-V` calls them.
const VERSIONS: [&str; 3] = ["31", "311", "5"];

/// A running mosquitto_sub; it ends with the test.
struct Subscriber {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Subscriber {
    /// Connects again; messages that waited may come before the subscription is acknowledged.
    fn returned(server: &Server, version: &str, arguments: &[&str]) -> Self {
        // Into a pipe it would write its lines when it ends.
        let mut command = Command::new("stdbuf");
        command.arg("-oL").arg(tool("mosquitto_sub")).arg("-d");
        let mut child = started(command, server, version, arguments);
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    /// Subscribes and waits until that is acknowledged.
    fn start(server: &Server, version: &str, arguments: &[&str]) -> Self {
        let subscriber = Self::returned(server, version, arguments);
        while !subscriber.any_line().starts_with("Subscribed") {}
        subscriber
    }

    /// The next message as `-v` shows it; what `-d` tells of packets is passed over.
    fn message(&self) -> String {
        loop {
            let line = self.any_line();
            if !line.starts_with("Client ") && !line.starts_with("Subscribed") {
                return line;
            }
        }
    }

    fn any_line(&self) -> String {
        self.lines.recv_timeout(DEADLINE).expect("mosquitto_sub says something")
    }

    /// Ends it without a word to the broker.
    fn kill(mut self) {
        self.child.kill().unwrap();
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In the folder that `LUXWIRE_MOSQUITTO_DIR` names, or on the path.
pub(crate) fn tool(name: &str) -> PathBuf {
    env::var_os("LUXWIRE_MOSQUITTO_DIR")
        .map_or_else(|| PathBuf::from(name), |folder| PathBuf::from(folder).join(name))
}

fn started(mut command: Command, server: &Server, version: &str, arguments: &[&str]) -> Child {
    command.args(["-h", "127.0.0.1", "-p", &server.mqtt.port().to_string(), "-V", version]).args(arguments);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    child.unwrap_or_else(|error| {
        panic!(
            "mosquitto's tools are needed ({command:?}: {error}): run `cargo xtask test`, which installs them"
        )
    })
}

/// Publishes and waits until mosquitto_pub says that it went well.
#[track_caller]
fn publish(server: &Server, version: &str, arguments: &[&str], stdin: &[u8]) {
    let mut child = started(Command::new(tool("mosquitto_pub")), server, version, arguments);
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    let status = eventually("the end of mosquitto_pub", || child.try_wait().unwrap());
    assert!(status.success(), "mosquitto_pub -V {version} {arguments:?}: {status}");
}

#[test]
fn every_version_hears_every_version_at_every_qos() {
    let server = Server::start();
    let subscribers =
        VERSIONS.map(|version| Subscriber::start(&server, version, &["-v", "-t", "lights/#", "-q", "2"]));
    for version in VERSIONS {
        for qos in ["0", "1", "2"] {
            let payload = format!("{version} {qos}");
            publish(&server, version, &["-t", "lights/desk", "-q", qos, "-m", &payload], b"");
            for subscriber in &subscribers {
                assert_eq!(subscriber.message(), format!("lights/desk {payload}"));
            }
        }
    }
}

#[test]
fn a_retained_value_meets_late_subscribers_until_it_is_cleared() {
    let server = Server::start();
    for version in VERSIONS {
        publish(&server, version, &["-t", "lights/desk/intensity", "-r", "-q", "1", "-m", "40"], b"");
        for late in VERSIONS {
            let subscriber =
                Subscriber::start(&server, late, &["-v", "--retained-only", "-t", "lights/+/intensity"]);
            assert_eq!(subscriber.message(), "lights/desk/intensity 40");
        }
        publish(&server, version, &["-t", "lights/desk/intensity", "-r", "-q", "1", "-n"], b"");
        assert_eq!(get(server.http, "/api/v1/topics").text(), "[]");
    }
}

#[test]
fn a_large_payload_passes_whole() {
    let server = Server::start();
    let payload: String = (0..70_000).map(|at| char::from(b'a' + (at % 23) as u8)).collect();
    for version in VERSIONS {
        let subscriber = Subscriber::start(&server, version, &["-t", "large", "-q", "1"]);
        publish(&server, version, &["-t", "large", "-q", "1", "-s"], payload.as_bytes());
        assert!(subscriber.message() == payload, "version {version}");
    }
}

#[test]
fn lines_arrive_in_order() {
    let server = Server::start();
    let lines: Vec<String> = (0..500).map(|number| format!("line {number}")).collect();
    for version in VERSIONS {
        for qos in ["0", "1", "2"] {
            let subscriber = Subscriber::start(&server, version, &["-t", "lines", "-q", qos]);
            publish(
                &server,
                version,
                &["-t", "lines", "-q", qos, "-l"],
                (lines.join("\n") + "\n").as_bytes(),
            );
            for line in &lines {
                assert_eq!(&subscriber.message(), line, "version {version}, QoS {qos}");
            }
        }
    }
}

#[test]
fn the_will_of_a_client_that_is_lost_is_published() {
    let server = Server::start();
    for version in VERSIONS {
        let witness = Subscriber::start(&server, version, &["-v", "-t", "wills/#", "-q", "1"]);
        let will = ["--will-topic", "wills/lamp", "--will-payload", "offline", "--will-qos", "1", "-t", "x"];
        Subscriber::start(&server, version, &will).kill();
        assert_eq!(witness.message(), "wills/lamp offline", "version {version}");
    }
}

#[test]
fn what_comes_while_a_client_is_away_waits_for_it() {
    let server = Server::start();
    for version in VERSIONS {
        let mut session = vec!["-i", "away", "-c", "-q", "1", "-t", "waiting"];
        if version == "5" {
            session.extend(["-x", "60"]);
        }
        let subscriber = Subscriber::start(&server, version, &session);
        drop(subscriber);
        server.logged(&["disconnected", "\"away\""]);
        for number in ["1", "2", "3"] {
            publish(&server, version, &["-t", "waiting", "-q", "1", "-m", number], b"");
        }
        let subscriber = Subscriber::returned(&server, version, &session);
        for number in ["1", "2", "3"] {
            assert_eq!(subscriber.message(), number, "version {version}");
        }
    }
}

#[test]
fn a_request_gets_its_response() {
    let server = Server::start();
    for version in VERSIONS {
        let responder = Subscriber::start(&server, version, &["-t", "requests", "-q", "1"]);
        let request = ["-t", "requests", "-e", "responses", "-q", "1", "-m", "how bright"];
        let mut requester = started(Command::new(tool("mosquitto_rr")), &server, version, &request);
        // It follows the responses before it asks.
        assert_eq!(responder.message(), "how bright");
        publish(&server, version, &["-t", "responses", "-q", "1", "-m", "40"], b"");
        let status = eventually("the end of mosquitto_rr", || requester.try_wait().unwrap());
        let mut response = String::new();
        requester.stdout.take().unwrap().read_to_string(&mut response).unwrap();
        assert!(status.success(), "mosquitto_rr -V {version}: {status}");
        assert_eq!(response, "40\n", "version {version}");
    }
}

/// A folder with a file of passwords that mosquitto_passwd made in each of its forms, and luxwire in its own.
fn passwords() -> PathBuf {
    let folder = env::temp_dir().join(format!("luxwire-mosquitto-passwd-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("passwords");
    let _ = fs::remove_file(&file);
    let file = file.to_str().unwrap();
    for arguments in
        [&["-H", "sha512", "-c", "-b", file, "old", "secret"][..], &["-b", file, "ann", "s:e c r e t$"]]
    {
        assert!(Command::new(tool("mosquitto_passwd")).args(arguments).status().unwrap().success());
    }
    assert_eq!(run(&["passwd", file, "bob", "--password", "secret"]).code, Some(0));
    // Which it reads and writes again.
    let added = Command::new(tool("mosquitto_passwd")).args(["-b", file, "carl", "secret"]).status();
    assert!(added.unwrap().success());
    folder
}

#[test]
fn users_of_mosquitto_passwd_sign_in() {
    let folder = passwords();
    let acl = folder.join("acl");
    fs::write(&acl, "user ann\ntopic readwrite lights/#\npattern write from/%u\n").unwrap();
    let set = |key: &str, name: &str| format!("{key}={}", folder.join(name).display());
    let server =
        Server::with(&["auth.anonymous=false", &set("auth.passwords", "passwords"), &set("auth.acl", "acl")]);
    let ann = ["-u", "ann", "-P", "s:e c r e t$"];
    for version in VERSIONS {
        let subscriber =
            Subscriber::start(&server, version, &[&["-v", "-t", "lights/#", "-q", "1"][..], &ann].concat());
        publish(
            &server,
            version,
            &[&["-t", "lights/desk", "-q", "1", "-m", version][..], &ann].concat(),
            b"",
        );
        assert_eq!(subscriber.message(), format!("lights/desk {version}"));
        for user in ["old", "bob", "carl"] {
            let topic = format!("from/{user}");
            publish(&server, version, &["-t", &topic, "-q", "1", "-m", "x", "-u", user, "-P", "secret"], b"");
        }
        for wrong in [&["-u", "ann", "-P", "guess"][..], &["-u", "dora", "-P", "secret"], &[]] {
            let arguments = [&["-t", "lights/desk", "-m", "x"][..], wrong].concat();
            let child = started(Command::new(tool("mosquitto_pub")), &server, version, &arguments);
            assert!(!child.wait_with_output().unwrap().status.success(), "{wrong:?}");
        }
    }
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn mosquitto_takes_the_passwords_that_luxwire_wrote() {
    let broker = Broker::mosquitto_with_password();
    let port = broker.address().port().to_string();
    for (password, is_right) in [("secret", true), ("guess", false)] {
        let mut command = Command::new(tool("mosquitto_pub"));
        command.args(["-p", &port, "-q", "1", "-t", "x", "-m", "x", "-u", "bob", "-P", password]);
        assert_eq!(command.status().unwrap().success(), is_right, "{password}");
    }
}
