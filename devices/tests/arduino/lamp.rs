//! The lamp sketch against `luxwire_shared::model`: the same payloads accepted, the same counts of the PWM.

use crate::{
    board::{Event, Running, hex},
    connection::connected,
    random::Random,
    sketch::{Board, Program, Sketch},
};
use anyhow::{Result, ensure};
use luxwire_shared::model::{Intensity, LightId, LightTopic, Resolution};
use std::iter;

const LED: u8 = 5;
const SERIAL_REPORT: &str = "no percentage from 0 to 100";

/// Everything that makes it a lamp, for a sketch that may be wrong.
pub(crate) fn check(program: &Program, board: Board) -> Result<()> {
    prepares_its_pin(program, board)?;
    follows_every_intensity(program, board.pwm_bits())?;
    takes_what_our_lamp_takes(program, board.pwm_bits())?;
    believes_no_half_message(program)?;
    knows_the_last_intensity_after_a_cut(program, board.pwm_bits())?;
    says_that_it_may_not_listen(program)
}

fn intensity_topic() -> String {
    let id = LightId::try_from("Desk").expect("an identifier");
    LightTopic::Intensity(id).name().to_string()
}

fn publish(payload: &[u8]) -> String {
    format!("publish {} {}", intensity_topic(), hex(payload))
}

fn prepares_its_pin(program: &Program, board: Board) -> Result<()> {
    let (running, events) = connected(program)?;
    let bits = board.pwm_bits();
    let pin = (board == Board::Esp32).then_some(LED);
    let prepared = events.iter().take_while(|event| !matches!(event, Event::Join { .. }));
    let prepared: Vec<_> =
        prepared.filter(|event| !matches!(event, Event::Baud(_) | Event::Serial(_))).collect();
    let expected = [Event::Output(LED), Event::WriteBits(pin, bits), Event::Duty(LED, 0)];
    ensure!(prepared == expected.iter().collect::<Vec<_>>(), "{prepared:?}");
    ensure!(events.contains(&Event::Subscribe(intensity_topic(), 1)), "{events:?}");
    running.end()
}

/// All 10,001, in both directions, each spelt as our own programs spell it.
fn follows_every_intensity(program: &Program, bits: u8) -> Result<()> {
    let resolution = Resolution::from_bits(bits).expect("from 1 to 16");
    let (mut board, _) = connected(program)?;
    let intensities = || (0..=10_000).chain((0..=10_000).rev()).filter_map(Intensity::from_hundredths);
    let commands =
        intensities().flat_map(|intensity| [publish(&intensity.to_payload()), "loop 10".to_owned()]);
    let answers = board.obey_all(commands)?;
    ensure!(answers.len() == 40_004, "{} answers", answers.len());
    for (intensity, answers) in intensities().zip(answers.chunks(2)) {
        let expected = Event::Duty(LED, resolution.duty(intensity).into());
        let done: Vec<_> = answers[1].iter().filter(|event| **event != Event::Ping).collect();
        ensure!(done == [&expected], "{intensity} %: {done:?}, and our lamp {expected:?}");
    }
    board.end()
}

/// Payloads that are no percentage, or look like none. QoS 1: what is not taken must be acknowledged, too.
fn takes_what_our_lamp_takes(program: &Program, bits: u8) -> Result<()> {
    let resolution = Resolution::from_bits(bits).expect("from 1 to 16");
    let (mut board, _) = connected(program)?;
    let payloads = [hostile_payloads(), random_payloads(3_000)].concat();
    let commands = payloads.iter().flat_map(|payload| [publish(payload), "loop 10".to_owned()]);
    let answers = board.obey_all(commands)?;
    let mut taken = 0;
    for (payload, answers) in payloads.iter().zip(answers.chunks(2)) {
        let shown = String::from_utf8_lossy(payload);
        let done: Vec<_> = answers[1].iter().filter(|event| **event != Event::Ping).collect();
        match Intensity::try_from(payload.as_slice()) {
            Ok(intensity) => {
                let expected = Event::Duty(LED, resolution.duty(intensity).into());
                ensure!(done == [&expected], "{shown:?}: {done:?}, and our lamp {expected:?}");
                taken += 1;
            }
            Err(error) => {
                let report = format!("Ignored a message of {} bytes: {SERIAL_REPORT}", payload.len());
                ensure!(done == [&Event::Serial(report)], "{shown:?} ({error}): {done:?}");
            }
        }
    }
    ensure!(taken > 300 && payloads.len() - taken > 300, "{taken} of {} are taken", payloads.len());
    board.end()
}

