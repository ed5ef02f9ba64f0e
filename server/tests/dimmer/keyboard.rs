//! The dimmer in a terminal: keys go in, and a bar comes out. The terminal is a pseudo-terminal in the hands of the test.

use crate::{
    House,
    support::{eventually, program},
    witness::{Witness, another_sets},
};
use rustix::{
    fs::{Mode, OFlags, open},
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize},
};
use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

const UP: &str = "\x1b[A";
const DOWN: &str = "\x1b[B";
const RIGHT: &str = "\x1b[C";
const LEFT: &str = "\x1b[D";
const PAGE_UP: &str = "\x1b[5~";
const HOME: &str = "\x1b[H";
const END: &str = "\x1b[F";

/// A terminal with a dimmer in it; it ends with the test.
struct Terminal {
    child: Child,
    keys: File,
    line: OwnedFd,
    seen: Arc<Mutex<String>>,
}

impl Terminal {
    /// A window of so many columns.
    fn new(columns: u16, house: &House, environment: &[(&str, &str)]) -> Self {
        let window: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&window).unwrap();
        unlockpt(&window).unwrap();
        let name = ptsname(&window, Vec::new()).unwrap();
        let line = open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        resize(&line, columns);
        let luxwire = program();
        // In a session of its own, so that the terminal is its controlling one and Ctrl-C means something.
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait"]).arg(luxwire.get_program());
        command.args(["dimmer", "desk", "--broker", &house.urls()[0]]);
        for (name, value) in luxwire.get_envs() {
            assert!(value.is_none(), "{name:?} is only taken away");
            command.env_remove(name);
        }
        command
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .env_remove("LC_ALL")
            .env_remove("NO_COLOR");
        command.envs(environment.iter().copied());
        let side = || Stdio::from(line.try_clone().unwrap());
        let child = command.stdin(side()).stdout(side()).stderr(side()).spawn().expect("setsid is there");
        let keys = File::from(window);
        let (mut output, seen) = (keys.try_clone().unwrap(), Arc::default());
        let text: Arc<Mutex<String>> = Arc::clone(&seen);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            let mut cut = Vec::new();
            while let Ok(len @ 1..) = output.read(&mut buffer) {
                cut.extend_from_slice(&buffer[..len]);
                // A read may end within a character.
                let whole = match std::str::from_utf8(&cut) {
                    Ok(text) => text.len(),
                    Err(error) => error.valid_up_to(),
                };
                let rest = cut.split_off(whole);
                text.lock().unwrap().push_str(std::str::from_utf8(&cut).unwrap());
                cut = rest;
            }
        });
        Self { child, keys, line, seen }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Everything that was written to it.
    fn seen(&self) -> String {
        self.seen.lock().unwrap().clone()
    }

    /// Forgets what was written so far.
    fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }

    /// The line that a person sees last, without colours.
    fn bar(&self) -> String {
        let seen = self.seen();
        let drawn = seen.rsplit("\r\x1b[K").find(|text| text.starts_with("desk  ")).unwrap_or_default();
        let drawn = drawn.split('\r').next().unwrap_or_default();
        ["\x1b[33m", "\x1b[2m", "\x1b[0m"].iter().fold(drawn.to_owned(), |text, code| text.replace(code, ""))
    }

    fn shows(&self, what: &str) {
        eventually(&format!("the bar shows {what:?}"), || self.bar().contains(what).then_some(()));
    }

    fn says(&self, what: &str) {
        eventually(&format!("the terminal says {what:?}"), || self.seen().contains(what).then_some(()));
    }

    fn echoes(&self) -> bool {
        tcgetattr(&self.line).unwrap().local_modes.contains(LocalModes::ECHO | LocalModes::ICANON)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn ended(&mut self) -> Option<i32> {
        let child = &mut self.child;
        eventually("the end of the dimmer", || child.try_wait().unwrap()).code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- the terminal ---\n{}\n------", self.seen().replace('\x1b', "ESC"));
        }
    }
}

