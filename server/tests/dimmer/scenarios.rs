//! What a dimmer does with any broker.

use crate::{
    House,
    dimmer::Dimmer,
    support::DEADLINE,
    witness::{Witness, another_sets, kept},
};
use rustix::{
    fs::{Mode, OFlags, open, symlink, unlink},
    process::Signal,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use std::{fs::File, io::Write as _, os::fd::OwnedFd, path::PathBuf, time::Instant};

const DESK: &str = "lights/desk/intensity";

#[test]
fn a_number_a_line_over_every_transport_and_in_every_version() {
    let house = House::start();
    for url in house.urls() {
        for protocol in ["5", "3.1.1", "3.1"] {
            let dimmer = Dimmer::given("41.5\n", &["desk"], &url, &["--protocol", protocol]);
            assert_eq!(dimmer.ended(), (Some(0), vec!["41.5".to_owned()]), "{url} {protocol}");
            assert_eq!(kept(house.mqtt(), DESK), "41.5");
            another_sets(house.mqtt(), "0");
        }
    }
}

#[test]
fn wrong_lines_are_reported_by_number_and_ignored() {
    let house = House::start();
    let input = format!("\nabc\n101\n-1\n{}\n12.345\n\u{1b}[2J\n 7 \r\n", "9".repeat(100_000));
    let dimmer = Dimmer::given(&input, &["desk"], &house.urls()[0], &[]);
    assert_eq!(dimmer.ended(), (Some(0), vec!["7".to_owned()]));
    let said = dimmer.said();
    let reports: Vec<_> =
        said.lines().filter_map(|line| line.strip_prefix("luxwire dimmer: line ")).collect();
    assert_eq!(
        reports,
        [
            r#"2: "abc" is not a number such as 40 or 40.5; ignored"#,
            r#"3: "101" is outside 0 to 100; ignored"#,
            r#"4: "-1" is outside 0 to 100; ignored"#,
            "5: longer than 64 bytes; ignored",
            r#"6: "12.345" is more than two decimals; ignored"#,
            r#"7: "\u{1b}[2J" is not a number such as 40 or 40.5; ignored"#,
        ]
    );
}

#[test]
fn fast_lines_are_limited_and_the_last_is_never_lost() {
    let house = House::start();
    let mut witness = Witness::of_desk(house.mqtt());
    let mut dimmer = Dimmer::start(&["desk"], &house.urls()[0]);
    dimmer.write("1\n");
    assert_eq!(witness.value(), "1");
    let began = Instant::now();
    for number in 2..=2_000 {
        dimmer.write(&format!("{}\n", number % 100));
    }
    dimmer.write("33.25\n");
    let between = witness.until("33.25");
    let tenths = began.elapsed().as_millis() / 100;
    assert!((between.len() as u128) <= tenths + 1, "{} values in {tenths} tenths of a second", between.len());
    dimmer.close();
    assert_eq!(dimmer.ended().0, Some(0));
    assert_eq!(kept(house.mqtt(), DESK), "33.25");
}

#[test]
fn a_knob_at_rest_is_silent_and_a_turn_ends_exactly() {
    let house = House::start();
    let mut witness = Witness::of_desk(house.mqtt());
    let mut dimmer = Dimmer::start(&["desk", "--adc-max", "1023"], &house.urls()[0]);
    dimmer.write("512\n");
    assert_eq!(witness.value(), "50");
    // Noise within the band, a spike, a count that there is not: nothing of it is published before the turn.
    for count in [511, 513, 512, 514, 1_023, 512, 1_024, 511, 513] {
        dimmer.write(&format!("{count}\n"));
    }
    dimmer.says(&["line 8: 1024 is outside 0 to 1023"]);
    dimmer.write("900\n");
    let on_the_way: Vec<u8> = witness.until("88").iter().map(|value| value.parse().unwrap()).collect();
    assert!(on_the_way.is_sorted() && on_the_way.iter().all(|value| *value > 50), "{on_the_way:?}");
    dimmer.write("0\n");
    dimmer.close();
    assert_eq!(dimmer.ended().0, Some(0));
    assert_eq!(kept(house.mqtt(), DESK), "0");
}

#[test]
fn a_wave_goes_up_and_down_until_it_is_told_to_stop() {
    let house = House::start();
    let mut witness = Witness::of_desk(house.mqtt());
    let wave = ["desk", "--wave", "triangle", "--period", "2s", "--min", "20", "--max", "60"];
    let dimmer = Dimmer::start(&wave, &house.urls()[1]);
    let values: Vec<f64> = (0..24).map(|_| witness.value().parse().unwrap()).collect();
    assert!(values.iter().all(|value| (20.0..=60.0).contains(value)), "{values:?}");
    let turns = values.windows(3).filter(|three| (three[1] > three[0]) != (three[2] > three[1])).count();
    assert!((1..=4).contains(&turns), "{turns} turns in {values:?}");
    dimmer.terminate();
    assert_eq!(dimmer.ended().0, Some(0));
}

#[test]
fn a_broker_that_comes_late_gets_the_newest_value_only() {
    let mut house = House::start();
    house.stop();
    let mut dimmer = Dimmer::start(&["desk"], &house.urls()[0]);
    dimmer.says(&["waiting for mqtt://", "connection refused"]);
    dimmer.write("10\n20\n30\n");
    dimmer.close();
    house.start_again();
    assert_eq!(dimmer.ended(), (Some(0), vec!["30".to_owned()]));
    assert_eq!(kept(house.mqtt(), DESK), "30");
}

#[test]
fn a_broker_that_is_restarted_in_mid_use_gets_the_final_value() {
    let mut house = House::start();
    let mut dimmer = Dimmer::start(&["desk"], &house.urls()[0]);
    dimmer.write("10\n");
    assert_eq!(dimmer.line(), "10");
    house.stop();
    dimmer.says(&["waiting for mqtt://"]);
    dimmer.write("20\n30\n44\n");
    house.start_again();
    assert_eq!(dimmer.line(), "44");
    dimmer.close();
    assert_eq!(dimmer.ended(), (Some(0), Vec::new()));
    assert_eq!(kept(house.mqtt(), DESK), "44");
}

#[test]
fn a_sleeper_hears_what_was_said_meanwhile_and_says_what_it_wanted() {
    let house = House::start();
    for (url, protocol) in house.urls().iter().zip(["5", "3.1.1"]) {
        another_sets(house.mqtt(), "1");
        let mut witness = Witness::of_desk(house.mqtt());
        assert_eq!(witness.value(), "1");
        let duty = ["desk", "--duty", "500ms/3s", "--protocol", protocol, "--client-id", protocol];
        let mut dimmer = Dimmer::start(&duty, url);
        dimmer.write("50\n");
        assert_eq!(witness.value(), "50");

        dimmer.says(&["asleep"]);
        another_sets(house.mqtt(), "30");
        assert_eq!(witness.value(), "30");
        dimmer.write("70\n77\n");
        // It sleeps on: what it wants waits.
        dimmer.says(&["awake"]);
        assert_eq!(witness.value(), "77", "the newest, once");
        dimmer.says(&["desk was set to 30 %"]);

        // Nothing was wanted during the second sleep: it does not fight for its old value.
        dimmer.says_times(&["asleep"], 2);
        another_sets(house.mqtt(), "31");
        dimmer.says(&["desk was set to 31 %"]);
        dimmer.says_times(&["asleep"], 3);
        dimmer.write("12\n");
        dimmer.close();
        assert_eq!(dimmer.ended().0, Some(0), "the end of input wakes it");
        assert_eq!((witness.value(), witness.value()), ("31".to_owned(), "12".to_owned()));
    }
}

#[test]
fn what_others_set_is_said_once_they_stop() {
    let house = House::start();
    let dimmer = Dimmer::start(&["desk"], &house.urls()[0]);
    another_sets(house.mqtt(), "10");
    dimmer.says(&["desk was set to 10 %"]);
    another_sets(house.mqtt(), "ten");
    dimmer.says(&["somebody published to lights/desk/intensity what is not a number"]);
    another_sets(house.mqtt(), "11");
    dimmer.says(&["desk was set to 11 %"]);
    dimmer.terminate();
    assert_eq!(dimmer.ended(), (Some(0), Vec::new()), "it answers to nothing");
}

#[test]
fn availability_says_whether_the_dimmer_is_there() {
    const TOPIC: &str = "dimmers/desk/availability";
    let house = House::start();
    let mut witness = Witness::of(house.mqtt(), "dimmers/+/availability");
    for url in house.urls() {
        for (signal, code) in [(Signal::TERM, Some(0)), (Signal::INT, Some(0)), (Signal::KILL, None)] {
            let dimmer = Dimmer::start(&["desk", "--availability"], &url);
            assert_eq!(witness.value(), "online");
            assert_eq!(kept(house.mqtt(), TOPIC), "online");
            dimmer.signal(signal);
            assert_eq!(dimmer.ended().0, code);
            assert_eq!(witness.value(), "offline");
            assert_eq!(kept(house.mqtt(), TOPIC), "offline");
        }
    }
}

#[test]
fn a_serial_port_is_read_and_waited_for_while_it_is_unplugged() {
    let house = House::start();
    let mut witness = Witness::of_desk(house.mqtt());
    let port = Port::new("counts");
    let name = port.name.to_str().unwrap();
    let dimmer =
        Dimmer::start(&["desk", "--serial", name, "--baud", "9600", "--adc-max", "1023"], &house.urls()[0]);
    dimmer.says(&["waiting for", name, "it is not there"]);

    let mut cable = port.plug();
    dimmer.says(&["reading", name]);
    // What comes at once may be the end of a line, and is passed over.
    cable.write_all(b"\n512\r\n").unwrap();
    assert_eq!(witness.value(), "50");
    cable.write_all(b"\xff\xfe\x00\n1024\n51\n").unwrap();
    dimmer.says(&["line 3: ", "is not a count such as 512"]);
    dimmer.says(&["line 4: 1024 is outside 0 to 1023"]);
    assert!(witness.until("4").iter().all(|passing| passing.parse::<u8>().unwrap() < 50));

    drop(cable);
    port.unplug();
    dimmer.says_times(&["waiting for", name], 2);
    let mut cable = port.plug();
    dimmer.says_times(&["reading", name], 2);
    cable.write_all(b"\n1023\n").unwrap();
    witness.until("100");
    dimmer.terminate();
    assert_eq!(dimmer.ended().0, Some(0));
}

#[test]
fn a_wrong_baud_does_not_flood_the_log() {
    let house = House::start();
    let port = Port::new("noise");
    let mut cable = port.plug();
    let dimmer = Dimmer::start(&["desk", "--serial", port.name.to_str().unwrap()], &house.urls()[0]);
    dimmer.says(&["reading"]);
    for _ in 0..200 {
        cable.write_all(b"\x80\x00garbage\n").unwrap();
    }
    cable.write_all(b"64\n").unwrap();
    assert_eq!(dimmer.line(), "64");
    let reports = dimmer.said().lines().filter(|line| line.contains("is not a number")).count();
    assert!(reports <= 5, "{reports} reports");
    dimmer.says(&["is --baud right?"]);
}

/// A serial port that can be plugged in and pulled out: a name that leads to a pseudo-terminal, or nowhere.
struct Port {
    name: PathBuf,
}

impl Port {
    fn new(name: &str) -> Self {
        let name = format!("tty-{}-{name}", std::process::id());
        let port = Self { name: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name) };
        port.unplug();
        port
    }

    /// The device's end of the cable.
    fn plug(&self) -> File {
        let device: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&device).unwrap();
        unlockpt(&device).unwrap();
        let terminal = ptsname(&device, Vec::new()).unwrap();
        // A port has no echo; whoever opens it sets the rest.
        let line = open(terminal.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let mut modes = rustix::termios::tcgetattr(&line).unwrap();
        modes.make_raw();
        rustix::termios::tcsetattr(&line, rustix::termios::OptionalActions::Now, &modes).unwrap();
        symlink(terminal.as_c_str(), &self.name).unwrap();
        File::from(device)
    }

    fn unplug(&self) {
        let _ = unlink(&self.name);
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.unplug();
    }
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    let house = House::start();
    let began = Instant::now();
    let mut command = std::process::Command::new("sh");
    let program = crate::support::program();
    let script = format!(
        "'{}' dimmer desk --wave sine --broker {} 2>/dev/null | head -n 2",
        program.get_program().to_str().unwrap(),
        house.urls()[0]
    );
    let output = command.args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2);
    assert!(began.elapsed() < DEADLINE);
}
