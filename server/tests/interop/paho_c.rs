//! The tests of Eclipse Paho's client in C, as its authors run them against their own broker: `test1` and `test2` (3.1.1) and
//! `test10` and `test15` (5.0) with the functions that wait; `test4`, `test8` and `test9` (3.1.1) and `test11`, `test45` and
//! `test95` (5.0) with those that call back.
//!
//! All their tests use the same client identifiers and topics, and rest most of the time: so each gets a broker of its own,
//! and those of one program run at once.

use crate::{installed, support::Server};
use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use Transport::{Tcp, WebSocket};

/// What carries MQTT. The proxy understands no WebSocket.
#[derive(Clone, Copy, Debug)]
enum Transport {
    Tcp,
    WebSocket,
}

/// The longest of them take 40 seconds.
const DEADLINE: Duration = Duration::from_secs(120);

/// They send messages of 5 MB, and sooner fill the room that the client has for its own than a Receive Maximum of a thousand.
const SETTINGS: [&str; 2] = ["limits.packet_size=8MiB", "limits.receive_maximum=20"];

/// Runs these tests of a program; all of them pass.
#[track_caller]
fn check(program: &str, transport: Transport, numbers: impl IntoIterator<Item = u32>) {
    let programs = PathBuf::from(installed("LUXWIRE_PAHO_C", "Paho's C library with its tests"));
    let failed: Vec<String> = thread::scope(|scope| {
        let running: Vec<_> = numbers
            .into_iter()
            .map(|number| {
                scope.spawn({
                    let programs = &programs;
                    move || run(&programs.join(program), transport, number)
                })
            })
            .collect();
        running.into_iter().filter_map(|run| run.join().unwrap().err()).collect()
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Runs one test; says what it printed if it fails.
fn run(program: &Path, transport: Transport, number: u32) -> Result<(), String> {
    let server = Server::with(&SETTINGS);
    let (broker, proxy) = match transport {
        Tcp => (format!("tcp://{}", server.mqtt), format!("tcp://{}", proxy(server.mqtt))),
        WebSocket => (format!("ws://{}/mqtt", server.http), String::new()),
    };
    let name = format!("{} {number} {transport:?}", program.file_name().unwrap().display());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("paho-c").join(&name);
    // They keep unfinished messages in files, and must not find those of the last time.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let said = folder.join("said.txt");
    let out = File::create(&said).unwrap();
    let mut child = Command::new(program)
        .args(["--test_no", &number.to_string()])
        .args(["--connection", &broker])
        .args(["--proxy_connection", &proxy])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stderr(out.try_clone().unwrap())
        .stdout(out)
        .spawn()
        .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
    let outcome = ending(&mut child);
    // Some print what they find in their memory.
    let said = String::from_utf8_lossy(&fs::read(said).unwrap()).into_owned();
    // The exit code is the number of failures; a program that knows no such test would leave with 0, too.
    if outcome == Some(0) && said.contains(" 0 failures") {
        Ok(())
    } else {
        Err(format!("{name}: {outcome:?}\n{said}"))
    }
}

/// The exit code; none if it had to be ended.
fn ending(child: &mut Child) -> Option<i32> {
    let started = Instant::now();
    while started.elapsed() < DEADLINE {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        thread::park_timeout(Duration::from_millis(20));
    }
    let _ = child.kill();
    child.wait().unwrap();
    None
}

/// A proxy in front of the broker, which cuts a connection when the client says so. It lives as long as the test.
fn proxy(broker: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        while let Ok((client, _)) = listener.accept() {
            let Ok(broker) = TcpStream::connect(broker) else { return };
            let back = (broker.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || pass_on(client, broker, Some(CUT)));
            thread::spawn(move || pass_on(back.0, back.1, None));
        }
    });
    address
}

/// The end of the topic and the payload of the message that wants the connection cut; between them, in 5.0, stands the length
/// of the properties.
const CUT: [&[u8]; 2] = [b"MQTTSAS topicTERMINATE", b"MQTTSAS topic\0TERMINATE"];

/// Copies until one side ends, or until one of the words comes; then both connections are gone.
fn pass_on(mut from: TcpStream, mut to: TcpStream, until: Option<[&[u8]; 2]>) {
    let mut buffer = [0; 64 * 1024];
    while let Ok(len @ 1..) = from.read(&mut buffer) {
        let came = &buffer[..len];
        let wanted = |word: &&[u8]| came.windows(word.len()).any(|window| window == *word);
        if until.is_some_and(|words| words.iter().any(wanted)) || to.write_all(came).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn paho_c_3_1_1() {
    check("test1", Tcp, 1..=7);
    // The others need the proxy.
    check("test1", WebSocket, 1..=5);
}

#[test]
fn paho_c_3_1_1_with_many_threads() {
    check("test2", Tcp, [1]);
    check("test2", WebSocket, [1]);
}

#[test]
fn paho_c_3_1_1_with_callbacks() {
    // Not 7 and 8, which want to be gone before the broker has acknowledged a few messages.
    check("test4", Tcp, 1..=6);
    check("test4", WebSocket, 1..=6);
}

#[test]
fn paho_c_3_1_1_with_several_brokers() {
    check("test8", Tcp, 1..=8);
    check("test8", WebSocket, 1..=8);
}

#[test]
fn paho_c_3_1_1_offline() {
    // The authors leave out 7 and 9.
    check("test9", Tcp, [1, 2, 3, 4, 5, 6, 8, 10]);
}

#[test]
fn paho_c_5_0() {
    check("test15", Tcp, 1..=7);
    // The others need the proxy.
    check("test15", WebSocket, 1..=5);
}

#[test]
fn paho_c_5_0_features() {
    // Not 3, which wants the identifiers of subscriptions in the order of these, of which the standard says nothing. Not 4
    // and 7, which want the client to be quicker than the broker: 4 that acknowledgements keep it waiting, 7 that an answer
    // is not there yet when its publisher looks. Not 5 and 6, which want what only their authors' broker does: SUBACK with
    // the properties of SUBSCRIBE, and reason codes that the message asks for.
    check("test10", Tcp, [1, 2, 8, 9]);
    check("test10", WebSocket, [1, 2, 8, 9]);
}

#[test]
fn paho_c_5_0_features_with_callbacks() {
    // Not 3 and 4, for the same reasons.
    check("test11", Tcp, [1, 2, 5, 6, 7, 8, 9]);
    check("test11", WebSocket, [1, 2, 5, 6, 7, 8, 9]);
}

#[test]
fn paho_c_5_0_with_callbacks() {
    // Not 1 and 4, which want UNSUBACK with the properties of UNSUBSCRIBE; nor 7 and 8, as above.
    check("test45", Tcp, [2, 3, 5, 6]);
    check("test45", WebSocket, [2, 3, 5, 6]);
}

#[test]
fn paho_c_5_0_offline() {
    check("test95", Tcp, 1..=6);
}
