//! The file: full disks, other people's hands, and what the recorder says of them.

use crate::{
    House,
    recorder::{DESK, Folder, Hand, Recorder},
    support::{eventually, program, run},
};
use luxwire_shared::mqtt::{QoS, Version};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::{
    fs,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::PermissionsExt as _,
    process::Command,
};

/// A recorder that has recorded a first value, `0`, and can write no more until the function is called.
///
/// It has reached a limit of its process, which needs no disk of its own to be filled. The signal that comes with it would
/// end the program; the failed write is what a full disk looks like.
fn without_room(house: &House, folder: &Folder) -> (Recorder, impl Fn() + use<>) {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" record \"$@\""]).arg(program().get_program());
    let recorder = Recorder::from(shell, house.mqtt(), folder, &[]);
    recorder.until(DESK, "0");
    let pid = Pid::from_raw(i32::try_from(recorder.id()).unwrap()).unwrap();
    let limit = Rlimit { current: Some(1 << 10), maximum: None };
    let unlimited = prlimit(Some(pid), Resource::Fsize, limit).unwrap();
    let give_back = move || {
        prlimit(Some(pid), Resource::Fsize, unlimited).unwrap();
    };
    (recorder, give_back)
}

#[test]
fn a_disk_that_takes_nothing_is_said_once_and_loses_nothing() {
    let house = House::start();
    let folder = Folder::new();
    let mut hand = Hand::at(house.mqtt());
    hand.sets(0);
    let (recorder, unlimited) = without_room(&house, &folder);
    let mut status = crate::support::Client::connected(house.mqtt(), Version::V5, "observer");
    status.subscribe("luxwire/record/luxwire-record/status", QoS::AtMostOnce);
    let mut until_problem = |is_there: bool| loop {
        let json: serde_json::Value = serde_json::from_slice(&status.message().payload).unwrap();
        if json["problem"].is_string() == is_there {
            return;
        }
    };
    for number in 1..=200 {
        hand.sets(number);
    }
    recorder.says(&["nothing is recorded", "history.sqlite", "Values wait"]);
    until_problem(true);
    assert_eq!(recorder.payloads(DESK), ["0"], "questions are answered meanwhile");
    unlimited();
    recorder.says(&["recording again"]);
    until_problem(false);
    let expected: Vec<_> = (0..=200).map(|number| number.to_string()).collect();
    assert_eq!(recorder.until(DESK, "200"), expected);
    assert_eq!((recorder.times("nothing is recorded"), recorder.times("recording again")), (1, 1));
}

#[test]
fn a_recorder_that_is_stopped_while_the_disk_takes_nothing_leaves_the_values_to_the_broker() {
    let house = House::start();
    let folder = Folder::new();
    let mut hand = Hand::at(house.mqtt());
    hand.sets(0);
    let (recorder, _) = without_room(&house, &folder);
    for number in 1..=20 {
        hand.sets(number);
    }
    recorder.says(&["nothing is recorded"]);
    assert_eq!(recorder.stopped(), Some(0));
    recorder.says(&["could not be stored", "delivers those of QoS 1 again"]);

    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    let expected: Vec<_> = (0..=20).map(|number| number.to_string()).collect();
    assert_eq!(recorder.until(DESK, "20"), expected);
}

#[test]
fn a_broker_is_left_when_more_waits_than_may_and_found_again() {
    let house = House::start();
    let folder = Folder::new();
    let mut hand = Hand::at(house.mqtt());
    hand.sets(0);
    let (recorder, unlimited) = without_room(&house, &folder);
    // Nothing bounds what comes at QoS 0, but a broker drops what is not read in time.
    let large = "x".repeat(300_000);
    eventually("as much waits as may", || {
        hand.publishes("lights/hall/picture", large.clone(), QoS::AtMostOnce, false);
        (recorder.times("messages wait for the disk") > 0).then_some(())
    });
    recorder.says(&["messages wait for the disk", "leaving mqtt://"]);
    for number in 1..=20 {
        hand.sets(number);
    }
    unlimited();
    recorder.says(&["there is room again"]);
    let expected: Vec<_> = (0..=20).map(|number| number.to_string()).collect();
    assert_eq!(recorder.until(DESK, "20"), expected, "the broker kept what came meanwhile");
    assert_eq!(recorder.times("messages wait for the disk"), 1);
}

