//! What a person sees in a terminal: the bar, its colours, another size, and that nothing is left behind.

use crate::{
    lamp::Hand,
    support::{Client, Server, eventually, program},
};
use luxwire_shared::mqtt::Version;
use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Termios, Winsize, tcgetattr, tcgetwinsize, tcsetwinsize},
};
use std::{
    fs::{File, OpenOptions},
    io::Read as _,
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    thread,
};

/// Names and values.
type Variables<'a> = &'a [(&'a str, &'a str)];

/// A lamp in a terminal, and what the terminal was sent.
struct Screen {
    child: Child,
    terminal: File,
    sent: Arc<Mutex<String>>,
    before: Termios,
}

impl Screen {
    fn open(broker: &str, arguments: &[&str], environment: Variables<'_>) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let terminal = OpenOptions::new().read(true).write(true).open(name).unwrap();
        resize(&terminal, 60);
        let before = tcgetattr(&terminal).unwrap();
        let mut command = program();
        command.args(["lamp", "desk", "--broker", broker]).args(arguments);
        command.env_remove("NO_COLOR").env_remove("COLORTERM").env("TERM", "xterm");
        command.envs(environment.iter().copied());
        command.stdin(Stdio::null()).stdout(terminal.try_clone().unwrap());
        command.stderr(terminal.try_clone().unwrap());
        let child = command.spawn().unwrap();
        let sent = Arc::new(Mutex::new(String::new()));
        let (collected, mut master) = (Arc::clone(&sent), File::from(master));
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            // A letter may be cut in two here, but the blocks that matter come in one write.
            while let Ok(len @ 1..) = master.read(&mut buffer) {
                collected.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..len]));
            }
        });
        Self { child, terminal, sent, before }
    }

    /// Waits for a text and gives all that was sent so far.
    fn shows(&self, text: &str) -> String {
        eventually(&format!("{text:?} on the screen"), || {
            Some(self.sent.lock().unwrap().clone()).filter(|sent| sent.contains(text))
        })
    }

    /// What was sent since the last cleared screen: what can be seen below the log.
    fn last_frame(&self) -> String {
        self.sent.lock().unwrap().rsplit("\u{1b}[J").next().unwrap_or_default().to_owned()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn ended(&mut self) -> Option<i32> {
        let child = &mut self.child;
        eventually("the end of the lamp", || child.try_wait().unwrap()).code()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- the screen ---\n{:?}", self.sent.lock().unwrap());
        }
    }
}

fn resize(terminal: &File, columns: u16) {
    let size = Winsize { ws_col: columns, ws_row: 24, ..tcgetwinsize(terminal).unwrap() };
    tcsetwinsize(terminal, size).unwrap();
}

fn broker() -> (Server, Hand, String) {
    let server = Server::start();
    let hand = Hand::of(Client::connected(server.mqtt, Version::V5, "hand"));
    let address = format!("mqtt://{}", server.mqtt);
    (server, hand, address)
}

#[test]
fn a_terminal_shows_a_bar_that_follows() {
    let (_server, mut hand, address) = broker();
    let mut screen = Screen::open(&address, &["--duty"], &[]);
    screen.shows("no value yet, no broker");
    screen.shows("connected to");
    hand.dim("desk", "50");
    let sent = screen.shows("50 %  duty 754/4095");
    assert!(sent.contains("Desk █"), "{sent:?}");
    hand.dim("desk", "0");
    screen.shows(" 0 %  duty 0/4095");
    assert!(!screen.last_frame().contains('█'));
    screen.signal(Signal::TERM);
    assert_eq!(screen.ended(), Some(0));
    // The bar is gone, and everything is as it was.
    eventually("an empty last frame", || screen.last_frame().is_empty().then_some(()));
    let after = tcgetattr(&screen.terminal).unwrap();
    assert_eq!(format!("{after:?}"), format!("{:?}", screen.before));
    let sent = screen.sent.lock().unwrap().clone();
    for mode in ["\u{1b}[?", "\u{1b}="] {
        assert!(!sent.contains(mode), "a mode was set that a killed lamp could not put back: {sent:?}");
    }
}

#[test]
fn colours_are_those_that_the_terminal_has() {
    let (_server, mut hand, address) = broker();
    hand.dim("desk", "100");
    let rows: [(Variables<'_>, Option<&str>); 4] = [
        (&[("COLORTERM", "truecolor")], Some("\u{1b}[38;2;255;222;160m")),
        (&[("TERM", "xterm-256color")], Some("\u{1b}[38;5;223m")),
        (&[], None),
        (&[("COLORTERM", "truecolor"), ("NO_COLOR", "1")], None),
    ];
    for (environment, colour) in rows {
        let screen = Screen::open(&address, &[], environment);
        let sent = screen.shows("100 %");
        match colour {
            Some(colour) => assert!(sent.contains(colour), "{environment:?}: {sent:?}"),
            None => assert!(!sent.contains("\u{1b}[38"), "{environment:?}: {sent:?}"),
        }
    }
}

#[test]
fn the_log_is_not_written_over_the_bar() {
    let (_server, mut hand, address) = broker();
    hand.dim("desk", "50");
    let screen = Screen::open(&address, &[], &[]);
    screen.shows("50 %");
    hand.dim("desk", "forty");
    screen.shows("\u{1b}[Jluxwire lamp: ignored \"forty\"");
    // And the bar comes back below.
    eventually("the bar", || screen.last_frame().contains("50 %").then_some(()));
}

#[test]
fn another_size_is_another_bar() {
    let (_server, mut hand, address) = broker();
    hand.dim("desk", "100");
    let screen = Screen::open(&address, &[], &[]);
    screen.shows("100 %");
    let length = |frame: &str| frame.matches('█').count();
    eventually("the whole frame", || screen.last_frame().ends_with("[1A\r").then_some(()));
    let wide = length(&screen.last_frame());
    resize(&screen.terminal, 30);
    // The kernel tells only the terminal's own session, which the lamp is not in here.
    screen.signal(Signal::WINCH);
    eventually("a shorter bar", || {
        let frame = screen.last_frame();
        (frame.contains("100 %") && length(&frame) < wide).then_some(())
    });
}

#[test]
fn a_terminal_that_cannot_move_its_cursor_gets_lines() {
    let (_server, mut hand, address) = broker();
    hand.dim("desk", "61");
    let screen = Screen::open(&address, &[], &[("TERM", "dumb")]);
    assert!(!screen.shows("61\r\n").contains('\u{1b}'));
}

#[test]
fn a_person_can_ask_for_objects_or_nothing_in_a_terminal() {
    let (_server, mut hand, address) = broker();
    hand.dim("desk", "61");
    let screen = Screen::open(&address, &["--json"], &[]);
    assert!(!screen.shows(r#""intensity":61"#).contains('\u{1b}'));
    hand.follow("lights/desk/availability");
    drop(screen);
    let mut quiet = Screen::open(&address, &["--quiet"], &[("LUXWIRE_LOG", "warn")]);
    hand.hear_that("lights/desk/availability", "offline");
    hand.hear_that("lights/desk/availability", "online");
    quiet.signal(Signal::INT);
    assert_eq!(quiet.ended(), Some(0));
    assert_eq!(*quiet.sent.lock().unwrap(), "");
}
