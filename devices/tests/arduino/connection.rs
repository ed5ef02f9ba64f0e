//! How both sketches come to their broker, stay there, and come back.

use crate::{
    board::{Connect, Event, Message, Running, published},
    sketch::{Board, Program, Sketch},
};
use anyhow::{Result, ensure};

/// How often `loop()` runs when nothing depends on it.
const STEP_MS: u32 = 10;
const SECOND: u32 = 1_000 / STEP_MS;

impl Sketch {
    fn id(self) -> &'static str {
        match self {
            Self::Dimmer => "luxwire-dimmer-Desk",
            Self::Lamp => "luxwire-lamp-Desk",
        }
    }

    /// A lamp's availability is the light's. A dimmer has one of its own: without it, the lamp still shines.
    fn availability(self) -> &'static str {
        match self {
            Self::Dimmer => "dimmers/Desk/availability",
            Self::Lamp => "lights/Desk/availability",
        }
    }

    fn online(self) -> Event {
        Event::Publish(Message::retained(self.availability(), "online", 1))
    }

    fn will(self) -> Message {
        Message::retained(self.availability(), "offline", 1)
    }

    fn connect(self) -> Connect {
        Connect {
            id: self.id().to_owned(),
            clean_session: true,
            keep_alive_s: 15,
            will: Some(self.will()),
            user: String::new(),
            password: String::new(),
        }
    }
}

/// Everything below, for a sketch that may be wrong.
pub(crate) fn check(program: &Program, sketch: Sketch) -> Result<()> {
    introduces_itself(program, sketch)?;
    pauses_longer_and_longer(program, sketch)?;
    says_that_it_lives(program, sketch)?;
    comes_back_after_a_cut(program, sketch)?;
    does_not_hammer(program)?;
    comes_back_to_the_wireless_network(program, sketch)?;
    leaves_a_broker_that_fell_silent(program, sketch)?;
    says_why_it_was_refused(program, sketch)
}

/// A board that is connected; what it did so far.
pub(crate) fn connected(program: &Program) -> Result<(Running, Vec<Event>)> {
    let mut board = Running::new(program)?;
    let mut events = board.setup()?;
    events.extend(board.loops(STEP_MS, 1)?);
    ensure!(events.iter().any(|event| matches!(event, Event::Connect(_))), "it does not connect: {events:?}");
    Ok((board, events))
}

fn introduces_itself(program: &Program, sketch: Sketch) -> Result<()> {
    let (board, events) = connected(program)?;
    let [join, dial, connect] = ["Join", "Dial", "Connect"].map(|kind| {
        let position = events.iter().position(|event| format!("{event:?}").starts_with(kind));
        position.unwrap_or_default()
    });
    ensure!(
        events[join] == Event::Join { name: "your network".to_owned(), password: "its password".to_owned() }
    );
    let Event::Dial { host, port, .. } = &events[dial] else { anyhow::bail!("no dialling: {events:?}") };
    ensure!((host.as_str(), *port) == ("192.168.1.10", 1883), "{host}:{port}");
    ensure!(events[connect] == Event::Connect(sketch.connect()), "{:?}", events[connect]);
    ensure!(join < dial && dial < connect);
    ensure!(events.contains(&Event::Baud(115_200)));
    ensure!(published(&events).len() == 1 && events.contains(&sketch.online()), "{events:?}");
    board.end()
}

/// 1, 2, 4, … 64 seconds, and after a success from the beginning.
fn pauses_longer_and_longer(program: &Program, sketch: Sketch) -> Result<()> {
    let mut board = Running::new(program)?;
    board.obey("broker absent")?;
    board.setup()?;
    let attempts = dialled(&board.loops(STEP_MS, 300 * SECOND)?);
    let pauses_s: Vec<_> = attempts.windows(2).map(|pair| (pair[1] - pair[0]) / 1_000).collect();
    ensure!(pauses_s == [1, 2, 4, 8, 16, 32, 64, 64, 64], "{pauses_s:?} s between attempts");

    board.obey("broker answers")?;
    let events = board.loops(STEP_MS, 65 * SECOND)?;
    ensure!(events.contains(&sketch.online()), "it does not see that the broker is back: {events:?}");
    board.obey("broker absent")?;
    let attempts = dialled(&board.loops(STEP_MS, 10 * SECOND)?);
    let pauses_s: Vec<_> = attempts.windows(2).map(|pair| (pair[1] - pair[0]) / 1_000).collect();
    // The first was made at once, a second or more after the last success.
    ensure!(pauses_s == [2, 4], "{pauses_s:?} s between attempts, later");
    board.end()
}

fn dialled(events: &[Event]) -> Vec<u32> {
    let times = events.iter().filter_map(|event| match event {
        Event::Dial { at_ms, .. } => Some(*at_ms),
        _ => None,
    });
    times.collect()
}