#[test]
fn a_file_that_is_removed_is_begun_again() {
    let house = House::start();
    let folder = Folder::new();
    let mut hand = Hand::at(house.mqtt());
    hand.sets(1);
    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    recorder.until(DESK, "1");
    fs::remove_file(folder.file()).unwrap();
    hand.sets(2);
    assert_eq!(recorder.until(DESK, "2"), ["2"]);
    recorder.says(&["history.sqlite", "was removed", "new file"]);
    hand.sets(3);
    assert_eq!(recorder.until(DESK, "3"), ["2", "3"]);
    assert_eq!(recorder.times("was removed"), 1);
}

#[test]
fn a_second_recorder_is_kept_out_of_the_file() {
    let house = House::start();
    let folder = Folder::new();
    let _first = Recorder::start(house.mqtt(), &folder, &[]);
    let second = run(&["record", "--client-id", "second", "--file", &folder.file().to_string_lossy()]);
    assert_eq!(second.code, Some(1));
    assert!(second.err.contains("another luxwire records into"), "{}", second.err);
}

#[test]
fn a_second_recorder_of_the_same_name_ends_the_first() {
    let house = House::start();
    let (folder, other) = (Folder::new(), Folder::new());
    Hand::at(house.mqtt()).sets(1);
    let first = Recorder::start(house.mqtt(), &folder, &[]);
    first.until(DESK, "1");
    let _second = Recorder::start(house.mqtt(), &other, &[]);
    assert_eq!(first.ended(), Some(1));
    first.says(&["luxwire-record", "--client-id"]);
}

#[test]
fn a_file_that_may_not_be_written_or_is_damaged_ends_the_recorder() {
    let house = House::start();
    let folder = Folder::new();
    let mut hand = Hand::at(house.mqtt());
    hand.sets(1);
    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    recorder.until(DESK, "1");
    assert_eq!(recorder.stopped(), Some(0));
    let file = folder.file();
    let start = || {
        run(&["record", "--file", &file.to_string_lossy(), "--broker", &format!("mqtt://{}", house.mqtt())])
    };
    if rustix::process::geteuid().is_root() {
        eprintln!("not tried as root, who may write everything: a file that may not be written");
    } else {
        fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
        let refused = start();
        assert_eq!(refused.code, Some(1));
        assert!(refused.err.contains("cannot be written"), "{}", refused.err);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let mut damaged = fs::File::options().write(true).open(&file).unwrap();
    damaged.write_all(b"no header").unwrap();
    let refused = start();
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("is damaged") && refused.err.contains(".recover"), "{}", refused.err);
}

#[test]
fn a_file_that_is_damaged_while_it_is_recorded_into_ends_the_recorder() {
    let house = House::start();
    let folder = Folder::new();
    let mut hand = Hand::at(house.mqtt());
    hand.sets(1);
    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    recorder.until(DESK, "1");
    assert_eq!(recorder.stopped(), Some(0));
    // Everything behind the first page, which has the header and the names of the tables.
    let mut file = fs::File::options().read(true).write(true).open(folder.file()).unwrap();
    let mut rest = Vec::new();
    file.seek(SeekFrom::Start(8_192)).unwrap();
    file.read_to_end(&mut rest).unwrap();
    rest.fill(0xaa);
    file.seek(SeekFrom::Start(8_192)).unwrap();
    file.write_all(&rest).unwrap();
    let ended = run(&[
        "record",
        "--file",
        &folder.file().to_string_lossy(),
        "--broker",
        &format!("mqtt://{}", house.mqtt()),
    ]);
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(ended.err.contains("is damaged") && ended.err.contains("move it away"), "{}", ended.err);
}

#[test]
fn a_file_can_be_read_while_it_is_recorded_into_and_afterwards() {
    let house = House::start();
    let folder = Folder::new();
    let mut hand = Hand::at(house.mqtt());
    hand.sets(1);
    hand.publishes("lights/hall/intensity", "2", QoS::AtLeastOnce, true);
    let recorder = Recorder::start(house.mqtt(), &folder, &[]);
    recorder.until(DESK, "1");
    recorder.until("lights/hall/intensity", "2");
    let file = folder.file().to_string_lossy().into_owned();
    let read = || {
        let found = run(&["history", "lights/+/intensity", "--file", &file, "--json"]);
        assert_eq!(found.code, Some(0), "{}", found.err);
        found.out.lines().count()
    };
    assert_eq!(read(), 2);
    assert_eq!(recorder.stopped(), Some(0));
    eventually("the log is put into the file", || {
        (!folder.path("history.sqlite-wal").exists()).then_some(())
    });
    assert_eq!(read(), 2);
}
