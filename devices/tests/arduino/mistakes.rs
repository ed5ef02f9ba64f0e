//! Would these tests notice? Each mistake is made in a copy of a sketch, and some check must fail.

use crate::{
    connection, dimmer, lamp,
    sketch::{Board, Program, Sketch},
};
use anyhow::Result;

/// Enough to see a wrong number.
const SAMPLES: usize = 20_000;
const BOARD: Board = Board::Esp32;

#[test]
fn mistakes_in_the_dimmer_are_noticed() {
    let mistakes = [
        ("const int knobPin = A0;", "const int knobPin = A0 + 1;"),
        ("const int32_t adcMax = 4095;", "const int32_t adcMax = 1023;"),
        ("const int32_t band = adcMax / 256;", "const int32_t band = adcMax / 255;"),
        ("const int32_t margin = 2 * band;", "const int32_t margin = 3 * band;"),
        ("const uint32_t sampleMs = 10;", "const uint32_t sampleMs = 20;"),
        ("const uint32_t intervalMs = 100;", "const uint32_t intervalMs = 90;"),
        ("const int stillSamples = 32;", "const int stillSamples = 33;"),
        ("\"lights/\" LIGHT_ID \"/intensity\"", "\"light/\" LIGHT_ID \"/intensity\""),
        ("\"dimmers/\" LIGHT_ID \"/availability\"", "\"lights/\" LIGHT_ID \"/availability\""),
        ("beginMessage(topic, true, qos)", "beginMessage(topic, false, qos)"),
        ("beginMessage(topic, true, qos)", "beginMessage(topic, qos, true)"),
        ("last ? 1 : 0)", "0)"),
        ("+ span / 2) / span", ") / span"),
        ("raw < low ? low : raw > high ? high : raw", "low > high ? low : raw"),
        ("sum = 4 * raw;", "sum = raw;"),
        ("value > anchor + band ||", "value >= anchor + band ||"),
        ("    still = false;\n", ""),
        ("    quiet = 0;\n", ""),
        ("saidMs = now - intervalMs;", "saidMs = now;"),
        ("if (last) owed = value;", ""),
        ("if (last && arrived) owed = -1;", "if (last) owed = -1;"),
        ("if (!arrived) network.stop();", ""),
        ("if (raw > adcMax) return;", ""),
        ("mqtt.poll();", ""),
        ("mqtt.beginWill(availabilityTopic, true, 1);", "mqtt.beginWill(availabilityTopic, false, 1);"),
        ("mqtt.print(\"offline\");", "mqtt.print(\"Offline\");"),
        ("pauseMs *= 2", "pauseMs *= 1"),
        ("analogReadResolution(12);", "analogReadResolution(10);"),
    ];
    for mistake in mistakes {
        noticed(Sketch::Dimmer, mistake, |program| dimmer::check(program, BOARD, SAMPLES));
    }
}

#[test]
fn mistakes_in_the_lamp_are_noticed() {
    let mistakes = [
        ("const int ledPin = 5;", "const int ledPin = 4;"),
        ("const int pwmBits = 12;", "const int pwmBits = 10;"),
        ("(1UL << pwmBits) - 1", "(1UL << pwmBits)"),
        ("\"lights/\" LIGHT_ID \"/intensity\"", "\"lights/\" LIGHT_ID \"/brightness\""),
        ("beginMessage(availabilityTopic, true, 1)", "beginMessage(availabilityTopic, false, 1)"),
        ("beginMessage(availabilityTopic, true, 1)", "beginMessage(availabilityTopic, true)"),
        ("hundredths + 1600;", "hundredths + 1900;"),
        ("hundredths <= 800", "hundredths <= 1600"),
        ("+ 45165) / 90330", ") / 90330"),
        ("+ 780448000000) / 1560896000000", ") / 1560896000000"),
        ("counts == 0 ? 1 : counts", "counts"),
        ("if (hundredths == 0) return 0;", ""),
        ("if (text[i] == '.' && !point)", "if (text[i] == '.')"),
        ("digits > 3", "digits > 4"),
        ("(point && decimals < 1)", "false"),
        ("decimals > 2", "decimals > 3"),
        ("number <= 10000", "number < 10000"),
        ("length == size && length < 7", "length < 7"),
        ("length == size && length < 7", "length == size"),
        ("    if (length < 7) text[length] = c;", "    text[length] = c;"),
        ("c >= 0; c = mqtt.read())", "c >= 0 && length < 7; c = mqtt.read())"),
        ("mqtt.subscribe(intensityTopic, 1)", "mqtt.subscribe(intensityTopic)"),
        ("mqtt.onMessage(follow);", ""),
        ("mqtt.poll();", ""),
        ("mqtt.setKeepAliveInterval(15000);", "mqtt.setKeepAliveInterval(15);"),
        ("analogWriteResolution(ledPin, pwmBits);", "analogWriteResolution(ledPin, 8);"),
    ];
    for mistake in mistakes {
        noticed(Sketch::Lamp, mistake, |program| lamp::check(program, BOARD));
    }
}

/// A mistake must compile, or it says nothing about the checks.
fn noticed(sketch: Sketch, (from, to): (&str, &str), check: impl Fn(&Program) -> Result<()>) {
    let program = sketch
        .compile_changed(BOARD, &[(from, to)])
        .unwrap_or_else(|error| panic!("{to:?} for {from:?} does not compile: {error:#}"));
    let verdict = check(&program).and_then(|()| connection::check(&program, sketch));
    let Err(reason) = verdict else { panic!("nobody notices {to:?} for {from:?}") };
    println!("{to:?} for {from:?}: {}", format!("{reason:#}").chars().take(160).collect::<String>());
}
