//! `--exec` and `--pwm`: commands that are slow, hang or fail, and a tree of files as Linux keeps them for PWM channels.

use crate::{
    lamp::{Hand, Lamp, folder},
    support::{Client, Server, eventually},
};
use luxwire_shared::mqtt::Version;
use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Instant,
};

fn broker() -> (Server, Hand, String) {
    let server = Server::start();
    let hand = Hand::of(Client::connected(server.mqtt, Version::V5, "hand"));
    let address = format!("mqtt://{}", server.mqtt);
    (server, hand, address)
}

/// The words of `sh` that wait for the file behind them, but not for ever: nobody ends them for a lamp that was killed.
const WAIT: &str =
    "wait_for() { for i in $(seq 1500); do [ -e \"$1\" ] && break; sleep 0.02; done; }; wait_for";

/// Waits until the file says this.
fn says(file: &Path, text: &str) {
    let mut seen = String::new();
    let started = Instant::now();
    loop {
        seen = fs::read_to_string(file).unwrap_or(seen);
        if seen == text {
            return;
        }
        assert!(started.elapsed() < crate::support::DEADLINE, "{}: {seen:?}, not {text:?}", file.display());
        thread::park_timeout(std::time::Duration::from_millis(1));
    }
}

#[test]
fn a_command_is_told_the_level_and_the_duty() {
    let (_server, mut hand, address) = broker();
    let told = folder("told").join("told");
    let command = format!(
        r#"echo "$1 $2 $LUXWIRE_LIGHT $LUXWIRE_INTENSITY $LUXWIRE_DUTY $LUXWIRE_DUTY_TOP [$LUXWIRE_PASSWORD]" > '{}'; echo said"#,
        told.display()
    );
    hand.dim("my desk", "42.5");
    let flags = ["--bits", "10", "--exec", &command, "--user", "me", "--password", "secret"];
    let lamp = Lamp::start(&address, "my desk", &flags);
    says(&told, "42.5 131 my desk 42.5 131 1023 []\n");
    assert_eq!(lamp.line(), "42.5", "standard output is the lamp's");
    lamp.logged(&["said"]);
    hand.dim("my desk", "0");
    says(&told, "0 0 my desk 0 0 1023 []\n");
}

#[test]
fn a_slow_command_sees_the_newest_level_and_never_two_at_once() {
    let (_server, mut hand, address) = broker();
    let folder = folder("slow");
    let (log, go) = (folder.join("log"), folder.join("go"));
    let command = format!(
        "echo begin $1 >> '{log}'; {WAIT} '{go}'; echo end $1 >> '{log}'",
        log = log.display(),
        go = go.display()
    );
    hand.dim("desk", "10");
    let lamp = Lamp::start(&address, "desk", &["--exec", &command, "--exec-timeout", "1m"]);
    says(&log, "begin 10\n");
    for level in ["20", "30", "40"] {
        hand.dim("desk", level);
    }
    // The lamp itself does not wait.
    assert_eq!(lamp.until("40"), ["10", "20", "30", "40"]);
    assert_eq!(fs::read_to_string(&log).unwrap(), "begin 10\n");
    fs::write(&go, "").unwrap();
    says(&log, "begin 10\nend 10\nbegin 40\nend 40\n");
    assert_eq!(lamp.stop().code, Some(0));
}

#[test]
fn the_last_level_reaches_a_slow_command_even_at_the_end() {
    let (_server, mut hand, address) = broker();
    let folder = folder("end");
    let (log, go) = (folder.join("log"), folder.join("go"));
    let command = format!("{WAIT} '{}'; echo $1 >> '{}'", go.display(), log.display());
    hand.dim("desk", "10");
    let lamp = Lamp::start(&address, "desk", &["--exec", &command, "--exec-timeout", "1m"]);
    assert_eq!(lamp.line(), "10");
    hand.dim("desk", "20");
    assert_eq!(lamp.line(), "20");
    hand.follow("lights/desk/availability");
    lamp.signal(rustix::process::Signal::TERM);
    hand.hear_that("lights/desk/availability", "offline");
    fs::write(&go, "").unwrap();
    assert_eq!(lamp.ended().code, Some(0));
    says(&log, "10\n20\n");
}

