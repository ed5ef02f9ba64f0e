//! A board that runs a sketch, its clock, its knob, its network and its broker. The protocol stands in
//! `devices/arduino/host/main.cpp`.

use crate::sketch::Program;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// So many commands are written before their answers are read: few enough that neither side's pipe can fill up.
const COMMANDS_AT_ONCE: usize = 256;

/// What a board does, and what its broker makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Baud(u32),
    Serial(String),
    Output(u8),
    /// `None`: for all pins.
    WriteBits(Option<u8>, u8),
    ReadBits(u8),
    Duty(u8, u32),
    Join {
        name: String,
        password: String,
    },
    Dial {
        host: String,
        port: u16,
        /// What `millis()` said.
        at_ms: u32,
    },
    Connect(Connect),
    Publish(Message),
    Subscribe(String, u8),
    Ping,
    Disconnect,
    Will(Message),
    /// The keep alive ran out.
    Timeout,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) retain: bool,
    pub(crate) qos: u8,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connect {
    pub(crate) id: String,
    pub(crate) clean_session: bool,
    pub(crate) keep_alive_s: u16,
    pub(crate) will: Option<Message>,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Message {
    pub(crate) fn retained(topic: &str, payload: &str, qos: u8) -> Self {
        Self { topic: topic.to_owned(), payload: payload.into(), retain: true, qos }
    }
}

/// A running board. The program ends with it.
pub(crate) struct Running {
    program: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// What `millis()` says, but for its wrapping.
    pub(crate) now_ms: u64,
}

impl Running {
    /// Powered, and five seconds old: `setup()` is still to run.
    pub(crate) fn new(program: &Program) -> Result<Self> {
        let mut program = Command::new(program.path());
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = program.spawn()?;
        let commands = program.stdin.take();
        let answers = BufReader::new(program.stdout.take().context("it is piped")?);
        let mut board = Self { program, commands, answers, now_ms: 0 };
        board.set_clock(5_000)?;
        Ok(board)
    }

    pub(crate) fn set_clock(&mut self, now_ms: u64) -> Result<()> {
        self.now_ms = now_ms;
        self.obey(&format!("clock {}", now_ms & u64::from(u32::MAX)))?;
        Ok(())
    }

    pub(crate) fn setup(&mut self) -> Result<Vec<Event>> {
        self.obey("setup")
    }

    /// Time passes, in steps, with `loop()` after each.
    pub(crate) fn loops(&mut self, step_ms: u32, steps: u32) -> Result<Vec<Event>> {
        self.now_ms += u64::from(step_ms) * u64::from(steps);
        self.obey(&format!("loop {step_ms} {steps}"))
    }

    /// The converter says `raw` from now on.
    pub(crate) fn turn_knob(&mut self, raw: u32) -> Result<()> {
        self.obey(&format!("adc {raw}"))?;
        Ok(())
    }

    /// One command whose answer has no name of its own.
    pub(crate) fn obey(&mut self, command: &str) -> Result<Vec<Event>> {
        let mut answers = self.obey_all([command])?;
        answers.pop().context("an answer to each command")
    }

    /// Many commands; an answer for each.
    pub(crate) fn obey_all(
        &mut self,
        commands: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Vec<Vec<Event>>> {
        let mut answers = Vec::new();
        let mut commands = commands.into_iter().peekable();
        while commands.peek().is_some() {
            let mut lines = String::new();
            let mut waiting = 0;
            for command in commands.by_ref().take(COMMANDS_AT_ONCE) {
                writeln!(lines, "{}", command.as_ref())?;
                waiting += 1;
            }
            let to_board = self.commands.as_mut().context("it was not told to end")?;
            if to_board.write_all(lines.as_bytes()).is_err() {
                return Err(self.last_words());
            }
            for _ in 0..waiting {
                answers.push(self.answer()?);
            }
        }
        Ok(answers)
    }

    fn answer(&mut self) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        let mut line = String::new();
        loop {
            line.clear();
            if self.answers.read_line(&mut line)? == 0 {
                return Err(self.last_words());
            }
            match line.trim_end_matches('\n') {
                "." => return Ok(events),
                event => events.push(parse(event).with_context(|| format!("{event:?}"))?),
            }
        }
    }

    /// The power is cut. Fails if the sanitizers have found something.
    pub(crate) fn end(mut self) -> Result<()> {
        self.commands = None;
        let status = self.program.wait()?;
        ensure!(status.success(), self.last_words());
        Ok(())
    }

    /// What the sanitizers, or the shim, have against the sketch.
    fn last_words(&mut self) -> anyhow::Error {
        let mut words = String::new();
        if let Some(mut said) = self.program.stderr.take() {
            // Without them it has still stopped.
            let _ = said.read_to_string(&mut words);
        }
        anyhow!("the board has stopped: {words}")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, or is of no use any more.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// What was published, in order.
pub(crate) fn published(events: &[Event]) -> Vec<Message> {
    let messages = events.iter().filter_map(|event| match event {
        Event::Publish(message) => Some(message.clone()),
        _ => None,
    });
    messages.collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".to_owned();
    }
    bytes.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

fn parse(line: &str) -> Result<Event> {
    let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
    let fields: Vec<_> = rest.split('|').collect();
    Ok(match (kind, &fields[..]) {
        ("serial", _) => Event::Serial(rest.to_owned()),
        ("baud", [baud]) => Event::Baud(baud.parse()?),
        ("output", [pin]) => Event::Output(pin.parse()?),
        ("write-bits", ["-1", bits]) => Event::WriteBits(None, bits.parse()?),
        ("write-bits", [pin, bits]) => Event::WriteBits(Some(pin.parse()?), bits.parse()?),
        ("read-bits", [bits]) => Event::ReadBits(bits.parse()?),
        ("duty", [pin, counts]) => Event::Duty(pin.parse()?, counts.parse()?),
        ("join", [name, password]) => {
            Event::Join { name: (*name).to_owned(), password: (*password).to_owned() }
        }
        ("dial", [host, port, at_ms]) => {
            Event::Dial { host: (*host).to_owned(), port: port.parse()?, at_ms: at_ms.parse()? }
        }
        ("connect", [id, clean, keep_alive, will, user, password]) => Event::Connect(Connect {
            id: (*id).to_owned(),
            clean_session: flag(clean)?,
            keep_alive_s: keep_alive.parse()?,
            will: parse_will(will)?,
            user: (*user).to_owned(),
            password: (*password).to_owned(),
        }),
        ("publish", [topic, retain, qos, payload]) => {
            Event::Publish(parse_message(topic, payload, retain, qos)?)
        }
        ("will", [topic, retain, qos, payload]) => Event::Will(parse_message(topic, payload, retain, qos)?),
        ("subscribe", [topic, qos]) => Event::Subscribe((*topic).to_owned(), qos.parse()?),
        ("ping", _) => Event::Ping,
        ("disconnect", _) => Event::Disconnect,
        ("timeout", _) => Event::Timeout,
        _ => bail!("a sketch should not do this"),
    })
}

fn parse_will(will: &str) -> Result<Option<Message>> {
    if will == "-" {
        return Ok(None);
    }
    let [topic, payload, retain, qos] = will.split(':').collect::<Vec<_>>()[..] else {
        bail!("a will has four parts");
    };
    parse_message(topic, payload, retain, qos).map(Some)
}

fn parse_message(topic: &str, payload: &str, retain: &str, qos: &str) -> Result<Message> {
    let payload = if payload == "-" { "" } else { payload };
    let bytes = (0..payload.len()).step_by(2).map(|at| {
        let digits = payload.get(at..at + 2).ok_or_else(|| anyhow!("half a byte"))?;
        Ok(u8::from_str_radix(digits, 16)?)
    });
    let payload = bytes.collect::<Result<_>>()?;
    Ok(Message { topic: topic.to_owned(), payload, retain: flag(retain)?, qos: qos.parse()? })
}

fn flag(text: &str) -> Result<bool> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => bail!("neither 0 nor 1"),
    }
}
