//! The dimmer sketch against `luxwire_shared::model::reading`, which our own dimmer uses: the same readings, the same
//! messages at the same times.

use crate::{
    board::{Event, Message, Running, published},
    connection::connected,
    random::Random,
    sketch::{Board, Program, Sketch},
};
use anyhow::{Context as _, Result, ensure};
use luxwire_shared::{
    model::{
        LightId, LightTopic,
        reading::{Publish, Reading, Settings},
    },
    time::Instant,
};
use std::iter;

/// Columns: scenario (a knob of its own each), adc_max, band, time_ms, raw, payload (empty: nothing is published), last
/// (1: the final value, QoS 1).
const VECTORS: &str = include_str!("../../../shared/tests/model_vectors/reading.csv");
const SAMPLE_MS: u32 = 10;

/// Everything that makes it a dimmer, for a sketch that may be wrong. It is compiled as it stands in the repository.
pub(crate) fn check(program: &Program, board: Board, samples: usize) -> Result<()> {
    measures_finely(program, board)?;
    says_what_our_dimmer_says(program, board, samples)?;
    noise_publishes_nothing(program, board)?;
    owes_the_last_value(program, board)?;
    sends_the_last_value_until_it_is_acknowledged(program, board)
}

fn intensity_topic() -> String {
    let id = LightId::try_from("Desk").expect("an identifier");
    LightTopic::Intensity(id).name().to_string()
}

fn message(publish: Publish) -> Message {
    let payload = publish.intensity.to_payload();
    let qos = u8::from(publish.last);
    Message { topic: intensity_topic(), payload: payload.to_vec(), retain: true, qos }
}

fn measures_finely(program: &Program, board: Board) -> Result<()> {
    let (running, events) = connected(program)?;
    let bits = events.contains(&Event::ReadBits(12));
    ensure!(bits == (board != Board::Esp8266), "{events:?}");
    running.end()
}

/// The sketch and our model take the same samples, 10 ms apart.
fn says_what_our_dimmer_says(program: &Program, board: Board, samples: usize) -> Result<()> {
    let adc_max = board.adc_max();
    let knob = Knob::new(adc_max, Random::new("a knob that is turned at random"));
    let raws: Vec<_> = knob.take(samples).collect();
    let mut reading = Reading::new(Settings::new(adc_max)?);
    let (mut running, _) = connected_without_reading(program)?;
    let commands = raws.iter().flat_map(|raw| [format!("adc {raw}"), format!("loop {SAMPLE_MS}")]);
    let answers = running.obey_all(commands)?;
    let mut last_messages = 0;
    for (at, (raw, answers)) in raws.iter().zip(answers.chunks(2)).enumerate() {
        let now = Instant::from_millis(at as u64 * u64::from(SAMPLE_MS));
        let expected = reading.sample(*raw, now).ok().flatten();
        last_messages += usize::from(expected.is_some_and(|publish| publish.last));
        let said = published(&answers[1]);
        let expected: Vec<_> = expected.map(message).into_iter().collect();
        ensure!(said == expected, "sample {at} ({raw}): it says {said:?}, our dimmer {expected:?}");
    }
    ensure!(last_messages > samples / 2_000, "the knob rested only {last_messages} times");
    running.end()
}

/// Connected, and the next `loop()` takes the first sample: the converter's count before it is one that there is not.
fn connected_without_reading(program: &Program) -> Result<(Running, Vec<Event>)> {
    let mut board = Running::new(program)?;
    // Shortly before millis() begins again.
    board.set_clock((1 << 32) - 100_000)?;
    board.turn_knob(65_535)?;
    let mut events = board.setup()?;
    events.extend(board.loops(SAMPLE_MS, 1)?);
    Ok((board, events))
}

/// A knob at rest with a converter's noise, 12 bits' worth scaled to the board's: after its first value, a minute of nothing.
fn noise_publishes_nothing(program: &Program, board: Board) -> Result<()> {
    let middle = u32::from(board.adc_max()) / 3;
    let noise = u32::from(board.adc_max() / 256);
    let mut random = Random::new("noise");
    let (mut running, _) = connected_without_reading(program)?;
    let commands = iter::repeat_with(|| middle + random.below(noise + 1)).take(6_000);
    let answers = running.obey_all(commands.flat_map(|raw| [format!("adc {raw}"), "loop 10".to_owned()]))?;
    let said = published(&answers.concat());
    ensure!(said.len() == 1 && said[0].qos == 1, "noise is published: {said:?}");
    running.end()
}

/// The knob is turned while nobody listens: what it came to rest at is said once, and nothing of the way there.
fn owes_the_last_value(program: &Program, board: Board) -> Result<()> {
    let adc_max = u32::from(board.adc_max());
    let (mut running, _) = connected(program)?;
    running.loops(SAMPLE_MS, 100)?;
    running.obey("broker absent")?;
    for raw in [adc_max, adc_max / 4, adc_max / 2] {
        running.turn_knob(raw)?;
        let said = published(&running.loops(SAMPLE_MS, 200)?);
        ensure!(said.is_empty(), "{said:?}");
    }
    running.obey("broker answers")?;
    let said = published(&running.loops(SAMPLE_MS, 7_000)?);
    let [online, value] = &said[..] else { anyhow::bail!("online, and the value: {said:?}") };
    ensure!(online.payload == b"online");
    ensure!(*value == Message::retained(&intensity_topic(), "50", 1), "{value:?}");
    running.end()
}

