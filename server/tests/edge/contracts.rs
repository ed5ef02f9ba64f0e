//! What people who start the program rely on: its lines, its exit codes, its way to stop.

use crate::support::{Client, Finished, Server, connect, eventually, program, run, run_command};
use luxwire_shared::mqtt::{Packet, QoS, ReasonCode, Version};
use rustix::process::Signal;
use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// A directory of its own for a test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// It fails with this code and one line that has all these words.
fn check_failure(finished: &Finished, code: i32, words: &[&str]) {
    assert_eq!(finished.code, Some(code), "{finished:?}");
    let complaint = finished.err.lines().filter(|line| line.starts_with("luxwire: ")).collect::<Vec<_>>();
    let [line] = complaint[..] else { panic!("not one line: {finished:?}") };
    for word in words {
        assert!(line.contains(word), "no {word:?} in {line:?}");
    }
    assert!(!finished.err.contains("panicked") && !finished.err.contains("backtrace"), "{}", finished.err);
    assert_eq!(finished.out, "");
}

#[test]
fn it_says_where_it_listens_and_then_that_it_is_ready() {
    let mut command = program();
    command.args([
        "serve",
        "--http",
        "127.0.0.1:0,127.0.0.1:0",
        "--mqtt",
        "127.0.0.1:0",
        "--mqtt",
        "[::1]:0",
    ]);
    let server = Server::from(command);
    let lines: Vec<_> = server.ready.lines().collect();
    let starts = [
        "listening http 127.0.0.1:",
        "listening http 127.0.0.1:",
        "listening mqtt 127.0.0.1:",
        "listening mqtt [::1]:",
    ];
    assert_eq!(lines.len(), starts.len() + 1, "{lines:?}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start) && !line.ends_with(":0"), "{line}");
    }
    assert_eq!(lines.last(), Some(&"ready"));
    assert!(
        server.log().lines().all(|line| !line.contains('\u{1b}')),
        "colours in a log that is no terminal"
    );
}