fn resize(line: &OwnedFd, columns: u16) {
    tcsetwinsize(line, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

#[test]
fn keys_dim_and_the_bar_follows() {
    let house = House::start();
    another_sets(house.mqtt(), "40");
    let mut witness = Witness::of_desk(house.mqtt());
    assert_eq!(witness.value(), "40");
    let mut terminal = Terminal::new(80, &house, &[]);
    terminal.says("q: quit");
    terminal.shows("40 %");
    for (key, value) in [
        (UP, "45"),
        (RIGHT, "46"),
        (DOWN, "41"),
        (LEFT, "40"),
        (PAGE_UP, "50"),
        (" ", "0"),
        (" ", "50"),
        (END, "100"),
        (HOME, "0"),
        ("4", ""),
        ("2", ""),
        ("\r", "42"),
    ] {
        terminal.press(key);
        if !value.is_empty() {
            witness.until(value);
            let shown = if value == "0" { "off".to_owned() } else { format!("{value} %") };
            terminal.shows(&format!(" {shown}"));
        }
    }
    assert_eq!(terminal.bar().matches('█').count(), 21, "{}", terminal.bar());
    assert_eq!(terminal.bar().matches('░').count(), 29, "{}", terminal.bar());
    assert!(!terminal.echoes());
    terminal.press("q");
    assert_eq!(terminal.ended(), Some(0));
    assert!(terminal.echoes(), "the terminal is as it was");
    eventually("the prompt begins on a line of its own", || terminal.seen().ends_with('\n').then_some(()));
}

#[test]
fn what_others_set_moves_the_bar() {
    let house = House::start();
    let mut terminal = Terminal::new(80, &house, &[]);
    for value in ["10", "33.3", "100"] {
        another_sets(house.mqtt(), value);
        terminal.shows(&format!(" {value} %"));
    }
    terminal.press("\x03");
    assert_eq!(terminal.ended(), Some(0));
    assert!(terminal.echoes());
}

#[test]
fn a_held_key_is_limited_and_its_last_value_arrives() {
    let house = House::start();
    let mut witness = Witness::of_desk(house.mqtt());
    let mut terminal = Terminal::new(80, &house, &[]);
    terminal.says("connected to");
    terminal.press(&RIGHT.repeat(60));
    let passing = witness.until("60");
    assert!(passing.len() < 15, "{passing:?}");
    terminal.press("q");
    assert_eq!(terminal.ended(), Some(0));
}

#[test]
fn every_signal_leaves_the_terminal_as_it_was() {
    let house = House::start();
    for signal in [Signal::TERM, Signal::INT] {
        let mut terminal = Terminal::new(80, &house, &[]);
        terminal.says("connected to");
        assert!(!terminal.echoes());
        terminal.signal(signal);
        assert_eq!(terminal.ended(), Some(0));
        assert!(terminal.echoes());
    }
}

#[test]
fn keys_count_again_after_the_program_was_stopped() {
    let house = House::start();
    another_sets(house.mqtt(), "40");
    let mut terminal = Terminal::new(80, &house, &[]);
    terminal.shows(" 40 %");
    terminal.signal(Signal::STOP);
    // The shell takes the terminal over, with settings of its own.
    let mut modes = tcgetattr(&terminal.line).unwrap();
    modes.local_modes.insert(LocalModes::ECHO | LocalModes::ICANON);
    tcsetattr(&terminal.line, OptionalActions::Now, &modes).unwrap();
    assert!(terminal.echoes());
    terminal.signal(Signal::CONT);
    eventually("keys come one by one", || (!terminal.echoes()).then_some(()));
    terminal.press(UP);
    terminal.shows(" 45 %");
}

#[test]
fn a_hand_that_leaves_at_once_has_been_heard() {
    let house = House::start();
    let mut witness = Witness::of_desk(house.mqtt());
    let mut terminal = Terminal::new(80, &house, &[]);
    terminal.says("connected to");
    terminal.press(&format!("{RIGHT}{RIGHT}{RIGHT}q"));
    assert_eq!(terminal.ended(), Some(0));
    witness.until("3");
}

#[test]
fn the_bar_fits_the_window_however_it_changes() {
    let house = House::start();
    another_sets(house.mqtt(), "50");
    let terminal = Terminal::new(40, &house, &[]);
    terminal.shows(" 50 %");
    assert_eq!(terminal.bar(), format!("desk  {}{}    50 %", "█".repeat(13), "░".repeat(12)));
    terminal.forget();
    resize(&terminal.line, 30);
    terminal.shows(" 50 %");
    assert_eq!(terminal.bar(), format!("desk  {}{}    50 %", "█".repeat(8), "░".repeat(7)));
}

#[test]
fn no_colour_where_none_is_wanted_and_plain_signs_in_a_plain_locale() {
    let house = House::start();
    another_sets(house.mqtt(), "50");
    let terminal = Terminal::new(40, &house, &[("NO_COLOR", "1"), ("LANG", "C")]);
    terminal.shows(" 50 %");
    assert_eq!(terminal.bar(), "desk  #############............    50 %");
    assert!(!terminal.seen().contains("\x1b[33m") && !terminal.seen().contains("\x1b[2m"));
}

#[test]
fn keys_count_while_the_broker_is_away() {
    let mut house = House::start();
    another_sets(house.mqtt(), "40");
    let mut terminal = Terminal::new(80, &house, &[]);
    terminal.shows(" 40 %");
    house.stop();
    terminal.shows("waiting for the broker");
    terminal.press(UP);
    terminal.shows(" 45 %");
    house.start_again();
    let mut witness = Witness::of_desk(house.mqtt());
    assert_eq!(witness.value(), "45");
    terminal.shows(" 45 %");
}