fn hostile_payloads() -> Vec<Vec<u8>> {
    let texts = [
        "",
        "abc",
        "101",
        "-1",
        "1e2",
        " 5",
        "5.",
        "05.50",
        "5 ",
        "5\n",
        "\n5",
        "5\0",
        "\0",
        "+5",
        "-0",
        "-0.0",
        "100",
        "100.0",
        "100.00",
        "100.000",
        "100.01",
        "100.1",
        "99.99",
        "99.999",
        "0",
        "00",
        "000",
        "0000",
        "0.0",
        "0.00",
        "0.01",
        "0.001",
        "00.01",
        "000.01",
        "0000.01",
        "1",
        "01",
        "001",
        "0001",
        "040",
        "040.5",
        "040.50",
        "040.500",
        ".5",
        ".",
        "..",
        "5..5",
        "5.5.",
        ".5.5",
        "5.5.5",
        "5,5",
        "0x10",
        "1_0",
        "40%",
        "NaN",
        "inf",
        "ON",
        "online",
        "null",
        "{\"brightness\":40}",
        "999",
        "999.99",
        "256",
        "65536",
        "4294967296",
        "42949672.96",
        "99999999999999999999",
        "1/2",
        "1:2",
        "５",
        "½",
        "é",
        "1-",
        "1-2",
        "--1",
        "1.-1",
        "1.+1",
        "1.e1",
        "1e",
        "e1",
    ];
    let mut payloads: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    payloads.extend([
        b"\xff".to_vec(),
        b"5\xff".to_vec(),
        b"\xc3\x28".to_vec(),
        vec![b'5'; 7],
        vec![b'0'; 100],
    ]);
    payloads.extend([vec![0; 1_000], vec![b'1'; 70_000], vec![0xff; 70_000]]);
    // More than a broker sends without acknowledgements.
    payloads.extend(iter::repeat_n(b"far too long".to_vec(), 30));
    for byte in 0..=255 {
        payloads.extend([vec![byte], vec![byte, b'5'], vec![b'5', byte], vec![b'5', byte, b'5']]);
    }
    payloads
}

/// Made of what percentages are made of, mostly.
fn random_payloads(count: usize) -> Vec<Vec<u8>> {
    let mut random = Random::new("payloads");
    let alphabet = b"00112345678999...- e";
    let mut payload = || {
        let length = random.below(9);
        (0..length).map(|_| alphabet[random.below(alphabet.len() as u32) as usize]).collect()
    };
    (0..count).map(|_| payload()).collect()
}

/// The link breaks between "1" and "00".
fn believes_no_half_message(program: &Program) -> Result<()> {
    let (mut board, _) = connected(program)?;
    let topic = intensity_topic();
    board.obey(&format!("break {topic} {} 3", hex(b"1")))?;
    let events = board.loops(10, 1)?;
    ensure!(!events.iter().any(|event| matches!(event, Event::Duty(..))), "{events:?}");
    board.end()
}

/// While nobody tells it, the lamp stays as it is; afterwards it shows what was said meanwhile.
fn knows_the_last_intensity_after_a_cut(program: &Program, bits: u8) -> Result<()> {
    let resolution = Resolution::from_bits(bits).expect("from 1 to 16");
    let duty = |percent| {
        Event::Duty(LED, resolution.duty(Intensity::from_percent(percent).expect("at most 100")).into())
    };
    let is_duty = |event: &&Event| matches!(event, Event::Duty(..));
    let (mut board, _) = connected(program)?;
    board.obey(&publish(b"30"))?;
    board.loops(10, 1)?;
    board.obey("wireless down")?;
    board.obey(&publish(b"60"))?;
    let meanwhile = board.loops(10, 3_000)?;
    ensure!(!meanwhile.iter().any(|event| is_duty(&event)), "{meanwhile:?}");
    board.obey("wireless up")?;
    let events = board.loops(10, 7_000)?;
    let duties: Vec<_> = events.iter().filter(is_duty).collect();
    ensure!(duties == [&duty(60)], "{duties:?}");
    board.end()
}

fn says_that_it_may_not_listen(program: &Program) -> Result<()> {
    let mut board = Running::new(program)?;
    board.obey("deny 1")?;
    board.setup()?;
    let events = board.loops(10, 1)?;
    let said = Event::Serial("The broker does not let us speak of lights/Desk".to_owned());
    ensure!(events.contains(&said), "{events:?}");
    board.obey("deny 0")?;
    let events = board.loops(10, 200)?;
    ensure!(events.contains(&Event::Subscribe(intensity_topic(), 1)), "{events:?}");
    board.end()
}

#[test]
fn it_lights_what_our_lamp_lights() {
    for board in Board::ALL {
        check(&Sketch::Lamp.compile(board), board).unwrap();
    }
}

#[test]
fn it_follows_with_a_pwm_of_8_bits_too() {
    let program = Sketch::Lamp
        .compile_changed(Board::Nano33Iot, &[("const int pwmBits = 12;", "const int pwmBits = 8;")]);
    follows_every_intensity(&program.unwrap(), 8).unwrap();
}