#[test]
fn sigterm_says_goodbye_to_clients_and_exits_with_0() {
    let mut server = Server::start();
    let mut new = Client::connected(server.mqtt, Version::V5, "new");
    let mut old = Client::connected(server.mqtt, Version::V3_1_1, "old");
    let mut page = Client::connected_by_websocket(server.http, Version::V5, "page");
    let started = Instant::now();
    server.signal(Signal::TERM);
    for client in [&mut new, &mut page] {
        let packets = client.until_closed();
        let [Packet::Disconnect(disconnect)] = &packets[..] else { panic!("{packets:?}") };
        assert_eq!(disconnect.reason, ReasonCode::ServerShuttingDown);
    }
    assert_eq!(old.until_closed(), []);
    assert_eq!(page.closed_with.as_ref().map(|frame| u16::from(frame.code)), Some(1001));
    assert_eq!(server.ended().code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn clients_that_do_not_listen_do_not_hold_up_the_stop() {
    let mut server = Server::start();
    let frozen = crate::slow::frozen_subscriber(&server);
    let silent = Client::tcp(server.mqtt);
    let asking = TcpStream::connect(server.http).unwrap();
    let started = Instant::now();
    server.signal(Signal::INT);
    assert_eq!(server.ended().code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    drop((frozen, silent, asking));
}

#[test]
fn while_it_stops_nobody_new_is_let_in() {
    let mut server = Server::start();
    // Holds up the stop for a while.
    let frozen = crate::slow::frozen_subscriber(&server);
    server.signal(Signal::TERM);
    for address in [server.mqtt, server.http] {
        eventually("a closed door", || TcpStream::connect(address).is_err().then_some(()));
    }
    let frozen_is_gone =
        server.log().lines().any(|line| line.contains("disconnected") && line.contains("\"frozen\""));
    assert!(!frozen_is_gone, "the door closes first");
    assert_eq!(server.ended().code(), Some(0));
    drop(frozen);
}

#[test]
fn a_second_ctrl_c_ends_it_at_once() {
    let mut server = Server::start();
    let frozen = crate::slow::frozen_subscriber(&server);
    server.signal(Signal::INT);
    server.logged(&["stopping"]);
    let started = Instant::now();
    server.signal(Signal::INT);
    assert_eq!(server.ended().code(), Some(1));
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    drop(frozen);
}

#[test]
fn a_port_that_is_taken_is_named_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let finished = run(&["serve", "--http", "127.0.0.1:0", "--mqtt", &address]);
    check_failure(&finished, 1, &[&address, "another program uses this port", "--mqtt 127.0.0.1:0"]);
    let finished = run(&["serve", "--http", &address, "--mqtt", "127.0.0.1:0"]);
    check_failure(&finished, 1, &[&address, "another program uses this port", "--http 127.0.0.1:0"]);
}

#[test]
fn an_address_that_cannot_be_is_named() {
    let not_ours = run(&["serve", "--http", "192.0.2.1:80", "--mqtt", "127.0.0.1:0"]);
    check_failure(&not_ours, 1, &["192.0.2.1:80", "0.0.0.0:80"]);
    check_failure(&run(&["serve", "--http", "8080"]), 2, &["--http", "8080", "HOST:PORT", "127.0.0.1:1883"]);
}

#[test]
fn a_wrong_command_line_exits_with_2_and_one_line() {
    check_failure(&run(&["serve", "--htpp", "127.0.0.1:0"]), 2, &["--htpp", "--http", "--help"]);
    check_failure(&run(&["server"]), 2, &["server", "serve"]);
    check_failure(
        &run(&["serve", "--set", "limits.conections=5"]),
        2,
        &["limits.conections=5", "connections"],
    );
    check_failure(&run(&["serve", "--set", "limits"]), 2, &["KEY=VALUE"]);
    check_failure(&run(&["serve", "--ephemeral", "--data-dir", "x"]), 2, &["--ephemeral", "--data-dir"]);
}

#[test]
fn help_and_version_are_no_failure() {
    for (arguments, words) in [
        (&["--help"][..], &["serve", "check-config"][..]),
        (
            &["serve", "--help"],
            &["--http", "--mqtt", "--data-dir", "--ephemeral", "--config", "--set", "127.0.0.1:1883"],
        ),
        (&["--version"], &[env!("CARGO_PKG_VERSION")]),
    ] {
        let finished = run(arguments);
        assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""), "{arguments:?}");
        for word in words {
            assert!(finished.out.contains(word), "no {word:?} in {}", finished.out);
        }
    }
}

#[test]
fn a_wrong_file_is_named_with_the_line() {
    let scratch = Scratch::new("wrong-file");
    let unknown =
        scratch.file("unknown.toml", "[mqtt]\nlisten = \"127.0.0.1:0\"\n\n[limits]\nconections = 5\n");
    check_failure(
        &run(&["serve", "--config", &unknown]),
        1,
        &[&unknown, "line 5", "conections", "connections"],
    );
    let range = scratch.file("range.toml", "limits.connections = 0\n");
    check_failure(
        &run(&["check-config", "--config", &range]),
        1,
        &[&range, "limits.connections is 0", "from 1 to"],
    );
    let garbage = scratch.file("garbage.toml", "[mqtt\n");
    check_failure(&run(&["serve", "--config", &garbage]), 1, &[&garbage, "line 1"]);
    let missing = scratch.0.join("missing.toml");
    check_failure(
        &run(&["serve".as_ref(), "--config".as_ref(), missing.as_os_str()]),
        1,
        &["missing.toml", "cannot be read"],
    );
}

#[test]
fn later_settings_win() {
    let scratch = Scratch::new("layers");
    let file = scratch.file(
        "luxwire.toml",
        "[limits]\nconnections = 1\nreceive_maximum = 11\nkeep_alive_s = 21\nconnect_timeout_s = 31\n",
    );
    let mut command = program();
    command.args(["check-config", "--config", &file, "--set", "limits.keep_alive_s=23"]);
    command.env("LUXWIRE_LIMITS__RECEIVE_MAXIMUM", "12").env("LUXWIRE_LIMITS__KEEP_ALIVE_S", "22");
    let finished = run_command(command);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    for line in [
        "connections = 1",
        "receive_maximum = 12",
        "keep_alive_s = 23",
        "connect_timeout_s = 31",
        "packet_size = \"1 MiB\"",
    ] {
        assert!(finished.out.lines().any(|printed| printed == line), "no {line:?} in {}", finished.out);
    }
}