#[test]
fn a_command_that_hangs_is_killed_with_its_children_and_said_so() {
    let (_server, mut hand, address) = broker();
    let child = folder("hangs").join("child");
    let command = format!(r#"test "$1" = 2 || {{ sleep 60 & echo $! > '{}'; wait; }}"#, child.display());
    hand.dim("desk", "1");
    let lamp = Lamp::start(&address, "desk", &["--exec", &command, "--exec-timeout", "700ms"]);
    let pid = eventually("the command's child", || {
        fs::read_to_string(&child).ok().filter(|text| text.ends_with('\n'))
    });
    let process = PathBuf::from(format!("/proc/{}", pid.trim()));
    assert!(process.exists());
    hand.dim("desk", "2");
    assert_eq!(lamp.until("2").last().map(String::as_str), Some("2"));
    lamp.logged(&["did not end within 0.7 s and was killed"]);
    // Gone, or dead and waiting for whoever inherited it to notice.
    eventually("the child's end", || {
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    });
    hand.dim("desk", "3");
    assert_eq!(lamp.line(), "3");
    assert_eq!(lamp.stop().code, Some(0));
}

#[test]
fn a_lamp_that_ends_takes_a_hanging_command_along() {
    let (_server, mut hand, address) = broker();
    let file = folder("along").join("pid");
    let command = format!("echo $$ > '{}'; sleep 60", file.display());
    hand.dim("desk", "1");
    let lamp = Lamp::start(&address, "desk", &["--exec", &command, "--exec-timeout", "1s"]);
    let pid =
        eventually("the command", || fs::read_to_string(&file).ok().filter(|text| text.ends_with('\n')));
    let finished = lamp.stop();
    assert_eq!(finished.code, Some(0));
    assert!(finished.err.contains("was killed"), "{}", finished.err);
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    assert!(stat.is_empty() || stat.contains(") Z "), "{stat}");
}

#[test]
fn a_command_that_fails_is_said_and_the_next_level_tried() {
    let (_server, mut hand, address) = broker();
    hand.dim("desk", "1");
    let lamp = Lamp::start(&address, "desk", &["--exec", "exit $1"]);
    lamp.logged(&["the command failed: exit status: 1"]);
    hand.dim("desk", "7");
    lamp.logged(&["the command failed: exit status: 7"]);
    assert_eq!(lamp.stop().code, Some(0));
}

/// The files that Linux has for a channel.
const CHANNEL: [(&str, &str); 4] =
    [("period", "0"), ("duty_cycle", "0"), ("enable", "0"), ("polarity", "normal")];

fn offer(channel: &Path, files: &[(&str, &str)]) {
    fs::create_dir_all(channel).unwrap();
    for (file, text) in files {
        // With a line end, as the kernel answers.
        fs::write(channel.join(file), format!("{text}\n")).unwrap();
    }
}

#[test]
fn a_pwm_channel_is_exported_and_shines() {
    let (_server, mut hand, address) = broker();
    let chip = folder("export").join("pwmchip0");
    fs::create_dir_all(&chip).unwrap();
    fs::write(chip.join("export"), "").unwrap();
    let channel = chip.join("pwm3");
    let flags = ["--pwm", channel.to_str().unwrap(), "--bits", "8", "--pwm-frequency", "2000"];
    let lamp = Lamp::start(&address, "desk", &flags);
    // What the kernel does when it is asked.
    says(&chip.join("export"), "3");
    offer(&channel, &CHANNEL);
    says(&channel.join("period"), "500000");
    lamp.logged(&["connected"]);
    says(&channel.join("enable"), "0\n"); // Not before there is a level.
    hand.dim("desk", "50");
    says(&channel.join("enable"), "1");
    says(&channel.join("duty_cycle"), "92157"); // 47 of 255 counts of 500 µs
    hand.dim("desk", "0.01");
    says(&channel.join("duty_cycle"), "1961"); // one count
    hand.dim("desk", "100");
    says(&channel.join("duty_cycle"), "500000");
    hand.dim("desk", "0");
    says(&channel.join("duty_cycle"), "0");
    hand.dim("desk", "25");
    says(&channel.join("duty_cycle"), "21569");
    assert_eq!(lamp.stop().code, Some(0));
    says(&channel.join("duty_cycle"), "21569");
    says(&channel.join("enable"), "1");
}

#[test]
fn a_pwm_that_shines_keeps_its_light_until_there_is_another() {
    let (_server, mut hand, address) = broker();
    let channel = folder("keeps").join("pwm0");
    offer(
        &channel,
        &[("period", "2000000"), ("duty_cycle", "500000"), ("enable", "1"), ("polarity", "normal")],
    );
    let lamp = Lamp::start(&address, "desk", &["--pwm", channel.to_str().unwrap()]);
    lamp.logged(&["connected"]);
    // Another period, the same share of it.
    says(&channel.join("period"), "1000000");
    says(&channel.join("duty_cycle"), "250000");
    says(&channel.join("enable"), "1\n");
    hand.dim("desk", "10");
    says(&channel.join("duty_cycle"), "11233");
}

#[test]
fn a_pin_is_turned_round_while_it_is_off() {
    let (_server, mut hand, address) = broker();
    let channel = folder("round").join("pwm0");
    offer(&channel, &[("period", "1000000"), ("duty_cycle", "0"), ("enable", "1"), ("polarity", "normal")]);
    let flags = ["--pwm", channel.to_str().unwrap(), "--pwm-polarity", "inversed"];
    let _lamp = Lamp::start(&address, "desk", &flags);
    says(&channel.join("polarity"), "inversed");
    says(&channel.join("enable"), "0");
    hand.dim("desk", "100");
    says(&channel.join("enable"), "1");
    says(&channel.join("duty_cycle"), "1000000");
}

#[test]
fn a_channel_that_disappears_is_said_and_the_lamp_goes_on() {
    let (_server, mut hand, address) = broker();
    let channel = folder("gone").join("pwm0");
    offer(&channel, &CHANNEL);
    hand.dim("desk", "10");
    let lamp = Lamp::start(&address, "desk", &["--pwm", channel.to_str().unwrap()]);
    assert_eq!(lamp.line(), "10");
    says(&channel.join("enable"), "1");
    fs::remove_dir_all(&channel).unwrap();
    hand.dim("desk", "20");
    lamp.logged(&["--pwm", "duty_cycle"]);
    assert_eq!(lamp.line(), "20");
}