/// The broker says nothing for a while, too short for the keep alive to run out, and forgets what it was told.
fn sends_the_last_value_until_it_is_acknowledged(program: &Program, board: Board) -> Result<()> {
    let (mut running, _) = connected(program)?;
    running.loops(SAMPLE_MS, 100)?;
    running.obey("broker silent")?;
    running.turn_knob(u32::from(board.adc_max()))?;
    running.loops(SAMPLE_MS, 500)?;
    running.obey("broker answers")?;
    let said = published(&running.loops(SAMPLE_MS, 1_000)?);
    let value = said.last().context("nothing is said")?;
    ensure!(*value == Message::retained(&intensity_topic(), "100", 1), "{value:?}");
    running.end()
}

/// A hand on a knob: rests, turns at all speeds, jumps, and a converter with noise, spikes and counts that there are not.
struct Knob {
    random: Random,
    adc_max: u32,
    at: i64,
    per_sample: i64,
    samples_left: u32,
    noise: u32,
}

impl Knob {
    /// It is being turned when the board starts.
    fn new(adc_max: u16, random: Random) -> Self {
        let adc_max = u32::from(adc_max);
        Self { random, adc_max, at: 0, per_sample: i64::from(adc_max / 60), samples_left: 60, noise: 0 }
    }

    fn next_move(&mut self) {
        let range = self.adc_max;
        self.samples_left = 1 + self.random.below(90);
        self.noise = self.random.below(range / 200);
        self.per_sample = match self.random.below(5) {
            0 | 1 => 0,
            2 => {
                self.at = i64::from(self.random.below(range + 1));
                0
            }
            3 => i64::from(self.random.below(range / 20)) - i64::from(range / 40),
            _ => i64::from(self.random.below(5)) - 2,
        };
    }
}

impl Iterator for Knob {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.samples_left == 0 {
            self.next_move();
        }
        self.samples_left -= 1;
        self.at = (self.at + self.per_sample).clamp(0, self.adc_max.into());
        let raw = match self.random.below(200) {
            0 => self.random.below(self.adc_max + 1),
            1 => self.adc_max + 1 + self.random.below(100),
            _ => {
                let noise = i64::from(self.random.below(self.noise + 1)) - i64::from(self.noise / 2);
                let raw = (self.at + noise).clamp(0, self.adc_max.into());
                u32::try_from(raw).expect("clamped")
            }
        };
        Some(raw)
    }
}

#[test]
fn it_says_what_our_dimmer_says() {
    for board in [Board::Esp32, Board::Esp8266] {
        check(&Sketch::Dimmer.compile(board), board, 100_000).unwrap();
    }
    for board in [Board::NanoEsp32, Board::UnoR4, Board::Nano33Iot] {
        check(&Sketch::Dimmer.compile(board), board, 5_000).unwrap();
    }
}

#[test]
fn it_follows_the_vectors_that_all_dimmers_share() {
    let rows: Vec<[&str; 7]> = VECTORS
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>().try_into().expect("seven columns"))
        .collect();
    let (mut scenarios, mut messages) = (0, 0);
    let mut programs: Vec<([&str; 3], Program)> = Vec::new();
    for scenario in rows.chunk_by(|row, next| row[0] == next[0]) {
        let [name, adc_max, band, ..] = scenario[0];
        let times: Vec<u64> = scenario.iter().map(|row| row[3].parse().unwrap()).collect();
        // Some take samples closer together than the sketch does; it then has another number there.
        let close = times.windows(2).any(|pair| pair[1] - pair[0] < u64::from(SAMPLE_MS));
        let settings = [adc_max, band, if close { "1" } else { "10" }];
        if !programs.iter().any(|(of, _)| *of == settings) {
            programs.push((settings, with_settings(settings)));
        }
        let (_, program) = programs.iter().find(|(of, _)| *of == settings).unwrap();
        messages += follows(program, name, scenario, &times);
        scenarios += 1;
    }
    assert!(scenarios >= 18 && messages >= 80, "the file is cut: {scenarios} scenarios, {messages} messages");
}

/// The sketch with three of its constants as somebody would change them for another board.
fn with_settings([adc_max, band, sample_ms]: [&str; 3]) -> Program {
    let adc_max = format!("const int32_t adcMax = {adc_max};");
    let band = format!("const int32_t band = {band};");
    let sample_ms = format!("const uint32_t sampleMs = {sample_ms};");
    let changes = [
        ("const int32_t adcMax = 4095;", adc_max.as_str()),
        ("const int32_t band = adcMax / 256;", band.as_str()),
        ("const uint32_t sampleMs = 10;", sample_ms.as_str()),
    ];
    // Its analogRead() is wide enough for 16 bits.
    Sketch::Dimmer.compile_changed(Board::UnoR4, &changes).unwrap()
}

/// How many messages there were.
fn follows(program: &Program, name: &str, rows: &[[&str; 7]], times: &[u64]) -> usize {
    let mut running = Running::new(program).unwrap();
    running.turn_knob(1_000_000).unwrap();
    running.setup().unwrap();
    running.loops(SAMPLE_MS, 1).unwrap();
    let mut before = times[0];
    let mut messages = 0;
    for (row, time) in rows.iter().zip(times) {
        let [.., raw, payload, last] = *row;
        let step = if *time == times[0] { SAMPLE_MS } else { u32::try_from(time - before).unwrap() };
        before = *time;
        running.turn_knob(raw.parse().unwrap()).unwrap();
        let said = published(&running.loops(step, 1).unwrap());
        let expected: Vec<_> = (!payload.is_empty())
            .then(|| Message::retained(&intensity_topic(), payload, u8::from(last == "1")))
            .into_iter()
            .collect();
        assert_eq!(said, expected, "{name}, at {time} ms");
        messages += said.len();
    }
    running.end().unwrap();
    messages
}