#[test]
fn every_setting_is_described() {
    let printed = run(&["check-config"]).out;
    let described = include_str!("../../../docs/settings.md");
    let (mut section, mut settings) = ("", 0);
    for line in printed.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some((key, _)) = line.split_once(" = ") {
            let row = format!("| `{section}.{key}` |");
            assert!(described.contains(&row), "docs/settings.md has no row {row}");
            settings += 1;
        }
    }
    assert!(settings > 20, "{printed}");
}

#[test]
fn the_environment_is_checked_too() {
    let mut command = program();
    command.args(["serve"]).env("LUXWIRE_LIMITS__CONECTIONS", "5");
    check_failure(&run_command(command), 1, &["LUXWIRE_LIMITS__CONECTIONS", "connections"]);
}

#[test]
fn a_data_directory_that_is_no_use_is_named_with_the_way_out() {
    let scratch = Scratch::new("data");
    let file = scratch.file("file", "");
    let below = format!("{file}/below");
    for dir in [&file, &below] {
        let finished = run(&["serve", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--data-dir", dir]);
        check_failure(&finished, 1, &[dir, "data directory", "--ephemeral"]);
    }
}

#[test]
fn two_servers_do_not_share_a_data_directory() {
    let scratch = Scratch::new("shared-data");
    let dir = scratch.0.join("data");
    let serve =
        ["serve", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--data-dir", dir.to_str().unwrap()];
    let mut command = program();
    command.args(serve);
    let server = Server::from(command);
    // It must not promise what it does not do.
    server.logged(&["WARN", "keeps nothing across a restart"]);
    check_failure(&run(&serve), 1, &["in use by another luxwire"]);
    drop(server);
    let mut command = program();
    command.args(serve);
    drop(Server::from(command));
}

#[test]
fn it_logs_who_comes_and_goes_and_nothing_can_forge_a_line() {
    let server = Server::start();
    let mut client = Client::connected(server.mqtt, Version::V5, "evil\n2026 INFO forged\u{1b}[2J");
    let peer = format!("peer={}", client.socket().local_addr().unwrap());
    server.logged(&[
        "connected",
        &peer,
        r#"client="evil\n2026 INFO forged\u{1b}[2J""#,
        "version=V5",
        "transport=\"tcp\"",
    ]);
    client.send_bytes(&[0xE0, 0x00]);
    server.logged(&["disconnected", &peer, "said goodbye"]);

    let mut scan = Client::tcp(server.mqtt);
    let peer = format!("peer={}", scan.socket().local_addr().unwrap());
    scan.send_bytes(b"GET / HTTP/1.1\r\n\r\n");
    scan.until_closed();
    assert!(server.logged(&["not connected", &peer]).contains("DEBUG"));
}

#[test]
fn a_client_that_leaves_without_a_word_is_told_from_one_that_was_taken_over() {
    let server = Server::start();
    let mut first = Client::connected(server.mqtt, Version::V5, "lamp");
    let second = Client::connected(server.mqtt, Version::V5, "lamp");
    assert!(
        matches!(&first.until_closed()[..], [Packet::Disconnect(end)] if end.reason == ReasonCode::SessionTakenOver)
    );
    server.logged(&["disconnected", "its client identifier connected again"]);
    drop(second);
    server.logged(&["disconnected", "the client closed the connection"]);
}

#[test]
fn what_a_client_said_before_it_closed_its_end_is_handled_and_answered() {
    let server = Server::start();
    let mut client = Client::tcp(server.mqtt);
    client.send(&connect(Version::V5, "brief"));
    client.send(&Packet::Pingreq);
    client.socket().shutdown(std::net::Shutdown::Write).unwrap();
    let packets = client.until_closed();
    assert!(matches!(packets[..], [Packet::Connack(_), Packet::Pingresp]), "{packets:?}");
    // Others are not affected.
    let mut other = Client::connected(server.mqtt, Version::V5, "other");
    other.subscribe("a", QoS::AtMostOnce);
}
