//! What the server keeps on disk: who may read it, and what happens when somebody damaged it.
//!
//! The broker itself keeps nothing across a restart; the recorder and the Hue bridge inside the server do.

use crate::{
    folder::Folder,
    house::House,
    support::{Client, Server, eventually, get, program},
};
use luxwire_shared::mqtt::{QoS, Version::V5};
use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, process::Command};

/// Where a server keeps the past that has its state in a folder below this one.
fn history(folder: &Folder) -> PathBuf {
    folder.path("state/history.sqlite")
}

/// A server with its state in a folder below this one, which records; started by somebody who lets everybody read all.
fn recording(folder: &Folder) -> Server {
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 000; exec \"$0\" serve --http 127.0.0.1:0 --mqtt 127.0.0.1:0 \"$@\""]);
    shell.arg(program().get_program()).arg("--data-dir").arg(folder.path("state"));
    shell.args(["--set", "record.enabled=true"]);
    Server::from(shell)
}

/// Sets a value and waits until the history has it.
fn is_recorded(server: &Server, value: &str) {
    set(server, value);
    eventually("the value in the history", || has_recorded(server, value).then_some(()));
}

fn set(server: &Server, value: &str) {
    let mut hand = Client::connected(server.mqtt, V5, "hand");
    hand.publish("lights/desk/intensity", value.to_owned(), QoS::AtLeastOnce, true);
}

fn has_recorded(server: &Server, value: &str) -> bool {
    let answer = get(server.http, "/api/v1/history?topic=lights/desk/intensity");
    answer.status == 200 && answer.text().contains(value)
}

// Row 20, mosquitto CVE-2017-9868: a file that others on the machine may read. Whatever the umask, files are 0600 and
// folders 0700.
#[test]
fn row_20_who_may_read_what_is_kept() {
    let folder = Folder::new();
    let server = recording(&folder);
    is_recorded(&server, "42");
    let house = House::of(server);
    let mut seen = 0;
    let mut folders = vec![folder.path("state")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let mode = fs::metadata(&entry).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{} is {mode:o}", entry.display());
            seen += 1;
            if entry.is_dir() {
                folders.push(entry);
            }
        }
    }
    let mode = fs::metadata(folder.path("state")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(seen > 0 && history(&folder).exists());
    house.ends_unharmed();
}

// Row 27, mosquitto 2.0.16 and #3160: a file that is damaged at the start. The broker serves; what cannot be read is said,
// and nothing of it is written over.
#[test]
fn row_27_a_damaged_file_at_the_start() {
    let folder = Folder::new();
    let mut server = recording(&folder);
    is_recorded(&server, "42");
    // Its end in order leaves everything in the one file.
    server.signal(rustix::process::Signal::TERM);
    server.ended();
    let good = fs::read(history(&folder)).unwrap();
    let mut flipped = good.clone();
    for byte in flipped.iter_mut().skip(100).step_by(7) {
        *byte = !*byte;
    }
    let mut refused = 0;
    for damaged in [
        b"no database".repeat(100),
        good[..good.len() / 2].to_vec(),
        good[..50].to_vec(),
        flipped,
        vec![0xFF; 1],
    ] {
        for extra in ["-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(folder.path(&format!("state/history.sqlite{extra}")));
        }
        fs::write(history(&folder), &damaged).unwrap();
        let server = recording(&folder);
        set(&server, "77.5");
        // What cannot be read is left alone; SQLite may find enough of a file to go on with it.
        let is_refused = eventually("it says that nothing is recorded, or records", || {
            let is_refused = server.log().contains("nothing is recorded");
            (is_refused || has_recorded(&server, "77.5")).then_some(is_refused)
        });
        if is_refused {
            server.logged(&["WARN", "history.sqlite", "damaged"]);
            assert_eq!(fs::read(history(&folder)).unwrap(), damaged);
            refused += 1;
        }
        House::of(server).ends_unharmed();
    }
    assert!(refused >= 2, "{refused}");
}