/// Ten minutes with nothing to say, across the moment at which `millis()` begins again.
fn says_that_it_lives(program: &Program, _sketch: Sketch) -> Result<()> {
    let mut board = Running::new(program)?;
    board.set_clock((1 << 32) - 300_000)?;
    board.setup()?;
    let events = board.loops(STEP_MS, 600 * SECOND)?;
    let lost =
        events.iter().any(|event| matches!(event, Event::Timeout | Event::Will(_) | Event::Disconnect));
    ensure!(!lost, "it fell silent: {events:?}");
    let connects = events.iter().filter(|event| matches!(event, Event::Connect(_))).count();
    ensure!(connects == 1, "it connected {connects} times");
    board.end()
}

fn comes_back_after_a_cut(program: &Program, sketch: Sketch) -> Result<()> {
    let (mut board, _) = connected(program)?;
    board.loops(STEP_MS, 2 * SECOND)?;
    let buried = board.obey("cut")?;
    ensure!(buried == [Event::Will(sketch.will())], "{buried:?}");
    let events = board.loops(STEP_MS, SECOND)?;
    ensure!(
        events.contains(&Event::Connect(sketch.connect())) && events.contains(&sketch.online()),
        "{events:?}"
    );
    board.end()
}

/// A broker that lets in and throws out, as with two clients of one identifier.
fn does_not_hammer(program: &Program) -> Result<()> {
    let (mut board, _) = connected(program)?;
    let mut attempts = 0;
    for _ in 0..10 * SECOND {
        board.obey("cut")?;
        attempts += dialled(&board.loops(STEP_MS, 1)?).len();
    }
    ensure!((9..=10).contains(&attempts), "{attempts} attempts in 10 s");
    board.end()
}

fn comes_back_to_the_wireless_network(program: &Program, sketch: Sketch) -> Result<()> {
    let (mut board, _) = connected(program)?;
    board.loops(STEP_MS, 2 * SECOND)?;
    board.obey("wireless down")?;
    let events = board.loops(STEP_MS, 60 * SECOND)?;
    ensure!(
        events.contains(&Event::Will(sketch.will())),
        "the broker never says that it is gone: {events:?}"
    );
    ensure!(published(&events).is_empty(), "{events:?}");
    board.obey("wireless up")?;
    let events = board.loops(STEP_MS, 65 * SECOND)?;
    ensure!(events.iter().any(|event| matches!(event, Event::Join { .. })), "{events:?}");
    ensure!(events.contains(&sketch.online()), "{events:?}");
    board.end()
}

fn leaves_a_broker_that_fell_silent(program: &Program, sketch: Sketch) -> Result<()> {
    let (mut board, _) = connected(program)?;
    board.loops(STEP_MS, 2 * SECOND)?;
    board.obey("broker silent")?;
    let events = board.loops(STEP_MS, 120 * SECOND)?;
    let attempts = events.iter().filter(|event| matches!(event, Event::Connect(_))).count();
    ensure!((2..=8).contains(&attempts), "{attempts} attempts in two minutes");
    board.obey("broker answers")?;
    let events = board.loops(STEP_MS, 70 * SECOND)?;
    ensure!(events.contains(&sketch.online()), "{events:?}");
    board.end()
}

fn says_why_it_was_refused(program: &Program, _sketch: Sketch) -> Result<()> {
    let mut board = Running::new(program)?;
    board.obey("refuse 5")?;
    board.setup()?;
    let events = board.loops(STEP_MS, SECOND / 2)?;
    let said = Event::Serial("No connection to the broker 192.168.1.10, error 5".to_owned());
    ensure!(events.contains(&said), "{events:?}");
    ensure!(published(&events).is_empty());
    board.end()
}

#[test]
fn the_dimmer_connects_and_comes_back_on_every_board() {
    for board in Board::ALL {
        check(&Sketch::Dimmer.compile(board), Sketch::Dimmer).unwrap();
    }
}

#[test]
fn the_lamp_connects_and_comes_back_on_every_board() {
    for board in Board::ALL {
        check(&Sketch::Lamp.compile(board), Sketch::Lamp).unwrap();
    }
}

#[test]
fn user_and_password_are_sent_if_there_are_any() {
    let user = ("#define BROKER_USER \"\"", "#define BROKER_USER \"ada\"");
    let password = ("#define BROKER_PASSWORD \"\"", "#define BROKER_PASSWORD \"s3cret\"");
    for sketch in [Sketch::Dimmer, Sketch::Lamp] {
        let program = sketch.compile_changed(Board::UnoR4, &[user, password]).unwrap();
        let (board, events) = connected(&program).unwrap();
        let expected = Connect { user: "ada".to_owned(), password: "s3cret".to_owned(), ..sketch.connect() };
        assert!(events.contains(&Event::Connect(expected)), "{events:?}");
        board.end().unwrap();
    }
}
