//! Random lives of many clients, played from seeds and judged by a naive model of what must arrive.
//!
//! Clients (`life`) publish, subscribe, share, drop out at any packet or byte, come back with or without their session,
//! take over, read late, acknowledge late, and leave wills; the judge (`judge`) sees what went into the broker and what came
//! out, keeps plain lists of what each session must get, and objects to whatever is lost, repeated, out of order or too late.
//!
//! `LUXWIRE_SIMULATION_SEED=7` plays one seed and prints each step; `LUXWIRE_SIMULATION_STEPS=10000000` plays as many
//! seeds as make up so many steps, beginning with `LUXWIRE_SIMULATION_FIRST` (0).

#[path = "../driver/mod.rs"]
mod driver;

mod dice;
mod judge;
mod life;

use judge::Figures;
use life::Life;
use std::{env, thread};

/// Long enough for sessions to fill up and expire several times, short enough to read what went wrong.
const STEPS_OF_A_SEED: u64 = 1500;

/// What is played in every run of the tests: a minute of a processor's time without optimisation, half of it on two.
const STEPS: u64 = 4_000_000;

// [MQTT-4.3.2-3] [MQTT-4.3.3-10] [MQTT-4.3.3-12] [MQTT-4.6.0-5]
#[test]
fn every_message_arrives_in_order_and_as_often_as_its_quality_promises() {
    if let Some(seed) = number("LUXWIRE_SIMULATION_SEED") {
        let steps = number("LUXWIRE_SIMULATION_STEPS").unwrap_or(STEPS_OF_A_SEED);
        println!("seed {seed}: {:?}", play(seed, steps, true));
        return;
    }
    let seeds = number("LUXWIRE_SIMULATION_STEPS").unwrap_or(STEPS).div_ceil(STEPS_OF_A_SEED);
    let first = number("LUXWIRE_SIMULATION_FIRST").unwrap_or(0);
    // Half of the seeds each, since the machines that test have two cores.
    let halves = [0, 1].map(|half| {
        thread::spawn(move || {
            let mut figures = Figures::default();
            for seed in (first..first + seeds).filter(|seed| seed % 2 == half) {
                figures += play(seed, STEPS_OF_A_SEED, false);
            }
            figures
        })
    });
    let mut figures = Figures::default();
    for half in halves {
        figures += half.join().expect("no objection; the seed stands above");
    }
    println!("{seeds} seeds from {first}, {} steps: {figures:?}", seeds * STEPS_OF_A_SEED);
    // A life in which nothing happens proves nothing.
    figures.assert_alive();
}

fn play(seed: u64, steps: u64, aloud: bool) -> Figures {
    let mut at = Place { seed, step: 0 };
    let mut life = Life::new(seed, aloud);
    for step in 0..steps {
        at.step = step;
        life.step();
    }
    at.step = steps;
    life.settle()
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}

/// Where a life is, told if it ends badly.
struct Place {
    seed: u64,
    step: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        if thread::panicking() {
            let Self { seed, step } = *self;
            eprintln!(
                "in step {step}; play it again with \
                 LUXWIRE_SIMULATION_SEED={seed} LUXWIRE_SIMULATION_STEPS={}",
                step + 1
            );
        }
    }
}
